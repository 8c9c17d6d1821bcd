/**
 * Names that resemble a text although letters differ: groups of three neighbouring letters, each with the list of names
 * that have it. Only the rarest groups of a text are read, and whole lists only, so that the cost is bounded and the
 * order in which names were added changes nothing.
 */

/** Names visited for one text. */
const VISITS_MAX = 500;
/** Steps in which the worth of a group is counted. */
const WORTH_STEPS = 16;
/** Share of the counted groups, by their worth, that a name must have to be kept. */
const SHARE_MIN = 0.26;
/** Numbers for the signs of a name: the letters and digits, one for every other sign, the beginning and the end. */
const OTHER = 36;
const START = 37;
const END = 38;
const SIGNS = 39;

const signOf = new Uint8Array(128).fill(OTHER);
for (let i = 0; i < 26; i += 1) signOf[97 + i] = i;
for (let i = 0; i < 10; i += 1) signOf[48 + i] = 26 + i;

function signAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? (signOf[code] ?? OTHER) : OTHER;
}

const GRAMS_MAX = 64;
const grams = new Int32Array(GRAMS_MAX);

/** Writes the groups of a text, each once, into `grams`; a text longer than any name is read as far as there is room. */
function gramsOf(compact: string): number {
  let count = 0;
  let two = START;
  let one = compact.length > 0 ? signAt(compact, 0) : OTHER;
  for (let i = 1; i <= compact.length && count < GRAMS_MAX; i += 1) {
    const next = i < compact.length ? signAt(compact, i) : END;
    const gram = (two * SIGNS + one) * SIGNS + next;
    two = one;
    one = next;
    let isNew = true;
    for (let k = 0; k < count; k += 1) {
      if (grams[k] === gram) {
        isNew = false;
        break;
      }
    }
    if (!isNew) continue;
    grams[count] = gram;
    count += 1;
  }
  return count;
}

/** The names that have one group, packed. */
class Posting {
  names: Int32Array = new Int32Array(4);
  length = 0;

  add(id: number): void {
    if (this.length === this.names.length) {
      const room = new Int32Array(this.length + (this.length >> 1) + 4);
      room.set(this.names);
      this.names = room;
    }
    this.names[this.length] = id;
    this.length += 1;
  }

  remove(id: number): void {
    const at = this.names.subarray(0, this.length).indexOf(id);
    if (at < 0) return;
    this.names.copyWithin(at, at + 1, this.length);
    this.length -= 1;
  }
}

export class GramSearch {
  private readonly postings: (Posting | undefined)[] = new Array(SIGNS * SIGNS * SIGNS).fill(undefined);
  /** The groups of the text at hand that some name has, the rarest first. */
  private readonly wanted = new Int32Array(GRAMS_MAX);
  /** Counted worth of each name during one search, in small whole numbers so that it stays in the processor's cache. */
  private worths: Uint16Array = new Uint16Array(0);
  private touched: Int32Array = new Int32Array(0);
  /** For each name 1 divided by the root of its groups, so that long names do not win by length. */
  private norms: Float32Array = new Float32Array(0);
  /** Decides between names that resemble the text equally. */
  private ties: Int32Array = new Int32Array(0);
  private live = 0;

  /** @param compare a total order of names, asked where even their ties are equal. */
  constructor(private readonly compare: (a: number, b: number) => number) {}

  /** @param tie a number that depends on the name and its owner only; of names that resemble a text equally the lower wins. */
  add(id: number, compact: string, tie: number): void {
    const count = gramsOf(compact);
    for (let k = 0; k < count; k += 1) {
      const gram = grams[k] ?? 0;
      let posting = this.postings[gram];
      if (posting === undefined) {
        posting = new Posting();
        this.postings[gram] = posting;
      }
      posting.add(id);
    }
    this.makeRoom(id + 1);
    this.norms[id] = 1 / Math.sqrt(8 + count);
    this.ties[id] = tie;
    this.live += 1;
  }

