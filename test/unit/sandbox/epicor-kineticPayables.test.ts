import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningEpicorKinetic } from '../../../src/sandbox/epicor-kinetic/index.js';
import { type Answer, CLOCK, coded, exact, MASTER, PlainClient, type Row, start } from './epicor-kineticSupport.js';

/** Supplier invoices. What would be caught: a client that takes 200 for done, or a saved row for a posted document. */

const NUMBER = 'BRX7F3K2M9Q';
const AP = 'Erp.BO.APInvoiceSvc';
const GROUPS = 'Erp.BO.APInvGrpSvc';
const POST = 'Erp.PROC.APInvoicePostSvc';

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
const unlock = (): Promise<Answer> => client.call(`${GROUPS}/UnlockGroup`, { InGroupID: 'BX261120' });

async function post(method = 'RunDirect', more: object = {}): Promise<Answer> {
  const { body } = await client.get(`${POST}/GetNewParameters`);
  const parameters = { ...body.returnObj.APInvoicePostParam[0], GroupID: 'BX261120' };
  return client.call(`${POST}/${method}`, { ds: { APInvoicePostParam: [parameters] }, ...more });
}
const AGENT = { agentID: 'SystemTaskAgent', agentSchedNum: 0, agentTaskNum: 0, maintProgram: 'Erp.UI.APInvoicePost' };

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

describe('a group', () => {
  it('stays held by who saved into it until it is unlocked, and refuses another user', async () => {
    await client.invoice();
    expect(kinetic.groups()).toMatchObject([{ groupId: 'BX261120', holder: 'INTEGRATION', documents: 1 }]);
    await unlock();
    expect(kinetic.groups()[0]?.holder).toBe('');
    kinetic.holdGroup('BX261120');
    expect(message(await client.header({ InvoiceNum: 'NEXT' }))).toMatch(/^400 .*in use by CLERK/);
    expect((await unlock()).status).toBe(400);
  });

  it('is locked from its first save by the method without NoLock', async () => {
    const fresh = await client.call(`${GROUPS}/GetNewAPInvGrp`, { ds: {} });
    const group = { ...fresh.body.parameters.ds.APInvGrp[0], GroupID: 'HELD' };
    await client.call(`${GROUPS}/Update`, { ds: { APInvGrp: [group] } });
    expect(kinetic.groups()).toMatchObject([{ groupId: 'HELD', holder: 'INTEGRATION' }]);
  });

  it('warns of a closed period with 200 and refuses it on saving', async () => {
    const fresh = await client.call(`${GROUPS}/GetNewAPInvGrpNoLock`, { ds: {} });
    const changed = await client.call(`${GROUPS}/OnChangeofApplyDate`, {
      ...{ GroupID: '', NewApplyDate: '2026-08-14', ds: fresh.body.parameters.ds },
    });
    expect(changed).toMatchObject({
      status: 200,
      body: { parameters: { DateMessage: expect.stringMatching(/closed/) } },
    });
    expect((await client.group('BX260814', '2026-08-14')).status).toBe(400);
  });

  it('can be made through OData, but not deleted while it has invoices', async () => {
    const made = await client.send(
      'POST',
      `${GROUPS}/APInvGrps`,
      JSON.stringify({ Company: 'EPIC06', GroupID: 'ODATA' }),
    );
    expect([made.status, made.body.GroupID]).toEqual([201, 'ODATA']);
    expect((await client.send('POST', `${GROUPS}/APInvGrps`, '[]')).body.ErrorMessage).toBe(
      'Unable to deserialize entity',
    );
    expect((await client.send('DELETE', `${GROUPS}/APInvGrps('EPIC06','ODATA')`)).status).toBe(204);
    await client.invoice();
    expect((await client.call(`${GROUPS}/DeleteByID`, { groupID: 'BX261120' })).status).toBe(400);
    await client.call(`${AP}/DeleteByID`, { vendorNum: 101, invoiceNum: NUMBER });
    expect((await client.call(`${GROUPS}/DeleteByID`, { groupID: 'BX261120' })).status).toBe(200);
    expect(kinetic.documents()).toEqual([]);
  });
});

