// What PostgreSQL itself keeps apart, asked of its own catalogue, so that a table that somebody adds is asked about too.
// What would surprise: a table of tenants without row-level security, a statement without a filter that reads, changes or
// removes another tenant's row, a road around it all (an owner, a right, a view, a function), a job of another tenant.
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database, type Tx } from '../../src/entities/database.js';
import { createDataSource } from '../../src/entities/dataSource.js';
import { JobQueue } from '../../src/jobs/queue.js';
import { createLogger } from '../../src/logger.js';
import { type FreshDatabase, freshDatabase } from '../support/database.js';

const MINE = 'mine';
const THEIRS = 'theirs';
const APP = 'ledgergate_app';

/** Tables without a tenant, and why they have none. The application's role has no right to any but those that say so. */
const WITHOUT_TENANT: Readonly<Record<string, string>> = {
  tenants: 'is the list of tenants itself; its id is the tenant, and a tenant reads its own row',
  migrations: 'says which migrations the installation has had',
  processes: 'says which processes of the installation live',
  job_claims: 'says which process has which job in hand, by numbers alone',
  'pgboss.version': 'the job engine’s own version; may be read',
  'pgboss.queue': 'the names and settings of the queues, the same for every tenant; may be read',
};
const READABLE_BY_ALL = ['pgboss.queue', 'pgboss.version'];

interface Table {
  readonly name: string;
  readonly secured: boolean;
  readonly tenant: boolean;
  readonly payload: boolean;
  readonly rights: readonly string[];
}

let fresh: FreshDatabase;
let source: DataSource;
let db: Database;
let queue: JobQueue;
let tables: readonly Table[];

beforeAll(async () => {
  fresh = await freshDatabase();
  source = await createDataSource({ connectionString: fresh.connectionString }).initialize();
  db = new Database(source);
  queue = await JobQueue.start(fresh.connectionString, db, createLogger('silent'));
  tables = await readTables();
  for (const tenant of [MINE, THEIRS]) {
    await db.engine((tx) => tx.execute('insert into tenants (id, name) values ($1, $1)', [tenant]));
  }
  for (const { name } of await parentsFirst()) {
    for (const tenant of [MINE, THEIRS]) await db.engine((tx) => insertRow(tx, name, tenant));
  }
});
afterAll(async () => {
  await queue.stop(1_000);
  await source.destroy();
  await fresh.drop();
});

// ── what the catalogue says ──────────────────────────────────────────────────────────────────

function readTables(): Promise<Table[]> {
  return db.engine((tx) =>
    tx.query<Table>(
      `select c.oid::regclass::text as name, c.relrowsecurity as secured,
         exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as tenant,
         exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'data')
           and c.relnamespace::regnamespace::text = 'pgboss' as payload,
         array(select r from unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) as r
           where has_table_privilege('${APP}', c.oid, r)) as rights
       from pg_class c
       where c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
         and c.relnamespace::regnamespace::text !~ '^pg_(toast|temp)' order by 1`,
    ),
  );
}

const ofTenants = () => tables.filter(({ tenant }) => tenant);

async function parentsFirst(): Promise<Table[]> {
  const links = await db.engine((tx) =>
    tx.query<{ child: string; parent: string }>(
      `select conrelid::regclass::text as child, confrelid::regclass::text as parent from pg_constraint
       where contype = 'f' and conrelid <> confrelid`,
    ),
  );
  const ordered = new Set<Table>();
  const add = (table: Table): void => {
    for (const { parent } of links.filter(({ child }) => child === table.name)) {
      const found = ofTenants().find(({ name }) => name === parent);
      if (found) add(found);
    }
    ordered.add(table);
  };
  for (const table of ofTenants()) add(table);
  return [...ordered];
}

// ── rows made from the types of their columns ────────────────────────────────────────────────

const VALUES: Readonly<Record<string, unknown>> = {
  text: 'x',
  'text[]': ['x'],
  bytea: Buffer.from('x'),
  'timestamp with time zone': new Date('2026-11-20T12:00:00Z'),
  date: '2026-11-20',
  jsonb: '{}',
  bigint: '1',
  'bigint[]': ['1'],
  numeric: '1',
  integer: 1,
  'double precision': 1,
  boolean: true,
};

interface Column {
  readonly name: string;
  readonly type: string;
  /** The first word that a check allows. */
  readonly word: string | null;
  /** Unique by itself over all tenants. */
  readonly alone: boolean;
}

