import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasWorker, OrphanWatch } from '../../../src/services/processes.js';
import { Gate, makeTestEngine, type TestEngine } from '../../support/engine.js';
import { cut, type Node, quiet, startNode, until } from './nodes.js';

// A surprise here means that the work of a dead process lies there for minutes, or that a process that lives is robbed of
// its work over and over.

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

const drain = { tenantId: 'default', ledgerId: 'ledger' } as const;
const processes = async () => (await base.rows<{ id: string }>('select id from processes')).map((row) => row.id);
const claims = () => base.rows<{ job_id: string; process_id: string }>('select job_id, process_id from job_claims');

describe('a process that lives but loses its presence connection', () => {
  it('is back in the list with its lock and keeps its job', async () => {
    let starts = 0;
    const started = new Gate();
    const mayEnd = new Gate();
    const tasks = {
      'ledger.drain': async () => {
        starts += 1;
        started.open();
        await mayEnd.opened;
      },
    };
    const owner = await start({ tasks });
    await owner.send('ledger.drain', drain);
    await started.opened;
    await start({ tasks });
    const before = await claims();
    // All of them at once, as when a network fails; more than once, as networks do.
    for (let round = 0; round < 3; round += 1) {
      expect(await cut(base.connectionString, ['ledgergate-presence'])).toBeGreaterThan(0);
      await until(async () => (await holders()) === 3);
    }
    expect(await processes()).toContain(owner.engine.processId);
    expect(await claims()).toEqual(before);
    expect(starts).toBe(1);
    mayEnd.open();
    await quiet(base);
    expect(starts).toBe(1);
  });

  it('is listed again when it stayed away too long, and is not robbed of its next jobs', async () => {
    const node = await start({ works: false });
    await base.rows('delete from processes where id = $1 returning 1', [node.engine.processId]);
    await cut(base.connectionString, ['ledgergate-presence']);
    await until(async () => (await processes()).includes(node.engine.processId));
    await base.rows(
      `insert into job_claims (job_id, queue, process_id, claimed_at) values ('job', 'ledger.drain', $1, now()) returning 1`,
      [node.engine.processId],
    );
    await until(async () => (await holders()) === 2);
    const watch = new OrphanWatch(node.db, 0);
    expect(await watch.look()).toEqual([]);
    expect(await watch.look()).toEqual([]);
    expect(await hasWorker(node.db)).toBe(true);
  });

  it('stops what it was doing when its job was given to another one all the same', async () => {
    const started = new Gate();
    const toldToStop = new Gate();
    let isRobbed = false;
    const node = await start({
      tasks: {
        'ledger.drain': async ({ isStopping }) => {
          if (isRobbed) return;
          started.open();
          await until(async () => isStopping());
          toldToStop.open();
        },
      },
    });
    await node.send('ledger.drain', drain);
    await started.opened;
    const [claim] = await claims();
    isRobbed = true;
    await base.rows(`update job_claims set process_id = 'somebody who died' returning 1`);
    await toldToStop.opened;
    await quiet(base);
    expect(claim?.process_id).toBe(node.engine.processId);
    expect(await claims()).toEqual([]);
  });
});

describe('the watch for orphans', () => {
  it('gives a process that is missing its whole grace, anew after every return', async () => {
    const node = await start({ works: false });
    await base.rows(
      `insert into processes (id, lock_key, host, pid, roles, started_at) values ('gone', 42, 'here', 1, 'worker', now()) returning 1`,
    );
    await base.rows(
      `insert into job_claims (job_id, queue, process_id, claimed_at) values ('job', 'ledger.drain', 'gone', now()) returning 1`,
    );
    const patient = new OrphanWatch(node.db, 3_600_000);
    expect(await patient.look()).toEqual([]);
    expect(await patient.look()).toEqual([]);
    expect(await processes()).toContain('gone');
    const strict = new OrphanWatch(node.db, 0);
    expect(await strict.look()).toEqual([{ queue: 'ledger.drain', jobId: 'job' }]);
    expect(await processes()).not.toContain('gone');
  });
});

describe('a job whose process died', () => {
  it('starts at once although the job engine missed the heartbeat first and made it wait', async () => {
    const node = await start({ works: false });
    await node.send('ledger.drain', drain);
    const [job] = await base.rows<{ id: string }>(
      `update pgboss.job set state = 'retry', retry_count = 8, start_after = now() + interval '5 minutes'
       where name = 'ledger.drain' returning id`,
    );
    await base.rows(
      `insert into job_claims (job_id, queue, process_id, claimed_at) values ($1, 'ledger.drain', 'gone', now()) returning 1`,
      [job?.id],
    );
    const begun = new Gate();
    await start({ tasks: { 'ledger.drain': async () => begun.open() } });
    await begun.opened;
    await quiet(base);
    expect(await claims()).toEqual([]);
  });
});

describe('a database that cuts every connection', () => {
  it('in the middle of work only delays it', async () => {
    const done = new Set<string>();
    const half = new Gate();
    const tasks = {
      'ledger.drain': async (context: { engine: { db: Node['db'] } }, { ledgerId }: { ledgerId: string }) => {
        await context.engine.db.engine((tx) => tx.query('select pg_sleep(0.05)'));
        done.add(ledgerId);
        if (done.size === 20) half.open();
      },
    };
    const node = await start({ tasks });
    await start({ tasks });
    for (let index = 0; index < 60; index += 1) {
      await node.send('ledger.drain', { tenantId: 'default', ledgerId: `ledger-${index}` });
    }
    await half.opened;
    const names = ['ledgergate', 'ledgergate-jobs', 'ledgergate-presence'];
    expect(await cut(base.connectionString, names)).toBeGreaterThan(5);
    // Which job had its answer cut off is chance; its retry need not be waited for.
    await until(async () => {
      const client = await base
        .rows(`update pgboss.job set start_after = now() where state = 'retry' returning 1`)
        .catch(() => null);
      return client !== null && done.size === 60;
    });
    await quiet(base);
    await until(async () => (await holders()) === 3);
    expect(done.size).toBe(60);
  }, 60_000);
});

/** How many processes of ours hold their lock. */
async function holders(): Promise<number> {
  const [row] = await base.rows<{ n: number }>(
    `select count(*)::int as n from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and a.application_name = 'ledgergate-presence'
       and a.datname = current_database()`,
  );
  return row?.n ?? 0;
}
