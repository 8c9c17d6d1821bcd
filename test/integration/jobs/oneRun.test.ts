import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerDocument } from '../../../src/connectors/contract.js';
import { localDate } from '../../../src/domain/localDate.js';
import { drainLedger } from '../../../src/services/drain.js';
import { fireSchedule } from '../../../src/services/schedules.js';
import { runSync } from '../../../src/services/syncRunner.js';
import { triggerSync } from '../../../src/services/syncs.js';
import {
  type Company,
  callerOf,
  done,
  Gate,
  makeCompany,
  makeTestEngine,
  type TestEngine,
} from '../../support/engine.js';
import { views } from '../../support/fakes.js';
import { type Node, quiet, startNode, until } from './nodes.js';

// A surprise here means double work or lost work: two runs that read the same window at once, a trigger that nobody
// answers, or a run that never ends and swallows every later trigger.

let base: TestEngine;
let company: Company;
let nodes: Node[];

beforeEach(async () => {
  base = await makeTestEngine();
  company = await makeCompany(base);
  nodes = [];
});

afterEach(async () => {
  base.source.onRead = null;
  base.ledger.onSubmit = null;
  await Promise.all(nodes.map((node) => node.stop()));
  await base.close();
});

async function start(count: number, works = true): Promise<Node[]> {
  nodes.push(...(await Promise.all(Array.from({ length: count }, () => startNode(base, { works })))));
  return nodes;
}

function trigger(node: Node, window: { from?: Date; to?: Date } = {}, actor = 'user:test') {
  return triggerSync(node.engine, callerOf('default', actor), {
    pipelineId: company.pipelineId,
    dryRun: false,
    ...window,
  });
}

const runs = () =>
  base.rows<{ id: string; status: string; again: boolean; error: string | null; records_read: number }>(
    'select id, status, again, error, records_read from sync_runs order by created_at, id',
  );

const ended = () =>
  until(async () => {
    const rows = await runs();
    return rows.length > 0 && rows.every((row) => !['QUEUED', 'RUNNING'].includes(row.status)) ? rows : null;
  });

function firstReads(): number {
  return base.source.reads.filter((read) => read.stream === 'CARD_TRANSACTIONS' && read.cursor === null).length;
}

/** Holds the first page of card transactions until it is opened. */
function holdFirstRead(): { arrived: Gate; go: Gate } {
  const arrived = new Gate();
  const go = new Gate();
  base.source.onRead = async ({ stream }) => {
    if (stream !== 'CARD_TRANSACTIONS') return;
    arrived.open();
    await go.opened;
  };
  return { arrived, go };
}

describe('triggers', () => {
  it('of three kinds at once, over two processes, start one run', async () => {
    await start(2, false);
    const [a, b] = nodes as [Node, Node];
    base.source.put(views('1', '10.00').record);
    const fireAt = new Date('2026-11-20T06:00:00Z');
    const outcomes = await Promise.all([
      trigger(a),
      trigger(b, {}, 'webhook:brex'),
      fireSchedule(a.engine, 'default', company.pipelineId, fireAt),
      fireSchedule(b.engine, 'default', company.pipelineId, fireAt),
      trigger(b),
      trigger(a, {}, 'webhook:brex'),
    ]);
    const rows = await runs();
    expect(rows).toHaveLength(1);
    expect([done(outcomes[0]).id, done(outcomes[1]).id, done(outcomes[4]).id]).toEqual(Array(3).fill(rows[0]?.id));
    // One of the two that fired was the first.
    expect([outcomes[2], outcomes[3]].filter(Boolean)).toHaveLength(1);

    await start(2);
    await ended();
    await quiet(base);
    expect(firstReads()).toBe(1);
    expect(base.ledger.documents).toHaveLength(1);
  });

  it('a fire time that many processes saw starts one run, and the next fire time another', async () => {
    await start(3);
    const at = (minute: number) => new Date(Date.UTC(2026, 10, 20, 6, minute));
    for (const minute of [0, 1]) {
      const fired = await Promise.all(
        nodes.map((node, index) =>
          fireSchedule(node.engine, 'default', company.pipelineId, new Date(at(minute).getTime() + index * 300)),
        ),
      );
      expect(fired.filter(Boolean)).toHaveLength(1);
      await ended();
    }
    const rows = await runs();
    expect(rows).toHaveLength(2);
  });

  it('one that arrives while the run is reading makes the same run read once more', async () => {
    const [a, b] = (await start(2)) as [Node, Node];
    const { arrived, go } = holdFirstRead();
    const { id } = done(await trigger(a));
    await arrived.opened;
    // What is new meanwhile comes after the page that is being read.
    const again = await Promise.all([trigger(b), trigger(a), trigger(b, {}, 'webhook:brex')]);
    expect(again.map((outcome) => done(outcome).id)).toEqual([id, id, id]);
    base.source.onRead = null;
    go.open();
    const rows = await ended();
    await quiet(base);
    expect(rows.map((row) => row.status)).toEqual(['SUCCEEDED']);
    expect(firstReads()).toBe(2);
  });

  it('one that arrives while the run waits for its postings is answered, and the run still ends', async () => {
    const [a, b] = (await start(2)) as [Node, Node];
    const atLedger = new Gate();
    const go = new Gate();
    base.ledger.onSubmit = async (_document: LedgerDocument, moment) => {
      if (moment !== 'ARRIVED') return;
      atLedger.open();
      await go.opened;
    };
    base.source.put(views('1', '10.00').record);
    const { id } = done(await trigger(a));
    await atLedger.opened;
    base.source.put(views('2', '20.00').record);
    expect(done(await trigger(b)).id).toBe(id);
    await until(async () => (firstReads() === 2 ? true : null));
    base.ledger.onSubmit = null;
    go.open();
    const rows = await ended();
    await quiet(base);
    expect(rows).toMatchObject([{ id, status: 'SUCCEEDED', again: false }]);
    expect(base.ledger.documents).toHaveLength(2);
    // And the pipeline is not stuck: the next trigger is a new run.
    expect(done(await trigger(a)).id).not.toBe(id);
    await ended();
  });

  it('of different windows run side by side', async () => {
    const [a] = (await start(2)) as [Node, Node];
    let inside = 0;
    const both = new Gate();
    base.source.onRead = async ({ stream }) => {
      if (stream !== 'CARD_TRANSACTIONS') return;
      inside += 1;
      if (inside === 2) both.open();
      await both.opened;
    };
    const from = new Date('2026-11-01T00:00:00Z');
    await Promise.all([trigger(a), trigger(a, { from })]);
    await both.opened;
    await ended();
    expect(await runs()).toHaveLength(2);
  });
});

