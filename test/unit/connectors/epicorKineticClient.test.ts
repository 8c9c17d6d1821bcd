import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerConnection } from '../../../src/connectors/contract.js';
import {
  ConfigurationError,
  CredentialsError,
  PermissionError,
  RateLimitedError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import { MemorySession } from '../../support/connectorContext.js';
import {
  all,
  allTextOf,
  basic,
  connectTo,
  failureOf,
  invoice,
  journal,
  oauth,
  queryOf,
  SECRETS,
} from './epicorKineticHelpers.js';
import { epicorError, type Reply, type ScriptedEpicor, scriptedEpicor } from './epicorKineticServer.js';

/**
 * Login, lists, master data and checks. What would be caught: the three 401 taken for one, a list that ends at the
 * server's cap, a query that only works by luck, a secret in a text.
 */

let epicor: ScriptedEpicor;
const open: LedgerConnection[] = [];

function connect(...[settings, options]: [Record<string, unknown>?, Parameters<typeof connectTo>[2]?]) {
  const made = connectTo(epicor.url, settings, options);
  open.push(made.connection);
  return made;
}

beforeEach(async () => {
  epicor = await scriptedEpicor();
});
afterEach(async () => {
  for (const connection of open.splice(0)) await connection.disconnect();
  await epicor.close();
});

const unauthorised = (message: string) => epicorError(401, message, 'System.UnauthorizedAccessException');
const suppliers = (connection: LedgerConnection) => all(connection.listSuppliers());

describe('logging in', () => {
  it('presents user, password and API key with each call, and company and site in the address and a header', async () => {
    await suppliers(connect({ plant: 'Werk Süd', licenceType: 'webService' }).connection);
    const [call] = epicor.calls;
    expect(call?.headers.authorization).toBe(`Basic ${Buffer.from(`gateway:${SECRETS.password}`).toString('base64')}`);
    expect(call?.headers['x-api-key']).toBe(SECRETS.apiKey);
    expect(call?.url.pathname).toBe('/KineticLive/api/v2/odata/EPIC06/Erp.BO.GLBookSvc/GLBooks');
    expect(JSON.parse(String(call?.headers.callsettings))).toMatchObject({ Company: 'EPIC06', Plant: 'Werk Süd' });
    expect(JSON.parse(String(call?.headers.license))).toEqual({
      ClaimedLicense: '00000003-9439-4B30-A6F4-6D2FD4B9FD0F',
    });
  });

  it('v1 names the company in CallSettings and compares dates in its own form', async () => {
    const { connection } = connect({ apiVersion: 'v1' });
    epicor.answer = () => ({ json: { value: [] } });
    await failureOf(connection.findByReference([queryOf(journal)]));
    expect(epicor.calls[0]?.url.pathname).toBe('/KineticLive/api/v1/Erp.BO.GLBookSvc/GLBooks');
    expect(JSON.parse(String(epicor.calls[0]?.headers.callsettings))).toMatchObject({ Company: 'EPIC06' });
  });

  it('one access token serves all calls, and the API key still goes along', async () => {
    const session = new MemorySession();
    const { connection } = connect({}, { credentials: oauth(epicor.url), session });
    await suppliers(connection);
    await suppliers(connection);
    const [token, ...others] = epicor.calls;
    expect(Object.fromEntries(new URLSearchParams(token?.text))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'client',
      client_secret: SECRETS.clientSecret,
      scope: 'epicor_erp',
    });
    expect(session.logons).toBe(1);
    expect(others.every(({ headers }) => headers.authorization === 'Bearer token-1')).toBe(true);
    expect(others.every(({ headers }) => headers['x-api-key'] === SECRETS.apiKey)).toBe(true);
  });

  it('the client may be presented in the header, with fields of the customer’s own', async () => {
    const settings = { clientAuthStyle: 'basic', extraTokenFields: { audience: 'kinetic' } };
    await suppliers(connect(settings, { credentials: oauth(epicor.url) }).connection);
    const [token] = epicor.calls;
    const pair = `client:${encodeURIComponent(SECRETS.clientSecret)}`;
    expect(token?.headers.authorization).toBe(`Basic ${Buffer.from(pair).toString('base64')}`);
    expect(Object.fromEntries(new URLSearchParams(token?.text))).toEqual({
      grant_type: 'client_credentials',
      scope: 'epicor_erp',
      audience: 'kinetic',
    });
  });

  it('a token is replaced before it ends, and when it was fetched with another secret', async () => {
    const session = new MemorySession();
    let now = new Date('2026-11-20T12:00:00Z');
    const options = { session, now: () => now, credentials: oauth(epicor.url) };
    await suppliers(connect({}, options).connection);
    now = new Date('2026-11-20T12:59:30Z');
    await suppliers(connect({}, options).connection);
    expect(session.logons).toBe(2);
    const changed = { ...oauth(epicor.url), clientSecret: 'another-secret' };
    await suppliers(connect({}, { ...options, credentials: changed }).connection);
    expect(session.logons).toBe(3);
  });

  it('a refused token is renewed once, on reads and on writes, and the call goes out again', async () => {
    const { connection } = connect({}, { credentials: oauth(epicor.url) });
    const refused = new Set<string>();
    epicor.answer = ({ operation, headers }) => {
      const isFirst = headers.authorization === 'Bearer token-1' || headers.authorization === 'Bearer token-2';
      if (operation === 'GLBookSvc/GLBooks' && headers.authorization === 'Bearer token-1')
        return unauthorised('Token expired');
      if (operation === 'APInvoiceSvc/UpdateMaster' && isFirst && !refused.has(operation)) {
        refused.add(operation);
        return unauthorised('Token expired');
      }
      return undefined;
    };
    await connection.submit(invoice());
    expect(epicor.calls.filter(({ operation }) => operation === 'token')).toHaveLength(3);
    expect([...epicor.invoices.values()][0]?.lines).toHaveLength(2);
  });

  it('a token that is refused again is given up', async () => {
    epicor.answer = ({ operation }) => (operation === 'token' ? undefined : unauthorised('Token expired'));
    expect(await failureOf(suppliers(connect({}, { credentials: oauth(epicor.url) }).connection))).toBeInstanceOf(
      CredentialsError,
    );
    expect(epicor.calls.filter(({ operation }) => operation === 'token')).toHaveLength(2);
  });

  it.each<[string, typeof CredentialsError | typeof PermissionError, string]>([
    ['Invalid username or password.', CredentialsError, 'LOGIN_REFUSED'],
    [`Invalid API Key ${SECRETS.apiKey}.\r\nCompany EPIC06.`, CredentialsError, 'API_KEY_REFUSED'],
    ['Invalid API Key an-older-key-0123.\r\nCompany EPIC06.', CredentialsError, 'API_KEY_REFUSED'],
    ['Access denied (Erp.BO.Vendor.GetRows).', PermissionError, 'PERMISSION_MISSING'],
  ])('401 with "%s" is its own kind of refusal, and neither key is repeated', async (message, kind, code) => {
    epicor.answer = ({ operation }) => (operation === 'token' ? undefined : unauthorised(message));
    for (const credentials of [basic, oauth(epicor.url)]) {
      const error = await failureOf(suppliers(connect({}, { credentials }).connection));
      expect(error).toBeInstanceOf(kind);
      expect(error).toMatchObject({ code });
      expect(allTextOf(error)).not.toMatch(/pl4nted|an-older-key/);
    }
    const tokens = epicor.calls.filter(({ operation }) => operation === 'token');
    expect(tokens).toHaveLength(code === 'LOGIN_REFUSED' ? 2 : 1);
  });

  it.each<[number, unknown, unknown]>([
    [400, { error: 'invalid_client', error_description: 'unknown client' }, CredentialsError],
    [401, {}, CredentialsError],
    [429, {}, RateLimitedError],
    [503, {}, UpstreamUnavailableError],
    [200, { token_type: 'Bearer' }, UnreadableReplyError],
  ])('a token endpoint that answers %i is classified', async (status, json, kind) => {
    epicor.answer = ({ operation }) =>
      operation === 'token' ? { status, json, headers: { 'retry-after': '300' } } : undefined;
    const error = await failureOf(suppliers(connect({}, { credentials: oauth(epicor.url) }).connection));
    expect(error).toBeInstanceOf(kind);
  });
});

