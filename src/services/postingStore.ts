import { newId } from '../domain/ids.js';
import type { LocalDate } from '../domain/localDate.js';
import { decimalOfMinor, moneyFromDecimal } from '../domain/money.js';
import type { LineRole, PlannedDocument, PlannedLine } from '../domain/plan.js';
import { assertMove, type PostingStatus } from '../domain/postingState.js';
import type { PostedDocument } from '../domain/reversal.js';
import type { DocumentType, Hold } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { IdempotencyConflictError, InvariantError } from '../errors.js';
import { record, recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { involveRunners } from './involvement.js';
import type { PipelineRow } from './pipelines.js';
import { oweVisit } from './remains.js';

/** A posting as planning must know it, seen from one of its purchases. */
export interface PostingHead {
  readonly id: string;
  readonly reference: string;
  readonly status: PostingStatus;
  readonly reverses_id: string | null;
  readonly reversed_by_id: string | null;
  /** What was booked of this purchase. */
  readonly accounting_hash: string;
  /** How many purchases the document carries. */
  readonly record_count: number;
}

/** A document on its way into the postings. */
export interface PlannedPosting {
  readonly document: PlannedDocument;
  readonly status: PostingStatus;
  readonly reverses: PostingHead | null;
  /** Not sent before the document with this reference is in the ledger. */
  readonly afterReference: string | null;
  /** Booked of each purchase, exact decimal, by its id. */
  readonly amounts: ReadonlyMap<string, string>;
  readonly accountingHashes: ReadonlyMap<string, string>;
  readonly correlationId: string;
}

/** The postings of a pipeline that carry these purchases, locked, by purchase. Cancelled ones are left out. */
export async function postingsOfRecords(
  tx: Tx,
  pipelineId: string,
  recordIds: readonly string[],
): Promise<Map<string, PostingHead[]>> {
  const rows = await tx.query<PostingHead & { spend_record_id: string }>(
    `select p.id, p.reference, p.status, p.reverses_id, p.reversed_by_id, ps.accounting_hash, ps.spend_record_id,
       (select count(*)::int from posting_spend o where o.tenant_id = p.tenant_id and o.posting_id = p.id) as record_count
     from postings p join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
     where p.tenant_id = $1 and p.pipeline_id = $2 and ps.spend_record_id = any($3) and p.status <> 'CANCELLED'
     order by p.id for update of p`,
    [tx.tenantId, pipelineId, recordIds],
  );
  const byRecord = new Map<string, PostingHead[]>();
  for (const { spend_record_id, ...head } of rows) {
    const heads = byRecord.get(spend_record_id);
    if (heads) heads.push(head);
    else byRecord.set(spend_record_id, [head]);
  }
  return byRecord;
}

export interface LineRow {
  line_number: number;
  role: LineRole;
  gl_account: string;
  cost_centre: string | null;
  dimensions: Record<string, string>;
  tax_code: string | null;
  debit: string;
  credit: string;
  memo: string | null;
  spend_record_ids: string[];
  explanation: string;
}

export async function loadLines(tx: Tx, postingId: string): Promise<LineRow[]> {
  return (await linesOf(tx, [postingId])).get(postingId) ?? [];
}

/** The lines of many postings in one statement, by posting. */
export async function linesOf(tx: Tx, postingIds: readonly string[]): Promise<Map<string, LineRow[]>> {
  const rows = await tx.query<LineRow & { posting_id: string }>(
    `select posting_id, line_number, role, gl_account, cost_centre, dimensions, tax_code, debit, credit, memo,
       spend_record_ids, explanation
     from posting_lines where tenant_id = $1 and posting_id = any($2) order by posting_id, line_number`,
    [tx.tenantId, postingIds],
  );
  const byPosting = new Map<string, LineRow[]>();
  for (const { posting_id, ...line } of rows) {
    const lines = byPosting.get(posting_id);
    if (lines) lines.push(line);
    else byPosting.set(posting_id, [line]);
  }
  return byPosting;
}

/** A document as it was sent, for turning it round. */
export async function loadPosted(tx: Tx, postingId: string): Promise<PostedDocument> {
  const [row] = await tx.query<{
    reference: string;
    document_type: DocumentType;
    posting_date: LocalDate;
    currency: string;
    supplier_code: string | null;
    description: string;
    mapping_version: number | null;
  }>(
    `select reference, document_type, posting_date, currency, supplier_code, description, mapping_version
     from postings where tenant_id = $1 and id = $2`,
    [tx.tenantId, postingId],
  );
  if (!row) throw new InvariantError(`There is no posting ${postingId}.`);
  const lines = await loadLines(tx, postingId);
  const spend = await tx.query<{ id: string; revision: number }>(
    'select spend_record_id as id, revision from posting_spend where tenant_id = $1 and posting_id = $2 order by 1',
    [tx.tenantId, postingId],
  );
  return {
    reference: row.reference,
    documentType: row.document_type,
    postingDate: row.posting_date,
    currency: row.currency,
    supplierCode: row.supplier_code,
    description: row.description,
    mappingVersion: row.mapping_version,
    spend,
    lines: lines.map(
      (line): PlannedLine => ({
        lineNumber: line.line_number,
        role: line.role,
        glAccount: line.gl_account,
        costCentre: line.cost_centre,
        dimensions: line.dimensions,
        taxCode: line.tax_code,
        debitMinor: moneyFromDecimal(line.debit, row.currency).minor,
        creditMinor: moneyFromDecimal(line.credit, row.currency).minor,
        memo: line.memo,
        spendRecordIds: line.spend_record_ids,
        explanation: line.explanation,
      }),
    ),
  };
}

interface ExistingRow {
  id: string;
  reference: string;
  status: PostingStatus;
  plan_hash: string;
  holds: Hold[];
  approved_by: string | null;
  mapping_version: number | null;
}

/**
 * Stores planned documents under their references: a new one is added, one that was not sent yet takes the new plan and
 * keeps its name, one that says the same is left alone.
 * @returns the ids of the postings that the documents have now.
 */
export async function storePlanned(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  pipeline: PipelineRow,
  planned: readonly PlannedPosting[],
  runId: string | null,
): Promise<Set<string>> {
  if (planned.length === 0) return new Set();
  const existing = await tx.query<ExistingRow>(
    `select id, reference, status, plan_hash, holds, approved_by, mapping_version from postings
     where tenant_id = $1 and ledger_id = $2 and reference = any($3) for update`,
    [tx.tenantId, pipeline.ledger_id, planned.map((one) => one.document.reference)],
  );
  const byReference = new Map(existing.map((row) => [row.reference, row]));
  const idOf = new Map(
    planned.map((one) => [one.document.reference, byReference.get(one.document.reference)?.id ?? newId('post')]),
  );
  const now = engine.clock.now();
  const rows: Record<string, unknown>[] = [];
  const written: PlannedPosting[] = [];
  for (const one of planned) {
    const { document } = one;
    const id = idOf.get(document.reference) ?? '';
    const old = byReference.get(document.reference);
    if (old && saysTheSame(old, one)) continue;
    const status = statusAfter(old, one);
    rows.push({
      id,
      status,
      document_type: document.documentType,
      reference: document.reference,
      plan_hash: document.planHash,
      posting_date: document.postingDate,
      period_key: document.period?.key ?? null,
      currency: document.currency,
      total: decimalOfMinor(document.totalMinor, document.currency),
      supplier_code: document.supplierCode,
      create_supplier: document.createSupplier,
      description: document.description,
      holds: document.holds,
      mapping_version: document.mappingVersion,
      reverses_id: one.reverses?.id ?? null,
      after_id: one.afterReference === null ? null : (idOf.get(one.afterReference) ?? null),
      correlation_id: one.correlationId,
    });
    written.push(one);
    tellPlanned(tx, caller, now, pipeline, id, old, one, status);
  }
  await writeHeads(tx, pipeline, caller, now, rows, runId);
  await writeParts(tx, idOf, written);
  await linkReversals(tx, idOf, written);
  const tried = rows.filter(({ reference }) => byReference.has(String(reference)));
  await oweVisit(
    engine,
    tx,
    tried.map(({ id }) => String(id)),
  );
  if (pipeline.require_approval || written.some(({ status }) => status === 'AWAITING_APPROVAL')) {
    const ids = written.map((one) => idOf.get(one.document.reference) ?? '');
    await involveRunners(tx, now, pipeline.id, runId, ids);
  }
  return new Set(idOf.values());
}

function saysTheSame(old: ExistingRow, one: PlannedPosting): boolean {
  if (old.plan_hash !== one.document.planHash) return false;
  if (JSON.stringify(old.holds) !== JSON.stringify(one.document.holds)) return false;
  // What a person approved stays approved for as long as the plan is the one that was approved.
  if (old.status === 'READY' && old.approved_by !== null) return true;
  // An approver is told by which mapping version it was coded, also when another one says the same.
  if (old.status === 'AWAITING_APPROVAL' && old.mapping_version !== one.document.mappingVersion) return false;
  return old.status === one.status;
}

function statusAfter(old: ExistingRow | undefined, one: PlannedPosting): PostingStatus {
  if (!old) return one.status;
  if (old.status === 'POSTED' || old.status === 'REVERSED') {
    throw new IdempotencyConflictError(`Document ${old.reference} is in the ledger and cannot be planned again.`);
  }
  if (old.status !== 'PLANNED') assertMove(old.status, 'PLANNED');
  assertMove('PLANNED', one.status);
  return one.status;
}

const PLANNED_WORDS: Partial<Record<PostingStatus, { action: string; sentence: string }>> = {
  READY: { action: 'posting.ready', sentence: 'is ready to be posted' },
  HELD: { action: 'posting.held', sentence: 'is held' },
  AWAITING_APPROVAL: { action: 'posting.awaitingApproval', sentence: 'waits for approval' },
};

function tellPlanned(
  tx: Tx,
  caller: Caller,
  now: Date,
  pipeline: PipelineRow,
  id: string,
  old: ExistingRow | undefined,
  one: PlannedPosting,
  status: PostingStatus,
): void {
  const { document } = one;
  const words = PLANNED_WORDS[status] ?? { action: 'posting.planned', sentence: 'was planned' };
  const reasons = document.holds.map((hold) => hold.message).join(' ');
  record(tx, now, {
    actor: caller.actor,
    correlationId: one.correlationId,
    action: words.action,
    subjectType: 'GlPosting',
    subjectId: id,
    summary: `${document.description}: ${decimalOfMinor(document.totalMinor, document.currency)} ${document.currency} ${words.sentence}${reasons ? `. ${reasons}` : '.'}`,
    before: old ? { status: old.status, planHash: old.plan_hash } : null,
    after: {
      status,
      reference: document.reference,
      planHash: document.planHash,
      mappingVersion: document.mappingVersion,
      holds: document.holds.map((hold) => hold.code),
    },
    posting: { pipelineId: pipeline.id, from: old?.status ?? null, to: status },
  });
}

async function writeHeads(
  tx: Tx,
  pipeline: PipelineRow,
  caller: Caller,
  now: Date,
  rows: readonly Record<string, unknown>[],
  runId: string | null,
): Promise<void> {
  if (rows.length === 0) return;
  await tx.execute(
    `insert into postings (tenant_id, id, pipeline_id, ledger_id, status, document_type, reference, plan_hash, posting_date,
       first_planned_for, period_key, currency, total, supplier_code, create_supplier, description, holds, mapping_version,
       reverses_id, after_id, correlation_id, triggered_by, run_id, created_at, updated_at)
     select $1, id, $2, $3, status, document_type, reference, plan_hash, posting_date, posting_date, period_key, currency,
       total, supplier_code, create_supplier, description, holds, mapping_version, reverses_id, after_id, correlation_id,
       $5, $6, $7, $7
     from jsonb_to_recordset($4::jsonb) as r(id text, status text, document_type text, reference text, plan_hash text,
       posting_date date, period_key jsonb, currency text, total numeric, supplier_code text, create_supplier jsonb,
       description text, holds jsonb, mapping_version integer, reverses_id text, after_id text, correlation_id text)
     on conflict (tenant_id, id) do update set status = excluded.status, document_type = excluded.document_type,
       plan_hash = excluded.plan_hash, posting_date = excluded.posting_date, period_key = excluded.period_key,
       currency = excluded.currency, total = excluded.total, supplier_code = excluded.supplier_code,
       create_supplier = excluded.create_supplier, description = excluded.description, holds = excluded.holds,
       mapping_version = excluded.mapping_version, correlation_id = excluded.correlation_id,
       triggered_by = excluded.triggered_by, run_id = excluded.run_id, updated_at = excluded.updated_at,
       approved_by = null, approved_key = null, approved_at = null, approved_plan_hash = null, cancel_reason = null, next_attempt_at = null, lease_owner = null, lease_until = null,
       -- Whoever had claimed the old plan for sending must not send it any more.
       fence = postings.fence + 1,
       after_id = coalesce(excluded.after_id, postings.after_id)`,
    [tx.tenantId, pipeline.id, pipeline.ledger_id, JSON.stringify(rows), caller.actor, runId, now],
  );
}

async function writeParts(
  tx: Tx,
  idOf: ReadonlyMap<string, string>,
  written: readonly PlannedPosting[],
): Promise<void> {
  const ids = written.map((one) => idOf.get(one.document.reference) ?? '');
  const lines = written.flatMap((one, index) =>
    one.document.lines.map((line) => ({
      posting_id: ids[index],
      line_number: line.lineNumber,
      role: line.role,
      gl_account: line.glAccount,
      cost_centre: line.costCentre,
      dimensions: line.dimensions,
      tax_code: line.taxCode,
      debit: decimalOfMinor(line.debitMinor, one.document.currency),
      credit: decimalOfMinor(line.creditMinor, one.document.currency),
      memo: line.memo,
      spend_record_ids: line.spendRecordIds,
      explanation: line.explanation,
    })),
  );
  const spend = written.flatMap((one, index) =>
    one.document.spend.map(({ id, revision }) => ({
      posting_id: ids[index],
      spend_record_id: id,
      revision,
      amount: one.amounts.get(id) ?? '0',
      accounting_hash: one.accountingHashes.get(id) ?? '',
    })),
  );
  // In statements of their own: an insert does not see rows that a deletion in the same statement takes away.
  await tx.execute('delete from posting_lines where tenant_id = $1 and posting_id = any($2)', [tx.tenantId, ids]);
  await tx.execute('delete from posting_spend where tenant_id = $1 and posting_id = any($2)', [tx.tenantId, ids]);
  await tx.execute(
    `insert into posting_lines (tenant_id, posting_id, line_number, role, gl_account, cost_centre, dimensions, tax_code, debit,
       credit, memo, spend_record_ids, explanation)
     select $1, posting_id, line_number, role, gl_account, cost_centre, dimensions, tax_code, debit, credit, memo,
       spend_record_ids, explanation
     from jsonb_to_recordset($2::jsonb) as r(posting_id text, line_number integer, role text, gl_account text,
       cost_centre text, dimensions jsonb, tax_code text, debit numeric, credit numeric, memo text,
       spend_record_ids text[], explanation text)`,
    [tx.tenantId, JSON.stringify(lines)],
  );
  await tx.execute(
    `insert into posting_spend (tenant_id, posting_id, spend_record_id, revision, amount, accounting_hash)
     select $1, posting_id, spend_record_id, revision, amount, accounting_hash
     from jsonb_to_recordset($2::jsonb) as r(posting_id text, spend_record_id text, revision integer, amount numeric,
       accounting_hash text)`,
    [tx.tenantId, JSON.stringify(spend)],
  );
}

async function linkReversals(
  tx: Tx,
  idOf: ReadonlyMap<string, string>,
  written: readonly PlannedPosting[],
): Promise<void> {
  const links = written
    .filter((one) => one.reverses !== null)
    .map((one) => ({ original: one.reverses?.id, reversal: idOf.get(one.document.reference) }));
  if (links.length === 0) return;
  await tx.execute(
    `update postings p set reversed_by_id = r.reversal
     from jsonb_to_recordset($2::jsonb) as r(original text, reversal text)
     where p.tenant_id = $1 and p.id = r.original`,
    [tx.tenantId, JSON.stringify(links)],
  );
  // It takes back of each purchase what the original booked of it, however many purchases they share.
  await tx.execute(
    `update posting_spend ps set amount = -o.amount
     from jsonb_to_recordset($2::jsonb) as r(original text, reversal text)
     join posting_spend o on o.tenant_id = $1 and o.posting_id = r.original
     where ps.tenant_id = $1 and ps.posting_id = r.reversal and ps.spend_record_id = o.spend_record_id`,
    [tx.tenantId, JSON.stringify(links)],
  );
}

/** Gives up documents that were never sent. */
export async function cancelUnsent(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  postings: readonly { readonly id: string; readonly status: PostingStatus }[],
  reason: string,
): Promise<void> {
  if (postings.length === 0) return;
  const now = engine.clock.now();
  for (const posting of postings) assertMove(posting.status, 'CANCELLED');
  const rows = await tx.query<{ id: string; pipeline_id: string; description: string }>(
    `update postings set status = 'CANCELLED', cancel_reason = $3, updated_at = $4, lease_owner = null, lease_until = null,
       fence = fence + 1
     where tenant_id = $1 and id = any($2) returning id, pipeline_id, description`,
    [tx.tenantId, postings.map((posting) => posting.id), reason, now],
  );
  await oweVisit(
    engine,
    tx,
    rows.map(({ id }) => id),
  );
  // A reversal that is given up leaves its original standing.
  await tx.execute('update postings set reversed_by_id = null where tenant_id = $1 and reversed_by_id = any($2)', [
    tx.tenantId,
    postings.map((posting) => posting.id),
  ]);
  for (const row of rows) {
    const from = postings.find((posting) => posting.id === row.id)?.status ?? 'PLANNED';
    recordFor(tx, caller, now, {
      action: 'posting.cancelled',
      subjectType: 'GlPosting',
      subjectId: row.id,
      summary: `${row.description}: not sent any more. ${reason}`,
      before: { status: from },
      after: { status: 'CANCELLED', reason },
      posting: { pipelineId: row.pipeline_id, from, to: 'CANCELLED' },
    });
  }
}
