import { BUILTINS, callBuiltin } from './builtins.js';
import { Decimal } from './decimal.js';
import { type Environment, type Frame, guarded, missing } from './environment.js';
import { type Position, TemplateError, unsupported } from './errors.js';
import type { Expr } from './nodes.js';
import { Callable, isHash, isSequence, kindOf, type Maybe, TemplateDate, type Value } from './values.js';

/** Calls a `<#function>`; given by the renderer, which runs bodies. */
export type CallFunction = (callable: Callable, args: readonly Value[], at: Position) => Maybe;

/** Built-ins whose arguments stand behind a dot or in brackets as well: `?string.computer`, `?string["0.00"]`. */
const FORMATTED = new Set(['string', 'date', 'datetime', 'time']);
/** Built-ins that say whether something is there, so that a missing target is no error. */
const EXISTENCE = new Set(['has_content', 'exists', 'if_exists', 'default']);
const MAX_RANGE = 1_000_000;

/** Works out expressions. A missing value is undefined here; whoever needs a value says so. */
export class Evaluator {
  constructor(
    readonly env: Environment,
    private readonly callFunction: CallFunction,
  ) {}

  /** @throws TemplateError MISSING when there is no value. */
  need(expr: Expr, frame: Frame | null): Value {
    const value = this.evaluate(expr, frame);
    if (value === undefined) throw missing(`The expression ${describe(expr)}`, expr.at);
    return value;
  }

  text(expr: Expr, frame: Frame | null): string {
    return this.env.textOf(this.need(expr, frame), expr.at, `The expression ${describe(expr)}`);
  }

  truth(expr: Expr, frame: Frame | null): boolean {
    const value = this.need(expr, frame);
    if (typeof value !== 'boolean')
      throw typeError(`A boolean is needed, ${describe(expr)} is a ${kindOf(value)}.`, expr.at);
    return value;
  }

  evaluate(expr: Expr, frame: Frame | null): Maybe {
    switch (expr.k) {
      case 'number':
      case 'boolean':
        return expr.value;
      case 'text':
        return expr.parts.map((part) => (typeof part === 'string' ? part : this.text(part, frame))).join('');
      case 'name':
        return this.env.lookUp(expr.name, frame);
      case 'group':
        return this.evaluate(expr.inner, frame);
      case 'dot':
        return this.dot(expr, frame);
      case 'index':
        return this.index(expr, frame);
      case 'exists':
        return this.optional(expr.target, frame) !== undefined;
      case 'default':
        return this.optional(expr.target, frame) ?? (expr.fallback === null ? '' : this.evaluate(expr.fallback, frame));
      case 'unary':
        return this.unary(expr, frame);
      case 'binary':
        return this.binary(expr, frame);
      case 'range':
        return this.range(expr, frame);
      case 'sequence':
        return expr.items.map((item) => this.need(item, frame));
      case 'hash':
        return new Map(expr.entries.map(([key, value]) => [this.text(key, frame), this.need(value, frame)]));
      case 'builtin':
        return this.builtin(expr, [], false, frame);
      case 'call':
        return this.call(expr, frame);
      case 'lambda':
        throw unsupported('lambdas outside of ?filter and ?map', expr.at);
    }
  }

  /** In parentheses any part may be missing, without them only the last one. */
  private optional(expr: Expr, frame: Frame | null): Maybe {
    if (expr.k !== 'group') return this.evaluate(expr, frame);
    try {
      return this.evaluate(expr, frame);
    } catch (error) {
      if (error instanceof TemplateError && error.fault === 'MISSING') return undefined;
      throw error;
    }
  }

  private dot(expr: Expr & { k: 'dot' }, frame: Frame | null): Maybe {
    if (isFormatted(expr.target)) return this.builtin(expr.target, [expr.name], true, frame);
    return this.member(this.need(expr.target, frame), expr.name, expr);
  }

  private member(target: Value, name: string, { at }: Expr): Maybe {
    if (isHash(target)) return target.get(name);
    throw typeError(`A hash is needed before ".${name}", not a ${kindOf(target)}.`, at);
  }

