/**
 * What would be caught here: a foreign amount taken for the report's currency, a zero that means "not edited" taken for
 * an edit, yen read as cents, ids that lost digits in a float, tags of one shape only, days of the wrong time zone, and
 * expenses that vanish because they could not be read.
 */
import { describe, expect, it } from 'vitest';
import { codesOf, needsPolicy, type PolicyCodes, tagLevelsOf } from '../../../src/connectors/expensify/coding.js';
import { dayOf, mapExpense } from '../../../src/connectors/expensify/mapper.js';
import { expenseSchema, reportSchema } from '../../../src/connectors/expensify/wire.js';
import type { SourceObject } from '../../../src/domain/spend.js';
import { InputError } from '../../../src/errors.js';
import { expense, report, settingsWith } from './expensifyHarness.js';

interface Given {
  readonly report?: Record<string, unknown>;
  readonly expense?: Record<string, unknown>;
  readonly settings?: Record<string, unknown>;
  readonly policy?: PolicyCodes | null;
}

function mapped(given: Given = {}): SourceObject {
  const wireReport = reportSchema.parse({ ...report(given.report).fields, lines: 1 });
  const wireExpense = expenseSchema.parse(expense(given.expense));
  return mapExpense(wireReport, wireExpense, given.policy ?? null, settingsWith(given.settings));
}

describe('an expense', () => {
  it('is one object under its own id, reported under its report', () => {
    expect(mapped()).toMatchObject({
      stream: 'EXPENSE_REPORTS',
      externalId: '4056343049275634494',
      exportId: 'R00AbCdEf123',
      keys: ['expense:4056343049275634494'],
      kind: 'REIMBURSEMENT',
      isFinal: true,
      isWithdrawn: false,
      amount: { minor: 1250n, currency: 'USD' },
      originalAmount: null,
      exchangeRate: null,
      tax: null,
      merchantName: 'Hotel Adler',
      category: 'Travel',
      spender: 'Eva Example',
      memo: 'Trade fair',
      transactionDate: '2026-11-02',
      postedDate: '2026-11-17',
    });
    expect(mapped().parts).toMatchObject([
      { sourceLineId: '4056343049275634494', amount: { minor: 1250n }, glAccount: '6200', costCentre: null },
    ]);
  });

  it('stays the same object when it is moved to another report', () => {
    const moved = mapped({ report: { reportID: 'R00Other' } });
    expect(moved.externalId).toBe(mapped().externalId);
    expect(moved.keys).toEqual(mapped().keys);
    expect(moved.exportId).toBe('R00Other');
  });

  it('has another version when anything of it or of its report changes', () => {
    const versions = [mapped(), mapped({ expense: { comment: 'x' } }), mapped({ report: { approved: '2026-11-06' } })];
    expect(new Set(versions.map(({ version }) => version)).size).toBe(3);
    expect(mapped().version).toBe(mapped().version);
  });

  it('takes the edited merchant, date and category code before the imported ones', () => {
    const edited = { modifiedMerchant: 'Adler GmbH', modifiedCreated: '2026-11-01', modifiedMCC: '742', mcc: '7011' };
    expect(mapped({ expense: edited })).toMatchObject({
      merchantName: 'Adler GmbH',
      transactionDate: '2026-11-01',
      mcc: '0742',
    });
    expect(mapped({ expense: { mcc: '0' } }).mcc).toBeNull();
  });

  it('with an id that is no plain number is refused, and so is a bare number that a float has already rounded', () => {
    expect(() => mapped({ expense: { transactionID: '4,056,343,049,275,634,494' } })).toThrow(InputError);
    expect(expenseSchema.safeParse({ k: 'line', transactionID: Number('4056343049275634494') }).success).toBe(false);
  });

  it('of a workspace that was not asked for is refused', () => {
    expect(() => mapped({ settings: { policyIDs: ['FEDCBA'] } })).toThrow(/not in policyIDs/);
    expect(mapped({ settings: { policyIDs: ['0123456789abcdef'] } }).isFinal).toBe(true);
  });
});

