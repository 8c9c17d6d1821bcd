import type { Caller, Engine } from './engine.js';
import { triggerSync } from './syncs.js';

/**
 * A pipeline's fire time has come. The first process to say so starts the run; the others find the row.
 * @returns whether this process was the first.
 */
export async function fireSchedule(
  engine: Engine,
  tenantId: string,
  pipelineId: string,
  firedAt: Date,
): Promise<boolean> {
  const fireAt = new Date(Math.floor(firedAt.getTime() / 1_000) * 1_000);
  const isFirst = await engine.db.tenant(tenantId, (tx) =>
    tx.execute(
      'insert into schedule_fires (tenant_id, pipeline_id, fire_at) values ($1, $2, $3) on conflict do nothing',
      [tenantId, pipelineId, fireAt],
    ),
  );
  if (isFirst === 0) return false;
  const caller: Caller = {
    tenantId,
    actor: 'system:scheduler',
    keyId: null,
    role: 'OPERATOR',
    correlationId: `schedule:${pipelineId}:${fireAt.toISOString()}`,
  };
  await triggerSync(engine, caller, { pipelineId, dryRun: false, trigger: 'SCHEDULE' });
  return true;
}

/** How long the fire times of the past are kept; only the newest can be asked for again. */
const FIRES_KEPT_DAYS = 7;

/**
 * The safety net under the queue: whatever is due and has no job gets one. Every job is enqueued with the change that needs
 * it, so this finds something only after jobs were deleted by hand or restored from a backup older than the queue.
 */
export async function sweep(engine: Engine): Promise<void> {
  const due = await engine.db.engine((tx) =>
    tx.query<{ tenant_id: string; kind: 'drain' | 'plan' | 'report' | 'masterData' | 'run'; id: string }>(
      `select distinct tenant_id, 'drain' as kind, ledger_id as id from postings
         where status in ('READY', 'POSTING', 'IN_DOUBT') and coalesce(greatest(next_attempt_at, lease_until), updated_at) < now() - interval '1 minute'
           or next_attempt_at < now() - interval '1 minute' and (lease_until is null or lease_until < now())
       union all
       select distinct q.tenant_id, 'plan', q.pipeline_id from planning_queue q
         where not exists (select from sync_runs r where r.tenant_id = q.tenant_id and r.pipeline_id = q.pipeline_id
           and r.status in ('QUEUED', 'RUNNING') and r.planned_at is null)
         and not exists (select from postings p join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
           where p.tenant_id = q.tenant_id and p.pipeline_id = q.pipeline_id and ps.spend_record_id = q.spend_record_id
           and p.status in ('POSTING', 'IN_DOUBT'))
       union all
       select distinct tenant_id, 'report', source_id from source_exports
         where state = 'PENDING' and next_attempt_at < now() - interval '1 minute'
       union all
       select e.tenant_id, 'masterData', e.pipeline_id from master_data_exports e
         join pipelines p on p.tenant_id = e.tenant_id and p.id = e.pipeline_id and p.enabled and p.export_master_data
         where e.due_at < now() - interval '1 minute' and (e.lease_until is null or e.lease_until < now())
       union all
       select tenant_id, 'run', id from sync_runs
         where status in ('QUEUED', 'RUNNING') and planned_at is null and created_at < now() - interval '1 minute'`,
    ),
  );
  for (const { tenant_id: tenantId, kind, id } of due) {
    await engine.db.tenant(tenantId, async (tx) => {
      if (kind === 'drain') await engine.jobs.send(tx, 'ledger.drain', { tenantId, ledgerId: id });
      else if (kind === 'plan') await engine.jobs.send(tx, 'plan.pipeline', { tenantId, pipelineId: id });
      else if (kind === 'report') await engine.jobs.send(tx, 'source.report', { tenantId, sourceId: id });
      else if (kind === 'masterData') await engine.jobs.send(tx, 'source.masterData', { tenantId, pipelineId: id });
      else await engine.jobs.send(tx, 'sync.run', { tenantId, runId: id });
    });
  }
  await engine.db.engine((tx) =>
    tx.execute(`delete from schedule_fires where fire_at < now() - make_interval(days => $1)`, [FIRES_KEPT_DAYS]),
  );
}
