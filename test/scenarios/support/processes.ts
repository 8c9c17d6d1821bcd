import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Product } from './product.js';

export interface ProcessOptions {
  readonly role: 'api' | 'worker';
  /** Shown by the database beside each of its connections, so that a test can cut those of one process. */
  readonly name: string;
  readonly databaseUrl: string;
  readonly masterKey: string;
  readonly bootstrapKey: string;
  readonly logLevel?: string;
  readonly nodeOptions?: readonly string[];
  /** Opens a channel for `ask`, which what is loaded by `nodeOptions` answers on. */
  readonly hasChannel?: boolean;
}

const READY_WITHIN_MS = 60_000;
const LINES_KEPT = 40;
const PINO_ERROR = 50;

/** A process of the product, with what it said. */
export class ProductProcess {
  readonly name: string;
  readonly startedAt = performance.now();
  /** Settles when the process says that it works; rejects when it ended before. */
  readonly ready: Promise<string>;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Log entries of level error and above, by message and cause. */
  readonly errors = new Map<string, number>();
  readonly lastLines: string[] = [];
  hasEnded = false;
  private readonly child: ChildProcess;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.child = child;
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.hasEnded = true;
        resolve({ code, signal });
      });
    });
    let say: (line: string) => void = () => undefined;
    const said = new Promise<string>((resolve) => {
      say = resolve;
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.hear(line, say));
    }
    this.ready = Promise.race([
      said,
      this.ended.then(({ code, signal }) => {
        throw new Error(`${name} ended before it worked (${code ?? signal}):\n${this.lastLines.join('\n')}`);
      }),
      new Promise<never>((_resolve, reject) => {
        setTimeout(() => reject(new Error(`${name} does not start.`)), READY_WITHIN_MS).unref();
      }),
    ]);
    // Whoever kills a process that is starting does not wait for it.
    this.ready.catch(() => undefined);
  }

  static start(product: Product, options: ProcessOptions): ProductProcess {
    const url = new URL(options.databaseUrl);
    url.searchParams.set('application_name', options.name);
    const child = spawn(process.execPath, [...(options.nodeOptions ?? []), product.main], {
      cwd: product.folder,
      stdio: ['ignore', 'pipe', 'pipe', ...(options.hasChannel ? (['ipc'] as const) : [])],
      env: {
        PATH: process.env.PATH ?? '',
        ...(product.compileCache === undefined ? {} : { NODE_COMPILE_CACHE: product.compileCache }),
        HOST: '127.0.0.1',
        PORT: '0',
        ROLE: options.role,
        DATABASE_URL: url.href,
        LEDGERGATE_MASTER_KEY: options.masterKey,
        LEDGERGATE_BOOTSTRAP_ADMIN_KEY: options.bootstrapKey,
        LOG_LEVEL: options.logLevel ?? 'warn',
      },
    });
    return new ProductProcess(options.name, child);
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.hasEnded) this.child.kill(signal);
  }

  /** One question over the channel, one at a time. @returns null when the process ended before it answered. */
  async ask<Answer>(question: object): Promise<Answer | null> {
    if (!this.child.connected) return null;
    const answer = new Promise<Answer>((resolve) => {
      this.child.once('message', (message) => resolve(message as Answer));
    });
    // What cannot be sent any more is not answered either: the process has ended, or is about to.
    this.child.send(question, () => undefined);
    return Promise.race([answer, this.ended.then(() => null)]);
  }

  /** Ends it in an orderly way. */
  async stop(): Promise<void> {
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    await this.ended;
  }

  private hear(line: string, say: (line: string) => void): void {
    const ready = /^(?:working|listening on (\S+))$/.exec(line);
    if (ready) {
      say(ready[1] ?? '');
      return;
    }
    this.lastLines.push(line);
    if (this.lastLines.length > LINES_KEPT) this.lastLines.shift();
    const entry = logEntry(line);
    if (entry === null) return;
    const what = [entry.msg, entry.err?.message].filter(Boolean).join(': ').slice(0, 200);
    this.errors.set(what, (this.errors.get(what) ?? 0) + 1);
  }
}

/** Plain text is what a crash leaves behind, and counts as an error too. */
function logEntry(line: string): { msg?: string; err?: { message?: string } } | null {
  try {
    const entry = JSON.parse(line) as { level?: number; msg?: string; err?: { message?: string } };
    return (entry.level ?? 0) >= PINO_ERROR ? entry : null;
  } catch {
    return { msg: line };
  }
}
