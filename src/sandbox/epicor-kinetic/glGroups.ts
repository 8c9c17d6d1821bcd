import { checkGroupLock } from './apGroups.js';
import { COA_CODE } from './chart.js';
import { BOOK_ID, CALENDAR_ID, JOURNAL_CODE, type KineticCompany } from './company.js';
import { notFound, refusal } from './failures.js';
import { postJournals } from './glPosting.js';
import { linesIn } from './glRows.js';
import { getList, getRows } from './lists.js';
import { type Row, type SentRow, text, whole } from './rows.js';
import {
  type Call,
  duplicate,
  type Method,
  merged,
  type Outcome,
  type SaveContext,
  type Service,
  storedRow,
  tableset,
} from './service.js';
import { GL_GROUP, GL_HEADER, GL_LINE } from './tables.js';

const TABLES = [GL_GROUP];
const OWNED = new Set(['CreatedBy', 'ActiveUserID', 'Posted', 'HasDetails', 'PostErrorLog', 'LockStatus', 'IsLcked']);

export function glGroup(company: KineticCompany, groupId: string): Row {
  const group = company.database.table(GL_GROUP).find(groupId);
  if (group === undefined) throw refusal(`Group ${groupId} is not valid.`, { table: 'GLJrnGrp', field: 'GroupID' });
  return group;
}

function change(parameter: string, apply: (call: Call, row: Row) => Row, out: Record<string, unknown> = {}): Method {
  return {
    effect: 'prepare',
    parameters: [parameter, 'ds'],
    run: (call) => {
      const rows = call.args.rows(TABLES).map((sent) => ({
        ...{ def: GL_GROUP, row: apply(call, sent.row) },
        rowMod: sent.rowMod === '' ? 'U' : sent.rowMod,
      }));
      return { parameters: { ...out, ds: tableset(TABLES, rows, call.wire) } };
    },
  };
}

/** Groups of ledger journals (Epicor REST: GL methods). */
export const glGroupService: Service = {
  name: 'Erp.BO.GLJrnGrpSvc',
  sets: { GLJrnGrps: { def: GL_GROUP } },
  save: saveGroup,
  methods: {
    GetNewGLJrnGrp: { effect: 'prepare', parameters: ['ds'], run: (call) => newGroup(call, call.user) },
    GetNewGLJrnGrpNoLock: { effect: 'prepare', parameters: ['ds'], run: (call) => newGroup(call, '') },
    CheckFiscalYear: { effect: 'prepare', parameters: ['ds', 'cGroupID', 'cJEDate'], run: checkFiscalYear },
    ChangeEntryMode: change('proposedBookMode', (call, row) => {
      const mode = call.args.text('proposedBookMode');
      if (mode !== 'S' && mode !== 'M') throw refusal(`Entry mode '${mode}' is not valid.`);
      return { ...row, BookMode: mode };
    }),
    ChangeBookID: change('proposeBookID', (call, row) => {
      checkBook(call.args.text('proposeBookID'));
      return { ...row, BookID: BOOK_ID, COACode: COA_CODE, FiscalCalendarID: CALENDAR_ID };
    }),
    ChangeJournalCode: change('proposedJournalCode', (call, row) => ({
      ...row,
      JournalCode: call.args.text('proposedJournalCode'),
    })),
    ChangeFiscalPeriodType: change(
      'proposedPeriodType',
      (call, row) => ({ ...row, FiscalPeriodType: call.args.text('proposedPeriodType') }),
      { opMessage: '' },
    ),
    Update: { effect: 'write', parameters: ['ds'], run: updateGroups },
    UpdateNoLock: { effect: 'write', parameters: ['ds'], run: updateGroups },
    GroupLock: { effect: 'write', parameters: ['groupID', 'ds'], run: (call) => lock(call, 'groupID', call.user) },
    GroupUnlock: { effect: 'write', parameters: ['groupID', 'ds'], run: (call) => lock(call, 'groupID', '') },
    UnlockGroup: {
      effect: 'write',
      parameters: ['inGroupID'],
      run: (call) => {
        lock(call, 'inGroupID', '');
        return {};
      },
    },
    GetByID: {
      effect: 'read',
      parameters: ['groupID'],
      run: (call) => {
        const found = call.company.database.table(GL_GROUP).find(call.args.text('groupID'));
        if (found === undefined) throw notFound();
        return { returnObj: shown(call, [text(found, 'GroupID')]) };
      },
    },
    GetRows: getRows(GL_GROUP, ['GLJrnGrp'], TABLES, (_company, row) => [{ def: GL_GROUP, row }]),
    GetList: getList(GL_GROUP),
    CheckBeforePost: {
      effect: 'read',
      parameters: ['groupID'],
      run: (call) => {
        glGroup(call.company, call.args.text('groupID'));
        return {};
      },
    },
    IsNeedAsyncronousPosting: {
      effect: 'read',
      parameters: ['groupID', 'maxCountOfLines'],
      run: (call) => ({ returnObj: lineCount(call) >= call.company.settings.asynchronousFromLines }),
    },
    PostGroupJournals: { effect: 'write', parameters: ['postGroupID'], run: postGroup },
    DeleteByID: {
      effect: 'write',
      parameters: ['groupID'],
      run: (call) => {
        removeGroup(call, call.args.text('groupID'));
        return {};
      },
    },
  },
};

