import { decimalOfMinor, exponentOf, moneyFromDecimal } from '../../domain/money.js';
import { UnreadableReplyError } from '../../errors.js';

/**
 * A JSON number as it was written. Rows are sent back with the `SysRevID` they came with, a 64-bit counter that a float
 * would round above 2^53, and a rounded revision is a stale one.
 */
export class JsonNumber {
  constructor(readonly text: string) {}

  /** What `JSON.stringify` of other code (a logger) makes of it. */
  toJSON(): string {
    return this.text;
  }
}

/** A row of a tableset or an entity set: every column, ours or not, because whole rows are sent back. */
export type Row = Record<string, unknown>;

interface ReviverContext {
  readonly source?: string;
}

/** Parses JSON with every number as a `JsonNumber`; null when the text is not JSON. */
export function parseExact(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text, keepNumberText) };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function keepNumberText(_key: string, value: unknown, context?: ReviverContext): unknown {
  return typeof value === 'number' ? new JsonNumber(context?.source ?? String(value)) : value;
}

/** Writes JSON with the digits of every `JsonNumber` as they are. */
export function writeExact(value: unknown): string {
  if (value instanceof JsonNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeExact).join(',')}]`;
  if (isRecord(value)) {
    const entries = Object.entries(value).filter(([, part]) => part !== undefined);
    return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${writeExact(part)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof JsonNumber);
}

/** A decimal amount as a JSON number, digit by digit. */
export function jsonDecimal(decimal: string): JsonNumber {
  return new JsonNumber(decimal);
}

const NUMBER = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Writes a JSON number without an exponent, exactly: `1.5e3` becomes `1500`. null = no number of reasonable size. */
export function plainDecimal(text: string): string | null {
  const match = NUMBER.exec(text.trim());
  if (!match) return null;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > 30) return null;
  const digits = whole + fraction;
  const point = whole.length + exponent;
  const minus = sign === '-' ? '-' : '';
  if (point <= 0) return `${minus}0.${'0'.repeat(-point)}${digits}`;
  const integer = digits
    .slice(0, point)
    .padEnd(point, '0')
    .replace(/^0+(?=\d)/, '');
  const rest = digits.slice(point);
  return rest === '' ? minus + integer : `${minus}${integer}.${rest}`;
}

/**
 * An amount of the ledger in minor units.
 * @throws UnreadableReplyError no number, or one finer than the currency.
 */
export function minorOf(text: string, currency: string): bigint {
  const plain = plainDecimal(text);
  const fraction = plain?.split('.')[1]?.replace(/0+$/, '') ?? '';
  if (plain === null || fraction.length > exponentOf(currency)) {
    throw new UnreadableReplyError('Epicor Kinetic sent an amount that is not in plain decimals of its currency.');
  }
  const whole = plain.split('.')[0] ?? '0';
  return moneyFromDecimal(fraction === '' ? whole : `${whole}.${fraction}`, currency).minor;
}

/** The decimal text of minor units without its sign. */
export function unsignedDecimal(minor: bigint, currency: string): string {
  return decimalOfMinor(minor < 0n ? -minor : minor, currency);
}
