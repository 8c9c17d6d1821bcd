import type { FoundDocument, LedgerDocument } from '../connectors/contract.js';
import type { LocalDate } from '../domain/localDate.js';
import { assertMove, type PostingStatus } from '../domain/postingState.js';
import type { DocumentType, Hold } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { record } from './audit.js';
import type { Engine } from './engine.js';
import { type LineRow, linesOf } from './postingStore.js';
import { NOT_SENT } from './remains.js';

/** A posting in the hands of this process, with everything that sending it needs. */
export interface ClaimedPosting {
  readonly id: string;
  readonly pipeline_id: string;
  readonly ledger_id: string;
  readonly status: PostingStatus;
  readonly document_type: DocumentType;
  readonly reference: string;
  readonly plan_hash: string;
  readonly posting_date: LocalDate;
  readonly period_key: Record<string, string> | null;
  readonly currency: string;
  readonly total: string;
  readonly supplier_code: string | null;
  readonly create_supplier: { name: string; matchId: string } | null;
  readonly description: string;
  readonly reverses_id: string | null;
  readonly correlation_id: string;
  readonly run_id: string | null;
  readonly fence: string;
  readonly attempts: number;
  readonly doubt_since: Date | null;
  readonly absent_count: number;
}

export const COLUMNS = `id, pipeline_id, ledger_id, status, document_type, reference, plan_hash, posting_date, period_key, currency,
  total, supplier_code, create_supplier, description, reverses_id, correlation_id, run_id, fence, attempts, doubt_since,
  absent_count`;

/**
 * Takes READY postings that are due, oldest day first. The fencing number goes up with the claim: whoever held it before
 * can no longer settle anything. A replacement is not taken before the reversal that it follows is in the ledger.
 */
export async function claimReady(
  tx: Tx,
  ledgerId: string,
  owner: string,
  now: Date,
  leaseUntil: Date,
  take: number,
  dead: readonly string[],
): Promise<ClaimedPosting[]> {
  const rows = await tx.query<ClaimedPosting>(
    `update postings set lease_owner = $3, lease_until = $5, fence = fence + 1
     where tenant_id = $1 and id in (
       select p.id from postings p
       where p.tenant_id = $1 and p.ledger_id = $2 and p.status = 'READY'
         and (p.next_attempt_at is null or p.next_attempt_at <= $4)
         and (p.lease_until is null or p.lease_until <= $4 or p.lease_owner = $3 or p.lease_owner = any($7))
         and (p.after_id is null or exists (select from postings a
           where a.tenant_id = p.tenant_id and a.id = p.after_id and a.status = 'POSTED'))
       order by p.posting_date, p.id limit $6 for update skip locked)
     returning ${COLUMNS}`,
    [tx.tenantId, ledgerId, owner, now, leaseUntil, take, dead],
  );
  return rows.sort((a, b) => (a.posting_date + a.id < b.posting_date + b.id ? -1 : 1));
}

/** Takes IN_DOUBT postings whose next look is due. */
export async function claimDoubtful(
  tx: Tx,
  ledgerId: string,
  owner: string,
  now: Date,
  leaseUntil: Date,
  take: number,
  dead: readonly string[],
): Promise<ClaimedPosting[]> {
  return tx.query<ClaimedPosting>(
    `update postings set lease_owner = $3, lease_until = $5, fence = fence + 1
     where tenant_id = $1 and id in (
       select id from postings where tenant_id = $1 and ledger_id = $2 and status = 'IN_DOUBT'
         and (next_attempt_at is null or next_attempt_at <= $4)
         and (lease_until is null or lease_until <= $4 or lease_owner = $3 or lease_owner = any($7))
       order by posting_date, id limit $6 for update skip locked)
     returning ${COLUMNS}`,
    [tx.tenantId, ledgerId, owner, now, leaseUntil, take, dead],
  );
}

/** Takes postings that are not sent, and for which the ledger is to be visited because of what an attempt may have left. */
export async function claimRemains(
  tx: Tx,
  ledgerId: string,
  owner: string,
  now: Date,
  leaseUntil: Date,
  take: number,
  dead: readonly string[],
): Promise<ClaimedPosting[]> {
  return tx.query<ClaimedPosting>(
    `update postings set lease_owner = $3, lease_until = $5, fence = fence + 1
     where tenant_id = $1 and id in (
       select id from postings where tenant_id = $1 and ledger_id = $2 and status = any($8) and next_attempt_at <= $4
         and (lease_until is null or lease_until <= $4 or lease_owner = $3 or lease_owner = any($7))
       order by next_attempt_at, id limit $6 for update skip locked)
     returning ${COLUMNS}`,
    [tx.tenantId, ledgerId, owner, now, leaseUntil, take, dead, NOT_SENT],
  );
}

