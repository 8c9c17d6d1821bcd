// What happens to money after it was posted, and around the ends of periods. What would surprise: books that are not the
// source any more after an edit, a split, a chargeback or a deletion; a correction dated into a closed period; a split of
// which parent and parts are both booked; a purchase that falls between two windows of a reconciliation.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settingsSchema } from '../../../src/connectors/brex/config.js';
import { mapExpense } from '../../../src/connectors/brex/expenseMapper.js';
import { parseJson } from '../../../src/connectors/brex/json.js';
import { mapCardTransaction } from '../../../src/connectors/brex/mapper.js';
import { cardTransactionSchema, expenseSchema } from '../../../src/connectors/brex/wire.js';
import type { LedgerPeriod } from '../../../src/connectors/contract.js';
import { addDays, type LocalDate, localDate } from '../../../src/domain/localDate.js';
import { moneyFromDecimal } from '../../../src/domain/money.js';
import type { SourceObject } from '../../../src/domain/spend.js';
import { replayPosting } from '../../../src/services/postings.js';
import { reconcile } from '../../../src/services/reconciliation.js';
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
beforeEach(async () => {
  engine = await makeTestEngine();
});
afterEach(() => engine.close());

const usd = (text: string) => moneyFromDecimal(text, 'USD');
const totals = async (company: Company) => (await reconciled(engine, company)).totals;
const booked = () => engine.ledger.balanceOf('6100');

function closePeriod(label: string): void {
  engine.ledger.periods = engine.ledger.periods.map((one) => (one.label === label ? { ...one, open: false } : one));
}

/** The whole of a split, which lists its parts, and the parts as expenses of their own. */
function split(...amounts: readonly string[]): { parent: SourceObject; children: SourceObject[] } {
  const children = amounts.map((amount, index) => ({
    ...views(`1p${index}`, amount).expense,
    keys: [`expense:expense_1p${index}`],
  }));
  const total = amounts.reduce((sum, amount) => sum + usd(amount).minor, 0n);
  const whole = views('1', '0.00', { amount: { minor: total, currency: 'USD' } }).expense;
  const parts = children.map(({ externalId, amount, category, dimensions }) => ({
    ...{ sourceLineId: externalId, amount, category, dimensions },
    ...{ tax: null, glAccount: null, costCentre: null, memo: null },
  }));
  const keys = [...whole.keys, ...children.flatMap((child) => child.keys)];
  return { parent: { ...whole, version: 'split', keys, parts }, children };
}

describe('a purchase of a period that has closed since it was posted', () => {
  const change = { edit: ['120.00', '120.00'], smaller: ['70.10', '70.10'] } as const;

  it.each(Object.entries(change))('is corrected in the open one: %s', async (_, [amount, sum]) => {
    const company = await makeCompany(engine, { closedPeriod: 'NEXT_OPEN_PERIOD' });
    const october = { transactionDate: localDate('2026-10-20') };
    engine.source.put(views('1', '100.00', october).record);
    await sync(engine, company);
    closePeriod('2026-10');
    engine.source.put(views('1', amount, october).record);
    await sync(engine, company);
    expect(engine.ledger.documents.map(({ postingDate, total }) => [postingDate, total])).toEqual([
      ['2026-10-20', '100.00'],
      ['2026-11-01', '100.00'],
      ['2026-11-01', amount],
    ]);
    expect(engine.ledger.documents[1]?.lines[0]?.memo).toContain('of 2026-10-20');
    const [original, ...others] = await postings(engine);
    const reversal = others.find(({ reverses_id }) => reverses_id !== null);
    expect([original?.status, reversal?.reverses_id]).toEqual(['REVERSED', original?.id]);
    expect(booked()).toBe(usd(sum).minor);
    expect(await totals(company)).toMatchObject([{ source: sum, posted: sum, difference: '0.00' }]);
  });

  it('waits with both, reversal and replacement, where the pipeline holds closed periods', async () => {
    const company = await makeCompany(engine);
    const october = { transactionDate: localDate('2026-10-20') };
    engine.source.put(views('1', '100.00', october).record);
    await sync(engine, company);
    closePeriod('2026-10');
    engine.source.put(views('1', '120.00', october).record);
    await sync(engine, company);
    expect(booked()).toBe(10_000n);
    expect((await postings(engine)).map(({ status }) => status)).toEqual(['POSTED', 'HELD', 'HELD']);
    expect((await totals(company))[0]?.difference).toBe('0.00');
    engine.ledger.periods = engine.ledger.periods.map((one) => ({ ...one, open: true }));
    for (const { id, status } of await postings(engine)) {
      if (status === 'HELD') done(await replayPosting(engine, company.caller, id, null));
    }
    await engine.runJobs();
    expect(booked()).toBe(12_000n);
    expect(await totals(company)).toMatchObject([{ posted: '120.00', difference: '0.00' }]);
  });
});

