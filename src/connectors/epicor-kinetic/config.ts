import { z } from 'zod';

/** What an Epicor Kinetic connection is set up with. Unknown keys are refused by name; no credential is ever echoed. */

/** Fields that must never reach a log, an error or a snapshot. The access token is one more; it has no field. */
export const SECRET_FIELDS = ['password', 'clientSecret', 'apiKey'] as const;

/** A header value: what a copied key may not contain is refused here and not by the HTTP client. */
const headerText = z.string().regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces');

const apiKey = headerText.describe('From API Key Maintenance; its access scope must cover every service that is used.');

const basicCredentials = z.strictObject({
  kind: z.literal('basic'),
  username: z
    .string()
    .trim()
    .min(1)
    .max(255)
    .refine((name) => !name.includes(':'), 'must not hold a colon')
    .describe('A user of its own for the gateway, with English as its language.'),
  password: z.string().min(1).max(255).describe('Of that user.'),
  apiKey,
});

const oauth2Credentials = z.strictObject({
  kind: z.literal('oauth2'),
  tokenUrl: z
    .url({ protocol: /^https?$/ })
    .describe('Token endpoint of the identity provider, e.g. https://login.epicor.com/connect/token.'),
  clientId: z.string().min(1).max(255).describe('Client that is allowed client credentials.'),
  clientSecret: z.string().min(1).max(2000).describe('Of that client.'),
  scope: z.string().min(1).max(500).default('epicor_erp').describe('Scope of the token request.'),
  apiKey,
});

export const credentialsSchema = z.discriminatedUnion('kind', [basicCredentials, oauth2Credentials]);
export type KineticCredentials = z.output<typeof credentialsSchema>;
export type KineticOAuth2 = z.output<typeof oauth2Credentials>;

const pattern = z.string().max(500).refine(isRegularExpression, 'is not a regular expression');

/**
 * The vendor's texts follow the user's language and are not published: compared without regard to case. The three 401
 * were seen on a real server (release 2026.1); the others are likely wordings.
 */
const errorPatterns = z.strictObject({
  credentials: pattern.default('invalid username or password').describe('HTTP 401: user or password.'),
  apiKey: pattern.default('invalid api key').describe('HTTP 401: API key, its expiry or its companies.'),
  accessDenied: pattern.default('access denied').describe('HTTP 401: rights or access scope.'),
  period: pattern
    .default(
      '(period|fiscal|apply date).*(closed|not open|not valid|not found|not defined|invalid|earliest)|closed.*period',
    )
    .describe('A refusal of the posting date.'),
  duplicate: pattern.default('duplicate|already exists').describe('The key is taken; never counted as written by us.'),
  conflict: pattern.default('modified by another user').describe('The row was changed since it was read.'),
  notFound: pattern.default('record not found').describe('The record is absent, besides RecordNotFoundException.'),
  licence: pattern.default('maximum users exceeded|license').describe('No licence is free; tried again later.'),
});
export type ErrorPatterns = z.output<typeof errorPatterns>;

const segmentName = z.string().trim().min(1).max(50);
const column = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,99}$/, 'must be a column name');
/** What the gateway sets itself, and what a card feed is no ground for. */
const OWN_VENDOR_COLUMNS = /^(Company|VendorID|VendorNum|Name|RowMod|SysRowID|SysRevID|TaxPayerID)$|bank/i;