  private index(expr: Expr & { k: 'index' }, frame: Frame | null): Maybe {
    if (isFormatted(expr.target)) return this.builtin(expr.target, [this.text(expr.index, frame)], true, frame);
    const target = this.need(expr.target, frame);
    if (expr.index.k === 'range') return this.slice(target, expr.index, frame);
    const key = this.need(expr.index, frame);
    if (typeof key === 'string') return this.member(target, key, expr);
    if (!(key instanceof Decimal)) throw typeError(`A ${kindOf(key)} is no index.`, expr.at);
    const place = Number(key.truncated());
    if (isSequence(target)) return target[place];
    if (typeof target !== 'string')
      throw typeError(`A sequence is needed before "[", not a ${kindOf(target)}.`, expr.at);
    const sign = target[place];
    if (sign === undefined) throw typeError(`The text has no character ${place}.`, expr.at);
    return sign;
  }

  private slice(target: Value, range: Expr & { k: 'range' }, frame: Frame | null): Value {
    const from = this.whole(range.from, frame);
    const to = this.whole(range.to, frame) + (range.excludesEnd ? 0 : 1);
    if (typeof target !== 'string' && !isSequence(target))
      throw typeError(`A ${kindOf(target)} has no parts.`, range.at);
    if (from < 0 || to > target.length || to < from) throw typeError('The range is outside of what it cuts.', range.at);
    return target.slice(from, to);
  }

  private range(expr: Expr & { k: 'range' }, frame: Frame | null): Value {
    const [from, to] = [this.whole(expr.from, frame), this.whole(expr.to, frame)];
    const step = to < from ? -1 : 1;
    const count = Math.abs(to - from) + (expr.excludesEnd ? 0 : 1);
    if (count > MAX_RANGE) throw typeError('The range is too long.', expr.at);
    return Array.from({ length: count }, (_, index) => Decimal.of(from + index * step));
  }

  whole(expr: Expr, frame: Frame | null): number {
    const value = this.need(expr, frame);
    if (!(value instanceof Decimal)) throw typeError(`A number is needed, not a ${kindOf(value)}.`, expr.at);
    return Number(value.truncated());
  }

  private unary(expr: Expr & { k: 'unary' }, frame: Frame | null): Value {
    if (expr.op === '!') return !this.truth(expr.inner, frame);
    const value = this.need(expr.inner, frame);
    if (!(value instanceof Decimal)) throw typeError(`A number is needed, not a ${kindOf(value)}.`, expr.at);
    return expr.op === '-' ? value.negated() : value;
  }

  private binary(expr: Expr & { k: 'binary' }, frame: Frame | null): Value {
    const { at, left, op, right } = expr;
    if (op === '&&' || op === '&') return this.truth(left, frame) && this.truth(right, frame);
    if (op === '||' || op === '|') return this.truth(left, frame) || this.truth(right, frame);
    return this.operate(op, this.need(left, frame), this.need(right, frame), at);
  }

  /** Both sides of an operator are there. */
  operate(op: string, left: Value, right: Value, at: Position): Value {
    if (op === '==') return compare(left, right, at, true) === 0;
    if (op === '!=') return compare(left, right, at, true) !== 0;
    if (op === '<') return compare(left, right, at, false) < 0;
    if (op === '<=') return compare(left, right, at, false) <= 0;
    if (op === '>') return compare(left, right, at, false) > 0;
    if (op === '>=') return compare(left, right, at, false) >= 0;
    if (left instanceof Decimal && right instanceof Decimal) return guarded(at, () => arithmetic(op, left, right));
    if (op !== '+') throw typeError(`"${op}" needs numbers, not a ${kindOf(left)} and a ${kindOf(right)}.`, at);
    if (isSequence(left) && isSequence(right)) return [...left, ...right];
    if (isHash(left) && isHash(right)) return new Map([...left, ...right]);
    return this.env.textOf(left, at, 'The left side of "+"') + this.env.textOf(right, at, 'The right side of "+"');
  }

