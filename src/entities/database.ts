import pg from 'pg';
import { type DataSource, type EntityManager, QueryFailedError, type QueryRunner } from 'typeorm';

// A calendar day must stay text: the driver's default makes it midnight of the machine's own time zone.
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

export type SqlValue = unknown;

/** One transaction of one tenant. */
export interface Tx {
  readonly tenantId: string;
  /**
   * Rows of a class (see `entities/index.ts`), in this transaction and as this tenant. For work on single rows: `save`
   * asks for a row before it writes it, so `insert` and `update` are the cheaper words where one knows which it is.
   */
  readonly manager: EntityManager;
  /** Rows of any statement, also of `update … returning`. */
  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly SqlValue[]): Promise<Row[]>;
  /** How many rows an insert, update or delete touched. */
  execute(sql: string, parameters?: readonly SqlValue[]): Promise<number>;
  /** Runs last inside the transaction, once however often `key` is given. */
  beforeCommit(key: string, action: (tx: Tx) => Promise<void>): void;
  /** Whether wake-ups are `NOTIFY`, so that a statement may send its own with it. */
  readonly isNotifying: boolean;
  /** Tells every process that listens, once the transaction is durable. The message says "look", never what happened. */
  wake(channel: string, message: string): Promise<void>;
  /** Runs when the transaction is durable; not at all when it is rolled back. For wake-ups, never for promises. */
  afterCommit(action: () => void): void;
}

/**
 * Statements sent so far, by everybody, those that TypeORM makes included; beginning and ending a transaction count as one.
 * What the tests that guard against one statement a row count.
 */
export interface StatementCounter {
  count: number;
}

/**
 * A process that is frozen in the middle of a transaction (a paused machine, one that swaps) keeps its locks, that of the
 * tenant's audit trail among them, and everybody's next change waits behind it. The server takes them away after this
 * long without a statement. Longer than any vendor's login may take, which is asked for under the credential's lock.
 */
const IDLE_MAX_MS = 120_000;

/** Deadlocks resolve at the second try; more than a few in a row are a fault of ours. */
const TRIES_MAX = 4;
const DEADLOCK_DETECTED = '40P01';

function isDeadlock(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === DEADLOCK_DETECTED;
}

/** Sends wake-ups. Never fails: whoever misses one looks all the same, later. */
export interface Publisher {
  publish(channel: string, message: string): void;
}

interface Hooks {
  readonly before: Map<string, (tx: Tx) => Promise<void>>;
  readonly after: (() => void)[];
}

/**
 * The only way to the tables. Work of a tenant runs as role `ledgergate_app` with the tenant set for this transaction,
 * so that row-level security holds even where a query forgets its filter.
 */
export class Database {
  readonly statements: StatementCounter = { count: 0 };
  private readonly names = new StatementNames();

  /** @param wakeups takes wake-ups instead of the database's own `NOTIFY`. */
  constructor(
    readonly dataSource: DataSource,
    private readonly wakeups: Publisher | null = null,
  ) {}

