import { syntax } from './errors.js';
import { ExpressionReader } from './expressions.js';
import type { Expr, Parameter } from './nodes.js';
import type { Token } from './tokens.js';

/** Reads `name a b=1 rest...` of `<#macro>` and `<#function>`, in either of their two styles. */
export function parseMacroHead(reader: ExpressionReader, isFunction: boolean) {
  const { at } = reader.next;
  const name = reader.take();
  if (name.kind !== 'name' && name.kind !== 'text') throw syntax('A name is expected here.', at);
  const inBrackets = reader.takeOp('(');
  const parameters: Parameter[] = [];
  let rest: string | null = null;
  while (!reader.isAtEnd && !reader.isOp(')')) {
    const parameter = reader.expectName('A parameter');
    if (reader.takeOp('...')) rest = parameter;
    else parameters.push({ name: parameter, fallback: reader.takeOp('=') ? reader.expression() : null });
    reader.takeOp(',');
  }
  if (inBrackets) reader.expectOp(')');
  reader.expectEnd();
  return { name: name.text, isFunction, parameters, rest };
}

export interface ParsedCall {
  target: Expr;
  named: [string, Expr][];
  positional: Expr[];
  /** `<@m ; x, y>`: names for what `<#nested x y>` passes on. */
  variables: string[];
}

/** Reads `<@name a=1 b=2 ; x>` or `<@name 1 2>`. */
export function parseCall(tokens: readonly Token[]): ParsedCall {
  const reader = new ExpressionReader(tokens, true);
  const head = reader.next;
  let target: Expr = { k: 'name', name: reader.expectName('The name of a macro'), at: head.at };
  while (reader.isOp('.')) {
    const { at } = reader.take();
    target = { k: 'dot', target, name: reader.expectName('A name'), at };
  }
  const call: ParsedCall = { target, named: [], positional: [], variables: [] };
  while (!reader.isAtEnd && !reader.isOp(';')) {
    if (reader.next.kind === 'name' && reader.following?.kind === 'op' && reader.following.text === '=') {
      const name = reader.take().text;
      reader.take();
      call.named.push([name, reader.expression()]);
    } else {
      call.positional.push(reader.expression());
    }
    reader.takeOp(',');
  }
  if (call.named.length > 0 && call.positional.length > 0) {
    throw syntax('A call has named or positional arguments, not both.', head.at);
  }
  if (reader.takeOp(';')) {
    do {
      call.variables.push(reader.expectName('The name of a variable'));
    } while (reader.takeOp(','));
  }
  reader.expectEnd();
  return call;
}

/** Reads the values of `<#nested a, b>`. */
export function parseNestedArguments(reader: ExpressionReader): Expr[] {
  const values: Expr[] = [];
  while (!reader.isAtEnd) {
    values.push(reader.expression());
    reader.takeOp(',');
  }
  return values;
}
