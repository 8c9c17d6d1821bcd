import { ConfigurationError, InvariantError } from '../errors.js';
import { compareKeys, compareText, streamRank } from './identity.js';
import { documentReference } from './keys.js';
import { addDays } from './localDate.js';
import type { Plan, PlanContext, PlannedDocument, PlanPipeline, PlanSkip, PlanSpend } from './plan.js';
import { LedgerChecks, wantedDay } from './planChecks.js';
import { buildDocument, type Draft, documentHolds } from './planDocument.js';
import { aggregationKey, type DraftLine, draftLines, invoiceHolds } from './planLines.js';
import { decideVendor } from './planVendor.js';
import type { UnifiedSpend } from './spend.js';
import type { Hold, SpendStream } from './vocabulary.js';

/** A daily document that was planned before and is not in the ledger: its name stays with its purchases. */
export interface KeptDay {
  readonly reference: string;
  readonly spendRecordIds: readonly string[];
}

/**
 * The next number of a day and currency. Plans that are stored together share one: where mapping versions divide the
 * purchases of one posting day, each version is a plan of its own, and their documents must not get one name.
 */
export type DailySequences = Map<string, number>;

/**
 * Turns spend into the documents of one ledger: coded, dated, checked and balanced, or held with reasons. Every record
 * is in a document or in `skipped`. The same spend gives the same documents, in whatever order it comes.
 *
 * PER_RECORD makes a document per record. DAILY makes one per posting date and currency (and supplier for invoices, their
 * refunds apart, and new supplier where one must be created first); a record with something wrong of its own is held in
 * a document of its own, named by its origin key, and the rest of the day goes on. What is wrong with the day itself (a
 * closed period, the offset account) holds the day's document.
 *
 * A day is planned once it is over, so that what comes in during the day is one document; what comes later makes another
 * one. A day that was planned before keeps its reference (`kept`) for as long as any of its purchases belong together;
 * those that do not are planned like new ones.
 *
 * More lines than the ledger takes make several documents, each balanced; a daily document is cut between records, so
 * that no record is half posted unless it alone is too long.
 * @throws ConfigurationError the ledger does not take the pipeline's document type.
 * @throws InvariantError a document does not balance, or a record was given twice. A bug.
 */
export function plan(
  context: PlanContext,
  spend: readonly PlanSpend[],
  kept: readonly KeptDay[] = [],
  sequences: DailySequences = new Map(),
): Plan {
  const checks = new LedgerChecks(context.masterData, context.rules, context.pipeline.closedPeriod);
  const { drafts, skipped } = draftAll(context, checks, spend);
  const documents =
    context.pipeline.grouping === 'DAILY'
      ? planDays(context, checks, drafts, kept, sequences)
      : drafts.flatMap((draft) => planOne(context, checks, draft));
  assertConserved(drafts, documents);
  return { documents, skipped };
}

// ── from records to drafts ───────────────────────────────────────────────────────────────────

function draftAll(
  context: PlanContext,
  checks: LedgerChecks,
  spend: readonly PlanSpend[],
): { drafts: Draft[]; skipped: PlanSkip[] } {
  const { pipeline, rules } = context;
  if (!rules.documentTypes.includes(pipeline.documentType)) {
    throw new ConfigurationError(
      `The ledger takes no documents of type ${pipeline.documentType}; change the pipeline.`,
    );
  }
  const drafts: Draft[] = [];
  const skipped: PlanSkip[] = [];
  const sorted = [...spend].sort((a, b) => compareKeys(a.originKey, b.originKey) || compareText(a.id, b.id));
  let previous: PlanSpend | null = null;
  for (const item of sorted) {
    if (previous?.originKey === item.originKey) {
      throw new InvariantError(`Purchase ${item.originKey} was given twice to one plan.`);
    }
    previous = item;
    const draft = draftOf(context, checks, item);
    if ('kind' in draft) skipped.push(draft);
    else drafts.push(draft);
  }
  return { drafts, skipped };
}

