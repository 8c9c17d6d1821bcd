import { z } from 'zod';

/** What a SYSPRO connection is set up with. Unknown keys are refused by name; no value of a credential is ever echoed. */

/** Fields that must never reach a log, an error or a snapshot. The session id is the fourth secret; it has no field. */
export const SECRET_FIELDS = ['operatorPassword', 'companyPassword'] as const;

export const credentialsSchema = z.strictObject({
  operator: z.string().trim().min(1).max(20).describe('An operator of its own: a second logon of it ends the first.'),
  operatorPassword: z.string().max(128),
  companyId: z.string().trim().min(1).max(20),
  companyPassword: z.string().max(128).optional(),
});
export type SysproCredentials = z.infer<typeof credentialsSchema>;

const supplierDefaults = z.strictObject({
  branch: z.string().min(1).optional().describe('An AP branch that exists.'),
  termsCode: z.string().min(1).optional().describe('An AP terms code that exists.'),
  currency: z.string().min(1).optional().describe("The ledger's own currency code, which may be a symbol such as $."),
  bank: z.string().min(1).optional().describe('A bank that exists.'),
  supplierClass: z.string().min(1).optional().describe('Only where AP set-up validates the supplier class.'),
  area: z.string().min(1).optional().describe('Only where AP set-up validates the geographic area.'),
});
export type SupplierDefaults = z.infer<typeof supplierDefaults>;

/**
 * Where the fiscal calendar is found. The vendor publishes no output schema of GENQSO, so the first six names are
 * assumptions; compare them with GENQSOOUT.XSD of the installation. `{n}` stands for the period number 1 to 15.
 */
const periodElements = z.strictObject({
  currentYear: z.string().default('GlYear'),
  currentPeriod: z.string().default('GlPeriod'),
  currentYearStart: z.string().default('GlYearStartDate'),
  currentEndDate: z
    .string()
    .default('GlCurrYrDatePeriod{n}')
    .describe('The last day of period {n} of the current year.'),
  currentFlag: z.string().default('GlCurrYrFlagPeriod{n}'),
  previousYear: z.string().default('GlPreviousYear'),
  previousEndDate: z.string().default('GlPrevYrDatePeriod{n}'),
  previousFlag: z.string().default('GlPrevYrFlagPeriod{n}'),
  openFlag: z.string().default('O').describe('The flag of an open period.'),
  lastYearOption: z.string().default('1').describe('The value of GENQPP PreviousYear that selects last year.'),
  yearBeforeOption: z.string().default('2').describe('The value of GENQPP PreviousYear that selects the year before.'),
});
export type PeriodElements = z.infer<typeof periodElements>;

const fiscalPeriod = z.strictObject({
  year: z.number().int().min(1900).max(9999),
  period: z.number().int().min(1).max(15),
  startsOn: z.iso.date(),
  endsOn: z.iso.date(),
  open: z.boolean(),
});

const pattern = z.string().max(500).refine(isRegularExpression, 'is not a regular expression');

/** The vendor's error texts are not public: these are compared without regard to case, the first that fits decides. */
const errorPatterns = z.strictObject({
  period: pattern.default('period.*(closed|not open|future|not.*current|invalid)|(closed|future).*period'),
  duplicate: pattern.default('already|duplicate|exists'),
  account: pattern.default('(ledger|gl) ?(code|account).*(not found|on hold|invalid|does not exist|not on file)'),
  balance: pattern.default('balanc'),
  credentials: pattern.default('password|operator|company|disabled|locked|expired'),
  seats: pattern.default('licen[cs]e|maximum|concurren|already logged|in use'),
});
export type ErrorPatterns = z.infer<typeof errorPatterns>;

const PLACEHOLDER = /\{(glAccount|costCentre)(?::(\d{1,2}))?\}/g;

