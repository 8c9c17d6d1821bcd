// All promises together, on histories that nobody thought of: each seed is one, over every source and every ledger. They
// are short here, so that there can be a hundred of them; `npm run simulate -- --seeds 100000` plays whole ones.
// What would surprise: any broken promise (the seed that is shown plays it again), a kind of disturbance that never came
// about and so proves nothing, or a seed that gives another history the second time.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildProduct, type Product } from '../support/product.js';
import { LEDGER_KINDS } from './ledgers.js';
import { type Counts, failureOf, type Totals } from './report.js';
import { runSeeds } from './runner.js';
import { SOURCE_KINDS } from './source.js';

const FIRST = 11;
const SEEDS = 100;
/** Some deeds need a rare state of things, which a hundred short histories may not come to. */
const DEEDS_MISSED_MOST = 8;
const STEPS = 8;
const REPLAYED_STEPS = 20;
const PROCESSES = 2;
const WITHIN_MS = 900_000;

const MISHAPS = [
  ...['CUT', 'CUT_AT_COMMIT', 'COMMIT_UNHEARD', 'DIES_AT_STATEMENT', 'DIES_BEFORE_CALL', 'DIES_AFTER_CALL'],
  ...['PAUSES_BEFORE_TRANSACTION', 'PAUSES_AFTER_CALL'],
];
const FAULTS = [
  ...['LOSE_REPLY_BEFORE_COMMIT', 'LOSE_REPLY_AFTER_COMMIT', 'COMMIT_LATE', 'RATE_LIMIT', 'EXPIRE_SESSION', 'HTML'],
  ...['HTML_AFTER_COMMIT', 'SERVER_ERROR', 'EMPTY', 'AWAY'],
  ...['source LOSE_REPLY_BEFORE_COMMIT', 'source LOSE_REPLY_AFTER_COMMIT', 'source COMMIT_LATE', 'source LOST_AFTER'],
];
const DEEDS = [
  ...['foreign purchase', 'billed in another currency', 'tax stated', 'amount changed', 'coded anew', 'split'],
  ...['merchant changed', 'refund', 'refund larger than its purchase', 'withdrawn', 'put back'],
  ...['webhook', 'webhook repeated', 'webhook overtaken', 'webhook secret changed'],
  ...['process killed', 'clock skewed', 'paused past its lease', 'taken over while paused'],
  ...['ledger credential entered', 'wrong ledger credential entered', 'source credential changed'],
  ...['source credential entered', 'master key rotated', 'master key rotation interrupted'],
  ...['period opened', 'period closed', 'account blocked', 'supplier blocked', 'sessions ended', 'ledger away'],
  'ledger changed while in use',
  ...['master data read', 'mapping changed', 'policy changed', 'vendor decided', 'sync stopped'],
  ...['approved', 'excluded by a person', 'included again', 'cancelled', 'reversed by hand', 'replayed'],
  'replayed in bulk',
];

let product: Product;
beforeAll(async () => {
  product = await buildProduct();
}, WITHIN_MS);
afterAll(() => product.remove());

function play(first: number, count: number, processes: number, steps: number | undefined): Promise<Totals> {
  return runSeeds({
    ...{ processes, shape: { steps }, productFolder: product.folder },
    seeds: Array.from({ length: count }, (_, index) => first + index),
    onReport(report) {
      if (report.broken.length > 0) process.stdout.write(`${failureOf(report, steps)}\n`);
    },
  });
}

function missing(counts: Counts, kinds: readonly string[]): string[] {
  return kinds.filter((kind) => !counts[kind]);
}

it(
  `${SEEDS} histories keep every promise, and every kind of disturbance comes about in them`,
  async () => {
    const totals = await play(FIRST, SEEDS, PROCESSES, STEPS);
    process.stdout.write(`${totals.table()}\n`);
    expect(totals.failed, totals.table()).toEqual([]);
    expect(totals.seeds).toBe(SEEDS);
    expect(totals.disturbed / totals.calls).toBeGreaterThan(0.1);
    expect(missing(totals.faults, FAULTS)).toEqual([]);
    expect(missing(totals.mishaps, MISHAPS)).toEqual([]);
    const missed = missing(totals.did, DEEDS);
    expect(missed.length, missed.join(', ')).toBeLessThanOrEqual(DEEDS_MISSED_MOST);
    expect(missing(totals.ledgers, LEDGER_KINDS)).toEqual([]);
    expect(missing(totals.sources, SOURCE_KINDS)).toEqual([]);
  },
  WITHIN_MS,
);

it(
  'the same seeds give the same histories, whichever process plays them and whatever it played before',
  async () => {
    const seeds = 4;
    const alone = await play(1, seeds, 1, REPLAYED_STEPS);
    const sideBySide = await play(1, seeds, 2, REPLAYED_STEPS);
    expect(sideBySide.history).toBe(alone.history);
    const others = await play(2, seeds, 2, REPLAYED_STEPS);
    expect(others.history).not.toBe(alone.history);
  },
  WITHIN_MS,
);