/** How long after its attempt was stored a document may be put on the wire; what comes later was paused and is not sent. */
export const START_GRACE_MS = 5_000;

/**
 * A posting that is still POSTING although its process is gone or its lease ran out may or may not be in the ledger.
 * @param deadOwners processes that certainly live no more; their leases count as over at once.
 */
export async function markAbandoned(
  engine: Engine,
  tx: Tx,
  ledgerId: string,
  deadOwners: readonly string[],
  submitTimeoutMs: number,
): Promise<number> {
  const now = engine.clock.now();
  const rows = await tx.query<ClaimedPosting & { started_at: Date | null }>(
    `select ${COLUMNS}, (select max(started_at) from posting_attempts a where a.tenant_id = p.tenant_id and a.posting_id = p.id)
       as started_at
     from postings p where tenant_id = $1 and ledger_id = $2 and status = 'POSTING'
       and (lease_until <= $3 or lease_owner = any($4)) for update skip locked`,
    [tx.tenantId, ledgerId, now, deadOwners],
  );
  for (const row of rows) {
    // The request may still be on its way until its own time limit, counted from the latest moment it may have started.
    const latestEnd = (row.started_at?.getTime() ?? 0) + START_GRACE_MS + submitTimeoutMs;
    const overAt = new Date(Math.max(now.getTime(), latestEnd));
    await tx.execute(
      `update postings set status = 'IN_DOUBT', doubt_since = $3, absent_count = 0, next_attempt_at = null, lease_owner = null,
         lease_until = null, fence = fence + 1, updated_at = $4 where tenant_id = $1 and id = $2`,
      [tx.tenantId, row.id, overAt, now],
    );
    await finishAttempt(tx, row, now, 'ABANDONED', 'The process that sent it ended before the answer was stored.');
    tellMove(tx, now, row, 'POSTING', 'IN_DOUBT', {
      action: 'posting.inDoubt',
      summary: `${row.description}: the process that sent it ended before the answer was stored. The ledger is asked.`,
    });
  }
  return rows.length;
}

// ── single moves ─────────────────────────────────────────────────────────────────────────────

/** Whether this process still holds the posting; locks it. A paused process that comes back too late does not. */
export async function stillOurs(tx: Tx, posting: ClaimedPosting): Promise<PostingStatus | null> {
  const [row] = await tx.query<{ status: PostingStatus; fence: string }>(
    'select status, fence from postings where tenant_id = $1 and id = $2 for update',
    [tx.tenantId, posting.id],
  );
  return row && row.fence === posting.fence ? row.status : null;
}

