/**
 * Suppliers prepared for comparison: name forms, and the look-ups that find the few forms worth comparing with a
 * descriptor among a hundred thousand. Everything is kept in sorted or counted structures, so that the order in which
 * suppliers were added changes no answer.
 */
import { type Brand, brandsOfSupplier } from './brands.js';
import type { Descriptor, Reading } from './descriptor.js';
import { formOf, type NameForm, nameForms } from './nameForms.js';
import { applyRules } from './rules.js';
import { isPlaceWord, PLACE_PHRASES } from './places.js';
import { type IndexedForm, type PairScore, formWeights, scorePair } from './score.js';
import { compactOf } from './text.js';
import { FILLERS, HOUSES, isEveryday } from './words.js';

export interface SupplierEntry {
  code: string;
  name: string;
  active: boolean;
  city?: string | null;
}

export interface ScoredCandidate {
  readonly supplier: SupplierEntry;
  /** 0 to 1. */
  readonly score: number;
  /** Every feature of the comparison, for the person who reviews it. */
  readonly evidence: Record<string, unknown>;
}

/** Lists longer than this say too little to be worth reading for one word. */
const TOKEN_LIST_MAX = 16;
/** Forms visited by letter groups for one reading; whole lists only, so that order cannot matter. */
const GRAM_VISITS_MAX = 1_800;
/** Share of the counted letter groups a form must have to be compared. */
const GRAM_SHARE_MIN = 0.26;
/** Marks for the beginning and the end of a name, outside the letters and digits. */
const GRAM_START = 1;
const GRAM_END = 2;
/** Forms compared in full for one reading. */
const COMPARED_MAX = 14;
/** Forms compared because they resemble the first word alone. */
const COMPARED_BY_FIRST_WORD_MAX = 6;
const PREFIX_RANGE_MAX = 24;
/** A name this long, found letter by letter, is no accident. */
const KNOWN_LENGTH_MIN = 9;

interface Slot {
  entry: SupplierEntry;
  forms: IndexedForm[];
  brands: readonly Brand[];
  dead: boolean;
}

/** Groups of three neighbouring letters as numbers, with a mark at both ends; each once. */
function gramsOf(compact: string): number[] {
  const grams: number[] = [];
  const length = compact.length;
  let two = GRAM_START;
  let one = length > 0 ? compact.charCodeAt(0) & 127 : 0;
  for (let i = 1; i <= length; i += 1) {
    const next = i < length ? compact.charCodeAt(i) & 127 : GRAM_END;
    const gram = (two << 14) | (one << 7) | next;
    if (!grams.includes(gram)) grams.push(gram);
    two = one;
    one = next;
  }
  return grams;
}

function push<Key>(map: Map<Key, number[]>, key: Key, id: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [id]);
  else list.push(id);
}

/**
 * The brands a supplier is. The name as recorded decides before the one without fillers (`Amazon Web Services` is not
 * Amazon), the trading name before the company behind it, whose other trades have accounts of their own.
 */
function brandsOfForms(forms: readonly NameForm[]): Brand[] {
  for (const kind of ['trading', 'name', 'legal', 'bracket'] as const) {
    for (const part of ['compact', 'bare'] as const) {
      const found = forms.filter((form) => form.kind === kind).flatMap((form) => brandsOfSupplier(form[part]));
      if (found.length > 0) return [...new Set(found)];
    }
  }
  return [];
}

/** Everyday words and places, but nothing of its own. */
function hasOnlyEverydayWords(tokens: readonly string[]): boolean {
  const rest = tokens.filter((token) => !isEveryday(token) && !isPlaceWord(token));
  return rest.length === 0 || PLACE_PHRASES.has(tokens.filter((token) => !HOUSES.has(token) && !FILLERS.has(token)).join(' '));
}

