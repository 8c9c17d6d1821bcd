import { createHash, randomBytes } from 'node:crypto';
import { json, type SandboxReply, type SandboxRequest } from '../kit/index.js';
import type { InforM3Settings } from './settings.js';

export const TENANT = 'LEDGERGATE_TST';
export const COMPANY = '100';
export const DIVISION = 'AAA';
/** A supplier kept only to be copied from; shown by no control. */
export const TEMPLATE_SUPPLIER = 'TEMPLATE';
export const M3_USER = 'LGATE';

/** Fixed and fake: they open nothing but a sandbox. */
const CLIENT_ID = `${TENANT}~sandbox-backend-service`;
const CLIENT_SECRET = 'sandbox-client-secret+/=';
const ACCESS_KEY = `${TENANT}#sandbox-service-account`;
const SECRET_KEY = 'sandbox-service-account-secret&+';

/** The file as the gateway's administrator downloads it (Infor M3: the .ionapi file). */
export interface IonApiFile {
  ti: string;
  cn: string;
  dt: string;
  ci: string;
  cs: string;
  iu: string;
  pu: string;
  oa: string;
  ot: string;
  or: string;
  ev: string;
  v: string;
  saak: string;
  sask: string;
}

/** Everything that a client needs to log in and to write. Plain JSON. */
export interface InforM3Access {
  ionapi: IonApiFile;
  /** `iu`: what a connection's address is. */
  gatewayUrl: string;
  /** Where MI programs are called: `{iu}/{ti}/M3/m3api-rest`. */
  m3Url: string;
  tokenUrl: string;
  revokeUrl: string;
  /** CONO. */
  cono: number;
  /** DIVI. */
  divi: string;
  user: string;
  /** The interface of GL vouchers (GLS850). */
  journalInterface: string;
  inputRecord: string;
  templateSupplier: string;
}

export function accessTo(url: string, settings: InforM3Settings): InforM3Access {
  const pu = `${url}/${TENANT}/as/`;
  const ionapi: IonApiFile = {
    ti: TENANT,
    cn: 'ledgergate-sandbox',
    dt: '12',
    ci: CLIENT_ID,
    cs: CLIENT_SECRET,
    iu: url,
    pu,
    oa: 'authorization.oauth2',
    ot: 'token.oauth2',
    or: 'revoke_token.oauth2',
    ev: 'SANDBOX',
    v: '1.0',
    saak: ACCESS_KEY,
    sask: SECRET_KEY,
  };
  return {
    ionapi,
    gatewayUrl: url,
    m3Url: `${url}/${TENANT}/M3/m3api-rest`,
    tokenUrl: `${pu}${ionapi.ot}`,
    revokeUrl: `${pu}${ionapi.or}`,
    cono: Number(COMPANY),
    divi: DIVISION,
    user: M3_USER,
    journalInterface: settings.interfaceName,
    inputRecord: settings.inputRecord,
    templateSupplier: TEMPLATE_SUPPLIER,
  };
}

const keyOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** The tokens in use. Kept as hashes, with the end of each in milliseconds of the clock. */
export class Tokens {
  private readonly access = new Map<string, { endsAt: number; refresh: string | null }>();
  private readonly refresh = new Set<string>();
  /** Tokens given out since the start. */
  issued = 0;

  constructor(
    private readonly settings: InforM3Settings,
    private readonly nowMs: () => number,
  ) {}

  /** @returns the token when it is live. */
  admit(authorization: string | undefined): string | undefined {
    const token = bearerOf(authorization);
    const held = token === undefined ? undefined : this.access.get(keyOf(token));
    return held !== undefined && held.endsAt > this.nowMs() ? token : undefined;
  }

  end(token: string): void {
    this.access.delete(keyOf(token));
  }

  /** @returns how many access tokens were live. */
  endAll(): number {
    const now = this.nowMs();
    const live = [...this.access.values()].filter(({ endsAt }) => endsAt > now).length;
    this.access.clear();
    this.refresh.clear();
    return live;
  }

