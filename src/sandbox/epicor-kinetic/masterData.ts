import { PLANT } from './access.js';
import { notFound, refusal } from './failures.js';
import { getList } from './lists.js';
import type { TableDef } from './rows.js';
import { type Call, type Service, tableset } from './service.js';
import {
  BOOK,
  BOOK_PERIODS,
  COA,
  COMPANY,
  GL_ACCOUNT,
  GL_ACCT_DISP,
  PERIODS,
  SEGMENT,
  SEGMENT_VALUE,
} from './tables.js';

function list(name: string, set: string, def: TableDef): Service {
  return { name, sets: { [set]: { def } }, methods: { GetList: getList(def) } };
}

/** Accounts with the methods that check them (Epicor REST: validation methods). */
const accounts: Service = {
  name: 'Erp.BO.GLAccountSvc',
  sets: { GLAccounts: { def: GL_ACCOUNT } },
  methods: {
    GetList: getList(GL_ACCOUNT),
    GetByID: {
      effect: 'read',
      parameters: ['coACode', 'glAccount'],
      run: (call) => {
        const row = accountRow(call, call.args.text('coACode'), call.args.text('glAccount'));
        if (row === undefined) throw notFound();
        return { returnObj: tableset([GL_ACCOUNT], [{ def: GL_ACCOUNT, row }], call.wire) };
      },
    },
    ValidateGLAccount: {
      effect: 'read',
      parameters: ['COACode', 'GLAccount', 'ExtCompanyID', 'RestrictID', 'EffectiveDate', 'ValidateDynamicSegment'],
      run: (call) => {
        checkChart(call, call.args.text('COACode'));
        const problem = call.company.chart.problemOf(call.args.text('GLAccount'), 'PAYABLES');
        if (problem !== undefined) throw refusal(problem, { table: 'GLAccount', field: 'GLAccount' });
        return {};
      },
    },
    // Existence alone: an inactive account exists.
    GlAccountExists: {
      effect: 'read',
      parameters: ['ipCOACode', 'ipGLAccount'],
      run: (call) => ({
        returnObj: accountRow(call, call.args.text('ipCOACode'), call.args.text('ipGLAccount')) !== undefined,
      }),
    },
    GetGLAcctDispAndDesc: {
      effect: 'read',
      parameters: ['COACode', 'GLAccount', 'ExtCompanyID', 'isBalanceAcct', 'balanceType'],
      run: (call) => {
        checkChart(call, call.args.text('COACode'));
        const { display, description } = call.company.chart.read(call.args.text('GLAccount'));
        return { parameters: { glAcctDisp: display, glAcctDesc: description } };
      },
    },
  },
};

function accountRow(call: Call, coaCode: string, account: string) {
  return call.company.database.table(GL_ACCOUNT).find(coaCode, account);
}

function checkChart(call: Call, coaCode: string): void {
  if (call.company.database.table(COA).find(coaCode) === undefined) throw refusal(`Chart ${coaCode} is not valid.`);
}

/** Sessions, and the probe that says who one is (Epicor REST: context headers). */
const sessions: Service = {
  name: 'Ice.LIB.SessionModSvc',
  sets: {},
  methods: {
    Login: { effect: 'write', parameters: [], run: (call) => ({ returnObj: call.access.openSession(call.user) }) },
    Logout: {
      effect: 'write',
      parameters: [],
      run: (call) => {
        call.access.closeSession(call.sessionId);
        return {};
      },
    },
    GetCurrentValues: {
      effect: 'read',
      parameters: [],
      run: (call) => ({
        parameters: {
          ...{ companyID: call.company.database.company, companyName: call.company.seed.name },
          ...{ siteID: PLANT, siteName: 'Main', userID: call.user, workstationID: '' },
        },
      }),
    },
    SetCompany: {
      effect: 'write',
      parameters: ['newCompany'],
      run: (call) => {
        if (call.args.text('newCompany').toUpperCase() !== call.company.database.company) {
          throw refusal('Company is not valid.');
        }
        return {
          parameters: { companyName: call.company.seed.name, siteID: PLANT, siteName: 'Main', workstationID: '' },
        };
      },
    },
    SetPlant: { effect: 'write', parameters: ['newSite'], run: () => ({ parameters: { siteName: 'Main' } }) },
    IsValidSession: {
      effect: 'read',
      parameters: ['sessionID', 'userID'],
      run: (call) => ({
        returnObj: call.access.sessionUser(call.args.text('sessionID')) === call.args.text('userID').toUpperCase(),
      }),
    },
  },
};

export const masterDataServices: readonly Service[] = [
  accounts,
  sessions,
  list('Erp.BO.GLAcctDispSvc', 'GLAcctDisps', GL_ACCT_DISP),
  list('Erp.BO.COASegValuesSvc', 'COASegValues', SEGMENT_VALUE),
  list('Erp.BO.COASegmentSearchSvc', 'COASegmentSearches', SEGMENT),
  list('Erp.BO.COASvc', 'COAs', COA),
  list('Erp.BO.GLBookSvc', 'GLBooks', BOOK),
  list('Erp.BO.FiscalPerSearchSvc', 'FiscalPerSearches', PERIODS),
  list('Erp.BO.GLBookPerSearchSvc', 'GLBookPerSearches', BOOK_PERIODS),
  list('Erp.BO.CompanySvc', 'Companies', COMPANY),
];
