// A preview of a replay is what the replay then does. What would surprise: a posting that becomes something else than was
// shown, a preview that keeps something (a plan, an event, a job, a number), a filter that selects other postings than the
// replay of the same filter.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import { refreshMasterData } from '../../../src/services/masterData.js';
import { setMappingRules } from '../../../src/services/pipelines.js';
import { previewReplay, replayFates } from '../../../src/services/replayPreview.js';
import { replayPostings } from '../../../src/services/replays.js';
import { excludeSpendRecord } from '../../../src/services/spendRecords.js';
import { type Company, done, makeCompany, makeTestEngine, sync, type TestEngine } from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
});
afterEach(() => engine.close());

/** Purchases with something wrong of each kind, and some that are right. */
interface World {
  readonly purchases: readonly { amount: number; category: string; day: string }[];
  readonly mapsMeals: boolean;
  readonly opensSeptember: boolean;
  readonly returnsAccount: boolean;
}

const worlds: fc.Arbitrary<World> = fc.record({
  purchases: fc.array(
    fc.record({
      amount: fc.integer({ min: 1, max: 99_999 }),
      category: fc.constantFrom('OFFICE_SUPPLIES', 'MEALS', 'TRAVEL'),
      day: fc.constantFrom('2026-09-28', '2026-11-09', '2026-11-10'),
    }),
    { minLength: 6, maxLength: 14 },
  ),
  mapsMeals: fc.boolean(),
  opensSeptember: fc.boolean(),
  returnsAccount: fc.boolean(),
});

const RULES = [
  { category: 'OFFICE_SUPPLIES', glAccount: '6100' },
  { category: 'TRAVEL', glAccount: '6200' },
];

/** Syncs the world with everything wrong in it, and then puts some of that right. */
async function live(world: World): Promise<void> {
  const { pipelineId, caller } = company;
  done(await setMappingRules(engine, caller, { pipelineId, rules: RULES, effectiveFrom: localDate('2026-01-01') }));
  const travel = engine.ledger.accounts.filter((one) => one.code === '6200');
  engine.ledger.accounts = engine.ledger.accounts.filter((one) => one.code !== '6200');
  for (const [index, { amount, category, day }] of world.purchases.entries()) {
    const text = (amount / 100).toFixed(2);
    engine.source.put(views(String(index), text, { category, transactionDate: localDate(day) }).record);
  }
  await sync(engine, company);
  if (world.returnsAccount) engine.ledger.accounts.push(...travel);
  if (world.opensSeptember) engine.ledger.periods = engine.ledger.periods.map((one) => ({ ...one, open: true }));
  done(await refreshMasterData(engine, caller, company.ledgerId));
  if (world.mapsMeals) {
    const rules = [...RULES, { category: 'MEALS', glAccount: '6100' }];
    done(await setMappingRules(engine, caller, { pipelineId, rules, effectiveFrom: localDate('2026-01-01') }));
    // Nobody has come to what the new mapping put into the queue.
    engine.jobs.pending.length = 0;
  }
}

/** Runs what a replay sets off, up to the moment before anything is sent. */
async function planOnly(): Promise<void> {
  for (let job = engine.jobs.take(); job; job = engine.jobs.take()) {
    if (job.name === 'plan.pipeline' || job.name === 'sync.run') await engine.runJob(job);
  }
}

/** By posting: what it is now, or the worst of what carries its purchases now. */
async function actual(): Promise<Map<string, string>> {
  const rows = await engine.rows<{ id: string; status: string; code: string | null; spend: string[] }>(
    `select p.id, p.status, p.holds -> 0 ->> 'code' as code,
       (select array_agg(spend_record_id) from posting_spend ps where ps.posting_id = p.id) as spend
     from postings p order by p.id`,
  );
  const order = ['HELD', 'AWAITING_APPROVAL', 'READY'];
  const said = (row: { status: string; code: string | null }) => `${row.status} ${row.code ?? ''}`.trim();
  return new Map(
    rows.map((row) => {
      if (row.status !== 'CANCELLED') return [row.id, said(row)];
      const carriers = rows.filter(
        (other) => order.includes(other.status) && other.spend.some((id) => row.spend.includes(id)),
      );
      const [worst] = carriers.sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
      return [row.id, worst ? said(worst) : 'CANCELLED'];
    }),
  );
}

async function everything(): Promise<unknown> {
  return engine.rows(
    `select (select jsonb_agg(p order by id) from postings p) as postings,
       (select jsonb_agg(q order by spend_record_id) from planning_queue q) as queue,
       (select count(*) from audit_events) as events, (select count(*) from involvements) as hands,
       (select jsonb_agg(r order by id) from spend_records r) as records`,
  );
}