export const settingsSchema = z.strictObject({
  company: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,20}$/, 'must be a Company ID')
    .describe('Company ID (not its name); a segment of every URL.'),
  plant: z.string().trim().min(1).max(20).optional().describe('Site, sent as Plant in the header CallSettings.'),
  apiVersion: z.enum(['v2', 'v1']).default('v2').describe('v1 sends the company in CallSettings and OData 3 dates.'),
  bookId: z.string().trim().min(1).max(30).default('MAIN').describe('GL book that journals and invoice coding go to.'),
  coaCode: z.string().trim().min(1).max(30).default('MAIN').describe('Chart of accounts of that book.'),
  journalCode: z.string().trim().min(1).max(30).default('GJ').describe('Journal code of GL journals.'),
  fiscalCalendarId: z.string().trim().min(1).max(30).optional().describe('Default: the calendar of the book.'),
  glSegmentOrder: z
    .array(segmentName)
    .min(1)
    .max(20)
    .refine((names) => names.includes('glAccount') && new Set(names).size === names.length, {
      message: 'needs glAccount, and each name once',
    })
    .default(['glAccount'])
    .describe(
      'The chart’s segments in physical order (SegmentNbr 1, 2 …): glAccount, costCentre, or the name of a dimension. With glAccount alone an account may be written whole (6400|00|20).',
    ),
  segmentDefaults: z
    .record(segmentName, z.string().min(1).max(50))
    .default({})
    .describe('Value of a segment that a line has none for, e.g. {"costCentre": "00"}; without it, empty.'),
  dynamicSegments: z
    .array(segmentName)
    .default([])
    .describe('Segments with Dynamic = true: not part of the accounts in GLAccounts, checked by the ledger itself.'),
  groupIdPrefix: z
    .string()
    .regex(/^[A-Z][A-Z0-9]{0,2}$/, 'must be 1 to 3 of A-Z0-9, a letter first')
    .default('LG')
    .describe('Beginning of the IDs of our groups (8 characters in all).'),
  autoPost: z
    .boolean()
    .default(false)
    .describe('false = documents are entered for accountants to review and post; true = the gateway posts them.'),
  postingMode: z
    .enum(['direct', 'agent'])
    .default('direct')
    .describe('With autoPost, AP groups: direct = RunDirect, agent = SubmitToAgent.'),
  agentId: z.string().trim().max(50).default('SystemTaskAgent').describe('postingMode agent: which task agent.'),
  maintProgram: z.string().trim().max(200).default('').describe('postingMode agent: maintProgram, differs by release.'),
  postingWaitSeconds: z
    .number()
    .int()
    .min(0)
    .max(600)
    .default(30)
    .describe('How long is waited for a posting process that still runs, before the outcome counts as unknown.'),
  invoiceLookup: z
    .enum(['APInvoiceSvc/APInvoices', 'APInvSearchSvc/APInvSearches'])
    .default('APInvoiceSvc/APInvoices')
    .describe('Where invoices are looked for by number; the search service where APInvoices is slow.'),
  journalLookup: z
    .enum(['group', 'description'])
    .default('group')
    .describe('How posted journals are looked for in GLJrnDtls: by our GroupID, or by contains(Description).'),
  readVerb: z
    .enum(['GET', 'POST'])
    .default('GET')
    .describe('Verb of GetByID and its like; where GET is not taken (404, 405) POST is used.'),
  pageSize: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .describe('$top of list reads; the server cuts at its own cap.'),
  validateAccounts: z
    .boolean()
    .default(true)
    .describe('Ask ValidateGLAccount for every account of a document before anything is written.'),
  lineTaxExempt: z
    .string()
    .min(1)
    .max(20)
    .optional()
    .describe('TaxExempt code of invoice lines, so that the server adds no tax of its own.'),
  referenceInDescription: z
    .boolean()
    .default(true)
    .describe('Put the reference in front of line descriptions of invoices too. Journals always carry it.'),
  descriptionLength: z.number().int().min(20).max(1000).default(30).describe('Characters of a header’s Description.'),
  lineDescriptionLength: z.number().int().min(20).max(1000).default(50).describe('Characters of a line’s Description.'),
  vendorIdLength: z.number().int().min(6).max(20).default(8).describe('Characters of the VendorID of new suppliers.'),
  vendorDefaults: z
    .record(
      column.refine((name) => !OWN_VENDOR_COLUMNS.test(name), 'is set by the gateway, or never'),
      z.union([z.string().max(200), z.number().int(), z.boolean()]),
    )
    .default({})
    .describe('Columns of a supplier that the gateway creates, e.g. {"GroupCode": "US", "TermsCode": "N30"}.'),
  currencyCodes: z
    .record(z.string().min(1).max(10), z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'))
    .default({})
    .describe('ISO codes of Epicor’s own currency codes where they differ, e.g. {"DOLL": "USD"}.'),
  periodSource: z
    .enum(['book', 'calendar'])
    .default('book')
    .describe(
      'book = GLBookPerSearches with ClosedPeriod; calendar = FiscalPerSearches, all open, the ledger decides.',
    ),
  licenceType: z
    .enum(['default', 'webService', 'webServiceShared'])
    .default('default')
    .describe('Which licence a call claims; default sends no License header.'),
  extraTokenFields: z
    .record(z.string().min(1).max(50), z.string().max(500))
    .default({})
    .describe('More form fields of the token request, e.g. {"audience": "…"}. Not for secrets.'),
  clientAuthStyle: z
    .enum(['body', 'basic'])
    .default('body')
    .describe('How client id and secret are presented to the token endpoint.'),
  extraMethodParams: z
    .record(z.string().regex(/^[A-Za-z]+Svc\/\w+$/, 'must be Service/Method'), z.record(z.string(), z.unknown()))
    .default({})
    .describe('Parameters that a release wants besides ours, e.g. {"APInvoiceSvc/UpdateMaster": {"runChk": false}}.'),
  businessErrorsUnder500: z
    .boolean()
    .default(false)
    .describe('true = an HTTP 500 with a business ErrorType is a refusal; false = its outcome is unknown.'),
  errorPatterns: errorPatterns.prefault({}).describe('Regular expressions by class of the ledger’s error texts.'),
  maxLines: z.number().int().min(2).max(1000).default(50).describe('Lines of one document; each takes 2 or 3 calls.'),
  memoLength: z.number().int().min(10).max(500).default(50).describe('Characters of a line’s memo.'),
  settlingSeconds: z
    .number()
    .int()
    .min(0)
    .max(3600)
    .default(60)
    .describe('How long after a write was sent it may still appear.'),
  submitTimeoutSeconds: z.number().int().min(5).max(3600).default(300).describe('A whole document, all its calls.'),
  writeTimeoutSeconds: z.number().int().min(1).max(600).default(120).describe('One writing call.'),
  readTimeoutSeconds: z.number().int().min(1).max(600).default(30).describe('One reading call.'),
  parallelism: z.number().int().min(1).max(16).default(4).describe('Calls of one process side by side.'),
});
export type KineticSettings = z.output<typeof settingsSchema>;

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text, 'i');
    return true;
  } catch {
    return false;
  }
}
