// What would surprise: a rotated refresh token that is used before it is stored. A crash between the two would leave a
// connection whose only key no longer opens anything.
import { decodeJwt, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SageX3Credentials } from '../../../src/connectors/sage-x3/index.js';
import { sageX3Connector } from '../../../src/connectors/sage-x3/index.js';
import { CredentialsError, UpstreamUnavailableError } from '../../../src/errors.js';
import { MemoryVault } from '../../support/connectorContext.js';
import { type Call, connectTo, document, FakeX3, json, query, type SettingsInput } from './sageX3Helpers.js';

let x3: FakeX3;
beforeEach(async () => {
  x3 = await new FakeX3().start();
});
afterEach(() => x3.stop());

const NOW = new Date('2026-11-20T10:00:00Z');

const app: SageX3Credentials = {
  kind: 'connectedApp',
  clientId: 'app-1',
  secret: 'pl4nted-connected-app-secret-value',
  user: 'gateway',
};

const oauth2 = (): SageX3Credentials => ({
  kind: 'oauth2',
  tokenUrl: `${x3.url}/v1/token`,
  clientId: 'client-1',
  clientSecret: 'pl4nted-client-secret',
  refreshToken: 'refresh-1',
});

function bearer(call: Call | undefined): string {
  return String(call?.headers.authorization ?? '').replace('Bearer ', '');
}

describe('HTTP Basic', () => {
  it('is presented on every call, without cookies and without a session', async () => {
    const { connection } = connectTo(x3.url);
    await connection.findByReference([query]);
    await connection.findByReference([query]);
    const expected = `Basic ${Buffer.from('GATEWAY:pl4nted-basic-pw').toString('base64')}`;
    expect(x3.calls.map((call) => call.headers.authorization)).toEqual([expected, expected]);
    expect(x3.calls.every((call) => call.headers.cookie === undefined)).toBe(true);
  });

  it('that was refused is tried once', async () => {
    x3.intercept = () => ({ status: 401, type: 'text/html', body: '<html>pl4nted-basic-pw</html>' });
    await expect(connectTo(x3.url).connection.findByReference([query])).rejects.toBeInstanceOf(CredentialsError);
    expect(x3.calls).toHaveLength(1);
  });
});

describe('a connected application', () => {
  const settings: Partial<SettingsInput> = { auth: { audience: 'https://x3.example.com:8124/' } };

  it('signs its own token with issuer, subject, audience and a back-dated beginning', async () => {
    await connectTo(x3.url, settings, app, { now: () => NOW }).connection.findByReference([query]);
    const { payload, protectedHeader } = await jwtVerify(bearer(x3.calls[0]), new TextEncoder().encode(app.secret), {
      currentDate: NOW,
    });
    const at = NOW.getTime() / 1000;
    expect(protectedHeader.alg).toBe('HS256');
    expect(payload).toEqual({
      iss: 'app-1',
      sub: 'gateway',
      aud: 'https://x3.example.com:8124/',
      iat: at - 30,
      exp: at - 30 + 300,
    });
    expect(x3.count('token')).toBe(0);
  });

  it('keeps a token until shortly before its end, and makes another after a refusal', async () => {
    let now = NOW;
    const { connection } = connectTo(x3.url, settings, app, { now: () => now });
    await connection.findByReference([query]);
    await connection.findByReference([query]);
    now = new Date(NOW.getTime() + 280_000);
    await connection.findByReference([query]);
    const [first, second, third] = x3.calls.map(bearer);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    now = new Date(now.getTime() + 1000);
    x3.intercept = (call) =>
      bearer(call) === third ? { status: 401, type: 'text/plain', body: 'Error 50: Invalid token' } : undefined;
    await connection.findByReference([query]);
    expect(decodeJwt(bearer(x3.calls.at(-1))).iat).toBe(Math.floor(now.getTime() / 1000) - 30);
  });

  it.each([
    ['41', 'client id'],
    ['42', 'user'],
    ['45', 'auth.audience'],
    ['50', 'signature'],
  ])('is told what Error %s means', async (code, hint) => {
    let at = NOW.getTime();
    x3.intercept = () => ({ status: 401, type: 'text/plain', body: `Error ${code}: Invalid token` });
    const { connection } = connectTo(x3.url, settings, app, {
      now: () => {
        at += 1000;
        return new Date(at);
      },
    });
    await expect(connection.findByReference([query])).rejects.toMatchObject({
      userMessage: expect.stringContaining(hint),
    });
    expect(x3.calls).toHaveLength(2);
  });
});

