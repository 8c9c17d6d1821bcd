// What a source is told. What would surprise: a success before the ledger confirmed, a failure for something that may
// still post, a result that is lost, or two processes that report one object at the same time.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CredentialsError, OutcomeUnknownError, PermissionError, RateLimitedError } from '../../../src/errors.js';
import { oweFailures, reportToSource } from '../../../src/services/exports.js';
import { cancelUnsent } from '../../../src/services/postingStore.js';
import { triggerSync } from '../../../src/services/syncs.js';
import { updateCredentials } from '../../../src/services/systems.js';
import {
  type Company,
  done,
  Gate,
  makeCompany,
  makeTestEngine,
  postings,
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

const going = { isStopping: () => false };
const report = (process = engine) => reportToSource(process, 'default', company.sourceId, going);
const owed = () =>
  engine.rows<{ external_id: string; outcome: string; state: string; answer: string | null; attempts: number }>(
    'select external_id, outcome, state, answer, attempts from source_exports order by external_id, created_at',
  );
const alerts = () => engine.rows<{ code: string }>('select code from alerts where resolved_at is null');

/** Runs jobs, but leaves those that report. */
async function runAllButReports(): Promise<void> {
  for (let job = engine.jobs.take(); job; job = engine.jobs.take()) {
    if (job.name !== 'source.report') await engine.runJob(job);
  }
}

async function startSync(): Promise<void> {
  done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }));
}

describe('a success', () => {
  it('is reported once the ledger has the document, with its number', async () => {
    engine.source.put(views('1', '100.00').record, views('1', '100.00').card);
    await sync(engine, company);
    expect(engine.source.reports).toEqual([
      { externalId: 'record_1', outcome: { kind: 'SUCCESS', ledgerDocumentId: 'DOC-000001' } },
    ]);
    expect(await owed()).toMatchObject([{ external_id: 'record_1', state: 'DONE', answer: 'The source took it.' }]);
    const told = await engine.rows(`select subject_type from audit_events where action = 'export.reported'`);
    expect(told).toEqual([{ subject_type: 'GlPosting' }]);
  });

  it.each([
    ['held', { kind: 'WRONG_TOTAL', total: '1.00' }],
    ['rejected', { kind: 'REJECTED', message: 'No.' }],
  ] as const)('is never reported for a posting that is %s', async (_what, fault) => {
    engine.source.put(views('1', '100.00').record);
    engine.ledger.faults.push(fault);
    await sync(engine, company);
    expect(engine.source.reports).toEqual([]);
  });

  it('is not reported while the posting is in doubt', async () => {
    engine.source.put(views('1', '100.00').record);
    engine.ledger.faults.push({ kind: 'LATE_COMMIT', afterMs: 30_000 });
    await startSync();
    await engine.runJobs({ until: new Date(engine.clock.now().getTime() + 29_000) });
    expect((await postings(engine))[0]?.status).toBe('IN_DOUBT');
    await report();
    expect(engine.source.reports).toEqual([]);
    await engine.runJobs();
    expect(engine.source.reports).toHaveLength(1);
  });

  it('is withdrawn unsent when the document was reversed before it went out', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    await engine.rows(`update source_exports set state = 'PENDING', next_attempt_at = '2026-01-01'`);
    engine.source.reports.length = 0;
    await engine.rows(`update postings set status = 'REVERSED'`);
    await report();
    expect(engine.source.reports).toEqual([]);
    expect(await owed()).toMatchObject([{ state: 'DONE', answer: expect.stringContaining('Not sent') }]);
  });

  it('goes out in batches of what the source takes', async () => {
    engine.source.exportBatchMax = 7;
    engine.source.put(...Array.from({ length: 30 }, (_, n) => views(String(n), '1.00').record));
    await sync(engine, company);
    expect(new Set(engine.source.reports.map(({ externalId }) => externalId)).size).toBe(30);
    expect(engine.source.reports).toHaveLength(30);
  });

  it('that the source knows already counts as reported; its words are kept', async () => {
    engine.source.answers.set('record_1', {
      externalId: 'record_1',
      kind: 'ALREADY_REPORTED',
      detail: 'Exported before.',
    });
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    expect(await owed()).toMatchObject([{ state: 'DONE', answer: 'Exported before.' }]);
  });

  it('for an object that the source does not know is refused, with an alert', async () => {
    engine.source.answers.set('record_1', { externalId: 'record_1', kind: 'UNKNOWN_AT_SOURCE', detail: 'Gone.' });
    engine.source.put(views('1', '100.00').record, views('2', '5.00').record);
    await sync(engine, company);
    expect(await owed()).toMatchObject([{ state: 'REFUSED', answer: 'Gone.' }, { state: 'DONE' }]);
    expect(await alerts()).toEqual([{ code: 'EXPORT_REFUSED' }]);
    expect(await engine.rows(`select from audit_events where action = 'export.refused'`)).toHaveLength(1);
  });

  it('that the source does not take now is reported later', async () => {
    engine.source.answers.set('record_1', { externalId: 'record_1', kind: 'NOT_READY', detail: 'Being edited.' });
    engine.source.put(views('1', '100.00').record);
    await startSync();
    await runAllButReports();
    await report();
    expect(await owed()).toMatchObject([{ state: 'PENDING', answer: 'Being edited.' }]);
    engine.source.answers.clear();
    await engine.runJobs();
    expect(await owed()).toMatchObject([{ state: 'DONE', attempts: 2 }]);
  });
});

