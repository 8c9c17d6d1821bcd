import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ground, openGround } from '../../../src/app.js';
import { cliCaller } from '../../../src/cli/ground.js';
import type { Io } from '../../../src/cli/output.js';
import { runProgram } from '../../../src/cli/program.js';
import { type Config, readConfig } from '../../../src/config.js';
import { createLogger } from '../../../src/logger.js';
import { Secret } from '../../../src/secrets.js';
import { connectSystem } from '../../../src/services/systems.js';

/** An engine as the command line opens it, its master key in a file of a folder of its own. */
export async function openWithKeyFile(connectionString: string) {
  const dataDir = mkdtempSync(join(tmpdir(), 'ledgergate-cli-'));
  const config: Config = {
    ...readConfig({ LEDGERGATE_DATA_DIR: dataDir }),
    databaseUrl: new Secret(connectionString),
  };
  const ground = await openGround(config, { logger: createLogger('silent') });
  const close = async () => {
    await ground.close(5_000);
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { config, ground, caller: cliCaller('default'), close };
}

/** A ledger that nobody calls: only its stored credential matters. */
export async function connectLedger(ground: Ground, name: string): Promise<string> {
  const made = await connectSystem(ground.engine, cliCaller('default'), {
    kind: 'SYSPRO',
    name,
    baseUrl: 'http://127.0.0.1:1/SYSPROWCFService/Rest',
    credentials: { operator: name, operatorPassword: `secret of ${name}`, companyId: 'X' },
  });
  if (!made.ok) throw new Error(made.problems[0]?.message);
  return made.value.id;
}

/** Runs a command line in this process; the environment is the caller's business. */
export function cli(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return cliAsked(null, ...args);
}

/** The same at a terminal whose person answers so to every question; null = there is no terminal. */
export async function cliAsked(
  answer: boolean | null,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const io: Io = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    outSlowly: async (text) => {
      said.out += text;
    },
    ...(answer === null
      ? {}
      : {
          ask: async (question: string) => {
            said.err += question;
            return answer;
          },
        }),
  };
  return { code: await runProgram(args, io), ...said };
}
