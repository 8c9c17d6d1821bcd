import { describe, expect, it } from 'vitest';
import { plan } from '../../../src/domain/planner.js';
import { context, day, holdCodes, item, mapping, part, purchase, rule, rules, shortLines, usd } from './support.js';

/** Days, documents that are too long, and replays: one purchase under two names would be posted twice. */

const only = (ctx = context(), spend = purchase()) => plan(ctx, [item('e1', spend)]);

describe('a day', () => {
  const daily = (over: Parameters<typeof context>[0] = {}) =>
    context({ ...over, pipeline: { grouping: 'DAILY', ...over?.pipeline } });
  const travel = (amount: string) =>
    purchase({ amount: usd(amount), parts: [part({ amount: usd(amount), category: 'TRAVEL' })], merchantName: 'Rail' });

  it('is one balanced document, added up by account', () => {
    const { documents } = plan(daily(), [item('a'), item('b'), item('c', travel('7.00'))]);
    expect(documents).toHaveLength(1);
    expect(shortLines(documents[0])).toEqual(['6100 debit 20000', '6200 debit 700', '2110 credit 20700']);
    expect(documents[0]?.lines[0]).toMatchObject({ spendRecordIds: ['a', 'b'], memo: '2 purchases | Office Depot' });
    expect(documents[0]?.lines[2]?.spendRecordIds).toEqual(['a', 'b', 'c']);
  });

  it('shows refunds on the credit side', () => {
    const [document] = plan(daily(), [item('a'), item('b', purchase({ amount: usd('-30.00') }))]).documents;
    expect(shortLines(document)).toEqual(['6100 credit 3000', '6100 debit 10000', '2110 credit 7000']);
  });

  it('that adds up to nothing needs no offset', () => {
    const [document] = plan(daily(), [item('a'), item('b', purchase({ amount: usd('-100.00') }))]).documents;
    expect(shortLines(document)).toEqual(['6100 credit 10000', '6100 debit 10000']);
  });

  it('goes on without the record that is held by itself', () => {
    const odd = purchase({ parts: [part({ category: 'UNKNOWN' })], category: 'UNKNOWN' });
    const { documents } = plan(daily(), [item('a'), item('b', odd), item('c')]);
    expect(documents.map((each) => [each.spend.map(({ id }) => id), holdCodes(each)])).toEqual([
      [['a', 'c'], []],
      [['b'], ['MAPPING_MISSING']],
    ]);
    expect(documents[1]?.reference).toBe(plan(context(), [item('b', odd)]).documents[0]?.reference);
  });

  it('in a closed period is held as one', () => {
    const late = purchase({ transactionDate: day('2026-09-15') });
    const { documents } = plan(daily(), [item('a', late), item('b', late)]);
    expect(documents.map(holdCodes)).toEqual([['PERIOD_CLOSED']]);
  });

  it('is apart from other days and other currencies', () => {
    const spend = [
      item('a'),
      item('b', purchase({ transactionDate: day('2026-11-10') })),
      item('c', purchase({ amount: { minor: 5n, currency: 'EUR' } })),
    ];
    const { documents } = plan(daily({ rules: rules({ localCurrency: null }) }), spend);
    expect(documents.map((each) => `${each.postingDate} ${each.currency}`).sort()).toEqual([
      '2026-11-09 EUR',
      '2026-11-09 USD',
      '2026-11-10 USD',
    ]);
    expect(new Set(documents.map((each) => each.reference)).size).toBe(3);
  });

  it('gets another document for what arrives late', () => {
    const first = plan(daily(), [item('a')]).documents[0];
    const later = plan(daily({ dailySequence: () => 1 }), [item('b')]).documents[0];
    expect(later?.reference).not.toBe(first?.reference);
  });

  it('of more lines than the ledger takes is cut between records into balanced documents', () => {
    const spend = ['6100', '6200', '9999', '1575'].map((glAccount, index) =>
      item(
        `${index}`,
        purchase({
          parts: [part({ amount: usd('60.00'), glAccount }), part({ amount: usd('40.00'), glAccount: '6100' })],
        }),
      ),
    );
    const { documents } = plan(daily({ mapping: null, rules: rules({ maxLines: 3 }) }), spend);
    expect(documents.map((each) => [each.lines.length, each.spend.length, each.totalMinor])).toEqual([
      [3, 2, 20_000n],
      [3, 1, 10_000n],
      [3, 1, 10_000n],
    ]);
    expect(new Set(documents.map((each) => each.reference)).size).toBe(3);
  });
});

