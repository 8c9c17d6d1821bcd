import { LedgergateError, OutcomeUnknownError } from '../../errors.js';
import type { ExportAnswer, ExportReport, ReportsExports } from '../contract.js';
import type { ExpensifyClient, ExpensifyContext, ExpensifyRuntime } from './client.js';
import type { Exporter } from './exporter.js';
import { says } from './failures.js';
import { type ReportReader, usableReportIds } from './reader.js';
import { IDS_TEMPLATE } from './template.js';

/**
 * Marks reports as exported once all their expenses are in the ledger, in a job of its own: a label that the reading
 * job set would stand although nobody had received the file, and no label can ever be taken off.
 *
 * Nothing is repeated blindly. Every call begins with the question which reports carry the label, and ends with it: only
 * a label that is seen is reported as set. A lost answer therefore needs no special care.
 */
export function createMarking(
  label: string,
  parts: {
    client: ExpensifyClient;
    exporter: Exporter;
    reader: ReportReader;
    context: ExpensifyContext;
    runtime: ExpensifyRuntime;
  },
): ReportsExports {
  return {
    batchMax: parts.context.settings.exportBatch,
    async report(reports) {
      const batch = new MarkBatch(label, parts);
      return batch.run(reports);
    },
  };
}

interface State {
  readonly status: string;
  readonly isFinal: boolean;
  /** Why the report cannot be marked although it is final; null = nothing speaks against it. */
  readonly obstacle: string | null;
}

class MarkBatch {
  private readonly answers = new Map<string, ExportAnswer>();

  constructor(
    private readonly label: string,
    private readonly parts: Parameters<typeof createMarking>[1],
  ) {}

  async run(reports: readonly ExportReport[]): Promise<ExportAnswer[]> {
    const byId = new Map(reports.map((report) => [report.externalId, report]));
    const asked = [...byId.values()];
    for (const { externalId, outcome } of asked) {
      if (outcome.kind === 'SUCCESS') continue;
      const detail = 'Expensify has no place for a failure. The report stays without the label.';
      this.answers.set(externalId, { externalId, kind: 'ALREADY_REPORTED', detail });
    }
    const successes = asked.filter(({ outcome }) => outcome.kind === 'SUCCESS').map(({ externalId }) => externalId);
    await this.markAll(successes);
    return asked.map(({ externalId }) => this.answers.get(externalId) ?? notReady(externalId, 'It was not marked.'));
  }

  private async markAll(ids: readonly string[]): Promise<void> {
    const usable = usableReportIds(ids);
    const states = usable.length === 0 ? new Map<string, State>() : await this.statesOf(usable);
    for (const id of ids.filter((one) => !states.has(one))) {
      const detail = 'Expensify does not show this report to the user.';
      this.answers.set(id, { externalId: id, kind: 'UNKNOWN_AT_SOURCE', detail });
    }
    const known = usable.filter((id) => states.has(id));
    const unmarked = await this.unmarkedOf(known);
    for (const id of known.filter((one) => !unmarked.has(one))) {
      const detail = `Expensify shows the report as marked with "${this.label}".`;
      this.answers.set(id, { externalId: id, kind: 'ALREADY_REPORTED', detail });
    }
    const ready: string[] = [];
    for (const id of unmarked) {
      const state = states.get(id);
      if (!state?.isFinal) {
        this.answers.set(id, notReady(id, `The report is in the status ${state?.status}: somebody took it back.`));
      } else if (state.obstacle !== null) this.answers.set(id, notReady(id, state.obstacle));
      else ready.push(id);
    }
    await this.mark(await this.reimburse(ready, states));
  }

  /** Reads the reports whole: one with an expense that nobody could read is not finished, whatever the ledger has. */
  private async statesOf(ids: readonly string[]): Promise<Map<string, State>> {
    const { reader, context } = this.parts;
    const finals = new Set(context.settings.finalStatuses.map((text) => text.toLowerCase()));
    const states = new Map<string, State>();
    const file = await reader.exportReports(ids);
    for (const exported of file.reports) {
      const { reportID, status } = exported.report;
      const mapped = await reader.map({ ...file, reports: [exported] });
      const [first] = mapped.unreadable;
      const obstacle = first
        ? `Expense ${first.externalId ?? '(no id)'} of the report is unreadable: ${first.reason}`
        : null;
      states.set(reportID, { status, isFinal: finals.has(status.toLowerCase()), obstacle });
    }
    return states;
  }

