import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrate } from '../../../src/entities/migrate.js';
import { startEmbeddedPostgres } from '../../../src/platform/embeddedPostgres.js';
import { layGround } from './ground.js';
import { LEDGER_KINDS } from './ledgers.js';
import { failureOf, Totals } from './report.js';
import { simulate } from './simulate.js';
import { SOURCE_KINDS } from './source.js';

/** The machine does not fail here, so the database need not wait for the disk. */
const QUICK = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

const TELL_EVERY = 25;

/** @returns the exit code: 0 when every promise was kept in every history. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seeds: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      ledger: { type: 'string' },
      source: { type: 'string' },
      steps: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const ledger = LEDGER_KINDS.find((kind) => kind === values.ledger);
  if (values.ledger !== undefined && !ledger) throw new Error(`--ledger is one of ${LEDGER_KINDS.join(', ')}`);
  const source = SOURCE_KINDS.find((kind) => kind === values.source);
  if (values.source !== undefined && !source) throw new Error(`--source is one of ${SOURCE_KINDS.join(', ')}`);
  const steps = values.steps === undefined ? undefined : Number(values.steps);
  const isOne = argv.includes('--seed') && !argv.includes('--seeds');
  const first = Number(values.seed);
  const count = isOne ? 1 : Number(values.seeds);
  const folder = mkdtempSync(join(tmpdir(), 'ledgergate-simulate-'));
  chmodSync(folder, 0o711);
  const database = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), settings: QUICK });
  try {
    await migrate(database.connectionString);
    const ground = await layGround(database.connectionString);
    const g = globalThis as unknown as Record<string, (x?: string) => number>;
    g.__findPg?.(folder);
    const c0 = process.cpuUsage();
    const p0 = g.__pgCpu?.() ?? 0;
    const totals = new Totals();
    try {
      for (let seed = first; seed < first + count; seed += 1) {
        const report = await simulate(ground, { seed, ledger, source, steps });
        totals.add(report);
        if (totals.seeds % TELL_EVERY === 0)
          process.stdout.write(`${totals.seeds} seeds, ${totals.failed.length} failed\n`);
        if (values.verbose) process.stdout.write(`${report.story.join('\n')}\n`);
        if (report.broken.length > 0) process.stdout.write(`${failureOf(report)}\n`);
      }
    } finally {
      const c1 = process.cpuUsage(c0);
      console.log(
        'CPU node',
        (c1.user + c1.system) / 1e6,
        'pg',
        (g.__pgCpu?.() ?? 0) - p0,
        'rss',
        process.memoryUsage().rss / 1e6,
      );
      await ground.close();
    }
    process.stdout.write(`${totals.table()}\n`);
    return totals.failed.length === 0 ? 0 : 1;
  } finally {
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
