/**
 * How surprising a letter is behind the two in front of it, learned from the names of the ledger's own suppliers on top of
 * the words of the language. A text made of common letter groups resembles many names by accident; a rare group that two
 * texts share is evidence.
 */
import { BRANDS } from './brands.js';
import { isPlaceWord, PLACE_WORDS } from './places.js';
import { EVERYDAY_WORDS, isEveryday } from './words.js';

/** Letters, digits, every other sign, and the edge of a text. */
const OTHER = 36;
const EDGE = 37;
const SIGNS = 38;
/** How many observations the plain frequency of a letter is worth where a group was seen seldom. */
const SMOOTHING = 3;
/** An everyday word costs a stranger no more than this many bits, however rare its letters are. */
const WORD_BITS = 10;

function signAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code >= 97 && code <= 122) return code - 97;
  return code >= 48 && code <= 57 ? code - 22 : OTHER;
}

export class LetterModel {
  private readonly letters = new Float64Array(SIGNS);
  private readonly pairs = new Float64Array(SIGNS * SIGNS);
  private readonly groups = new Float64Array(SIGNS * SIGNS * SIGNS);
  private total = 0;

  constructor(texts: Iterable<string> = BASE_TEXTS) {
    for (const text of texts) this.count(text, 1);
  }

  add(text: string): void {
    this.count(text, 1);
  }

  remove(text: string): void {
    this.count(text, -1);
  }

  private count(text: string, by: 1 | -1): void {
    let two = EDGE;
    let one = EDGE;
    for (let i = 0; i < text.length; i += 1) {
      const sign = signAt(text, i);
      const pair = two * SIGNS + one;
      this.letters[sign] = (this.letters[sign] ?? 0) + by;
      this.pairs[pair] = (this.pairs[pair] ?? 0) + by;
      this.groups[pair * SIGNS + sign] = (this.groups[pair * SIGNS + sign] ?? 0) + by;
      two = one;
      one = sign;
    }
    this.total += by * text.length;
  }

  /**
   * Writes into `bits` how many bits each letter of the words run together tells, for a text that names no supplier.
   * `bits` must have room for all letters.
   */
  surprise(tokens: readonly string[], bits: Float64Array): void {
    let two = EDGE;
    let one = EDGE;
    let at = 0;
    for (const token of tokens) {
      let sum = 0;
      const start = at;
      for (let i = 0; i < token.length && at < bits.length; i += 1) {
        const sign = signAt(token, i);
        const pair = two * SIGNS + one;
        const plain = ((this.letters[sign] ?? 0) + 1) / (this.total + SIGNS);
        const share =
          ((this.groups[pair * SIGNS + sign] ?? 0) + SMOOTHING * plain) / ((this.pairs[pair] ?? 0) + SMOOTHING);
        const told = -Math.log2(share);
        bits[at] = told;
        sum += told;
        two = one;
        one = sign;
        at += 1;
      }
      if (sum > WORD_BITS && token.length >= 3 && (isEveryday(token) || isPlaceWord(token)))
        bits.fill(WORD_BITS / (at - start), start, at);
    }
  }
}

/** So that a short list of suppliers does not make every letter a surprise. */
const BASE_TEXTS: readonly string[] = [
  ...new Set([
    ...EVERYDAY_WORDS,
    ...PLACE_WORDS,
    ...BRANDS.flatMap(({ spellings }) => spellings.map((w) => w.join(''))),
  ]),
];
