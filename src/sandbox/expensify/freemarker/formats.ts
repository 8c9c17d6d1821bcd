import type { Decimal } from './decimal.js';
import { TemplateDate } from './values.js';

/** A format that this interpreter does not know, or a text that does not follow its format. */
export class FormatError extends Error {
  constructor(
    message: string,
    /** The format is fine, the text is not. */
    readonly isUnreadable = false,
  ) {
    super(message);
  }
}

const DECIMALS_SHOWN = 3;
const DECIMALS_OF_C = 16;
const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const WEEKDAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** What `?c` prints: for machines, without grouping. */
export function computerNumber(value: Decimal): string {
  return value.rounded(DECIMALS_OF_C, 'even').plain();
}

/**
 * A number as the setting `number_format` or `?string("…")` has it.
 * @param format `number` is what en-US people read (`1,234.568`), `computer` and `c` are `?c`, else a pattern such as `0.00`.
 */
export function formatNumber(value: Decimal, format: string): string {
  if (format === 'number' || format === '') return grouped(value, 0, DECIMALS_SHOWN);
  if (format === 'computer' || format === 'c') return computerNumber(value);
  const match = /^([^#0.,;%'E¤‰-]*)([#,]*)([0,]*)(?:\.(0*)(#*))?([^#0.,;%'E¤‰-]*)$/.exec(format);
  if (!match || !/[#0]/.test(format)) throw new FormatError(`the number format "${format}"`);
  const [, prefix = '', optional = '', whole = '', least = '', more = '', suffix = ''] = match;
  const comma = (optional + whole).lastIndexOf(',');
  const size = comma < 0 ? 0 : (optional + whole).length - comma - 1;
  if (size !== 0 && size !== 3) throw new FormatError(`the number format "${format}"`);
  const zeros = whole.replaceAll(',', '').length;
  const rounded = value.rounded(least.length + more.length, 'even');
  const digits = parts(rounded, zeros, least.length);
  const text = (size === 3 ? withCommas(digits.whole) : digits.whole) + (digits.fraction && `.${digits.fraction}`);
  return `${value.isNegative ? '-' : ''}${prefix}${text}${suffix}`;
}

/** What `#{x; m2M2}` prints: no grouping. */
export function decimalsNumber(value: Decimal, least: number, most: number): string {
  const { fraction, whole } = parts(value.rounded(most, 'even'), 1, least);
  return `${value.isNegative ? '-' : ''}${whole}${fraction && `.${fraction}`}`;
}

function grouped(value: Decimal, least: number, most: number): string {
  const { fraction, whole } = parts(value.rounded(most, 'even'), 1, least);
  return `${value.isNegative ? '-' : ''}${withCommas(whole)}${fraction && `.${fraction}`}`;
}

function parts(value: Decimal, leastWhole: number, leastFraction: number) {
  const { fraction, whole } = value.digits();
  const kept = whole === '0' && leastWhole === 0 && fraction !== '' ? '' : whole;
  return { whole: kept.padStart(leastWhole, '0'), fraction: fraction.padEnd(leastFraction, '0') };
}

function withCommas(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+$)/g, ',');
}

const DEFAULT_PATTERNS = { date: 'MMM d, yyyy', time: 'h:mm:ss a', datetime: 'MMM d, yyyy h:mm:ss a' } as const;

/** A date in the sandbox's zone, UTC. @param format a Java pattern, `iso`, `xs`, or nothing for the en-US form. */
export function formatDate(value: TemplateDate, format: string): string {
  const moment = new Date(value.at);
  if (format === 'iso' || format === 'xs' || format === 'iso_utc') return isoDate(value.kind, moment, format === 'xs');
  return patternTokens(format === '' ? DEFAULT_PATTERNS[value.kind] : format)
    .map((token) => ('literal' in token ? token.literal : fieldText(token.field, moment)))
    .join('');
}

function isoDate(kind: TemplateDate['kind'], moment: Date, hasZone: boolean): string {
  const [day = '', time = ''] = moment
    .toISOString()
    .replace(/\.000Z$/, 'Z')
    .split('T');
  if (kind === 'date') return hasZone ? `${day}Z` : day;
  return kind === 'time' ? time : `${day}T${time}`;
}

/** Reads a text by a Java pattern, or by ISO 8601. @throws FormatError it does not follow it. */
export function parseDate(text: string, kind: TemplateDate['kind'], format: string): TemplateDate {
  if (format === 'iso' || format === 'xs') return new TemplateDate(kind, isoMoment(text));
  const tokens = patternTokens(format === '' ? DEFAULT_PATTERNS[kind] : format);
  const fields = tokens.flatMap((token) => ('field' in token ? [token.field] : []));
  const source = tokens.map((token) => ('literal' in token ? escaped(token.literal) : `(${fieldSource(token.field)})`));
  // Java reads the beginning and lets the rest be.
  const match = new RegExp(`^${source.join('')}`).exec(text);
  if (!match)
    throw new FormatError(`"${text}" does not follow the ${kind} format "${format || DEFAULT_PATTERNS[kind]}".`, true);
  const found: Record<string, string> = {};
  for (const [index, field] of fields.entries()) found[field[0] ?? ''] = match[index + 1] ?? '';
  return new TemplateDate(kind, momentOf(found));
}

function momentOf(found: Record<string, string>): number {
  const name = found.M ?? '1';
  const month = /^\d/.test(name) ? Number(name) : MONTHS.findIndex((one) => one.startsWith(name.slice(0, 3))) + 1;
  const half = found.h === undefined ? undefined : (Number(found.h) % 12) + (found.a?.toUpperCase() === 'PM' ? 12 : 0);
  const year = Number(found.y ?? 1970);
  return Date.UTC(
    ...([year < 100 ? 2000 + year : year, month - 1, Number(found.d ?? 1), half ?? Number(found.H ?? 0)] as const),
    ...([Number(found.m ?? 0), Number(found.s ?? 0), Number(found.S ?? 0)] as const),
  );
}

function isoMoment(text: string): number {
  const isIso = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/.test(text);
  const moment = isIso
    ? Date.parse(/T.*(?:Z|[+-]\d{2}:?\d{2})$/.test(text) || !text.includes('T') ? text : `${text}Z`)
    : Number.NaN;
  if (Number.isNaN(moment)) throw new FormatError(`"${text}" is no ISO 8601 date.`, true);
  return moment;
}

type PatternToken = { literal: string } | { field: string };

function patternTokens(pattern: string): PatternToken[] {
  return [...pattern.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+/g)].map(([whole, quoted, letter]) => {
    if (quoted !== undefined) return { literal: quoted === '' ? "'" : quoted.replaceAll("''", "'") };
    if (letter === undefined) return { literal: whole };
    if (!'yMdHhmsSaE'.includes(letter)) throw new FormatError(`the letter "${letter}" in the date format "${pattern}"`);
    return { field: whole };
  });
}

function fieldText(field: string, moment: Date): string {
  const width = field.length;
  const padded = (value: number) => String(value).padStart(width, '0');
  switch (field[0]) {
    case 'y':
      return width === 2 ? String(moment.getUTCFullYear()).slice(-2) : padded(moment.getUTCFullYear());
    case 'M': {
      const name = MONTHS[moment.getUTCMonth()] ?? '';
      return width < 3 ? padded(moment.getUTCMonth() + 1) : width === 3 ? name.slice(0, 3) : name;
    }
    case 'd':
      return padded(moment.getUTCDate());
    case 'H':
      return padded(moment.getUTCHours());
    case 'h':
      return padded(moment.getUTCHours() % 12 || 12);
    case 'm':
      return padded(moment.getUTCMinutes());
    case 's':
      return padded(moment.getUTCSeconds());
    case 'S':
      return padded(moment.getUTCMilliseconds());
    case 'a':
      return moment.getUTCHours() < 12 ? 'AM' : 'PM';
    default: {
      const name = WEEKDAYS[moment.getUTCDay()] ?? '';
      return width < 4 ? name.slice(0, 3) : name;
    }
  }
}

function fieldSource(field: string): string {
  if (field[0] === 'a') return '[AaPp][Mm]';
  if (field[0] === 'E' || (field[0] === 'M' && field.length > 2)) return '[A-Za-z]+';
  return field[0] === 'y' ? '\\d{1,4}' : field[0] === 'S' ? '\\d{1,3}' : '\\d{1,2}';
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
