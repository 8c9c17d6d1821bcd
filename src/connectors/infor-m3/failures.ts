import {
  ConfigurationError,
  ErpRejectedError,
  type LedgergateError,
  PeriodClosedError,
  PermissionError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../errors.js';
import type { ErrorPatterns } from './config.js';
import { type MiRecord, type V2Reply, v1Error, v1Reply, v1Wrapped, v2Reply } from './wire.js';

/**
 * M3's ways of saying no, and what each means. An error comes under HTTP 200 inside `results[0]`, under HTTP 400 at the
 * root of the same JSON, or under v1 as `ServerReturnedNOK` with HTTP 200, bare or wrapped.
 */

export const TITLE = 'Infor M3';

const TEXT_MAX = 300;

/** M3 read the call and said no (NOK). */
export interface Refusal {
  /** As M3 words it, without the code and the field that it packs into the text. */
  readonly text: string;
  readonly code: string;
  readonly field: string;
}

export type MiReply =
  | { readonly kind: 'OK'; readonly records: readonly MiRecord[] }
  | { readonly kind: 'REFUSED'; readonly refusal: Refusal }
  /** Not the answer of an MI program: a web page, an empty body, half a document. */
  | { readonly kind: 'UNREADABLE'; readonly reason: string };

/** Reads the answer to one transaction, whichever version and shape it has. */
export function replyOf(text: string, status: number, transaction: string): MiReply {
  const json = parsed(text);
  if (json === undefined) return unreadable(text.trim() === '' ? 'an empty body' : 'something that is not JSON');
  const refusal = v1Refusal(json);
  if (refusal !== null) return { kind: 'REFUSED', refusal };
  const one = v1Reply.safeParse(json);
  if (one.success && status === 200) {
    if (!sameName(one.data.Transaction, transaction)) return unreadable('the answer to another transaction');
    return { kind: 'OK', records: (one.data.MIRecord ?? []).map((row) => recordOf(row.NameValue)) };
  }
  const two = v2Reply.safeParse(json);
  if (!two.success || !looksLikeMi(two.data)) return unreadable('JSON that is not the answer of an MI program');
  return v2ReplyOf(two.data, status, transaction);
}

function v2ReplyOf(reply: V2Reply, status: number, transaction: string): MiReply {
  const [result, ...more] = reply.results ?? [];
  // The decision rule of Infor's own SDK; an error text under HTTP 400 needs no counter.
  const isError =
    reply.wasTerminated === true ||
    (reply.nrOfFailedTransactions ?? 0) > 0 ||
    filled(result?.errorMessage) ||
    filled(result?.errorType) ||
    (result === undefined && (filled(reply.errorMessage) || filled(reply.terminationReason)));
  if (isError) {
    const source = result ?? reply;
    return {
      kind: 'REFUSED',
      refusal: refusalOf(
        source.errorMessage || reply.errorMessage || reply.terminationReason || '',
        source.errorCode ?? reply.errorCode ?? '',
        source.errorField ?? reply.errorField ?? '',
      ),
    };
  }
  if (status !== 200) return unreadable(`HTTP ${status} without an error`);
  if (result === undefined || more.length > 0) return unreadable('not exactly one result');
  if (result.notProcessed === true) return unreadable('a transaction that was not processed');
  if (result.transaction && !sameName(result.transaction, transaction)) {
    return unreadable('the answer to another transaction');
  }
  return { kind: 'OK', records: (result.records ?? []).map((record) => trimmed(Object.entries(record))) };
}

function looksLikeMi(reply: V2Reply): boolean {
  return (
    Array.isArray(reply.results) ||
    reply.wasTerminated === true ||
    (filled(reply.errorMessage) && (filled(reply.errorCode) || filled(reply.errorType))) ||
    filled(reply.terminationReason)
  );
}

function v1Refusal(json: unknown): Refusal | null {
  const wrapped = v1Wrapped.safeParse(json);
  const bare = v1Error.safeParse(wrapped.success ? wrapped.data.ErrorMessage : json);
  if (!bare.success) return null;
  const error = bare.data;
  return refusalOf(error.Message ?? '', error['@code'] ?? '', error['@field'] ?? '');
}

/** Code and field stand in the text as well, pushed to its end with blanks. */
function refusalOf(message: string, code: string, field: string): Refusal {
  let text = message.trimEnd();
  for (const part of [field.trim(), code.trim(), field.trim()]) {
    if (part !== '' && text.endsWith(` ${part}`)) text = text.slice(0, -part.length).trimEnd();
  }
  return { text: oneLine(text), code: code.trim(), field: field.trim() };
}

function recordOf(pairs: readonly { Name: string; Value?: string | null | undefined }[]): MiRecord {
  return trimmed(pairs.map((pair) => [pair.Name, pair.Value]));
}

function trimmed(pairs: readonly (readonly [string, string | null | undefined])[]): MiRecord {
  return Object.fromEntries(pairs.map(([name, value]) => [name.trim(), (value ?? '').trim()]));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

function unreadable(reason: string): MiReply {
  return { kind: 'UNREADABLE', reason };
}

function filled(value: string | null | undefined): boolean {
  return value !== undefined && value !== null && value.trim() !== '';
}

function sameName(a: string, b: string): boolean {
  return a.trim().toUpperCase() === b.toUpperCase();
}

// ── what a refusal means ─────────────────────────────────────────────────────────────────────

export function fits(refusal: Refusal, pattern: string): boolean {
  return new RegExp(pattern, 'i').test(refusal.text);
}

/** No right to the company, the program or the transaction. */
export function isRightMissing(refusal: Refusal): boolean {
  return /^XAU/i.test(refusal.code) || /\bXAU\d{4}\b|not authori[sz]ed/i.test(refusal.text);
}

export function isNotFound(refusal: Refusal, patterns: ErrorPatterns): boolean {
  return !isRightMissing(refusal) && fits(refusal, patterns.notFound);
}

/** The record is there already. */
export function isDuplicate(refusal: Refusal, patterns: ErrorPatterns): boolean {
  return !isRightMissing(refusal) && fits(refusal, patterns.duplicate) && !fits(refusal, patterns.notFound);
}

export function quoted(refusal: Refusal): string {
  const where = [refusal.code, refusal.field === '' ? '' : `field ${refusal.field}`].filter((part) => part !== '');
  const text = refusal.text === '' ? 'no reason given' : refusal.text;
  return `"${text}"${where.length > 0 ? ` (${where.join(', ')})` : ''}`;
}

/** A read that M3 answered with no. "Not found" is for the caller to tell apart first. */
export function readRefused(operation: string, refusal: Refusal, patterns: ErrorPatterns): LedgergateError {
  const details = { detail: { operation, ...refusal } };
  if (isRightMissing(refusal)) return rightMissing(operation, refusal);
  if (fits(refusal, patterns.locked)) {
    return new UpstreamUnavailableError(`${TITLE} is busy with what ${operation} reads: ${quoted(refusal)}.`, details);
  }
  return new ConfigurationError(`${TITLE} did not answer ${operation}: ${quoted(refusal)}.`, {
    code: 'READ_REFUSED',
    ...details,
  });
}

/** A write that M3 read and turned down: this call wrote nothing. */
export function writeRefused(operation: string, refusal: Refusal, patterns: ErrorPatterns): LedgergateError {
  const details = { detail: { operation, ...refusal } };
  if (isRightMissing(refusal)) return rightMissing(operation, refusal);
  if (fits(refusal, patterns.period)) {
    return new PeriodClosedError(`${TITLE} refused the posting period: ${quoted(refusal)}.`, details);
  }
  if (fits(refusal, patterns.locked)) {
    return new UpstreamUnavailableError(`${TITLE} did not take ${operation} now: ${quoted(refusal)}.`, details);
  }
  return new ErpRejectedError(`${TITLE} refused the document (${operation}): ${quoted(refusal)}.`, details);
}

function rightMissing(operation: string, refusal: Refusal): PermissionError {
  return new PermissionError(
    `The M3 user of the service account may not use ${operation}: ${quoted(refusal)}. Ask whoever looks after M3 for the right to the program, company and division.`,
    { detail: { operation, ...refusal } },
  );
}

export function unreadableRead(operation: string, reason: string): UnreadableReplyError {
  return new UnreadableReplyError(`${TITLE} answered ${operation} with ${reason}.`, { detail: { operation } });
}

// ── secrets ──────────────────────────────────────────────────────────────────────────────────

/** Takes secrets and addresses out of a text of M3 or the gateway. Cut afterwards, so that no half of one is left. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.trim().length < 4) continue;
    for (const form of [secret, encodeURIComponent(secret)]) clean = clean.replaceAll(form, '[secret]');
  }
  return clean
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 [secret]')
    .replace(/\beyJ[\w-]{8,}(\.[\w-]+)*/g, '[secret]')
    .replace(/https?:\/\/\S+/gi, '[address]')
    .slice(0, TEXT_MAX);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
