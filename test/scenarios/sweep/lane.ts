import { setTimeout as pause } from 'node:timers/promises';
import { check, type Verdict } from '../crash/checks.js';
import { unfinishedOf } from '../crash/state.js';
import { startWorld, type World } from '../crash/world.js';
import type { ProductProcess } from '../support/processes.js';
import { Random } from '../support/random.js';
import { until } from '../support/wait.js';
import type { Pair } from './ledgers.js';
import type { DeathPlace, Passing, PlannedDeath } from './plan.js';
import { differences, postingsOf } from './step.js';
import type { SweptProduct } from './sweptProduct.js';
import { Work } from './work.js';

export interface LaneOptions extends Pair {
  readonly swept: SweptProduct;
  readonly databaseUrl: string;
  readonly seed: number;
}

export interface Recording {
  /** What a worker passed while purchases went from a sync to their settlement. */
  readonly work: readonly Passing[];
  /** What it passed while there was nothing to do. */
  readonly idle: ReadonlySet<number>;
  /** What it passed while it started with nothing to take over: not on the path of any purchase. */
  readonly start: ReadonlySet<number>;
}

export interface DeathOutcome {
  /** How many processes died where they were told to. */
  readonly deaths: number;
  /** Whether that is as many as were planned. */
  readonly reached: boolean;
  /** What the worker that came last passed, from its start until all was settled; empty when none died. */
  readonly recovery: readonly Passing[];
  /** Promises that did not hold when all was settled again. */
  readonly broken: readonly string[];
}

/** Of the generated month; only one of them is needed, to make others like it. */
const PURCHASES = 12;
/** How long a worker with nothing to do is listened to: longer than any of its beats but those of whole minutes. */
const IDLE_MS = 6_000;
const WRITE_WITHIN_MS = 20_000;
const QUIET_WITHIN_MS = 180_000;

/** What is not over yet. A replacement behind a reversal that waits for a person waits as well. */
const UNFINISHED = `
  select 'a run that is ' || status as what from sync_runs where status in ('QUEUED', 'RUNNING')
  union all
  select 'a posting that is ' || status from postings where status in ('PLANNED', 'READY', 'POSTING', 'IN_DOUBT')
  union all
  select 'a purchase to be planned' from planning_queue
  union all
  select 'a result that the source was not told' from source_exports where state = 'PENDING'
  union all
  select 'an alert about a job' from alerts where code = 'JOB_FAILED' and resolved_at is null`;

/**
 * One gateway with a database, a source and a ledger of its own, in which one worker after the other dies. Each of them
 * first finishes what the one before it left, and only then is told where to die at the next purchases.
 */
export class Lane {
  private worker: ProductProcess;
  private started = 0;
  private readonly passedAtStart = new Set<number>();
  private readonly world: World;
  private readonly work: Work;
  private readonly options: LaneOptions;

  private constructor(world: World, options: LaneOptions) {
    this.world = world;
    this.options = options;
    this.work = new Work(world, new Random(options.seed));
    this.worker = this.start(null);
  }

  static async open(options: LaneOptions): Promise<Lane> {
    const { ledger, documents, swept, databaseUrl, seed } = options;
    const crash = { ledger, documents, seed, databaseUrl, purchases: PURCHASES, kills: 0, longPauses: 0 };
    const lane = new Lane(await startWorld({ ...crash, product: swept.original }), options);
    try {
      await lane.worker.ready;
      for (const { boundary } of await lane.passings()) lane.passedAtStart.add(boundary);
      await lane.work.happen();
      await lane.quiet();
      return lane;
    } catch (error) {
      await lane.close();
      throw error;
    }
  }

  /** Without a death: what is passed when nothing is to be done, and what when purchases are moved. */
  async record(): Promise<Recording> {
    await this.passings();
    await pause(IDLE_MS);
    const idle = new Set((await this.passings()).map(({ boundary }) => boundary));
    await this.work.happen();
    await this.quiet();
    return { work: await this.passings(), idle, start: this.passedAtStart };
  }

