import { decimalOfMinor } from '../../domain/money.js';
import { LedgergateError, OutcomeUnknownError, UpstreamUnavailableError } from '../../errors.js';
import type { FoundDocument, LedgerDocument, SubmittedDocument } from '../contract.js';
import type { M3Client } from './client.js';
import { fitted, type M3Discovery } from './discovery.js';
import { fits, isDuplicate, quoted, type Refusal, TITLE, writeRefused } from './failures.js';
import { findVouchers } from './lookup.js';
import { batchKey, type Fields, journalBatch, type MappedJournal } from './mapper.js';
import { beforeWrite, watched } from './writes.js';

/**
 * GL vouchers through GLS840MI: a batch of head and lines, controlled and updated, and found again in GLS200MI.
 *
 * GLS840MI shows nothing of a batch, and nobody documents what a second UpdBatch does. So a batch that is there already
 * (a crash, a lost reply, a refusal) is gone on with only when it is proven that it holds this document alone and was
 * never given to UpdBatch. The numbers of its lines are made from the whole content, but the second one's, which is
 * always 2. A line that is refused as a duplicate tells:
 *
 * - the first is there and another is missing: this very content, never updated; go on with what is missing;
 * - all are there: it may have been given to UpdBatch, which may still be at work;
 * - the first is not there, and the second is: another content;
 * - neither is there: the batch was empty, or holds the first line of another content. Then it does not balance, and M3
 *   refuses to control or update it;
 * - a line number is taken twice: this M3 does not refuse duplicates, and nothing can be proven.
 *
 * What cannot be gone on with is spoiled by one line more: once M3 has taken that, the batch does not balance and can
 * never become a voucher. Then the ledger is looked at once again, and the next key takes its place.
 */

/** So many batches left behind under one reference mean that something else is wrong. */
const BATCHES_MAX = 30;

type LineFate = 'ADDED' | 'EXISTS';
type BatchFate = 'FRESH' | 'RESUMED' | 'UNUSABLE';

/** M3 does not change the batch any more, because it is updated. */
class WorkedOff extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.text);
  }
}

export class M3Journals {
  /** Found out once: then no batch can prove anything, and there is no use in asking each. */
  private takesNumbersTwice = false;

