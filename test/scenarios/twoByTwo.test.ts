// Two processes with the API and two workers on one database, each of which is killed while spend is on its way. What would
// surprise: a document that is in the ledger twice or not at all, a run that hangs because whoever had it is gone, an event
// that a subscriber never hears because the process it was connected to died.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningSandboxes, startSandboxes } from '../../src/sandbox/start.js';
import { emptyDatabase, type FreshDatabase } from '../support/database.js';
import { EventListener, type SeenEvent } from './support/eventListener.js';
import { connectFlow, GatewayClient, triggerSync } from './support/gateway.js';
import { ProductProcess } from './support/processes.js';
import { buildProduct, type Product } from './support/product.js';
import { until } from './support/wait.js';

const WITHIN_MS = 300_000;
/** Hardly ever cut by the test itself: here it is processes that end. */
const CUT_EVERY_MS = 2_500;
const CUT_AFTER_EVENTS = 10_000;
const BETWEEN_KILLS = 25;

let product: Product;
let database: FreshDatabase;
let sandboxes: RunningSandboxes;
let pool: pg.Pool;
const shared = {
  masterKey: randomBytes(32).toString('base64'),
  bootstrapKey: `bootstrap-${randomBytes(16).toString('hex')}`,
};
const processes: ProductProcess[] = [];

beforeAll(async () => {
  [product, database] = await Promise.all([buildProduct(), emptyDatabase()]);
  pool = new pg.Pool({ connectionString: database.connectionString, max: 2, application_name: 'two-by-two' });
  const scenario = { kind: 'month', seed: 6, month: '2026-10', purchases: 250 } as const;
  sandboxes = await startSandboxes({ which: ['brex', 'syspro'], scenario });
}, WITHIN_MS);
afterAll(async () => {
  for (const one of processes.reverse()) await one.stop();
  await sandboxes?.close();
  await pool?.end();
  await database?.drop();
  product?.remove();
}, WITHIN_MS);

function start(role: 'api' | 'worker', name: string): ProductProcess {
  const started = ProductProcess.start(product, { ...shared, databaseUrl: database.connectionString, role, name });
  processes.push(started);
  return started;
}

async function kill(one: ProductProcess): Promise<void> {
  one.signal('SIGKILL');
  expect(await one.ended).toEqual({ code: null, signal: 'SIGKILL' });
}

async function count(sql: string): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(`select count(*)::int as n from ${sql}`);
  return rows[0]?.n ?? 0;
}

it(
  'any of two APIs and two workers may be killed in mid-run: each document once, and a subscription that goes on',
  async () => {
    const { brex, syspro } = sandboxes;
    if (!brex || !syspro) throw new Error('Both sandboxes were asked for.');
    syspro.sandbox.faults.set([{ match: 'Transaction/Post', kind: 'SLOW', delayMs: 40 }]);
    // All at once on a database without a table: migrations, queues and the first key are made once.
    const [apiOne, apiTwo] = [start('api', 'api-1'), start('api', 'api-2')];
    const workers = [start('worker', 'worker-1'), start('worker', 'worker-2')];
    const urls = [await apiOne.ready, await apiTwo.ready];
    await Promise.all(workers.map((worker) => worker.ready));
    const client = new GatewayClient(urls[1] ?? '', shared.bootstrapKey);
    const { pipelineId } = await connectFlow(client, {
      ...{ brex: brex.access, syspro: syspro.access },
      sysproSettings: { settlingSeconds: 1, submitTimeoutSeconds: 3 },
    });

    const listener = new EventListener(urls, shared.bootstrapKey, CUT_EVERY_MS, CUT_AFTER_EVENTS);
    listener.start();
    try {
      await triggerSync(client, pipelineId);
      const posted = () => count(`postings where status = 'POSTED'`);
      const unsent = () => count(`postings where status in ('READY', 'POSTING', 'IN_DOUBT')`);
      for (const [index, victim] of [workers[0], apiOne, workers[1], apiTwo].entries()) {
        await until(`document ${BETWEEN_KILLS * (index + 1)}`, WITHIN_MS, async () => {
          return (await posted()) >= BETWEEN_KILLS * (index + 1);
        });
        expect(await unsent(), `work is left when process ${index} dies`).toBeGreaterThan(0);
        if (victim) await kill(victim);
        const next = start(index % 2 === 0 ? 'worker' : 'api', `next-${index}`);
        const url = await next.ready;
        // The address of the one that is gone is nobody's any more.
        if (url !== '') urls[Math.floor(index / 2)] = url;
      }
      await until('nothing left to do', WITHIN_MS, async () => {
        const runs = await count(`sync_runs where status in ('QUEUED', 'RUNNING')`);
        return runs === 0 && (await count(`postings where status = 'PLANNED'`)) === 0 && (await unsent()) === 0;
      });
      const { rows: all } = await pool.query<SeenEvent>(
        `select sequence::text as cursor, previous_status as "previousStatus", status, posting_id as "postingId"
         from posting_events order by sequence`,
      );
      await until('every event seen', 30_000, () => listener.seen.length >= all.length);
      expect(listener.seen).toEqual(all);
    } finally {
      await listener.stop();
    }

    const { rows } = await pool.query<{ reference: string }>(`select reference from postings where status = 'POSTED'`);
    const inLedger = syspro.sandbox.ledger.journals().map((journal) => journal.reference);
    expect([...inLedger].sort()).toEqual(rows.map(({ reference }) => reference).sort());
    expect(new Set(inLedger).size).toBe(inLedger.length);
    expect(inLedger.length).toBeGreaterThan(BETWEEN_KILLS * 4);
    expect(await count('(select name from migrations group by name having count(*) > 1) as twice')).toBe(0);
  },
  WITHIN_MS * 2,
);
