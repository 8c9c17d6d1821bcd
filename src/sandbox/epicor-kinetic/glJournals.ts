import { checkGroupLock } from './apGroups.js';
import { processMethods } from './apPosting.js';
import { COA_CODE } from './chart.js';
import { CALENDAR_ID, type KineticCompany } from './company.js';
import { notFound } from './failures.js';
import { glGroup } from './glGroups.js';
import { postJournals } from './glPosting.js';
import { GL_TABLES, linesIn } from './glRows.js';
import { removeJournal, saveJournalRow } from './glSaving.js';
import { getList, getRows } from './lists.js';
import { amount, type Row, type SentRow, type TableDef, text, whole } from './rows.js';
import { type Call, type Method, type Outcome, type Service, tableset } from './service.js';
import { GL_HEADER, GL_LINE, GL_POST_PARAMETERS, GL_POSTED } from './tables.js';
import { saveRowByRow, UPDATE_EXT_PARAMETERS } from './updateExt.js';

const CLAUSES = `GLJrnHed GLJrnHedAttch GLJrnDtlMnl GLJrnDtlMnlAttch GLJrnDtlMnlDEASch GLJrnDtlMnlTranGLC GlAllocations
  LegalNumGenOpts`.split(/\s+/);
const KEY = 'bookID fiscalYear fiscalYearSuffix journalCode journalNum';

function method(effect: Method['effect'], parameters: string, run: (call: Call) => Outcome): Method {
  return { effect, parameters: parameters.split(' ').filter(Boolean), run };
}

function withNew(call: Call, def: TableDef, row: Row): Outcome {
  const blank = { Company: call.company.database.company, ...row };
  const rows = [...call.args.rows(GL_TABLES), { def, row: blank, rowMod: 'A' }];
  return { parameters: { ds: tableset(GL_TABLES, rows, call.wire) } };
}

function newHeader(call: Call, group: Row | undefined, more: Row): Outcome {
  const { company, user } = call;
  const inherited: Row =
    group === undefined
      ? {}
      : {
          ...{ GroupID: text(group, 'GroupID'), JEDate: text(group, 'JEDate'), BookID: text(group, 'BookID') },
          ...{ JournalCode: text(group, 'JournalCode'), FiscalYear: whole(group, 'FiscalYear') },
          FiscalPeriod: whole(group, 'FiscalPeriod'),
        };
  const common = { FiscalCalendarID: CALENDAR_ID, CurrencyCode: company.baseCurrency, EnteredBy: user };
  return withNew(call, GL_HEADER, { ...inherited, ...common, CreateDate: company.today, ...more });
}

/** The journal that the key parameters name. @throws KineticError 404 there is none. */
function journalOf(call: Call, calendar = CALENDAR_ID): Row {
  const { args, company } = call;
  const found = company.database
    .table(GL_HEADER)
    .find(
      ...[args.text('bookID'), args.whole('fiscalYear'), args.text('fiscalYearSuffix'), args.text('journalCode')],
      ...[args.whole('journalNum'), calendar],
    );
  if (found === undefined) throw notFound();
  return found;
}

function newLine(call: Call): Outcome {
  const header = journalOf(call);
  return withNew(call, GL_LINE, {
    ...{ BookID: text(header, 'BookID'), FiscalYear: whole(header, 'FiscalYear'), FiscalCalendarID: CALENDAR_ID },
    ...{ JournalCode: text(header, 'JournalCode'), JournalNum: whole(header, 'JournalNum'), COACode: COA_CODE },
    ...{ FiscalPeriod: whole(header, 'FiscalPeriod'), JEDate: text(header, 'JEDate'), SourceModule: 'GL' },
    ...{ Description: text(header, 'Description'), CurrencyCode: text(header, 'CurrencyCode') },
    GroupID: text(header, 'GroupID'),
  });
}

/** Changes the line with that number, or the new one where the number is 0. */
function changeLine(
  parameters: string,
  apply: (call: Call, row: Row) => Row,
  out: Record<string, unknown> = {},
): Method {
  return method('prepare', `${parameters} iLineNum ds`, (call) => {
    const number = call.args.whole('iLineNum');
    const rows = call.args.rows(GL_TABLES).map((sent): SentRow => {
      if (sent.def !== GL_LINE || whole(sent.row, 'JournalLine') !== number) return sent;
      return { ...sent, row: apply(call, sent.row), rowMod: sent.rowMod === '' ? 'U' : sent.rowMod };
    });
    return { parameters: { ...out, ds: tableset(GL_TABLES, rows, call.wire) } };
  });
}

function withAmount(row: Row, signed: bigint): Row {
  const debit = signed > 0n ? signed : 0n;
  const credit = signed < 0n ? -signed : 0n;
  return { ...row, TransAmt: signed, DocTransAmt: signed, TotDebit: debit, TotCredit: credit };
}

export function wholeJournal(company: KineticCompany, header: Row): { def: TableDef; row: Row }[] {
  const lines = linesIn(company, GL_LINE, header).map((row) => ({ def: GL_LINE, row }));
  return [{ def: GL_HEADER, row: header }, ...lines];
}

function shown(call: Call, headers: readonly Row[]): Record<string, unknown> {
  return tableset(
    GL_TABLES,
    headers.flatMap((header) => wholeJournal(call.company, header)),
    call.wire,
  );
}

/** Saves the rows; the answer is everything of the journals that they belong to. */
class Saved {
  private readonly headers = new Map<string, Row>();

  constructor(private readonly call: Call) {}

  save(sent: SentRow): void {
    const header = saveJournalRow(this.call, sent);
    if (header !== undefined) this.headers.set(text(header, 'SysRowID'), header);
  }

