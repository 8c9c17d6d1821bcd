// What a person keeps out of the ledger, takes back or turns round. What would surprise: a purchase that is excluded while a
// ledger may have it, a second effect of a call that is repeated, a reason that is lost, a day that loses its other
// purchases, half a purchase in the books, an exclusion that outlives the reversal it belonged to.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import type { Outcome } from '../../../src/services/outcome.js';
import { cancelPosting, reversePosting } from '../../../src/services/postings.js';
import { replayPostings } from '../../../src/services/replays.js';
import { excludeSpendRecord, includeSpendRecord } from '../../../src/services/spendRecords.js';
import { triggerSync } from '../../../src/services/syncs.js';
import {
  type Company,
  done,
  makeCompany,
  makeTestEngine,
  postings,
  reconciled,
  sync,
  type TestEngine,
} from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
});
afterEach(() => engine.close());

interface RecordFacts {
  id: string;
  status: string;
  excluded_by: string | null;
  excluded_reason: string | null;
}

function records(): Promise<RecordFacts[]> {
  return engine.rows<RecordFacts>(
    'select id, status, excluded_by, excluded_reason from spend_records order by origin_key',
  );
}

async function record(index = 0): Promise<RecordFacts> {
  const found = (await records())[index];
  if (!found) throw new Error('There is no such record.');
  return found;
}

async function posting(index = 0) {
  const found = (await postings(engine))[index];
  if (!found) throw new Error('There is no such posting.');
  return found;
}

function codes(outcome: Outcome<unknown>): string[] {
  return outcome.ok ? [] : outcome.problems.map((problem) => problem.code);
}

const exclude = async (reason = 'private', index = 0) =>
  excludeSpendRecord(engine, company.caller, (await record(index)).id, reason);
const include = async (index = 0) => includeSpendRecord(engine, company.caller, (await record(index)).id);

async function events(action: string): Promise<{ actor: string; after: Record<string, unknown> }[]> {
  return engine.rows(`select actor, after from audit_events where action = $1 order by sequence`, [action]);
}

async function isWhole(): Promise<void> {
  const { totals } = await reconciled(engine, company);
  expect(totals.map((total) => total.difference)).toEqual(totals.map(() => '0.00'));
}

describe('excluding a purchase', () => {
  beforeEach(async () => {
    company = await makeCompany(engine);
  });

  it('that is held gives its document up, keeps the reason, tells the source, and changes nothing the second time', async () => {
    engine.source.put(views('1', '100.00', { category: 'UNKNOWN' }).record);
    await sync(engine, company);
    done(await exclude('paid by the employee'));
    done(await exclude('paid by the employee'));
    done(await exclude('  paid by the employee '));
    await engine.runJobs();
    expect(await record()).toMatchObject({
      status: 'EXCLUDED',
      excluded_by: 'user:test',
      excluded_reason: 'paid by the employee',
    });
    expect(await postings(engine)).toMatchObject([{ status: 'CANCELLED' }]);
    expect(await events('spend.excluded')).toMatchObject([
      { actor: 'user:test', after: { reason: 'paid by the employee' } },
    ]);
    expect(engine.source.reports.filter((one) => one.outcome.kind === 'FAILURE')).toHaveLength(1);
    await isWhole();
  });

  it('that is ready, and in the hands of a worker, keeps it from being sent', async () => {
    engine.source.put(views('1', '100.00').record);
    engine.ledger.faults.push({ kind: 'NOT_STARTED' });
    done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }));
    await engine.runJobs({ until: engine.clock.now() });
    expect((await posting()).status).toBe('READY');
    done(await exclude());
    await engine.runJobs();
    expect(engine.ledger.documents).toEqual([]);
    expect((await posting()).status).toBe('CANCELLED');
  });

  it.each([
    ['POSTING', 'Wait until the ledger has answered.'],
    ['IN_DOUBT', 'Wait until the ledger has answered.'],
    ['POSTED', 'Reverse that posting.'],
  ])('that is %s is refused and says what to do', async (status, resolution) => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    await engine.rows('update postings set status = $1', [status]);
    const answer = await exclude();
    expect(answer).toMatchObject({ ok: false, problems: [{ code: 'IN_LEDGER', resolution }] });
    expect((await record()).excluded_by).toBeNull();
  });

  it('that was refused by the ledger gives that document up', async () => {
    engine.ledger.faults.push({ kind: 'REJECTED', message: 'No.' });
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    done(await exclude());
    expect((await posting()).status).toBe('CANCELLED');
    await isWhole();
  });

  it('of which a correction is on its way takes the replacement out and lets the reversal go', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '130.00').record);
    engine.ledger.faults.push({ kind: 'NOT_STARTED' });
    done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }));
    await engine.runJobs({ until: engine.clock.now() });
    expect((await postings(engine)).map((one) => one.status)).toEqual(['POSTED', 'READY', 'READY']);
    done(await exclude());
    await engine.runJobs();
    expect((await postings(engine)).map((one) => one.status).sort()).toEqual(['CANCELLED', 'POSTED', 'REVERSED']);
    expect(engine.ledger.balanceOf('6100')).toBe(0n);
    await isWhole();
  });

  it('needs a reason, and says so of a purchase that is not there', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    expect(codes(await exclude('  '))).toEqual(['BAD_INPUT']);
    expect(codes(await excludeSpendRecord(engine, company.caller, 'spend_none', 'x'))).toEqual(['NOT_FOUND']);
  });

  it('and including it again posts it once, under the name it had', async () => {
    engine.source.put(views('1', '100.00', { transactionDate: localDate('2026-09-15') }).record);
    await sync(engine, company);
    const { reference } = await posting();
    done(await exclude());
    await engine.runJobs();
    engine.ledger.periods = engine.ledger.periods.map((one) => ({ ...one, open: true }));
    done(await include());
    done(await include());
    await engine.runJobs();
    done(await include());
    await engine.runJobs();
    expect(await postings(engine)).toMatchObject([{ reference, status: 'POSTED' }]);
    expect(await events('spend.included')).toHaveLength(1);
    expect(await record()).toMatchObject({ status: 'POSTED', excluded_by: null, excluded_reason: null });
    await isWhole();
  });

  it('that is no spend cannot be included by a person', async () => {
    engine.source.put(views('1', '100.00', { kind: 'NOT_SPEND', notSpendReason: 'A card payment.' }).record);
    await sync(engine, company);
    expect(codes(await include())).toEqual(['NOT_EXCLUDED_BY_A_PERSON']);
  });
});