describe('a split', () => {
  it('after posting reverses the whole and posts the parts', async () => {
    const company = await makeCompany(engine, { streams: ['EXPENSES'] });
    engine.source.put(views('1', '100.00').expense);
    await sync(engine, company);
    const { parent, children } = split('60.00', '40.00');
    engine.source.put(parent, ...children);
    await sync(engine, company);
    // The same accounts and the same sum: nothing about the books has to change.
    expect(engine.ledger.documents).toHaveLength(1);
    const recoded = children.map((child, index) =>
      index === 0 ? child : { ...child, category: 'UNKNOWN', version: '2' },
    );
    const parts = parent.parts.map((one, index) => (index === 0 ? one : { ...one, category: 'UNKNOWN' }));
    engine.source.put({ ...parent, version: 'recoded', parts }, ...recoded);
    await engine.rows(`update pipelines set default_account = '9999'`);
    await sync(engine, company);
    expect([booked(), engine.ledger.balanceOf('9999'), engine.ledger.balanceOf('2110')]).toEqual([
      6_000n,
      4_000n,
      -10_000n,
    ]);
    expect(await totals(company)).toMatchObject([{ source: '100.00', posted: '100.00', difference: '0.00' }]);
  });

  const orders = [
    ['P', 'a', 'b'],
    ['P', 'b', 'a'],
    ['a', 'P', 'b'],
    ['b', 'P', 'a'],
    ['a', 'b', 'P'],
    ['b', 'a', 'P'],
  ] as const;

  it.each(orders)('is booked once when its whole and its parts arrive as %s, %s, %s', async (...order) => {
    const company = await makeCompany(engine, { streams: ['EXPENSES'], coding: 'FIRST' });
    const { parent, children } = split('60.00', '40.00');
    const [a, b] = children;
    if (!a || !b) throw new Error('The split has no parts.');
    const objects = { P: parent, a, b };
    for (const name of order) {
      engine.source.put(objects[name]);
      await sync(engine, company);
      expect((await totals(company))[0]?.difference).toBe('0.00');
    }
    expect(booked()).toBe(10_000n);
    expect(engine.ledger.balanceOf('2110')).toBe(-10_000n);
    expect(await totals(company)).toMatchObject([{ source: '100.00', posted: '100.00' }]);
  });
});

