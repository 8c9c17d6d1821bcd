import { stringify } from 'csv-stringify/sync';
import type { Column } from './datasets.js';
import type { Row } from './rows.js';

export const FORMATS = ['csv', 'ndjson', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

export const MEDIA_TYPES: Readonly<Record<Format, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

/** Turns batches of rows into the bytes of one file. */
export interface Encoder {
  /** Before the first row. */
  head(): string;
  batch(rows: readonly Row[]): string;
}

/** What a spreadsheet takes for a formula (OWASP: CSV injection). */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * RFC 4180 with a header row. No value is an empty cell, an empty text is "".
 * @param keepsFormulas otherwise texts that a spreadsheet would run get an apostrophe in front; amounts never do.
 */
export function csv(columns: readonly Column[], keepsFormulas: boolean): Encoder {
  const isText = columns.map(({ type }) => type === 'text' || type === 'json');
  const safe = (cell: string | null, index: number) =>
    cell !== null && isText[index] && FORMULA.test(cell) ? `'${cell}` : cell;
  const options = { record_delimiter: 'windows', quoted_empty: true } as const;
  return {
    head: () => stringify([columns.map(({ name }) => name)], options),
    batch: (rows) => stringify(keepsFormulas ? [...rows] : rows.map((row) => row.map(safe)), options),
  };
}

/** One JSON object a line. Decimals and 64-bit numbers are texts, as in GraphQL: no reader turns them into floats. */
export function ndjson(columns: readonly Column[]): Encoder {
  const names = columns.map(({ name }) => JSON.stringify(name));
  const literals = columns.map(({ name, type }) => literalOf(type, name));
  return {
    head: () => '',
    batch: (rows) => {
      let text = '';
      for (const row of rows) {
        let line = '';
        for (let index = 0; index < names.length; index += 1) {
          const cell = row[index] ?? null;
          line += `${index === 0 ? '{' : ','}${names[index]}:${cell === null ? 'null' : literals[index]?.(cell)}`;
        }
        text += `${line}}\n`;
      }
      return text;
    },
  };
}

function literalOf(type: Column['type'], name: string): (cell: string) => string {
  if (type === 'json' || type === 'float') return (cell) => cell;
  if (type === 'boolean') return (cell) => (cell === 't' ? 'true' : 'false');
  // Numbers of the audit trail outgrow what JSON readers keep exactly.
  if (type === 'integer' && name !== 'sequence') return (cell) => cell;
  return (cell) => JSON.stringify(cell);
}
