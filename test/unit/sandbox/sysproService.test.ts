// A surprise here means that the simulated SYSPRO service is easier to talk to than the real one: errors that come as
// HTTP errors, sessions that two clients can share, or bytes that any charset reads.
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningSyspro } from '../../../src/sandbox/syspro/index.js';
import { BALANCED, get, journalParameters, journalXml, PlainClient, parses, start, texts } from './sysproSupport.js';

const FAIL_WHEN_LOGGED_IN = '<Logon><FailWhenAlreadyLoggedIn>Y</FailWhenAlreadyLoggedIn></Logon>';

let syspro: RunningSyspro;
let client: PlainClient;
let now: number;

beforeEach(async () => {
  now = Date.parse('2026-11-20T10:00:00Z');
  syspro = await start({ clock: { now: () => new Date(now) }, settings: { seats: 1 } });
  client = new PlainClient(syspro);
});

afterEach(() => syspro.close());

describe('logon', () => {
  it('gives 34 hex characters and two blanks, and both forms work afterwards', async () => {
    const id = await client.logon();
    expect(id).toMatch(/^[0-9A-F]{34} {2}$/);
    for (const userId of [id, id.trim()]) {
      expect((await client.call('GetLogonProfile', { UserId: userId })).body).toContain('<LocalCurrencyCode>$<');
    }
  });

  it('answers a wrong password with HTTP 200 and a text', async () => {
    const values = { Operator: 'GATEWAY', OperatorPassword: 'no', CompanyId: 'EDU1', CompanyPassword: '' };
    const answer = await client.call('Logon', values);
    expect(answer).toMatchObject({ status: 200, body: 'ERROR: Invalid operator password' });
    expect(answer.type).toBe('application/octet-stream');
  });

  it('wants the company password parameter although it may be empty', async () => {
    const values = { Operator: 'GATEWAY', OperatorPassword: 'p@ss+word', CompanyId: 'EDU1' };
    expect((await client.call('Logon', values)).status).toBe(400);
    expect((await client.call('Logon', { ...values, CompanyPassword: 'wrong' })).body).toMatch(/^ERROR/);
    expect((await client.call('Logon', { ...values, CompanyId: 'NONE', CompanyPassword: '' })).body).toMatch(/^ERROR/);
  });

  it('reads a plus sign as a blank unless it is percent-encoded', async () => {
    const plus = `${syspro.baseUrl}/Logon?Operator=GATEWAY&OperatorPassword=p@ss+word&CompanyId=EDU1&CompanyPassword=`;
    expect((await get(plus)).body).toBe('ERROR: Invalid operator password');
  });

  it('ends the session that the operator had', async () => {
    const first = await client.logon();
    await client.logon();
    expect((await client.call('GetLogonProfile', { UserId: first })).body).toMatch(
      /^ERROR: The supplied UserID is invalid/,
    );
  });

  it('fails instead when it is asked to, and leaves the old session alone', async () => {
    const first = await client.logon();
    expect(await client.logon(FAIL_WHEN_LOGGED_IN)).toMatch(/^ERROR/);
    expect((await client.call('GetLogonProfile', { UserId: first })).body).toContain('<OperatorCode>GATEWAY<');
  });

  it('is refused while another operator holds the last seat, until that one logs off or idles out', async () => {
    await client.logon();
    const clerk = new PlainClient(syspro);
    expect(await clerk.logon('', 'CLERK', 'clerk')).toMatch(/^ERROR/);
    expect((await client.call('Logoff', { UserId: client.userId })).body).toBe('0');
    expect(await clerk.logon('', 'CLERK', 'clerk')).not.toMatch(/^ERROR/);
    now += 901_000;
    expect(await client.logon()).not.toMatch(/^ERROR/);
  });
});

describe('sessions', () => {
  it('end after the idle time, counted from the last use', async () => {
    await client.logon();
    now += 600_000;
    expect(await client.query('GENQSO', '<Query/>')).toContain('GeneralLedgerOptions');
    now += 600_000;
    expect(await client.query('GENQSO', '<Query/>')).toContain('GeneralLedgerOptions');
    now += 901_000;
    expect(await client.query('GENQSO', '<Query/>')).toMatch(/^ERROR: The supplied UserID is invalid/);
  });

  it('can be evicted in the middle, and a post is then refused before it does anything', async () => {
    await client.logon();
    expect(syspro.evictSessions()).toBe(1);
    expect(await client.journal(BALANCED)).toMatch(/^ERROR: The supplied UserID is invalid/);
    expect(syspro.ledger.journalCount).toBe(0);
  });

  it('are not needed for the version', async () => {
    expect((await client.call('GetVersion')).body).toMatch(/^\d+(\.\d+)+$/);
  });

  it('refuse a log-off with an unknown id', async () => {
    expect((await client.call('Logoff', { UserId: 'X' })).body).toMatch(/^ERROR/);
  });
});

