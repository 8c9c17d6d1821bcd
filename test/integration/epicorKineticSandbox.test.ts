import { afterEach, describe, expect, it } from 'vitest';
import type { LedgerConnection, LedgerDocument } from '../../src/connectors/contract.js';
import type { KineticCredentials } from '../../src/connectors/epicor-kinetic/index.js';
import { localDate } from '../../src/domain/localDate.js';
import {
  ErpRejectedError,
  OutcomeUnknownError,
  PeriodClosedError,
  PermissionError,
  UpstreamUnavailableError,
} from '../../src/errors.js';
import {
  type KineticSettingsInput,
  type RunningEpicorKinetic,
  startEpicorKineticSandbox,
} from '../../src/sandbox/epicor-kinetic/index.js';
import type { CompanySeed } from '../../src/sandbox/kit/index.js';
import { MemorySession } from '../support/connectorContext.js';
import { all, connectTo, failureOf, line, queryOf } from '../unit/connectors/epicorKineticHelpers.js';

/**
 * The connector against an Epicor Kinetic that keeps state, in every way in which installations differ or are not known.
 * Lost replies at each step are the conformance suite's business. What would be caught: a connector that works with one
 * reading of the documentation only.
 */

const company: CompanySeed = {
  currency: 'USD',
  accounts: [
    { code: '1450', name: 'Recoverable tax', kind: 'ASSET' },
    { code: '2100', name: 'Trade creditors', kind: 'LIABILITY', control: true },
    { code: '2150', name: 'Card clearing', kind: 'LIABILITY' },
    { code: '6100', name: 'Meals', kind: 'EXPENSE', needsCostCentre: true },
    { code: '6200', name: 'Cloud', kind: 'EXPENSE', needsCostCentre: true },
    { code: '6300', name: 'Old', kind: 'EXPENSE', active: false },
  ],
  costCentres: [
    { code: '10', name: 'Works' },
    { code: '20', name: 'Sales' },
  ],
  suppliers: [
    { code: 'ACME', name: 'Acme Cloud' },
    { code: 'RIGHT', name: 'The right one' },
    { code: 'STOPPED', name: 'Stopped', active: false },
  ],
  periods: Array.from({ length: 12 }, (_, index) => {
    const day = (month: number, date: number) => new Date(Date.UTC(2026, month, date)).toISOString().slice(0, 10);
    return { startsOn: day(index, 1), endsOn: day(index + 1, 0), open: index >= 9 };
  }),
  payablesAccount: '2100',
  taxAccount: '1450',
  taxCodes: [{ code: 'STD', name: 'Standard', percent: '20' }],
};

const journal: LedgerDocument = {
  documentType: 'JOURNAL',
  reference: 'BRX7K2M9Q4T1A0X',
  postingDate: localDate('2026-11-12'),
  periodKey: { year: '2026', suffix: '', period: '11' },
  currency: 'USD',
  supplierCode: null,
  description: 'Brex 2026-11-12',
  total: '125.50',
  lines: [
    line(1, '6100', '100.00', '0.00', { costCentre: '10', memo: 'Café Zoë + bar', role: 'EXPENSE' }),
    line(2, '6200', '25.50', '0.00', { costCentre: '20', memo: 'Cloud', role: 'EXPENSE' }),
    line(3, '2150', '0.00', '125.50', { memo: 'Card clearing', role: 'OFFSET' }),
  ],
};
const bill: LedgerDocument = { ...journal, documentType: 'SUPPLIER_INVOICE', supplierCode: 'ACME' };
const BOTH: [string, LedgerDocument][] = [
  ['a journal', journal],
  ['an invoice', bill],
];

let epicor: RunningEpicorKinetic;
const open: LedgerConnection[] = [];

afterEach(async () => {
  epicor.faults.clear();
  for (const connection of open.splice(0)) await connection.disconnect();
  await epicor.close();
});

const start = async (settings: KineticSettingsInput = {}) => {
  epicor = await startEpicorKineticSandbox({ company, settings });
};

