import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { inject } from 'vitest';
import { migrate } from '../../src/entities/migrate.js';
import { startEmbeddedPostgres } from '../../src/platform/embeddedPostgres.js';

export interface FreshDatabase {
  /** An ordinary role that owns this database; no superuser, so row-level security counts. */
  readonly connectionString: string;
  /**
   * Removes it. Fails, naming them, when connections are still open after `closeWithinMs` (a busy server takes a while to
   * see one go): somebody forgot to close a pool.
   */
  drop(closeWithinMs?: number): Promise<void>;
  /** Keeps what is in it now. Nobody may be connected. */
  backUp(): Promise<DatabaseBackup>;
}

export interface DatabaseBackup {
  /** Puts the database back to what it was. Nobody may be connected. */
  restore(): Promise<void>;
  drop(): Promise<void>;
}

/** A crash of the machine may lose a test's data; waiting for the disk would only make it slow. */
const TEST_SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '2GB' };
const TEMPLATE = 'ledgergate_template';
/** "test" in ASCII: making the template and cloning it are done by one test process at a time. */
const CLONE_LOCK = 0x74657374;
const CLOSE_WITHIN_MS = 15_000;

let maintenance: Promise<string> | null = null;

/** Address of this run's server, which the first caller of all test processes starts. */
function serverUrl(): Promise<string> {
  maintenance ??= startEmbeddedPostgres({
    dataDir: join(inject('databaseFolder'), 'postgres'),
    settings: TEST_SETTINGS,
  }).then(({ connectionString }) => connectionString);
  return maintenance;
}

/** A new, migrated, empty database of one's own (a clone of a template, about 0.1 s). */
export async function freshDatabase(): Promise<FreshDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const server = await serverUrl();
  await withClient(server, async (client) => {
    await client.query('select pg_advisory_lock($1)', [CLONE_LOCK]);
    await ensureTemplate(client, server);
    await client.query(`create database ${name} template ${TEMPLATE}`);
  });
  return fresh(server, name);
}

/** A new database without any table, for tests of the migrations themselves. */
export async function emptyDatabase(): Promise<FreshDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const server = await serverUrl();
  await withClient(server, (client) => client.query(`create database ${name}`));
  return fresh(server, name);
}

function fresh(server: string, name: string): FreshDatabase {
  return {
    connectionString: named(server, name),
    drop: (closeWithinMs) => dropDatabase(server, name, closeWithinMs),
    backUp: () => backUp(server, name),
  };
}

async function backUp(server: string, name: string): Promise<DatabaseBackup> {
  const copy = `${name}_backup`;
  await cloned(server, copy, name);
  return {
    async restore() {
      await dropDatabase(server, name);
      await cloned(server, name, copy);
    },
    drop: () => dropDatabase(server, copy),
  };
}

async function cloned(server: string, name: string, from: string): Promise<void> {
  await withClient(server, async (client) => {
    const open = await connectionsLeft(client, from, CLOSE_WITHIN_MS);
    if (open.length > 0) throw new Error(`Somebody is still connected to ${from}: ${open.join('; ')}`);
    await client.query(`create database ${name} template ${from}`);
  });
}

async function ensureTemplate(client: pg.Client, server: string): Promise<void> {
  const { rows } = await client.query<{ ready: boolean }>(
    'select datistemplate as ready from pg_database where datname = $1',
    [TEMPLATE],
  );
  if (rows[0]?.ready) return;
  // There but not marked: the process that was making it was killed.
  if (rows[0]) await client.query(`drop database ${TEMPLATE} with (force)`);
  await client.query(`create database ${TEMPLATE}`);
  await migrate(named(server, TEMPLATE));
  await client.query(`alter database ${TEMPLATE} with is_template true`);
}

function named(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'test-support' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function dropDatabase(server: string, name: string, closeWithinMs = CLOSE_WITHIN_MS): Promise<void> {
  await withClient(server, async (client) => {
    const open = await connectionsLeft(client, name, closeWithinMs);
    // It goes with the run's server then: only a superuser could drop it by force while the server cleans up in there.
    if (open.length > 0) {
      throw new Error(`${open.length} connections to the test's database were never closed: ${open.join('; ')}`);
    }
    await client.query(`drop database if exists ${name}`);
  });
}

/** The server notices a closed connection a moment after the client has closed it. */
async function connectionsLeft(client: pg.Client, name: string, closeWithinMs: number): Promise<string[]> {
  const deadline = Date.now() + closeWithinMs;
  for (;;) {
    const { rows } = await client.query<{ what: string }>(
      `select application_name || ', last statement: ' || left(query, 80) as what
         from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
      [name],
    );
    if (rows.length === 0 || Date.now() > deadline) return rows.map(({ what }) => what);
    await pause(20);
  }
}
