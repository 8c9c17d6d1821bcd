import { createInterface } from 'node:readline/promises';
import { InputError } from '../errors.js';
import type { Problem } from '../services/outcome.js';
import type { ReconciliationAnswer } from '../services/useCases.js';

/** Exit codes, the same for every command; `ledgergate --help` lists them. */
export const EXIT = {
  done: 0,
  /** The command ran and its answer is "no": refused, broken, a difference. */
  no: 1,
  usage: 2,
  /** EX_CONFIG of sysexits.h: a setting is missing or unusable. */
  configuration: 78,
} as const;

/** Where a command writes. Standard output carries the answer and nothing else; everything else goes to `err`. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** As `out`, and resolves when the reader has taken it, so that a slow reader does not fill the memory. */
  outSlowly(text: string): Promise<void>;
  /** Asks the person at the terminal; absent where there is none, so that scripts are never kept waiting. */
  ask?(question: string): Promise<boolean>;
  /** As `ask`, for any answer; null = the person closed the input. */
  askLine?(question: string): Promise<string | null>;
}

export const processIo: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  outSlowly: (text) =>
    new Promise((resolve, reject) => {
      process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
    }),
  ...(process.stdin.isTTY && process.stderr.isTTY ? { ask: askPerson, askLine: askPersonLine } : {}),
};

/** Anything but a yes is a no. */
async function askPerson(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

async function askPersonLine(question: string): Promise<string | null> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<null>((resolve) => terminal.once('close', () => resolve(null)));
  try {
    const answer = await Promise.race([terminal.question(question), closed]);
    return answer === null ? null : answer.trim();
  } finally {
    terminal.close();
  }
}

/** One JSON document; bigint and dates as texts. */
export function printJson(io: Io, value: unknown): void {
  io.out(`${JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? item.toString() : item), 2)}\n`);
}

export type Cell = string | number | null | undefined;

/** Columns in line, numbers to the right, nothing cut off. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => head.map((_, column) => String(row[column] ?? '')));
  const isNumeric = head.map((_, column) => rows.length > 0 && rows.every((row) => isNumber(row[column])));
  const widths = head.map((title, column) => Math.max(title.length, ...texts.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return `${[line(head), line(widths.map((width) => '─'.repeat(width))), ...texts.map(line)].join('\n')}\n`;
}

function isNumber(cell: Cell): boolean {
  return typeof cell === 'number' || (typeof cell === 'string' && /^-?\d+(\.\d+)?$/.test(cell));
}

/** What a refused use case said, for people or as JSON. @returns the exit code for "no". */
export function printProblems(io: Io, problems: readonly Problem[], asJson: boolean): number {
  if (asJson) printJson(io, { ok: false, problems });
  for (const { code, message, resolution } of problems) {
    io.err(`${code}: ${message}${resolution ? ` ${resolution}` : ''}\n`);
  }
  return EXIT.no;
}

/** @throws InputError naming the option. */
export function instantOf(option: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const at = new Date(day ? `${text}T00:00:00Z` : text);
  const isInstant = day || /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(text);
  if (!isInstant || Number.isNaN(at.getTime())) {
    throw new InputError(`${option}: "${text}" is neither a day (YYYY-MM-DD) nor an instant (RFC 3339).`, [option]);
  }
  return at;
}

/** Where every cent of a window is, a row a currency. */
export function reconciliationTable(totals: readonly ReconciliationAnswer['totals'][number][]): string {
  const head = [
    'currency',
    'records',
    'source',
    'posted',
    'held',
    'excluded',
    'rejected',
    'in flight',
    'unknown',
    'difference',
  ];
  const rows = totals.map((one) => [
    ...[one.currency, one.recordCount, one.source, one.posted, one.held, one.excluded, one.rejected],
    ...[one.inFlight, one.unknown, one.difference],
  ]);
  return table(head, rows);
}
