import type { PostingStatus } from '../domain/postingState.js';
import type { Database } from '../entities/database.js';
import { InputError } from '../errors.js';
import type { Logger } from '../logger.js';
import { ALERT_COLUMNS, type AlertRow, AUDIT_COLUMNS, type AuditEventRow } from './read/trail.js';
import { Bell, DatabaseListener, topics, type WakeupListener, Wakeups } from './wakeups.js';

export { ALERTS_CHANNEL, RUNS_CHANNEL } from './wakeups.js';

export interface EventFeedOptions {
  readonly connectionString: string;
  readonly db: Database;
  readonly logger: Logger;
  /** How wake-ups come; by default over the database. */
  readonly listener?: WakeupListener;
  /** How often a subscriber looks even if nobody woke it: the answer to every wake-up that got lost. */
  readonly safetyPollMs?: number;
}

export interface PostingStatusChange {
  /** The sequence of the change in the tenant's trail. */
  readonly cursor: string;
  readonly postingId: string;
  readonly previousStatus: PostingStatus | null;
  readonly status: PostingStatus;
  readonly occurredAt: Date;
}

export interface PostingStatusRequest {
  readonly pipelineId?: string | null | undefined;
  readonly postingId?: string | null | undefined;
  readonly statuses?: readonly PostingStatus[] | null | undefined;
  readonly after?: string | null | undefined;
}

/** What one look found, and whether there is more to be had at once. */
interface Look<T> {
  readonly items: readonly T[];
  readonly more: boolean;
  /** Nothing will ever come after these. */
  readonly ended?: boolean;
}

interface Following<T> {
  readonly reading: Reading | undefined;
  /** Where the reading begins, for events that have cursors. */
  readonly start?: string | null;
  readonly cursorOf?: (item: T) => string;
}

/** How far one subscriber has got: what the connection needs to know to cut a slow one off without losing its place. */
export class Reading {
  /** Of the newest event that was put on its way, or where the reading began; null = this kind has no cursors. */
  cursor: string | null = null;
  /** Since when (`performance.now()`) an event waits for the subscriber to take it; null = none does. */
  waitingSince: number | null = null;
  private taken: string | null = null;
  private close: (() => void) | null = null;

  begin(cursor: string | null, close: () => void): void {
    this.cursor = cursor;
    this.close = close;
  }

  /** The feed gave an event out; what is selected of it is still being read. */
  took(cursor: string | null): void {
    this.taken = cursor;
  }

  /** The event is handed to the connection: only now may a cursor say that the subscriber has it. */
  sent(nowMs: number): void {
    this.cursor = this.taken ?? this.cursor;
    this.waitingSince = nowMs;
  }

  /** The connection has taken it and asks for more. */
  askedForMore(): void {
    this.waitingSince = null;
  }

  end(): void {
    this.close?.();
  }
}

const SAFETY_POLL_MS = 5_000;
const AFTER_FAILURE_MS = 1_000;
const BATCH = 100;
const SEQUENCE = /^\d{1,18}$/;
/** Alerts are ordered by instants of several processes: one that commits late may carry an earlier instant. */
const ALERT_OVERLAP_MS = 300_000;
const FINISHED = ['SUCCEEDED', 'PARTIAL', 'FAILED', 'CANCELLED'];

/**
 * What happens, for subscribers.
 *
 * Nothing is pushed: each subscriber reads the next rows after its own cursor when it is woken, and reads more only when
 * it has handed out what it read. So a slow subscriber costs no memory, and one that comes back with its cursor misses
 * nothing and gets nothing twice, on any process.
 */
export class EventFeed {
  private readonly wakeups: Wakeups;
  private readonly open = new Set<AbortController>();
  private readonly pollMs: number;

  constructor(private readonly options: EventFeedOptions) {
    this.wakeups = new Wakeups(options.listener ?? new DatabaseListener(options.connectionString, options.logger));
    this.pollMs = options.safetyPollMs ?? SAFETY_POLL_MS;
  }

  start(): Promise<void> {
    return this.wakeups.start();
  }

  /**
   * Calls `look` whenever the key may have changed, in whichever process, and after the listening connection was away.
   * @returns ends it.
   */
  watchKey(keyId: string, look: () => void): () => void {
    const topic = topics.key(keyId);
    const bell = this.wakeups.join(topic, { ring: look });
    return () => this.wakeups.leave(topic, bell);
  }

