import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningEpicorKinetic } from '../../../src/sandbox/epicor-kinetic/index.js';
import { type Answer, CLOCK, MASTER, PlainClient, type Row, start } from './epicor-kineticSupport.js';

/** Groups, posting and people. What would be caught: a client that takes 200 for posted, or leaves a group held. */

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
