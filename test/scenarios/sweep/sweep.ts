import { Lane } from './lane.js';
import type { Pair } from './ledgers.js';
import { type DeathPlace, distinctOf, type Passing, type PlannedDeath, placesOf, type Slice, sliceOf } from './plan.js';
import type { SweptProduct } from './sweptProduct.js';

export interface SweepOptions extends Pair {
  readonly swept: SweptProduct;
  /** Address of a new, empty database. */
  readonly newDatabase: () => Promise<string>;
  readonly seed: number;
  readonly slice: Slice;
  /** Of all boundaries between which nothing went out of the process or came in, only one. */
  readonly isDistinct: boolean;
  /** Only boundaries whose place matches. */
  readonly only?: RegExp;
  /** So many gateways side by side: most of a death is waiting for it to be noticed. */
  readonly lanes: number;
  /** No death begins after so long. */
  readonly withinMs?: number;
  /** Asked before each death: true = no more. */
  readonly isStopping?: () => boolean;
  readonly say?: (line: string) => void;
  /** Told of every place at which a process is to die at its work, before the first does. */
  readonly list?: (place: string) => void;
}

export interface SweepReport {
  readonly pair: Pair;
  /** Boundaries that purchases passed on their way, and those that only a worker passed that took over from a dead one. */
  readonly boundaries: number;
  readonly recoveryBoundaries: number;
  /** Deaths that were planned, those left out for lack of time, and processes that died as planned. */
  readonly planned: number;
  readonly leftOut: number;
  readonly deaths: number;
  /** Recorded, and not passed again when a process was to die there. */
  readonly notReached: readonly string[];
  readonly foundByReference: number;
  readonly sentAgain: number;
  readonly documents: number;
  readonly duplicates: number;
  readonly auditEvents: number;
  /** Each with the place of the death. */
  readonly broken: readonly string[];
  readonly ms: number;
}

/** What is passed all the time is passed soon; what is passed by the clock, within its minute. */
const PATIENCE_MS = 2_500;
const LONG_PATIENCE_MS = 65_000;
/** A gateway that does not come to rest is given up and reported; after so many there is no need for more. */
const LANES_LOST_MAX = 4;

/** Lets processes die at every boundary on the path of one ledger and one type of document, or at a slice of them. */
export function sweep(options: SweepOptions): Promise<SweepReport> {
  return new Sweep(options).run();
}

class Sweep {
  private readonly options: SweepOptions;
  private readonly startedAt = performance.now();
  private readonly queue: { readonly death: PlannedDeath; readonly patienceMs: number }[] = [];
  private readonly atStart = new Set<number>();
  private readonly atWork = new Set<number>();
  private readonly atRecovery = new Set<number>();
  private readonly notReached: string[] = [];
  private readonly broken: string[] = [];
  private readonly counts = {
    ...{ planned: 0, deaths: 0, documents: 0, duplicates: 0, auditEvents: 0 },
    ...{ foundByReference: 0, sentAgain: 0 },
  };
  private lanesLost = 0;

  constructor(options: SweepOptions) {
    this.options = options;
  }

  async run(): Promise<SweepReport> {
    const { ledger, documents, slice, lanes } = this.options;
    const first = await this.openLane(1);
    try {
      const { work, idle, start } = await first.record();
      for (const boundary of start) this.atStart.add(boundary);
      for (const { boundary } of work) this.atWork.add(boundary);
      for (const place of sliceOf(this.wanted(work), slice)) {
        this.plan({ ...place, isIdle: idle.has(place.boundary), recovering: null });
      }
    } catch (error) {
      await first.close();
      throw error;
    }
    this.options.say?.(`${this.atWork.size} boundaries on the path, ${this.queue.length} deaths`);
    for (const { death } of this.queue) this.options.list?.(this.nameOf(death));
    const all = Array.from({ length: lanes }, (_, index) => this.workIn(index + 1, index === 0 ? first : null));
    // Every one of them comes to its end first, so that none goes on in a database that is taken away.
    const failures = (await Promise.allSettled(all)).filter((one) => one.status === 'rejected');
    if (failures[0]) throw failures[0].reason;
    return {
      ...this.counts,
      pair: { ledger, documents },
      ...{ boundaries: this.atWork.size, recoveryBoundaries: this.atRecovery.size, leftOut: this.queue.length },
      ...{ notReached: this.notReached, broken: this.broken, ms: performance.now() - this.startedAt },
    };
  }

