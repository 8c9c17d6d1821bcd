import { dayText } from './jobs.js';
import { type ExpensifyStore, REPORT_STATES, type Report, type ReportState, reportCents } from './store.js';

export interface ReportTotals {
  reports: number;
  expenses: number;
  /** Expenses that Expensify has not converted into the report's currency; they are in no total. */
  unconverted: number;
  /** Exact decimals by report currency, signed: refunds are negative. */
  totals: Record<string, string>;
}

export interface ExpensifySummary {
  now: string;
  /** Created later than the account's "now". */
  future: number;
  all: ReportTotals;
  byState: Record<ReportState, ReportTotals>;
  /** Approved and reimbursed reports by the UTC day of their approval. */
  byApprovalDay: Record<string, ReportTotals>;
  /** How many reports carry each label. */
  labels: Record<string, number>;
}

/** What the account shows now, added up exactly, for comparison with what a client has read. */
export function summarize(store: ExpensifyStore): ExpensifySummary {
  const all = new Adder();
  const states = new Map(REPORT_STATES.map((state) => [state, new Adder()]));
  const days = new Map<string, Adder>();
  const labels = new Map<string, number>();
  const visible = store.visible();
  for (const report of visible) {
    const state = store.stateOf(report);
    all.add(report);
    states.get(state)?.add(report);
    for (const label of report.labels) labels.set(label, (labels.get(label) ?? 0) + 1);
    const approved = store.past(report.approvedAt);
    if (approved === null || (state !== 'APPROVED' && state !== 'REIMBURSED')) continue;
    const day = dayText(approved);
    const adder = days.get(day) ?? new Adder();
    days.set(day, adder);
    adder.add(report);
  }
  return {
    ...{ now: new Date(store.now).toISOString(), future: store.size - visible.length, all: all.totals() },
    byState: Object.fromEntries(
      [...states].map(([state, adder]) => [state, adder.totals()]),
    ) as ExpensifySummary['byState'],
    byApprovalDay: sorted([...days].map(([day, adder]) => [day, adder.totals()])),
    labels: sorted([...labels]),
  };
}

function sorted<T>(entries: [string, T][]): Record<string, T> {
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

class Adder {
  private reports = 0;
  private expenses = 0;
  private unconverted = 0;
  private readonly sums = new Map<string, bigint>();

  add(report: Report): void {
    const currency = report.policy.outputCurrency;
    this.reports += 1;
    this.expenses += report.expenses.length;
    for (const expense of report.expenses) {
      const cents = reportCents(expense, currency);
      if (cents === null) this.unconverted += 1;
      else this.sums.set(currency, (this.sums.get(currency) ?? 0n) + BigInt(cents));
    }
  }

  totals(): ReportTotals {
    const { expenses, reports, unconverted } = this;
    const totals = sorted([...this.sums].map(([currency, cents]) => [currency, centsText(cents)]));
    return { reports, expenses, unconverted, totals };
  }
}

/** Exact decimal text of a sum of cents. */
export function centsText(cents: bigint): string {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
