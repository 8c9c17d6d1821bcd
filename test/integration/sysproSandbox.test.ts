import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerConnection, LedgerDocument, SharedSession } from '../../src/connectors/contract.js';
import type { SysproCredentials } from '../../src/connectors/syspro/index.js';
import { localDate } from '../../src/domain/localDate.js';
import {
  CredentialsError,
  ErpRejectedError,
  OutcomeUnknownError,
  PeriodClosedError,
  UpstreamUnavailableError,
} from '../../src/errors.js';
import { type RunningSyspro, type SysproSeed, startSysproSandbox } from '../../src/sandbox/syspro/index.js';
import { connectTo, failureOf, invoice, journal, line, sharedSession } from '../unit/connectors/sysproHelpers.js';

/**
 * The connector against a SYSPRO that keeps state, over HTTP, with every way in which a reply gets lost.
 * What would be caught: two documents for one reference, or none that is called posted.
 */

const credentials: SysproCredentials = { operator: 'GATEWAY', operatorPassword: 'p@ss+w&rd', companyId: 'EDU1' };
const supplierDefaults = { branch: '10', termsCode: '30', currency: '$', bank: 'FB' };
const settings = { accountTemplate: '{costCentre}-{glAccount}', supplierDefaults, settlingSeconds: 0 };

function seed(): SysproSeed {
  const periods = [2025, 2026, 2027].flatMap((year) =>
    Array.from({ length: 12 }, (_, index) => {
      const day = (month: number, date: number) =>
        new Date(Date.UTC(year - 1, 6 + month, date)).toISOString().slice(0, 10);
      const open = (year === 2027 && index >= 3) || (year === 2026 && index === 11);
      return { year, period: index + 1, startsOn: day(index, 1), endsOn: day(index + 1, 0), open };
    }),
  );
  return {
    companyId: 'EDU1',
    operators: [{ name: 'GATEWAY', password: credentials.operatorPassword }],
    localCurrency: '$',
    companyDate: '2026-11-20',
    accounts: [
      { code: '10-6100', description: 'Meals – Café', type: 'E' },
      { code: '20-6100', description: 'Meals', type: 'E' },
      { code: '10-6300', description: 'Old travel', type: 'E', onHold: true },
      { code: '00-2150', description: 'Card clearing', type: 'L' },
      { code: '00-2000', description: 'Payables control', type: 'L', control: true },
      { code: '00-9000', description: 'Head count', type: 'S' },
      { code: '00-9900', description: 'Template', type: 'T' },
    ],
    suppliers: [
      { code: '0000001', name: 'Old Supplier' },
      { code: 'ACMECLOUD', name: 'Acme & Söhne' },
      { code: 'STOPPED', name: 'Stopped', onHold: true },
    ],
    branches: ['10'],
    termsCodes: ['30'],
    banks: ['FB'],
    currencies: ['EUR'],
    periods,
    currentYear: 2027,
    currentPeriod: 5,
  };
}

let syspro: RunningSyspro;
let ledger: LedgerConnection;
const open: LedgerConnection[] = [];

function connect(more: Record<string, unknown> = {}, session?: SharedSession, login = credentials): LedgerConnection {
  const options = { credentials: login, ...(session ? { session } : {}) };
  const { connection } = connectTo(syspro.baseUrl, { ...settings, ...more }, options);
  open.push(connection);
  return connection;
}

beforeEach(async () => {
  syspro = await startSysproSandbox({ seed: seed() });
  ledger = connect();
});
afterEach(async () => {
  syspro.faults.clear();
  for (const connection of open.splice(0)) await connection.disconnect().catch(() => undefined);
  await syspro.close();
});

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

const documentOf = (reference: string, more: Partial<LedgerDocument> = {}): LedgerDocument => ({
  ...journal,
  reference,
  ...more,
});
const bill = (more: Partial<LedgerDocument> = {}) =>
  invoice({
    lines: [
      line(1, '6100', '125.50', '0.00', { costCentre: '10', memo: 'Hosting' }),
      line(2, '00-2000', '0.00', '125.50'),
    ],
    ...more,
  });

