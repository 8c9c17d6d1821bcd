import type { LocalDate } from '../domain/localDate.js';
import { decimalOfMinor, moneyFromDecimal } from '../domain/money.js';
import { bucketOf, type PostingStatus } from '../domain/postingState.js';
import {
  reconcile as addUp,
  RECONCILIATION_BUCKETS,
  type ReconciliationBucket,
  type ReconciliationRow,
  type ReconciliationTotal,
} from '../domain/reconcile.js';
import type { SourceObject, SpendKind } from '../domain/spend.js';
import { viewsOf, worthOf } from '../domain/splits.js';
import type { SpendStatus, SpendStream } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import type { Engine } from './engine.js';
import { loadPipeline, type PipelineRow } from './pipelines.js';
import type { ReconciliationAnswer } from './useCases.js';

/** Records held in memory at a time. */
const BATCH = 2_000;

/**
 * Where every cent is that the source holds for a window of purchase days.
 *
 * The source's side is added up anew from its objects as they were read, not from what was planned from them. Posted is
 * what the ledger confirmed. Money that no document, queue or decision accounts for is left over as the difference.
 * @returns null when there is no such pipeline.
 */
export async function reconcile(
  engine: Engine,
  tenantId: string,
  request: { pipelineId: string; from: LocalDate; to: LocalDate },
): Promise<ReconciliationAnswer | null> {
  // One picture for all batches: a posting that is settled meanwhile must not be seen half.
  return engine.db.snapshot(tenantId, async (tx) => {
    const pipeline = await loadPipeline(tx, request.pipelineId);
    if (!pipeline) return null;
    const totals = new Map<string, ReconciliationTotal>();
    for await (const rows of batches(tx, pipeline, request)) {
      for (const total of addUp(rows)) totals.set(total.currency, merged(totals.get(total.currency), total));
    }
    const unknowns = await unknownsOf(tx, pipeline, request);
    return {
      from: request.from,
      to: request.to,
      complete: unknowns.length === 0,
      generatedAt: engine.clock.now(),
      totals: [...totals.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1)).map(shown),
      unknowns,
    };
  });
}

function merged(a: ReconciliationTotal | undefined, b: ReconciliationTotal): ReconciliationTotal {
  if (!a) return b;
  const sum = { ...a, source: a.source + b.source, difference: a.difference + b.difference };
  for (const bucket of RECONCILIATION_BUCKETS) sum[bucket] = a[bucket] + b[bucket];
  return { ...sum, recordCount: a.recordCount + b.recordCount };
}

function shown(total: ReconciliationTotal): ReconciliationAnswer['totals'][number] {
  const text = (minor: bigint) => decimalOfMinor(minor, total.currency);
  return {
    currency: total.currency,
    source: text(total.source),
    posted: text(total.posted),
    held: text(total.held),
    excluded: text(total.excluded),
    rejected: text(total.rejected),
    inFlight: text(total.inFlight),
    unknown: text(total.unknown),
    difference: text(total.difference),
    recordCount: total.recordCount,
  };
}

// ── records ──────────────────────────────────────────────────────────────────────────────────

interface RecordRow {
  id: string;
  transaction_date: LocalDate;
  currency: string;
  status: SpendStatus;
  waiting_reason: string | null;
  is_queued: boolean;
}

interface PostingRow {
  spend_record_id: string;
  pipeline_id: string;
  amount: string;
  currency: string;
  status: PostingStatus;
  is_reversal: boolean;
}

async function* batches(
  tx: Tx,
  pipeline: PipelineRow,
  request: { from: LocalDate; to: LocalDate },
): AsyncGenerator<ReconciliationRow[]> {
  let after: Pick<RecordRow, 'transaction_date' | 'id'> = { transaction_date: request.from, id: '' };
  for (;;) {
    const records = await tx.query<RecordRow>(
      `select r.id, r.transaction_date, r.currency, r.status, r.waiting_reason,
         exists (select from planning_queue q where q.tenant_id = r.tenant_id and q.pipeline_id = $6
           and q.spend_record_id = r.id) as is_queued
       from spend_records r
       where r.tenant_id = $1 and r.source_id = $2 and (r.transaction_date, r.id) > ($3::date, $4)
         and r.transaction_date <= $5
       order by r.transaction_date, r.id limit ${BATCH}`,
      [tx.tenantId, pipeline.source_id, after.transaction_date, after.id, request.to, pipeline.id],
    );
    const last = records.at(-1);
    if (!last) return;
    yield await rowsOf(tx, pipeline, records);
    if (records.length < BATCH) return;
    after = last;
  }
}

