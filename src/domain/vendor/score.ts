/**
 * How well one reading of a descriptor fits one form of a supplier's name: a number from 0 to 1 and the features that
 * made it, so that a person can check every step. No randomness, no clock, no learning.
 */
import type { Brand } from './brands.js';
import { isPlacePart, type Reading } from './descriptor.js';
import type { FormKind } from './nameForms.js';
import { isPlaceWord } from './places.js';
import { compactOf, similarity } from './text.js';
import { ABBREVIATIONS, COMMON_WORDS, FILLERS, SALE_WORDS, TRADES } from './words.js';

/** A supplier name form as the index holds it. */
export interface IndexedForm {
  readonly supplier: number;
  readonly kind: FormKind;
  readonly tokens: readonly string[];
  readonly compact: string;
  readonly bare: string;
  /** Weight of each word: what it tells about the business. */
  readonly weights: readonly number[];
  readonly totalWeight: number;
  /** Everyday words only. */
  readonly isEveryday: boolean;
  /** For forms that come from general knowledge of a brand. */
  readonly brand: Brand | null;
}

export interface PairScore {
  readonly score: number;
  readonly how: string;
  readonly supplierShare: number;
  readonly descriptorShare: number;
  readonly letters: number;
}

const NOTHING: PairScore = { score: 0, how: 'nothing in common', supplierShare: 0, descriptorShare: 0, letters: 0 };

/** What one word of a name tells, before its rarity: a filler little, a trade half, a name all. */
export function wordWeight(token: string): number {
  if (FILLERS.has(token)) return 0.12;
  if (token.length === 1) return 0.3;
  if (TRADES.has(token)) return 0.5;
  if (isPlaceWord(token)) return 0.6;
  if (/^\d+$/.test(token)) return 0.6;
  return COMMON_WORDS.has(token) ? 0.8 : 1;
}

function wordSimilarity(word: string, formWord: string, isCutEnd: boolean): number {
  if (word === formWord) return 1;
  if (word === `${formWord}s` || formWord === `${word}s`) return 0.98;
  if (ABBREVIATIONS[word] === formWord || ABBREVIATIONS[formWord] === word) return 0.95;
  if (isCutEnd && formWord.startsWith(word)) return word.length >= 3 ? 0.97 : 0.6;
  if (word.length >= 4 && formWord.startsWith(word) && word.length * 2 >= formWord.length) return 0.75;
  if (Math.min(word.length, formWord.length) < 4) return 0;
  return similarity(word, formWord);
}

interface Alignment {
  /** Similarity reached by each word of the form. */
  readonly forForm: Float64Array;
  /** Similarity reached by each word of the reading. */
  readonly forReading: Float64Array;
}

function align(reading: Reading, form: IndexedForm): Alignment {
  const words = reading.tokens;
  const formWords = form.tokens;
  const forForm = new Float64Array(formWords.length);
  const forReading = new Float64Array(words.length);
  for (let j = 0; j < formWords.length; j += 1) {
    const formWord = formWords[j] ?? '';
    let best = 0;
    let bestAt = -1;
    for (let i = 0; i < words.length; i += 1) {
      if ((forReading[i] ?? 0) > 0) continue;
      const found = wordSimilarity(words[i] ?? '', formWord, reading.cut && i === words.length - 1);
      if (found > best) {
        best = found;
        bestAt = i;
      }
    }
    if (bestAt >= 0) {
      forForm[j] = best;
      forReading[bestAt] = best;
    }
  }
  joinNeighbours(words, formWords, forReading, forForm);
  joinNeighbours(formWords, words, forForm, forReading);
  return { forForm, forReading };
}

