import { InvariantError } from '../errors.js';
import { compareText } from './identity.js';
import { hashOf } from './keys.js';
import { decimalOfMinor } from './money.js';
import type { LedgerRules, PlanContext, PlannedDocument, PlannedLine } from './plan.js';
import { distinctHolds, type LedgerChecks, type PostingDay } from './planChecks.js';
import { aggregationKey, clip, type DraftLine, joinMemo } from './planLines.js';
import type { DocumentType, Hold } from './vocabulary.js';

/** One purchase, coded and dated, on its way into a document. */
export interface Draft {
  readonly id: string;
  readonly originKey: string;
  readonly revision: number;
  readonly currency: string;
  readonly day: PostingDay;
  readonly supplierCode: string | null;
  readonly createSupplier: { readonly name: string; readonly matchId: string } | null;
  readonly lines: readonly DraftLine[];
  readonly hasReceipts: boolean;
  /** What is wrong with this purchase; what is wrong with the whole document is found when it is made. */
  readonly holds: readonly Hold[];
  readonly description: string;
}

/** No ledger's description is longer; each connector cuts it to its own. */
const DESCRIPTION_LENGTH = 100;

/** How many merchants and reasons a line of many purchases names; the purchases themselves are listed by id. */
const NAMED_MAX = 5;

export interface DocumentInput {
  readonly reference: string;
  readonly drafts: readonly Draft[];
  /** The drafts' lines, or those of them that this document takes. */
  readonly lines: readonly DraftLine[];
  readonly description: string;
  /** DAILY: lines of the same account, cost centre, dimensions and tax code become one. */
  readonly aggregate: boolean;
}

/** Makes the balanced document of drafts that share a day, a currency and a supplier. */
export function buildDocument(context: PlanContext, checks: LedgerChecks, input: DocumentInput): PlannedDocument {
  const [first] = input.drafts;
  if (!first) throw new InvariantError('A document without spend cannot be planned.');
  const { pipeline, rules, mapping } = context;
  const lines = input.aggregate
    ? aggregated(input.lines, rules.memoLength)
    : input.lines.map((line, index) => plainLine(line, index + 1));
  const offset = offsetLine(context, input, lines);
  return finishDocument({
    reference: input.reference,
    documentType: pipeline.documentType,
    postingDate: first.day.day,
    period: first.day.period,
    currency: first.currency,
    supplierCode: oneOf(input.drafts.map((draft) => draft.supplierCode)),
    createSupplier: first.createSupplier,
    description: clip(input.description, DESCRIPTION_LENGTH),
    lines: withReceiptLink(context, input, offset ? [...lines, offset] : lines),
    holds: documentHolds(context, checks, first, input.drafts),
    mappingVersion: mapping?.version ?? null,
    spend: input.drafts.map(({ id, revision }) => ({ id, revision })),
  });
}

/**
 * Puts a link to the receipts into the memo of the first line. It is made from the document's own reference, so that it is
 * known before any receipt was fetched and never changes. A ledger whose memos are too short for the whole link gets none:
 * half a link leads nowhere.
 */
function withReceiptLink(
  { pipeline, rules }: PlanContext,
  { reference, drafts }: DocumentInput,
  lines: readonly PlannedLine[],
): readonly PlannedLine[] {
  const { receiptLinkBase = null } = pipeline;
  if (receiptLinkBase === null || !drafts.some((draft) => draft.hasReceipts)) return lines;
  const link = `${receiptLinkBase}/receipts/${reference}`;
  if (link.length > rules.memoLength) return lines;
  const room = rules.memoLength - link.length - MEMO_JOINT.length;
  return lines.map((line, index) => {
    if (index > 0) return line;
    const before = clip(line.memo ?? '', room);
    return { ...line, memo: before === '' ? link : `${before}${MEMO_JOINT}${link}` };
  });
}

const MEMO_JOINT = ' | ';

/** What holds the document of these drafts, which share the day and the currency of the first. */
export function documentHolds(
  { pipeline, rules }: PlanContext,
  checks: LedgerChecks,
  first: Draft,
  drafts: readonly Draft[],
): Hold[] {
  return distinctHolds([
    ...drafts.flatMap((draft) => draft.holds),
    ...(first.day.hold ? [first.day.hold] : []),
    ...currencyHolds(pipeline.documentType, first.currency, rules.localCurrency),
    ...checks.offset(pipeline.offsetAccount, pipeline.documentType),
  ]);
}

