import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dimensionNumbers } from '../../../src/connectors/infor-m3/config.js';
import { inforM3Connector, SECRET_FIELDS } from '../../../src/connectors/infor-m3/index.js';
import { CredentialsError, LedgergateError, RateLimitedError } from '../../../src/errors.js';
import { MemorySession } from '../../support/connectorContext.js';
import { all, connect, FakeM3, failureOf, invoice, ionapi, journal, Refused, SECRETS } from './inforM3Fake.js';

/**
 * The .ionapi file, the token that is made from it, and what must never be seen of either. What would be caught: a token
 * per process where one serves all, a renewal that waits for the refusal, a secret in a log line.
 */

let m3: FakeM3;
beforeEach(async () => {
  m3 = new FakeM3();
  await m3.start();
});
afterEach(() => m3.close());

describe('the .ionapi file', () => {
  const file = ionapi('https://mingle-ionapi.eu1.example.com');
  const text = JSON.stringify(file);

  it.each([
    ['as an object', file],
    ['as its text', text],
    ['with the mark of a Windows editor', `\uFEFF${text}`],
  ])('is taken %s', (_how, ionapi) => {
    const { credentialsSchema, baseUrlOf } = inforM3Connector;
    const taken = credentialsSchema.parse({ ionapi });
    expect(taken).toMatchObject({ ionapi: { ti: 'ACME_TST', saak: SECRETS.saak } });
    expect(baseUrlOf?.(taken)).toBe('https://mingle-ionapi.eu1.example.com');
  });

  it('without a service account is refused by the names of what is missing, and no value is echoed', () => {
    const { saak: _saak, sask: _sask, ...rest } = file;
    const result = inforM3Connector.credentialsSchema.safeParse({ ionapi: { ...rest, cs: 12 } });
    expect(result.error?.issues.map((issue) => issue.path.join('.'))).toEqual([
      'ionapi.cs',
      'ionapi.saak',
      'ionapi.sask',
    ]);
    expect(JSON.stringify(result.error?.issues)).not.toContain('pl4nted');
    expect(inforM3Connector.credentialsSchema.safeParse({ ionapi: 'no JSON pl4nted' }).success).toBe(false);
  });

  it('that names an address without encryption is refused, but for this very machine', () => {
    const bad = inforM3Connector.credentialsSchema.safeParse({ ionapi: { ...file, pu: 'http://sso.example.com/as/' } });
    expect(bad.error?.issues.map((issue) => issue.path.join('.'))).toEqual(['ionapi.pu']);
    expect(
      inforM3Connector.credentialsSchema.safeParse({ ionapi: { ...file, iu: 'http://127.0.0.1:8080' } }).success,
    ).toBe(true);
    expect(
      inforM3Connector.credentialsSchema.safeParse({ ionapi: { ...file, iu: 'http://127.0.0.1.evil.com' } }).success,
    ).toBe(false);
  });
});

describe('the settings', () => {
  it('need the company alone, refuse unknown names, and say where a problem is', () => {
    const { settingsSchema } = inforM3Connector;
    expect(settingsSchema.safeParse({ cono: 100 }).success).toBe(true);
    expect(settingsSchema.parse({ cono: '100' })).toMatchObject({ cono: 100, divi: '' });
    const issues = settingsSchema.safeParse({
      cono: 0,
      gl: { sign: 'x' },
      errorPatterns: { period: '(' },
      other: 1,
    });
    expect(issues.error?.issues.map((issue) => issue.path.join('.'))).toEqual([
      'cono',
      'gl.sign',
      'errorPatterns.period',
      '',
    ]);
  });
});

describe('the fields of dimensions', () => {
  const problems = (dimensions: unknown) => {
    const { error } = inforM3Connector.settingsSchema.safeParse({ cono: 100, dimensions });
    return error?.issues.map((issue) => issue.path.join('.'));
  };

  it('are AIT2 to AIT7, each for one name; AIT1 is the GL account', () => {
    expect(problems({ glAccount: 'AIT1', costCentre: 'AIT5', project: 'AIT2', plant: null })).toBeUndefined();
    expect(problems({ costCentre: 'AIT1' })).toEqual(['dimensions.costCentre']);
    expect(problems({ glAccount: 'AIT3' })).toEqual(['dimensions.glAccount']);
    expect(problems({ project: 'AIT3', plant: 'AIT3' })).toEqual(['dimensions.plant']);
    expect(problems({ project: 'AIT8' })).toEqual(['dimensions.project']);
    expect(problems({ project: 3 })).toEqual(['dimensions.project']);
  });

  it.each([
    ['to AIT2 when nobody says otherwise', {}, { costCentre: 2 }],
    ['to AIT2 beside others', { project: 'AIT3' }, { costCentre: 2, project: 3 }],
    ['where the settings say', { costCentre: 'AIT4' }, { costCentre: 4 }],
    ['nowhere when AIT2 is another name’s', { project: 'AIT2' }, { project: 2 }],
    ['nowhere when the settings say so', { costCentre: null }, {}],
  ])('take the cost centre %s', (_where, dimensions, numbers) => {
    const settings = inforM3Connector.settingsSchema.parse({ cono: 100, dimensions });
    expect(Object.fromEntries(dimensionNumbers(settings))).toEqual(numbers);
  });
});

