import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type * as Brex from '../../../src/sandbox/brex/index.js';
import type * as Scenario from '../../../src/sandbox/scenario/index.js';
import type { Documents, StartedLedger } from '../crash/ledger.js';
import { ledgerNamed } from '../crash/ledgers/index.js';
import { LedgerWatch } from '../crash/watch.js';
import { type ConnectedLedger, connectLedgerFlow, GatewayClient } from './gateway.js';
import { ProductProcess } from './processes.js';
import type { Product } from './product.js';
import { until } from './wait.js';

export interface PlainWorldOptions {
  readonly product: Product;
  readonly databaseUrl: string;
  /** As on the command line of the crash test. */
  readonly ledger: string;
  readonly documents: Documents;
  /** Purchases that Brex shows from the start. */
  readonly purchases: number;
  /** Of the connection to Brex, beside those that every one has. */
  readonly brexSettings?: Readonly<Record<string, unknown>>;
}

const DAY_MS = 86_400_000;
const MONTH_OPEN_DAYS = 5;
const SEED = 11;
const REST_WITHIN_MS = 180_000;
/** Purchases of one day at one merchant differ in their amounts, so that none looks like another one twice. */
const AMOUNT_FIRST_MINOR = 1_000;
/** Like no supplier of the ledger, so that no person has to decide about one. */
const MERCHANTS = ['Quillfeather Stationers', 'Zephyrine Toolworks', 'Umberlight Couriers'];
const TEMPLATES = 20;
/** An account that every generated company has and leaves open. */
const CODING = { glAccount: '6100', costCentre: '10' };

/**
 * Purchases that nothing keeps from being posted, between a simulated Brex and a simulated ledger, with processes of the
 * gateway that a test starts and ends as it likes.
 */
export class PlainWorld {
  client = new GatewayClient('', '');
  flow: ConnectedLedger = { brexId: '', ledgerId: '', pipelineId: '' };
  readonly watch: LedgerWatch;
  /** Every accounting record that the simulated Brex has. */
  readonly recordIds: string[] = [];
  readonly companyId: string;
  private readonly processes: ProductProcess[] = [];
  private readonly secrets = {
    masterKey: randomBytes(32).toString('base64'),
    bootstrapKey: `bootstrap-${randomBytes(16).toString('hex')}`,
  };
  private readonly options: PlainWorldOptions;
  readonly brex: Brex.RunningBrex;
  readonly ledger: StartedLedger;
  private readonly templates: readonly Brex.SeedPurchase[];
  private readonly token: string;
  private made = 0;

  private constructor(
    options: PlainWorldOptions,
    brex: Brex.RunningBrex,
    ledger: StartedLedger,
    templates: readonly Brex.SeedPurchase[],
    access: { readonly token: string; readonly companyId: string },
  ) {
    this.options = options;
    this.brex = brex;
    this.ledger = ledger;
    this.templates = templates;
    this.token = access.token;
    this.companyId = access.companyId;
    this.watch = new LedgerWatch(ledger);
  }

  /** Both simulated systems; no process of the gateway yet. */
  static async start(options: PlainWorldOptions): Promise<PlainWorld> {
    const { product, documents } = options;
    const { generateMonth, PURCHASES_MIN } = await product.load<typeof Scenario>('sandbox/scenario/index.js');
    const { SANDBOX_ACCESS, startBrexSandbox } = await product.load<typeof Brex>('sandbox/brex/index.js');
    const inside = new Date(Date.now() - MONTH_OPEN_DAYS * DAY_MS);
    const month = new Date(Date.UTC(inside.getUTCFullYear(), inside.getUTCMonth() - 1, 1)).toISOString().slice(0, 7);
    const generated = generateMonth({ seed: SEED, month, purchases: PURCHASES_MIN, now: new Date().toISOString() });
    const { merchants: known, ...account } = generated.brex;
    const merchants = [...known, ...known.slice(0, MERCHANTS.length).map((one, index) => named(one, index))];
    const templates = generated.brex.purchases
      .filter((row) => isPlain(row) && row.purchasedAt.startsWith(month))
      .slice(0, TEMPLATES)
      .map((row, index) => ({
        ...row,
        merchant: known.length + (index % MERCHANTS.length),
        descriptor: (MERCHANTS[index % MERCHANTS.length] ?? '').toUpperCase(),
      }));
    const scenario = { ...generated, brex: { ...account, merchants, purchases: [], plannedEdits: [] } };
    const settings = { rateLimit: null };
    const brex = await startBrexSandbox({ data: scenario.brex, randomSeed: SEED, settings });
    try {
      const plan = { month: scenario, documents, seed: SEED };
      const ledger = await ledgerNamed(options.ledger).start(product, plan);
      const world = new PlainWorld(options, brex, ledger, templates, {
        token: SANDBOX_ACCESS.userToken,
        companyId: scenario.brex.company.id,
      });
      for (let count = 0; count < options.purchases; count += 1) world.addPurchase();
      return world;
    } catch (error) {
      await brex.close();
      throw error;
    }
  }

  // ── the source ─────────────────────────────────────────────────────────────────────────────

  /** @returns its key. */
  addPurchase({ glAccount, costCentre } = CODING): string {
    const template = this.templates[this.made % this.templates.length];
    if (!template) throw new Error('The month has no plain purchase.');
    const amountMinor = AMOUNT_FIRST_MINOR + this.made;
    this.made += 1;
    const key = `plain-${String(this.made).padStart(6, '0')}`;
    const given = template.lines[0]?.coding ?? {};
    const coding = { ...given, gl_account: glAccount, cost_center: costCentre };
    const { recordIds } = this.brex.control.addPurchase({
      ...template,
      ...this.datesOfLatecomer(),
      ...{ key, amountMinor, reviewStatus: 'READY_FOR_EXPORT', lines: [{ amountMinor, coding }] },
    });
    this.recordIds.push(...recordIds);
    return key;
  }

