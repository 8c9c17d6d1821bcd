import type { KineticCompany } from './company.js';
import { notFound, refusal } from './failures.js';
import { getList, getRows } from './lists.js';
import { flag, type Row, type SentRow, text } from './rows.js';
import {
  type Call,
  duplicate,
  merged,
  type Outcome,
  type SaveContext,
  type Service,
  storedRow,
  tableset,
} from './service.js';
import { AP_GROUP, AP_INVOICE } from './tables.js';

const TABLES = [AP_GROUP];
const OWNED = new Set(['CreatedBy', 'ActiveUserID', 'PostErrorLog', 'DispPostErrorLog', 'PostInProcess', 'BaseTotal']);

export function apGroup(company: KineticCompany, groupId: string): Row {
  const group = company.database.table(AP_GROUP).find(groupId);
  if (group === undefined) throw refusal(`Group ${groupId} is not valid.`, { table: 'APInvGrp', field: 'GroupID' });
  return group;
}

/** A group is held by one user at a time. @throws KineticError 400 another user holds it. */
export function checkGroupLock(group: Row, user: string): void {
  const holder = text(group, 'ActiveUserID');
  if (holder !== '' && holder !== user) {
    throw refusal(`Group ${text(group, 'GroupID')} is in use by ${holder}.`, { field: 'ActiveUserID' });
  }
  if (flag(group, 'PostInProcess')) throw refusal(`Group ${text(group, 'GroupID')} is being posted.`);
}

export function lockApGroup(company: KineticCompany, group: Row, user: string): Row {
  if (text(group, 'ActiveUserID') === user) return group;
  return company.database.table(AP_GROUP).put({ ...group, ActiveUserID: user });
}

