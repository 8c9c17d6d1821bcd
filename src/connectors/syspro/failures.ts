import {
  CredentialsError,
  ErpRejectedError,
  type LedgergateError,
  PeriodClosedError,
  PermissionError,
  UpstreamUnavailableError,
} from '../../errors.js';
import type { ErrorPatterns } from './config.js';
import { childrenOf, descendants, textAt, type XmlNode } from './xml.js';

/**
 * From SYSPRO's ways of saying no to our errors. Everything comes with HTTP 200: as text that begins with `ERROR`, or as
 * `ErrorDescription` elements in and beside the offending elements. Numbers and texts of the ledger's own checks are
 * not public, so classes are told apart by patterns that the settings can replace.
 */

/** What is quoted of one text of the ledger. */
const TEXT_MAX = 300;

/** The text of an `ERROR…` reply on one line; null when the reply is something else. */
export function textErrorOf(reply: string): string | null {
  return /^\s*(ERROR\b|e\.net exception)/i.test(reply) ? reply.replace(/\s+/g, ' ').trim() : null;
}

/**
 * The session is unknown, expired or was ended by another logon. The call was refused before it was executed, which is
 * why even a write may be sent again after this one text, and after no other.
 */
export function isSessionRefused(textError: string): boolean {
  return /supplied UserID is invalid/i.test(textError);
}

/** The business object is not installed or not licensed, so nothing was executed. */
export function isObjectMissing(textError: string): boolean {
  return /e\.net exception(\s+raised)?\s*:?\s*100000\b/i.test(textError);
}

export function objectMissingOnRead(businessObject: string): PermissionError {
  return new PermissionError(
    `SYSPRO has no business object ${businessObject}, or no licence for it. Ask whoever looks after SYSPRO to enable it for this operator.`,
    { code: 'BUSINESS_OBJECT_MISSING', detail: { businessObject } },
  );
}

export function objectMissingOnWrite(businessObject: string): ErpRejectedError {
  return new ErpRejectedError(
    `SYSPRO has no business object ${businessObject}, or no licence for it; nothing was written. Ask whoever looks after SYSPRO to enable it for this operator.`,
    { code: 'BUSINESS_OBJECT_MISSING', detail: { businessObject } },
  );
}

/** @param text already without secrets. */
export function logonFailure(text: string, patterns: ErrorPatterns): LedgergateError {
  const quoted = `SYSPRO did not log the operator in: "${text}".`;
  // Seats first: their texts may name the operator as well, and waiting is right for them.
  if (fits(text, patterns.seats)) {
    return new UpstreamUnavailableError(`${quoted} A licence becomes free when somebody logs off.`, {
      code: 'NO_FREE_SEAT',
    });
  }
  if (fits(text, patterns.credentials)) {
    return new CredentialsError(`${quoted} Enter the operator, company and passwords of this connection again.`);
  }
  return new UpstreamUnavailableError(quoted, { code: 'LOGON_FAILED' });
}

function fits(text: string, pattern: string): boolean {
  return new RegExp(pattern, 'i').test(text);
}

// ── errors inside XML ────────────────────────────────────────────────────────────────────────

export interface ReportedError {
  /** Where it stands, e.g. `Item/JournalDetails/LedgerCode`. */
  readonly path: string;
  readonly number: string;
  readonly value: string;
  readonly description: string;
}

/** Every error of a reply, wherever it stands. */
export function reportedErrors(root: XmlNode): ReportedError[] {
  return collect(root, []);
}

function collect(node: XmlNode, path: readonly string[]): ReportedError[] {
  const numbers = childrenOf(node, 'ErrorNumber');
  let seen = 0;
  let subject: XmlNode | null = null;
  const errors: ReportedError[] = [];
  for (const child of node.children) {
    if (child.name === 'errordescription') {
      const number = (numbers[seen] ?? numbers[0])?.text ?? '';
      seen += 1;
      if (child.text === '') continue;
      // Inside the offending element there is a Value; beside it, the element before the error is the offending one.
      const inside = childrenOf(node, 'Value')[0];
      const at = inside || subject === null ? path : [...path, subject.label];
      const value = inside?.text ?? subject?.text ?? '';
      errors.push({ path: at.join('/'), number, value: oneLine(value), description: oneLine(child.text) });
    } else if (child.name !== 'errornumber' && child.name !== 'value') {
      subject = child.children.length === 0 ? child : null;
      errors.push(...collect(child, [...path, child.label]));
    }
  }
  return errors;
}

