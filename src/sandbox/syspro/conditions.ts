import { EnetError, PLACEHOLDER_TEXTS } from './failures.js';
import { storedSupplierKey } from './payables.js';
import type { Column, ColumnKind, Table } from './tables.js';
import type { XmlElement } from './xml.js';

type Operator = 'EQ' | 'NE' | 'GT' | 'GE' | 'LT' | 'LE' | 'LIKE';
const OPERATORS: readonly string[] = ['EQ', 'NE', 'GT', 'GE', 'LT', 'LE', 'LIKE'];

export type Condition<Row> =
  | { kind: 'AND'; parts: Condition<Row>[] }
  | { kind: 'OR'; parts: Condition<Row>[] }
  | { kind: 'COMPARE'; name: string; column: Column<Row>; operator: Operator; value: string };

type Token<Row> = '(' | ')' | 'AND' | 'OR' | Condition<Row>;

/**
 * Reads COMFND's `Where`: expressions with brackets, joined by And and Or, And binding closer (SYSPRO e.net: COMFND).
 * @throws EnetError the clause cannot be read; a raw SQL clause is one.
 */
export function readWhere<Row>(where: XmlElement | undefined, table: Table<Row>): Condition<Row> | undefined {
  if (where === undefined) return undefined;
  const expressions = where.all('Expression');
  if (expressions.length === 0) {
    if (where.text.trim() !== '' || where.children.length > 0) throw new EnetError(PLACEHOLDER_TEXTS.badWhere);
    return undefined;
  }
  const tokens: Token<Row>[] = [];
  expressions.forEach((expression, index) => {
    if (index > 0) tokens.push(readJoin(expression));
    tokens.push(...brackets(expression, 'OpenBracket', '('), readComparison(expression, table));
    tokens.push(...brackets(expression, 'CloseBracket', ')'));
  });
  const reader = new ConditionReader(tokens);
  return reader.read();
}

function readJoin(expression: XmlElement): 'AND' | 'OR' {
  const join = expression.value('AndOr').toUpperCase();
  if (join !== 'AND' && join !== 'OR') throw new EnetError(PLACEHOLDER_TEXTS.badWhere);
  return join;
}

function brackets(expression: XmlElement, name: string, sign: '(' | ')'): ('(' | ')')[] {
  const found = expression.value(name);
  if (![...found].every((character) => character === sign)) throw new EnetError(PLACEHOLDER_TEXTS.badWhere);
  return [...found].map(() => sign);
}

function readComparison<Row>(expression: XmlElement, table: Table<Row>): Condition<Row> {
  const name = expression.value('Column');
  const column = table.columns.get(name);
  if (column === undefined) throw new EnetError(PLACEHOLDER_TEXTS.badColumn);
  const operator = expression.value('Condition');
  if (!isOperator(operator)) throw new EnetError(PLACEHOLDER_TEXTS.badWhere);
  const value = stored(column.kind, expression.value('Value'));
  return { kind: 'COMPARE', name, column, operator, value };
}

function isOperator(text: string): text is Operator {
  return OPERATORS.includes(text);
}

function stored(kind: ColumnKind, value: string): string {
  return kind === 'KEY' ? storedSupplierKey(value) : value;
}

/** Or of Ands of comparisons or brackets. */
class ConditionReader<Row> {
  private at = 0;

  constructor(private readonly tokens: readonly Token<Row>[]) {}

  read(): Condition<Row> {
    const condition = this.joined('OR', () => this.joined('AND', () => this.single()));
    if (this.at !== this.tokens.length) throw new EnetError(PLACEHOLDER_TEXTS.badWhere);
    return condition;
  }

  private joined(kind: 'AND' | 'OR', part: () => Condition<Row>): Condition<Row> {
    const parts = [part()];
    while (this.tokens[this.at] === kind) {
      this.at += 1;
      parts.push(part());
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind, parts };
  }

  private single(): Condition<Row> {
    const token = this.tokens[this.at];
    this.at += 1;
    if (token === '(') {
      const inside = this.joined('OR', () => this.joined('AND', () => this.single()));
      if (this.tokens[this.at] !== ')') throw new EnetError(PLACEHOLDER_TEXTS.badWhere);
      this.at += 1;
      return inside;
    }
    if (token === undefined || typeof token === 'string') throw new EnetError(PLACEHOLDER_TEXTS.badWhere);
    return token;
  }
}

/** @returns whether the row meets the condition. */
export function matches<Row>(condition: Condition<Row>, row: Row): boolean {
  if (condition.kind === 'AND') return condition.parts.every((part) => matches(part, row));
  if (condition.kind === 'OR') return condition.parts.some((part) => matches(part, row));
  const { column, operator, value } = condition;
  if (operator === 'LIKE') return isLike(column.read(row).trim(), value);
  const order = compareValues(column.kind, column.read(row), value);
  switch (operator) {
    case 'EQ':
      return order === 0;
    case 'NE':
      return order !== 0;
    case 'GT':
      return order > 0;
    case 'GE':
      return order >= 0;
    case 'LT':
      return order < 0;
    case 'LE':
      return order <= 0;
  }
}

/** Trailing blanks do not count, and numbers compare as numbers. */
export function compareValues(kind: ColumnKind, left: string, right: string): number {
  if (kind === 'NUMBER') return Number(left) - Number(right);
  const [a, b] = [left.trim(), right.trim()];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The wildcard of LIKE is not published: SQL's percent sign is assumed. */
function isLike(value: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('%');
  if (rest.length === 0) return value === first;
  if (!value.startsWith(first)) return false;
  let at = first.length;
  const last = rest.pop() ?? '';
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return value.length - last.length >= at && value.endsWith(last);
}

/**
 * Rows that may meet the condition, from indexes; undefined where only a scan can tell. An Or needs an index for each
 * part, an And for one.
 */
export function candidates<Row>(condition: Condition<Row>, table: Table<Row>): Iterable<Row> | undefined {
  if (condition.kind === 'COMPARE') {
    return condition.operator === 'EQ' ? table.lookup(condition.name, condition.value) : undefined;
  }
  if (condition.kind === 'AND') {
    for (const part of condition.parts) {
      const found = candidates(part, table);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const union = new Map<unknown, Row>();
  for (const part of condition.parts) {
    const found = candidates(part, table);
    if (found === undefined) return undefined;
    for (const row of found) union.set(table.identity(row), row);
  }
  return union.values();
}
