import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/globalSetup.ts'],
    setupFiles: ['test/support/leaks.ts'],
    // Separate processes: tests signal, kill and start programs, which threads of one process would share.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A rejection nobody handles is a failure even when every assertion held.
    dangerouslyIgnoreUnhandledErrors: false,
    allowOnly: false,
    env: { NODE_ENV: 'test' },
  },
});
