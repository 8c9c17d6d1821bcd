import type { Clock } from '../../clock.js';
import { CredentialsError, UnreadableReplyError } from '../../errors.js';
import type { CredentialVault, RenewedCredential } from '../contract.js';
import { type HttpClient, type HttpReply, readFault, TransportFault } from '../http.js';
import { type BrexCredentials, type BrexOAuth2, refreshTokenEnd } from './config.js';
import { failureOf, refreshErrorOf } from './failures.js';
import { JsonNumber, parseJson } from './json.js';
import { tokenReplySchema } from './wire.js';

/** An access token is replaced this long before it ends, so that a call in flight never outlives it. */
const RENEW_EARLY_MS = 5 * 60 * 1000;
/** Brex documents one hour, and its own sample reply leaves `expires_in` out. */
const DEFAULT_LIFETIME_S = 3600;

export interface AccessTokens {
  /** A token to present now, renewed when it is about to end. @throws CredentialsError, UpstreamUnavailableError */
  current(): Promise<string>;
  /**
   * A token other than `refused`.
   * @throws CredentialsError there is none: a user token cannot be renewed, or the refresh token was refused too.
   */
  replacing(refused: string): Promise<string>;
}

export interface TokenSource {
  readonly vault: CredentialVault<BrexCredentials>;
  readonly http: HttpClient;
  readonly tokenUrl: string;
  readonly refreshTokenDays: number;
  readonly clock: Clock;
}

export function createAccessTokens(source: TokenSource): AccessTokens {
  const isUsable = (credential: BrexOAuth2, refused: string | null): boolean => {
    const { accessToken, expiresAt } = credential;
    if (accessToken === undefined || accessToken === refused) return false;
    // Without an end the token is tried; a refusal renews it.
    return expiresAt === undefined || Date.parse(expiresAt) - RENEW_EARLY_MS > source.clock.now().getTime();
  };

  async function tokenFrom(refused: string | null): Promise<string> {
    const found = await source.vault.read();
    if (found.kind === 'userToken') {
      // Somebody may have reconnected with a new token since the refused one was read.
      if (found.token !== refused) return found.token;
      throw new CredentialsError(
        'Brex refused the user token. Create a new one in the Brex dashboard (Developer → Settings) and reconnect.',
        { code: 'USER_TOKEN_REFUSED' },
      );
    }
    if (isUsable(found, refused)) return found.accessToken ?? '';
    const renewed = await source.vault.rotate(
      (current) => current.kind === 'oauth2' && !isUsable(current, refused),
      (current) => renew(source, current),
    );
    const token = renewed.kind === 'oauth2' ? renewed.accessToken : renewed.token;
    if (!token || token === refused) {
      throw new CredentialsError('Brex refused the login again right after it was renewed. Connect Brex again.');
    }
    return token;
  }

  return { current: () => tokenFrom(null), replacing: (refused) => tokenFrom(refused) };
}

async function renew(source: TokenSource, current: BrexCredentials): Promise<RenewedCredential<BrexCredentials>> {
  if (current.kind !== 'oauth2') return { credential: current, expiresAt: null, renewBy: null };
  const now = source.clock.now();
  const reply = await requestToken(source, current);
  if (reply.status !== 200) throw refreshErrorOf(failureOf(reply, now));
  const parsed = tokenReplySchema.safeParse(parseJson(reply.body.toString('utf8'), 'the token refresh').exact);
  if (!parsed.success) {
    throw new UnreadableReplyError("Brex's answer to the token refresh holds no access token.");
  }
  const expiresAt = new Date(now.getTime() + lifetimeSeconds(parsed.data.expires_in) * 1000);
  const refreshToken = parsed.data.refresh_token || current.refreshToken;
  // The clock of a refresh token starts anew only when Brex issued a new one; sources disagree on more than that.
  const known = refreshToken === current.refreshToken ? current.refreshTokenExpiresAt : undefined;
  const renewBy = known ? new Date(known) : refreshTokenEnd(now, source.refreshTokenDays);
  return {
    credential: {
      ...current,
      refreshToken,
      accessToken: parsed.data.access_token,
      expiresAt: expiresAt.toISOString(),
      refreshTokenExpiresAt: renewBy.toISOString(),
    },
    expiresAt,
    renewBy,
  };
}

/** Sent once: should Brex rotate refresh tokens, a repeated refresh would spend one that is already used up. */
async function requestToken(source: TokenSource, current: BrexOAuth2): Promise<HttpReply> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: current.refreshToken,
    client_id: current.clientId,
    client_secret: current.clientSecret,
  });
  try {
    return await source.http.send({
      method: 'POST',
      path: source.tokenUrl,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      freshConnection: true,
    });
  } catch (error) {
    if (error instanceof TransportFault) throw readFault(error, "Brex's login server");
    throw error;
  }
}

function lifetimeSeconds(expiresIn: JsonNumber | string | null | undefined): number {
  const seconds = Number(expiresIn instanceof JsonNumber ? expiresIn.text : (expiresIn ?? Number.NaN));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_LIFETIME_S;
}
