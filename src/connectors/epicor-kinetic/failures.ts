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
import { type HttpReply, retryAfterMs } from '../http.js';
import type { ErrorPatterns, KineticSettings } from './config.js';
import { isRecord, JsonNumber, parseExact } from './json.js';

/**
 * From Epicor's ways of saying no to our errors. The same answer means one thing for a read and another for a write:
 * only a refusal in Epicor's own error body proves that a write was not carried out. Everything else is unknown.
 */

export const TITLE = 'Epicor Kinetic';

/** What is quoted of one text of the ledger. */
const TEXT_MAX = 300;

export type FailureKind =
  | 'period'
  | 'duplicate'
  | 'conflict'
  | 'notFound'
  | 'licence'
  | 'credentials'
  | 'apiKey'
  | 'accessDenied'
  | 'other';

export interface Failure {
  readonly status: number;
  /** false = the body is not Epicor's error object: a gateway, IIS, a login page. */
  readonly isEpicor: boolean;
  /** End of the .NET type name, e.g. `BusinessObjectException`. */
  readonly errorType: string;
  /** One line, without secrets. */
  readonly message: string;
  readonly correlationId: string | null;
  readonly kind: FailureKind;
  readonly retryAfterMs: number | null;
}

/** What a failure is read with: the patterns, the texts to hide and the time. */
export interface FailureFacts {
  readonly settings: Pick<KineticSettings, 'errorPatterns' | 'businessErrorsUnder500'>;
  readonly secrets: readonly string[];
  readonly now: Date;
  /** The method or entity set that was called. */
  readonly operation: string;
}

export function failureOf(reply: HttpReply, facts: FailureFacts): Failure {
  const body = parseExact(reply.body.toString('utf8'))?.value;
  const errorType = (textIn(body, 'ErrorType').split('.').at(-1) ?? '').trim();
  const oData = isRecord(body) && isRecord(body.error) ? textIn(body.error, 'message') : '';
  const texts = [textIn(body, 'ErrorMessage') || oData, ...detailTexts(body)].filter((text) => text !== '');
  const message = withoutSecrets([...new Set(texts)].join(' | '), facts.secrets);
  const isEpicor = isRecord(body) && (textIn(body, 'ErrorMessage') !== '' || errorType !== '');
  return {
    status: reply.status,
    isEpicor,
    errorType,
    message,
    correlationId: textIn(body, 'CorrelationId').slice(0, 60) || null,
    kind: kindOf(reply.status, errorType, message, facts.settings.errorPatterns),
    retryAfterMs: retryAfterMs(reply, facts.now),
  };
}

function textIn(body: unknown, name: string): string {
  const value = isRecord(body) ? body[name] : undefined;
  if (value instanceof JsonNumber) return value.text;
  return typeof value === 'string' ? value.trim() : '';
}

function detailTexts(body: unknown): string[] {
  const details = isRecord(body) ? body.ErrorDetails : undefined;
  if (!Array.isArray(details)) return [];
  return details.map((detail) => textIn(detail, 'Message')).filter((text) => text !== '');
}

function kindOf(status: number, errorType: string, message: string, patterns: ErrorPatterns): FailureKind {
  const fits = (pattern: string) => new RegExp(pattern, 'i').test(message);
  if (status === 401) {
    // The key first: its text could hold anything, because it repeats the key.
    if (fits(patterns.apiKey)) return 'apiKey';
    if (fits(patterns.accessDenied)) return 'accessDenied';
    return fits(patterns.credentials) ? 'credentials' : 'other';
  }
  if (status === 403) return 'accessDenied';
  if (/^RecordNotFoundException$/i.test(errorType) || (status === 404 && fits(patterns.notFound))) return 'notFound';
  if (status === 409 && /^DuplicateRecordException$/i.test(errorType)) return 'duplicate';
  for (const kind of ['duplicate', 'conflict', 'period', 'licence'] as const) if (fits(patterns[kind])) return kind;
  return status === 409 ? 'duplicate' : 'other';
}

const BUSINESS_TYPE = /^(BusinessObjectException|BLException|DuplicateRecordException|RecordNotFoundException)$/i;

// ── 401 ──────────────────────────────────────────────────────────────────────────────────────

