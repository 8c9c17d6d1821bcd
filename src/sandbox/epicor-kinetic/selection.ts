import type { Database, Table } from './database.js';
import type { Comparison, Expression, Operand } from './expressions.js';
import { badRequest, OBSERVED } from './failures.js';
import { divide, parseUnits, UNIT } from './numbers.js';
import { type Cell, cell, type Kind, type Row, readDate, type TableDef } from './rows.js';

/** The order of a list. */
export interface Ordering {
  column: string;
  descending: boolean;
}

export interface Selection {
  def: TableDef;
  condition?: Expression | undefined;
  order: readonly Ordering[];
  skip: number;
  /** undefined = all. */
  take: number | undefined;
  /** How a caller's column name is the table's; undefined when there is none, or when it may not be asked by. */
  column(name: string): string | undefined;
  /** Where clauses give dates as texts; OData refuses that. */
  datesAsText: boolean;
}

export interface Selected {
  rows: Row[];
  /** Rows that fit, also beyond the page. Only exact when `counted` was asked for. */
  total: number;
  hasMore: boolean;
}

type Test = (row: Row) => boolean;
type ConditionScope = Pick<Selection, 'def' | 'column' | 'datesAsText'>;
const EDM: Readonly<Record<Kind, string>> = {
  ...{ s: 'Edm.String', i: 'Edm.Int32', d: 'Edm.Decimal', b: 'Edm.Boolean' },
  ...{ t: 'Edm.DateTimeOffset', g: 'Edm.Guid', r: 'Edm.Int64' },
};
const OPERATORS: Readonly<Record<Comparison, string>> = {
  ...{
    eq: 'Equal',
    ne: 'NotEqual',
    gt: 'GreaterThan',
    ge: 'GreaterThanOrEqual',
    lt: 'LessThan',
    le: 'LessThanOrEqual',
  },
};
/** Orders of big tables that are kept for the next page of the same list. */
const KEPT_ORDERS = 8;
/** Up to here sorting what was found is cheaper than keeping an order. */
const FEW_ROWS = 1000;

export function edmType(kind: Kind): string {
  return EDM[kind];
}

/**
 * Finds rows. Equalities on indexed columns and a floor for the revision narrow the search before anything is compared;
 * the order of a big table is kept until it changes, so that reading it page by page stays fast.
 */
export class Selector {
  private readonly orders = new Map<string, { version: number; rows: Row[] }>();

  constructor(private readonly database: Database) {}

  select(selection: Selection, counted = false): Selected {
    const table = this.database.table(selection.def);
    const test = selection.condition === undefined ? undefined : compile(selection.condition, selection);
    const order = fullOrder(selection);
    const sorted = this.candidates(table, selection, order, test);
    const { skip, take } = selection;
    const stopAt = counted || take === undefined ? Number.POSITIVE_INFINITY : skip + take + 1;
    const rows: Row[] = [];
    let total = 0;
    for (const row of sorted) {
      if (test !== undefined && !test(row)) continue;
      total += 1;
      if (total > skip && (take === undefined || rows.length < take)) rows.push(row);
      if (total >= stopAt) break;
    }
    return { rows, total, hasMore: total > skip + rows.length };
  }

  /** The rows that may fit, in the order asked for. */
  private candidates(
    table: Table,
    { condition, column }: Selection,
    order: readonly Ordering[],
    test: Test | undefined,
  ): Iterable<Row> {
    if (condition === undefined) return this.ordered(table, order);
    let best: { column: string; value: string | number; size: number } | undefined;
    let floor: bigint | undefined;
    for (const { name, operator, value } of conjuncts(condition)) {
      const own = column(name);
      if (own === undefined) continue;
      if (operator === 'eq' && table.isIndexed(own)) {
        const size = table.countWhere(own, value);
        if (best === undefined || size < best.size) best = { column: own, value, size };
      }
      if (own === 'SysRevID' && (operator === 'gt' || operator === 'ge') && /^\d+$/.test(value)) {
        floor = operator === 'gt' ? BigInt(value) : BigInt(value) - 1n;
      }
    }
    if (best !== undefined) return sortRows([...table.where(best.column, best.value)], table.def, order);
    if (floor === undefined) return this.ordered(table, order, test);
    const [first] = order;
    // Rows come from there in the order of their revisions, and no two rows share one.
    if (first?.column === 'SysRevID' && !first.descending) return table.since(floor);
    return sortRows([...table.since(floor)], table.def, order);
  }

