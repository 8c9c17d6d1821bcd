import { InputError } from '../../errors.js';
import type { ExpensifySeed, SeedExpense, SeedReport } from '../expensify/index.js';
import type { CompanySeed } from '../kit/index.js';
import type { SysproSeed } from '../syspro/seed.js';
import { addMonths, lastDay } from './calendar.js';
import { PEOPLE } from './catalogue.js';
import { Dice } from './dice.js';
import {
  APPROVERS,
  EUR_POLICY,
  emailOf,
  employees,
  monthCompany,
  monthSyspro,
  policies,
  USD_POLICY,
} from './expensifyCompany.js';
import {
  countedCents,
  dealExpenses,
  EXPENSE_SHARES,
  type ExpenseIngredient,
  ExpenseMaker,
  HOLD_REASONS,
  type HoldReason,
} from './expensifyExpenses.js';

export interface ExpensifyMonthOptions {
  seed: number;
  /** `YYYY-MM` */
  month: string;
  /** Default 120, at least 60. */
  reports?: number;
  /** The account's "now" at the start. Default: noon of the fifth day of the next month; what comes late is still hidden. */
  now?: string;
}

/** A number of expenses and their sum in their policy's currency, exact decimal text. */
export interface ExpenseSum {
  count: number;
  total: string;
}

/** What the month contains, so that a test or a print-out can check itself. Days are UTC days of approval. */
export interface ExpensifyExpectations {
  seed: number;
  month: string;
  reports: number;
  expenses: number;
  /** Reports by their state at the default "now". */
  byState: Record<'OPEN' | 'SUBMITTED' | 'APPROVED' | 'REIMBURSED' | 'ARCHIVED', number>;
  /** Ids by ingredient; all of them lie in American reports that are approved or reimbursed at the start. */
  ingredients: Record<ExpenseIngredient, string[]>;
  /** American expenses that a gateway should post at the start, refunds, company cards and converted ones included. */
  posts: ExpenseSum;
  /** The part of `posts` that was paid with the company's cards: nobody is paid back. */
  companyCards: ExpenseSum;
  /** American expenses that wait for a person; `unconverted` has no sum in dollars, so its total is 0.00. */
  held: Record<HoldReason, ExpenseSum & { transactionIDs: string[] }>;
  /** The German policy's expenses that are approved at the start. The company's ledger is kept in dollars. */
  otherCurrency: ExpenseSum & { currency: 'EUR'; reportIDs: string[] };
  /** `posts` by day. */
  postsByDay: Record<string, ExpenseSum>;
  /** Approved after the start: some on a day that has postings already, some on the next one. */
  late: { at: string; reportIDs: string[]; posts: ExpenseSum }[];
  /** One report is taken back, corrected and approved again after the start. */
  change: {
    reportID: string;
    transactionID: string;
    unapproveAt: string;
    editAt: string;
    approveAt: string;
    beforeMinor: number;
    afterMinor: number;
  };
}

export interface ExpensifyMonth {
  expensify: ExpensifySeed;
  company: CompanySeed;
  /** The same company for the simulated SYSPRO, whose accounts hold the cost centre. */
  syspro: SysproSeed;
  expectations: ExpensifyExpectations;
}

type Kind =
  | 'approved'
  | 'euro'
  | 'open'
  | 'submitted'
  | 'archived'
  | 'sameDay'
  | 'lateSameDay'
  | 'lateNextDay'
  | 'changed';

/** How many of each; the rest are approved within the month. */
const KINDS: Readonly<Record<Exclude<Kind, 'approved'>, number>> = {
  ...{ changed: 1, euro: 6, open: 4, submitted: 5, archived: 2 },
  ...{ sameDay: 2, lateSameDay: 3, lateNextDay: 3 },
};
const READY: readonly Kind[] = ['approved', 'sameDay', 'changed'];
const REPORTS_MIN = 60;
const DAY = 86_400_000;
const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** What the correction takes off. */
const CORRECTION = 500;

interface Made {
  kind: Kind;
  row: SeedReport;
  ingredients: (ExpenseIngredient | null)[];
}

/**
 * A month of expense reports of an imaginary manufacturer and the company whose ledger they belong in. The same options
 * give the same data.
 * @throws InputError an unusable month or too few reports.
 */
export function generateExpensifyMonth(options: ExpensifyMonthOptions): ExpensifyMonth {
  const { month, reports: count = 120, seed } = options;
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) throw new InputError('The month must be YYYY-MM.', ['month']);
  if (!Number.isInteger(count) || count < REPORTS_MIN) {
    throw new InputError(`A month needs at least ${REPORTS_MIN} reports to hold everything.`, ['reports']);
  }
  const moments = momentsOf(month);
  const now = options.now ?? moments.start;
  const made = new ReportMaker(new Dice(seed), month, moments).all(count);
  const change = planChange(made, moments);
  const { editAt, reportID, transactionID } = change;
  return {
    expensify: {
      ...{ now, policies: policies(), employees: employees(), reports: made.map(({ row }) => row) },
      plannedChanges: [
        { at: change.unapproveAt, kind: 'UNAPPROVE', reportID },
        {
          at: editAt,
          kind: 'EDIT',
          transactionID,
          edit: { amount: change.afterMinor, comment: 'Corrected by the approver' },
        },
        { at: change.approveAt, kind: 'APPROVE', reportID },
      ],
    },
    ...{ company: monthCompany(month), syspro: monthSyspro(month) },
    expectations: { seed, month, ...expected(made, moments), change },
  };
}

