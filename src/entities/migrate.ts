import pg from 'pg';
import { createDataSource } from './dataSource.js';

/** Any number; the same in every process of every version. */
const MIGRATION_LOCK = 7_203_114_001;

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

/** Whether the database holds every migration that this program knows. */
export async function isMigrated(connectionString: string): Promise<boolean> {
  const source = createDataSource({ connectionString, poolSize: 1 });
  await source.initialize();
  try {
    return !(await source.showMigrations());
  } finally {
    await source.destroy();
  }
}
