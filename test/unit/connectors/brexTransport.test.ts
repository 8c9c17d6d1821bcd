/**
 * What would be caught here: two workers that spend one refresh token twice, a missing role that pauses the whole
 * connection (or a dead token that does not), a write that is sent again after an unclear answer, and a burst above
 * Brex's limit.
 */
import { describe, expect, it } from 'vitest';
import { CallBudget } from '../../../src/connectors/brex/budget.js';
import { credentialsSchema } from '../../../src/connectors/brex/config.js';
import { errorOf, isTokenRefusal } from '../../../src/connectors/brex/failures.js';
import {
  ConfigurationError,
  CredentialsError,
  InputError,
  OutcomeUnknownError,
  PermissionError,
  RateLimitedError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import { type Answer, type Asked, connectTo, fakeBrex, MemoryVault, NOW, userToken } from './brexHarness.js';

const ME: Answer = { body: { id: 'cuuser_1' } };
const REVOKED: Answer = { status: 403, body: { type: 'FORBIDDEN', message: 'Invalid or Revoked Token' } };
const EMPTY_401: Answer = { status: 401, body: '' };

function oauth(patch: Record<string, unknown> = {}) {
  return credentialsSchema.parse({
    kind: 'oauth2',
    clientId: 'client',
    clientSecret: 'sec+ret/&=',
    refreshToken: 'rt_1',
    accessToken: 'at_1',
    expiresAt: '2026-11-20T13:00:00Z',
    ...patch,
  });
}

/** A Brex with a token endpoint: `at_N` is valid only while it is the newest. */
async function oauthBrex(tokenReply: (count: number) => Answer) {
  let issued = 1;
  let refreshes = 0;
  const brex = await fakeBrex((asked) => {
    if (asked.path === '/token') {
      refreshes += 1;
      const reply = tokenReply(refreshes);
      if ((reply.status ?? 200) === 200) issued += 1;
      return reply;
    }
    return asked.headers.authorization === `Bearer at_${issued}` ? ME : REVOKED;
  });
  return { ...brex, tokenUrl: `${brex.url}/token`, refreshes: () => refreshes };
}

const issue =
  (more: Record<string, unknown> = {}) =>
  (count: number) => ({
    body: { token_type: 'bearer', access_token: `at_${count + 1}`, ...more },
  });

describe('OAuth tokens', () => {
  it('an access token is renewed five minutes before it ends, with the credentials in the form body', async () => {
    const brex = await oauthBrex(issue({ refresh_token: 'rt_2', expires_in: 1800 }));
    const vault = new MemoryVault(oauth({ expiresAt: '2026-11-20T12:04:59Z' }));
    await connectTo(brex.url, { vault, settings: { tokenUrl: brex.tokenUrl } }).keepAlive();
    expect(brex.refreshes()).toBe(1);
    const form = brex.asked.find((asked) => asked.path === '/token') as Asked;
    expect(form.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(form.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(new URLSearchParams(form.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'rt_1',
      client_id: 'client',
      client_secret: 'sec+ret/&=',
    });
    expect(vault.stored).toMatchObject({
      refreshToken: 'rt_2',
      accessToken: 'at_2',
      expiresAt: '2026-11-20T12:30:00.000Z',
      refreshTokenExpiresAt: '2027-02-18T12:00:00.000Z',
    });
  });

  it('one that still lives is used as it is', async () => {
    const brex = await oauthBrex(issue());
    await connectTo(brex.url, { vault: new MemoryVault(oauth()), settings: { tokenUrl: brex.tokenUrl } }).keepAlive();
    expect(brex.refreshes()).toBe(0);
  });

  it('a missing expires_in is an hour, and without a new refresh token the old one and its end are kept', async () => {
    const brex = await oauthBrex(issue());
    const vault = new MemoryVault(
      oauth({ accessToken: undefined, expiresAt: undefined, refreshTokenExpiresAt: '2026-12-01T00:00:00Z' }),
    );
    await connectTo(brex.url, { vault, settings: { tokenUrl: brex.tokenUrl } }).keepAlive();
    expect(vault.stored).toMatchObject({ refreshToken: 'rt_1', expiresAt: '2026-11-20T13:00:00.000Z' });
    expect(vault.renewals[0]?.renewBy).toEqual(new Date('2026-12-01T00:00:00Z'));
  });

  it('two connections with one refused token renew it once', async () => {
    const brex = await oauthBrex(issue({ refresh_token: 'rt_2' }));
    const vault = new MemoryVault(oauth({ accessToken: 'at_old' }));
    const settings = { tokenUrl: brex.tokenUrl };
    const connections = [connectTo(brex.url, { vault, settings }), connectTo(brex.url, { vault, settings })];
    await Promise.all(connections.flatMap((connection) => [connection.keepAlive(), connection.keepAlive()]));
    expect(brex.refreshes()).toBe(1);
  });

  it('a token refused again right after its renewal ends in CredentialsError, not in a circle', async () => {
    const brex = await fakeBrex((asked) => (asked.path === '/token' ? issue()(asked.path.length) : EMPTY_401));
    const vault = new MemoryVault(oauth());
    const connection = connectTo(brex.url, { vault, settings: { tokenUrl: `${brex.url}/token` } });
    await expect(connection.keepAlive()).rejects.toBeInstanceOf(CredentialsError);
    expect(brex.asked).toHaveLength(3);
  });

  it.each([
    [{ status: 400, body: { error: 'invalid_grant' } }, CredentialsError],
    [{ status: 401, body: '' }, CredentialsError],
    [{ status: 404, body: '<html>' }, ConfigurationError],
    [{ status: 500, body: '<html>' }, UpstreamUnavailableError],
    [{ status: 429, body: '' }, RateLimitedError],
    [{ status: 200, body: '<html>login</html>' }, UnreadableReplyError],
    [{ status: 200, body: { nothing: true } }, UnreadableReplyError],
  ])('a token endpoint that says %j ends in the right error, and the credential stays', async (reply, expected) => {
    const brex = await oauthBrex(() => reply);
    const vault = new MemoryVault(oauth({ accessToken: undefined }));
    const connection = connectTo(brex.url, { vault, settings: { tokenUrl: brex.tokenUrl } });
    const error = await connection.keepAlive().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(expected);
    expect(vault.stored).toMatchObject({ refreshToken: 'rt_1' });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/rt_1|sec\+ret/);
  });
});

describe('user tokens', () => {
  it.each([
    ['an empty 401', EMPTY_401],
    ['403 Invalid or Revoked Token', REVOKED],
    ['403 Expired token', { status: 403, body: { message: 'Expired token' } }],
    ['an empty 403', { status: 403, body: '' }],
    [
      'the gateway’s 401',
      { status: 401, body: { error_code: 'UNAUTHORIZED', message: 'Missing or invalid Authorization header' } },
    ],
  ])('%s ends in CredentialsError after one call', async (_, answer) => {
    const brex = await fakeBrex(() => answer);
    await expect(connectTo(brex.url).keepAlive()).rejects.toBeInstanceOf(CredentialsError);
    expect(brex.asked).toHaveLength(1);
  });

  it('one that was replaced meanwhile is used', async () => {
    const vault = new MemoryVault(userToken('bxt_old'));
    const brex = await fakeBrex((asked) => {
      if (asked.headers.authorization === 'Bearer bxt_new') return ME;
      vault.stored = userToken('bxt_new');
      return REVOKED;
    });
    await connectTo(brex.url, { vault }).keepAlive();
    expect(brex.asked).toHaveLength(2);
  });
});

describe('refusals', () => {
  it.each([
    [401, 'Must be cash admin, bookkeeper or user.'],
    [401, 'Only account admin, ap clerks and bookkeepers can access contacts'],
    [403, 'Insufficient scope'],
  ])('%i "%s" is a missing right: no renewal, no pause', async (status, message) => {
    const brex = await fakeBrex(() => ({ status, body: { type: 'X', message } }));
    await expect(connectTo(brex.url).keepAlive()).rejects.toBeInstanceOf(PermissionError);
    expect(brex.asked).toHaveLength(1);
  });

  it('a v3 path refused by the former host asks for the new address instead of a new token', () => {
    const failure = { status: 401, error: null, message: '', traceId: null, retryAfterMs: null };
    expect(isTokenRefusal(failure)).toBe(true);
    const call = { operation: 'GET /v3/accounting/records', isWrite: false, host: 'platform.brexapis.com' };
    expect(errorOf(failure, call)).toMatchObject({ code: 'BREX_FORMER_HOST' });
    expect(errorOf(failure, { ...call, host: 'api.brex.com' })).toBeInstanceOf(CredentialsError);
  });

  it('a refused question is a setting to look at, and carries the trace id for Brex support', async () => {
    const brex = await fakeBrex(() => ({ status: 400, body: { type: 'BAD_REQUEST', message: 'limit is too large' } }));
    const error = await connectTo(brex.url)
      .keepAlive()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ detail: { traceId: '5081295853325621927', brexCode: 'BAD_REQUEST' } });
  });
});