describe('journals', () => {
  it('a journal arrives once, with its lines, is found by its reference and read back', async () => {
    const { ledgerDocumentId, warnings } = await ledger.submit(journal);
    expect([ledgerDocumentId, warnings]).toEqual(['2027/05/00001', []]);
    expect(syspro.ledger.journals()).toMatchObject([
      {
        reference: journal.reference,
        date: '2026-11-19',
        state: 'POSTED',
        lines: [
          { account: '10-6100', amount: '125.50', comment: 'Café Zoë + bar, meals', reference: journal.reference },
          { account: '00-2150', amount: '-125.50' },
        ],
      },
    ]);
    const expected = {
      reference: journal.reference,
      ledgerDocumentId,
      currency: 'USD',
      totalDebit: '125.50',
      totalCredit: '125.50',
      lineCount: 2,
      isPosted: true,
    };
    expect(await ledger.findByReference([journal, documentOf('ABSENT1')])).toEqual([expected]);
    expect(await ledger.readBack(ledgerDocumentId, journal)).toEqual(expected);
    expect(await ledger.readBack('2027/05/00099', journal)).toBeNull();
  });

  it.each([
    ['a JSON string', { jsonQuote: true }],
    ['a string element', { stringElement: true }],
    ['both', { jsonQuote: true, stringElement: true }],
    ['lower-case names and blank padding', { lowerCaseOutput: true, blankPadding: true }],
  ])('an installation that answers in %s is understood just as well', async (_what, form) => {
    syspro.changeSettings(form);
    const { ledgerDocumentId } = await ledger.submit(journal);
    expect(ledgerDocumentId).toBe('2027/05/00001');
    expect(await ledger.findByReference([journal])).toMatchObject([
      { ledgerDocumentId, totalDebit: '125.50', lineCount: 2 },
    ]);
    expect(await ledger.readBack(ledgerDocumentId, journal)).toMatchObject({ totalCredit: '125.50', lineCount: 2 });
    expect((await ledger.listPeriods()).filter((period) => period.open).map((period) => period.label)).toEqual([
      '2026/12',
      '2027/04',
      '2027/05',
    ]);
  });

  it('what the ledger refuses is not there, and its own words say why', async () => {
    const wrong = documentOf('REFUSED1', {
      lines: [line(1, '6999', '125.50', '0.00', { costCentre: '10' }), line(2, '00-2150', '0.00', '125.50')],
    });
    const error = await failureOf(ledger.submit(wrong));
    expect(error).toBeInstanceOf(ErpRejectedError);
    expect(error).toMatchObject({ message: expect.stringContaining('10-6999') });
    expect(syspro.ledger.journalCount).toBe(0);
    expect(await ledger.findByReference([wrong])).toEqual([]);
  });

  it('a period that was closed after planning is a closed period, and nothing is written', async () => {
    syspro.closePeriod(2027, 5);
    expect(await failureOf(ledger.submit(journal))).toBeInstanceOf(PeriodClosedError);
    expect(syspro.ledger.journalCount).toBe(0);
  });

  it('a journal that was created and not posted is in doubt and then found as not posted', async () => {
    syspro.leaveNextJournalsUnposted(1);
    expect(await failureOf(ledger.submit(journal))).toBeInstanceOf(OutcomeUnknownError);
    expect(await ledger.findByReference([journal])).toMatchObject([{ isPosted: false, totalDebit: '125.50' }]);
    expect(syspro.ledger.journalCount).toBe(1);
  });

  it('an installation that wants journals authorised gets them authorised', async () => {
    syspro.changeSettings({ authorisationRequired: true });
    expect((await ledger.submit(journal)).ledgerDocumentId).toBe('2027/05/00001');
    const leaving = connect({ authorise: 'D' });
    expect(await failureOf(leaving.submit(documentOf('LEFT1')))).toBeInstanceOf(OutcomeUnknownError);
  });

  it('a day of many lines goes whole by PostLD, and only there', async () => {
    const lines = Array.from({ length: 199 }, (_, index) =>
      line(index + 1, '6100', '1.00', '0.00', { costCentre: '10', memo: `Nr ${index} ]]> é` }),
    );
    const day = documentOf('DAY1', { total: '199.00', lines: [...lines, line(200, '00-2150', '0.00', '199.00')] });
    expect(await failureOf(ledger.submit(day))).toBeInstanceOf(ErpRejectedError);
    expect(syspro.ledger.journalCount).toBe(0);
    const large = connect({ usePostLD: true });
    const { ledgerDocumentId } = await large.submit(day);
    expect(await large.readBack(ledgerDocumentId, day)).toMatchObject({
      lineCount: 200,
      totalDebit: '199.00',
      totalCredit: '199.00',
    });
    expect(syspro.ledger.journals('DAY1')[0]?.lines[7]?.comment).toBe('Nr 7 ]]> é');
    expect(syspro.ledger.balance('10-6100')).toBe('199.00');
    syspro.changeSettings({ postLd: false });
    expect(await failureOf(large.submit({ ...day, reference: 'DAY2' }))).toMatchObject({ code: 'POSTLD_MISSING' });
  });

  it('many references are found however few rows the ledger gives at a time', async () => {
    const references = Array.from({ length: 12 }, (_, index) => `REF${index}`);
    for (const reference of references) await ledger.submit(documentOf(reference));
    syspro.changeSettings({ findRowsMax: 5 });
    const asked = [...references, 'ABSENT1', 'ABSENT2'].map((reference) => documentOf(reference));
    const found = await ledger.findByReference(asked);
    expect(found.map((document) => document.reference).sort()).toEqual([...references].sort());
  });
});