describe('OAuth2 of the regional gateway', () => {
  let issued = 0;
  const bodies: Record<string, string>[] = [];
  const issue = (call: Call) => {
    issued += 1;
    bodies.push(JSON.parse(call.body) as Record<string, string>);
    return json({ access_token: `access-${issued}`, refresh_token: `refresh-${issued + 1}`, expires_in: 300 });
  };

  beforeEach(() => {
    issued = 0;
    bodies.length = 0;
    x3.intercept = (call) => (call.what === 'token' ? issue(call) : undefined);
  });

  it('renews tokens before their five minutes are over, each time with the newest refresh token', async () => {
    let now = NOW;
    const vault = new MemoryVault<SageX3Credentials>(oauth2());
    const { connection } = connectTo(x3.url, {}, oauth2(), { now: () => now, vault });
    await connection.findByReference([query]);
    now = new Date(NOW.getTime() + 230_000);
    await connection.findByReference([query]);
    expect(issued).toBe(1);
    now = new Date(NOW.getTime() + 241_000);
    await connection.findByReference([query]);
    expect(bodies.map((body) => body.refresh_token)).toEqual(['refresh-1', 'refresh-2']);
    expect(bodies[0]).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh-1',
      client_id: 'client-1',
      client_secret: 'pl4nted-client-secret',
    });
    expect(vault.credential).toMatchObject({ refreshToken: 'refresh-3', accessToken: 'access-2' });
  });

  it('stores the new refresh token before the access token is used', async () => {
    const events: string[] = [];
    class WatchedVault extends MemoryVault<SageX3Credentials> {
      override async rotate(...args: Parameters<MemoryVault<SageX3Credentials>['rotate']>) {
        const kept = await super.rotate(...args);
        events.push('stored');
        return kept;
      }
    }
    const { connection } = connectTo(x3.url, {}, oauth2(), { now: () => NOW, vault: new WatchedVault(oauth2()) });
    x3.intercept = (call) => {
      events.push(call.what);
      return call.what === 'token' ? issue(call) : undefined;
    };
    await connection.findByReference([query]);
    expect(events).toEqual(['token', 'stored', 'GET GACCENTRY']);
  });

  it('renews once for several calls at a time', async () => {
    const { connection } = connectTo(x3.url, {}, oauth2(), { now: () => NOW });
    await Promise.all([1, 2, 3, 4, 5].map(() => connection.findByReference([query])));
    expect(issued).toBe(1);
  });

  it('goes on with a write after a token that was refused, because a refusal means that nothing was executed', async () => {
    const { connection } = connectTo(x3.url, {}, oauth2(), { now: () => NOW });
    x3.intercept = (call) => {
      if (call.what === 'token') return issue(call);
      return call.what === 'run AOWSIMPORT' && bearer(call) === 'access-1' ? { status: 401, body: '' } : undefined;
    };
    await connection.submit(document());
    expect(x3.journals).toHaveLength(1);
    expect(issued).toBe(2);
  });

  it('never sends a renewal twice, and asks for a new connection when the refresh token is dead', async () => {
    const { connection } = connectTo(x3.url, {}, oauth2(), { now: () => NOW });
    x3.intercept = () => json({ error: 'invalid_grant', error_description: 'refresh-1 is used up' }, 400);
    const refusal = connection.findByReference([query]);
    await expect(refusal).rejects.toBeInstanceOf(CredentialsError);
    await expect(refusal).rejects.toMatchObject({ userMessage: expect.not.stringContaining('refresh-1') });
    expect(x3.count('token')).toBe(1);
  });

  it('is unavailable, and not refused, while the token endpoint is', async () => {
    const { connection } = connectTo(x3.url, {}, oauth2(), { now: () => NOW });
    x3.intercept = () => ({ status: 503, body: '' });
    await expect(connection.submit(document())).rejects.toBeInstanceOf(UpstreamUnavailableError);
  });

  it('whose answer cannot be read leaves a write unsent, not in doubt', async () => {
    const { connection } = connectTo(x3.url, {}, oauth2(), { now: () => NOW });
    x3.intercept = (call) => (call.what === 'token' ? { type: 'text/html', body: '<html/>' } : undefined);
    await expect(connection.submit(document())).rejects.toBeInstanceOf(UpstreamUnavailableError);
    let isRefused = false;
    x3.intercept = (call) => {
      if (call.what === 'token') return isRefused ? { type: 'text/html', body: '<html/>' } : issue(call);
      isRefused = call.what === 'run AOWSIMPORT';
      return isRefused ? { status: 401, body: '' } : undefined;
    };
    await expect(connection.submit(document())).rejects.toBeInstanceOf(UpstreamUnavailableError);
    expect(x3.journals).toHaveLength(0);
  });

  it('tells when its tokens end', () => {
    const credential = {
      ...oauth2(),
      expiresAt: '2026-11-20T10:05:00Z',
      refreshTokenExpiresAt: '2026-12-20T10:00:00Z',
    };
    expect(sageX3Connector.describeCredential(credential, NOW)).toEqual({
      kind: 'oauth2',
      expiresAt: new Date('2026-11-20T10:05:00Z'),
      renewBy: new Date('2026-12-20T10:00:00Z'),
    });
  });
});

describe('client credentials', () => {
  it('ask with audience and scope, and carry an API key beside the token', async () => {
    const credentials: SageX3Credentials = {
      kind: 'oauth2',
      tokenUrl: `${x3.url}/oauth/token`,
      clientId: 'c',
      clientSecret: 's3cr3t',
      apiKey: 'k3y',
    };
    const settings: Partial<SettingsInput> = {
      auth: { audience: 'x3', scope: 'api', tokenBody: 'form' },
      extraHeaders: { 'x-route': 'blue' },
    };
    x3.intercept = (call) => (call.what === 'token' ? json({ access_token: 'a1' }) : undefined);
    await connectTo(x3.url, settings, credentials).connection.findByReference([query]);
    const [token, read] = x3.calls;
    expect(Object.fromEntries(new URLSearchParams(token?.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'c',
      client_secret: 's3cr3t',
      audience: 'x3',
      scope: 'api',
    });
    expect(read?.headers).toMatchObject({ authorization: 'Bearer a1', 'x-api-key': 'k3y', 'x-route': 'blue' });
  });
});
