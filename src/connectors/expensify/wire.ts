import { z } from 'zod';

/** Only the fields we use. What our template prints comes as text; see `template.ts`. */

// ── lines of the exported file ───────────────────────────────────────────────────────────────

/**
 * One value that the template printed: always text, so that no amount and no 19-digit id passes through a float. A
 * template from the settings may print bare numbers; one that a double cannot hold has already lost digits and is refused.
 */
const cell = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .optional()
  .transform((value, context) => {
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      context.addIssue({ code: 'custom', message: 'is too large for a bare number' });
      return z.NEVER;
    }
    return value === undefined || value === null ? '' : String(value).trim();
  });

const count = z.union([z.int().nonnegative(), z.string().regex(/^\d{1,9}$/)]).transform(Number);

export const beginSchema = z.object({ k: z.literal('begin'), reports: count });
export const endSchema = z.object({ k: z.literal('end'), reports: count });

const levels = z.array(z.object({ name: cell, code: cell })).default([]);

export const reportSchema = z.object({
  k: z.literal('report'),
  lines: count,
  reportID: cell,
  oldReportID: cell,
  reportName: cell,
  policyID: cell,
  policyName: cell,
  status: cell,
  currency: cell,
  created: cell,
  submitted: cell,
  approved: cell,
  reimbursed: cell,
  accountEmail: cell,
  submitter: cell,
  employeeCustomField1: cell,
  employeeCustomField2: cell,
  customFields: z.record(z.string(), cell).default({}),
});
export type WireReport = z.output<typeof reportSchema>;

export const expenseSchema = z.object({
  k: z.literal('line'),
  transactionID: cell,
  amount: cell,
  modifiedAmount: cell,
  convertedAmount: cell,
  currency: cell,
  currencyConversionRate: cell,
  merchant: cell,
  modifiedMerchant: cell,
  created: cell,
  modifiedCreated: cell,
  modified: cell,
  category: cell,
  categoryGlCode: cell,
  tag: cell,
  tagGlCode: cell,
  tags: levels,
  comment: cell,
  reimbursable: cell,
  taxAmount: cell,
  modifiedTaxAmount: cell,
  taxName: cell,
  taxRateName: cell,
  mcc: cell,
  modifiedMCC: cell,
  type: cell,
  receiptURL: cell,
});
export type WireExpense = z.output<typeof expenseSchema>;

// ── JSON answers ─────────────────────────────────────────────────────────────────────────────

/** The code comes as a number, a float-looking number or text, in any job. */
export const envelopeSchema = z.object({
  responseCode: z
    .union([z.number(), z.string().regex(/^\s*\d{1,4}(\.0*)?\s*$/)])
    .transform(Number)
    .pipe(z.int()),
  responseMessage: z.string().nullish(),
});

export const fileNameSchema = z.object({ filename: z.string().optional(), fileName: z.string().optional() });

export const policyListSchema = z.object({
  policyList: z.array(
    z.object({
      id: z.string(),
      name: z.string().nullish(),
      role: z.string().nullish(),
      type: z.string().nullish(),
      outputCurrency: z.string().nullish(),
    }),
  ),
});
export type WirePolicy = z.output<typeof policyListSchema>['policyList'][number];

const code = z.union([z.string(), z.number()]).nullish();
const leafTag = z.object({ name: z.string(), glCode: code });
/** A flat tag has a code; a level of a multi-level list has tags of its own. */
const tag = z.object({ name: z.string(), glCode: code, tags: z.array(leafTag).nullish() });

export const policyInfoSchema = z.object({
  policyInfo: z.record(
    z.string(),
    z.object({
      categories: z.array(z.object({ name: z.string(), glCode: code })).nullish(),
      tags: z.array(tag).nullish(),
    }),
  ),
});
export type WirePolicyInfo = z.output<typeof policyInfoSchema>['policyInfo'][string];

/** Live ids are text, the manual shows numbers. */
const reportId = z.union([z.string(), z.int()]).transform(String);
const notDone = z.array(z.object({ reportID: reportId, reason: z.string().nullish() })).nullish();

export const statusOutcomeSchema = z.object({
  reportIDs: z.array(reportId).nullish(),
  skippedReports: notDone,
  failedReports: notDone,
});
