import { decimalsOf, formatMinor, readDay, soapDay } from './amounts.js';
import { accountRow, dimensionRow, entryRow, supplierRow } from './classes.js';
import { type Entry, entryField, type Supplier, type X3Company } from './company.js';
import {
  type AnalyticDraft,
  analyticDraft,
  ENTRY_FIELDS,
  type EntryDraft,
  LINE_FIELDS,
  type LineDraft,
  writeEntry,
} from './entries.js';
import type { GroupLayout, SoapValues } from './soapDocument.js';
import { ADDRESS_FIELDS, SUPPLIER_FIELDS, writeSupplier } from './suppliers.js';
import type { Row } from './where.js';
import { isRefusal, type Refusal, words } from './words.js';

export interface ObjectAnswer {
  messages: string[];
  values: SoapValues;
}

/** A published object: what `save`, `read` and `query` do with it. */
export interface PublishedObject {
  layout: readonly GroupLayout[];
  save?(values: SoapValues): ObjectAnswer | Refusal;
  read(keys: ReadonlyMap<string, string>): SoapValues | undefined;
  /** Rows in the key's order; the keys given must match exactly. */
  query(keys: ReadonlyMap<string, string>): Iterable<Map<string, string>>;
}

const SLOTS = Array.from({ length: 9 }, (_unused, index) => index + 1);
const DIMENSION_FIELDS = ['DIE', 'CCE', ...SLOTS.flatMap((slot) => [`DIE${slot}`, `CCE${slot}`])];
const DATES = ['ACCDAT', 'ENTDAT', 'VALDAT', 'BPRDATVCR'];

/** @returns the object behind a public name; undefined when the customer published none under it. */
export function publishedObject(company: X3Company, publicName: string): PublishedObject | undefined {
  const { publications } = company.settings;
  if (publicName === publications.journal) return journalObject(company);
  if (publicName === publications.supplier) return supplierObject(company);
  if (publicName === publications.account) {
    return readOnly('GAC0_1', ['COA', 'ACC'], accountRowNames, {
      get: (keys) => company.accounts.get(`${keys.get('COA') || company.codes.chart}~${keys.get('ACC') ?? ''}`),
      all: (keys) =>
        (keys.get('ACC') ? company.accounts.withValue('ACC', keys.get('ACC') ?? '') : undefined) ??
        company.accounts.above(),
      row: accountRow,
    });
  }
  if (publicName === publications.dimension) {
    return readOnly('CCE0_1', ['DIE', 'CCE'], dimensionRowNames, {
      get: (keys) => company.dimension(keys.get('DIE') ?? '', keys.get('CCE') ?? ''),
      all: () => company.dimensions.above(),
      row: dimensionRow,
    });
  }
  return undefined;
}

const accountRowNames = ['COA', 'ACC', 'DES', 'DESSHO', 'ENAFLG', 'SAC', 'OBYIPT', 'FCY', 'CUR', 'UPDDATTIM'];
const dimensionRowNames = ['DIE', 'CCE', 'DES', 'DESSHO', 'ENAFLG', 'IPT', 'FCY'];

interface ReadSource<T> {
  get(keys: ReadonlyMap<string, string>): T | undefined;
  all(keys: ReadonlyMap<string, string>): Iterable<T>;
  row(item: T): Row;
}

function readOnly<T>(
  group: string,
  keyNames: readonly string[],
  fields: readonly string[],
  source: ReadSource<T>,
): PublishedObject {
  return {
    layout: [{ id: group, kind: 'GRP', fields }],
    read: (keys) => {
      const found = source.get(keys);
      return found === undefined ? undefined : new Map([[group, [cellsOf(source.row(found))]]]);
    },
    *query(keys) {
      for (const item of source.all(keys)) {
        const row = cellsOf(source.row(item));
        if (fits(row, keys, [...keyNames, ...fields])) yield row;
      }
    },
  };
}

function supplierObject(company: X3Company): PublishedObject {
  const { supplier: head, supplierAddresses: grid } = company.settings.groups;
  return {
    layout: [
      { id: head, kind: 'GRP', fields: SUPPLIER_FIELDS },
      { id: grid, kind: 'TAB', fields: [...ADDRESS_FIELDS, '#'] },
    ],
    save: (values) => {
      const outcome = writeSupplier(company, { fields: block(values, head), addresses: values.get(grid) ?? [] });
      if (isRefusal(outcome)) return outcome;
      return { messages: [words.created('Supplier', outcome.code)], values: supplierValues(outcome, head, grid) };
    },
    read: (keys) => {
      const supplier = company.suppliers.get(keys.get('BPSNUM') ?? '');
      return supplier === undefined ? undefined : supplierValues(supplier, head, grid);
    },
    *query(keys) {
      const byKey = company.suppliers.get(keys.get('BPSNUM') ?? '');
      const marked = keys.get('BPSREM');
      const given = keys.get('BPSNUM') ?? '';
      const found =
        given !== ''
          ? byKey === undefined
            ? []
            : [byKey]
          : marked
            ? company.suppliers.withValue('BPSREM', marked)
            : undefined;
      for (const supplier of found ?? company.suppliers.above()) {
        const row = cellsOf(supplierRow(supplier));
        if (fits(row, keys, [...row.keys()])) yield row;
      }
    },
  };
}

function supplierValues(supplier: Supplier, head: string, grid: string): SoapValues {
  const row = cellsOf(supplierRow(supplier));
  const fields = new Map(SUPPLIER_FIELDS.map((name) => [name, row.get(name) ?? '']));
  return new Map([
    [head, [fields]],
    [grid, supplier.addresses.map((address) => new Map([...address].filter(([name]) => name !== '#')))],
  ]);
}

