import { idOfKey, ownKeyOf, streamRank } from './identity.js';
import { absolute, decimalOfMinor } from './money.js';
import type { SourceObject } from './spend.js';
import type { SpendStream } from './vocabulary.js';

/** What one stream says about a purchase. */
export interface StreamView {
  readonly stream: SpendStream;
  /** The objects whose amounts count: parts of a split without their parent. At least one. */
  readonly objects: readonly SourceObject[];
  /** The others of the stream: what they say beside their amount holds where the counting ones say nothing. */
  readonly silent: readonly SourceObject[];
  /**
   * What the stream says the purchase is worth, in `currency`: the sum of the counting amounts, and what rounding the parts
   * of a split took from their parent. null when they are in several currencies and have no sum.
   */
  readonly totalMinor: bigint | null;
  readonly currency: string;
  /** A sentence when a split's parts do not add up to their parent, or the currencies are mixed. */
  readonly fault: string | null;
}

/** What a company really paid, as opposed to what somebody entered. */
export const SETTLED: ReadonlySet<SpendStream> = new Set<SpendStream>(['CARD_TRANSACTIONS', 'CASH_TRANSACTIONS']);

/**
 * What the purchase is worth: what its richest stream says. Where that shows it in several objects, each rounded by itself,
 * and a settled transaction differs from them by less than one minor unit each, what was paid is the whole.
 */
export function worthOf(views: readonly StreamView[]): bigint | null {
  const [richest] = views;
  if (!richest || richest.totalMinor === null) return null;
  const { totalMinor, currency, objects } = richest;
  const paid = views.find((view) => SETTLED.has(view.stream) && view.currency === currency)?.totalMinor ?? null;
  const isRounding = paid !== null && absolute(paid - totalMinor) < BigInt(objects.length);
  return isRounding ? paid : totalMinor;
}

/**
 * What each stream says, richest first.
 *
 * A split shows as a parent and its parts, each an object of its own. Either the parent lists its parts (their ids are
 * its parts' `sourceLineId`, and it carries their keys), or a part names its parent by carrying the parent's key. Parent
 * and parts never both count:
 * - all the parts count, and the parent stays a check: what its parts do not add up to is a fault, unless it is so little
 *   that rounding each part explains it (less than one minor unit a part): then the parent's amount is the right one;
 * - but a parent that lists its parts counts itself until each of them has been seen, for it knows the whole split;
 * - a parent that does not list them gives a fault until its parts add up, so that a split of which only some parts have
 *   been seen is not posted as if it were all.
 */
export function viewsOf(objects: readonly SourceObject[]): StreamView[] {
  const split = splitsIn(objects);
  const byStream = new Map<SpendStream, SourceObject[]>();
  for (const object of objects) {
    const list = byStream.get(object.stream);
    if (list) list.push(object);
    else byStream.set(object.stream, [object]);
  }
  return [...byStream.entries()]
    .sort(([a], [b]) => streamRank(a) - streamRank(b))
    .map(([stream, all]) => viewOf(stream, all, objects, split));
}

function viewOf(
  stream: SpendStream,
  all: readonly SourceObject[],
  everything: readonly SourceObject[],
  split: Splits,
): StreamView {
  const counting = all.filter((object) => !split.silent.has(object));
  const objects = stream === 'ACCOUNTING_RECORDS' ? withoutRecordsOfParents(counting, everything, split) : counting;
  const silent = all.filter((object) => !objects.includes(object));
  const currency = objects[0]?.amount.currency ?? '';
  if (objects.some((object) => object.amount.currency !== currency)) {
    const currencies = [...new Set(objects.map((object) => object.amount.currency))].sort().join(' and ');
    const fault = `Its parts are in several currencies: ${currencies}.`;
    return { stream, objects, silent, totalMinor: null, currency, fault };
  }
  const { fault, remainder } = checkSplits(all, split);
  const totalMinor = objects.reduce((total, object) => total + object.amount.minor, remainder);
  return { stream, objects, silent, totalMinor, currency, fault };
}

interface Splits {
  /** Parts by their parent; whoever has parts is a parent. */
  readonly childrenOf: ReadonlyMap<SourceObject, readonly SourceObject[]>;
  readonly children: ReadonlySet<SourceObject>;
  /** Those whose amounts do not count, because their parts' or their parent's do. */
  readonly silent: ReadonlySet<SourceObject>;
}

function splitsIn(objects: readonly SourceObject[]): Splits {
  const childrenOf = new Map<SourceObject, SourceObject[]>();
  const children = new Set<SourceObject>();
  const byOwnKey = new Map<string, SourceObject>();
  for (const object of objects) {
    const own = ownKeyOf(object);
    if (own !== null) byOwnKey.set(`${object.stream} ${own}`, object);
  }
  for (const object of objects) {
    for (const key of object.keys) {
      const named = byOwnKey.get(`${object.stream} ${key}`);
      if (!named || named === object) continue;
      const [parent, child] = parentFirst(object, named);
      const known = childrenOf.get(parent);
      if (!known) childrenOf.set(parent, [child]);
      else if (!known.includes(child)) known.push(child);
      children.add(child);
    }
  }
  return { childrenOf, children, silent: silentIn(childrenOf) };
}

