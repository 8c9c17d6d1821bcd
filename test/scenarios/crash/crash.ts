import type { FaultKind, FaultRuleInput } from '../../../src/sandbox/kit/index.js';
import { triggerSync } from '../support/gateway.js';
import { Random } from '../support/random.js';
import { until } from '../support/wait.js';
import { check, type Verdict } from './checks.js';
import { Feed } from './feed.js';
import { type KillCounts, Killer } from './killer.js';
import type { Documents } from './ledger.js';
import { type CrashOptions, PATIENCE_MS } from './options.js';
import { unfinishedOf, waitingJobsOf } from './state.js';
import { startWorld, type World } from './world.js';

export interface CrashReport {
  readonly ledger: string;
  readonly documents: Documents;
  readonly seed: number;
  readonly counts: KillCounts;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly latePurchases: number;
  readonly edits: number;
  readonly submits: number;
  readonly killingMs: number;
  /** From the last kill until nothing was left to do. */
  readonly settlingMs: number;
  readonly verdict: Verdict;
  /** What was held or refused, with the reasons. */
  readonly unfinished: readonly string[];
}

const SOURCE_FAULTS: readonly FaultRuleInput[] = [
  { match: 'export-results', kind: 'LOSE_REPLY_AFTER_COMMIT', probability: 0.05 },
  { match: 'export-results', kind: 'LOSE_REPLY_BEFORE_COMMIT', probability: 0.03 },
  { match: '/v1/expenses', kind: 'HTML', probability: 0.01 },
];

/**
 * Kills workers of a running gateway at random moments while replies of the ledger get lost, then lets it finish and
 * compares what the two simulated systems hold with what the gateway promises.
 */
export async function runCrashTest(options: CrashOptions): Promise<CrashReport> {
  const world = await startWorld(options);
  const random = new Random(options.seed);
  const feed = new Feed(world, random);
  const killer = new Killer(world, feed, random, options);
  try {
    world.ledger.sandbox.faults.set(world.ledger.faults, options.seed);
    world.brex.faults.set(SOURCE_FAULTS, options.seed);
    await triggerSync(world.client, world.flow.pipelineId);
    const startedAt = performance.now();
    await killer.run();
    const faults = firedOf(world);
    const killedAt = performance.now();
    await finish(world, feed, killer, options);
    const settledAt = performance.now();
    const verdict = await check(world, options.product);
    const unfinished = await unfinishedOf(world);
    return {
      ...{ ledger: options.ledger.title, documents: options.documents },
      ...{ seed: options.seed, counts: killer.counts, faults, verdict, unfinished },
      ...{ latePurchases: feed.added, edits: feed.edited, submits: world.watch.submits },
      ...{ killingMs: killedAt - startedAt, settlingMs: settledAt - killedAt },
    };
  } catch (error) {
    const state = [...(await unfinishedOf(world)), ...(await waitingJobsOf(world)), ...killer.lastWords()];
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${state.join('\n')}`, { cause: error });
  } finally {
    await killer.stop();
    await world.close();
  }
}

function firedOf(world: World): Partial<Record<FaultKind, number>> {
  const fired: Partial<Record<FaultKind, number>> = {};
  for (const rule of world.ledger.sandbox.faults.list()) {
    // The short ones only make time; they disturb nothing.
    if (rule.kind === 'SLOW' && rule.delayMs < world.ledger.submitTimeoutS * 1_000) continue;
    fired[rule.kind] = (fired[rule.kind] ?? 0) + rule.fired;
  }
  return fired;
}

/** No more faults and no more kills: everything comes to its end, and the source is told. */
async function finish(world: World, feed: Feed, killer: Killer, options: CrashOptions): Promise<void> {
  const { say, patienceMs = PATIENCE_MS } = options;
  world.ledger.sandbox.faults.clear();
  world.brex.faults.clear();
  await world.ledger.sandbox.faults.whenLateCommitsApplied();
  await killer.settleDown();
  say?.('no more kills: settling');
  await feed.happen(0, 0);
  await quiet(world, patienceMs);
  say?.('nothing is on its way any more');
  // A batch of results whose process was killed is reported again when its claim of minutes is over. Waiting for that
  // would prove nothing, so it is over now; one more purchase makes the gateway look.
  await world.sql(`update source_exports set next_attempt_at = now() where state = 'PENDING'`);
  await feed.happen(1, 0);
  await quiet(world, patienceMs);
  say?.('one more purchase is through');
  await until('every result reported to the source', patienceMs, async () => {
    const [owed] = await world.sql(`select from source_exports where state = 'PENDING' limit 1`);
    return owed === undefined;
  });
}

/** A replacement behind a reversal that waits for a person waits as well. */
const UNFINISHED = `
  select 'a run that is ' || status as what from sync_runs where status in ('QUEUED', 'RUNNING')
  union all
  select 'a posting that is ' || status from postings p where status in ('PLANNED', 'READY', 'POSTING', 'IN_DOUBT')
  union all
  select 'a ledger to be visited for a posting that is ' || status from postings
    where status in ('HELD', 'AWAITING_APPROVAL', 'REJECTED', 'CANCELLED') and next_attempt_at is not null
  union all
  select 'an alert about a job' from alerts where code = 'JOB_FAILED' and resolved_at is null`;

async function quiet(world: World, patienceMs: number): Promise<void> {
  let left: string[] = [];
  try {
    await until('nothing left to do', patienceMs, async () => {
      left = (await world.sql<{ what: string }>(UNFINISHED)).map((row) => row.what);
      return left.length === 0;
    });
  } catch (error) {
    const counted = [...Map.groupBy(left, (what) => what)].map(([what, all]) => `${all.length} × ${what}`);
    throw new Error(`The gateway does not come to rest: ${counted.join(', ')}.`, { cause: error });
  }
}
