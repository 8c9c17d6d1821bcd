import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../src/clock.js';
import type { Connector } from '../../src/connectors/contract.js';
import { ConnectorRegistry } from '../../src/connectors/registry.js';
import { localDate } from '../../src/domain/localDate.js';
import { Database, type Tx } from '../../src/entities/database.js';
import { createDataSource } from '../../src/entities/dataSource.js';
import { InvariantError } from '../../src/errors.js';
import { createLogger } from '../../src/logger.js';
import { createSealer, newMasterKey, readMasterKey } from '../../src/secrets.js';
import { drainLedger } from '../../src/services/drain.js';
import type { Caller, JobName, JobPayloads, JobSender } from '../../src/services/engine.js';
import { reportToSource } from '../../src/services/exports.js';
import { LiveConnections } from '../../src/services/liveConnections.js';
import { pushMasterData } from '../../src/services/masterDataExport.js';
import type { Outcome } from '../../src/services/outcome.js';
import { createPipeline, setMappingRules } from '../../src/services/pipelines.js';
import { planPipeline } from '../../src/services/planning.js';
import { Presence } from '../../src/services/processes.js';
import { attachReceipts } from '../../src/services/receiptAttachments.js';
import { fetchReceipts } from '../../src/services/receipts.js';
import { reconcile } from '../../src/services/reconciliation.js';
import { runSync } from '../../src/services/syncRunner.js';
import { triggerSync } from '../../src/services/syncs.js';
import { connectSystem, type SystemsParts } from '../../src/services/systems.js';
import type { ConnectSystemRequest, PipelineRequest, ReconciliationAnswer } from '../../src/services/useCases.js';
import type { Sealer } from '../../src/services/vault.js';
import { processWebhook } from '../../src/services/webhooks.js';
import { type DatabaseBackup, type FreshDatabase, freshDatabase } from './database.js';
import { FakeLedger, FakeSource } from './fakes.js';

/** A clock that stands still until the test moves it. */
export class TestClock implements Clock {
  private ms = Date.parse('2026-11-20T12:00:00Z');

  now(): Date {
    return new Date(this.ms);
  }

  set(instant: Date): void {
    this.ms = instant.getTime();
  }

  advance(ms: number): void {
    this.ms += ms;
  }
}

export type Job = { [N in JobName]: { name: N; payload: JobPayloads[N]; startAfter: Date | null } }[JobName];

/** Keeps what committed transactions enqueued; like the real queue, one job stands for all of its kind that are to come. */
export class RecordedJobs implements JobSender {
  readonly pending: Job[] = [];
  /** All there ever were. */
  readonly sent: Job[] = [];

  async send<N extends JobName>(
    tx: Tx,
    name: N,
    payload: JobPayloads[N],
    options: { startAfter?: Date } = {},
  ): Promise<void> {
    tx.afterCommit(() => {
      const job = { name, payload, startAfter: options.startAfter ?? null } as Job;
      if (this.pending.some((other) => isSame(other, job) && begins(other) <= begins(job))) return;
      this.sent.push(job);
      this.pending.push(job);
    });
  }

  /** The oldest of those that begin first. */
  take(): Job | undefined {
    const [first] = [...this.pending].sort((a, b) => begins(a) - begins(b));
    if (first) this.pending.splice(this.pending.indexOf(first), 1);
    return first;
  }
}

function begins(job: Job): number {
  return job.startAfter?.getTime() ?? 0;
}

function isSame(a: Job, b: Job): boolean {
  return a.name === b.name && JSON.stringify(a.payload) === JSON.stringify(b.payload);
}

/** What processes of one test share. */
interface World {
  readonly database: FreshDatabase;
  readonly clock: TestClock;
  readonly jobs: RecordedJobs;
  readonly sealer: Sealer;
  readonly source: FakeSource;
  readonly ledger: FakeLedger;
  readonly alive: Set<TestEngine>;
  backup: { readonly database: DatabaseBackup; readonly pending: readonly Job[] } | null;
  readonly spendConnector: Connector | null;
}

