import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/platform/embeddedPostgres.js';
import { nodeVersionProblem } from '../../src/platform/nodeVersion.js';
import { identityOf, isRunning, type ProcessIdentity } from '../../src/platform/processes.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of this run's database server; the first test that needs it starts it. */
    databaseFolder: string;
  }
}

const PREFIX = 'ledgergate-test-';
const OWNER = 'owner.json';

/** One folder per test run. Its server ends with the run; those of runs that were killed are cleared away here. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const problem = nodeVersionProblem(process.versions.node);
  if (problem !== null) throw new Error(problem);
  await removeAbandoned();
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  // The server's account has to pass through when we are root.
  chmodSync(folder, 0o711);
  writeFileSync(join(folder, OWNER), JSON.stringify(identityOf(process.pid)));
  project.provide('databaseFolder', folder);
  return () => remove(folder);
}

async function removeAbandoned(): Promise<void> {
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX));
  for (const folder of folders.map((name) => join(tmpdir(), name))) {
    const owner = readOwner(folder);
    if (owner && !isRunning(owner)) await remove(folder);
  }
}

function readOwner(folder: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(join(folder, OWNER), 'utf8')) as ProcessIdentity;
  } catch {
    // Another account's, or one that is being made at this moment.
    return null;
  }
}

/** Joins the run's server only to turn it off: the workers that used it are gone. */
async function remove(folder: string): Promise<void> {
  const dataDir = join(folder, 'postgres');
  if (existsSync(join(dataDir, 'cluster', 'postmaster.pid'))) {
    const server = await startEmbeddedPostgres({ dataDir });
    await server.stop();
  }
  rmSync(folder, { recursive: true, force: true });
}