/** The services of payables groups (Epicor REST: AP methods). */
export const apGroupService: Service = {
  name: 'Erp.BO.APInvGrpSvc',
  sets: { APInvGrps: { def: AP_GROUP } },
  save: saveGroup,
  methods: {
    GetNewAPInvGrp: { effect: 'prepare', parameters: ['ds'], run: (call) => newGroup(call, call.user) },
    GetNewAPInvGrpNoLock: { effect: 'prepare', parameters: ['ds'], run: (call) => newGroup(call, '') },
    Update: {
      effect: 'write',
      parameters: ['ds'],
      run: (call) => {
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
      },
    },
    GetByID: {
      effect: 'read',
      parameters: ['groupID'],
      run: (call) => {
        const found = call.company.database.table(AP_GROUP).find(call.args.text('groupID'));
        if (found === undefined) throw notFound();
        return { returnObj: shown(call, [text(found, 'GroupID')]) };
      },
    },
    GetRows: getRows(AP_GROUP, ['APInvGrp'], TABLES, (_company, row) => [{ def: AP_GROUP, row }]),
    GetList: getList(AP_GROUP),
    OnChangeofApplyDate: {
      effect: 'prepare',
      parameters: ['GroupID', 'NewApplyDate', 'ds'],
      run: changeApplyDate,
    },
    LockAPGroup: { effect: 'write', parameters: ['groupID', 'ds'], run: (call) => lock(call, 'groupID', call.user) },
    UnlockAPGroup: { effect: 'write', parameters: ['groupID', 'ds'], run: (call) => lock(call, 'groupID', '') },
    UnlockGroup: {
      effect: 'write',
      parameters: ['InGroupID'],
      run: (call) => {
        lock(call, 'InGroupID', '');
        return {};
      },
    },
    PrePostGroupInvoices: { effect: 'read', parameters: ['PostGroupID'], run: prePost },
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
  const { company, wire } = call;
  const { today } = company;
  const period = company.periodOf(today);
  const row: Row = {
    ...{ Company: company.database.company, CreatedBy: call.user, ActiveUserID: holder, ApplyDate: today },
    ...(period === undefined ? {} : periodOf(period)),
  };
  const rows = [...call.args.rows(TABLES), { def: AP_GROUP, row, rowMod: 'A' }];
  return { parameters: { ds: tableset(TABLES, rows, wire) } };
}

function periodOf(period: Row): Row {
  const names = ['FiscalYear', 'FiscalYearSuffix', 'FiscalPeriod', 'FiscalCalendarID'];
  return Object.fromEntries(names.flatMap((name) => (period[name] === undefined ? [] : [[name, period[name]]])));
}

function saveGroup({ company, user }: SaveContext, sent: SentRow): Row | undefined {
  const table = company.database.table(AP_GROUP);
  if (sent.rowMod === 'A') {
    const groupId = text(sent.row, 'GroupID').trim();
    if (groupId === '') throw refusal('Group is required.', { table: 'APInvGrp', field: 'GroupID' });
    if (groupId.length > company.settings.groupIdMax) {
      throw refusal(`Group ID is longer than ${company.settings.groupIdMax}.`, { table: 'APInvGrp', field: 'GroupID' });
    }
    if (table.find(groupId) !== undefined) throw duplicate(company, 'APInvGrp');
    const { SysRowID: _id, ...row } = sent.row;
    const applyDate = text(row, 'ApplyDate') || company.today;
    const holder = text(row, 'ActiveUserID') === '' ? '' : user;
    return table.put({
      ...row,
      ...company.periodColumns(applyDate, 'APInvGrp'),
      ...{ GroupID: groupId, ApplyDate: applyDate, CreatedBy: user, ActiveUserID: holder },
      ...{ PostErrorLog: '', DispPostErrorLog: '', PostInProcess: false },
    });
  }
  if (sent.rowMod === 'U') {
    const stored = storedRow(company, sent);
    checkGroupLock(stored, user);
    const row = merged(company, stored, sent, OWNED);
    const applyDate = text(row, 'ApplyDate') || company.today;
    return table.put({ ...row, ApplyDate: applyDate, ...company.periodColumns(applyDate, 'APInvGrp') });
  }
  if (sent.rowMod === 'D') {
    removeGroup({ company, user }, text(storedRow(company, sent), 'GroupID'));
  }
  return table.same(sent.row);
}

function removeGroup({ company, user }: SaveContext, groupId: string): void {
  const group = company.database.table(AP_GROUP).find(groupId);
  if (group === undefined) throw notFound();
  checkGroupLock(group, user);
  for (const invoice of company.database.table(AP_INVOICE).where('GroupID', groupId)) {
    if (!flag(invoice, 'Posted')) throw refusal(`Group ${groupId} has invoices and cannot be deleted.`);
  }
  company.database.table(AP_GROUP).remove(group);
}

function changeApplyDate(call: Call): Outcome {
  const day = call.args.date('NewApplyDate');
  const period = call.company.periodOf(day);
  const rows = call.args.rows(TABLES).map((sent) => {
    const changed = sent.rowMod === '' ? 'U' : sent.rowMod;
    const row = { ...sent.row, ApplyDate: day, ...(period === undefined ? {} : periodOf(period)) };
    return { def: AP_GROUP, row, rowMod: changed };
  });
  const DateMessage = call.company.isOpen(day) ? '' : `The fiscal period for ${day} is closed.`;
  return { parameters: { DateMessage, ds: tableset(TABLES, rows, call.wire) } };
}

function lock(call: Call, parameter: string, holder: string): Outcome {
  const group = apGroup(call.company, call.args.text(parameter));
  checkGroupLock(group, call.user);
  call.company.database.table(AP_GROUP).put({ ...group, ActiveUserID: holder });
  return { parameters: { ds: shown(call, [text(group, 'GroupID')]) } };
}

function prePost(call: Call): Outcome {
  const groupId = call.args.text('PostGroupID');
  apGroup(call.company, groupId);
  const differing: string[] = [];
  for (const invoice of call.company.database.table(AP_INVOICE).where('GroupID', groupId)) {
    if (!flag(invoice, 'Posted') && invoice.DocInvoiceVariance !== undefined)
      differing.push(text(invoice, 'InvoiceNum'));
  }
  const VarianceMessage = differing.length === 0 ? '' : `Invoices with a variance: ${differing.join(', ')}`;
  return { parameters: { ReturnMessage: '', VarianceMessage, TaxCalcFlag: false } };
}

function shown(call: Call, groupIds: readonly string[]): Record<string, unknown> {
  const table = call.company.database.table(AP_GROUP);
  const rows = [...new Set(groupIds)].flatMap((groupId) => {
    const row = table.find(groupId);
    if (row === undefined) return [];
    return [{ def: AP_GROUP, row: { ...row, BaseTotal: call.company.groupTotals.get(groupId.toUpperCase()) ?? 0n } }];
  });
  return tableset(TABLES, rows, call.wire);
}
