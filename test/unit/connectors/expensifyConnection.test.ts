/**
 * What would be caught here: a secret in a URL, a log line or an error, a call that nobody counted, an error under HTTP
 * 200 taken for an answer, a template that kills the job or breaks its JSON, and a test of the connection that passes
 * although the user sees less than was asked for.
 */
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { connectExpensify, expensifyConnector } from '../../../src/connectors/expensify/index.js';
import { IDS_TEMPLATE, reportTemplate } from '../../../src/connectors/expensify/template.js';
import {
  ConfigurationError,
  CredentialsError,
  LedgergateError,
  PermissionError,
  RateLimitedError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import { createLogger } from '../../../src/logger.js';
import { contextFor, OpenQuota } from '../../support/connectorContext.js';
import {
  type Answer,
  CREDENTIALS,
  connectTo,
  expensifyWith,
  fakeServer,
  NOW,
  POLICY,
  RECENT,
  report,
  settingsWith,
  TestRuntime,
} from './expensifyHarness.js';

const OK: Answer = { body: { policyList: [POLICY], responseCode: 200 } };

describe('the connector', () => {
  it('reads reports and takes results on them', () => {
    expect(expensifyConnector).toMatchObject({
      kind: 'EXPENSIFY',
      role: 'SPEND',
      streams: ['EXPENSE_REPORTS'],
      exportStream: 'EXPENSE_REPORTS',
      secretSettings: [],
    });
    expect(expensifyConnector.describeCredential(CREDENTIALS, NOW)).toEqual({
      kind: 'partnerKey',
      expiresAt: null,
      renewBy: null,
    });
  });

  it('needs no setting, and refuses those that it does not know', () => {
    expect(expensifyConnector.settingsSchema.safeParse({}).success).toBe(true);
    expect(expensifyConnector.settingsSchema.safeParse({ markAsExportd: 'x' }).success).toBe(false);
    expect(expensifyConnector.settingsSchema.safeParse({ costCentreTag: 6 }).success).toBe(false);
    expect(
      expensifyConnector.settingsSchema.safeParse({ costCentreTag: 'Plant', costCentreField: 'employeeCustomField1' })
        .success,
    ).toBe(false);
    expect(expensifyConnector.settingsSchema.safeParse({ customFields: ['Project ID'] }).success).toBe(false);
    expect(expensifyConnector.settingsSchema.safeParse({ timeZone: 'Europe/Nowhere' }).success).toBe(false);
    expect(expensifyConnector.credentialsSchema.safeParse({ partnerUserID: 'a' }).success).toBe(false);
  });

  it('names the login without showing it', async () => {
    const { connection } = connectTo((await fakeServer(() => OK)).url);
    const id = await connection.companyId();
    expect(id).toMatch(/^expensify-[0-9a-f]{16}$/);
    expect(await connection.companyId()).toBe(id);
  });
});

describe('a call', () => {
  it('carries credentials and template in the form body only, whatever letters they hold', async () => {
    const server = await fakeServer(({ job }) => (job.type === 'file' ? { body: { responseCode: 410 } } : OK));
    const { connection } = connectTo(server.url);
    await connection.keepAlive();
    await expect(connection.readPage('EXPENSE_REPORTS', RECENT, null)).rejects.toThrow();
    for (const asked of server.asked) {
      expect(asked).toMatchObject({ method: 'POST', url: '/Integration-Server/ExpensifyIntegrations' });
      expect(asked.contentType).toContain('application/x-www-form-urlencoded');
      expect(asked.job.credentials).toEqual(CREDENTIALS);
    }
    expect(server.asked[1]?.template).toBe(reportTemplate(settingsWith()));
    expect(server.asked[1]?.job).not.toHaveProperty('template');
  });

  it('goes to an address that already names the endpoint as it is', async () => {
    const server = await fakeServer(() => OK);
    await connectTo(`${server.url}/proxy/ExpensifyIntegrations`).connection.keepAlive();
    expect(server.asked[0]?.url).toBe('/proxy/ExpensifyIntegrations');
  });

  it('is counted against both windows of the vendor before it is made, polls of a file included', async () => {
    const expensify = await expensifyWith([report()]);
    const windows: unknown[] = [];
    let before = 0;
    class CountingQuota extends OpenQuota {
      override async take(...given: unknown[]) {
        windows.push(given[0]);
        expect(expensify.asked.length).toBe(before);
        before += 1;
        await super.take();
      }
    }
    const { connection } = connectTo(expensify.url, {}, { quota: new CountingQuota() });
    await connection.readPage('EXPENSE_REPORTS', RECENT, null);
    await connection.test();
    expect(windows).toHaveLength(expensify.asked.length);
    expect(windows[0]).toEqual([
      { calls: 5, perMs: 11_000 },
      { calls: 20, perMs: 61_000 },
    ]);
  });

  it('is not made when the quota is used up', async () => {
    class UsedUp extends OpenQuota {
      override async take(): Promise<void> {
        throw new RateLimitedError('used up', 120_000);
      }
    }
    const server = await fakeServer(() => OK);
    await expect(connectTo(server.url, {}, { quota: new UsedUp() }).connection.keepAlive()).rejects.toThrow('used up');
    expect(server.asked).toEqual([]);
  });

  it('that is throttled blocks all processes, waits as told and is repeated', async () => {
    const server = await fakeServer((_asked, count) => {
      if (count === 1)
        return { body: { responseCode: 429, responseMessage: 'slow' }, headers: { 'retry-after': '20' } };
      return count === 2 ? { status: 429, body: 'slow' } : OK;
    });
    const { connection, quota, runtime } = connectTo(server.url);
    await connection.keepAlive();
    expect(quota.blocks).toEqual([20_000, 60_000]);
    expect(runtime.waits).toEqual([20_000, 60_000]);
  });

  it.each<[string, Answer, new (...given: never[]) => Error]>([
    ['401 in the body', { body: { responseCode: 401, responseMessage: 'Authentication error' } }, CredentialsError],
    [
      'a refused login as 500',
      { body: { responseCode: 500, responseMessage: 'Authentication error' } },
      CredentialsError,
    ],
    ['HTTP 401', { status: 401, body: '' }, CredentialsError],
    ['HTTP 403 in text', { status: 403, body: '403 - Invalid Credentials' }, CredentialsError],
    ['403 in the body', { body: { responseCode: 403, responseMessage: 'Forbidden' } }, PermissionError],
    [
      'a missing right as 500',
      { body: { responseCode: 500, responseMessage: 'Not authorized to authenticate as user user@domain.com' } },
      PermissionError,
    ],
    ['410', { body: { responseCode: '410', responseMessage: "Argument 'type' is missing" } }, ConfigurationError],
    ['a byte order mark', { body: '\uFEFF{"responseCode":410,"responseMessage":"x"}' }, ConfigurationError],
    ['a float-looking code', { body: '{"responseCode":410.0,"responseMessage":"x"}' }, ConfigurationError],
    ['HTTP 500 with a good code', { status: 500, body: { responseCode: 200 } }, UpstreamUnavailableError],
    ['HTTP 500 in HTML', { status: 500, body: '<html>HTTP Status 500 - JSONObject</html>' }, UpstreamUnavailableError],
    ['success without the list', { body: { responseCode: 200 } }, UnreadableReplyError],
    ['no JSON', { body: 'hello' }, UnreadableReplyError],
  ])('%s has its own meaning, whatever the HTTP status says', async (_name, answer, error) => {
    const server = await fakeServer(() => answer);
    await expect(connectTo(server.url).connection.keepAlive()).rejects.toThrow(error);
  });

  it('quotes what Expensify said in words, and no page of HTML', async () => {
    const said = await fakeServer(() => ({
      body: { responseCode: 410, responseMessage: "Malformed date '16-01-01'." },
    }));
    await expect(connectTo(said.url).connection.keepAlive()).rejects.toThrow("Malformed date '16-01-01'.");
    const page = await fakeServer(() => ({ status: 400, body: '<html><h1>HTTP Status 400</h1>inner words</html>' }));
    await expect(connectTo(page.url).connection.keepAlive()).rejects.not.toThrow('inner words');
  });

  it('texts that a customer has met can be added to the patterns', async () => {
    const server = await fakeServer(() => ({ body: { responseCode: 500, responseMessage: 'Unbekannter Schlüssel' } }));
    const { connection } = connectTo(server.url, { patterns: { credentials: 'unbekannter schlüssel' } });
    await expect(connection.keepAlive()).rejects.toThrow(CredentialsError);
  });
});

describe('secrets', () => {
  const forms = [CREDENTIALS.partnerUserSecret, CREDENTIALS.partnerUserID].flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    new URLSearchParams({ s: secret }).toString().slice(2),
  ]);

  /** Everything that an error carries, its causes included. */
  function whole(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    const more = error instanceof LedgergateError ? JSON.stringify([error.userMessage, error.detail]) : '';
    return `${error.name} ${error.message} ${error.stack} ${more} ${whole(error.cause ?? '')}`;
  }

  it('are in no error and no log line, even where Expensify sends our own request back', async () => {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, next) {
        lines.push(String(chunk));
        next();
      },
    });
    const echoes: ((sent: string) => Answer)[] = [
      (sent) => ({ status: 500, body: `HTTP Status 500 - requestJobDescription ${sent}` }),
      (sent) => ({ status: 500, body: encodeURIComponent(sent) }),
      (sent) => ({ body: { responseCode: 410, responseMessage: `bad ${sent}` } }),
      () => ({ body: { responseCode: 500, responseMessage: `no ${forms.join(' ')}` } }),
      () => ({ body: { responseCode: 401, responseMessage: `Authentication error for ${forms.join(' ')}` } }),
      () => ({ body: forms.join(' ') }),
      () => ({ breaks: true }),
    ];
    const seen: string[] = [];
    for (const echo of echoes) {
      const server = await fakeServer(({ job }) => echo(JSON.stringify(job)));
      const context = {
        ...contextFor(
          server.url,
          CREDENTIALS,
          settingsWith({ markAsExported: true, exportLabel: 'x', deadlineSeconds: 5 }),
        ),
        logger: createLogger('trace', stream),
      };
      const connection = connectExpensify(context, new TestRuntime());
      const calls = [
        () => connection.keepAlive(),
        () => connection.readPage('EXPENSE_REPORTS', RECENT, null),
        () => connection.exports?.report([{ externalId: 'R1', outcome: { kind: 'SUCCESS', ledgerDocumentId: 'J' } }]),
      ];
      for (const call of calls) seen.push(whole(await Promise.resolve(call()).catch((error: unknown) => error)));
      seen.push(JSON.stringify(await connection.test()));
      await connection.disconnect();
    }
    expect(seen.length).toBe(28);
    expect(lines.length).toBeGreaterThan(0);
    for (const form of forms) {
      expect(seen.join('\n')).not.toContain(form);
      expect(lines.join('\n')).not.toContain(form);
    }
  });
});

