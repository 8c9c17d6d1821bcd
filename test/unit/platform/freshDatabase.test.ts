// The ground every integration test stands on. What would surprise: two tests that see each other's rows, a superuser
// connection that makes row-level security a decoration, or a forgotten pool that nobody notices.
import pg from 'pg';
import { describe, expect, it } from 'vitest';
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

describe('a fresh database', () => {
  it('is migrated, empty and nobody else’s', async () => {
    const [one, other] = await Promise.all([freshDatabase(), freshDatabase()]);
    expect(await isMigrated(one.connectionString)).toBe(true);
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
    expect(await isMigrated(database.connectionString)).toBe(false);
    await Promise.all([migrate(database.connectionString), migrate(database.connectionString)]);
    expect(await isMigrated(database.connectionString)).toBe(true);
    await database.drop();
  });
});
