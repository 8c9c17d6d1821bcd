import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { systemClock } from './clock.js';
import type { Config } from './config.js';
import { brexConnector } from './connectors/brex/index.js';
import type { Connector } from './connectors/contract.js';
import { epicorKineticConnector } from './connectors/epicor-kinetic/index.js';
import { expensifyConnector } from './connectors/expensify/index.js';
import { inforM3Connector } from './connectors/infor-m3/index.js';
import { ConnectorRegistry } from './connectors/registry.js';
import { sageX3Connector } from './connectors/sage-x3/index.js';
import { sysproConnector } from './connectors/syspro/index.js';
import { Database } from './entities/database.js';
import { createDataSource } from './entities/dataSource.js';
import { isMigrated, migrate } from './entities/migrate.js';
import { ConfigurationError, UpstreamUnavailableError } from './errors.js';
import { exportRoute } from './http/exports.js';
import { Metrics, metricsRoute } from './http/metrics.js';
import { Readiness, startProbes } from './http/probes.js';
import { receiptRoutes } from './http/receipts.js';
import { createHttpServer, type RunningHttpServer } from './http/server.js';
import { KnownDocuments } from './http/trustedDocuments.js';
import { JobQueue } from './jobs/queue.js';
import { Schedule } from './jobs/schedule.js';
import { Worker } from './jobs/worker.js';
import { createLogger, type Logger } from './logger.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './platform/embeddedPostgres.js';
import { createFileSealer } from './platform/fileSealer.js';
import { createSealer } from './secrets.js';
import { createUseCases } from './services/allUseCases.js';
import { ensureBootstrapAdmin } from './services/apiKeys.js';
import { EventFeed } from './services/eventFeed.js';
import { LiveConnections } from './services/liveConnections.js';
import { LoginTokens } from './services/loginTokens.js';
import { Presence } from './services/processes.js';
import { RedisWakeups } from './services/redisWakeups.js';
import type { SystemsParts } from './services/systems.js';
import { receiveWebhook } from './services/webhooks.js';

const { version: VERSION } = createRequire(import.meta.url)('../package.json') as { version: string };

/** Every connector of this program. A new one is added here and nowhere else. */
export const CONNECTORS: readonly Connector[] = [
  brexConnector,
  expensifyConnector,
  sysproConnector,
  sageX3Connector,
  inforM3Connector,
  epicorKineticConnector,
] as readonly Connector[];

const DEFAULT_TENANT = { id: 'default', name: 'Default' };
/** Of the time to stop, what is left for closing pools and the embedded database. */
const CLOSING_MS = 3_000;

/** Everything but the servers: what the command line works with, and what the processes are built on. */
export interface Ground {
  readonly engine: SystemsParts;
  readonly db: Database;
  /** null = wake-ups travel over the database. */
  readonly redis: RedisWakeups | null;
  readonly queue: JobQueue;
  readonly logger: Logger;
  readonly connectionString: string;
  /** Ends pools, job engine and embedded database; in that order, so that nothing is cut off in mid-statement. */
  close(stopMs: number): Promise<void>;
}

/** Opens the database (starting the embedded one if none is configured), brings it up to date and builds the engine. */
export async function openGround(
  config: Config,
  options: { migrates?: boolean; logger?: Logger } = {},
): Promise<Ground> {
  const logger = options.logger ?? createLogger(config.logLevel);
  const embedded = config.databaseUrl
    ? null
    : await startEmbeddedPostgres({ dataDir: join(config.dataDir, 'postgres') });
  const connectionString = embedded?.connectionString ?? config.databaseUrl?.reveal() ?? '';
  let dataSource: DataSource | null = null;
  let redis: RedisWakeups | null = null;
  try {
    await tryDatabase(connectionString);
    if (options.migrates ?? true) await migrate(connectionString);
    dataSource = await createDataSource({ connectionString }).initialize();
    redis = config.redisUrl === null ? null : new RedisWakeups(config.redisUrl, logger);
    const db = new Database(dataSource, redis);
    await ensureTenant(db);
    const queue = await JobQueue.start(connectionString, db, logger);
    return buildGround(config, { db, redis, dataSource, queue, logger, connectionString, embedded });
  } catch (error) {
    await redis?.stop();
    await dataSource?.destroy();
    await embedded?.stop();
    throw error;
  }
}

