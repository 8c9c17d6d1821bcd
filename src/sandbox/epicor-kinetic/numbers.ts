/**
 * Numbers as the wire has them. Revisions pass 2^53 and amounts are exact, so neither may go through a float: JSON is read
 * with the source text of its numbers and written with raw text.
 */

/** Decimal places that amounts are kept in: unit costs have five. */
export const DECIMALS = 5;
export const UNIT = 10n ** BigInt(DECIMALS);

/** A number of a JSON body in the text it came in. */
export class JsonNumber {
  constructor(readonly source: string) {}
}

export type Json = string | boolean | null | JsonNumber | Json[] | { [name: string]: Json };

// The library of this TypeScript target does not describe these two parts of the language yet.
type SourceReviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;
const exactJson = JSON as unknown as {
  parse(text: string, reviver: SourceReviver): unknown;
  rawJSON(text: string): unknown;
};

/** @throws SyntaxError the text is not JSON. */
export function parseJson(text: string): Json {
  return exactJson.parse(text, (_key, value, { source }) =>
    typeof value === 'number' ? new JsonNumber(source ?? String(value)) : value,
  ) as Json;
}

/** @returns a value that `JSON.stringify` writes as exactly this number. */
export function rawNumber(text: string): unknown {
  return exactJson.rawJSON(text);
}

/** @returns the decimal in units of 10^-5; undefined when the text is no plain decimal of at most five places. */
export function parseUnits(text: string): bigint | undefined {
  const match = /^(-?)(\d{1,18})(?:\.(\d+))?$/.exec(text.trim());
  if (match === null) return undefined;
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > DECIMALS) return undefined;
  const units = BigInt(match[2] ?? '0') * UNIT + BigInt(fraction.padEnd(DECIMALS, '0'));
  return match[1] === '-' ? -units : units;
}

/** @returns units of 10^-5 as a plain decimal with at least two places. */
export function formatUnits(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0{1,3}$/, '');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -DECIMALS)}.${fraction}`;
}

/** The product of two decimals, rounded half away from zero to `places`. */
export function multiply(one: bigint, other: bigint, places: number): bigint {
  return roundTo(divide(one * other, UNIT), places);
}

/** The quotient, rounded half away from zero. @param divisor not zero. */
export function divide(value: bigint, divisor: bigint): bigint {
  const negative = value < 0n !== divisor < 0n;
  const top = value < 0n ? -value : value;
  const bottom = divisor < 0n ? -divisor : divisor;
  const rounded = (2n * top + bottom) / (2n * bottom);
  return negative ? -rounded : rounded;
}

export function roundTo(units: bigint, places: number): bigint {
  const step = 10n ** BigInt(DECIMALS - places);
  return divide(units, step) * step;
}

/** @returns how many decimals a currency has (ISO 4217). */
export function currencyPlaces(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}
