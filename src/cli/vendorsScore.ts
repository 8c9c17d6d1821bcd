/**
 * `ledgergate vendors score`: measures the vendor matching on a labelled file, without a database.
 *
 * Reads a supplier master (`supplier_code`, `name`, `active`, optionally `city`) and labels (`merchant_name`,
 * `expected_supplier_code`, optionally `class`), decides about every merchant with no memory of earlier decisions, and
 * prints precision, coverage, recall and the rates of wrong silence. With `folds`, thresholds are chosen on the other
 * folds and judged on the one left out, so that no merchant judges itself.
 */
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { CsvError, parse } from 'csv-parse';
import { z } from 'zod';
import {
  DEFAULT_THRESHOLDS,
  type MatchDecision,
  matchVendors,
  type SupplierEntry,
  SupplierIndex,
  type VendorThresholds,
} from '../domain/vendor/index.js';
import { InputError, LedgergateError } from '../errors.js';
import { disturbText, seededRandom } from './disturb.js';
import { describeLeftOut, describeMeasures, type Judged, measure, tuneThresholds } from './vendorMeasures.js';

export interface VendorsScoreOptions {
  /** Path of the supplier master. */
  master: string;
  /** Path of the labels. */
  labels: string;
  /** Where to write one JSON line per merchant. */
  out?: string | undefined;
  /** Judge by cross-validation with this many folds; thresholds are tuned on the rest each time. */
  folds?: number | undefined;
  /** Share of characters to disturb, 0 to 1. */
  disturb?: number | undefined;
  /** Makes disturbance and folds repeatable. */
  seed?: number | undefined;
  /** Receives the report and error lines; standard output and error by default. */
  print?: ((line: string) => void) | undefined;
  printError?: ((line: string) => void) | undefined;
}

const optionsSchema = z.object({
  folds: z.coerce.number().int().min(2).max(100).optional(),
  disturb: z.coerce.number().min(0).max(1).optional(),
  seed: z.coerce.number().int().optional(),
});

export interface Label {
  readonly merchant: string;
  readonly expected: string | null;
  readonly difficulty: string;
}

interface Row {
  readonly line: number;
  readonly values: Readonly<Record<string, string>>;
}

async function readRows(file: string, required: readonly string[]): Promise<Row[]> {
  const rows: Row[] = [];
  let header: string[] | null = null;
  const parser = createReadStream(file)
    .on('error', (error) => parser.destroy(error))
    .pipe(parse({ bom: true, info: true, skip_empty_lines: true, relax_column_count: true }));
  try {
    for await (const item of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      const { record, info } = item;
      if (header === null) {
        header = record.map((name) => name.trim());
        const missing = required.filter((name) => !header?.includes(name));
        if (missing.length > 0) {
          throw new InputError(`${file}, line 1: the column ${missing.join(', ')} is missing.`, [
            file,
            '1',
            missing[0] ?? '',
          ]);
        }
        continue;
      }
      if (record.length !== header.length) {
        throw new InputError(
          `${file}, line ${info.lines}: ${record.length} columns where the header has ${header.length}.`,
          [file, String(info.lines)],
        );
      }
      const values: Record<string, string> = {};
      header.forEach((name, i) => {
        values[name] = record[i] ?? '';
      });
      rows.push({ line: info.lines, values });
    }
  } catch (error) {
    throw readable(file, error);
  }
  if (header === null) throw new InputError(`${file} is empty: a header line is needed.`, [file, '1']);
  return rows;
}

