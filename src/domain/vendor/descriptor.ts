/**
 * A card descriptor taken apart. The parts are kept as evidence: a person sees what was read as intermediary, store
 * number, place or web address, and which words were compared as the business.
 */
import { BRAND_WORDS, type Brand, brandOfSpelling, leadingBrand } from './brands.js';
import { forecourtSign, motorwaySide, portalOf, spellOutStation, takeOffIntermediary } from './intermediaries.js';
import { behindMisspeltPayPal, misspeltAddressNames, withoutMisspeltForm } from './misspelt.js';
import { findLegalForm, withoutFillers, withoutLegalForm } from './nameForms.js';
import { SpellingList } from './nearWords.js';
import { beginsPlace, isPlaceWord, PLACE_PARTS, PLACE_PHRASES, PLACE_WORDS, US_STATES } from './places.js';
import { compactOf, fold, tokenise } from './text.js';
import { findWebAddress } from './webAddress.js';
import { CUT_LEGAL_FORMS, EVERYDAY_WORDS, HOUSES, isEveryday, SALE_WORDS } from './words.js';

/** One way of reading the business out of a descriptor. */
export interface Reading {
  readonly kind:
    | 'name'
    | 'address'
    | 'handle'
    | 'before legal form'
    | 'trading as'
    | 'with numbers'
    | 'portal'
    | 'station'
    | 'misspelt frame'
    | 'misspelt words';
  readonly tokens: readonly string[];
  readonly compact: string;
  readonly bare: string;
  /** The field may have cut the end off. */
  readonly cut: boolean;
  /** Words behind the business that were set aside (place, legal form, number). */
  readonly setAside: readonly string[];
  readonly brand: Brand | null;
  readonly brandWords: number;
  /** A legal form stands directly behind the words. */
  readonly closed: boolean;
  /** Below 1 if words were respelt: how sure that is. No comparison with this reading is surer. */
  readonly certainty?: number;
  /** A sign of a petrol station or of motorway services, which supports a brand that sells there. */
  readonly site?: 'forecourt' | 'motorway';
}

export interface DescriptorParts {
  readonly aggregator: readonly string[];
  readonly business: string;
  readonly storeNumber: string | null;
  readonly place: string | null;
  readonly url: string | null;
  readonly phone: string | null;
  readonly state: string | null;
  readonly legalForm: string | null;
  readonly brand: string | null;
  readonly forecourt: string | null;
  readonly motorway: string | null;
  readonly truncated: boolean;
  /** Why the descriptor can name no supplier at all, if so. */
  readonly nameless: 'number' | 'place' | 'empty' | 'everyday words' | null;
}

export interface Descriptor {
  readonly raw: string;
  readonly normalised: string;
  readonly parts: DescriptorParts;
  readonly readings: readonly Reading[];
}

/**
 * Card networks and publishers cut merchant names at 18, 22 and 25 characters. Blanks that were taken off hide whether the
 * field was full, and letters lost or added on the way move its edge, so that any text nearly as long may be cut.
 */
const CUT_LENGTH_MIN = 16;

function mayBeCut(raw: string, folded: string): boolean {
  return Math.max(raw.trim().length, folded.length) >= CUT_LENGTH_MIN;
}

const PHONE = /(?:\+?\d{1,2}[ -]?)?(?:\(?\d{3,5}\)?[ -]?\d{3}[ -]?\d{3,4})\b/;
const REFERENCE = /^(?=.*\d.*\d)(?=.*[a-z])[a-z0-9]{6,}$|^\d{2,}$|^[a-z]\d{3,}$|^\d+[a-z]$/;

/** Store, terminal and reference numbers. A number that leads or sits inside a word (`n200`) is a name. */
function isNumberToken(token: string): boolean {
  return /^\d+$/.test(token) || REFERENCE.test(token);
}

