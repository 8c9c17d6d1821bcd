import { formatAmount, isDate, JOURNAL_DIGITS, PERIOD_DIGITS, parseAmount, zeros } from './amounts.js';
import { type BusinessContext, checkAccount, readWriteParameters, type WriteParameters } from './documents.js';
import { errorXml, type Failure, failure, messageNumber, messageText, warningXml } from './failures.js';
import type { Journal, JournalLine } from './journals.js';
import { type Invoice, type Supplier, shownSupplierKey } from './payables.js';
import { answerDocument, group, leaf, leaves, type XmlElement } from './xml.js';

/** Not established publicly; a customer's schema decides. */
const INVOICE_LENGTH = 20;
const REFERENCE_LENGTH = 30;

interface CheckedInvoice {
  element: XmlElement;
  errors: Failure[];
  warnings: Failure[];
  supplier: Supplier | undefined;
  invoice: string;
  gross: bigint;
  tax: bigint;
  date: string;
  lines: { account: string; amount: bigint; notation: string }[];
}

/**
 * APSTIN, post payables invoices (SYSPRO e.net: APSTIN). One document may hold many; the ledger journal is made for the
 * whole document, and may fail although the invoices are in.
 */
export function postApInvoices(context: BusinessContext, parameters: XmlElement, document: XmlElement): string {
  const common = readWriteParameters(parameters, true);
  const month = readApPeriod(context, parameters.value('PostingPeriod') || 'C');
  if (month === undefined)
    common.failures.push(failure('apPeriod', parameters.value('PostingPeriod'), 'PostingPeriod'));
  const seen = new Set<string>();
  const checks = document.all('Item').map((element) => checkInvoice(context, element, seen));
  const refused = checks.filter((check) => isRefused(check, common));
  const nothing = common.failures.length > 0 || (common.wholeDocument && refused.length > 0) || common.validateOnly;
  const accepted = nothing || month === undefined ? [] : checks.filter((check) => !isRefused(check, common));
  const posted = month === undefined ? new Map() : writeInvoices(context, accepted, month);
  const journal = accepted.length === 0 ? undefined : writeLedgerJournal(context, accepted);
  const items = checks.map((check) => itemXml(context, check, posted.get(check), common));
  return answerDocument(
    'postapinvoice',
    common.failures.map(errorXml).join(''),
    ...items,
    group(
      'StatusOfItems',
      journal === undefined ? '' : journalXml(journal),
      leaves({
        ItemsProcessed: zeros(accepted.length, 6),
        ItemsInvalid: zeros(common.failures.length > 0 ? checks.length : refused.length, 6),
      }),
    ),
  );
}

/** `C` current, `P` previous, `B` before previous: payables periods, counted back from the ledger's current one. */
function readApPeriod(context: BusinessContext, letter: string): { year: number; month: number } | undefined {
  const back = ['C', 'P', 'B'].indexOf(letter);
  if (back < 0) return undefined;
  const { calendar } = context.company;
  let year = calendar.currentYear;
  let month = calendar.currentPeriod - back;
  if (month < 1) {
    year -= 1;
    month += calendar.year(year).length || 12;
  }
  return { year, month };
}

function checkInvoice(context: BusinessContext, element: XmlElement, seen: Set<string>): CheckedInvoice {
  const { company } = context;
  const errors: Failure[] = [];
  const warnings: Failure[] = [];
  const supplier = company.payables.supplier(element.value('Supplier'));
  if (supplier === undefined) errors.push(failure('supplierMissing', element.value('Supplier'), 'Supplier'));
  else if (supplier.onHold) errors.push(failure('supplierOnHold', element.value('Supplier'), 'Supplier'));
  const invoice = element.value('Invoice');
  errors.push(...checkNumber(context, supplier, invoice, seen));
  const code = element.value('TransactionCode') || 'I';
  if (code !== 'I') errors.push(failure('transactionCode', code, 'TransactionCode'));
  const gross = readPositive(element, 'TransactionValue', errors);
  const tax = readTax(context, element, errors);
  const date = element.value('InvoiceDate') || company.companyDate;
  if (!isDate(date)) errors.push(failure('dateInvalid', date, 'InvoiceDate'));
  const lines = checkDistribution(context, element, gross - tax, errors, warnings);
  return { element, errors, warnings, supplier, invoice, gross, tax, date, lines };
}

/** Supplier and invoice number together are unique for ever: the natural guard against a second posting. */
function checkNumber(
  context: BusinessContext,
  supplier: Supplier | undefined,
  invoice: string,
  seen: Set<string>,
): Failure[] {
  if (invoice === '') return [failure('required', '', 'Invoice')];
  if (invoice.length > INVOICE_LENGTH) return [failure('textTooLong', invoice, 'Invoice')];
  if (supplier === undefined) return [];
  const key = `${supplier.key}/${invoice}`;
  const exists = seen.has(key) || context.company.payables.invoice(supplier.key, invoice) !== undefined;
  seen.add(key);
  return exists ? [failure('invoiceExists', invoice, 'Invoice')] : [];
}

function readPositive(element: XmlElement, name: string, errors: Failure[]): bigint {
  const text = element.value(name);
  const amount = parseAmount(text);
  if (amount === undefined) errors.push(failure('amountNotNumeric', text, name));
  else if (amount <= 0n) errors.push(failure('amountNotPositive', text, name));
  return amount ?? 0n;
}

function readTax(context: BusinessContext, element: XmlElement, errors: Failure[]): bigint {
  const text = element.value('TaxValue');
  if (text === '') return 0n;
  const tax = parseAmount(text);
  if (tax === undefined || tax < 0n) errors.push(failure('amountNotNumeric', text, 'TaxValue'));
  else if (tax > 0n && context.company.seed.taxAccount === undefined) {
    errors.push(failure('taxNotSetUp', text, 'TaxValue'));
  }
  return tax ?? 0n;
}

