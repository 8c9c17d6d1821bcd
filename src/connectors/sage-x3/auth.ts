import { SignJWT } from 'jose';
import { z } from 'zod';
import {
  CredentialsError,
  type LedgergateError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../errors.js';
import type { ConnectionContext, RenewedCredential } from '../contract.js';
import { type HttpClient, type HttpReply, readFault, retryAfterMs, TransportFault } from '../http.js';
import type { SageX3Settings } from './config.js';
import type { ConnectedApp, SageX3Credentials, TokenCredentials } from './credentials.js';
import { throttled } from './failures.js';
import { isObject, parseJson } from './json.js';

/**
 * What every call presents. Basic sends user and password; a connected application mints and signs its own JWT; the cloud
 * gateways issue tokens of a few minutes, whose renewal replaces the refresh token as well.
 */

export const TITLE = 'Sage X3';

export type X3Context = ConnectionContext<SageX3Credentials, SageX3Settings>;

/** A token is replaced this long before it ends: the regional gateway's live five minutes, a call may take one. */
const RENEW_EARLY_MS = 60_000;
const DAY_MS = 86_400_000;
/** The regional gateway documents five minutes. */
const DEFAULT_LIFETIME_S = 300;

const tokenReply = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  expires_in: z
    .string()
    .regex(/^\d{1,9}$/)
    .optional(),
});

export class X3Auth {
  private minted: { readonly token: string; readonly secret: string; readonly usableUntilMs: number } | null = null;

  constructor(
    private readonly context: X3Context,
    private readonly http: HttpClient,
  ) {}

  /** Headers of a call. @throws CredentialsError, UpstreamUnavailableError there is nothing to present. */
  async headers(): Promise<Record<string, string>> {
    return this.headersWith(null);
  }

  /**
   * Headers after a refusal of `refused`.
   * @returns null when there is nothing else to present: a user and password cannot be renewed.
   */
  async headersInsteadOf(refused: Readonly<Record<string, string>>): Promise<Record<string, string> | null> {
    const found = await this.context.credentials.read();
    // Somebody may have entered another password since the refused one was read.
    const headers =
      found.kind === 'basic' ? await this.headers() : await this.headersWith(refused.authorization ?? null);
    return headers.authorization === refused.authorization ? null : headers;
  }

  /** What must not stand in any text that leaves the connector. */
  async secrets(): Promise<string[]> {
    const credential = await this.context.credentials.read();
    const values = Object.entries(credential)
      .filter(
        ([field]) =>
          !['kind', 'username', 'user', 'clientId', 'tokenUrl', 'expiresAt', 'refreshTokenExpiresAt'].includes(field),
      )
      .map(([, value]) => value ?? '');
    const basic = credential.kind === 'basic' ? [basicOf(credential).slice('Basic '.length)] : [];
    return [...values, ...basic, this.minted?.token ?? '', ...Object.values(this.context.settings.extraHeaders)];
  }

  private async headersWith(refused: string | null): Promise<Record<string, string>> {
    const { extraHeaders, auth } = this.context.settings;
    const credential = await this.context.credentials.read();
    switch (credential.kind) {
      case 'basic':
        return { ...extraHeaders, authorization: basicOf(credential) };
      case 'connectedApp':
        return { ...extraHeaders, authorization: `Bearer ${await this.mint(credential, refused)}` };
      default: {
        const current = await this.current(credential, refused);
        const { apiKey } = current;
        return {
          ...extraHeaders,
          ...(apiKey === undefined ? {} : { [auth.apiKeyHeader]: apiKey }),
          authorization: `Bearer ${current.accessToken ?? ''}`,
        };
      }
    }
  }

  // ── connected application ──────────────────────────────────────────────────────────────────

  /** There is no token request: the application signs with the secret that it shares with X3. */
  private async mint(credential: ConnectedApp, refused: string | null): Promise<string> {
    const { auth } = this.context.settings;
    const nowMs = this.context.clock.now().getTime();
    const known = this.minted;
    const isUsable = known && known.secret === identityOf(credential) && nowMs < known.usableUntilMs;
    if (isUsable && `Bearer ${known.token}` !== refused) return known.token;
    // X3 limits exp - iat, so the life counts from the back-dated beginning.
    let issuedAt = Math.floor(nowMs / 1000) - auth.clockSkewSeconds;
    let token = await this.sign(credential, issuedAt);
    // Signed again within one second it would be the very token that was refused.
    if (`Bearer ${token}` === refused) {
      issuedAt -= 1;
      token = await this.sign(credential, issuedAt);
    }
    const usableUntilMs = (issuedAt + auth.tokenLifetimeSeconds) * 1000 - 10_000;
    this.minted = { token, secret: identityOf(credential), usableUntilMs };
    return token;
  }

