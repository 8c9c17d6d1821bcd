// The classes of src/entities and the tables of the migrations. What would surprise: a column that only one of them knows,
// a day or an amount that a repository rounds, a repository that shows one tenant the rows of another, work through a
// repository that the statement counter does not see, a secret's hash in the error of a repository.
import type { DataSource, EntityMetadata, ObjectLiteral } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AlertRow } from '../../src/entities/alert.js';
import { ApiKeyRow } from '../../src/entities/apiKey.js';
import { AuditEventRow } from '../../src/entities/auditEvent.js';
import { Database } from '../../src/entities/database.js';
import { createDataSource } from '../../src/entities/dataSource.js';
import { SystemRow } from '../../src/entities/system.js';
import { TenantRow } from '../../src/entities/tenant.js';
import { type FreshDatabase, freshDatabase } from '../support/database.js';

let fresh: FreshDatabase;
let source: DataSource;
let db: Database;
/** Parents before those that name them by a foreign key. */
let classes: EntityMetadata[];
/** The first word that a column's check allows, by `table.column`. */
let allowed: Map<string, string>;

beforeAll(async () => {
  fresh = await freshDatabase();
  source = await createDataSource({ connectionString: fresh.connectionString }).initialize();
  db = new Database(source);
  allowed = await wordsAllowed();
  classes = parentsFirst(await parentsOf());
});
afterAll(async () => {
  await source.destroy();
  await fresh.drop();
});

// ── what the database says about itself ──────────────────────────────────────────────────────

interface Column {
  type: string;
  nullable: boolean;
  default: string | null;
  /** Place in the primary key, from 1. */
  key: number | null;
}

async function columnsOfTables(): Promise<Record<string, Column>> {
  const rows = await db.engine((tx) =>
    tx.query<Column & { name: string }>(
      `select c.table_name || '.' || c.column_name as name, c.is_nullable = 'YES' as nullable,
         regexp_replace(c.column_default, '::.*$', '') as default, k.ordinal_position::int as key,
         format_type(to_regtype(c.udt_name), null) as type
       from information_schema.columns c
       left join information_schema.table_constraints p on p.table_schema = c.table_schema
         and p.table_name = c.table_name and p.constraint_type = 'PRIMARY KEY'
       left join information_schema.key_column_usage k on k.constraint_schema = p.constraint_schema
         and k.constraint_name = p.constraint_name and k.column_name = c.column_name
       where c.table_schema = 'public' and c.table_name <> 'migrations'`,
    ),
  );
  return Object.fromEntries(rows.map(({ name, ...column }) => [name, column]));
}

function columnsOfClasses(): Record<string, Column> {
  return Object.fromEntries(
    source.entityMetadatas.flatMap((metadata) =>
      metadata.columns.map((column) => {
        const place = metadata.primaryColumns.indexOf(column);
        const given = typeof column.default === 'function' ? column.default() : column.default;
        return [
          `${metadata.tableName}.${column.databaseName}`,
          {
            type: `${source.driver.normalizeType(column)}${column.isArray ? '[]' : ''}`,
            nullable: column.isNullable,
            default: given === undefined || given === null ? null : String(given),
            key: place < 0 ? null : place + 1,
          },
        ];
      }),
    ),
  );
}

async function parentsOf(): Promise<Map<string, string[]>> {
  const rows = await db.engine((tx) =>
    tx.query<{ child: string; parents: string[] }>(
      `select conrelid::regclass::text as child, array_agg(confrelid::regclass::text) as parents
       from pg_constraint where contype = 'f' group by 1`,
    ),
  );
  return new Map(rows.map((row) => [row.child, row.parents]));
}

function parentsFirst(parents: ReadonlyMap<string, readonly string[]>): EntityMetadata[] {
  const ordered = new Set<EntityMetadata>();
  const add = (metadata: EntityMetadata): void => {
    for (const name of parents.get(metadata.tableName) ?? []) {
      const parent = source.entityMetadatas.find((one) => one.tableName === name);
      if (parent && parent !== metadata) add(parent);
    }
    ordered.add(metadata);
  };
  source.entityMetadatas.forEach(add);
  return [...ordered];
}

async function wordsAllowed(): Promise<Map<string, string>> {
  const rows = await db.engine((tx) =>
    tx.query<{ name: string; word: string }>(
      `select conrelid::regclass::text || '.' || a.attname as name,
         (regexp_match(pg_get_constraintdef(c.oid), '''([A-Z_]+)'''))[1] as word
       from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
       where c.contype = 'c' and cardinality(c.conkey) = 1`,
    ),
  );
  return new Map(rows.map((row) => [row.name, row.word]));
}

// ── rows made from what a class says ─────────────────────────────────────────────────────────

