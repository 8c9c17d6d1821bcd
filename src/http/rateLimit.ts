import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

const WINDOW_SECONDS = 60;

/**
 * How much one API key may ask for. Each process counts by itself, so that a key spread over several `api` processes gets
 * as many times more: the limit is there to keep one caller from starving the others, not to bill.
 */
export class RateLimits {
  private readonly limiter: RateLimiterMemory | null;

  /** @param perMinute requests and operations of one key within a minute; 0 = no limit. */
  constructor(private readonly perMinute: number) {
    this.limiter = perMinute === 0 ? null : new RateLimiterMemory({ points: perMinute, duration: WINDOW_SECONDS });
  }

  /** Counts one request. @returns null when it may go on, else the refusal. */
  async take(keyId: string): Promise<{ retryAfterSeconds: number; message: string } | null> {
    if (!this.limiter) return null;
    try {
      await this.limiter.consume(keyId);
      return null;
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const retryAfterSeconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1_000));
      const message = `This key may send ${this.perMinute} requests a minute; try again in ${retryAfterSeconds} s.`;
      return { retryAfterSeconds, message };
    }
  }
}
