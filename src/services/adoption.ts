import type { FoundDocument, LedgerConnection } from '../connectors/contract.js';
import { assertMove, type PostingStatus } from '../domain/postingState.js';
import type { Tx } from '../entities/database.js';
import { record } from './audit.js';
import type { Engine } from './engine.js';
import { type ClaimedPosting, COLUMNS, foundElsewhere, tellMove } from './ledgerWork.js';
import { type ExportStreams, type Result, resultOfFound, settle } from './settle.js';
import { type History, historiesOf } from './takenBack.js';

// A restored database remembers less than the ledger holds. What is READY is looked for before it is sent (see drain.ts).
// What waits for a person here may have been released and posted after the backup was made: whoever cancelled it now, or
// entered it by hand, would be wrong. So it is looked for as well, and what is found is adopted.

/** What may have been posted since a backup although it waits here. */
const WAITING: readonly PostingStatus[] = ['HELD', 'REJECTED', 'AWAITING_APPROVAL'];
const BATCH = 25;

/** Until when the waiting postings of a ledger were looked for, a process: a restore always comes with a new process. */
const passes = new WeakMap<Engine['db'], Map<string, Date>>();

export interface AdoptionParts {
  readonly engine: Engine;
  readonly tenantId: string;
  readonly ledgerId: string;
  readonly connection: LedgerConnection;
  readonly isStopping: () => boolean;
  /** What the ledger holds, by reference. */
  find(postings: readonly ClaimedPosting[]): Promise<ReadonlyMap<string, readonly FoundDocument[]>>;
  exportsOf(posting: ClaimedPosting): Promise<ExportStreams>;
}

/** What became of documents of the ledger that this database never sent, by posting. @throws like a read. */
export async function judgeUnsent(
  { engine, tenantId, connection }: Pick<AdoptionParts, 'engine' | 'tenantId' | 'connection'>,
  postings: readonly ClaimedPosting[],
  found: ReadonlyMap<string, readonly FoundDocument[]>,
): Promise<Map<string, Result>> {
  const known = postings.flatMap((posting) => {
    const [document] = found.get(posting.reference) ?? [];
    return document ? [{ posting, document }] : [];
  });
  if (known.length === 0) return new Map();
  const sent = await engine.db.tenant(tenantId, (tx) => sentBefore(tx, postings));
  const histories = await historiesOf(engine, tenantId, connection, known);
  return new Map(
    known.map(({ posting }) => {
      const documents = found.get(posting.reference) ?? [];
      const how = sent.has(posting.id) ? 'FOUND' : 'ADOPTED';
      return [posting.id, resultOf(posting, documents, histories.get(posting.id), how)];
    }),
  );
}

/** Those that this database knows of having sent once, and whose absence was proven too early or by a mistake. */
async function sentBefore(tx: Tx, postings: readonly ClaimedPosting[]): Promise<Set<string>> {
  const rows = await tx.query<{ posting_id: string }>(
    'select distinct posting_id from posting_attempts where tenant_id = $1 and posting_id = any($2)',
    [tx.tenantId, postings.map(({ id }) => id)],
  );
  return new Set(rows.map((row) => row.posting_id));
}

function resultOf(
  posting: ClaimedPosting,
  found: readonly FoundDocument[],
  history: History | undefined,
  how: 'FOUND' | 'ADOPTED',
): Result {
  if (found.length === 1 && history?.kind === 'TAKEN_BACK') return history;
  if (found.length === 1 && history?.kind === 'UNCLEAR') {
    return { kind: 'ELSEWHERE', found, difference: history.difference };
  }
  return resultOfFound(posting, found, how);
}

/**
 * Looks for the postings of a ledger that wait for a person: all of them once a process, later those that were planned
 * since. What the ledger holds is adopted; where that is another document, the posting says so.
 * @throws like a read; the pass is made again then.
 */
