import type { LocalDate } from '../domain/localDate.js';
import type { PostingStatus } from '../domain/postingState.js';
import { accountingHashOf, unifiedFromJson } from '../domain/spendJson.js';
import type { SpendStatus } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import type { PipelineRow } from './pipelines.js';
import type { PostingHead } from './postingStore.js';

/** What waits to be planned, and what has to be planned together with it. */

/** States of documents that no ledger has seen, or that it refused. */
export const UNSENT: readonly PostingStatus[] = ['PLANNED', 'HELD', 'AWAITING_APPROVAL', 'READY', 'REJECTED'];

/** A purchase on its way into planning. */
export interface QueuedRecord {
  id: string;
  origin_key: string;
  correlation_id: string;
  merchant_key: string | null;
  merchant_name: string | null;
  unified: unknown;
  excluded_by: string | null;
  excluded_reason: string | null;
  status: SpendStatus;
}

/**
 * A document of many purchases that is planned again for one of them is planned again for all: the others join the queue,
 * or they would be left behind with a document that was given up.
 */
export async function queueSiblings(tx: Tx, pipelineId: string, take: number): Promise<void> {
  await tx.execute(
    `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
     select distinct on (other.spend_record_id) $1, $2, other.spend_record_id, 'its document is planned again', q.correlation_id
     from (
       select q.spend_record_id, q.correlation_id from planning_queue q
       join spend_records r on r.tenant_id = q.tenant_id and r.id = q.spend_record_id
       where q.tenant_id = $1 and q.pipeline_id = $2 order by r.transaction_date, r.id limit $3
     ) q
     join posting_spend own on own.tenant_id = $1 and own.spend_record_id = q.spend_record_id
     join postings p on p.tenant_id = $1 and p.id = own.posting_id and p.pipeline_id = $2 and p.reverses_id is null
       and p.status = any($4)
     join posting_spend other on other.tenant_id = $1 and other.posting_id = p.id
       and other.spend_record_id <> q.spend_record_id
     on conflict (tenant_id, pipeline_id, spend_record_id) do nothing`,
    [tx.tenantId, pipelineId, take, UNSENT],
  );
}

/** Puts the purchases of a posting into the queue, with those that have to be planned together with them. @returns all of these. */
export async function queuePosting(
  tx: Tx,
  posting: { readonly id: string; readonly pipeline_id: string; readonly correlation_id: string },
  reason: string,
): Promise<string[]> {
  const rows = await tx.query<{ spend_record_id: string }>(
    `select spend_record_id from posting_spend where tenant_id = $1 and posting_id = $2
     union
     select other.spend_record_id from posting_spend mine
     join posting_spend own on own.tenant_id = $1 and own.spend_record_id = mine.spend_record_id
     join postings p on p.tenant_id = $1 and p.id = own.posting_id and p.pipeline_id = $3 and p.reverses_id is null
       and p.status = any($4)
     join posting_spend other on other.tenant_id = $1 and other.posting_id = p.id
     where mine.tenant_id = $1 and mine.posting_id = $2`,
    [tx.tenantId, posting.id, posting.pipeline_id, UNSENT],
  );
  const ids = rows.map((row) => row.spend_record_id);
  await tx.execute(
    `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
     select $1, $2, unnest($3::text[]), $4, $5
     on conflict (tenant_id, pipeline_id, spend_record_id) do nothing`,
    [tx.tenantId, posting.pipeline_id, ids, reason, posting.correlation_id],
  );
  return ids;
}

/** @param only takes no others than these; null = all that waits. */
export async function takeRecords(
  tx: Tx,
  pipelineId: string,
  take: number,
  only: readonly string[] | null = null,
): Promise<QueuedRecord[]> {
  return tx.query<QueuedRecord>(
    `select r.id, r.origin_key, q.correlation_id, r.merchant_key, r.merchant_name, r.unified, r.excluded_by,
       r.excluded_reason, r.status
     from planning_queue q join spend_records r on r.tenant_id = q.tenant_id and r.id = q.spend_record_id
     where q.tenant_id = $1 and q.pipeline_id = $2 and ($4::text[] is null or q.spend_record_id = any($4))
     order by r.transaction_date, r.id limit $3 for update of q skip locked`,
    [tx.tenantId, pipelineId, take, only],
  );
}

export function merchantsOf(records: readonly QueuedRecord[]): Map<string, string> {
  const merchants = new Map<string, string>();
  for (const { merchant_key, merchant_name, unified } of records) {
    const descriptor = (unified as { merchantDescriptor: string | null }).merchantDescriptor;
    if (merchant_key !== null && !merchants.has(merchant_key))
      merchants.set(merchant_key, descriptor ?? merchant_name ?? merchant_key);
  }
  return merchants;
}

export async function leaveQueue(
  tx: Tx,
  pipelineId: string,
  records: readonly QueuedRecord[],
  postponed: ReadonlySet<string>,
): Promise<void> {
  const finished = records.filter((record) => !postponed.has(record.id)).map((record) => record.id);
  await tx.execute(
    'delete from planning_queue where tenant_id = $1 and pipeline_id = $2 and spend_record_id = any($3)',
    [tx.tenantId, pipelineId, finished],
  );
}

/**
 * The other purchases of those days that one of the taken purchases changed after they were posted, or whose correction
 * waits: a document of many is turned round and made anew for all of them together.
 * @param postings of the taken purchases, by purchase.
 */
export async function othersOfCorrectedDays(
  tx: Tx,
  taken: readonly QueuedRecord[],
  postings: ReadonlyMap<string, readonly PostingHead[]>,
): Promise<QueuedRecord[]> {
  const days = taken.flatMap((record) => {
    const shared = (postings.get(record.id) ?? []).filter(
      (one) =>
        one.status === 'POSTED' && one.reverses_id === null && one.reversed_by_id === null && one.record_count > 1,
    );
    const hash = shared.length > 0 ? accountingHashOf(unifiedFromJson(record.unified)) : '';
    return shared.map((one) => ({ id: one.id, isChanged: one.accounting_hash !== hash }));
  });
  if (days.length === 0) return [];
  const changed = days.filter(({ isChanged }) => isChanged).map(({ id }) => id);
  return tx.query<QueuedRecord>(
    `select distinct on (r.id) r.id, r.origin_key, r.correlation_id, r.merchant_key, r.merchant_name, r.unified,
       r.excluded_by, r.excluded_reason, r.status
     from posting_spend ps join spend_records r on r.tenant_id = ps.tenant_id and r.id = ps.spend_record_id
     where ps.tenant_id = $1 and r.id <> all($4) and (ps.posting_id = any($2)
       -- What kept the correction of a day waiting may be the taken purchase, which is as it was posted again.
       or ps.posting_id in (select w.posting_id from posting_spend w
         join spend_records x on x.tenant_id = w.tenant_id and x.id = w.spend_record_id
         where w.tenant_id = $1 and w.posting_id = any($3) and x.waiting_reason is not null))`,
    [tx.tenantId, changed, days.map(({ id }) => id), taken.map((record) => record.id)],
  );
}

/** Puts back what waited for the end of a day that is over now. */
export async function queueEndedDays(tx: Tx, pipeline: PipelineRow, today: LocalDate): Promise<void> {
  await tx.execute(
    `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
     select $1, $2, id, 'its day is over', correlation_id from spend_records
     where tenant_id = $1 and source_id = $3 and waiting_until <= $4 and status in ('NEW', 'POSTED', 'CORRECTED')
     on conflict (tenant_id, pipeline_id, spend_record_id) do nothing`,
    [tx.tenantId, pipeline.id, pipeline.source_id, today],
  );
}
