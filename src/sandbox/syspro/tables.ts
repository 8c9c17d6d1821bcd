import { formatAmount, JOURNAL_DIGITS, PERIOD_DIGITS } from './amounts.js';
import type { SysproCompany } from './company.js';
import { JOURNAL_STATUS } from './elements.js';
import { type Account, type Journal, type PostedEntry, totalsOf } from './journals.js';
import { type Invoice, type Supplier, storedSupplierKey } from './payables.js';
import type { SysproSettings } from './settings.js';

/**
 * How a column compares. A key compares after it was brought into its stored form, so that `0000001` finds the supplier
 * stored as fifteen digits.
 */
export type ColumnKind = 'TEXT' | 'NUMBER' | 'KEY';

export interface Column<Row> {
  kind: ColumnKind;
  read(row: Row): string;
}

/** A table that COMFND, COMBRW and COMFCH may read (SYSPRO e.net: table columns). */
export interface Table<Row> {
  name: string;
  /** The columns of the primary key, in order. */
  key: readonly string[];
  columns: ReadonlyMap<string, Column<Row>>;
  rows(): Iterable<Row>;
  /** Rows with that value by index, in order; undefined where the column has no index. */
  lookup(column: string, value: string): Iterable<Row> | undefined;
  /** What makes two rows the same one; for rows that are made anew at each reading. */
  identity(row: Row): unknown;
}

/** Gives a table to code that works for any row type. */
export type TableVisitor<Result> = <Row>(table: Table<Row>) => Result;

const text = <Row>(read: (row: Row) => string): Column<Row> => ({ kind: 'TEXT', read });
const number = <Row>(read: (row: Row) => string): Column<Row> => ({ kind: 'NUMBER', read });

/** @returns what the visitor returns, or undefined when there is no such table or it may not be read. */
export function visitTable<Result>(
  name: string,
  company: SysproCompany,
  settings: SysproSettings,
  visit: TableVisitor<Result>,
): Result | undefined {
  switch (name) {
    case 'GenMaster':
      return visit(genMaster(company));
    case 'ApSupplier':
      return visit(apSupplier(company));
    case 'ApInvoice':
      return visit(apInvoice(company));
    case 'GenJournalCtl':
      return settings.findJournals ? visit(genJournalCtl(company, settings)) : undefined;
    case 'GenJournalDetail':
      return settings.findJournals ? visit(genJournalDetail(company, settings)) : undefined;
    default:
      return undefined;
  }
}

function genMaster(company: SysproCompany): Table<Account> {
  const { calendar, journals } = company;
  const movement = (account: Account) => journals.movement(account.code, calendar.currentYear, calendar.currentPeriod);
  const balanceAt = (account: Account, period: number): string =>
    formatAmount(company.balance(account.code, calendar.currentYear, period));
  return {
    name: 'GenMaster',
    key: ['GlCode'],
    columns: new Map([
      ['Company', text(() => company.seed.companyId)],
      ['GlCode', text((row) => row.code)],
      ['Description', text((row) => row.description)],
      ['AccountType', text((row) => row.type)],
      ['ExpenseType', text((row) => (row.type === 'E' ? 'G' : ''))],
      ['GlGroup', text(() => '')],
      ['PtdDrValue', number((row) => formatAmount(movement(row).debit))],
      ['PtdCrValue', number((row) => formatAmount(movement(row).credit))],
      ['CurrentBalance', number((row) => balanceAt(row, calendar.currentPeriod))],
      ['PrevPerEndBal', number((row) => balanceAt(row, calendar.currentPeriod - 1))],
      ['BudgetMethod', text(() => '')],
      ['ControlAccFlag', text((row) => (row.control ? 'Y' : 'N'))],
      // An account in use shows a blank or an N. Both come here, by the last character, so that readers must take either.
      [
        'AccOnHldFlag',
        text((row) => (row.onHold ? 'Y' : row.code.charCodeAt(row.code.length - 1) % 2 === 0 ? '' : 'N')),
      ],
      ['TaxCode', text(() => '')],
      ['RetEarnsAccount', text(() => '')],
      ['AnalysisRequired', text(() => 'N')],
    ]),
    rows: () => company.accounts(),
    lookup: (column, value) => (column === 'GlCode' ? present(company.account(value)) : undefined),
    identity: (row) => row,
  };
}

function apSupplier(company: SysproCompany): Table<Supplier> {
  return {
    name: 'ApSupplier',
    key: ['Supplier'],
    columns: new Map<string, Column<Supplier>>([
      ['Supplier', { kind: 'KEY', read: (row) => row.key }],
      ['SupplierName', text((row) => row.name)],
      ['SupShortName', text((row) => row.shortName)],
      ['Branch', text((row) => row.branch)],
      ['TermsCode', text((row) => row.termsCode)],
      ['Bank', text((row) => row.bank)],
      ['Currency', text((row) => row.currency)],
      ['SupplierClass', text((row) => row.supplierClass)],
      ['Email', text((row) => row.email)],
      ['TaxRegnNum', text((row) => row.taxNumber)],
      ['OnHold', text((row) => (row.onHold ? 'Y' : 'N'))],
      ['DateSuppAdded', text((row) => row.addedOn)],
    ]),
    rows: () => company.payables.suppliers(),
    lookup: (column, value) => (column === 'Supplier' ? present(company.payables.supplier(value)) : undefined),
    identity: (row) => row,
  };
}

