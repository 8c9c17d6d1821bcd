import { InvariantError } from '../errors.js';
import type { SourceObject } from './spend.js';
import type { SpendStream } from './vocabulary.js';

/** Richest first: what a stream can say about a purchase's coding. */
const RANKS: Readonly<Record<SpendStream, number>> = {
  ACCOUNTING_RECORDS: 0,
  EXPENSES: 1,
  EXPENSE_REPORTS: 2,
  CARD_TRANSACTIONS: 3,
  CASH_TRANSACTIONS: 4,
};

/** 0 is the richest stream. */
export function streamRank(stream: SpendStream): number {
  return RANKS[stream];
}

/**
 * Order of text by code unit: the same on every machine and in every locale, which `localeCompare` does not promise.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Kinds of keys, most lasting first. An expense exists from the swipe on and outlives splits and accounting records; a
 * record or a card transaction may be one of several for the same purchase.
 */
const KEY_ORDER = ['expense:', 'record:', 'card:', 'cash:'];

function keyRank(key: string): number {
  const index = KEY_ORDER.findIndex((prefix) => key.startsWith(prefix));
  return index < 0 ? KEY_ORDER.length : index;
}

export function compareKeys(a: string, b: string): number {
  return keyRank(a) - keyRank(b) || compareText(a, b);
}

/**
 * The key that names a purchase in references: expense before record before card before cash before anything else,
 * then the smallest by code unit.
 * @throws InvariantError no key at all; every object has at least its own.
 */
export function originKeyOf(keys: Iterable<string>): string {
  let best: string | null = null;
  for (const key of keys) {
    if (best === null || compareKeys(key, best) < 0) best = key;
  }
  if (best === null) throw new InvariantError('A purchase without any key cannot be named.');
  return best;
}

/** The source's id inside a key: `e1` of `expense:e1` and of `expense:e1#refund`. */
export function idOfKey(key: string): string {
  const start = key.indexOf(':') + 1;
  const end = key.indexOf('#', start);
  return end < 0 ? key.slice(start) : key.slice(start, end);
}

/** The object's key for itself, e.g. `card:pst_1` for `pst_1`; null when it names itself by none. */
export function ownKeyOf(object: SourceObject): string | null {
  return object.keys.find((key) => idOfKey(key) === object.externalId) ?? null;
}

/** Order of the views of a purchase: richest stream first, then by id and version. */
export function compareObjects(a: SourceObject, b: SourceObject): number {
  return (
    RANKS[a.stream] - RANKS[b.stream] || compareText(a.externalId, b.externalId) || compareText(a.version, b.version)
  );
}

export interface ObjectGroup {
  readonly originKey: string;
  /** All keys of its objects, in the order of `compareKeys`. */
  readonly keys: readonly string[];
  /** In the order of `compareObjects`. */
  readonly objects: readonly SourceObject[];
}

/**
 * Puts the views of one purchase together: objects that share a key, directly or through others, are one group.
 * Groups come in the order of their origin keys; the order of the input changes nothing.
 */
export function groupByKeys(objects: Iterable<SourceObject>): ObjectGroup[] {
  const parents = new Map<string, string>();
  const all = [...objects];
  for (const object of all) {
    const [first, ...others] = object.keys;
    if (first === undefined) throw new InvariantError(`${object.stream} ${object.externalId} came without any key.`);
    const root = rootOf(parents, first);
    for (const key of others) parents.set(rootOf(parents, key), root);
  }
  const members = new Map<string, SourceObject[]>();
  for (const object of all) {
    const root = rootOf(parents, object.keys[0] ?? '');
    const list = members.get(root);
    if (list) list.push(object);
    else members.set(root, [object]);
  }
  return [...members.values()].map(groupOf).sort((a, b) => compareKeys(a.originKey, b.originKey));
}

function groupOf(objects: SourceObject[]): ObjectGroup {
  const keys = [...new Set(objects.flatMap((object) => object.keys))].sort(compareKeys);
  return { originKey: originKeyOf(keys), keys, objects: objects.sort(compareObjects) };
}

/** Finds the root of a key and shortens the way to it, so that long chains of keys stay cheap. */
function rootOf(parents: Map<string, string>, key: string): string {
  let root = key;
  for (let parent = parents.get(root); parent !== undefined && parent !== root; parent = parents.get(root))
    root = parent;
  for (let step = key; step !== root; ) {
    const next = parents.get(step) ?? root;
    parents.set(step, root);
    step = next;
  }
  parents.set(root, root);
  return root;
}
