import { dayIn } from '../../domain/localDate.js';
import type { LedgerRules } from '../../domain/plan.js';
import { ConfigurationError } from '../../errors.js';
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
import { COST_CENTRE, listedAccountOf } from './accounts.js';
import { runChecks } from './checks.js';
import { KineticClient } from './client.js';
import { credentialsSchema, type KineticCredentials, type KineticSettings, settingsSchema } from './config.js';
import type { PosterFacts } from './facts.js';
import { TITLE } from './failures.js';
import { isoCurrency, readAccounts, readBook, readPeriods, readSegmentValues, readSuppliers } from './masterData.js';
import { KineticPoster } from './poster.js';
import { KineticSuppliers } from './suppliers.js';

export type { KineticCredentials, KineticSettings } from './config.js';

export const epicorKineticConnector: LedgerConnector<KineticCredentials, KineticSettings> = {
  kind: 'EPICOR_KINETIC',
  role: 'LEDGER',
  title: TITLE,
  // Host and instance are the customer's own.
  defaultBaseUrl: null,
  credentialsSchema,
  settingsSchema,
  secretSettings: [],
  documentTypes: ['JOURNAL', 'SUPPLIER_INVOICE'],
  // Neither passwords nor API keys tell when they end; access tokens are fetched anew by the connection itself.
  describeCredential: (credential) => ({ kind: credential.kind, expiresAt: null, renewBy: null }),
  connect: (context) => new KineticConnection(context),
};

class KineticConnection implements LedgerConnection {
  readonly settlingMs: number;
  /** Nothing is documented about side-by-side writes, and numbers are given out in order. */
  readonly writeConcurrency = 1;
  readonly submitTimeoutMs: number;
  readonly suppliers: KineticSuppliers;
  private readonly client: KineticClient;
  private readonly poster: KineticPoster;
  private currency: Promise<string> | null = null;

  constructor(private readonly context: ConnectionContext<KineticCredentials, KineticSettings>) {
    const { settings, logger } = context;
    this.settlingMs = settings.settlingSeconds * 1000;
    this.submitTimeoutMs = settings.submitTimeoutSeconds * 1000;
    this.client = new KineticClient(context);
    const facts: PosterFacts = {
      client: this.client,
      settings,
      logger,
      localCurrency: () => this.localCurrency(),
    };
    this.poster = new KineticPoster(facts);
    this.suppliers = new KineticSuppliers(facts);
  }

  async test(): Promise<CheckResult[]> {
    return runChecks({
      client: this.client,
      settings: this.context.settings,
      localCurrency: () => this.localCurrency(),
      periods: () => this.listPeriods(),
      today: () => this.today(),
    });
  }

  async disconnect(): Promise<void> {
    try {
      await this.client.auth.end();
    } finally {
      await this.client.close();
    }
  }

  async rules(): Promise<LedgerRules> {
    const { settings } = this.context;
    return {
      localCurrency: await this.localCurrency(),
      documentTypes: epicorKineticConnector.documentTypes,
      maxLines: settings.maxLines,
      memoLength: settings.memoLength,
      costCentreDimension: settings.glSegmentOrder.includes(COST_CENTRE) ? COST_CENTRE : null,
      accountCode: (line) => listedAccountOf(line, settings),
      takesDimension: (name) => settings.glSegmentOrder.includes(name),
      // A refund is a debit memo, and a line may be negative.
      invoices: { takesBothSides: true, refundAdvice: null },
    };
  }

  listAccounts() {
    return readAccounts(this.client, this.context.settings, this.today());
  }

  async *listSuppliers() {
    yield* readSuppliers(this.client, this.context.settings, await this.localCurrency());
  }

  listDimensionValues() {
    return readSegmentValues(this.client, this.context.settings);
  }

  listPeriods(): Promise<LedgerPeriod[]> {
    return readPeriods(this.client, this.context.settings);
  }

  submit(document: LedgerDocument): Promise<SubmittedDocument> {
    return this.poster.submit(document);
  }

  abandon(document: LedgerDocument): Promise<Clearance> {
    return this.poster.abandon(document);
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

  /** A book's currency never changes, so it is read once; a failed read is forgotten. */
  private localCurrency(): Promise<string> {
    this.currency ??= this.readLocalCurrency().catch((error: unknown) => {
      this.currency = null;
      throw error;
    });
    return this.currency;
  }

  private async readLocalCurrency(): Promise<string> {
    const { CurrencyCode } = await readBook(this.client, this.context.settings);
    const iso = isoCurrency(CurrencyCode, this.context.settings);
    if (iso !== null) return iso;
    throw new ConfigurationError(
      `Epicor Kinetic calls the currency of its book "${CurrencyCode}". Enter which ISO currency that is in the setting currencyCodes, e.g. {"${CurrencyCode}": "USD"}.`,
      { code: 'LOCAL_CURRENCY_UNKNOWN' },
    );
  }
}