describe('reads', () => {
  it('are repeated after a throttle, a fault, a broken connection and an HTML page', async () => {
    const answers: Answer[] = [
      { status: 429, body: '', headers: { 'retry-after': '3' } },
      { status: 502, body: '<html>Bad gateway</html>' },
      { breaks: true },
      ME,
    ];
    const waits: number[] = [];
    const brex = await fakeBrex((_, count) => answers[count - 1] ?? ME);
    await connectTo(brex.url, { waits }).keepAlive();
    expect(brex.asked).toHaveLength(4);
    expect(waits[0]).toBe(3000);
  });

  it('give up after a bounded number of calls', async () => {
    const brex = await fakeBrex(() => ({ status: 503, body: '' }));
    await expect(connectTo(brex.url).keepAlive()).rejects.toBeInstanceOf(UpstreamUnavailableError);
    expect(brex.asked).toHaveLength(4);
  });

  it('an HTML page with status 200 is unreadable', async () => {
    const brex = await fakeBrex(() => ({ body: '<html>Maintenance of account 4711</html>' }));
    const error = await connectTo(brex.url)
      .keepAlive()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnreadableReplyError);
    expect(JSON.stringify(error)).not.toContain('4711');
  });
});

describe('writes', () => {
  const order = {
    paymentInstrumentId: 'pi_1',
    amountMinor: 125000n,
    description: 'Run 7',
    externalMemo: 'INV 8841',
    cashAccountId: 'dpacc_1',
    requireApproval: true,
  };
  const transfer: Answer = {
    body: { id: 'ptx_1', status: 'PENDING_APPROVAL', amount: { amount: 125000, currency: 'USD' } },
  };

  it.each<[string, Answer]>([
    ['a 500', { status: 500, body: '' }],
    ['a broken connection', { breaks: true }],
    ['a success that cannot be read', { body: '<html>' }],
  ])('are sent once: %s leaves the outcome unknown', async (_, answer) => {
    const brex = await fakeBrex(() => answer);
    const call = connectTo(brex.url).transfers.create(order, 'payment-8841');
    await expect(call).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(brex.asked).toHaveLength(1);
  });

  it('a transfer travels under the key of its business fact, in minor units, also when repeated', async () => {
    const brex = await fakeBrex(() => transfer);
    const { transfers } = connectTo(brex.url);
    await transfers.create(order, 'payment-8841');
    await transfers.create(order, 'payment-8841');
    expect(brex.asked.map((asked) => asked.headers['idempotency-key'])).toEqual(['payment-8841', 'payment-8841']);
    expect(JSON.parse(brex.asked[0]?.body ?? '')).toEqual({
      counterparty: { type: 'VENDOR', payment_instrument_id: 'pi_1' },
      amount: { amount: 125000, currency: 'USD' },
      description: 'Run 7',
      external_memo: 'INV 8841',
      originating_account: { type: 'BREX_CASH', id: 'dpacc_1' },
      approval_type: 'MANUAL',
    });
  });

  it('a write never travels on a kept connection, which Brex may have closed meanwhile', async () => {
    const brex = await fakeBrex((asked) => (asked.method === 'GET' ? ME : transfer));
    const connection = connectTo(brex.url);
    await connection.keepAlive();
    await connection.transfers.create(order, 'a');
    await connection.transfers.create(order, 'b');
    expect(new Set(brex.asked.map((asked) => asked.port)).size).toBe(3);
  });

  it('a refused token proves that nothing happened: the write goes out once more with the new one', async () => {
    const brex = await fakeBrex((asked) => {
      if (asked.path === '/token') return issue()(1);
      return asked.headers.authorization === 'Bearer at_2' ? transfer : EMPTY_401;
    });
    const vault = new MemoryVault(oauth());
    const settings = { tokenUrl: `${brex.url}/token` };
    expect(await connectTo(brex.url, { vault, settings }).transfers.create(order, 'k')).toMatchObject({ id: 'ptx_1' });
  });

  it('a throttled write certainly did not start, and a 400 is the caller’s to mend', async () => {
    const throttled = await fakeBrex(() => ({ status: 429, body: '' }));
    await expect(connectTo(throttled.url).transfers.create(order, 'k')).rejects.toBeInstanceOf(RateLimitedError);
    const refused = await fakeBrex(() => ({ status: 400, body: { message: 'description is invalid' } }));
    await expect(connectTo(refused.url).transfers.create(order, 'k')).rejects.toBeInstanceOf(InputError);
  });

  it('an amount, memo or key that Brex cannot take is refused before anything is sent', async () => {
    const brex = await fakeBrex(() => transfer);
    const { transfers } = connectTo(brex.url);
    expect(() => transfers.create({ ...order, amountMinor: 0n }, 'k')).toThrow(InputError);
    expect(() => transfers.create({ ...order, externalMemo: 'x'.repeat(91) }, 'k')).toThrow(InputError);
    expect(() => transfers.create(order, 'two words')).toThrow(InputError);
    expect(brex.asked).toEqual([]);
  });
});

describe('the call budget', () => {
  it('lets no more than its number through in any sixty seconds', () => {
    const budget = new CallBudget(3);
    const waits = [0, 0, 0, 0, 0, 0, 0].map((now) => budget.reserve(now));
    expect(waits).toEqual([0, 0, 0, 60_000, 60_000, 60_000, 120_000]);
    expect(budget.reserve(500_000)).toBe(0);
  });

  it('is shared by all connections of one system in the process', async () => {
    const brex = await fakeBrex(() => ME);
    const waits: number[] = [];
    const options = { systemId: 'shared', settings: { requestsPerMinute: 2 }, waits, now: NOW };
    for (let call = 0; call < 3; call += 1) await connectTo(brex.url, options).keepAlive();
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThan(50_000);
  });
});
