import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpServer, type RunningHttpServer } from '../../../src/http/server.js';
import { createUseCases } from '../../../src/services/allUseCases.js';
import { ensureBootstrapAdmin } from '../../../src/services/apiKeys.js';
import { EventFeed } from '../../../src/services/eventFeed.js';
import { type Company, makeCompany, makeTestEngine, type TestEngine } from '../../support/engine.js';
import { views } from '../../support/fakes.js';

// The API over the real engine with an in-memory source and ledger. Would catch: a column that the engine writes in
// another form than the reads expect (amounts in JSON, previews, holds, candidates), which fixtures of our own cannot.

const KEY = 'bootstrap-key';

describe('the API over the real engine', () => {
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
      host: '127.0.0.1',
      port: 0,
      db: engine.db,
      clock: engine.clock,
      logger: engine.logger,
      connectors: engine.connectors,
      useCases: createUseCases(engine),
      feed,
      webhooks: async () => ({ status: 404, body: {} }),
      isReady: async () => true,
      isProduction: false,
    });
    await ensureBootstrapAdmin(engine.db, KEY, engine.clock.now());
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
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown };
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  const trigger = (input: object) =>
    ask(
      'mutation ($input: TriggerSyncInput!) { triggerSync(input: $input) { syncRun { id status dryRun } userErrors { code message } } }',
      {
        input: { pipelineId: company.pipelineId, ...input },
      },
    );

  it('shows a dry run as the exact documents, and nothing is kept', async () => {
    engine.source.put(views('1', '100.00').record, views('2', '-12.05').record);
    const { triggerSync } = await trigger({ dryRun: true });
    expect(triggerSync.userErrors).toEqual([]);
    await engine.runJobs();
    const { syncRun, glPostings } = await ask(
      `query ($id: ID!) { syncRun(id: $id) { status error recordsRead preview { status reference totalDebit totalCredit currency postingDate pipeline { id } holds { code }
        lines { glAccount debit credit explanation } spendRecords { totalCount } } } glPostings { totalCount } }`,
      { id: triggerSync.syncRun.id },
    );
    expect(syncRun).toMatchObject({ status: 'SUCCEEDED', error: null });
    expect(syncRun.preview).toHaveLength(2);
    const [purchase] = syncRun.preview.filter(({ totalDebit }: { totalDebit: string }) => totalDebit === '100.00');
    expect(purchase).toMatchObject({
      status: 'READY',
      totalCredit: '100.00',
      currency: 'USD',
      pipeline: { id: company.pipelineId },
    });
    expect(purchase.lines).toMatchObject([
      { glAccount: '6100', debit: '100.00', credit: '0.00', explanation: expect.stringMatching(/./) },
      { glAccount: '2110', debit: '0.00', credit: '100.00' },
    ]);
    expect(glPostings.totalCount).toBe(0);
  });

  it('shows what a sync read and posted, from purchase to ledger document and back', async () => {
    const { triggerSync } = await trigger({ idempotencyKey: 'once' });
    expect((await trigger({ idempotencyKey: 'once' })).triggerSync.syncRun.id).toBe(triggerSync.syncRun.id);
    await engine.runJobs();
    const data = await ask(
      `query ($id: ID!) {
        syncRun(id: $id) { status recordsNew trigger pipeline { lastSync { id } } }
        spendRecords { totalCount nodes {
          id status kind revision amount { amount currency } parts { amount { amount currency } tax { amount } category } merchantName merchantDescriptor mcc spender
          transactionDate postedDate sourceRefs { stream id } vendorMatch { status score candidates { supplier { code } } } waitingReason
          postings { id status ledgerDocumentId supplier { code } attempts { number outcome } spendRecords { nodes { id } }
            auditEvents { nodes { action correlationId summary } } lines { spendRecordIds } }
        } }
      }`,
      { id: triggerSync.syncRun.id },
    );
    expect(data.syncRun).toMatchObject({
      status: 'SUCCEEDED',
      trigger: 'MANUAL',
      recordsNew: 2,
      pipeline: { lastSync: { id: triggerSync.syncRun.id } },
    });
    expect(data.spendRecords.totalCount).toBe(2);
    const refund = data.spendRecords.nodes.find(({ kind }: { kind: string }) => kind === 'REFUND');
    expect(refund).toMatchObject({
      status: 'POSTED',
      revision: 1,
      amount: { amount: '-12.05', currency: 'USD' },
      parts: [{ amount: { amount: '-12.05', currency: 'USD' }, tax: null, category: 'OFFICE_SUPPLIES' }],
      merchantName: 'Office Depot',
      merchantDescriptor: 'OFFICE DEPOT #88',
      mcc: '5943',
      spender: 'Ana Ruiz',
      transactionDate: '2026-11-09',
      postedDate: '2026-11-11',
      sourceRefs: [{ stream: 'ACCOUNTING_RECORDS', id: 'record_2' }],
      waitingReason: null,
    });
    const [posting] = refund.postings;
    expect(posting).toMatchObject({
      status: 'POSTED',
      ledgerDocumentId: expect.stringMatching(/./),
      attempts: [{ number: 1 }],
    });
    expect(posting.spendRecords.nodes).toEqual([{ id: refund.id }]);
    expect(posting.auditEvents.nodes.map(({ action }: { action: string }) => action)).toContain('posting.posted');
    expect(posting.lines[0].spendRecordIds).toEqual([refund.id]);
  });

  it('reverses, reconciles and keeps a trail that verifies', async () => {
    const { glPostings } = await ask('{ glPostings(first: 1) { nodes { id } } }');
    const [{ id }] = glPostings.nodes;
    const { reversePosting } = await ask(
      'mutation ($id: ID!) { reversePosting(id: $id, reason: "Wrong month.") { posting { id reverses { id } } userErrors { code message } } }',
      { id },
    );
    expect(reversePosting).toMatchObject({ posting: { reverses: { id } }, userErrors: [] });
    await engine.runJobs();
    const data = await ask(
      `query ($id: ID!, $p: ID!) {
        glPosting(id: $id) { status reversedBy { id status } }
        verifyAuditChain { ok }
        reconciliation(pipelineId: $p, from: "2026-11-01", to: "2026-11-30") { complete totals { currency source difference } }
      }`,
      { id, p: company.pipelineId },
    );
    expect(data.glPosting).toEqual({
      status: 'REVERSED',
      reversedBy: { id: reversePosting.posting.id, status: 'POSTED' },
    });
    expect(data.verifyAuditChain.ok).toBe(true);
    expect(data.reconciliation).toMatchObject({
      complete: true,
      totals: [{ currency: 'USD', source: '87.95', difference: '0.00' }],
    });
  });

  it('refuses in userErrors, not by an error, and never shows a credential', async () => {
    const { connectSystem } = await ask(
      'mutation { connectSystem(input: { kind: BREX, name: "X", credentials: { token: 5 } }) { system { id } userErrors { code path } } }',
    );
    expect(connectSystem.system).toBeNull();
    expect(connectSystem.userErrors[0].path).toContain('token');
    const { systems, auditEvents } = await ask(
      '{ systems { settings credential { kind fingerprint } } auditEvents(first: 200) { nodes { before after summary } } }',
    );
    expect(systems).toHaveLength(2);
    expect(JSON.stringify([systems, auditEvents])).not.toMatch(/source-token|ledger-token|bootstrap-key/);
  });
});
