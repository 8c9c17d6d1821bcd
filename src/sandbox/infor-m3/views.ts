import type { LedgerDocumentView, LedgerLineView, LedgerSummary } from '../kit/index.js';
import { TEMPLATE_SUPPLIER } from './access.js';
import { formatAmount, parseAmount, unpackDay } from './amounts.js';
import { type GlBatch, referenceOf } from './batches.js';
import type { M3Company } from './company.js';
import { accountingDay, currencyOf } from './invoiceCheck.js';
import type { StagedInvoice } from './invoices.js';
import { dimensionsOf } from './journals.js';
import { totalsOf, type Voucher } from './vouchers.js';

interface PlainLine {
  dimensions: readonly string[];
  amount: bigint;
  text: string;
}

/** What was written, in the words that all simulated ledgers share. */
export class M3Views {
  constructor(private readonly company: M3Company) {}

  documents(reference?: string): LedgerDocumentView[] {
    const { batches, invoices } = this.company;
    const written: (GlBatch | StagedInvoice)[] =
      reference === undefined
        ? [...batches.all(), ...invoices.all()]
        : [...batches.withWord(reference), ...invoices.withInvoiceNumber(reference)];
    return written
      .sort((a, b) => a.order - b.order)
      .flatMap((item) => ('key' in item ? this.batchViews(item) : this.invoiceViews(item)))
      .filter((view) => reference === undefined || view.reference === reference);
  }

  /** Only what is in the books counts as a duplicate: a batch that was given up beside its successor is none. */
  summary(requests: ReadonlyMap<string, number>): LedgerSummary {
    const all = this.documents();
    const counts = new Map<string, number>();
    for (const { reference, posted } of all) if (posted) counts.set(reference, (counts.get(reference) ?? 0) + 1);
    return {
      journals: all.filter(({ type }) => type === 'JOURNAL').length,
      invoices: all.filter(({ type }) => type === 'SUPPLIER_INVOICE').length,
      posted: all.filter(({ posted }) => posted).length,
      unbalanced: all.filter(({ posted, debit, credit }) => posted && debit !== credit).length,
      duplicates: [...counts].filter(([, count]) => count > 1).map(([reference]) => reference),
      suppliers: this.suppliers().length,
      requests: Object.fromEntries(requests),
    };
  }

  suppliers(): { code: string; name: string; active: boolean }[] {
    return [...this.company.suppliers.all()]
      .filter(({ code }) => code !== TEMPLATE_SUPPLIER)
      .map(({ code, name, status }) => ({ code, name, active: status === '20' }));
  }

  private batchViews(batch: GlBatch): LedgerDocumentView[] {
    if (batch.vouchers.length > 0) return batch.vouchers.map((voucher) => this.voucherView(voucher, 'JOURNAL', null));
    const [head] = batch.lines;
    const currency = head?.values.CUCD || this.company.seed.currency;
    const lines = batch.lines.map(({ values }) => ({
      dimensions: dimensionsOf(values),
      amount: this.batchAmount(values, currency),
      text: values.VTXT ?? '',
    }));
    return [
      {
        ...{ type: 'JOURNAL', reference: referenceOf(batch.key, batch.lines), number: batch.key, supplier: null },
        ...{ date: dayOf(head?.values.ACDT), currency, posted: false, ...this.linesView(lines, currency) },
      },
    ];
  }

  private batchAmount(values: Readonly<Record<string, string>>, currency: string): bigint {
    const amount = readable(values.CUAM || values.ACAM, currency);
    const { signs, creditCode } = this.company.settings;
    return signs === 'CODED' && values.DBCR === creditCode ? -amount : amount;
  }

  /** A recoding is shown as further lines of its invoice and is no document of its own. */
  private invoiceViews(invoice: StagedInvoice): LedgerDocumentView[] {
    if (invoice.recodes !== null) return [];
    const { voucher, supplier } = invoice;
    if (voucher !== null) {
      const view = this.voucherView(voucher, 'SUPPLIER_INVOICE', supplier);
      const recoded = invoice.recodedBy.flatMap((recode) => recode.voucher?.lines ?? []);
      return [{ ...view, lines: [...view.lines, ...this.linesView(recoded, voucher.currency).lines] }];
    }
    const currency = currencyOf(this.company, invoice);
    const lines = invoice.lines.map(({ values, type }) => ({
      dimensions: dimensionsOf(values),
      amount: readable(values[type === '3' ? 'VTA1' : 'NLAM'], currency),
      text: values.VTXT || values.CHGT || '',
    }));
    const view = this.linesView(lines, currency);
    return [
      {
        ...{ type: 'SUPPLIER_INVOICE', reference: invoice.invoiceNumber, number: String(invoice.number), supplier },
        ...{ date: accountingDay(invoice), currency, posted: false, ...view },
        credit: formatAmount(readable(invoice.head.CUAM, currency), currency),
      },
    ];
  }

  private voucherView(voucher: Voucher, type: LedgerDocumentView['type'], supplier: string | null): LedgerDocumentView {
    const { reference, number, date, currency, lines } = voucher;
    return {
      ...{ type, reference, number: String(number), supplier, date, currency, posted: true },
      ...this.linesView(lines, currency),
    };
  }

  private linesView(
    lines: readonly PlainLine[],
    currency: string,
  ): Pick<LedgerDocumentView, 'debit' | 'credit' | 'lines'> {
    const { debit, credit } = totalsOf(lines);
    return {
      debit: formatAmount(debit, currency),
      credit: formatAmount(credit, currency),
      lines: lines.map((line) => lineView(line, currency)),
    };
  }
}

/** Amounts of what nobody posted may be unreadable in its currency: they are shown as nothing. */
function readable(text: string | undefined, currency: string): bigint {
  return parseAmount(text || '0', currency) ?? 0n;
}

/** @returns yyyy-mm-dd; blank when no line says a day. */
function dayOf(packed: string | undefined): string {
  return packed === undefined || packed === '' ? '' : unpackDay(packed);
}

function lineView({ dimensions, amount, text }: PlainLine, currency: string): LedgerLineView {
  const [account = '', costCentre = '', ...further] = dimensions;
  const named = further.map((code, index): [string, string] => [`AIT${index + 3}`, code]);
  return {
    account,
    costCentre: costCentre === '' ? null : costCentre,
    dimensions: Object.fromEntries(named.filter(([, code]) => code !== '')),
    debit: formatAmount(amount > 0n ? amount : 0n, currency),
    credit: formatAmount(amount < 0n ? -amount : 0n, currency),
    text,
  };
}
