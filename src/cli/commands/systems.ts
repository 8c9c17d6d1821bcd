import type { Command } from 'commander';
import { createUseCases } from '../../services/allUseCases.js';
import { withGround } from '../ground.js';
import { EXIT, printJson, printProblems, table } from '../output.js';
import type { Cli } from '../program.js';

interface SystemRow {
  id: string;
  kind: string;
  role: string;
  name: string;
  status: string;
  baseUrl: string;
  credential: string;
  renewBy: Date | null;
  lastCheckedAt: Date | null;
}

export function addSystems(program: Command, cli: Cli): void {
  const systems = program.command('systems').description('connected systems');
  systems
    .command('list', { isDefault: true })
    .description('lists them (the default)')
    .option('--json', 'prints one JSON document')
    .action(cli.action((options: { json?: boolean }) => list(cli, options)));
  systems
    .command('test')
    .argument('<id>', 'as `ledgergate systems` shows it')
    .description('calls the real system step by step; exit code 1 when a step fails')
    .option('--json', 'prints one JSON document')
    .action(cli.action((id: string, options: { json?: boolean }) => test(cli, id, options)));
}

async function list(cli: Cli, { json }: { json?: boolean }): Promise<number> {
  return withGround(cli.tenant(), async ({ ground, caller }) => {
    const rows = await ground.db.tenant(caller.tenantId, (tx) =>
      tx.query<SystemRow>(
        `select s.id, s.kind, s.role, s.name, s.status, s.base_url as "baseUrl", c.kind as credential,
           c.renew_by as "renewBy", s.last_checked_at as "lastCheckedAt"
         from systems s left join credentials c on c.tenant_id = s.tenant_id and c.system_id = s.id
         where s.tenant_id = $1 order by s.created_at, s.id`,
        [tx.tenantId],
      ),
    );
    if (json) printJson(cli.io, { systems: rows });
    else if (rows.length === 0) cli.io.out('No system is connected yet: use the mutation connectSystem.\n');
    else {
      const head = ['id', 'kind', 'role', 'name', 'status', 'credential', 'renew by', 'address'];
      const cells = rows.map((row) => [
        ...[row.id, row.kind, row.role, row.name, row.status, row.credential],
        ...[row.renewBy?.toISOString().slice(0, 10) ?? '–', row.baseUrl],
      ]);
      cli.io.out(table(head, cells));
    }
    return EXIT.done;
  });
}

async function test(cli: Cli, id: string, { json }: { json?: boolean }): Promise<number> {
  return withGround(cli.tenant(), async ({ ground, caller }) => {
    const answer = await createUseCases(ground.engine).testSystem(caller, id);
    if (!answer.ok) return printProblems(cli.io, answer.problems, json ?? false);
    const { ok, checks } = answer.value;
    if (json) printJson(cli.io, { ok, checks });
    else
      cli.io.out(
        table(
          ['check', 'ok', 'detail'],
          checks.map((one) => [one.name, one.ok ? 'yes' : 'NO', one.detail]),
        ),
      );
    return ok ? EXIT.done : EXIT.no;
  });
}
