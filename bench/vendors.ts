/**
 * Speed of vendor matching: one descriptor against 100,000 suppliers, many descriptors in bulk on one core, memory of
 * the index, and a comparison with a linear scan over a part of the suppliers. Names are invented from syllables with
 * a fixed seed, so that two runs measure the same work; one in eight is a hazard of real supplier masters: a near-twin, a
 * duplicate under an inactive code, a trading name, accents, generic words, a few letters. Needs a build (`dist/`); run with `node bench/vendors.ts`.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { distance } from 'fastest-levenshtein';
import type * as Vendor from '../src/domain/vendor/index.js';

export interface BenchRow {
  name: string;
  value: number;
  unit: string;
  /** What the figure should be, in words; empty if it is only reported. */
  goal: string;
}

function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const ONSETS = 'b br c ch cl d dr f fl g gr h j k l m n p pr r s sh sl st t th tr v w'.split(' ');
const VOWELS = 'a e i o u ai ea oo ou ie'.split(' ');
const CODAS = ['', '', 'n', 'r', 'l', 's', 't', 'ck', 'nd', 'rt', 'm', 'ng'];
const TRADES =
  'Engineering Plumbing Roofing Catering Bakers Solicitors Coaches Textiles Motors Printers Scaffolding Dental Blinds Signs Security Joinery Tyres Events Timber Florists Supplies Services Systems'.split(
    ' ',
  );
const FORMS = ['Ltd', 'Limited', 'PLC', 'LLP', '(UK) Ltd', 'Group Ltd', ''];
const PLACES = 'Birmingham Leeds Bristol London Cardiff Solihull Dudley Walsall York Derby'.split(' ');
const CHAINS = ['tesco stores', 'asda', 'boots', 'b and q', 'costa coffee', 'greggs', 'wilko', 'argos'];

class Names {
  private readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random() * items.length)] as Item;
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  word(): string {
    const syllables = this.chance(0.3) ? 3 : 2;
    let word = '';
    for (let i = 0; i < syllables; i += 1) word += this.pick(ONSETS) + this.pick(VOWELS) + this.pick(CODAS);
    return (word[0] ?? '').toUpperCase() + word.slice(1);
  }

  company(): string {
    const head = this.chance(0.25)
      ? `${this.word()} & ${this.word()}`
      : this.chance(0.15)
        ? `${this.word()} ${this.word()}`
        : this.word();
    const trade = this.chance(0.85) ? ` ${this.pick(TRADES)}` : '';
    return `${head}${trade} ${this.pick(FORMS)}`.trim();
  }

  /** A name as real supplier masters have them and clean lists do not. */
  hazard(earlier: readonly string[]): string {
    const other = earlier.length === 0 ? this.company() : this.pick(earlier);
    const kind = Math.floor(this.random() * 6);
    if (kind === 0) return this.misspell(other);
    if (kind === 1) return other.toUpperCase();
    if (kind === 2) return `${this.company()} t/a ${this.word()} ${this.pick(TRADES)}`;
    if (kind === 3) return `${this.word().replace('o', 'ö').replace('e', 'é')} ${this.pick(TRADES)} GmbH`;
    if (kind === 4)
      return `The ${this.pick(TRADES)} ${this.pick(['Store', 'Company', 'Shop', 'Centre'])} ${this.pick(FORMS)}`;
    return `${this.word().slice(0, 3).toUpperCase()} ${this.pick(FORMS)}`.trim();
  }

  /** A statement text: a known supplier written somehow, a chain with its store number, or a stranger. */
  descriptor(companies: readonly string[]): string {
    const kind = this.random();
    const known = this.pick(companies).toLowerCase();
    if (kind < 0.2) return known.replace('&', this.chance(0.5) ? 'and' : '').slice(0, 22);
    if (kind < 0.35) return `${known} ${this.pick(PLACES)}`.toLowerCase().slice(0, 25);
    if (kind < 0.45) return `paypal ${known.replace(/[^a-z]/g, '').slice(0, 11)}`;
    if (kind < 0.55)
      return `www.${known.replace(/ (?:ltd|limited|plc|llp).*$/, '').replace(/[^a-z]/g, '')}.co.uk`.slice(0, 22);
    if (kind < 0.65) return this.misspell(known);
    if (kind < 0.8) return `${this.pick(CHAINS)} ${1000 + Math.floor(this.random() * 8000)}`;
    return this.company().toLowerCase().slice(0, 22);
  }

  private misspell(text: string): string {
    const at = 1 + Math.floor(this.random() * Math.max(1, text.length - 2));
    return text.slice(0, at) + this.pick(VOWELS) + text.slice(at + 1);
  }
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapMegabytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1_048_576;
}

