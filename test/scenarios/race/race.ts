import type * as Brex from '../../../src/sandbox/brex/index.js';
import { exported } from '../crash/watch.js';
import type { GatewayClient } from '../support/gateway.js';
import { PlainWorld } from '../support/plainWorld.js';
import type { Product } from '../support/product.js';
import { until } from '../support/wait.js';

/**
 * The ways by which one and the same purchase gets in, all of them at once and through the doors that outsiders use. The
 * schedule has no door: it fires every second in both workers, from before the first caller until after the last one.
 */
export const PATHS = ['WEBHOOK', 'TRIGGER', 'BACKFILL', 'REPLAY'] as const;
type Path = (typeof PATHS)[number];

export interface RaceOptions {
  readonly product: Product;
  readonly databaseUrl: string;
  readonly records: number;
  readonly callers: number;
  readonly restWithinMs: number;
  readonly say?: (line: string) => void;
}

export interface RaceReport {
  /** Empty when every promise was kept. */
  readonly broken: string[];
  readonly calls: Readonly<Record<Path, number>>;
  readonly scheduleFires: number;
  readonly runs: number;
  readonly documents: number;
  readonly repliesLost: number;
  readonly raceMs: number;
}

const WORKERS = 2;
const SCHEDULE_WITHIN_MS = 60_000;
/** Ids that one delivery names. */
const ANNOUNCED = 50;
/** Of the ledger's replies, so that there are postings in doubt for a replay to find. */
const LOST_SHARE = 0.01;

/** Two workers and an api; every caller goes every way, each beginning at another one, until all callers are through. */
export async function race(options: RaceOptions): Promise<RaceReport> {
  const { product, databaseUrl, records, say = () => undefined } = options;
  const sandbox = await product.load<typeof Brex>('sandbox/brex/index.js');
  const world = await PlainWorld.start({
    ...{ product, databaseUrl, ledger: 'syspro', documents: 'journal', purchases: records },
    brexSettings: { webhookSecret: sandbox.SANDBOX_ACCESS.webhookSecret },
  });
  try {
    const api = await world.startApi();
    await world.connect();
    loseReplies(world);
    // Before the workers, because a worker that is running looks for new schedules only once a minute.
    await world.setSchedule('* * * * * *');
    const startedAt = performance.now();
    await startWorkers(world, 'first');
    const callers = Array.from({ length: options.callers }, (_, index) => new Caller(world, sandbox, index));
    await Promise.all(callers.map((caller) => caller.run()));
    say(`${callers.length} callers are through after ${seconds(startedAt)}`);
    await until('a time of the schedule', SCHEDULE_WITHIN_MS, async () => (await firesOf(world)) > 0);
    await world.setSchedule(null);
    // Two others end what the first two have begun; these would go on firing until they look again.
    const early = world.complaints();
    await world.stopAllBut(api);
    await startWorkers(world, 'second');
    await world.comesToRest(options.restWithinMs);
    say(`all is at rest after ${seconds(startedAt)}`);
    const raceMs = performance.now() - startedAt;
    const report = await judge(world, records, callers);
    return { ...report, broken: [...report.broken, ...early], raceMs };
  } finally {
    await world.close();
  }
}

function startWorkers(world: PlainWorld, shift: string): Promise<unknown> {
  return Promise.all(Array.from({ length: WORKERS }, (_, index) => world.startWorker(`${shift}-${index + 1}`)));
}

async function firesOf(world: PlainWorld): Promise<number> {
  const [row] = await world.sql<{ count: number }>('select count(*)::int from schedule_fires');
  return row?.count ?? 0;
}

const seconds = (from: number) => `${((performance.now() - from) / 1_000).toFixed(1)} s`;

function loseReplies(world: PlainWorld): void {
  const { sandbox, faults } = world.ledger;
  const matches = new Set(faults.filter(({ kind }) => kind === 'LOSE_REPLY_AFTER_COMMIT').map(({ match }) => match));
  sandbox.faults.set(
    [...matches].flatMap((match) => [
      { match, kind: 'LOSE_REPLY_AFTER_COMMIT', probability: LOST_SHARE },
      { match, kind: 'LOSE_REPLY_BEFORE_COMMIT', probability: LOST_SHARE },
    ]),
  );
}

// ── callers ──────────────────────────────────────────────────────────────────────────────────

class Caller {
  readonly refused: string[] = [];
  readonly calls: Record<Path, number> = { WEBHOOK: 0, TRIGGER: 0, BACKFILL: 0, REPLAY: 0 };
  private readonly world: PlainWorld;
  private readonly sandbox: typeof Brex;
  private readonly index: number;

  constructor(world: PlainWorld, sandbox: typeof Brex, index: number) {
    this.world = world;
    this.sandbox = sandbox;
    this.index = index;
  }

