/** What would be caught here: a forged, stale or altered delivery that is believed, and a rotation that locks us out. */
import { describe, expect, it } from 'vitest';
import { settingsSchema } from '../../../src/connectors/brex/config.js';
import { brexConnector } from '../../../src/connectors/brex/index.js';
import { brexWebhooks } from '../../../src/connectors/brex/webhooks.js';
import { ConfigurationError, InputError } from '../../../src/errors.js';
import { type Answer, connectTo, fakeBrex, page } from './brexHarness.js';

// Composed vectors: the key bytes are ASCII "brex-local-sandbox-key-000000001" and …2.
const SECRET_A = 'whsec_YnJleC1sb2NhbC1zYW5kYm94LWtleS0wMDAwMDAwMDE=';
const SECRET_B = 'YnJleC1sb2NhbC1zYW5kYm94LWtleS0wMDAwMDAwMDI=';
const ID = 'msg_sbx0000000000000000000001';
const SENT_AT = new Date('2026-11-20T12:00:00Z');
const BODY = Buffer.from(
  '{"event_type":"ACCOUNTING_RECORD_READY_FOR_EXPORT","accountingRecordIds":["accr_sbx0001","accr_sbx0002"],"companyId":"cuacc_sbx0001"}',
);
const SIGNED_A = 'v1,HJ6lXMxiAJo7ADk0yEu7RZs952pVmYwRV2UZNOCKBU0=';
const SIGNED_B = 'v1,LlM7QmOMpba+Ku9aHgIGcqfpPXAJuPp8mAXDskdwwsM=';

const headers = (signature: string, prefix = 'Webhook') => ({
  [`${prefix}-Id`]: ID,
  [`${prefix}-Timestamp`]: '1795176000',
  [`${prefix}-Signature`]: signature,
});
const secondsLater = (seconds: number) => new Date(SENT_AT.getTime() + seconds * 1000);

describe('verifying a delivery', () => {
  it.each([
    ['a secret with prefix', headers(SIGNED_A), [SECRET_A]],
    ['the same secret without it', headers(SIGNED_A), [SECRET_A.replace('whsec_', '')]],
    ['a secret that came without prefix', headers(SIGNED_B), [SECRET_B]],
    ['svix spelling', headers(SIGNED_A, 'svix'), [SECRET_A]],
    ['lower-case names', headers(SIGNED_A, 'webhook'), [SECRET_A]],
    ['two signatures, the old secret', headers(`${SIGNED_A} ${SIGNED_B}`), [SECRET_A]],
    ['two signatures, the new secret', headers(`${SIGNED_A} ${SIGNED_B}`), [SECRET_B]],
    ['one signature, two secrets', headers(SIGNED_B), [SECRET_A, SECRET_B]],
    ['an unusable secret beside a good one', headers(SIGNED_A), ['%%%', '', SECRET_A]],
    ['an unknown signature version beside', headers(`v2,AAAA ${SIGNED_A}`), [SECRET_A]],
  ])('%s fits, and the message id comes back', (_, given, secrets) => {
    expect(brexWebhooks.verify(given, BODY, secrets, SENT_AT)).toBe(ID);
  });

  it.each([
    ['the wrong secret', headers(SIGNED_A), BODY, [SECRET_B]],
    ['no secret', headers(SIGNED_A), BODY, []],
    ['an altered body', headers(SIGNED_A), Buffer.concat([BODY, Buffer.from(' ')]), [SECRET_A]],
    ['a body that is not UTF-8', headers(SIGNED_A), Buffer.from([0xff, 0xfe]), [SECRET_A]],
    ['another id', { ...headers(SIGNED_A), 'Webhook-Id': 'msg_other' }, BODY, [SECRET_A]],
    ['a missing header', { ...headers(SIGNED_A), 'Webhook-Id': undefined }, BODY, [SECRET_A]],
    ['a signature without version', headers(SIGNED_A.slice(3)), BODY, [SECRET_A]],
    ['an unknown version', headers(SIGNED_A.replace('v1', 'v1a')), BODY, [SECRET_A]],
    ['a timestamp in words', { ...headers(SIGNED_A), 'Webhook-Timestamp': 'now' }, BODY, [SECRET_A]],
  ])('%s does not', (_, given, body, secrets) => {
    expect(brexWebhooks.verify(given, body, secrets, SENT_AT)).toBeNull();
  });

  it('five minutes either way are accepted, more is stale', () => {
    const verify = (now: Date) => brexWebhooks.verify(headers(SIGNED_A), BODY, [SECRET_A], now);
    expect([secondsLater(300), secondsLater(-300)].map(verify)).toEqual([ID, ID]);
    expect([secondsLater(301), secondsLater(-301)].map(verify)).toEqual([null, null]);
  });

  it('secrets come from the settings, one or several', () => {
    const secretsIn = (webhookSecret?: unknown) =>
      brexConnector.webhooks?.secretsIn(settingsSchema.parse({ webhookSecret }));
    expect(secretsIn()).toEqual([]);
    expect(secretsIn(SECRET_A)).toEqual([SECRET_A]);
    expect(secretsIn([SECRET_A, SECRET_B])).toEqual([SECRET_A, SECRET_B]);
  });
});