/**
 * The three refusals that share HTTP 401. Renewing a token can help with the last sort only, so the first two are never
 * answered with a new login.
 */
export function loginRefused(failure: Failure, operation: string): CredentialsError | PermissionError {
  const details = { detail: { httpStatus: failure.status, operation, correlationId: failure.correlationId } };
  const quoted = failure.message === '' ? '' : ` ("${failure.message}")`;
  switch (failure.kind) {
    case 'apiKey':
      return new CredentialsError(
        `Epicor Kinetic refused the API key${quoted}. Check in API Key Maintenance that the key exists, has not expired and covers this company, then enter it again.`,
        { code: 'API_KEY_REFUSED', ...details },
      );
    case 'accessDenied':
      return new PermissionError(
        `The Epicor user, or the access scope of the API key, may not use ${operation}${quoted}. Ask an Epicor administrator to allow it.`,
        details,
      );
    default:
      return new CredentialsError(
        `Epicor Kinetic refused the login${quoted}. Enter the user and password, or the client of the identity provider, again.`,
        { code: 'LOGIN_REFUSED', ...details },
      );
  }
}

// ── reads ────────────────────────────────────────────────────────────────────────────────────

/** What a failed read means, and a failed call that stores nothing. */
export function readError(failure: Failure, operation: string): LedgergateError {
  const { status, message } = failure;
  const detail = { httpStatus: status, operation, errorType: failure.errorType, correlationId: failure.correlationId };
  if (status === 401 || status === 403) return loginRefused(failure, operation);
  if (status === 429)
    return new RateLimitedError('Epicor Kinetic asks for fewer calls.', failure.retryAfterMs, { detail });
  if (failure.kind === 'licence') return noLicence(failure, detail);
  if (status === 404 || status === 405) {
    return new ConfigurationError(
      `There is no ${operation} at this address (HTTP ${status}${quote(message)}). Check the base URL (it ends before /api), the company and the API version.`,
      { code: 'WRONG_ADDRESS', detail },
    );
  }
  if (status === 400 && /^ODataException$/i.test(failure.errorType)) {
    return new ConfigurationError(`Epicor Kinetic did not understand a query of ${operation}${quote(message)}.`, {
      code: 'QUERY_REFUSED',
      detail,
    });
  }
  // Which refusals of business methods come with 409 or 500 differs by release; for a read the text is what counts.
  if (failure.isEpicor && (status < 500 || BUSINESS_TYPE.test(failure.errorType))) return rejection(failure, operation);
  return new UpstreamUnavailableError(`Epicor Kinetic answered ${operation} with HTTP ${status}${quote(message)}.`, {
    detail,
  });
}

function quote(message: string): string {
  return message === '' ? '' : `: "${message}"`;
}

function noLicence(failure: Failure, detail: Record<string, unknown>): UpstreamUnavailableError {
  return new UpstreamUnavailableError(
    `No Epicor licence is free${quote(failure.message)}. It is tried again; nothing was written.`,
    { code: 'NO_FREE_SEAT', detail },
  );
}

// ── writes ───────────────────────────────────────────────────────────────────────────────────

/** What a failed write means. Anything that is not a refusal in so many words is unknown. */
export function writeError(
  failure: Failure,
  operation: string,
  settings: Pick<KineticSettings, 'businessErrorsUnder500'>,
): LedgergateError {
  const { status, message } = failure;
  const detail = { httpStatus: status, operation, errorType: failure.errorType, correlationId: failure.correlationId };
  if (status === 401 || status === 403) return loginRefused(failure, operation);
  if (status === 429)
    return new RateLimitedError('Epicor Kinetic asks for fewer calls.', failure.retryAfterMs, { detail });
  if (status === 413 || status === 414 || status === 431) {
    return new ErpRejectedError(
      `The server in front of Epicor Kinetic does not take a request of this length (HTTP ${status}); nothing was written. Lower maxLines.`,
      { code: 'DOCUMENT_TOO_LONG', detail },
    );
  }
  if (failure.isEpicor) {
    if (failure.kind === 'licence' && status < 500) return noLicence(failure, detail);
    if (status === 503 && /^ConversionsPendingException$/i.test(failure.errorType)) {
      return new UpstreamUnavailableError('Epicor Kinetic is being upgraded.', { code: 'UPGRADE_RUNNING', detail });
    }
    if (status === 410) return new UpstreamUnavailableError('Epicor Kinetic ended the session of a call.', { detail });
    if (status === 404 && failure.kind !== 'notFound') {
      return new ConfigurationError(`There is no ${operation} at this Epicor Kinetic${quote(message)}.`, {
        code: 'WRONG_ADDRESS',
        detail,
      });
    }
    if (status >= 400 && status < 500) return rejection(failure, operation);
    if (status === 500 && settings.businessErrorsUnder500 && BUSINESS_TYPE.test(failure.errorType)) {
      return rejection(failure, operation);
    }
  }
  return new OutcomeUnknownError(
    `Epicor Kinetic answered ${operation} with HTTP ${status}${quote(message)}. It must be asked whether the write happened.`,
    { detail },
  );
}

