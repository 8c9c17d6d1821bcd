// One purchase that comes under two source ids. What would surprise: both in the ledger, both held, two coffees of one
// morning held by default, a purchase that a person released and that is held again, one that waits for a copy that is gone.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import { createPipeline, setMappingRules, updatePipeline } from '../../../src/services/pipelines.js';
import { planPipeline } from '../../../src/services/planning.js';
import { replayPosting, replayPostings, reversePosting } from '../../../src/services/postings.js';
import { excludeSpendRecord } from '../../../src/services/spendRecords.js';
import { runSync } from '../../../src/services/syncRunner.js';
import { triggerSync } from '../../../src/services/syncs.js';
import { connectSystem } from '../../../src/services/systems.js';
import type { PipelineRequest } from '../../../src/services/useCases.js';
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

const DAY_MS = 86_400_000;

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
  company = await makeCompany(engine);
});
afterEach(() => engine.close());

const set = async (change: Partial<PipelineRequest>) =>
  done(await updatePipeline(engine, company.caller, company.pipelineId, change));

/** Standing documents in short: status, and the hold's code where there is one. */
const states = async () =>
  (await postings(engine))
    .filter(({ status }) => status !== 'CANCELLED')
    .map(({ status, holds }) => [status, ...holds.map(({ code }) => code)].join(' '));

async function heldPosting() {
  const [held, ...others] = (await postings(engine)).filter(({ status }) => status === 'HELD');
  if (!held || others.length > 0) throw new Error('One posting was to be held.');
  return held;
}

async function recordOf(key: string): Promise<string> {
  const [row] = await engine.rows<{ id: string }>('select id from spend_records where origin_key = $1', [key]);
  if (!row) throw new Error(`There is no purchase ${key}.`);
  return row.id;
}

/** The feed is imported anew a month later: the purchase comes again, under another id. */
async function importAnew(): Promise<void> {
  engine.source.put(views('1', '12.50').record);
  await sync(engine, company);
  engine.clock.advance(5 * DAY_MS);
  engine.source.put(views('2', '12.50').record);
  await sync(engine, company);
}

/** A second spend system and its pipeline into the same ledger. */
async function secondSource(over: Partial<PipelineRequest> = {}): Promise<Company> {
  const { caller, ledgerId } = company;
  const { id: sourceId } = done(
    await connectSystem(engine, caller, { kind: 'BREX', name: 'Reports', credentials: { token: 'other-token' } }),
  );
  return secondPipeline({ name: 'Reports to books', sourceId, ledgerId, ...over });
}

async function secondPipeline(over: Partial<PipelineRequest>): Promise<Company> {
  const { caller, sourceId, ledgerId } = company;
  const { id: pipelineId } = done(
    await createPipeline(engine, caller, {
      ...{ name: 'Second', sourceId, ledgerId, streams: ['ACCOUNTING_RECORDS'], documentType: 'JOURNAL' },
      ...{ grouping: 'PER_RECORD', schedule: null, timeZone: 'UTC', offsetAccount: '2110', defaultAccount: null },
      ...{ unmatchedVendor: 'POST_WITHOUT_SUPPLIER', postingDate: 'TRANSACTION_DATE', closedPeriod: 'HOLD' },
      ...{ coding: 'RICHEST', correction: 'REVERSE_AND_REPLACE', requireApproval: false },
      ...{ exportMasterData: false, enabled: true },
      ...over,
    }),
  );
  done(
    await setMappingRules(engine, caller, { pipelineId, rules: [{ category: 'OFFICE_SUPPLIES', glAccount: '6100' }] }),
  );
  engine.jobs.pending.length = 0;
  return { caller, sourceId: over.sourceId ?? sourceId, ledgerId, pipelineId };
}

