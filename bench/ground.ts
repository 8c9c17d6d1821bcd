import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import type * as App from '../src/app.js';
import type * as Config from '../src/config.js';
import type * as EmbeddedPostgres from '../src/platform/embeddedPostgres.js';
import type { BrexAccess, SysproAccess } from '../src/sandbox/start.js';
import { type ConnectedFlow, connectFlow, GatewayClient } from '../test/scenarios/support/gateway.js';
import { ProductProcess } from '../test/scenarios/support/processes.js';

const project = resolve(import.meta.dirname, '..');
const dist = join(project, 'dist');
const MONTH_PURCHASES = 400;

export interface LedgerAccess {
  readonly syspro: SysproAccess;
  /** The same ledger once more, for the bare loop. */
  readonly bare: SysproAccess;
  readonly brex: BrexAccess;
}

/** What every part of the benchmark stands on: a durable database, simulated systems in a process of their own, one api. */
export interface BenchGround {
  readonly pool: pg.Pool;
  readonly databaseUrl: string;
  readonly access: LedgerAccess;
  readonly client: GatewayClient;
  readonly flow: ConnectedFlow;
  /** The engine in this process, without any worker. */
  readonly app: App.Ground;
  startApi(nodeOptions?: readonly string[]): ProductProcess;
  /** A server of the benchmark's own; resolves when it listens. */
  startBare(kind: 'webhooks' | 'page', env: Record<string, string>): Promise<{ url: string; stop(): Promise<void> }>;
  load<Module>(path: string): Promise<Module>;
  close(): Promise<void>;
}

async function load<Module>(path: string): Promise<Module> {
  return (await import(pathToFileURL(join(dist, path)).href)) as Module;
}

export async function layGround(webhookSecret: string): Promise<BenchGround> {
  if (!existsSync(join(dist, 'main.js'))) throw new Error('There is no build: run npm run build first.');
  const folder = mkdtempSync(join(tmpdir(), 'ledgergate-bench-'));
  chmodSync(folder, 0o711);
  const closing: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const one of closing.splice(0).reverse()) await one();
  };
  try {
    const { startEmbeddedPostgres } = await load<typeof EmbeddedPostgres>('platform/embeddedPostgres.js');
    const database = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres') });
    closing.push(() => database.stop());
    const databaseUrl = database.connectionString;
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
    closing.push(() => pool.end());
    const sandboxes = await startChild(['sandboxes', String(MONTH_PURCHASES)], {});
    closing.push(sandboxes.stop);
    const access = JSON.parse(sandboxes.said) as LedgerAccess;
    const shared = {
      databaseUrl,
      masterKey: randomBytes(32).toString('base64'),
      bootstrapKey: `bootstrap-${randomBytes(16).toString('hex')}`,
    };
    const product = { folder, main: join(dist, 'main.js'), load, remove: () => undefined };
    const startApi = (nodeOptions: readonly string[] = []) =>
      ProductProcess.start(product, { ...shared, role: 'api', name: 'api', nodeOptions });
    const api = startApi();
    const client = new GatewayClient(await api.ready, shared.bootstrapKey);
    const flow = await connectFlow(client, { ...access, brexSettings: { webhookSecret } });
    await api.stop();

    const { readConfig } = await load<typeof Config>('config.js');
    const { openGround } = await load<typeof App>('app.js');
    const env = { DATABASE_URL: databaseUrl, LEDGERGATE_MASTER_KEY: shared.masterKey, LOG_LEVEL: 'error' };
    const app = await openGround(readConfig({ ...env, LEDGERGATE_DATA_DIR: folder }));
    closing.push(() => app.close(1_000));
    return {
      ...{ pool, databaseUrl, access, client, flow, app, startApi, load, close },
      startBare: async (kind, bareEnv) => {
        const child = await startChild([kind], { DATABASE_URL: databaseUrl, ...bareEnv });
        return { url: child.said, stop: child.stop };
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A process of the benchmark that says one line when it is ready. */
async function startChild(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ said: string; stop(): Promise<void> }> {
  const hook = join(project, 'test/support/typescript.mjs');
  const child: ChildProcess = fork(join(import.meta.dirname, 'child.ts'), [...args], {
    execArgv: ['--import', hook],
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  const [said] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`The process ${args[0]} of the benchmark ended.`))),
  ])) as [string];
  return {
    said,
    async stop() {
      if (child.exitCode !== null) return;
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
