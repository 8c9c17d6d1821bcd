import type { AlertSeverity } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { LedgergateError } from '../errors.js';
import { bringInLine, type NewAlert } from './alerts.js';
import type { Engine } from './engine.js';
import { noteReachability } from './systems.js';

const DAY_MS = 86_400_000;
const RENEWAL_WARNING_MS = 14 * DAY_MS;
const RENEWAL_CRITICAL_MS = 3 * DAY_MS;
const WEBHOOK_SILENCE_MS = DAY_MS;
const IN_DOUBT_MS = 15 * 60_000;
/** A delivery may be on its way while a poll finds what it is about. */
const DELIVERY_GRACE_MS = 15 * 60_000;
/** Brex's pages contradict each other on when an unused token ends, 30 or 90 days; this keeps well within both. */
const IDLE_MAX_MS = 20 * DAY_MS;

const ACTOR = 'system:monitoring';

/** What this watch raises, and settles by itself once it is over. */
const CODES = ['RENEWAL_DUE', 'WEBHOOK_SILENCE', 'IN_DOUBT_OLD', 'SOURCE_UNREADABLE'] as const;

/**
 * Looks through all tenants for what needs a person before it hurts, and settles the alerts of what is over. Meant for
 * every minute; any number of processes may do it, one fault is one alert.
 */
export async function watch(engine: Engine): Promise<void> {
  for (const tenantId of await tenants(engine)) {
    try {
      await watchTenant(engine, tenantId);
    } catch (error) {
      // One tenant's trouble must not leave the others unwatched.
      engine.logger.error({ tenantId, err: error }, 'a tenant could not be looked through');
    }
  }
}

/** Looks through one tenant; see `watch`. */
export async function watchTenant(engine: Engine, tenantId: string): Promise<void> {
  await engine.db.tenant(tenantId, async (tx) => {
    const now = engine.clock.now();
    const faults = [
      ...(await renewalsDue(tx, now)),
      ...(await silentWebhooks(tx, now)),
      ...(await oldDoubts(tx, now)),
      ...(await unreadableObjects(tx)),
    ];
    await bringInLine(tx, now, faults, { codes: CODES, systemId: null, actor: ACTOR });
    await planEndedDays(engine, tx, now);
  });
}

/** A pipeline that posts whole days plans a day when it is over, also where nothing else wakes it. */
async function planEndedDays(engine: Engine, tx: Tx, now: Date): Promise<void> {
  const pipelines = await tx.query<{ id: string }>(
    `select p.id from pipelines p where p.tenant_id = $1 and p.enabled and p.grouping = 'DAILY'
       and exists (select from spend_records r where r.tenant_id = $1 and r.source_id = p.source_id
         and r.waiting_until <= ($2::timestamptz at time zone p.time_zone)::date)`,
    [tx.tenantId, now],
  );
  for (const { id } of pipelines) {
    await engine.jobs.send(tx, 'plan.pipeline', { tenantId: tx.tenantId, pipelineId: id });
  }
}

async function tenants(engine: Engine): Promise<string[]> {
  const rows = await engine.db.engine((tx) => tx.query<{ id: string }>('select id from tenants order by id'));
  return rows.map((row) => row.id);
}

// ── faults ───────────────────────────────────────────────────────────────────────────────────

async function renewalsDue(tx: Tx, now: Date): Promise<NewAlert[]> {
  const rows = await tx.query<{ id: string; name: string; renew_by: Date }>(
    `select s.id, s.name, c.renew_by from credentials c
     join systems s on s.tenant_id = c.tenant_id and s.id = c.system_id
     where c.tenant_id = $1 and c.renew_by <= $2 and s.status <> 'DISABLED'`,
    [tx.tenantId, new Date(now.getTime() + RENEWAL_WARNING_MS)],
  );
  return rows.map(({ id, name, renew_by }) => {
    const left = renew_by.getTime() - now.getTime();
    const severity: AlertSeverity = left <= RENEWAL_CRITICAL_MS ? 'CRITICAL' : 'WARNING';
    const when = left <= 0 ? 'ended' : 'ends';
    return {
      severity,
      code: 'RENEWAL_DUE',
      message: `The credential of "${name}" ${when} on ${renew_by.toISOString().slice(0, 10)}: enter a new one with updateCredentials before that.`,
      systemId: id,
      pipelineId: null,
      // The last days are an alert of their own: who took note of the first one is told again.
      dedupeKey: `renewal:${id}:${severity}`,
    };
  });
}

