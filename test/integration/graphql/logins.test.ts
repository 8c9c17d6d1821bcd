// People who log in at their company's issuer and show its token in the place of an API key. What would surprise: a token
// that another key signed, that has ended or was made for somebody else and still opens; a tenant or a role that is assumed;
// an answer that says why; an issuer that is away and takes the API keys with it; a socket that outlives its token.
import { Writable } from 'node:stream';
import { createClient } from 'graphql-ws';
import { exportSPKI, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createLogger } from '../../../src/logger.js';
import { type LoginTiming, LoginTokens, type OidcSettings } from '../../../src/services/loginTokens.js';
import { TestClock } from '../../support/engine.js';
import { AUDIENCE, FakeIssuer } from '../../support/fakeIssuer.js';
import { type Answer, Gateway } from '../../support/graphqlFixtures.js';

const VIEWER = '{ viewer { tenant name role } }';
const clock = new TestClock();
let base: Gateway;
let issuer: FakeIssuer;
let gateway: Gateway;
let log = '';

beforeAll(async () => {
  base = await Gateway.start({ clock });
});
afterAll(() => base.stop());

beforeEach(async () => {
  log = '';
  issuer = await FakeIssuer.start(() => clock.now().getTime());
  gateway = await start();
});
afterEach(async () => {
  await gateway.stop();
  await issuer.stop();
});

function start(over: Partial<OidcSettings> = {}, timing: LoginTiming = {}): Promise<Gateway> {
  const sink = new Writable({
    write(chunk, _encoding, done) {
      log += String(chunk);
      done();
    },
  });
  const settings = { issuer: issuer.url, audience: AUDIENCE, tenantClaim: 'tenant', roleClaim: 'role', roles: null };
  const logins = new LoginTokens(
    { ...settings, ...over },
    { db: base.db, logger: createLogger('debug', sink) },
    timing,
  );
  return Gateway.start({ on: base, clock, logins, log: sink, keyCheckMs: 20 });
}

async function viewerOf(token: string, on = gateway) {
  return (await on.data(token, VIEWER)).viewer;
}

const seconds = (from: number) => Math.floor(clock.now().getTime() / 1_000) + from;

describe('a login token', () => {
  it('opens its tenant in its role, under the address where that is verified, else under the subject', async () => {
    const who = { tenant: 'acme', role: 'OPERATOR' };
    expect(await viewerOf(await issuer.token())).toEqual({ ...who, name: 'ada-1' });
    const address = { email: 'ada@acme.example', email_verified: true };
    expect(await viewerOf(await issuer.token(address))).toEqual({ ...who, name: 'ada@acme.example' });
    expect(await viewerOf(await issuer.token({ ...address, email_verified: false }))).toEqual({
      ...who,
      name: 'ada-1',
    });
    const [refusal] = (await gateway.ask(await issuer.token(), '{ apiKeys { id } }')).body.errors;
    expect(refusal.extensions).toMatchObject({ code: 'FORBIDDEN', requiredRole: 'ADMIN' });
  });

  it('is written into the audit trail by name', async () => {
    const token = await issuer.token({ role: 'ADMIN', email: 'chief@acme.example', email_verified: true });
    await gateway.data(token, 'mutation { createApiKey(name: "made", role: VIEWER) { apiKey { id } } }');
    const events = await gateway.data(
      token,
      '{ auditEvents(filter: { actions: ["apiKey.created"] }) { nodes { actor } } }',
    );
    expect(events.auditEvents.nodes).toContainEqual({ actor: 'user:chief@acme.example' });
  });

  it('may name tenant and roles as the issuer does', async () => {
    const roles = new Map([
      ['ledger readers', 'AUDITOR'],
      ['ledger owners', 'ADMIN'],
    ] as const);
    const custom = await start({ tenantClaim: 'https://acme.example/company', roleClaim: 'realm_access.roles', roles });
    const given = (list: unknown) =>
      issuer.token({
        'https://acme.example/company': 'acme',
        tenant: 'other',
        role: 'ADMIN',
        realm_access: { roles: list },
      });
    expect(await viewerOf(await given(['staff', 'ledger readers']), custom)).toMatchObject({ role: 'AUDITOR' });
    expect(await viewerOf(await given(['ledger owners', 'ledger readers']), custom)).toMatchObject({ role: 'ADMIN' });
    expect((await custom.ask(await given(['ADMIN', 'staff']), VIEWER)).status).toBe(401);
    expect((await custom.ask(await given({ length: 1 }), VIEWER)).status).toBe(401);
    await custom.stop();
  });

  it('is taken some seconds after its end and before its beginning, because clocks differ, and no later or earlier', async () => {
    const status = async (claims: Record<string, unknown>) =>
      (await gateway.ask(await issuer.token(claims), VIEWER)).status;
    expect(await status({ exp: seconds(-20) })).toBe(200);
    expect(await status({ exp: seconds(-40) })).toBe(401);
    expect(await status({ nbf: seconds(20) })).toBe(200);
    expect(await status({ nbf: seconds(40) })).toBe(401);
  });

  it('that is wrong in any way is answered like no key at all, and appears in no log', async () => {
    const [published] = issuer.keys;
    if (!published) throw new Error('The issuer has no key.');
    const stranger = await FakeIssuer.start(() => clock.now().getTime());
    const [strange] = stranger.keys;
    const signed = new TextEncoder().encode(await exportSPKI(published.publicKey));
    const good = await issuer.token();
    const [header = '', body = '', signature = ''] = good.split('.');
    const other = Buffer.from(JSON.stringify(issuer.claims({ role: 'ADMIN' }))).toString('base64url');
    const wrong: Record<string, string> = {
      'signed by another': await issuer.token({}, strange && { ...strange, kid: published.kid }),
      'of another issuer': await stranger.token(),
      'with changed claims': [header, other, signature].join('.'),
      'without its signature': `${header}.${body}.`,
      unsigned: new UnsecuredJWT(issuer.claims()).encode(),
      'signed with the public key as a secret': await new SignJWT(issuer.claims())
        .setProtectedHeader({ alg: 'HS256', kid: published.kid })
        .sign(signed),
      'of an unknown key': await issuer.token({}, { ...published, kid: 'unheard-of' }),
      'for another audience': await issuer.token({ aud: 'https://elsewhere.example' }),
      'for nobody': await issuer.token({ aud: undefined }),
      'without an end': await issuer.token({ exp: undefined }),
      'without a subject': await issuer.token({ sub: undefined }),
      'with a subject of two words': await issuer.token({ sub: 'ada system:planning' }),
      'without a tenant': await issuer.token({ tenant: undefined }),
      'of an unknown tenant': await issuer.token({ tenant: 'nowhere' }),
      'of two tenants': await issuer.token({ tenant: ['acme', 'other'] }),
      'without a role': await issuer.token({ role: undefined }),
      'of an unknown role': await issuer.token({ role: 'admin' }),
      'with an inherited role': await issuer.token({ role: 'constructor' }),
      'no token at all': 'eyJub.dGhpbmc.x',
    };
    const bare = await gateway.ask(null, VIEWER);
    const seen = ({ status, body: said, headers }: Answer) => [status, said, headers.get('www-authenticate')];
    for (const [what, token] of Object.entries(wrong)) {
      expect(seen(await gateway.ask(token, VIEWER)), what).toEqual(seen(bare));
      for (const part of token.split('.').filter(({ length }) => length > 40)) expect(log, what).not.toContain(part);
    }
    expect(bare.body.errors[0].extensions).toEqual({ code: 'UNAUTHENTICATED' });
    expect((await gateway.ask(good, VIEWER)).status).toBe(200);
    expect(log).not.toContain(signature);
    await stranger.stop();
  });

  it('is nothing where no issuer is set', async () => {
    expect((await base.ask(await issuer.token(), VIEWER)).status).toBe(401);
    expect(issuer.keyReads).toBe(0);
  });
});