async function rowsOf(tx: Tx, pipeline: PipelineRow, records: readonly RecordRow[]): Promise<ReconciliationRow[]> {
  const ids = records.map((record) => record.id);
  const objects = groupBy(
    await tx.query<ObjectRow>(
      // Only what decides the amount: whole objects would be most of what a large window moves.
      `select spend_record_id, stream, external_id, version, kind, amount, currency, object -> 'keys' as keys,
         (object ->> 'isWithdrawn')::boolean as is_withdrawn
       from source_objects where tenant_id = $1 and spend_record_id = any($2)`,
      [tx.tenantId, ids],
    ),
  );
  const postings = groupBy(
    await tx.query<PostingRow>(
      `select ps.spend_record_id, p.pipeline_id, ps.amount, p.currency, p.status, p.reverses_id is not null as is_reversal
       from posting_spend ps join postings p on p.tenant_id = ps.tenant_id and p.id = ps.posting_id
       where ps.tenant_id = $1 and ps.spend_record_id = any($2) order by p.id`,
      [tx.tenantId, ids],
    ),
  );
  return records.flatMap((record) => {
    const source = sourceAmounts((objects.get(record.id) ?? []).map(objectOf));
    return rowsOfRecord(record, source, postings.get(record.id) ?? [], pipeline.id);
  });
}

interface ObjectRow {
  spend_record_id: string;
  stream: SpendStream;
  external_id: string;
  version: string;
  kind: SpendKind;
  amount: string;
  currency: string;
  keys: string[];
  is_withdrawn: boolean;
}

/** The object as far as its amount is concerned. */
function objectOf(row: ObjectRow): SourceObject {
  return {
    stream: row.stream,
    externalId: row.external_id,
    version: row.version,
    keys: row.keys,
    kind: row.kind,
    isWithdrawn: row.is_withdrawn,
    amount: moneyFromDecimal(row.amount, row.currency),
    ...NOT_ASKED,
  };
}

const NOT_ASKED = {
  notSpendReason: null,
  isFinal: true,
  originalAmount: null,
  exchangeRate: null,
  tax: null,
  merchantName: null,
  merchantDescriptor: null,
  mcc: null,
  category: null,
  dimensions: {},
  parts: [],
  spender: null,
  memo: null,
  transactionDate: '1970-01-01' as LocalDate,
  postedDate: null,
  receiptUrls: [],
  raw: null,
};

/**
 * What the source says the purchase is, minor units by currency: its richest stream that still stands, of a split only
 * the parts. The same reading of the objects as `unify`, taken here a second time and from the objects alone.
 */
function sourceAmounts(objects: readonly SourceObject[]): Map<string, bigint> {
  const standing = objects.filter((object) => !object.isWithdrawn);
  const isSpend = (object: SourceObject) => object.kind !== 'NOT_SPEND';
  const considered = [standing.filter(isSpend), standing, objects.filter(isSpend)].find((list) => list.length > 0);
  const amounts = new Map<string, bigint>();
  const views = viewsOf(considered ?? objects);
  const [richest] = views;
  const worth = worthOf(views);
  if (richest && worth !== null) return amounts.set(richest.currency, worth);
  for (const { amount } of richest?.objects ?? []) {
    amounts.set(amount.currency, (amounts.get(amount.currency) ?? 0n) + amount.minor);
  }
  return amounts;
}

/** One row for each currency that the source or a document names for the record: nearly always one. */
function rowsOfRecord(
  record: RecordRow,
  source: ReadonlyMap<string, bigint>,
  all: readonly PostingRow[],
  pipelineId: string,
): ReconciliationRow[] {
  const own = all.filter((posting) => posting.pipeline_id === pipelineId);
  const documents = own.filter((posting) => posting.status !== 'CANCELLED');
  const currencies = new Set([...source.keys(), ...documents.map((posting) => posting.currency)]);
  if (currencies.size === 0) currencies.add(record.currency);
  const rest = restBucket(record, documents, own.length > 0, all.length > 0);
  return [...currencies].sort().map((currency) => {
    const amountMinor = source.get(currency) ?? 0n;
    const contributions: Partial<Record<ReconciliationBucket, bigint>> = {};
    const put = (bucket: ReconciliationBucket, minor: bigint) => {
      contributions[bucket] = (contributions[bucket] ?? 0n) + minor;
    };
    let left = amountMinor;
    for (const posting of documents) {
      if (posting.currency !== currency) continue;
      const { minor } = moneyFromDecimal(posting.amount, currency);
      put(bucketOfDocument(posting.status), minor);
      left -= minor;
    }
    if (left !== 0n && rest !== null) put(rest, left);
    const id = currencies.size === 1 ? record.id : `${record.id} ${currency}`;
    return { id, currency, amountMinor, contributions };
  });
}

function bucketOfDocument(status: PostingStatus): ReconciliationBucket {
  // In the books with its full amount until its reversal, which is a document of its own, takes that back.
  if (status === 'REVERSED') return 'posted';
  // It waits for a person, whoever reads the report as well.
  if (status === 'AWAITING_APPROVAL') return 'held';
  return bucketOf(status);
}