describe('lost replies', () => {
  it('a reply that is lost before the commit leaves nothing, one after it leaves the journal: the look-up tells', async () => {
    await ledger.rules();
    for (const [kind, count] of [
      ['LOSE_REPLY_BEFORE_COMMIT', 0],
      ['LOSE_REPLY_AFTER_COMMIT', 1],
    ] as const) {
      const document = documentOf(`LOST${count}`);
      syspro.faults.set([{ match: 'Transaction/Post', kind }]);
      expect(await failureOf(ledger.submit(document))).toBeInstanceOf(OutcomeUnknownError);
      syspro.faults.clear();
      expect(await ledger.findByReference([document])).toHaveLength(count);
      expect(syspro.ledger.journals(document.reference)).toHaveLength(count);
    }
  });

  it('a journal that is committed late is absent at first and there after the settling time', async () => {
    syspro.faults.set([{ match: 'Transaction/Post', kind: 'COMMIT_LATE', delayMs: 300 }]);
    expect(await failureOf(ledger.submit(journal))).toBeInstanceOf(OutcomeUnknownError);
    expect(await ledger.findByReference([journal])).toEqual([]);
    await syspro.faults.whenLateCommitsApplied();
    expect(await ledger.findByReference([journal])).toMatchObject([{ isPosted: true, totalDebit: '125.50' }]);
  });

  it.each([
    ['HTML', 503, 0],
    ['HTML', 200, 0],
    ['HTML_AFTER_COMMIT', 200, 1],
    ['HTML_AFTER_COMMIT', 503, 1],
    ['EMPTY', 200, 0],
    ['SERVER_ERROR', 503, 0],
  ] as const)('%s with status %i in place of the reply is in doubt, and sent once', async (kind, status, count) => {
    syspro.faults.set([{ match: 'Transaction/Post', kind, status }]);
    expect(await failureOf(ledger.submit(journal))).toBeInstanceOf(OutcomeUnknownError);
    expect(syspro.faults.list()[0]?.fired).toBe(1);
    syspro.faults.clear();
    expect(await ledger.findByReference([journal])).toHaveLength(count);
  });

  it('an answer that comes too late is in doubt although it says yes', async () => {
    const impatient = connect({ submitTimeoutSeconds: 3 });
    await impatient.rules();
    syspro.faults.set([{ match: 'Transaction/Post', kind: 'SLOW', delayMs: 20_000 }]);
    expect(await failureOf(impatient.submit(journal))).toBeInstanceOf(OutcomeUnknownError);
    expect(await impatient.findByReference([journal])).toHaveLength(1);
  });

  it('reads that are disturbed are repeated until they are right', async () => {
    await ledger.submit(journal);
    for (const kind of [
      'LOSE_REPLY_BEFORE_COMMIT',
      'HTML',
      'EMPTY',
      'SERVER_ERROR',
      'RATE_LIMIT',
      'EXPIRE_SESSION',
    ] as const) {
      syspro.faults.set([{ match: 'Query/Query', kind, status: 200, times: 1, retryAfterSeconds: 0 }]);
      expect(await ledger.findByReference([journal])).toHaveLength(1);
      expect(syspro.faults.list()[0]?.fired).toBe(1);
    }
  });

  it('a service that is down refuses the connection, so nothing was sent', async () => {
    await ledger.rules();
    await syspro.close();
    expect(await failureOf(ledger.submit(journal))).toBeInstanceOf(UpstreamUnavailableError);
  });
});

