import { COA_CODE } from './chart.js';
import { BOOK_ID, type KineticCompany, SECOND_BOOK_ID } from './company.js';
import { notFound } from './failures.js';
import { currencyPlaces, divide, multiply, parseUnits, roundTo, UNIT } from './numbers.js';
import { amount, flag, type Row, type TableDef, text, whole } from './rows.js';
import { AP_CODING, AP_EXPENSE, AP_INVOICE, AP_LINE, AP_TAX } from './tables.js';

/** The tables of an invoice in the order in which they are saved. */
export const AP_TABLES = [AP_INVOICE, AP_LINE, AP_EXPENSE, AP_CODING, AP_TAX];

export interface InvoiceKey {
  vendorNum: number;
  invoiceNum: string;
}

export function keyOf(row: Row): InvoiceKey {
  return { vendorNum: whole(row, 'VendorNum'), invoiceNum: text(row, 'InvoiceNum') };
}

/** @throws KineticError 404 there is no such invoice. */
export function invoiceOf(company: KineticCompany, { vendorNum, invoiceNum }: InvoiceKey): Row {
  const found = company.database.table(AP_INVOICE).find(vendorNum, invoiceNum);
  if (found === undefined) throw notFound();
  return found;
}

/** Rows of one table that belong to the invoice, in the order of their numbers. */
export function partsOf(company: KineticCompany, def: TableDef, { vendorNum, invoiceNum }: InvoiceKey): Row[] {
  const rows: Row[] = [];
  for (const row of company.database.table(def).where('InvoiceNum', invoiceNum)) {
    if (whole(row, 'VendorNum') === vendorNum) rows.push(row);
  }
  const order = (row: Row, column: string): number => whole(row, column);
  return rows.sort(
    (one, other) =>
      order(one, 'InvoiceLine') - order(other, 'InvoiceLine') ||
      order(one, 'InvExpSeq') - order(other, 'InvExpSeq') ||
      order(one, 'TGLCTranNum') - order(other, 'TGLCTranNum'),
  );
}

/** Everything of an invoice, as `GetByID` gives it. */
export function wholeInvoice(company: KineticCompany, key: InvoiceKey): { def: TableDef; row: Row }[] {
  const header = company.database.table(AP_INVOICE).find(key.vendorNum, key.invoiceNum);
  if (header === undefined) return [];
  const parts = AP_TABLES.slice(1).flatMap((def) => partsOf(company, def, key).map((row) => ({ def, row })));
  return [{ def: AP_INVOICE, row: header }, ...parts];
}

/** What the server computes from the lines: totals, tax, variance. The control total is the caller's. */
export function recompute(company: KineticCompany, key: InvoiceKey): Row {
  const header = invoiceOf(company, key);
  const currency = text(header, 'CurrencyCode');
  const lines = partsOf(company, AP_LINE, key);
  const net = lines.reduce((sum, line) => sum + amount(line, 'DocExtCost'), 0n);
  const tax = taxOf(company, header, lines);
  const total = net + tax;
  const control = amount(header, 'DocInvoiceVendorAmt');
  addToGroup(company, text(header, 'GroupID'), total - amount(header, 'DocInvoiceAmt'));
  return company.database.table(AP_INVOICE).put({
    ...header,
    ...{ DocInvoiceAmt: total, InvoiceAmt: company.toBase(total, currency), DocTaxAmt: tax },
    ...{ DocInvoiceBal: total, InvoiceBal: company.toBase(total, currency) },
    ...{ InvoiceVendorAmt: company.toBase(control, currency), DocInvoiceVariance: control - total },
  });
}

export function addToGroup(company: KineticCompany, groupId: string, change: bigint): void {
  const group = groupId.toUpperCase();
  const before = company.groupTotals.get(group) ?? 0n;
  company.groupTotals.set(group, before + change);
  company.database.remember(() => company.groupTotals.set(group, before));
}

/** An invoice with a tax region gets tax for every line that is not exempt, whether or not anybody asked for it. */
function taxOf(company: KineticCompany, header: Row, lines: readonly Row[]): bigint {
  const region = text(header, 'TaxRegionCode');
  const code = company.seed.taxCodes.find((tax) => tax.code === region);
  const table = company.database.table(AP_TAX);
  for (const old of partsOf(company, AP_TAX, keyOf(header))) table.remove(old);
  if (code === undefined) return 0n;
  const percent = parseUnits(code.percent) ?? 0n;
  const taxable = lines
    .filter((line) => text(line, 'TaxExempt') === '')
    .reduce((sum, line) => sum + amount(line, 'DocExtCost'), 0n);
  const currency = text(header, 'CurrencyCode');
  const tax = multiply(taxable, percent / 100n, currencyPlaces(currency));
  table.put({
    ...{ VendorNum: whole(header, 'VendorNum'), InvoiceNum: text(header, 'InvoiceNum'), TaxCode: code.code },
    ...{ Percent: percent, DocTaxAmt: tax, TaxAmt: company.toBase(tax, currency), DocTaxableAmt: taxable },
  });
  return tax;
}

/**
 * The amount of a line: quantity by unit cost where both are there, else the extended cost that was typed. A debit memo is
 * entered in positive amounts and kept in negative ones.
 */
