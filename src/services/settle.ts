import type { FoundDocument } from '../connectors/contract.js';
import { assertMove, type PostingStatus } from '../domain/postingState.js';
import type { Hold, SpendStream } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { LedgergateError, PeriodClosedError } from '../errors.js';
import type { Engine } from './engine.js';
import { oweGroups } from './exports.js';
import { type ClaimedPosting, differenceOf, finishAttempt, foundElsewhere, move, tellMove } from './ledgerWork.js';
import { NOT_SENT, oweVisit } from './remains.js';
import { settleTakenBack, type TakenBack } from './takenBack.js';

/** What became of one attempt. */
export type Result =
  | {
      readonly kind: 'POSTED';
      readonly ledgerDocumentId: string;
      /** ADOPTED: found without having been sent, say because this database was restored from an older backup. */
      readonly how: 'SENT' | 'FOUND' | 'ADOPTED';
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'REJECTED'; readonly error: LedgergateError }
  | { readonly kind: 'NOT_STARTED'; readonly error: LedgergateError; readonly againAt: Date }
  | { readonly kind: 'UNKNOWN'; readonly error: unknown; readonly overAt: Date }
  | { readonly kind: 'ELSEWHERE'; readonly found: readonly FoundDocument[]; readonly difference: string }
  | ({ readonly kind: 'TAKEN_BACK' } & TakenBack);

/** Where results are owed to: the stream of a source whose objects take them, by pipeline. */
export type ExportStreams = ReadonlyMap<string, { readonly sourceId: string; readonly stream: SpendStream }>;

/** What is owed within this time goes out together: the queue keeps one job for it (see `JobSender`). */
const GATHER_REPORTS_MS = 2_000;

const FREE = { lease_owner: null, lease_until: null };

/**
 * Stores what became of an attempt, with all that follows from it, in the caller's transaction: state, document number,
 * attempt, purchases, results owed to the source, audit event.
 * @returns false when another process took the posting over meanwhile. What the ledger holds is then found by that one.
 */
export async function settle(
  engine: Engine,
  tx: Tx,
  posting: ClaimedPosting,
  result: Result,
  exports: ExportStreams,
): Promise<boolean> {
  const now = engine.clock.now();
  switch (result.kind) {
    case 'POSTED':
      return settlePosted(engine, tx, now, posting, result, exports);
    case 'REJECTED':
      return settleRejected(engine, tx, now, posting, result.error);
    case 'NOT_STARTED':
      return settleNotStarted(tx, now, posting, result.error, result.againAt);
    case 'UNKNOWN':
      return settleUnknown(tx, now, posting, result.error, result.overAt);
    case 'ELSEWHERE':
      return settleElsewhere(tx, now, posting, result.found, result.difference);
    case 'TAKEN_BACK':
      return settleTakenBack(engine, tx, now, posting, result);
  }
}

/** Judges what the ledger holds under a reference. @param how whether this database knows of having sent it. */
export function resultOfFound(
  posting: ClaimedPosting,
  found: readonly FoundDocument[],
  how: 'FOUND' | 'ADOPTED' = 'FOUND',
): Result {
  const [first, ...others] = found;
  if (!first) throw new RangeError('nothing was found');
  const difference = others.length > 0 ? `there are ${found.length} of them` : differenceOf(posting, first);
  if (difference !== null) return { kind: 'ELSEWHERE', found, difference };
  return { kind: 'POSTED', ledgerDocumentId: first.ledgerDocumentId, how, warnings: [] };
}

const HOW_WORDS = {
  SENT: '',
  FOUND: ', found in the ledger by its reference',
  ADOPTED: ', found in the ledger by its reference and adopted: this database had not sent it',
} as const;

/**
 * The document is in the ledger. State, attempt, purchases and what the source is owed go in one statement, because every
 * posting goes through it.
 */
