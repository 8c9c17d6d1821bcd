import { append, SortedMap } from './sorted.js';
import type { Voucher } from './vouchers.js';

export interface InvoiceLine {
  /** TRNO, counted from 1. */
  number: string;
  /** 1 item, 2 order charge, 3 VAT, 5 line charge, 8 accounting line. */
  type: string;
  values: Record<string, string>;
  hasError: boolean;
}

/** A batch invoice of APS450. Amounts stay as they were sent until it is validated. */
export interface StagedInvoice {
  order: number;
  /** INBN. */
  number: number;
  division: string;
  supplier: string;
  payee: string;
  /** SINO, and the year of the invoice's own date. */
  invoiceNumber: string;
  invoiceYear: string;
  /** Every field of the head as sent, with defaults filled in. */
  head: Record<string, string>;
  lines: InvoiceLine[];
  status: string;
  /** Handed over for validation and not yet done. */
  isSubmitted: boolean;
  headError: boolean;
  lineError: boolean;
  /** What a person sees in APS450; no API shows it. */
  problems: string[];
  voucher: Voucher | null;
  approved: boolean;
  /** A recode changes the coding of an invoice that is in the books. */
  recodes: StagedInvoice | null;
  recodedBy: StagedInvoice[];
}

const FIRST_NUMBER = 1_000_001;

/** Batch invoices and the invoices in the books. */
export class InvoiceStage {
  private readonly byNumber = new Map<number, StagedInvoice>();
  private readonly byKey = new Map<string, StagedInvoice[]>();
  private readonly byInvoiceNumber = new Map<string, StagedInvoice[]>();
  private readonly byPayee = new Map<string, SortedMap<StagedInvoice>>();
  private readonly postedByKey = new Map<string, StagedInvoice>();
  private readonly postedByVoucher = new Map<Voucher, StagedInvoice>();
  private lastNumber = FIRST_NUMBER - 1;

  add(draft: Omit<StagedInvoice, 'number'>): StagedInvoice {
    this.lastNumber += 1;
    const invoice: StagedInvoice = { ...draft, number: this.lastNumber };
    this.byNumber.set(invoice.number, invoice);
    append(this.byKey, stageKey(invoice), invoice);
    append(this.byInvoiceNumber, invoice.invoiceNumber, invoice);
    const payee = `${invoice.division}/${invoice.payee}`;
    const list = this.byPayee.get(payee) ?? new SortedMap<StagedInvoice>();
    this.byPayee.set(payee, list);
    list.set(sortKey(invoice.number), invoice);
    return invoice;
  }

  remove(invoice: StagedInvoice): void {
    this.byNumber.delete(invoice.number);
    drop(this.byKey, stageKey(invoice), invoice);
    drop(this.byInvoiceNumber, invoice.invoiceNumber, invoice);
    this.byPayee.get(`${invoice.division}/${invoice.payee}`)?.delete(sortKey(invoice.number));
  }

  find(number: string): StagedInvoice | undefined {
    return this.byNumber.get(Number(number));
  }

  all(): Iterable<StagedInvoice> {
    return this.byNumber.values();
  }

  withInvoiceNumber(invoiceNumber: string): readonly StagedInvoice[] {
    return this.byInvoiceNumber.get(invoiceNumber) ?? [];
  }

  /** @returns batch invoices of that payee, supplier and invoice number, in any year. */
  staged(division: string, payee: string, supplier: string, invoiceNumber: string): readonly StagedInvoice[] {
    return this.byKey.get(stageKey({ division, payee, supplier, invoiceNumber })) ?? [];
  }

  ofPayee(division: string, payee: string, from: string): Iterable<StagedInvoice> {
    return this.byPayee.get(`${division}/${payee}`)?.from(sortKey(Number(from))) ?? [];
  }

  /** @returns the invoice in the books (Infor M3: payee, supplier, number and year are unique). */
  posted(
    key: Pick<StagedInvoice, 'division' | 'payee' | 'supplier' | 'invoiceNumber' | 'invoiceYear'>,
  ): StagedInvoice | undefined {
    return this.postedByKey.get(`${stageKey(key)}/${key.invoiceYear}`);
  }

  withVoucher(voucher: Voucher): StagedInvoice | undefined {
    return this.postedByVoucher.get(voucher);
  }

  book(invoice: StagedInvoice, voucher: Voucher): void {
    invoice.voucher = voucher;
    if (invoice.recodes !== null) {
      invoice.recodes.recodedBy.push(invoice);
      return;
    }
    this.postedByKey.set(`${stageKey(invoice)}/${invoice.invoiceYear}`, invoice);
    this.postedByVoucher.set(voucher, invoice);
  }
}

function stageKey(key: Pick<StagedInvoice, 'division' | 'payee' | 'supplier' | 'invoiceNumber'>): string {
  return [key.division, key.payee, key.supplier, key.invoiceNumber].join('\u0000');
}

function sortKey(number: number): string {
  return String(number).padStart(10, '0');
}

function drop(lists: Map<string, StagedInvoice[]>, key: string, invoice: StagedInvoice): void {
  const kept = (lists.get(key) ?? []).filter((candidate) => candidate !== invoice);
  if (kept.length === 0) lists.delete(key);
  else lists.set(key, kept);
}
