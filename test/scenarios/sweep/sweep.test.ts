// Promise 1 at every step: a worker dies at an await that a posting passes on its way to a ledger, and the next one leaves one
// document, balanced and settled, and nothing else touched. What would surprise: a step whose half is remembered nowhere. This
// is a fixed slice of all boundaries; `node test/scenarios/sweep/run.ts` goes them all.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from '../../support/database.js';
import { buildProduct, type Product } from '../support/product.js';
import { pairsOf } from './ledgers.js';
import { tableOf } from './report.js';
import { sweep } from './sweep.js';
import { type SweptProduct, sweptFrom } from './sweptProduct.js';

const SEED = 3;
const WITHIN_MS = 300_000;
/** Where a document is begun, sent and settled, which is the heart of the path; the slices are about two deaths each. */
const HEART = /^(connectors\/(syspro|sage-x3|infor-m3|epicor-kinetic)|services\/(drain|settler?))\b/;
const RUNS = [
  { name: 'syspro', documents: 'invoice', slice: { index: 7, of: 16 } },
  { name: 'sage-x3', documents: 'journal', slice: { index: 5, of: 16 } },
  { name: 'infor-m3', documents: 'invoice', slice: { index: 5, of: 16 } },
  { name: 'epicor-kinetic', documents: 'journal', slice: { index: 20, of: 32 } },
] as const;

let product: Product;
let swept: SweptProduct;
beforeAll(async () => {
  product = await buildProduct();
  swept = await sweptFrom(product);
}, WITHIN_MS);
afterAll(() => product.remove());

describe('a worker that dies between two steps of a posting leaves one document, settled, and nothing else touched', () => {
  // Side by side, because each of them mostly waits for a dead worker to be noticed.
  it.concurrent.each(RUNS)(
    '$name, $documents',
    async ({ name, documents, slice }) => {
      const [pair] = pairsOf(name, documents);
      if (!pair) throw new Error('pairsOf answers with one at least');
      const databases: FreshDatabase[] = [];
      const newDatabase = async () => {
        const database = await freshDatabase();
        databases.push(database);
        return database.connectionString;
      };
      try {
        const options = { ...pair, swept, newDatabase, seed: SEED, slice, lanes: 1, isDistinct: true, only: HEART };
        const report = await sweep(options);
        expect(report.broken, tableOf([report])).toEqual([]);
        expect(report.notReached, tableOf([report])).toEqual([]);
        expect(report.duplicates).toBe(0);
        expect(report.deaths).toBeGreaterThan(0);
        // The path is long; a recording that shows only its beginning would prove nothing.
        expect(report.boundaries).toBeGreaterThan(120);
      } finally {
        for (const database of databases) await database.drop();
      }
    },
    WITHIN_MS,
  );
});
