// The whole program against simulated vendors: its database is put back to what it was before the last postings, while
// ledger and source keep what they have. What would surprise: a write to the ledger after the restore, a document that
// nobody knows, a purchase of which Brex is told another document, or money that the reconciliation cannot place.
// The copy of the database stands for pg_dump and pg_restore, which are not installed everywhere; run.ts uses those.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { freshDatabase } from '../../support/database.js';
import { PlainWorld } from '../support/plainWorld.js';
import { buildProduct, type Product } from '../support/product.js';
import { CASES, PURCHASES, proveRestore } from './prove.js';

/** Half a minute on a machine that does nothing else. */
const WITHIN_MS = 600_000;
const CLOSE_WITHIN_MS = 60_000;

let product: Product;
beforeAll(async () => {
  product = await buildProduct();
}, WITHIN_MS);
afterAll(() => product.remove());

describe('after a restore from a backup that is older than the last postings', () => {
  it.concurrent.for(CASES)(
    '$name: what the ledger holds is adopted, nothing is written, and Brex knows what it knew',
    { timeout: WITHIN_MS },
    async (one, { expect, onTestFinished }) => {
      const database = await freshDatabase();
      const { ledger, documents } = one;
      const databaseUrl = database.connectionString;
      const world = await PlainWorld.start({ product, databaseUrl, ledger, documents, purchases: PURCHASES });
      // Also when the time is up: a process that is left behind would work on after the test.
      onTestFinished(async () => {
        await world.close();
        await database.drop();
      }, CLOSE_WITHIN_MS);
      expect(await proveRestore(world, () => database.backUp(), one)).toEqual([]);
    },
  );
});