describe('sessions', () => {
  it('two connections of one operator share a session and post side by side without ending each other’s', async () => {
    const session = sharedSession();
    const [one, two] = [connect({}, session), connect({}, session)];
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? one : two).submit(documentOf(`BOTH${index}`))),
    );
    expect(new Set(results.map((result) => result.ledgerDocumentId)).size).toBe(10);
    expect([session.logons, syspro.logonCount(), syspro.sessions().length]).toEqual([1, 1, 1]);
  });

  it('a session that is ended mid-run is renewed once for all, and each journal is there once', async () => {
    const session = sharedSession();
    const [one, two] = [connect({}, session), connect({}, session)];
    await Promise.all([one.rules(), two.rules()]);
    syspro.evictSessions();
    await Promise.all(
      Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? one : two).submit(documentOf(`EVICT${index}`))),
    );
    expect(syspro.ledger.journalCount).toBe(8);
    expect(syspro.logonCount()).toBe(2);
  });

  it('a foreign logon of the same operator ends our session, and the write that met it is done once', async () => {
    await ledger.rules();
    const stranger = connect();
    await stranger.rules();
    expect((await ledger.submit(journal)).ledgerDocumentId).toBe('2027/05/00001');
    expect(syspro.ledger.journalCount).toBe(1);
    expect(await stranger.findByReference([journal])).toHaveLength(1);
  });

  it('a session that expires in the middle of a write is renewed and the write is done once', async () => {
    await ledger.rules();
    syspro.faults.set([{ match: 'Transaction/Post', kind: 'EXPIRE_SESSION', times: 1 }]);
    await ledger.submit(journal);
    expect(syspro.ledger.journalCount).toBe(1);
    expect(syspro.requestCounts()['Transaction/Post GENTJL']).toBe(2);
  });

  it('two programs that fight over an operator end as not done, never as a second journal', async () => {
    await ledger.rules();
    syspro.faults.set([{ match: 'Transaction/Post', kind: 'EXPIRE_SESSION' }]);
    expect(await failureOf(ledger.submit(journal))).toMatchObject({ code: 'SESSION_CONTESTED', decision: 'RETRY' });
    expect(syspro.ledger.journalCount).toBe(0);
  });

  it('a wrong password pauses the connection, and a full house waits', async () => {
    const wrong = connect({}, undefined, { ...credentials, operatorPassword: 'guess' });
    expect(await failureOf(wrong.submit(journal))).toBeInstanceOf(CredentialsError);
    const wrongCompany = connect({}, undefined, { ...credentials, companyId: 'NONE' });
    expect(await failureOf(wrongCompany.rules())).toBeInstanceOf(CredentialsError);
  });

  it('disconnecting gives the seat back', async () => {
    await ledger.rules();
    expect(syspro.sessions()).toHaveLength(1);
    await ledger.disconnect();
    expect(syspro.sessions()).toHaveLength(0);
  });
});

