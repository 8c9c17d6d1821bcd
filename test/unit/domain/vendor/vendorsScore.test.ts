/** A surprising failure here means that the measurement, and so every figure about the matching, cannot be trusted. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { disturbText, seededRandom } from '../../../../src/cli/disturb.js';
import { type Judged, measure, tuneThresholds, wilsonInterval } from '../../../../src/cli/vendorMeasures.js';
import { vendorsScore } from '../../../../src/cli/vendorsScore.js';

const fixtures = join(import.meta.dirname, '../../../fixtures/vendor');
const master = join(fixtures, 'master.csv');
const labels = join(fixtures, 'labels.csv');
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vendors-score-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function run(options: Partial<Parameters<typeof vendorsScore>[0]>) {
  const lines: string[] = [];
  const errors: string[] = [];
  const code = await vendorsScore({
    master,
    labels,
    print: (line) => lines.push(line),
    printError: (line) => errors.push(line),
    ...options,
  });
  return { code, lines, errors };
}

describe('vendors score', () => {
  it('prints every measure overall and per class and writes one JSON line per merchant', async () => {
    const out = join(folder, 'out.jsonl');
    const { code, lines } = await run({ out });
    expect(code).toBe(0);
    const report = lines.join('\n');
    for (const measureName of [
      'precision',
      'coverage',
      'recall@1',
      'recall@5',
      'none-accuracy',
      'false-create',
      'Wilson',
    ])
      expect(report).toContain(measureName);
    for (const difficulty of ['aggregator', 'store_number', 'url', 'number']) expect(report).toContain(difficulty);
    const written = (await readFile(out, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(written).toHaveLength(8);
    expect(written[0]).toMatchObject({ merchant_name: 'tesco stores 0042', decision: 'auto', supplier_code: 'V001' });
    expect(Object.keys(written[0] ?? {})).toEqual([
      'merchant_name',
      'decision',
      'supplier_code',
      'score',
      'candidates',
    ]);
    expect(report).toContain('100.0 % (5/5)');
  });

  it('judges every merchant once with folds, the same way for the same seed', async () => {
    const first = await run({ folds: 4, seed: 9 });
    expect(first.code).toBe(0);
    expect(first.lines.filter((line) => line.startsWith('fold '))).toHaveLength(4);
    expect((await run({ folds: 4, seed: 9 })).lines).toEqual(first.lines);
  });

  it('judges every class by thresholds chosen without it, and says what was tuned', async () => {
    const { lines } = await run({ folds: 4, seed: 9 });
    const from = lines.findIndex((line) => line.startsWith('each class judged'));
    expect(from).toBeGreaterThan(0);
    for (const difficulty of ['aggregator', 'store_number', 'url', 'number', 'all classes'])
      expect(lines.slice(from).join('\n')).toMatch(new RegExp(`  ${difficulty} +precision .*coverage .*false-create`));
    expect(lines.join('\n')).toContain('What was tuned');
    expect(lines.join('\n')).toMatch(/\d+ of \d+ automatic matches stand on the list of known brands/);
    expect((await run({})).lines.join('\n')).not.toContain('each class judged');
  });

  it('disturbs the descriptors the same way for the same seed', async () => {
    const { code, lines } = await run({ disturb: 0.1, seed: 5 });
    expect(code).toBe(0);
    expect((await run({ disturb: 0.1, seed: 5 })).lines).toEqual(lines);
  });

  it.each([
    ['supplier_code,name,active\nA1,Zarnwick,maybe\n', 'line 2, column active'],
    ['supplier_code,name,active\nA1,Zarnwick,true\nA1,Oxlip,true\n', 'line 3, column supplier_code'],
    ['supplier_code,name,active\nA1,,true\n', 'line 2, column name'],
    ['supplier_code,name\nA1,Zarnwick\n', 'line 1: the column active is missing'],
    ['supplier_code,name,active\nA1,"Zarnwick,true\n', 'line'],
    ['supplier_code,name,active\nA1,Zarnwick\n', 'line 2: 2 columns'],
    ['', 'is empty'],
  ])('names file and place of a broken master (case %#)', async (text, place) => {
    const file = join(folder, 'broken.csv');
    await writeFile(file, text);
    const { code, errors } = await run({ master: file });
    expect(code).toBe(2);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(file);
    expect(errors[0]).toContain(place);
  });

  it('refuses labels that expect a supplier the master does not have, a missing file and a bad option', async () => {
    const file = join(folder, 'labels.csv');
    await writeFile(file, 'merchant_name,expected_supplier_code,class\noxlip,V999,plain\n');
    expect(await run({ labels: file })).toMatchObject({
      code: 2,
      errors: [expect.stringContaining('line 2, column expected_supplier_code')],
    });
    expect(await run({ labels: join(folder, 'absent.csv') })).toMatchObject({
      code: 2,
      errors: [expect.stringContaining('absent.csv')],
    });
    expect(await run({ folds: 1 })).toMatchObject({ code: 2, errors: [expect.stringContaining('folds')] });
  });
});

describe('the measures', () => {
  const judged = (
    expected: string | null,
    decision: Judged['decision'],
    candidates: string[],
    score = 0.9,
  ): Judged => ({
    expected,
    difficulty: 'plain',
    decision,
    supplierCode: decision === 'none' ? null : (candidates[0] ?? null),
    score,
    margin: 0.5,
    candidates,
  });

  it('count an automatic match for a merchant that expects nothing as wrong', () => {
    const { overall } = measure([
      judged('A', 'auto', ['A']),
      judged(null, 'auto', ['A']),
      judged('B', 'none', []),
      judged('C', 'review', ['X', 'C']),
    ]);
    expect(overall.precision).toEqual({ hits: 1, of: 2 });
    expect(overall.coverage).toEqual({ hits: 1, of: 3 });
    expect(overall.recallAt1).toEqual({ hits: 1, of: 3 });
    expect(overall.recallAt5).toEqual({ hits: 2, of: 3 });
    expect(overall.falseCreate).toEqual({ hits: 1, of: 3 });
    expect(overall.noneAccuracy).toEqual({ hits: 0, of: 1 });
  });

  it('state the Wilson interval of the textbook', () => {
    expect(wilsonInterval({ hits: 10, of: 10 })?.low).toBeCloseTo(0.7225, 4);
    expect(wilsonInterval({ hits: 0, of: 0 })).toBeNull();
  });

  it('tune to the lowest thresholds without a wrong automatic match', () => {
    const learned = tuneThresholds([
      judged('A', 'auto', ['A'], 0.93),
      judged(null, 'auto', ['B'], 0.87),
      judged('C', 'auto', ['C'], 0.89),
    ]);
    expect(learned.autoScore).toBeGreaterThan(0.87);
    expect(learned.autoScore).toBeLessThanOrEqual(0.89);
  });

  it('disturb about the share asked for', () => {
    const text = 'abcdefghij'.repeat(100);
    const disturbed = disturbText(text, 0.1, seededRandom(3));
    expect(disturbed).not.toBe(text);
    expect(Math.abs(disturbed.length - text.length)).toBeLessThan(60);
    expect(disturbText(text, 0, seededRandom(3))).toBe(text);
  });
});
