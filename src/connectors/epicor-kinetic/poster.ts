import { LedgergateError, OutcomeUnknownError, UnreadableReplyError, UpstreamUnavailableError } from '../../errors.js';
import type { Clearance, DocumentQuery, FoundDocument, LedgerDocument, SubmittedDocument } from '../contract.js';
import type { PosterFacts } from './facts.js';
import { isRefusal } from './failures.js';
import { InvoicePoster } from './invoices.js';
import { JournalPoster } from './journals.js';
import { invoiceKey, journalKey } from './mapper.js';
import { KineticRemains } from './remains.js';
import { Work } from './work.js';

/** Documents of both kinds: what their many calls amount to in the end. */
export class KineticPoster {
  private readonly invoices: InvoicePoster;
  private readonly journals: JournalPoster;
  private readonly remains: KineticRemains;

  constructor(private readonly facts: PosterFacts) {
    this.invoices = new InvoicePoster(facts);
    this.journals = new JournalPoster(facts);
    this.remains = new KineticRemains(facts, this.invoices, this.journals);
  }

  async submit(document: LedgerDocument): Promise<SubmittedDocument> {
    const work = new Work(this.facts.settings.submitTimeoutSeconds * 1000);
    try {
      return document.documentType === 'JOURNAL'
        ? await this.journals.submit(document, work)
        : await this.invoices.submit(document, work);
    } catch (error) {
      throw outcomeOf(error, work, document.reference);
    }
  }

  /** See `LedgerConnection.abandon`: what the ledger turned down was taken back at once, so that no fate keeps anything. */
  async abandon(document: LedgerDocument): Promise<Clearance> {
    const work = new Work(this.facts.settings.submitTimeoutSeconds * 1000);
    try {
      return await this.remains.clear(document, work);
    } catch (error) {
      throw outcomeOf(error, work, document.reference);
    }
  }

  async findByReference(queries: readonly DocumentQuery[]): Promise<FoundDocument[]> {
    const invoices = queries.filter((query) => query.documentType === 'SUPPLIER_INVOICE');
    return [
      ...(await this.journals.find(queries.filter((query) => query.documentType === 'JOURNAL'))),
      ...(await this.invoices.find([...new Set(invoices.map(({ reference }) => reference))])),
    ];
  }

  async readBack(ledgerDocumentId: string, query: DocumentQuery): Promise<FoundDocument | null> {
    if (query.documentType === 'JOURNAL') {
      const key = journalKey(ledgerDocumentId);
      return key ? this.journals.readBack(key, query.reference) : null;
    }
    const key = invoiceKey(ledgerDocumentId);
    return key ? this.invoices.readBack(key, query.reference) : null;
  }
}

/**
 * A fault before the document was begun means that nothing of it exists. Afterwards only a refusal is clear (what was
 * entered was taken back before it got here); everything else leaves the outcome to be asked for.
 */
export function outcomeOf(error: unknown, work: Work, reference: string): unknown {
  if (isRefusal(error) || error instanceof OutcomeUnknownError) return error;
  if (!work.hasBegun) {
    if (!(error instanceof UnreadableReplyError)) return error;
    return new UpstreamUnavailableError(`${error.userMessage} Nothing was sent.`, { code: error.code, cause: error });
  }
  const what = error instanceof LedgergateError ? error.userMessage : 'An unexpected error happened.';
  return new OutcomeUnknownError(
    `Epicor Kinetic did not finish ${reference}. ${what} It must be asked what it holds of it.`,
    { code: 'STOPPED_HALFWAY', detail: { reference }, cause: error },
  );
}
