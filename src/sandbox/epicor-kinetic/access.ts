import { randomUUID } from 'node:crypto';
import type { SandboxRequest } from '../kit/index.js';
import { ERROR_TYPES, KineticError, OBSERVED, unauthorized } from './failures.js';
import type { KineticSettings } from './settings.js';

export const COMPANY_ID = 'EPIC06';
export const PLANT = 'MfgSys';

/** Fixed and fake: none of it opens anything real. */
export const FAKE_LOGIN = {
  username: 'INTEGRATION',
  // The colon shows a client that splits Basic credentials at the wrong one.
  password: 'sandbox:kinetic-pass',
  apiKey: 'sandbox-api-key-7f3k2m9q',
  clientId: 'sandbox-client',
  clientSecret: 'sandbox-client-secret',
  scope: 'epicor_erp',
} as const;
/** A person beside the integration: who holds groups that another user wants. */
export const CLERK = { username: 'CLERK', password: 'sandbox-clerk-pass' } as const;
const USERS: readonly { username: string; password: string }[] = [FAKE_LOGIN, CLERK];

export interface Token {
  value: string;
  user: string;
  expiresAtMs: number;
}

/** Who a call was admitted as. */
export interface Admitted {
  user: string;
  sessionId: string | undefined;
}

/** Users, tokens, sessions and the three layers that can refuse a call: user, API key, access scope. */
export class KineticAccess {
  private readonly tokens = new Map<string, Token>();
  private readonly refreshTokens = new Map<string, string>();
  private readonly sessions = new Map<string, string>();
  /** Tokens given since the start. */
  logins = 0;

  constructor(
    private readonly settings: KineticSettings,
    private readonly nowMs: () => number,
  ) {}

  /** @returns the user's name as stored; undefined when name or password is wrong. */
  checkPassword(username: string, password: string): string | undefined {
    const wanted = username.toUpperCase();
    return USERS.find((user) => user.username === wanted && user.password === password)?.username;
  }

  issue(user: string): { token: Token; refreshToken: string } {
    const token = {
      value: `sandbox.${randomUUID()}`,
      user,
      expiresAtMs: this.nowMs() + this.settings.tokenSeconds * 1000,
    };
    this.tokens.set(token.value, token);
    this.logins += 1;
    const refreshToken = randomUUID();
    this.refreshTokens.set(refreshToken, user);
    return { token, refreshToken };
  }

  /** @returns the user a refresh token stands for; a rotated token stands for nobody any more. */
  refresh(refreshToken: string): string | undefined {
    const user = this.refreshTokens.get(refreshToken);
    if (this.settings.rotateRefreshTokens) this.refreshTokens.delete(refreshToken);
    return user;
  }

  isLive(token: string): boolean {
    return (this.tokens.get(token)?.expiresAtMs ?? 0) > this.nowMs();
  }

  openSession(user: string): string {
    const id = randomUUID();
    this.sessions.set(id, user);
    return id;
  }

  closeSession(id: string | undefined): void {
    if (id !== undefined) this.sessions.delete(id);
  }

  sessionUser(id: string): string | undefined {
    return this.sessions.get(id);
  }

  /** Ends all tokens, refresh tokens and sessions. @returns how many tokens and sessions there were. */
  endAll(): number {
    const count = [...this.tokens.keys()].filter((token) => this.isLive(token)).length + this.sessions.size;
    this.tokens.clear();
    this.sessions.clear();
    this.refreshTokens.clear();
    return count;
  }

  /** Ends what this one call came with: its token, its session. A login by Basic has nothing that could end. */
  endFor(request: SandboxRequest): void {
    const token = bearerOf(request);
    if (token !== undefined) this.tokens.delete(token);
    const session = sessionIdOf(request);
    if (session !== undefined) this.sessions.delete(session);
  }

  /**
   * The three layers in the order the server asks them: user, API key (v2 only), access scope.
   * @throws KineticError 401 with the words of that layer; 410 a stale session.
   */
  admit(request: SandboxRequest, options: { apiVersion: 'v1' | 'v2'; company: string; operation: string }): Admitted {
    const user = this.userOf(request);
    if (options.apiVersion === 'v2') this.checkApiKey(request, options.company);
    this.checkScope(options.operation);
    if (this.settings.conversionsPending) {
      throw new KineticError(503, ERROR_TYPES.conversions, 'The system is being upgraded.');
    }
    if (this.settings.licensesExhausted) {
      throw new KineticError(
        this.settings.licenseErrorStatus,
        ERROR_TYPES.business,
        'Maximum users exceeded on license type WebService.',
      );
    }
    const sessionId = sessionIdOf(request);
    if (sessionId !== undefined && this.sessions.get(sessionId) !== user) {
      throw new KineticError(410, ERROR_TYPES.session, 'The session is not valid.');
    }
    return { user, sessionId };
  }

  private userOf(request: SandboxRequest): string {
    const bearer = bearerOf(request);
    if (bearer !== undefined) {
      const token = this.tokens.get(bearer);
      // The text for an expired bearer is not established: PLACEHOLDER.
      if (token === undefined || !this.isLive(bearer)) throw unauthorized('The token is expired or not valid.');
      return token.user;
    }
    const basic = basicOf(request);
    const user = basic === undefined ? undefined : this.checkPassword(basic.name, basic.secret);
    if (user === undefined) throw unauthorized(OBSERVED.badPassword);
    return user;
  }

  private checkApiKey(request: SandboxRequest, company: string): void {
    const header = request.headers['x-api-key'];
    const key = (Array.isArray(header) ? header[0] : header) ?? request.query.get('api-key') ?? '';
    if (key === '') throw unauthorized(OBSERVED.badApiKey('', company), this.settings.missingApiKeyStatus);
    const isKnown = key === FAKE_LOGIN.apiKey && this.settings.apiKeyValid;
    // The server's text really contains the key: what logs it gives the key away.
    if (!isKnown || company.toUpperCase() !== COMPANY_ID) throw unauthorized(OBSERVED.badApiKey(key, company));
  }

  private checkScope(operation: string): void {
    const [service] = operation.split('/');
    if (!this.settings.deniedOperations.some((denied) => denied === operation || denied === service)) return;
    const shown = operation.replace('Svc/', '.').replace('/', '.');
    throw unauthorized(OBSERVED.denied(shown), this.settings.accessDeniedStatus);
  }
}

function bearerOf({ headers }: SandboxRequest): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** The first colon ends the name (RFC 7617). */
export function basicOf({ headers }: SandboxRequest): { name: string; secret: string } | undefined {
  const encoded = /^Basic\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : { name: decoded.slice(0, colon), secret: decoded.slice(colon + 1) };
}

/** `SessionInfo` is an object in JSON, not the bare GUID, which names no session. */
function sessionIdOf(request: SandboxRequest): string | undefined {
  const header = request.headers.sessioninfo;
  if (header === undefined) return undefined;
  const found = jsonHeader(String(header));
  const id = found?.SessionID;
  return typeof id === 'string' && id !== '' ? id : 'unreadable';
}

export function jsonHeader(value: string | undefined): Record<string, unknown> | undefined {
  if (value === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
