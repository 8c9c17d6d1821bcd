import { readDay } from './amounts.js';
import type { X3Company } from './company.js';
import { analyticDraft, type EntryDraft, type LineDraft, writeEntry } from './entries.js';
import { isRefusal, words } from './words.js';

export interface ImportReport {
  written: number;
  refused: number;
  messages: string[];
}

interface Parsed {
  draft: EntryDraft;
  /** First line of the journal in the file, from 1. */
  line: number;
  problems: string[];
}

const DATES = ['ACCDAT', 'ENTDAT', 'VALDAT', 'BPRDATVCR'];

/**
 * Runs a file through the journal template (function GIMPOBJ behind AOWSIMPORT). Every journal is committed by itself:
 * a bad one is refused and the good ones beside it are written (reference: import semantics).
 */
export function importFile(company: X3Company, file: string, separator: string): ImportReport {
  const report: ImportReport = { written: 0, refused: 0, messages: [] };
  const journals = readFile(company, file, separator);
  if (journals.length === 0) return { ...report, refused: 1, messages: [words.fileEmpty] };
  for (const { draft, line, problems } of journals) {
    const outcome = problems.length > 0 ? { refused: problems } : writeEntry(company, draft);
    if (!isRefusal(outcome)) {
      report.written += 1;
      continue;
    }
    report.refused += 1;
    report.messages.push(...outcome.refused.map((text) => words.fileLine(line, text)));
  }
  return report;
}

/** Nothing may come after `END`, and nothing has to: an interrupted file is imported as far as it goes. */
function readFile(company: X3Company, file: string, separator: string): Parsed[] {
  const { template } = company.settings;
  const journals: Parsed[] = [];
  const records = separator === '' ? file.split(/\r?\n/) : file.split(separator);
  for (const [index, record] of records.entries()) {
    const text = record.trim();
    if (text === 'END') break;
    if (text === '') continue;
    const [mark = '', ...cells] = text.split(template.fieldSeparator);
    const current = journals.at(-1);
    if (mark === template.headerMark) {
      const { decimalSign, updateExisting } = template;
      const draft: EntryDraft = { fields: new Map(), lines: [], decimalSign, updateExisting, origin: 3 };
      const journal: Parsed = { draft, line: index + 1, problems: [] };
      draft.fields = named(company, template.header, cells, journal.problems);
      journals.push(journal);
    } else if (current === undefined) {
      const draft: EntryDraft = { fields: new Map(), lines: [], origin: 3 };
      journals.push({ draft, line: index + 1, problems: [words.invalid('Record', mark)] });
    } else {
      addRecord(company, current, mark, cells);
    }
  }
  return journals;
}

function addRecord(company: X3Company, journal: Parsed, mark: string, cells: readonly string[]): void {
  const { template } = company.settings;
  const line = journal.draft.lines.at(-1);
  if (mark === template.lineMark) {
    const added: LineDraft = { fields: named(company, template.line, cells, journal.problems), analytics: [] };
    // A template may also have the dimensions in the line, for all of its amount.
    const inLine = analyticDraft(added.fields, added.fields.get('AMTCUR') ?? '');
    if (inLine !== undefined) added.analytics.push(inLine);
    journal.draft.lines.push(added);
  } else if (mark === template.analyticMark && line !== undefined) {
    const row = named(company, template.analytic, cells, journal.problems);
    // Without an amount the record counts for nothing, and X3 answers 97 or 25.
    const analytic = analyticDraft(row, row.get('AMTCUR') ?? '');
    if (analytic !== undefined) line.analytics.push(analytic);
  } else {
    journal.problems.push(words.invalid('Record', mark));
  }
}

function named(
  company: X3Company,
  names: readonly string[],
  cells: readonly string[],
  problems: string[],
): Map<string, string> {
  const { template, importExtraFields } = company.settings;
  if (cells.length > names.length && importExtraFields === 'REFUSE')
    problems.push(words.invalid('Number of fields', String(cells.length)));
  const fields = new Map<string, string>();
  names.forEach((name, index) => {
    const text = (cells[index] ?? '').trim();
    if (text === '') return;
    fields.set(name, DATES.includes(name) ? (readDay(text, template.dateFormat) ?? `(${text})`) : text);
  });
  return fields;
}