function readable(file: string, error: unknown): Error {
  if (error instanceof LedgergateError) return error;
  if (error instanceof CsvError) {
    const { lines = 'unknown', column } = error as { lines?: unknown; column?: unknown };
    const line = String(lines);
    const place = column === undefined ? '' : `, column ${String(column)}`;
    return new InputError(`${file}, line ${line}${place}: not readable as CSV (${error.code}).`, [file, line], {
      cause: error,
    });
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
  return new InputError(`${file} cannot be read (${code}).`, [file], { cause: error });
}

function fieldError(file: string, row: Row, column: string, problem: string): InputError {
  return new InputError(`${file}, line ${row.line}, column ${column}: ${problem}.`, [file, String(row.line), column]);
}

/** Reads a supplier master. @throws InputError naming file, line and column. */
export async function readMaster(file: string): Promise<SupplierEntry[]> {
  const seen = new Set<string>();
  return (await readRows(file, ['supplier_code', 'name', 'active'])).map((row) => {
    const { supplier_code: code = '', name = '', active = '', city } = row.values;
    if (code.trim() === '') throw fieldError(file, row, 'supplier_code', 'it is empty');
    if (seen.has(code)) throw fieldError(file, row, 'supplier_code', `${code} occurs twice`);
    seen.add(code);
    if (name.trim() === '') throw fieldError(file, row, 'name', 'it is empty');
    const flag = active.trim().toLowerCase();
    if (flag !== 'true' && flag !== 'false')
      throw fieldError(file, row, 'active', `“${active}” is neither true nor false`);
    return { code, name, active: flag === 'true', city: city ?? null };
  });
}

/** Reads labels. @throws InputError naming file, line and column, also for a supplier that the master does not have. */
export async function readLabels(file: string, index: SupplierIndex): Promise<Label[]> {
  return (await readRows(file, ['merchant_name', 'expected_supplier_code'])).map((row) => {
    const { merchant_name: merchant = '', expected_supplier_code: code = '', class: difficulty } = row.values;
    if (merchant === '') throw fieldError(file, row, 'merchant_name', 'it is empty');
    const expected = code.trim() === '' ? null : code.trim();
    if (expected !== null && index.find(expected) === null) {
      throw fieldError(file, row, 'expected_supplier_code', `${expected} is not in the supplier master`);
    }
    return { merchant, expected, difficulty: difficulty ?? 'all' };
  });
}

function judge(label: Label, decision: MatchDecision): Judged {
  return {
    expected: label.expected,
    difficulty: label.difficulty,
    decision: decision.decision,
    supplierCode: decision.supplierCode,
    score: decision.score,
    margin: decision.margin,
    candidates: decision.candidates.map(({ supplier }) => supplier.code),
  };
}

interface Scored {
  readonly decision: MatchDecision;
  readonly judged: Judged;
}

function scoreAll(
  labels: readonly Label[],
  texts: readonly string[],
  index: SupplierIndex,
  thresholds: VendorThresholds,
): Scored[] {
  return matchVendors(texts, index, undefined, thresholds).map((decision, i) => ({
    decision,
    judged: judge(labels[i] as Label, decision),
  }));
}

function crossValidate(
  labels: readonly Label[],
  texts: readonly string[],
  index: SupplierIndex,
  folds: number,
  seed: number,
  print: (line: string) => void,
): Scored[] {
  const random = seededRandom(seed);
  const order = labels.map((_, i) => i);
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  const foldOf = new Array<number>(labels.length).fill(0);
  order.forEach((label, place) => {
    foldOf[label] = place % folds;
  });
  const first = scoreAll(labels, texts, index, DEFAULT_THRESHOLDS);
  const results = new Array<Scored>(labels.length);
  for (let fold = 0; fold < folds; fold += 1) {
    const learned = tuneThresholds(first.filter((_, i) => foldOf[i] !== fold).map(({ judged }) => judged));
    print(
      `fold ${fold + 1}: automatic from score ${learned.autoScore} and margin ${learned.autoMargin}, review from ${learned.reviewScore}`,
    );
    const judged = scoreAll(labels, texts, index, learned);
    foldOf.forEach((own, i) => {
      if (own === fold) results[i] = judged[i] as Scored;
    });
  }
  return results;
}

/**
 * Judges every class with thresholds chosen on the other classes only, so that no class helped to choose what it is judged
 * by: how the matching does on a kind of descriptor that it has not met.
 */
function leaveClassOut(
  labels: readonly Label[],
  texts: readonly string[],
  index: SupplierIndex,
  print: (line: string) => void,
): void {
  const first = scoreAll(labels, texts, index, DEFAULT_THRESHOLDS).map(({ judged }) => judged);
  const classes = [...new Set(labels.map(({ difficulty }) => difficulty))].sort();
  const all: Judged[] = [];
  print('');
  print('each class judged by thresholds chosen on the other classes:');
  for (const name of classes) {
    const learned = tuneThresholds(first.filter(({ difficulty }) => difficulty !== name));
    const own = scoreAll(labels, texts, index, learned).flatMap(({ judged }) =>
      judged.difficulty === name ? [judged] : [],
    );
    all.push(...own);
    print(`  ${name.padEnd(18)}${describeLeftOut(own, learned)}`);
  }
  print(`  ${'all classes'.padEnd(18)}${describeLeftOut(all, null)}`);
}

/**
 * How much of the result stands on the list of known brands, which no fold leaves out: the automatic matches that compare
 * with a spelling from the list, and what would be left if each of them went to a person.
 */
function describeBrandShare(scored: readonly Scored[]): string {
  const automatic = scored.filter(({ decision }) => decision.decision === 'auto');
  const byBrand = automatic.filter(({ decision }) => decision.candidates[0]?.evidence.comparedAs === 'brand');
  const wanted = scored.filter(({ judged }) => judged.expected !== null).length;
  const left = automatic.length - byBrand.length;
  const share = wanted === 0 ? 0 : (left / wanted) * 100;
  return `${byBrand.length} of ${automatic.length} automatic matches stand on the list of known brands; without them coverage would be ${share.toFixed(1)} % at least`;
}

/** What was and what was not kept apart from the merchants that are judged. */
const TUNING_NOTE = [
  'What was tuned: with --folds only the three thresholds, and never on the merchants they judge. The rules, word lists and',
  'known brands are part of the program and the same in every fold. They were written with one labelled file of 500 UK card',
  'descriptors in view, so that on that file the figures are better than new descriptors will be.',
];

function jsonLine(label: Label, { decision }: Scored): string {
  return JSON.stringify({
    merchant_name: label.merchant,
    decision: decision.decision,
    supplier_code: decision.supplierCode,
    score: Math.round(decision.score * 10_000) / 10_000,
    candidates: decision.candidates.map(({ supplier }) => supplier.code),
  });
}

async function run(options: VendorsScoreOptions, print: (line: string) => void): Promise<void> {
  const parsed = optionsSchema.safeParse({ folds: options.folds, disturb: options.disturb, seed: options.seed });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new InputError(`Option --${String(issue?.path[0] ?? '')}: ${issue?.message ?? 'not usable'}.`, ['options']);
  }
  const { folds, disturb = 0, seed = 1 } = parsed.data;
  const index = SupplierIndex.build(await readMaster(options.master));
  const labels = await readLabels(options.labels, index);
  const random = seededRandom(seed);
  const texts = labels.map(({ merchant }) => (disturb === 0 ? merchant : disturbText(merchant, disturb, random)));
  print(
    `${labels.length} merchants against ${index.size} suppliers${disturb === 0 ? '' : `, ${disturb * 100} % of the characters disturbed (seed ${seed})`}`,
  );
  const scored =
    folds === undefined
      ? scoreAll(labels, texts, index, DEFAULT_THRESHOLDS)
      : crossValidate(labels, texts, index, folds, seed, print);
  for (const line of describeMeasures(measure(scored.map(({ judged }) => judged)))) print(line);
  if (folds !== undefined) leaveClassOut(labels, texts, index, print);
  print('');
  print(describeBrandShare(scored));
  for (const line of TUNING_NOTE) print(line);
  if (options.out !== undefined) {
    const lines = labels.map((label, i) => jsonLine(label, scored[i] as Scored));
    await writeFile(options.out, lines.length === 0 ? '' : `${lines.join('\n')}\n`, 'utf8').catch((error: unknown) => {
      throw new InputError(`${options.out} cannot be written.`, [options.out ?? ''], { cause: error });
    });
  }
}

/**
 * Runs the measurement and prints it.
 * @returns exit code: 0 when measured, 2 when a file or an option is unusable (the reason goes to the error output).
 */
export async function vendorsScore(options: VendorsScoreOptions): Promise<number> {
  const print = options.print ?? ((line: string) => process.stdout.write(`${line}\n`));
  const printError = options.printError ?? ((line: string) => process.stderr.write(`${line}\n`));
  try {
    await run(options, print);
    return 0;
  } catch (error) {
    if (!(error instanceof LedgergateError)) throw error;
    printError(error.userMessage);
    return 2;
  }
}
