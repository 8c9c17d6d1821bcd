import { z } from 'zod';

/**
 * Only the remote fields that are used. Rows come in with lower-case names and trimmed texts (see `recordOf`); numbers
 * may be padded with zeros or blanks, and a flag or date may be empty.
 */

const text = z.string().default('');
const key = z.string().min(1);

/** COMFND GenMaster. `glcode` is the key. */
export const accountRow = z.object({
  glcode: key,
  description: text,
  /** A, L, C, R, E; S statistical; T template. */
  accounttype: text,
  acconhldflag: text,
  controlaccflag: text,
});
export type AccountRow = z.infer<typeof accountRow>;

/** COMFND ApSupplier. */
export const supplierRow = z.object({ supplier: key, suppliername: text, onhold: text, currency: text });
export type SupplierRow = z.infer<typeof supplierRow>;

/** COMFND GenJournalCtl, and the header of GENQZM. The three together are the journal's identity. */
export const journalRow = z.object({
  glyear: key,
  glperiod: key,
  gljournal: key,
  numofentries: text,
  debitamount: text,
  creditamount: text,
  jnlstatus: text,
  reference: text,
});
export type JournalRow = z.infer<typeof journalRow>;

/** A GeneralLedgerJournalDetail of GENQZM. */
export const journalLine = z.object({ glcode: text, entryvalue: key, entrytype: text });

/** COMFND ApInvoice. */
export const invoiceRow = z.object({ supplier: key, invoice: key, originvvalue: key });
export type InvoiceRow = z.infer<typeof invoiceRow>;

/** GetLogonProfile. */
export const logonProfile = z.object({
  companyname: text,
  operatorcode: text,
  localcurrencycode: key,
  sysproversion: text,
});
export type LogonProfile = z.infer<typeof logonProfile>;

/** The Transaction of a GENTJL reply, its Key included. */
export const postedJournal = z.object({
  glyear: key,
  glperiod: key,
  gljournal: key,
  numofentries: text,
  debitamount: text,
  creditamount: text,
  /** P = posted. */
  jnlstatus: text,
});

/** The GlJournal of an APSTIN reply. All empty where SYSPRO makes the GL journal later, in a batch. */
export const invoiceGlJournal = z.object({
  glyear: text,
  glperiod: text,
  gljournal: text,
  gljournalerror: text,
  gljournalmessage: text,
});

/** A row of which only its presence counts. */
export const anyRow = z.record(z.string(), z.string());
