// A dashboard on a bad line: cut off again and again without a word, coming back to another process each time. What would
// surprise: an event that fell between two connections, one that is shown twice, or two that changed places.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningSandboxes, startSandboxes } from '../../src/sandbox/start.js';
import { type FreshDatabase, freshDatabase } from '../support/database.js';
import { EventListener, type SeenEvent } from './support/eventListener.js';
import { connectFlow, GatewayClient, triggerSync } from './support/gateway.js';
import { ProductProcess } from './support/processes.js';
import { buildProduct, type Product } from './support/product.js';
import { until } from './support/wait.js';

const WITHIN_MS = 300_000;
const CUT_EVERY_MS = 1_000;
/** So that a fast machine is cut often too. */
const CUT_AFTER_EVENTS = 60;

let product: Product;
let database: FreshDatabase;
let sandboxes: RunningSandboxes;
let pool: pg.Pool;
const processes: ProductProcess[] = [];

beforeAll(async () => {
  product = await buildProduct();
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.connectionString, max: 2, application_name: 'resume-test' });
  const scenario = { kind: 'month', seed: 5, month: '2026-10', purchases: 250 } as const;
  sandboxes = await startSandboxes({ which: ['brex', 'syspro'], scenario });
}, WITHIN_MS);
afterAll(async () => {
  for (const one of processes.reverse()) await one.stop();
  await sandboxes.close();
  await pool.end();
  await database.drop();
  product.remove();
}, WITHIN_MS);

async function settledEvents(): Promise<SeenEvent[] | null> {
  const open = await pool.query(
    `select from sync_runs where status in ('QUEUED', 'RUNNING')
     union all select from postings where status in ('PLANNED', 'READY', 'POSTING', 'IN_DOUBT') limit 1`,
  );
  if (open.rowCount !== 0) return null;
  const { rows } = await pool.query<SeenEvent>(
    `select sequence::text as cursor, previous_status as "previousStatus", status, posting_id as "postingId"
     from posting_events order by sequence`,
  );
  return rows;
}

it(
  'a subscriber that is cut off every second and goes on at another process sees every event once, in order',
  async () => {
    const { brex, syspro } = sandboxes;
    if (!brex || !syspro) throw new Error('Both sandboxes were asked for.');
    syspro.sandbox.faults.set([{ match: 'Transaction/Post', kind: 'SLOW', delayMs: 15 }]);
    const shared = {
      databaseUrl: database.connectionString,
      masterKey: randomBytes(32).toString('base64'),
      bootstrapKey: `bootstrap-${randomBytes(16).toString('hex')}`,
    };
    const start = (role: 'api' | 'worker', name: string) => {
      const started = ProductProcess.start(product, { ...shared, role, name });
      processes.push(started);
      return started;
    };
    const apis = [start('api', 'api-1'), start('api', 'api-2'), start('worker', 'worker')] as const;
    const urls = [await apis[0].ready, await apis[1].ready];
    const client = new GatewayClient(urls[0] ?? '', shared.bootstrapKey);
    const { pipelineId } = await connectFlow(client, { brex: brex.access, syspro: syspro.access });

    const listener = new EventListener(urls, shared.bootstrapKey, CUT_EVERY_MS, CUT_AFTER_EVENTS);
    listener.start();
    try {
      await triggerSync(client, pipelineId);
      const first = await until('a posting at all', WITHIN_MS, () => listener.seen.length > 0);
      expect(first).toBe(true);
      const all = await until('every posting settled', WITHIN_MS, settledEvents);
      await until('every event seen', 30_000, () => listener.seen.length >= all.length);
      expect(listener.seen).toEqual(all);
      expect(all.filter((event) => event.status === 'POSTED').length).toBeGreaterThan(150);
      expect(listener.cuts).toBeGreaterThan(3);
      expect(listener.errors).toEqual([]);
    } finally {
      await listener.stop();
    }
  },
  WITHIN_MS,
);
