import type { LocalDate } from '../domain/localDate.js';
import { assertMove, type PostingStatus } from '../domain/postingState.js';
import type { Hold } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { LedgergateError } from '../errors.js';
import { recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { type Deed, deedOf, identityOf } from './involvement.js';
import { readPeriods } from './masterData.js';
import { done, type Outcome, refused, refusedBy } from './outcome.js';
import { loadPipeline } from './pipelines.js';
import { planChunk } from './planning.js';
import { queuePosting } from './planningQueue.js';

interface WaitingRow {
  id: string;
  pipeline_id: string;
  ledger_id: string;
  status: PostingStatus;
  plan_hash: string;
  posting_date: LocalDate;
  mapping_version: number | null;
  supplier_code: string | null;
  total: string;
  currency: string;
  description: string;
  holds: Hold[];
  cancel_reason: string | null;
  run_id: string | null;
  correlation_id: string;
  approved_by: string | null;
  approved_key: string | null;
  approved_plan_hash: string | null;
}

type Refusal = ReturnType<typeof refused>;

/**
 * Releases a posting that waits for approval. Bound to the plan that the approver saw, and never by a key that had a hand
 * in the posting (see `deedOf`).
 *
 * The posting is planned again first, from the mapping, the master data and the ledger's calendar as they are now. Where
 * that gives anything else than what was looked at, the new plan is kept, the approval is refused, and the refusal says
 * what changed. An approval holds for its plan alone: whatever is planned anew afterwards waits again.
 */
export async function approvePosting(
  engine: Engine,
  caller: Caller,
  id: string,
  planHash: string,
): Promise<Outcome<{ id: string }>> {
  try {
    const seen = await engine.db.tenant(caller.tenantId, (tx) => load(tx, id));
    if (!seen) return refused('NOT_FOUND', 'There is no such posting.', { path: ['id'] });
    const early = seen.status === 'AWAITING_APPROVAL' ? null : answerLate(seen, caller, planHash);
    if (early) return early;
    await readCalendar(engine, caller.tenantId, seen.ledger_id);
    const { connection } = await engine.connections.ledger(caller.tenantId, seen.ledger_id);
    const rules = await connection.rules();
    return await engine.db.tenant(caller.tenantId, async (tx) => {
      const pipeline = await loadPipeline(tx, seen.pipeline_id);
      // Before the posting itself, in the order in which planning takes its locks.
      await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `plan:${tx.tenantId}:${seen.pipeline_id}`,
      ]);
      const posting = await load(tx, id, 'for update');
      if (!posting || !pipeline) return refused('NOT_FOUND', 'There is no such posting.', { path: ['id'] });
      if (posting.status !== 'AWAITING_APPROVAL') return answerLate(posting, caller, planHash);
      const objection = (await keyObjection(tx, engine, caller)) ?? (await handObjection(tx, caller, posting));
      if (objection) return objection;
      if (posting.plan_hash !== planHash) return planChanged('The plan changed since it was shown.');
      const only = await queuePosting(tx, posting, 'to be approved');
      const planner = { ...caller, actor: 'system:planning', keyId: null };
      const planned = await planChunk(engine, planner, tx, pipeline, rules, null, only.length, only);
      if (planned.records < planned.taken) return busy();
      const now = await load(tx, id, 'for update');
      const change = now && changeOf(posting, now);
      if (!now || change) return change ?? planChanged('It is no longer what has to be posted.');
      return done(await approve(engine, caller, tx, now));
    });
  } catch (error) {
    return refusedBy(error);
  }
}

async function load(tx: Tx, id: string, lock: '' | 'for update' = ''): Promise<WaitingRow | null> {
  const [row] = await tx.query<WaitingRow>(`select * from postings where tenant_id = $1 and id = $2 ${lock}`, [
    tx.tenantId,
    id,
  ]);
  return row ?? null;
}

/** The ledger's calendar as it is this moment. A ledger that is away has the last word when the document is sent. */
async function readCalendar(engine: Engine, tenantId: string, ledgerId: string): Promise<void> {
  try {
    await readPeriods(engine, tenantId, ledgerId);
  } catch (error) {
    if (!(error instanceof LedgergateError) || error.decision !== 'RETRY') throw error;
  }
}

async function approve(engine: Engine, caller: Caller, tx: Tx, posting: WaitingRow): Promise<{ id: string }> {
  const now = engine.clock.now();
  const { id, plan_hash: planHash } = posting;
  assertMove(posting.status, 'READY');
  await tx.execute(
    `update postings set status = 'READY', approved_by = $3, approved_key = $4, approved_at = $5, approved_plan_hash = $6,
       updated_at = $5 where tenant_id = $1 and id = $2`,
    [tx.tenantId, id, caller.actor, identityOf(caller), now, planHash],
  );
  recordFor(tx, caller, now, {
    action: 'posting.approved',
    subjectType: 'GlPosting',
    subjectId: id,
    summary: `${posting.description}: approved.`,
    before: { status: posting.status },
    after: { status: 'READY', planHash, keyId: caller.keyId },
    posting: { pipelineId: posting.pipeline_id, from: posting.status, to: 'READY' },
  });
  await engine.jobs.send(tx, 'ledger.drain', { tenantId: tx.tenantId, ledgerId: posting.ledger_id });
  return { id };
}

