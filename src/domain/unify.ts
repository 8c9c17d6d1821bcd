import { InvariantError } from '../errors.js';
import { compareObjects, compareText, idOfKey } from './identity.js';
import type { LocalDate } from './localDate.js';
import { absolute, decimalOf, decimalOfMinor, type Money } from './money.js';
import type { SourceObject, SpendKind, SpendPart, UnifiedSpend } from './spend.js';
import { SETTLED, type StreamView, viewsOf, worthOf } from './splits.js';
import type { SpendStream } from './vocabulary.js';

/** Who is asked first for what the merchant is called: the card network says it first-hand, a record copies it. */
const MERCHANT_ORDER: readonly SpendStream[] = [
  'CARD_TRANSACTIONS',
  'EXPENSES',
  'EXPENSE_REPORTS',
  'CASH_TRANSACTIONS',
  'ACCOUNTING_RECORDS',
];

/** Who knows the day of the purchase: an accounting record carries only the day it should be posted. */
const DATE_ORDER: readonly SpendStream[] = [
  'EXPENSES',
  'EXPENSE_REPORTS',
  'CARD_TRANSACTIONS',
  'CASH_TRANSACTIONS',
  'ACCOUNTING_RECORDS',
];

const STREAM_WORDS: Readonly<Record<SpendStream, string>> = {
  ACCOUNTING_RECORDS: 'accounting record',
  EXPENSES: 'expense',
  EXPENSE_REPORTS: 'expense report',
  CARD_TRANSACTIONS: 'card transaction',
  CASH_TRANSACTIONS: 'cash transaction',
};

/**
 * One purchase from all that its source shows of it, the same whatever order the objects are given in.
 *
 * - **Amount and parts** come from the richest stream: accounting records, then expenses, then card or cash
 *   transactions. Several objects of a stream are the parts of a split or partial charges and add up (see `viewsOf`).
 *   Any other field comes from the richest stream that has it; merchant and purchase date have orders of their own.
 * - **Disagreement**: streams that name different amounts in one currency. One exception: when the settled transaction
 *   and the richest stream agree, an expense that names another figure is what somebody entered before a tip or a
 *   refund, and the money and the books are at one without it.
 * - **Withdrawn** objects (void, deleted) say nothing while another view of the purchase stands: a card transaction
 *   whose accounting record was withdrawn is still a purchase, waiting for its next record. The other way round is a
 *   contradiction, for nobody can tell which of the two is late: an accounting record that stands while its expense is
 *   withdrawn is a disagreement, for a person to look at. The purchase is withdrawn when all of its views are.
 * - **Not spend** (a payout, a card payment) says nothing beside an object that is spend; the payout of a
 *   reimbursement shares keys with it and would be counted twice. Alone, it makes the whole not spend.
 *
 * Tax that is stated only for a purchase of several parts stays in them: nobody said which part contains it.
 * @throws InvariantError no objects, or two versions of one object: the engine gives the current one only.
 */
export function unify(objects: readonly SourceObject[]): UnifiedSpend {
  const all = currentObjects(objects);
  const standing = all.filter((object) => !object.isWithdrawn);
  const considered = firstNonEmpty(
    standing.filter((object) => object.kind !== 'NOT_SPEND'),
    standing,
    all.filter((object) => object.kind !== 'NOT_SPEND'),
    all,
  );
  const views = viewsOf(considered);
  const richest = views[0];
  if (!richest) throw new InvariantError('A purchase without objects cannot be unified.');

  const amount: Money = { minor: worthOf(views) ?? 0n, currency: richest.currency };
  const parts = withTax(partsOf(richest, views), views, amount);
  const kind = kindOf(richest, amount);
  return {
    kind,
    notSpendReason: kind === 'NOT_SPEND' ? (pick(views, (object) => object.notSpendReason) ?? null) : null,
    isWithdrawn: standing.length === 0,
    streams: views.map((view) => view.stream),
    isFinal: richest.objects.every((object) => object.isFinal),
    amount,
    originalAmount: sumOf(views, (object) => object.originalAmount),
    ...rateOf(views),
    tax: taxOf(parts, views, amount),
    merchantName: pick(inOrder(views, MERCHANT_ORDER), (object) => object.merchantName),
    merchantDescriptor: pick(inOrder(views, MERCHANT_ORDER), (object) => object.merchantDescriptor),
    mcc: pick(inOrder(views, MERCHANT_ORDER), (object) => object.mcc),
    category: pick(views, (object) => object.category),
    dimensions: mergedDimensions(views.flatMap(everyObject).map((object) => object.dimensions)),
    parts,
    spender: joined(views, (object) => object.spender, ', '),
    memo: joined(views, (object) => object.memo, '; '),
    transactionDate: firstDay(views),
    postedDate: lastPostedDay(views),
    receiptUrls: [...new Set(views.flatMap(everyObject).flatMap((object) => object.receiptUrls))],
    ...(views.flatMap(everyObject).some(({ receipts = [] }) => receipts.length > 0)
      ? ({ hasReceipts: true } as const)
      : {}),
    disagreement: disagreementIn(views, richest, parts, all),
  };
}

