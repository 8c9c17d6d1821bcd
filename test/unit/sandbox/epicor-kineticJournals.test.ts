import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningEpicorKinetic } from '../../../src/sandbox/epicor-kinetic/index.js';
import { type Answer, CLOCK, coded, exact, PlainClient, type Row, start } from './epicor-kineticSupport.js';

/** Ledger journals. What would be caught: two journals for one fact, as nothing at the server keeps them apart. */

const GROUPS = 'Erp.BO.GLJrnGrpSvc';
const ENTRY = 'Erp.BO.GLJournalEntrySvc';
const POSTED = 'Erp.BO.GLJrnDtlSvc/GLJrnDtls';
const GROUP = 'BX261120';
const TEXT = 'BRX7F3K2M9Q Brex card';

let kinetic: RunningEpicorKinetic;
let client: PlainClient;
beforeEach(async () => {
  kinetic = await start();
  client = new PlainClient(kinetic);
});
afterEach(() => kinetic.close());

async function group(groupId = GROUP, day = '2026-11-14'): Promise<Answer> {
  let ds = (await client.call(`${GROUPS}/GetNewGLJrnGrpNoLock`, { ds: {} })).body.parameters.ds;
  ds.GLJrnGrp[0].GroupID = groupId;
  ds = (await client.call(`${GROUPS}/CheckFiscalYear`, { ds, cGroupID: groupId, cJEDate: day })).body.parameters.ds;
  ds = (await client.call(`${GROUPS}/ChangeEntryMode`, { proposedBookMode: 'S', ds })).body.parameters.ds;
  ds = (await client.call(`${GROUPS}/ChangeBookID`, { proposeBookID: 'MAIN', ds })).body.parameters.ds;
  return client.call(`${GROUPS}/Update`, { ds });
}

async function header(columns: Row = {}, groupId = GROUP): Promise<Answer> {
  const { ds } = (await client.call(`${ENTRY}/GetNewGlJrnHedTran`, { GroupID: groupId, ds: {} })).body.parameters;
  Object.assign(ds.GLJrnHed[0], { Description: TEXT, ...columns });
  return client.call(`${ENTRY}/Update`, { ds });
}

async function line(account: string, columns: Row, journalNum = 1): Promise<Answer> {
  const key = { bookID: 'MAIN', fiscalYear: 2026, fiscalYearSuffix: '', journalCode: 'GJ', journalNum, journalLine: 0 };
  const { ds } = (await client.call(`${ENTRY}/GetNewGLJrnDtlMnl`, { ...key, ds: {} })).body.parameters;
  ds.GLJrnDtlMnl[0] = { ...coded(ds.GLJrnDtlMnl[0], account), ...columns, RowMod: 'A' };
  return client.call(`${ENTRY}/Update`, { ds });
}

async function journal(groupId = GROUP, journalNum = 1, credit = '123.45'): Promise<void> {
  await group(groupId);
  await header({}, groupId);
  await line('6500|20', { TotDebit: exact('123.45'), TransAmt: exact('123.45') }, journalNum);
  await line('2150', { TotCredit: exact(credit), TransAmt: exact(`-${credit}`) }, journalNum);
}

const unlock = (): Promise<Answer> => client.call(`${GROUPS}/UnlockGroup`, { inGroupID: GROUP });
const post = (): Promise<Answer> => client.call(`${GROUPS}/PostGroupJournals`, { postGroupID: GROUP });
const waiting = async (): Promise<Row> =>
  (await client.get(`${ENTRY}/GetByGroupID`, { GroupID: GROUP })).body.returnObj;

