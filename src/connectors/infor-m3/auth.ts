import { createHash } from 'node:crypto';
import {
  ConfigurationError,
  CredentialsError,
  type LedgergateError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '../../errors.js';
import type { ConnectionContext } from '../contract.js';
import { type HttpClient, type HttpReply, readFault, retryAfterMs, TransportFault } from '../http.js';
import type { M3Settings } from './config.js';
import { type IonapiFile, joined, type M3Credentials } from './ionapi.js';
import { type StoredTokens, storedTokens, tokenError, tokenReply } from './wire.js';

/** As delivered, access tokens live two hours; used only when a reply says nothing. */
const DEFAULT_LIFETIME_MS = 2 * 3600 * 1000;
const LOGIN_TITLE = "Infor's authorization server";

type Context = ConnectionContext<M3Credentials, M3Settings>;

/**
 * The access token of the service account: password grant, renewed before it ends. All processes share one through the
 * shared session, which holds the tokens with their end, so that a renewal of one serves the others. A refresh token is
 * used where the administrator lets the app have one; refused, the password grant takes its place.
 */
export class M3Tokens {
  constructor(
    private readonly context: Context,
    private readonly http: HttpClient,
  ) {}

  /** @throws CredentialsError, UpstreamUnavailableError, RateLimitedError there is none. */
  async current(): Promise<string> {
    const stored = await this.context.session.current();
    const tokens = read(stored);
    const madeFrom = fingerprint(await this.file());
    if (tokens !== null && tokens.madeFrom === madeFrom && !this.isEnding(tokens)) return tokens.accessToken;
    return this.renewed(stored);
  }

  /** A token other than the refused one; another process may have renewed it already. */
  async replacing(refused: string): Promise<string> {
    const stored = await this.context.session.current();
    const tokens = read(stored);
    if (tokens !== null && tokens.accessToken !== refused && !this.isEnding(tokens)) return tokens.accessToken;
    return this.renewed(stored);
  }

  /** Revokes what is held, so that nobody can use it any more. A revocation that fails leaves tokens that end by themselves. */
  async end(): Promise<void> {
    const stored = await this.context.session.current();
    if (stored !== null) await this.context.session.end(stored, (ended) => this.revoke(ended));
  }

  /** What must not stand in any text that leaves the connector. */
  async secrets(): Promise<string[]> {
    const { cs, sask, saak, ci } = await this.file();
    const tokens = read(await this.context.session.current());
    return [cs, sask, saak, ci, tokens?.accessToken ?? '', tokens?.refreshToken ?? ''];
  }

  private async file(): Promise<IonapiFile> {
    return (await this.context.credentials.read()).ionapi;
  }

  private isEnding(tokens: StoredTokens): boolean {
    return tokens.renewAt !== null && tokens.renewAt <= this.context.clock.now().getTime();
  }

  private async renewed(stale: string | null): Promise<string> {
    const text = await this.context.session.renew(stale, () => this.logon(read(stale)));
    const tokens = read(text);
    if (tokens === null) throw new UpstreamUnavailableError('The stored login of Infor M3 could not be read.');
    return tokens.accessToken;
  }

  private async logon(before: StoredTokens | null): Promise<{ token: string; expiresAt: Date | null }> {
    const credentials = await this.file();
    const madeFrom = fingerprint(credentials);
    const refreshToken = before?.madeFrom === madeFrom ? before.refreshToken : null;
    const reply =
      (refreshToken === null ? null : await this.refresh(credentials, refreshToken)) ??
      (await this.ask(credentials, {
        grant_type: 'password',
        username: credentials.saak,
        password: credentials.sask,
        ...(this.context.settings.scope === undefined ? {} : { scope: this.context.settings.scope }),
      }));
    const now = this.context.clock.now();
    if (reply.status !== 200) throw loginFailure(reply, now);
    const parsed = tokenReply.safeParse(jsonOf(reply));
    if (!parsed.success) {
      throw new UpstreamUnavailableError(`${LOGIN_TITLE} answered with something that is not an access token.`, {
        code: 'LOGON_UNREADABLE',
      });
    }
    const { access_token, expires_in, refresh_token } = parsed.data;
    const lifetimeMs = expires_in !== undefined && expires_in > 0 ? expires_in * 1000 : DEFAULT_LIFETIME_MS;
    const earlyMs = Math.min(this.context.settings.renewBeforeSeconds * 1000, lifetimeMs / 5);
    const tokens: StoredTokens = {
      accessToken: access_token,
      refreshToken: refresh_token ?? refreshToken,
      renewAt: now.getTime() + lifetimeMs - earlyMs,
      madeFrom,
    };
    this.context.logger.info({ lifetimeSeconds: Math.round(lifetimeMs / 1000) }, 'logged on to the Infor gateway');
    return { token: JSON.stringify(tokens), expiresAt: new Date(now.getTime() + lifetimeMs) };
  }

  /** null = refused: the administrator may have withdrawn it, and the password grant still works. */
  private async refresh(credentials: IonapiFile, refreshToken: string): Promise<HttpReply | null> {
    const reply = await this.ask(credentials, { grant_type: 'refresh_token', refresh_token: refreshToken });
    return reply.status === 400 || reply.status === 401 ? null : reply;
  }

  private async revoke(stored: string): Promise<void> {
    const tokens = read(stored);
    const credentials = await this.file();
    const url = this.context.settings.revokeUrl ?? (credentials.or ? joined(credentials.pu, credentials.or) : null);
    if (tokens === null || url === null) return;
    const held = [
      ...(tokens.refreshToken === null ? [] : [{ token: tokens.refreshToken, token_type_hint: 'refresh_token' }]),
      { token: tokens.accessToken, token_type_hint: 'access_token' },
    ];
    for (const form of held) {
      try {
        const reply = await this.post(url, credentials, form, false);
        if (reply.status !== 200) this.context.logger.warn({ status: reply.status }, 'Infor did not revoke a token');
      } catch (error) {
        if (!(error instanceof TransportFault)) throw error;
        this.context.logger.warn({ fault: error.faultCode }, 'a token could not be revoked and ends by itself');
      }
    }
  }

  private async ask(credentials: IonapiFile, form: Readonly<Record<string, string>>): Promise<HttpReply> {
    try {
      const url = this.context.settings.tokenUrl ?? joined(credentials.pu, credentials.ot);
      return await this.post(url, credentials, form, true);
    } catch (error) {
      throw error instanceof TransportFault ? readFault(error, LOGIN_TITLE) : error;
    }
  }

  /** Keys contain `#`, `~` and `+`: the form encodes them. */
  private post(
    url: string,
    credentials: IonapiFile,
    form: Readonly<Record<string, string>>,
    endsWithProcess: boolean,
  ): Promise<HttpReply> {
    const inBody = this.context.settings.clientAuth === 'body';
    const basic = Buffer.from(`${credentials.ci}:${credentials.cs}`, 'utf8').toString('base64');
    const body = new URLSearchParams({
      ...form,
      ...(inBody ? { client_id: credentials.ci, client_secret: credentials.cs } : {}),
    });
    return this.http.send({
      method: 'POST',
      path: url,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
        ...(inBody ? {} : { authorization: `Basic ${basic}` }),
      },
      body: body.toString(),
      timeoutMs: this.context.settings.readTimeoutSeconds * 1000,
      freshConnection: true,
      ...(endsWithProcess && this.context.signal ? { signal: this.context.signal } : {}),
    });
  }
}

