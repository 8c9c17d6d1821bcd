import { OutcomeUnknownError } from '../../errors.js';
import type { Clearance, LedgerDocument } from '../contract.js';
import type { M3Client } from './client.js';
import type { M3Discovery } from './discovery.js';
import { quoted, TITLE } from './failures.js';
import type { M3InvoiceLookup, StagedInvoice } from './invoiceLookup.js';
import { beforeWrite } from './writes.js';

type Fate = 'WAITING' | 'GIVEN_UP';

/**
 * Takes away what attempts left of a document that nobody sends any more. A batch invoice without a voucher is deleted
 * where the release can (APS450MI.DltInvoice). GLS840MI shows and deletes no batch, so a person is told where one may stand.
 */
export class M3Remains {
  constructor(
    private readonly client: M3Client,
    private readonly discovery: M3Discovery,
    private readonly lookup: M3InvoiceLookup,
  ) {}

  async clear(document: LedgerDocument, fate: Fate, deadline: number): Promise<Clearance> {
    if (document.documentType === 'JOURNAL') {
      const advice = `In GLS840 look for batches whose description begins with ${document.reference}. Delete those that were never updated; they are in no books.`;
      return { kind: 'LEFT', advice };
    }
    // Without its supplier no invoice was ever staged.
    if (document.supplierCode === null || document.supplierCode === '') return { kind: 'NOTHING' };
    const key = await this.lookup.keyOf(document.supplierCode, document.reference);
    const staged = await this.lookup.staged(key, document.postingDate);
    const [first] = staged;
    if (first === undefined) return { kind: 'NOTHING' };
    for (const invoice of staged) {
      // The look-up before this saw no voucher, so it came in between.
      if (this.lookup.isPosted(invoice.head)) throw this.unclear(invoice, 'has just been posted');
    }
    const refused = staged.find(({ head }) => this.lookup.isFailed(head));
    if (refused !== undefined && fate === 'WAITING') {
      return {
        kind: 'LEFT',
        advice: `${TITLE} has turned down its batch invoice ${refused.batchNumber}; why stands in APS450.`,
      };
    }
    const numbers = staged.map(({ batchNumber }) => batchNumber).join(', ');
    if (!(await this.canDelete())) {
      return { kind: 'LEFT', advice: `Delete the unposted batch invoice ${numbers} in APS450.` };
    }
    for (const invoice of staged) await this.remove(invoice, deadline);
    return { kind: 'REMOVED', what: `the batch invoice ${numbers}` };
  }

  private async canDelete(): Promise<boolean> {
    const isAllowed = this.client.settings.invoice.deleteUnfinished;
    return isAllowed && (await beforeWrite(() => this.discovery.has('APS450MI', 'DltInvoice')));
  }

  private async remove(invoice: StagedInvoice, deadline: number): Promise<void> {
    const inputs = { INBN: invoice.batchNumber, DIVI: this.client.settings.divi };
    const answer = await this.client.write('APS450MI', 'DltInvoice', inputs, deadline);
    // It may be on its way into the books: whether it gets there is for the ledger to tell.
    if ('refusal' in answer) throw this.unclear(invoice, `is not deleted: ${quoted(answer.refusal)}`);
    if ((await this.lookup.head(invoice.batchNumber)) !== null) throw this.unclear(invoice, 'is there still');
  }

  private unclear({ batchNumber }: StagedInvoice, what: string): OutcomeUnknownError {
    return new OutcomeUnknownError(
      `The batch invoice ${batchNumber} in ${TITLE} ${what}. Look at it in APS450: delete it there, or see it posted.`,
      { code: 'UNFINISHED_BATCH_INVOICE', detail: { batchNumber } },
    );
  }
}