  /**
   * A read-write transaction of one tenant; commits when `work` resolves, rolls back when it throws.
   * `work` may run more than once (after a deadlock), so what it does outside the database must be safe to repeat.
   */
  tenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.run(tenantId, 'READ COMMITTED', work);
  }

  /** A consistent picture of one tenant's data for several reads. */
  snapshot<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.run(tenantId, 'REPEATABLE READ', work);
  }

  /**
   * Across tenants, as the owner of the tables: finding the tenant of an API key or a webhook, the schedule of all
   * tenants, the engine's own tables. Never for what a caller asked to see.
   */
  async engine<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.run(null, 'READ COMMITTED', work);
  }

  /**
   * One question across tenants, as the owner of the tables and without a transaction: whose key or webhook this is.
   * Asked with every request, so it is one round trip.
   */
  async lookup<Row>(sql: string, parameters: readonly SqlValue[]): Promise<Row[]> {
    const runner = this.dataSource.createQueryRunner();
    try {
      return (await this.send(runner, sql, parameters)).records as Row[];
    } finally {
      await runner.release();
    }
  }

  /** Two transactions that wait for each other are both right; the one that PostgreSQL gave up is done again. */
  private async run<T>(
    tenantId: string | null,
    isolation: 'READ COMMITTED' | 'REPEATABLE READ',
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.once(tenantId, isolation, work);
      } catch (error) {
        if (attempt >= TRIES_MAX || !isDeadlock(error)) throw error;
      }
    }
  }

  private async once<T>(
    tenantId: string | null,
    isolation: 'READ COMMITTED' | 'REPEATABLE READ',
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    const hooks: Hooks = { before: new Map(), after: [] };
    let result: T;
    try {
      await runner.connect();
      await runner.startTransaction(isolation);
      this.watch(runner);
      if (tenantId !== null) {
        await this.send(
          runner,
          `select set_config('role', 'ledgergate_app', true), set_config('ledgergate.tenant', $1, true),
             set_config('idle_in_transaction_session_timeout', $2, true)`,
          [tenantId, String(IDLE_MAX_MS)],
        );
      }
      const tx = this.transaction(runner, tenantId ?? '', hooks);
      result = await work(tx);
      for (const action of hooks.before.values()) await action(tx);
      await runner.commitTransaction();
    } catch (error) {
      if (runner.isTransactionActive) {
        // A broken connection has already rolled back; the first error is the one that explains.
        await runner.rollbackTransaction().catch(() => undefined);
      }
      throw error;
    } finally {
      await runner.release();
    }
    for (const action of hooks.after) action();
    return result;
  }

  private transaction(runner: QueryRunner, tenantId: string, hooks: Hooks): Tx {
    return {
      tenantId,
      manager: runner.manager,
      query: async <Row>(sql: string, parameters?: readonly SqlValue[]) =>
        (await this.send(runner, sql, parameters)).records as Row[],
      execute: async (sql, parameters) => (await this.send(runner, sql, parameters)).affected ?? 0,
      beforeCommit: (key, action) => {
        if (!hooks.before.has(key)) hooks.before.set(key, action);
      },
      isNotifying: this.wakeups === null,
      wake: async (channel, message) => {
        const { wakeups } = this;
        if (wakeups) hooks.after.push(() => wakeups.publish(channel, message));
        else await this.send(runner, 'select pg_notify($1, $2)', [channel, message]);
      },
      afterCommit: (action) => {
        hooks.after.push(action);
      },
    };
  }

  /**
   * What TypeORM sends is counted like our own SQL and fails with the driver's own error: that of TypeORM carries the
   * parameters, hashes of secrets among them, to wherever an error is logged.
   */
  private watch(runner: QueryRunner): void {
    runner.query = new Proxy(runner.query, {
      apply: async (query, self, parameters) => {
        this.statements.count += 1;
        try {
          return await Reflect.apply(query, self, parameters);
        } catch (error) {
          throw error instanceof QueryFailedError ? error.driverError : error;
        }
      },
    });
  }

  private async send(
    runner: QueryRunner,
    sql: string,
    parameters: readonly SqlValue[] = [],
  ): Promise<{ records: Record<string, unknown>[]; affected: number }> {
    this.statements.count += 1;
    // The driver's own client, because only it can name a statement: PostgreSQL then parses and plans it once a connection.
    const client = (await runner.connect()) as pg.PoolClient;
    const name = this.names.nameOf(sql);
    const result = await client.query(
      name === null ? { text: sql, values: [...parameters] } : { name, text: sql, values: [...parameters] },
    );
    return { records: result.rows as Record<string, unknown>[], affected: result.rowCount ?? 0 };
  }
}

/** Statements that come again get a name. Those that are put together from what a caller asks for may be many: a limit. */
class StatementNames {
  private readonly seen = new Map<string, { uses: number; name: string }>();

  nameOf(sql: string): string | null {
    const known = this.seen.get(sql);
    if (known) {
      known.uses += 1;
      return known.uses >= NAMED_FROM_USE ? known.name : null;
    }
    if (this.seen.size < NAMED_MAX) this.seen.set(sql, { uses: 1, name: `s${this.seen.size}` });
    return null;
  }
}

const NAMED_FROM_USE = 3;
const NAMED_MAX = 300;