/** A source that should push has not for a day, although polling found what it should have announced. */
async function silentWebhooks(tx: Tx, now: Date): Promise<NewAlert[]> {
  const rows = await tx.query<{ id: string; name: string; heard_at: Date }>(
    `with pushing as (
       select s.id, s.name, greatest(s.last_webhook_at, (select max(e.occurred_at) from audit_events e
         where e.tenant_id = s.tenant_id and e.subject_type = 'ConnectedSystem' and e.subject_id = s.id
           and e.action = 'webhooks.registered')) as heard_at
       from systems s where s.tenant_id = $1 and s.role = 'SPEND' and s.status <> 'DISABLED'
     )
     select p.id, p.name, p.heard_at from pushing p
     where p.heard_at <= $2 and exists (select from source_objects o where o.tenant_id = $1 and o.source_id = p.id
       and o.stream = 'ACCOUNTING_RECORDS' and o.first_seen_at > p.heard_at + make_interval(secs => $4)
       and o.first_seen_at <= $3)`,
    [
      tx.tenantId,
      new Date(now.getTime() - WEBHOOK_SILENCE_MS),
      new Date(now.getTime() - DELIVERY_GRACE_MS),
      DELIVERY_GRACE_MS / 1000,
    ],
  );
  return rows.map(({ id, name, heard_at }) => ({
    severity: 'WARNING',
    code: 'WEBHOOK_SILENCE',
    message: `"${name}" has announced nothing since ${heard_at.toISOString()}, but polling found new accounting records. Nothing is lost; register the webhooks again, or look whether this gateway can be reached from outside.`,
    systemId: id,
    pipelineId: null,
    dedupeKey: `webhook-silence:${id}`,
  }));
}

async function oldDoubts(tx: Tx, now: Date): Promise<NewAlert[]> {
  const rows = await tx.query<{ ledger_id: string; name: string; references: string[] }>(
    `select p.ledger_id, s.name, array_agg(p.reference order by p.doubt_since) as references
     from postings p join systems s on s.tenant_id = p.tenant_id and s.id = p.ledger_id
     where p.tenant_id = $1 and p.status = 'IN_DOUBT' and p.doubt_since <= $2
     group by p.ledger_id, s.name`,
    [tx.tenantId, new Date(now.getTime() - IN_DOUBT_MS)],
  );
  return rows.map(({ ledger_id, name, references }) => ({
    severity: 'CRITICAL',
    code: 'IN_DOUBT_OLD',
    message: `Nobody knows whether "${name}" has ${references.length === 1 ? 'document' : 'documents'} ${references.slice(0, 5).join(', ')}: it has not answered for more than 15 minutes. Nothing is sent again before it does. Look whether the ledger can be reached.`,
    systemId: ledger_id,
    pipelineId: null,
    dedupeKey: `in-doubt:${ledger_id}`,
  }));
}

async function unreadableObjects(tx: Tx): Promise<NewAlert[]> {
  const rows = await tx.query<{ source_id: string; name: string; count: number; reason: string }>(
    `select u.source_id, s.name, count(*)::int as count, min(u.reason) as reason
     from unreadable_objects u join systems s on s.tenant_id = u.tenant_id and s.id = u.source_id
     where u.tenant_id = $1 and u.resolved_at is null group by u.source_id, s.name`,
    [tx.tenantId],
  );
  return rows.map(({ source_id, name, count, reason }) => ({
    severity: 'WARNING',
    code: 'SOURCE_UNREADABLE',
    message: `"${name}" sent ${count} ${count === 1 ? 'object' : 'objects'} that could not be read, for example because: ${reason} They are counted as unknown and not posted.`,
    systemId: source_id,
    pipelineId: null,
    dedupeKey: `unreadable:${source_id}`,
  }));
}

// ── keeping credentials alive ────────────────────────────────────────────────────────────────

interface IdleSystem {
  tenant_id: string;
  id: string;
}

/**
 * Makes one harmless call with every spend credential that nobody used for 20 days. Some vendors end tokens that are not
 * used. Meant for once a day; repeating it does nothing more.
 */
export async function keepAlive(engine: Engine): Promise<void> {
  const idleSince = new Date(engine.clock.now().getTime() - IDLE_MAX_MS);
  const idle = await engine.db.engine((tx) =>
    tx.query<IdleSystem>(
      `select s.tenant_id, s.id from systems s
       join credentials c on c.tenant_id = s.tenant_id and c.system_id = s.id
       where s.role = 'SPEND' and s.status in ('ACTIVE', 'UNREACHABLE')
         and greatest(c.last_used_at, c.given_at) <= $1 order by s.tenant_id, s.id`,
      [idleSince],
    ),
  );
  for (const system of idle) await keepOneAlive(engine, system);
}

async function keepOneAlive(engine: Engine, { tenant_id: tenantId, id }: IdleSystem): Promise<void> {
  try {
    const { connection } = await engine.connections.spend(tenantId, id);
    await connection.keepAlive();
    await noteReachability(engine, tenantId, id, null);
  } catch (error) {
    if (error instanceof LedgergateError && (error.decision === 'PAUSE_CONNECTION' || error.decision === 'RETRY')) {
      await noteReachability(engine, tenantId, id, error);
      return;
    }
    // Whatever one system's trouble is, the others are to be kept alive as well.
    engine.logger.error({ tenantId, systemId: id, err: error }, 'a credential could not be kept alive');
  }
}
