import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerConnection, LedgerDocument } from '../../src/connectors/contract.js';
import { inforM3Connector } from '../../src/connectors/infor-m3/index.js';
import {
  ErpRejectedError,
  OutcomeUnknownError,
  PeriodClosedError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '../../src/errors.js';
import {
  type InforM3SettingsInput,
  type RunningInforM3,
  startInforM3Sandbox,
} from '../../src/sandbox/infor-m3/index.js';
import type { FaultKind } from '../../src/sandbox/kit/faults.js';
import { contextFor } from '../support/connectorContext.js';
import { all, failureOf, invoice, journal, line } from '../unit/connectors/inforM3Fake.js';
import { smallCompany } from '../unit/sandbox/inforM3Support.js';

/**
 * The connector against an M3 that keeps state and works in the background, with every way in which a reply gets lost.
 * What would be caught: two documents for one reference, or none that is called posted.
 */

let m3: RunningInforM3;
let ledger: LedgerConnection;
const open: LedgerConnection[] = [];

function connect(more: Record<string, unknown> = {}): LedgerConnection {
  const context = contextFor(
    m3.baseUrl,
    inforM3Connector.credentialsSchema.parse({ ionapi: m3.access.ionapi }),
    inforM3Connector.settingsSchema.parse({
      cono: m3.access.cono,
      divi: m3.access.divi,
      pollSeconds: 0.05,
      watchSeconds: 5,
      settlingSeconds: 0,
      dimensions: { plant: 'AIT3' },
      journalInterface: m3.access.journalInterface,
      ...more,
    }),
    { now: () => new Date('2026-11-20T12:00:00Z') },
  );
  const connection = inforM3Connector.connect(context);
  open.push(connection);
  return connection;
}

async function start(settings: InforM3SettingsInput = {}): Promise<void> {
  m3 = await startInforM3Sandbox({ company: smallCompany(), settings });
  ledger = connect();
}

beforeEach(() => start());
afterEach(async () => {
  m3.faults.clear();
  for (const connection of open.splice(0)) await connection.disconnect().catch(() => undefined);
  await m3.close();
});

async function restart(settings: InforM3SettingsInput): Promise<void> {
  await m3.close();
  await start(settings);
}

const LINES = [
  line(1, '62510', '100.00', '0.00', { memo: 'Hotel', role: 'EXPENSE' }),
  line(2, '62600', '20.50', '0.00', { costCentre: 'SALES', dimensions: { plant: 'P100' }, role: 'EXPENSE' }),
  line(3, '45800', '0.00', '120.50', { memo: 'Brex clearing', role: 'OFFSET' }),
];
const day = (more: Partial<LedgerDocument> = {}) => journal({ lines: LINES, ...more });
const bill = (more: Partial<LedgerDocument> = {}) => invoice({ lines: LINES, ...more });

/** What the books hold under the document's reference. */
const inTheBooks = (document: LedgerDocument) => m3.documents(document.reference).filter((one) => one.posted);

/** What the engine does: asks, sends when it is absent, asks again after a lost reply, until it is posted. */
async function drive(document: LedgerDocument, tries = 12): Promise<void> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    try {
      const [found] = await ledger.findByReference([document]);
      if (found) return void expect(found).toMatchObject({ isPosted: true, totalDebit: document.total });
      await ledger.submit(document);
      return;
    } catch (error) {
      const isExpected =
        error instanceof OutcomeUnknownError ||
        error instanceof RateLimitedError ||
        error instanceof UpstreamUnavailableError ||
        (error instanceof Error && 'decision' in error && error.decision === 'RETRY');
      if (!isExpected) throw error;
      // The settling time: whatever was sent late has arrived.
      await m3.faults.whenLateCommitsApplied();
      m3.finishBackgroundWork();
    }
  }
  throw new Error('it was not posted');
}

