import { z } from 'zod';
import { InputError } from '../../errors.js';
import { parseInput } from '../kit/index.js';

const moment = z.iso.datetime({ offset: true });
const day = z.iso.date();
const currency = z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code');
const code = z.string().trim().min(1);
/** Hundredths of the currency, whatever the currency: that is how Expensify documents its amounts. */
const cents = z.int();

const tagSchema = z.strictObject({
  name: z.string().min(1),
  enabled: z.boolean().default(true),
  /** Absent and empty both mean that nobody has given one. */
  glCode: z.string().optional(),
});

const policySchema = z.strictObject({
  /** 16 hexadecimal digits at the vendor. */
  id: code,
  name: z.string(),
  /** An open list at the vendor: team, corporate, control, free … */
  type: z.string().default('corporate'),
  outputCurrency: currency,
  owner: z.string(),
  /** What the credentials' user is there. */
  role: z.enum(['user', 'auditor', 'admin']).default('admin'),
  categories: z.array(
    z.strictObject({
      name: z.string().min(1),
      enabled: z.boolean().default(true),
      glCode: z.string().optional(),
      payrollCode: z.string().default(''),
      areCommentsRequired: z.boolean().default(false),
      commentHint: z.string().default(''),
      maxExpenseAmount: cents.optional(),
    }),
  ),
  /** The two shapes of the vendor: one list, or several named levels. */
  tags: z.discriminatedUnion('shape', [
    z.strictObject({ shape: z.literal('flat'), tags: z.array(tagSchema) }),
    z.strictObject({
      shape: z.literal('levels'),
      levels: z.array(z.strictObject({ name: z.string().min(1), tags: z.array(tagSchema) })).min(1),
    }),
  ]),
  tax: z
    .strictObject({
      name: z.string(),
      /** The rate that new expenses get. */
      default: z.string(),
      /** Percent as decimal text. */
      rates: z.array(
        z.strictObject({ rateID: code, name: z.string(), rate: z.string(), code: z.string().default('') }),
      ),
    })
    .nullable()
    .default(null),
  reportFields: z
    .array(z.strictObject({ name: code, type: z.string().default('text'), values: z.array(z.string()).default([]) }))
    .default([]),
});

const employeeSchema = z.strictObject({
  email: z.string().min(3),
  firstName: z.string(),
  lastName: z.string(),
  accountID: z.int(),
  employeeID: z.string().default(''),
  role: z.string().default('user'),
  /** Email of the approver. */
  submitsTo: z.string().default(''),
  customField1: z.string().default(''),
  customField2: z.string().default(''),
  /** Policies that list the person; absent means all. */
  policyIDs: z.array(code).optional(),
});

export const expenseSchema = z.strictObject({
  /** 16 to 19 digits, beyond what a double holds. */
  transactionID: z.string().regex(/^\d{16,19}$/, 'must have 16 to 19 digits'),
  externalID: z.string().default(''),
  /** As entered, in the expense's own currency; a refund is negative. */
  amount: cents,
  currency,
  /** As corrected by a person, in the expense's own currency. */
  modifiedAmount: cents.nullable().default(null),
  /** In the report's currency; null where Expensify has not converted it. */
  convertedAmount: cents.nullable().default(null),
  /** Report currency for one of the expense's, decimal text. */
  conversionRate: z.string().default('1'),
  merchant: z.string(),
  modifiedMerchant: z.string().default(''),
  created: day,
  modifiedCreated: day.nullable().default(null),
  insertedAt: moment.optional(),
  /** A name of the policy's list, or empty. */
  category: z.string().default(''),
  /** Names by level; an empty one was left out by the employee. */
  tags: z.array(z.string()).default([]),
  comment: z.string().default(''),
  reimbursable: z.boolean().default(true),
  billable: z.boolean().default(false),
  tax: z
    .strictObject({ rateID: code, amount: cents, modifiedAmount: cents.nullable().default(null) })
    .nullable()
    .default(null),
  mcc: z.int().default(0),
  type: z.string().default('expense'),
  bank: z.string().default(''),
  cardID: z.string().default(''),
  cardNumber: z.string().default(''),
  receipt: z.strictObject({ receiptID: code, filename: z.string() }).nullable().default(null),
  attendees: z.array(z.string()).default([]),
  distance: z.strictObject({ count: z.string(), rate: z.string(), unit: z.string() }).nullable().default(null),
});

