import type { Tx } from '../entities/database.js';
import type { Caller } from './engine.js';

/** What a key did that leads to a posting. */
export type Deed = 'SYNC' | 'REPLAY' | 'INCLUDE' | 'REVERSE' | 'VENDOR';

/**
 * Keys are told apart by id, and people who logged in by their issuer's id: two of one name are two, and one that is given
 * another name stays the one it was.
 */
export function identityOf(caller: Pick<Caller, 'keyId' | 'identity' | 'actor'>): string {
  return caller.keyId ?? caller.identity ?? caller.actor;
}

/** Schedules, webhooks and the program itself ask for nothing on anybody's behalf. */
const NOBODY = /^(system|webhook):/;

/**
 * Remembers that a key asked for something, in the transaction that does it: whoever had a hand in a posting cannot
 * approve it.
 * @param subjects ids of sync runs, spend records or postings.
 */
export async function involve(
  tx: Tx,
  caller: Caller,
  now: Date,
  deed: Deed,
  subjects: readonly string[],
): Promise<void> {
  if (subjects.length === 0 || (caller.keyId === null && NOBODY.test(caller.actor))) return;
  await tx.execute(
    `insert into involvements (tenant_id, subject_id, key_id, deed, at)
     select $1, subject, $3, $4, $5 from (select distinct unnest($2::text[]) as subject) s order by subject
     on conflict (tenant_id, subject_id, key_id, deed) do update set at = excluded.at`,
    [tx.tenantId, [...subjects], identityOf(caller), deed, now],
  );
}

/**
 * Who asked for a run had a hand in what it plans, also after others planned that again. What is planned while a run of
 * the pipeline is under way may be what that run read, whichever job came to it first.
 */
export async function involveRunners(
  tx: Tx,
  now: Date,
  pipelineId: string,
  runId: string | null,
  postingIds: readonly string[],
): Promise<void> {
  if (postingIds.length === 0) return;
  await tx.execute(
    `insert into involvements (tenant_id, subject_id, key_id, deed, at)
     select distinct $1, p.id, i.key_id, i.deed, $5::timestamptz
     from involvements i cross join unnest($4::text[]) as p(id)
     where i.tenant_id = $1 and (i.subject_id = $3 or i.subject_id in (select id from sync_runs
       where tenant_id = $1 and pipeline_id = $2 and status = 'RUNNING' and not dry_run))
     on conflict (tenant_id, subject_id, key_id, deed) do nothing`,
    [tx.tenantId, pipelineId, runId, [...postingIds], now],
  );
}

/**
 * What this key did that led to the posting as it stands; null = nothing. Deeds on its purchases count from the last time
 * that they were posted: what led to an earlier document is settled.
 */
export async function deedOf(
  tx: Tx,
  caller: Caller,
  posting: { readonly id: string; readonly run_id: string | null },
): Promise<Deed | null> {
  const [row] = await tx.query<{ deed: Deed }>(
    `select i.deed from involvements i
     where i.tenant_id = $1 and i.key_id = $2 and (i.subject_id = $3 or i.subject_id = $4
       or exists (select from posting_spend ps where ps.tenant_id = $1 and ps.posting_id = $3
         and ps.spend_record_id = i.subject_id
         and i.at > coalesce((select max(o.posted_at) from posting_spend os
           join postings o on o.tenant_id = os.tenant_id and o.id = os.posting_id
           where os.tenant_id = $1 and os.spend_record_id = i.subject_id and o.id <> $3 and o.reverses_id is null),
           '-infinity')))
     order by i.at desc limit 1`,
    [tx.tenantId, identityOf(caller), posting.id, posting.run_id],
  );
  return row?.deed ?? null;
}
