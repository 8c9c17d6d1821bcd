/**
 * What the simulated Brex shows and refuses, over real HTTP. Each of these catches a connector test that would pass
 * against a friendlier Brex than the real one.
 */
import { afterEach, describe, expect, it } from 'vitest';
import {
  type BrexSandboxOptions,
  blankAccount,
  type RunningBrex,
  SANDBOX_ACCESS,
  type SeedPurchase,
  startBrexSandbox,
} from '../../../src/sandbox/brex/index.js';

const NOW = '2026-06-20T12:00:00Z';
let running: RunningBrex | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

function purchase(key: string, more: Partial<SeedPurchase> = {}): SeedPurchase {
  const amountMinor = more.amountMinor ?? 17_175;
  return {
    ...{ key, kind: 'CARD', user: 0, merchant: 0, descriptor: 'OFFICE DEPOT #88', amountMinor, currency: 'USD' },
    ...{ purchasedAt: '2026-06-09T10:00:00Z', postedAt: '2026-06-11T09:09:05.840865Z' },
    ...{ expenseAt: '2026-06-11T10:00:00.123456Z', recordAt: '2026-06-12T08:00:10.422192Z' },
    lines: [{ amountMinor, coding: { gl_account: '6100', cost_center: null } }],
    ...more,
  };
}

type Json = { [name: string]: unknown; items: Record<string, unknown>[]; next_cursor: string | null };

async function start(purchases: SeedPurchase[], more: Partial<BrexSandboxOptions> = {}) {
  const settings = { extraFields: 0, trailingSpaces: 0, unknownEnums: 0, ...more.settings };
  running = await startBrexSandbox({ data: blankAccount(NOW, { purchases }), ...more, settings });
  const { url } = running;
  const token = SANDBOX_ACCESS.userToken;
  const call = async (path: string, init: RequestInit = {}, bearer: string | null = token) => {
    const headers = { ...(bearer ? { authorization: `Bearer ${bearer}` } : {}), ...init.headers };
    const response = await fetch(url + path, { ...init, headers });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: JSON.parse(text || '{}') as Json };
  };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}, method = 'POST') =>
    call(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
  return { ...running, call, post };
}

describe('access', () => {
  it('answers 401 without one byte of body when no credential came', async () => {
    const { call } = await start([]);
    const reply = await call('/v2/users/me', {}, null);
    expect([reply.status, reply.text]).toEqual([401, '']);
    expect(reply.headers.get('x-brex-trace-id')).toMatch(/^\d+$/);
  });

  it('answers 403 in family A for an unknown token, even on v3 paths', async () => {
    const { call } = await start([]);
    const reply = await call('/v3/accounting/records', {}, 'bxt_unknown');
    expect([reply.status, reply.json]).toEqual([403, { type: 'FORBIDDEN', message: 'Invalid or Revoked Token' }]);
  });

  it('answers v3 refusals in family B and v1 refusals in family A', async () => {
    const { call } = await start([]);
    expect((await call('/v3/accounting/records/accr_none')).json).toMatchObject({ error_code: 'NOT_FOUND' });
    expect((await call('/v1/expenses/expense_none')).json).toMatchObject({ type: 'NOT_FOUND' });
  });

  it('throttles with 429 and no rate limit headers after the limit', async () => {
    const { call } = await start([], { settings: { rateLimit: { requests: 2, windowSeconds: 60 } } });
    expect((await call('/v2/company')).status).toBe(200);
    expect((await call('/v2/company')).status).toBe(200);
    const refused = await call('/v2/company');
    expect(refused.status).toBe(429);
    expect([...refused.headers.keys()].filter((name) => /rate|retry/.test(name))).toEqual([]);
  });

  it('knows the documented scopes', async () => {
    const data = blankAccount(NOW);
    data.access.userTokens = [{ token: 'bxt_narrow', userId: 'cuuser_sbx1', scopes: ['accounting.record.read'] }];
    const { call } = await start([], { data });
    expect((await call('/v3/accounting/records', {}, 'bxt_narrow')).status).toBe(200);
    const refused = await call('/v2/company', {}, 'bxt_narrow');
    expect([refused.status, /token/i.test(refused.text)]).toEqual([403, false]);
  });
});

