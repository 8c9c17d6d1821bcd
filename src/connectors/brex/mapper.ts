import { type LocalDate, localDate } from '../../domain/localDate.js';
import { absolute, divideRounded, exponentOf, type Money, money, moneyFromDecimal, zero } from '../../domain/money.js';
import type { SourceObject, SpendKind } from '../../domain/spend.js';
import { InputError } from '../../errors.js';
import { contentHash, plainDecimal } from './json.js';
import type { CardTransaction, CashTransaction, DecimalMoney, MinorMoney } from './wire.js';

/**
 * Card and cash transactions, and what all mappers of Brex share. Pure. An object that cannot be understood throws
 * `InputError` with the reason; the reader reports it as unreadable and goes on with its page.
 *
 * Amounts: positive = the company spent. Card transactions come that way; cash transactions come the other way round
 * (money out is negative). Brex documents only that they are signed, so a sign that contradicts the type is not guessed.
 */

// ── shared pieces ────────────────────────────────────────────────────────────────────────────

/** v1/v2 amounts: integer minor units; no currency means USD. @throws InputError */
export function fromMinor(amount: MinorMoney): Money {
  const text = plainDecimal(amount.amount.text);
  if (text === null || !/^-?\d+(\.0+)?$/.test(text)) {
    throw new InputError(`The amount ${amount.amount.text} is not a whole number of minor units.`);
  }
  return money(BigInt(text.replace(/\..*$/, '')), currencyOf(amount.currency ?? 'USD'));
}

/** v3 amounts: decimals in major units. @throws InputError more decimals than the currency has. */
export function fromDecimal(amount: DecimalMoney): Money {
  const text = plainDecimal(amount.amount.text);
  if (text === null) throw new InputError(`The amount ${amount.amount.text} is not a plain number.`);
  return moneyFromDecimal(text, currencyOf(amount.currency));
}

function currencyOf(text: string): string {
  const code = text.trim().toUpperCase();
  if (!/^[A-Z]{3}$/.test(code)) throw new InputError(`"${text}" is not a currency code.`);
  return code;
}

/** Brex sends names with spaces around them. null = nothing there. */
export function trimmed(text: string | null | undefined): string | null {
  const clean = text?.replace(/\s+/g, ' ').trim();
  return clean ? clean : null;
}

type PersonName = { first_name?: string | null | undefined; last_name?: string | null | undefined };

export function fullName(user: PersonName | null | undefined): string | null {
  return trimmed(`${user?.first_name ?? ''} ${user?.last_name ?? ''}`);
}

/** The day of a date (`2026-06-11`) or of a UTC date-time of any precision, by its text. @throws InputError */
export function dayOf(text: string): LocalDate {
  if (!/^\d{4}-\d{2}-\d{2}($|T)/.test(text)) throw new InputError(`"${text}" is not a date.`);
  return localDate(text.slice(0, 10));
}

export function dayOrNull(text: string | null | undefined): LocalDate | null {
  return text ? dayOf(text) : null;
}

/** Kept only when it says more than the billed amount. */
export function originalOf(original: Money | null, billed: Money): Money | null {
  if (!original) return null;
  return original.currency === billed.currency && original.minor === billed.minor ? null : original;
}

const RATE_DECIMALS = 10;

/** Billing units per original unit, implied by both amounts, rounded half up to ten decimals. */
export function rateBetween(original: Money | null, billed: Money): string | null {
  if (!original || original.currency === billed.currency || original.minor === 0n) return null;
  const scale = 10n ** BigInt(RATE_DECIMALS + exponentOf(original.currency));
  const divisor = absolute(original.minor) * 10n ** BigInt(exponentOf(billed.currency));
  const scaled = divideRounded(absolute(billed.minor) * scale, divisor);
  const digits = scaled.toString().padStart(RATE_DECIMALS + 1, '0');
  const text = `${digits.slice(0, -RATE_DECIMALS)}.${digits.slice(-RATE_DECIMALS)}`;
  return text.replace(/\.?0+$/, '');
}