describe('a preview of a replay', () => {
  it.each([
    ['of documents of one purchase', {}],
    ['of whole days', { grouping: 'DAILY' as const }],
    ['of what has to be approved', { requireApproval: true }],
  ])('%s is what the replay then does, and keeps nothing', async (_name, over) => {
    const [seed, samples] = [20_261_120, 3];
    for (const world of fc.sample(worlds, { seed, numRuns: samples })) {
      await engine.close();
      engine = await makeTestEngine();
      company = await makeCompany(engine, over);
      await live(world);
      const before = await everything();
      const fates = await replayFates(engine, company.caller, {});
      expect(await everything()).toEqual(before);
      expect(engine.jobs.pending).toEqual([]);

      const { count } = done(await replayPostings(engine, company.caller, {}, null));
      expect(count, JSON.stringify(world)).toBe(fates.length);
      await planOnly();
      const now = await actual();
      for (const fate of fates) {
        const shown = `${fate.outcome} ${fate.code ?? ''}`.trim();
        expect(shown, `${fate.postingId} in ${JSON.stringify(world)}`).toBe(now.get(fate.postingId));
      }
    }
  });
});

describe('a preview', () => {
  beforeEach(async () => {
    company = await makeCompany(engine);
  });

  it('counts by outcome and code, adds up by currency, and shows the first', async () => {
    engine.source.put(
      views('1', '10.00', { category: 'MEALS' }).record,
      views('2', '20.00', { transactionDate: localDate('2026-09-28') }).record,
      views('3', '30.50', { transactionDate: localDate('2026-09-29') }).record,
    );
    await sync(engine, company);
    engine.ledger.periods = engine.ledger.periods.map((one) => ({ ...one, open: true }));
    const preview = await previewReplay(engine, company.caller, { pipelineId: company.pipelineId }, 1);
    expect(preview).toMatchObject({
      count: 3,
      outcomes: [
        { outcome: 'READY', code: null, count: 2, totals: [{ amount: '50.50', currency: 'USD' }] },
        { outcome: 'HELD', code: 'MAPPING_MISSING', count: 1, totals: [{ amount: '10.00', currency: 'USD' }] },
      ],
    });
    expect(preview.examples).toHaveLength(1);
    const narrow = await previewReplay(engine, company.caller, { holdCodes: ['PERIOD_CLOSED'] }, 0);
    expect(narrow.outcomes).toMatchObject([{ outcome: 'READY', count: 2 }]);
  });

  it('says of a document in doubt that the ledger is asked, and of a posted one that it cannot be replayed', async () => {
    engine.source.put(views('1', '10.00').record);
    await sync(engine, company);
    engine.source.put(views('2', '20.00').record);
    engine.ledger.faults.push({ kind: 'LOST_BEFORE_COMMIT' });
    done(await replayPostings(engine, company.caller, { pipelineId: company.pipelineId }, null));
    await sync(engine, company);
    await engine.rows(`update postings set status = 'IN_DOUBT' where total = 20`);
    const { outcomes } = await previewReplay(engine, company.caller, { statuses: ['POSTED', 'IN_DOUBT'] }, 0);
    expect(outcomes).toMatchObject([
      { outcome: 'LOOKED_FOR', count: 1 },
      { outcome: 'NOT_REPLAYABLE', code: 'POSTED', count: 1 },
    ]);
  });

  it('says that nothing is left of a document whose purchase was withdrawn', async () => {
    engine.source.put(views('1', '10.00', { category: 'MEALS' }).record);
    await sync(engine, company);
    await engine.rows(`update spend_records set unified = jsonb_set(unified, '{isWithdrawn}', 'true')`);
    const { outcomes } = await previewReplay(engine, company.caller, {}, 0);
    expect(outcomes).toMatchObject([{ outcome: 'CANCELLED', count: 1 }]);
  });

  it('is for one tenant', async () => {
    engine.source.put(views('1', '10.00', { category: 'MEALS' }).record);
    await sync(engine, company);
    const [record] = await engine.rows<{ id: string }>('select id from spend_records');
    expect(record).toBeDefined();
    const other = { ...company.caller, tenantId: 'other' };
    expect((await previewReplay(engine, other, {}, 10)).count).toBe(0);
    done(await excludeSpendRecord(engine, company.caller, record?.id ?? '', 'private'));
    expect((await previewReplay(engine, company.caller, {}, 10)).count).toBe(0);
  });

  it('refuses more examples than an answer holds', async () => {
    await expect(previewReplay(engine, company.caller, {}, 201)).rejects.toThrow('examples');
  });
});
