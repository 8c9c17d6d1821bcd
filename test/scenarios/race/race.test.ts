// Promise 1 under a crowd: 64 callers at once, by webhook, trigger, backfill and replay, while the schedule of two workers
// fires every second and replies of the ledger get lost. What would surprise: one purchase that two runs both took for
// new, a caller who is told of an internal error, or a result that is reported to Brex twice.
// `node test/scenarios/race/run.ts --records 10000` does the same at length.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../support/database.js';
import { buildProduct, type Product } from '../support/product.js';
import { PATHS, race } from './race.js';

const RECORDS = 1_000;
const CALLERS = 64;
/** The gateway comes to rest, or says what keeps it, well before the test's own time is up and its processes are ended. */
const REST_WITHIN_MS = 420_000;
const WITHIN_MS = 600_000;

let product: Product;
beforeAll(async () => {
  product = await buildProduct();
}, WITHIN_MS);
afterAll(() => product.remove());

describe(`${CALLERS} callers by ${PATHS.length} ways on the same ${RECORDS} purchases`, () => {
  it(
    'leave one document, one posting and one result each, and nobody is told of an internal error',
    async () => {
      const database = await freshDatabase();
      try {
        const databaseUrl = database.connectionString;
        const options = { product, databaseUrl, records: RECORDS, callers: CALLERS, restWithinMs: REST_WITHIN_MS };
        const report = await race(options);
        expect(report.broken).toEqual([]);
        expect(report.documents).toBe(RECORDS);
        expect(Object.values(report.calls)).toEqual(PATHS.map(() => CALLERS));
        expect(report.scheduleFires).toBeGreaterThan(0);
        expect(report.repliesLost).toBeGreaterThan(0);
      } finally {
        await database.drop();
      }
    },
    WITHIN_MS,
  );
});
