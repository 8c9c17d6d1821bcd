import type { Command } from 'commander';
import { createTenant, listTenants } from '../../services/tenants.js';
import { withInstallation } from '../ground.js';
import { EXIT, printJson, printProblems, table } from '../output.js';
import type { Cli } from '../program.js';

interface CreateOptions {
  id?: string;
  adminKeyName: string;
  json?: boolean;
}

export function addTenants(program: Command, cli: Cli): void {
  const tenants = program.command('tenants').description('the companies on this installation');
  tenants
    .command('create <name>')
    .description('makes a tenant and prints the secret of its first key, with role ADMIN, this once')
    .option('--id <id>', 'as --tenant and the claims of tokens spell it; made from the name when left out')
    .option('--admin-key-name <name>', 'what the first key is called', 'admin')
    .option('--json', 'prints one JSON document')
    .action(cli.action((name: string, options: CreateOptions) => create(cli, name, options)));
  tenants
    .command('list', { isDefault: true })
    .description('lists them (the default)')
    .option('--json', 'prints one JSON document')
    .action(cli.action((options: { json?: boolean }) => list(cli, options)));
}

async function create(cli: Cli, name: string, { id, adminKeyName, json }: CreateOptions): Promise<number> {
  return withInstallation(async ({ ground: { db, engine }, caller }) => {
    const made = await createTenant(db, caller, { name, id, adminKeyName }, engine.clock.now());
    if (!made.ok) return printProblems(cli.io, made.problems, json ?? false);
    const { adminKey, ...tenant } = made.value;
    if (json) printJson(cli.io, { ok: true, ...tenant, adminKey });
    else {
      cli.io.out(`${adminKey.secret}\n`);
      cli.io.err(
        `Tenant ${tenant.id} "${tenant.name}" with key ${adminKey.id}, role ADMIN. Its secret is shown this once and stored nowhere.\n`,
      );
    }
    return EXIT.done;
  });
}

async function list(cli: Cli, { json }: { json?: boolean }): Promise<number> {
  return withInstallation(async ({ ground: { db } }) => {
    const tenants = await listTenants(db);
    if (json) printJson(cli.io, { tenants });
    else {
      cli.io.out(
        table(
          ['id', 'name', 'made'],
          tenants.map((one) => [one.id, one.name, one.createdAt.toISOString()]),
        ),
      );
    }
    return EXIT.done;
  });
}