/** With where it comes from: Brex states both amounts and never the rate. */
export function impliedRate(original: Money | null, billed: Money): Pick<SourceObject, 'exchangeRate' | 'rateOrigin'> {
  const exchangeRate = rateBetween(original, billed);
  return exchangeRate === null ? { exchangeRate } : { exchangeRate, rateOrigin: 'IMPLIED' };
}

/**
 * The key under which views of one purchase meet. A refund gets a key of its own, so that it is never merged into the
 * purchase that it gives back, even where Brex shows both under one expense id.
 */
export function expenseKey(expenseId: string, suffix: '' | '#refund' | '#repayment' | '#chargeback'): string {
  return `expense:${expenseId}${suffix}`;
}

/** Receipt links can be opened by anybody for 15 minutes (records always carry them); they are never stored. */
export function withoutPresignedLinks(raw: unknown): unknown {
  if (raw === null || typeof raw !== 'object' || !('receipts' in raw) || !Array.isArray(raw.receipts)) return raw;
  const receipts = raw.receipts.map((receipt: unknown) =>
    receipt !== null && typeof receipt === 'object' ? { ...receipt, download_uris: null } : receipt,
  );
  return { ...raw, receipts };
}

// ── card transactions ────────────────────────────────────────────────────────────────────────

type Meaning = { readonly spend: 'OUT' | 'IN' | 'EITHER' } | { readonly notSpend: string };

/** What each type of card transaction is. A type that is not here is reported as unreadable, never guessed. */
const CARD_TYPES: Readonly<Record<string, Meaning>> = {
  PURCHASE: { spend: 'OUT' },
  REFUND: { spend: 'IN' },
  // A disputed purchase is credited, and charged again when the dispute is lost.
  CHARGEBACK: { spend: 'EITHER' },
  BNPL_FEE: { spend: 'OUT' },
  REWARDS_CREDIT: { notSpend: 'Card rewards credited by Brex: income, not a purchase.' },
  COLLECTION: { notSpend: 'Payment of the card balance: money moved, nothing was bought.' },
};

/** @throws InputError */
export function mapCardTransaction(wire: CardTransaction, raw: unknown): SourceObject {
  const amount = fromMinor(wire.amount);
  const { kind, notSpendReason } = judge(CARD_TYPES, wire.type, amount, 'card transaction');
  const keys = [`card:${wire.id}`];
  if (wire.expense_id && kind !== 'NOT_SPEND') {
    keys.push(expenseKey(wire.expense_id, suffixOf(kind, wire.type)));
  }
  const descriptor = trimmed(wire.merchant?.raw_descriptor);
  return {
    ...blankObject(),
    stream: 'CARD_TRANSACTIONS',
    externalId: wire.id,
    // Transactions carry no update time or version.
    version: contentHash(wire),
    keys,
    kind,
    notSpendReason,
    isFinal: true,
    amount,
    merchantName: descriptor ?? (kind === 'NOT_SPEND' ? null : trimmed(wire.description)),
    merchantDescriptor: descriptor,
    mcc: mccOf(wire.merchant?.mcc),
    memo: trimmed(wire.description),
    transactionDate: dayOf(wire.initiated_at_date),
    postedDate: dayOf(wire.posted_at_date),
    raw,
  };
}

/** A dispute that was lost charges the purchase again: a second purchase, not another view of the first. */
function suffixOf(kind: SpendKind, type: string | null | undefined): '' | '#refund' | '#chargeback' {
  if (kind === 'REFUND') return '#refund';
  return type === 'CHARGEBACK' ? '#chargeback' : '';
}

// ── cash transactions ────────────────────────────────────────────────────────────────────────

const MOVED = 'Money moved between accounts; nothing was bought.';
const FINANCING = 'An advance on receivables or its repayment: financing, not a purchase.';