/** Values that a careless road through floats, time zones or texts would change. */
const VALUES: Record<string, unknown> = {
  text: 'x',
  'text[]': ['x', 'a "b", {c}'],
  bytea: Buffer.from([0, 255, 1]),
  'timestamp with time zone': new Date('2026-03-29T01:30:00.123Z'),
  date: '2026-02-28',
  jsonb: [{ name: 'O’Brien', nested: [null, 0.5, {}] }],
  bigint: '9007199254740993',
  'bigint[]': ['9007199254740993', '0'],
  numeric: '12345678901234567.891',
  integer: 7,
  'double precision': 0.1,
  boolean: true,
};

/**
 * One row with every column filled. All names are the same, so foreign keys meet when the tables are filled in order;
 * what is unique over tenants is made from the tenant's name.
 */
function rowOf(metadata: EntityMetadata, tenant: string): ObjectLiteral {
  const row = metadata.create();
  for (const column of metadata.columns) {
    const type = `${source.driver.normalizeType(column)}${column.isArray ? '[]' : ''}`;
    const isTenant =
      column.databaseName === 'tenant_id' ||
      (metadata.tableName === 'tenants' && column.isPrimary) ||
      (metadata.tableName === 'bi_logins' && column.databaseName === 'login');
    const value = isTenant ? tenant : (allowed.get(`${metadata.tableName}.${column.databaseName}`) ?? VALUES[type]);
    if (value === undefined) throw new Error(`${metadata.tableName}.${column.databaseName}: no value for ${type}.`);
    column.setEntityValue(row, type === 'bytea' ? Buffer.from(tenant) : value);
  }
  return row;
}

const ofTenants = () => classes.filter((metadata) => metadata.columns.some((one) => one.databaseName === 'tenant_id'));

async function addTenant(id: string): Promise<void> {
  await db.engine((tx) => tx.execute('insert into tenants (id, name) values ($1, $1)', [id]));
}

const DENIED = { code: '42501' };

describe('the classes and the tables', () => {
  it('have the same columns with the same types, defaults, nulls and keys', async () => {
    const tables = await columnsOfTables();
    expect(Object.keys(tables).length).toBeGreaterThan(250);
    expect(columnsOfClasses()).toEqual(tables);
  });

  it('put the tenant first in every key', () => {
    expect(ofTenants().length).toBeGreaterThan(25);
    for (const metadata of ofTenants()) expect(metadata.primaryColumns[0]?.databaseName).toBe('tenant_id');
    const others = classes.filter((metadata) => !ofTenants().includes(metadata)).map((metadata) => metadata.tableName);
    expect(others.sort()).toEqual(['job_claims', 'processes', 'tenants']);
  });
});

describe('through repositories', () => {
  it('a row of every table comes back as it was saved, and empty where it was emptied', async () => {
    await addTenant('keeper');
    for (const metadata of ofTenants()) {
      const saved = rowOf(metadata, 'keeper');
      await db.tenant('keeper', (tx) => tx.manager.save(metadata.target, rowOf(metadata, 'keeper')));
      const load = () => db.tenant('keeper', (tx) => tx.manager.find(metadata.target));
      expect(await load(), metadata.tableName).toEqual([saved]);
      if (metadata.target === AuditEventRow) continue;
      const nullable = metadata.columns.filter((column) => column.isNullable);
      for (const column of nullable) column.setEntityValue(saved, null);
      if (nullable.length > 0) await db.tenant('keeper', (tx) => tx.manager.save(metadata.target, saved));
      expect(await load(), metadata.tableName).toEqual([saved]);
    }
  });

  it('a tenant finds its own rows of every table without any filter, and no other', async () => {
    await addTenant('north');
    await addTenant('south');
    await addTenant('empty');
    for (const metadata of ofTenants()) {
      for (const tenant of ['north', 'south']) {
        await db.engine((tx) => tx.manager.save(metadata.target, rowOf(metadata, tenant)));
      }
      const seenBy = (tenant: string) => db.tenant(tenant, (tx) => tx.manager.find(metadata.target));
      expect(await seenBy('south'), metadata.tableName).toEqual([rowOf(metadata, 'south')]);
      expect(await seenBy('empty'), metadata.tableName).toEqual([]);
      const asked = db.tenant('south', (tx) => tx.manager.findBy(metadata.target, { tenantId: 'north' }));
      expect(await asked, metadata.tableName).toEqual([]);
    }
    const tenants = await db.tenant('south', (tx) => tx.manager.find(TenantRow));
    expect(tenants).toMatchObject([{ id: 'south' }]);
  });

  it('a tenant adds, changes and removes no row of another in any table', async () => {
    await addTenant('mine');
    await addTenant('theirs');
    for (const metadata of ofTenants()) {
      await db.engine((tx) => tx.manager.save(metadata.target, rowOf(metadata, 'theirs')));
      const insert = db.tenant('mine', (tx) => tx.manager.insert(metadata.target, rowOf(metadata, 'theirs')));
      await expect(insert, metadata.tableName).rejects.toMatchObject(DENIED);
      const theirs = { tenantId: 'theirs' };
      const change = () => db.tenant('mine', (tx) => tx.manager.update(metadata.target, theirs, { tenantId: 'mine' }));
      const remove = () => db.tenant('mine', (tx) => tx.manager.delete(metadata.target, theirs));
      if (metadata.target === AuditEventRow) {
        await expect(change()).rejects.toMatchObject(DENIED);
        await expect(remove()).rejects.toMatchObject(DENIED);
      } else {
        expect((await change()).affected, metadata.tableName).toBe(0);
        expect((await remove()).affected, metadata.tableName).toBe(0);
      }
      const left = await db.engine((tx) => tx.manager.findBy(metadata.target, theirs));
      expect(left, metadata.tableName).toEqual([rowOf(metadata, 'theirs')]);
    }
  });

  it('an audit event of one’s own is neither changed nor removed', async () => {
    await addTenant('teller');
    const event = rowOf(source.getMetadata(AuditEventRow), 'teller');
    await db.tenant('teller', (tx) => tx.manager.insert(AuditEventRow, event));
    const key = { tenantId: 'teller' };
    const change = db.tenant('teller', (tx) => tx.manager.update(AuditEventRow, key, { summary: 'Nothing happened.' }));
    await expect(change).rejects.toMatchObject(DENIED);
    await expect(db.tenant('teller', (tx) => tx.manager.delete(AuditEventRow, key))).rejects.toMatchObject(DENIED);
  });
});