/** Code-point order: the same on every machine, whatever its locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export class SupplierIndex {
  private readonly slots: Slot[] = [];
  private readonly slotByCode = new Map<string, number>();
  private readonly forms: IndexedForm[] = [];
  private readonly gramCounts: number[] = [];
  private normsCount = 0;
  private readonly byCompact = new Map<string, number[]>();
  private readonly byToken = new Map<string, number[]>();
  private readonly byGram = new Map<number, number[]>();
  private sortedForms: number[] | null = null;
  private worths: Float32Array = new Float32Array(0);
  private touched: Int32Array = new Int32Array(0);
  /** For each form 1 divided by the root of its letter groups, so that long names do not win by length. */
  private norms: Float32Array = new Float32Array(0);

  private constructor() {}

  /** An index of these suppliers; of entries with the same code the last one counts. */
  static build(entries: readonly SupplierEntry[]): SupplierIndex {
    const index = new SupplierIndex();
    for (const entry of entries) index.add(entry);
    return index;
  }

  /** How many suppliers, active or not, can be asked for. */
  get size(): number {
    return this.slotByCode.size;
  }

  /** Adds a supplier, or replaces the one with the same code. */
  add(entry: SupplierEntry): void {
    this.remove(entry.code);
    const id = this.slots.length;
    const slot: Slot = { entry, forms: [], brands: [], dead: false };
    this.slots.push(slot);
    this.slotByCode.set(entry.code, id);
    const forms = nameForms(entry.name);
    for (const form of forms) this.addForm(slot, id, form, null);
    const brands = brandsOfForms(forms);
    for (const brand of brands) {
      for (const spelling of brand.spellings) {
        this.addForm(slot, id, formOf('brand', spelling), brand);
      }
    }
    slot.brands = brands;
    this.insertSorted(slot.forms.length);
  }

  /** Takes a supplier out. */
  remove(code: string): void {
    const id = this.slotByCode.get(code);
    const slot = id === undefined ? undefined : this.slots[id];
    if (slot === undefined) return;
    slot.dead = true;
    this.slotByCode.delete(code);
  }

  find(code: string): SupplierEntry | null {
    const id = this.slotByCode.get(code);
    return (id === undefined ? undefined : this.slots[id]?.entry) ?? null;
  }

  private addForm(slot: Slot, supplier: number, form: ReturnType<typeof formOf>, brand: Brand | null): void {
    const weights = formWeights(form.tokens);
    const indexed: IndexedForm = {
      ...form,
      supplier,
      weights,
      totalWeight: weights.reduce((sum, weight) => sum + weight, 0),
      isEveryday: hasOnlyEverydayWords(form.tokens),
      brand,
    };
    const id = this.forms.length;
    this.forms.push(indexed);
    slot.forms.push(indexed);
    push(this.byCompact, form.compact, id);
    if (form.bare !== form.compact) push(this.byCompact, form.bare, id);
    for (const token of new Set(form.tokens)) push(this.byToken, token, id);
    const grams = form.kind === 'initials' ? [] : gramsOf(form.compact);
    this.gramCounts.push(grams.length);
    for (const gram of grams) push(this.byGram, gram, id);
  }

  /** A word of a supplier name, or of the language. Words of brand spellings count too. */
  private readonly isKnownWord = (word: string): boolean => this.byToken.has(word) || isEveryday(word) || isPlaceWord(word);

  private isDead(form: IndexedForm): boolean {
    return this.slots[form.supplier]?.dead ?? true;
  }

  private sorted(): number[] {
    if (this.sortedForms === null) {
      this.sortedForms = this.forms
        .map((_, id) => id)
        .sort((a, b) => this.compareForms(a, b));
    }
    return this.sortedForms;
  }

  /** Keeps the sorted forms sorted when suppliers come one by one. */
  private insertSorted(added: number): void {
    const sorted = this.sortedForms;
    if (sorted === null) return;
    for (let id = this.forms.length - added; id < this.forms.length; id += 1) {
      let low = 0;
      let high = sorted.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.compareForms(sorted[middle] ?? 0, id) < 0) low = middle + 1;
        else high = middle;
      }
      sorted.splice(low, 0, id);
    }
  }

  private compareForms(a: number, b: number): number {
    const left = this.forms[a];
    const right = this.forms[b];
    if (left === undefined || right === undefined) return 0;
    return (
      compareText(left.compact, right.compact) ||
      compareText(this.slots[left.supplier]?.entry.code ?? '', this.slots[right.supplier]?.entry.code ?? '') ||
      compareText(left.kind, right.kind)
    );
  }

  private formsFor(reading: Reading): Set<number> {
    const found = new Set<number>();
    this.collectExact(reading, found);
    this.collectBeginning(reading, found);
    if (this.isKnownWhole(reading, found)) return found;
    this.collectTokens(reading, found);
    this.collectGrams(reading.compact, found, COMPARED_MAX);
    if (reading.brandWords === 0 && reading.tokens.length > 1)
      this.collectGrams(reading.tokens[0] ?? '', found, COMPARED_BY_FIRST_WORD_MAX);
    return found;
  }

  /**
   * Whether the forms found by equal words are enough, so that no search by similar letters is needed: the reading is or
   * begins with an active supplier's name, is how such a name begins in a cut field, or begins with a brand.
   */
  private isKnownWhole(reading: Reading, found: ReadonlySet<number>): boolean {
    const { compact, brand } = reading;
    if (this.byCompact.get(compact)?.some((id) => this.isActiveName(id))) return true;
    for (const id of found) {
      const form = this.forms[id];
      if (form === undefined || form.compact.length < KNOWN_LENGTH_MIN || !this.isActiveName(id)) continue;
      if (compact.startsWith(form.compact) && (form.tokens.length > 1 || !form.isEveryday)) return true;
      if (reading.cut && compact.length >= KNOWN_LENGTH_MIN && form.compact.startsWith(compact)) return true;
    }
    if (brand === null || brand.kind === 'property' || brand.kind === 'hotel') return false;
    const spelling = compactOf(reading.tokens.slice(0, reading.brandWords));
    return this.byCompact.get(spelling)?.some((id) => this.forms[id]?.brand === brand && this.isActiveName(id)) ?? false;
  }

  private isActiveName(id: number): boolean {
    const form = this.forms[id];
    if (form === undefined || form.kind === 'initials') return false;
    const slot = this.slots[form.supplier];
    return slot !== undefined && !slot.dead && slot.entry.active;
  }

  /** Forms equal to the first word, the first two words, and so on. */
  private collectExact(reading: Reading, found: Set<number>): void {
    let joined = '';
    for (const token of reading.tokens.slice(0, 8)) {
      joined += token;
      for (const id of this.byCompact.get(joined) ?? []) found.add(id);
    }
    for (const id of this.byCompact.get(reading.bare) ?? []) found.add(id);
  }

  /** Forms that begin with the whole reading. */
  private collectBeginning(reading: Reading, found: Set<number>): void {
    const text = reading.compact;
    if (text.length < 4) return;
    const sorted = this.sorted();
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.forms[sorted[middle] ?? 0]?.compact ?? '') < text) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < sorted.length && i < low + PREFIX_RANGE_MAX; i += 1) {
      const id = sorted[i] ?? 0;
      if (!(this.forms[id]?.compact ?? '').startsWith(text)) break;
      found.add(id);
    }
  }

  private collectTokens(reading: Reading, found: Set<number>): void {
    for (const token of reading.tokens) {
      const list = this.byToken.get(token);
      if (list === undefined) continue;
      if (list.length <= TOKEN_LIST_MAX) for (const id of list) found.add(id);
    }
  }

  /** Forms that share the rarest letter groups, the nearest first. */
  private collectGrams(compact: string, found: Set<number>, most: number): void {
    if (compact.length < 3) return;
    const lists: { gram: number; list: number[] }[] = [];
    for (const gram of gramsOf(compact)) {
      const list = this.byGram.get(gram);
      if (list !== undefined) lists.push({ gram, list });
    }
    lists.sort((a, b) => a.list.length - b.list.length || a.gram - b.gram);
    if (this.normsCount < this.forms.length) this.prepareCounting();
    const { worths, touched } = this;
    let count = 0;
    let visited = 0;
    let possible = 0;
    for (const { list } of lists) {
      if (visited > 0 && visited + list.length > GRAM_VISITS_MAX) break;
      visited += list.length;
      const worth = Math.log2(2 + this.forms.length / list.length);
      possible += worth;
      for (const id of list) {
        const before = worths[id] ?? 0;
        if (before === 0) {
          touched[count] = id;
          count += 1;
        }
        worths[id] = before + worth;
      }
    }
    this.keepNearest(count, possible * GRAM_SHARE_MIN, most, found);
  }

  private prepareCounting(): void {
    const size = this.forms.length;
    if (this.worths.length < size) {
      const room = Math.ceil(size * 1.25) + 64;
      this.worths = new Float32Array(room);
      this.touched = new Int32Array(room);
      const norms = new Float32Array(room);
      norms.set(this.norms);
      this.norms = norms;
    }
    for (let id = this.normsCount; id < size; id += 1) this.norms[id] = 1 / Math.sqrt(8 + (this.gramCounts[id] ?? 0));
    this.normsCount = size;
  }

  /** The best of the touched forms; clears what was counted. Equal ones in the order of their names and codes. */
  private keepNearest(count: number, least: number, most: number, found: Set<number>): void {
    const kept: { id: number; rank: number }[] = [];
    let floor = 0;
    for (let i = 0; i < count; i += 1) {
      const id = this.touched[i] ?? 0;
      const worth = this.worths[id] ?? 0;
      this.worths[id] = 0;
      if (worth < least) continue;
      const rank = worth * (this.norms[id] ?? 0);
      if (rank < floor) continue;
      const last = kept.length < most ? undefined : kept[most - 1];
      if (last !== undefined && (rank < last.rank || (rank === last.rank && this.compareForms(id, last.id) > 0))) continue;
      let at = kept.length;
      while (at > 0) {
        const before = kept[at - 1];
        if (before === undefined || before.rank > rank || (before.rank === rank && this.compareForms(before.id, id) < 0)) break;
        at -= 1;
      }
      kept.splice(at, 0, { id, rank });
      if (kept.length > most) kept.pop();
      if (kept.length === most) floor = kept[most - 1]?.rank ?? 0;
    }
    for (const { id } of kept) found.add(id);
  }

  /**
   * Of two names of which one is the beginning of the other (`Brand`, `Brand Petroleum`) the longer one is meant as soon
   * as the descriptor shows it.
   */
  private preferLonger(best: Map<number, { score: number; pair: PairScore; reading: Reading; form: IndexedForm; rules: string[] }>): void {
    const strong = [...best.values()].filter((found) => found.score >= 0.7 && this.slots[found.form.supplier]?.entry.active);
    for (const shorter of strong) {
      for (const longer of strong) {
        const isLonger = longer.form.tokens.length > shorter.form.tokens.length && longer.form.compact.startsWith(shorter.form.compact);
        if (!isLonger || shorter.pair.how === 'equal') continue;
        const limit = longer.score - 0.05;
        if (shorter.score > limit) {
          shorter.score = limit;
          shorter.rules.push(`the descriptor goes on like “${longer.form.tokens.join(' ')}”`);
        }
      }
    }
  }

  /**
   * The suppliers that may be meant, best first; equal scores in the order of their codes. Inactive suppliers are
   * among them, because a person must see that the only record of a business is closed.
   */
  candidates(descriptor: Descriptor, limit: number): ScoredCandidate[] {
    const best = new Map<
      number,
      { score: number; pair: PairScore; reading: Reading; form: IndexedForm; rules: string[] }
    >();
    for (const reading of descriptor.readings) {
      for (const id of this.formsFor(reading)) {
        const form = this.forms[id];
        if (form === undefined || this.isDead(form)) continue;
        const pair = scorePair(reading, form, this.isKnownWord);
        if (pair.score < 0.2) continue;
        const brands = this.slots[form.supplier]?.brands ?? [];
        const { score, rules } = applyRules(pair, reading, form, brands, descriptor.parts);
        const known = best.get(form.supplier);
        if (
          known === undefined ||
          score > known.score ||
          (score === known.score && compareText(form.compact, known.form.compact) < 0)
        ) {
          best.set(form.supplier, { score, pair, reading, form, rules });
        }
      }
    }
    this.preferLonger(best);
    const scored = [...best.entries()].map(([id, found]) => ({ entry: (this.slots[id] as Slot).entry, ...found }));
    scored.sort(
      (a, b) =>
        b.score - a.score || Number(b.entry.active) - Number(a.entry.active) || compareText(a.entry.code, b.entry.code),
    );
    return scored.slice(0, limit).map(({ entry, score, pair, reading, form, rules }) => ({
      supplier: entry,
      score,
      evidence: {
        how: pair.how,
        read: reading.tokens.join(' '),
        readAs: reading.kind,
        comparedWith: form.tokens.join(' '),
        comparedAs: form.kind,
        supplierShare: round(pair.supplierShare),
        descriptorShare: round(pair.descriptorShare),
        letters: round(pair.letters),
        rules,
        active: entry.active,
      },
    }));
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
