import type { KineticCompany } from './company.js';
import { type Expression, parseWhere } from './expressions.js';
import { badRequest } from './failures.js';
import type { Row, TableDef } from './rows.js';
import { wireRow } from './rows.js';
import { compile } from './selection.js';
import { type Call, type Method, type Outcome, tableset } from './service.js';

export interface TableRow {
  def: TableDef;
  row: Row;
}

/**
 * `GetRows`: one where clause for each table of the service, all of which must be there (Epicor REST: GetRows).
 * @param tableNames as the clauses are named; tables that this simulator does not have are passed over.
 */
export function getRows(
  def: TableDef,
  tableNames: readonly string[],
  tables: readonly TableDef[],
  gather: (company: KineticCompany, row: Row) => TableRow[],
): Method {
  return {
    effect: 'read',
    parameters: [...tableNames.map((name) => `whereClause${name}`), 'pageSize', 'absolutePage'],
    run: (call) => {
      const tests = new Map(tables.map((table) => [table.name, testOf(call, tableNames, table)]));
      const { rows, morePages } = page(call, def, call.args.text(`whereClause${tableNames[0]}`));
      const gathered = rows.flatMap((row) => gather(call.company, row));
      const kept = gathered.filter((found) => found.def === def || (tests.get(found.def.name)?.(found.row) ?? true));
      return { returnObj: tableset(tables, kept, call.wire), parameters: { morePages } };
    },
  };
}

/** `GetList`: the main table alone. */
export function getList(def: TableDef): Method {
  return {
    effect: 'read',
    parameters: ['whereClause', 'pageSize', 'absolutePage'],
    run: (call): Outcome => {
      const { rows, morePages } = page(call, def, call.args.text('whereClause'));
      const shown = rows.map((row) => wireRow(def, row, '', call.wire));
      return { returnObj: { [`${def.name}List`]: shown, ExtensionTables: [] }, parameters: { morePages } };
    },
  };
}

function testOf(call: Call, tableNames: readonly string[], def: TableDef): ((row: Row) => boolean) | undefined {
  if (!tableNames.includes(def.name)) return undefined;
  const { condition } = parseWhere(call.args.text(`whereClause${def.name}`));
  return condition === undefined ? undefined : compile(condition, scopeOf(def));
}

function page(call: Call, def: TableDef, clause: string): { rows: Row[]; morePages: boolean } {
  const { settings, selector } = call.company;
  const size = call.args.whole('pageSize');
  if (size < 0 || (size === 0 && settings.pageSizeZero === 'refuse')) throw badRequest('pageSize must be above zero.');
  const pageIndex = Math.max(0, call.args.whole('absolutePage') - settings.firstPage);
  const { condition, order } = parseWhere(clause);
  if (condition !== undefined && isNever(condition)) return { rows: [], morePages: false };
  const scope = scopeOf(def);
  const found = selector.select({
    ...scope,
    condition,
    order: order.map(({ column, descending }) => ({ column: scope.column(column) ?? unknown(column), descending })),
    skip: size === 0 ? 0 : pageIndex * size,
    take: size === 0 ? undefined : size,
  });
  return { rows: found.rows, morePages: found.hasMore };
}

/** Columns may be named with their table and in any case, as in SQL. */
function scopeOf(def: TableDef) {
  const names = new Map([...def.columns.keys()].map((column) => [column.toLowerCase(), column]));
  const column = (name: string): string | undefined => names.get((name.split('.').at(-1) ?? '').toLowerCase());
  return { def, column, datesAsText: true };
}

/** `1=0` is how a table is left out. */
function isNever(condition: Expression): boolean {
  if (condition.kind !== 'compare' || condition.operator !== 'eq') return false;
  const { left, right } = condition;
  return left.kind === 'number' && right.kind === 'number' && left.value !== right.value;
}

function unknown(column: string): never {
  throw badRequest(`Column ${column} is not known.`);
}