describe('lists', () => {
  it.each([1, 7, 100])('are read to their end, however few rows the server gives at once (%i)', async (cap) => {
    epicor.vendors.length = 0;
    for (let number = 1; number <= 250; number += 1) {
      epicor.vendors.push({
        VendorNum: number,
        VendorID: `V${number}`,
        Name: `Vendor ${number}`,
        Inactive: number % 50 === 0,
      });
    }
    epicor.cap = cap;
    const found = await suppliers(connect().connection);
    expect(new Set(found.map(({ code }) => code)).size).toBe(250);
    expect(found.filter(({ active }) => !active)).toHaveLength(5);
  });

  it('posted journals of many lines are put together over pages', async () => {
    const { connection } = connect({ autoPost: true });
    const { ledgerDocumentId } = await connection.submit(journal);
    epicor.cap = 1;
    expect(await connection.readBack(ledgerDocumentId, queryOf(journal))).toMatchObject({
      lineCount: 3,
      totalDebit: '125.50',
    });
    expect(await connection.findByReference([queryOf(journal)])).toMatchObject([
      { lineCount: 3, totalCredit: '125.50' },
    ]);
  });

  it('a next link is followed at the same address and nowhere else', async () => {
    const page = (nextLink: string, rows: unknown[]): Reply => ({ json: { value: rows, '@odata.nextLink': nextLink } });
    const row = (number: number) => ({ VendorNum: number, VendorID: `V${number}`, Name: 'x', Inactive: false });
    epicor.answer = ({ operation, url }) => {
      if (operation !== 'VendorSvc/Vendors') return undefined;
      if (url.searchParams.get('$skiptoken') === '2') return { json: { value: [row(2)] } };
      if (url.search.includes('gt')) return { json: { value: [] } };
      return page(`${epicor.url}/api/v2/odata/EPIC06/Erp.BO.VendorSvc/Vendors?$skiptoken=2`, [row(1)]);
    };
    expect((await suppliers(connect().connection)).map(({ code }) => code)).toEqual(['V1', 'V2']);
    epicor.answer = ({ operation }) =>
      operation === 'VendorSvc/Vendors' ? page('https://elsewhere.example/steal', [row(1)]) : undefined;
    expect(await failureOf(suppliers(connect().connection))).toMatchObject({ code: 'FOREIGN_NEXT_LINK' });
  });

  it('a server that shows the same page for ever is not believed', async () => {
    const value = [{ VendorNum: 1, VendorID: 'V1', Name: 'x', Inactive: false }];
    epicor.answer = ({ operation }) => (operation === 'VendorSvc/Vendors' ? { json: { value } } : undefined);
    expect(await failureOf(suppliers(connect().connection))).toBeInstanceOf(UnreadableReplyError);
  });

  it('blanks go as %20, apostrophes doubled, and dates without quotes', async () => {
    const { connection } = connect();
    await connection.suppliers?.find("O'BRIEN");
    await connection.findByReference([queryOf(journal)]);
    const queries = epicor.calls.map(({ url }) => url.search);
    expect(queries.some((query) => query.includes('+'))).toBe(false);
    expect(queries.some((query) => query.includes('VendorID%20eq%20%27O%27%27BRIEN%27'))).toBe(true);
    const filters = epicor.calls
      .map(({ url }) => url.searchParams.get('$filter') ?? '')
      .filter((filter) => filter.includes('JEDate'));
    expect(filters[0]).toMatch(/JEDate ge \d{4}-\d\d-\d\dT00:00:00Z and JEDate lt /);
  });

  it('a question about many references stays below the length that IIS takes', async () => {
    const queries = Array.from({ length: 120 }, (_, index) => ({
      ...queryOf(index % 2 === 0 ? journal : invoice()),
      reference: `B7F3K2M9Q4T${1000 + index}`,
    }));
    await connect().connection.findByReference(queries);
    expect(Math.max(...epicor.calls.map(({ url }) => url.search.length))).toBeLessThan(2048);
    const asked = epicor.calls.map(({ url }) => url.searchParams.get('$filter') ?? '').join(' ');
    expect(
      queries.filter(({ documentType, reference }) => documentType === 'JOURNAL' || asked.includes(reference)),
    ).toHaveLength(120);
  });

  it.each<[string, Reply, unknown]>([
    ['a web page', { status: 200, text: '<html></html>' }, UnreadableReplyError],
    ['an empty body', { status: 200, text: '' }, UnreadableReplyError],
    ['no list', { json: { parameters: {} } }, UnreadableReplyError],
    ['HTTP 502', { status: 502, text: 'Bad Gateway' }, UpstreamUnavailableError],
    ['HTTP 404', { status: 404, text: 'nothing here' }, ConfigurationError],
    [
      'a query refused',
      epicorError(400, 'A binary operator with incompatible types was detected.', 'Microsoft.OData.ODataException'),
      ConfigurationError,
    ],
    ['no licence', epicorError(400, 'Maximum users exceeded on license type'), UpstreamUnavailableError],
    ['a row without its key', { json: { value: [{ VendorID: 'V1' }] } }, UnreadableReplyError],
  ])('answered with %s are no empty lists', async (_what, reply, kind) => {
    epicor.answer = ({ operation }) => (operation === 'VendorSvc/Vendors' ? reply : undefined);
    expect(await failureOf(suppliers(connect().connection))).toBeInstanceOf(kind);
  });

  it('an unreadable answer to a look-up is an error and never an absence', async () => {
    for (const operation of ['APInvoiceSvc/APInvoices', 'APInvoiceSvc/GetByID']) {
      const { connection } = connect();
      await connection.submit(invoice());
      epicor.answer = (call) => (call.operation === operation ? { status: 200, text: '<html></html>' } : undefined);
      expect(await failureOf(connection.findByReference([queryOf(invoice())]))).toBeInstanceOf(UnreadableReplyError);
      epicor.answer = () => undefined;
      epicor.invoices.clear();
    }
  });
});

