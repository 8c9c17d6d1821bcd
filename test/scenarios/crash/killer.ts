import { setTimeout as pause } from 'node:timers/promises';
import type { ProductProcess } from '../support/processes.js';
import { median, type Random } from '../support/random.js';
import { until } from '../support/wait.js';
import type { Feed } from './feed.js';
import { type CrashOptions, PATIENCE_MS } from './options.js';
import type { World } from './world.js';

export interface KillCounts {
  kills: number;
  whileStarting: number;
  /** The ledger was working on a write at that moment. */
  whileSubmitting: number;
  /** A posting was between "sent" and "answer stored" at that moment. */
  whilePosting: number;
  besideAnother: number;
  connectionsCut: number;
  pauses: number;
  longPauses: number;
  endedByThemselves: string[];
  /** From a kill that left no worker to the next document, where no other kill came between. */
  recoveriesMs: number[];
  startsMs: number[];
  errors: Map<string, number>;
}

/**
 * Between the shortest and the longest life of a worker that has started. On a busy machine, where starting alone takes
 * longer, workers live longer too: otherwise none would ever come to send anything, and nothing would be proven.
 */
const LIFE_MS = { least: 3, most: 1_500 };
const STARTS_LIVED_MAX = 1.5;
/** A posting's lease is its request's time and a minute. */
const LEASE_S = 60;
const START_MS = 1_000;
/** A dead worker's job is somebody else's within these, see `GRACE_MS` and `heartbeatSeconds` in the program. */
const TAKEN_OVER_WITHIN_MS = 10_000;
const READY_WITHIN_MS = 60_000;
/** With less than this to do, the source comes up with more; a short run has less of everything. */
const WORK_LEAST = 40;
const MORE = 50;
const SHARE_OF_MONTH = 4;

/** Kills workers, again and again, and starts new ones. */
export class Killer {
  readonly counts: KillCounts = {
    ...{ kills: 0, whileStarting: 0, whileSubmitting: 0, whilePosting: 0, besideAnother: 0, connectionsCut: 0 },
    ...{ pauses: 0, longPauses: 0, endedByThemselves: [], recoveriesMs: [], startsMs: [], errors: new Map() },
  };
  private readonly world: World;
  private readonly feed: Feed;
  private readonly random: Random;
  private readonly options: CrashOptions;
  private readonly workers = new Set<ProductProcess>();
  private sleeper: { worker: ProductProcess; wakesAt: number } | null = null;
  private started = 0;
  private stopListening: () => void = () => undefined;

  constructor(world: World, feed: Feed, random: Random, options: CrashOptions) {
    this.world = world;
    this.feed = feed;
    this.random = random;
    this.options = options;
  }

  async run(): Promise<void> {
    const { kills, longPauses, say, minutes = Number.POSITIVE_INFINITY } = this.options;
    const endsAt = performance.now() + minutes * 60_000;
    this.start();
    for (let number = 1; number <= kills && performance.now() < endsAt; number += 1) {
      await this.keepBusy(number);
      if (longPauses > 0 && number % Math.ceil(kills / (longPauses + 1)) === 0) await this.putToSleep();
      await this.disturb();
      await this.killOne();
      await this.wakeSleeper(false);
      if (number % 10 === 0) say?.(`${number} kills, ${this.world.watch.decided} documents`);
    }
    await this.wakeSleeper(true);
  }

  /** One worker, left alone. */
  async settleDown(): Promise<void> {
    this.stopListening();
    this.replaceEnded();
    const [worker = this.start()] = this.workers;
    await worker.ready;
  }

  async stop(): Promise<void> {
    for (const worker of this.workers) await worker.stop();
    for (const worker of this.workers) this.bury(worker);
    await this.sleeper?.worker.stop();
  }

  /** What the workers that live said last, for a person who looks for the reason of a failure. */
  lastWords(): string[] {
    return [...this.workers].flatMap((worker) => worker.lastLines.slice(-3).map((line) => `${worker.name}: ${line}`));
  }

  private start(): ProductProcess {
    this.started += 1;
    const worker = this.world.startWorker(`worker-${this.started}`);
    this.workers.add(worker);
    worker.ready.then(() => this.counts.startsMs.push(performance.now() - worker.startedAt)).catch(() => undefined);
    return worker;
  }

  /**
   * Sees to it that there are documents to be sent. A reading that is cut off begins anew, so while there is nothing to
   * send the workers get the time to read; the first kills hit the first reading all the same.
   */
  private async keepBusy(number: number): Promise<void> {
    const { feed, random, options } = this;
    this.replaceEnded();
    if (number <= options.kills / 20) return;
    const share = Math.ceil(options.purchases / SHARE_OF_MONTH);
    const isShort = (await this.work()) < Math.min(WORK_LEAST, share);
    const more = Math.min(MORE, share);
    await feed.happen(isShort ? more : random.int(0, 2), isShort ? more : random.int(0, 2));
    if (isShort)
      await until('work for the workers', options.patienceMs ?? PATIENCE_MS, async () => (await this.work()) > 0);
  }

  /** What a supervisor does: a worker that ends by itself, e.g. since its database was cut off as it started, is started again. */
  private replaceEnded(): void {
    for (const worker of this.workers) {
      if (!worker.hasEnded) continue;
      this.noteEnded(worker);
      this.bury(worker);
    }
    if (this.workers.size === 0) this.start();
  }

