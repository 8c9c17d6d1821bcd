// One document a day carries many purchases, so what happens to one of them must not touch the others. What would
// surprise: a purchase that vanishes when another one of its day changes, or amounts counted once for the whole day.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import { planReversal } from '../../../src/domain/reversal.js';
import { drainLedger } from '../../../src/services/drain.js';
import { watchTenant } from '../../../src/services/monitoring.js';
import { loadPipeline } from '../../../src/services/pipelines.js';
import { loadPlanningContext } from '../../../src/services/planningContext.js';
import { loadPosted, postingsOfRecords, storePlanned } from '../../../src/services/postingStore.js';
import {
  type Company,
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
  company = await makeCompany(engine, { grouping: 'DAILY' });
});
afterEach(() => engine.close());

const totals = async () => (await reconciled(engine, company)).totals;

describe('a day', () => {
  it('is one document; what comes later for it is another one', async () => {
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record, views('3', '-5.00').record);
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(1);
    expect(await totals()).toMatchObject([{ source: '25.00', posted: '25.00', difference: '0.00' }]);
    engine.source.put(views('4', '40.00').record);
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(2);
    expect(engine.ledger.balanceOf('6100')).toBe(6_500n);
    expect(await totals()).toMatchObject([{ source: '65.00', posted: '65.00', difference: '0.00' }]);
  });

  it('loses nobody when one of its purchases changes before it is sent', async () => {
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record);
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: false }));
    await sync(engine, company);
    expect(await totals()).toMatchObject([{ source: '30.00', held: '30.00', difference: '0.00' }]);
    engine.source.put(views('1', '15.00').record);
    await sync(engine, company);
    expect(await totals()).toMatchObject([{ source: '35.00', held: '35.00', difference: '0.00' }]);
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: true }));
    engine.source.put(views('1', '16.00').record, views('2', '21.00').record);
    await sync(engine, company);
    expect(engine.ledger.balanceOf('6100')).toBe(3_700n);
    expect(await totals()).toMatchObject([{ source: '37.00', posted: '37.00', difference: '0.00' }]);
  });

  it('goes out without the purchase that cannot be mapped', async () => {
    engine.source.put(
      views('1', '10.00').record,
      views('2', '20.00', { category: 'UNKNOWN' }).record,
      views('3', '30.00', { transactionDate: localDate('2026-11-10') }).record,
    );
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(2);
    expect(await totals()).toMatchObject([{ posted: '40.00', held: '20.00', difference: '0.00' }]);
  });

  it('of which one purchase changed after it was posted is turned round and made anew for all of them', async () => {
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '12.00').record);
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(3);
    expect(engine.ledger.balanceOf('6100')).toBe(3_200n);
    expect((await postings(engine)).map(({ status }) => status).sort()).toEqual(['POSTED', 'POSTED', 'REVERSED']);
    expect(await totals()).toMatchObject([{ source: '32.00', posted: '32.00', difference: '0.00' }]);
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(3);
  });

  it('of which two purchases changed in turn is turned round once a change, and the books show the last', async () => {
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record, views('3', '30.00').record);
    await sync(engine, company);
    for (const [id, amount] of [
      ['1', '11.00'],
      ['2', '22.00'],
      ['1', '12.00'],
    ] as const) {
      engine.source.put(views(id, amount).record);
      await sync(engine, company);
    }
    expect(engine.ledger.documents).toHaveLength(7);
    expect(engine.ledger.balanceOf('6100')).toBe(6_400n);
    expect(await totals()).toMatchObject([{ source: '64.00', posted: '64.00', difference: '0.00' }]);
  });

  it('is left alone when what changed does not change the books', async () => {
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '10.00', { memo: 'For the new office', version: 'again' }).record);
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(1);
    expect(await totals()).toMatchObject([{ source: '30.00', posted: '30.00', difference: '0.00' }]);
  });

  it('goes on without the purchase that was deleted after it was posted', async () => {
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '10.00', { isWithdrawn: true, version: 'gone' }).record);
    await sync(engine, company);
    expect(engine.ledger.balanceOf('6100')).toBe(2_000n);
    expect((await reconciled(engine, company)).totals).toMatchObject([{ posted: '20.00', difference: '0.00' }]);
  });

  it('that was held keeps its posting when it is planned again', async () => {
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record);
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: false }));
    await sync(engine, company);
    const [held] = await postings(engine);
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: true }));
    engine.source.put(views('1', '11.00').record);
    await sync(engine, company);
    const after = await postings(engine);
    expect(after.map(({ id, status }) => [id, status])).toEqual([[held?.id, 'POSTED']]);
  });

  it('is posted when it is over, without anybody asking', async () => {
    engine.clock.set(new Date('2026-11-09T15:00:00Z'));
    engine.source.put(views('1', '10.00').record);
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(0);
    expect(await totals()).toMatchObject([{ source: '10.00', inFlight: '10.00', difference: '0.00' }]);
    engine.source.put(views('2', '20.00').record);
    await sync(engine, company);
    await watchTenant(engine, 'default');
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(0);
    engine.clock.set(new Date('2026-11-10T12:00:00Z'));
    await watchTenant(engine, 'default');
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(1);
    expect(await totals()).toMatchObject([{ source: '30.00', posted: '30.00', difference: '0.00' }]);
  });

  it('of more purchases than are planned at once elsewhere is one document', async () => {
    engine.source.pageSize = 1_000;
    engine.source.put(...Array.from({ length: 620 }, (_, n) => views(String(n), '1.00').record));
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(1);
    expect(engine.ledger.balanceOf('6100')).toBe(62_000n);
    expect(await totals()).toMatchObject([{ source: '620.00', posted: '620.00', difference: '0.00' }]);
  });

  it('that is reversed takes back of each purchase what it booked of that one', async () => {
    engine.source.put(
      views('1', '10.00').record,
      views('2', '20.00', { transactionDate: localDate('2026-11-09') }).record,
    );
    await sync(engine, company);
    const [original] = await postings(engine);
    await engine.db.tenant('default', async (tx) => {
      const pipeline = await loadPipeline(tx, company.pipelineId);
      if (!pipeline || !original) throw new Error('Nothing was posted.');
      const { connection } = await engine.connections.ledger('default', company.ledgerId);
      const context = await loadPlanningContext(tx, engine.clock.now(), pipeline, await connection.rules());
      const document = planReversal(
        context.on(localDate('2026-11-09')),
        await loadPosted(tx, original.id),
        'wrong books',
      );
      const heads = [
        ...(
          await postingsOfRecords(
            tx,
            pipeline.id,
            document.spend.map(({ id }) => id),
          )
        ).values(),
      ].flat();
      const reverses = heads[0] ?? null;
      const planned = { document, status: 'READY' as const, reverses, afterReference: null, correlationId: 'corr' };
      const stored = { ...planned, amounts: new Map<string, string>(), accountingHashes: new Map<string, string>() };
      await storePlanned(engine, company.caller, tx, pipeline, [stored], null);
    });
    await drainLedger(engine, 'default', company.ledgerId, { isStopping: () => false });
    expect(engine.ledger.balanceOf('6100')).toBe(0n);
    const booked = await engine.rows<{ amount: string }>('select amount from posting_spend order by amount');
    expect(booked.map(({ amount }) => amount)).toEqual(['-20.00', '-10.00', '10.00', '20.00']);
    expect(await totals()).toMatchObject([{ source: '30.00', posted: '0.00', excluded: '30.00', difference: '0.00' }]);
  });
});
