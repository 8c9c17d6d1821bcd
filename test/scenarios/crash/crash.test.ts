// Promise 1 and 2 under kill -9: workers die at random moments while the ledger loses replies, and afterwards the ledger
// holds one document per posting and the reconciliation is zero. What would surprise: anything that the program remembers
// only in its memory. `npm run crash -- --ledger infor-m3 --documents invoice --kills 200` does the same at length.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../support/database.js';
import { buildProduct, type Product } from '../support/product.js';
import { runCrashTest } from './crash.js';
import type { Documents } from './ledger.js';
import { ledgerNamed } from './ledgers/index.js';
import { tableOf } from './report.js';

const SEED = 7;
const KILLS = 6;
const PURCHASES = 40;
/** A run that is stuck says where before the runner ends it without a word. */
const PATIENCE_MS = 150_000;
const WITHIN_MS = 480_000;
/** Of 40 purchases and those that come meanwhile some are held, each for a reason that the month has on purpose. */
const DOCUMENTS_LEAST = 30;

const RUNS: readonly { name: string; documents: Documents }[] = [
  { name: 'syspro', documents: 'journal' },
  { name: 'sage-x3', documents: 'journal' },
  { name: 'infor-m3', documents: 'invoice' },
  { name: 'epicor-kinetic', documents: 'journal' },
];

let product: Product;
beforeAll(async () => {
  product = await buildProduct();
}, WITHIN_MS);
afterAll(() => product.remove());

describe(`${KILLS} workers killed while replies get lost leave one document per posting and a difference of 0.00`, () => {
  // Side by side, because each of them mostly waits: for a worker to start, and for a dead one to be noticed.
  it.concurrent.each(RUNS)(
    `$name, $documents (seed ${SEED})`,
    async ({ name, documents }) => {
      const database = await freshDatabase();
      try {
        const ledger = ledgerNamed(name);
        const report = await runCrashTest({
          ...{ ledger, documents, product, databaseUrl: database.connectionString },
          ...{ kills: KILLS, seed: SEED, purchases: PURCHASES, longPauses: 0, patienceMs: PATIENCE_MS },
        });
        expect(report.verdict.broken, tableOf(report)).toEqual([]);
        expect(report.verdict.duplicates).toBe(0);
        expect(report.counts.kills).toBe(KILLS);
        expect(report.verdict.documents).toBeGreaterThan(DOCUMENTS_LEAST);
      } finally {
        await database.drop();
      }
    },
    WITHIN_MS,
  );
});
