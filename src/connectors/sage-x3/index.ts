import { dayIn } from '../../domain/localDate.js';
import type { LedgerRules } from '../../domain/plan.js';
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
import { TITLE } from './auth.js';
import { runChecks } from './checks.js';
import { type SageX3Settings, settingsSchema } from './config.js';
import { credentialsSchema, describeCredential, type SageX3Credentials } from './credentials.js';
import { GraphqlApi } from './graphql.js';
import { GraphqlReader } from './graphqlReader.js';
import { readAccounts, readDimensionValues, readSuppliers } from './masterData.js';
import { readPeriods } from './periods.js';
import { SageX3Poster } from './poster.js';
import type { X3Reader } from './reader.js';
import { RestApi } from './rest.js';
import { RestReader } from './restReader.js';
import { SoapApi } from './soap.js';
import { SoapReader } from './soapReader.js';
import { SageX3Suppliers } from './suppliers.js';
import { systemRuntime, type X3Runtime, X3Transport } from './transport.js';
import { type JournalWriter, writerOf } from './writers.js';

export type { SageX3Settings } from './config.js';
export { type SageX3Credentials, SECRET_FIELDS } from './credentials.js';

const COST_CENTRE = 'costCentre';

export const sageX3Connector: LedgerConnector<SageX3Credentials, SageX3Settings> = {
  kind: 'SAGE_X3',
  role: 'LEDGER',
  title: TITLE,
  // Sage keeps no directory of installations: server, port and folder are the customer's own.
  defaultBaseUrl: null,
  credentialsSchema,
  settingsSchema,
  secretSettings: ['extraHeaders'],
  documentTypes: ['JOURNAL'],
  describeCredential: (credential) => describeCredential(credential),
  connect: (context) => openConnection(context, systemRuntime),
};

/** As `sageX3Connector.connect`, with a replaceable runtime. */
export function openConnection(
  context: ConnectionContext<SageX3Credentials, SageX3Settings>,
  runtime: X3Runtime,
): LedgerConnection {
  return new SageX3Connection(context, runtime);
}

class SageX3Connection implements LedgerConnection {
  readonly settlingMs: number;
  readonly writeConcurrency: number;
  readonly submitTimeoutMs: number;
  readonly suppliers: SageX3Suppliers;
  private readonly transport: X3Transport;
  private readonly reader: X3Reader;
  private readonly writer: JournalWriter;
  private readonly poster: SageX3Poster;

  constructor(
    private readonly context: ConnectionContext<SageX3Credentials, SageX3Settings>,
    runtime: X3Runtime,
  ) {
    const { settings } = context;
    this.settlingMs = settings.settlingSeconds * 1000;
    this.writeConcurrency = settings.writeConcurrency;
    this.submitTimeoutMs = settings.submitTimeoutSeconds * 1000;
    const transport = new X3Transport(context, runtime);
    const soap = new SoapApi(transport);
    const rest = new RestApi(transport);
    this.transport = transport;
    this.reader = readerOf(settings, { soap, rest, graphql: new GraphqlApi(transport) });
    this.writer = writerOf({ settings, soap, rest });
    this.poster = new SageX3Poster(transport, this.reader, this.writer, settings);
    this.suppliers = new SageX3Suppliers({ transport, reader: this.reader, soap, rest, settings });
  }

  async test(): Promise<CheckResult[]> {
    return runChecks({
      settings: this.context.settings,
      reader: this.reader,
      writer: this.writer,
      reach: () => this.transport.reach(),
      periods: () => this.listPeriods(),
      today: () => this.today(),
    });
  }

  /** Web services are stateless: there is no session to end. */
  async disconnect(): Promise<void> {
    await this.transport.close();
  }

  async rules(): Promise<LedgerRules> {
    const { settings } = this.context;
    return {
      localCurrency: settings.localCurrency ?? null,
      documentTypes: sageX3Connector.documentTypes,
      maxLines: settings.journal.maxLines,
      memoLength: settings.journal.memoLength,
      costCentreDimension: settings.dimensionTypes[COST_CENTRE] === undefined ? null : COST_CENTRE,
      accountCode: (line) => line.glAccount,
      takesDimension: (name) => settings.dimensionTypes[name] !== undefined,
    };
  }

  listAccounts() {
    return readAccounts(this.reader, this.context.settings, this.today());
  }

  listSuppliers() {
    return readSuppliers(this.reader);
  }

  listDimensionValues() {
    return readDimensionValues(this.reader, this.context.settings, this.today());
  }

  listPeriods(): Promise<LedgerPeriod[]> {
    return readPeriods(this.reader, this.context.settings, this.today());
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

  private today() {
    return dayIn(this.context.settings.timeZone, this.context.clock.now());
  }
}

function readerOf(
  settings: SageX3Settings,
  apis: { readonly soap: SoapApi; readonly rest: RestApi; readonly graphql: GraphqlApi },
): X3Reader {
  switch (settings.read) {
    case 'rest':
      return new RestReader(apis.rest, settings);
    case 'soap':
      return new SoapReader(apis.soap, settings);
    case 'graphql':
      return new GraphqlReader(apis.graphql, settings);
  }
}
