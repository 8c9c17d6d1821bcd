import type { Command } from 'commander';
import { biLogins, createBiLogin, dropBiLogin } from '../../services/biLogins.js';
import { withGround } from '../ground.js';
import { EXIT, printJson, printProblems, table } from '../output.js';
import type { Cli } from '../program.js';

interface Options {
  json?: boolean;
}

export function addBi(program: Command, cli: Cli): void {
  const bi = program.command('bi').description('database logins for BI tools; each reads schema bi of one tenant');
  bi.command('grant')
    .description('makes a login and prints its password, this once')
    .option('--json', 'prints one JSON document')
    .action(cli.action((options: Options) => grant(cli, options)));
  bi.command('list')
    .description('lists the logins of the tenant')
    .option('--json', 'prints one JSON document')
    .action(cli.action((options: Options) => list(cli, options)));
  bi.command('revoke <login>')
    .description('ends a login, its open connections included')
    .option('--json', 'prints one JSON document')
    .action(cli.action((login: string, options: Options) => revoke(cli, login, options)));
}

async function grant(cli: Cli, { json }: Options): Promise<number> {
  return withGround(cli.tenant(), async ({ ground: { db, engine }, caller }) => {
    const made = await createBiLogin(db, caller, engine.clock.now());
    if (!made.ok) return printProblems(cli.io, made.problems, json ?? false);
    if (json) printJson(cli.io, { ok: true, ...made.value });
    else {
      cli.io.out(`${made.value.login}\n${made.value.password}\n`);
      cli.io.err('User and password for the BI tool; the password is shown this once. Schema: bi.\n');
    }
    return EXIT.done;
  });
}

async function list(cli: Cli, { json }: Options): Promise<number> {
  return withGround(cli.tenant(), async ({ ground, caller }) => {
    const logins = await biLogins(ground.db, caller.tenantId);
    if (json) printJson(cli.io, logins);
    else
      cli.io.out(
        table(
          ['login', 'made'],
          logins.map(({ login, createdAt }) => [login, createdAt.toISOString()]),
        ),
      );
    return EXIT.done;
  });
}

async function revoke(cli: Cli, login: string, { json }: Options): Promise<number> {
  return withGround(cli.tenant(), async ({ ground: { db, engine }, caller }) => {
    const ended = await dropBiLogin(db, caller, login, engine.clock.now());
    if (!ended.ok) return printProblems(cli.io, ended.problems, json ?? false);
    if (json) printJson(cli.io, { ok: true, login });
    else cli.io.out(`${login} is ended.\n`);
    return EXIT.done;
  });
}
