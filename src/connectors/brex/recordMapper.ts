import { absolute, type Money, money } from '../../domain/money.js';
import type { SourceObject, SpendKind, SpendPart } from '../../domain/spend.js';
import { InputError } from '../../errors.js';
import { dimensionOf } from './codingFields.js';
import type { BrexSettings } from './config.js';
import {
  blankObject,
  dayOf,
  expenseKey,
  fromDecimal,
  fullName,
  impliedRate,
  originalOf,
  trimmed,
  withoutPresignedLinks,
} from './mapper.js';
import { receiptsIn } from './receipts.js';
import type { AccountingFieldValue, AccountingRecord, RecordLine } from './wire.js';

/**
 * Accounting records: what people in Brex coded with the ledger's own accounts. Pure; see `mapper.ts`.
 * Amounts of this API are decimals in major units, and a line's direction is its type, never its sign.
 */

type RecordMeaning =
  | { readonly kind: Exclude<SpendKind, 'NOT_SPEND'>; readonly suffix: '' | '#refund' | '#repayment' }
  | { readonly notSpend: string };

const CARD_BALANCE = 'Payment of the card balance or its return: money moved, nothing was bought.';
const BILL_PAID = 'Payment of a bill; the cost is booked by the bill itself.';
const REIMBURSEMENT_PAID = 'Movement of reimbursement money; the cost is booked by the reimbursement itself.';

/** What each type of record is. A type that is not here (or INVOICE, undocumented) is unreadable, never guessed. */
const RECORD_TYPES: Readonly<Record<string, RecordMeaning>> = {
  CARD_EXPENSE_POST: { kind: 'PURCHASE', suffix: '' },
  CARD_EXPENSE_REFUND: { kind: 'REFUND', suffix: '#refund' },
  CARD_EXPENSE_REPAYMENT: { kind: 'REFUND', suffix: '#repayment' },
  BILL_EXPENSE: { kind: 'BILL', suffix: '' },
  REIMBURSEMENT_EXPENSE_POST: { kind: 'REIMBURSEMENT', suffix: '' },
  REIMBURSEMENT_EXPENSE_APPROVAL: { kind: 'REIMBURSEMENT', suffix: '' },
  REIMBURSEMENT_EXPENSE_REPAYMENT: { kind: 'REFUND', suffix: '#repayment' },
  CARD_PAYMENT: { notSpend: CARD_BALANCE },
  CARD_PAYMENT_REFUND: { notSpend: CARD_BALANCE },
  REWARD_REDEMPTION: { notSpend: 'Card rewards redeemed: income, not a purchase.' },
  BILL_EXPENSE_PAYMENT: { notSpend: BILL_PAID },
  BILL_EXPENSE_CARD_PAYMENT: { notSpend: BILL_PAID },
  BILL_MONEY_MOVEMENT_PAYIN: { notSpend: BILL_PAID },
  INVOICE_PAYMENT: { notSpend: 'Payment of an invoice: money moved, nothing was bought.' },
  REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT: { notSpend: REIMBURSEMENT_PAID },
  REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYOUT_REVERSAL: { notSpend: REIMBURSEMENT_PAID },
  REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_PAYIN: { notSpend: REIMBURSEMENT_PAID },
  REIMBURSEMENT_EXPENSE_MONEY_MOVEMENT_REFUND: { notSpend: REIMBURSEMENT_PAID },
};

const FINAL_STATUSES = new Set(['READY_FOR_EXPORT', 'EXPORTED']);

/** @throws InputError */
export function mapAccountingRecord(wire: AccountingRecord, raw: unknown, settings: BrexSettings): SourceObject {
  const meaning = meaningOf(wire.type, settings);
  const stated = fromDecimal(wire.amount);
  const isSpend = !('notSpend' in meaning);
  const amount = isSpend ? signedAmount(meaning.kind, stated) : stated;
  const original = wire.original_amount ? fromDecimal(wire.original_amount) : null;
  const originalAmount = originalOf(original && sameSign(original, amount), amount);
  const postedAt = wire.posted_at ?? wire.erp_posting_date;
  if (!postedAt) throw new InputError('The accounting record has no date.');
  const keys = [`record:${wire.id}`];
  if (isSpend && wire.source_id) keys.push(expenseKey(wire.source_id, meaning.suffix));
  return {
    ...blankObject(),
    stream: 'ACCOUNTING_RECORDS',
    externalId: wire.id,
    // Both, as text: the version counts, and the time has microseconds that a Date would drop.
    version: `${wire.version?.text ?? ''}@${wire.updated_at}`,
    keys,
    kind: isSpend ? meaning.kind : 'NOT_SPEND',
    notSpendReason: isSpend ? null : meaning.notSpend,
    isFinal: FINAL_STATUSES.has(wire.review_status),
    amount,
    originalAmount,
    ...impliedRate(originalAmount, amount),
    merchantName: trimmed(wire.vendor?.name),
    dimensions: dimensionsOf(wire),
    parts: isSpend ? partsOf(wire, amount, settings) : [],
    spender: fullName(wire.user),
    memo: trimmed(wire.memo),
    // A record knows when it settled, not when somebody bought; the day of purchase comes from the other streams.
    transactionDate: dayOf(postedAt),
    postedDate: dayOf(wire.erp_posting_date ?? postedAt),
    ...(settings.fetchReceipts ? receiptsIn(raw) : {}),
    raw: withoutPresignedLinks(raw),
  };
}

