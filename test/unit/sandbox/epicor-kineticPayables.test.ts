import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningEpicorKinetic } from '../../../src/sandbox/epicor-kinetic/index.js';
import { type Answer, coded, exact, PlainClient, type Row, start } from './epicor-kineticSupport.js';

/** Supplier invoices. What would be caught: a client that takes 200 for done, or a saved row for a posted document. */

const NUMBER = 'BRX7F3K2M9Q';
const AP = 'Erp.BO.APInvoiceSvc';
const GROUPS = 'Erp.BO.APInvGrpSvc';

let kinetic: RunningEpicorKinetic;
let client: PlainClient;
beforeEach(async () => {
  kinetic = await start();
  client = new PlainClient(kinetic);
});
afterEach(() => kinetic.close());

const read = async (invoiceNum = NUMBER): Promise<Answer> =>
  client.get(`${AP}/GetByID`, { vendorNum: 101, invoiceNum });
const tables = async (): Promise<Record<string, Row[]>> => (await read()).body.returnObj;
const row = async (table: string, index = 0): Promise<Row> => (await tables())[table]?.[index] ?? {};
const message = ({ status, body }: Answer): string => `${status} ${body?.ErrorMessage}`;

describe('an invoice', () => {
  it('is saved step by step, coded, and shown in neutral words', async () => {
    await client.invoice();
    const [document] = kinetic.documents(NUMBER);
    expect(document).toMatchObject({ supplier: 'AMAZON', debit: '123.45', credit: '123.45', posted: false });
    expect(document?.lines[0]).toMatchObject({ account: '6500', costCentre: '20', debit: '123.45' });
    expect(kinetic.summary()).toMatchObject({ invoices: 1, posted: 0, unbalanced: 0, duplicates: [] });
  });

  it('is not stored by the methods that only prepare it', async () => {
    await client.group();
    const draft = await client.call(`${AP}/GetNewAPInvHedInvoice`, { cGroupID: 'BX261120', ds: {} });
    const ds = draft.body.parameters.ds;
    expect(ds.APInvHed[0]).toMatchObject({ RowMod: 'A', SysRevID: '#0', Posted: false });
    const changed = await client.call(`${AP}/ChangeVendorID`, { ProposedVendorID: 'amazon', confirmCheck: true, ds });
    expect(changed.body.parameters.ds.APInvHed[0]).toMatchObject({ VendorNum: 101, TermsCode: 'N30' });
    expect(kinetic.documents()).toEqual([]);
  });

  it('takes the way of the screens: each Change method, then Update', async () => {
    await client.group();
    let ds = (await client.call(`${AP}/GetNewAPInvHedInvoice`, { cGroupID: 'BX261120', ds: {} })).body.parameters.ds;
    const step = async (method: string, parameters: object) => {
      ds = (await client.call(`${AP}/${method}`, { ...parameters, ds })).body.parameters.ds;
    };
    await step('ChangeVendorID', { ProposedVendorID: 'AMAZON', confirmCheck: false });
    await step('ChangeInvoiceDateEx', { ProposedInvoiceDate: '2026-11-18', recalcAmts: '' });
    await step('ChangeInvoiceVendorAmt', { ProposedInvoiceVendorAmt: exact('10.10') });
    ds.APInvHed[0].InvoiceNum = NUMBER;
    await step('Update', {});
    await step('GetNewAPInvDtlMiscellaneous', { iVendorNum: 101, cInvoiceNum: NUMBER });
    await step('ChangePartNum', { ProposedPartNum: 'CLOUD' });
    await step('ChangeExtCost', { ProposedExtCost: exact('10.10') });
    await step('Update', {});
    expect(ds.APInvHed[0]).toMatchObject({ DocInvoiceAmt: 10.1, DocInvoiceVariance: 0, RowMod: '' });
    expect(ds.APInvDtl[0]).toMatchObject({ InvoiceLine: 1, PartNum: 'CLOUD' });
    expect(ds.APInvExpTGLC[0]).toMatchObject({ GLAccount: '6400', RecordType: 'A', InvExpSeq: 1 });
  });

  it.each([
    ['an unknown supplier', { VendorNumVendorID: 'NOBODY' }],
    ['an inactive supplier', { VendorNumVendorID: 'STOPPED' }],
    ['no number', { InvoiceNum: ' ' }],
    ['a number of 51 characters', { InvoiceNum: 'X'.repeat(51) }],
    ['a currency without a rate', { CurrencyCode: 'JPY' }],
    ['a closed period', { ApplyDate: '2026-08-14' }],
    ['an amount of six decimals', { ScrDocInvoiceVendorAmt: exact('0.300001') }],
  ])('with %s is refused and not stored', async (_what, columns) => {
    await client.group();
    const answer = await client.header(columns);
    expect(answer.status).toBe(400);
    expect(kinetic.documents()).toEqual([]);
  });

  it('wants a group that there is', async () => {
    expect((await client.call(`${AP}/GetNewAPInvHedInvoice`, { cGroupID: 'NONE', ds: {} })).status).toBe(400);
    expect((await client.group('TOOLONG99')).status).toBe(400);
    await client.group();
    expect((await client.group()).status).toBe(409);
  });

  it('is there once for a supplier, in any case of its letters, posted or not', async () => {
    await client.invoice();
    const again = await client.header({ InvoiceNum: NUMBER.toLowerCase() });
    expect(again).toMatchObject({ status: 409, body: { ErrorType: 'Ice.Common.DuplicateRecordException' } });
    kinetic.changeSettings({ duplicateStatus: 400 });
    expect(message(await client.header({}))).toBe('400 This is a duplicate entry of an existing record');
    kinetic.changeSettings({ businessErrorStatus: 500 });
    expect((await client.header({})).status).toBe(500);
    await client.header({ VendorNumVendorID: "O'BRIEN" });
    expect(kinetic.summary().duplicates).toEqual([NUMBER]);
  });
});