function connect(settings: Record<string, unknown> = {}, more: { oauth?: boolean; session?: MemorySession } = {}) {
  const { username, password, apiKey, tokenUrl, clientId, clientSecret, scope } = epicor.access;
  const credentials: KineticCredentials = more.oauth
    ? { kind: 'oauth2', tokenUrl, clientId, clientSecret, scope, apiKey }
    : { kind: 'basic', username, password, apiKey };
  const { connection } = connectTo(
    epicor.baseUrl,
    {
      ...{ company: epicor.access.company, glSegmentOrder: ['glAccount', 'costCentre'], segmentDefaults: {} },
      ...{ autoPost: true, submitTimeoutSeconds: 10, ...settings },
    },
    { credentials, now: () => new Date(), ...(more.session ? { session: more.session } : {}) },
  );
  open.push(connection);
  return connection;
}

async function expectThere(connection: LedgerConnection, document: LedgerDocument, posted = true): Promise<void> {
  const held = epicor.documents(document.reference);
  expect(held).toMatchObject([{ date: document.postingDate, posted, debit: document.total, credit: document.total }]);
  const found = await connection.findByReference([queryOf(document)]);
  const totals = { totalDebit: document.total, totalCredit: document.total, lineCount: 3, isPosted: true };
  expect(found).toMatchObject([{ reference: document.reference, ...totals }]);
  expect(await connection.readBack(found[0]?.ledgerDocumentId ?? '', queryOf(document))).toMatchObject(totals);
}

const nothingLeft = (reference: string) => expect([epicor.documents(reference), epicor.groups()]).toEqual([[], []]);

