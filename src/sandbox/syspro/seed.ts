import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { InputError } from '../../errors.js';
import { parseInput } from '../kit/index.js';
import { isDate } from './amounts.js';

const date = z.string().refine(isDate, 'must be a date yyyy-mm-dd');
const code = z.string().trim().min(1);

export const sysproSeedSchema = z.strictObject({
  companyId: code,
  /** May be blank; a logon must send the parameter all the same. */
  companyPassword: z.string().default(''),
  companyName: z.string().default('Sandbox company'),
  operators: z
    .array(
      z.strictObject({
        name: code,
        password: z.string(),
        mayPost: z.boolean().default(true),
        mayAuthorise: z.boolean().default(true),
      }),
    )
    .min(1),
  /** As SYSPRO shows it, which may be a symbol such as `$`. */
  localCurrency: code,
  companyDate: date,
  accounts: z.array(
    z.strictObject({
      code: code.max(35),
      description: z.string(),
      /** Asset, liability, capital, revenue, expense, statistical, template. */
      type: z.enum(['A', 'L', 'C', 'R', 'E', 'S', 'T']),
      onHold: z.boolean().default(false),
      control: z.boolean().default(false),
      password: z.string().default(''),
    }),
  ),
  suppliers: z
    .array(
      z.strictObject({
        code: code.max(15),
        name: z.string(),
        onHold: z.boolean().default(false),
        currency: z.string().optional(),
        branch: z.string().optional(),
      }),
    )
    .default([]),
  /** How many digits of a numeric supplier key are shown; 15 are stored. */
  supplierKeyLength: z.int().min(1).max(15).default(7),
  branches: z.array(code).default([]),
  termsCodes: z.array(code).default([]),
  banks: z.array(code).default([]),
  currencies: z.array(code).default([]),
  periods: z
    .array(
      z.strictObject({
        year: z.int().min(1900).max(9999),
        period: z.int().min(1).max(15),
        startsOn: date,
        endsOn: date,
        open: z.boolean(),
      }),
    )
    .min(1),
  currentYear: z.int().min(1900).max(9999),
  currentPeriod: z.int().min(1).max(15),
  /** Where payables are credited; default the first liability that is a control account. */
  apControlAccount: code.optional(),
  /** Where input tax is debited; without one, invoices with tax are refused. */
  taxAccount: code.optional(),
});

/** What the company holds at the start, as written in code or in a JSON file. */
export type SysproSeed = z.input<typeof sysproSeedSchema>;
/** The same with every default filled in. */
export type ParsedSysproSeed = z.output<typeof sysproSeedSchema>;

/** @throws InputError naming the unusable field. */
export function parseSysproSeed(value: unknown): ParsedSysproSeed {
  const seed = parseInput(sysproSeedSchema, value);
  const current = seed.periods.some(
    (period) => period.year === seed.currentYear && period.period === seed.currentPeriod,
  );
  if (!current) throw new InputError('currentPeriod: the periods do not hold it.', ['currentPeriod']);
  return seed;
}

/** @throws InputError when the file is no JSON or a field is unusable. */
export async function loadSysproSeed(file: string): Promise<ParsedSysproSeed> {
  const content = await readFile(file, 'utf8');
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new InputError('The seed file is not JSON.');
  }
  return parseSysproSeed(value);
}
