import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf, isRunning, type ProcessIdentity } from './processes.js';

/**
 * Who uses the embedded server of one data folder, across processes, so that the last one to leave turns it off and
 * nobody is cut off by another's stop.
 *
 * Each user is a file holding its process; one left behind by a killed process is seen to be stale and removed.
 * Leaving and arriving at the same moment is decided by order: a leaver first says that it is about to stop the server
 * and then looks for users; an arriver first signs in and then looks for leavers. At least one of them sees the other.
 */
export interface ServerUser {
  readonly id: string;
  /** Whether another process, or another caller in this one, is about to stop the server right now. */
  isSomebodyStopping(): boolean;
  /** Signs out and calls `stop` if nobody else is left. @returns whether it did. */
  leave(stop: () => Promise<void>): Promise<boolean>;
}

export function signIn(folder: string): ServerUser {
  mkdirSync(folder, { recursive: true });
  const id = `${process.pid}-${randomBytes(6).toString('hex')}`;
  const mine = JSON.stringify(identityOf(process.pid));
  const using = join(folder, `${id}.using`);
  const stopping = join(folder, `${id}.stopping`);
  writeFileSync(using, mine);
  return {
    id,
    isSomebodyStopping: () => present(folder, '.stopping').length > 0,
    async leave(stop) {
      writeFileSync(stopping, mine);
      rmSync(using, { force: true });
      try {
        if (present(folder, '.using').length > 0) return false;
        await stop();
        return true;
      } finally {
        rmSync(stopping, { force: true });
      }
    },
  };
}

/** The ids of live users (or leavers) of a folder. */
export function present(folder: string, kind: '.using' | '.stopping'): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(kind) && isAlive(join(folder, file)))
    .map((file) => file.slice(0, -kind.length));
}

function isAlive(file: string): boolean {
  let written: string;
  try {
    written = readFileSync(file, 'utf8');
  } catch {
    return false;
  }
  const process = parseIdentity(written);
  // An empty file is one that its owner is writing at this moment.
  if (process === null || isRunning(process)) return true;
  rmSync(file, { force: true });
  return false;
}

function parseIdentity(text: string): ProcessIdentity | null {
  try {
    return JSON.parse(text) as ProcessIdentity;
  } catch {
    return null;
  }
}
