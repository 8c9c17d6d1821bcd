import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { type Ground, openGround } from '../app.js';
import { type Config, loadConfig } from '../config.js';
import { InputError } from '../errors.js';
import { createLogger, type Logger } from '../logger.js';
import type { Caller } from '../services/engine.js';
import { listTenants } from '../services/tenants.js';

const CLOSE_MS = 5_000;

/** What every command that needs the database is given. */
export interface Work {
  readonly config: Config;
  readonly ground: Ground;
  readonly caller: Caller;
}

/** Logs go to standard error: standard output belongs to the answer. */
export function cliLogger(config: Config): Logger {
  // What is of interest in a server's log is noise beside a command's answer.
  return createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel, process.stderr);
}

/** What a command is given that works on the installation and not on the data of a tenant. */
export type InstallationWork = Omit<Work, 'caller'> & { readonly caller: Omit<Caller, 'tenantId'> };

/** Opens the database (joining the embedded one if a gateway runs on it), works, and closes in every case. */
export async function withInstallation(work: (parts: InstallationWork) => Promise<number>): Promise<number> {
  const config = loadConfig();
  const ground = await openGround(config, { logger: cliLogger(config) });
  try {
    const { tenantId: _none, ...caller } = cliCaller('');
    return await work({ config, ground, caller });
  } finally {
    await ground.close(CLOSE_MS);
  }
}

/**
 * The same for the data of one tenant.
 * @throws InputError there is no such tenant.
 */
export async function withGround(tenantId: string, work: (parts: Work) => Promise<number>): Promise<number> {
  return withInstallation(async ({ config, ground, caller }) => {
    const tenants = await listTenants(ground.db);
    if (!tenants.some(({ id }) => id === tenantId)) {
      const known = tenants.map(({ id }) => id).join(', ');
      throw new InputError(`--tenant: there is no tenant "${tenantId}". There are: ${known}.`, ['--tenant']);
    }
    return work({ config, ground, caller: { ...caller, tenantId } });
  });
}

/** Whoever may run commands on this machine owns the installation, so the command line acts as an administrator. */
export function cliCaller(tenantId: string): Caller {
  return { tenantId, actor: `cli:${osUser()}`, keyId: null, role: 'ADMIN', correlationId: randomUUID() };
}

function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return String(process.getuid?.() ?? 'unknown');
  }
}
