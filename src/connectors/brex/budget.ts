/**
 * At most `perMinute` calls in any 60 seconds, exactly: a call starts only when the call `perMinute` before it is older
 * than a minute. (A token bucket of that size would let twice as many through in its first minute.) Brex sends no
 * rate-limit headers, so the only way to stay below its limit is to count ourselves.
 */
export class CallBudget {
  private readonly starts: number[] = [];
  private next = 0;

  constructor(private readonly perMinute: number) {}

  /** Reserves the next free start. @returns how long to wait for it, in milliseconds. */
  reserve(nowMs: number): number {
    const earliest = this.starts.length < this.perMinute ? nowMs : (this.starts[this.next] ?? nowMs) + 60_000;
    const start = Math.max(nowMs, earliest);
    this.starts[this.next] = start;
    this.next = (this.next + 1) % this.perMinute;
    return start - nowMs;
  }
}