describe('lists', () => {
  it.each([
    ['/v1/expenses', 100],
    ['/v3/accounting/records', 500],
    ['/v2/transactions/card/primary', 1000],
    ['/v1/fields', 1000],
  ])('%s takes at most %i a page', async (path, maximum) => {
    const { call } = await start([]);
    expect((await call(`${path}?limit=${maximum}`)).status).toBe(200);
    expect((await call(`${path}?limit=${maximum + 1}`)).status).toBe(400);
  });

  it('pages through ties without a gap or a repeat, and refuses a cursor without its filters', async () => {
    const { call } = await start(Array.from({ length: 7 }, (_, index) => purchase(`p${index}`)));
    const filter = 'updated_at[gte]=2026-01-01&limit=3';
    const seen: unknown[] = [];
    let cursor = '';
    for (let page = 0; page < 3; page += 1) {
      const { json } = await call(`/v3/accounting/records?${filter}${cursor}`);
      seen.push(...json.items.map((item) => item.id));
      expect([json.has_next_page, json.total_count]).toEqual([page < 2, 7]);
      cursor = `&cursor=${json.next_cursor}`;
      if (page === 0) expect((await call(`/v3/accounting/records?limit=3${cursor}`)).status).toBe(400);
    }
    expect(seen).toEqual(Array.from({ length: 7 }, (_, index) => `accr_p${index}`));
  });

  it('shows each view of a purchase only from its own moment on', async () => {
    const data = blankAccount('2026-06-11T09:30:00Z', { purchases: [purchase('p1')] });
    const { call, control, post } = await start([], { data });
    const counts = async () => {
      const paths = ['/v2/transactions/card/primary', '/v1/expenses', '/v3/accounting/records'];
      return (await Promise.all(paths.map((path) => call(path)))).map(({ json }) => json.items.length);
    };
    expect(await counts()).toEqual([1, 0, 0]);
    expect((await post('/_sandbox/clock', { now: '2026-06-11T23:00:00Z' })).status).toBe(200);
    expect(await counts()).toEqual([1, 1, 0]);
    control.setNow('2026-06-13T00:00:00Z');
    expect(await counts()).toEqual([1, 1, 1]);
  });

  it('shows an authorisation until the settled expense takes its place under the same id', async () => {
    const pending = { at: '2026-06-09T10:01:00Z', amountMinor: 20_000 };
    const data = blankAccount('2026-06-10T00:00:00Z', { purchases: [purchase('p1', { pending })] });
    const { call, control } = await start([], { data });
    const [before] = (await call('/v1/expenses')).json.items;
    expect(before).toMatchObject({ id: 'expense_p1', status: 'SUBMITTED', payment_status: 'PROCESSING' });
    expect(before).toMatchObject({ billing_amount: { amount: 20_000 }, payment_posted_at: null });
    expect((await call('/v1/expenses?payment_posted_at_start=2026-01-01')).json.items).toEqual([]);
    expect(() => control.editExpense('expense_p1', {})).toThrow(/not settled/);
    expect(control.summary().expenses).toMatchObject({ pending: 1, visible: 0, future: 1 });
    control.setNow(NOW);
    const { items } = (await call('/v1/expenses')).json;
    expect(items).toMatchObject([{ id: 'expense_p1', payment_status: 'CLEARED', billing_amount: { amount: 17_175 } }]);
    expect((await call('/v1/expenses/expense_p1')).json).toEqual(items[0]);
    expect(control.summary().expenses).toMatchObject({ pending: 0, visible: 1, future: 0 });
  });

  it('hides older records silently when updated_at is not bounded', async () => {
    const { call, control } = await start([purchase('p1')]);
    control.setNow('2026-08-01T00:00:00Z');
    const ready = '/v3/accounting/records?review_status=READY_FOR_EXPORT';
    expect((await call(ready)).json).toMatchObject({ items: [], total_count: 0 });
    expect((await call(`${ready}&updated_at[gte]=2026-01-01`)).json.items).toHaveLength(1);
    expect((await call('/v3/accounting/records?ids=accr_p1')).json.items).toHaveLength(1);
  });

  it('compares updated_at to the microsecond', async () => {
    const { call } = await start([purchase('p1')]);
    const find = async (bound: string) => (await call(`/v3/accounting/records?updated_at${bound}`)).json.items.length;
    expect(await find('[gt]=2026-06-12T08:00:10.422192Z')).toBe(0);
    expect(await find('[gt]=2026-06-12T08:00:10.422191Z')).toBe(1);
    expect(await find('%5Blte%5D=2026-06-12T08:00:10.422191Z')).toBe(0);
  });

  it('does not let bills be asked for by review status', async () => {
    const { call } = await start([purchase('b1', { kind: 'BILL' }), purchase('p1')]);
    const base = '/v3/accounting/records?updated_at[gte]=2026-01-01';
    expect((await call(`${base}&review_status=READY_FOR_EXPORT&source_type=BILL`)).json).toMatchObject({
      error_code: 'INVALID_REQUEST',
    });
    expect((await call(`${base}&review_status=READY_FOR_EXPORT`)).json.items.map((one) => one.id)).toEqual(['accr_p1']);
    expect((await call(`${base}&source_type=BILL`)).json.items.map((one) => one.id)).toEqual(['accr_b1']);
  });
});

