import { checkGroupLock } from './apGroups.js';
import { segmentsDiffer } from './chart.js';
import { BOOK_ID, CALENDAR_ID, type KineticCompany } from './company.js';
import { notFound, refusal } from './failures.js';
import { glGroup } from './glGroups.js';
import { linesIn } from './glRows.js';
import { dropMarkers, noteMarkers } from './markers.js';
import { currencyPlaces, roundTo } from './numbers.js';
import { amount, type Row, type SentRow, text, whole } from './rows.js';
import { merged, type SaveContext, storedRow } from './service.js';
import { GL_GROUP, GL_HEADER, GL_LINE } from './tables.js';

const HEADER_OWNED = new Set(
  `GroupID FiscalPeriod TotDebit TotCredit Balance EnteredBy CreateDate Posted PostedDate LegalNumber`.split(/\s+/),
);
const LINE_OWNED = new Set(
  `GroupID FiscalPeriod DebitAmount CreditAmount TotCurrDebit TotCurrCredit SourceModule Posted InvalidGLAccount
  InvalidGLAccountMessage JEDate`.split(/\s+/),
);

/** @returns the header of the journal that the row belongs to; undefined when that is gone. */
export function saveJournalRow(context: SaveContext, sent: SentRow): Row | undefined {
  const { company } = context;
  const isHeader = sent.def === GL_HEADER;
  if (sent.rowMod === '') return isHeader ? company.database.table(GL_HEADER).same(sent.row) : undefined;
  if (!['A', 'U', 'D'].includes(sent.rowMod)) throw refusal(`RowMod '${sent.rowMod}' is not valid.`);
  return isHeader ? saveHeader(context, sent) : saveLine(context, sent);
}

export function removeJournal(context: SaveContext, header: Row): void {
  const { company } = context;
  openGroup(context, text(header, 'GroupID'));
  for (const line of linesIn(company, GL_LINE, header)) company.database.table(GL_LINE).remove(line);
  company.database.table(GL_HEADER).remove(header);
  dropMarkers(company, header);
}

function saveHeader(context: SaveContext, sent: SentRow): Row | undefined {
  const { company, user } = context;
  const table = company.database.table(GL_HEADER);
  if (sent.rowMod === 'D') {
    removeJournal(context, storedRow(company, sent));
    return undefined;
  }
  if (sent.rowMod === 'U') {
    const stored = storedRow(company, sent);
    const group = openGroup(context, text(stored, 'GroupID'));
    const row = merged(company, stored, sent, HEADER_OWNED);
    checkDate(company, group, text(row, 'JEDate'));
    checkCurrency(company, row);
    const saved = table.put(row);
    noteMarkers(company, saved);
    return saved;
  }
  const group = openGroup(context, text(sent.row, 'GroupID'));
  const { SysRowID: _id, ...row } = sent.row;
  const day = text(row, 'JEDate') || text(group, 'JEDate');
  checkDate(company, group, day);
  checkCurrency(company, row);
  const year = whole(group, 'FiscalYear');
  const code = text(group, 'JournalCode');
  const saved = table.put({
    ...row,
    ...{ GroupID: text(group, 'GroupID'), JEDate: day, BookID: BOOK_ID, JournalCode: code, FiscalYear: year },
    ...{ FiscalYearSuffix: '', FiscalPeriod: whole(group, 'FiscalPeriod'), FiscalCalendarID: CALENDAR_ID },
    ...{ JournalNum: company.next(`${BOOK_ID}/${year}/${code}`), CurrencyCode: company.baseCurrency },
    ...{ EnteredBy: user, CreateDate: company.today, Posted: false, TotDebit: 0n, TotCredit: 0n, Balance: 0n },
  });
  company.noteWritten(saved);
  noteMarkers(company, saved);
  return saved;
}

function saveLine(context: SaveContext, sent: SentRow): Row {
  const { company } = context;
  const table = company.database.table(GL_LINE);
  const stored = sent.rowMod === 'A' ? undefined : storedRow(company, sent);
  const header = headerOf(company, stored ?? sent.row);
  openGroup(context, text(header, 'GroupID'));
  if (sent.rowMod === 'D') table.remove(sent.row);
  else if (stored !== undefined) table.put(checked(company, header, merged(company, stored, sent, LINE_OWNED), stored));
  else {
    const last = linesIn(company, GL_LINE, header).at(-1);
    const { SysRowID: _id, ...row } = sent.row;
    // The server numbers lines itself.
    const JournalLine = last === undefined ? 1 : whole(last, 'JournalLine') + 1;
    table.put(checked(company, header, { ...row, JournalLine }, {}));
  }
  return totalled(company, header);
}

