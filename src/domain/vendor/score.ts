/**
 * How well one reading of a descriptor fits one form of a supplier's name: a number from 0 to 1 and the features that
 * made it, so that a person can check every step. No randomness, no clock, no learning.
 */
import type { Brand } from './brands.js';
import { isPlacePart, type Reading, trailingPlace } from './descriptor.js';
import { forgiven, type Recognised, recognise, UNRECOGNISED } from './letters.js';
import { hasForeignWord, type KnownWord, meant } from './meant.js';
import { type FormKind, withoutFillers } from './nameForms.js';
import { beginsPlace, isPlaceWord } from './places.js';
import { compactOf, editsBetween, similarity } from './text.js';
import { ABBREVIATIONS, COMMON_WORDS, DEPARTMENTS, FILLERS, HOUSES, isEveryday, SALE_WORDS, TRADES } from './words.js';

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
  /** The differences look like slips: few for the length, and no word that differs is a known word. */
  readonly isSlip?: boolean;
}

const NOTHING: PairScore = { score: 0, how: 'nothing in common', supplierShare: 0, descriptorShare: 0, letters: 0 };

/** What one word of a name tells, before its rarity: a filler little, a trade half, a name all. */
export function wordWeight(token: string): number {
  if (FILLERS.has(token)) return 0.12;
  if (token.length === 1) return 0.3;
  if (HOUSES.has(token)) return 0.25;
  if (TRADES.has(token)) return 0.5;
  if (isPlaceWord(token)) return 0.6;
  if (/^\d+$/.test(token)) return 0.6;
  return COMMON_WORDS.has(token) ? 0.8 : 1;
}

/** Weights of a supplier's words; what follows its place (`... City Centre`) only describes the place. */
export function formWeights(tokens: readonly string[]): number[] {
  let behindPlace = false;
  return tokens.map((token, i) => {
    const weight = behindPlace && isPlacePart(token) ? 0.08 : wordWeight(token);
    if (i > 0 && isPlaceWord(token)) behindPlace = true;
    return weight;
  });
}

function wordSimilarity(word: string, formWord: string, isCutEnd: boolean, isKnown: KnownWord): number {
  if (word === formWord) return 1;
  if (word === `${formWord}s` || formWord === `${word}s`) return 0.98;
  if (ABBREVIATIONS[word] === formWord || ABBREVIATIONS[formWord] === word) return 0.95;
  if (isCutEnd && formWord.startsWith(word)) return word.length >= 3 ? 0.97 : 0.6;
  if (word.length >= 4 && formWord.startsWith(word) && word.length * 2 >= formWord.length) return 0.75;
  if (Math.min(word.length, formWord.length) < 4) return 0;
  // One letter in front (`e`, `i`) is how other businesses make their names.
  if (formWord.length <= 8 && word.length === formWord.length + 1 && word.endsWith(formWord)) return 0.78;
  // A word wrong at both ends is not recognisable; asking this first spares most of the letter counting.
  if (word[0] !== formWord[0] && word.at(-1) !== formWord.at(-1) && word[1] !== formWord[0]) return 0;
  const most = Math.floor(Math.max(word.length, formWord.length) * 0.4);
  const edits = editsBetween(word, formWord, most);
  return edits > most ? 0 : forgiven(edits, formWord.length) * (isKnown(word) ? 0.8 : 1);
}

interface Alignment {
  /** Similarity reached by each word of the form. */
  readonly forForm: Float64Array;
  /** Similarity reached by each word of the reading. */
  readonly forReading: Float64Array;
}

function align(reading: Reading, form: IndexedForm, isKnown: KnownWord): Alignment {
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
      const found = wordSimilarity(words[i] ?? '', formWord, reading.cut && i === words.length - 1, isKnown);
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
    const first = pairs[i] ?? '';
    const second = pairs[i + 1] ?? '';
    const length = first.length + second.length;
    for (let j = 0; j < singles.length; j += 1) {
      const single = singles[j] ?? '';
      if ((forSingles[j] ?? 0) >= 0.97 || Math.abs(single.length - length) > 2 || single.length < 5) continue;
      const found = similarity(first + second, single, 0.8);
      if (found > (forSingles[j] ?? 0)) {
        forPairs[i] = found;
        forPairs[i + 1] = found;
        forSingles[j] = found;
      }
    }
  }
}

