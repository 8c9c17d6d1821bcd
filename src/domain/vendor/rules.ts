/**
 * What general knowledge takes off a similarity: a different place, a known brand that the supplier is not, a name too
 * short or too common to prove anything, an outlet inside motorway services whose operator is not named.
 */
import { type Brand, leadingBrand } from './brands.js';
import type { DescriptorParts, Reading } from './descriptor.js';
import { isPlaceWord, PLACE_PHRASES } from './places.js';
import { type IndexedForm, isOutletTail, type PairScore, sharesBeginning } from './score.js';
import { editsBetween, similarity } from './text.js';
import { FILLERS, HOUSES, isEveryday } from './words.js';

export interface Ruled {
  readonly score: number;
  readonly rules: string[];
}

function isPlainSpelling(reading: Reading): boolean {
  const words = reading.tokens.slice(0, reading.brandWords);
  return words.every((token) => isEveryday(token)) || words.join('').length <= 3;
}

/**
 * Another company of the brand's name (`Brand Bank`), as long as the descriptor goes on like that company's name: both
 * stay candidates, and the margin between them decides.
 */
function isSibling(reading: Reading, form: IndexedForm): boolean {
  const brand = reading.tokens.slice(0, reading.brandWords).join('');
  if (!form.compact.startsWith(brand)) return false;
  const rest = form.compact.slice(brand.length);
  const next = reading.tokens.slice(reading.brandWords).join('');
  if (rest.length < 3 || next.length < 3) return false;
  return rest.startsWith(next) || next.startsWith(rest) || similarity(next.slice(0, rest.length), rest, 0.6) > 0;
}

/** The place a name ends in, as words. */
function placeAtEnd(tokens: readonly string[]): string | null {
  for (let words = Math.min(3, tokens.length - 1); words > 0; words -= 1) {
    const phrase = tokens.slice(tokens.length - words).join(' ');
    if (PLACE_PHRASES.has(phrase)) return phrase;
  }
  return null;
}

/** Applies every rule; each can only lower the score, and leaves its reason. */
export function applyRules(
  pair: PairScore,
  reading: Reading,
  form: IndexedForm,
  brands: readonly Brand[],
  parts: DescriptorParts,
): Ruled {
  const rules: string[] = [];
  let score = pair.score;
  const cap = (limit: number, reason: string): void => {
    if (score > limit) {
      score = limit;
      rules.push(reason);
    }
  };
  capOtherBrand(cap, pair, reading, form, brands);
  capPlaces(cap, pair, reading, form, parts);
  capBareBeginning(cap, pair, reading, form);
  capHouse(cap, pair, reading, form);
  capRegions(cap, pair, reading, form);
  capWeakNames(cap, pair, reading, form, parts);
  if (form.brand?.kind === 'chain' && form.compact.length <= 3 && reading.site === 'forecourt')
    cap(0.79, 'so short a name may be a petrol brand here');
  if (
    parts.motorway !== null &&
    (form.brand === null || form.brand.kind !== 'operator') &&
    reading.brand?.kind !== 'operator'
  ) {
    cap(0.4, 'an outlet inside motorway services without its operator');
  }
  if (parts.motorway !== null && reading.brand?.kind === 'operator' && !brands.includes(reading.brand)) {
    cap(0.4, 'motorway services of another operator');
  }
  return { score, rules };
}

/** A cut field that shows nothing but everyday words, or nothing but a brand, fits too many names. */
function capBareBeginning(cap: Cap, pair: PairScore, reading: Reading, form: IndexedForm): void {
  if (pair.how !== 'cut off') return;
  let shown = 0;
  let telling = false;
  for (const token of form.tokens) {
    if (shown >= reading.compact.length) break;
    shown += token.length;
    if (!isEveryday(token) && !isPlaceWord(token)) telling = true;
  }
  const isWhole = reading.compact.length * 1.6 >= form.compact.length;
  if (!telling && !isWhole) cap(0.7, 'only everyday words of the name are left in the field');
  const own = leadingBrand(form.tokens);
  if (own === null || (own.brand.kind !== 'property' && own.brand.kind !== 'hotel')) return;
  const name = form.tokens.slice(0, own.words).join('');
  if (reading.compact.length < name.length + 3 && name.length < form.compact.length)
    cap(0.7, `only the name ${own.brand.name} is left in the field`);
}

/** A hotel brand's name says nothing about the house; a name like `The Beeches` is shared by many houses. */
function capHouse(cap: Cap, pair: PairScore, reading: Reading, form: IndexedForm): void {
  if (form.kind === 'brand') return;
  const named = reading.brand;
  if (named?.kind === 'property' || named?.kind === 'hotel') {
    const telling = reading.tokens
      .slice(reading.brandWords)
      .filter((token) => token.length >= 3 && !FILLERS.has(token));
    const isShown = telling.some((token) =>
      form.tokens.some(
        (word) => word === token || (token.length >= 4 && (word.startsWith(token) || similarity(word, token, 0.7) > 0)),
      ),
    );
    if (form.tokens.length > reading.brandWords && !isShown)
      cap(0.7, `the descriptor shows only the name ${named.name}, not the house`);
  }
  const isShownSomehow = (house: string): boolean =>
    reading.compact.includes(house) ||
    reading.tokens.some((token) => house.startsWith(token) || similarity(token, house, 0.6) > 0);
  const missing = form.tokens.some((token, i) => i > 0 && HOUSES.has(token) && !isShownSomehow(token));
  const core = form.tokens.filter((token) => !HOUSES.has(token) && !FILLERS.has(token));
  if (missing && core.length === 1 && pair.how !== 'cut off') cap(0.79, 'many houses share this name');
}