function currentObjects(objects: readonly SourceObject[]): SourceObject[] {
  const sorted = [...objects].sort(compareObjects);
  const current: SourceObject[] = [];
  for (const object of sorted) {
    const last = current.at(-1);
    if (last?.stream !== object.stream || last.externalId !== object.externalId) current.push(object);
    else if (last.version !== object.version) {
      throw new InvariantError(`${object.stream} ${object.externalId} was given in two versions.`);
    }
  }
  return current;
}

function firstNonEmpty(...lists: SourceObject[][]): SourceObject[] {
  return lists.find((list) => list.length > 0) ?? [];
}

function kindOf(richest: StreamView, amount: Money): SpendKind {
  const kinds = new Set(richest.objects.map((object) => object.kind));
  const [only] = kinds;
  if (only && kinds.size === 1) return only;
  // A purchase and its refund seen as one: what is left of it decides.
  if (kinds.has('BILL')) return 'BILL';
  if (kinds.has('REIMBURSEMENT')) return 'REIMBURSEMENT';
  return amount.minor < 0n ? 'REFUND' : 'PURCHASE';
}

// ── parts ────────────────────────────────────────────────────────────────────────────────────

function partsOf(richest: StreamView, views: readonly StreamView[]): SpendPart[] {
  return richest.objects.flatMap((object) => {
    const others = views.slice(1).flatMap((view) => relatedIn(view, object));
    const own = object.parts.length > 0 ? object.parts : [wholePart(object)];
    return own.map((part) => enriched(part, object, others, own.length === 1));
  });
}

/** The object of a poorer stream that tells about the same part: the one that shares a key, or the only one there is. */
function relatedIn(view: StreamView, object: SourceObject): SourceObject[] {
  const sharing = view.objects.filter((other) => other.keys.some((key) => object.keys.includes(key)));
  if (sharing.length === 1) return sharing;
  return view.objects.length === 1 ? [...view.objects] : [];
}

function wholePart(object: SourceObject): SpendPart {
  return {
    sourceLineId: object.externalId,
    amount: object.amount,
    tax: object.tax,
    category: object.category,
    glAccount: null,
    costCentre: null,
    dimensions: object.dimensions,
    memo: object.memo,
  };
}

function enriched(part: SpendPart, object: SourceObject, others: readonly SourceObject[], isWhole: boolean): SpendPart {
  const otherParts = others.flatMap((other) => partsAbout(other, object));
  const first = (values: readonly (string | null)[]): string | null => values.find((value) => value !== null) ?? null;
  return {
    sourceLineId: part.sourceLineId,
    amount: part.amount,
    tax: part.tax ?? (isWhole ? object.tax : null),
    category: first([
      // An accounting record's category is the account it was coded with, which rules are compared with anyhow; the
      // category of the expense says more.
      part.category === part.glAccount ? null : part.category,
      object.category,
      ...otherParts.map((other) => other.category),
      ...others.map((other) => other.category),
      part.category,
    ]),
    glAccount: first([part.glAccount, ...otherParts.map((other) => other.glAccount)]),
    costCentre: first([part.costCentre, ...otherParts.map((other) => other.costCentre)]),
    dimensions: mergedDimensions([
      part.dimensions,
      object.dimensions,
      ...otherParts.map((other) => other.dimensions),
      ...others.map((other) => other.dimensions),
    ]),
    memo: part.memo ?? object.memo,
  };
}