/** Where the part of a record's money is that none of its documents carries; null = nothing accounts for it. */
function restBucket(
  record: RecordRow,
  documents: readonly PostingRow[],
  hadDocument: boolean,
  isElsewhere: boolean,
): ReconciliationBucket | null {
  const hasDocument = documents.length > 0;
  if (record.is_queued) return 'inFlight';
  // A document that is held because of the amount itself carries less than the purchase, or nothing.
  const pending = documents.filter((posting) => posting.status !== 'POSTED' && posting.status !== 'REVERSED');
  const [next] = [...pending].sort((a, b) => Number(a.is_reversal) - Number(b.is_reversal));
  if (next) return bucketOfDocument(next.status);
  if (record.status === 'EXCLUDED') return 'excluded';
  // The source changed it inside a document of many: a person corrects that in the ledger.
  if (hasDocument && record.waiting_reason !== null) return 'held';
  if (record.status === 'NEW' || record.status === 'PLANNED') return 'inFlight';
  // All that was in the books of it was taken back, and nothing replaces that.
  if (hasDocument && documents.every((posting) => posting.is_reversal || posting.status === 'REVERSED'))
    return 'excluded';
  // Another pipeline of the same source carries it, so this one leaves it alone.
  if (isElsewhere && !hadDocument) return 'excluded';
  // Its only document was given up.
  if (hadDocument && !hasDocument) return 'excluded';
  return null;
}

function groupBy<Row extends { spend_record_id: string }>(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.spend_record_id);
    if (group) group.push(row);
    else groups.set(row.spend_record_id, [row]);
  }
  return groups;
}

// ── what nobody knows ────────────────────────────────────────────────────────────────────────

const NAMED_MAX = 5;

async function unknownsOf(
  tx: Tx,
  pipeline: PipelineRow,
  request: { from: LocalDate; to: LocalDate },
): Promise<string[]> {
  return [
    ...(await unreadable(tx, pipeline)),
    ...(await unreadStreams(tx, pipeline)),
    ...(await doubtful(tx, pipeline, request)),
  ];
}

/** Of what could not be read the day is not known either, so it may belong to any window. */
async function unreadable(tx: Tx, pipeline: PipelineRow): Promise<string[]> {
  const rows = await tx.query<{ stream: SpendStream; count: number; named: string[]; reason: string }>(
    `select stream, count(*)::int as count, min(reason) as reason,
       (array_agg(external_id order by external_id))[1:${NAMED_MAX}] as named
     from unreadable_objects where tenant_id = $1 and source_id = $2 and stream = any($3) and resolved_at is null
     group by stream order by stream`,
    [tx.tenantId, pipeline.source_id, pipeline.streams],
  );
  return rows.map(
    ({ stream, count, named, reason }) =>
      `${count} ${count === 1 ? 'object' : 'objects'} of ${stream} could not be read: ${named.join(', ')}${count > named.length ? ' …' : ''}. ${reason}`,
  );
}

async function unreadStreams(tx: Tx, pipeline: PipelineRow): Promise<string[]> {
  const streams = await tx.query<{ stream: SpendStream; read_until: Date | null; failure: string | null }>(
    `select s.stream, c.read_until, f.summary as failure
     from unnest($3::text[]) as s(stream)
     left join checkpoints c on c.tenant_id = $1 and c.pipeline_id = $2 and c.stream = s.stream
     left join lateral (
       select e.summary from sync_runs r
       join audit_events e on e.tenant_id = r.tenant_id and e.subject_type = 'SyncRun' and e.subject_id = r.id
       where r.tenant_id = $1 and r.pipeline_id = $2 and e.action = 'sync.streamUnread' and e.after ->> 'stream' = s.stream
         and (c.read_until is null or (e.occurred_at >= c.read_until and (r.finished_at is null or r.finished_at >= c.read_until)))
       order by e.sequence desc limit 1
     ) f on true
     order by s.stream`,
    [tx.tenantId, pipeline.id, pipeline.streams],
  );
  return streams.flatMap(({ read_until, failure }) => {
    if (failure === null) return [];
    return [read_until === null ? failure : `${failure} It was last read to its end at ${read_until.toISOString()}.`];
  });
}

async function doubtful(tx: Tx, pipeline: PipelineRow, request: { from: LocalDate; to: LocalDate }): Promise<string[]> {
  const [row] = await tx.query<{ count: number; named: string[] | null }>(
    `select count(*)::int as count, (array_agg(p.reference order by p.reference))[1:${NAMED_MAX}] as named
     from postings p where p.tenant_id = $1 and p.pipeline_id = $2 and p.status = 'IN_DOUBT'
       and exists (select from posting_spend ps join spend_records r on r.tenant_id = ps.tenant_id and r.id = ps.spend_record_id
         where ps.tenant_id = p.tenant_id and ps.posting_id = p.id and r.transaction_date between $3 and $4)`,
    [tx.tenantId, pipeline.id, request.from, request.to],
  );
  if (!row || row.count === 0) return [];
  const named = row.named ?? [];
  return [
    `${row.count} ${row.count === 1 ? 'posting is' : 'postings are'} in doubt: the ledger is being asked about ${named.join(', ')}${row.count > named.length ? ' …' : ''}.`,
  ];
}
