/** Sliding windows over all calls, whoever makes them. */
export class CallLimits {
  private readonly calls: number[] = [];

  constructor(private readonly nowMs: () => number) {}

  /** Counts a call that is let through. @returns false when one of the windows is full. */
  allow(limits: readonly { requests: number; seconds: number }[] | null): boolean {
    if (limits === null) return true;
    const now = this.nowMs();
    const longest = Math.max(...limits.map(({ seconds }) => seconds), 0);
    while (this.calls.length > 0 && (this.calls[0] ?? 0) <= now - longest * 1000) this.calls.shift();
    const isFull = limits.some(({ requests, seconds }) => {
      const since = now - seconds * 1000;
      return this.calls.filter((at) => at > since).length >= requests;
    });
    if (isFull) return false;
    this.calls.push(now);
    return true;
  }

  clear(): void {
    this.calls.length = 0;
  }
}
