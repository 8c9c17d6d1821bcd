import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type * as EmbeddedPostgres from '../../../src/platform/embeddedPostgres.js';
import { buildProduct } from '../support/product.js';
import { race } from './race.js';

/** Nothing here is about the disk. */
const QUICK = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
const SHOWN_MAX = 20;

/** @returns the exit code: 0 when every promise was kept. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      records: { type: 'string', default: '10000' },
      callers: { type: 'string', default: '64' },
      minutes: { type: 'string', default: '30' },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), 'ledgergate-race-'));
  chmodSync(folder, 0o711);
  const product = await buildProduct();
  const { startEmbeddedPostgres } = await product.load<typeof EmbeddedPostgres>('platform/embeddedPostgres.js');
  const database = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), settings: QUICK });
  try {
    const { broken, ...report } = await race({
      ...{ product, databaseUrl: database.connectionString },
      ...{ records: Number(values.records), callers: Number(values.callers) },
      restWithinMs: Number(values.minutes) * 60_000,
      say: (line) => process.stdout.write(`${line}\n`),
    });
    process.stdout.write(`${JSON.stringify(report, null, 2)}\npromises broken: ${broken.length}\n`);
    for (const one of broken.slice(0, SHOWN_MAX)) process.stdout.write(`  ${one}\n`);
    return broken.length === 0 ? 0 : 1;
  } finally {
    await database.stop();
    product.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}