/** Which of two is the whole, when `naming` carries the key of `named`. */
function parentFirst(naming: SourceObject, named: SourceObject): [SourceObject, SourceObject] {
  if (lists(naming, named)) return [naming, named];
  if (lists(named, naming)) return [named, naming];
  // They name each other and neither lists the other: the one that knows more of the family is the parent.
  const own = ownKeyOf(naming);
  const isMutual = own !== null && named.keys.includes(own);
  return isMutual && naming.keys.length > named.keys.length ? [naming, named] : [named, naming];
}

function lists(parent: SourceObject, child: SourceObject): boolean {
  return parent.parts.some((part) => part.sourceLineId === child.externalId);
}

function silentIn(childrenOf: ReadonlyMap<SourceObject, readonly SourceObject[]>): Set<SourceObject> {
  const silent = new Set<SourceObject>();
  for (const [parent, children] of childrenOf) {
    if (knowsMore(parent, children)) for (const each of under(parent, childrenOf)) silent.add(each);
    else silent.add(parent);
  }
  return silent;
}

/** Whether a parent lists parts of which some have not been seen as objects. */
function knowsMore(parent: SourceObject, children: readonly SourceObject[]): boolean {
  const isListing = children.some((child) => lists(parent, child));
  const seen = new Set<string | null>(children.map((child) => child.externalId));
  return isListing && parent.parts.some((part) => !seen.has(part.sourceLineId));
}

/** All of a parent's family below it. The bound is the family's size: nobody is met twice. */
function under(
  parent: SourceObject,
  childrenOf: ReadonlyMap<SourceObject, readonly SourceObject[]>,
): Set<SourceObject> {
  const met = new Set<SourceObject>();
  const waiting = [parent];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    for (const child of childrenOf.get(next) ?? []) {
      if (child === parent || met.has(child)) continue;
      met.add(child);
      waiting.push(child);
    }
  }
  return met;
}

/** Compares parents with their parts: a contradiction, or what rounding the parts took from their parents. */
function checkSplits(all: readonly SourceObject[], split: Splits): { fault: string | null; remainder: bigint } {
  let remainder = 0n;
  for (const parent of all) {
    if (!split.childrenOf.has(parent) || split.children.has(parent) || !split.silent.has(parent)) continue;
    // Whether a split parent keeps its amount or shows 0 is not established for every source; 0 says nothing.
    if (parent.amount.minor === 0n) continue;
    const counting = [...under(parent, split.childrenOf)].filter((each) => !split.silent.has(each));
    const total = counting.reduce((sum, each) => sum + each.amount.minor, 0n);
    const missing = parent.amount.minor - total;
    if (absolute(missing) >= BigInt(counting.length) && missing !== 0n) {
      return { fault: faultOf(parent, total), remainder: 0n };
    }
    remainder += missing;
  }
  return { fault: null, remainder };
}

function faultOf(parent: SourceObject, total: bigint): string {
  const { currency } = parent.amount;
  return (
    `The parts of split ${parent.externalId} that were seen add up to ${decimalOfMinor(total, currency)} ${currency}, ` +
    `the whole is ${decimalOfMinor(parent.amount.minor, currency)} ${currency}.`
  );
}

/**
 * An accounting record of an expense that was split afterwards: once a record of one of the parts is there, the record
 * of the whole is history and counts no more.
 */
function withoutRecordsOfParents(
  records: readonly SourceObject[],
  everything: readonly SourceObject[],
  split: Splits,
): readonly SourceObject[] {
  if (records.length < 2) return records;
  const families = everything
    .filter((object) => object.stream !== 'ACCOUNTING_RECORDS')
    .map((object) => ({ own: ownKeyOf(object), parts: partKeysOf(object, split) }))
    .filter(({ parts }) => parts.size > 0);
  const named = new Set(records.flatMap((record) => record.keys));
  const isOutdated = (record: SourceObject): boolean =>
    families.some(
      ({ own, parts }) =>
        own !== null &&
        record.keys.includes(own) &&
        !record.keys.some((key) => parts.has(key)) &&
        [...parts].some((key) => named.has(key)),
    );
  return records.filter((record) => !isOutdated(record));
}

/** The keys of all parts of a split, seen or only listed. */
function partKeysOf(parent: SourceObject, split: Splits): Set<string> {
  const listed = new Set<string | null>(parent.parts.map((part) => part.sourceLineId));
  const own = ownKeyOf(parent);
  const keys = parent.keys.filter((key) => key !== own && listed.has(idOfKey(key)));
  for (const each of under(parent, split.childrenOf)) {
    const key = ownKeyOf(each);
    if (key !== null) keys.push(key);
  }
  return new Set(keys);
}
