import { badRequest } from './failures.js';
import { formatUnits, type Json, JsonNumber, parseUnits, rawNumber } from './numbers.js';

/**
 * Rows keep only the columns that differ from their blank value, so that 100,000 documents of wide tables fit into memory.
 * A whole number is a number, an amount is a bigint of 10^-5, a revision a bigint, a date `yyyy-mm-dd` or ''.
 */
export type Cell = string | number | boolean | bigint;
export type Row = Readonly<Record<string, Cell>>;
/** `s` text, `i` whole number, `d` decimal, `b` flag, `t` date, `g` GUID, `r` 64-bit revision. */
export type Kind = 's' | 'i' | 'd' | 'b' | 't' | 'g' | 'r';

export const BLANK_GUID = '00000000-0000-0000-0000-000000000000';
const BLANKS: Readonly<Record<Kind, Cell>> = { s: '', i: 0, d: 0n, b: false, t: '', g: BLANK_GUID, r: 0n };

export interface TableDef {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: ReadonlyMap<string, Kind>;
  /** Columns that look-ups by equality are fast for. */
  readonly indexed: readonly string[];
  /** Columns joined from other tables: shown, but not filtered by. */
  readonly joined: ReadonlySet<string>;
  /** Column names that OData spells differently (`GLAccount1`). */
  readonly renamed: ReadonlyMap<string, string>;
}

export interface TableOptions {
  key: string;
  columns: string;
  indexed?: string;
  joined?: string;
  renamed?: string;
}

/** Columns come as `kind:Name Name …`, each kind until the next. */
export function table(name: string, options: TableOptions): TableDef {
  const columns = new Map<string, Kind>([['Company', 's']]);
  let kind: Kind = 's';
  for (const word of options.columns.split(/\s+/).filter(Boolean)) {
    const [first = '', second] = word.split(':');
    if (second !== undefined) kind = first as Kind;
    columns.set(second ?? first, kind);
  }
  columns.set('SysRevID', 'r');
  columns.set('SysRowID', 'g');
  const words = (text = ''): string[] => text.split(/\s+/).filter(Boolean);
  return {
    name,
    key: words(options.key),
    columns,
    indexed: words(options.indexed),
    joined: new Set(words(options.joined)),
    renamed: new Map(words(options.renamed).map((column) => [column, `${column}1`])),
  };
}

export function cell(def: TableDef, row: Row, column: string): Cell {
  return row[column] ?? BLANKS[def.columns.get(column) ?? 's'];
}

export function text(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : '';
}

export function whole(row: Row, column: string): number {
  const value = row[column];
  return typeof value === 'number' ? value : 0;
}

export function amount(row: Row, column: string): bigint {
  const value = row[column];
  return typeof value === 'bigint' ? value : 0n;
}

export function flag(row: Row, column: string): boolean {
  return row[column] === true;
}

/** @returns the row without its blank columns. */
export function sparse(def: TableDef, row: Row): Row {
  const kept: Record<string, Cell> = {};
  for (const [column, value] of Object.entries(row)) {
    const kind = def.columns.get(column);
    if (kind !== undefined && value !== BLANKS[kind]) kept[column] = value;
  }
  return kept;
}

export interface WireOptions {
  dateStyle: 'plain' | 'zulu' | 'offset';
  decimalsAsText: boolean;
}

/** @returns the value as `JSON.stringify` must see it. */
export function wireCell(kind: Kind, value: Cell, options: WireOptions): unknown {
  switch (kind) {
    case 'd': {
      const shown = formatUnits(value as bigint);
      return options.decimalsAsText ? shown : rawNumber(shown);
    }
    case 'r':
      return rawNumber(String(value));
    case 't':
      return value === '' ? null : wireDate(String(value), options.dateStyle);
    default:
      return value;
  }
}

export function wireDate(day: string, style: WireOptions['dateStyle']): string {
  const suffix = { plain: '', zulu: 'Z', offset: '-05:00' }[style];
  return `${day}T00:00:00${suffix}`;
}

/** @returns the whole row as method tablesets show it. */
export function wireRow(def: TableDef, row: Row, rowMod: string, options: WireOptions): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [column, kind] of def.columns) shown[column] = wireCell(kind, row[column] ?? BLANKS[kind], options);
  shown.RowMod = rowMod;
  return shown;
}

/** A row of a request with its state. `given` are the columns it named. */
export interface SentRow {
  readonly def: TableDef;
  readonly row: Row;
  readonly rowMod: string;
  readonly given: ReadonlySet<string>;
}

/** Reads a row of a tableset; columns that the table does not have are passed over. @throws KineticError 400 bad value. */
export function readRow(def: TableDef, value: Json): SentRow {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof JsonNumber) {
    throw badRequest(`A row of ${def.name} is not an object.`);
  }
  const row: Record<string, Cell> = {};
  const given = new Set<string>();
  for (const [column, raw] of Object.entries(value)) {
    const kind = def.columns.get(column);
    if (kind === undefined) continue;
    given.add(column);
    const parsed = readCell(kind, raw);
    if (parsed === undefined) throw badRequest(`Unable to deserialize entity: ${def.name}.${column} has a bad value.`);
    row[column] = parsed;
  }
  const state = value.RowMod ?? '';
  if (typeof state !== 'string') throw badRequest('RowMod is not a text.');
  return { def, row: sparse(def, row), rowMod: state, given };
}

/** @returns undefined when the value is none of that kind. */
export function readCell(kind: Kind, raw: Json | undefined): Cell | undefined {
  if (raw === null || raw === undefined) return BLANKS[kind];
  const source = raw instanceof JsonNumber ? raw.source : raw;
  if (typeof source === 'object') return undefined;
  switch (kind) {
    case 's':
      return typeof source === 'string' ? source : undefined;
    case 'g':
      if (source === '') return BLANK_GUID;
      return typeof source === 'string' && /^[0-9a-f-]{36}$/i.test(source) ? source.toLowerCase() : undefined;
    case 'b':
      return typeof source === 'boolean' ? source : undefined;
    case 't':
      return typeof source === 'string' ? readDate(source) : undefined;
    case 'i': {
      if (typeof source !== 'string' || !/^-?\d{1,15}(\.0+)?$/.test(source)) return undefined;
      return Number(source);
    }
    case 'r':
      return typeof source === 'string' && /^-?\d{1,19}$/.test(source) ? BigInt(source) : undefined;
    case 'd':
      return typeof source === 'string' ? parseUnits(source) : undefined;
  }
}

/** `yyyy-mm-dd`, with or without a time, which is dropped and never moved to another zone. */
export function readDate(value: string): string | undefined {
  if (value === '') return '';
  const match = /^(\d{4}-\d{2}-\d{2})(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?$/.exec(value);
  const day = match?.[1];
  if (day === undefined) return undefined;
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day) ? day : undefined;
}