export interface Move {
  readonly to: PostingStatus;
  readonly action: string;
  readonly summary: string;
  /** Columns that change with the state, by name. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/**
 * Moves a claimed posting, with its audit event.
 * @returns false when another process has taken it over: nothing was changed.
 */
export async function move(tx: Tx, now: Date, posting: ClaimedPosting, change: Move): Promise<boolean> {
  const from = await stillOurs(tx, posting);
  if (from === null) return false;
  assertMove(from, change.to);
  const columns = Object.entries(change.set ?? {});
  const assignments = columns.map(([column], index) => `, ${column} = $${index + 5}`).join('');
  await tx.execute(`update postings set status = $3, updated_at = $4${assignments} where tenant_id = $1 and id = $2`, [
    tx.tenantId,
    posting.id,
    change.to,
    now,
    ...columns.map(([, value]) => value),
  ]);
  tellMove(tx, now, posting, from, change.to, change);
  return true;
}

export function tellMove(
  tx: Tx,
  now: Date,
  posting: ClaimedPosting,
  from: PostingStatus,
  to: PostingStatus,
  what: { action: string; summary: string; after?: Readonly<Record<string, unknown>> },
): void {
  record(tx, now, {
    actor: 'system:posting',
    action: what.action,
    subjectType: 'GlPosting',
    subjectId: posting.id,
    summary: what.summary,
    before: { status: from },
    after: { status: to, reference: posting.reference, ...what.after },
    correlationId: posting.correlation_id,
    posting: { pipelineId: posting.pipeline_id, from, to },
  });
}

export type AttemptOutcome = 'SENDING' | 'POSTED' | 'FOUND' | 'REJECTED' | 'NOT_STARTED' | 'UNKNOWN' | 'ABANDONED';

/**
 * READY > POSTING, with its attempt; durable before anything is sent. One statement, because every posting goes through it.
 * @returns false when the posting is not ours any more, or was planned anew since it was claimed.
 */
export async function begin(
  tx: Tx,
  now: Date,
  posting: ClaimedPosting,
  leaseUntil: Date,
  worker: string,
): Promise<boolean> {
  assertMove('READY', 'POSTING');
  const begun = await tx.query(
    `with taken as (
       update postings set status = 'POSTING', lease_until = $4, updated_at = $5
       where tenant_id = $1 and id = $2 and fence = $3 and status = 'READY' returning id)
     insert into posting_attempts (tenant_id, posting_id, number, fence, plan_hash, worker, started_at, outcome)
     select $1, $2, (select count(*) + 1 from posting_attempts where tenant_id = $1 and posting_id = $2), $3, $6, $7, $5,
       'SENDING' from taken returning number`,
    [tx.tenantId, posting.id, posting.fence, leaseUntil, now, posting.plan_hash, worker],
  );
  if (begun.length === 0) return false;
  tellMove(tx, now, posting, 'READY', 'POSTING', {
    action: 'posting.sent',
    summary: `${posting.description}: sent to the ledger as ${posting.reference}.`,
    // Ledgers know an invoice by supplier and number, and the posting may be planned again with another supplier.
    ...(posting.supplier_code === null ? {} : { after: { supplierCode: posting.supplier_code } }),
  });
  return true;
}

export async function finishAttempt(
  tx: Tx,
  posting: ClaimedPosting,
  now: Date,
  outcome: AttemptOutcome,
  message: string | null,
  httpStatus: number | null = null,
): Promise<void> {
  await tx.execute(
    `update posting_attempts set finished_at = $3, outcome = $4, message = $5, http_status = $6
     where tenant_id = $1 and posting_id = $2 and finished_at is null`,
    [tx.tenantId, posting.id, now, outcome, message, httpStatus],
  );
}

// ── the ledger's document ────────────────────────────────────────────────────────────────────

/** The documents of claimed postings, by posting. A claim that was planned anew meanwhile does not begin. */
export async function loadDocuments(tx: Tx, postings: readonly ClaimedPosting[]): Promise<Map<string, LedgerDocument>> {
  const lines = await linesOf(
    tx,
    postings.map((posting) => posting.id),
  );
  return new Map(postings.map((posting) => [posting.id, documentOf(posting, lines.get(posting.id) ?? [])]));
}

function documentOf(posting: ClaimedPosting, lines: readonly LineRow[]): LedgerDocument {
  return {
    documentType: posting.document_type,
    reference: posting.reference,
    postingDate: posting.posting_date,
    periodKey: posting.period_key ?? {},
    currency: posting.currency,
    supplierCode: posting.supplier_code,
    description: posting.description,
    total: posting.total,
    lines: lines.map((line) => ({
      lineNumber: line.line_number,
      role: line.role,
      glAccount: line.gl_account,
      costCentre: line.cost_centre,
      dimensions: line.dimensions,
      taxCode: line.tax_code,
      debit: line.debit,
      credit: line.credit,
      memo: line.memo,
    })),
  };
}

/** Compares what the ledger holds under our reference with what we would have there. */
export function differenceOf(posting: ClaimedPosting, found: FoundDocument): string | null {
  if (!found.isPosted) return 'the ledger has the document but has not posted it';
  if (!sameAmount(found.totalDebit, posting.total) || !sameAmount(found.totalCredit, posting.total)) {
    return `its totals are ${found.totalDebit} and ${found.totalCredit} instead of ${posting.total}`;
  }
  if (found.currency !== null && found.currency !== posting.currency) {
    return `its currency is ${found.currency} instead of ${posting.currency}`;
  }
  return null;
}

/** Equal amounts, whatever zeros end them. */
function sameAmount(a: string, b: string): boolean {
  return trimmed(a) === trimmed(b);
}

function trimmed(text: string): string {
  const plain = text.trim().replace(/^\+/, '');
  return plain.includes('.') ? plain.replace(/0+$/, '').replace(/\.$/, '') : plain;
}

export function foundElsewhere(found: readonly FoundDocument[], difference: string): Hold {
  return {
    code: 'SUSPECTED_DUPLICATE',
    message: `The ledger holds ${found.map((one) => one.ledgerDocumentId).join(', ')} under this document's reference, but ${difference}.`,
    field: 'reference',
    value: found[0]?.reference ?? '',
    resolution:
      'Look at that document in the ledger. Post or correct it there and replay this posting, or cancel this posting if the entry is right as it stands.',
  };
}
