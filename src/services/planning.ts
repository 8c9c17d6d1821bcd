import { decimalOf, decimalOfMinor } from '../domain/money.js';
import type {
  LedgerRules,
  Plan,
  PlanContext,
  PlannedDocument,
  PlanSkip,
  PlanSpend,
  VendorFact,
} from '../domain/plan.js';
import { economicHash } from '../domain/planDocument.js';
import { plan } from '../domain/planner.js';
import type { PostingStatus } from '../domain/postingState.js';
import { type PostedDocument, planReversal } from '../domain/reversal.js';
import { accountingHashOf, unifiedFromJson } from '../domain/spendJson.js';
import type { DocumentType, SpendStatus } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import type { Caller, Engine } from './engine.js';
import { readPeriods } from './masterData.js';
import { loadPipeline, type PipelineRow } from './pipelines.js';
import { loadPlanningContext, type PlanningContext } from './planningContext.js';
import {
  cancelUnsent,
  loadPosted,
  type PlannedPosting,
  type PostingHead,
  postingsOfRecords,
  storePlanned,
} from './postingStore.js';
import { matchMerchants } from './vendorMatches.js';

export interface PlanningCounts {
  readonly records: number;
  readonly ready: number;
  readonly held: number;
}

/** Records planned in one transaction: enough to make the round trips cheap, few enough to keep locks short. */
const CHUNK = 500;

/**
 * Plans all that waits in a pipeline's planning queue, a chunk a transaction. A crash in between loses nothing: what was
 * not planned is still in the queue.
 * @param runId the sync run that the documents count for, if any.
 */
export async function planPipeline(
  engine: Engine,
  caller: Caller,
  pipelineId: string,
  runId: string | null,
): Promise<PlanningCounts> {
  const total = { records: 0, ready: 0, held: 0 };
  const pipeline = await engine.db.tenant(caller.tenantId, (tx) => loadPipeline(tx, pipelineId));
  if (!pipeline) return total;
  const { connection } = await engine.connections.ledger(caller.tenantId, pipeline.ledger_id);
  const rules = await connection.rules();
  if (runId === null) await readPeriods(engine, caller.tenantId, pipeline.ledger_id);
  for (;;) {
    const counts = await engine.db.tenant(caller.tenantId, (tx) =>
      planChunk(engine, caller, tx, pipeline, rules, runId),
    );
    total.records += counts.records;
    total.ready += counts.ready;
    total.held += counts.held;
    // A chunk of which all is at the ledger this moment comes back when that is settled.
    if (counts.taken < CHUNK || counts.records === 0) return total;
  }
}

/**
 * Plans up to one chunk of the queue inside `tx`. Dry runs use it in a transaction that is rolled back: the preview is
 * what the real path would have stored.
 */
export async function planChunk(
  engine: Engine,
  caller: Caller,
  tx: Tx,
  pipeline: PipelineRow,
  rules: LedgerRules,
  runId: string | null,
  take: number = CHUNK,
): Promise<PlanningCounts & { taken: number }> {
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`plan:${tx.tenantId}:${pipeline.id}`]);
  await queueSiblings(tx, pipeline.id, take);
  const records = await takeRecords(tx, pipeline.id, take);
  if (records.length === 0) return { taken: 0, records: 0, ready: 0, held: 0 };
  const context = await loadPlanningContext(tx, engine.clock.now(), pipeline, rules);
  const postings = await postingsOfRecords(
    tx,
    pipeline.id,
    records.map((record) => record.id),
  );
  const vendors = await matchMerchants(engine, caller, tx, pipeline.ledger_id, merchantsOf(records));

  const work = new Chunk(engine, caller, tx, context, runId);
  for (const record of records) {
    await work.sort(
      record,
      postings.get(record.id) ?? [],
      record.merchant_key ? (vendors.get(record.merchant_key) ?? null) : null,
    );
  }
  await work.planFresh();
  await work.store();
  await leaveQueue(tx, pipeline.id, records, work.postponed);
  return { taken: records.length, records: records.length - work.postponed.size, ready: work.ready, held: work.held };
}

interface RecordRow {
  id: string;
  origin_key: string;
  correlation_id: string;
  merchant_key: string | null;
  merchant_name: string | null;
  unified: unknown;
  excluded_by: string | null;
  excluded_reason: string | null;
  status: SpendStatus;
}

/**
 * A document of many purchases that is planned again for one of them is planned again for all: the others join the queue,
 * or they would be left behind with a document that was given up.
 */