describe('what Brex takes back after it was posted', () => {
  const wire = (value: unknown) => parseJson(JSON.stringify(value), 'test');

  function expense(patch: Record<string, unknown> = {}): SourceObject {
    const { exact, plain } = wire({
      ...{ id: 'expense_9', updated_at: '2026-11-10T08:00:00.000Z', expense_type: 'CARD', status: 'APPROVED' },
      ...{ payment_status: 'CLEARED', category: 'OFFICE_SUPPLIES', purchased_at: '2026-11-09T10:00:00.000Z' },
      ...{ billing_amount: { amount: 10_000, currency: 'USD' }, original_amount: { amount: 10_000, currency: 'USD' } },
      ...patch,
    });
    return mapExpense(expenseSchema.parse(exact), plain, settingsSchema.parse({}));
  }

  function card(id: string, type: string, amount: number): SourceObject {
    const { exact, plain } = wire({
      ...{ id, card_id: 'card_1', description: 'OFFICE DEPOT', amount: { amount, currency: 'USD' }, type },
      ...{ initiated_at_date: '2026-11-09', posted_at_date: '2026-11-11', expense_id: 'expense_9' },
      merchant: { raw_descriptor: 'OFFICE DEPOT', mcc: '5943', country: 'USA' },
    });
    return mapCardTransaction(cardTransactionSchema.parse(exact), plain);
  }

  const cards = { streams: ['CARD_TRANSACTIONS', 'EXPENSES'], coding: 'FIRST', defaultAccount: '6100' } as const;

  it.each([
    ['VOID', { status: 'VOID' }],
    ['CANCELED', { status: 'CANCELED' }],
    ['a cancelled payment', { payment_status: 'CANCELED' }],
    ['a declined payment', { payment_status: 'DECLINED' }],
  ])('by %s is taken out of the books', async (_, patch) => {
    const company = await makeCompany(engine, { streams: ['EXPENSES'] });
    engine.source.put(expense());
    await sync(engine, company);
    expect(booked()).toBe(10_000n);
    engine.source.put(expense({ ...patch, updated_at: '2026-11-12T08:00:00.000Z' }));
    await sync(engine, company);
    expect(booked()).toBe(0n);
    expect(engine.ledger.documents).toHaveLength(2);
    expect(await totals(company)).toMatchObject([{ posted: '0.00', excluded: '100.00', difference: '0.00' }]);
  });

  it('by a void while the money has moved all the same stays booked: the card says that it was paid', async () => {
    const company = await makeCompany(engine, cards);
    engine.source.put(card('pst_1', 'PURCHASE', 10_000), expense());
    await sync(engine, company);
    engine.source.put(expense({ status: 'VOID', updated_at: '2026-11-12T08:00:00.000Z' }));
    await sync(engine, company);
    expect(booked()).toBe(10_000n);
    expect(await totals(company)).toMatchObject([{ posted: '100.00', difference: '0.00' }]);
  });

  it('by a chargeback is credited, and charged again when the dispute is lost', async () => {
    const company = await makeCompany(engine, cards);
    engine.source.put(card('pst_1', 'PURCHASE', 10_000), expense());
    await sync(engine, company);
    engine.source.put(card('pst_2', 'CHARGEBACK', -10_000));
    await sync(engine, company);
    expect(booked()).toBe(0n);
    expect(await totals(company)).toMatchObject([{ source: '0.00', posted: '0.00', difference: '0.00' }]);
    engine.source.put(card('pst_3', 'CHARGEBACK', 10_000));
    await sync(engine, company);
    expect(booked()).toBe(10_000n);
    // Three documents, none of them reversed: each is a movement of its own.
    expect((await postings(engine)).map(({ status }) => status)).toEqual(['POSTED', 'POSTED', 'POSTED']);
    expect(await totals(company)).toMatchObject([{ source: '100.00', posted: '100.00', difference: '0.00' }]);
  });

  it('by a refund and a chargeback of the same purchase is in the books with both', async () => {
    const company = await makeCompany(engine, cards);
    engine.source.put(card('pst_1', 'PURCHASE', 10_000), expense());
    await sync(engine, company);
    engine.source.put(card('pst_2', 'REFUND', -2_500));
    await sync(engine, company);
    engine.source.put(card('pst_4', 'CHARGEBACK', -7_500));
    await sync(engine, company);
    expect(booked()).toBe(0n);
    expect(await totals(company)).toMatchObject([{ source: '0.00', posted: '0.00', difference: '0.00' }]);
  });
});

