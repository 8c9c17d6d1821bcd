import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Launched {
  readonly connectionString: string;
  readonly dataDir: string;
  readonly adopted: boolean;
  readonly log: string[];
}

const SCRIPT = `
const { startEmbeddedPostgres } = await import(process.argv[2]);
const log = [];
try {
  const server = await startEmbeddedPostgres({ ...JSON.parse(process.argv[3]), log: (text) => log.push(text) });
  console.log(JSON.stringify({ ...server, log }));
  process.stdin.resume();
  process.stdin.once('end', async () => { await server.stop(); process.exit(0); });
} catch (error) {
  console.log(JSON.stringify({ failed: error.message, kind: error.name }));
  process.exit(1);
}
`;

/** The launcher in a process of its own, so that a test can kill it or run it as somebody else. */
export class LauncherProcess {
  private constructor(
    readonly child: ChildProcess,
    readonly answer: Promise<Launched & { failed?: string; kind?: string }>,
  ) {}

  static start(
    dist: string,
    options: Record<string, unknown>,
    account: { uid?: number; gid?: number } = {},
    node = process.execPath,
  ): LauncherProcess {
    const script = join(dist, 'launch.mjs');
    writeFileSync(script, SCRIPT);
    const args = [script, join(dist, 'platform', 'embeddedPostgres.js'), JSON.stringify(options)];
    const child = spawn(node, args, {
      ...account,
      cwd: dist,
      env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const answer = once(createInterface({ input: child.stdout }), 'line').then(([line]) => JSON.parse(String(line)));
    return new LauncherProcess(child, answer);
  }

  /** Ends it the ordinary way: it stops its server. */
  async finish(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.stdin?.end();
    await ended;
  }

  async kill(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