export async function adoptWaiting(parts: AdoptionParts): Promise<void> {
  const { engine, tenantId, ledgerId } = parts;
  const known = passes.get(engine.db) ?? new Map<string, Date>();
  passes.set(engine.db, known);
  const key = `${tenantId}/${ledgerId}`;
  const since = known.get(key) ?? null;
  const begunAt = engine.clock.now();
  for (let after = ''; ; ) {
    if (parts.isStopping()) return;
    const waiting = await engine.db.tenant(tenantId, (tx) => waitingPostings(tx, ledgerId, since, after));
    const last = waiting.at(-1);
    if (!last) break;
    after = last.id;
    const results = await judgeUnsent(parts, waiting, await parts.find(waiting));
    for (const posting of waiting) {
      const result = results.get(posting.id);
      const streams = result ? await parts.exportsOf(posting) : null;
      if (result && streams) await engine.db.tenant(tenantId, (tx) => adopt(engine, tx, posting, result, streams));
    }
  }
  known.set(key, begunAt);
}

function waitingPostings(tx: Tx, ledgerId: string, since: Date | null, after: string): Promise<ClaimedPosting[]> {
  return tx.query<ClaimedPosting>(
    `select ${COLUMNS} from postings where tenant_id = $1 and ledger_id = $2 and status = any($3) and id > $4
       and ($5::timestamptz is null or updated_at >= $5) and not holds @> '[{"code": "SUSPECTED_DUPLICATE", "field": "reference"}]'
     order by id limit ${BATCH}`,
    [tx.tenantId, ledgerId, WAITING, after, since],
  );
}

async function adopt(
  engine: Engine,
  tx: Tx,
  posting: ClaimedPosting,
  result: Result,
  streams: ExportStreams,
): Promise<void> {
  if (result.kind === 'ELSEWHERE') {
    // A draft that an attempt left there is in nobody's books.
    const isInBooks = result.found.some((one) => one.isPosted);
    if (isInBooks) await tellElsewhere(engine, tx, posting, result.found, result.difference);
    return;
  }
  const taken = await takeOver(engine, tx, posting);
  if (taken) await settle(engine, tx, taken, result, streams);
}

/** Goes the way that every posting goes, in one step: nothing is sent on it. @returns null when it was changed meanwhile. */
async function takeOver(engine: Engine, tx: Tx, posting: ClaimedPosting): Promise<ClaimedPosting | null> {
  const now = engine.clock.now();
  if (posting.status !== 'AWAITING_APPROVAL') {
    assertMove(posting.status, 'PLANNED');
    assertMove('PLANNED', 'READY');
  } else assertMove(posting.status, 'READY');
  assertMove('READY', 'POSTING');
  const [taken] = await tx.query<ClaimedPosting>(
    `with taken as (
       update postings set status = 'POSTING', fence = fence + 1, updated_at = $5
       where tenant_id = $1 and id = $2 and fence = $3 and status = $4 returning ${COLUMNS}
     ), attempt as (
       insert into posting_attempts (tenant_id, posting_id, number, fence, plan_hash, worker, started_at, outcome)
       select $1, id, (select count(*) + 1 from posting_attempts where tenant_id = $1 and posting_id = $2), fence, plan_hash,
         $6, $5, 'FOUND' from taken)
     select * from taken`,
    [tx.tenantId, posting.id, posting.fence, posting.status, now, engine.processId],
  );
  if (!taken) return null;
  tellMove(tx, now, posting, posting.status, 'READY', {
    action: 'posting.adopting',
    summary: `${posting.description}: it is ${posting.status} here, but the ledger holds it under its reference. Nothing is sent.`,
  });
  tellMove(tx, now, posting, 'READY', 'POSTING', {
    action: 'posting.adopting',
    summary: `${posting.description}: taken over from the ledger.`,
  });
  return taken;
}

/** A person sees it beside the reasons that there are already, before deciding what to do with the posting. */
async function tellElsewhere(
  engine: Engine,
  tx: Tx,
  posting: ClaimedPosting,
  found: readonly FoundDocument[],
  difference: string,
): Promise<void> {
  const now = engine.clock.now();
  const hold = foundElsewhere(found, difference);
  const told = await tx.execute(
    `update postings set holds = holds || $4::jsonb, updated_at = $5 where tenant_id = $1 and id = $2 and fence = $3`,
    [tx.tenantId, posting.id, posting.fence, JSON.stringify([hold]), now],
  );
  if (told === 0) return;
  record(tx, now, {
    actor: 'system:posting',
    action: 'posting.foundElsewhere',
    subjectType: 'GlPosting',
    subjectId: posting.id,
    summary: `${posting.description}: ${hold.message}`,
    after: { found: found.map((one) => one.ledgerDocumentId), difference },
    correlationId: posting.correlation_id,
  });
}