  shown(): Record<string, unknown> {
    const table = this.call.company.database.table(GL_HEADER);
    const current = [...this.headers.values()].map((header) => table.same(header));
    return shown(
      this.call,
      current.filter((row) => row !== undefined),
    );
  }
}

function update(call: Call): Outcome {
  const saved = new Saved(call);
  for (const sent of call.args.rows(GL_TABLES)) saved.save(sent);
  return { parameters: { ds: saved.shown() } };
}

function updateExt(call: Call): Outcome {
  const saved = new Saved(call);
  return saveRowByRow(call, call.args.rows(GL_TABLES), {
    save: (sent) => saved.save(sent),
    shown: () => saved.shown(),
  });
}

/** Ledger journals in their groups (Epicor REST: GL journal flow). There is no `UpdateMaster`. */
export const glJournalService: Service = {
  name: 'Erp.BO.GLJournalEntrySvc',
  sets: { GLJournalEntries: { def: GL_HEADER, children: { GLJrnDtlMnls: GL_LINE } }, GLJrnDtlMnls: { def: GL_LINE } },
  methods: {
    GetNewGlJrnHedTran: method('prepare', 'ds GroupID', (call) => {
      const group = glGroup(call.company, call.args.text('GroupID'));
      checkGroupLock(group, call.user);
      return newHeader(call, group, {});
    }),
    GetNewGLJrnHed: method('prepare', `ds ${KEY}`, (call) =>
      newHeader(call, undefined, {
        ...{ BookID: call.args.text('bookID'), FiscalYear: call.args.whole('fiscalYear') },
        JournalCode: call.args.text('journalCode'),
      }),
    ),
    GetNewGLJrnDtlMnl: method('prepare', `ds ${KEY} journalLine`, newLine),
    PreUpdate: method('prepare', 'ds', (call) => {
      const ds = tableset(GL_TABLES, call.args.rows(GL_TABLES), call.wire);
      return { parameters: { ds, RequiresUserInput: call.company.settings.legalNumbersRequired } };
    }),
    Update: method('write', 'ds', update),
    UpdateExt: method('write', UPDATE_EXT_PARAMETERS.join(' '), updateExt),
    ChangeGlAcct1: changeLine('', (_call, row) => row, { currCodeChanged: false }),
    ConvertDebitAmount: changeLine('proposedAmount', (call, row) =>
      withAmount(row, call.args.amount('proposedAmount')),
    ),
    ConvertCreditAmount: changeLine('proposedAmount', (call, row) =>
      withAmount(row, -call.args.amount('proposedAmount')),
    ),
    CheckDtlBeforeUpdate: method('prepare', 'iLineNum ds', (call) => {
      const rows = call.args.rows(GL_TABLES);
      const line = rows.find(
        ({ def, row }) => def === GL_LINE && whole(row, 'JournalLine') === call.args.whole('iLineNum'),
      );
      const problem = line && call.company.chart.problemOf(text(line.row, 'GLAccount'), 'JOURNAL');
      return { parameters: { OpMessage: problem ?? '', ds: tableset(GL_TABLES, rows, call.wire) } };
    }),
    AutoBalance: method('prepare', 'GroupID JournalNum JournalLine ds', (call) => {
      const [group, number] = [call.args.text('GroupID').toUpperCase(), call.args.whole('JournalNum')];
      const header = [...call.company.database.table(GL_HEADER).where('GroupID', group)].find(
        (row) => whole(row, 'JournalNum') === number,
      );
      if (header === undefined) throw notFound();
      const rows = call.args.rows(GL_TABLES).map((sent): SentRow => {
        if (sent.def !== GL_LINE || whole(sent.row, 'JournalLine') !== call.args.whole('JournalLine')) return sent;
        return { ...sent, row: withAmount(sent.row, -amount(header, 'Balance')) };
      });
      return { parameters: { ds: tableset(GL_TABLES, rows, call.wire) } };
    }),
    OnChangeTranDocTypeID: method('prepare', 'ipTranDocTypeID ds', (call) => {
      const TranDocTypeID = call.args.text('ipTranDocTypeID');
      const rows = call.args
        .rows(GL_TABLES)
        .map((sent) => (sent.def === GL_HEADER ? { ...sent, row: { ...sent.row, TranDocTypeID } } : sent));
      return { parameters: { ds: tableset(GL_TABLES, rows, call.wire) } };
    }),
    GetByGroupID: method('read', 'GroupID', (call) => {
      const headers = [...call.company.database.table(GL_HEADER).where('GroupID', call.args.text('GroupID'))];
      return { returnObj: shown(call, headers) };
    }),
    GetByID: method('read', `${KEY} fiscalCalendarID`, (call) => ({
      returnObj: shown(call, [journalOf(call, call.args.text('fiscalCalendarID'))]),
    })),
    DeleteByID: method('write', `${KEY} fiscalCalendarID`, (call) => {
      removeJournal(call, journalOf(call, call.args.text('fiscalCalendarID')));
      return {};
    }),
    GetRows: getRows(GL_HEADER, CLAUSES, GL_TABLES, wholeJournal),
    GetList: getList(GL_HEADER),
  },
};

/** Lines that are in the ledger, of journals and of payables. */
export const glPostedService: Service = {
  name: 'Erp.BO.GLJrnDtlSvc',
  sets: { GLJrnDtls: { def: GL_POSTED } },
  methods: { GetList: getList(GL_POSTED) },
};

export const glPostService: Service = {
  name: 'Erp.PROC.GLJrnAsynchSvc',
  sets: {},
  methods: processMethods(
    GL_POST_PARAMETERS,
    (call, groupId) => checkGroupLock(glGroup(call.company, groupId), call.user),
    postJournals,
  ),
};
