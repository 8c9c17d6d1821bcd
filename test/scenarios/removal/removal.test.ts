// Controls are tested by taking them away: for each guard of the product one existing test is run without it, and must
// fail, by what it asserts. What would surprise: a guard that no test would miss, a test that fails for another reason
// (a module that does not load, a time limit), or a guard that has moved, so that the list proves nothing any more.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { GuardMoved, without } from './guard.js';
import { GUARDS } from './guards.js';
import type { ProjectOutcome } from './resultsReporter.js';

const root = resolve(import.meta.dirname, '../../..');
/** Under a minute on a machine that does nothing else. */
const WITHIN_MS = 600_000;
/** The run ends before its waiting does, so that it never outlives this test. */
const RUN_WITHIN_MS = 570_000;

let folder: string;
let outcomes: Map<string, ProjectOutcome>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ledgergate-removal-'));
  outcomes = await runWithoutGuards();
}, WITHIN_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One run of the runner with a project for each guard; its tests fail, so it ends with an exit code. */
async function runWithoutGuards(): Promise<Map<string, ProjectOutcome>> {
  const runner = join(root, 'node_modules/vitest/vitest.mjs');
  const config = join(import.meta.dirname, 'child.config.ts');
  const results = join(folder, 'results.json');
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    REMOVAL_RESULTS: results,
    // Never the project's own cache: what is kept here are modules without their guards.
    REMOVAL_MODULES: join(folder, 'modules'),
    REMOVAL_DATABASE_FOLDER: inject('databaseFolder'),
  };
  let said = '';
  try {
    await promisify(execFile)(process.execPath, [runner, 'run', '--config', config], {
      ...{ cwd: root, env },
      timeout: RUN_WITHIN_MS,
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    said = `${error.message} ${'stdout' in error ? String(error.stdout) : ''}`;
  }
  try {
    const all = JSON.parse(readFileSync(results, 'utf8')) as ProjectOutcome[];
    return new Map(all.map((outcome) => [outcome.project, outcome]));
  } catch (error) {
    throw new Error(`The run without guards left no results. ${said}`, { cause: error });
  }
}

describe('the list of guards', () => {
  it('names each once', () => {
    expect(new Set(GUARDS.map(({ name }) => name)).size).toBe(GUARDS.length);
  });

  it('is refused when the code of one is not there, or is there twice', () => {
    const guard = { name: 'x', file: 'x.ts', code: 'a', replacement: 'b', caughtBy: { file: '', title: '' } };
    expect(without(guard, 'xay')).toBe('xby');
    expect(() => without(guard, 'xy')).toThrow(GuardMoved);
    expect(() => without(guard, 'xaya')).toThrow(GuardMoved);
  });
});

describe('without its guard', () => {
  it.each(GUARDS)('a test fails: $name', (guard) => {
    expect(() => without(guard, readFileSync(join(root, guard.file), 'utf8'))).not.toThrow();
    const outcome = outcomes.get(guard.name);
    expect(outcome?.fileErrors).toEqual([]);
    const run = outcome?.tests.filter(({ title }) => title.includes(guard.caughtBy.title)) ?? [];
    expect(run, 'there is no such test').not.toEqual([]);
    const failed = run.filter(({ state }) => state === 'failed');
    expect(failed, 'no test misses it').not.toEqual([]);
    const byAssertion = failed.filter(({ errors }) => errors.some(({ name }) => name === 'AssertionError'));
    expect(byAssertion, `it failed for another reason: ${JSON.stringify(failed)}`).not.toEqual([]);
  });
});
