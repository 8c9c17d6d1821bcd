import { type Position, syntax, unsupported } from './errors.js';

export interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'op' | 'end';
  /** The name, the digits, the operator, or the text without quotes and escapes. */
  readonly text: string;
  /** `r"…"`: no interpolation inside. */
  readonly isRaw: boolean;
  /** White space came before it; separates the arguments of a macro call. */
  readonly isSpaced: boolean;
  readonly at: Position;
}

export interface Tokenized {
  readonly tokens: readonly Token[];
  /** Index behind the closing sign. */
  readonly end: number;
  /** The tag ended with `/>`. */
  readonly isSelfClosed: boolean;
}

const NAME = /[\p{L}_$@][\p{L}\p{N}_$@]*/uy;
const NUMBER = /\d+(?:\.\d+)?/y;
const OPERATORS = ['...', '..<', '..!', '..*', '..', '??', '++', '--', '+=', '-=', '*=', '/=', '%='].concat(
  ['->', '==', '!=', '<=', '>=', '&&', '||', '.', '?', '!', '+', '-', '*', '/', '%', '=', '<', '>'],
  ['(', ')', '[', ']', '{', '}', ',', ';', ':'],
);
const OPENING = new Set(['(', '[', '{']);
const CLOSING = new Set([')', ']', '}']);
const ESCAPES: Readonly<Record<string, string>> = {
  ...{ n: '\n', r: '\r', t: '\t', f: '\f', b: '\b', l: '<', g: '>', a: '&', '{': '{', '=': '=' },
  ...{ '"': '"', "'": "'", '\\': '\\' },
};

/**
 * Reads an expression up to the sign that closes it. In a tag that is the first `>` outside of brackets, which is why
 * `<#if a > b>` does not compare: FreeMarker ends the tag there, and so does this.
 * @param where `tag` ends at `>` or `/>`, `braces` at the matching `}`.
 */
export function tokenize(
  source: string,
  start: number,
  where: 'tag' | 'braces',
  positionOf: (index: number) => Position,
): Tokenized {
  const tokens: Token[] = [];
  let depth = 0;
  let index = start;
  for (;;) {
    const spaced = skipBlank(source, index, positionOf);
    const isSpaced = spaced > index;
    index = spaced;
    const at = positionOf(index);
    const sign = source[index];
    if (sign === undefined) {
      throw syntax(`The ${where === 'tag' ? 'tag' : 'interpolation'} is not closed.`, positionOf(start));
    }
    const close = depth === 0 ? closingLength(source, index, where) : 0;
    if (close > 0) {
      tokens.push({ kind: 'end', text: '', isRaw: false, isSpaced, at });
      return { tokens, end: index + close, isSelfClosed: close === 2 };
    }
    if (sign === '"' || sign === "'" || (sign === 'r' && /["']/.test(source[index + 1] ?? ''))) {
      const literal = readText(source, index, at);
      tokens.push({ kind: 'text', text: literal.text, isRaw: sign === 'r', isSpaced, at });
      index = literal.end;
      continue;
    }
    const number = matchAt(NUMBER, source, index);
    const name = number === undefined ? matchAt(NAME, source, index) : undefined;
    const word = number ?? name;
    if (word !== undefined) {
      tokens.push({ kind: number === undefined ? 'name' : 'number', text: word, isRaw: false, isSpaced, at });
      index += word.length;
      continue;
    }
    const op = operatorAt(source, index, where, depth);
    if (op === undefined) throw syntax(`The sign "${sign}" is not expected in an expression.`, at);
    if (OPENING.has(op.text)) depth += 1;
    if (CLOSING.has(op.text)) depth -= 1;
    if (depth < 0) throw syntax(`The bracket "${op.text}" has no partner.`, at);
    tokens.push({ kind: 'op', text: op.text, isRaw: false, isSpaced, at });
    index += op.length;
  }
}

function skipBlank(source: string, start: number, positionOf: (index: number) => Position): number {
  let index = start;
  for (;;) {
    while (/\s/.test(source[index] ?? '')) index += 1;
    if (!source.startsWith('<#--', index)) return index;
    const end = source.indexOf('-->', index);
    if (end < 0) throw syntax('The comment is not closed.', positionOf(index));
    index = end + 3;
  }
}

function closingLength(source: string, index: number, where: 'tag' | 'braces'): number {
  if (where === 'braces') return source[index] === '}' ? 1 : 0;
  if (source[index] === '>') return 1;
  return source.startsWith('/>', index) ? 2 : 0;
}

function operatorAt(source: string, index: number, where: 'tag' | 'braces', depth: number) {
  // Templates that are kept in XML write the comparison signs as entities.
  for (const [entity, text] of [
    ['&lt;=', '<='],
    ['&gt;=', '>='],
    ['&lt;', '<'],
    ['&gt;', '>'],
    ['&amp;&amp;', '&&'],
  ] as const) {
    if (source.startsWith(entity, index)) return { text, length: entity.length };
  }
  const text = OPERATORS.find((operator) => source.startsWith(operator, index));
  // The dash of an arrow before the end of a tag would be one; outside of brackets `>` always ends the tag.
  if (text === '->' && where === 'tag' && depth === 0) return { text: '-', length: 1 };
  return text === undefined ? undefined : { text, length: text.length };
}

function matchAt(pattern: RegExp, source: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(source)?.[0];
}

function readText(source: string, start: number, at: Position): { text: string; end: number } {
  const isRaw = source[start] === 'r';
  const quote = source[isRaw ? start + 1 : start];
  let index = isRaw ? start + 2 : start + 1;
  let text = '';
  for (;;) {
    const sign = source[index];
    if (sign === undefined) throw syntax('The text is not closed.', at);
    if (sign === quote) return { text, end: index + 1 };
    if (sign !== '\\' || isRaw) {
      text += sign;
      index += 1;
      continue;
    }
    const escaped = readEscape(source, index + 1, at);
    text += escaped.text;
    index = escaped.end;
  }
}

function readEscape(source: string, index: number, at: Position): { text: string; end: number } {
  const sign = source[index] ?? '';
  if (sign === 'x') {
    const digits = /^[0-9A-Fa-f]{1,4}/.exec(source.slice(index + 1, index + 5))?.[0];
    if (digits === undefined) throw syntax('The escape \\x needs hexadecimal digits.', at);
    return { text: String.fromCharCode(Number.parseInt(digits, 16)), end: index + 1 + digits.length };
  }
  const known = ESCAPES[sign];
  if (known === undefined) throw syntax(`FreeMarker has no escape \\${sign}.`, at);
  if (sign === '{' || sign === '=') throw unsupported(`the escape \\${sign}`, at);
  return { text: known, end: index + 1 };
}
