import { setTimeout as delay } from 'node:timers/promises';
import { LedgergateError, OutcomeUnknownError, UnreadableReplyError, UpstreamUnavailableError } from '../../errors.js';
import type { M3Client } from './client.js';
import { TITLE, writeRefused } from './failures.js';
import type { Fields } from './mapper.js';
import type { MiRecord } from './wire.js';

/** What the ways of posting share. */

/** A read that comes before a write: whatever fails in it, nothing was sent. */
export async function beforeWrite<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UnreadableReplyError)) throw error;
    throw new UpstreamUnavailableError(`${error.userMessage} Nothing was sent.`, { code: error.code, cause: error });
  }
}

/** Sends one writing transaction; M3's no becomes an error. */
export async function written(
  client: M3Client,
  program: string,
  transaction: string,
  inputs: Fields,
  deadline: number,
): Promise<readonly MiRecord[]> {
  const answer = await client.write(program, transaction, inputs, deadline);
  if ('records' in answer) return answer.records;
  throw writeRefused(`${program}.${transaction}`, answer.refusal, client.settings.errorPatterns);
}

/**
 * Looks again and again for what a write is to bring about.
 * @param look null = not there yet. A read that fails is no answer, and is asked again.
 * @throws OutcomeUnknownError it is not there in time. Refusals that `look` throws end the watch.
 */
export async function watched<T>(
  client: M3Client,
  what: string,
  deadline: number,
  signal: AbortSignal | undefined,
  look: () => Promise<T | null>,
): Promise<T> {
  const { watchSeconds, pollSeconds } = client.settings;
  const end = Math.min(deadline, performance.now() + watchSeconds * 1000);
  let trouble: unknown = null;
  do {
    try {
      const found = await look();
      if (found !== null) return found;
    } catch (error) {
      // A no is the end of the watch; everything else is only an answer that did not come.
      if (!(error instanceof LedgergateError) || error.decision === 'REJECT' || error.decision === 'PROBE') throw error;
      trouble = error;
    }
    if (signal?.aborted) break;
    await delay(pollSeconds * 1000, undefined, signal ? { signal } : {}).catch(() => undefined);
  } while (performance.now() < end && !signal?.aborted);
  throw new OutcomeUnknownError(`${TITLE} took ${what}, and what became of it could not be seen in time.`, {
    code: 'NOT_SEEN_IN_TIME',
    cause: trouble ?? undefined,
  });
}
