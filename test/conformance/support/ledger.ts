import type {
  DocumentQuery,
  LedgerConnection,
  LedgerConnector,
  LedgerDocument,
  LedgerPeriod,
} from '../../../src/connectors/contract.js';
import { type LocalDate, localDate } from '../../../src/domain/localDate.js';
import type { DocumentType } from '../../../src/domain/vocabulary.js';
import type { LedgerSandbox } from '../../../src/sandbox/kit/index.js';
import { CLEARING, COST_CENTRE, EXPENSE, OPEN_DAY, SUPPLIER } from './company.js';

/** What the suite must know of one ledger beyond the contract. */
export interface LedgerUnderTest {
  // biome-ignore lint/suspicious/noExplicitAny: the suite treats credentials and settings of all connectors alike
  readonly connector: LedgerConnector<any, any>;
  /** Starts the simulated ledger with the suite's company. */
  start(): Promise<StartedLedger>;
  /** What is asked of a journal line beyond account and cost centre, say a dimension that the company set up as mandatory. */
  readonly dimensions?: Readonly<Record<string, string>>;
  /** Names of dimensions whose values are listed, cost centres first. */
  readonly listedDimensions: readonly string[];
  /** Document types that the ledger refuses in a closed period. */
  readonly closes: readonly DocumentType[];
  /** Document types of which a given-up attempt stays visible in the ledger, outside the books. */
  readonly keepsAbandoned: readonly DocumentType[];
  /** Document types of which what an attempt left is removed from the ledger when they are given up. */
  readonly clears: readonly DocumentType[];
  /** Suppliers that the ledger lists beside the company's, such as a template to copy from. */
  readonly otherSuppliers: number;
  /** false = no interface shows the calendar, so it is a setting and proves nothing. */
  readonly readsPeriods: boolean;
  readonly createsSuppliers: boolean;
  /** Control accounts refuse journals in this ledger's own check, or are listed as blocked. */
  readonly listsControlAccounts: boolean;
}

export interface StartedLedger {
  readonly sandbox: LedgerSandbox;
  readonly credentials: unknown;
  /** Credentials that the ledger refuses. */
  readonly wrongCredentials: unknown;
  /** Short waits: a second or less for everything. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** All secrets in `credentials`: none may show anywhere. */
  readonly secrets: readonly string[];
  /** Resolves when nothing that was begun in the ledger is still on its way. */
  quiet(): Promise<void>;
}

export interface Opened extends StartedLedger {
  readonly connection: LedgerConnection;
  readonly periods: readonly LedgerPeriod[];
  /** All that was logged, at the finest level. */
  readonly log: () => string;
}

/** A document as planning would give it, in the period that holds its day. */
export function documentOf(
  subject: LedgerUnderTest,
  opened: Pick<Opened, 'periods'>,
  reference: string,
  over: Partial<LedgerDocument> = {},
): LedgerDocument {
  const documentType = over.documentType ?? 'JOURNAL';
  const postingDate: LocalDate = over.postingDate ?? localDate(OPEN_DAY);
  const period = opened.periods.find(({ startsOn, endsOn }) => startsOn <= postingDate && postingDate <= endsOn);
  const common = { taxCode: null, dimensions: {} };
  return {
    documentType,
    reference,
    postingDate,
    periodKey: period?.key ?? {},
    currency: 'USD',
    supplierCode: documentType === 'SUPPLIER_INVOICE' ? SUPPLIER : null,
    description: 'Purchase 2026-11-12 Blue Heron Cafe',
    total: '125.50',
    lines: [
      {
        ...common,
        ...{ lineNumber: 1, role: 'EXPENSE', glAccount: EXPENSE, costCentre: COST_CENTRE },
        ...{
          dimensions: { ...subject.dimensions },
          debit: '100.00',
          credit: '0.00',
          memo: 'Zoë Müller | Café & Bar <1>',
        },
      },
      {
        ...common,
        ...{ lineNumber: 2, role: 'EXPENSE', glAccount: '6101', costCentre: '20' },
        ...{ dimensions: { ...subject.dimensions }, debit: '25.50', credit: '0.00', memo: null },
      },
      {
        ...common,
        ...{ lineNumber: 3, role: 'OFFSET', glAccount: CLEARING, costCentre: null },
        ...{ debit: '0.00', credit: '125.50', memo: 'Card clearing' },
      },
    ],
    ...over,
  };
}

export function queryOf({ documentType, reference, supplierCode, postingDate }: LedgerDocument): DocumentQuery {
  return { documentType, reference, supplierCode, postingDate };
}

export const DOCUMENT_WORDS: Readonly<Record<DocumentType, string>> = {
  JOURNAL: 'journal',
  SUPPLIER_INVOICE: 'supplierInvoice',
};
