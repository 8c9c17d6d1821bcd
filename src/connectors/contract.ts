import type { ZodType } from 'zod';
import type { Clock } from '../clock.js';
import type { LocalDate } from '../domain/localDate.js';
import type { LedgerRules, LineRole } from '../domain/plan.js';
import type { SourceObject } from '../domain/spend.js';
import type { DocumentType, SpendStream, SystemKind } from '../domain/vocabulary.js';
import type { Logger } from '../logger.js';
import type { AttachesReceipts, ReadsReceipts } from './receiptContract.js';

export type { AttachesReceipts, Attachment, ReadsReceipts, ReceiptLink } from './receiptContract.js';

/**
 * What the engine and a connector promise each other.
 *
 * A connector translates; the engine owns state, retries and time. A connector keeps nothing between calls but caches it
 * can lose, never writes to our database, and reports every failure as one of the classes in `errors.ts`.
 * Optional powers are interfaces of their own: implementing one is how a connector opts in.
 */

// ── what a connector is given ────────────────────────────────────────────────────────────────

/**
 * The credential of one connection. Encrypted at rest by the engine, decrypted only in here.
 */
export interface CredentialVault<C> {
  read(): Promise<C>;
  /**
   * Replaces the credential, one process at a time (a lock across all processes).
   * Reads again under the lock: when `isStale` says no to what it finds, somebody else was first and theirs is returned
   * without calling `renew`. What `renew` returns is durable before this returns, so that a rotated refresh token is
   * never lost between the vendor's answer and its first use.
   */
  rotate(isStale: (current: C) => boolean, renew: (current: C) => Promise<RenewedCredential<C>>): Promise<C>;
}

export interface RenewedCredential<C> {
  readonly credential: C;
  /** When the access token or session ends; null = never or unknown. */
  readonly expiresAt: Date | null;
  /** When a person must act at the latest; null = never or unknown. */
  readonly renewBy: Date | null;
}

/**
 * The one login session of a connection, shared by all processes and encrypted at rest.
 * For vendors that allow one session per operator (SYSPRO) or count seats.
 */
export interface SharedSession {
  /** null = nobody is logged in. */
  current(): Promise<string | null>;
  /**
   * Logs in, one process at a time. If another process has replaced `stale` meanwhile, its session is returned and
   * `logon` is not called.
   */
  renew(stale: string | null, logon: () => Promise<{ token: string; expiresAt: Date | null }>): Promise<string>;
  /** Forgets the session if it is still `token`, calling `logoff` first under the same lock. */
  end(token: string, logoff: (token: string) => Promise<void>): Promise<void>;
}

export interface QuotaWindow {
  readonly calls: number;
  readonly perMs: number;
}

/**
 * The vendor's limit on calls, shared by all processes of a connection: the vendor counts them together.
 * For vendors that publish a limit a few workers would soon pass (Expensify).
 */
export interface SharedQuota {
  /**
   * Waits until one more call fits into every window, and counts it.
   * @throws RateLimitedError waiting would take longer than a minute; nothing was counted.
   */
  take(windows: readonly QuotaWindow[], signal?: AbortSignal): Promise<void>;
  /** The vendor throttled us all the same: nobody may call before `waitMs` have passed. */
  block(waitMs: number): Promise<void>;
}

export interface ConnectionContext<C, S> {
  readonly tenantId: string;
  readonly systemId: string;
  readonly baseUrl: string;
  readonly settings: S;
  readonly credentials: CredentialVault<C>;
  readonly session: SharedSession;
  readonly quota: SharedQuota;
  readonly clock: Clock;
  /** Already bound to tenant and system. */
  readonly logger: Logger;
  /** Ends when the process stops; every call to the vendor passes it on. */
  readonly signal?: AbortSignal;
}

// ── what every connector is ──────────────────────────────────────────────────────────────────

interface ConnectorBase<C, S> {
  readonly kind: SystemKind;
  readonly title: string;
  readonly defaultBaseUrl: string | null;
  /** Where the credential itself says where the system is (a file of the vendor's); used when nobody names an address. */
  baseUrlOf?(credential: C): string;
  /** Parsed at the border; the field paths of its issues are shown to the caller. Output is what is stored. */
  readonly credentialsSchema: ZodType<C>;
  readonly settingsSchema: ZodType<S>;
  /** Names of settings that are secret: kept with the credential, encrypted, and never shown. */
  readonly secretSettings: readonly string[];
  /** The `kind` shown in `CredentialInfo`, and when it ends as far as the credential itself tells. */
  describeCredential(credential: C, now: Date): { kind: string; expiresAt: Date | null; renewBy: Date | null };
}

