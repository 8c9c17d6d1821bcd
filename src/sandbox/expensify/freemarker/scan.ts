import { type Position, syntax, unsupported } from './errors.js';
import { type Token, tokenize } from './tokens.js';

interface Place {
  readonly at: Position;
  /** Line of the piece's last character. */
  readonly endLine: number;
}

/** One piece of a template's source, in the order of the source. */
export type Piece = Place &
  (
    | { readonly k: 'text'; readonly text: string }
    | { readonly k: 'interpolation'; readonly sign: '$' | '#'; readonly tokens: readonly Token[] }
    | { readonly k: 'comment' }
    | { readonly k: 'open'; readonly name: string; readonly tokens: readonly Token[]; readonly isSelfClosed: boolean }
    | { readonly k: 'close'; readonly name: string }
    /** `<@name …>`; the name is part of the tokens. */
    | { readonly k: 'call'; readonly tokens: readonly Token[]; readonly isSelfClosed: boolean }
    | { readonly k: 'callEnd' }
  );

const START = /\$\{|#\{|<#--|<\/?#[A-Za-z_]|<@|<\/@/g;
const CLOSE_TAG = /<\/#([A-Za-z_]+)\s*>/y;
const CALL_END = /<\/@[^>]*>/y;
const OPEN_NAME = /<#([A-Za-z_]+)/y;

/** Cuts a template into its pieces. @throws TemplateError for what is not closed. */
export function scan(source: string): Piece[] {
  const positionOf = positions(source);
  const pieces: Piece[] = [];
  let index = 0;
  const add = (end: number, piece: Omit<Piece & { k: 'comment' }, keyof Place | 'k'> & { k: Piece['k'] }): void => {
    const place = { at: positionOf(index), endLine: positionOf(end - 1).line };
    pieces.push({ ...place, ...piece } as Piece);
    index = end;
  };
  const addText = (end: number): void => {
    if (end > index) add(end, { k: 'text', text: source.slice(index, end) } as { k: 'text' });
  };
  while (index < source.length) {
    START.lastIndex = index;
    const found = START.exec(source);
    if (!found) {
      addText(source.length);
      break;
    }
    addText(found.index);
    const sign = found[0];
    if (sign === '<#--') {
      add(endOf(source, '-->', index, positionOf), { k: 'comment' });
    } else if (sign === '${' || sign === '#{') {
      const { end, tokens } = tokenize(source, index + 2, 'braces', positionOf);
      add(end, { k: 'interpolation', sign: sign[0], tokens } as { k: 'interpolation' });
    } else if (sign.startsWith('</#')) {
      const [tag, name] = required(CLOSE_TAG, source, index, positionOf);
      add(index + tag.length, { k: 'close', name } as { k: 'close' });
    } else if (sign === '</@') {
      const [tag] = required(CALL_END, source, index, positionOf);
      add(index + tag.length, { k: 'callEnd' });
    } else if (sign === '<@') {
      const { end, isSelfClosed, tokens } = tokenize(source, index + 2, 'tag', positionOf);
      add(end, { k: 'call', tokens, isSelfClosed } as { k: 'call' });
    } else {
      const [tag, name] = required(OPEN_NAME, source, index, positionOf);
      if (name === 'noparse') throw unsupported('<#noparse>', positionOf(index));
      if (name === 'comment') throw unsupported('<#comment>', positionOf(index));
      const { end, isSelfClosed, tokens } = tokenize(source, index + tag.length, 'tag', positionOf);
      add(end, { k: 'open', name, tokens, isSelfClosed } as { k: 'open' });
    }
  }
  return pieces;
}

/** @returns line and column, both from 1, of an index into the source. */
function positions(source: string): (index: number) => Position {
  const starts = [0];
  for (let index = source.indexOf('\n'); index >= 0; index = source.indexOf('\n', index + 1)) starts.push(index + 1);
  return (index) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: index - (starts[low] ?? 0) + 1 };
  };
}

function endOf(source: string, mark: string, from: number, positionOf: (index: number) => Position): number {
  const end = source.indexOf(mark, from);
  if (end < 0) throw syntax('The comment is not closed.', positionOf(from));
  return end + mark.length;
}

function required(pattern: RegExp, source: string, index: number, positionOf: (index: number) => Position) {
  pattern.lastIndex = index;
  const found = pattern.exec(source);
  if (!found) throw syntax('The tag is not closed.', positionOf(index));
  return [found[0], found[1] ?? ''] as const;
}
