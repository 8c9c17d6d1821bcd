import type { SpendPage } from '../connectors/contract.js';
import { originKeyOf } from '../domain/identity.js';
import { newId } from '../domain/ids.js';
import { hashOf } from '../domain/keys.js';
import { decimalOf } from '../domain/money.js';
import type { SourceObject, UnifiedSpend } from '../domain/spend.js';
import { contentHashOf, sourceObjectFromJson, spendToJson } from '../domain/spendJson.js';
import { unify } from '../domain/unify.js';
import { normaliseMerchant } from '../domain/vendor/index.js';
import type { SpendStream } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { noteReceipts } from './receiptLinks.js';
import { storable } from './storableText.js';

export interface IngestCounts {
  readonly read: number;
  /** Purchases seen for the first time, and purchases whose content changed. */
  readonly created: number;
  readonly changed: number;
  readonly unreadable: number;
}

/**
 * Stores one page of one stream and joins its objects with what other streams said about the same purchases.
 *
 * Safe to repeat and in any order: an object is known by its id, a purchase by the keys its objects share, and a page
 * whose objects did not change writes nothing. One transaction: a page is stored whole or not at all.
 */
export async function ingestPage(
  engine: Engine,
  caller: Caller,
  sourceId: string,
  stream: SpendStream,
  page: SpendPage,
): Promise<IngestCounts> {
  return engine.db.tenant(caller.tenantId, (tx) => ingestInto(engine, caller, tx, sourceId, stream, page));
}

/** The same inside a transaction of the caller's; a dry run rolls it back. */
export async function ingestInto(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  sourceId: string,
  stream: SpendStream,
  given: SpendPage,
): Promise<IngestCounts> {
  const page = storable(given);
  // Two pages that name the same purchase at the same time would make it twice: one page of a source at a time.
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`ingest:${tx.tenantId}:${sourceId}`]);
  await storeUnreadable(tx, engine, sourceId, stream, page);
  const changed = await changedObjects(tx, sourceId, stream, latestOfEach(page.objects));
  const counts = { read: page.objects.length, unreadable: page.unreadable.length };
  if (changed.length === 0) return { ...counts, created: 0, changed: 0 };
  const owners = await assignRecords(tx, engine, caller, sourceId, changed);
  await storeObjects(tx, engine, sourceId, changed, owners);
  await noteReceipts(
    engine,
    tx,
    sourceId,
    changed.map(({ object }) => object),
  );
  const outcome = await unifyRecords(tx, engine, caller, sourceId, [...new Set(owners.values())]);
  return { ...counts, ...outcome };
}

// ── objects ──────────────────────────────────────────────────────────────────────────────────

interface Incoming {
  readonly object: SourceObject;
  readonly hash: string;
}

function latestOfEach(objects: readonly SourceObject[]): SourceObject[] {
  // A page may repeat an object while the source is being written to; the last one read is the newest.
  return [...new Map(objects.map((object) => [object.externalId, object])).values()];
}

async function changedObjects(
  tx: Tx,
  sourceId: string,
  stream: SpendStream,
  objects: readonly SourceObject[],
): Promise<Incoming[]> {
  if (objects.length === 0) return [];
  const known = await tx.query<{ external_id: string; content_hash: string }>(
    `select external_id, content_hash from source_objects
     where tenant_id = $1 and source_id = $2 and stream = $3 and external_id = any($4)`,
    [tx.tenantId, sourceId, stream, objects.map((object) => object.externalId)],
  );
  const hashes = new Map(known.map((row) => [row.external_id, row.content_hash]));
  return objects
    .map((object) => ({ object, hash: hashOf({ ...object, raw: null, version: null }) }))
    .filter(({ object, hash }) => hashes.get(object.externalId) !== hash);
}

