import type { SandboxReply } from '../kit/index.js';
import type { KineticCompany } from './company.js';
import { parseCondition } from './expressions.js';
import { badRequest, notFound, unknownAddress } from './failures.js';
import { type Kind, type Row, type TableDef, type WireOptions, wireCell } from './rows.js';
import { edmType, type Ordering, type Selection } from './selection.js';
import type { EntitySet, Service } from './service.js';

export interface ListRequest {
  company: KineticCompany;
  service: Service;
  setName: string;
  set: EntitySet;
  options: ReadonlyMap<string, string>;
  apiVersion: 'v1' | 'v2';
  wire: WireOptions;
  /** The list's own address without its query. */
  address: string;
  /** The service's address, for the context. */
  serviceAddress: string;
}

/** Answers a list: at most the server's cap where the caller names no `$top` (Epicor REST: OData reads). */
export function answerList(request: ListRequest): SandboxReply {
  const { company, set, options, apiVersion } = request;
  const { settings } = company;
  if (options.has('$compute')) throw badRequest("The query option '$compute' is not supported.");
  const top = wholeOption(options, '$top');
  const skip = wholeOption(options, '$skip') ?? 0;
  const take = Math.min(top ?? settings.rowCap, settings.topCap ?? Number.POSITIVE_INFINITY);
  const columns = selectedColumns(request);
  const isCounted =
    apiVersion === 'v1'
      ? options.get('$inlinecount') === 'allpages'
      : settings.inlineCount && options.get('$count') === 'true';
  const selection = selectionOf(request, { skip, take });
  const found = company.selector.select(selection, isCounted);
  const isCut = found.hasMore && (top === undefined || top > take);
  const value = found.rows.map((row) => entity(request, set.def, row, columns));
  return body(200, {
    ...(apiVersion === 'v1'
      ? { 'odata.metadata': `${request.serviceAddress}/$metadata#${request.setName}` }
      : { '@odata.context': `${request.serviceAddress}/$metadata#${request.setName}` }),
    ...(isCounted
      ? apiVersion === 'v1'
        ? { 'odata.count': String(found.total) }
        : { '@odata.count': found.total }
      : {}),
    value,
    ...(isCut && settings.nextLink !== 'off'
      ? { [apiVersion === 'v1' ? 'odata.nextLink' : '@odata.nextLink']: nextLink(request, skip + found.rows.length) }
      : {}),
  });
}

/** `…/{EntitySet}/$count`: a number in plain text. */
export function answerCount(request: ListRequest): SandboxReply {
  const { total } = request.company.selector.select(selectionOf(request, { skip: 0, take: undefined }), true);
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: String(total) };
}

/** One row by its key: `APInvoices('EPIC06',204,'BRX-1')`, with or without the names of the columns. */
export function answerEntity(request: ListRequest, keyText: string): SandboxReply {
  const row = rowByKey(request, keyText);
  return body(200, {
    ...(request.apiVersion === 'v1'
      ? {}
      : { '@odata.context': `${request.serviceAddress}/$metadata#${request.setName}/$entity` }),
    ...entity(request, request.set.def, row, selectedColumns(request)),
  });
}

/** @throws KineticError 404 there is no such row. */
export function rowByKey({ company, set }: Pick<ListRequest, 'company' | 'set'>, keyText: string): Row {
  const values = readKey(keyText);
  const { def } = set;
  const key = def.key[0] === 'Company' ? def.key : ['Company', ...def.key];
  if (values.length !== key.length) throw badRequest('The key has the wrong number of values.');
  const [companyId, ...own] = values;
  if (companyId?.toUpperCase() !== company.database.company) throw notFound();
  const row = company.database.table(def).find(...(def.key[0] === 'Company' ? values : own));
  if (row === undefined) throw notFound();
  return row;
}

export function answerMetadata(service: Service): SandboxReply {
  const types = Object.entries(service.sets).map(([name, { def }]) => {
    const properties = [...def.columns].map(
      ([column, kind]) => `<Property Name="${def.renamed.get(column) ?? column}" Type="${edmType(kind)}"/>`,
    );
    const keys = ['Company', ...def.key].map((column) => `<PropertyRef Name="${def.renamed.get(column) ?? column}"/>`);
    const type = `<EntityType Name="${def.name}"><Key>${keys.join('')}</Key>${properties.join('')}</EntityType>`;
    return { type, set: `<EntitySet Name="${name}" EntityType="${service.name}.${def.name}"/>` };
  });
  const schema = [
    ...types.map(({ type }) => type),
    `<EntityContainer Name="Container">${types.map(({ set }) => set).join('')}</EntityContainer>`,
  ];
  const document = `<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices><Schema Namespace="${service.name}" xmlns="http://docs.oasis-open.org/odata/ns/edm">${schema.join('')}</Schema></edmx:DataServices></edmx:Edmx>`;
  return { status: 200, headers: { 'content-type': 'application/xml; charset=utf-8' }, body: document };
}

