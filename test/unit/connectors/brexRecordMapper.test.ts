/**
 * What would be caught here: decimals that went through a float, a posting of both sides of a record, money movements
 * posted as expenses, and a reimbursement that is booked twice.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldOf } from '../../../src/connectors/brex/codingFields.js';
import { settingsSchema } from '../../../src/connectors/brex/config.js';
import { parseJson } from '../../../src/connectors/brex/json.js';
import { mapAccountingRecord } from '../../../src/connectors/brex/recordMapper.js';
import { accountingRecordSchema } from '../../../src/connectors/brex/wire.js';
import { decimalOfMinor } from '../../../src/domain/money.js';
import { InputError } from '../../../src/errors.js';

type Patch = Record<string, unknown>;

const SETTINGS = { glAccountField: 'gl_account', costCentreField: 'cost_center' };
const GL = { brex_field_id: 'ef_gl', remote_field_id: 'gl_account', field_name: 'GL Account' };
const CC = { brex_field_id: 'ef_cc', remote_field_id: 'cost_center', field_name: 'Cost center' };
const PROJECT = { brex_field_id: 'ef_pr', remote_field_id: 'project', field_name: 'Project ' };

function line(type: string, amount: number | string, values: unknown[] = []) {
  return { id: `accrli_${type}_${amount}`, type, amount: { amount, currency: 'USD' }, accounting_field_values: values };
}

function coded(field: object, value: string | null) {
  return { ...field, brex_field_value_id: value && `efo_${value}`, remote_field_value_id: value };
}

/** `text` replaces amounts in the JSON text itself, where a JavaScript number could not say them. */
function record(patch: Patch = {}, settings: Patch = {}, text: (json: string) => string = (json) => json) {
  const json = JSON.stringify({
    id: 'accr_1',
    type: 'CARD_EXPENSE_POST',
    review_status: 'READY_FOR_EXPORT',
    source_type: 'CARD',
    source_id: 'expense_9',
    amount: { amount: 171.75, currency: 'USD' },
    original_amount: { amount: 158.4, currency: 'EUR' },
    erp_posting_date: '2026-06-30T09:09:05.840865Z',
    posted_at: '2026-06-11T09:09:05.840Z',
    updated_at: '2026-06-12T08:00:10.422192Z',
    version: 3,
    memo: 'Toner',
    receipts: [{ id: 'r1', download_uris: ['https://presigned.invalid/r/1'] }],
    user: { id: 'u', first_name: 'Ana ', last_name: 'Ruiz ', department_name: 'R&D' },
    vendor: { id: 'pmch_5', name: 'Office Depot ' },
    status: 'SUBMITTED',
    line_items: [line('DEBIT', 171.75, [coded(GL, '6400-00-100'), coded(CC, 'K020'), coded(PROJECT, null)])],
    ...patch,
  });
  const parsed = parseJson(text(json), 'test');
  const read = accountingRecordSchema.parse(parsed.exact);
  return mapAccountingRecord(read, parsed.plain, settingsSchema.parse(settings));
}