async function storeObjects(
  tx: Tx,
  engine: Engine,
  sourceId: string,
  changed: readonly Incoming[],
  owners: ReadonlyMap<string, string>,
): Promise<void> {
  const rows = changed.map(({ object, hash }) => ({
    stream: object.stream,
    external_id: object.externalId,
    export_id: object.exportId ?? null,
    version: object.version,
    content_hash: hash,
    kind: object.kind,
    amount: decimalOf(object.amount),
    currency: object.amount.currency,
    object: JSON.parse(spendToJson({ ...object, raw: null })),
    raw: object.raw ?? null,
    spend_record_id: owners.get(object.externalId),
  }));
  await tx.execute(
    `insert into source_objects (tenant_id, source_id, stream, external_id, version, content_hash, kind, amount, currency,
       object, raw, spend_record_id, export_id, first_seen_at, last_changed_at)
     select $1, $2, stream, external_id, version, content_hash, kind, amount, currency, object, raw, spend_record_id,
       export_id, $4, $4
     from jsonb_to_recordset($3::jsonb) as r(stream text, external_id text, version text, content_hash text, kind text,
       amount numeric, currency text, object jsonb, raw jsonb, spend_record_id text, export_id text)
     on conflict (tenant_id, source_id, stream, external_id) do update set version = excluded.version,
       content_hash = excluded.content_hash, kind = excluded.kind, amount = excluded.amount, currency = excluded.currency,
       object = excluded.object, raw = excluded.raw, spend_record_id = excluded.spend_record_id,
       export_id = excluded.export_id, last_changed_at = excluded.last_changed_at`,
    [tx.tenantId, sourceId, JSON.stringify(rows), engine.clock.now()],
  );
  const ids = changed.map(({ object }) => object.externalId);
  await tx.execute(
    `update unreadable_objects set resolved_at = $4
     where tenant_id = $1 and source_id = $2 and external_id = any($3) and resolved_at is null`,
    [tx.tenantId, sourceId, ids, engine.clock.now()],
  );
}

async function storeUnreadable(
  tx: Tx,
  engine: Engine,
  sourceId: string,
  stream: SpendStream,
  page: SpendPage,
): Promise<void> {
  if (page.unreadable.length === 0) return;
  const rows = page.unreadable.map((one) => ({
    // An object without an id is known by its content: the same rubbish read twice is one unknown.
    external_id: one.externalId ?? `content:${hashOf(one.raw ?? null)}`,
    reason: one.reason,
    raw: one.raw ?? null,
  }));
  await tx.execute(
    `insert into unreadable_objects (tenant_id, source_id, stream, external_id, reason, raw, seen_at)
     select distinct on (external_id) $1, $2, $3, external_id, reason, raw, $5::timestamptz
     from jsonb_to_recordset($4::jsonb) as r(external_id text, reason text, raw jsonb)
     on conflict (tenant_id, source_id, stream, external_id) do update set reason = excluded.reason, raw = excluded.raw,
       seen_at = excluded.seen_at, resolved_at = null`,
    [tx.tenantId, sourceId, stream, JSON.stringify(rows), engine.clock.now()],
  );
}

// ── which purchase an object belongs to ──────────────────────────────────────────────────────

/** Gives every changed object its record, joining records that turn out to be one purchase. Answers by external id. */
async function assignRecords(
  tx: Tx,
  engine: Engine,
  caller: Caller,
  sourceId: string,
  changed: readonly Incoming[],
): Promise<Map<string, string>> {
  const keys = [...new Set(changed.flatMap(({ object }) => object.keys))];
  const known = await tx.query<{ key: string; spend_record_id: string }>(
    'select key, spend_record_id from spend_keys where tenant_id = $1 and source_id = $2 and key = any($3)',
    [tx.tenantId, sourceId, keys],
  );
  const recordOf = new Map(known.map((row) => [row.key, row.spend_record_id]));
  const seniority = await seniorityOf(tx, [...new Set(recordOf.values())]);
  const byStanding = (a: string, b: string): number =>
    (seniority.get(b) ?? 0) - (seniority.get(a) ?? 0) || (a < b ? -1 : 1);
  const joins = new Map<string, string>();
  const resolve = (id: string): string => {
    const next = joins.get(id);
    return next === undefined ? id : resolve(next);
  };
  const owners = new Map<string, string>();
  for (const { object } of changed) {
    const found = object.keys.map((key) => recordOf.get(key)).filter((id) => id !== undefined);
    // What is in the ledger stays where it is, under the name it has; among equals the oldest (ids sort by age) survives.
    const distinct = [...new Set(found.map(resolve))].sort(byStanding);
    const [survivor = newId('spend'), ...joined] = distinct;
    for (const id of joined) joins.set(id, survivor);
    for (const key of object.keys) recordOf.set(key, survivor);
    owners.set(object.externalId, survivor);
  }
  for (const [id, owner] of owners) owners.set(id, resolve(owner));
  const pairs = [...recordOf].map(([key, id]) => ({ key, id: resolve(id) }));
  await tx.execute(
    `insert into spend_keys (tenant_id, source_id, key, spend_record_id)
     select $1, $2, key, id from jsonb_to_recordset($3::jsonb) as r(key text, id text)
     on conflict (tenant_id, source_id, key) do update set spend_record_id = excluded.spend_record_id
     where spend_keys.spend_record_id <> excluded.spend_record_id`,
    [tx.tenantId, sourceId, JSON.stringify(pairs)],
  );
  for (const [from, to] of joins) await joinRecords(tx, engine, caller, sourceId, from, resolve(to));
  return owners;
}

