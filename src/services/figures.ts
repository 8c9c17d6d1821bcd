import type { Tx } from '../entities/database.js';
import type { Engine } from './engine.js';

/** Figures about the state that all processes share, across tenants: for the operator, never for a caller of the API. */

export interface Figure {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What there is to count, with the statement that counts it: label columns first, then `value`. */
export const FIGURES = [
  {
    name: 'ledgergate_postings',
    help: 'Documents by tenant, pipeline and status.',
    labels: ['tenant', 'pipeline', 'status'],
    sql: `select tenant_id as tenant, pipeline_id as pipeline, status, count(*)::float8 as value
      from postings group by 1, 2, 3`,
  },
  {
    name: 'ledgergate_postings_held',
    help: 'Held documents by tenant and code of their first hold.',
    labels: ['tenant', 'code'],
    sql: `select tenant_id as tenant, coalesce(holds -> 0 ->> 'code', 'NONE') as code, count(*)::float8 as value
      from postings where status = 'HELD' group by 1, 2`,
  },
  {
    name: 'ledgergate_in_doubt_oldest_seconds',
    help: 'Age of the oldest document whose answer was lost, by tenant and ledger.',
    labels: ['tenant', 'system'],
    sql: `select tenant_id as tenant, ledger_id as system,
        extract(epoch from $1::timestamptz - min(coalesce(doubt_since, updated_at)))::float8 as value
      from postings where status = 'IN_DOUBT' group by 1, 2`,
  },
  {
    name: 'ledgergate_jobs',
    help: 'Jobs that are not done, by queue and state.',
    labels: ['queue', 'state'],
    sql: `select name as queue, state::text as state, count(*)::float8 as value
      from pgboss.job where state in ('created', 'retry', 'active') group by 1, 2`,
  },
  {
    name: 'ledgergate_job_oldest_seconds',
    help: 'How long the oldest job that is due has been waiting, by queue.',
    labels: ['queue'],
    sql: `select name as queue, extract(epoch from $1::timestamptz - min(start_after))::float8 as value
      from pgboss.job where state in ('created', 'retry') and start_after <= $1 group by 1`,
  },
  {
    name: 'ledgergate_credential_renewal_seconds',
    help: 'Time until a person must renew a credential, by tenant and system; negative = overdue.',
    labels: ['tenant', 'system', 'kind'],
    sql: `select s.tenant_id as tenant, s.id as system, s.kind, extract(epoch from c.renew_by - $1::timestamptz)::float8 as value
      from credentials c join systems s on s.tenant_id = c.tenant_id and s.id = c.system_id
      where c.renew_by is not null and s.status <> 'DISABLED'`,
  },
  {
    name: 'ledgergate_webhook_silence_seconds',
    help: 'Time since the last webhook of a system that sent one before, by tenant and system.',
    labels: ['tenant', 'system', 'kind'],
    sql: `select tenant_id as tenant, id as system, kind, extract(epoch from $1::timestamptz - last_webhook_at)::float8 as value
      from systems where last_webhook_at is not null and status <> 'DISABLED'`,
  },
  {
    name: 'ledgergate_systems',
    help: 'Connected systems by tenant, kind and status.',
    labels: ['tenant', 'kind', 'status'],
    sql: 'select tenant_id as tenant, kind, status, count(*)::float8 as value from systems group by 1, 2, 3',
  },
  {
    name: 'ledgergate_alerts_open',
    help: 'Alerts that are not resolved, by tenant, severity and code.',
    labels: ['tenant', 'severity', 'code'],
    sql: `select tenant_id as tenant, severity, code, count(*)::float8 as value
      from alerts where resolved_at is null group by 1, 2, 3`,
  },
  {
    name: 'ledgergate_results_owed',
    help: 'Results that a spend system was not told yet, by tenant and system.',
    labels: ['tenant', 'system'],
    sql: `select tenant_id as tenant, source_id as system, count(*)::float8 as value
      from source_exports where state = 'PENDING' group by 1, 2`,
  },
  {
    name: 'ledgergate_processes',
    help: 'Processes that are listed as running, by role.',
    labels: ['roles'],
    sql: 'select roles, count(*)::float8 as value from processes group by 1',
  },
] as const;

export type FigureName = (typeof FIGURES)[number]['name'];

/** All figures as they are now, by name. */
export async function readFigures(engine: Pick<Engine, 'db' | 'clock'>): Promise<Map<FigureName, readonly Figure[]>> {
  const now = engine.clock.now();
  return engine.db.engine(async (tx) => {
    const found = new Map<FigureName, readonly Figure[]>();
    for (const { name, labels, sql } of FIGURES) found.set(name, await figuresOf(tx, labels, sql, now));
    return found;
  });
}

async function figuresOf(tx: Tx, labels: readonly string[], sql: string, now: Date): Promise<Figure[]> {
  const rows = await tx.query<Record<string, string | number | null>>(sql, sql.includes('$1') ? [now] : []);
  return rows.map((row) => ({
    labels: Object.fromEntries(labels.map((label) => [label, String(row[label] ?? '')])),
    value: Number(row.value),
  }));
}
