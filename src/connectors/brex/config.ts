import { z } from 'zod';

/** The settings and credentials of a Brex connection, as stored and as published (JSON Schema) by the gateway. */

export const DEFAULT_BASE_URL = 'https://api.brex.com';
const DEFAULT_TOKEN_URL = 'https://accounts-api.brex.com/oauth2/default/v1/token';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A header value: what a copied token may not contain is refused here and not by the HTTP client. */
const secretText = z.string().regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces');
const instantText = z.iso.datetime({ offset: true });

const userTokenSchema = z.strictObject({
  kind: z.literal('userToken'),
  token: secretText.describe('User token from the Brex dashboard (Developer → Settings), form bxt_…'),
  inactivityDays: z
    .union([z.literal(90), z.literal(30)])
    .optional()
    .describe('Days without a call after which Brex drops the token. The guide says 90 (default), the FAQ 30.'),
});

const oauth2Schema = z.strictObject({
  kind: z.literal('oauth2'),
  clientId: secretText.describe('Issued by Brex to the partner'),
  clientSecret: secretText,
  refreshToken: secretText.describe('From the consent flow; needs the scope offline_access'),
  accessToken: secretText.optional(),
  expiresAt: instantText.optional().describe('When accessToken ends (RFC 3339)'),
  refreshTokenExpiresAt: instantText
    .optional()
    .describe('When refreshToken ends at the latest (RFC 3339); kept up to date by the gateway'),
});

export const credentialsSchema = z.discriminatedUnion('kind', [userTokenSchema, oauth2Schema]);

export type BrexCredentials = z.output<typeof credentialsSchema>;
export type BrexOAuth2 = Extract<BrexCredentials, { kind: 'oauth2' }>;

/** Names of fields that hold secrets; never logged and never shown. */
export const SECRET_FIELDS = ['token', 'clientSecret', 'refreshToken', 'accessToken', 'webhookSecret'] as const;

export const RECORD_SOURCES = ['CARD', 'REIMBURSEMENT', 'BILL'] as const;
export type RecordSource = (typeof RECORD_SOURCES)[number];

export const WEBHOOK_EVENTS = ['ACCOUNTING_RECORD_READY_FOR_EXPORT', 'EXPENSE_PAYMENT_UPDATED'] as const;

const webhookSecret = z
  .string()
  .regex(/^(whsec_)?[A-Za-z0-9+/]+={0,2}$/, 'must be base64, with or without whsec_ in front');

export const settingsSchema = z.strictObject({
  tokenUrl: z
    .url({ protocol: /^https?$/ })
    .default(DEFAULT_TOKEN_URL)
    .describe('OAuth 2.0 token endpoint; used with oauth2 credentials only'),
  webhookSecret: z
    .union([webhookSecret, z.array(webhookSecret).min(1).max(5)])
    .optional()
    .describe('Secret that webhook deliveries are signed with; a list while Brex rotates it'),
  integrationVendor: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Accounting integration: the vendor id that Brex issued for this ERP. It cannot be made up.'),
  vendorAccountId: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Accounting integration: our id of the ERP company, e.g. the SYSPRO company id'),
  pageSize: z
    .int()
    .min(1)
    .max(1000)
    .default(1000)
    .describe('Objects per page; lowered to what each endpoint takes (expenses 100, accounting records 500)'),
  updatedOverlapMinutes: z
    .int()
    .min(0)
    .max(1440)
    .default(10)
    .describe('How far reads by update time reach back behind their window, in minutes'),
  postedOverlapDays: z
    .int()
    .min(0)
    .max(60)
    .default(7)
    .describe('How far reads by posting date reach back behind their window, in days'),
  accountingLookbackDays: z
    .int()
    .min(1)
    .max(3650)
    .default(400)
    .describe('How far back accounting records are read when nothing was read before, in days'),
  sources: z
    .array(z.enum(RECORD_SOURCES))
    .min(1)
    .max(RECORD_SOURCES.length)
    .default([...RECORD_SOURCES])
    .describe('Which accounting records are read'),
  glAccountField: z
    .string()
    .min(1)
    .default('gl_account')
    .describe('Accounting field that holds the GL account: its remote id, Brex id or name'),
  costCentreField: z
    .string()
    .min(1)
    .default('cost_center')
    .describe('Accounting field that holds the cost centre: its remote id, Brex id or name'),
  keepVendors: z
    .boolean()
    .default(true)
    .describe(
      "Keep Brex's vendors in step with the ledger's suppliers where a pipeline exports master data; needs a Brex business account",
    ),
  fetchReceipts: z
    .boolean()
    .default(true)
    .describe('Fetch receipts and keep them: one more call for each expense or record that has any'),
  taxField: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Custom expense field (its key) with the tax contained in the amount; null = Brex states no tax'),
  reimbursementBasis: z
    .enum(['CASH', 'ACCRUAL'])
    .default('CASH')
    .describe('CASH books a reimbursement when it is paid out, ACCRUAL when it is approved. Exactly one is spend.'),
  requestsPerMinute: z
    .int()
    .min(1)
    .max(1000)
    .default(900)
    .describe('Calls a minute that one process allows itself. Brex takes 1000 for one client and account.'),
  timeoutSeconds: z.int().min(1).max(300).default(30).describe('Longest time of one call, in seconds'),
  exportBatch: z.int().min(1).max(100).default(100).describe('Export results reported in one call'),
  webhookEvents: z
    .array(z.enum(WEBHOOK_EVENTS))
    .min(1)
    .default([...WEBHOOK_EVENTS])
    .describe('Events to subscribe to. EXPENSE_PAYMENT_UPDATED needs a card admin, the other the Accounting API.'),
  refreshTokenDays: z
    .int()
    .min(1)
    .max(3650)
    .default(90)
    .describe('How long a refresh token lives after it was issued, in days'),
});

export type BrexSettings = z.output<typeof settingsSchema>;

/** When a refresh token that was issued at `since` must have been replaced. */
export function refreshTokenEnd(since: Date, days: number): Date {
  return new Date(since.getTime() + days * DAY_MS);
}

/**
 * What the credential itself tells about its end.
 * A user token has no end date, only a limit of inactivity: counted from `now`, the last time it is known to have been
 * used. Sources disagree on whether a refresh token's 90 days start anew with each use, so the earlier end is shown.
 */
export function describeCredential(
  credential: BrexCredentials,
  now: Date,
): { kind: string; expiresAt: Date | null; renewBy: Date | null } {
  if (credential.kind === 'userToken') {
    const days = credential.inactivityDays ?? 90;
    return { kind: credential.kind, expiresAt: null, renewBy: new Date(now.getTime() + days * DAY_MS) };
  }
  const end = credential.refreshTokenExpiresAt;
  return {
    kind: credential.kind,
    expiresAt: credential.expiresAt ? new Date(credential.expiresAt) : null,
    renewBy: end ? new Date(end) : refreshTokenEnd(now, 90),
  };
}

export function secretsIn(settings: BrexSettings): readonly string[] {
  if (settings.webhookSecret === undefined) return [];
  return typeof settings.webhookSecret === 'string' ? [settings.webhookSecret] : settings.webhookSecret;
}