async function queueSiblings(tx: Tx, pipelineId: string, take: number): Promise<void> {
  await tx.execute(
    `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
     select distinct on (other.spend_record_id) $1, $2, other.spend_record_id, 'its document is planned again', q.correlation_id
     from (
       select q.spend_record_id, q.correlation_id from planning_queue q
       join spend_records r on r.tenant_id = q.tenant_id and r.id = q.spend_record_id
       where q.tenant_id = $1 and q.pipeline_id = $2 order by r.transaction_date, r.id limit $3
     ) q
     join posting_spend own on own.tenant_id = $1 and own.spend_record_id = q.spend_record_id
     join postings p on p.tenant_id = $1 and p.id = own.posting_id and p.pipeline_id = $2 and p.reverses_id is null
       and p.status = any($4)
     join posting_spend other on other.tenant_id = $1 and other.posting_id = p.id
       and other.spend_record_id <> q.spend_record_id
     on conflict (tenant_id, pipeline_id, spend_record_id) do nothing`,
    [tx.tenantId, pipelineId, take, UNSENT],
  );
}

async function takeRecords(tx: Tx, pipelineId: string, take: number): Promise<RecordRow[]> {
  return tx.query<RecordRow>(
    `select r.id, r.origin_key, q.correlation_id, r.merchant_key, r.merchant_name, r.unified, r.excluded_by,
       r.excluded_reason, r.status
     from planning_queue q join spend_records r on r.tenant_id = q.tenant_id and r.id = q.spend_record_id
     where q.tenant_id = $1 and q.pipeline_id = $2
     order by r.transaction_date, r.id limit $3 for update of q skip locked`,
    [tx.tenantId, pipelineId, take],
  );
}

function merchantsOf(records: readonly RecordRow[]): Map<string, string> {
  const merchants = new Map<string, string>();
  for (const { merchant_key, merchant_name, unified } of records) {
    const descriptor = (unified as { merchantDescriptor: string | null }).merchantDescriptor;
    if (merchant_key !== null && !merchants.has(merchant_key))
      merchants.set(merchant_key, descriptor ?? merchant_name ?? merchant_key);
  }
  return merchants;
}

async function leaveQueue(
  tx: Tx,
  pipelineId: string,
  records: readonly RecordRow[],
  postponed: ReadonlySet<string>,
): Promise<void> {
  const finished = records.filter((record) => !postponed.has(record.id)).map((record) => record.id);
  await tx.execute(
    'delete from planning_queue where tenant_id = $1 and pipeline_id = $2 and spend_record_id = any($3)',
    [tx.tenantId, pipelineId, finished],
  );
}

/** What happens to each record of a chunk, and the documents that come of it. */
class Chunk {
  /** Their documents are at the ledger this moment: planned again when that is settled. */
  readonly postponed = new Set<string>();
  ready = 0;
  held = 0;
  private readonly fresh = new Map<PlanContext, PlanSpend[]>();
  private readonly records = new Map<string, RecordRow>();
  private readonly unsent = new Map<string, PostingHead[]>();
  private readonly documents: PlannedPosting[] = [];
  private readonly statuses: { id: string; status: SpendStatus; reason: string | null; waiting: string | null }[] = [];

  constructor(
    private readonly engine: Engine,
    private readonly caller: Caller,
    private readonly tx: Tx,
    private readonly context: PlanningContext,
    private readonly runId: string | null,
  ) {}

  /** The pipeline's policy lets nothing that was posted be corrected without a person's approval. */
  private get correctionsNeedPerson(): boolean {
    return this.context.row.correction === 'HOLD';
  }

  async sort(record: RecordRow, postings: readonly PostingHead[], vendor: VendorFact | null): Promise<void> {
    const own = postings.filter((posting) => posting.reverses_id === null);
    if (postings.some((posting) => posting.status === 'POSTING' || posting.status === 'IN_DOUBT')) {
      this.postponed.add(record.id);
      return;
    }
    this.records.set(record.id, record);
    await this.planReversalsAgain(record, postings);
    const unsent = own.filter((posting) => UNSENT.includes(posting.status));
    this.unsent.set(record.id, unsent);
    const standing = own.filter((posting) => posting.status === 'POSTED' && posting.reversed_by_id === null);
    const generation = own.filter((posting) => posting.status === 'REVERSED' || posting.reversed_by_id !== null).length;
    const spend = unifiedFromJson(record.unified);
    const item: PlanSpend = { id: record.id, originKey: record.origin_key, revision: generation + 1, spend, vendor };

    if (standing.length === 0) {
      if (record.excluded_by !== null) this.exclude(record.id, record.excluded_reason ?? 'A person excluded it.');
      else this.addFresh(item);
      return;
    }
    const hash = accountingHashOf(spend);
    if (standing.every((posting) => posting.accounting_hash === hash)) {
      this.statuses.push({
        id: record.id,
        status: generation > 0 ? 'CORRECTED' : 'POSTED',
        reason: null,
        waiting: null,
      });
      return;
    }
    await this.correct(item, standing);
  }