  private noteEnded(worker: ProductProcess): void {
    this.counts.endedByThemselves.push(`${worker.name}: ${worker.lastLines.slice(-3).join(' | ')}`);
  }

  private async work(): Promise<number> {
    const [work] = await this.world.sql<{ count: number }>(
      "select count(*)::int as count from postings where status in ('READY', 'POSTING', 'IN_DOUBT')",
    );
    return work?.count ?? 0;
  }

  /** Sometimes a second worker, a pause, or a database that cuts all connections. */
  private async disturb(): Promise<void> {
    const { workers = 2 } = this.options;
    if (this.workers.size < workers && this.random.chance(workers > 2 ? 1 : 0.25)) this.start();
    const [worker] = this.workers;
    if (!worker) return;
    if (this.random.chance(0.06)) await this.pauseFor(worker);
    else if (this.random.chance(0.08)) {
      await this.working(worker);
      await pause(this.random.spread(3, 300));
      await this.cutConnections(worker);
    }
  }

  /** Longer than a submit and its settling time together, so that others may have taken over what it was doing. */
  private async pauseFor(worker: ProductProcess): Promise<void> {
    const { submitTimeoutS, settlingS } = this.world.ledger;
    await this.working(worker);
    await this.world.watch.writeArrives(1_000);
    worker.signal('SIGSTOP');
    this.counts.pauses += 1;
    if (this.workers.size < 2) await this.working(this.start());
    if (this.random.chance(0.7)) await this.cutConnections(worker);
    await pause(this.random.int(500, (submitTimeoutS + 2 * settlingS + 2) * 1_000));
    worker.signal('SIGCONT');
    await pause(this.random.int(100, 600));
  }

  /** Out of the killing for longer than its lease; the others go on. */
  private async putToSleep(): Promise<void> {
    if (this.sleeper) return;
    const [worker = this.start()] = this.workers;
    await this.working(worker);
    await this.world.watch.writeArrives(1_000);
    worker.signal('SIGSTOP');
    this.workers.delete(worker);
    const leaseMs = (LEASE_S + this.world.ledger.submitTimeoutS) * 1_000;
    this.sleeper = { worker, wakesAt: performance.now() + leaseMs + 2_000 };
    this.counts.longPauses += 1;
    this.start();
  }

  private async wakeSleeper(waits: boolean): Promise<void> {
    if (!this.sleeper) return;
    const { worker, wakesAt } = this.sleeper;
    const left = wakesAt - performance.now();
    if (left > 0 && !waits) return;
    if (left > 0) await pause(left);
    worker.signal('SIGCONT');
    this.workers.add(worker);
    this.sleeper = null;
  }

  private async killOne(): Promise<void> {
    const { counts, random, world } = this;
    const isStarting = random.chance(0.15);
    const worker = isStarting ? this.start() : random.pick([...this.workers]);
    if (isStarting) await pause(random.next() * this.startMs);
    else {
      await this.working(worker);
      const withinMs = Math.max(LIFE_MS.most, this.startMs * STARTS_LIVED_MAX);
      if (random.chance(0.4)) await this.inTheMiddle(withinMs);
      else await pause(random.spread(LIFE_MS.least, withinMs));
    }
    if (random.chance(0.1)) await this.cutConnections(worker);
    if (isStarting) counts.whileStarting += 1;
    if (world.watch.inFlight > 0) counts.whileSubmitting += 1;
    if (this.workers.size > 1) counts.besideAnother += 1;
    if (worker.hasEnded) this.noteEnded(worker);
    worker.signal('SIGKILL');
    const killedAt = performance.now();
    await worker.ended;
    this.bury(worker);
    counts.kills += 1;
    if ((await this.posting()) > 0) counts.whilePosting += 1;
    this.listenForRecovery(killedAt);
    if (this.workers.size === 0) this.start();
  }

  /** At any call of a document. What takes over from a dead worker first has to notice that it is dead. */
  private async inTheMiddle(withinMs: number): Promise<void> {
    const { watch, ledger } = this.world;
    const { random } = this;
    await watch.writesArrive(random.int(1, 2 * ledger.writesOfDocument), TAKEN_OVER_WITHIN_MS + withinMs);
    await pause(random.next() * 40);
  }

  private get startMs(): number {
    return median(this.counts.startsMs) ?? START_MS;
  }

  private async posting(): Promise<number> {
    const [row] = await this.world.sql<{ count: number }>(
      "select count(*)::int as count from postings where status = 'POSTING'",
    );
    return row?.count ?? 0;
  }

  private listenForRecovery(killedAt: number): void {
    this.stopListening();
    if (this.workers.size > 0) return;
    this.stopListening = this.world.watch.onNextDocument(() => {
      this.counts.recoveriesMs.push(performance.now() - killedAt);
    });
  }

  /** A worker that could not be reached by its database ends by itself when it starts: that is no kill of ours. */
  private async working(worker: ProductProcess): Promise<void> {
    await Promise.race([worker.ready.catch(() => undefined), pause(READY_WITHIN_MS, undefined, { ref: false })]);
  }

  private async cutConnections(worker: ProductProcess): Promise<void> {
    const cut = await this.world.sql(
      'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
      [worker.name],
    );
    if (cut.length > 0) this.counts.connectionsCut += 1;
  }

  private bury(worker: ProductProcess): void {
    this.workers.delete(worker);
    for (const [message, count] of worker.errors) {
      this.counts.errors.set(message, (this.counts.errors.get(message) ?? 0) + count);
    }
  }
}
