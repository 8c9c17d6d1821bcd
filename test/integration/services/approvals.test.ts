// What a person approves is what is posted, and never by a key that had a hand in it. What would surprise: an approval of a
// plan that mapping, master data or calendar would no longer give; a key that approves what it replayed, included or asked
// for; a key that is barred because another one has its name; a document that leaves although its approval is stale.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamUnavailableError } from '../../../src/errors.js';
import { createApiKey, revokeApiKey } from '../../../src/services/apiKeys.js';
import { approvePosting } from '../../../src/services/approvals.js';
import type { Caller } from '../../../src/services/engine.js';
import { refreshMasterData } from '../../../src/services/masterData.js';
import type { Outcome } from '../../../src/services/outcome.js';
import { setMappingRules, updatePipeline } from '../../../src/services/pipelines.js';
import { reversePosting } from '../../../src/services/postings.js';
import { replayPosting, replayPostings } from '../../../src/services/replays.js';
import { excludeSpendRecord, includeSpendRecord } from '../../../src/services/spendRecords.js';
import { triggerSync } from '../../../src/services/syncs.js';
import { type Company, done, makeCompany, makeTestEngine, sync, type TestEngine } from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
/** Has a hand in everything; and one who has none. */
let asker: Caller;
let approver: Caller;

beforeEach(async () => {
  engine = await makeTestEngine();
  company = await makeCompany(engine, { requireApproval: true });
  asker = await keyOf('desk');
  approver = await keyOf('chief');
  company = { ...company, caller: asker };
});
afterEach(() => engine.close());

async function keyOf(name: string): Promise<Caller> {
  const admin = { ...company.caller };
  const { id } = done(
    await createApiKey(engine.db, admin, { name, role: 'OPERATOR', expiresAt: null }, engine.clock.now()),
  );
  return { ...admin, role: 'OPERATOR', actor: `user:${name}`, keyId: id };
}

interface Waiting {
  id: string;
  status: string;
  plan_hash: string;
  posting_date: string;
  mapping_version: number;
  approved_by: string | null;
  approved_key: string | null;
  approved_plan_hash: string | null;
  reverses_id: string | null;
  holds: { code: string }[];
}

function all(): Promise<Waiting[]> {
  return engine.rows<Waiting>(`select * from postings order by id`);
}

async function waiting(): Promise<Waiting> {
  const [posting, ...others] = (await all()).filter((one) => one.status === 'AWAITING_APPROVAL');
  expect(others).toEqual([]);
  if (!posting) throw new Error('Nothing waits for approval.');
  return posting;
}

async function spend(): Promise<string> {
  const [record] = await engine.rows<{ id: string }>('select id from spend_records order by id limit 1');
  return record?.id ?? '';
}

function codes(outcome: Outcome<unknown>): string[] {
  return outcome.ok ? [] : outcome.problems.map((problem) => problem.code);
}

function problem(outcome: Outcome<unknown>) {
  const [first] = outcome.ok ? [] : outcome.problems;
  if (!first) throw new Error('It was not refused.');
  return first;
}