describe('the template', () => {
  const template = reportTemplate(
    settingsWith({ customFields: ['Project'], costCentreField: 'customField:Plant', tagLevels: 2 }),
  );

  it('prints numbers and truth values with ?c and text with ?json_string, and nothing without', () => {
    const printedValues = [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, value = '']) => value);
    expect(printedValues.length).toBeGreaterThan(50);
    for (const value of printedValues) expect(value).toMatch(/\?(c|json_string|string\("yyyy-MM-dd"\))$/);
    expect(template).not.toContain('?js_string');
  });

  it('gives a default to every field before it looks at it', () => {
    for (const [, path = ''] of template.matchAll(/\$\{([^}]*)\}/g)) {
      expect(path).toMatch(/^reports\?size|!""\)|!\[\]\)/);
    }
    expect(template).toContain('((e.receiptObject)!"")?is_hash');
  });

  it('closes what it opens', () => {
    for (const text of [template, IDS_TEMPLATE]) {
      for (const name of ['if', 'list']) {
        expect(text.split(`<#${name} `).length).toBe(text.split(`</#${name}>`).length);
      }
    }
  });

  it('prints one JSON object a line', () => {
    // Every value replaced by what FreeMarker would print for a missing one.
    const plain = template
      .replace(/<#if [^>]*is_hash>(.*?)<#else>(?:(?!<\/#if>).)*<\/#if>(?=,|\})/g, '$1')
      .replace(/"<#if .*?<\/#if>"/g, '""')
      .replace(/\$\{[^}]*\}/g, '0');
    const lines = plain.split('\n').filter((line) => line !== '' && !line.startsWith('<'));
    expect(lines.map((line) => JSON.parse(line).k)).toEqual(['begin', 'report', 'line', 'end']);
    expect(lines.map((line) => Object.keys(JSON.parse(line).customFields ?? {}))[1]).toEqual(['Project', 'Plant']);
    expect(JSON.parse(lines[2] ?? '').tags).toHaveLength(2);
  });

  it('can be replaced by a setting', () => {
    expect(reportTemplate(settingsWith({ template: 'mine' }))).toBe('mine');
  });
});

