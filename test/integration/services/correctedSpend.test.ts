// What the source says changes: after posting, while posting, in other streams, on repeated pages. What would surprise:
// books that differ from the source, a second posting for one purchase, or a page that changes something when read again.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SourceObject } from '../../../src/domain/spend.js';
import { approvePosting } from '../../../src/services/postings.js';
import { runSync } from '../../../src/services/syncRunner.js';
import { triggerSync } from '../../../src/services/syncs.js';
import {
  type Company,
  done,
  Gate,
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

const differences = async () => (await reconciled(engine, company)).totals.map((total) => total.difference);

describe('a purchase that the source changes', () => {
  it('after it was posted is reversed first and then replaced, and the books equal the source', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '120.00').record);
    await sync(engine, company);
    const [original, ...others] = await postings(engine);
    expect(original?.status).toBe('REVERSED');
    const reversal = others.find((posting) => posting.reverses_id !== null);
    expect(reversal).toMatchObject({ status: 'POSTED', reverses_id: original?.id });
    const replacement = others.find((posting) => posting.reverses_id === null);
    expect(replacement?.status).toBe('POSTED');
    expect(engine.ledger.documents.map((document) => document.reference)).toEqual([
      original?.reference,
      reversal?.reference,
      replacement?.reference,
    ]);
    expect(engine.ledger.balanceOf('6100')).toBe(12_000n);
    expect(engine.ledger.balanceOf('2110')).toBe(-12_000n);
    expect(await differences()).toEqual(['0.00']);
    const report = await reconciled(engine, company);
    expect(report.totals[0]).toMatchObject({ source: '120.00', posted: '120.00' });
  });

  it('stays booked as it was while the source is not done with the change, and is corrected when it is', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put({ ...views('1', '120.00').record, isFinal: false });
    await sync(engine, company);
    expect((await postings(engine)).map(({ status }) => status)).toEqual(['POSTED']);
    expect(engine.ledger.balanceOf('6100')).toBe(10_000n);
    expect(await engine.rows('select waiting_reason is not null as is_told from spend_records')).toEqual([
      { is_told: true },
    ]);

    engine.source.put(views('1', '120.00').record);
    await sync(engine, company);
    expect(engine.ledger.balanceOf('6100')).toBe(12_000n);
    expect(await differences()).toEqual(['0.00']);
  });

  it('again and again is in the books as it is now, once', async () => {
    for (const amount of ['100.00', '120.00', '80.00', '100.00', '100.00']) {
      engine.source.put(views('1', amount).record);
      await sync(engine, company);
      expect(await differences()).toEqual(['0.00']);
    }
    expect(engine.ledger.balanceOf('6100')).toBe(10_000n);
    const all = await postings(engine);
    expect(all.map((posting) => engine.ledger.countOf(posting.reference))).toEqual(all.map(() => 1));
  });

  it('is corrected once although the replies to reversal and replacement were lost', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '120.00').record);
    engine.ledger.faults.push({ kind: 'LOST_AFTER_COMMIT' }, { kind: 'LOST_BEFORE_COMMIT' });
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(3);
    expect(engine.ledger.balanceOf('6100')).toBe(12_000n);
    expect(await differences()).toEqual(['0.00']);
  });

  it('while its document is at the ledger is planned when that is settled', async () => {
    engine.source.put(views('1', '100.00').record);
    done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }));
    const other = await engine.another();
    const arrived = new Gate();
    engine.ledger.onSubmit = async (_document, moment) => {
      if (moment !== 'ARRIVED') return;
      engine.ledger.onSubmit = null;
      engine.source.put(views('1', '120.00').record);
      // A window of its own, so that it is a run beside the one that is being posted.
      const { id } = done(
        await triggerSync(other, company.caller, {
          pipelineId: company.pipelineId,
          dryRun: false,
          from: new Date('2026-01-01'),
        }),
      );
      await runSync(other, 'default', id, { isStopping: () => false });
      const queued = await engine.rows('select spend_record_id from planning_queue');
      expect(queued).toHaveLength(1);
      arrived.open();
    };
    await engine.runJobs();
    await arrived.opened;
    expect((await postings(engine)).map((posting) => posting.status).sort()).toEqual(['POSTED', 'POSTED', 'REVERSED']);
    expect(engine.ledger.balanceOf('6100')).toBe(12_000n);
    expect(await engine.rows('select from planning_queue')).toHaveLength(0);
    expect(await differences()).toEqual(['0.00']);
  });

  it('by withdrawing it is taken out of the books', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put({ ...views('1', '100.00').record, version: '2', isWithdrawn: true });
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(2);
    expect(engine.ledger.balanceOf('6100')).toBe(0n);
    const report = await reconciled(engine, company);
    expect(report.totals[0]).toMatchObject({ posted: '0.00', excluded: '100.00', difference: '0.00' });
  });

  it('is excluded, and nothing is posted, when it was withdrawn before that', async () => {
    engine.source.put({ ...views('1', '100.00').record, isWithdrawn: true });
    await sync(engine, company);
    expect(engine.ledger.submitted).toEqual([]);
    expect((await reconciled(engine, company)).totals[0]).toMatchObject({ excluded: '100.00', difference: '0.00' });
  });
});

