// Promise 1: a purchase reaches its ledger exactly once. What would surprise: a second document under one reference, a
// posting that stays in doubt for ever, or money that the reconciliation cannot place after a fault.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import { drainLedger } from '../../../src/services/drain.js';
import { cancelUnsent } from '../../../src/services/postingStore.js';
import { reconcile } from '../../../src/services/reconciliation.js';
import { runSync } from '../../../src/services/syncRunner.js';
import { triggerSync } from '../../../src/services/syncs.js';
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
import { type LedgerFault, views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
  company = await makeCompany(engine);
});
afterEach(() => engine.close());

const going = { isStopping: () => false };
const november = { from: localDate('2026-11-01'), to: localDate('2026-11-30') };

async function differences(): Promise<string[]> {
  const answer = await reconcile(engine, 'default', { pipelineId: company.pipelineId, ...november });
  return (answer?.totals ?? []).map((total) => total.difference);
}

/** Everything up to the moment before the ledger is first called. */
async function planOnly(): Promise<void> {
  done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }));
  const job = engine.jobs.take();
  if (job) await engine.runJob(job);
}

async function onlyPosting() {
  const [posting, ...others] = await postings(engine);
  expect(others).toEqual([]);
  if (!posting) throw new Error('There is no posting.');
  return posting;
}

