import type { Command } from 'commander';
import { type LocalDate, localDate } from '../../domain/localDate.js';
import { InputError } from '../../errors.js';
import { createUseCases } from '../../services/allUseCases.js';
import type { ReconciliationAnswer } from '../../services/useCases.js';
import { withGround } from '../ground.js';
import { EXIT, printJson, reconciliationTable } from '../output.js';
import { pipelineId } from '../pipeline.js';
import type { Cli } from '../program.js';

interface ReconcileOptions {
  from: string;
  to: string;
  json?: boolean;
}

export function addReconcile(program: Command, cli: Cli): void {
  program
    .command('reconcile')
    .argument('<pipeline>', 'id or name')
    .description(
      'source against ledger, by transaction date; exit code 1 on a difference or when something was unreadable',
    )
    .requiredOption('--from <day>', 'first day, YYYY-MM-DD')
    .requiredOption('--to <day>', 'last day, inclusive')
    .option('--json', 'prints one JSON document')
    .action(cli.action((pipeline: string, options: ReconcileOptions) => reconcile(cli, pipeline, options)));
}

async function reconcile(cli: Cli, pipeline: string, options: ReconcileOptions): Promise<number> {
  const from = dayOf('--from', options.from);
  const to = dayOf('--to', options.to);
  if (from > to) throw new InputError('--from must not be after --to.', ['--from']);
  return withGround(cli.tenant(), async (work) => {
    const id = await pipelineId(work, pipeline);
    const report = await createUseCases(work.ground.engine).reconcile(work.caller.tenantId, {
      pipelineId: id,
      from,
      to,
    });
    if (!report) throw new InputError('There is no such pipeline.', ['pipeline']);
    const closes = report.complete && report.totals.every((one) => isZero(one.difference));
    if (options.json) printJson(cli.io, { ok: closes, ...report });
    else print(cli, report);
    return closes ? EXIT.done : EXIT.no;
  });
}

function print(cli: Cli, report: ReconciliationAnswer): void {
  cli.io.out(report.totals.length > 0 ? reconciliationTable(report.totals) : 'There is no spend between these days.\n');
  if (!report.complete) cli.io.out(`Not complete:\n${report.unknowns.map((one) => `- ${one}\n`).join('')}`);
}

function isZero(amount: string): boolean {
  return /^-?0*(\.0*)?$/.test(amount);
}

function dayOf(option: string, text: string): LocalDate {
  try {
    return localDate(text);
  } catch (cause) {
    throw new InputError(`${option}: "${text}" is not a day YYYY-MM-DD.`, [option], { cause });
  }
}