async function settlePosted(
  engine: Engine,
  tx: Tx,
  now: Date,
  posting: ClaimedPosting,
  result: Extract<Result, { kind: 'POSTED' }>,
  exports: ExportStreams,
): Promise<boolean> {
  // What this process has in hand is POSTING, or was claimed in doubt, or to clear away what an attempt had left.
  const isClaimedAsIs = posting.status === 'IN_DOUBT' || NOT_SENT.includes(posting.status);
  const from: PostingStatus = isClaimedAsIs ? posting.status : 'POSTING';
  assertMove(from, 'POSTED');
  const target = posting.reverses_id === null ? exports.get(posting.pipeline_id) : undefined;
  const [done] = await tx.query<{ moved: boolean; owed: boolean; grouped: boolean; waiting: boolean }>(
    `with moved as (
       update postings set status = 'POSTED', ledger_document_id = $4, posted_at = $5, updated_at = $5, holds = '[]',
         next_attempt_at = null, doubt_since = null, lease_owner = null, lease_until = null
       where tenant_id = $1 and id = $2 and fence = $3 and status = $6 returning id
     ), attempt as (
       update posting_attempts set finished_at = $5, outcome = $7, message = $8
       where tenant_id = $1 and posting_id = $2 and finished_at is null and exists (select from moved)
     ), purchases as (
       update spend_records r set status = case when ps.revision > 1 then 'CORRECTED' else 'POSTED' end, updated_at = $5,
         waiting_reason = null, waiting_until = null
       from posting_spend ps
       where ps.tenant_id = $1 and ps.posting_id = $2 and r.tenant_id = $1 and r.id = ps.spend_record_id
         and $9 and exists (select from moved)
         -- Looked up by id for each of the few other documents: as a join, fresh tables get a plan that reads them whole.
         and not exists (select from posting_spend o
           where o.tenant_id = $1 and o.spend_record_id = r.id and o.posting_id <> $2
             and (select p.reverses_id is null and p.status not in ('POSTED', 'REVERSED', 'CANCELLED')
               from postings p where p.tenant_id = $1 and p.id = o.posting_id))
     ), owed as (
       insert into source_exports (tenant_id, source_id, external_id, posting_id, outcome, ledger_document_id, state,
         next_attempt_at, correlation_id, created_at)
       select $1, o.source_id, o.external_id, $2, 'SUCCESS', $4, 'PENDING', $5, $10, $5
       from posting_spend ps join source_objects o on o.tenant_id = ps.tenant_id and o.spend_record_id = ps.spend_record_id
       where ps.tenant_id = $1 and ps.posting_id = $2 and o.source_id = $11 and o.stream = $12 and o.kind <> 'NOT_SPEND'
         and o.export_id is null and exists (select from moved)
       -- A failure owed for a document that was given up, included again and posted after all is not true any more.
       on conflict (tenant_id, source_id, external_id, posting_id) do update set outcome = 'SUCCESS', message = null,
         ledger_document_id = excluded.ledger_document_id, state = 'PENDING', answer = null, attempts = 0,
         next_attempt_at = excluded.next_attempt_at, correlation_id = excluded.correlation_id
         where source_exports.outcome = 'FAILURE'
       returning 1
     )
     select exists (select from moved) as moved, exists (select from owed) as owed,
       exists (select from posting_spend ps join source_objects o on o.tenant_id = ps.tenant_id
         and o.spend_record_id = ps.spend_record_id
         where ps.tenant_id = $1 and ps.posting_id = $2 and o.source_id = $11 and o.export_id is not null) as grouped,
       exists (select from planning_queue q join posting_spend ps on ps.tenant_id = q.tenant_id
         and ps.spend_record_id = q.spend_record_id
         where q.tenant_id = $1 and q.pipeline_id = $13 and ps.posting_id = $2) as waiting`,
    [
      tx.tenantId,
      posting.id,
      posting.fence,
      result.ledgerDocumentId,
      now,
      from,
      result.how === 'SENT' ? 'POSTED' : 'FOUND',
      result.warnings.join(' ') || null,
      posting.reverses_id === null,
      posting.correlation_id,
      target?.sourceId ?? null,
      target?.stream ?? null,
      posting.pipeline_id,
    ],
  );
  if (!done?.moved) return false;
  tellMove(tx, now, posting, from, 'POSTED', {
    action: 'posting.posted',
    summary: `${posting.description}: posted as ${result.ledgerDocumentId}${HOW_WORDS[result.how]}.`,
    after: {
      ledgerDocumentId: result.ledgerDocumentId,
      ...(result.how === 'ADOPTED' ? { adopted: true } : {}),
      ...(result.warnings.length > 0 ? { warnings: result.warnings } : {}),
    },
  });
  if (posting.reverses_id !== null) await settleReversal(tx, now, posting);
  if (done.grouped && target) {
    const spendRecordIds = await purchasesOf(tx, posting.id);
    const correlationId = posting.correlation_id;
    await oweGroups(engine, tx, { ...target, spendRecordIds, correlationId });
  }
  if (done.owed && target) {
    const startAfter = new Date(now.getTime() + GATHER_REPORTS_MS);
    await engine.jobs.send(tx, 'source.report', { tenantId: tx.tenantId, sourceId: target.sourceId }, { startAfter });
  }
  if (done.waiting) {
    // Purchases that changed while their document was at the ledger are planned now.
    await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId: posting.pipeline_id });
  }
  return true;
}

