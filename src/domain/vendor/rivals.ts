/**
 * Suppliers whose names compete for one descriptor: the longer of two names of which one is the beginning of the other,
 * and companies that share a brand's name.
 */
import type { Reading } from './descriptor.js';
import { type IndexedForm, isOutletTail, type PairScore } from './score.js';
import { compactOf } from './text.js';

/** Letters behind a name from which on a descriptor shows that a longer name is meant. */
const GOES_ON_MIN = 3;
/** Where a brand's score ends when another company of that name may be meant, and from which score on it may. */
const DOUBT_SCORE = 0.79;
const SIBLING_SCORE_MIN = 0.35;

/** The best comparison with one supplier so far. */
export interface Found {
  score: number;
  pair: PairScore;
  readonly reading: Reading;
  readonly form: IndexedForm;
  readonly formId: number;
  readonly rules: string[];
}

/**
 * Of two names of which one is the beginning of the other (`Brand`, `Brand Petroleum`) the longer one is meant as soon
 * as the descriptor shows it.
 */
export function preferLonger(active: readonly Found[]): void {
  const strong = active.filter((found) => found.score >= 0.7);
  const limits = strong.map((shorter) => {
    if (shorter.pair.how === 'equal') return null;
    const longer = strong.filter(
      ({ form, rules, reading }) =>
        rules.length === 0 &&
        reading.compact.length >= shorter.form.compact.length + GOES_ON_MIN &&
        form.tokens.length > shorter.form.tokens.length &&
        form.compact.startsWith(shorter.form.compact),
    );
    return longer.length === 0 ? null : Math.max(...longer.map((found) => found.score)) - 0.05;
  });
  strong.forEach((shorter, i) => {
    const limit = limits[i];
    if (limit === null || limit === undefined || shorter.score <= limit) return;
    shorter.score = limit;
    shorter.rules.push('the descriptor goes on like a longer name');
  });
}

/**
 * A brand in front of words that say nothing may also be another company whose name begins like the brand and of which
 * more than the brand is visible.
 */
export function doubtBrands(active: readonly Found[], nameOf: (form: IndexedForm) => string): void {
  for (const found of active) {
    const { form, reading } = found;
    if (form.brand === null || found.score <= DOUBT_SCORE) continue;
    // On a motorway the operator of the services is meant, whatever stands behind it.
    if (reading.site === 'motorway' && form.brand.kind === 'operator') continue;
    const tail = tailOf(found);
    if (isOutletTail(tail, reading.setAside, reading.cut)) continue;
    const sibling = active.find(
      ({ form: other, score }) =>
        other.supplier !== form.supplier &&
        score >= SIBLING_SCORE_MIN &&
        other.compact.length > form.compact.length + GOES_ON_MIN &&
        other.compact.startsWith(form.compact) &&
        sharesLetters(other.compact.slice(form.compact.length), compactOf(tail)),
    );
    if (sibling === undefined) continue;
    found.score = DOUBT_SCORE;
    found.rules.push(`${nameOf(sibling.form)} begins like that too`);
  }
}

/** Whether three neighbouring letters of one text are in the other. */
function sharesLetters(text: string, other: string): boolean {
  for (let at = 0; at + 3 <= text.length; at += 1) if (other.includes(text.slice(at, at + 3))) return true;
  return false;
}

/** The words behind the brand. */
function tailOf({ form, reading }: Found): readonly string[] {
  let letters = 0;
  let words = 0;
  while (words < reading.tokens.length && letters + 1 < form.compact.length) {
    letters += (reading.tokens[words] ?? '').length;
    words += 1;
  }
  return reading.tokens.slice(words);
}
