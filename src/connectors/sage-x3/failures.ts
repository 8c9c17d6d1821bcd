import {
  ConfigurationError,
  CredentialsError,
  ErpRejectedError,
  type LedgergateError,
  OutcomeUnknownError,
  PeriodClosedError,
  PermissionError,
  RateLimitedError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../errors.js';
import type { ErrorPatterns } from './config.js';
import { isObject, type Json, textOf } from './json.js';

/**
 * From Sage X3's ways of saying no to our errors. A refusal comes under HTTP 200 and 201 as well: as `$diagnoses` in JSON,
 * as `status` 0 in a SOAP answer, as `errors` in GraphQL. Its words are kept; Sage publishes no list of them.
 */

const TEXT_MAX = 300;
const MESSAGES_MAX = 10;

// ── $diagnoses ───────────────────────────────────────────────────────────────────────────────

/**
 * The messages of every diagnosis that is not known to be harmless, wherever in the answer it stands. Severities are not
 * established: an unknown one counts as an error.
 */
export function diagnosesIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(diagnosesIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, part]) => {
    if (name !== '$diagnoses') return diagnosesIn(part);
    const entries = Array.isArray(part) ? part : [part];
    return entries.flatMap((entry) => {
      if (!isObject(entry)) return textOf(entry) === '' ? [] : [textOf(entry)];
      const severity = textOf(entry.$severity).toLowerCase();
      if (HARMLESS.has(severity)) return [];
      return [textOf(entry.$message) || 'an error without a message'];
    });
  });
}

const HARMLESS = new Set(['warning', 'info', 'information', 'success']);

/** The messages of diagnoses that are only warnings. */
export function warningsIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(warningsIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, part]) => {
    if (name !== '$diagnoses') return warningsIn(part);
    return (Array.isArray(part) ? part : [part]).flatMap((entry) =>
      isObject(entry) && textOf(entry.$severity).toLowerCase() === 'warning' ? [textOf(entry.$message)] : [],
    );
  });
}

// ── classes ──────────────────────────────────────────────────────────────────────────────────

export function fits(text: string, pattern: string): boolean {
  return new RegExp(pattern, 'iu').test(text);
}

/** In words, for a person: each message once. */
export function quote(messages: readonly string[]): string {
  const all = [...new Set(messages.map(oneLine))].filter((message) => message !== '');
  const shown = all.slice(0, MESSAGES_MAX).map((message) => `"${message}"`);
  return shown.join('; ') + (all.length > shown.length ? `; and ${all.length - shown.length} more` : '');
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, TEXT_MAX);
}

/** @param messages already without secrets; at least one. */
export function rejectionOf(messages: readonly string[], patterns: ErrorPatterns): LedgergateError {
  const quoted = quote(messages);
  const details = { detail: { messages: messages.slice(0, MESSAGES_MAX).map(oneLine) } };
  if (messages.some((message) => fits(message, patterns.period))) {
    return new PeriodClosedError(`Sage X3 refused the posting date: ${quoted}.`, details);
  }
  return new ErpRejectedError(`Sage X3 refused the document: ${quoted}.`, details);
}

/** Whether the words of a refusal leave open if something was written. */
export function isUnclear(messages: readonly string[], patterns: ErrorPatterns): boolean {
  return messages.length === 0 || messages.some((message) => fits(message, patterns.unclear));
}

/**
 * The set-up of the web services is at fault, so that nothing was executed: no such pool, no such publication, no process
 * that takes web services.
 */
export function notStarted(messages: readonly string[]): ConfigurationError | null {
  const text = messages.map(oneLine).join(' ');
  if (/no classic web service pool/i.test(text)) {
    return new ConfigurationError(
      `Sage X3 has no running pool of that name: ${quote(messages)}. Start the pool, or correct the setting poolAlias. Nothing was executed.`,
      { code: 'POOL_MISSING' },
    );
  }
  if (/unknown web service/i.test(text)) {
    return new ConfigurationError(
      `Sage X3 does not know the web service: ${quote(messages)}. Publish it (GESAWE) under the name in the settings, and restart the pool. Nothing was executed.`,
      { code: 'WEB_SERVICE_UNKNOWN' },
    );
  }
  if (/no web services accepted/i.test(text)) {
    return new ConfigurationError(
      'Sage X3’s host has no process for web services ("No web services accepted"). Raise the number of web service child processes of the host. Nothing was executed.',
      { code: 'NO_WEB_SERVICES' },
    );
  }
  return null;
}

