import { BUILTINS } from './builtins.js';
import { Decimal } from './decimal.js';
import { type Position, syntax, unsupported } from './errors.js';
import type { Expr } from './nodes.js';
import { type Token, tokenize } from './tokens.js';

const COMPARISONS: Readonly<Record<string, string>> = {
  ...{ '<': '<', '<=': '<=', '>': '>', '>=': '>=' },
  ...{ lt: '<', lte: '<=', gt: '>', gte: '>=' },
};
const KEYWORDS = new Set(['as', 'in', 'using', 'lt', 'lte', 'gt', 'gte']);

/** Reads expressions from the tokens of one tag or interpolation, with FreeMarker's own ranks of operators. */
export class ExpressionReader {
  private index = 0;

  constructor(
    private readonly tokens: readonly Token[],
    /** Where arguments are separated by space alone, `x! y` has no fallback. */
    private readonly isSpaceSeparated = false,
  ) {}

  get next(): Token {
    const token = this.tokens[this.index] ?? this.tokens.at(-1);
    if (token === undefined) throw new Error('An expression has no tokens.');
    return token;
  }

  get following(): Token | undefined {
    return this.tokens[this.index + 1];
  }

  get isAtEnd(): boolean {
    return this.next.kind === 'end';
  }

  isOp(text: string): boolean {
    return this.next.kind === 'op' && this.next.text === text;
  }

  isWord(text: string): boolean {
    return this.next.kind === 'name' && this.next.text === text;
  }

  take(): Token {
    const token = this.next;
    this.index += 1;
    return token;
  }

  takeOp(text: string): boolean {
    if (!this.isOp(text)) return false;
    this.index += 1;
    return true;
  }

  takeWord(text: string): boolean {
    if (!this.isWord(text)) return false;
    this.index += 1;
    return true;
  }

  expectOp(text: string): void {
    if (!this.takeOp(text)) throw syntax(`"${text}" is expected here, not ${shown(this.next)}.`, this.next.at);
  }

  expectName(what: string): string {
    const token = this.take();
    if (token.kind !== 'name') throw syntax(`${what} is expected here, not ${shown(token)}.`, token.at);
    return token.text;
  }

  expectEnd(): void {
    if (!this.isAtEnd) throw syntax(`The end is expected here, not ${shown(this.next)}.`, this.next.at);
  }

  /** The whole rest as one expression. */
  only(): Expr {
    const expr = this.expression();
    this.expectEnd();
    return expr;
  }

  expression(): Expr {
    return this.leftAssociative(['||', '|'], () => this.leftAssociative(['&&', '&'], () => this.equality()));
  }

  private leftAssociative(operators: readonly string[], operand: () => Expr): Expr {
    let left = operand();
    while (this.next.kind === 'op' && operators.includes(this.next.text)) {
      const { text: op, at } = this.take();
      left = { k: 'binary', op, left, right: operand(), at };
    }
    return left;
  }

  private equality(): Expr {
    const left = this.comparison();
    const { at, text } = this.next;
    if (this.next.kind !== 'op' || !['=', '==', '!='].includes(text)) return left;
    this.take();
    return { k: 'binary', op: text === '!=' ? '!=' : '==', left, right: this.comparison(), at };
  }

  private comparison(): Expr {
    const left = this.range();
    const { at, kind, text } = this.next;
    const op = kind === 'op' || kind === 'name' ? COMPARISONS[text] : undefined;
    if (op === undefined) return left;
    this.take();
    return { k: 'binary', op, left, right: this.range(), at };
  }

  private range(): Expr {
    const from = this.sum();
    const { at, text } = this.next;
    if (this.next.kind !== 'op' || !text.startsWith('..') || text === '...') return from;
    this.take();
    if (text === '..*') throw unsupported('ranges with a length (..*)', at);
    if (!this.startsExpression()) throw unsupported('ranges without an end', at);
    return { k: 'range', from, to: this.sum(), excludesEnd: text !== '..', at };
  }

  private sum(): Expr {
    return this.leftAssociative(['+', '-'], () => this.leftAssociative(['*', '/', '%'], () => this.unary()));
  }

  private unary(): Expr {
    const { at, text } = this.next;
    if (this.next.kind === 'op' && (text === '!' || text === '-' || text === '+')) {
      this.take();
      return { k: 'unary', op: text, inner: this.unary(), at };
    }
    return this.postfix(this.primary());
  }