describe('a purchase', () => {
  beforeEach(() => engine.source.put(views('1', '100.00').record));

  it('is posted once when all goes well', async () => {
    await sync(engine, company);
    const posting = await onlyPosting();
    expect(posting).toMatchObject({ status: 'POSTED', ledger_document_id: 'DOC-000001' });
    expect(engine.ledger.countOf(posting.reference)).toBe(1);
    expect(engine.ledger.balanceOf('6100')).toBe(10_000n);
    expect(await differences()).toEqual(['0.00']);
  });

  it.each<[string, LedgerFault, number]>([
    ['its reply was lost before the ledger wrote it', { kind: 'LOST_BEFORE_COMMIT' }, 2],
    ['its reply was lost after the ledger wrote it', { kind: 'LOST_AFTER_COMMIT' }, 1],
    ['the ledger writes it late, within its settling time', { kind: 'LATE_COMMIT', afterMs: 59_000 }, 1],
    ['the ledger was busy at first', { kind: 'THROTTLED', retryAfterMs: 5_000 }, 2],
    ['the ledger could not be reached at first', { kind: 'NOT_STARTED' }, 2],
  ])('is in the ledger once although %s', async (_what, fault, sends) => {
    engine.ledger.faults.push(fault);
    await sync(engine, company);
    const posting = await onlyPosting();
    expect(posting.status).toBe('POSTED');
    expect(engine.ledger.countOf(posting.reference)).toBe(1);
    expect(engine.ledger.submitted).toHaveLength(sends);
    expect(await differences()).toEqual(['0.00']);
  });

  it('is in doubt, and unknown to the report, while nobody knows whether the ledger has it', async () => {
    engine.ledger.faults.push({ kind: 'LATE_COMMIT', afterMs: 30_000 });
    await planOnly();
    await drainLedger(engine, 'default', company.ledgerId, going);
    expect((await onlyPosting()).status).toBe('IN_DOUBT');
    const answer = await reconcile(engine, 'default', { pipelineId: company.pipelineId, ...november });
    expect(answer).toMatchObject({ complete: false, totals: [{ unknown: '100.00', difference: '0.00' }] });
    expect(answer?.unknowns[0]).toContain('in doubt');
    await engine.runJobs();
    expect((await onlyPosting()).status).toBe('POSTED');
    expect(engine.ledger.documents).toHaveLength(1);
  });

  it('is ready again, unchanged, after the ledger throttled it', async () => {
    engine.ledger.faults.push({ kind: 'THROTTLED', retryAfterMs: 5_000 });
    await planOnly();
    await drainLedger(engine, 'default', company.ledgerId, going);
    expect((await onlyPosting()).status).toBe('READY');
    expect(engine.ledger.documents).toEqual([]);
  });

  it.each<[string, LedgerFault]>([
    ['has another total', { kind: 'WRONG_TOTAL', total: '99.00' }],
    ['is not posted there', { kind: 'LEFT_UNPOSTED' }],
  ])('is held for a person when the document under its name %s', async (_what, fault) => {
    engine.ledger.faults.push(fault);
    await sync(engine, company);
    const posting = await onlyPosting();
    expect(posting.status).toBe('HELD');
    expect(posting.holds[0]?.code).toBe('SUSPECTED_DUPLICATE');
    expect(engine.ledger.countOf(posting.reference)).toBe(1);
    expect(await differences()).toEqual(['0.00']);
  });

  it('is rejected when the ledger says no, and posts once after it was planned again', async () => {
    engine.ledger.faults.push({ kind: 'REJECTED', message: 'Account 6100 is on hold.' });
    await sync(engine, company);
    expect(await onlyPosting()).toMatchObject({ status: 'REJECTED', holds: [{ message: 'Account 6100 is on hold.' }] });
    const answer = await reconcile(engine, 'default', { pipelineId: company.pipelineId, ...november });
    expect(answer?.totals[0]).toMatchObject({ rejected: '100.00', difference: '0.00' });

    await engine.rows(
      `insert into planning_queue (tenant_id, pipeline_id, spend_record_id, reason, correlation_id)
       select 'default', $1, id, 'replay', 'corr' from spend_records`,
      [company.pipelineId],
    );
    await engine.runJob({
      name: 'plan.pipeline',
      payload: { tenantId: 'default', pipelineId: company.pipelineId },
      startAfter: null,
    });
    await engine.runJobs();
    const posting = await onlyPosting();
    expect(posting.status).toBe('POSTED');
    expect(engine.ledger.countOf(posting.reference)).toBe(1);
  });

  it('is found, not sent again, when the process died between the ledger’s answer and its own note of it', async () => {
    await planOnly();
    const dying = await engine.another();
    engine.ledger.onSubmit = async (_document, moment) => {
      if (moment === 'WRITTEN') await dying.die();
    };
    await expect(drainLedger(dying, 'default', company.ledgerId, going)).rejects.toThrow();
    engine.ledger.onSubmit = null;
    expect((await onlyPosting()).status).toBe('POSTING');

    await drainLedger(engine, 'default', company.ledgerId, going);
    await engine.runJobs();
    const posting = await onlyPosting();
    expect(posting.status).toBe('POSTED');
    expect(engine.ledger.countOf(posting.reference)).toBe(1);
    expect(engine.ledger.submitted).toHaveLength(1);
    expect(await differences()).toEqual(['0.00']);
  });

  it('is sent once more only after its absence was proven when the process died before the ledger wrote it', async () => {
    await planOnly();
    const dying = await engine.another();
    engine.ledger.faults.push({ kind: 'LOST_BEFORE_COMMIT' });
    engine.ledger.onSubmit = async () => {
      await dying.die();
    };
    await expect(drainLedger(dying, 'default', company.ledgerId, going)).rejects.toThrow();
    engine.ledger.onSubmit = null;
    const startedAt = engine.clock.now().getTime();
    await drainLedger(engine, 'default', company.ledgerId, going);
    await engine.runJobs();
    const posting = await onlyPosting();
    expect(posting.status).toBe('POSTED');
    expect(engine.ledger.countOf(posting.reference)).toBe(1);
    expect(engine.clock.now().getTime() - startedAt).toBeGreaterThan(engine.ledger.settlingMs);
  });

  it('stays one document when a paused process comes back after another one took its posting over', async () => {
    await planOnly();
    const paused = await engine.another();
    const reached = new Gate();
    const resume = new Gate();
    engine.ledger.onSubmit = async (_document, moment) => {
      if (moment !== 'WRITTEN') return;
      reached.open();
      await resume.opened;
    };
    const late = drainLedger(paused, 'default', company.ledgerId, going);
    await reached.opened;
    engine.clock.advance(10 * 60_000);
    await drainLedger(engine, 'default', company.ledgerId, going);
    const taken = await onlyPosting();
    expect(taken.status).toBe('POSTED');
    resume.open();
    await late;
    await engine.runJobs();
    expect((await onlyPosting()).status).toBe('POSTED');
    const told = await engine.rows(`select from audit_events where action = 'posting.posted'`);
    expect(told).toHaveLength(1);
    expect(engine.ledger.countOf(taken.reference)).toBe(1);
    expect(engine.ledger.submitted).toHaveLength(1);
  });
});

