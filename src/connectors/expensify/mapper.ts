import { hashOf } from '../../domain/keys.js';
import { dayIn, type LocalDate, localDate } from '../../domain/localDate.js';
import type { ReceiptRef, SourceObject, SpendKind } from '../../domain/spend.js';
import { InputError } from '../../errors.js';
import { amountsOf } from './amounts.js';
import { codingOf, type PolicyCodes } from './coding.js';
import type { ExpensifySettings } from './config.js';
import type { WireExpense, WireReport } from './wire.js';

/**
 * One expense of a report as a source object. Pure. An expense that cannot be understood throws `InputError` with the
 * reason; the reader reports it as unreadable and goes on.
 */

/** 16 to 19 digits in practice; beyond what a double holds, so it is text from the template on. */
const TRANSACTION_ID = /^\d{1,30}$/;
/** `R00…` today, digits formerly. Ids travel in comma lists, so nothing else is taken for one. */
export const REPORT_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** @returns null when it is no usable id, e.g. one with thousands separators. */
export function transactionIdOf(expense: WireExpense): string | null {
  return TRANSACTION_ID.test(expense.transactionID) ? expense.transactionID : null;
}

/** @throws InputError */
export function mapExpense(
  report: WireReport,
  expense: WireExpense,
  policy: PolicyCodes | null,
  settings: ExpensifySettings,
): SourceObject {
  const id = transactionIdOf(expense);
  if (id === null) throw new InputError(`"${expense.transactionID.slice(0, 40)}" is not the id of an expense.`);
  if (!REPORT_ID.test(report.reportID)) throw new InputError('The report of the expense has no usable id.');
  checkPolicy(report, settings);
  const isFinal = isFinalStatus(report, settings);
  const { amount, original, tax } = amountsOf(expense, report, settings);
  const { kind, notSpendReason } = judge(expense, amount.minor < 0n, settings);
  const { glAccount, costCentre, dimensions } = codingOf(expense, report, policy, settings);
  const category = expense.category || null;
  const memo = tidy(expense.comment) ?? tidy(report.reportName);
  return {
    stream: 'EXPENSE_REPORTS',
    // The expense's own id, without its report: an expense that is moved to another report stays one purchase.
    externalId: id,
    exportId: report.reportID,
    version: hashOf({ report: { ...report, lines: 0 }, expense }).slice(0, 24),
    keys: [`expense:${id}`],
    kind,
    notSpendReason,
    isFinal,
    isWithdrawn: false,
    amount,
    originalAmount: original,
    ...statedRate(expense, report),
    tax,
    merchantName: tidy(expense.modifiedMerchant) ?? tidy(expense.merchant),
    merchantDescriptor: null,
    mcc: mccOf(expense.modifiedMCC) ?? mccOf(expense.mcc),
    category,
    dimensions,
    parts: [{ sourceLineId: id, amount, tax, category, glAccount, costCentre, dimensions, memo }],
    spender: tidy(report.submitter) ?? tidy(report.accountEmail),
    memo,
    transactionDate: dayOf(expense.modifiedCreated || expense.created, 'expense', settings),
    postedDate: postedDay(report, isFinal, settings),
    receiptUrls: receiptsOf(expense, settings),
    ...receiptRefs(expense, settings),
    raw: rawOf(report, expense),
  };
}

/** A report of a workspace that was not asked for must not reach a ledger, whatever the server did with the filter. */
function checkPolicy(report: WireReport, { policyIDs }: ExpensifySettings): void {
  if (policyIDs.length === 0) return;
  const asked = policyIDs.some((id) => id.toUpperCase() === report.policyID.toUpperCase());
  if (!asked) throw new InputError('The report belongs to a workspace that is not in policyIDs; it was not asked for.');
}

function isFinalStatus(report: WireReport, settings: ExpensifySettings): boolean {
  const isIn = (list: readonly string[]) => list.some((text) => text.toLowerCase() === report.status.toLowerCase());
  if (isIn(settings.finalStatuses)) return true;
  if (isIn(settings.openStatuses)) return false;
  throw new InputError(
    `The report is in the status "${report.status.slice(0, 50)}", which is neither in finalStatuses nor in openStatuses.`,
  );
}

