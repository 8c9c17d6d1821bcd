// What a mapping version says it would do before it is saved, on a real database. What would surprise: planning that does
// something else afterwards, a preview that writes, a purchase that is lost between two batches, a version that decides
// by another day than the one in the books.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import { ingestPage } from '../../../src/services/ingest.js';
import { type MappingPreview, previewMapping } from '../../../src/services/mappingPreview.js';
import { setMappingRules, updatePipeline } from '../../../src/services/pipelines.js';
import { replayPostings } from '../../../src/services/postings.js';
import type { MappingRequest } from '../../../src/services/useCases.js';
import {
  type Company,
  callerOf,
  done,
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

type Rules = MappingRequest['rules'];
const OFFICE_TO_6200: Rules = [{ category: 'OFFICE_SUPPLIES', glAccount: '6200' }];

async function preview(rules: Rules, over: { effectiveFrom?: string; months?: number } = {}): Promise<MappingPreview> {
  const { pipelineId, caller } = company;
  const effectiveFrom = over.effectiveFrom === undefined ? {} : { effectiveFrom: localDate(over.effectiveFrom) };
  return done(await previewMapping(engine, caller, { pipelineId, rules, months: over.months ?? 12, ...effectiveFrom }));
}

async function save(rules: Rules, effectiveFrom?: string): Promise<void> {
  const { pipelineId, caller } = company;
  const day = effectiveFrom === undefined ? {} : { effectiveFrom: localDate(effectiveFrom) };
  done(await setMappingRules(engine, caller, { pipelineId, rules, ...day }));
  await engine.runJobs();
}

async function inShort(shown: MappingPreview) {
  const { totals, replanned } = await shown.summary();
  return {
    read: totals.records,
    changed: totals.changed,
    inForce: totals.inForce,
    replanned,
    held: totals.becomeHeld,
    released: totals.becomeReleased,
    movements: totals.movements.map(
      ({ from, to, records, amounts }) =>
        `${from.glAccount} to ${to.glAccount}: ${records}, ${[...amounts].map(([currency, minor]) => `${minor} ${currency}`).join(', ')}`,
    ),
  };
}

/** Account of the expense line, by the purchase's document. */
const accounts = () =>
  engine.rows<{ reference: string; status: string; gl_account: string; mapping_version: number | null }>(
    `select p.reference, p.status, l.gl_account, p.mapping_version from postings p
     join posting_lines l on l.tenant_id = p.tenant_id and l.posting_id = p.id and l.role = 'EXPENSE' order by p.id`,
  );

describe('a preview', () => {
  it('adds up purchases, amounts and accounts of the last twelve months, also of what is in the ledger', async () => {
    engine.source.put(
      views('1', '10.00').record,
      views('2', '20.00').record,
      views('3', '-5.00').record,
      views('4', '30.00', { category: 'TRAVEL' }).record,
      views('5', '40.00', { transactionDate: localDate('2025-11-01') }).record,
    );
    await sync(engine, company);
    const before = await engine.rows('select count(*) from audit_events');
    expect(await inShort(await preview(OFFICE_TO_6200, { effectiveFrom: '2026-01-01' }))).toEqual({
      ...{ read: 4, changed: 3, inForce: 3, replanned: 0, held: 0, released: 0 },
      movements: ['6100 to 6200: 3, 2500 USD'],
    });
    const wider = await inShort(await preview(OFFICE_TO_6200, { months: 24 }));
    expect(wider).toMatchObject({ read: 5, changed: 4, inForce: 0 });
    expect(await engine.rows('select count(*) from audit_events')).toEqual(before);
    expect(await engine.rows('select version from mapping_versions')).toEqual([{ version: 1 }]);
  });

  it('says what is released and what becomes held, and planning does just that', async () => {
    engine.ledger.accounts = engine.ledger.accounts.map((one) => ({ ...one, active: one.code !== '6200' }));
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: period.label !== '2026-10' }));
    engine.source.put(
      views('1', '10.00', { category: 'TRAVEL' }).record,
      views('2', '20.00', { category: 'FOOD' }).record,
      views('3', '30.00', { category: 'TRAVEL', transactionDate: localDate('2026-10-09') }).record,
      views('4', '40.00').record,
    );
    await sync(engine, company);
    const rules: Rules = [
      { category: 'TRAVEL', glAccount: '9999' },
      { category: 'FOOD', glAccount: '6200' },
      { category: 'OFFICE_SUPPLIES', glAccount: '6200' },
    ];
    const shown = await preview(rules, { effectiveFrom: '1900-01-01' });
    expect(await inShort(shown)).toMatchObject({ changed: 4, inForce: 4, replanned: 3, released: 1, held: 1 });
    const { nodes } = await shown.page(10, null);
    const said = new Map(
      nodes.map((change) => [change.id, { to: change.moves[0]?.to.glAccount, holds: codes(change.holdsAfter) }]),
    );
    const toReplan = nodes.filter((change) => change.isReplanned).map(({ id }) => id);
    await save(rules, '1900-01-01');
    const done = await engine.rows<{ id: string; account: string; holds: { code: string }[] }>(
      `select ps.spend_record_id as id, l.gl_account as account, p.holds from postings p
       join posting_spend ps on ps.tenant_id = p.tenant_id and ps.posting_id = p.id
       join posting_lines l on l.tenant_id = p.tenant_id and l.posting_id = p.id and l.role = 'EXPENSE'
       where ps.spend_record_id = any($1)`,
      [toReplan],
    );
    expect(done).toHaveLength(3);
    for (const { id, account, holds } of done) expect(said.get(id)).toEqual({ to: account, holds: codes(holds) });
  });

  it('lists the purchases page by page, each once, also across its batches', async () => {
    const objects = Array.from(
      { length: 2_300 },
      (_, n) => views(String(n), `${n + 1}.00`, { category: n % 2 === 0 ? 'OFFICE_SUPPLIES' : 'TRAVEL' }).record,
    );
    const page = { objects, unreadable: [], nextCursor: null };
    await ingestPage(engine, company.caller, company.sourceId, 'ACCOUNTING_RECORDS', page);
    const shown = await preview(OFFICE_TO_6200);
    const ids: string[] = [];
    for (let after: string | null = null, isFirst = true; isFirst || after !== null; isFirst = false) {
      const page = await shown.page(200, after);
      ids.push(...page.nodes.map(({ id }) => id));
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    }
    expect(new Set(ids).size).toBe(1_150);
    expect(ids).toHaveLength(1_150);
    expect(await (await shown.page(1, null)).countAll()).toBe(1_150);
    await expect(shown.page(1, 'nonsense')).rejects.toThrow('`after` is not a cursor.');
  });

  it('leaves out what a person excluded, and shows nothing of another tenant', async () => {
    engine.source.put(views('1', '10.00').record, views('2', '20.00').record);
    await sync(engine, company);
    await engine.rows(`update spend_records set excluded_by = 'user:x' where origin_key = 'expense:expense_2'`);
    expect(await inShort(await preview(OFFICE_TO_6200))).toMatchObject({ read: 1, changed: 1 });
    const request = { pipelineId: company.pipelineId, rules: OFFICE_TO_6200, months: 12 };
    expect(await previewMapping(engine, callerOf('other'), request)).toMatchObject({
      ok: false,
      problems: [{ code: 'NOT_FOUND' }],
    });
  });

  it('refuses what could not be saved, naming the rule, and months that make no sense', async () => {
    const rules = [{ category: 'A', glAccount: ' ' }];
    const answer = await previewMapping(engine, company.caller, { pipelineId: company.pipelineId, rules, months: 0 });
    expect(answer).toMatchObject({
      ok: false,
      problems: [{ path: ['rules', '0', 'glAccount'] }, { path: ['months'] }],
    });
  });
});

