interface Job {
  /** Due once so many reads were answered; null = never by reads. */
  dueAtRead: number | null;
  /** Due at this time of the clock; null = never by time. */
  dueAtMs: number | null;
  run(): void;
}

/**
 * M3's background work: validation of invoices, update of batches, messages of ION. A job is done once enough reads were
 * answered or enough time has passed. Nothing runs by itself: whoever looks settles what is due first.
 */
export class Jobs {
  private waiting: Job[] = [];
  private reads = 0;

  constructor(private readonly nowMs: () => number) {}

  get count(): number {
    return this.waiting.length;
  }

  /** @param polls 0 runs it at once. */
  add(polls: number | null, waitMs: number | null, run: () => void): void {
    if (polls === 0 || waitMs === 0) {
      run();
      return;
    }
    const dueAtRead = polls === null ? null : this.reads + polls;
    this.waiting.push({ dueAtRead, dueAtMs: waitMs === null ? null : this.nowMs() + waitMs, run });
  }

  /** One more read was answered. */
  countRead(): void {
    this.reads += 1;
  }

  /** Runs what is due, in the order it was asked for. */
  settle(): void {
    if (this.waiting.length === 0) return;
    const now = this.nowMs();
    const isDue = ({ dueAtRead, dueAtMs }: Job): boolean =>
      (dueAtRead !== null && dueAtRead <= this.reads) || (dueAtMs !== null && dueAtMs <= now);
    const due = this.waiting.filter(isDue);
    if (due.length === 0) return;
    this.waiting = this.waiting.filter((job) => !isDue(job));
    for (const job of due) job.run();
  }

  /** Runs everything now, due or not. @returns how many jobs that were. */
  finishAll(): number {
    const all = this.waiting;
    this.waiting = [];
    for (const job of all) job.run();
    return all.length;
  }

  clear(): void {
    this.waiting = [];
  }
}