/** The part of a poorer view that `object` is about: its only one, or the one that `object` names by its id. */
function partsAbout(other: SourceObject, object: SourceObject): readonly SpendPart[] {
  if (other.parts.length <= 1) return other.parts;
  const ids = new Set<string | null>(object.keys.map(idOfKey));
  const named = other.parts.filter((part) => ids.has(part.sourceLineId));
  return named.length === 1 ? named : [];
}

/** Names from all, values from the first that has the name. Names are sorted, so that equal sets look equal. */
function mergedDimensions(sets: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const merged = new Map<string, string>();
  for (const set of sets) {
    for (const [name, value] of Object.entries(set)) if (!merged.has(name)) merged.set(name, value);
  }
  return Object.fromEntries([...merged.entries()].sort(([a], [b]) => compareText(a, b)));
}

// ── tax ──────────────────────────────────────────────────────────────────────────────────────

/** A purchase of one part contains all the tax that any stream states for the same amount. */
function withTax(parts: SpendPart[], views: readonly StreamView[], amount: Money): SpendPart[] {
  const [only] = parts;
  if (!only || parts.length > 1 || only.tax) return parts;
  const tax = statedTax(views, amount);
  return tax ? [{ ...only, tax }] : parts;
}

function taxOf(parts: readonly SpendPart[], views: readonly StreamView[], amount: Money): Money | null {
  const stated = parts.map((part) => part.tax).filter((tax) => tax !== null);
  if (stated.length === 0) return statedTax(views, amount);
  if (stated.some((tax) => tax.currency !== amount.currency)) return null;
  return { minor: stated.reduce((sum, tax) => sum + tax.minor, 0n), currency: amount.currency };
}

function statedTax(views: readonly StreamView[], amount: Money): Money | null {
  for (const view of views) {
    if (view.totalMinor !== amount.minor || view.currency !== amount.currency) continue;
    const tax = sumIn(view, (object) => object.tax);
    if (tax?.currency === amount.currency) return tax;
  }
  return null;
}

// ── fields ───────────────────────────────────────────────────────────────────────────────────

function inOrder(views: readonly StreamView[], order: readonly SpendStream[]): StreamView[] {
  return [...views].sort((a, b) => order.indexOf(a.stream) - order.indexOf(b.stream));
}

function everyObject(view: StreamView): SourceObject[] {
  return [...view.objects, ...view.silent];
}

function pick<T>(views: readonly StreamView[], field: (object: SourceObject) => T | null): T | null {
  for (const view of views) {
    for (const object of everyObject(view)) {
      const value = field(object);
      if (value !== null) return value;
    }
  }
  return null;
}

/** All that the first stream with the field says, each once. */
function joined(
  views: readonly StreamView[],
  field: (object: SourceObject) => string | null,
  separator: string,
): string | null {
  for (const view of views) {
    for (const objects of [view.objects, view.silent]) {
      const values = objects.map(field).filter((value) => value !== null && value.trim() !== '');
      if (values.length > 0) return [...new Set(values)].join(separator);
    }
  }
  return null;
}

/** The sum over a stream, from the first stream whose every object has the field in one currency. */
function sumOf(views: readonly StreamView[], field: (object: SourceObject) => Money | null): Money | null {
  for (const view of views) {
    const total = sumIn(view, field);
    if (total) return total;
  }
  return null;
}

function sumIn(view: StreamView, field: (object: SourceObject) => Money | null): Money | null {
  const values = view.objects.map(field);
  const currency = values[0]?.currency;
  let minor = 0n;
  for (const value of values) {
    if (!value || value.currency !== currency) return null;
    minor += value.minor;
  }
  return currency === undefined ? null : { minor, currency };
}

/** The rate that all objects of a stream share; parts charged at different rates have no rate as a whole. */
function rateOf(views: readonly StreamView[]): Pick<UnifiedSpend, 'exchangeRate' | 'rateOrigin'> {
  for (const { objects } of views) {
    const [exchangeRate, ...others] = new Set(objects.map((object) => object.exchangeRate));
    if (!exchangeRate || others.length > 0) continue;
    const [rateOrigin, ...origins] = new Set(objects.map((object) => object.rateOrigin));
    return { exchangeRate, ...(rateOrigin && origins.length === 0 ? { rateOrigin } : {}) };
  }
  return { exchangeRate: null };
}

function firstDay(views: readonly StreamView[]): LocalDate {
  const days = inOrder(views, DATE_ORDER)[0]?.objects.map((object) => object.transactionDate) ?? [];
  const [first, ...others] = days;
  if (!first) throw new InvariantError('A purchase without objects has no date.');
  return others.reduce((earliest, day) => (day < earliest ? day : earliest), first);
}

