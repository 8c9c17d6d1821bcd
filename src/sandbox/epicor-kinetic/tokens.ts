import { json, type SandboxReply, type SandboxRequest } from '../kit/index.js';
import { basicOf, FAKE_LOGIN, type KineticAccess } from './access.js';
import { errorReply, OBSERVED, unauthorized, unknownAddress } from './failures.js';
import type { KineticSettings } from './settings.js';

interface TokenContext {
  access: KineticAccess;
  settings: KineticSettings;
}

/** The application server's own tokens: name and password as headers, JSON or XML by `Accept` (Epicor REST: TokenResource). */
export function answerTokenResource({ access, settings }: TokenContext, request: SandboxRequest): SandboxReply {
  if (!settings.tokenResource) return errorReply(unknownAddress('TokenResource'));
  const form = new URLSearchParams(request.body.toString('utf8'));
  const basic = basicOf(request);
  const name = header(request, 'username') ?? basic?.name ?? form.get('username') ?? '';
  const password = header(request, 'password') ?? basic?.secret ?? form.get('password') ?? '';
  const user = access.checkPassword(name, password);
  if (user === undefined) return errorReply(unauthorized(OBSERVED.badPassword));
  const { token, refreshToken } = access.issue(user);
  if (String(request.headers.accept ?? '').includes('json')) {
    return json(200, {
      AccessToken: token.value,
      ExpiresIn: settings.tokenSeconds,
      RefreshToken: refreshToken,
      TokenType: 'Bearer',
    });
  }
  const fields = { AccessToken: token.value, ExpiresIn: settings.tokenSeconds, RefreshToken: refreshToken };
  const body = Object.entries(fields).map(([field, value]) => `<${field}>${value}</${field}>`);
  return {
    status: 200,
    headers: { 'content-type': 'application/xml; charset=utf-8' },
    body: `<Token>${body.join('')}<TokenType>Bearer</TokenType></Token>`,
  };
}

/** The identity provider: OAuth 2 with a form body and errors as RFC 6749 has them (Epicor REST: IdP). */
export function answerIdentityProvider({ access, settings }: TokenContext, request: SandboxRequest): SandboxReply {
  if (request.method !== 'POST') return oauthError(405, 'invalid_request', 'The token endpoint takes POST.');
  if (!String(request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')) {
    return oauthError(400, 'invalid_request', 'The body is not a form.');
  }
  const form = new URLSearchParams(request.body.toString('utf8'));
  if (!isKnownClient(form, request, settings)) return oauthError(401, 'invalid_client', 'The client is not known.');
  switch (form.get('grant_type')) {
    case 'client_credentials':
      return scoped(form, () => granted(access, settings, settings.idpUser, false));
    case 'password': {
      const user = access.checkPassword(form.get('username') ?? '', form.get('password') ?? '');
      if (user === undefined) return oauthError(400, 'invalid_grant', 'invalid_username_or_password');
      return scoped(form, () => granted(access, settings, user));
    }
    case 'refresh_token': {
      const user = access.refresh(form.get('refresh_token') ?? '');
      if (user === undefined) return oauthError(400, 'invalid_grant', 'The refresh token is not valid.');
      return granted(access, settings, user);
    }
    default:
      return oauthError(400, 'unsupported_grant_type', 'The grant type is not supported.');
  }
}

function isKnownClient(form: URLSearchParams, request: SandboxRequest, { clientAuthStyle }: KineticSettings): boolean {
  const basic = clientAuthStyle === 'body' ? undefined : basicOf(request);
  if (basic !== undefined) {
    return (
      decodeURIComponent(basic.name) === FAKE_LOGIN.clientId &&
      decodeURIComponent(basic.secret) === FAKE_LOGIN.clientSecret
    );
  }
  if (clientAuthStyle === 'basic') return false;
  return form.get('client_id') === FAKE_LOGIN.clientId && form.get('client_secret') === FAKE_LOGIN.clientSecret;
}

function scoped(form: URLSearchParams, grant: () => SandboxReply): SandboxReply {
  const scopes = (form.get('scope') ?? '').split(' ');
  return scopes.includes(FAKE_LOGIN.scope) ? grant() : oauthError(400, 'invalid_scope', 'The scope is not known.');
}

/** Client credentials get no refresh token (RFC 6749, 4.4.3). */
function granted(access: KineticAccess, settings: KineticSettings, user: string, withRefresh = true): SandboxReply {
  const { token, refreshToken } = access.issue(user);
  return json(200, {
    access_token: token.value,
    expires_in: settings.tokenSeconds,
    token_type: 'Bearer',
    scope: FAKE_LOGIN.scope,
    ...(withRefresh ? { refresh_token: refreshToken } : {}),
  });
}

function oauthError(status: number, error: string, description: string): SandboxReply {
  return json(status, { error, error_description: description });
}

function header(request: SandboxRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
