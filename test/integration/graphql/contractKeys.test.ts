import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONNECTORS } from '../../../src/app.js';
import { systemClock } from '../../../src/clock.js';
import { ConnectorRegistry } from '../../../src/connectors/registry.js';
import { createHttpServer, type RunningHttpServer } from '../../../src/http/server.js';
import { type RunningSandboxes, SANDBOX_NAMES, startSandboxes } from '../../../src/sandbox/start.js';
import { createUseCases } from '../../../src/services/allUseCases.js';
import { ensureBootstrapAdmin } from '../../../src/services/apiKeys.js';
import { EventFeed } from '../../../src/services/eventFeed.js';
import { LiveConnections } from '../../../src/services/liveConnections.js';
import { makeTestEngine, type TestEngine } from '../../support/engine.js';

// The keys of `credentials` and `settings` that callers of other programs rely on, kind by kind, and nothing else,
// against the simulated systems. Would catch: a key that was renamed or became required, a form that is no longer
// taken, a wrong value that is stored or refused without saying where, a secret that a refusal gives back.

const KEY = 'bootstrap-key';
const PLANTED = 'pl4nted-secret';

type Fields = Readonly<Record<string, unknown>>;

interface Case {
  readonly kind: string;
  readonly how: string;
  readonly baseUrl?: string;
  readonly credentials: Fields;
  readonly settings: Fields;
  /** The simulated system cannot be logged in to with these keys alone. */
  readonly isOnlyStored?: boolean;
}

const IONAPI_KEYS = ['ti', 'iu', 'pu', 'ot', 'ci', 'cs', 'saak', 'sask'];

function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('A simulated system was not started.');
  return value;
}

function brexCases(sandboxes: RunningSandboxes): Case[] {
  const { access } = present(sandboxes.brex);
  const { clientId, clientSecret, refreshToken, userToken: token } = access;
  const settings = {
    tokenUrl: `${access.authUrl}/v1/token`,
    webhookSecret: access.webhookSecret,
    integrationVendor: 'vendor_1',
    vendorAccountId: 'company_1',
  };
  const rotating = { ...settings, webhookSecret: [access.webhookSecret, access.webhookSecret] };
  const common = { kind: 'BREX', baseUrl: access.url };
  const oauth2 = { kind: 'oauth2', clientId, clientSecret, refreshToken };
  return [
    { ...common, how: 'a user token', credentials: { kind: 'userToken', token }, settings },
    { ...common, how: 'OAuth 2.0', credentials: oauth2, settings: rotating },
    {
      ...common,
      how: 'an access token that is over',
      credentials: { ...oauth2, accessToken: 'over', expiresAt: '2020-01-01T00:00:00Z' },
      settings,
      // The refresh token of the case before is used up.
      isOnlyStored: true,
    },
  ];
}

function expensifyCases(sandboxes: RunningSandboxes): Case[] {
  const { access } = present(sandboxes.expensify);
  const { partnerUserID, partnerUserSecret, policyIDs } = access;
  const credentials = { partnerUserID, partnerUserSecret };
  const settings = {
    ...{ policyIDs, reportStates: ['APPROVED', 'REIMBURSED'], costCentreTag: 'Department' },
    ...{ markAsExported: false, exportLabel: 'Ledgergate' },
  };
  return [
    { kind: 'EXPENSIFY', how: 'the whole address', baseUrl: access.baseUrl, credentials, settings },
    // Five calls in ten seconds are all that Expensify takes: the host alone is proven by the connector's own tests.
    { kind: 'EXPENSIFY', how: 'the host alone', baseUrl: access.url, credentials, settings, isOnlyStored: true },
  ];
}

function sysproCases(sandboxes: RunningSandboxes): Case[] {
  const { baseUrl, operator, password, companyId } = present(sandboxes.syspro).access;
  return [
    {
      ...{ kind: 'SYSPRO', how: 'an operator', baseUrl },
      credentials: { operator, operatorPassword: password, companyId, companyPassword: '' },
      settings: {
        ...{ journalType: 'N', usePostLD: true },
        supplierDefaults: { branch: '00', termsCode: '30', currency: 'USD', bank: '1' },
      },
    },
  ];
}

