import { hostname } from 'node:os';
import pg from 'pg';
import type { Database, Tx } from '../entities/database.js';
import type { Logger } from '../logger.js';
import type { Engine } from './engine.js';

/** How long a process may be without its lock and still count as alive: one that lost its connection is back sooner. */
const GRACE_MS = 4_000;
const RECONNECT_EVERY_MS = 500;
/** The lock's connection says something this often: a firewall that forgot it is noticed, and mostly does not forget it. */
const PING_EVERY_MS = 5_000;
const ANSWER_WITHIN_MS = 5_000;

/**
 * Which processes of ours live. Each holds an advisory lock on a connection of its own: the moment a process dies, however
 * it dies, the server gives the lock back, and the others may take over what it had in hand without waiting for leases.
 *
 * It is a hint, not a proof: a process that lives may lose this connection. It then takes its lock again and lists itself
 * again, and the others allow it `GRACE_MS` for that before they take over its jobs. Should it take longer, two processes
 * work on one job for a moment, which every job allows; and nothing is *sent* again because of it: what the process had
 * at a ledger is asked for there first, and only after the request's own time limit.
 */
export class Presence {
  private client: pg.Client | null = null;
  private isStopped = false;
  private again: NodeJS.Timeout | null = null;
  private holding: Promise<void> = Promise.resolve();
  private listing: { roles: readonly string[]; startedAt: Date } = { roles: [], startedAt: new Date(0) };

  constructor(
    private readonly db: Database,
    private readonly connectionString: string,
    readonly processId: string,
    private readonly lockKey: bigint,
    private readonly logger: Logger,
  ) {}

  async start(roles: readonly string[], now: Date): Promise<void> {
    this.listing = { roles, startedAt: now };
    await this.hold();
  }

  /** Takes the lock on a new connection, and lists this process: while it was away, others may have struck it off. */
  private async hold(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.connectionString,
      application_name: 'ledgergate-presence',
      keepAlive: true,
      connectionTimeoutMillis: ANSWER_WITHIN_MS,
    });
    let isLost = false;
    const lose = (error: unknown) => {
      if (isLost) return;
      isLost = true;
      if (this.client === client) this.client = null;
      void client.end().catch(() => undefined);
      if (this.isStopped) return;
      this.logger.warn({ err: error }, 'the presence connection was lost');
      this.holdAgain();
    };
    client.on('error', lose);
    try {
      await client.connect();
      // An earlier session of ours that the server has not given up yet still counts for us; this waits for it.
      await client.query('select pg_advisory_lock($1)', [this.lockKey.toString()]);
      await this.list();
    } catch (error) {
      isLost = true;
      await client.end().catch(() => undefined);
      throw error;
    }
    if (this.isStopped) {
      isLost = true;
      await client.end();
      return;
    }
    this.client = client;
    this.ping(client, lose);
  }

  private async list(): Promise<void> {
    const { roles, startedAt } = this.listing;
    if (this.isStopped) return;
    await this.db.engine((tx) =>
      tx.execute(
        `insert into processes (id, lock_key, host, pid, roles, started_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (id) do update set roles = excluded.roles`,
        [this.processId, this.lockKey.toString(), hostname(), process.pid, roles.join(','), startedAt],
      ),
    );
  }

  private holdAgain(): void {
    this.again = setTimeout(() => {
      if (this.isStopped) return;
      this.holding = this.hold().catch(() => {
        if (!this.isStopped) this.holdAgain();
      });
    }, RECONNECT_EVERY_MS);
  }

  private ping(client: pg.Client, lose: (error: unknown) => void): void {
    const timer = setInterval(() => {
      if (this.client !== client) {
        clearInterval(timer);
        return;
      }
      const silence = setTimeout(() => lose(new Error('the presence connection does not answer')), ANSWER_WITHIN_MS);
      client
        .query('select 1')
        .catch(lose)
        .finally(() => clearTimeout(silence));
    }, PING_EVERY_MS);
    client.once('end', () => clearInterval(timer));
  }

  /** @returns whether this was the last process of ours. */
  async stop(): Promise<boolean> {
    this.isStopped = true;
    if (this.again) clearTimeout(this.again);
    await this.holding;
    const others = await this.db.engine(async (tx) => {
      await tx.execute('delete from processes where id = $1', [this.processId]);
      return tx.query(`select p.id from processes p where ${IS_ALIVE}`, []);
    });
    await this.client?.end();
    this.client = null;
    return others.length === 0;
  }
}

