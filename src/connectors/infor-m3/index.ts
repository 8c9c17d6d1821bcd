import { dayIn } from '../../domain/localDate.js';
import type { LedgerRules } from '../../domain/plan.js';
import type {
  CheckResult,
  Clearance,
  ConnectionContext,
  DocumentQuery,
  FoundDocument,
  LedgerConnection,
  LedgerConnector,
  LedgerDocument,
  LedgerPeriod,
  SubmittedDocument,
} from '../contract.js';
import { runChecks } from './checks.js';
import { M3Client } from './client.js';
import { COST_CENTRE, dimensionNumbers, type M3Settings, settingsSchema } from './config.js';
import { M3Discovery } from './discovery.js';
import { TITLE } from './failures.js';
import { credentialsSchema, type M3Credentials } from './ionapi.js';
import { periodsOf, readAccounts, readDimensionValues, readLocalCurrency, readSuppliers } from './masterData.js';
import { M3Poster } from './poster.js';
import { M3Suppliers } from './suppliers.js';

export type { M3Settings } from './config.js';
export { type M3Credentials, SECRET_FIELDS } from './ionapi.js';

export const inforM3Connector: LedgerConnector<M3Credentials, M3Settings> = {
  kind: 'INFOR_M3',
  role: 'LEDGER',
  title: TITLE,
  // `iu` of the .ionapi file: each region has its own.
  defaultBaseUrl: null,
  credentialsSchema,
  settingsSchema,
  secretSettings: [],
  documentTypes: ['JOURNAL', 'SUPPLIER_INVOICE'],
  // Keys of a service account have no end that the file tells.
  baseUrlOf: ({ ionapi }) => ionapi.iu,
  clearingAccountOf: ({ clearingAccount }) => clearingAccount ?? null,
  describeCredential: () => ({ kind: 'ionapi service account', expiresAt: null, renewBy: null }),
  connect: (context) => new M3Connection(context),
};

class M3Connection implements LedgerConnection {
  readonly settlingMs: number;
  /** Vouchers of a company are numbered one after the other; no more is documented. */
  readonly writeConcurrency = 1;
  readonly submitTimeoutMs: number;
  readonly suppliers: M3Suppliers;
  private readonly client: M3Client;
  private readonly discovery: M3Discovery;
  private readonly poster: M3Poster;
  private currency: Promise<string> | null = null;

  constructor(private readonly context: ConnectionContext<M3Credentials, M3Settings>) {
    const { settings } = context;
    this.settlingMs = settings.settlingSeconds * 1000;
    this.submitTimeoutMs = settings.submitTimeoutSeconds * 1000;
    this.client = new M3Client(context);
    this.discovery = new M3Discovery(this.client, () => context.clock.now().getTime());
    this.poster = new M3Poster(
      this.client,
      this.discovery,
      context.signal,
      () => context.clock.now(),
      async () => (await context.credentials.read()).ionapi.ti,
    );
    this.suppliers = new M3Suppliers(this.client);
  }

  async test(): Promise<CheckResult[]> {
    return runChecks({
      client: this.client,
      discovery: this.discovery,
      localCurrency: () => this.localCurrency(),
      accounts: () => this.listAccounts(),
      suppliers: () => this.listSuppliers(),
      periods: () => periodsOf(this.context.settings, this.today()),
      today: () => this.today(),
    });
  }

  async disconnect(): Promise<void> {
    try {
      await this.client.tokens.end();
    } finally {
      await this.client.close();
    }
  }

  async rules(): Promise<LedgerRules> {
    const { settings } = this.context;
    const numbers = dimensionNumbers(settings);
    return {
      localCurrency: settings.foreignCurrencies ? null : await this.localCurrency(),
      documentTypes: inforM3Connector.documentTypes,
      maxLines: settings.maxLines,
      memoLength: settings.memoLength,
      costCentreDimension: numbers.has(COST_CENTRE) ? COST_CENTRE : null,
      accountCode: (line) => line.glAccount,
      takesDimension: (name) => numbers.has(name),
      invoices: {
        takesBothSides: false,
        refundAdvice:
          settings.invoice.refunds === 'refuse'
            ? "Set invoice.refunds in this connection's settings to negative, if this M3 takes negative invoices, then replay."
            : null,
      },
    };
  }

  listAccounts() {
    return readAccounts(this.client, this.today());
  }

  listSuppliers() {
    return readSuppliers(this.client);
  }

  listDimensionValues() {
    return readDimensionValues(this.client, this.today());
  }

  async listPeriods(): Promise<LedgerPeriod[]> {
    return periodsOf(this.context.settings, this.today());
  }

  submit(document: LedgerDocument): Promise<SubmittedDocument> {
    return this.poster.submit(document);
  }

  abandon(document: LedgerDocument, fate: 'WAITING' | 'GIVEN_UP'): Promise<Clearance> {
    return this.poster.abandon(document, fate);
  }

  findByReference(queries: readonly DocumentQuery[]): Promise<FoundDocument[]> {
    return this.poster.findByReference(queries);
  }

  readBack(ledgerDocumentId: string, query: DocumentQuery): Promise<FoundDocument | null> {
    return this.poster.readBack(ledgerDocumentId, query);
  }

  private today() {
    return dayIn('UTC', this.context.clock.now());
  }

  /** A division's currency does not change, so it is read once; a failed read is forgotten. */
  private localCurrency(): Promise<string> {
    this.currency ??= readLocalCurrency(this.client).catch((error: unknown) => {
      this.currency = null;
      throw error;
    });
    return this.currency;
  }
}
