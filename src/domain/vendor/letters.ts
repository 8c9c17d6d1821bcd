/**
 * Recognising a name by its letters although some are wrong, missing or run together. Differences are counted where
 * they fall: a letter wrong in the word that makes the name weighs more than one in `direct` or `services`.
 */

import { distance } from 'fastest-levenshtein';
import { swapsPossible } from './text.js';

const LENGTH_MAX = 48;
const WIDTH = LENGTH_MAX + 1;
const table = new Uint8Array(WIDTH * WIDTH);
const editsAt = new Uint8Array(WIDTH);
/** Those of the edits that swapped two neighbours. */
const swapsAt = new Uint8Array(WIDTH);

/** When differences are spread over a name so that it is still the same name. */
const SPREAD_LENGTH_MIN = 12;
const SPREAD_LETTERS_MIN = 0.8;
const SPREAD_WORD_MIN = 0.7;
const SPREAD_CERTAINTY = 0.88;
/** The same where every word with a difference is no known word, so that it can hardly be meant as it stands. */
const SLIP_LENGTH_MIN = 8;
const SLIP_LETTERS_MIN = 0.7;
const SLIP_CERTAINTY = 0.9;

/**
 * How sure a word of `length` letters is with so many letters different. One letter makes another shop of a short name,
 * while a long one stays recognisable; the steps follow from how many real names lie that near to each other.
 */
export function forgiven(edits: number, length: number): number {
  if (edits === 0) return 1;
  if (edits === 1) {
    if (length <= 3) return 0.5;
    if (length === 4) return 0.74;
    if (length === 5) return 0.84;
    if (length === 6) return 0.88;
    return length === 7 ? 0.9 : length <= 9 ? 0.92 : 0.94;
  }
  if (edits === 2) {
    if (length <= 7) return length <= 6 ? 0.45 : 0.6;
    return length <= 9 ? 0.76 : length <= 11 ? 0.84 : length <= 14 ? 0.88 : 0.9;
  }
  if (edits === 3 && length >= 12) return length >= 15 ? 0.84 : 0.76;
  return Math.max(0, 1 - (1.25 * edits) / length);
}

/** Two letters swapped hardly ever make another name, so a short word is surer than with another letter in it. */
function forgivenSwap(length: number): number {
  return length <= 3 ? 0.6 : length === 4 ? 0.87 : 0.92;
}

/** Differences that may be slips in a word: in the first telling word, which makes the name, and in the others. */
function slipsAllowed(length: number, isFirst: boolean, isOnly: boolean): number {
  if (isOnly) return length <= 8 ? 1 : length <= 11 ? 2 : 3;
  if (isFirst) return length <= 4 ? 0 : length <= 6 ? 1 : length <= 11 ? 2 : 3;
  return length <= 2 ? 0 : length <= 4 ? 1 : length <= 6 ? 2 : 3;
}

/** Whether several differences stand side by side: another word was put in or left out. */
function isClustered(length: number): boolean {
  for (let j = 0; j <= length; j += 1) if ((editsAt[j] ?? 0) + (editsAt[j + 1] ?? 0) >= 3) return true;
  for (let j = 0; j + 2 < length; j += 1)
    if ((editsAt[j] ?? 0) > 0 && (editsAt[j + 1] ?? 0) > 0 && (editsAt[j + 2] ?? 0) > 0) return true;
  return false;
}

