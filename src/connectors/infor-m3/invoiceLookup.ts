import { ConfigurationError, UnreadableReplyError } from '../../errors.js';
import type { DocumentQuery, FoundDocument } from '../contract.js';
import type { M3Client } from './client.js';
import type { M3Discovery } from './discovery.js';
import { TITLE } from './failures.js';
import { one, wholeList } from './lists.js';
import { minorOf, unsigned } from './mapper.js';
import { findSupplier } from './masterData.js';
import {
  batchRow,
  type InvoiceHead,
  type InvoiceLine,
  invoiceHead,
  invoiceLine,
  type PostedInvoice,
  postedInvoice,
} from './wire.js';

/**
 * Asking M3 for supplier invoices by payee, supplier and invoice number, which M3 itself keeps unique within a year.
 * Batch invoices (APS450MI) show what is on its way, APS200MI what is posted, also after the batch was cleaned away.
 */

export interface InvoiceKey {
  readonly payee: string;
  readonly supplier: string;
  readonly reference: string;
}

export interface StagedInvoice {
  readonly batchNumber: string;
  readonly head: InvoiceHead;
}

export class M3InvoiceLookup {
  constructor(
    private readonly client: M3Client,
    private readonly discovery: M3Discovery,
  ) {}

  /** The payee is a second key of every invoice: the supplier's own, or the supplier itself. */
  async keyOf(supplier: string, reference: string): Promise<InvoiceKey> {
    const row = await findSupplier(this.client, supplier);
    return { payee: row?.PRSU || supplier, supplier, reference };
  }

  /**
   * What is in the books. A batch invoice without a voucher is not: it is finished, or deleted, by the next submit,
   * which finds it by the same key.
   */
  async findPosted(queries: readonly DocumentQuery[]): Promise<FoundDocument[]> {
    return (await Promise.all(queries.map((query) => this.findOne(query)))).flat();
  }

  private async findOne(query: DocumentQuery): Promise<FoundDocument[]> {
    // M3 asks by supplier only, and an invoice whose supplier is still to be made was never sent. Once it has one, the
    // submit looks again before it stages anything.
    if (query.supplierCode === null || query.supplierCode === '') return [];
    const key = await this.keyOf(query.supplierCode, query.reference);
    const staged = (await this.staged(key, query.postingDate))
      .map((invoice) => this.foundIn(key, invoice))
      .filter((one) => one !== null);
    return staged.length > 0 ? staged : this.postedOnly(key, query.postingDate);
  }

  /** The program that batch invoices are staged with. */
  get program(): 'APS450MI' | 'APS100MI' {
    return this.client.settings.invoiceProgram === 'APS100MI' ? 'APS100MI' : 'APS450MI';
  }

  /** Every batch invoice of that key. */
  async staged(key: InvoiceKey, postingDate: string): Promise<StagedInvoice[]> {
    if (this.program === 'APS100MI') return this.stagedByNumber(key, postingDate);
    const rows = await wholeList(this.client, {
      program: 'APS450MI',
      transaction: 'LstInvBySupInv',
      inputs: { SPYN: key.payee, SUNO: key.supplier, SINO: key.reference, DIVI: this.division },
      schema: batchRow,
    });
    const invoices: StagedInvoice[] = [];
    for (const { INBN } of rows) {
      const head = await this.head(INBN);
      // The list may go on behind the number that was asked for.
      if (head !== null && (head.SINO === '' || head.SINO === key.reference)) {
        invoices.push({ batchNumber: INBN, head });
      }
    }
    return invoices;
  }

  /** APS100MI.GetHead asks by the invoice number itself, as far as the tenant's program takes it. */
  private async stagedByNumber(key: InvoiceKey, postingDate: string): Promise<StagedInvoice[]> {
    const fields = await this.discovery.fieldsOf('APS100MI', 'GetHead');
    if (!fields?.inputs.has('SINO')) {
      throw new ConfigurationError(
        `This ${TITLE} has no APS100MI.GetHead that asks by invoice number, without which no invoice can be found again. Set invoiceProgram to APS450MI.`,
        { code: 'PROGRAM_MISSING' },
      );
    }
    const found = new Map<string, StagedInvoice>();
    for (const INYR of fields.inputs.has('INYR') ? yearsAround(postingDate) : ['']) {
      const values = { SPYN: key.payee, SUNO: key.supplier, SINO: key.reference, INYR, DIVI: this.division };
      const inputs = Object.fromEntries(Object.entries(values).filter(([name]) => fields.inputs.has(name)));
      const call = { program: 'APS100MI', transaction: 'GetHead', inputs, schema: invoiceHead };
      const head = await one(this.client, call);
      if (head !== null) found.set(head.INBN, { batchNumber: head.INBN, head });
    }
    return [...found.values()];
  }

