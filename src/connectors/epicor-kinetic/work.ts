import { UpstreamUnavailableError } from '../../errors.js';

/** A write for which less time is left than this is not begun. */
const LEAST_WRITE_MS = 1000;

/** One document on its way: how much time it has, and whether the ledger may hold something of it already. */
export class Work {
  /** Ends reads and questions of this document together with its time. */
  readonly signal: AbortSignal;
  private readonly deadline: number;
  private begun = false;

  constructor(timeoutMs: number) {
    // Counted from here on, because whoever waits for this document counts from here too: what were sent after its time
    // might meet a second attempt that began when this one was given up.
    this.deadline = performance.now() + timeoutMs;
    this.signal = AbortSignal.timeout(timeoutMs);
  }

  /** true = a write of this document was sent; a fault from now on leaves its outcome unknown. */
  get hasBegun(): boolean {
    return this.begun;
  }

  begin(): void {
    this.begun = true;
  }

  /** The draft is gone again, so that a refusal is the whole story. */
  undo(): void {
    this.begun = false;
  }

  get remainingMs(): number {
    return Math.floor(this.deadline - performance.now());
  }

  /** @throws UpstreamUnavailableError too little is left; nothing was sent by this call. */
  timeForWrite(timeoutMs: number): number {
    const left = this.remainingMs;
    if (left >= LEAST_WRITE_MS) return Math.min(left, timeoutMs);
    throw new UpstreamUnavailableError('Epicor Kinetic was too slow for the document to be finished in time.', {
      code: 'NOT_IN_TIME',
    });
  }
}