describe('the state of the report', () => {
  it.each(['Reimbursed', 'APPROVED'])('%s may be posted', (status) => {
    expect(mapped({ report: { status } }).isFinal).toBe(true);
  });

  it.each(['Open', 'PROCESSING', 'submitted', 'Closed'])('%s waits, with or without an approval date', (status) => {
    expect(mapped({ report: { status, approved: '' } })).toMatchObject({ isFinal: false, postedDate: null });
  });

  it('that is not in either list makes the expense unreadable instead of letting it wait in silence', () => {
    expect(() => mapped({ report: { status: 'Manually reimbursed' } })).toThrow(/finalStatuses/);
    const settings = { finalStatuses: ['manually reimbursed'] };
    expect(mapped({ report: { status: 'Manually reimbursed' }, settings }).isFinal).toBe(true);
  });

  it('without an approval date has no posting date unless the setting names another one', () => {
    expect(() => mapped({ report: { approved: '', reimbursed: '2026-11-09' } })).toThrow(/postedDateFrom/);
    const settings = { postedDateFrom: ['approved', 'reimbursed'] };
    expect(mapped({ report: { approved: '', reimbursed: '2026-11-09' }, settings }).postedDate).toBe('2026-11-09');
  });
});

describe('days', () => {
  const berlin = settingsWith({ timeZone: 'Europe/Berlin' });

  it('a time with a zone falls on the company’s day', () => {
    expect(dayOf('2026-11-30T23:30:00Z', 'report', berlin)).toBe('2026-12-01');
    expect(dayOf('2026-12-01T04:30:00+0500', 'report', berlin)).toBe('2026-12-01');
    expect(dayOf('2026-12-01T03:30:00+05:00', 'report', berlin)).toBe('2026-11-30');
  });

  it('a time without a zone keeps the day that it names, or is moved from UTC by setting', () => {
    expect(dayOf('2026-11-30 23:30:00', 'report', berlin)).toBe('2026-11-30');
    expect(dayOf('2026-11-30 23:30:00', 'report', { ...berlin, timesWithoutZone: 'UTC' })).toBe('2026-12-01');
    expect(dayOf('2026-11-30', 'report', { ...berlin, timesWithoutZone: 'UTC' })).toBe('2026-11-30');
  });

  it.each(['', '2026-02-30', '30.11.2026', '2026-11-30T99:99:99Z'])('"%s" is refused', (text) => {
    expect(() => dayOf(text, 'report', berlin)).toThrow(InputError);
  });
});

