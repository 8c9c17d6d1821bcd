import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildProduct, type Product } from '../../scenarios/support/product.js';
import { makeTestEngine, type TestEngine } from '../../support/engine.js';
import { type Node, quiet, startNode } from './nodes.js';

// A surprise here means that the work of a dead process lies there for minutes, or is done twice.

let base: TestEngine;
let nodes: Node[];

beforeEach(async () => {
  base = await makeTestEngine();
  nodes = [];
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await base.close();
});

async function start(...args: Parameters<typeof startNode> extends [unknown, ...infer R] ? R : never): Promise<Node> {
  const node = await startNode(base, ...args);
  nodes.push(node);
  return node;
}

const processes = async () => (await base.rows<{ id: string }>('select id from processes')).map((row) => row.id);
const claims = () => base.rows<{ job_id: string; process_id: string }>('select job_id, process_id from job_claims');

describe('a process that is killed in the middle of a job', () => {
  let product: Product;
  let child: ChildProcess | null = null;

  beforeAll(async () => {
    product = await buildProduct();
    writeFileSync(join(product.folder, 'victim.mjs'), VICTIM);
  }, 120_000);
  afterEach(() => child?.kill('SIGKILL'));
  afterAll(() => product?.remove());

  it('loses it to another one, which does it once', async () => {
    const order: string[] = [];
    child = spawn(process.execPath, [join(product.folder, 'victim.mjs')], {
      env: { ...process.env, VICTIM_DATABASE: base.connectionString },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('ready');
    const sender = await start({ works: false });
    await sender.queue.boss.send('webhook.process', message('first'), { singletonKey: 'default/system' });
    expect((await lines.next()).value).toBe('started first');
    await sender.queue.boss.send('webhook.process', message('second'), { singletonKey: 'default/system' });
    await start({ tasks: { 'webhook.process': async (_context, { messageId }) => void order.push(messageId) } });
    const victims = await claims();
    expect(victims).toHaveLength(1);

    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await quiet(base);
    // Each once, and what was interrupted keeps its place before what came later.
    expect(order).toEqual(['first', 'second']);
    expect(await claims()).toEqual([]);
    expect(await processes()).not.toContain(victims[0]?.process_id);
  });
});

const message = (messageId: string) => ({ tenantId: 'default', systemId: 'system', messageId });

/** A process of ours that says when a job has begun and never ends it. */
const VICTIM = `
import { createDataSource } from './dist/entities/dataSource.js';
import { Database } from './dist/entities/database.js';
import { JobQueue } from './dist/jobs/queue.js';
import { Worker } from './dist/jobs/worker.js';
import { createLogger } from './dist/logger.js';
import { Presence } from './dist/services/processes.js';

const connectionString = process.env.VICTIM_DATABASE;
const db = new Database(await createDataSource({ connectionString }).initialize());
const logger = createLogger('silent');
const queue = await JobQueue.start(connectionString, db, logger);
const clock = { now: () => new Date() };
await new Presence(db, connectionString, 'victim', 4711n, logger).start(['worker'], clock.now());
const tasks = {
  'webhook.process': async (_context, { messageId }) => {
    process.stdout.write('started ' + messageId + '\\n');
    await new Promise(() => {});
  },
};
await new Worker({ db, clock, logger, processId: 'victim' }, queue, db, tasks).start();
process.stdout.write('ready\\n');
`;