/** A journal of many merchants has no supplier; that of one has it. */
function oneOf(values: readonly (string | null)[]): string | null {
  const [first = null] = values;
  return values.every((value) => value === first) ? first : null;
}

/** Journals are kept in the ledger's own currency; an invoice is in its supplier's, which is checked with the supplier. */
export function currencyHolds(type: DocumentType, currency: string, localCurrency: string | null): Hold[] {
  if (type !== 'JOURNAL' || localCurrency === null || localCurrency === currency) return [];
  return [
    {
      code: 'CURRENCY_UNSUPPORTED',
      message: `The purchase is billed in ${currency}, but the ledger keeps its journals in ${localCurrency}.`,
      field: 'currency',
      value: currency,
      resolution: `Enter it in the ledger by hand in ${localCurrency} and exclude the record, or use a pipeline to a ledger kept in ${currency}.`,
    },
  ];
}

function plainLine(line: DraftLine, lineNumber: number): PlannedLine {
  return plannedLine(line, lineNumber, line.minor, line.memo, [line.spendRecordId], explanationOf(line));
}

function explanationOf({ coding, exchange, supplier }: DraftLine): string {
  return [coding, exchange, supplier].filter((text) => text !== null).join(' ');
}

function plannedLine(
  { role, glAccount, costCentre, dimensions, taxCode }: DraftLine,
  lineNumber: number,
  minor: bigint,
  memo: string | null,
  spendRecordIds: readonly string[],
  explanation: string,
): PlannedLine {
  const debitMinor = minor > 0n ? minor : 0n;
  const creditMinor = minor < 0n ? -minor : 0n;
  return {
    ...{ lineNumber, role, glAccount, costCentre, dimensions, taxCode, debitMinor, creditMinor },
    ...{ memo, spendRecordIds, explanation },
  };
}

function aggregated(lines: readonly DraftLine[], memoLength: number): PlannedLine[] {
  const groups = new Map<string, DraftLine[]>();
  for (const line of lines) {
    const key = aggregationKey(line);
    const group = groups.get(key);
    if (group) group.push(line);
    else groups.set(key, [line]);
  }
  return [...groups.entries()]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, group], index) => aggregateLine(group, index + 1, memoLength));
}

function aggregateLine(group: readonly DraftLine[], lineNumber: number, memoLength: number): PlannedLine {
  const [first] = group;
  if (!first) throw new InvariantError('A line without purchases cannot be planned.');
  if (group.length === 1) return plainLine(first, lineNumber);
  const minor = group.reduce((sum, line) => sum + line.minor, 0n);
  const ids = [...new Set(group.map((line) => line.spendRecordId))];
  const merchants = few([...new Set(group.map((line) => line.merchant).filter((name) => name !== null))]);
  const count = `${ids.length} ${first.minor < 0n ? 'refund' : 'purchase'}${ids.length === 1 ? '' : 's'}`;
  const prefix = first.role === 'TAX' || first.role === 'ROUNDING' ? `${first.role.toLowerCase()} of ` : '';
  const memo = joinMemo([prefix + count, merchants.join(', ')], memoLength);
  const reasons = few([...new Set(group.map((line) => line.coding))]);
  const exchanges = few([...new Set(group.map((line) => line.exchange).filter((text) => text !== null))]);
  return plannedLine(first, lineNumber, minor, memo, ids, [...reasons, ...exchanges].join(' '));
}

function few(values: readonly string[]): string[] {
  if (values.length <= NAMED_MAX) return [...values];
  return [...values.slice(0, NAMED_MAX), `and ${values.length - NAMED_MAX} more.`];
}

/** The other side of all lines; null where purchases and refunds cancel each other out and nothing is left to offset. */
function offsetLine(
  { pipeline, rules }: PlanContext,
  { drafts, description, aggregate, lines: own }: DocumentInput,
  lines: readonly PlannedLine[],
): PlannedLine | null {
  const total = lines.reduce((sum, line) => sum + line.debitMinor - line.creditMinor, 0n);
  if (total === 0n) return null;
  const [only] = own;
  return {
    lineNumber: lines.length + 1,
    role: 'OFFSET',
    glAccount: pipeline.offsetAccount,
    costCentre: null,
    dimensions: {},
    taxCode: null,
    debitMinor: total < 0n ? -total : 0n,
    creditMinor: total > 0n ? total : 0n,
    memo: aggregate || !only ? clip(description, rules.memoLength) || null : only.memo,
    spendRecordIds: drafts.map((draft) => draft.id),
    explanation: `The other side of the lines above: the pipeline's offset account ${pipeline.offsetAccount}.${translation(pipeline.documentType, drafts, rules)}`,
  };
}

