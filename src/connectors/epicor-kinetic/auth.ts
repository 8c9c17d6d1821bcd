import { createHash } from 'node:crypto';
import { CredentialsError, RateLimitedError, UnreadableReplyError, UpstreamUnavailableError } from '../../errors.js';
import type { ConnectionContext } from '../contract.js';
import { type HttpClient, type HttpReply, readFault, retryAfterMs, TransportFault } from '../http.js';
import type { KineticCredentials, KineticOAuth2, KineticSettings } from './config.js';
import { withoutSecrets } from './failures.js';
import { isRecord, JsonNumber, parseExact } from './json.js';
import { tokenReply } from './wire.js';

/** An access token is replaced this long before it ends, so that a call in flight never outlives it. */
const RENEW_EARLY_MS = 60_000;
/** Used when the provider does not say; a token that ends sooner is refused once and renewed then. */
const DEFAULT_LIFETIME_S = 3600;
const TOKENS_REMEMBERED = 5;

/** What a call presents, and what to do when it was refused. */
export interface Presented {
  readonly headers: Readonly<Record<string, string>>;
  /** The token to replace; null = user and password, which nothing can renew. */
  readonly renewable: string | null;
}

/**
 * User and password with each call, or an access token that all processes share: the first that finds it ended fetches
 * the next one. The API key goes along in both cases; by itself it opens nothing.
 */
export class KineticAuth {
  /** The tokens of late: a server may quote one that was replaced meanwhile. */
  private readonly presented: string[] = [];

  constructor(
    private readonly context: ConnectionContext<KineticCredentials, KineticSettings>,
    private readonly http: HttpClient,
  ) {}

  /** @throws CredentialsError, UpstreamUnavailableError no token could be had. */
  async present(): Promise<Presented> {
    const credentials = await this.context.credentials.read();
    const key = { 'x-api-key': credentials.apiKey };
    if (credentials.kind === 'basic') {
      const pair = Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64');
      return { headers: { ...key, authorization: `Basic ${pair}` }, renewable: null };
    }
    const stored = await this.usableToken(credentials);
    this.remember(tokenIn(stored));
    return { headers: { ...key, authorization: `Bearer ${tokenIn(stored)}` }, renewable: stored };
  }

  /** Replaces a token that the ledger refused; another process may have done so already. */
  async renew(refused: string): Promise<void> {
    const credentials = await this.context.credentials.read();
    if (credentials.kind === 'oauth2') await this.replace(refused, credentials);
  }

  /** Forgets the token; the provider knows no log-off for it. */
  async end(): Promise<void> {
    const stored = await this.context.session.current();
    if (stored !== null) await this.context.session.end(stored, async () => undefined);
  }

  /** What must not stand in any text that leaves the connector. */
  async secrets(): Promise<string[]> {
    const credentials = await this.context.credentials.read();
    const stored = await this.context.session.current();
    const tokens = stored === null ? this.presented : [tokenIn(stored), ...this.presented];
    if (credentials.kind === 'oauth2') return [credentials.apiKey, credentials.clientSecret, ...tokens];
    const pair = Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64');
    return [credentials.apiKey, credentials.password, pair];
  }

  private remember(token: string): void {
    if (!this.presented.includes(token)) this.presented.push(token);
    if (this.presented.length > TOKENS_REMEMBERED) this.presented.shift();
  }

  private async usableToken(credentials: KineticOAuth2): Promise<string> {
    const stored = await this.context.session.current();
    if (stored === null) return this.replace(null, credentials);
    const { endsAt, client } = partsOf(stored);
    const isOver = endsAt - RENEW_EARLY_MS <= this.context.clock.now().getTime();
    return isOver || client !== clientMark(credentials) ? this.replace(stored, credentials) : stored;
  }