export interface SpendConnector<C = unknown, S = unknown> extends ConnectorBase<C, S> {
  readonly role: 'SPEND';
  readonly streams: readonly SpendStream[];
  /** The stream whose objects take results (see `ReportsExports`); null = this source wants none. */
  readonly exportStream: SpendStream | null;
  connect(context: ConnectionContext<C, S>): SpendConnection;
  /** Present where the vendor pushes. */
  readonly webhooks?: WebhookReceiver<S>;
}

export interface LedgerConnector<C = unknown, S = unknown> extends ConnectorBase<C, S> {
  readonly role: 'LEDGER';
  readonly documentTypes: readonly DocumentType[];
  /** Whether its connections may have `attachments`; nobody asks the others. */
  readonly attachesReceipts?: boolean;
  /** The account that the settings name for the other side of card spend; pipelines that name none post to it. */
  clearingAccountOf?(settings: S): string | null;
  connect(context: ConnectionContext<C, S>): LedgerConnection;
}

export type Connector = SpendConnector | LedgerConnector;

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what to do when it failed. */
  readonly detail: string;
  readonly latencyMs: number | null;
}

interface ConnectionBase {
  /** Calls the real system step by step: reach, log in, read. Never throws for a failed step; later steps are left out. */
  test(): Promise<CheckResult[]>;
  /**
   * Ends what this connection holds at the vendor (a session, a seat).
   * Called once by the last process that stops, or when the system is disabled.
   */
  disconnect(): Promise<void>;
}

// ── spend systems ────────────────────────────────────────────────────────────────────────────

/** The window of one read: objects that changed at or after `since`; null = all there is. */
export interface ReadWindow {
  readonly since: Date | null;
  /** Exclusive; null = now. A stream that cannot bound its end ignores it and says so in its README. */
  readonly until: Date | null;
}

export interface SpendPage {
  readonly objects: readonly SourceObject[];
  /** Objects the source sent that could not be understood: reported, counted as unknown, never dropped in silence. */
  readonly unreadable: readonly {
    readonly externalId: string | null;
    readonly reason: string;
    readonly raw: unknown;
  }[];
  /** null = this was the last page. */
  readonly nextCursor: string | null;
}

export interface SpendConnection extends ConnectionBase {
  /**
   * Reads one page of a stream. Saves nothing. Pages are in no promised order and overlap between reads is normal.
   * @throws CredentialsError, PermissionError, RateLimitedError, UpstreamUnavailableError, UnreadableReplyError
   */
  readPage(stream: SpendStream, window: ReadWindow, cursor: string | null): Promise<SpendPage>;
  /** Reads single objects of a stream again, e.g. those that a webhook named. Ids the source does not know are left out. */
  readObjects(stream: SpendStream, ids: readonly string[]): Promise<SpendPage>;
  readonly exports?: ReportsExports;
  readonly webhookManagement?: ManagesWebhooks;
  readonly vendors?: ReadsVendors;
  readonly masterData?: ReceivesMasterData;
  readonly receipts?: ReadsReceipts;
  /** The vendor's own id of the connected company; what a partner app's webhooks are told apart by. */
  companyId(): Promise<string>;
  /** A call that keeps an otherwise idle credential alive. */
  keepAlive(): Promise<void>;
}

/** A result to report at the source for one of its objects. */
export interface ExportReport {
  readonly externalId: string;
  readonly outcome:
    | { readonly kind: 'SUCCESS'; readonly ledgerDocumentId: string }
    /** A person gave up on it; never sent for anything that may still post. */
    | { readonly kind: 'FAILURE'; readonly message: string };
}

export type ExportAnswer =
  | { readonly externalId: string; readonly kind: 'REPORTED' }
  /** The source already had a result for it. */
  | { readonly externalId: string; readonly kind: 'ALREADY_REPORTED'; readonly detail: string }
  | { readonly externalId: string; readonly kind: 'UNKNOWN_AT_SOURCE'; readonly detail: string }
  /** The source takes no result for it now (a person took it back for editing); report again once it is ready. */
  | { readonly externalId: string; readonly kind: 'NOT_READY'; readonly detail: string };

/** Reports on objects of the connector's `exportStream`. */
export interface ReportsExports {
  /** At most this many a call. */
  readonly batchMax: number;
  /** Safe to repeat: an object that already has a result comes back as ALREADY_REPORTED. */
  report(reports: readonly ExportReport[]): Promise<ExportAnswer[]>;
}

export interface ManagesWebhooks {
  /** Subscribes `url` to the events this connector understands; updates a subscription that exists. */
  register(url: string): Promise<{ id: string; eventTypes: readonly string[] }>;
  /** The secrets deliveries are signed with now (two while the vendor rotates). */
  secrets(): Promise<string[]>;
}