  remove(id: number, compact: string): void {
    const count = gramsOf(compact);
    for (let k = 0; k < count; k += 1) this.postings[grams[k] ?? 0]?.remove(id);
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
    const ties = new Int32Array(room);
    ties.set(this.ties);
    this.ties = ties;
  }

  /** Sorts the groups that some name has into `wanted`: by how many names have them, then by number. */
  private rarestFirst(count: number): number {
    const { wanted } = this;
    let kept = 0;
    for (let k = 0; k < count; k += 1) {
      const gram = grams[k] ?? 0;
      const length = this.postings[gram]?.length ?? 0;
      if (length === 0) continue;
      let at = kept;
      while (at > 0) {
        const other = wanted[at - 1] ?? 0;
        const otherLength = this.postings[other]?.length ?? 0;
        if (otherLength < length || (otherLength === length && other < gram)) break;
        wanted[at] = other;
        at -= 1;
      }
      wanted[at] = gram;
      kept += 1;
    }
    return kept;
  }

  /**
   * Adds the names nearest to the text to `found`, at most `most` of them.
   * @param visits how many entries of lists may be read, beyond the shortest list.
   * @param share of the counted groups, by their worth, that a name must have.
   */
  collect(compact: string, most: number, found: Set<number>, visits = VISITS_MAX, share = SHARE_MIN): void {
    if (compact.length < 3) return;
    const groups = this.rarestFirst(gramsOf(compact));
    const { worths, touched } = this;
    let count = 0;
    let visited = 0;
    let possible = 0;
    for (let k = 0; k < groups; k += 1) {
      const posting = this.postings[this.wanted[k] ?? 0] as Posting;
      const { names, length } = posting;
      if (visited > 0 && visited + length > visits) break;
      visited += length;
      const worth = Math.round(WORTH_STEPS * Math.log2(2 + this.live / length));
      possible += worth;
      for (let i = 0; i < length; i += 1) {
        const id = names[i] as number;
        const before = worths[id] as number;
        if (before === 0) {
          touched[count] = id;
          count += 1;
        }
        worths[id] = before + worth;
      }
    }
    this.keepNearest(count, possible * share, most, found);
  }

  /** The best of the touched names; clears what was counted. */
  private keepNearest(count: number, least: number, most: number, found: Set<number>): void {
    const { touched, worths, norms, ties } = this;
    let kept = 0;
    let floor = 0;
    for (let i = 0; i < count; i += 1) {
      const id = touched[i] as number;
      const worth = worths[id] as number;
      worths[id] = 0;
      if (worth < least) continue;
      const rank = worth * (norms[id] as number);
      if (rank < floor) continue;
      const tie = ties[id] as number;
      let at = kept;
      while (at > 0 && this.isBehind(at - 1, rank, tie, id)) at -= 1;
      if (at >= most) continue;
      if (kept < most) kept += 1;
      for (let k = kept - 1; k > at; k -= 1) {
        nearest[k] = nearest[k - 1] as number;
        nearestRanks[k] = nearestRanks[k - 1] as number;
      }
      nearest[at] = id;
      nearestRanks[at] = rank;
      if (kept === most) floor = nearestRanks[most - 1] as number;
    }
    for (let k = 0; k < kept; k += 1) found.add(nearest[k] as number);
  }

  /** Whether the name kept at a place resembles the text less than another, or equally and comes after it. */
  private isBehind(place: number, rank: number, tie: number, id: number): boolean {
    const other = nearestRanks[place] as number;
    if (other !== rank) return other < rank;
    const kept = nearest[place] as number;
    const keptTie = this.ties[kept] as number;
    return keptTie === tie ? this.compare(kept, id) > 0 : keptTie > tie;
  }
}

/** Most names that one search may keep. */
const KEPT_MAX = 64;
const nearest = new Int32Array(KEPT_MAX);
const nearestRanks = new Float64Array(KEPT_MAX);

/** A number for a text, the same everywhere. */
export function tieOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
