import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningSageX3 } from '../../../src/sandbox/sage-x3/index.js';
import { appClaims, call, HOTEL, importText, mint, PlainClient, start } from './sage-x3Support.js';

let x3: RunningSageX3;
let client: PlainClient;
let bearer: string;

beforeEach(async () => {
  x3 = await start();
  client = new PlainClient(x3);
  bearer = token();
});

afterEach(() => x3.close());

const token = (change: Record<string, unknown> = {}, secret: string = x3.access.connectedApp.secret): string =>
  `Bearer ${mint(appClaims(x3, change), secret)}`;

function post(body: unknown, authorization = bearer, endpoint = 'SEED') {
  const headers = { authorization, 'content-type': 'application/json', 'x-xtrem-endpoint': endpoint };
  return call(x3.access.graphql.url, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function ask(query: string, variables: Record<string, unknown> = {}) {
  const answer = await post({ query, variables });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text);
}

describe('tokens of a connected application', () => {
  const refusal = async (authorization: string) => {
    const answer = await post({ query: '{ __typename }' }, authorization);
    expect(answer.type).toContain('text/plain');
    return `${answer.status} ${answer.text}`;
  };

  it('are refused in plain text with the number of the reason', async () => {
    const now = Math.floor(Date.now() / 1000);
    expect(await refusal('Bearer nonsense')).toBe('401 Error 30: Invalid token');
    expect(await refusal(client.basic)).toBe('401 Error 30: Invalid token');
    expect(await refusal(token({ iss: 'other' }))).toBe('401 Error 41: Invalid token');
    expect(await refusal(token({ sub: 'other' }))).toBe('401 Error 42: Invalid token');
    expect(await refusal(token({ aud: `${x3.access.connectedApp.audience}/` }))).toBe('401 Error 45: Invalid token');
    expect(await refusal(token({}, 'wrong secret'))).toBe('401 Error 50: Invalid token');
    expect(await refusal(token({ exp: now - 1 }))).toBe('401 Error 50: Invalid token');
    expect(await refusal(token({ exp: now + 3600 }))).toBe('401 Error 50: Invalid token');
    expect(await refusal(token({ iat: now + 60, exp: now + 120 }))).toBe('401 Error 50: Invalid token');
  });

  it('are good for REST and SOAP as well', async () => {
    expect((await client.get('GDIE?representation=GDIE.$query', bearer)).status).toBe(200);
  });

  it('die when all sessions end, and a new one is good', async () => {
    await ask('{ __typename }');
    expect(x3.expireSessions()).toBe(1);
    expect(await refusal(bearer)).toBe('401 Error 50: Invalid token');
    expect((await post({ query: '{ __typename }' }, token({ jti: 'new' }))).status).toBe(200);
  });

  it('die alone by the fault dial, and the request does nothing', async () => {
    x3.faults.set([{ match: 'GraphQL query', kind: 'EXPIRE_SESSION', times: 1 }]);
    expect(await refusal(bearer)).toBe('401 Error 50: Invalid token');
    expect((await post({ query: '{ __typename }' }, token({ jti: 'new' }))).status).toBe(200);
  });

  it('need the endpoint beside them', async () => {
    expect((await post({ query: '{ __typename }' }, bearer, 'PROD')).status).toBe(400);
  });
});

describe('the regional gateway', () => {
  const renew = async (refresh_token: string) => {
    const { tokenUrl, clientId, clientSecret } = x3.access.cloud;
    const body = { grant_type: 'refresh_token', refresh_token, client_id: clientId, client_secret: clientSecret };
    const answer = await call(tokenUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: answer.status, ...JSON.parse(answer.text) };
  };

  it('gives five minutes and a new refresh token, and the old one dies at once', async () => {
    const first = await renew(x3.access.cloud.refreshToken);
    expect(first).toMatchObject({ status: 200, expires_in: 300 });
    expect(await renew(x3.access.cloud.refreshToken)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await renew(first.refresh_token)).toMatchObject({ status: 200 });
    expect((await post({ query: '{ __typename }' }, `Bearer ${first.access_token}`)).status).toBe(200);
    expect((await client.get('GDIE?representation=GDIE.$query', `Bearer ${first.access_token}`)).status).toBe(200);
  });

  it('kills the old refresh token also when the answer is lost', async () => {
    x3.faults.set([{ match: 'Token refresh_token', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }]);
    await expect(renew(x3.access.cloud.refreshToken)).rejects.toThrow();
    expect(await renew(x3.access.cloud.refreshToken)).toMatchObject({ status: 400 });
  });

  it('ends access tokens after five minutes', async () => {
    await x3.close();
    let now = Date.parse('2026-11-20T12:00:00Z');
    x3 = await start({}, { clock: { now: () => new Date(now) } });
    client = new PlainClient(x3);
    const { access_token } = await renew(x3.access.cloud.refreshToken);
    now += 299_000;
    expect((await post({ query: '{ __typename }' }, `Bearer ${access_token}`)).status).toBe(200);
    now += 1000;
    expect((await post({ query: '{ __typename }' }, `Bearer ${access_token}`)).text).toBe('Error 50: Invalid token');
  });

  it('sends the customer back with a code, which gives tokens', async () => {
    const { authoriseUrl, clientId, clientSecret, redirectUri, tokenUrl } = x3.access.cloud;
    const query = new URLSearchParams({ client_id: clientId, redirect_uri: redirectUri, state: 's1' });
    const back = new URL(String((await call(`${authoriseUrl}?${query}`)).headers.location));
    expect(back.searchParams.get('state')).toBe('s1');
    expect(back.searchParams.get('endpoint')).toBe('SEED');
    const body = {
      grant_type: 'authorization_code',
      code: back.searchParams.get('authorizationCode'),
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uri: redirectUri,
    };
    expect((await call(tokenUrl, { method: 'POST', body: JSON.stringify(body) })).status).toBe(200);
  });

  it('gives tokens that die for good when all sessions end', async () => {
    const { access_token } = await renew(x3.access.cloud.refreshToken);
    expect(x3.expireSessions()).toBe(1);
    for (const _attempt of [1, 2])
      expect((await post({ query: '{ __typename }' }, `Bearer ${access_token}`)).status).toBe(401);
  });

  it('admits a late commit with the token that it came with', async () => {
    const { access_token } = await renew(x3.access.cloud.refreshToken);
    x3.faults.set([{ match: 'SOAP run', kind: 'COMMIT_LATE', delayMs: 20, times: 1 }]);
    const document = { GRP1: { I_MODIMP: 'YBRXGAS', I_EXEC: 'REALTIME', I_RECORDSEP: '|', I_FILE: importText(HOTEL) } };
    await expect(client.run('AOWSIMPORT', document, { authorization: `Bearer ${access_token}` })).rejects.toThrow();
    x3.expireSessions();
    await x3.faults.whenLateCommitsApplied();
    expect(x3.documents()).toHaveLength(1);
  });

  it('stops renewing when the customer takes the consent back', async () => {
    expect(x3.revokeRefreshTokens()).toBe(1);
    expect(await renew(x3.access.cloud.refreshToken)).toMatchObject({ status: 400 });
  });
});

describe('the machine flow', () => {
  it('needs the API key beside the token', async () => {
    const { tokenUrl, clientId, clientSecret, audience, apiKey } = x3.access.machine;
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      audience,
    });
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const { access_token } = JSON.parse(
      (await call(tokenUrl, { method: 'POST', headers, body: body.toString() })).text,
    );
    const authorization = `Bearer ${access_token}`;
    expect((await post({ query: '{ __typename }' }, authorization)).status).toBe(401);
    const withKey = {
      authorization,
      'x-api-key': apiKey,
      'x-xtrem-endpoint': 'SEED',
      'content-type': 'application/json',
    };
    const answer = await call(x3.access.graphql.url, {
      method: 'POST',
      headers: withKey,
      body: '{"query":"{ __typename }"}',
    });
    expect(answer.status).toBe(200);
  });
});

