import DataLoader from 'dataloader';
import type { Database, Tx } from '../../entities/database.js';
import { InputError } from '../../errors.js';
import {
  countStatement,
  cutPages,
  groupBy,
  type ListSpec,
  type Page,
  type PageRequest,
  pageStatement,
  type RawPageRow,
  type Where,
} from './pages.js';

interface Waiting {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  resolve(rows: never[]): void;
  reject(error: unknown): void;
}

/** PostgreSQL's text cannot hold it. */
function holdsNul(parameter: unknown): boolean {
  if (typeof parameter === 'string') return parameter.includes('\u0000');
  return Array.isArray(parameter) && parameter.some(holdsNul);
}

const any = (where: Where): Where => where;

/**
 * The reads of one request, as one tenant.
 *
 * What is asked for in the same moment goes to the database in one transaction, and loads of one kind become one
 * statement: so the number of statements depends on the shape of a request, never on the length of its pages.
 */
export class ReadSession {
  private loaders = new Map<string, DataLoader<string, unknown>>();
  private waiting: Waiting[] = [];

  constructor(
    private readonly db: Database,
    readonly tenantId: string,
  ) {}

  /** Forgets what was loaded: after a change, and before each event of a subscription. */
  clear(): void {
    this.loaders = new Map();
  }

  async query<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    if (parameters.some(holdsNul)) throw new InputError('A text must not contain the character U+0000.');
    return new Promise<Row[]>((resolve, reject) => {
      this.waiting.push({ sql, parameters, resolve: resolve as (rows: never[]) => void, reject });
      if (this.waiting.length === 1) setImmediate(() => void this.flush());
    });
  }

  private async flush(): Promise<void> {
    const batch = this.waiting;
    this.waiting = [];
    try {
      const answers = await this.db.tenant(this.tenantId, (tx) => runAll(tx, batch));
      for (const [index, item] of batch.entries()) item.resolve(answers[index] as never[]);
    } catch (error) {
      for (const item of batch) item.reject(error);
    }
  }

  /** Loads by key, once a key and request; `batch` gets the keys of everybody who asked in the same moment. */
  load<Value>(
    name: string,
    key: string,
    batch: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
  ): Promise<Value | undefined> {
    let loader = this.loaders.get(name);
    if (!loader) {
      loader = new DataLoader<string, unknown>(async (keys) => {
        const found = await batch(keys);
        return keys.map((one) => found.get(one));
      });
      this.loaders.set(name, loader);
    }
    return loader.load(key) as Promise<Value | undefined>;
  }

  /** One row by its id, or null. */
  async one<Row extends { id: string }>(spec: ListSpec<Row>, id: string): Promise<Row | null> {
    const row = await this.load(`one ${spec.name}`, id, async (ids) => {
      const raws = await this.query<Row>(
        `select ${spec.columns} from ${spec.from} where t.tenant_id = $1 and t.id = any($2::text[])`,
        [this.tenantId, ids],
      );
      const rows = spec.toRow ? raws.map(spec.toRow) : raws;
      return new Map(rows.map((found) => [found.id, found]));
    });
    return row ?? null;
  }

  /** The rows that belong to a parent. `sql` selects a column `parent` and takes `$1` tenant and `$2` parents' ids. */
  async children<Row>(name: string, parentId: string, sql: string): Promise<readonly Row[]> {
    const rows = await this.load(`children ${name}`, parentId, async (parents) => {
      const found = await this.query<Row & { parent: string }>(sql, [this.tenantId, parents]);
      return groupBy(found, ({ parent }) => parent);
    });
    return rows ?? [];
  }

  /** A page of a list that belongs to nobody. */
  async page<Row>(
    spec: ListSpec<Row>,
    request: PageRequest,
    filter: (where: Where) => Where = any,
  ): Promise<Page<Row>> {
    const pages = await this.pages(spec, [''], request, filter);
    return this.whole(pages.get(''), () => this.counts(spec, [''], filter).then((totals) => totals.get('') ?? 0));
  }

  /** A page of a parent's list; those of all parents asked for in the same moment are one statement. */
  async pageOf<Row>(spec: ListSpec<Row>, parentId: string, request: PageRequest): Promise<Page<Row>> {
    const name = `page ${spec.name} ${request.first} ${JSON.stringify(request.after)}`;
    const page = await this.load(name, parentId, (parents) => this.pages(spec, parents, request, any));
    return this.whole(page, async () => {
      const total = await this.load(`count ${spec.name}`, parentId, (parents) => this.counts(spec, parents, any));
      return total ?? 0;
    });
  }

  private async pages<Row>(
    spec: ListSpec<Row>,
    parents: readonly string[],
    request: PageRequest,
    filter: (where: Where) => Where,
  ): Promise<ReadonlyMap<string, Omit<Page<Row>, 'countAll'>>> {
    const statement = pageStatement(spec, this.tenantId, parents, request, filter);
    return cutPages(spec, request, await this.query<RawPageRow>(statement.sql, statement.parameters));
  }

  private async counts<Row>(
    spec: ListSpec<Row>,
    parents: readonly string[],
    filter: (where: Where) => Where,
  ): Promise<ReadonlyMap<string, number>> {
    const statement = countStatement(spec, this.tenantId, parents, filter);
    const rows = await this.query<{ parent: string; total: string }>(statement.sql, statement.parameters);
    return new Map(rows.map(({ parent, total }) => [parent, Number(total)]));
  }

  private whole<Row>(page: Omit<Page<Row>, 'countAll'> | undefined, countAll: () => Promise<number>): Page<Row> {
    const empty = { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null };
    return { ...(page ?? { edges: [], nodes: [], pageInfo: empty }), countAll };
  }
}

async function runAll(tx: Tx, batch: readonly Waiting[]): Promise<unknown[][]> {
  const answers: unknown[][] = [];
  for (const { sql, parameters } of batch) answers.push(await tx.query(sql, parameters));
  return answers;
}