async function insertRow(tx: Tx, table: string, tenant: string): Promise<number> {
  const columns = await tx.query<Column>(
    `select quote_ident(a.attname) as name, format_type(a.atttypid, null) as type,
       (select (regexp_match(pg_get_constraintdef(k.oid), '''([A-Z_]+)'''))[1] from pg_constraint k
        where k.conrelid = a.attrelid and k.contype = 'c' and k.conkey = array[a.attnum] limit 1) as word,
       exists (select from pg_index i where i.indrelid = a.attrelid and i.indisunique and a.attnum = any(i.indkey)
         and not exists (select from pg_attribute t where t.attrelid = a.attrelid and t.attname = 'tenant_id'
           and t.attnum = any(i.indkey))) as alone
     from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
       and a.attgenerated = '' order by a.attnum`,
    [table],
  );
  const values = columns.map(({ name, type, word, alone }) => {
    if (name === 'tenant_id') return tenant;
    if (alone) return type === 'bytea' ? Buffer.from(tenant) : tenant;
    const value = word ?? VALUES[type];
    if (value === undefined) throw new Error(`${table}.${name}: this test has no value of type ${type}.`);
    return value;
  });
  const places = values.map((_, index) => `$${index + 1}`).join(', ');
  return tx.execute(`insert into ${table} (${columns.map(({ name }) => name).join(', ')}) values (${places})`, values);
}

/** How many rows a statement touched, or `denied`. Anything else that goes wrong fails the test. */
async function touched(work: (tx: Tx) => Promise<number>): Promise<number | 'denied'> {
  try {
    return await db.tenant(MINE, work);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '42501') return 'denied';
    throw error;
  }
}

function stored(table: string): Promise<Record<string, unknown>[]> {
  return db.engine((tx) => tx.query(`select * from ${table} where tenant_id = $1`, [THEIRS]));
}

describe('every table', () => {
  it('has a tenant and row-level security, or a reason to have neither', () => {
    expect(ofTenants().length).toBeGreaterThan(30);
    expect(ofTenants().filter(({ secured }) => !secured)).toEqual([]);
    const others = tables.filter(({ tenant, payload }) => !tenant && !payload);
    const theEngines = others.filter(({ name, rights }) => name.startsWith('pgboss.') && rights.length === 0);
    const unexplained = others.filter((table) => !theEngines.includes(table) && !(table.name in WITHOUT_TENANT));
    expect(unexplained.map(({ name }) => name)).toEqual([]);
    expect(Object.keys(WITHOUT_TENANT).filter((name) => !others.some((table) => table.name === name))).toEqual([]);
  });

  it('without a tenant gives the application no right, but to read what is the same for all', () => {
    const rights = tables
      .filter(({ tenant, payload }) => !tenant && !payload)
      .filter((table) => table.rights.length > 0)
      .map(({ name, rights }) => [name, rights]);
    expect(rights).toEqual([...READABLE_BY_ALL, 'tenants'].map((name) => [name, ['SELECT']]));
    expect(tables.find(({ name }) => name === 'tenants')?.secured).toBe(true);
  });

  it('can be emptied by nobody who works for a tenant', () => {
    const more = ['TRUNCATE', 'REFERENCES', 'TRIGGER'];
    expect(tables.filter(({ rights }) => rights.some((right) => more.includes(right)))).toEqual([]);
  });

  // A table that forces row-level security on its owner makes pg_dump fail, or leave rows out without a word.
  it('is read whole by its owner, as a backup does', async () => {
    await db.engine(async (tx) => {
      await tx.execute('set local row_security = off');
      for (const { name } of ofTenants()) {
        const [row] = await tx.query<{ n: number }>(`select count(distinct tenant_id)::int as n from ${name}`);
        expect(row?.n, name).toBe(2);
      }
    });
  });
});

