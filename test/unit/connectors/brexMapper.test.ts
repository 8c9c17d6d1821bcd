/**
 * What would be caught here: the hundredfold error between Brex's two money formats, a refund that is merged into its
 * purchase, money movements posted as expenses, and anything guessed about a type Brex added yesterday.
 */
import { describe, expect, it } from 'vitest';
import { settingsSchema } from '../../../src/connectors/brex/config.js';
import { mapExpense } from '../../../src/connectors/brex/expenseMapper.js';
import { contentHash, parseJson, plainDecimal } from '../../../src/connectors/brex/json.js';
import { mapCardTransaction, mapCashTransaction } from '../../../src/connectors/brex/mapper.js';
import { cardTransactionSchema, cashTransactionSchema, expenseSchema } from '../../../src/connectors/brex/wire.js';
import { decimalOf } from '../../../src/domain/money.js';
import { InputError } from '../../../src/errors.js';

type Patch = Record<string, unknown>;

/** Through the text, so that amounts take the way they take from the wire. */
function wire(value: unknown) {
  return parseJson(JSON.stringify(value), 'test');
}

function card(patch: Patch = {}) {
  const parsed = wire({
    id: 'pst_1',
    card_id: 'card_1',
    description: 'OFFICE  DEPOT #88 ',
    amount: { amount: 17175, currency: 'USD' },
    initiated_at_date: '2026-06-09',
    posted_at_date: '2026-06-11',
    type: 'PURCHASE',
    merchant: { raw_descriptor: 'OFFICE DEPOT #88 ', mcc: '5943', country: 'USA' },
    expense_id: 'expense_9',
    a_new_field: { nested: [1] },
    ...patch,
  });
  return mapCardTransaction(cardTransactionSchema.parse(parsed.exact), parsed.plain);
}

function cash(patch: Patch = {}) {
  const parsed = wire({
    id: 'cash_1',
    description: 'Wire fee',
    amount: { amount: -1500, currency: 'USD' },
    initiated_at_date: '2026-06-09',
    posted_at_date: '2026-06-09',
    type: 'FEE',
    transfer_id: null,
    ...patch,
  });
  return mapCashTransaction(cashTransactionSchema.parse(parsed.exact), parsed.plain);
}

function expense(patch: Patch = {}, settings: Patch = {}) {
  const parsed = wire({
    id: 'expense_9',
    updated_at: '2026-06-12T08:00:10.422192Z',
    dashboard_url: 'https://dashboard.brex.com/e/9',
    expense_type: 'CARD',
    status: 'APPROVED',
    payment_status: 'CLEARED',
    category: 'OFFICE_SUPPLIES',
    memo: ' Toner ',
    billing_amount: { amount: 17175, currency: 'USD' },
    original_amount: { amount: 15840, currency: 'EUR' },
    purchased_at: '2026-06-09T23:59:59.999999Z',
    payment_posted_at: '2026-06-11T09:09:05.840Z',
    merchant: { raw_descriptor: 'OFFICE DEPOT', mcc: '5943', country: 'USA' },
    user: { id: 'u1', first_name: 'Ana ', last_name: ' Ruiz ' },
    department: { id: 'd1', name: 'R&D ' },
    location: null,
    receipts: [{ id: 'r1', download_uris: ['https://presigned.invalid/r/1'] }],
    ...patch,
  });
  return mapExpense(expenseSchema.parse(parsed.exact), parsed.plain, settingsSchema.parse(settings));
}

