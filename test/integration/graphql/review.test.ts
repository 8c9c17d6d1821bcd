import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer, type RunningHttpServer } from '../../../src/http/server.js';
import { createUseCases } from '../../../src/services/allUseCases.js';
import { ensureBootstrapAdmin } from '../../../src/services/apiKeys.js';
import { EventFeed } from '../../../src/services/eventFeed.js';
import { refreshMasterData } from '../../../src/services/masterData.js';
import { type Company, done, makeCompany, makeTestEngine, sync, type TestEngine } from '../../support/engine.js';
import { views } from '../../support/fakes.js';

// What finance reviews, through the server: previews, drift, suspected duplicates. Would catch: amounts that lose their
// decimals on the way, a preview that is computed although nobody asks for it, a twin that is named but not shown.

const KEY = 'bootstrap-key';
const DAY_MS = 86_400_000;

const PREVIEW = `query ($id: ID!, $rules: [MappingRuleInput!]!, $first: Int, $after: String) {
  previewMappingRules(pipelineId: $id, rules: $rules, effectiveFrom: "2026-11-01") {
    version effectiveFrom from to userErrors { code path }
    totals { recordsRead recordsChanged recordsInForce recordsReplanned becomeHeld becomeReleased unlistedRecords
      movements { from { glAccount costCentre taxCode dimensions } to { glAccount } recordCount recordCountInForce
        amounts { amount currency } } }
    records(first: $first, after: $after) { totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
      nodes { postingDate currency isInForce isReplanned holdsBefore { code } holdsAfter { code message }
        moves { from { glAccount } to { glAccount } amount { amount currency } } spendRecord { merchantName amount { amount } } } }
  }
}`;

