// What people see of approvals, previews and receipts, through the server. Would catch: a field that the schema shows and
// nobody fills, a receipt that another tenant or nobody in particular can read, a header that lets a browser run it.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { receiptRoutes } from '../../../src/http/receipts.js';
import { receiptId } from '../../../src/services/receipts.js';
import type { ReplayPreview } from '../../../src/services/replayPreview.js';
import type { UseCases } from '../../../src/services/useCases.js';
import { Gateway, type PipelineIds, seedPipeline, seedPosting } from '../../support/graphqlFixtures.js';

let base: Gateway;
let gateway: Gateway;
let ids: PipelineIds;
let viewer: string;
let stranger: string;
const asked: unknown[] = [];
let preview: ReplayPreview = { count: 0, outcomes: [], examples: [] };

beforeAll(async () => {
  base = await Gateway.start();
  const useCases = {
    previewReplay: async (_caller: unknown, ...args: unknown[]) => {
      asked.push(args);
      return preview;
    },
  } as unknown as UseCases;
  gateway = await Gateway.start({ on: base, routes: receiptRoutes(base), useCases });
  ids = await seedPipeline(gateway);
  viewer = await gateway.key('VIEWER');
  await gateway.tenant('stranger');
  stranger = await gateway.key('ADMIN', 'stranger');
});
afterAll(async () => {
  await gateway.stop();
  await base.stop();
});

describe('a posting', () => {
  it('shows who approved which plan and when, and nothing of an approval that nobody gave', async () => {
    const approved = await seedPosting(gateway, ids, {
      ...{ approved_by: 'user:chief', approved_key: 'key_1', approved_at: '2026-11-20T09:00:00Z' },
      approved_plan_hash: 'a'.repeat(64),
    });
    const plain = await seedPosting(gateway, ids, { cancel_reason: 'Booked by hand.' });
    const query = `query ($id: ID!) { glPosting(id: $id) {
      cancelReason approval { approvedBy keyId approvedAt planHash } } }`;
    expect((await gateway.data(viewer, query, { id: approved.id })).glPosting).toEqual({
      cancelReason: null,
      approval: {
        approvedBy: 'user:chief',
        keyId: 'key_1',
        approvedAt: '2026-11-20T09:00:00.000Z',
        planHash: 'a'.repeat(64),
      },
    });
    expect((await gateway.data(viewer, query, { id: plain.id })).glPosting).toEqual({
      cancelReason: 'Booked by hand.',
      approval: null,
    });
  });
});