/** A legal form with a letter wrong. */
function looksLegal(token: string): boolean {
  if (token.length > 8 || token.length < 2) return false;
  return (
    editsBetween(token, 'ltd') <= 1 ||
    editsBetween(token, 'limited') <= 2 ||
    (token.length === 4 && editsBetween(token, 'bvba') <= 1)
  );
}

/** Behind a name this long a few letters that are no word are the rest of a legal form, an address or a place. */
const LONG_NAME_MIN = 8;
const NOISE_MAX = 5;

/** Words behind a fully named business say where or how it sold: they weigh little, unless they name another trade. */
function tailWeight(token: string, cutEnd: boolean, isNoise = false): number {
  if (looksLegal(token)) return 0.03;
  if (token.length === 1 || isPlacePart(token) || SALE_WORDS.has(token) || /\d/.test(token)) return 0.03;
  if (FILLERS.has(token)) return 0.03;
  if (token.length <= 3 || (cutEnd && token.length <= 4) || isNoise) return 0.1;
  if (beginsPlace(token)) return 0.1;
  return TRADES.has(token) ? 0.45 : 0.3;
}

/** The first telling word of the form is also the first matched word of the reading: `office stationery` is not `stationery office`. */
function isInOrder(forForm: Float64Array, forReading: Float64Array, reading: Reading, form: IndexedForm): boolean {
  const first = form.tokens.findIndex((token, j) => (forForm[j] ?? 0) > 0 && !FILLERS.has(token));
  const read = reading.tokens.findIndex((token, i) => (forReading[i] ?? 0) > 0 && !FILLERS.has(token));
  if (first < 0 || read < 0) return true;
  const a = form.tokens[first] ?? '';
  const b = reading.tokens[read] ?? '';
  return (
    a.startsWith(b) ||
    b.startsWith(a) ||
    ABBREVIATIONS[b] === a ||
    similarity(a, b, 0.5) > 0 ||
    a.startsWith(b.slice(0, 3))
  );
}

function wordsScore(reading: Reading, form: IndexedForm, isKnown: KnownWord): PairScore {
  const { forForm, forReading } = align(reading, form, isKnown);
  let got = 0;
  for (let j = 0; j < form.tokens.length; j += 1) got += (form.weights[j] ?? 0) * (forForm[j] ?? 0);
  if (got === 0) return NOTHING;
  const supplierShare = got / form.totalWeight;
  let lastMatched = -1;
  for (let i = 0; i < reading.tokens.length; i += 1) if ((forReading[i] ?? 0) > 0) lastMatched = i;
  const isLongName = form.bare.length >= LONG_NAME_MIN;
  let total = 0;
  let read = 0;
  for (let i = 0; i < reading.tokens.length; i += 1) {
    const token = reading.tokens[i] ?? '';
    const reached = forReading[i] ?? 0;
    const isTail = i > lastMatched && supplierShare > 0.85;
    const cutEnd = reading.cut && i === reading.tokens.length - 1;
    const weight =
      reached > 0 || !isTail
        ? wordWeight(token)
        : form.isEveryday
          ? Math.max(0.3, tailWeight(token, cutEnd))
          : tailWeight(token, cutEnd, isLongName && token.length <= NOISE_MAX && !isKnown(token));
    total += weight;
    read += weight * reached;
  }
  const descriptorShare = read / total;
  const first = reading.tokens[0] === 'the' ? 1 : 0;
  const starts = (forReading[first] ?? 0) > 0 || (forReading[0] ?? 0) > 0;
  const inOrder = isInOrder(forForm, forReading, reading, form);
  const score = (supplierShare * descriptorShare) ** 0.65 * (starts ? 0.985 : 0.85) * (inOrder ? 1 : 0.88);
  return { score, how: 'words', supplierShare, descriptorShare, letters: 0 };
}