export const settingsSchema = z
  .strictObject({
    journalType: z
      .enum(['N', 'P', 'U', 'A', 'E'])
      .default('N')
      .describe('GENTJL JournalType: N normal, P provisional, U user-defined, A auditors, E period-end.'),
    journalSourceCode: z.string().min(1).optional().describe('GENTJL SourceCode; needed with journalType U only.'),
    usePostLD: z
      .boolean()
      .default(false)
      .describe('Send large documents by POST Transaction/PostLD (SYSPRO 8 and later).'),
    supplierDefaults: supplierDefaults.optional().describe('What a supplier that the gateway creates is set up with.'),
    accountTemplate: z
      .string()
      .refine(isAccountTemplate, 'needs {glAccount}, and knows no placeholder but {glAccount} and {costCentre}')
      .default('{glAccount}')
      .describe(
        'How a GL code is composed, e.g. {costCentre}-{glAccount}; {costCentre:3} pads with zeros to 3 digits.',
      ),
    costCentreSection: z
      .strictObject({
        separator: z.string().min(1).max(3),
        index: z.number().int().min(-10).max(10).describe('0 = first section, -1 = last.'),
      })
      .optional()
      .describe('Where the cost centre stands in a GL code. Default: as accountTemplate says.'),
    localCurrency: z
      .record(z.string().min(1), z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'))
      .default({})
      .describe('ISO codes of the ledger’s own currency codes, e.g. {"$": "USD"}.'),
    languageCode: z
      .string()
      .regex(/^\d{1,2}$/)
      .default('05')
      .describe('Logon LanguageCode; 05 is English.'),
    postLdThresholdBytes: z
      .number()
      .int()
      .min(1024)
      .max(16_000)
      .default(8192)
      .describe('With usePostLD, a document whose URL would be longer goes by PostLD.'),
    urlMaxBytes: z
      .number()
      .int()
      .min(2048)
      .max(65_000)
      .default(15_000)
      .describe(
        'Longest URL the server takes (16 KB with all headers by default); longer documents are refused unsent.',
      ),
    authorise: z.enum(['A', 'D']).default('A').describe('GENTJL AuthorizeJournal: A authorise, D leave as it is.'),
    ignoreWarnings: z
      .enum(['N', 'Y', 'W'])
      .default('N')
      .describe('N = a warning rejects the document (control accounts), Y = ignored, W = reported.'),
    maxLines: z
      .number()
      .int()
      .min(2)
      .max(10_000)
      .optional()
      .describe('Lines of one document. Default 25 (what fits in a URL with its memos), 500 with usePostLD.'),
    memoLength: z.number().int().min(10).max(250).default(100).describe('Characters of a line’s comment.'),
    settlingSeconds: z
      .number()
      .int()
      .min(0)
      .max(3600)
      .default(60)
      .describe('How long after a write was sent it may still appear.'),
    submitTimeoutSeconds: z.number().int().min(2).max(600).default(90),
    readTimeoutSeconds: z.number().int().min(1).max(600).default(30),
    fiscalPeriods: z
      .array(fiscalPeriod)
      .min(1)
      .optional()
      .describe('The fiscal calendar; when set, the ledger is not asked for it.'),
    periodElements: periodElements.prefault({}).describe('Element names of GENQSO and GENQPP.'),
    supplierCodeLength: z.number().int().min(6).max(15).default(15),
    supplierOnHold: z.boolean().default(false).describe('Create suppliers on hold until a person has looked at them.'),
    creditTransactionCode: z
      .enum(['C', 'A', 'D'])
      .optional()
      .describe('APSTIN TransactionCode of a refund. Not set: refunds cannot be supplier invoices.'),
    errorPatterns: errorPatterns.prefault({}).describe('Regular expressions by class of the ledger’s error texts.'),
    paymentReferenceInLines: z.boolean().default(true).describe('Put the reference on every journal line too.'),
    analysisCodes: z
      .record(z.string().min(1), z.number().int().min(1).max(5))
      .default({})
      .describe('GL analysis: our dimension name to the number of its AnalysisCode, 1 to 5.'),
  })
  .refine((settings) => settings.journalType !== 'U' || settings.journalSourceCode !== undefined, {
    path: ['journalSourceCode'],
    message: 'is needed with journalType U',
  });
export type SysproSettings = z.infer<typeof settingsSchema>;

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text, 'i');
    return true;
  } catch {
    return false;
  }
}

function isAccountTemplate(template: string): boolean {
  const rest = template.replace(PLACEHOLDER, '');
  return /\{glAccount(:\d{1,2})?\}/.test(template) && !/[{}]/.test(rest);
}

/**
 * The GL code of a line. Without a cost centre, a template that needs one leaves the account as it stands: clearing
 * accounts and accounts that were coded whole at the source carry their section already.
 */
export function composeAccount(template: string, line: { glAccount: string; costCentre: string | null }): string {
  const { costCentre } = line;
  if (costCentre === null && template.includes('{costCentre')) return line.glAccount;
  const values: Record<string, string> = { glAccount: line.glAccount, costCentre: costCentre ?? '' };
  return template.replace(PLACEHOLDER, (_whole, name: string, width: string | undefined) => {
    const value = values[name] ?? '';
    return width ? value.padStart(Number(width), '0') : value;
  });
}

/** Where the cost centre stands in a GL code; null when GL codes hold none, or nothing separates it from the account. */
export function costCentreSectionOf(
  settings: Pick<SysproSettings, 'accountTemplate' | 'costCentreSection'>,
): { separator: string; index: number } | null {
  if (settings.costCentreSection) return settings.costCentreSection;
  const plain = settings.accountTemplate.replace(PLACEHOLDER, '{$1}');
  const first = plain.indexOf('{costCentre}');
  if (first < 0) return null;
  const account = plain.indexOf('{glAccount}');
  const [from, to] =
    first < account ? [first + '{costCentre}'.length, account] : [account + '{glAccount}'.length, first];
  const separator = plain.slice(from, to).slice(0, 3);
  if (separator === '' || separator.includes('{')) return null;
  // Counted from its own end of the code, because the account itself may hold the separator too.
  if (first < account) return { separator, index: plain.slice(0, first).split(separator).length - 1 };
  return { separator, index: -plain.slice(first).split(separator).length };
}

/** The section of one code; null when the code has too few sections. */
export function sectionOf(code: string, place: { separator: string; index: number }): string | null {
  const sections = code.split(place.separator);
  return (sections.length > 1 ? sections.at(place.index)?.trim() : undefined) || null;
}

export function maxLinesOf(settings: SysproSettings): number {
  return settings.maxLines ?? (settings.usePostLD ? 500 : 25);
}