describe('journals', () => {
  it('arrive once, with their lines, are found by their reference and read back', async () => {
    const { ledgerDocumentId, warnings } = await ledger.submit(day());
    expect(warnings).toEqual([]);
    expect(m3.documents()).toMatchObject([
      {
        type: 'JOURNAL',
        reference: day().reference,
        posted: true,
        lines: [
          { account: '62510', debit: '100.00', text: `${day().reference} Hotel` },
          { account: '62600', costCentre: 'SALES', dimensions: { AIT3: 'P100' }, debit: '20.50' },
          { account: '45800', credit: '120.50' },
        ],
      },
    ]);
    const expected = {
      reference: day().reference,
      ledgerDocumentId,
      totalDebit: '120.50',
      lineCount: 3,
      isPosted: true,
    };
    expect(await ledger.findByReference([day(), day({ reference: 'ABSENT000000001' })])).toMatchObject([expected]);
    expect(await ledger.readBack(ledgerDocumentId, day())).toMatchObject(expected);
  });

  it('that M3 refuses are not there, and a period that was closed after planning is told apart', async () => {
    const wrong = day({ lines: [line(1, '62900', '120.50', '0.00'), line(2, '45800', '0.00', '120.50')] });
    expect(await failureOf(ledger.submit(wrong))).toBeInstanceOf(ErpRejectedError);
    m3.setPeriodOpen('2026-11-19', false);
    expect(await failureOf(ledger.submit(day({ reference: 'CLOSED000000001' })))).toBeInstanceOf(PeriodClosedError);
    m3.setPeriodOpen('2026-11-19', true);
    expect(m3.summary().posted).toBe(0);
    await ledger.submit(day());
    expect(inTheBooks(day())).toHaveLength(1);
  });

  it('in another currency are kept in it', async () => {
    await ledger.submit(day({ currency: 'EUR' }));
    expect(await ledger.findByReference([day()])).toMatchObject([{ currency: 'EUR', totalDebit: '120.50' }]);
  });

  it.each<[string, InforM3SettingsInput, Record<string, unknown>]>([
    ['v1 calls', { v2: false }, { apiVersion: 'v1' }],
    ['v1 calls with wrapped errors', { v2: false, v1Errors: 'WRAPPED' }, { apiVersion: 'v1' }],
    ['errors under HTTP 400', { errorMode: 'BAD_REQUEST' }, {}],
    ['query options that do not count', { queryMaxrecs: false }, {}],
    ['empty lists as a no', { emptyLists: 'NOK' }, {}],
    ['an intermediary that keeps answers', { cacheMs: 60_000 }, {}],
    ['the field list of 2020', { release: 'ce-2020' }, {}],
    ['amounts with a code', { signs: 'CODED', readSigns: 'CODED' }, { gl: { sign: 'debit-credit' } }],
    ['duplicate lines refused', { duplicateLines: 'REFUSED', repeatedUpdate: 'REFUSED' }, {}],
    ['secrets in the form', { clientAuth: 'BODY' }, { clientAuth: 'body' }],
  ])('go through with %s', async (_what, sandbox, own) => {
    await restart(sandbox);
    ledger = connect(own);
    await ledger.submit(day());
    expect(await failureOf(ledger.submit(day({ reference: 'REFUSED00000001', lines: badLines() })))).toBeInstanceOf(
      ErpRejectedError,
    );
    expect(await ledger.findByReference([day()])).toMatchObject([{ totalDebit: '120.50', totalCredit: '120.50' }]);
    expect(m3.summary()).toMatchObject({ posted: 1, duplicates: [], unbalanced: 0 });
  });

  it('go out in positions on a release that knows no other way', async () => {
    await restart({ release: 'onprem-15', interfaceUsage: 'POSITIONS' });
    const layout = m3.settings().positions;
    ledger = connect({ gl: { usage: 'position', layout } });
    await ledger.submit(day());
    expect(inTheBooks(day())).toMatchObject([{ debit: '120.50' }]);
  });
});

function badLines() {
  return [line(1, '62900', '120.50', '0.00'), line(2, '45800', '0.00', '120.50')];
}