/** The whole name run together against the beginning of the supplier's words: addresses, handles, squeezed fields. */
function runTogetherScore(reading: Reading, form: IndexedForm, isKnown: KnownWord): PairScore {
  const text = reading.compact;
  if (text.length < 5 || reading.tokens.length > 2) return NOTHING;
  let best = NOTHING;
  let length = 0;
  let weight = 0;
  for (let k = 0; k < form.tokens.length; k += 1) {
    length += (form.tokens[k] ?? '').length;
    weight += form.weights[k] ?? 0;
    if (length < text.length * 0.7) continue;
    if (length > text.length * 1.4) break;
    const words = form.tokens.slice(0, k + 1);
    const isMeant = meant(reading, words, isKnown);
    const { letters, certainty, isSlip } = recognise(text, words, form.weights, 0.7, length, isMeant);
    if (letters === 0) continue;
    const isRestFiller = form.tokens.slice(k + 1).every((token) => FILLERS.has(token) || (k > 0 && HOUSES.has(token)));
    const share = isRestFiller && isSlip ? 1 : weight / form.totalWeight;
    const score = certainty * share ** 0.65 * 0.985;
    if (score > best.score)
      best = { score, how: 'run together', supplierShare: share, descriptorShare: letters, letters, isSlip };
  }
  return best;
}

const EDGE_LENGTH_MIN = 13;

/** A field that was cut: what is left is how the supplier's name begins. */
function cutScore(reading: Reading, form: IndexedForm, isKnown: KnownWord): PairScore {
  const text = reading.compact;
  if (!reading.cut || text.length < 7 || form.compact.length <= text.length) return NOTHING;
  const words =
    form.tokens[0] === 'the' && reading.tokens[0] !== 'the' && !text.startsWith('the')
      ? form.tokens.slice(1)
      : form.tokens;
  const weights = words.length < form.tokens.length ? form.weights.slice(1) : form.weights;
  const isMeant = (word: number): boolean => {
    const isLast = word >= reading.tokens.length - 1;
    return (
      !isLast &&
      reading.tokens.length > 1 &&
      reading.tokens[word] !== words[word] &&
      isKnown(reading.tokens[word] ?? '')
    );
  };
  let found = recognise(text, words, weights, 0.75, text.length, isMeant);
  // Letters lost or added in front move the edge of the field.
  const isMovable = found.letters > 0 && found.letters < 1 && text.length >= EDGE_LENGTH_MIN;
  for (const length of isMovable ? [text.length - 1, text.length + 1] : []) {
    const other = recognise(text, words, weights, 0.75, length, isMeant);
    if (other.certainty > found.certainty) found = other;
  }
  const { letters, certainty, isSlip } = found;
  if (letters === 0) return NOTHING;
  const known = Math.min(1, text.length / form.compact.length);
  const length = Math.min(1, text.length / 14);
  const score = certainty * (0.86 + 0.06 * known + 0.06 * length);
  return { score, how: 'cut off', supplierShare: known, descriptorShare: letters, letters, isSlip };
}

/** Fillers of a region or a way of selling; two names that differ in them may be two companies. */
function lostFillers(tokens: readonly string[]): string {
  const kept = withoutFillers(tokens);
  const lost = tokens[0] === 'the' ? tokens.slice(kept.length + 1) : tokens.slice(kept.length);
  return lost.filter((token) => token !== 'uk' && token !== 'group' && token !== 'company').join(' ');
}

/** The two names without their fillers. */
function bareScore(reading: Reading, form: IndexedForm, isKnown: KnownWord): Recognised {
  const longest = Math.max(reading.bare.length, form.bare.length);
  if (Math.abs(reading.bare.length - form.bare.length) > longest * 0.3 + 1e-9) return UNRECOGNISED;
  const words = withoutFillers(form.tokens);
  const from = form.tokens.length > words.length && form.tokens[0] === 'the' ? 1 : 0;
  return recognise(reading.bare, words, form.weights.slice(from), 0.7, undefined, meant(reading, words, isKnown));
}