/** Of invoices only: journals are in the ledger's own currency. */
function translation(type: DocumentType, [first]: readonly Draft[], { localCurrency }: LedgerRules): string {
  if (type !== 'SUPPLIER_INVOICE' || !first || localCurrency === null || localCurrency === first.currency) return '';
  return ` The ledger keeps its books in ${localCurrency} and translates this document in ${first.currency} by its own rate.`;
}

/**
 * Completes a document: its total, proof of its balance, and the hash over all that reaches the ledger.
 * @throws InvariantError it does not balance, or a line has no side or two. A bug; nothing may be posted.
 */
export function finishDocument(document: Omit<PlannedDocument, 'totalMinor' | 'planHash'>): PlannedDocument {
  let debit = 0n;
  let credit = 0n;
  for (const line of document.lines) {
    if (line.debitMinor < 0n || line.creditMinor < 0n || line.debitMinor > 0n === line.creditMinor > 0n) {
      throw new InvariantError(`Line ${line.lineNumber} of document ${document.reference} is on no side or on both.`);
    }
    debit += line.debitMinor;
    credit += line.creditMinor;
  }
  if (debit !== credit) {
    const { currency } = document;
    throw new InvariantError(
      `Document ${document.reference} does not balance: debit ${decimalOfMinor(debit, currency)}, credit ${decimalOfMinor(credit, currency)} ${currency}.`,
    );
  }
  if (document.period === null && document.holds.length === 0) {
    throw new InvariantError(`Document ${document.reference} has no period and no hold that says so.`);
  }
  return { ...document, totalMinor: debit, planHash: planHashOf(document, debit) };
}

/** Holds, explanations and record ids stay with us: they do not make another document. */
function planHashOf(document: Omit<PlannedDocument, 'totalMinor' | 'planHash'>, totalMinor: bigint): string {
  return hashOf([
    'plan/1',
    document.documentType,
    document.reference,
    document.postingDate,
    document.period?.key ?? null,
    document.currency,
    document.supplierCode,
    document.createSupplier?.name ?? null,
    document.description,
    totalMinor,
    document.lines.map((line) => [
      line.role,
      line.glAccount,
      line.costCentre,
      line.dimensions,
      line.taxCode,
      line.debitMinor,
      line.creditMinor,
      line.memo,
    ]),
  ]);
}

/** What a change of a purchase is compared by; see `economicHash`. */
export type EconomicDocument = Pick<PlannedDocument, 'currency' | 'supplierCode'> & {
  readonly lines: readonly Pick<
    PlannedLine,
    'glAccount' | 'costCentre' | 'dimensions' | 'taxCode' | 'debitMinor' | 'creditMinor'
  >[];
};

/**
 * Hash over what documents do to the books: currency, supplier and the net amount of each account, cost centre,
 * dimensions and tax code. Two plans of a purchase with the same hash need no correction of what was posted.
 *
 * Memos, descriptions and the posting date are not in it. A poorer stream that shows a purchase late often changes a
 * memo, and a plan made on another day moves its date; neither is a reason to reverse a document that is right. Whoever
 * wants a corrected purchase date to count compares `transactionDate` as well.
 */
export function economicHash(documents: readonly EconomicDocument[]): string {
  const net = new Map<string, bigint>();
  for (const { currency, supplierCode, lines } of documents) {
    for (const line of lines) {
      const dimensions = Object.entries(line.dimensions).sort(([a], [b]) => compareText(a, b));
      const key = JSON.stringify([currency, supplierCode, line.glAccount, line.costCentre, dimensions, line.taxCode]);
      net.set(key, (net.get(key) ?? 0n) + line.debitMinor - line.creditMinor);
    }
  }
  const effects = [...net.entries()].filter(([, minor]) => minor !== 0n).sort(([a], [b]) => compareText(a, b));
  return hashOf(['economics/1', effects]);
}
