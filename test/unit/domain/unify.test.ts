import { describe, expect, it } from 'vitest';
import type { SourceObject } from '../../../src/domain/spend.js';
import { unify } from '../../../src/domain/unify.js';
import { InvariantError } from '../../../src/errors.js';
import { day, part, sourceObject, usd } from './support.js';

const card = (over: Partial<SourceObject> = {}) =>
  sourceObject({
    externalId: 'pst_1',
    keys: ['card:pst_1', 'expense:e1'],
    merchantDescriptor: 'OFFICE DEPOT #88',
    mcc: '5943',
    transactionDate: day('2026-11-09'),
    postedDate: day('2026-11-11'),
    ...over,
  });
const expense = (over: Partial<SourceObject> = {}) =>
  sourceObject({
    stream: 'EXPENSES',
    externalId: 'e1',
    keys: ['expense:e1'],
    category: 'OFFICE_SUPPLIES',
    merchantName: 'Office Depot',
    spender: 'Ana Ruiz',
    memo: 'Toner',
    transactionDate: day('2026-11-08'),
    receiptUrls: ['https://r/1'],
    ...over,
  });
const record = (over: Partial<SourceObject> = {}) =>
  sourceObject({
    stream: 'ACCOUNTING_RECORDS',
    externalId: 'r1',
    keys: ['record:r1', 'expense:e1'],
    merchantName: 'Office Depot Inc',
    memo: 'Toner for floor 3',
    transactionDate: day('2026-11-12'),
    parts: [part({ sourceLineId: 'l1', glAccount: '6100', costCentre: 'CC1' })],
    ...over,
  });

describe('one purchase seen three times', () => {
  const unified = unify([card(), expense(), record()]);

  it('is one amount, coded by its accounting record', () => {
    expect(unified.amount).toEqual(usd('100.00'));
    expect(unified.parts).toEqual([
      part({
        sourceLineId: 'l1',
        glAccount: '6100',
        costCentre: 'CC1',
        category: 'OFFICE_SUPPLIES',
        memo: 'Toner for floor 3',
      }),
    ]);
    expect(unified.streams).toEqual(['ACCOUNTING_RECORDS', 'EXPENSES', 'CARD_TRANSACTIONS']);
    expect(unified.disagreement).toBeNull();
  });

  it('takes the merchant from the purchase and not from the record', () => {
    expect(unified.merchantName).toBe('Office Depot');
    expect(unified.merchantDescriptor).toBe('OFFICE DEPOT #88');
    expect(unified.mcc).toBe('5943');
  });

  it('happened on the day of the expense, not on the day of the record', () => {
    expect(unified.transactionDate).toBe('2026-11-08');
  });

  it('keeps what only one of its views knows', () => {
    expect(unified).toMatchObject({ spender: 'Ana Ruiz', memo: 'Toner for floor 3', receiptUrls: ['https://r/1'] });
    expect(unified.postedDate).toBe('2026-11-11');
  });
});

describe('splits', () => {
  const parent = expense({ amount: usd('100.00') });
  const child = (id: string, amount: string, category: string) =>
    expense({ externalId: id, keys: [`expense:${id}`, 'expense:e1'], amount: usd(amount), category });
  const children = [child('e1a', '60.00', 'OFFICE_SUPPLIES'), child('e1b', '40.00', 'TRAVEL')];

  it('count their parts and never parent and parts', () => {
    const unified = unify([parent, ...children, card()]);
    expect(unified.amount).toEqual(usd('100.00'));
    expect(unified.parts.map((each) => [each.sourceLineId, each.amount.minor, each.category])).toEqual([
      ['e1a', 6000n, 'OFFICE_SUPPLIES'],
      ['e1b', 4000n, 'TRAVEL'],
    ]);
    expect(unified.disagreement).toBeNull();
  });

  it('of which only one part was seen are not taken for the whole', () => {
    const unified = unify([parent, ...children.slice(0, 1)]);
    expect(unified.disagreement).toMatch(/60\.00 USD, the whole is 100\.00 USD/);
  });

  it('bring the accounting records of all their parts', () => {
    const records = children.map((each) =>
      record({
        externalId: `r-${each.externalId}`,
        keys: [`record:r-${each.externalId}`, `expense:${each.externalId}`],
        amount: each.amount,
        parts: [part({ amount: each.amount, glAccount: '6100' })],
      }),
    );
    const unified = unify([card(), parent, ...children, ...records]);
    expect(unified.parts.map((each) => [each.amount.minor, each.category])).toEqual([
      [6000n, 'OFFICE_SUPPLIES'],
      [4000n, 'TRAVEL'],
    ]);
    expect(unified.disagreement).toBeNull();
    // The record of the whole was made before the split and is history now.
    expect(unify([card(), parent, ...children, ...records, record()]).amount).toEqual(usd('100.00'));
  });

  it('that name each other are told apart by who names more', () => {
    const naming = { ...parent, keys: ['expense:e1', 'expense:e1a', 'expense:e1b'] };
    expect(unify([naming, ...children]).amount).toEqual(usd('100.00'));
  });
});