describe('by default', () => {
  it('a feed that is imported anew is held, and the hold names what is in the ledger', async () => {
    await importAnew();
    expect(await states()).toEqual(['POSTED', 'HELD SUSPECTED_DUPLICATE']);
    const [posted] = await postings(engine);
    const [hold] = (await heldPosting()).holds;
    for (const part of [
      'expense_1',
      '"Cards"',
      '12.50 USD',
      '2026-11-09',
      posted?.reference,
      posted?.ledger_document_id,
    ]) {
      expect(hold?.message).toContain(part);
    }
    expect(engine.ledger.balanceOf('6100')).toBe(1_250n);
    expect((await reconciled(engine, company)).totals).toMatchObject([
      { source: '25.00', posted: '12.50', held: '12.50', difference: '0.00' },
    ]);
  });

  it('the same purchase of another system is held', async () => {
    engine.source.put(views('1', '12.50').record);
    await sync(engine, company);
    await sync(engine, await secondSource());
    expect(await states()).toEqual(['POSTED', 'HELD SUSPECTED_DUPLICATE']);
    expect((await heldPosting()).holds[0]?.message).toContain('of "Cards"');
  });

  it('the same purchase through another pipeline of the same source is held', async () => {
    engine.source.put(views('1', '12.50').card);
    await set({ streams: ['CARD_TRANSACTIONS'] });
    await sync(engine, company);
    const second = await secondPipeline({});
    engine.source.put(views('2', '12.50').record);
    await sync(engine, second);
    expect(await states()).toEqual(['POSTED', 'HELD SUSPECTED_DUPLICATE']);
  });

  it('two purchases that the source shows soon after one another both go', async () => {
    engine.source.put(views('1', '3.50').record, views('2', '3.50').record);
    await sync(engine, company);
    engine.clock.advance(DAY_MS);
    engine.source.put(views('3', '3.50').record);
    await sync(engine, company);
    expect(await states()).toEqual(['POSTED', 'POSTED', 'POSTED']);
  });

  it('the views of one purchase, and another spender’s purchase, are no duplicates', async () => {
    const { card, expense, record } = views('1', '12.50');
    for (const view of [card, expense, record]) {
      engine.source.put(view);
      await sync(engine, company);
      engine.clock.advance(3 * DAY_MS);
    }
    engine.source.put(views('2', '12.50', { spender: 'Ben Ode' }).record);
    await sync(engine, company);
    expect(await states()).toEqual(['POSTED', 'POSTED']);
  });
});

describe('ALWAYS', () => {
  beforeEach(async () => {
    await set({ duplicateCheck: 'ALWAYS' });
  });

  it('of two in one page holds the later', async () => {
    engine.source.put(views('1', '12.50').record, views('2', '12.50').record);
    await sync(engine, company);
    expect((await states()).sort()).toEqual(['HELD SUSPECTED_DUPLICATE', 'POSTED']);
    expect((await heldPosting()).holds[0]?.message).toContain('planned together');
  });

  it('holds one of two on days that the pipeline lets lie apart', async () => {
    await set({ duplicateDays: 1 });
    engine.source.put(
      views('1', '12.50').record,
      views('2', '12.50', { transactionDate: localDate('2026-11-10') }).record,
      views('3', '12.50', { transactionDate: localDate('2026-11-12') }).record,
    );
    await sync(engine, company);
    expect((await states()).sort()).toEqual(['HELD SUSPECTED_DUPLICATE', 'POSTED', 'POSTED']);
  });

  it('lets the rest of a day go', async () => {
    await set({ grouping: 'DAILY' });
    engine.source.put(views('1', '12.50').record, views('2', '12.50').record, views('3', '9.00').record);
    await sync(engine, company);
    expect((await states()).sort()).toEqual(['HELD SUSPECTED_DUPLICATE', 'POSTED']);
    expect(engine.ledger.balanceOf('6100')).toBe(2_150n);
  });

  it('of two that two workers plan at once holds one', async () => {
    const second = await secondSource({ duplicateCheck: 'ALWAYS' });
    const other = await engine.another();
    for (let round = 1; round <= 8; round += 1) {
      engine.source.clear();
      engine.source.put(views(`${round}`, `${round}.50`).record);
      const runs = [];
      for (const { pipelineId } of [company, second]) {
        runs.push(done(await triggerSync(engine, company.caller, { pipelineId, dryRun: false })).id);
      }
      engine.jobs.pending.length = 0;
      const [first = '', last = ''] = runs;
      const options = { isStopping: () => false };
      await Promise.all([runSync(engine, 'default', first, options), runSync(other, 'default', last, options)]);
    }
    const all = await states();
    expect(all.filter((state) => state.includes('SUSPECTED_DUPLICATE'))).toHaveLength(8);
    expect(all).toHaveLength(16);
  });
});

