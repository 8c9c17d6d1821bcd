import { type DuplicateRule, type Planned, suspectedDuplicate, twinsAmong } from '../domain/duplicates.js';
import { idOfKey } from '../domain/identity.js';
import type { LocalDate } from '../domain/localDate.js';
import { moneyFromDecimal } from '../domain/money.js';
import type { PostingStatus } from '../domain/postingState.js';
import type { Hold } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import type { PipelineRow } from './pipelines.js';

/** Documents that are in the ledger or will be without a person. What is held for another reason is nobody's twin yet. */
const GOING: readonly PostingStatus[] = ['PLANNED', 'AWAITING_APPROVAL', 'READY', 'POSTING', 'IN_DOUBT', 'POSTED'];

/** Merchant, currency, amount and day of spend record `r`: what a person's word is remembered for. */
const FINGERPRINT = `concat_ws('|', r.merchant_key, r.currency, trim_scale(r.amount)::text, to_char(r.transaction_date, 'YYYY-MM-DD'))`;

interface FactRow {
  id: string;
  origin_key: string;
  source_name: string;
  merchant_key: string | null;
  merchant_name: string | null;
  amount: string;
  currency: string;
  transaction_date: LocalDate;
  spender: string | null;
  created_at: Date;
  is_cleared: boolean;
  is_booked: boolean;
  is_going: boolean;
  told_apart_from: string[];
}

interface TwinRow {
  id: string;
  twin_id: string;
  origin_key: string;
  source_name: string;
  merchant_name: string | null;
  amount: string;
  currency: string;
  transaction_date: LocalDate;
  reference: string;
  ledger_document_id: string | null;
  status: PostingStatus;
}

/**
 * The holds of those purchases that look like another one of the same ledger, by purchase. To be called in the
 * transaction that stores their plans: until it ends, no other worker decides about purchases of this ledger, so that of
 * two that arrive at once one sees the other.
 * @param ids purchases that are planned now; what their documents were before does not count.
 * @param wouldGo whether nothing else keeps a purchase from being posted.
 */
export async function suspectedDuplicates(
  tx: Tx,
  pipeline: PipelineRow,
  ids: readonly string[],
  wouldGo: (id: string) => boolean,
): Promise<Map<string, Hold>> {
  const holds = new Map<string, Hold>();
  if (pipeline.duplicate_check === 'OFF' || ids.length === 0) return holds;
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `twins:${tx.tenantId}:${pipeline.ledger_id}`,
  ]);
  const rule: DuplicateRule = {
    check: pipeline.duplicate_check,
    days: pipeline.duplicate_days,
    importDays: pipeline.duplicate_import_days,
  };
  const looked = await thoseWithLookalikes(tx, pipeline, ids);
  if (looked.length === 0) return holds;
  for (const twin of await twinsInLedger(tx, pipeline, ids, looked)) {
    const { reference, status, ledger_document_id: ledgerDocumentId } = twin;
    holds.set(twin.id, holdOf(twin.twin_id, twin, { reference, status, ledgerDocumentId }));
  }
  const facts = await factsOf(tx, pipeline, looked);
  const byId = new Map(facts.map((fact) => [fact.id, fact]));
  const planned = facts.map((fact) => plannedOf(fact, holds.has(fact.id)));
  for (const [id, twinId] of twinsAmong(planned, rule, wouldGo)) {
    const twin = byId.get(twinId);
    if (twin && !holds.has(id)) holds.set(id, holdOf(twinId, twin, null));
  }
  return holds;
}

function holdOf(
  id: string,
  twin: Pick<FactRow, 'origin_key' | 'source_name' | 'merchant_name' | 'amount' | 'currency' | 'transaction_date'>,
  document: { reference: string; status: PostingStatus; ledgerDocumentId: string | null } | null,
): Hold {
  return suspectedDuplicate({
    id,
    sourceName: twin.source_name,
    sourceId: idOfKey(twin.origin_key),
    transactionDate: twin.transaction_date,
    ...moneyFromDecimal(twin.amount, twin.currency),
    merchantName: twin.merchant_name,
    document,
  });
}

function plannedOf(fact: FactRow, isSuspected: boolean): Planned {
  return {
    id: fact.id,
    merchantKey: fact.merchant_key,
    ...moneyFromDecimal(fact.amount, fact.currency),
    transactionDate: fact.transaction_date,
    spender: fact.spender,
    firstSeenMs: fact.created_at.getTime(),
    standing: fact.is_booked ? 0 : fact.is_going ? 1 : 2,
    isCleared: fact.is_cleared || fact.is_booked,
    toldApartFrom: new Set(fact.told_apart_from),
    isSuspected,
  };
}

