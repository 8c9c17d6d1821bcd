import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Tasks } from '../../../src/jobs/tasks/index.js';
import { Gate, makeTestEngine, type TestEngine } from '../../support/engine.js';
import { type Node, quiet, startNode } from './nodes.js';

// A surprise here means two hands on one ledger, or a worker that sleeps while jobs wait.

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

async function start(count: number, tasks: Partial<Tasks>): Promise<Node> {
  nodes.push(...(await Promise.all(Array.from({ length: count }, () => startNode(base, { tasks })))));
  return nodes[0] as Node;
}

describe('jobs of one key', () => {
  it('never run side by side over two processes and keep their order; others do run side by side', async () => {
    const running = new Map<string, number>();
    const order: string[] = [];
    let most = 0;
    let overlapping = 0;
    const node = await start(2, {
      'webhook.process': async (_context, { systemId, messageId }) => {
        running.set(systemId, (running.get(systemId) ?? 0) + 1);
        if ((running.get(systemId) ?? 0) > 1) overlapping += 1;
        most = Math.max(
          most,
          [...running.values()].reduce((sum, n) => sum + n, 0),
        );
        if (systemId === 'system-0') order.push(messageId);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running.set(systemId, (running.get(systemId) ?? 0) - 1);
      },
    });
    // Sent to the engine itself: our own sender would fold those of one key.
    const messages = Array.from({ length: 15 }, (_, index) => String(index).padStart(2, '0'));
    for (const messageId of messages) {
      for (const systemId of ['system-0', 'system-1', 'system-2', 'system-3']) {
        const payload = { tenantId: 'default', systemId, messageId };
        await node.queue.boss.send('webhook.process', payload, { singletonKey: `default/${systemId}` });
      }
    }
    await quiet(base);
    expect(overlapping).toBe(0);
    expect(order).toEqual(messages);
    expect(most).toBeGreaterThan(1);
  });

  it('that are short and many do not wait for the next poll', async () => {
    // 8 workers of 2 processes that slept out their poll interval of 2 s after each job would need it 25 times over.
    const done = new Set<string>();
    const all = new Gate();
    const node = await start(2, {
      'ledger.drain': async (_context, { ledgerId }) => {
        done.add(ledgerId);
        if (done.size === 200) all.open();
      },
    });
    await node.db.tenant('default', async (tx) => {
      for (let index = 0; index < 200; index += 1) {
        await node.queue.send(tx, 'ledger.drain', { tenantId: 'default', ledgerId: `ledger-${index}` });
      }
    });
    let alarm: NodeJS.Timeout | undefined;
    const winner = await Promise.race([
      all.opened.then(() => 'jobs'),
      new Promise<string>((resolve) => {
        alarm = setTimeout(() => resolve('alarm'), 30_000);
      }),
    ]);
    clearTimeout(alarm);
    expect(winner).toBe('jobs');
  }, 60_000);
});
