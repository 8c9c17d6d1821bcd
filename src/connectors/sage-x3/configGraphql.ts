import { z } from 'zod';

/** Settings of reading by GraphQL. Field names differ between releases of X3, so all of them can be replaced. */

const path = z.string().regex(/^[A-Za-z_][\w]*(\.[A-Za-z_][\w]*)*$/, 'must be a field, or fields joined by dots');

/** A node, and where its properties stand that X3's tables call so. An empty path leaves the column out. */
function node(defaultNode: string, fields: Readonly<Record<string, string>>) {
  return z
    .strictObject({
      node: path.default(defaultNode).describe('Package and node, without packagePrefix.'),
      fields: z
        .record(z.string(), path.or(z.literal('')))
        .default({})
        .describe(`Replaces paths: ${JSON.stringify(fields)}. An empty path leaves the column out.`),
    })
    .transform((settings) => ({ ...settings, fields: { ...fields, ...settings.fields } }))
    .prefault({});
}

export const graphqlSettings = z.strictObject({
  path: z.string().min(1).default('xtrem/api'),
  packagePrefix: z
    .string()
    .max(20)
    .default('')
    .describe('xtrem in older releases: x3MasterData becomes xtremX3MasterData.'),
  pageSize: z.int().min(1).max(500).default(100),
  endpointHeader: z.string().min(1).default('x-xtrem-endpoint'),
  suppliers: node('x3MasterData.supplier', {
    BPSNUM: 'code.code',
    BPSNAM: 'companyName1',
    CUR: 'currency.code',
    ENAFLG: 'isActive',
  }),
  accounts: node('x3FinanceData.account', {
    COA: 'chartOfAccounts.code',
    ACC: 'code',
    DES: 'description',
    ENAFLG: 'isActive',
  }),
  dimensions: node('x3FinanceData.dimension', {
    DIE: 'dimensionType.code',
    CCE: 'code',
    DES: 'description',
    ENAFLG: 'isActive',
  }),
  periods: node('x3FinanceData.period', {
    CPY: 'company.code',
    FIYNUM: 'fiscalYear.code',
    PERNUM: 'code',
    PERSTR: 'startDate',
    PEREND: 'endDate',
    STA: 'status',
  }),
  journals: z
    .strictObject({
      node: path.default('x3Finance.journalEntry'),
      reference: path
        .optional()
        .describe(
          'The property that shows REFINT. None is established: look in the explorer, or set journal.referenceInText.',
        ),
      typeFilter: path.default('journalEntryType.code').describe('Where the entry type stands.'),
      numberFilter: path.default('journalEntryNumber'),
      siteFilter: path.default('site.code'),
      dateFilter: path.default('accountingDate'),
      currency: path.default('transactionCurrency.code'),
      category: path.optional().describe('Where CAT stands; not set: entries count as actual.'),
      status: path.optional().describe('Where STA stands (1 temporary, 2 final).'),
      lines: path.default('journalEntryLines').describe('The collection of lines; a connection with edges.'),
      lineFields: z
        .record(z.string(), path.or(z.literal('')))
        .default({})
        .describe('Replaces paths of ACC, SNS, AMTCUR, DES and LEDTYP in a line.'),
    })
    .transform((settings) => ({ ...settings, lineFields: { ...LINE_FIELDS, ...settings.lineFields } }))
    .prefault({}),
});

const LINE_FIELDS: Readonly<Record<string, string>> = {
  ACC: 'account.code',
  SNS: 'sign',
  AMTCUR: 'transactionAmount',
  DES: 'lineDescription',
  LEDTYP: 'ledgerTypeNumber',
};

export type GraphqlSettings = z.infer<typeof graphqlSettings>;
export interface NodeSettings {
  readonly node: string;
  readonly fields: Readonly<Record<string, string>>;
}
