import { z } from 'zod';
import { JsonNumber } from './json.js';

/**
 * The fields of Brex's answers that we read, and no others. Brex adds fields and enum constants without notice
 * (versioning guide), so objects are open and every enum is read as text; tables in the mappers decide what they know.
 * Nearly everything is nullable on purpose: the published schemas mark few fields as required, and real answers are
 * null where the schema says they cannot be (an uncoded `brex_field_value_id`).
 */

const text = z.string().nullish();
const number = z.instanceof(JsonNumber);

/** v1 and v2: integer in the currency's smallest unit; a missing currency means USD. */
export const minorMoneySchema = z.object({ amount: number, currency: text });
export type MinorMoney = z.output<typeof minorMoneySchema>;

/** v3: decimal in major units. Same shape as `minorMoneySchema`, a hundred times the value: never mix them. */
export const decimalMoneySchema = z.object({ amount: number, currency: z.string() });
export type DecimalMoney = z.output<typeof decimalMoneySchema>;

/** A page of anything. Items stay unread here, so that one bad item does not spoil its page. */
export const pageSchema = z.object({
  items: z.array(z.unknown()),
  next_cursor: text,
  /** Accounting only. */
  has_next_page: z.boolean().nullish(),
});
export type WirePage = z.output<typeof pageSchema>;

const merchantSchema = z.object({ raw_descriptor: text, mcc: text, country: text }).nullish();

export const cardTransactionSchema = z.object({
  id: z.string().min(1),
  description: text,
  amount: minorMoneySchema,
  initiated_at_date: z.string(),
  posted_at_date: z.string(),
  type: text,
  merchant: merchantSchema,
  expense_id: text,
});
export type CardTransaction = z.output<typeof cardTransactionSchema>;

export const cashTransactionSchema = z.object({
  id: z.string().min(1),
  description: text,
  amount: minorMoneySchema.nullish(),
  initiated_at_date: z.string(),
  posted_at_date: z.string(),
  type: text,
  transfer_id: text,
});
export type CashTransaction = z.output<typeof cashTransactionSchema>;

/** Account and routing numbers are sensitive and deliberately not read. */
export const cashAccountSchema = z.object({ id: z.string().min(1), name: text, primary: z.boolean().nullish() });

const namedSchema = z.object({ id: text, name: text }).nullish();

export const customFieldSchema = z.object({
  key: z.string(),
  value: z.object({ value_type: text, data_type: text, data: z.unknown() }).nullish(),
});
export type CustomField = z.output<typeof customFieldSchema>;

const expenseFields = {
  id: z.string().min(1),
  updated_at: z.string().min(1),
  dashboard_url: text,
  expense_type: text,
  status: text,
  payment_status: text,
  category: text,
  memo: text,
  original_amount: minorMoneySchema.nullish(),
  billing_amount: minorMoneySchema.nullish(),
  purchased_amount: minorMoneySchema.nullish(),
  purchased_at: text,
  submitted_at: text,
  payment_posted_at: text,
  merchant: merchantSchema,
  user: z.object({ first_name: text, last_name: text }).nullish(),
  location: namedSchema,
  department: namedSchema,
  budget: namedSchema,
  custom_fields: z.array(customFieldSchema).nullish(),
};

/** A part of an expense is an expense itself; parts of parts do not exist. */
export const expensePartSchema = z.object({ ...expenseFields, updated_at: text });
export type ExpensePart = z.output<typeof expensePartSchema>;

export const expenseSchema = z.object({
  ...expenseFields,
  expense_line_items: z.array(expensePartSchema).nullish(),
});
export type Expense = z.output<typeof expenseSchema>;

/** `field_name` and `field_value_name` are not in the published schema but in real answers. */
const fieldValueSchema = z.object({
  brex_field_id: text,
  remote_field_id: text,
  field_name: text,
  brex_field_value_id: text,
  remote_field_value_id: text,
  field_value_name: text,
});
export type AccountingFieldValue = z.output<typeof fieldValueSchema>;

const recordLineSchema = z.object({
  id: text,
  type: z.string(),
  amount: decimalMoneySchema,
  memo: text,
  accounting_field_values: z.array(fieldValueSchema).nullish(),
});
export type RecordLine = z.output<typeof recordLineSchema>;

export const accountingRecordSchema = z.object({
  id: z.string().min(1),
  type: z.string(),
  review_status: z.string(),
  source_type: text,
  source_id: text,
  amount: decimalMoneySchema,
  original_amount: decimalMoneySchema.nullish(),
  erp_posting_date: text,
  posted_at: text,
  updated_at: z.string().min(1),
  version: number.nullish(),
  invoice_number: text,
  memo: text,
  user: z.object({ first_name: text, last_name: text, department_name: text, location_name: text }).nullish(),
  vendor: z.object({ id: text, name: text }).nullish(),
  line_items: z.array(recordLineSchema).nullish(),
});
export type AccountingRecord = z.output<typeof accountingRecordSchema>;

/** Brex's schema says `integration_id`, its own examples say `id`. */
export const integrationSchema = z
  .object({ integration_id: text, id: text, vendor: text, vendor_account_id: text, status: text })
  .refine((integration) => Boolean(integration.integration_id ?? integration.id), 'no integration id');

export const exportResultsSchema = z.object({ updated_accounting_record_ids: z.array(z.string()).nullish() });

export const companySchema = z.object({ id: z.string().min(1), legal_name: text });
export const userSchema = z.object({ id: z.string().min(1) });

/** Payment accounts hold bank details and are deliberately not read. */
export const vendorSchema = z.object({ id: z.string().min(1), company_name: text });

export const transferSchema = z.object({
  id: z.string().min(1),
  status: z.string(),
  payment_type: text,
  amount: minorMoneySchema,
  process_date: text,
  estimated_delivery_date: text,
  created_at: text,
  cancellation_reason: text,
});

export const webhookSubscriptionSchema = z.object({
  id: z.string().min(1),
  url: z.string(),
  event_types: z.array(z.string()),
  status: text,
  group_id: text,
});

export const webhookSecretsSchema = z.array(z.object({ secret: z.string().min(1), status: text }));

export const fieldSchema = z.object({
  brex_id: z.string().min(1),
  name: text,
  remote_id: text,
  is_disabled: z.boolean().nullish(),
  group: text,
});

export const fieldValueListSchema = z.object({
  brex_id: z.string().min(1),
  value: z.string(),
  value_id: text,
  remote_id: text,
  is_disabled: z.boolean().nullish(),
});

/** RFC 6749 §5.1. `expires_in` is missing from Brex's own sample. */
export const tokenReplySchema = z.object({
  access_token: z.string().min(1),
  refresh_token: text,
  expires_in: z.union([number, z.string()]).nullish(),
});

/** Both error families in one: v1/v2 `{type, message, code}`, v3 `{error_code, message, details}`. */
export const errorSchema = z.object({
  type: text,
  code: text,
  error_code: text,
  error: text,
  message: text,
  details: z.record(z.string(), z.unknown()).nullish(),
});
export type WireError = z.output<typeof errorSchema>;
