import { AsyncLocalStorage } from 'node:async_hooks';
import type { DataSource, QueryRunner } from 'typeorm';
import { Database, type Tx } from '../../../src/entities/database.js';
import { breakable, type Client } from './connection.js';

/** What goes wrong in the next piece of work of a process, and at which of its moments. */
export interface Mishap {
  readonly kind: MishapKind;
  /** Counted from 1, over the moments at which this kind can happen. */
  at: number;
}

export type MishapKind =
  /** Its connection ends before a statement of a transaction: what was open is rolled back. */
  | 'CUT'
  /** Its connection ends when all is done but the commit. */
  | 'CUT_AT_COMMIT'
  /** A commit is durable, and nobody is told. */
  | 'COMMIT_UNHEARD'
  | 'DIES_AT_STATEMENT'
  | 'DIES_BEFORE_CALL'
  | 'DIES_AFTER_CALL'
  | 'PAUSES_BEFORE_TRANSACTION'
  | 'PAUSES_AFTER_CALL';

/** Whoever wants to know what happens to a process and what it does. */
export interface ProcessWatch {
  readonly onHit: (kind: MishapKind) => void;
  readonly onWrite: () => void;
}

/** One process of ours: what it does to the database and to vendors passes here, and this is where it is hit. */
export class SimProcess {
  isDead = false;
  isPaused = false;
  /** Told that its job was given to somebody else. */
  isStopping = false;
  openTransactions = 0;
  /** Those that wait for their turn included. */
  private pendingTransactions = 0;
  readonly processId: string;
  readonly lockKey: bigint;
  private mishap: Mishap | null = null;
  private readonly onHit: (kind: MishapKind) => void;
  private readonly onWrite: () => void;
  private resumed: (() => void) | null = null;
  private paused: (() => void) | null = null;
  private idle: (() => void)[] = [];

  constructor(processId: string, lockKey: bigint, { onHit, onWrite }: ProcessWatch) {
    this.processId = processId;
    this.lockKey = lockKey;
    this.onHit = onHit;
    this.onWrite = onWrite;
  }

  expect(mishap: Mishap | null): void {
    this.mishap = mishap;
  }

  /** Whether the mishap of this kind comes now. */
  private comes(kind: MishapKind): boolean {
    if (this.mishap?.kind !== kind) return false;
    this.mishap.at -= 1;
    if (this.mishap.at > 0) return false;
    this.mishap = null;
    this.onHit(kind);
    return true;
  }

  die(): void {
    this.isDead = true;
  }

  /** Resolves when the process stops for a while. */
  whenPaused(): Promise<'PAUSED'> {
    return new Promise((resolve) => {
      this.paused = () => resolve('PAUSED');
    });
  }

  resume(): void {
    this.isPaused = false;
    const go = this.resumed;
    this.resumed = null;
    go?.();
  }

  private async pause(): Promise<void> {
    const tell = this.paused;
    if (!tell) return;
    this.isPaused = true;
    const waiting = new Promise<void>((resolve) => {
      this.resumed = resolve;
    });
    this.paused = null;
    tell();
    await waiting;
  }

  // ── at a vendor's door ─────────────────────────────────────────────────────────────────────

  beforeCall(): void {
    if (this.comes('DIES_BEFORE_CALL')) this.die();
  }

  async afterCall(): Promise<void> {
    if (this.comes('DIES_AFTER_CALL')) this.die();
    // With a transaction open everybody else would wait for its locks, as they would in life.
    if (this.openTransactions === 0 && this.comes('PAUSES_AFTER_CALL')) await this.pause();
  }

  // ── at the database ────────────────────────────────────────────────────────────────────────

  async beforeTransaction(): Promise<void> {
    if (this.openTransactions === 0 && this.comes('PAUSES_BEFORE_TRANSACTION')) await this.pause();
  }

  /** @returns whether the connection is gone. */
  isCutBefore(statement: string): boolean {
    if (this.isDead) return true;
    if (this.comes('DIES_AT_STATEMENT')) this.die();
    return this.isDead || this.comes(statement === 'COMMIT' ? 'CUT_AT_COMMIT' : 'CUT');
  }

  /** A transaction that may have changed something is durable. */
  noteWrite(): void {
    this.onWrite();
  }

  isCommitUnheard(): boolean {
    return this.comes('COMMIT_UNHEARD');
  }

  /** Resolves when no transaction of this process is open. */
  async quiet(): Promise<void> {
    while (this.pendingTransactions > 0) {
      await new Promise<void>((resolve) => {
        this.idle.push(resolve);
      });
    }
  }

  transactionAsked(): void {
    this.pendingTransactions += 1;
  }

  transactionEnded(): void {
    this.pendingTransactions -= 1;
    if (this.pendingTransactions > 0) return;
    const waiting = this.idle;
    this.idle = [];
    for (const tell of waiting) tell();
  }
}

/**
 * The database as one simulated process sees it. Transactions of a process run one after another (those that are begun
 * inside another one excepted), so that a history does not depend on which answer happens to come back first.
 */
export class SimDatabase extends Database {
  private readonly process: SimProcess;
  private readonly inside = new AsyncLocalStorage<true>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(dataSource: DataSource, process: SimProcess) {
    super(hit(dataSource, process));
    this.process = process;
  }

  override tenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.inTurn(() => super.tenant(tenantId, work));
  }

  override snapshot<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.inTurn(() => super.snapshot(tenantId, work));
  }

  override async engine<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.inTurn(() => super.engine(work));
  }

  override lookup<Row>(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    return this.inTurn(() => super.lookup<Row>(sql, parameters));
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.inside.getStore()) return this.counted(work);
    this.process.transactionAsked();
    const result = this.turn.then(async () => {
      await this.process.beforeTransaction();
      return this.inside.run(true, () => this.counted(work));
    });
    this.turn = result.then(
      () => this.process.transactionEnded(),
      () => this.process.transactionEnded(),
    );
    return result;
  }

  private async counted<T>(work: () => Promise<T>): Promise<T> {
    this.process.openTransactions += 1;
    try {
      return await work();
    } finally {
      this.process.openTransactions -= 1;
    }
  }
}

/** The data source, each of whose connections passes by what goes wrong in the process. */
function hit(dataSource: DataSource, process: SimProcess): DataSource {
  return new Proxy(dataSource, {
    get(target, name) {
      if (name !== 'createQueryRunner') return Reflect.get(target, name, target);
      return () => {
        const runner = target.createQueryRunner();
        const connect = runner.connect.bind(runner);
        let client: Promise<Client> | null = null;
        runner.connect = () => {
          client ??= connect().then((real: Client) => breakable(real, process));
          return client;
        };
        return runner satisfies QueryRunner;
      };
    },
  });
}
