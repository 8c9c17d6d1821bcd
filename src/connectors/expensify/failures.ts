import {
  ConfigurationError,
  CredentialsError,
  InputError,
  type LedgergateError,
  OutcomeUnknownError,
  PermissionError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '../../errors.js';
import { type HttpReply, retryAfterMs } from '../http.js';
import type { ExpensifyCredentials, ExpensifySettings } from './config.js';
import { envelopeSchema } from './wire.js';

/**
 * What Expensify's answers mean. It reports nearly every failure under HTTP 200, in a JSON object with a `responseCode`
 * that wins over the HTTP status, labelled as text or JSON at random; other failures are HTML or plain text.
 */

/** A call that Expensify refused, as far as it said. */
export interface Refusal {
  /** The body's code where there is one, else the HTTP status. */
  readonly code: number;
  readonly isFromBody: boolean;
  /** Without secrets; empty when Expensify said nothing that can be quoted. */
  readonly message: string;
  readonly retryAfterMs: number | null;
}

export type Answer =
  /** `envelope` is null when the body is not a JSON object with a code: a file, a file name. */
  | { readonly ok: true; readonly text: string; readonly envelope: unknown; readonly quote: () => string }
  | { readonly ok: false; readonly refusal: Refusal };

/** An envelope is short; a file is not searched for one beyond this. */
const ENVELOPE_MAX = 4 * 1024 * 1024;
/** The throttle counts over a minute and, as far as is known, names no wait. */
export const THROTTLE_MS = 60_000;

export function answerOf(reply: HttpReply, credentials: ExpensifyCredentials, now: Date): Answer {
  const text = reply.body.toString('utf8').replace(/^\uFEFF/, '');
  const isHttpSuccess = reply.status >= 200 && reply.status < 300;
  const found = envelopeOf(text);
  if (found) {
    const isSuccess = found.code === 200 || found.code === 207;
    if (isSuccess && isHttpSuccess) return { ok: true, text, envelope: found.body, quote: () => '' };
    const message = quotable(found.message, credentials);
    const code = isSuccess ? reply.status : found.code;
    return { ok: false, refusal: { code, isFromBody: !isSuccess, message, retryAfterMs: retryAfterMs(reply, now) } };
  }
  if (isHttpSuccess) return { ok: true, text, envelope: null, quote: () => quotable(text.slice(0, 2000), credentials) };
  const message = quotable(text, credentials);
  return {
    ok: false,
    refusal: { code: reply.status, isFromBody: false, message, retryAfterMs: retryAfterMs(reply, now) },
  };
}

function envelopeOf(text: string): { code: number; message: string; body: unknown } | null {
  if (text.length > ENVELOPE_MAX || !/^\s*\{/.test(text) || !text.includes('"responseCode"')) return null;
  const body = jsonOrNull(text);
  const parsed = envelopeSchema.safeParse(body);
  return parsed.success ? { code: parsed.data.responseCode, message: parsed.data.responseMessage ?? '', body } : null;
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * A message as it may be shown. Some of Expensify's error pages quote the request, and the request holds the secret: it
 * is cut out in every spelling, and pages of HTML are not quoted at all.
 */
export function quotable(text: string, credentials: ExpensifyCredentials): string {
  if (/<\w+[^>]*>|partnerUser(ID|Secret)/i.test(text)) return '';
  let clean = text.replace(/\s+/g, ' ').trim();
  for (const secret of [credentials.partnerUserSecret, credentials.partnerUserID]) {
    for (const spelling of spellingsOf(secret)) clean = clean.replaceAll(spelling, '[secret]');
  }
  return clean.slice(0, 300);
}

function spellingsOf(secret: string): string[] {
  const form = new URLSearchParams({ s: secret }).toString().slice(2);
  const json = JSON.stringify(secret).slice(1, -1);
  return [...new Set([secret, json, form, encodeURIComponent(secret)])].filter((text) => text !== '');
}

export interface CallFacts {
  /** What was asked, for people: `the list of policies`. */
  readonly operation: string;
  /** A job that changes something and may not be repeated blindly. */
  readonly isWrite: boolean;
}

type Patterns = ExpensifySettings['patterns'];

export function says(pattern: string, message: string): boolean {
  return new RegExp(pattern, 'i').test(message);
}

/** The error that a refused call ends in. */
export function errorOf(refusal: Refusal, call: CallFacts, patterns: Patterns): LedgergateError {
  const { code, message } = refusal;
  const said = message === '' ? `code ${code}` : `code ${code}: ${message}`;
  const detail = { operation: call.operation, code };
  if (code === 429) {
    return new RateLimitedError('Expensify asks us to slow down.', refusal.retryAfterMs ?? THROTTLE_MS, { detail });
  }
  // Asked before the code: a refused login comes as 401, 403 or 500, which of them is not documented.
  if (says(patterns.credentials, message) || code === 401) {
    return new CredentialsError(
      `Expensify refused the login (${said}). Make a new pair at https://www.expensify.com/tools/integrations/ and reconnect this system.`,
      { detail },
    );
  }
  if (says(patterns.permission, message) || code === 403) {
    return new PermissionError(
      `The Expensify user may not read or change ${call.operation} (${said}). Make it an admin of the workspaces.`,
      { detail },
    );
  }
  if (code >= 500 && code < 600) return unclear(call, said, detail);
  if (code < 400 || code === 408) return unclear(call, said, detail);
  if (call.isWrite) return new InputError(`Expensify refused ${call.operation} (${said}).`, [], { detail });
  return new ConfigurationError(
    `Expensify refused the question for ${call.operation} (${said}). Check the settings of this connection.`,
    { code: 'EXPENSIFY_REFUSED_READ', detail },
  );
}

function unclear(call: CallFacts, said: string, detail: Record<string, unknown>): LedgergateError {
  if (!call.isWrite) {
    return new UpstreamUnavailableError(`Expensify did not give ${call.operation} (${said}).`, { detail });
  }
  return new OutcomeUnknownError(
    `Expensify gave no clear answer to ${call.operation} (${said}). It must be asked whether it happened.`,
    { detail },
  );
}
