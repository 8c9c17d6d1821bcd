import { assertMove, canMove, isUnsent, type PostingStatus } from '../domain/postingState.js';
import { planReversal } from '../domain/reversal.js';
import { accountingHashOf, unifiedFromJson } from '../domain/spendJson.js';
import type { Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import { planTwinsAgain, rememberNoDuplicates } from './duplicates.js';
import type { Caller, Engine } from './engine.js';
import { exportStreamOf, oweFailures } from './exports.js';
import { done, type Outcome, refused, refusedBy } from './outcome.js';
import { loadPipeline } from './pipelines.js';
import { loadPlanningContext } from './planningContext.js';
import { cancelUnsent, loadPosted, storePlanned } from './postingStore.js';
import { triggerSync } from './syncs.js';
import type { PostingFilter } from './useCases.js';

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
 * Plans a HELD or REJECTED posting again, from today's mapping and master data and under the same reference; what is
 * IN_DOUBT is looked for in the ledger at once. Nothing is ever sent under another name.
 */
export async function replayPosting(
  engine: Engine,
  caller: Caller,
  id: string,
  note: string | null,
): Promise<Outcome<{ id: string }>> {
  return engine.db.tenant(caller.tenantId, async (tx) => {
    const posting = await lockPosting(tx, id);
    if (!posting) return notFound();
    if (!REPLAYABLE.includes(posting.status)) {
      return refused('NOT_REPLAYABLE', `A posting that is ${posting.status} cannot be replayed.`, {
        path: ['id'],
        resolution: 'Only HELD, REJECTED and IN_DOUBT postings can.',
      });
    }
    if (note?.trim()) await rememberNoDuplicates(engine, caller, tx, [id], note.trim());
    await replayThese(engine, caller, tx, [posting], note);
    return done({ id });
  });
}

const REPLAYABLE: readonly PostingStatus[] = ['HELD', 'REJECTED', 'IN_DOUBT'];

/** Replays all that fits the filter, in one step; answers with how many and with the run that plans them. */
export async function replayPostings(
  engine: Engine,
  caller: Caller,
  filter: PostingFilter,
  note: string | null,
): Promise<Outcome<{ count: number; runId: string | null }>> {
  const wanted = filter.statuses ?? REPLAYABLE;
  const other = wanted.filter((status) => !REPLAYABLE.includes(status as PostingStatus));
  if (other.length > 0) {
    return refused('NOT_REPLAYABLE', `Postings that are ${other.join(', ')} cannot be replayed.`, {
      path: ['filter', 'statuses'],
      resolution: 'Leave statuses out, or name HELD, REJECTED or IN_DOUBT.',
    });
  }
  const found = await engine.db.tenant(caller.tenantId, async (tx) => {
    const postings = await tx.query<PostingRow>(
      `select * from postings p where tenant_id = $1 and status = any($2)
         and ($3::text is null or pipeline_id = $3) and ($4::text is null or ledger_id = $4)
         and ($5::date is null or posting_date >= $5) and ($6::date is null or posting_date <= $6)
         and ($7::text is null or reference = $7) and ($8::text is null or ledger_document_id = $8)
         and ($9::text[] is null or exists (select from jsonb_array_elements(p.holds) h where h ->> 'code' = any($9)))
       order by id for update`,
      [
        tx.tenantId,
        wanted,
        filter.pipelineId ?? null,
        filter.ledgerId ?? null,
        filter.from ?? null,
        filter.to ?? null,
        filter.reference ?? null,
        filter.ledgerDocumentId ?? null,
        filter.holdCodes ?? null,
      ],
    );
    // Whoever replays a month for another reason has not looked at its suspected duplicates: they have to be asked for.
    if (note?.trim() && filter.holdCodes?.includes('SUSPECTED_DUPLICATE')) {
      const ids = postings.map((posting) => posting.id);
      await rememberNoDuplicates(engine, caller, tx, ids, note.trim());
    }
    await replayThese(engine, caller, tx, postings, note);
    return postings;
  });
  const pipelines = [...new Set(found.map((posting) => posting.pipeline_id))];
  const [only] = pipelines;
  if (!only || pipelines.length > 1) return done({ count: found.length, runId: null });
  const run = await triggerSync(engine, caller, { pipelineId: only, dryRun: false, trigger: 'REPLAY' });
  return done({ count: found.length, runId: run.ok ? run.value.id : null });
}

async function replayThese(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  postings: readonly PostingRow[],
  note: string | null,
): Promise<void> {
  const now = engine.clock.now();
  const planned = postings.filter((posting) => posting.status !== 'IN_DOUBT');
  const doubtful = postings.filter((posting) => posting.status === 'IN_DOUBT');
  await tx.execute(
    `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
     select distinct on (p.pipeline_id, ps.spend_record_id) $1, p.pipeline_id, ps.spend_record_id, 'replayed', p.correlation_id
     from postings p join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
     where p.tenant_id = $1 and p.id = any($2)
     on conflict (tenant_id, pipeline_id, spend_record_id) do nothing`,
    [tx.tenantId, planned.map((posting) => posting.id)],
  );
  await tx.execute('update postings set next_attempt_at = null where tenant_id = $1 and id = any($2)', [
    tx.tenantId,
    doubtful.map((posting) => posting.id),
  ]);
  for (const posting of postings) {
    recordFor(tx, caller, now, {
      action: 'posting.replayed',
      subjectType: 'GlPosting',
      subjectId: posting.id,
      summary: `${posting.description}: ${posting.status === 'IN_DOUBT' ? 'looked for in the ledger again' : 'planned again'}${note ? `. ${note}` : '.'}`,
      before: { status: posting.status },
      after: { note },
    });
  }
  for (const pipelineId of new Set(planned.map((posting) => posting.pipeline_id))) {
    await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId });
  }
  for (const ledgerId of new Set(doubtful.map((posting) => posting.ledger_id))) {
    await engine.jobs.send(tx, 'ledger.drain', { tenantId: tx.tenantId, ledgerId });
  }
}

