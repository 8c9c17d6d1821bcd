/** The closed word lists of the product. The GraphQL enums and the database checks are made from these lists. */

export const SYSTEM_KINDS = ['BREX', 'EXPENSIFY', 'SYSPRO', 'SAGE_X3', 'INFOR_M3', 'EPICOR_KINETIC'] as const;
export type SystemKind = (typeof SYSTEM_KINDS)[number];

export const SYSTEM_ROLES = ['SPEND', 'LEDGER'] as const;
export type SystemRole = (typeof SYSTEM_ROLES)[number];

export const SYSTEM_STATUSES = ['ACTIVE', 'NEEDS_REAUTHORISATION', 'UNREACHABLE', 'DISABLED'] as const;
export type SystemStatus = (typeof SYSTEM_STATUSES)[number];

export const SPEND_STREAMS = [
  'CARD_TRANSACTIONS',
  'CASH_TRANSACTIONS',
  'EXPENSES',
  'ACCOUNTING_RECORDS',
  'EXPENSE_REPORTS',
] as const;
export type SpendStream = (typeof SPEND_STREAMS)[number];

export const DOCUMENT_TYPES = ['JOURNAL', 'SUPPLIER_INVOICE'] as const;
export type DocumentType = (typeof DOCUMENT_TYPES)[number];

export const GROUPINGS = ['PER_RECORD', 'DAILY'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/**
 * What happens to a purchase whose merchant has no certain supplier. POST_WITHOUT_SUPPLIER is for journals only: the
 * posting goes out on its coding, and the match stays open for a person.
 */
export const UNMATCHED_VENDOR_POLICIES = [
  'HOLD',
  'SKIP',
  'DEFAULT_ACCOUNT',
  'CREATE_SUPPLIER',
  'POST_WITHOUT_SUPPLIER',
] as const;
export type UnmatchedVendorPolicy = (typeof UNMATCHED_VENDOR_POLICIES)[number];

export const POSTING_DATE_POLICIES = ['TRANSACTION_DATE', 'POSTED_DATE', 'SYNC_DATE'] as const;
export type PostingDatePolicy = (typeof POSTING_DATE_POLICIES)[number];

export const CLOSED_PERIOD_POLICIES = ['HOLD', 'NEXT_OPEN_PERIOD'] as const;
export type ClosedPeriodPolicy = (typeof CLOSED_PERIOD_POLICIES)[number];

/** What happens when the source changes a purchase that is already in the ledger. */
export const CORRECTION_POLICIES = ['REVERSE_AND_REPLACE', 'HOLD'] as const;
export type CorrectionPolicy = (typeof CORRECTION_POLICIES)[number];

/**
 * When a purchase is held because another one of the same ledger looks like it. ACROSS_SOURCES only where the other one
 * came another way: from another system, through another pipeline, or with another import of the same feed.
 */
export const DUPLICATE_CHECKS = ['OFF', 'ACROSS_SOURCES', 'ALWAYS'] as const;
export type DuplicateCheck = (typeof DUPLICATE_CHECKS)[number];

/**
 * When a purchase may be posted: `RICHEST` waits until the richest of the pipeline's streams has shown it (so that one
 * posting carries the final coding), `FIRST` posts as soon as any stream shows it and corrects later if need be.
 */
export const CODING_POLICIES = ['RICHEST', 'FIRST'] as const;
export type CodingPolicy = (typeof CODING_POLICIES)[number];

export const SYNC_TRIGGERS = ['SCHEDULE', 'WEBHOOK', 'MANUAL', 'BACKFILL', 'REPLAY'] as const;
export type SyncTrigger = (typeof SYNC_TRIGGERS)[number];

export const SYNC_STATUSES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'PARTIAL', 'FAILED', 'CANCELLED'] as const;
export type SyncStatus = (typeof SYNC_STATUSES)[number];

export const SPEND_STATUSES = ['NEW', 'PLANNED', 'HELD', 'POSTED', 'EXCLUDED', 'CORRECTED'] as const;
export type SpendStatus = (typeof SPEND_STATUSES)[number];

export const VENDOR_MATCH_STATUSES = [
  'AUTO_MATCHED',
  'NEEDS_REVIEW',
  'CONFIRMED',
  'REJECTED',
  'UNMATCHED',
  'CREATED',
] as const;
export type VendorMatchStatus = (typeof VENDOR_MATCH_STATUSES)[number];

export const VENDOR_MATCH_METHODS = ['EXACT', 'ALIAS', 'FUZZY', 'MANUAL', 'CREATED', 'NONE'] as const;
export type VendorMatchMethod = (typeof VENDOR_MATCH_METHODS)[number];

export const VENDOR_DECISIONS = ['CONFIRM', 'REJECT', 'ASSIGN', 'CREATE'] as const;
export type VendorDecision = (typeof VENDOR_DECISIONS)[number];

/** What a replay would make of a posting. */
export const REPLAY_OUTCOMES = [
  'READY',
  'AWAITING_APPROVAL',
  'HELD',
  'CANCELLED',
  'POSTPONED',
  'LOOKED_FOR',
  'NOT_REPLAYABLE',
] as const;
export type ReplayOutcome = (typeof REPLAY_OUTCOMES)[number];

export const ALERT_SEVERITIES = ['INFO', 'WARNING', 'CRITICAL'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

export const ROLES = ['VIEWER', 'AUDITOR', 'OPERATOR', 'ADMIN'] as const;
export type Role = (typeof ROLES)[number];

export const HOLD_CODES = [
  'ACCOUNT_MISSING',
  'ACCOUNT_INACTIVE',
  'DIMENSION_MISSING',
  'VENDOR_UNMATCHED',
  'VENDOR_REVIEW',
  'SUPPLIER_INACTIVE',
  'MAPPING_MISSING',
  'PERIOD_CLOSED',
  'UNBALANCED',
  'CURRENCY_UNSUPPORTED',
  'LEDGER_REJECTED',
  'SUSPECTED_DUPLICATE',
  'APPROVAL_REQUIRED',
] as const;
export type HoldCode = (typeof HOLD_CODES)[number];

/** Why a document waits for a person. */
export interface Hold {
  readonly code: HoldCode;
  /** What is wrong, in a sentence a finance person understands. */
  readonly message: string;
  /** The field that is wrong, e.g. `glAccount`, and its value. */
  readonly field?: string;
  readonly value?: string;
  /** What a person can do about it, and where. */
  readonly resolution: string;
}
