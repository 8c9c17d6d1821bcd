// What nothing but a single check keeps from happening. What would surprise: a plan that goes out although nobody approved
// it as it is now, a person who approves what he asked for himself, a key that means two things, a process that takes a
// document away from another one which is sending it this moment.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drainLedger } from '../../../src/services/drain.js';
import { approvePosting } from '../../../src/services/postings.js';
import { triggerSync } from '../../../src/services/syncs.js';
import {
  type Company,
  callerOf,
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
});
afterEach(() => engine.close());

const going = { isStopping: () => false };
const approver = callerOf('default', 'user:approver');

async function waiting(): Promise<{ id: string; plan_hash: string }> {
  const [posting] = await engine.rows<{ id: string; plan_hash: string }>(
    `select id, plan_hash from postings where status = 'AWAITING_APPROVAL'`,
  );
  if (!posting) throw new Error('Nothing waits for approval.');
  return posting;
}

const refusalOf = (outcome: Awaited<ReturnType<typeof approvePosting>>) =>
  outcome.ok ? 'nothing was refused' : outcome.problems[0]?.code;

describe('an approval', () => {
  beforeEach(async () => {
    company = await makeCompany(engine, { requireApproval: true });
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
  });

  it('of a plan that changed since it was shown releases nothing', async () => {
    const shown = await waiting();
    engine.source.put(views('1', '900.00').record);
    await sync(engine, company);
    expect(refusalOf(await approvePosting(engine, approver, shown.id, shown.plan_hash))).toBe('PLAN_CHANGED');
    await engine.runJobs();
    expect(engine.ledger.submitted).toEqual([]);

    const now = await waiting();
    done(await approvePosting(engine, approver, now.id, now.plan_hash));
    await engine.runJobs();
    expect(engine.ledger.documents.map(({ total }) => total)).toEqual(['900.00']);
  });

  it('by the key that asked for the posting releases nothing', async () => {
    const shown = await waiting();
    expect(refusalOf(await approvePosting(engine, company.caller, shown.id, shown.plan_hash))).toBe('SAME_KEY');
    await engine.runJobs();
    expect(engine.ledger.submitted).toEqual([]);
  });
});

describe('an idempotencyKey', () => {
  beforeEach(async () => {
    company = await makeCompany(engine);
  });

  const ask = (from: string) =>
    triggerSync(engine, company.caller, {
      ...{ pipelineId: company.pipelineId, dryRun: false, idempotencyKey: 'month-end' },
      from: new Date(from),
    });

  it('gives the run that it started, also after that has ended', async () => {
    const first = done(await ask('2026-11-01'));
    await engine.runJobs();
    await expect(ask('2026-11-01')).resolves.toMatchObject({ ok: true, value: { id: first.id } });
    expect(await engine.rows('select from sync_runs')).toHaveLength(1);
  });

  it('of another request is refused', async () => {
    done(await ask('2026-11-01'));
    expect(await ask('2026-10-01')).toMatchObject({ ok: false, problems: [{ code: 'IDEMPOTENCY_CONFLICT' }] });
    expect(await engine.rows('select from sync_runs')).toHaveLength(1);
  });
});

describe('a document that a living process is sending', () => {
  it('is left in its hands by another process that works on the same ledger', async () => {
    company = await makeCompany(engine);
    engine.source.put(views('1', '100.00').record);
    done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false }));
    const job = engine.jobs.take();
    if (job) await engine.runJob(job);
    const other = await engine.another();
    const arrived = new Gate();
    const answer = new Gate();
    engine.ledger.onSubmit = async (_document, moment) => {
      if (moment !== 'ARRIVED') return;
      arrived.open();
      await answer.opened;
    };
    const sending = drainLedger(other, 'default', company.ledgerId, going);
    await arrived.opened;
    await drainLedger(engine, 'default', company.ledgerId, going);
    const meanwhile = await postings(engine);
    answer.open();
    await sending;
    expect(meanwhile.map(({ status }) => status)).toEqual(['POSTING']);
    expect((await postings(engine)).map(({ status }) => status)).toEqual(['POSTED']);
    expect(engine.ledger.submitted).toHaveLength(1);
  });
});
