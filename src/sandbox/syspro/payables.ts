import type { ParsedSysproSeed } from './seed.js';

export interface Supplier {
  /** As stored: numeric keys filled with zeros to 15 digits, others in capitals. */
  key: string;
  name: string;
  shortName: string;
  onHold: boolean;
  currency: string;
  branch: string;
  termsCode: string;
  bank: string;
  supplierClass: string;
  email: string;
  taxNumber: string;
  addedOn: string;
}

export interface Invoice {
  supplier: string;
  invoice: string;
  /** Cents, tax included. */
  value: bigint;
  date: string;
  reference: string;
  notation: string;
  year: number;
  month: number;
  journal: number;
  entry: number;
  operator: string;
}

const STORED_KEY_LENGTH = 15;

/** @returns the key as SYSPRO stores it (SYSPRO e.net: supplier key formatting). */
export function storedSupplierKey(code: string): string {
  const trimmed = code.trim().toUpperCase();
  return /^\d+$/.test(trimmed) ? trimmed.padStart(STORED_KEY_LENGTH, '0') : trimmed;
}

/** @returns the key as screens and most answers show it. */
export function shownSupplierKey(key: string, length: number): string {
  return /^\d+$/.test(key) ? key.replace(/^0+/, '').padStart(length, '0') : key;
}

/** Suppliers and their invoices. */
export class Payables {
  private readonly suppliersByKey = new Map<string, Supplier>();
  private readonly invoicesByKey = new Map<string, Invoice>();
  private readonly invoicesByNumber = new Map<string, Invoice[]>();
  private readonly invoicesBySupplier = new Map<string, Invoice[]>();
  private readonly lastJournals = new Map<string, number>();

  constructor(seed: ParsedSysproSeed) {
    for (const supplier of seed.suppliers) {
      this.add({
        key: storedSupplierKey(supplier.code),
        name: supplier.name,
        shortName: supplier.name.slice(0, 20),
        onHold: supplier.onHold,
        currency: supplier.currency ?? seed.localCurrency,
        branch: supplier.branch ?? seed.branches[0] ?? '',
        termsCode: seed.termsCodes[0] ?? '',
        bank: seed.banks[0] ?? '',
        supplierClass: '',
        email: '',
        taxNumber: '',
        addedOn: seed.companyDate,
      });
    }
  }

  suppliers(): Iterable<Supplier> {
    return this.suppliersByKey.values();
  }

  get supplierCount(): number {
    return this.suppliersByKey.size;
  }

  get invoiceCount(): number {
    return this.invoicesByKey.size;
  }

  /** @param code in any of the forms that name the supplier. */
  supplier(code: string): Supplier | undefined {
    return this.suppliersByKey.get(storedSupplierKey(code));
  }

  add(supplier: Supplier): void {
    this.suppliersByKey.set(supplier.key, supplier);
  }

  remove(key: string): void {
    this.suppliersByKey.delete(key);
  }

  invoices(): Iterable<Invoice> {
    return this.invoicesByKey.values();
  }

  invoice(supplier: string, invoice: string): Invoice | undefined {
    return this.invoicesByKey.get(invoiceKey(storedSupplierKey(supplier), invoice));
  }

  withNumber(invoice: string): readonly Invoice[] {
    return this.invoicesByNumber.get(invoice) ?? [];
  }

  invoicesOf(supplierKey: string): readonly Invoice[] {
    return this.invoicesBySupplier.get(supplierKey) ?? [];
  }

  addInvoice(invoice: Invoice): void {
    this.invoicesByKey.set(invoiceKey(invoice.supplier, invoice.invoice), invoice);
    append(this.invoicesByNumber, invoice.invoice, invoice);
    append(this.invoicesBySupplier, invoice.supplier, invoice);
  }

  /** @returns the next number of the payables' own journals, which are not those of the ledger. */
  nextJournal(year: number, month: number): number {
    const next = (this.lastJournals.get(`${year}/${month}`) ?? 0) + 1;
    this.lastJournals.set(`${year}/${month}`, next);
    return next;
  }
}

function invoiceKey(supplierKey: string, invoice: string): string {
  return `${supplierKey}\u0000${invoice}`;
}

function append(lists: Map<string, Invoice[]>, key: string, invoice: Invoice): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [invoice]);
  else list.push(invoice);
}
