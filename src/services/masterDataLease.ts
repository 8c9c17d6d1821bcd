import type { MasterDataPush } from '../connectors/contract.js';
import type { Tx } from '../entities/database.js';
import { CredentialsError, type LedgergateError, RateLimitedError } from '../errors.js';
import { raiseAlert, settleAlert } from './alerts.js';
import type { Engine } from './engine.js';
import { pushAlertKey } from './masterDataWake.js';
import { deadAmong } from './processes.js';

/**
 * Who pushes master data, and what is remembered of it. One process at a time fills a source: two that look at once would
 * both make what is missing. What a claim writes is written under its fencing number only.
 */

/** A field of many values takes minutes; the claim is renewed between any two steps. */
const LEASE_MS = 10 * 60_000;
const BUSY_PAUSE_MS = 30_000;
/** What was not looked through for about a day is, whatever changed: people change things at the source, too. */
const HEAL_AFTER_MS = 23.5 * 60 * 60_000;
const BACKOFF_FIRST_MS = 30_000;
const BACKOFF_MAX_MS = 60 * 60_000;
/** What a person has to put right is tried again this much later; the person's change wakes the work at once. */
const HOLD_PAUSE_MS = 60 * 60_000;
/** A lost answer or a busy source is nothing to tell anybody; from the third in a row on it is. */
const TRANSIENT_TRIES = 3;

export interface Export {
  readonly tenantId: string;
  readonly pipelineId: string;
  readonly pipelineName: string;
  readonly sourceId: string;
  readonly sourceName: string;
  readonly ledgerId: string;
  readonly createsSuppliers: boolean;
  /** Fields pushed the last time, by key. */
  readonly pushedFields: Readonly<Record<string, MasterDataPush>>;
}

export interface Claim extends Export {
  readonly fence: number;
  /** Times that somebody asked for it so far. */
  readonly asked: number;
  readonly failures: number;
  /** What decides what is pushed and where to, as a digest. */
  readonly settings: string;
  /** false = only the vendor directory is to be looked at. */
  readonly arePushesDue: boolean;
}

/** Another process has taken over: whatever is still to be written is its business now. */
export class LeaseLost extends Error {}

interface Row {
  name: string;
  source_id: string;
  ledger_id: string;
  source_name: string;
  creates_suppliers: boolean;
  settings: string;
  master_version: string;
  pushed_version: string | null;
  pushed_settings: string | null;
  pushed_at: Date | null;
  pushed_fields: Readonly<Record<string, MasterDataPush>>;
  due_at: Date | null;
  asked: number;
  failures: number;
}

/** @returns null when there is nothing to do, or somebody else does it. */
export async function takeLease(engine: Engine, tenantId: string, pipelineId: string): Promise<Claim | null> {
  const dead = await deadAmong(engine, await engine.db.tenant(tenantId, (tx) => holders(tx, pipelineId)));
  return engine.db.tenant(tenantId, async (tx) => {
    const now = engine.clock.now();
    const [row] = await tx.query<Row>(
      `select p.name, p.source_id, p.ledger_id, s.name as source_name, p.unmatched_vendor = 'CREATE_SUPPLIER' as creates_suppliers,
         md5(concat_ws('|', s.base_url, s.settings, l.settings, p.unmatched_vendor)) as settings, l.master_version,
         e.pushed_version, e.pushed_settings, e.pushed_at, e.pushed_fields, e.due_at, e.asked, e.failures
       from pipelines p join master_data_exports e on e.tenant_id = p.tenant_id and e.pipeline_id = p.id
       join systems s on s.tenant_id = p.tenant_id and s.id = p.source_id
       join systems l on l.tenant_id = p.tenant_id and l.id = p.ledger_id
       where p.tenant_id = $1 and p.id = $2 and p.enabled and p.export_master_data`,
      [tenantId, pipelineId],
    );
    if (!row) return null;
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `masterData:${tenantId}:${row.source_id}`,
    ]);
    const isChanged = row.pushed_version !== row.master_version || row.pushed_settings !== row.settings;
    const isOld = row.pushed_at === null || now.getTime() - row.pushed_at.getTime() >= HEAL_AFTER_MS;
    if (!isChanged && !isOld && row.due_at === null) return null;
    const [taken] = await tx.query<{ fence: number }>(
      `update master_data_exports e set lease_owner = $3, lease_until = $4, fence = fence + 1
       where tenant_id = $1 and pipeline_id = $2 and not exists (
         select from master_data_exports o join pipelines p on p.tenant_id = o.tenant_id and p.id = o.pipeline_id
         where o.tenant_id = $1 and p.source_id = $5 and o.lease_until > $6 and o.lease_owner <> all($7)
           and not (o.pipeline_id = $2 and o.lease_owner = $3))
       returning fence`,
      [tenantId, pipelineId, engine.processId, after(now, LEASE_MS), row.source_id, now, dead],
    );
    if (!taken) {
      await again(engine, tx, pipelineId, after(now, BUSY_PAUSE_MS));
      return null;
    }
    return {
      ...{ tenantId, pipelineId, pipelineName: row.name, sourceId: row.source_id, sourceName: row.source_name },
      ...{ ledgerId: row.ledger_id, createsSuppliers: row.creates_suppliers, pushedFields: row.pushed_fields },
      ...{ fence: taken.fence, asked: row.asked, failures: row.failures, settings: row.settings },
      arePushesDue: isChanged || isOld,
    };
  });
}

