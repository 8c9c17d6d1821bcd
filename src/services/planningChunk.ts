import type { LocalDate } from '../domain/localDate.js';
import { decimalOf, decimalOfMinor } from '../domain/money.js';
import type { PlanContext, PlannedDocument, PlanSkip, PlanSpend, VendorFact } from '../domain/plan.js';
import { economicHash } from '../domain/planDocument.js';
import { type DailySequences, type KeptDay, plan } from '../domain/planner.js';
import type { PostingStatus } from '../domain/postingState.js';
import { type PostedDocument, planReversal } from '../domain/reversal.js';
import { accountingHashOf, unifiedFromJson } from '../domain/spendJson.js';
import type { DocumentType, SpendStatus } from '../domain/vocabulary.js';
import type { Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import { suspectedDuplicates } from './duplicates.js';
import type { Caller, Engine } from './engine.js';
import { exportStreamOf, oweGroups } from './exports.js';
import type { PlanningContext } from './planningContext.js';
import { type QueuedRecord, UNSENT } from './planningQueue.js';
import { cancelUnsent, loadPosted, type PlannedPosting, type PostingHead, storePlanned } from './postingStore.js';

interface RecordStatus {
  readonly id: string;
  readonly status: SpendStatus;
  /** Of an exclusion. */
  readonly reason: string | null;
  readonly waiting: string | null;
  /** The day on which it is looked at again. */
  readonly until?: LocalDate | null;
}

interface PostedDay {
  readonly posting: PostingHead;
  readonly items: PlanSpend[];
  /** Those that the source changed. */
  readonly changed: Set<string>;
}

/** What happens to each record of a chunk, and the documents that come of it. */
export class PlanningChunk {
  /** Their documents are at the ledger this moment: planned again when that is settled. */
  readonly postponed = new Set<string>();
  ready = 0;
  held = 0;
  private fresh: PlanSpend[] = [];
  private readonly records = new Map<string, QueuedRecord>();
  private readonly unsent = new Map<string, PostingHead[]>();
  private readonly documents: PlannedPosting[] = [];
  private readonly statuses: RecordStatus[] = [];
  /** Posted documents of many purchases, by id, with those of the chunk. */
  private readonly days = new Map<string, PostedDay>();

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

  async sort(record: QueuedRecord, postings: readonly PostingHead[], vendor: VendorFact | null): Promise<void> {
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
    const [shared] = standing.filter((posting) => posting.record_count > 1);
    if (shared) {
      this.noteDay(shared, item);
      return;
    }
    const hash = accountingHashOf(spend);
    if (standing.every((posting) => posting.accounting_hash === hash)) {
      this.stays(item, null);
      return;
    }
    await this.correct(item, standing);
  }

  private noteDay(posting: PostingHead, item: PlanSpend): void {
    const day = this.days.get(posting.id) ?? { posting, items: [], changed: new Set<string>() };
    this.days.set(posting.id, day);
    day.items.push(item);
    if (posting.accounting_hash !== accountingHashOf(item.spend)) day.changed.add(item.id);
  }

  /** What is booked of it stays booked. */
  private stays(item: PlanSpend, waiting: string | null, until: LocalDate | null = null): void {
    this.statuses.push({
      id: item.id,
      status: item.revision > 1 ? 'CORRECTED' : 'POSTED',
      reason: null,
      waiting,
      until,
    });
  }

  /**
   * A document of many purchases of which the source changed some: it is turned round as a whole, and what all of them are
   * now is planned anew, so that the books show one day and not its pieces.
   */
  async correctDays(): Promise<void> {
    for (const day of this.days.values()) await this.correctDay(day);
  }

  private async correctDay({ posting, items, changed }: PostedDay): Promise<void> {
    // Where a purchase is missing from the chunk, none of them has changed: `withCorrectedDays` would have brought it.
    const revised = items.map((item) => ({ ...item, revision: item.revision + 1 }));
    const reasons = changed.size === 0 ? new Map<string, Waiting>() : this.reasonsToWait(revised, changed);
    if (changed.size === 0 || reasons.size > 0) {
      for (const item of items) {
        const wait = reasons.get(item.id) ?? (changed.has(item.id) ? BEHIND_ANOTHER : null);
        this.stays(item, wait?.reason ?? null, wait?.until ?? null);
      }
      return;
    }
    const posted = await loadPosted(this.tx, posting.id);
    const next = plan(this.context.on(posted.postingDate), revised);
    if (isBooked(next.documents, [posted])) {
      for (const item of items) {
        if (changed.has(item.id)) await this.remember(item, [posting]);
        else this.stays(item, null);
      }
      return;
    }
    const [first] = items;
    if (!first) return;
    const reversal = planReversal(
      this.context.of(first.spend),
      posted,
      'the source changed one of its purchases after it was posted',
    );
    this.documents.push(
      this.plannedPosting(reversal, { reverses: posting, needsApproval: this.correctionsNeedPerson }),
    );
    for (const item of revised) this.addFresh(item);
  }

  /** Why changed purchases cannot be corrected yet, by their ids: what is booked stays booked until then. */
  private reasonsToWait(items: readonly PlanSpend[], changed: ReadonlySet<string>): Map<string, Waiting> {
    const reasons = new Map<string, Waiting>();
    for (const item of items.filter(({ id }) => changed.has(id))) {
      const { skipped, documents } = plan(this.context.of(item.spend), [item]);
      const wait = skipped.find((skip) => skip.kind === 'WAITING');
      const contradiction = contradictionIn(documents);
      if (wait) reasons.set(item.id, wait);
      else if (contradiction !== null) reasons.set(item.id, { reason: contradiction, until: null });
    }
    return reasons;
  }

  private byContext(items: readonly PlanSpend[]): [PlanContext, PlanSpend[]][] {
    const groups = new Map<PlanContext, PlanSpend[]>();
    for (const item of items) {
      const context = this.context.of(item.spend);
      const group = groups.get(context);
      if (group) group.push(item);
      else groups.set(context, [item]);
    }
    return [...groups];
  }

  /** A reversal that was held or refused is planned again with the rest: its period may be open now. */
  private async planReversalsAgain(record: QueuedRecord, postings: readonly PostingHead[]): Promise<void> {
    const waiting = postings.filter((posting) => posting.reverses_id !== null && UNSENT.includes(posting.status));
    for (const reversal of waiting) {
      const original = postings.find((posting) => posting.id === reversal.reverses_id);
      // A document of many purchases has one reversal, however many of them are planned.
      if (!original || this.documents.some(({ reverses }) => reverses?.id === original.id)) continue;
      const context = this.context.of(unifiedFromJson(record.unified));
      const document = planReversal(context, await loadPosted(this.tx, original.id), 'planned again');
      const needsApproval = this.correctionsNeedPerson || reversal.status === 'AWAITING_APPROVAL';
      this.documents.push(this.plannedPosting(document, { reverses: original, needsApproval }));
    }
  }

  /** The source changed what is in the ledger already: reverse that, and post what it is now after the reversal. */
  private async correct(item: PlanSpend, standing: readonly PostingHead[]): Promise<void> {
    const context = this.context.of(item.spend);
    const revised = { ...item, revision: item.revision + standing.length };
    const documents = await Promise.all(standing.map((posting) => loadPosted(this.tx, posting.id)));
    const next = plan(context, [revised]);
    const waiting = next.skipped.find((skip) => skip.kind === 'WAITING');
    if (waiting) {
      // Somebody is still at it: what is booked stays booked until the source says what it is to be instead.
      this.stays(item, waiting.reason, waiting.until);
      return;
    }
    if (isBooked(this.asPostedOn(documents, revised), documents)) {
      await this.remember(item, standing);
      return;
    }
    const contradiction = contradictionIn(next.documents);
    if (contradiction !== null) {
      // Which figure is right is a person's question; until it is answered the books stay as they are.
      this.stays(item, contradiction);
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

  /** What the purchase would have been then: a later mapping is no reason to take back what it did not decide. */
  private asPostedOn([posted]: readonly PostedDocument[], item: PlanSpend): readonly PlannedDocument[] {
    return posted ? plan(this.context.on(posted.postingDate), [item]).documents : [];
  }

  /** The books would look the same: only the new content is remembered, and nothing is reversed. */
  private async remember(item: PlanSpend, standing: readonly PostingHead[]): Promise<void> {
    await this.tx.execute(
      'update posting_spend set accounting_hash = $4 where tenant_id = $1 and spend_record_id = $2 and posting_id = any($3)',
      [this.tx.tenantId, item.id, standing.map((posting) => posting.id), accountingHashOf(item.spend)],
    );
    this.stays(item, null);
  }

  private addFresh(item: PlanSpend): void {
    this.fresh.push(item);
  }

  /** Holds those that look like another purchase of the ledger, or of this chunk. */
  private async holdTwins(): Promise<void> {
    const byId = new Map(this.fresh.map((item) => [item.id, item]));
    const wouldGo = (id: string): boolean => {
      const item = byId.get(id);
      if (!item) return false;
      const { documents } = plan(this.context.of(item.spend), [item]);
      return documents.length > 0 && documents.every(({ holds }) => holds.length === 0);
    };
    const holds = await suspectedDuplicates(this.tx, this.context.row, [...byId.keys()], wouldGo);
    if (holds.size === 0) return;
    this.fresh = this.fresh.map((item) => {
      const hold = holds.get(item.id);
      return hold ? { ...item, holds: [hold] } : item;
    });
  }

  async planFresh(): Promise<void> {
    await this.holdTwins();
    const groups = this.byContext(this.fresh);
    const kept = this.keptDays(groups);
    const sequences: DailySequences = new Map();
    for (const [context, items] of groups) {
      const { documents, skipped } = plan(context, items, kept.get(context) ?? [], sequences);
      const byId = new Map(items.map((item) => [item.id, item]));
      for (const document of documents) this.addDocument(document, byId);
      for (const skip of skipped) this.skip(skip);
    }
  }

  /**
   * The days that were planned before and are not in the ledger, for the plan of most of their purchases: where mapping
   * versions divide a day, one half keeps its reference.
   */
  private keptDays(groups: readonly [PlanContext, PlanSpend[]][]): Map<PlanContext, KeptDay[]> {
    const kept = new Map<PlanContext, KeptDay[]>();
    if (this.context.row.grouping !== 'DAILY') return kept;
    const members = new Map<string, string[]>();
    for (const { id } of this.fresh) {
      for (const { reference } of this.unsent.get(id) ?? [])
        members.set(reference, [...(members.get(reference) ?? []), id]);
    }
    for (const [reference, spendRecordIds] of members) {
      const ids = new Set(spendRecordIds);
      const sizes = groups.map(([context, items]) => ({ context, size: items.filter(({ id }) => ids.has(id)).length }));
      const [most] = sizes.sort((a, b) => b.size - a.size);
      if (most) kept.set(most.context, [...(kept.get(most.context) ?? []), { reference, spendRecordIds }]);
    }
    return kept;
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
      const { spendRecordId: id, reason: waiting, until } = skip;
      this.statuses.push({ id, status: 'NEW', reason: null, waiting, until });
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
    await this.oweGroups();
    if (this.documents.some((one) => one.status === 'READY')) {
      await engine.jobs.send(tx, 'ledger.drain', { tenantId: tx.tenantId, ledgerId: context.row.ledger_id });
    }
  }

  /** An exclusion may be the last thing that a group of purchases waited for before the source is told about it. */
  private async oweGroups(): Promise<void> {
    const spendRecordIds = this.statuses.filter(({ status }) => status === 'EXCLUDED').map(({ id }) => id);
    if (spendRecordIds.length === 0) return;
    const { engine, tx, caller } = this;
    const sourceId = this.context.row.source_id;
    const stream = await exportStreamOf(engine, tx, sourceId);
    if (stream === null) return;
    await oweGroups(engine, tx, { sourceId, stream, spendRecordIds, correlationId: caller.correlationId });
  }

  private async storeStatuses(): Promise<void> {
    if (this.statuses.length === 0) return;
    const rows = [...new Map(this.statuses.map((row) => [row.id, row])).values()];
    await this.tx.execute(
      `update spend_records r set status = s.status, waiting_reason = s.waiting, waiting_until = s.until, updated_at = $3,
         excluded_reason = case when s.status = 'EXCLUDED' then s.reason end,
         vendor_match_id = m.id
       from jsonb_to_recordset($2::jsonb) as s(id text, status text, reason text, waiting text, until date)
       left join lateral (
         select v.id from vendor_matches v join spend_records x on x.tenant_id = v.tenant_id and x.merchant_key = v.merchant_key
         where x.tenant_id = $1 and x.id = s.id and v.ledger_id = $4
       ) m on true
       where r.tenant_id = $1 and r.id = s.id`,
      [this.tx.tenantId, JSON.stringify(rows), this.engine.clock.now(), this.context.row.ledger_id],
    );
  }
}

type Waiting = Pick<RecordStatus, 'until'> & { readonly reason: string };

/** Of a changed purchase that nothing but the company of another one keeps from being corrected. */
const BEHIND_ANOTHER: Waiting = {
  reason:
    'It changed after it was posted. Its day is corrected as a whole, once another purchase of that day is settled.',
};

/** In what the figures of a purchase contradict each other, a sentence; null = in nothing. */
function contradictionIn(documents: readonly PlannedDocument[]): string | null {
  const holds = documents.flatMap((document) => document.holds);
  return holds.find(({ code }) => code === 'UNBALANCED')?.message ?? null;
}

/** Whether the books show just that already. */
function isBooked(next: readonly PlannedDocument[], posted: readonly PostedDocument[]): boolean {
  if (next.length === 0 || next.some((document) => document.holds.length > 0)) return false;
  return economicHash(next.map(booked)) === economicHash(posted.map(booked));
}

/** A journal books no supplier: who that was may become clearer later, and that is no reason to reverse it. */
function booked<D extends { documentType: DocumentType; supplierCode: string | null }>(document: D): D {
  return document.documentType === 'JOURNAL' ? { ...document, supplierCode: null } : document;
}

/** What the document books for its purchases: everything but the offset side, debits positive. */
function contributionOf(document: PlannedDocument): string {
  const minor = document.lines
    .filter((line) => line.role !== 'OFFSET')
    .reduce((sum, line) => sum + line.debitMinor - line.creditMinor, 0n);
  return decimalOfMinor(minor, document.currency);
}
