import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import type { VitestPluginContext } from 'vitest/node';
import { type Guard, without } from './guard.js';
import { GUARDS } from './guards.js';
import { ResultsReporter } from './resultsReporter.js';

// Run by `removal.test.ts`, never by hand: a run of existing tests in which each project lacks one guard of the product.

const root = resolve(import.meta.dirname, '../../..');

/** Takes the guard out of its file while that is loaded; every other file is as it stands on the disk. */
function removalOf(guard: Guard) {
  const file = resolve(root, guard.file);
  return {
    name: 'removal',
    enforce: 'pre' as const,
    load(id: string) {
      return id.split('?')[0] === file ? without(guard, readFileSync(file, 'utf8')) : null;
    },
    // All projects share what the runner made of a file, but for the one in which each of them differs.
    configureVitest({ defineCacheKeyGenerator }: VitestPluginContext) {
      defineCacheKeyGenerator(({ id }) => (id.split('?')[0] === file ? guard.name : undefined));
    },
  };
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

export default defineConfig({
  root,
  test: {
    pool: 'forks',
    maxWorkers: 2,
    fsModuleCachePath: process.env.REMOVAL_MODULES ?? '',
    testNamePattern: new RegExp(GUARDS.map(({ caughtBy }) => literally(caughtBy.title)).join('|')),
    reporters: [new ResultsReporter(process.env.REMOVAL_RESULTS ?? '')],
    projects: GUARDS.map((guard) => ({
      plugins: [removalOf(guard)],
      root,
      resolve: {
        alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }],
      },
      test: {
        name: guard.name,
        include: [guard.caughtBy.file],
        fsModuleCachePath: process.env.REMOVAL_MODULES ?? '',
        globalSetup: [resolve(import.meta.dirname, 'sharedDatabase.ts')],
        testTimeout: 60_000,
        hookTimeout: 60_000,
        env: { NODE_ENV: 'test' },
      },
    })),
  },
});