/** Two neighbouring words on one side that are one word on the other (`air space`, `airspace`). */
function joinNeighbours(
  pairs: readonly string[],
  singles: readonly string[],
  forPairs: Float64Array,
  forSingles: Float64Array,
): void {
  for (let i = 0; i + 1 < pairs.length; i += 1) {
    if ((forPairs[i] ?? 0) === 1 && (forPairs[i + 1] ?? 0) === 1) continue;
    const joined = `${pairs[i]}${pairs[i + 1]}`;
    for (let j = 0; j < singles.length; j += 1) {
      const single = singles[j] ?? '';
      if ((forSingles[j] ?? 0) >= 0.97 || Math.abs(single.length - joined.length) > 2 || single.length < 5) continue;
      const found = similarity(joined, single, 0.8);
      if (found > (forSingles[j] ?? 0)) {
        forPairs[i] = found;
        forPairs[i + 1] = found;
        forSingles[j] = found;
      }
    }
  }
}

/** Words behind a fully named business say where or how it sold: they weigh little, unless they name another trade. */
function tailWeight(token: string, cutEnd: boolean): number {
  if (token.length === 1 || isPlacePart(token) || SALE_WORDS.has(token) || /\d/.test(token)) return 0.03;
  if (FILLERS.has(token)) return 0.03;
  if (cutEnd && token.length <= 4) return 0.1;
  return TRADES.has(token) ? 0.45 : 0.3;
}

function wordsScore(reading: Reading, form: IndexedForm): PairScore {
  const { forForm, forReading } = align(reading, form);
  let got = 0;
  for (let j = 0; j < form.tokens.length; j += 1) got += (form.weights[j] ?? 0) * (forForm[j] ?? 0);
  if (got === 0) return NOTHING;
  const supplierShare = got / form.totalWeight;
  let lastMatched = -1;
  for (let i = 0; i < reading.tokens.length; i += 1) if ((forReading[i] ?? 0) > 0) lastMatched = i;
  let total = 0;
  let read = 0;
  for (let i = 0; i < reading.tokens.length; i += 1) {
    const token = reading.tokens[i] ?? '';
    const reached = forReading[i] ?? 0;
    const isTail = i > lastMatched && supplierShare > 0.85;
    const cutEnd = reading.cut && i === reading.tokens.length - 1;
    const weight = reached > 0 ? wordWeight(token) : isTail ? tailWeight(token, cutEnd) : wordWeight(token);
    total += weight;
    read += weight * reached;
  }
  const descriptorShare = read / total;
  const first = reading.tokens[0] === 'the' ? 1 : 0;
  const starts = (forReading[first] ?? 0) > 0 || (forReading[0] ?? 0) > 0;
  const score = (supplierShare * descriptorShare) ** 0.65 * (starts ? 0.985 : 0.85);
  return { score, how: 'words', supplierShare, descriptorShare, letters: 0 };
}

/** The whole name run together against the beginning of the supplier's words: addresses, handles, squeezed fields. */
function runTogetherScore(reading: Reading, form: IndexedForm): PairScore {
  const text = reading.compact;
  if (text.length < 5) return NOTHING;
  let best = NOTHING;
  let joined = '';
  let weight = 0;
  for (let k = 0; k < form.tokens.length; k += 1) {
    joined += form.tokens[k] ?? '';
    weight += form.weights[k] ?? 0;
    if (joined.length < text.length * 0.7) continue;
    if (joined.length > text.length * 1.4) break;
    const letters = similarity(text, joined, 0.7);
    if (letters === 0) continue;
    const share = weight / form.totalWeight;
    const score = letters * share ** 0.65 * 0.985;
    if (score > best.score)
      best = { score, how: 'run together', supplierShare: share, descriptorShare: letters, letters };
  }
  return best;
}

/** A field that was cut: what is left is how the supplier's name begins. */
function cutScore(reading: Reading, form: IndexedForm): PairScore {
  const text = reading.compact;
  if (!reading.cut || text.length < 7) return NOTHING;
  for (const whole of [form.compact, form.bare]) {
    if (whole.length <= text.length) continue;
    const letters = similarity(text, whole.slice(0, text.length), 0.75);
    if (letters === 0) continue;
    const known = Math.min(1, text.length / whole.length);
    const length = Math.min(1, text.length / 14);
    const score = letters * (0.86 + 0.06 * known + 0.06 * length);
    return { score, how: 'cut off', supplierShare: known, descriptorShare: letters, letters };
  }
  return NOTHING;
}

