import { z } from 'zod';

/** Only the remote fields that are used. M3 sends every value as text, padded with blanks under v1. */

// ── tokens ───────────────────────────────────────────────────────────────────────────────────

export const tokenReply = z.object({
  access_token: z.string().min(1).max(20_000),
  expires_in: z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).optional(),
  refresh_token: z.string().min(1).nullish(),
});

/** An OAuth error (RFC 6749 §5.2); the description is not read, because it could quote what was sent. */
export const tokenError = z.object({ error: z.string().max(100) });

/** What is kept in the shared session: the tokens, their end, and which credential they were made from. */
export const storedTokens = z.object({
  accessToken: z.string().min(1),
  refreshToken: z.string().nullable(),
  /** Milliseconds since 1970; null = the reply did not say. */
  renewAt: z.number().nullable(),
  madeFrom: z.string(),
});
export type StoredTokens = z.output<typeof storedTokens>;

// ── MI replies ───────────────────────────────────────────────────────────────────────────────

const value = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]).nullish();
const record = z.record(z.string(), value);

const errorFields = {
  errorMessage: z.string().nullish(),
  errorCode: z.string().nullish(),
  errorField: z.string().nullish(),
  errorType: z.string().nullish(),
};

const v2Result = z.object({
  transaction: z.string().nullish(),
  records: z.array(record).nullish(),
  notProcessed: z.boolean().nullish(),
  ...errorFields,
});

/** The root carries the error itself under HTTP 400, and results under 200. The two l's are M3's own. */
export const v2Reply = z.object({
  results: z.array(v2Result).nullish(),
  wasTerminated: z.boolean().nullish(),
  terminationReason: z.string().nullish(),
  terminationErrorType: z.string().nullish(),
  nrOfSuccessfullTransactions: z.number().nullish(),
  nrOfFailedTransactions: z.number().nullish(),
  nrOfNotProcessedTransactions: z.number().nullish(),
  ...errorFields,
});
export type V2Reply = z.output<typeof v2Reply>;

export const v1Reply = z.object({
  Program: z.string(),
  Transaction: z.string(),
  MIRecord: z.array(z.object({ NameValue: z.array(z.object({ Name: z.string(), Value: value })) })).nullish(),
});

export const v1Error = z.object({
  '@type': z.string(),
  '@code': z.string().nullish(),
  '@field': z.string().nullish(),
  Message: z.string().nullish(),
});

export const v1Wrapped = z.object({ ErrorMessage: v1Error });

/** One record: fields by their names, values trimmed, empty ones as ''. */
export type MiRecord = Readonly<Record<string, string>>;

// ── records ──────────────────────────────────────────────────────────────────────────────────

const text = z.string().default('');
const needed = z.string().min(1);

export const accountRow = z.object({
  AITM: needed,
  TX40: text,
  TX15: text,
  LCCD: text,
  AT13: text,
  AT03: text,
  AT11: text,
  VFDT: text,
  VTDT: text,
  ACR2: text,
  ACR3: text,
  ACR4: text,
  ACR5: text,
  ACR6: text,
  ACR7: text,
});
export type AccountRow = z.output<typeof accountRow>;

export const supplierRow = z.object({ SUNO: needed, SUNM: text, STAT: text, CUCD: text, PRSU: text, SUTY: text });
export type SupplierRow = z.output<typeof supplierRow>;

export const divisionRow = z.object({ LOCD: text });

export const fieldRow = z.object({ FLNM: needed, LENG: text, TYPE: text, MAND: text });

export const userRow = z.object({ ZZUSID: text, ZDCONO: text, ZDDIVI: text, USFN: text });

export const authorityRow = z.object({ ALPG: text });

/** A line or head of the general ledger; which of them a transaction lists is not documented. */
export const voucherRow = z.object({
  YEA4: needed,
  VONO: needed,
  VSER: text,
  JRNO: text,
  ACDT: text,
  VTXT: z.string().optional(),
  CUAM: text,
  ACAM: text,
  CUCD: text,
  DBCR: text,
});
export type VoucherRow = z.output<typeof voucherRow>;

export const batchRow = z.object({ INBN: needed });

export const invoiceHead = z.object({
  INBN: text,
  SUPA: text,
  BIST: text,
  IBHE: text,
  IBLE: text,
  SINO: text,
  SUNO: text,
  SPYN: text,
  CUCD: text,
  CUAM: text,
  VONO: text,
  VSER: text,
  YEA4: text,
  CORI: text,
});
export type InvoiceHead = z.output<typeof invoiceHead>;

export const invoiceLine = z.object({ TRNO: text, RDTP: text, NLAM: text, VTCD: text });
export type InvoiceLine = z.output<typeof invoiceLine>;

export const postedInvoice = z.object({
  ...{ VONO: text, VSER: text, CUCD: text, CUAM: text, YEA4: text },
  ...{ JRNO: text, JSNO: text },
});
export type PostedInvoice = z.output<typeof postedInvoice>;
