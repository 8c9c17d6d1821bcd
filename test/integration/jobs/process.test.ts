import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RunningSandboxes, startSandboxes } from '../../../src/sandbox/start.js';
import { newMasterKey } from '../../../src/secrets.js';
import { connectFlow, GatewayClient, triggerSync } from '../../scenarios/support/gateway.js';
import { ProductProcess } from '../../scenarios/support/processes.js';
import { buildProduct, type Product } from '../../scenarios/support/product.js';
import { type FreshDatabase, freshDatabase } from '../../support/database.js';
import { until } from './nodes.js';

// The compiled program as an operator starts and stops it. A surprise here means a deployment that cuts off postings, a
// stop that never ends, or a start that fails without saying what to change.

/** Every process that migrates takes this lock first; a test that holds it stops them in the middle of their start. */
const MIGRATION_LOCK = 7_203_114_001;
const BOOTSTRAP_KEY = 'bootstrap-key-of-a-test';

const masterKey = newMasterKey().reveal();
let product: Product;
let database: FreshDatabase;
let sql: pg.Client;
const running: ProductProcess[] = [];

beforeAll(async () => {
  [product, database] = await Promise.all([buildProduct(), freshDatabase()]);
  sql = new pg.Client({ connectionString: database.connectionString, application_name: 'test' });
  await sql.connect();
}, 120_000);

afterEach(async () => {
  for (const one of running.splice(0)) {
    one.signal('SIGKILL');
    await one.ended;
  }
  // A test that failed with the lock in hand must not keep the next ones from starting anything.
  await sql.query('select pg_advisory_unlock_all()');
});

afterAll(async () => {
  await sql?.end();
  await database?.drop();
  product?.remove();
});

function launch(role: 'api' | 'worker', logLevel = 'info'): ProductProcess {
  const databaseUrl = database.connectionString;
  const one = ProductProcess.start(product, {
    role,
    name: `test-${role}`,
    databaseUrl,
    masterKey,
    bootstrapKey: BOOTSTRAP_KEY,
    logLevel,
  });
  running.push(one);
  return one;
}

async function rows<Row>(statement: string): Promise<Row[]> {
  return (await sql.query(statement)).rows as Row[];
}

describe('a process that is told to stop', () => {
  let sandboxes: RunningSandboxes;

  beforeAll(async () => {
    const scenario = { kind: 'month', seed: 7, month: '2026-09', purchases: 200 } as const;
    sandboxes = await startSandboxes({ which: ['brex', 'syspro'], scenario });
  });
  afterAll(() => sandboxes?.close());

  it('in the middle of a long drain ends with 0, leaves nothing in its hands, and the next one goes on', async () => {
    const { brex, syspro } = sandboxes;
    if (!brex || !syspro) throw new Error('The sandboxes did not start.');
    const api = launch('api');
    const client = new GatewayClient(await api.ready, BOOTSTRAP_KEY);
    const flow = await connectFlow(client, {
      brex: brex.access,
      syspro: syspro.access,
      sysproSettings: { settlingSeconds: 0 },
    });
    await triggerSync(client, flow.pipelineId);
    // An API alone takes the order and works on nothing.
    expect(await rows(`select 1 from sync_runs where status = 'QUEUED'`)).toHaveLength(1);
    expect(await rows(`select 1 from pgboss.job where name = 'sync.run' and state = 'created'`)).toHaveLength(1);

    syspro.sandbox.faults.set([{ match: 'Transaction/Post', kind: 'SLOW', delayMs: 150 }]);
    const first = launch('worker');
    // A worker alone has no address.
    expect(await first.ready).toBe('');
    await until(async () => syspro.sandbox.ledger.journals().length >= 3);
    first.signal('SIGTERM');
    expect(await first.ended).toEqual({ code: 0, signal: null });
    const [left] = await rows(
      `select count(*) filter (where status = 'POSTING' or lease_owner is not null)::int as in_hand,
         count(*) filter (where status = 'READY')::int > 0 as has_more from postings`,
    );
    expect(left).toEqual({ in_hand: 0, has_more: true });
    expect(await rows(`select 1 from job_claims`)).toEqual([]);
    expect(await rows(`select 1 from processes where roles = 'worker'`)).toEqual([]);
    expect(await rows(`select 1 from pgboss.job where state = 'active'`)).toEqual([]);

    syspro.sandbox.faults.set([]);
    const second = launch('worker');
    await second.ready;
    await until(async () => (await rows(`select 1 from sync_runs where status in ('QUEUED', 'RUNNING')`)).length === 0);
    const posted = await rows<{ reference: string }>(`select reference from postings where status = 'POSTED'`);
    expect(await rows(`select 1 from postings where status in ('READY', 'POSTING', 'IN_DOUBT')`)).toEqual([]);
    const references = syspro.sandbox.ledger.journals().map((journal) => journal.reference);
    expect([...references].sort()).toEqual(posted.map((row) => row.reference).sort());
    for (const one of [second, api]) {
      one.signal('SIGTERM');
      expect(await one.ended).toEqual({ code: 0, signal: null });
    }
  }, 120_000);

  it('while it is starting stops what it started and ends with 0', async () => {
    await sql.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const one = launch('worker');
    await waitingForLock();
    one.signal('SIGTERM');
    await until(async () => one.lastLines.some((line) => line.includes('stopping')));
    await sql.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    expect(await one.ended).toEqual({ code: 0, signal: null });
    expect(await rows('select 1 from processes')).toEqual([]);
  }, 60_000);

  it('a second time ends at once with 1', async () => {
    await sql.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const one = launch('worker');
    await waitingForLock();
    one.signal('SIGTERM');
    await until(async () => one.lastLines.some((line) => line.includes('stopping')));
    one.signal('SIGINT');
    expect(await one.ended).toEqual({ code: 1, signal: null });
    await sql.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  }, 60_000);

  /** In this database: other tests wait for locks of their own on the same server. */
  async function waitingForLock(): Promise<void> {
    const waiting = `select 1 from pg_locks l join pg_database d on d.oid = l.database
      where d.datname = current_database() and l.locktype = 'advisory' and not l.granted`;
    await until(async () => (await rows(waiting)).length > 0);
  }
});