interface Opened {
  readonly db: Database;
  readonly redis: RedisWakeups | null;
  readonly dataSource: DataSource;
  readonly queue: JobQueue;
  readonly logger: Logger;
  readonly connectionString: string;
  readonly embedded: EmbeddedPostgres | null;
}

function buildGround(config: Config, opened: Opened): Ground {
  const { db, redis, dataSource, queue, logger, connectionString, embedded } = opened;
  const stopping = new AbortController();
  const sealer = config.masterKeySource === 'file' ? createFileSealer(config.dataDir) : createSealer(config.masterKeys);
  const connectors = new ConnectorRegistry(CONNECTORS);
  const clock = systemClock;
  const parts = { db, clock, logger, connectors, sealer, signal: stopping.signal };
  const engine: SystemsParts = {
    db,
    clock,
    logger,
    connectors,
    sealer,
    connections: new LiveConnections(parts),
    jobs: queue,
    processId: `${process.pid}-${randomBytes(6).toString('hex')}`,
  };
  return {
    engine,
    db,
    redis,
    queue,
    logger,
    connectionString,
    async close(stopMs) {
      await queue.stop(stopMs);
      await redis?.stop();
      await dataSource.destroy();
      await embedded?.stop();
    },
  };
}

/** The server understood us and will not let us in: invalid password or authorisation, no such database. */
const NOT_LET_IN = new Set(['28P01', '28000', '3D000']);
const CONNECT_WITHIN_MS = 15_000;

/**
 * Says in one sentence why a database cannot be used, instead of the stack of whoever connects first.
 * @throws ConfigurationError starting again will not help.
 * @throws UpstreamUnavailableError it may be there in a moment.
 */