describe('a statement of a repository', () => {
  it('is counted like any other', async () => {
    await addTenant('counted');
    const cost = async (work: Parameters<typeof db.tenant>[1]) => {
      const before = db.statements.count;
      await db.tenant('counted', work);
      return db.statements.count - before;
    };
    const nothing = await cost(async () => undefined);
    expect(await cost((tx) => tx.query('select 1'))).toBe(nothing + 1);
    expect(await cost((tx) => tx.manager.findBy(SystemRow, { name: 'x' }))).toBe(nothing + 1);
    expect(await cost((tx) => tx.manager.update(SystemRow, { name: 'x' }, { name: 'y' }))).toBe(nothing + 1);
    // It asks for the row first.
    const alert = rowOf(source.getMetadata(AlertRow), 'counted');
    expect(await cost((tx) => tx.manager.save(AlertRow, alert))).toBe(nothing + 2);
  });

  it('fails with the driver’s own error, which carries no parameters', async () => {
    await addTenant('twice');
    const key = rowOf(source.getMetadata(ApiKeyRow), 'twice');
    await db.tenant('twice', (tx) => tx.manager.insert(ApiKeyRow, { ...key }));
    const error = await db
      .tenant('twice', (tx) => tx.manager.insert(ApiKeyRow, { ...key }))
      .then(() => null)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: '23505', table: 'api_keys' });
    expect(error).not.toHaveProperty('parameters');
    expect(error).not.toHaveProperty('query');
  });

  it('that loses a deadlock is done again with its transaction', async () => {
    await addTenant('knot');
    const alert = rowOf(source.getMetadata(AlertRow), 'knot');
    const ids = ['left', 'right'] as const;
    await db.tenant('knot', (tx) =>
      tx.manager.insert(
        AlertRow,
        ids.map((id) => ({ ...alert, id, dedupeKey: id })),
      ),
    );
    let holding = 0;
    let tries = 0;
    const both = Promise.withResolvers<void>();
    const crossing = (first: string, second: string) =>
      db.tenant('knot', async (tx) => {
        tries += 1;
        await tx.manager.update(AlertRow, { tenantId: 'knot', id: first }, { message: second });
        holding += 1;
        if (holding >= 2) both.resolve();
        await both.promise;
        await tx.manager.update(AlertRow, { tenantId: 'knot', id: second }, { message: first });
      });
    await Promise.all([crossing('left', 'right'), crossing('right', 'left')]);
    expect(tries).toBe(3);
  });

  // Without it one frozen process stops every change of its tenant, since all of them take the audit trail's lock.
  it('that a frozen process leaves half done gives its locks back', async () => {
    await addTenant('frozen');
    const alert = rowOf(source.getMetadata(AlertRow), 'frozen');
    await db.tenant('frozen', (tx) => tx.manager.insert(AlertRow, { ...alert, id: 'one', dedupeKey: 'one' }));
    const change = (message: string) => `update alerts set message = '${message}' where id = 'one'`;
    const allowed = 'idle_in_transaction_session_timeout';
    const frozen = db.tenant('frozen', async (tx) => {
      expect(await tx.query(`show ${allowed}`)).toEqual([{ [allowed]: '2min' }]);
      await tx.query(`select set_config('${allowed}', '100', true)`);
      await tx.execute(change('half'));
      await db.tenant('frozen', (other) => other.execute(change('whole')));
      await tx.execute(change('too late'));
    });
    await expect(frozen).rejects.toThrow();
    const [row] = await db.tenant('frozen', (tx) => tx.query(`select message from alerts where id = 'one'`));
    expect(row).toEqual({ message: 'whole' });
  });
});