describe('the role that the application works as', () => {
  it('owns nothing, passes no row-level security and can become nobody else', async () => {
    const [facts] = await db.engine((tx) =>
      tx.query(
        `select rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
           (select count(*)::int from pg_class where relowner = r.oid) as owned,
           array(select roleid::regrole::text from pg_auth_members where member = r.oid) as is_member_of
         from pg_roles r where rolname = '${APP}'`,
      ),
    );
    const no = { rolcanlogin: false, rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false };
    expect(facts).toEqual({ ...no, owned: 0, is_member_of: [] });
  });

  it('reads through views what the tables would show it: the rows of its tenant', async () => {
    const views = await db.engine((tx) =>
      tx.query<{ name: string; owner: string }>(
        `select oid::regclass::text as name, relowner::regrole::text as owner from pg_class
         where relkind in ('v', 'm') and has_table_privilege('${APP}', oid, 'SELECT')
           and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')`,
      ),
    );
    expect(views.length).toBeGreaterThan(5);
    for (const { name, owner } of views) {
      // It owns no table, so row-level security holds for it too.
      expect(owner, name).toBe('ledgergate_bi_views');
      expect(await db.tenant(MINE, (tx) => tx.query(`select 1 from ${name}`)), name).toHaveLength(1);
      expect(await db.tenant('nobody', (tx) => tx.query(`select 1 from ${name}`)), name).toEqual([]);
    }
    const [facts] = await db.engine((tx) =>
      tx.query(
        `select rolsuper, rolbypassrls, array(select oid::regclass::text from pg_class where relowner = r.oid
           and relkind in ('r', 'p')) as tables from pg_roles r where rolname = 'ledgergate_bi_views'`,
      ),
    );
    expect(facts).toEqual({ rolsuper: false, rolbypassrls: false, tables: [] });
  });

  it('calls no function that works with its owner’s rights, but one that says which tenant is asked for', async () => {
    const functions = await db.engine((tx) =>
      tx.query<{ name: string }>(
        `select p.oid::regproc::text as name from pg_proc p where prosecdef
           and p.pronamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
           and has_function_privilege('${APP}', p.oid, 'EXECUTE')`,
      ),
    );
    expect(functions).toEqual([{ name: 'bi_tenant' }]);
  });

  it('sees no row of any table where no tenant is set', async () => {
    await db.engine(async (tx) => {
      await tx.execute(`set local role ${APP}`);
      for (const { name, rights } of tables.filter(({ tenant, payload }) => tenant || payload)) {
        if (!rights.includes('SELECT')) continue;
        expect(await tx.query(`select 1 from ${name}`), name).toEqual([]);
      }
      expect(await tx.query('select 1 from tenants')).toEqual([]);
    });
  });
});

describe('a statement without a filter', () => {
  it('reads the rows of one’s own tenant in every table, and no other', async () => {
    for (const { name } of ofTenants()) {
      const rows = await db.tenant(MINE, (tx) => tx.query(`select tenant_id from ${name}`));
      expect(rows, name).toEqual([{ tenant_id: MINE }]);
      const asked = await db.tenant(MINE, (tx) => tx.query(`select 1 from ${name} where tenant_id = '${THEIRS}'`));
      expect(asked, name).toEqual([]);
    }
    expect(await db.tenant(MINE, (tx) => tx.query('select id from tenants'))).toEqual([{ id: MINE }]);
  });

  it('changes, moves, adds and removes no row of another tenant in any table', async () => {
    for (const { name, rights } of ofTenants()) {
      const before = await stored(name);
      expect(before, name).toHaveLength(1);
      const may = (right: string) => rights.includes(right);
      const same = `update ${name} set tenant_id = tenant_id`;
      expect(await touched((tx) => tx.execute(`${same} where tenant_id = '${THEIRS}'`)), name).toBe(
        may('UPDATE') ? 0 : 'denied',
      );
      expect(await touched((tx) => tx.execute(same)), name).toBe(may('UPDATE') ? 1 : 'denied');
      expect(await touched((tx) => tx.execute(`update ${name} set tenant_id = '${THEIRS}'`)), name).toBe('denied');
      expect(await touched((tx) => insertRow(tx, name, THEIRS)), name).toBe('denied');
      expect(await touched((tx) => tx.execute(`delete from ${name} where tenant_id = '${THEIRS}'`)), name).toBe(
        may('DELETE') ? 0 : 'denied',
      );
      expect(await stored(name), name).toEqual(before);
    }
  });

  it('finds the jobs of one’s own tenant only, and sends none in another’s name', async () => {
    const send = (tenantId: string, by = tenantId) =>
      db.tenant(by, (tx) => queue.send(tx, 'ledger.drain', { tenantId, ledgerId: `ledger of ${tenantId}` }));
    await send(MINE);
    await send(THEIRS);
    await expect(send(THEIRS, MINE)).rejects.toMatchObject({ code: '42501' });
    const jobTables = tables.filter(({ payload }) => payload);
    expect(jobTables.map(({ name }) => name)).toContain('pgboss.job');
    expect(jobTables.filter(({ secured }) => !secured)).toEqual([]);
    const seen = await db.tenant(MINE, (tx) => tx.query(`select data ->> 'ledgerId' as ledger from pgboss.job`));
    expect(seen).toEqual([{ ledger: `ledger of ${MINE}` }]);
    for (const { name } of jobTables) {
      const whose = `select distinct data ->> 'tenantId' as tenant from ${name}`;
      expect(await db.tenant(MINE, (tx) => tx.query(whose)), name).not.toContainEqual({ tenant: THEIRS });
      const change = `update ${name} set data = data where data ->> 'tenantId' = '${THEIRS}'`;
      expect(await touched((tx) => tx.execute(change)), name).toBe(0);
      expect(await touched((tx) => tx.execute(`delete from ${name}`)), name).toBe('denied');
    }
    expect(await db.engine((tx) => tx.query('select 1 from pgboss.job'))).toHaveLength(2);
  });
});
