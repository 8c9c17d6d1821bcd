import { hashOf } from './keys.js';
import type { Money } from './money.js';
import type { SourceObject, SpendPart, UnifiedSpend } from './spend.js';

/** JSON text with bigints as decimal strings; what is stored of spend. */
export function spendToJson(value: SourceObject | UnifiedSpend): string {
  return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? item.toString() : item));
}

interface StoredMoney {
  minor: string;
  currency: string;
}
type Stored<T> = {
  [K in keyof T]: T[K] extends Money
    ? StoredMoney
    : T[K] extends Money | null
      ? StoredMoney | null
      : T[K] extends readonly SpendPart[]
        ? readonly Stored<SpendPart>[]
        : T[K];
};
/** As `spendToJson` writes it and the database holds it. */
export type StoredUnifiedSpend = Stored<UnifiedSpend>;
/** As `spendToJson` writes it and the database holds it; the vendor's reply is kept beside it. */
export type StoredSourceObject = Stored<SourceObject>;

function moneyOf(stored: StoredMoney): Money;
function moneyOf(stored: StoredMoney | null): Money | null;
function moneyOf(stored: StoredMoney | null): Money | null {
  return stored === null ? null : { minor: BigInt(stored.minor), currency: stored.currency };
}

function partsOf(stored: readonly Stored<SpendPart>[]): SpendPart[] {
  return stored.map((part) => ({
    ...part,
    amount: moneyOf(part.amount),
    tax: moneyOf(part.tax),
  }));
}

/** The object as it was before `spendToJson`, from the database's own JSON. */
export function unifiedFromJson(json: unknown): UnifiedSpend {
  const stored = json as StoredUnifiedSpend;
  return {
    ...stored,
    amount: moneyOf(stored.amount),
    originalAmount: moneyOf(stored.originalAmount),
    tax: moneyOf(stored.tax),
    parts: partsOf(stored.parts),
  };
}

export function sourceObjectFromJson(json: unknown, raw: unknown = null): SourceObject {
  const stored = json as StoredSourceObject;
  return {
    ...stored,
    raw,
    amount: moneyOf(stored.amount),
    originalAmount: moneyOf(stored.originalAmount),
    tax: moneyOf(stored.tax),
    parts: partsOf(stored.parts),
  };
}

/** Differs when anything about the purchase differs that a person or the ledger could see. */
export function contentHashOf(unified: UnifiedSpend): string {
  return hashOf(unified);
}

/**
 * Differs when the entry in the ledger would have to differ: amounts, coding, tax, or that it is no purchase any more.
 * Dates, names, memos and receipts are left out on purpose: a stream that arrives later adds them, and no accountant
 * reverses an entry because a memo grew.
 */
export function accountingHashOf(unified: UnifiedSpend): string {
  return hashOf({
    kind: unified.kind,
    isWithdrawn: unified.isWithdrawn,
    amount: unified.amount,
    parts: unified.parts.map((part) => ({
      amount: part.amount,
      tax: part.tax,
      category: part.category,
      glAccount: part.glAccount,
      costCentre: part.costCentre,
      dimensions: part.dimensions,
    })),
    disagreement: unified.disagreement,
    // A tax in another currency is converted by this amount, so it decides what is booked.
    ...(unified.parts.some(({ tax }) => tax !== null && tax.currency !== unified.amount.currency)
      ? { originalAmount: unified.originalAmount }
      : {}),
  });
}