/** The vendor's warnings, verbatim but on one line each. */
export function reportedWarnings(root: XmlNode): string[] {
  return descendants(root, 'WarningDescription')
    .map((node) => oneLine(node.text))
    .filter((text) => text !== '');
}

/** A counter of `StatusOfItems`; empty and missing ones are 0. */
export function counterOf(root: XmlNode, name: string): number {
  const count = Number.parseInt(textAt(root, 'StatusOfItems', name), 10);
  return Number.isNaN(count) ? 0 : count;
}

const INVALID_COUNTERS = ['RecordsInvalid', 'ItemsInvalid', 'ItemsRejectedWithWarnings', 'JournalsInvalid'];

/** Whether the reply says that something was turned down, in words or by a counter. */
export function saysInvalid(root: XmlNode): boolean {
  return (
    INVALID_COUNTERS.some((name) => counterOf(root, name) > 0) ||
    descendants(root, 'ValidationStatus').some((node) => /^fail/i.test(textAt(node, 'Status')))
  );
}

/** In words, for a person: each error once. */
export function quoteErrors(errors: readonly ReportedError[], warnings: readonly string[] = []): string {
  const quotes = errors.map((error) => {
    const where = [error.path, error.value === '' ? '' : `value "${error.value}"`].filter((part) => part !== '');
    const number = error.number === '' ? '' : `${error.number}: `;
    return `"${number}${error.description}"${where.length > 0 ? ` (${where.join(', ')})` : ''}`;
  });
  const all = [...new Set([...quotes, ...warnings.map((warning) => `warning "${warning}"`)])];
  // The rest stands in the detail; a message of hundreds of lines helps nobody.
  const shown = all.slice(0, 10);
  return shown.join('; ') + (all.length > shown.length ? `; and ${all.length - shown.length} more` : '');
}

/** Which of the known kinds of refusal this is; null when none of the patterns fits. */
export function classOf(
  errors: readonly ReportedError[],
  patterns: ErrorPatterns,
): 'period' | 'duplicate' | 'account' | 'balance' | null {
  for (const kind of ['period', 'duplicate', 'account', 'balance'] as const) {
    if (errors.some((error) => fits(error.description, patterns[kind]))) return kind;
  }
  return null;
}

/** The error of a document that the ledger read and turned down whole. */
export function rejectionOf(root: XmlNode, patterns: ErrorPatterns): ErpRejectedError | PeriodClosedError {
  const errors = reportedErrors(root);
  const warnings = reportedWarnings(root);
  const quoted = quoteErrors(errors, warnings);
  const kind = classOf(errors, patterns);
  const details = { detail: { class: kind, errors, warnings } };
  if (kind === 'period') return new PeriodClosedError(`SYSPRO refused the posting period: ${quoted}.`, details);
  const reason = quoted === '' ? 'it counted the document as invalid and gave no reason' : quoted;
  return new ErpRejectedError(`SYSPRO refused the document: ${reason}.`, details);
}

/** A query that was answered with errors instead of data. */
export function queryRefused(what: string, errors: readonly ReportedError[]): PermissionError {
  return new PermissionError(`SYSPRO refused to answer ${what}: ${quoteErrors(errors)}.`, { detail: { errors } });
}

// ── secrets ──────────────────────────────────────────────────────────────────────────────────

/**
 * Takes secrets and addresses out of a text of the ledger: credentials and session ids travel in URLs. The text is cut
 * only afterwards, so that no half of a secret is left at its end.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    // One or two characters would tear ordinary words apart, and give nothing away.
    if (secret.trim().length < 3) continue;
    for (const form of [secret, secret.trim(), encodeURIComponent(secret)]) clean = clean.replaceAll(form, '[secret]');
  }
  const anonymous = clean
    // Session ids of earlier logons, which nobody remembers, look like this.
    .replace(/\b[0-9A-F]{30,}\b/gi, '[id]')
    .replace(/https?:\/\/\S+/gi, '[address]')
    .replace(/\b(UserId|OperatorPassword|CompanyPassword)=[^\s&]*/gi, '$1=[secret]');
  return anonymous.slice(0, TEXT_MAX);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, TEXT_MAX);
}
