import { afterEach, describe, expect, it } from 'vitest';
import { parseXml, textAt } from '../../../src/connectors/syspro/xml.js';
import {
  ConfigurationError,
  CredentialsError,
  ErpRejectedError,
  OutcomeUnknownError,
  PeriodClosedError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import {
  allTextOf,
  connectTo,
  failureOf,
  invoice,
  journal,
  journalReply,
  line,
  PROFILE,
  rows,
  type ScriptedReply,
  type ScriptedServer,
  SECRETS,
  SESSION_ID,
  SESSION_REFUSED,
  scriptedServer,
  sharedSession,
} from './sysproHelpers.js';

/**
 * What a reply to a write may mean. What would be caught: a journal that is counted as posted although nobody proved it,
 * or sent again although it may be there.
 */

let server: ScriptedServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

type Answer = Parameters<typeof scriptedServer>[0];

async function serve(answer: Answer): Promise<ScriptedServer> {
  server = await scriptedServer(answer);
  return server;
}

/** A server that answers every write with this reply. */
async function writing(reply: ScriptedReply, settings: Record<string, unknown> = {}) {
  const running = await serve(({ path }) => (path.startsWith('Transaction/') ? reply : undefined));
  return { ...connectTo(running.url, settings), running };
}

const writes = (running: ScriptedServer) => running.calls.filter((call) => /^(Transaction|Setup)\//.test(call.path));

describe('journals', () => {
  it('a confirmed reply gives the journal’s three-part number and the warnings', async () => {
    const { connection, running } = await writing(journalReply());
    expect(await connection.submit(journal)).toEqual({ ledgerDocumentId: '2027/05/00117', warnings: [] });
    const params = writes(running)[0]?.params;
    expect(params?.get('UserId')).toBe(SESSION_ID);
    expect(params?.get('BusinessObject')).toBe('GENTJL');
    expect(textAt(parseXml(params?.get('XmlIn') ?? ''), 'Item', 'JournalDetails', 'Comment')).toBe(
      'Café Zoë + bar, meals',
    );
  });

  it('a reply in a JSON string, in a string element and in capitals counts the same', async () => {
    const plain = journalReply();
    const wrapped = `<string xmlns="x">${plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</string>`;
    const capitals = plain.replace(
      /<(\/?)(\w+)/g,
      (_all, slash: string, name: string) => `<${slash}${name.toUpperCase()}`,
    );
    for (const body of [JSON.stringify(plain), wrapped, capitals]) {
      const { connection, running } = await writing(body);
      expect((await connection.submit(journal)).ledgerDocumentId).toBe('2027/05/00117');
      await running.close();
    }
  });

  it.each<[string, string]>([
    ['created but not posted', journalReply({ Jnlstatus: 'N' }, { PostingsProcessed: '', PostingsInvalid: '1' })],
    ['posted with another total', journalReply({ DebitAmount: '125.51', CreditAmount: '125.51' })],
    ['posted with sides that differ', journalReply({ CreditAmount: '125.49' })],
    ['posted with a total that cannot be read', journalReply({ DebitAmount: 'n/a' })],
    ['posted with a line less', journalReply({ NumOfEntries: '00001' })],
    ['created next to an error', journalReply({ ErrorDescription: 'Journal was not authorised' })],
    ['without a status', journalReply({ Jnlstatus: '' })],
  ])('a journal that was %s is in doubt, and names its number for the person who looks', async (_what, reply) => {
    const { connection, running } = await writing(reply);
    const error = await failureOf(connection.submit(journal));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(allTextOf(error)).toContain('2027/05/00117');
    expect(writes(running)).toHaveLength(1);
  });

  it.each<[string, ScriptedReply]>([
    ['an empty body', ''],
    ['a web page with status 200', '<!DOCTYPE html><html><head></head><body>Sign in</body></html>'],
    ['a cut-off reply', journalReply().slice(0, 300)],
    ['another root', '<postapinvoice><Item/></postapinvoice>'],
    ['neither number nor error', '<postgljournal><Item/><StatusOfItems/></postgljournal>'],
    ['an unknown error text', 'ERROR: Something happened'],
    ['status 500', { status: 500, body: '<html>oops</html>' }],
    ['status 503', { status: 503 }],
    ['status 400', { status: 400, body: 'Bad Request' }],
    ['a connection that breaks', 'reset'],
  ])('after %s the outcome is unknown and nothing is sent again', async (_what, reply) => {
    const { connection, running } = await writing(reply);
    expect(await failureOf(connection.submit(journal))).toBeInstanceOf(OutcomeUnknownError);
    expect(writes(running)).toHaveLength(1);
  });

  it('a write that gets no answer in time is in doubt', async () => {
    const running = await scriptedServer(({ path }) =>
      path.startsWith('Transaction/') ? new Promise<ScriptedReply>(() => undefined) : undefined,
    );
    server = running;
    const { connection } = connectTo(running.url, { submitTimeoutSeconds: 3 });
    expect(await failureOf(connection.submit(journal))).toBeInstanceOf(OutcomeUnknownError);
    expect(writes(running)).toHaveLength(1);
  });

  it('a write that waited until its time was up is never sent, because somebody may have given it up', async () => {
    const running = await serve(({ path }) =>
      path.startsWith('Transaction/') ? new Promise<ScriptedReply>(() => undefined) : undefined,
    );
    const { connection } = connectTo(running.url, { submitTimeoutSeconds: 3 });
    await connection.rules();
    const [first, second] = await Promise.all([
      failureOf(connection.submit(journal)),
      failureOf(connection.submit(journal)),
    ]);
    expect(first).toBeInstanceOf(OutcomeUnknownError);
    expect(second).toMatchObject({ code: 'NOT_STARTED', decision: 'RETRY' });
    expect(writes(running)).toHaveLength(1);
  });

  it('a refused document is rejected with every error, its value and its place', async () => {
    const { connection } = await writing(
      `<postgljournal><Item><JournalDetails><LedgerCode><Value>10-9999</Value><ErrorNumber>1234</ErrorNumber><ErrorDescription>Ledger code '10-9999' not found</ErrorDescription></LedgerCode></JournalDetails><Notation><ErrorDescription>Too long</ErrorDescription></Notation></Item><StatusOfItems><JournalsInvalid>00001</JournalsInvalid></StatusOfItems></postgljournal>`,
    );
    const error = await failureOf(connection.submit(journal));
    expect(error).toBeInstanceOf(ErpRejectedError);
    expect(error).toMatchObject({ detail: { class: 'account' } });
    for (const word of ['1234', '10-9999', 'Item/JournalDetails/LedgerCode', 'Too long']) {
      expect(allTextOf(error)).toContain(word);
    }
  });

  it('a refusal for the period is a closed period', async () => {
    const { connection } = await writing(
      '<postgljournal><Item><PostingPeriod><Value>05</Value><ErrorNumber>9</ErrorNumber><ErrorDescription>Posting period is closed</ErrorDescription></PostingPeriod></Item></postgljournal>',
    );
    expect(await failureOf(connection.submit(journal))).toBeInstanceOf(PeriodClosedError);
  });

  it('a missing business object or a path that is too long certainly wrote nothing', async () => {
    for (const reply of ['ERROR: e.net exception raised: 100000', { status: 414 }]) {
      const { connection, running } = await writing(reply);
      expect(await failureOf(connection.submit(journal))).toBeInstanceOf(ErpRejectedError);
      await running.close();
    }
  });

  it('money in another currency than the books is refused before anything is sent', async () => {
    const { connection, running } = await writing(journalReply());
    const error = await failureOf(connection.submit({ ...journal, currency: 'EUR' }));
    expect(error).toBeInstanceOf(ErpRejectedError);
    expect(writes(running)).toHaveLength(0);
  });

  it('a local currency without ISO code asks for the setting by name', async () => {
    const running = await serve(({ path }) => (path === 'GetLogonProfile' ? PROFILE.replace('$', '#') : undefined));
    const { connection } = connectTo(running.url);
    const error = await failureOf(connection.rules());
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(allTextOf(error)).toContain('localCurrency');
  });
});

describe('long documents', () => {
  const long = (count: number, memo: string) => {
    const total = `${count - 1}.00`;
    const lines = Array.from({ length: count - 1 }, (_, index) =>
      line(index + 1, '6100-000-0001', '1.00', '0.00', { costCentre: '10', memo }),
    );
    return { ...journal, total, lines: [...lines, line(count, '00-2150', '0.00', total, { memo })] };
  };
  const memo = 'J. Smith | Delta Air Lines & Partners | Travel: flights, New York | expense_cm1abcdefgh23456 ok'.padEnd(
    100,
    'x',
  );

  it('as many lines as the rules allow, with full memos, fit in one call', async () => {
    const document = long(25, memo);
    const reply = journalReply({ NumOfEntries: '25', DebitAmount: document.total, CreditAmount: document.total });
    const { connection, running } = await writing(reply);
    const { maxLines, memoLength } = await connection.rules();
    expect([maxLines, memoLength]).toEqual([25, 100]);
    await connection.submit(document);
    expect(textAt(parseXml(writes(running)[0]?.params.get('XmlIn') ?? ''), 'Item', 'JournalDetails', 'Comment')).toBe(
      memo,
    );
  });

  it('a document that is too long is refused unsent and whole, never cut', async () => {
    const { connection, running } = await writing(journalReply());
    const error = await failureOf(connection.submit(long(80, memo)));
    expect(error).toMatchObject({ code: 'DOCUMENT_TOO_LONG' });
    expect(allTextOf(error)).toContain('usePostLD');
    expect(writes(running)).toHaveLength(0);
  });

  it('with PostLD it goes by POST, end marks of CDATA in its notes included', async () => {
    const document = { ...long(300, 'a ]]> b & c'), description: 'notes ]]> more' };
    const reply = journalReply({ NumOfEntries: '00300', DebitAmount: '299.00', CreditAmount: '299.00' });
    const { connection, running } = await writing(
      `<TransactionPostLDResponse xmlns="x"><TransactionPostLDResult>${reply.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</TransactionPostLDResult></TransactionPostLDResponse>`,
      { usePostLD: true },
    );
    expect((await connection.submit(document)).ledgerDocumentId).toBe('2027/05/00117');
    const [call] = writes(running);
    expect(call?.path).toBe('Transaction/PostLD');
    const envelope = parseXml(call?.body ?? '');
    expect(textAt(envelope, 'UserId')).toBe(SESSION_ID);
    const sent = parseXml(textAt(envelope, 'XmlIn'));
    expect(textAt(sent, 'Item', 'Notation')).toBe('notes ]]> more');
    expect(textAt(sent, 'Item', 'JournalDetails', 'Comment')).toBe('a ]]> b & c');
    expect(sent.children[0]?.children.filter((child) => child.name === 'journaldetails')).toHaveLength(300);
  });

  it('a short document goes by Post also where PostLD is on, and a missing PostLD is a refusal', async () => {
    const short = await writing(journalReply(), { usePostLD: true });
    await short.connection.submit(journal);
    expect(writes(short.running)[0]?.path).toBe('Transaction/Post');
    await short.running.close();
    const missing = await writing({ status: 404 }, { usePostLD: true });
    expect(await failureOf(missing.connection.submit(long(100, memo)))).toMatchObject({ code: 'POSTLD_MISSING' });
  });
});

describe('sessions', () => {
  it('a write that was refused for its session is sent once more, with a new one', async () => {
    let refusals = 1;
    const running = await serve(({ path }) => {
      if (path !== 'Transaction/Post') return undefined;
      refusals -= 1;
      return refusals >= 0 ? SESSION_REFUSED : journalReply();
    });
    const session = sharedSession();
    const { connection } = connectTo(running.url, {}, { session });
    expect((await connection.submit(journal)).ledgerDocumentId).toBe('2027/05/00117');
    expect(writes(running)).toHaveLength(2);
    expect(session.logons).toBe(2);
  });

  it('a session that is refused again ends the write as not done', async () => {
    const { connection, running } = await writing(SESSION_REFUSED);
    const error = await failureOf(connection.submit(journal));
    expect(error).toBeInstanceOf(UpstreamUnavailableError);
    expect(error).toMatchObject({ code: 'SESSION_CONTESTED' });
    expect(writes(running)).toHaveLength(2);
  });

  it.each([
    ['ERROR: Invalid operator password', CredentialsError],
    ['"ERROR: The company is not on file"', CredentialsError],
    ['ERROR: All licensed sessions are in use', UpstreamUnavailableError],
    ['<html><body>proxy</body></html>', UpstreamUnavailableError],
    ['', UpstreamUnavailableError],
  ])('a logon answered with %j ends as the right kind of failure', async (reply, kind) => {
    const running = await serve(({ path }) => (path === 'Logon' ? reply : undefined));
    const { connection } = connectTo(running.url);
    expect(await failureOf(connection.submit(journal))).toBeInstanceOf(kind);
    expect(writes(running)).toHaveLength(0);
  });

  it('a company without password still sends the parameter, and disconnecting logs off once', async () => {
    const running = await serve(() => undefined);
    const bare = { operator: 'GATEWAY', operatorPassword: 'a+b c', companyId: 'EDU1' };
    const { connection } = connectTo(running.url, {}, { credentials: bare });
    await connection.rules();
    await connection.disconnect();
    await connection.disconnect();
    const logon = running.calls.find((call) => call.path === 'Logon')?.params;
    expect(logon?.get('CompanyPassword')).toBe('');
    expect(logon?.get('OperatorPassword')).toBe('a+b c');
    const logoffs = running.calls.filter((call) => call.path === 'Logoff');
    expect(logoffs.map((call) => call.params.get('UserId'))).toEqual([SESSION_ID]);
  });

  it('a process that is stopping still logs off', async () => {
    const running = await serve(() => undefined);
    const stop = new AbortController();
    const { connection } = connectTo(running.url, {}, { signal: stop.signal });
    await connection.rules();
    stop.abort();
    await connection.disconnect();
    expect(running.calls.map((call) => call.path)).toContain('Logoff');
  });
});

describe('supplier invoices', () => {
  const lines = [line(1, '6100', '125.50', '0.00'), line(2, '2100', '0.00', '125.50')];
  const set = { fiscalPeriods: [{ year: 2027, period: 5, startsOn: '2026-11-01', endsOn: '2026-11-30', open: true }] };
  const reply = (status: string, item = '') =>
    `<postapinvoice Language='05'><Item><Transaction><Key><TrnYear>2027</TrnYear><TrnMonth>05</TrnMonth><Journal>00042</Journal></Key><Supplier>ACMECLOUD      </Supplier><Invoice>BRX7K2M9Q4T1A</Invoice></Transaction>${item}</Item><StatusOfItems>${status}</StatusOfItems></postapinvoice>`;

  it('the invoice and its GL journal name the document', async () => {
    const status =
      '<GlJournal><GlYear>2027</GlYear><GlPeriod>05</GlPeriod><GlJournal>00118</GlJournal><GlJournalError/></GlJournal><ItemsProcessed>000001</ItemsProcessed><ItemsInvalid/>';
    const { connection } = await writing(reply(status), set);
    const { ledgerDocumentId } = await connection.submit(invoice({ lines }));
    expect(ledgerDocumentId).toBe('AP ACMECLOUD/BRX7K2M9Q4T1A (2027/05/00118)');
  });

  it('an invoice without a GL journal yet is posted', async () => {
    const { connection } = await writing(reply('<ItemsProcessed>1</ItemsProcessed>'), set);
    expect((await connection.submit(invoice({ lines }))).ledgerDocumentId).toBe('AP ACMECLOUD/BRX7K2M9Q4T1A');
  });

  it('an invoice whose GL journal failed is there but not posted, and is never sent again', async () => {
    const status =
      '<GlJournal><GlJournalError>12</GlJournalError><GlJournalMessage>No journal</GlJournalMessage></GlJournal><ItemsProcessed>1</ItemsProcessed>';
    const running = await serve(({ path, params }) => {
      if (path === 'Transaction/Post') return reply(status);
      if (!params.get('XmlIn')?.includes('ApInvoice')) return undefined;
      return rows('ApInvoice', [{ Supplier: 'ACMECLOUD', Invoice: 'BRX7K2M9Q4T1A', OrigInvValue: '  125.50' }]);
    });
    const { connection } = connectTo(running.url, set);
    expect(await failureOf(connection.submit(invoice({ lines })))).toBeInstanceOf(OutcomeUnknownError);
    expect(await connection.findByReference([invoice()])).toMatchObject([{ isPosted: false, totalDebit: '125.50' }]);
    expect(writes(running)).toHaveLength(1);
  });

  it('"already exists" is in doubt when the ledger has it and a refusal when it has not', async () => {
    for (const [found, kind] of [
      [true, OutcomeUnknownError],
      [false, ErpRejectedError],
    ] as const) {
      const refused =
        '<postapinvoice><Item><Invoice><Value>X</Value><ErrorDescription>Invoice already exists</ErrorDescription></Invoice></Item><StatusOfItems><ItemsProcessed/><ItemsInvalid>1</ItemsInvalid></StatusOfItems></postapinvoice>';
      const running = await serve(({ path, params }) => {
        if (path === 'Transaction/Post') return refused;
        if (!params.get('XmlIn')?.includes('ApInvoice')) return undefined;
        return rows(
          'ApInvoice',
          found ? [{ Supplier: 'ACMECLOUD', Invoice: 'BRX7K2M9Q4T1A', OrigInvValue: '125.50' }] : [],
        );
      });
      const { connection } = connectTo(running.url, set);
      expect(await failureOf(connection.submit(invoice({ lines })))).toBeInstanceOf(kind);
      await running.close();
    }
  });

  it('a supplier that is kept in another currency is refused before its invoice is taken for that currency', async () => {
    const { connection, running } = await writing(reply('<ItemsProcessed>1</ItemsProcessed>'), {
      ...set,
      localCurrency: { $: 'EUR' },
    });
    const inEuros = invoice({ lines, currency: 'EUR' });
    await connection.submit(inEuros);
    await running.close();
    const foreign = await serve(({ path, params }) => {
      if (path === 'Transaction/Post') return reply('<ItemsProcessed>1</ItemsProcessed>');
      if (!params.get('XmlIn')?.includes('ApSupplier')) return undefined;
      return rows('ApSupplier', [{ Supplier: 'ACMECLOUD', SupplierName: 'Acme', OnHold: 'N', Currency: 'EUR' }]);
    });
    const error = await failureOf(connectTo(foreign.url, set).connection.submit(invoice({ lines })));
    expect(error).toMatchObject({ code: 'CURRENCY_UNSUPPORTED', decision: 'REJECT' });
    expect(writes(foreign)).toHaveLength(0);
  });

  it('a GL journal in another period than the invoice’s is a warning', async () => {
    const status =
      '<GlJournal><GlYear>2027</GlYear><GlPeriod>06</GlPeriod><GlJournal>00118</GlJournal></GlJournal><ItemsProcessed>1</ItemsProcessed>';
    const { connection } = await writing(reply(status), set);
    expect((await connection.submit(invoice({ lines }))).warnings).toEqual([expect.stringContaining('2027/06/00118')]);
  });

  it('a period that AP no longer takes is refused before anything is sent', async () => {
    const { connection, running } = await writing(reply(''), set);
    const old = invoice({ lines, periodKey: { year: '2026', period: '12' } });
    expect(await failureOf(connection.submit(old))).toBeInstanceOf(PeriodClosedError);
    expect(writes(running)).toHaveLength(0);
  });
});

describe('suppliers', () => {
  const defaults = { supplierDefaults: { branch: '10', termsCode: '30', currency: '$', bank: 'FB' } };

  it('missing defaults are named before any call', async () => {
    const running = await serve(() => undefined);
    const { connection } = connectTo(running.url, { supplierDefaults: { branch: '10' } });
    const error = await failureOf(Promise.resolve(connection.suppliers?.create({ code: 'A1', name: 'A' })));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(allTextOf(error)).toContain('supplierDefaults.termsCode, supplierDefaults.currency, supplierDefaults.bank');
    expect(running.calls).toHaveLength(0);
  });

  it('a lost reply to a creation is in doubt, and a reply without the key too', async () => {
    for (const reply of [
      'reset',
      '<setupapsupplier><item/><StatusOfItems><RecordsRead>1</RecordsRead></StatusOfItems></setupapsupplier>',
    ] as const) {
      const running = await serve(({ path }) => (path === 'Setup/Add' ? reply : undefined));
      const { connection } = connectTo(running.url, defaults);
      expect(await failureOf(Promise.resolve(connection.suppliers?.create({ code: 'A1', name: 'A' })))).toBeInstanceOf(
        OutcomeUnknownError,
      );
      expect(writes(running)).toHaveLength(1);
      await running.close();
    }
  });

  it('a supplier made by somebody else meanwhile is the answer', async () => {
    const running = await serve(({ path }) => {
      if (path === 'Setup/Add')
        return '<setupapsupplier><item><key><supplier><Value>A1</Value><ErrorDescription>Supplier already exists</ErrorDescription></supplier></key></item></setupapsupplier>';
      if (path === 'Query/Query')
        return rows('ApSupplier', [{ Supplier: 'A1', SupplierName: 'Ay', OnHold: '', Currency: '$' }]);
      return undefined;
    });
    const { connection } = connectTo(running.url, defaults);
    expect(await connection.suppliers?.create({ code: 'A1', name: 'A' })).toEqual({
      code: 'A1',
      name: 'Ay',
      active: true,
      currency: 'USD',
    });
  });
});

describe('looking up', () => {
  it('rows that were announced and not sent are never taken for an absence', async () => {
    const running = await serve(({ path }) =>
      path === 'Query/Query' ? rows('GenJournalCtl', []).replace('       0', '       1') : undefined,
    );
    const { connection } = connectTo(running.url);
    expect(await failureOf(connection.findByReference([journal]))).toMatchObject({ code: 'UNREADABLE_REPLY' });
  });

  it('many references are asked for in calls that stay short enough for a URL', async () => {
    const running = await serve(({ path }) => (path === 'Query/Query' ? rows('GenJournalCtl', []) : undefined));
    const { connection } = connectTo(running.url);
    const queries = Array.from({ length: 300 }, (_, index) => ({
      ...journal,
      reference: `REF${String(index).padStart(12, '0')}`,
    }));
    expect(await connection.findByReference(queries)).toEqual([]);
    const searches = running.calls.filter((call) => call.path === 'Query/Query');
    for (const { params } of searches) expect(params.toString().length).toBeLessThan(15_000);
    const asked = searches.flatMap(({ params }) => params.get('XmlIn')?.match(/REF\d{12}/g) ?? []);
    expect(new Set(asked).size).toBe(300);
    expect(searches[0]?.params.get('XmlIn')).toContain('<Expression><AndOr>Or</AndOr><OpenBracket>(</OpenBracket>');
  });

  it('a totally different journal that the search returned is not ours', async () => {
    const row = {
      GlYear: '2027',
      GlPeriod: '05',
      GlJournal: '00117',
      NumOfEntries: '2',
      DebitAmount: '1',
      CreditAmount: '1',
      JnlStatus: 'P',
      Reference: 'SOMETHING ELSE',
    };
    const running = await serve(({ path }) => (path === 'Query/Query' ? rows('GenJournalCtl', [row]) : undefined));
    const { connection } = connectTo(running.url);
    expect(await connection.findByReference([journal])).toEqual([]);
  });
});

describe('secrets', () => {
  it('no password, session id or query string is in any log line, error or check result', async () => {
    const leaks = `ERROR: Call ${`http://host/Rest/Logon?UserId=${SESSION_ID}&OperatorPassword=${encodeURIComponent(SECRETS.operatorPassword)}`} failed for ${SECRETS.operatorPassword} / ${SECRETS.companyPassword} / ${SESSION_ID}`;
    const shown: string[] = [];
    const replies: ScriptedReply[] = [
      leaks,
      'reset',
      { status: 500, body: leaks },
      `<html>${leaks}</html>`,
      SESSION_REFUSED,
    ];
    const running = replies.flatMap((reply) =>
      ['Transaction/Post', 'Query/Query', 'GetLogonProfile', 'Logon'].map(async (failing) => {
        const scripted = await scriptedServer(({ path }) => (path === failing ? reply : undefined));
        const { connection, log } = connectTo(scripted.url);
        const attempts = [
          () => connection.submit(journal),
          () => connection.findByReference([journal]),
          () => connection.test(),
          () => connection.disconnect(),
        ];
        for (const attempt of attempts)
          shown.push(await attempt().then((value) => JSON.stringify(value) ?? '', allTextOf));
        shown.push(log());
        await scripted.close();
      }),
    );
    await Promise.all(running);
    const everything = shown.join('\n');
    expect(everything.length).toBeGreaterThan(5000);
    for (const secret of [
      SECRETS.operatorPassword,
      encodeURIComponent(SECRETS.operatorPassword),
      SECRETS.companyPassword,
      SESSION_ID,
    ]) {
      expect(everything.split('\n').filter((shownLine) => shownLine.includes(secret))).toEqual([]);
    }
    expect(everything).not.toMatch(/[?&](UserId|XmlIn|Operator\w*)=/);
  }, 60_000);
});
