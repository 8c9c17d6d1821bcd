import { newId } from '../domain/ids.js';
import { hashOf } from '../domain/keys.js';
import type { PostingStatus } from '../domain/postingState.js';
import type { Database, Tx } from '../entities/database.js';
import type { Caller } from './engine.js';

/** One step of the story, as the code tells it; sequence and hashes are added when the transaction commits. */
export interface AuditEntry {
  readonly actor: string;
  /** `subject.pastTense`, e.g. `posting.posted`, `mapping.changed`. */
  readonly action: string;
  readonly subjectType: string;
  readonly subjectId: string;
  /** One sentence that a finance person understands. */
  readonly summary: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly correlationId: string;
  /** A posting's change of state; also tells its subscribers. */
  readonly posting?: { readonly pipelineId: string; readonly from: PostingStatus | null; readonly to: PostingStatus };
}

/** The channel on which every process hears that a tenant's trail has grown. It carries no content: readers look. */
export const EVENTS_CHANNEL = 'ledgergate_events';

/** What the first event of a tenant is chained to. */
export const GENESIS_HASH = '0'.repeat(64);

const pending = new WeakMap<Tx, { entries: AuditEntry[]; now: Date }>();

/**
 * Adds events to the tenant's trail, in the same transaction as the change they tell of.
 *
 * They are written last, under the tenant's lock, which is held until the commit: so sequence numbers have no gaps and
 * become visible in their order, and whoever reads up to a number has missed nothing before it.
 */
export function record(tx: Tx, now: Date, ...entries: readonly AuditEntry[]): void {
  const collected = pending.get(tx);
  if (collected) {
    collected.entries.push(...entries);
    return;
  }
  pending.set(tx, { entries: [...entries], now });
  tx.beforeCommit('audit', append);
}

export function recordFor(tx: Tx, caller: Caller, now: Date, entry: Omit<AuditEntry, 'actor' | 'correlationId'>): void {
  record(tx, now, { ...entry, actor: caller.actor, correlationId: caller.correlationId });
}

interface StoredEvent {
  id: string;
  occurred_at: string;
  actor: string;
  action: string;
  subject_type: string;
  subject_id: string;
  summary: string;
  before: unknown;
  after: unknown;
  correlation_id: string;
}

function hashEvent(tenantId: string, sequence: bigint, event: StoredEvent, previousHash: string): string {
  return hashOf({ tenantId, sequence, previousHash, ...event });
}

async function append(tx: Tx): Promise<void> {
  const collected = pending.get(tx);
  if (!collected || collected.entries.length === 0) return;
  pending.delete(tx);
  const head = await lockHead(tx);
  let sequence = head.sequence;
  let hash = head.hash;
  const occurredAt = collected.now.toISOString();
  const changes: Record<string, unknown>[] = [];
  const rows = collected.entries.map((entry) => {
    sequence += 1n;
    const event: StoredEvent = {
      id: newId('audit'),
      occurred_at: occurredAt,
      actor: entry.actor,
      action: entry.action,
      subject_type: entry.subjectType,
      subject_id: entry.subjectId,
      summary: entry.summary,
      before: plain(entry.before),
      after: plain(entry.after),
      correlation_id: entry.correlationId,
    };
    const previous = hash;
    hash = hashEvent(tx.tenantId, sequence, event, previous);
    if (entry.posting) {
      changes.push({
        sequence: sequence.toString(),
        posting_id: entry.subjectId,
        pipeline_id: entry.posting.pipelineId,
        previous_status: entry.posting.from,
        status: entry.posting.to,
      });
    }
    return { ...event, sequence: sequence.toString(), previous_hash: previous, hash };
  });
  await tx.query(
    `with events as (
       insert into audit_events (tenant_id, sequence, id, occurred_at, actor, action, subject_type, subject_id, summary,
         before, after, correlation_id, previous_hash, hash)
       select $1, e.sequence, e.id, e.occurred_at, e.actor, e.action, e.subject_type, e.subject_id, e.summary,
         e.before, e.after, e.correlation_id, e.previous_hash, e.hash
       from jsonb_to_recordset($2::jsonb) as e(sequence bigint, id text, occurred_at timestamptz, actor text, action text,
         subject_type text, subject_id text, summary text, before jsonb, after jsonb, correlation_id text,
         previous_hash text, hash text)
     ), changes as (
       insert into posting_events (tenant_id, sequence, posting_id, pipeline_id, previous_status, status, occurred_at)
       select $1, c.sequence, c.posting_id, c.pipeline_id, c.previous_status, c.status, $6::timestamptz
       from jsonb_to_recordset($3::jsonb) as c(sequence bigint, posting_id text, pipeline_id text, previous_status text,
         status text)
     ), head as (
       update audit_heads set sequence = $4::bigint, hash = $5 where tenant_id = $1
     )
     select ${tx.isNotifying ? `pg_notify('${EVENTS_CHANNEL}', $1)` : '1'}`,
    [tx.tenantId, JSON.stringify(rows), JSON.stringify(changes), sequence.toString(), hash, occurredAt],
  );
  if (!tx.isNotifying) await tx.wake(EVENTS_CHANNEL, tx.tenantId);
}