describe('amounts', () => {
  it('the converted amount decides, and the original one and its rate are kept', () => {
    const foreign = { currency: 'EUR', amount: '1000', convertedAmount: '1085', currencyConversionRate: '1.085' };
    expect(mapped({ expense: foreign })).toMatchObject({
      amount: { minor: 1085n, currency: 'USD' },
      originalAmount: { minor: 1000n, currency: 'EUR' },
      exchangeRate: '1.085',
    });
  });

  it('a foreign expense without a converted amount is refused', () => {
    expect(() => mapped({ expense: { currency: 'EUR', convertedAmount: '' } })).toThrow(/no converted amount/);
  });

  it('without a converted amount the edited one counts, else the imported one', () => {
    expect(mapped({ expense: { convertedAmount: '', modifiedAmount: '1500' } }).amount.minor).toBe(1500n);
    expect(mapped({ expense: { convertedAmount: '' } }).amount.minor).toBe(1250n);
  });

  it('an edited amount of 0 is an edit only where the expense says that it was edited', () => {
    const zero = { convertedAmount: '', modifiedAmount: '0' };
    expect(mapped({ expense: { ...zero, modified: 'false' } }).amount.minor).toBe(1250n);
    expect(mapped({ expense: { ...zero, modified: 'true' } }).amount.minor).toBe(0n);
    expect(() => mapped({ expense: zero })).toThrow(/not known which/);
    expect(() => mapped({ expense: { convertedAmount: '0' } })).toThrow(/not known which/);
  });

  it('a negative amount is a refund, and its sign is never dropped', () => {
    const refund = { amount: '-1250', convertedAmount: '-1250' };
    expect(mapped({ expense: refund })).toMatchObject({ kind: 'REFUND', amount: { minor: -1250n } });
    const inverted = { signPolicy: 'NEGATIVE_IS_SPEND' };
    expect(mapped({ expense: refund, settings: inverted })).toMatchObject({
      kind: 'REIMBURSEMENT',
      amount: { minor: 1250n },
    });
    expect(() => mapped({ expense: refund, settings: { signPolicy: 'REFUSE_NEGATIVE' } })).toThrow(/signPolicy/);
    expect(() => mapped({ expense: { convertedAmount: '-1250' } })).toThrow(/different signs/);
  });

  it('thousands separators are read, and a point is not guessed at', () => {
    expect(mapped({ expense: { convertedAmount: '1,234,567', amount: '1,234,567' } }).amount.minor).toBe(1234567n);
    for (const convertedAmount of ['1.234', '12,34', '1 234', '12.50', '1e3', 'abc']) {
      expect(() => mapped({ expense: { convertedAmount } })).toThrow(/not a whole number/);
    }
  });

  it('an amount beyond what a float holds is exact', () => {
    const big = '90071992547409931';
    expect(mapped({ expense: { amount: big, convertedAmount: big } }).amount.minor).toBe(90071992547409931n);
  });

  it('a currency without cents is unreadable until its unit is set', () => {
    const yen = {
      report: { currency: 'JPY' },
      expense: { currency: 'JPY', amount: '500000', convertedAmount: '500000' },
    };
    expect(() => mapped(yen)).toThrow(/minorDigits/);
    expect(mapped({ ...yen, settings: { minorDigits: { JPY: 2 } } }).amount).toEqual({ minor: 5000n, currency: 'JPY' });
    expect(mapped({ ...yen, settings: { minorDigits: { JPY: 0 } } }).amount).toEqual({
      minor: 500000n,
      currency: 'JPY',
    });
    const odd = {
      ...yen,
      expense: { ...yen.expense, convertedAmount: '500050' },
      settings: { minorDigits: { JPY: 2 } },
    };
    expect(() => mapped(odd)).toThrow(/more decimals/);
    const dinar = { report: { currency: 'KWD' }, expense: { currency: 'KWD' }, settings: { minorDigits: { KWD: 2 } } };
    expect(mapped(dinar).amount).toEqual({ minor: 12500n, currency: 'KWD' });
  });

  it('an original currency whose unit is not known does not hold up the expense', () => {
    const foreign = { currency: 'JPY', amount: '500000', convertedAmount: '3300' };
    expect(mapped({ expense: foreign })).toMatchObject({ amount: { minor: 3300n }, originalAmount: null });
  });
});

describe('tax', () => {
  it('is the part of the amount that Expensify states, the edited one first', () => {
    expect(mapped({ expense: { taxAmount: '200' } })).toMatchObject({
      tax: { minor: 200n, currency: 'USD' },
      parts: [{ tax: { minor: 200n } }],
    });
    expect(mapped({ expense: { taxAmount: '200', modifiedTaxAmount: '190' } }).tax?.minor).toBe(190n);
    expect(mapped({ expense: { taxAmount: '0' } }).tax).toBeNull();
  });

  it('of a refund has its sign, stated or not', () => {
    const refund = { amount: '-1250', convertedAmount: '-1250' };
    expect(mapped({ expense: { ...refund, taxAmount: '200' } }).tax?.minor).toBe(-200n);
    expect(mapped({ expense: { ...refund, taxAmount: '-200' } }).tax?.minor).toBe(-200n);
  });

  it('that is larger than the amount makes the expense unreadable', () => {
    expect(() => mapped({ expense: { taxAmount: '1251' } })).toThrow(/not contained/);
    expect(() => mapped({ expense: { taxAmount: '-1' } })).toThrow(/not contained/);
  });

  it('of a foreign purchase is used only in the currency that the setting names', () => {
    const foreign = { currency: 'EUR', amount: '1000', convertedAmount: '1085', taxAmount: '160' };
    expect(mapped({ expense: foreign }).tax).toBeNull();
    expect(mapped({ expense: foreign, settings: { foreignTax: 'REPORT_CURRENCY' } }).tax?.minor).toBe(160n);
    // 1085 · 160 / 1000 = 173.6
    expect(mapped({ expense: foreign, settings: { foreignTax: 'EXPENSE_CURRENCY' } }).tax?.minor).toBe(174n);
    const back = { ...foreign, amount: '-1000', convertedAmount: '-1085' };
    expect(mapped({ expense: back, settings: { foreignTax: 'EXPENSE_CURRENCY' } }).tax?.minor).toBe(-174n);
  });

  it('shows its rate as a dimension', () => {
    expect(mapped({ expense: { taxName: 'VAT', taxRateName: 'Standard (20%)' } }).dimensions).toEqual({
      'Tax rate': 'Standard (20%)',
    });
    expect(mapped({ expense: { taxName: 'VAT' } }).parts[0]?.dimensions).toEqual({ 'Tax rate': 'VAT' });
  });
});