describe('one purchase in three streams', () => {
  type View = keyof ReturnType<typeof views>;
  const orders: [View, View, View][] = [
    ['card', 'expense', 'record'],
    ['card', 'record', 'expense'],
    ['expense', 'card', 'record'],
    ['expense', 'record', 'card'],
    ['record', 'card', 'expense'],
    ['record', 'expense', 'card'],
  ];
  it.each(orders)('is one record and one posting when %s, %s and %s arrive days apart', async (...order) => {
    for (const view of order) {
      engine.source.put(views('1', '100.00')[view]);
      await sync(engine, company);
      engine.clock.advance(2 * 86_400_000);
      expect(await differences()).toEqual(['0.00']);
    }
    const standing = (await postings(engine)).filter(
      (posting) => posting.reverses_id === null && posting.status === 'POSTED',
    );
    expect(standing).toHaveLength(1);
    expect(engine.ledger.documents).toHaveLength(1);
    expect(engine.ledger.balanceOf('6100')).toBe(10_000n);
    const live = await engine.rows('select distinct spend_record_id from source_objects');
    expect(live).toHaveLength(1);
    expect((await reconciled(engine, company)).totals).toMatchObject([{ source: '100.00', posted: '100.00' }]);
  });

  it('counts the parts of a split and never the whole as well', async () => {
    const whole = views('1', '100.00').expense;
    const part = (n: number, amount: string): SourceObject => ({
      ...views(`1p${n}`, amount).expense,
      keys: [`expense:expense_1p${n}`, 'expense:expense_1'],
    });
    engine.source.put(whole, part(1, '60.00'), part(2, '40.00'));
    await sync(engine, company);
    const report = await reconciled(engine, company);
    expect(report.totals).toMatchObject([{ source: '100.00', inFlight: '100.00', difference: '0.00', recordCount: 1 }]);
  });
});

describe('reading', () => {
  it('the same pages again changes nothing', async () => {
    engine.source.pageSize = 2;
    engine.source.put(...['1', '2', '3', '4', '5'].map((id) => views(id, '10.00').record));
    await sync(engine, company);
    const state = () =>
      engine.rows(
        `select (select jsonb_agg(o order by o.external_id) from source_objects o) as objects,
           (select jsonb_agg(r order by r.id) from spend_records r) as records,
           (select jsonb_agg(p order by p.id) from postings p) as postings`,
      );
    const before = await state();
    engine.clock.advance(60_000);
    const run = await sync(engine, company);
    expect(await state()).toEqual(before);
    const [row] = await engine.rows('select records_read, records_new, records_changed from sync_runs where id = $1', [
      run,
    ]);
    expect(row).toEqual({ records_read: 5, records_new: 0, records_changed: 0 });
  });

  it('is one run for three triggers at once', async () => {
    const trigger = () =>
      triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }).then(done);
    const ids = await Promise.all([trigger(), trigger(), trigger()]);
    expect(new Set(ids.map(({ id }) => id)).size).toBe(1);
    expect(engine.jobs.sent.filter((job) => job.name === 'sync.run')).toHaveLength(1);
  });

  it('happens once more when a trigger meets it, so that nothing that arrived meanwhile waits', async () => {
    engine.source.put(views('1', '100.00').record);
    let asked = 0;
    engine.source.onRead = async ({ stream }) => {
      if (stream !== 'ACCOUNTING_RECORDS' || asked++ > 0) return;
      engine.source.onRead = null;
      done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }));
    };
    await sync(engine, company);
    expect(engine.source.reads.filter(({ stream }) => stream === 'ACCOUNTING_RECORDS')).toHaveLength(2);
    const runs = await engine.rows<{ status: string }>('select status from sync_runs');
    expect(runs).toEqual([{ status: 'SUCCEEDED' }]);
    expect(engine.ledger.documents).toHaveLength(1);
  });

  it('leaves what could not be read in the report as unknown', async () => {
    engine.source.unreadable = [{ externalId: 'record_x', reason: 'It has no amount.', raw: {} }];
    await sync(engine, company);
    expect(await reconciled(engine, company)).toMatchObject({
      complete: false,
      unknowns: ['1 object of ACCOUNTING_RECORDS could not be read: record_x. It has no amount.'],
    });
    engine.source.unreadable = [];
    engine.source.put({ ...views('x', '5.00').record });
    await sync(engine, company);
    expect(await reconciled(engine, company)).toMatchObject({ complete: true, unknowns: [] });
  });
});

