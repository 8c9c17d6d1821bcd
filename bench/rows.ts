import type * as Engine from '../src/services/engine.js';
import type * as Planning from '../src/services/syncRunner.js';
import type * as Syncs from '../src/services/syncs.js';
import type { BenchGround } from './ground.js';

export const TENANT = 'default';

/** Reads and plans the simulated month for real; nothing is sent. */
export async function planMonth(ground: BenchGround): Promise<void> {
  const { triggerSync } = await ground.load<typeof Syncs>('services/syncs.js');
  const { runSync } = await ground.load<typeof Planning>('services/syncRunner.js');
  const caller: Engine.Caller = {
    tenantId: TENANT,
    actor: 'system:bench',
    keyId: null,
    role: 'ADMIN',
    correlationId: 'bench',
  };
  const { engine } = ground.app;
  const run = await triggerSync(engine, caller, { pipelineId: ground.flow.pipelineId, dryRun: false });
  if (!run.ok) throw new Error(JSON.stringify(run.problems));
  await runSync(engine, TENANT, run.value.id, { isStopping: () => false });
}

/** How many rows one statement copies: planned postings, with their lines, under names of their own. */
const CLONES = `
  with originals as (
    select p.*, row_number() over (order by p.id) as place, count(*) over () as places
    from postings p where p.tenant_id = $1 and p.status = 'READY' and p.id not like 'post_bench%'
  ), made as (
    select o.id as original, 'post_bench' || $2 || lpad(n::text, 8, '0') as id,
      'B' || $2 || lpad(n::text, 8, '0') as reference, n
    from generate_series(1, $3::int) n join originals o on o.place = 1 + (n % o.places)
  ), heads as (
    insert into postings (tenant_id, id, pipeline_id, ledger_id, status, document_type, reference, plan_hash, posting_date,
      first_planned_for, period_key, currency, total, description, holds, correlation_id, triggered_by, created_at,
      updated_at, ledger_document_id, posted_at)
    select p.tenant_id, m.id, p.pipeline_id, p.ledger_id, $4, p.document_type, m.reference, p.plan_hash, p.posting_date,
      p.first_planned_for, p.period_key, p.currency, p.total, p.description, p.holds, p.correlation_id, p.triggered_by,
      now(), now(), case when $4 = 'POSTED' then m.reference end, case when $4 = 'POSTED' then now() end
    from made m join postings p on p.tenant_id = $1 and p.id = m.original
  ), lines as (
    insert into posting_lines (tenant_id, posting_id, line_number, role, gl_account, cost_centre, dimensions, tax_code, debit,
      credit, memo, spend_record_ids, explanation)
    select l.tenant_id, m.id, l.line_number, l.role, l.gl_account, l.cost_centre, l.dimensions, l.tax_code, l.debit,
      l.credit, l.memo, l.spend_record_ids, l.explanation
    from made m join posting_lines l on l.tenant_id = $1 and l.posting_id = m.original
  )
  insert into posting_spend (tenant_id, posting_id, spend_record_id, revision, amount, accounting_hash)
  select s.tenant_id, m.id, s.spend_record_id, s.revision, s.amount, s.accounting_hash
  from made m join posting_spend s on s.tenant_id = $1 and s.posting_id = m.original`;

/** More postings of the same kind, without another purchase behind each: their heads and lines are what is measured. */
export async function copyPostings(
  ground: BenchGround,
  letter: string,
  count: number,
  status: 'READY' | 'POSTED',
): Promise<void> {
  const client = await ground.pool.connect();
  try {
    // Foreign keys of rows that one statement makes together hold at its end, in whatever order it makes them.
    await client.query(CLONES, [TENANT, letter, count, status]);
    await client.query('vacuum analyze postings, posting_lines, posting_spend');
  } catch (error) {
    throw new Error('The postings could not be copied.', { cause: error });
  } finally {
    client.release();
  }
}
