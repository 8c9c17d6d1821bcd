import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { type Clock, systemClock } from '../../src/clock.js';
import type { Connector } from '../../src/connectors/contract.js';
import { ConnectorRegistry } from '../../src/connectors/registry.js';
import { newId } from '../../src/domain/ids.js';
import type { Role } from '../../src/domain/vocabulary.js';
import { Database } from '../../src/entities/database.js';
import { createDataSource } from '../../src/entities/dataSource.js';
import { createHttpServer, type HttpServerOptions, type RunningHttpServer } from '../../src/http/server.js';
import { createLogger } from '../../src/logger.js';
import { Secret } from '../../src/secrets.js';
import { createApiKey } from '../../src/services/apiKeys.js';
import { type AuditEntry, record } from '../../src/services/audit.js';
import type { Caller } from '../../src/services/engine.js';
import { EventFeed } from '../../src/services/eventFeed.js';
import { RedisWakeups } from '../../src/services/redisWakeups.js';
import type { UseCases } from '../../src/services/useCases.js';
import { type FreshDatabase, freshDatabase } from './database.js';

export const TENANT = 'acme';

/** A use case that a test did not expect to be called. */
const unexpected = new Proxy({} as UseCases, {
  get: (_target, name) => async () => {
    throw new Error(`The use case ${String(name)} was not expected.`);
  },
});

function connectorOf(facts: Partial<Connector> & Pick<Connector, 'kind' | 'role'>): Connector {
  const never = () => {
    throw new Error('No test of the schema connects to anything.');
  };
  return {
    title: facts.kind,
    defaultBaseUrl: null,
    credentialsSchema: z.object({ kind: z.literal('userToken'), token: z.string() }),
    settingsSchema: z.strictObject({
      webhookSecret: z.string().optional(),
      pageSize: z.number().int().default(100),
      nested: z.object({ sessionSalt: z.string() }).optional(),
    }),
    capabilities: ['reads:expenses'],
    describeCredential: never,
    connect: never,
    streams: ['EXPENSES'],
    documentTypes: ['JOURNAL'],
    ...facts,
  } as unknown as Connector;
}

export const connectors = new ConnectorRegistry([
  connectorOf({
    kind: 'BREX',
    role: 'SPEND',
    webhooks: {
      secretsIn: () => [],
      verify: () => null,
      translate: () => ({ eventType: '', companyId: null, objects: [] }),
    },
    ...{ secretSettings: ['sessionSalt'] },
  }),
  connectorOf({ kind: 'SYSPRO', role: 'LEDGER' }),
]);

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever it asked for, and fails when it is not there.
  readonly body: any;
}

/** A gateway on a database of its own, or a second one on the database of another. */
export class Gateway {
  private constructor(
    readonly database: FreshDatabase,
    private readonly ownsDatabase: boolean,
    readonly dataSource: DataSource,
    readonly db: Database,
    readonly feed: EventFeed,
    readonly server: RunningHttpServer,
    readonly clock: Clock,
    private readonly redis: RedisWakeups | null,
  ) {}

  static async start(
    options: Partial<HttpServerOptions> & {
      on?: Gateway;
      log?: NodeJS.WritableStream;
      safetyPollMs?: number;
      redisUrl?: string;
    } = {},
  ): Promise<Gateway> {
    const { on, log, safetyPollMs, redisUrl, ...given } = options;
    const database = on?.database ?? (await freshDatabase());
    const dataSource = createDataSource({ connectionString: database.connectionString });
    await dataSource.initialize();
    const logger = log ? createLogger('debug', log) : createLogger('silent');
    const redis = redisUrl === undefined ? null : new RedisWakeups(new Secret(redisUrl), logger);
    const db = new Database(dataSource, redis);
    const feed = new EventFeed({
      connectionString: database.connectionString,
      db,
      logger,
      ...(redis ? { listener: redis } : {}),
      ...(safetyPollMs === undefined ? {} : { safetyPollMs }),
    });
    await feed.start();
    const clock = given.clock ?? systemClock;
    const server = await createHttpServer({
      host: '127.0.0.1',
      port: 0,
      db,
      clock,
      logger,
      connectors,
      useCases: unexpected,
      feed,
      webhooks: async () => ({ status: 404, body: {} }),
      isReady: async () => true,
      isProduction: false,
      drainMs: 500,
      ...given,
    });
    if (!on) await db.engine((tx) => tx.execute("insert into tenants (id, name) values ($1, 'Acme')", [TENANT]));
    return new Gateway(database, !on, dataSource, db, feed, server, clock, redis);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.feed.stop();
    await this.redis?.stop();
    await this.dataSource.destroy();
    if (this.ownsDatabase) await this.database.drop();
  }