  /** A reversal that was held or refused is planned again with the rest: its period may be open now. */
  private async planReversalsAgain(record: RecordRow, postings: readonly PostingHead[]): Promise<void> {
    const waiting = postings.filter((posting) => posting.reverses_id !== null && UNSENT.includes(posting.status));
    for (const reversal of waiting) {
      const original = postings.find((posting) => posting.id === reversal.reverses_id);
      if (!original) continue;
      const context = this.context.on(unifiedFromJson(record.unified).transactionDate);
      const document = planReversal(context, await loadPosted(this.tx, original.id), 'planned again');
      const needsApproval = this.correctionsNeedPerson || reversal.status === 'AWAITING_APPROVAL';
      this.documents.push(this.plannedPosting(document, { reverses: original, needsApproval }));
    }
  }

  /** The source changed what is in the ledger already: reverse that, and post what it is now after the reversal. */
  private async correct(item: PlanSpend, standing: readonly PostingHead[]): Promise<void> {
    const isShared = standing.some((posting) => posting.record_count > 1);
    const context = this.context.on(item.spend.transactionDate);
    if (isShared) {
      // A document of many purchases cannot be turned round for one of them without touching the others.
      this.statuses.push({
        id: item.id,
        status: 'POSTED',
        reason: null,
        waiting: 'The source changed it after its day was posted: correct it in the ledger by hand.',
      });
      return;
    }
    const revised = { ...item, revision: item.revision + standing.length };
    const documents = await Promise.all(standing.map((posting) => loadPosted(this.tx, posting.id)));
    const next = plan(context, [revised]);
    const waiting = next.skipped.find((skip) => skip.kind === 'WAITING');
    if (waiting) {
      // Somebody is still at it: what is booked stays booked until the source says what it is to be instead.
      this.statuses.push({ id: item.id, status: 'POSTED', reason: null, waiting: waiting.reason });
      return;
    }
    if (await this.changesNothing(next, revised, standing, documents)) return;
    if (item.spend.disagreement !== null) {
      // Which figure is right is a person's question; until it is answered the books stay as they are.
      this.statuses.push({ id: item.id, status: 'POSTED', reason: null, waiting: item.spend.disagreement });
      return;
    }
    standing.forEach((posting, index) => {
      const posted = documents[index];
      if (!posted) return;
      const reversal = planReversal(context, posted, 'the source changed the purchase after it was posted');
      this.documents.push(
        this.plannedPosting(reversal, { reverses: posting, needsApproval: this.correctionsNeedPerson }),
      );
    });
    this.addFresh(revised);
  }

  /** Whether the books would look the same: then only the new content is remembered, and nothing is reversed. */
  private async changesNothing(
    { documents }: Plan,
    item: PlanSpend,
    standing: readonly PostingHead[],
    posted: readonly PostedDocument[],
  ): Promise<boolean> {
    if (documents.length === 0 || documents.some((document) => document.holds.length > 0)) return false;
    if (economicHash(documents.map(booked)) !== economicHash(posted.map(booked))) return false;
    const hash = accountingHashOf(item.spend);
    await this.tx.execute(
      'update posting_spend set accounting_hash = $4 where tenant_id = $1 and spend_record_id = $2 and posting_id = any($3)',
      [this.tx.tenantId, item.id, standing.map((posting) => posting.id), hash],
    );
    const isCorrected = item.revision - standing.length > 1;
    this.statuses.push({ id: item.id, status: isCorrected ? 'CORRECTED' : 'POSTED', reason: null, waiting: null });
    return true;
  }

  private addFresh(item: PlanSpend): void {
    const context = this.context.on(item.spend.transactionDate);
    const group = this.fresh.get(context);
    if (group) group.push(item);
    else this.fresh.set(context, [item]);
  }

  async planFresh(): Promise<void> {
    for (const [context, items] of this.fresh) {
      const { documents, skipped } = plan(context, items);
      const byId = new Map(items.map((item) => [item.id, item]));
      for (const document of documents) this.addDocument(document, byId);
      for (const skip of skipped) this.skip(skip);
    }
  }

  private addDocument(document: PlannedDocument, items: ReadonlyMap<string, PlanSpend>): void {
    const own = document.spend.map(({ id }) => items.get(id)).filter((item) => item !== undefined);
    const corrects = this.documents.find(
      (other) => other.reverses && document.spend.some(({ id }) => other.document.spend.some((one) => one.id === id)),
    );
    const planned = this.plannedPosting(document, {
      items: own,
      // Also when only the replacement is planned again: what follows something posted is a correction, whenever it comes.
      needsApproval: this.correctionsNeedPerson && own.some((item) => item.revision > 1),
      ...(corrects ? { after: corrects.document.reference } : {}),
    });
    this.documents.push(planned);
    if (planned.status === 'HELD') this.held += 1;
    if (planned.status === 'READY') this.ready += 1;
    for (const { id } of document.spend) {
      const status = planned.status === 'HELD' ? 'HELD' : 'PLANNED';
      this.statuses.push({ id, status, reason: null, waiting: null });
    }
  }