  /** Ends every subscription and the listening connection. */
  async stop(): Promise<void> {
    for (const controller of this.open) controller.abort();
    await this.wakeups.stop();
  }

  /**
   * Changes of status in the order they became durable: from now on, or from `after` on.
   * @throws InputError `after` is no cursor of this tenant.
   */
  async postingStatuses(
    tenantId: string,
    request: PostingStatusRequest,
    reading?: Reading,
  ): Promise<AsyncIterableIterator<PostingStatusChange>> {
    const start = await this.startOf(tenantId, request.after);
    const sql = `select head.sequence as "head", change.*
      from (select coalesce((select sequence from audit_heads where tenant_id = $1), 0) as sequence) head
      left join lateral (
        select t.sequence as "cursor", t.posting_id as "postingId", t.previous_status as "previousStatus", t.status,
          t.occurred_at as "occurredAt"
        from posting_events t
        where t.tenant_id = $1 and t.sequence > $2 and ($3::text is null or t.pipeline_id = $3)
          and ($4::text is null or t.posting_id = $4) and ($5::text[] is null or t.status = any($5))
        order by t.sequence limit ${BATCH}
      ) change on true order by change."cursor"`;
    const filter = [request.pipelineId ?? null, request.postingId ?? null, request.statuses ?? null];
    return this.follow(tenantId, start, (cursor) => ({ sql, parameters: [tenantId, cursor, ...filter] }), reading);
  }

  /** @throws InputError `after` is no sequence of this tenant's trail. */
  async auditEvents(
    tenantId: string,
    after?: string | null,
    reading?: Reading,
  ): Promise<AsyncIterableIterator<AuditEventRow>> {
    const start = await this.startOf(tenantId, after);
    const sql = `select head.sequence as "head", event.*
      from (select coalesce((select sequence from audit_heads where tenant_id = $1), 0) as sequence) head
      left join lateral (
        select t.sequence as "cursor", ${AUDIT_COLUMNS} from audit_events t
        where t.tenant_id = $1 and t.sequence > $2 order by t.sequence limit ${BATCH}
      ) event on true order by event."cursor"`;
    return this.follow(tenantId, start, (cursor) => ({ sql, parameters: [tenantId, cursor] }), reading);
  }

  /**
   * The run's id now and whenever the run has changed, until it is finished.
   * @throws InputError there is no such run.
   */
  async runProgress(
    tenantId: string,
    runId: string,
    reading?: Reading,
  ): Promise<AsyncIterableIterator<{ readonly id: string }>> {
    let shown: string | null = null;
    // Every column: also a change that does not show is cheaper to send than to explain.
    const look = async (): Promise<Look<{ readonly id: string }>> => {
      const [run] = await this.query<{ status: string; state: string }>(
        tenantId,
        'select status, md5(t::text) as state from sync_runs t where tenant_id = $1 and id = $2',
        [tenantId, runId],
      );
      if (!run) return { items: [], more: false, ended: true };
      const items = run.state === shown ? [] : [{ id: runId }];
      shown = run.state;
      return { items, more: false, ended: FINISHED.includes(run.status) };
    };
    const [run] = await this.query(tenantId, 'select 1 from sync_runs where tenant_id = $1 and id = $2', [
      tenantId,
      runId,
    ]);
    if (!run) throw new InputError('There is no such sync run.', ['id']);
    return this.subscribe(topics.run(tenantId, runId), look, { reading });
  }

  /** Alerts raised from now on, each once. */
  async alerts(tenantId: string, reading?: Reading): Promise<AsyncIterableIterator<AlertRow>> {
    const seen = new Map<string, number>();
    let newest = 0;
    const look = async (): Promise<Look<AlertRow>> => {
      const rows = await this.query<AlertRow>(
        tenantId,
        `select ${ALERT_COLUMNS} from alerts t where t.tenant_id = $1 and t.raised_at >= $2 order by t.raised_at, t.id`,
        [tenantId, new Date(newest - ALERT_OVERLAP_MS).toISOString()],
      );
      const items = rows.filter(({ id }) => !seen.has(id));
      for (const { id, raisedAt } of items) seen.set(id, raisedAt.getTime());
      newest = Math.max(newest, ...items.map(({ raisedAt }) => raisedAt.getTime()));
      for (const [id, at] of seen) if (at < newest - ALERT_OVERLAP_MS) seen.delete(id);
      return { items, more: false };
    };
    const [last] = await this.query<{ at: Date | null }>(
      tenantId,
      'select max(raised_at) as at from alerts where tenant_id = $1',
      [tenantId],
    );
    newest = last?.at?.getTime() ?? ALERT_OVERLAP_MS;
    // What is there already is not news.
    await look();
    return this.subscribe(topics.alerts(tenantId), look, { reading });
  }

