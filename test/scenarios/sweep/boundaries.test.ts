// What the crash sweep kills at is found in the program itself. What would surprise: an `await` that is added to a file and
// has no boundary, so that no process ever dies there and the sweep's table says more than it knows.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { instrument } from './boundaries.js';
import { distinctOf, type Passing, parseSlice, placesOf, sliceOf } from './plan.js';

const RUNTIME = pathToFileURL(join(import.meta.dirname, 'runtime.mjs')).href;
const STEPS = [
  'const told = [];',
  'const later = (value) => new Promise((resolve) => setImmediate(resolve, value));',
  'async function* pages() { yield await later(1); yield await later(2); }',
  'const sum = (await later(3)) + -(await later(await later(4)));',
  'for await (const page of pages()) told.push(page);',
  'for await (const one of [later(5), 6]) told.push(one);',
  "try { await Promise.reject(new Error('no')); } catch (error) { told.push(error.message); }",
  'const { length } = await later([await later("b")]);',
];
const ANSWER = 'process.stdout.write(JSON.stringify({ sum, told, length }));';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ledgergate-boundaries-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(code: string, runtime: string): { signal: string | null; answer: string } {
  const file = join(folder, 'program.mjs');
  writeFileSync(file, code);
  try {
    return { signal: null, answer: execFileSync(process.execPath, ['--import', runtime, file], { encoding: 'utf8' }) };
  } catch (error) {
    const { signal, stdout } = error as { signal: string | null; stdout: string };
    return { signal, answer: stdout };
  }
}

describe('the finder', () => {
  it('finds a boundary that is added to a file, and names its place', () => {
    const before = instrument({ path: 'a.js', code: STEPS.join('\n'), map: null }, 0).boundaries;
    const more = [...STEPS.slice(0, 2), 'await later(0);', ...STEPS.slice(2)].join('\n');
    const after = instrument({ path: 'a.js', code: more, map: null }, 0).boundaries;
    expect(after.length).toBe(before.length + 1);
    expect(after.map(({ place }) => place)).toContain('a.js:3:1');
  });

  it('finds every await and for await, and numbers them on from the file before', () => {
    const { boundaries } = instrument({ path: 'a.js', code: STEPS.join('\n'), map: null }, 40);
    expect(boundaries.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, index) => 40 + index));
  });

  it('is not misled by the word in a text, a comment or a name', () => {
    const code = "const awaited = 'await x'; // await y\nconst o = { await: 1 }.await; /await z/.test(`await`);";
    expect(instrument({ path: 'a.js', code: `${code} export { awaited, o };`, map: null }, 0).boundaries).toEqual([]);
  });
});

describe('an instrumented program', () => {
  const code = [...STEPS, ANSWER].join('\n');

  it('does what it did before', () => {
    const plain = run(code, 'data:text/javascript,');
    expect(JSON.parse(plain.answer)).toEqual({ sum: -1, told: [1, 2, 5, 6, 'no'], length: 1 });
    expect(run(instrument({ path: 'a.js', code, map: null }, 0).code, RUNTIME)).toEqual(plain);
  });

  it('dies at each of its boundaries when it is told to, before and after it waits', () => {
    const made = instrument({ path: 'a.js', code, map: null }, 0);
    for (const { id, place } of made.boundaries) {
      for (const side of ['before', 'after']) {
        // Nothing comes after a rejection but its handler.
        const isPassed = side === 'before' || !place.startsWith('a.js:7:');
        const { signal, answer } = run(made.code, `${RUNTIME}?boundary=${id}&side=${side}`);
        expect({ place, side, signal }).toEqual({ place, side, signal: isPassed ? 'SIGKILL' : null });
        expect(answer === '').toBe(isPassed);
      }
    }
  });
});

describe('the plan', () => {
  const passing = (boundary: number, side: Passing['side'], exchanges: number) => ({ boundary, side, exchanges });
  // 1 calls 2, which asks the database; 3 asks it too, and is the last; 4 waits for nothing that is outside.
  const passings = [
    ...[passing(1, 'before', 0), passing(2, 'before', 0), passing(2, 'after', 2), passing(1, 'after', 2)],
    ...[passing(4, 'before', 2), passing(4, 'after', 2), passing(3, 'before', 2), passing(3, 'after', 4)],
  ];

  it('dies before every boundary, and after one where nothing else shows what was exchanged', () => {
    const places = placesOf(passings).map(({ boundary, side }) => `${side} ${boundary}`);
    expect(places).toEqual(['before 1', 'before 2', 'before 4', 'before 3', 'after 3']);
  });

  it('has one death for each moment that the world outside can tell apart, where that is asked for', () => {
    const places = distinctOf(placesOf(passings), passings).map(({ boundary, side }) => `${side} ${boundary}`);
    expect(places).toEqual(['before 1', 'before 4', 'after 3']);
  });

  it('is the whole of its slices', () => {
    const all = Array.from({ length: 11 }, (_, index) => index);
    const slices = [1, 2, 3].map((index) => sliceOf(all, { index, of: 3 }));
    expect(slices.flat().sort((a, b) => a - b)).toEqual(all);
    expect(parseSlice('2/3')).toEqual({ index: 2, of: 3 });
    for (const wrong of ['0/3', '4/3', '3', 'a/b']) expect(() => parseSlice(wrong)).toThrow('--slice is I/N');
  });
});