/** A row as OData shows it: a column named like its table has another name there. */
export function entity(
  request: Pick<ListRequest, 'wire' | 'company' | 'set' | 'options'>,
  def: TableDef,
  row: Row,
  columns: readonly (readonly [string, Kind])[],
): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [column, kind] of columns) {
    shown[def.renamed.get(column) ?? column] = wireCell(kind, row[column] ?? blank(kind), request.wire);
  }
  for (const child of (request.options.get('$expand') ?? '').split(',').filter(Boolean)) {
    const childDef = request.set.children?.[child];
    if (childDef === undefined) throw badRequest(`Could not find a property named '${child}' on type '${def.name}'.`);
    shown[child] = childrenOf(request.company, def, row, childDef).map((found) =>
      Object.fromEntries(
        [...childDef.columns].map(([column, kind]) => [
          column,
          wireCell(kind, found[column] ?? blank(kind), request.wire),
        ]),
      ),
    );
  }
  return shown;
}

function childrenOf(company: KineticCompany, def: TableDef, row: Row, childDef: TableDef): Row[] {
  const [indexed] = childDef.indexed;
  if (indexed === undefined) return [];
  const value = row[indexed];
  const candidates = company.database.table(childDef).where(indexed, typeof value === 'number' ? value : String(value));
  return [...candidates].filter((child) => def.key.every((column) => child[column] === row[column]));
}

function blank(kind: Kind) {
  return { s: '', i: 0, d: 0n, b: false, t: '', g: '00000000-0000-0000-0000-000000000000', r: 0n }[kind];
}

function selectedColumns({ set, options }: ListRequest): (readonly [string, Kind])[] {
  const { def } = set;
  const wanted = options.get('$select');
  if (wanted === undefined || wanted.trim() === '*') return [...def.columns];
  return wanted.split(',').map((part) => {
    const name = part.trim();
    const column = ownColumn(def, name);
    const kind = column === undefined ? undefined : def.columns.get(column);
    if (column === undefined || kind === undefined) throw unknownProperty(def, name);
    return [column, kind] as const;
  });
}

function selectionOf(request: ListRequest, page: { skip: number; take: number | undefined }): Selection {
  const { set, options, apiVersion, company } = request;
  const { def } = set;
  const filter = options.get('$filter');
  const order: Ordering[] = (options.get('$orderby') ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => {
      const [name = '', direction = 'asc'] = part.split(/\s+/);
      const column = ownColumn(def, name);
      if (column === undefined) throw unknownProperty(def, name);
      if (direction !== 'asc' && direction !== 'desc')
        throw badRequest(`Syntax error in $orderby near '${direction}'.`);
      return { column, descending: direction === 'desc' };
    });
  const condition =
    filter === undefined ? undefined : parseCondition(filter, apiVersion === 'v1' ? 'odata3' : 'odata4');
  const column = (name: string): string | undefined => {
    if (name === 'SysRevID' && !company.settings.revisionFilter) return undefined;
    return ownColumn(def, name);
  };
  return { def, condition, order, column, datesAsText: false, ...page };
}

/** Column names are case-sensitive. */
function ownColumn(def: TableDef, name: string): string | undefined {
  for (const [column, renamed] of def.renamed) {
    if (name === renamed) return column;
    if (name === column) return undefined;
  }
  return def.columns.has(name) ? name : undefined;
}

function unknownProperty(def: TableDef, name: string) {
  return badRequest(`Could not find a property named '${name}' on type 'Erp.Tablesets.${def.name}Row'.`);
}

function wholeOption(options: ReadonlyMap<string, string>, name: string): number | undefined {
  const value = options.get(name);
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw badRequest(`Invalid value '${value}' for ${name} query option found.`);
  return Number(value);
}

function nextLink({ address, options, company }: ListRequest, skip: number): string {
  const query = [...options].filter(([name]) => name !== '$skip').concat([['$skip', String(skip)]]);
  const link = `${address}?${query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`;
  // Behind a proxy that rewrites hosts a link may point elsewhere: credentials must not follow it.
  return company.settings.nextLink === 'foreign' ? link.replace(/^https?:\/\/[^/]+/, 'http://elsewhere.invalid') : link;
}

function readKey(keyText: string): string[] {
  const values: string[] = [];
  const part = /\s*(?:\w+\s*=\s*)?(?:'((?:[^']|'')*)'|(-?\d+)|(true|false)|([0-9a-f-]{36}))\s*(,|$)/iy;
  let position = 0;
  while (position < keyText.length) {
    part.lastIndex = position;
    const match = part.exec(keyText);
    if (match === null) throw badRequest(`The key '${keyText}' is not valid.`);
    values.push((match[1] ?? match[2] ?? match[3] ?? match[4] ?? '').replaceAll("''", "'"));
    position = part.lastIndex;
  }
  return values;
}

function body(status: number, value: unknown): SandboxReply {
  return {
    status,
    headers: { 'content-type': 'application/json; odata.metadata=minimal' },
    body: JSON.stringify(value),
  };
}

/** @throws KineticError 404 the service has no such set. */
export function setOf(service: Service, name: string): EntitySet {
  const set = service.sets[name];
  if (set === undefined) throw unknownAddress(`${service.name}/${name}`);
  return set;
}