  private async startOf(tenantId: string, after: string | null | undefined): Promise<string> {
    if (after != null && !SEQUENCE.test(after)) throw new InputError('`after` is not a cursor.', ['after']);
    const [head] = await this.query<{ sequence: string }>(
      tenantId,
      'select sequence from audit_heads where tenant_id = $1',
      [tenantId],
    );
    const sequence = head?.sequence ?? '0';
    if (after == null) return sequence;
    if (BigInt(after) > BigInt(sequence)) {
      throw new InputError('`after` is ahead of everything that has happened: it is a cursor of something else.', [
        'after',
      ]);
    }
    return after;
  }

  /** Follows rows with a `cursor`, in its order. Moves past what the filter leaves out, so that it is not read again. */
  private follow<Row>(
    tenantId: string,
    start: string,
    statement: (cursor: string) => { sql: string; parameters: readonly unknown[] },
    reading: Reading | undefined,
  ): AsyncIterableIterator<Row> {
    let cursor = start;
    const look = async (): Promise<Look<Row & { readonly cursor: string }>> => {
      const { sql, parameters } = statement(cursor);
      const rows = await this.query<Row & { head: string; cursor: string | null }>(tenantId, sql, parameters);
      const found = rows.filter((row) => row.cursor !== null);
      const more = found.length === BATCH;
      const reached = more ? found.at(-1)?.cursor : rows[0]?.head;
      if (reached != null && BigInt(reached) > BigInt(cursor)) cursor = reached;
      return { items: found as (Row & { cursor: string })[], more };
    };
    return this.subscribe(topics.events(tenantId), look, { reading, start, cursorOf: (row) => row.cursor });
  }

  private query<Row>(tenantId: string, sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    return this.options.db.tenant(tenantId, (tx) => tx.query<Row>(sql, parameters));
  }

  private subscribe<T>(
    topic: string,
    look: () => Promise<Look<T>>,
    { reading, start = null, cursorOf }: Following<T>,
  ): AsyncIterableIterator<T> {
    const controller = new AbortController();
    this.open.add(controller);
    const bell = this.wakeups.join(topic, new Bell());
    const close = () => {
      controller.abort();
      this.open.delete(controller);
      this.wakeups.leave(topic, bell);
    };
    const items = this.pull(bell, controller.signal, look, close);
    reading?.begin(start, close);
    return {
      next: async () => {
        reading?.askedForMore();
        const next = await items.next();
        if (!next.done) reading?.took(cursorOf?.(next.value) ?? null);
        return next;
      },
      // The generator may be waiting for its bell: end that first, or it would hear of its end only at the next poll.
      return: () => {
        close();
        return items.return(undefined);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  private async *pull<T>(
    bell: Bell,
    signal: AbortSignal,
    look: () => Promise<Look<T>>,
    close: () => void,
  ): AsyncGenerator<T, undefined, undefined> {
    try {
      while (!signal.aborted) {
        bell.hush();
        const found = await this.lookOrWait(look, bell, signal);
        for (const item of found.items) {
          if (signal.aborted) return;
          yield item;
        }
        if (found.ended) return;
        if (!found.more) await bell.wait(this.pollMs, signal);
      }
    } finally {
      close();
    }
  }

  /** A database that is away for a while ends no subscription: the cursor stays, so nothing is missed. */
  private async lookOrWait<T>(look: () => Promise<Look<T>>, bell: Bell, signal: AbortSignal): Promise<Look<T>> {
    try {
      return await look();
    } catch (error) {
      this.options.logger.warn({ err: error }, 'a subscription could not be read; trying again');
      bell.hush();
      await bell.wait(AFTER_FAILURE_MS, signal);
      return { items: [], more: true };
    }
  }
}