describe('a journal', () => {
  it('is known by the code that both its texts begin with, digit or not, also once it is posted', async () => {
    await group();
    await header({ Description: 'XOBKEEHXOPIFRFG A12345 Brex', CommentText: 'XOBKEEHXOPIFRFG A12345 Brex card' });
    await line('6500|20', { TotDebit: exact('1.00'), TransAmt: exact('1.00') });
    await line('2150', { TotCredit: exact('1.00'), TransAmt: exact('-1.00') });
    expect(kinetic.documents().map(({ reference }) => reference)).toEqual(['XOBKEEHXOPIFRFG']);
    await unlock();
    await post();
    expect(kinetic.documents()).toMatchObject([{ reference: 'XOBKEEHXOPIFRFG', posted: true }]);
  });

  it('waits in its group with its totals, and is shown in neutral words', async () => {
    await journal();
    const { GLJrnHed, GLJrnDtlMnl } = await waiting();
    expect(GLJrnHed).toMatchObject([{ JournalNum: 1, TotDebit: 123.45, TotCredit: 123.45, Balance: 0, Posted: false }]);
    expect(GLJrnDtlMnl.map(({ JournalLine, TransAmt }: Row) => [JournalLine, TransAmt])).toEqual([
      [1, 123.45],
      [2, -123.45],
    ]);
    expect(kinetic.documents('BRX7F3K2M9Q')).toMatchObject([
      {
        type: 'JOURNAL',
        number: 'MAIN/2026/GJ/1',
        debit: '123.45',
        credit: '123.45',
        posted: false,
        date: '2026-11-14',
      },
    ]);
    expect(await client.rows(POSTED)).toEqual([]);
  });

  it('has no key: the same one twice is two journals', async () => {
    await journal('FIRST', 1);
    await journal('SECOND', 2);
    expect(kinetic.documents('BRX7F3K2M9Q')).toHaveLength(2);
    expect(kinetic.summary()).toMatchObject({ journals: 2, duplicates: ['BRX7F3K2M9Q'] });
  });

  it('has no UpdateMaster', async () => {
    expect((await client.call(`${ENTRY}/UpdateMaster`, { ds: {} })).status).toBe(404);
  });

  it('keeps an account that is not valid and only flags it, with 200', async () => {
    await group();
    await header();
    const answer = await line('9999', { TotDebit: 1 });
    expect(answer.status).toBe(200);
    expect(answer.body.parameters.ds.GLJrnDtlMnl[0]).toMatchObject({ InvalidGLAccount: true });
    expect((await line('2000', { TotCredit: 1 })).body.parameters.ds.GLJrnDtlMnl[1].InvalidGLAccountMessage).toMatch(
      /control/,
    );
    kinetic.changeSettings({ invalidJournalAccount: 'refuse' });
    expect((await line('9999', { TotDebit: 1 })).status).toBe(400);
  });

  it('reads amounts from the columns that its server reads', async () => {
    await group();
    await header();
    const saved = async (columns: Row) => (await line('6400', columns)).body.parameters?.ds.GLJrnDtlMnl.at(-1).TransAmt;
    expect(await saved({ TotCredit: 5 })).toBe(-5);
    expect(await saved({ TransAmt: 5 })).toBe(5);
    expect((await line('6400', { TotDebit: 5, TransAmt: -5 })).status).toBe(400);
    kinetic.changeSettings({ journalAmounts: 'totals' });
    expect(await saved({ TransAmt: 5 })).toBe(0);
    kinetic.changeSettings({ journalAmounts: 'transaction' });
    expect(await saved({ TotDebit: 5 })).toBe(0);
  });

  it('takes the screen way for an amount', async () => {
    await group();
    await header();
    const key = {
      bookID: 'MAIN',
      fiscalYear: 2026,
      fiscalYearSuffix: '',
      journalCode: 'GJ',
      journalNum: 1,
      journalLine: 0,
    };
    let ds = (await client.call(`${ENTRY}/GetNewGLJrnDtlMnl`, { ...key, ds: {} })).body.parameters.ds;
    const converted = { proposedAmount: exact('7.77'), iLineNum: 0, ds };
    ds = (await client.call(`${ENTRY}/ConvertCreditAmount`, converted)).body.parameters.ds;
    expect(ds.GLJrnDtlMnl[0]).toMatchObject({ TransAmt: -7.77, TotCredit: 7.77, RowMod: 'A' });
  });

  it('must lie in the period of its group, in the currency of the book', async () => {
    await group();
    expect((await header({ JEDate: '2026-12-01' })).status).toBe(400);
    expect((await header({ CurrencyCode: 'EUR' })).status).toBe(400);
    expect(kinetic.documents()).toEqual([]);
    expect((await group('CLOSED', '2026-08-14')).status).toBe(400);
  });

  it('fixes the date of its group', async () => {
    await journal();
    const { body } = await client.get(`${GROUPS}/GetByID`, { groupID: GROUP });
    const moved = { ...body.returnObj.GLJrnGrp[0], JEDate: '2026-11-15', RowMod: 'U' };
    expect((await client.call(`${GROUPS}/Update`, { ds: { GLJrnGrp: [moved] } })).status).toBe(400);
  });

  it('moves its revision with each line', async () => {
    await group();
    const { ds } = (await header()).body.parameters;
    await line('6400', { TotDebit: 1 });
    Object.assign(ds.GLJrnHed[0], { CommentText: 'x', RowMod: 'U' });
    expect((await client.call(`${ENTRY}/Update`, { ds })).status).toBe(409);
  });

  it('can be deleted while it waits, and then its group too', async () => {
    await journal();
    const key = { bookID: 'MAIN', fiscalYear: 2026, fiscalYearSuffix: '', journalCode: 'GJ', journalNum: 1 };
    expect((await client.call(`${GROUPS}/DeleteByID`, { groupID: GROUP })).status).toBe(400);
    expect((await client.call(`${ENTRY}/DeleteByID`, { ...key, fiscalCalendarID: 'MAIN' })).status).toBe(200);
    expect((await client.call(`${GROUPS}/DeleteByID`, { groupID: GROUP })).status).toBe(200);
    expect([kinetic.documents(), kinetic.groups()]).toEqual([[], []]);
  });

  it('can fail with 200 in UpdateExt', async () => {
    await group();
    await header();
    const { GLJrnHed } = await waiting();
    const { BookID, FiscalYear, JournalCode, JournalNum, FiscalCalendarID } = GLJrnHed[0];
    const key = { BookID, FiscalYear, JournalCode, JournalNum, FiscalCalendarID, RowMod: 'A' };
    const lines = [
      { ...key, TotDebit: 1 },
      { ...key, TotDebit: 1, TransAmt: 2 },
    ];
    const answer = await client.call(`${ENTRY}/UpdateExt`, {
      ...{ ds: { GLJrnDtlMnl: lines }, continueProcessingOnError: true, rollbackParentOnChildError: false },
    });
    expect(answer).toMatchObject({ status: 200, body: { parameters: { errorsOccurred: true } } });
    expect((await waiting()).GLJrnDtlMnl).toHaveLength(1);
  });
});

