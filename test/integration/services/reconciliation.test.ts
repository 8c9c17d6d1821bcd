// Promise 2: every cent of a window is somewhere, or the report says which is not. What would surprise: a difference
// that is hidden, a bucket that is counted twice, or a report whose cost grows by a statement a record.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import { moneyFromDecimal } from '../../../src/domain/money.js';
import { UpstreamUnavailableError } from '../../../src/errors.js';
import { reconcile } from '../../../src/services/reconciliation.js';
import { triggerSync } from '../../../src/services/syncs.js';
import {
  type Company,
  done,
  makeCompany,
  makeTestEngine,
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

const zero = { posted: '0.00', held: '0.00', excluded: '0.00', rejected: '0.00', inFlight: '0.00', unknown: '0.00' };

describe('a reconciliation', () => {
  it('puts each record’s money where it is, exactly', async () => {
    const september = { transactionDate: localDate('2026-09-30') };
    engine.source.put(
      views('posted', '100.10').record,
      views('refund', '-30.05').record,
      views('held', '7.00', { category: 'UNKNOWN' }).record,
      views('waiting', '11.00').card,
      views('outside', '500.00', september).record,
      { ...views('moved', '40.00').record, kind: 'NOT_SPEND', notSpendReason: 'A card payment.' },
      { ...views('void', '3.00').record, isWithdrawn: true },
    );
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: true }));
    await sync(engine, company);
    const report = await reconciled(engine, company);
    expect(report).toMatchObject({ complete: true, unknowns: [] });
    expect(report.totals).toEqual([
      {
        ...zero,
        currency: 'USD',
        source: '131.05',
        posted: '70.05',
        held: '7.00',
        inFlight: '11.00',
        excluded: '43.00',
        difference: '0.00',
        recordCount: 6,
      },
    ]);
  });

  it('shows what waits for approval as held', async () => {
    await engine.rows('update pipelines set require_approval = true');
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    expect((await reconciled(engine, company)).totals).toMatchObject([{ held: '100.00', difference: '0.00' }]);
  });

  it('has a total for each currency, in that currency’s own decimals', async () => {
    engine.source.put(
      views('1', '100.00').record,
      views('2', '0.00', { amount: moneyFromDecimal('1030', 'JPY') }).record,
      views('3', '0.00', { amount: moneyFromDecimal('1.234', 'KWD') }).record,
    );
    await sync(engine, company);
    const { totals } = await reconciled(engine, company);
    expect(totals.map(({ currency, source, difference }) => [currency, source, difference])).toEqual([
      ['JPY', '1030', '0'],
      ['KWD', '1.234', '0.000'],
      ['USD', '100.00', '0.00'],
    ]);
  });

  it('keeps a purchase whose parts are in two currencies in both totals', async () => {
    engine.source.put(views('1', '100.00').record, {
      ...views('2', '0.00', { amount: moneyFromDecimal('50.00', 'EUR') }).record,
      keys: ['record:record_2', 'expense:expense_1'],
    });
    await sync(engine, company);
    const { totals } = await reconciled(engine, company);
    expect(totals.map(({ currency, source, difference }) => [currency, source, difference])).toEqual([
      ['EUR', '50.00', '0.00'],
      ['USD', '100.00', '0.00'],
    ]);
  });

  it.each([
    ['what a document carries was deleted', 'delete from posting_spend', '100.00'],
    ['a document was made to carry less', 'update posting_spend set amount = 99.99', '0.01'],
    [
      'the stored record was changed with it',
      'update spend_records set amount = 5; update posting_spend set amount = 5',
      '95.00',
    ],
    ['the source’s object was deleted', 'delete from source_objects', '-100.00'],
  ])('shows a difference when %s by hand', async (_what, statements, difference) => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    expect((await reconciled(engine, company)).totals[0]?.difference).toBe('0.00');
    for (const statement of statements.split(';')) await engine.rows(statement);
    expect((await reconciled(engine, company)).totals[0]?.difference).toBe(difference);
  });

  it('counts what was read and could not be planned yet as in flight', async () => {
    engine.source.put(views('1', '100.00').record);
    engine.ledger.outage = new UpstreamUnavailableError('The ledger is down.');
    await sync(engine, company);
    expect((await reconciled(engine, company)).totals).toMatchObject([{ inFlight: '100.00', difference: '0.00' }]);
  });

  it('says which stream could not be read, until it was', async () => {
    await sync(engine, company);
    engine.clock.advance(60_000);
    engine.source.failures.push({ on: 'EXPENSES', error: new UpstreamUnavailableError('The source is down.') });
    await sync(engine, company);
    const report = await reconciled(engine, company);
    expect(report.complete).toBe(false);
    expect(report.unknowns).toEqual([expect.stringContaining('EXPENSES of "Cards to books" could not be read')]);
    engine.clock.advance(60_000);
    await sync(engine, company);
    expect(await reconciled(engine, company)).toMatchObject({ complete: true, unknowns: [] });
  });

  it('knows no pipeline that is not there, and an empty window is empty', async () => {
    const window = { from: localDate('2026-11-01'), to: localDate('2026-11-30') };
    expect(await reconcile(engine, 'default', { pipelineId: 'pipe_none', ...window })).toBeNull();
    expect((await reconciled(engine, company)).totals).toEqual([]);
  });

  it('of another pipeline of the same source leaves alone what the first one posted', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    await engine.rows(
      `insert into pipelines select tenant_id, 'pipe_second', 'Second', source_id, ledger_id, streams, document_type, grouping,
         schedule, time_zone, enabled, offset_account, default_account, unmatched_vendor, posting_date, closed_period, coding,
         correction, require_approval, export_master_data, created_at from pipelines`,
    );
    const second = await reconciled(engine, { ...company, pipelineId: 'pipe_second' });
    expect(second.totals).toMatchObject([{ source: '100.00', excluded: '100.00', difference: '0.00' }]);
  });

  it('costs the same few statements for thousands of records', async () => {
    engine.source.pageSize = 1_000;
    engine.source.put(...Array.from({ length: 4_500 }, (_, n) => views(String(n), '1.01').card));
    done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }));
    await engine.runJobs();
    const before = engine.db.statements.count;
    const report = await reconciled(engine, company);
    expect(engine.db.statements.count - before).toBeLessThan(20);
    expect(report.totals).toMatchObject([
      { source: '4545.00', inFlight: '4545.00', difference: '0.00', recordCount: 4_500 },
    ]);
  });
});
