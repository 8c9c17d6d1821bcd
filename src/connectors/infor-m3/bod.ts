import { randomUUID } from 'node:crypto';
import { decimalOfMinor } from '../../domain/money.js';
import { ConfigurationError, ErpRejectedError, OutcomeUnknownError } from '../../errors.js';
import type { LedgerDocument, SubmittedDocument } from '../contract.js';
import { headerOf } from '../http.js';
import { fillTemplate, type TemplateValues } from './bodTemplate.js';
import type { M3Client } from './client.js';
import { dimensionNumbers } from './config.js';
import { TITLE } from './failures.js';
import type { M3InvoiceLookup } from './invoiceLookup.js';
import { correlationId, invoiceOf } from './invoiceMapper.js';
import { turnedDown } from './invoices.js';
import { plainText, signedLines } from './mapper.js';
import { beforeWrite, watched } from './writes.js';

/**
 * Supplier invoices as Process.SupplierInvoice through the ION messaging service. That a message was taken says nothing
 * about the invoice, and messages come in no promised order: M3 is asked by the document id, which becomes the invoice
 * number, until it has the invoice or has turned it down. A message that is sent again meets M3's own rule of one invoice
 * for a payee, supplier, number and year.
 */
export class M3Messages {
  constructor(
    private readonly client: M3Client,
    private readonly lookup: M3InvoiceLookup,
    private readonly signal: AbortSignal | undefined,
    private readonly now: () => Date,
    private readonly tenant: () => Promise<string>,
  ) {}

  async submit(document: LedgerDocument, deadline: number): Promise<SubmittedDocument> {
    const key = await beforeWrite(() => this.lookup.keyOf(document.supplierCode ?? '', document.reference));
    const { template } = this.client.settings.bod;
    if (template === undefined) {
      throw new ConfigurationError(
        'Invoices cannot be sent through ION before the setting bod.template holds the message that M3 is set up to take.',
        { code: 'BOD_TEMPLATE_NOT_SET' },
      );
    }
    // Made for its checks: what is no invoice by the direct way is none by this one.
    const invoice = invoiceOf(document, key.payee, 'accounting-line', this.client.settings);
    const [there] = await beforeWrite(() => this.lookup.findPosted([document]));
    if (there === undefined) {
      await this.stopAtUnfinished(document);
      const values = await this.valuesOf(document, key.payee, invoice.signedMinor);
      await this.send(document, fillTemplate(template, values), deadline);
    }
    const found = there ?? (await this.acknowledged(document, deadline));
    const total = decimalOfMinor(
      invoice.signedMinor < 0n ? -invoice.signedMinor : invoice.signedMinor,
      document.currency,
    );
    if (found.totalDebit === total && found.currency === document.currency) {
      return { ledgerDocumentId: found.ledgerDocumentId, warnings: [] };
    }
    throw new OutcomeUnknownError(
      `${TITLE} holds ${found.ledgerDocumentId}, which is not the invoice as it was sent. Look at it in APS200.`,
      { code: 'CREATED_NOT_CONFIRMED', detail: { reference: document.reference } },
    );
  }

  /** An earlier message that M3 holds as a batch invoice: on its way, or turned down and for a person to clear away. */
  private async stopAtUnfinished(document: LedgerDocument): Promise<void> {
    const key = await beforeWrite(() => this.lookup.keyOf(document.supplierCode ?? '', document.reference));
    const [staged] = await beforeWrite(() => this.lookup.staged(key, document.postingDate));
    if (staged === undefined) return;
    if (this.lookup.isFailed(staged.head)) {
      throw new ErpRejectedError(
        `${TITLE} holds the batch invoice ${staged.batchNumber} of an earlier message, which it has turned down. Put it right and validate it in APS450, or delete it there and replay the posting.`,
        { code: 'UNFINISHED_BATCH_INVOICE', detail: { batchNumber: staged.batchNumber } },
      );
    }
    throw new OutcomeUnknownError(
      `${TITLE} is still at work on the invoice ${document.reference} of an earlier message.`,
      {
        code: 'STILL_AT_WORK',
        detail: { batchNumber: staged.batchNumber },
      },
    );
  }

