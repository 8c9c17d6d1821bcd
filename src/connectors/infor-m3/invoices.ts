import { decimalOfMinor } from '../../domain/money.js';
import { ConfigurationError, ErpRejectedError, LedgergateError, OutcomeUnknownError } from '../../errors.js';
import type { LedgerDocument, SubmittedDocument } from '../contract.js';
import type { M3Client } from './client.js';
import { parsed } from './client.js';
import { fitted, type M3Discovery, type TransactionFields } from './discovery.js';
import { isDuplicate, quoted, TITLE, writeRefused } from './failures.js';
import { type InvoiceKey, invoiceId, type M3InvoiceLookup, type StagedInvoice } from './invoiceLookup.js';
import { type Coding, invoiceOf, type MappedInvoice } from './invoiceMapper.js';
import { type Fields, minorOf } from './mapper.js';
import { batchRow, type InvoiceHead, type InvoiceLine } from './wire.js';
import { beforeWrite, watched, written } from './writes.js';

/**
 * Supplier invoices: staged with APS450MI (head, lines), validated with APS455MI, watched until M3 has made the voucher
 * or turned it down. Staging is harmless, so what an earlier attempt left there is finished when it is this document,
 * and deleted, where the release can, when it is not. One batch number becomes at most one invoice, and M3 refuses a
 * second one of the same payee, supplier, number and year, so that validating a batch again cannot post it twice.
 */

const NEEDED_HEAD = ['SUNO', 'SINO', 'IVDT', 'ACDT', 'CUCD', 'CUAM', 'CORI'];
const NEEDED_LINE = ['RDTP', 'NLAM', 'AIT1', 'AIT2', 'AIT3', 'AIT4', 'AIT5', 'AIT6', 'AIT7', 'VTCD'];

interface Prepared extends MappedInvoice {
  readonly key: InvoiceKey;
}

