import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // The runner would load graphql's `module` build beside the `main` build that node gives to every package, and a
    // schema of one is a stranger to the other.
    alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/globalSetup.ts'],
    setupFiles: ['test/support/leaks.ts'],
    // Separate processes: tests signal, kill and start programs, which threads of one process would share.
    pool: 'forks',
    // One more than the cores of the smallest machine: many tests wait for timers and processes.
    maxWorkers: 3,
    // No test is about time: these end what hangs, also on a machine that does much else.
    testTimeout: 90_000,
    hookTimeout: 180_000,
    // A rejection nobody handles is a failure even when every assertion held.
    dangerouslyIgnoreUnhandledErrors: false,
    allowOnly: false,
    env: { NODE_ENV: 'test' },
  },
});