describe('rows', () => {
  it('with an old revision are refused, and one digit of it is enough', async () => {
    await client.group();
    const header = (await client.header()).body.parameters.ds.APInvHed[0];
    const save = (columns: Row) =>
      client.call(`${AP}/Update`, { ds: { APInvHed: [{ ...header, ...columns, RowMod: 'U' }] } });
    const rounded = exact(String(Number(String(header.SysRevID).slice(1)) + 2));
    expect((await save({ SysRevID: rounded })).status).toBe(409);
    kinetic.touchDocument(NUMBER);
    kinetic.changeSettings({ staleRowStatus: 400 });
    expect(message(await save({ Description: 'x' }))).toMatch(/^400 Row has been modified by another user/);
  });

  it('that lack columns lose them, unless the server keeps what it has', async () => {
    await client.group();
    const header = (await client.header({ Description: 'Card', ScrDocInvoiceVendorAmt: 5 })).body.parameters.ds
      .APInvHed[0];
    const { VendorNum, InvoiceNum, CurrencyCode, SysRevID } = header;
    const sent = { VendorNum, InvoiceNum, CurrencyCode, SysRevID, InvoiceComment: 'x', RowMod: 'U' };
    kinetic.changeSettings({ missingColumns: 'keep' });
    const kept = (await client.call(`${AP}/Update`, { ds: { APInvHed: [sent] } })).body.parameters.ds.APInvHed[0];
    expect(kept).toMatchObject({ Description: 'Card', InvoiceComment: 'x', ScrDocInvoiceVendorAmt: 5 });
    kinetic.changeSettings({ missingColumns: 'blank' });
    const again = { ...sent, SysRevID: kept.SysRevID };
    const blank = (await client.call(`${AP}/Update`, { ds: { APInvHed: [again] } })).body.parameters.ds.APInvHed[0];
    expect(blank).toMatchObject({ Description: '', InvoiceComment: 'x', ScrDocInvoiceVendorAmt: 0 });
  });

  it('of one Update are saved together or not at all', async () => {
    await client.group();
    await client.header();
    const line = { VendorNum: 101, InvoiceNum: NUMBER, DocUnitCost: 1, RowMod: 'A' };
    const wrong = { ...line, InvoiceNum: 'NONE' };
    expect((await client.call(`${AP}/Update`, { ds: { APInvDtl: [line, wrong] } })).status).toBe(404);
    expect((await tables()).APInvDtl).toEqual([]);
  });

  it('without RowMod are only looked at, and the before image may come along', async () => {
    await client.invoice();
    const header = await row('APInvHed');
    const ds = { APInvHed: [header, { ...header, Description: 'new', RowMod: 'U' }] };
    expect((await client.call(`${AP}/Update`, { ds })).status).toBe(200);
    expect(await row('APInvHed')).toMatchObject({ Description: 'new' });
  });

  it('of another tool may lack the writable external id', async () => {
    kinetic.changeSettings({ externalIdWritable: false });
    await client.group();
    await client.header({ ExternalID: 'OURS' });
    expect(await row('APInvHed')).toMatchObject({ ExternalID: '' });
  });
});