describe('an approval', () => {
  beforeEach(async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
  });

  it('releases the plan that was looked at and remembers who, when and which', async () => {
    const posting = await waiting();
    done(await approvePosting(engine, approver, posting.id, posting.plan_hash));
    await engine.runJobs();
    const [posted] = await all();
    expect(posted).toMatchObject({
      status: 'POSTED',
      approved_by: 'user:chief',
      approved_key: approver.keyId,
      approved_plan_hash: posting.plan_hash,
    });
    expect(engine.ledger.documents).toHaveLength(1);
  });

  it('is given by nobody who logged in and had a hand in it, whatever they are called by now', async () => {
    const login = (subject: string, name: string): Caller => ({
      ...{ ...asker, keyId: null, actor: `user:${name}`, identity: `login:https://issuer.example#${subject}` },
    });
    const earlier = await waiting();
    engine.source.put(views('2', '50.00').record);
    await sync(engine, { ...company, caller: login('ada', 'ada@old.example') });
    const posting = (await all()).find(({ id }) => id !== earlier.id);
    if (!posting) throw new Error('The second purchase was not planned.');
    const approve = (by: Caller) => approvePosting(engine, by, posting.id, posting.plan_hash);
    expect(codes(await approve(login('ada', 'ada@new.example')))).toEqual(['SAME_KEY']);
    // Somebody else, who is called now what she was called.
    done(await approve(login('eve', 'ada@old.example')));
    const [approved] = (await all()).filter(({ id }) => id === posting.id);
    expect(approved).toMatchObject({ status: 'READY', approved_key: 'login:https://issuer.example#eve' });
  });

  it('is given once, however often the same key gives it, and to one of two keys', async () => {
    const posting = await waiting();
    const third = await keyOf('deputy');
    const answers = await Promise.all([
      approvePosting(engine, approver, posting.id, posting.plan_hash),
      approvePosting(engine, third, posting.id, posting.plan_hash),
      approvePosting(engine, approver, posting.id, posting.plan_hash),
    ]);
    const [winner] = await all();
    const own = winner?.approved_key === approver.keyId;
    expect(answers.map((answer) => answer.ok)).toEqual(own ? [true, false, true] : [false, true, false]);
    expect(answers.flatMap(codes).every((code) => code === 'NOT_AWAITING_APPROVAL')).toBe(true);
    const events = await engine.rows(`select 1 from audit_events where action = 'posting.approved'`);
    expect(events).toHaveLength(1);
  });

  it('needs the hash of the plan as it is', async () => {
    const posting = await waiting();
    expect(problem(await approvePosting(engine, approver, posting.id, 'f'.repeat(64)))).toMatchObject({
      code: 'PLAN_CHANGED',
      path: ['planHash'],
    });
    expect((await waiting()).id).toBe(posting.id);
  });

  it('is refused to a key that was revoked after it was let in', async () => {
    const posting = await waiting();
    done(await revokeApiKey(engine.db, asker, approver.keyId ?? '', engine.clock.now()));
    expect(codes(await approvePosting(engine, approver, posting.id, posting.plan_hash))).toEqual(['KEY_ENDED']);
  });

  it('is refused when a mapping was saved since, also one that says the same, and taken for the new plan', async () => {
    const posting = await waiting();
    const rules = [{ category: 'OFFICE_SUPPLIES', glAccount: '6100' }];
    done(
      await setMappingRules(engine, asker, {
        pipelineId: company.pipelineId,
        rules: [...rules, { category: 'MEALS', glAccount: '6200' }],
        effectiveFrom: '2026-01-01' as never,
      }),
    );
    expect(problem(await approvePosting(engine, approver, posting.id, posting.plan_hash))).toMatchObject({
      code: 'MAPPING_CHANGED',
      message: expect.stringContaining('version 2'),
      resolution: expect.stringContaining('Read the posting again'),
    });
    const again = await waiting();
    expect(again).toMatchObject({ id: posting.id, plan_hash: posting.plan_hash, mapping_version: 2 });
    done(await approvePosting(engine, approver, again.id, again.plan_hash));
  });

  it('is refused when the mapping codes it otherwise now, before or after planning has seen that', async () => {
    const posting = await waiting();
    const rules = [{ category: 'OFFICE_SUPPLIES', glAccount: '6200' }];
    const effectiveFrom = '2026-01-01' as never;
    done(await setMappingRules(engine, asker, { pipelineId: company.pipelineId, rules, effectiveFrom }));
    await engine.runJobs();
    expect(codes(await approvePosting(engine, approver, posting.id, posting.plan_hash))).toEqual(['PLAN_CHANGED']);
    const again = await waiting();
    expect(again.plan_hash).not.toBe(posting.plan_hash);
    done(await approvePosting(engine, approver, again.id, again.plan_hash));
  });

  it('is refused, with what to do, when the account was closed since', async () => {
    const posting = await waiting();
    engine.ledger.accounts = engine.ledger.accounts.map((one) =>
      one.code === '6100' ? { ...one, active: false } : one,
    );
    done(await refreshMasterData(engine, asker, company.ledgerId));
    expect(problem(await approvePosting(engine, approver, posting.id, posting.plan_hash))).toMatchObject({
      code: 'ACCOUNT_INACTIVE',
      message: expect.stringContaining('6100'),
      resolution: expect.stringContaining('Release account 6100'),
    });
    expect(await all()).toMatchObject([{ status: 'HELD', holds: [{ code: 'ACCOUNT_INACTIVE' }] }]);
  });

  it('is refused when the supplier was deactivated since', async () => {
    const posting = await waiting();
    engine.ledger.knownSuppliers = engine.ledger.knownSuppliers.map((one) => ({ ...one, active: false }));
    done(await refreshMasterData(engine, asker, company.ledgerId));
    expect(codes(await approvePosting(engine, approver, posting.id, posting.plan_hash))).toEqual(['SUPPLIER_CHANGED']);
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(0);
  });

  it('is refused when the ledger closed the period since, although nobody has read that yet', async () => {
    const posting = await waiting();
    engine.ledger.periods = engine.ledger.periods.map((one) =>
      one.label === '2026-11' ? { ...one, open: false } : one,
    );
    expect(problem(await approvePosting(engine, approver, posting.id, posting.plan_hash))).toMatchObject({
      code: 'PERIOD_CLOSED',
      resolution: expect.stringContaining('Open the period'),
    });
  });

  it('is refused when the posting would move to the next period now', async () => {
    const posting = await waiting();
    await engine.rows(`update pipelines set closed_period = 'NEXT_OPEN_PERIOD'`);
    engine.ledger.periods = engine.ledger.periods.map((one) =>
      one.label === '2026-11' ? { ...one, open: false } : one,
    );
    expect(problem(await approvePosting(engine, approver, posting.id, posting.plan_hash))).toMatchObject({
      code: 'PERIOD_CHANGED',
      message: expect.stringContaining('2026-12-01'),
    });
    const again = await waiting();
    done(await approvePosting(engine, approver, again.id, again.plan_hash));
    await engine.runJobs();
    expect(engine.ledger.documents.map((one) => one.postingDate)).toEqual(['2026-12-01']);
  });

  it('is refused when the source changed the purchase and planning has not come to it yet', async () => {
    const posting = await waiting();
    engine.source.put(views('1', '170.00').record);
    done(await triggerSync(engine, asker, { pipelineId: company.pipelineId, dryRun: false }));
    await engine.runJobs();
    expect(codes(await approvePosting(engine, approver, posting.id, posting.plan_hash))).toEqual(['PLAN_CHANGED']);
  });

  it('is given by what is known when the calendar cannot be read: the ledger has the last word', async () => {
    const posting = await waiting();
    Object.defineProperty(engine.ledger, 'periods', {
      get: () => {
        throw new UpstreamUnavailableError('The ledger is away.');
      },
    });
    done(await approvePosting(engine, approver, posting.id, posting.plan_hash));
  });
});

