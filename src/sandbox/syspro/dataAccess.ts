import { candidates, compareValues, matches, readWhere } from './conditions.js';
import type { QueryObject } from './documents.js';
import { COMKEY } from './elements.js';
import { EnetError, errorXml, failure, PLACEHOLDER_TEXTS, translateNumber } from './failures.js';
import { shownSupplierKey, storedSupplierKey } from './payables.js';
import { type Column, type Table, visitTable } from './tables.js';
import { answerDocument, group, leaf, leaves, type XmlElement } from './xml.js';

/** COMFND, rows of a table by condition (SYSPRO e.net: COMFND). No cursor: callers page by key. */
export const findRows: QueryObject = ({ company, settings }, document) => {
  const found = visitTable(document.value('TableName'), company, settings, (table) =>
    find(table, document, settings.findRowsMax),
  );
  if (found === undefined) throw new EnetError(PLACEHOLDER_TEXTS.badTable);
  return found;
};

function find<Row>(table: Table<Row>, document: XmlElement, rowsMax: number | null): string {
  const columns = readColumns(table, document);
  const condition = readWhere(document.child('Where'), table);
  const order = (document.child('OrderBy')?.all('Column') ?? []).map((element) => columnOf(table, element.text.trim()));
  const limit = Math.min(readCount(document.value('ReturnRows')), rowsMax ?? Number.POSITIVE_INFINITY);
  const source = (condition && candidates(condition, table)) ?? table.rows();
  let rows: Row[] = [];
  for (const row of source) {
    if (condition !== undefined && !matches(condition, row)) continue;
    rows.push(row);
    // Without an order the first rows will do, and a table of half a million need not be read to its end.
    if (order.length === 0 && rows.length >= limit) break;
  }
  if (order.length > 0) rows = sorted(rows, order).slice(0, limit);
  const body = rows.map((row) => group('Row', ...columns.map(([name, column]) => `${leaf(name, column.read(row))}\n`)));
  return answerDocument(
    table.name,
    group(
      'HeaderDetails',
      leaf('TableName', table.name),
      group('Columns', ...columns.map(([name]) => leaf('Column', name))),
      group(
        'OrderBy',
        ...(document.child('OrderBy')?.all('Column') ?? []).map((element) => leaf('Column', element.text.trim())),
      ),
    ),
    ...body,
    `<RowsReturned>${String(rows.length).padStart(8)}</RowsReturned>\n`,
  );
}

function readColumns<Row>(table: Table<Row>, document: XmlElement): [string, Column<Row>][] {
  if (document.value('AllColumns') === 'Y') return [...table.columns];
  const names = (document.child('Columns')?.all('Column') ?? []).map((element) => element.text.trim());
  if (names.length === 0) throw new EnetError(PLACEHOLDER_TEXTS.badColumn);
  return names.map((name) => [name, columnOf(table, name)]);
}

function columnOf<Row>(table: Table<Row>, name: string): Column<Row> {
  const column = table.columns.get(name);
  if (column === undefined) throw new EnetError(PLACEHOLDER_TEXTS.badColumn);
  return column;
}

/** @returns how many rows are wanted; all of them where the text is blank or zero. */
function readCount(text: string): number {
  const count = Number(text);
  return Number.isInteger(count) && count > 0 ? count : Number.POSITIVE_INFINITY;
}

