import { z } from 'zod';

const code = z.string().min(1);
const names = z.array(code).min(1);

/** The customer's import template for journals (function GESAOE): what stands in which place is customer data. */
const templateSchema = z.strictObject({
  code: code.default('YBRXGAS'),
  fieldSeparator: z.string().length(1).default(';'),
  dateFormat: code.default('YYYYMMDD'),
  decimalSign: z.enum(['.', ',']).default('.'),
  headerMark: code.default('G'),
  lineMark: code.default('D'),
  analyticMark: code.default('A'),
  /** Fields by X3's names, in the order of the file. `DIE`, `DIE2`, `CCE`, `CCE2` … are the slots of dimensions. */
  header: names.default(['TYP', 'NUM', 'FCY', 'JOU', 'ACCDAT', 'CUR', 'DESVCR', 'REFINT', 'BPRVCR']),
  line: names.default(['LIN', 'ACC', 'BPR', 'SNS', 'AMTCUR', 'DES', 'REFINTLIN']),
  /** Records with the same ANALIN are one analytical line with several dimension types. */
  analytic: names.default(['ANALIN', 'DIE', 'CCE', 'AMTCUR']),
  /** OPTUPD: a journal whose TYP and NUM exist is replaced instead of refused. */
  updateExisting: z.boolean().default(false),
});

/** Ids of the groups in SOAP documents; they come from the customer's publication and the screens in it. */
const groupsSchema = z.strictObject({
  journalKey: code.default('HAE0_1'),
  journalHeader: code.default('HAE1_1'),
  journalLines: code.default('HAE2_1'),
  journalAnalytics: code.default('VT2_1'),
  supplier: code.default('G0_1'),
  supplierAddresses: code.default('GA_1'),
  subprogramHeader: code.default('GRP1'),
  subprogramLines: code.default('GRP2'),
  subprogramResult: code.default('GRP3'),
});

/** Names under which the customer published things (function GESAWE). */
const publicationsSchema = z.strictObject({
  journal: code.default('GAS'),
  supplier: code.default('BPS'),
  account: code.default('GAC'),
  dimension: code.default('CCE'),
  importer: code.default('AOWSIMPORT'),
  batchStatus: code.default('AOWSBATGET'),
  subprogram: code.default('YBREXJNL'),
});

/** REST classes; each has a representation of the same name. */
const classesSchema = z.strictObject({
  supplier: code.default('BPSUPPLIER'),
  account: code.default('GACCOUNT'),
  dimension: code.default('CACCE'),
  dimensionType: code.default('GDIE'),
  journal: code.default('GACCENTRY'),
  journalLine: code.default('GACCENTRYD'),
  journalAnalytic: code.default('GACCENTRYA'),
  period: code.default('PERIOD'),
  taxCode: code.default('TABVAT'),
  site: code.default('FACILITY'),
});

/**
 * How this installation behaves where installations differ, and what nobody outside knows. All of it can be changed
 * while it runs; `endpoint`, `company`, `site`, `chart`, `secondChart` and the dimension types take hold at the next reset.
 */