async function purchasesOf(tx: Tx, postingId: string): Promise<string[]> {
  const rows = await tx.query<{ spend_record_id: string }>(
    'select spend_record_id from posting_spend where tenant_id = $1 and posting_id = $2',
    [tx.tenantId, postingId],
  );
  return rows.map((row) => row.spend_record_id);
}

async function settleReversal(tx: Tx, now: Date, posting: ClaimedPosting): Promise<void> {
  const [original] = await tx.query<ClaimedPosting>(
    'select * from postings where tenant_id = $1 and id = $2 for update',
    [tx.tenantId, posting.reverses_id],
  );
  if (!original || original.status === 'REVERSED') return;
  await move(
    tx,
    now,
    { ...original, correlation_id: posting.correlation_id },
    {
      to: 'REVERSED',
      action: 'posting.reversed',
      summary: `${original.description}: reversed by ${posting.reference}.`,
      set: { reversed_by_id: posting.id },
      after: { reversedBy: posting.id },
    },
  );
}

async function settleRejected(
  engine: Engine,
  tx: Tx,
  now: Date,
  posting: ClaimedPosting,
  error: LedgergateError,
): Promise<boolean> {
  const hold: Hold = {
    code: error instanceof PeriodClosedError ? 'PERIOD_CLOSED' : 'LEDGER_REJECTED',
    message: error.userMessage,
    resolution: 'Put right what the ledger names, there or in the mapping, then replay the posting.',
  };
  const moved = await move(tx, now, posting, {
    to: 'REJECTED',
    action: 'posting.rejected',
    summary: `${posting.description}: the ledger refused it. ${error.userMessage}`,
    set: { ...FREE, holds: JSON.stringify([hold]), next_attempt_at: null },
    after: { code: hold.code, message: hold.message },
  });
  if (moved) {
    await finishAttempt(tx, posting, now, 'REJECTED', error.userMessage, statusIn(error));
    await markPurchases(tx, posting, now, 'HELD');
    // This attempt's own refusal says that nothing was written; an earlier one may have left something all the same.
    await oweVisit(engine, tx, [posting.id], ['UNKNOWN', 'ABANDONED']);
    if (error instanceof PeriodClosedError) await planForNextPeriod(engine, tx, posting);
  }
  return moved;
}

/**
 * The period closed between the check and the write. Where the pipeline posts to the next open period, that is planned now,
 * from a calendar that is read anew. Once: a ledger that says no again has a calendar that is not what it shows, and a
 * person has to look.
 */
async function planForNextPeriod(engine: Engine, tx: Tx, posting: ClaimedPosting): Promise<void> {
  const queued = await tx.query(
    `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
     select $1, p.pipeline_id, ps.spend_record_id, 'period closed', p.correlation_id
     from postings p join pipelines l on l.tenant_id = p.tenant_id and l.id = p.pipeline_id
     join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
     where p.tenant_id = $1 and p.id = $2 and l.closed_period = 'NEXT_OPEN_PERIOD'
       and (select count(*) from posting_attempts a
         where a.tenant_id = p.tenant_id and a.posting_id = p.id and a.outcome = 'REJECTED') = 1
     on conflict (tenant_id, pipeline_id, spend_record_id) do nothing returning 1`,
    [tx.tenantId, posting.id],
  );
  if (queued.length === 0) return;
  await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId: posting.pipeline_id });
}

