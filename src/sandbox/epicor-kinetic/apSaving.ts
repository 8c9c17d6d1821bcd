import { apGroup, checkGroupLock, lockApGroup } from './apGroups.js';
import {
  addDefaultCoding,
  addToGroup,
  codingKey,
  expenseKey,
  invoiceOf,
  isOpenInvoice,
  keyColumns,
  keyOf,
  partsOf,
  priced,
  putCoding,
  putExpense,
  recompute,
} from './apRows.js';
import { segmentsDiffer } from './chart.js';
import { BOOK_ID, type KineticCompany, SECOND_BOOK_ID, TERMS_CODE } from './company.js';
import { notFound, refusal } from './failures.js';
import { multiply, UNIT } from './numbers.js';
import { amount, flag, type Row, type SentRow, text, whole } from './rows.js';
import { duplicate, merged, type SaveContext, storedRow } from './service.js';
import { AP_CODING, AP_EXPENSE, AP_INVOICE, AP_LINE, VENDOR } from './tables.js';

/** Columns of a header that only the server writes. */
const HEADER_OWNED = new Set(
  `VendorNumVendorID VendorNumName DebitMemo InvoiceVendorAmt DocInvoiceAmt InvoiceAmt DocInvoiceVariance DocInvoiceBal
  InvoiceBal DocTaxAmt GroupID Posted OpenPayable LockStatus IsLcked EntryPerson ChangedBy ChangeDate FiscalYear
  FiscalYearSuffix FiscalPeriod FiscalCalendarID JournalCode JournalNum HeadNum LegalNumber ExchangeRate`.split(/\s+/),
);
const LINE_OWNED = new Set(['DocExtCost', 'ExtCost', 'UnitCost', 'GLAccount', 'ChangedBy', 'ChangeDate']);
const EXPENSE_OWNED = new Set([
  'GLAccount',
  'GLAccountDesc',
  'ExpDispGLAcct',
  'GroupID',
  'Posted',
  'ExpAmt',
  'ScrExpAmt',
]);
const CODING_OWNED = new Set(['DebitAmount', 'CreditAmount', 'GLAccountGLAcctDisp', 'GLAccountAccountDesc']);

/** Saves rows of an invoice in the order of their tables: a line needs its header, an account its expense. */
export function saveInvoiceRows(context: SaveContext, rows: readonly SentRow[]): void {
  for (const sent of rows) saveInvoiceRow(context, sent, { rows: [] });
}

/** @param others.rows rows of the same call that make the automatic coding of a line needless. */
export function saveInvoiceRow(
  context: SaveContext,
  sent: SentRow,
  others: { rows: readonly SentRow[] },
): Row | undefined {
  if (sent.rowMod === '') return undefined;
  if (!['A', 'U', 'D'].includes(sent.rowMod)) throw refusal(`RowMod '${sent.rowMod}' is not valid.`);
  if (sent.def === AP_INVOICE) return saveHeader(context, sent);
  if (sent.def === AP_LINE) return saveLine(context, sent, others.rows);
  if (sent.def === AP_EXPENSE) saveExpense(context, sent);
  else if (sent.def === AP_CODING) saveCoding(context, sent);
  else throw refusal(`${sent.def.name} is computed and cannot be saved.`, { table: sent.def.name });
  return undefined;
}

export function activeVendor(company: KineticCompany, code: string, vendorNum: number): Row {
  const table = company.database.table(VENDOR);
  const vendor = code === '' ? table.find(vendorNum) : company.vendorByCode(code);
  const place = { table: 'APInvHed', field: 'VendorNumVendorID' };
  if (vendor === undefined) throw refusal('Invalid Vendor ID.', place);
  if (flag(vendor, 'Inactive')) throw refusal(`Vendor ${text(vendor, 'VendorID')} is inactive.`, place);
  return vendor;
}

function saveHeader({ company, user }: SaveContext, sent: SentRow): Row | undefined {
  if (sent.rowMod === 'D') {
    removeInvoice({ company, user }, storedRow(company, sent));
    return undefined;
  }
  const header = sent.rowMod === 'A' ? newHeader({ company, user }, sent.row) : changedHeader({ company, user }, sent);
  const stored = company.database.table(AP_INVOICE).put(header);
  company.noteWritten(stored);
  return recompute(company, keyOf(stored));
}

