import { z } from 'zod';

const segmentSchema = z.strictObject({
  name: z.string().min(1),
  /** What of the neutral company it shows; `fixed` always has `value`. */
  holds: z.enum(['account', 'costCentre', 'fixed']),
  value: z.string().default(''),
  displayOrder: z.int().min(1),
  /** A dynamic segment combines freely: `GLAccounts` has no row for each combination. */
  dynamic: z.boolean().default(false),
});

/**
 * What differs between installations, and what nobody outside knows: all can be changed while the sandbox runs.
 * Defaults are the reading that a careful client must survive anyway.
 */
export const kineticSettingsSchema = z.strictObject({
  /** Seconds that a new access token lives. */
  tokenSeconds: z.int().min(1).default(3600),
  /** The user that a client-credentials token stands for. */
  idpUser: z.string().default('INTEGRATION'),
  /** How the token endpoint takes the client's name: in the body, as Basic, or either. */
  clientAuthStyle: z.enum(['both', 'body', 'basic']).default('both'),
  /** A refresh token is replaced with each use. */
  rotateRefreshTokens: z.boolean().default(true),
  tokenResource: z.boolean().default(true),
  missingApiKeyStatus: z.union([z.literal(401), z.literal(403)]).default(401),
  /** The end of the API key, for a key that expired. */
  apiKeyValid: z.boolean().default(true),
  /** Services (`Erp.BO.VendorSvc`) or methods (`Erp.BO.VendorSvc/Update`) outside of the key's access scope. */
  deniedOperations: z.array(z.string().min(1)).default([]),
  accessDeniedStatus: z.union([z.literal(401), z.literal(403)]).default(401),
  /** No licence is free: every call is refused before it starts. */
  licensesExhausted: z.boolean().default(false),
  licenseErrorStatus: z.union([z.literal(400), z.literal(401), z.literal(500)]).default(500),
  /** An upgrade runs: 503 for every call. */
  conversionsPending: z.boolean().default(false),
  /** The status of refusals by business rules: some releases use 500. */
  businessErrorStatus: z.union([z.literal(400), z.literal(500)]).default(400),

  /** Rows of a list that asks for no `$top`. */
  rowCap: z.int().min(1).default(100),
  /** Rows of a list whatever `$top` asks for; null is no limit. */
  topCap: z.int().min(1).nullable().default(null),
  /** Whether a list that was cut names its next page, and where that points. */
  nextLink: z.enum(['off', 'own', 'foreign']).default('off'),
  /** Whether v2 answers `$count=true`. */
  inlineCount: z.boolean().default(true),
  revisionFilter: z.boolean().default(true),
  queryStringLimit: z.int().min(100).default(2048),
  /** Services whose OData lists end with 500 because they compute too much. */
  odataFailsFor: z.array(z.string().min(1)).default([]),
  dateStyle: z.enum(['plain', 'zulu', 'offset']).default('plain'),
  v1DecimalsAsText: z.boolean().default(false),
  /** Verbs that v2 takes for methods that only read. */
  readVerbs: z.enum(['both', 'get', 'post']).default('both'),
  /** The number of the first page of GetRows. */
  firstPage: z.union([z.literal(0), z.literal(1)]).default(0),
  pageSizeZero: z.enum(['unlimited', 'refuse']).default('unlimited'),
  extraParameters: z.enum(['ignore', 'refuse']).default('refuse'),
  /** Parameters that a later release added, by `Service/Method`: a call without them is refused. */
  addedParameters: z.record(z.string(), z.array(z.string().min(1))).default({}),
  /** What a changed row that lacks a column means for it. */
  missingColumns: z.enum(['blank', 'keep']).default('blank'),
  dsAtTopLevel: z.boolean().default(false),

  staleRowStatus: z.union([z.literal(400), z.literal(409), z.literal(500)]).default(409),
  duplicateStatus: z.union([z.literal(400), z.literal(409)]).default(409),
  invoiceNumMax: z.int().min(1).default(50),
  groupIdMax: z.int().min(1).default(8),
  vendorIdMax: z.int().min(1).default(8),
  vendorNameMax: z.int().min(1).default(50),
  vendorMandatory: z.array(z.string().min(1)).default(['VendorID', 'Name']),
  /** Whether `ExternalID` keeps what `Update` sends. */
  externalIdWritable: z.boolean().default(true),
  /** The stored account that a new line is coded to: `first` takes the first expense account; null makes no row. */
  defaultExpenseAccount: z.string().nullable().default('first'),
  /** A second book adds an account row to each expense row, after that of the main book. */
  secondBook: z.boolean().default(false),
  /** The tax region that new invoices get: a tax code of the company, which then adds tax unasked. */
  taxRegion: z.string().default(''),
  /** A saved invoice or journal leaves its group held by the user until it is unlocked. */
  savesLockGroups: z.boolean().default(true),
  /** Posting wants a group that nobody holds. */
  postingNeedsUnlockedGroup: z.boolean().default(true),
  closedPeriodRefusedAt: z.enum(['save', 'post']).default('save'),
  /** Legal numbers must be entered by a person: saves run into a prompt. */
  legalNumbersRequired: z.boolean().default(false),
  /** A payables group whose invoices were all posted. */
  postedApGroup: z.enum(['removed', 'kept']).default('removed'),
  runDirectFailure: z.enum(['silent', 'error']).default('silent'),
  /** How long a task waits for the agent, by the sandbox's clock; null is an agent that does not run. */
  agentDelayMs: z.int().min(0).nullable().default(0),
  /** The column that a journal line's amount is read from. */
  journalAmounts: z.enum(['either', 'totals', 'transaction']).default('either'),
  /** Whether an account and its segment columns, which are written together, must say the same. */
  accountSegments: z.enum(['mustMatch', 'ignored']).default('mustMatch'),
  /** A journal line whose account is not valid: kept and flagged, or refused. */
  invalidJournalAccount: z.enum(['flag', 'refuse']).default('flag'),
  /** Lines from which on `IsNeedAsyncronousPosting` says yes. */
  asynchronousFromLines: z.int().min(1).default(1000),

  /** The first revision of a row. The default is above 2^53, where floats lose it. Read at a reset. */
  firstRevision: z
    .string()
    .regex(/^\d{10,18}$/)
    .default('9007199254740993'),
  /** The chart's segments in physical order. Read at a reset. */
  segments: z
    .array(segmentSchema)
    .min(1)
    .max(20)
    .default([
      { name: 'Account', holds: 'account', value: '', displayOrder: 1, dynamic: false },
      { name: 'Department', holds: 'costCentre', value: '', displayOrder: 2, dynamic: false },
    ]),
  segmentSeparator: z.string().length(1).default('-'),
});

export type KineticSettings = z.output<typeof kineticSettingsSchema>;
export type KineticSettingsInput = z.input<typeof kineticSettingsSchema>;