function headerOf(company: KineticCompany, line: Row): Row {
  const found = company.database.table(GL_HEADER).same({ ...line, FiscalCalendarID: CALENDAR_ID });
  if (found === undefined) throw notFound();
  return found;
}

/** A line with its computed columns. An account that is not valid is kept and flagged, with HTTP 200. */
function checked(company: KineticCompany, header: Row, row: Row, before: Row): Row {
  const place = { table: 'GLJrnDtlMnl', field: 'GLAccount' };
  const account = company.chart.read(text(row, 'GLAccount')).stored;
  const differing = company.settings.accountSegments === 'ignored' ? undefined : segmentsDiffer(row);
  if (differing !== undefined) throw refusal(differing, place);
  const problem = company.chart.problemOf(account, 'JOURNAL');
  if (problem !== undefined && company.settings.invalidJournalAccount === 'refuse') throw refusal(problem, place);
  const signed = signedAmount(company, row, before);
  const debit = signed > 0n ? signed : 0n;
  const credit = signed < 0n ? -signed : 0n;
  return {
    ...row,
    ...company.chart.columnsOf(account),
    ...{ TransAmt: signed, DocTransAmt: signed, TotDebit: debit, TotCredit: credit, DebitAmount: debit },
    ...{ CreditAmount: credit, TotCurrDebit: debit, TotCurrCredit: credit, JEDate: text(header, 'JEDate') },
    ...{ FiscalPeriod: whole(header, 'FiscalPeriod'), GroupID: text(header, 'GroupID'), SourceModule: 'GL' },
    ...{
      CurrencyCode: text(header, 'CurrencyCode'),
      Description: text(row, 'Description') || text(header, 'Description'),
    },
    ...{ InvalidGLAccount: problem !== undefined, InvalidGLAccountMessage: problem ?? '', Posted: false },
  };
}

/** The amount, debits positive, from the columns that this server reads. */
function signedAmount(company: KineticCompany, row: Row, before: Row): bigint {
  const totals = (of: Row): bigint => amount(of, 'TotDebit') - amount(of, 'TotCredit');
  const transaction = (of: Row): bigint => amount(of, 'TransAmt');
  const places = currencyPlaces(company.baseCurrency);
  const { journalAmounts } = company.settings;
  if (journalAmounts === 'totals') return roundTo(totals(row), places);
  if (journalAmounts === 'transaction') return roundTo(transaction(row), places);
  const isTotals = totals(row) !== totals(before);
  const isTransaction = transaction(row) !== transaction(before);
  if (isTotals && isTransaction && totals(row) !== transaction(row)) {
    throw refusal('The amounts of the line differ.', { table: 'GLJrnDtlMnl', field: 'TransAmt' });
  }
  return roundTo(isTotals ? totals(row) : transaction(row), places);
}

function totalled(company: KineticCompany, header: Row): Row {
  const lines = linesIn(company, GL_LINE, header);
  const sum = (column: string): bigint => lines.reduce((total, line) => total + amount(line, column), 0n);
  const [debit, credit] = [sum('DebitAmount'), sum('CreditAmount')];
  return company.database
    .table(GL_HEADER)
    .put({ ...header, TotDebit: debit, TotCredit: credit, Balance: debit - credit });
}

/** @throws KineticError 400 the date is outside of the group's period, or that was closed meanwhile. */
function checkDate(company: KineticCompany, group: Row, day: string): void {
  const period = company.periodColumns(day, 'GLJrnHed');
  const isSame = period.FiscalYear === group.FiscalYear && period.FiscalPeriod === group.FiscalPeriod;
  if (!isSame) throw refusal('The date is not in the period of the group.', { table: 'GLJrnHed', field: 'JEDate' });
}

/** Journals in other currencies: what the server wants of them is not established, so it wants none. */
function checkCurrency(company: KineticCompany, row: Row): void {
  const currency = text(row, 'CurrencyCode');
  if (currency !== '' && currency !== company.baseCurrency) {
    throw refusal(`Currency ${currency} is not valid for the book.`, { table: 'GLJrnHed', field: 'CurrencyCode' });
  }
}

function openGroup({ company, user }: SaveContext, groupId: string): Row {
  const group = glGroup(company, groupId);
  checkGroupLock(group, user);
  if (!company.settings.savesLockGroups || text(group, 'ActiveUserID') === user) return group;
  return company.database.table(GL_GROUP).put({ ...group, ActiveUserID: user });
}
