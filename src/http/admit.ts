import { UpstreamUnavailableError } from '../errors.js';
import { authenticate, type KeyFacts } from '../services/apiKeys.js';
import { bearerOf, type Exchange } from './exchange.js';
import type { HttpServerOptions } from './options.js';
import type { RateLimits } from './rateLimit.js';

type Parts = Pick<HttpServerOptions, 'db' | 'clock' | 'logins' | 'logger'>;

/** Why a request is turned away before anything is done, in words that fit any kind of answer. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly retryAfterSeconds?: number;
}

const RETRY_AFTER_SECONDS = 5;

/**
 * Whose API key or login token this is; null without a reason when it is nobody's.
 * @throws UpstreamUnavailableError the issuer of login tokens does not answer.
 */
export async function identify(parts: Parts, secret: string): Promise<KeyFacts | null> {
  const now = parts.clock.now();
  return (await authenticate(parts.db, secret, now)) ?? (await parts.logins?.factsOf(secret, now)) ?? null;
}

/** Who asks, or why they are not let in: nobody known, or too many requests of theirs. */
export async function admit(
  exchange: Exchange,
  parts: Parts & { readonly limits: RateLimits },
): Promise<{ readonly key: KeyFacts } | { readonly refusal: Refusal }> {
  const secret = bearerOf(exchange.request.headers.authorization);
  let key: KeyFacts | null;
  try {
    key = secret === null ? null : await identify(parts, secret);
  } catch (error) {
    if (!(error instanceof UpstreamUnavailableError)) throw error;
    parts.logger.warn({ err: error }, 'a login token could not be checked');
    const headers = { 'retry-after': String(RETRY_AFTER_SECONDS) };
    const said = { status: 503, code: error.code, message: error.userMessage, headers };
    return { refusal: { ...said, retryAfterSeconds: RETRY_AFTER_SECONDS } };
  }
  if (!key) {
    const message = 'Send a valid API key: `Authorization: Bearer <key>`.';
    return { refusal: { status: 401, code: 'UNAUTHENTICATED', message, headers: { 'www-authenticate': 'Bearer' } } };
  }
  const tooMany = await parts.limits.take(key.identity);
  if (!tooMany) return { key };
  const { message, retryAfterSeconds } = tooMany;
  const headers = { 'retry-after': String(retryAfterSeconds) };
  return { refusal: { status: 429, code: 'RATE_LIMITED', message, headers, retryAfterSeconds } };
}
