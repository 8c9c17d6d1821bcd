import { ByteWriter, parquetWriteRows, type SchemaElement, type Writer } from 'hyparquet-writer';
import type { Column } from './datasets.js';
import type { Row } from './rows.js';

/** Rows of one row group; what memory holds. */
const GROUP = 5_000;
/** ISO 4217 knows no currency with more decimals. */
const AMOUNT_SCALE = 4;
const RATE_SCALE = 18;
const PRECISION = 38;
const DECIMAL_BYTES = 16;
const DAY_MS = 86_400_000;

/**
 * Amounts are DECIMAL(38, 4), exchange rates DECIMAL(38, 18), days DATE, instants TIMESTAMP_MILLIS in UTC, JSON a text.
 * @param send takes the bytes and resolves when there is room for more.
 */
export async function writeParquet(
  columns: readonly Column[],
  batches: AsyncIterable<readonly Row[]>,
  send: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const writer: ByteWriter & Pick<Writer, 'flush'> = new ByteWriter();
  let hasRows = false;
  const passOn = async () => {
    const bytes = Buffer.from(writer.getBytes());
    writer.index = 0;
    if (bytes.length > 0) await send(hasRows ? bytes : withTypedList(bytes));
  };
  writer.flush = passOn;
  const forms = columns.map(formOf);
  await parquetWriteRows({
    writer,
    rows: values(columns, forms, batches, () => {
      hasRows = true;
    }),
    columns: columns.map(({ name }) => ({ name })),
    schema: [{ name: 'root', num_children: columns.length }, ...forms.map(({ element }) => element)],
    rowGroupSize: GROUP,
    createdBy: 'Ledgergate',
  });
  await passOn();
}

/** Field 3 of the footer, no rows, and field 4, the list of row groups; the last byte is the list's length and type. */
const NO_ROWS = Buffer.from([0x16, 0x00, 0x19, 0x00]);
const LIST_OF_STRUCTS = 0x0c;

/** hyparquet-writer 0.17 gives an empty list no type of element, and readers in Rust refuse the file for it. */
function withTypedList(bytes: Buffer): Buffer {
  const at = bytes.lastIndexOf(NO_ROWS);
  if (at >= 0) bytes[at + NO_ROWS.length - 1] = LIST_OF_STRUCTS;
  return bytes;
}

interface Form {
  readonly element: SchemaElement;
  /** The writer's value of the database's text. */
  value(text: string): unknown;
}

async function* values(
  columns: readonly Column[],
  forms: readonly Form[],
  batches: AsyncIterable<readonly Row[]>,
  begun: () => void,
): AsyncGenerator<Record<string, unknown>> {
  for await (const rows of batches) {
    begun();
    for (const row of rows) {
      yield Object.fromEntries(
        columns.map(({ name }, index) => {
          const text = row[index] ?? null;
          return [name, text === null ? null : forms[index]?.value(text)];
        }),
      );
    }
  }
}

function formOf({ name, type }: Column): Form {
  const optional = { name, repetition_type: 'OPTIONAL' } as const;
  switch (type) {
    case 'integer':
      return { element: { ...optional, type: 'INT64' }, value: BigInt };
    case 'float':
      return { element: { ...optional, type: 'DOUBLE' }, value: Number };
    case 'boolean':
      return { element: { ...optional, type: 'BOOLEAN' }, value: (text) => text === 't' };
    case 'day':
      return {
        element: { ...optional, type: 'INT32', converted_type: 'DATE' },
        value: (text) => Date.parse(`${text}T00:00:00Z`) / DAY_MS,
      };
    case 'instant':
      return {
        element: { ...optional, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
        value: (text) => new Date(text),
      };
    case 'decimal': {
      const scale = name === 'exchange_rate' ? RATE_SCALE : AMOUNT_SCALE;
      return {
        element: {
          ...{ ...optional, type: 'FIXED_LEN_BYTE_ARRAY', type_length: DECIMAL_BYTES },
          ...{ converted_type: 'DECIMAL', precision: PRECISION, scale },
        },
        value: (text) => unscaled(text, scale),
      };
    }
    case 'json':
    case 'text':
      return { element: { ...optional, type: 'BYTE_ARRAY', converted_type: 'UTF8' }, value: (text) => text };
  }
}

/** `-12.5` with scale 4 as -125000n. What a scale cannot hold is cut, which no amount of ISO 4217 reaches. */
function unscaled(text: string, scale: number): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'));
}
