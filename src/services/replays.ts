import type { PostingStatus } from '../domain/postingState.js';
import type { Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import { rememberNoDuplicates } from './duplicates.js';
import type { Caller, Engine } from './engine.js';
import { involve } from './involvement.js';
import { done, type Outcome, refused } from './outcome.js';
import { triggerSync } from './syncs.js';
import type { PostingFilter } from './useCases.js';

/** A posting as a replay sees it. */
export interface ReplayRow {
  id: string;
  pipeline_id: string;
  ledger_id: string;
  status: PostingStatus;
  description: string;
  currency: string;
  total: string;
  posting_date: string;
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
    const [posting] = await tx.query<ReplayRow>('select * from postings where tenant_id = $1 and id = $2 for update', [
      tx.tenantId,
      id,
    ]);
    if (!posting) return refused('NOT_FOUND', 'There is no such posting.', { path: ['id'] });
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

export const REPLAYABLE: readonly PostingStatus[] = ['HELD', 'REJECTED', 'IN_DOUBT'];

/** Replays all that fits the filter, in one step; answers with how many and with the run that plans them. */
export async function replayPostings(
  engine: Engine,
  caller: Caller,
  filter: PostingFilter,
  note: string | null,
): Promise<Outcome<{ count: number; runId: string | null }>> {
  const wanted = (filter.statuses ?? REPLAYABLE) as readonly PostingStatus[];
  const other = wanted.filter((status) => !REPLAYABLE.includes(status));
  if (other.length > 0) {
    return refused('NOT_REPLAYABLE', `Postings that are ${other.join(', ')} cannot be replayed.`, {
      path: ['filter', 'statuses'],
      resolution: 'Leave statuses out, or name HELD, REJECTED or IN_DOUBT.',
    });
  }
  const found = await engine.db.tenant(caller.tenantId, async (tx) => {
    const postings = await selectPostings(tx, filter, wanted, 'for update');
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

/** The postings in these states that fit the filter, oldest first. */
export function selectPostings(
  tx: Tx,
  filter: PostingFilter,
  statuses: readonly PostingStatus[],
  lock: '' | 'for update' = '',
): Promise<ReplayRow[]> {
  return tx.query<ReplayRow>(
    `select id, pipeline_id, ledger_id, status, description, currency, total, posting_date from postings p
     where tenant_id = $1 and status = any($2)
       and ($3::text is null or pipeline_id = $3) and ($4::text is null or ledger_id = $4)
       and ($5::date is null or posting_date >= $5) and ($6::date is null or posting_date <= $6)
       and ($7::text is null or reference = $7) and ($8::text is null or ledger_document_id = $8)
       and ($9::text[] is null or exists (select from jsonb_array_elements(p.holds) h where h ->> 'code' = any($9)))
     order by id ${lock}`,
    [
      tx.tenantId,
      statuses,
      filter.pipelineId ?? null,
      filter.ledgerId ?? null,
      filter.from ?? null,
      filter.to ?? null,
      filter.reference ?? null,
      filter.ledgerDocumentId ?? null,
      filter.holdCodes ?? null,
    ],
  );
}

/** What a replay does to the postings, in the caller's transaction; the jobs that it makes necessary do the rest. */
export async function replayThese(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  postings: readonly ReplayRow[],
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
  await involveReplay(tx, caller, now, planned);
  for (const pipelineId of new Set(planned.map((posting) => posting.pipeline_id))) {
    await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId });
  }
  for (const ledgerId of new Set(doubtful.map((posting) => posting.ledger_id))) {
    await engine.jobs.send(tx, 'ledger.drain', { tenantId: tx.tenantId, ledgerId });
  }
}

/** Also by the purchases: planned again, they may be carried by another document. */
async function involveReplay(tx: Tx, caller: Caller, now: Date, postings: readonly ReplayRow[]): Promise<void> {
  const ids = postings.map((posting) => posting.id);
  const rows = await tx.query<{ spend_record_id: string }>(
    'select distinct spend_record_id from posting_spend where tenant_id = $1 and posting_id = any($2)',
    [tx.tenantId, ids],
  );
  await involve(tx, caller, now, 'REPLAY', [...ids, ...rows.map((row) => row.spend_record_id)]);
}