  async run(): Promise<void> {
    for (let step = 0; step < PATHS.length; step += 1) {
      const path = PATHS[(this.index + step) % PATHS.length] ?? 'TRIGGER';
      this.calls[path] += 1;
      try {
        await this.go(path);
      } catch (error) {
        this.refused.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  private go(path: Path): Promise<unknown> {
    const { client, flow } = this.world;
    const { pipelineId } = flow;
    switch (path) {
      case 'WEBHOOK':
        return this.announce();
      case 'TRIGGER':
        return trigger(client, { pipelineId, idempotencyKey: `caller-${this.index}` });
      case 'BACKFILL':
        // Four windows that all hold everything: each is a run of its own, side by side with the others.
        return trigger(client, { pipelineId, from: `2020-01-0${1 + (this.index % 4)}T00:00:00Z` });
      case 'REPLAY':
        return client.change(
          `mutation ($filter: GlPostingFilter!) {
             done: replayPostings(filter: $filter) { userErrors { code message path } } }`,
          { filter: { pipelineId } },
        );
    }
  }

  /** As Brex sends it: signed, naming some of the records, to the address of the system. */
  private async announce(): Promise<void> {
    const { recordIds, companyId, flow, client } = this.world;
    const from = (this.index * ANNOUNCED) % Math.max(1, recordIds.length);
    const body = JSON.stringify({
      ...{ event_type: 'ACCOUNTING_RECORD_READY_FOR_EXPORT', companyId },
      accountingRecordIds: recordIds.slice(from, from + ANNOUNCED),
    });
    const id = `msg_race_${this.index}`;
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const secret = this.sandbox.SANDBOX_ACCESS.webhookSecret;
    const response = await fetch(`${client.url}/webhooks/${flow.brexId}`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': timestamp },
        'webhook-signature': this.sandbox.signature(secret, id, timestamp, body),
      },
      body,
    });
    const said = await response.text();
    if (response.status !== 200) throw new Error(`${response.status} ${said}`);
  }
}

function trigger(client: GatewayClient, input: Record<string, unknown>): Promise<unknown> {
  return client.change(
    `mutation ($input: TriggerSyncInput!) {
       done: triggerSync(input: $input) { syncRun { id } userErrors { code message path } } }`,
    { input },
  );
}

// ── what came of it ──────────────────────────────────────────────────────────────────────────

interface Counted {
  postings: number;
  posted: number;
  references: number;
  results: number;
  reported: number;
  fires: number;
  runs: number;
  records: number;
}

async function judge(
  world: PlainWorld,
  records: number,
  callers: readonly Caller[],
): Promise<Omit<RaceReport, 'raceMs'>> {
  const broken = callers.flatMap(({ refused }) => refused.map((one) => `A caller was refused: ${one}`));
  const expectCount = (what: string, count: number) => {
    if (count !== records) broken.push(`${what}: ${count} instead of ${records}`);
  };
  const [counted] = await world.sql<Counted>(
    `select count(*)::int as postings, count(*) filter (where status = 'POSTED')::int as posted,
       count(distinct reference)::int as references,
       (select count(*)::int from spend_records) as records,
       (select count(*)::int from source_exports) as results,
       (select count(*)::int from source_exports where state = 'DONE' and outcome = 'SUCCESS') as reported,
       (select count(*)::int from schedule_fires) as fires, (select count(*)::int from sync_runs) as runs
     from postings`,
  );
  if (!counted) throw new Error('The database says nothing.');
  const documents = world.ledger.sandbox.documents();
  expectCount('purchases', counted.records);
  expectCount('documents in the ledger', documents.length);
  expectCount('names of documents in the ledger', new Set(documents.map(({ reference }) => reference.trim())).size);
  expectCount('postings', counted.postings);
  expectCount('postings that are POSTED', counted.posted);
  expectCount('references of postings', counted.references);
  expectCount('results owed to Brex', counted.results);
  expectCount('results reported to Brex', counted.reported);
  expectCount('records that Brex has a result for', exported(world.brex, new Set(world.recordIds)).size);
  broken.push(...world.ledger.sandbox.summary().duplicates.map((one) => `${one} is in the ledger more than once`));
  broken.push(...(await unreconciled(world, records)));
  broken.push(...world.complaints());
  const calls: Record<Path, number> = { WEBHOOK: 0, TRIGGER: 0, BACKFILL: 0, REPLAY: 0 };
  for (const caller of callers) for (const path of PATHS) calls[path] += caller.calls[path];
  const repliesLost = world.ledger.sandbox.faults.list().reduce((sum, { fired }) => sum + fired, 0);
  return {
    ...{ broken, calls, repliesLost, documents: documents.length },
    ...{ scheduleFires: counted.fires, runs: counted.runs },
  };
}

async function unreconciled(world: PlainWorld, records: number): Promise<string[]> {
  const { report, chain } = await world.client.ask<{
    report: {
      complete: boolean;
      totals: { source: string; posted: string; difference: string; recordCount: number }[];
    };
    chain: { ok: boolean };
  }>(
    `query ($id: ID!) { report: reconciliation(pipelineId: $id, from: "2000-01-01", to: "2100-01-01") {
       complete totals { source posted difference recordCount } } chain: verifyAuditChain { ok } }`,
    { id: world.flow.pipelineId },
  );
  const broken: string[] = [];
  const [total, ...others] = report.totals;
  if (!report.complete || !total || others.length > 0) broken.push('The reconciliation is not one complete total.');
  if (total && total.difference !== '0.00') broken.push(`The reconciliation differs by ${total.difference}.`);
  if (total && total.posted !== total.source) broken.push(`Posted ${total.posted} of ${total.source}.`);
  if (total && total.recordCount !== records) broken.push(`The reconciliation counts ${total.recordCount} purchases.`);
  if (!chain.ok) broken.push('The audit chain is broken.');
  return broken;
}