function sageX3Cases(sandboxes: RunningSandboxes): Case[] {
  const { basic, connectedApp, cloud, machine, ...access } = present(sandboxes['sage-x3']).access;
  const { setup, soap, baseUrl, folder } = access;
  const settings = {
    ...{ folder, poolAlias: soap.poolAlias, site: setup.site },
    ...{ journalCode: setup.journal, entryType: setup.entryType, chart: setup.chart, codeLanguage: 'ENG' },
    ...{ journalMode: 'soap-import', importTemplate: soap.template.code, read: 'rest' },
    dimensionTypes: { costCentre: setup.costCentreType },
  };
  const common = { kind: 'SAGE_X3', baseUrl };
  const bySoap = { ...settings, journalMode: 'soap-object', read: 'soap' };
  const byGraphql = { ...settings, journalMode: 'soap-subprogram', read: 'graphql' };
  const byRest = { ...settings, journalMode: 'rest-object' };
  const password = { kind: 'basic', username: basic.user, password: basic.password };
  const app = {
    kind: 'connectedApp',
    ...{ clientId: connectedApp.clientId, secret: connectedApp.secret, user: connectedApp.user },
  };
  const oauth2 = {
    ...{ kind: 'oauth2', tokenUrl: cloud.tokenUrl },
    ...{ clientId: cloud.clientId, clientSecret: cloud.clientSecret },
  };
  return [
    { ...common, how: 'a password', credentials: password, settings },
    { ...common, how: 'a password, by SOAP', credentials: password, settings: bySoap },
    { ...common, how: 'a connected application', credentials: app, settings },
    {
      ...common,
      how: 'a connected application, by GraphQL',
      credentials: app,
      settings: byGraphql,
      isOnlyStored: true,
    },
    {
      ...common,
      how: 'a refresh token',
      credentials: { ...oauth2, refreshToken: cloud.refreshToken },
      settings,
    },
    {
      ...common,
      how: 'client credentials',
      credentials: { ...oauth2, tokenUrl: machine.tokenUrl },
      settings: byRest,
      // This cloud also wants an audience and an API key.
      isOnlyStored: true,
    },
  ];
}

function inforM3Cases(sandboxes: RunningSandboxes): Case[] {
  const { ionapi, url, cono, divi, journalInterface } = present(sandboxes['infor-m3']).access;
  const settings = {
    ...{ cono, divi, apiVersion: 'v2', invoiceProgram: 'APS450MI', journalInterface },
    ...{ dimensions: { costCentre: 'AIT2', project: 'AIT3' }, clearingAccount: '2150' },
  };
  const kind = 'INFOR_M3';
  return [
    { kind, how: 'the file alone', credentials: { ionapi }, settings },
    { kind, how: 'an address beside the file', baseUrl: url, credentials: { ionapi }, settings },
    {
      ...{ kind, how: 'the older API, the company as text', credentials: { ionapi } },
      settings: { ...settings, cono: String(cono), apiVersion: 'v1', invoiceProgram: 'APS100MI' },
    },
  ];
}

function epicorKineticCases(sandboxes: RunningSandboxes): Case[] {
  const { access } = present(sandboxes['epicor-kinetic']);
  const { baseUrl, username, password, apiKey, tokenUrl, clientId, clientSecret, scope, company, plant } = access;
  const settings = {
    ...{ company, plant, apiVersion: 'v2', bookId: 'MAIN', coaCode: 'MAIN', journalCode: 'GJ' },
    ...{ glSegmentOrder: ['glAccount', 'costCentre'], groupIdPrefix: 'BRX', autoPost: false },
  };
  const common = { kind: 'EPICOR_KINETIC', baseUrl, settings };
  return [
    { ...common, how: 'a password', credentials: { kind: 'basic', username, password, apiKey } },
    {
      ...common,
      how: 'OAuth 2.0',
      credentials: { kind: 'oauth2', tokenUrl, clientId, clientSecret, scope, apiKey },
    },
  ];
}

const KINDS = {
  BREX: brexCases,
  EXPENSIFY: expensifyCases,
  SYSPRO: sysproCases,
  SAGE_X3: sageX3Cases,
  INFOR_M3: inforM3Cases,
  EPICOR_KINETIC: epicorKineticCases,
};
const KIND_NAMES = Object.keys(KINDS) as (keyof typeof KINDS)[];

interface UserError {
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[];
}

