import { randomBytes } from 'node:crypto';
import { Worker } from '../jobs/worker.js';
import { Presence } from '../services/processes.js';
import type { Work } from './ground.js';

/** What runs at the end may finish; the rest is handed back to the queue. */
const STOP_MS = 20_000;

/**
 * Works on jobs in this process while `work` runs, as a gateway's worker would: for commands that wait for an outcome
 * while no other worker lives. Schedules are left alone.
 */
export async function withWorker<T>({ ground }: Work, work: () => Promise<T>): Promise<T> {
  const { db, engine, queue, connectionString, logger } = ground;
  const lockKey = BigInt(randomBytes(6).readUIntBE(0, 6));
  const presence = new Presence(db, connectionString, engine.processId, lockKey, logger);
  await presence.start(['worker'], engine.clock.now());
  const worker = new Worker(engine, queue, db);
  try {
    await worker.start();
    return await work();
  } finally {
    await worker.stop(STOP_MS);
    const lastProcess = await presence.stop();
    await engine.connections.closeAll({ lastProcess });
  }
}
