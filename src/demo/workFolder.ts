import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { startEmbeddedPostgres } from '../platform/embeddedPostgres.js';
import { identityOf, isRunning, type ProcessIdentity } from '../platform/processes.js';

const PREFIX = 'ledgergate-demo-';
const OWNER = 'owner.json';
const ownerSchema = z.object({ pid: z.int(), startedAt: z.string() });

export interface WorkFolder {
  /** Logs and the like. */
  readonly path: string;
  /** For LEDGERGATE_DATA_DIR. */
  readonly dataDir: string;
  /** Takes away what is not to be kept. */
  remove(): void;
}

/**
 * A folder for one demo. What an earlier demo left that was killed with SIGKILL is cleared away first.
 * @param keep where the data is to stay; must be new or empty.
 * @throws InputError `keep` holds something.
 */
export async function makeWorkFolder(keep: string | undefined): Promise<WorkFolder> {
  await removeAbandoned();
  const dataDir = keep === undefined ? null : resolve(keep);
  if (dataDir !== null && existsSync(dataDir) && readdirSync(dataDir).length > 0) {
    throw new InputError(`--keep-data: ${dataDir} is not empty.`, ['--keep-data']);
  }
  if (dataDir !== null) mkdirSync(dataDir, { recursive: true });
  const path = mkdtempSync(join(tmpdir(), PREFIX));
  // As root the database's own account has to pass through.
  chmodSync(path, 0o711);
  writeFileSync(join(path, OWNER), JSON.stringify(identityOf(process.pid)));
  return {
    path,
    dataDir: dataDir ?? join(path, 'data'),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

async function removeAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    const owner = ownerOf(folder);
    if (owner === null || isRunning(owner)) continue;
    const postgres = join(folder, 'data', 'postgres');
    if (existsSync(join(postgres, 'cluster', 'postmaster.pid'))) {
      // Joined only to be turned off: whoever used it is gone.
      const server = await startEmbeddedPostgres({ dataDir: postgres });
      await server.stop();
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

/** null: another account's, or one that is being made at this moment. */
function ownerOf(folder: string): ProcessIdentity | null {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(join(folder, OWNER), 'utf8')));
  } catch {
    return null;
  }
}