  constructor(
    private readonly client: M3Client,
    private readonly discovery: M3Discovery,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async submit(document: LedgerDocument, deadline: number): Promise<SubmittedDocument> {
    for (let attempt = 0; attempt <= BATCHES_MAX; attempt += 1) {
      const batch = await this.prepared(document, batchKey(document.reference, attempt));
      // No voucher is proven before anything is written, and again for every further key.
      const there = await this.posted(document, batch);
      if (there !== null) return there;
      try {
        const fate = await this.fill(batch, deadline);
        if (fate !== 'UNUSABLE') {
          const done = await this.update(document, batch, fate, deadline);
          if (done !== null) return done;
        }
        await this.spoil(batch, deadline);
      } catch (error) {
        if (error instanceof WorkedOff) return this.workedOff(document, batch, error.refusal);
        throw error;
      }
    }
    throw new OutcomeUnknownError(
      `${TITLE} holds more than ${BATCHES_MAX} unfinished batches for ${document.reference}. Delete them in GLS840 and look for the voucher before it is replayed.`,
      { code: 'TOO_MANY_BATCHES', detail: { reference: document.reference } },
    );
  }

  // ── before ─────────────────────────────────────────────────────────────────────────────────

  private async prepared(document: LedgerDocument, key: string): Promise<MappedJournal> {
    const mapped = journalBatch(document, key, this.client.settings);
    const transaction = this.lineTransaction;
    const head = await beforeWrite(() => this.discovery.fieldsOf('GLS840MI', 'AddBatchHead'));
    const line = await beforeWrite(() => this.discovery.fieldsOf('GLS840MI', transaction));
    // Whatever a line says must get there; only what is empty anyway may be left off.
    const fittedLine = (values: Fields) =>
      fitted(
        `GLS840MI.${transaction}`,
        line,
        values,
        Object.keys(values).filter((name) => name !== 'CONO'),
      );
    return {
      ...mapped,
      head: fitted('GLS840MI.AddBatchHead', head, mapped.head, ['KEY1', 'INTN']),
      lines: mapped.lines.map(fittedLine),
      spoiler: fittedLine(mapped.spoiler),
    };
  }

  private get lineTransaction(): 'AddBatchLineFld' | 'AddBatchLine' {
    return this.client.settings.gl.usage === 'field' ? 'AddBatchLineFld' : 'AddBatchLine';
  }

  private async posted(document: LedgerDocument, batch: MappedJournal): Promise<SubmittedDocument | null> {
    const found = await beforeWrite(() => findVouchers(this.client, [document]));
    return found.length === 0 ? null : confirmed(document, batch, found);
  }

  // ── the batch ──────────────────────────────────────────────────────────────────────────────

  private async fill(batch: MappedJournal, deadline: number): Promise<BatchFate> {
    const isNew = await this.addHead(batch, deadline);
    const [first, second, ...rest] = batch.lines;
    if (first === undefined || second === undefined) {
      throw new UpstreamUnavailableError('A journal of fewer than two lines was not sent.');
    }
    if (isNew) {
      for (const line of batch.lines) await this.addNew(line, deadline);
      return 'FRESH';
    }
    if (this.takesNumbersTwice) return 'UNUSABLE';
    const secondFate = await this.addLine(second, deadline);
    if (secondFate === 'ADDED') {
      // Proves that this M3 refuses a line number that is taken, on which all of this rests. The same line again and no
      // other: an update may be waiting for this batch, and two lines could cancel each other out.
      this.takesNumbersTwice = (await this.addLine(second, deadline)) === 'ADDED';
      if (this.takesNumbersTwice) return 'UNUSABLE';
    }
    const firstFate = await this.addLine(first, deadline);
    if (firstFate === 'ADDED' && secondFate === 'EXISTS') return 'UNUSABLE';
    let isAllThere = firstFate === 'EXISTS' && secondFate === 'EXISTS';
    for (const line of rest) {
      if ((await this.addLine(line, deadline)) === 'ADDED') isAllThere = false;
    }
    return isAllThere ? 'UNUSABLE' : 'RESUMED';
  }

  /** Adds a line too many, under a number that nothing else uses and of an amount that nothing else makes up for. */
  private async spoil(batch: MappedJournal, deadline: number): Promise<void> {
    await this.addLine(batch.spoiler, deadline);
  }

  /** @returns false = there is a batch of that key already. */
  private async addHead(batch: MappedJournal, deadline: number): Promise<boolean> {
    const answer = await this.client.write('GLS840MI', 'AddBatchHead', batch.head, deadline);
    if ('records' in answer) return true;
    if (isDuplicate(answer.refusal, this.patterns)) return false;
    throw this.refused('AddBatchHead', answer.refusal);
  }

  private async addNew(line: Fields, deadline: number): Promise<void> {
    const answer = await this.client.write('GLS840MI', this.lineTransaction, line, deadline);
    if ('refusal' in answer) throw this.refused(this.lineTransaction, answer.refusal);
  }

  private async addLine(line: Fields, deadline: number): Promise<LineFate> {
    const answer = await this.client.write('GLS840MI', this.lineTransaction, line, deadline);
    if ('records' in answer) return 'ADDED';
    if (fits(answer.refusal, this.patterns.workedOff)) throw new WorkedOff(answer.refusal);
    if (isDuplicate(answer.refusal, this.patterns)) return 'EXISTS';
    throw this.refused(this.lineTransaction, answer.refusal);
  }

  // ── control and update ─────────────────────────────────────────────────────────────────────

  /** @returns null = the batch turned out to hold more than this document. */
  private async update(
    document: LedgerDocument,
    batch: MappedJournal,
    fate: BatchFate,
    deadline: number,
  ): Promise<SubmittedDocument | null> {
    for (const transaction of ['CtrlBatch', 'UpdBatch']) {
      const { CONO, KEY1, DIVI } = batch.head;
      const answer = await this.client.write('GLS840MI', transaction, { CONO, KEY1, DIVI }, deadline);
      if ('records' in answer) continue;
      if (fits(answer.refusal, this.patterns.workedOff)) throw new WorkedOff(answer.refusal);
      // The document itself balances, so that lines of another content are in there.
      if (fate === 'RESUMED' && fits(answer.refusal, this.patterns.unbalanced)) return null;
      throw this.refused(transaction, answer.refusal);
    }
    return watched(this.client, `the batch ${batch.head.KEY1}`, deadline, this.signal, async () => {
      const found = await findVouchers(this.client, [document]);
      return found.length === 0 ? null : confirmed(document, batch, found);
    });
  }

  /** M3 says that an earlier attempt has got further than we knew: then its voucher decides, and nothing else. */
  private async workedOff(
    document: LedgerDocument,
    batch: MappedJournal,
    refusal: Refusal,
  ): Promise<SubmittedDocument> {
    const unknown = new OutcomeUnknownError(
      `${TITLE} says that the batch of ${document.reference} is already worked off: ${quoted(refusal)}. Its voucher decides.`,
      { code: 'ALREADY_THERE', detail: { reference: document.reference, ...refusal } },
    );
    try {
      const found = await findVouchers(this.client, [document]);
      if (found.length > 0) return confirmed(document, batch, found);
    } catch (error) {
      if (!(error instanceof LedgergateError)) throw error;
    }
    throw unknown;
  }

  private refused(transaction: string, refusal: Refusal): LedgergateError {
    return writeRefused(`GLS840MI.${transaction}`, refusal, this.patterns);
  }

  private get patterns() {
    return this.client.settings.errorPatterns;
  }
}

/** @throws OutcomeUnknownError what the ledger holds under the reference is not this document as it was sent. */
function confirmed(document: LedgerDocument, batch: MappedJournal, found: readonly FoundDocument[]): SubmittedDocument {
  const [first, ...others] = found;
  const total = decimalOfMinor(batch.totalMinor, document.currency);
  const isSame =
    first !== undefined &&
    others.length === 0 &&
    first.totalDebit === total &&
    first.totalCredit === total &&
    (first.currency === null || first.currency === document.currency);
  if (first !== undefined && isSame) return { ledgerDocumentId: first.ledgerDocumentId, warnings: batch.warnings };
  throw new OutcomeUnknownError(
    `${TITLE} holds ${found.map((one) => one.ledgerDocumentId).join(', ')} under ${document.reference}, which is not the document as it was sent. Look at it in GLS200.`,
    { code: 'CREATED_NOT_CONFIRMED', detail: { reference: document.reference, total } },
  );
}