describe('a period that closes between the check and the write', () => {
  it('leaves the posting to a person where the pipeline holds closed periods', async () => {
    const company = await makeCompany(engine);
    engine.source.put(views('1', '100.00').record);
    engine.ledger.faults.push({ kind: 'PERIOD_CLOSED' });
    await sync(engine, company);
    expect(await postings(engine)).toMatchObject([{ status: 'REJECTED', holds: [{ code: 'PERIOD_CLOSED' }] }]);
    expect(await totals(company)).toMatchObject([{ rejected: '100.00', difference: '0.00' }]);
  });

  it('moves the posting to the next open one, under its own name', async () => {
    const company = await makeCompany(engine, { closedPeriod: 'NEXT_OPEN_PERIOD' });
    engine.source.put(views('1', '100.00').record);
    engine.ledger.faults.push({ kind: 'PERIOD_CLOSED' });
    engine.ledger.onSubmit = (_, moment) => {
      if (moment === 'ARRIVED') closePeriod('2026-11');
    };
    await sync(engine, company);
    const [first, second] = engine.ledger.submitted;
    expect([first?.postingDate, second?.postingDate]).toEqual(['2026-11-09', '2026-12-01']);
    expect(second?.reference).toBe(first?.reference);
    expect(second?.periodKey).toEqual({ period: '2026-12' });
    expect(await postings(engine)).toMatchObject([{ status: 'POSTED' }]);
    expect(await totals(company)).toMatchObject([{ posted: '100.00', difference: '0.00' }]);
  });

  it('is asked about once more and no more when the ledger goes on showing it as open', async () => {
    const company = await makeCompany(engine, { closedPeriod: 'NEXT_OPEN_PERIOD' });
    engine.source.put(views('1', '100.00').record);
    engine.ledger.faults.push({ kind: 'PERIOD_CLOSED' }, { kind: 'PERIOD_CLOSED' });
    await sync(engine, company);
    expect(engine.ledger.submitted).toHaveLength(2);
    expect(await postings(engine)).toMatchObject([{ status: 'REJECTED' }]);
  });
});

describe('periods of four weeks', () => {
  const start = localDate('2026-09-27');
  const calendar = (): LedgerPeriod[] =>
    Array.from({ length: 4 }, (_, index) => {
      const startsOn = addDays(start, index * 28);
      const key = { year: index < 3 ? '2026' : '2027', period: `${index < 3 ? index + 11 : 1}` };
      return { label: `${key.year}/${key.period}`, startsOn, endsOn: addDays(startsOn, 27), open: true, key };
    });

  it('are posted by day, and the windows of a reconciliation by period add up to all of it', async () => {
    engine.ledger.periods = calendar();
    const company = await makeCompany(engine, { grouping: 'DAILY' });
    engine.clock.set(new Date('2027-01-30T12:00:00Z'));
    const dates: LocalDate[] = engine.ledger.periods.flatMap(({ startsOn, endsOn }) => [startsOn, endsOn]);
    engine.source.put(
      ...dates.flatMap((transactionDate, index) => [
        views(`${index}a`, '10.01', { transactionDate }).record,
        views(`${index}b`, '-3.00', { transactionDate }).record,
      ]),
    );
    await sync(engine, company);
    expect(engine.ledger.documents.map(({ postingDate, periodKey }) => [postingDate, periodKey])).toEqual(
      engine.ledger.periods.flatMap(({ startsOn, endsOn, key }) => [
        [startsOn, key],
        [endsOn, key],
      ]),
    );
    for (const { startsOn, endsOn } of engine.ledger.periods) {
      const window = { pipelineId: company.pipelineId, from: startsOn, to: endsOn };
      const report = await reconcile(engine, 'default', window);
      expect(report?.totals).toMatchObject([{ source: '14.02', posted: '14.02', difference: '0.00', recordCount: 4 }]);
    }
    expect(booked()).toBe(4n * 1_402n);
  });
});
