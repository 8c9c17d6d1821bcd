import { z } from 'zod';

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

const minor = z
  .string()
  .regex(/^-?\d+$/)
  .catch('0');
const previewLine = z.object({
  lineNumber: z.number().int(),
  glAccount: z.string(),
  costCentre: text,
  dimensions: names,
  taxCode: text,
  debitMinor: minor,
  creditMinor: minor,
  memo: text,
  spendRecordIds: z.array(z.string()).catch([]),
  explanation: z.string().catch(''),
});

/** A `PlannedDocument` of `domain/plan.ts` as JSON: amounts in minor units as text. */
const previewDocument = z.object({
  reference: z.string(),
  documentType: z.enum(['JOURNAL', 'SUPPLIER_INVOICE']),
  postingDate: z.string(),
  currency: z.string(),
  supplierCode: text,
  lines: z.array(previewLine),
  totalMinor: minor,
  holds: z.array(hold).catch([]),
  mappingVersion: z
    .number()
    .int()
    .nullish()
    .transform((value) => value ?? null),
  planHash: z.string(),
  spend: z.array(z.object({ id: z.string() })).catch([]),
});
export type StoredPreviewDocument = z.infer<typeof previewDocument>;

export function previewIn(json: unknown): StoredPreviewDocument[] | null {
  return z
    .array(previewDocument)
    .nullable()
    .catch(null)
    .parse(json ?? null);
}