describe('a report that fails', () => {
  it.each([
    ['it was throttled', new RateLimitedError('Slow down.', 60_000)],
    ['the answer was lost', new OutcomeUnknownError('No answer.')],
  ])('because %s is repeated later', async (_what, error) => {
    engine.source.put(views('1', '100.00').record);
    engine.source.failures.push({ on: 'report', error });
    await sync(engine, company);
    expect(engine.source.reports).toHaveLength(1);
    expect(await owed()).toMatchObject([{ state: 'DONE', attempts: 2 }]);
  });

  it('because the credential was refused waits for a person, and goes on by itself after that', async () => {
    engine.source.put(views('1', '100.00').record);
    engine.source.failures.push({ on: 'report', error: new CredentialsError('The token was revoked.') });
    await sync(engine, company);
    expect(await owed()).toMatchObject([{ state: 'PENDING' }]);
    expect(await alerts()).toEqual([{ code: 'NEEDS_REAUTHORISATION' }]);
    expect(engine.jobs.pending).toEqual([]);
    done(await updateCredentials(engine, company.caller, company.sourceId, { token: 'new' }));
    await engine.runJobs();
    expect(await owed()).toMatchObject([{ state: 'DONE' }]);
    expect(await alerts()).toEqual([]);
  });

  it('because a right is missing raises one alert, which settles when it works', async () => {
    engine.source.put(views('1', '100.00').record);
    engine.source.failures.push({ on: 'report', error: new PermissionError('A scope is missing.') });
    await sync(engine, company);
    expect(await owed()).toMatchObject([{ state: 'DONE', attempts: 2 }]);
    const all = await engine.rows('select code, resolved_at is not null as settled from alerts');
    expect(all).toEqual([{ code: 'EXPORTS_BLOCKED', settled: true }]);
  });
});