export interface TestEngine extends SystemsParts {
  readonly clock: TestClock;
  readonly jobs: RecordedJobs;
  readonly source: FakeSource;
  readonly ledger: FakeLedger;
  readonly connectionString: string;
  /** Another process of ours on the same database, with the same clock, queue and systems. */
  another(): Promise<TestEngine>;
  /** The process is gone: its presence and its connections end. What it was doing fails at its next statement. */
  die(): Promise<void>;
  /** All processes end, what is in the database and in the queue is kept, and a new process starts. */
  backUp(): Promise<TestEngine>;
  /** All processes end, database and queue are what they were when `backUp` was called last, and a new process starts. */
  restore(): Promise<TestEngine>;
  /** Runs what is in the queue until nothing is left; the clock moves on to what starts later. */
  runJobs(options?: { until?: Date }): Promise<void>;
  runJob(job: Job): Promise<void>;
  /** Ends every process of the test and removes its database. */
  close(): Promise<void>;
  /** Rows of a statement, past row-level security. */
  rows<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

export interface TestEngineOptions {
  /** Beside `default`. */
  readonly tenants?: readonly string[];
  /** In the place of the fake source's: a real connector to a simulated system. */
  readonly spendConnector?: Connector;
}

/** An engine on a database of its own, with an in-memory source and ledger. `close` it. */
export async function makeTestEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  const database = await freshDatabase();
  const key = readMasterKey(newMasterKey().reveal());
  if (!key) throw new InvariantError('A new master key cannot be read.');
  const clock = new TestClock();
  const world: World = {
    database,
    clock,
    jobs: new RecordedJobs(),
    sealer: createSealer([key]),
    source: new FakeSource(),
    ledger: new FakeLedger(clock),
    alive: new Set(),
    backup: null,
    spendConnector: options.spendConnector ?? null,
  };
  const engine = await startProcess(world);
  await engine.db.engine((tx) =>
    tx.execute('insert into tenants (id, name) select id, id from unnest($1::text[]) as t(id)', [
      ['default', ...(options.tenants ?? [])],
    ]),
  );
  return engine;
}

async function startProcess(world: World): Promise<TestEngine> {
  const { database, clock, jobs, sealer, source, ledger, alive } = world;
  const dataSource = createDataSource({ connectionString: database.connectionString, poolSize: 8 });
  await dataSource.initialize();
  const db = new Database(dataSource);
  const logger = createLogger('silent');
  const processId = `process-${randomUUID()}`;
  const lockKey = BigInt(`0x${randomBytes(6).toString('hex')}`);
  const presence = new Presence(db, database.connectionString, processId, lockKey, logger);
  await presence.start(['worker'], clock.now());
  const connectors = new ConnectorRegistry([world.spendConnector ?? source.connector, ledger.connector]);
  const connections = new LiveConnections({ db, clock, logger, connectors, sealer });
  const parts: SystemsParts = { db, clock, logger, connectors, connections, jobs, processId, sealer };

  const runJob = (job: Job): Promise<void> => work(parts, job);
  const engine: TestEngine = {
    ...parts,
    clock,
    jobs,
    source,
    ledger,
    connectionString: database.connectionString,
    another: () => startProcess(world),
    async backUp() {
      for (const one of [...alive]) await one.die();
      await world.backup?.database.drop();
      world.backup = { database: await database.backUp(), pending: [...jobs.pending] };
      return startProcess(world);
    },
    async restore() {
      if (!world.backup) throw new Error('Nothing was backed up.');
      for (const one of [...alive]) await one.die();
      await world.backup.database.restore();
      jobs.pending.splice(0, jobs.pending.length, ...world.backup.pending);
      return startProcess(world);
    },
    async die() {
      if (!alive.delete(engine)) return;
      await presence.stop();
      await dataSource.destroy();
    },
    runJob,
    async runJobs({ until } = {}) {
      for (let ran = 0; ran < JOBS_MAX; ran += 1) {
        const job = jobs.take();
        if (!job) return;
        if (until && job.startAfter && job.startAfter > until) {
          jobs.pending.push(job);
          return;
        }
        if (job.startAfter && job.startAfter > clock.now()) clock.set(job.startAfter);
        await runJob(job);
      }
      throw new Error(`The queue was not empty after ${JOBS_MAX} jobs.`);
    },
    async close() {
      for (const one of alive) await one.die();
      await world.backup?.database.drop();
      await database.drop();
    },
    rows: (sql, parameters) => db.engine((tx) => tx.query(sql, parameters)),
  };
  alive.add(engine);
  return engine;
}

/** More than any test needs: a job that always enqueues another one would run for ever. */
const JOBS_MAX = 500;

