import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { createDataSource } from '../../../src/entities/dataSource.js';
import { QUEUE_TABLE } from './queue.js';
import { Secrets } from './secrets.js';

/** What all histories of one run share: a database, in which each of them is a tenant of its own. */
export interface Ground {
  readonly dataSource: DataSource;
  /** As the owner of the tables: for the queue, and for looking. */
  readonly pool: pg.Pool;
  /** The master key that all processes share. */
  readonly secrets: Secrets;
  /** Holds the presence locks of all simulated processes. */
  readonly locks: pg.Client;
  close(): Promise<void>;
}

export async function layGround(connectionString: string): Promise<Ground> {
  const pool = new pg.Pool({ connectionString, max: 2, application_name: 'simulation' });
  // A connection that nobody uses may end with its server; whoever asks the next question hears of it.
  pool.on('error', () => undefined);
  await pool.query(QUEUE_TABLE);
  const locks = new pg.Client({ connectionString, application_name: 'simulation-locks' });
  await locks.connect();
  const dataSource = createDataSource({ connectionString, poolSize: 8 });
  await dataSource.initialize();
  const secrets = new Secrets();
  return {
    ...{ dataSource, pool, locks, secrets },
    async close() {
      secrets.remove();
      await dataSource.destroy();
      await locks.end();
      await pool.end();
    },
  };
}

/** For names that must not meet those of another run on the same database. */
export function unique(): string {
  return randomBytes(5).toString('hex');
}