/** Processes that have the pipeline's source in hand. */
async function holders(tx: Tx, pipelineId: string): Promise<string[]> {
  const rows = await tx.query<{ lease_owner: string }>(
    `select distinct o.lease_owner from master_data_exports o
     join pipelines p on p.tenant_id = o.tenant_id and p.id = o.pipeline_id
     where o.tenant_id = $1 and o.lease_owner is not null
       and p.source_id = (select source_id from pipelines where tenant_id = $1 and id = $2)`,
    [tx.tenantId, pipelineId],
  );
  return rows.map((row) => row.lease_owner);
}

/**
 * Keeps the claim for another while, and within a transaction keeps everybody else from taking it until that ends.
 * @throws LeaseLost
 */
export async function renew(engine: Engine, tx: Tx, claim: Claim): Promise<void> {
  const kept = await tx.execute(
    'update master_data_exports set lease_until = $4 where tenant_id = $1 and pipeline_id = $2 and fence = $3',
    [claim.tenantId, claim.pipelineId, claim.fence, after(engine.clock.now(), LEASE_MS)],
  );
  if (kept === 0) throw new LeaseLost();
}

/** The fields hold what the ledger had at `version`. The directory comes after it, so the work stays due. */
export async function storePush(
  engine: Engine,
  tx: Tx,
  claim: Claim,
  version: string,
  fields: Readonly<Record<string, MasterDataPush>>,
): Promise<void> {
  await renew(engine, tx, claim);
  await tx.execute(
    `update master_data_exports set pushed_version = $3, pushed_settings = $4, pushed_at = $5, pushed_fields = $6,
       due_at = coalesce(due_at, $5) where tenant_id = $1 and pipeline_id = $2`,
    [claim.tenantId, claim.pipelineId, version, claim.settings, engine.clock.now(), JSON.stringify(fields)],
  );
}

/** @param hasMore there is more to do than one run does: the next one follows at once. */
export async function finish(engine: Engine, claim: Claim, hasMore: boolean): Promise<void> {
  await engine.db.tenant(claim.tenantId, async (tx) => {
    const now = engine.clock.now();
    await renew(engine, tx, claim);
    await tx.execute(
      `update master_data_exports set failures = 0, last_error = null, failed_at = null, lease_owner = null,
         lease_until = null, due_at = case when $3 then $4::timestamptz when asked = $5 then null else due_at end
       where tenant_id = $1 and pipeline_id = $2`,
      [claim.tenantId, claim.pipelineId, hasMore, now, claim.asked],
    );
    if (hasMore) await again(engine, tx, claim.pipelineId, null);
    await settleAlert(tx, now, pushAlertKey({ id: claim.pipelineId }), 'system:masterData');
  });
}

