import { beginSchema, endSchema, expenseSchema, reportSchema, type WireExpense, type WireReport } from './wire.js';

/** Reads what our template prints. A file that is not whole is told from one that is; nothing in it is believed alone. */

export interface ExportLine {
  /** null when the line cannot be understood; then `reason` says why. */
  readonly expense: WireExpense | null;
  readonly reason: string | null;
  readonly raw: unknown;
}

export interface ExportedReport {
  readonly report: WireReport;
  readonly raw: unknown;
  readonly lines: readonly ExportLine[];
}

export interface ExportFile {
  readonly reports: readonly ExportedReport[];
  /** How often the server evaluated the template. */
  readonly evaluations: number;
}

export type ParsedFile =
  | { readonly isWhole: true; readonly file: ExportFile }
  /** `isOurs`: it begins as our files do, so it was cut off; otherwise it is some other text. */
  | { readonly isWhole: false; readonly isOurs: boolean; readonly reason: string };

export function parseExportFile(text: string): ParsedFile {
  const reader = new FileReader();
  // Only line feeds end a line: text inside may hold other separators, which JSON need not escape.
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '') continue;
    const fault = reader.take(trimmed);
    if (fault !== null) return { isWhole: false, isOurs: reader.hasBegun, reason: fault };
  }
  const fault = reader.finish();
  if (fault !== null) return { isWhole: false, isOurs: reader.hasBegun, reason: fault };
  return { isWhole: true, file: reader.file() };
}

interface OpenReport {
  readonly report: WireReport;
  readonly raw: unknown;
  readonly lines: ExportLine[];
}

class FileReader {
  hasBegun = false;
  private evaluations = 0;
  /** The evaluation being read: how many reports it promised and has shown. */
  private block: { readonly promised: number; seen: number } | null = null;
  private current: OpenReport | null = null;
  private readonly reports = new Map<string, OpenReport>();
  /** Lines by report and text, so that a repeated evaluation adds nothing. */
  private readonly known = new Set<string>();

  /** @returns why the file is not whole, or null. */
  take(line: string): string | null {
    const json = jsonOrNull(line);
    const kind = kindOf(json);
    if (kind === 'begin') return this.begin(json);
    if (this.block === null) return this.hasBegun ? 'there is text behind its end mark' : 'it has no begin mark';
    if (kind === 'report') return this.report(json);
    if (kind === 'end') return this.end(json);
    return this.line(line, json);
  }

  finish(): string | null {
    if (!this.hasBegun) return 'it is empty';
    return this.block === null ? null : 'its end mark is missing';
  }

  file(): ExportFile {
    return { reports: [...this.reports.values()], evaluations: this.evaluations };
  }

  private begin(json: unknown): string | null {
    const parsed = beginSchema.safeParse(json);
    if (!parsed.success) return 'its begin mark cannot be read';
    if (this.block !== null) return 'an end mark is missing in the middle';
    this.hasBegun = true;
    this.block = { promised: parsed.data.reports, seen: 0 };
    return null;
  }

  private report(json: unknown): string | null {
    const missing = this.missingLines();
    if (missing !== null) return missing;
    const parsed = reportSchema.safeParse(json);
    if (!parsed.success) return `a report cannot be read (${fieldsOf(parsed.error)})`;
    if (this.block) this.block.seen += 1;
    this.current = { report: parsed.data, raw: json, lines: [] };
    this.remaining = parsed.data.lines;
    const { reportID } = parsed.data;
    const before = reportID === '' ? undefined : this.reports.get(reportID);
    if (before) this.current = { ...this.current, lines: before.lines };
    this.reports.set(reportID === '' ? `#${this.reports.size}` : reportID, this.current);
    return null;
  }

  /** Lines that the current report still owes. */
  private remaining = 0;

  private line(text: string, json: unknown): string | null {
    if (this.current === null || this.remaining === 0) return 'it shows more expenses than a report has';
    this.remaining -= 1;
    const key = `${this.current.report.reportID} ${text}`;
    if (this.known.has(key)) return null;
    this.known.add(key);
    this.current.lines.push(lineOf(text, json));
    return null;
  }

  private end(json: unknown): string | null {
    const missing = this.missingLines();
    if (missing !== null) return missing;
    const parsed = endSchema.safeParse(json);
    if (!parsed.success) return 'its end mark cannot be read';
    const { promised, seen } = this.block ?? { promised: 0, seen: 0 };
    if (promised !== seen || parsed.data.reports !== seen) return `it promises ${promised} reports and shows ${seen}`;
    this.block = null;
    this.current = null;
    this.evaluations += 1;
    return null;
  }

  private missingLines(): string | null {
    return this.remaining === 0 ? null : `${this.remaining} expenses of a report are missing`;
  }
}

function lineOf(text: string, json: unknown): ExportLine {
  if (json === null) return { expense: null, reason: 'The line is not JSON.', raw: { text: text.slice(0, 20_000) } };
  const parsed = expenseSchema.safeParse(json);
  if (parsed.success) return { expense: parsed.data, reason: null, raw: json };
  return { expense: null, reason: `The expense has an unknown form: ${fieldsOf(parsed.error)}.`, raw: json };
}

/** Names of fields only, never values. */
function fieldsOf(error: { readonly issues: readonly { readonly path: readonly PropertyKey[] }[] }): string {
  const names = error.issues.map((issue) => issue.path.map(String).join('.') || '(the whole line)');
  return [...new Set(names)].slice(0, 5).join(', ');
}

function kindOf(json: unknown): unknown {
  return json !== null && typeof json === 'object' && 'k' in json ? json.k : null;
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
