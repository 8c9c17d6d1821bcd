import type { MappingRule } from '../../domain/plan.js';
import type * as words from '../../domain/vocabulary.js';
import { nextFire } from './nextFire.js';
import { type ListSpec, type Page, pageRequest } from './pages.js';
import type { ReadSession } from './session.js';

export interface PipelineRow {
  readonly id: string;
  readonly name: string;
  readonly sourceId: string;
  readonly ledgerId: string;
  readonly streams: readonly words.SpendStream[];
  readonly documentType: words.DocumentType;
  readonly grouping: words.Grouping;
  readonly schedule: string | null;
  readonly timeZone: string;
  readonly enabled: boolean;
  readonly offsetAccount: string;
  readonly defaultAccount: string | null;
  readonly unmatchedVendor: words.UnmatchedVendorPolicy;
  readonly postingDate: words.PostingDatePolicy;
  readonly closedPeriod: words.ClosedPeriodPolicy;
  readonly coding: words.CodingPolicy;
  readonly correction: words.CorrectionPolicy;
  readonly requireApproval: boolean;
  readonly exportMasterData: boolean;
  readonly receiptLinkBase: string | null;
  readonly roundingAccount: string | null;
  readonly taxCodes: unknown;
  readonly duplicateCheck: words.DuplicateCheck;
  readonly duplicateDays: number;
  readonly duplicateImportDays: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface MappingVersionRow {
  readonly id: string;
  readonly version: number;
  readonly effectiveFrom: string;
  readonly note: string | null;
  readonly rules: readonly Writable<MappingRule>[];
  readonly createdAt: Date;
  readonly createdBy: string;
}

export interface SyncRunRow {
  readonly id: string;
  readonly pipelineId: string;
  readonly trigger: words.SyncTrigger;
  readonly dryRun: boolean;
  readonly status: words.SyncStatus;
  readonly from: Date | null;
  readonly to: Date | null;
  readonly recordsRead: number;
  readonly recordsNew: number;
  readonly recordsChanged: number;
  readonly postingsPosted: number;
  readonly postingsHeld: number;
  readonly postingsFailed: number;
  /** A dry run's planned documents as JSON; null otherwise. */
  readonly preview: unknown;
  readonly error: string | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly createdAt: Date;
}

export interface SyncRunFilterFacts {
  readonly pipelineId?: string | null | undefined;
  readonly statuses?: readonly words.SyncStatus[] | null | undefined;
  readonly trigger?: words.SyncTrigger | null | undefined;
}

const PIPELINES: ListSpec<PipelineRow> = {
  name: 'pipelines',
  from: 'pipelines t',
  columns: `t.id, t.name, t.source_id as "sourceId", t.ledger_id as "ledgerId", t.streams,
    t.document_type as "documentType", t.grouping, t.schedule, t.time_zone as "timeZone", t.enabled,
    t.offset_account as "offsetAccount", t.default_account as "defaultAccount",
    t.unmatched_vendor as "unmatchedVendor", t.posting_date as "postingDate", t.closed_period as "closedPeriod",
    t.coding, t.correction, t.require_approval as "requireApproval", t.export_master_data as "exportMasterData",
    t.receipt_link_base as "receiptLinkBase",
    t.rounding_account as "roundingAccount", t.tax_codes as "taxCodes",
    t.duplicate_check as "duplicateCheck", t.duplicate_days as "duplicateDays",
    t.duplicate_import_days as "duplicateImportDays"`,
  keys: [{ sql: 't.id', type: 'text' }],
  direction: 'desc',
};

const MAPPING_COLUMNS = `t.id, t.version, t.effective_from as "effectiveFrom", t.note, t.rules,
  t.created_at as "createdAt", t.created_by as "createdBy"`;
const MAPPING_VERSIONS: ListSpec<MappingVersionRow> = {
  name: 'mappingVersions',
  from: 'mapping_versions t',
  columns: MAPPING_COLUMNS,
  keys: [{ sql: 't.version', type: 'integer' }],
  direction: 'desc',
  belongs: 't.pipeline_id = parent.id',
};

const SYNC_RUN_COLUMNS = `t.id, t.pipeline_id as "pipelineId", t.trigger, t.dry_run as "dryRun", t.status,
  t.window_from as "from", t.window_to as "to", t.records_read as "recordsRead", t.records_new as "recordsNew",
  t.records_changed as "recordsChanged", t.postings_posted as "postingsPosted", t.postings_held as "postingsHeld",
  t.postings_failed as "postingsFailed", t.preview, t.error, t.started_at as "startedAt",
  t.finished_at as "finishedAt", t.created_at as "createdAt"`;
const SYNC_RUNS: ListSpec<SyncRunRow> = {
  name: 'syncRuns',
  from: 'sync_runs t',
  columns: SYNC_RUN_COLUMNS,
  keys: [{ sql: 't.id', type: 'text' }],
  direction: 'desc',
};

interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** Pipelines, their mapping versions and their runs. Newest first. */
export class PipelineReads {
  constructor(private readonly session: ReadSession) {}

