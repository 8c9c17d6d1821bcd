/** Names in the order of their letters, for those that begin with a text. */

const BEGINNING_MIN = 4;

export class SortedNames {
  /** null until somebody asks: sorting once is cheaper than keeping a hundred thousand names sorted while they come. */
  private ids: number[] | null = null;
  private readonly waiting = new Set<number>();

  /**
   * @param nameOf the letters of the name with this number; they must not change while it is here.
   * @param compare a total order by those letters first.
   */
  constructor(
    private readonly nameOf: (id: number) => string,
    private readonly compare: (a: number, b: number) => number,
  ) {}

  add(id: number): void {
    if (this.ids === null) this.waiting.add(id);
    else this.ids.splice(this.placeOf(id, this.ids), 0, id);
  }

  remove(id: number): void {
    if (this.ids === null) this.waiting.delete(id);
    else this.ids.splice(this.placeOf(id, this.ids), 1);
  }

  /** Adds the names that begin with the text to `found`, the first `most` of them. */
  collect(text: string, most: number, found: Set<number>): void {
    if (text.length < BEGINNING_MIN) return;
    const ids = this.sorted();
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.nameOf(ids[middle] ?? 0) < text) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < ids.length && i < low + most; i += 1) {
      const id = ids[i] ?? 0;
      if (!this.nameOf(id).startsWith(text)) break;
      found.add(id);
    }
  }

  private sorted(): number[] {
    if (this.ids === null) {
      this.ids = [...this.waiting].sort(this.compare);
      this.waiting.clear();
    }
    return this.ids;
  }

  /** Where a name stands, or would stand. */
  private placeOf(id: number, ids: readonly number[]): number {
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.compare(ids[middle] ?? 0, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