describe('the access token', () => {
  it('is asked for by the password grant, every key encoded, in the header or in the form', async () => {
    const header = connect(m3);
    await header.connection.findByReference([journal()]);
    expect(Object.fromEntries(m3.tokenForms[0] ?? [])).toEqual({
      grant_type: 'password',
      username: SECRETS.saak,
      password: SECRETS.sask,
    });
    const login = m3.requests.find((one) => one.url.endsWith('token.oauth2'));
    expect(login?.body).toContain('ACME_TST%23pl4nted');
    const basic = Buffer.from(login?.headers.authorization?.slice(6) ?? '', 'base64').toString();
    expect(basic).toBe(`${SECRETS.ci}:${SECRETS.cs}`);
    const form = connect(m3, { clientAuth: 'body', scope: 'openid' });
    await form.connection.findByReference([journal()]);
    expect(Object.fromEntries(m3.tokenForms[1] ?? [])).toMatchObject({ client_secret: SECRETS.cs, scope: 'openid' });
    await header.connection.disconnect();
    await form.connection.disconnect();
  });

  it('is one for all processes and all calls at once', async () => {
    const session = new MemorySession();
    const [one, two] = [connect(m3, {}, { session }), connect(m3, {}, { session })];
    await Promise.all([one, two, one].map(({ connection }) => connection.findByReference([journal()])));
    expect(m3.tokenForms.length).toBe(1);
    await one.connection.disconnect();
  });

  it('is renewed before it ends, not after a refusal', async () => {
    let now = new Date('2026-11-20T12:00:00Z');
    const { connection } = connect(m3, {}, { now: () => now });
    await connection.findByReference([journal()]);
    now = new Date(now.getTime() + 6800_000);
    await connection.findByReference([journal()]);
    expect(m3.tokenForms.length).toBe(1);
    now = new Date(now.getTime() + 110_000);
    await connection.findByReference([journal()]);
    expect(m3.tokenForms.length).toBe(2);
    await connection.disconnect();
  });

  it('is renewed by its refresh token where there is one, and by the password grant when that is refused', async () => {
    m3.refreshToken = 'pl4nted-refresh';
    m3.lifetime = 1;
    let now = new Date('2026-11-20T12:00:00Z');
    const { connection } = connect(m3, {}, { now: () => now });
    const look = async () => {
      now = new Date(now.getTime() + 2000);
      await connection.findByReference([journal()]);
    };
    await look();
    await look();
    m3.refuseRefresh = true;
    await look();
    expect(m3.tokenForms.map((form) => form.get('grant_type'))).toEqual([
      'password',
      'refresh_token',
      'refresh_token',
      'password',
    ]);
    await connection.disconnect();
    expect(m3.revoked).toEqual(['pl4nted-refresh', 'pl4nted-token-3']);
  });

  it('of a file that was replaced meanwhile is not used any more', async () => {
    const { connection, vault } = connect(m3);
    await connection.findByReference([journal()]);
    vault.credential = { ionapi: { ...vault.credential.ionapi, saak: 'ACME_TST#another' } };
    await connection.findByReference([journal()]);
    expect(m3.tokenForms.map((form) => form.get('username'))).toEqual([SECRETS.saak, 'ACME_TST#another']);
    await connection.disconnect();
  });

  it('is revoked and forgotten at disconnect', async () => {
    const { connection, session } = connect(m3);
    await connection.findByReference([journal()]);
    await connection.disconnect();
    expect([m3.revoked, session.token]).toEqual([['pl4nted-token-1'], null]);
  });

  it('that was refused twice pauses the connection, and so does a refused file', async () => {
    const { connection } = connect(m3);
    m3.trouble('GLS200MI.LstVouchersByDt', '401', '401');
    expect(await failureOf(connection.findByReference([journal()]))).toMatchObject({ code: 'TOKEN_REFUSED' });
    const wrong = connect(m3, {}, { credentials: { ...ionapi(m3.baseUrl), sask: 'pl4nted-wrong' } });
    const error = await failureOf(wrong.connection.findByReference([journal()]));
    expect(error).toBeInstanceOf(CredentialsError);
    expect(String(error)).not.toContain('pl4nted');
    await connection.disconnect();
    await wrong.connection.disconnect();
  });
});

