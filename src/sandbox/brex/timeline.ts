import type { Micros } from './units.js';

/** Something served from a moment on. `seq` breaks ties and never changes. */
export interface Timed {
  at: Micros;
  readonly seq: number;
}

/** A place between two entries of a timeline: after (`at`, `seq`). */
export interface Position {
  at: Micros;
  seq: number;
}

/**
 * Entries in the order of the moment they become visible, with lookups by binary search. Moving one entry costs one
 * copy of the pointers behind it, which is cheap for the hundreds of thousands it holds.
 */
export class Timeline<T extends Timed> {
  private readonly entries: T[];

  constructor(entries: T[] = []) {
    this.entries = [...entries].sort((a, b) => a.at - b.at || a.seq - b.seq);
  }

  get size(): number {
    return this.entries.length;
  }

  get(index: number): T | undefined {
    return this.entries[index];
  }

  /** Index of the first entry at or after the moment. */
  firstFrom(at: Micros): number {
    return this.firstAfter({ at, seq: -1 });
  }

  /** Index of the first entry later than the position. */
  firstAfter(position: Position): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.entries[middle];
      if (entry !== undefined && (entry.at < position.at || (entry.at === position.at && entry.seq <= position.seq))) {
        low = middle + 1;
      } else high = middle;
    }
    return low;
  }

  add(entry: T): void {
    this.entries.splice(this.firstAfter(entry), 0, entry);
  }

  /** Gives the entry another moment. */
  move(entry: T, at: Micros): void {
    const index = this.firstAfter({ at: entry.at, seq: entry.seq - 1 });
    if (this.entries[index] !== entry) throw new Error('An entry is not where its moment says.');
    this.entries.splice(index, 1);
    entry.at = at;
    this.add(entry);
  }
}
