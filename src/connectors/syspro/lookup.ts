import { decimalOfMinor } from '../../domain/money.js';
import { UnreadableReplyError } from '../../errors.js';
import type { DocumentQuery, FoundDocument } from '../contract.js';
import { type Expression, type FindQuery, parsed, SysproClient } from './client.js';
import type { SysproSettings } from './config.js';
import { queryRefused, reportedErrors } from './failures.js';
import { bareKey, foundInvoice, foundJournal, journalId, journalKey, minorOf, sameKey } from './mapper.js';
import { type InvoiceRow, invoiceRow, journalLine, journalRow } from './wire.js';
import { childrenOf, element, elements, find, recordOf } from './xml.js';

/**
 * Asking the ledger what it holds under our references. The answer decides whether a write is sent again, so whatever
 * cannot be read whole is an error here and never an absence.
 */

/** Several documents under one reference are possible only if something else wrote them; this many would be seen. */
const ROWS_PER_REFERENCE = 5;
/** A shorter common beginning than this is no sign that the ledger cut a reference off. */
const CUT_REFERENCE_MIN = 10;

const GEN_JOURNAL_CTL = {
  table: 'GenJournalCtl',
  columns: ['GlYear', 'GlPeriod', 'GlJournal', 'NumOfEntries', 'DebitAmount', 'CreditAmount', 'JnlStatus', 'Reference'],
  orderBy: ['GlYear', 'GlPeriod', 'GlJournal'],
} as const;

/** COMFND on GenJournalCtl: several references in one call, as many as fit in a URL. */
export async function findJournals(
  client: SysproClient,
  settings: SysproSettings,
  queries: readonly DocumentQuery[],
  currency: string,
): Promise<FoundDocument[]> {
  const references = [...new Set(queries.map((query) => query.reference))];
  const build = (chunk: readonly string[]): FindQuery => ({
    ...GEN_JOURNAL_CTL,
    where: chunk.map((value, index) => ({ ...orFrom(index), column: 'Reference', condition: 'EQ', value })),
    rows: chunk.length * ROWS_PER_REFERENCE,
  });
  return untilAbsent(chunksThatFit(references, build, settings.urlMaxBytes), async (pending) => {
    const rows = await client.find(build(pending), journalRow);
    return rows.flatMap((row) => {
      const reference = referenceMeant(row.reference, pending);
      return reference === null ? [] : [{ asked: reference, document: foundJournal(row, reference, currency) }];
    });
  });
}

/**
 * Asks for what was not found until an answer is empty. How many rows COMFND gives at most is not documented, so what is
 * missing beside rows that came may only have been cut off; missing from an answer without any, it is not there.
 */
async function untilAbsent<T>(
  chunks: Iterable<T[]>,
  ask: (pending: readonly T[]) => Promise<readonly { asked: T; document: FoundDocument }[]>,
): Promise<FoundDocument[]> {
  const documents: FoundDocument[] = [];
  for (const chunk of chunks) {
    let pending: readonly T[] = chunk;
    while (pending.length > 0) {
      const answers = await ask(pending);
      if (answers.length === 0) break;
      documents.push(...answers.map((answer) => answer.document));
      pending = pending.filter((item) => !answers.some((answer) => answer.asked === item));
    }
  }
  return documents;
}

/** Which of the references a stored one is: padded with blanks, or cut to the length of the field. */
export function referenceMeant(stored: string, references: readonly string[]): string | null {
  const bare = stored.trim().toUpperCase();
  const exact = references.find((reference) => reference === bare);
  if (exact !== undefined) return exact;
  if (bare.length < CUT_REFERENCE_MIN) return null;
  const cut = references.filter((reference) => reference.startsWith(bare));
  return cut.length === 1 ? (cut[0] ?? null) : null;
}

/** COMFND on ApInvoice by supplier and invoice number, which together are the invoice's key. */
export async function findInvoices(
  client: SysproClient,
  settings: SysproSettings,
  queries: readonly DocumentQuery[],
  currency: string,
  hasGlJournal: (supplier: string, invoice: string) => boolean,
): Promise<FoundDocument[]> {
  const build = (chunk: readonly DocumentQuery[]): FindQuery => ({
    table: 'ApInvoice',
    columns: ['Supplier', 'Invoice', 'OrigInvValue'],
    where: chunk.flatMap(invoiceExpressions),
    orderBy: ['Supplier', 'Invoice'],
    rows: chunk.length * ROWS_PER_REFERENCE,
  });
  return untilAbsent(chunksThatFit(queries, build, settings.urlMaxBytes), async (pending) => {
    const rows = await client.find(build(pending), invoiceRow);
    return rows.flatMap((row) => {
      const asked = pending.find(({ reference, supplierCode }) => isInvoice(row, reference, supplierCode));
      if (!asked) return [];
      const { reference, supplierCode } = asked;
      // In the asker's spelling, so that a numeric supplier has one name here and in the answer to the posting.
      const spelled = { ...row, supplier: supplierCode ?? row.supplier, invoice: reference };
      return [{ asked, document: foundInvoice(spelled, currency, hasGlJournal(row.supplier, row.invoice)) }];
    });
  });
}