/** A value that people at the source may code with, as the ledger has it. */
export interface LedgerValue {
  /** The ledger's code: the value's lasting identity at the source. */
  readonly code: string;
  readonly name: string;
  readonly active: boolean;
}

/** The part of a ledger line that people at the source code with one field: `dimension:` and a ledger dimension's name. */
export type CodingFieldKey = 'glAccount' | 'costCentre' | `dimension:${string}`;

/** How many values a push created, renamed (or offered again), retired, and left as they were. */
export interface MasterDataPush {
  readonly created: number;
  readonly renamed: number;
  readonly retired: number;
  readonly unchanged: number;
}

export interface ReceivesMasterData {
  /**
   * Makes one coding field of the source hold just these values: creates what is missing, renames what changed, retires
   * what is gone or inactive, and leaves values that people made there alone. Safe to repeat, also after a lost answer.
   * @param field `key` is its lasting identity; `name` is what people see where the source has no such field yet.
   * @throws ConfigurationError the source is not set up to take master data.
   * @throws OutcomeUnknownError an answer was lost; repeat the whole push.
   */
  push(
    field: { readonly key: CodingFieldKey; readonly name: string },
    values: readonly LedgerValue[],
  ): Promise<MasterDataPush>;
}

/** A payee that the source keeps. Its name is plain ASCII and unique there. */
export interface SourceVendor {
  readonly id: string;
  readonly name: string;
}

export interface ReadsVendors {
  list(): AsyncIterable<readonly SourceVendor[]>;
  /**
   * Returns the vendor with that name (as the source compares names), creating it only if the source has none.
   * @throws InputError the source refuses the name.
   * @throws OutcomeUnknownError the answer was lost; asking again finds what was made.
   */
  ensure(name: string, idempotencyKey: string): Promise<SourceVendor & { readonly created: boolean }>;
  /**
   * Gives a vendor another name and changes nothing else. Safe to repeat under the same key.
   * @param idempotencyKey names this one change: a later change back and forth needs keys of its own.
   * @returns the name as the source holds it now.
   * @throws InputError the source refuses the name, say because another vendor has it, or does not know the vendor.
   * @throws OutcomeUnknownError the answer was lost; repeat it, or look at the list.
   */
  rename(id: string, name: string, idempotencyKey: string): Promise<SourceVendor>;
}

export interface WebhookReceiver<S> {
  /** Secrets that the settings hold. */
  secretsIn(settings: S): readonly string[];
  /**
   * Checks signature and age over the exact bytes received.
   * @returns the vendor's message id (the same on every redelivery), or null when no secret fits or it is too old.
   */
  verify(
    headers: Readonly<Record<string, string | undefined>>,
    rawBody: Buffer,
    secrets: readonly string[],
    now: Date,
  ): string | null;
  /**
   * Translates a verified body. Unknown event types give `objects: []`.
   * @throws InputError the body is not what the vendor documents.
   */
  translate(body: unknown): {
    readonly eventType: string;
    readonly companyId: string | null;
    readonly objects: readonly { readonly stream: SpendStream; readonly id: string }[];
  };
}

// ── ledgers ──────────────────────────────────────────────────────────────────────────────────

export interface LedgerAccount {
  readonly code: string;
  readonly name: string;
  readonly active: boolean;
  readonly blockedReason: string | null;
  /** Dimensions that every line on this account must carry; `label` is the ledger's own word for it. */
  readonly requiredDimensions?: readonly { readonly dimension: string; readonly label: string }[];
}
export interface LedgerSupplier {
  readonly code: string;
  readonly name: string;
  readonly active: boolean;
  readonly currency: string | null;
}
export interface LedgerDimensionValue {
  readonly dimension: string;
  readonly code: string;
  readonly name: string;
  readonly active: boolean;
}
export interface LedgerPeriod {
  readonly label: string;
  readonly startsOn: LocalDate;
  readonly endsOn: LocalDate;
  readonly open: boolean;
  readonly key: Readonly<Record<string, string>>;
}

/** A document on its way to a ledger. Amounts are exact decimal text in the currency's own decimals. */
export interface LedgerDocument {
  readonly documentType: DocumentType;
  /** At most 15 characters `A-Z0-9`; travels in a field that the ledger can be searched by. */
  readonly reference: string;
  readonly postingDate: LocalDate;
  readonly periodKey: Readonly<Record<string, string>>;
  readonly currency: string;
  readonly supplierCode: string | null;
  readonly description: string;
  readonly total: string;
  readonly lines: readonly LedgerDocumentLine[];
}

export interface LedgerDocumentLine {
  readonly lineNumber: number;
  readonly glAccount: string;
  readonly costCentre: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly taxCode: string | null;
  /** One of the two is "0.00". */
  readonly debit: string;
  readonly credit: string;
  readonly memo: string | null;
  /**
   * What the line is for, as planned. Ledgers that make the other side of an invoice themselves leave OFFSET out; where
   * no line says what it is for, the last line is the offset.
   */
  readonly role?: LineRole;
}