/** What each type of cash transaction is. A type that is not here is reported as unreadable, never guessed. */
const CASH_TYPES: Readonly<Record<string, Meaning>> = {
  FEE: { spend: 'EITHER' },
  TRANSACTION_FEES_COLLECTION: { spend: 'EITHER' },
  PAYMENT: {
    notSpend: 'A payment in or out; its cost is booked by the bill, reimbursement or invoice that it settles.',
  },
  DIVIDEND: { notSpend: 'Income of the cash account, not a purchase.' },
  INTEREST: { notSpend: 'Interest of the cash account: income, not a purchase.' },
  ADJUSTMENT: { notSpend: 'A correction by the bank; a person books it in the bank reconciliation.' },
  CARD_COLLECTION: { notSpend: 'Payment of the card balance: money moved, nothing was bought.' },
  REWARDS_REDEMPTION: { notSpend: 'Card rewards paid out: income, not a purchase.' },
  PAYBACK: { notSpend: 'Money paid back to the account; what it pays back is booked where it was spent.' },
  RECEIVABLES_OFFERS_ADVANCE: { notSpend: FINANCING },
  RECEIVABLES_OFFERS_REPAYMENT: { notSpend: FINANCING },
  RECEIVABLES_OFFERS_COLLECTION: { notSpend: FINANCING },
  FBO_TRANSFER: { notSpend: MOVED },
  BREX_OPERATIONAL_TRANSFER: { notSpend: MOVED },
  INTRA_CUSTOMER_ACCOUNT_BOOK_TRANSFER: { notSpend: MOVED },
  BOOK_TRANSFER: { notSpend: MOVED },
  CRYPTO_BRIDGE: { notSpend: MOVED },
  STABLECOIN: { notSpend: MOVED },
};

/**
 * Brex may state no amount (`amount` is nullable in its specification). Where the type alone says that nothing was bought,
 * the transaction is shown as that, worth nothing; where it could be spend it cannot be read.
 * @throws InputError
 */
export function mapCashTransaction(wire: CashTransaction, raw: unknown): SourceObject {
  const signed = wire.amount ? fromMinor(wire.amount) : null;
  const amount = signed ? money(-signed.minor, signed.currency) : zero('USD');
  const judged = judge(CASH_TYPES, wire.type, amount, 'cash transaction');
  const { kind } = judged;
  if (!signed && kind !== 'NOT_SPEND') throw new InputError('Brex states no amount for this cash transaction.');
  const notSpendReason = signed ? judged.notSpendReason : `${judged.notSpendReason} Brex states no amount for it.`;
  return {
    ...blankObject(),
    stream: 'CASH_TRANSACTIONS',
    externalId: wire.id,
    version: contentHash(wire),
    keys: [`cash:${wire.id}`],
    kind,
    notSpendReason,
    isFinal: true,
    amount,
    merchantName: kind === 'NOT_SPEND' ? null : 'Brex',
    memo: trimmed(wire.description),
    transactionDate: dayOf(wire.initiated_at_date),
    postedDate: dayOf(wire.posted_at_date),
    raw,
  };
}

function judge(
  table: Readonly<Record<string, Meaning>>,
  type: string | null | undefined,
  amount: Money,
  what: string,
): { kind: SpendKind; notSpendReason: string | null } {
  const meaning = type && Object.hasOwn(table, type) ? table[type] : undefined;
  if (!meaning) throw new InputError(`What a ${what} of type ${type ?? '(none)'} means is not known.`);
  if ('notSpend' in meaning) return { kind: 'NOT_SPEND', notSpendReason: meaning.notSpend };
  const isIn = amount.minor < 0n;
  if ((meaning.spend === 'OUT' && isIn) || (meaning.spend === 'IN' && amount.minor > 0n)) {
    throw new InputError(`The sign of the amount contradicts the type ${type}.`);
  }
  return { kind: isIn || meaning.spend === 'IN' ? 'REFUND' : 'PURCHASE', notSpendReason: null };
}

export function mccOf(text: string | null | undefined): string | null {
  return text && /^\d{4}$/.test(text) ? text : null;
}

/** The fields that most objects leave empty. */
export function blankObject() {
  return {
    isWithdrawn: false,
    notSpendReason: null,
    originalAmount: null,
    exchangeRate: null,
    tax: null,
    merchantName: null,
    merchantDescriptor: null,
    mcc: null,
    category: null,
    dimensions: {},
    parts: [],
    spender: null,
    memo: null,
    receiptUrls: [],
  } satisfies Partial<SourceObject>;
}