function newHeader({ company, user }: SaveContext, sent: Row): Row {
  const { SysRowID: _id, ...row } = sent;
  const group = openGroup({ company, user }, text(row, 'GroupID'));
  const vendor = activeVendor(company, text(row, 'VendorNumVendorID'), whole(row, 'VendorNum'));
  const invoiceNum = text(row, 'InvoiceNum').trim();
  const place = { table: 'APInvHed', field: 'InvoiceNum' };
  if (invoiceNum === '') throw refusal('Invoice is required.', place);
  if (invoiceNum.length > company.settings.invoiceNumMax) throw refusal('Invoice number is too long.', place);
  const vendorNum = whole(vendor, 'VendorNum');
  if (company.database.table(AP_INVOICE).find(vendorNum, invoiceNum) !== undefined)
    throw duplicate(company, 'APInvHed');
  const invoiceDate = text(row, 'InvoiceDate') || company.today;
  const draft: Row = {
    ...row,
    ...{ InvoiceNum: invoiceNum, VendorNum: vendorNum, GroupID: text(group, 'GroupID'), InvoiceDate: invoiceDate },
    ...{ ApplyDate: text(row, 'ApplyDate') || text(group, 'ApplyDate'), DueDate: text(row, 'DueDate') || invoiceDate },
    CurrencyCode: text(row, 'CurrencyCode') || text(vendor, 'CurrencyCode') || company.baseCurrency,
    TermsCode: text(row, 'TermsCode') || text(vendor, 'TermsCode') || TERMS_CODE,
    TaxRegionCode: text(row, 'TaxRegionCode') || company.settings.taxRegion,
    ...{ EntryPerson: user, HeadNum: company.next('header'), OpenPayable: true, Posted: false, IsLcked: false },
    ...{ DocInvoiceAmt: 0n, VendorNumVendorID: text(vendor, 'VendorID'), VendorNumName: text(vendor, 'Name') },
  };
  return finished({ company, user }, draft, {});
}

function changedHeader({ company, user }: SaveContext, sent: SentRow): Row {
  const stored = storedRow(company, sent);
  changeable({ company, user }, stored);
  return finished({ company, user }, merged(company, stored, sent, HEADER_OWNED), stored);
}

/** What every save of a header decides: control total, period, rate, audit columns. */
function finished({ company, user }: SaveContext, row: Row, before: Row): Row {
  const screen = amount(row, 'ScrDocInvoiceVendorAmt');
  const stored = amount(row, 'DocInvoiceVendorAmt');
  const sign = flag(row, 'DebitMemo') ? -1n : 1n;
  const screenChanged = screen !== amount(before, 'ScrDocInvoiceVendorAmt');
  const control = screenChanged ? sign * screen : stored;
  const { ExternalID: externalId, ...rest } = row;
  const keptId = company.settings.externalIdWritable ? externalId : before.ExternalID;
  return {
    ...rest,
    ...(keptId === undefined ? {} : { ExternalID: keptId }),
    ...{ DocInvoiceVendorAmt: control, ScrDocInvoiceVendorAmt: sign * control },
    ExchangeRate: company.rateOf(text(row, 'CurrencyCode')),
    ...company.periodColumns(text(row, 'ApplyDate') || company.today, 'APInvHed'),
    ...{ ChangedBy: user, ChangeDate: company.today },
  };
}

