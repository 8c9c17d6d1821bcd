import { badRequest } from './failures.js';

/** The three languages that rows are asked for in: OData 4 (v2), OData 3 (v1) and the SQL-like where clauses of methods. */
export type Dialect = 'odata4' | 'odata3' | 'sql';

export type Comparison = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';
export type Operand =
  | { kind: 'column'; name: string }
  | { kind: 'text' | 'number' | 'moment' | 'guid'; value: string }
  | { kind: 'flag'; value: boolean }
  | { kind: 'null' }
  | { kind: 'arithmetic'; operator: 'add' | 'sub' | 'mul' | 'div'; left: Operand; right: Operand };
export type Expression =
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
  | { kind: 'not'; of: Expression }
  | { kind: 'compare'; operator: Comparison; left: Operand; right: Operand }
  | { kind: 'call'; name: 'contains' | 'startswith' | 'endswith'; left: Operand; right: Operand }
  | { kind: 'truth'; of: Operand };

export interface WhereClause {
  condition: Expression | undefined;
  /** What stands behind `BY`. */
  order: { column: string; descending: boolean }[];
}

const TOKEN =
  /\s*(?:(datetime'[^']*')|('(?:[^']|'')*')|(\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)|([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|(-?\d+(?:\.\d+)?[LMDlmd]?)|([A-Za-z_][\w.]*)|(<>|<=|>=|[=<>(),]))/iy;
const COMPARISONS: Readonly<Record<string, Comparison>> = {
  ...{ '=': 'eq', '<>': 'ne', '>': 'gt', '>=': 'ge', '<': 'lt', '<=': 'le' },
};
const WORDS: readonly string[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'];
const CALLS = ['contains', 'startswith', 'endswith'] as const;

interface Token {
  kind: 'datetime' | 'text' | 'moment' | 'guid' | 'number' | 'word' | 'sign';
  value: string;
}

/** @throws KineticError 400 the text is no condition of the dialect. */
export function parseCondition(source: string, dialect: 'odata4' | 'odata3'): Expression {
  const parser = new Parser(source, dialect);
  const found = parser.or();
  parser.end();
  return found;
}

/** @throws KineticError 400 the text is no where clause. */
export function parseWhere(source: string): WhereClause {
  const parser = new Parser(source, 'sql');
  const condition = parser.atEnd() || parser.isWord('by') ? undefined : parser.or();
  const order = parser.byClause();
  parser.end();
  return { condition, order };
}

class Parser {
  private readonly tokens: Token[];
  private position = 0;

  constructor(
    private readonly source: string,
    private readonly dialect: Dialect,
  ) {
    this.tokens = tokenize(source);
  }

  or(): Expression {
    let left = this.and();
    while (this.takeWord('or')) left = { kind: 'or', left, right: this.and() };
    return left;
  }

  atEnd(): boolean {
    return this.position >= this.tokens.length;
  }

  end(): void {
    if (!this.atEnd()) throw this.bad();
  }

  isWord(word: string): boolean {
    const token = this.tokens[this.position];
    if (token?.kind !== 'word') return false;
    return this.dialect === 'sql' ? token.value.toLowerCase() === word : token.value === word;
  }

  byClause(): WhereClause['order'] {
    const order: WhereClause['order'] = [];
    if (!this.takeWord('by')) return order;
    do {
      // Further columns may have their own BY.
      this.takeWord('by');
      const column = this.column();
      const descending = this.takeWord('desc') || this.takeWord('descending');
      if (!descending) this.takeWord('asc');
      order.push({ column, descending });
    } while (this.takeSign(','));
    return order;
  }

  private and(): Expression {
    let left = this.unary();
    while (this.takeWord('and')) left = { kind: 'and', left, right: this.unary() };
    return left;
  }

  private unary(): Expression {
    if (this.takeWord('not')) return { kind: 'not', of: this.unary() };
    // An open bracket may hold a condition or an operand: what stands behind it decides.
    const start = this.position;
    if (this.takeSign('(')) {
      const inner = this.or();
      if (this.takeSign(')') && !this.isComparison()) return inner;
      this.position = start;
    }
    return this.comparison();
  }

  private comparison(): Expression {
    const call = CALLS.find((name) => this.dialect !== 'sql' && this.isWord(name));
    if (call !== undefined) {
      this.position += 1;
      this.need('(');
      const left = this.operand();
      this.need(',');
      const right = this.operand();
      this.need(')');
      return { kind: 'call', name: call, left, right };
    }
    const left = this.operand();
    if (this.dialect === 'sql' && this.takeWord('like')) return like(left, this.operand());
    const operator = this.takeComparison();
    if (operator === undefined) return { kind: 'truth', of: left };
    return { kind: 'compare', operator, left, right: this.operand() };
  }

  private operand(): Operand {
    let left = this.single();
    while (this.dialect !== 'sql') {
      const operator = (['add', 'sub', 'mul', 'div'] as const).find((word) => this.isWord(word));
      if (operator === undefined) break;
      this.position += 1;
      left = { kind: 'arithmetic', operator, left, right: this.single() };
    }
    return left;
  }

  private single(): Operand {
    if (this.takeSign('(')) {
      const inner = this.operand();
      this.need(')');
      return inner;
    }
    const token = this.tokens[this.position];
    if (token === undefined || token.kind === 'sign') throw this.bad();
    this.position += 1;
    switch (token.kind) {
      case 'text':
        return { kind: 'text', value: token.value.slice(1, -1).replaceAll("''", "'") };
      case 'datetime':
        if (this.dialect !== 'odata3') throw this.bad();
        return { kind: 'moment', value: token.value.slice(9, -1) };
      case 'moment':
      case 'guid':
        if (this.dialect !== 'odata4') throw this.bad();
        return { kind: token.kind, value: token.value };
      case 'number':
        // A date without its time reads as numbers with signs between them, and is refused so.
        if (this.tokens[this.position]?.kind === 'number') throw this.bad();
        return { kind: 'number', value: token.value.replace(/[LMD]$/i, '') };
      case 'word':
        return wordOperand(token.value);
    }
  }

  private column(): string {
    const token = this.tokens[this.position];
    if (token?.kind !== 'word') throw this.bad();
    this.position += 1;
    return token.value;
  }

  private isComparison(): boolean {
    const token = this.tokens[this.position];
    if (token === undefined) return false;
    if (this.dialect === 'sql') return token.value in COMPARISONS;
    return [...WORDS, 'add', 'sub', 'mul', 'div'].includes(token.value);
  }

  private takeComparison(): Comparison | undefined {
    const token = this.tokens[this.position];
    if (token === undefined) return undefined;
    const found =
      this.dialect === 'sql' ? COMPARISONS[token.value] : (WORDS.find((word) => word === token.value) as Comparison);
    if (found !== undefined) this.position += 1;
    return found;
  }

  private takeWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.position += 1;
    return true;
  }

  private takeSign(sign: string): boolean {
    const token = this.tokens[this.position];
    if (token?.kind !== 'sign' || token.value !== sign) return false;
    this.position += 1;
    return true;
  }

  private need(sign: string): void {
    if (!this.takeSign(sign)) throw this.bad();
  }

  private bad() {
    const near = this.tokens[this.position]?.value ?? 'the end';
    return badRequest(`Syntax error at '${near}' in '${this.source}'.`);
  }
}

function wordOperand(word: string): Operand {
  if (/^(true|false)$/i.test(word)) return { kind: 'flag', value: word.toLowerCase() === 'true' };
  if (word === 'null') return { kind: 'null' };
  return { kind: 'column', name: word };
}

function like(left: Operand, right: Operand): Expression {
  if (right.kind !== 'text') throw badRequest('LIKE wants a text.');
  const { value } = right;
  const bare: Operand = { kind: 'text', value: value.replace(/^%/, '').replace(/%$/, '') };
  if (value.startsWith('%') && value.endsWith('%')) return { kind: 'call', name: 'contains', left, right: bare };
  if (value.startsWith('%')) return { kind: 'call', name: 'endswith', left, right: bare };
  if (value.endsWith('%')) return { kind: 'call', name: 'startswith', left, right: bare };
  return { kind: 'compare', operator: 'eq', left, right };
}

function tokenize(source: string): Token[] {
  const kinds = ['datetime', 'text', 'moment', 'guid', 'number', 'word', 'sign'] as const;
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let position = 0;
  const end = source.trimEnd().length;
  while (position < end) {
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(source);
    if (match === null) throw badRequest(`Syntax error at position ${position} in '${source}'.`);
    const at = kinds.findIndex((_, index) => match[index + 1] !== undefined);
    const kind = kinds[at];
    const value = match[at + 1];
    if (kind === undefined || value === undefined) throw badRequest(`Syntax error in '${source}'.`);
    tokens.push({ kind, value });
    position = TOKEN.lastIndex;
  }
  return tokens;
}