  private call(expr: Expr & { k: 'call' }, frame: Frame | null): Maybe {
    const { args, at, target } = expr;
    if (target.k === 'builtin') return this.builtin(target, args, true, frame);
    const callable = this.need(target, frame);
    if (!(callable instanceof Callable) || !callable.node.isFunction) {
      throw typeError(`${describe(target)} is a ${kindOf(callable)} and cannot be called.`, at);
    }
    return this.callFunction(
      callable,
      args.map((arg) => this.need(arg, frame)),
      at,
    );
  }

  private builtin(
    expr: Expr & { k: 'builtin' },
    args: readonly (Expr | string)[],
    isCalled: boolean,
    frame: Frame | null,
  ): Maybe {
    const { at, name, target } = expr;
    const builtin = BUILTINS[name];
    if (!builtin) throw unsupported(`the built-in ?${name}`, at);
    const value = EXISTENCE.has(name)
      ? this.optional(target, frame)
      : builtin.isOfLoop
        ? undefined
        : this.need(target, frame);
    const loop = target.k === 'name' ? this.env.loopOf(target.name, frame) : undefined;
    if (builtin.isOfLoop && !loop) throw typeError(`?${name} needs the variable of a loop.`, at);
    return guarded(at, () =>
      callBuiltin(builtin, {
        ...{ name, value, at, loop, isCalled, count: args.length, env: this.env },
        arg: (index) => {
          const arg = args[index];
          if (arg === undefined) throw typeError(`?${name} needs ${index + 1} arguments.`, at);
          return typeof arg === 'string' ? arg : this.need(arg, frame);
        },
        lambda: (index) => this.lambda(args[index], frame, at),
      }),
    );
  }

  private lambda(expr: Expr | string | undefined, frame: Frame | null, at: Position): (item: Value) => Value {
    if (expr === undefined || typeof expr === 'string') throw typeError('A lambda or a function is needed.', at);
    if (expr.k === 'lambda') {
      return (item) => {
        const variables = new Map<string, Maybe>([[expr.parameter, item]]);
        return this.need(expr.body, { parent: frame, isMacro: false, variables, loops: new Map(), nested: null });
      };
    }
    const callable = this.need(expr, frame);
    if (!(callable instanceof Callable)) throw typeError('A lambda or a function is needed.', at);
    return (item) => {
      const result = this.callFunction(callable, [item], at);
      if (result === undefined) throw missing('What the function returned', at);
      return result;
    };
  }
}

function isFormatted(expr: Expr): expr is Expr & { k: 'builtin' } {
  return expr.k === 'builtin' && FORMATTED.has(expr.name);
}

function arithmetic(op: string, left: Decimal, right: Decimal): Decimal {
  if (op === '+') return left.plus(right);
  if (op === '-') return left.minus(right);
  if (op === '*') return left.times(right);
  return op === '/' ? left.dividedBy(right) : left.modulo(right);
}

/** FreeMarker compares only what is of one kind: `1 == "1"` stops the template. */
function compare(left: Value, right: Value, at: Position, isEquality: boolean): number {
  if (left instanceof Decimal && right instanceof Decimal) return left.compare(right);
  if (left instanceof TemplateDate && right instanceof TemplateDate && left.kind === right.kind)
    return left.at - right.at;
  if (isEquality && typeof left === 'string' && typeof right === 'string') return left === right ? 0 : 1;
  if (isEquality && typeof left === 'boolean' && typeof right === 'boolean') return left === right ? 0 : 1;
  throw typeError(`A ${kindOf(left)} and a ${kindOf(right)} cannot be compared this way.`, at);
}

export function typeError(reason: string, at: Position): TemplateError {
  return new TemplateError('TYPE', reason, at);
}

function describe(expr: Expr): string {
  if (expr.k === 'name') return expr.name;
  if (expr.k === 'dot') return `${describe(expr.target)}.${expr.name}`;
  if (expr.k === 'builtin') return `${describe(expr.target)}?${expr.name}`;
  return expr.k === 'group' ? `(${describe(expr.inner)})` : `of kind ${expr.k}`;
}