describe('excluding one purchase of a day', () => {
  beforeEach(async () => {
    company = await makeCompany(engine, { grouping: 'DAILY' });
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record, views('3', '30.00').record);
    engine.ledger.periods = engine.ledger.periods.map((one) => ({ ...one, open: false }));
    await sync(engine, company);
    expect(await postings(engine)).toMatchObject([{ status: 'HELD', total: '60.00' }]);
  });

  it('leaves the day to the others', async () => {
    done(await exclude('private', 1));
    await engine.runJobs();
    expect((await postings(engine)).filter((one) => one.status === 'HELD')).toMatchObject([{ total: '40.00' }]);
    engine.ledger.periods = engine.ledger.periods.map((one) => ({ ...one, open: true }));
    done(await replayPostings(engine, company.caller, {}, null));
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(1);
    expect(engine.ledger.balanceOf('6100')).toBe(4_000n);
    await isWhole();
    done(await include(1));
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(2);
    expect(engine.ledger.balanceOf('6100')).toBe(6_000n);
    await isWhole();
  });

  it('and then all others leaves nothing', async () => {
    for (const index of [0, 1, 2]) {
      done(await exclude('private', index));
      await engine.runJobs();
    }
    expect((await postings(engine)).every((one) => one.status === 'CANCELLED')).toBe(true);
    await isWhole();
  });
});

