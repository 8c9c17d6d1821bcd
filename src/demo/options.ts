import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { FLOW_NAMES } from './flow.js';

const number = (max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().max(max));

const schema = z.object({
  flow: z.enum([...FLOW_NAMES, 'all'], `must be one of ${FLOW_NAMES.join(', ')}, all`).default('brex-syspro'),
  once: z.boolean().default(false),
  data: z.string().min(1).optional(),
  suppliers: z.string().min(1).optional(),
  seed: number(999_999_999).default(1),
  purchases: number(100_000).optional(),
  reports: number(100_000).optional(),
  port: number(65_535).default(4000),
  keepData: z.string().min(1).optional(),
  cpuProf: z.boolean().default(false),
});

export type DemoOptions = z.output<typeof schema>;

/** @returns null when help was asked for and has been shown. @throws InputError naming the option. */
export function readOptions(args: readonly string[]): DemoOptions | null {
  const command = new Command('npm run demo --')
    .description('Starts everything on this machine, moves a month of spend and shows what happened.')
    .option('--flow <name>', `one of ${FLOW_NAMES.join(', ')}, or all of them one after the other; default brex-syspro`)
    .option('--once', 'ends after the run, with exit code 0 if all is well')
    .option('--data <file>', 'moves a CSV of card spend (plain or .gz) day by day in place of the generated month')
    .option('--suppliers <file>', "CSV of the ledger's suppliers, beside --data")
    .option('--seed <n>', 'makes the generated month repeatable; default 1')
    .option(
      '--purchases <n>',
      'purchases in the generated month of Brex; default 2000 for SYSPRO, else 300; at least 200',
    )
    .option('--reports <n>', 'reports in the generated month of Expensify; default 60, which is the least')
    .option('--port <n>', "the gateway's port; default 4000, or any free one if that is taken; 0 = any free one")
    .option('--keep-data <folder>', 'keeps the database and its master key there')
    .option('--cpu-prof', 'writes a CPU profile of the gateway into this folder')
    .exitOverride();
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return null;
      throw new InputError(error.message, ['options']);
    }
    throw error;
  }
  const parsed = schema.safeParse(command.opts());
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InputError(`--${String(issue?.path[0])}: ${issue?.message}`, ['options']);
  }
  const options = parsed.data;
  if (options.suppliers !== undefined && options.data === undefined) {
    throw new InputError('--suppliers goes with --data.', ['--suppliers']);
  }
  if (options.data !== undefined && options.flow !== 'brex-syspro') {
    throw new InputError('--data goes with --flow brex-syspro.', ['--data']);
  }
  return {
    ...options,
    // One flow ends before the next begins, so none can stay.
    once: options.once || options.flow === 'all',
    ...(options.data === undefined ? {} : { data: resolve(options.data) }),
    ...(options.suppliers === undefined ? {} : { suppliers: resolve(options.suppliers) }),
  };
}
