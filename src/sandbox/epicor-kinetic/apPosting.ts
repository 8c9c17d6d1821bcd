import { apGroup, checkGroupLock } from './apGroups.js';
import { keyOf, partsOf } from './apRows.js';
import { AP_JOURNAL_CODE, BOOK_ID, CALENDAR_ID, type KineticCompany } from './company.js';
import { KineticError, refusal } from './failures.js';
import { amount, flag, type Row, text, whole } from './rows.js';
import { type Call, type Method, type Outcome, type Service, tableset } from './service.js';
import { AP_CODING, AP_EXPENSE, AP_GROUP, AP_INVOICE, AP_LINE, AP_TAX, GL_POSTED, POST_PARAMETERS } from './tables.js';

/**
 * Posts the invoices of a group that pass. There is no result: what did not pass stays, and why is in the group's
 * `PostErrorLog` (Epicor REST: posting the group).
 * @returns what went wrong; '' when all were posted.
 */
export function postInvoices(company: KineticCompany, groupId: string, user: string): string {
  const groups = company.database.table(AP_GROUP);
  const group = { ...apGroup(company, groupId), PostInProcess: false };
  const problem = obstacle(company, group);
  if (problem === undefined && company.strikes('stuckPostings')) {
    groups.put({ ...group, PostInProcess: true });
    return 'The posting process ended.';
  }
  const waiting = [...company.database.table(AP_INVOICE).where('GroupID', groupId)].filter(
    (row) => !flag(row, 'Posted'),
  );
  const problems = problem === undefined ? [] : [problem];
  for (const header of problem === undefined ? waiting : []) {
    const found = problemOf(company, header);
    if (found === undefined) postInvoice(company, header, user);
    else problems.push(`${text(header, 'InvoiceNum')}: ${found}`);
  }
  const log = problems.join('\n');
  if (log === '' && company.settings.postedApGroup === 'removed') groups.remove(group);
  else groups.put({ ...group, PostErrorLog: log, DispPostErrorLog: log });
  return log;
}

/** Why a group as a whole cannot be posted. */
export function obstacle(company: KineticCompany, group: Row): string | undefined {
  const holder = text(group, 'ActiveUserID');
  if (holder !== '' && company.settings.postingNeedsUnlockedGroup) {
    return `Group ${text(group, 'GroupID')} is in use by ${holder}.`;
  }
  return company.strikes('failedPostings') ? 'The posting process failed.' : undefined;
}

function problemOf(company: KineticCompany, header: Row): string | undefined {
  if (flag(header, 'InvoiceHeld')) return 'The invoice is held.';
  if (amount(header, 'DocInvoiceVariance') !== 0n) return 'The invoice has a variance.';
  if (!company.isOpen(text(header, 'ApplyDate'))) return 'The fiscal period is closed.';
  const key = keyOf(header);
  const lines = partsOf(company, AP_LINE, key);
  if (lines.length === 0) return 'The invoice has no lines.';
  const expenses = partsOf(company, AP_EXPENSE, key);
  const coding = partsOf(company, AP_CODING, key).filter((row) => text(row, 'BookID') === BOOK_ID);
  for (const line of lines) {
    const own = expenses.filter((row) => whole(row, 'InvoiceLine') === whole(line, 'InvoiceLine'));
    const distributed = own.reduce((sum, row) => sum + amount(row, 'DocExpAmt'), 0n);
    if (distributed !== amount(line, 'DocExtCost')) return 'The expenses do not add up to the line.';
    const isCoded = own.every((row) =>
      coding.some(
        (code) =>
          whole(code, 'InvoiceLine') === whole(row, 'InvoiceLine') &&
          whole(code, 'InvExpSeq') === whole(row, 'InvExpSeq'),
      ),
    );
    if (!isCoded) return 'Invalid Account';
  }
  const isInvalid = coding.some((row) => company.chart.problemOf(text(row, 'GLAccount'), 'PAYABLES') !== undefined);
  return isInvalid ? 'Invalid Account' : undefined;
}

