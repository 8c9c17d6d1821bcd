import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { type ClaimRules, isSafeAddress, loginFacts } from '../domain/loginClaims.js';
import { UpstreamUnavailableError } from '../errors.js';
import type { KeyFacts } from './apiKeys.js';
import type { Engine } from './engine.js';

/** People who log in at the company's own issuer (OpenID Connect) and show its token where others show an API key. */

export interface OidcSettings extends ClaimRules {
  /** As the tokens spell it, to the letter. */
  readonly issuer: string;
  /** Tokens that were made for somebody else are none of ours. */
  readonly audience: string;
}

export interface LoginTiming {
  /** How long the issuer's keys are kept. */
  readonly keysKeptMs?: number;
  /** A token of an unknown key asks the issuer again no more often. */
  readonly cooldownMs?: number;
}

/** Only signatures of which we hold no secret: a shared secret or none at all could be forged by whoever reads the keys. */
const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
/** Node takes no longer headers either. */
const TOKEN_LENGTH_MAX = 16_384;
const TOKEN = /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/;
/** Clocks of two machines differ. */
const TOLERANCE_SECONDS = 30;
const ANSWER_WITHIN_MS = 5_000;
const KEYS_KEPT_MS = 600_000;
const COOLDOWN_MS = 30_000;
/** An issuer that does not answer is left alone for so long. */
const PAUSE_MS = 5_000;

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.string().refine(isSafeAddress) });

/** What went wrong with the issuer's keys and not with the token. */
const NOT_THE_TOKEN = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);

export class LoginTokens {
  private keys: Promise<JWTVerifyGetKey> | null = null;
  private failedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly settings: OidcSettings,
    private readonly parts: Pick<Engine, 'db' | 'logger'>,
    private readonly timing: LoginTiming = {},
  ) {}

  /**
   * Whom a token speaks for; null for whatever is no valid token of ours, without saying why.
   * @throws UpstreamUnavailableError the issuer's keys cannot be read, so that nobody knows.
   */
  async factsOf(token: string, now: Date): Promise<KeyFacts | null> {
    if (token.length > TOKEN_LENGTH_MAX || !TOKEN.test(token)) return null;
    const claims = await this.verified(token, now);
    const facts = claims && loginFacts(claims, this.settings);
    if (!facts) return null;
    const rows = await this.parts.db.lookup('select 1 from tenants where id = $1', [facts.tenantId]);
    if (rows.length === 0) return null;
    const { tenantId, role, name, subject } = facts;
    return { tenantId, role, name, keyId: null, identity: `login:${this.settings.issuer}#${subject}` };
  }

  private async verified(token: string, now: Date): Promise<JWTPayload | null> {
    const { issuer, audience } = this.settings;
    try {
      // Before anything is asked for: a token of somebody else is no reason to call our issuer.
      if (decodeJwt(token).iss !== issuer) return null;
      const { payload } = await jwtVerify(token, await this.issuersKeys(), {
        ...{ issuer, audience, algorithms: ALGORITHMS, requiredClaims: ['exp', 'sub'] },
        ...{ currentDate: now, clockTolerance: TOLERANCE_SECONDS },
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError && !NOT_THE_TOKEN.has(error.code)) {
        this.parts.logger.debug({ reason: error.code }, 'a login token was refused');
        return null;
      }
      if (error instanceof UpstreamUnavailableError) throw error;
      throw new UpstreamUnavailableError('The issuer of login tokens does not give its keys. Try again in a moment.', {
        cause: error,
      });
    }
  }

  /** Asked for at the first token, so that API keys work whether the issuer answers or not. */
  private issuersKeys(): Promise<JWTVerifyGetKey> {
    if (this.keys) return this.keys;
    if (performance.now() - this.failedAt < PAUSE_MS) {
      throw new UpstreamUnavailableError('The issuer of login tokens does not answer. Try again in a moment.');
    }
    const keys = this.discover();
    this.keys = keys;
    keys.catch(() => {
      this.keys = null;
      this.failedAt = performance.now();
    });
    return keys;
  }

  private async discover(): Promise<JWTVerifyGetKey> {
    const { issuer } = this.settings;
    const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
      ...{ redirect: 'error', signal: AbortSignal.timeout(ANSWER_WITHIN_MS), headers: { accept: 'application/json' } },
    });
    const found = Discovery.safeParse(await response.json());
    if (!found.success || found.data.issuer !== issuer) {
      throw new UpstreamUnavailableError('LEDGERGATE_OIDC_ISSUER does not describe itself as an issuer of that name.');
    }
    return createRemoteJWKSet(new URL(found.data.jwks_uri), {
      timeoutDuration: ANSWER_WITHIN_MS,
      cacheMaxAge: this.timing.keysKeptMs ?? KEYS_KEPT_MS,
      cooldownDuration: this.timing.cooldownMs ?? COOLDOWN_MS,
    });
  }
}
