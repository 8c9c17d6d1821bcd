// A surprise here means that the simulated general ledger accepts a journal that SYSPRO would refuse, or refuses in a way
// that a connector cannot overlook: the tests of every posting rule above it would then prove nothing.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningSyspro } from '../../../src/sandbox/syspro/index.js';
import { BALANCED, elements, journalParameters, PlainClient, parses, start, texts } from './sysproSupport.js';

let syspro: RunningSyspro;
let client: PlainClient;

beforeEach(async () => {
  syspro = await start();
  client = new PlainClient(syspro);
  await client.logon();
});

afterEach(() => syspro.close());

/** What a connector must see as "no": an invalid counter, no key, nothing written. */
function expectRefused(xml: string): void {
  expect(texts(xml, 'JournalsInvalid')).toEqual(['1']);
  expect(texts(xml, 'GlJournal')).toEqual([]);
  expect(parses(xml)).toBe(true);
  expect(syspro.ledger.journalCount).toBe(0);
}

describe('GENTJL adding', () => {
  it('answers with the key, the totals and the counters', async () => {
    const xml = await client.journal(BALANCED, { JournalDate: '2026-11-19', Notation: 'Cards' });
    expect(xml).toContain('<postgljournal ');
    const seen = [
      'GlYear',
      'GlPeriod',
      'GlJournal',
      'JournalDate',
      'NumOfEntries',
      'DebitAmount',
      'CreditAmount',
      'Jnlstatus',
    ];
    expect(seen.map((name) => texts(xml, name)[0])).toEqual([
      '2027',
      '05',
      '00001',
      '20261119',
      '00002',
      '125.50',
      '125.50',
      'P',
    ]);
    expect(texts(xml, 'PostingsProcessed')).toEqual(['1']);
    expect(syspro.ledger.journals()[0]).toMatchObject({ state: 'POSTED', reference: 'R1', notation: 'Cards' });
  });

  it('posts when PostJournal is left out, and only creates when it says N', async () => {
    await client.journal(BALANCED);
    const xml = await client.journal(BALANCED, { PostJournal: 'N' });
    expect(texts(xml, 'JournalsProcessed')).toEqual(['1']);
    expect(texts(xml, 'PostingsProcessed')).toEqual([]);
    expect(syspro.ledger.journals().map((journal) => journal.state)).toEqual(['POSTED', 'UNPOSTED']);
    expect(syspro.ledger.balance('10-6100')).toBe('125.50');
  });

  it('has no memory of what was posted: the same journal twice is two journals', async () => {
    await client.journal(BALANCED);
    await client.journal(BALANCED);
    expect(syspro.ledger.summary().duplicates).toEqual([{ reference: 'R1', count: 2 }]);
  });

  it.each([
    ['an unknown account', '10-9999'],
    ['an account on hold', '10-6300'],
    ['a control account', '00-2000'],
    ['a statistical account', '00-9000'],
    ['a template', '00-9900'],
    ['an account whose password is not given', '10-6400'],
  ])('refuses %s', async (_what, code) => {
    const xml = await client.journal([
      [code, '10.00'],
      ['00-2150', '-10.00'],
    ]);
    expectRefused(xml);
  });

  it('puts the error inside the element that it is about', async () => {
    const xml = await client.journal([
      ['10-9999', '10.00'],
      ['00-2150', '-10.00'],
    ]);
    expect(xml.replaceAll('\n', '')).toMatch(
      /<LedgerCode><Value>10-9999<\/Value><ErrorNumber>\d+<\/ErrorNumber><ErrorDescription>/,
    );
  });

  it('refuses a control account by a warning only, without any error description', async () => {
    const xml = await client.journal([
      ['00-2000', '10.00'],
      ['00-2150', '-10.00'],
    ]);
    expect(texts(xml, 'ErrorDescription')).toEqual([]);
    expect(texts(xml, 'WarningDescription')).toHaveLength(1);
    expectRefused(xml);
  });

  it('posts to a control account when warnings are ignored, and tells when they are reported', async () => {
    const lines = [
      ['00-2000', '10.00'],
      ['00-2150', '-10.00'],
    ] as const;
    const ignored = await client.journal(lines, {}, { IgnoreWarnings: 'Y' });
    expect([texts(ignored, 'GlJournal'), texts(ignored, 'WarningDescription').length]).toEqual([['00001'], 0]);
    const reported = await client.journal(lines, {}, { IgnoreWarnings: 'W' });
    expect([texts(reported, 'GlJournal'), texts(reported, 'WarningDescription').length]).toEqual([['00002'], 1]);
  });

  it.each(['10.005', '1,000.00', '1e3', '+5', '10.', ''])('refuses the amount "%s"', async (amount) => {
    expectRefused(
      await client.journal([
        ['10-6100', amount],
        ['00-2150', '-10.00'],
      ]),
    );
  });

  it('refuses a journal that does not balance or has nothing in it', async () => {
    expectRefused(
      await client.journal([
        ['10-6100', '10.00'],
        ['00-2150', '-9.99'],
      ]),
    );
    expectRefused(await client.journal([]));
    expectRefused(await client.journal([['10-6100', '0.00']]));
  });

  it('drops lines of zero, so that the count of entries differs from what was sent', async () => {
    const xml = await client.journal([...BALANCED, ['10-6200', '0.00']]);
    expect(texts(xml, 'NumOfEntries')).toEqual(['00002']);
  });

  it('ignores elements that it does not know, however they are misspelt', async () => {
    const xml = await client.journal(BALANCED, { Postjournal: 'N', JournalRef: 'X' });
    expect(texts(xml, 'Jnlstatus')).toEqual(['P']);
    const details = '<PostGlJournal><Item><Lines><JournalDetails/></Lines></Item></PostGlJournal>';
    expect(texts(await client.post('GENTJL', '', details), 'JournalsInvalid')).toEqual(['1']);
  });

  it('cuts the reference to 30 characters without a word', async () => {
    const reference = 'LG-12345678901234567890-ABCDEFGHIJ-9';
    await client.journal(BALANCED, { JournalReference: reference });
    expect(syspro.ledger.journals(reference)).toEqual([]);
    expect(syspro.ledger.journals(reference.slice(0, 30))).toHaveLength(1);
  });

  it('stores what has no place in Windows-1252 as a question mark', async () => {
    await client.journal(BALANCED, { Notation: 'Caf&#233; &#8364; &#26481;' });
    expect(syspro.ledger.journals()[0]?.notation).toBe('Café € ?');
  });

  it('books nothing on a dry run, which has no key in its answer', async () => {
    const good = await client.journal(BALANCED, {}, { ValidateOnly: 'Y' });
    expect([texts(good, 'JournalsInvalid'), texts(good, 'GlJournal'), texts(good, 'ErrorDescription')]).toEqual([
      [],
      [],
      [],
    ]);
    expectRefused(await client.journal([['10-9999', '1.00']], {}, { ValidateOnly: 'Y' }));
  });

  it('takes the valid lines alone when the whole document need not be valid', async () => {
    const lines = [...BALANCED, ['10-9999', '5.00']] as const;
    expectRefused(await client.journal(lines));
    const xml = await client.journal(lines, {}, { ApplyIfEntireDocumentValid: 'N' });
    expect(texts(xml, 'NumOfEntries')).toEqual(['00002']);
    expect(texts(xml, 'ErrorDescription')).toHaveLength(1);
  });

  it('needs the account password unless it is told not to ask', async () => {
    const lines = [
      ['10-6400', '1.00'],
      ['00-2150', '-1.00'],
    ] as const;
    expect(texts(await client.journal(lines, {}, { ValidatePasswords: 'N' }), 'GlJournal')).toEqual(['00001']);
  });

  it('refuses dates that the calendar does not have and flags that are no flags', async () => {
    expectRefused(await client.journal(BALANCED, { JournalDate: '2026-02-30' }));
    expectRefused(await client.journal(BALANCED, { JournalDate: '19/11/2026' }));
    expectRefused(await client.journal(BALANCED, { PostJournal: 'YES' }));
    expectRefused(await client.journal(BALANCED, {}, { IgnoreWarnings: 'X' }));
    expectRefused(await client.journal(BALANCED, { JournalNumber: '5' }));
    expectRefused(await client.journal(BALANCED, { JournalType: 'U' }));
  });

  it('books statistical journals on statistical accounts, and they need not balance', async () => {
    const xml = await client.journal([['00-9000', '12.00']], { JournalType: 'S' });
    expect(texts(xml, 'JnlPostingType')).toEqual(['S']);
  });

  it('refuses an operator without the right to authorise or to post', async () => {
    await client.logon('', 'CLERK', 'clerk');
    expectRefused(await client.journal(BALANCED, { AuthorizeJournal: 'A', PostJournal: 'N' }));
    expectRefused(await client.journal(BALANCED));
    expect(texts(await client.journal(BALANCED, { PostJournal: 'N' }), 'Jnlstatus')).toEqual(['N']);
  });
});