describe('a split whose parent lists its parts', () => {
  const listed = (id: string, amount: string, category: string) =>
    part({ sourceLineId: id, amount: usd(amount), category });
  const parent = expense({
    keys: ['expense:e1', 'expense:e1a', 'expense:e1b'],
    parts: [listed('e1a', '60.00', 'OFFICE_SUPPLIES'), listed('e1b', '40.00', 'TRAVEL')],
  });
  const child = (id: string, amount: string, category: string) =>
    expense({ externalId: id, keys: [`expense:${id}`], amount: usd(amount), category, spender: null });
  const children = [child('e1a', '60.00', 'OFFICE_SUPPLIES'), child('e1b', '40.00', 'MEALS')];
  const childRecord = (id: string, amount: string) =>
    record({
      externalId: `r-${id}`,
      keys: [`record:r-${id}`, `expense:${id}`],
      amount: usd(amount),
      parts: [part({ amount: usd(amount), glAccount: '6100', category: '6100' })],
    });
  const categories = (objects: SourceObject[]) => {
    const unified = unify(objects);
    expect(unified).toMatchObject({ amount: usd('100.00'), disagreement: null, spender: 'Ana Ruiz' });
    return unified.parts.map((each) => `${each.category} ${each.amount.minor}`);
  };

  it('counts as its parts do, once', () => {
    expect(categories([parent, card()])).toEqual(['OFFICE_SUPPLIES 6000', 'TRAVEL 4000']);
    expect(categories([parent, ...children, card()])).toEqual(['OFFICE_SUPPLIES 6000', 'MEALS 4000']);
  });

  it('knows the whole while some of its parts have not been seen', () => {
    expect(categories([parent, ...children.slice(0, 1), card()])).toEqual(['OFFICE_SUPPLIES 6000', 'TRAVEL 4000']);
  });

  it('gives each accounting record the category of its own part', () => {
    const records = [childRecord('e1a', '60.00'), childRecord('e1b', '40.00')];
    expect(categories([parent, ...records])).toEqual(['OFFICE_SUPPLIES 6000', 'TRAVEL 4000']);
    // The record of the whole is from before the split.
    expect(categories([parent, ...records, record()])).toEqual(['OFFICE_SUPPLIES 6000', 'TRAVEL 4000']);
  });

  it('knows refunds by their own keys', () => {
    const refund = expense({
      externalId: 'e9',
      keys: ['expense:e9#refund', 'expense:e9a#refund'],
      amount: usd('-60.00'),
      parts: [listed('e9a', '-60.00', 'TRAVEL')],
    });
    const own = expense({ externalId: 'e9a', keys: ['expense:e9a#refund'], amount: usd('-60.00') });
    expect(unify([refund, own]).amount).toEqual(usd('-60.00'));
  });
});

describe('partial charges', () => {
  it('of a card add up', () => {
    const first = card({ amount: usd('30.00'), postedDate: day('2026-11-10') });
    const second = card({ externalId: 'pst_2', keys: ['card:pst_2', 'expense:e1'], amount: usd('70.00') });
    const unified = unify([first, second, expense()]);
    expect(unified.amount).toEqual(usd('100.00'));
    expect(unified.disagreement).toBeNull();
    expect(unify([first, expense()]).disagreement).toBe(
      'The source names two amounts: 100.00 USD in the expense and 30.00 USD in the card transaction.',
    );
  });
});

