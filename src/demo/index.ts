import '../platform/requireNode.js';
import { join } from 'node:path';
import { ConfigurationError, LedgergateError } from '../errors.js';
import type { Flow } from './flow.js';
import { cardSpendFlow, FLOWS } from './flows/index.js';
import { type DemoOptions, readOptions } from './options.js';
import { type FlowResult, runFlow, Session } from './runFlow.js';
import { Screen, seconds } from './screen.js';
import { makeWorkFolder } from './workFolder.js';

/**
 * `npm run demo`: this process starts the simulated systems and a gateway with a database of its own, and uses them over
 * HTTP only, as anybody would. What it starts ends with it.
 */

const EXIT = { done: 0, no: 1, usage: 2, configuration: 78, interrupted: 130 } as const;
const ALL_IS_WELL = 'every difference is 0.00.';

/** Runs the flows, one at a time, until all are done or somebody interrupts. */
class Demo {
  private session: Session | null = null;
  private isStopping = false;
  private isServing = false;
  private readonly interrupted: Promise<'interrupted'>;

  constructor(
    private readonly options: DemoOptions,
    private readonly screen: Screen,
  ) {
    this.interrupted = new Promise((resolve) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.on(name, () => this.onSignal(() => resolve('interrupted')));
      }
    });
  }

  async run(): Promise<number> {
    const { flow, data, suppliers } = this.options;
    if (flow === 'all') return this.runAll();
    const chosen = data === undefined ? FLOWS[flow] : cardSpendFlow(data, suppliers);
    const result = await this.inSession(chosen, async (session) => {
      const ended = await runFlow(chosen, this.options, this.screen, session);
      if (ended.problems.length === 0) this.screen.line(`All is well: ${ALL_IS_WELL}`);
      if (!this.options.once) {
        this.isServing = true;
        await Promise.race(session.children.map((child) => child.whileRunning()));
      }
      return ended;
    });
    if (result === 'interrupted') return this.isServing ? EXIT.done : EXIT.interrupted;
    return result.problems.length === 0 ? EXIT.done : EXIT.no;
  }

  private async runAll(): Promise<number> {
    const results: FlowResult[] = [];
    const failed: string[] = [];
    for (const flow of Object.values(FLOWS)) {
      this.screen.line(`━━ ${flow.title}`);
      try {
        const result = await this.inSession(flow, (session) => runFlow(flow, this.options, this.screen, session));
        if (result === 'interrupted') return EXIT.interrupted;
        results.push(result);
      } catch (error) {
        // The other flows are shown all the same.
        this.screen.line(`NOT WELL: ${messageOf(error)}`);
        failed.push(flow.title);
      }
      this.screen.line();
    }
    return this.conclude(results, failed);
  }

  private conclude(results: readonly FlowResult[], failed: readonly string[]): number {
    const notWell = [...failed, ...results.filter(({ problems }) => problems.length > 0).map(({ flow }) => flow.title)];
    this.screen.line('ALL FLOWS');
    for (const { flow, documents, held, elapsedMs, problems } of results) {
      const verdict = problems.length === 0 ? 'well' : 'NOT WELL';
      this.screen.line(
        `  ${flow.title.padEnd(22)} ${String(documents).padStart(5)} documents, ${String(held).padStart(4)} held, ` +
          `${seconds(elapsedMs).padStart(11)}, ${verdict}`,
      );
    }
    for (const title of failed) this.screen.line(`  ${title.padEnd(22)} did not end`);
    if (notWell.length === 0) this.screen.line(`All is well in ${results.length} flows: ${ALL_IS_WELL}`);
    else this.screen.line(`NOT WELL: ${notWell.join(', ')}.`);
    return notWell.length === 0 ? EXIT.done : EXIT.no;
  }

  /** Whatever `work` starts ends here, also when somebody interrupts it. */
  private async inSession<T>(flow: Flow, work: (session: Session) => Promise<T>): Promise<T | 'interrupted'> {
    const { keepData, flow: asked } = this.options;
    const keep = keepData !== undefined && asked === 'all' ? join(keepData, flow.name) : keepData;
    const session = new Session(await makeWorkFolder(keep));
    this.session = session;
    try {
      return this.isStopping ? 'interrupted' : await Promise.race([work(session), this.interrupted]);
    } finally {
      await session.end();
      this.session = null;
      if (keep !== undefined) this.screen.line(`The database is kept in ${session.folder.dataDir}.`);
    }
  }

  private onSignal(stop: () => void): void {
    if (this.isStopping) {
      this.session?.kill();
      process.exit(EXIT.interrupted);
    }
    this.isStopping = true;
    this.screen.line();
    this.screen.line('Stopping …');
    stop();
  }
}

function messageOf(error: unknown): string {
  if (error instanceof LedgergateError) return error.userMessage;
  return error instanceof Error ? error.message : String(error);
}

try {
  const options = readOptions(process.argv.slice(2));
  process.exitCode = options === null ? EXIT.done : await new Demo(options, new Screen(process.stdout)).run();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  const expected = error instanceof LedgergateError;
  process.exitCode = error instanceof ConfigurationError ? EXIT.configuration : expected ? EXIT.usage : EXIT.no;
}
// Whatever still hangs must not keep a finished demo alive.
process.exit();
