// Some sources take one result for several objects: an expense report and its expenses. What would surprise: a report
// marked as exported while one of its expenses is held, or one that is never marked because its last expense was
// excluded and not posted.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SourceObject } from '../../../src/domain/spend.js';
import { excludeSpendRecord } from '../../../src/services/spendRecords.js';
import { type Company, makeCompany, makeTestEngine, sync, type TestEngine } from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
  company = await makeCompany(engine, { grouping: 'DAILY' });
});
afterEach(() => engine.close());

const expense = (id: string, amount: string, over: Partial<SourceObject> = {}) =>
  views(id, amount, { exportId: 'R00report', ...over }).record;
const reported = () => engine.source.reports.map(({ externalId, outcome }) => [externalId, outcome.kind]);

describe('a report of several expenses', () => {
  it('is reported once, when the last of them is in the ledger', async () => {
    engine.source.put(expense('1', '10.00'), expense('2', '20.00', { category: 'UNKNOWN' }));
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(1);
    expect(reported()).toEqual([]);
    engine.source.put(expense('2', '20.00'));
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(2);
    expect(reported()).toEqual([['R00report', 'SUCCESS']]);
  });

  it('is reported when the last of them is excluded by a person, without a word about the excluded one', async () => {
    engine.source.put(expense('1', '10.00'), expense('2', '20.00', { category: 'UNKNOWN' }));
    await sync(engine, company);
    const [held] = await engine.rows<{ id: string }>(`select id from spend_records where status = 'HELD'`);
    await excludeSpendRecord(engine, company.caller, held?.id ?? '', 'Private');
    await engine.runJobs();
    expect(reported()).toEqual([['R00report', 'SUCCESS']]);
  });

  it('is reported when the last of them is withdrawn at the source', async () => {
    engine.source.put(expense('1', '10.00'), expense('2', '20.00', { category: 'UNKNOWN' }));
    await sync(engine, company);
    engine.source.put(expense('2', '20.00', { category: 'UNKNOWN', isWithdrawn: true }));
    await sync(engine, company);
    expect(reported()).toEqual([['R00report', 'SUCCESS']]);
  });

  it('is not reported when nothing of it was posted', async () => {
    engine.source.put(expense('1', '10.00', { category: 'UNKNOWN' }));
    await sync(engine, company);
    const [held] = await engine.rows<{ id: string }>(`select id from spend_records where status = 'HELD'`);
    await excludeSpendRecord(engine, company.caller, held?.id ?? '', 'Private');
    await engine.runJobs();
    expect(reported()).toEqual([]);
  });

  it('is apart from other reports and from objects that stand for themselves', async () => {
    engine.source.put(
      expense('1', '10.00'),
      expense('2', '20.00', { exportId: 'R00other', category: 'UNKNOWN' }),
      views('3', '30.00').record,
    );
    await sync(engine, company);
    expect(reported().sort()).toEqual([
      ['R00report', 'SUCCESS'],
      ['record_3', 'SUCCESS'],
    ]);
  });
});