describe('disagreement', () => {
  it('on the amount names both figures', () => {
    expect(unify([record(), card({ amount: usd('90.00') })]).disagreement).toBe(
      'The source names two amounts: 100.00 USD in the accounting record and 90.00 USD in the card transaction.',
    );
  });

  it('is none when the settled money and the record agree against the figure somebody entered', () => {
    expect(unify([record(), expense({ amount: usd('80.00') }), card()]).disagreement).toBeNull();
  });

  it('is not sought between currencies', () => {
    expect(unify([expense(), card({ amount: { minor: 9_000n, currency: 'EUR' } })]).disagreement).toBeNull();
  });

  it('is seen when the parts of one of several objects do not add up to it', () => {
    const short = record({ parts: [part({ amount: usd('99.99') })] });
    const other = record({ externalId: 'r2', keys: ['record:r2', 'expense:e1'] });
    expect(unify([short, other]).disagreement).toBe('The parts of r1 add up to 99.99 USD, the whole is 100.00 USD.');
  });

  it('is none where parts do not add up to the one object that has them: tax may come on top, and planning knows', () => {
    const unified = unify([record({ parts: [part({ amount: usd('99.99') })] })]);
    expect(unified.disagreement).toBeNull();
    expect(unified.amount).toEqual(usd('100.00'));
  });
});

describe('refunds', () => {
  it('that were linked to their purchase cancel it out', () => {
    const refund = record({
      externalId: 'r2',
      keys: ['record:r2', 'expense:e1'],
      kind: 'REFUND',
      amount: usd('-100.00'),
      parts: [part({ amount: usd('-100.00'), glAccount: '6100' })],
    });
    const back = card({
      externalId: 'pst_2',
      keys: ['card:pst_2', 'expense:e1'],
      kind: 'REFUND',
      amount: usd('-100.00'),
    });
    const unified = unify([record(), refund, card(), back, expense()]);
    expect(unified.amount).toEqual(usd('0.00'));
    expect(unified.parts.map((each) => each.amount.minor)).toEqual([10_000n, -10_000n]);
    expect(unified.disagreement).toBeNull();
  });
});

describe('withdrawn views', () => {
  it('say nothing while the card transaction stands', () => {
    const unified = unify([card(), record({ isWithdrawn: true })]);
    expect(unified).toMatchObject({ isWithdrawn: false, streams: ['CARD_TRANSACTIONS'], disagreement: null });
    expect(unified.parts[0]?.glAccount).toBeNull();
  });

  it('contradict a record that stands', () => {
    expect(unify([record(), expense({ isWithdrawn: true })]).disagreement).toMatch(/withdrew expense e1/);
  });

  it('make the purchase withdrawn when there are no others', () => {
    const unified = unify([card({ isWithdrawn: true }), expense({ isWithdrawn: true })]);
    expect(unified.isWithdrawn).toBe(true);
    expect(unified.amount).toEqual(usd('100.00'));
  });
});

describe('movements that are no spend', () => {
  const payout = record({
    externalId: 'r9',
    keys: ['record:r9', 'expense:e1'],
    kind: 'NOT_SPEND',
    notSpendReason: 'A payout.',
  });

  it('are not counted beside the spend they pay for', () => {
    const unified = unify([record({ kind: 'REIMBURSEMENT' }), payout]);
    expect(unified).toMatchObject({ kind: 'REIMBURSEMENT', notSpendReason: null, amount: usd('100.00') });
  });

  it('are not spend when they are alone', () => {
    expect(unify([payout])).toMatchObject({ kind: 'NOT_SPEND', notSpendReason: 'A payout.' });
  });
});

describe('tax and foreign money', () => {
  it('of an expense reaches the one part of its accounting record', () => {
    const unified = unify([record(), expense({ tax: usd('16.00') })]);
    expect(unified.parts[0]?.tax).toEqual(usd('16.00'));
    expect(unified.tax).toEqual(usd('16.00'));
  });

  it('stays in the amount when nobody says which part contains it', () => {
    const halves = [part({ amount: usd('50.00') }), part({ amount: usd('50.00') })];
    const unified = unify([record({ parts: halves, tax: usd('16.00') })]);
    expect(unified.parts.map((each) => each.tax)).toEqual([null, null]);
    expect(unified.tax).toEqual(usd('16.00'));
  });

  it('keeps the original amount and the rate', () => {
    const originalAmount = { minor: 9_000n, currency: 'EUR' };
    const unified = unify([record(), card({ originalAmount, exchangeRate: '1.1111' })]);
    expect(unified).toMatchObject({ originalAmount, exchangeRate: '1.1111' });
  });
});

describe('what the engine may not give', () => {
  it('is two versions of one object', () => {
    expect(() => unify([card(), card({ version: '2' })])).toThrow(InvariantError);
  });

  it('is nothing', () => {
    expect(() => unify([])).toThrow(InvariantError);
  });

  it('the same version twice counts once', () => {
    expect(unify([card(), card()]).amount).toEqual(usd('100.00'));
  });
});
