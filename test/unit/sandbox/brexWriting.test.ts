/** What a client can change in the simulated Brex, and what is refused whole. Over real HTTP. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'svix';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type BrexSandboxOptions,
  blankAccount,
  type RunningBrex,
  SANDBOX_ACCESS,
  type SeedPurchase,
  signature,
  startBrexSandbox,
} from '../../../src/sandbox/brex/index.js';

const NOW = '2026-06-20T12:00:00Z';
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

function purchase(key: string, more: Partial<SeedPurchase> = {}): SeedPurchase {
  const amountMinor = more.amountMinor ?? 10_000;
  return {
    ...{ key, kind: 'CARD', user: 0, merchant: 0, descriptor: 'OFFICE DEPOT #88', amountMinor, currency: 'USD' },
    ...{ purchasedAt: '2026-06-09T10:00:00Z', postedAt: '2026-06-11T09:09:05Z' },
    ...{ expenseAt: '2026-06-11T10:00:00Z', recordAt: '2026-06-12T08:00:10Z' },
    lines: [{ amountMinor, coding: { gl_account: '6100', cost_center: '10' } }],
    ...more,
  };
}

type Json = { [name: string]: unknown; items: Record<string, unknown>[] };

async function start(purchases: SeedPurchase[] = [], more: Partial<BrexSandboxOptions> = {}) {
  const running: RunningBrex = await startBrexSandbox({ data: blankAccount(NOW, { purchases }), ...more });
  closers.push(running.close);
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(running.url + path, {
      method,
      headers: { authorization: `Bearer ${SANDBOX_ACCESS.userToken}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, json: JSON.parse(text || '{}') as Json };
  };
  const token = async (form: Record<string, string>) => {
    const { clientId, clientSecret } = SANDBOX_ACCESS;
    const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, ...form });
    const response = await fetch(`${running.url}/oauth2/default/v1/token`, { method: 'POST', body });
    return { status: response.status, json: (await response.json()) as Record<string, string> };
  };
  return { ...running, send, token };
}

/** A receiver that keeps what it got; answers with the given statuses in turn, then 200. */
async function receiver(statuses: number[] = []) {
  const received: { headers: Record<string, string>; body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(chunks).toString() });
      response.writeHead(statuses.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

const EXPORT = '/v3/accounting/records/export-results';
const success = (id: string) => ({ accounting_record_id: id, success: { reference_id: 'JE-1' } });
const failure = (id: string) => ({ accounting_record_id: id, failure: { error_message: 'Account is on hold' } });

describe('export results', () => {
  it('exports on success, sends back to review on failure, and counts both as a new version', async () => {
    const { control, send } = await start([purchase('a'), purchase('b')]);
    const { json } = await send('POST', EXPORT, { results: [success('accr_a'), failure('accr_b')] });
    expect(json.updated_accounting_record_ids).toEqual(['accr_a', 'accr_b']);
    const [a, b] = (await send('GET', '/v3/accounting/records?ids=accr_a&ids=accr_b')).json.items;
    expect(a).toMatchObject({ review_status: 'EXPORTED', version: 2 });
    expect(b).toMatchObject({ review_status: 'REVIEW', version: 2 });
    expect(String(a?.updated_at) < String(b?.updated_at)).toBe(true);
    expect(String(a?.updated_at) > '2026-06-20T12:00:00').toBe(true);
    expect(control.lastExport('accr_b')).toMatchObject({ errorMessage: 'Account is on hold' });
    expect(control.summary().accountingRecords.byReviewStatus).toEqual({ EXPORTED: 1, REVIEW: 1 });
  });

  it.each([
    ['an unknown id', [success('accr_a'), success('accr_no')], 404, 'NOT_FOUND'],
    ['a repeated id', [success('accr_a'), failure('accr_a')], 422, 'DUPLICATE_ACCOUNTING_RECORD_IDS'],
    ['both outcomes', [{ ...success('accr_a'), ...failure('accr_a') }], 400, 'INVALID_REQUEST'],
    ['no outcome', [{ accounting_record_id: 'accr_a' }], 400, 'INVALID_REQUEST'],
    ['a null link', [{ accounting_record_id: 'accr_a', success: { deep_link_url: null } }], 400, 'INVALID_REQUEST'],
    ['nothing', [], 400, 'INVALID_REQUEST'],
    [
      'a record that is not ready',
      [success('accr_a'), success('accr_r')],
      422,
      'ACCOUNTING_RECORD_NOT_READY_FOR_EXPORT',
    ],
  ])('refuses the whole call for %s', async (_name, results, status, code) => {
    const { send } = await start([purchase('a'), purchase('r', { reviewStatus: 'REVIEW' })]);
    const reply = await send('POST', EXPORT, { results });
    expect([reply.status, reply.json.error_code]).toEqual([status, code]);
    expect((await send('GET', '/v3/accounting/records/accr_a')).json).toMatchObject({ version: 1 });
  });

  it('takes a second report about a record for a mistake', async () => {
    const { send } = await start([purchase('a')]);
    await send('POST', EXPORT, { results: [success('accr_a')] });
    const again = await send('POST', EXPORT, { results: [success('accr_a')] });
    expect([again.status, again.json.details]).toEqual([
      422,
      { not_ready_for_export_accounting_record_ids: ['accr_a'] },
    ]);
  });
});

describe('changes at the source', () => {
  it('an edit changes all three views, raises the version and leaves the seed alone', async () => {
    const row = purchase('a', { originalMinor: 9_000, originalCurrency: 'EUR' });
    const { send } = await start([row]);
    await send('POST', EXPORT, { results: [success('accr_a')] });
    const edit = { amount: 12_000, glAccount: '6200', memo: 'Corrected' };
    expect((await send('POST', '/_sandbox/expenses/expense_a/edit', edit)).json.recordIds).toEqual(['accr_a']);
    const record = (await send('GET', '/v3/accounting/records/accr_a')).json;
    expect(record).toMatchObject({ version: 3, review_status: 'READY_FOR_EXPORT', memo: 'Corrected' });
    expect(record).toMatchObject({ amount: { amount: 120 }, original_amount: { amount: 108, currency: 'EUR' } });
    expect((await send('GET', '/v1/expenses/expense_a')).json).toMatchObject({ billing_amount: { amount: 12_000 } });
    const { items } = (await send('GET', '/v2/transactions/card/primary')).json;
    expect(items).toMatchObject([{ amount: { amount: 12_000 } }]);
    expect(row.amountMinor).toBe(10_000);
    expect(row.lines[0]?.coding.gl_account).toBe('6100');
  });

  it('an edit of one part of a split keeps the whole equal to its parts', async () => {
    const part = (suffix: string, amountMinor: number) => ({
      suffix,
      amountMinor,
      lines: [{ amountMinor, coding: {} }],
    });
    const { control, send } = await start([
      purchase('s', { amountMinor: 1_000, lines: [], children: [part('a', 600), part('b', 400)] }),
    ]);
    expect(control.editExpense('expense_s_b', { amount: 500 }).recordIds).toEqual(['accr_s_b']);
    expect((await send('GET', '/v1/expenses/expense_s')).json.billing_amount).toEqual({
      amount: 1_100,
      currency: 'USD',
    });
    expect((await send('GET', '/v3/accounting/records/accr_s_a')).json.version).toBe(1);
    const { accountingRecords, expenses } = control.summary();
    expect(accountingRecords.byCurrency).toEqual({ USD: { count: 2, total: '11.00' } });
    expect(expenses.byCurrency).toEqual({ USD: { count: 1, total: '11.00' } });
  });

  it('a void takes the record out of the queue', async () => {
    const { send } = await start([purchase('a')]);
    await send('POST', '/_sandbox/expenses/expense_a/void', {});
    expect((await send('GET', '/v1/expenses/expense_a')).json).toMatchObject({
      status: 'VOID',
      payment_status: 'CANCELED',
    });
    expect((await send('GET', '/v3/accounting/records/accr_a')).json.review_status).toBe('PREPARE');
  });

  it('a planned edit happens when the clock passes it, and the clock cannot go back behind it', async () => {
    const plannedEdits = [{ at: '2026-06-25T08:00:00Z', key: 'a', edit: { amount: 11_000 } }];
    const data = blankAccount(NOW, { purchases: [purchase('a')], plannedEdits });
    const { control, send } = await start([], { data });
    control.setNow('2026-06-26T00:00:00Z');
    const record = (await send('GET', '/v3/accounting/records/accr_a')).json;
    expect(record).toMatchObject({ version: 2, updated_at: '2026-06-25T08:00:00.000000Z', amount: { amount: 110 } });
    expect((await send('POST', '/_sandbox/clock', { now: '2026-06-24T00:00:00Z' })).status).toBe(400);
  });

  it('a late purchase shows up behind what was already read', async () => {
    const { send } = await start([purchase('a')]);
    const row = { key: 'late', descriptor: 'LATE SHOP', amountMinor: 500, currency: 'USD' };
    const moments = { purchasedAt: '2026-06-01T00:00:00Z', postedAt: '2026-06-02T00:00:00Z' };
    expect((await send('POST', '/_sandbox/purchases', { ...row, ...moments })).json.recordIds).toEqual(['accr_late']);
    const { items } = (await send('GET', '/v3/accounting/records?updated_at[gte]=2026-06-20')).json;
    expect(items).toMatchObject([{ id: 'accr_late', posted_at: '2026-06-02T00:00:00.000Z' }]);
  });
});

describe('switches', () => {
  it('change while it runs, and an unknown one is named', async () => {
    const { send } = await start([purchase('a')]);
    const rateLimit = { requests: 1, windowSeconds: 60 };
    await send('POST', '/_sandbox/settings', { rateLimit, rateLimitBody: false, retryAfterSeconds: 7 });
    await send('GET', '/v2/company');
    expect(await send('GET', '/v2/company')).toEqual({ status: 429, json: {} });
    expect((await send('POST', '/_sandbox/settings', { rateLimt: null })).json).toMatchObject({ field: 'rateLimt' });
    await send('POST', '/_sandbox/settings', { rateLimit: null });
    expect((await send('GET', '/v2/company')).status).toBe(200);
  });

  it('choose the name of the integration id', async () => {
    const { send } = await start([], { settings: { integrationIdName: 'id' } });
    const body = { vendor: 'LEDGERGATE', vendor_account_id: 't1' };
    const { json } = await send('POST', '/v3/accounting/integration', body);
    expect([json.id, json.integration_id]).toEqual(['int_sbx1', undefined]);
  });
});

describe('idempotency keys', () => {
  const vendor = { company_name: 'Northwind Traders' };

  it('are required where Brex requires them', async () => {
    const { send } = await start();
    for (const path of ['/v1/vendors', '/v1/transfers', '/v1/fields', '/v1/webhooks']) {
      expect((await send('POST', path, vendor)).status).toBe(400);
    }
  });

  it('give the same resource again, and refuse another body', async () => {
    const { send } = await start();
    const key = { 'idempotency-key': 'k1' };
    const first = await send('POST', '/v1/vendors', vendor, key);
    expect((await send('POST', '/v1/vendors', vendor, key)).json).toEqual(first.json);
    expect((await send('POST', '/v1/vendors', { company_name: 'Other' }, key)).status).toBe(409);
    expect((await send('GET', '/v1/vendors')).json.items).toHaveLength(1);
    expect((await send('POST', '/v1/vendors', vendor, { 'idempotency-key': 'k2' })).status).toBe(400);
  });
});

describe('fields, integrations and payments', () => {
  const key = (name: string) => ({ 'idempotency-key': name });

  it('an ERP field needs the active integration, and one account has one integration', async () => {
    const { send } = await start();
    const body = { name: 'Tax code', group: 'ERP', remote_id: 'tax_code' };
    expect((await send('POST', '/v1/fields', body, key('f0'))).status).toBe(400);
    const create = (vendor: string, vendor_account_id: string) =>
      send('POST', '/v3/accounting/integration', { vendor, vendor_account_id });
    const made = (await create('LEDGERGATE', 't1')).json;
    expect((await create('LEDGERGATE', 't1')).json).toEqual(made);
    expect((await create('LEDGERGATE', 't2')).json.error_code).toBe('VENDOR_ACCOUNT_ID_MISMATCH');
    expect((await create('OTHER', 't1')).json.error_code).toBe('ACTIVE_INTEGRATION_EXISTS');
    const field = await send('POST', '/v1/fields', { ...body, integration_id: made.integration_id }, key('f1'));
    expect(field.json).toMatchObject({ remote_id: 'tax_code', group: 'ERP' });
    const path = `/v3/accounting/integration/${made.integration_id}`;
    expect((await send('POST', `${path}/disconnect`)).json.status).toBe('DISABLED');
    expect((await send('POST', `${path}/disconnect`)).json).toMatchObject({
      error_code: 'INTEGRATION_NOT_ACTIVE',
      details: { current_status: 'DISABLED' },
    });
    expect((await send('POST', `${path}/reactivate`)).json.status).toBe('ACTIVE');
  });

  it('values are made by POST and changed by PUT; neither does the other', async () => {
    const { send } = await start();
    const path = '/v1/fields/extended_field_gl_account/values';
    const item = { value: '6400 Supplies', value_id: '6400', remote_id: '6400' };
    expect((await send('PUT', path, { items: [{ remote_id: '6400', data: { value: 'x' } }] })).status).toBe(400);
    const made = await send('POST', path, { items: [item] }, key('v1'));
    expect(made.json.items).toMatchObject([item]);
    expect((await send('POST', path, { items: [item] }, key('v2'))).status).toBe(400);
    await send('PUT', path, { items: [{ remote_id: '6400', data: { is_disabled: true } }] });
    expect((await send('GET', `${path}?remote_id[]=6400`)).json.items).toMatchObject([{ ...item, is_disabled: true }]);
    const many = { items: Array.from({ length: 1001 }, (_, index) => ({ value: `v${index}` })) };
    expect((await send('POST', path, many, key('v3'))).status).toBe(400);
    expect((await send('POST', path, { items: [{ value: 'Café' }] }, key('v4'))).status).toBe(400);
    expect((await send('PUT', '/v1/fields/none/values', { items: [{ brex_id: 'x', data: {} }] })).status).toBe(404);
  });

  it('a transfer takes its rail from the instrument and rewrites its description', async () => {
    const { send } = await start();
    const details = {
      ...{ type: 'ACH', routing_number: '021000021', account_number: '123456789' },
      ...{ account_type: 'CHECKING', account_class: 'BUSINESS' },
    };
    const vendor = { company_name: 'Northwind Traders', payment_accounts: [{ details }] };
    const { json } = await send('POST', '/v1/vendors', vendor, key('v'));
    const [account] = json.payment_accounts as { details: Record<string, string> }[];
    expect(account?.details.account_number).toBe('****6789');
    const transfer = {
      counterparty: { type: 'VENDOR', payment_instrument_id: account?.details.payment_instrument_id },
      ...{ amount: { amount: 125_000, currency: 'USD' }, description: 'Run 7', external_memo: 'INV 8841' },
      ...{ originating_account: { type: 'BREX_CASH', id: 'dpacc_sbx1' }, approval_type: 'MANUAL' },
    };
    const made = (await send('POST', '/v1/transfers', transfer, key('t'))).json;
    expect(made).toMatchObject({ payment_type: 'ACH', status: 'PENDING_APPROVAL' });
    expect(made.description).toBe('Northwind Traders - INV 8841');
    expect((await send('POST', '/v1/transfers', { ...transfer, amount: { amount: -1 } }, key('u'))).status).toBe(400);
  });
});

describe('OAuth', () => {
  const refreshForm = (refresh_token: string) => ({ grant_type: 'refresh_token', refresh_token });

  it('omits expires_in, rotates refresh tokens, and revokes everything when a spent one comes back', async () => {
    const { send, token } = await start();
    const first = (await token(refreshForm(SANDBOX_ACCESS.refreshToken))).json;
    expect(Object.keys(first).sort()).toEqual(['access_token', 'refresh_token', 'scope', 'token_type']);
    const bearer = { authorization: `Bearer ${first.access_token}` };
    expect((await send('GET', '/v2/company', undefined, bearer)).status).toBe(200);
    const reused = await token(refreshForm(SANDBOX_ACCESS.refreshToken));
    expect([reused.status, reused.json.error]).toEqual([400, 'invalid_grant']);
    expect((await token(refreshForm(first.refresh_token ?? ''))).status).toBe(400);
    expect((await send('GET', '/v2/company', undefined, bearer)).status).toBe(403);
  });

  it('keeps the refresh token when rotation is off, and sends expires_in when told to', async () => {
    const { token } = await start([], { settings: { rotateRefreshTokens: false, sendExpiresIn: true } });
    for (let round = 0; round < 2; round += 1) {
      const { json } = await token(refreshForm(SANDBOX_ACCESS.refreshToken));
      expect(json).toMatchObject({ expires_in: 3600 });
      expect(json).not.toHaveProperty('refresh_token');
    }
  });

  it('answers an expired access token with 403', async () => {
    let now = Date.parse('2026-06-20T12:00:00Z');
    const { send, token } = await start([], { clock: { now: () => new Date(now) } });
    const { json } = await token(refreshForm(SANDBOX_ACCESS.refreshToken));
    now += 3_600_000;
    const reply = await send('GET', '/v2/company', undefined, { authorization: `Bearer ${json.access_token}` });
    expect([reply.status, reply.json]).toEqual([403, { type: 'FORBIDDEN', message: 'Expired token' }]);
  });

  it('wants a state longer than 8 characters and the exact redirect address', async () => {
    const { token, url } = await start();
    const authorize = (change: Record<string, string>) => {
      const { clientId: client_id, redirectUri: redirect_uri } = SANDBOX_ACCESS;
      const scope = 'openid offline_access';
      const query = { client_id, redirect_uri, response_type: 'code', state: 'longer-than-8', scope, ...change };
      return fetch(`${url}/oauth2/default/v1/authorize?${new URLSearchParams(query)}`, { redirect: 'manual' });
    };
    expect((await authorize({ state: '12345678' })).status).toBe(400);
    expect((await authorize({ redirect_uri: `${SANDBOX_ACCESS.redirectUri}/` })).status).toBe(400);
    const sent = new URL((await authorize({})).headers.get('location') ?? '');
    const code = sent.searchParams.get('code') ?? '';
    const form = { grant_type: 'authorization_code', code, redirect_uri: SANDBOX_ACCESS.redirectUri };
    expect((await token(form)).json).toHaveProperty('refresh_token');
    expect((await token(form)).status).toBe(400);
  });
});

describe('webhooks', () => {
  const READY = 'ACCOUNTING_RECORD_READY_FOR_EXPORT';

  async function subscribed(
    purchases: SeedPurchase[],
    more: Partial<BrexSandboxOptions> = {},
    statuses: number[] = [],
  ) {
    const sandbox = await start(purchases, more);
    const target = await receiver(statuses);
    const body = { url: target.url, event_types: [READY, 'TRANSFER_PROCESSED'] };
    const { json } = await sandbox.send('POST', '/v1/webhooks', body, { 'idempotency-key': 'w' });
    return { ...sandbox, ...target, subscription: json };
  }

  it('are signed as the published vectors say', () => {
    const id = 'msg_sbx0000000000000000000001';
    const body = `{"event_type":"${READY}","accountingRecordIds":["accr_sbx0001","accr_sbx0002"],"companyId":"cuacc_sbx0001"}`;
    const keyA = 'whsec_YnJleC1sb2NhbC1zYW5kYm94LWtleS0wMDAwMDAwMDE=';
    const keyB = 'YnJleC1sb2NhbC1zYW5kYm94LWtleS0wMDAwMDAwMDI=';
    expect(signature(keyA, id, '1795176000', body)).toBe('v1,HJ6lXMxiAJo7ADk0yEu7RZs952pVmYwRV2UZNOCKBU0=');
    expect(signature(keyB, id, '1795176000', body)).toBe('v1,LlM7QmOMpba+Ku9aHgIGcqfpPXAJuPp8mAXDskdwwsM=');
  });

  it('reach the registered address with a signature that svix accepts, under either spelling of the headers', async () => {
    const { control, received } = await subscribed([purchase('a')]);
    await control.sendReady(['accr_a']);
    await control.sendReady(['accr_a'], { headerNames: 'svix' });
    const webhook = new Webhook(SANDBOX_ACCESS.webhookSecret);
    for (const { body, headers } of received) {
      expect(() => webhook.verify(body, headers)).not.toThrow();
      expect(JSON.parse(body)).toEqual({
        ...{ event_type: READY, accountingRecordIds: ['accr_a'], companyId: SANDBOX_ACCESS.companyId },
      });
    }
    expect(received.map(({ headers }) => 'webhook-id' in headers)).toEqual([true, false]);
  });

  it('carry two signatures during a rotation', async () => {
    const { control, received, send } = await subscribed([purchase('a')]);
    await control.sendReady(['accr_a'], { rotate: true });
    const { json } = await send('GET', '/v1/webhooks/secrets');
    const secrets = json as unknown as { secret: string; status: string }[];
    expect(secrets.map((one) => one.status)).toEqual(['ACTIVE', 'PENDING_REVOKE']);
    const [message] = received;
    expect(message?.headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const { secret } of secrets) {
      expect(() => new Webhook(secret).verify(message?.body ?? '', message?.headers ?? {})).not.toThrow();
    }
  });

  it('can be repeated under one id, turned round, stale, wrongly signed and tampered with', async () => {
    const { control, received } = await subscribed([purchase('a')]);
    const webhook = new Webhook(SANDBOX_ACCESS.webhookSecret);
    await control.sendReady(['accr_a'], { repeat: 2 });
    expect(new Set(received.splice(0).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    const events = ['1', '2'].map((id) => ({ event_type: 'TRANSFER_PROCESSED', transfer_id: id }));
    await control.sendWebhooks(events, { reorder: true });
    expect(received.splice(0).map(({ body }) => JSON.parse(body).transfer_id)).toEqual(['2', '1']);
    for (const order of [{ ageSeconds: 3600 }, { badSignature: true }, { tamper: true }]) {
      await control.sendReady(['accr_a'], order);
      const [message] = received.splice(0);
      expect(() => webhook.verify(message?.body ?? '', message?.headers ?? {})).toThrow();
    }
  });

  it('are tried again under the same id after anything but 2xx', async () => {
    const settings = { webhookRetryDelaysMs: [0] };
    const { control, received } = await subscribed([purchase('a')], { settings }, [500]);
    await control.sendReady(['accr_a']);
    await expect.poll(() => received.length).toBe(2);
    const [first, second] = received;
    expect(first?.headers['webhook-id']).toBe(second?.headers['webhook-id']);
  });

  it('announce records by themselves when the clock reveals them, if switched on', async () => {
    const rows = ['a', 'b', 'c'].map((key) => purchase(key));
    const data = blankAccount('2026-06-12T00:00:00Z', {
      purchases: [...rows, purchase('r', { reviewStatus: 'REVIEW' })],
    });
    const settings = { webhooksOnReveal: true, webhookBatchSize: 2 };
    const { control, received } = await subscribed([], { data, settings });
    control.setNow('2026-06-13T00:00:00Z');
    await control.whenWebhooksIdle();
    const ids = received.flatMap(({ body }) => JSON.parse(body).accountingRecordIds);
    expect([received.length, ids.sort()]).toEqual([2, ['accr_a', 'accr_b', 'accr_c']]);
  });

  it('can be ordered over HTTP, and every attempt is kept', async () => {
    const { control, received, send } = await subscribed([purchase('a')]);
    const order = { recordIds: ['accr_a'], event: { event_type: 'UNHEARD_OF' }, repeat: 1 };
    expect((await send('POST', '/_sandbox/webhooks/send', order)).status).toBe(202);
    await control.whenWebhooksIdle();
    expect(received).toHaveLength(2);
    const { deliveries } = (await send('GET', '/_sandbox/webhooks/deliveries')).json;
    expect(deliveries).toMatchObject([{ status: 200, eventType: READY }, { status: 200 }]);
    expect((await send('POST', '/_sandbox/webhooks/send', { recordId: 'accr_a' })).json.field).toBe('recordId');
  });

  it('know one endpoint, https unless it is this machine, and are replaced as a whole', async () => {
    const { send, subscription } = await subscribed([]);
    const key = { 'idempotency-key': 'w2' };
    const body = { url: 'https://gw.example.com/hooks', event_types: [READY] };
    expect((await send('POST', '/v1/webhooks', body, key)).status).toBe(400);
    const path = `/v1/webhooks/${subscription.id}`;
    expect((await send('PUT', path, body)).status).toBe(400);
    expect((await send('PUT', path, { ...body, status: 'INACTIVE' })).json).toMatchObject({ status: 'INACTIVE' });
    expect((await send('PUT', path, { ...body, url: 'http://gw.example.com', status: 'ACTIVE' })).status).toBe(400);
    await send('DELETE', path);
    expect((await send('GET', '/v1/webhooks')).json.items).toEqual([]);
  });
});

describe('the fault dial', () => {
  it('loses the reply of a report that was carried out', async () => {
    const { faults, send } = await start([purchase('a')]);
    faults.set([{ match: 'export-results', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }]);
    await expect(send('POST', EXPORT, { results: [success('accr_a')] })).rejects.toThrow();
    expect((await send('GET', '/v3/accounting/records/accr_a')).json.review_status).toBe('EXPORTED');
  });

  it('ends a token so that the refusal is Brex own', async () => {
    const { faults, send } = await start();
    faults.set([{ match: '/v2/company', kind: 'EXPIRE_SESSION', times: 1 }]);
    expect((await send('GET', '/v2/company')).json).toEqual({ type: 'FORBIDDEN', message: 'Expired token' });
  });
});
