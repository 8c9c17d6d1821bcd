import {
  ConfigurationError,
  CredentialsError,
  IdempotencyConflictError,
  InputError,
  type LedgergateError,
  OutcomeUnknownError,
  PermissionError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '../../errors.js';
import { type HttpReply, headerOf, retryAfterMs } from '../http.js';
import { parseJson } from './json.js';
import { errorSchema, type WireError } from './wire.js';

/**
 * What Brex's answers other than success mean. Nothing here relies on an error body being JSON, or being there at all:
 * a 401 may be empty, and a proxy in between answers in HTML (error guide, and probes of the live edge).
 */

/** What went wrong with one call, as far as Brex said. */
export interface BrexFailure {
  readonly status: number;
  readonly error: WireError | null;
  /** Empty when Brex said nothing. */
  readonly message: string;
  readonly traceId: string | null;
  readonly retryAfterMs: number | null;
}

export function failureOf(reply: HttpReply, now: Date): BrexFailure {
  const error = wireErrorOf(reply.body);
  return {
    status: reply.status,
    error,
    message: (error?.message ?? '').slice(0, 300),
    traceId: headerOf(reply, 'x-brex-trace-id'),
    retryAfterMs: retryAfterMs(reply, now),
  };
}

function wireErrorOf(body: Buffer): WireError | null {
  try {
    const parsed = errorSchema.safeParse(parseJson(body.toString('utf8'), 'a call').exact);
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

const ROLE_MESSAGE = /\b(admin|bookkeepers?|clerks?|card holder)\b/i;
const TOKEN_MESSAGE = /token|authorization header/i;

/**
 * Whether Brex refused the token itself, so that renewing it may help. Brex uses both 401 and 403 for that, and also
 * uses 401 for a missing role or business account (`/v2/accounts/cash`, `/v1/vendors`), where renewing cannot help.
 */
export function isTokenRefusal(failure: BrexFailure): boolean {
  if (failure.status === 401) return TOKEN_MESSAGE.test(failure.message) || !ROLE_MESSAGE.test(failure.message);
  if (failure.status === 403) return failure.message === '' || TOKEN_MESSAGE.test(failure.message);
  return false;
}

export interface CallFacts {
  /** What was asked, for people: `GET /v1/expenses`. */
  readonly operation: string;
  /** A write that may not be repeated blindly. */
  readonly isWrite: boolean;
  readonly host: string;
}

const FORMER_HOST = /(^|\.)brexapis\.com$|(^|\.)brexapps\.com$/i;

/** The error that a failed call ends in, after renewing the token was tried where that could help. */
export function errorOf(failure: BrexFailure, call: CallFacts): LedgergateError {
  const said = failure.message === '' ? `status ${failure.status}` : `status ${failure.status}: ${failure.message}`;
  const detail = {
    operation: call.operation,
    status: failure.status,
    traceId: failure.traceId,
    brexCode: failure.error?.error_code ?? failure.error?.code ?? failure.error?.type ?? null,
  };
  if (isTokenRefusal(failure)) return refusedToken(call, said, detail);
  switch (failure.status) {
    case 401:
    case 403:
      return new PermissionError(
        `The Brex login may not do ${call.operation} (${said}). An account admin must grant the scope or role in Brex; cash and vendors also need a Brex business account.`,
        { detail },
      );
    case 429:
      return new RateLimitedError('Brex asks us to slow down.', failure.retryAfterMs, { detail });
    case 409:
      if (call.isWrite) return conflict(call, said, detail);
      break;
    case 408:
      return unclear(call, said, detail);
    default:
  }
  if (failure.status >= 500 || failure.status < 400) return unclear(call, said, detail);
  if (call.isWrite) return new InputError(`Brex refused ${call.operation} (${said}).`, [], { detail });
  return new ConfigurationError(
    `Brex refused the question ${call.operation} (${said}). Check the address and the settings of this Brex connection.`,
    { code: 'BREX_REFUSED_READ', detail },
  );
}

function refusedToken(call: CallFacts, said: string, detail: Record<string, unknown>): LedgergateError {
  if (FORMER_HOST.test(call.host) && call.operation.includes('/v3/')) {
    return new ConfigurationError(
      `Brex's former address ${call.host} does not serve accounting records (${said}). Set the address to https://api.brex.com.`,
      { code: 'BREX_FORMER_HOST', detail },
    );
  }
  return new CredentialsError(
    `Brex refused the login (${said}). Create a new user token or connect Brex again, then reconnect this system.`,
    { detail },
  );
}

/** Integration conflicts are settings to change; any other conflict on a write is one key used for two requests. */
function conflict(call: CallFacts, said: string, detail: Record<string, unknown>): LedgergateError {
  if (call.operation.includes('/v3/accounting/integration')) {
    return new ConfigurationError(
      `Brex refused the accounting integration (${said}). Disconnect the other one in Brex, or correct integrationVendor and vendorAccountId.`,
      { code: 'BREX_INTEGRATION_CONFLICT', detail },
    );
  }
  return new IdempotencyConflictError(`Brex refused ${call.operation} as a conflict (${said}).`, { detail });
}

function unclear(call: CallFacts, said: string, detail: Record<string, unknown>): LedgergateError {
  if (!call.isWrite) return new UpstreamUnavailableError(`Brex answered ${call.operation} with ${said}.`, { detail });
  return new OutcomeUnknownError(
    `Brex gave no clear answer to ${call.operation} (${said}). It must be asked whether the write happened.`,
    { detail },
  );
}

const INVALID_GRANT = new Set(['invalid_grant', 'invalid_client', 'unauthorized_client', 'invalid_token']);

/** What a failed refresh means. Brex's own body is not documented; RFC 6749 §5.2 is what its server type sends. */
export function refreshErrorOf(failure: BrexFailure): LedgergateError {
  const detail = { operation: 'token refresh', status: failure.status, traceId: failure.traceId };
  if (failure.status === 429) {
    return new RateLimitedError('Brex asks us to slow down (token refresh).', failure.retryAfterMs, { detail });
  }
  const reason = failure.error?.error ?? '';
  if (INVALID_GRANT.has(reason) || [400, 401, 403].includes(failure.status)) {
    return new CredentialsError(
      `Brex refused to renew the login (${reason || `status ${failure.status}`}). The company must authorise the connection in Brex again.`,
      { code: 'REAUTHORISATION_NEEDED', detail },
    );
  }
  if (failure.status >= 400 && failure.status < 500) {
    return new ConfigurationError(
      `The token address answered status ${failure.status}. Check tokenUrl in the settings of this Brex connection.`,
      { code: 'BREX_TOKEN_URL', detail },
    );
  }
  return new UpstreamUnavailableError(`Brex's login server answered status ${failure.status}.`, { detail });
}
