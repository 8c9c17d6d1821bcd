/** Values by key, read on from a start key in the order of the keys, as M3's lists are. */
export class SortedMap<Value> {
  private readonly values = new Map<string, Value>();
  private keys: string[] | null = null;

  get size(): number {
    return this.values.size;
  }

  get(key: string): Value | undefined {
    return this.values.get(key);
  }

  set(key: string, value: Value): void {
    const isNew = !this.values.has(key);
    this.values.set(key, value);
    // Numbers are given out in their order, so the sorted keys seldom have to be made again.
    if (isNew && this.keys !== null && (this.keys.at(-1) ?? '') < key) this.keys.push(key);
    else if (isNew) this.keys = null;
  }

  delete(key: string): void {
    if (this.values.delete(key)) this.keys = null;
  }

  all(): Iterable<Value> {
    return this.from('');
  }

  /** @returns the values whose key is `start` or comes after it. */
  *from(start: string): Generator<Value> {
    this.keys ??= [...this.values.keys()].sort();
    const { keys } = this;
    for (let index = firstNotBefore(keys, start); index < keys.length; index += 1) {
      const value = this.values.get(keys[index] ?? '');
      if (value !== undefined) yield value;
    }
  }
}

function firstNotBefore(keys: readonly string[], start: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