function wholeScore(reading: Reading, form: IndexedForm): PairScore {
  if (reading.compact === form.compact)
    return { score: 1, how: 'equal', supplierShare: 1, descriptorShare: 1, letters: 1 };
  if (reading.bare === form.bare || reading.compact === form.bare || reading.bare === form.compact) {
    return { score: 0.98, how: 'equal but for filler words', supplierShare: 1, descriptorShare: 1, letters: 1 };
  }
  const letters = Math.max(similarity(reading.compact, form.compact, 0.7), similarity(reading.bare, form.bare, 0.7));
  if (letters === 0) return NOTHING;
  return { score: letters * 0.985, how: 'nearly equal', supplierShare: letters, descriptorShare: letters, letters };
}

/** Whether everything behind the name says where or how the sale was. */
export function isOutletTail(tail: readonly string[], setAside: readonly string[], cut: boolean): boolean {
  if (setAside.some((token) => /^[a-z]?\d{3,}$/.test(token))) return true;
  return tail.every((token, i) => tailWeight(token, cut && i === tail.length - 1) <= 0.1);
}

/** A known brand in front: whatever follows is an outlet, a department or a place. */
function brandScore(reading: Reading, form: IndexedForm): PairScore {
  const brand = form.brand;
  if (brand === null) return NOTHING;
  let best = NOTHING;
  let joined = '';
  for (let k = 0; k < reading.tokens.length && k <= form.tokens.length; k += 1) {
    joined += reading.tokens[k] ?? '';
    if (Math.abs(joined.length - form.compact.length) > 3) continue;
    const letters = form.compact.length < 4 ? (joined === form.compact ? 1 : 0) : similarity(joined, form.compact, 0.7);
    if (letters === 0) continue;
    const tail = reading.tokens.slice(k + 1);
    const score = letters * tailFactor(reading, form, brand, tail);
    if (score > best.score)
      best = { score, how: `brand ${brand.name}`, supplierShare: 1, descriptorShare: letters, letters };
  }
  return best;
}

function tailFactor(reading: Reading, form: IndexedForm, brand: Brand, tail: readonly string[]): number {
  if (tail.length === 0) return 0.975;
  if (brand.kind === 'property') return 0.5;
  if (brand.kind === 'hotel') return tail.every((token) => FILLERS.has(token)) ? 0.97 : 0.6;
  if (isOutletTail(tail, reading.setAside, reading.cut)) return 0.965;
  const isPlain = form.isEveryday || form.compact.length <= 3;
  if (isPlain) return 0.75;
  return tail.some((token) => TRADES.has(token) && !SALE_WORDS.has(token)) && brand.kind === 'chain' ? 0.85 : 0.955;
}

/** The best of all comparisons of this pair, before rules about brands, places and short names. */
export function scorePair(reading: Reading, form: IndexedForm): PairScore {
  if (form.kind === 'initials') {
    const first = reading.tokens[0] ?? '';
    if (first !== form.compact) return NOTHING;
    const tail = reading.tokens.slice(1);
    const score = (first.length >= 4 ? 0.86 : 0.78) * (isOutletTail(tail, reading.setAside, reading.cut) ? 1 : 0.85);
    return { score, how: 'initials', supplierShare: 1, descriptorShare: 1, letters: 1 };
  }
  if (form.kind === 'brand') return brandScore(reading, form);
  let best = wholeScore(reading, form);
  if (best.score >= 0.98) return best;
  for (const compare of [wordsScore, runTogetherScore, cutScore]) {
    const found = compare(reading, form);
    if (found.score > best.score) best = found;
  }
  return best;
}

/** What the beginnings of two names share, for rules that ask whether one is a prefix of the other. */
export function sharesBeginning(tokens: readonly string[], form: IndexedForm, words: number): boolean {
  return form.compact.startsWith(compactOf(tokens.slice(0, words)));
}