/** The naive way: every supplier's whole name by edit distance. */
function linearScan(raw: string, suppliers: readonly Vendor.SupplierEntry[]): string {
  let best = '';
  let bestShare = -1;
  for (const supplier of suppliers) {
    const name = supplier.name.toLowerCase();
    const share = 1 - distance(raw, name) / Math.max(raw.length, name.length);
    if (share > bestShare) {
      bestShare = share;
      best = supplier.code;
    }
  }
  return best;
}

function textOf({ decision, supplierCode, score, candidates }: Vendor.MatchDecision): string {
  return JSON.stringify([decision, supplierCode, score, candidates.map(({ supplier }) => supplier.code)]);
}

function answersOf(vendor: typeof Vendor, index: Vendor.SupplierIndex, texts: readonly string[]): Map<string, string> {
  return new Map(texts.map((text) => [text, textOf(vendor.matchVendor(text, index, []))]));
}

function batchAnswers(
  vendor: typeof Vendor,
  index: Vendor.SupplierIndex,
  texts: readonly string[],
): Map<string, string> {
  return new Map(vendor.matchVendors(texts, index).map((decision, i) => [texts[i] ?? '', textOf(decision)]));
}

const ROWS_PER_NAME = 8.5;

interface BulkSpeed {
  readonly byClock: number;
  readonly byCore: number;
}

/** Descriptors a second, the best of three runs, because a machine has other work too. */
function bulkSpeed(run: () => unknown, count: number): BulkSpeed {
  let byClock = 0;
  let byCore = 0;
  for (let round = 0; round < 3; round += 1) {
    const started = performance.now();
    const used = process.threadCpuUsage();
    run();
    const { user, system } = process.threadCpuUsage(used);
    byClock = Math.max(byClock, (count / (performance.now() - started)) * 1_000);
    byCore = Math.max(byCore, (count / (user + system)) * 1_000_000);
  }
  return { byClock, byCore };
}

