import { InputError } from '../../errors.js';

export const PAGE_DEFAULT = 50;
export const PAGE_MAX = 200;

export interface PageRequest {
  readonly first: number;
  /** The sort key of the row after which the page begins; null = the beginning. */
  readonly after: readonly string[] | null;
}

export interface Page<Row> {
  readonly edges: readonly { readonly cursor: string; readonly node: Row }[];
  readonly nodes: readonly Row[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  /** Rows of the whole list. Asks the database, so only call it when somebody wants to know. */
  countAll(): Promise<number>;
}

/** How one part of a sort key travels in a cursor and what the database compares it as. */
export interface SortKey {
  readonly sql: string;
  readonly type: 'text' | 'bigint' | 'integer';
}

/**
 * A list that can be read by keyset: after any row it can be continued, whatever was written meanwhile.
 * The last of `keys` is unique in the list, so that rows that are equal in the others keep one order.
 */
export interface ListShape {
  /** Goes into cursors: one of another list is refused. */
  readonly name: string;
  /** Tables with aliases; `t` is the one with the tenant. */
  readonly from: string;
  /** The select list; names the row's fields. */
  readonly columns: string;
  readonly keys: readonly SortKey[];
  readonly direction: 'asc' | 'desc';
  /** Present where the list belongs to a parent: what is true of the parent's rows, with its id as `parent.id`. */
  readonly belongs?: string;
}

export interface ListSpec<Row> extends ListShape {
  /** From what the driver gives to what readers of the service see. */
  readonly toRow?: (raw: Row) => Row;
}

const CURSOR_LENGTH_MAX = 2_000;
const WHOLE_NUMBER = /^-?\d{1,18}$/;

export function cursorOf(list: string, key: readonly string[]): string {
  return Buffer.from(JSON.stringify([list, ...key]), 'utf8').toString('base64url');
}

/** @throws InputError malformed, or a cursor of another list. */
function readCursor(spec: ListShape, cursor: string): readonly string[] {
  const parts = cursor.length <= CURSOR_LENGTH_MAX ? decode(cursor) : null;
  if (!parts || parts.length < 1) throw new InputError('`after` is not a cursor.', ['after']);
  const [list, ...key] = parts;
  if (list !== spec.name) {
    throw new InputError('`after` is a cursor of another list: use one of this list.', ['after']);
  }
  const fits =
    key.length === spec.keys.length &&
    spec.keys.every(({ type }, index) => type === 'text' || WHOLE_NUMBER.test(key[index] ?? ''));
  if (!fits) throw new InputError('`after` is not a cursor.', ['after']);
  return key;
}

function decode(cursor: string): string[] | null {
  try {
    const bytes = Buffer.from(cursor, 'base64url');
    // The decoder skips what it does not know: only a text that it would itself have written is a cursor.
    if (bytes.toString('base64url') !== cursor) return null;
    const parts: unknown = JSON.parse(bytes.toString('utf8'));
    if (!Array.isArray(parts) || !parts.every((part) => typeof part === 'string')) return null;
    // PostgreSQL text cannot hold it, and no cursor of ours does.
    return parts.some((part) => part.includes('\u0000')) ? null : parts;
  } catch {
    return null;
  }
}

/** @throws InputError naming `first` or `after`. */
export function pageRequest(
  spec: ListShape,
  first: number | null | undefined,
  after: string | null | undefined,
): PageRequest {
  const size = first ?? PAGE_DEFAULT;
  if (!Number.isInteger(size) || size < 1 || size > PAGE_MAX) {
    throw new InputError(`\`first\` is a number from 1 to ${PAGE_MAX}, not ${size}.`, ['first']);
  }
  return { first: size, after: after == null ? null : readCursor(spec, after) };
}

/** Conditions of a query with their parameters; `$?` in a condition is the value's place. */
export class Where {
  readonly parameters: unknown[];
  private readonly conditions: string[] = [];

  constructor(...parameters: readonly unknown[]) {
    this.parameters = [...parameters];
  }

  /** Adds the condition when the value is given: null and undefined mean "any". */
  and(condition: string, value: unknown): this {
    if (value === null || value === undefined) return this;
    this.parameters.push(value);
    this.conditions.push(condition.replaceAll('$?', `$${this.parameters.length}`));
    return this;
  }

