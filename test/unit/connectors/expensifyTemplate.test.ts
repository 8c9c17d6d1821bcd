/**
 * Runs the connector's template through a FreeMarker interpreter that knows nothing of the connector. What would be
 * caught here: a value of an unexpected type that ends the job, thousands separators, text that breaks its line or its
 * JSON, and a missing field that shifts the others.
 */
import { describe, expect, it } from 'vitest';
import { parseExportFile } from '../../../src/connectors/expensify/exportFile.js';
import { mapExpense } from '../../../src/connectors/expensify/mapper.js';
import { IDS_TEMPLATE, reportTemplate } from '../../../src/connectors/expensify/template.js';
import { compileTemplate, TemplateDate } from '../../../src/sandbox/expensify/freemarker/index.js';
import { settingsWith } from './expensifyHarness.js';

const NASTY =
  'a "quote", a \\ backslash,\nlines\r\n, \t, it\'s <b>\u0001 </script> ]]> \u2028 🧾 $\u007bx} <#if> {"responseCode":401}';

const EXPENSE = {
  transactionID: '4056343049275634494',
  amount: 1234567,
  modifiedAmount: '',
  convertedAmount: 1234567,
  currency: 'USD',
  currencyConversionRate: 1,
  merchant: NASTY,
  created: '2026-11-02',
  category: 'Travel',
  categoryGlCode: '6200',
  tag: 'R&D:Apollo',
  ntag1: 'R&D',
  ntag1GlCode: '300',
  ntag2: 'Apollo',
  comment: NASTY,
  reimbursable: true,
  modified: false,
  taxAmount: 200000,
  mcc: 7011,
  receiptObject: { url: 'https://www.expensify.com/receipts/w_1.jpg' },
};

const REPORT = {
  reportID: 'R00AbCdEf123',
  reportName: NASTY,
  policyID: '0123456789ABCDEF',
  status: 'Approved',
  currency: 'USD',
  approved: '2026-11-17',
  accountEmail: 'e@example.com',
  submitter: { fullName: 'Eva Example' },
  customField: { Plant: '07' },
  transactionList: [EXPENSE],
};

const SETTINGS = settingsWith({ customFields: ['Project'], costCentreField: 'customField:Plant' });

function linesOf(reports: readonly unknown[], template = reportTemplate(SETTINGS)) {
  const text = compileTemplate(template).render({ reports, addHeader: true });
  const parsed = parseExportFile(text);
  if (!parsed.isWhole) throw new Error(`${parsed.reason}: ${text}`);
  return parsed.file.reports;
}

function expenseOf(patch: Record<string, unknown>) {
  const [report] = linesOf([{ ...REPORT, transactionList: [{ ...EXPENSE, ...patch }] }]);
  const wire = report?.lines[0]?.expense;
  if (!wire) throw new Error(`unreadable: ${report?.lines[0]?.reason}`);
  return wire;
}

describe('the template', () => {
  it('prints what the mapper reads', () => {
    const [report] = linesOf([REPORT]);
    const expense = report?.lines[0]?.expense;
    if (!report || !expense) throw new Error('nothing was printed');
    expect(mapExpense(report.report, expense, null, SETTINGS)).toMatchObject({
      externalId: '4056343049275634494',
      exportId: 'R00AbCdEf123',
      amount: { minor: 1234567n, currency: 'USD' },
      tax: { minor: 200000n, currency: 'USD' },
      kind: 'REIMBURSEMENT',
      mcc: '7011',
      spender: 'Eva Example',
      postedDate: '2026-11-17',
      receiptUrls: ['https://www.expensify.com/receipts/w_1.jpg'],
      parts: [{ glAccount: '6200', costCentre: '07', dimensions: { 'Tag 1': '300', 'Tag 2': 'Apollo' } }],
    });
  });

  it('keeps text as it is, whatever letters it holds', () => {
    const [report] = linesOf([REPORT]);
    expect(report?.report.reportName).toBe(NASTY.trim());
    expect(report?.lines[0]?.expense?.comment).toBe(NASTY.trim());
  });

  it('prints numbers without separators', () => {
    expect(expenseOf({ amount: 123456789, mcc: 1234, currencyConversionRate: 1.0851 })).toMatchObject({
      amount: '123456789',
      mcc: '1234',
      currencyConversionRate: '1.0851',
    });
  });

  it.each([
    ['text', '-1250', '-1250'],
    ['nothing', undefined, ''],
    ['null', null, ''],
    ['empty text', '', ''],
    ['a truth value', true, 'true'],
    ['a list', [1, 2], ''],
    ['an object', { a: 1 }, ''],
  ])('lives with %s where a number is documented', (_name, value, printed) => {
    expect(expenseOf({ convertedAmount: value }).convertedAmount).toBe(printed);
  });

  it.each([
    ['a number', 12, '12'],
    ['a truth value', false, 'false'],
    ['nothing', undefined, ''],
  ])('lives with %s where text is documented', (_name, value, printed) => {
    expect(expenseOf({ comment: value }).comment).toBe(printed);
  });

  it('prints the day of a date that is an object and no text', () => {
    const day = new TemplateDate('datetime', Date.UTC(2026, 10, 17, 12));
    const [report] = linesOf([{ ...REPORT, approved: day, transactionList: [{ ...EXPENSE, created: day }] }]);
    expect(report?.report.approved).toBe('2026-11-17');
    expect(report?.lines[0]?.expense?.created).toBe('2026-11-17');
  });

  it.each([
    ['empty text', ''],
    ['an empty object', {}],
    ['nothing', undefined],
  ])('lives with %s instead of a receipt', (_name, receiptObject) => {
    expect(expenseOf({ receiptObject }).receiptURL).toBe('');
  });

  it('lives with a report that has no expenses, no submitter and no custom fields', () => {
    for (const transactionList of [[], undefined]) {
      const [report] = linesOf([{ reportID: 'R1', transactionList }]);
      expect(report).toMatchObject({ report: { reportID: 'R1', status: '' }, lines: [] });
    }
    expect(linesOf([])).toEqual([]);
  });

  it('for jobs that need the reports only prints no expenses', () => {
    expect(linesOf([REPORT, { ...REPORT, reportID: 'R2' }], IDS_TEMPLATE)).toMatchObject([
      { report: { reportID: 'R00AbCdEf123', status: 'Approved' }, lines: [] },
      { report: { reportID: 'R2' }, lines: [] },
    ]);
  });
});
