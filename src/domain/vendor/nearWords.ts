/**
 * Words that a misspelt word may be. Every known word is filed under itself and under what is left when one of its
 * letters is taken out, so that words one slip apart (a letter wrong, missing, too many, or two swapped) meet without
 * comparing them all.
 */
import { editsBetween } from './text.js';

/** Longer words are filed by this many of their first letters only. */
const FILED_LETTERS = 8;

const FILTER_SIZE = 16_384;
const FILTER_MASK = FILTER_SIZE - 1;
const HASH_BASE = 0x01000193;
const powers = new Int32Array(FILED_LETTERS + 1);
powers[0] = 1;
for (let i = 1; i <= FILED_LETTERS; i += 1) powers[i] = Math.imul(powers[i - 1] ?? 0, HASH_BASE);
const keys = new Int32Array(FILED_LETTERS + 1);
const fronts = new Int32Array(FILED_LETTERS + 1);

/**
 * Writes the keys of the text from its first letter to `end` into `keys`: the text, and the text without each of its
 * letters. Numbers instead of texts; two texts that share a number by accident only cost a comparison.
 * @returns how many keys there are.
 */
function filedUnder(text: string, end: number): number {
  const length = Math.min(end, FILED_LETTERS, text.length);
  for (let i = 0; i < length; i += 1)
    fronts[i + 1] = (Math.imul(fronts[i] ?? 0, HASH_BASE) + text.charCodeAt(i) + 1) | 0;
  let count = 1;
  keys[0] = fronts[length] ?? 0;
  for (let i = 0; i < length; i += 1) {
    // Taking out either of two equal neighbours leaves the same.
    if (i > 0 && text.charCodeAt(i) === text.charCodeAt(i - 1)) continue;
    const rest = length - i - 1;
    const behind = ((fronts[length] ?? 0) - Math.imul(fronts[i + 1] ?? 0, powers[rest] ?? 0)) | 0;
    keys[count] = (Math.imul(fronts[i] ?? 0, powers[rest] ?? 0) + behind) | 0;
    count += 1;
  }
  return count;
}

/** Files texts by their beginnings, each with the number that belongs to it. */
export class NearWords {
  private readonly files = new Map<number, number[]>();
  /** How many keys fall on each place: most keys asked for are nobody's, and one look here tells. */
  private readonly filed = new Uint16Array(FILTER_SIZE);

  add(word: string, value: number): void {
    for (let i = filedUnder(word, word.length) - 1; i >= 0; i -= 1) {
      const key = keys[i] ?? 0;
      const file = this.files.get(key);
      this.filed[key & FILTER_MASK] = (this.filed[key & FILTER_MASK] ?? 0) + 1;
      if (file === undefined) this.files.set(key, [value]);
      else file.push(value);
    }
  }

  remove(word: string, value: number): void {
    for (let i = filedUnder(word, word.length) - 1; i >= 0; i -= 1) {
      const key = keys[i] ?? 0;
      const file = this.files.get(key);
      const at = file?.indexOf(value) ?? -1;
      if (file === undefined || at < 0) continue;
      file.splice(at, 1);
      this.filed[key & FILTER_MASK] = (this.filed[key & FILTER_MASK] ?? 0) - 1;
      if (file.length === 0) this.files.delete(key);
    }
  }

  /** Adds the numbers of words whose beginning is at most a slip or two from the first `end` letters of this one. */
  collect(word: string, end: number, found: Set<number>): void {
    for (let i = filedUnder(word, end) - 1; i >= 0; i -= 1) {
      const key = keys[i] ?? 0;
      if (this.filed[key & FILTER_MASK] === 0) continue;
      const file = this.files.get(key);
      if (file !== undefined) for (const value of file) found.add(value);
    }
  }
}

/** Letters a word must have for a slip in it to be undone, and for two. */
const ONE_SLIP_LENGTH = 5;
/** A shorter word counts only where a letter too many made it longer. */
const LISTED_LENGTH = 4;
const TWO_SLIPS_LENGTH = 8;

/** A fixed list of words with the one word of it that a misspelt word can be. */
export class SpellingList {
  private readonly near = new NearWords();
  private readonly words: readonly string[];

  constructor(words: Iterable<string>) {
    this.words = [...new Set(words)].filter((word) => word.length >= LISTED_LENGTH).sort();
    this.words.forEach((word, i) => {
      this.near.add(word, i);
    });
  }

  /** The only word of the list that is nearest, if it is near enough; null if two are equally near or none is. */
  correct(word: string): { word: string; edits: number } | null {
    if (word.length < ONE_SLIP_LENGTH) return null;
    const found = new Set<number>();
    this.near.collect(word, word.length, found);
    let best: { word: string; edits: number } | null = null;
    let isTied = false;
    for (const at of found) {
      const known = this.words[at] ?? '';
      const most = Math.min(known.length, word.length) >= TWO_SLIPS_LENGTH ? 2 : 1;
      const edits = editsBetween(word, known, most);
      if (edits > most || (best !== null && edits > best.edits)) continue;
      // One word and its plural are no two readings.
      isTied = best !== null && edits === best.edits && best.word !== `${known}s` && known !== `${best.word}s`;
      best = { word: known, edits };
    }
    return isTied ? null : best;
  }
}
