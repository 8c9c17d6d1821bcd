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
    records.push(...analyticalRecords(analytical, settings));
  }
  if (layout.endRecord !== '') records.push(layout.endRecord);
  return records.join(layout.recordSeparator);
}

/** One record with all dimensions, or one for each of them under the same ANALIN, as the template has it. */
function analyticalRecords(analytical: Row, settings: SageX3Settings): string[] {
  const { analytical: columns } = settings.import;
  const slots = Object.keys(analytical).flatMap((name) => /^DIE(\d)$/.exec(name)?.[1] ?? []);
  if (columns.includes('DIE')) {
    return slots.map((slot) => {
      const fields = { ...analytical, DIE: analytical[`DIE${slot}`] ?? '', CCE: analytical[`CCE${slot}`] ?? '' };
      return record(columns, fields, settings);
    });
  }
  const lost = slots.flatMap((slot) => [`DIE${slot}`, `CCE${slot}`]).filter((name) => !columns.includes(name));
  if (lost.length === 0) return [record(columns, analytical, settings)];
  throw new ErpRejectedError(
    `The import layout has no column ${lost.join(', ')} for the dimensions of a line; nothing was sent. Add it to the template and to the setting import.analytical.`,
    { code: 'DIMENSION_NOT_SENDABLE', detail: { columns: lost } },
  );
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
