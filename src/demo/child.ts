import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ChildOptions {
  readonly name: string;
  /** The program below the project's folder, and its arguments. */
  readonly program: string;
  readonly args?: readonly string[];
  readonly nodeOptions?: readonly string[];
  /** The whole environment: nothing of ours is inherited, so that a developer's DATABASE_URL is never used by a demo. */
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly logFile: string;
}

/** From SIGTERM to SIGKILL; the gateway itself gives up after 25 s. */
const STOP_WITHIN_MS = 30_000;
const TAIL = 4_000;

/** A child process that ends when this process does, however that ends. */
export class Child {
  private tail = '';

  private constructor(
    readonly name: string,
    private readonly process: ChildProcess,
    private readonly log: WriteStream,
    /** Lines of its standard output, as they come. */
    private readonly onLine: Set<(line: string) => void>,
    private readonly ended: Promise<string>,
  ) {}

  static start(options: ChildOptions): Child {
    const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
    const preload = new URL('./endWithParent.js', import.meta.url).href;
    const program = fileURLToPath(new URL(`../../${options.program}`, import.meta.url));
    const started = spawn(
      process.execPath,
      [...(options.nodeOptions ?? []), '--import', preload, program, ...(options.args ?? [])],
      {
        cwd: options.folder,
        env: { TMPDIR: tmpdir(), ...options.env },
        // A group of its own: Ctrl-C at the terminal reaches us alone, and we stop the children in order.
        detached: true,
        windowsHide: true,
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
    const listeners = new Set<(line: string) => void>();
    const ended = Promise.race([
      once(started, 'exit').then(([code, signal]) => `ended with ${signal ?? `exit code ${code}`}`),
      once(started, 'error').then(([error]) => `did not start: ${String(error)}`),
    ]);
    const child = new Child(options.name, started, log, listeners, ended);
    for (const stream of [started.stdout, started.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        log.write(chunk);
        child.tail = (child.tail + chunk.toString('utf8')).slice(-TAIL);
      });
    }
    if (started.stdout) {
      createInterface({ input: started.stdout }).on('line', (line) => {
        for (const listener of listeners) listener(line);
      });
    }
    return child;
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** The first thing that `pick` makes of the output. @throws Error with the end of its output when it ends before. */
  async waitFor<T>(pick: (line: string) => T | null, withinMs: number): Promise<T> {
    let listener: ((line: string) => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await Promise.race([
        new Promise<T>((resolve) => {
          listener = (line) => {
            const found = pick(line);
            if (found !== null) resolve(found);
          };
          this.onLine.add(listener);
        }),
        this.ended.then((how) => {
          throw new Error(`The ${this.name} ${how}. Its output ends with:\n${this.tail}`);
        }),
        new Promise<never>((_, reject) => {
          timer = setTimeout(
            () => reject(new Error(`The ${this.name} was not ready in ${withinMs / 1000} s.`)),
            withinMs,
          );
        }),
      ]);
    } finally {
      if (listener) this.onLine.delete(listener);
      clearTimeout(timer);
    }
  }

  /** Rejects when the child ends by itself; never resolves. */
  async whileRunning(): Promise<never> {
    const how = await this.ended;
    throw new Error(`The ${this.name} ${how}. Its output ends with:\n${this.tail}`);
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null && this.process.pid !== undefined;
  }

  async stop(): Promise<void> {
    if (this.isRunning) {
      this.process.kill('SIGTERM');
      const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_WITHIN_MS);
      await this.ended;
      clearTimeout(timer);
    }
    this.log.end();
  }

  kill(): void {
    if (this.isRunning) this.process.kill('SIGKILL');
  }
}