// A ledger that settles fast, so that taking over is done long before any lease ends: the presence of the process is all
// that tells, and losing its connection makes a process that is merely paused look dead.
describe('a process that is paused between its note and the send', () => {
  it('sends nothing when it comes back after it was held for dead', async () => {
    engine.ledger.submitTimeoutMs = 2_000;
    engine.ledger.settlingMs = 1_000;
    engine.source.put(views('1', '100.00').record);
    await planOnly();
    const paused = await engine.another();
    const { db } = paused;
    const tenant = db.tenant.bind(db);
    let isPaused = false;
    db.tenant = async (tenantId, work) => {
      const result = await tenant(tenantId, work);
      const [posting] = await postings(engine);
      if (isPaused || posting?.status !== 'POSTING') return result;
      isPaused = true;
      await paused.die();
      await drainLedger(engine, 'default', company.ledgerId, going);
      await engine.runJobs();
      expect((await onlyPosting()).status).toBe('POSTED');
      return result;
    };
    await expect(drainLedger(paused, 'default', company.ledgerId, going)).rejects.toThrow();
    expect(isPaused).toBe(true);
    expect(engine.ledger.submitted).toHaveLength(1);
    expect(engine.ledger.documents).toHaveLength(1);
  });
});

describe('postings that a process had claimed when it died', () => {
  it('are sent by the next one without waiting for their lease', async () => {
    engine.source.put(...Array.from({ length: 5 }, (_, n) => views(String(n), '10.00').record));
    await planOnly();
    const dying = await engine.another();
    engine.ledger.onSubmit = async () => {
      engine.ledger.onSubmit = null;
      await dying.die();
    };
    await expect(drainLedger(dying, 'default', company.ledgerId, going)).rejects.toThrow();
    expect((await postings(engine)).map((posting) => posting.status)).toContain('READY');

    await drainLedger(engine, 'default', company.ledgerId, going);
    expect((await postings(engine)).map((posting) => posting.status)).toEqual(Array(5).fill('POSTED'));
    expect(engine.ledger.submitted).toHaveLength(5);
  });
});

describe('two drains of one ledger at once', () => {
  it('send every document once between them', async () => {
    engine.source.put(...Array.from({ length: 60 }, (_, n) => views(String(n), '10.00').record));
    await planOnly();
    const other = await engine.another();
    await Promise.all([
      drainLedger(engine, 'default', company.ledgerId, going),
      drainLedger(other, 'default', company.ledgerId, going),
    ]);
    await engine.runJobs();
    const all = await postings(engine);
    expect(all).toHaveLength(60);
    expect(all.filter((posting) => posting.status !== 'POSTED')).toEqual([]);
    expect(all.map((posting) => engine.ledger.countOf(posting.reference))).toEqual(all.map(() => 1));
    expect(engine.ledger.submitted).toHaveLength(60);
    expect(await differences()).toEqual(['0.00']);
  });
});

describe('a posting that waits its turn in a process that is sending others', () => {
  /** Does something in another process while the first of two documents is at the ledger. */
  async function whileSendingTheFirst(act: (other: TestEngine) => Promise<void>): Promise<void> {
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record);
    await planOnly();
    const other = await engine.another();
    let seen = 0;
    engine.ledger.onSubmit = async (_document, moment) => {
      if (moment === 'ARRIVED' && seen++ === 0) await act(other);
    };
    await engine.runJobs();
  }

  it('goes out as it was planned last, when it is planned again meanwhile', async () => {
    await whileSendingTheFirst(async (other) => {
      engine.source.put(views('2', '25.00').record);
      const request = { pipelineId: company.pipelineId, dryRun: false, from: new Date('2026-01-01') };
      const { id } = done(await triggerSync(other, company.caller, request));
      await runSync(other, 'default', id, going);
    });
    expect(engine.ledger.documents.map((document) => document.total).sort()).toEqual(['10.00', '25.00']);
    expect(engine.ledger.balanceOf('6100')).toBe(3_500n);
    expect(await differences()).toEqual(['0.00']);
  });

  it('is not sent, and keeps nobody from going on, when it is cancelled meanwhile', async () => {
    await whileSendingTheFirst(async (other) => {
      const second = (await postings(other)).find((posting) => posting.status === 'READY');
      if (!second) throw new Error('No posting is waiting.');
      await other.db.tenant('default', (tx) =>
        cancelUnsent(other, company.caller, tx, [{ id: second.id, status: 'READY' }], 'Private.'),
      );
    });
    expect((await postings(engine)).map(({ status }) => status).sort()).toEqual(['CANCELLED', 'POSTED']);
    expect(engine.ledger.submitted).toHaveLength(1);
  });
});