describe('a record of more lines than the ledger takes', () => {
  const parts = Array.from({ length: 5 }, () => part({ amount: usd('20.00'), glAccount: '6100' }));
  const ctx = context({ rules: rules({ maxLines: 3 }) });

  it('becomes several balanced documents under names of their own', () => {
    const { documents } = only(ctx, purchase({ parts }));
    expect(documents.map((each) => each.totalMinor)).toEqual([4_000n, 4_000n, 2_000n]);
    expect(new Set(documents.map((each) => each.reference)).size).toBe(3);
    expect(documents[1]?.description).toBe('Purchase 2026-11-09 Office Depot (2 of 3)');
  });
});

describe('planning a day again', () => {
  const daily = (over: Parameters<typeof context>[0] = {}) => context({ ...over, pipeline: { grouping: 'DAILY' } });
  const kept = (reference: string | undefined, ...spendRecordIds: string[]) => [
    { reference: reference ?? '', spendRecordIds },
  ];

  it('keeps its reference and takes the new mapping', () => {
    const [before] = plan(daily(), [item('a'), item('b')]).documents;
    const remapped = daily({ mapping: mapping(rule({ glAccount: '6200' })), dailySequence: () => 7 });
    const { documents } = plan(remapped, [item('b'), item('a')], kept(before?.reference, 'a', 'b'));
    expect(documents.map((each) => each.reference)).toEqual([before?.reference]);
    expect(shortLines(documents[0])).toEqual(['6200 debit 20000', '2110 credit 20000']);
    expect(documents[0]?.planHash).not.toBe(before?.planHash);
  });

  it('lets the purchase go that has something wrong of its own', () => {
    const [before] = plan(daily(), [item('a'), item('b')]).documents;
    const odd = item('b', purchase({ parts: [part({ category: 'UNKNOWN' })], category: 'UNKNOWN' }));
    const { documents } = plan(daily(), [item('a'), odd], kept(before?.reference, 'a', 'b'));
    expect(documents.map((each) => [each.reference === before?.reference, each.spend.length, holdCodes(each)])).toEqual(
      [
        [true, 1, []],
        [false, 1, ['MAPPING_MISSING']],
      ],
    );
  });

  it('takes a purchase that was held by itself into a document of its day', () => {
    const [held] = plan(daily({ mapping: null }), [item('a')]).documents;
    const { documents } = plan(daily({ dailySequence: () => 1 }), [item('a')], kept(held?.reference, 'a'));
    expect(documents).toMatchObject([{ holds: [] }]);
    expect(documents[0]?.reference).not.toBe(held?.reference);
  });

  it('leaves the larger part under the reference when its records now belong to several dates', () => {
    const spend = [item('a'), item('b'), item('c', purchase({ transactionDate: day('2026-11-10') }))];
    const [before] = plan(daily(), [item('a'), item('b'), item('c')]).documents;
    const { documents } = plan(daily({ dailySequence: () => 1 }), spend, kept(before?.reference, 'a', 'b', 'c'));
    expect(documents.map((each) => [each.postingDate, each.reference === before?.reference])).toEqual([
      ['2026-11-09', true],
      ['2026-11-10', false],
    ]);
  });

  it('gives nothing for records that are out', () => {
    const { documents, skipped } = plan(daily(), [item('a', purchase({ isWithdrawn: true }))], kept('X', 'a'));
    expect(documents).toEqual([]);
    expect(skipped).toHaveLength(1);
  });
});

describe('a day that is not over', () => {
  const today = purchase({ transactionDate: day('2026-11-20') });

  it('waits, so that what comes in until the evening is in the same document', () => {
    const { documents, skipped } = plan(context({ pipeline: { grouping: 'DAILY' } }), [item('a', today)]);
    expect(documents).toEqual([]);
    expect(skipped).toMatchObject([{ kind: 'WAITING', until: '2026-11-21' }]);
  });

  it('waits for nothing where records are posted one by one, or on the day of the sync', () => {
    expect(plan(context(), [item('a', today)]).documents).toHaveLength(1);
    const bySync = context({ pipeline: { grouping: 'DAILY', postingDate: 'SYNC_DATE' } });
    expect(plan(bySync, [item('a', today)]).documents).toHaveLength(1);
  });
});