describe('method calls', () => {
  it('want every parameter by its exact name, and none that the release does not know', async () => {
    const ask = (parameters: object) => client.call(`${AP}/GetNewAPInvHedInvoice`, parameters);
    await client.group();
    expect(message(await ask({ CGroupID: 'BX261120', ds: {} }))).toBe(
      '400 Parameter cGroupID is not found in the input object',
    );
    expect((await ask({ cGroupID: 'BX261120', ds: {}, more: 1 })).status).toBe(400);
    kinetic.changeSettings({ addedParameters: { [`${AP}/GetNewAPInvHedInvoice`]: ['isNew'] } });
    expect(message(await ask({ cGroupID: 'BX261120', ds: {} }))).toMatch(/Parameter isNew is not found/);
    expect((await ask({ cGroupID: 'BX261120', ds: {}, isNew: false })).status).toBe(200);
  });

  it('that read take the verbs of the installation', async () => {
    await client.invoice();
    const key = { vendorNum: 101, invoiceNum: NUMBER };
    expect((await client.call(`${AP}/GetByID`, key)).status).toBe(200);
    kinetic.changeSettings({ readVerbs: 'get' });
    expect((await client.call(`${AP}/GetByID`, key)).status).toBe(405);
    kinetic.changeSettings({ readVerbs: 'post' });
    expect((await read()).status).toBe(405);
    expect((await client.get(`${AP}/Update`)).status).toBe(405);
  });

  it('may give their rows at the top, and none is called NoTran', async () => {
    kinetic.changeSettings({ dsAtTopLevel: true });
    expect((await client.call(`${GROUPS}/GetNewAPInvGrpNoLock`, { ds: {} })).body.ds.APInvGrp).toHaveLength(1);
    expect((await client.call(`${GROUPS}/GetNewAPInvGrpNoTran`, { ds: {} })).status).toBe(404);
  });
});