describe('translating an event', () => {
  it('the accounting event is in camel case and carries a batch', () => {
    const event = JSON.parse(BODY.toString()) as Record<string, unknown>;
    expect(brexWebhooks.translate({ ...event, extra: 1 })).toEqual({
      eventType: 'ACCOUNTING_RECORD_READY_FOR_EXPORT',
      companyId: 'cuacc_sbx0001',
      objects: [
        { stream: 'ACCOUNTING_RECORDS', id: 'accr_sbx0001' },
        { stream: 'ACCOUNTING_RECORDS', id: 'accr_sbx0002' },
      ],
    });
  });

  it('an expense event names its expense; transfers, users and unknown types cause nothing', () => {
    const translate = (event_type: string, more: object) =>
      brexWebhooks.translate({ event_type, company_id: 'c', ...more }).objects;
    expect(translate('EXPENSE_PAYMENT_UPDATED', { expense_id: 'e1', payment_status: 'PENDING' })).toEqual([
      { stream: 'EXPENSES', id: 'e1' },
    ]);
    expect(translate('TRANSFER_FAILED', { transfer_id: 't', payment_type: 'ACH_RETURN' })).toEqual([]);
    expect(translate('USER_UPDATED', { user_id: 'u' })).toEqual([]);
    expect(translate('EMBEDDED_FRAUD_ALERT', {})).toEqual([]);
  });

  it.each([
    [{ event_type: 'ACCOUNTING_RECORD_READY_FOR_EXPORT', accounting_record_ids: ['a'], company_id: 'c' }],
    [{ event_type: 'EXPENSE_PAYMENT_UPDATED', company_id: 'c' }],
    [{ no: 'type' }],
    ['text'],
    [null],
  ])('%j is refused as undocumented', (body) => {
    expect(() => brexWebhooks.translate(body)).toThrow(InputError);
  });
});

describe('managing the subscription', () => {
  const url = 'https://gw.example.com/webhooks/1';
  const subscription = (more: object = {}) => ({
    id: 'wsub_1',
    group_id: 'wg_1',
    url,
    event_types: ['USER_UPDATED'],
    status: 'INACTIVE',
    ...more,
  });

  it('creates one under a repeatable key when there is none', async () => {
    const brex = await fakeBrex(
      (asked): Answer => (asked.method === 'GET' ? { body: page([]) } : { body: subscription({ event_types: ['X'] }) }),
    );
    const { webhookManagement } = connectTo(brex.url);
    expect(await webhookManagement.register(url)).toEqual({ id: 'wsub_1', eventTypes: ['X'] });
    await webhookManagement.register(url);
    const posts = brex.asked.filter((asked) => asked.method === 'POST');
    expect(JSON.parse(posts[0]?.body ?? '')).toEqual({
      url,
      event_types: ['ACCOUNTING_RECORD_READY_FOR_EXPORT', 'EXPENSE_PAYMENT_UPDATED'],
    });
    expect(posts[0]?.headers['idempotency-key']).toMatch(/^ledgergate-webhook-[0-9a-f]{32}$/);
    expect(posts[1]?.headers['idempotency-key']).toBe(posts[0]?.headers['idempotency-key']);
  });

  it('replaces the one that exists as a whole, keeping its events and group', async () => {
    const brex = await fakeBrex(
      (asked): Answer =>
        asked.method === 'GET'
          ? { body: page([subscription({ url: 'https://old.example.com' })]) }
          : { body: JSON.parse(asked.body) && { ...subscription(), ...JSON.parse(asked.body) } },
    );
    await connectTo(brex.url).webhookManagement.register(url);
    const [put] = brex.asked.filter((asked) => asked.method === 'PUT');
    expect(put?.path).toBe('/v1/webhooks/wsub_1');
    expect(JSON.parse(put?.body ?? '')).toEqual({
      url,
      event_types: ['USER_UPDATED', 'ACCOUNTING_RECORD_READY_FOR_EXPORT', 'EXPENSE_PAYMENT_UPDATED'],
      status: 'ACTIVE',
      group_id: 'wg_1',
    });
  });

  it('reads the secrets that still count, and refuses an address Brex would not take', async () => {
    const brex = await fakeBrex(() => ({
      body: [
        { secret: 'a', status: 'ACTIVE' },
        { secret: 'b', status: 'PENDING_REVOKE' },
        { secret: 'c', status: 'REVOKED' },
      ],
    }));
    const { webhookManagement } = connectTo(brex.url);
    expect(await webhookManagement.secrets()).toEqual(['a', 'b']);
    await expect(webhookManagement.register('http://plain.example.com')).rejects.toBeInstanceOf(ConfigurationError);
  });
});