export const reportSchema = z.strictObject({
  /** `R00…` in base 62. */
  reportID: code,
  oldReportID: z.string().default(''),
  name: z.string(),
  policyID: code,
  /** Email of an employee. */
  submitter: z.string(),
  approver: z.string().default(''),
  /** Moments of its life; those that lie after the account's "now" have not happened yet. */
  createdAt: moment,
  submittedAt: moment.nullable().default(null),
  approvedAt: moment.nullable().default(null),
  reimbursedAt: moment.nullable().default(null),
  archivedAt: moment.nullable().default(null),
  /** Values of the policy's report fields by name. */
  fields: z.record(z.string(), z.string()).default({}),
  expenses: z.array(expenseSchema),
});

/** A correction of one expense. What is absent stays. */
export const editSchema = z.strictObject({
  /** In the expense's own currency; the converted amount follows by the rate. */
  amount: cents.optional(),
  merchant: z.string().optional(),
  date: day.optional(),
  category: z.string().optional(),
  tags: z.array(z.string()).optional(),
  comment: z.string().optional(),
  reimbursable: z.boolean().optional(),
  tax: z.strictObject({ rateID: code, amount: cents }).nullable().optional(),
});

const plannedSchema = z.discriminatedUnion('kind', [
  z.strictObject({ at: moment, kind: z.literal('UNAPPROVE'), reportID: code }),
  z.strictObject({ at: moment, kind: z.literal('APPROVE'), reportID: code }),
  z.strictObject({ at: moment, kind: z.literal('REIMBURSE'), reportID: code }),
  z.strictObject({ at: moment, kind: z.literal('EDIT'), transactionID: code, edit: editSchema }),
]);

export const expensifySeedSchema = z.strictObject({
  /** What the account takes for now; moved by a control. */
  now: moment,
  policies: z.array(policySchema).min(1),
  employees: z.array(employeeSchema).min(1),
  reports: z.array(reportSchema).default([]),
  /** What people will do when the clock gets there. */
  plannedChanges: z.array(plannedSchema).default([]),
});

/** What the account holds at the start, as written in code or in a JSON file. */
export type ExpensifySeed = z.input<typeof expensifySeedSchema>;
/** The same with every default filled in. */
export type ParsedExpensifySeed = z.output<typeof expensifySeedSchema>;
export type SeedReport = z.input<typeof reportSchema>;
export type SeedExpense = z.input<typeof expenseSchema>;
export type ParsedReport = z.output<typeof reportSchema>;
export type ParsedExpense = z.output<typeof expenseSchema>;
export type ExpenseEdit = z.output<typeof editSchema>;
export type Policy = ParsedExpensifySeed['policies'][number];
export type Employee = ParsedExpensifySeed['employees'][number];
export type PlannedChange = ParsedExpensifySeed['plannedChanges'][number];

/** @throws InputError naming the unusable field, or an id that is used twice or leads nowhere. */
export function parseExpensifySeed(value: unknown): ParsedExpensifySeed {
  const seed = parseInput(expensifySeedSchema, value);
  const policies = unique(
    seed.policies.map(({ id }) => id),
    'policies',
  );
  const employees = unique(
    seed.employees.map(({ email }) => email),
    'employees',
  );
  const reports = unique(
    seed.reports.map(({ reportID }) => reportID),
    'reports',
  );
  const expenses = seed.reports.flatMap((report) => report.expenses.map(({ transactionID }) => transactionID));
  const transactions = unique(expenses, 'reports.expenses');
  for (const report of seed.reports) checkReport(report, policies, employees);
  for (const change of seed.plannedChanges) {
    const isKnown = change.kind === 'EDIT' ? transactions.has(change.transactionID) : reports.has(change.reportID);
    if (!isKnown) throw new InputError(`plannedChanges: ${change.kind} names nothing that exists.`, ['plannedChanges']);
  }
  return seed;
}

/** @throws InputError the report's policy or submitter does not exist. */
export function checkReport(report: ParsedReport, policies: ReadonlySet<string>, employees: ReadonlySet<string>): void {
  const { policyID, reportID, submitter } = report;
  if (!policies.has(policyID)) throw new InputError(`${reportID}: there is no policy ${policyID}.`, ['policyID']);
  if (!employees.has(submitter)) throw new InputError(`${reportID}: there is no employee ${submitter}.`, ['submitter']);
}

function unique(ids: readonly string[], path: string): ReadonlySet<string> {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) throw new InputError(`${path}: ${id} stands there twice.`, [path]);
    seen.add(id);
  }
  return seen;
}