function saveLine(context: SaveContext, sent: SentRow, others: readonly SentRow[]): Row | undefined {
  const { company, user } = context;
  const table = company.database.table(AP_LINE);
  if (sent.rowMod === 'A') {
    const header = changeableInvoice(context, sent.row);
    const key = keyOf(header);
    const last = partsOf(company, AP_LINE, key).at(-1);
    const { SysRowID: _id, ...row } = sent.row;
    const audit = { ChangedBy: user, ChangeDate: company.today };
    // The server numbers lines itself; what the caller put there is not looked at.
    const numbered = {
      ...row,
      ...keyColumns(header),
      InvoiceLine: last === undefined ? 1 : whole(last, 'InvoiceLine') + 1,
    };
    const line = table.put({
      ...priced(company, header, numbered, undefined),
      ...audit,
      LineType: text(row, 'LineType') || 'M',
    });
    const isCoded = others.some(
      ({ def, row: other }) => def === AP_EXPENSE && whole(other, 'InvoiceLine') === whole(line, 'InvoiceLine'),
    );
    if (text(line, 'LineType') === 'M' && !isCoded) addDefaultCoding(company, header, line);
    recompute(company, key);
    return line;
  }
  const stored = storedRow(company, sent);
  const header = changeable(context, invoiceOf(company, keyOf(stored)));
  if (sent.rowMod === 'D') {
    for (const def of [AP_CODING, AP_EXPENSE])
      for (const row of partsOfLine(company, def, stored)) company.database.table(def).remove(row);
    table.remove(stored);
  } else {
    const row = merged(company, stored, sent, LINE_OWNED);
    const line = table.put({ ...priced(company, header, row, stored), ChangedBy: user, ChangeDate: company.today });
    followLine(company, header, line);
  }
  recompute(company, keyOf(header));
  return table.same(stored);
}

/** The only expense row of a line takes the line's amount. */
function followLine(company: KineticCompany, header: Row, line: Row): void {
  const [expense, ...more] = partsOfLine(company, AP_EXPENSE, line);
  if (expense === undefined || more.length > 0) return;
  const changed = company.database.table(AP_EXPENSE).put({
    ...expense,
    ...amountsOf(company, header, amount(line, 'DocExtCost')),
  });
  recode(company, changed);
}

function saveExpense(context: SaveContext, sent: SentRow): void {
  const { company } = context;
  const table = company.database.table(AP_EXPENSE);
  if (sent.rowMod === 'A') {
    const header = changeableInvoice(context, sent.row);
    const key = { ...keyColumns(header), InvoiceLine: whole(sent.row, 'InvoiceLine') };
    const line = company.database.table(AP_LINE).same(key);
    if (line === undefined) throw refusal('Invoice line is not valid.', { table: 'APInvExp', field: 'InvoiceLine' });
    const last = partsOfLine(company, AP_EXPENSE, line).at(-1);
    const sequence = last === undefined ? 1 : whole(last, 'InvExpSeq') + 1;
    const value = typedAmount(sent.row, {}) ?? 0n;
    table.put({ ...putExpense(company, header, line, value, sequence), ...reference(sent.row) });
    return;
  }
  const stored = storedRow(company, sent);
  const header = changeable(context, invoiceOf(company, keyOf(stored)));
  if (sent.rowMod === 'D') {
    for (const row of codingOf(company, stored)) company.database.table(AP_CODING).remove(row);
    table.remove(stored);
    return;
  }
  const row = merged(company, stored, sent, EXPENSE_OWNED);
  const value = typedAmount(row, stored) ?? amount(stored, 'DocExpAmt');
  recode(company, table.put({ ...row, ...amountsOf(company, header, value) }));
}

function saveCoding(context: SaveContext, sent: SentRow): void {
  const { company } = context;
  const table = company.database.table(AP_CODING);
  if (sent.rowMod === 'A') {
    const header = changeableInvoice(context, sent.row);
    const { InvoiceLine: lineNumber, InvExpSeq: sequence } = sent.row;
    const key = { ...expenseKey({ ...keyColumns(header), InvoiceLine: lineNumber ?? 0 }, Number(sequence ?? 0)) };
    const expense = company.database.table(AP_EXPENSE).same(key);
    if (expense === undefined)
      throw refusal('Expense row is not valid.', { table: 'APInvExpTGLC', field: 'InvExpSeq' });
    const bookId = text(sent.row, 'BookID') || BOOK_ID;
    checkBook(company, bookId);
    if (table.same(codingKey(expense, bookId, bookId === BOOK_ID ? 1 : 2)) !== undefined) {
      throw duplicate(company, 'APInvExpTGLC');
    }
    putCoding(company, expense, validAccount(company, sent.row), bookId, true);
    return;
  }
  const stored = storedRow(company, sent);
  changeable(context, invoiceOf(company, keyOf(stored)));
  if (sent.rowMod === 'D') {
    table.remove(stored);
    return;
  }
  const row = merged(company, stored, sent, CODING_OWNED);
  const expense = company.database.table(AP_EXPENSE).same(expenseKey(stored, whole(stored, 'InvExpSeq')));
  if (expense === undefined) throw notFound();
  putCoding(company, expense, validAccount(company, row), text(stored, 'BookID'), true);
}