function newGroup(call: Call, holder: string): Outcome {
  const { company } = call;
  const row: Row = {
    ...{ Company: company.database.company, CreatedBy: call.user, ActiveUserID: holder, JEDate: company.today },
    ...{ BookMode: 'S', BookID: BOOK_ID, COACode: COA_CODE, JournalCode: JOURNAL_CODE, FiscalPeriodType: 'O' },
    ...{ CurrencyCode: company.baseCurrency, ...periodOf(company, company.today) },
  };
  const rows = [...call.args.rows(TABLES), { def: GL_GROUP, row, rowMod: 'A' }];
  return { parameters: { ds: tableset(TABLES, rows, call.wire) } };
}

/** Fills the period of a date in; that it is closed is only said, not refused. */
function checkFiscalYear(call: Call): Outcome {
  const day = call.args.date('cJEDate');
  const rows = call.args
    .rows(TABLES)
    .map((sent) => ({ ...sent, row: { ...sent.row, JEDate: day, ...periodOf(call.company, day) } }));
  const opMessage = call.company.isOpen(day) ? '' : `The fiscal period for ${day} is closed.`;
  return { parameters: { opMessage, ds: tableset(TABLES, rows, call.wire) } };
}

function periodOf(company: KineticCompany, day: string): Row {
  const period = company.periodOf(day);
  if (period === undefined) return {};
  const columns = { FiscalYear: whole(period, 'FiscalYear'), FiscalPeriod: whole(period, 'FiscalPeriod') };
  return { ...columns, FiscalCalendarID: CALENDAR_ID };
}

function updateGroups(call: Call): Outcome {
  const rows = call.args.rows(TABLES);
  for (const row of rows) saveGroup(call, row);
  return {
    parameters: {
      ds: shown(
        call,
        rows.map(({ row }) => text(row, 'GroupID')),
      ),
    },
  };
}

