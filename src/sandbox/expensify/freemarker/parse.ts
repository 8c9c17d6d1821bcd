import { parseCall, parseMacroHead, parseNestedArguments } from './calls.js';
import { type Position, syntax, unsupported } from './errors.js';
import { applyEscape, type Escape } from './escapes.js';
import { ExpressionReader } from './expressions.js';
import type { AssignScope, Expr, ListNode, Node } from './nodes.js';
import { type Piece, scan } from './scan.js';
import { stripWhitespace } from './whitespace.js';

type Open = Piece & { k: 'open' };
type Call = Piece & { k: 'call' };
type Branch = { test: Expr | null; body: readonly Node[] };
type Case = { tests: readonly Expr[] | null; body: readonly Node[] };

/** Tags that stand inside of another element and end the body before them. */
const DIVIDERS = new Set(['else', 'elseif', 'case', 'default', 'on', 'recover']);
const WITHOUT_CONTENT = new Set(['t', 'lt', 'rt', 'nt', 'break', 'continue', 'else', 'default', 'recover', 'compress']);

/** Reads a template. @throws TemplateError with fault SYNTAX or UNSUPPORTED. */
export function parse(source: string): Node[] {
  const pieces = scan(source);
  const header = takeHeader(pieces);
  const parser = new TemplateParser(stripWhitespace(pieces, header.strips));
  return parser.whole();
}

/** Takes the `<#ftl …>` at the begin away, with the blanks around it. */
function takeHeader(pieces: Piece[]): { strips: boolean } {
  const index = pieces.findIndex((piece) => piece.k !== 'text' || piece.text.trim() !== '');
  const header = pieces[index];
  if (header?.k !== 'open' || header.name !== 'ftl') return { strips: true };
  const reader = new ExpressionReader(header.tokens, true);
  let strips = true;
  while (!reader.isAtEnd) {
    const { at } = reader.next;
    const name = reader.expectName('A parameter of <#ftl>');
    reader.expectOp('=');
    const value = reader.expression();
    if (name === 'strip_whitespace' && value.k === 'boolean') strips = value.value;
    else if (name !== 'encoding' && !isPlainFormat(name, value))
      throw unsupported(`<#ftl ${name}=…> with that value`, at);
  }
  pieces.splice(0, index + 1);
  const first = pieces[0];
  if (first?.k === 'text') pieces[0] = { ...first, text: first.text.replace(/^[^\S\r\n]*(?:\r\n|\r|\n)?/, '') };
  return { strips };
}

// Output formats other than these two would escape by themselves.
function isPlainFormat(name: string, value: Expr): boolean {
  const text = value.k === 'text' ? value.parts.join('') : '';
  return name === 'output_format' && ['plainText', 'undefined'].includes(text);
}

class TemplateParser {
  private index = 0;
  private readonly escapes: Escape[] = [];
  /** Names of the elements that are open, the innermost last. */
  private readonly around: string[] = [];

  constructor(private readonly pieces: readonly Piece[]) {}

  whole(): Node[] {
    const nodes = this.body();
    const left = this.pieces[this.index];
    if (left) throw syntax(`The tag ${nameOf(left)} does not belong here.`, left.at);
    return nodes;
  }

