import type { SandboxRequest } from '../kit/index.js';
import type { Access } from './access.js';
import type { BrexReply } from './replies.js';
import type { SeedOauthClient } from './seed.js';

const BASE = '/oauth2/default';
const STATE_LONGER_THAN = 8;

/** Answers the authorization server's paths (§3.2); null for any other path. */
export function answerOauth(access: Access, request: SandboxRequest): BrexReply | null {
  if (!request.path.startsWith(`${BASE}/`)) return null;
  const operation = `${request.method} ${request.path.slice(BASE.length)}`;
  if (operation === 'GET /.well-known/openid-configuration') return discovery(request);
  if (operation === 'GET /v1/authorize') return authorize(access, request.query);
  if (operation === 'POST /v1/token' || operation === 'POST /v1/revoke') {
    return answerForm(access, request, operation.endsWith('token'));
  }
  return { status: 404, body: { type: 'NOT_FOUND', message: 'Not Found' } };
}

function discovery(request: SandboxRequest): BrexReply {
  const issuer = `http://${request.headers.host ?? '127.0.0.1'}${BASE}`;
  return {
    status: 200,
    body: {
      issuer,
      authorization_endpoint: `${issuer}/v1/authorize`,
      token_endpoint: `${issuer}/v1/token`,
      revocation_endpoint: `${issuer}/v1/revoke`,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_post'],
    },
  };
}

function oauthError(error: string, description: string, status = 400): BrexReply {
  return { status, body: { error, error_description: description } };
}

/** The sandbox's user always consents; the browser is sent back at once. */
function authorize(access: Access, query: URLSearchParams): BrexReply {
  const client = access.client(query.get('client_id'));
  const redirectUri = query.get('redirect_uri') ?? '';
  const state = query.get('state') ?? '';
  if (!client) return oauthError('invalid_client', 'The client is unknown.');
  if (!client.redirectUris.includes(redirectUri)) return oauthError('invalid_request', 'redirect_uri does not match.');
  if (state.length <= STATE_LONGER_THAN)
    return oauthError('invalid_request', 'state must be longer than 8 characters.');
  if (query.get('response_type') !== 'code') return oauthError('unsupported_response_type', 'Only code is supported.');
  const scopes = (query.get('scope') ?? '').split(' ').filter(Boolean);
  const granted = client.scopes === null ? scopes : scopes.filter((scope) => client.scopes?.includes(scope));
  const target = new URL(redirectUri);
  target.searchParams.set('code', access.newCode(client, redirectUri, granted));
  target.searchParams.set('state', state);
  return { status: 302, headers: { location: target.toString() } };
}

function answerForm(access: Access, request: SandboxRequest, isToken: boolean): BrexReply {
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    return oauthError('invalid_request', 'The body must be form encoded.');
  }
  const form = new URLSearchParams(request.body.toString('utf8'));
  const client = access.client(form.get('client_id'));
  // Credentials belong into the form; HTTP Basic is not offered.
  if (!client || client.clientSecret !== form.get('client_secret')) {
    return oauthError('invalid_client', 'Client authentication failed.', 401);
  }
  if (isToken) return grant(access, client, form);
  access.revoke(client, form.get('token') ?? '');
  return { status: 200 };
}

function grant(access: Access, client: SeedOauthClient, form: URLSearchParams): BrexReply {
  const type = form.get('grant_type');
  if (type !== 'refresh_token' && type !== 'authorization_code') {
    return oauthError('unsupported_grant_type', 'The grant type is not supported.');
  }
  const reply =
    type === 'refresh_token'
      ? access.refresh(client, form.get('refresh_token') ?? '')
      : access.exchange(client, form.get('code') ?? '', form.get('redirect_uri') ?? '');
  if (reply === null) return oauthError('invalid_grant', 'The grant is invalid, expired, spent or revoked.');
  return { status: 200, body: reply, headers: { 'cache-control': 'no-store' } };
}
