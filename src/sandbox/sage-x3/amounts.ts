/** Currencies whose smallest unit is not a hundredth (ISO 4217, list one). */
const EXPONENTS: Readonly<Record<string, number>> = Object.fromEntries([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map((code) => [code, 0]),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map((code) => [code, 3]),
]);

export function decimalsOf(currency: string): number {
  return EXPONENTS[currency] ?? 2;
}

/** An exact amount as X3 answers with it: written into JSON as a bare number, digit by digit. */
export class Decimal {
  constructor(
    readonly minor: bigint,
    readonly decimals: number,
  ) {}

  toString(): string {
    return formatMinor(this.minor, this.decimals);
  }
}

/** @returns smallest units, or undefined for anything but a plain decimal with at most that many places. */
export function parseMinor(text: string, decimals: number, decimalSign = '.'): bigint | undefined {
  const match = /^(-?)(\d{1,15})(?:(.)(\d+))?$/.exec(text.trim());
  if (match === null || (match[3] !== undefined && match[3] !== decimalSign)) return undefined;
  const fraction = (match[4] ?? '').replace(/0+$/, '');
  if (fraction.length > decimals) return undefined;
  const minor = BigInt(`${match[2]}${fraction.padEnd(decimals, '0')}`);
  return match[1] === '-' ? -minor : minor;
}

export function formatMinor(minor: bigint, decimals: number): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(decimals + 1, '0');
  const sign = minor < 0n ? '-' : '';
  return decimals === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/**
 * @param rate exact decimal text: units of the ledger's currency for one of the transaction's.
 * @returns the amount in the ledger's smallest units, halves away from zero.
 */
export function convert(minor: bigint, fromDecimals: number, toDecimals: number, rate: string): bigint {
  const [whole = '0', fraction = ''] = rate.split('.');
  const scaled = minor * BigInt(whole + fraction) * 10n ** BigInt(toDecimals);
  const divisor = 10n ** BigInt(fraction.length + fromDecimals);
  const magnitude = ((scaled < 0n ? -scaled : scaled) * 2n + divisor) / (divisor * 2n);
  return scaled < 0n ? -magnitude : magnitude;
}

/** @returns true for a date of the calendar written yyyy-mm-dd. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/**
 * @param format of `YYYY` or `YY`, `MM`, `DD` and separators, as an import template says it.
 * @returns yyyy-mm-dd, or undefined when the text is no such date.
 */
export function readDay(text: string, format: string): string | undefined {
  const parts: Record<string, string> = {};
  const pattern = format
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/YYYY|YY|MM|DD/g, (part) => `(?<${part}>\\d{${part.length}})`);
  Object.assign(parts, new RegExp(`^${pattern}$`).exec(text.trim())?.groups ?? {});
  const year = parts.YYYY ?? (parts.YY === undefined ? '' : `20${parts.YY}`);
  const day = `${year}-${parts.MM ?? ''}-${parts.DD ?? ''}`;
  return isDay(day) ? day : undefined;
}

/** Dates as SOAP writes them (reference: classic web services): eight digits. */
export function soapDay(day: string): string {
  return day.replaceAll('-', '');
}

/** JSON in which exact amounts stand as bare numbers, or as strings where the installation does so. */
export function exactJson(value: unknown, decimalsAsText: boolean): string {
  const mark = '\u0001decimal:';
  const body = JSON.stringify(value, (_key, cell: unknown) => {
    if (!(cell instanceof Decimal)) return cell;
    return decimalsAsText ? cell.toString() : `${mark}${cell}`;
  });
  return body.replace(/"\\u0001decimal:(-?[\d.]+)"/g, '$1');
}