/** Fills `editsAt[j]` with the edits that fall on letter `j` of `target`; a swap of neighbours counts once. */
function placeEdits(text: string, target: string): number {
  const rows = text.length;
  const columns = target.length;
  for (let j = 0; j <= columns; j += 1) table[j] = j;
  for (let i = 1; i <= rows; i += 1) {
    table[i * WIDTH] = i;
    const letter = text.charCodeAt(i - 1);
    for (let j = 1; j <= columns; j += 1) {
      const other = target.charCodeAt(j - 1);
      let best = (table[(i - 1) * WIDTH + j - 1] ?? 0) + (letter === other ? 0 : 1);
      best = Math.min(best, (table[(i - 1) * WIDTH + j] ?? 0) + 1, (table[i * WIDTH + j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && letter === target.charCodeAt(j - 2) && text.charCodeAt(i - 2) === other) {
        best = Math.min(best, (table[(i - 2) * WIDTH + j - 2] ?? 0) + 1);
      }
      table[i * WIDTH + j] = best;
    }
  }
  editsAt.fill(0, 0, columns + 1);
  swapsAt.fill(0, 0, columns + 1);
  traceBack(text, target);
  return table[rows * WIDTH + columns] ?? 0;
}

/** Letters of the text before and behind the whole target: another word in front or at the end. */
let lettersBefore = 0;
let lettersBehind = 0;

function traceBack(text: string, target: string): void {
  lettersBefore = 0;
  lettersBehind = 0;
  let i = text.length;
  let j = target.length;
  const mark = (at: number): void => {
    const place = Math.max(0, Math.min(at, target.length - 1));
    editsAt[place] = (editsAt[place] ?? 0) + 1;
  };
  while (i > 0 || j > 0) {
    const here = table[i * WIDTH + j] ?? 0;
    const isSame = i > 0 && j > 0 && text.charCodeAt(i - 1) === target.charCodeAt(j - 1);
    if (isSame && here === table[(i - 1) * WIDTH + j - 1]) {
      i -= 1;
      j -= 1;
    } else if (i > 0 && j > 0 && !isSame && here === (table[(i - 1) * WIDTH + j - 1] ?? 0) + 1) {
      mark(j - 1);
      i -= 1;
      j -= 1;
    } else if (i > 1 && j > 1 && here === (table[(i - 2) * WIDTH + j - 2] ?? 0) + 1 && isSwap(text, target, i, j)) {
      mark(j - 1);
      swapsAt[j - 1] = 1;
      i -= 2;
      j -= 2;
    } else if (i > 0 && here === (table[(i - 1) * WIDTH + j] ?? 0) + 1) {
      if (j === 0) lettersBefore += 1;
      if (j === target.length) lettersBehind += 1;
      mark(j);
      i -= 1;
    } else {
      mark(j - 1);
      j -= 1;
    }
  }
}

function isSwap(text: string, target: string, i: number, j: number): boolean {
  return text[i - 1] === target[j - 2] && text[i - 2] === target[j - 1];
}

export interface Recognised {
  /** Share of letters that are right. */
  readonly letters: number;
  /** Certainty after weighing where the differences fall, 0 to 1. */
  readonly certainty: number;
  /** Certainty by the number of differences alone, wherever they fall. */
  readonly overall: number;
  /** The differences are few for this length and leave no known word: slips of the pen, not another name. */
  readonly isSlip: boolean;
}

/** Nothing alike. */
export const UNRECOGNISED: Recognised = { letters: 0, certainty: 0, overall: 0, isSlip: false };

/**
 * Compares run-together text with the words of a name.
 * @param length letters of the name to compare; fewer than it has if the field was cut.
 * @param isMeant whether the word at this place of the text is a known word and so no misspelling; not asked where equal.
 */
export function recognise(
  text: string,
  words: readonly string[],
  weights: readonly number[],
  floor: number,
  length = Number.POSITIVE_INFINITY,
  isMeant: (word: number) => boolean = () => false,
): Recognised {
  let joined = 0;
  for (const word of words) joined += word.length;
  const wanted = Math.min(joined, length);
  if (Math.abs(text.length - wanted) > Math.max(text.length, wanted) * (1 - floor)) return UNRECOGNISED;
  const target = words.length === 1 && wanted === joined ? (words[0] ?? '') : words.join('').slice(0, length);
  const longest = Math.max(text.length, target.length);
  if (longest === 0 || longest > LENGTH_MAX || Math.abs(text.length - target.length) > longest * (1 - floor))
    return UNRECOGNISED;
  if (text === target) return { letters: 1, certainty: 1, overall: 1, isSlip: false };
  // The plain distance is fast and at most a little above the one that counts swaps once; most pairs end here.
  if (distance(text, target) - swapsPossible(longest) > longest * (1 - floor)) return UNRECOGNISED;
  const edits = placeEdits(text, target);
  const letters = 1 - edits / longest;
  if (letters < floor) return UNRECOGNISED;
  let offset = 0;
  let reached = 0;
  let total = 0;
  let limit = 0.4 + 0.6 * letters;
  if (lettersBefore >= 2 || lettersBehind >= 3) limit = Math.min(limit, 0.72);
  // One letter in front of a whole short name (`e`, `i`) is how other businesses make theirs.
  const isPrefixed = lettersBefore === 1 && edits === 1 && target.length <= 8;
  if (isPrefixed) limit = Math.min(limit, 0.8);
  let worst = 1;
  let hasTold = false;
  let hasMeant = false;
  let isReplaced = isPrefixed || lettersBefore >= 2 || lettersBehind >= 2 || isClustered(target.length);
  let isFirst = true;
  for (let k = 0; k < words.length && offset < target.length; k += 1) {
    const end = Math.min(target.length, offset + (words[k] ?? '').length);
    let own = 0;
    let swaps = 0;
    for (let j = offset; j < end; j += 1) {
      own += editsAt[j] ?? 0;
      swaps += swapsAt[j] ?? 0;
    }
    const base =
      own === 1 && swaps === 1
        ? Math.max(forgiven(1, end - offset), forgivenSwap(end - offset))
        : forgiven(own, end - offset);
    const isWord = own > 0 && isMeant(k);
    if (isWord) hasMeant = true;
    const sure = base * (isWord ? 0.8 : 1);
    const isPart = end - offset < (words[k] ?? '').length;
    const weight = (weights[k] ?? 1) * (isPart && own === 0 ? (end - offset) / (words[k] ?? '').length : 1);
    // A word replaced altogether, even a filler, makes another name; so does a letter in a short telling word.
    const isEdge = isPart && end - offset <= 4 && own - swaps <= 1 && end - offset >= 3;
    if (!isEdge && end - offset >= 3 && (end - offset >= 5 ? own * 2 >= end - offset : own * 2 > end - offset)) {
      limit = Math.min(limit, 0.72);
      isReplaced = true;
    }
    const isTelling = (weights[k] ?? 1) > 0.25;
    if (own > 0 && end - offset <= 3 && isTelling && (!hasTold || words.length <= 2)) {
      limit = Math.min(limit, 0.72);
      isReplaced = true;
    }
    if (isTelling) hasTold = true;
    if (own > 0 && sure < base) limit = Math.min(limit, 0.76);
    const allowed = isEdge ? 3 : slipsAllowed(end - offset, isFirst, words.length === 1) + (isTelling ? 0 : 1);
    if (own - swaps > allowed || own > 3) isReplaced = true;
    if (end - offset > 3 || isTelling) isFirst = false;
    worst = Math.min(worst, sure);
    reached += weight * sure;
    total += weight;
    offset = end;
  }
  let certainty = total === 0 ? 0 : Math.min(reached / total, limit);
  // Another name differs in one word and shares the others; a few letters wrong all over a long name are slips.
  if (target.length >= SPREAD_LENGTH_MIN && letters >= SPREAD_LETTERS_MIN && worst >= SPREAD_WORD_MIN)
    certainty = Math.max(certainty, SPREAD_CERTAINTY);
  const isSwap = edits === 1 && swapsAt.subarray(0, target.length).includes(1);
  const overall = isSwap
    ? Math.max(forgiven(1, target.length), forgivenSwap(target.length))
    : forgiven(edits, target.length);
  const isSlip =
    !hasMeant &&
    !isReplaced &&
    (edits < 2 || words.length > 1 || text[0] === target[0]) &&
    target.length >= SLIP_LENGTH_MIN &&
    letters >= SLIP_LETTERS_MIN;
  if (isSlip) certainty = Math.max(certainty, SLIP_CERTAINTY);
  return { letters, certainty, overall: Math.min(overall, limit), isSlip };
}

/** Slips after which a word is still itself; the first telling word makes the name. */
function slipsKept(length: number, isFirst: boolean): number {
  if (length <= 2) return 0;
  if (length <= 4) return isFirst ? 0 : 1;
  if (length <= 6) return isFirst ? 1 : 2;
  return length <= 9 ? 2 : 3;
}

/** Words this short and cut off at the edge of the field prove nothing either way. */
const EDGE_WORD_MAX = 3;

/**
 * Whether every word of a name is still that word in a text that is known to resemble the name: no more letters are wrong
 * in it than slips explain, and no single letter came or went in front, which is how other businesses make their names.
 * @param length letters of the name that the text shows.
 */
export function keepsWords(
  text: string,
  words: readonly string[],
  weights: readonly number[],
  length: number,
): boolean {
  const target = words.join('').slice(0, length);
  if (text === target) return true;
  if (text.length > LENGTH_MAX || target.length > LENGTH_MAX || target.length === 0) return false;
  placeEdits(text, target);
  if (lettersBefore > 0 && text.length > target.length) return false;
  let offset = 0;
  let isFirst = true;
  for (let k = 0; k < words.length && offset < target.length; k += 1) {
    const whole = (words[k] ?? '').length;
    const end = Math.min(target.length, offset + whole);
    let own = 0;
    for (let j = offset; j < end; j += 1) own += (editsAt[j] ?? 0) - (swapsAt[j] ?? 0);
    const isTelling = (weights[k] ?? 1) > 0.25;
    const isEdge = end - offset < whole && end - offset <= EDGE_WORD_MAX;
    if (!isEdge && own > slipsKept(end - offset, isFirst && isTelling) + (isTelling ? 0 : 1)) return false;
    if (isTelling) isFirst = false;
    offset = end;
  }
  return true;
}
