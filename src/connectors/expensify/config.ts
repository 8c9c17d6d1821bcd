import { z } from 'zod';

/**
 * The settings and credentials of an Expensify connection. Whatever Expensify's manual leaves open is a setting here,
 * with the default that loses or invents nothing.
 */

/** Expensify's only endpoint. */
export const ENDPOINT = '/Integration-Server/ExpensifyIntegrations';
export const DEFAULT_BASE_URL = `https://integrations.expensify.com${ENDPOINT}`;

const plainText = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\p{Cc}]+$/u, 'must not hold control characters');

export const credentialsSchema = z.strictObject({
  partnerUserID: plainText.describe('From https://www.expensify.com/tools/integrations/; use a service user.'),
  partnerUserSecret: plainText.describe('Shown once by Expensify when the pair is made.'),
});
export type ExpensifyCredentials = z.output<typeof credentialsSchema>;

/** Names of fields that hold secrets; never logged and never shown. */
export const SECRET_FIELDS = ['partnerUserID', 'partnerUserSecret'] as const;

export const REPORT_STATES = ['OPEN', 'SUBMITTED', 'APPROVED', 'REIMBURSED', 'ARCHIVED'] as const;
export type ReportState = (typeof REPORT_STATES)[number];

/** A name as the template can spell it: Expensify turns everything else in a field's name into an underscore. */
const fieldName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'must be letters, digits and underscores');
const pattern = z.string().min(1).max(500).refine(isRegularExpression, 'is not a regular expression');
const status = z.string().trim().min(1).max(50);

/** Expensify's error texts are only partly known: these are compared without regard to case. */
const patternsSchema = z.strictObject({
  credentials: pattern.default('authentication error|invalid credentials'),
  permission: pattern.default('not authori[sz]ed'),
  notReady: pattern.default('file not found|not ready'),
  alreadyReimbursed: pattern.default('reimbursed').describe('Reason of a skipped report that is reimbursed already.'),
});

const COST_CENTRE_FIELD = /^(employeeCustomField1|employeeCustomField2|customField:[A-Za-z_][A-Za-z0-9_]{0,99})$/;

