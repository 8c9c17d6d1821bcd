import type { LocalDate } from '../../domain/localDate.js';
import type { PostingStatus } from '../../domain/postingState.js';
import type * as words from '../../domain/vocabulary.js';
import { decimalText } from './amounts.js';
import { type ListSpec, type Page, pageRequest } from './pages.js';
import type { PipelineRow, SyncRunRow } from './pipelines.js';
import type { ReadSession } from './session.js';
import { holdsIn, previewIn, type StoredHold, type StoredPreviewDocument } from './stored.js';

export interface PostingRow {
  readonly id: string;
  readonly pipelineId: string;
  readonly ledgerId: string;
  readonly status: PostingStatus;
  readonly documentType: words.DocumentType;
  readonly reference: string;
  readonly planHash: string;
  readonly ledgerDocumentId: string | null;
  readonly postingDate: string;
  readonly currency: string;
  readonly totalDebit: string;
  readonly totalCredit: string;
  readonly supplierCode: string | null;
  readonly holds: readonly StoredHold[];
  readonly mappingVersion: number | null;
  readonly reversesId: string | null;
  readonly reversedById: string | null;
  readonly createdAt: Date;
  readonly postedAt: Date | null;
  readonly approval: PostingApprovalRow | null;
  readonly cancelReason: string | null;
  /** A dry run's document is nowhere in the tables: it brings its lines along. */
  readonly previewLines?: readonly PostingLineRow[];
}

export interface PostingApprovalRow {
  readonly approvedBy: string;
  readonly keyId: string | null;
  readonly approvedAt: Date;
  readonly planHash: string;
}

export interface PostingLineRow {
  readonly lineNumber: number;
  readonly glAccount: string;
  readonly costCentre: string | null;
  readonly dimensions: unknown;
  readonly taxCode: string | null;
  readonly debit: string;
  readonly credit: string;
  readonly memo: string | null;
  readonly spendRecordIds: readonly string[];
  readonly explanation: string;
  readonly role: string | null;
}

export interface PostingAttemptRow {
  readonly number: number;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly outcome: string;
  readonly httpStatus: number | null;
  readonly message: string | null;
}

export interface PostingFilterFacts {
  readonly pipelineId?: string | null | undefined;
  readonly ledgerId?: string | null | undefined;
  readonly statuses?: readonly PostingStatus[] | null | undefined;
  readonly holdCodes?: readonly string[] | null | undefined;
  readonly from?: LocalDate | null | undefined;
  readonly to?: LocalDate | null | undefined;
  readonly reference?: string | null | undefined;
  readonly ledgerDocumentId?: string | null | undefined;
}

const COLUMNS = `t.id, t.pipeline_id as "pipelineId", t.ledger_id as "ledgerId", t.status,
  t.document_type as "documentType", t.reference, t.plan_hash as "planHash",
  t.ledger_document_id as "ledgerDocumentId", t.posting_date as "postingDate", t.currency, t.total,
  t.supplier_code as "supplierCode", t.holds, t.mapping_version as "mappingVersion", t.reverses_id as "reversesId",
  t.reversed_by_id as "reversedById", t.created_at as "createdAt", t.posted_at as "postedAt",
  t.approved_by as "approvedBy", t.approved_key as "approvedKey", t.approved_at as "approvedAt",
  t.approved_plan_hash as "approvedPlanHash", t.cancel_reason as "cancelReason"`;

const POSTINGS: ListSpec<PostingRow> = {
  name: 'glPostings',
  from: 'postings t',
  columns: COLUMNS,
  keys: [{ sql: 't.id', type: 'text' }],
  direction: 'desc',
  toRow,
};

function toRow(raw: PostingRow): PostingRow {
  const { total } = raw as PostingRow & { total: string };
  const amount = decimalText(total, raw.currency);
  const approval = approvalOf(raw as PostingRow & StoredApproval);
  return { ...raw, totalDebit: amount, totalCredit: amount, holds: holdsIn(raw.holds), approval };
}

interface StoredApproval {
  readonly approvedBy: string | null;
  readonly approvedKey: string | null;
  readonly approvedAt: Date | null;
  readonly approvedPlanHash: string | null;
}

function approvalOf({ approvedBy, approvedKey, approvedAt, approvedPlanHash }: StoredApproval) {
  if (approvedBy === null || approvedAt === null || approvedPlanHash === null) return null;
  // Whoever has no key is kept under the name that the audit trail has (the command line), or as the login's issuer has it.
  const keyId = approvedKey === approvedBy || approvedKey?.startsWith('login:') ? null : approvedKey;
  return { approvedBy, keyId, approvedAt, planHash: approvedPlanHash };
}

interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** Postings, newest first. */
export class PostingReads {
  constructor(private readonly session: ReadSession) {}

  byId(id: string): Promise<PostingRow | null> {
    return this.session.one(POSTINGS, id);
  }

  async list(filter: PostingFilterFacts | null | undefined, page: PageArguments): Promise<Page<PostingRow>> {
    return this.session.page(POSTINGS, pageRequest(POSTINGS, page.first, page.after), (where) =>
      where
        .and('t.pipeline_id = $?', filter?.pipelineId)
        .and('t.ledger_id = $?', filter?.ledgerId)
        .and('t.status = any($?::text[])', filter?.statuses)
        .and(HELD_FOR, filter?.holdCodes)
        .and('t.posting_date >= $?::date', filter?.from)
        .and('t.posting_date <= $?::date', filter?.to)
        .and('t.reference = $?', filter?.reference)
        .and('t.ledger_document_id = $?', filter?.ledgerDocumentId),
    );
  }

  async lines(posting: PostingRow): Promise<readonly PostingLineRow[]> {
    if (posting.previewLines) return posting.previewLines;
    const rows = await this.session.children<PostingLineRow>(
      'lines',
      posting.id,
      `select posting_id as parent, line_number as "lineNumber", gl_account as "glAccount",
         cost_centre as "costCentre", dimensions, tax_code as "taxCode", debit, credit, memo,
         spend_record_ids as "spendRecordIds", explanation, role
       from posting_lines where tenant_id = $1 and posting_id = any($2::text[]) order by posting_id, line_number`,
    );
    return rows.map((row) => ({
      ...row,
      debit: decimalText(row.debit, posting.currency),
      credit: decimalText(row.credit, posting.currency),
    }));
  }

  attempts(postingId: string): Promise<readonly PostingAttemptRow[]> {
    return this.session.children<PostingAttemptRow>(
      'attempts',
      postingId,
      `select posting_id as parent, number, started_at as "startedAt", finished_at as "finishedAt", outcome,
         http_status as "httpStatus", message
       from posting_attempts where tenant_id = $1 and posting_id = any($2::text[]) order by posting_id, number`,
    );
  }

  /** The documents that carry, or carried, a purchase: oldest first. */
  async ofSpendRecord(recordId: string): Promise<readonly PostingRow[]> {
    const rows = await this.session.children<PostingRow>(
      'postings of record',
      recordId,
      `select ps.spend_record_id as parent, ${COLUMNS}
       from posting_spend ps join postings t on t.tenant_id = ps.tenant_id and t.id = ps.posting_id
       where ps.tenant_id = $1 and ps.spend_record_id = any($2::text[]) order by ps.spend_record_id, t.id`,
    );
    return rows.map(toRow);
  }

  /** A dry run's exact documents, as postings that were never stored; null for any other run. */
  preview(run: SyncRunRow, pipeline: Pick<PipelineRow, 'ledgerId'>): PostingRow[] | null {
    if (!run.dryRun) return null;
    return previewIn(run.preview)?.map((document) => previewRow(run, pipeline, document)) ?? null;
  }
}

/** Any of the codes stands among the holds. */
const HELD_FOR = `exists (select 1 from jsonb_array_elements(t.holds) as hold where hold ->> 'code' = any($?::text[]))`;

function previewRow(
  run: SyncRunRow,
  pipeline: Pick<PipelineRow, 'ledgerId'>,
  document: StoredPreviewDocument,
): PostingRow {
  return {
    // Names the document within the run; `node` does not find it, because it is not stored.
    id: `preview_${run.id}_${document.reference}`,
    pipelineId: run.pipelineId,
    ledgerId: pipeline.ledgerId,
    status: document.status,
    documentType: document.documentType,
    reference: document.reference,
    planHash: document.planHash,
    ledgerDocumentId: null,
    postingDate: document.postingDate,
    currency: document.currency,
    totalDebit: document.total,
    totalCredit: document.total,
    supplierCode: document.supplierCode,
    holds: document.holds,
    mappingVersion: document.mappingVersion,
    reversesId: document.reversesId,
    reversedById: null,
    createdAt: run.createdAt,
    postedAt: null,
    approval: null,
    cancelReason: null,
    previewLines: document.lines,
  };
}
