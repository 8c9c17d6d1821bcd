import { InputError } from '../../errors.js';
import { parseInput } from '../kit/index.js';
import {
  checkReport,
  type Employee,
  type ExpenseEdit,
  expenseSchema,
  type ParsedExpense,
  type ParsedExpensifySeed,
  type ParsedReport,
  type PlannedChange,
  type Policy,
  reportSchema,
  type SeedExpense,
  type SeedReport,
} from './seed.js';

export const REPORT_STATES = ['OPEN', 'SUBMITTED', 'APPROVED', 'REIMBURSED', 'ARCHIVED'] as const;
export type ReportState = (typeof REPORT_STATES)[number];

/** A report as it stands. Moments are milliseconds; what lies after the account's "now" has not happened. */
export interface Report {
  readonly seed: ParsedReport;
  readonly policy: Policy;
  readonly submitter: Employee;
  readonly approver: Employee | undefined;
  readonly createdAt: number;
  submittedAt: number | null;
  approvedAt: number | null;
  reimbursedAt: number | null;
  readonly archivedAt: number | null;
  readonly expenses: ParsedExpense[];
  readonly labels: Set<string>;
}

/** Reports, policies and people of one simulated account. What is visible follows the account's own "now". */
export class ExpensifyStore {
  readonly policies: ReadonlyMap<string, Policy>;
  readonly employees: ReadonlyMap<string, Employee>;
  private readonly reports = new Map<string, Report>();
  private readonly planned: PlannedChange[];
  private current: number;
  private lastChange = 0;

  constructor(seed: ParsedExpensifySeed) {
    // A change of a category must not reach the seed: another account may start from it.
    const own = structuredClone(seed);
    this.policies = new Map(own.policies.map((policy) => [policy.id, policy]));
    this.employees = new Map(own.employees.map((employee) => [employee.email, employee]));
    this.current = Date.parse(own.now);
    for (const report of own.reports) this.put(report);
    this.planned = own.plannedChanges.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    this.applyPlanned();
  }

  get now(): number {
    return this.current;
  }

  /** @returns false when something was changed after the wished moment, so that going back would hide it. */
  moveTo(at: number): boolean {
    if (at < this.lastChange) return false;
    this.current = at;
    this.applyPlanned();
    return true;
  }

  /** All reports that exist by now. */
  visible(): Report[] {
    return [...this.reports.values()].filter((report) => report.createdAt <= this.current);
  }

  get size(): number {
    return this.reports.size;
  }

  find(reportID: string): Report | undefined {
    const report = this.reports.get(reportID);
    return report && report.createdAt <= this.current ? report : undefined;
  }

  stateOf(report: Report): ReportState {
    if (this.isPast(report.reimbursedAt)) return 'REIMBURSED';
    if (this.isPast(report.archivedAt)) return 'ARCHIVED';
    if (this.isPast(report.approvedAt)) return 'APPROVED';
    return this.isPast(report.submittedAt) ? 'SUBMITTED' : 'OPEN';
  }

  /** The moment when it has happened by now, else null. */
  past(at: number | null): number | null {
    return this.isPast(at) ? at : null;
  }

  /** @throws InputError it is approved already, or the moment lies in the future. */
  approve(reportID: string, at?: number): Report {
    const report = this.need(reportID);
    const state = this.stateOf(report);
    if (state !== 'OPEN' && state !== 'SUBMITTED') throw new InputError(`${reportID} is ${state}.`, ['reportID']);
    if (at !== undefined && at > this.current) throw new InputError('The approval lies in the future.', ['at']);
    if (!this.isPast(report.submittedAt)) report.submittedAt = at ?? this.current;
    report.approvedAt = at ?? this.current;
    this.changed();
    return report;
  }

  /** Back to Processing; what was planned for it after the approval is off. @throws InputError it is not approved. */
  unapprove(reportID: string): Report {
    const report = this.need(reportID);
    const state = this.stateOf(report);
    if (state !== 'APPROVED') throw new InputError(`${reportID} is ${state}.`, ['reportID']);
    report.approvedAt = null;
    report.reimbursedAt = null;
    this.changed();
    return report;
  }

  /** @throws InputError it is not approved. */
  reimburse(reportID: string): Report {
    const report = this.need(reportID);
    const state = this.stateOf(report);
    if (state !== 'APPROVED') throw new InputError(`${reportID} is ${state}.`, ['reportID']);
    report.reimbursedAt = this.current;
    this.changed();
    return report;
  }

  /** @throws InputError there is no such expense. */
  edit(transactionID: string, edit: ExpenseEdit): Report {
    for (const report of this.visible()) {
      const expense = report.expenses.find((one) => one.transactionID === transactionID);
      if (!expense) continue;
      applyEdit(expense, edit);
      this.changed();
      return report;
    }
    throw new InputError(`There is no expense ${transactionID}.`, ['transactionID']);
  }