describe('two processes that take each other for dead', () => {
  it('may run one sync side by side: every purchase is stored and planned once', async () => {
    const [a, b] = (await start(2, false)) as [Node, Node];
    base.source.pageSize = 5;
    base.source.put(
      ...Array.from({ length: 40 }, (_, i) => views(String(i), `${i + 1}.00`)).flatMap((one) => [
        one.card,
        one.expense,
        one.record,
      ]),
    );
    const { id } = done(await trigger(a));
    const go = { isStopping: () => false };
    await Promise.all([runSync(a.engine, 'default', id, go), runSync(b.engine, 'default', id, go)]);
    const [counts] = await base.rows(
      `select (select count(*)::int from spend_records where status <> 'JOINED') as records, (select count(*)::int from postings) as postings,
         (select count(*)::int from planning_queue) as waiting`,
    );
    expect(counts).toEqual({ records: 40, postings: 40, waiting: 0 });
    await start(2);
    expect(await ended()).toMatchObject([{ status: 'SUCCEEDED' }]);
    await quiet(base);
    expect(base.ledger.documents).toHaveLength(40);
  });

  it('may drain one ledger side by side: every document is there once', async () => {
    const [a, b] = (await start(2, false)) as [Node, Node];
    base.source.put(...Array.from({ length: 60 }, (_, i) => views(String(i), `${i + 1}.00`).record));
    const { id } = done(await trigger(a));
    await runSync(a.engine, 'default', id, { isStopping: () => false });
    const go = { isStopping: () => false };
    const drains = [a, b, a, b].map((node) => drainLedger(node.engine, 'default', company.ledgerId, go));
    await Promise.all(drains);
    const references = base.ledger.documents.map((document) => document.reference);
    expect(references).toHaveLength(60);
    expect(new Set(references).size).toBe(60);
    const [state] = await base.rows(
      `select count(*)::int as posted from postings where status = 'POSTED' and lease_owner is null`,
    );
    expect(state).toEqual({ posted: 60 });
  });
});

describe('a process that stops', () => {
  it('hands a run that it was reading to the next one, which ends it whole', async () => {
    const [a] = (await start(1)) as [Node];
    base.source.pageSize = 1;
    base.source.put(
      ...['1', '2', '3', '4'].map((name) => views(name, '10.00', { postedDate: localDate('2026-11-12') }).record),
    );
    const { arrived, go } = holdFirstRead();
    const { id } = done(await trigger(a));
    await arrived.opened;
    const stopped = a.stop();
    base.source.onRead = null;
    go.open();
    await stopped;
    expect(await runs()).toMatchObject([{ id, status: 'RUNNING' }]);
    await start(1);
    expect(await ended()).toMatchObject([{ id, status: 'SUCCEEDED', error: null }]);
    await quiet(base);
    expect(base.ledger.documents).toHaveLength(4);
  });
});
