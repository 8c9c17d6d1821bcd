import type { Command } from 'commander';
import { withGround } from '../ground.js';
import { EXIT, printJson } from '../output.js';
import type { Cli } from '../program.js';

export function addMigrate(program: Command, cli: Cli): void {
  program
    .command('migrate')
    .description('brings the database up to date; safe to repeat, and done by every start as well')
    .option('--json', 'prints one JSON document')
    .action(
      cli.action(({ json }: { json?: boolean }) =>
        withGround(cli.tenant(), async () => {
          // Opening the database has migrated it already: every process does, before it looks at a table.
          if (json) printJson(cli.io, { ok: true });
          else cli.io.out('The database is up to date.\n');
          return EXIT.done;
        }),
      ),
    );
}