describe('the version that decides', () => {
  it('is the one in force on the posting date, not on the day of the purchase', async () => {
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: period.label !== '2026-10' }));
    done(await updatePipeline(engine, company.caller, company.pipelineId, { closedPeriod: 'NEXT_OPEN_PERIOD' }));
    await save(OFFICE_TO_6200, '2026-11-01');
    // Bought in October, which is closed: posted on 1 November, when version 2 holds.
    engine.source.put(views('1', '10.00', { transactionDate: localDate('2026-10-20') }).record);
    const shown = await preview([{ category: 'OFFICE_SUPPLIES', glAccount: '9999' }], { effectiveFrom: '2026-11-15' });
    await sync(engine, company);
    expect(await accounts()).toMatchObject([{ gl_account: '6200', mapping_version: 2 }]);
    const { nodes } = await shown.page(10, null);
    expect(nodes).toMatchObject([{ day: '2026-11-01', isInForce: false, moves: [{ from: { glAccount: '6200' } }] }]);
  });

  it('in the future leaves today alone, and days before the first version have none', async () => {
    engine.source.put(
      views('1', '10.00', { transactionDate: localDate('2026-12-05') }).record,
      views('2', '20.00').record,
    );
    await save(OFFICE_TO_6200, '2026-12-01');
    await sync(engine, company);
    expect((await accounts()).map((row) => [row.gl_account, row.mapping_version]).sort()).toEqual([
      ['6100', 1],
      ['6200', 2],
    ]);
    await engine.rows(`update mapping_versions set effective_from = '2026-11-15' where version = 1`);
    engine.source.put(views('3', '30.00').record);
    await sync(engine, company);
    const held = (await postings(engine)).filter(({ status }) => status === 'HELD');
    expect(held.map(({ holds }) => codes(holds))).toEqual([['MAPPING_MISSING']]);
    expect(held[0]?.holds[0]?.message).toContain('no mapping rules are set');
  });

  it('that came later takes nothing back that an earlier one decided, when the books would be the same', async () => {
    await save([{ merchant: '*', glAccount: '6100' }], '1900-01-01');
    const october = { transactionDate: localDate('2026-10-20') };
    engine.source.put(views('1', '10.00', october).record);
    await sync(engine, company);
    engine.ledger.periods = engine.ledger.periods.map((period) => ({ ...period, open: period.label !== '2026-10' }));
    done(await updatePipeline(engine, company.caller, company.pipelineId, { closedPeriod: 'NEXT_OPEN_PERIOD' }));
    await save([{ merchant: '*', glAccount: '6200' }], '2026-11-01');
    engine.source.put(views('1', '10.00', { ...october, version: 'again', category: 'TRAVEL' }).record);
    await sync(engine, company);
    expect(engine.ledger.documents).toHaveLength(1);
    engine.source.put(views('1', '15.00', { ...october, category: 'TRAVEL' }).record);
    await sync(engine, company);
    // A true correction is a new document, and the version of its own posting date decides it.
    expect(engine.ledger.documents).toHaveLength(3);
    expect(engine.ledger.balanceOf('6100')).toBe(0n);
    expect(engine.ledger.balanceOf('6200')).toBe(1_500n);
  });

  it('holds for what is replayed as well', async () => {
    engine.source.put(views('1', '10.00', { category: 'TRAVEL' }).record);
    await sync(engine, company);
    await save([{ category: 'TRAVEL', glAccount: '9999' }], '2026-11-10');
    expect(await accounts()).toMatchObject([{ status: 'HELD', gl_account: '' }]);
    await save([{ category: 'TRAVEL', glAccount: '9999' }], '2026-11-09');
    done(await replayPostings(engine, company.caller, { pipelineId: company.pipelineId }, null));
    await engine.runJobs();
    expect(await accounts()).toMatchObject([{ status: 'POSTED', gl_account: '9999', mapping_version: 3 }]);
  });
});

function codes(holds: readonly { code: string }[]): string[] {
  return holds.map(({ code }) => code);
}
