import pg from 'pg';

export interface ServerAddress {
  readonly port: number;
  /** The same for the superuser and for the gateway's own role: both live in one 0600 file. */
  readonly password: string;
}

const ROLE = 'ledgergate';
const DATABASE = 'ledgergate';
/** "ledg" in ASCII. Two processes that prepare one new cluster take turns. */
const PREPARE_LOCK = 0x6c656467;
const CONNECT_WITHIN_MS = 2_000;

export function urlOf({ port, password }: ServerAddress, as: 'gateway' | 'admin' = 'gateway'): string {
  const [role, database] = as === 'admin' ? ['postgres', 'postgres'] : [ROLE, DATABASE];
  return `postgresql://${role}:${password}@127.0.0.1:${port}/${database}`;
}

/** Logs in once, which proves that the server is ready and that it is ours. @returns null, or the problem. */
export async function whyNotReady(address: ServerAddress): Promise<string | null> {
  const client = new pg.Client({
    connectionString: urlOf(address, 'admin'),
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
  });
  // A server that ends while we log in reports it as an event; the failed call below already tells us.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    // Not awaited: nothing was set up, and a listener that never answers would never confirm the end either.
    void client.end().catch(() => undefined);
    return error instanceof Error ? error.message : String(error);
  }
  await client.end().catch(() => undefined);
  return null;
}

/**
 * Makes the gateway's role and database on a new cluster. The role is no superuser: PostgreSQL exempts superusers from
 * row-level security, and what works here must also work on a managed server, where nobody is one. It may create
 * databases (tests clone them) and roles (the migrations make the read-only role for BI tools).
 */
export async function prepareDatabase(address: ServerAddress): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf(address, 'admin') });
  // A server that ends meanwhile also fails the statement that is waited for.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [PREPARE_LOCK]);
    // A statement that fails is written to the server's log, and one of these holds the password.
    await client.query("set log_min_error_statement = 'panic'; set log_statement = 'none'");
    if (!(await has(client, 'select 1 from pg_roles where rolname = $1', ROLE))) {
      const password = client.escapeLiteral(address.password);
      await client.query(`create role ${ROLE} login createdb createrole password ${password}`);
    }
    if (!(await has(client, 'select 1 from pg_database where datname = $1', DATABASE))) {
      await client.query(`create database ${DATABASE} owner ${ROLE}`);
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function has(client: pg.Client, query: string, name: string): Promise<boolean> {
  const { rowCount } = await client.query(query, [name]);
  return rowCount === 1;
}