function wholeScore(reading: Reading, form: IndexedForm, isKnown: KnownWord): PairScore {
  if (reading.compact === form.compact)
    return { score: 1, how: 'equal', supplierShare: 1, descriptorShare: 1, letters: 1 };
  const how = 'equal but for filler words';
  if (reading.bare === form.bare || reading.compact === form.bare || reading.bare === form.compact) {
    const ours = lostFillers(reading.tokens);
    const theirs = lostFillers(form.tokens);
    const differ =
      reading.compact !== form.bare && reading.bare !== form.compact && ours !== '' && theirs !== '' && ours !== theirs;
    const kept = withoutFillers(form.tokens);
    const isWeak = reading.bare.length <= 3 || (kept.length === 1 && isEveryday(kept[0] ?? ''));
    const isShort = isWeak && (ours !== '' || theirs !== '');
    return { score: differ || isShort ? 0.79 : 0.98, how, supplierShare: 1, descriptorShare: 1, letters: 1 };
  }
  const whole = recognise(
    reading.compact,
    form.tokens,
    form.weights,
    0.7,
    undefined,
    meant(reading, form.tokens, isKnown),
  );
  const isSame = form.bare.length === form.compact.length && reading.bare === reading.compact;
  const bare = isSame ? whole : bareScore(reading, form, isKnown);
  const isShort = isSame || bare.certainty === 0 || lostFillers(form.tokens) === lostFillers(reading.tokens);
  const certainty = Math.max(whole.certainty, bare.certainty * (isShort ? 1 : 0.955));
  if (certainty === 0) return NOTHING;
  const letters = Math.max(whole.letters, bare.letters);
  const isSlip = whole.isSlip || bare.isSlip;
  const shares = { supplierShare: letters, descriptorShare: letters, letters };
  return { score: certainty * 0.985, how: 'nearly equal', ...shares, isSlip };
}

/** Whether everything behind the name says where or how the sale was. */
export function isOutletTail(tail: readonly string[], setAside: readonly string[], cut: boolean): boolean {
  if (setAside.some((token) => /^[a-z]?\d{3,}$/.test(token))) return true;
  if (/^(?=(?:.*\d){3})[a-z0-9]{4,5}$/.test(tail.at(-1) ?? '')) return true;
  const rest = tail.slice(0, tail.length - trailingPlace(['', ...tail], cut));
  return rest.every((token, i) => tailWeight(token, cut && i === tail.length - 1) <= 0.1);
}

/** A known brand in front: whatever follows is an outlet, a department or a place. */
function brandScore(reading: Reading, form: IndexedForm, isKnown: KnownWord): PairScore {
  const brand = form.brand;
  if (brand === null) return NOTHING;
  let best = NOTHING;
  let joined = '';
  const wanted = form.compact.length;
  for (let k = 0; k < reading.tokens.length && k <= form.tokens.length; k += 1) {
    joined += reading.tokens[k] ?? '';
    if (joined.length < wanted - 3) continue;
    const whole = brandLetters(reading, joined, k + 1, form, isKnown);
    if (whole > 0)
      best = better(best, brand, whole, whole * tailFactor(reading, form, brand, reading.tokens.slice(k + 1)));
    // The blank behind the brand may be missing (`brandstores 123`).
    if (k === 0 && joined.length > wanted && wanted >= 6) {
      const start = brandLetters(reading, joined.slice(0, wanted), 0, form, isKnown);
      const tail = [joined.slice(wanted), ...reading.tokens.slice(1)];
      if (start === 1) best = better(best, brand, start, 0.97 * tailFactor(reading, form, brand, tail));
    }
    if (joined.length > wanted + 3) break;
  }
  return best;
}

function better(best: PairScore, brand: Brand, letters: number, score: number): PairScore {
  if (score <= best.score) return best;
  return { score, how: `brand ${brand.name}`, supplierShare: letters, descriptorShare: letters, letters };
}

function brandLetters(reading: Reading, text: string, words: number, form: IndexedForm, isKnown: KnownWord): number {
  if (text === form.compact) return form.compact.length > 3 || words === 0 || hasSplit(reading, form, words) ? 1 : 0;
  if (form.compact.length < 4 || words === 0) return 0;
  // Everyday words are too near to each other for a wrong letter to be one.
  if (form.isEveryday && form.compact.length < 12) return 0;
  // Run-together initials (`a and b`) are no word in which a slip could be seen.
  if (form.compact.length <= 5 && form.tokens.every((token) => token.length <= 3)) return 0;
  const isMeant = (word: number): boolean => {
    if (words !== form.tokens.length) return hasForeignWord(reading.tokens.slice(0, words), form.compact, isKnown);
    return reading.tokens[word] !== form.tokens[word] && isKnown(reading.tokens[word] ?? '');
  };
  const { certainty, overall } = recognise(text, form.tokens, form.weights, 0.7, undefined, isMeant);
  // Everybody writes the names of large chains, so a letter wrong in any of their words is the likelier reading.
  const isWord = words === 1 && isKnown(text);
  const isSplitAlike = words === form.tokens.length;
  const twoSlips =
    !isWord && isSplitAlike && form.compact.length >= 9 && overall >= 0.74 && text[0] === form.compact[0] ? 0.885 : 0;
  const known = isWord ? certainty : Math.max(certainty, overall - 0.03, twoSlips);
  if (known === 0) return 0;
  // Names of four letters are one letter apart too often for a store number to prove them, unless they begin alike.
  const isAlike = form.compact.length > 4 || text[0] === form.compact[0] || text[0] === form.compact[1];
  return isAlike && isSupported(reading, words, form) ? known + (1 - known) * 0.6 : known;
}

