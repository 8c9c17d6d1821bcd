import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { systemClock } from '../../../src/clock.js';
import { Database } from '../../../src/entities/database.js';
import { createDataSource } from '../../../src/entities/dataSource.js';
import { JobQueue } from '../../../src/jobs/queue.js';
import { tasks as realTasks, type Tasks } from '../../../src/jobs/tasks/index.js';
import { Worker } from '../../../src/jobs/worker.js';
import { createLogger } from '../../../src/logger.js';
import type { JobName, JobPayloads } from '../../../src/services/engine.js';
import { LiveConnections } from '../../../src/services/liveConnections.js';
import { Presence } from '../../../src/services/processes.js';
import type { SystemsParts } from '../../../src/services/systems.js';
import type { TestEngine } from '../../support/engine.js';

// Processes of ours as they run in production: real queue, real worker, real clock, each with pools of its own on one
// database. Source and ledger are those of the test engine that the database belongs to.

export interface Node {
  readonly engine: SystemsParts;
  readonly db: Database;
  readonly queue: JobQueue;
  readonly presence: Presence;
  send<N extends JobName>(name: N, payload: JobPayloads[N], options?: { startAfter?: Date }): Promise<void>;
  /** In order, as on SIGTERM. May be called twice. */
  stop(): Promise<void>;
}

export interface NodeOptions {
  readonly tasks?: Partial<Tasks>;
  /** false = a process that only enqueues. */
  readonly works?: boolean;
}

const STOP_MS = 10_000;

export async function startNode(base: TestEngine, options: NodeOptions = {}): Promise<Node> {
  const { connectionString, connectors, sealer } = base;
  const dataSource = await createDataSource({ connectionString, poolSize: 12 }).initialize();
  const db = new Database(dataSource);
  const logger = createLogger(process.env.TEST_LOG_LEVEL ?? 'silent');
  const queue = await JobQueue.start(connectionString, db, logger);
  const processId = `node-${randomUUID()}`;
  const connections = new LiveConnections({ db, clock: systemClock, logger, connectors, sealer });
  const engine: SystemsParts = {
    db,
    clock: systemClock,
    logger,
    connectors,
    connections,
    jobs: queue,
    processId,
    sealer,
  };
  const lockKey = BigInt(`0x${randomBytes(6).toString('hex')}`);
  const presence = new Presence(db, connectionString, processId, lockKey, logger);
  await presence.start(['worker'], systemClock.now());
  const worker = new Worker(engine, queue, db, { ...realTasks, ...options.tasks });
  if (options.works !== false) await worker.start();
  let stopping: Promise<void> | null = null;
  return {
    engine,
    db,
    queue,
    presence,
    send: (name, payload, sendOptions) =>
      db.tenant(payload.tenantId, (tx) => queue.send(tx, name, payload, sendOptions)),
    stop() {
      stopping ??= (async () => {
        await worker.stop(STOP_MS);
        await presence.stop();
        await dataSource.destroy();
      })();
      return stopping;
    },
  };
}

/** Waits for something that only the database shows. The test's own time limit bounds it. */
export async function until<T>(look: () => Promise<T | null | undefined | false>): Promise<T> {
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Ends server sessions as an administrator or a failing network would. @returns how many. */
export async function cut(connectionString: string, applicationNames: readonly string[]): Promise<number> {
  const client = new pg.Client({ connectionString, application_name: 'test-cutter' });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
         and application_name = any($1)`,
      [applicationNames],
    );
    for (const { pid } of rows) await client.query('select pg_terminate_backend($1)', [pid]);
    return rows.length;
  } finally {
    await client.end();
  }
}

/** Jobs that are not over, by state. */
export async function openJobs(base: TestEngine, name?: JobName): Promise<{ name: string; state: string }[]> {
  return base.rows(
    `select name, state::text from pgboss.job where state in ('created', 'retry', 'active') and ($1::text is null or name = $1)`,
    [name ?? null],
  );
}

/** Nothing is queued or running, now and a moment later: what a job enqueues comes in its own transaction. */
export function quiet(base: TestEngine): Promise<true> {
  return until(async () => {
    const open = await base.rows<{ n: number }>(
      `select count(*)::int as n from pgboss.job where state in ('created', 'retry', 'active') and name <> 'dead.letters'`,
    );
    return open[0]?.n === 0 ? true : null;
  });
}
