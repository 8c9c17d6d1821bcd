// The ground every integration test stands on. What would surprise: two tests that see each other's rows, a superuser
// connection that makes row-level security a decoration, or a forgotten pool that nobody notices.
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { Database } from '../../../src/entities/database.js';
import { createDataSource } from '../../../src/entities/dataSource.js';
import { isMigrated, migrate } from '../../../src/entities/migrate.js';
import { emptyDatabase, freshDatabase } from '../../support/database.js';

async function rows(url: string, query: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(query)).rows;
  } finally {
    await client.end();
  }
}

async function isUpToDate(connectionString: string): Promise<boolean> {
  const dataSource = await createDataSource({ connectionString, poolSize: 1 }).initialize();
  try {
    return await isMigrated(new Database(dataSource));
  } finally {
    await dataSource.destroy();
  }
}

describe('a fresh database', () => {
  it('is migrated, empty and nobody else’s', async () => {
    const [one, other] = await Promise.all([freshDatabase(), freshDatabase()]);
    expect(await isUpToDate(one.connectionString)).toBe(true);
    await rows(one.connectionString, 'create table only_here as select 1 as n');
    await expect(rows(other.connectionString, 'select * from only_here')).rejects.toThrow(/does not exist/);
    await Promise.all([one.drop(), other.drop()]);
    await expect(rows(one.connectionString, 'select 1')).rejects.toThrow(/does not exist/);
  });

  it('is used by a role that is subject to row-level security, as the application is elsewhere', async () => {
    const database = await freshDatabase();
    const [role] = await rows(
      database.connectionString,
      'select rolsuper or rolbypassrls as exempt from pg_roles where rolname = current_user',
    );
    expect(role).toEqual({ exempt: false });
    const [switched] = await rows(
      database.connectionString,
      "select set_config('role', 'ledgergate_app', false) as role",
    );
    expect(switched).toEqual({ role: 'ledgergate_app' });
    await database.drop();
  });

  it('names a connection that was left open, and is dropped when that is closed', async () => {
    const database = await freshDatabase();
    const forgotten = new pg.Client({ connectionString: database.connectionString, application_name: 'forgotten' });
    await forgotten.connect();
    await expect(database.drop(0)).rejects.toThrow(/1 connections .* forgotten/);
    await forgotten.end();
    await database.drop();
  });

  it('can also be had without tables, and two processes that migrate it at once do it once', async () => {
    const database = await emptyDatabase();
    expect(await isUpToDate(database.connectionString)).toBe(false);
    await Promise.all([migrate(database.connectionString), migrate(database.connectionString)]);
    expect(await isUpToDate(database.connectionString)).toBe(true);
    await database.drop();
  });

  // An event of a connection that nobody listens to ends the whole process; the crash test met it when a start was cut off.
  it('is not migrated by a process whose lock was cut off, which says so', async () => {
    const database = await freshDatabase();
    const holder = new pg.Client({ connectionString: database.connectionString });
    await holder.connect();
    await holder.query('begin; lock table migrations in access exclusive mode');
    const migrating = expect(migrate(database.connectionString)).rejects.toMatchObject({ code: '57P01' });
    const ofLock = `from pg_stat_activity a join pg_locks l using (pid)
      where l.locktype = 'advisory' and l.granted and a.datname = current_database() and a.state = 'idle'`;
    await vi.waitFor(async () => {
      const waiting = `select 1 from pg_locks where relation = 'migrations'::regclass and not granted`;
      expect((await rows(database.connectionString, waiting)).length).toBe(1);
    });
    expect(await rows(database.connectionString, `select pg_terminate_backend(pid) as cut ${ofLock}`)).toEqual([
      { cut: true },
    ]);
    await vi.waitFor(async () => {
      expect(await rows(database.connectionString, `select pid ${ofLock}`)).toEqual([]);
    });
    await holder.query('commit');
    await migrating;
    await holder.end();
    await database.drop();
  });
});
