import { dayIn } from '../domain/localDate.js';
import type { LedgerRules } from '../domain/plan.js';
import type { Tx } from '../entities/database.js';
import { planTwinsAgain } from './duplicates.js';
import type { Caller, Engine } from './engine.js';
import { readPeriods } from './masterData.js';
import { loadPipeline, type PipelineRow } from './pipelines.js';
import { PlanningChunk } from './planningChunk.js';
import { loadPlanningContext } from './planningContext.js';
import {
  leaveQueue,
  merchantsOf,
  othersOfCorrectedDays,
  queueEndedDays,
  queueSiblings,
  takeRecords,
} from './planningQueue.js';
import { postingsOfRecords } from './postingStore.js';
import { matchMerchants } from './vendorMatches.js';
export interface PlanningCounts {
  readonly records: number;
  readonly ready: number;
  readonly held: number;
}

/** Records planned in one transaction: enough to make the round trips cheap, few enough to keep locks short. */
const CHUNK = 500;
/** A day that is cut into chunks would become several documents. */
const DAILY_CHUNK = 20_000;

/**
 * Plans all that waits in a pipeline's planning queue, a chunk a transaction. A crash in between loses nothing: what was
 * not planned is still in the queue.
 * @param runId the sync run that the documents count for, if any.
 */
export async function planPipeline(
  engine: Engine,
  caller: Caller,
  pipelineId: string,
  runId: string | null,
): Promise<PlanningCounts> {
  const total = { records: 0, ready: 0, held: 0 };
  const pipeline = await engine.db.tenant(caller.tenantId, (tx) => loadPipeline(tx, pipelineId));
  if (!pipeline) return total;
  const { connection } = await engine.connections.ledger(caller.tenantId, pipeline.ledger_id);
  const rules = await connection.rules();
  if (runId === null) await readPeriods(engine, caller.tenantId, pipeline.ledger_id);
  const isDaily = pipeline.grouping === 'DAILY';
  if (isDaily) {
    const today = dayIn(pipeline.time_zone, engine.clock.now());
    await engine.db.tenant(caller.tenantId, (tx) => queueEndedDays(tx, pipeline, today));
  }
  const take = isDaily ? DAILY_CHUNK : CHUNK;
  for (;;) {
    const counts = await engine.db.tenant(caller.tenantId, (tx) =>
      planChunk(engine, caller, tx, pipeline, rules, runId, take),
    );
    total.records += counts.records;
    total.ready += counts.ready;
    total.held += counts.held;
    // A chunk of which all is at the ledger this moment comes back when that is settled.
    if (counts.taken < take || counts.records === 0) return total;
  }
}

/**
 * The same in one transaction of the caller's, who rolls it back: what planning would make of the queue now.
 */
export async function planWaiting(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  pipeline: PipelineRow,
  rules: LedgerRules,
): Promise<void> {
  const isDaily = pipeline.grouping === 'DAILY';
  if (isDaily) await queueEndedDays(tx, pipeline, dayIn(pipeline.time_zone, engine.clock.now()));
  const take = isDaily ? DAILY_CHUNK : CHUNK;
  for (;;) {
    const { taken, records } = await planChunk(engine, caller, tx, pipeline, rules, null, take);
    if (taken < take || records === 0) return;
  }
}

/**
 * Plans up to one chunk of the queue inside `tx`. Dry runs use it in a transaction that is rolled back: the preview is
 * what the real path would have stored.
 * @param only plans these purchases and leaves the rest of the queue (see `queuePosting`).
 */
export async function planChunk(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  pipeline: PipelineRow,
  rules: LedgerRules,
  runId: string | null,
  take: number = CHUNK,
  only: readonly string[] | null = null,
): Promise<PlanningCounts & { taken: number }> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`plan:${tx.tenantId}:${pipeline.id}`]);
  if (only === null) await queueSiblings(tx, pipeline.id, take);
  const taken = await takeRecords(tx, pipeline.id, take, only);
  if (taken.length === 0) return { taken: 0, records: 0, ready: 0, held: 0 };
  const context = await loadPlanningContext(tx, engine.clock.now(), pipeline, rules);
  const postings = await postingsOfRecords(tx, pipeline.id, idsOf(taken));
  const others = await othersOfCorrectedDays(tx, taken, postings);
  if (others.length > 0) {
    for (const [id, heads] of await postingsOfRecords(tx, pipeline.id, idsOf(others))) postings.set(id, heads);
  }
  const records = [...taken, ...others];
  const vendors = await matchMerchants(engine, caller, tx, pipeline.ledger_id, merchantsOf(records));

  const work = new PlanningChunk(engine, caller, tx, context, runId);
  for (const record of records) {
    await work.sort(
      record,
      postings.get(record.id) ?? [],
      record.merchant_key ? (vendors.get(record.merchant_key) ?? null) : null,
    );
  }
  await work.correctDays();
  await work.planFresh();
  await work.store();
  await leaveQueue(tx, pipeline.id, records, work.postponed);
  await planTwinsAgain(engine, tx, idsOf(records), caller.correlationId);
  return { taken: taken.length, records: records.length - work.postponed.size, ready: work.ready, held: work.held };
}

const idsOf = (records: readonly { readonly id: string }[]) => records.map((record) => record.id);