describe('a posting that was approved', () => {
  beforeEach(async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    const posting = await waiting();
    done(await approvePosting(engine, approver, posting.id, posting.plan_hash));
  });

  it('is held and must be approved again when the period is closed before it is sent', async () => {
    const closed = engine.ledger.periods;
    engine.ledger.periods = closed.map((one) => (one.label === '2026-11' ? { ...one, open: false } : one));
    done(await refreshMasterData(engine, asker, company.ledgerId));
    await engine.runJobs();
    expect(engine.ledger.submitted).toEqual([]);
    expect(await all()).toMatchObject([{ status: 'HELD', approved_by: null, approved_plan_hash: null }]);

    engine.ledger.periods = closed;
    done(await replayPostings(engine, approver, {}, null));
    await engine.runJobs();
    const again = await waiting();
    // Whoever replayed it has a hand in it now.
    expect(codes(await approvePosting(engine, approver, again.id, again.plan_hash))).toEqual(['SAME_KEY']);
    done(await approvePosting(engine, await keyOf('third'), again.id, again.plan_hash));
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(1);
  });

  it('is refused by the ledger itself when only that knows that the period was closed', async () => {
    engine.ledger.faults.push({ kind: 'REJECTED', message: 'Period 11 is closed.' });
    await engine.runJobs();
    expect(await all()).toMatchObject([{ status: 'REJECTED' }]);
    done(await replayPostings(engine, asker, {}, null));
    await engine.runJobs();
    // The approval was for an attempt that the ledger refused; the next one is looked at again.
    expect((await waiting()).approved_by).toBeNull();
  });

  it('is taken as it is when the ledger has it already, whatever was closed since', async () => {
    const [posting] = await engine.rows<{ id: string; reference: string }>('select id, reference from postings');
    engine.ledger.faults.push({ kind: 'LOST_AFTER_COMMIT' });
    await engine.runJobs();
    expect(engine.ledger.countOf(posting?.reference ?? '')).toBe(1);
    // As a database restored from before the write has it.
    await engine.rows(`update postings set status = 'READY', ledger_document_id = null, posted_at = null`);
    engine.ledger.periods = engine.ledger.periods.map((one) => ({ ...one, open: false }));
    done(await refreshMasterData(engine, asker, company.ledgerId));
    await engine.db.tenant('default', (tx) =>
      engine.jobs.send(tx, 'ledger.drain', { tenantId: 'default', ledgerId: company.ledgerId }),
    );
    await engine.runJobs();
    expect(await all()).toMatchObject([{ status: 'POSTED' }]);
    expect(engine.ledger.countOf(posting?.reference ?? '')).toBe(1);
  });
});

