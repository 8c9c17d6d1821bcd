import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { type Exchange, json, type SandboxReply, type SandboxRequest, text } from '../kit/index.js';
import { FAKE } from './access.js';
import type { SageX3Settings } from './settings.js';

/** Who calls, or the refusal that the call will get. */
export type Admission = { user: string } | { refusal: SandboxReply };

/** Numbers of the plain-text 401 (reference: connected application). */
const MALFORMED = 30;
const BAD_ISSUER = 41;
const BAD_USER = 42;
const BAD_AUDIENCE = 45;
const BAD_SIGNATURE = 50;

const claimsSchema = z.object({
  iss: z.string(),
  sub: z.string().optional(),
  aud: z.string().optional(),
  iat: z.number().optional(),
  exp: z.number().optional(),
});
type Claims = z.output<typeof claimsSchema>;

/** Checks passwords and tokens, and is the two token servers of the hosted products. */
export class X3Tokens {
  /** Tokens that were used or given out, with the second at which they end. */
  private readonly live = new Map<string, { until: number; own: boolean }>();
  /** Tokens that are refused: for good when a server gave them out, once when the client signs its own. */
  private readonly ended = new Map<string, 'FOREVER' | 'ONCE'>();
  private refreshTokens = new Map<string, number>();

  constructor(
    private readonly settings: SageX3Settings,
    private readonly clock: { now(): Date },
    private readonly audience: () => string,
    private readonly count: (operation: string) => void,
  ) {
    this.reset();
  }

  reset(): void {
    this.live.clear();
    this.ended.clear();
    this.refreshTokens = new Map([[FAKE.refreshToken, this.nowSeconds + this.settings.refreshTokenSeconds]]);
  }

  /** Ends all tokens that anybody holds; Basic has nothing to end. @returns how many. */
  endAll(): number {
    this.forgetOld();
    const count = this.live.size;
    for (const [token, { own }] of this.live) this.ended.set(token, own ? 'ONCE' : 'FOREVER');
    this.live.clear();
    return count;
  }

  /** The customer takes the consent back: every refresh token dies. @returns how many. */
  revokeRefreshTokens(): number {
    const count = this.refreshTokens.size;
    this.refreshTokens.clear();
    return count;
  }

  /** Ends the token of this request alone; the request itself is the one that is refused for it. */
  end(request: SandboxRequest): void {
    const token = bearerOf(request);
    if (token === undefined) return;
    const mark = fingerprint(token);
    if (this.live.get(mark)?.own === false) this.ended.set(mark, 'FOREVER');
    this.live.delete(mark);
  }

  /** For REST and SOAP: Basic or a bearer, whichever nodelocal.js allows. */
  admit(request: SandboxRequest): Admission {
    const header = String(request.headers.authorization ?? '');
    if (/^basic /i.test(header) && this.settings.basic && isUser(header)) return { user: FAKE.user };
    if (/^bearer /i.test(header) && this.settings.bearer) {
      const failure = this.checkBearer(request);
      return failure === undefined ? { user: FAKE.user } : { refusal: loginPage() };
    }
    return { refusal: loginPage() };
  }

  /** For `/xtrem/api`: a bearer, refused in plain text with the number of the reason. */
  admitGraphql(request: SandboxRequest): Admission {
    const header = String(request.headers.authorization ?? '');
    if (/^basic /i.test(header) && this.settings.graphqlBasic && isUser(header)) return { user: FAKE.user };
    const failure = this.checkBearer(request);
    return failure === undefined ? { user: FAKE.user } : { refusal: text(401, `Error ${failure}: Invalid token`) };
  }

  private checkBearer(request: SandboxRequest): number | undefined {
    const token = bearerOf(request);
    const claims = token === undefined ? undefined : claimsOf(token);
    if (token === undefined || claims === undefined) return MALFORMED;
    const failure = this.checkClaims(token, claims, request);
    if (failure !== undefined) return failure;
    const mark = fingerprint(token);
    const ended = this.ended.get(mark);
    // A client that signs its own token again within the same second makes the very same one, which must be good then.
    if (ended === 'ONCE') this.ended.delete(mark);
    if (ended !== undefined) return BAD_SIGNATURE;
    this.remember(token, claims.exp ?? 0, claims.iss === FAKE.appId);
    return undefined;
  }