  /** Everything up to a closing or dividing tag, which is left standing. */
  private body(): Node[] {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.pieces[this.index];
      if (piece === undefined || piece.k === 'close' || piece.k === 'callEnd') return nodes;
      if (piece.k === 'open' && this.divides(piece)) return nodes;
      this.index += 1;
      nodes.push(...this.element(piece));
    }
  }

  private divides({ name }: Open): boolean {
    return DIVIDERS.has(name) && this.around.length > 0;
  }

  private element(piece: Exclude<Piece, { k: 'close' | 'callEnd' }>): Node[] {
    const { at } = piece;
    if (piece.k === 'comment') return [];
    if (piece.k === 'text') return [{ k: 'print', text: piece.text, at }];
    if (piece.k === 'interpolation') return [this.interpolation(piece)];
    if (piece.k === 'call') return [this.call(piece)];
    if (WITHOUT_CONTENT.has(piece.name)) new ExpressionReader(piece.tokens).expectEnd();
    return this.directive(piece, new ExpressionReader(piece.tokens));
  }

  private interpolation({ at, sign, tokens }: Piece & { k: 'interpolation' }): Node {
    const reader = new ExpressionReader(tokens);
    if (sign === '$') return { k: 'interpolation', value: applyEscape(reader.only(), this.escapes), at };
    const value = reader.expression();
    const format = reader.takeOp(';') ? reader.expectName('A format such as m2M2') : '';
    reader.expectEnd();
    const match = /^(?:m(\d+))?(?:M(\d+))?$/.exec(format);
    if (!match) throw syntax(`"${format}" is no format of #{…}.`, at);
    const least = Number(match[1] ?? 0);
    const most = match[2] === undefined ? (format === '' ? 50 : Math.max(least, 0)) : Number(match[2]);
    return { k: 'decimals', value, least, most: Math.max(least, most), at };
  }

  private directive(piece: Open, reader: ExpressionReader): Node[] {
    const { at, name } = piece;
    switch (name) {
      case 't':
      case 'lt':
      case 'rt':
      case 'nt':
        return [];
      case 'if':
        return [this.conditional(piece, reader)];
      case 'list':
        return [{ k: 'list', list: this.list(piece, reader), at }];
      case 'items':
        return [this.items(piece, reader)];
      case 'sep':
        return [{ k: 'sep', body: this.optionallyClosed('sep'), at }];
      case 'assign':
      case 'local':
      case 'global':
        return this.assignments(piece, name, reader);
      case 'macro':
      case 'function': {
        const head = parseMacroHead(reader, name === 'function');
        return [{ k: 'macro', macro: { ...head, body: this.closed(piece) }, at }];
      }
      case 'nested':
        return [{ k: 'nested', args: parseNestedArguments(reader), at }];
      case 'return':
        return [{ k: 'return', value: reader.isAtEnd ? null : reader.only(), at }];
      case 'compress':
        return [{ k: 'compress', body: this.closed(piece), at }];
      case 'setting': {
        const setting = reader.expectName('The name of a setting');
        reader.expectOp('=');
        return [{ k: 'setting', name: setting, value: reader.only(), at }];
      }
      case 'escape':
        return this.escape(piece, reader);
      case 'noescape':
        return this.noEscape(piece, reader);
      case 'switch':
        return [this.switch(piece, reader)];
      case 'attempt':
        return [this.attempt(piece, reader)];
      case 'break':
      case 'continue':
        return [{ k: name, at }];
      case 'stop':
        return [{ k: 'stop', message: reader.isAtEnd ? null : reader.only(), at }];
      case 'ftl':
        throw syntax('<#ftl> must stand at the begin of the template.', at);
      default:
        if (DIVIDERS.has(name)) throw syntax(`<#${name}> does not belong here.`, at);
        throw unsupported(`the directive <#${name}>`, at);
    }
  }

  private conditional(piece: Open, reader: ExpressionReader): Node {
    const branches: Branch[] = [];
    let test: Expr | null = reader.only();
    this.around.push('if');
    for (;;) {
      branches.push({ test, body: this.body() });
      const next = this.divider(piece);
      if (next === null) break;
      if (test === null) throw syntax(`<#${next.name}> cannot follow <#else>.`, next.at);
      if (next.name !== 'else' && next.name !== 'elseif')
        throw syntax(`<#${next.name}> does not belong into <#if>.`, next.at);
      const condition = new ExpressionReader(next.tokens);
      test = next.name === 'else' ? null : condition.only();
      if (next.name === 'else') condition.expectEnd();
    }
    this.around.pop();
    return { k: 'if', branches, at: piece.at };
  }

  private list(piece: Open, reader: ExpressionReader): ListNode {
    const subject = reader.expression();
    const variables = reader.takeWord('as') ? loopVariables(reader) : [];
    reader.expectEnd();
    this.around.push('list');
    const body = this.body();
    let otherwise: Node[] | null = null;
    const next = this.divider(piece);
    if (next !== null) {
      if (next.name !== 'else') throw syntax(`<#${next.name}> does not belong into <#list>.`, next.at);
      otherwise = this.body();
      if (this.divider(piece) !== null) throw syntax('<#list> has one <#else> at most.', next.at);
    }
    this.around.pop();
    return { subject, variables, body, otherwise };
  }

  private items(piece: Open, reader: ExpressionReader): Node {
    if (!reader.takeWord('as')) throw syntax('<#items> needs "as" and a name.', piece.at);
    const variables = loopVariables(reader);
    reader.expectEnd();
    return { k: 'items', variables, body: this.closed(piece), at: piece.at };
  }

  private assignments(piece: Open, scope: AssignScope, reader: ExpressionReader): Node[] {
    const { at } = piece;
    const nodes: Node[] = [];
    do {
      const token = reader.take();
      if (token.kind !== 'name' && token.kind !== 'text') throw syntax('A name is expected here.', token.at);
      if (reader.isAtEnd && nodes.length === 0) {
        return [{ k: 'capture', scope, name: token.text, body: this.closed(piece), at }];
      }
      if (reader.isWord('in')) throw unsupported('name spaces', at);
      const op = reader.take().text;
      if (!['=', '+=', '-=', '*=', '/=', '%=', '++', '--'].includes(op)) throw syntax(`"${op}" does not assign.`, at);
      const one: Expr = { k: 'name', name: token.text, at };
      const value = op === '++' || op === '--' ? one : reader.expression();
      nodes.push({ k: 'assign', scope, name: token.text, op, value, at });
      reader.takeOp(',');
    } while (!reader.isAtEnd);
    return nodes;
  }

  private escape(piece: Open, reader: ExpressionReader): Node[] {
    const variable = reader.expectName('A name');
    if (!reader.takeWord('as')) throw syntax('<#escape> needs "as".', piece.at);
    this.escapes.push({ variable, expr: reader.only() });
    const body = this.closed(piece);
    this.escapes.pop();
    return body;
  }

  private noEscape(piece: Open, reader: ExpressionReader): Node[] {
    reader.expectEnd();
    const outer = this.escapes.pop();
    if (!outer) throw syntax('<#noescape> needs an <#escape> around it.', piece.at);
    const body = this.closed(piece);
    this.escapes.push(outer);
    return body;
  }

  private switch(piece: Open, reader: ExpressionReader): Node {
    const subject = reader.only();
    const cases: Case[] = [];
    this.around.push('switch');
    const stray = this.body().find((node) => node.k !== 'print' || node.text.trim() !== '');
    if (stray) throw syntax('Only <#case> and <#default> may stand in <#switch>.', stray.at);
    for (let next = this.divider(piece); next !== null; next = this.divider(piece)) {
      const head = new ExpressionReader(next.tokens);
      if (next.name !== 'case' && next.name !== 'default') throw unsupported(`<#${next.name}> in <#switch>`, next.at);
      cases.push({ tests: next.name === 'case' ? [head.only()] : null, body: this.body() });
    }
    this.around.pop();
    return { k: 'switch', subject, cases, at: piece.at };
  }

  private attempt(piece: Open, reader: ExpressionReader): Node {
    reader.expectEnd();
    this.around.push('attempt');
    const body = this.body();
    const next = this.divider(piece);
    if (next?.name !== 'recover') throw syntax('<#attempt> needs <#recover>.', piece.at);
    const recover = this.body();
    if (this.divider(piece) !== null) throw syntax('<#attempt> has one <#recover>.', next.at);
    this.around.pop();
    return { k: 'attempt', body, recover, at: piece.at };
  }

  private call({ at, isSelfClosed, tokens }: Call): Node {
    const call = parseCall(tokens);
    if (isSelfClosed) return { k: 'invoke', ...call, body: null, at };
    this.around.push('@');
    const body = this.body();
    this.around.pop();
    const end = this.pieces[this.index];
    if (end?.k !== 'callEnd') throw syntax('The call of a macro needs "/>" or a closing </@…>.', at);
    this.index += 1;
    return { k: 'invoke', ...call, body, at };
  }

  /** The body of an element that must be closed by its own tag. */
  private closed(piece: Open): Node[] {
    if (piece.isSelfClosed) throw syntax(`<#${piece.name}/> needs content.`, piece.at);
    const around = this.around.splice(0);
    const body = this.body();
    this.around.push(...around);
    this.expectClose(piece.name, piece.at);
    return body;
  }

  /** `<#sep>` may stay open up to the end of what is around it. */
  private optionallyClosed(name: string): Node[] {
    const body = this.body();
    const end = this.pieces[this.index];
    if (end?.k === 'close' && end.name === name) this.index += 1;
    return body;
  }

  /** The next dividing tag of an element, or null behind its closing tag. */
  private divider(piece: Open): Open | null {
    const next = this.pieces[this.index];
    if (next?.k === 'open') {
      this.index += 1;
      return next;
    }
    this.expectClose(piece.name, piece.at);
    return null;
  }

  private expectClose(name: string, at: Position): void {
    const end = this.pieces[this.index];
    if (end?.k !== 'close' || end.name !== name) {
      throw syntax(`<#${name}> is not closed${end ? `: ${nameOf(end)} comes first` : ''}.`, at);
    }
    this.index += 1;
  }
}

function loopVariables(reader: ExpressionReader): string[] {
  const variables = [reader.expectName('The name of the loop variable')];
  if (reader.takeOp(',')) variables.push(reader.expectName("The name of the value's variable"));
  return variables;
}

function nameOf(piece: Piece): string {
  if (piece.k === 'close') return `</#${piece.name}>`;
  if (piece.k === 'callEnd') return '</@>';
  return piece.k === 'open' ? `<#${piece.name}>` : 'the text';
}
