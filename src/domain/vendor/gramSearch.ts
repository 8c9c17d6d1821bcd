/**
 * Names that resemble a text although letters differ: groups of three neighbouring letters, each with the list of names
 * that have it. Only the rarest groups of a text are read, and whole lists only, so that the cost is bounded and the
 * order in which names were added changes nothing.
 */

/** Names visited for one text. */
const VISITS_MAX = 900;
/** Steps in which the worth of a group is counted. */
const WORTH_STEPS = 16;
/** Share of the counted groups, by their worth, that a name must have to be kept. */
const SHARE_MIN = 0.26;
/** Marks for the beginning and the end of a name, outside the letters and digits. */
const START = 1;
const END = 2;

/** The groups of a text as numbers, each once. */
function gramsOf(compact: string): number[] {
  const grams: number[] = [];
  const length = compact.length;
  let two = START;
  let one = length > 0 ? compact.charCodeAt(0) & 127 : 0;
  for (let i = 1; i <= length; i += 1) {
    const next = i < length ? compact.charCodeAt(i) & 127 : END;
    const gram = (two << 14) | (one << 7) | next;
    if (!grams.includes(gram)) grams.push(gram);
    two = one;
    one = next;
  }
  return grams;
}

export class GramSearch {
  private readonly lists = new Map<number, number[]>();
  /** Counted worth of each name during one search, in small whole numbers so that it stays in the processor's cache. */
  private worths: Uint16Array = new Uint16Array(0);
  private touched: Int32Array = new Int32Array(0);
  /** For each name 1 divided by the root of its groups, so that long names do not win by length. */
  private norms: Float32Array = new Float32Array(0);
  private live = 0;

  /** @param compare a total order of names, which decides between names that resemble the text equally. */
  constructor(private readonly compare: (a: number, b: number) => number) {}

  add(id: number, compact: string): void {
    const grams = gramsOf(compact);
    for (const gram of grams) {
      const list = this.lists.get(gram);
      if (list === undefined) this.lists.set(gram, [id]);
      else list.push(id);
    }
    this.makeRoom(id + 1);
    this.norms[id] = 1 / Math.sqrt(8 + grams.length);
    this.live += 1;
  }

  remove(id: number, compact: string): void {
    for (const gram of gramsOf(compact)) {
      const list = this.lists.get(gram);
      const at = list?.indexOf(id) ?? -1;
      if (list === undefined || at < 0) continue;
      list.splice(at, 1);
      if (list.length === 0) this.lists.delete(gram);
    }
    this.live -= 1;
  }

  private makeRoom(size: number): void {
    if (this.worths.length >= size) return;
    const room = Math.ceil(size * 1.5) + 64;
    this.worths = new Uint16Array(room);
    this.touched = new Int32Array(room);
    const norms = new Float32Array(room);
    norms.set(this.norms);
    this.norms = norms;
  }

  /** Adds the names nearest to the text to `found`, at most `most` of them. */
  collect(compact: string, most: number, found: Set<number>): void {
    if (compact.length < 3) return;
    const lists: { gram: number; list: number[] }[] = [];
    for (const gram of gramsOf(compact)) {
      const list = this.lists.get(gram);
      if (list !== undefined) lists.push({ gram, list });
    }
    lists.sort((a, b) => a.list.length - b.list.length || a.gram - b.gram);
    const { worths, touched } = this;
    let count = 0;
    let visited = 0;
    let possible = 0;
    for (const { list } of lists) {
      if (visited > 0 && visited + list.length > VISITS_MAX) break;
      visited += list.length;
      const worth = Math.round(WORTH_STEPS * Math.log2(2 + this.live / list.length));
      possible += worth;
      for (let i = 0; i < list.length; i += 1) {
        const id = list[i] ?? 0;
        const before = worths[id] ?? 0;
        if (before === 0) {
          touched[count] = id;
          count += 1;
        }
        worths[id] = before + worth;
      }
    }
    this.keepNearest(count, possible * SHARE_MIN, most, found);
  }

  /** The best of the touched names; clears what was counted. */
  private keepNearest(count: number, least: number, most: number, found: Set<number>): void {
    const kept: number[] = [];
    const ranks: number[] = [];
    let floor = 0;
    for (let i = 0; i < count; i += 1) {
      const id = this.touched[i] ?? 0;
      const worth = this.worths[id] ?? 0;
      this.worths[id] = 0;
      if (worth < least) continue;
      const rank = worth * (this.norms[id] ?? 0);
      if (rank < floor) continue;
      let at = kept.length;
      while (at > 0) {
        const before = ranks[at - 1] ?? 0;
        if (before > rank || (before === rank && this.compare(kept[at - 1] ?? 0, id) < 0)) break;
        at -= 1;
      }
      if (at >= most) continue;
      kept.splice(at, 0, id);
      ranks.splice(at, 0, rank);
      if (kept.length > most) {
        kept.pop();
        ranks.pop();
      }
      if (kept.length === most) floor = ranks[most - 1] ?? 0;
    }
    for (const id of kept) found.add(id);
  }
}
