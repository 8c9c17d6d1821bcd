import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningEpicorKinetic } from '../../../src/sandbox/epicor-kinetic/index.js';
import { type Answer, PlainClient, start } from './epicor-kineticSupport.js';

/** Who may do what. What would be caught: a refusal that a client cannot tell from another one, or none at all. */

let kinetic: RunningEpicorKinetic;
let client: PlainClient;
let now = new Date('2026-11-20T12:00:00Z');
beforeEach(async () => {
  now = new Date('2026-11-20T12:00:00Z');
  kinetic = await start({ clock: { now: () => now } });
  client = new PlainClient(kinetic);
});
afterEach(() => kinetic.close());

const VENDORS = 'Erp.BO.VendorSvc/Vendors';
const list = (): Promise<Answer> => client.get(VENDORS);

async function form(values: Record<string, string>, headers: Record<string, string> = {}) {
  const reply = await request(kinetic.access.tokenUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(values).toString(),
  });
  return { status: reply.statusCode, body: (await reply.body.json()) as Record<string, unknown> };
}

function credentials(): Record<string, string> {
  const { clientId, clientSecret, scope } = kinetic.access;
  return { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope };
}

async function bearer(): Promise<void> {
  const { body } = await form(credentials());
  client.headers.authorization = `Bearer ${body.access_token}`;
}

describe('three layers refuse a call, each with its own 401', () => {
  it('the user first', async () => {
    client.headers = {
      authorization: `Basic ${Buffer.from('INTEGRATION:wrong').toString('base64')}`,
      'x-api-key': 'wrong',
    };
    const { status, body } = await list();
    expect(status).toBe(401);
    expect(body).toMatchObject({
      HttpStatus: 401,
      ErrorMessage: 'Invalid username or password.',
      ErrorType: 'System.UnauthorizedAccessException',
    });
  });

  it('then the key, whose text echoes the key itself', async () => {
    client.headers['x-api-key'] = 'a-secret-key';
    const { status, body } = await list();
    expect([status, body.ErrorMessage]).toEqual([401, 'Invalid API Key a-secret-key.\r\nCompany EPIC06.']);
  });

  it('a key that does not cover the company of the address', async () => {
    const { status, body } = await client.get('/KineticLive/api/v2/odata/OTHER/Erp.BO.VendorSvc/Vendors');
    expect(status).toBe(401);
    expect(body.ErrorMessage).toMatch(/Company OTHER\.$/);
  });

  it('a missing key, with the status of the installation', async () => {
    delete client.headers['x-api-key'];
    expect((await list()).status).toBe(401);
    kinetic.changeSettings({ missingApiKeyStatus: 403 });
    expect((await list()).status).toBe(403);
  });

  it('then the scope, which some would answer with 403', async () => {
    kinetic.changeSettings({ deniedOperations: ['Erp.BO.VendorSvc'] });
    const { status, body } = await list();
    expect([status, body.ErrorMessage]).toEqual([401, 'Access denied (Erp.BO.Vendor.Vendors).']);
    kinetic.changeSettings({ accessDeniedStatus: 403 });
    expect((await list()).status).toBe(403);
  });

  it('an unknown address is refused to a stranger before it is called unknown', async () => {
    const address = 'Erp.BO.NoSuchSvc/Things';
    expect((await client.get(address)).body).toMatchObject({
      HttpStatus: 404,
      ErrorType: 'Epicor.RESTApi.ErrorHandling.ApiException',
    });
    delete client.headers.authorization;
    expect((await client.get(address)).status).toBe(401);
  });
});