describe('supplier invoices', () => {
  it('an invoice is posted with its distribution, found by supplier and number, and read back', async () => {
    const { ledgerDocumentId } = await ledger.submit(bill());
    expect(ledgerDocumentId).toMatch(/^AP ACMECLOUD\/BRX7K2M9Q4T1A \(2027\/05\/\d{5}\)$/);
    expect(syspro.ledger.invoice('ACMECLOUD', 'BRX7K2M9Q4T1A')).toMatchObject({ value: '125.50', date: '2026-11-19' });
    expect([syspro.ledger.balance('10-6100'), syspro.ledger.balance('00-2000')]).toEqual(['125.50', '-125.50']);
    expect(
      await ledger.findByReference([bill(), bill({ supplierCode: '0000001' }), documentOf('ABSENT1')]),
    ).toMatchObject([
      {
        reference: 'BRX7K2M9Q4T1A',
        ledgerDocumentId: 'AP ACMECLOUD/BRX7K2M9Q4T1A',
        totalDebit: '125.50',
        isPosted: true,
      },
    ]);
    expect(await ledger.readBack(ledgerDocumentId, bill())).toMatchObject({ totalCredit: '125.50' });
  });

  it('a numeric supplier is met in whatever padding', async () => {
    const { ledgerDocumentId } = await ledger.submit(bill({ supplierCode: '1' }));
    expect(await ledger.readBack(ledgerDocumentId, bill({ supplierCode: '1' }))).toMatchObject({ ledgerDocumentId });
    expect(await ledger.findByReference([bill({ supplierCode: '000001' })])).toHaveLength(1);
  });

  it('a second invoice with the number is not made, and the first is what is found', async () => {
    await ledger.submit(bill());
    expect(await failureOf(ledger.submit(bill()))).toMatchObject({ code: 'ALREADY_THERE', decision: 'PROBE' });
    expect(syspro.ledger.invoices()).toHaveLength(1);
  });

  it('a lost reply after the commit is found, before it is not', async () => {
    await ledger.rules();
    for (const [kind, count] of [
      ['LOSE_REPLY_BEFORE_COMMIT', 0],
      ['LOSE_REPLY_AFTER_COMMIT', 1],
    ] as const) {
      syspro.faults.set([{ match: 'APSTIN', kind }]);
      expect(await failureOf(ledger.submit(bill()))).toBeInstanceOf(OutcomeUnknownError);
      syspro.faults.clear();
      expect(await ledger.findByReference([bill()])).toHaveLength(count);
    }
  });

  it('an invoice whose ledger journal failed is there, not posted, and never doubled', async () => {
    syspro.failNextGlJournals(1);
    expect(await failureOf(ledger.submit(bill()))).toBeInstanceOf(OutcomeUnknownError);
    expect(await ledger.findByReference([bill()])).toMatchObject([{ isPosted: false }]);
    expect(syspro.ledger.invoices()).toHaveLength(1);
  });

  it('the AP period follows the fiscal period, back to the one before the previous', async () => {
    syspro.openPeriod(2027, 3);
    for (const [period, day] of [
      ['05', '2026-11-19'],
      ['04', '2026-10-19'],
      ['03', '2026-09-19'],
    ] as const) {
      await ledger.submit(
        bill({ reference: `AP${period}`, periodKey: { year: '2027', period }, postingDate: localDate(day) }),
      );
    }
    expect(syspro.ledger.invoices().map((posted) => [posted.year, posted.month])).toEqual([
      [2027, 5],
      [2027, 4],
      [2027, 3],
    ]);
    const tooOld = bill({ reference: 'AP02', periodKey: { year: '2027', period: '02' } });
    expect(await failureOf(ledger.submit(tooOld))).toBeInstanceOf(PeriodClosedError);
    syspro.openPeriod(2027, 1);
    syspro.setCurrentPeriod(2027, 1);
    const lastYear = bill({ reference: 'AP12', periodKey: { year: '2026', period: '12' } });
    await ledger.submit(lastYear);
    expect(syspro.ledger.invoice('ACMECLOUD', 'AP12')).toMatchObject({ year: 2026, month: 12 });
  });

  it('a supplier on hold is a refusal', async () => {
    expect(await failureOf(ledger.submit(bill({ supplierCode: 'STOPPED' })))).toBeInstanceOf(ErpRejectedError);
    expect(syspro.ledger.invoices()).toHaveLength(0);
  });
});