function read(stored: string | null): StoredTokens | null {
  if (stored === null) return null;
  try {
    return storedTokens.parse(JSON.parse(stored));
  } catch {
    return null;
  }
}

/** Tells tokens of a credential that was replaced apart, and reveals nothing of it. */
function fingerprint(credentials: IonapiFile): string {
  const parts = [credentials.ti, credentials.ci, credentials.cs, credentials.saak, credentials.sask];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

function loginFailure(reply: HttpReply, now: Date): LedgergateError {
  const { status } = reply;
  if (status === 429) return new RateLimitedError(`${LOGIN_TITLE} asks for fewer logins.`, retryAfterMs(reply, now));
  const parsed = tokenError.safeParse(jsonOf(reply));
  const error = parsed.success && /^[a-z_]+$/.test(parsed.data.error) ? parsed.data.error : null;
  if (error === 'invalid_scope') {
    return new ConfigurationError('Infor does not know the scope that is asked for. Change the setting scope.', {
      code: 'SCOPE_REFUSED',
    });
  }
  if (status === 401 || (status === 400 && error !== null)) {
    return new CredentialsError(
      `Infor did not accept the .ionapi file (${error ?? `HTTP ${status}`}). Download it again with its service account from the ION API gateway and reconnect; the service account must be linked to a user that exists in M3.`,
      { detail: { status, error } },
    );
  }
  if (status === 404 || status === 405) {
    return new ConfigurationError(
      `There is no token endpoint at the address of the .ionapi file (HTTP ${status}). Check pu and ot, or set tokenUrl.`,
      { code: 'WRONG_TOKEN_URL', detail: { status } },
    );
  }
  return new UpstreamUnavailableError(`${LOGIN_TITLE} answered with HTTP ${status}.`, { detail: { status, error } });
}

function jsonOf(reply: HttpReply): unknown {
  try {
    return JSON.parse(reply.body.toString('utf8'));
  } catch {
    return null;
  }
}