describe('answers', () => {
  it('are Windows-1252 bytes with a newline and a blank at the end', async () => {
    await client.logon();
    const values = {
      UserId: client.userId,
      BusinessObject: 'GENQGL',
      XmlIn: '<Query><key><LedgerCode>10-6100</LedgerCode></key></Query>',
    };
    const { bytes, body } = await client.call('Query/Query', values);
    expect(body.endsWith('</GLStructureQuery>\n ')).toBe(true);
    expect(body).toContain('encoding="Windows-1252"');
    // An en dash is 0x96 in Windows-1252 and nothing in Latin-1; é is 0xE9 and no valid UTF-8 alone.
    expect(bytes.includes(Buffer.from([0x96]))).toBe(true);
    expect(bytes.includes(Buffer.from([0xe9]))).toBe(true);
  });

  it('come as a JSON string where the installation does so', async () => {
    syspro.changeSettings({ jsonQuote: true });
    expect(JSON.parse(await client.logon())).toMatch(/^[0-9A-F]{34} {2}$/);
    client.userId = String(JSON.parse(client.userId));
    const xml: unknown = JSON.parse(await client.query('GENQ08', '<Query/>'));
    expect(xml).toContain('Meals – Café');
  });

  it('come inside a string element where the installation does so', async () => {
    await client.logon();
    syspro.changeSettings({ stringElement: true });
    expect(await client.query('GENQSO', '<Query/>')).toMatch(/^<string xmlns=[^>]+>&lt;\?xml/);
  });

  it('come in lower case where the installation does so', async () => {
    await client.logon();
    syspro.changeSettings({ lowerCaseOutput: true });
    const xml = await client.journal(BALANCED);
    expect(texts(xml, 'gljournal')).toEqual(['00001']);
    expect(parses(xml)).toBe(true);
  });

  it('say exception 100000 for a business object that is not there', async () => {
    await client.logon();
    for (const name of ['APSSUP', 'GENTJX']) {
      expect(await client.query(name, '<Query/>')).toBe('ERROR: e.net exception raised: 100000');
      expect(await client.post(name, '', '<X/>')).toBe('ERROR: e.net exception raised: 100000');
    }
  });

  it('are a text for XML that cannot be read', async () => {
    await client.logon();
    for (const xml of ['', 'text', '<Query><a></Query>', '<Other/>', '<!DOCTYPE Query []><Query/>']) {
      expect(await client.query('GENQSO', xml)).toMatch(/^ERROR/);
    }
  });
});

describe('the HTTP surface', () => {
  it('takes paths in any case', async () => {
    expect((await get(`${syspro.url}/sysprowcfservice/REST/getversion`)).status).toBe(200);
  });

  it('answers unknown paths, other methods and missing parameters with HTML', async () => {
    for (const url of [
      `${syspro.url}/nothing`,
      `${syspro.baseUrl}/Query/Nothing`,
      `${syspro.baseUrl}/Query/Query?UserId=1`,
    ]) {
      const answer = await get(url);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.type).toContain('text/html');
    }
    const posted = await request(`${syspro.baseUrl}/GetVersion`, { method: 'POST' });
    await posted.body.dump();
    expect(posted.statusCode).toBe(405);
  });

  it('refuses a URL beyond 16 KB with 414 and does nothing', async () => {
    await client.logon();
    const lines = Array.from({ length: 120 }, () => BALANCED).flat();
    const values = {
      UserId: client.userId,
      BusinessObject: 'GENTJL',
      XmlParameters: journalParameters(),
      XmlIn: journalXml(lines),
    };
    expect((await client.call('Transaction/Post', values)).status).toBe(414);
    expect(syspro.ledger.journalCount).toBe(0);
  });
});

