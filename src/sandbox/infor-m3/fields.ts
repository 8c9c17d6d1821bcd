import { isDay, unpackDay } from './amounts.js';
import { badDate, MiError, mandatory, notNumeric, tooLong, unknownField } from './failures.js';

export type FieldType = 'A' | 'N' | 'D';

/** One field of a transaction's input or output. */
export interface Field {
  name: string;
  length: number;
  type: FieldType;
  mandatory: boolean;
  /** Lower-case letters stay; all other alphanumeric values are turned into capitals (Infor M3: values, `FLDX`). */
  lowerCase: boolean;
  /** Where a list begins: must be sent but may be blank. */
  startKey: boolean;
}

/** The values of one call or one row, by field. */
export type Values = Readonly<Record<string, string>>;

/**
 * Reads a field list such as `SUNO!10 SUNM36l IVDT!10D CUAM17N`: name, `!` mandatory or `?` mandatory start key, length,
 * then `N` or `D` for the type or `l` for lower-case letters.
 */
export function fieldList(...lists: readonly string[]): Field[] {
  const fields: Field[] = [];
  for (const item of lists.join(' ').split(/\s+/)) {
    if (item === '') continue;
    const match = /^([A-Z0-9]{4}|Z[A-Z]{5})([!?]?)(\d+)([NDl]?)$/.exec(item);
    if (match === null) throw new Error(`The sandbox's field ${item} is misspelt.`);
    const [, name = '', need, length, kind] = match;
    fields.push({
      name,
      length: Number(length),
      type: kind === 'N' || kind === 'D' ? kind : 'A',
      mandatory: need !== '',
      lowerCase: kind === 'l',
      startKey: need === '?',
    });
  }
  return fields;
}

/** `AIT1…AIT7`, which many transactions have. */
export const DIMENSION_FIELDS = 'AIT110 AIT210 AIT310 AIT410 AIT510 AIT610 AIT710';

/** How dates are written in one call (Infor M3: v2 options). */
export const DATE_FORMATS = ['YMD8', 'YMD8-', 'YMD6', 'MDY6', 'DMY6'] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];

/**
 * Checks what a call sent against the fields of its transaction.
 * @returns the values in M3's own form: dates yyyymmdd, keys in capitals, trailing blanks off.
 * @throws MiError naming the field.
 */
export function checkInput(fields: readonly Field[], sent: Values, dates: DateFormat): Record<string, string> {
  const known = new Map(fields.map((field) => [field.name, field]));
  const values: Record<string, string> = {};
  for (const [name, raw] of Object.entries(sent)) {
    const field = known.get(name);
    if (field === undefined) throw unknownField(name);
    const value = raw.trimEnd();
    if (value.length > field.length) throw tooLong(name, field.length);
    values[name] = readValue(field, value, dates);
  }
  for (const field of fields) {
    const value = values[field.name];
    if (field.mandatory && (value === undefined || (value === '' && !field.startKey))) throw mandatory(field.name);
  }
  return values;
}

function readValue(field: Field, value: string, dates: DateFormat): string {
  if (value === '') return '';
  if (field.type === 'N') {
    const number = value.trim();
    if (!/^-?\d+(\.\d+)?$/.test(number)) throw notNumeric(field.name, value);
    return number;
  }
  if (field.type === 'D') return readDate(field.name, value, dates);
  return field.lowerCase ? value : value.toUpperCase();
}

function readDate(name: string, value: string, format: DateFormat): string {
  const packed = unformatDate(value, format);
  if (packed === undefined || !isDay(unpackDay(packed))) throw badDate(name, value);
  return packed;
}

function unformatDate(value: string, format: DateFormat): string | undefined {
  if (format === 'YMD8') return /^\d{8}$/.test(value) ? value : undefined;
  if (format === 'YMD8-') return /^\d{4}-\d{2}-\d{2}$/.test(value) ? value.replaceAll('-', '') : undefined;
  if (!/^\d{6}$/.test(value)) return undefined;
  const [a, b, c] = [value.slice(0, 2), value.slice(2, 4), value.slice(4, 6)];
  if (format === 'YMD6') return `20${a}${b}${c}`;
  return format === 'MDY6' ? `20${c}${a}${b}` : `20${c}${b}${a}`;
}

/** @returns a date of M3's own form in the form the call asked for. */
export function formatDate(packed: string, format: DateFormat): string {
  if (packed.length !== 8 || format === 'YMD8') return packed;
  const [year, month, day] = [packed.slice(0, 4), packed.slice(4, 6), packed.slice(6, 8)];
  if (format === 'YMD8-') return `${year}-${month}-${day}`;
  if (format === 'YMD6') return `${year.slice(2)}${month}${day}`;
  return format === 'MDY6' ? `${month}${day}${year.slice(2)}` : `${day}${month}${year.slice(2)}`;
}

/** @throws MiError the option is none that this installation knows. */
export function readDateFormat(option: string | undefined): DateFormat {
  if (option === undefined || option === '') return 'YMD8';
  const format = DATE_FORMATS.find((known) => known === option.toUpperCase());
  if (format === undefined) throw new MiError(`Date format ${option} is not supported`, 'XDT0002');
  return format;
}
