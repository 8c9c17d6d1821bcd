import { PgBoss } from 'pg-boss';
import type { Database, Tx } from '../entities/database.js';
import { InvariantError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { JobName, JobPayloads, JobSender } from '../services/engine.js';

/** Jobs of one key run one after another, over all processes; the key says what must not run side by side. */
const KEYS: { readonly [N in JobName]: (payload: JobPayloads[N]) => string } = {
  'sync.run': (payload) => `${payload.tenantId}/${payload.runId}`,
  'plan.pipeline': (payload) => `${payload.tenantId}/${payload.pipelineId}`,
  // Writes to a ledger keep to its limit of one at a time because its jobs do.
  'ledger.drain': (payload) => `${payload.tenantId}/${payload.ledgerId}`,
  'source.report': (payload) => `${payload.tenantId}/${payload.sourceId}`,
  'webhook.process': (payload) => `${payload.tenantId}/${payload.systemId}`,
};

const NAMES = Object.keys(KEYS) as JobName[];

/** Dead letters of all queues: payload, source and error, until somebody redrives them. */
export const DEAD_LETTERS = 'dead.letters';

const QUEUE = {
  policy: 'key_strict_fifo',
  notify: true,
  // A job that ends for good blocks its key, so it hardly ever does: what can go wrong in the domain is kept there, and
  // what is left (a database that is away, a bug) is tried again for months, at most once in five minutes.
  retryLimit: 50_000,
  retryDelay: 2,
  retryBackoff: true,
  retryDelayMax: 300,
  // A process that is alive says so; one that died is found by its presence lock first, and by this at the latest.
  heartbeatSeconds: 10,
  // A long job is no dead job: the heartbeat tells them apart.
  expireInSeconds: 6 * 60 * 60,
  deleteAfterSeconds: 60 * 60,
  deadLetter: DEAD_LETTERS,
} as const;

/** The job engine: pg-boss on our own database, in a schema of its own. */
export class JobQueue implements JobSender {
  private constructor(
    readonly boss: PgBoss,
    private readonly logger: Logger,
  ) {}

  /** Brings the engine's own tables up to date; processes that start together queue on its lock. */
  static async start(connectionString: string, db: Database, logger: Logger): Promise<JobQueue> {
    const boss = new PgBoss({
      connectionString,
      application_name: 'ledgergate-jobs',
      max: 6,
      schema: 'pgboss',
      useListenNotify: true,
      monitorIntervalSeconds: 5,
      queueCacheIntervalSeconds: 5,
      schedule: false,
      persistWarnings: false,
    });
    boss.on('error', (error) => logger.error({ err: error }, 'the job engine reported an error'));
    boss.on('warning', (warning) => logger.warn({ warning }, 'the job engine reported a warning'));
    await boss.start();
    await boss.createQueue(DEAD_LETTERS, { retentionSeconds: 365 * 24 * 60 * 60 });
    for (const name of NAMES) {
      await boss.createQueue(name, QUEUE);
      const { policy: _fixed, ...options } = QUEUE;
      await boss.updateQueue(name, options);
    }
    // Jobs are enqueued in the transaction that makes them necessary, which runs as the application's own role.
    await db.engine((tx) =>
      tx.query(`grant usage on schema pgboss to ledgergate_app;
        grant select, insert, update, delete on all tables in schema pgboss to ledgergate_app;
        grant execute on all functions in schema pgboss to ledgergate_app`),
    );
    return new JobQueue(boss, logger);
  }

  async send<N extends JobName>(
    tx: Tx,
    name: N,
    payload: JobPayloads[N],
    options: { startAfter?: Date } = {},
  ): Promise<void> {
    const key = KEYS[name](payload);
    if (await isComing(tx, name, key, options.startAfter)) return;
    const id = await this.boss.send(name, payload, {
      singletonKey: key,
      ...(options.startAfter ? { startAfter: options.startAfter } : {}),
      db: adapterOf(tx),
    });
    if (id === null) throw new InvariantError(`The job ${name} was not taken by the queue.`);
  }

  /**
   * Takes over the jobs of processes that died: each is finished and sent anew in one transaction, so that it starts at
   * once and not after the backoff that a failure would bring.
   */
  async revive(db: Database, orphans: readonly { queue: string; jobId: string }[]): Promise<void> {
    for (const { queue, jobId } of orphans) {
      const [job] = await this.boss.findJobs<object>(queue, { id: jobId });
      if (job?.state !== 'active') continue;
      await db.engine(async (tx) => {
        const adapter = adapterOf(tx);
        await this.boss.complete(queue, jobId, null, { db: adapter });
        await this.boss.send(queue, job.data, { singletonKey: job.singletonKey ?? '', db: adapter });
      });
      this.logger.info({ queue, jobId }, 'took over a job from a process that died');
    }
  }

  async stop(timeoutMs: number): Promise<void> {
    await this.boss.stop({ graceful: true, close: true, timeout: timeoutMs });
  }
}

/**
 * Whether a job that has not started will do for this one too. It is locked until our transaction ends, so it cannot
 * start before our change is there to be seen; when somebody else has it locked, a job more does no harm.
 */
async function isComing(tx: Tx, name: string, key: string, startAfter: Date | undefined): Promise<boolean> {
  const rows = await tx.query(
    `select 1 from pgboss.job where name = $1 and singleton_key = $2 and state = 'created'
       and start_after <= greatest(coalesce($3::timestamptz, now()), now()) limit 1 for update skip locked`,
    [name, key, startAfter ?? null],
  );
  return rows.length > 0;
}

function adapterOf(tx: Tx) {
  return {
    executeSql: async (text: string, values?: unknown[]) => ({ rows: await tx.query<never>(text, values ?? []) }),
  };
}