function draftOf(context: PlanContext, checks: LedgerChecks, item: PlanSpend): Draft | PlanSkip {
  const { pipeline, masterData, rules, today } = context;
  const { spend } = item;
  const skip = skipOf(item, pipeline);
  if (skip) return skip;
  const vendor = decideVendor(item, pipeline, masterData, rules);
  if (vendor.skipReason !== null) return excluded(item, vendor.skipReason);
  const wanted = wantedDay(spend, pipeline.postingDate, today);
  if (pipeline.grouping === 'DAILY' && pipeline.postingDate !== 'SYNC_DATE' && wanted >= today) {
    const until = addDays(wanted, 1);
    return {
      kind: 'WAITING',
      spendRecordId: item.id,
      reason: `Its day is not over: the purchases of ${wanted} are posted together from ${until} on.`,
      until,
    };
  }
  const day = checks.postingDay(wanted);
  const drafted = draftLines(item, context, checks, vendor, day);
  const { lines } = drafted;
  const holds = [...drafted.holds];
  if (holds.length === 0 && isNothing(lines)) {
    const reason =
      lines.length === 0 ? 'The amount is zero.' : 'Its parts cancel each other out: nothing is left to post.';
    return excluded(item, reason);
  }
  holds.push(...invoiceHolds(lines, context));
  assertWhole(item, lines, holds);
  return {
    id: item.id,
    originKey: item.originKey,
    revision: item.revision,
    currency: spend.amount.currency,
    day,
    supplierCode: vendor.supplierCode,
    createSupplier: vendor.createSupplier,
    lines,
    hasReceipts: spend.hasReceipts === true,
    holds: [...(item.holds ?? []), ...(vendor.hold ? [vendor.hold] : []), ...holds],
    description: descriptionOf(spend),
  };
}

/** How a purchase would be coded by itself, and what would hold its document; or why it would get none. */
export type PurchaseCoding = { readonly lines: readonly DraftLine[]; readonly holds: readonly Hold[] } | PlanSkip;

/** What `plan` decides about one purchase, without the work of making its document. */
export function codingOfPurchase(context: PlanContext, checks: LedgerChecks, item: PlanSpend): PurchaseCoding {
  const draft = draftOf(context, checks, item);
  if ('kind' in draft) return draft;
  return { lines: draft.lines, holds: documentHolds(context, checks, draft, [draft]) };
}

/** Whether the lines, added up by account, change nothing: a purchase and its refund on the same account. */
function isNothing(lines: readonly DraftLine[]): boolean {
  if (lines.length === 0) return true;
  if (lines.reduce((sum, line) => sum + line.minor, 0n) !== 0n) return false;
  const net = new Map<string, bigint>();
  for (const line of lines) {
    const key = aggregationKey(line.minor < 0n ? { ...line, minor: -line.minor } : line);
    net.set(key, (net.get(key) ?? 0n) + line.minor);
  }
  return [...net.values()].every((minor) => minor === 0n);
}

const KIND_WORDS = { PURCHASE: 'Purchase', REFUND: 'Refund', REIMBURSEMENT: 'Reimbursement', BILL: 'Bill' } as const;

function descriptionOf(spend: UnifiedSpend): string {
  const word = spend.kind === 'NOT_SPEND' ? 'Spend' : KIND_WORDS[spend.kind];
  const merchant = (spend.merchantName ?? spend.merchantDescriptor ?? spend.spender ?? '').replace(/\s+/g, ' ').trim();
  return [word, spend.transactionDate, merchant].filter((text) => text !== '').join(' ');
}

// ── which records are not planned ────────────────────────────────────────────────────────────

function excluded(item: PlanSpend, reason: string): PlanSkip {
  return { kind: 'EXCLUDED', spendRecordId: item.id, reason };
}

function skipOf(item: PlanSpend, pipeline: PlanPipeline): PlanSkip | null {
  const { spend } = item;
  if (spend.isWithdrawn) return excluded(item, 'The source withdrew it: it is void, cancelled or deleted there.');
  if (spend.kind === 'NOT_SPEND') {
    return excluded(
      item,
      spend.notSpendReason ?? 'It is a movement of money, not spend that belongs in an expense account.',
    );
  }
  const reason = waitingFor(spend, pipeline);
  return reason === null ? null : { kind: 'WAITING', spendRecordId: item.id, reason, until: null };
}

const STREAM_WORDS: Readonly<Record<SpendStream, string>> = {
  ACCOUNTING_RECORDS: 'its accounting record',
  EXPENSES: 'its expense',
  EXPENSE_REPORTS: 'its expense report',
  CARD_TRANSACTIONS: 'its card transaction',
  CASH_TRANSACTIONS: 'its cash transaction',
};

/**
 * What the purchase still waits for; null when it may be posted.
 *
 * FIRST waits for nothing but that one of the pipeline's own streams has shown it. RICHEST waits until the richest of
 * the pipeline's streams has shown it (or a richer one, that another pipeline of the source reads) and it is finished
 * there. One kind of spend never gets a record or an expense: what is only ever a movement on a cash account and no
 * payment of a bill or reimbursement, such as a bank fee. It is posted from the cash transaction as soon as that is
 * final. Bills and reimbursements always have records of their own, and wait.
 */
