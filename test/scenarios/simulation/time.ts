import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import type { Clock } from '../../../src/clock.js';
import { drawFrom } from './chance.js';

/** Something that happens at a later simulated moment, such as a write that lands late. */
interface Event {
  readonly atMs: number;
  readonly run: () => Promise<void>;
}

const STARTS_AT = Date.parse('2026-11-20T12:00:00Z');
const NO_DAY = Number.POSITIVE_INFINITY;

/** The only time of a simulated history: it moves when a step moves it, or when somebody waits. */
export class SimulatedTime implements Clock {
  private ms = STARTS_AT;
  private events: Event[] = [];
  private readonly listeners: ((nowMs: number) => void)[] = [];

  now(): Date {
    return new Date(this.ms);
  }

  get nowMs(): number {
    return this.ms;
  }

  /** Calls `run` when the time given has passed; events of one moment in the order they were planned. */
  later(delayMs: number, run: () => Promise<void>): void {
    this.events.push({ atMs: this.ms + delayMs, run });
  }

  /** Calls `tell` whenever the time has moved on. */
  onMove(tell: (nowMs: number) => void): void {
    this.listeners.push(tell);
  }

  private moved(toMs: number): void {
    if (toMs <= this.ms) return;
    this.ms = toMs;
    for (const tell of this.listeners) tell(toMs);
  }

  get nextEventMs(): number {
    return Math.min(NO_DAY, ...this.events.map(({ atMs }) => atMs));
  }

  async advance(ms: number): Promise<void> {
    await this.moveTo(this.ms + Math.max(0, Math.round(ms)));
  }

  /** Moves on to the moment given, if it is not over, by way of all that is to happen until then. */
  async moveTo(untilMs: number): Promise<void> {
    for (let next = this.takeDue(untilMs); next; next = this.takeDue(untilMs)) {
      this.moved(next.atMs);
      await next.run();
    }
    this.moved(untilMs);
  }

  private takeDue(untilMs: number): Event | undefined {
    const due = this.events.filter(({ atMs }) => atMs <= untilMs);
    const first = due.reduce<Event | undefined>((a, b) => (a === undefined || b.atMs < a.atMs ? b : a), undefined);
    if (first) this.events = this.events.filter((event) => event !== first);
    return first;
  }
}

/** The clock of one machine, which may be wrong. */
export class SkewedClock implements Clock {
  skewMs = 0;
  private readonly time: SimulatedTime;

  constructor(time: SimulatedTime) {
    this.time = time;
  }

  now(): Date {
    return new Date(this.time.nowMs + this.skewMs);
  }
}

/**
 * Lets the whole process live in simulated time: what waits through `timers/promises` moves the clock on and does not
 * sleep, deadlines are counted on the same clock, and jitter comes from the seed. Timers of the runtime itself stay.
 * @returns puts everything back.
 */
export function liveIn(time: SimulatedTime, random: () => number): () => void {
  const before = {
    setTimeout: timers.setTimeout,
    dateNow: Date.now,
    performanceNow: performance.now,
  };
  const wait = async <T>(ms = 0, value?: T): Promise<T> => {
    await time.advance(ms);
    return value as T;
  };
  timers.setTimeout = wait as typeof timers.setTimeout;
  syncBuiltinESMExports();
  Date.now = () => time.nowMs;
  performance.now = () => time.nowMs - STARTS_AT;
  const drawAsBefore = drawFrom(random);
  return () => {
    timers.setTimeout = before.setTimeout;
    syncBuiltinESMExports();
    Date.now = before.dateNow;
    performance.now = before.performanceNow;
    drawAsBefore();
  };
}