/** Whether purchase `r` is in the ledger ($2) with the amount that it has now: then it is nobody's second copy. */
const IS_BOOKED = `coalesce((select sum(bs.amount) = r.amount from posting_spend bs
    join postings b on b.tenant_id = bs.tenant_id and b.id = bs.posting_id
    where bs.tenant_id = $1 and bs.spend_record_id = r.id and b.ledger_id = $2 and b.status = 'POSTED'
      and b.reverses_id is null), false)`;

const IS_CLEARED = `exists (select from duplicate_clearances c where c.tenant_id = $1 and c.ledger_id = $2
    and c.spend_record_id = r.id and c.fingerprint = ${FINGERPRINT})`;

async function factsOf(tx: Tx, pipeline: PipelineRow, ids: readonly string[]): Promise<FactRow[]> {
  return tx.query<FactRow>(
    `select r.id, r.origin_key, s.name as source_name, r.merchant_key, r.merchant_name, r.amount, r.currency,
       r.transaction_date, r.unified ->> 'spender' as spender, r.created_at,
       ${IS_CLEARED} as is_cleared, ${IS_BOOKED} as is_booked,
       exists (select from posting_spend gs join postings g on g.tenant_id = gs.tenant_id and g.id = gs.posting_id
         where gs.tenant_id = $1 and gs.spend_record_id = r.id and g.ledger_id = $2 and g.reverses_id is null
           and g.status = any($4)) as is_going,
       array(select c.twin_id from duplicate_clearances c where c.tenant_id = $1 and c.ledger_id = $2
         and c.spend_record_id = r.id) as told_apart_from
     from spend_records r join systems s on s.tenant_id = r.tenant_id and s.id = r.source_id
     where r.tenant_id = $1 and r.id = any($3)`,
    [tx.tenantId, pipeline.ledger_id, ids, GOING],
  );
}

/**
 * Those of the purchases of which another one with the same look was brought another way. Of thousands of equal purchases
 * that came with one import none is; to compare them pair by pair would take minutes.
 */
async function thoseWithLookalikes(tx: Tx, pipeline: PipelineRow, ids: readonly string[]): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    // Each step by itself: put together, fresh tables get a plan that counts the group anew for every purchase in it.
    `with mine as materialized (
       select id, merchant_key, currency, amount, transaction_date from spend_records
       where tenant_id = $1 and id = any($2) and merchant_key is not null and amount <> 0
     ), looks as materialized (select distinct merchant_key, currency, amount, transaction_date from mine
     ), groups as materialized (
       select l.*, g.* from looks l cross join lateral (
         select count(*) as count, min(t.source_id) <> max(t.source_id) as from_several,
           extract(epoch from max(t.created_at) - min(t.created_at)) as seconds
         from spend_records t
         where t.tenant_id = $1 and t.merchant_key = l.merchant_key and t.currency = l.currency and t.amount = l.amount
           and t.transaction_date between l.transaction_date - $3::int and l.transaction_date + $3::int
       ) g)
     select m.id from mine m join groups g using (merchant_key, currency, amount, transaction_date)
     where g.count > 1 and ($4 = 'ALWAYS' or g.from_several or g.seconds >= $5::int * 86400
       or exists (select from pipelines where tenant_id = $1 and ledger_id = $6 and id <> $7))`,
    [
      tx.tenantId,
      ids,
      pipeline.duplicate_days,
      pipeline.duplicate_check,
      pipeline.duplicate_import_days,
      pipeline.ledger_id,
      pipeline.id,
    ],
  );
  return rows.map(({ id }) => id);
}

/**
 * For each purchase the one in the ledger, or on its way there, that looks like it. The conditions of ACROSS_SOURCES are
 * those of `looksLikeTwin`, and beyond one pipeline: whatever another system or another pipeline brought counts.
 */
