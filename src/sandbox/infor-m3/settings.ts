import { z } from 'zod';

const polls = z.int().min(0).nullable();
const waitMs = z.int().min(0).max(600_000).nullable();
const dimensionValue = z.strictObject({
  code: z.string().min(1).max(10),
  name: z.string(),
  active: z.boolean().default(true),
});
const layoutField = z.strictObject({ field: z.string().length(4), from: z.int().min(1), to: z.int().max(900) });

/** Releases whose field lists were published or described (Infor M3: two sources for field lists). */
export const RELEASES = ['ce-2020', 'onprem-15', 'ce-latest'] as const;
export type Release = (typeof RELEASES)[number];

/**
 * How this installation behaves where installations differ, or where nobody outside knows. All of it can be changed while it
 * runs. "Not established" marks what the public material leaves open.
 */
export const inforM3SettingsSchema = z.strictObject({
  /** Which programs, transactions and fields exist. */
  release: z.enum(RELEASES).default('ce-latest'),

  // ── the gateway
  tokenSeconds: z.int().min(1).default(7200),
  /** The authorized app's "issue refresh tokens". */
  refreshTokens: z.boolean().default(false),
  /** How a client may say who it is at the token endpoint. */
  clientAuth: z.enum(['BASIC', 'BODY', 'BOTH']).default('BOTH'),
  /** Status of a throttled request, and whether it says how long to wait. Not established. */
  throttleStatus: z.union([z.literal(429), z.literal(503)]).default(429),
  retryAfterHeader: z.boolean().default(true),
  /** An intermediary that answers a repeated GET of the very same address from its memory for so long; 0 = there is none. */
  cacheMs: z.int().min(0).default(0),
  /** Longer request targets are answered with 414. */
  urlLimitBytes: z.int().min(256).default(8192),

  // ── the call of programs
  v1: z.boolean().default(true),
  v2: z.boolean().default(true),
  bulk: z.boolean().default(true),
  /** v2 failures under HTTP 200 in `results`, or HTTP 400 with the same fields at the top level. */
  errorMode: z.enum(['RESULTS', 'BAD_REQUEST']).default('RESULTS'),
  /** v1 failures as they are, or inside `ErrorMessage`. */
  v1Errors: z.enum(['BARE', 'WRAPPED']).default('BARE'),
  /** false = `maxrecs` in the query is ignored and only the matrix form counts. */
  queryMaxrecs: z.boolean().default(true),
  /** Most rows of one answer, whatever was asked for; null is without end. */
  recordCap: z.int().min(1).nullable().default(1000),
  /** A list that finds nothing answers with no rows, or says no. */
  emptyLists: z.enum(['EMPTY', 'NOK']).default('EMPTY'),
  /** A bulk call stops at the first failure and leaves the rest unprocessed. */
  bulkStopsAtError: z.boolean().default(true),
  /** Programs that the user has no right to, with or without `MI`. */
  deniedPrograms: z.array(z.string()).default(['EXPORTMI']),
  /** The user's own division: what a call without `divi` works in. */
  userDivision: z.string().max(3).default('BBB'),

  // ── master data
  /** Whether accounts and dimensions are kept for the company (blank `DIVI`) or for the division. */
  accountsKeptBy: z.enum(['COMPANY', 'DIVISION']).default('COMPANY'),
  /** `LstAccountID` goes on into the next dimension at the end of the one asked for. Not established. */
  accountsRunOn: z.boolean().default(true),
  /** Values of dimensions 3 to 7. Dimension 2 is the cost centre. */
  dimensions: z.record(z.string().regex(/^[3-7]$/), z.array(dimensionValue)).default({
    '3': [
      { code: 'P100', name: 'Plant one', active: true },
      { code: 'P200', name: 'Plant two', active: true },
    ],
  }),
  /** `STAT` of a supplier that the API added. Not established. */
  newSupplierStatus: z.enum(['10', '20']).default('20'),
  /** First month of the financial year; the year is named after the one it ends in. */
  fiscalYearFirstMonth: z.int().min(1).max(12).default(1),

  // ── supplier invoices
  /** Validation is done after so many reads of any invoice or voucher, or after so long, whichever is first. Both null: never. */
  validationPolls: polls.default(2),
  validationMs: waitMs.default(250),
  /** Where a second invoice of one payee, supplier, number and year is refused. */
  duplicateInvoices: z.enum(['AT_VALIDATION', 'AT_ADD_HEAD']).default('AT_VALIDATION'),
  /** `SUPA` of a new, a submitted, a posted and a refused batch invoice. Only 15 is established. */
  statusNew: z.string().max(2).default('10'),
  statusSubmitted: z.string().max(2).default('12'),
  statusPosted: z.string().max(2).default('90'),
  statusRefused: z.string().max(2).default('15'),
  /** Batch invoices are still listed once they are posted. Not established. */
  listsPostedInvoices: z.boolean().default(true),
  /** Whether an invoice may have a negative total. Not established. */
  negativeInvoices: z.enum(['ACCEPTED', 'REFUSED']).default('ACCEPTED'),
  /** Where M3 puts an invoice whose lines name no account; null = the first expense account. */
  derivedAccount: z.string().nullable().default(null),
  /** AddLine has AIT1 to AIT7 (of the newest release only). */
  addLineDimensions: z.boolean().default(true),
  /** `APS100MI` with AddHead, AddLine and GetHead by invoice number. In no inventory that is known. */
  aps100: z.boolean().default(false),

  // ── journals
  /** The interface set up in GLS850, its usage type, and the record that AddBatchLineFld names. */
  interfaceName: z.string().min(1).max(15).default('BREXGL'),
  interfaceUsage: z.enum(['POSITIONS', 'FIELDS']).default('FIELDS'),
  inputRecord: z.string().min(1).max(2).default('I1'),
  /** Where each field stands in `PARM`, counted from 1, both ends included. */
  positions: z.array(layoutField).default([
    { field: 'GRNR', from: 1, to: 10 },
    { field: 'ACDT', from: 11, to: 18 },
    { field: 'AIT1', from: 19, to: 28 },
    { field: 'AIT2', from: 29, to: 38 },
    { field: 'AIT3', from: 39, to: 48 },
    { field: 'CUCD', from: 49, to: 51 },
    { field: 'CUAM', from: 52, to: 68 },
    { field: 'DBCR', from: 69, to: 69 },
    { field: 'VTXT', from: 70, to: 109 },
  ]),
  /** Amounts carry their side as a sign, or as a code beside a positive amount. Not established. */
  signs: z.enum(['SIGNED', 'CODED']).default('SIGNED'),
  debitCode: z.string().length(1).default('D'),
  creditCode: z.string().length(1).default('C'),
  /** Whether amounts of GLS200MI are signed or positive beside their code. Not established. */
  readSigns: z.enum(['SIGNED', 'CODED']).default('SIGNED'),
  /** A line whose number the batch already has is added beside the first, or refused. Not established. */
  duplicateLines: z.enum(['ADDED', 'REFUSED']).default('ADDED'),
  /** A batch must be controlled before it is updated. Not established. */
  controlRequired: z.boolean().default(true),
  /** UpdBatch on a batch that was already updated or is being updated. Not established. */
  repeatedUpdate: z.enum(['POSTS_AGAIN', 'REFUSED']).default('POSTS_AGAIN'),
  /** Errors of an update are in its answer, or nobody hears of them. Not established. */
  updateErrors: z.enum(['ANSWERED', 'SILENT']).default('ANSWERED'),
  /** As for the validation of invoices. */
  updatePolls: polls.default(1),
  updateMs: waitMs.default(250),
  /** Whether SearchGenLedger is there. */
  ledgerSearch: z.boolean().default(true),

  // ── ION messages
  messaging: z.boolean().default(true),
  /** As for the validation of invoices. */
  messagePolls: polls.default(2),
  messageMs: waitMs.default(250),
  /** Which elements of the message the sandbox reads, by local name. The noun's body is not published. */
  messageElements: z
    .strictObject({
      supplier: z.string().default('SupplierID'),
      date: z.string().default('DocumentDateTime'),
      currency: z.string().default('CurrencyCode'),
      total: z.string().default('TotalAmount'),
      line: z.string().default('SupplierInvoiceLine'),
      lineAmount: z.string().default('Amount'),
      lineAccount: z.string().default('GLNominalAccountID'),
      lineCostCentre: z.string().default('CostCenterID'),
      lineText: z.string().default('Description'),
    })
    .prefault({}),
});

export type InforM3Settings = z.output<typeof inforM3SettingsSchema>;
export type InforM3SettingsInput = z.input<typeof inforM3SettingsSchema>;

const withoutDefault = (field: z.ZodType): z.ZodType =>
  field instanceof z.ZodDefault || field instanceof z.ZodPrefault ? (field.unwrap() as z.ZodType) : field;

/** Any of the settings, without defaults: only what is sent changes. */
export const settingsPatchSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(inforM3SettingsSchema.shape).map(([name, field]) => [name, withoutDefault(field).optional()]),
  ),
);
