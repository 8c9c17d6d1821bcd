import pg from 'pg';
import type { Database } from './database.js';
import { createDataSource } from './dataSource.js';

/** Any number; the same in every process of every version. */
const MIGRATION_LOCK = 7_203_114_001;

const UNDEFINED_TABLE = '42P01';

/**
 * Brings the schema up to date. Processes that start together queue on a lock: one migrates, the others find nothing
 * left to do.
 */
export async function migrate(connectionString: string): Promise<void> {
  const lock = new pg.Client({ connectionString, application_name: 'ledgergate-migrate' });
  let broken: Error | null = null;
  // Nobody waits for an answer of this connection while the migrations run, so that a break comes as an event only.
  lock.on('error', (error) => {
    broken ??= error;
  });
  await lock.connect();
  try {
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const source = createDataSource({ connectionString, poolSize: 1, applicationName: 'ledgergate-migrate' });
    await source.initialize();
    try {
      await source.runMigrations();
      // Whoever waited for the lock may have migrated beside us: the caller starts again and sees what there is.
      if (broken) throw broken;
    } finally {
      await source.destroy();
    }
  } finally {
    // Ending the session gives the lock back.
    await lock.end().catch(() => undefined);
  }
}

/**
 * Whether the database holds every migration that this program knows, by one question on a connection of the pool. A
 * database that a newer program migrated holds them too.
 */
export async function isMigrated(db: Database): Promise<boolean> {
  const names = db.dataSource.migrations.map((migration) => migration.name ?? migration.constructor.name);
  const asked = db.lookup<{ known: number }>(
    'select count(distinct name)::int as known from migrations where name = any($1)',
    [names],
  );
  try {
    const [row] = await asked;
    return row?.known === names.length;
  } catch (error) {
    // Nothing was ever migrated.
    if (error instanceof Error && 'code' in error && error.code === UNDEFINED_TABLE) return false;
    throw error;
  }
}