describe('two records that turn out to be one purchase', () => {
  it('are posted once when neither was before', async () => {
    const { card, expense, record } = views('1', '100.00');
    engine.source.put(card, { ...record, isFinal: false });
    await sync(engine, company);
    expect(await engine.rows('select from spend_records')).toHaveLength(2);
    engine.source.put(expense, { ...record, version: '2' });
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(1);
    expect((await reconciled(engine, company)).totals).toMatchObject([
      { source: '100.00', posted: '100.00', difference: '0.00' },
    ]);
  });

  it('are in the books once when both were posted before', async () => {
    const { card, expense, record } = views('1', '100.00');
    const first = await makeTestEngine();
    try {
      const eager = await makeCompany(first, { coding: 'FIRST' });
      first.source.put(card, record);
      await sync(first, eager);
      expect(first.ledger.balanceOf('6100')).toBe(20_000n);
      first.source.put(expense);
      await sync(first, eager);
      expect(first.ledger.balanceOf('6100')).toBe(10_000n);
      expect((await reconciled(first, eager)).totals).toMatchObject([
        { source: '100.00', posted: '100.00', difference: '0.00' },
      ]);
    } finally {
      await first.close();
    }
  });
});

describe('text that a database cannot hold', () => {
  it('is stored without the characters that it cannot hold, and stops nobody', async () => {
    const bad = 'Caf\u0000é \ud800 \\u0000 😀';
    engine.source.put(
      views('1', '100.00', { memo: bad, merchantName: bad, merchantDescriptor: bad, raw: { [bad]: bad } }).record,
      views('2', '50.00').record,
    );
    engine.source.unreadable = [{ externalId: 'x\u0000', reason: bad, raw: bad }];
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(2);
    const [row] = await engine.rows<{ merchant_name: string }>(
      `select merchant_name from spend_records where amount = 100`,
    );
    expect(row?.merchant_name).toBe('Café  \\u0000 😀');
    const [before] = await engine.rows('select count(*) from audit_events');
    await sync(engine, company);
    const records = await engine.rows('select revision from spend_records');
    expect(records).toEqual([{ revision: 1 }, { revision: 1 }]);
    expect(before).toBeDefined();
  });
});

describe('a pipeline whose corrections wait for a person', () => {
  it('sends none that was not approved, however often it is planned again', async () => {
    await engine.rows(`update pipelines set correction = 'HOLD'`);
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '120.00').record);
    await sync(engine, company);
    const waiting = () =>
      engine.rows<{ id: string; plan_hash: string; reverses_id: string | null }>(
        `select id, plan_hash, reverses_id from postings where status = 'AWAITING_APPROVAL' order by id`,
      );
    expect(await waiting()).toHaveLength(2);

    engine.source.put(views('1', '130.00').record);
    await sync(engine, company);
    expect(await waiting()).toHaveLength(2);
    expect(engine.ledger.documents).toHaveLength(1);

    const [reversal] = (await waiting()).filter((posting) => posting.reverses_id !== null);
    const approver = { ...company.caller, actor: 'user:approver' };
    done(await approvePosting(engine, approver, reversal?.id ?? '', reversal?.plan_hash ?? ''));
    await engine.runJobs();
    engine.source.put(views('1', '140.00').record);
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(2);
    const [replacement] = await waiting();
    done(await approvePosting(engine, approver, replacement?.id ?? '', replacement?.plan_hash ?? ''));
    await engine.runJobs();
    expect(engine.ledger.balanceOf('6100')).toBe(14_000n);
    expect(await differences()).toEqual(['0.00']);
  });
});