function sorted<Row>(rows: readonly Row[], order: readonly Column<Row>[]): Row[] {
  return [...rows].sort((a, b) => {
    for (const column of order) {
      const difference = compareValues(column.kind, column.read(a), column.read(b));
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

/** A table's rows in the order of its first key column. */
function inKeyOrder<Row>(table: Table<Row>): { rows: Row[]; key: Column<Row> } {
  const key = columnOf(table, table.key[0] ?? '');
  const order = table.key.map((name) => columnOf(table, name));
  return { rows: sorted([...table.rows()], order), key };
}

/** COMBRW, one page of a browse over a table (SYSPRO e.net: COMBRW). */
export const browseRows: QueryObject = ({ company, settings }, document) => {
  const details = document.child('BrowseDetails');
  const name = details?.value('TableName') || document.value('BrowseName');
  const page = visitTable(name, company, settings, (table) => browse(table, document, details));
  if (page === undefined) throw new EnetError(PLACEHOLDER_TEXTS.badTable);
  return page;
};

function browse<Row>(table: Table<Row>, document: XmlElement, details: XmlElement | undefined): string {
  const columns = (details?.all('Column') ?? []).map((element): [string, Column<Row>] => {
    const column = element.value('ColumnName');
    return [column, columnOf(table, column)];
  });
  const { rows, key } = inKeyOrder(table);
  const filtered = filterRows(table, rows, document);
  const start = document.value('StartAtKey');
  const condition = document.value('StartCondition') || 'EF';
  const from = key.kind === 'KEY' && start !== '' ? storedSupplierKey(start) : start;
  // EF and GE begin at the key or after it, GR after it; LE looks backward, up to the key.
  const kept = filtered.filter((row) => {
    if (from === '') return true;
    const order = compareValues(key.kind, key.read(row), from);
    return condition === 'GR' ? order > 0 : condition === 'LE' ? order <= 0 : order >= 0;
  });
  const size = Math.min(readCount(document.value('ReturnRows')), 10_000);
  const page = condition === 'LE' ? kept.slice(-size) : kept.slice(0, size);
  const [first] = page;
  const next = condition === 'LE' ? undefined : kept[size];
  const hasEarlier = first !== undefined && filtered[0] !== first;
  return answerDocument(
    document.value('BrowseName') || table.name,
    leaf('Title', details?.value('Title') ?? ''),
    ...page.map((row) =>
      group(
        'Row',
        ...columns.map(([name, column]) =>
          group(name, leaf('Value', column.read(row)), leaf('DataType', column.kind === 'NUMBER' ? 'N' : 'A')),
        ),
      ),
    ),
    group(
      'NextPrevKey',
      leaves({
        NextKey: next === undefined ? '' : key.read(next),
        PrevKey: hasEarlier && first !== undefined ? key.read(first) : '',
        Fwd: next === undefined ? 'False' : 'True',
        Back: hasEarlier ? 'True' : 'False',
      }),
    ),
  );
}

function filterRows<Row>(table: Table<Row>, rows: Row[], document: XmlElement): Row[] {
  const name = document.value('Filter', 'ColumnFilterName');
  if (name === '') return rows;
  const column = columnOf(table, name);
  const value = document.value('Filter', 'ColumnFilterValue');
  return rows.filter((row) => compareValues(column.kind, column.read(row), value) === 0);
}

/** COMFCH, one row by its key with all columns (SYSPRO e.net: COMFCH). */
export const fetchRow: QueryObject = ({ company, settings }, document) => {
  const given = [document.value('Key')];
  for (let index = 1; index <= 12; index += 1) given.push(document.value(`OptionalKey${index}`));
  const isFullKey = document.value('FullKeyProvided') === 'Y';
  const name = document.value('TableName');
  const row = visitTable(name, company, settings, (table) => fetch(table, given, isFullKey));
  if (row === undefined) throw new EnetError(PLACEHOLDER_TEXTS.badTable);
  return answerDocument(name, row === '' ? errorXml(failure('keyMissing', document.value('Key'), 'Key')) : row);
};

/** @returns the row's columns; empty when there is none. A full key must be in the stored form already. */
function fetch<Row>(table: Table<Row>, given: readonly string[], isFullKey: boolean): string {
  const wanted = table.key.map((name, index) => {
    const column = columnOf(table, name);
    const value = given[index] ?? '';
    return { name, column, value: column.kind === 'KEY' && !isFullKey ? storedSupplierKey(value) : value };
  });
  const indexed = wanted.map(({ name, value }) => table.lookup(name, value)).find((rows) => rows !== undefined);
  for (const row of indexed ?? table.rows()) {
    if (!wanted.every(({ column, value }) => compareValues(column.kind, column.read(row), value) === 0)) continue;
    return [...table.columns].map(([name, column]) => `${leaf(name, column.read(row))}\n`).join('');
  }
  return '';
}

/** NextKey and PreviousKey: the neighbour of a key. The answer's elements are assumed, see `elements.ts`. */
export function neighbourKey(step: 1 | -1): QueryObject {
  return ({ company, settings }, document) => {
    const name = document.value('TableName');
    const key = visitTable(name, company, settings, (table) => neighbour(table, document.value('Key'), step));
    if (key === undefined) throw new EnetError(PLACEHOLDER_TEXTS.badTable);
    return answerDocument(COMKEY.root, leaves({ TableName: name, Key: key }));
  };
}

function neighbour<Row>(table: Table<Row>, given: string, step: 1 | -1): string {
  const { rows, key } = inKeyOrder(table);
  const from = key.kind === 'KEY' && given !== '' ? storedSupplierKey(given) : given;
  const ordered = step === 1 ? rows : rows.reverse();
  const next = ordered.find((row) => from === '' || compareValues(key.kind, key.read(row), from) * step > 0);
  return next === undefined ? '' : key.read(next);
}

/** COMQKY, a stored key as it is shown: function `T` (SYSPRO e.net: COMQKY). */
export const editKey: QueryObject = ({ company }, document) => {
  const key = document.child('Key');
  const full = key?.value('FullValue') ?? '';
  const isSupplier = key?.value('KeyType') === 'Supplier';
  const edited = isSupplier ? shownSupplierKey(storedSupplierKey(full), company.seed.supplierKeyLength) : full;
  return answerDocument(
    'Query',
    group('Key', leaves({ KeyType: key?.value('KeyType') ?? '', FullValue: full, EditedValue: edited })),
  );
};

/** COMQER, a message number as text (SYSPRO e.net: COMQER). */
export const translateMessage: QueryObject = (_context, document) => {
  const code = document.value('ErrorMessage', 'ErrorCode');
  const text = translateNumber(code, document.value('ErrorMessage', 'Parameter1'));
  return answerDocument(
    'TranslatedErrorMessages',
    group('MessageDetails', leaves({ ErrorCode: code, TranslatedMessage: text ?? '' })),
  );
};
