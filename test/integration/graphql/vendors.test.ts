import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway, json, type PipelineIds, seedPipeline } from '../../support/graphqlFixtures.js';

// What people and dashboards see of vendor matching. Would catch: a match without its sentence, links of another tenant,
// a page that skips links, a statement for every link, thresholds that an operator can save.

const NOW = new Date('2026-11-20T10:00:00Z');
const LINKS = `query Links($id: ID!, $state: VendorLinkState, $first: Int, $after: String) {
  vendorLinks(systemId: $id, state: $state, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { supplierCode supplierName vendorId vendorName state note linkedBy source { name } ledger { name } }
  }
}`;

describe('vendors', () => {
  let gateway: Gateway;
  let ids: PipelineIds;
  let viewer: string;

  beforeAll(async () => {
    gateway = await Gateway.start();
    ids = await seedPipeline(gateway);
    viewer = await gateway.key('VIEWER');
    for (let n = 0; n < 12; n += 1) {
      const isLinked = n % 3 !== 0;
      await gateway.insert('vendor_links', {
        ...{ source_id: ids.source, ledger_id: ids.ledger, supplier_code: `S${String(n).padStart(2, '0')}` },
        ...{ supplier_name: `Supplier ${n}`, vendor_id: isLinked ? `v${n}` : null, vendor_name: isLinked ? 'V' : null },
        ...{ state: isLinked ? 'LINKED' : 'CONFLICT', note: isLinked ? null : 'Look at it.', updated_at: NOW },
        linked_by: isLinked ? 'system:masterData' : null,
      });
    }
    await gateway.insert('vendor_matches', {
      ...{ id: 'vm_1', ledger_id: ids.ledger, merchant_key: 'acme', merchant_name: 'ACME', status: 'NEEDS_REVIEW' },
      ...{ score: 0.6, method: 'FUZZY', evidence: json({}), candidates: json([]), created_at: NOW, updated_at: NOW },
      explanation: '“ACME” may be Acme Tools (S1); it is not certain enough to post without a person.',
    });
  });
  afterAll(() => gateway.stop());

  it('a match explains itself in a sentence', async () => {
    const data = await gateway.data(viewer, '{ vendorMatches { nodes { explanation } } }');
    expect(data.vendorMatches.nodes).toEqual([{ explanation: expect.stringMatching(/^“ACME” may be .*\.$/) }]);
  });

  it('links are read page by page from either side, in as many statements for ten as for one', async () => {
    const pages: string[] = [];
    let after: string | null = null;
    do {
      const { vendorLinks } = await gateway.data(viewer, LINKS, { id: ids.ledger, first: 5, after });
      pages.push(...vendorLinks.nodes.map(({ supplierCode }: { supplierCode: string }) => supplierCode));
      after = vendorLinks.pageInfo.hasNextPage ? vendorLinks.pageInfo.endCursor : null;
    } while (after !== null);
    expect(pages).toEqual(Array.from({ length: 12 }, (_, n) => `S${String(n).padStart(2, '0')}`));
    const cost = async (first: number) => {
      const before = gateway.db.statements.count;
      const { vendorLinks } = await gateway.data(viewer, LINKS, { id: ids.source, first });
      return { links: vendorLinks, statements: gateway.db.statements.count - before };
    };
    const one = await cost(1);
    const ten = await cost(10);
    expect(ten.links).toMatchObject({ totalCount: 12 });
    expect(ten.links.nodes).toHaveLength(10);
    expect(ten.links.nodes[1]).toMatchObject({ vendorId: 'v1', source: { name: 'Brex' }, ledger: { name: 'SYSPRO' } });
    expect(ten.statements).toBe(one.statements);
  });

  it('links in conflict are listed alone, with what is wrong', async () => {
    const { vendorLinks } = await gateway.data(viewer, LINKS, { id: ids.ledger, state: 'CONFLICT' });
    expect(vendorLinks.totalCount).toBe(4);
    expect(new Set(vendorLinks.nodes.map(({ note }: { note: string }) => note))).toEqual(new Set(['Look at it.']));
  });

  it('links of another tenant are not there', async () => {
    await gateway.tenant('other');
    const data = await gateway.data(await gateway.key('VIEWER', 'other'), LINKS, { id: ids.ledger });
    expect(data.vendorLinks.nodes).toEqual([]);
  });

  it('thresholds are set by an administrator only', async () => {
    const operator = await gateway.key('OPERATOR');
    const input = { ledgerId: ids.ledger, autoScore: 0.5, autoMargin: 0, reviewScore: 0.1 };
    const { body } = await gateway.ask(
      operator,
      'mutation M($input: VendorThresholdsInput!) { setVendorThresholds(input: $input) { userErrors { code } } }',
      { input },
    );
    expect(body.errors[0].extensions.code).toBe('FORBIDDEN');
  });
});
