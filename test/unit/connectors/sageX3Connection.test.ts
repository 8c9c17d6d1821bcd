// Suppliers, the steps of a connection test, the settings, and that no secret leaves the connector. What would surprise: a
// secret inside a message of X3 that ends up in an audit trail.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { settingsSchema } from '../../../src/connectors/sage-x3/config.js';
import {
  credentialsSchema,
  type SageX3Credentials,
  SECRET_FIELDS,
} from '../../../src/connectors/sage-x3/credentials.js';
import { sageX3Connector } from '../../../src/connectors/sage-x3/index.js';
import { minorOf } from '../../../src/connectors/sage-x3/mapper.js';
import { ConfigurationError, ErpRejectedError, LedgergateError, OutcomeUnknownError } from '../../../src/errors.js';
import {
  baseSettings,
  connectTo,
  document,
  FakeX3,
  json,
  query,
  type SettingsInput,
  settingsWith,
  soapReply,
} from './sageX3Helpers.js';

let x3: FakeX3;
beforeEach(async () => {
  x3 = await new FakeX3().start();
});
afterEach(() => x3.stop());

const NOW = () => new Date('2026-11-20T10:00:00Z');
const connect = (changes: Partial<SettingsInput> = {}) =>
  connectTo(x3.url, changes, undefined, { now: NOW }).connection;

describe('suppliers', () => {
  const defaults = { category: 'US', currency: 'USD', address: { CODADR: 'MAIN', CRY: 'US' } };
  const create = (changes: Partial<NonNullable<SettingsInput['suppliers']>> = {}) => {
    const { suppliers } = connect({ suppliers: { defaults, ...changes } });
    if (!suppliers) throw new Error('the connection creates suppliers');
    return suppliers;
  };

  it.each([
    ['soap-object', 'save BPS'],
    ['rest-object', 'POST BPSUPPLIER'],
  ] as const)('are created by %s under a code made from their name', async (createBy, what) => {
    const suppliers = create({ createBy });
    const code = suppliers.codeFor('Brightline Travel & Co');
    expect(code).toMatch(/^[A-Z0-9]{15}$/);
    expect(suppliers.codeFor('Acme')).toBe('ACME');
    expect(await suppliers.find(code)).toBeNull();
    const made = await suppliers.create({ code, name: 'Brightline Travel & Co' });
    expect(made).toEqual({ code, name: 'Brightline Travel & Co', active: true, currency: 'USD' });
    expect(await suppliers.find(code)).toMatchObject({ code });
    expect(x3.count(what)).toBe(1);
    const body = x3.calls.find((call) => call.what === what)?.body ?? '';
    expect(body).toContain('BSGCOD');
    expect(body).toContain('MAIN');
    expect(body).toContain('BPSREM');
  });

  it('go to the group that the publication has them in', async () => {
    await create().create({ code: 'ACME', name: 'Acme' });
    expect(x3.calls.find((call) => call.what === 'save BPS')?.body).toMatch(/<GRP ID="BPS0_3">.*BPSNUM/);
  });

  it('without a category are not created, and nothing is sent', async () => {
    await expect(create({ defaults: {} }).create({ code: 'ACME', name: 'Acme' })).rejects.toBeInstanceOf(
      ConfigurationError,
    );
    expect(x3.calls).toHaveLength(0);
  });

  it('that X3 refuses are refused in its words; those that are there already are taken', async () => {
    x3.refusal = 'Country code is mandatory';
    await expect(create().create({ code: 'ACME', name: 'Acme' })).rejects.toBeInstanceOf(ErpRejectedError);
    x3.refusal = 'Supplier AE003 already exists';
    expect(await create().create({ code: 'AE003', name: 'Acme Tools' })).toMatchObject({
      code: 'AE003',
      name: 'Acme Tools',
    });
    await expect(create().create({ code: 'AE999', name: 'Nobody' })).rejects.toBeInstanceOf(ErpRejectedError);
  });

  it('whose creation got no clear answer are in doubt, and sent once', async () => {
    x3.intercept = (call) => (call.what === 'save BPS' ? null : undefined);
    await expect(create().create({ code: 'ACME', name: 'Acme' })).rejects.toBeInstanceOf(OutcomeUnknownError);
    x3.intercept = (call) => (call.what === 'save BPS' ? soapReply('save', { result: '<RESULT/>' }) : undefined);
    await expect(create().create({ code: 'ACME', name: 'Acme' })).rejects.toBeInstanceOf(OutcomeUnknownError);
    x3.intercept = (call) => (call.what === 'save BPS' ? { type: 'text/html', body: '<html/>' } : undefined);
    await expect(create().create({ code: 'ACME', name: 'Acme' })).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(x3.count('save BPS')).toBe(3);
  });

  // X3 gives the number, so a repeated creation can only be recognised by our mark.
  it('that X3 numbers itself are found again by their mark', async () => {
    const suppliers = create({ numbering: 'automatic' });
    x3.intercept = (call) => {
      if (call.what !== 'save BPS') return undefined;
      expect(call.body).not.toContain('"BPSNUM"');
      x3.tables.BPSUPPLIER?.push({ BPSNUM: 'F00017', BPSNAM: 'Acme', BPSREM: 'ACME' });
      return soapReply('save', { result: '<RESULT><GRP ID="G"><FLD NAME="BPSNUM">F00017</FLD></GRP></RESULT>' });
    };
    expect(await suppliers.find('ACME')).toBeNull();
    expect(await suppliers.create({ code: 'ACME', name: 'Acme' })).toMatchObject({ code: 'F00017' });
    expect(await suppliers.find('ACME')).toMatchObject({ code: 'F00017' });
  });

  it('keep two names apart that begin alike, and names that no code can hold', () => {
    const { codeFor } = create();
    const of = codeFor.bind(create());
    expect(of('Hotel Metropole Brussels')).not.toBe(of('Hotel Metropole Bruges'));
    expect(of('東京')).not.toBe(of('大阪'));
    expect(of('  acme ')).toBe(of('ACME'));
  });
});