describe('previewReplay', () => {
  const query = `query ($filter: GlPostingFilter!, $n: Int) { previewReplay(filter: $filter, examples: $n) {
    count outcomes { outcome code count totals { amount currency } }
    examples { outcome code holds { code message resolution } postingDate total { amount currency } posting { id } } } }`;

  it('hands the filter over and shows what would become of the postings', async () => {
    const { id } = await seedPosting(gateway, ids);
    const hold = { code: 'PERIOD_CLOSED', message: 'Closed.', resolution: 'Open it.' } as const;
    preview = {
      count: 2,
      outcomes: [{ outcome: 'HELD', code: 'PERIOD_CLOSED', count: 2, totals: [{ amount: '7.00', currency: 'USD' }] }],
      examples: [
        {
          ...{ postingId: id, outcome: 'HELD', code: 'PERIOD_CLOSED', holds: [hold] },
          ...{ postingDate: '2026-11-18', currency: 'USD', total: '3.5' },
        },
      ],
    };
    const operator = await gateway.key('OPERATOR');
    const { previewReplay } = await gateway.data(operator, query, { filter: { holdCodes: ['PERIOD_CLOSED'] }, n: 5 });
    expect(asked).toEqual([[{ holdCodes: ['PERIOD_CLOSED'] }, 5]]);
    expect(previewReplay).toEqual({
      count: 2,
      outcomes: preview.outcomes,
      examples: [
        {
          ...{ outcome: 'HELD', code: 'PERIOD_CLOSED', holds: [hold], postingDate: '2026-11-18' },
          ...{ total: { amount: '3.50', currency: 'USD' }, posting: { id } },
        },
      ],
    });
  });

  it('is for operators', async () => {
    const { body } = await gateway.ask(viewer, query, { filter: {} });
    expect(body.errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', requiredRole: 'OPERATOR' });
  });
});

describe('a receipt', () => {
  const content = Buffer.from('%PDF-1.4 receipt');
  const sha256 = createHash('sha256').update(content).digest('hex');
  const id = receiptId(sha256);
  let posting: { id: string; recordId: string };
  let reference: string;

  beforeAll(async () => {
    posting = await seedPosting(gateway, ids, { reference: 'RECEIPTS1' });
    reference = 'RECEIPTS1';
    const at = '2026-11-20T10:00:00Z';
    await gateway.insert('receipts', { sha256, id, content_type: 'application/pdf', size: 16, content, stored_at: at });
    // Two objects of the purchase show it under two names.
    for (const [external, name] of [
      ['record', 'Taxi.pdf'],
      ['expense', 'Zweite.pdf'],
    ] as const) {
      const object = { source_id: ids.source, stream: 'EXPENSES', external_id: `${external}_receipt` };
      await gateway.insert('source_objects', {
        ...{ ...object, version: '1', content_hash: 'x', kind: 'PURCHASE', amount: '1', currency: 'USD' },
        ...{ object: '{}', raw: '{}', spend_record_id: posting.recordId, first_seen_at: at, last_changed_at: at },
      });
      await gateway.insert('receipt_links', {
        ...{ ...object, receipt_key: external, file_name: name, state: 'STORED', sha256 },
        ...{ next_attempt_at: at, seen_at: at },
      });
    }
  });

  const get = (path: string, key: string | null, headers: Record<string, string> = {}) =>
    fetch(`${gateway.server.url}${path}`, {
      headers: { ...headers, ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    });

  it('is shown once with its purchase and with its posting', async () => {
    const fields = 'receipts { id fileName contentType size sha256 url }';
    const data = await gateway.data(
      viewer,
      `query ($p: ID!, $s: ID!) { glPosting(id: $p) { ${fields} } spendRecord(id: $s) { ${fields} } }`,
      { p: posting.id, s: posting.recordId },
    );
    const shown = [
      { id, fileName: 'Taxi.pdf', contentType: 'application/pdf', size: 16, sha256, url: `/receipts/${id}` },
    ];
    expect(data).toEqual({ glPosting: { receipts: shown }, spendRecord: { receipts: shown } });
  });

  it('is served as a file that no browser runs', async () => {
    const answer = await get(`/receipts/${id}`, viewer);
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(content);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': '16',
      'content-disposition': 'attachment; filename="Taxi.pdf"',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-cache',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    const again = await get(`/receipts/${id}`, viewer, { 'if-none-match': answer.headers.get('etag') ?? '' });
    expect(again.status).toBe(304);
  });

  it('is found by the reference of the document in the ledger', async () => {
    const answer = await get(`/receipts/${reference}`, viewer);
    expect(await answer.json()).toMatchObject({ reference, receipts: [{ id, url: `/receipts/${id}` }] });
  });

  it('is for keys of its own tenant only', async () => {
    expect((await get(`/receipts/${id}`, null)).status).toBe(401);
    expect((await get(`/receipts/${id}`, 'lgk_wrong')).status).toBe(401);
    expect((await get(`/receipts/${id}`, stranger)).status).toBe(404);
    expect((await get(`/receipts/${reference}`, stranger)).status).toBe(404);
    expect((await get(`/receipts/receipt_${'0'.repeat(32)}`, viewer)).status).toBe(404);
    expect((await get('/receipts/..%2F..%2Fetc', viewer)).status).toBe(404);
  });
});