export class M3Invoices {
  constructor(
    private readonly client: M3Client,
    private readonly discovery: M3Discovery,
    private readonly lookup: M3InvoiceLookup,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async submit(document: LedgerDocument, deadline: number): Promise<SubmittedDocument> {
    const invoice = await beforeWrite(() => this.prepared(document));
    const [there] = await beforeWrite(() => this.lookup.findPosted([document]));
    if (there !== undefined) return this.confirmed(invoice, document, there);
    const batchNumber =
      (await this.resumed(invoice, document, deadline)) ?? (await this.staged(invoice, document, deadline));
    await this.complete(invoice, document, batchNumber, deadline);
    await this.validate(invoice, batchNumber, deadline);
    const head = await this.outcome(batchNumber, deadline);
    if (!sameAmount(head, invoice, document)) throw this.notConfirmed(document, batchNumber);
    const warnings = [...invoice.warnings, ...(await this.approved(invoice, document, deadline))];
    return { ledgerDocumentId: invoiceId(invoice.key, head), warnings };
  }

  // ── before ─────────────────────────────────────────────────────────────────────────────────

  private async prepared(document: LedgerDocument): Promise<Prepared> {
    const { program } = this.lookup;
    const [head, line] = [
      await this.discovery.fieldsOf(program, 'AddHead'),
      await this.discovery.fieldsOf(program, 'AddLine'),
    ];
    const coding = await this.codingOf(line);
    const key = await this.lookup.keyOf(document.supplierCode ?? '', document.reference);
    const mapped = invoiceOf(document, key.payee, coding, this.client.settings);
    return {
      ...mapped,
      key,
      head: fitted(`${program}.AddHead`, head, mapped.head, NEEDED_HEAD),
      lines: mapped.lines.map((fields) => {
        // The batch number is not known yet, and mandatory.
        const { INBN: _later, ...sent } = fitted(`${program}.AddLine`, line, { ...fields, INBN: '0' }, NEEDED_LINE);
        return sent;
      }),
    };
  }

  /** Whether this release takes accounts on invoice lines. What was coded is never dropped unless a setting says so. */
  private async codingOf(line: TransactionFields | null): Promise<Coding> {
    const { coding } = this.client.settings.invoice;
    if (line === null) {
      throw new ConfigurationError(
        `This ${TITLE} has no ${this.lookup.program}.AddLine. Set invoiceProgram to one that it has, or post journals.`,
        { code: 'PROGRAM_MISSING' },
      );
    }
    if (coding !== 'auto') return coding;
    if (line.inputs.has('AIT1')) return 'accounting-line';
    const recodes = await this.discovery.has('APS450MI', 'AddLineRecode');
    throw new ConfigurationError(
      `${this.lookup.program}.AddLine of this M3 release takes no accounts${recodes ? ', only a later recoding (AddLineRecode)' : ''}. Post journals instead, or set invoice.coding to "m3-derived" where M3 is to choose the accounts itself.`,
      { code: 'INVOICE_LINES_WITHOUT_ACCOUNT', detail: { recodes } },
    );
  }

  // ── staging ────────────────────────────────────────────────────────────────────────────────

  /**
   * What an earlier attempt staged and is this document so far; null = nothing, or it was deleted. A batch that M3 has
   * turned down is never validated again: its old error flags could not be told from new ones.
   */
  private async resumed(invoice: Prepared, document: LedgerDocument, deadline: number): Promise<string | null> {
    let resumable: string | null = null;
    for (const staged of await beforeWrite(() => this.lookup.staged(invoice.key, document.postingDate))) {
      const { batchNumber, head } = staged;
      const isSame =
        !this.lookup.isFailed(head) &&
        sameText(head.CORI, invoice.head.CORI) &&
        sameAmount(head, invoice, document) &&
        isBeginning(await beforeWrite(() => this.lookup.lines(batchNumber)), invoice.lines, document.currency);
      if (isSame && resumable === null) resumable = batchNumber;
      else await this.remove(staged, deadline);
    }
    return resumable;
  }

  /** @throws ErpRejectedError this release cannot delete, so that a person must. */
  private async remove({ batchNumber, head }: StagedInvoice, deadline: number): Promise<void> {
    const { settings } = this.client;
    const canDelete =
      settings.invoice.deleteUnfinished && (await beforeWrite(() => this.discovery.has('APS450MI', 'DltInvoice')));
    if (canDelete) {
      const inputs = { INBN: batchNumber, DIVI: settings.divi };
      const answer = await this.client.write('APS450MI', 'DltInvoice', inputs, deadline);
      if ('records' in answer) return;
      // It may be on its way into the books: whether it gets there is for the ledger to tell.
      throw new OutcomeUnknownError(
        `${TITLE} does not delete the batch invoice ${batchNumber}, which another attempt left: ${quoted(answer.refusal)}. It may be posted yet.`,
        { code: 'UNFINISHED_BATCH_INVOICE', detail: { batchNumber, ...answer.refusal } },
      );
    }
    const what = this.lookup.isFailed(head) ? 'M3 has turned down' : 'has other content';
    throw new ErpRejectedError(
      `${TITLE} holds the unposted batch invoice ${batchNumber} under this document's number, which ${what}. Delete it in APS450 and replay the posting, or put it right and validate it there.`,
      { code: 'UNFINISHED_BATCH_INVOICE', detail: { batchNumber } },
    );
  }

  private async staged(invoice: Prepared, document: LedgerDocument, deadline: number): Promise<string> {
    const { program } = this.lookup;
    const answer = await this.client.write(program, 'AddHead', invoice.head, deadline);
    if ('refusal' in answer) {
      const refused = writeRefused(`${program}.AddHead`, answer.refusal, this.client.settings.errorPatterns);
      if (!isDuplicate(answer.refusal, this.client.settings.errorPatterns)) throw refused;
      // It may be our own, come late: then the next attempt goes on with it.
      const there = await beforeWrite(() => this.lookup.staged(invoice.key, document.postingDate));
      if (there.length === 0) throw refused;
      throw new OutcomeUnknownError(`${TITLE} says that it has the invoice already: ${quoted(answer.refusal)}.`, {
        code: 'ALREADY_THERE',
        detail: { reference: document.reference },
      });
    }
    try {
      return parsed(batchRow, answer.records[0] ?? {}, `${program}.AddHead`).INBN;
    } catch (error) {
      if (!(error instanceof LedgergateError)) throw error;
      throw new OutcomeUnknownError(`${TITLE} took the head of an invoice and gave it no number.`, { cause: error });
    }
  }

  /** Adds the lines that are missing, then reads them back: only what is there as a whole is validated. */
  private async complete(
    invoice: Prepared,
    document: LedgerDocument,
    batchNumber: string,
    deadline: number,
  ): Promise<void> {
    const before = await beforeWrite(() => this.lookup.lines(batchNumber));
    for (const fields of invoice.lines.slice(before.length)) {
      await written(this.client, this.lookup.program, 'AddLine', { ...fields, INBN: batchNumber }, deadline);
    }
    const lines = await beforeWrite(() => this.lookup.lines(batchNumber));
    if (lines.length === invoice.lines.length && isBeginning(lines, invoice.lines, document.currency)) return;
    // A line that came late: nothing is posted, and the next attempt sees the batch as it then is.
    throw new OutcomeUnknownError(
      `The batch invoice ${batchNumber} in ${TITLE} does not hold the lines that were sent. It was not validated.`,
      { code: 'STAGED_OTHERWISE', detail: { batchNumber, lines: lines.length, sent: invoice.lines.length } },
    );
  }

  // ── validation ─────────────────────────────────────────────────────────────────────────────

  private async validate(invoice: Prepared, batchNumber: string, deadline: number): Promise<void> {
    const inputs = { INBN: batchNumber, DIVI: this.client.settings.divi };
    const answer = await this.client.write('APS455MI', 'ValidByBatchNo', inputs, deadline);
    // OK means submitted, no more.
    if ('records' in answer) return;
    const { errorPatterns } = this.client.settings;
    // An earlier attempt has got further than we knew: what became of the batch is watched all the same.
    if (isDuplicate(answer.refusal, errorPatterns)) return;
    const refused = writeRefused('APS455MI.ValidByBatchNo', answer.refusal, errorPatterns);
    const head = await this.lookup.head(batchNumber).catch(() => null);
    if (head !== null && !this.lookup.isPosted(head)) throw refused;
    throw new OutcomeUnknownError(
      `${TITLE} refused to validate the batch invoice ${batchNumber}: ${quoted(answer.refusal)}. Whether ${invoice.key.reference} is posted must be asked.`,
      { code: 'ALREADY_THERE', detail: { batchNumber } },
    );
  }

  private outcome(batchNumber: string, deadline: number): Promise<InvoiceHead> {
    return watched(this.client, `the batch invoice ${batchNumber}`, deadline, this.signal, async () => {
      const head = await this.lookup.head(batchNumber);
      if (head === null) return null;
      if (this.lookup.isPosted(head)) return head;
      if (this.lookup.isFailed(head)) throw turnedDown(batchNumber, head);
      return null;
    });
  }

  // ── after ──────────────────────────────────────────────────────────────────────────────────

  /** A posted invoice stays posted, whatever becomes of its approval. */
  private async approved(invoice: Prepared, document: LedgerDocument, deadline: number): Promise<string[]> {
    const { settings } = this.client;
    if (!settings.invoice.approve) return [];
    try {
      const { supplier, reference } = invoice.key;
      const year = document.postingDate.slice(0, 4);
      const inputs = { DIVI: settings.divi, SUNO: supplier, SINO: reference, INYR: year };
      await written(this.client, 'APS110MI', 'ApproveInvoice', inputs, deadline);
      return [];
    } catch (error) {
      if (!(error instanceof LedgergateError)) throw error;
      return [`The invoice is posted, and it could not be approved: ${error.userMessage}`];
    }
  }

  private confirmed(
    invoice: Prepared,
    document: LedgerDocument,
    there: { ledgerDocumentId: string; totalDebit: string; currency: string | null },
  ): SubmittedDocument {
    const { signedMinor } = invoice;
    const total = decimalOfMinor(signedMinor < 0n ? -signedMinor : signedMinor, document.currency);
    if (there.totalDebit === total && there.currency === document.currency) {
      return { ledgerDocumentId: there.ledgerDocumentId, warnings: invoice.warnings };
    }
    throw this.notConfirmed(document, there.ledgerDocumentId);
  }

  private notConfirmed(document: LedgerDocument, id: string): OutcomeUnknownError {
    return new OutcomeUnknownError(
      `${TITLE} holds ${id} under ${document.reference}, which is not the invoice as it was sent. Look at it in APS200.`,
      { code: 'CREATED_NOT_CONFIRMED', detail: { reference: document.reference } },
    );
  }
}

/** The texts of what is wrong stand in APS450 only: no transaction for them is documented. */
export function turnedDown(batchNumber: string, head: InvoiceHead): ErpRejectedError {
  const where = [
    head.IBHE !== '' && head.IBHE !== '0' ? 'head' : '',
    head.IBLE !== '' && head.IBLE !== '0' ? 'lines' : '',
  ];
  const parts = where.filter((part) => part !== '').join(' and ');
  return new ErpRejectedError(
    `${TITLE} validated the batch invoice ${batchNumber} with errors${parts === '' ? '' : ` in its ${parts}`} (status ${head.SUPA || 'unknown'}). The reasons stand in APS450 under that number. Put them right and replay the posting.`,
    { code: 'INVOICE_INVALID', detail: { batchNumber, SUPA: head.SUPA, IBHE: head.IBHE, IBLE: head.IBLE } },
  );
}

function sameText(a: string, b: string | undefined): boolean {
  return a !== '' && a.toUpperCase() === b?.toUpperCase();
}

function sameAmount(head: InvoiceHead, invoice: MappedInvoice, document: LedgerDocument): boolean {
  return head.CUCD === document.currency && minorOf(head.CUAM, document.currency) === invoice.signedMinor;
}

/** Whether what is staged is the first so many of the lines that are to be sent. LstLines shows no accounts. */
function isBeginning(staged: readonly InvoiceLine[], lines: readonly Fields[], currency: string): boolean {
  return (
    staged.length <= lines.length &&
    staged.every((line, index) => {
      const sent = lines[index];
      return (
        sent !== undefined &&
        line.RDTP === sent.RDTP &&
        minorOf(line.NLAM, currency) === minorOf(sent.NLAM ?? '', currency) &&
        line.VTCD === (sent.VTCD ?? '')
      );
    })
  );
}
