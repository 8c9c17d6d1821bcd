import type { KineticCompany } from './company.js';
import { flag, type Row, type TableDef, text, whole } from './rows.js';
import { GL_HEADER, GL_LINE, GL_POSTED } from './tables.js';

/** The tables of a journal in the order in which they are saved. */
export const GL_TABLES = [GL_HEADER, GL_LINE];

/** The lines of a journal, whether it waits in its group or is in the ledger. */
export function journalLinesOf(company: KineticCompany, header: Row): Row[] {
  return linesIn(company, flag(header, 'Posted') ? GL_POSTED : GL_LINE, header);
}

export function linesIn(company: KineticCompany, def: TableDef, header: Row): Row[] {
  const lines: Row[] = [];
  for (const line of company.database.table(def).where('JournalNum', whole(header, 'JournalNum'))) {
    const isSame =
      whole(line, 'FiscalYear') === whole(header, 'FiscalYear') &&
      text(line, 'JournalCode') === text(header, 'JournalCode') &&
      text(line, 'BookID') === text(header, 'BookID');
    if (isSame) lines.push(line);
  }
  return lines.sort((one, other) => whole(one, 'JournalLine') - whole(other, 'JournalLine'));
}