function splitNumbers(tokens: readonly string[]): { kept: string[]; numbers: string[] } {
  const kept: string[] = [];
  const numbers: string[] = [];
  tokens.forEach((token, i) => {
    // At the beginning `n200`, `365` and `3m` are names; a long reference or number is not.
    const isName =
      i === 0 ? !/^\d{4,}$/.test(token) && (token.length < 6 || !REFERENCE.test(token)) : !isNumberToken(token);
    if (isName && !(i === 0 && tokens.length === 1 && /^\d+$/.test(token))) kept.push(token);
    else numbers.push(token);
  });
  const withoutMarks = kept.filter(
    (token, i) => i === 0 || !['no', 'nr', 'store', 'ref'].includes(token) || numbers.length === 0,
  );
  return { kept: withoutMarks, numbers };
}

/** How many words at the end are a place, leaving at least one word in front. */
export function trailingPlace(tokens: readonly string[], cut: boolean): number {
  for (let words = Math.min(4, tokens.length - 1); words > 0; words -= 1) {
    const phrase = tokens.slice(tokens.length - words).join(' ');
    if (PLACE_PHRASES.has(phrase) || (cut && phrase.length >= 5 && beginsPlace(phrase))) return words;
  }
  return 0;
}

function endsInLegalForm(words: readonly string[]): boolean {
  const found = findLegalForm(words);
  return (found !== null && found.at + found.words === words.length) || CUT_LEGAL_FORMS.has(words.at(-1) ?? '');
}

function makeReading(
  kind: Reading['kind'],
  words: readonly string[],
  cut: boolean,
  setAside: readonly string[] = [],
): Reading | null {
  let tokens = withoutLegalForm(words);
  const last = tokens.at(-1) ?? '';
  if (cut && tokens.length > 1 && CUT_LEGAL_FORMS.has(last)) tokens = tokens.slice(0, -1);
  const isComplete = tokens.length < words.length;
  if (tokens.length === 0) return null;
  const leading = leadingBrand(tokens);
  tokens = asTheBrandSpellsIt(tokens, leading);
  return {
    kind,
    tokens,
    compact: compactOf(tokens),
    bare: compactOf(withoutFillers(tokens)),
    cut: cut && !isComplete,
    closed: isComplete && endsInLegalForm(words),
    setAside,
    brand: leading?.brand ?? null,
    brandWords:
      leading === null
        ? 0
        : leading.brand.kind === 'property'
          ? (leading.brand.spellings[0]?.length ?? 0)
          : leading.words,
  };
}

/** A short spelling of a hotel name (`hie`) is read as the full one, because suppliers carry the full one and a place. */
function asTheBrandSpellsIt(tokens: readonly string[], leading: ReturnType<typeof leadingBrand>): readonly string[] {
  if (leading === null || leading.brand.kind !== 'property') return tokens;
  return [...(leading.brand.spellings[0] ?? []), ...tokens.slice(leading.words)];
}

/** A legal form glued to a handle or address (`nameltd`) or cut (`namelt`). */
function withoutGluedForm(text: string): string | null {
  const found = /^([a-z0-9]{4,}?)(?:limited|limite|limit|ltd|lt|plc)$/.exec(text);
  return found?.[1] ?? null;
}

/** Shortenings that can only mean one word. */
const EXPANSIONS: Readonly<Record<string, string>> = {
  bham: 'birmingham',
  svcs: 'services',
  svc: 'services',
  srvcs: 'services',
};

function expand(tokens: readonly string[]): string[] {
  return tokens.flatMap((token) => {
    // A store number glued to the name (`zarnwick4417`); three letters and three digits at least, so that names stay whole.
    const glued = /^([a-z]{3,})(\d{3,})$/.exec(token);
    if (glued !== null) return [EXPANSIONS[glued[1] ?? ''] ?? glued[1] ?? '', glued[2] ?? ''];
    return [EXPANSIONS[token] ?? token];
  });
}

interface Layers {
  text: string;
  aggregator: string[];
  fieldCut: boolean;
  isHandle: boolean;
}