function waitingFor(spend: UnifiedSpend, pipeline: PlanPipeline): string | null {
  const known = spend.streams.filter((stream) => pipeline.streams.includes(stream));
  if (known.length === 0) return 'None of the streams that this pipeline reads has shown it yet.';
  if (pipeline.coding === 'FIRST') return null;
  const richest = richestOf(spend.streams);
  // No card transaction ever shows a bill or a reimbursement.
  const isCardless = spend.kind === 'BILL' || spend.kind === 'REIMBURSEMENT';
  const expected = richestOf(pipeline.streams.filter((stream) => !(isCardless && stream === 'CARD_TRANSACTIONS')));
  if (!richest || !expected) return null;
  const isCashOnly = richest === 'CASH_TRANSACTIONS' && (spend.kind === 'PURCHASE' || spend.kind === 'REFUND');
  if (!isCashOnly && streamRank(richest) > streamRank(expected)) {
    return `Waiting for ${STREAM_WORDS[expected]}, which carries the final coding.`;
  }
  return spend.isFinal ? null : `Waiting until ${STREAM_WORDS[richest]} is finished at the source.`;
}

function richestOf(streams: readonly SpendStream[]): SpendStream | undefined {
  return [...streams].sort((a, b) => streamRank(a) - streamRank(b))[0];
}

// ── from drafts to documents ─────────────────────────────────────────────────────────────────

/** Lines of a document beside its offset line. */
function capacityOf(context: PlanContext): number {
  return Math.max(1, context.rules.maxLines - 1);
}

/** The document of one record, or several where it has more lines than the ledger takes. */
function planOne(context: PlanContext, checks: LedgerChecks, draft: Draft): PlannedDocument[] {
  const capacity = capacityOf(context);
  const aggregate = context.pipeline.grouping === 'DAILY';
  const count = Math.max(1, Math.ceil(draft.lines.length / capacity));
  return Array.from({ length: count }, (_, index) => {
    const fact = index === 0 ? draft.originKey : `${draft.originKey}#${index + 1}`;
    return buildDocument(context, checks, {
      reference: referenceOf(context, fact, draft.revision),
      drafts: [draft],
      lines: count === 1 ? draft.lines : draft.lines.slice(index * capacity, (index + 1) * capacity),
      description: count === 1 ? draft.description : `${draft.description} (${index + 1} of ${count})`,
      aggregate,
    });
  });
}

function referenceOf(context: PlanContext, fact: string, revision: number): string {
  const { ledgerId, pipeline } = context;
  return documentReference({ ledgerId, pipelineId: pipeline.id, fact, revision, role: 'ORIGINAL' });
}

function planDays(
  context: PlanContext,
  checks: LedgerChecks,
  drafts: readonly Draft[],
  kept: readonly KeptDay[],
  sequences: DailySequences,
): PlannedDocument[] {
  const capacity = capacityOf(context);
  // What has something wrong of its own must not hold the day, and what is longer than a document has its own.
  const isAlone = (draft: Draft) => draft.holds.length > 0 || draft.lines.length > capacity;
  const again = daysAgain(
    context,
    drafts.filter((draft) => !isAlone(draft)),
    kept,
  );
  const placed = new Set(again.flatMap(({ chunk }) => chunk));
  const alone = drafts.filter(isAlone);
  const days = groupedByDay(
    context.pipeline,
    drafts.filter((draft) => !isAlone(draft) && !placed.has(draft)),
  );
  const fresh = [...days.keys()].sort(compareText).flatMap((key) =>
    chunked(days.get(key) ?? [], capacity).map((chunk) => {
      const { day, currency, supplierCode } = firstOf(chunk);
      const counter = `${day.day} ${currency}`;
      const sequence = sequences.get(counter) ?? context.dailySequence(day.day, currency);
      sequences.set(counter, sequence + 1);
      const supplier = context.pipeline.documentType === 'SUPPLIER_INVOICE' ? (supplierCode ?? '') : '';
      const fact = ['daily', day.day, currency, supplier, sequence].join(':');
      return buildDay(context, checks, chunk, referenceOf(context, fact, 1));
    }),
  );
  return [
    ...again.map(({ reference, chunk }) => buildDay(context, checks, chunk, reference)),
    ...fresh,
    ...alone.flatMap((draft) => planOne(context, checks, draft)),
  ];
}