  private postfix(start: Expr): Expr {
    let expr = start;
    for (;;) {
      const { at, isSpaced } = this.next;
      if (this.takeOp('.')) {
        expr = { k: 'dot', target: expr, name: this.expectName('A name'), at };
      } else if (this.isOp('[') && !(this.isSpaceSeparated && isSpaced)) {
        this.take();
        expr = { k: 'index', target: expr, index: this.expression(), at };
        this.expectOp(']');
      } else if (this.isOp('(') && !(this.isSpaceSeparated && isSpaced)) {
        this.take();
        expr = { k: 'call', target: expr, args: this.list(')'), at };
      } else if (this.takeOp('??')) {
        expr = { k: 'exists', target: expr, at };
      } else if (this.takeOp('?')) {
        expr = { k: 'builtin', target: expr, name: this.builtinName(), at };
      } else if (this.takeOp('!')) {
        const hasFallback = this.startsExpression() && !(this.isSpaceSeparated && this.next.isSpaced);
        // FreeMarker takes everything behind it: `a!1 + b` is `a!(1 + b)`.
        expr = { k: 'default', target: expr, fallback: hasFallback ? this.expression() : null, at };
      } else {
        return expr;
      }
    }
  }

  // A form such as `?string.computer` stays an ordinary dot behind the built-in.
  private builtinName(): string {
    const { at } = this.next;
    const name = this.expectName("A built-in's name");
    if (BUILTINS[name] === undefined) throw unsupported(`the built-in ?${name}`, at);
    return name;
  }

  private startsExpression(): boolean {
    const { kind, text } = this.next;
    if (kind === 'text' || kind === 'number') return true;
    if (kind === 'name') return !KEYWORDS.has(text);
    return kind === 'op' && ['(', '[', '{', '-', '+', '!'].includes(text);
  }

  private primary(): Expr {
    const token = this.take();
    const { at, kind, text } = token;
    if (kind === 'text') return { k: 'text', parts: token.isRaw ? [text] : textParts(text, at), at };
    if (kind === 'number') return { k: 'number', value: decimalOf(text, at), at };
    if (kind === 'name' && (text === 'true' || text === 'false')) return { k: 'boolean', value: text === 'true', at };
    if (kind === 'name' && !KEYWORDS.has(text)) {
      return this.takeOp('->')
        ? { k: 'lambda', parameter: text, body: this.expression(), at }
        : { k: 'name', name: text, at };
    }
    if (kind === 'op' && text === '(') {
      const inner = this.expression();
      this.expectOp(')');
      if (this.isOp('->')) throw unsupported('lambdas with parameters in parentheses', at);
      return { k: 'group', inner, at };
    }
    if (kind === 'op' && text === '[') return { k: 'sequence', items: this.list(']'), at };
    if (kind === 'op' && text === '{') return { k: 'hash', entries: this.entries(), at };
    if (kind === 'op' && text === '.') throw unsupported(`special variables (.${this.next.text})`, at);
    throw syntax(`An expression is expected here, not ${shown(token)}.`, at);
  }

  private list(closing: string): Expr[] {
    const items: Expr[] = [];
    if (this.takeOp(closing)) return items;
    do {
      items.push(this.expression());
    } while (this.takeOp(','));
    this.expectOp(closing);
    return items;
  }

  private entries(): [Expr, Expr][] {
    const entries: [Expr, Expr][] = [];
    if (this.takeOp('}')) return entries;
    do {
      const key = this.expression();
      this.expectOp(':');
      entries.push([key, this.expression()]);
    } while (this.takeOp(','));
    this.expectOp('}');
    return entries;
  }
}

/** `"a ${b}"` is interpolated inside of expressions as well. */
function textParts(text: string, at: Position): (string | Expr)[] {
  const parts: (string | Expr)[] = [];
  let rest = 0;
  for (let open = text.indexOf('${'); open >= 0; open = text.indexOf('${', rest)) {
    const { end, tokens } = tokenize(text, open + 2, 'braces', () => at);
    parts.push(text.slice(rest, open), new ExpressionReader(tokens).only());
    rest = end;
  }
  if (text.includes('#{', rest)) throw unsupported('#{…} inside of a text', at);
  return [...parts, text.slice(rest)].filter((part) => part !== '');
}

function decimalOf(text: string, at: Position): Decimal {
  const value = Decimal.parse(text);
  if (!value) throw syntax(`"${text}" is no number.`, at);
  return value;
}

function shown({ kind, text }: Token): string {
  return kind === 'end' ? 'the end' : `"${text}"`;
}