describe('what finance reviews', () => {
  let engine: TestEngine;
  let company: Company;
  let feed: EventFeed;
  let server: RunningHttpServer;

  beforeAll(async () => {
    engine = await makeTestEngine();
    company = await makeCompany(engine);
    feed = new EventFeed({ connectionString: engine.connectionString, db: engine.db, logger: engine.logger });
    await feed.start();
    server = await createHttpServer({
      ...{ host: '127.0.0.1', port: 0, db: engine.db, clock: engine.clock, logger: engine.logger },
      ...{ connectors: engine.connectors, useCases: createUseCases(engine), feed, isProduction: false },
      webhooks: async () => ({ status: 404, body: {} }),
      isReady: async () => true,
    });
    await ensureBootstrapAdmin(engine.db, KEY, engine.clock.now());
    engine.source.put(
      views('1', '100.00').record,
      views('2', '-12.05').record,
      views('3', '7.00', { category: 'FOOD' }).record,
    );
    await sync(engine, company);
  });
  afterAll(async () => {
    await server.stop();
    await feed.stop();
    await engine.close();
  });

  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever it asked for, and fails when it is not there.
  async function ask(query: string, variables: object = {}): Promise<any> {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ query, variables: { id: company.pipelineId, ...variables } }),
    });
    const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown };
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  const rules = [
    { category: 'OFFICE_SUPPLIES', glAccount: '6200' },
    { category: 'FOOD', glAccount: '9999' },
  ];

  it('a preview adds up and lists what would change, a page at a time', async () => {
    const { previewMappingRules: first } = await ask(PREVIEW, { rules, first: 2 });
    expect(first).toMatchObject({
      ...{ version: 2, effectiveFrom: '2026-11-01', from: '2025-11-20', to: '2026-11-20', userErrors: [] },
      totals: {
        ...{ recordsRead: 3, recordsChanged: 3, recordsInForce: 3, recordsReplanned: 1 },
        ...{ becomeHeld: 0, becomeReleased: 1, unlistedRecords: 0 },
      },
    });
    expect(first.totals.movements).toEqual([
      {
        from: { glAccount: '6100', costCentre: null, taxCode: null, dimensions: {} },
        to: { glAccount: '6200' },
        ...{ recordCount: 2, recordCountInForce: 2, amounts: [{ amount: '87.95', currency: 'USD' }] },
      },
      {
        from: { glAccount: null, costCentre: null, taxCode: null, dimensions: {} },
        to: { glAccount: '9999' },
        ...{ recordCount: 1, recordCountInForce: 1, amounts: [{ amount: '7.00', currency: 'USD' }] },
      },
    ]);
    expect(first.records).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    const after = first.records.pageInfo.endCursor;
    const { previewMappingRules: second } = await ask(PREVIEW, { rules, first: 2, after });
    const nodes = [...first.records.nodes, ...second.records.nodes];
    expect(second.records.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(nodes.map(({ moves }) => moves[0].amount.amount).sort()).toEqual(['-12.05', '100.00', '7.00']);
    const food = nodes.find(({ isReplanned }) => isReplanned);
    expect(food).toMatchObject({
      ...{ postingDate: '2026-11-09', isInForce: true, holdsBefore: [{ code: 'MAPPING_MISSING' }], holdsAfter: [] },
      spendRecord: { merchantName: 'Office Depot', amount: { amount: '7.00' } },
    });
  });

  it('a preview of rules that could not be saved says why', async () => {
    const { previewMappingRules } = await ask(PREVIEW, { rules: [{ glAccount: '', mcc: '1' }] });
    expect(previewMappingRules).toMatchObject({ version: null, totals: null, records: null });
    expect(previewMappingRules.userErrors.map(({ path }: { path: string[] }) => path.join('.'))).toEqual([
      'rules.0.glAccount',
      'rules.0.mcc',
    ]);
  });

  it('saved rules that name what the ledger has lost come with a warning, and with an alert', async () => {
    done(await refreshMasterData(engine, company.caller, company.ledgerId));
    const { setMappingRules } = await ask(
      `mutation ($id: ID!, $rules: [MappingRuleInput!]!) { setMappingRules(pipelineId: $id, rules: $rules, effectiveFrom: "1900-01-01") {
        mapping { version } warnings { code message path resolution } userErrors { code } } }`,
      { rules: [...rules, { category: 'FUEL', glAccount: '7777' }] },
    );
    expect(setMappingRules).toMatchObject({ mapping: { version: 2 }, userErrors: [] });
    expect(setMappingRules.warnings).toMatchObject([{ code: 'MAPPING_DRIFT', path: ['rules'] }]);
    const { alerts } = await ask('{ alerts { code message systemId pipelineId } }');
    expect(alerts).toMatchObject([
      { code: 'MAPPING_DRIFT', systemId: company.ledgerId, pipelineId: company.pipelineId },
    ]);
    await engine.runJobs();
  });

  it('a suspected duplicate shows its twin, and the pipeline its settings', async () => {
    engine.clock.advance(5 * DAY_MS);
    engine.source.put(views('9', '100.00').record);
    await sync(engine, company);
    const { glPostings } = await ask(
      `{ glPostings(filter: { holdCodes: ["SUSPECTED_DUPLICATE"] }) { nodes { id spendRecords { nodes { id } }
        holds { code twin { id sourceRefs { id } amount { amount } } } } } }`,
    );
    const [held] = glPostings.nodes;
    expect(held.holds).toMatchObject([{ twin: { sourceRefs: [{ id: 'record_1' }], amount: { amount: '100.00' } } }]);
    expect(held.holds[0].twin.id).not.toBe(held.spendRecords.nodes[0].id);
    const { replayPosting } = await ask(
      'mutation ($post: ID!) { replayPosting(id: $post, note: "Two orders.") { userErrors { code } } }',
      { post: held.id },
    );
    expect(replayPosting.userErrors).toEqual([]);
    await engine.runJobs();
    const { glPosting } = await ask('query ($post: ID!) { glPosting(id: $post) { status holds { code } } }', {
      post: held.id,
    });
    expect(glPosting).toEqual({ status: 'POSTED', holds: [] });

    const change = (input: string) =>
      ask(`mutation ($id: ID!) { updatePipeline(id: $id, input: { ${input} }) {
        pipeline { duplicateCheck duplicateDays duplicateImportDays } userErrors { path } } }`);
    expect((await change('duplicateCheck: ALWAYS, duplicateDays: 1')).updatePipeline.pipeline).toEqual({
      ...{ duplicateCheck: 'ALWAYS', duplicateDays: 1, duplicateImportDays: 2 },
    });
    const { updatePipeline } = await change('duplicateDays: 40, duplicateImportDays: 0');
    expect(updatePipeline.userErrors.map(({ path }: { path: string[] }) => path[1])).toEqual([
      'duplicateDays',
      'duplicateImportDays',
    ]);
  });
});