  /** @throws InputError the expense is unusable or its id is taken. */
  addExpense(reportID: string, input: SeedExpense): Report {
    const report = this.need(reportID);
    const expense = parseInput(expenseSchema, input);
    this.refuseTaken([expense]);
    report.expenses.push(expense);
    this.changed();
    return report;
  }

  /** @throws InputError the report is unusable or one of its ids is taken. */
  addReport(input: SeedReport): Report {
    const parsed = parseInput(reportSchema, input);
    checkReport(parsed, new Set(this.policies.keys()), new Set(this.employees.keys()));
    if (this.reports.has(parsed.reportID)) throw new InputError(`${parsed.reportID} is taken.`, ['reportID']);
    this.refuseTaken(parsed.expenses);
    this.changed();
    return this.put(parsed);
  }

  /** @throws InputError there is no such policy or category. */
  changeCategory(policyID: string, name: string, change: { enabled?: boolean; glCode?: string }): void {
    const category = this.policies.get(policyID)?.categories.find((one) => one.name === name);
    if (!category) throw new InputError(`There is no category ${name} in ${policyID}.`, ['name']);
    Object.assign(category, change);
  }

  private need(reportID: string): Report {
    const report = this.find(reportID);
    if (!report) throw new InputError(`There is no report ${reportID}.`, ['reportID']);
    return report;
  }

  private refuseTaken(expenses: readonly ParsedExpense[]): void {
    const all = [...this.reports.values()].flatMap((report) => report.expenses);
    const taken = new Set(all.map(({ transactionID }) => transactionID));
    const double = expenses.find(({ transactionID }) => taken.has(transactionID));
    if (double) throw new InputError(`${double.transactionID} is taken.`, ['transactionID']);
  }

  private put(seed: ParsedReport): Report {
    const policy = this.policies.get(seed.policyID);
    const submitter = this.employees.get(seed.submitter);
    if (!policy || !submitter) throw new InputError(`${seed.reportID} has no policy or submitter.`, ['reports']);
    const report: Report = {
      ...{ seed, policy, submitter, approver: this.employees.get(seed.approver) },
      ...{ createdAt: Date.parse(seed.createdAt), submittedAt: millis(seed.submittedAt) },
      ...{ approvedAt: millis(seed.approvedAt), reimbursedAt: millis(seed.reimbursedAt) },
      ...{ archivedAt: millis(seed.archivedAt), expenses: seed.expenses, labels: new Set<string>() },
    };
    this.reports.set(seed.reportID, report);
    return report;
  }

  private applyPlanned(): void {
    const wished = this.current;
    for (let next = this.planned[0]; next && Date.parse(next.at) <= wished; next = this.planned[0]) {
      this.planned.shift();
      this.current = Date.parse(next.at);
      try {
        this.applyOne(next);
      } catch (error) {
        // Somebody's hand was faster: a report that is paid already is not taken back by a plan.
        if (!(error instanceof InputError)) throw error;
      }
    }
    this.current = wished;
  }

  private applyOne(change: PlannedChange): void {
    if (change.kind === 'EDIT') this.edit(change.transactionID, change.edit);
    else if (change.kind === 'UNAPPROVE') this.unapprove(change.reportID);
    else if (change.kind === 'APPROVE') this.approve(change.reportID);
    else this.reimburse(change.reportID);
  }

  private changed(): void {
    this.lastChange = Math.max(this.lastChange, this.current);
  }

  private isPast(at: number | null): boolean {
    return at !== null && at <= this.current;
  }
}

/** Cents in the report's currency; null where Expensify has not converted the expense. */
export function reportCents(expense: ParsedExpense, reportCurrency: string): number | null {
  if (expense.convertedAmount !== null) return expense.convertedAmount;
  return expense.currency === reportCurrency ? (expense.modifiedAmount ?? expense.amount) : null;
}

function applyEdit(expense: ParsedExpense, edit: ExpenseEdit): void {
  if (edit.amount !== undefined) {
    expense.modifiedAmount = edit.amount;
    if (expense.convertedAmount !== null) {
      expense.convertedAmount = Math.round(edit.amount * Number(expense.conversionRate));
    }
  }
  if (edit.merchant !== undefined) expense.modifiedMerchant = edit.merchant;
  if (edit.date !== undefined) expense.modifiedCreated = edit.date;
  if (edit.category !== undefined) expense.category = edit.category;
  if (edit.tags !== undefined) expense.tags = [...edit.tags];
  if (edit.comment !== undefined) expense.comment = edit.comment;
  if (edit.reimbursable !== undefined) expense.reimbursable = edit.reimbursable;
  if (edit.tax !== undefined) expense.tax = edit.tax && { ...edit.tax, modifiedAmount: null };
}

function millis(at: string | null): number | null {
  return at === null ? null : Date.parse(at);
}
