import { ErpRejectedError } from '../../errors.js';
import type { SageX3Settings } from './config.js';
import type { MappedJournal } from './mapper.js';
import type { Row } from './reader.js';

/** The text of an import file (I_FILE): one journal, its columns in the order of the customer's template. Pure. */

/** Columns of free text, which may lose a separator; a code that holds one cannot be sent. */
const TEXTS = new Set(['DES', 'DESVCR']);
const DATES = new Set(['ACCDAT']);
const AMOUNTS = new Set(['AMTCUR']);

/** @throws ErpRejectedError a code holds one of the template's separators, or a dimension has no column; nothing was sent. */
export function importFile(journal: MappedJournal, settings: SageX3Settings): string {
  const layout = settings.import;
  const records = [record(layout.header, journal.header, settings)];
  for (const { fields, analytical } of journal.lines) {
    records.push(record(layout.line, fields, settings));
    if (analytical === null) continue;
    const lost = Object.keys(analytical).filter((name) => /^(DIE|CCE)/.test(name) && !layout.analytical.includes(name));
    if (lost.length > 0) {
      throw new ErpRejectedError(
        `The import layout has no column ${lost.join(', ')} for the dimensions of a line; nothing was sent. Add it to the template and to the setting import.analytical.`,
        { code: 'DIMENSION_NOT_SENDABLE', detail: { columns: lost } },
      );
    }
    records.push(record(layout.analytical, analytical, settings));
  }
  if (layout.endRecord !== '') records.push(layout.endRecord);
  return records.join(layout.recordSeparator);
}

function record(columns: readonly string[], fields: Row, settings: SageX3Settings): string {
  return columns
    .map((column) => (column.startsWith('=') ? column.slice(1) : cell(column, fields[column] ?? '', settings)))
    .join(settings.import.fieldSeparator);
}

function cell(column: string, value: string, { import: layout }: SageX3Settings): string {
  if (DATES.has(column)) return dateIn(layout.dateFormat, value);
  if (AMOUNTS.has(column)) return value.replace('.', layout.decimalSign);
  const separators = [layout.fieldSeparator, layout.recordSeparator, '"'];
  const isWhole = !separators.some((separator) => value.includes(separator)) && !/[\r\n]/.test(value);
  if (isWhole) return value;
  // A separator in a memo would begin a column or a record of its own: somebody's text would write the journal.
  if (TEXTS.has(column)) {
    return separators.reduce((text, separator) => text.replaceAll(separator, ' '), value).replace(/[\r\n]/g, ' ');
  }
  throw new ErpRejectedError(
    `${column} "${value}" holds a separator of the import file; nothing was sent. Choose other separators in the template and in the settings below import.`,
    { code: 'CODE_NOT_SENDABLE', detail: { column } },
  );
}

function dateIn(format: SageX3Settings['import']['dateFormat'], day: string): string {
  const parts: Readonly<Record<string, string>> = {
    YYYY: day.slice(0, 4),
    YY: day.slice(2, 4),
    MM: day.slice(4, 6),
    DD: day.slice(6, 8),
  };
  return format.replace(/YYYY|YY|MM|DD/g, (part) => parts[part] ?? '');
}