describe('posting a group', () => {
  it('moves the lines to the ledger and deletes the group and the headers', async () => {
    await journal();
    await unlock();
    expect((await post()).body.parameters).toEqual({ NotAllPostedMessage: '' });
    expect(kinetic.groups()).toEqual([]);
    expect((await waiting()).GLJrnHed).toEqual([]);
    const found = { $filter: `GroupID eq '${GROUP}' and FiscalYear eq 2026`, $orderby: 'JournalLine' };
    expect(await client.rows(POSTED, found)).toMatchObject([
      { GLAccount: '6500|20', DebitAmount: 123.45, Description: TEXT, PostedBy: 'INTEGRATION', SourceModule: 'GL' },
      { GLAccount: '2150', CreditAmount: 123.45 },
    ]);
    expect(await client.rows(POSTED, { $filter: "contains(Description,'BRX7F3K2M9Q')" })).toHaveLength(2);
    expect(kinetic.documents('BRX7F3K2M9Q')).toMatchObject([{ posted: true, debit: '123.45' }]);
  });

  it('keeps only the text of the line: a marker in the header alone is lost', async () => {
    await group();
    await header({ CommentText: 'BRX7F3K2M9Q' });
    await line('6400', { TotDebit: 1, Description: 'Hosting' });
    await line('2150', { TotCredit: 1, Description: 'Card' });
    await unlock();
    await post();
    expect(await client.rows(POSTED, { $filter: "contains(Description,'BRX')" })).toEqual([]);
    expect(await client.rows(POSTED, { $filter: `GroupID eq '${GROUP}'` })).toHaveLength(2);
  });

  it('frees the name of the group for the next one', async () => {
    await journal();
    await unlock();
    await post();
    expect((await group()).status).toBe(200);
  });

  it.each([
    ['the group is held', async () => kinetic.holdGroup(GROUP, 'INTEGRATION'), /in use/],
    ['the period was closed', async () => kinetic.setPeriodOpen('2026-11-14', false), /closed/],
    ['an account was closed', async () => kinetic.setAccountActive('6500', false), /^Invalid Account$/],
    ['the process fails', async () => void kinetic.setScenarios({ failedPostings: 1 }), /failed/],
  ])('says with 200 that nothing was posted when %s', async (_when, prepare, words) => {
    await journal();
    await unlock();
    await prepare();
    const answer = await post();
    expect(answer.status).toBe(200);
    expect(answer.body.parameters.NotAllPostedMessage).not.toBe('');
    expect(kinetic.groups()[0]?.postErrorLog).toMatch(words);
    expect(await client.rows(POSTED)).toEqual([]);
  });

  it('posts the journals that balance and leaves the others', async () => {
    await journal(GROUP, 1);
    await header();
    await line('6400', { TotDebit: 1 }, 2);
    await unlock();
    await post();
    expect(kinetic.groups()).toMatchObject([{ postErrorLog: 'Out of Balance transactions', documents: 1 }]);
    expect(kinetic.summary()).toMatchObject({ journals: 2, posted: 1, unbalanced: 1 });
  });

  it('refuses a group that another user holds', async () => {
    await journal();
    kinetic.holdGroup(GROUP);
    expect((await post()).status).toBe(400);
    expect((await line('6400', { TotDebit: 1 })).status).toBe(400);
  });

  it('by the agent happens later', async () => {
    let now = CLOCK.now();
    await kinetic.close();
    kinetic = await start({ clock: { now: () => now }, settings: { agentDelayMs: 1000, asynchronousFromLines: 2 } });
    client = new PlainClient(kinetic);
    await journal();
    await unlock();
    const asked = { groupID: GROUP, maxCountOfLines: 1 };
    expect((await client.get(`${GROUPS}/IsNeedAsyncronousPosting`, asked)).body.returnObj).toBe(true);
    const service = 'Erp.PROC.GLJrnAsynchSvc';
    const parameters = (await client.get(`${service}/GetNewParameters`)).body.returnObj.GLJrnAsynchParam[0];
    const ds = { GLJrnAsynchParam: [{ ...parameters, GroupID: GROUP }] };
    const task = { agentID: '', agentSchedNum: 0, agentTaskNum: 0, maintProgram: '' };
    expect((await client.call(`${service}/SubmitToAgent`, { ds, ...task })).status).toBe(200);
    expect(kinetic.documents()).toMatchObject([{ posted: false }]);
    now = new Date(now.getTime() + 1000);
    expect(await client.rows(POSTED)).toHaveLength(2);
  });

  it('whose reply was lost after the commit can be found by group and year', async () => {
    await journal();
    await unlock();
    kinetic.faults.set([{ match: `write ${GROUPS}/PostGroupJournals`, kind: 'LOSE_REPLY_AFTER_COMMIT', times: 1 }]);
    await expect(post()).rejects.toThrow();
    expect(await client.rows(POSTED, { $filter: `GroupID eq '${GROUP}'` })).toHaveLength(2);
    expect((await post()).status).toBe(400);
  });
});