describe('testing the connection', () => {
  const names = (results: readonly { name: string; ok: boolean }[]) =>
    results.map(({ name, ok }) => `${ok ? '+' : '-'} ${name}`);

  it.each(['soap-import', 'soap-object', 'soap-subprogram', 'rest-object'] as const)(
    'walks through all steps and writes nothing (%s)',
    async (journalMode) => {
      const results = await connect({ journalMode }).test();
      expect(names(results)).toEqual([
        '+ Reach Sage X3',
        '+ Log in',
        '+ Read GL accounts',
        '+ Read suppliers',
        '+ Read dimensions',
        '+ Search journals by reference',
        '+ Find the period of today',
        '+ Check the right to post',
      ]);
      expect(results.every(({ latencyMs }) => latencyMs !== null)).toBe(true);
      expect(results[6]?.detail).toBe('2026/11 is open until 2026-11-30.');
      expect(x3.journals).toHaveLength(0);
      expect(x3.calls.filter(({ what }) => /^(run|save|POST)/.test(what))).toEqual([]);
    },
  );

  it('presents no login while it only reaches for the server', async () => {
    await connect().test();
    expect(x3.calls.find(({ what }) => what === 'reach')?.headers.authorization).toBeUndefined();
  });

  it('stops at the step that failed and says what to do', async () => {
    x3.intercept = (call) => (call.what === 'GET BPSUPPLIER' ? json({ $message: 'No access' }, 403) : undefined);
    const results = await connect().test();
    expect(names(results).at(-1)).toBe('- Read suppliers');
    expect(results.at(-1)?.detail).toMatch(/HTTP 403.*No access.*settings/);
    expect(results).toHaveLength(4);
  });

  it('fails at the first step where nobody answers', async () => {
    const { url } = x3;
    await x3.stop();
    const results = await connectTo(url).connection.test();
    x3 = await new FakeX3().start();
    expect(names(results)).toEqual(['- Reach Sage X3']);
  });

  it('finds a pool or a publication that is missing', async () => {
    x3.intercept = (call) =>
      call.what.startsWith('getDescription')
        ? soapReply('getDescription', { status: 0, messages: ['Unknown web service (0)'] })
        : undefined;
    const results = await connect().test();
    expect(results.at(-1)).toMatchObject({
      name: 'Check the right to post',
      ok: false,
      detail: expect.stringContaining('GESAWE'),
    });
  });
});

