import { z } from 'zod';
import { JsonNumber } from './json.js';

/**
 * Only the remote columns that are used. Rows keep all their columns beside (they are sent back whole); these schemas
 * read from them. Numbers come as `JsonNumber`, and in API v1 perhaps as text.
 */

const number = z.union([z.instanceof(JsonNumber).transform(({ text }) => text), z.string().trim().min(1)]);
/** An amount; absent and null count as zero. */
const amount = number.nullish().transform((value) => value ?? '0');
const text = z
  .string()
  .nullish()
  .transform((value) => value?.trim() ?? '');
const key = z.string().trim().min(1);
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
/** The business date: the first ten characters, never converted between time zones. */
const day = text.transform((value) => value.slice(0, 10));

export const tokenReply = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  expires_in: number.nullish(),
});

/** GLBooks. */
export const bookRow = z.object({
  BookID: key,
  COACode: text,
  CurrencyCode: text,
  FiscalCalendarID: text,
  Inactive: flag,
});
export type BookRow = z.output<typeof bookRow>;

/** GLAccounts. The column `GLAccount` is called `GLAccount1` here, because its entity type has the same name. */
export const accountRow = z
  .object({ GLAccount1: text, GLAccount: text, AccountDesc: text, Active: flag, EffFrom: day, EffTo: day })
  .transform(({ GLAccount1, GLAccount, ...rest }) => ({ ...rest, code: GLAccount1 || GLAccount }))
  .refine(({ code }) => code !== '', { path: ['GLAccount1'] });
export type AccountRow = z.output<typeof accountRow>;

/** COASegValues. */
export const segmentValueRow = z.object({ SegmentNbr: number, SegmentCode: key, SegmentName: text, ActiveFlag: flag });

/** Vendors. */
export const vendorRow = z.object({
  VendorNum: number,
  VendorID: key,
  Name: text,
  Inactive: flag,
  CurrencyCode: text,
});
export type VendorRow = z.output<typeof vendorRow>;

/** GLBookPerSearches and FiscalPerSearches. */
export const periodRow = z.object({
  FiscalYear: number,
  FiscalYearSuffix: text,
  FiscalPeriod: number,
  StartDate: day,
  EndDate: day,
  ClosedPeriod: flag,
  CloseFiscalPeriod: amount,
});
export type PeriodRow = z.output<typeof periodRow>;

/** APInvHed in APInvoices and APInvSearches: as much as both show. */
export const invoiceKeyRow = z.object({ VendorNum: number, InvoiceNum: key, GroupID: text, Posted: flag });

/** APInvHed in tablesets. */
export const invoiceRow = z.object({
  VendorNum: number,
  InvoiceNum: key,
  GroupID: text,
  Posted: flag,
  DebitMemo: flag,
  InvoiceDate: day,
  ApplyDate: day,
  CurrencyCode: text,
  DocInvoiceAmt: amount,
  DocInvoiceVendorAmt: amount,
  DocInvoiceVariance: amount,
  IsLcked: flag,
});
export type InvoiceRow = z.output<typeof invoiceRow>;

/** APInvDtl. */
export const invoiceLineRow = z.object({ InvoiceLine: number, DocExtCost: amount, Description: text });

/** APInvExp. */
export const expenseRow = z.object({ InvoiceLine: number, InvExpSeq: number, DocExpAmt: amount });

/** APInvExpTGLC. */
export const codingRow = z.object({
  InvoiceLine: number,
  InvExpSeq: number,
  BookID: text,
  COACode: text,
  GLAccount: text,
  /** A = account data, R = reference. */
  RecordType: text,
});

/** APInvGrp and GLJrnGrp. */
export const groupRow = z.object({
  GroupID: key,
  CreatedBy: text,
  ActiveUserID: text,
  PostErrorLog: text,
  PostInProcess: flag,
  ApplyDate: day,
  JEDate: day,
  IsLcked: flag,
});
export type GroupRow = z.output<typeof groupRow>;

/** GLJrnHed. */
export const journalRow = z.object({
  BookID: key,
  FiscalYear: number,
  FiscalYearSuffix: text,
  FiscalCalendarID: text,
  JournalCode: key,
  JournalNum: number,
  GroupID: text,
  Description: text,
  JEDate: day,
  CurrencyCode: text,
  TotDebit: amount,
  TotCredit: amount,
});
export type JournalRow = z.output<typeof journalRow>;

/** GLJrnDtlMnl: a line that is not posted. */
export const draftLineRow = z.object({
  JournalNum: number,
  JournalLine: number,
  GLAccount: text,
  /** Signed: + debit, − credit. */
  TransAmt: amount,
  InvalidGLAccount: flag,
  InvalidGLAccountMessage: text,
});
export type DraftLineRow = z.output<typeof draftLineRow>;

/** GLJrnDtls: a posted line. */
export const postedLineRow = z.object({
  BookID: key,
  FiscalYear: number,
  FiscalYearSuffix: text,
  JournalCode: key,
  JournalNum: number,
  JournalLine: number,
  GroupID: text,
  Description: text,
  GLAccount: text,
  DebitAmount: amount,
  CreditAmount: amount,
});
export type PostedLineRow = z.output<typeof postedLineRow>;

/** What UpdateMaster says besides the rows. */
export const updateMasterOut = z.object({
  lUpdateRan: z.boolean(),
  requiresUserInput: flag,
  opMessage: text,
  opMsgChkBankRef: text,
  opChkRevMsg: text,
  opDUAMsg: text,
});