/** The account that a row names, by its whole and its segments alike. @throws KineticError 400 they differ or it is unusable. */
function validAccount(company: KineticCompany, row: Row): string {
  const place = { table: 'APInvExpTGLC', field: 'GLAccount' };
  const differing = company.settings.accountSegments === 'ignored' ? undefined : segmentsDiffer(row);
  if (differing !== undefined) throw refusal(differing, place);
  const given = company.chart.read(text(row, 'GLAccount')).stored;
  const problem = company.chart.problemOf(given, 'PAYABLES');
  if (problem !== undefined) throw refusal(problem, place);
  return given;
}

function checkBook(company: KineticCompany, bookId: string): void {
  const isKnown = bookId === BOOK_ID || (bookId === SECOND_BOOK_ID && company.settings.secondBook);
  if (!isKnown) throw refusal(`Book ${bookId} is not valid.`, { table: 'APInvExpTGLC', field: 'BookID' });
}

/** Account rows follow the amount of their expense. */
function recode(company: KineticCompany, expense: Row): void {
  for (const row of codingOf(company, expense)) {
    putCoding(company, expense, text(row, 'GLAccount'), text(row, 'BookID'), flag(row, 'IsModifiedByUser'));
  }
}

function codingOf(company: KineticCompany, expense: Row): Row[] {
  const sequence = whole(expense, 'InvExpSeq');
  return partsOfLine(company, AP_CODING, expense).filter((row) => whole(row, 'InvExpSeq') === sequence);
}

function partsOfLine(company: KineticCompany, def: typeof AP_EXPENSE, line: Row): Row[] {
  return partsOf(company, def, keyOf(line)).filter((row) => whole(row, 'InvoiceLine') === whole(line, 'InvoiceLine'));
}

function amountsOf(company: KineticCompany, header: Row, value: bigint): Row {
  const base = company.toBase(value, text(header, 'CurrencyCode'));
  return { DocExpAmt: value, DocScrExpAmt: value, ExpAmt: base, ScrExpAmt: base };
}

/** The amount of an expense row: whichever of its columns was changed. */
function typedAmount(row: Row, before: Row): bigint | undefined {
  for (const column of ['DocScrExpAmt', 'DocExpAmt', 'ScrExpAmt', 'ExpAmt']) {
    if (amount(row, column) !== amount(before, column)) return multiply(amount(row, column), UNIT, 2);
  }
  return undefined;
}

function reference(row: Row): Row {
  return { RefType: text(row, 'RefType'), RefCode: text(row, 'RefCode') };
}

/** The header that a new row names. */
function changeableInvoice(context: SaveContext, row: Row): Row {
  const code = text(row, 'VendorNumVendorID');
  const vendorNum = whole(row, 'VendorNum') || whole(context.company.vendorByCode(code) ?? {}, 'VendorNum');
  return changeable(context, invoiceOf(context.company, { vendorNum, invoiceNum: text(row, 'InvoiceNum') }));
}

/** @throws KineticError 400 the invoice is posted or locked, or another user holds its group. */
export function changeable(context: SaveContext, header: Row): Row {
  if (!isOpenInvoice(header)) throw refusal('The invoice is posted and cannot be changed.', { table: 'APInvHed' });
  openGroup(context, text(header, 'GroupID'));
  return header;
}

/** The group of an invoice that is saved; from then on the user holds it. */
export function openGroup({ company, user }: SaveContext, groupId: string): Row {
  const group = apGroup(company, groupId);
  checkGroupLock(group, user);
  return company.settings.savesLockGroups ? lockApGroup(company, group, user) : group;
}

export function removeInvoice(context: SaveContext, header: Row): void {
  const { company } = context;
  changeable(context, header);
  const key = keyOf(header);
  for (const def of [AP_CODING, AP_EXPENSE, AP_LINE]) {
    for (const row of partsOf(company, def, key)) company.database.table(def).remove(row);
  }
  company.database.table(AP_INVOICE).remove(header);
  addToGroup(company, text(header, 'GroupID'), -amount(header, 'DocInvoiceAmt'));
}
