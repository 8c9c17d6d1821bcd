import { formatAmount } from './amounts.js';
import type { SysproCompany } from './company.js';
import { type Journal, type JournalState, totalsOf } from './journals.js';
import { type Invoice, type Supplier, shownSupplierKey } from './payables.js';

/** What a test or a person sees of a journal. Amounts are decimal strings, debits positive. */
export interface JournalView {
  year: number;
  period: number;
  number: number;
  date: string;
  reference: string;
  notation: string;
  source: string;
  type: string;
  state: JournalState;
  authorised: boolean;
  operator: string;
  debit: string;
  credit: string;
  lines: { account: string; amount: string; date: string; reference: string; comment: string }[];
}

export interface InvoiceView {
  supplier: string;
  invoice: string;
  value: string;
  date: string;
  reference: string;
  year: number;
  month: number;
}

export interface SupplierView {
  code: string;
  name: string;
  onHold: boolean;
  branch: string;
  termsCode: string;
  bank: string;
  currency: string;
}

/** Read access to what was written, for assertions. */
export class SysproLedgerView {
  constructor(private readonly company: SysproCompany) {}

  /** @returns all journals, or those with exactly that reference. */
  journals(reference?: string): JournalView[] {
    const { journals } = this.company;
    return (reference === undefined ? journals.all : journals.withReference(reference)).map(journalView);
  }

  get journalCount(): number {
    return this.company.journals.all.length;
  }

  invoices(): InvoiceView[] {
    return [...this.company.payables.invoices()].map((invoice) => this.invoiceView(invoice));
  }

  suppliers(): SupplierView[] {
    return [...this.company.payables.suppliers()].map((supplier) => this.supplierView(supplier));
  }

  /** @param code in any form. */
  supplier(code: string): SupplierView | undefined {
    const supplier = this.company.payables.supplier(code);
    return supplier && this.supplierView(supplier);
  }

  /** @param code in any form. */
  invoice(code: string, invoice: string): InvoiceView | undefined {
    const found = this.company.payables.invoice(code, invoice);
    return found && this.invoiceView(found);
  }

  /** @returns the account's balance over all periods, as a decimal. */
  balance(account: string): string {
    return formatAmount(this.company.balance(account, 9999, 15));
  }

  /** @returns balances of all accounts that are not zero. */
  balances(): Record<string, string> {
    const balances: Record<string, string> = {};
    for (const { code } of this.company.accounts()) {
      const balance = this.balance(code);
      if (balance !== '0.00') balances[code] = balance;
    }
    return balances;
  }

  summary(): ReturnType<SysproCompany['summary']> {
    return this.company.summary();
  }

  /** A copy of everything that was written, for comparing before and after. */
  snapshot(): { journals: JournalView[]; invoices: InvoiceView[]; suppliers: SupplierView[] } {
    return { journals: this.journals(), invoices: this.invoices(), suppliers: this.suppliers() };
  }

  private invoiceView({ supplier, invoice, value, date, reference, year, month }: Invoice): InvoiceView {
    return { supplier: this.shown(supplier), invoice, value: formatAmount(value), date, reference, year, month };
  }

  private supplierView({ key, name, onHold, branch, termsCode, bank, currency }: Supplier): SupplierView {
    return { code: this.shown(key), name, onHold, branch, termsCode, bank, currency };
  }

  private shown(key: string): string {
    return shownSupplierKey(key, this.company.seed.supplierKeyLength);
  }
}

export function journalView(journal: Journal): JournalView {
  const { postedOn: _postedOn, lines, ...plain } = journal;
  const { debit, credit } = totalsOf(journal);
  return {
    ...plain,
    debit: formatAmount(debit),
    credit: formatAmount(credit),
    lines: lines.map(({ entry: _entry, amount, ...line }) => ({ ...line, amount: formatAmount(amount) })),
  };
}
