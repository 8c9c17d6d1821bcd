import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobPayloads } from '../../../src/services/engine.js';
import { Gate, makeTestEngine, type TestEngine } from '../../support/engine.js';
import { type Node, openJobs, quiet, startNode, until } from './nodes.js';

// A surprise here is a change that nobody works on: its job was rolled back, or folded into one that had looked already.

const drain = (ledgerId: string): JobPayloads['ledger.drain'] => ({ tenantId: 'default', ledgerId });

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

describe('a job', () => {
  it('is there exactly when the transaction that makes it necessary commits', async () => {
    const seen: string[] = [];
    const node = await start({
      tasks: { 'ledger.drain': async (_context, payload) => void seen.push(payload.ledgerId) },
    });
    const rolledBack = node.db.tenant('default', async (tx) => {
      await node.queue.send(tx, 'ledger.drain', drain('never'));
      throw new Error('changed my mind');
    });
    await expect(rolledBack).rejects.toThrow('changed my mind');

    const isSent = new Gate();
    const mayCommit = new Gate();
    const sending = node.db.tenant('default', async (tx) => {
      await node.queue.send(tx, 'ledger.drain', drain('uncommitted'));
      isSent.open();
      await mayCommit.opened;
    });
    await isSent.opened;
    expect(await openJobs(base)).toEqual([]);
    // Another job goes all the way through the queue, and the first one still has not started.
    await node.send('ledger.drain', drain('other'));
    await until(async () => seen.includes('other'));
    expect(seen).toEqual(['other']);
    mayCommit.open();
    await sending;
    await until(async () => seen.includes('uncommitted'));
    await quiet(base);
    expect(seen).toEqual(['other', 'uncommitted']);
  });

  it('that did not start yet stands for all that come after it', async () => {
    const node = await start({ works: false });
    const sends = Array.from({ length: 1_000 }, () => () => node.send('ledger.drain', drain('ledger')));
    // As many at once as the pool has connections: each may add one while the others have theirs locked.
    while (sends.length > 0) await Promise.all(sends.splice(0, 50).map((send) => send()));
    const jobs = await openJobs(base);
    expect(jobs.length).toBeGreaterThan(0);
    expect(jobs.length).toBeLessThanOrEqual(12);
  });

  it('that starts later does not stand for one that is needed now, and one that is needed now stands for both', async () => {
    const node = await start({ works: false });
    const later = new Date(Date.now() + 3_600_000);
    await node.send('ledger.drain', drain('ledger'), { startAfter: later });
    await node.send('ledger.drain', drain('ledger'), { startAfter: later });
    expect(await openJobs(base)).toHaveLength(1);
    await node.send('ledger.drain', drain('ledger'));
    expect(await openJobs(base)).toHaveLength(2);
    await node.send('ledger.drain', drain('ledger'), { startAfter: later });
    await node.send('ledger.drain', drain('ledger'));
    expect(await openJobs(base)).toHaveLength(2);
  });

  it('that is about to start while others change what it works on misses none of the changes', async () => {
    // Each sender writes a row and sends in one transaction; the job counts the rows that it can see. Whenever a send was
    // folded into a job that had looked before the row was there, a row stays unseen after everything is quiet.
    const owner = await start({ works: false });
    await owner.db.engine((tx) =>
      tx.query(
        'create table changes (id bigserial primary key, key text not null, seen boolean not null default false)',
      ),
    );
    await owner.db.engine((tx) => tx.query('grant select, insert on changes to ledgergate_app'));
    await owner.db.engine((tx) => tx.query('grant usage on sequence changes_id_seq to ledgergate_app'));
    let ran = 0;
    const tasks = {
      'ledger.drain': async ({ engine }: { engine: { db: Node['db'] } }, { ledgerId }: JobPayloads['ledger.drain']) => {
        ran += 1;
        await engine.db.engine((tx) =>
          tx.execute('update changes set seen = true where key = $1 and not seen', [ledgerId]),
        );
      },
    };
    await start({ tasks });
    await start({ tasks });
    const rounds = 120;
    const keys = ['a', 'b', 'c'];
    const sender = async (node: Node, offset: number): Promise<void> => {
      for (let round = 0; round < rounds; round += 1) {
        const key = keys[(round + offset) % keys.length] ?? 'a';
        await node.db.tenant('default', async (tx) => {
          // Before and after the change: the promise holds for either order.
          if (round % 2 === 0) await node.queue.send(tx, 'ledger.drain', drain(key));
          await tx.execute('insert into changes (key) values ($1)', [key]);
          if (round % 2 === 1) await node.queue.send(tx, 'ledger.drain', drain(key));
        });
      }
    };
    await Promise.all(nodes.flatMap((node, index) => [sender(node, index), sender(node, index + 1)]));
    await quiet(base);
    const [counts] = await base.rows(
      'select count(*)::int as all, count(*) filter (where not seen)::int as unseen from changes',
    );
    expect(counts).toEqual({ all: rounds * 6, unseen: 0 });
    expect(ran).toBeLessThan(rounds * 6);
  });
});

describe('the queues', () => {
  it('are set up by processes that start at the same moment', async () => {
    const started = await Promise.all(Array.from({ length: 6 }, () => startNode(base, { works: false })));
    nodes.push(...started);
    const rows = await base.rows<{ name: string }>('select name from pgboss.queue order by name');
    expect(rows.map((row) => row.name)).toEqual(
      expect.arrayContaining([
        'dead.letters',
        'ledger.attach',
        'ledger.drain',
        'plan.pipeline',
        'source.masterData',
        'source.receipts',
        'source.report',
        'sync.run',
        'webhook.process',
      ]),
    );
  });
});