  private replace(stale: string | null, credentials: KineticOAuth2): Promise<string> {
    return this.context.session.renew(stale, async () => {
      const requestedAt = this.context.clock.now().getTime();
      const { token, lifetimeS } = await this.fetchToken(credentials);
      const endsAt = requestedAt + lifetimeS * 1000;
      this.context.logger.info({ lifetimeS }, 'fetched an access token for Epicor Kinetic');
      const stored = JSON.stringify({ token, endsAt, client: clientMark(credentials) });
      return { token: stored, expiresAt: new Date(endsAt) };
    });
  }

  private async fetchToken(credentials: KineticOAuth2): Promise<{ token: string; lifetimeS: number }> {
    const reply = await this.requestToken(credentials);
    const body = parseExact(reply.body.toString('utf8'))?.value;
    if (reply.status === 200) {
      const parsed = tokenReply.safeParse(body);
      if (!parsed.success) {
        throw new UnreadableReplyError('The identity provider answered without an access token.');
      }
      const seconds = Number(parsed.data.expires_in ?? Number.NaN);
      return {
        token: parsed.data.access_token,
        lifetimeS: Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_LIFETIME_S,
      };
    }
    throw tokenRefused(reply, body, credentials, this.context.clock.now());
  }

  private async requestToken(credentials: KineticOAuth2): Promise<HttpReply> {
    const { settings } = this.context;
    const { clientId, clientSecret, scope } = credentials;
    const inBody = settings.clientAuthStyle === 'body';
    const form = new URLSearchParams({
      ...settings.extraTokenFields,
      grant_type: 'client_credentials',
      scope,
      ...(inBody ? { client_id: clientId, client_secret: clientSecret } : {}),
    });
    // RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
    const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
    try {
      return await this.http.send({
        method: 'POST',
        path: credentials.tokenUrl,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
          ...(inBody ? {} : { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` }),
        },
        body: form.toString(),
        signal: this.context.signal,
        timeoutMs: settings.readTimeoutSeconds * 1000,
      });
    } catch (error) {
      throw error instanceof TransportFault ? readFault(error, 'The identity provider of Epicor Kinetic') : error;
    }
  }
}

function tokenRefused(
  reply: HttpReply,
  body: unknown,
  credentials: KineticOAuth2,
  now: Date,
): CredentialsError | RateLimitedError | UpstreamUnavailableError {
  const { status } = reply;
  const code = isRecord(body) && typeof body.error === 'string' ? body.error : '';
  const about = isRecord(body) && typeof body.error_description === 'string' ? body.error_description : '';
  const text = withoutSecrets([code, about].filter((part) => part !== '').join(': '), [
    credentials.clientSecret,
    credentials.apiKey,
  ]);
  const quoted = text === '' ? `HTTP ${status}` : `"${text}"`;
  if (status === 429) {
    return new RateLimitedError('The identity provider asks for fewer calls.', retryAfterMs(reply, now));
  }
  if (status === 400 || status === 401 || status === 403) {
    return new CredentialsError(
      `The identity provider of Epicor Kinetic refused the client (${quoted}). Check client id, secret and scope, and enter them again.`,
      { code: 'TOKEN_REFUSED', detail: { httpStatus: status } },
    );
  }
  return new UpstreamUnavailableError(`The identity provider of Epicor Kinetic gave no token (${quoted}).`, {
    code: 'TOKEN_UNAVAILABLE',
    detail: { httpStatus: status },
  });
}

/** Tells whether a stored token was fetched with these credentials, and reveals nothing of them. */
function clientMark({ tokenUrl, clientId, clientSecret, scope }: KineticOAuth2): string {
  const text = JSON.stringify([tokenUrl, clientId, clientSecret, scope]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

function partsOf(stored: string): { token: string; endsAt: number; client: string } {
  const value = parseExact(stored)?.value;
  if (!isRecord(value)) return { token: stored, endsAt: 0, client: '' };
  const endsAt = value.endsAt instanceof JsonNumber ? Number(value.endsAt.text) : 0;
  const { token, client } = value;
  return {
    token: typeof token === 'string' ? token : '',
    endsAt: Number.isFinite(endsAt) ? endsAt : 0,
    client: typeof client === 'string' ? client : '',
  };
}

function tokenIn(stored: string): string {
  return partsOf(stored).token;
}