describe('lines and coding', () => {
  beforeEach(async () => {
    await client.group();
    await client.header({ ScrDocInvoiceVendorAmt: exact('30.30') });
  });

  it('are numbered by the server whatever the caller says', async () => {
    await client.line({ InvoiceLine: 1, DocUnitCost: exact('10.10'), ScrVendorQty: 1 });
    const answer = await client.line({ InvoiceLine: 1, ScrDocExtCost: exact('20.20') });
    expect(answer.body.parameters).toMatchObject({ lUpdateRan: true, grpTotalInvAmt: 30.3 });
    expect((await tables()).APInvDtl?.map(({ InvoiceLine }) => InvoiceLine)).toEqual([1, 2]);
    expect(await row('APInvHed')).toMatchObject({ DocInvoiceAmt: 30.3, DocInvoiceVariance: 0 });
  });

  it('a quantity of minus one takes from the invoice', async () => {
    await client.line({ DocUnitCost: exact('40.40'), ScrVendorQty: 1 });
    await client.line({ DocUnitCost: exact('10.10'), ScrVendorQty: -1 });
    expect(await row('APInvDtl', 1)).toMatchObject({ DocExtCost: -10.1 });
    expect(await row('APInvExpTGLC', 1)).toMatchObject({ DebitAmount: 0, CreditAmount: 10.1 });
  });

  it('save nothing behind a prompt, with 200 and lUpdateRan false', async () => {
    kinetic.setScenarios({ promptedSaves: 1 });
    const answer = await client.line({ DocUnitCost: 1, ScrVendorQty: 1 });
    expect(answer).toMatchObject({ status: 200, body: { parameters: { lUpdateRan: false } } });
    expect(answer.body.parameters.opMessage).not.toBe('');
    expect((await tables()).APInvDtl).toEqual([]);
    kinetic.changeSettings({ legalNumbersRequired: true });
    const legal = await client.line({ DocUnitCost: 1, ScrVendorQty: 1 });
    expect(legal.body.parameters).toMatchObject({ lUpdateRan: false, requiresUserInput: true });
  });

  it.each(['9999', '6600', '6500', '6500|30'])('refuse the account %s', async (account) => {
    await client.line({ DocUnitCost: 1, ScrVendorQty: 1 });
    expect((await client.code(1, account)).status).toBe(400);
    expect(await row('APInvExpTGLC')).toMatchObject({ GLAccount: '6400' });
  });

  it('refuse an account whose segments say something else', async () => {
    await client.line({ DocUnitCost: 1, ScrVendorQty: 1 });
    const differing = { ...coded(await row('APInvExpTGLC'), '6500|20'), SegValue1: '6400' };
    const save = () => client.call(`${AP}/Update`, { ds: { APInvExpTGLC: [differing] } });
    expect(message(await save())).toMatch(/^400 .*differ/);
    kinetic.changeSettings({ accountSegments: 'ignored' });
    expect((await save()).status).toBe(200);
  });

  it('have one account row for each book', async () => {
    kinetic.changeSettings({ secondBook: true });
    await client.line({ DocUnitCost: 1, ScrVendorQty: 1 });
    await client.code(1, '6500|20');
    const coding = (await tables()).APInvExpTGLC?.map(({ BookID, GLAccount }) => [BookID, GLAccount]);
    expect(coding).toEqual([
      ['MAIN', '6500|20'],
      ['TAX', '6400'],
    ]);
  });

  it('have no account where the company has no default, until one is added', async () => {
    kinetic.changeSettings({ defaultExpenseAccount: null });
    await client.line({ DocUnitCost: 1, ScrVendorQty: 1 });
    expect((await tables()).APInvExp).toEqual([]);
    const line = { vendorNum: 101, invoiceNum: NUMBER, invoiceLine: 1 };
    let ds = (await client.call(`${AP}/GetNewAPInvExp`, { ...line, ds: {} })).body.parameters.ds;
    ds = (await client.call(`${AP}/ChangeExpLineAmt`, { ProposedAmt: 1, ds })).body.parameters.ds;
    expect((await client.call(`${AP}/Update`, { ds })).status).toBe(200);
    ds = (await client.call(`${AP}/GetNewAPInvExpTGLC`, { ...line, invExpSeq: 1, ds: {} })).body.parameters.ds;
    ds.APInvExpTGLC[0] = { ...coded(ds.APInvExpTGLC[0], '6500|20'), RowMod: 'A' };
    expect((await client.call(`${AP}/Update`, { ds })).status).toBe(200);
    expect(await row('APInvExp')).toMatchObject({
      InvExpSeq: 1,
      DocExpAmt: 1,
      GLAccount: '6500|20',
      ExpDispGLAcct: '6500-20',
    });
  });

  it('get tax that nobody asked for where the company has a tax region', async () => {
    kinetic.changeSettings({ taxRegion: 'VAT20' });
    await client.header({ InvoiceNum: 'TAXED', ScrDocInvoiceVendorAmt: 10 });
    await client.line({ DocUnitCost: 10, ScrVendorQty: 1 }, 'TAXED');
    expect((await read('TAXED')).body.returnObj.APInvHed[0]).toMatchObject({
      DocInvoiceAmt: 12,
      DocInvoiceVariance: -2,
    });
    const exempt = { ...(await read('TAXED')).body.returnObj.APInvDtl[0], TaxExempt: 'EX', RowMod: 'U' };
    await client.call(`${AP}/Update`, { ds: { APInvDtl: [exempt] } });
    expect((await read('TAXED')).body.returnObj.APInvHed[0]).toMatchObject({ DocInvoiceVariance: 0 });
  });

  it('of a debit memo are typed positive and kept negative', async () => {
    await client.header({ InvoiceNum: 'MEMO', ScrDocInvoiceVendorAmt: 5 }, 'BX261120', 'GetNewAPInvHedDebitMemo');
    await client.line({ DocUnitCost: 5, ScrVendorQty: 1 }, 'MEMO');
    expect((await read('MEMO')).body.returnObj.APInvHed[0]).toMatchObject({
      ...{ DebitMemo: true, ScrDocInvoiceVendorAmt: 5, DocInvoiceVendorAmt: -5, DocInvoiceAmt: -5 },
      DocInvoiceVariance: 0,
    });
    expect(kinetic.documents('MEMO')).toMatchObject([{ debit: '5.00', credit: '5.00' }]);
  });

  it('fail with 200 in UpdateExt, and are taken back only when asked', async () => {
    const line = { VendorNum: 101, InvoiceNum: NUMBER, DocUnitCost: 1, RowMod: 'A', LineType: 'M' };
    const wrong = { VendorNum: 101, InvoiceNum: NUMBER, InvoiceLine: 7, DocScrExpAmt: 1, RowMod: 'A' };
    const save = (rollbackParentOnChildError: boolean) =>
      client.call(`${AP}/UpdateExt`, {
        ...{ ds: { APInvDtl: [line], APInvExp: [wrong] }, continueProcessingOnError: false },
        rollbackParentOnChildError,
      });
    const answer = await save(true);
    expect(answer).toMatchObject({ status: 200, body: { parameters: { errorsOccurred: true } } });
    expect(answer.body.returnObj.BOUpdError).toMatchObject([{ TableName: 'APInvExp', ErrorLevel: 'Error' }]);
    expect((await tables()).APInvDtl).toEqual([]);
    await save(false);
    expect((await tables()).APInvDtl).toHaveLength(1);
    kinetic.setScenarios({ failedRows: 1 });
    expect((await save(true)).body.parameters.errorsOccurred).toBe(true);
  });

  it('can all come in one UpdateExt', async () => {
    const key = { VendorNumVendorID: 'AMAZON', InvoiceNum: 'WHOLE', RowMod: 'A' };
    const part = { VendorNum: 101, InvoiceNum: 'WHOLE', InvoiceLine: 1, RowMod: 'A' };
    const ds = {
      APInvHed: [{ ...key, GroupID: 'BX261120', InvoiceDate: '2026-11-20', ScrDocInvoiceVendorAmt: exact('7.07') }],
      APInvDtl: [{ ...part, LineType: 'M', DocUnitCost: exact('7.07') }],
      APInvExp: [{ ...part, InvExpSeq: 1, DocScrExpAmt: exact('7.07') }],
      APInvExpTGLC: [{ ...coded({ ...part, InvExpSeq: 1 }, '6500|20'), RowMod: 'A' }],
    };
    const answer = await client.call(`${AP}/UpdateExt`, {
      ...{ ds, continueProcessingOnError: false, rollbackParentOnChildError: true },
    });
    expect(answer.body.parameters.errorsOccurred).toBe(false);
    expect(kinetic.documents('WHOLE')).toMatchObject([{ debit: '7.07', credit: '7.07' }]);
  });
});
