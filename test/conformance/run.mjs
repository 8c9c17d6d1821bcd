// Runs the conformance suite and shows who can do what: `npm run conformance`. With `--write` it writes what was proved
// to src/connectors/proven.ts and the table to docs/conformance.md; nothing else may write either.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KINDS = ['BREX', 'EXPENSIFY', 'SYSPRO', 'SAGE_X3', 'INFOR_M3', 'EPICOR_KINETIC'];
const TITLES = {
  BREX: 'Brex',
  EXPENSIFY: 'Expensify',
  SYSPRO: 'SYSPRO',
  SAGE_X3: 'Sage X3',
  INFOR_M3: 'Infor M3',
  EPICOR_KINETIC: 'Epicor Kinetic',
};
const MARKS = { held: 'yes', failed: 'NO', absent: '–' };

const folder = mkdtempSync(join(tmpdir(), 'ledgergate-conformance-'));
try {
  const run = spawnSync('npx', ['vitest', 'run', 'test/conformance', '--reporter=dot'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, CONFORMANCE_RESULTS: folder },
  });
  const results = new Map(
    readdirSync(folder).map((file) => {
      const { kind, results: cases } = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      return [kind, cases];
    }),
  );
  const table = tableOf(results);
  process.stdout.write(`${table}\n`);
  const failed = [...results.values()].flat().filter(({ held }) => !held).length;
  const missing = KINDS.filter((kind) => !results.has(kind));
  if (missing.length > 0) process.stdout.write(`No results of ${missing.join(', ')}.\n`);
  if (process.argv.includes('--write')) {
    if (run.status !== 0 || missing.length > 0) throw new Error('Nothing was written: the suite did not pass.');
    writeFileSync('src/connectors/proven.ts', provenModule(results));
    writeFileSync('docs/conformance.md', page(table));
    spawnSync('npx', ['biome', 'check', '--write', 'src/connectors/proven.ts'], { stdio: 'inherit' });
  }
  process.exitCode = run.status !== 0 || failed > 0 || missing.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** One row a case, one column a connector. */
function tableOf(results) {
  const names = [...new Set(KINDS.flatMap((kind) => (results.get(kind) ?? []).map(({ name }) => name)))];
  const rows = names.map((name) => {
    const marks = KINDS.map((kind) => {
      const own = (results.get(kind) ?? []).filter((one) => one.name === name);
      if (own.length === 0) return MARKS.absent;
      return own.every(({ held }) => held) ? MARKS.held : MARKS.failed;
    });
    return `| ${name} | ${marks.join(' | ')} |`;
  });
  const head = `| Case | ${KINDS.map((kind) => TITLES[kind]).join(' | ')} |`;
  return [head, `| --- |${' --- |'.repeat(KINDS.length)}`, ...rows].join('\n');
}

function provenOf(cases) {
  const failed = new Set(cases.filter(({ held }) => !held).map(({ capability }) => capability));
  const named = new Set(cases.flatMap(({ capability }) => capability ?? []));
  return [...named].filter((one) => !failed.has(one)).sort();
}

function provenModule(results) {
  const entries = KINDS.map((kind) => {
    const words = provenOf(results.get(kind)).map((word) => `'${word}'`);
    return `  ${kind}: [${words.join(', ')}],`;
  });
  return `import type { SystemKind } from '../domain/vocabulary.js';

/**
 * What each connector can do, as the conformance suite proved it. Written by \`npm run conformance -- --write\`, never by
 * hand: the suite fails when this list says more, or less, than it saw.
 */
export const PROVEN: Readonly<Record<SystemKind, readonly string[]>> = {
${entries.join('\n')}
};
`;
}

function page(table) {
  return `# Conformance

One suite (\`test/conformance\`) drives every connector as the engine does, against its simulated system over HTTP, and
looks into that system for what came of it. This page is written by \`npm run conformance -- --write\`; "–" means that the
case does not apply. A case about lost replies runs once for each request of a posting: that request is the one disturbed.

${table}
`;
}
