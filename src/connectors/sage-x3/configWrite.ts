import { z } from 'zod';

/** Settings of the ways to write a journal by SOAP. Layouts, publications and group ids are the customer's data. */

const code = z.string().trim().min(1).max(40);
const name = z.string().regex(/^[A-Za-z0-9_]{1,40}$/, 'must be a name of letters, digits and _');

/** Columns that an import record may hold; a text that begins with = stands for itself, an empty one for an empty column. */
const column = (names: readonly string[]) =>
  z.string().refine((text) => text === '' || text.startsWith('=') || names.includes(text), {
    message: `must be one of ${names.join(', ')}, a text after =, or empty`,
  });

export const HEADER_COLUMNS = [
  'TYP',
  'NUM',
  'CPY',
  'FCY',
  'JOU',
  'ACCDAT',
  'CUR',
  'DACDIA',
  'STA',
  'CAT',
  'DESVCR',
  'REFINT',
  'BPRVCR',
] as const;
export const LINE_COLUMNS = [
  'LIN',
  'LEDTYP',
  'FCYLIN',
  'ACC',
  'BPR',
  'SNS',
  'AMTCUR',
  'DES',
  'REFINTLIN',
  'TAX',
] as const;
const SLOTS = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
export const ANALYTICAL_COLUMNS = [
  'ANALIN',
  'AMTCUR',
  'SNS',
  'DIE',
  'CCE',
  ...SLOTS.flatMap((slot) => [`DIE${slot}`, `CCE${slot}`]),
] as const;

const separator = z
  .string()
  .regex(/^[^A-Za-z0-9\s.,-]$|^[,\t]$/, 'must be one character that is no letter, digit, dot, dash or blank');

export const importSettings = z
  .strictObject({
    program: code.default('AOWSIMPORT').describe('Publication of the standard import sub-program.'),
    group: code.default('GRP1'),
    fieldSeparator: separator.default(';'),
    recordSeparator: separator.default('|'),
    endRecord: z.string().max(20).default('END').describe('Last record; empty = none.'),
    dateFormat: z.enum(['YYYYMMDD', 'DDMMYYYY', 'MMDDYYYY', 'DDMMYY', 'MMDDYY']).default('YYYYMMDD'),
    decimalSign: z.enum(['.', ',']).default('.'),
    header: z
      .array(column(HEADER_COLUMNS))
      .min(3)
      .default(['=G', 'TYP', 'NUM', 'FCY', 'JOU', 'ACCDAT', 'CUR', 'DESVCR', 'REFINT', 'BPRVCR'])
      .describe('Columns of the record of a journal, in the order of the template.'),
    line: z
      .array(column(LINE_COLUMNS))
      .min(3)
      .default(['=D', 'LIN', 'ACC', 'BPR', 'SNS', 'AMTCUR', 'DES', 'REFINTLIN'])
      .describe('Columns of the record of a line.'),
    analytical: z
      .array(column(ANALYTICAL_COLUMNS))
      .default(['=A', 'ANALIN', 'DIE', 'CCE', 'AMTCUR'])
      .describe(
        'Columns of the analytical record behind a line. With DIE and CCE there is a record for each dimension, all with one ANALIN; with DIE1, CCE1, DIE2 … one record holds all of them. Without an amount X3 reports error 25 or 97.',
      ),
  })
  .superRefine((settings, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (settings.fieldSeparator === settings.recordSeparator)
      issue('recordSeparator', 'must not be the field separator');
    if (settings.decimalSign === settings.fieldSeparator) issue('decimalSign', 'must not be the field separator');
    if (!settings.header.includes('REFINT')) issue('header', 'must hold REFINT: journals are found again by it');
    for (const needed of ['ACC', 'SNS', 'AMTCUR']) {
      if (!settings.line.includes(needed)) issue('line', `must hold ${needed}`);
    }
    if (settings.analytical.includes('DIE') && settings.analytical.some((name) => /^(DIE|CCE)\d/.test(name))) {
      issue('analytical', 'must not mix DIE and CCE with DIE1, CCE1 …');
    }
    if (!settings.analytical.includes('AMTCUR'))
      issue('analytical', 'must hold AMTCUR: rows without an amount are unbalanced');
  });
export type ImportSettings = z.infer<typeof importSettings>;

const fieldNames = z
  .record(name, name)
  .default({})
  .describe('Other names for our fields, e.g. {"REFINT":"YREFINT"}. An empty list sends them under their own names.');

export const objectSettings = z.strictObject({
  publication: code.default('GAS').describe('Publication of the object GAS with its write operations.'),
  discover: z
    .boolean()
    .default(true)
    .describe('Ask getDescription which group each field is in; the group ids below fill the gaps.'),
  headerGroup: code.default('HAE0_1'),
  lineGroup: code.default('HAE2_1'),
  analyticalGroup: code.optional().default('VT2_1'),
  prefix: z.string().max(10).default('').describe('Put before the names of all fields.'),
  fieldNames,
  omit: z.array(name).default([]).describe('Fields that the publication does not take.'),
});
export type ObjectSettings = z.infer<typeof objectSettings>;

export const subprogramSettings = z.strictObject({
  publication: code
    .default('YBREXJNL')
    .describe('The customer’s own sub-program, which checks REFINT inside its transaction.'),
  discover: z.boolean().default(true),
  headerGroup: code.default('GRP1'),
  lineGroup: code.default('GRP2'),
  analyticalGroup: code
    .optional()
    .describe('Not set: the dimensions of a line stand in its own row, as DIE1, CCE1, DIE2 …'),
  prefix: z.string().max(10).default('I_').describe('Put before the names of all fields.'),
  fieldNames,
  omit: z.array(name).default([]),
  typeField: name.default('O_TYP').describe('Output: the entry type.'),
  numberField: name.default('O_NUM').describe('Output: the entry number.'),
  statusField: name
    .or(z.literal(''))
    .default('O_STATUS')
    .describe('Output: the program’s own status. Empty: SOAP’s status decides alone.'),
  okStatuses: z.array(z.string()).min(1).default(['0']).describe('Values of statusField that mean success.'),
  messageField: name.or(z.literal('')).default('O_MESSAGE').describe('Output: the program’s own message. Empty: none.'),
});
export type SubprogramSettings = z.infer<typeof subprogramSettings>;
