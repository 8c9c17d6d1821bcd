import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { LEDGER_KINDS } from './ledgers.js';
import { failureOf, type Totals } from './report.js';
import { runSeeds } from './runner.js';
import type { SeedReport } from './simulate.js';
import { SOURCE_KINDS } from './source.js';

const TELL_EVERY_MS = 15_000;

/** @returns the exit code: 0 when every promise was kept in every history. */
export async function main(argv: readonly string[], productFolder: string): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      processes: { type: 'string' },
      steps: { type: 'string' },
      ledger: { type: 'string' },
      source: { type: 'string' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const first = numberIn('seed', values.seed) ?? 1;
  // A seed alone is that one history.
  const count = numberIn('seeds', values.seeds) ?? (values.seed === undefined ? 20 : 1);
  const processes = Math.min(count, numberIn('processes', values.processes) ?? availableParallelism());
  const shape = {
    steps: numberIn('steps', values.steps),
    ledger: oneOf('ledger', LEDGER_KINDS, values.ledger),
    source: oneOf('source', SOURCE_KINDS, values.source),
  };
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const tell = teller(count);
  const totals = await runSeeds({
    ...{ processes, shape, productFolder, seeds: range(first, count), signal: stopped.signal },
    wantsStories: values.verbose,
    onReport(report, soFar) {
      if (values.verbose) process.stdout.write(`${report.story.join('\n')}\n`);
      if (report.broken.length > 0) process.stdout.write(`${failureOf(report, values.steps)}\n`);
      tell(report, soFar);
    },
  });
  process.stdout.write(`${totals.table()}\n`);
  return totals.failedCount === 0 && totals.seeds === count ? 0 : 1;
}

function* range(first: number, count: number): Generator<number> {
  for (let seed = first; seed < first + count; seed += 1) yield seed;
}

/** A line now and then, with how long the rest will take. */
function teller(count: number): (report: SeedReport, totals: Totals) => void {
  const startedAt = performance.now();
  let toldAt = startedAt;
  return (_report, totals) => {
    const now = performance.now();
    if (now - toldAt < TELL_EVERY_MS) return;
    toldAt = now;
    const perSecond = (1_000 * totals.seeds) / (now - startedAt);
    const minutes = Math.ceil((count - totals.seeds) / perSecond / 60);
    process.stdout.write(
      `${totals.seeds} of ${count} seeds, ${totals.failedCount} failed, ${perSecond.toFixed(1)} a second, ${minutes} min left\n`,
    );
  };
}

function numberIn(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new Error(`--${name} is a whole number from 1 on`);
  return Number(text);
}

function oneOf<T extends string>(name: string, all: readonly T[], text: string | undefined): T | undefined {
  const found = all.find((one) => one === text);
  if (text !== undefined && !found) throw new Error(`--${name} is one of ${all.join(', ')}`);
  return found;
}