describe('master data', () => {
  it('accounts come whole, in the ledger’s spelling, with what blocks them', async () => {
    const accounts = await all(ledger.listAccounts());
    expect(accounts).toHaveLength(7);
    const by = (code: string) => accounts.find((account) => account.code === code);
    expect(by('10-6100')).toEqual({ code: '10-6100', name: 'Meals – Café', active: true, blockedReason: null });
    expect(by('10-6300')?.active).toBe(false);
    for (const code of ['00-2000', '00-9000', '00-9900']) expect(by(code)?.blockedReason).not.toBeNull();
  });

  it('lists longer than a page of the ledger come whole', async () => {
    syspro.changeSettings({ findRowsMax: 2 });
    expect(await all(ledger.listAccounts())).toHaveLength(7);
    expect((await all(ledger.listSuppliers())).map((supplier) => supplier.code).sort()).toEqual([
      '000000000000001',
      'ACMECLOUD',
      'STOPPED',
    ]);
  });

  it('suppliers carry hold and currency, and cost centres are the sections of the accounts', async () => {
    const suppliers = await all(ledger.listSuppliers());
    expect(suppliers.find((supplier) => supplier.code === 'ACMECLOUD')).toEqual({
      code: 'ACMECLOUD',
      name: 'Acme & Söhne',
      active: true,
      currency: 'USD',
    });
    expect(suppliers.find((supplier) => supplier.code === 'STOPPED')?.active).toBe(false);
    const values = await all(ledger.listDimensionValues());
    expect(values.map((value) => value.code)).toEqual(['00', '10', '20']);
    expect((await ledger.rules()).costCentreDimension).toBe('costCentre');
    expect(await all(connect({ accountTemplate: '{glAccount}' }).listDimensionValues())).toEqual([]);
  });

  it('periods are those of three years without a gap, and open only as the ledger posts', async () => {
    const periods = await ledger.listPeriods();
    expect(periods).toHaveLength(36);
    expect(periods.filter((period) => period.open).map((period) => period.label)).toEqual([
      '2026/12',
      '2027/04',
      '2027/05',
    ]);
    expect(periods.find((period) => period.label === '2027/05')).toEqual({
      label: '2027/05',
      startsOn: '2026-11-01',
      endsOn: '2026-11-30',
      open: true,
      key: { year: '2027', period: '05' },
    });
  });

  it('a calendar in the settings is used as it stands, without asking', async () => {
    const fiscalPeriods = [{ year: 2027, period: 5, startsOn: '2026-11-01', endsOn: '2026-11-30', open: false }];
    const own = connect({ fiscalPeriods });
    expect((await own.listPeriods()).map((period) => [period.label, period.open])).toEqual([['2027/05', false]]);
    expect(syspro.requestCounts()['Query/Query GENQSO']).toBeUndefined();
  });

  it('element names that are not there ask for the setting', async () => {
    const wrong = connect({ periodElements: { currentEndDate: 'EndOfPeriod{n}' } });
    expect(await failureOf(wrong.listPeriods())).toMatchObject({ code: 'CALENDAR_NOT_FOUND', decision: 'HOLD' });
  });
});

