/**
 * What would be caught here: the query forms that differ by endpoint, a silently empty list, a list that never ends,
 * and one bad object that takes its page with it.
 */
import { describe, expect, it } from 'vitest';
import type { BrexConnection } from '../../../src/connectors/brex/index.js';
import type { ReadWindow, SpendPage } from '../../../src/connectors/contract.js';
import type { SpendStream } from '../../../src/domain/vocabulary.js';
import { InputError, UnreadableReplyError } from '../../../src/errors.js';
import { type Answer, connectTo, fakeBrex, page } from './brexHarness.js';

const SINCE = new Date('2026-11-20T08:30:45.500Z');
const WINDOW: ReadWindow = { since: SINCE, until: null };
const ALL: ReadWindow = { since: null, until: null };

const tx = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  description: 'x',
  amount: { amount: 100, currency: 'USD' },
  initiated_at_date: '2026-11-01',
  posted_at_date: '2026-11-02',
  type: 'PURCHASE',
  merchant: null,
  expense_id: null,
  ...more,
});

const record = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  type: 'CARD_EXPENSE_POST',
  review_status: 'READY_FOR_EXPORT',
  source_type: 'CARD',
  source_id: `expense_${id}`,
  amount: { amount: 1.5, currency: 'USD' },
  erp_posting_date: '2026-11-01T00:00:00Z',
  posted_at: '2026-11-01T00:00:00Z',
  updated_at: '2026-11-01T00:00:00.000001Z',
  version: 1,
  line_items: [],
  ...more,
});

const expense = (id: string, more: Record<string, unknown> = {}) => ({
  id,
  updated_at: '2026-11-01T00:00:00Z',
  dashboard_url: 'https://dashboard.brex.com/e',
  expense_type: 'CARD',
  status: 'APPROVED',
  payment_status: 'CLEARED',
  billing_amount: { amount: 100, currency: 'USD' },
  purchased_at: '2026-11-01T00:00:00Z',
  ...more,
});

async function readAll(connection: BrexConnection, stream: SpendStream, window = WINDOW) {
  const objects: string[] = [];
  const unreadable: SpendPage['unreadable'][number][] = [];
  let cursor: string | null = null;
  let pages = 0;
  do {
    const read: SpendPage = await connection.readPage(stream, window, cursor);
    objects.push(...read.objects.map((object) => object.externalId));
    unreadable.push(...read.unreadable);
    cursor = read.nextCursor;
    pages += 1;
  } while (cursor !== null);
  return { objects, unreadable, pages };
}

describe('card transactions', () => {
  it('ask for the expense id and nothing else to expand, from the start of a day a week back', async () => {
    const brex = await fakeBrex((_, count) => ({ body: count === 1 ? page([tx('a')], 'c2') : page([tx('b')], '') }));
    const read = await readAll(connectTo(brex.url), 'CARD_TRANSACTIONS');
    expect(read).toMatchObject({ objects: ['a', 'b'], pages: 2 });
    const same = { 'expand[]': ['expense_id'], posted_at_start: ['2026-11-13T00:00:00Z'], limit: ['1000'] };
    expect(brex.queries('/v2/transactions/card/primary')).toEqual([same, { ...same, cursor: ['c2'] }]);
  });

  it('a bad object is reported with its id and reason, and the rest of the page is read', async () => {
    const items = [tx('good'), tx('odd', { type: 'NEW' }), { id: 'broken' }, 'text', tx('last')];
    const brex = await fakeBrex(() => ({ body: page(items) }));
    const read = await readAll(connectTo(brex.url), 'CARD_TRANSACTIONS', ALL);
    expect(read.objects).toEqual(['good', 'last']);
    expect(read.unreadable.map((one) => one.externalId)).toEqual(['odd', 'broken', null]);
    expect(read.unreadable[1]).toMatchObject({ reason: expect.stringContaining('amount'), raw: { id: 'broken' } });
  });

  it('single ones cannot be read', async () => {
    const brex = await fakeBrex(() => ({ body: page([]) }));
    await expect(connectTo(brex.url).readObjects('CARD_TRANSACTIONS', ['a'])).rejects.toBeInstanceOf(InputError);
  });
});

describe('cash transactions', () => {
  it('are read from every cash account, each to its end', async () => {
    const answers: Record<string, Answer[]> = {
      '/v2/accounts/cash': [
        {
          body: page([
            { id: 'dp/1', name: 'Main', primary: true, account_number: '1', routing_number: '2' },
            { id: 'dp2' },
          ]),
        },
      ],
      '/v2/transactions/cash/dp%2F1': [{ body: page([tx('a', { type: 'FEE' })], 'n') }, { body: page([]) }],
      '/v2/transactions/cash/dp2': [{ body: page([tx('b', { type: 'PAYMENT' })]) }],
    };
    const brex = await fakeBrex((asked) => answers[asked.path]?.shift() ?? { status: 404 });
    expect(await readAll(connectTo(brex.url), 'CASH_TRANSACTIONS')).toMatchObject({ objects: ['a', 'b'], pages: 3 });
    expect(brex.queries('/v2/accounts/cash')).toEqual([{}]);
  });

  it('a company without cash accounts has an empty stream', async () => {
    const brex = await fakeBrex(() => ({ body: page([]) }));
    expect(await readAll(connectTo(brex.url), 'CASH_TRANSACTIONS')).toMatchObject({ objects: [], pages: 1 });
  });
});