// ── why not ──────────────────────────────────────────────────────────────────────────────────

/** To an approval of something that does not wait for one. Approving twice what one approved is the same approval. */
function answerLate(posting: WaitingRow, caller: Caller, planHash: string): Outcome<{ id: string }> {
  const isOwn = posting.approved_by !== null && posting.approved_key === identityOf(caller);
  if (isOwn && posting.approved_plan_hash === planHash) return done({ id: posting.id });
  const by = posting.approved_by === null ? '' : ` It was approved by ${posting.approved_by}.`;
  return refused('NOT_AWAITING_APPROVAL', `A posting that is ${posting.status} cannot be approved.${by}`, {
    path: ['id'],
    resolution:
      posting.status === 'HELD'
        ? 'Resolve what it is held for; then it waits for approval again.'
        : 'Nothing is left to approve.',
  });
}

/** The key may have ended between the request and this moment. */
async function keyObjection(tx: Tx, engine: Engine, caller: Caller): Promise<Refusal | null> {
  if (caller.keyId === null) return null;
  const rows = await tx.query(
    `select 1 from api_keys where tenant_id = $1 and id = $2 and revoked_at is null
       and (expires_at is null or expires_at > $3) for share`,
    [tx.tenantId, caller.keyId, engine.clock.now()],
  );
  if (rows.length > 0) return null;
  return refused('KEY_ENDED', 'The key was revoked or has expired.', { resolution: 'Use a key that is in force.' });
}

const DEEDS: Readonly<Record<Deed, string>> = {
  SYNC: 'asked for the sync that led to this posting',
  REPLAY: 'replayed this posting',
  INCLUDE: 'included one of its purchases again',
  REVERSE: 'asked for this reversal',
  VENDOR: 'decided which supplier one of its purchases is from',
};

async function handObjection(tx: Tx, caller: Caller, posting: WaitingRow): Promise<Refusal | null> {
  const deed = await deedOf(tx, caller, posting);
  if (deed === null) return null;
  return refused('SAME_KEY', `The same key ${DEEDS[deed]}, so it cannot approve it.`, {
    resolution: 'Let another person approve it with a key of their own.',
  });
}

function busy(): Refusal {
  return refused('LEDGER_BUSY', 'Another document of its purchases is at the ledger this moment.', {
    path: ['id'],
    resolution: 'Approve it when the ledger has answered for that one.',
  });
}

const LOOK_AGAIN = 'Read the posting again and approve what it says now.';

function planChanged(message: string, code = 'PLAN_CHANGED'): Refusal {
  return refused(code, message, { path: ['planHash'], resolution: LOOK_AGAIN });
}

/** What became of the plan since it was looked at, as a refusal; null = nothing. */
function changeOf(before: WaitingRow, now: WaitingRow): Refusal | null {
  const [hold] = now.holds;
  if (now.status === 'HELD' && hold) {
    return refused(hold.code, `It is held since it was shown. ${hold.message}`, {
      path: ['id'],
      resolution: `${hold.resolution} It waits for approval again then.`,
    });
  }
  if (now.status === 'CANCELLED') {
    return planChanged(`It is not posted any more. ${now.cancel_reason ?? ''}`.trim());
  }
  if (now.posting_date !== before.posting_date) {
    return planChanged(
      `It would be posted on ${now.posting_date} now instead of ${before.posting_date}: the ledger's periods or the day changed.`,
      'PERIOD_CHANGED',
    );
  }
  if (now.mapping_version !== before.mapping_version) {
    return planChanged(
      `Mapping version ${now.mapping_version ?? 'none'} holds for it now; it was shown with version ${before.mapping_version ?? 'none'}.`,
      'MAPPING_CHANGED',
    );
  }
  if (now.status === 'READY')
    return refused('NOT_AWAITING_APPROVAL', 'It needs no approval any more.', { path: ['id'] });
  if (now.plan_hash === before.plan_hash && now.status === 'AWAITING_APPROVAL') return null;
  if (now.total !== before.total || now.currency !== before.currency) {
    return planChanged(`It is over ${now.total} ${now.currency} now instead of ${before.total} ${before.currency}.`);
  }
  if (now.supplier_code !== before.supplier_code) {
    const [is, was] = [now.supplier_code ?? 'no supplier', before.supplier_code ?? 'no supplier'];
    return planChanged(`It is for ${is} now instead of ${was}.`, 'SUPPLIER_CHANGED');
  }
  return planChanged('Its purchase, its coding or the pipeline changed since it was shown.');
}
