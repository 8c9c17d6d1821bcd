import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/domain/ids.js';
import {
  Gateway,
  json,
  type PipelineIds,
  seedPipeline,
  seedPosting,
  seedRecord,
} from '../../support/graphqlFixtures.js';

// Reads through the server. Would catch: a field that loads one row at a time, a page that skips or repeats rows, a
// secret among settings, an amount that lost its decimals, another tenant's rows.

const PAGE = `query Page($first: Int, $after: String) {
  glPostings(first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node {
      id status reference totalDebit totalCredit
      pipeline { id source { id name } lastSync { id } mapping { version } }
      ledger { id credential { kind } }
      supplier { code name active }
      lines { lineNumber glAccount debit credit spendRecordIds dimensions }
      attempts { number outcome }
      holds { code resolution }
      reverses { id } reversedBy { id }
      spendRecords(first: 2) { totalCount nodes { id amount { amount currency } source { name } sourceRefs { stream id } postings { id } vendorMatch { id } } }
      auditEvents(first: 1) { totalCount pageInfo { hasNextPage } nodes { sequence action } }
    } }
  }
}`;

describe('reads', () => {
  let gateway: Gateway;
  let ids: PipelineIds;
  let auditor: string;

  beforeAll(async () => {
    gateway = await Gateway.start();
    ids = await seedPipeline(gateway);
    auditor = await gateway.key('AUDITOR');
  });
  afterAll(() => gateway.stop());

  it('takes the same number of statements for 5 postings and for 50, with everything below them', async () => {
    for (let index = 0; index < 50; index += 1) await seedPosting(gateway, ids);
    const cost = async (first: number) => {
      const before = gateway.db.statements.count;
      const data = await gateway.data(auditor, PAGE, { first });
      return { data, statements: gateway.db.statements.count - before };
    };
    await cost(1);
    const five = await cost(5);
    const fifty = await cost(50);
    expect(five.data.glPostings.edges).toHaveLength(5);
    expect(fifty.data.glPostings.edges).toHaveLength(50);
    expect(fifty.statements).toBe(five.statements);
    expect(fifty.statements).toBeLessThan(45);
    for (const { node } of fifty.data.glPostings.edges) {
      expect(node.lines).toHaveLength(2);
      expect(node.attempts).toHaveLength(2);
      expect(node.supplier.active).toBe(true);
      expect(node.spendRecords.totalCount).toBe(1);
      expect(node.spendRecords.nodes[0].postings).toEqual([{ id: node.id }]);
      expect(node.spendRecords.nodes[0].sourceRefs[0].id).toBe(`expense_${node.spendRecords.nodes[0].id}`);
      expect(node.auditEvents.totalCount).toBe(2);
      expect(node.auditEvents.nodes).toMatchObject([{ action: 'posting.planned' }]);
      expect(node.auditEvents.pageInfo.hasNextPage).toBe(true);
    }
  });

  it('counts the whole list only when the count is selected', async () => {
    const cost = async (fields: string) => {
      const before = gateway.db.statements.count;
      await gateway.data(auditor, `{ glPostings(first: 1) { nodes { id } ${fields} } }`);
      return gateway.db.statements.count - before;
    };
    const without = await cost('');
    // The count is asked for once the page is there: a transaction of its own.
    expect(await cost('totalCount')).toBe(without + 3);
  });

  it('pages through everything once, whatever is written meanwhile', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    const all = (await gateway.data(auditor, '{ glPostings(first: 200) { nodes { id } } }')).glPostings.nodes;
    for (;;) {
      const { glPostings } = await gateway.data(auditor, PAGE, { first: 7, after });
      seen.push(...glPostings.edges.map(({ node }: { node: { id: string } }) => node.id));
      expect(glPostings.pageInfo.hasPreviousPage).toBe(after !== null);
      await seedPosting(gateway, ids);
      if (!glPostings.pageInfo.hasNextPage) break;
      after = glPostings.pageInfo.endCursor;
    }
    expect(seen).toEqual(all.map(({ id }: { id: string }) => id));
    expect(seen).toEqual([...seen].sort().reverse());
  });

  it('says that there is no previous page when the rows before the cursor are gone', async () => {
    const system = newId('sys');
    for (const code of ['A', 'B', 'C']) {
      await gateway.insert('gl_accounts', { system_id: system, code, name: code, active: true });
    }
    const page = (after: string | null) =>
      gateway.data(
        auditor,
        'query ($s: ID!, $after: String) { glAccounts(systemId: $s, first: 1, after: $after) { nodes { code } pageInfo { hasPreviousPage hasNextPage endCursor } } }',
        { s: system, after },
      );
    const first = (await page(null)).glAccounts;
    expect(first.nodes).toEqual([{ code: 'A' }]);
    expect((await page(first.pageInfo.endCursor)).glAccounts.pageInfo.hasPreviousPage).toBe(true);
    await gateway.db.tenant('acme', (tx) =>
      tx.execute("delete from gl_accounts where code = 'A' and system_id = $1", [system]),
    );
    const second = (await page(first.pageInfo.endCursor)).glAccounts;
    expect(second).toMatchObject({ nodes: [{ code: 'B' }], pageInfo: { hasPreviousPage: false, hasNextPage: true } });
    await gateway.db.tenant('acme', (tx) =>
      tx.execute("delete from gl_accounts where code <> 'A' and system_id = $1", [system]),
    );
    const empty = (await page(second.pageInfo.endCursor)).glAccounts;
    expect(empty).toEqual({ nodes: [], pageInfo: { hasPreviousPage: false, hasNextPage: false, endCursor: null } });
  });

  it.each([0, -1, 201])('refuses a page of %i rows, naming `first`', async (first) => {
    const { body } = await gateway.ask(auditor, PAGE, { first });
    expect(body.errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'first' });
  });

  it('refuses cursors that are malformed or of another list', async () => {
    const { alerts: _none, auditEvents } = await gateway.data(
      auditor,
      '{ alerts { id } auditEvents(first: 1) { pageInfo { endCursor } } }',
    );
    const forged = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
    const wrong = [
      'x',
      '!!!!',
      auditEvents.pageInfo.endCursor,
      forged('glPostings'),
      forged('glPostings', 1),
      forged('glPostings', 'a', 'b'),
      forged('glPostings', '\u0000'),
      'A'.repeat(5_000),
    ];
    for (const after of wrong) {
      const { body } = await gateway.ask(auditor, PAGE, { after });
      expect(body.errors?.[0].extensions, after).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'after' });
    }
    const { body } = await gateway.ask(
      auditor,
      '{ auditEvents(after: "%") { nodes { id } } }'.replace('%', forged('auditEvents', "1'")),
    );
    expect(body.errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'after' });
  });

  it('shows the audit trail oldest first and continues it by sequence', async () => {
    const first = await gateway.data(
      auditor,
      '{ auditEvents(first: 9) { nodes { sequence } pageInfo { endCursor } } }',
    );
    expect(first.auditEvents.nodes.map(({ sequence }: { sequence: string }) => sequence)).toEqual([
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
      '9',
    ]);
    const query = 'query ($after: String) { auditEvents(first: 2, after: $after) { nodes { sequence } } }';
    const next = await gateway.data(auditor, query, { after: first.auditEvents.pageInfo.endCursor });
    expect(next.auditEvents.nodes).toEqual([{ sequence: '10' }, { sequence: '11' }]);
  });

  it('shows settings without secrets, at any depth', async () => {
    const { system } = await gateway.data(
      auditor,
      'query ($id: ID!) { system(id: $id) { settings webhookPath credential { kind fingerprint } } }',
      { id: ids.source },
    );
    expect(system.settings).toEqual({ pageSize: 100, nested: { depth: 1 }, list: [{}] });
    expect(system.webhookPath).toBe(`/webhooks/${ids.source}`);
    const { system: ledger } = await gateway.data(auditor, 'query ($id: ID!) { system(id: $id) { webhookPath } }', {
      id: ids.ledger,
    });
    expect(ledger.webhookPath).toBeNull();
  });

  it("publishes each connector's forms, with secrets that can only be written", async () => {
    const { connectors } = await gateway.data(
      auditor,
      '{ connectors { kind role documentTypes credentialsSchema settingsSchema } }',
    );
    const brex = connectors.find(({ kind }: { kind: string }) => kind === 'BREX');
    expect(brex.credentialsSchema.properties.token).toEqual({ type: 'string', writeOnly: true });
    expect(brex.credentialsSchema.properties.kind.writeOnly).toBeUndefined();
    expect(brex.settingsSchema.properties.webhookSecret.writeOnly).toBe(true);
    expect(brex.settingsSchema.properties.nested.properties.sessionSalt.writeOnly).toBe(true);
    expect(brex.settingsSchema.properties.pageSize.writeOnly).toBeUndefined();
    // A default need not be given.
    expect(brex.settingsSchema.required ?? []).not.toContain('pageSize');
    expect(brex.settingsSchema.additionalProperties).toBe(false);
    expect(brex.documentTypes).toEqual([]);
  });

  it('gives amounts with all decimals of their currency', async () => {
    const id = await seedRecord(gateway, ids, { amount: '-0.5', currency: 'USD' });
    const yen = await seedRecord(gateway, ids, { amount: '1030.00', currency: 'JPY' });
    const query = `query ($id: ID!) { spendRecord(id: $id) { amount { amount } originalAmount { amount currency } tax { amount }
      exchangeRate kind parts { amount { amount currency } tax { amount } category dimensions memo } dimensions waitingReason } }`;
    expect((await gateway.data(auditor, query, { id })).spendRecord).toMatchObject({
      amount: { amount: '-0.50' },
      originalAmount: { amount: '1000', currency: 'JPY' },
      tax: { amount: '-0.05' },
      exchangeRate: '1.2345',
      kind: 'PURCHASE',
      parts: [{ amount: { amount: '1234.50', currency: 'USD' }, tax: null, category: 'cat_meals', memo: null }],
      dimensions: { Department: 'R&D' },
      waitingReason: null,
    });
    expect((await gateway.data(auditor, query, { id: yen })).spendRecord.amount.amount).toBe('1030');
    const fils = await seedRecord(gateway, ids, { amount: '12.3400', currency: 'KWD' });
    expect((await gateway.data(auditor, query, { id: fils })).spendRecord.amount.amount).toBe('12.340');
  });

  it('shows a dry run as the documents that would be posted', async () => {
    const id = newId('run');
    await gateway.insert('sync_runs', {
      id,
      pipeline_id: ids.pipeline,
      trigger: 'MANUAL',
      dry_run: true,
      status: 'SUCCEEDED',
      preview: json([
        {
          status: 'READY',
          reference: 'ABC123',
          documentType: 'JOURNAL',
          postingDate: '2026-11-18',
          currency: 'USD',
          supplierCode: 'NOT-LISTED',
          total: '12.50',
          holds: [],
          mappingVersion: 3,
          planHash: 'a'.repeat(64),
          reversesId: null,
          lines: [
            {
              lineNumber: 1,
              glAccount: '0061',
              costCentre: null,
              dimensions: {},
              taxCode: null,
              debit: '12.50',
              credit: '0.00',
              memo: null,
              spendRecordIds: [],
              explanation: 'Rule 1.',
            },
          ],
        },
      ]),
      correlation_id: 'c',
      requested_by: 'user:test',
      created_at: new Date(),
    });
    const { syncRun } = await gateway.data(
      auditor,
      'query ($id: ID!) { syncRun(id: $id) { preview { status reference totalDebit supplier { code active } pipeline { id } lines { glAccount debit credit } attempts { number } spendRecords { totalCount } } } }',
      { id },
    );
    expect(syncRun.preview).toEqual([
      {
        status: 'READY',
        reference: 'ABC123',
        totalDebit: '12.50',
        supplier: { code: 'NOT-LISTED', active: false },
        pipeline: { id: ids.pipeline },
        lines: [{ glAccount: '0061', debit: '12.50', credit: '0.00' }],
        attempts: [],
        spendRecords: { totalCount: 0 },
      },
    ]);
  });

  it('filters postings by what they are held for and finds text literally', async () => {
    const { id } = await seedPosting(gateway, ids, {
      holds: json([{ code: 'MAPPING_MISSING', message: 'm', resolution: 'r' }]),
    });
    const held = await gateway.data(
      auditor,
      '{ glPostings(filter: { holdCodes: ["MAPPING_MISSING"] }) { totalCount nodes { id } } }',
    );
    expect(held.glPostings).toEqual({ totalCount: 1, nodes: [{ id }] });
    await seedRecord(gateway, ids, { merchant_name: '100% Juice' });
    const found = await gateway.data(
      auditor,
      '{ spendRecords(filter: { merchant: "0% j" }) { nodes { merchantName } } }',
    );
    expect(found.spendRecords.nodes).toEqual([{ merchantName: '100% Juice' }]);
    const none = await gateway.data(auditor, '{ spendRecords(filter: { merchant: "_lue" }) { nodes { id } } }');
    expect(none.spendRecords.nodes).toEqual([]);
  });

  it("finds a pipeline's purchases by its source and streams", async () => {
    const other = await seedPipeline(gateway);
    const id = await seedRecord(gateway, other);
    const query = 'query ($p: ID!) { spendRecords(filter: { pipelineId: $p }) { nodes { id } } }';
    expect((await gateway.data(auditor, query, { p: other.pipeline })).spendRecords.nodes).toEqual([{ id }]);
  });

  it('finds everything by its id, and nothing of another tenant', async () => {
    await gateway.tenant('other');
    const foreign = await seedPipeline(gateway, 'other');
    const { id } = await seedPosting(gateway, ids);
    const query = 'query ($id: ID!) { node(id: $id) { __typename id } }';
    expect((await gateway.data(auditor, query, { id })).node).toEqual({ __typename: 'GlPosting', id });
    expect((await gateway.data(auditor, query, { id: ids.pipeline })).node.__typename).toBe('Pipeline');
    expect((await gateway.data(auditor, query, { id: foreign.pipeline })).node).toBeNull();
    expect((await gateway.data(auditor, query, { id: 'nothing' })).node).toBeNull();
    const stranger = await gateway.key('ADMIN', 'other');
    expect(await gateway.data(stranger, '{ systems { id } glPostings { totalCount } }')).toMatchObject({
      systems: [{ id: foreign.ledger }, { id: foreign.source }],
      glPostings: { totalCount: 0 },
    });
  });

  it('refuses days that do not exist, numbers for decimals and text that no database holds', async () => {
    const day = await gateway.ask(auditor, 'query ($d: Date) { spendRecords(filter: { from: $d }) { totalCount } }', {
      d: '2026-02-30',
    });
    expect(day.body.errors[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
    expect(day.body.errors[0].message).toContain('2026-02-30');
    const nul = await gateway.ask(auditor, 'query ($id: ID!) { pipeline(id: $id) { id } }', { id: 'pipe_\u0000' });
    expect(nul.body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
  });

  it('says when a pipeline runs next, and nothing when it is switched off', async () => {
    const { pipeline } = await gateway.data(
      auditor,
      'query ($id: ID!) { pipeline(id: $id) { nextSyncAt coding correction lastSync { id } } }',
      { id: ids.pipeline },
    );
    expect(pipeline.nextSyncAt).toMatch(/T0[45]:00:00.000Z$/);
    expect(pipeline).toMatchObject({ coding: 'RICHEST', correction: 'REVERSE_AND_REPLACE', lastSync: null });
    await gateway.db.tenant('acme', (tx) =>
      tx.execute('update pipelines set enabled = false where id = $1', [ids.pipeline]),
    );
    const off = await gateway.data(auditor, 'query ($id: ID!) { pipeline(id: $id) { nextSyncAt } }', {
      id: ids.pipeline,
    });
    expect(off.pipeline.nextSyncAt).toBeNull();
  });
});