/** How firmly each record stands: 2 = a document of it was sent, 1 = it was planned, absent = neither. */
async function seniorityOf(tx: Tx, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length < 2) return new Map();
  const rows = await tx.query<{ id: string; rank: number }>(
    `select ps.spend_record_id as id,
       max(case when p.status in ('POSTING', 'IN_DOUBT', 'POSTED', 'REVERSED') then 2 else 1 end) as rank
     from posting_spend ps join postings p on p.tenant_id = ps.tenant_id and p.id = ps.posting_id
     where ps.tenant_id = $1 and ps.spend_record_id = any($2) group by ps.spend_record_id`,
    [tx.tenantId, ids],
  );
  return new Map(rows.map((row) => [row.id, row.rank]));
}

/**
 * Two records were one purchase all along: one gives its objects and keys to the other and is left empty. Planning then
 * takes back whatever it had in hand or in the ledger. Its name goes with its keys, unless a document carries that.
 */
async function joinRecords(
  tx: Tx,
  engine: Engine,
  caller: Caller,
  sourceId: string,
  from: string,
  to: string,
): Promise<void> {
  await tx.execute('update spend_keys set spend_record_id = $3 where tenant_id = $1 and spend_record_id = $2', [
    tx.tenantId,
    from,
    to,
  ]);
  await tx.execute('update source_objects set spend_record_id = $3 where tenant_id = $1 and spend_record_id = $2', [
    tx.tenantId,
    from,
    to,
  ]);
  const now = engine.clock.now();
  await tx.execute(
    `update spend_records set excluded_reason = $3, status = 'EXCLUDED', updated_at = $4,
       unified = jsonb_set(unified, '{isWithdrawn}', 'true'),
       origin_key = case when exists (select from posting_spend ps where ps.tenant_id = spend_records.tenant_id
         and ps.spend_record_id = spend_records.id) then origin_key else 'joined:' || id end
     where tenant_id = $1 and id = $2`,
    [tx.tenantId, from, 'It is the same purchase as another record, which carries on for both.', now],
  );
  await queuePlanning(tx, sourceId, [from], 'joined', caller.correlationId);
  recordFor(tx, caller, now, {
    action: 'spend.joined',
    subjectType: 'SpendRecord',
    subjectId: from,
    summary: 'Two records turned out to be the same purchase and were joined.',
    after: { joinedInto: to },
  });
}

// ── purchases ────────────────────────────────────────────────────────────────────────────────

interface RecordRow {
  id: string;
  content_hash: string;
  revision: number;
  origin_key: string;
}

async function unifyRecords(
  tx: Tx,
  engine: Engine,
  caller: Caller,
  sourceId: string,
  ids: readonly string[],
): Promise<{ created: number; changed: number }> {
  const rows = await tx.query<{ spend_record_id: string; object: unknown }>(
    'select spend_record_id, object from source_objects where tenant_id = $1 and spend_record_id = any($2)',
    [tx.tenantId, ids],
  );
  const existing = await tx.query<RecordRow>(
    'select id, content_hash, revision, origin_key from spend_records where tenant_id = $1 and id = any($2)',
    [tx.tenantId, ids],
  );
  const keyRows = await tx.query<{ spend_record_id: string; key: string }>(
    'select spend_record_id, key from spend_keys where tenant_id = $1 and spend_record_id = any($2)',
    [tx.tenantId, ids],
  );
  const objects = groupBy(
    rows,
    (row) => row.spend_record_id,
    (row) => sourceObjectFromJson(row.object),
  );
  const keys = groupBy(
    keyRows,
    (row) => row.spend_record_id,
    (row) => row.key,
  );
  const before = new Map(existing.map((row) => [row.id, row]));

  const stored: Record<string, unknown>[] = [];
  let created = 0;
  for (const [id, views] of objects) {
    const unified = unify(views);
    const hash = contentHashOf(unified);
    const old = before.get(id);
    if (old?.content_hash === hash) continue;
    if (!old) created += 1;
    stored.push(rowOf(id, unified, hash, (old?.revision ?? 0) + 1, originKeyOf(keys.get(id) ?? [])));
    recordFor(tx, caller, engine.clock.now(), {
      action: old ? 'spend.changed' : 'spend.recorded',
      subjectType: 'SpendRecord',
      subjectId: id,
      summary: sentenceFor(unified, old !== undefined),
      before: old ? { revision: old.revision, contentHash: old.content_hash } : null,
      after: {
        revision: (old?.revision ?? 0) + 1,
        contentHash: hash,
        amount: decimalOf(unified.amount),
        currency: unified.amount.currency,
        streams: unified.streams,
      },
    });
  }
  if (stored.length > 0) {
    await storeRecords(tx, engine, caller, sourceId, stored);
    await queuePlanning(
      tx,
      sourceId,
      stored.map((row) => String(row.id)),
      'read',
      caller.correlationId,
    );
  }
  return { created, changed: stored.length - created };
}

