/**
 * Records of one table by their key, in the key's order, with indexes on some fields: a page or a look-up by an indexed
 * field never walks through all records.
 */
export class Table<T> {
  private readonly byKey = new Map<string, T>();
  private readonly keys: string[] = [];
  private readonly indexes = new Map<string, Map<string, T[]>>();

  /** @param indexed how to read each indexed field from a record; such a field must not change afterwards. */
  constructor(
    readonly keyOf: (item: T) => string,
    private readonly indexed: Readonly<Record<string, (item: T) => string>> = {},
  ) {
    for (const field of Object.keys(indexed)) this.indexes.set(field, new Map());
  }

  get size(): number {
    return this.keys.length;
  }

  get(key: string): T | undefined {
    return this.byKey.get(key);
  }

  /** Adds a record, or replaces the one with the same key. */
  put(item: T): void {
    const key = this.keyOf(item);
    const before = this.byKey.get(key);
    if (before === undefined) this.keys.splice(this.position(key), 0, key);
    else this.unindex(before);
    this.byKey.set(key, item);
    for (const [field, read] of Object.entries(this.indexed)) {
      const index = this.indexes.get(field);
      const held = index?.get(read(item));
      if (held === undefined) index?.set(read(item), [item]);
      else held.push(item);
    }
  }

  /** @returns the records with that value; undefined when the field has no index. */
  withValue(field: string, value: string): readonly T[] | undefined {
    const index = this.indexes.get(field);
    return index === undefined ? undefined : (index.get(value) ?? []);
  }

  /** How often each value of an indexed field occurs. */
  counts(field: string): Map<string, number> {
    return new Map([...(this.indexes.get(field) ?? [])].map(([value, items]) => [value, items.length]));
  }

  /** All records in the key's order, from the first key above `after`. */
  *above(after?: string): Generator<T> {
    let at = after === undefined ? 0 : this.position(after);
    if (after !== undefined && this.keys[at] === after) at += 1;
    for (; at < this.keys.length; at += 1) {
      const item = this.byKey.get(this.keys[at] ?? '');
      if (item !== undefined) yield item;
    }
  }

  private unindex(item: T): void {
    for (const [field, read] of Object.entries(this.indexed)) {
      const held = this.indexes.get(field)?.get(read(item));
      held?.splice(held.indexOf(item), 1);
    }
  }

  /** Where the key stands, or would stand. New numbers go to the end, so that comes first. */
  private position(key: string): number {
    const last = this.keys.at(-1);
    if (last === undefined || last < key) return this.keys.length;
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