  /** The filter leaves out the reports that carry the label. */
  private async unmarkedOf(ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const filters = { reportIDList: ids, markedAsExported: this.label };
    const file = await this.parts.exporter.read({ filters, states: null, limit: null, template: IDS_TEMPLATE });
    const asked = new Set(ids);
    return new Set(file.reports.map(({ report }) => report.reportID).filter((id) => asked.has(id)));
  }

  /**
   * Before the label, because the label is what tells that a report is done: if this fails, the next call tries again.
   * @returns the reports that are reimbursed now.
   */
  private async reimburse(ids: readonly string[], states: ReadonlyMap<string, State>): Promise<string[]> {
    const { client, context } = this.parts;
    const { settings } = context;
    if (!settings.setReimbursed) return [...ids];
    const isDone = (id: string) => states.get(id)?.status.toLowerCase() === 'reimbursed';
    const pending = ids.filter((id) => !isDone(id));
    const done = new Set(ids.filter(isDone));
    if (pending.length === 0) return [...done];
    try {
      const outcome = await client.setReimbursed(pending);
      // The code of the answer is 200 for a mixed outcome too; only its lists count.
      const reasons = new Map(outcome.notDone.map(({ reportID, reason }) => [reportID, reason]));
      for (const id of pending) {
        const reason = reasons.get(id);
        const isAlready = reason !== undefined && says(settings.patterns.alreadyReimbursed, reason);
        if (isAlready || (reason === undefined && outcome.done.includes(id))) done.add(id);
        else
          this.answers.set(
            id,
            notReady(id, `Expensify did not set it to reimbursed (${reason || 'no reason given'}).`),
          );
      }
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError)) throw error;
      // The next call sees which of them are reimbursed.
      for (const id of pending) this.answers.set(id, notReady(id, error.userMessage));
    }
    return [...done];
  }

  private async mark(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { client, exporter, context } = this.parts;
    const { reportStates, setReimbursed } = context.settings;
    // With the states, so that a report that is taken back at this moment stays out.
    const states = setReimbursed ? [...new Set([...reportStates, 'REIMBURSED' as const])] : reportStates;
    const job = { filters: { reportIDList: ids }, states, limit: null, template: IDS_TEMPLATE, mark: this.label };
    let isStarted = false;
    try {
      const fileName = await client.startExport(job);
      isStarted = true;
      await exporter.fileOf(fileName);
    } catch (error) {
      const isUnclear = error instanceof OutcomeUnknownError;
      const isLate = isStarted && error instanceof LedgergateError && error.decision === 'RETRY';
      if (!isUnclear && !isLate) throw error;
      context.logger.warn(
        { reports: ids.length },
        'the end of a marking job was not seen; the labels are read instead',
      );
    }
    await this.verify(ids);
  }

  /** When the label appears is not documented, so it is looked for a few times. */
  private async verify(ids: readonly string[]): Promise<void> {
    const { runtime, context } = this.parts;
    const deadline = runtime.monotonicMs() + context.settings.markSettleSeconds * 1000;
    let waiting = [...ids];
    for (let look = 0; look < LOOKS_MAX; look += 1) {
      const unmarked = await this.unmarkedOf(waiting);
      for (const externalId of waiting.filter((id) => !unmarked.has(id))) {
        this.answers.set(externalId, { externalId, kind: 'REPORTED' });
      }
      waiting = waiting.filter((id) => unmarked.has(id));
      if (waiting.length === 0 || runtime.monotonicMs() >= deadline) break;
      await runtime.delay(LOOK_PAUSE_MS, context.signal);
    }
    for (const id of waiting) this.answers.set(id, notReady(id, 'The label was asked for and is not seen yet.'));
  }
}

const LOOKS_MAX = 5;
const LOOK_PAUSE_MS = 10_000;

function notReady(externalId: string, detail: string): ExportAnswer {
  return { externalId, kind: 'NOT_READY', detail };
}
