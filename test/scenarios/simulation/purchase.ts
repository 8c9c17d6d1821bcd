export const VIEWS = ['CARD_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'] as const;
export type View = (typeof VIEWS)[number];

export const CATEGORIES = ['OFFICE', 'MEALS', 'TRAVEL'];

/** A purchase as it is at the source now, and which streams show it. */
export interface Purchase {
  readonly id: string;
  minor: bigint;
  /** All amounts that any stream has ever shown for it. */
  readonly amounts: Set<bigint>;
  /** What it is billed in. */
  readonly currency: string;
  /** What the merchant charged, where that is another currency. */
  readonly original: { readonly minor: bigint; readonly currency: string } | null;
  /** Tax contained in the amount, in whole percent of it; 0 = none is stated. */
  readonly taxPercent: number;
  category: string;
  merchant: string;
  readonly day: string;
  /** Parts in minor units; empty = it is not split. */
  parts: bigint[];
  isWithdrawn: boolean;
  /** Whether the accounting record is ready for export. */
  isFinal: boolean;
  readonly shown: Set<View>;
  /** A stream that is late with the last change of the amount, and what it still shows. */
  before: { readonly minor: bigint; readonly view: View } | null;
  version: number;
}

export function taxOf({ taxPercent }: Purchase, minor: bigint): bigint {
  return (minor * BigInt(taxPercent)) / 100n;
}

export function describedPurchase(purchase: Purchase): string {
  const { id, minor, currency, day, shown } = purchase;
  return `${id} over ${minor} ${currency} on ${day} in ${[...shown].map((view) => view[0]).join('')}`;
}
