import { PgBoss } from 'pg-boss';
import type { Database, Tx } from '../entities/database.js';
import { InvariantError } from '../errors.js';
import type { Logger } from '../logger.js';
import type { JobName, JobPayloads, JobSender } from '../services/engine.js';
import { type OrphanedJob, takeOrphan } from '../services/processes.js';

/** Jobs of one key run one after another, over all processes; the key says what must not run side by side. */
const KEYS: { readonly [N in JobName]: (payload: JobPayloads[N]) => string } = {
  'sync.run': (payload) => `${payload.tenantId}/${payload.runId}`,
  'plan.pipeline': (payload) => `${payload.tenantId}/${payload.pipelineId}`,
  // Writes to a ledger keep to its limit of one at a time because its jobs do.
  'ledger.drain': (payload) => `${payload.tenantId}/${payload.ledgerId}`,
  'source.report': (payload) => `${payload.tenantId}/${payload.sourceId}`,
  'source.receipts': (payload) => `${payload.tenantId}/${payload.sourceId}`,
  'ledger.attach': (payload) => `${payload.tenantId}/${payload.ledgerId}`,
  'source.masterData': (payload) => `${payload.tenantId}/${payload.pipelineId}`,
  // A job that waits under a key stands for all of that key, and the one of another message says nothing of this one.
  'webhook.process': (payload) => `${payload.tenantId}/${payload.systemId}/${payload.messageId}`,
};

const NAMES = Object.keys(KEYS) as JobName[];

/** What must not run side by side with this job. */
export function keyOf<N extends JobName>(name: N, payload: JobPayloads[N]): string {
  return KEYS[name](payload);
}

/** Any number; the same in every process of every version. */
const SETTING_UP_LOCK = 7_203_114_002;

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
      // Both bound how long after its last sign of life a job is given to somebody else.
      monitorIntervalSeconds: 5,
      superviseIntervalSeconds: 5,
      queueCacheIntervalSeconds: 5,
      schedule: false,
      persistWarnings: false,
    });
    boss.on('error', (error) => logger.error({ err: error }, 'the job engine reported an error'));
    boss.on('warning', (warning) => logger.warn({ warning }, 'the job engine reported a warning'));
    try {
      await boss.start();
      await setUp(boss, db);
    } catch (error) {
      await boss.stop({ graceful: false, close: true });
      throw error;
    }
    return new JobQueue(boss, logger);
  }

  async send<N extends JobName>(
    tx: Tx,
    name: N,
    payload: JobPayloads[N],
    options: { startAfter?: Date } = {},
  ): Promise<void> {
    const key = keyOf(name, payload);
    if (await isComing(tx, name, key, options.startAfter)) return;
    const id = await this.boss.send(name, payload, {
      singletonKey: key,
      ...(options.startAfter ? { startAfter: options.startAfter } : {}),
      db: adapterOf(tx),
    });
    if (id === null) throw new InvariantError(`The job ${name} was not taken by the queue.`);
  }

  /**
   * Takes over a job of a process that died: it is finished and sent anew in one transaction, so that it starts at once
   * and not after the backoff that a failure would bring. The new one keeps the old one's place among those of its key.
   * Its id is new, so whatever a process that was given up too early still says about the old one changes nothing.
   *
   * Where the job engine missed the process's heartbeat first, it has put the job back already, with a pause that doubles
   * at every death, up to five minutes in which nothing of that key moves. Nothing failed, so that pause ends here.
   */
  async revive(db: Database, { queue, jobId }: OrphanedJob): Promise<void> {
    const isRevived = await db.engine(async (tx) => {
      if (!(await takeOrphan(tx, jobId))) return false;
      const adapter = adapterOf(tx);
      const [job] = await tx.query<{ data: object; singleton_key: string; created_on: Date; state: string }>(
        `select data, singleton_key, created_on, state from pgboss.job
         where name = $1 and id = $2 and state in ('active', 'retry') for update`,
        [queue, jobId],
      );
      if (!job) return false;
      if (job.state === 'retry') {
        await tx.execute(
          `update pgboss.job set start_after = now(), retry_count = 0 where name = $1 and id = $2 and state = 'retry'`,
          [queue, jobId],
        );
        return true;
      }
      await this.boss.complete(queue, jobId, null, { db: adapter });
      const id = await this.boss.send(queue, job.data, { singletonKey: job.singleton_key, db: adapter });
      await tx.execute('update pgboss.job set created_on = $3 where name = $1 and id = $2', [
        queue,
        id,
        job.created_on,
      ]);
      return true;
    });
    if (isRevived) this.logger.info({ queue, jobId }, 'took over a job from a process that died');
  }

  async stop(timeoutMs: number): Promise<void> {
    await this.boss.stop({ graceful: true, close: true, timeout: timeoutMs });
  }
}

async function setUp(boss: PgBoss, db: Database): Promise<void> {
  await db.engine(async (tx) => {
    // Processes that start together would change the same rows and rights at once, which PostgreSQL refuses.
    await tx.query('select pg_advisory_xact_lock($1)', [SETTING_UP_LOCK]);
    await boss.createQueue(DEAD_LETTERS, { retentionSeconds: 365 * 24 * 60 * 60 });
    for (const name of NAMES) {
      await boss.createQueue(name, QUEUE);
      const { policy: _fixed, ...options } = QUEUE;
      await boss.updateQueue(name, options);
    }
    await letTenantsSend(tx);
    await tx.query(`grant execute on all functions in schema pgboss to ledgergate_app`);
  });
}

/**
 * Jobs are enqueued in the transaction that makes them necessary, which runs as the application's own role: it may send,
 * and see of the jobs those of its tenant, whose name every payload has. The job engine owns its tables and sees all.
 */
async function letTenantsSend(tx: Tx): Promise<void> {
  await tx.query('grant usage on schema pgboss to ledgergate_app');
  await tx.query('revoke all on all tables in schema pgboss from ledgergate_app');
  await tx.query('grant select on pgboss.version, pgboss.queue to ledgergate_app');
  // The table of jobs and those that it is split into: a statement may name either.
  const tables = await tx.query<{ name: string; open: boolean }>(
    `select c.oid::regclass::text as name, not c.relrowsecurity as open
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'data' and not a.attisdropped
     where c.relnamespace = 'pgboss'::regnamespace and c.relkind in ('r', 'p')`,
  );
  for (const { name, open } of tables) {
    await tx.query(`grant select, insert, update on ${name} to ledgergate_app`);
    // Only where it is new: it waits for everybody who works on the table.
    if (!open) continue;
    await tx.query(`alter table ${name} enable row level security`);
    await tx.query(`create policy tenant_only on ${name} to ledgergate_app
      using (data ->> 'tenantId' = (select current_setting('ledgergate.tenant', true)))
      with check (data ->> 'tenantId' = (select current_setting('ledgergate.tenant', true)))`);
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