/** The lines must add up to the net value. Tax-only lines stand beside it, and SYSPRO itself credits the control account. */
function checkDistribution(
  context: BusinessContext,
  element: XmlElement,
  net: bigint,
  errors: Failure[],
  warnings: Failure[],
): CheckedInvoice['lines'] {
  const lines: CheckedInvoice['lines'] = [];
  let sum = 0n;
  for (const line of element.all('LedgerDistribution')) {
    const account = line.value('LedgerCode');
    const found = checkAccount(context, account, line.value('PasswordForLedgerCode'), false, 'LedgerCode');
    errors.push(...found.errors);
    warnings.push(...found.warnings);
    const amount = parseAmount(line.value('LedgerValue'));
    if (amount === undefined) errors.push(failure('amountNotNumeric', line.value('LedgerValue'), 'LedgerValue'));
    if (amount === undefined || line.value('TaxOnlyLine') === 'Y') continue;
    sum += amount;
    lines.push({ account, amount, notation: line.value('LedgerNotation').slice(0, 30) });
  }
  if (sum !== net) errors.push(failure('distributionDiffers', formatAmount(net - sum)));
  return lines;
}

function isRefused(check: CheckedInvoice, parameters: WriteParameters): boolean {
  return check.errors.length > 0 || (parameters.warnings === 'N' && check.warnings.length > 0);
}

function writeInvoices(
  context: BusinessContext,
  accepted: readonly CheckedInvoice[],
  period: { year: number; month: number },
): Map<CheckedInvoice, Invoice> {
  const { payables } = context.company;
  const written = new Map<CheckedInvoice, Invoice>();
  if (accepted.length === 0) return written;
  const journal = payables.nextJournal(period.year, period.month);
  for (const check of accepted) {
    const invoice: Invoice = {
      supplier: check.supplier?.key ?? '',
      invoice: check.invoice,
      value: check.gross,
      date: check.date,
      reference: check.element.value('TransactionReference').slice(0, REFERENCE_LENGTH),
      notation: check.element.value('Notation').slice(0, REFERENCE_LENGTH),
      ...period,
      journal,
      entry: written.size + 1,
      operator: context.operator.name,
    };
    payables.addInvoice(invoice);
    written.set(check, invoice);
  }
  return written;
}

/** @returns the ledger journal, `failed` when it could not be made, undefined when none is wanted. */
function writeLedgerJournal(
  context: BusinessContext,
  accepted: readonly CheckedInvoice[],
): Journal | 'failed' | undefined {
  const { company, settings } = context;
  const control = company.apControlAccount();
  if (!settings.apIntegration || control === undefined) return undefined;
  const { currentYear, currentPeriod } = company.calendar;
  if (company.failGlJournals > 0) {
    company.failGlJournals -= 1;
    return 'failed';
  }
  if (!company.calendar.period(currentYear, currentPeriod)?.open) return 'failed';
  const lines: JournalLine[] = [];
  for (const check of accepted) {
    const book = (account: string, amount: bigint, comment: string): void => {
      if (amount === 0n) return;
      lines.push({ entry: lines.length + 1, account, amount, date: check.date, reference: check.invoice, comment });
    };
    for (const line of check.lines) book(line.account, line.amount, line.notation);
    if (company.seed.taxAccount !== undefined) book(company.seed.taxAccount, check.tax, 'Tax');
    book(control.code, -check.gross, check.supplier?.name ?? '');
  }
  return company.journals.add(
    {
      year: currentYear,
      period: currentPeriod,
      date: company.companyDate,
      // Journals of the payables carry no reference of the caller's: their lines name the invoices.
      reference: '',
      notation: accepted[0]?.element.value('JournalNotation').slice(0, 100) ?? '',
      source: 'AP',
      type: 'N',
      state: 'POSTED',
      authorised: true,
      operator: context.operator.name,
      postedOn: company.companyDate,
      lines,
    },
    settings.journalNumbering,
  );
}

function journalXml(journal: Journal | 'failed'): string {
  if (journal === 'failed') {
    const [number, message] = [messageNumber('glJournalFailed'), messageText('glJournalFailed', '')];
    return group(
      'GlJournal',
      leaves({ GlYear: '', GlPeriod: '', GlJournal: '', GlJournalError: String(number), GlJournalMessage: message }),
    );
  }
  return group(
    'GlJournal',
    leaves({
      GlYear: String(journal.year),
      GlPeriod: zeros(journal.period, PERIOD_DIGITS),
      GlJournal: zeros(journal.number, JOURNAL_DIGITS),
      GlJournalError: '',
      GlJournalMessage: '',
    }),
  );
}

function itemXml(
  context: BusinessContext,
  check: CheckedInvoice,
  invoice: Invoice | undefined,
  parameters: WriteParameters,
): string {
  const shown = parameters.warnings === 'Y' ? [] : check.warnings;
  const findings = check.errors.map(errorXml).join('') + shown.map(warningXml).join('');
  if (invoice === undefined) return group('Item', leaf('Invoice', check.invoice), findings);
  const key = {
    TrnYear: String(invoice.year),
    TrnMonth: zeros(invoice.month, PERIOD_DIGITS),
    Journal: zeros(invoice.journal, JOURNAL_DIGITS),
    EntryNumber: zeros(invoice.entry, JOURNAL_DIGITS),
  };
  const supplier = shownSupplierKey(invoice.supplier, context.company.seed.supplierKeyLength);
  return group(
    'Item',
    group(
      'Transaction',
      group('Key', leaves(key)),
      leaves({ Supplier: supplier, Invoice: invoice.invoice, TransactionCode: 'I' }),
    ),
    findings,
  );
}