function apInvoice(company: SysproCompany): Table<Invoice> {
  const { payables } = company;
  return {
    name: 'ApInvoice',
    key: ['Supplier', 'Invoice'],
    columns: new Map<string, Column<Invoice>>([
      ['Supplier', { kind: 'KEY', read: (row) => row.supplier }],
      ['Invoice', text((row) => row.invoice)],
      ['OrigInvValue', number((row) => formatAmount(row.value))],
      ['MthInvBal1', number((row) => formatAmount(row.value))],
      ['InvoiceDate', text((row) => row.date)],
      ['Reference', text((row) => row.reference)],
      ['InvoiceYear', number((row) => String(row.year))],
      ['InvoiceMonth', number((row) => String(row.month))],
      ['JournalNumber', number((row) => String(row.journal))],
    ]),
    rows: () => payables.invoices(),
    lookup: (column, value) => {
      if (column === 'Invoice') return payables.withNumber(value);
      return column === 'Supplier' ? payables.invoicesOf(storedSupplierKey(value)) : undefined;
    },
    identity: (row) => row,
  };
}

function padding(settings: SysproSettings): (value: number, width: number) => string {
  const fill = settings.blankPadding ? ' ' : '0';
  return (value, width) => String(value).padStart(width, fill);
}

function genJournalCtl(company: SysproCompany, settings: SysproSettings): Table<Journal> {
  const pad = padding(settings);
  return {
    name: 'GenJournalCtl',
    key: ['GlYear', 'GlPeriod', 'GlJournal'],
    columns: new Map([
      ['GlYear', number((row) => String(row.year))],
      ['GlPeriod', number((row) => pad(row.period, PERIOD_DIGITS))],
      ['GlJournal', number((row) => pad(row.number, JOURNAL_DIGITS))],
      ['JournalDate', text((row) => row.date)],
      ['NumOfEntries', number((row) => pad(row.lines.length, JOURNAL_DIGITS))],
      ['DebitAmount', number((row) => formatAmount(totalsOf(row).debit))],
      ['CreditAmount', number((row) => formatAmount(totalsOf(row).credit))],
      ['JnlPostingType', text((row) => row.type)],
      ['Source', text((row) => row.source)],
      ['JournalSource', text((row) => row.source)],
      ['Operator', text((row) => row.operator)],
      ['JnlStatus', text((row) => JOURNAL_STATUS[row.state])],
      ['Reference', text((row) => row.reference)],
      ['Notation', text((row) => row.notation)],
      ['AuthorisedBy', text((row) => (row.authorised ? row.operator : ''))],
      ['PostedBy', text((row) => (row.postedOn === null ? '' : row.operator))],
      ['Authorised', text((row) => (row.authorised ? 'Y' : 'N'))],
      ['PostDate', text((row) => row.postedOn ?? '0000-00-00')],
      ['JnlPrintFlag', text(() => 'N')],
    ]),
    rows: () => company.journals.all,
    lookup: (column, value) => {
      if (column === 'Reference') return company.journals.withReference(value);
      return column === 'GlJournal' ? company.journals.withNumber(Number(value)) : undefined;
    },
    identity: (row) => row,
  };
}

function genJournalDetail(company: SysproCompany, settings: SysproSettings): Table<PostedEntry> {
  const pad = padding(settings);
  return {
    name: 'GenJournalDetail',
    key: ['GlYear', 'GlPeriod', 'Journal', 'EntryNumber'],
    columns: new Map([
      ['Journal', number((row) => pad(row.journal.number, JOURNAL_DIGITS))],
      ['GlYear', number((row) => String(row.journal.year))],
      ['GlPeriod', number((row) => pad(row.journal.period, PERIOD_DIGITS))],
      ['EntryNumber', number((row) => pad(row.line.entry, JOURNAL_DIGITS))],
      ['EntryType', text((row) => (row.line.amount >= 0n ? 'D' : 'C'))],
      ['GlCode', text((row) => row.line.account)],
      ['Reference', text((row) => row.line.reference)],
      ['Comment', text((row) => row.line.comment)],
      ['EntryValue', number((row) => formatAmount(row.line.amount))],
      ['EntryDate', text((row) => row.line.date)],
      ['EntryPosted', text((row) => (row.journal.state === 'POSTED' ? 'Y' : 'N'))],
      ['InterCompanyFlag', text(() => 'N')],
      ['Company', text(() => company.seed.companyId)],
      ['Source', text((row) => row.journal.source)],
      ['TransactionDate', text((row) => row.line.date)],
    ]),
    rows: () => linesOf(company.journals.all),
    lookup: (column, value) => {
      if (column === 'Journal') return linesOf(company.journals.withNumber(Number(value)));
      if (column === 'Reference') return linesOf(company.journals.withLineReference(value));
      return undefined;
    },
    identity: (row) => row.line,
  };
}

function* linesOf(journals: Iterable<Journal>): Generator<PostedEntry> {
  for (const journal of journals) for (const line of journal.lines) yield { journal, line };
}

function present<Row>(row: Row | undefined): Row[] {
  return row === undefined ? [] : [row];
}