type Moments = ReturnType<typeof momentsOf>;

function momentsOf(month: string) {
  const next = addMonths(month, 1);
  return {
    sameDay: `${next}-05T09:00:00Z`,
    start: `${next}-05T12:00:00Z`,
    lateSameDay: `${next}-05T18:00:00Z`,
    unapprove: `${next}-06T09:00:00Z`,
    edit: `${next}-06T09:30:00Z`,
    lateNextDay: `${next}-06T10:00:00Z`,
    approveAgain: `${next}-07T10:00:00Z`,
  };
}

class ReportMaker {
  private readonly expenses: ExpenseMaker;

  constructor(
    private readonly dice: Dice,
    private readonly month: string,
    private readonly moments: Moments,
  ) {
    this.expenses = new ExpenseMaker(dice);
  }

  all(count: number): Made[] {
    const entries = Object.entries(KINDS) as [keyof typeof KINDS, number][];
    const special = entries.flatMap(([kind, times]) => Array.from({ length: times }, () => kind));
    const kinds = this.dice.shuffle([
      ...special,
      ...Array.from({ length: count - special.length }, () => 'approved' as const),
    ]);
    const sizes = kinds.map(() => this.dice.int(3, 12));
    const ready = kinds.reduce((sum, kind, index) => sum + (READY.includes(kind) ? (sizes[index] ?? 0) : 0), 0);
    // The report that is corrected later begins with a plain expense, so that there is something to correct.
    const dealt = dealExpenses(this.dice, ready - 1);
    return kinds.map((kind, index) => {
      const size = sizes[index] ?? 0;
      const ingredients = !READY.includes(kind)
        ? Array.from({ length: size }, () => null)
        : kind === 'changed'
          ? [null, ...dealt.splice(0, size - 1)]
          : dealt.splice(0, size);
      return this.one(index + 1, kind, ingredients);
    });
  }

  private one(number: number, kind: Kind, ingredients: (ExpenseIngredient | null)[]): Made {
    const { dice } = this;
    const person = dice.int(APPROVERS, PEOPLE.length - 1);
    const times = this.times(kind);
    const currency = kind === 'euro' ? 'EUR' : 'USD';
    const row: SeedReport = {
      ...{ reportID: this.reportID(number), oldReportID: String(5_100_000 + number * 13) },
      ...{ name: `${PEOPLE[person]?.[1] ?? ''} ${this.month} no. ${number}` },
      ...{ policyID: currency === 'EUR' ? EUR_POLICY : USD_POLICY, ...times },
      ...{ submitter: emailOf(PEOPLE[person] ?? ['', '']), approver: emailOf(PEOPLE[person % APPROVERS] ?? ['', '']) },
      fields: dice.chance(0.5) ? { 'Trip purpose': 'Customer visit' } : {},
      expenses: ingredients.map((ingredient) =>
        this.expenses.make(currency, this.spentOn(times.createdAt), ingredient),
      ),
    };
    return { kind, row, ingredients };
  }

  /** Created, then submitted, then approved, all within the month unless the kind says otherwise. */
  private times(kind: Kind) {
    const { dice, moments } = this;
    const last = Number(lastDay(this.month).slice(8));
    const created = dice.int(3, last - 7);
    const submitted = created + dice.int(0, 3);
    const approved = this.at(submitted + dice.int(0, 3), 18);
    const times = { createdAt: this.at(created, 8), submittedAt: this.at(submitted, 13), approvedAt: approved };
    const none = { reimbursedAt: null, archivedAt: null };
    switch (kind) {
      case 'open':
        return { ...times, submittedAt: null, approvedAt: null, ...none };
      case 'submitted':
        return { ...times, approvedAt: null, ...none };
      case 'archived':
        return { ...times, approvedAt: null, reimbursedAt: null, archivedAt: approved };
      case 'sameDay':
      case 'lateSameDay':
      case 'lateNextDay':
        return { ...times, approvedAt: moments[kind], ...none };
      case 'changed':
        return { ...times, ...none };
      default: {
        const paid = new Date(Date.parse(approved) + dice.int(2, 6) * DAY).toISOString();
        return { ...times, reimbursedAt: dice.chance(0.5) ? paid : null, archivedAt: null };
      }
    }
  }