  head(batchNumber: string): Promise<InvoiceHead | null> {
    const inputs = { INBN: batchNumber, DIVI: this.division };
    return one(this.client, { program: this.program, transaction: 'GetHead', inputs, schema: invoiceHead });
  }

  /** In the order in which they were added. */
  async lines(batchNumber: string): Promise<InvoiceLine[]> {
    const rows = await wholeList(this.client, {
      program: 'APS450MI',
      transaction: 'LstLines',
      inputs: { INBN: batchNumber, DIVI: this.division },
      schema: invoiceLine,
    });
    return rows.sort((a, b) => Number(a.TRNO) - Number(b.TRNO));
  }

  isPosted(head: InvoiceHead): boolean {
    return Number(head.VONO) > 0 || this.client.settings.invoice.postedStatuses.includes(head.SUPA);
  }

  isFailed(head: InvoiceHead): boolean {
    const hasError = [head.IBHE, head.IBLE].some((flag) => flag !== '' && flag !== '0');
    return !this.isPosted(head) && (hasError || this.client.settings.invoice.failedStatuses.includes(head.SUPA));
  }

  foundIn(key: InvoiceKey, { batchNumber, head }: StagedInvoice): FoundDocument | null {
    if (!this.isPosted(head)) return null;
    return this.found(
      key,
      head,
      Number(head.VONO) > 0 ? invoiceId(key, head) : `AP ${key.supplier}/${key.reference} (batch ${batchNumber})`,
    );
  }

  /** APS200MI, for the invoice year and the years beside it: dates near the turn of a year may fall into either. */
  private async postedOnly(key: InvoiceKey, postingDate: string): Promise<FoundDocument[]> {
    for (const year of yearsAround(postingDate)) {
      const row = await this.postedIn(key, year);
      if (row !== null) return [this.found(key, row, invoiceId(key, row))];
    }
    return [];
  }

  private async postedIn(key: InvoiceKey, year: string) {
    const inputs = { DIVI: this.division, SPYN: key.payee, SINO: key.reference, INYR: year, SUNO: key.supplier };
    const program = 'APS200MI';
    if (await this.discovery.has(program, 'LstInvoiceTrans')) {
      const { transactionCode } = this.client.settings.invoice;
      const call = { program, transaction: 'LstInvoiceTrans', inputs: { ...inputs, TRCD: transactionCode } };
      const rows = await wholeList(this.client, { ...call, schema: postedInvoice });
      return rows[0] ?? null;
    }
    const row = await one(this.client, { program, transaction: 'GetInvTotInfo', inputs, schema: postedInvoice });
    return row === null ? null : { ...row, ...(await this.voucherOf(row)) };
  }

  /** GetInvTotInfo tells year and journal only; an invoice is named by its voucher, however it was found. */
  private async voucherOf({ YEA4, JRNO, JSNO, VONO }: PostedInvoice): Promise<Partial<PostedInvoice>> {
    const isKnown = Number(VONO) > 0 || Number(JRNO) === 0 || Number(JSNO) === 0;
    if (isKnown || !(await this.discovery.has('APS200MI', 'GetInvoice'))) return {};
    const inputs = { YEA4, JRNO, JSNO, DIVI: this.division };
    const row = await one(this.client, {
      program: 'APS200MI',
      transaction: 'GetInvoice',
      inputs,
      schema: postedInvoice.pick({ VONO: true, VSER: true }),
    });
    return row ?? {};
  }

  private found(key: InvoiceKey, row: { CUCD: string; CUAM: string }, ledgerDocumentId: string): FoundDocument {
    if (row.CUCD === '' || row.CUAM === '') {
      throw new UnreadableReplyError(`${TITLE} has the invoice ${key.reference} and does not show its amount.`, {
        code: 'AMOUNT_MISSING',
      });
    }
    const total = unsigned(minorOf(row.CUAM, row.CUCD), row.CUCD);
    return {
      reference: key.reference,
      ledgerDocumentId,
      currency: row.CUCD,
      totalDebit: total,
      totalCredit: total,
      // Neither APS450MI.GetHead nor APS200MI counts lines.
      lineCount: 0,
      isPosted: true,
    };
  }

  private get division(): string {
    return this.client.settings.divi;
  }
}

/** The invoice year, and those beside it. */
function yearsAround(postingDate: string): string[] {
  const year = Number(postingDate.slice(0, 4));
  return [year, year + 1, year - 1].map(String);
}

/** `AP SUPPLIER/REFERENCE (2026/310/20000045)`; without the voucher where M3 tells none. */
export function invoiceId(key: InvoiceKey, row: { YEA4: string; VSER: string; VONO: string }): string {
  const name = `AP ${key.supplier}/${key.reference}`;
  if (!(Number(row.VONO) > 0)) return name;
  return `${name} (${[row.YEA4, row.VSER, String(Number(row.VONO))].filter((part) => part !== '').join('/')})`;
}