describe('the issuer', () => {
  it('may sign with a new key from one moment to the next, and what it takes back no longer opens', async () => {
    const quick = await start({}, { cooldownMs: 0, keysKeptMs: 0 });
    const old = await issuer.token();
    expect((await quick.ask(old, VIEWER)).status).toBe(200);
    await issuer.rotate('second', 'ES256');
    expect((await quick.ask(await issuer.token(), VIEWER)).status).toBe(200);
    expect((await quick.ask(old, VIEWER)).status).toBe(200);
    issuer.keys.shift();
    expect((await quick.ask(old, VIEWER)).status).toBe(401);
    expect((await quick.ask(await issuer.token(), VIEWER)).status).toBe(200);
    await quick.stop();
  });

  it('is asked for its keys once, however many tokens come, and not at every token that somebody makes up', async () => {
    const [published] = issuer.keys;
    const good = await issuer.token();
    await Promise.all(Array.from({ length: 10 }, () => gateway.ask(good, VIEWER)));
    expect(issuer.keyReads).toBe(1);
    for (let count = 0; count < 10; count += 1) {
      await gateway.ask(await issuer.token({}, published && { ...published, kid: `made-up-${count}` }), VIEWER);
    }
    expect(issuer.keyReads).toBe(1);
  });

  it('that is away is no fault of the token: 503, while API keys and known keys work on', async () => {
    issuer.isDown = true;
    const key = await base.key('VIEWER', 'acme', 'beside');
    const away = await gateway.ask(await issuer.token(), VIEWER);
    expect([away.status, away.body.errors[0].extensions.code]).toEqual([503, 'UPSTREAM_UNAVAILABLE']);
    expect(away.headers.get('retry-after')).toBe('5');
    expect((await gateway.ask(key, VIEWER)).status).toBe(200);
    issuer.isDown = false;
    const other = await start();
    const token = await issuer.token();
    expect((await other.ask(token, VIEWER)).status).toBe(200);
    issuer.isDown = true;
    expect((await other.ask(token, VIEWER)).status).toBe(200);
    await other.stop();
  });

  it('that describes itself under another name is not believed', async () => {
    const renamed = await start({ issuer: `${issuer.url}/` });
    const token = await issuer.token({ iss: `${issuer.url}/` });
    expect((await renamed.ask(token, VIEWER)).status).toBe(503);
    await renamed.stop();
  });
});

describe('a WebSocket', () => {
  const socket = (authorization: string) =>
    createClient({
      ...{ url: `${gateway.server.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 },
      connectionParams: { authorization },
    });
  const openNow = () => (gateway.feed as unknown as { open: Set<unknown> }).open.size;

  it('takes the token, and is closed when the token has ended', async () => {
    const client = socket(`Bearer ${await issuer.token()}`);
    const events = client.iterate({ query: 'subscription { alertRaised { id } }' });
    const first = events.next();
    await expect.poll(openNow, { interval: 5 }).toBe(1);
    clock.advance(331_000);
    await expect(first).rejects.toMatchObject({ code: 4403 });
    await client.dispose();
  });

  it.each([
    ['wrong', { aud: 'https://elsewhere.example' }],
    ['too long', { filler: 'x'.repeat(13_000) }],
  ])('is not opened by a token that is %s', async (_what, claims) => {
    const client = socket(`Bearer ${await issuer.token(claims)}`);
    const events = client.iterate({ query: 'subscription { alertRaised { id } }' });
    await expect(events.next()).rejects.toMatchObject({ code: 4403, reason: 'Forbidden' });
    await client.dispose();
  });
});
