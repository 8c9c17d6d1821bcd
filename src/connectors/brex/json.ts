import { createHash } from 'node:crypto';
import { UnreadableReplyError } from '../../errors.js';

/**
 * A JSON number as Brex wrote it. Amounts never pass through a float: the v3 API sends decimals (`171.75`), and the
 * int64 amounts of the other APIs may be larger than a double holds exactly.
 */
export class JsonNumber {
  constructor(readonly text: string) {}
}

interface ReviverContext {
  readonly source?: string;
}

/** The same document twice: `exact` for reading amounts, `plain` to be stored beside what was read. */
export interface ParsedJson {
  /** Every number is a `JsonNumber`. */
  readonly exact: unknown;
  readonly plain: unknown;
}

/** @throws UnreadableReplyError the text is not JSON (an HTML error page, a cut body). The text itself is not quoted. */
export function parseJson(text: string, what: string): ParsedJson {
  try {
    return { exact: JSON.parse(text, keepNumberText), plain: JSON.parse(text) };
  } catch (error) {
    // The engine's own message quotes the text, which may hold names or account numbers, so it is not passed on.
    const reason = error instanceof SyntaxError ? 'not JSON' : 'unusable';
    throw new UnreadableReplyError(`Brex's answer to ${what} is ${reason}.`, { detail: { length: text.length } });
  }
}

function keepNumberText(_key: string, value: unknown, context?: ReviverContext): unknown {
  return typeof value === 'number' ? new JsonNumber(context?.source ?? String(value)) : value;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Writes a JSON number without an exponent, exactly: `1.5e3` becomes `1500`. null = not a number of reasonable size. */
export function plainDecimal(text: string): string | null {
  const match = NUMBER.exec(text);
  if (!match) return null;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > 30) return null;
  const digits = whole + fraction;
  const point = whole.length + exponent;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  const integer = digits
    .slice(0, point)
    .padEnd(point, '0')
    .replace(/^0+(?=\d)/, '');
  const rest = digits.slice(point);
  return rest === '' ? sign + integer : `${sign}${integer}.${rest}`;
}

/** A hash over the content, whatever the order of keys. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('base64url').slice(0, 22);
}

function canonical(value: unknown): string {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, part]) => part !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