/** `Europe` and `Worldwide`, `Online` and `Direct`: two names that differ in such a word may be two companies. */
function capRegions(cap: Cap, pair: PairScore, reading: Reading, form: IndexedForm): void {
  if (form.kind === 'brand' || reading.brandWords > 0 || pair.letters === 1) return;
  const last = reading.tokens.at(-1) ?? '';
  const own = form.tokens.at(-1) ?? '';
  const isTelling = (token: string): boolean =>
    FILLERS.has(token) && !['uk', 'group', 'company', 'services', 'service'].includes(token);
  if (last !== own && isTelling(last) && isTelling(own) && !own.startsWith(last) && !last.startsWith(own))
    cap(0.79, `“${last}” and “${own}” may be two companies`);
}

type Cap = (limit: number, reason: string) => void;

function capOtherBrand(cap: Cap, pair: PairScore, reading: Reading, form: IndexedForm, brands: readonly Brand[]): void {
  const named = reading.brand;
  if (named === null || brands.includes(named)) return;
  if (named.kind === 'property' || named.kind === 'hotel') {
    if (form.kind === 'brand' || brands.some((brand) => brand.kind === 'hotel'))
      cap(0.5, `the descriptor names ${named.name}`);
    return;
  }
  const isPlain = isPlainSpelling(reading);
  const tail = reading.tokens.slice(reading.brandWords);
  if (isPlain && !isOutletTail(tail, reading.setAside, reading.cut)) return;
  // A longer name that begins like the brand is another company, unless the descriptor shows the longer name too.
  const showsMore =
    form.tokens.length > reading.brandWords &&
    reading.tokens.length > reading.brandWords &&
    pair.supplierShare >= 0.95 &&
    sharesBeginning(reading.tokens, form, reading.brandWords);
  if (!showsMore && !isSibling(reading, form))
    cap(0.42, `the descriptor names ${named.name}, which this supplier is not`);
}

/** The place with a letter wrong, or its beginning. */
function isMisspeltPlace(text: string, place: string): boolean {
  for (let length = text.length - 1; length <= Math.min(text.length + 1, place.length); length += 1)
    if (editsBetween(text, place.slice(0, length), 1) <= 1) return true;
  return false;
}

function capPlaces(cap: Cap, pair: PairScore, reading: Reading, form: IndexedForm, parts: DescriptorParts): void {
  if (form.kind === 'brand' || pair.how === 'equal') return;
  const supplierPlace = placeAtEnd(form.tokens) ?? form.tokens.slice(1).find((token) => isPlaceWord(token)) ?? null;
  if (supplierPlace === null) return;
  const text = reading.tokens.join(' ');
  if (text.includes(supplierPlace) || (reading.cut && pair.how === 'cut off')) return;
  const last = reading.tokens.at(-1) ?? '';
  if (reading.cut && last.length >= 3 && supplierPlace.startsWith(last)) return;
  if (last.length >= 5 && isMisspeltPlace(last, supplierPlace)) return;
  if (pair.letters >= 0.8 && pair.how !== 'words') return;
  if (parts.place !== null) cap(0.4, `the supplier is in ${supplierPlace}, the sale in ${parts.place}`);
  else cap(0.7, `the supplier's name has a place (${supplierPlace}) that the descriptor does not show`);
}

/** Whether the descriptor shows a filler of the name, or nothing that could stand in its place. */
function showsFiller(reading: Reading, form: IndexedForm): boolean {
  const fillers = form.tokens.filter((token) => FILLERS.has(token));
  return reading.tokens.every(
    (token) =>
      form.tokens.includes(token) || isPlaceWord(token) || fillers.some((filler) => similarity(token, filler, 0.7) > 0),
  );
}

function capWeakNames(cap: Cap, pair: PairScore, reading: Reading, form: IndexedForm, parts: DescriptorParts): void {
  if (parts.nameless !== null && (form.kind !== 'brand' || pair.letters < 1))
    cap(0.3, `the descriptor shows nothing but ${parts.nameless}`);
  if (form.kind === 'brand') return;
  if (reading.compact.length <= 3 && parts.legalForm === null) cap(0.79, 'a very short name proves little');
  if (form.isEveryday && form.tokens.length === 1 && parts.legalForm === null)
    cap(0.79, 'one everyday word proves little');
  const isLong =
    (pair.how === 'nearly equal' || (pair.how === 'cut off' && pair.letters === 1)) && form.compact.length >= 9;
  const isLongEnough = pair.letters >= (reading.compact.length >= 14 ? 0.85 : 0.9) && reading.compact.length >= 10;
  if (pair.how === 'words' && form.bare.length <= 4 && form.bare !== form.compact && !showsFiller(reading, form))
    cap(0.79, 'a very short name with something else behind it');
  const isSlip = pair.isSlip === true && pair.letters >= 0.8;
  if (form.isEveryday && pair.letters < 1 && pair.score < 0.98 && !isLongEnough && !isSlip)
    cap(0.79, 'everyday words with a difference');
  if (form.isEveryday && pair.score < 0.98 && !isLong && !isLongEnough && !isSlip)
    cap(pair.score * 0.9, 'everyday words only');
}