  private at(day: number, hour: number): string {
    return new Date(
      Date.parse(`${this.month}-01T00:00:00Z`) + (day - 1) * DAY + hour * 3_600_000 + this.dice.int(0, 3_599_000),
    )
      .toISOString()
      .replace(/\.\d{3}Z$/, 'Z');
  }

  private spentOn(createdAt: string): string {
    const day = this.dice.int(1, Number(createdAt.slice(8, 10)));
    return `${this.month}-${String(day).padStart(2, '0')}`;
  }

  private reportID(number: number): string {
    const random = Array.from({ length: 7 }, () => LETTERS[this.dice.int(0, LETTERS.length - 1)]).join('');
    return `R00${random}${number.toString(36).padStart(3, '0')}`;
  }
}

function planChange(made: readonly Made[], moments: Moments): ExpensifyExpectations['change'] {
  const changed = made.find(({ kind }) => kind === 'changed');
  const expense = changed?.row.expenses[0];
  if (!changed || !expense) throw new Error('The month has no report to correct.');
  expense.amount += CORRECTION;
  return {
    ...{ reportID: changed.row.reportID, transactionID: expense.transactionID },
    ...{ unapproveAt: moments.unapprove, editAt: moments.edit, approveAt: moments.approveAgain },
    ...{ beforeMinor: expense.amount, afterMinor: expense.amount - CORRECTION },
  };
}

interface Line {
  expense: SeedExpense;
  ingredient: ExpenseIngredient | null;
  day: string;
}

function expected(made: readonly Made[], moments: Moments) {
  const lines = made.filter(({ kind }) => READY.includes(kind)).flatMap(linesOf);
  const posted = lines.filter(({ ingredient }) => holdReason(ingredient) === null);
  const euros = made.filter(({ kind }) => kind === 'euro');
  const days = [...new Set(posted.map(({ day }) => day))].sort();
  const ids = (ingredient: ExpenseIngredient) =>
    lines.filter((line) => line.ingredient === ingredient).map(({ expense }) => expense.transactionID);
  return {
    ...{ reports: made.length, expenses: made.reduce((sum, { row }) => sum + row.expenses.length, 0) },
    byState: countStates(made, moments.start),
    ingredients: Object.fromEntries(
      Object.keys(EXPENSE_SHARES).map((name) => [name, ids(name as ExpenseIngredient)]),
    ) as Record<ExpenseIngredient, string[]>,
    posts: sumOf(posted, 'USD'),
    companyCards: sumOf(
      posted.filter(({ ingredient }) => ingredient === 'companyCard'),
      'USD',
    ),
    held: Object.fromEntries(
      HOLD_REASONS.map((reason) => [
        reason,
        {
          ...sumOf(
            lines.filter(({ ingredient }) => ingredient === reason),
            'USD',
          ),
          transactionIDs: ids(reason),
        },
      ]),
    ) as ExpensifyExpectations['held'],
    otherCurrency: {
      ...{ ...sumOf(euros.flatMap(linesOf), 'EUR'), currency: 'EUR' as const },
      reportIDs: euros.map(({ row }) => row.reportID),
    },
    postsByDay: Object.fromEntries(
      days.map((day) => [
        day,
        sumOf(
          posted.filter((line) => line.day === day),
          'USD',
        ),
      ]),
    ),
    late: (['lateSameDay', 'lateNextDay'] as const).map((kind) => {
      const late = made.filter((one) => one.kind === kind);
      return {
        at: moments[kind],
        reportIDs: late.map(({ row }) => row.reportID),
        posts: sumOf(late.flatMap(linesOf), 'USD'),
      };
    }),
  };
}

function linesOf({ ingredients, row }: Made): Line[] {
  const day = (row.approvedAt ?? '').slice(0, 10);
  return row.expenses.map((expense, index) => ({ expense, ingredient: ingredients[index] ?? null, day }));
}

function holdReason(ingredient: ExpenseIngredient | null): HoldReason | null {
  return HOLD_REASONS.find((reason) => reason === ingredient) ?? null;
}

function sumOf(lines: readonly Line[], currency: string): ExpenseSum {
  const cents = lines.reduce((sum, { expense }) => sum + (countedCents(expense, currency) ?? 0), 0);
  return { count: lines.length, total: `${cents < 0 ? '-' : ''}${(Math.abs(cents) / 100).toFixed(2)}` };
}

function countStates(made: readonly Made[], now: string): ExpensifyExpectations['byState'] {
  const states = { OPEN: 0, SUBMITTED: 0, APPROVED: 0, REIMBURSED: 0, ARCHIVED: 0 };
  const isPast = (at: string | null | undefined) => at != null && Date.parse(at) <= Date.parse(now);
  for (const { row } of made) {
    if (isPast(row.reimbursedAt)) states.REIMBURSED += 1;
    else if (isPast(row.archivedAt)) states.ARCHIVED += 1;
    else if (isPast(row.approvedAt)) states.APPROVED += 1;
    else if (isPast(row.submittedAt)) states.SUBMITTED += 1;
    else states.OPEN += 1;
  }
  return states;
}