function rowOf(id: string, unified: UnifiedSpend, hash: string, revision: number, originKey: string) {
  const merchant = unified.merchantDescriptor ?? unified.merchantName;
  return {
    id,
    origin_key: originKey,
    revision,
    content_hash: hash,
    kind: unified.kind,
    amount: decimalOf(unified.amount),
    currency: unified.amount.currency,
    merchant_name: unified.merchantName ?? unified.merchantDescriptor,
    merchant_key: merchant === null ? null : normaliseMerchant(merchant),
    transaction_date: unified.transactionDate,
    posted_date: unified.postedDate,
    unified: JSON.parse(spendToJson(unified)),
  };
}

function sentenceFor(unified: UnifiedSpend, isChange: boolean): string {
  const what = `${decimalOf(unified.amount)} ${unified.amount.currency}`;
  const where = unified.merchantName ?? unified.merchantDescriptor;
  const streams = unified.streams.map((stream) => stream.toLowerCase().replaceAll('_', ' ')).join(', ');
  return `${isChange ? 'The source changed' : 'Read'}: ${what}${where ? ` at ${where}` : ''} on ${unified.transactionDate} (${streams}).`;
}

async function storeRecords(
  tx: Tx,
  engine: Engine,
  caller: Caller,
  sourceId: string,
  rows: readonly Record<string, unknown>[],
): Promise<void> {
  await tx.execute(
    `insert into spend_records (tenant_id, id, source_id, origin_key, status, revision, content_hash, kind, amount, currency,
       merchant_name, merchant_key, transaction_date, posted_date, unified, correlation_id, created_at, updated_at)
     select $1, id, $2, origin_key, 'NEW', revision, content_hash, kind, amount, currency, merchant_name, merchant_key,
       transaction_date, posted_date, unified, $4, $5, $5
     from jsonb_to_recordset($3::jsonb) as r(id text, origin_key text, revision integer, content_hash text, kind text,
       amount numeric, currency text, merchant_name text, merchant_key text, transaction_date date, posted_date date,
       unified jsonb)
     on conflict (tenant_id, id) do update set revision = excluded.revision, content_hash = excluded.content_hash,
       kind = excluded.kind, amount = excluded.amount, currency = excluded.currency,
       merchant_name = excluded.merchant_name, merchant_key = excluded.merchant_key,
       transaction_date = excluded.transaction_date, posted_date = excluded.posted_date, unified = excluded.unified,
       updated_at = excluded.updated_at,
       -- A name that a document in some ledger was given may not change any more.
       origin_key = case when exists (select from posting_spend ps where ps.tenant_id = spend_records.tenant_id
         and ps.spend_record_id = spend_records.id) then spend_records.origin_key else excluded.origin_key end`,
    [tx.tenantId, sourceId, JSON.stringify(rows), caller.correlationId, engine.clock.now()],
  );
}

/** Every enabled pipeline of the source plans these records (again). */
export async function queuePlanning(
  tx: Tx,
  sourceId: string,
  recordIds: readonly string[],
  reason: string,
  correlationId: string,
): Promise<void> {
  await tx.execute(
    `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
     select $1, p.id, r.id, $4, $5 from pipelines p cross join unnest($3::text[]) as r(id)
     where p.tenant_id = $1 and p.source_id = $2 and p.enabled
     on conflict (tenant_id, pipeline_id, spend_record_id) do update set reason = excluded.reason,
       correlation_id = excluded.correlation_id`,
    [tx.tenantId, sourceId, recordIds, reason, correlationId],
  );
}

function groupBy<Row, Value>(
  rows: readonly Row[],
  key: (row: Row) => string,
  value: (row: Row) => Value,
): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(value(row));
    else groups.set(key(row), [value(row)]);
  }
  return groups;
}
