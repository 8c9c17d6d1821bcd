import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { SeedPurchase } from '../../../src/sandbox/brex/index.js';
import type * as Sandboxes from '../../../src/sandbox/start.js';
import { type ConnectedFlow, connectFlow, GatewayClient } from '../support/gateway.js';
import { ProductProcess } from '../support/processes.js';
import { type CrashOptions, SETTLING_S, SUBMIT_TIMEOUT_S } from './options.js';
import { ExportWatch, LedgerWatch } from './watch.js';

export interface World {
  readonly sandboxes: Sandboxes.RunningSandboxes;
  readonly syspro: NonNullable<Sandboxes.RunningSandboxes['syspro']>['sandbox'];
  readonly brex: NonNullable<Sandboxes.RunningSandboxes['brex']>['sandbox'];
  readonly ledger: LedgerWatch;
  readonly exports: ExportWatch;
  /** Every accounting record that the simulated Brex has; those of late purchases are added as they come. */
  readonly recordIds: Set<string>;
  readonly client: GatewayClient;
  readonly flow: ConnectedFlow;
  readonly api: ProductProcess;
  readonly month: string;
  /** As the owner of the tables, for looking only. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  startWorker(name: string): ProductProcess;
  close(): Promise<void>;
}

const MONTH_OPEN_DAYS = 5;
const DAY_MS = 86_400_000;

/** The last month that had settled five days ago, so that all of it is visible now. */
function settledMonth(now: Date): string {
  const inside = new Date(now.getTime() - MONTH_OPEN_DAYS * DAY_MS);
  return new Date(Date.UTC(inside.getUTCFullYear(), inside.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
}

function recordIdsOf(row: SeedPurchase): string[] {
  if (row.children) return row.children.map((child) => `accr_${row.key}_${child.suffix}`);
  return row.kind === 'REWARDS_CREDIT' ? [] : [`accr_${row.key}`];
}

/** Both simulated systems in this process, one `api` process of the gateway, everything connected; nothing synced yet. */
export async function startWorld(options: CrashOptions): Promise<World> {
  const { product, databaseUrl, seed, purchases } = options;
  const { startSandboxes } = await product.load<typeof Sandboxes>('sandbox/start.js');
  const now = new Date();
  const month = settledMonth(now);
  const sandboxes = await startSandboxes({
    which: ['brex', 'syspro'],
    scenario: { kind: 'month', seed, month, purchases, now: now.toISOString() },
    randomSeed: seed,
    brexSettings: { rateLimit: null },
  });
  const closing: (() => Promise<unknown>)[] = [() => sandboxes.close()];
  const close = async () => {
    for (const one of closing.reverse()) await one();
  };
  try {
    const { brex, syspro } = sandboxes;
    if (!brex || !syspro) throw new Error('Both sandboxes were asked for.');
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 3, application_name: 'crash-test' });
    closing.push(() => pool.end());
    const shared = {
      databaseUrl,
      masterKey: randomBytes(32).toString('base64'),
      bootstrapKey: `bootstrap-${randomBytes(16).toString('hex')}`,
    };
    const api = ProductProcess.start(product, { ...shared, role: 'api', name: 'api' });
    closing.push(() => api.stop());
    const client = new GatewayClient(await api.ready, shared.bootstrapKey);
    const flow = await connectFlow(client, {
      brex: brex.access,
      syspro: syspro.access,
      sysproSettings: { settlingSeconds: SETTLING_S, submitTimeoutSeconds: SUBMIT_TIMEOUT_S },
    });
    const ledger = new LedgerWatch(syspro.sandbox);
    const recordIds = new Set(sandboxes.scenario.brex.purchases.flatMap(recordIdsOf));
    return {
      sandboxes,
      syspro: syspro.sandbox,
      brex: brex.sandbox,
      ledger,
      exports: new ExportWatch(brex.sandbox, recordIds, ledger),
      recordIds,
      ...{ client, flow, api, month, close },
      sql: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
        (await pool.query<Row>(text, [...values])).rows,
      startWorker: (name) => ProductProcess.start(product, { ...shared, role: 'worker', name }),
    };
  } catch (error) {
    await close();
    throw error;
  }
}
