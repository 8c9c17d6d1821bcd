import type { Command } from 'commander';
import { InputError } from '../../errors.js';
import { createUseCases } from '../../services/allUseCases.js';
import { hasWorker } from '../../services/processes.js';
import { type Work, withGround } from '../ground.js';
import { EXIT, instantOf, printJson, printProblems, table } from '../output.js';
import { pipelineId } from '../pipeline.js';
import type { Cli } from '../program.js';
import { type FinishedRun, waitForRun } from '../waitForRun.js';
import { withWorker } from '../worker.js';

interface SyncOptions {
  from?: string;
  to?: string;
  dryRun?: boolean;
  wait?: boolean;
  json?: boolean;
}

export function addSync(program: Command, cli: Cli): void {
  program
    .command('sync')
    .argument('<pipeline>', 'id or name')
    .description('reads, plans and posts; joins a run of the same window that is on its way')
    .option('--from <when>', 'start of the window, a day or an instant; default: where the last run ended')
    .option('--to <when>', 'end of the window, exclusive; default: now')
    .option('--dry-run', 'shows what would be posted, stores and sends nothing; waits for the result')
    .option('--wait', 'waits for the end; works on it here if no worker runs. Exit code 1 unless it succeeded')
    .option('--json', 'prints one JSON document')
    .action(cli.action((pipeline: string, options: SyncOptions) => sync(cli, pipeline, options)));
}

async function sync(cli: Cli, pipeline: string, options: SyncOptions): Promise<number> {
  const from = instantOf('--from', options.from);
  const to = instantOf('--to', options.to);
  if (from && to && from >= to) throw new InputError('--from must be before --to.', ['--from']);
  const dryRun = options.dryRun ?? false;
  return withGround(cli.tenant(), async (work) => {
    const id = await pipelineId(work, pipeline);
    const queued = await createUseCases(work.ground.engine).triggerSync(work.caller, {
      pipelineId: id,
      from,
      to,
      dryRun,
    });
    if (!queued.ok) return printProblems(cli.io, queued.problems, options.json ?? false);
    if (options.wait || dryRun) return finish(cli, work, queued.value.id, options);
    const isWorkedOn = await hasWorker(work.ground.db);
    if (options.json) printJson(cli.io, { runId: queued.value.id, status: 'QUEUED', isWorkedOn });
    else {
      cli.io.out(`Run ${queued.value.id} is queued.\n`);
      if (!isWorkedOn) cli.io.err('No worker runs at the moment: start one (npm start), or repeat this with --wait.\n');
    }
    return EXIT.done;
  });
}

async function finish(cli: Cli, work: Work, runId: string, options: SyncOptions): Promise<number> {
  const { ground } = work;
  const wait = () => waitForRun(work, runId);
  const run = (await hasWorker(ground.db)) ? await wait() : await withWorker(work, wait);
  if (options.json) printJson(cli.io, run);
  else printRun(cli, run);
  return run.status === 'SUCCEEDED' ? EXIT.done : EXIT.no;
}

function printRun(cli: Cli, run: FinishedRun): void {
  cli.io.out(`Run ${run.id}: ${run.status}${run.error ? `. ${run.error}` : ''}\n`);
  cli.io.out(`${run.recordsRead} read, ${run.recordsNew} new, ${run.recordsChanged} changed\n`);
  if (run.preview === null) {
    cli.io.out(`${run.postingsPosted} posted, ${run.postingsHeld} held, ${run.postingsFailed} refused\n`);
    return;
  }
  const head = ['reference', 'date', 'status', 'currency', 'total', 'description'];
  const rows = run.preview.map((one) => [
    ...[one.reference, one.postingDate, one.status, one.currency, one.total, one.description],
  ]);
  cli.io.out(`${run.preview.length} documents would be made. Nothing was stored or sent.\n`);
  if (rows.length > 0) cli.io.out(table(head, rows));
}
