import { Decimal, isDay, parseMinor } from './amounts.js';
import type { SageX3Settings } from './settings.js';

export type Cell = string | number | Decimal;
export type Row = Readonly<Record<string, Cell>>;
export type FieldKind = 'string' | 'date' | 'datetime' | 'integer' | 'decimal';

/** A `where` or `orderBy` that X3 cannot read; on X3 classes that is HTTP 500 (reference: `$query` response). */
export class QueryError extends Error {}

export interface Condition {
  matches(row: Row): boolean;
  /** Fields that must have this value whatever else holds: what an index can answer. */
  readonly equals: readonly { field: string; value: string }[];
}

type Token = { kind: 'word' | 'text' | 'number' | 'at' | 'mark'; text: string };
type Literal = { kind: 'text' | 'number' | 'at'; text: string };
type Read = (row: Row) => Cell;

interface Operand {
  field: string;
  kind: FieldKind;
  read: Read;
  /** Whether it is the field itself and not a function of it. */
  plain: boolean;
}

const COMPARISONS: Record<string, (order: number) => boolean> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  lt: (order) => order < 0,
  le: (order) => order <= 0,
  gt: (order) => order > 0,
  ge: (order) => order >= 0,
};

/** @throws QueryError the condition cannot be read or names a field that the query facet does not have. */
export function parseWhere(text: string, fields: ReadonlyMap<string, FieldKind>, settings: SageX3Settings): Condition {
  return new WhereParser(tokens(text), fields, settings).parse();
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  const pattern = /\s+|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|@([^@]*)@|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w.]*)|([(),])/gy;
  let at = 0;
  while (at < text.length) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) throw new QueryError(`Syntax error at position ${at}`);
    at = pattern.lastIndex;
    if (match[1] !== undefined) found.push({ kind: 'text', text: match[1].replaceAll("''", "'") });
    else if (match[2] !== undefined) found.push({ kind: 'text', text: match[2].replaceAll('""', '"') });
    else if (match[3] !== undefined) found.push({ kind: 'at', text: match[3] });
    else if (match[4] !== undefined) found.push({ kind: 'number', text: match[4] });
    else if (match[5] !== undefined) found.push({ kind: 'word', text: match[5] });
    else if (match[6] !== undefined) found.push({ kind: 'mark', text: match[6] });
  }
  return found;
}

class WhereParser {
  private at = 0;

  constructor(
    private readonly list: readonly Token[],
    private readonly fields: ReadonlyMap<string, FieldKind>,
    private readonly settings: SageX3Settings,
  ) {}

  parse(): Condition {
    const condition = this.either();
    if (this.at < this.list.length) throw new QueryError(`Syntax error at '${this.list[this.at]?.text}'`);
    return condition;
  }

  private either(): Condition {
    let left = this.both();
    while (this.take('or')) {
      this.allow('or');
      const [first, second] = [left, this.both()];
      left = { matches: (row) => first.matches(row) || second.matches(row), equals: [] };
    }
    return left;
  }

  private both(): Condition {
    let left = this.negated();
    while (this.take('and')) {
      const [first, second] = [left, this.negated()];
      const equals = [...first.equals, ...second.equals];
      left = { matches: (row) => first.matches(row) && second.matches(row), equals };
    }
    return left;
  }

  private negated(): Condition {
    if (!this.take('not')) return this.single();
    this.allow('not');
    const inner = this.negated();
    return { matches: (row) => !inner.matches(row), equals: [] };
  }

  private single(): Condition {
    if (this.take('(')) {
      const inner = this.either();
      this.expect(')');
      return inner;
    }
    const operand = this.operand();
    const word = this.next().text.toLowerCase();
    this.allow(word);
    if (word === 'in') return this.oneOf(operand);
    if (word === 'between') return this.between(operand);
    if (word === 'like') return this.like(operand);
    const holds = COMPARISONS[word];
    if (holds === undefined) throw new QueryError(`Unknown operator '${word}'`);
    const literal = this.literal(operand.kind);
    const equals = word === 'eq' && operand.plain ? [{ field: operand.field, value: literal.text }] : [];
    return { matches: (row) => holds(compare(operand.read(row), literal)), equals };
  }

  private oneOf(operand: Operand): Condition {
    this.expect('(');
    const values = [this.literal(operand.kind)];
    while (this.take(',')) values.push(this.literal(operand.kind));
    this.expect(')');
    return { matches: (row) => values.some((value) => compare(operand.read(row), value) === 0), equals: [] };
  }

  private between(operand: Operand): Condition {
    const low = this.literal(operand.kind);
    this.expect('and');
    const high = this.literal(operand.kind);
    return {
      matches: (row) => compare(operand.read(row), low) >= 0 && compare(operand.read(row), high) <= 0,
      equals: [],
    };
  }

