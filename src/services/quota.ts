import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '../clock.js';
import type { QuotaWindow, SharedQuota } from '../connectors/contract.js';
import type { Database, Tx } from '../entities/database.js';
import { RateLimitedError } from '../errors.js';

interface QuotaParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly tenantId: string;
  readonly systemId: string;
  /** Resolves after that time; a test moves its clock instead. */
  readonly delay?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

interface QuotaRow {
  readonly calls: readonly string[];
  readonly blocked_until: Date | null;
}

/** Waiting longer belongs to the job engine, which has other work to give meanwhile. */
const WAIT_MAX_MS = 60_000;

/**
 * Counts the calls to one system in the database, because the vendor counts those of all our processes together. The
 * times of the calls inside the longest window are kept in one row, which is locked while one is added.
 */
export function createSharedQuota(parts: QuotaParts): SharedQuota {
  const { db, clock, tenantId, systemId } = parts;
  const delay = parts.delay ?? ((ms, signal) => pause(ms, undefined, signal ? { signal } : {}));

  /** @returns 0 when the call was counted, else how long to wait before asking again. */
  async function tryTake(tx: Tx, windows: readonly QuotaWindow[]): Promise<number> {
    const row = await lockedRow(tx);
    const now = clock.now().getTime();
    const longestMs = Math.max(...windows.map((window) => window.perMs));
    const calls = row.calls.map(Number).filter((at) => at > now - longestMs && at <= now);
    const waits = windows.map(({ calls: most, perMs }) => {
      const inside = calls.filter((at) => at > now - perMs);
      const oldest = inside[inside.length - most];
      return oldest === undefined ? 0 : oldest + perMs - now;
    });
    const waitMs = Math.max(0, (row.blocked_until?.getTime() ?? 0) - now, ...waits);
    if (waitMs > 0) return waitMs;
    await tx.execute('update call_quotas set calls = $3 where tenant_id = $1 and system_id = $2', [
      tenantId,
      systemId,
      [...calls, now],
    ]);
    return 0;
  }

  async function lockedRow(tx: Tx): Promise<QuotaRow> {
    await tx.execute(
      'insert into call_quotas (tenant_id, system_id) values ($1, $2) on conflict (tenant_id, system_id) do nothing',
      [tenantId, systemId],
    );
    const [row] = await tx.query<QuotaRow>(
      'select calls, blocked_until from call_quotas where tenant_id = $1 and system_id = $2 for update',
      [tenantId, systemId],
    );
    return row ?? { calls: [], blocked_until: null };
  }

  return {
    async take(windows, signal) {
      for (let waitedMs = 0; ; ) {
        const waitMs = await db.tenant(tenantId, (tx) => tryTake(tx, windows));
        if (waitMs === 0) return;
        waitedMs += waitMs;
        if (waitedMs > WAIT_MAX_MS) {
          throw new RateLimitedError('The calls that the vendor allows are used up for now.', waitMs);
        }
        await delay(waitMs, signal);
      }
    },

    async block(waitMs) {
      await db.tenant(tenantId, async (tx) => {
        await lockedRow(tx);
        await tx.execute(
          `update call_quotas set blocked_until = greatest(blocked_until, $3::timestamptz)
           where tenant_id = $1 and system_id = $2`,
          [tenantId, systemId, new Date(clock.now().getTime() + waitMs)],
        );
      });
    },
  };
}