describe('installations', () => {
  const variants: [string, KineticSettingsInput, Record<string, unknown>][] = [
    ['as documented', {}, {}],
    ['lists cut at seven rows whatever is asked for', { topCap: 7 }, {}],
    ['lists with a link to the next page', { topCap: 1, nextLink: 'own' }, {}],
    ['methods read by POST only', { readVerbs: 'post' }, {}],
    ['methods read by GET only', { readVerbs: 'get' }, {}],
    ['rows at the top of replies', { dsAtTopLevel: true }, {}],
    ['dates in UTC', { dateStyle: 'zulu' }, {}],
    ['dates with an offset', { dateStyle: 'offset' }, {}],
    ['two books', { secondBook: true }, {}],
    ['API v1', {}, { apiVersion: 'v1' }],
    ['API v1 with decimals as text', { v1DecimalsAsText: true }, { apiVersion: 'v1' }],
    ['groups that stay after posting', { postedApGroup: 'kept' }, {}],
    ['saves that lock no group', { savesLockGroups: false, postingNeedsUnlockedGroup: false }, {}],
    ['amounts read from the totals', { journalAmounts: 'totals' }, {}],
    ['amounts read from TransAmt', { journalAmounts: 'transaction' }, {}],
    ['slow APInvoices', { odataFailsFor: ['Erp.BO.APInvoiceSvc'] }, { invoiceLookup: 'APInvSearchSvc/APInvSearches' }],
    ['posting by an agent', {}, { postingMode: 'agent' }],
    ['journals found by their texts', {}, { journalLookup: 'description' }],
    [
      'a parameter that a later release added',
      {
        addedParameters: {
          'Erp.BO.APInvoiceSvc/UpdateMaster': ['runChkNew'],
          'Erp.BO.GLJournalEntrySvc/Update': ['runChkNew'],
        },
      },
      {
        extraMethodParams: {
          'APInvoiceSvc/UpdateMaster': { runChkNew: false },
          'GLJournalEntrySvc/Update': { runChkNew: false },
        },
      },
    ],
    [
      'cost centres that combine freely',
      {
        segments: [
          { name: 'Account', holds: 'account', displayOrder: 1 },
          { name: 'Department', holds: 'costCentre', displayOrder: 2, dynamic: true },
        ],
      },
      { dynamicSegments: ['costCentre'] },
    ],
    [
      'another order of segments',
      {
        segments: [
          { name: 'Division', holds: 'fixed', value: '00', displayOrder: 2 },
          { name: 'Department', holds: 'costCentre', displayOrder: 3 },
          { name: 'Account', holds: 'account', displayOrder: 1 },
        ],
      },
      { glSegmentOrder: ['division', 'costCentre', 'glAccount'], segmentDefaults: { division: '00' } },
    ],
  ];

  for (const [kind, document] of BOTH) {
    it.each(variants)(`${kind} arrives with %s`, async (_name, sandbox, settings) => {
      await start(sandbox);
      const connection = connect(settings);
      const { warnings } = await connection.submit(document);
      expect(warnings).toEqual([]);
      await expectThere(connection, document);
    });

    it(`${kind} is left to the accountants, whole and unlocked, where the gateway does not post`, async () => {
      await start();
      const connection = connect({ autoPost: false });
      await connection.submit(document);
      await expectThere(connection, document, false);
      expect(epicor.groups()).toMatchObject([{ holder: '', documents: 1 }]);
    });

    it(`${kind} with a client of the identity provider arrives although its token ends meanwhile`, async () => {
      await start();
      const session = new MemorySession();
      const connection = connect({}, { oauth: true, session });
      await connection.rules();
      epicor.expireSessions();
      await connection.submit(document);
      await expectThere(connection, document);
      expect(session.logons).toBe(2);
    });
  }

  it('accounts that planning looks up are listed, cost centres too', async () => {
    await start();
    const connection = connect();
    const codes = (await all(connection.listAccounts())).map(({ code }) => code);
    const { accountCode } = await connection.rules();
    for (const { glAccount, costCentre } of journal.lines)
      expect(codes).toContain(accountCode({ glAccount, costCentre }));
    expect(await all(connection.listDimensionValues())).toEqual(
      expect.arrayContaining([{ dimension: 'costCentre', code: '10', name: 'Works', active: true }]),
    );
  });

  it('dynamic segments are left out of the accounts that planning looks up', async () => {
    await start({
      segments: [
        { name: 'Account', holds: 'account', displayOrder: 1 },
        { name: 'Department', holds: 'costCentre', displayOrder: 2, dynamic: true },
      ],
    });
    const connection = connect({ dynamicSegments: ['costCentre'] });
    const codes = (await all(connection.listAccounts())).map(({ code }) => code);
    const { accountCode } = await connection.rules();
    expect(codes).toContain(accountCode({ glAccount: '6100', costCentre: '10' }));
  });

  it('a refund is a debit memo, and a purchase among refunds a line against it', async () => {
    await start();
    const connection = connect();
    const refund: LedgerDocument = {
      ...bill,
      lines: [
        line(1, '6100', '0.00', '125.50', { costCentre: '10', role: 'EXPENSE' }),
        line(2, '6200', '25.50', '0.00', { costCentre: '20', role: 'EXPENSE' }),
        line(3, '2150', '100.00', '0.00', { role: 'OFFSET' }),
      ],
    };
    await connection.submit(refund);
    expect(epicor.documents(refund.reference)).toMatchObject([{ posted: true, debit: '125.50', credit: '125.50' }]);
    expect(await connection.findByReference([queryOf(refund)])).toMatchObject([
      { totalDebit: '125.50', totalCredit: '125.50', isPosted: true },
    ]);
  });

  it('a next link that leads elsewhere is not followed', async () => {
    await start({ topCap: 1, nextLink: 'foreign' });
    expect(await failureOf(all(connect().listSuppliers()))).toMatchObject({ code: 'FOREIGN_NEXT_LINK' });
  });
});

