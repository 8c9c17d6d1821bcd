import type { KineticCompany } from './company.js';
import { type Row, table, text } from './rows.js';

/** Not a table of the server: which words of a journal's texts it can be found by. */
const MARKER = table('SandboxMarker', { key: 'Token RowID', indexed: 'Token RowID', columns: 's:Token RowID' });
const WORD = /[A-Za-z0-9][A-Za-z0-9-]*/g;

/** Notes the words of a journal's texts, in place of those noted before. */
export function noteMarkers(company: KineticCompany, header: Row): void {
  const marks = company.database.table(MARKER);
  const id = text(header, 'SysRowID');
  const wanted = new Set(wordsOf(header));
  for (const mark of [...marks.where('RowID', id)]) {
    if (!wanted.delete(text(mark, 'Token'))) marks.remove(mark);
  }
  for (const word of wanted) marks.put({ Token: word, RowID: id });
}

export function dropMarkers(company: KineticCompany, header: Row): void {
  const marks = company.database.table(MARKER);
  for (const mark of [...marks.where('RowID', text(header, 'SysRowID'))]) marks.remove(mark);
}

/** SysRowIDs of the journals that carry the word. */
export function rowsMarked(company: KineticCompany, word: string): string[] {
  return [...company.database.table(MARKER).where('Token', word)].map((mark) => text(mark, 'RowID'));
}

/**
 * The reference of a journal, which Kinetic has no field for: the code that both its texts begin with, else the word with
 * a digit that both carry, else the first such word, else the group. A code that begins both needs no digit: one in twenty
 * of random letters and digits has none.
 */
export function referenceOf(header: Row): string {
  const words = (column: string): string[] => text(header, column).match(WORD) ?? [];
  const [describing, commenting] = [words('Description'), words('CommentText')];
  const [first] = describing;
  if (first !== undefined && first === commenting[0] && isCode(first)) return first;
  const [described, commented] = [describing.filter(isReference), commenting.filter(isReference)];
  return described.find((word) => commented.includes(word)) ?? described[0] ?? commented[0] ?? text(header, 'GroupID');
}

function isCode(word: string): boolean {
  return /^[A-Z0-9-]{6,}$/.test(word) && !/^\d{4}-\d{2}-\d{2}$/.test(word);
}

function isReference(word: string): boolean {
  return isCode(word) && /\d/.test(word);
}

function wordsOf(header: Row): string[] {
  return `${text(header, 'Description')} ${text(header, 'CommentText')}`.match(WORD) ?? [];
}
