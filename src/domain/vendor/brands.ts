/**
 * What everybody in British business knows: which legal or trading names stand behind the names that shops, portals
 * and public bodies show on a card statement, and how terminals shorten them. A line reads
 * `kind: spellings on statements = names in a supplier master`; the first spelling is the brand's name, every
 * spelling is also tried as a supplier name.
 *
 * Kinds: `chain` sells under its name anywhere, whatever follows on the statement. `fuel` is a petrol brand, right
 * only at the beginning. `operator` runs motorway services or petrol stations. `body` is a public body or an
 * association. `hotel` runs hotels itself but also lends its name to others: the bare name is the chain, with a place it
 * is that house. `property` marks hotels of which each is its own business: the place belongs to the name;
 * `houses` is short for a line of such names.
 *
 * The list also works in the negative: a statement that names a known brand belongs to no other company that merely
 * shares a word with it (a supermarket and a sea-food firm of the same name).
 */
import { BRAND_LINES_BODIES } from './brandsBodies.js';
import { BRAND_LINES_CHAINS } from './brandsChains.js';
import { withoutFillers, withoutLegalForm } from './nameForms.js';
import { compactOf, fold, tokenise } from './text.js';
import { isEveryday } from './words.js';

export type BrandKind = 'chain' | 'fuel' | 'operator' | 'body' | 'hotel' | 'property';

export interface Brand {
  readonly name: string;
  readonly kind: BrandKind;
  /** Words as they appear on statements. */
  readonly spellings: readonly (readonly string[])[];
  /** Bare run-together supplier names that are this brand. */
  readonly supplierNames: readonly string[];
}

function readLine(line: string): Brand {
  const [kind, rest] = splitOnce(line, ':');
  const [spellingText, nameText] = splitOnce(rest, '=');
  const spellings = spellingText.split(';').map((spelling) => tokenise(fold(spelling)));
  const names = nameText === '' ? [] : nameText.split(';').map((name) => tokenise(fold(name)));
  const first = spellings[0] ?? [];
  return {
    name: first.join(' '),
    kind: kind as BrandKind,
    spellings,
    supplierNames: [...new Set([...names, ...spellings].flatMap(supplierNamesOf))],
  };
}

/** As written and without fillers, unless nothing but everyday words would be left of the name. */
function supplierNamesOf(words: readonly string[]): string[] {
  const name = withoutLegalForm(words);
  const bare = withoutFillers(name);
  const isTelling = bare.length === name.length || bare.some((word) => !isEveryday(word));
  return isTelling ? [compactOf(name), compactOf(bare)] : [compactOf(name)];
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function linesOf(block: string): string[] {
  return block
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** A line of `houses` names many hotel brands, each of the kind `property`. */
function brandsOfLine(line: string): Brand[] {
  if (!line.startsWith('houses:')) return [readLine(line)];
  const brand: Brand = { ...readLine(line), kind: 'property' };
  return brand.spellings.map((spelling) => ({
    ...brand,
    name: spelling.join(' '),
    spellings: [spelling],
    supplierNames: [compactOf(spelling)],
  }));
}

export const BRANDS: readonly Brand[] = [...linesOf(BRAND_LINES_CHAINS), ...linesOf(BRAND_LINES_BODIES)].flatMap(
  brandsOfLine,
);

const bySupplierName = new Map<string, Brand[]>();
const bySpelling = new Map<string, Brand>();
/** Every beginning of a spelling: a text whose first word is none of them names no brand. */
const beginnings = new Set<string>();
for (const brand of BRANDS) {
  for (const name of brand.supplierNames) bySupplierName.set(name, [...(bySupplierName.get(name) ?? []), brand]);
  for (const spelling of brand.spellings) {
    const key = compactOf(spelling);
    if (!bySpelling.has(key)) bySpelling.set(key, brand);
    for (let length = 1; length <= key.length; length += 1) beginnings.add(key.slice(0, length));
  }
}

/** The brands whose supplier a name is, by its run-together form. */
export function brandsOfSupplier(bare: string): readonly Brand[] {
  return bySupplierName.get(bare) ?? [];
}

/** The brand that a run-together spelling names, if it is one exactly. */
export function brandOfSpelling(compact: string): Brand | null {
  return bySpelling.get(compact) ?? null;
}

/** Two or three letters are a brand only when split as the brand splits them: `b t p` is not BT. */
function hasSpelling(brand: Brand, tokens: readonly string[], words: number): boolean {
  return brand.spellings.some(
    (spelling) => spelling.length === words && spelling.every((word, i) => word === tokens[i]),
  );
}

/** The longest known brand that the words begin with, and how many words it takes. */
export function leadingBrand(tokens: readonly string[]): { brand: Brand; words: number } | null {
  let joined = '';
  let found: { brand: Brand; words: number } | null = null;
  for (let i = 0; i < tokens.length && i < 6; i += 1) {
    joined += tokens[i] ?? '';
    if (!beginnings.has(joined)) break;
    const brand = bySpelling.get(joined);
    if (brand !== undefined && (joined.length > 3 || hasSpelling(brand, tokens, i + 1)))
      found = { brand, words: i + 1 };
  }
  return found;
}

/** Words of brands that have several: together with the others a slip in one of them can be seen. */
export const BRAND_WORDS: readonly string[] = [
  ...new Set(BRANDS.flatMap(({ spellings }) => spellings.flatMap((words) => (words.length > 1 ? words : [])))),
].filter((word) => word.length >= 5);
