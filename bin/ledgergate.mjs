#!/usr/bin/env node
// Starts the command line under a node that can run it. This file itself has to load on any node.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const EX_CONFIG = 78;
/** Set for the second try, so that an old node_modules/.bin/node does not start itself for ever. */
const MARK = 'LEDGERGATE_NODE_CHOSEN';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

if (existsSync(here('../dist/platform/nodeVersion.js'))) {
  const { nodeVersionProblem } = await import('../dist/platform/nodeVersion.js');
  const problem = nodeVersionProblem(process.versions.node);
  if (problem === null) await run();
  else startUnderOwnNode(problem);
} else {
  refuse('Ledgergate is not compiled yet: run npm run build first');
}

async function run() {
  delete process.env[MARK];
  const { run: runCommand } = await import('../dist/cli/index.js');
  process.exitCode = await runCommand(process.argv.slice(2));
}

function refuse(problem) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = EX_CONFIG;
}

/** npm puts the node that was installed along into .bin: of this project, or of the one that depends on it. */
function startUnderOwnNode(problem) {
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const node = [`../node_modules/.bin/${file}`, `../../.bin/${file}`].map(here).find(existsSync);
  if (node === undefined || process.env[MARK] !== undefined) {
    refuse(problem);
    return;
  }
  const child = spawn(node, [here('./ledgergate.mjs'), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, [MARK]: '1' },
  });
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
    process.on(signal, () => {
      // A Ctrl-C at a terminal reaches the child by itself; a second one would read as impatience.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.once('error', () => refuse(problem));
  child.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
