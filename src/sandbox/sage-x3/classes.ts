import { createHash } from 'node:crypto';
import { Decimal, decimalsOf } from './amounts.js';
import {
  type Account,
  type Dimension,
  type Entry,
  type EntryLine,
  entryField,
  type Supplier,
  type X3Company,
} from './company.js';
import { ADDRESS_FIELDS, SUPPLIER_FIELDS } from './suppliers.js';
import type { Cell, FieldKind, Row } from './where.js';

export interface Item {
  readonly key: string;
  readonly row: Row;
}

/** One REST class with the representation of the same name. */
export interface RestClass {
  readonly name: string;
  /** Fields of the `$query` facet. */
  readonly fields: ReadonlyMap<string, FieldKind>;
  /** All items in the key's order, from the first key above `after`. */
  above(after: string | undefined): Iterable<Item>;
  /** Items with a value of an indexed field; undefined when the field has no index. */
  withValue(field: string, value: string): Item[] | undefined;
  details(key: string): Record<string, unknown> | undefined;
}

const STAMPS: readonly string[] = ['CREDATTIM', 'UPDDATTIM', 'UPDDAT'];

/** A name-based id that stays the same for the same record. */
export function uuidOf(key: string): string {
  const hex = createHash('sha256').update(key).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** @returns the class that the path names; undefined when this installation has none of that name. */
export function restClass(company: X3Company, name: string): RestClass | undefined {
  const { classes } = company.settings;
  switch (name) {
    case classes.supplier:
      return tableClass(company, name, company.suppliers, supplierRow, (supplier) => ({
        BPSADDRESSES: supplier.addresses.map((address, index) => ({
          $uuid: uuidOf(`${supplier.code}~${index}`),
          ...pick(address, ADDRESS_FIELDS),
        })),
      }));
    case classes.account:
      return tableClass(company, name, company.accounts, accountRow, () => ({}));
    case classes.dimension:
      return tableClass(company, name, company.dimensions, dimensionRow, () => ({}));
    case classes.dimensionType:
      return listClass(
        name,
        [...company.dimensionTypes].map(([DIE, DES]) => ({ key: DIE, row: { DIE, DES, ENAFLG: 2 } })),
      );
    case classes.journal:
      return tableClass(
        company,
        name,
        company.entries,
        (entry) => entryRow(company, entry),
        (entry) => entryLines(company, entry),
      );
    case classes.journalLine:
      return childClass(company, name, lineItems);
    case classes.journalAnalytic:
      return childClass(company, name, analyticItems);
    case classes.period:
      return listClass(name, periodItems(company));
    case classes.taxCode:
      return listClass(
        name,
        company.seed.taxCodes.map(({ code, name: title, percent }) => ({
          key: code,
          row: { VAT: code, VATDES: title, VATRAT: percent },
        })),
      );
    case classes.site: {
      const { site, company: legal } = company.codes;
      return listClass(name, [
        { key: site, row: { FCY: site, FCYNAM: company.seed.name, LEGCPY: legal, CUR: company.ledgerCurrency } },
      ]);
    }
    default:
      return undefined;
  }
}

interface Source<T> {
  keyOf(item: T): string;
  get(key: string): T | undefined;
  above(after?: string): Iterable<T>;
  withValue(field: string, value: string): readonly T[] | undefined;
}

function tableClass<T>(
  company: X3Company,
  name: string,
  source: Source<T>,
  rowOf: (item: T) => Row,
  childrenOf: (item: T) => Record<string, unknown>,
): RestClass {
  const { stampsInQuery, referenceInQuery, classes } = company.settings;
  const sample = SAMPLES[kindOf(company, name)] ?? {};
  const hidden = (field: string): boolean =>
    (!stampsInQuery && STAMPS.includes(field)) || (!referenceInQuery && name === classes.journal && field === 'REFINT');
  // Scans of many records must not copy each row for nothing.
  const isWhole = !Object.keys(sample).some(hidden);
  const shown = Object.entries(sample).filter(([field]) => !hidden(field));
  const item = (record: T): Item => {
    const row = rowOf(record);
    const visible = isWhole ? row : Object.fromEntries(Object.entries(row).filter(([field]) => !hidden(field)));
    return { key: source.keyOf(record), row: visible };
  };
  return {
    name,
    fields: new Map(shown),
    *above(after) {
      for (const record of source.above(after)) yield item(record);
    },
    withValue: (field, value) => source.withValue(field, value)?.map(item),
    details(key) {
      const record = source.get(key);
      if (record === undefined) return undefined;
      const row = rowOf(record);
      const stamp = row.UPDDATTIM;
      const head = { $uuid: uuidOf(`${name}~${key}`), $key: key, ...(stamp === undefined ? {} : { $etag: stamp }) };
      return { ...head, ...row, ...references(row), ...childrenOf(record) };
    },
  };
}

function listClass(name: string, items: readonly Item[]): RestClass {
  const sorted = [...items].sort((a, b) => (a.key < b.key ? -1 : 1));
  const kinds = Object.entries(sorted[0]?.row ?? {}).map(([field, cell]): [string, FieldKind] => [
    field,
    kindOfCell(field, cell),
  ]);
  return {
    name,
    fields: new Map(kinds),
    above: (after) => sorted.filter((item) => after === undefined || item.key > after),
    withValue: () => undefined,
    details: (key) => {
      const found = sorted.find((item) => item.key === key);
      return found === undefined ? undefined : { $uuid: uuidOf(`${name}~${key}`), $key: key, ...found.row };
    },
  };
}

/** Lines and analytical lines as classes of their own: found by NUM through the journal's index. */
function childClass(
  company: X3Company,
  name: string,
  itemsOf: (company: X3Company, entry: Entry) => Item[],
): RestClass {
  const sample = name === company.settings.classes.journalLine ? SAMPLES.line : SAMPLES.analytic;
  return {
    name,
    fields: new Map(Object.entries(sample ?? {})),
    *above(after) {
      const [type, number] = (after ?? '').split('~');
      const parent = after === undefined ? undefined : company.entries.get(`${type}~${number}`);
      const rest = (parent === undefined ? [] : itemsOf(company, parent)).filter((item) => item.key > (after ?? ''));
      yield* rest;
      for (const entry of company.entries.above(after === undefined ? undefined : `${type}~${number}`)) {
        yield* itemsOf(company, entry);
      }
    },
    withValue: (field, value) =>
      field === 'NUM'
        ? company.entries.withValue('NUM', value)?.flatMap((entry) => itemsOf(company, entry))
        : undefined,
    details(key) {
      const [type, number] = key.split('~');
      const parent = company.entries.get(`${type}~${number}`);
      const found = parent === undefined ? undefined : itemsOf(company, parent).find((item) => item.key === key);
      return found === undefined ? undefined : { $uuid: uuidOf(`${name}~${key}`), $key: key, ...found.row };
    },
  };
}

export function supplierRow(supplier: Supplier): Row {
  const { fields, active, createdAt, updatedAt } = supplier;
  return {
    ...pick(fields, SUPPLIER_FIELDS),
    BPSTYP: Number(fields.get('BPSTYP') || 1),
    ENAFLG: active ? 2 : 1,
    PAYLOKFLG: Number(fields.get('PAYLOKFLG') || 1),
    DOUFLG: Number(fields.get('DOUFLG') || 1),
    BPRNUM: supplier.code,
    CREDATTIM: createdAt,
    UPDDATTIM: updatedAt,
    UPDDAT: updatedAt.slice(0, 10),
  };
}

export function accountRow({ chart, code, name, control, active, mandatoryTypes, updatedAt }: Account): Row {
  return {
    COA: chart,
    ACC: code,
    DES: name,
    DESSHO: name.slice(0, 20),
    ENAFLG: active ? 2 : 1,
    SAC: control ? 'CTRL' : '',
    OBYIPT: mandatoryTypes.length > 0 ? 2 : 1,
    FCY: '',
    CUR: '',
    UPDDATTIM: updatedAt,
  };
}

export function dimensionRow({ type, code, name, active, postable }: Dimension): Row {
  return {
    DIE: type,
    CCE: code,
    DES: name,
    DESSHO: name.slice(0, 20),
    ENAFLG: active ? 2 : 1,
    IPT: postable ? 2 : 1,
    FCY: '',
  };
}

export function entryRow(company: X3Company, entry: Entry): Row {
  const texts = ['FCY', 'JOU', 'ACCDAT', 'CUR', 'DESVCR', 'REF', 'REFINT', 'REFSIM', 'BPRVCR'];
  return {
    TYP: entry.type,
    NUM: entry.number,
    CPY: company.codes.company,
    ...pick(entry.fields, texts),
    CAT: Number(entryField(entry, 'CAT')),
    STA: Number(entryField(entry, 'STA')),
    FIY: entry.year,
    PER: entry.period,
    ORIGIN: entry.origin,
    RVS: 1,
    CREDATTIM: entry.createdAt,
    UPDDATTIM: entry.updatedAt,
    UPDDAT: entry.updatedAt.slice(0, 10),
  };
}

/** Every line once per ledger type, so that who forgets LEDTYP counts twice (reference: journal lines). */
export function lineRow(company: X3Company, entry: Entry, line: EntryLine, ledgerType: number): Row {
  const currency = entryField(entry, 'CUR');
  return {
    TYP: entry.type,
    NUM: entry.number,
    LIN: line.number,
    LEDTYP: ledgerType,
    COA: company.codes.chart,
    ACC: line.account,
    SNS: line.sign,
    AMTCUR: new Decimal(line.amount, decimalsOf(currency)),
    AMTLED: new Decimal(line.ledgerAmount, decimalsOf(company.ledgerCurrency)),
    CUR: currency,
    CURLED: company.ledgerCurrency,
    FCYLIN: line.fields.get('FCYLIN') || entryField(entry, 'FCY'),
    ...pick(line.fields, ['BPR', 'DES', 'FREREF', 'REFINTLIN', 'TAX']),
  };
}

function lineItems(company: X3Company, entry: Entry): Item[] {
  return entry.lines.flatMap((line) =>
    company.settings.ledgerTypes.map((ledgerType) => ({
      key: `${entry.type}~${entry.number}~${padded(line.number)}~${ledgerType}`,
      row: lineRow(company, entry, line, ledgerType),
    })),
  );
}

function analyticItems(company: X3Company, entry: Entry): Item[] {
  return entry.lines.flatMap((line) =>
    company.settings.ledgerTypes.flatMap((ledgerType) =>
      analyticRows(company, entry, line, ledgerType).map((row) => ({
        key: `${entry.type}~${entry.number}~${padded(line.number)}~${ledgerType}~${padded(Number(row.ANALIN))}`,
        row,
      })),
    ),
  );
}

/** The slots as `DIE`/`CCE`, `DIE2`/`CCE2`: how REST writes an array column is not published. */
export function analyticRows(company: X3Company, entry: Entry, line: EntryLine, ledgerType: number): Row[] {
  return line.analytics.map((analytic) => {
    const row: Record<string, Cell> = {
      TYP: entry.type,
      NUM: entry.number,
      LIN: line.number,
      LEDTYP: ledgerType,
      ANALIN: analytic.number,
      ACC: line.account,
      SNS: line.sign,
      AMTCUR: new Decimal(analytic.amount, decimalsOf(entryField(entry, 'CUR'))),
    };
    [...company.dimensionTypes.keys()].forEach((type, slot) => {
      const suffix = slot === 0 ? '' : String(slot + 1);
      row[`DIE${suffix}`] = analytic.codes.has(type) ? type : '';
      row[`CCE${suffix}`] = analytic.codes.get(type) ?? '';
    });
    return row;
  });
}

function entryLines(company: X3Company, entry: Entry): Record<string, unknown> {
  const { lineCollection, analyticCollection, ledgerTypes } = company.settings;
  const lines = entry.lines.flatMap((line) =>
    ledgerTypes.map((ledgerType) => ({
      $uuid: uuidOf(`${entry.type}~${entry.number}~${line.number}~${ledgerType}`),
      ...lineRow(company, entry, line, ledgerType),
      [analyticCollection]: analyticRows(company, entry, line, ledgerType).map((row) => ({
        $uuid: uuidOf(`${entry.type}~${entry.number}~${line.number}~${ledgerType}~${row.ANALIN}`),
        ...row,
      })),
    })),
  );
  return { [lineCollection]: lines };
}

export function periodItems(company: X3Company): Item[] {
  return company.periods.map((period) => ({
    key: `${company.codes.company}~1~${String(period.number).padStart(4, '0')}`,
    row: {
      CPY: company.codes.company,
      LEDTYP: 1,
      FIY: period.year,
      PER: period.number,
      PERSTR: period.startsOn,
      PEREND: period.endsOn,
      PERSTA: period.open ? 2 : 3,
    },
  }));
}

const padded = (number: number): string => String(number).padStart(6, '0');

function pick(fields: ReadonlyMap<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, fields.get(name) ?? '']));
}

