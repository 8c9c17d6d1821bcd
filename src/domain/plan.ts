import type { LocalDate } from './localDate.js';
import type { UnifiedSpend } from './spend.js';
import type { TaxCodes } from './taxCodes.js';
import type {
  ClosedPeriodPolicy,
  CodingPolicy,
  DocumentType,
  Grouping,
  Hold,
  PostingDatePolicy,
  SpendStream,
  UnmatchedVendorPolicy,
  VendorMatchStatus,
} from './vocabulary.js';

/** The types that planning takes and gives. The planner itself is `planner.ts`. */

/** The first rule whose conditions all hold decides; a condition left null always holds. */
export interface MappingRule {
  readonly category: string | null;
  readonly dimension: string | null;
  readonly dimensionValue: string | null;
  /** Case-insensitive glob (`*`, `?`) on the merchant name. */
  readonly merchant: string | null;
  readonly mcc: string | null;
  readonly glAccount: string;
  readonly costCentre: string | null;
  /** Further ledger dimensions, code by name. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly taxCode: string | null;
}

export interface MappingVersion {
  readonly version: number;
  readonly effectiveFrom: LocalDate;
  readonly rules: readonly MappingRule[];
}

export interface PlanPipeline {
  readonly id: string;
  readonly streams: readonly SpendStream[];
  readonly documentType: DocumentType;
  readonly grouping: Grouping;
  readonly offsetAccount: string;
  readonly defaultAccount: string | null;
  readonly unmatchedVendor: UnmatchedVendorPolicy;
  readonly postingDate: PostingDatePolicy;
  readonly closedPeriod: ClosedPeriodPolicy;
  readonly coding: CodingPolicy;
  readonly requireApproval: boolean;
  readonly timeZone: string;
  /** Public address of this gateway, without a slash at its end; documents carry a link to their receipts below it. */
  readonly receiptLinkBase?: string | null;
  /** Where a remainder goes that rounding leaves; null or left out = such a purchase is held. */
  readonly roundingAccount?: string | null;
  /** What is done with the tax of each tax code; left out = as with a code that is not listed. */
  readonly taxCodes?: TaxCodes;
}

export interface AccountFact {
  /** As the ledger spells it. */
  readonly code: string;
  readonly name: string;
  readonly active: boolean;
  /** Why nothing may be posted to it although it exists, e.g. a control account; null when it may. */
  readonly blockedReason: string | null;
  /** What every line on it must carry; `label` is the ledger's own word for the dimension. */
  readonly requiredDimensions?: readonly { readonly dimension: string; readonly label: string }[];
}

export interface SupplierFact {
  readonly code: string;
  readonly name: string;
  readonly active: boolean;
  readonly currency: string | null;
}

export interface FiscalPeriodFact {
  readonly label: string;
  readonly startsOn: LocalDate;
  readonly endsOn: LocalDate;
  readonly open: boolean;
  /** The ledger's own key of the period, e.g. `{ "year": "2027", "period": "05" }`; opaque outside the connector. */
  readonly key: Readonly<Record<string, string>>;
}

/** What the ledger holds, as last read. Look-ups, so that a chart of any size costs nothing per plan. */
export interface MasterData {
  account(code: string): AccountFact | undefined;
  supplier(code: string): SupplierFact | undefined;
  /** undefined = the dimension's values are known and this is not one; null = this ledger has no list for the dimension. */
  dimensionValue(dimension: string, code: string): { name: string; active: boolean } | null | undefined;
  /** Sorted by `startsOn`; empty = the ledger's calendar could not be read. */
  readonly periods: readonly FiscalPeriodFact[];
}

/** What a ledger accepts, as far as planning must know it. Pure; made by the connector from its settings. */
export interface LedgerRules {
  /** ISO code of the currency journals are kept in; null = any currency is accepted. */
  readonly localCurrency: string | null;
  readonly documentTypes: readonly DocumentType[];
  /** The longest list of lines one document may have; a larger day is cut into several balanced documents. */
  readonly maxLines: number;
  readonly memoLength: number;
  /** The name under which `costCentre` is found in the master data's dimensions. */
  readonly costCentreDimension: string | null;
  /** The codes of most accounts contain a cost centre, so an unknown one without it lacks just that. */
  readonly isCostCentreInAccount?: boolean;
  /**
   * Whether lines may carry this dimension. Tags of the source that the ledger has no place for are then left off its
   * lines (what a mapping rule sets stays, and so do tags when this is not said), or they would only cut the lines of a
   * day into pieces.
   */
  readonly takesDimension?: (name: string) => boolean;
  /** What the ledger takes as a supplier invoice. Left out: the ledger itself says no to what it does not take. */
  readonly invoices?: InvoiceRules;
  /** The account code to look up in master data (and to post to), e.g. `RV12T-K020` from a cost centre and an account. */
  accountCode(line: { glAccount: string; costCentre: string | null }): string;
}