describe('PostLD', () => {
  async function postLd(
    body: string | Buffer,
    contentType = 'application/xml',
  ): Promise<{ status: number; body: string }> {
    const reply = await request(`${syspro.baseUrl}/Transaction/PostLD`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
    return { status: reply.statusCode, body: await reply.body.text() };
  }
  const large = (userId: string, xmlIn: string): string =>
    `<TransactionPostLD xmlns="http://SYSPROWcfService"><UserId>${userId}</UserId><BusinessObject>GENTJL</BusinessObject>` +
    `<XmlParameters><![CDATA[${journalParameters()}]]></XmlParameters><XmlIn>${xmlIn}</XmlIn></TransactionPostLD>`;

  it('takes a journal that no URL could carry', async () => {
    await client.logon();
    const lines = Array.from({ length: 400 }, () => BALANCED).flat();
    const { body } = await postLd(large(client.userId, `<![CDATA[${journalXml(lines)}]]>`));
    expect(texts(body, 'NumOfEntries')).toEqual(['00800']);
    expect(texts(body, 'DebitAmount')).toEqual(['50200.00']);
  });

  it('takes escaped XML and split CDATA as well', async () => {
    await client.logon();
    const escaped = journalXml(BALANCED).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    expect(texts((await postLd(large(client.userId, escaped))).body, 'GlJournal')).toEqual(['00001']);
    const inner = journalXml(BALANCED, { Notation: '<![CDATA[a & b]]>' });
    const split = `<![CDATA[${inner.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
    expect(texts((await postLd(large(client.userId, split))).body, 'GlJournal')).toEqual(['00002']);
    expect(syspro.ledger.journals()[1]?.notation).toBe('a & b');
  });

  it('is refused without its namespace, with another content type, and where it is not enabled', async () => {
    await client.logon();
    const body = large(client.userId, `<![CDATA[${journalXml(BALANCED)}]]>`);
    expect((await postLd(body.replace(/ xmlns="[^"]*"/, ''))).status).toBe(400);
    expect((await postLd(body, 'application/json')).status).toBe(415);
    syspro.changeSettings({ postLd: false });
    expect((await postLd(body)).status).toBe(404);
    expect(syspro.ledger.journalCount).toBe(0);
  });
});

describe('faults', () => {
  it('lose the reply of a post that was done', async () => {
    await client.logon();
    syspro.faults.set([{ match: 'Transaction/Post', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }]);
    await expect(client.journal(BALANCED)).rejects.toThrow();
    expect(syspro.ledger.journals('R1')).toHaveLength(1);
  });

  it('match by the name of the business object', async () => {
    await client.logon();
    syspro.faults.set([{ match: 'GENTJL', kind: 'SERVER_ERROR' }]);
    expect((await client.query('GENQSO', '<Query/>')).startsWith('<?xml')).toBe(true);
    expect(await client.journal(BALANCED)).toContain('<html>');
  });

  // The trap: a client that logs on again after the cut must not be saved by the end of its old session.
  it('apply a late commit although the operator has logged on again meanwhile', async () => {
    await client.logon();
    syspro.faults.set([{ match: 'GENTJL', kind: 'COMMIT_LATE', delayMs: 30, times: 1 }]);
    await expect(client.journal(BALANCED)).rejects.toThrow();
    await client.logon();
    await syspro.faults.whenLateCommitsApplied();
    expect(syspro.ledger.journals('R1')).toHaveLength(1);
  });

  it('end the session so that the vendor says so itself and nothing is done', async () => {
    await client.logon();
    syspro.faults.set([{ match: 'GENTJL', kind: 'EXPIRE_SESSION', times: 1 }]);
    expect(await client.journal(BALANCED)).toMatch(/^ERROR: The supplied UserID is invalid/);
    expect(syspro.ledger.journalCount).toBe(0);
    expect(syspro.sessions()).toEqual([]);
  });
});

describe('controls over HTTP', () => {
  async function change(route: string, value: unknown): Promise<{ status: number; body: unknown }> {
    const reply = await request(`${syspro.url}/_sandbox/${route}`, { method: 'POST', body: JSON.stringify(value) });
    return { status: reply.statusCode, body: await reply.body.json() };
  }
  async function show(route: string): Promise<unknown> {
    return JSON.parse((await get(`${syspro.url}/_sandbox/${route}`)).bytes.toString('utf8'));
  }

  it('show journals by reference, the summary and who is logged in, but no session id', async () => {
    await client.logon();
    await client.journal(BALANCED);
    await client.journal(BALANCED);
    await client.journal(BALANCED, { JournalReference: 'R2' });
    expect(await show('journals?reference=R1')).toMatchObject({
      total: 2,
      journals: [{ debit: '125.50', number: 1 }, {}],
    });
    expect(await show('summary?accounts=1')).toMatchObject({
      journals: 3,
      posted: 3,
      unbalanced: 0,
      duplicates: [{ reference: 'R1', count: 2 }],
      accounts: { '10-6100': '376.50', '00-2150': '-376.50' },
      requests: { 'Transaction/Post GENTJL': 3 },
    });
    expect(JSON.stringify(await show('sessions'))).not.toContain(client.userId.trim());
  });

  it('close periods, hold accounts and change settings', async () => {
    await client.logon();
    expect((await change('periods', { year: 2027, period: 5, open: false })).status).toBe(200);
    expect(texts(await client.journal(BALANCED), 'JournalsInvalid')).toEqual(['1']);
    await change('periods', { year: 2027, period: 5, open: true });
    await change('accounts', { code: '10-6100', onHold: true });
    expect(texts(await client.journal(BALANCED), 'JournalsInvalid')).toEqual(['1']);
    expect((await change('settings', { seats: 9 })).body).toMatchObject({ seats: 9, idleSeconds: 900 });
    expect((await change('reset', {})).status).toBe(200);
    await client.logon();
    expect(texts(await client.journal(BALANCED), 'GlJournal')).toEqual(['00001']);
  });

  it('name the field that they cannot use', async () => {
    expect(await change('periods', { year: 1999, period: 5, open: true })).toMatchObject({
      status: 400,
      body: { field: 'period' },
    });
    expect(await change('periods', { year: 2027, period: 5 })).toMatchObject({ status: 400, body: { field: 'open' } });
    expect(await change('settings', { seets: 1 })).toMatchObject({ status: 400, body: { field: 'seets' } });
    expect(await change('accounts', { code: 'NEW' })).toMatchObject({ status: 400, body: { field: 'code' } });
  });
});
