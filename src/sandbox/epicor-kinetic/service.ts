import type { KineticAccess } from './access.js';
import type { KineticCompany } from './company.js';
import { badRequest, ERROR_TYPES, KineticError, notFound, OBSERVED } from './failures.js';
import { type Json, JsonNumber } from './numbers.js';
import type { WireOptions } from './rows.js';
import { type Cell, type Kind, type Row, readCell, readRow, type SentRow, type TableDef, wireRow } from './rows.js';

/** What a method was called with and by whom. */
export interface Call {
  readonly company: KineticCompany;
  readonly access: KineticAccess;
  readonly user: string;
  readonly sessionId: string | undefined;
  readonly args: Args;
  readonly wire: WireOptions;
}

export interface Outcome {
  returnObj?: unknown;
  /** `ds` is rendered; everything else is as it goes out. */
  parameters?: Record<string, unknown>;
  /** The answer is this refusal, although what was stored stays. */
  failure?: KineticError;
}

/** `read` only reads; `prepare` works on the caller's rows and stores nothing; `write` stores. */
export type Effect = 'read' | 'prepare' | 'write';

export interface Method {
  readonly effect: Effect;
  /** All of them must be there, spelt exactly so (Epicor REST: method calls). */
  readonly parameters: readonly string[];
  run(call: Call): Outcome;
}

export interface EntitySet {
  readonly def: TableDef;
  /** Child sets that `$expand` may name, with the columns they share with the parent. */
  readonly children?: Readonly<Record<string, TableDef>>;
}

export interface Service {
  readonly name: string;
  readonly sets: Readonly<Record<string, EntitySet>>;
  readonly methods: Readonly<Record<string, Method>>;
  /** Stores one row of the service's tables. Without it OData cannot write. @returns what is stored now. */
  save?(context: SaveContext, row: SentRow): Row | undefined;
}

export interface SaveContext {
  readonly company: KineticCompany;
  readonly user: string;
}

/** The parameters of a call by their exact names. */
export class Args {
  constructor(private readonly values: Readonly<Record<string, Json>>) {}

  has(name: string): boolean {
    return Object.hasOwn(this.values, name);
  }

  raw(name: string): Json | undefined {
    return this.values[name];
  }

  names(): string[] {
    return Object.keys(this.values);
  }

  text(name: string): string {
    return String(this.cell('s', name));
  }

  flag(name: string): boolean {
    return this.cell('b', name) === true;
  }

  date(name: string): string {
    return String(this.cell('t', name));
  }

  whole(name: string): number {
    return Number(this.cell('i', name));
  }

  amount(name: string): bigint {
    return this.cell('d', name) as bigint;
  }

  /** The rows of a tableset parameter, in the order of the service's tables. */
  rows(tables: readonly TableDef[], name = 'ds'): SentRow[] {
    const value = this.values[name];
    if (value === null || value === undefined) return [];
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof JsonNumber) {
      throw badRequest(`Parameter ${name} is not a tableset.`);
    }
    return tables.flatMap((def) => {
      const rows = value[def.name] ?? [];
      if (!Array.isArray(rows)) throw badRequest(`${def.name} is not an array.`);
      return rows.map((row) => readRow(def, row));
    });
  }

  private cell(kind: Kind, name: string): Cell {
    const parsed = readCell(kind, this.values[name]);
    if (parsed === undefined) throw badRequest(`Parameter ${name} has a bad value.`);
    return parsed;
  }
}

/** @throws KineticError 400 a parameter is missing, misspelt or not known. */
export function checkParameters(method: Method, args: Args, added: readonly string[], refuseExtra: boolean): void {
  const wanted = [...method.parameters, ...added];
  for (const name of wanted) if (!args.has(name)) throw badRequest(OBSERVED.parameterMissing(name));
  if (!refuseExtra) return;
  const extra = args.names().find((name) => !wanted.includes(name));
  if (extra !== undefined) throw badRequest(`Parameter ${extra} is not a parameter of the method.`);
}

/** Renders rows as a tableset: every table of the service is there, empty or not. */
export function tableset(
  tables: readonly TableDef[],
  rows: readonly { def: TableDef; row: Row; rowMod?: string }[],
  wire: WireOptions,
): Record<string, unknown> {
  const shown: Record<string, unknown[]> = Object.fromEntries(tables.map(({ name }) => [name, []]));
  for (const { def, row, rowMod } of rows) shown[def.name]?.push(wireRow(def, row, rowMod ?? '', wire));
  shown.ExtensionTables = [];
  return shown;
}

/** The row that a change is about: `A` has none, `U` and `D` must come with the revision that was read. */
export function storedRow(company: KineticCompany, sent: SentRow): Row {
  const stored = company.database.table(sent.def).same(sent.row);
  if (stored === undefined) throw notFound(`Record not found in ${sent.def.name}.`);
  if (sent.row.SysRevID !== stored.SysRevID) {
    const { staleRowStatus } = company.settings;
    throw new KineticError(staleRowStatus, ERROR_TYPES.business, OBSERVED.staleRow, { table: sent.def.name });
  }
  return stored;
}

/** The stored row with the changes of the sent one; `owned` columns belong to the server. */
export function merged(company: KineticCompany, stored: Row, sent: SentRow, owned: ReadonlySet<string>): Row {
  const row: Record<string, Cell> = { ...stored };
  for (const column of sent.def.columns.keys()) {
    if (owned.has(column) || sent.def.key.includes(column) || column.startsWith('Sys')) continue;
    // A column that was left away reads as blank, so that a client must send the whole row back.
    if (!sent.given.has(column) && company.settings.missingColumns === 'keep') continue;
    const value = sent.row[column];
    if (value === undefined) delete row[column];
    else row[column] = value;
  }
  return row;
}

export function duplicate(company: KineticCompany, table: string): KineticError {
  const { duplicateStatus } = company.settings;
  const type = duplicateStatus === 409 ? ERROR_TYPES.duplicate : ERROR_TYPES.business;
  return new KineticError(duplicateStatus, type, OBSERVED.duplicate, { table });
}