  /** Once Brex was read, what arrives must be new there, as it is in life: it is read by the time it was added. */
  private datesOfLatecomer(): Partial<Brex.SeedPurchase> {
    if (this.flow.pipelineId === '') return {};
    this.brex.control.setNow(new Date().toISOString());
    const at = this.brex.control.now;
    return { postedAt: at, expenseAt: at, recordAt: at };
  }

  changeAmount(key: string, amountMinor: number): void {
    this.brex.control.setNow(new Date().toISOString());
    this.brex.control.editExpense(`expense_${key}`, { amount: amountMinor });
  }

  // ── the gateway ────────────────────────────────────────────────────────────────────────────

  async startApi(): Promise<ProductProcess> {
    const api = this.process('api', 'api');
    this.client = new GatewayClient(await api.ready, this.secrets.bootstrapKey);
    return api;
  }

  async startWorker(name: string): Promise<ProductProcess> {
    const worker = this.process('worker', name);
    await worker.ready;
    return worker;
  }

  private process(role: 'api' | 'worker', name: string): ProductProcess {
    const { product, databaseUrl } = this.options;
    const process = ProductProcess.start(product, { ...this.secrets, databaseUrl, role, name });
    this.processes.push(process);
    return process;
  }

  /** Ends every process in an orderly way; a dead one is no obstacle. */
  async stopProcesses(): Promise<void> {
    await Promise.all(this.processes.splice(0).map((process) => process.stop()));
  }

  async stopAllBut(one: ProductProcess): Promise<void> {
    const others = this.processes.filter((process) => process !== one);
    this.processes.splice(0, this.processes.length, one);
    await Promise.all(others.map((process) => process.stop()));
  }

  /** What processes logged as errors. */
  complaints(): string[] {
    return this.processes.flatMap(({ name, errors }) => [...errors.keys()].map((message) => `${name}: ${message}`));
  }

  async connect(): Promise<void> {
    const { kind, credentials, settings, pipeline, sandbox } = this.ledger;
    const brexSettings = { vendorAccountId: 'HPW1', ...this.options.brexSettings };
    this.flow = await connectLedgerFlow(this.client, {
      brex: { url: this.brex.url, userToken: this.token, settings: brexSettings },
      ledger: { kind, name: 'Books', baseUrl: sandbox.baseUrl, credentials, settings },
      pipeline,
    });
  }

  /** @param cron null takes the schedule away. */
  async setSchedule(cron: string | null): Promise<void> {
    const mutation = `mutation ($id: ID!, $input: UpdatePipelineInput!) {
      done: updatePipeline(id: $id, input: $input) { userErrors { code message path } } }`;
    await this.client.change(mutation, { id: this.flow.pipelineId, input: { schedule: cron } });
  }

  /** As the owner of the tables, for looking only; on a connection of its own, so that the database can be replaced. */
  async sql<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.options.databaseUrl, application_name: 'plain-world' });
    await client.connect();
    try {
      return (await client.query<Row>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  /** Resolves when no run, posting or result is on its way any more. @throws an Error that says what still is. */
  async comesToRest(withinMs = REST_WITHIN_MS): Promise<void> {
    let left: string[] = [];
    await until('nothing left to do', withinMs, async () => {
      left = (await this.sql<{ what: string }>(UNFINISHED)).map(({ what }) => what);
      return left.length === 0;
    }).catch((error: unknown) => {
      throw new Error(`${[...new Set(left)].join('; ')}. ${this.complaints().join('; ')}`, { cause: error });
    });
  }

  async close(): Promise<void> {
    await this.stopProcesses();
    await this.ledger.sandbox.close();
    await this.brex.close();
  }
}

const UNFINISHED = `
  select 'a run that is ' || status as what from sync_runs where status in ('QUEUED', 'RUNNING')
  union all
  select 'a posting that is ' || status from postings where status in ('PLANNED', 'READY', 'POSTING', 'IN_DOUBT')
  union all
  select 'a result that is not reported' from source_exports where state = 'PENDING'
  union all
  select 'a purchase that is not planned' from planning_queue
  union all
  select 'a webhook that is not processed' from webhook_deliveries where processed_at is null
  union all
  select 'an alert: ' || message from alerts where code = 'JOB_FAILED' and resolved_at is null`;

function named(merchant: Brex.BrexSeed['merchants'][number], index: number): Brex.BrexSeed['merchants'][number] {
  return { ...merchant, id: `${merchant.id}p`, name: MERCHANTS[index] ?? merchant.name };
}

/** Card purchases in the ledger's currency that nothing keeps from being posted. */
function isPlain(row: Brex.SeedPurchase): boolean {
  const [line, ...others] = row.lines;
  const isCoded = line?.coding.gl_account != null && line.coding.cost_center != null;
  const isWhole = others.length === 0 && row.children === undefined && row.originalCurrency === undefined;
  const isSettled = row.pending === undefined && row.reviewStatus === undefined;
  const isSpend = row.kind === 'CARD' && row.amountMinor > 0 && row.currency === 'USD' && row.entity === undefined;
  return isSpend && isWhole && isSettled && isCoded && row.taxMinor === undefined;
}
