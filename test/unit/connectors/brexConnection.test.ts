/** What would be caught here: settings that are taken silently, secrets in messages, and vendors created twice. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { credentialsSchema, settingsSchema } from '../../../src/connectors/brex/config.js';
import { brexConnector } from '../../../src/connectors/brex/index.js';
import { asciiText } from '../../../src/connectors/brex/text.js';
import { ConfigurationError, InputError } from '../../../src/errors.js';
import { contextFor } from '../../support/connectorContext.js';
import { type Answer, connectTo, fakeBrex, NOW, page, userToken } from './brexHarness.js';

describe('settings', () => {
  it('have a default for everything but what only the customer knows', () => {
    expect(settingsSchema.parse({})).toMatchObject({
      tokenUrl: 'https://accounts-api.brex.com/oauth2/default/v1/token',
      glAccountField: 'gl_account',
      costCentreField: 'cost_center',
      taxField: null,
      keepVendors: true,
      reimbursementBasis: 'CASH',
      accountingLookbackDays: 400,
      requestsPerMinute: 900,
    });
  });

  it('refuse an unknown key and a wrong type by name', () => {
    const messages = (settings: object) => JSON.stringify(settingsSchema.safeParse(settings).error?.issues);
    expect(messages({ glAcountField: 'x' })).toContain('glAcountField');
    expect(messages({ requestsPerMinute: 'many' })).toContain('requestsPerMinute');
    expect(messages({ sources: ['CASH'] })).toContain('sources');
    expect(messages({ tokenUrl: 'file:///etc/passwd' })).toContain('tokenUrl');
  });

  it('are published with a description for every key', () => {
    const published = z.toJSONSchema(settingsSchema, { io: 'input' });
    for (const [name, property] of Object.entries(published.properties ?? {})) {
      expect(property, name).toHaveProperty('description');
    }
    expect(published.additionalProperties).toBe(false);
  });
});

describe('credentials', () => {
  it('come in two kinds; a refused one never echoes its secret', () => {
    expect(credentialsSchema.parse({ kind: 'userToken', token: 'bxt_1' })).toEqual({
      kind: 'userToken',
      token: 'bxt_1',
    });
    for (const bad of [
      { kind: 'userToken', token: 's3cret with spaces' },
      { kind: 'userToken', token: 'bxt_1', extra: 's3cret' },
      { kind: 'oauth2', clientId: 'c', clientSecret: 's3cret' },
      { kind: 's3cret' },
    ]) {
      const result = credentialsSchema.safeParse(bad);
      expect(result.success).toBe(false);
      expect(JSON.stringify(result.error?.issues)).not.toContain('s3cret');
    }
  });

  it('tell when somebody must act', () => {
    const describeOne = (credential: object) =>
      brexConnector.describeCredential(credentialsSchema.parse(credential), NOW);
    expect(describeOne({ kind: 'userToken', token: 't' })).toEqual({
      kind: 'userToken',
      expiresAt: null,
      renewBy: new Date('2027-02-18T12:00:00Z'),
    });
    expect(describeOne({ kind: 'userToken', token: 't', inactivityDays: 30 }).renewBy).toEqual(
      new Date('2026-12-20T12:00:00Z'),
    );
    const oauth = { kind: 'oauth2', clientId: 'c', clientSecret: 's', refreshToken: 'r' };
    expect(describeOne(oauth).renewBy).toEqual(new Date('2027-02-18T12:00:00Z'));
    expect(
      describeOne({ ...oauth, expiresAt: '2026-11-20T13:00:00Z', refreshTokenExpiresAt: '2026-12-01T00:00:00Z' }),
    ).toEqual({
      kind: 'oauth2',
      expiresAt: new Date('2026-11-20T13:00:00Z'),
      renewBy: new Date('2026-12-01T00:00:00Z'),
    });
  });
});

describe('testing a connection', () => {
  const answers: Record<string, Answer> = {
    '/v2/users/me': { body: { id: 'cuuser_1' } },
    '/v2/company': { body: { id: 'cuacc_1', legal_name: 'Acme', accountType: 'BREX_CLASSIC' } },
    '/v2/accounts/cash': { status: 401, body: { message: 'Must be cash admin, bookkeeper or user.' } },
    '/v1/expenses': { status: 403, body: { message: 'Insufficient scope' } },
  };

  it('tries every stream, so that all missing rights are seen at once', async () => {
    const brex = await fakeBrex((asked) => answers[asked.path] ?? { body: { ...page([]), has_next_page: false } });
    const checks = await connectTo(brex.url).test();
    expect(checks.map((check) => [check.name, check.ok])).toEqual([
      ['log in', true],
      ['company', true],
      ['card transactions', true],
      ['expenses', false],
      ['accounting records', true],
      ['cash transactions', false],
    ]);
    expect(checks[3]?.detail).toContain('admin must grant');
  });

  it('ends after a failed login without throwing', async () => {
    const brex = await fakeBrex(() => ({ status: 401, body: '' }));
    const checks = await connectTo(brex.url).test();
    expect(checks).toMatchObject([{ name: 'log in', ok: false }]);
  });

  it('the company id is asked for once', async () => {
    const brex = await fakeBrex((asked) => answers[asked.path] ?? { status: 404 });
    const connection = connectTo(brex.url);
    expect([await connection.companyId(), await connection.companyId()]).toEqual(['cuacc_1', 'cuacc_1']);
    expect(brex.asked).toHaveLength(1);
  });
});

describe('the accounting integration', () => {
  const settings = { integrationVendor: 'SYSPRO_GATEWAY', vendorAccountId: 'tenant-42' };

  it.each(['integration_id', 'id'])('is known by %s, whichever Brex sends', async (name) => {
    const brex = await fakeBrex(() => ({ body: { [name]: 'int_1', status: 'ACTIVE' } }));
    const { integration } = connectTo(brex.url, { settings });
    expect(await integration.ensure()).toEqual({ id: 'int_1', status: 'ACTIVE' });
    await integration.disconnect('int_1');
    await integration.reactivate('int_1');
    expect(brex.asked.map((asked) => [asked.path, asked.body])).toEqual([
      ['/v3/accounting/integration', '{"vendor":"SYSPRO_GATEWAY","vendor_account_id":"tenant-42"}'],
      ['/v3/accounting/integration/int_1/disconnect', ''],
      ['/v3/accounting/integration/int_1/reactivate', ''],
    ]);
  });

  it('another active integration, and missing settings, are for a person to settle', async () => {
    const brex = await fakeBrex(() => ({
      status: 409,
      body: { error_code: 'ACTIVE_INTEGRATION_EXISTS', message: 'x' },
    }));
    await expect(connectTo(brex.url, { settings }).integration.ensure()).rejects.toBeInstanceOf(ConfigurationError);
    await expect(connectTo(brex.url).integration.ensure()).rejects.toBeInstanceOf(ConfigurationError);
  });
});

describe('vendors', () => {
  const vendor = (id: string, company_name: string) => ({ id, company_name, payment_accounts: null });

  it('one that exists is found whatever its accents and spaces, and nothing is created', async () => {
    const brex = await fakeBrex(() => ({ body: page([vendor('v1', 'Cafe Muller GmbH ')]) }));
    expect(await connectTo(brex.url).vendors.ensure('Café Müller GmbH', 'k')).toEqual({
      ...{ id: 'v1', name: 'Cafe Muller GmbH', created: false },
    });
    expect(brex.asked.map((asked) => asked.method)).toEqual(['GET']);
  });

  it('a new one is created in ASCII under the given key', async () => {
    const brex = await fakeBrex((asked) =>
      asked.method === 'GET' ? { body: page([]) } : { body: vendor('v2', 'Cafe Muller') },
    );
    expect(await connectTo(brex.url).vendors.ensure('Café Müller', 'vendor-7')).toMatchObject({
      id: 'v2',
      created: true,
    });
    const post = brex.asked.at(-1);
    expect(post?.headers['idempotency-key']).toBe('vendor-7');
    expect(JSON.parse(post?.body ?? '')).toEqual({ company_name: 'Cafe Muller' });
  });

  it('a name that turns out to be taken is adopted from the whole list', async () => {
    const brex = await fakeBrex((asked) => {
      if (asked.method === 'POST') return { status: 400, body: { message: 'company_name must be unique' } };
      if (asked.query.some(([name]) => name === 'name')) return { body: page([]) };
      return asked.query.some(([name]) => name === 'cursor')
        ? { body: page([vendor('v9', 'ACME')]) }
        : { body: page([vendor('v1', 'Other')], 'c') };
    });
    expect(await connectTo(brex.url).vendors.ensure('Acme', 'k')).toEqual({ id: 'v9', name: 'ACME', created: false });
  });

  it('a rename sends the name in ASCII and nothing else, under the given key', async () => {
    const brex = await fakeBrex(() => ({ body: vendor('v 1', 'Cafe Muller ') }));
    expect(await connectTo(brex.url).vendors.rename('v 1', 'Café Müller', 'k-1')).toEqual({
      ...{ id: 'v 1', name: 'Cafe Muller' },
    });
    expect(brex.asked).toMatchObject([{ method: 'PUT', path: '/v1/vendors/v%201' }]);
    expect(brex.asked[0]?.headers['idempotency-key']).toBe('k-1');
    expect(JSON.parse(brex.asked[0]?.body ?? '')).toEqual({ company_name: 'Cafe Muller' });
  });

  it.each([400, 404, 409, 422])('a rename that Brex refuses with %i is told', async (status) => {
    const brex = await fakeBrex(() => ({ status, body: { message: 'No.' } }));
    await expect(connectTo(brex.url).vendors.rename('v1', 'Acme', 'k')).rejects.toBeInstanceOf(InputError);
  });

  it.each([true, false])('of an account are kept only where the setting says so: %s', async (keepVendors) => {
    const settings = settingsSchema.parse({ keepVendors });
    const connection = brexConnector.connect(contextFor('http://brex.test', userToken(), settings));
    onTestFinished(() => connection.disconnect());
    expect(connection.vendors !== undefined).toBe(keepVendors);
    expect(connection.masterData).toBeDefined();
  });

  it('a refusal for another reason is told', async () => {
    const brex = await fakeBrex((asked) =>
      asked.method === 'POST' ? { status: 400, body: { message: 'too long' } } : { body: page([]) },
    );
    await expect(connectTo(brex.url).vendors.ensure('Acme', 'k')).rejects.toThrow('too long');
  });

  it.each([
    ['Groß & Søn – “Łódź”', 'Gross & Son - "Lodz"'],
    ['  Ana  ', 'Ana'],
    ['ﬁnance №1', 'finance No1'],
  ])('%s is written %s', (text, ascii) => {
    expect(asciiText(text, 'name')).toBe(ascii);
  });

  it('a name in another script cannot be written', () => {
    expect(() => asciiText('株式会社', 'name')).toThrow(InputError);
  });
});