  /** Gives out an access token; the oldest dead ones are forgotten. */
  issue(): { access_token: string; token_type: string; expires_in: number; refresh_token?: string } {
    const now = this.nowMs();
    for (const [key, { endsAt }] of this.access) if (endsAt <= now) this.access.delete(key);
    const token = randomBytes(24).toString('base64url');
    const refresh = this.settings.refreshTokens ? randomBytes(24).toString('base64url') : null;
    this.access.set(keyOf(token), { endsAt: now + this.settings.tokenSeconds * 1000, refresh });
    if (refresh !== null) this.refresh.add(keyOf(refresh));
    this.issued += 1;
    return {
      access_token: token,
      ...(refresh === null ? {} : { refresh_token: refresh }),
      token_type: 'Bearer',
      expires_in: this.settings.tokenSeconds,
    };
  }

  mayRefresh(token: string): boolean {
    return this.settings.refreshTokens && this.refresh.has(keyOf(token));
  }

  /** Ends a token of either kind; with a refresh token go the access tokens that came with it. */
  revoke(token: string): void {
    this.access.delete(keyOf(token));
    if (!this.refresh.delete(keyOf(token))) return;
    for (const [key, { refresh }] of this.access) if (refresh === token) this.access.delete(key);
  }
}

export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
}

/** Which request to the authorization server this is; undefined for any other path. */
export function authOperation(path: string): 'token' | 'revoke' | undefined {
  if (path === `/${TENANT}/as/token.oauth2`) return 'token';
  return path === `/${TENANT}/as/revoke_token.oauth2` ? 'revoke' : undefined;
}

/** Answers the token endpoint (Infor M3: tokens). */
export function answerToken(tokens: Tokens, settings: InforM3Settings, request: SandboxRequest): SandboxReply {
  if (request.method !== 'POST') return oauthError(405, 'invalid_request', 'Only POST is allowed.');
  const form = readForm(request);
  if (form === undefined) return oauthError(400, 'invalid_request', 'The body must be form encoded.');
  if (!isClient(settings, request, form)) return oauthError(401, 'invalid_client', 'Client authentication failed.');
  switch (form.get('grant_type')) {
    case 'password':
      if (form.get('username') !== ACCESS_KEY || form.get('password') !== SECRET_KEY) {
        return oauthError(400, 'invalid_grant', 'The service account is unknown or its secret is wrong.');
      }
      break;
    case 'refresh_token':
      if (!tokens.mayRefresh(form.get('refresh_token') ?? '')) {
        return oauthError(400, 'invalid_grant', 'The refresh token is unknown, expired or revoked.');
      }
      break;
    default:
      return oauthError(400, 'unsupported_grant_type', 'The grant type is not supported.');
  }
  return json(200, tokens.issue(), { 'cache-control': 'no-store' });
}

/** Answers the revocation endpoint: a form, or the token in the query as one of the vendor's samples has it. */
export function answerRevoke(tokens: Tokens, settings: InforM3Settings, request: SandboxRequest): SandboxReply {
  const form = request.method === 'GET' ? request.query : readForm(request);
  if (form === undefined) return oauthError(400, 'invalid_request', 'The body must be form encoded.');
  if (!isClient(settings, request, form)) return oauthError(401, 'invalid_client', 'Client authentication failed.');
  tokens.revoke(form.get('token') ?? '');
  return { status: 200 };
}

function readForm(request: SandboxRequest): URLSearchParams | undefined {
  const type = String(request.headers['content-type'] ?? '');
  if (!type.startsWith('application/x-www-form-urlencoded')) return undefined;
  return new URLSearchParams(request.body.toString('utf8'));
}

function isClient(settings: InforM3Settings, request: SandboxRequest, form: URLSearchParams): boolean {
  const { authorization } = request.headers;
  const basic = /^Basic (\S+)$/i.exec(authorization ?? '')?.[1];
  if (basic !== undefined) {
    const isRight = Buffer.from(basic, 'base64').toString('utf8') === `${CLIENT_ID}:${CLIENT_SECRET}`;
    return isRight && settings.clientAuth !== 'BODY';
  }
  const isRight = form.get('client_id') === CLIENT_ID && form.get('client_secret') === CLIENT_SECRET;
  return isRight && settings.clientAuth !== 'BASIC';
}

function oauthError(status: number, error: string, description: string): SandboxReply {
  return json(status, { error, error_description: description });
}