/** Gives the claim back as if nothing had been done: the job itself is tried again. */
export async function release(engine: Engine, claim: Claim): Promise<void> {
  await engine.db.tenant(claim.tenantId, (tx) =>
    tx.execute(
      `update master_data_exports set lease_owner = null, lease_until = null
       where tenant_id = $1 and pipeline_id = $2 and fence = $3`,
      [claim.tenantId, claim.pipelineId, claim.fence],
    ),
  );
}

/** Remembers what went wrong and comes back when that makes sense. Pushing again is safe: it looks first. */
export async function postpone(engine: Engine, claim: Claim, error: LedgergateError): Promise<void> {
  engine.logger.warn({ pipelineId: claim.pipelineId, code: error.code }, 'master data could not be pushed');
  await engine.db.tenant(claim.tenantId, async (tx) => {
    const now = engine.clock.now();
    await renew(engine, tx, claim);
    const failures = claim.failures + 1;
    // A refused credential and a disabled system wait for a person, whose change wakes the work.
    const waitsForPerson = error instanceof CredentialsError || error.code === 'SYSTEM_DISABLED';
    const dueAt = waitsForPerson ? null : after(now, pauseFor(error, failures));
    await tx.execute(
      `update master_data_exports set failures = $3, last_error = $4, failed_at = $5, due_at = $6, lease_owner = null,
         lease_until = null where tenant_id = $1 and pipeline_id = $2`,
      [claim.tenantId, claim.pipelineId, failures, error.userMessage, now, dueAt],
    );
    if (dueAt) await again(engine, tx, claim.pipelineId, dueAt);
    const isTransient = error.decision === 'RETRY' || error.decision === 'PROBE';
    if (waitsForPerson || (isTransient && failures < TRANSIENT_TRIES)) return;
    await raiseAlert(tx, now, {
      severity: 'WARNING',
      code: 'MASTER_DATA_EXPORT',
      message: `"${claim.pipelineName}" could not bring the ledger's master data to "${claim.sourceName}": ${error.userMessage} It is tried again by itself.`,
      systemId: claim.sourceId,
      pipelineId: claim.pipelineId,
      dedupeKey: pushAlertKey({ id: claim.pipelineId }),
    });
  });
}

/** What nobody looked at for a day, unless a person has to act first. */
export async function healable(engine: Engine): Promise<{ tenant_id: string; pipeline_id: string }[]> {
  return engine.db.engine((tx) =>
    tx.query<{ tenant_id: string; pipeline_id: string }>(
      `select p.tenant_id, p.id as pipeline_id from pipelines p
       left join master_data_exports e on e.tenant_id = p.tenant_id and e.pipeline_id = p.id
       where p.enabled and p.export_master_data and e.due_at is null and (e.pushed_at is null or e.pushed_at <= $1)
         and not exists (select from systems s where s.tenant_id = p.tenant_id and s.id in (p.source_id, p.ledger_id)
           and s.status in ('NEEDS_REAUTHORISATION', 'DISABLED'))
       order by p.tenant_id, p.id`,
      [after(engine.clock.now(), -HEAL_AFTER_MS)],
    ),
  );
}

function again(engine: Engine, tx: Tx, pipelineId: string, startAfter: Date | null): Promise<void> {
  const payload = { tenantId: tx.tenantId, pipelineId };
  return engine.jobs.send(tx, 'source.masterData', payload, startAfter ? { startAfter } : {});
}

function pauseFor(error: LedgergateError, failures: number): number {
  if (error instanceof RateLimitedError && error.retryAfterMs !== null) return error.retryAfterMs;
  if (error.decision !== 'RETRY' && error.decision !== 'PROBE') return HOLD_PAUSE_MS;
  const full = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 20), BACKOFF_MAX_MS);
  // Half of it is chance, so that many customers of one source do not come back in one moment.
  return full / 2 + Math.random() * (full / 2);
}

function after(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}