function peel(raw: string): Layers {
  // Some terminals glue their number to the name.
  const folded = fold(raw).replace(/^\d{5,}(?=[a-z]{3})/, '');
  const layers: Layers = { text: folded, aggregator: [], fieldCut: mayBeCut(raw, folded), isHandle: false };
  for (let depth = 0; depth < 4; depth += 1) {
    const found = takeOffIntermediary(layers.text);
    if (found === null || found.business === '') break;
    layers.aggregator.push(found.name);
    layers.text = found.business;
    if (found.fieldLength > 0) {
      layers.isHandle = true;
      layers.fieldCut = found.business.length >= found.fieldLength;
    }
  }
  return layers;
}

function namelessKind(tokens: readonly string[], numbers: readonly string[]): DescriptorParts['nameless'] {
  if (tokens.length === 0) return numbers.length > 0 ? 'number' : 'empty';
  if (tokens.every((token) => /^\d+$/.test(token) || ['invoice', 'inv', 'ref', 'no', 'order'].includes(token)))
    return 'number';
  const phrase = tokens.join(' ');
  if (PLACE_PHRASES.has(phrase)) return 'place';
  if (isPlaceWord(tokens[0] ?? '') && tokens.length > 1 && PLACE_PHRASES.has(tokens.slice(1).join(' '))) return 'place';
  if (tokens.every((token) => isEveryday(token)) && tokens.length === 1 && brandOfSpelling(tokens[0] ?? '') === null) {
    return 'everyday words';
  }
  return null;
}

/** Behind a petrol brand the operator is the business, if it is named (`bp malthurst ...`). */
function withoutFuelBrand(tokens: readonly string[]): readonly string[] {
  const leading = leadingBrand(tokens);
  if (leading?.brand.kind !== 'fuel') return tokens;
  const rest = tokens.slice(leading.words);
  return leadingBrand(rest)?.brand.kind === 'operator' ? rest : tokens;
}

function nameReadings(text: string, cut: boolean, isHandle: boolean): Reading[] {
  const readings: (Reading | null)[] = [];
  const tokens = expand(tokenise(text));
  const { kept, numbers } = splitNumbers(tokens);
  const legal = findLegalForm(kept);
  const words = withoutFuelBrand(kept);
  readings.push(makeReading(isHandle ? 'handle' : 'name', words, cut && numbers.length === 0, numbers));
  if (legal !== null && legal.at + legal.words < kept.length) {
    readings.push(makeReading('before legal form', kept.slice(0, legal.at), false, kept.slice(legal.at)));
  }
  if (numbers.length > 0 && tokens.length > 1) readings.push(makeReading('with numbers', tokens, cut));
  if (numbers.length > 0 && tokens.length === 1) readings.push(makeReading('with numbers', tokens, cut));
  return readings.filter((reading) => reading !== null);
}

function tradingSides(text: string, cut: boolean): Reading[] {
  const sides = text.split(/\s+(?:t\/a|ta|trading as|dba|d\/b\/a)\s+|\s*\bt\/a\s+/);
  if (sides.length < 2) return [];
  return sides
    .flatMap((side, i) => nameReadings(side, cut && i === sides.length - 1, false))
    .map((reading) => ({ ...reading, kind: 'trading as' as const }));
}

function ungluedReadings(readings: readonly Reading[]): Reading[] {
  return readings.flatMap((reading) => {
    const last = reading.tokens.at(-1) ?? '';
    const isAlone = reading.tokens.length === 1 && (reading.kind === 'handle' || reading.kind === 'address');
    const name = isAlone || /.{4}(?:ltd|limited)$/.test(last) ? withoutGluedForm(last) : null;
    const made = name === null ? null : makeReading(reading.kind, [...reading.tokens.slice(0, -1), name], false);
    return made === null ? [] : [made];
  });
}