describe('company-card expenses', () => {
  const card = { reimbursable: 'false' };

  it('are purchases, reimbursements or no spend, as the setting says', () => {
    expect(mapped({ expense: card }).kind).toBe('PURCHASE');
    expect(mapped({ expense: card, settings: { nonReimbursable: 'REIMBURSEMENT' } }).kind).toBe('REIMBURSEMENT');
    const left = mapped({ expense: card, settings: { nonReimbursable: 'NOT_SPEND' } });
    expect(left.kind).toBe('NOT_SPEND');
    expect(left.notSpendReason).toMatch(/card/);
  });

  it('an expense that does not say whether it is reimbursable is unreadable until the setting says', () => {
    expect(() => mapped({ expense: { reimbursable: '' } })).toThrow(/reimbursable/);
    expect(mapped({ expense: { reimbursable: '' }, settings: { reimbursableIfUnstated: false } }).kind).toBe(
      'PURCHASE',
    );
  });
});

describe('coding', () => {
  const multi = codesOf({
    categories: [
      { name: 'Travel', glCode: '6299' },
      { name: 'Meals', glCode: '' },
      { name: 'Fees' },
      { name: 'Rent', glCode: 6300 },
    ],
    tags: [
      { name: 'Department', tags: [{ name: 'R&D', glCode: '300' }] },
      { name: 'Project', tags: [{ name: 'A:B', glCode: 'P-1' }] },
    ],
  });
  const flat = codesOf({ tags: [{ name: 'CC-100', glCode: '100' }, { name: 'CC-200' }] });
  const uncoded = { categoryGlCode: '' };

  it('the code on the line decides, else the policy’s; an empty code counts as none', () => {
    expect(mapped({ policy: multi }).parts[0]?.glAccount).toBe('6200');
    expect(mapped({ expense: uncoded, policy: multi }).parts[0]?.glAccount).toBe('6299');
    expect(mapped({ expense: { ...uncoded, category: 'Rent' }, policy: multi }).parts[0]?.glAccount).toBe('6300');
    for (const category of ['Meals', 'Fees', 'Unknown', 'constructor']) {
      expect(mapped({ expense: { ...uncoded, category }, policy: multi }).parts[0]?.glAccount).toBeNull();
    }
  });

  it.each([
    ['LINE', uncoded, null],
    ['POLICY', {}, '6299'],
    ['TAG', { tag: 'R&D' }, '300'],
    ['NONE', {}, null],
  ])('the account comes from %s when the setting says so', (glAccountFrom, more, account) => {
    expect(mapped({ expense: more, policy: multi, settings: { glAccountFrom } }).parts[0]?.glAccount).toBe(account);
  });

  it('a flat tag is the first level, with the code of the line or of the policy', () => {
    const settings = { costCentreTag: 1, tagNames: ['Department'] };
    const onLine = mapped({ expense: { tag: 'CC-100', tagGlCode: '101' }, policy: flat, settings });
    expect(onLine.parts[0]).toMatchObject({ costCentre: '101', dimensions: { Department: '101' } });
    expect(mapped({ expense: { tag: 'CC-100' }, policy: flat, settings }).parts[0]?.costCentre).toBe('100');
    expect(mapped({ expense: { tag: 'CC-200' }, policy: flat, settings }).parts[0]?.costCentre).toBe('CC-200');
    const named = { ...settings, tagCodes: 'NAME' };
    expect(mapped({ expense: { tag: 'CC-100' }, policy: flat, settings: named }).parts[0]?.costCentre).toBe('CC-100');
    const strict = { ...settings, tagCodes: 'GL_CODE' };
    expect(mapped({ expense: { tag: 'CC-200' }, policy: flat, settings: strict }).parts[0]?.costCentre).toBeNull();
  });

  it('multi-level tags come by level, or out of the joined text', () => {
    const settings = { costCentreTag: 2, tagNames: ['Department'] };
    const listed = {
      tags: [
        { name: 'R&D', code: '' },
        { name: 'A:B', code: '' },
        { name: '', code: '' },
      ],
    };
    const wanted = { costCentre: 'P-1', dimensions: { Department: '300', 'Tag 2': 'P-1' } };
    expect(mapped({ expense: listed, policy: multi, settings }).parts[0]).toMatchObject(wanted);
    expect(mapped({ expense: { tag: 'R&D:A\\:B' }, policy: multi, settings }).parts[0]).toMatchObject(wanted);
  });

  it.each([
    ['in the settings', { costCentreTag: 'department', tagNames: ['Region', 'Department'] }, null, 'A:B'],
    ['in the policy', { costCentreTag: 'Project' }, multi, 'P-1'],
    ['by level', { costCentreTag: 1 }, null, 'R&D'],
  ])('the cost centre is the tag that is named %s', (_where, settings, policy, costCentre) => {
    const tagged = { tag: 'R&D:A\\:B' };
    expect(mapped({ expense: tagged, policy, settings }).parts[0]?.costCentre).toBe(costCentre);
  });

  it('a tag that is named and in no place known is never guessed', () => {
    const settings = { costCentreTag: 'Plant' };
    expect(mapped({ expense: { tag: 'R&D:A\\:B' }, policy: multi, settings }).parts[0]?.costCentre).toBeNull();
    expect(mapped({ expense: { tag: 'CC-100' }, policy: flat, settings }).parts[0]?.costCentre).toBe('100');
    expect(() => mapped({ expense: { tag: 'R&D' }, settings })).toThrow('Which tag is "Plant" is not known');
    expect(mapped({ expense: {}, settings }).parts[0]?.costCentre).toBeNull();
  });

  it('an empty parent leaves its level empty and does not move the child up', () => {
    const levels = tagLevelsOf(expenseSchema.parse(expense({ tag: ':Project X' })));
    expect(levels.map(({ name }) => name)).toEqual(['', 'Project X']);
    expect(mapped({ expense: { tag: ':Project X' } }).dimensions).toEqual({ 'Tag 2': 'Project X' });
  });

  it('custom fields give cost centre and dimensions where the settings name them', () => {
    const fields = { customFields: { Project: 'Apollo', Plant: '07' }, employeeCustomField1: '4711' };
    const settings = {
      costCentreField: 'customField:Plant',
      customFields: ['Project'],
      employeeFieldNames: { first: 'Employee' },
    };
    expect(mapped({ report: fields, settings }).parts[0]).toMatchObject({
      costCentre: '07',
      dimensions: { Project: 'Apollo', Employee: '4711' },
    });
    const other = { costCentreField: 'employeeCustomField1' };
    expect(mapped({ report: fields, settings: other }).parts[0]?.costCentre).toBe('4711');
  });

  it('asks for a policy only when a code is missing that it could have', () => {
    const needs = (fields: Record<string, unknown>, settings: Record<string, unknown> = {}) =>
      needsPolicy(expenseSchema.parse(expense(fields)), settingsWith(settings));
    expect(needs({})).toBe(false);
    expect(needs(uncoded)).toBe(true);
    expect(needs({ ...uncoded, category: '' })).toBe(false);
    expect(needs({ tag: 'CC-100' })).toBe(true);
    expect(needs({ tag: 'CC-100' }, { tagCodes: 'NAME' })).toBe(false);
    expect(needs({ tag: 'CC-100', tagGlCode: '100' })).toBe(false);
    expect(needs({ tag: 'CC-100', tagGlCode: '100' }, { costCentreTag: 'Department' })).toBe(true);
    expect(needs({ tag: 'CC-100', tagGlCode: '100' }, { costCentreTag: 1 })).toBe(false);
    expect(needs({}, { costCentreTag: 'Department' })).toBe(false);
  });
});

describe('receipts', () => {
  it('are linked only where the link carries no signature, in the raw record too', () => {
    const lasting = 'https://www.expensify.com/receipts/w_1.jpg';
    expect(mapped({ expense: { receiptURL: lasting } }).receiptUrls).toEqual([lasting]);
    const signed = mapped({ expense: { receiptURL: `${lasting}?X-Amz-Signature=abcdef` } });
    expect(signed.receiptUrls).toEqual([]);
    expect(JSON.stringify(signed.raw)).not.toContain('abcdef');
    expect(mapped({ expense: { receiptURL: lasting }, settings: { receiptLinks: false } }).receiptUrls).toEqual([]);
  });
});