/** X3 says itself that it did not begin: the call may be repeated. */
export function neverBegun(messages: readonly string[], patterns: ErrorPatterns): UpstreamUnavailableError | null {
  if (!messages.some((message) => fits(message, patterns.notStarted))) return null;
  return new UpstreamUnavailableError(`Sage X3 did not begin the call: ${quote(messages)}.`, { code: 'NOT_STARTED' });
}

/** Something that comes before a write: whatever cannot be read in it, nothing was sent. */
export async function beforeWrite<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnreadableReplyError)) throw error;
    throw new UpstreamUnavailableError(`${error.userMessage} Nothing was sent.`, { code: error.code, cause: error });
  }
}

export function unclearWrite(what: string, detail: Record<string, unknown> = {}): OutcomeUnknownError {
  return new OutcomeUnknownError(`Sage X3 ${what}. It must be asked whether the write happened.`, { detail });
}

export function throttled(waitMs: number | null): RateLimitedError {
  return new RateLimitedError('Sage X3, or a server in front of it, asks for fewer calls.', waitMs);
}

const TOKEN_ERRORS: Readonly<Record<string, string>> = {
  '30': 'the token is malformed: check the client id and secret',
  '41': 'the client id is not known (iss)',
  '42': 'the user is not one that the connected application allows (sub)',
  '45': 'the audience is not the registered URL byte for byte: correct auth.audience',
  '50': 'the signature is wrong or the token has expired: check the secret, the clock and auth.tokenLifetimeSeconds',
};

/** A 401 that renewing did not help; its body is plain text or a web page. */
export function loginRefused(body: string): CredentialsError {
  const code = /^\s*Error (\d{1,3})\s*:/.exec(body)?.[1];
  const reason = code === undefined ? '' : ` Error ${code}: ${TOKEN_ERRORS[code] ?? 'invalid token'}.`;
  return new CredentialsError(
    `Sage X3 refused the login.${reason} Check user and password (or client id and secret) and that this way to log in is switched on in nodelocal.js.`,
    { detail: code === undefined ? {} : { tokenError: code } },
  );
}

/** What any status but a success means when nothing is written. @param text without secrets. */
export function statusOnRead(status: number, text: string, waitMs: number | null): LedgergateError {
  const detail = { status };
  if (status === 429) return throttled(waitMs);
  if (status === 403) {
    return new PermissionError(`Sage X3 does not allow this user to read that (HTTP 403).${said(text)}`, { detail });
  }
  if (status === 404 || status === 405) {
    return new ConfigurationError(
      `Sage X3 has nothing at this address (HTTP ${status}).${said(text)} Check base URL, port, endpoint, class and representation.`,
      { code: 'WRONG_ADDRESS', detail },
    );
  }
  if (status >= 300 && status < 400) {
    return new UpstreamUnavailableError(
      `Sage X3 sent the gateway on to another page (HTTP ${status}), as it does with people who are not logged in.`,
      { code: 'REDIRECTED', detail },
    );
  }
  if (status === 503 && waitMs !== null) return throttled(waitMs);
  return new UpstreamUnavailableError(`Sage X3 answered with HTTP ${status}.${said(text)}`, { detail });
}

/** What a status means on a write, where no words of a refusal came with it. */
export function statusOnWrite(status: number, waitMs: number | null): LedgergateError {
  if (status === 429) return throttled(waitMs);
  const detail = { status };
  if (status === 403)
    return new PermissionError('Sage X3 does not allow this user to write that (HTTP 403).', { detail });
  if (status === 404 || status === 405) {
    return new ConfigurationError(
      `Sage X3 has nothing at this address (HTTP ${status}), so nothing was written. Check base URL, port, endpoint, class and representation.`,
      { code: 'WRONG_ADDRESS', detail },
    );
  }
  return unclearWrite(`answered a write with HTTP ${status}`, detail);
}

function said(text: string): string {
  const line = oneLine(text);
  return line === '' ? '' : ` It says "${line}".`;
}

// ── secrets ──────────────────────────────────────────────────────────────────────────────────

/** Takes secrets and addresses out of a text of the ledger, before it is cut: no half of a secret may be left at its end. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    // One or two characters would tear ordinary words apart, and give nothing away.
    if (secret.trim().length < 3) continue;
    for (const form of [secret, encodeURIComponent(secret)]) clean = clean.replaceAll(form, '[secret]');
  }
  return clean
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[token]')
    .replace(/\b(Basic|Bearer)\s+[\w.~+/=-]{6,}/gi, '$1 [secret]')
    .replace(/https?:\/\/\S+/gi, '[address]');
}