function readingsOf(layers: Layers): { readings: Reading[]; url: string | null } {
  const { text, fieldCut, isHandle } = layers;
  const portal = layers.aggregator.length === 0 ? portalOf(text) : null;
  if (portal !== null) {
    const reading = makeReading('portal', [portal], false);
    return { readings: reading === null ? [] : [reading], url: null };
  }
  const address = findWebAddress(text, fieldCut);
  const readings: Reading[] = [];
  if (address !== null) {
    const reading = makeReading('address', expand(tokenise(address.label)), address.cut);
    if (reading !== null) readings.push(reading);
    readings.push(...ungluedReadings(readings));
    if (address.before !== '') readings.push(...nameReadings(address.before, false, false));
    if (readings.length > 0) return { readings, url: address.text };
  }
  readings.push(...tradingSides(text, fieldCut));
  if (readings.length === 0) readings.push(...nameReadings(text, fieldCut, isHandle));
  readings.push(...ungluedReadings(readings));
  const station = spellOutStation(text);
  if (station !== text) {
    const reading = makeReading('station', expand(tokenise(station)), false);
    if (reading !== null) readings.push(reading);
  }
  return { readings, url: null };
}

/** Words of the language and of sales, in which a slip can be seen because the word is known. */
const SPELLINGS = new SpellingList([
  ...EVERYDAY_WORDS,
  ...HOUSES,
  ...SALE_WORDS,
  ...PLACE_WORDS,
  ...BRAND_WORDS,
  'limited',
]);

/** How sure a respelt word is. The word that makes the name must be long, or another name would be read into it. */
function respellingCertainty(edits: number, length: number, isFirst: boolean): number {
  if (edits >= 2) return isFirst ? 0.86 : 0.9;
  if (isFirst) return length <= 5 ? 0.8 : length <= 8 ? 0.88 : 0.92;
  return length <= 5 ? 0.93 : 0.96;
}

/**
 * The reading with misspelt everyday words and places put right, or null if there are none. Only words that nobody
 * knows are respelt, and never all of a name: one word must stand as it was written.
 */
export function respell(reading: Reading, isKnown: (word: string) => boolean): Reading | null {
  if (reading.tokens.length < 2) return null;
  let certainty = 1;
  let firstEdits = 0;
  let kept = 0;
  const first = reading.tokens[0] === 'the' ? 1 : 0;
  const tokens = reading.tokens.map((token, i) => {
    const found = token.length < 5 || /\d/.test(token) || isKnown(token) ? null : SPELLINGS.correct(token);
    if (found === null) {
      if (token.length >= 3) kept += 1;
      return token;
    }
    if (i === first) firstEdits = found.edits;
    else certainty *= respellingCertainty(found.edits, found.word.length, false);
    return found.word;
  });
  if ((certainty === 1 && firstEdits === 0) || kept === 0) return null;
  if (firstEdits > 0) {
    // Beside its other words the first word of a well-known brand is no guess.
    const isBrand = (leadingBrand(tokens)?.words ?? 0) > first + 1;
    certainty *= respellingCertainty(firstEdits, tokens[first]?.length ?? 0, !isBrand);
  }
  const made = makeReading('misspelt words', tokens, reading.cut, reading.setAside);
  return made === null ? null : { ...reading, ...made, certainty, closed: made.closed || reading.closed };
}

