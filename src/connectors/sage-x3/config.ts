import { z } from 'zod';
import { graphqlSettings } from './configGraphql.js';
import { importSettings, objectSettings, subprogramSettings } from './configWrite.js';

/**
 * What a Sage X3 connection is set up with. Names that Sage does not establish (classes, publications, group ids, import
 * layouts, GraphQL fields) are the customer's data, so each is a setting; unknown keys are refused by name.
 */

export type { GraphqlSettings, NodeSettings } from './configGraphql.js';
export type { ImportSettings, ObjectSettings, SubprogramSettings } from './configWrite.js';

const code = z.string().trim().min(1).max(40);
const name = z.string().regex(/^[A-Za-z0-9_$]{1,40}$/, 'must be a name of letters, digits, _ and $');

const pattern = z
  .string()
  .max(500)
  .refine((text) => isRegularExpression(text), 'is not a regular expression');

/** A class and the representation that is read; both are needed in a URL even when they are equal. */
function restClass(className: string) {
  return z
    .strictObject({
      class: name.default(className),
      representation: name.optional().describe('Default: the name of the class.'),
    })
    .prefault({});
}

const auth = z.strictObject({
  audience: z
    .string()
    .min(1)
    .optional()
    .describe(
      'aud of the connected app’s JWT, byte for byte the URL registered in X3. Default: the base URL + /xtrem/api. Also the audience of client credentials (oauth2 without refreshToken).',
    ),
  tokenLifetimeSeconds: z
    .int()
    .min(60)
    .max(3600)
    .default(300)
    .describe('Life of a connected app’s JWT; at most what X3’s administrator allows.'),
  clockSkewSeconds: z.int().min(0).max(300).default(30).describe('How far the JWT’s iat is dated back.'),
  tokenBody: z
    .enum(['json', 'form'])
    .default('json')
    .describe('How the token request is encoded; the regional gateway takes JSON.'),
  refreshTokenField: z.string().min(1).default('refresh_token').describe('Name of the refresh token in a renewal.'),
  grantType: z.string().min(1).default('refresh_token').describe('grant_type of a renewal.'),
  refreshTokenDays: z.int().min(1).max(365).default(30).describe('Life of a refresh token.'),
  scope: z.string().min(1).optional().describe('Scope of client credentials.'),
  apiKeyHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]+$/)
    .default('x-api-key')
    .describe('Header that carries the apiKey of client credentials.'),
});

const rest = z.strictObject({
  pageSize: z.int().min(1).max(1000).default(100).describe('count of a $query; X3 may cap it.'),
  orderBySeparator: z.enum([',', ';']).default(',').describe('Between fields of orderBy; Sage documents both.'),
  suppliers: restClass('BPSUPPLIER'),
  accounts: restClass('GACCOUNT'),
  dimensions: restClass('CACCE'),
  journals: restClass('GACCENTRY').describe('A class over GACCENTRY whose $query shows TYP, NUM and REFINT.'),
  journalLines: name
    .optional()
    .describe(
      'Child collection of the general lines in $details. Default: the one whose rows have ACC, SNS and AMTCUR and no ANALIN.',
    ),
  periods: restClass('PERIOD').describe('Asked for where fiscalPeriods is not set; no name is established.'),
});

const restWrite = z.strictObject({
  class: name.default('GACCENTRY').describe('A class that the customer published with a create facet.'),
  representation: name.optional().describe('Default: the name of the class.'),
  facet: z.enum(['$create', '$edit']).default('$create').describe('Sage documents POST on both.'),
  lines: name.default('GACCENTRYD').describe('Child collection of the lines.'),
  analyticalLines: name.default('GACCENTRYA').describe('Child collection of the analytical rows, inside each line.'),
  fieldNames: z
    .record(name, name)
    .default({})
    .describe('Other names for our fields, e.g. {"DIE1":"DIE","CCE1":"CCE"}.'),
  omit: z.array(name).default([]).describe('Fields that the class does not take.'),
});

