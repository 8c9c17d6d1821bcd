import type { LocalDate } from '../../domain/localDate.js';
import { absolute, type Money, money, moneyFromDecimal } from '../../domain/money.js';
import type { SourceObject, SpendKind, SpendPart } from '../../domain/spend.js';
import { InputError } from '../../errors.js';
import type { BrexSettings } from './config.js';
import { JsonNumber, plainDecimal } from './json.js';
import {
  blankObject,
  dayOf,
  dayOrNull,
  expenseKey,
  fromMinor,
  fullName,
  impliedRate,
  mccOf,
  originalOf,
  trimmed,
  withoutPresignedLinks,
} from './mapper.js';
import { receiptsIn } from './receipts.js';
import { type CustomField, type Expense, type ExpensePart, minorMoneySchema } from './wire.js';

/** Expenses: card purchases with their receipt and coding, reimbursements and bills. Pure; see `mapper.ts`. */

type ExpenseMeaning = 'CARD' | 'REIMBURSEMENT' | 'BILL';

/** A clawback takes a paid reimbursement back from the employee. UNSET says nothing and is not here. */
const EXPENSE_TYPES: Readonly<Record<string, ExpenseMeaning>> = {
  CARD: 'CARD',
  REIMBURSEMENT: 'REIMBURSEMENT',
  BILLPAY: 'BILL',
  CLAWBACK: 'REIMBURSEMENT',
};

const WITHDRAWN_STATUSES = new Set(['VOID', 'CANCELED']);
const WITHDRAWN_PAYMENTS = new Set(['DECLINED', 'CANCELED']);
/** Money that has not moved may still change its amount. */
const OPEN_PAYMENTS = new Set(['NOT_STARTED', 'PROCESSING', 'AWAITING_PAYMENT', 'SCHEDULED']);
const APPROVED_STATUSES = new Set(['APPROVED', 'SETTLED', 'SPLIT']);
/** A card purchase has happened whether or not anybody approved it. */
const SPENT_STATUSES = new Set(['SUBMITTED', 'OUT_OF_POLICY', ...APPROVED_STATUSES]);

/** @throws InputError */
export function mapExpense(wire: Expense, raw: unknown, settings: BrexSettings): SourceObject {
  const billed = wire.billing_amount ? fromMinor(wire.billing_amount) : null;
  const amount = billed ?? statedAmount(wire);
  const kind = kindOf(wire, amount);
  const original = originalOf(wire.original_amount ? fromMinor(wire.original_amount) : null, amount);
  const parts = partsOf(wire, amount, settings);
  const purchased = purchaseDay(wire);
  return {
    ...blankObject(),
    stream: 'EXPENSES',
    externalId: wire.id,
    version: wire.updated_at,
    keys: keysOf(wire, amount),
    kind,
    // Until Brex has billed it the amount is only what the receipt says, maybe in another currency.
    isFinal: billed !== null && purchased.isStated && isFinal(wire) && !isMissingParts(wire),
    isWithdrawn: WITHDRAWN_STATUSES.has(wire.status ?? '') || WITHDRAWN_PAYMENTS.has(wire.payment_status ?? ''),
    amount,
    originalAmount: original,
    ...impliedRate(original, amount),
    tax: taxOf(wire, amount, settings),
    merchantName: trimmed(wire.merchant?.raw_descriptor),
    merchantDescriptor: trimmed(wire.merchant?.raw_descriptor),
    mcc: mccOf(wire.merchant?.mcc),
    category: trimmed(wire.category),
    dimensions: dimensionsOf(wire, settings),
    parts,
    spender: fullName(wire.user),
    memo: trimmed(wire.memo),
    transactionDate: purchased.day,
    postedDate: dayOrNull(wire.payment_posted_at),
    receiptUrls: lastingLinks(wire),
    ...(settings.fetchReceipts ? receiptsIn(raw) : {}),
    raw: withoutPresignedLinks(raw),
  };
}

/** A split expense whose parts Brex left out; the reader asks for them. */
export function isMissingParts(wire: Expense): boolean {
  return wire.status === 'SPLIT' && (wire.expense_line_items ?? []).length === 0;
}

function statedAmount(wire: ExpensePart): Money {
  const stated = wire.original_amount ?? wire.purchased_amount;
  if (!stated) throw new InputError('Brex states no amount for this expense.');
  return fromMinor(stated);
}

function kindOf(wire: Expense, amount: Money): SpendKind {
  const type = wire.expense_type ?? '';
  const meaning = Object.hasOwn(EXPENSE_TYPES, type) ? EXPENSE_TYPES[type] : undefined;
  if (!meaning) throw new InputError(`What an expense of type ${type || '(none)'} means is not known.`);
  if (type === 'CLAWBACK' && amount.minor > 0n) {
    throw new InputError('A clawback with a positive amount: whether it is money back is not known.');
  }
  if (amount.minor < 0n) return 'REFUND';
  return meaning === 'CARD' ? 'PURCHASE' : meaning;
}

function isFinal(wire: Expense): boolean {
  const status = wire.status ?? '';
  if (wire.expense_type === 'CARD') {
    return SPENT_STATUSES.has(status) && !OPEN_PAYMENTS.has(wire.payment_status ?? '');
  }
  return APPROVED_STATUSES.has(status);
}