function isInvoice(row: InvoiceRow, reference: string, supplierCode: string | null): boolean {
  return sameKey(row.invoice, reference) && (supplierCode === null || sameKey(row.supplier, supplierCode));
}

function invoiceExpressions(query: DocumentQuery, index: number): Expression[] {
  const invoice = { column: 'Invoice', condition: 'EQ', value: query.reference } as const;
  if (query.supplierCode === null) return [{ ...orFrom(index), ...invoice }];
  const supplier = { column: 'Supplier', condition: 'EQ', value: query.supplierCode } as const;
  return [
    { ...orFrom(index), ...supplier, close: false },
    { andOr: 'And', ...invoice, open: false },
  ];
}

function orFrom(index: number): { andOr?: 'Or' } {
  return index > 0 ? { andOr: 'Or' } : {};
}

function* chunksThatFit<T>(
  items: readonly T[],
  build: (chunk: readonly T[]) => FindQuery,
  urlMaxBytes: number,
): Iterable<T[]> {
  // Address, session and parameter names come on top of the query itself.
  const bytesMax = urlMaxBytes - 500;
  let chunk: T[] = [];
  for (const item of items) {
    if (chunk.length > 0 && SysproClient.findBytes(build([...chunk, item])) > bytesMax) {
      yield chunk;
      chunk = [];
    }
    chunk.push(item);
  }
  if (chunk.length > 0) yield chunk;
}

/**
 * GENQZM: one journal with its lines. The totals are added up from the lines, so that a header that is right over lines
 * that are not does not pass.
 */
export async function readJournal(
  client: SysproClient,
  id: string,
  reference: string,
  currency: string,
): Promise<FoundDocument | null> {
  const key = journalKey(id);
  if (key === null) return null;
  const root = await client.query(
    'GENQZM',
    element('Query', [
      element('Option', [
        element(
          'GeneralLedgerJournal',
          elements({
            IncludeGLJournals: 'Y',
            GlYear: key.year,
            GlPer: key.period,
            GlJournal: key.journal,
            AuditorsPassword: '',
          }),
        ),
        element('SubLedger', [element('IncludeSubLedger', 'N')]),
      ]),
    ]),
  );
  const header = find(root, 'GeneralLedgerJournal');
  const errors = reportedErrors(root);
  if (header === null || childrenOf(header, 'GlJournal')[0]?.text === '' || errors.length > 0) {
    if (errors.every((error) => /not found|not on file|does not exist|invalid/i.test(error.description))) return null;
    throw queryRefused(`for the journal ${id}`, errors);
  }
  const row = parsed(journalRow, recordOf(header), 'GENQZM');
  if (bareKey(journalId(row)) !== bareKey(id)) {
    throw new UnreadableReplyError(`SYSPRO showed the journal ${journalId(row)} when asked for ${id}.`);
  }
  const lines = childrenOf(header, 'GeneralLedgerJournalDetail').map((line) =>
    signedValue(parsed(journalLine, recordOf(line), 'GENQZM line'), currency),
  );
  const debit = lines.reduce((sum, minor) => (minor > 0n ? sum + minor : sum), 0n);
  const credit = lines.reduce((sum, minor) => (minor < 0n ? sum - minor : sum), 0n);
  return {
    ...foundJournal(row, referenceMeant(row.reference, [reference]) ?? row.reference, currency),
    totalDebit: decimalOfMinor(debit, currency),
    totalCredit: decimalOfMinor(credit, currency),
    lineCount: lines.length,
  };
}

/** EntryValue carries the sign; where a version prints it without one, an EntryType of C says that it is a credit. */
function signedValue(line: { entryvalue: string; entrytype: string }, currency: string): bigint {
  const minor = minorOf(line.entryvalue, currency);
  return minor > 0n && line.entrytype.toUpperCase() === 'C' ? -minor : minor;
}