describe('numbers', () => {
  it('keep their own text, whatever a float would make of it', () => {
    const parsed = parseJson('{"a":0.1,"b":9007199254740993,"c":171.750}', 'test').exact;
    expect(JSON.stringify(parsed)).toBe('{"a":{"text":"0.1"},"b":{"text":"9007199254740993"},"c":{"text":"171.750"}}');
  });

  it.each([
    ['1.5e3', '1500'],
    ['1E+3', '1000'],
    ['12.5e-1', '1.25'],
    ['5e-3', '0.005'],
    ['-0.05', '-0.05'],
    ['171.750', '171.750'],
    ['1e999', null],
  ])('%s without exponent is %s', (text, expected) => {
    expect(plainDecimal(text)).toBe(expected);
  });

  it('the content hash does not depend on the order of keys', () => {
    expect(contentHash({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(contentHash({ b: [{ d: 3, c: 2 }], a: 1 }));
    expect(contentHash({ a: 1 })).not.toBe(contentHash({ a: 2 }));
  });
});

describe('card transactions', () => {
  it('a purchase is read in minor units, trimmed, under both of its names', () => {
    expect(card()).toMatchObject({
      kind: 'PURCHASE',
      isFinal: true,
      amount: { minor: 17175n, currency: 'USD' },
      keys: ['card:pst_1', 'expense:expense_9'],
      merchantName: 'OFFICE DEPOT #88',
      mcc: '5943',
      transactionDate: '2026-06-09',
      postedDate: '2026-06-11',
    });
  });

  it('an amount above what a double holds is exact', () => {
    const parsed = parseJson('{"amount":9007199254740993,"currency":"USD"}', 'test').exact;
    const read = cardTransactionSchema.parse({
      id: 'x',
      amount: parsed,
      type: 'PURCHASE',
      initiated_at_date: '2026-06-09',
      posted_at_date: '2026-06-09',
    });
    expect(mapCardTransaction(read, {}).amount.minor).toBe(9007199254740993n);
  });

  it('yen have no decimals and a missing currency means dollars', () => {
    expect(decimalOf(card({ amount: { amount: 1030, currency: 'JPY' } }).amount)).toBe('1030');
    expect(card({ amount: { amount: 1030, currency: null } }).amount).toEqual({ minor: 1030n, currency: 'USD' });
  });

  it('a refund never shares a key with the purchase it gives back', () => {
    const refund = card({ id: 'pst_2', type: 'REFUND', amount: { amount: -17175, currency: 'USD' } });
    expect(refund.kind).toBe('REFUND');
    expect(refund.keys).toEqual(['card:pst_2', 'expense:expense_9#refund']);
    expect(card().keys.filter((key) => refund.keys.includes(key))).toEqual([]);
  });

  it('a lost dispute charges again under a key of its own', () => {
    expect(card({ type: 'CHARGEBACK', amount: { amount: -5, currency: 'USD' } }).kind).toBe('REFUND');
    const again = card({ type: 'CHARGEBACK', amount: { amount: 5, currency: 'USD' } });
    expect(again).toMatchObject({ kind: 'PURCHASE', keys: ['card:pst_1', 'expense:expense_9#chargeback'] });
  });

  it.each(['COLLECTION', 'REWARDS_CREDIT'])('%s is no spend, with a reason and its own key only', (type) => {
    const moved = card({ type, amount: { amount: -500000, currency: 'USD' }, merchant: null });
    expect(moved).toMatchObject({ kind: 'NOT_SPEND', keys: ['card:pst_1'] });
    expect(moved.notSpendReason).toMatch(/\.$/);
  });

  it.each([
    [{ type: 'SOMETHING_NEW' }],
    [{ type: null }],
    [{ type: 'toString' }],
    [{ type: 'PURCHASE', amount: { amount: -5, currency: 'USD' } }],
    [{ type: 'REFUND', amount: { amount: 5, currency: 'USD' } }],
    [{ amount: { amount: 10.5, currency: 'USD' } }],
    [{ amount: { amount: 10, currency: 'DOLLARS' } }],
    [{ posted_at_date: '2026-02-30' }],
  ])('%j is unreadable, not guessed', (patch) => {
    expect(() => card(patch)).toThrow(InputError);
  });

  it('the version follows what we read and not fields Brex adds', () => {
    expect(card({ a_new_field: 2 }).version).toBe(card().version);
    expect(card({ description: 'changed' }).version).not.toBe(card().version);
    expect(card({ expense_id: null }).version).not.toBe(card().version);
  });
});

describe('cash transactions', () => {
  it('money out is positive spend', () => {
    expect(cash()).toMatchObject({ kind: 'PURCHASE', amount: { minor: 1500n }, keys: ['cash:cash_1'] });
    expect(cash({ amount: { amount: 1500, currency: 'USD' } })).toMatchObject({
      kind: 'REFUND',
      amount: { minor: -1500n },
    });
  });

  it.each(['PAYMENT', 'DIVIDEND', 'CARD_COLLECTION', 'BOOK_TRANSFER', 'STABLECOIN', 'PAYBACK'])(
    '%s is no spend',
    (type) => {
      expect(cash({ type, transfer_id: 'ptx_1' })).toMatchObject({ kind: 'NOT_SPEND', keys: ['cash:cash_1'] });
    },
  );

  it('no amount, and an unknown type, are unreadable', () => {
    expect(() => cash({ amount: null })).toThrow(InputError);
    expect(() => cash({ type: 'NEW_KIND' })).toThrow(InputError);
  });
});

describe('expenses', () => {
  it('are read with names trimmed, the original amount, the rate and a lasting link only', () => {
    const read = expense();
    expect(read).toMatchObject({
      kind: 'PURCHASE',
      isFinal: true,
      isWithdrawn: false,
      version: '2026-06-12T08:00:10.422192Z',
      keys: ['expense:expense_9'],
      amount: { minor: 17175n, currency: 'USD' },
      originalAmount: { minor: 15840n, currency: 'EUR' },
      exchangeRate: '1.084280303',
      category: 'OFFICE_SUPPLIES',
      spender: 'Ana Ruiz',
      memo: 'Toner',
      dimensions: { Department: 'R&D' },
      transactionDate: '2026-06-09',
      postedDate: '2026-06-11',
      receiptUrls: ['https://dashboard.brex.com/e/9'],
    });
    expect(JSON.stringify(read.raw)).not.toContain('presigned');
  });

  it('a rate between currencies of different decimals is per whole unit', () => {
    expect(expense({ original_amount: { amount: 20000, currency: 'JPY' } }).exchangeRate).toBe('0.0085875');
  });

  it('a negative amount is a refund with a key of its own', () => {
    expect(expense({ billing_amount: { amount: -100, currency: 'USD' } })).toMatchObject({
      kind: 'REFUND',
      keys: ['expense:expense_9#refund'],
    });
  });

  it.each([
    [{ status: 'VOID' }, true],
    [{ status: 'CANCELED' }, true],
    [{ payment_status: 'DECLINED' }, true],
    [{ status: 'A_NEW_STATUS' }, false],
    [{ status: 'DRAFT' }, false],
    [{ payment_status: 'PROCESSING' }, false],
    [{ billing_amount: null }, false],
    [{ expense_type: 'REIMBURSEMENT', status: 'SUBMITTED' }, false],
  ])('%j is withdrawn: %s, and in no case final and valid', (patch, isWithdrawn) => {
    const read = expense(patch);
    expect(read.isWithdrawn).toBe(isWithdrawn);
    expect(read.isFinal && !read.isWithdrawn).toBe(false);
  });

  it('reimbursements and bills are final once approved', () => {
    const approved = { status: 'APPROVED', payment_status: 'AWAITING_PAYMENT' };
    expect(expense({ ...approved, expense_type: 'REIMBURSEMENT' })).toMatchObject({
      kind: 'REIMBURSEMENT',
      isFinal: true,
    });
    expect(expense({ ...approved, expense_type: 'BILLPAY' })).toMatchObject({ kind: 'BILL', isFinal: true });
  });

  it.each([
    [{ expense_type: 'UNSET' }],
    [{ expense_type: null }],
    [{ expense_type: 'NEW' }],
    [{ billing_amount: null, original_amount: null }],
  ])('%j is unreadable', (patch) => {
    expect(() => expense(patch)).toThrow(InputError);
  });

  const part = (id: string, amount: number, more: Patch = {}) => ({
    id,
    expense_type: 'CARD',
    category: 'GROCERY',
    billing_amount: { amount, currency: 'USD' },
    ...more,
  });

  it('a split has its parts, and the keys of its parts, so that parent and parts are one purchase', () => {
    const split = expense({
      status: 'SPLIT',
      expense_line_items: [part('expense_9a', 17000), part('expense_9b', 175)],
    });
    expect(split.keys).toEqual(['expense:expense_9', 'expense:expense_9a', 'expense:expense_9b']);
    expect(split.parts.map((one) => [one.sourceLineId, one.amount.minor])).toEqual([
      ['expense_9a', 17000n],
      ['expense_9b', 175n],
    ]);
  });

  const custom = (key: string, data_type: string, data: unknown) => ({
    key,
    value: { value_type: 'SINGLE_VALUE', data_type, data },
  });

  it('parts that do not add up, or are cut off at a hundred, are unreadable', () => {
    const short = { status: 'SPLIT', expense_line_items: [part('a', 17000)] };
    expect(() => expense(short)).toThrow('do not add up');
    const hundred = Array.from({ length: 100 }, (_, index) => part(`p${index}`, 1));
    expect(() => expense({ expense_line_items: hundred })).toThrow('hundred');
  });

  it('parts that add up but for rounding, or but for the tax on top of them, are left to planning', () => {
    const thirds = ['a', 'b', 'c'].map((id) => part(id, 5725));
    const read = expense({ billing_amount: { amount: 17174, currency: 'USD' }, expense_line_items: thirds });
    expect([read.amount.minor, read.parts.map((one) => one.amount.minor)]).toEqual([17174n, [5725n, 5725n, 5725n]]);
    const taxed = thirds.map((one) => ({ ...one, custom_fields: [custom('VAT', 'DECIMAL', 4.5)] }));
    const onTop = { billing_amount: { amount: 18525, currency: 'USD' }, expense_line_items: taxed };
    expect(expense(onTop, { taxField: 'VAT' }).parts.map((one) => one.tax?.minor)).toEqual([450n, 450n, 450n]);
    expect(() =>
      expense({ ...onTop, billing_amount: { amount: 18500, currency: 'USD' } }, { taxField: 'VAT' }),
    ).toThrow('do not add up');
  });

  it('a split without its parts is not final', () => {
    expect(expense({ status: 'SPLIT', expense_line_items: [] }).isFinal).toBe(false);
  });

  it('custom fields become dimensions, except the tax field', () => {
    const read = expense(
      {
        custom_fields: [
          custom('Project', 'OPTION_STRING', { option_id: 'o1', option_label: ' Apollo ' }),
          custom('Billable', 'BOOLEAN', true),
          custom('Hours', 'DECIMAL', 7.5),
          { key: 'Teams', value: { value_type: 'LIST', data_type: 'STRING', data: ['A', 'B'] } },
          custom('Empty', 'STRING', null),
          custom('VAT', 'MONEY', { amount: 2742, currency: 'USD' }),
        ],
      },
      { taxField: 'VAT' },
    );
    expect(read.dimensions).toEqual({
      Department: 'R&D',
      Project: 'Apollo',
      Billable: 'true',
      Hours: '7.5',
      Teams: 'A, B',
    });
    expect(read.tax).toEqual({ minor: 2742n, currency: 'USD' });
  });

  it('tax may be in the original currency, which planning converts, and in no third one', () => {
    const inEuro = (currency: string) => ({ custom_fields: [custom('VAT', 'MONEY', { amount: 2530, currency })] });
    expect(expense(inEuro('EUR'), { taxField: 'VAT' }).tax).toEqual({ minor: 2530n, currency: 'EUR' });
    expect(() => expense(inEuro('GBP'), { taxField: 'VAT' })).toThrow('The tax is in GBP, the amount in USD.');
  });

  it('an expense over nothing may state tax, and a rate is what its two amounts imply', () => {
    const nothing = { billing_amount: { amount: 0, currency: 'USD' }, custom_fields: [custom('VAT', 'DECIMAL', 1.9)] };
    expect(expense(nothing, { taxField: 'VAT' }).tax?.minor).toBe(190n);
    expect(expense()).toMatchObject({ exchangeRate: '1.084280303', rateOrigin: 'IMPLIED' });
  });

  it('tax in decimals is major units, follows the sign, and must fit into the amount', () => {
    const settings = { taxField: 'VAT' };
    expect(expense({ custom_fields: [custom('VAT', 'DECIMAL', 27.42)] }, settings).tax?.minor).toBe(2742n);
    const refund = { billing_amount: { amount: -17175, currency: 'USD' } };
    expect(expense({ ...refund, custom_fields: [custom('VAT', 'DECIMAL', 27.42)] }, settings).tax?.minor).toBe(-2742n);
    expect(expense({ custom_fields: [custom('VAT', 'DECIMAL', 0)] }, settings).tax).toBeNull();
    expect(() => expense({ custom_fields: [custom('VAT', 'DECIMAL', 500)] }, settings)).toThrow(InputError);
    expect(() => expense({ custom_fields: [custom('VAT', 'STRING', 'much')] }, settings)).toThrow(InputError);
  });
});
