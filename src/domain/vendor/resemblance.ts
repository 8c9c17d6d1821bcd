/**
 * A second look at descriptors that fit no supplier as they stand: is the text a known name with many letters wrong, or a
 * business that the ledger does not have? Both are weighed in bits. Well-known brands that are no supplier here compete
 * for the text, so that a misspelt stranger is not taken for a supplier that merely sounds alike.
 */
import { BRANDS, type Brand } from './brands.js';
import type { Reading } from './descriptor.js';
import { GramSearch } from './gramSearch.js';
import { LetterModel } from './letterModel.js';
import { keepsWords } from './letters.js';
import { hasForeignWord, type KnownWord } from './meant.js';
import { withoutFillers } from './nameForms.js';
import { type NoisyText, noisyText, oddsOf } from './noisyText.js';
import { type IndexedForm, isOutletTail } from './score.js';
import { compactOf } from './text.js';

/** Bits beyond what the number of names alone makes likely, from which on a person is asked. */
const ASKED_BITS = -5;
/** and from which on nobody else can be meant. */
const SURE_BITS = 18;
/** How far the next supplier and every brand that is no supplier must be behind for that. */
const SURE_MARGIN = 14;
/** Three neighbouring letters tell as much as this in about one of ten names, and in every third disturbed one. */
const DAMAGED_BITS = 23;
/** A short list of suppliers is no proof that few businesses exist. */
const NAMES_MIN = 1_024;
const NAME_LENGTH_MIN = 3;
const BRAND_LENGTH_MIN = 4;
/** Names and brands compared for one reading. */
const NAMES_COMPARED = 16;
const BRANDS_COMPARED = 12;
const FIRST_WORD_COMPARED = 6;
/** Lists read for one reading: a garbled name has few groups of letters left, and the common ones among them. */
const VISITS_MAX = 1_000;
const SHARE_MIN = 0.1;
/** Readings looked at: as written first, then with the frame put right. */
const READINGS_MAX = 2;
/** What the odds of a name that nobody would ask about come to; comparisons end as soon as they fall below it. */
const LEAST_BITS = 0;

/** One supplier that the text may be, with how sure that is. */
export interface Resembling {
  readonly formId: number;
  readonly form: IndexedForm;
  readonly reading: Reading;
  /** The words of the name that were compared: all, or those without fillers. */
  readonly words: readonly string[];
  readonly bits: number;
  /** Letters of the reading that the name accounts for. */
  readonly letters: number;
  /** Letters of the name that the reading shows. */
  readonly named: number;
}

export interface Likeness {
  /** By supplier, each with the name that fits best. */
  readonly suppliers: ReadonlyMap<number, Resembling>;
  /** The best of the brands that are no supplier here. */
  readonly strangerBits: number;
}

const BRAND_NAMES: readonly { readonly brand: Brand; readonly compact: string }[] = BRANDS.flatMap((brand) =>
  brand.spellings.map((words) => ({ brand, compact: compactOf(words) })),
).filter(({ compact }) => compact.length >= BRAND_LENGTH_MIN);

const brandGrams = new GramSearch((a, b) => a - b);
BRAND_NAMES.forEach(({ compact }, id) => {
  brandGrams.add(id, compact, id);
});

export class Resemblance {
  private readonly model = new LetterModel();
  /** How many active suppliers are this brand. */
  private readonly owned = new Map<Brand, number>();
  private names = 0;

  addName(compact: string): void {
    this.model.add(compact);
    this.names += 1;
  }

  removeName(compact: string): void {
    this.model.remove(compact);
    this.names -= 1;
  }

  countBrand(brand: Brand, by: 1 | -1): void {
    this.owned.set(brand, (this.owned.get(brand) ?? 0) + by);
  }

  /** What chance alone makes of so many names. */
  private get chance(): number {
    return Math.log2(Math.max(NAMES_MIN, this.names));
  }

