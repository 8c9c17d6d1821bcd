import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { PlainWorld } from '../support/plainWorld.js';
import { buildProduct } from '../support/product.js';
import { type Backup, CASES, PURCHASES, proveRestore } from './prove.js';

const run = promisify(execFile);

/** As docs/operation.md has it, but under the name that the database had. */
async function dump(url: string, file: string): Promise<Backup> {
  await run('pg_dump', ['--format=custom', `--file=${file}`, url]);
  const name = new URL(url).pathname.slice(1);
  const server = new URL(url);
  server.pathname = '/postgres';
  return {
    async restore() {
      await run('dropdb', [`--maintenance-db=${server.href}`, name]);
      await run('createdb', [`--maintenance-db=${server.href}`, name]);
      await run('pg_restore', ['--exit-on-error', '--no-owner', `--dbname=${url}`, file]);
    },
    drop: async () => rmSync(file, { force: true }),
  };
}

/** @returns the exit code: 0 when every promise was kept. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: { database: { type: 'string' }, ledger: { type: 'string', default: 'syspro' } },
  });
  const databaseUrl = values.database;
  const one = CASES.find(({ ledger }) => ledger === values.ledger);
  if (!databaseUrl || !one) throw new Error('--database and a --ledger of syspro or epicor-kinetic are needed.');
  const folder = mkdtempSync(join(tmpdir(), 'ledgergate-restore-'));
  const product = await buildProduct();
  const { ledger, documents } = one;
  const world = await PlainWorld.start({ product, databaseUrl, ledger, documents, purchases: PURCHASES });
  try {
    const broken = await proveRestore(world, () => dump(databaseUrl, join(folder, 'ledgergate.dump')), one);
    process.stdout.write([`${one.name}: promises broken: ${broken.length}`, ...broken, ''].join('\n'));
    return broken.length === 0 ? 0 : 1;
  } finally {
    await world.close();
    product.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}