  async tenant(id: string): Promise<void> {
    await this.db.engine((tx) => tx.execute('insert into tenants (id, name) values ($1, $1)', [id]));
  }

  async key(role: Role, tenantId = TENANT, name = role.toLowerCase()): Promise<string> {
    const caller: Caller = { tenantId, actor: 'system:test', keyId: null, role: 'ADMIN', correlationId: 'test' };
    const made = await createApiKey(this.db, caller, { name, role, expiresAt: null }, this.clock.now());
    if (!made.ok) throw new Error('The key was refused.');
    return made.value.secret;
  }

  /** A GraphQL request; the body as parsed JSON. */
  async ask(
    key: string | null,
    query: string,
    variables?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  /** The data of a request that must not fail. */
  // biome-ignore lint/suspicious/noExplicitAny: see `Answer`.
  async data(key: string, query: string, variables?: object): Promise<any> {
    const { body } = await this.ask(key, query, variables);
    if (body.errors) throw new Error(JSON.stringify(body.errors));
    return body.data;
  }

  async insert(table: string, row: Record<string, unknown>, tenantId = TENANT): Promise<void> {
    const full: Record<string, unknown> = { tenant_id: tenantId, ...row };
    const names = Object.keys(full);
    const values = Object.values(full).map(toSql);
    await this.db.tenant(tenantId, (tx) =>
      tx.execute(
        `insert into ${table} (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})`,
        values,
      ),
    );
  }

  async audit(...entries: Partial<AuditEntry>[]): Promise<void> {
    await this.db.tenant(TENANT, async (tx) => {
      record(
        tx,
        new Date(),
        ...entries.map((entry) => ({
          actor: 'system:test',
          action: 'test.happened',
          subjectType: 'Test',
          subjectId: 'test',
          summary: 'Something happened.',
          correlationId: 'correlation',
          ...entry,
        })),
      );
    });
  }
}

/** JSON columns take objects; lists of words are PostgreSQL arrays, marked as such where a table has them. */
function toSql(value: unknown): unknown {
  if (value instanceof Json) return JSON.stringify(value.value);
  if (value instanceof Date) return value.toISOString();
  return value;
}

class Json {
  constructor(readonly value: unknown) {}
}

export function json(value: unknown): Json {
  return new Json(value);
}

const NOW = new Date('2026-11-20T10:00:00Z');
const hex = () => randomBytes(4).toString('hex');

/** A spend system, a ledger and a pipeline between them. */
export async function seedPipeline(gateway: Gateway, tenantId = TENANT) {
  const ids = { source: newId('sys'), ledger: newId('sys'), pipeline: newId('pipe') };
  const system = { status: 'ACTIVE', created_at: NOW, settings: json({}) };
  await gateway.insert(
    'systems',
    {
      ...system,
      id: ids.source,
      kind: 'BREX',
      role: 'SPEND',
      name: 'Brex',
      base_url: 'https://brex.example',
      settings: json({
        webhookSecret: 'whsec_never',
        pageSize: 100,
        nested: { sessionSalt: 'never', depth: 1 },
        list: [{ accessToken: 'never' }],
      }),
    },
    tenantId,
  );
  await gateway.insert(
    'systems',
    { ...system, id: ids.ledger, kind: 'SYSPRO', role: 'LEDGER', name: 'SYSPRO', base_url: 'http://syspro.example' },
    tenantId,
  );
  await gateway.insert(
    'pipelines',
    {
      id: ids.pipeline,
      name: 'Cards',
      source_id: ids.source,
      ledger_id: ids.ledger,
      streams: ['EXPENSES', 'CARD_TRANSACTIONS'],
      document_type: 'JOURNAL',
      grouping: 'PER_RECORD',
      schedule: '0 6 * * *',
      time_zone: 'Europe/Berlin',
      enabled: true,
      offset_account: '2100',
      default_account: null,
      unmatched_vendor: 'HOLD',
      posting_date: 'TRANSACTION_DATE',
      closed_period: 'HOLD',
      coding: 'RICHEST',
      correction: 'REVERSE_AND_REPLACE',
      require_approval: false,
      export_master_data: false,
      created_at: NOW,
    },
    tenantId,
  );
  return ids;
}

export type PipelineIds = Awaited<ReturnType<typeof seedPipeline>>;

export async function seedRecord(
  gateway: Gateway,
  ids: PipelineIds,
  over: Record<string, unknown> = {},
): Promise<string> {
  const id = newId('spend');
  const money = (minor: string, currency = 'USD') => ({ minor, currency });
  await gateway.insert('spend_records', {
    id,
    source_id: ids.source,
    origin_key: `expense:${hex()}`,
    status: 'PLANNED',
    revision: 1,
    content_hash: hex(),
    kind: 'PURCHASE',
    amount: '1234.5',
    currency: 'USD',
    merchant_name: 'Blue Bottle Coffee',
    transaction_date: '2026-11-18',
    unified: json({
      originalAmount: money('1000', 'JPY'),
      exchangeRate: '1.2345',
      tax: money('-5'),
      merchantDescriptor: 'SQ *BLUE BOTTLE',
      mcc: '5814',
      category: 'cat_meals',
      dimensions: { Department: 'R&D' },
      parts: [{ amount: money('123450'), tax: null, category: 'cat_meals', dimensions: { Department: 'R&D' } }],
      spender: 'Ada Lovelace',
      memo: 'Coffee',
      receiptUrls: ['https://brex.example/receipt/1'],
    }),
    correlation_id: hex(),
    created_at: NOW,
    updated_at: NOW,
    ...over,
  });
  await gateway.insert('source_objects', {
    source_id: ids.source,
    stream: 'EXPENSES',
    external_id: `expense_${id}`,
    version: '1',
    content_hash: hex(),
    kind: 'PURCHASE',
    amount: '1234.5',
    currency: 'USD',
    object: json({}),
    raw: json({}),
    spend_record_id: id,
    first_seen_at: NOW,
    last_changed_at: NOW,
  });
  return id;
}

/** A posting with two lines, two attempts, one purchase and two audit events. */
export async function seedPosting(gateway: Gateway, ids: PipelineIds, over: Record<string, unknown> = {}) {
  const id = String(over.id ?? newId('post'));
  const supplier = `S${hex()}`;
  await gateway.insert('suppliers', {
    system_id: ids.ledger,
    code: supplier,
    name: `Supplier ${supplier}`,
    active: true,
  });
  await gateway.insert('postings', {
    id,
    pipeline_id: ids.pipeline,
    ledger_id: ids.ledger,
    status: 'HELD',
    document_type: 'JOURNAL',
    reference: `R${randomBytes(6).toString('hex').toUpperCase()}`,
    plan_hash: 'f'.repeat(64),
    posting_date: '2026-11-18',
    first_planned_for: '2026-11-18',
    currency: 'USD',
    total: '1234.5',
    supplier_code: supplier,
    description: 'Coffee',
    holds: json([
      { code: 'PERIOD_CLOSED', message: 'November is closed.', field: 'postingDate', resolution: 'Open it in SYSPRO.' },
    ]),
    mapping_version: 1,
    correlation_id: hex(),
    triggered_by: 'user:test',
    created_at: NOW,
    updated_at: NOW,
    ...over,
  });
  const recordId = await seedRecord(gateway, ids);
  const line = {
    posting_id: id,
    dimensions: json({ Project: 'P1' }),
    spend_record_ids: [recordId],
    explanation: 'Rule 1.',
  };
  await gateway.insert('posting_lines', {
    ...line,
    line_number: 1,
    role: 'EXPENSE',
    gl_account: '00610',
    debit: '1234.5',
    credit: '0',
  });
  await gateway.insert('posting_lines', {
    ...line,
    line_number: 2,
    role: 'OFFSET',
    gl_account: '2100',
    debit: '0',
    credit: '1234.50',
  });
  await gateway.insert('posting_spend', {
    posting_id: id,
    spend_record_id: recordId,
    revision: 1,
    amount: '1234.5',
    accounting_hash: 'a',
  });
  for (const number of [1, 2]) {
    await gateway.insert('posting_attempts', {
      posting_id: id,
      number,
      fence: number,
      plan_hash: 'f'.repeat(64),
      worker: 'w1',
      started_at: NOW,
      outcome: 'RETRY',
    });
  }
  await gateway.audit(
    { action: 'posting.planned', subjectType: 'GlPosting', subjectId: id },
    { action: 'posting.held', subjectType: 'GlPosting', subjectId: id },
  );
  return { id, recordId, supplier };
}
