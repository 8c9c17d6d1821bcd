import type { Clearance, DocumentQuery, FoundDocument, LedgerDocument, SubmittedDocument } from '../contract.js';
import { M3Messages } from './bod.js';
import type { M3Client } from './client.js';
import type { M3Discovery } from './discovery.js';
import { M3InvoiceLookup } from './invoiceLookup.js';
import { M3Invoices } from './invoices.js';
import { M3Journals } from './journals.js';
import { findVouchers, readVoucher, voucherKey } from './lookup.js';
import { M3Remains } from './remains.js';

/** Which way a document goes, and where it is looked for. */
export class M3Poster {
  private readonly journals: M3Journals;
  private readonly invoices: M3Invoices;
  private readonly messages: M3Messages;
  private readonly lookup: M3InvoiceLookup;
  private readonly remains: M3Remains;

  constructor(
    private readonly client: M3Client,
    discovery: M3Discovery,
    signal: AbortSignal | undefined,
    now: () => Date,
    tenant: () => Promise<string>,
  ) {
    this.lookup = new M3InvoiceLookup(client, discovery);
    this.remains = new M3Remains(client, discovery, this.lookup);
    this.journals = new M3Journals(client, discovery, signal);
    this.invoices = new M3Invoices(client, discovery, this.lookup, signal);
    this.messages = new M3Messages(client, this.lookup, signal, now, tenant);
  }

  async submit(document: LedgerDocument): Promise<SubmittedDocument> {
    // From here on, because whoever waits for this call counts from here too.
    const deadline = performance.now() + this.client.settings.submitTimeoutSeconds * 1000;
    if (document.documentType === 'JOURNAL') return this.journals.submit(document, deadline);
    if (this.client.settings.invoiceProgram === 'BOD') return this.messages.submit(document, deadline);
    return this.invoices.submit(document, deadline);
  }

  abandon(document: LedgerDocument, fate: 'WAITING' | 'GIVEN_UP'): Promise<Clearance> {
    return this.remains.clear(document, fate, performance.now() + this.client.settings.submitTimeoutSeconds * 1000);
  }

  async findByReference(queries: readonly DocumentQuery[]): Promise<FoundDocument[]> {
    const journals = queries.filter((query) => query.documentType === 'JOURNAL');
    const invoices = queries.filter((query) => query.documentType === 'SUPPLIER_INVOICE');
    return [
      ...(journals.length > 0 ? await findVouchers(this.client, journals) : []),
      ...(await this.lookup.findPosted(invoices)),
    ];
  }

  async readBack(ledgerDocumentId: string, query: DocumentQuery): Promise<FoundDocument | null> {
    if (query.documentType === 'JOURNAL') {
      const key = voucherKey(ledgerDocumentId);
      return key === null ? null : readVoucher(this.client, key, query.reference);
    }
    const [found] = await this.lookup.findPosted([query]);
    return found ?? null;
  }
}
