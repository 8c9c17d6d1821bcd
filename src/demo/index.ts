import '../platform/requireNode.js';
import { ConfigurationError, LedgergateError } from '../errors.js';
import { CARD_SPEND_SET_UP, runCardSpend } from './cardSpend.js';
import type { Child } from './child.js';
import { daysOutOfOrder, gatherFacts } from './facts.js';
import { megabytes, peakOf, TreeMemory } from './memory.js';
import { MONTH_DAYS, MONTH_SET_UP, runMonth } from './month.js';
import { type DemoOptions, readOptions } from './options.js';
import { printFacts, printPlaces, printQueries, problemsOf } from './report.js';
import { Screen, seconds } from './screen.js';
import { setUp } from './setUp.js';
import { Stage } from './stage.js';
import { makeWorkFolder, type WorkFolder } from './workFolder.js';

/**
 * `npm run demo`: this process starts the simulated systems and a gateway with a database of its own, and uses them over
 * HTTP only, as anybody would. What it starts ends with it.
 */

const EXIT = { done: 0, no: 1, usage: 2, configuration: 78, interrupted: 130 } as const;
const DAY_MS = 86_400_000;

async function demo(
  options: DemoOptions,
  screen: Screen,
  folder: WorkFolder,
  children: Child[],
  onServing: () => void,
): Promise<number> {
  const startedAt = Date.now();
  const memory = new TreeMemory(process.pid);
  const stage = await screen.step('Start the sandboxes, the database and the gateway', async () => {
    const started = await Stage.start(options, folder, children);
    return [`gateway on ${started.api.url}`, started];
  });
  stop.whenAsked(() => stage.api.close());
  const set = options.data === undefined ? MONTH_SET_UP : CARD_SPEND_SET_UP;
  const connected = await setUp(stage, screen, set);
  const days = options.data === undefined ? MONTH_DAYS : await moveFile(stage, screen, connected);
  if (options.data === undefined) await runMonth(stage, screen, connected);
  const facts = await screen.step('Add it all up', async () => [
    '',
    await gatherFacts(stage, connected.pipelineId, connected.sysproId, days),
  ]);
  const problems = problemsOf(facts);
  const movedMs = Date.now() - startedAt;
  printFacts(screen, facts, options.data === undefined ? '' : ` from ${stage.access.scenario.purchases} rows`);
  if (options.data !== undefined) {
    const { AUTO_MATCHED: auto, NEEDS_REVIEW: review, UNMATCHED: none } = facts.matches;
    screen.line(`Vendor matching: ${auto} merchants automatic, ${review} to review, ${none} without a supplier.`);
    for (const { code, examples } of facts.held) for (const one of examples) screen.line(`  e.g. ${code}: ${one}`);
    for (const { line, message } of stage.access.scenario.problems) screen.line(`Row ${line} is unusable: ${message}`);
    const outOfOrder = await daysOutOfOrder(stage);
    screen.line(`Order: ${outOfOrder} documents came to the ledger after one of a later day.`);
    if (outOfOrder > 0) problems.push('The ledger did not get the days in their order.');
    if (stage.access.scenario.problems.length > 0) problems.push('Some rows of the file could not be used.');
    // The generated month holds one object that nobody can read, on purpose; a file does not.
    if (!facts.reconciliation.complete)
      problems.push('Something could not be read: the reconciliation is not complete.');
  }
  memory.sample();
  memory.stop();
  await printQueries(screen, stage, connected.pipelineId, days);
  printPlaces(screen, stage, !options.once);
  screen.line();
  screen.line(
    `Time: ${seconds(movedMs)}. Peak memory: gateway ${megabytes(peakOf(stage.gateway.pid))}, ` +
      `sandboxes ${megabytes(peakOf(stage.sandboxes.pid))}, whole tree with the database ${megabytes(memory.peak || null)}.`,
  );
  for (const problem of problems) screen.line(`NOT WELL: ${problem}`);
  if (problems.length === 0) screen.line('All is well: every difference is 0.00.');
  if (!options.once) {
    onServing();
    await Promise.race(children.map((child) => child.whileRunning()));
  }
  return problems.length === 0 ? EXIT.done : EXIT.no;
}

async function moveFile(stage: Stage, screen: Screen, connected: Parameters<typeof runCardSpend>[2]) {
  const { firstDay, lastDay } = stage.access.scenario;
  await runCardSpend(stage, screen, connected);
  const end = new Date(Date.parse(`${lastDay}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
  return { from: firstDay ?? end, to: end };
}

/** Ends everything, once, however the end comes about. */
class Stopper {
  private readonly actions: (() => unknown)[] = [];
  isStopping = false;

  whenAsked(action: () => unknown): void {
    this.actions.push(action);
  }

  async run(children: readonly Child[], folder: WorkFolder | null): Promise<void> {
    this.isStopping = true;
    for (const action of this.actions) await Promise.resolve(action()).catch(() => undefined);
    // The gateway first: it says goodbye to the ledger, which must still be there.
    for (const child of [...children].reverse()) await child.stop();
    folder?.remove();
  }
}

const stop = new Stopper();

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null) return EXIT.done;
  const screen = new Screen(process.stdout);
  const children: Child[] = [];
  const folder = await makeWorkFolder(options.keepData);
  let wasServing = false;
  const interrupted = new Promise<number>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (stop.isStopping) {
          for (const child of children) child.kill();
          process.exit(EXIT.interrupted);
        }
        stop.isStopping = true;
        screen.line();
        screen.line('Stopping …');
        resolve(wasServing ? EXIT.done : EXIT.interrupted);
      });
    }
  });
  try {
    const run = demo(options, screen, folder, children, () => {
      wasServing = true;
    });
    return await Promise.race([run, interrupted]);
  } finally {
    await stop.run(children, folder);
    if (options.keepData !== undefined) screen.line(`The database is kept in ${folder.dataDir}.`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const expected = error instanceof LedgergateError;
  process.stderr.write(`${expected ? error.userMessage : error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigurationError ? EXIT.configuration : expected ? EXIT.usage : EXIT.no;
}
// Whatever still hangs must not keep a finished demo alive.
process.exit();
