import { OutcomeUnknownError } from '../../errors.js';
import type { ExportAnswer, ExportReport, ReportsExports } from '../contract.js';
import { type BrexClient, type ExportResult, IDS_MAX } from './client.js';
import type { BrexFailure } from './failures.js';
import { readAs } from './transport.js';
import { accountingRecordSchema } from './wire.js';

/**
 * Tells Brex what became of records. A result is one-shot: either outcome takes the record out of READY_FOR_EXPORT, a
 * second report is a 422, and there is no way back. So nothing is repeated blindly: what a refusal names is read again
 * and answered for itself, and after an unclear answer the records are read before anything is sent again.
 * Whether Brex applies the rest of a refused call is not documented; a refused call is taken as not applied at all,
 * which is safe because a record that was applied after all is then refused and read again.
 */

const MESSAGE_MAX = 1000;

export function createExports(client: BrexClient, batchMax: number): ReportsExports {
  return {
    batchMax,
    async report(reports) {
      // The same id twice in one call is refused as a whole; the last word counts.
      const byId = new Map(reports.map((report) => [report.externalId, report]));
      const unique = [...byId.values()];
      const answers: ExportAnswer[] = [];
      for (let start = 0; start < unique.length; start += batchMax) {
        answers.push(...(await new Batch(client, unique.slice(start, start + batchMax)).run()));
      }
      return answers;
    },
  };
}

class Batch {
  private pending: ExportReport[];
  private readonly answers: ExportAnswer[] = [];

  constructor(
    private readonly client: BrexClient,
    reports: readonly ExportReport[],
  ) {
    this.pending = [...reports];
  }

  async run(): Promise<ExportAnswer[]> {
    let wasUnclear = false;
    // Every round but the one after an unclear answer settles something or ends, so this many rounds always suffice.
    const roundsMax = this.pending.length + 2;
    for (let round = 0; this.pending.length > 0 && round < roundsMax; round += 1) {
      const before = this.pending.length;
      try {
        const result = await this.client.reportExports(this.pending.map(resultOf));
        if ('updated' in result) await this.settleUpdated(result.updated);
        else await this.settleRefused(result.refused);
        if (this.pending.length === before) break;
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError) || wasUnclear) throw error;
        wasUnclear = true;
        await this.settleByReading(this.pending, 'ALREADY_REPORTED');
      }
    }
    for (const { externalId } of this.pending) {
      this.answers.push({ externalId, kind: 'NOT_READY', detail: 'Brex did not take the result and gave no reason.' });
    }
    return this.answers;
  }

  /** Ids that the success leaves out are not taken for granted; they are read. */
  private async settleUpdated(updated: readonly string[]): Promise<void> {
    const done = new Set(updated);
    const settled = this.pending.filter((report) => done.has(report.externalId));
    for (const { externalId } of settled) this.answers.push({ externalId, kind: 'REPORTED' });
    this.forget(settled);
    await this.settleByReading(this.pending, 'REPORTED');
  }

  private async settleRefused(refused: BrexFailure): Promise<void> {
    const named = new Set(namedIds(refused));
    const affected = this.pending.filter((report) => named.has(report.externalId));
    // A refusal that names none of ours does not say which one is wrong, so all are read.
    await this.settleByReading(affected.length > 0 ? affected : this.pending, 'ALREADY_REPORTED');
    const refusedAgain = this.pending.filter((report) => named.has(report.externalId));
    for (const { externalId } of refusedAgain) {
      const detail = `Brex refuses a result although it shows the record as ready (${refused.message || refused.status}).`;
      this.answers.push({ externalId, kind: 'NOT_READY', detail });
    }
    this.forget(refusedAgain);
  }

  /** Reads records and answers for those that do not wait for a result; the others stay pending. */
  private async settleByReading(
    reports: readonly ExportReport[],
    kindWhenExported: 'REPORTED' | 'ALREADY_REPORTED',
  ): Promise<void> {
    if (reports.length === 0) return;
    const statuses = await this.readStatuses(reports.map((report) => report.externalId));
    const settled = reports.filter((report) => statuses.get(report.externalId) !== 'READY_FOR_EXPORT');
    for (const report of settled) {
      this.answers.push(answerFor(report, statuses.get(report.externalId), kindWhenExported));
    }
    this.forget(settled);
  }

  /** Review status by record id; a record Brex does not know is missing. */
  private async readStatuses(ids: readonly string[]): Promise<Map<string, string>> {
    const statuses = new Map<string, string>();
    for (let start = 0; start < ids.length; start += IDS_MAX) {
      const page = await this.client.recordsById(ids.slice(start, start + IDS_MAX));
      for (const item of page.items) this.note(statuses, item);
    }
    for (const id of ids.filter((candidate) => !statuses.has(candidate))) {
      const found = await this.client.record(id);
      if (found) this.note(statuses, found.exact);
    }
    return statuses;
  }

  private note(statuses: Map<string, string>, item: unknown): void {
    const { id, review_status } = readAs(
      accountingRecordSchema.pick({ id: true, review_status: true }),
      item,
      'GET /v3/accounting/records',
    );
    statuses.set(id, review_status);
  }

  private forget(settled: readonly ExportReport[]): void {
    const gone = new Set(settled);
    this.pending = this.pending.filter((report) => !gone.has(report));
  }
}

/** `deep_link_url` is left out: Brex refuses null there. */
function resultOf(report: ExportReport): ExportResult {
  return report.outcome.kind === 'SUCCESS'
    ? { accounting_record_id: report.externalId, success: { reference_id: report.outcome.ledgerDocumentId } }
    : {
        accounting_record_id: report.externalId,
        failure: { error_message: report.outcome.message.slice(0, MESSAGE_MAX) },
      };
}

/** Where a record goes after a reported failure is not documented: anything but exported or ready. */
function answerFor(
  report: ExportReport,
  status: string | undefined,
  kindWhenExported: 'REPORTED' | 'ALREADY_REPORTED',
): ExportAnswer {
  const { externalId } = report;
  if (status === undefined) {
    return { externalId, kind: 'UNKNOWN_AT_SOURCE', detail: 'Brex does not know this record.' };
  }
  if (status === 'EXPORTED' || report.outcome.kind === 'FAILURE') {
    if (kindWhenExported === 'REPORTED') return { externalId, kind: 'REPORTED' };
    return { externalId, kind: 'ALREADY_REPORTED', detail: `Brex shows the record in status ${status}.` };
  }
  return {
    externalId,
    kind: 'NOT_READY',
    detail: `Brex shows the record in status ${status}: somebody took it back or a failure was reported. It takes a result again once it is ready for export.`,
  };
}

/** The ids that a 404 or 422 names (`details`), whichever of the three lists they are in. */
function namedIds(refused: BrexFailure): string[] {
  const details = refused.error?.details ?? {};
  const lists = [
    details.not_found_export_entry_source_ids,
    details.not_ready_for_export_accounting_record_ids,
    details.duplicate_accounting_record_ids,
  ];
  return lists.flatMap((list) => (Array.isArray(list) ? list : [])).filter((id) => typeof id === 'string');
}
