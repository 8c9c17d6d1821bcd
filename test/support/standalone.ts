import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const project = resolve(import.meta.dirname, '../..');
const modules = join(project, 'node_modules');

/**
 * Compiles `src/` into `folder/dist` and gives it copies of the packages named, with all they need, so that a test can
 * run it as another account or in a place of its own. Nothing in the folder depends on the project's own location.
 */
export async function buildStandalone(folder: string, packages: readonly string[]): Promise<string> {
  mkdirSync(folder, { recursive: true });
  for (const name of closureOf(packages)) {
    cpSync(join(modules, name), join(folder, 'node_modules', name), { recursive: true, verbatimSymlinks: true });
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const dist = join(folder, 'dist');
  const tsc = join(modules, 'typescript', 'bin', 'tsc');
  // Emits even when some other file does not type-check: that is the type check's business, not this test's.
  await promisify(execFile)(process.execPath, [tsc, '-p', project, '--outDir', dist]).catch((error: unknown) => {
    if (!existsSync(dist)) throw error;
  });
  return dist;
}

/** Flat node_modules, as npm lays them out; a package that is not at the top is an optional one for another system. */
function closureOf(packages: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const queue = [...packages];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const file = join(modules, name, 'package.json');
    if (seen.has(name) || !existsSync(file)) continue;
    seen.add(name);
    const { dependencies } = JSON.parse(readFileSync(file, 'utf8')) as { dependencies?: Record<string, string> };
    queue.push(...Object.keys(dependencies ?? {}));
  }
  return seen;
}