describe('supplier invoices', () => {
  it('arrive once, validated to the end, and are found by supplier and number', async () => {
    const { ledgerDocumentId } = await ledger.submit(bill());
    expect(ledgerDocumentId).toMatch(/^AP BREX01\//);
    expect(inTheBooks(bill())).toMatchObject([{ type: 'SUPPLIER_INVOICE', supplier: 'BREX01', credit: '120.50' }]);
    const [document] = m3.documents();
    expect(document?.lines.map((one) => one.account)).toEqual(expect.arrayContaining(['62510', '62600']));
    expect(await ledger.findByReference([bill(), bill({ reference: 'ABSENT000000001' })])).toMatchObject([
      { reference: bill().reference, totalDebit: '120.50', isPosted: true },
    ]);
    expect(await ledger.readBack(ledgerDocumentId, bill())).toMatchObject({ ledgerDocumentId });
  });

  it('that M3 turns down are refused, and posted once it is put right', async () => {
    m3.setAccountActive('62510', false);
    expect(await failureOf(ledger.submit(bill()))).toMatchObject({ code: 'INVOICE_INVALID' });
    expect(await ledger.findByReference([bill()])).toEqual([]);
    m3.setAccountActive('62510', true);
    await ledger.submit(bill());
    expect(inTheBooks(bill())).toHaveLength(1);
    expect(m3.stagedInvoices()).toHaveLength(1);
  });

  it('are negative for a refund where the setting allows it', async () => {
    ledger = connect({ invoice: { refunds: 'negative' } });
    const refund = bill({
      lines: [
        line(1, '62510', '0.00', '120.50', { role: 'EXPENSE' }),
        line(2, '45800', '120.50', '0.00', { role: 'OFFSET' }),
      ],
    });
    await ledger.submit(refund);
    expect(await ledger.findByReference([refund])).toMatchObject([{ totalDebit: '120.50' }]);
  });

  it.each<[string, InforM3SettingsInput, Record<string, unknown>]>([
    ['v1 calls', { v2: false }, { apiVersion: 'v1' }],
    ['empty lists as a no', { emptyLists: 'NOK' }, {}],
    ['errors under HTTP 400', { errorMode: 'BAD_REQUEST' }, {}],
    ['posted invoices that leave APS450', { listsPostedInvoices: false }, {}],
    ['duplicates refused at the head', { duplicateInvoices: 'AT_ADD_HEAD' }, {}],
    ['accounts that M3 derives', { release: 'ce-2020' }, { invoice: { coding: 'm3-derived' } }],
  ])('go through with %s', async (_what, sandbox, own) => {
    await restart(sandbox);
    ledger = connect(own);
    await ledger.submit(bill());
    await drive(bill());
    expect(await ledger.findByReference([bill()])).toMatchObject([{ totalDebit: '120.50' }]);
    expect(m3.summary()).toMatchObject({ posted: 1, duplicates: [] });
  });
});

describe('APS100MI, where a tenant has made one', () => {
  it('stages and finds by its GetHead, and is refused where it does not exist', async () => {
    ledger = connect({ invoiceProgram: 'APS100MI' });
    expect(await failureOf(ledger.submit(bill()))).toMatchObject({ code: 'PROGRAM_MISSING' });
    await restart({ aps100: true });
    ledger = connect({ invoiceProgram: 'APS100MI' });
    m3.faults.set([{ match: 'APS100MI/AddLine', kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }]);
    await drive(bill());
    await ledger.submit(bill());
    expect(m3.summary()).toMatchObject({ posted: 1, duplicates: [] });
    expect(Object.keys(m3.summary().requests).join()).toContain('APS100MI');
  });
});

const TEMPLATE = `<?xml version="1.0" encoding="UTF-8"?>
<ProcessSupplierInvoice xmlns="http://schema.infor.com/InforOAGIS/2"><ApplicationArea>
<Sender><LogicalID>{{senderLogicalId}}</LogicalID></Sender><CreationDateTime>{{createdAt}}</CreationDateTime><BODID>{{bodId}}</BODID>
</ApplicationArea><DataArea><Process><TenantID>{{tenant}}</TenantID><AccountingEntityID>{{accountingEntity}}</AccountingEntityID></Process>
<SupplierInvoice><SupplierInvoiceHeader><DocumentID><ID>{{documentId}}</ID></DocumentID><SupplierID>{{supplier}}</SupplierID>
<DocumentDateTime>{{date}}</DocumentDateTime><CurrencyCode>{{currency}}</CurrencyCode><TotalAmount>{{total}}</TotalAmount>
</SupplierInvoiceHeader>{{#lines}}<SupplierInvoiceLine><Amount>{{amount}}</Amount><GLNominalAccountID>{{glAccount}}</GLNominalAccountID>
<CostCenterID>{{costCentre}}</CostCenterID><Description>{{text}}</Description></SupplierInvoiceLine>{{/lines}}
</SupplierInvoice></DataArea></ProcessSupplierInvoice>`;

describe('Process.SupplierInvoice through ION', () => {
  beforeEach(() => {
    ledger = connect({ invoiceProgram: 'BOD', bod: { template: TEMPLATE } });
  });

  it('is waited for until M3 has the invoice, and found by its document id', async () => {
    const odd = bill({ lines: LINES.map((one) => ({ ...one, memo: 'A & B <"{{total}}">' })) });
    const { ledgerDocumentId } = await ledger.submit(odd);
    expect(m3.acknowledgements()).toMatchObject([{ documentId: odd.reference, state: 'ACCEPTED' }]);
    expect(inTheBooks(odd)[0]?.lines[0]?.text).toBe('A & B <"{{total}}">');
    expect(await ledger.findByReference([odd])).toMatchObject([{ ledgerDocumentId, totalDebit: '120.50' }]);
    expect(await ledger.submit(odd)).toMatchObject({ ledgerDocumentId });
    expect(m3.acknowledgements()).toHaveLength(1);
  });

  it('that M3 turns down is refused, and stays with a person until it is cleared away', async () => {
    m3.setAccountActive('62510', false);
    expect(await failureOf(ledger.submit(bill()))).toMatchObject({ code: 'INVOICE_INVALID' });
    expect(await failureOf(ledger.submit(bill()))).toMatchObject({ code: 'UNFINISHED_BATCH_INVOICE' });
    expect(m3.acknowledgements()).toHaveLength(1);
  });

  it('without a template is held, and a service that is not there refuses it', async () => {
    const bare = connect({ invoiceProgram: 'BOD' });
    expect(await failureOf(bare.submit(bill()))).toMatchObject({ code: 'BOD_TEMPLATE_NOT_SET' });
    m3.changeSettings({ messaging: false });
    expect(await failureOf(ledger.submit(bill()))).toMatchObject({ code: 'MESSAGE_REFUSED' });
  });

  it.each([
    'LOSE_REPLY_BEFORE_COMMIT',
    'LOSE_REPLY_AFTER_COMMIT',
    'COMMIT_LATE',
    'HTML',
    'HTML_AFTER_COMMIT',
    'EXPIRE_SESSION',
    'SERVER_ERROR',
  ] as const)('that meets %s makes one invoice in the end', async (kind) => {
    m3.faults.set([{ match: 'multipart', kind, times: 1, delayMs: 40 }]);
    await drive(bill());
    await m3.faults.whenLateCommitsApplied();
    m3.finishBackgroundWork();
    expect(inTheBooks(bill())).toHaveLength(1);
  });

  it('whose first message is late and whose second is quick is still one invoice', async () => {
    m3.changeSettings({ messagePolls: null, messageMs: null });
    const hasty = connect({ invoiceProgram: 'BOD', bod: { template: TEMPLATE }, watchSeconds: 0 });
    expect(await failureOf(hasty.submit(bill()))).toBeInstanceOf(OutcomeUnknownError);
    expect(await failureOf(hasty.submit(bill()))).toBeInstanceOf(OutcomeUnknownError);
    expect(m3.finishBackgroundWork()).toBe(2);
    expect(inTheBooks(bill())).toHaveLength(1);
    expect(await hasty.findByReference([bill()])).toMatchObject([{ isPosted: true }]);
  });
});

describe('new suppliers', () => {
  beforeEach(() => {
    ledger = connect({ supplierDefaults: { template: m3.access.templateSupplier } });
  });
  const name = 'Café Zoë & Söhne Catering GmbH';

  it('are copied from the template, named, and found by the code that their name gives', async () => {
    const code = ledger.suppliers?.codeFor(name) ?? '';
    expect(code).toMatch(/^CAFEZO[A-Z0-9]{4}$/);
    expect(await ledger.suppliers?.find(code)).toBeNull();
    await ledger.suppliers?.create({ code, name });
    expect(await ledger.suppliers?.find(code)).toMatchObject({
      code,
      name: 'Café Zoë & Söhne Catering GmbH',
      active: true,
    });
    expect(await ledger.suppliers?.create({ code, name: 'Another' })).toMatchObject({ name });
  });

  it('that were left with the template’s name are named by the next creation', async () => {
    m3.faults.set([{ match: 'UpdSupplier', kind: 'LOSE_REPLY_BEFORE_COMMIT', times: 1 }]);
    const creation = { code: 'ACME', name: 'Acme' };
    expect(await failureOf(ledger.suppliers?.create(creation) ?? Promise.resolve())).toBeInstanceOf(
      OutcomeUnknownError,
    );
    expect(await ledger.suppliers?.find('ACME')).toBeNull();
    await ledger.suppliers?.create(creation);
    expect(await ledger.suppliers?.find('ACME')).toMatchObject({ name: 'Acme' });
  });

  it('cannot be made without a template', async () => {
    const bare = connect();
    const error = await failureOf(bare.suppliers?.create({ code: 'ACME', name: 'Acme' }) ?? Promise.resolve());
    expect(error).toMatchObject({ code: 'SUPPLIER_DEFAULTS_MISSING' });
  });
});

const FAULTS: FaultKind[] = [
  'LOSE_REPLY_BEFORE_COMMIT',
  'LOSE_REPLY_AFTER_COMMIT',
  'COMMIT_LATE',
  'HTML',
  'HTML_AFTER_COMMIT',
  'EXPIRE_SESSION',
  'RATE_LIMIT',
  'SERVER_ERROR',
  'EMPTY',
];
const JOURNAL_STEPS = ['AddBatchHead', 'AddBatchLineFld', 'CtrlBatch', 'UpdBatch'];
const INVOICE_STEPS = ['AddHead', 'AddLine', 'ValidByBatchNo'];

describe.each<[string, InforM3SettingsInput]>([
  ['an M3 that takes line numbers twice and updates again', {}],
  ['an M3 that refuses both', { duplicateLines: 'REFUSED', repeatedUpdate: 'REFUSED' }],
])('faults, with %s', (_what, settings) => {
  beforeEach(() => restart(settings));

  it.each(JOURNAL_STEPS.flatMap((step) => FAULTS.map((kind) => [step, kind] as const)))(
    '%s meets %s: one voucher in the end',
    async (match, kind) => {
      m3.faults.set([{ match, kind, times: 1, delayMs: 40, retryAfterSeconds: 0 }]);
      await drive(day());
      await m3.faults.whenLateCommitsApplied();
      m3.finishBackgroundWork();
      expect(inTheBooks(day())).toMatchObject([{ debit: '120.50', credit: '120.50' }]);
      expect(m3.summary()).toMatchObject({ posted: 1, duplicates: [], unbalanced: 0 });
    },
  );

  it.each(INVOICE_STEPS.flatMap((step) => FAULTS.map((kind) => [step, kind] as const)))(
    '%s meets %s: one invoice in the end',
    async (match, kind) => {
      m3.faults.set([{ match, kind, times: 1, delayMs: 40, retryAfterSeconds: 0 }]);
      await drive(bill());
      await m3.faults.whenLateCommitsApplied();
      m3.finishBackgroundWork();
      expect(inTheBooks(bill())).toHaveLength(1);
      expect(m3.summary()).toMatchObject({ posted: 1, duplicates: [] });
    },
  );

  it.each([1, 2])('many faults at random (seed %i) leave each document once', async (seed) => {
    const kinds = FAULTS.filter((kind) => kind !== 'RATE_LIMIT');
    m3.faults.set(
      kinds.map((kind) => ({ match: 'MI', kind, probability: 0.02, times: 6, delayMs: 30 })),
      seed,
    );
    const documents = Array.from({ length: 6 }, (_, index) => {
      const reference = `RANDOM00000000${index}`;
      return index % 2 === 0 ? day({ reference }) : bill({ reference });
    });
    for (const document of documents) await drive(document, 40);
    m3.faults.clear();
    await m3.faults.whenLateCommitsApplied();
    m3.finishBackgroundWork();
    expect(m3.summary()).toMatchObject({ posted: 6, duplicates: [], unbalanced: 0 });
  });
});

describe('master data and the test of the connection', () => {
  it('are read from CRS630MI, CRS620MI and the settings', async () => {
    const accounts = await all(ledger.listAccounts());
    expect(accounts.map((one) => [one.code, one.active, one.blockedReason !== null])).toEqual([
      ['44000', true, true],
      ['44500', true, false],
      ['45800', true, false],
      ['62510', true, false],
      ['62600', true, false],
      ['62900', false, false],
    ]);
    const dimensions = await all(ledger.listDimensionValues());
    expect(dimensions).toContainEqual({ dimension: 'costCentre', code: 'SALES', name: 'Sales', active: true });
    expect(dimensions).toContainEqual({ dimension: 'plant', code: 'P100', name: 'Plant one', active: true });
    expect((await all(ledger.listSuppliers())).map((one) => [one.code, one.active])).toEqual(
      expect.arrayContaining([
        ['BREX01', true],
        ['STOPPED', false],
      ]),
    );
    expect((await ledger.listPeriods()).length).toBeGreaterThan(12);
  });

  it('are whole where the grid gives few rows at a time', async () => {
    await restart({ recordCap: 2, queryMaxrecs: false });
    expect((await all(ledger.listAccounts())).length).toBe(6);
    expect((await all(ledger.listSuppliers())).length).toBeGreaterThanOrEqual(3);
  });

  it('every step of the test passes, and writes nothing', async () => {
    const results = await ledger.test();
    expect(results.filter((one) => !one.ok)).toEqual([]);
    expect(results.map((one) => one.name)).toContain('Right to post');
    expect(m3.documents()).toEqual([]);
  });

  it('a right that is missing is named', async () => {
    await restart({ deniedPrograms: ['CRS630'] });
    expect((await ledger.test()).at(-1)).toMatchObject({ name: 'Read GL accounts', ok: false });
  });

  it('the token is revoked at disconnect', async () => {
    await ledger.findByReference([day()]);
    await ledger.disconnect();
    expect(m3.expireSessions()).toBe(0);
  });
});