export interface SubmittedDocument {
  /** The ledger's own number, e.g. `2027/05/00117`. */
  readonly ledgerDocumentId: string;
  /** The vendor's warnings, verbatim. */
  readonly warnings: readonly string[];
}

/** A document that the ledger holds under a reference, as read back. */
export interface FoundDocument {
  readonly reference: string;
  readonly ledgerDocumentId: string;
  readonly currency: string | null;
  readonly totalDebit: string;
  readonly totalCredit: string;
  readonly lineCount: number;
  /** false = the ledger has it but has not posted it: never add it again; a person finishes it there. */
  readonly isPosted: boolean;
}

/** What identifies a document when the ledger is asked for it. */
export interface DocumentQuery {
  readonly documentType: DocumentType;
  readonly reference: string;
  readonly supplierCode: string | null;
  readonly postingDate: LocalDate;
}

export interface LedgerConnection extends ConnectionBase {
  /**
   * What planning must know. May need a read at the vendor once (the local currency); cached afterwards.
   * @throws like a read.
   */
  rules(): Promise<LedgerRules>;
  /** How long after a write was sent it may still appear in the ledger. Absence counts only after this. */
  readonly settlingMs: number;
  /** How many writes this ledger takes at once; 1 unless the vendor documents more. */
  readonly writeConcurrency: number;
  /** The longest time a submit may take before its outcome counts as unknown. */
  readonly submitTimeoutMs: number;

  listAccounts(): AsyncIterable<readonly LedgerAccount[]>;
  listSuppliers(): AsyncIterable<readonly LedgerSupplier[]>;
  listDimensionValues(): AsyncIterable<readonly LedgerDimensionValue[]>;
  listPeriods(): Promise<readonly LedgerPeriod[]>;

  /**
   * Sends one document. Never repeats itself.
   * @returns the ledger's number: the document is there, posted and its totals were confirmed in the reply.
   * @throws ErpRejectedError, PeriodClosedError the ledger read it and said no; nothing was written.
   * @throws RateLimitedError, UpstreamUnavailableError, CredentialsError it certainly did not start.
   * @throws OutcomeUnknownError anything else: only `findByReference` can tell.
   */
  submit(document: LedgerDocument): Promise<SubmittedDocument>;

  /**
   * Asks the ledger for documents by their references. Safe to repeat.
   * @returns what was found; a reference that is not in the answer is absent *now* (see `settlingMs`).
   * More than one document under one reference is possible only if something else wrote it: all are returned.
   */
  findByReference(queries: readonly DocumentQuery[]): Promise<FoundDocument[]>;

  /**
   * Reads one posted document back, lines and all, to compare it with what was sent.
   * @returns null when the ledger does not have it.
   */
  readBack(ledgerDocumentId: string, query: DocumentQuery): Promise<FoundDocument | null>;

  /**
   * Clears away what attempts left of a document outside the books: a draft, a staged invoice, an open batch. For ledgers
   * that take a document in several steps. Never touches anything posted; safe to repeat. Called only for documents that
   * nobody is sending, and after `findByReference` has not found them.
   * @param fate WAITING = it may be sent again, so that what the ledger itself turned down stays, with its reasons, for a
   * person to look at; GIVEN_UP = it will not.
   * @throws ErpRejectedError the ledger keeps it: a person must remove it.
   * @throws OutcomeUnknownError whether it is gone, or is being posted just now, only asking again can tell.
   * @throws like a read, too.
   */
  abandon?(document: LedgerDocument, fate: 'WAITING' | 'GIVEN_UP'): Promise<Clearance>;

  readonly suppliers?: CreatesSuppliers;
  readonly attachments?: AttachesReceipts;
}

/** What an attempt had left in the ledger outside its books, and what became of that. */
export type Clearance =
  | { readonly kind: 'NOTHING' }
  /** `what` names it as the ledger calls it, e.g. `the batch invoice 1234567890`. */
  | { readonly kind: 'REMOVED'; readonly what: string }
  /** `advice` says in whole sentences what stands where, and what a person may do about it. */
  | { readonly kind: 'LEFT'; readonly advice: string };

export interface CreatesSuppliers {
  /** The code that a new supplier of this name gets; deterministic, so that a repeated creation meets the first one. */
  codeFor(name: string): string;
  /** Safe to ask before and after `create`. */
  find(code: string): Promise<LedgerSupplier | null>;
  /** Same failures as `submit`. A supplier with that code already there is not an error: it is returned by `find` first. */
  create(supplier: { code: string; name: string }): Promise<LedgerSupplier>;
}
