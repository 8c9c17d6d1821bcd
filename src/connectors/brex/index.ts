import type { SpendStream } from '../../domain/vocabulary.js';
import { ConfigurationError } from '../../errors.js';
import type {
  ManagesWebhooks,
  ReadsReceipts,
  ReadsVendors,
  ReceivesMasterData,
  ReportsExports,
  SpendConnection,
  SpendConnector,
} from '../contract.js';
import { runChecks } from './checks.js';
import { BrexClient, type Integration } from './client.js';
import { fieldOf } from './codingFields.js';
import {
  type BrexCredentials,
  type BrexSettings,
  credentialsSchema,
  DEFAULT_BASE_URL,
  describeCredential,
  settingsSchema,
} from './config.js';
import { createExports } from './exports.js';
import { type BrexFields, createFields } from './fields.js';
import { BrexReader } from './reader.js';
import { createReceipts } from './receipts.js';
import { type BrexTransfers, createTransfers } from './transfers.js';
import { type BrexContext, type BrexRuntime, createTransport, systemRuntime } from './transport.js';
import { createVendors } from './vendors.js';
import { createWebhookManagement } from './webhookManagement.js';
import { brexWebhooks } from './webhooks.js';

export type { BrexCredentials, BrexSettings } from './config.js';

const STREAMS: readonly SpendStream[] = ['CARD_TRANSACTIONS', 'CASH_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'];

/** How far the test of a connection looks back, in milliseconds. */
const CHECK_LOOKBACK_MS = 30 * 24 * 60 * 60 * 1000;

/** A connection to one Brex account, with what only Brex has. */
export interface BrexConnection extends SpendConnection {
  readonly exports: ReportsExports;
  readonly webhookManagement: ManagesWebhooks;
  readonly vendors: ReadsVendors;
  readonly receipts: ReadsReceipts;
  readonly masterData: ReceivesMasterData;
  readonly transfers: BrexTransfers;
  readonly integration: {
    /** The integration of the vendor and account in the settings, created once. @throws ConfigurationError not set. */
    ensure(): Promise<Integration>;
    disconnect(id: string): Promise<Integration>;
    reactivate(id: string): Promise<Integration>;
  };
  /** Accounts and dimensions of the ledger, to code with in Brex. */
  readonly fields: BrexFields;
  /** Every endpoint we use. */
  readonly client: BrexClient;
}

/** @param runtime replaced by tests only. */
export function connectBrex(context: BrexContext, runtime: BrexRuntime = systemRuntime): BrexConnection {
  const { settings, clock } = context;
  const client = new BrexClient(createTransport(context, runtime));
  const reader = new BrexReader(client, settings, clock);
  let companyId: string | null = null;
  const fields = createFields(client);
  const integration = createIntegration(client, settings);
  return {
    client,
    readPage: (stream, window, cursor) => reader.readPage(stream, window, cursor),
    readObjects: (stream, ids) => reader.readObjects(stream, ids),
    exports: createExports(client, settings.exportBatch),
    webhookManagement: createWebhookManagement(client, settings.webhookEvents),
    vendors: createVendors(client),
    receipts: createReceipts(client),
    transfers: createTransfers(client),
    fields,
    integration,
    masterData: {
      async push({ key, name }, values) {
        const { id: integrationId } = await integration.ensure();
        return fields.push(await fields.ensure({ wanted: fieldOf(key, settings), name, integrationId }), values);
      },
    },
    async companyId() {
      companyId ??= (await client.company()).id;
      return companyId;
    },
    async keepAlive() {
      await client.me();
    },
    test: () => runChecks(client, new Date(clock.now().getTime() - CHECK_LOOKBACK_MS), runtime.monotonicMs),
    // Brex has no session or seat to give back; the accounting integration stays until somebody disconnects it.
    disconnect: () => client.close(),
  };
}

function createIntegration(
  client: BrexClient,
  { integrationVendor, vendorAccountId }: BrexSettings,
): BrexConnection['integration'] {
  return {
    async ensure() {
      if (integrationVendor && vendorAccountId) return client.ensureIntegration(integrationVendor, vendorAccountId);
      throw new ConfigurationError(
        'An accounting integration needs integrationVendor (issued by Brex) and vendorAccountId in the settings.',
      );
    },
    disconnect: (id) => client.disconnectIntegration(id),
    reactivate: (id) => client.reactivateIntegration(id),
  };
}

export const brexConnector: SpendConnector<BrexCredentials, BrexSettings> = {
  kind: 'BREX',
  title: 'Brex',
  role: 'SPEND',
  defaultBaseUrl: DEFAULT_BASE_URL,
  credentialsSchema,
  settingsSchema,
  secretSettings: ['webhookSecret'],
  streams: STREAMS,
  exportStream: 'ACCOUNTING_RECORDS',
  describeCredential,
  connect(context): SpendConnection {
    const { vendors, ...connection } = connectBrex(context);
    return context.settings.keepVendors ? { ...connection, vendors } : connection;
  },
  webhooks: brexWebhooks,
};
