import type { Job } from 'pg-boss';
import type { Database } from '../entities/database.js';
import { LedgergateError } from '../errors.js';
import { raiseAlert, settleAlert } from '../services/alerts.js';
import type { JobName, JobPayloads } from '../services/engine.js';
import { OrphanWatch } from '../services/processes.js';
import type { SystemsParts } from '../services/systems.js';
import { type JobQueue, keyOf } from './queue.js';
import { type TaskContext, type Tasks, tasks } from './tasks/index.js';

/** How many jobs of a kind one process works on side by side, each for another key. */
const SIDE_BY_SIDE: { readonly [N in JobName]: number } = {
  'sync.run': 2,
  'plan.pipeline': 2,
  'ledger.drain': 4,
  'source.report': 2,
  // A receipt may take 25 MiB of memory.
  'source.receipts': 1,
  'ledger.attach': 1,
  'source.masterData': 1,
  'webhook.process': 2,
};

const TAKEOVER_EVERY_MS = 1_000;
/** An error that nobody foresaw may be a connection that was cut; from the third failure in a row on it needs a person. */
const UNFORESEEN_TRIES = 3;
const ACTOR = 'system:jobs';

/** Works on jobs until it is stopped. */
export class Worker {
  private isStopping = false;
  private takeover: NodeJS.Timeout | null = null;
  private takingOver: Promise<void> | null = null;
  private readonly orphans: OrphanWatch;

  constructor(
    private readonly engine: SystemsParts,
    private readonly queue: JobQueue,
    private readonly db: Database,
    /** What is done for each kind of job. */
    private readonly work: Tasks = tasks,
  ) {
    this.orphans = new OrphanWatch(db);
  }

  async start(): Promise<void> {
    await this.takeOver();
    for (const name of Object.keys(SIDE_BY_SIDE) as JobName[]) {
      for (let index = 0; index < SIDE_BY_SIDE[name]; index += 1) await this.workOn(name);
    }
    this.takeover = setInterval(() => {
      this.takingOver ??= this.takeOver().finally(() => {
        this.takingOver = null;
      });
    }, TAKEOVER_EVERY_MS);
  }

  private async workOn<N extends JobName>(name: N): Promise<void> {
    let id = '';
    id = await this.queue.boss.work<JobPayloads[N]>(
      name,
      { batchSize: 1, pollingIntervalSeconds: 1, notifyPollingIntervalSeconds: 2 },
      async (jobs) => {
        try {
          for (const job of jobs) await this.run(name, job);
        } finally {
          // The engine would sleep out its poll interval after a short job; more may be waiting.
          if (id !== '') this.queue.boss.notifyWorker(id);
        }
      },
    );
  }

  private async run<N extends JobName>(name: N, job: Job<JobPayloads[N]>): Promise<void> {
    const { engine, db } = this;
    await db.engine((tx) =>
      tx.execute(
        `insert into job_claims (job_id, queue, process_id, claimed_at) values ($1, $2, $3, $4)
         on conflict (job_id) do update set process_id = excluded.process_id, claimed_at = excluded.claimed_at`,
        [job.id, name, engine.processId, engine.clock.now()],
      ),
    );
    const context: TaskContext = {
      engine,
      // The signal says that the job was given to another process, which took this one for dead.
      isStopping: () => this.isStopping || job.signal.aborted,
    };
    try {
      await this.work[name](context, job.data);
    } catch (error) {
      await this.tellFailure(name, job, error);
      await this.takeBackClaim(name, job);
      throw error;
    }
    if (await this.takeBackClaim(name, job)) await this.settleFailure(name, job);
  }

  /** @returns whether an earlier failure of this job's key is still an open alert. */
  private async takeBackClaim<N extends JobName>(name: N, job: Job<JobPayloads[N]>): Promise<boolean> {
    try {
      const rows = await this.db.engine((tx) =>
        // Only our own: a process that was given up too early must not take back its successor's.
        tx.query(
          `with taken as (delete from job_claims where job_id = $1 and process_id = $2)
           select 1 from alerts where tenant_id = $3 and dedupe_key = $4 and resolved_at is null`,
          [job.id, this.engine.processId, job.data.tenantId, alertKey(name, job.data)],
        ),
      );
      return rows.length > 0;
    } catch (error) {
      this.engine.logger.warn({ err: error, jobId: job.id }, 'the claim of a job could not be taken back');
      return false;
    }
  }

  /** What ends here is a bug or a database that is away; everything expected is dealt with by the task itself. */
  private async tellFailure<N extends JobName>(name: N, job: Job<JobPayloads[N]>, error: unknown): Promise<void> {
    const { engine } = this;
    const { data: payload, retryCount } = job;
    engine.logger.error({ err: error, job: name, payload, retryCount }, 'a job failed and will be tried again');
    const isForeseen = error instanceof LedgergateError;
    if (!isForeseen && retryCount + 1 < UNFORESEEN_TRIES) return;
    const what = isForeseen ? error.userMessage : 'An unexpected error; see the log.';
    await engine.db
      .tenant(payload.tenantId, (tx) =>
        raiseAlert(tx, engine.clock.now(), {
          severity: 'CRITICAL',
          code: 'JOB_FAILED',
          message: `${name} failed and will be tried again: ${what}`,
          systemId: null,
          pipelineId: 'pipelineId' in payload ? payload.pipelineId : null,
          dedupeKey: alertKey(name, payload),
        }),
      )
      .catch((alertError: unknown) => engine.logger.error({ err: alertError }, 'the alert could not be raised'));
  }

  private async settleFailure<N extends JobName>(name: N, { data: payload }: Job<JobPayloads[N]>): Promise<void> {
    const { engine } = this;
    await engine.db
      .tenant(payload.tenantId, (tx) => settleAlert(tx, engine.clock.now(), alertKey(name, payload), ACTOR))
      .catch((error: unknown) => engine.logger.error({ err: error }, 'the alert of a job could not be settled'));
  }

  private async takeOver(): Promise<void> {
    try {
      for (const orphan of await this.orphans.look()) await this.queue.revive(this.db, orphan);
    } catch (error) {
      if (!this.isStopping) this.engine.logger.warn({ err: error }, 'looking for orphaned jobs failed');
    }
  }

  /** Takes no more jobs; those that run see that they should come to an end. */
  async stop(timeoutMs: number): Promise<void> {
    this.isStopping = true;
    if (this.takeover) clearInterval(this.takeover);
    await this.takingOver;
    await this.queue.stop(timeoutMs);
  }
}

/** One alert for what must not run side by side: the next of these that works shows that the trouble is over. */
function alertKey<N extends JobName>(name: N, payload: JobPayloads[N]): string {
  return `job:${name}:${keyOf(name, payload)}`;
}
