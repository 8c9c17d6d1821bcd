/**
 * Words that a misspelt word may be. Every known word is filed under itself and under what is left when one of its
 * letters is taken out, so that words one slip apart (a letter wrong, missing, too many, or two swapped) meet without
 * comparing them all.
 */
import { editsBetween } from './text.js';

/** Longer words are filed by this many of their first letters only. */
const FILED_LETTERS = 8;

function* filedUnder(word: string): Generator<string> {
  const text = word.slice(0, FILED_LETTERS);
  yield text;
  for (let i = 0; i < text.length; i += 1) {
    // Taking out either of two equal neighbours leaves the same.
    if (i === 0 || text[i] !== text[i - 1]) yield text.slice(0, i) + text.slice(i + 1);
  }
}

/** Files texts by their beginnings, each with the values that belong to it. Values come back in the order of numbers. */
export class NearWords {
  private readonly files = new Map<string, number[]>();

  add(word: string, value: number): void {
    for (const key of filedUnder(word)) {
      const file = this.files.get(key);
      if (file === undefined) this.files.set(key, [value]);
      else file.push(value);
    }
  }

  remove(word: string, value: number): void {
    for (const key of filedUnder(word)) {
      const file = this.files.get(key);
      const at = file?.indexOf(value) ?? -1;
      if (file === undefined || at < 0) continue;
      file.splice(at, 1);
      if (file.length === 0) this.files.delete(key);
    }
  }

  /** Adds the values of words whose beginning is at most about a slip or two from the beginning of this one. */
  collect(word: string, found: Set<number>): void {
    for (const key of filedUnder(word)) for (const value of this.files.get(key) ?? []) found.add(value);
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
    this.near.collect(word, found);
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