/** The document was read and turned down, in the ledger's own words. */
function rejection(failure: Failure, operation: string): ErpRejectedError | PeriodClosedError {
  const { status, message, kind, errorType, correlationId } = failure;
  const reason = message === '' ? `it gave no reason (${errorType || `HTTP ${status}`})` : `"${message}"`;
  return refused(reason, kind, { httpStatus: status, operation, errorType, correlationId });
}

/** @param reason quoted already, without secrets. */
export function refused(
  reason: string,
  kind: FailureKind,
  detail: Record<string, unknown> = {},
): ErpRejectedError | PeriodClosedError {
  const details = { detail: { ...detail, class: kind } };
  if (kind === 'period') return new PeriodClosedError(`Epicor Kinetic refused the posting date: ${reason}.`, details);
  return new ErpRejectedError(`Epicor Kinetic refused the document: ${reason}.`, details);
}

/** A refusal found in a reply with HTTP 200. */
export function refusedUnder200(
  texts: readonly string[],
  facts: Pick<FailureFacts, 'settings' | 'secrets' | 'operation'>,
): ErpRejectedError | PeriodClosedError {
  const message = withoutSecrets(
    texts
      .map((text) => text.trim())
      .filter((text) => text !== '')
      .join(' | '),
    facts.secrets,
  );
  const kind = message === '' ? 'other' : kindOf(200, '', message, facts.settings.errorPatterns);
  const { operation } = facts;
  return refused(message === '' ? `${operation} saved nothing and gave no reason` : `"${message}"`, kind, {
    operation,
  });
}

/** Which class a refusal was put into; null for other errors. */
export function classOf(error: unknown): FailureKind | null {
  if (!(error instanceof ErpRejectedError) && !(error instanceof PeriodClosedError)) return null;
  const kind = error.detail.class;
  return typeof kind === 'string' ? (kind as FailureKind) : 'other';
}

/** A clear no: nothing was written by the call that it answers. */
export function isRefusal(error: unknown): error is ErpRejectedError | PeriodClosedError {
  return error instanceof ErpRejectedError || error instanceof PeriodClosedError;
}

/** A write whose reply has status 200 and is not what the method answers. */
export function unreadableWrite(operation: string, what: string): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `Epicor Kinetic answered ${operation} with ${what}. It must be asked whether the write happened.`,
    { detail: { operation } },
  );
}

export function unreadableRead(operation: string, what: string): UnreadableReplyError {
  return new UnreadableReplyError(`Epicor Kinetic answered ${operation} with ${what}.`, { detail: { operation } });
}

// ── secrets ──────────────────────────────────────────────────────────────────────────────────

/**
 * Takes secrets out of a text of the ledger, which repeats the API key when it refuses it. The text is cut only
 * afterwards, so that no half of a secret is left at its end.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    // One or two characters would tear ordinary words apart, and give nothing away.
    if (secret.trim().length < 3) continue;
    for (const form of [secret, secret.trim(), encodeURIComponent(secret)]) clean = clean.replaceAll(form, '[secret]');
  }
  const anonymous = clean
    // A key that was replaced meanwhile is a key too.
    .replace(/(invalid api key)\s+(?!\[secret\])\S+/gi, '$1 [secret]')
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/g, '$1 [secret]')
    .replace(/\beyJ[\w-]{8,}(\.[\w-]+)*/g, '[secret]');
  return anonymous.replace(/\s+/g, ' ').trim().slice(0, TEXT_MAX);
}
