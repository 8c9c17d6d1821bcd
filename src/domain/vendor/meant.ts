/** Whether letters that differ from a name are slips, or words that are meant as they stand. */
import type { Reading } from './descriptor.js';

/** Whether a word is known from supplier names or the language: then it is no misspelling of another word. */
export type KnownWord = (word: string) => boolean;

/** Whether the reading's word at the place of a form's word is a known word: asked only where the two differ. */
export function meant(reading: Reading, words: readonly string[], isKnown: KnownWord): (word: number) => boolean {
  if (reading.tokens.length !== words.length) {
    let isForeign: boolean | null = null;
    return () => {
      isForeign ??=
        hasForeignWord(reading.tokens, words.join(''), isKnown) ||
        (reading.tokens.length === 1 && isMadeOfWords(reading.compact, isKnown));
      return isForeign;
    };
  }
  return (word) => reading.tokens[word] !== words[word] && isKnown(reading.tokens[word] ?? '');
}

/** Whether run-together letters are nothing but known words of three letters and more. */
function isMadeOfWords(text: string, isKnown: KnownWord): boolean {
  const reaches = new Uint8Array(text.length + 1);
  reaches[0] = 1;
  for (let start = 0; start + 3 <= text.length; start += 1) {
    if (reaches[start] === 0) continue;
    for (let end = start + 3; end <= Math.min(text.length, start + 14); end += 1)
      if (reaches[end] === 0 && isKnown(text.slice(start, end))) reaches[end] = 1;
  }
  return reaches[text.length] === 1;
}

/** A known word that the name does not have: then the words are meant as they stand. */
export function hasForeignWord(tokens: readonly string[], compact: string, isKnown: KnownWord): boolean {
  return tokens.some((token) => token.length >= 3 && !compact.includes(token) && isKnown(token));
}
