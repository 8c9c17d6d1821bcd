/**
 * Suppliers prepared for comparison: name forms, and the look-ups that find the few forms worth comparing with a
 * descriptor among a hundred thousand. Everything is kept in sorted or counted structures, so that the order in which
 * suppliers were added changes no answer.
 */
import { type Brand, brandsOfSupplier, leadingBrand } from './brands.js';
import { type Descriptor, type Reading, respell } from './descriptor.js';
import { GramSearch, tieOf } from './gramSearch.js';
import { formOf, type NameForm, nameForms } from './nameForms.js';
import { NearWords } from './nearWords.js';
import { isPlaceWord, PLACE_PHRASES } from './places.js';
import { Resemblance } from './resemblance.js';
import { doubtBrands, type Found, preferLonger } from './rivals.js';
import { applyRules } from './rules.js';
import { formWeights, type IndexedForm, scorePair } from './score.js';
import { SortedNames } from './sortedNames.js';
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
/** Forms compared in full for one reading. */
const COMPARED_MAX = 10;
/** Forms compared because they resemble the first word alone. */
const COMPARED_BY_FIRST_WORD_MAX = 5;
const PREFIX_RANGE_MAX = 24;
const SIBLINGS_MAX = 8;
/** Below this a name has nothing to do with the descriptor and is not shown. */
const SHOWN_SCORE_MIN = 0.25;
/** Letters of a brand that are looked up with a slip in them. */
const BRAND_START_MIN = 4;
const BRAND_START_MAX = 8;
/** From this score on a reading fits as it stands. */
const PLAIN_SCORE = 0.96;
/** From this score on a supplier fits well enough that nobody looks for letters that went wrong. */
const WEAK_SCORE = 0.84;
/** The score of a name that nobody else can have, although many of its letters are wrong. */
const CERTAIN_SCORE = 0.88;
/** Readings whose forms are kept while many descriptors are matched. */
const SHARED_MAX = 20_000;
/** A name this long, found letter by letter, is no accident. */
const KNOWN_LENGTH_MIN = 9;

/** Work that descriptors matched one after the other share; of no use once the index has changed. */
export type SharedWork = Map<string, ReadonlySet<number>>;

interface Slot {
  entry: SupplierEntry;
  formIds: number[];
  brands: readonly Brand[];
  dead: boolean;
}

function push(map: Map<string, number[]>, key: string, id: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [id]);
  else list.push(id);
}