function references(row: Row): Record<string, unknown> {
  const currency = row.CUR;
  return currency === undefined || currency === '' ? {} : { CUR_REF: { $title: String(currency) } };
}

function kindOfCell(field: string, cell: Cell): FieldKind {
  if (cell instanceof Decimal) return 'decimal';
  if (typeof cell === 'number') return 'integer';
  if (field === 'CREDATTIM' || field === 'UPDDATTIM') return 'datetime';
  return ['ACCDAT', 'UPDDAT', 'PERSTR', 'PEREND'].includes(field) ? 'date' : 'string';
}

function kindOf(company: X3Company, name: string): string {
  const { classes } = company.settings;
  return Object.entries(classes).find(([, value]) => value === name)?.[0] ?? '';
}

const kinds = (names: string, others: Record<string, FieldKind> = {}): Record<string, FieldKind> => ({
  ...Object.fromEntries(names.split(' ').map((name): [string, FieldKind] => [name, 'string'])),
  ...others,
});
const stamps: Record<string, FieldKind> = { CREDATTIM: 'datetime', UPDDATTIM: 'datetime', UPDDAT: 'date' };
const menus = (names: string): Record<string, FieldKind> =>
  Object.fromEntries(names.split(' ').map((name): [string, FieldKind] => [name, 'integer']));