  private checkClaims(token: string, claims: Claims, request: SandboxRequest): number | undefined {
    const now = this.nowSeconds;
    const { iss, sub, aud, iat = 0, exp = 0 } = claims;
    if (iss === 'cloud' || iss === 'machine') {
      if (!isSigned(token, FAKE.signingKey) || exp <= now) return BAD_SIGNATURE;
      const keyNeeded = iss === 'machine' && request.headers[FAKE.apiKeyHeader.toLowerCase()] !== FAKE.apiKey;
      return keyNeeded ? MALFORMED : undefined;
    }
    if (iss !== FAKE.appId) return BAD_ISSUER;
    if (sub !== FAKE.user) return BAD_USER;
    if (aud !== this.audience()) return BAD_AUDIENCE;
    const tooLong = exp - iat > this.settings.connectedAppSeconds;
    const tooEarly = iat > now + this.settings.clockSkewSeconds;
    return !isSigned(token, FAKE.appSecret) || exp <= now || tooLong || tooEarly ? BAD_SIGNATURE : undefined;
  }

  /** The gateway's and the machine flow's token servers; undefined when the path is none of theirs. */
  exchange(request: SandboxRequest): Exchange | undefined {
    if (request.path === '/v1/token/authorise') return this.prepare('Token authorise', () => this.authorise(request));
    if (request.path !== '/v1/token' && request.path !== '/oauth/token') return undefined;
    const body = readBody(request);
    const grant = body.grant_type ?? '';
    const known = ['authorization_code', 'refresh_token', 'client_credentials'].includes(grant);
    return this.prepare(`Token ${known ? grant : 'unknown'}`, () => {
      if (request.method !== 'POST') return json(405, { error: 'method_not_allowed' });
      return request.path === '/v1/token' ? this.cloudToken(grant, body) : this.machineToken(grant, body);
    });
  }

  private prepare(operation: string, commit: () => SandboxReply): Exchange {
    this.count(operation);
    return { operation, commit };
  }

  /** Approves at once, in the place of the customer's user. */
  private authorise({ query }: SandboxRequest): SandboxReply {
    if (query.get('client_id') !== FAKE.cloudClientId || query.get('redirect_uri') !== FAKE.redirectUri) {
      return json(400, { error: 'invalid_request' });
    }
    const back = new URL(FAKE.redirectUri);
    back.searchParams.set('authorizationCode', FAKE.authorizationCode);
    back.searchParams.set('state', query.get('state') ?? '');
    back.searchParams.set('endpoint', this.settings.endpoint);
    return { status: 302, headers: { location: back.toString() } };
  }

  private cloudToken(grant: string, body: Record<string, string>): SandboxReply {
    if (body.client_id !== FAKE.cloudClientId || body.client_secret !== FAKE.cloudClientSecret) {
      return json(401, { error: 'invalid_client' });
    }
    if (grant === 'authorization_code') {
      const fits = body.code === FAKE.authorizationCode && body.redirect_uri === FAKE.redirectUri;
      return fits ? this.tokenPair() : json(400, { error: 'invalid_grant' });
    }
    if (grant !== 'refresh_token') return json(400, { error: 'unsupported_grant_type' });
    const given = body[this.settings.renewalField] ?? '';
    const until = this.refreshTokens.get(given);
    if (until === undefined || until <= this.nowSeconds) return json(400, { error: 'invalid_grant' });
    // The old one dies with the renewal, also when the answer is lost on its way.
    this.refreshTokens.delete(given);
    return this.tokenPair();
  }