function pull(map: Map<string, number[]>, key: string, id: number): void {
  const list = map.get(key);
  const at = list?.indexOf(id) ?? -1;
  if (list === undefined || at < 0) return;
  list.splice(at, 1);
  if (list.length === 0) map.delete(key);
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

const HOTEL_KINDS: ReadonlySet<string> = new Set(['hotel', 'property']);

/** Everyday words and places, but nothing of its own. */
function hasOnlyEverydayWords(tokens: readonly string[]): boolean {
  // A hotel brand with a place (`Holiday Inn ...`) is made of everyday words, but the two together name one house.
  const leading = leadingBrand(tokens);
  if (leading !== null && HOTEL_KINDS.has(leading.brand.kind) && tokens.length > leading.words) return false;
  const rest = tokens.filter((token) => !isEveryday(token) && !isPlaceWord(token));
  return (
    rest.length === 0 ||
    PLACE_PHRASES.has(tokens.filter((token) => !HOUSES.has(token) && !FILLERS.has(token)).join(' '))
  );
}

/** Code-point order: the same on every machine, whatever its locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export class SupplierIndex {
  private readonly slots: Slot[] = [];
  private readonly slotByCode = new Map<string, number>();
  private readonly forms: IndexedForm[] = [];
  private readonly byCompact = new Map<string, number[]>();
  private readonly byToken = new Map<string, number[]>();
  private readonly grams = new GramSearch((a, b) => this.compareForms(a, b));
  /** Brand spellings by their beginnings, for a brand with a slip in it and anything behind it. */
  private readonly brandStarts = new NearWords();
  private readonly resemblance = new Resemblance();
  private readonly sorted = new SortedNames(
    (id) => this.forms[id]?.compact ?? '',
    (a, b) => this.compareForms(a, b),
  );

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
    const slot: Slot = { entry, formIds: [], brands: [], dead: false };
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
    if (entry.active) for (const brand of brands) this.resemblance.countBrand(brand, 1);
  }

  /** Takes a supplier out; nothing of it stays behind that could change another answer. */
  remove(code: string): void {
    const slotId = this.slotByCode.get(code);
    const slot = slotId === undefined ? undefined : this.slots[slotId];
    if (slot === undefined) return;
    for (const id of slot.formIds) this.removeForm(id);
    slot.dead = true;
    if (slot.entry.active) for (const brand of slot.brands) this.resemblance.countBrand(brand, -1);
    this.slotByCode.delete(code);
  }

  private removeForm(id: number): void {
    const form = this.forms[id];
    if (form === undefined) return;
    this.sorted.remove(id);
    pull(this.byCompact, form.compact, id);
    if (form.bare !== form.compact) pull(this.byCompact, form.bare, id);
    for (const token of new Set(form.tokens)) pull(this.byToken, token, id);
    if (form.kind !== 'initials') this.grams.remove(id, form.compact);
    if (form.brand === null) this.resemblance.removeName(form.compact);
    if (form.brand !== null && form.compact.length >= BRAND_START_MIN) this.brandStarts.remove(form.compact, id);
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
    slot.formIds.push(id);
    this.sorted.add(id);
    push(this.byCompact, form.compact, id);
    if (form.bare !== form.compact) push(this.byCompact, form.bare, id);
    for (const token of new Set(form.tokens)) push(this.byToken, token, id);
    if (form.kind !== 'initials')
      this.grams.add(id, form.compact, tieOf(`${form.compact}/${slot.entry.code}/${form.kind}`));
    if (brand === null) this.resemblance.addName(form.compact);
    if (brand !== null && form.compact.length >= BRAND_START_MIN) this.brandStarts.add(form.compact, id);
  }

  /** A word of a supplier name, or of the language. Words of brand spellings count too. */
  private readonly isKnownWord = (word: string): boolean =>
    this.byToken.has(word) || isEveryday(word) || isPlaceWord(word);

  private isDead(form: IndexedForm): boolean {
    return this.slots[form.supplier]?.dead ?? true;
  }

  private compareForms(a: number, b: number): number {
    const left = this.forms[a];
    const right = this.forms[b];
    if (left === undefined || right === undefined) return 0;
    return (
      compareText(left.compact, right.compact) ||
      compareText(this.slots[left.supplier]?.entry.code ?? '', this.slots[right.supplier]?.entry.code ?? '') ||
      compareText(left.kind, right.kind) ||
      a - b
    );
  }

  private formsOf(reading: Reading, shared: SharedWork | undefined): ReadonlySet<number> {
    if (shared === undefined) return this.formsFor(reading);
    const key = `${reading.tokens.join(' ')}${reading.cut ? '/' : ''}${reading.kind === 'misspelt words' ? '~' : ''}`;
    const known = shared.get(key);
    if (known !== undefined) return known;
    const found = this.formsFor(reading);
    if (shared.size >= SHARED_MAX) shared.clear();
    shared.set(key, found);
    return found;
  }

  /** Depends on the words of the reading and on whether it was cut or respelt, on nothing else of it. */
  private formsFor(reading: Reading): Set<number> {
    const found = new Set<number>();
    this.collectExact(reading, found);
    this.sorted.collect(reading.compact, PREFIX_RANGE_MAX, found);
    // Companies whose names begin like a brand compete with it for whatever follows.
    if (reading.brand !== null && reading.brandWords < reading.tokens.length)
      this.sorted.collect(compactOf(reading.tokens.slice(0, reading.brandWords)), SIBLINGS_MAX, found);
    if (this.isKnownWhole(reading, found)) return found;
    this.collectTokens(reading, found);
    // Respelt words are equal to a name's words or help nobody; similar letters were looked for as written.
    if (reading.kind === 'misspelt words') return found;
    this.grams.collect(reading.compact, COMPARED_MAX, found);
    const longest = Math.min(BRAND_START_MAX, reading.compact.length);
    for (let length = BRAND_START_MIN; length <= longest; length += 1)
      this.brandStarts.collect(reading.compact, length, found);
    const first = reading.tokens[0] ?? '';
    if (reading.brandWords === 0 && reading.tokens.length > 1 && !this.isKnownWord(first)) {
      this.grams.collect(first, COMPARED_BY_FIRST_WORD_MAX, found);
    }
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
    return (
      this.byCompact.get(spelling)?.some((id) => this.forms[id]?.brand === brand && this.isActiveName(id)) ?? false
    );
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

  private collectTokens(reading: Reading, found: Set<number>): void {
    for (const token of reading.tokens) {
      const list = this.byToken.get(token);
      if (list === undefined) continue;
      if (list.length <= TOKEN_LIST_MAX) for (const id of list) found.add(id);
    }
  }

  /** As written, and then as it may have been meant: a frame or words with letters wrong. */
  private *readingsOf({ readings }: Descriptor): Generator<Reading> {
    for (const reading of readings) if (reading.kind !== 'misspelt frame') yield reading;
    for (const reading of readings) if (reading.kind === 'misspelt frame') yield reading;
    for (const reading of readings) {
      const respelt = respell(reading, this.isKnownWord);
      if (respelt !== null) yield respelt;
    }
  }

  /** Whether letters of the descriptor must be wrong, whatever it means. */
  looksDamaged({ readings }: Descriptor): boolean {
    const [first] = readings;
    return first !== undefined && this.resemblance.looksDamaged(first);
  }

  /**
   * Suppliers whose names the text resembles although letters are wrong, beyond what was found in `best`; raises those
   * in it that resemblance makes surer.
   */
  private addResembling(descriptor: Descriptor, best: Map<number, Found>): Found[] {
    const also = [...best.values()].map(({ formId }) => formId);
    const likeness = this.resemblance.weigh(this.readingsOf(descriptor), this.grams, also, (id) =>
      this.isActiveName(id) ? (this.forms[id] ?? null) : null,
    );
    const added: Found[] = [];
    for (const [supplier, one] of likeness.suppliers) {
      const { form, formId, reading, bits } = one;
      if (bits <= likeness.strangerBits) continue;
      const known = best.get(supplier);
      const isCertain =
        (known === undefined || known.rules.every((rule) => rule.includes('everyday words'))) &&
        this.resemblance.isCertain(one, likeness, this.isKnownWord);
      const score = isCertain ? CERTAIN_SCORE : this.resemblance.scoreOf(bits);
      if (score < Math.max(SHOWN_SCORE_MIN, known?.score ?? 0)) continue;
      const shares = { supplierShare: 0, descriptorShare: 0, letters: 0 };
      const pair = { score, how: 'alike in spite of wrong letters', ...shares };
      const found: Found = { score, pair, reading, form, formId, rules: [] };
      if (known === undefined) added.push(found);
      else Object.assign(known, found);
      best.set(supplier, known ?? found);
    }
    return added;
  }

  /**
   * The suppliers that may be meant, best first; equal scores in the order of their codes. Inactive suppliers are
   * among them, because a person must see that the only record of a business is closed.
   */
  candidates(descriptor: Descriptor, limit: number, shared?: SharedWork): ScoredCandidate[] {
    const best = new Map<number, Found>();
    let isPlain = false;
    for (const reading of this.readingsOf(descriptor)) {
      // Nobody looks for slips in what fits as it stands.
      if (isPlain && (reading.kind === 'misspelt frame' || reading.kind === 'misspelt words')) break;
      const forms = this.formsOf(reading, shared);
      const again = reading.kind === 'misspelt words' ? [...best.values()].map(({ formId }) => formId) : [];
      for (const id of again.length === 0 ? forms : new Set([...forms, ...again])) {
        const form = this.forms[id];
        if (form === undefined || this.isDead(form)) continue;
        const pair = scorePair(reading, form, this.isKnownWord);
        // A comparison with a respelt reading is no surer than the respelling.
        const { certainty = 1 } = reading;
        if (pair.score * certainty < SHOWN_SCORE_MIN) continue;
        // Rules only lower a score, so a form that is behind before them stays behind.
        const ahead = best.get(form.supplier);
        if (ahead !== undefined && pair.score * certainty < ahead.score) continue;
        const brands = this.slots[form.supplier]?.brands ?? [];
        const ruled = applyRules(pair, reading, form, brands, descriptor.parts);
        const score = ruled.score * certainty;
        const { rules } = ruled;
        if (
          ahead === undefined ||
          score > ahead.score ||
          (score === ahead.score && compareText(form.compact, ahead.form.compact) < 0)
        ) {
          best.set(form.supplier, { score, pair, reading, form, formId: id, rules });
          if (score >= PLAIN_SCORE && rules.length === 0 && this.isActiveName(id)) isPlain = true;
        }
      }
    }
    const active = [...best.values()].filter(({ form }) => this.slots[form.supplier]?.entry.active);
    if (descriptor.parts.nameless === null && active.every(({ score }) => score < WEAK_SCORE))
      active.push(...this.addResembling(descriptor, best));
    preferLonger(active);
    doubtBrands(active, (form) => this.slots[form.supplier]?.entry.name ?? '');
    const scored = [...best.values()].map((found) => ({
      entry: (this.slots[found.form.supplier] as Slot).entry,
      found,
    }));
    scored.sort(
      (a, b) =>
        b.found.score - a.found.score ||
        Number(b.entry.active) - Number(a.entry.active) ||
        compareText(a.entry.code, b.entry.code),
    );
    return scored.slice(0, limit).map(({ entry, found: { score, pair, reading, form, rules } }) => ({
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
