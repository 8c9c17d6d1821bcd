import type { SimProcess } from './simProcess.js';

/** The driver's connection, as far as it is used here. */
export interface Client {
  query(...parameters: unknown[]): Promise<unknown>;
  escapeLiteral(text: string): string;
}

interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly name?: string;
}

class ConnectionCut extends Error {
  readonly code = 'ECONNRESET';

  constructor() {
    super('Connection terminated unexpectedly');
  }
}

const names = new Map<string, string>();
const NAMES_MAX = 2_000;
const SHORT_MAX = 200;

/** Simulated processes share connections, and each of them would give its own statements the same names. */
function shared({ text, values = [] }: Statement): Statement {
  const known = names.get(text);
  if (known === undefined && names.size >= NAMES_MAX) return { text, values };
  const name = known ?? `shared${names.size}`;
  names.set(text, name);
  return { text, values, name };
}

const ISOLATION = 'SET TRANSACTION ISOLATION LEVEL ';
const DONE = { command: 'SET', rows: [], rowCount: null };
const READS = /^\s*(select|start|set|commit|rollback)\b/i;
/** What others may wait for, although nothing is written. */
const LOCKS = /for (update|share)|advisory|pg_notify/i;

/** Connections on which the end of a transaction that read only has not been said yet. */
const unsaid = new Set<Client>();

/** Says it. To be called between two steps, so that no transaction stays open for long. */
export async function endReads(): Promise<void> {
  const open = [...unsaid];
  unsaid.clear();
  // The pool closes connections that nobody needs; with one its transaction has ended as well.
  await Promise.allSettled(open.map((client) => client.query('COMMIT')));
}

/**
 * One connection of a process, which can end. The server's side of it is rolled back at once, as it would be when it
 * sees the end.
 *
 * A transaction is begun together with its first statements, and the end of one that only read is said together with
 * the next beginning: that is most of all round trips, and a history is made of little
 * else. What the server is told is the same.
 */
class Connection {
  private isBroken = false;
  private isOpen = false;
  /** What begins a transaction that was asked for, while nothing was asked in it. */
  private beginning: string | null = null;
  private hasWritten = false;
  private hasLocked = false;
  private readonly real: Client;
  private readonly process: SimProcess;

  constructor(real: Client, process: SimProcess) {
    this.real = real;
    this.process = process;
  }

  async query(...parameters: unknown[]): Promise<unknown> {
    const [first, second] = parameters;
    const statement = statementOf(first, second);
    const { text } = statement;
    if (this.isBroken) throw new ConnectionCut();
    if (text === 'ROLLBACK') return this.rollback();
    if (this.process.isCutBefore(text)) return this.end();
    if (text === 'START TRANSACTION') {
      this.beginning = text;
      this.hasWritten = false;
      this.hasLocked = false;
      return DONE;
    }
    if (text === 'COMMIT') return this.commit();
    if (this.beginning !== null && text.startsWith(ISOLATION)) {
      this.beginning += ` ISOLATION LEVEL ${text.slice(ISOLATION.length)}`;
      return DONE;
    }
    if (this.beginning !== null && text.startsWith('select set_config(')) {
      this.beginning += `; ${this.spelledOut(statement)}`;
      return DONE;
    }
    this.hasWritten ||= !READS.test(text);
    this.hasLocked ||= LOCKS.test(text);
    if (this.beginning !== null) return this.begin(this.beginning, statement);
    if (!this.isOpen && unsaid.delete(this.real)) await this.real.query('COMMIT');
    return this.send(statement);
  }

  private async commit(): Promise<unknown> {
    this.beginning = null;
    if (this.isOpen) {
      this.isOpen = false;
      if (this.hasWritten || this.hasLocked) await this.real.query('COMMIT');
      else unsaid.add(this.real);
      if (this.hasWritten) this.process.noteWrite();
    }
    return this.process.isCommitUnheard() ? this.end() : DONE;
  }

  private async begin(beginning: string, statement: Statement): Promise<unknown> {
    const before = unsaid.delete(this.real) ? `COMMIT; ${beginning}` : beginning;
    this.beginning = null;
    this.isOpen = true;
    if (!isShort(statement)) {
      await this.real.query(before);
      return this.send(statement);
    }
    const results = (await this.real.query(`${before}; ${this.spelledOut(statement)}`)) as unknown[];
    return results.at(-1);
  }

  /** With the parameters, which are all text, in their places. */
  private spelledOut({ text, values = [] }: Statement): string {
    return text.replace(/\$(\d+)/g, (_all, index: string) =>
      this.real.escapeLiteral(String(values[Number(index) - 1])),
    );
  }

  private send(statement: Statement): Promise<unknown> {
    return this.real.query(statement.values?.length ? shared(statement) : statement.text);
  }

  private async rollback(): Promise<unknown> {
    this.beginning = null;
    if (!this.isOpen) return DONE;
    this.isOpen = false;
    return this.real.query('ROLLBACK');
  }

  private async end(): Promise<never> {
    this.isBroken = true;
    await this.rollback();
    throw new ConnectionCut();
  }
}

/** One that is understood as quickly anew as by its name, so that it need not wait for its transaction to begin. */
function isShort({ text, values = [] }: Statement): boolean {
  return /^select\b/.test(text) && text.length < SHORT_MAX && values.every((value) => typeof value === 'string');
}

function statementOf(first: unknown, second: unknown): Statement {
  const values = Array.isArray(second) ? second : [];
  return typeof first === 'string' ? { text: first, values } : (first as Statement);
}

export function breakable(real: Client, process: SimProcess): Client {
  const connection = new Connection(real, process);
  return new Proxy(real, {
    get(target, name) {
      if (name === 'query') return (...parameters: unknown[]) => connection.query(...parameters);
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