describe('creating suppliers', () => {
  it('a merchant becomes a supplier once, however often it is asked for', async () => {
    const { suppliers } = ledger;
    const name = 'Zürich Café & Söhne ☕';
    const code = suppliers?.codeFor(name) ?? '';
    expect(await suppliers?.find(code)).toBeNull();
    const created = await suppliers?.create({ code, name });
    expect(created).toMatchObject({ code, active: true, currency: 'USD' });
    expect(await suppliers?.find(code)).toMatchObject({ code, name: 'Zürich Café & Söhne ?' });
    expect(await suppliers?.create({ code, name })).toMatchObject({ code });
    expect(syspro.ledger.suppliers()).toHaveLength(4);
    expect(syspro.ledger.supplier(code)).toMatchObject({ branch: '10', termsCode: '30', bank: 'FB' });
  });

  it('suppliers wait on hold where the settings want a person to look first', async () => {
    const careful = connect({ supplierOnHold: true });
    expect(await careful.suppliers?.create({ code: 'NEWONE', name: 'New One' })).toMatchObject({ active: false });
    expect(syspro.ledger.supplier('NEWONE')?.onHold).toBe(true);
  });

  it('a set-up record that does not exist is a refusal that names it', async () => {
    const wrong = connect({ supplierDefaults: { ...supplierDefaults, branch: '99' } });
    const error = await failureOf(Promise.resolve(wrong.suppliers?.create({ code: 'NEWONE', name: 'New One' })));
    expect(error).toMatchObject({ decision: 'REJECT', message: expect.stringContaining('99') });
    expect(await wrong.suppliers?.find('NEWONE')).toBeNull();
  });

  it('a lost reply is in doubt, and the supplier is found afterwards', async () => {
    await ledger.rules();
    syspro.faults.set([{ match: 'Setup/Add', kind: 'LOSE_REPLY_AFTER_COMMIT' }]);
    const error = await failureOf(Promise.resolve(ledger.suppliers?.create({ code: 'NEWONE', name: 'New One' })));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(await ledger.suppliers?.find('NEWONE')).toMatchObject({ code: 'NEWONE' });
  });

  it('a numeric supplier is found in whatever padding', async () => {
    for (const code of ['1', '0000001', '000000000000001']) {
      expect(await ledger.suppliers?.find(code)).toMatchObject({ name: 'Old Supplier' });
    }
  });
});

describe('testing a connection', () => {
  it('all steps pass, each with what was found', async () => {
    const checks = await ledger.test();
    expect(checks.map((check) => [check.name, check.ok])).toEqual([
      ['Reach the e.net service', true],
      ['Log in', true],
      ['Local currency', true],
      ['Read GL accounts', true],
      ['Search journals by reference', true],
      ['Read suppliers', true],
      ['Find the current period', true],
      ['Supplier defaults', true],
    ]);
    expect(checks.find((check) => check.name === 'Find the current period')?.detail).toContain('2027/05');
    expect(checks.every((check) => check.latencyMs !== null)).toBe(true);
  });

  it('the first step that fails says what to do, and later ones are left out', async () => {
    const wrong = connect({}, undefined, { ...credentials, operatorPassword: 'guess' });
    const checks = await wrong.test();
    expect(checks.map((check) => check.ok)).toEqual([true, false]);
    expect(checks[1]?.detail).toMatch(/Check operator, company and passwords/);
    syspro.changeSettings({ findJournals: false });
    const blind = await ledger.test();
    expect(blind.at(-1)).toMatchObject({ name: 'Search journals by reference', ok: false });
  });
});