function meaningOf(type: string, settings: BrexSettings): RecordMeaning {
  const meaning = Object.hasOwn(RECORD_TYPES, type) ? RECORD_TYPES[type] : undefined;
  if (!meaning) throw new InputError(`What an accounting record of type ${type} means is not known.`);
  // One reimbursement may appear as approved and as paid; booking both would book it twice.
  if (type === 'REIMBURSEMENT_EXPENSE_APPROVAL' && settings.reimbursementBasis === 'CASH') {
    return { notSpend: 'Approval of a reimbursement; this connection books reimbursements when they are paid.' };
  }
  if (type === 'REIMBURSEMENT_EXPENSE_POST' && settings.reimbursementBasis === 'ACCRUAL') {
    return { notSpend: 'Payment of a reimbursement; this connection books reimbursements when they are approved.' };
  }
  return meaning;
}

/** The sign of a refund record is not documented, so the type decides; a negative purchase contradicts itself. */
function signedAmount(kind: SpendKind, stated: Money): Money {
  if (kind === 'REFUND') return money(-absolute(stated.minor), stated.currency);
  if (stated.minor < 0n) throw new InputError(`A ${kind.toLowerCase()} with a negative amount contradicts itself.`);
  return stated;
}

function sameSign(amount: Money, as: Money): Money {
  return money(as.minor < 0n ? -absolute(amount.minor) : absolute(amount.minor), amount.currency);
}

/**
 * The lines that say where the money went. With `single_entry=true` these are all lines; otherwise the offsetting side
 * (the card liability) comes along, which carries no coding.
 */
function partsOf(wire: AccountingRecord, amount: Money, settings: BrexSettings): SpendPart[] {
  const lines = wire.line_items ?? [];
  if (lines.length === 0) return [];
  const isMoneyBack = amount.minor < 0n;
  const near = isMoneyBack ? 'CREDIT' : 'DEBIT';
  const nearLines = lines.filter((line) => line.type === near);
  const codedFarLines = lines.filter((line) => line.type !== near && isCoded(line));
  const signed = (line: RecordLine): Money => signedLine(line, near, isMoneyBack, amount.currency);
  const candidates = [nearLines, [...nearLines, ...codedFarLines]].filter((candidate) => candidate.length > 0);
  const missing = (candidate: readonly RecordLine[]) =>
    absolute(amount.minor - candidate.reduce((sum, line) => sum + signed(line).minor, 0n));
  const whole =
    candidates.find((candidate) => missing(candidate) === 0n) ??
    // Less than one minor unit a line is what rounding leaves; planning books it by itself or holds the purchase.
    candidates.find((candidate) => missing(candidate) < BigInt(candidate.length));
  if (whole) return whole.map((line) => partOf(line, signed(line), settings));
  throw new InputError('The lines of the accounting record do not add up to it.');
}

function isCoded(line: RecordLine): boolean {
  return (line.accounting_field_values ?? []).length > 0;
}

function signedLine(line: RecordLine, near: string, isMoneyBack: boolean, currency: string): Money {
  if (line.type !== 'DEBIT' && line.type !== 'CREDIT') throw new InputError(`A line is neither debit nor credit.`);
  const stated = fromDecimal(line.amount);
  if (stated.currency !== currency) throw new InputError('A line is in another currency than its record.');
  if (stated.minor < 0n) throw new InputError('A line has a negative amount.');
  const isNegative = (line.type === near) === isMoneyBack;
  return isNegative ? money(-stated.minor, currency) : stated;
}

function partOf(line: RecordLine, amount: Money, settings: BrexSettings): SpendPart {
  const values = line.accounting_field_values ?? [];
  const account = values.find((value) => isField(value, settings.glAccountField));
  const centre = values.find((value) => isField(value, settings.costCentreField));
  const others = values.filter((value) => value !== account && value !== centre);
  const named = others.map((value) => [fieldName(value), valueName(value)] as const);
  return {
    sourceLineId: line.id ?? null,
    amount,
    tax: null,
    category: account ? valueName(account) : null,
    glAccount: trimmed(account?.remote_field_value_id),
    costCentre: trimmed(centre?.remote_field_value_id),
    dimensions: Object.fromEntries(named.filter((entry): entry is [string, string] => Boolean(entry[0] && entry[1]))),
    memo: trimmed(line.memo),
  };
}

/** How Brex knows which field is the GL account is not documented; the settings name it by any of its names. */
function isField(value: AccountingFieldValue, wanted: string): boolean {
  const name = wanted.trim().toLowerCase();
  return [value.remote_field_id, value.brex_field_id, value.field_name].some(
    (candidate) => candidate?.trim().toLowerCase() === name,
  );
}

/**
 * What a dimension is called. Our own id of the field comes first: Brex sends it with every record, while the display name
 * is undocumented and comes with some of them only, and one dimension must not have two names. A field that was made for a dimension of the ledger goes by the ledger's name.
 */
function fieldName(value: AccountingFieldValue): string | null {
  const remoteId = trimmed(value.remote_field_id);
  return (remoteId && dimensionOf(remoteId)) ?? remoteId ?? trimmed(value.field_name) ?? trimmed(value.brex_field_id);
}

/** null = nobody has coded it yet. */
function valueName(value: AccountingFieldValue): string | null {
  return trimmed(value.remote_field_value_id) ?? trimmed(value.field_value_name) ?? trimmed(value.brex_field_value_id);
}

function dimensionsOf(wire: AccountingRecord): Record<string, string> {
  const named: [string, string | null][] = [
    ['Department', trimmed(wire.user?.department_name)],
    ['Location', trimmed(wire.user?.location_name)],
    ['Invoice number', trimmed(wire.invoice_number)],
  ];
  return Object.fromEntries(named.filter((entry): entry is [string, string] => entry[1] !== null));
}
