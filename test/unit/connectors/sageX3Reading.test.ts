// What would surprise: half a list taken for the whole. Master data that stops at page one hides accounts, and a look-up
// that stops early reports a journal as absent that is there.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ConfigurationError,
  PermissionError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import {
  type Call,
  connectTo,
  document,
  FakeX3,
  json,
  query,
  type Reply,
  type SettingsInput,
  soapReply,
} from './sageX3Helpers.js';

let x3: FakeX3;
beforeEach(async () => {
  x3 = await new FakeX3().start();
});
afterEach(() => x3.stop());

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const rows: T[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

const NOW = () => new Date('2026-11-20T10:00:00Z');
const connect = (changes: Partial<SettingsInput> = {}) =>
  connectTo(x3.url, changes, undefined, { now: NOW }).connection;

describe('reading by REST', () => {
  it('follows the server’s own links to the end, on our host, with fewer rows a page than were asked for', async () => {
    const suppliers = await all(connect().listSuppliers());
    expect(suppliers).toEqual([
      { code: 'AE003', name: 'Acme Tools', active: true, currency: 'USD' },
      { code: 'AE007', name: 'Brightline Travel', active: true, currency: 'USD' },
      { code: 'AE009', name: 'Closed Shop', active: false, currency: 'EUR' },
    ]);
    expect(x3.calls.map(({ url }) => url.searchParams.get('key'))).toEqual([null, 'gt.2']);
    expect(x3.calls[0]?.url.searchParams.get('representation')).toBe('BPSUPPLIER.$query');
    expect(x3.calls[0]?.url.searchParams.get('count')).toBe('100');
    expect(x3.calls[0]?.url.pathname).toBe('/api1/x3/erp/SEED/BPSUPPLIER');
  });

  it('gives up on pages that lead in a circle', async () => {
    x3.intercept = (call) =>
      json({ $resources: [{ BPSNUM: 'A' }], $links: { $next: { $url: `${call.url.pathname}${call.url.search}` } } });
    await expect(all(connect().listSuppliers())).rejects.toBeInstanceOf(UnreadableReplyError);
  });

  it('shows the accounts of the company’s chart, with control accounts blocked', async () => {
    const accounts = await all(connect().listAccounts());
    expect(accounts.map(({ code, active, blockedReason }) => [code, active, blockedReason === null])).toEqual([
      ['45800', true, true],
      ['62510', true, true],
      ['40100', true, false],
      ['00012', false, true],
    ]);
    const partners = await all(connect({ journal: { partnerAccounts: ['40100'] } }).listAccounts());
    expect(partners.find(({ code }) => code === '40100')?.blockedReason).toBeNull();
  });

  it('shows the values of mapped dimension types under our names for them', async () => {
    expect(await all(connect().listDimensionValues())).toEqual([
      { dimension: 'costCentre', code: 'SALES', name: 'Sales', active: true },
      { dimension: 'costCentre', code: 'OLD', name: 'Old', active: false },
      { dimension: 'project', code: 'P1', name: 'Project 1', active: false },
    ]);
    const rules = await connect().rules();
    expect(rules).toMatchObject({ localCurrency: null, documentTypes: ['JOURNAL'], costCentreDimension: 'costCentre' });
    expect(['project', 'region'].map((name) => rules.takesDimension?.(name))).toEqual([true, false]);
  });

  it('reads fiscal periods with the names of the settings', async () => {
    x3.tables.PERIOD?.push(
      { CPY: 'NA10', LEDTYP: '1', FIYNUM: '2026', PERNUM: '11', PERSTR: '2026-11-01', PEREND: '2026-11-30', STA: '2' },
      { CPY: 'NA10', LEDTYP: '2', FIYNUM: '2026', PERNUM: '11', PERSTR: '2026-11-01', PEREND: '2026-11-30', STA: '3' },
      { CPY: 'NA10', LEDTYP: '1', FIYNUM: '2026', PERNUM: '10', PERSTR: '2026-10-01', PEREND: '2026-10-31', STA: '3' },
      { CPY: 'FR10', LEDTYP: '1', FIYNUM: '2026', PERNUM: '10', PERSTR: '2026-10-01', PEREND: '2026-10-31', STA: '2' },
    );
    const periods = await connect({ fiscalPeriods: undefined }).listPeriods();
    expect(periods.map(({ label, open }) => [label, open])).toEqual([
      ['2026/10', false],
      ['2026/11', true],
    ]);
    x3.tables.PERIOD = [];
    await expect(connect({ fiscalPeriods: undefined }).listPeriods()).rejects.toMatchObject({
      code: 'CALENDAR_NOT_FOUND',
    });
  });

  it.each([
    ['knows no company', { company: undefined }],
    ['reads by SOAP', { read: 'soap' }],
  ] as const)('takes calendar months, all open, where it %s', async (_why, changes) => {
    x3.tables.PERIOD?.push({ CPY: 'NA10', FIYNUM: '2026', PERNUM: '11', PERSTR: '2026-11-05', PEREND: '2026-11-06' });
    const periods = await connect({ ...changes, fiscalPeriods: undefined }).listPeriods();
    expect(periods.find(({ label }) => label === '2026/11')).toEqual({
      ...{ label: '2026/11', startsOn: '2026-11-01', endsOn: '2026-11-30', open: true },
      key: { year: '2026', period: '11' },
    });
    expect(periods.every(({ open }) => open)).toBe(true);
  });

  it('repeats a read that failed, and gives back a question that X3 does not understand', async () => {
    let failures = 2;
    x3.intercept = () => {
      failures -= 1;
      return failures >= 0 ? { status: 503, body: '' } : undefined;
    };
    expect(await all(connect().listSuppliers())).toHaveLength(3);
    x3.intercept = () => json({ $diagnoses: [{ $severity: 'error', $message: 'Unknown property REFINT' }] }, 500);
    await expect(connect().findByReference([query])).rejects.toBeInstanceOf(ConfigurationError);
  });

  it.each([
    ['a diagnosis under HTTP 200', { $diagnoses: [{ $severity: 'error', $message: 'Not allowed' }], $resources: [] }],
    ['a diagnosis of unknown severity', { $resources: [{ $diagnoses: [{ $severity: 'fatal', $message: 'Boom' }] }] }],
  ])('takes %s for a failure', async (_name, body) => {
    x3.intercept = () => json(body);
    await expect(connect().findByReference([query])).rejects.toBeInstanceOf(PermissionError);
  });

  it.each<[string, Reply]>([
    ['a web page', { type: 'text/html', body: '<html/>' }],
    ['an empty body', { body: '' }],
    ['an answer without resources', json({})],
  ])('never takes %s for an absence', async (_name, reply) => {
    x3.intercept = () => reply;
    await expect(connect().findByReference([query])).rejects.toBeInstanceOf(UnreadableReplyError);
  });

  it('looks through all pages for a reference, and tells it from others when X3 ignores the condition', async () => {
    const connection = connect();
    for (const reference of ['AAAAAAAAAAAAAA1', 'AAAAAAAAAAAAAA2', 'AAAAAAAAAAAAAA3', query.reference]) {
      await connection.submit(document({ reference }));
    }
    // And does not show the reference in the record itself.
    x3.intercept = (call, act) => {
      if (call.what !== 'GET GACCENTRY') return undefined;
      if (!call.url.pathname.includes('(')) call.url.searchParams.delete('where');
      const reply = act();
      return call.url.pathname.includes('(') && reply
        ? { ...reply, body: reply.body.replaceAll('REFINT"', 'OTHER"') }
        : reply;
    };
    expect((await connection.findByReference([query])).map(({ ledgerDocumentId }) => ledgerDocumentId)).toEqual([
      'BRXJE~BRX261100004',
    ]);
  });

  it('gives all journals that carry one reference', async () => {
    await connect().submit(document());
    const [journal] = x3.journals;
    if (journal) x3.journals.push({ ...journal, header: { ...journal.header, NUM: 'BRX261100099' } });
    expect(await connect().findByReference([query])).toHaveLength(2);
  });

  it('doubles quotes in what it looks for', async () => {
    x3.tables.BPSUPPLIER?.push({ BPSNUM: "O'NEIL", BPSNAM: "O'Neil" });
    expect(await connect().suppliers?.find("O'NEIL")).toMatchObject({ name: "O'Neil" });
  });

  it('keeps amounts that a float would change', async () => {
    await connect({ localCurrency: 'USD' }).submit(document());
    x3.journals[0]?.lines.forEach((line) => {
      line.AMTCUR = '90071992547409.93';
    });
    expect(await connect().readBack('BRXJE~BRX261100001', query)).toMatchObject({ totalDebit: '90071992547409.93' });
  });
});

describe('reading by SOAP', () => {
  const soap: Partial<SettingsInput> = { read: 'soap' };

  it('reads lists and journals from the customer’s publications', async () => {
    const connection = connect(soap);
    expect(await all(connection.listSuppliers())).toHaveLength(3);
    expect(await all(connection.listAccounts())).toHaveLength(4);
    expect(await all(connection.listDimensionValues())).toHaveLength(3);
    expect(await connection.suppliers?.find('AE003')).toMatchObject({ name: 'Acme Tools' });
    expect(await connection.suppliers?.find('NONE')).toBeNull();
    expect(await connection.submit(document())).toMatchObject({ ledgerDocumentId: 'BRXJE~BRX261100001' });
    expect(await connection.findByReference([query])).toMatchObject([{ totalDebit: '120.50', lineCount: 2 }]);
    expect(await connection.readBack('BRXJE~NONE', query)).toBeNull();
  });

  // A web service list has no second page, so a full one may be half of it.
  it('refuses a list that is as long as was asked for', async () => {
    const connection = connect({ ...soap, soap: { listSize: 3 } });
    await expect(all(connection.listSuppliers())).rejects.toMatchObject({ code: 'LIST_CUT_OFF' });
  });

  it('refuses to look up where the publication does not show the reference', async () => {
    await connect(soap).submit(document());
    x3.intercept = (call, act) => {
      const reply = act();
      return call.what.endsWith('GAS') && reply ? { ...reply, body: reply.body.replaceAll('REFINT', 'OTHER') } : reply;
    };
    await expect(connect(soap).findByReference([query])).rejects.toMatchObject({ code: 'REFERENCE_NOT_SHOWN' });
  });

  it('takes status 0 for a failure, whatever HTTP says', async () => {
    x3.intercept = () => soapReply('query', { status: 0, messages: ['You are not allowed'] });
    await expect(connect(soap).findByReference([query])).rejects.toMatchObject({
      userMessage: expect.stringContaining('You are not allowed'),
    });
  });

  it('understands JSON results as well', async () => {
    x3.intercept = (call) =>
      call.what === 'query BPS'
        ? soapReply('query', { result: '[{"BPSNUM":"A1","BPSNAM":"One","ENAFLG":2}]' })
        : undefined;
    expect(await all(connect(soap).listSuppliers())).toEqual([
      { code: 'A1', name: 'One', active: true, currency: null },
    ]);
  });
});

describe('reading by GraphQL', () => {
  const asked = (call: Call) => JSON.parse(call.body) as { query: string; variables: Record<string, string | null> };
  const wrap = (path: string, value: unknown): unknown =>
    path.split('.').reduceRight((inner, name) => ({ [name]: inner }), value);
  const connection = (nodes: unknown[], endCursor: string | null = null) => ({
    edges: nodes.map((node) => ({ node })),
    pageInfo: { hasNextPage: endCursor !== null, endCursor },
  });
  const journalNode = (text: string) => ({
    journalEntryType: { code: 'BRXJE' },
    journalEntryNumber: 'N1',
    site: { code: 'NA012' },
    accountingDate: '2026-11-19',
    transactionCurrency: { code: 'USD' },
    yref: query.reference,
    journalEntryLines: {
      query: connection([
        { account: { code: '62510' }, sign: 1, transactionAmount: 120.5, lineDescription: text, ledgerTypeNumber: 1 },
        { account: { code: '45800' }, sign: -1, transactionAmount: 120.5, lineDescription: text, ledgerTypeNumber: 1 },
      ]),
    },
  });

  it('pages to the end and reads Yes and No', async () => {
    x3.intercept = (call) => {
      const { query: text, variables } = asked(call);
      expect(call.headers['x-xtrem-endpoint']).toBe('SEED');
      expect(text).toContain('x3MasterData { supplier { query(');
      const page =
        variables.a === null
          ? connection([{ code: { code: 'A1' }, companyName1: 'One', isActive: true }], 'c1')
          : connection([{ code: { code: 'A2' }, companyName1: 'Two', isActive: false }]);
      return json({ data: wrap('x3MasterData.supplier.query', page) });
    };
    const suppliers = await all(
      connect({ read: 'graphql', graphql: { journals: { reference: 'yref' } } }).listSuppliers(),
    );
    expect(suppliers.map(({ code, active }) => [code, active])).toEqual([
      ['A1', true],
      ['A2', false],
    ]);
  });

  it('takes part of the data beside errors for a failure', async () => {
    x3.intercept = () =>
      json({ data: wrap('x3MasterData.supplier.query', connection([])), errors: [{ message: 'Denied' }] });
    const reading = all(connect({ read: 'graphql', graphql: { journals: { reference: 'yref' } } }).listSuppliers());
    await expect(reading).rejects.toBeInstanceOf(PermissionError);
  });

  it('names a field that this release does not have', async () => {
    x3.intercept = () => json({ errors: [{ message: 'Cannot query field "companyName1" on type "Supplier".' }] }, 400);
    const reading = all(connect({ read: 'graphql', graphql: { journals: { reference: 'yref' } } }).listSuppliers());
    await expect(reading).rejects.toMatchObject({
      code: 'QUESTION_REFUSED',
      userMessage: expect.stringContaining('companyName1'),
    });
  });

  it('finds journals by the property that shows the reference', async () => {
    x3.intercept = (call) => {
      expect(asked(call).variables.f).toBe(`{yref:'${query.reference}'}`);
      return json({ data: wrap('xtremX3Finance.journalEntry.query', connection([journalNode('x')])) });
    };
    const settings: Partial<SettingsInput> = {
      read: 'graphql',
      graphql: { packagePrefix: 'xtrem', journals: { reference: 'yref' } },
    };
    expect(await connect(settings).findByReference([query])).toEqual([
      {
        reference: query.reference,
        ledgerDocumentId: 'BRXJE~N1',
        currency: 'USD',
        totalDebit: '120.50',
        totalCredit: '120.50',
        lineCount: 2,
        isPosted: true,
      },
    ]);
  });

  it('finds journals by site, day and the beginning of a line’s text where no property shows it', async () => {
    const node = { ...journalNode(`${query.reference} Hotel`), yref: undefined };
    const other = { ...journalNode('Hotel'), yref: undefined, journalEntryNumber: 'N2' };
    x3.intercept = (call) => {
      expect(asked(call).variables.f).toBe(
        "{site:{code:'NA012'},journalEntryType:{code:'BRXJE'},accountingDate:'2026-11-19'}",
      );
      return json({ data: wrap('x3Finance.journalEntry.query', connection([other, node])) });
    };
    const settings: Partial<SettingsInput> = {
      read: 'graphql',
      journal: { referenceInText: true },
    };
    expect((await connect(settings).findByReference([query])).map(({ ledgerDocumentId }) => ledgerDocumentId)).toEqual([
      'BRXJE~N1',
    ]);
  });

  it('reads the further pages of a journal’s lines', async () => {
    const node = journalNode('x');
    const [first, second] = node.journalEntryLines.query.edges.map(({ node: line }) => line);
    x3.intercept = (call) => {
      const isMore = asked(call).query.includes('after: "l1"');
      const lines = isMore ? connection([second]) : connection([first], 'l1');
      const shown = isMore ? { journalEntryLines: { query: lines } } : { ...node, journalEntryLines: { query: lines } };
      return json({ data: wrap('x3Finance.journalEntry.query', connection([shown])) });
    };
    const settings: Partial<SettingsInput> = { read: 'graphql', graphql: { journals: { reference: 'yref' } } };
    expect(await connect(settings).findByReference([query])).toMatchObject([{ lineCount: 2, totalCredit: '120.50' }]);
  });

  it('escapes what would end a literal of a filter', async () => {
    x3.intercept = (call) => {
      expect(asked(call).variables.f).toBe("{code:{code:'A\\'},x:{\\\\'}}");
      return json({ data: wrap('x3MasterData.supplier.query', connection([])) });
    };
    const settings: Partial<SettingsInput> = { read: 'graphql', graphql: { journals: { reference: 'yref' } } };
    expect(await connect(settings).suppliers?.find("A'},x:{\\")).toBeNull();
  });

  it('is unavailable behind a web page', async () => {
    x3.intercept = () => ({ status: 502, type: 'text/html', body: '<html/>' });
    const settings: Partial<SettingsInput> = { read: 'graphql', graphql: { journals: { reference: 'yref' } } };
    await expect(connect(settings).findByReference([query])).rejects.toBeInstanceOf(UpstreamUnavailableError);
  });
});
