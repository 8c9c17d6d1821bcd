// All promises together, on histories that nobody thought of: each seed is one, and they run on every one of the ledgers.
// What would surprise: any broken promise; the seed that is shown plays it again with `npm run simulate -- --seed <seed>`.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '../../support/database.js';
import { type Ground, layGround } from './ground.js';
import { LEDGER_KINDS } from './ledgers.js';
import { failureOf } from './report.js';
import { simulate } from './simulate.js';

const FIRST_SEED = 1;
const SEEDS_A_LEDGER = 5;
const WITHIN_MS = 300_000;

let database: FreshDatabase;
let ground: Ground;
beforeAll(async () => {
  database = await freshDatabase();
  ground = await layGround(database.connectionString);
});
afterAll(async () => {
  await ground.close();
  await database.drop();
});

it.each(LEDGER_KINDS)(
  `${SEEDS_A_LEDGER} histories from ${FIRST_SEED} on keep every promise with %s`,
  async (ledger) => {
    let disturbed = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS_A_LEDGER; seed += 1) {
      const report = await simulate(ground, { seed, ledger });
      expect(report.broken, failureOf(report)).toEqual([]);
      disturbed += report.disturbed;
    }
    // A dial that stands at nothing would pass everything.
    expect(disturbed).toBeGreaterThan(20);
  },
  WITHIN_MS,
);

it(
  'a seed gives the same history again, also when its ledger is named',
  async () => {
    const first = await simulate(ground, { seed: 7 });
    const second = await simulate(ground, { seed: 7, ledger: first.ledger });
    expect(second.story).toEqual(first.story);
    expect(second.faults).toEqual(first.faults);
  },
  WITHIN_MS,
);