describe('two processes at once', () => {
  it('report no object twice', async () => {
    engine.source.put(...Array.from({ length: 40 }, (_, n) => views(String(n), '1.00').record));
    engine.source.exportBatchMax = 5;
    await startSync();
    await runAllButReports();
    const other = await engine.another();
    await Promise.all([report(), report(other)]);
    const ids = engine.source.reports.map(({ externalId }) => externalId);
    expect(ids).toHaveLength(40);
    expect(new Set(ids).size).toBe(40);
  });

  it('settle a report once when one of them was paused past its claim', async () => {
    engine.source.put(views('1', '100.00').record);
    await startSync();
    await runAllButReports();
    const arrived = new Gate();
    const resume = new Gate();
    const paused = await engine.another();
    const { connection } = await paused.connections.spend('default', company.sourceId);
    const { exports } = connection;
    if (!exports) throw new Error('The source takes results.');
    const original = exports.report.bind(exports);
    Object.assign(exports, {
      report: async (reports: Parameters<typeof original>[0]) => {
        arrived.open();
        await resume.opened;
        return original(reports);
      },
    });
    const late = report(paused);
    await arrived.opened;
    await report();
    expect(engine.source.reports).toEqual([]);
    engine.clock.advance(6 * 60_000);
    await report();
    resume.open();
    await late;
    expect(await owed()).toMatchObject([{ state: 'DONE', attempts: 2 }]);
    expect(await engine.rows(`select from audit_events where action = 'export.reported'`)).toHaveLength(1);
  });
});

describe('a failure', () => {
  /** What a person's cancellation does in its transaction. */
  async function giveUp(): Promise<void> {
    const [posting] = await postings(engine);
    if (!posting) throw new Error('There is no posting.');
    await engine.db.tenant('default', async (tx) => {
      const spend = await tx.query<{ id: string }>('select id from spend_records where tenant_id = $1', ['default']);
      await cancelUnsent(engine, company.caller, tx, [{ id: posting.id, status: 'READY' }], 'Private purchase.');
      await oweFailures(engine, tx, company.caller, {
        sourceId: company.sourceId,
        stream: 'ACCOUNTING_RECORDS',
        spendRecordIds: spend.map(({ id }) => id),
        postingId: posting.id,
        message: 'Private purchase.',
      });
    });
  }

  it('is reported when a person gave up on the purchase', async () => {
    await planOne();
    await giveUp();
    await engine.runJobs();
    expect(engine.source.reports).toEqual([
      { externalId: 'record_1', outcome: { kind: 'FAILURE', message: 'Private purchase.' } },
    ]);
    expect(engine.ledger.submitted).toEqual([]);
  });

  it('is not reported once the purchase is planned again, and its success is', async () => {
    await planOne();
    await giveUp();
    engine.jobs.pending.length = 0;
    await engine.rows(
      `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
       select 'default', $1, id, 'included', 'corr' from spend_records`,
      [company.pipelineId],
    );
    const payload = { tenantId: 'default', pipelineId: company.pipelineId };
    await engine.runJob({ name: 'plan.pipeline', payload, startAfter: null });
    await report();
    expect(engine.source.reports).toEqual([]);
    await engine.runJobs();
    expect(engine.source.reports).toEqual([
      { externalId: 'record_1', outcome: { kind: 'SUCCESS', ledgerDocumentId: 'DOC-000001' } },
    ]);
  });

  async function planOne(): Promise<void> {
    engine.source.put(views('1', '100.00').record);
    await startSync();
    const job = engine.jobs.take();
    if (job) await engine.runJob(job);
    engine.jobs.pending.length = 0;
  }
});

describe('many results at once', () => {
  it('need a job for all of them, not one each, and none is left behind', async () => {
    engine.source.put(...Array.from({ length: 60 }, (_, n) => views(String(n), '1.00').record));
    await sync(engine, company);
    expect(engine.source.reports).toHaveLength(60);
    expect(engine.jobs.sent.filter(({ name }) => name === 'source.report').length).toBeLessThan(5);
    engine.source.put(...Array.from({ length: 60 }, (_, n) => views(`late${n}`, '1.00').record));
    const other = await engine.another();
    engine.ledger.onSubmit = async (_document, moment) => {
      // Somebody reports while the others are still being posted.
      if (moment === 'WRITTEN') await report(other);
    };
    await sync(engine, company);
    expect((await owed()).filter(({ state }) => state !== 'DONE')).toEqual([]);
    expect(engine.source.reports).toHaveLength(120);
  });
});