describe('reading methods', () => {
  it('go by GET, and by POST from then on where GET is not taken', async () => {
    epicor.answer = ({ verb, operation }) =>
      verb === 'GET' && /GetByID|GetByGroupID/.test(operation) ? { status: 405, text: 'no' } : undefined;
    const { connection } = connect();
    await connection.submit(invoice());
    const gets = epicor.calls.filter(({ verb, operation }) => verb === 'GET' && operation.endsWith('GetByID'));
    const posts = epicor.calls.filter(({ verb, operation }) => verb === 'POST' && operation.endsWith('GetByID'));
    expect([gets.length, posts.length > 1]).toEqual([1, true]);
  });

  it('a parameter that a release wants besides ours comes from the settings', async () => {
    const extraMethodParams = { 'APInvoiceSvc/UpdateMaster': { runChkNew: false } };
    await connect({ extraMethodParams }).connection.submit(invoice());
    const call = epicor.calls.find(({ operation }) => operation === 'APInvoiceSvc/UpdateMaster');
    expect(call?.body).toMatchObject({ runChkNew: false, cTableName: 'APInvDtl', suppressUserPrompts: false });
  });
});

describe('master data', () => {
  it('accounts come under their renamed column, with what blocks them', async () => {
    epicor.answer = ({ operation, url }) => {
      if (operation !== 'GLAccountSvc/GLAccounts') return undefined;
      if (url.search.includes('gt')) return { json: { value: [] } };
      return {
        json: {
          value: [
            {
              GLAccount1: '6400|00|20',
              AccountDesc: 'Cloud',
              Active: true,
              EffFrom: '2020-01-01T00:00:00',
              EffTo: null,
            },
            { GLAccount1: '6500', AccountDesc: 'Old', Active: true, EffTo: '2025-12-31T00:00:00' },
            { GLAccount1: '6600', AccountDesc: 'Off', Active: false },
          ],
        },
      };
    };
    expect(await all(connect().connection.listAccounts())).toEqual([
      { code: '6400|00|20', name: 'Cloud', active: true, blockedReason: null },
      { code: '6500', name: 'Old', active: true, blockedReason: 'Effective only until 2025-12-31.' },
      { code: '6600', name: 'Off', active: false, blockedReason: null },
    ]);
    expect(epicor.calls[0]?.url.searchParams.get('$select')).toContain('GLAccount1');
  });

  it('periods are those of the book, without closing periods, and the closed ones are told', async () => {
    expect(await connect().connection.listPeriods()).toEqual([
      {
        label: '2026/10',
        startsOn: '2026-10-01',
        endsOn: '2026-10-31',
        open: false,
        key: { year: '2026', suffix: '', period: '10' },
      },
      {
        label: '2026/11',
        startsOn: '2026-11-01',
        endsOn: '2026-11-30',
        open: true,
        key: { year: '2026', suffix: '', period: '11' },
      },
    ]);
  });

  it('segment values are the dimensions, by the number of their segment', async () => {
    epicor.answer = ({ operation, url }) => {
      if (operation !== 'COASegValuesSvc/COASegValues') return undefined;
      if (url.searchParams.get('$skip')) return { json: { value: [] } };
      const segment = /SegmentNbr eq (\d)/.exec(url.searchParams.get('$filter') ?? '')?.[1];
      return {
        json: {
          value: [{ SegmentNbr: Number(segment), SegmentCode: `${segment}0`, SegmentName: 'Name', ActiveFlag: true }],
        },
      };
    };
    expect(await all(connect().connection.listDimensionValues())).toEqual([
      { dimension: 'division', code: '20', name: 'Name', active: true },
      { dimension: 'costCentre', code: '30', name: 'Name', active: true },
    ]);
  });

  it('a book in a currency that nobody knows asks for its ISO code', async () => {
    epicor.answer = ({ operation }) =>
      operation === 'GLBookSvc/GLBooks' ? { json: { value: [{ BookID: 'MAIN', CurrencyCode: 'DOLL' }] } } : undefined;
    expect(await failureOf(connect().connection.rules())).toMatchObject({ code: 'LOCAL_CURRENCY_UNKNOWN' });
    expect(await connect({ currencyCodes: { DOLL: 'USD' } }).connection.rules()).toMatchObject({
      localCurrency: 'USD',
    });
  });
});

