import type { Piece } from './scan.js';
import type { Token } from './tokens.js';

/** A piece on its way through the stripping: only texts change. */
interface Cell {
  readonly piece: Piece;
  text: string;
  beginLine: number;
  startsLine: boolean;
}

const BLANK = /^\s*$/;
/** Elements that print nothing and around which FreeMarker drops blank text altogether. */
const SILENT = new Set(['assign', 'local', 'global', 'macro', 'function', 'setting']);
const TRIMS: Readonly<Record<string, { left: boolean; right: boolean }>> = {
  t: { left: true, right: true },
  lt: { left: true, right: false },
  rt: { left: false, right: true },
  nt: { left: false, right: false },
};

/**
 * Strips what FreeMarker strips when it reads a template: lines that hold nothing but tags leave no line behind, `<#t>`,
 * `<#lt>` and `<#rt>` trim their line, `<#nt>` protects it.
 * @param strips false after `<#ftl strip_whitespace=false>`: the trimming tags still work.
 */
export function stripWhitespace(pieces: readonly Piece[], strips: boolean): Piece[] {
  const cells: Cell[] = pieces.map((piece) => ({
    piece,
    text: piece.k === 'text' ? piece.text : '',
    beginLine: piece.at.line,
    startsLine: piece.at.column === 1,
  }));
  for (let index = 0; index < cells.length; index += 1) {
    const cell = cells[index];
    if (cell?.piece.k === 'text') stripOne(cells, index, cell, strips);
  }
  return cells.flatMap(({ piece, text }): Piece[] => {
    if (piece.k !== 'text') return [piece];
    return text === '' ? [] : [{ ...piece, text }];
  });
}

function stripOne(cells: Cell[], index: number, cell: Cell, strips: boolean): void {
  const isLeftDecided = trimLeft(cells, index, cell);
  const isRightDecided = trimRight(cells, index, cell);
  if (!strips || cell.text === '') return;
  if (isIgnorable(cells, index)) {
    cell.text = '';
    return;
  }
  // The template's very first text keeps its blanks; nothing before it could have asked for another treatment.
  if (index === 0) return;
  const trailing = isLeftDecided ? 0 : trailingBlanks(cells, index, cell);
  const opening = isRightDecided ? 0 : openingBlanks(cells, index, cell);
  cell.text = cell.text.slice(opening, Math.max(opening, cell.text.length - trailing));
  if (opening > 0) {
    cell.beginLine += 1;
    cell.startsLine = true;
  }
}

/** @returns whether a trimming tag stands behind the text on its last line. */
function trimLeft(cells: readonly Cell[], index: number, cell: Cell): boolean {
  let isDecided = false;
  for (const { piece } of after(cells, index, cell.piece.endLine)) {
    const trim = trimOf(piece);
    if (!trim) continue;
    if (trim.left || !trim.right) isDecided = true;
    // A lone <#rt> leaves the left side to the usual rules.
    if (!trim.left) continue;
    const line = lastLineStart(cell.text);
    if (line > 0 || cell.startsLine) cell.text = cell.text.slice(0, line) + cell.text.slice(line).trimStart();
  }
  return isDecided;
}

/** @returns whether a trimming tag stands before the text on its first line. */
function trimRight(cells: readonly Cell[], index: number, cell: Cell): boolean {
  let isDecided = false;
  for (const { piece } of before(cells, index, cell.beginLine)) {
    const trim = trimOf(piece);
    if (!trim) continue;
    if (trim.right || !trim.left) isDecided = true;
    if (!trim.right) continue;
    const end = firstLineEnd(cell.text);
    if (end === 0) return false;
    const [opening, rest] = [cell.text.slice(0, end), cell.text.slice(end)];
    if (BLANK.test(opening)) {
      cell.text = rest;
      cell.beginLine += 1;
      cell.startsLine = true;
      return true;
    }
    const keepsRest = !BLANK.test(rest) || [...after(cells, index, cell.piece.endLine)].some(heedsBefore);
    cell.text = opening.trimEnd() + (keepsRest ? rest : '');
  }
  return isDecided;
}

