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
const TOKEN_LIST_MAX = 400;
/** Forms visited by letter groups for one reading; whole lists only, so that order cannot matter. */
const GRAM_VISITS_MAX = 12_000;
/** Forms compared in full for one reading. */
const COMPARED_MAX = 48;
const PREFIX_RANGE_MAX = 64;

interface Slot {
  entry: SupplierEntry;
  forms: IndexedForm[];
  brands: readonly Brand[];
  dead: boolean;
}

function gramsOf(compact: string): string[] {
  const text = `^${compact}$`;
  const grams: string[] = [];
  for (let i = 0; i + 3 <= text.length; i += 1) grams.push(text.slice(i, i + 3));
  return [...new Set(grams)];
}

function push(map: Map<string, number[]>, key: string, id: number): void {
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
  private readonly byCompact = new Map<string, number[]>();
  private readonly byToken = new Map<string, number[]>();
  private readonly byGram = new Map<string, number[]>();
  private sortedForms: number[] | null = null;
  private visits: Float32Array = new Float32Array(0);

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
    this.sortedForms = null;
  }

  /** Takes a supplier out. */
  remove(code: string): void {
    const id = this.slotByCode.get(code);
    const slot = id === undefined ? undefined : this.slots[id];
    if (slot === undefined) return;
    slot.dead = true;
    this.slotByCode.delete(code);
    this.sortedForms = null;
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
        .filter((id) => !this.isDead(this.forms[id] as IndexedForm))
        .sort((a, b) => this.compareForms(a, b));
    }
    return this.sortedForms;
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
    this.collectTokens(reading, found);
    this.collectGrams(reading.compact, found);
    if (reading.brandWords === 0 && reading.tokens.length > 1)
      this.collectGrams(compactOf(reading.tokens.slice(0, 1)), found);
    return found;
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
      if (list === undefined || list.length > TOKEN_LIST_MAX) continue;
      if (list.length <= 40) for (const id of list) found.add(id);
    }
  }

  /** Forms that share the rarest letter groups, the nearest first. */
  private collectGrams(compact: string, found: Set<number>): void {
    if (compact.length < 3) return;
    const grams = gramsOf(compact);
    const lists = grams
      .map((gram) => ({ gram, list: this.byGram.get(gram) ?? [] }))
      .filter(({ list }) => list.length > 0)
      .sort((a, b) => a.list.length - b.list.length || compareText(a.gram, b.gram));
    if (this.visits.length < this.forms.length) this.visits = new Float32Array(Math.ceil(this.forms.length * 1.5));
    const touched: number[] = [];
    let visited = 0;
    for (const { list } of lists) {
      if (visited > 0 && visited + list.length > GRAM_VISITS_MAX) break;
      visited += list.length;
      const worth = Math.log(1 + this.forms.length / list.length);
      for (const id of list) {
        if (this.visits[id] === 0) touched.push(id);
        this.visits[id] = (this.visits[id] ?? 0) + worth;
      }
    }
    const ranked = touched
      .map((id) => ({ id, worth: (this.visits[id] ?? 0) / Math.sqrt(8 + (this.gramCounts[id] ?? 0)) }))
      .sort((a, b) => b.worth - a.worth || this.compareForms(a.id, b.id));
    for (const id of touched) this.visits[id] = 0;
    for (const { id } of ranked.slice(0, COMPARED_MAX)) found.add(id);
  }

  /**
   * Of two names of which one is the beginning of the other (`Brand`, `Brand Petroleum`) the longer one is meant as soon
   * as the descriptor shows it.
   */
  private preferLonger(best: Map<number, { score: number; pair: PairScore; reading: Reading; form: IndexedForm; rules: string[] }>): void {
    const strong = [...best.values()].filter((found) => found.score >= 0.8 && this.slots[found.form.supplier]?.entry.active);
    for (const shorter of strong) {
      for (const longer of strong) {
        const isLonger = longer.form.tokens.length > shorter.form.tokens.length && longer.form.compact.startsWith(shorter.form.compact);
        if (!isLonger || longer.pair.letters < 0.8 || shorter.pair.how === 'equal') continue;
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
