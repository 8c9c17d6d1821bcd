import { InputError, InvariantError } from '../errors.js';

/** An exact amount: integer minor units (cents, yen, fils) of one currency. Never a float. */
export interface Money {
  readonly minor: bigint;
  /** ISO 4217 code, upper case. */
  readonly currency: string;
}

/**
 * Currencies whose minor unit is not a hundredth (ISO 4217, list one, "Minor unit" column).
 * Everything else has two decimals.
 */
const EXPONENTS: Readonly<Record<string, number>> = Object.fromEntries([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0]),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3]),
  ...'CLF UYW'.split(' ').map((code) => [code, 4]),
]);

/** Decimal places of a currency's minor unit. */
export function exponentOf(currency: string): number {
  return EXPONENTS[currency] ?? 2;
}

export function money(minor: bigint, currency: string): Money {
  return { minor, currency };
}

export function zero(currency: string): Money {
  return { minor: 0n, currency };
}

const PLAIN_DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/**
 * Reads a plain decimal such as `-12.50`.
 * @throws InputError not a plain decimal, or more decimals than the currency has (trailing zeros are fine).
 */
export function moneyFromDecimal(text: string, currency: string): Money {
  const match = PLAIN_DECIMAL.exec(text);
  if (!match) throw new InputError(`"${text}" is not an amount in plain decimals.`);
  const [, sign, whole = '0', fraction = ''] = match;
  const exponent = exponentOf(currency);
  const extra = fraction.slice(exponent);
  if (/[1-9]/.test(extra)) {
    throw new InputError(`"${text}" has more decimals than ${currency} has (${exponent}).`);
  }
  const digits = whole + fraction.slice(0, exponent).padEnd(exponent, '0');
  const minor = BigInt(digits);
  return { minor: sign === '-' ? -minor : minor, currency };
}

/** The amount in major units with all its decimals, e.g. `1234.50`, `-0.05`, `1030` for yen. */
export function decimalOf(amount: Money): string {
  return decimalOfMinor(amount.minor, amount.currency);
}

export function decimalOfMinor(minor: bigint, currency: string): string {
  const exponent = exponentOf(currency);
  const sign = minor < 0n ? '-' : '';
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, '0');
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

export function sameCurrency(a: Money, b: Money): void {
  if (a.currency !== b.currency) {
    throw new InvariantError(`An amount in ${a.currency} met one in ${b.currency}.`);
  }
}

export function add(a: Money, b: Money): Money {
  sameCurrency(a, b);
  return { minor: a.minor + b.minor, currency: a.currency };
}

export function sum(amounts: Iterable<Money>, currency: string): Money {
  let total = 0n;
  for (const amount of amounts) {
    if (amount.currency !== currency)
      throw new InvariantError(`An amount in ${amount.currency} met a sum in ${currency}.`);
    total += amount.minor;
  }
  return { minor: total, currency };
}

/**
 * The quotient rounded to a whole number, a half away from zero: what a merchant's till does, and the same for a refund
 * as for its purchase.
 */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  if (denominator === 0n) throw new InvariantError('An amount was divided by zero.');
  const isNegative = numerator < 0n !== denominator < 0n;
  const above = absolute(numerator);
  const below = absolute(denominator);
  const rounded = (2n * above + below) / (2n * below);
  return isNegative ? -rounded : rounded;
}

export function absolute(minor: bigint): bigint {
  return minor < 0n ? -minor : minor;
}