describe('what the ledger turns down leaves nothing behind', () => {
  const refusals: [string, KineticSettingsInput, Record<string, unknown>][] = [
    ['tax that it adds unasked', { taxRegion: 'STD' }, {}],
    ['a line without an account row', { defaultExpenseAccount: null }, {}],
    ['a legal number that a person must enter', { legalNumbersRequired: true }, {}],
  ];
  it.each(refusals)('an invoice with %s', async (_name, sandbox, settings) => {
    await start(sandbox);
    expect(await failureOf(connect(settings).submit(bill))).toBeInstanceOf(ErpRejectedError);
    nothingLeft(bill.reference);
  });

  for (const [kind, document] of BOTH) {
    it.each<[string, KineticSettingsInput, Record<string, unknown>]>([
      ['when it is saved', { closedPeriodRefusedAt: 'save' }, {}],
      ['when it is posted', { closedPeriodRefusedAt: 'post' }, {}],
      ['when it is posted, with an error', { closedPeriodRefusedAt: 'post', runDirectFailure: 'error' }, {}],
      ['when it is saved, with HTTP 500', { businessErrorStatus: 500 }, { businessErrorsUnder500: true }],
    ])(`${kind} in a closed period, %s`, async (_name, sandbox, settings) => {
      await start(sandbox);
      const closed = {
        ...document,
        postingDate: localDate('2026-08-12'),
        periodKey: { year: '2026', suffix: '', period: '8' },
      };
      expect(await failureOf(connect(settings).submit(closed))).toBeInstanceOf(PeriodClosedError);
      nothingLeft(document.reference);
    });

    it.each<[string, KineticSettingsInput, Record<string, unknown>]>([
      ['asked first', {}, {}],
      ['not asked, and flagged', { invalidJournalAccount: 'flag' }, { validateAccounts: false }],
      ['not asked, and refused', { invalidJournalAccount: 'refuse' }, { validateAccounts: false }],
    ])(`${kind} on an account that is closed, %s`, async (_name, sandbox, settings) => {
      await start(sandbox);
      const wrong = {
        ...document,
        lines: document.lines.map((one) => (one.lineNumber === 2 ? { ...one, glAccount: '6300' } : one)),
      };
      expect(await failureOf(connect(settings).submit(wrong))).toBeInstanceOf(ErpRejectedError);
      nothingLeft(document.reference);
      const connection = connect();
      await connection.submit(document);
      await expectThere(connection, document);
    });

    it(`${kind} that the posting process does not post`, async () => {
      await start();
      epicor.setScenarios({ failedPostings: 1 });
      expect(await failureOf(connect().submit(document))).toBeInstanceOf(ErpRejectedError);
      nothingLeft(document.reference);
    });
  }

  it.each(['STOPPED', 'NOBODY'])('an invoice of supplier %s', async (supplierCode) => {
    await start();
    expect(await failureOf(connect().submit({ ...bill, supplierCode }))).toBeInstanceOf(ErpRejectedError);
    nothingLeft(bill.reference);
  });

  it('a save that ran into a prompt under HTTP 200', async () => {
    await start();
    epicor.setScenarios({ promptedSaves: 1 });
    const refusal = await failureOf(connect().submit(bill));
    expect(refusal).toBeInstanceOf(ErpRejectedError);
    nothingLeft(bill.reference);
  });
});

describe('what cannot be used now', () => {
  it.each<[string, KineticSettingsInput, unknown]>([
    ['outside of the access scope', { deniedOperations: ['Erp.BO.APInvGrpSvc'] }, PermissionError],
    [
      'outside of the access scope, with 403',
      { deniedOperations: ['Erp.BO.APInvGrpSvc'], accessDeniedStatus: 403 },
      PermissionError,
    ],
    ['an upgrade', { conversionsPending: true }, UpstreamUnavailableError],
    ['no licence', { licensesExhausted: true }, UpstreamUnavailableError],
  ])('%s writes nothing and says so', async (_name, sandbox, kind) => {
    await start(sandbox);
    expect(await failureOf(connect().submit(bill))).toBeInstanceOf(kind);
    nothingLeft(bill.reference);
  });

  it('an API key that ended is told from a wrong password', async () => {
    await start({ apiKeyValid: false });
    expect(await failureOf(connect().rules())).toMatchObject({ code: 'API_KEY_REFUSED' });
  });

  it('an invoice whose posting does not end is in doubt, waited for, and stays one document', async () => {
    await start();
    epicor.setScenarios({ stuckPostings: 1 });
    const connection = connect();
    expect(await failureOf(connection.submit(bill))).toMatchObject({ code: 'POSTING_RUNS', decision: 'PROBE' });
    expect(await connection.findByReference([queryOf(bill)])).toEqual([]);
    expect(await failureOf(connection.submit(bill))).toMatchObject({ code: 'GROUP_BUSY', decision: 'RETRY' });
    expect(epicor.documents(bill.reference)).toHaveLength(1);
  });

  it('a journal that the posting process left behind without a log is refused in its words', async () => {
    await start();
    epicor.setScenarios({ stuckPostings: 1 });
    const refusal = await failureOf(connect().submit(journal));
    expect((refusal as Error).message).toContain('Not all journals');
    nothingLeft(journal.reference);
  });

  it('an agent that does not run leaves a whole document, which the next try does not enter again', async () => {
    await start({ agentDelayMs: null });
    const connection = connect({ postingMode: 'agent' });
    expect(await failureOf(connection.submit(bill))).toMatchObject({ code: 'POSTING_RUNS' });
    expect(epicor.runAgent()).toBe(1);
    await expectThere(connection, bill);
  });
});