const SAMPLES: Record<string, Record<string, FieldKind>> = {
  supplier: kinds(SUPPLIER_FIELDS.join(' '), {
    BPRNUM: 'string',
    ...menus('BPSTYP ENAFLG PAYLOKFLG DOUFLG'),
    ...stamps,
  }),
  account: kinds('COA ACC DES DESSHO SAC FCY CUR', { ...menus('ENAFLG OBYIPT'), UPDDATTIM: 'datetime' }),
  dimension: kinds('DIE CCE DES DESSHO FCY', menus('ENAFLG IPT')),
  journal: kinds('TYP NUM CPY FCY JOU CUR DESVCR REF REFINT REFSIM BPRVCR', {
    ACCDAT: 'date',
    ...menus('CAT STA FIY PER ORIGIN RVS'),
    ...stamps,
  }),
  line: kinds('TYP NUM COA ACC CUR CURLED FCYLIN BPR DES FREREF REFINTLIN TAX', {
    ...menus('LIN LEDTYP SNS'),
    AMTCUR: 'decimal',
    AMTLED: 'decimal',
  }),
  analytic: kinds('TYP NUM ACC DIE CCE DIE2 CCE2', { ...menus('LIN LEDTYP ANALIN SNS'), AMTCUR: 'decimal' }),
};
