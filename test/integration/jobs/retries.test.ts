import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvariantError } from '../../../src/errors.js';
import type { Tasks } from '../../../src/jobs/tasks/index.js';
import { Gate, makeTestEngine, type TestEngine } from '../../support/engine.js';
import { type Node, openJobs, quiet, startNode, until } from './nodes.js';

// A surprise here means a queue that stands still behind one failing job, or a failure that nobody hears of.

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

describe('a job that fails', () => {
  it('is tried again and shown until it works, while other keys go on', async () => {
    let tries = 0;
    const others = new Set<string>();
    const mayWork = new Gate();
    let isMended = false;
    const node = await start(2, {
      'ledger.drain': async (_context, { ledgerId }) => {
        if (ledgerId !== 'broken') {
          others.add(ledgerId);
          return;
        }
        tries += 1;
        if (!isMended) throw new InvariantError('The books are upside down.');
        await mayWork.opened;
      },
    });
    await node.send('ledger.drain', { tenantId: 'default', ledgerId: 'broken' });
    const alerts = () =>
      base.rows<{ code: string; severity: string; message: string; resolved_by: string | null }>(
        'select code, severity, message, resolved_by from alerts order by raised_at',
      );
    await hurry(async () => tries >= 2);
    for (const ledgerId of ['a', 'b', 'c']) await node.send('ledger.drain', { tenantId: 'default', ledgerId });
    await until(async () => others.size === 3);
    const message = 'ledger.drain failed and will be tried again: The books are upside down.';
    expect(await alerts()).toEqual([{ code: 'JOB_FAILED', severity: 'CRITICAL', message, resolved_by: null }]);
    // The success of other ledgers is not this one's; its own is.
    isMended = true;
    mayWork.open();
    await hurry(async () => (await openJobs(base)).length === 0);
    expect(await alerts()).toMatchObject([{ resolved_by: 'system:jobs' }]);
    expect(await base.rows('select 1 from job_claims')).toEqual([]);
  });

  it('for a reason that nobody foresaw is shown from the third time on', async () => {
    let tries = 0;
    const counts: number[] = [];
    const node = await start(1, {
      'source.report': async () => {
        const rows = await base.rows('select 1 from alerts');
        counts.push(rows.length);
        tries += 1;
        if (tries < 4) throw new TypeError('undefined is not a function');
      },
    });
    await node.send('source.report', { tenantId: 'default', sourceId: 'source' });
    await hurry(async () => tries >= 4);
    await quiet(base);
    expect(counts).toEqual([0, 0, 0, 1]);
    expect(await base.rows('select message, resolved_by from alerts')).toEqual([
      {
        message: 'source.report failed and will be tried again: An unexpected error; see the log.',
        resolved_by: 'system:jobs',
      },
    ]);
  });

  it('stays in the queue for months, however often it fails, and a retry comes within minutes', async () => {
    const node = await start(1, {});
    for (const name of [
      'sync.run',
      'plan.pipeline',
      'ledger.drain',
      'source.report',
      'source.receipts',
      'ledger.attach',
      'source.masterData',
      'webhook.process',
    ]) {
      const queue = await node.queue.boss.getQueue(name);
      expect(queue).toMatchObject({ policy: 'key_strict_fifo', retryBackoff: true });
      const limit = queue?.retryLimit ?? 0;
      const pause = queue?.retryDelayMax ?? 0;
      expect(pause).toBeLessThanOrEqual(300);
      // At half the longest pause each, the least that chance gives.
      expect((limit * pause) / 2).toBeGreaterThan(60 * 86_400);
    }
  });
});

describe('a job with a time to start', () => {
  it('is started then, by itself', async () => {
    const ran = new Gate();
    let startedAt = 0;
    const node = await start(1, {
      'ledger.drain': async () => {
        startedAt = Date.now();
        ran.open();
      },
    });
    const startAfter = new Date(Date.now() + 1_500);
    await node.send('ledger.drain', { tenantId: 'default', ledgerId: 'later' }, { startAfter });
    expect(await openJobs(base)).toHaveLength(1);
    await ran.opened;
    expect(startedAt).toBeGreaterThanOrEqual(startAfter.getTime());
  });
});

/** Lets what waits for its backoff start now, so that the test does not wait for it. */
async function hurry(isOver: () => Promise<boolean>): Promise<void> {
  await until(async () => {
    await base.rows(`update pgboss.job set start_after = now() where state = 'retry' returning 1`);
    return isOver();
  });
}