describe('calls', () => {
  it('name company and division, keep intermediaries from answering, and ask for everything in both ways', async () => {
    const { connection } = connect(m3);
    await connection.findByReference([journal()]);
    await connection.findByReference([journal()]);
    const [one, two] = m3.requests.filter((call) => call.url.includes('LstVouchersByDt')).map((call) => call.url);
    expect(one).toContain(
      '/ACME_TST/M3/m3api-rest/v2/execute/GLS200MI/LstVouchersByDt;cono=100;divi=AAA;maxrecs=1000?',
    );
    expect(one).toContain('cono=100&divi=AAA&maxrecs=1000');
    const rid = (url?: string) => /_rid=([\w-]+)/.exec(url ?? '')?.[1];
    expect(rid(one)).not.toBe(rid(two));
    await connection.disconnect();
  });

  it('take v1 where the grid has no v2, padded values and both forms of its errors', async () => {
    const { connection } = connect(m3, { apiVersion: 'v1' });
    const { ledgerDocumentId } = await connection.submit(journal());
    expect(await connection.readBack(ledgerDocumentId, journal())).toMatchObject({ totalDebit: '120.50' });
    await connection.submit(invoice({ reference: 'BRX7F3A0C91D2E5' }));
    expect(m3.requests.some((call) => call.url.includes('/v2/'))).toBe(false);
    for (const text of ['Blocked for ten', 'Blocked for tens']) {
      m3.hooks.set('GLS840MI.AddBatchHead', () => {
        throw new Refused(text, 'WAI0107', 'AIT1');
      });
      const error = await failureOf(connection.submit(journal({ reference: 'BRX7F3A0C91D2E6' })));
      expect(error).toMatchObject({ message: expect.stringContaining(`"${text}" (WAI0107, field AIT1)`) });
    }
    await connection.disconnect();
  });

  it('understand an error under HTTP 400 as one under HTTP 200', async () => {
    m3.errorStyle = '400';
    const { connection } = connect(m3);
    m3.trouble('GLS840MI.AddBatchHead', 'lose-after');
    await failureOf(connection.submit(journal()));
    await connection.submit(journal());
    expect(m3.batches.size).toBe(1);
    await connection.disconnect();
  });

  it('that write go over a connection of their own, those that read over one that is kept', async () => {
    const { connection } = connect(m3);
    await connection.submit(journal());
    const connections = (part: RegExp) => [
      ...new Set(m3.requests.filter((call) => part.test(call.url)).map((call) => call.headers.connection)),
    ];
    expect(connections(/execute\/GLS840MI/)).toEqual(['close']);
    expect(connections(/execute\/(GLS200MI|MRS001MI)/)).toEqual(['keep-alive']);
    await connection.disconnect();
  });

  it('that are too long for the gateway were not executed', async () => {
    const { connection } = connect(m3);
    m3.trouble('GLS840MI.AddBatchLineFld', '414');
    expect(await failureOf(connection.submit(journal()))).toMatchObject({
      code: 'DOCUMENT_TOO_LONG',
      decision: 'REJECT',
    });
    await connection.disconnect();
  });

  it('that write are given up after their time, and then in doubt', async () => {
    const { connection } = connect(m3, { readTimeoutSeconds: 1 });
    m3.trouble('GLS840MI.UpdBatch', 'hang');
    expect(await failureOf(connection.submit(journal()))).toMatchObject({ decision: 'PROBE' });
    await connection.disconnect();
  });

  it('at a wrong address say so', async () => {
    const { connection } = connect(m3, { apiPath: 'elsewhere' });
    expect(await failureOf(connection.findByReference([journal()]))).toMatchObject({ code: 'WRONG_BASE_URL' });
    await connection.disconnect();
  });

  it('repeat a read that failed on the way, and leave a long wait to the engine', async () => {
    const { connection } = connect(m3);
    m3.trouble('GLS200MI.LstVouchersByDt', 'lose-before', '500');
    expect(await connection.findByReference([journal()])).toEqual([]);
    m3.trouble('GLS200MI.LstVouchersByDt', 'html', 'empty', 'html');
    expect(await failureOf(connection.findByReference([journal()]))).toMatchObject({ code: 'UNREADABLE_REPLY' });
    await connection.disconnect();
  });
});