describe('a posting that was ready without an approval', () => {
  it('is not sent once its pipeline asks for one', async () => {
    done(await updatePipeline(engine, asker, company.pipelineId, { requireApproval: false }));
    engine.source.put(views('1', '100.00').record);
    engine.ledger.faults.push({ kind: 'NOT_STARTED' });
    done(await triggerSync(engine, asker, { pipelineId: company.pipelineId, dryRun: false }));
    await engine.runJobs({ until: engine.clock.now() });
    expect(await all()).toMatchObject([{ status: 'READY' }]);
    done(await updatePipeline(engine, asker, company.pipelineId, { requireApproval: true }));
    await engine.runJobs();
    expect(engine.ledger.documents).toEqual([]);
    const posting = await waiting();
    expect(codes(await approvePosting(engine, asker, posting.id, posting.plan_hash))).toEqual(['SAME_KEY']);
    done(await approvePosting(engine, approver, posting.id, posting.plan_hash));
  });
});

describe('the key that had a hand in a posting cannot approve it', () => {
  async function tryAsAsker(): Promise<string[]> {
    const posting = await waiting();
    const answer = await approvePosting(engine, asker, posting.id, posting.plan_hash);
    expect((await waiting()).id).toBe(posting.id);
    return codes(answer);
  }

  /** A run that nobody asked for: the schedule's. */
  async function scheduled(): Promise<void> {
    const caller = { ...company.caller, actor: 'system:scheduler', keyId: null };
    await sync(engine, { ...company, caller });
  }

  it('when it asked for the sync', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    expect(await tryAsAsker()).toEqual(['SAME_KEY']);
  });

  it('when it joined the run of another', async () => {
    engine.source.put(views('1', '100.00').record);
    done(await triggerSync(engine, approver, { pipelineId: company.pipelineId, dryRun: false }));
    done(await triggerSync(engine, asker, { pipelineId: company.pipelineId, dryRun: false }));
    await engine.runJobs();
    expect(await tryAsAsker()).toEqual(['SAME_KEY']);
  });

  it('when it asked for the sync, and others have planned it again since', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    engine.source.put(views('1', '120.00').record);
    await scheduled();
    expect(await tryAsAsker()).toEqual(['SAME_KEY']);
  });

  it('not for what the schedule brought, unless it replayed that', async () => {
    engine.ledger.accounts = engine.ledger.accounts.filter((one) => one.code !== '6100');
    engine.source.put(views('1', '100.00').record);
    await scheduled();
    const [held] = await all();
    expect(held?.status).toBe('HELD');
    engine.ledger.accounts.push({ code: '6100', name: 'Supplies', active: true, blockedReason: null });
    done(await refreshMasterData(engine, approver, company.ledgerId));
    done(await replayPosting(engine, asker, held?.id ?? '', null));
    await engine.runJobs();
    expect(await tryAsAsker()).toEqual(['SAME_KEY']);
    const posting = await waiting();
    done(await approvePosting(engine, approver, posting.id, posting.plan_hash));
  });

  it('when it included the purchase again', async () => {
    engine.source.put(views('1', '100.00').record);
    await scheduled();
    done(await excludeSpendRecord(engine, approver, await spend(), 'private'));
    done(await includeSpendRecord(engine, asker, await spend()));
    await engine.runJobs();
    expect(await tryAsAsker()).toEqual(['SAME_KEY']);
  });

  it('when it asked for the reversal, which another one then approves', async () => {
    engine.source.put(views('1', '100.00').record);
    await scheduled();
    const posting = await waiting();
    // Any operator may approve what the schedule brought.
    done(await approvePosting(engine, asker, posting.id, posting.plan_hash));
    await engine.runJobs();
    done(await reversePosting(engine, asker, posting.id, 'booked twice by hand'));
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(1);
    expect(await tryAsAsker()).toEqual(['SAME_KEY']);
    const reversal = await waiting();
    expect(reversal.reverses_id).toBe(posting.id);
    done(await approvePosting(engine, approver, reversal.id, reversal.plan_hash));
    await engine.runJobs();
    expect(engine.ledger.balanceOf('6100')).toBe(0n);
  });

  it('whatever it is called by now, and another key of that name may', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    const posting = await waiting();
    const renamed = { ...asker, actor: 'user:somebody else' };
    expect(codes(await approvePosting(engine, renamed, posting.id, posting.plan_hash))).toEqual(['SAME_KEY']);
    const namesake = await keyOf('desk');
    done(await approvePosting(engine, namesake, posting.id, posting.plan_hash));
  });

  it('for an earlier document of the purchase, which is settled', async () => {
    engine.source.put(views('1', '100.00').record);
    await sync(engine, company);
    const first = await waiting();
    done(await approvePosting(engine, approver, first.id, first.plan_hash));
    await engine.runJobs();
    engine.clock.advance(60_000);
    engine.source.put(views('1', '130.00').record);
    await scheduled();
    const [reversal, replacement] = (await all()).filter((one) => one.status === 'AWAITING_APPROVAL');
    expect(reversal && replacement).toBeTruthy();
    for (const one of [reversal, replacement]) {
      done(await approvePosting(engine, asker, one?.id ?? '', one?.plan_hash ?? ''));
    }
    await engine.runJobs();
    expect(engine.ledger.balanceOf('6100')).toBe(13_000n);
  });
});

