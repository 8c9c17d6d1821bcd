import { type SpawnOptions, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What tells one process from a later one that was given the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Kernel ticks since boot at which it started; '' where the system does not tell (anything but Linux). */
  readonly startedAt: string;
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, startedAt: linuxStat(pid)?.startedAt ?? '' };
}

/**
 * Whether that very process still runs. A process of another account counts as running; one that ended and that nobody
 * has waited for (a zombie, common in containers without an init) does not.
 */
export function isRunning(process: ProcessIdentity): boolean {
  if (!exists(process.pid)) return false;
  const stat = linuxStat(process.pid);
  if (stat === null) return true;
  return stat.state !== 'Z' && (process.startedAt === '' || stat.startedAt === process.startedAt);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Fields 3 and 22 of /proc/<pid>/stat (proc(5)). The program name before them may hold blanks and brackets. */
function linuxStat(pid: number): { state: string; startedAt: string } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
  } catch {
    return null;
  }
}

/**
 * The folder a process works in; null when the system does not tell us, for want of rights or of /proc.
 */
export function workingFolderOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

/** Every process that works in `folder`, as far as we may see. Empty on systems without /proc. */
export function processesIn(folder: string): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => workingFolderOf(pid) === folder);
  } catch {
    return [];
  }
}

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program to its end and returns what it printed, both streams together. */
export function runToEnd(command: string, args: readonly string[], options: SpawnOptions): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk.toString('utf8');
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
