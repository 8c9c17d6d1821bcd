import { addDays, type LocalDate } from '../../domain/localDate.js';
import type { DocumentQuery } from '../contract.js';
import type { KineticClient } from './client.js';
import type { KineticSettings } from './config.js';
import { minorOf } from './json.js';
import { carries, groupIdsOf, type JournalKey } from './mapper.js';
import { rowsOf } from './replies.js';
import { containsText, dayLiteral, encoded, literal, QUERY_MAX } from './url.js';
import {
  codingRow,
  draftLineRow,
  expenseRow,
  type InvoiceRow,
  invoiceKeyRow,
  invoiceLineRow,
  invoiceRow,
  type JournalRow,
  journalRow,
  type PostedLineRow,
  postedLineRow,
} from './wire.js';
import type { Work } from './work.js';

/**
 * Asking the ledger what it holds under our references. The answer decides whether a write is sent again, so whatever
 * cannot be read whole is an error here and never an absence.
 */

/** Select, order, page and the names of the parameters take this much of a query string. */
const REST_OF_QUERY = 700;
/** Posted journals are looked for this far on both sides of their posting date; the date of ours never moves. */
const DAYS_AROUND = 366;

// ── invoices ─────────────────────────────────────────────────────────────────────────────────

export interface InvoiceKeyFacts {
  readonly VendorNum: string;
  readonly InvoiceNum: string;
  readonly GroupID: string;
  readonly Posted: boolean;
}

/**
 * Invoices under these numbers, of whatever supplier: Epicor keeps numbers unique per supplier only, and the supplier of a
 * purchase may have been corrected since the first try.
 */
export async function findInvoices(
  client: KineticClient,
  settings: KineticSettings,
  references: readonly string[],
  work?: Work,
): Promise<InvoiceKeyFacts[]> {
  const found: InvoiceKeyFacts[] = [];
  for (const filter of orFilters('InvoiceNum', references))
    found.push(...(await invoicesWhere(client, settings, filter, work)));
  return found;
}

export function invoicesInGroup(
  client: KineticClient,
  settings: KineticSettings,
  groupId: string,
  work: Work,
): Promise<InvoiceKeyFacts[]> {
  return invoicesWhere(client, settings, `GroupID eq ${literal(groupId)}`, work);
}

function invoicesWhere(
  client: KineticClient,
  settings: KineticSettings,
  filter: string,
  work: Work | undefined,
): Promise<InvoiceKeyFacts[]> {
  const [service = '', set = ''] = `Erp.BO.${settings.invoiceLookup}`.split('/');
  const query = {
    service,
    set,
    select: ['VendorNum', 'InvoiceNum', 'GroupID', 'Posted'],
    filter,
    orderBy: 'VendorNum,InvoiceNum',
    schema: invoiceKeyRow,
    keyOf: (row: InvoiceKeyFacts) => `${row.VendorNum}/${row.InvoiceNum}`,
  };
  return client.all(query, work);
}

/** One invoice with its lines and their coding. */
export interface StoredInvoice {
  readonly head: InvoiceRow;
  /** As they came, for sending back. */
  readonly tables: Readonly<Record<string, readonly Record<string, unknown>[]>>;
  readonly lines: readonly StoredInvoiceLine[];
}

export interface StoredInvoiceLine {
  readonly lineNumber: number;
  /** `DocExtCost` as text, with the sign that it is stored with. */
  readonly amount: string;
  /** Accounts of our book; one of them, or the coding is not finished. */
  readonly accounts: readonly string[];
  /** Amounts of its expense rows; empty where the server sent none. */
  readonly expenses: readonly string[];
}

/** @returns null when the ledger does not have it. */
export async function readInvoice(
  client: KineticClient,
  settings: KineticSettings,
  key: { vendorNum: string; invoiceNum: string },
  work?: Work,
): Promise<StoredInvoice | null> {
  const parameters = { vendorNum: Number(key.vendorNum), invoiceNum: key.invoiceNum };
  const reply = await client.read('Erp.BO.APInvoiceSvc', 'GetByID', parameters, work);
  const [head] = reply ? rowsOf(reply.tables, 'APInvHed', invoiceRow) : [];
  if (!reply || !head) return null;
  const codings = rowsOf(reply.tables, 'APInvExpTGLC', codingRow).filter((row) => isOurCoding(row, settings));
  const expenses = rowsOf(reply.tables, 'APInvExp', expenseRow);
  const lines = rowsOf(reply.tables, 'APInvDtl', invoiceLineRow)
    .map((line) => ({
      lineNumber: Number(line.InvoiceLine),
      amount: line.DocExtCost,
      accounts: codings.filter((row) => row.InvoiceLine === line.InvoiceLine).map((row) => row.GLAccount),
      expenses: expenses.filter((row) => row.InvoiceLine === line.InvoiceLine).map((row) => row.DocExpAmt),
    }))
    .sort((a, b) => a.lineNumber - b.lineNumber);
  return { head, tables: reply.tables, lines };
}