function postInvoice(company: KineticCompany, header: Row, user: string): void {
  const { database, chart, seed } = company;
  const key = keyOf(header);
  const journalNum = company.next(`${BOOK_ID}/${whole(header, 'FiscalYear')}/${AP_JOURNAL_CODE}`);
  const journal = { JournalCode: AP_JOURNAL_CODE, JournalNum: journalNum };
  for (const expense of partsOf(company, AP_EXPENSE, key)) database.table(AP_EXPENSE).put({ ...expense, Posted: true });
  database.table(AP_INVOICE).put({ ...header, ...journal, Posted: true });
  const sides = partsOf(company, AP_CODING, key)
    .filter((row) => text(row, 'BookID') === BOOK_ID)
    .map((row) => ({
      account: text(row, 'GLAccount'),
      value: amount(row, 'DebitAmount') - amount(row, 'CreditAmount'),
    }));
  for (const tax of partsOf(company, AP_TAX, key)) {
    sides.push({ account: chart.stored(seed.taxAccount), value: amount(tax, 'TaxAmt') });
  }
  sides.push({ account: chart.stored(seed.payablesAccount), value: -amount(header, 'InvoiceAmt') });
  for (const [index, { account, value }] of sides.entries()) {
    database.table(GL_POSTED).put({
      ...{ BookID: BOOK_ID, FiscalYear: whole(header, 'FiscalYear'), FiscalPeriod: whole(header, 'FiscalPeriod') },
      ...{ FiscalCalendarID: CALENDAR_ID, ...journal, JournalLine: index + 1, JEDate: text(header, 'ApplyDate') },
      ...{ Description: text(header, 'Description'), ...chart.columnsOf(account), SourceModule: 'AP' },
      ...{ DebitAmount: value > 0n ? value : 0n, CreditAmount: value < 0n ? -value : 0n },
      ...{ PostedBy: user, PostedDate: company.today, CreateDate: company.today, GroupID: text(header, 'GroupID') },
      CurrencyCode: company.baseCurrency,
    });
  }
}

/** The three methods of a process: its parameters, running it at once, and leaving it to the agent. */
export function processMethods(
  def: typeof POST_PARAMETERS,
  checkGroup: (call: Call, groupId: string) => void,
  post: (company: KineticCompany, groupId: string, user: string) => string,
  announce: (company: KineticCompany, groupId: string) => void = () => undefined,
): Record<string, Method> {
  const groupOf = (call: Call): string => {
    const [sent] = call.args.rows([def]);
    const groupId = text(sent?.row ?? {}, 'GroupID');
    checkGroup(call, groupId);
    return groupId;
  };
  return {
    GetNewParameters: {
      effect: 'read',
      parameters: [],
      run: (call) => ({ returnObj: tableset([def], [{ def, row: {}, rowMod: 'A' }], call.wire) }),
    },
    RunDirect: {
      effect: 'write',
      parameters: ['ds'],
      run: (call): Outcome => {
        const log = post(call.company, groupOf(call), call.user);
        const isTold = log !== '' && call.company.settings.runDirectFailure === 'error';
        return isTold ? { failure: refusal(log) } : {};
      },
    },
    SubmitToAgent: {
      effect: 'write',
      parameters: ['ds', 'agentID', 'agentSchedNum', 'agentTaskNum', 'maintProgram'],
      run: (call) => {
        const { company, user } = call;
        const groupId = groupOf(call);
        announce(company, groupId);
        company.queue(() => {
          try {
            post(company, groupId, user);
          } catch (error) {
            // The group may be gone by the time the agent comes to it; nobody waits for an answer.
            if (!(error instanceof KineticError)) throw error;
          }
        });
        return {};
      },
    },
  };
}

/** The posting process of payables. */
export const apPostService: Service = {
  name: 'Erp.PROC.APInvoicePostSvc',
  sets: {},
  methods: processMethods(
    POST_PARAMETERS,
    (call, groupId) => checkGroupLock(apGroup(call.company, groupId), call.user),
    postInvoices,
    // A queued run shows on the group until the agent ends it.
    (company, groupId) => company.database.table(AP_GROUP).put({ ...apGroup(company, groupId), PostInProcess: true }),
  ),
};