describe('suppliers', () => {
  const settings = { vendorDefaults: { GroupCode: 'US', TermsCode: 'N30', CountryNum: 1 } };

  it('are created with the defaults of the settings and found by the code made from their name', async () => {
    const { suppliers } = connect(settings).connection;
    const code = suppliers?.codeFor('Blue Bottle Coffee') ?? '';
    expect(code).toMatch(/^BLUEB[A-Z0-9]{3}$/);
    expect(await suppliers?.create({ code, name: 'Blue Bottle Coffee' })).toEqual({
      code,
      name: 'Blue Bottle Coffee',
      active: true,
      currency: 'USD',
    });
    expect(epicor.vendors.at(-1)).toMatchObject({ VendorID: code, GroupCode: 'US', TermsCode: 'N30', CountryNum: 1 });
    expect(await suppliers?.find(code)).toMatchObject({ code });
    expect(await suppliers?.create({ code, name: 'Blue Bottle Coffee' })).toMatchObject({ code });
    expect(epicor.vendors.filter(({ VendorID }) => VendorID === code)).toHaveLength(1);
  });

  it('a lost reply to a creation is a doubt, and the supplier is found by its code', async () => {
    const { suppliers } = connect(settings).connection;
    epicor.answer = ({ operation }) => (operation === 'VendorSvc/Update' ? 'lost-after' : undefined);
    expect(await failureOf(Promise.resolve(suppliers?.create({ code: 'NEWONE', name: 'New One' })))).toMatchObject({
      decision: 'PROBE',
    });
    expect(await suppliers?.find('NEWONE')).toMatchObject({ code: 'NEWONE', name: 'New One' });
  });
});