describe('a process that cannot start', () => {
  it.each([
    ['an unknown role', { ROLE: 'boss' }, 78, /^ROLE must be api or worker/],
    [
      'a master key of the wrong length',
      { LEDGERGATE_MASTER_KEY: 'c2hvcnQ=' },
      78,
      /^LEDGERGATE_MASTER_KEY must be 32 bytes/,
    ],
    [
      'a wrong password',
      { DATABASE_URL: () => withUrl((url) => (url.password = 'wrong')) },
      78,
      /^DATABASE_URL .* \(28P01\)\.$/,
    ],
    [
      'a database that is not there',
      { DATABASE_URL: () => withUrl((url) => (url.pathname = '/nowhere')) },
      78,
      /^DATABASE_URL .* \(3D000\)\.$/,
    ],
    // It may be there in a moment, so whoever supervises the process should start it again.
    [
      'a server that does not answer',
      { DATABASE_URL: () => withUrl((url) => (url.port = '9')) },
      1,
      /DATABASE_URL .* \(ECONNREFUSED\)\.$/,
    ],
  ] as const)('because of %s says so in one line', async (_what, change, code, line) => {
    const outcome = await runToEnd(change);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(outcome.stderr.trimEnd()).toMatch(line);
    expect(outcome.stderr).not.toContain(new URL(database.connectionString).password);
  });

  it('because its port is taken says so in one line and leaves nothing open', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const outcome = await runToEnd({ PORT: String(port), ROLE: 'api' });
    other.close();
    expect(outcome).toEqual({ code: 1, stderr: `PORT ${port} on 127.0.0.1 is in use by another program.\n` });
    expect(await rows('select 1 from processes')).toEqual([]);
  }, 60_000);
});

function withUrl(change: (url: URL) => void): string {
  const url = new URL(database.connectionString);
  change(url);
  return url.href;
}

async function runToEnd(
  change: Readonly<Record<string, string | (() => string)>>,
): Promise<{ code: number | null; stderr: string }> {
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOST: '127.0.0.1',
    PORT: '0',
    ROLE: 'worker',
    LOG_LEVEL: 'silent',
    DATABASE_URL: database.connectionString,
    LEDGERGATE_MASTER_KEY: masterKey,
  };
  for (const [name, value] of Object.entries(change)) env[name] = typeof value === 'string' ? value : value();
  const child: ChildProcess = spawn(process.execPath, [product.main], {
    cwd: product.folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [[code], stderr] = await Promise.all([once(child, 'exit'), child.stderr ? text(child.stderr) : '']);
  return { code: code as number | null, stderr };
}
