import type pg from 'pg';
import type { Tx } from '../../../src/entities/database.js';
import type { JobName, JobPayloads, JobSender } from '../../../src/services/engine.js';
import type { SimulatedTime } from './time.js';

export type SimJob = {
  [N in JobName]: { seq: string; name: N; key: string; payload: JobPayloads[N]; failures: number };
}[JobName];

const RETRY_FIRST_MS = 2_000;
const RETRY_MAX_MS = 300_000;

/** Where the jobs of all simulated tenants are, so that they are sent in the transaction that makes them necessary. */
export const QUEUE_TABLE = `
  create table if not exists simulated_jobs (
    seq bigserial primary key, tenant_id text not null, name text not null, key text not null, payload jsonb not null,
    start_after timestamptz not null, state text not null default 'created', failures integer not null default 0);
  create index if not exists simulated_jobs_tenant on simulated_jobs (tenant_id, key);
  grant select, insert, update, delete on simulated_jobs to ledgergate_app;
  grant usage on sequence simulated_jobs_seq_seq to ledgergate_app`;

function keyOf(name: JobName, payload: JobPayloads[JobName]): string {
  const { tenantId: _tenant, ...rest } = payload;
  return [name, ...Object.values(rest)].join('/');
}

/** The job queue on simulated time, with the rules of the real one: in the transaction, one job of a key after another. */
export class SimQueue implements JobSender {
  private readonly time: SimulatedTime;
  private readonly pool: pg.Pool;
  private readonly tenantId: string;
  /** Jobs in somebody's hands, by their number; one that was given away is in other hands. */
  private readonly active = new Map<string, SimJob>();

  constructor(time: SimulatedTime, pool: pg.Pool, tenantId: string) {
    this.time = time;
    this.pool = pool;
    this.tenantId = tenantId;
  }

  async send<N extends JobName>(
    tx: Tx,
    name: N,
    payload: JobPayloads[N],
    options: { startAfter?: Date } = {},
  ): Promise<void> {
    const key = keyOf(name, payload);
    const now = this.time.now();
    const startAfter = options.startAfter && options.startAfter > now ? options.startAfter : now;
    const coming = await tx.query(
      `select 1 from simulated_jobs where tenant_id = $1 and key = $2 and state = 'created' and start_after <= $3
       limit 1 for update skip locked`,
      [this.tenantId, key, startAfter],
    );
    if (coming.length > 0) return;
    await tx.execute(
      'insert into simulated_jobs (tenant_id, name, key, payload, start_after) values ($1, $2, $3, $4, $5)',
      [payload.tenantId, name, key, JSON.stringify(payload), startAfter],
    );
  }

  /** One of those that may start now, chosen by `pick`; a failed job keeps the others of its key waiting. */
  async take(pick: (jobs: readonly SimJob[]) => SimJob): Promise<SimJob | null> {
    const { rows } = await this.pool.query<SimJob & { due: boolean }>(
      `select distinct on (key) seq, name, key, payload, failures, start_after <= $2 as due from simulated_jobs
       where tenant_id = $1 and state <> 'active' and (failures > 0 or start_after <= $2)
       order by key, (failures = 0), seq`,
      [this.tenantId, this.time.now()],
    );
    const busy = new Set([...this.active.values()].map(({ key }) => key));
    const free = rows.filter(({ due, key }) => due && !busy.has(key));
    if (free.length === 0) return null;
    const job = pick(free.sort((a, b) => Number(a.seq) - Number(b.seq)));
    this.active.set(job.seq, job);
    await this.pool.query(`update simulated_jobs set state = 'active' where seq = $1`, [job.seq]);
    return job;
  }

  /** When the next job starts that waits for a later moment; null = there is none. */
  async nextStartMs(): Promise<number | null> {
    // A failed job keeps those behind it waiting until it is tried again.
    const { rows } = await this.pool.query<{ next: Date | null }>(
      `select min(start) as next from (
         select coalesce(min(start_after) filter (where failures > 0), min(start_after)) as start from simulated_jobs
         where tenant_id = $1 and state <> 'active' group by key) as keys`,
      [this.tenantId],
    );
    return rows[0]?.next?.getTime() ?? null;
  }

  async done(job: SimJob): Promise<void> {
    if (!this.release(job)) return;
    await this.pool.query('delete from simulated_jobs where seq = $1', [job.seq]);
  }

  /** Tried again after the pause that the real queue makes. */
  async failed(job: SimJob): Promise<void> {
    if (!this.release(job)) return;
    const pause = Math.min(RETRY_FIRST_MS * 2 ** job.failures, RETRY_MAX_MS);
    await this.pool.query(
      `update simulated_jobs set state = 'retry', failures = failures + 1, start_after = $2 where seq = $1`,
      [job.seq, new Date(this.time.nowMs + pause)],
    );
  }

  /** Its process gives no sign of life: it is anybody's again, at once. */
  async revive(job: SimJob): Promise<void> {
    if (!this.release(job)) return;
    await this.pool.query(`update simulated_jobs set state = 'created' where seq = $1`, [job.seq]);
  }

  private release(job: SimJob): boolean {
    return this.active.get(job.seq) === job && this.active.delete(job.seq);
  }

  async clear(): Promise<void> {
    await this.pool.query('delete from simulated_jobs where tenant_id = $1', [this.tenantId]);
  }
}
