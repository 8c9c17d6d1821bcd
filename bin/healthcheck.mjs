#!/usr/bin/env node
// Asks the process of this container whether it lives, where no orchestrator does. Exit code 0 means that it does.
const { ROLE, PORT = '4000', LEDGERGATE_WORKER_PORT } = process.env;
const WITHIN_MS = 4_000;

const port = ROLE === 'worker' ? LEDGERGATE_WORKER_PORT : PORT;
if (!port) {
  process.stderr.write('A worker can be asked only where LEDGERGATE_WORKER_PORT is set.\n');
  process.exit(1);
}
try {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(WITHIN_MS) });
  process.exit(answer.ok ? 0 : 1);
} catch (error) {
  process.stderr.write(`No answer on port ${port}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
