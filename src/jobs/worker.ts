import type { Database } from '../entities/database.js';
import { LedgergateError } from '../errors.js';
import { raiseAlert } from '../services/alerts.js';
import type { JobName, JobPayloads } from '../services/engine.js';
import { takeOrphanedJobs } from '../services/processes.js';
import type { SystemsParts } from '../services/systems.js';
import type { JobQueue } from './queue.js';
import { type TaskContext, tasks } from './tasks/index.js';

/** How many jobs of a kind one process works on side by side, each for another key. */
const SIDE_BY_SIDE: { readonly [N in JobName]: number } = {
  'sync.run': 2,
  'plan.pipeline': 2,
  'ledger.drain': 4,
  'source.report': 2,
  'webhook.process': 2,
};

const TAKEOVER_EVERY_MS = 1_000;

/** Works on jobs until it is stopped. */
export class Worker {
  private isStopping = false;
  private takeover: NodeJS.Timeout | null = null;
  private takingOver: Promise<void> = Promise.resolve();

  constructor(
    private readonly engine: SystemsParts,
    private readonly queue: JobQueue,
    private readonly db: Database,
  ) {}

  async start(): Promise<void> {
    await this.takeOver();
    for (const name of Object.keys(SIDE_BY_SIDE) as JobName[]) {
      for (let index = 0; index < SIDE_BY_SIDE[name]; index += 1) await this.workOn(name);
    }
    this.takeover = setInterval(() => {
      this.takingOver = this.takingOver.then(() => this.takeOver());
    }, TAKEOVER_EVERY_MS);
  }

  private async workOn<N extends JobName>(name: N): Promise<void> {
    let id = '';
    id = await this.queue.boss.work<JobPayloads[N]>(
      name,
      { batchSize: 1, pollingIntervalSeconds: 1, notifyPollingIntervalSeconds: 2 },
      async (jobs) => {
        try {
          for (const job of jobs) await this.run(name, job.id, job.data);
        } finally {
          // The engine would sleep out its poll interval after a short job; more may be waiting.
          if (id !== '') this.queue.boss.notifyWorker(id);
        }
      },
    );
  }

  private async run<N extends JobName>(name: N, jobId: string, payload: JobPayloads[N]): Promise<void> {
    const { engine, db } = this;
    await db.engine((tx) =>
      tx.execute(
        `insert into job_claims (job_id, queue, process_id, claimed_at) values ($1, $2, $3, $4)
         on conflict (job_id) do update set process_id = excluded.process_id, claimed_at = excluded.claimed_at`,
        [jobId, name, engine.processId, engine.clock.now()],
      ),
    );
    const context: TaskContext = { engine, isStopping: () => this.isStopping };
    try {
      await tasks[name](context, payload);
    } catch (error) {
      await this.tellFailure(name, payload, error);
      throw error;
    } finally {
      await db
        .engine((tx) => tx.execute('delete from job_claims where job_id = $1', [jobId]))
        .catch((error: unknown) => {
          engine.logger.warn({ err: error, jobId }, 'the claim of a job could not be taken back');
        });
    }
  }

  /** What ends here is a bug or a database that is away; everything expected is dealt with by the task itself. */
  private async tellFailure(name: JobName, payload: JobPayloads[JobName], error: unknown): Promise<void> {
    const { engine } = this;
    engine.logger.error({ err: error, job: name, payload }, 'a job failed and will be tried again');
    if (!(error instanceof LedgergateError)) return;
    await engine.db
      .tenant(payload.tenantId, (tx) =>
        raiseAlert(tx, engine.clock.now(), {
          severity: 'CRITICAL',
          code: 'JOB_FAILED',
          message: `${name} failed and will be tried again: ${error.userMessage}`,
          systemId: null,
          pipelineId: 'pipelineId' in payload ? payload.pipelineId : null,
          dedupeKey: `job:${name}:${error.code}`,
        }),
      )
      .catch((alertError: unknown) => engine.logger.error({ err: alertError }, 'the alert could not be raised'));
  }

  private async takeOver(): Promise<void> {
    try {
      const orphans = await takeOrphanedJobs(this.db);
      if (orphans.length > 0) await this.queue.revive(this.db, orphans);
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
