/**
 * Turning names into comparable text: one folding for card descriptors and supplier names, so that the two sides can
 * only differ where the names differ. Everything here is pure and independent of locale settings.
 */
import { distance } from 'fastest-levenshtein';

/** Letters that Unicode does not decompose into a base letter and a mark. */
const FOLDED_LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  ħ: 'h',
  ŋ: 'n',
  '’': "'",
  '‘': "'",
  '`': "'",
  '´': "'",
  '–': '-',
  '—': '-',
};

const PLAIN_ASCII = /^[\x20-\x7e]*$/;

/** Lower case, accents and typographic signs folded to ASCII where a plain form exists, white space collapsed. */
export function fold(raw: string): string {
  if (PLAIN_ASCII.test(raw)) return raw.toLowerCase().replace(/ {2,}/g, ' ').trim();
  return raw
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^\x20-\x7e]/gu, (letter) => FOLDED_LETTERS[letter] ?? (/\s/u.test(letter) ? ' ' : letter))
    .replace(/\s+/gu, ' ')
    .trim();
}

/** Letters, digits and single blanks: nothing to do but split. */
const PLAIN_WORDS = /^[a-z0-9]+(?: [a-z0-9]+)*$/;

/**
 * Words of a folded text. An apostrophe inside a word disappears (also where a payment terminal wrote `?` for it),
 * `&` and `+` become `and`, `co-op` becomes one word, also with one letter wrong behind its hyphen, runs of single letters with dots (`S.p.A.`) become one word.
 */
export function tokenise(folded: string): string[] {
  if (PLAIN_WORDS.test(folded) && !folded.includes('co')) return folded.split(' ');
  const text = folded
    .replace(/(\p{L})['?](?=s\b|\p{L}|\s|$)/gu, '$1')
    .replace(/\b(?:\p{L}\.){2,}\p{L}?\b/gu, (initials) => initials.replaceAll('.', ''))
    .replace(/[&+]/g, ' and ')
    .replace(/\bco[- ]?op(?:erative)?\b|\bco-(?:[op]|[a-z]p|o[a-z]|[a-z]op|op[a-z]|o[a-z]p)\b/g, 'cooperative');
  return text.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** The words run together: how a web address, a PayPal handle or a squeezed field shows a name. */
export function compactOf(tokens: readonly string[]): string {
  return tokens.join('');
}

const ROW_MAX = 64;
const rows = [new Uint8Array(ROW_MAX + 1), new Uint8Array(ROW_MAX + 1), new Uint8Array(ROW_MAX + 1)];

/** Optimal string alignment: like Levenshtein, but a swap of two neighbouring letters is one edit. */
function swapDistance(a: string, b: string): number {
  let [before, last, current] = rows as [Uint8Array, Uint8Array, Uint8Array];
  for (let j = 0; j <= b.length; j += 1) last[j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    current[0] = i;
    const letter = a.charCodeAt(i - 1);
    for (let j = 1; j <= b.length; j += 1) {
      const other = b.charCodeAt(j - 1);
      const replaced = (last[j - 1] ?? 0) + (letter === other ? 0 : 1);
      let best = Math.min(replaced, (last[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && letter === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === other) {
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      }
      current[j] = best;
    }
    [before, last, current] = [last, current, before];
  }
  return last[b.length] ?? 0;
}

/** Swaps that may hide in the plain distance of a pair this long. */
export function swapsPossible(longest: number): number {
  return longest < 10 ? 1 : 2;
}

/**
 * Edits between two words, a swap of two neighbouring letters counting once; `most` + 1 if there are more than `most`.
 * The plain distance is fast and never lower, so far pairs cost little.
 */
export function editsBetween(a: string, b: string, most = Number.POSITIVE_INFINITY): number {
  const longest = Math.max(a.length, b.length);
  if (Math.abs(a.length - b.length) > most) return most + 1;
  const plain = distance(a, b);
  if (plain - swapsPossible(longest) > most) return most + 1;
  const edits = plain < 2 || longest > ROW_MAX ? plain : swapDistance(a, b);
  return Math.min(edits, most + 1);
}

/** 1 for equal, falling with the share of letters that differ; 0 below `floor`. */
export function similarity(a: string, b: string, floor = 0.66): number {
  if (a === b) return 1;
  const longest = Math.max(a.length, b.length);
  if (Math.abs(a.length - b.length) > longest * (1 - floor)) return 0;
  const most = Math.floor(longest * (1 - floor) + 1e-9);
  const edits = editsBetween(a, b, most);
  return edits > most ? 0 : 1 - edits / longest;
}
