import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const project = resolve(import.meta.dirname, '../../..');

/** The program as it is shipped, compiled from this working copy, so that a stale `dist` proves nothing. */
export interface Product {
  /** Holds `dist` and nothing of the user's; a good working folder for its processes. */
  readonly folder: string;
  readonly main: string;
  /** Of the program's modules, for `NODE_COMPILE_CACHE`. A process that is killed never writes one itself. */
  readonly compileCache?: string;
  load<Module>(path: string): Promise<Module>;
  remove(): void;
}

export async function buildProduct(): Promise<Product> {
  const folder = mkdtempSync(join(tmpdir(), 'ledgergate-scenario-'));
  const dist = join(folder, 'dist');
  const compileCache = join(folder, 'compiled');
  try {
    symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
    await promisify(execFile)(process.execPath, [compiler, '-p', project, '--outDir', dist]);
    // The compiler copies no pages.
    cpSync(join(project, 'src/http/console'), join(dist, 'http/console'), { recursive: true });
    const all = `await import(${JSON.stringify(pathToFileURL(join(dist, 'app.js')).href)})`;
    const env = { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: compileCache };
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', all], { cwd: folder, env });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    folder,
    main: join(dist, 'main.js'),
    compileCache,
    load: async <Module>(path: string) => (await import(pathToFileURL(join(dist, path)).href)) as Module,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