const soap = z.strictObject({
  path: z.string().min(1).default('soap-generic/syracuse/collaboration/syracuse/CAdxWebServiceXmlCC'),
  inputFormat: z.enum(['xml', 'json']).default('xml').describe('How parameters are written inside the envelope.'),
  outputFormat: z.enum(['xml', 'json']).default('xml').describe('adxwss.optreturn.'),
  fieldNameAttribute: z
    .enum(['NAME', 'NAM'])
    .default('NAME')
    .describe('Attribute of FLD; one installation documents NAM.'),
  keyStyle: z
    .enum(['wrapped', 'flat'])
    .default('wrapped')
    .describe('objectKeys with an element around each pair, or without.'),
  requestConfig: z.string().max(200).default('').describe('Further requestConfig parameters, joined by &.'),
  listSize: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe(
      'listSize of a query. A list that is this long counts as cut off, so it must not be more than the server gives.',
    ),
  suppliers: code.default('BPS').describe('Publication of the object BPS.'),
  accounts: code.default('GAC').describe('Publication of the object GAC.'),
  dimensions: code.default('CCE').describe('Publication of the object of dimensions.'),
  journals: code.default('GAS').describe('Publication of the object GAS.'),
  lines: code
    .optional()
    .describe(
      'Group id of the journal lines in what read returns. Default: the grid whose rows have ACC, SNS and AMTCUR.',
    ),
});

const fiscalPeriod = z.strictObject({
  year: z.int().min(1900).max(9999),
  period: z.int().min(1).max(24),
  startsOn: z.iso.date(),
  endsOn: z.iso.date(),
  open: z.boolean(),
});

const periodFields = z.strictObject({
  company: name.default('CPY'),
  ledgerType: name.default('LEDTYP'),
  year: name.default('FIYNUM'),
  period: name.default('PERNUM'),
  startsOn: name.default('PERSTR'),
  endsOn: name.default('PEREND'),
  status: name.default('STA'),
  open: z.array(z.string()).min(1).default(['2', 'open']).describe('Values of the status that mean open.'),
});

const journal = z.strictObject({
  transaction: code.optional().describe('DACDIA: entry transaction (screen layout).'),
  status: z
    .enum(['temporary', 'final'])
    .default('temporary')
    .describe('STA. A temporary entry can still be changed in X3; a final one cannot.'),
  countsOnlyFinal: z.boolean().default(false).describe('Treat an entry that is not final as not posted.'),
  descriptionLength: z.int().min(10).max(250).default(30).describe('Characters of DESVCR.'),
  memoLength: z.int().min(10).max(250).default(30).describe('Characters of a line’s DES.'),
  maxLines: z.int().min(2).max(5000).default(500),
  copyReference: z.boolean().default(true).describe('Put the reference into BPRVCR (source document) too.'),
  referenceInText: z
    .boolean()
    .optional()
    .describe(
      'Begin every line’s text with the reference. Default: where GraphQL finds journals and shows no REFINT, which needs it.',
    ),
  taxCodes: z.boolean().default(false).describe('Send tax codes in TAX. X3 may then add VAT lines of its own.'),
  partnerAccounts: z
    .array(code)
    .default([])
    .describe(
      'Accounts whose lines carry the supplier (BPR). Control accounts that are not listed are shown as blocked.',
    ),
});

const supplierDefaults = z.strictObject({
  category: code.optional().describe('BSGCOD; mandatory in X3, drives defaults and numbering.'),
  currency: code.optional().describe('CUR.'),
  paymentTerm: code.optional().describe('PTE.'),
  taxRule: code.optional().describe('VACBPR.'),
  accountingCode: code.optional().describe('ACCCOD.'),
  fields: z
    .record(name, z.string().max(250))
    .default({})
    .describe('Further fields of the main group, e.g. {"CRY":"US"}.'),
  address: z
    .record(name, z.string().max(250))
    .default({})
    .describe('Fields of one row of the address grid, e.g. {"CODADR":"MAIN","CRY":"US","BPAADDFLG":"2"}.'),
});

const suppliers = z.strictObject({
  createBy: z.enum(['soap-object', 'rest-object']).default('soap-object'),
  facet: z.enum(['$create', '$edit']).default('$create').describe('Of rest-object.'),
  group: code.default('G0_1').describe('Group id of the main fields; what getDescription says wins.'),
  addressGroup: code.default('GA_1').describe('Grid id of the addresses; what getDescription says wins.'),
  addressCollection: name.default('BPADDRESS').describe('Of rest-object: child collection of the addresses.'),
  codeLength: z.int().min(6).max(15).default(15),
  markerField: name
    .default('BPSREM')
    .describe('Text field that carries our code; with numbering "automatic" it is how a supplier is found again.'),
  numbering: z
    .enum(['ours', 'automatic'])
    .default('ours')
    .describe(
      'automatic: X3 numbers suppliers of this category itself. Needs read "rest" and a $query that shows markerField.',
    ),
  defaults: supplierDefaults.prefault({}),
});