function judge(
  expense: WireExpense,
  isNegative: boolean,
  settings: ExpensifySettings,
): { kind: SpendKind; notSpendReason: string | null } {
  const stated = { true: true, false: false }[expense.reimbursable.toLowerCase()] ?? settings.reimbursableIfUnstated;
  if (stated === null) throw new InputError('The expense does not say whether it is reimbursable.');
  if (!stated && settings.nonReimbursable === 'NOT_SPEND') {
    return { kind: 'NOT_SPEND', notSpendReason: 'A company-card expense; the card’s own system reports it.' };
  }
  if (isNegative) return { kind: 'REFUND', notSpendReason: null };
  return {
    kind: !stated && settings.nonReimbursable === 'PURCHASE' ? 'PURCHASE' : 'REIMBURSEMENT',
    notSpendReason: null,
  };
}

// ── dates ────────────────────────────────────────────────────────────────────────────────────

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/;

/** The company's day of a date, or of a time with or without a zone. @throws InputError */
export function dayOf(
  text: string,
  what: string,
  settings: Pick<ExpensifySettings, 'timeZone' | 'timesWithoutZone'>,
): LocalDate {
  if (DATE.test(text)) return localDate(text);
  const match = DATE_TIME.exec(text);
  if (!match) throw new InputError(`The date of the ${what} is "${text.slice(0, 40)}".`);
  const [, day = '', , , zone] = match;
  if (!zone && settings.timesWithoutZone === 'AS_WRITTEN') return localDate(day);
  const instant = new Date(
    `${text
      .slice(0, text.length - (zone?.length ?? 0))
      .trim()
      .replace(' ', 'T')}${offsetOf(zone)}`,
  );
  if (Number.isNaN(instant.getTime())) throw new InputError(`The date of the ${what} is "${text.slice(0, 40)}".`);
  return dayIn(settings.timeZone, instant);
}

function offsetOf(zone: string | undefined): string {
  if (zone === undefined || zone === 'Z') return 'Z';
  return zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
}

/** Only a report that may be posted needs a posting date. */
function postedDay(report: WireReport, isFinal: boolean, settings: ExpensifySettings): LocalDate | null {
  for (const name of settings.postedDateFrom) {
    if (report[name] !== '') return dayOf(report[name], `report (${name})`, settings);
  }
  if (!isFinal) return null;
  throw new InputError(`The report states no date of ${settings.postedDateFrom.join(' or ')}; see postedDateFrom.`);
}

// ── small pieces ─────────────────────────────────────────────────────────────────────────────

function tidy(text: string): string | null {
  const clean = text.replace(/\s+/g, ' ').trim();
  return clean === '' ? null : clean;
}

function statedRate(expense: WireExpense, report: WireReport): Pick<SourceObject, 'exchangeRate' | 'rateOrigin'> {
  const exchangeRate = rateOf(expense, report);
  return exchangeRate === null ? { exchangeRate } : { exchangeRate, rateOrigin: 'STATED' };
}

/** Units of the report's currency for one of the expense's, as Expensify states it. */
function rateOf(expense: WireExpense, report: WireReport): string | null {
  if (expense.currency === '' || expense.currency.toUpperCase() === report.currency.toUpperCase()) return null;
  const rate = expense.currencyConversionRate;
  return /^\d+(\.\d+)?$/.test(rate) && /[1-9]/.test(rate) ? rate : null;
}

function mccOf(text: string): string | null {
  return /^\d{1,4}$/.test(text) && Number(text) > 0 ? text.padStart(4, '0') : null;
}

/** A link with a query string may be signed: it ends, and until then opens for anybody. */
function receiptsOf(expense: WireExpense, { receiptLinks }: ExpensifySettings): string[] {
  const link = receiptLinks ? lastingLink(expense.receiptURL) : null;
  return link === null ? [] : [link];
}

function receiptRefs(expense: WireExpense, settings: ExpensifySettings): { receipts?: readonly ReceiptRef[] } {
  if (!settings.fetchReceipts) return {};
  const receipts = receiptsOf(expense, settings).map((link) => ({
    key: link,
    fileName: decodeURIComponent(URL.parse(link)?.pathname.split('/').at(-1) ?? '') || null,
    lastingUrl: link,
  }));
  return receipts.length === 0 ? {} : { receipts };
}

function lastingLink(text: string): string | null {
  const url = URL.parse(text);
  const isPlain = url?.protocol === 'https:' && url.search === '' && url.hash === '' && url.username === '';
  return isPlain ? text : null;
}

function rawOf(report: WireReport, expense: WireExpense): unknown {
  return { report, expense: { ...expense, receiptURL: lastingLink(expense.receiptURL) ?? '' } };
}