/** Parts are listed as expenses too. Sharing their keys makes parent and parts one purchase instead of two. */
function keysOf(wire: Expense, amount: Money): string[] {
  const parts = (wire.expense_line_items ?? []).map((part) =>
    expenseKey(part.id, isMoneyBack(partAmount(part)) ? '#refund' : ''),
  );
  return [...new Set([expenseKey(wire.id, isMoneyBack(amount) ? '#refund' : ''), ...parts])];
}

function isMoneyBack(amount: Money): boolean {
  return amount.minor < 0n;
}

function partAmount(part: ExpensePart): Money {
  return part.billing_amount ? fromMinor(part.billing_amount) : statedAmount(part);
}

function partsOf(wire: Expense, amount: Money, settings: BrexSettings): SpendPart[] {
  const items = wire.expense_line_items ?? [];
  const parts = items.map((item) => partOf(item, settings));
  const missing = amount.minor - parts.reduce((sum, part) => sum + part.amount.minor, 0n);
  const tax = parts.reduce((sum, part) => sum + (part.tax?.minor ?? 0n), 0n);
  // Less than one minor unit a part is what rounding leaves, and taxes may come on top of the parts: planning, which
  // knows the tax codes, books that or holds the purchase.
  const isRounding = (minor: bigint) => minor === 0n || absolute(minor) < BigInt(parts.length);
  const isWhole =
    parts.every((part) => part.amount.currency === amount.currency) &&
    (isRounding(missing) || isRounding(missing - tax));
  if (parts.length === 0 || isWhole) return parts;
  throw new InputError(
    items.length >= 100
      ? 'The expense has a hundred parts or more, of which Brex shows a hundred.'
      : 'The parts of the expense do not add up to it.',
  );
}

function partOf(item: ExpensePart, settings: BrexSettings): SpendPart {
  const amount = partAmount(item);
  return {
    sourceLineId: item.id,
    amount,
    tax: taxOf(item, amount, settings),
    category: trimmed(item.category),
    glAccount: null,
    costCentre: null,
    dimensions: dimensionsOf(item, settings),
    memo: trimmed(item.memo),
  };
}

/** A draft may have no date of purchase yet; it then stands on its update day and is not final. */
function purchaseDay(wire: Expense): { day: LocalDate; isStated: boolean } {
  const stated = wire.purchased_at ?? wire.payment_posted_at ?? wire.submitted_at;
  return { day: dayOf(stated ?? wire.updated_at), isStated: Boolean(stated) };
}

function dimensionsOf(wire: ExpensePart, settings: BrexSettings): Record<string, string> {
  const named: [string, string | null][] = [
    ['Department', trimmed(wire.department?.name)],
    ['Location', trimmed(wire.location?.name)],
    ['Budget', trimmed(wire.budget?.name)],
  ];
  for (const field of wire.custom_fields ?? []) {
    if (field.key !== settings.taxField) named.push([field.key, fieldText(field)]);
  }
  return Object.fromEntries(named.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** The value of a custom field as text; a list is joined. null = empty, or a kind that has no text. */
function fieldText(field: CustomField): string | null {
  const data = field.value?.data;
  const texts = (Array.isArray(data) ? data : [data]).map(valueText).filter((text) => text !== null);
  return texts.length === 0 ? null : texts.join(', ');
}

function valueText(value: unknown): string | null {
  if (value instanceof JsonNumber) return plainDecimal(value.text);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return trimmed(value);
  if (value !== null && typeof value === 'object') {
    const option = value as { option_label?: unknown; option_id?: unknown };
    const label = option.option_label ?? option.option_id;
    return typeof label === 'string' ? trimmed(label) : null;
  }
  return null;
}

/** The tax that the configured custom field states, signed as the amount. Brex itself states none. */
function taxOf(wire: ExpensePart, amount: Money, settings: BrexSettings): Money | null {
  const field = (wire.custom_fields ?? []).find((candidate) => candidate.key === settings.taxField);
  if (settings.taxField === null || !field) return null;
  const stated = taxAmount(field, amount.currency);
  if (!stated || stated.minor === 0n) return null;
  const tax = amount.minor < 0n && stated.minor > 0n ? money(-stated.minor, stated.currency) : stated;
  if (tax.currency !== amount.currency) {
    if (wire.original_amount?.currency?.toUpperCase() === tax.currency) return tax;
    throw new InputError(`The tax is in ${tax.currency}, the amount in ${amount.currency}.`);
  }
  // A bill over nothing may still move tax: one that is issued again to state it.
  if (amount.minor === 0n) return tax;
  const isPart = amount.minor < 0n ? tax.minor >= amount.minor : tax.minor <= amount.minor && tax.minor > 0n;
  if (!isPart) throw new InputError('The stated tax is not contained in the amount.');
  return tax;
}

/** A MONEY field is in minor units like every amount of this API; a DECIMAL or text field is in major units. */
function taxAmount(field: CustomField, currency: string): Money | null {
  const data = field.value?.data;
  if (data === null || data === undefined) return null;
  const asMoney = minorMoneySchema.safeParse(data);
  if (asMoney.success) return fromMinor({ ...asMoney.data, currency: asMoney.data.currency ?? currency });
  const text = valueText(data);
  if (text === null) throw new InputError(`The tax field ${field.key} holds no amount.`);
  return moneyFromDecimal(text, currency);
}

function lastingLinks(wire: Expense): string[] {
  const link = wire.dashboard_url?.trim();
  return link && /^https:\/\//.test(link) ? [link] : [];
}