/** Compared without regard to case; Sage publishes no list of its messages. */
const errorPatterns = z.strictObject({
  period: pattern.default(
    '(period|fiscal year|exercice|p[ée]riode).*(clos|not open|not exist|invalid|lock|ferm)|(clos|lock)\\w* (period|fiscal year)',
  ),
  missing: pattern.default('does not exist|not found|inexist|721'),
  duplicate: pattern.default('already (exists|been created)|duplicate|existe d[ée]j[àa]'),
  refused: pattern
    .default(
      '\\berrors?\\b|erreur|reject|rejet|refus|mandatory|obligat|required|unbalanced|not balanced|invalid|incorrect|unknown|does not exist|inexist|inactive|prohibit|forbidden|not chargeable|closed|cannot',
    )
    .describe('Messages of an import that reports success and left no journal, which mean that it was turned down.'),
  notStarted: pattern
    .default('\\bnot (been )?started|never started')
    .describe('Refusals that prove that the call was not begun, e.g. of a queue of the pool.'),
  unclear: pattern
    .default('time.?out|timed out|connection|disconnect|abort|interrupt|killed|busy|queue|session')
    .describe('Refusals that do not prove that nothing was written: the ledger is asked.'),
});

const baseSettings = z.strictObject({
  folder: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/, 'must be the name of a folder')
    .describe('The folder, e.g. SEED: the name of its Syracuse endpoint, where the two differ.'),
  poolAlias: z
    .string()
    .min(1)
    .max(40)
    .optional()
    .describe('The pool of X3 sessions. Needed as soon as anything goes by SOAP.'),
  site: code.describe('FCY: the site that journals are entered for.'),
  journalCode: code.optional().describe('JOU. Not set: as the entry type says.'),
  entryType: code.describe('TYP: an entry type that exists and numbers automatically.'),
  company: code.optional().describe('CPY; fiscal periods are read from the ledger when it is set.'),
  chart: code
    .optional()
    .describe('COA: chart of accounts. Not set: all charts; the same account code can exist in several.'),
  codeLanguage: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be a language code of three capital letters')
    .default('ENG')
    .describe('codeLang of SOAP calls: the language of X3’s messages, which errorPatterns are compared with.'),
  ledgerType: z
    .string()
    .regex(/^\d{1,2}$/)
    .default('1')
    .describe('LEDTYP whose lines are compared; 1 is Legal.'),
  localCurrency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional()
    .describe('When set, only documents in this currency are taken. Not set: any currency X3 has rates for.'),
  read: z.enum(['rest', 'graphql', 'soap']).default('rest').describe('How master data and journals are read.'),
  journalMode: z
    .enum(['soap-import', 'soap-object', 'soap-subprogram', 'rest-object'])
    .default('soap-import')
    .describe('How journals are written; rest-object needs a class that the customer published for writing.'),
  importTemplate: code
    .optional()
    .describe('I_MODIMP: the customer’s import template for journals, OPTUPD off. Needed with soap-import.'),
  auth: auth.prefault({}),
  rest: rest.prefault({}),
  restWrite: restWrite.prefault({}),
  soap: soap.prefault({}),
  graphql: graphqlSettings.prefault({}),
  import: importSettings.prefault({}),
  object: objectSettings.prefault({}),
  subprogram: subprogramSettings.prefault({}),
  journal: journal.prefault({}),
  suppliers: suppliers.prefault({}),
  dimensionTypes: z
    .record(z.string().min(1), z.string().regex(/^[A-Z0-9]{1,10}$/, 'must be a dimension type code'))
    .default({})
    .describe('Our dimension name (or costCentre) to the DIE code of the dimension type, e.g. {"costCentre":"DPT"}.'),
  dimensionSlots: z
    .array(z.string())
    .max(9)
    .default([])
    .describe('DIE codes in the order of the analytical grid. Default: the mapped codes in alphabetical order.'),
  fiscalPeriods: z
    .array(fiscalPeriod)
    .min(1)
    .optional()
    .describe(
      'The fiscal calendar; when set, the ledger is not asked for it. Without it and company, and with read "soap": calendar months, all open; X3 itself refuses others.',
    ),
  periodFields: periodFields.prefault({}),
  errorPatterns: errorPatterns.prefault({}).describe('Regular expressions by class of the ledger’s messages.'),
  extraHeaders: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string().regex(/^[\x20-\x7e]*$/))
    .default({})
    .describe('Headers that a gateway in front of X3 asks for. Kept encrypted.'),
  timeZone: z.string().min(1).default('UTC').refine(isTimeZone, 'is not a time zone').describe('IANA zone of "today".'),
  settlingSeconds: z
    .int()
    .min(0)
    .max(7200)
    .default(600)
    .describe('How long after a write was sent it may still appear.'),
  submitTimeoutSeconds: z.int().min(2).max(900).default(300),
  readTimeoutSeconds: z.int().min(1).max(600).default(60),
  writeConcurrency: z
    .int()
    .min(1)
    .max(4)
    .default(1)
    .describe('SOAP calls that write at once; the pool must hold them.'),
});
export const settingsSchema = baseSettings.superRefine((settings, context) => {
  const needs = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  const usesSoap = settings.read === 'soap' || settings.journalMode.startsWith('soap');
  if (usesSoap && !settings.poolAlias) needs(['poolAlias'], 'is needed for SOAP');
  if (settings.journalMode === 'soap-import' && !settings.importTemplate) {
    needs(['importTemplate'], 'is needed with journalMode soap-import');
  }
  if (
    settings.journalMode === 'soap-import' &&
    settings.journal.status === 'final' &&
    !settings.import.header.includes('STA')
  ) {
    needs(['import', 'header'], 'must hold STA to send final entries');
  }
  if (settings.suppliers.numbering === 'automatic' && settings.read !== 'rest') {
    needs(['suppliers', 'numbering'], 'automatic needs read "rest"');
  }
  if (findsByText(settings) && settings.journal.referenceInText === false) {
    needs(
      ['graphql', 'journals', 'reference'],
      'is needed to find journals by GraphQL; or let journal.referenceInText put the reference into the lines’ texts',
    );
  }
  if (hasReferenceInText(settings) && settings.journal.memoLength < 20) {
    needs(['journal', 'memoLength'], 'must be at least 20 with referenceInText');
  }
  const mapped = Object.values(settings.dimensionTypes);
  if (new Set(mapped).size !== mapped.length) needs(['dimensionTypes'], 'maps two dimensions to one dimension type');
  if (mapped.length > 9) needs(['dimensionTypes'], 'has more than the 9 slots of the analytical grid');
  if (settings.dimensionSlots.length > 0) {
    const without = mapped.filter((type) => !settings.dimensionSlots.includes(type));
    if (without.length > 0) needs(['dimensionSlots'], `has no slot for ${without.join(', ')}`);
  }
});
export type SageX3Settings = z.infer<typeof settingsSchema>;
export type ErrorPatterns = z.infer<typeof errorPatterns>;
export type PeriodFields = z.infer<typeof periodFields>;

type Finding = Pick<z.infer<typeof baseSettings>, 'read' | 'graphql' | 'journal'>;

/** Without a property for REFINT, journals are found by their lines' texts only. */
function findsByText({ read, graphql }: Pick<Finding, 'read' | 'graphql'>): boolean {
  return read === 'graphql' && graphql.journals.reference === undefined;
}

/** Whether every line's text begins with the reference. */
export function hasReferenceInText(settings: Finding): boolean {
  return settings.journal.referenceInText ?? findsByText(settings);
}

/** DIE codes in the order of their slots. */
export function slotsOf(settings: Pick<SageX3Settings, 'dimensionTypes' | 'dimensionSlots'>): string[] {
  if (settings.dimensionSlots.length > 0) return settings.dimensionSlots;
  // Stored settings keep no order of keys, so the order of writing them cannot count.
  return Object.values(settings.dimensionTypes).sort();
}

export function representationOf(source: { class: string; representation?: string | undefined }): string {
  return source.representation ?? source.class;
}

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text, 'i');
    return true;
  } catch {
    return false;
  }
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
