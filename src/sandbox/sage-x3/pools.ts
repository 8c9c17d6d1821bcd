import type { SageX3Settings } from './settings.js';

interface Waiting {
  start(free: boolean): void;
  timer: NodeJS.Timeout;
}

/**
 * The pool of opened X3 sessions. A call waits for one, keeps it for the pool's delay and then does its work, also when
 * its caller has gone meanwhile: a slow pool commits late.
 */
export class X3Pool {
  private busy = 0;
  private cold = true;
  private closed = false;
  private readonly queue: Waiting[] = [];
  private readonly timers = new Map<NodeJS.Timeout, () => void>();

  constructor(private readonly settings: SageX3Settings) {}

  /** @returns undefined when no session became free in time, or the pool was closed; the work was then not started. */
  async run<T>(work: () => T): Promise<T | undefined> {
    if (!(await this.acquire())) return undefined;
    try {
      const { poolDelayMs, poolColdMs } = this.settings;
      const delay = poolDelayMs + (this.cold ? poolColdMs : 0);
      this.cold = false;
      if (delay > 0) await this.wait(delay);
      return this.closed ? undefined : work();
    } finally {
      this.release();
    }
  }

  /** The next call finds no warm session. */
  cool(): void {
    this.cold = true;
  }

  /** Ends all waiting; calls that wait do nothing any more. */
  dispose(): void {
    this.closed = true;
    for (const [timer, wake] of this.timers) {
      clearTimeout(timer);
      wake();
    }
    this.timers.clear();
    for (const waiting of this.queue.splice(0)) {
      clearTimeout(waiting.timer);
      waiting.start(false);
    }
  }

  private acquire(): Promise<boolean> {
    if (this.busy < this.settings.poolSessions) {
      this.busy += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.queue.splice(this.queue.indexOf(waiting), 1);
        resolve(false);
      }, this.settings.poolQueueMs);
      const waiting: Waiting = { start: resolve, timer };
      this.queue.push(waiting);
    });
  }

  private release(): void {
    const next = this.queue.shift();
    if (next === undefined) {
      this.busy -= 1;
      return;
    }
    clearTimeout(next.timer);
    next.start(true);
  }

  private wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve();
      }, delayMs);
      this.timers.set(timer, resolve);
    });
  }
}
