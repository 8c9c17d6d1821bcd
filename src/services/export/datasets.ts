import { pgTypeOf } from './pgTypes.js';

/** What can be exported; each is a view of schema `bi`, with its columns as they are described there. */
export const DATASET_NAMES = ['audit-events', 'spend-records', 'gl-postings', 'gl-posting-lines'] as const;
export type DatasetName = (typeof DATASET_NAMES)[number];

export interface KeyPart {
  readonly column: string;
  readonly type: 'bigint' | 'integer' | 'text';
}

export interface Dataset {
  readonly view: string;
  /** Rows come in this order, and a cut export is continued after the last row that arrived. */
  readonly key: readonly KeyPart[];
  /** What `from` and `to` are about: calendar days, both included, or instants, `to` not included. */
  readonly window: { readonly column: string; readonly unit: 'day' | 'instant' };
}

export const DATASETS: Readonly<Record<DatasetName, Dataset>> = {
  'audit-events': {
    view: 'audit_events',
    key: [{ column: 'sequence', type: 'bigint' }],
    window: { column: 'occurred_at', unit: 'instant' },
  },
  'spend-records': {
    view: 'spend_records',
    key: [{ column: 'spend_record_id', type: 'text' }],
    window: { column: 'transaction_date', unit: 'day' },
  },
  'gl-postings': {
    view: 'gl_postings',
    key: [{ column: 'posting_id', type: 'text' }],
    window: { column: 'posting_date', unit: 'day' },
  },
  'gl-posting-lines': {
    view: 'gl_posting_lines',
    key: [
      { column: 'posting_id', type: 'text' },
      { column: 'line_number', type: 'integer' },
    ],
    window: { column: 'posting_date', unit: 'day' },
  },
};

/** How a column's texts are to be understood. */
export type ColumnType = 'text' | 'integer' | 'decimal' | 'float' | 'boolean' | 'day' | 'instant' | 'json';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/** Between the parts of a key of several columns. */
const KEY_SEPARATOR = ':';

/** The key of a row as it travels in `after`. */
export function keyText(dataset: Dataset, columns: readonly Column[], row: readonly (string | null)[]): string {
  return dataset.key
    .map(({ column }) => row[columns.findIndex(({ name }) => name === column)] ?? '')
    .join(KEY_SEPARATOR);
}

/** @returns the parts, or null when the text is no key of this dataset. */
export function keyParts(dataset: Dataset, text: string): string[] | null {
  const parts = text.split(KEY_SEPARATOR);
  const fits = (part: string, index: number) => {
    const type = dataset.key[index]?.type;
    return type === 'text' ? /^\w{1,100}$/.test(part) : /^\d{1,18}$/.test(part);
  };
  return parts.length === dataset.key.length && parts.every(fits) ? parts : null;
}

/** Instants as RFC 3339 in UTC, arrays as JSON; everything else is the database's own text. */
function selected({ name, type }: { name: string; type: string }): string {
  if (type === 'timestamptz') return `to_char(${name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ${name}`;
  return type.startsWith('_') ? `to_jsonb(${name}) as ${name}` : name;
}

export interface Window {
  /** A day or an instant, by the dataset. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Of the last row that arrived. */
  readonly after?: readonly string[] | undefined;
}

export interface Statement {
  readonly text: string;
  readonly values: readonly string[];
}

/** @param columns name and type of the view's columns, in order. */
export function statementFor(
  dataset: Dataset,
  columns: readonly { name: string; type: string }[],
  window: Window,
): Statement {
  const values: string[] = [];
  const value = (text: string, type: string) => `$${values.push(text)}::${type}`;
  const { column, unit } = dataset.window;
  const type = unit === 'day' ? 'date' : 'timestamptz';
  const conditions: string[] = [];
  if (window.from !== undefined) conditions.push(`${column} >= ${value(window.from, type)}`);
  if (window.to !== undefined) conditions.push(`${column} ${unit === 'day' ? '<=' : '<'} ${value(window.to, type)}`);
  const order = dataset.key.map((part) => part.column).join(', ');
  if (window.after !== undefined) {
    const parts = dataset.key.map((part, index) => value(window.after?.[index] ?? '', part.type));
    conditions.push(`(${order}) > (${parts.join(', ')})`);
  }
  const where = conditions.length > 0 ? ` where ${conditions.join(' and ')}` : '';
  const list = columns.map(selected).join(', ');
  return { text: `select ${list} from bi.${dataset.view}${where} order by ${order}`, values };
}

export function columnsOf(columns: readonly { name: string; type: string }[]): Column[] {
  return columns.map(({ name, type }) => ({ name, type: pgTypeOf(type) }));
}