  private async sign(credential: ConnectedApp, issuedAt: number): Promise<string> {
    const { auth, graphql } = this.context.settings;
    return new SignJWT({})
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(credential.clientId)
      .setSubject(credential.user)
      .setAudience(auth.audience ?? `${this.context.baseUrl.replace(/\/+$/, '')}/${graphql.path}`)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + auth.tokenLifetimeSeconds)
      .sign(new TextEncoder().encode(credential.secret));
  }

  // ── tokens that are issued ─────────────────────────────────────────────────────────────────

  private async current(credential: TokenCredentials, refused: string | null): Promise<TokenCredentials> {
    if (this.isUsable(credential, refused)) return credential;
    const renewed = await this.context.credentials.rotate(
      (found) => isIssued(found) && !this.isUsable(found, refused),
      (found) => (isIssued(found) ? this.renew(found) : Promise.resolve(unchanged(found))),
    );
    if (!isIssued(renewed) || !this.isUsable(renewed, refused)) {
      throw new CredentialsError('Sage X3 refused the login again right after it was renewed. Connect Sage X3 again.');
    }
    return renewed;
  }

  private isUsable(credential: TokenCredentials, refused: string | null): boolean {
    const { accessToken, expiresAt } = credential;
    if (accessToken === undefined || `Bearer ${accessToken}` === refused) return false;
    return expiresAt === undefined || Date.parse(expiresAt) - RENEW_EARLY_MS > this.context.clock.now().getTime();
  }

  private async renew(current: TokenCredentials): Promise<RenewedCredential<SageX3Credentials>> {
    const { auth } = this.context.settings;
    const reply = await this.requestToken(current);
    const now = this.context.clock.now();
    if (reply.status !== 200) throw tokenRefused(reply, now);
    const parsed = tokenReply.safeParse(parseJson(reply.body.toString('utf8'), 'the token request'));
    if (!parsed.success) throw new UnreadableReplyError("Sage X3's answer to the token request holds no access token.");
    const { access_token: accessToken, refresh_token: refreshToken, expires_in: lifetime } = parsed.data;
    const lifetimeMs = Math.max(Number(lifetime ?? DEFAULT_LIFETIME_S) * 1000, RENEW_EARLY_MS + 1000);
    const expiresAt = new Date(now.getTime() + lifetimeMs);
    const issued = { accessToken, expiresAt: expiresAt.toISOString() };
    if (current.refreshToken === undefined) return { credential: { ...current, ...issued }, expiresAt, renewBy: null };
    const isNew = refreshToken !== undefined && refreshToken !== current.refreshToken;
    const known = isNew ? undefined : current.refreshTokenExpiresAt;
    const renewBy = known ? new Date(known) : new Date(now.getTime() + auth.refreshTokenDays * DAY_MS);
    const next = { refreshToken: refreshToken ?? current.refreshToken, refreshTokenExpiresAt: renewBy.toISOString() };
    return { credential: { ...current, ...issued, ...next }, expiresAt, renewBy };
  }

  /** Sent once: a repeated renewal would spend a refresh token that is already used up. */
  private async requestToken(current: TokenCredentials): Promise<HttpReply> {
    const { auth } = this.context.settings;
    const client = { client_id: current.clientId, client_secret: current.clientSecret };
    const body: Record<string, string> =
      current.refreshToken !== undefined
        ? { grant_type: auth.grantType, [auth.refreshTokenField]: current.refreshToken, ...client }
        : {
            grant_type: 'client_credentials',
            ...client,
            ...(auth.audience === undefined ? {} : { audience: auth.audience }),
            ...(auth.scope === undefined ? {} : { scope: auth.scope }),
          };
    const isJson = auth.tokenBody === 'json';
    try {
      return await this.http.send({
        method: 'POST',
        path: current.tokenUrl,
        headers: {
          'content-type': isJson ? 'application/json' : 'application/x-www-form-urlencoded',
          accept: 'application/json',
        },
        body: isJson ? JSON.stringify(body) : new URLSearchParams(body).toString(),
        freshConnection: true,
      });
    } catch (error) {
      throw error instanceof TransportFault ? readFault(error, "Sage X3's token endpoint") : error;
    }
  }
}

function basicOf(credential: Extract<SageX3Credentials, { kind: 'basic' }>): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`, 'utf8').toString('base64')}`;
}

function identityOf(credential: ConnectedApp): string {
  return JSON.stringify([credential.clientId, credential.user, credential.secret]);
}

function isIssued(credential: SageX3Credentials): credential is TokenCredentials {
  return credential.kind === 'oauth2';
}

function unchanged(credential: SageX3Credentials): RenewedCredential<SageX3Credentials> {
  return { credential, expiresAt: null, renewBy: null };
}

function tokenRefused(reply: HttpReply, now: Date): LedgergateError {
  const { status } = reply;
  if (status === 429) return throttled(retryAfterMs(reply, now));
  if (status >= 500) {
    return new UpstreamUnavailableError(`Sage X3's token endpoint answered with HTTP ${status}.`, {
      detail: { status },
    });
  }
  return new CredentialsError(
    `Sage X3 did not renew the login (HTTP ${status}${oauthError(reply)}). The refresh token is used up or withdrawn, or the client id and secret are wrong: connect Sage X3 again.`,
    { code: 'TOKEN_REFUSED', detail: { status } },
  );
}

/** OAuth's machine-readable word only: other texts may quote what was sent. */
function oauthError(reply: HttpReply): string {
  try {
    const body = parseJson(reply.body.toString('utf8'), 'the token request');
    const word = isObject(body) ? body.error : undefined;
    return typeof word === 'string' && /^[a-z_]{1,40}$/.test(word) ? `, ${word}` : '';
  } catch {
    return '';
  }
}
