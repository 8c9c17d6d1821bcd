import pg from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

// A calendar day must stay text: the driver's default makes it midnight of the machine's own time zone.
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

export type SqlValue = unknown;

/** One transaction of one tenant. */
export interface Tx {
  readonly tenantId: string;
  readonly manager: EntityManager;
  /** Rows of any statement, also of `update … returning`. */
  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly SqlValue[]): Promise<Row[]>;
  /** How many rows an insert, update or delete touched. */
  execute(sql: string, parameters?: readonly SqlValue[]): Promise<number>;
  /** Runs last inside the transaction, once however often `key` is given. */
  beforeCommit(key: string, action: (tx: Tx) => Promise<void>): void;
  /** Runs when the transaction is durable; not at all when it is rolled back. For wake-ups, never for promises. */
  afterCommit(action: () => void): void;
}

/** Statements sent so far, by everybody: what the tests that guard against one statement a row count. */
export interface StatementCounter {
  count: number;
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

  constructor(readonly dataSource: DataSource) {}

  /** A read-write transaction of one tenant; commits when `work` resolves, rolls back when it throws. */
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

  private async run<T>(
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
      this.statements.count += 1;
      if (tenantId !== null) {
        await this.send(
          runner,
          "select set_config('role', 'ledgergate_app', true), set_config('ledgergate.tenant', $1, true)",
          [tenantId],
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
      afterCommit: (action) => {
        hooks.after.push(action);
      },
    };
  }

  private send(runner: QueryRunner, sql: string, parameters: readonly SqlValue[] = []) {
    this.statements.count += 1;
    return runner.query(sql, [...parameters], true);
  }
}
