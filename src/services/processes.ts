import { hostname } from 'node:os';
import pg from 'pg';
import type { Database } from '../entities/database.js';
import type { Logger } from '../logger.js';
import type { Engine } from './engine.js';

/**
 * Which processes of ours live. Each holds an advisory lock on a connection of its own: the moment a process dies, however
 * it dies, the server gives the lock back, and the others may take over what it had in hand without waiting for leases.
 *
 * It is a hint, not a proof: a process that lives may lose this connection. So nothing is *sent* again because of it;
 * what the process had at a ledger is asked for there first, and only after the request's own time limit.
 */
export class Presence {
  private client: pg.Client | null = null;
  private isStopped = false;

  constructor(
    private readonly db: Database,
    private readonly connectionString: string,
    readonly processId: string,
    private readonly lockKey: bigint,
    private readonly logger: Logger,
  ) {}

  async start(roles: readonly string[], now: Date): Promise<void> {
    await this.hold();
    await this.db.engine((tx) =>
      tx.execute('insert into processes (id, lock_key, host, pid, roles, started_at) values ($1, $2, $3, $4, $5, $6)', [
        this.processId,
        this.lockKey.toString(),
        hostname(),
        process.pid,
        roles.join(','),
        now,
      ]),
    );
  }

  private async hold(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.connectionString,
      application_name: 'ledgergate-presence',
      keepAlive: true,
    });
    client.on('error', (error) => {
      this.logger.warn({ err: error }, 'the presence connection was lost');
      this.client = null;
      if (!this.isStopped) this.holdAgain();
    });
    await client.connect();
    await client.query('select pg_advisory_lock($1)', [this.lockKey.toString()]);
    this.client = client;
  }

  private holdAgain(): void {
    setTimeout(() => {
      if (this.isStopped) return;
      this.hold().catch(() => this.holdAgain());
    }, 1_000).unref();
  }

  /** @returns whether this was the last process of ours. */
  async stop(): Promise<boolean> {
    this.isStopped = true;
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

/** Jobs whose process died with them in hand; forgets their claims. */
export async function takeOrphanedJobs(db: Database): Promise<{ queue: string; jobId: string }[]> {
  return db.engine(async (tx) => {
    await tx.execute(`delete from processes p where not ${IS_ALIVE}`, []);
    const rows = await tx.query<{ queue: string; job_id: string }>(
      `delete from job_claims c where not exists (select from processes p where p.id = c.process_id)
       returning queue, job_id`,
      [],
    );
    return rows.map((row) => ({ queue: row.queue, jobId: row.job_id }));
  });
}