describe('connectSystem with the keys that callers rely on', () => {
  let sandboxes: RunningSandboxes;
  let engine: TestEngine;
  let feed: EventFeed;
  let server: RunningHttpServer;
  let names = 0;

  beforeAll(async () => {
    sandboxes = await startSandboxes({
      which: [...SANDBOX_NAMES],
      scenario: { kind: 'month', seed: 1, month: '2026-10' },
    });
    engine = await makeTestEngine();
    const { db, logger, sealer } = engine;
    const connectors = new ConnectorRegistry(CONNECTORS);
    const connections = new LiveConnections({ db, clock: systemClock, logger, connectors, sealer });
    feed = new EventFeed({ connectionString: engine.connectionString, db, logger });
    await feed.start();
    server = await createHttpServer({
      ...{ host: '127.0.0.1', port: 0, db, clock: systemClock, logger, connectors, feed },
      useCases: createUseCases({ ...engine, clock: systemClock, connectors, connections }),
      webhooks: async () => ({ status: 404, body: {} }),
      isReady: async () => true,
      isProduction: false,
    });
    await ensureBootstrapAdmin(db, KEY, systemClock.now());
  });
  afterAll(async () => {
    await server.stop();
    await feed.stop();
    await engine.close();
    await sandboxes.close();
  });

  async function answer(query: string, variables: Fields = {}): Promise<string> {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ query, variables }),
    });
    return response.text();
  }

  async function ask<Data>(query: string, variables: Fields = {}): Promise<Data> {
    const text = await answer(query, variables);
    const { data, errors } = JSON.parse(text) as { data: Data; errors?: unknown };
    if (errors) throw new Error(text);
    return data;
  }

  async function connect({ kind, baseUrl, credentials, settings }: Omit<Case, 'how'>) {
    names += 1;
    const { connectSystem } = await ask<{
      connectSystem: { system: { id: string; baseUrl: string } | null; userErrors: readonly UserError[] };
    }>(
      'mutation ($input: ConnectSystemInput!) { connectSystem(input: $input) { system { id baseUrl } userErrors { code message path } } }',
      { input: { name: `${kind} ${names}`, kind, credentials, settings, ...(baseUrl ? { baseUrl } : {}) } },
    );
    return connectSystem;
  }

  describe.each(KIND_NAMES)('%s', (kind) => {
    const cases = () => KINDS[kind](sandboxes);
    const first = () => present(cases()[0]);

    it('is connected with exactly these keys, and its test passes', async () => {
      for (const one of cases()) {
        const { system, userErrors } = await connect(one);
        expect(userErrors, one.how).toEqual([]);
        if (one.isOnlyStored) continue;
        const { testSystem } = await ask<{ testSystem: { ok: boolean; checks: unknown } }>(
          'mutation ($id: ID!) { testSystem(id: $id) { ok checks { name ok detail } } }',
          { id: system?.id },
        );
        expect(testSystem.ok, `${one.how}: ${JSON.stringify(testSystem.checks)}`).toBe(true);
      }
    }, 60_000);

    it('names a key that it does not know', async () => {
      const { credentials, settings } = first();
      const more = await connect({ ...first(), credentials: { ...credentials, tokenn: PLANTED } });
      expect(more.userErrors).toMatchObject([{ code: 'UNKNOWN_FIELD', path: ['input', 'credentials', 'tokenn'] }]);
      const other = await connect({ ...first(), settings: { ...settings, companyy: 'x' } });
      expect(other.userErrors).toMatchObject([{ code: 'UNKNOWN_FIELD', path: ['input', 'settings', 'companyy'] }]);
    });

    it('names each setting whose value has a wrong type', async () => {
      const { settings } = first();
      for (const [key, value] of Object.entries(settings)) {
        const isObject = typeof value === 'object' && !Array.isArray(value);
        const wrong = isObject ? 7 : { wrong: 'type' };
        const { system, userErrors } = await connect({ ...first(), settings: { ...settings, [key]: wrong } });
        expect(system, key).toBeNull();
        expect(userErrors[0]?.path.slice(0, 3), key).toEqual(['input', 'settings', key]);
      }
    });

    it('names each credential whose value has a wrong type, and gives none of them back', async () => {
      for (const one of cases()) {
        for (const key of Object.keys(one.credentials).filter((name) => name !== 'kind')) {
          const credentials = { ...one.credentials, [key]: [PLANTED] };
          const { system, userErrors } = await connect({ ...one, credentials });
          expect(system, key).toBeNull();
          expect(userErrors[0]?.path.slice(0, 3), key).toEqual(['input', 'credentials', key]);
          expect(JSON.stringify(userErrors)).not.toContain(PLANTED);
        }
      }
    });

    it('publishes these keys, and marks what is secret', async () => {
      const { connectors } = await ask<{
        connectors: readonly { kind: string; credentialsSchema: unknown; settingsSchema: { properties: Fields } }[];
      }>('{ connectors { kind credentialsSchema settingsSchema } }');
      const published = present(connectors.find((one) => one.kind === kind));
      for (const { credentials, settings } of cases()) {
        expect(Object.keys(published.settingsSchema.properties)).toEqual(expect.arrayContaining(Object.keys(settings)));
        const text = JSON.stringify(published.credentialsSchema);
        for (const key of [...Object.keys(credentials), ...(kind === 'INFOR_M3' ? IONAPI_KEYS : [])]) {
          expect(text).toContain(`"${key}":{`);
        }
        expect(text).toContain('"writeOnly":true');
      }
    });
  });

  it('INFOR_M3 takes its address from the file, and its clearing account stands where a pipeline names none', async () => {
    const [m3] = inforM3Cases(sandboxes);
    const { system } = await connect(present(m3));
    expect(system?.baseUrl).toBe(present(sandboxes['infor-m3']).access.ionapi.iu);
    const source = await connect(present(brexCases(sandboxes)[0]));
    const pipeline = {
      ...{ name: 'Card spend', sourceId: source.system?.id, ledgerId: system?.id },
      ...{ streams: ['CARD_TRANSACTIONS'], documentType: 'JOURNAL', offsetAccount: '' },
    };
    const created = await ask<{ createPipeline: unknown }>(
      'mutation ($input: CreatePipelineInput!) { createPipeline(input: $input) { pipeline { offsetAccount } userErrors { path } } }',
      { input: pipeline },
    );
    expect(created.createPipeline).toEqual({ pipeline: { offsetAccount: '2150' }, userErrors: [] });
    const { system: bare } = await connect({
      ...present(m3),
      settings: { ...m3?.settings, clearingAccount: undefined },
    });
    const refused = await ask<{ createPipeline: unknown }>(
      'mutation ($input: CreatePipelineInput!) { createPipeline(input: $input) { pipeline { id } userErrors { path } } }',
      { input: { ...pipeline, name: 'Another', ledgerId: bare?.id } },
    );
    expect(refused.createPipeline).toEqual({ pipeline: null, userErrors: [{ path: ['input', 'offsetAccount'] }] });
  });

  it('INFOR_M3 follows a new file to its gateway, unless somebody named an address', async () => {
    const { ionapi, url } = present(sandboxes['infor-m3']).access;
    const moved = { ionapi: { ...ionapi, iu: 'https://mingle-ionapi.us1.example.com/' } };
    const [fromFile, named] = inforM3Cases(sandboxes);
    const addressAfter = async (one: Case) => {
      const { system } = await connect({ ...one });
      await ask<unknown>(
        'mutation ($id: ID!, $credentials: JSON!) { updateCredentials(id: $id, credentials: $credentials) { userErrors { code } } }',
        { id: system?.id, credentials: moved },
      );
      const [row] = await engine.rows<{ base_url: string }>('select base_url from systems where id = $1', [system?.id]);
      return row?.base_url;
    };
    expect(await addressAfter(present(fromFile))).toBe('https://mingle-ionapi.us1.example.com');
    expect(await addressAfter({ ...present(named), baseUrl: `${url}/gateway` })).toBe(`${url}/gateway`);
  });

  it('a ledger that needs an address and is given none says so, and a refused file says only what is wrong with it', async () => {
    const { baseUrl: _baseUrl, ...syspro } = present(sysproCases(sandboxes)[0]);
    expect((await connect(syspro)).userErrors).toMatchObject([{ path: ['input', 'baseUrl'] }]);
    const m3 = present(inforM3Cases(sandboxes)[0]);
    const { userErrors } = await connect({ ...m3, credentials: { ionapi: { iu: PLANTED } } });
    const fields = userErrors.map(({ path }) => path.slice(1).join('.'));
    expect(fields).toEqual(IONAPI_KEYS.map((key) => `credentials.ionapi.${key}`));
    expect(JSON.stringify(userErrors)).not.toContain(PLANTED);
  });
});