/** Days that were planned before, with the purchases that still belong together: the largest group of each. */
function daysAgain(
  context: PlanContext,
  drafts: readonly Draft[],
  kept: readonly KeptDay[],
): { reference: string; chunk: Draft[] }[] {
  const placed = new Set<Draft>();
  return [...kept]
    .sort((a, b) => compareText(a.reference, b.reference))
    .flatMap(({ reference, spendRecordIds }) => {
      const ids = new Set(spendRecordIds);
      const own = drafts.filter((draft) => ids.has(draft.id) && !placed.has(draft));
      // A purchase that was held by itself had a document named after it; it joins its day now.
      if (own.some((draft) => referenceOf(context, draft.originKey, draft.revision) === reference)) return [];
      const [largest] = [...groupedByDay(context.pipeline, own).values()].sort((a, b) => b.length - a.length);
      const [chunk] = chunked(largest ?? [], capacityOf(context));
      if (!chunk) return [];
      for (const draft of chunk) placed.add(draft);
      return [{ reference, chunk }];
    });
}

function groupedByDay(pipeline: PlanPipeline, drafts: readonly Draft[]): Map<string, Draft[]> {
  const days = new Map<string, Draft[]>();
  for (const draft of drafts) {
    const key = dayKey(pipeline, draft);
    const day = days.get(key);
    if (day) day.push(draft);
    else days.set(key, [draft]);
  }
  return days;
}

function dayKey(pipeline: PlanPipeline, draft: Draft): string {
  const isInvoice = pipeline.documentType === 'SUPPLIER_INVOICE';
  const supplier = isInvoice ? (draft.supplierCode ?? '') : '';
  // Refunds make a credit note of their own: ledgers take no invoice with lines on both sides.
  const side = isInvoice && draft.lines.reduce((sum, line) => sum + line.minor, 0n) < 0n ? 'credit' : '';
  return [draft.day.day, draft.currency, supplier, side, draft.createSupplier?.matchId ?? ''].join('\u0000');
}

/** Cuts a day between records where its added-up lines would exceed the ledger's limit. */
function chunked(drafts: readonly Draft[], capacity: number): Draft[][] {
  const chunks: Draft[][] = [];
  let chunk: Draft[] = [];
  let keys = new Set<string>();
  for (const draft of drafts) {
    const own = draft.lines.map(aggregationKey);
    const added = new Set(own.filter((key) => !keys.has(key))).size;
    if (chunk.length > 0 && keys.size + added > capacity) {
      chunks.push(chunk);
      chunk = [];
      keys = new Set();
    }
    chunk.push(draft);
    for (const key of own) keys.add(key);
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}

function firstOf(drafts: readonly Draft[]): Draft {
  const [first] = drafts;
  if (!first) throw new InvariantError('A day without spend cannot be planned.');
  return first;
}

function buildDay(
  context: PlanContext,
  checks: LedgerChecks,
  drafts: readonly Draft[],
  reference: string,
): PlannedDocument {
  const count = drafts.length === 1 ? '1 record' : `${drafts.length} records`;
  return buildDocument(context, checks, {
    reference,
    drafts,
    lines: drafts.flatMap((draft) => draft.lines),
    description: `Spend of ${firstOf(drafts).day.day}, ${count}`,
    aggregate: true,
  });
}

// ── proof ────────────────────────────────────────────────────────────────────────────────────

/** The lines of a purchase are worth what the purchase is worth, unless a hold says that its own figures do not fit. */
function assertWhole(item: PlanSpend, lines: readonly DraftLine[], holds: readonly Hold[]): void {
  if (holds.some((hold) => hold.code === 'UNBALANCED')) return;
  const total = lines.reduce((sum, line) => sum + line.minor, 0n);
  if (total !== item.spend.amount.minor)
    throw new InvariantError(`Coding purchase ${item.originKey} changed its amount.`);
}

/** No cent is lost or made between records and documents. */
function assertConserved(drafts: readonly Draft[], documents: readonly PlannedDocument[]): void {
  const totals = new Map<string, bigint>();
  const count = (currency: string, minor: bigint) => totals.set(currency, (totals.get(currency) ?? 0n) + minor);
  for (const { currency, lines } of drafts) for (const line of lines) count(currency, line.minor);
  for (const { currency, lines } of documents) {
    for (const line of lines) if (line.role !== 'OFFSET') count(currency, line.creditMinor - line.debitMinor);
  }
  for (const [currency, difference] of totals) {
    if (difference !== 0n) throw new InvariantError(`Planning lost ${difference} minor units of ${currency}.`);
  }
}