  private wanted(passings: readonly Passing[]): DeathPlace[] {
    const { isDistinct, only, swept } = this.options;
    const all = placesOf(passings);
    const wanted = isDistinct ? distinctOf(all, passings) : all;
    return wanted.filter(({ boundary }) => only?.test(swept.boundaries[boundary]?.place ?? '') ?? true);
  }

  private async openLane(number: number): Promise<Lane> {
    const { ledger, documents, swept, seed, newDatabase } = this.options;
    return Lane.open({ ledger, documents, swept, seed: seed + number, databaseUrl: await newDatabase() });
  }

  private plan(death: PlannedDeath): void {
    this.queue.push({ death, patienceMs: death.isIdle ? PATIENCE_MS : 0 });
    this.counts.planned += 1;
  }

  private get isOver(): boolean {
    const { withinMs = Number.POSITIVE_INFINITY, isStopping } = this.options;
    return performance.now() - this.startedAt > withinMs || (isStopping?.() ?? false);
  }

  /** One death after the other. A gateway that does not come to rest is replaced by a new one. */
  private async workIn(number: number, opened: Lane | null): Promise<void> {
    let lane = opened;
    try {
      while (this.queue.length > 0 && !this.isOver && this.lanesLost < LANES_LOST_MAX) {
        lane ??= await this.reopen(number);
        if (!lane) return;
        const next = this.queue.shift();
        if (!next) break;
        if (await this.dieIn(lane, next.death, next.patienceMs)) continue;
        this.lanesLost += 1;
        await lane.close();
        lane = null;
      }
      if (lane) await this.count(lane);
    } finally {
      await lane?.close();
    }
  }

  /** On a busy machine one may not start in time; the others do its work then. With none at all, there is no sweep. */
  private async reopen(number: number): Promise<Lane | null> {
    try {
      return await this.openLane(number + this.options.lanes * this.lanesLost);
    } catch (error) {
      this.lanesLost += 1;
      if (this.lanesLost >= Math.min(LANES_LOST_MAX, this.options.lanes)) throw error;
      this.options.say?.(`a gateway could not be opened: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  }

  /** @returns false when the gateway did not come to rest afterwards. */
  private async dieIn(lane: Lane, death: PlannedDeath, patienceMs: number): Promise<boolean> {
    const where = this.nameOf(death);
    try {
      const { deaths, reached, recovery, broken } = await lane.die(death, patienceMs);
      this.counts.deaths += deaths;
      this.broken.push(...broken.map((one) => `${where}: ${one}`));
      if (!reached) this.tryLater(death, patienceMs);
      if (reached && !death.recovering) this.planRecovery(death, recovery);
      this.options.say?.(
        `${reached ? 'died' : 'not reached'} ${where}${broken.length > 0 ? ' BROKEN' : ''}, ${this.queue.length} left`,
      );
      return true;
    } catch (error) {
      this.broken.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }

  /** Once more, and longer: what comes by the clock may not have come. */
  private tryLater(death: PlannedDeath, patienceMs: number): void {
    if (patienceMs < LONG_PATIENCE_MS) this.queue.push({ death, patienceMs: LONG_PATIENCE_MS });
    else this.notReached.push(this.nameOf(death));
  }

  /** What only a worker that takes over passes is a place to die as well: for that, another has to die here again. */
  private planRecovery({ boundary, side }: DeathPlace, recovery: readonly Passing[]): void {
    for (const place of this.wanted(recovery)) {
      if ([this.atStart, this.atWork, this.atRecovery].some((known) => known.has(place.boundary))) continue;
      this.atRecovery.add(place.boundary);
      if (place.boundary % this.options.slice.of !== this.options.slice.index - 1) continue;
      this.plan({ ...place, isIdle: false, recovering: { boundary, side } });
    }
  }

  /** The promises that show only over everything that happened. */
  private async count(lane: Lane): Promise<void> {
    const verdict = await lane.verdict().catch((error: unknown) => {
      this.broken.push(`at the end: what was there could not be compared: ${String(error)}`);
      return null;
    });
    if (!verdict) return;
    this.broken.push(...verdict.broken.map((one) => `at the end: ${one}`));
    this.counts.documents += verdict.documents;
    this.counts.duplicates += verdict.duplicates;
    this.counts.auditEvents += verdict.auditEvents;
    this.counts.foundByReference += verdict.foundByReference;
    this.counts.sentAgain += verdict.sentAgain;
  }

  private nameOf({ boundary, side, recovering }: PlannedDeath): string {
    const { boundaries } = this.options.swept;
    const place = `${side} ${boundaries[boundary]?.place ?? boundary}`;
    return recovering
      ? `${place}, taking over from ${this.nameOf({ ...recovering, isIdle: false, recovering: null })}`
      : place;
  }
}
