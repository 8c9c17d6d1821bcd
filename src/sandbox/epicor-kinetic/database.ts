import { randomUUID } from 'node:crypto';
import { BLANK_GUID, cell, type Row, sparse, type TableDef } from './rows.js';

type Undo = () => void;

/** The first revision of a fresh database and what every row belongs to. */
export interface DatabaseOptions {
  company: string;
  firstRevision: bigint;
}

/** All rows of the company, with one rising revision over all tables, and the means to take back half of a change. */
export class Database {
  private readonly tables = new Map<string, Table>();
  private revision: bigint;
  private undo: Undo[] = [];
  private depth = 0;
  readonly company: string;

  constructor(options: DatabaseOptions) {
    this.company = options.company;
    this.revision = options.firstRevision;
  }

  table(def: TableDef): Table {
    let found = this.tables.get(def.name);
    if (found === undefined) {
      found = new Table(def, {
        company: this.company,
        nextRevision: () => this.revision++,
        remember: (undo) => this.undo.push(undo),
      });
      this.tables.set(def.name, found);
    }
    return found;
  }

  /** Does all of it or, when it throws, nothing. */
  transaction<Result>(work: () => Result): Result {
    const mark = this.undo.length;
    this.depth += 1;
    try {
      return work();
    } catch (error) {
      while (this.undo.length > mark) this.undo.pop()?.();
      throw error;
    } finally {
      this.depth -= 1;
      if (this.depth === 0) this.settle();
    }
  }

  /** Takes part in a transaction: `undo` runs when it fails. */
  remember(undo: Undo): void {
    this.undo.push(undo);
  }

  private settle(): void {
    this.undo = [];
    for (const table of this.tables.values()) table.compact();
  }
}

interface TableHooks {
  company: string;
  nextRevision(): bigint;
  remember(undo: Undo): void;
}

/** One table with the indexes that look-ups need. Text is compared without regard to case, as the database does. */
export class Table {
  /** Rises with every change: what cached orders are checked against. */
  version = 0;
  private readonly byKey = new Map<string, Row>();
  private readonly indexes: ReadonlyMap<string, Map<string, Set<Row>>>;
  /** Row states in the order of their revisions; a state that is not the row's latest is passed over. */
  private log: Row[] = [];

  constructor(
    readonly def: TableDef,
    private readonly hooks: TableHooks,
  ) {
    this.indexes = new Map(def.indexed.map((column) => [column, new Map<string, Set<Row>>()]));
  }

  get size(): number {
    return this.byKey.size;
  }

  all(): IterableIterator<Row> {
    return this.byKey.values();
  }

  /** @param key the values of the key columns in their order. */
  find(...key: readonly (string | number)[]): Row | undefined {
    return this.byKey.get(joinKey(key));
  }

  /** The stored row with the same key as this one. */
  same(row: Row): Row | undefined {
    return this.byKey.get(this.keyOf(row));
  }

  isIndexed(column: string): boolean {
    return this.indexes.has(column);
  }

  /** Rows whose indexed column has that value. */
  where(column: string, value: string | number): Iterable<Row> {
    return this.indexes.get(column)?.get(fold(value)) ?? [];
  }

  countWhere(column: string, value: string | number): number {
    return this.indexes.get(column)?.get(fold(value))?.size ?? 0;
  }

  /** Rows with a revision above that, in the order of their revisions. */
  *since(revision: bigint): Generator<Row> {
    let low = 0;
    let high = this.log.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (revisionOf(this.log[middle]) > revision) high = middle;
      else low = middle + 1;
    }
    for (let index = low; index < this.log.length; index += 1) {
      const row = this.log[index];
      if (row !== undefined && this.isCurrent(row)) yield row;
    }
  }

  /** Stores a row under its key with a new revision. @returns the stored row. */
  put(draft: Row): Row {
    const before = this.byKey.get(this.keyOf(draft));
    const id = before?.SysRowID ?? (draft.SysRowID === BLANK_GUID ? undefined : draft.SysRowID) ?? randomUUID();
    const row = sparse(this.def, {
      ...draft,
      Company: this.hooks.company,
      SysRevID: this.hooks.nextRevision(),
      SysRowID: id,
    });
    this.exchange(before, row);
    this.log.push(row);
    this.hooks.remember(() => this.exchange(row, before));
    return row;
  }

  remove(row: Row): void {
    const stored = this.same(row);
    if (stored === undefined) return;
    this.exchange(stored, undefined);
    this.hooks.remember(() => this.exchange(undefined, stored));
  }

  /** Drops outdated states. Only between transactions: taking back a change brings old states to life again. */
  compact(): void {
    if (this.log.length > 2 * this.byKey.size + 1000) this.log = this.log.filter((row) => this.isCurrent(row));
  }

  private exchange(before: Row | undefined, after: Row | undefined): void {
    this.version += 1;
    if (before !== undefined) this.unlist(before);
    if (after === undefined) {
      if (before !== undefined) this.byKey.delete(this.keyOf(before));
      return;
    }
    this.byKey.set(this.keyOf(after), after);
    for (const [column, index] of this.indexes) {
      const value = fold(cell(this.def, after, column));
      const listed = index.get(value);
      if (listed === undefined) index.set(value, new Set([after]));
      else listed.add(after);
    }
  }

  private unlist(row: Row): void {
    for (const [column, index] of this.indexes) {
      const value = fold(cell(this.def, row, column));
      const listed = index.get(value);
      listed?.delete(row);
      if (listed?.size === 0) index.delete(value);
    }
  }

  private isCurrent(row: Row): boolean {
    return this.same(row) === row;
  }

  private keyOf(row: Row): string {
    return joinKey(this.def.key.map((column) => cell(this.def, row, column)));
  }
}

function fold(value: unknown): string {
  return String(value).toUpperCase();
}

function joinKey(parts: readonly unknown[]): string {
  return parts.map(fold).join('\u0001');
}

function revisionOf(row: Row | undefined): bigint {
  return (row?.SysRevID as bigint | undefined) ?? 0n;
}
