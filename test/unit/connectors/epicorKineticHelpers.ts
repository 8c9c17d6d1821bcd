import { Writable } from 'node:stream';
import type { ConnectionContext, LedgerConnection, LedgerDocument } from '../../../src/connectors/contract.js';
import {
  epicorKineticConnector,
  type KineticCredentials,
  type KineticSettings,
} from '../../../src/connectors/epicor-kinetic/index.js';
import { localDate } from '../../../src/domain/localDate.js';
import { createLogger } from '../../../src/logger.js';
import { type ContextOptions, contextFor } from '../../support/connectorContext.js';

/** What the Epicor Kinetic tests share: planted secrets, a connection with a captured log, documents. */

export const SECRETS = {
  password: 'pl4nted+pass word',
  apiKey: 'pl4nted-api-key-0123456789',
  clientSecret: 'pl4nted/client&secret',
};

export const basic: KineticCredentials = {
  kind: 'basic',
  username: 'gateway',
  password: SECRETS.password,
  apiKey: SECRETS.apiKey,
};

export const oauth = (url: string): KineticCredentials => ({
  kind: 'oauth2',
  tokenUrl: `${url}/connect/token`,
  clientId: 'client',
  clientSecret: SECRETS.clientSecret,
  scope: 'epicor_erp',
  apiKey: SECRETS.apiKey,
});

export const NOW = new Date('2026-11-20T12:00:00Z');

export interface TestConnection {
  readonly connection: LedgerConnection;
  readonly context: ConnectionContext<KineticCredentials, KineticSettings>;
  /** Everything that was logged, at the finest level. */
  readonly log: () => string;
}

export function connectTo(
  baseUrl: string,
  settings: Record<string, unknown> = {},
  options: ContextOptions<KineticCredentials> & { credentials?: KineticCredentials } = {},
): TestConnection {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const parsed = epicorKineticConnector.settingsSchema.parse({
    company: 'EPIC06',
    glSegmentOrder: ['glAccount', 'division', 'costCentre'],
    segmentDefaults: { division: '00' },
    postingWaitSeconds: 0,
    ...settings,
  });
  const context = {
    ...contextFor(baseUrl, options.credentials ?? basic, parsed, { now: () => NOW, ...options }),
    logger: createLogger('trace', stream),
  };
  return { connection: epicorKineticConnector.connect(context), context, log: () => lines.join('') };
}

export function line(
  lineNumber: number,
  glAccount: string,
  debit: string,
  credit: string,
  rest: Partial<LedgerDocument['lines'][number]> = {},
): LedgerDocument['lines'][number] {
  return { lineNumber, glAccount, costCentre: null, dimensions: {}, taxCode: null, debit, credit, memo: null, ...rest };
}

export const journal: LedgerDocument = {
  documentType: 'JOURNAL',
  reference: 'B7F3K2M9Q4T1A0X',
  postingDate: localDate('2026-11-19'),
  periodKey: { year: '2026', suffix: '', period: '11' },
  currency: 'USD',
  supplierCode: null,
  description: 'Brex 2026-11-19',
  total: '125.50',
  lines: [
    line(1, '6400', '100.00', '0.00', { costCentre: '20', memo: 'Café Zoë + bar' }),
    line(2, '6500', '25.50', '0.00', { costCentre: '20', memo: 'Taxi' }),
    line(3, '2150|00|00', '0.00', '125.50', { memo: 'Card clearing', role: 'OFFSET' }),
  ],
};

export function invoice(overrides: Partial<LedgerDocument> = {}): LedgerDocument {
  return { ...journal, documentType: 'SUPPLIER_INVOICE', supplierCode: 'AMAZON', ...overrides };
}

export function queryOf({ documentType, reference, supplierCode, postingDate }: LedgerDocument) {
  return { documentType, reference, supplierCode, postingDate };
}

/** The error that a promise ends in. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing failed');
}

/** Everything an error could show to somebody: its fields, its causes and their stacks. */
export function allTextOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const fields = JSON.stringify(error, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return `${error.message}\n${error.stack}\n${fields}\n${error.cause === undefined ? '' : allTextOf(error.cause)}`;
}

export async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}
