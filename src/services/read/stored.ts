import { z } from 'zod';
import { POSTING_STATUSES } from '../../domain/postingState.js';
import { DOCUMENT_TYPES } from '../../domain/vocabulary.js';

/**
 * JSON columns as they are read back. Leaves out what is missing instead of failing: a row that an older version wrote
 * must stay readable.
 */

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? null)
  .catch(null);
const names = z.record(z.string(), z.unknown()).catch({});

/** `{ "minor": "-1250", "currency": "USD" }` */
const storedMoney = z.object({ minor: z.string().regex(/^-?\d+$/), currency: z.string() });
export type StoredMoney = z.infer<typeof storedMoney>;
const money = storedMoney
  .nullish()
  .transform((value) => value ?? null)
  .catch(null);

const part = z.object({
  amount: money,
  tax: money,
  category: text,
  glAccount: text,
  costCentre: text,
  dimensions: names,
  memo: text,
});

const unified = z.object({
  originalAmount: money,
  exchangeRate: text,
  rateOrigin: text,
  tax: money,
  merchantDescriptor: text,
  mcc: text,
  category: text,
  dimensions: names,
  parts: z.array(part).catch([]),
  spender: text,
  memo: text,
  receiptUrls: z.array(z.string()).catch([]),
});

export function unifiedSpend(json: unknown): z.infer<typeof unified> {
  return unified.parse(json ?? {});
}

const hold = z.object({
  code: z.string(),
  message: z.string().catch(''),
  field: text,
  value: text,
  resolution: z.string().catch(''),
});
export type StoredHold = z.infer<typeof hold>;

export function holdsIn(json: unknown): StoredHold[] {
  return z.array(hold).catch([]).parse(json);
}

const candidate = z
  .object({
    supplierCode: z.string().optional(),
    code: z.string().optional(),
    supplierName: z.string().optional(),
    name: z.string().optional(),
    score: z.number(),
    evidence: z.unknown(),
  })
  .transform(({ supplierCode, code, supplierName, name, score, evidence }) => ({
    code: supplierCode ?? code ?? '',
    name: supplierName ?? name ?? supplierCode ?? code ?? '',
    score,
    evidence: evidence ?? null,
  }));
export type StoredCandidate = z.infer<typeof candidate>;

export function candidatesIn(json: unknown): StoredCandidate[] {
  return z.array(candidate).catch([]).parse(json);
}

const previewLine = z.object({
  lineNumber: z.number().int(),
  glAccount: z.string(),
  costCentre: z.string().nullable(),
  dimensions: z.record(z.string(), z.string()),
  taxCode: z.string().nullable(),
  debit: z.string(),
  credit: z.string(),
  memo: z.string().nullable(),
  spendRecordIds: z.array(z.string()),
  explanation: z.string(),
  role: text,
});

/** A `PreviewDocument` of `dryRun.ts`, as it is kept with its run. */
const previewDocument = z.object({
  status: z.enum(POSTING_STATUSES),
  documentType: z.enum(DOCUMENT_TYPES),
  reference: z.string(),
  planHash: z.string(),
  postingDate: z.string(),
  currency: z.string(),
  total: z.string(),
  supplierCode: z.string().nullable(),
  mappingVersion: z.number().int().nullable(),
  holds: z.array(hold),
  reversesId: z.string().nullable(),
  lines: z.array(previewLine),
});
export type StoredPreviewDocument = z.infer<typeof previewDocument>;

/** @throws ZodError it was stored by a program that wrote it in another form: a bug, not an empty preview. */
export function previewIn(json: unknown): StoredPreviewDocument[] | null {
  return z
    .array(previewDocument)
    .nullable()
    .parse(json ?? null);
}