describe('testing a connection', () => {
  it('goes step by step, each with its time, and stores nothing', async () => {
    const results = await connect({ autoPost: true }).connection.test();
    expect(results.map(({ name, ok }) => [name, ok])).toEqual([
      ['Reach the server', true],
      ['Log in', true],
      ['Read GL accounts', true],
      ['Read suppliers', true],
      ['Find the current period', true],
      ['Search by reference', true],
      ['Right to post', true],
    ]);
    expect(results.every(({ latencyMs }) => typeof latencyMs === 'number')).toBe(true);
    expect(
      epicor.calls.filter(({ operation }) => /Update|Delete|Run|Post(?!Svc)/.test(operation.split('/')[1] ?? '')),
    ).toEqual([]);
  });

  it.each<[string, string, Reply, RegExp]>([
    ['Reach the server', 'GLBookSvc/GLBooks', { status: 404, text: '<html></html>' }, /base URL/],
    ['Log in', 'GLBookSvc/GLBooks', unauthorised('Invalid username or password.'), /user and password/],
    ['Read GL accounts', 'GLAccountSvc/GLAccounts', unauthorised('Access denied (x).'), /GLAccountSvc/],
    ['Read suppliers', 'VendorSvc/Vendors', unauthorised('Access denied (x).'), /VendorSvc/],
    ['Find the current period', 'GLBookPerSearchSvc/GLBookPerSearches', { json: { value: [] } }, /periodSource/],
    ['Search by reference', 'GLJrnDtlSvc/GLJrnDtls', unauthorised('Access denied (x).'), /lost reply/],
    ['Right to post', 'GLJrnGrpSvc/GetNewGLJrnGrpNoLock', unauthorised('Access denied (x).'), /GLJrnGrpSvc/],
  ])('stops at "%s" with a sentence on what to do', async (name, operation, reply, advice) => {
    epicor.answer = (call) => (call.operation === operation ? reply : undefined);
    const results = await connect().connection.test();
    expect(results.at(-1)).toMatchObject({ name, ok: false });
    expect(results.at(-1)?.detail).toMatch(advice);
    expect(results.slice(0, -1).every(({ ok }) => ok)).toBe(true);
  });
});

