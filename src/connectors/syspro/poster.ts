import type { LocalDate } from '../../domain/localDate.js';
import { decimalOfMinor } from '../../domain/money.js';
import {
  ErpRejectedError,
  LedgergateError,
  OutcomeUnknownError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../errors.js';
import type { DocumentQuery, FoundDocument, LedgerDocument, SubmittedDocument } from '../contract.js';
import { parsed, type SysproClient } from './client.js';
import type { SysproSettings } from './config.js';
import {
  classOf,
  counterOf,
  quoteErrors,
  rejectionOf,
  reportedErrors,
  reportedWarnings,
  saysInvalid,
} from './failures.js';
import { findInvoices, findJournals, readJournal } from './lookup.js';
import {
  bareKey,
  invoiceCall,
  invoiceId,
  journalCall,
  journalId,
  type MappedDocument,
  minorOf,
  periodOf,
  sameKey,
} from './mapper.js';
import { findSupplier, isoCurrency } from './masterData.js';
import { apPeriodOf } from './periods.js';
import { invoiceGlJournal, postedJournal } from './wire.js';
import { find, recordOf, textAt, type XmlNode } from './xml.js';

/** What posting needs to know of the connection. */
export interface PosterFacts {
  /** Names the system among all of a process. */
  readonly systemKey: string;
  companyId(): Promise<string>;
  /** ISO code; journals are kept in it. */
  localCurrency(): Promise<string>;
  today(): LocalDate;
}

/**
 * Invoices that AP took while their GL journal failed. SYSPRO's invoice table does not tell, so this lasts as long as
 * the process does; the error of the submit carries it into the audit trail.
 */
const failedGlJournals = new Map<string, Set<string>>();
const FAILURES_REMEMBERED = 1000;

export class SysproPoster {
  constructor(
    private readonly client: SysproClient,
    private readonly settings: SysproSettings,
    private readonly facts: PosterFacts,
  ) {}

  async submit(document: LedgerDocument): Promise<SubmittedDocument> {
    // From here on, because whoever waits for this call counts from here too: a document that were sent after its time
    // might meet a second attempt that began when the first was given up.
    const deadline = performance.now() + this.settings.submitTimeoutSeconds * 1000;
    await this.checkCurrency(document);
    const isJournal = document.documentType === 'JOURNAL';
    return isJournal ? this.submitJournal(document, deadline) : this.submitInvoice(document, deadline);
  }

  async findByReference(queries: readonly DocumentQuery[]): Promise<FoundDocument[]> {
    if (queries.length === 0) return [];
    const currency = await this.facts.localCurrency();
    const journals = queries.filter((query) => query.documentType === 'JOURNAL');
    const invoices = queries.filter((query) => query.documentType === 'SUPPLIER_INVOICE');
    return [
      ...(await findJournals(this.client, this.settings, journals, currency)),
      ...(await findInvoices(this.client, this.settings, invoices, currency, this.hasGlJournal)),
    ];
  }

  async readBack(ledgerDocumentId: string, query: DocumentQuery): Promise<FoundDocument | null> {
    if (query.documentType === 'JOURNAL') {
      return readJournal(this.client, ledgerDocumentId, query.reference, await this.facts.localCurrency());
    }
    // Supplier and number are the invoice's whole key; the GL journal in its name is not part of it.
    const [found] = await this.findByReference([query]);
    return found ? { ...found, ledgerDocumentId } : null;
  }

  /** Amounts carry no currency on the wire, so one in another currency would be taken for local money. */
  private async checkCurrency(document: LedgerDocument): Promise<void> {
    const localCurrency = await beforeWrite(() => this.facts.localCurrency());
    if (document.currency === localCurrency) return;
    throw new ErpRejectedError(
      `The document is in ${document.currency}, and this SYSPRO company keeps its books in ${localCurrency}. Nothing was sent.`,
      { code: 'CURRENCY_UNSUPPORTED' },
    );
  }

  /** An invoice's value counts in the supplier's currency, whatever the document says. */
  private async checkSupplierCurrency(document: LedgerDocument): Promise<void> {
    const supplier = await findSupplier(this.client, document.supplierCode ?? '');
    // A supplier that is not there is for the ledger to refuse, in its own words.
    if (supplier === null || supplier.currency === '') return;
    const currency = isoCurrency(supplier.currency, this.settings.localCurrency);
    if (currency === document.currency) return;
    throw new ErpRejectedError(
      `Supplier ${supplier.supplier} is kept in ${currency ?? `"${supplier.currency}"`} and the invoice is in ${document.currency}. Nothing was sent. Post it as a journal, or enter what "${supplier.currency}" is in the setting localCurrency.`,
      { code: 'CURRENCY_UNSUPPORTED' },
    );
  }

  // ── journals ───────────────────────────────────────────────────────────────────────────────

  private async submitJournal(document: LedgerDocument, deadline: number): Promise<SubmittedDocument> {
    const mapped = journalCall(document, this.settings);
    const reply = await this.client.post(mapped.call, deadline);
    const transaction = find(reply, 'Item', 'Transaction');
    const isCreated = textAt(transaction, 'Key', 'GlJournal') !== '' || counterOf(reply, 'JournalsProcessed') > 0;
    if (!isCreated) throw this.notCreated(reply, document);
    const errors = reportedErrors(reply);
    const doubt = errors.length > 0 ? quoteErrors(errors) : this.journalDoubt(reply, transaction, document, mapped);
    const ledgerDocumentId = idOfJournal(transaction);
    if (doubt !== null || ledgerDocumentId === null) {
      throw new OutcomeUnknownError(
        `SYSPRO made the journal ${ledgerDocumentId ?? ''} but it is not posted as sent: ${doubt ?? 'its number is missing'}. Look at it in SYSPRO before anything else is done.`,
        { code: 'CREATED_NOT_CONFIRMED', detail: { ledgerDocumentId, reference: document.reference, doubt, errors } },
      );
    }
    return { ledgerDocumentId, warnings: [...mapped.warnings, ...reportedWarnings(reply)] };
  }

  /** Why the reply does not prove that the whole journal is posted; null when it does. */
  private journalDoubt(
    reply: XmlNode,
    transaction: XmlNode | null,
    document: LedgerDocument,
    mapped: MappedDocument,
  ): string | null {
    if (saysInvalid(reply)) return 'it is counted as invalid';
    const status = textAt(transaction, 'JnlStatus');
    if (counterOf(reply, 'PostingsInvalid') > 0 || status.toUpperCase() !== 'P') {
      return `it was created and not posted (status "${status}")`;
    }
    const total = decimalOfMinor(mapped.totalMinor, document.currency);
    try {
      const debit = minorOf(textAt(transaction, 'DebitAmount'), document.currency);
      const credit = minorOf(textAt(transaction, 'CreditAmount'), document.currency);
      if (debit !== mapped.totalMinor || (credit < 0n ? -credit : credit) !== mapped.totalMinor) {
        return `its total is not ${total}`;
      }
    } catch (error) {
      if (error instanceof UnreadableReplyError) return 'its total cannot be read';
      throw error;
    }
    const entries = Number.parseInt(textAt(transaction, 'NumOfEntries'), 10);
    return entries === mapped.lineCount ? null : `it has ${entries} lines instead of ${mapped.lineCount}`;
  }

  /** The reply to a document of which the ledger holds nothing, or of which nothing can be said. */
  private notCreated(reply: XmlNode, document: LedgerDocument): LedgergateError {
    if (reportedErrors(reply).length > 0 || saysInvalid(reply)) return rejectionOf(reply, this.settings.errorPatterns);
    return new OutcomeUnknownError(
      'SYSPRO answered without a document number and without an error. It must be asked whether the write happened.',
      { detail: { reference: document.reference } },
    );
  }

  // ── supplier invoices ──────────────────────────────────────────────────────────────────────

  private async submitInvoice(document: LedgerDocument, deadline: number): Promise<SubmittedDocument> {
    const key = periodOf(document);
    await beforeWrite(() => this.checkSupplierCurrency(document));
    const period = await beforeWrite(async () =>
      apPeriodOf(this.client, this.settings, await this.facts.companyId(), key, this.facts.today()),
    );
    const mapped = invoiceCall(document, this.settings, period);
    const reply = await this.client.post(mapped.call, deadline);
    if (counterOf(reply, 'ItemsProcessed') === 0) throw await this.invoiceRefused(reply, document);
    const supplier = textAt(reply, 'Item', 'Transaction', 'Supplier');
    const invoice = textAt(reply, 'Item', 'Transaction', 'Invoice');
    const glJournal = parsed(
      invoiceGlJournal,
      recordOf(find(reply, 'StatusOfItems', 'GlJournal') ?? reply),
      'APSTIN reply',
    );
    const errors = reportedErrors(reply);
    if (glJournal.gljournalerror !== '' && !/^0+$/.test(glJournal.gljournalerror)) {
      this.rememberFailure(document);
      throw this.invoiceDoubt(
        document,
        `its GL journal failed ("${glJournal.gljournalerror} ${glJournal.gljournalmessage}")`,
      );
    }
    if (errors.length > 0 || saysInvalid(reply)) throw this.invoiceDoubt(document, quoteErrors(errors));
    if (!sameKey(supplier, document.supplierCode ?? '') || !sameKey(invoice, document.reference)) {
      throw this.invoiceDoubt(document, 'the reply names another document');
    }
    const id = invoiceId(document.supplierCode ?? supplier, document.reference);
    const warnings = [...mapped.warnings, ...reportedWarnings(reply)];
    if (glJournal.gljournal === '') return { ledgerDocumentId: id, warnings };
    const journal = journalId(glJournal);
    if (!journal.startsWith(`${key.year}/${key.period}/`)) {
      warnings.push(`SYSPRO made the GL journal ${journal} although the invoice belongs to ${key.year}/${key.period}.`);
    }
    return { ledgerDocumentId: `${id} (${journal})`, warnings };
  }

  private invoiceDoubt(document: LedgerDocument, doubt: string): OutcomeUnknownError {
    return new OutcomeUnknownError(
      `SYSPRO took the invoice ${document.reference}, but ${doubt}. A person must finish it in SYSPRO; it must never be posted again.`,
      { code: 'CREATED_NOT_CONFIRMED', detail: { reference: document.reference, doubt } },
    );
  }

  /**
   * Supplier and invoice number are a document's identity, so "already there" may be our own document whose answer was
   * lost: the ledger is asked, and only an absence makes it a plain refusal.
   */
  private async invoiceRefused(reply: XmlNode, document: LedgerDocument): Promise<LedgergateError> {
    const refusal = this.notCreated(reply, document);
    const errors = reportedErrors(reply);
    if (!(refusal instanceof ErpRejectedError) || classOf(errors, this.settings.errorPatterns) !== 'duplicate')
      return refusal;
    const alreadyThere = new OutcomeUnknownError(
      `SYSPRO says that it has the invoice already: ${quoteErrors(errors)}. Its own copy decides.`,
      { code: 'ALREADY_THERE', detail: { reference: document.reference, errors } },
    );
    try {
      return (await this.findByReference([document])).length > 0 ? alreadyThere : refusal;
    } catch (error) {
      if (error instanceof LedgergateError) return alreadyThere;
      throw error;
    }
  }

  private rememberFailure(document: LedgerDocument): void {
    const failures = failedGlJournals.get(this.facts.systemKey) ?? new Set<string>();
    if (failures.size < FAILURES_REMEMBERED) failures.add(failureKey(document.supplierCode ?? '', document.reference));
    failedGlJournals.set(this.facts.systemKey, failures);
  }

  private readonly hasGlJournal = (supplier: string, invoice: string): boolean =>
    !failedGlJournals.get(this.facts.systemKey)?.has(failureKey(supplier, invoice));
}

function failureKey(supplier: string, invoice: string): string {
  return `${bareKey(supplier)}/${bareKey(invoice)}`;
}

function idOfJournal(transaction: XmlNode | null): string | null {
  const key = find(transaction, 'Key');
  if (transaction === null || key === null) return null;
  const result = postedJournal.safeParse({ ...recordOf(transaction), ...recordOf(key) });
  return result.success ? journalId(result.data) : null;
}

/** A read that comes before a write: whatever fails in it, nothing was sent. */
async function beforeWrite<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UnreadableReplyError)) throw error;
    throw new UpstreamUnavailableError(`${error.userMessage} Nothing was sent.`, { code: error.code, cause: error });
  }
}