function openingBlanks(cells: readonly Cell[], index: number, cell: Cell): number {
  const end = firstLineEnd(cell.text);
  if (end === 0 && !cell.startsLine) return 0;
  if (!BLANK.test(cell.text.slice(0, end))) return 0;
  return [...before(cells, index, cell.beginLine)].some(heedsAfter) ? 0 : end;
}

function trailingBlanks(cells: readonly Cell[], index: number, cell: Cell): number {
  const line = lastLineStart(cell.text);
  if (line === 0 && !cell.startsLine) return 0;
  if (!BLANK.test(cell.text.slice(line))) return 0;
  return [...after(cells, index, cell.piece.endLine)].some(heedsBefore) ? 0 : cell.text.length - line;
}

function* after(cells: readonly Cell[], index: number, line: number): Generator<Cell> {
  for (let next = index + 1; next < cells.length; next += 1) {
    const cell = cells[next];
    if (!cell || cell.beginLine !== line) return;
    yield cell;
  }
}

function* before(cells: readonly Cell[], index: number, line: number): Generator<Cell> {
  for (let next = index - 1; next >= 0; next -= 1) {
    const cell = cells[next];
    if (!cell || cell.piece.endLine !== line) return;
    yield cell;
  }
}

/** The piece shows something on the line, seen from a text that stands behind it. */
function heedsAfter({ piece, text }: Cell): boolean {
  return (
    piece.k === 'interpolation' ||
    (piece.k === 'text' && text !== '' && showsOnLine(text.slice(lastLineStart(text)), text))
  );
}

/** The same, seen from a text that stands before it. */
function heedsBefore({ piece, text }: Cell): boolean {
  const end = firstLineEnd(text);
  const line = end === 0 ? text : text.slice(0, end);
  return piece.k === 'interpolation' || (piece.k === 'text' && text !== '' && showsOnLine(line, text));
}

// Blank text without a line break counts as content of its line: `<#if a>  <#if b>` keeps its two spaces.
function showsOnLine(line: string, text: string): boolean {
  return !BLANK.test(line) || !/[\r\n]/.test(text);
}

/** Blank text between elements that print nothing, or between one of them and the template's begin or end. */
function isIgnorable(cells: readonly Cell[], index: number): boolean {
  if (!BLANK.test(cells[index]?.text ?? '')) return false;
  return endsSilent(cells[index - 1]?.piece) && beginsSilent(cells[index + 1]?.piece);
}

function endsSilent(piece: Piece | undefined): boolean {
  if (piece === undefined || piece.k === 'comment') return true;
  if (piece.k === 'close') return SILENT.has(piece.name);
  if (piece.k !== 'open' || piece.name === 'macro' || piece.name === 'function') return false;
  // Without a value the tag opens a block that is captured, and the text is inside of it.
  return piece.name === 'setting' || (SILENT.has(piece.name) && hasValue(piece.tokens));
}

function hasValue(tokens: readonly Token[]): boolean {
  return tokens.some(({ kind, text }) => kind === 'op' && text !== ',');
}

function beginsSilent(piece: Piece | undefined): boolean {
  return piece === undefined || piece.k === 'comment' || (piece.k === 'open' && SILENT.has(piece.name));
}

function trimOf(piece: Piece): { left: boolean; right: boolean } | undefined {
  return piece.k === 'open' ? TRIMS[piece.name] : undefined;
}

/** Index behind the first line break; 0 without one. */
function firstLineEnd(text: string): number {
  const found = /\r\n|\r|\n/.exec(text);
  return found ? found.index + found[0].length : 0;
}

/** Index at which the last line begins; 0 without a line break. */
function lastLineStart(text: string): number {
  return Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1;
}