  /**
   * One death, or two where the worker that takes over is to die as well; then all is settled and compared.
   * @param patienceMs how long a worker that has done all its work is waited for to pass the place all the same.
   */
  async die(death: PlannedDeath, patienceMs: number): Promise<DeathOutcome> {
    const before = await postingsOf(this.world);
    const planned = death.recovering ? [death.recovering, death] : [death];
    const [first = death] = planned;
    const changed = await this.dieAtWork(first, death.isIdle && !death.recovering, patienceMs);
    const broken: string[] = [];
    let deaths = 0;
    // It may pass the place between its last piece of work and the moment at which it is told to live on.
    while (this.worker.hasEnded || !(await this.worker.ask({ ask: 'die', at: null }))) {
      broken.push(...(await this.howItEnded()));
      deaths += 1;
      await this.claimsAreOver();
      this.worker = this.start(planned[deaths] ?? null);
      await this.quiet(deaths < planned.length ? patienceMs : 0);
    }
    const passings = await this.passings();
    return {
      ...{ deaths, reached: deaths === planned.length, recovery: deaths > 0 ? passings : [] },
      broken: [...broken, ...(await differences(this.world, before, changed))],
    };
  }

  /** All promises, over everything that happened in this lane. */
  verdict(): Promise<Verdict> {
    return check(this.world, this.options.swept.original);
  }

  async close(): Promise<void> {
    await this.worker.stop();
    await this.world.close();
  }

  private start(at: DeathPlace | null): ProductProcess {
    this.started += 1;
    const { product, nodeOptions } = this.options.swept;
    const make = { product, nodeOptions: nodeOptions(at), hasChannel: true };
    return this.world.startWorker(`swept-${this.started}`, make);
  }

  /** The worker is told first and gets its work then; where it passes all the time, it is told in the middle of its work. */
  private async dieAtWork(at: DeathPlace, isIdle: boolean, patienceMs: number): Promise<string[]> {
    const { boundary, side } = at;
    const tell = () => this.worker.ask({ ask: 'die', at: { boundary, side } });
    if (!isIdle) await tell();
    const changed = await this.work.happen();
    if (isIdle) {
      await this.world.watch.writeArrives(WRITE_WITHIN_MS);
      await tell();
    }
    await this.quiet(patienceMs);
    return changed;
  }

  /** Anything but the death that was planned is a fault of the program. */
  private async howItEnded(): Promise<string[]> {
    const { code, signal } = await this.worker.ended;
    return signal === 'SIGKILL'
      ? []
      : [`a worker ended by itself (${code ?? signal}): ${this.worker.lastLines.join(' ')}`];
  }

  /**
   * Results that a dead process was reporting are reported again when its claim of a minute is over. Waiting for that
   * would prove nothing, so it is over now.
   */
  private async claimsAreOver(): Promise<void> {
    await this.world.sql(`update source_exports set next_attempt_at = now() where state = 'PENDING'`);
  }

  /** Until nothing is left to do (and so much longer) or the worker has died. */
  private async quiet(patienceMs = 0): Promise<void> {
    let left: string[] = [];
    try {
      await until('nothing left to do', QUIET_WITHIN_MS, async () => {
        if (this.worker.hasEnded) return true;
        left = (await this.world.sql<{ what: string }>(UNFINISHED)).map(({ what }) => what);
        return left.length === 0;
      });
    } catch (error) {
      const state = [...left, ...(await unfinishedOf(this.world)), ...this.worker.lastLines.slice(-3)];
      throw new Error(`The gateway does not come to rest:\n${state.join('\n')}`, { cause: error });
    }
    if (patienceMs > 0) await Promise.race([this.worker.ended, pause(patienceMs, undefined, { ref: false })]);
  }

  private async passings(): Promise<readonly Passing[]> {
    const answer = await this.worker.ask<{ passings: Passing[] }>({ ask: 'passings' });
    if (!answer) throw new Error(`The worker ended by itself:\n${this.worker.lastLines.join('\n')}`);
    return answer.passings;
  }
}
