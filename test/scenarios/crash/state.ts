import type { World } from './world.js';

const REASON_MAX = 400;

/** What the gateway says of work that is not done, for a person: `12 × HELD: MAPPING_MISSING …`. */
export async function unfinishedOf(world: Pick<World, 'sql'>): Promise<string[]> {
  const rows = await world.sql<{ what: string; count: number }>(
    `select what, count(*)::int as count from (
       select p.status || coalesce(': ' || (p.holds->0->>'code') || ' ' || (p.holds->0->>'message'), '') as what
         from postings p where p.status not in ('POSTED', 'REVERSED')
       union all
       select 'alert ' || a.code || ': ' || a.message from alerts a where a.resolved_at is null
       union all
       select 'run ' || r.status || coalesce(': ' || r.error, '') from sync_runs r where r.status not in ('SUCCEEDED')
     ) as all_of_it group by what order by count desc, what`,
  );
  return rows.map(({ what, count }) => `${String(count).padStart(5)} × ${what.slice(0, REASON_MAX)}`);
}

/** The jobs that are not done, with when each is due: `ledger.drain retry, 3 retries, due in 12.0 s`. */
export async function waitingJobsOf(world: Pick<World, 'sql'>): Promise<string[]> {
  const rows = await world.sql<{ name: string; state: string; retries: number; due: string }>(
    `select name, state, retry_count as retries, round(extract(epoch from start_after - now())::numeric, 1)::text as due
       from pgboss.job where state in ('created', 'retry', 'active') order by name, start_after limit 20`,
  );
  return rows.map(({ name, state, retries, due }) => `job ${name} ${state}, ${retries} retries, due in ${due} s`);
}
