import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';

// A test file that leaves a server, a socket, a timer or a child process behind fails, because in production the same
// forgotten handle keeps the gateway from ending on SIGTERM.

const WATCHED = ['TCPServerWrap', 'TCPSocketWrap', 'PipeServerWrap', 'ProcessWrap', 'Timeout', 'FSEventWrap'];
const CLOSE_WITHIN_MS = 3_000;

let before: Map<string, number>;

/** What keeps this process alive. Handles that were unref'd are not listed by node. */
function handles(): Map<string, number> {
  const counted = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (WATCHED.includes(kind)) counted.set(kind, (counted.get(kind) ?? 0) + 1);
  }
  return counted;
}

/** The runner's own timers are short or unref'd, so of timers none may stay, whatever ran at the beginning. */
function leaked(): string[] {
  return [...handles()]
    .map(([kind, count]) => ({ kind, more: count - (kind === 'Timeout' ? 0 : (before.get(kind) ?? 0)) }))
    .filter(({ more }) => more > 0)
    .map(({ kind, more }) => `${more} × ${kind}`);
}

beforeAll(() => {
  before = handles();
});

// Registered first, so run last: after the file's own clean-up.
afterAll(async () => {
  const deadline = Date.now() + CLOSE_WITHIN_MS;
  let left = leaked();
  while (left.length > 0 && Date.now() < deadline) {
    await pause(20);
    left = leaked();
  }
  if (left.length > 0) throw new Error(`The test file left handles open: ${left.join(', ')}`);
});
