/**
 * The frame of a descriptor with letters wrong, missing or in the wrong place: a payment service in front, `www` and the
 * ending of a web address, a legal form at the end, a blank that moved. What is left when the frame is taken off is one
 * more way to read the business; it never replaces the reading of the text as it stands.
 */
import { editsBetween } from './text.js';

/** Letters of a business that must be left for the rest to be a frame. */
const BUSINESS_MIN = 4;

const LEGAL_ENDINGS: readonly { form: string; most: number }[] = [
  { form: 'limited', most: 2 },
  { form: 'ltd', most: 1 },
  { form: 'plc', most: 0 },
];

/** How many letters at the end of `text` are `form` with at most `most` edits; 0 if none. The fewest edits win, then the nearest length. */
function lettersAtEnd(text: string, form: string, most: number): { letters: number; edits: number } | null {
  let best: { letters: number; edits: number } | null = null;
  for (let extra = 0; extra <= most * 2; extra += 1) {
    const length = form.length + (extra % 2 === 0 ? -extra / 2 : (extra + 1) / 2);
    if (length < 2 || text.length - length < BUSINESS_MIN - 1) continue;
    const edits = editsBetween(text.slice(text.length - length), form, most);
    if (edits <= most && (best === null || edits < best.edits)) best = { letters: length, edits };
  }
  return best;
}

/** Whether at least so many letters of the text occur in the form: asked first, because it costs little. */
function hasLettersOf(text: string, form: string, least: number): boolean {
  let count = 0;
  for (let i = 0; i < text.length; i += 1) if (form.includes(text[i] ?? '')) count += 1;
  return count >= least;
}

/** The words without so many letters at the end, counted without blanks. */
function withoutEnd(words: readonly string[], letters: number): string[] {
  const rest = [...words];
  let left = letters;
  while (left > 0 && rest.length > 0) {
    const last = rest.pop() ?? '';
    if (last.length > left) rest.push(last.slice(0, last.length - left));
    left -= last.length;
  }
  return rest;
}

/** The words in front of a misspelt or shifted legal form at the end, or null. */
export function withoutMisspeltForm(words: readonly string[]): string[] | null {
  const last = words.at(-1) ?? '';
  if (words.length > 1 && last.length > 10) return null;
  const text = words.join('');
  for (const { form, most } of LEGAL_ENDINGS) {
    if (!hasLettersOf(text.slice(-form.length - most), form, form.length - most)) continue;
    const found = lettersAtEnd(text, form, most);
    if (found === null || (words.length > 1 && found.letters < last.length)) continue;
    if (words.length === 1 && form !== 'limited') continue;
    // Two letters of a longer word are no legal form.
    if (words.length > 1 && found.edits > 0 && found.letters > last.length + 2) continue;
    const rest = withoutEnd(words, found.letters);
    if (rest.join('').length >= 3) return rest;
  }
  return null;
}

/** What follows `paypal` with a letter or two wrong, also without a blank between; null if it is not there. */
export function behindMisspeltPayPal(folded: string): string | null {
  if (!hasLettersOf(folded.slice(0, 9), 'paypal', 4)) return null;
  const letters = folded.slice(0, 9).replace(/ /g, '');
  let best: { length: number; edits: number } | null = null;
  for (const length of [6, 7, 5, 8]) {
    const edits = editsBetween(letters.slice(0, length), 'paypal', 2);
    const isSure = edits <= 1 || (edits === 2 && length >= 6 && /^(?:pa|py|ap|.ay)/.test(letters));
    if (isSure && (best === null || edits < best.edits)) best = { length, edits };
  }
  if (best === null) return null;
  let at = 0;
  for (let seen = 0; seen < best.length && at < folded.length; at += 1) if (folded[at] !== ' ') seen += 1;
  const rest = folded.slice(at).trim();
  return rest.length >= BUSINESS_MIN ? rest : null;
}

/** `www` with a letter wrong, in front of a dot or glued to the name. */
const SPLIT_WWW = /^(?:[a-z]?w[a-z]?w[a-z]?|[a-z]ww|w[a-z]w[a-z]?w?)[. ]+/;
const GLUED_WWW = /^w[a-z]?w[a-z]?w|^ww[a-z]|^w{2}/;
const DOMAIN_ENDINGS = ['couk', 'orguk', 'govuk', 'com', 'org'] as const;

interface AddressName {
  readonly name: string;
  /** No ending of an address was found, so the field may have cut it off with a part of the name. */
  readonly isOpen: boolean;
}

function withoutDomainEnding(label: string): AddressName {
  const text = label.replace(/[^a-z0-9]/g, '');
  let best = text;
  let fewest = 2;
  for (const ending of DOMAIN_ENDINGS) {
    const most = ending.length >= 4 || label.includes('.') ? 1 : 0;
    const found = lettersAtEnd(text, ending, most);
    if (found !== null && found.edits < fewest) {
      fewest = found.edits;
      best = text.slice(0, text.length - found.letters);
    }
  }
  return { name: best, isOpen: best === text };
}

/**
 * The names that a misspelt web address may carry, run together and without its ending; none if the text is no address.
 * A letter that slipped over the first dot counts to either side.
 */
export function misspeltAddressNames(folded: string): AddressName[] {
  if (!folded.includes('.') && !folded.startsWith('w')) return [];
  if (folded.includes(' ') && !/^\S{2,5} \S+$/.test(folded)) return [];
  const text = folded.replace(/ /g, '.');
  const names: AddressName[] = [];
  const split = SPLIT_WWW.exec(text);
  const glued = split === null ? GLUED_WWW.exec(text) : null;
  const front = split ?? glued;
  if (front === null) {
    if (!/^[a-z0-9-]{4}[^ ]*\.[a-z.]*$/.test(folded)) return [];
    names.push(withoutDomainEnding(text));
    // The business may rent its place from a platform whose name is misspelt: then it is the label in front.
    const labels = text.split('.');
    if (labels.length > 2) names.push({ name: labels[0] ?? '', isOpen: false });
  } else {
    names.push(withoutDomainEnding(text.slice(front[0].length)));
    if (glued !== null && glued[0].length > 3) names.push(withoutDomainEnding(text.slice(3)));
    if (glued !== null) names.push(withoutDomainEnding(text.slice(glued[0].length + 1)));
  }
  return names.filter(({ name }) => name.length >= BUSINESS_MIN);
}
