import type { LocalDate } from './localDate.js';
import type { Money } from './money.js';
import type { SpendStream } from './vocabulary.js';

/**
 * One coded part of a purchase: the whole of it, or one line of a split. Parts add up to the purchase, except for what
 * rounding leaves over, or where their tax comes on top of them; planning looks into both.
 */
export interface SpendPart {
  /** The source's own id of this part, for tracing. */
  readonly sourceLineId: string | null;
  /** Signed as the purchase is: negative parts are refunds. */
  readonly amount: Money;
  /**
   * Tax of this part, when the source states it: contained in `amount`, unless the tax code says that it comes on top.
   * In the currency of `amount`, or in the original currency of a foreign purchase.
   */
  readonly tax: Money | null;
  /** The source's category or account id; what `MappingRule.category` is compared with. */
  readonly category: string | null;
  /** GL account chosen at the source (an accounting record coded with one of the ledger's own accounts). */
  readonly glAccount: string | null;
  readonly costCentre: string | null;
  /** Tags and fields at the source by name, e.g. `{ "Department": "R&D" }`. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly memo: string | null;
}

/** Whether the source states the exchange rate, or it is what two stated amounts imply. */
export type RateOrigin = 'STATED' | 'IMPLIED';

/** What a source object is about. Only the first four are spend that belongs in an expense account. */
export type SpendKind = 'PURCHASE' | 'REFUND' | 'REIMBURSEMENT' | 'BILL' | 'NOT_SPEND';

/** A receipt that a source object shows. Its content is fetched and kept apart from the object. */
export interface ReceiptRef {
  /** The source's own id of the receipt. */
  readonly key: string;
  readonly fileName: string | null;
  /** Only a link that lives on and opens nothing to strangers; null = links are asked for when they are needed. */
  readonly lastingUrl: string | null;
}

/**
 * One object of one stream as a connector's reader returns it: parsed, signed and scaled, but not yet joined with what
 * other streams say about the same purchase.
 */
export interface SourceObject {
  readonly stream: SpendStream;
  /** The source's id within the stream. */
  readonly externalId: string;
  /**
   * The id under which the source takes a result, where that is not `externalId`: several objects may share it (the
   * expenses of one report), and it is reported once all of them are settled.
   */
  readonly exportId?: string;
  /** Differs whenever the object's content may differ; e.g. `updated_at` or `version`. Compared for equality only. */
  readonly version: string;
  /**
   * Identity keys. Objects of one source that share a key are views of one purchase.
   * Contains at least a key of the object itself, e.g. `card:pst_1`, `expense:expense_9`.
   * The whole and the parts of a split are told apart by keys: the whole carries its parts' keys and lists them in
   * `parts` by `sourceLineId`, or a part carries the key of its whole.
   */
  readonly keys: readonly string[];
  readonly kind: SpendKind;
  /** For NOT_SPEND: why this does not belong in an expense account, in a sentence. */
  readonly notSpendReason: string | null;
  /** The source says that this view is finished and may be posted (an accounting record that is ready for export). */
  readonly isFinal: boolean;
  /** The source withdrew it (void, cancelled, deleted). */
  readonly isWithdrawn: boolean;
  /** In the billing currency; negative = money back to the company. */
  readonly amount: Money;
  readonly originalAmount: Money | null;
  /** Billing units per original unit, exact decimal text, where the source states or implies it. */
  readonly exchangeRate: string | null;
  /** Where the rate comes from; left out where there is none, or a connector cannot tell. */
  readonly rateOrigin?: RateOrigin;
  readonly tax: Money | null;
  readonly merchantName: string | null;
  readonly merchantDescriptor: string | null;
  /** Four digits. */
  readonly mcc: string | null;
  readonly category: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Empty when the source shows the purchase as one uncoded whole. */
  readonly parts: readonly SpendPart[];
  readonly spender: string | null;
  readonly memo: string | null;
  readonly transactionDate: LocalDate;
  readonly postedDate: LocalDate | null;
  /** Links to receipts that live on (never presigned ones). */
  readonly receiptUrls: readonly string[];
  /** Receipts that are to be fetched; left out when there are none. */
  readonly receipts?: readonly ReceiptRef[];
  /** The vendor's reply, whole, as parsed JSON. Stored beside the record. */
  readonly raw: unknown;
}

/**
 * One purchase (or refund, reimbursement, bill) as the ledger should see it: the joint view of up to one object a
 * stream, the richest deciding the coding.
 */
export interface UnifiedSpend {
  readonly kind: SpendKind;
  readonly notSpendReason: string | null;
  readonly isWithdrawn: boolean;
  /** The streams that have shown it, richest first. */
  readonly streams: readonly SpendStream[];
  /** Whether the richest object is finished at the source (see `SourceObject.isFinal`). */
  readonly isFinal: boolean;
  readonly amount: Money;
  readonly originalAmount: Money | null;
  readonly exchangeRate: string | null;
  readonly rateOrigin?: RateOrigin;
  readonly tax: Money | null;
  readonly merchantName: string | null;
  readonly merchantDescriptor: string | null;
  readonly mcc: string | null;
  readonly category: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
  /** At least one. Whether they make up `amount` is for planning to say, which knows what their tax codes mean. */
  readonly parts: readonly SpendPart[];
  readonly spender: string | null;
  readonly memo: string | null;
  readonly transactionDate: LocalDate;
  readonly postedDate: LocalDate | null;
  readonly receiptUrls: readonly string[];
  /** Left out when no object shows a receipt. */
  readonly hasReceipts?: true;
  /** Set when the source contradicts itself on what was bought: a sentence for the hold. */
  readonly disagreement: string | null;
}