describe('the test of a connection', () => {
  it('goes step by step: reach, log in, workspaces, categories, an export in test mode and its file', async () => {
    const expensify = await expensifyWith([report()]);
    const categories = [{ name: 'Travel', glCode: '6200' }, { name: 'Meals', glCode: '' }, { name: 'Fees' }];
    expensify.model.policyInfo = { [POLICY.id]: { categories, tags: [] } };
    const results = await connectTo(expensify.url, { policyIDs: [POLICY.id] }).connection.test();
    expect(results.map(({ name, ok }) => [name, ok])).toEqual([
      ['reach', true],
      ['log in', true],
      ['workspaces', true],
      ['categories', true],
      ['start an export', true],
      ['download it', true],
    ]);
    expect(results[3]?.detail).toContain('1 of 3 categories have a GL code');
    const jobs = expensify.asked.filter(({ job }) => job.type === 'file').map(({ job }) => job);
    expect(jobs).toMatchObject([{ test: 'true', inputSettings: { limit: '1' } }]);
    expect(results.every(({ latencyMs }) => latencyMs !== null)).toBe(true);
  });

  it('ends where nothing answers', async () => {
    const results = await connectTo('http://127.0.0.1:9').connection.test();
    expect(results).toMatchObject([{ name: 'reach', ok: false }]);
  });

  it('tells a refused login from an unreachable address', async () => {
    const server = await fakeServer(() => ({ body: { responseCode: 401, responseMessage: 'Authentication error' } }));
    const results = await connectTo(server.url).connection.test();
    expect(results.map(({ name, ok }) => [name, ok])).toEqual([
      ['reach', true],
      ['log in', false],
    ]);
  });

  it('fails when a workspace of the filter is not visible, or the user is no admin there', async () => {
    const expensify = await expensifyWith([report()]);
    const hidden = await connectTo(expensify.url, { policyIDs: ['OTHER'] }).connection.test();
    expect(hidden.at(-1)).toMatchObject({ name: 'workspaces', ok: false, detail: expect.stringContaining('OTHER') });
    expensify.model.policies = [{ ...POLICY, role: 'user' }];
    const lesser = await connectTo(expensify.url, { policyIDs: [POLICY.id] }).connection.test();
    expect(lesser.at(-1)).toMatchObject({ name: 'workspaces', ok: false, detail: expect.stringContaining('admin') });
    expensify.model.policies = [];
    const none = await connectTo(expensify.url).connection.test();
    expect(none.at(-1)).toMatchObject({ name: 'workspaces', ok: false });
  });

  it('names the workspaces in which the user is no admin when no filter is set', async () => {
    const expensify = await expensifyWith([report()]);
    expensify.model.policies = [POLICY, { ...POLICY, id: 'OTHER', name: 'Other', role: 'auditor' }];
    const results = await connectTo(expensify.url).connection.test();
    expect(results[2]).toMatchObject({ ok: true, detail: expect.stringContaining('not an admin of Other') });
  });

  it('goes on with the export when categories cannot be read', async () => {
    const expensify = await expensifyWith([report()]);
    expensify.model.policyInfo = {};
    const results = await connectTo(expensify.url).connection.test();
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true, false, true, true]);
  });
});