describe('reading', () => {
  it('pages through suppliers with a filter in relaxed JSON', async () => {
    const query = `query ($f: String, $after: String) { x3MasterData { supplier {
      query(filter: $f, orderBy: "{code: -1}", first: 1, after: $after) { totalCount edges { cursor node { _id code { code } companyName1 isActive } }
      pageInfo { hasNextPage endCursor } } } } }`;
    const first = (await ask(query, { f: "{code: {code: {_in: ['AE003', 'AE007']}}}" })).data.x3MasterData.supplier
      .query;
    expect(first).toMatchObject({
      totalCount: 2,
      edges: [{ node: { _id: 'AE007', isActive: false } }],
      pageInfo: { hasNextPage: true },
    });
    const second = (await ask(query, { after: first.pageInfo.endCursor })).data.x3MasterData.supplier.query;
    expect(second).toMatchObject({
      edges: [{ node: { _id: 'AE003', companyName1: "O'Hara Tools" } }],
      pageInfo: { hasNextPage: false },
    });
  });

  it('finds accounts of every chart, dimensions, types and periods', async () => {
    const { data } = await ask(`{ x3FinanceData {
      account { query(filter: "{code: '62510'}") { edges { node { _id isActive } } } }
      dimension { query(filter: "{dimensionType: {code: 'CCT'}, isActive: true}") { edges { node { code } } } }
      dimensionType { query { edges { node { code } } } }
      period { query(filter: "{status: 'open', startDate: {_lte: '2026-11-20'}}") { edges { node { startDate } } } } } }`);
    expect(data.x3FinanceData).toEqual({
      account: {
        query: {
          edges: [{ node: { _id: 'IAS|62510', isActive: false } }, { node: { _id: 'USA|62510', isActive: true } }],
        },
      },
      dimension: { query: { edges: [{ node: { code: 'SALES' } }] } },
      dimensionType: { query: { edges: [{ node: { code: 'CCT' } }, { node: { code: 'PJT' } }] } },
      period: { query: { edges: [{ node: { startDate: '2026-11-01' } }] } },
    });
  });

  it('reads journals, which it cannot write', async () => {
    await client.import(importText(HOTEL));
    const id = x3.documents()[0]?.number.replace('~', '|') ?? '';
    const { data } = await ask(
      `query ($id: String!) { x3Finance { journalEntry { read(_id: $id) { journalEntryNumber accountingDate site { code }
      journalEntryLines { query(filter: "{ledgerTypeNumber: 1}") { edges { node { sign transactionAmount account { code } } } } } } } } }`,
      { id },
    );
    expect(data.x3Finance.journalEntry.read).toMatchObject({
      accountingDate: '2026-11-19',
      site: { code: 'NA011' },
      journalEntryLines: {
        query: { edges: [{ node: { sign: 1, transactionAmount: '120.50' } }, { node: { sign: -1 } }] },
      },
    });
    const written = await ask('mutation { x3Finance { journalEntry { create(data: {}) { _id } } } }');
    expect(written.errors).toHaveLength(1);
    expect((await ask('{ __schema { mutationType { name } } }')).data.__schema.mutationType).toBeNull();
  });

  it('has a property for REFINT only where the release has one', async () => {
    await client.import(importText(HOTEL));
    const query = `{ x3Finance { journalEntry { query(filter: "{internalReference: '${HOTEL.reference}'}") { edges { node { journalEntryNumber } } } } } }`;
    expect((await ask(query)).errors[0].message).toContain('internalReference');
    x3.changeSettings({ referenceProperty: 'internalReference' });
    expect((await ask(query)).data.x3Finance.journalEntry.query.edges).toHaveLength(1);
  });

  it('answers with data and errors when one property fails', async () => {
    x3.changeSettings({ failingProperty: 'shortCompanyName' });
    const { data, errors } = await ask(
      '{ x3MasterData { supplier { read(_id: "AE003") { companyName1 shortCompanyName } } } }',
    );
    expect(data.x3MasterData.supplier.read).toEqual({ companyName1: "O'Hara Tools", shortCompanyName: null });
    expect(errors).toMatchObject([{ path: ['x3MasterData', 'supplier', 'read', 'shortCompanyName'] }]);
  });

  it('has other names in other releases, which introspection shows', async () => {
    x3.changeSettings({ packagePrefix: 'xtrem', supplierNameField: 'companyName' });
    const { data } = await ask(
      '{ __schema { queryType { fields { name } } } __type(name: "Supplier") { fields { name } } }',
    );
    expect(data.__schema.queryType.fields).toContainEqual({ name: 'xtremX3MasterData' });
    expect(data.__type.fields).toContainEqual({ name: 'companyName' });
    expect((await ask('{ x3MasterData { supplier { read(_id: "A") { _id } } } }')).errors).toHaveLength(1);
  });
});