describe('a day that waits for approval', () => {
  beforeEach(async () => {
    await engine.close();
    engine = await makeTestEngine();
    company = await makeCompany(engine, { requireApproval: true, grouping: 'DAILY' });
    asker = await keyOf('desk');
    approver = await keyOf('chief');
    company = { ...company, caller: asker };
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record);
    await sync(engine, company);
  });

  const approve = async (one: Waiting | undefined) =>
    done(await approvePosting(engine, approver, one?.id ?? '', one?.plan_hash ?? ''));

  it('is released as a whole, under the name that it was shown with', async () => {
    const day = await waiting();
    await approve(day);
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(1);
    expect(engine.ledger.balanceOf('6100')).toBe(3_000n);
  });

  it('is another plan when one of its purchases was excluded since', async () => {
    const day = await waiting();
    done(await excludeSpendRecord(engine, asker, await spend(), 'private'));
    expect(codes(await approvePosting(engine, approver, day.id, day.plan_hash))).toEqual(['NOT_AWAITING_APPROVAL']);
    await engine.runJobs();
    await approve(await waiting());
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(1);
  });

  it('is corrected by a reversal and a replacement, each approved on its own, in any order', async () => {
    await approve(await waiting());
    await engine.runJobs();
    engine.source.put(views('2', '25.00').record);
    await sync(engine, company);
    const both = (await all()).filter((one) => one.status === 'AWAITING_APPROVAL');
    const reversal = both.find((one) => one.reverses_id !== null);
    const replacement = both.find((one) => one.reverses_id === null);
    await approve(replacement);
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(1);
    await approve(reversal);
    await engine.runJobs();
    expect(engine.ledger.documents).toHaveLength(3);
    expect(engine.ledger.balanceOf('6100')).toBe(3_500n);
  });
});