/**
 * A store number or a word like `stores` behind a name says that a shop chain is meant, the side of a motorway that an
 * operator of services is, a petrol station that a petrol brand is.
 */
function isSupported(reading: Reading, words: number, { brand }: IndexedForm): boolean {
  if (brand?.kind === 'operator' && isPlaceWord(reading.tokens[words] ?? '')) return true;
  if (reading.site === 'motorway' && brand?.kind === 'operator') return true;
  if (reading.site === 'forecourt' && (brand?.kind === 'fuel' || brand?.kind === 'operator')) return true;
  if (reading.setAside.some((token) => /^[a-z]?\d{3,}/.test(token))) return true;
  return reading.tokens
    .slice(words)
    .some((token) => /^\d{3,}/.test(token) || CHAIN_WORDS.some((word) => similarity(token, word, 0.8) > 0));
}

const CHAIN_WORDS = 'store stores superstore supermarket petrol shopping retail online direct shop website'.split(' ');

/** Two or three letters must be split as the brand splits them. */
function hasSplit(reading: Reading, form: IndexedForm, words: number): boolean {
  return form.tokens.length === words && form.tokens.every((word, i) => word === reading.tokens[i]);
}

function tailFactor(reading: Reading, form: IndexedForm, brand: Brand, tail: readonly string[]): number {
  if (tail.length === 0) return 0.975;
  if (brand.kind === 'property') return 0.5;
  if (brand.kind === 'hotel') return tail.every((token) => FILLERS.has(token)) ? 0.97 : 0.6;
  if (isOutletTail(tail, reading.setAside, reading.cut)) return 0.965;
  // A legal form behind further words makes them the name of another company (`Brand Filters Ltd`).
  if (reading.closed) return 0.78;
  if (form.compact.length <= 2 || form.tokens.every((token) => isEveryday(token))) return 0.75;
  if (form.compact.length === 3) return 0.9;
  const otherTrade = tail.some((token) => TRADES.has(token) && !SALE_WORDS.has(token) && !DEPARTMENTS.has(token));
  return otherTrade && brand.kind === 'chain' ? 0.8 : 0.955;
}

/** The best of all comparisons of this pair, before rules about brands, places and short names. */
export function scorePair(reading: Reading, form: IndexedForm, isKnown: KnownWord): PairScore {
  if (form.kind === 'initials') {
    const first = reading.tokens[0] ?? '';
    if (first !== form.compact || isEveryday(first)) return NOTHING;
    const tail = reading.tokens.slice(1);
    const score = (first.length >= 4 ? 0.75 : 0.6) * (isOutletTail(tail, reading.setAside, reading.cut) ? 1 : 0.85);
    return { score, how: 'initials', supplierShare: 1, descriptorShare: 1, letters: 1 };
  }
  if (form.kind === 'brand') return brandScore(reading, form, isKnown);
  let best = wholeScore(reading, form, isKnown);
  if (best.score < 0.98) {
    for (const compare of [wordsScore, runTogetherScore, cutScore]) {
      const found = compare(reading, form, isKnown);
      if (found.score > best.score) best = found;
    }
  }
  // The company behind a trading name often has other trades with accounts of their own.
  return form.kind === 'legal' ? { ...best, score: best.score * 0.97 } : best;
}

/** What the beginnings of two names share, for rules that ask whether one is a prefix of the other. */
export function sharesBeginning(tokens: readonly string[], form: IndexedForm, words: number): boolean {
  return form.compact.startsWith(compactOf(tokens.slice(0, words)));
}
