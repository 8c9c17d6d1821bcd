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

const numeric = z.string().regex(/^-?\d+(\.\d+)?$/);
const previewLine = z.object({
  line_number: z.number().int(),
  gl_account: z.string(),
  cost_centre: text,
  dimensions: names,
  tax_code: text,
  debit: numeric,
  credit: numeric,
  memo: text,
  spend_record_ids: z.array(z.string()).catch([]),
  explanation: z.string().catch(''),
});

/** A posting's columns with its lines, as a dry run keeps them (`dryRun.ts`). */
const previewDocument = z.object({
  id: z.string(),
  pipeline_id: z.string(),
  ledger_id: z.string(),
  status: z.enum(POSTING_STATUSES),
  document_type: z.enum(DOCUMENT_TYPES),
  reference: z.string(),
  plan_hash: z.string(),
  posting_date: z.string(),
  currency: z.string(),
  total: numeric,
  supplier_code: text,
  holds: z.array(hold).catch([]),
  mapping_version: z
    .number()
    .int()
    .nullish()
    .transform((value) => value ?? null),
  created_at: z.iso.datetime({ offset: true }).transform((value) => new Date(value)),
  lines: z.array(previewLine),
});
export type StoredPreviewDocument = z.infer<typeof previewDocument>;

export function previewIn(json: unknown): StoredPreviewDocument[] | null {
  return z
    .array(previewDocument)
    .nullable()
    .catch(null)
    .parse(json ?? null);
}