  private acknowledged(document: LedgerDocument, deadline: number) {
    return watched(this.client, `the message of ${document.reference}`, deadline, this.signal, async () => {
      const [found] = await this.lookup.findPosted([document]);
      if (found !== undefined) return found;
      const key = await this.lookup.keyOf(document.supplierCode ?? '', document.reference);
      const [staged] = await this.lookup.staged(key, document.postingDate);
      if (staged !== undefined && this.lookup.isFailed(staged.head)) throw turnedDown(staged.batchNumber, staged.head);
      return null;
    });
  }

  private async send(document: LedgerDocument, payload: string, deadline: number): Promise<void> {
    const { bod } = this.client.settings;
    const parameters = {
      documentName: 'Process.SupplierInvoice',
      // The same for every attempt, so that whoever is on the way can tell a repetition.
      messageId: correlationId(['message', document.reference, payload]),
      fromLogicalId: bod.senderLogicalId,
      toLogicalId: bod.toLogicalId,
      encoding: 'NONE',
      characterSet: 'UTF-8',
    };
    const boundary = `ledgergate-${randomUUID()}`;
    const part = (name: string, type: string, text: string) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;
    const body = `${part('ParameterRequest', 'application/json; charset=utf-8', JSON.stringify(parameters))}${part(
      'MessagePayload',
      'application/xml; charset=utf-8',
      payload,
    )}--${boundary}--\r\n`;
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}`, accept: 'application/json' };
    const reply = await this.client.post('ION messaging', { path: bod.path, headers, body }, deadline);
    if (reply.status >= 200 && reply.status < 300 && !/html/i.test(headerOf(reply, 'content-type') ?? '')) return;
    const isPlainNo = reply.status === 400 || reply.status === 404 || reply.status === 413 || reply.status === 415;
    if (isPlainNo && /json/i.test(headerOf(reply, 'content-type') ?? '')) {
      throw new ErpRejectedError(
        `The ION messaging service did not take the message (HTTP ${reply.status}). Check bod.path, the connection point for Process.SupplierInvoice and the template.`,
        { code: 'MESSAGE_REFUSED', detail: { status: reply.status } },
      );
    }
    throw new OutcomeUnknownError(
      `The ION messaging service answered with HTTP ${reply.status}. M3 must be asked whether the invoice came through.`,
      { detail: { status: reply.status } },
    );
  }

  private async valuesOf(document: LedgerDocument, payee: string, signedMinor: bigint): Promise<TemplateValues> {
    const { settings } = this.client;
    const { bod, cono, divi } = settings;
    const sign = signedMinor < 0n ? -1n : 1n;
    const names = [...dimensionNumbers(settings).keys()];
    return {
      documentId: document.reference,
      bodId: correlationId(['bod', document.reference]),
      createdAt: this.now().toISOString(),
      tenant: await this.tenant(),
      accountingEntity: bod.accountingEntity ?? (divi === '' ? String(cono) : `${cono}_${divi}`),
      senderLogicalId: bod.senderLogicalId,
      supplier: document.supplierCode ?? '',
      payee,
      date: document.postingDate,
      currency: document.currency,
      total: decimalOfMinor(signedMinor, document.currency),
      description: plainText(document.description),
      lines: signedLines(document)
        .filter(({ line, minor }, index, all) => {
          const hasRoles = all.some((one) => one.line.role !== undefined);
          return hasRoles ? line.role !== 'OFFSET' : index < all.length - 1 && minor * sign > 0n;
        })
        .map(({ line, minor }, index) => ({
          lineNumber: String(index + 1),
          amount: decimalOfMinor(minor, document.currency),
          glAccount: line.glAccount,
          costCentre: line.costCentre ?? '',
          taxCode: line.taxCode === null ? '' : (settings.taxCodeMap[line.taxCode] ?? line.taxCode),
          text: plainText(line.memo ?? document.description),
          ...Object.fromEntries(names.map((name) => [`dimension.${name}`, line.dimensions[name] ?? ''])),
        })),
    };
  }
}
