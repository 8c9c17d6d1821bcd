// Promise 1 and 2 under kill -9: workers die at random moments while the ledger loses replies, and afterwards the ledger
// holds one document per posting and the reconciliation is zero. What would surprise: anything that the program remembers
// only in its memory. `node test/scenarios/crash/run.ts --kills 200` does the same at length.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '../../support/database.js';
import { buildProduct, type Product } from '../support/product.js';
import { runCrashTest } from './crash.js';
import { tableOf } from './report.js';

const SEED = 7;
const KILLS = 12;
const WITHIN_MS = 300_000;

let product: Product;
let database: FreshDatabase;
beforeAll(async () => {
  product = await buildProduct();
  database = await freshDatabase();
}, WITHIN_MS);
afterAll(async () => {
  await database.drop();
  product.remove();
});

it(
  `${KILLS} workers killed while replies get lost leave one document per posting and a difference of 0.00 (seed ${SEED})`,
  async () => {
    const options = { kills: KILLS, seed: SEED, purchases: 250, longPauses: 0 };
    const report = await runCrashTest({ ...options, product, databaseUrl: database.connectionString });
    expect(report.verdict.broken, tableOf(report)).toEqual([]);
    expect(report.verdict.duplicates).toBe(0);
    expect(report.counts.kills).toBe(KILLS);
    expect(report.verdict.documents).toBeGreaterThan(150);
  },
  WITHIN_MS,
);