export const sageX3SettingsSchema = z.strictObject({
  // Set-up of the company.
  endpoint: code.default('SEED'),
  company: code.default('NA10'),
  site: code.default('NA011'),
  chart: code.default('USA'),
  /** A further chart with the same account codes, all of them inactive; null leaves it out. */
  secondChart: code.nullable().default('IAS'),
  /** The dimension type that the seed's cost centres become. */
  costCentreType: code.default('CCT'),
  /** A second dimension type with codes of its own. */
  secondType: z
    .strictObject({
      code: code.default('PJT'),
      name: z.string().default('Projects'),
      values: z
        .array(
          z.strictObject({
            code,
            name: z.string(),
            active: z.boolean().default(true),
            postable: z.boolean().default(true),
          }),
        )
        .default([
          { code: 'P100', name: 'Roof', active: true, postable: true },
          { code: 'P200', name: 'Old roof', active: false, postable: true },
          { code: 'PTOTAL', name: 'All projects', active: true, postable: false },
        ]),
    })
    .prefault({}),
  entryTypes: z
    .array(z.strictObject({ code, journal: code, manualNumbers: z.boolean().default(false) }))
    .min(1)
    .default([
      { code: 'BRXJE', journal: 'PURCH', manualNumbers: false },
      { code: 'MANUA', journal: 'PURCH', manualNumbers: true },
    ]),
  journals: names.default(['PURCH', 'GEN', 'BANK']),
  /** LEDTYP of each line: every line stands once per ledger type. */
  ledgerTypes: z.array(z.int().min(1).max(10)).min(1).default([1, 2]),
  /** Combinations that table CAAUZ forbids. */
  forbidden: z.array(z.strictObject({ account: code, type: code, code })).default([]),
  supplierCategories: z.array(z.strictObject({ code, automaticNumbers: z.boolean().default(false) })).default([
    { code: 'US', automaticNumbers: false },
    { code: 'AUTO', automaticNumbers: true },
  ]),
  supplierNeedsAddress: z.boolean().default(true),
  /** Texts longer than their column are cut without a word, or refused. */
  longText: z.enum(['CUT', 'REFUSE']).default('CUT'),

  // Logging in.
  /** `basic` in nodelocal.js; false is Sage X3 Online. */
  basic: z.boolean().default(true),
  bearer: z.boolean().default(true),
  /** Basic on `/xtrem/api`, a convenience of some installations. */
  graphqlBasic: z.boolean().default(false),
  /** "Tokens validity" of the connected application. */
  connectedAppSeconds: z.int().min(1).default(600),
  /** How far a token's `iat` may lie ahead of the server's clock. */
  clockSkewSeconds: z.int().min(0).default(5),
  accessTokenSeconds: z.int().min(1).default(300),
  refreshTokenSeconds: z.int().min(1).default(2_592_000),
  machineTokenSeconds: z.int().min(1).default(3600),
  /** Form of the token gateway's renewal request. */
  renewalField: code.default('refresh_token'),

  // REST.
  pageSize: z.int().min(1).default(20),
  /** Larger counts are lowered to it without a word; see `$itemsPerPage`. */
  pageCap: z.int().min(1).default(100),
  wrongRepresentationStatus: z.union([z.literal(400), z.literal(404), z.literal(500)]).default(400),
  refusedCreateStatus: z.union([z.literal(200), z.literal(201), z.literal(400)]).default(201),
  /** Diagnoses of a refused create at the root, or inside the resource. */
  diagnosesPlace: z.enum(['ROOT', 'RESOURCE']).default('ROOT'),
  createFacet: z.enum(['$create', '$edit']).default('$create'),
  orderBySeparator: z.enum([',', ';']).default(','),
  dateLiteral: z.enum(['AT', 'QUOTED', 'DIGITS']).default('AT'),
  whereOperators: z.enum(['ALL', 'EQ_LEFT']).default('ALL'),
  decimalsAsText: z.boolean().default(false),
  /** UPDDATTIM and the other stamps in the `$query` facet. */
  stampsInQuery: z.boolean().default(true),
  /** REFINT in the `$query` facet of journals. */
  referenceInQuery: z.boolean().default(true),
  /** Origin in `$url` of links, such as `http://x3-internal:8124`; null is the sandbox's own. */
  linkOrigin: z.string().nullable().default(null),
  classes: classesSchema.prefault({}),
  /** Name of the lines inside a journal's `$details`, and of the analytical lines inside each of them. */
  lineCollection: code.default('GACCENTRYD'),
  analyticCollection: code.default('GACCENTRYA'),
  /** A class of the customer's own that creates journals; null is none, as Sage ships it. */
  journalClass: code.nullable().default(null),
  /** Whether the supplier class can create. */
  supplierCreate: z.boolean().default(false),

  // SOAP.
  poolAlias: code.default('BREXPOOL'),
  poolStarted: z.boolean().default(true),
  poolSessions: z.int().min(1).default(2),
  /** How long each call keeps a session before it answers; the work itself is done at the end of it. */
  poolDelayMs: z.int().min(0).max(600_000).default(0),
  /** The first call after a start waits this much longer. */
  poolColdMs: z.int().min(0).max(600_000).default(0),
  /** Calls that waited longer for a session are refused, and were never started. */
  poolQueueMs: z.int().min(0).max(600_000).default(60_000),
  /** 0 answers every SOAP call with HTTP 500. */
  webServiceProcesses: z.int().min(0).default(1),
  fieldNameAttribute: z.enum(['NAME', 'NAM']).default('NAME'),
  messageForm: z.enum(['ARRAY', 'SINGLE', 'NONE', 'NIL', 'MULTIREF']).default('ARRAY'),
  groups: groupsSchema.prefault({}),
  publications: publicationsSchema.prefault({}),
  template: templateSchema.prefault({}),
  /** Fields too many in a record of an import file. */
  importExtraFields: z.enum(['IGNORE', 'REFUSE']).default('IGNORE'),
  /** When O_STATUS is not 0: any record was refused, all were, or never, as it only says that the file was accepted. */
  importStatus: z.enum(['ANY_REFUSED', 'ALL_REFUSED', 'ALWAYS_ZERO']).default('ANY_REFUSED'),
  /** How long a BATCH import waits; it is done with the first request after that. */
  batchDelayMs: z.int().min(0).default(0),
  /** Largest result of a SOAP query. */
  soapListCap: z.int().min(1).default(1000),

  // GraphQL.
  packagePrefix: z.enum(['', 'xtrem']).default(''),
  requireEndpointHeader: z.boolean().default(true),
  supplierNameField: z.enum(['companyName1', 'companyName']).default('companyName1'),
  /** A property of journalEntry for REFINT; Sage documents none. */
  referenceProperty: z.string().nullable().default(null),
  /** A custom mutation on journalEntry (function GESAPIOPE); null is none, as Sage ships it. */
  journalMutation: z.string().nullable().default(null),
  graphqlPageCap: z.int().min(1).default(100),
  /** A property that fails wherever it is selected, so that answers hold data and errors. */
  failingProperty: z.string().nullable().default(null),
});

export type SageX3Settings = z.output<typeof sageX3SettingsSchema>;
export type SageX3SettingsInput = z.input<typeof sageX3SettingsSchema>;