export function priced(company: KineticCompany, header: Row, line: Row, before: Row | undefined): Row {
  const currency = text(header, 'CurrencyCode');
  const places = currencyPlaces(currency);
  const { unit, quantity, extended } = entered(line, before ?? {}, before !== undefined, places);
  const stored = flag(header, 'DebitMemo') ? -extended : extended;
  return {
    ...line,
    ...{ DocUnitCost: unit, DocScrUnitCost: unit, UnitCost: company.toBase(unit, currency), ScrUnitCost: unit },
    ...{ VendorQty: quantity, ScrVendorQty: quantity, OurQty: quantity },
    ...{ ScrDocExtCost: extended, ScrExtCost: company.toBase(extended, currency) },
    ...{ DocExtCost: stored, ExtCost: company.toBase(stored, currency) },
  };
}

/** What the caller typed, read from whichever of the twin columns changed. */
function entered(
  line: Row,
  before: Row,
  isChange: boolean,
  places: number,
): { unit: bigint; quantity: bigint; extended: bigint } {
  const changed = (column: string): boolean => amount(line, column) !== amount(before, column);
  const pick = (...columns: string[]): bigint => amount(line, columns.find(changed) ?? columns[0] ?? '');
  const unit = pick('DocUnitCost', 'DocScrUnitCost', 'ScrUnitCost');
  const quantity = pick('ScrVendorQty', 'VendorQty') || UNIT;
  const isExtended = changed('ScrDocExtCost') || changed('ScrExtCost');
  if (unit === 0n || (isChange && isExtended && !changed('DocUnitCost'))) {
    const extended = roundTo(pick('ScrDocExtCost', 'ScrExtCost'), places);
    return { unit: extended, quantity: UNIT, extended };
  }
  const per = { C: 100n, M: 1000n }[text(line, 'CostPerCode')] ?? 1n;
  return { unit, quantity, extended: multiply(quantity, divide(unit, per), places) };
}

/** The expense row and its account rows that a saved line gets by itself, where the company has a default account. */
export function addDefaultCoding(company: KineticCompany, header: Row, line: Row): void {
  const wanted = company.settings.defaultExpenseAccount;
  const stored = wanted === 'first' ? company.chart.firstExpenseAccount() : (wanted ?? undefined);
  if (stored === undefined) return;
  const expense = putExpense(company, header, line, amount(line, 'DocExtCost'), 1);
  for (const bookId of company.settings.secondBook ? [BOOK_ID, SECOND_BOOK_ID] : [BOOK_ID]) {
    putCoding(company, expense, stored, bookId, false);
  }
}

export function putExpense(company: KineticCompany, header: Row, line: Row, value: bigint, sequence: number): Row {
  const currency = text(header, 'CurrencyCode');
  return company.database.table(AP_EXPENSE).put({
    ...expenseKey(line, sequence),
    ...{ DocExpAmt: value, ExpAmt: company.toBase(value, currency), DocScrExpAmt: value },
    ...{ ScrExpAmt: company.toBase(value, currency), BookID: BOOK_ID, COACode: COA_CODE },
    GroupID: text(header, 'GroupID'),
  });
}

export function expenseKey(line: Row, sequence: number): Row {
  return { ...keyColumns(line), InvoiceLine: whole(line, 'InvoiceLine'), InvExpSeq: sequence };
}

export function keyColumns(row: Row): Row {
  return { VendorNum: whole(row, 'VendorNum'), InvoiceNum: text(row, 'InvoiceNum') };
}

/** The generic key of an account row: what it belongs to, and the key of that in texts. */
export function codingKey(expense: Row, bookId: string, number: number): Row {
  return {
    ...keyColumns(expense),
    ...{ InvoiceLine: whole(expense, 'InvoiceLine'), InvExpSeq: whole(expense, 'InvExpSeq') },
    ...{ RelatedToFile: 'APInvExp', Key1: String(whole(expense, 'VendorNum')), Key2: text(expense, 'InvoiceNum') },
    ...{ Key3: String(whole(expense, 'InvoiceLine')), Key4: String(whole(expense, 'InvExpSeq')) },
    ...{ TGLCTranNum: number, GLAcctContext: 'Expense', BookID: bookId, RecordType: 'A', COACode: COA_CODE },
  };
}

/** Codes an expense row, and shows the account on it and its line where it is that of the main book. */
export function putCoding(company: KineticCompany, expense: Row, stored: string, bookId: string, byUser: boolean): Row {
  const { chart, database } = company;
  const coded = chart.read(stored);
  const key = codingKey(expense, bookId, bookId === BOOK_ID ? 1 : 2);
  const value = amount(expense, 'ExpAmt');
  const row = database.table(AP_CODING).put({
    ...key,
    ...chart.columnsOf(coded.stored),
    ...{ UserCanModify: true, SysGLControlType: 'Inventory/COS/WIP', IsModifiedByUser: byUser },
    ...{ DebitAmount: value > 0n ? value : 0n, CreditAmount: value < 0n ? -value : 0n },
    ...{ GLAccountGLAcctDisp: coded.display, GLAccountAccountDesc: coded.description },
  });
  if (bookId !== BOOK_ID) return row;
  const current = database.table(AP_EXPENSE).same(expense) ?? expense;
  database.table(AP_EXPENSE).put({
    ...current,
    ...{ GLAccount: coded.stored, GLAccountDesc: coded.description, ExpDispGLAcct: coded.display },
  });
  return row;
}

export function isOpenInvoice(header: Row): boolean {
  return !flag(header, 'Posted') && !flag(header, 'IsLcked');
}