  /**
   * Weighs the names that resemble the readings.
   * @param also names that were found otherwise; they are weighed too.
   * @param formOf the active name with this number, or null.
   */
  weigh(
    readings: Iterable<Reading>,
    grams: GramSearch,
    also: Iterable<number>,
    formOf: (id: number) => IndexedForm | null,
  ): Likeness {
    const suppliers = new Map<number, Resembling>();
    const others = [...also];
    let strangerBits = Number.NEGATIVE_INFINITY;
    const seen = new Set<string>();
    for (const reading of readings) {
      if (seen.has(reading.compact) || reading.compact.length < NAME_LENGTH_MIN) continue;
      if (seen.size >= READINGS_MAX) break;
      seen.add(reading.compact);
      const text = noisyText(reading.compact, reading.cut, (bits) => this.model.surprise(reading.tokens, bits));
      const ids = new Set(others);
      grams.collect(reading.compact, NAMES_COMPARED, ids, VISITS_MAX, SHARE_MIN);
      const [first = ''] = reading.tokens;
      if (reading.tokens.length > 1) grams.collect(first, FIRST_WORD_COMPARED, ids, VISITS_MAX, SHARE_MIN);
      for (const id of ids) this.weighName(text, reading, id, formOf(id), suppliers);
      strangerBits = Math.max(strangerBits, this.strangerIn(text, reading));
    }
    return { suppliers, strangerBits };
  }

  private weighName(
    text: NoisyText,
    reading: Reading,
    formId: number,
    form: IndexedForm | null,
    best: Map<number, Resembling>,
  ): void {
    if (form === null || form.kind === 'initials' || form.compact.length < NAME_LENGTH_MIN) return;
    const ahead = best.get(form.supplier);
    const least = Math.max(LEAST_BITS, ahead?.bits ?? LEAST_BITS);
    const variants = form.bare === form.compact ? [form.tokens] : [form.tokens, withoutFillers(form.tokens)];
    for (const words of variants) {
      const odds = oddsOf(text, compactOf(words), least);
      if (odds.bits <= (best.get(form.supplier)?.bits ?? LEAST_BITS)) continue;
      best.set(form.supplier, { formId, form, words, reading, ...odds });
    }
  }

  private strangerIn(text: NoisyText, reading: Reading): number {
    const found = new Set<number>();
    brandGrams.collect(reading.compact, BRANDS_COMPARED, found, VISITS_MAX, SHARE_MIN);
    let best = Number.NEGATIVE_INFINITY;
    for (const id of found) {
      const named = BRAND_NAMES[id];
      if (named === undefined || (this.owned.get(named.brand) ?? 0) > 0) continue;
      best = Math.max(best, oddsOf(text, named.compact, LEAST_BITS).bits);
    }
    return best;
  }

  /**
   * Whether three neighbouring letters of the words are so unlike any name that letters of the text must be wrong. Such a
   * text is no name to make a supplier of.
   */
  looksDamaged(reading: Reading): boolean {
    const { compact, tokens } = reading;
    if (/\d/.test(compact)) return false;
    const bits = new Float64Array(compact.length);
    this.model.surprise(tokens, bits);
    for (let i = 0; i + 3 <= bits.length; i += 1)
      if ((bits[i] ?? 0) + (bits[i + 1] ?? 0) + (bits[i + 2] ?? 0) > DAMAGED_BITS) return true;
    return false;
  }

  /** 0 to 1 for a list of candidates: 0.5 where a person should be asked, never so high that it posts by itself. */
  scoreOf(bits: number): number {
    const beyond = bits - this.chance - ASKED_BITS;
    if (beyond < 0) return 0.5 * 2 ** (beyond / 10);
    return 0.5 + 0.25 * (1 - 2 ** (-beyond / 15));
  }

  /** Whether nobody but this supplier can be meant. */
  isCertain(one: Resembling, likeness: Likeness, isKnown: KnownWord): boolean {
    const { bits, form, words, reading, letters, named } = one;
    if (bits - this.chance < SURE_BITS || bits - likeness.strangerBits < SURE_MARGIN) return false;
    for (const [supplier, other] of likeness.suppliers)
      if (supplier !== form.supplier && bits - other.bits < SURE_MARGIN) return false;
    if (named < compactOf(words).length && !reading.cut) return false;
    const { within, behind } = splitAt(reading.tokens, letters);
    if (hasForeignWord(within, form.compact, isKnown)) return false;
    if (
      !keepsWords(
        reading.compact.slice(0, letters),
        words,
        form.weights.slice(form.tokens.indexOf(words[0] ?? '')),
        named,
      )
    )
      return false;
    return behind.length === 0 || isOutletTail(behind, reading.setAside, reading.cut);
  }
}

/** The words that the first letters of a text reach into, and the words behind them. */
function splitAt(tokens: readonly string[], letters: number): { within: string[]; behind: string[] } {
  let at = 0;
  const within: string[] = [];
  const behind: string[] = [];
  for (const token of tokens) {
    // A letter or two of a word behind the name may have been counted to the name.
    (at + Math.min(2, token.length - 1) < letters ? within : behind).push(token);
    at += token.length;
  }
  return { within, behind };
}