async function work(engine: SystemsParts, job: Job): Promise<void> {
  const options = { isStopping: () => false };
  const { tenantId } = job.payload;
  switch (job.name) {
    case 'sync.run':
      return runSync(engine, tenantId, job.payload.runId, options);
    case 'plan.pipeline':
      await planPipeline(engine, callerOf(tenantId, 'system:planning'), job.payload.pipelineId, null);
      return;
    case 'ledger.drain':
      return drainLedger(engine, tenantId, job.payload.ledgerId, options);
    case 'source.report':
      return reportToSource(engine, tenantId, job.payload.sourceId, options);
    case 'source.receipts':
      return fetchReceipts(engine, tenantId, job.payload.sourceId, options);
    case 'ledger.attach':
      return attachReceipts(engine, tenantId, job.payload.ledgerId, options);
    case 'source.masterData':
      return pushMasterData(engine, tenantId, job.payload.pipelineId, options);
    case 'webhook.process':
      return processWebhook(engine, tenantId, job.payload.systemId, job.payload.messageId);
  }
}

export function callerOf(tenantId = 'default', actor = 'user:test'): Caller {
  return { tenantId, actor, keyId: null, role: 'ADMIN', correlationId: `corr-${tenantId}` };
}

/** Something a test waits for, or makes others wait for. */
export class Gate {
  open: () => void = () => {};
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

/** What went well; a refusal fails the test with its reasons. */
export function done<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`Refused: ${JSON.stringify(outcome.problems)}`);
  return outcome.value;
}

export interface Company {
  readonly caller: Caller;
  readonly sourceId: string;
  readonly ledgerId: string;
  readonly pipelineId: string;
}

/** A company whose card spend goes to its ledger as journals, office supplies to 6100, against clearing account 2110. */
export async function makeCompany(
  engine: TestEngine,
  over: Partial<PipelineRequest> = {},
  tenantId = 'default',
  source: Partial<ConnectSystemRequest> = {},
): Promise<Company> {
  const caller = callerOf(tenantId);
  const credentials = { token: 'source-token' };
  const { id: sourceId } = done(
    await connectSystem(engine, caller, { kind: 'BREX', name: 'Cards', credentials, ...source }),
  );
  const { id: ledgerId } = done(
    await connectSystem(engine, caller, { kind: 'SYSPRO', name: 'Books', credentials: { token: 'ledger-token' } }),
  );
  const { id: pipelineId } = done(
    await createPipeline(engine, caller, {
      name: 'Cards to books',
      sourceId,
      ledgerId,
      streams: ['CARD_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'],
      documentType: 'JOURNAL',
      grouping: 'PER_RECORD',
      schedule: null,
      timeZone: 'UTC',
      offsetAccount: '2110',
      defaultAccount: null,
      unmatchedVendor: 'POST_WITHOUT_SUPPLIER',
      postingDate: 'TRANSACTION_DATE',
      closedPeriod: 'HOLD',
      coding: 'RICHEST',
      correction: 'REVERSE_AND_REPLACE',
      requireApproval: false,
      exportMasterData: false,
      enabled: true,
      ...over,
    }),
  );
  done(
    await setMappingRules(engine, caller, { pipelineId, rules: [{ category: 'OFFICE_SUPPLIES', glAccount: '6100' }] }),
  );
  // Nothing was read yet, so the planning that a new mapping asks for has nothing to do.
  engine.jobs.pending.length = 0;
  return { caller, sourceId, ledgerId, pipelineId };
}

/** Asks for a sync and runs all that follows from it. Answers with the run's id. */
export async function sync(engine: TestEngine, { caller, pipelineId }: Company): Promise<string> {
  const { id } = done(await triggerSync(engine, caller, { pipelineId, dryRun: false }));
  await engine.runJobs();
  return id;
}

/** Where the money of October to December is, by the company's pipeline. */
export async function reconciled(engine: TestEngine, { caller, pipelineId }: Company): Promise<ReconciliationAnswer> {
  const window = { from: localDate('2026-10-01'), to: localDate('2026-12-31') };
  const answer = await reconcile(engine, caller.tenantId, { pipelineId, ...window });
  if (!answer) throw new Error('There is no such pipeline.');
  return answer;
}

export interface PostingFacts {
  id: string;
  reference: string;
  status: string;
  ledger_document_id: string | null;
  reverses_id: string | null;
  holds: { code: string; message: string }[];
  total: string;
}

export function postings(engine: TestEngine, tenantId = 'default'): Promise<PostingFacts[]> {
  return engine.rows<PostingFacts>(
    `select id, reference, status, ledger_document_id, reverses_id, holds, total from postings where tenant_id = $1 order by id`,
    [tenantId],
  );
}