async function tryDatabase(connectionString: string): Promise<void> {
  const client = new pg.Client({
    connectionString,
    application_name: 'ledgergate-start',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
  });
  // A connection that is lost after it was made is the business of those who use it.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
    const why = code ?? (error instanceof Error ? error.message : 'unknown');
    if (code !== null && NOT_LET_IN.has(code)) {
      throw new ConfigurationError(`DATABASE_URL names a database that does not let us in (${why}).`, { cause: error });
    }
    throw new UpstreamUnavailableError(`The database that DATABASE_URL names cannot be reached (${why}).`, {
      cause: error,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ensureTenant(db: Database): Promise<void> {
  await db.engine((tx) =>
    tx.execute('insert into tenants (id, name) values ($1, $2) on conflict (id) do nothing', [
      DEFAULT_TENANT.id,
      DEFAULT_TENANT.name,
    ]),
  );
}

export interface RunningApp {
  /** `http://host:port`; null for a worker alone. */
  readonly url: string | null;
  readonly ground: Ground;
  /** Takes no more work, finishes or hands back what runs, ends within `config.shutdownMs`. */
  stop(): Promise<void>;
}

/** Starts the roles that the configuration asks for. What was started ends again when something further on fails. */
export async function startApp(config: Config, logger: Logger = createLogger(config.logLevel)): Promise<RunningApp> {
  const ground = await openGround(config, { logger });
  const { engine, db } = ground;
  const lockKey = BigInt(randomBytes(6).readUIntBE(0, 6));
  const presence = new Presence(db, ground.connectionString, engine.processId, lockKey, logger);
  const parts: Stoppable[] = [];
  const stop = async (): Promise<void> => {
    for (const part of parts) part.beginStop?.();
    // Whoever watches is answered until the work has ended.
    await Promise.all(parts.filter(({ isLast }) => !isLast).map((part) => part.stop()));
    await Promise.all(parts.filter(({ isLast }) => isLast).map((part) => part.stop()));
    const lastProcess = await presence.stop();
    await engine.connections.closeAll({ lastProcess });
    await ground.close(CLOSING_MS);
  };
  try {
    await presence.start(config.roles, engine.clock.now());
    const url = await startRoles(config, ground, parts);
    return { url, ground, stop };
  } catch (error) {
    await stop().catch((stopError: unknown) =>
      logger.warn({ err: stopError }, 'what was started could not be stopped'),
    );
    throw error;
  }
}

/** @returns the address of the API, if this process has it. */
async function startRoles(config: Config, ground: Ground, parts: Stoppable[]): Promise<string | null> {
  const { engine, db, queue } = ground;
  let url: string | null = null;
  if (config.bootstrapAdminKey) await ensureBootstrapAdmin(db, config.bootstrapAdminKey.reveal(), engine.clock.now());
  if (config.roles.includes('api')) {
    const { server, stop } = await startApi(config, ground);
    url = server.url;
    parts.push({ stop });
  }
  // A process with an API answers probes there.
  if (url === null && config.workerPort !== null)
    parts.push(await startWorkerProbes(config, config.workerPort, ground));
  if (config.roles.includes('worker')) {
    const worker = new Worker(engine, queue, db);
    const schedule = new Schedule(engine, db);
    parts.push({
      async stop() {
        await schedule.stop();
        await worker.stop(Math.max(1_000, config.shutdownMs - CLOSING_MS));
      },
    });
    await worker.start();
    await schedule.start();
  }
  return url;
}

async function startWorkerProbes(config: Config, port: number, { engine, db, logger }: Ground): Promise<Stoppable> {
  const { host, metricsToken } = config;
  const metrics = new Metrics({ db, clock: engine.clock, version: VERSION });
  const readiness = new Readiness(() => isMigrated(db));
  const probes = await startProbes({
    ...{ host, port, logger, metrics: metricsRoute(metrics, metricsToken) },
    isReady: () => readiness.isReady(),
  }).catch((error: unknown) => {
    metrics.stop();
    throw whyNotListening(error, { name: 'LEDGERGATE_WORKER_PORT', host, port });
  });
  logger.info({ url: probes.url }, 'answering probes');
  return {
    isLast: true,
    beginStop: () => probes.beginStop(),
    async stop() {
      await probes.stop();
      metrics.stop();
    },
  };
}

interface Stoppable {
  readonly isLast?: boolean;
  beginStop?(): void;
  stop(): Promise<void>;
}

async function startApi(
  config: Config,
  ground: Ground,
): Promise<{ server: RunningHttpServer; stop: () => Promise<void> }> {
  const { engine, db, redis, logger, connectionString } = ground;
  const { trustedDocuments } = config;
  const documents = trustedDocuments === null ? KnownDocuments.open() : KnownDocuments.fromFile(trustedDocuments);
  const feed = new EventFeed({ db, connectionString, logger, ...(redis ? { listener: redis } : {}) });
  await feed.start();
  const metrics = new Metrics({ db, clock: engine.clock, version: VERSION });
  const readiness = new Readiness(() => isMigrated(db));
  const server = await createHttpServer({
    host: config.host,
    port: config.port,
    db,
    clock: engine.clock,
    logger,
    connectors: engine.connectors,
    useCases: createUseCases(engine),
    feed,
    webhooks: (systemId, kind, headers, rawBody) => receiveWebhook(engine, { systemId, kind, headers, rawBody }),
    isReady: () => readiness.isReady(),
    isProduction: config.isProduction,
    executor: config.graphqlExecutor,
    requestsPerMinute: config.requestsPerMinute,
    ...(config.oidc ? { logins: new LoginTokens(config.oidc, engine) } : {}),
    documents,
    routes: [exportRoute(engine), metricsRoute(metrics, config.metricsToken), ...receiptRoutes(engine)],
    drainMs: Math.max(1_000, config.shutdownMs - CLOSING_MS),
  }).catch(async (error: unknown) => {
    metrics.stop();
    await feed.stop();
    throw whyNotListening(error, { name: 'PORT', ...config });
  });
  return {
    server,
    async stop() {
      await server.stop();
      metrics.stop();
      await feed.stop();
    },
  };
}

/** A port that is taken may be the old process's, which is about to give it back: no reason to stay away for good. */
function whyNotListening(
  error: unknown,
  { name, host, port }: { readonly name: string; readonly host: string; readonly port: number },
): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE') {
    return new UpstreamUnavailableError(`${name} ${port} on ${host} is in use by another program.`, { cause: error });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'EACCES' || code === 'ENOTFOUND') {
    return new ConfigurationError(`HOST ${host} with ${name} ${port} cannot be listened on (${code}).`, {
      cause: error,
    });
  }
  return error;
}
