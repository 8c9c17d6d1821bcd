import type { Command } from 'commander';
import { InputError } from '../../errors.js';
import { EXIT, printJson } from '../output.js';
import type { Cli } from '../program.js';
import { vendorsScore } from '../vendorsScore.js';
import { addVendorReview } from './vendorReview.js';

interface ScoreOptions {
  master: string;
  labels: string;
  out?: string;
  folds?: string;
  disturb?: string;
  seed?: string;
  json?: boolean;
}

export function addVendors(program: Command, cli: Cli): void {
  const vendors = program.command('vendors').description('vendor matching');
  addVendorReview(vendors, cli);
  vendors
    .command('score')
    .description('measures the matching on a labelled file; needs no database')
    .requiredOption('--master <file>', 'CSV supplier_code,name,active')
    .requiredOption('--labels <file>', 'CSV merchant_name,expected_supplier_code[,class]')
    .option('--out <file>', 'writes one JSON line a merchant')
    .option('--folds <n>', 'judges by cross-validation')
    .option('--disturb <share>', 'share of characters to disturb, 0 to 1')
    .option('--seed <n>', 'makes disturbance and folds repeatable')
    .option('--json', 'prints the report as one JSON document of lines')
    .action(cli.action((options: ScoreOptions) => score(cli, options)));
}

async function score(cli: Cli, { json, folds, disturb, seed, ...options }: ScoreOptions): Promise<number> {
  const lines: string[] = [];
  const code = await vendorsScore({
    ...options,
    folds: numberOf('--folds', folds),
    disturb: numberOf('--disturb', disturb),
    seed: numberOf('--seed', seed),
    print: (line) => (json ? void lines.push(line) : cli.io.out(`${line}\n`)),
    printError: (line) => cli.io.err(`${line}\n`),
  });
  if (json && code === EXIT.done) printJson(cli.io, { ok: true, report: lines });
  return code;
}

function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw new InputError(`${option} must be a number.`, [option]);
  return number;
}
