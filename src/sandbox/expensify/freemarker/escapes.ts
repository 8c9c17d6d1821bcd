import type { Expr } from './nodes.js';

/** `<#escape variable as expr>` */
export interface Escape {
  readonly variable: string;
  readonly expr: Expr;
}

/** Wraps an interpolated value into the escapes around it, the innermost first. */
export function applyEscape(value: Expr, escapes: readonly Escape[]): Expr {
  return escapes.reduceRight((inner, { expr, variable }) => replaced(expr, variable, inner), value);
}

function replaced(expr: Expr, variable: string, by: Expr): Expr {
  const again = (one: Expr): Expr => replaced(one, variable, by);
  switch (expr.k) {
    case 'name':
      return expr.name === variable ? by : expr;
    case 'number':
    case 'boolean':
      return expr;
    case 'text':
      return { ...expr, parts: expr.parts.map((part) => (typeof part === 'string' ? part : again(part))) };
    case 'dot':
    case 'builtin':
    case 'exists':
      return { ...expr, target: again(expr.target) };
    case 'index':
      return { ...expr, target: again(expr.target), index: again(expr.index) };
    case 'call':
      return { ...expr, target: again(expr.target), args: expr.args.map(again) };
    case 'default':
      return { ...expr, target: again(expr.target), fallback: expr.fallback && again(expr.fallback) };
    case 'group':
    case 'unary':
      return { ...expr, inner: again(expr.inner) };
    case 'binary':
      return { ...expr, left: again(expr.left), right: again(expr.right) };
    case 'range':
      return { ...expr, from: again(expr.from), to: again(expr.to) };
    case 'sequence':
      return { ...expr, items: expr.items.map(again) };
    case 'hash':
      return { ...expr, entries: expr.entries.map(([key, one]) => [again(key), again(one)] as const) };
    case 'lambda':
      return expr.parameter === variable ? expr : { ...expr, body: again(expr.body) };
  }
}
