import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type * as Brex from '../../../src/sandbox/brex/index.js';
import type * as Scenario from '../../../src/sandbox/scenario/index.js';
import { type ConnectedLedger, connectLedgerFlow, GatewayClient } from '../support/gateway.js';
import { type ProcessOptions, ProductProcess } from '../support/processes.js';
import type { Product } from '../support/product.js';
import type { StartedLedger } from './ledger.js';
import type { CrashOptions } from './options.js';
import { ExportWatch, LedgerWatch } from './watch.js';

export interface World {
  readonly ledger: StartedLedger;
  readonly brex: Brex.RunningBrex;
  /** What Brex had at the start. */
  readonly purchases: readonly Brex.SeedPurchase[];
  readonly watch: LedgerWatch;
  readonly exports: ExportWatch;
  /** Every accounting record that the simulated Brex has; those of late purchases are added as they come. */
  readonly recordIds: Set<string>;
  readonly client: GatewayClient;
  readonly flow: ConnectedLedger;
  readonly api: ProductProcess;
  readonly month: string;
  /** As the owner of the tables, for looking only. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** @param as of another make of the same product, or with more of the options of a process. */
  startWorker(name: string, as?: WorkerMake): ProductProcess;
  close(): Promise<void>;
}

export interface WorkerMake extends Partial<Pick<ProcessOptions, 'nodeOptions' | 'hasChannel' | 'logLevel'>> {
  readonly product?: Product;
}

const MONTH_OPEN_DAYS = 5;
const DAY_MS = 86_400_000;

/** The last month that had settled five days ago, so that all of it is visible now. */
function settledMonth(now: Date): string {
  const inside = new Date(now.getTime() - MONTH_OPEN_DAYS * DAY_MS);
  return new Date(Date.UTC(inside.getUTCFullYear(), inside.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
}

function recordIdsOf(row: Brex.SeedPurchase): string[] {
  if (row.children) return row.children.map((child) => `accr_${row.key}_${child.suffix}`);
  return row.kind === 'REWARDS_CREDIT' ? [] : [`accr_${row.key}`];
}

/** The first purchases of a generated month, which itself cannot be as small as a short run wants it. */
async function monthOf({ product, seed, purchases }: CrashOptions, month: string): Promise<Scenario.MonthScenario> {
  const { generateMonth, PURCHASES_MIN } = await product.load<typeof Scenario>('sandbox/scenario/index.js');
  const options = { seed, month, purchases: Math.max(purchases, PURCHASES_MIN), now: new Date().toISOString() };
  const scenario = generateMonth(options);
  if (purchases >= PURCHASES_MIN) return scenario;
  const kept = scenario.brex.purchases.slice(0, purchases);
  const keys = new Set(kept.map(({ key }) => key));
  const plannedEdits = scenario.brex.plannedEdits.filter(({ key }) => keys.has(key));
  return { ...scenario, brex: { ...scenario.brex, purchases: kept, plannedEdits } };
}

/** Both simulated systems in this process, one `api` process of the gateway, everything connected; nothing synced yet. */
export async function startWorld(options: CrashOptions): Promise<World> {
  const { product, databaseUrl, seed, documents } = options;
  const month = settledMonth(new Date());
  const scenario = await monthOf(options, month);
  const closing: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const one of closing.reverse()) await one();
  };
  try {
    const { SANDBOX_ACCESS, startBrexSandbox } = await product.load<typeof Brex>('sandbox/brex/index.js');
    const brex = await startBrexSandbox({ data: scenario.brex, randomSeed: seed, settings: { rateLimit: null } });
    closing.push(() => brex.close());
    const ledger = await options.ledger.start(product, { month: scenario, documents, seed });
    closing.push(() => ledger.sandbox.close());
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 3, application_name: 'crash-test' });
    // The database may be stopped before the last of its connections is closed; who asks for something is told all the same.
    pool.on('error', () => undefined);
    closing.push(() => pool.end());
    const shared = {
      databaseUrl,
      masterKey: randomBytes(32).toString('base64'),
      bootstrapKey: `bootstrap-${randomBytes(16).toString('hex')}`,
    };
    const api = ProductProcess.start(product, { ...shared, role: 'api', name: 'api' });
    closing.push(() => api.stop());
    const client = new GatewayClient(await api.ready, shared.bootstrapKey);
    const { kind, credentials, settings, pipeline } = ledger;
    const flow = await connectLedgerFlow(client, {
      brex: { url: brex.url, userToken: SANDBOX_ACCESS.userToken, settings: { vendorAccountId: 'HPW1' } },
      ledger: { kind, name: options.ledger.title, baseUrl: ledger.sandbox.baseUrl, credentials, settings },
      pipeline,
    });
    const watch = new LedgerWatch(ledger);
    const { purchases } = scenario.brex;
    const recordIds = new Set(purchases.flatMap(recordIdsOf));
    return {
      ...{ ledger, brex, purchases, watch, recordIds, client, flow, api, month, close },
      exports: new ExportWatch(brex, recordIds, watch),
      sql: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
        (await pool.query<Row>(text, [...values])).rows,
      startWorker: (name, { product: make = product, ...more } = {}) =>
        ProductProcess.start(make, { ...shared, ...more, role: 'worker', name }),
    };
  } catch (error) {
    await close();
    throw error;
  }
}