/** Account data (and not a reference) of the book that we write to; a company may have several. */
export function isOurCoding(
  row: { RecordType: string; BookID: string },
  settings: Pick<KineticSettings, 'bookId'>,
): boolean {
  const isAccount = row.RecordType === '' || row.RecordType.toUpperCase() === 'A';
  return isAccount && (row.BookID === '' || row.BookID.toUpperCase() === settings.bookId.toUpperCase());
}

// ── journals ─────────────────────────────────────────────────────────────────────────────────

/** One posted journal, put together from its lines. */
export interface PostedJournal {
  readonly key: JournalKey;
  readonly lines: readonly PostedLineRow[];
}

const POSTED_LINES = {
  service: 'Erp.BO.GLJrnDtlSvc',
  set: 'GLJrnDtls',
  select: [
    'BookID',
    'FiscalYear',
    'FiscalYearSuffix',
    'JournalCode',
    'JournalNum',
    'JournalLine',
    'GroupID',
    'Description',
    'GLAccount',
    'DebitAmount',
    'CreditAmount',
  ],
  orderBy: 'BookID,FiscalYear,FiscalYearSuffix,JournalCode,JournalNum,JournalLine',
  schema: postedLineRow,
  keyOf: (row: PostedLineRow) => `${journalOf(row)}/${row.JournalLine}`,
} as const;

/** Posted journals by the references that they were sent under. */
export async function findPostedJournals(
  client: KineticClient,
  settings: KineticSettings,
  queries: readonly DocumentQuery[],
  work?: Work,
): Promise<{ reference: string; journal: PostedJournal }[]> {
  const found: { reference: string; journal: PostedJournal }[] = [];
  for (const chunk of chunksOf(queries, (query) => conditionOf(query, settings))) {
    const days = chunk.map((query) => query.postingDate).sort();
    const filter = [
      `BookID eq ${literal(settings.bookId)}`,
      ...around(settings, days.at(0), days.at(-1)),
      `(${chunk.map((query) => conditionOf(query, settings)).join(' or ')})`,
    ].join(' and ');
    const journals = journalsOf(await client.all({ ...POSTED_LINES, filter }, work));
    for (const { reference } of chunk) {
      for (const journal of journals) if (isUnder(journal, reference, settings)) found.push({ reference, journal });
    }
  }
  return found;
}

function conditionOf(query: DocumentQuery, settings: KineticSettings): string {
  if (settings.journalLookup === 'description') return containsText(settings, 'Description', query.reference);
  return groupIdsOf(query.reference, settings.groupIdPrefix)
    .map((groupId) => `GroupID eq ${literal(groupId)}`)
    .join(' or ');
}

/** The journal table is the largest of all, so the search keeps to a time. */
function around(settings: KineticSettings, first: LocalDate | undefined, last: LocalDate | undefined): string[] {
  if (first === undefined || last === undefined) return [];
  return [
    `JEDate ge ${dayLiteral(settings, addDays(first, -DAYS_AROUND))}`,
    `JEDate lt ${dayLiteral(settings, addDays(last, DAYS_AROUND + 1))}`,
  ];
}

/** One posted journal by its key. @returns null when the ledger does not have it. */
export async function readPostedJournal(client: KineticClient, key: JournalKey): Promise<PostedJournal | null> {
  const filter = [
    `BookID eq ${literal(key.book)}`,
    `FiscalYear eq ${key.year}`,
    `FiscalYearSuffix eq ${literal(key.suffix)}`,
    `JournalCode eq ${literal(key.code)}`,
    `JournalNum eq ${key.number}`,
  ].join(' and ');
  const journals = journalsOf(await client.all({ ...POSTED_LINES, filter }));
  return journals[0] ?? null;
}

function journalsOf(rows: readonly PostedLineRow[]): PostedJournal[] {
  const byKey = new Map<string, PostedLineRow[]>();
  for (const row of rows) byKey.set(journalOf(row), [...(byKey.get(journalOf(row)) ?? []), row]);
  return [...byKey.values()].flatMap((lines) => {
    const [first] = lines;
    return first ? [{ key: keyOf(first), lines }] : [];
  });
}

function journalOf(row: PostedLineRow): string {
  return `${row.BookID}/${row.FiscalYear}${row.FiscalYearSuffix}/${row.JournalCode}/${row.JournalNum}`;
}

