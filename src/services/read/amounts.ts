import { exponentOf } from '../../domain/money.js';

const ZEROS_AT_END = /0+$/;

export interface Amount {
  readonly amount: string;
  readonly currency: string;
}

/**
 * A `numeric` of the database with all of its currency's decimals: `1234.5` in USD is "1234.50". Digits are never
 * dropped: an amount that is finer than its currency is shown as it is.
 */
export function decimalText(numeric: string, currency: string): string {
  const [whole = '0', fraction = ''] = numeric.split('.');
  const digits = fraction.replace(ZEROS_AT_END, '').padEnd(exponentOf(currency), '0');
  return digits === '' ? whole : `${whole}.${digits}`;
}

export function amountOf(numeric: string, currency: string): Amount {
  return { amount: decimalText(numeric, currency), currency };
}
