/**
 * The forms under which one supplier may appear: its recorded name without legal form, the trading name behind `t/a`,
 * what stands in brackets, its initials. Each is compared on its own, and the one that fits best speaks for the supplier.
 */
import { isPlaceWord } from './places.js';
import { compactOf, fold, tokenise } from './text.js';
import { FILLERS, isEveryday, LEGAL_FORMS, LEGAL_PHRASES } from './words.js';

export type FormKind = 'name' | 'trading' | 'legal' | 'bracket' | 'initials' | 'brand';

export interface NameForm {
  readonly kind: FormKind;
  readonly tokens: readonly string[];
  /** All words run together. */
  readonly compact: string;
  /** Run together without leading article and trailing fillers. */
  readonly bare: string;
}

/** Legal forms that also stand inside a name, before a branch or a place. The short ones count at the end only. */
const INNER_FORMS: ReadonlySet<string> = new Set([
  'ltd',
  'limited',
  'plc',
  'llp',
  'gmbh',
  'inc',
  'incorporated',
  'sarl',
]);
const LEADING_FORMS: ReadonlySet<string> = new Set(['sarl', 'sas', 'sasu', 'eurl']);

function phraseAt(tokens: readonly string[], at: number): number {
  let length = 0;
  for (const phrase of LEGAL_PHRASES) {
    if (phrase.length > length && phrase.every((word, i) => tokens[at + i] === word)) length = phrase.length;
  }
  return length;
}

/** Where the first legal form after the first word begins and how many words it has; null without one. */
export function findLegalForm(tokens: readonly string[]): { at: number; words: number } | null {
  for (let at = 1; at < tokens.length; at += 1) {
    const phrase = phraseAt(tokens, at);
    const isLast = at + Math.max(phrase, 1) === tokens.length;
    if (phrase > 0 && (isLast || phrase >= 3)) return { at, words: phrase };
    const token = tokens[at] ?? '';
    if (INNER_FORMS.has(token) || (isLast && LEGAL_FORMS.has(token))) return { at, words: 1 };
  }
  return null;
}

/** The words without their legal forms; never empty for a non-empty input. */
export function withoutLegalForm(tokens: readonly string[]): readonly string[] {
  let rest = tokens;
  if (rest.length > 1 && LEADING_FORMS.has(rest[0] ?? '')) rest = rest.slice(1);
  for (let found = findLegalForm(rest); found !== null; found = findLegalForm(rest)) {
    rest = [...rest.slice(0, found.at), ...rest.slice(found.at + found.words)];
  }
  return rest;
}

/** Without a leading article and trailing fillers; a name of nothing else keeps its words. */
export function withoutFillers(tokens: readonly string[]): readonly string[] {
  let from = 0;
  let to = tokens.length;
  if (to > 1 && tokens[0] === 'the') from = 1;
  while (to - from > 1 && FILLERS.has(tokens[to - 1] ?? '')) to -= 1;
  return tokens.slice(from, to);
}

export function formOf(kind: FormKind, tokens: readonly string[]): NameForm {
  return { kind, tokens, compact: compactOf(tokens), bare: compactOf(withoutFillers(tokens)) };
}

/** Remarks that clerks write into the name field of an account they no longer use. */
const HOUSEKEEPING =
  /\(\s*(?:old|closed|dormant|duplicate|dup|do not use|inactive|legacy)(?: account| a\/c| supplier)?\s*\)|[-*]*\s*\b(?:do not use|duplicate|closed account|old account|use \w*\d+)\b.*$|^(?:zz+|xx+|\*+)\s+/gi;

const TRADING_AS = /\s+(?:t\/a|t\.a\.|trading as|d\/b\/a|dba)\s+/i;

/** The recorded name without remarks, and whether there were any. */
export function withoutHousekeeping(name: string): string {
  const cleaned = name.replace(HOUSEKEEPING, ' ').replace(/\s+/g, ' ').trim();
  return cleaned === '' ? name : cleaned;
}

const INSTITUTIONS: ReadonlySet<string> = new Set(
  `of for association society organisation agency council authority institute institution board service corporation
   confederation federation union university college trust foundation national royal british commission chamber`
    .split(/\s+/)
    .filter(Boolean),
);

function initialsOf(tokens: readonly string[]): readonly string[] {
  const main = tokens.filter((token) => !['and', 'the', 'of', 'for', 'in', '&'].includes(token));
  const all = tokens.filter((token) => token !== 'the');
  const found: string[] = [];
  for (const words of [main, all]) {
    const letters = words.map((word) => word[0] ?? '').join('');
    if (words.length >= 3 && letters.length <= 6 && !found.includes(letters)) found.push(letters);
  }
  return found;
}

function bracketForms(inside: string): NameForm[] {
  return inside
    .split('/')
    .map((part) => tokenise(fold(part)))
    .filter((tokens) => compactOf(tokens).length >= 3 && !tokens.every((t) => isEveryday(t) || isPlaceWord(t)))
    .map((tokens) => formOf('bracket', tokens));
}

function formsOfPart(kind: FormKind, part: string): NameForm[] {
  const folded = fold(part);
  const whole = withoutLegalForm(tokenise(folded));
  const forms: NameForm[] = [];
  if (whole.length > 0) forms.push(formOf(kind, whole));
  const outside = withoutLegalForm(tokenise(folded.replace(/\([^)]*\)/g, ' ')));
  if (outside.length > 0 && outside.length < whole.length) forms.push(formOf(kind, outside));
  for (const match of folded.matchAll(/\(([^)]*)\)/g)) forms.push(...bracketForms(match[1] ?? ''));
  // Initials prove nothing for a family firm; institutions are known by them.
  if (outside.every((token) => token.length > 1) && outside.some((token) => INSTITUTIONS.has(token))) {
    for (const letters of initialsOf(outside)) forms.push(formOf('initials', [letters]));
  }
  return forms;
}

/** All forms of a recorded supplier name, the recorded name first, without repeats. Empty only for a name without letters or digits. */
export function nameForms(name: string): NameForm[] {
  const [legal = '', ...tradingNames] = withoutHousekeeping(name).split(TRADING_AS);
  const forms: NameForm[] = [];
  for (const trading of tradingNames) forms.push(...formsOfPart('trading', trading));
  forms.push(...formsOfPart(tradingNames.length > 0 ? 'legal' : 'name', legal));
  const seen = new Set<string>();
  return forms.filter((form) => {
    const key = form.compact;
    if (key === '' || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