describe('the identity provider', () => {
  it('gives a bearer for client credentials, beside which the API key is still wanted', async () => {
    await bearer();
    expect((await list()).status).toBe(200);
    delete client.headers['x-api-key'];
    expect((await list()).status).toBe(401);
  });

  it('refuses in the words of OAuth', async () => {
    expect(await form({ ...credentials(), client_secret: 'x' })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    expect((await form({ ...credentials(), scope: 'x' })).body.error).toBe('invalid_scope');
    expect((await form({ ...credentials(), grant_type: 'x' })).body.error).toBe('unsupported_grant_type');
  });

  it('takes the client by Basic where it is set up so', async () => {
    kinetic.changeSettings({ clientAuthStyle: 'basic' });
    expect((await form(credentials())).status).toBe(401);
    const { clientId, clientSecret, scope } = kinetic.access;
    const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
    expect((await form({ grant_type: 'client_credentials', scope }, { authorization })).status).toBe(200);
  });

  it('rotates refresh tokens: each works once', async () => {
    const { username, password } = kinetic.access;
    const first = await form({ ...credentials(), grant_type: 'password', username, password });
    const refresh = { ...credentials(), grant_type: 'refresh_token', refresh_token: String(first.body.refresh_token) };
    expect((await form(refresh)).status).toBe(200);
    expect((await form(refresh)).body.error).toBe('invalid_grant');
  });

  it('lets tokens end by their time and by force', async () => {
    await bearer();
    now = new Date(now.getTime() + 3600 * 1000);
    expect((await list()).status).toBe(401);
    await bearer();
    expect(kinetic.expireSessions()).toBe(1);
    expect((await list()).status).toBe(401);
  });
});

describe('the application server', () => {
  it('gives tokens for name and password in headers, in JSON only when asked', async () => {
    const { username, password, tokenResourceUrl } = kinetic.access;
    const ask = async (accept: string) => {
      const reply = await request(tokenResourceUrl, { method: 'POST', headers: { username, password, accept } });
      return { status: reply.statusCode, text: await reply.body.text() };
    };
    const json = JSON.parse((await ask('application/json')).text);
    expect(json).toMatchObject({ ExpiresIn: 3600, TokenType: 'Bearer' });
    client.headers.authorization = `Bearer ${json.AccessToken}`;
    expect((await list()).status).toBe(200);
    expect((await ask('*/*')).text).toMatch(/^<Token><AccessToken>/);
    kinetic.changeSettings({ tokenResource: false });
    expect((await ask('application/json')).status).toBe(404);
  });

  it('ends a stale session with 410, and takes a session as an object only', async () => {
    const session = (await client.call('Ice.LIB.SessionModSvc/Login', {})).body.returnObj;
    client.headers.sessioninfo = JSON.stringify({ SessionID: session });
    expect((await list()).status).toBe(200);
    client.headers.sessioninfo = session;
    expect((await list()).status).toBe(410);
    client.headers.sessioninfo = JSON.stringify({ SessionID: session });
    await client.call('Ice.LIB.SessionModSvc/Logout', {});
    expect((await list()).body.ErrorType).toMatch(/InvalidSessionException$/);
  });

  it('says who one is', async () => {
    const { body } = await client.get('Ice.LIB.SessionModSvc/GetCurrentValues');
    expect(body.parameters).toMatchObject({ companyID: 'EPIC06', userID: 'INTEGRATION' });
  });

  it('refuses while licences are used up or an upgrade runs', async () => {
    kinetic.changeSettings({ licensesExhausted: true });
    expect((await list()).body.ErrorMessage).toMatch(/^Maximum users exceeded on license type/);
    kinetic.changeSettings({ licensesExhausted: false, conversionsPending: true });
    expect(await list()).toMatchObject({ status: 503, body: { ErrorType: 'Ice.Common.ConversionsPendingException' } });
  });
});

describe('a call that is admitted late', () => {
  it('happens with the token it came with, although that ended meanwhile', async () => {
    await bearer();
    kinetic.faults.set([{ match: 'write Erp.BO.APInvGrpSvc/Update', kind: 'COMMIT_LATE', delayMs: 20 }]);
    await expect(client.group()).rejects.toThrow();
    kinetic.expireSessions();
    await kinetic.faults.whenLateCommitsApplied();
    expect(kinetic.groups()).toHaveLength(1);
  });

  it('and a token that a fault ended is refused', async () => {
    await bearer();
    kinetic.faults.set([{ match: VENDORS, kind: 'EXPIRE_SESSION', times: 1 }]);
    expect((await list()).status).toBe(401);
    expect((await list()).status).toBe(401);
    await bearer();
    expect((await list()).status).toBe(200);
  });
});
