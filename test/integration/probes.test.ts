// How a process is watched that has no API. What would surprise: a probe that opens a connection of its own each time, one
// that hangs with the database, figures without the token, a process that counts as ready while it stops.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../src/entities/database.js';
import { createDataSource } from '../../src/entities/dataSource.js';
import { isMigrated } from '../../src/entities/migrate.js';
import { Metrics, metricsRoute } from '../../src/http/metrics.js';
import { Readiness, type RunningProbes, startProbes } from '../../src/http/probes.js';
import { createLogger } from '../../src/logger.js';
import { Secret } from '../../src/secrets.js';
import { type FreshDatabase, freshDatabase } from '../support/database.js';

let database: FreshDatabase;
let db: Database;
let probes: RunningProbes;
let answer: () => Promise<boolean>;

beforeAll(async () => {
  database = await freshDatabase();
  db = new Database(await createDataSource({ connectionString: database.connectionString, poolSize: 2 }).initialize());
  await db.engine((tx) =>
    tx.execute(`create schema pgboss; create table pgboss.job (name text, state text, start_after timestamptz)`),
  );
  const metrics = new Metrics({ db, clock: { now: () => new Date() }, version: '1' });
  const readiness = { isReady: () => answer() };
  probes = await startProbes({
    ...{ host: '127.0.0.1', port: 0, logger: createLogger('silent'), isReady: () => readiness.isReady() },
    metrics: metricsRoute(metrics, new Secret('token-of-the-scraper')),
  });
  return () => metrics.stop();
});
afterEach(() => {
  answer = async () => true;
});
afterAll(async () => {
  await probes?.stop();
  await db?.dataSource.destroy();
  await database?.drop();
});

const get = (path: string, init?: RequestInit) => fetch(`${probes.url}${path}`, init);

describe('a worker that is watched', () => {
  it('says that it lives, and nothing about anything else', async () => {
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/graphql')).status).toBe(404);
    expect((await get('/healthz', { method: 'POST' })).status).toBe(405);
  });

  it('shows its own figures to whoever has the token', async () => {
    expect((await get('/metrics')).status).toBe(401);
    const shown = await get('/metrics', { headers: { authorization: 'Bearer token-of-the-scraper' } });
    expect(shown.status).toBe(200);
    expect(await shown.text()).toMatch(/nodejs_eventloop_lag_seconds [\d.e-]+/);
  });

  it('is ready as long as the database holds every migration, which is one statement', async () => {
    answer = () => isMigrated(db);
    const before = db.statements.count;
    expect((await get('/readyz')).status).toBe(200);
    expect(db.statements.count - before).toBe(1);
    await db.engine((tx) => tx.execute(`update migrations set name = 'x' || name where name like 'Bi%'`));
    expect((await get('/readyz')).status).toBe(503);
    await db.engine((tx) => tx.execute(`update migrations set name = substr(name, 2) where name like 'xBi%'`));
    expect((await get('/readyz')).status).toBe(200);
  });

  it('is not ready while it stops, and still answers', async () => {
    probes.beginStop();
    const stopping = await get('/readyz');
    expect([stopping.status, await stopping.json()]).toEqual([503, { status: 'not ready', reason: 'stopping' }]);
    expect((await get('/healthz')).status).toBe(200);
  });
});

describe('readiness', () => {
  it('asks the database once for all who ask at the same time', async () => {
    let asked = 0;
    const readiness = new Readiness(async () => {
      asked += 1;
      return true;
    });
    expect(await Promise.all([readiness.isReady(), readiness.isReady(), readiness.isReady()])).toEqual([
      true,
      true,
      true,
    ]);
    expect(asked).toBe(1);
  });

  it('is no when the database does not answer, instead of an answer that never comes', async () => {
    expect(await new Readiness(() => new Promise<boolean>(() => undefined)).isReady()).toBe(false);
    expect(await new Readiness(() => Promise.reject(new Error('down'))).isReady()).toBe(false);
  });
});
