import type { LedgerDocumentView, LedgerLineView, LedgerSummary } from '../kit/index.js';
import { keyOf, partsOf } from './apRows.js';
import { BOOK_ID, type KineticCompany } from './company.js';
import { journalLinesOf } from './glRows.js';
import { referenceOf, rowsMarked } from './markers.js';
import { formatUnits } from './numbers.js';
import { amount, flag, type Row, text, whole } from './rows.js';
import { AP_CODING, AP_INVOICE, AP_TAX, GL_HEADER, POSTED_HEADER, VENDOR } from './tables.js';

/** The company's documents in the neutral words that all simulated ledgers share. */
export class KineticLedgerView {
  constructor(private readonly company: KineticCompany) {}

  documents(reference?: string): LedgerDocumentView[] {
    const found = reference === undefined ? this.all() : this.referenced(reference);
    const ordered = found.sort((one, other) => this.company.writtenAt(one.row) - this.company.writtenAt(other.row));
    return ordered.map(({ row, isInvoice }) =>
      isInvoice ? this.invoice(row) : this.journal(row, reference ?? referenceOf(row)),
    );
  }

  suppliers(): { code: string; name: string; active: boolean }[] {
    return [...this.company.database.table(VENDOR).all()].map((row) => ({
      code: text(row, 'VendorID'),
      name: text(row, 'Name'),
      active: !flag(row, 'Inactive'),
    }));
  }

  summary(requests: ReadonlyMap<string, number>): LedgerSummary {
    const counts = { journals: 0, invoices: 0, posted: 0, unbalanced: 0 };
    const seen = new Map<string, number>();
    for (const document of this.documents()) {
      if (document.type === 'JOURNAL') counts.journals += 1;
      else counts.invoices += 1;
      if (document.posted) counts.posted += 1;
      if (document.debit !== document.credit) counts.unbalanced += 1;
      seen.set(document.reference, (seen.get(document.reference) ?? 0) + 1);
    }
    return {
      ...counts,
      duplicates: [...seen].filter(([, times]) => times > 1).map(([reference]) => reference),
      suppliers: this.company.database.table(VENDOR).size,
      requests: Object.fromEntries(requests),
    };
  }

  private all(): { row: Row; isInvoice: boolean }[] {
    const { database } = this.company;
    const journals = [...database.table(GL_HEADER).all(), ...database.table(POSTED_HEADER).all()];
    return [
      ...[...database.table(AP_INVOICE).all()].map((row) => ({ row, isInvoice: true })),
      ...journals.map((row) => ({ row, isInvoice: false })),
    ];
  }

  private referenced(reference: string): { row: Row; isInvoice: boolean }[] {
    const { database } = this.company;
    const invoices = [...database.table(AP_INVOICE).where('InvoiceNum', reference)].filter(
      (row) => text(row, 'InvoiceNum') === reference,
    );
    const journals = rowsMarked(this.company, reference).flatMap((id) => [
      ...database.table(GL_HEADER).where('SysRowID', id),
      ...database.table(POSTED_HEADER).where('SysRowID', id),
    ]);
    return [
      ...invoices.map((row) => ({ row, isInvoice: true })),
      ...journals.map((row) => ({ row, isInvoice: false })),
    ];
  }

  /** Coded expenses and tax on one side; what is owed, the control total, on the other. */
  private invoice(row: Row): LedgerDocumentView {
    const { company } = this;
    const key = keyOf(row);
    const coded = partsOf(company, AP_CODING, key).filter((coding) => text(coding, 'BookID') === BOOK_ID);
    const sides: { account: string; value: bigint; text: string }[] = coded.map((coding) => {
      const expense = amount(coding, 'DebitAmount') - amount(coding, 'CreditAmount');
      return { account: text(coding, 'GLAccount'), value: expense, text: text(row, 'Description') };
    });
    for (const tax of partsOf(company, AP_TAX, key)) {
      const account = company.chart.stored(company.seed.taxAccount);
      sides.push({ account, value: amount(tax, 'TaxAmt'), text: text(tax, 'TaxCode') });
    }
    const owed = amount(row, 'InvoiceVendorAmt');
    sides.push({ account: company.chart.stored(company.seed.payablesAccount), value: -owed, text: 'Payables' });
    return {
      ...{ type: 'SUPPLIER_INVOICE', reference: text(row, 'InvoiceNum') },
      number: `${key.vendorNum}/${text(row, 'InvoiceNum')}`,
      supplier: text(row, 'VendorNumVendorID'),
      date: text(row, 'ApplyDate'),
      currency: text(row, 'CurrencyCode'),
      posted: flag(row, 'Posted'),
      ...this.lines(sides),
    };
  }

  private journal(header: Row, reference: string): LedgerDocumentView {
    const sides = journalLinesOf(this.company, header).map((line) => ({
      account: text(line, 'GLAccount'),
      value: amount(line, 'DebitAmount') - amount(line, 'CreditAmount'),
      text: text(line, 'Description'),
    }));
    const number = [
      text(header, 'BookID'),
      whole(header, 'FiscalYear'),
      text(header, 'JournalCode'),
      whole(header, 'JournalNum'),
    ];
    return {
      ...{ type: 'JOURNAL', reference, number: number.join('/'), supplier: null },
      ...{ date: text(header, 'JEDate'), currency: text(header, 'CurrencyCode') || this.company.baseCurrency },
      posted: flag(header, 'Posted'),
      ...this.lines(sides),
    };
  }

  private lines(sides: readonly { account: string; value: bigint; text: string }[]) {
    const total = (sign: bigint): string => {
      return formatUnits(sides.reduce((sum, { value }) => (value * sign > 0n ? sum + value * sign : sum), 0n));
    };
    const lines = sides.map(({ account, value, text: words }): LedgerLineView => {
      const coded = this.company.chart.read(account);
      return {
        ...{ account: coded.account, costCentre: coded.costCentre, dimensions: {} },
        ...{ debit: formatUnits(value > 0n ? value : 0n), credit: formatUnits(value < 0n ? -value : 0n), text: words },
      };
    });
    return { debit: total(1n), credit: total(-1n), lines };
  }
}