  /** @param test where given, rows that fail it may be left out. */
  private ordered(table: Table, order: readonly Ordering[], test?: Test): Row[] {
    const name = `${table.def.name} ${order.map(({ column, descending }) => `${column}${descending}`).join()}`;
    const kept = this.orders.get(name);
    if (kept?.version === table.version) return kept.rows;
    if (test !== undefined) {
      // After every write the kept order is void: a look-up that finds little must not pay for ordering everything.
      const found = [...table.all()].filter(test);
      if (found.length <= FEW_ROWS) return sortRows(found, table.def, order);
    }
    const rows = sortRows([...table.all()], table.def, order);
    this.orders.delete(name);
    this.orders.set(name, { version: table.version, rows });
    const [oldest] = this.orders.keys();
    if (this.orders.size > KEPT_ORDERS && oldest !== undefined) this.orders.delete(oldest);
    return rows;
  }
}

/** The key is always the last to decide, so that pages of the same list fit together. */
function fullOrder({ def, order }: Selection): Ordering[] {
  const named = new Set(order.map(({ column }) => column));
  return [...order, ...def.key.filter((key) => !named.has(key)).map((column) => ({ column, descending: false }))];
}

function sortRows(rows: Row[], def: TableDef, order: readonly Ordering[]): Row[] {
  if (rows.length < 2) return rows;
  return rows.sort((one, other) => {
    for (const { column, descending } of order) {
      const left = folded(cell(def, one, column));
      const right = folded(cell(def, other, column));
      if (left !== right) return left < right !== descending ? -1 : 1;
    }
    return 0;
  });
}

/** Comparisons of a column with a value that every row must fulfil. */
function* conjuncts(condition: Expression): Generator<{ name: string; operator: Comparison; value: string }> {
  if (condition.kind === 'and') {
    yield* conjuncts(condition.left);
    yield* conjuncts(condition.right);
    return;
  }
  if (condition.kind !== 'compare' || condition.left.kind !== 'column') return;
  const { right } = condition;
  if (right.kind === 'text' || right.kind === 'number' || right.kind === 'guid') {
    yield { name: condition.left.name, operator: condition.operator, value: right.value };
  }
}

/** @returns the test that a condition is. @throws KineticError 400 it does not fit the table. */
export function compile(condition: Expression, selection: ConditionScope): Test {
  switch (condition.kind) {
    case 'and': {
      const [left, right] = [compile(condition.left, selection), compile(condition.right, selection)];
      return (row) => left(row) && right(row);
    }
    case 'or': {
      const [left, right] = [compile(condition.left, selection), compile(condition.right, selection)];
      return (row) => left(row) || right(row);
    }
    case 'not': {
      const inner = compile(condition.of, selection);
      return (row) => !inner(row);
    }
    case 'truth': {
      const { kind, read } = operand(condition.of, selection);
      if (kind !== 'b') throw badRequest('A condition must be true or false.');
      return (row) => read(row) === true;
    }
    case 'call': {
      const [left, right] = [operand(condition.left, selection), operand(condition.right, selection)];
      if (left.kind !== 's' || right.kind !== 's') throw badRequest(`${condition.name} compares texts.`);
      const method = ({ contains: 'includes', startswith: 'startsWith', endswith: 'endsWith' } as const)[
        condition.name
      ];
      return (row) => String(folded(left.read(row)))[method](String(folded(right.read(row))));
    }
    case 'compare':
      return comparison(condition.operator, condition.left, condition.right, selection);
  }
}