describe('expenses', () => {
  it('ask for at most 100, ten minutes back, expanded but without receipt links', async () => {
    const brex = await fakeBrex(() => ({ body: page([expense('e1')]) }));
    const until = new Date('2026-11-20T09:00:00.001Z');
    await readAll(connectTo(brex.url), 'EXPENSES', { since: SINCE, until });
    expect(brex.queries('/v1/expenses')).toEqual([
      {
        'expand[]': ['merchant', 'user', 'location', 'department', 'budget'],
        load_custom_fields: ['true'],
        updated_at_start: ['2026-11-20T08:20:45Z'],
        updated_at_end: ['2026-11-20T09:00:01Z'],
        limit: ['100'],
      },
    ]);
  });

  it('a split that came without its parts is asked for them', async () => {
    const part = { id: 'p1', expense_type: 'CARD', billing_amount: { amount: 100, currency: 'USD' } };
    const brex = await fakeBrex((asked) =>
      asked.query.some(([name]) => name === 'parent_expense_id[]')
        ? { body: page([part]) }
        : { body: page([expense('e1', { status: 'SPLIT', expense_line_items: null })]) },
    );
    const read = await connectTo(brex.url).readPage('EXPENSES', WINDOW, null);
    expect(read.objects[0]).toMatchObject({ isFinal: true, keys: ['expense:e1', 'expense:p1'] });
    expect(brex.queries('/v1/expenses')[1]).toMatchObject({ 'parent_expense_id[]': ['e1'] });
  });

  it('single ones are read one by one; unknown ids are left out', async () => {
    const brex = await fakeBrex((asked) =>
      asked.path === '/v1/expenses/e1' ? { body: expense('e1') } : { status: 404, body: '' },
    );
    const read = await connectTo(brex.url).readObjects('EXPENSES', ['e1', 'gone', 'e1']);
    expect(read.objects.map((object) => object.externalId)).toEqual(['e1']);
    expect(brex.asked).toHaveLength(2);
  });
});

describe('accounting records', () => {
  it('always carry a bound on updated_at, one query a source, single entry, at most 500', async () => {
    const brex = await fakeBrex(() => ({ body: { ...page([]), has_next_page: false, total_count: 0 } }));
    await readAll(connectTo(brex.url), 'ACCOUNTING_RECORDS', ALL);
    const queries = brex.queries('/v3/accounting/records');
    expect(queries.map((query) => query.source_type)).toEqual([['CARD'], ['REIMBURSEMENT'], ['BILL']]);
    for (const query of queries) {
      expect(query).toMatchObject({
        'updated_at[gte]': ['2025-10-16T12:00:00Z'],
        single_entry: ['true'],
        limit: ['500'],
      });
      expect(query.review_status).toBeUndefined();
    }
  });

  it('every page of a read asks with the same bounds, whatever time it is by then', async () => {
    const brex = await fakeBrex((_, count) => ({
      body: { ...page([record(`r${count}`)], count < 3 ? `c${count}` : null), has_next_page: count < 3 },
    }));
    const early = connectTo(brex.url, { settings: { sources: ['BILL'] } });
    const first = await early.readPage('ACCOUNTING_RECORDS', ALL, null);
    const late = connectTo(brex.url, { settings: { sources: ['BILL'] }, now: new Date('2026-11-21T12:00:00Z') });
    await late.readPage('ACCOUNTING_RECORDS', ALL, first.nextCursor);
    const bounds = brex.queries('/v3/accounting/records').map((query) => query['updated_at[gte]']);
    expect(bounds).toEqual([['2025-10-16T12:00:00Z'], ['2025-10-16T12:00:00Z']]);
  });

  it('has_next_page: false ends a list even if a cursor comes along', async () => {
    const brex = await fakeBrex(() => ({ body: { ...page([record('r')], 'more'), has_next_page: false } }));
    const read = await readAll(connectTo(brex.url, { settings: { sources: ['CARD'] } }), 'ACCOUNTING_RECORDS');
    expect(read.pages).toBe(1);
  });

  it('are read by ids without brackets; one the list leaves out is read by itself', async () => {
    const brex = await fakeBrex((asked) => {
      if (asked.path === '/v3/accounting/records/r2') return { body: record('r2') };
      if (asked.path === '/v3/accounting/records/gone') return { status: 404, body: { error_code: 'NOT_FOUND' } };
      return { body: { ...page([record('r1')]), has_next_page: false } };
    });
    const read = await connectTo(brex.url).readObjects('ACCOUNTING_RECORDS', ['r1', 'r2', 'gone']);
    expect(read.objects.map((object) => object.externalId)).toEqual(['r1', 'r2']);
    expect(brex.queries('/v3/accounting/records')[0]?.ids).toEqual(['r1', 'r2', 'gone']);
  });
});

describe('runaway lists', () => {
  it.each([1, 2, 7])('a circle of %i cursors ends in an error, not in a silent stop', async (length) => {
    const brex = await fakeBrex((_, count) => ({ body: page([tx(`t${count}`)], `cursor-${count % length}`) }));
    const connection = connectTo(brex.url);
    await expect(readAll(connection, 'CARD_TRANSACTIONS')).rejects.toBeInstanceOf(UnreadableReplyError);
    expect(brex.asked.length).toBeLessThan(40);
  });

  it('a long list without repeats is read to its end', async () => {
    const brex = await fakeBrex((_, count) => ({ body: page([tx(`t${count}`)], count < 100 ? `c${count}` : null) }));
    expect((await readAll(connectTo(brex.url), 'CARD_TRANSACTIONS')).objects).toHaveLength(100);
  });

  it('a cursor that is not ours is refused', async () => {
    const brex = await fakeBrex(() => ({ body: page([]) }));
    const call = connectTo(brex.url).readPage('EXPENSES', WINDOW, 'nonsense');
    await expect(call).rejects.toBeInstanceOf(InputError);
  });
});