describe('periods', () => {
  const inPeriod = (year: string, period: string): Promise<string> =>
    client.journal(BALANCED, { PostingYear: year, PostingPeriod: period });

  it('take the current one when the journal names none', async () => {
    expect(texts(await client.journal(BALANCED), 'GlPeriod')).toEqual(['05']);
  });

  it('may be earlier and open, also in the previous year', async () => {
    expect(texts(await inPeriod('2027', '04'), 'GlPeriod')).toEqual(['04']);
    expect(texts(await inPeriod('2026', '12'), 'GlYear')).toEqual(['2026']);
  });

  it.each([
    ['closed', '2027', '03'],
    ['in the future', '2027', '06'],
    ['of the year before the previous', '2025', '12'],
    ['of the next year', '2028', '01'],
    ['no period', '2027', '13'],
    ['no number', '2027', 'Nov'],
  ])('are refused when they are %s', async (_why, year, period) => {
    expectRefused(await inPeriod(year, period));
  });

  it('can be closed and opened while the company runs', async () => {
    syspro.closePeriod(2027, 5);
    expectRefused(await client.journal(BALANCED));
    syspro.openPeriod(2027, 5);
    expect(texts(await client.journal(BALANCED), 'GlJournal')).toEqual(['00001']);
  });

  it('share one row of journal numbers per year, or have one each where the installation does so', async () => {
    await inPeriod('2027', '04');
    expect(texts(await inPeriod('2027', '05'), 'GlJournal')).toEqual(['00002']);
    expect(texts(await inPeriod('2026', '12'), 'GlJournal')).toEqual(['00001']);
    syspro.reset();
    syspro.changeSettings({ journalNumbering: 'PERIOD' });
    await client.logon();
    await inPeriod('2027', '04');
    expect(texts(await inPeriod('2027', '05'), 'GlJournal')).toEqual(['00001']);
  });

  it('are shown with their last day and whether they are open', async () => {
    const current = await client.query('GENQSO', '<Query><Option/></Query>');
    expect(['GlYear', 'GlPeriod', 'GlYearStartDate'].map((name) => texts(current, name)[0])).toEqual([
      '2027',
      '05',
      '2026-07-01',
    ]);
    expect([texts(current, 'GlCurrYrDatePeriod5'), texts(current, 'GlCurrYrFlagPeriod5')]).toEqual([
      ['2026-11-30'],
      ['O'],
    ]);
    expect(texts(current, 'GlCurrYrFlagPeriod3')).toEqual(['C']);
    expect(current).toContain('<GlCurrYrDatePeriod13/>');
    const previous = await client.query('GENQPP', '<Query><Options><PreviousYear>1</PreviousYear></Options></Query>');
    expect([texts(previous, 'GlPreviousYear'), texts(previous, 'GlPrevYrFlagPeriod12')]).toEqual([['2026'], ['O']]);
    const before = await client.query('GENQPP', '<Query><Options><PreviousYear>2</PreviousYear></Options></Query>');
    expect(texts(before, 'GlPreviousYear')).toEqual(['2025']);
    expect(
      texts(
        await client.query('GENQPP', '<Query><Options><PreviousYear>3</PreviousYear></Options></Query>'),
        'ErrorNumber',
      ),
    ).toHaveLength(1);
  });
});