function comparison(operator: Comparison, left: Operand, right: Operand, selection: ConditionScope): Test {
  const one = operand(left, selection);
  const other = operand(right, selection, one.kind);
  const numeric = isNumeric(one.kind) && isNumeric(other.kind);
  if (!numeric && one.kind !== other.kind && one.kind !== undefined && other.kind !== undefined) {
    throw badRequest(OBSERVED.operatorTypes(EDM[one.kind], EDM[other.kind], OPERATORS[operator]));
  }
  const reader = (side: Reader) => (numeric ? asUnits(side) : side.read);
  const [a, b] = [reader(one), reader(other)];
  return (row) => {
    const [x, y] = [folded(a(row)), folded(b(row))];
    if (operator === 'eq') return x === y;
    if (operator === 'ne') return x !== y;
    // An empty date is NULL in the database: it is neither before nor after anything.
    if (one.kind === 't' && (x === '' || y === '')) return false;
    if (operator === 'gt') return x > y;
    if (operator === 'ge') return x >= y;
    return operator === 'lt' ? x < y : x <= y;
  };
}

interface Reader {
  /** undefined is null, which fits every kind. */
  kind: Kind | undefined;
  read(row: Row): Cell;
}

function operand(source: Operand, selection: ConditionScope, wanted?: Kind): Reader {
  switch (source.kind) {
    case 'column':
      return columnReader(source.name, selection);
    case 'number': {
      const units = parseUnits(source.value);
      if (units === undefined) throw badRequest(`'${source.value}' is not a number.`);
      return { kind: 'd', read: () => units };
    }
    case 'text': {
      const day = wanted === 't' && selection.datesAsText ? readDate(source.value) : undefined;
      if (day !== undefined) return { kind: 't', read: () => (day === '' ? '' : `${day}T00:00:00.000`) };
      if (wanted === 'g' && selection.datesAsText) return { kind: 'g', read: () => source.value };
      return { kind: 's', read: () => source.value };
    }
    case 'moment': {
      const moment = utcMoment(source.value);
      return { kind: 't', read: () => moment };
    }
    case 'guid':
      return { kind: 'g', read: () => source.value };
    case 'flag':
      return { kind: 'b', read: () => source.value };
    case 'null':
      return { kind: undefined, read: () => '' };
    case 'arithmetic': {
      const [left, right] = [operand(source.left, selection), operand(source.right, selection)];
      if (!isNumeric(left.kind) || !isNumeric(right.kind)) throw badRequest('Only numbers can be calculated with.');
      const [a, b] = [asUnits(left), asUnits(right)];
      return { kind: 'd', read: (row) => calculate(source.operator, a(row), b(row)) };
    }
  }
}

function columnReader(name: string, selection: ConditionScope): Reader {
  const { def } = selection;
  const column = selection.column(name);
  const kind = column === undefined ? undefined : def.columns.get(column);
  if (column === undefined || kind === undefined) {
    throw badRequest(`Could not find a property named '${name}' on type 'Erp.Tablesets.${def.name}Row'.`);
  }
  if (def.joined.has(column)) throw badRequest(`The property '${name}' cannot be used in the $filter query option.`);
  if (kind !== 't') return { kind, read: (row) => cell(def, row, column) };
  return {
    kind,
    read: (row) => {
      const day = String(cell(def, row, column));
      return day === '' ? '' : `${day}T00:00:00.000`;
    },
  };
}

function calculate(operator: 'add' | 'sub' | 'mul' | 'div', left: bigint, right: bigint): bigint {
  if (operator === 'add') return left + right;
  if (operator === 'sub') return left - right;
  if (operator === 'mul') return divide(left * right, UNIT);
  if (right === 0n) throw badRequest('Attempted to divide by zero.');
  return divide(left * UNIT, right);
}

function asUnits({ kind, read }: Reader): (row: Row) => bigint {
  if (kind === 'd') return (row) => read(row) as bigint;
  return (row) => BigInt(read(row) as number | bigint) * UNIT;
}

function isNumeric(kind: Kind | undefined): boolean {
  return kind === 'i' || kind === 'd' || kind === 'r';
}

function utcMoment(value: string): string {
  const time = Date.parse(/(Z|[+-]\d{2}:\d{2})$/.test(value) ? value : `${value}Z`);
  if (Number.isNaN(time)) throw badRequest(`'${value}' is not a valid date.`);
  return new Date(time).toISOString().slice(0, -1);
}

/** The database compares texts without regard to case. */
function folded(value: Cell): Cell {
  return typeof value === 'string' ? value.toUpperCase() : value;
}
