import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import type * as EmbeddedPostgres from '../../../src/platform/embeddedPostgres.js';
import { buildProduct } from '../support/product.js';
import { pairsOf } from './ledgers.js';
import { parseSlice } from './plan.js';
import { isProven, tableOf } from './report.js';
import { type SweepReport, sweep } from './sweep.js';
import { sweptFrom } from './sweptProduct.js';

/** The processes are what is killed here, not the machine, so the database need not wait for the disk. */
const QUICK = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '300' };

/** @returns the exit code: 0 when every promise was kept and nearly every place was reached. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ledger: { type: 'string' },
      documents: { type: 'string' },
      slice: { type: 'string', default: '1/1' },
      seed: { type: 'string', default: '1' },
      lanes: { type: 'string', default: '4' },
      seconds: { type: 'string' },
      distinct: { type: 'boolean', default: false },
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
      quiet: { type: 'boolean', default: false },
    },
  });
  const pairs = pairsOf(values.ledger, values.documents);
  const slice = parseSlice(values.slice);
  const folder = mkdtempSync(join(tmpdir(), 'ledgergate-sweep-'));
  chmodSync(folder, 0o711);
  const product = await buildProduct();
  const reports: SweepReport[] = [];
  // In order, so that no process and no database of ours is left behind, and what was found until then is told.
  let isStopped = false;
  process.once('SIGTERM', () => {
    isStopped = true;
  });
  const { startEmbeddedPostgres } = await product.load<typeof EmbeddedPostgres>('platform/embeddedPostgres.js');
  const server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), settings: QUICK });
  const { newDatabase, end } = databasesOf(server.connectionString);
  try {
    const swept = await sweptFrom(product);
    say(`${swept.boundaries.length} boundaries in the program`);
    for (const pair of pairs) {
      if (isStopped) break;
      say(`${pair.ledger.title}, ${pair.documents}s`);
      const options = { ...pair, swept, newDatabase, seed: Number(values.seed), slice, lanes: Number(values.lanes) };
      reports.push(
        await sweep({
          ...options,
          isDistinct: values.distinct,
          isStopping: () => isStopped,
          ...(values.only === undefined ? {} : { only: new RegExp(values.only) }),
          ...(values.seconds === undefined ? {} : { withinMs: Number(values.seconds) * 1_000 }),
          ...(values.quiet ? {} : { say }),
          ...(values.list ? { list: say } : {}),
        }),
      );
    }
  } finally {
    if (reports.length > 0) process.stdout.write(`\n${tableOf(reports)}\n`);
    await end();
    await server.stop();
    product.remove();
    rmSync(folder, { recursive: true, force: true });
  }
  return reports.every(isProven) ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${(performance.now() / 1_000).toFixed(1).padStart(6)} s  ${line}\n`);
}

/** Databases of one server, which end with it. */
function databasesOf(connectionString: string): { newDatabase: () => Promise<string>; end: () => Promise<void> } {
  const pool = new pg.Pool({ connectionString, max: 1 });
  // The server ends right after the pool, maybe before the last connection is closed.
  pool.on('error', () => undefined);
  let count = 0;
  return {
    async newDatabase() {
      count += 1;
      const url = new URL(connectionString);
      url.pathname = `/sweep_${count}`;
      await pool.query(`create database sweep_${count}`);
      return url.href;
    },
    end: () => pool.end(),
  };
}