async function twinsInLedger(
  tx: Tx,
  pipeline: PipelineRow,
  ids: readonly string[],
  looked: readonly string[],
): Promise<TwinRow[]> {
  return tx.query<TwinRow>(
    `select r.id, twin.* from spend_records r
     cross join lateral (
       select t.id as twin_id, t.origin_key, s.name as source_name, t.merchant_name, t.amount, t.currency,
         t.transaction_date, p.reference, p.ledger_document_id, p.status
       from spend_records t
       join posting_spend ps on ps.tenant_id = t.tenant_id and ps.spend_record_id = t.id
       join postings p on p.tenant_id = t.tenant_id and p.id = ps.posting_id and p.ledger_id = $2
         and p.reverses_id is null and p.reversed_by_id is null and p.status = any($4)
       join systems s on s.tenant_id = t.tenant_id and s.id = t.source_id
       where t.tenant_id = $1 and t.merchant_key = r.merchant_key and t.currency = r.currency and t.amount = r.amount
         and t.transaction_date between r.transaction_date - $6::int and r.transaction_date + $6::int
         and t.id <> r.id and not (t.id = any($3) and p.pipeline_id = $5)
         and ($7 = 'ALWAYS' or t.source_id <> r.source_id or p.pipeline_id <> $5
           or (abs(extract(epoch from t.created_at - r.created_at)) >= $8::int * 86400
             and coalesce(lower(t.unified ->> 'spender') = lower(r.unified ->> 'spender'), true)))
         and not exists (select from duplicate_clearances c where c.tenant_id = $1 and c.ledger_id = $2
           and c.spend_record_id = t.id and c.twin_id = r.id)
       order by t.id limit 1
     ) twin
     where r.tenant_id = $1 and r.id = any($9) and not ${IS_CLEARED} and not ${IS_BOOKED}`,
    [
      tx.tenantId,
      pipeline.ledger_id,
      ids,
      GOING,
      pipeline.id,
      pipeline.duplicate_days,
      pipeline.duplicate_check,
      pipeline.duplicate_import_days,
      looked,
    ],
  );
}

const SUSPECTED = `'[{"code": "SUSPECTED_DUPLICATE"}]'`;

/**
 * Remembers that a person looked at these held postings and found no duplicate. What the source changed since, and was
 * not planned yet, is not what the person saw: it is looked at again.
 */
export async function rememberNoDuplicates(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  postingIds: readonly string[],
  note: string,
): Promise<void> {
  const now = engine.clock.now();
  const cleared = await tx.query<{ spend_record_id: string; twin_id: string }>(
    `insert into duplicate_clearances (tenant_id, ledger_id, spend_record_id, fingerprint, twin_id, note, cleared_by, cleared_at)
     select distinct on (p.ledger_id, r.id) $1, p.ledger_id, r.id, ${FINGERPRINT}, h ->> 'value', $3, $4, $5::timestamptz
     from postings p join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
     join spend_records r on r.tenant_id = p.tenant_id and r.id = ps.spend_record_id
     cross join lateral jsonb_array_elements(p.holds) h
     where p.tenant_id = $1 and p.id = any($2) and p.status = 'HELD' and p.holds @> ${SUSPECTED}
       and h ->> 'code' = 'SUSPECTED_DUPLICATE'
       and not exists (select from planning_queue q where q.tenant_id = $1 and q.pipeline_id = p.pipeline_id
         and q.spend_record_id = r.id and q.reason = 'read')
     on conflict (tenant_id, ledger_id, spend_record_id, fingerprint) do update set twin_id = excluded.twin_id
     returning spend_record_id, twin_id`,
    [tx.tenantId, postingIds, note, caller.actor, now],
  );
  for (const { spend_record_id: id, twin_id: twinId } of cleared) {
    recordFor(tx, caller, now, {
      action: 'spend.noDuplicate',
      subjectType: 'SpendRecord',
      subjectId: id,
      summary: `A person found that it is no second copy of another purchase: ${note}`,
      after: { twinId, note },
    });
  }
}

/**
 * Plans those purchases again that are held as copies of these, where these will not be in the ledger after all or look
 * different now: what was excluded, withdrawn or corrected makes room.
 */
export async function planTwinsAgain(
  engine: Engine,
  tx: Tx,
  recordIds: readonly string[],
  correlationId: string,
): Promise<void> {
  if (recordIds.length === 0) return;
  const queued = await tx.query<{ pipeline_id: string }>(
    `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
     select distinct on (p.pipeline_id, r.id) $1, p.pipeline_id, r.id, 'its twin changed', $3
     from postings p join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
     join spend_records r on r.tenant_id = p.tenant_id and r.id = ps.spend_record_id
     cross join lateral jsonb_array_elements(p.holds) h
     join spend_records t on t.tenant_id = p.tenant_id and t.id = h ->> 'value' and t.id = any($2)
     where p.tenant_id = $1 and p.status = 'HELD' and p.holds @> ${SUSPECTED} and h ->> 'code' = 'SUSPECTED_DUPLICATE'
       and ((t.merchant_key, t.currency, t.amount) is distinct from (r.merchant_key, r.currency, r.amount)
         or not exists (select from posting_spend gs join postings g on g.tenant_id = gs.tenant_id and g.id = gs.posting_id
           where gs.tenant_id = $1 and gs.spend_record_id = t.id and g.ledger_id = p.ledger_id and g.reverses_id is null
             and g.reversed_by_id is null and g.status = any($4)))
     on conflict (tenant_id, pipeline_id, spend_record_id) do nothing returning pipeline_id`,
    [tx.tenantId, recordIds, correlationId, GOING],
  );
  for (const pipelineId of new Set(queued.map((row) => row.pipeline_id))) {
    await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId });
  }
}