async function settleNotStarted(
  tx: Tx,
  now: Date,
  posting: ClaimedPosting,
  error: LedgergateError,
  againAt: Date,
): Promise<boolean> {
  const moved = await move(tx, now, posting, {
    to: 'READY',
    action: 'posting.notStarted',
    summary: `${posting.description}: the ledger did not take the request; nothing was written. ${error.userMessage}`,
    set: { ...FREE, next_attempt_at: againAt, attempts: posting.attempts + 1 },
    after: { code: error.code, againAt },
  });
  if (moved) await finishAttempt(tx, posting, now, 'NOT_STARTED', error.userMessage, statusIn(error));
  return moved;
}

async function settleUnknown(
  tx: Tx,
  now: Date,
  posting: ClaimedPosting,
  error: unknown,
  overAt: Date,
): Promise<boolean> {
  const message = error instanceof LedgergateError ? error.userMessage : 'The answer could not be understood.';
  const moved = await move(tx, now, posting, {
    to: 'IN_DOUBT',
    action: 'posting.inDoubt',
    summary: `${posting.description}: no clear answer came back. ${message} The ledger is asked before anything is sent again.`,
    set: { ...FREE, doubt_since: overAt, absent_count: 0, next_attempt_at: now, attempts: posting.attempts + 1 },
    after: { message },
  });
  if (moved) await finishAttempt(tx, posting, now, 'UNKNOWN', message, statusIn(error));
  return moved;
}

async function settleElsewhere(
  tx: Tx,
  now: Date,
  posting: ClaimedPosting,
  found: readonly FoundDocument[],
  difference: string,
): Promise<boolean> {
  const hold = foundElsewhere(found, difference);
  const moved = await move(tx, now, posting, {
    to: 'HELD',
    action: 'posting.held',
    summary: `${posting.description}: ${hold.message}`,
    set: { ...FREE, holds: JSON.stringify([hold]), next_attempt_at: null },
    after: { found: found.map((one) => one.ledgerDocumentId), difference },
  });
  if (moved) {
    await finishAttempt(tx, posting, now, 'UNKNOWN', difference);
    await markPurchases(tx, posting, now, 'HELD');
  }
  return moved;
}

/** The look-ups after a lost answer: still absent, or proven absent. */
export async function settleAbsent(
  engine: Engine,
  tx: Tx,
  posting: ClaimedPosting,
  settlingMs: number,
): Promise<boolean> {
  const now = engine.clock.now();
  const settledAt = new Date((posting.doubt_since?.getTime() ?? now.getTime()) + settlingMs);
  const isProven = now >= settledAt && posting.absent_count >= 1;
  if (!isProven) {
    const pause = Math.max(MIN_LOOK_PAUSE_MS, Math.min(settlingMs, MAX_LOOK_PAUSE_MS));
    const nextLook = now < settledAt ? settledAt : new Date(now.getTime() + pause);
    await tx.execute(
      `update postings set absent_count = absent_count + 1, next_attempt_at = $3, lease_owner = null, lease_until = null,
         updated_at = $4 where tenant_id = $1 and id = $2 and fence = $5`,
      [tx.tenantId, posting.id, nextLook, now, posting.fence],
    );
    return true;
  }
  return move(tx, now, posting, {
    to: 'READY',
    action: 'posting.provenAbsent',
    summary: `${posting.description}: the ledger was asked twice and does not have it. It is sent again under the same reference.`,
    set: { ...FREE, next_attempt_at: null, doubt_since: null, absent_count: 0 },
    after: { looks: posting.absent_count + 1 },
  });
}

/** Between two looks that both come after the settling time. */
const MIN_LOOK_PAUSE_MS = 500;
const MAX_LOOK_PAUSE_MS = 10_000;

async function markPurchases(tx: Tx, posting: ClaimedPosting, now: Date, status: 'HELD'): Promise<void> {
  await tx.execute(
    `update spend_records r set status = $4, updated_at = $3 from posting_spend ps
     where ps.tenant_id = $1 and ps.posting_id = $2 and r.tenant_id = $1 and r.id = ps.spend_record_id`,
    [tx.tenantId, posting.id, now, status],
  );
}

function statusIn(error: unknown): number | null {
  const status = error instanceof LedgergateError ? error.detail.httpStatus : null;
  return typeof status === 'number' ? status : null;
}