/**
 * Releases a posting that waits for approval. Bound to the plan that the approver saw, and never by the key that asked for
 * the posting.
 */
export async function approvePosting(
  engine: Engine,
  caller: Caller,
  id: string,
  planHash: string,
): Promise<Outcome<{ id: string }>> {
  return engine.db.tenant(caller.tenantId, async (tx) => {
    const posting = await lockPosting(tx, id);
    if (!posting) return notFound();
    if (posting.status !== 'AWAITING_APPROVAL') {
      // Approving twice what was approved is the same approval.
      const [row] = await tx.query<{ approved_by: string | null }>(
        'select approved_by from postings where tenant_id = $1 and id = $2',
        [tx.tenantId, id],
      );
      if (row?.approved_by === caller.actor && posting.plan_hash === planHash) return done({ id });
      return refused('NOT_AWAITING_APPROVAL', `A posting that is ${posting.status} cannot be approved.`, {
        path: ['id'],
      });
    }
    if (posting.plan_hash !== planHash) {
      return refused('PLAN_CHANGED', 'The plan changed since it was shown.', {
        path: ['planHash'],
        resolution: 'Read the posting again and approve what it says now.',
      });
    }
    if (await askedFor(tx, posting, caller)) {
      return refused('SAME_KEY', 'The key that asked for a posting cannot approve it.', {
        resolution: 'Let another person approve it with a key of their own.',
      });
    }
    const now = engine.clock.now();
    assertMove(posting.status, 'READY');
    await tx.execute(
      `update postings set status = 'READY', approved_by = $3, updated_at = $4 where tenant_id = $1 and id = $2`,
      [tx.tenantId, id, caller.actor, now],
    );
    recordFor(tx, caller, now, {
      action: 'posting.approved',
      subjectType: 'GlPosting',
      subjectId: id,
      summary: `${posting.description}: approved.`,
      before: { status: posting.status },
      after: { status: 'READY', planHash },
      posting: { pipelineId: posting.pipeline_id, from: posting.status, to: 'READY' },
    });
    await engine.jobs.send(tx, 'ledger.drain', { tenantId: tx.tenantId, ledgerId: posting.ledger_id });
    return done({ id });
  });
}

/** Whether this caller's key started what led to the posting: the run, the replay or the reversal. */
async function askedFor(tx: Tx, posting: PostingRow, caller: Caller): Promise<boolean> {
  if (posting.triggered_by === caller.actor) return true;
  const rows = await tx.query(
    `select 1 from sync_runs r join postings p on p.tenant_id = r.tenant_id and p.run_id = r.id
     where p.tenant_id = $1 and p.id = $2 and r.requested_by = $3`,
    [tx.tenantId, posting.id, caller.actor],
  );
  return rows.length > 0;
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
    await cancelUnsent(engine, caller, tx, [posting], reason.trim());
    if (posting.reverses_id === null) await excludePurchases(engine, caller, tx, posting, reason.trim());
    else await leaveOriginalStanding(engine, caller, tx, posting, reason.trim());
    return done({ id });
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
    `update spend_records r set status = 'POSTED', waiting_reason = $3, updated_at = $4 from posting_spend ps
     where ps.tenant_id = $1 and ps.posting_id = $2 and r.tenant_id = $1 and r.id = ps.spend_record_id`,
    [tx.tenantId, reversal.reverses_id, `Its correction was given up: ${reason}`, engine.clock.now()],
  );
}

async function excludePurchases(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  posting: PostingRow,
  reason: string,
): Promise<void> {
  const rows = await tx.query<{ id: string; source_id: string }>(
    `update spend_records r set status = 'EXCLUDED', excluded_by = $3, excluded_reason = $4, updated_at = $5
     from posting_spend ps
     where ps.tenant_id = $1 and ps.posting_id = $2 and r.tenant_id = $1 and r.id = ps.spend_record_id
     returning r.id, r.source_id`,
    [tx.tenantId, posting.id, caller.actor, reason, engine.clock.now()],
  );
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