describe('shapes', () => {
  it('shows one amount as minor units in v1 and v2 and as decimals in v3', async () => {
    const yen = purchase('jp', { amountMinor: 10_30, originalMinor: 1_600, originalCurrency: 'JPY' });
    const { call } = await start([yen]);
    const record = (await call('/v3/accounting/records/accr_jp')).json;
    expect([record.amount, record.original_amount]).toEqual([
      { amount: 10.3, currency: 'USD' },
      { amount: 1600, currency: 'JPY' },
    ]);
    expect(record.updated_at).toBe('2026-06-12T08:00:10.422192Z');
    const expense = (await call('/v1/expenses/expense_jp')).json;
    expect([expense.billing_amount, expense.original_amount]).toEqual([
      { amount: 1030, currency: 'USD' },
      { amount: 1600, currency: 'JPY' },
    ]);
  });

  it('gives expense_id only on request and refuses other expansions of transactions', async () => {
    const { call } = await start([purchase('p1')]);
    const path = '/v2/transactions/card/primary';
    expect((await call(path)).json.items[0]?.expense_id).toBeNull();
    expect((await call(`${path}?expand[]=expense_id`)).json.items[0]?.expense_id).toBe('expense_p1');
    const refused = await call(`${path}?expand[]=merchant`);
    expect([refused.status, refused.json]).toEqual([
      400,
      { type: 'BAD_REQUEST', message: 'Unsupported entity expansion' },
    ]);
  });

  it('codes the debit line only, with null value ids where coding is missing; single entry drops the liability', async () => {
    const { call } = await start([purchase('p1')]);
    const { json } = await call('/v3/accounting/records/accr_p1');
    expect(json.line_items).toMatchObject([
      {
        type: 'DEBIT',
        accounting_field_values: [
          { remote_field_id: 'gl_account', remote_field_value_id: '6100' },
          { remote_field_id: 'cost_center', brex_field_value_id: null, remote_field_value_id: null },
        ],
      },
      { type: 'CREDIT', amount: { amount: 171.75, currency: 'USD' }, accounting_field_values: [] },
    ]);
    expect((await call('/v3/accounting/records/accr_p1?single_entry=true')).json.line_items).toHaveLength(1);
  });

  it('shows a refund as a negative transaction and positive lines turned round', async () => {
    const { call } = await start([purchase('r1', { amountMinor: -2_500 })]);
    expect((await call('/v2/transactions/card/primary')).json.items[0]).toMatchObject({
      type: 'REFUND',
      amount: { amount: -2500 },
    });
    expect((await call('/v3/accounting/records/accr_r1')).json).toMatchObject({
      type: 'CARD_EXPENSE_REFUND',
      line_items: [
        { type: 'CREDIT', amount: { amount: 25 } },
        { type: 'DEBIT', amount: { amount: 25 } },
      ],
    });
  });

  it('gives each part of a split its own record, which names the part and not the parent', async () => {
    const part = (suffix: string, amountMinor: number) => ({
      suffix,
      amountMinor,
      lines: [{ amountMinor, coding: {} }],
    });
    const split = purchase('s1', { amountMinor: 1_000, lines: [], children: [part('a', 600), part('b', 400)] });
    const { call } = await start([split]);
    const { items } = (await call('/v1/expenses')).json;
    expect(items).toMatchObject([{ id: 'expense_s1', status: 'SPLIT' }]);
    expect(items[0]?.expense_line_items).toMatchObject([{ id: 'expense_s1_a' }, { id: 'expense_s1_b' }]);
    const records = (await call('/v3/accounting/records?updated_at[gte]=2026-01-01')).json.items;
    expect(records.map((record) => record.source_id)).toEqual(['expense_s1_a', 'expense_s1_b']);
    const [transaction] = (await call('/v2/transactions/card/primary?expand[]=expense_id')).json.items;
    expect(transaction?.expense_id).toBe('expense_s1');
  });

  it('shows the tax field only with load_custom_fields', async () => {
    const { call } = await start([purchase('t1', { taxMinor: 1_275 })]);
    expect((await call('/v1/expenses/expense_t1')).json.custom_fields).toBeNull();
    expect((await call('/v1/expenses/expense_t1?load_custom_fields=true')).json.custom_fields).toMatchObject([
      { key: 'Tax amount', value: { data_type: 'MONEY', data: { amount: 1275, currency: 'USD' } } },
    ]);
  });

  it('adds undocumented fields and blanks to the same objects in every run of a seed', async () => {
    const many = Array.from({ length: 60 }, (_, index) => purchase(`p${index}`));
    const settings = { extraFields: 0.5, trailingSpaces: 1, unknownEnums: 0.2 };
    const texts: string[] = [];
    for (let run = 0; run < 2; run += 1) {
      const { call, close } = await start(many, { settings });
      const { json, text } = await call('/v3/accounting/records?updated_at[gte]=2026-01-01');
      const odd = json.items.filter((item) => 'status' in item);
      expect(odd.length).toBeGreaterThan(10);
      expect(odd.length).toBeLessThan(50);
      expect(json.items[0]).toMatchObject({ user: { first_name: 'Ana ' } });
      texts.push(text);
      await close();
    }
    expect(texts[0]).toBe(texts[1]);
  });
});