describe('a journal that is created but not posted', () => {
  const finish = (number: string, extra: Record<string, string> = {}): Promise<string> => {
    const item = elements({ JournalNumber: number, PostJournal: 'Y', ...extra });
    return client.post(
      'GENTJL',
      journalParameters({ ActionType: 'M' }),
      `<PostGlJournal><Item>${item}</Item></PostGlJournal>`,
    );
  };

  it('is told by its counters, has a key, and can be finished but not added again', async () => {
    syspro.leaveNextJournalsUnposted(1);
    const xml = await client.journal(BALANCED);
    expect([texts(xml, 'JournalsProcessed'), texts(xml, 'PostingsInvalid'), texts(xml, 'GlJournal')]).toEqual([
      ['1'],
      ['1'],
      ['00001'],
    ]);
    expect(texts(xml, 'Jnlstatus')).not.toEqual(['P']);
    expect(texts(xml, 'ErrorDescription')).toEqual([]);
    expect(syspro.ledger.balance('10-6100')).toBe('0.00');
    const finished = await finish('00001');
    expect([texts(finished, 'Jnlstatus'), texts(finished, 'PostingsProcessed')]).toEqual([['P'], ['1']]);
    expect(syspro.ledger.balance('10-6100')).toBe('125.50');
    expect(texts(await finish('00001'), 'JournalsInvalid')).toEqual(['1']);
    expect(syspro.ledger.journalCount).toBe(1);
  });

  it('is what an installation with authorisation makes of one that is not authorised', async () => {
    syspro.changeSettings({ authorisationRequired: true });
    expect(texts(await client.journal(BALANCED), 'PostingsInvalid')).toEqual(['1']);
    const authorised = await client.journal(BALANCED, { AuthorizeJournal: 'A' });
    expect([texts(authorised, 'Jnlstatus'), texts(authorised, 'Authorised')]).toEqual([['P'], ['Y']]);
    expect(texts(await finish('1', { AuthorizeJournal: 'A' }), 'Jnlstatus')).toEqual(['P']);
  });

  it('can be held and cancelled', async () => {
    await client.journal(BALANCED, { HoldJournal: 'Y' });
    expect(syspro.ledger.journals()[0]?.state).toBe('HELD');
    await finish('1', { CancelJournal: 'Y' });
    expect(syspro.ledger.journals()[0]?.state).toBe('CANCELLED');
    expect(texts(await finish('9'), 'JournalsInvalid')).toEqual(['1']);
  });
});

