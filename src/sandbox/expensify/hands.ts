import { InputError } from '../../errors.js';
import { parseInput } from '../kit/index.js';
import type { Cut, ExportJobs, JobView } from './jobs.js';
import type { CallLimits } from './limits.js';
import { total } from './model.js';
import { editSchema, type SeedExpense, type SeedReport } from './seed.js';
import type { IntegrationServer } from './service.js';
import { type ExpensifySettings, expensifySettingsSchema, settingsPatchSchema } from './settings.js';
import { type ExpensifyStore, type Report, type ReportState, reportCents } from './store.js';
import { centsText, type ExpensifySummary, summarize } from './summary.js';

export interface ExpenseView {
  readonly transactionID: string;
  /** Cents as entered or corrected, in the expense's own currency. */
  readonly amount: number;
  readonly currency: string;
  /** Cents in the report's currency; null where Expensify has not converted it. */
  readonly reportAmount: number | null;
  readonly merchant: string;
  readonly date: string;
  readonly category: string;
  readonly tags: readonly string[];
}

/** One report as it stands now. */
export interface ReportView {
  readonly reportID: string;
  readonly name: string;
  readonly policyID: string;
  readonly submitter: string;
  readonly state: ReportState;
  readonly approvedAt: string | null;
  readonly currency: string;
  /** Exact decimal text. */
  readonly total: string;
  readonly labels: readonly string[];
  readonly expenses: readonly ExpenseView[];
}

/** What is replaced by a reset. */
export interface Parts {
  readonly store: ExpensifyStore;
  readonly jobs: ExportJobs;
}

/** The hand on the simulated account: what a test or a demo makes happen there. Also over HTTP below `/_sandbox/`. */
export class ExpensifyHands {
  constructor(
    private readonly parts: () => Parts,
    private readonly current: ExpensifySettings,
    private readonly server: IntegrationServer,
    private readonly limits: CallLimits,
    private readonly restart: () => void,
  ) {}

  /** The account's "now". */
  now(): string {
    return new Date(this.store.now).toISOString();
  }

  /**
   * Moves the account's "now"; planned changes on the way happen at their own moments.
   * @throws InputError the moment is unreadable, or lies before the last change (going back would hide that change).
   */
  setNow(now: string): string {
    const at = Date.parse(now);
    if (Number.isNaN(at)) throw new InputError(`"${now}" is not a date-time.`, ['now']);
    if (!this.store.moveTo(at)) {
      throw new InputError('The clock cannot go back behind a change that was made here.', ['now']);
    }
    return this.now();
  }

  summary(): ExpensifySummary {
    this.parts().jobs.settle();
    return summarize(this.store);
  }

  /** All reports that are visible now, or those in one state. */
  reports(state?: ReportState): ReportView[] {
    this.parts().jobs.settle();
    const views = this.store.visible().map((report) => this.view(report));
    return state === undefined ? views : views.filter((view) => view.state === state);
  }

  /** @throws InputError there is no such report, or not yet. */
  report(reportID: string): ReportView {
    this.parts().jobs.settle();
    const report = this.store.find(reportID);
    if (!report) throw new InputError(`There is no report ${reportID}.`, ['reportID']);
    return this.view(report);
  }

  /** Approves an open or processing report, at a moment that may lie in the past: then it appears late. @throws InputError */
  approve(reportID: string, at?: string): ReportView {
    const moment = at === undefined ? undefined : Date.parse(at);
    if (moment !== undefined && Number.isNaN(moment)) throw new InputError(`"${at}" is not a date-time.`, ['at']);
    return this.view(this.store.approve(reportID, moment));
  }

  /** Takes an approval back, so that the report can be edited and approved again. @throws InputError */
  unapprove(reportID: string): ReportView {
    return this.view(this.store.unapprove(reportID));
  }

  /** @throws InputError the report is not approved. */
  reimburse(reportID: string): ReportView {
    return this.view(this.store.reimburse(reportID));
  }

  /**
   * Corrects an expense. Possible in every state, because an admin may correct an approved report as well; `amount` is
   * in the expense's own currency.
   * @throws InputError
   */
  editExpense(transactionID: string, edit: unknown): ReportView {
    return this.view(this.store.edit(transactionID, parseInput(editSchema, edit)));
  }

  /** @throws InputError the expense is unusable or its id is taken. */
  addExpense(reportID: string, expense: SeedExpense): ReportView {
    return this.view(this.store.addExpense(reportID, expense));
  }

  /** @throws InputError the report is unusable or an id is taken. */
  addReport(report: SeedReport): ReportView {
    return this.view(this.store.addReport(report));
  }

  /** Switches a category or gives it another GL code. @throws InputError there is no such policy or category. */
  changeCategory(policyID: string, name: string, change: { enabled?: boolean; glCode?: string }): void {
    this.store.changeCategory(policyID, name, change);
  }

  /** Ids of the reports that carry a label. */
  markedReports(label: string): string[] {
    this.parts().jobs.settle();
    return this.store
      .visible()
      .filter(({ labels }) => labels.has(label))
      .map(({ seed }) => seed.reportID);
  }

  /** Exporter jobs since the start, with what the vendor's callers never see: why a template failed. */
  jobs(): JobView[] {
    return this.parts().jobs.views();
  }

  /** The next files that are delivered lack their last line, which is where an end mark stands, or their second half. */
  truncateNextFiles(times: number, cut: Cut = 'lastLine'): void {
    this.parts().jobs.truncateNext(times, cut);
  }

  /** How often each job was called, by names such as `file combinedReportData`; throttled calls count. */
  requestCounts(): Record<string, number> {
    return this.server.requestCounts();
  }

  settings(): ExpensifySettings {
    return { ...this.current };
  }

  /** Changes switches while it runs. @throws InputError naming the unusable switch. */
  changeSettings(patch: unknown): ExpensifySettings {
    const named = parseInput(settingsPatchSchema, patch);
    Object.assign(this.current, parseInput(expensifySettingsSchema, { ...this.current, ...named }));
    return this.settings();
  }

  /** Back to the seed, with no job, label, count or throttle left. Settings and faults stay. */
  reset(): void {
    this.restart();
    this.limits.clear();
    this.server.clearCounts();
  }

  private get store(): ExpensifyStore {
    return this.parts().store;
  }

  private view(report: Report): ReportView {
    const { policy, seed, submitter } = report;
    const approved = this.store.past(report.approvedAt);
    return {
      ...{ reportID: seed.reportID, name: seed.name, policyID: policy.id, submitter: submitter.email },
      state: this.store.stateOf(report),
      approvedAt: approved === null ? null : new Date(approved).toISOString(),
      ...{ currency: policy.outputCurrency, total: centsText(BigInt(total(report))), labels: [...report.labels] },
      expenses: report.expenses.map((expense) => ({
        ...{ transactionID: expense.transactionID, amount: expense.modifiedAmount ?? expense.amount },
        ...{ currency: expense.currency, reportAmount: reportCents(expense, policy.outputCurrency) },
        merchant: expense.modifiedMerchant || expense.merchant,
        date: expense.modifiedCreated ?? expense.created,
        ...{ category: expense.category, tags: [...expense.tags] },
      })),
    };
  }
}