describe('accounting records', () => {
  it('171.75 is 171 dollars 75, coded by the remote ids of the configured fields', () => {
    const read = record();
    expect(read).toMatchObject({
      kind: 'PURCHASE',
      isFinal: true,
      version: '3@2026-06-12T08:00:10.422192Z',
      keys: ['record:accr_1', 'expense:expense_9'],
      amount: { minor: 17175n, currency: 'USD' },
      originalAmount: { minor: 15840n, currency: 'EUR' },
      merchantName: 'Office Depot',
      spender: 'Ana Ruiz',
      transactionDate: '2026-06-11',
      postedDate: '2026-06-30',
      receiptUrls: [],
      dimensions: { Department: 'R&D' },
    });
    expect(read.parts).toEqual([
      {
        sourceLineId: 'accrli_DEBIT_171.75',
        amount: { minor: 17175n, currency: 'USD' },
        tax: null,
        category: '6400-00-100',
        glAccount: '6400-00-100',
        costCentre: 'K020',
        dimensions: {},
        memo: null,
      },
    ]);
    expect(JSON.stringify(read.raw)).not.toContain('presigned');
  });

  it('what was coded with a field made for a dimension of the ledger goes by the ledger’s name', () => {
    const field = {
      brex_field_id: 'ef_d',
      remote_field_id: fieldOf('dimension:Projekt Süd', SETTINGS),
      field_name: 'x',
    };
    const { parts } = record({ line_items: [line('DEBIT', 171.75, [coded(field, 'P1'), coded(PROJECT, 'P2')])] });
    expect(parts[0]?.dimensions).toEqual({ 'Projekt Süd': 'P1', project: 'P2' });
  });

  it('amounts keep the text of the wire: a long number of cents, an exponent, trailing zeros', () => {
    const big = (json: string) => json.replaceAll('171.75', '90071992547409.93');
    expect(record({}, {}, big).amount.minor).toBe(9007199254740993n);
    const exponent = (json: string) => json.replaceAll('"amount":171.75', '"amount":1.7175E+2');
    expect(record({}, {}, exponent).amount.minor).toBe(17175n);
    const zeros = (json: string) => json.replaceAll('"amount":171.75', '"amount":171.7500');
    expect(record({}, {}, zeros).amount.minor).toBe(17175n);
  });

  it('more decimals than the currency has are refused, not rounded', () => {
    expect(() => record({ amount: { amount: 171.755, currency: 'USD' } })).toThrow('more decimals');
    expect(() => record({ amount: { amount: 171.5, currency: 'JPY' } })).toThrow('more decimals');
  });

  it('double entry: the uncoded opposite side is left out', () => {
    const both = [line('DEBIT', 171.75, [coded(GL, '6400')]), line('CREDIT', 171.75)];
    expect(record({ line_items: both }).parts).toHaveLength(1);
  });

  it('a coded discount on the opposite side is a negative part', () => {
    const lines = [line('DEBIT', 200, [coded(GL, '6400')]), line('CREDIT', 28.25, [coded(GL, '6500')])];
    expect(record({ line_items: lines }).parts.map((part) => part.amount.minor)).toEqual([20000n, -2825n]);
  });

  it('splits post their lines, and lines that do not add up are unreadable', () => {
    const lines = [line('DEBIT', 171.7, [coded(GL, '6400')]), line('DEBIT', 0.05, [coded(GL, null)])];
    const parts = record({ line_items: lines }).parts;
    expect(parts.map((part) => [part.amount.minor, part.glAccount])).toEqual([
      [17170n, '6400'],
      [5n, null],
    ]);
    expect(() => record({ line_items: [line('DEBIT', 171.7)] })).toThrow('do not add up');
    // Less than one cent a line is what rounding leaves: planning books it by itself.
    const rounded = [line('DEBIT', 85.87), line('DEBIT', 85.87)];
    expect(record({ line_items: rounded }).parts.map((part) => part.amount.minor)).toEqual([8587n, 8587n]);
    expect(() => record({ line_items: [line('DEBIT', 85.87), line('DEBIT', 85.86)] })).toThrow('do not add up');
    expect(() => record({ line_items: [line('DEBIT', -171.75)] })).toThrow(InputError);
  });

  it('a field is found by its remote id, Brex id or name, in any case; others become dimensions', () => {
    const lines = [
      line('DEBIT', 171.75, [
        { ...GL, remote_field_id: 'GL_ACCOUNT', remote_field_value_id: null, field_value_name: '6400 Supplies' },
        coded(PROJECT, 'P7'),
      ]),
    ];
    const byName = record({ line_items: lines }, { costCentreField: 'project' }).parts[0];
    expect(byName).toMatchObject({ glAccount: null, category: '6400 Supplies', costCentre: 'P7', dimensions: {} });
    const plain = record({ line_items: lines }).parts[0];
    expect(plain).toMatchObject({ costCentre: null, dimensions: { project: 'P7' } });
  });

  it('a refund is negative whatever sign Brex gives it, with a key of its own', () => {
    for (const amount of [20, -20]) {
      const read = record({
        type: 'CARD_EXPENSE_REFUND',
        amount: { amount, currency: 'USD' },
        original_amount: { amount: 18, currency: 'EUR' },
        line_items: [line('CREDIT', 20, [coded(GL, '6400')])],
      });
      expect(read).toMatchObject({
        kind: 'REFUND',
        amount: { minor: -2000n },
        originalAmount: { minor: -1800n },
        keys: ['record:accr_1', 'expense:expense_9#refund'],
        parts: [{ amount: { minor: -2000n } }],
      });
    }
  });

  it('a repayment by the employee is money back, apart from purchase and refund', () => {
    const read = record({ type: 'CARD_EXPENSE_REPAYMENT', line_items: [] });
    expect(read).toMatchObject({ kind: 'REFUND', keys: ['record:accr_1', 'expense:expense_9#repayment'] });
  });

  it('exactly one of approval and payment of a reimbursement is spend', () => {
    const kindOf = (type: string, reimbursementBasis: string) => record({ type }, { reimbursementBasis }).kind;
    expect(kindOf('REIMBURSEMENT_EXPENSE_POST', 'CASH')).toBe('REIMBURSEMENT');
    expect(kindOf('REIMBURSEMENT_EXPENSE_APPROVAL', 'CASH')).toBe('NOT_SPEND');
    expect(kindOf('REIMBURSEMENT_EXPENSE_POST', 'ACCRUAL')).toBe('NOT_SPEND');
    expect(kindOf('REIMBURSEMENT_EXPENSE_APPROVAL', 'ACCRUAL')).toBe('REIMBURSEMENT');
  });

  it.each([
    'CARD_PAYMENT',
    'CARD_PAYMENT_REFUND',
    'REWARD_REDEMPTION',
    'BILL_EXPENSE_PAYMENT',
    'BILL_EXPENSE_CARD_PAYMENT',
    'BILL_MONEY_MOVEMENT_PAYIN',
    'INVOICE_PAYMENT',
    'REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT',
    'REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT_REVERSAL',
    'REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYIN',
    'REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_REFUND',
  ])('%s moves money: no spend, its own key only, a reason', (type) => {
    const read = record({ type, amount: { amount: -5, currency: 'USD' } });
    expect(read).toMatchObject({ kind: 'NOT_SPEND', keys: ['record:accr_1'], parts: [] });
    expect(read.notSpendReason).toMatch(/\.$/);
  });

  it.each([
    [{ type: 'INVOICE' }],
    [{ type: 'SOMETHING_NEW' }],
    [{ amount: { amount: -171.75, currency: 'USD' } }],
    [{ posted_at: null, erp_posting_date: null }],
  ])('%j is unreadable', (patch) => {
    expect(() => record(patch)).toThrow(InputError);
  });

  it.each([
    ['PREPARE', false],
    ['REVIEW', false],
    ['A_NEW_STATUS', false],
    ['READY_FOR_EXPORT', true],
    ['EXPORTED', true],
  ])('review status %s is final: %s', (review_status, isFinal) => {
    expect(record({ review_status }).isFinal).toBe(isFinal);
  });

  it('whatever the lines, their parts add up to the record exactly or it is unreadable', () => {
    const currencies = fc.constantFrom('USD', 'JPY', 'KWD');
    const amounts = fc.array(fc.bigInt({ min: 0n, max: 10n ** 15n }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(currencies, amounts, fc.boolean(), fc.boolean(), (currency, minors, isRefund, isDouble) => {
        const total = minors.reduce((sum, minor) => sum + minor, 0n);
        const [near, far] = isRefund ? ['CREDIT', 'DEBIT'] : ['DEBIT', 'CREDIT'];
        const json = (minor: bigint) => `{"amount":${decimalOfMinor(minor, currency)},"currency":"${currency}"}`;
        const lineText = (type: string, minor: bigint, values: string) =>
          `{"id":"l","type":"${type}","amount":${json(minor)},"accounting_field_values":[${values}]}`;
        const lines = minors.map((minor) => lineText(near as string, minor, '{"remote_field_id":"gl_account"}'));
        if (isDouble) lines.push(lineText(far as string, total, ''));
        const replaced = (text: string) =>
          text
            .replace('"amount":{"amount":171.75,"currency":"USD"}', `"amount":${json(total)}`)
            .replace('"line_items":[]', `"line_items":[${lines.join(',')}]`);
        const type = isRefund ? 'CARD_EXPENSE_REFUND' : 'CARD_EXPENSE_POST';
        const read = record({ type, original_amount: null, line_items: [] }, {}, replaced);
        expect(read.amount.minor).toBe(isRefund ? -total : total);
        expect(read.parts.reduce((sum, part) => sum + part.amount.minor, 0n)).toBe(read.amount.minor);
      }),
    );
  });
});
