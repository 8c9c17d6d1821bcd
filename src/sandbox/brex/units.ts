/**
 * Time and money as the simulated Brex keeps them. Written again here on purpose: a simulator that shares a parser with
 * the connector it tests would agree with its mistakes.
 */

/** Microseconds since 1970-01-01T00:00:00Z. Exact in a double until the year 2255. */
export type Micros = number;

/** ISO 4217 currencies whose minor unit is not a hundredth. */
const DECIMALS: Readonly<Record<string, number>> = {
  JPY: 0,
  KRW: 0,
  VND: 0,
  CLP: 0,
  ISK: 0,
  XAF: 0,
  XOF: 0,
  BHD: 3,
  KWD: 3,
  JOD: 3,
  OMR: 3,
  TND: 3,
};

export function decimalsOf(currency: string): number {
  return DECIMALS[currency] ?? 2;
}

/** Minor units as the JSON number of the v3 API: major units, at most as many decimals as the currency has. */
export function majorNumber(minor: number, currency: string): number {
  return minor / 10 ** decimalsOf(currency);
}

/** Exact decimal text of a sum of minor units. */
export function decimalText(minor: bigint, currency: string): string {
  const decimals = decimalsOf(currency);
  const sign = minor < 0n ? '-' : '';
  const digits = (minor < 0n ? -minor : minor).toString().padStart(decimals + 1, '0');
  return decimals === 0 ? sign + digits : `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

const DAY_MICROS = 86_400_000_000;

// Serving a page formats hundreds of moments on few days; making the date's text once a day is what keeps it fast.
const dayTexts = new Map<number, string>();

function dayText(day: number): string {
  const known = dayTexts.get(day);
  if (known !== undefined) return known;
  const text = new Date(day * 86_400_000).toISOString().slice(0, 10);
  dayTexts.set(day, text);
  return text;
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

function clockText(at: Micros, decimals: 3 | 6): string {
  const day = Math.floor(at / DAY_MICROS);
  const inDay = at - day * DAY_MICROS;
  const seconds = Math.floor(inDay / 1_000_000);
  const micros = inDay - seconds * 1_000_000;
  const hour = Math.floor(seconds / 3600);
  const minute = Math.floor(seconds / 60) % 60;
  const fraction = decimals === 6 ? padded(micros, 6) : padded(Math.floor(micros / 1000), 3);
  return `${dayText(day)}T${padded(hour, 2)}:${padded(minute, 2)}:${padded(seconds % 60, 2)}.${fraction}Z`;
}

/** `2026-06-11T09:09:10.422192Z`: the precision of `updated_at` and `erp_posting_date` on accounting records. */
export function microText(at: Micros): string {
  return clockText(at, 6);
}

/** `2026-06-11T09:09:10.422Z`: the precision of everything else. */
export function milliText(at: Micros): string {
  return clockText(at, 3);
}

export function dateText(at: Micros): string {
  return dayText(Math.floor(at / DAY_MICROS));
}

const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * Reads the forms that Brex accepts in queries: a bare date, a date-time with or without a zone (without: UTC), any
 * number of decimals. Null when it is none of them.
 */
export function parseMicros(text: string): Micros | null {
  const match = TIMESTAMP.exec(text.trim());
  if (!match) return null;
  const [, day, minutes = '00:00', seconds = '00', fraction = '', zone = 'Z'] = match;
  const millis = Date.parse(`${day}T${minutes}:${seconds}Z`);
  if (Number.isNaN(millis)) return null;
  const offset = zone === 'Z' ? 0 : zoneMinutes(zone);
  return (millis - offset * 60_000) * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

function zoneMinutes(zone: string): number {
  const digits = zone.replace(':', '');
  const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  return digits.startsWith('-') ? -minutes : minutes;
}

/** For instants written by ourselves in a seed. @throws Error not an instant. */
export function microsOf(text: string): Micros {
  const at = parseMicros(text);
  if (at === null) throw new Error(`"${text}" is not a date-time.`);
  return at;
}