async function lockHead(tx: Tx): Promise<{ sequence: bigint; hash: string }> {
  const find = () =>
    tx.query<{ sequence: string; hash: string }>(
      'select sequence, hash from audit_heads where tenant_id = $1 for update',
      [tx.tenantId],
    );
  let [head] = await find();
  if (!head) {
    await tx.execute(
      'insert into audit_heads (tenant_id, sequence, hash) values ($1, 0, $2) on conflict (tenant_id) do nothing',
      [tx.tenantId, GENESIS_HASH],
    );
    [head] = await find();
  }
  return { sequence: BigInt(head?.sequence ?? 0), hash: head?.hash ?? GENESIS_HASH };
}

/** What the database will give back: JSON without `undefined`, dates and bigints as text. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  return JSON.parse(JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? item.toString() : item)));
}

export interface AuditVerification {
  readonly ok: boolean;
  readonly eventsChecked: bigint;
  readonly firstBrokenSequence: bigint | null;
  readonly headHash: string;
}

interface ReadEvent extends Omit<StoredEvent, 'occurred_at'> {
  sequence: string;
  occurred_at: Date;
  previous_hash: string;
  hash: string;
}

const VERIFY_BATCH = 2_000;

/**
 * Recomputes the whole chain in one consistent picture: every hash, every link, every number from 1 without a gap, and
 * the head. Memory does not grow with the trail.
 */
export async function verifyAuditChain(db: Database, tenantId: string): Promise<AuditVerification> {
  return db.snapshot(tenantId, async (tx) => {
    let previousHash = GENESIS_HASH;
    let last = 0n;
    for (;;) {
      const rows = await tx.query<ReadEvent>(
        `select sequence, id, occurred_at, actor, action, subject_type, subject_id, summary, before, after,
           correlation_id, previous_hash, hash
         from audit_events where tenant_id = $1 and sequence > $2 order by sequence limit ${VERIFY_BATCH}`,
        [tenantId, last.toString()],
      );
      for (const { sequence, previous_hash, hash, ...event } of rows) {
        const number = last + 1n;
        const stored = { ...event, occurred_at: event.occurred_at.toISOString() };
        const isWhole =
          BigInt(sequence) === number &&
          previous_hash === previousHash &&
          hash === hashEvent(tenantId, number, stored, previousHash);
        if (!isWhole) return { ok: false, eventsChecked: last, firstBrokenSequence: number, headHash: previousHash };
        previousHash = hash;
        last = number;
      }
      if (rows.length < VERIFY_BATCH) break;
    }
    const [head] = await tx.query<{ sequence: string; hash: string }>(
      'select sequence, hash from audit_heads where tenant_id = $1',
      [tenantId],
    );
    const isHeadRight = head ? BigInt(head.sequence) === last && head.hash === previousHash : last === 0n;
    return {
      ok: isHeadRight,
      eventsChecked: last,
      firstBrokenSequence: isHeadRight ? null : last + 1n,
      headHash: previousHash,
    };
  });
}