function keyOf(
  row: Pick<PostedLineRow, 'BookID' | 'FiscalYear' | 'FiscalYearSuffix' | 'JournalCode' | 'JournalNum'>,
): JournalKey {
  const { BookID, FiscalYear, FiscalYearSuffix, JournalCode, JournalNum } = row;
  return { book: BookID, year: FiscalYear, suffix: FiscalYearSuffix, code: JournalCode, number: JournalNum };
}

/** Ours by our marker, or by our group; a group whose texts carry another reference belongs to that one. */
function isUnder(journal: PostedJournal, reference: string, settings: KineticSettings): boolean {
  if (journal.lines.some((line) => carries(line.Description, reference))) return true;
  if (settings.journalLookup === 'description') return false;
  const groups = groupIdsOf(reference, settings.groupIdPrefix);
  return (
    journal.lines.some((line) => groups.includes(line.GroupID)) &&
    !journal.lines.some((line) => isAnother(line.Description))
  );
}

/** Whether a text begins with a reference of our form. Used where it is known not to be the one that is looked for. */
function isAnother(description: string): boolean {
  return /^[A-Z][A-Z0-9]{14}\b/.test(description.trim());
}

/** A journal that is entered and not posted. */
export interface DraftJournal {
  readonly head: JournalRow;
  readonly key: JournalKey;
  readonly lines: readonly { account: string; minor: bigint; invalid: string | null }[];
}

/** The journals in a group, of whoever they are. */
export async function draftsInGroups(
  client: KineticClient,
  groupIds: readonly string[],
  work?: Work,
): Promise<JournalRow[]> {
  const found: JournalRow[] = [];
  for (const filter of orFilters('GroupID', groupIds)) {
    const query = {
      service: 'Erp.BO.GLJournalEntrySvc',
      set: 'GLJournalEntries',
      select: HEAD_COLUMNS,
      filter,
      orderBy: 'BookID,FiscalYear,FiscalYearSuffix,JournalCode,JournalNum',
      schema: journalRow,
      keyOf: (row: JournalRow) =>
        `${row.BookID}/${row.FiscalYear}${row.FiscalYearSuffix}/${row.JournalCode}/${row.JournalNum}`,
    };
    found.push(...(await client.all(query, work)));
  }
  return found;
}

const HEAD_COLUMNS = [
  'BookID',
  'FiscalYear',
  'FiscalYearSuffix',
  'FiscalCalendarID',
  'JournalCode',
  'JournalNum',
  'GroupID',
  'Description',
  'JEDate',
  'CurrencyCode',
  'TotDebit',
  'TotCredit',
];

export function isDraftOf(head: JournalRow, reference: string): boolean {
  return carries(head.Description, reference) || !isAnother(head.Description);
}

/** A group's unposted journals with their lines. */
export async function readDrafts(
  client: KineticClient,
  groupId: string,
  currency: string,
  work?: Work,
): Promise<DraftJournal[]> {
  const reply = await client.read('Erp.BO.GLJournalEntrySvc', 'GetByGroupID', { GroupID: groupId }, work);
  if (!reply) return [];
  const lines = rowsOf(reply.tables, 'GLJrnDtlMnl', draftLineRow);
  return rowsOf(reply.tables, 'GLJrnHed', journalRow).map((head) => ({
    head,
    key: keyOf(head),
    lines: lines
      .filter((line) => line.JournalNum === head.JournalNum)
      .sort((a, b) => Number(a.JournalLine) - Number(b.JournalLine))
      .map((line) => ({
        account: line.GLAccount,
        minor: minorOf(line.TransAmt, currency),
        invalid: line.InvalidGLAccount ? line.InvalidGLAccountMessage || 'Invalid Account' : null,
      })),
  }));
}

// ── filters ──────────────────────────────────────────────────────────────────────────────────

/** `Column eq 'a' or Column eq 'b' …`, in as many filters as the query string needs. */
function orFilters(column: string, values: readonly string[]): string[] {
  const conditions = [...new Set(values)].map((value) => `${column} eq ${literal(value)}`);
  return chunksOf(conditions, (condition) => condition).map((chunk) => chunk.join(' or '));
}

function chunksOf<T>(items: readonly T[], textOf: (item: T) => string): T[][] {
  const chunks: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = encoded(` or ${textOf(item)}`).length;
    const chunk = chunks.at(-1);
    if (chunk && bytes + size <= QUERY_MAX - REST_OF_QUERY) {
      chunk.push(item);
      bytes += size;
    } else {
      chunks.push([item]);
      bytes = size;
    }
  }
  return chunks;
}