  private like(operand: Operand): Condition {
    const { text } = this.literal(operand.kind);
    const pattern = text
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('%', '.*')
      .replaceAll('_', '.');
    const expression = new RegExp(`^${pattern}$`);
    return { matches: (row) => expression.test(String(operand.read(row))), equals: [] };
  }

  private operand(): Operand {
    const token = this.next();
    if (token.kind !== 'word') throw new QueryError(`Syntax error at '${token.text}'`);
    if (token.text.toLowerCase() !== 'left' || this.list[this.at]?.text !== '(') return this.field(token.text);
    this.expect('(');
    const inner = this.field(this.next().text);
    this.expect(',');
    const length = Number(this.next().text);
    this.expect(')');
    return { ...inner, plain: false, read: (row) => String(inner.read(row)).slice(0, length) };
  }

  private field(name: string): Operand {
    const kind = this.fields.get(name);
    if (kind === undefined) throw new QueryError(`Unknown property '${name}'`);
    return { field: name, kind, plain: true, read: (row) => row[name] ?? '' };
  }

  private literal(kind: FieldKind): Literal {
    const token = this.next();
    if (token.kind === 'word' || token.kind === 'mark') throw new QueryError(`Value expected at '${token.text}'`);
    if (kind === 'date' || kind === 'datetime') return this.dateLiteral(token.kind, token.text, kind);
    if (token.kind === 'at') throw new QueryError(`Unexpected date '${token.text}'`);
    if (kind === 'string' && token.kind === 'number') throw new QueryError(`Text expected at '${token.text}'`);
    return { kind: token.kind, text: token.text };
  }

  /** How dates are written is not published, so only the form of the setting is understood. */
  private dateLiteral(form: Literal['kind'], text: string, kind: FieldKind): Literal {
    const wanted = { AT: 'at', QUOTED: 'text', DIGITS: 'number' }[this.settings.dateLiteral];
    const day = this.settings.dateLiteral === 'DIGITS' ? text.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3') : text;
    const readable = kind === 'date' ? isDay(day) : !Number.isNaN(Date.parse(day));
    if (form !== wanted || !readable) throw new QueryError(`Incorrect date '${text}'`);
    return { kind: 'text', text: kind === 'date' ? day : new Date(day).toISOString() };
  }

  private allow(word: string): void {
    if (this.settings.whereOperators === 'EQ_LEFT' && word !== 'eq') throw new QueryError(`Unknown operator '${word}'`);
  }

  private take(text: string): boolean {
    const token = this.list[this.at];
    if (token === undefined || token.kind === 'text' || token.text.toLowerCase() !== text) return false;
    this.at += 1;
    return true;
  }

  private expect(text: string): void {
    if (!this.take(text)) throw new QueryError(`'${text}' expected`);
  }

  private next(): Token {
    const token = this.list[this.at];
    if (token === undefined) throw new QueryError('Unexpected end of the condition');
    this.at += 1;
    return token;
  }
}

function compare(cell: Cell, literal: Literal): number {
  if (cell instanceof Decimal) {
    const minor = parseMinor(literal.text, cell.decimals);
    if (minor === undefined) throw new QueryError(`Incorrect number '${literal.text}'`);
    return cell.minor < minor ? -1 : cell.minor > minor ? 1 : 0;
  }
  if (typeof cell === 'number') return cell - Number(literal.text);
  return cell < literal.text ? -1 : cell > literal.text ? 1 : 0;
}

/** @returns how two rows are ordered. @throws QueryError a field that the query facet does not have. */
export function parseOrder(
  text: string,
  fields: ReadonlyMap<string, FieldKind>,
  separator: string,
): (a: Row, b: Row) => number {
  const parts = text.split(separator).map((part) => {
    const [name = '', direction = 'asc', ...rest] = part.trim().split(/\s+/);
    const down = direction.toLowerCase() === 'desc';
    if (!fields.has(name) || rest.length > 0 || (!down && direction.toLowerCase() !== 'asc')) {
      throw new QueryError(`Unknown property '${part.trim()}' in orderBy`);
    }
    return { name, factor: down ? -1 : 1 };
  });
  return (a, b) => {
    for (const { name, factor } of parts) {
      const order = compareCells(a[name] ?? '', b[name] ?? '');
      if (order !== 0) return order * factor;
    }
    return 0;
  };
}

function compareCells(a: Cell, b: Cell): number {
  if (a instanceof Decimal && b instanceof Decimal) return a.minor < b.minor ? -1 : a.minor > b.minor ? 1 : 0;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
