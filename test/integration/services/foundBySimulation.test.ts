// Histories that the seeded simulation drew and that broke a promise, each told here by itself as short as it goes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reversePosting } from '../../../src/services/postings.js';
import {
  type Company,
  callerOf,
  makeCompany,
  makeTestEngine,
  postings,
  reconciled,
  sync,
  type TestEngine,
} from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
  company = await makeCompany(engine);
});
afterEach(() => engine.close());

async function differences(): Promise<string[]> {
  return (await reconciled(engine, company)).totals.map((total) => total.difference);
}

describe('the reversal of a corrected purchase', () => {
  // Reversing it put the old amount back beside the new one: the purchase was in the books twice.
  it('cannot be reversed, because its replacement is in the books', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '120.00').record);
    await sync(engine, company);
    const reversal = (await postings(engine)).find(({ reverses_id }) => reverses_id !== null);
    if (!reversal) throw new Error('The correction made no reversal.');
    const outcome = await reversePosting(engine, callerOf(), reversal.id, 'Wrong company.');
    expect(outcome).toMatchObject({ ok: false, problems: [{ code: 'NOT_REVERSIBLE' }] });
    await engine.runJobs();
    expect(engine.ledger.balanceOf('6100')).toBe(12_000n);
    expect(await differences()).toEqual(['0.00']);
  });
});
