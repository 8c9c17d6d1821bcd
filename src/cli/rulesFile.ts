import { readFile } from 'node:fs/promises';
import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { InputError } from '../errors.js';
import type { MappingRequest } from '../services/useCases.js';

type Rule = MappingRequest['rules'][number];

const text = z
  .string()
  .trim()
  .transform((value) => (value === '' ? null : value));
const optional = text.nullish().transform((value) => value ?? null);

const RULE = z.strictObject({
  category: optional,
  dimension: optional,
  dimensionValue: optional,
  merchant: optional,
  mcc: optional,
  glAccount: z.string().trim().min(1, 'a rule needs a GL account'),
  costCentre: optional,
  dimensions: z.record(z.string(), z.string()).nullish(),
  taxCode: optional,
});

/** A CSV column `dimensions.Project` is the ledger's dimension `Project`. */
const DIMENSION_COLUMN = /^dimensions\.(.+)$/;

/**
 * Mapping rules from a file: a JSON list in the form of the GraphQL input `MappingRuleInput`, or a CSV with the same
 * names as columns.
 * @throws InputError naming the file, the rule and the field.
 */
export async function readRules(path: string): Promise<Rule[]> {
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (cause) {
    throw new InputError(`The rules file ${path} cannot be read.`, ['file'], { cause });
  }
  const given = path.toLowerCase().endsWith('.csv') ? rowsOf(path, content) : listOf(path, content);
  return given.map((one, index) => {
    const parsed = RULE.safeParse(one);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : null;
    const field = unknown ?? (issue?.path.map(String).join('.') || 'rule');
    const why = unknown === null ? (issue?.message ?? 'unusable') : 'is not known here';
    throw new InputError(`Rule ${index + 1} of ${path}, ${field}: ${why}.`, ['file']);
  });
}

function listOf(path: string, content: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(content);
    if (Array.isArray(parsed)) return parsed;
  } catch (cause) {
    throw new InputError(`The rules file ${path} is not JSON.`, ['file'], { cause });
  }
  throw new InputError(`The rules file ${path} is not a list of rules.`, ['file']);
}

function rowsOf(path: string, content: string): unknown[] {
  try {
    const rows: Record<string, string>[] = parse(content, { columns: true, bom: true, skip_empty_lines: true });
    return rows.map(ruleOf);
  } catch (cause) {
    const why = cause instanceof CsvError ? cause.message : 'it is not CSV';
    throw new InputError(`The rules file ${path} cannot be read: ${why}.`, ['file'], { cause });
  }
}

function ruleOf(row: Record<string, string>): unknown {
  const entries = Object.entries(row);
  const dimensions = entries.flatMap(([column, value]) => {
    const name = DIMENSION_COLUMN.exec(column)?.[1];
    return name !== undefined && value.trim() !== '' ? [[name, value.trim()] as const] : [];
  });
  const others = entries.filter(([column]) => !DIMENSION_COLUMN.test(column));
  return { ...Object.fromEntries(others), dimensions: Object.fromEntries(dimensions) };
}
