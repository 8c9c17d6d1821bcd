import type { Tx } from '../entities/database.js';
import { settleAlert } from './alerts.js';
import type { Engine } from './engine.js';

/**
 * Whether the pushes that are woken look at the source in any case, or only when master data or settings are others than
 * those they pushed last. IF_FAILED = in any case where the last push failed.
 */
export type LookAgain = 'ALWAYS' | 'IF_FAILED' | 'IF_CHANGED';

/**
 * To be called in the transaction that changes what is pushed to a source: the ledger's master data, the settings, a
 * person's decision on a vendor.
 * @param of the id of a pipeline, or of the ledger or the source whose pipelines are meant.
 */
export async function wakeMasterData(
  engine: Pick<Engine, 'jobs' | 'clock'>,
  tx: Tx,
  of: string,
  lookAgain: LookAgain,
): Promise<void> {
  const rows = await tx.query<{ pipeline_id: string }>(
    `insert into master_data_exports as e (tenant_id, pipeline_id)
     select tenant_id, id from pipelines
     where tenant_id = $1 and $2 in (id, ledger_id, source_id) and enabled and export_master_data
     order by id
     on conflict (tenant_id, pipeline_id) do update
     set asked = e.asked + case when $3 = 'IF_CHANGED' then 0 else 1 end,
       due_at = case when $3 = 'ALWAYS' or ($3 = 'IF_FAILED' and e.last_error is not null) then $4 else e.due_at end
     returning pipeline_id`,
    [tx.tenantId, of, lookAgain, engine.clock.now()],
  );
  for (const { pipeline_id: pipelineId } of rows) {
    await engine.jobs.send(tx, 'source.masterData', { tenantId: tx.tenantId, pipelineId });
  }
}

interface Push {
  /** The pipeline's. */
  readonly id: string;
  readonly sourceId: string;
  readonly ledgerId: string;
}

export function pushAlertKey({ id }: Pick<Push, 'id'>): string {
  return `masterData:${id}`;
}

export function conflictAlertKey({ sourceId, ledgerId }: Pick<Push, 'sourceId' | 'ledgerId'>): string {
  return `vendorConflict:${sourceId}:${ledgerId}`;
}

/** Nothing is pushed any more, so nobody has to see to it. */
export async function settleMasterDataAlerts(tx: Tx, now: Date, push: Push, actor: string): Promise<void> {
  await settleAlert(tx, now, pushAlertKey(push), actor);
  const others = await tx.query(
    `select 1 from pipelines where tenant_id = $1 and source_id = $2 and ledger_id = $3 and id <> $4 and enabled
       and export_master_data limit 1`,
    [tx.tenantId, push.sourceId, push.ledgerId, push.id],
  );
  if (others.length === 0) await settleAlert(tx, now, conflictAlertKey(push), actor);
}