  private plannedPosting(
    document: PlannedDocument,
    options: { items?: readonly PlanSpend[]; reverses?: PostingHead; after?: string; needsApproval?: boolean },
  ): PlannedPosting {
    const status: PostingStatus =
      document.holds.length > 0
        ? 'HELD'
        : this.context.row.require_approval || options.needsApproval
          ? 'AWAITING_APPROVAL'
          : 'READY';
    const amounts = new Map<string, string>();
    for (const { id } of document.spend) {
      const item = options.items?.find((one) => one.id === id);
      const isAlone = document.spend.length === 1;
      amounts.set(id, isAlone || !item ? contributionOf(document) : decimalOf(item.spend.amount));
    }
    const [first] = document.spend;
    return {
      document,
      status,
      reverses: options.reverses ?? null,
      afterReference: options.after ?? null,
      amounts,
      accountingHashes: new Map((options.items ?? []).map((item) => [item.id, accountingHashOf(item.spend)])),
      correlationId: (first && this.records.get(first.id)?.correlation_id) ?? this.caller.correlationId,
    };
  }

  private skip(skip: PlanSkip): void {
    if (skip.kind === 'WAITING') {
      this.statuses.push({ id: skip.spendRecordId, status: 'NEW', reason: null, waiting: skip.reason });
    } else this.exclude(skip.spendRecordId, skip.reason);
  }

  private exclude(id: string, reason: string): void {
    this.statuses.push({ id, status: 'EXCLUDED', reason, waiting: null });
    const before = this.records.get(id);
    if (before?.status === 'EXCLUDED') return;
    recordFor(this.tx, this.caller, this.engine.clock.now(), {
      action: 'spend.excluded',
      subjectType: 'SpendRecord',
      subjectId: id,
      summary: `Not posted: ${reason}`,
      before: { status: before?.status ?? null },
      after: { status: 'EXCLUDED', reason },
    });
  }

  async store(): Promise<void> {
    const { engine, caller, tx, context, runId } = this;
    const kept = await storePlanned(engine, caller, tx, context.row, this.documents, runId);
    const leftOver = [...this.unsent.values()].flat().filter((posting) => !kept.has(posting.id));
    await cancelUnsent(engine, caller, tx, leftOver, 'Planned anew: it is no longer what has to be posted.');
    await this.storeStatuses();
    if (this.documents.some((one) => one.status === 'READY')) {
      await engine.jobs.send(tx, 'ledger.drain', { tenantId: tx.tenantId, ledgerId: context.row.ledger_id });
    }
  }

  private async storeStatuses(): Promise<void> {
    if (this.statuses.length === 0) return;
    const rows = [...new Map(this.statuses.map((row) => [row.id, row])).values()];
    await this.tx.execute(
      `update spend_records r set status = s.status, waiting_reason = s.waiting, updated_at = $3,
         excluded_reason = case when s.status = 'EXCLUDED' then s.reason end,
         vendor_match_id = m.id
       from jsonb_to_recordset($2::jsonb) as s(id text, status text, reason text, waiting text)
       left join lateral (
         select v.id from vendor_matches v join spend_records x on x.tenant_id = v.tenant_id and x.merchant_key = v.merchant_key
         where x.tenant_id = $1 and x.id = s.id and v.ledger_id = $4
       ) m on true
       where r.tenant_id = $1 and r.id = s.id`,
      [this.tx.tenantId, JSON.stringify(rows), this.engine.clock.now(), this.context.row.ledger_id],
    );
  }
}

/** A journal books no supplier: who that was may become clearer later, and that is no reason to reverse it. */
function booked<D extends { documentType: DocumentType; supplierCode: string | null }>(document: D): D {
  return document.documentType === 'JOURNAL' ? { ...document, supplierCode: null } : document;
}

const UNSENT: readonly PostingStatus[] = ['PLANNED', 'HELD', 'AWAITING_APPROVAL', 'READY', 'REJECTED'];

/** What the document books for its purchases: everything but the offset side, debits positive. */
function contributionOf(document: PlannedDocument): string {
  const minor = document.lines
    .filter((line) => line.role !== 'OFFSET')
    .reduce((sum, line) => sum + line.debitMinor - line.creditMinor, 0n);
  return decimalOfMinor(minor, document.currency);
}