describe('a mutation of the customer', () => {
  const data = {
    journalEntryType: 'BRXJE',
    site: 'NA011',
    accountingDate: '2026-11-19',
    internalReference: 'BRX-GQL',
    journalEntryLines: [
      {
        account: '62510',
        sign: 1,
        transactionAmount: '9.99',
        dimensions: [
          { dimensionType: 'CCT', dimension: 'SALES' },
          { dimensionType: 'PJT', dimension: 'P100' },
        ],
      },
      { account: '45800', sign: -1, transactionAmount: '9.99' },
    ],
  };
  const mutation =
    'mutation ($d: JournalEntryInput!) { x3Finance { journalEntry { ycreate(data: $d) { _id journalEntryNumber } } } }';

  it('writes journals where it was defined, and refuses with errors under 200', async () => {
    x3.changeSettings({ journalMutation: 'ycreate' });
    const done = await ask(mutation, { d: data });
    expect(done.data.x3Finance.journalEntry.ycreate._id).toMatch(/^BRXJE\|/);
    expect(x3.documents('BRX-GQL')).toMatchObject([
      { lines: [{ costCentre: 'SALES', dimensions: { PJT: 'P100' } }, {}] },
    ]);
    const refused = await ask(mutation, { d: { ...data, accountingDate: '2026-10-01' } });
    expect(refused).toMatchObject({
      data: { x3Finance: { journalEntry: { ycreate: null } } },
      errors: [{ message: expect.stringContaining('closed') }],
    });
    expect(x3.summary().requests).toMatchObject({ 'GraphQL mutation x3Finance.journalEntry': 2 });
  });
});
