import { Session } from 'node:inspector/promises';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples?: number[];
  timeDeltas?: number[];
}

const SHOWN = 25;
/** Waiting is no work, and neither is the measuring itself. */
const NOT_WORK = new Set(['(idle)', '(program)', '(root)']);

/** Samples of this process, only while it is measured. */
export class Profile {
  private readonly session = new Session();
  private readonly profiles: CpuProfile[] = [];
  private isOpen = false;

  async start(): Promise<void> {
    if (!this.isOpen) {
      this.session.connect();
      await this.session.post('Profiler.enable');
      this.isOpen = true;
    }
    await this.session.post('Profiler.start');
  }

  async stop(): Promise<void> {
    const { profile } = await this.session.post('Profiler.stop');
    this.profiles.push(profile as CpuProfile);
  }

  summary(): string {
    return summaryOf(this.profiles);
  }
}

/** Where the processor's time went: by file or package, then by function, each by its own time. */
export function summaryOf(profiles: readonly CpuProfile[]): string {
  const byFunction = new Map<string, number>();
  const byFile = new Map<string, number>();
  let total = 0;
  for (const { nodes, samples = [], timeDeltas = [] } of profiles) {
    const named = new Map(nodes.map((node) => [node.id, placeOf(node.callFrame)]));
    samples.forEach((id, index) => {
      const place = named.get(id);
      const time = timeDeltas[index] ?? 0;
      if (!place || NOT_WORK.has(place.name) || place.file === 'node:inspector') return;
      total += time;
      byFile.set(place.file, (byFile.get(place.file) ?? 0) + time);
      const name = `${place.name} (${place.file}:${place.line})`;
      byFunction.set(name, (byFunction.get(name) ?? 0) + time);
    });
  }
  return [...top(byFile, total), '', ...top(byFunction, total)].join('\n');
}

function top(times: ReadonlyMap<string, number>, total: number): string[] {
  const sorted = [...times].sort((a, b) => b[1] - a[1]).slice(0, SHOWN);
  return sorted.map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(6)} %  ${name}`);
}

function placeOf(frame: { functionName: string; url: string; lineNumber: number }) {
  const name = frame.functionName || '(anonymous)';
  return { name, file: fileOf(frame.url), line: frame.lineNumber + 1 };
}

function fileOf(url: string): string {
  if (url === '') return '(native)';
  if (!url.startsWith('file:')) return url;
  const path = fileURLToPath(url);
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
  return inPackage ? `package ${inPackage[1]}` : relative(resolve(import.meta.dirname, '..'), path);
}