export interface InvoiceRules {
  /** null = a refund becomes a credit note; else a sentence: what a person can do instead. */
  readonly refundAdvice: string | null;
  /** Whether one invoice may have lines on both sides: a discount, or tax lines that cancel. */
  readonly takesBothSides: boolean;
}

/** What is known about the purchase's merchant in this ledger. */
export interface VendorFact {
  readonly matchId: string;
  readonly status: VendorMatchStatus;
  readonly supplierCode: string | null;
  /** A sentence: how it was found and how sure that is. */
  readonly explanation: string;
  /** A person asked for a new supplier of this name, whatever the pipeline's policy is. */
  readonly createAs?: string | null;
}

export interface PlanSpend {
  readonly id: string;
  /**
   * Names the purchase by the source's own ids (e.g. `expense:expense_9`), fixed before its first posting. References
   * are made from it, so that a restored or rebuilt database meets the documents that the ledger already holds.
   */
  readonly originKey: string;
  readonly revision: number;
  readonly spend: UnifiedSpend;
  /** null when the purchase names no merchant, or the pipeline has no use for one. */
  readonly vendor: VendorFact | null;
  /** What is wrong with it that shows only beside other purchases; its document is held for that. */
  readonly holds?: readonly Hold[];
}

export interface PlanContext {
  readonly pipeline: PlanPipeline;
  readonly ledgerId: string;
  /** The version in force on the document's posting date; null = none has begun by then. */
  readonly mapping: MappingVersion | null;
  readonly masterData: MasterData;
  readonly rules: LedgerRules;
  /** The day of the sync, in the pipeline's time zone. */
  readonly today: LocalDate;
  /**
   * DAILY grouping: how many documents this pipeline already has for the day (a posting date) and currency, in whatever
   * state; late arrivals add more. It must never fall, or two documents would get one reference.
   */
  dailySequence(day: LocalDate, currency: string): number;
}

/** What a line is for: the purchase itself, the tax in it, what rounding leaves over, or the other side of all of these. */
export const LINE_ROLES = ['EXPENSE', 'TAX', 'ROUNDING', 'OFFSET'] as const;
export type LineRole = (typeof LINE_ROLES)[number];

export interface PlannedLine {
  readonly lineNumber: number;
  readonly role: LineRole;
  /** As the mapping or the source names it; `LedgerRules.accountCode` makes the ledger's code from it and `costCentre`. */
  readonly glAccount: string;
  readonly costCentre: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly taxCode: string | null;
  /** Minor units, both at least 0, at most one of them above 0. */
  readonly debitMinor: bigint;
  readonly creditMinor: bigint;
  readonly memo: string | null;
  readonly spendRecordIds: readonly string[];
  /** Why this account: which rule, coding or default decided it. */
  readonly explanation: string;
}

/** One document for one ledger: balanced, checked against master data and periods, or held with its reasons. */
export interface PlannedDocument {
  /** Deterministic name of the business fact; see `keys.ts`. */
  readonly reference: string;
  readonly documentType: DocumentType;
  readonly postingDate: LocalDate;
  /** The period that `postingDate` falls in; null only when held. */
  readonly period: FiscalPeriodFact | null;
  readonly currency: string;
  /** Set for a SUPPLIER_INVOICE, and for a JOURNAL whose merchant is matched. */
  readonly supplierCode: string | null;
  /** CREATE_SUPPLIER: the supplier must be made before posting. */
  readonly createSupplier: { readonly name: string; readonly matchId: string } | null;
  readonly description: string;
  readonly lines: readonly PlannedLine[];
  /** The documents' total on either side, minor units. */
  readonly totalMinor: bigint;
  readonly holds: readonly Hold[];
  readonly mappingVersion: number | null;
  readonly spend: readonly { readonly id: string; readonly revision: number }[];
  /** SHA-256 over all that reaches the ledger: same hash, same document. */
  readonly planHash: string;
}

/** What planning decided about one spend record that yields no document. */
export type PlanSkip =
  /** Not yet: a richer stream has still to show it, or its day is not over; `until` = the day it is looked at again. */
  | {
      readonly kind: 'WAITING';
      readonly spendRecordId: string;
      readonly reason: string;
      readonly until: LocalDate | null;
    }
  /** Never: not spend, withdrawn before it was posted, or skipped by policy. */
  | { readonly kind: 'EXCLUDED'; readonly spendRecordId: string; readonly reason: string };

export interface Plan {
  readonly documents: readonly PlannedDocument[];
  readonly skipped: readonly PlanSkip[];
}