  all(): Promise<readonly PipelineRow[]> {
    return this.session.query<PipelineRow>(
      `select ${PIPELINES.columns} from pipelines t where t.tenant_id = $1 order by t.created_at desc, t.id desc`,
      [this.session.tenantId],
    );
  }

  byId(id: string): Promise<PipelineRow | null> {
    return this.session.one(PIPELINES, id);
  }

  mappingVersion(id: string): Promise<MappingVersionRow | null> {
    return this.session.one(MAPPING_VERSIONS, id);
  }

  /** The version that was set last, which decides transactions from its `effectiveFrom` on. */
  async currentMapping(pipelineId: string): Promise<MappingVersionRow | null> {
    const rows = await this.session.children<MappingVersionRow>(
      'current mapping',
      pipelineId,
      `select distinct on (t.pipeline_id) t.pipeline_id as parent, ${MAPPING_COLUMNS}
       from mapping_versions t where t.tenant_id = $1 and t.pipeline_id = any($2::text[])
       order by t.pipeline_id, t.version desc`,
    );
    return rows[0] ?? null;
  }

  async mappingVersions(pipelineId: string, page: PageArguments): Promise<Page<MappingVersionRow>> {
    return this.session.pageOf(MAPPING_VERSIONS, pipelineId, pageRequest(MAPPING_VERSIONS, page.first, page.after));
  }

  run(id: string): Promise<SyncRunRow | null> {
    return this.session.one(SYNC_RUNS, id);
  }

  async runs(filter: SyncRunFilterFacts | null | undefined, page: PageArguments): Promise<Page<SyncRunRow>> {
    return this.session.page(SYNC_RUNS, pageRequest(SYNC_RUNS, page.first, page.after), (where) =>
      where
        .and('t.pipeline_id = $?', filter?.pipelineId)
        .and('t.status = any($?::text[])', filter?.statuses)
        .and('t.trigger = $?', filter?.trigger),
    );
  }

  /** The newest run that was not a dry run. */
  async lastRun(pipelineId: string): Promise<SyncRunRow | null> {
    const rows = await this.session.children<SyncRunRow>(
      'last run',
      pipelineId,
      `select parent.id as parent, run.*
       from unnest($2::text[]) as parent(id)
       join lateral (select ${SYNC_RUN_COLUMNS} from sync_runs t
         where t.tenant_id = $1 and t.pipeline_id = parent.id and not t.dry_run order by t.id desc limit 1) run on true`,
    );
    return rows[0] ?? null;
  }

  nextRunAt(pipeline: PipelineRow, now: Date): Date | null {
    if (!pipeline.enabled || pipeline.schedule === null) return null;
    return nextFire(pipeline.schedule, pipeline.timeZone, now);
  }
}
