// What would surprise: a journal posted twice. X3 lets a reference repeat and says no under HTTP 200, so every answer here
// that is not a plain yes or a plain no must end as "ask the ledger", and nothing may be sent a second time by itself.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ConfigurationError,
  CredentialsError,
  ErpRejectedError,
  OutcomeUnknownError,
  PeriodClosedError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import {
  type Answer,
  type Call,
  connectTo,
  document,
  FakeX3,
  json,
  programReply,
  query,
  type SettingsInput,
  soapReply,
} from './sageX3Helpers.js';

let x3: FakeX3;
beforeEach(async () => {
  x3 = await new FakeX3().start();
});
afterEach(() => x3.stop());

const MODES = [
  ['soap-import', 'run AOWSIMPORT'],
  ['soap-object', 'save GAS'],
  ['soap-subprogram', 'run YBREXJNL'],
  ['rest-object', 'POST GACCENTRY'],
] as const;

function onWrite(what: string, answer: (call: Call, act: () => Answer) => Answer) {
  x3.intercept = (call, act) => (call.what === what ? answer(call, act) : undefined);
}

function afterCommit(answer: Answer) {
  return (_call: Call, act: () => Answer): Answer => {
    act();
    return answer;
  };
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => {
      throw new Error(`it did not fail: ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

describe.each(MODES)('journals by %s', (journalMode, what) => {
  const connect = (changes: Partial<SettingsInput> = {}) => connectTo(x3.url, { journalMode, ...changes }).connection;

  it('are written once, read back, and found again by their reference', async () => {
    const connection = connect();
    const posted = await connection.submit(document());
    expect(posted).toEqual({ ledgerDocumentId: 'BRXJE~BRX261100001', warnings: [] });
    expect(x3.count(what)).toBe(1);
    expect(x3.journals[0]?.header).toMatchObject({
      TYP: 'BRXJE',
      FCY: 'NA012',
      CUR: 'USD',
      REFINT: query.reference,
      ACCDAT: '2026-11-19',
    });
    expect(x3.journals[0]?.lines.map(({ ACC, SNS, AMTCUR }) => [ACC, SNS, Number(AMTCUR)])).toEqual([
      ['62510', '1', 120.5],
      ['45800', '-1', 120.5],
    ]);
    expect(x3.journals[0]?.analytical.map(({ DIE1, CCE1, AMTCUR }) => [DIE1, CCE1, Number(AMTCUR)])).toEqual([
      ['DPT', 'SALES', 120.5],
    ]);
    const found = {
      reference: query.reference,
      ledgerDocumentId: 'BRXJE~BRX261100001',
      currency: 'USD',
      totalDebit: '120.50',
      totalCredit: '120.50',
      lineCount: 2,
      isPosted: true,
    };
    expect(await connection.findByReference([query])).toEqual([found]);
    expect(await connection.readBack('BRXJE~BRX261100001', query)).toEqual(found);
    expect(await connection.readBack('BRXJE~NONE', query)).toBeNull();
  });

  it('under a reference that X3 holds already are not sent', async () => {
    const connection = connect();
    await connection.submit(document());
    expect(await failure(connection.submit(document()))).toMatchObject({ code: 'ALREADY_THERE' });
    expect(x3.count(what)).toBe(1);
    expect(x3.journals).toHaveLength(1);
  });

  it.each([
    ['a connection closed before the commit', () => null, 0],
    ['a connection closed after the commit', afterCommit(null), 1],
    ['a web page', () => ({ type: 'text/html', body: '<html><body>Sign in</body></html>' }), 0],
    ['a web page after the commit', afterCommit({ type: 'text/html', body: '<html/>' }), 1],
    ['HTTP 500', () => ({ status: 500, body: 'boom' }), 0],
    [
      'HTTP 500 with a diagnosis after the commit',
      afterCommit(json({ $diagnoses: [{ $severity: 'error', $message: 'Mandatory field' }] }, 500)),
      1,
    ],
    ['HTTP 502', () => ({ status: 502, body: '' }), 0],
    ['HTTP 503', () => ({ status: 503, headers: { 'retry-after': '1' }, body: '' }), 0],
    ['a redirect to the login page', () => ({ status: 302, headers: { location: '/login' }, body: '' }), 0],
    ['an empty body', () => ({ body: '' }), 0],
    ['a cut body', (_call: Call, act: () => Answer) => ({ ...act(), body: (act()?.body ?? '').slice(0, 200) }), 2],
  ])('answered with %s are in doubt and sent once', async (_name, answer, journals) => {
    onWrite(what, answer as (call: Call, act: () => Answer) => Answer);
    expect(await failure(connect().submit(document()))).toBeInstanceOf(OutcomeUnknownError);
    expect(x3.count(what)).toBe(1);
    expect(x3.journals).toHaveLength(journals);
  });

  it('that X3 refuses are rejected in its own words, under HTTP 200 and 201', async () => {
    x3.refusal = 'Line 1: Dimension DPT: at least one dimension required (97)';
    const error = await failure(connect().submit(document()));
    expect(error).toBeInstanceOf(ErpRejectedError);
    expect(error).toMatchObject({
      userMessage: expect.stringContaining('Dimension DPT: at least one dimension required (97)'),
    });
    expect(x3.count(what)).toBe(1);
  });

  it('in a closed period say so', async () => {
    x3.refusal = 'NA10 : Period 10 2026 is closed';
    expect(await failure(connect().submit(document()))).toBeInstanceOf(PeriodClosedError);
  });

  it('that X3 refuses and holds all the same are in doubt', async () => {
    onWrite(what, (_call, act) => {
      act();
      x3.refusal = 'Field incorrect';
      const reply = act();
      x3.refusal = null;
      return reply;
    });
    expect(await failure(connect().submit(document()))).toBeInstanceOf(OutcomeUnknownError);
  });

  it('whose refusal speaks of a broken call are in doubt', async () => {
    x3.refusal = 'Connection with the X3 process timed out';
    expect(await failure(connect().submit(document()))).toBeInstanceOf(OutcomeUnknownError);
  });

  it.each([
    ['another amount', { AMTCUR: '120.49' }],
    ['another account', { ACC: '62511' }],
  ])('stored with %s are in doubt', async (_name, change) => {
    x3.store = (journal) => ({ ...journal, lines: journal.lines.map((line) => ({ ...line, ...change })) });
    expect(await failure(connect().submit(document()))).toMatchObject({ code: 'CREATED_NOT_CONFIRMED' });
  });

  it.each([
    ['another site', { FCY: 'NA099' }],
    ['another day', { ACCDAT: '2026-11-18' }],
    ['another currency', { CUR: 'EUR' }],
    ['the category of a simulation', { CAT: '2' }],
  ])('stored with %s are in doubt', async (_name, change) => {
    x3.store = (journal) => ({ ...journal, header: { ...journal.header, ...change } });
    expect(await failure(connect().submit(document()))).toMatchObject({ code: 'CREATED_NOT_CONFIRMED' });
  });

  it('of which a line is missing are in doubt', async () => {
    x3.store = (journal) => ({ ...journal, lines: journal.lines.slice(0, 1) });
    expect(await failure(connect().submit(document()))).toMatchObject({ code: 'CREATED_NOT_CONFIRMED' });
  });

  it('that are reported and not there are in doubt', async () => {
    x3.store = (journal) => ({ ...journal, header: { ...journal.header, REFINT: '' } });
    expect(await failure(connect().submit(document()))).toBeInstanceOf(OutcomeUnknownError);
  });

  it('are in doubt when they cannot be read back', async () => {
    let isWritten = false;
    x3.intercept = (call) => {
      if (call.what === what) isWritten = true;
      return isWritten && call.what === 'GET GACCENTRY' ? { status: 502, body: '' } : undefined;
    };
    expect(await failure(connect().submit(document()))).toMatchObject({ code: 'READ_BACK_FAILED' });
    expect(x3.count(what)).toBe(1);
  });

  it('are not sent when X3 cannot be asked for the reference first', async () => {
    x3.intercept = (call) => (call.what === 'GET GACCENTRY' ? { type: 'text/html', body: '<html/>' } : undefined);
    expect(await failure(connect().submit(document()))).toBeInstanceOf(UpstreamUnavailableError);
    expect(x3.count(what)).toBe(0);
  });

  it('are not sent without a connection', async () => {
    const { url } = x3;
    await x3.stop();
    const connection = connectTo(url, { journalMode }).connection;
    expect(await failure(connection.submit(document()))).toBeInstanceOf(UpstreamUnavailableError);
    x3 = await new FakeX3().start();
  });

  it('are not taken while X3 throttles', async () => {
    onWrite(what, () => ({ status: 429, headers: { 'retry-after': '7' }, body: '' }));
    const error = await failure(connect().submit(document()));
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({ retryAfterMs: 7000 });
  });

  it('are not taken with a login that X3 refuses', async () => {
    onWrite(what, () => ({ status: 401, type: 'text/plain', body: 'Unauthorized' }));
    expect(await failure(connect().submit(document()))).toBeInstanceOf(CredentialsError);
    expect(x3.count(what)).toBe(1);
  });

  it('are not sent when their time is over before it is their turn', async () => {
    let isFirst = true;
    x3.intercept = (call) => {
      if (call.what !== 'GET GACCENTRY' || !isFirst) return undefined;
      isFirst = false;
      // The process is busy for longer than the document has.
      const until = performance.now() + 1200;
      while (performance.now() < until);
      return undefined;
    };
    const error = await failure(connect({ submitTimeoutSeconds: 2 }).submit(document()));
    expect(error).toMatchObject({ code: 'NOT_STARTED' });
    expect(x3.count(what)).toBe(0);
  });
});

describe('journals by SOAP', () => {
  const connect = (changes: Partial<SettingsInput> = {}) => connectTo(x3.url, changes).connection;

  it.each([
    ["No classic web service pool match to 'BREXPOOL'", 'POOL_MISSING'],
    ['Unknown web service (0)', 'WEB_SERVICE_UNKNOWN'],
  ])('are not executed while X3 says "%s"', async (message, code) => {
    onWrite('run AOWSIMPORT', () => soapReply('run', { status: 0, messages: [message] }));
    const error = await failure(connect().submit(document()));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ code });
  });

  it('are not executed where the host has no process for web services', async () => {
    onWrite('run AOWSIMPORT', () => ({ status: 500, type: 'text/plain', body: 'No web services accepted' }));
    expect(await failure(connect().submit(document()))).toMatchObject({ code: 'NO_WEB_SERVICES' });
  });

  it('are in doubt when status 0 comes without a reason', async () => {
    onWrite('run AOWSIMPORT', () => soapReply('run', { status: 0 }));
    expect(await failure(connect().submit(document()))).toBeInstanceOf(OutcomeUnknownError);
  });

  it('are in doubt when the import program does not say how it ended', async () => {
    onWrite('run AOWSIMPORT', (_call, act) => ({
      ...act(),
      body: (act()?.body ?? '').replaceAll('O_STATUS', 'O_OTHER'),
    }));
    expect(await failure(connect().submit(document()))).toBeInstanceOf(OutcomeUnknownError);
  });

  // An import commits record by record: it ends well, and the one journal in it was turned down.
  it('that an import drops are rejected when it says why, and in doubt when it does not', async () => {
    const reply = (messages: string[]) =>
      soapReply('run', { messages, result: '<RESULT><GRP ID="GRP1"><FLD NAME="O_STATUS">0</FLD></GRP></RESULT>' });
    onWrite('run AOWSIMPORT', () => reply(['Error 25: distribution unbalanced']));
    expect(await failure(connect().submit(document()))).toBeInstanceOf(ErpRejectedError);
    onWrite('run AOWSIMPORT', () => reply([]));
    expect(await failure(connect().submit(document()))).toBeInstanceOf(OutcomeUnknownError);
  });

  it('go to the groups that the publication has their fields in', async () => {
    await connect({ journalMode: 'soap-object' }).submit(document());
    const { body } = x3.calls.find((call) => call.what === 'save GAS') ?? { body: '' };
    expect(body).toContain('<GRP ID="HAE1_9">');
    expect(body).toMatch(/<GRP ID="HAE1_9">.*REFINT/);
    expect(body).toContain('<TAB ID="HAE2_7"');
  });

  it('cannot be written by somebody’s memo', async () => {
    const lines = document().lines.map((line) => ({ ...line, memo: 'x;y|D;9;62510;1;1.00]]></FLD>"' }));
    await connect().submit(document({ lines }));
    expect(x3.journals[0]?.lines).toHaveLength(2);
    expect(x3.journals[0]?.lines[0]?.DES).toBe('x y D 9 62510 1 1.00]]></FLD> ');
  });

  it('with a code that holds a separator are refused unsent', async () => {
    const lines = document().lines.map((line) => ({ ...line, glAccount: `${line.glAccount};1` }));
    expect(await failure(connect().submit(document({ lines })))).toMatchObject({ code: 'CODE_NOT_SENDABLE' });
    expect(x3.count('run AOWSIMPORT')).toBe(0);
  });

  it('are understood through references to elements elsewhere', async () => {
    onWrite('run AOWSIMPORT', (_call, act) => {
      act();
      const [, inner = ''] = /<runReturn[^>]*>(.*)<\/runReturn>/s.exec(act()?.body ?? '') ?? [];
      x3.journals.pop();
      const body = `<e:Envelope xmlns:e="e"><e:Body><w:runResponse xmlns:w="w"><runReturn href="#id0"/></w:runResponse><multiRef id="id0">${inner.replace('xsi:nil="true"', '')}</multiRef></e:Body></e:Envelope>`;
      return { type: 'text/xml', body: body.replaceAll('xsi:', '') };
    });
    expect(await connect().submit(document())).toMatchObject({ ledgerDocumentId: 'BRXJE~BRX261100001' });
  });
});

describe('the sub-program', () => {
  const settings: Partial<SettingsInput> = { journalMode: 'soap-subprogram' };

  it('decides by its own status, although SOAP says that it ran', async () => {
    const { connection } = connectTo(x3.url, settings);
    onWrite('run YBREXJNL', () => programReply('7', '', '', 'Account 62510 is blocked'));
    expect(await failure(connection.submit(document()))).toMatchObject({
      userMessage: expect.stringContaining('62510 is blocked'),
    });
    onWrite('run YBREXJNL', () => programReply('', '', '', ''));
    expect(await failure(connection.submit(document()))).toBeInstanceOf(OutcomeUnknownError);
  });

  it('that names another journal than its reference leads to leaves a doubt', async () => {
    const { connection } = connectTo(x3.url, settings);
    onWrite('run YBREXJNL', (_call, act) => {
      act();
      return programReply('0', 'BRXJE', 'BRX261100009', '');
    });
    expect(await failure(connection.submit(document()))).toMatchObject({ code: 'CREATED_NOT_CONFIRMED' });
  });
});

describe('a queue of the pool', () => {
  it('that says it did not begin the call leaves nothing in doubt', async () => {
    const message = 'Queue time-out: the request was not started';
    onWrite('run AOWSIMPORT', () => soapReply('run', { status: 0, messages: [message] }));
    const error = await failure(connectTo(x3.url).connection.submit(document()));
    expect(error).toBeInstanceOf(UpstreamUnavailableError);
  });
});