describe('secrets', () => {
  const tokenUrl = 'http://127.0.0.1:1/v1/token';
  const planted: SageX3Credentials[] = [
    { kind: 'basic', username: 'GATEWAY', password: 'pl4nted-password' },
    { kind: 'connectedApp', clientId: 'c', secret: 'pl4nted-app-secret-0123456789abcdef', user: 'GATEWAY' },
    {
      kind: 'oauth2',
      tokenUrl,
      clientId: 'c',
      clientSecret: 'pl4nted-client',
      refreshToken: 'pl4nted-refresh',
      accessToken: 'pl4nted-access',
    },
    {
      kind: 'oauth2',
      tokenUrl,
      clientId: 'c',
      clientSecret: 'pl4nted-cc',
      apiKey: 'pl4nted-key',
      accessToken: 'pl4nted-cc-access',
    },
  ];

  it.each(planted.map((credential) => [credential.kind, credential] as const))(
    'of %s stand in no log, error or check, even when X3 sends them back',
    async (_kind, plain) => {
      const credential = plain.kind === 'oauth2' ? { ...plain, tokenUrl: `${x3.url}/v1/token` } : plain;
      const settings: Partial<SettingsInput> = {
        extraHeaders: { 'x-gateway': 'pl4nted-header' },
      };
      const seen: string[] = [];
      // Every answer quotes all that was presented.
      const echoes = (status: number, form: (text: string) => { type?: string; body: string }) => {
        x3.intercept = (call) => {
          const presented = `${JSON.stringify(call.headers)} ${JSON.stringify(credential)} ${call.body.slice(0, 300)}`;
          seen.push(presented);
          return { status, ...form(`echo ${presented}`) };
        };
      };
      const forms = [
        (text: string) => ({ body: text }),
        (text: string) => ({ type: 'text/html', body: `<html>${text}</html>` }),
        (text: string) => json({ $diagnoses: [{ $severity: 'error', $message: text }] }),
        (text: string) => soapReply('run', { status: 0, messages: [text] }),
        (text: string) => soapReply('getDescription', { status: 0, messages: [text] }),
      ];
      const { connection, log } = connectTo(x3.url, settings, credential, { now: NOW });
      const output: string[] = [];
      const note = async (work: Promise<unknown>) => {
        try {
          output.push(JSON.stringify(await work));
        } catch (error) {
          const shown = error instanceof LedgergateError ? JSON.stringify(error.detail) : '';
          output.push(
            `${String(error)} ${shown} ${error instanceof Error ? error.stack : ''} ${String((error as Error).cause)}`,
          );
        }
      };
      for (const status of [200, 201, 302, 400, 401, 403, 404, 429, 500, 503]) {
        for (const form of forms) {
          echoes(status, form);
          await note(connection.test());
          await note(connection.submit(document()));
          await note(connection.findByReference([query]));
          // The write itself, behind a look-up that works.
          const { intercept } = x3;
          x3.intercept = (call, act) => (call.what === 'GET GACCENTRY' ? undefined : intercept(call, act));
          await note(connection.submit(document()));
        }
      }
      const text = output.join('\n') + log();
      expect(text.length).toBeGreaterThan(1000);
      expect(seen.join('')).toContain('pl4nted');
      expect(text).not.toContain('pl4nted');
      expect(text).not.toContain(Buffer.from('GATEWAY:pl4nted-password').toString('base64'));
      expect(text).not.toMatch(/eyJ[\w-]+\./);
    },
  );

  it('are listed, as far as they are fields of the credentials or settings', () => {
    const fields = credentialsSchema.options.flatMap((option) => Object.keys(option.shape));
    const isSecret = (field: string) => (SECRET_FIELDS as readonly string[]).includes(field);
    expect(
      [...new Set(fields.filter((field) => /secret|password|token$|key/i.test(field)))].filter(
        (field) => !isSecret(field),
      ),
    ).toEqual([]);
    expect(sageX3Connector.secretSettings).toEqual(['extraHeaders']);
  });
});

