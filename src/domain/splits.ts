import { ownKeyOf, streamRank } from './identity.js';
import { decimalOfMinor } from './money.js';
import type { SourceObject } from './spend.js';
import type { SpendStream } from './vocabulary.js';

/** What one stream says about a purchase. */
export interface StreamView {
  readonly stream: SpendStream;
  /** The objects whose amounts count: parts of a split without their parent. At least one. */
  readonly objects: readonly SourceObject[];
  /** Sum of their amounts in `currency`; null when they are in several currencies and have no sum. */
  readonly totalMinor: bigint | null;
  readonly currency: string;
  /** A sentence when a split's parts do not add up to their parent, or the currencies are mixed. */
  readonly fault: string | null;
}

/**
 * What each stream says, richest first.
 *
 * A split shows as a parent and its parts; a part names its parent by carrying the parent's key beside its own. Only the
 * parts count, never parent and parts. The parent stays a check: what its parts do not add up to is a fault, so that a
 * split of which only some parts have been seen is not posted as if it were all.
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
    .map(([stream, all]) => viewOf(stream, all, split));
}

function viewOf(stream: SpendStream, all: readonly SourceObject[], split: Splits): StreamView {
  const counting = all.filter((object) => !split.childrenOf.has(object));
  const objects = stream === 'ACCOUNTING_RECORDS' ? withoutRecordsOfParents(counting, split) : counting;
  const currency = objects[0]?.amount.currency ?? '';
  if (objects.some((object) => object.amount.currency !== currency)) {
    const currencies = [...new Set(objects.map((object) => object.amount.currency))].sort().join(' and ');
    return {
      stream,
      objects,
      totalMinor: null,
      currency,
      fault: `Its parts are in several currencies: ${currencies}.`,
    };
  }
  const totalMinor = objects.reduce((total, object) => total + object.amount.minor, 0n);
  return { stream, objects, totalMinor, currency, fault: splitFault(all, split) };
}

interface Splits {
  /** Parts by their parent; whoever has parts is a parent. */
  readonly childrenOf: ReadonlyMap<SourceObject, readonly SourceObject[]>;
  readonly parentsOf: ReadonlyMap<SourceObject, readonly SourceObject[]>;
}

function splitsIn(objects: readonly SourceObject[]): Splits {
  const childrenOf = new Map<SourceObject, SourceObject[]>();
  const parentsOf = new Map<SourceObject, SourceObject[]>();
  const byOwnKey = new Map<string, SourceObject>();
  for (const object of objects) {
    const own = ownKeyOf(object);
    if (own !== null) byOwnKey.set(`${object.stream} ${own}`, object);
  }
  for (const object of objects) {
    for (const key of object.keys) {
      const parent = byOwnKey.get(`${object.stream} ${key}`);
      if (!parent || parent === object || !isParentOf(parent, object)) continue;
      childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), object]);
      parentsOf.set(object, [...(parentsOf.get(object) ?? []), parent]);
    }
  }
  return { childrenOf, parentsOf };
}

/**
 * `child` names `parent`. Should the parent name its parts as well, they name each other, and the one that knows more
 * of the family is the parent; between equals nobody is, both amounts count, and the total then disagrees with what
 * the other streams say, which a person sees.
 */
function isParentOf(parent: SourceObject, child: SourceObject): boolean {
  const own = ownKeyOf(child);
  if (own === null || !parent.keys.includes(own)) return true;
  return parent.keys.length > child.keys.length;
}

/** The parts at the bottom of a parent's family. The bound on the depth is the family's size: nobody is met twice. */
function leavesUnder(parent: SourceObject, split: Splits): SourceObject[] {
  const leaves = new Set<SourceObject>();
  const met = new Set<SourceObject>([parent]);
  const waiting = [parent];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    for (const child of split.childrenOf.get(next) ?? []) {
      if (met.has(child)) continue;
      met.add(child);
      if (split.childrenOf.has(child)) waiting.push(child);
      else leaves.add(child);
    }
  }
  return [...leaves];
}

function splitFault(all: readonly SourceObject[], split: Splits): string | null {
  for (const parent of all) {
    if (!split.childrenOf.has(parent) || split.parentsOf.has(parent)) continue;
    // Whether a split parent keeps its amount or shows 0 is not established for every source; 0 says nothing.
    if (parent.amount.minor === 0n) continue;
    const total = leavesUnder(parent, split).reduce((sum, leaf) => sum + leaf.amount.minor, 0n);
    if (total === parent.amount.minor) continue;
    const { currency } = parent.amount;
    return (
      `The parts of split ${parent.externalId} that were seen add up to ${decimalOfMinor(total, currency)} ${currency}, ` +
      `the whole is ${decimalOfMinor(parent.amount.minor, currency)} ${currency}.`
    );
  }
  return null;
}

/**
 * An accounting record of an expense that was split afterwards: once a record of one of the parts is there, the record
 * of the whole is history and counts no more.
 */
function withoutRecordsOfParents(records: readonly SourceObject[], split: Splits): readonly SourceObject[] {
  if (records.length < 2 || split.childrenOf.size === 0) return records;
  const named = new Set(records.flatMap((record) => record.keys));
  const outdated = (record: SourceObject): boolean => {
    for (const [parent, children] of split.childrenOf) {
      const own = ownKeyOf(parent);
      if (parent.stream === record.stream || own === null || !record.keys.includes(own)) continue;
      const parts = [...leavesUnder(parent, split), ...children].map(ownKeyOf).filter((key) => key !== null);
      if (parts.some((key) => record.keys.includes(key))) continue;
      if (parts.some((key) => named.has(key))) return true;
    }
    return false;
  };
  return records.filter((record) => !outdated(record));
}
