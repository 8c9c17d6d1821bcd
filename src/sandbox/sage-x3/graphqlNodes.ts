import { createHash } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { decimalsOf, formatMinor } from './amounts.js';
import {
  type Account,
  type Dimension,
  type Entry,
  type EntryLine,
  entryField,
  type Supplier,
  type X3Company,
} from './company.js';
import { type GraphNode, type NodeFilter, parseFilter, parseNodeOrder } from './graphqlFilter.js';
import { FilterError } from './relaxedJson.js';

export interface QueryArguments {
  filter?: string | null;
  orderBy?: string | null;
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

/** Where the nodes of one kind come from, in the order of their ids. */
export interface NodeSource {
  above(after: string | undefined): Iterable<GraphNode>;
  /** Nodes that an index finds; undefined when none of the properties has one. */
  indexed(filter: NodeFilter): GraphNode[] | undefined;
  read(id: string): GraphNode | undefined;
}

const reference = (code: string) => (code === '' ? null : { _id: code, code });
/** Composite ids: REST's `A~B` is `A|B` here. */
const idOf = (key: string): string => key.replaceAll('~', '|');
const keyOf = (id: string): string => id.replaceAll('|', '~');

function etag(stamp: string): string {
  return createHash('sha256').update(stamp).digest('hex').slice(0, 16);
}

interface Source<T> {
  get(key: string): T | undefined;
  above(after?: string): Iterable<T>;
}

function nodeSource<T>(
  table: Source<T>,
  node: (item: T) => GraphNode,
  indexed: (filter: NodeFilter) => readonly T[] | undefined = () => undefined,
): NodeSource {
  return {
    *above(after) {
      for (const item of table.above(after === undefined ? undefined : keyOf(after))) yield node(item);
    },
    indexed: (filter) => indexed(filter)?.map(node),
    read: (id) => {
      const found = table.get(keyOf(id));
      return found === undefined ? undefined : node(found);
    },
  };
}

function listSource(nodes: readonly GraphNode[]): NodeSource {
  const sorted = [...nodes].sort((a, b) => (a._id < b._id ? -1 : 1));
  return {
    above: (after) => sorted.filter((node) => after === undefined || node._id > after),
    indexed: () => undefined,
    read: (id) => sorted.find((node) => node._id === id),
  };
}

export function nodeSources(company: X3Company): Record<string, Record<string, NodeSource>> {
  const { company: legal, site } = company.codes;
  return {
    x3MasterData: {
      supplier: nodeSource(company.suppliers, (supplier) => supplierNode(company, supplier)),
    },
    x3FinanceData: {
      account: nodeSource(company.accounts, accountNode, (filter) =>
        lookUp(filter, 'code', (code) => company.accounts.withValue('ACC', code)),
      ),
      dimension: nodeSource(company.dimensions, dimensionNode),
      dimensionType: listSource(
        [...company.dimensionTypes].map(([code, description]) => ({ _id: code, code, description })),
      ),
      period: listSource(
        company.periods.map((period) => ({
          _id: `${legal}|1|${String(period.number).padStart(4, '0')}`,
          company: reference(legal),
          code: period.number,
          fiscalYear: period.year,
          startDate: period.startsOn,
          endDate: period.endsOn,
          status: period.open ? 'open' : 'closed',
        })),
      ),
    },
    x3Finance: {
      journalEntry: nodeSource(
        company.entries,
        (entry) => entryNode(company, entry),
        (filter) => indexedEntries(company, filter),
      ),
    },
    x3System: {
      site: listSource([{ _id: site, code: site, name: company.seed.name, legalCompany: reference(legal) }]),
    },
  };
}

function lookUp<T>(filter: NodeFilter, property: string, find: (value: string) => readonly T[] | undefined) {
  const found = filter.equals.find((equal) => equal.property === property);
  return found === undefined ? undefined : find(found.value);
}

function indexedEntries(company: X3Company, filter: NodeFilter): readonly Entry[] | undefined {
  const { referenceProperty } = company.settings;
  const byReference =
    referenceProperty === null
      ? undefined
      : lookUp(filter, referenceProperty, (value) => company.entries.withValue('REFINT', value));
  const byNumber = lookUp(filter, 'journalEntryNumber', (value) => company.entries.withValue('NUM', value));
  return (
    byReference ?? byNumber ?? lookUp(filter, 'accountingDate', (value) => company.entries.withValue('ACCDAT', value))
  );
}

function supplierNode(company: X3Company, supplier: Supplier): GraphNode {
  const text = (name: string): string => supplier.fields.get(name) ?? '';
  return {
    _id: supplier.code,
    code: reference(supplier.code),
    [company.settings.supplierNameField]: text('BPSNAM'),
    shortCompanyName: text('BPSSHO'),
    supplierType: ['normal', 'prospect', 'miscellaneous'][Number(text('BPSTYP') || 1) - 1] ?? 'normal',
    category: reference(text('BSGCOD')),
    currency: reference(text('CUR')),
    isActive: supplier.active,
    isPaymentHeld: text('PAYLOKFLG') === '2',
    payToBusinessPartner: reference(text('BPRPAY') || supplier.code),
    _createStamp: supplier.createdAt,
    _updateStamp: supplier.updatedAt,
    _etag: etag(supplier.updatedAt),
  };
}

function accountNode(account: Account): GraphNode {
  return {
    _id: `${account.chart}|${account.code}`,
    chartOfAccounts: reference(account.chart),
    code: account.code,
    description: account.name,
    isActive: account.active,
    isControl: account.control,
    _updateStamp: account.updatedAt,
  };
}

function dimensionNode({ type, code, name, active, postable }: Dimension): GraphNode {
  return {
    _id: `${type}|${code}`,
    dimensionType: reference(type),
    code,
    description: name,
    isActive: active,
    isChargeable: postable,
  };
}

export function entryNode(company: X3Company, entry: Entry): GraphNode {
  const text = (name: string): string => entryField(entry, name);
  const { referenceProperty } = company.settings;
  // Only made when it is selected: a scan must not build the lines of every journal.
  const lines = (): NodeSource =>
    listSource(
      entry.lines.flatMap((line) => company.settings.ledgerTypes.map((type) => lineNode(company, entry, line, type))),
    );
  return {
    _id: idOf(company.entries.keyOf(entry)),
    journalEntryType: reference(entry.type),
    journalEntryNumber: entry.number,
    company: reference(company.codes.company),
    site: reference(text('FCY')),
    journal: reference(text('JOU')),
    accountingDate: text('ACCDAT'),
    journalEntryStatus: text('STA') === '2' ? 'final' : 'temporary',
    journalEntryTransaction: reference(text('DACDIA')),
    transactionCurrency: reference(text('CUR')),
    description: text('DESVCR'),
    ...(referenceProperty === null ? {} : { [referenceProperty]: text('REFINT') }),
    journalEntryLines: { query: (args: QueryArguments) => connection(lines(), args, company.settings.graphqlPageCap) },
    _createStamp: entry.createdAt,
    _updateStamp: entry.updatedAt,
    _etag: etag(entry.updatedAt),
  };
}

function lineNode(company: X3Company, entry: Entry, line: EntryLine, ledgerType: number): GraphNode {
  const key = `${entry.type}|${entry.number}|${String(line.number).padStart(6, '0')}|${ledgerType}`;
  const decimals = decimalsOf(entryField(entry, 'CUR'));
  const analytics = line.analytics.map((analytic) => ({
    _id: `${key}|${analytic.number}`,
    analyticalLineNumber: analytic.number,
    transactionAmount: formatMinor(analytic.amount, decimals),
    dimensions: [...analytic.codes].map(([type, code]) => ({
      dimensionType: reference(type),
      dimension: reference(code),
    })),
  }));
  return {
    _id: key,
    lineNumber: line.number,
    ledgerTypeNumber: ledgerType,
    account: reference(line.account),
    businessPartner: reference(line.fields.get('BPR') ?? ''),
    sign: line.sign,
    transactionAmount: formatMinor(line.amount, decimals),
    ledgerAmount: formatMinor(line.ledgerAmount, decimalsOf(company.ledgerCurrency)),
    lineDescription: line.fields.get('DES') ?? '',
    freeReference: line.fields.get('FREREF') ?? '',
    analyticalLines: {
      query: (args: QueryArguments) => connection(listSource(analytics), args, company.settings.graphqlPageCap),
    },
  };
}

const cursorOf = (node: GraphNode): string => Buffer.from(node._id).toString('base64url');
const idFrom = (cursor: string): string => Buffer.from(cursor, 'base64url').toString('utf8');

/** One page in the relay style. Pages larger than the cap are lowered to it. */
export function connection(source: NodeSource, args: QueryArguments, cap: number) {
  try {
    return pageOf(source, args, cap);
  } catch (error) {
    if (error instanceof FilterError || error instanceof SyntaxError) throw new GraphQLError(error.message);
    throw error;
  }
}

function pageOf(source: NodeSource, args: QueryArguments, cap: number) {
  const filter = parseFilter(args.filter);
  const order = parseNodeOrder(args.orderBy);
  const indexed = source.indexed(filter)?.sort((a, b) => (a._id < b._id ? -1 : 1));
  const size = Math.min(args.first ?? args.last ?? 20, cap);
  const all = (): GraphNode[] => {
    const found = [...(indexed ?? source.above(undefined))].filter((node) => filter.matches(node));
    return order === undefined ? found : found.sort((a, b) => order(a, b) || (a._id < b._id ? -1 : 1));
  };
  const after = args.after ? idFrom(args.after) : undefined;
  let nodes: GraphNode[];
  let hasNextPage: boolean;
  if (order === undefined && args.last == null) {
    ({ nodes, hasNextPage } = forward(indexed ?? source.above(after), filter, after, size));
  } else {
    const found = all();
    const end = args.before ? found.findIndex((node) => node._id === idFrom(args.before ?? '')) : found.length;
    const start = args.last == null ? found.findIndex((node) => node._id === after) + 1 : Math.max(0, end - size);
    nodes = found.slice(start, Math.min(start + size, end));
    hasNextPage = start + nodes.length < found.length;
  }
  const [first, last] = [nodes[0], nodes.at(-1)];
  return {
    totalCount: () => all().length,
    edges: nodes.map((node) => ({ cursor: cursorOf(node), node })),
    pageInfo: {
      hasNextPage,
      hasPreviousPage: after !== undefined,
      startCursor: first === undefined ? null : cursorOf(first),
      endCursor: last === undefined ? null : cursorOf(last),
    },
  };
}

function forward(source: Iterable<GraphNode>, filter: NodeFilter, after: string | undefined, size: number) {
  const nodes: GraphNode[] = [];
  for (const node of source) {
    if ((after !== undefined && node._id <= after) || !filter.matches(node)) continue;
    if (nodes.length === size) return { nodes, hasNextPage: true };
    nodes.push(node);
  }
  return { nodes, hasNextPage: false };
}