function saveGroup({ company, user }: SaveContext, sent: SentRow): Row | undefined {
  const table = company.database.table(GL_GROUP);
  if (sent.rowMod === 'A') {
    const groupId = text(sent.row, 'GroupID').trim();
    const place = { table: 'GLJrnGrp', field: 'GroupID' };
    if (groupId === '') throw refusal('Group is required.', place);
    if (groupId.length > company.settings.groupIdMax) {
      throw refusal(`Group ID is longer than ${company.settings.groupIdMax}.`, place);
    }
    if (table.find(groupId) !== undefined) throw duplicate(company, 'GLJrnGrp');
    checkBook(text(sent.row, 'BookID') || BOOK_ID);
    const { SysRowID: _id, ...row } = sent.row;
    const day = text(row, 'JEDate') || company.today;
    return table.put({
      ...row,
      ...company.periodColumns(day, 'GLJrnGrp'),
      ...{ GroupID: groupId, JEDate: day, CreatedBy: user, BookID: BOOK_ID, COACode: COA_CODE },
      ...{ BookMode: text(row, 'BookMode') || 'S', JournalCode: text(row, 'JournalCode') || JOURNAL_CODE },
      ...{ CurrencyCode: company.baseCurrency, ActiveUserID: text(row, 'ActiveUserID') === '' ? '' : user },
      ...{ Posted: false, PostErrorLog: '' },
    });
  }
  if (sent.rowMod === 'U') {
    const stored = storedRow(company, sent);
    checkGroupLock(stored, user);
    const row = merged(company, stored, sent, OWNED);
    const isMoved = text(row, 'JEDate') !== text(stored, 'JEDate');
    if (isMoved && journalCount(company, text(stored, 'GroupID')) > 0) {
      throw refusal('The date cannot be changed once the group has journals.', { table: 'GLJrnGrp', field: 'JEDate' });
    }
    return table.put({ ...row, ...company.periodColumns(text(row, 'JEDate') || company.today, 'GLJrnGrp') });
  }
  if (sent.rowMod === 'D') {
    removeGroup({ company, user }, text(storedRow(company, sent), 'GroupID'));
  }
  return table.same(sent.row);
}

function checkBook(bookId: string): void {
  if (bookId !== BOOK_ID) throw refusal(`Book ${bookId} is not valid.`, { table: 'GLJrnGrp', field: 'BookID' });
}

function removeGroup({ company, user }: SaveContext, groupId: string): void {
  const group = company.database.table(GL_GROUP).find(groupId);
  if (group === undefined) throw notFound();
  checkGroupLock(group, user);
  if (journalCount(company, groupId) > 0) throw refusal(`Group ${groupId} has journals and cannot be deleted.`);
  company.database.table(GL_GROUP).remove(group);
}

function journalCount(company: KineticCompany, groupId: string): number {
  return company.database.table(GL_HEADER).countWhere('GroupID', groupId);
}

function lineCount(call: Call): number {
  const group = glGroup(call.company, call.args.text('groupID'));
  const headers = [...call.company.database.table(GL_HEADER).where('GroupID', text(group, 'GroupID'))];
  return headers.reduce((count, header) => count + linesIn(call.company, GL_LINE, header).length, 0);
}

function lock(call: Call, parameter: string, holder: string): Outcome {
  const group = glGroup(call.company, call.args.text(parameter));
  checkGroupLock(group, call.user);
  call.company.database.table(GL_GROUP).put({ ...group, ActiveUserID: holder });
  return { parameters: { ds: shown(call, [text(group, 'GroupID')]) } };
}

/** 200 also when nothing was posted: the message tells (Epicor REST: GL methods). */
function postGroup(call: Call): Outcome {
  const group = glGroup(call.company, call.args.text('postGroupID'));
  checkGroupLock(group, call.user);
  const log = postJournals(call.company, text(group, 'GroupID'), call.user);
  return { parameters: { NotAllPostedMessage: log === '' ? '' : 'Not all journals of the group were posted.' } };
}

function shown(call: Call, groupIds: readonly string[]): Record<string, unknown> {
  const table = call.company.database.table(GL_GROUP);
  const rows = [...new Set(groupIds)].flatMap((groupId) => {
    const row = table.find(groupId);
    if (row === undefined) return [];
    return [{ def: GL_GROUP, row: { ...row, HasDetails: journalCount(call.company, groupId) > 0 } }];
  });
  return tableset(TABLES, rows, call.wire);
}
