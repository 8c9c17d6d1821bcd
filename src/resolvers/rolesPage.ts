import { writeFile } from 'node:fs/promises';
import { ROLES, type Role } from '../domain/vocabulary.js';
import { NODE_PERMISSIONS, PERMISSIONS } from './permissions.js';

/** What a role is for; it may also do whatever the roles before it may. */
const MEANT_FOR: Readonly<Record<Role, string>> = {
  VIEWER: 'dashboards and whoever looks: purchases, postings, runs, alerts',
  AUDITOR: 'auditors and BI tools: also the audit trail, reconciliations and exports; changes nothing',
  OPERATOR: 'the people who close the month, and services: also syncs, replays, approvals, decisions about vendors',
  ADMIN: 'the owner of the installation: also systems and their credentials, pipelines, mappings, keys',
};

const HEAD = `# Roles

Whoever asks has one role in one tenant. A role may do what the roles before it may, and what is listed for it. A refusal has
the code \`FORBIDDEN\` and names the role that is needed in \`requiredRole\`; over plain HTTP it has status 403.

This page is printed from the one table that the program itself goes by (\`src/resolvers/permissions.ts\`); a test holds the
page to the table and asks a running server for every field in every role.
`;

const ROUTES = `## Other addresses

| Address | Role |
| --- | --- |
| \`GET /receipts/…\` | VIEWER |
| \`GET /export/…\` | AUDITOR |
| \`POST /webhooks/…\` | none: the vendor's signature is checked |
| \`GET /metrics\` | none, or the token of \`LEDGERGATE_METRICS_TOKEN\` |
| \`GET /healthz\`, \`GET /readyz\`, the console's page | none: they show no data |
`;

/** The page as Markdown. */
export function rolesPage(): string {
  const roles = table(
    ['Role', 'Meant for'],
    ROLES.map((role) => [role, MEANT_FOR[role]]),
  );
  const fields = Object.entries(PERMISSIONS);
  const sections = ['Query', 'Mutation', 'Subscription'].map((root) => [
    `## ${root}\n`,
    matrix(
      fields.filter(([name]) => name.startsWith(`${root}.`)).map(([name, role]) => [name.slice(root.length + 1), role]),
    ),
  ]);
  const others = fields.filter(([name]) => !/^(Query|Mutation|Subscription)\./.test(name));
  const kinds = Object.entries(NODE_PERMISSIONS).map(([kind, role]) => [`Query.node of ${kind}`, role] as const);
  return [
    ...[HEAD, roles],
    ...sections.flat(),
    '## Restricted fields and kinds\n',
    'Every other field may be read by whoever may read the object that it is of.\n',
    ...[matrix([...others, ...kinds]), ROUTES],
  ].join('\n');
}

/** Writes the page, as the committed `docs/roles.md` is. */
export async function emitRolesPage(path: string): Promise<void> {
  await writeFile(path, rolesPage());
}

function matrix(fields: readonly (readonly [string, Role])[]): string {
  const rows = fields.map(([name, needed]) => [
    `\`${name}\``,
    ...ROLES.map((role) => (ROLES.indexOf(role) >= ROLES.indexOf(needed) ? 'yes' : '–')),
  ]);
  return table(['Field', ...ROLES], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}
