import { newId } from '../domain/ids.js';
import type { AlertSeverity } from '../domain/vocabulary.js';
import { AlertRow } from '../entities/alert.js';
import type { Tx } from '../entities/database.js';
import { record, recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { done, type Outcome, refused } from './outcome.js';

export const ALERTS_CHANNEL = 'ledgergate_alerts';

export interface NewAlert {
  readonly severity: AlertSeverity;
  /** UPPER_SNAKE_CASE, stable. */
  readonly code: string;
  readonly message: string;
  readonly systemId: string | null;
  readonly pipelineId: string | null;
  /** The same fault raises one alert until that is resolved. */
  readonly dedupeKey: string;
}

export async function raiseAlert(tx: Tx, now: Date, alert: NewAlert): Promise<void> {
  const id = newId('alert');
  const raised = await tx.execute(
    `insert into alerts (tenant_id, id, severity, code, message, system_id, pipeline_id, dedupe_key, raised_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (tenant_id, dedupe_key) where resolved_at is null do nothing`,
    [
      tx.tenantId,
      id,
      alert.severity,
      alert.code,
      alert.message,
      alert.systemId,
      alert.pipelineId,
      alert.dedupeKey,
      now,
    ],
  );
  if (raised === 0) return;
  await tx.wake(ALERTS_CHANNEL, tx.tenantId);
  record(tx, now, {
    actor: 'system:alerts',
    action: 'alert.raised',
    subjectType: 'Alert',
    subjectId: id,
    summary: alert.message,
    after: { severity: alert.severity, code: alert.code, systemId: alert.systemId, pipelineId: alert.pipelineId },
    correlationId: `alert:${alert.dedupeKey}`,
  });
}

/** Which alerts one watch looks after. */
export interface AlertScope {
  readonly codes: readonly string[];
  /** null = those of every system. */
  readonly systemId: string | null;
  readonly actor: string;
}

/** A fault of which a person took note is raised again when it is still there a day later. */
const REMIND_AFTER_MS = 86_400_000;

/**
 * Raises what is new and settles what is gone, so that a look that finds no change writes nothing.
 * @param isUnclear whether nobody can say if the fault behind an open alert is gone: it then stays as it is.
 */
export async function bringInLine(
  tx: Tx,
  now: Date,
  faults: readonly NewAlert[],
  { codes, systemId, actor }: AlertScope,
  isUnclear: (dedupeKey: string) => boolean = () => false,
): Promise<void> {
  const known = await tx.query<{ dedupe_key: string; is_open: boolean }>(
    `select dedupe_key, bool_or(resolved_at is null) as is_open from alerts
     where tenant_id = $1 and code = any($2) and ($5::text is null or system_id = $5)
       and (resolved_at is null or (resolved_at > $3 and resolved_by <> $4))
     group by dedupe_key`,
    [tx.tenantId, codes, new Date(now.getTime() - REMIND_AFTER_MS), actor, systemId],
  );
  const quiet = new Set(known.map((row) => row.dedupe_key));
  const current = new Set(faults.map((fault) => fault.dedupeKey));
  for (const fault of faults) if (!quiet.has(fault.dedupeKey)) await raiseAlert(tx, now, fault);
  for (const { dedupe_key: key, is_open } of known) {
    if (is_open && !current.has(key) && !isUnclear(key)) await settleAlert(tx, now, key, actor);
  }
}

/** The fault is gone: its open alert, if there is one, is resolved. */
export async function settleAlert(tx: Tx, now: Date, dedupeKey: string, actor: string): Promise<void> {
  const settled = await tx.query<{ id: string; message: string }>(
    `update alerts set resolved_at = $3, resolved_by = $4
     where tenant_id = $1 and dedupe_key = $2 and resolved_at is null returning id, message`,
    [tx.tenantId, dedupeKey, now, actor],
  );
  for (const { id, message } of settled) {
    record(tx, now, {
      actor,
      action: 'alert.resolved',
      subjectType: 'Alert',
      subjectId: id,
      summary: `Resolved: ${message}`,
      correlationId: `alert:${dedupeKey}`,
    });
  }
}

/** A person has taken note. Resolving a resolved alert changes nothing. */
export async function resolveAlert(engine: Engine, caller: Caller, id: string): Promise<Outcome<{ id: string }>> {
  return engine.db.tenant(caller.tenantId, async (tx) => {
    const now = engine.clock.now();
    const key = { tenantId: tx.tenantId, id };
    const alert = await tx.manager.findOne(AlertRow, { where: key, lock: { mode: 'pessimistic_write' } });
    if (!alert) return refused('NOT_FOUND', 'There is no such alert.', { path: ['id'] });
    if (alert.resolvedAt === null) {
      await tx.manager.update(AlertRow, key, { resolvedAt: now, resolvedBy: caller.actor });
      recordFor(tx, caller, now, {
        action: 'alert.resolved',
        subjectType: 'Alert',
        subjectId: id,
        summary: `Resolved: ${alert.message}`,
      });
    }
    return done({ id });
  });
}
