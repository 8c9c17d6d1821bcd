import { buildSchema, type GraphQLSchema } from 'graphql';
import type { SageX3Settings } from './settings.js';

const REFERENCES = 'category currency code payToBusinessPartner';
const STAMPS = '_createStamp: String _updateStamp: String _etag: String';

/** The part of Sage's schema that is simulated; which properties it has depends on the release, so on the settings. */
export function graphqlSchema(settings: SageX3Settings): GraphQLSchema {
  const { packagePrefix, supplierNameField, referenceProperty, journalMutation } = settings;
  const references = REFERENCES.split(' ').map((name) => `${name}: Reference`);
  const packages = ['x3MasterData', 'x3FinanceData', 'x3Finance', 'x3System'];
  const sdl = `
    type Query { ${packages.map((name) => `${packageName(name, packagePrefix)}: ${typeName(name)}`).join(' ')} }
    type X3MasterData { supplier: SupplierNode }
    type X3FinanceData { account: AccountNode dimension: DimensionNode dimensionType: DimensionTypeNode period: PeriodNode }
    type X3Finance { journalEntry: JournalEntryNode }
    type X3System { site: SiteNode }
    type Reference { _id: String code: String }
    type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
    ${node(
      'Supplier',
      `${references.join(' ')} ${supplierNameField}: String shortCompanyName: String supplierType: String
      isActive: Boolean isPaymentHeld: Boolean ${STAMPS}`,
    )}
    ${node('Account', 'chartOfAccounts: Reference code: String description: String isActive: Boolean isControl: Boolean _updateStamp: String')}
    ${node('Dimension', 'dimensionType: Reference code: String description: String isActive: Boolean isChargeable: Boolean')}
    ${node('DimensionType', 'code: String description: String')}
    ${node('Period', 'company: Reference code: Int fiscalYear: Int startDate: String endDate: String status: String')}
    ${node('Site', 'code: String name: String legalCompany: Reference')}
    ${node(
      'JournalEntry',
      `journalEntryType: Reference journalEntryNumber: String company: Reference site: Reference journal: Reference
      accountingDate: String journalEntryStatus: String journalEntryTransaction: Reference transactionCurrency: Reference
      description: String ${referenceProperty === null ? '' : `${referenceProperty}: String`} journalEntryLines: JournalEntryLineNode ${STAMPS}`,
    )}
    ${node(
      'JournalEntryLine',
      `lineNumber: Int ledgerTypeNumber: Int account: Reference businessPartner: Reference sign: Int
      transactionAmount: String ledgerAmount: String lineDescription: String freeReference: String analyticalLines: AnalyticalLineNode`,
    )}
    ${node('AnalyticalLine', 'analyticalLineNumber: Int transactionAmount: String dimensions: [LineDimension!]')}
    type LineDimension { dimensionType: Reference dimension: Reference }
    ${journalMutation === null ? '' : mutation(journalMutation, packageName('x3Finance', packagePrefix))}`;
  return buildSchema(sdl);
}

/** Older releases prefix the packages: `xtremX3Finance`. */
export function packageName(name: string, prefix: SageX3Settings['packagePrefix']): string {
  return prefix === '' ? name : `${prefix}${typeName(name)}`;
}

const typeName = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;

function node(name: string, properties: string): string {
  return `
    type ${name}Node { ${name === 'JournalEntry' || !name.startsWith('JournalEntry') ? `read(_id: String!): ${name}` : ''}
      query(filter: String, orderBy: String, first: Int, after: String, last: Int, before: String): ${name}Connection }
    type ${name}Connection { totalCount: Int! edges: [${name}Edge!]! pageInfo: PageInfo! }
    type ${name}Edge { cursor: String! node: ${name}! }
    type ${name} { _id: String! ${properties} }`;
}

/** What a customer may define with GESAPIOPE; Sage itself lets nobody write journal entries. */
function mutation(operation: string, finance: string): string {
  return `
    type Mutation { ${finance}: X3FinanceMutations }
    type X3FinanceMutations { journalEntry: JournalEntryMutations }
    type JournalEntryMutations { ${operation}(data: JournalEntryInput!): JournalEntry }
    input JournalEntryInput { journalEntryType: String! site: String! journal: String accountingDate: String!
      transactionCurrency: String description: String internalReference: String status: Int journalEntryLines: [JournalLineInput!]! }
    input JournalLineInput { account: String! sign: Int! transactionAmount: String! lineDescription: String
      businessPartner: String lineReference: String dimensions: [DimensionInput!] }
    input DimensionInput { dimensionType: String! dimension: String! transactionAmount: String }`;
}