/** A 64-bit advisory lock shows in pg_locks as two halves with objsubid 1. */
const IS_ALIVE = `exists (select from pg_locks l where l.locktype = 'advisory' and l.granted and l.objsubid = 1
  and ((l.classid::bigint << 32) | l.objid::bigint) = p.lock_key)`;

/** Whether a process that works on jobs lives; if not, what is queued waits until one starts. */
export async function hasWorker(db: Database): Promise<boolean> {
  const rows = await db.engine((tx) =>
    tx.query(`select 1 from processes p where 'worker' = any(string_to_array(p.roles, ',')) and ${IS_ALIVE} limit 1`),
  );
  return rows.length > 0;
}

/** Holders of postings of a ledger that live no more. */
export async function deadOwners(engine: Engine, tenantId: string, ledgerId: string): Promise<string[]> {
  const rows = await engine.db.engine((tx) =>
    tx.query<{ lease_owner: string }>(
      `select distinct o.lease_owner from postings o
       where o.tenant_id = $1 and o.ledger_id = $2 and o.status in ('READY', 'POSTING', 'IN_DOUBT')
         and o.lease_owner is not null and o.lease_owner <> $3
         and not exists (select from processes p where p.id = o.lease_owner and ${IS_ALIVE})`,
      [tenantId, ledgerId, engine.processId],
    ),
  );
  return rows.map((row) => row.lease_owner);
}

/** Those of the named processes that live no more. */
export async function deadAmong(engine: Engine, processIds: readonly string[]): Promise<string[]> {
  if (processIds.length === 0) return [];
  const rows = await engine.db.engine((tx) =>
    tx.query<{ id: string }>(
      `select n.id from unnest($1::text[]) as n(id)
       where not exists (select from processes p where p.id = n.id and ${IS_ALIVE})`,
      [processIds],
    ),
  );
  return rows.map((row) => row.id);
}

export interface OrphanedJob {
  readonly queue: string;
  readonly jobId: string;
}

/** Looks for jobs whose process died with them in hand. One per process that looks; it remembers whom it missed. */
export class OrphanWatch {
  private readonly missingSince = new Map<string, number>();

  constructor(
    private readonly db: Database,
    private readonly graceMs: number = GRACE_MS,
  ) {}

  /** Strikes off processes that stayed away for the whole grace, and names the jobs that nobody has in hand any more. */
  async look(): Promise<OrphanedJob[]> {
    try {
      const missing = await this.db.engine((tx) =>
        tx.query<{ id: string }>(`select p.id from processes p where not ${IS_ALIVE}`),
      );
      const dead = this.goneFor(missing.map((row) => row.id));
      return await this.db.engine(async (tx) => {
        if (dead.length > 0)
          await tx.execute(`delete from processes p where p.id = any($1) and not ${IS_ALIVE}`, [dead]);
        const rows = await tx.query<{ queue: string; job_id: string }>(
          'select c.queue, c.job_id from job_claims c where not exists (select from processes p where p.id = c.process_id)',
        );
        return rows.map((row) => ({ queue: row.queue, jobId: row.job_id }));
      });
    } catch (error) {
      // The database was away, and with it everybody's lock: whoever is missing at the next look is missing from then on.
      this.missingSince.clear();
      throw error;
    }
  }

  private goneFor(missing: readonly string[]): string[] {
    // A monotonic clock: a corrected system time is not an absence.
    const now = performance.now();
    for (const id of this.missingSince.keys()) if (!missing.includes(id)) this.missingSince.delete(id);
    for (const id of missing) if (!this.missingSince.has(id)) this.missingSince.set(id, now);
    return missing.filter((id) => now - (this.missingSince.get(id) ?? now) >= this.graceMs);
  }
}

/** Takes the claim of a job that nobody has in hand any more. @returns false when another process was first. */
export async function takeOrphan(tx: Tx, jobId: string): Promise<boolean> {
  const taken = await tx.execute(
    'delete from job_claims c where c.job_id = $1 and not exists (select from processes p where p.id = c.process_id)',
    [jobId],
  );
  return taken > 0;
}