  parameter(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  get sql(): string {
    return this.conditions.map((condition) => ` and (${condition})`).join('');
  }
}

/** `like` pattern that finds the text anywhere, whatever signs it contains. */
export function containing(text: string | null | undefined): string | null {
  return text ? `%${text.replace(/[\\%_]/g, '\\$&')}%` : null;
}

interface PageStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/**
 * One statement for a page of each parent: `$1` the tenant, `$2` the parents' ids (one empty text for a list without
 * parent). One row more than asked for tells whether there is a next page; whether there is a previous one is looked up,
 * because rows before the cursor may have gone.
 */
export function pageStatement(
  spec: ListShape,
  tenantId: string,
  parents: readonly string[],
  request: PageRequest,
  filter: (where: Where) => Where,
): PageStatement {
  const where = filter(new Where(tenantId, parents));
  const keys = spec.keys.map(({ sql }) => sql);
  const belongs = spec.belongs ? ` and ${spec.belongs}` : '';
  const rows = `from ${spec.from} where t.tenant_id = $1${belongs}${where.sql}`;
  const marks = request.after?.map((value, index) => `${where.parameter(value)}::${spec.keys[index]?.type ?? 'text'}`);
  const mark = marks?.join(', ');
  const key = `(${keys.join(', ')})`;
  const [beyond, upTo] = spec.direction === 'asc' ? ['>', '<='] : ['<', '>='];
  const order = (names: readonly string[]) => names.map((name) => `${name} ${spec.direction}`).join(', ');
  const aliases = keys.map((_, index) => `k${index}`);
  const sql = `select parent.id as "pageParent", ${mark ? 'before.found' : 'false'} as "pageBefore", page.*
    from unnest($2::text[]) with ordinality as parent(id, place)
    ${mark ? `left join lateral (select exists (select 1 ${rows} and ${key} ${upTo} (${mark})) as found) before on true` : ''}
    left join lateral (
      select true as "pageRow", ${keys.map((expression, index) => `${expression} as k${index}`).join(', ')}, ${spec.columns}
      ${rows}${mark ? ` and ${key} ${beyond} (${mark})` : ''}
      order by ${order(keys)} limit ${request.first + 1}
    ) page on true
    order by parent.place, ${order(aliases.map((alias) => `page.${alias}`))}`;
  return { sql, parameters: where.parameters };
}

/** The number of rows of each parent's list. */
export function countStatement(
  spec: ListShape,
  tenantId: string,
  parents: readonly string[],
  filter: (where: Where) => Where,
): PageStatement {
  const where = filter(new Where(tenantId, parents));
  const belongs = spec.belongs ? ` and ${spec.belongs}` : '';
  const sql = `select parent.id as "parent", (select count(*) from ${spec.from}
      where t.tenant_id = $1${belongs}${where.sql}) as "total"
    from unnest($2::text[]) as parent(id)`;
  return { sql, parameters: where.parameters };
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

export type RawPageRow = Record<string, unknown> & {
  pageParent: string;
  pageBefore: boolean;
  pageRow: boolean | null;
};

/** Cuts the answer of a page statement into pages, by parent. */
export function cutPages<Row>(
  spec: ListSpec<Row>,
  request: PageRequest,
  raws: readonly RawPageRow[],
): Map<string, Omit<Page<Row>, 'countAll'>> {
  const byParent = groupBy(raws, ({ pageParent }) => pageParent);
  return new Map([...byParent].map(([parent, rows]) => [parent, cutPage(spec, request, rows)]));
}

function cutPage<Row>(
  spec: ListSpec<Row>,
  request: PageRequest,
  raws: readonly RawPageRow[],
): Omit<Page<Row>, 'countAll'> {
  const found = raws.filter(({ pageRow }) => pageRow === true);
  const edges = found.slice(0, request.first).map((raw) => ({
    cursor: cursorOf(
      spec.name,
      spec.keys.map((_, index) => String(raw[`k${index}`])),
    ),
    node: spec.toRow ? spec.toRow(raw as Row) : (raw as Row),
  }));
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: found.length > request.first,
      hasPreviousPage: raws[0]?.pageBefore === true,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