export const settingsSchema = z
  .strictObject({
    policyIDs: z
      .array(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be a policy id'))
      .max(500)
      .default([])
      .describe(
        'Workspaces (policies) to read; empty = all that the user sees. A trial names its test workspace here.',
      ),
    timeZone: z
      .string()
      .refine(isTimeZone, 'must be an IANA time zone, e.g. Europe/Berlin')
      .default('UTC')
      .describe('The company’s time zone: where a day begins and ends.'),
    timesWithoutZone: z
      .enum(['AS_WRITTEN', 'UTC'])
      .default('AS_WRITTEN')
      .describe('Times without a zone: taken by the day that they name, or moved from UTC to the company’s time zone.'),
    reportStates: z
      .array(z.enum(REPORT_STATES))
      .min(1)
      .default(['APPROVED', 'REIMBURSED'])
      .describe('States that reads by date ask for.'),
    finalStatuses: z
      .array(status)
      .min(1)
      .default(['Approved', 'Reimbursed'])
      .describe('Status texts of reports that may be posted, compared without regard to case.'),
    openStatuses: z
      .array(status)
      .default(['Open', 'Submitted', 'Processing', 'Closed', 'Archived'])
      .describe('Status texts of reports that wait. A text in neither list makes the expenses unreadable.'),
    postedDateFrom: z
      .array(z.enum(['approved', 'reimbursed', 'submitted', 'created']))
      .min(1)
      .default(['approved'])
      .describe('The date of the report that is the posting date: the first of these that is filled in.'),
    overlapDays: z
      .int()
      .min(1)
      .max(90)
      .default(3)
      .describe('How far reads reach back behind their window, in days. Expensify’s bounds are ambiguous by a day.'),
    lookbackDays: z
      .int()
      .min(1)
      .max(3650)
      .default(400)
      .describe('How far back reports are read when nothing was read before, in days.'),
    sliceDays: z.int().min(1).max(90).default(14).describe('Days that one exporter job covers at most.'),
    searchDays: z
      .int()
      .min(0)
      .max(3650)
      .default(370)
      .describe('How far back an expense is looked for when its report is not known, in days; 0 = not at all.'),
    limit: z
      .int()
      .min(1)
      .max(10_000)
      .default(200)
      .describe('Reports in one exporter job; a fuller slice is cut finer.'),
    limitPlacement: z
      .enum(['inputSettings', 'filters', 'job'])
      .default('inputSettings')
      .describe('Where the limit is sent; the manual says inputSettings.'),
    fileExtension: z.enum(['json', 'txt']).default('json'),
    template: z
      .string()
      .min(1)
      .max(100_000)
      .nullable()
      .default(null)
      .describe('FreeMarker text in place of the built-in one; must print the same lines. null = built in.'),
    pollSeconds: z
      .number()
      .min(0)
      .max(60)
      .default(5)
      .describe('Wait before a file is asked for; grows by half each time.'),
    pollMaxSeconds: z.number().min(0).max(300).default(30),
    deadlineSeconds: z.int().min(5).max(3600).default(600).describe('Longest time a file may take to be ready.'),
    timeoutSeconds: z.int().min(1).max(300).default(60).describe('Longest time of one call.'),
    glAccountFrom: z
      .enum(['CATEGORY', 'LINE', 'POLICY', 'TAG', 'NONE'])
      .default('CATEGORY')
      .describe(
        'GL account: the category’s code on the report line, else in the policy (CATEGORY), one of them only (LINE, POLICY), the first tag’s code (TAG), or left to mapping rules (NONE).',
      ),
    tagLevels: z.int().min(1).max(10).default(5).describe('Tag levels that the template prints.'),
    tagNames: z
      .array(z.string().trim().min(1).max(100))
      .max(10)
      .default([])
      .describe('Dimension names of the tag levels, first level first; a level without a name is "Tag 1", "Tag 2" ….'),
    tagCodes: z
      .enum(['GL_CODE_ELSE_NAME', 'GL_CODE', 'NAME'])
      .default('GL_CODE_ELSE_NAME')
      .describe('What a tag gives as cost centre or dimension value.'),
    costCentreTag: z
      .union([z.int().min(1).max(10), z.string().trim().min(1).max(100)], {
        error: 'must be the name of a tag, or its level from 1 to 10',
      })
      .nullable()
      .default(null)
      .describe(
        'The tag that is the cost centre: its name in tagNames or in the policy, or its level, 1 first. A policy with a single list of tags has one tag, whatever its name. null = none.',
      ),
    costCentreField: z
      .string()
      .regex(COST_CENTRE_FIELD, 'must be employeeCustomField1, employeeCustomField2 or customField:Name')
      .nullable()
      .default(null)
      .describe('Where the cost centre is no tag: employeeCustomField1, employeeCustomField2 or customField:Name.'),
    customFields: z
      .array(fieldName)
      .max(20)
      .default([])
      .describe('Report fields (with underscores) that become dimensions of the same name.'),
    employeeFieldNames: z
      .strictObject({ first: z.string().min(1).optional(), second: z.string().min(1).optional() })
      .prefault({})
      .describe('Dimension names of employeeCustomField1 and 2; without a name they are left out.'),
    signPolicy: z
      .enum(['NEGATIVE_IS_REFUND', 'NEGATIVE_IS_SPEND', 'REFUSE_NEGATIVE'])
      .default('NEGATIVE_IS_REFUND')
      .describe('What a negative amount means. Expensify does not document it.'),
    minorDigits: z
      .record(z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'), z.int().min(0).max(4))
      .default({})
      .describe(
        'Decimals that Expensify’s whole numbers have, by currency, e.g. {"JPY": 2}. Two for currencies with cents; others are unreadable until they are here.',
      ),
    nonReimbursable: z
      .enum(['PURCHASE', 'REIMBURSEMENT', 'NOT_SPEND'])
      .default('PURCHASE')
      .describe('What a company-card expense is. NOT_SPEND where card spend comes from another system.'),
    reimbursableIfUnstated: z
      .boolean()
      .nullable()
      .default(null)
      .describe('For expenses that do not say; null = they are unreadable.'),
    foreignTax: z
      .enum(['NONE', 'REPORT_CURRENCY', 'EXPENSE_CURRENCY'])
      .default('NONE')
      .describe('Currency of the tax of a foreign purchase; NONE = its tax is not used.'),
    receiptLinks: z.boolean().default(true).describe('Keep links to receipts (those without a query string only).'),
    fetchReceipts: z
      .boolean()
      .default(false)
      .describe('Fetch receipts by these links. Whether they open without a login is not documented.'),
    policyCacheMinutes: z.int().min(1).max(1440).default(60),
    markAsExported: z
      .boolean()
      .default(false)
      .describe('Label reports whose expenses are all in the ledger. A label can never be taken off.'),
    exportLabel: z.string().trim().min(1).max(100).default('Ledgergate').describe('The label of markAsExported.'),
    skipMarked: z
      .boolean()
      .default(false)
      .describe('Leave marked reports out of reads. A marked report that is edited and approved again is then missed.'),
    setReimbursed: z.boolean().default(false).describe('Set reports to REIMBURSED before they are marked.'),
    paymentSource: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .optional()
      .describe('Text that Expensify shows as origin of payment.'),
    exportBatch: z.int().min(1).max(200).default(50).describe('Reports marked in one job.'),
    markSettleSeconds: z.int().min(0).max(600).default(60).describe('How long a label may take to be seen.'),
    patterns: patternsSchema.prefault({}).describe('Regular expressions for Expensify’s texts.'),
  })
  .refine((settings) => !settings.setReimbursed || settings.markAsExported, {
    path: ['setReimbursed'],
    message: 'needs markAsExported: the label tells which reports are done',
  })
  .refine((settings) => !settings.skipMarked || settings.markAsExported, {
    path: ['skipMarked'],
    message: 'needs markAsExported',
  })
  .refine(({ costCentreTag, tagLevels }) => typeof costCentreTag !== 'number' || costCentreTag <= tagLevels, {
    path: ['costCentreTag'],
    message: 'is a tag level beyond tagLevels',
  })
  .refine(({ costCentreTag, costCentreField }) => costCentreTag === null || costCentreField === null, {
    path: ['costCentreField'],
    message: 'cannot be set beside costCentreTag: a cost centre has one origin',
  });

export type ExpensifySettings = z.output<typeof settingsSchema>;

/** Report fields that the template must print. */
export function customFieldsOf(settings: Pick<ExpensifySettings, 'customFields' | 'costCentreField'>): string[] {
  const named = /^customField:(.+)$/.exec(settings.costCentreField ?? '')?.[1];
  return [...new Set([...settings.customFields, ...(named ? [named] : [])])];
}

/** Neither a session nor an end: whether a new pair ends the old one at once is not established. */
export function describeCredential(): { kind: string; expiresAt: null; renewBy: null } {
  return { kind: 'partnerKey', expiresAt: null, renewBy: null };
}

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text, 'i');
    return true;
  } catch {
    return false;
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-CA', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
