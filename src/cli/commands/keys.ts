import type { Command } from 'commander';
import { ROLES, type Role } from '../../domain/vocabulary.js';
import { InputError } from '../../errors.js';
import { createApiKey, listApiKeys, revokeApiKey } from '../../services/apiKeys.js';
import { withGround } from '../ground.js';
import { EXIT, instantOf, printJson, printProblems, table } from '../output.js';
import type { Cli } from '../program.js';
import { rotateMaster } from '../rotateMaster.js';

interface CreateOptions {
  name: string;
  role: string;
  expires?: string;
  json?: boolean;
}

export function addKeys(program: Command, cli: Cli): void {
  const keys = program.command('keys').description('API keys, and the master key that protects stored credentials');
  keys
    .command('create')
    .description('makes an API key and prints its secret, this once')
    .requiredOption('--name <name>', 'whom or what it is for; appears in the audit trail')
    .requiredOption('--role <role>', ROLES.join(', '))
    .option('--expires <when>', 'day (YYYY-MM-DD) or instant (RFC 3339) on which it ends')
    .option('--json', 'prints one JSON document')
    .action(cli.action((options: CreateOptions) => createKey(cli, options)));
  keys
    .command('list')
    .description('lists the keys of the tenant, newest first, with what has ended')
    .option('--json', 'prints one JSON document')
    .action(cli.action((options: { json?: boolean }) => listKeys(cli, options)));
  keys
    .command('revoke <id>')
    .description('ends a key at once, its open subscriptions included')
    .option('--json', 'prints one JSON document')
    .action(cli.action((id: string, options: { json?: boolean }) => revokeKey(cli, id, options)));
  keys
    .command('rotate-master')
    .description('seals every stored credential and session under a new master key')
    .addHelpText(
      'after',
      `
With the key file of the embedded database a new key is made; processes may run meanwhile.
With keys in the environment: first restart every process with the new key in LEDGERGATE_MASTER_KEY and the old one in
LEDGERGATE_MASTER_KEY_PREVIOUS, then run this, then remove LEDGERGATE_MASTER_KEY_PREVIOUS.
Interrupted at any point, run it again: it goes on where it stopped.`,
    )
    .option('--json', 'prints one JSON document')
    .action(cli.action((options: { json?: boolean }) => rotate(cli, options)));
}

async function createKey(cli: Cli, { name, role, expires, json }: CreateOptions): Promise<number> {
  const chosen = roleOf(role);
  const expiresAt = instantOf('--expires', expires) ?? null;
  return withGround(cli.tenant(), async ({ ground, caller }) => {
    const { db, engine } = ground;
    const made = await createApiKey(db, caller, { name, role: chosen, expiresAt }, engine.clock.now());
    if (!made.ok) return printProblems(cli.io, made.problems, json ?? false);
    const { id, secret } = made.value;
    if (json) printJson(cli.io, { ok: true, id, name, role: chosen, expiresAt, secret });
    else {
      cli.io.out(`${secret}\n`);
      cli.io.err(`Key ${id} "${name}" with role ${chosen}. Its secret is shown this once and stored nowhere.\n`);
    }
    return EXIT.done;
  });
}

async function listKeys(cli: Cli, { json }: { json?: boolean }): Promise<number> {
  return withGround(cli.tenant(), async ({ ground: { db, engine }, caller }) => {
    const keys = await listApiKeys(db, caller.tenantId, engine.clock.now());
    if (json) printJson(cli.io, { keys });
    else {
      const head = ['id', 'name', 'role', 'begins with', 'state', 'expires', 'last used'];
      const rows = keys.map((key) => [
        ...[key.id, key.name, key.role, key.prefix, key.state],
        ...[key.expiresAt?.toISOString() ?? 'never', key.lastUsedAt?.toISOString() ?? 'never'],
      ]);
      cli.io.out(table(head, rows));
    }
    return EXIT.done;
  });
}

async function revokeKey(cli: Cli, id: string, { json }: { json?: boolean }): Promise<number> {
  return withGround(cli.tenant(), async ({ ground: { db, engine }, caller }) => {
    const ended = await revokeApiKey(db, caller, id, engine.clock.now());
    if (!ended.ok) return printProblems(cli.io, ended.problems, json ?? false);
    if (json) printJson(cli.io, { ok: true, id });
    else cli.io.out(`Key ${id} is revoked.\n`);
    return EXIT.done;
  });
}

async function rotate(cli: Cli, { json }: { json?: boolean }): Promise<number> {
  return withGround(cli.tenant(), async (work) => {
    const result = await rotateMaster(work);
    if (json) printJson(cli.io, { ok: true, ...result });
    else {
      cli.io.out(
        `${result.credentials} credentials and ${result.sessions} sessions are sealed under master key ${result.masterKeyId}.\n`,
      );
      if (result.source === 'environment') cli.io.out('LEDGERGATE_MASTER_KEY_PREVIOUS is no longer needed.\n');
    }
    return EXIT.done;
  });
}

function roleOf(text: string): Role {
  const role = ROLES.find((one) => one === text.toUpperCase());
  if (role === undefined) throw new InputError(`--role: "${text}" is none of ${ROLES.join(', ')}.`, ['--role']);
  return role;
}