describe('secrets', () => {
  it('stand in no log line, error or check, whatever the server says', async () => {
    const texts: string[] = [];
    for (const credentials of [basic, oauth(epicor.url)]) {
      // What this connection has of secrets, in every form that a server may have seen.
      const talkative = [
        SECRETS.apiKey,
        ...(credentials.kind === 'basic'
          ? [SECRETS.password, Buffer.from(`gateway:${SECRETS.password}`).toString('base64')]
          : [SECRETS.clientSecret, encodeURIComponent(SECRETS.clientSecret), 'pl4nted-token']),
      ].join(' ');
      for (const status of [400, 401, 403, 404, 409, 429, 500, 503]) {
        for (const from of [1, 4, 10]) {
          const start = epicor.calls.length;
          epicor.answer = ({ operation }) =>
            operation === 'token'
              ? { json: { access_token: 'pl4nted-token' } }
              : epicor.calls.length - start <= from
                ? undefined
                : epicorError(status, `No: ${talkative}`);
          const { connection, log } = connect({ submitTimeoutSeconds: 5 }, { credentials });
          texts.push(allTextOf(await connection.submit(invoice()).catch((error: unknown) => error)));
          texts.push(JSON.stringify(await connection.test()), log());
          epicor.answer = () => undefined;
          epicor.invoices.clear();
        }
      }
      epicor.answer = ({ operation }) =>
        operation === 'token' ? { status: 400, json: { error: talkative.replace(' pl4nted-token', '') } } : undefined;
      texts.push(allTextOf(await suppliers(connect({}, { credentials }).connection).catch((error: unknown) => error)));
    }
    const whole = texts.join('\n');
    expect(whole).toContain('[secret]');
    expect(/.{0,60}(pl4nted|Z2F0ZXdheT).{0,20}/.exec(whole)).toBeNull();
  });
});
