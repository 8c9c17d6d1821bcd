import { ErpRejectedError, LedgergateError, OutcomeUnknownError, UnreadableReplyError } from '../../errors.js';
import type { DocumentQuery, FoundDocument, LedgerDocument, SubmittedDocument } from '../contract.js';
import type { SageX3Settings } from './config.js';
import { beforeWrite, fits, isUnclear, quote, rejectionOf, unclearWrite } from './failures.js';
import { differenceOf, foundOf, journalId, journalKeyOf, type MappedJournal, mapJournal } from './mapper.js';
import type { JournalRecord, X3Reader } from './reader.js';
import type { X3Transport } from './transport.js';
import type { JournalWriter, Written } from './writers.js';

/**
 * Posts a journal once. X3 has no idempotency key and lets REFINT repeat, so the reference is looked for immediately
 * before the write and again after it, and a write that gave no clear answer is never sent again from here.
 */
export class SageX3Poster {
  constructor(
    private readonly transport: X3Transport,
    private readonly reader: X3Reader,
    private readonly writer: JournalWriter,
    private readonly settings: SageX3Settings,
  ) {}

  async submit(document: LedgerDocument): Promise<SubmittedDocument> {
    // From here on, because whoever waits for this call counts from here too: a document that were sent after its time
    // might meet a second attempt that began when the first was given up.
    const deadline = performance.now() + this.settings.submitTimeoutSeconds * 1000;
    this.checkDocument(document);
    const mapped = mapJournal(document, this.settings);
    const sending = await beforeWrite(() => this.writer.prepare(mapped));
    return this.transport.write(deadline, async (send) => {
      await this.checkAbsent(document);
      const written = await answered(() => sending(send));
      if (!written.isOk) throw await this.refusalOf(document, written);
      return this.confirmed(document, mapped, written);
    });
  }

  async findByReference(queries: readonly DocumentQuery[]): Promise<FoundDocument[]> {
    const asked = new Map(queries.map((query) => [query.reference, query]));
    const found = await Promise.all(
      [...asked.values()].map(async (query) => {
        const journals = await this.reader.journalsOf(query);
        return journals.map((journal) => foundOf(journal, query.reference, this.settings));
      }),
    );
    return found.flat();
  }

  async readBack(ledgerDocumentId: string, query: DocumentQuery): Promise<FoundDocument | null> {
    const key = journalKeyOf(ledgerDocumentId);
    const journal = key === null ? null : await this.reader.journal(key);
    if (journal === null) return null;
    return foundOf(journal, journal.header.REFINT || query.reference, this.settings);
  }

  // ── before ─────────────────────────────────────────────────────────────────────────────────

  private checkDocument(document: LedgerDocument): void {
    const { localCurrency } = this.settings;
    if (document.documentType !== 'JOURNAL') {
      throw new ErpRejectedError('This connection posts journals to Sage X3, no supplier invoices. Nothing was sent.', {
        code: 'DOCUMENT_TYPE_UNSUPPORTED',
      });
    }
    if (localCurrency === undefined || document.currency === localCurrency) return;
    throw new ErpRejectedError(
      `The document is in ${document.currency}, and this connection takes ${localCurrency} only. Nothing was sent.`,
      { code: 'CURRENCY_UNSUPPORTED' },
    );
  }

  private async checkAbsent(document: LedgerDocument): Promise<void> {
    const [there] = await beforeWrite(() => this.reader.journalsOf(document));
    if (!there) return;
    throw new OutcomeUnknownError(
      `Sage X3 holds the journal ${journalId(there.key)} under this reference already; nothing was sent. Its own copy decides.`,
      { code: 'ALREADY_THERE', detail: { reference: document.reference, ledgerDocumentId: journalId(there.key) } },
    );
  }

  // ── after ──────────────────────────────────────────────────────────────────────────────────

  /** A refusal counts when X3 gave its reasons, they do not speak of a broken call, and the journal is not there. */
  private async refusalOf(document: LedgerDocument, { messages }: Written): Promise<LedgergateError> {
    const { errorPatterns } = this.settings;
    const detail = { reference: document.reference, messages };
    if (isUnclear(messages, errorPatterns)) {
      const words = messages.length === 0 ? 'without a reason' : `with ${quote(messages)}`;
      return unclearWrite(`ended a write ${words}, which does not say whether it happened`, detail);
    }
    const there = await this.lookedFor(document, 'refused it');
    if (there.length === 0) return rejectionOf(messages, errorPatterns);
    return unclearWrite(
      `refused the document (${quote(messages)}) and holds a journal under its reference all the same`,
      detail,
    );
  }

  /** The journal as the ledger holds it is what counts, not the answer to the write. */
  private async confirmed(
    document: LedgerDocument,
    mapped: MappedJournal,
    written: Written,
  ): Promise<SubmittedDocument> {
    const journals = await this.lookedFor(document, 'took it');
    const [journal, ...others] = journals;
    if (!journal) {
      // An import ends well although it turned its one record down; what it says then is the refusal.
      const { errorPatterns } = this.settings;
      const isRefusal = written.messages.some(
        (message) => fits(message, errorPatterns.refused) || fits(message, errorPatterns.period),
      );
      if (written.key === null && isRefusal && !isUnclear(written.messages, errorPatterns)) {
        throw rejectionOf(written.messages, errorPatterns);
      }
      const words = written.messages.length === 0 ? '' : ` It says ${quote(written.messages)}.`;
      throw unclearWrite(
        `reports success, and no journal is there under the reference.${words} That may still change`,
        {
          reference: document.reference,
          answered: written.key === null ? null : journalId(written.key),
        },
      );
    }
    const id = journalId(journal.key);
    const doubt =
      others.length > 0
        ? `${journals.length} journals carry its reference`
        : this.doubtOf(document, mapped, journal, written);
    if (doubt !== null) {
      throw new OutcomeUnknownError(
        `Sage X3 made the journal ${id}, but it is not what was sent: ${doubt}. Look at it in Sage X3 before anything else is done.`,
        { code: 'CREATED_NOT_CONFIRMED', detail: { ledgerDocumentId: id, reference: document.reference, doubt } },
      );
    }
    return { ledgerDocumentId: id, warnings: [...mapped.warnings, ...written.warnings] };
  }

  private doubtOf(
    document: LedgerDocument,
    mapped: MappedJournal,
    journal: JournalRecord,
    written: Written,
  ): string | null {
    const id = journalId(journal.key);
    if (written.key !== null && journalId(written.key) !== id) {
      return `the answer names ${journalId(written.key)}, and the reference leads to ${id}`;
    }
    try {
      return differenceOf(document, mapped, journal, this.settings);
    } catch (error) {
      if (error instanceof UnreadableReplyError) return 'its lines cannot be read';
      throw error;
    }
  }

  /** After a write no failure of a read may say that nothing happened. */
  private async lookedFor(document: LedgerDocument, what: string): Promise<JournalRecord[]> {
    try {
      return await this.reader.journalsOf(document);
    } catch (error) {
      if (!(error instanceof LedgergateError)) throw error;
      throw new OutcomeUnknownError(
        `Sage X3 ${what}, and could not be asked for the journal afterwards (${error.userMessage}).`,
        { code: 'READ_BACK_FAILED', detail: { reference: document.reference }, cause: error },
      );
    }
  }
}

/** Whatever in an answer to a write cannot be read leaves its outcome open. */
async function answered(write: () => Promise<Written>): Promise<Written> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof UnreadableReplyError)) throw error;
    throw new OutcomeUnknownError(`${error.userMessage} It must be asked whether the write happened.`, {
      detail: error.detail,
    });
  }
}
