import type { Command } from 'commander';
import { type LocalDate, localDate } from '../../domain/localDate.js';
import type { CodingTarget, Movement } from '../../domain/mappingPreview.js';
import { decimalOfMinor } from '../../domain/money.js';
import { InputError } from '../../errors.js';
import { createUseCases } from '../../services/allUseCases.js';
import type { MappingPreview } from '../../services/mappingPreview.js';
import { withGround } from '../ground.js';
import { EXIT, printJson, printProblems, table } from '../output.js';
import { pipelineId } from '../pipeline.js';
import type { Cli } from '../program.js';
import { readRules } from '../rulesFile.js';

interface PreviewOptions {
  pipeline: string;
  file: string;
  effectiveFrom?: string;
  months: string;
  json?: boolean;
}

export function addMapping(program: Command, cli: Cli): void {
  const mapping = program.command('mapping').description('mapping rules: which purchase goes to which account');
  mapping
    .command('preview')
    .description('what rules would have changed in the last months, before they are saved; saves nothing')
    .requiredOption('--pipeline <pipeline>', 'id or name')
    .requiredOption('--file <path>', 'rules as .json (a list) or .csv (columns category, merchant, mcc, glAccount …)')
    .option('--effective-from <day>', 'the first posting date that they would decide, YYYY-MM-DD; default: today')
    .option('--months <count>', 'how far back to look, 1 to 36', '12')
    .option('--json', 'prints one JSON document')
    .action(cli.action((options: PreviewOptions) => preview(cli, options)));
}

async function preview(cli: Cli, options: PreviewOptions): Promise<number> {
  const rules = await readRules(options.file);
  const effectiveFrom = options.effectiveFrom === undefined ? undefined : dayOf(options.effectiveFrom);
  const months = Number(options.months);
  return withGround(cli.tenant(), async (work) => {
    const id = await pipelineId(work, options.pipeline);
    const request = { pipelineId: id, rules, effectiveFrom, months };
    const answer = await createUseCases(work.ground.engine).previewMapping(work.caller, request);
    if (!answer.ok) return printProblems(cli.io, answer.problems, options.json ?? false);
    await print(cli, answer.value, options.json ?? false);
    return EXIT.done;
  });
}

async function print(cli: Cli, preview: MappingPreview, asJson: boolean): Promise<void> {
  const { next, window } = preview;
  const { totals, replanned } = await preview.summary();
  const counts = {
    recordsRead: totals.records,
    recordsChanged: totals.changed,
    recordsInForce: totals.inForce,
    recordsReplanned: replanned,
    becomeHeld: totals.becomeHeld,
    becomeReleased: totals.becomeReleased,
    unlistedRecords: totals.unlisted,
  };
  const head = { version: next.version, effectiveFrom: next.effectiveFrom, ...window };
  if (asJson) {
    printJson(cli.io, { ok: true, ...head, ...counts, movements: totals.movements.map(asData) });
    return;
  }
  cli.io.out(`Version ${next.version} from ${next.effectiveFrom}, compared with what was bought ${window.from} to ${window.to}:
${counts.recordsChanged} of ${counts.recordsRead} purchases would change, ${counts.recordsInForce} of them posted on or after its first day.
${counts.becomeHeld} would become held, ${counts.becomeReleased} released; ${replanned} wait now and are planned again when it is saved.
`);
  if (totals.movements.length > 0) cli.io.out(movementTable(totals.movements));
  if (totals.unlisted > 0) cli.io.out(`${totals.unlisted} purchases move in ways that are not listed.\n`);
}

function movementTable(movements: readonly Movement[]): string {
  const rows = movements.flatMap((one) =>
    [...one.amounts].map(([currency, minor]) => [
      ...[nameOf(one.from), nameOf(one.to), one.records, one.recordsInForce],
      ...[decimalOfMinor(minor, currency), currency],
    ]),
  );
  return table(['from', 'to', 'records', 'in force', 'amount', 'currency'], rows);
}

function nameOf({ glAccount, costCentre, taxCode, dimensions }: CodingTarget): string {
  const others = Object.entries(dimensions).map(([name, code]) => `${name} ${code}`);
  const tax = taxCode === null ? [] : [`tax ${taxCode}`];
  return [glAccount ?? 'no account', ...(costCentre === null ? [] : [costCentre]), ...tax, ...others].join(' / ');
}

function asData({ from, to, records, recordsInForce, amounts }: Movement): unknown {
  const money = [...amounts].map(([currency, minor]) => ({ amount: decimalOfMinor(minor, currency), currency }));
  return { from, to, recordCount: records, recordCountInForce: recordsInForce, amounts: money };
}

function dayOf(text: string): LocalDate {
  try {
    return localDate(text);
  } catch (cause) {
    throw new InputError(`--effective-from: "${text}" is not a day YYYY-MM-DD.`, ['--effective-from'], { cause });
  }
}
