import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Product } from '../support/product.js';
import { type Boundary, instrument } from './boundaries.js';
import type { DeathPlace } from './plan.js';

/** The product with boundaries that speak, beside the one that it was made from. */
export interface SweptProduct {
  readonly original: Product;
  readonly product: Product;
  readonly boundaries: readonly Boundary[];
  /** Arguments for node, for a process that dies at that place, or at none until it is told. */
  nodeOptions(at: DeathPlace | null): string[];
}

/** Rooms that no worker runs: what is tested, not what tests, has boundaries. A room that is added later has them too. */
const NOT_ON_THE_PATH = /^(sandbox|cli|demo)\//;

export async function sweptFrom(product: Product): Promise<SweptProduct> {
  const from = join(product.folder, 'dist');
  const folder = join(product.folder, 'swept');
  const boundaries: Boundary[] = [];
  for (const path of readdirSync(from, { recursive: true, encoding: 'utf8' }).filter(isFile)) {
    if (NOT_ON_THE_PATH.test(path) || path.endsWith('.map')) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (!path.endsWith('.js')) {
      cpSync(join(from, path), join(folder, path));
      continue;
    }
    const code = readFileSync(join(from, path), 'utf8');
    const made = instrument({ path, code, map: mapOf(join(from, path)) }, boundaries.length);
    boundaries.push(...made.boundaries);
    writeFileSync(join(folder, path), made.code);
  }
  const runtime = pathToFileURL(join(import.meta.dirname, 'runtime.mjs'));
  // A process that is killed never writes the cache of compiled modules itself, and most processes of a sweep are.
  const all = `await import(${JSON.stringify(pathToFileURL(join(folder, 'app.js')).href)})`;
  const env = { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: product.compileCache ?? '' };
  await promisify(execFile)(process.execPath, ['--import', runtime.href, '--input-type=module', '--eval', all], {
    ...{ cwd: product.folder, env },
  });
  return {
    original: product,
    product: { ...product, main: join(folder, 'main.js') },
    boundaries,
    nodeOptions(at) {
      const url = new URL(runtime);
      if (at) url.search = new URLSearchParams({ boundary: String(at.boundary), side: at.side }).toString();
      return ['--import', url.href];
    },
  };
}

function isFile(path: string): boolean {
  return /\.[a-z]+$/.test(path);
}

function mapOf(file: string): string | null {
  try {
    return readFileSync(`${file}.map`, 'utf8');
  } catch {
    return null;
  }
}