describe('ledger queries', () => {
  it('GENQGL reads its key in lower case only, and refuses what posting would refuse', async () => {
    const ask = (tag: string, code: string): Promise<string> => {
      const key = elements({ LedgerCode: code, SecurityType: 'P', ValidateFlags: 'Y' });
      return client.query('GENQGL', `<Query><${tag}>${key}</${tag}></Query>`);
    };
    expect(texts(await ask('key', '10-6200'), 'Description')).toEqual(['Software']);
    expect(texts(await ask('key', '00-2000'), 'ControlAccFlag')).toEqual(['Y']);
    for (const [tag, code] of [
      ['Key', '10-6200'],
      ['key', '10-9999'],
      ['key', '10-6300'],
    ] as const) {
      expect(texts(await ask(tag, code), 'ErrorDescription')).toHaveLength(1);
    }
  });

  it('GENQZM shows the journal with its lines, posted or not', async () => {
    await client.journal(BALANCED, { PostJournal: 'N' });
    const zoom = (number: string): Promise<string> => {
      const key = elements({ IncludeGLJournals: 'Y', GlYear: '2027', GlPer: '05', GlJournal: number });
      return client.query(
        'GENQZM',
        `<Query><Option><GeneralLedgerJournal>${key}</GeneralLedgerJournal></Option></Query>`,
      );
    };
    const xml = await zoom('00001');
    expect([texts(xml, 'EntryValue'), texts(xml, 'JnlStatus'), texts(xml, 'Operator')]).toEqual([
      ['125.50', '-125.50'],
      ['N'],
      ['GATEWAY'],
    ]);
    expect(texts(await zoom('00002'), 'ErrorDescription')).toHaveLength(1);
  });

  it('GENQRY gives balances and pages through the entries', async () => {
    for (let index = 0; index < 3; index += 1) await client.journal(BALANCED);
    await client.journal(BALANCED, { PostingYear: '2027', PostingPeriod: '4' });
    const ask = (start: string): Promise<string> =>
      client.query(
        'GENQRY',
        `<Query><Key><LedgerCode>10-6100</LedgerCode></Key><Option><IncludeTransactions>Y</IncludeTransactions><Transactions>` +
          `<MaxRowsToReturn>3</MaxRowsToReturn>${start}</Transactions></Option></Query>`,
      );
    const first = await ask('');
    expect([texts(first, 'CurrentBalance'), texts(first, 'PtdDrValue'), texts(first, 'PrevPerEndBal')]).toEqual([
      ['502.00'],
      ['376.50'],
      ['125.50'],
    ]);
    expect([texts(first, 'EntryValue').length, texts(first, 'Forward')]).toEqual([3, ['Y']]);
    const next = `<StartAtKey>${elements({ Period: texts(first, 'Period').at(-1) ?? '', Line: texts(first, 'Line')[0] ?? '' })}</StartAtKey>`;
    const second = await ask(next);
    expect([texts(second, 'EntryValue').length, texts(second, 'Forward')]).toEqual([1, ['N']]);
  });

  it('GENQ08 leaves statistical accounts and templates out unless it is asked for them', async () => {
    expect(texts(await client.query('GENQ08', '<Query/>'), 'GlCode')).toHaveLength(6);
    const all =
      '<Query><Option><IncludeStatistical>Y</IncludeStatistical><IncludeExpenses>N</IncludeExpenses></Option></Query>';
    expect(texts(await client.query('GENQ08', all), 'AccountType')).toEqual(['L', 'L', 'S']);
  });

  it('GENQSI says whether payables reach the ledger', async () => {
    expect(texts(await client.query('GENQSI', '<Query/>'), 'CreateApGlJournal')).toEqual(['Y']);
  });

  it('COMQER gives the words of a number', async () => {
    const refused = await client.journal([['10-9999', '1.00']]);
    const [number = ''] = texts(refused, 'ErrorNumber');
    const message = elements({ ErrorCode: number, Parameter1: 'X' });
    const xml = await client.query('COMQER', `<Query><ErrorMessage>${message}</ErrorMessage></Query>`);
    expect(texts(xml, 'TranslatedMessage')[0]).toContain("'X'");
  });
});