/** The day the last part was settled: before it, the purchase as a whole was not. */
function lastPostedDay(views: readonly StreamView[]): LocalDate | null {
  for (const view of views) {
    const days = view.objects.map((object) => object.postedDate).filter((day) => day !== null);
    const [first, ...others] = days;
    if (first) return others.reduce((latest, day) => (day > latest ? day : latest), first);
  }
  return null;
}

// ── disagreement ─────────────────────────────────────────────────────────────────────────────

function disagreementIn(
  views: readonly StreamView[],
  richest: StreamView,
  parts: readonly SpendPart[],
  all: readonly SourceObject[],
): string | null {
  return (
    // Several currencies in a poorer stream only mean that it cannot be compared.
    views.find((view) => (view === richest || view.totalMinor !== null ? view.fault : null))?.fault ??
    partsFault(richest, parts) ??
    amountFault(views, richest) ??
    withdrawalFault(richest, all)
  );
}

/**
 * Whether the parts of one object make it up is for planning to judge, which knows their tax codes. Of several objects
 * only those can be judged together, so each of them has to be whole.
 */
function partsFault(richest: StreamView, parts: readonly SpendPart[]): string | null {
  for (const object of richest.objects) {
    const { currency } = object.amount;
    const foreign = object.parts.find((part) => part.amount.currency !== currency);
    if (foreign) return `A part of ${object.externalId} is in ${foreign.amount.currency}, the whole in ${currency}.`;
    if (object.parts.length === 0 || richest.objects.length === 1) continue;
    const total = sumOfParts(object.parts);
    if (absolute(object.amount.minor - total) >= BigInt(object.parts.length)) {
      return (
        `The parts of ${object.externalId} add up to ${decimalOfMinor(total, currency)} ${currency}, ` +
        `the whole is ${decimalOf(object.amount)} ${currency}.`
      );
    }
  }
  const own = richest.objects.map((object) =>
    object.parts.length > 0 ? sumOfParts(object.parts) : object.amount.minor,
  );
  if (richest.totalMinor !== null && sumOfParts(parts) !== own.reduce((sum, minor) => sum + minor, 0n)) {
    throw new InvariantError('The parts of a purchase lost money while its streams were joined.');
  }
  return null;
}

function sumOfParts(parts: readonly SpendPart[]): bigint {
  return parts.reduce((sum, part) => sum + part.amount.minor, 0n);
}

function amountFault(views: readonly StreamView[], richest: StreamView): string | null {
  if (richest.totalMinor === null) return null;
  const worth = worthOf(views);
  const comparable = views.filter(
    (view) => view !== richest && view.currency === richest.currency && view.totalMinor !== null,
  );
  const isSettledAlike = comparable.some((view) => SETTLED.has(view.stream) && view.totalMinor === worth);
  const other = comparable.find((view) => view.totalMinor !== worth && (SETTLED.has(view.stream) || !isSettledAlike));
  if (!other) return null;
  return `The source names two amounts: ${figureOf(richest)} and ${figureOf(other)}.`;
}

function figureOf(view: StreamView): string {
  const word = STREAM_WORDS[view.stream];
  const figure = `${decimalOfMinor(view.totalMinor ?? 0n, view.currency)} ${view.currency}`;
  return view.objects.length === 1 ? `${figure} in the ${word}` : `${figure} in ${view.objects.length} ${word}s`;
}

/** Compares what stands with what was taken back: only a richer view that outlives a poorer one is a contradiction. */
function withdrawalFault(richest: StreamView, all: readonly SourceObject[]): string | null {
  if (richest.objects.every((object) => object.isWithdrawn || object.kind === 'NOT_SPEND')) return null;
  for (const object of all) {
    if (!object.isWithdrawn || object.kind === 'NOT_SPEND' || object.stream === richest.stream) continue;
    if (compareObjects(object, richest.objects[0] ?? object) < 0) continue;
    if (all.some((other) => other.stream === object.stream && !other.isWithdrawn)) continue;
    return (
      `The source withdrew ${STREAM_WORDS[object.stream]} ${object.externalId}, ` +
      `but the ${STREAM_WORDS[richest.stream]} of the same purchase still stands.`
    );
  }
  return null;
}
