import type { SpendConnection, SpendConnector } from '../contract.js';
import { companyIdOf, runChecks } from './checks.js';
import { ExpensifyClient, type ExpensifyContext, type ExpensifyRuntime, systemRuntime } from './client.js';
import {
  credentialsSchema,
  DEFAULT_BASE_URL,
  describeCredential,
  type ExpensifyCredentials,
  type ExpensifySettings,
  settingsSchema,
} from './config.js';
import { Exporter } from './exporter.js';
import { createMarking } from './marking.js';
import { Policies } from './policies.js';
import { ReportReader } from './reader.js';

export type { ExpensifyCredentials, ExpensifySettings } from './config.js';

/** @param runtime replaced by tests only. */
export function connectExpensify(
  context: ExpensifyContext,
  runtime: ExpensifyRuntime = systemRuntime,
): SpendConnection {
  const { settings } = context;
  const client = new ExpensifyClient(context, runtime);
  const exporter = new Exporter(client, context, runtime);
  const reader = new ReportReader(exporter, new Policies(client, settings.policyCacheMinutes), context);
  return {
    readPage: (stream, window, cursor) => reader.readPage(stream, window, cursor),
    readObjects: (stream, ids) => reader.readObjects(stream, ids),
    ...(settings.markAsExported
      ? { exports: createMarking(settings.exportLabel, { client, exporter, reader, context, runtime }) }
      : {}),
    async companyId() {
      return companyIdOf((await context.credentials.read()).partnerUserID);
    },
    // Nothing is documented to end by disuse; the call shows whether the pair still works.
    async keepAlive() {
      await client.policies();
    },
    test: () => runChecks({ client, exporter, context, runtime }),
    // There is no session or seat to give back.
    disconnect: () => client.close(),
  };
}

export const expensifyConnector: SpendConnector<ExpensifyCredentials, ExpensifySettings> = {
  kind: 'EXPENSIFY',
  title: 'Expensify',
  role: 'SPEND',
  defaultBaseUrl: DEFAULT_BASE_URL,
  credentialsSchema,
  settingsSchema,
  secretSettings: [],
  streams: ['EXPENSE_REPORTS'],
  exportStream: 'EXPENSE_REPORTS',
  describeCredential,
  connect: (context) => connectExpensify(context),
};