describe('people in Epicor', () => {
  /** An invoice of which the header is there and no line. */
  async function remnant(): Promise<LedgerConnection> {
    await start();
    epicor.faults.set([{ match: 'APInvoiceSvc/UpdateMaster', kind: 'LOSE_REPLY_BEFORE_COMMIT' }]);
    const connection = connect();
    expect(await failureOf(connection.submit(bill))).toBeInstanceOf(OutcomeUnknownError);
    epicor.faults.clear();
    return connection;
  }

  it('a remnant is replaced by the whole document, under a corrected supplier too', async () => {
    const connection = await remnant();
    expect(await connection.findByReference([queryOf(bill)])).toEqual([]);
    const corrected = { ...bill, supplierCode: 'RIGHT' };
    await connection.submit(corrected);
    await expectThere(connection, corrected);
    expect(epicor.documents(bill.reference)).toMatchObject([{ supplier: 'RIGHT' }]);
  });

  it('a remnant whose group somebody has open is left alone', async () => {
    const connection = await remnant();
    const [group] = epicor.groups();
    epicor.holdGroup(group?.groupId ?? '');
    expect(await failureOf(connection.submit(bill))).toBeInstanceOf(ErpRejectedError);
    expect(epicor.groups()).toMatchObject([{ holder: 'CLERK', documents: 1 }]);
    epicor.holdGroup(group?.groupId ?? '', '');
    await connection.submit(bill);
    await expectThere(connection, bill);
  });

  it('a lock that a dead run left behind goes when the document is looked for', async () => {
    await start();
    for (const [, document] of BOTH) {
      const reference = document.documentType === 'JOURNAL' ? document.reference : 'BRX7K2M9Q4T1A0Y';
      const one = { ...document, reference };
      const connection = connect({ autoPost: false });
      epicor.faults.set([{ match: 'UnlockGroup', kind: 'LOSE_REPLY_BEFORE_COMMIT' }]);
      await connection.submit(one);
      epicor.faults.clear();
      expect(epicor.groups().some(({ holder }) => holder !== '')).toBe(true);
      expect(await connection.findByReference([queryOf(one)])).toMatchObject([{ isPosted: true }]);
      expect(epicor.groups().every(({ holder }) => holder === '')).toBe(true);
    }
  });

  it('an invoice that a person moved to another supplier is found there and not entered again', async () => {
    await start();
    const connection = connect({ autoPost: false });
    await connection.submit(bill);
    epicor.renumberInvoice({ vendor: 'ACME', invoiceNum: bill.reference }, { vendor: 'RIGHT' });
    expect(await connection.findByReference([queryOf(bill)])).toHaveLength(1);
    expect(await failureOf(connection.submit(bill))).toMatchObject({ code: 'ALREADY_THERE' });
    expect(epicor.documents(bill.reference)).toHaveLength(1);
  });

  it('a document that was posted cannot be submitted twice', async () => {
    await start();
    const connection = connect();
    for (const [, document] of BOTH) {
      const one = document.documentType === 'JOURNAL' ? document : { ...document, reference: 'BRX7K2M9Q4T1A0Y' };
      await connection.submit(one);
      expect(await failureOf(connection.submit(one))).toMatchObject({ code: 'ALREADY_THERE', decision: 'PROBE' });
      expect(epicor.documents(one.reference)).toHaveLength(1);
    }
  });
});