  private tokenPair(): SandboxReply {
    const refresh = randomBytes(24).toString('base64url');
    this.refreshTokens.set(refresh, this.nowSeconds + this.settings.refreshTokenSeconds);
    const seconds = this.settings.accessTokenSeconds;
    const access = this.mint('cloud', seconds, { region: 'eu', azp: FAKE.cloudClientId, scopes: ['api.graphQL'] });
    return json(200, {
      access_token: access,
      refresh_token: refresh,
      token_type: 'Bearer',
      expires_in: seconds,
      refresh_token_expires_in: this.settings.refreshTokenSeconds,
    });
  }

  private machineToken(grant: string, body: Record<string, string>): SandboxReply {
    if (grant !== 'client_credentials') return json(400, { error: 'unsupported_grant_type' });
    const known = body.client_id === FAKE.machineClientId && body.client_secret === FAKE.machineClientSecret;
    if (!known) return json(401, { error: 'invalid_client' });
    if (body.audience !== FAKE.machineAudience) return json(400, { error: 'invalid_request' });
    const seconds = this.settings.machineTokenSeconds;
    return json(200, { access_token: this.mint('machine', seconds, {}), token_type: 'Bearer', expires_in: seconds });
  }

  private mint(issuer: string, seconds: number, more: Record<string, unknown>): string {
    const iat = this.nowSeconds;
    const exp = iat + seconds;
    const claims = { iss: issuer, aud: FAKE.machineAudience, sub: FAKE.user, iat, exp, ...more };
    const jti = randomBytes(9).toString('base64url');
    const token = signed({ ...claims, jti }, FAKE.signingKey);
    this.remember(token, exp, false);
    return token;
  }

  private remember(token: string, until: number, own: boolean): void {
    if (this.live.size > 1000) this.forgetOld();
    this.live.set(fingerprint(token), { until, own });
  }

  private forgetOld(): void {
    const now = this.nowSeconds;
    for (const [token, { until }] of this.live) if (until <= now) this.live.delete(token);
  }

  private get nowSeconds(): number {
    return Math.floor(this.clock.now().getTime() / 1000);
  }
}

function loginPage(): SandboxReply {
  const body = '<!DOCTYPE html><html><head><title>Unauthorized</title></head><body>Please sign in</body></html>';
  const headers = { 'content-type': 'text/html; charset=utf-8', 'www-authenticate': 'Basic realm="Syracuse"' };
  return { status: 401, headers, body };
}

function isUser(header: string): boolean {
  return Buffer.from(header.slice(6).trim(), 'base64').toString('utf8') === `${FAKE.user}:${FAKE.password}`;
}

function bearerOf(request: SandboxRequest): string | undefined {
  return /^bearer (.+)$/i.exec(String(request.headers.authorization ?? ''))?.[1]?.trim();
}

const fingerprint = (token: string): string => createHash('sha256').update(token).digest('base64url');

function claimsOf(token: string): Claims | undefined {
  const [head, claims, signature, ...rest] = token.split('.');
  if (head === undefined || claims === undefined || signature === undefined || rest.length > 0) return undefined;
  try {
    const header: unknown = JSON.parse(Buffer.from(head, 'base64url').toString('utf8'));
    if (z.object({ alg: z.literal('HS256') }).safeParse(header).success === false) return undefined;
    return claimsSchema.safeParse(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

function isSigned(token: string, key: string): boolean {
  const cut = token.lastIndexOf('.');
  const wanted = createHmac('sha256', key).update(token.slice(0, cut)).digest();
  const given = Buffer.from(token.slice(cut + 1), 'base64url');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function signed(claims: Record<string, unknown>, key: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const content = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${content}.${createHmac('sha256', key).update(content).digest('base64url')}`;
}

function readBody(request: SandboxRequest): Record<string, string> {
  const body = request.body.toString('utf8');
  if (String(request.headers['content-type'] ?? '').includes('urlencoded')) {
    return Object.fromEntries(new URLSearchParams(body));
  }
  try {
    return z.record(z.string(), z.string()).safeParse(JSON.parse(body)).data ?? {};
  } catch {
    return {};
  }
}
