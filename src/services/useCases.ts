import type { CheckResult } from '../connectors/contract.js';
import type { LocalDate } from '../domain/localDate.js';
import type { VendorThresholds } from '../domain/vendor/index.js';
import type {
  ClosedPeriodPolicy,
  CodingPolicy,
  CorrectionPolicy,
  DocumentType,
  DuplicateCheck,
  Grouping,
  PostingDatePolicy,
  SpendStream,
  SystemKind,
  UnmatchedVendorPolicy,
  VendorDecision,
} from '../domain/vocabulary.js';
import type { Caller } from './engine.js';
import type { MappingPreview, PreviewRequest } from './mappingPreview.js';
import type { Outcome, Problem } from './outcome.js';
import type { ReplayPreview } from './replayPreview.js';
import type { SetThresholds, ThresholdPreview } from './vendorThresholds.js';

/**
 * Everything that can be asked of the product and changes something, as the resolvers and the command line see it.
 * Each answers with the id of the thing changed; who called may read it afterwards. Repeating a call is safe.
 */
export interface UseCases {
  connectSystem(caller: Caller, input: ConnectSystemRequest): Promise<Outcome<{ id: string }>>;
  testSystem(caller: Caller, id: string): Promise<Outcome<{ ok: boolean; checks: readonly CheckResult[] }>>;
  updateCredentials(caller: Caller, id: string, credentials: unknown): Promise<Outcome<{ id: string }>>;
  updateSystem(
    caller: Caller,
    id: string,
    change: { name?: string | undefined; baseUrl?: string | undefined; settings?: unknown },
  ): Promise<Outcome<{ id: string }>>;
  disableSystem(caller: Caller, id: string): Promise<Outcome<{ id: string }>>;
  refreshMasterData(
    caller: Caller,
    systemId: string,
  ): Promise<Outcome<{ accounts: number; suppliers: number; dimensions: number; periods: number }>>;
  registerWebhooks(caller: Caller, systemId: string, publicUrl: string): Promise<Outcome<{ id: string }>>;

  createPipeline(caller: Caller, input: PipelineRequest): Promise<Outcome<{ id: string }>>;
  updatePipeline(caller: Caller, id: string, input: Partial<PipelineRequest>): Promise<Outcome<{ id: string }>>;
  setMappingRules(
    caller: Caller,
    input: MappingRequest,
  ): Promise<Outcome<{ id: string; warnings?: readonly Problem[] }>>;
  /** Reads only. */
  previewMapping(caller: Caller, request: PreviewRequest): Promise<Outcome<MappingPreview>>;

  triggerSync(caller: Caller, input: SyncRequest): Promise<Outcome<{ id: string }>>;
  cancelSync(caller: Caller, id: string): Promise<Outcome<{ id: string }>>;

  replayPosting(caller: Caller, id: string, note: string | null): Promise<Outcome<{ id: string }>>;
  replayPostings(
    caller: Caller,
    filter: PostingFilter,
    note: string | null,
  ): Promise<Outcome<{ count: number; runId: string | null }>>;
  /** What `replayPostings` of the same filter would do now; changes nothing. */
  previewReplay(caller: Caller, filter: PostingFilter, examples: number): Promise<ReplayPreview>;
  approvePosting(caller: Caller, id: string, planHash: string): Promise<Outcome<{ id: string }>>;
  cancelPosting(caller: Caller, id: string, reason: string): Promise<Outcome<{ id: string }>>;
  /** Answers with the reversal's id. */
  reversePosting(caller: Caller, id: string, reason: string): Promise<Outcome<{ id: string }>>;

  excludeSpendRecord(caller: Caller, id: string, reason: string): Promise<Outcome<{ id: string }>>;
  includeSpendRecord(caller: Caller, id: string): Promise<Outcome<{ id: string }>>;
  resolveVendorMatch(
    caller: Caller,
    input: {
      id: string;
      decision: VendorDecision;
      supplierCode?: string | undefined;
      supplierName?: string | undefined;
    },
  ): Promise<Outcome<{ id: string; releasedPostings: number }>>;
  vendorThresholds(caller: Caller, ledgerId: string): Promise<VendorThresholds>;
  previewThresholds(caller: Caller, ledgerId: string, thresholds: VendorThresholds): Promise<Outcome<ThresholdPreview>>;
  setThresholds(caller: Caller, input: SetThresholds): Promise<Outcome<ThresholdPreview>>;
  resolveAlert(caller: Caller, id: string): Promise<Outcome<{ id: string }>>;

  reconcile(
    tenantId: string,
    request: { pipelineId: string; from: LocalDate; to: LocalDate },
  ): Promise<ReconciliationAnswer | null>;
}

export interface ConnectSystemRequest {
  kind: SystemKind;
  name: string;
  baseUrl?: string | undefined;
  credentials: unknown;
  settings?: unknown;
}

export interface PipelineRequest {
  name: string;
  sourceId: string;
  ledgerId: string;
  streams: readonly SpendStream[];
  documentType: DocumentType;
  grouping: Grouping;
  schedule: string | null;
  timeZone: string;
  offsetAccount: string;
  defaultAccount: string | null;
  unmatchedVendor: UnmatchedVendorPolicy;
  postingDate: PostingDatePolicy;
  closedPeriod: ClosedPeriodPolicy;
  coding: CodingPolicy;
  correction: CorrectionPolicy;
  requireApproval: boolean;
  exportMasterData: boolean;
  enabled: boolean;
  /** Public address of this gateway; null or left out = documents carry no link to their receipts. */
  receiptLinkBase?: string | null;
  /** Where a remainder goes that rounding leaves; left out or null = such purchases are held. */
  roundingAccount?: string | null | undefined;
  /** See `TaxCodes`; parsed by the use case. Left out = none is said anything about. */
  taxCodes?: unknown;
  /** ACROSS_SOURCES when left out. */
  duplicateCheck?: DuplicateCheck | undefined;
  /** 0 when left out: the same day only. */
  duplicateDays?: number | undefined;
  /** 2 when left out. */
  duplicateImportDays?: number | undefined;
}

export interface MappingRequest {
  pipelineId: string;
  rules: readonly {
    category?: string | null | undefined;
    dimension?: string | null | undefined;
    dimensionValue?: string | null | undefined;
    merchant?: string | null | undefined;
    mcc?: string | null | undefined;
    glAccount: string;
    costCentre?: string | null | undefined;
    dimensions?: unknown;
    taxCode?: string | null | undefined;
  }[];
  effectiveFrom?: LocalDate | undefined;
  note?: string | undefined;
}

export interface SyncRequest {
  pipelineId: string;
  from?: Date | undefined;
  to?: Date | undefined;
  dryRun: boolean;
  idempotencyKey?: string | undefined;
}

/** The contract's `GlPostingFilter`. */
export interface PostingFilter {
  pipelineId?: string | undefined;
  ledgerId?: string | undefined;
  statuses?: readonly string[] | undefined;
  holdCodes?: readonly string[] | undefined;
  from?: LocalDate | undefined;
  to?: LocalDate | undefined;
  reference?: string | undefined;
  ledgerDocumentId?: string | undefined;
}

export interface ReconciliationAnswer {
  from: LocalDate;
  to: LocalDate;
  /** false when something in the window could not be read: `unknowns` says what. */
  complete: boolean;
  generatedAt: Date;
  totals: {
    currency: string;
    source: string;
    posted: string;
    held: string;
    excluded: string;
    rejected: string;
    inFlight: string;
    unknown: string;
    difference: string;
    recordCount: number;
  }[];
  unknowns: string[];
}
