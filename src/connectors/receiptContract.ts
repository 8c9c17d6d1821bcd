import type { SpendStream } from '../domain/vocabulary.js';
import type { DocumentQuery } from './contract.js';

/** The part of the contract that is about receipts: where a source's are fetched, and how a ledger takes them. */

/** Where one receipt can be fetched for a short while, by anybody who has the link. */
export interface ReceiptLink {
  /** `ReceiptRef.key`; of a receipt of several files, the second and further ones carry `#2`, `#3` … behind it. */
  readonly key: string;
  readonly fileName: string | null;
  /** A secret: never stored, logged or shown. */
  readonly url: string;
}

export interface ReadsReceipts {
  /**
   * Asks the source for fresh links to the receipts that one object shows now. Receipts that are gone are not in it.
   * @throws like a read.
   */
  links(stream: SpendStream, externalId: string): Promise<readonly ReceiptLink[]>;
}

/** A file for a document that the ledger has posted. */
export interface Attachment {
  /** The same for the same content, so that a repeated attachment meets the first one. */
  readonly fileName: string;
  readonly contentType: string;
  readonly content: Buffer;
}

/** For ledgers whose vendor establishes a way to attach files. */
export interface AttachesReceipts {
  /** Whether the document has a file of that name. Safe to repeat; asked before each `attach`. */
  has(ledgerDocumentId: string, query: DocumentQuery, fileName: string): Promise<boolean>;
  /**
   * Same failures as `submit`. Never touches the document itself.
   * @throws ErpRejectedError the ledger will not take the file, however often it is asked.
   */
  attach(ledgerDocumentId: string, query: DocumentQuery, attachment: Attachment): Promise<void>;
}