/** Runs the whole measurement. @param suppliersCount 100,000 unless a shorter run is wanted. */
export async function benchVendors(suppliersCount = 100_000): Promise<BenchRow[]> {
  const vendor = (await import(new URL('../dist/domain/vendor/index.js', import.meta.url).href)) as typeof Vendor;
  const names = new Names(seededRandom(20_261_120));
  const companies: string[] = [];
  for (let i = 0; i < suppliersCount; i += 1) companies.push(i % 8 === 7 ? names.hazard(companies) : names.company());
  const suppliers = [
    ...companies,
    'Tesco Stores Limited',
    'Asda Stores Limited',
    'Boots UK Limited',
    'B&Q PLC',
    'Costa Limited',
    'Greggs PLC',
    'Wilko Retail Limited',
    'Argos Limited',
  ].map((name, i) => ({ code: `S${String(i).padStart(6, '0')}`, name, active: i % 37 !== 0 }));
  const texts = Array.from({ length: 20_000 }, () => names.descriptor(companies));
  const before = heapMegabytes();
  const buildStarted = performance.now();
  const index = vendor.SupplierIndex.build(suppliers);
  vendor.matchVendor('warm up', index, []);
  const buildMs = performance.now() - buildStarted;
  const indexMegabytes = heapMegabytes() - before;

  for (const text of texts.slice(0, 2_000)) vendor.matchVendor(text, index, []);
  const single: number[] = [];
  const singleOfCore: number[] = [];
  for (const text of texts.slice(2_000, 6_000)) {
    const used = process.threadCpuUsage();
    const started = performance.now();
    vendor.matchVendor(text, index, []);
    single.push(performance.now() - started);
    const { user, system } = process.threadCpuUsage(used);
    singleOfCore.push((user + system) / 1_000);
  }
  single.sort((a, b) => a - b);
  singleOfCore.sort((a, b) => a - b);

  const distinct = bulkSpeed(() => vendor.matchVendors(texts, index), texts.length);
  // Merchants come again: a year of a council's cards has 62,042 rows and 7,242 names.
  const rows = Array.from(
    { length: texts.length },
    (_, i) => texts[(i * 7_919) % Math.ceil(texts.length / ROWS_PER_NAME)] ?? '',
  );
  const repeated = bulkSpeed(() => vendor.matchVendors(rows, index), rows.length);

  const part = suppliers.slice(0, 5_000);
  const partIndex = vendor.SupplierIndex.build(part);
  const sample = texts.slice(0, 100);
  for (const text of sample) vendor.matchVendor(text, partIndex, []);
  const indexedStarted = performance.now();
  for (const text of sample) vendor.matchVendor(text, partIndex, []);
  const indexedMs = performance.now() - indexedStarted;
  const linearStarted = performance.now();
  for (const text of sample) linearScan(text, part);
  const linearMs = performance.now() - linearStarted;

  const some = texts.slice(0, 1_000);
  const batched = batchAnswers(vendor, index, some);
  const forward = answersOf(vendor, index, some);
  const backward = answersOf(vendor, index, [...some].reverse());
  const shuffled = vendor.SupplierIndex.build([...part].reverse());
  const partForward = answersOf(vendor, partIndex, some);
  const partShuffled = answersOf(vendor, shuffled, some);
  const differing = some.filter(
    (text) =>
      forward.get(text) !== backward.get(text) ||
      forward.get(text) !== batched.get(text) ||
      partForward.get(text) !== partShuffled.get(text),
  ).length;

  return [
    { name: 'suppliers', value: index.size, unit: '', goal: '' },
    { name: 'index build', value: buildMs, unit: 'ms', goal: '' },
    { name: 'index memory', value: indexMegabytes, unit: 'MB', goal: '' },
    {
      name: 'index memory for one supplier',
      value: (indexMegabytes * 1_048_576) / index.size,
      unit: 'bytes',
      goal: '',
    },
    { name: 'one descriptor p50', value: percentile(single, 0.5), unit: 'ms', goal: '' },
    { name: 'one descriptor p95', value: percentile(single, 0.95), unit: 'ms', goal: 'at most 5' },
    {
      name: 'one descriptor p95, time of one core',
      value: percentile(singleOfCore, 0.95),
      unit: 'ms',
      goal: 'at most 5',
    },
    { name: 'one descriptor p99', value: percentile(single, 0.99), unit: 'ms', goal: '' },
    { name: 'bulk, every name new, by the clock', value: distinct.byClock, unit: 'descriptors/s', goal: '' },
    {
      name: 'bulk, every name new, per second of one core',
      value: distinct.byCore,
      unit: 'descriptors/s',
      goal: 'at least 10,000',
    },
    { name: 'bulk, 8.5 rows a name, by the clock', value: repeated.byClock, unit: 'descriptors/s', goal: '' },
    {
      name: 'bulk, 8.5 rows a name, per second of one core',
      value: repeated.byCore,
      unit: 'descriptors/s',
      goal: 'at least 10,000',
    },
    { name: 'linear scan / index, 5,000 suppliers', value: linearMs / indexedMs, unit: 'times', goal: '' },
    { name: 'answers that depend on order or batch', value: differing, unit: 'of 1,000', goal: '0' },
  ];
}

if (import.meta.main) {
  for (const { name, value, unit, goal } of await benchVendors(Number(process.argv[2] ?? 100_000))) {
    const figure = value >= 100 ? Math.round(value).toLocaleString('en-GB') : value.toFixed(2);
    process.stdout.write(`${name.padEnd(40)}${figure.padStart(12)} ${unit}${goal === '' ? '' : ` (goal: ${goal})`}\n`);
  }
}