describe('posting', () => {
  it('answers nothing: the invoice is posted, the group is gone, the ledger has its lines', async () => {
    await client.invoice();
    await unlock();
    expect(await post()).toMatchObject({ status: 200, text: '{}' });
    expect(await row('APInvHed')).toMatchObject({ Posted: true, JournalCode: 'PJ', JournalNum: 1 });
    expect((await client.get(`${GROUPS}/GetByID`, { groupID: 'BX261120' })).status).toBe(404);
    const lines = await client.rows('Erp.BO.GLJrnDtlSvc/GLJrnDtls', { $filter: "GroupID eq 'BX261120'" });
    expect(lines.map(({ GLAccount, DebitAmount, CreditAmount }) => [GLAccount, DebitAmount, CreditAmount])).toEqual([
      ['6500|20', 123.45, 0],
      ['2000', 0, 123.45],
    ]);
    const changed = { ...(await row('APInvHed')), RowMod: 'U' };
    expect((await client.call(`${AP}/Update`, { ds: { APInvHed: [changed] } })).status).toBe(400);
    expect((await client.header({})).status).toBe(400);
    await client.group();
    expect((await client.header({})).status).toBe(409);
  });

  it.each([
    [
      'a variance',
      async () => void (await client.header({ InvoiceNum: 'OFF', ScrDocInvoiceVendorAmt: 5 })),
      /variance/,
    ],
    ['a group that is held', async () => kinetic.holdGroup('BX261120', 'INTEGRATION'), /in use/],
    ['a period that was closed', async () => kinetic.setPeriodOpen('2026-11-20', false), /period is closed/],
    ['an account that was closed', async () => kinetic.setAccountActive('6500', false), /Invalid Account/],
    ['a process that failed', async () => void kinetic.setScenarios({ failedPostings: 1 }), /failed/],
  ])('leaves %s in the group with a text, and answers 200 all the same', async (_what, prepare, words) => {
    await client.invoice();
    await unlock();
    await prepare();
    if (_what === 'a variance') await unlock();
    expect((await post()).status).toBe(200);
    expect(kinetic.groups()[0]?.postErrorLog).toMatch(words);
    if (_what !== 'a variance') expect(await row('APInvHed')).toMatchObject({ Posted: false });
  });

  it('may tell of a failure where the release does', async () => {
    kinetic.changeSettings({ runDirectFailure: 'error' });
    await client.invoice();
    expect(message(await post())).toMatch(/^400 .*in use/);
    expect(kinetic.groups()[0]?.postErrorLog).toMatch(/in use/);
  });

  it('by the agent happens later, and the group says that it runs', async () => {
    let now = CLOCK.now();
    await kinetic.close();
    kinetic = await start({ clock: { now: () => now }, settings: { agentDelayMs: 5000 } });
    client = new PlainClient(kinetic);
    await client.invoice();
    await unlock();
    expect((await post('SubmitToAgent', AGENT)).status).toBe(200);
    expect(await row('APInvHed')).toMatchObject({ Posted: false });
    expect(kinetic.groups()).toMatchObject([{ postInProcess: true }]);
    expect((await client.header({ InvoiceNum: 'NEXT' })).status).toBe(400);
    now = new Date(now.getTime() + 5000);
    expect(await row('APInvHed')).toMatchObject({ Posted: true });
  });

  it('by an agent that does not run waits for ever, and a run that ends half way leaves its mark', async () => {
    kinetic.changeSettings({ agentDelayMs: null });
    await client.invoice();
    await unlock();
    await post('SubmitToAgent', AGENT);
    expect(await row('APInvHed')).toMatchObject({ Posted: false });
    kinetic.setScenarios({ stuckPostings: 1 });
    expect(kinetic.runAgent()).toBe(1);
    expect(kinetic.groups()).toMatchObject([{ postInProcess: true, postErrorLog: '' }]);
  });

  it('is announced by the messages of the check before it', async () => {
    await client.invoice();
    await client.header({ InvoiceNum: 'OFF', ScrDocInvoiceVendorAmt: 5 });
    const { body } = await client.get(`${GROUPS}/PrePostGroupInvoices`, { PostGroupID: 'BX261120' });
    expect(body.parameters.VarianceMessage).toMatch(/OFF/);
  });
});

describe('people and faults', () => {
  it('an invoice keeps its SysRowID when a person moves it to another supplier', async () => {
    await client.invoice();
    const { SysRowID } = await row('APInvHed');
    kinetic.renumberInvoice({ vendor: 'AMAZON', invoiceNum: NUMBER }, { vendor: "O'BRIEN" });
    expect((await read()).status).toBe(404);
    const { body } = await client.get(`${AP}/GetBySysRowID`, { id: SysRowID });
    expect(body.returnObj.APInvHed[0]).toMatchObject({ VendorNum: 102, InvoiceNum: NUMBER });
    expect(body.returnObj.APInvExpTGLC).toHaveLength(1);
    kinetic.deleteInvoice("O'BRIEN", NUMBER);
    expect(kinetic.documents()).toEqual([]);
  });

  it('a rule can tell the save of a header from that of a line or a coding', async () => {
    kinetic.faults.set([
      { match: `write ${AP}/Update APInvHed:A`, kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 },
      { match: `write ${AP}/UpdateMaster APInvDtl:A`, kind: 'SERVER_ERROR', times: 1 },
      { match: `write ${AP}/Update APInvExpTGLC:U`, kind: 'HTML_AFTER_COMMIT', times: 1 },
    ]);
    await client.group();
    await expect(client.header({})).rejects.toThrow();
    const lost = await client.line({ DocUnitCost: 1, ScrVendorQty: 1 });
    expect(lost.body.ErrorMessage).toMatch(/Correlation ID: /);
    await client.line({ DocUnitCost: 1, ScrVendorQty: 1 });
    expect((await client.code(1, '6500|20')).type).toMatch(/text\/html/);
    expect((await tables()).APInvDtl).toHaveLength(1);
    expect(await row('APInvExpTGLC')).toMatchObject({ GLAccount: '6500|20' });
  });

  it('an answer of 500 may come after the save', async () => {
    await client.group();
    kinetic.setScenarios({ brokenAnswers: 1 });
    expect((await client.header({})).status).toBe(500);
    expect(kinetic.documents(NUMBER)).toHaveLength(1);
  });

  it('the check for logged invoices never tells of a duplicate', async () => {
    await client.invoice();
    const asked = { txtVendorID: 'AMAZON', txtInvoiceNum: NUMBER };
    expect((await client.get(`${AP}/ValidateInvoiceID`, asked)).body.parameters).toEqual({
      ...{ intVendorNum: 101, logAPInvFound: false },
    });
  });

  it('UpdateMaster wants the group of the invoice and a table that there is', async () => {
    await client.invoice();
    const ds = { APInvHed: [{ ...(await row('APInvHed')), RowMod: 'U' }] };
    await client.group('OTHER');
    expect((await client.call(`${AP}/UpdateMaster`, { ...MASTER, cGroupID: 'OTHER', ds })).status).toBe(400);
    expect((await client.call(`${AP}/UpdateMaster`, { ...MASTER, cTableName: 'Invoice', ds })).status).toBe(400);
  });
});
