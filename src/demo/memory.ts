import { readdirSync, readFileSync } from 'node:fs';

const SAMPLE_MS = 1_000;

/** Peak memory of a process in bytes (VmHWM of proc(5)); null where the system does not tell. */
export function peakOf(pid: number): number | null {
  return kilobytes(`/proc/${pid}/status`, 'VmHWM');
}

/** Watches what a process and all below it hold together. Shared pages count once (Pss), as far as we may see. */
export class TreeMemory {
  peak = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly root: number) {
    this.timer = setInterval(() => this.sample(), SAMPLE_MS);
    this.timer.unref();
  }

  sample(): void {
    let total = 0;
    for (const pid of tree(this.root)) {
      total += kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss') ?? kilobytes(`/proc/${pid}/status`, 'VmRSS') ?? 0;
    }
    this.peak = Math.max(this.peak, total);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  let pids: number[];
  try {
    pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
  for (const pid of pids) {
    const parent = parentOf(pid);
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  for (let queue = [root]; queue.length > 0; queue = queue.flatMap((pid) => children.get(pid) ?? []))
    found.push(...queue);
  return found;
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}

function kilobytes(file: string, field: string): number | null {
  try {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'utf8'));
    return found ? Number(found[1]) * 1024 : null;
  } catch {
    return null;
  }
}

export function megabytes(bytes: number | null): string {
  return bytes === null ? 'not known on this system' : `${Math.round(bytes / 1024 / 1024)} MB`;
}