describe('secrets', () => {
  it('are in no log line, error or check result, whatever M3 and the gateway quote', async () => {
    expect(SECRET_FIELDS).toEqual(['ci', 'cs', 'saak', 'sask']);
    const { connection, log } = connect(m3);
    const seen: string[] = [];
    const note = (error: unknown) => {
      const own = error instanceof LedgergateError ? { detail: error.detail, userMessage: error.userMessage } : {};
      seen.push(String(error), JSON.stringify(own), error instanceof Error ? String(error.stack) : '');
      if (error instanceof Error && error.cause !== undefined) note(error.cause);
    };
    m3.hooks.set('GLS840MI.CtrlBatch', () => {
      throw new Refused(`pl4nted-token-1 ${Object.values(SECRETS).join(' ')} Bearer pl4nted-token-1`, 'E', 'F');
    });
    note(await failureOf(connection.submit(journal())));
    m3.hooks.clear();
    for (const trouble of ['html', '500', 'lose-after', '429', '401-m3'] as const) {
      m3.trouble('GLS840MI.CtrlBatch', trouble);
      note(await failureOf(connection.submit(journal())));
    }
    m3.hooks.set('MNS100MI.GetUserInfo', () => {
      throw new Refused(`Token pl4nted-token-1 of ${SECRETS.saak}`);
    });
    seen.push(JSON.stringify(await connection.test()));
    await connection.disconnect();
    seen.push(log());
    expect(log()).toContain('logged on');
    for (const text of seen) expect(text).not.toMatch(/pl4nted/);
  });
});

describe('testing the connection', () => {
  it('goes step by step and says what was found, with the time of each', async () => {
    m3.accounts.push({ AITP: '1', AITM: '62510', TX40: 'Travel', DIVI: 'AAA' });
    const { connection } = connect(m3);
    const results = await connection.test();
    expect(results.map((one) => one.name)).toEqual([
      'Reach the gateway',
      'Log in',
      'M3 user',
      'Discover the release',
      'Local currency',
      'Read GL accounts',
      'Read suppliers',
      'Find the period of today',
      'Right to post',
    ]);
    expect(results.every((one) => one.ok && one.latencyMs !== null)).toBe(true);
    expect(m3.calls.some((call) => /Add|Upd|Valid|Ctrl/.test(call))).toBe(false);
    await connection.disconnect();
  });

  it('ends at the first step that fails, with a sentence on what to do', async () => {
    m3.hooks.set('CRS620MI.LstByNumber', () => {
      throw new Refused('Not authorized for program', 'XAU0010', '');
    });
    const { connection } = connect(m3);
    const results = await connection.test();
    expect(results.at(-1)).toMatchObject({
      name: 'Read suppliers',
      ok: false,
      detail: expect.stringContaining('CRS620MI'),
    });
    expect(results.length).toBe(7);
    await connection.disconnect();
    await m3.close();
    const [first, ...more] = await connect(m3).connection.test();
    expect([first?.ok, more]).toEqual([false, []]);
    await m3.start();
  });

  it('tells a right to post that is missing, without posting', async () => {
    m3.hooks.set('AUTCHKMI.ChkAuthority', (inputs) => {
      if (inputs.APGM === 'APS455') throw new Refused('Not authorized', 'XAU0001');
    });
    const { connection } = connect(m3);
    expect((await connection.test()).at(-1)).toMatchObject({ name: 'Right to post', ok: false });
    await connection.disconnect();
  });
});

describe('throttling', () => {
  it('of a read is waited for a little, and a long wait is told', async () => {
    const { connection } = connect(m3);
    m3.trouble('CRS620MI.LstByNumber', '503-gateway');
    expect(await all(connection.listSuppliers())).toHaveLength(1);
    m3.hooks.set('GLS840MI.AddBatchHead', () => m3.trouble('GLS840MI.AddBatchLineFld', '429'));
    expect(await failureOf(connection.submit(journal()))).toBeInstanceOf(RateLimitedError);
    await connection.disconnect();
  });
});