/** Further readings for a frame with letters wrong; each stands beside the readings of the text as it is. */
function misspeltReadings(layers: Layers, known: readonly Reading[]): Reading[] {
  const made: (Reading | null)[] = [];
  const add = (words: readonly string[], cut: boolean): void => {
    if (words.length > 0) made.push(makeReading('misspelt frame', words, cut));
  };
  const { text, fieldCut } = layers;
  if (!layers.aggregator.includes('PayPal')) {
    const behind = behindMisspeltPayPal(text);
    if (behind !== null) {
      const words = expand(tokenise(behind.replace(/\.[a-z]{0,4}$/, '')));
      add(words, behind.length >= 8);
      add(withoutMisspeltForm(words) ?? [], false);
    }
  }
  for (const { name, isOpen } of misspeltAddressNames(text)) add(expand(tokenise(name)), fieldCut && isOpen);
  const { kept } = splitNumbers(expand(tokenise(text)));
  if (findLegalForm(kept) === null) add(withoutMisspeltForm(kept) ?? [], false);
  const handle = known[0]?.kind === 'handle' && known[0].tokens.length === 1 ? known[0].compact : '';
  if (handle.length > 8) add(withoutMisspeltForm([handle]) ?? [], false);
  const seen = new Set(known.map(({ tokens, cut }) => `${tokens.join(' ')}/${cut}`));
  return made.filter((reading) => {
    if (reading === null) return false;
    const key = `${reading.tokens.join(' ')}/${reading.cut}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  }) as Reading[];
}

function atSite(readings: readonly Reading[], site: 'forecourt' | 'motorway' | null): readonly Reading[] {
  return site === null ? readings : readings.map((reading) => ({ ...reading, site }));
}

/** Takes a descriptor apart. Never throws; any text, also an empty one, has an answer. */
export function takeApart(raw: string): Descriptor {
  const layers = peel(raw);
  const phone = PHONE.exec(layers.text)?.[0] ?? null;
  let state: string | null = null;
  if (phone !== null) {
    const after = /\s([a-z]{2})$/.exec(layers.text)?.[1] ?? '';
    if (US_STATES.has(after)) state = after;
    const rest = layers.text
      .replace(phone, ' ')
      .replace(state === null ? /$^/ : /\s[a-z]{2}$/, '')
      .replace(/\s+/g, ' ')
      .trim();
    if (/[a-z]{3}/.test(rest)) layers.text = rest;
  }
  const { readings: asWritten, url } = readingsOf(layers);
  const forecourt = forecourtSign(layers.text);
  const motorway = motorwaySide(layers.text);
  const readings = atSite(
    [...asWritten, ...misspeltReadings(layers, asWritten)],
    motorway !== null ? 'motorway' : forecourt !== null ? 'forecourt' : null,
  );
  const main = readings[0];
  const tokens = main?.tokens ?? [];
  const words = tokenise(layers.text);
  const { numbers } = splitNumbers(expand(words));
  const placeWords = main === undefined ? 0 : trailingPlace(tokens, main.cut);
  const legal = findLegalForm(words);
  const brand = asWritten.find((reading) => reading.brand !== null)?.brand ?? null;
  const parts: DescriptorParts = {
    aggregator: layers.aggregator,
    business: tokens.join(' '),
    storeNumber: numbers.length === 0 ? null : numbers.join(' '),
    place: placeWords === 0 ? null : tokens.slice(tokens.length - placeWords).join(' '),
    url,
    phone,
    state,
    legalForm: legal === null ? null : words.slice(legal.at, legal.at + legal.words).join(' '),
    brand: brand?.name ?? null,
    forecourt,
    motorway,
    truncated: layers.fieldCut,
    nameless: url === null && legal === null ? namelessKind(tokens, numbers) : null,
  };
  return { raw, normalised: normaliseMerchant(raw), parts, readings };
}

/** Words that carry no name by themselves, so that a number beside them is all there is. */
const CARRIERS: ReadonlySet<string> = new Set(
  'invoice inv ref reference order payment receipt bill card no nr number account acc'.split(' '),
);

/**
 * The key under which a decision about a merchant is remembered: folded, without punctuation and without store,
 * terminal and reference numbers, so that the branches of one shop share a decision; places stay, because two houses of
 * one hotel chain may be two suppliers. Deterministic, stable, never empty for a non-empty input.
 */
export function normaliseMerchant(raw: string): string {
  const folded = fold(raw);
  const tokens = expand(tokenise(folded));
  if (tokens.length === 0) return raw === '' ? '' : `raw:${folded === '' ? raw : folded}`;
  const { kept } = splitNumbers(tokens);
  const isCarried = kept.length === 0 || kept.every((token) => CARRIERS.has(token)) || compactOf(kept).length < 2;
  return (isCarried ? tokens : kept).join(' ');
}

/** Words of a tail that say where or how, not who: places, numbers, sale words, cut-off pieces. */
export function isPlacePart(token: string): boolean {
  return PLACE_PARTS.has(token) || isPlaceWord(token);
}
