import { canMove, isUnsent, type PostingStatus } from '../domain/postingState.js';
import { planReversal } from '../domain/reversal.js';
import { accountingHashOf, unifiedFromJson } from '../domain/spendJson.js';
import type { Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import { planTwinsAgain } from './duplicates.js';
import type { Caller, Engine } from './engine.js';
import { exportStreamOf, oweFailures } from './exports.js';
import { involve } from './involvement.js';
import { done, type Outcome, refused, refusedBy } from './outcome.js';
import { loadPipeline } from './pipelines.js';
import { loadPlanningContext } from './planningContext.js';
import { cancelUnsent, loadPosted, storePlanned } from './postingStore.js';

/** What else people decide about postings; each has a file of its own. */
export { approvePosting } from './approvals.js';
export { replayPosting, replayPostings } from './replays.js';

interface PostingRow {
  id: string;
  pipeline_id: string;
  ledger_id: string;
  status: PostingStatus;
  reference: string;
  plan_hash: string;
  description: string;
  reverses_id: string | null;
  reversed_by_id: string | null;
  triggered_by: string;
  correlation_id: string;
}

/**
 * Gives a posting up before it was sent: its purchases are excluded with the reason, and the source is told.
 * A reversal that is given up leaves its original standing, and its purchases as they are.
 */
export async function cancelPosting(
  engine: Engine,
  caller: Caller,
  id: string,
  reason: string,
): Promise<Outcome<{ id: string }>> {
  if (reason.trim() === '') return refused('BAD_INPUT', 'Say why.', { path: ['reason'] });
  return engine.db.tenant(caller.tenantId, async (tx) => {
    const posting = await lockPosting(tx, id);
    if (!posting) return notFound();
    if (posting.status === 'CANCELLED') return done({ id });
    if (!isUnsent(posting.status)) {
      return refused('NOT_CANCELLABLE', `A posting that is ${posting.status} cannot be cancelled.`, {
        path: ['id'],
        resolution:
          posting.status === 'POSTED' ? 'Reverse it with reversePosting.' : 'Wait until the ledger has answered.',
      });
    }
    if (posting.reverses_id === null) {
      const others = await otherParts(tx, posting);
      const standing = others.find((one) => !isUnsent(one.status));
      if (standing) return partlyInLedger(standing);
      await cancelUnsent(engine, caller, tx, [posting, ...others], reason.trim());
      await excludePurchases(engine, caller, tx, posting, reason.trim());
      return done({ id });
    }
    await cancelUnsent(engine, caller, tx, [posting], reason.trim());
    await leaveOriginalStanding(engine, caller, tx, posting, reason.trim());
    return done({ id });
  });
}

/**
 * The other documents of a purchase that needs several: its lines are more than one takes, or days were put together anew.
 * Those that are reversed already, or about to be, are no part of what it is now.
 */
function otherParts(tx: Tx, posting: PostingRow): Promise<PostingRow[]> {
  return tx.query<PostingRow>(
    `select p.* from postings p where p.tenant_id = $1 and p.pipeline_id = $3 and p.id <> $2 and p.reverses_id is null
       and p.reversed_by_id is null and p.status not in ('CANCELLED', 'REVERSED')
       and exists (select from posting_spend a join posting_spend b on b.tenant_id = a.tenant_id
         and b.spend_record_id = a.spend_record_id
         where a.tenant_id = $1 and a.posting_id = $2 and b.posting_id = p.id)
     order by p.id for update of p`,
    [tx.tenantId, posting.id, posting.pipeline_id],
  );
}

function partlyInLedger({ reference, status }: PostingRow) {
  return refused('PARTLY_IN_LEDGER', `Another part of its purchase is in document ${reference}, which is ${status}.`, {
    path: ['id'],
    resolution:
      status === 'POSTED'
        ? 'Reverse that document first, or replay this one: half a purchase must not stay in the books.'
        : 'Wait until the ledger has answered.',
  });
}

/**
 * The original stays in the ledger as it is: what was to follow the reversal is given up with it, and the purchases' present
 * content counts as booked, so that the next sync does not start the same correction again.
 */
async function leaveOriginalStanding(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  reversal: PostingRow,
  reason: string,
): Promise<void> {
  const followers = await tx.query<PostingRow>(
    'select * from postings where tenant_id = $1 and after_id = $2 for update',
    [tx.tenantId, reversal.id],
  );
  await cancelUnsent(
    engine,
    caller,
    tx,
    followers.filter((one) => one.status !== 'CANCELLED' && isUnsent(one.status)),
    reason,
  );
  const records = await tx.query<{ id: string; unified: unknown }>(
    `select r.id, r.unified from posting_spend ps join spend_records r on r.tenant_id = ps.tenant_id and r.id = ps.spend_record_id
     where ps.tenant_id = $1 and ps.posting_id = $2`,
    [tx.tenantId, reversal.reverses_id],
  );
  const hashes = records.map(({ id, unified }) => ({ id, hash: accountingHashOf(unifiedFromJson(unified)) }));
  await tx.execute(
    `update posting_spend ps set accounting_hash = h.hash from jsonb_to_recordset($3::jsonb) as h(id text, hash text)
     where ps.tenant_id = $1 and ps.posting_id = $2 and ps.spend_record_id = h.id`,
    [tx.tenantId, reversal.reverses_id, JSON.stringify(hashes)],
  );
  await tx.execute(
    `update spend_records r set status = 'POSTED', waiting_reason = $3, updated_at = $4, excluded_by = null,
       excluded_reason = null from posting_spend ps
     where ps.tenant_id = $1 and ps.posting_id = $2 and r.tenant_id = $1 and r.id = ps.spend_record_id`,
    [tx.tenantId, reversal.reverses_id, `Its correction was given up: ${reason}`, engine.clock.now()],
  );
  // It was not given up after all, so the source must not be told so.
  await tx.execute(
    `delete from source_exports where tenant_id = $1 and posting_id = $2 and outcome = 'FAILURE' and state = 'PENDING'`,
    [tx.tenantId, reversal.reverses_id],
  );
}

async function excludePurchases(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  posting: PostingRow,
  reason: string,
): Promise<void> {
  const now = engine.clock.now();
  const rows = await tx.query<{ id: string; source_id: string; before: string }>(
    `update spend_records r set status = 'EXCLUDED', excluded_by = $3, excluded_reason = $4, updated_at = $5
     from posting_spend ps join spend_records was on was.tenant_id = ps.tenant_id and was.id = ps.spend_record_id
     where ps.tenant_id = $1 and ps.posting_id = $2 and r.tenant_id = $1 and r.id = ps.spend_record_id
     returning r.id, r.source_id, was.status as before`,
    [tx.tenantId, posting.id, caller.actor, reason, now],
  );
  for (const { id, before } of rows) {
    recordFor(tx, caller, now, {
      action: 'spend.excluded',
      subjectType: 'SpendRecord',
      subjectId: id,
      summary: `Excluded with document ${posting.reference}: ${reason}`,
      before: { status: before },
      after: { status: 'EXCLUDED', reason },
    });
  }
  const [first] = rows;
  if (!first) return;
  await planTwinsAgain(
    engine,
    tx,
    rows.map((row) => row.id),
    caller.correlationId,
  );
  await oweFailures(engine, tx, caller, {
    sourceId: first.source_id,
    stream: await exportStreamOf(engine, tx, first.source_id),
    spendRecordIds: rows.map((row) => row.id),
    postingId: posting.id,
    message: reason,
  });
}

/**
 * Posts the equal and opposite document; answers with it. The purchases are excluded until somebody includes them again:
 * otherwise the next sync would post at once what was just taken back.
 * Asking twice gives the same reversal.
 */
export async function reversePosting(
  engine: Engine,
  caller: Caller,
  id: string,
  reason: string,
): Promise<Outcome<{ id: string }>> {
  if (reason.trim() === '') return refused('BAD_INPUT', 'Say why.', { path: ['reason'] });
  try {
    const [head] = await engine.db.tenant(caller.tenantId, (tx) =>
      tx.query<{ ledger_id: string }>('select ledger_id from postings where tenant_id = $1 and id = $2', [
        caller.tenantId,
        id,
      ]),
    );
    if (!head) return notFound();
    const { connection } = await engine.connections.ledger(caller.tenantId, head.ledger_id);
    const rules = await connection.rules();
    return await engine.db.tenant(caller.tenantId, async (tx) => {
      const posting = await lockPosting(tx, id);
      if (!posting) return notFound();
      if (posting.reversed_by_id !== null) return done({ id: posting.reversed_by_id });
      if (posting.reverses_id !== null) {
        // It would book once more what its purchases' next document may have booked already.
        return refused('NOT_REVERSIBLE', 'A reversal cannot be reversed.', {
          path: ['id'],
          resolution: 'Include its purchases again: they are posted anew as the source has them now.',
        });
      }
      if (!canMove(posting.status, 'REVERSED')) {
        return refused('NOT_REVERSIBLE', `A posting that is ${posting.status} cannot be reversed.`, {
          path: ['id'],
          resolution: isUnsent(posting.status)
            ? 'Cancel it with cancelPosting.'
            : 'Wait until the ledger has answered.',
        });
      }
      const pipeline = await loadPipeline(tx, posting.pipeline_id);
      if (!pipeline) return notFound();
      const context = await loadPlanningContext(tx, engine.clock.now(), pipeline, rules);
      const posted = await loadPosted(tx, id);
      const document = planReversal(context.on(posted.postingDate), posted, reason.trim());
      const status: PostingStatus =
        document.holds.length > 0 ? 'HELD' : pipeline.require_approval ? 'AWAITING_APPROVAL' : 'READY';
      const amounts = await tx.query<{ spend_record_id: string; amount: string }>(
        'select spend_record_id, (-amount)::text as amount from posting_spend where tenant_id = $1 and posting_id = $2',
        [tx.tenantId, id],
      );
      const [reversalId] = await storePlanned(
        engine,
        caller,
        tx,
        pipeline,
        [
          {
            document,
            status,
            reverses: {
              id,
              reference: posting.reference,
              status: posting.status,
              reverses_id: null,
              reversed_by_id: null,
              accounting_hash: '',
              record_count: amounts.length,
            },
            afterReference: null,
            amounts: new Map(amounts.map((row) => [row.spend_record_id, row.amount])),
            accountingHashes: new Map(),
            correlationId: caller.correlationId,
          },
        ],
        null,
      );
      await involve(tx, caller, engine.clock.now(), 'REVERSE', reversalId ? [reversalId] : []);
      await excludePurchases(engine, caller, tx, posting, reason.trim());
      recordFor(tx, caller, engine.clock.now(), {
        action: 'posting.reversalRequested',
        subjectType: 'GlPosting',
        subjectId: id,
        summary: `${posting.description}: to be reversed. ${reason.trim()}`,
        after: { reversalId, reason: reason.trim() },
      });
      await engine.jobs.send(tx, 'ledger.drain', { tenantId: tx.tenantId, ledgerId: posting.ledger_id });
      return done({ id: reversalId ?? id });
    });
  } catch (error) {
    return refusedBy(error);
  }
}

async function lockPosting(tx: Tx, id: string): Promise<PostingRow | null> {
  const [row] = await tx.query<PostingRow>('select * from postings where tenant_id = $1 and id = $2 for update', [
    tx.tenantId,
    id,
  ]);
  return row ?? null;
}

function notFound() {
  return refused('NOT_FOUND', 'There is no such posting.', { path: ['id'] });
}