describe('settings', () => {
  const paths = (input: unknown) => settingsSchema.safeParse(input).error?.issues.map(({ path }) => path.join('.'));

  it('are published as JSON Schema and survive being stored', () => {
    expect(() => z.toJSONSchema(settingsSchema, { io: 'input' })).not.toThrow();
    expect(() => z.toJSONSchema(credentialsSchema, { io: 'input' })).not.toThrow();
    const once = settingsWith();
    expect(settingsSchema.parse(JSON.parse(JSON.stringify(once)))).toEqual(once);
  });

  it.each<[string, unknown, string[]]>([
    ['without what X3 cannot do without', {}, ['folder', 'site', 'entryType']],
    ['with an unknown key', { ...baseSettings, endpoint: 'SEED' }, ['']],
    ['with SOAP and no pool', { ...baseSettings, poolAlias: undefined }, ['poolAlias']],
    ['with imports and no template', { ...baseSettings, importTemplate: undefined }, ['importTemplate']],
    [
      'with an import that cannot be found again',
      { ...baseSettings, import: { header: ['TYP', 'FCY', 'ACCDAT'] } },
      ['import.header'],
    ],
    [
      'with analytical rows without amounts',
      { ...baseSettings, import: { analytical: ['ANALIN', 'DIE1', 'CCE1'] } },
      ['import.analytical'],
    ],
    ['with final entries and no column for it', { ...baseSettings, journal: { status: 'final' } }, ['import.header']],
    [
      'with one separator for two things',
      { ...baseSettings, import: { recordSeparator: ';' } },
      ['import.recordSeparator'],
    ],
    [
      'with GraphQL and nothing to find journals by',
      { ...baseSettings, read: 'graphql', journal: { referenceInText: false } },
      ['graphql.journals.reference'],
    ],
    [
      'with two names for one dimension type',
      { ...baseSettings, dimensionTypes: { a: 'DPT', b: 'DPT' } },
      ['dimensionTypes'],
    ],
    ['with a dimension type that has no slot', { ...baseSettings, dimensionSlots: ['PRJ'] }, ['dimensionSlots']],
    [
      'with X3’s own numbers and no REST',
      { ...baseSettings, read: 'soap', suppliers: { numbering: 'automatic' } },
      ['suppliers.numbering'],
    ],
  ])('are refused %s', (_name, input, expected) => {
    expect(paths(input)).toEqual(expected);
  });
});

describe('documents', () => {
  it('in another currency than the connection takes are refused unsent', async () => {
    const submitting = connect({ localCurrency: 'EUR' }).submit(document());
    await expect(submitting).rejects.toMatchObject({ code: 'CURRENCY_UNSUPPORTED' });
    expect(x3.calls).toHaveLength(0);
  });

  it('that are supplier invoices are refused unsent', async () => {
    await expect(connect().submit(document({ documentType: 'SUPPLIER_INVOICE' }))).rejects.toBeInstanceOf(
      ErpRejectedError,
    );
    expect(x3.calls).toHaveLength(0);
  });

  it('carry all dimensions of a line in one analytical row, each in its slot', async () => {
    const [first, ...others] = document().lines;
    const lines = first ? [{ ...first, dimensions: { project: 'P1', region: 'EU' }, taxCode: 'V1' }, ...others] : [];
    const posted = await connect().submit(document({ lines }));
    // One record each under the same number: a number each would distribute the amount twice.
    expect(x3.journals[0]?.analytical).toEqual([
      { ANALIN: '1', DIE1: 'DPT', CCE1: 'SALES', AMTCUR: '120.50' },
      { ANALIN: '1', DIE1: 'PRJ', CCE1: 'P1', AMTCUR: '120.50' },
    ]);
    expect(posted.warnings).toEqual([
      'Dimension region was not sent: this connection’s settings map it to no dimension type.'.replace('’', "'"),
      'Tax code V1 was not sent: the tax is posted to its GL account only.',
    ]);
  });

  it('carry the supplier on the accounts that take partners only', async () => {
    const { connection } = connectTo(x3.url, {
      journalMode: 'soap-object',
      journal: { partnerAccounts: ['45800'] },
    });
    await connection.submit(document({ supplierCode: 'AE003' }));
    expect(x3.journals[0]?.lines.map(({ ACC, BPR }) => [ACC, BPR])).toEqual([
      ['62510', undefined],
      ['45800', 'AE003'],
    ]);
  });

  it('leave out lines of zero', async () => {
    const [first] = document().lines;
    const zero = first ? [{ ...first, lineNumber: 3, debit: '0.00' }] : [];
    await connect().submit(document({ lines: [...document().lines, ...zero] }));
    expect(x3.journals[0]?.lines).toHaveLength(2);
  });

  it('have amounts that are read exactly, or not at all', () => {
    expect(
      ['120.5', '-3', '.05', '7.', '12.500'].map((text) => (text.endsWith('.') ? null : minorOf(text, 'USD'))),
    ).toEqual([12050n, -300n, 5n, null, 1250n]);
    for (const text of ['', 'abc', '1,5', '1.005']) expect(() => minorOf(text, 'USD')).toThrow();
  });
});
