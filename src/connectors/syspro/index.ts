import { dayIn } from '../../domain/localDate.js';
import type { LedgerRules } from '../../domain/plan.js';
import { ConfigurationError } from '../../errors.js';
import type {
  CheckResult,
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
import { SysproClient } from './client.js';
import {
  composeAccount,
  costCentreSectionOf,
  credentialsSchema,
  maxLinesOf,
  type SysproCredentials,
  type SysproSettings,
  settingsSchema,
} from './config.js';
import { COST_CENTRE, isoCurrency, readAccounts, readCostCentres, readSuppliers } from './masterData.js';
import { readPeriods } from './periods.js';
import { SysproPoster } from './poster.js';
import { TITLE } from './session.js';
import { SysproSuppliers } from './suppliers.js';

export type { SysproCredentials, SysproSettings } from './config.js';

export const sysproConnector: LedgerConnector<SysproCredentials, SysproSettings> = {
  kind: 'SYSPRO',
  role: 'LEDGER',
  title: TITLE,
  // Host, port and path are the customer's own.
  defaultBaseUrl: null,
  credentialsSchema,
  settingsSchema,
  secretSettings: [],
  documentTypes: ['JOURNAL', 'SUPPLIER_INVOICE'],
  // An operator's password has no end that the service tells.
  describeCredential: () => ({ kind: 'operator', expiresAt: null, renewBy: null }),
  connect: (context) => new SysproConnection(context),
};

class SysproConnection implements LedgerConnection {
  readonly settlingMs: number;
  /** Calls of one operator share one session, and posting is documented for one caller at a time. */
  readonly writeConcurrency = 1;
  readonly submitTimeoutMs: number;
  readonly suppliers: SysproSuppliers;
  private readonly client: SysproClient;
  private readonly poster: SysproPoster;
  private currency: Promise<string> | null = null;

  constructor(private readonly context: ConnectionContext<SysproCredentials, SysproSettings>) {
    const { settings } = context;
    this.settlingMs = settings.settlingSeconds * 1000;
    this.submitTimeoutMs = settings.submitTimeoutSeconds * 1000;
    this.client = new SysproClient(context);
    this.suppliers = new SysproSuppliers(this.client, settings);
    this.poster = new SysproPoster(this.client, settings, {
      systemKey: `${context.tenantId}/${context.systemId}`,
      companyId: () => this.companyId(),
      localCurrency: () => this.localCurrency(),
      today: () => dayIn('UTC', context.clock.now()),
    });
  }

  async test(): Promise<CheckResult[]> {
    return runChecks({
      client: this.client,
      settings: this.context.settings,
      localCurrency: () => this.localCurrency(),
      periods: () => this.listPeriods(),
      today: () => dayIn('UTC', this.context.clock.now()),
    });
  }

  async disconnect(): Promise<void> {
    try {
      await this.client.session.end();
    } finally {
      await this.client.close();
    }
  }

  async rules(): Promise<LedgerRules> {
    const { settings } = this.context;
    return {
      localCurrency: await this.localCurrency(),
      documentTypes: sysproConnector.documentTypes,
      maxLines: maxLinesOf(settings),
      memoLength: settings.memoLength,
      costCentreDimension: costCentreSectionOf(settings) === null ? null : COST_CENTRE,
      isCostCentreInAccount: settings.accountTemplate.includes('{costCentre'),
      accountCode: (line) => composeAccount(settings.accountTemplate, line),
      takesDimension: (name) => settings.analysisCodes[name] !== undefined,
      invoices: {
        takesBothSides: false,
        refundAdvice:
          settings.creditTransactionCode === undefined
            ? "Set creditTransactionCode in this connection's settings to the transaction code of credit notes, then replay."
            : null,
      },
    };
  }

  listAccounts() {
    return readAccounts(this.client, this.context.settings);
  }

  listSuppliers() {
    return readSuppliers(this.client, this.context.settings);
  }

  listDimensionValues() {
    return readCostCentres(this.client, this.context.settings);
  }

  async listPeriods(): Promise<LedgerPeriod[]> {
    return readPeriods(this.client, this.context.settings, await this.companyId());
  }

  submit(document: LedgerDocument): Promise<SubmittedDocument> {
    return this.poster.submit(document);
  }

  findByReference(queries: readonly DocumentQuery[]): Promise<FoundDocument[]> {
    return this.poster.findByReference(queries);
  }

  readBack(ledgerDocumentId: string, query: DocumentQuery): Promise<FoundDocument | null> {
    return this.poster.readBack(ledgerDocumentId, query);
  }

  private async companyId(): Promise<string> {
    return (await this.context.credentials.read()).companyId;
  }

  /** A company's local currency never changes, so it is read once; a failed read is forgotten. */
  private localCurrency(): Promise<string> {
    this.currency ??= this.readLocalCurrency().catch((error: unknown) => {
      this.currency = null;
      throw error;
    });
    return this.currency;
  }

  private async readLocalCurrency(): Promise<string> {
    const { localcurrencycode } = await this.client.logonProfile();
    const iso = isoCurrency(localcurrencycode, this.context.settings.localCurrency);
    if (iso !== null) return iso;
    throw new ConfigurationError(
      `SYSPRO calls its local currency "${localcurrencycode}". Enter which ISO currency that is in the setting localCurrency, e.g. {"${localcurrencycode}": "USD"}.`,
      { code: 'LOCAL_CURRENCY_UNKNOWN' },
    );
  }
}