describe('reversing by hand', () => {
  beforeEach(async () => {
    company = await makeCompany(engine);
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
  });

  const reverse = async (id: string, reason = 'booked by hand as well') =>
    reversePosting(engine, company.caller, id, reason);

  it('twice, also at once, is one reversal, with its reason in the trail and on the purchase', async () => {
    const { id } = await posting();
    const [one, two] = await Promise.all([reverse(id), reverse(id)]);
    const reversal = done(one);
    expect(done(two)).toEqual(reversal);
    await engine.runJobs();
    expect(done(await reverse(id))).toEqual(reversal);
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(2);
    expect(engine.ledger.balanceOf('6100')).toBe(0n);
    expect(await events('posting.reversalRequested')).toMatchObject([{ after: { reason: 'booked by hand as well' } }]);
    expect(await events('spend.excluded')).toMatchObject([{ after: { reason: 'booked by hand as well' } }]);
    expect(await record()).toMatchObject({ status: 'EXCLUDED', excluded_reason: 'booked by hand as well' });
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(2);
    await isWhole();
  });

  it('of a reversal, or of what is not posted, is refused', async () => {
    const { id } = await posting();
    const reversal = done(await reverse(id));
    await engine.runJobs();
    expect(codes(await reverse(reversal.id))).toEqual(['NOT_REVERSIBLE']);
    engine.source.put(views('2', '50.00', { category: 'UNKNOWN' }).record);
    await sync(engine, company);
    const held = (await postings(engine)).find((one) => one.status === 'HELD');
    expect(await reverse(held?.id ?? '')).toMatchObject({
      problems: [{ code: 'NOT_REVERSIBLE', resolution: 'Cancel it with cancelPosting.' }],
    });
  });

  it('in a closed period is held where the policy holds, and goes when the period is opened', async () => {
    const { id } = await posting();
    const periods = engine.ledger.periods;
    engine.ledger.periods = periods.map((one) => (one.label === '2026-11' ? { ...one, open: false } : one));
    await sync(engine, company);
    done(await reverse(id));
    await engine.runJobs();
    expect(await posting(1)).toMatchObject({ status: 'HELD', reverses_id: id, holds: [{ code: 'PERIOD_CLOSED' }] });
    engine.ledger.periods = periods;
    done(await replayPostings(engine, company.caller, { holdCodes: ['PERIOD_CLOSED'] }, null));
    await engine.runJobs();
    expect(engine.ledger.balanceOf('6100')).toBe(0n);
    await isWhole();
  });

  it('in a closed period goes to the next open one where the policy says so', async () => {
    await engine.rows(`update pipelines set closed_period = 'NEXT_OPEN_PERIOD'`);
    const { id } = await posting();
    engine.ledger.periods = engine.ledger.periods.map((one) =>
      one.label === '2026-11' ? { ...one, open: false } : one,
    );
    await sync(engine, company);
    done(await reverse(id));
    await engine.runJobs();
    expect(engine.ledger.documents.map((one) => one.postingDate)).toEqual(['2026-11-09', '2026-12-01']);
    expect(engine.ledger.balanceOf('6100')).toBe(0n);
  });

  it('and including the purchase again posts it anew after the reversal, once', async () => {
    const { id } = await posting();
    engine.ledger.faults.push({ kind: 'LOST_AFTER_COMMIT' });
    done(await reverse(id));
    done(await include());
    done(await include());
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(3);
    expect(engine.ledger.balanceOf('6100')).toBe(10_000n);
    expect((await postings(engine)).map((one) => one.status)).toEqual(['REVERSED', 'POSTED', 'POSTED']);
    await isWhole();
  });

  it('and giving that up leaves the document standing, and the purchase a posted one like any other', async () => {
    const { id } = await posting();
    engine.ledger.faults.push({ kind: 'NOT_STARTED' });
    const reversal = done(await reverse(id));
    await engine.runJobs({ until: engine.clock.now() });
    done(await cancelPosting(engine, company.caller, reversal.id, 'it was right'));
    done(await cancelPosting(engine, company.caller, reversal.id, 'it was right'));
    await engine.runJobs();
    expect(await record()).toMatchObject({ status: 'POSTED', excluded_by: null, excluded_reason: null });
    expect(engine.ledger.documents).toHaveLength(1);
    // It is corrected like any other when the source changes it, and can be reversed after all.
    engine.source.put(views('1', '120.00').record);
    await sync(engine, company);
    expect(engine.ledger.balanceOf('6100')).toBe(12_000n);
    await isWhole();
  });

  it('after the first reversal was given up uses the same name for the second', async () => {
    const { id } = await posting();
    engine.ledger.faults.push({ kind: 'NOT_STARTED' });
    const first = done(await reverse(id));
    await engine.runJobs({ until: engine.clock.now() });
    const { reference } = await posting(1);
    done(await cancelPosting(engine, company.caller, first.id, 'not yet'));
    done(await reverse(id, 'now it is'));
    await engine.runJobs();
    expect((await postings(engine)).filter((one) => one.reverses_id === id)).toMatchObject([
      { reference, status: 'POSTED' },
    ]);
    expect(engine.ledger.countOf(reference)).toBe(1);
  });

  it('needs a reason', async () => {
    expect(codes(await reverse((await posting()).id, ' '))).toEqual(['BAD_INPUT']);
  });
});

describe('cancelling one of the documents of a purchase', () => {
  beforeEach(async () => {
    company = await makeCompany(engine);
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    // A second document of the same purchase, as one with more lines than a ledger takes has.
    await engine.rows(
      `insert into postings select (jsonb_populate_record(p, jsonb_build_object('id', 'post_second', 'reference',
         'SECOND', 'status', 'HELD', 'ledger_document_id', null, 'posted_at', null))).* from postings p`,
    );
    await engine.rows(
      `insert into posting_spend select (jsonb_populate_record(s, '{"posting_id": "post_second"}')).* from posting_spend s`,
    );
  });

  it('is refused while another one of them is in the ledger', async () => {
    const answer = await cancelPosting(engine, company.caller, 'post_second', 'no');
    expect(codes(answer)).toEqual(['PARTLY_IN_LEDGER']);
    expect((await record()).excluded_by).toBeNull();
  });

  it('gives up the others with it', async () => {
    await engine.rows(`update postings set status = 'HELD' where status = 'POSTED'`);
    done(await cancelPosting(engine, company.caller, 'post_second', 'no'));
    expect((await postings(engine)).map((one) => one.status)).toEqual(['CANCELLED', 'CANCELLED']);
    expect((await record()).status).toBe('EXCLUDED');
  });
});
