import type { Decimal } from './decimal.js';
import type { Position } from './errors.js';

/** Expressions as parsed. */
export type Expr = { readonly at: Position } & (
  | { readonly k: 'text'; readonly parts: readonly (string | Expr)[] }
  | { readonly k: 'number'; readonly value: Decimal }
  | { readonly k: 'boolean'; readonly value: boolean }
  | { readonly k: 'name'; readonly name: string }
  | { readonly k: 'dot'; readonly target: Expr; readonly name: string }
  | { readonly k: 'index'; readonly target: Expr; readonly index: Expr }
  | { readonly k: 'call'; readonly target: Expr; readonly args: readonly Expr[] }
  | { readonly k: 'builtin'; readonly target: Expr; readonly name: string }
  | { readonly k: 'default'; readonly target: Expr; readonly fallback: Expr | null }
  | { readonly k: 'exists'; readonly target: Expr }
  | { readonly k: 'group'; readonly inner: Expr }
  | { readonly k: 'unary'; readonly op: '!' | '-' | '+'; readonly inner: Expr }
  | { readonly k: 'binary'; readonly op: string; readonly left: Expr; readonly right: Expr }
  | { readonly k: 'range'; readonly from: Expr; readonly to: Expr; readonly excludesEnd: boolean }
  | { readonly k: 'sequence'; readonly items: readonly Expr[] }
  | { readonly k: 'hash'; readonly entries: readonly (readonly [Expr, Expr])[] }
  | { readonly k: 'lambda'; readonly parameter: string; readonly body: Expr }
);

export interface Parameter {
  readonly name: string;
  readonly fallback: Expr | null;
}

export interface MacroNode {
  readonly name: string;
  readonly isFunction: boolean;
  readonly parameters: readonly Parameter[];
  /** `args...`: takes what is left over. */
  readonly rest: string | null;
  readonly body: readonly Node[];
}

export interface ListNode {
  readonly subject: Expr;
  /** None when `<#items>` names it. Two for the keys and values of a hash. */
  readonly variables: readonly string[];
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[] | null;
}

export type AssignScope = 'assign' | 'local' | 'global';

/** Parts of a template as parsed. */
export type Node = { readonly at: Position } & (
  | { readonly k: 'print'; readonly text: string }
  | { readonly k: 'interpolation'; readonly value: Expr }
  | { readonly k: 'decimals'; readonly value: Expr; readonly least: number; readonly most: number }
  | { readonly k: 'if'; readonly branches: readonly { readonly test: Expr | null; readonly body: readonly Node[] }[] }
  | { readonly k: 'list'; readonly list: ListNode }
  | { readonly k: 'items'; readonly variables: readonly string[]; readonly body: readonly Node[] }
  | { readonly k: 'sep'; readonly body: readonly Node[] }
  | {
      readonly k: 'assign';
      readonly scope: AssignScope;
      readonly name: string;
      readonly op: string;
      readonly value: Expr;
    }
  | { readonly k: 'capture'; readonly scope: AssignScope; readonly name: string; readonly body: readonly Node[] }
  | { readonly k: 'macro'; readonly macro: MacroNode }
  | {
      readonly k: 'invoke';
      readonly target: Expr;
      readonly named: readonly (readonly [string, Expr])[];
      readonly positional: readonly Expr[];
      readonly variables: readonly string[];
      readonly body: readonly Node[] | null;
    }
  | { readonly k: 'nested'; readonly args: readonly Expr[] }
  | { readonly k: 'return'; readonly value: Expr | null }
  | { readonly k: 'compress'; readonly body: readonly Node[] }
  | { readonly k: 'setting'; readonly name: string; readonly value: Expr }
  | {
      readonly k: 'switch';
      readonly subject: Expr;
      readonly cases: readonly { readonly tests: readonly Expr[] | null; readonly body: readonly Node[] }[];
    }
  | { readonly k: 'attempt'; readonly body: readonly Node[]; readonly recover: readonly Node[] }
  | { readonly k: 'break' | 'continue' }
  | { readonly k: 'stop'; readonly message: Expr | null }
);
