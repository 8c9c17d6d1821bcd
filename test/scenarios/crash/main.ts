import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type * as EmbeddedPostgres from '../../../src/platform/embeddedPostgres.js';
import { buildProduct } from '../support/product.js';
import { runCrashTest } from './crash.js';
import { documentsOf, ledgerNamed } from './ledgers/index.js';
import { complaintsOf, tableOf } from './report.js';

/** The processes are what is killed here, not the machine, so the database need not wait for the disk. */
const QUICK = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/** @returns the exit code: 0 when every promise was kept. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ledger: { type: 'string', default: 'syspro' },
      documents: { type: 'string' },
      kills: { type: 'string', default: '200' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      purchases: { type: 'string', default: '2000' },
      'long-pauses': { type: 'string', default: '2' },
      workers: { type: 'string', default: '2' },
      minutes: { type: 'string' },
    },
  });
  const ledger = ledgerNamed(values.ledger);
  const documents = documentsOf(ledger, values.documents);
  const folder = mkdtempSync(join(tmpdir(), 'ledgergate-crash-'));
  chmodSync(folder, 0o711);
  const product = await buildProduct();
  const { startEmbeddedPostgres } = await product.load<typeof EmbeddedPostgres>('platform/embeddedPostgres.js');
  const database = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), settings: QUICK });
  process.stdout.write(`${ledger.title}, ${documents}s, seed ${values.seed}\n`);
  try {
    const report = await runCrashTest({
      ...{ ledger, documents },
      kills: Number(values.kills),
      seed: Number(values.seed),
      purchases: Number(values.purchases),
      longPauses: Number(values['long-pauses']),
      workers: Number(values.workers),
      ...(values.minutes === undefined ? {} : { minutes: Number(values.minutes) }),
      product,
      databaseUrl: database.connectionString,
      say: (line) => process.stdout.write(`${(performance.now() / 1_000).toFixed(1).padStart(6)} s  ${line}\n`),
    });
    process.stdout.write(
      `\n${tableOf(report)}\n\nHeld and refused:\n${report.unfinished.join('\n')}\n\nWhat the workers logged as errors:\n${complaintsOf(report)}\n`,
    );
    return report.verdict.broken.length === 0 ? 0 : 1;
  } catch (error) {
    process.stderr.write(`Failed with seed ${values.seed}.\n`);
    throw error;
  } finally {
    await database.stop();
    product.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}
