import { randomBytes } from 'node:crypto';
import type { SandboxRequest } from '../kit/index.js';
import { Refusal } from './replies.js';
import type { BrexSeed, SeedOauthClient } from './seed.js';
import type { BrexSettings } from './settings.js';

/** Who is calling. */
export interface Caller {
  /** Rate limits and idempotency keys are counted per user token or per client. */
  readonly account: string;
  readonly userId: string;
  /** Null has every scope. */
  readonly scopes: ReadonlySet<string> | null;
}

interface AccessToken {
  caller: Caller;
  /** Milliseconds; null for user tokens. */
  expiresAt: number | null;
  grant: Grant | null;
}

/** One consent: all tokens that came out of it. */
interface Grant {
  client: SeedOauthClient;
  scopes: string[] | null;
  isRevoked: boolean;
}

interface RefreshToken {
  grant: Grant;
  isSpent: boolean;
}

export interface TokenReply {
  token_type: 'bearer';
  access_token: string;
  refresh_token?: string;
  scope: string;
  expires_in?: number;
}

/** Tokens of the account: user tokens, OAuth grants, and their limits. */
export class Access {
  private readonly tokens = new Map<string, AccessToken>();
  private readonly refreshTokens = new Map<string, RefreshToken>();
  private readonly codes = new Map<string, { client: SeedOauthClient; redirectUri: string; scopes: string[] | null }>();
  private readonly calls = new Map<string, number[]>();

  constructor(
    private readonly seed: BrexSeed,
    private readonly settings: BrexSettings,
    private readonly nowMs: () => number,
  ) {
    for (const { token, userId, scopes } of seed.access.userTokens) {
      const caller = { account: `user:${token}`, userId, scopes: scopes && new Set(scopes) };
      this.tokens.set(token, { caller, expiresAt: null, grant: null });
    }
    for (const client of seed.access.oauthClients) {
      for (const token of client.refreshTokens) {
        this.refreshTokens.set(token, {
          grant: { client, scopes: client.scopes, isRevoked: false },
          isSpent: false,
        });
      }
    }
  }

  /** @throws Refusal 401 without a body when no token came, 403 in family A when it is unknown, revoked or expired. */
  authenticate(request: SandboxRequest): Caller {
    const token = bearerOf(request);
    if (token === null) throw new NoCredential();
    const found = this.tokens.get(token);
    if (!found || found.grant?.isRevoked) throw forbidden('Invalid or Revoked Token');
    if (found.expiresAt !== null && found.expiresAt <= this.nowMs()) throw forbidden('Expired token');
    return found.caller;
  }

  /** @throws Refusal 403 in the path's own family when none of the scopes was granted. */
  authorize(caller: Caller, anyOf: readonly string[], path: string): void {
    if (caller.scopes === null || anyOf.length === 0 || anyOf.some((scope) => caller.scopes?.has(scope))) return;
    const message = 'You do not have permission to perform this action.';
    throw new Refusal(403, 'FORBIDDEN', message, null, path.startsWith('/v3/') ? 'B' : 'A');
  }

  /** Counts one call of a sliding window. @returns false when it is over the limit. */
  allow(name: string, limit: { requests: number; windowSeconds: number } | null): boolean {
    if (limit === null) return true;
    const now = this.nowMs();
    const times = this.calls.get(name) ?? [];
    this.calls.set(name, times);
    while (times.length > 0 && (times[0] ?? 0) <= now - limit.windowSeconds * 1000) times.shift();
    if (times.length >= limit.requests) return false;
    times.push(now);
    return true;
  }

  /** Ends an access token, or all that OAuth has given out. */
  expire(token: string | null): number {
    let ended = 0;
    for (const [text, access] of this.tokens) {
      if (access.expiresAt === null && text !== token) continue;
      if (token !== null && text !== token) continue;
      access.expiresAt = this.nowMs();
      ended += 1;
    }
    return ended;
  }

  client(id: string | null): SeedOauthClient | undefined {
    return this.seed.access.oauthClients.find((client) => client.clientId === id);
  }

  newCode(client: SeedOauthClient, redirectUri: string, scopes: string[] | null): string {
    const code = `code_${randomBytes(12).toString('hex')}`;
    this.codes.set(code, { client, redirectUri, scopes });
    return code;
  }

  /** @returns null for a code that is unknown, used, of another client or for another address. */
  exchange(client: SeedOauthClient, code: string, redirectUri: string): TokenReply | null {
    const found = this.codes.get(code);
    if (!found || found.client !== client || found.redirectUri !== redirectUri) return null;
    this.codes.delete(code);
    const grant: Grant = { client, scopes: found.scopes, isRevoked: false };
    return this.reply(grant, mayRefresh(grant) ? this.newRefreshToken(grant) : null);
  }

  /** @returns null for a token that is unknown, revoked, spent or of another client. */
  refresh(client: SeedOauthClient, text: string): TokenReply | null {
    const found = this.refreshTokens.get(text);
    if (!found || found.grant.client !== client || found.grant.isRevoked) return null;
    if (found.isSpent) {
      if (this.settings.detectReuse) found.grant.isRevoked = true;
      return null;
    }
    if (!this.settings.rotateRefreshTokens) return this.reply(found.grant, null);
    found.isSpent = true;
    return this.reply(found.grant, this.newRefreshToken(found.grant));
  }

  revoke(client: SeedOauthClient, text: string): void {
    const grant = this.refreshTokens.get(text)?.grant ?? this.tokens.get(text)?.grant;
    if (grant && grant.client === client) grant.isRevoked = true;
  }

  private newRefreshToken(grant: Grant): string {
    const text = `rt_${randomBytes(18).toString('hex')}`;
    this.refreshTokens.set(text, { grant, isSpent: false });
    return text;
  }

  private reply(grant: Grant, refreshToken: string | null): TokenReply {
    const token = `eyJzYW5kYm94Ijp0cnVlfQ.${randomBytes(24).toString('hex')}`;
    const { client, scopes } = grant;
    this.tokens.set(token, {
      caller: { account: `client:${client.clientId}`, userId: client.userId, scopes: scopes && new Set(scopes) },
      expiresAt: this.nowMs() + this.settings.accessTokenSeconds * 1000,
      grant,
    });
    return {
      token_type: 'bearer',
      access_token: token,
      ...(refreshToken === null ? {} : { refresh_token: refreshToken }),
      scope: (scopes ?? ['openid', 'offline_access']).join(' '),
      ...(this.settings.sendExpiresIn ? { expires_in: this.settings.accessTokenSeconds } : {}),
    };
  }
}

/** No usable `Authorization` header: 401 and not a single byte of body. */
export class NoCredential extends Error {}

export function bearerOf(request: SandboxRequest): string | null {
  const match = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '');
  return match?.[1] ?? null;
}

function mayRefresh(grant: Grant): boolean {
  return grant.scopes === null || grant.scopes.includes('offline_access');
}

// The edge refuses tokens before any API is reached, so v3 paths get family A as well.
function forbidden(message: string): Refusal {
  return new Refusal(403, 'FORBIDDEN', message, null, 'A');
}
