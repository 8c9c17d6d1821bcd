// How the command line answers what it cannot do, without a database. What would surprise: a mistyped option that exits 0,
// an answer mixed with messages on standard output, a damaged setting that looks like a usage error.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Io, instantOf, table } from '../../../src/cli/output.js';
import { runProgram } from '../../../src/cli/program.js';

async function run(...args: string[]) {
  const said = { out: '', err: '' };
  const io: Io = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    outSlowly: async (text) => {
      said.out += text;
    },
  };
  return { code: await runProgram(args, io), ...said };
}

afterEach(() => vi.unstubAllEnvs());

describe('the command line', () => {
  const commands = [
    ['migrate'],
    ['keys', 'create'],
    ['keys', 'rotate-master'],
    ['audit', 'verify'],
    ['audit', 'export'],
    ['systems'],
    ['systems', 'test'],
    ['sync'],
    ['replay'],
    ['reconcile'],
    ['mapping', 'preview'],
    ['sandbox'],
    ['vendors', 'score'],
  ];

  it.each(commands)('explains %s %s', async (...command) => {
    const { code, out, err } = await run(...command, '--help');
    expect(code).toBe(0);
    expect(err).toBe('');
    if (command.join(' ') !== 'systems') expect(out).toContain('--json');
  });

  it('lists its exit codes', async () => {
    expect((await run('--help')).out).toMatch(/0 done.*1 the answer is "no".*2 used wrongly.*78/);
  });

  it.each([
    [[]],
    [['keys']],
    [['nonsense']],
    [['migrate', '--nonsense']],
    [['keys', 'create', '--name', 'x']],
    [['keys', 'create', '--name', 'x', '--role', 'KING']],
    [['reconcile', 'p', '--from', '2026-10-01']],
    [['reconcile', 'p', '--from', '2026-13-01', '--to', '2026-10-31']],
    [['reconcile', 'p', '--from', '2026-11-01', '--to', '2026-10-31']],
    [['sync', 'p', '--from', 'yesterday']],
    [['replay']],
    [['replay', 'post_1', '--pipeline', 'p']],
    [['replay', '--status', 'LOST']],
    [['sandbox', 'oracle']],
    [['sandbox', '--brex-port', '99999']],
    [['sandbox', '--suppliers', 'x.csv']],
    [['sandbox', '--brex-settings', '[1]']],
    [['sandbox', '--purchases', '3']],
    [['sandbox', 'expensify', '--reports', '3']],
    [['sandbox', 'sage-x3', '--port', '4100']],
    [['sandbox', 'sage-x3', '--port', 'sage-x3=99999']],
    [['sandbox', 'sage-x3', '--settings', 'sage=1']],
    [['sandbox', 'sage-x3', '--settings', 'sage-x3=[1]']],
    [['sandbox', 'sage-x3', '--settings', 'sage-x3={"bogus":1}']],
    [['vendors', 'score', '--master', 'absent.csv', '--labels', 'absent.csv']],
  ])('is used wrongly with %j: exit code 2, the reason on standard error only', async (args) => {
    const { code, out, err } = await run(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).not.toBe('');
  });

  it('says which setting is missing: exit code 78', async () => {
    vi.stubEnv('DATABASE_URL', 'postgresql://u:p@127.0.0.1:1/x');
    vi.stubEnv('LEDGERGATE_MASTER_KEY', '');
    const { code, err } = await run('migrate');
    expect(code).toBe(78);
    expect(err).toContain('LEDGERGATE_MASTER_KEY');
  });
});

describe('tables and instants', () => {
  it('keeps columns in line and numbers to the right', () => {
    const lines = table(
      ['name', 'count'],
      [
        ['a', 5],
        ['long name', 1234],
      ],
    ).split('\n');
    expect(lines).toEqual(['name       count', '─────────  ─────', 'a              5', 'long name   1234', '']);
  });

  it('reads a day as its first instant in UTC, and no time without a zone', () => {
    expect(instantOf('--from', '2026-10-01')?.toISOString()).toBe('2026-10-01T00:00:00.000Z');
    expect(instantOf('--from', '2026-10-01T08:00:00+02:00')?.toISOString()).toBe('2026-10-01T06:00:00.000Z');
    expect(() => instantOf('--from', '2026-10-01T08:00:00')).toThrow('--from');
  });
});