describe('a suspected duplicate', () => {
  it('that is replayed with a note goes, and is not held again after an edit that leaves it what it is', async () => {
    await importAnew();
    const { id } = await heldPosting();
    done(await replayPosting(engine, company.caller, id, null));
    await engine.runJobs();
    expect(await states()).toEqual(['POSTED', 'HELD SUSPECTED_DUPLICATE']);
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: false }));
    done(await replayPosting(engine, company.caller, id, 'Two taxis, one there and one back.'));
    await engine.runJobs();
    expect(await states()).toEqual(['POSTED', 'HELD PERIOD_CLOSED']);
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: true }));
    engine.source.put(views('2', '12.50', { version: 'again', memo: 'Way back' }).record);
    await sync(engine, company);
    expect(await states()).toEqual(['POSTED', 'POSTED']);
    const told = await engine.rows<{ summary: string }>(
      `select summary from audit_events where action = 'spend.noDuplicate'`,
    );
    expect(told).toHaveLength(1);
    expect(told[0]?.summary).toContain('Two taxis');
  });

  it('whose twin is coded anew after both were posted throws neither out', async () => {
    await importAnew();
    done(await replayPosting(engine, company.caller, (await heldPosting()).id, 'Two taxis.'));
    await engine.runJobs();
    engine.clock.advance(DAY_MS);
    const parts = [{ ...emptyPart(), amount: views('1', '12.50').record.amount, glAccount: '6200' }];
    engine.source.put(views('1', '12.50', { version: 'coded', category: null, parts }).record);
    await sync(engine, company);
    expect((await states()).filter((state) => state.startsWith('HELD'))).toEqual([]);
    expect(engine.ledger.balanceOf('6100')).toBe(1_250n);
    expect(engine.ledger.balanceOf('6200')).toBe(1_250n);
  });

  it('that was released is looked at again when its amount becomes that of another purchase', async () => {
    await importAnew();
    engine.source.put(views('9', '20.00').record);
    await sync(engine, company);
    engine.clock.advance(5 * DAY_MS);
    const { id } = await heldPosting();
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: false }));
    done(await replayPosting(engine, company.caller, id, 'Two taxis.'));
    await engine.runJobs();
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: true }));
    await set({ duplicateCheck: 'ALWAYS' });
    engine.source.put(views('2', '20.00').record);
    await sync(engine, company);
    expect((await heldPosting()).holds[0]?.message).toContain('expense_9');
  });

  it('is released by a bulk replay only where that asks for suspected duplicates', async () => {
    await importAnew();
    const replay = async (holdCodes?: string[]) => {
      const filter = { pipelineId: company.pipelineId, ...(holdCodes ? { holdCodes } : {}) };
      done(await replayPostings(engine, company.caller, filter, 'Month end.'));
      await engine.runJobs();
    };
    await replay();
    expect(await states()).toEqual(['POSTED', 'HELD SUSPECTED_DUPLICATE']);
    await replay(['SUSPECTED_DUPLICATE']);
    expect(await states()).toEqual(['POSTED', 'POSTED']);
  });

  it('that is excluded stays out, and its twin stays in', async () => {
    await importAnew();
    done(await excludeSpendRecord(engine, company.caller, await recordOf('expense:expense_2'), 'The feed came twice.'));
    await engine.runJobs();
    await sync(engine, company);
    expect(await states()).toEqual(['POSTED']);
    expect(engine.ledger.balanceOf('6100')).toBe(1_250n);
  });

  it('goes by itself when the source takes the first copy back', async () => {
    await importAnew();
    engine.source.put(views('1', '12.50', { isWithdrawn: true, version: 'gone' }).record);
    await sync(engine, company);
    expect((await states()).sort()).toEqual(['POSTED', 'POSTED', 'REVERSED']);
    expect(engine.ledger.balanceOf('6100')).toBe(1_250n);
    expect((await reconciled(engine, company)).totals).toMatchObject([{ posted: '12.50', difference: '0.00' }]);
  });

  it('goes by itself when a person excludes or reverses the first copy', async () => {
    await importAnew();
    const [first] = await postings(engine);
    done(await reversePosting(engine, company.caller, first?.id ?? '', 'The second copy is the better one.'));
    await engine.runJobs();
    expect(engine.ledger.balanceOf('6100')).toBe(1_250n);
    expect((await states()).filter((state) => state.startsWith('HELD'))).toEqual([]);
  });

  it('is not what its twin is held for when that is planned again', async () => {
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: false }));
    engine.source.put(views('1', '12.50').record);
    await sync(engine, company);
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: true }));
    engine.clock.advance(5 * DAY_MS);
    engine.source.put(views('2', '12.50').record);
    await sync(engine, company);
    expect((await states()).sort()).toEqual(['HELD PERIOD_CLOSED', 'POSTED']);
    done(await replayPosting(engine, company.caller, (await heldPosting()).id, null));
    await engine.runJobs();
    expect((await states()).sort()).toEqual(['HELD SUSPECTED_DUPLICATE', 'POSTED']);
    await planPipeline(engine, company.caller, company.pipelineId, null);
    expect((await states()).sort()).toEqual(['HELD SUSPECTED_DUPLICATE', 'POSTED']);
  });
});

function emptyPart() {
  return {
    ...{ sourceLineId: null, tax: null, category: null, glAccount: null, costCentre: null, dimensions: {}, memo: null },
  };
}