function journalObject(company: X3Company): PublishedObject {
  const { journalKey, journalHeader, journalLines, journalAnalytics } = company.settings.groups;
  return {
    // Which header field stands in which block is the screen's affair; both blocks take all of them.
    layout: [
      { id: journalKey, kind: 'GRP', fields: ENTRY_FIELDS },
      { id: journalHeader, kind: 'GRP', fields: ENTRY_FIELDS },
      { id: journalLines, kind: 'TAB', fields: [...LINE_FIELDS, ...DIMENSION_FIELDS, '#'] },
      { id: journalAnalytics, kind: 'TAB', fields: ['LIN', 'ANALIN', 'AMTCUR', ...DIMENSION_FIELDS, '#'] },
    ],
    save: (values) => {
      const fields = soapDates(new Map([...block(values, journalKey), ...block(values, journalHeader)]));
      const lines = lineDrafts(values.get(journalLines) ?? [], values.get(journalAnalytics) ?? []);
      const draft: EntryDraft = { fields, lines, origin: 1 };
      const outcome = writeEntry(company, draft);
      if (isRefusal(outcome)) return outcome;
      const { entry } = outcome;
      return {
        messages: [words.created('Entry', `${entry.type} ${entry.number}`)],
        values: entryValues(company, entry),
      };
    },
    read: (keys) => {
      const entry = company.entries.get(`${keys.get('TYP') ?? ''}~${keys.get('NUM') ?? ''}`);
      return entry === undefined ? undefined : entryValues(company, entry);
    },
    *query(keys) {
      for (const entry of entriesFor(company, keys)) {
        const row = cellsOf(entryRow(company, entry));
        if (fits(row, keys, [...row.keys()])) yield row;
      }
    },
  };
}

function entriesFor(company: X3Company, keys: ReadonlyMap<string, string>): Iterable<Entry> {
  for (const field of ['REFINT', 'NUM', 'BPRVCR']) {
    const value = keys.get(field) ?? '';
    const found = value === '' ? undefined : company.entries.withValue(field, value);
    if (found !== undefined) return found;
  }
  return company.entries.above();
}

/** Dates of classic web services are eight digits; anything else stays as it is and is refused by the entry's checks. */
export function soapDates(fields: Map<string, string>): Map<string, string> {
  for (const name of DATES) {
    const text = fields.get(name) ?? '';
    if (text !== '') fields.set(name, readDay(text, 'YYYYMMDD') ?? `(${text})`);
  }
  return fields;
}

/** Dimensions stand in the line, for all of its amount, or in rows of the split grid that name their line. */
function lineDrafts(rows: readonly Map<string, string>[], splits: readonly Map<string, string>[]): LineDraft[] {
  const splitsOf = new Map<string, AnalyticDraft[]>();
  for (const row of splits) {
    const draft = analyticDraft(row, row.get('AMTCUR') ?? '');
    const line = row.get('LIN') ?? '';
    if (draft !== undefined) splitsOf.set(line, [...(splitsOf.get(line) ?? []), draft]);
  }
  return rows.map((row, index) => {
    const number = row.get('LIN') || row.get('#') || String(index + 1);
    const own = analyticDraft(row, row.get('AMTCUR') ?? '');
    const analytics = splitsOf.get(number) ?? (own === undefined ? [] : [own]);
    return { fields: row, analytics };
  });
}

function entryValues(company: X3Company, entry: Entry): SoapValues {
  const { journalKey, journalHeader, journalLines, journalAnalytics } = company.settings.groups;
  const row = cellsOf(entryRow(company, entry));
  const pick = (names: readonly string[]) =>
    new Map(names.map((name): [string, string] => [name, row.get(name) ?? '']));
  const decimals = decimalsOf(entryField(entry, 'CUR'));
  const lines = entry.lines.map((line) => {
    const texts = ['BPR', 'DES', 'FREREF', 'REFINTLIN', 'TAX'].map((name): [string, string] => [
      name,
      line.fields.get(name) ?? '',
    ]);
    const amount = formatMinor(line.amount, decimals);
    return new Map([
      ['LIN', String(line.number)],
      ['ACC', line.account],
      ['SNS', String(line.sign)],
      ['AMTCUR', amount],
      ...texts,
    ]);
  });
  const types = [...company.dimensionTypes.keys()];
  const analytics = entry.lines.flatMap((line) =>
    line.analytics.map((analytic) => {
      const slots = types.flatMap((type, slot): [string, string][] => [
        [`DIE${slot + 1}`, analytic.codes.has(type) ? type : ''],
        [`CCE${slot + 1}`, analytic.codes.get(type) ?? ''],
      ]);
      const amount = formatMinor(analytic.amount, decimals);
      return new Map([['LIN', String(line.number)], ['ANALIN', String(analytic.number)], ['AMTCUR', amount], ...slots]);
    }),
  );
  return new Map([
    [journalKey, [pick(['TYP', 'NUM', 'FCY'])]],
    [journalHeader, [pick(['JOU', 'ACCDAT', 'CAT', 'STA', 'CUR', 'DESVCR', 'REF', 'REFINT', 'BPRVCR'])]],
    [journalLines, lines],
    [journalAnalytics, analytics],
  ]);
}

function block(values: SoapValues, id: string): Map<string, string> {
  return new Map(values.get(id)?.[0] ?? []);
}

function cellsOf(row: Row): Map<string, string> {
  return new Map(
    Object.entries(row).map(([name, value]) => [
      name,
      DATES.includes(name) || name === 'UPDDAT' ? soapDay(String(value)) : String(value),
    ]),
  );
}

function fits(row: ReadonlyMap<string, string>, keys: ReadonlyMap<string, string>, names: readonly string[]): boolean {
  return [...keys].every(([name, value]) => value === '' || !names.includes(name) || row.get(name) === value);
}
