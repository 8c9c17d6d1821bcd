import { Command, CommanderError } from 'commander';
import { ConfigurationError, InputError, LedgergateError } from '../errors.js';
import { addAudit } from './commands/audit.js';
import { addBi } from './commands/bi.js';
import { addKeys } from './commands/keys.js';
import { addMapping } from './commands/mapping.js';
import { addMigrate } from './commands/migrate.js';
import { addReconcile } from './commands/reconcile.js';
import { addReplay } from './commands/replay.js';
import { addSandbox } from './commands/sandbox.js';
import { addSync } from './commands/sync.js';
import { addSystems } from './commands/systems.js';
import { addTenants } from './commands/tenants.js';
import { addVendors } from './commands/vendors.js';
import { EXIT, type Io } from './output.js';

/** What a command is built with. */
export interface Cli {
  readonly io: Io;
  /** Whose data; the option `--tenant` of the program. */
  tenant(): string;
  /** Makes a commander action of a function that answers with the exit code. */
  action<Arguments extends unknown[]>(
    run: (...given: Arguments) => Promise<number>,
  ): (...given: Arguments) => Promise<void>;
}

const EXIT_CODES = `
Exit codes: 0 done · 1 the answer is "no" or it failed · 2 used wrongly · 78 a setting is missing or unusable
The database is that of DATABASE_URL, or the embedded one in LEDGERGATE_DATA_DIR; a gateway may run at the same time.`;

/** Runs one command line. Never throws for what a person can do wrong. @returns the exit code. */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.done;
  const program = new Command('ledgergate');
  const cli: Cli = {
    io,
    tenant: () => program.opts<{ tenant: string }>().tenant,
    action:
      (run) =>
      async (...given) => {
        code = await run(...given);
      },
  };
  program
    .description('Moves corporate spend into ERP ledgers, exactly once, with an audit trail that explains every line.')
    .option('--tenant <id>', 'whose data', 'default')
    .addHelpText('after', EXIT_CODES)
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .showHelpAfterError('Add --help for how it is used.')
    .exitOverride();
  for (const add of [
    addMigrate,
    addTenants,
    addKeys,
    addAudit,
    addBi,
    addSystems,
    addSync,
    addReplay,
    addReconcile,
    addMapping,
    addSandbox,
    addVendors,
  ]) {
    add(program, cli);
  }
  for (const command of all(program)) command.exitOverride().copyInheritedSettings(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return exitCodeOf(error, io);
  }
}

function all(command: Command): Command[] {
  return command.commands.flatMap((one) => [one, ...all(one)]);
}

function exitCodeOf(error: unknown, io: Io): number {
  if (error instanceof CommanderError) {
    // Help that was asked for is an answer; help in place of a command is not.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  if (!(error instanceof LedgergateError)) {
    io.err(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return EXIT.no;
  }
  io.err(`${error.userMessage}\n`);
  if (error instanceof ConfigurationError) return EXIT.configuration;
  return error instanceof InputError ? EXIT.usage : EXIT.no;
}
