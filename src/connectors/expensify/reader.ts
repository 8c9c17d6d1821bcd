import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { addDays, dayIn, type LocalDate } from '../../domain/localDate.js';
import type { SourceObject } from '../../domain/spend.js';
import type { SpendStream } from '../../domain/vocabulary.js';
import { InputError } from '../../errors.js';
import type { ReadWindow, SpendPage } from '../contract.js';
import type { ExpensifyContext, ExportFilters, ExportJob } from './client.js';
import { needsPolicy } from './coding.js';
import { afterSlice, decodeCursor, encodeCursor, finerSlice, type Slice, type SliceCursor, sliceAt } from './cursor.js';
import type { Exporter } from './exporter.js';
import type { ExportedReport, ExportFile, ExportLine } from './exportFile.js';
import { mapExpense, REPORT_ID, transactionIdOf } from './mapper.js';
import type { Policies, PolicyLookup } from './policies.js';
import { reportTemplate } from './template.js';

/** Reads reports and turns each of their expenses into a source object. Saves nothing. */

type Unreadable = SpendPage['unreadable'][number];
export type Mapped = Pick<SpendPage, 'objects' | 'unreadable'>;

/** Reports named in one job. */
const IDS_MAX = 100;
/** Days of one job that looks for expenses whose report is not known. */
const SEARCH_DAYS = 90;

export class ReportReader {
  /** Which report an expense was last seen in. May be lost: then the expense is looked for. */
  private readonly reportOf = new LRUCache<string, string>({ max: 50_000 });

  constructor(
    private readonly exporter: Exporter,
    private readonly policies: Policies,
    private readonly context: ExpensifyContext,
  ) {}

  // ── by approval date ───────────────────────────────────────────────────────────────────────

  async readPage(stream: SpendStream, window: ReadWindow, cursor: string | null): Promise<SpendPage> {
    checkStream(stream);
    const { settings } = this.context;
    const at = cursor === null ? this.start(window) : decodeCursor(cursor);
    if (at.to !== null && at.at > at.to) return { objects: [], unreadable: [], nextCursor: null };
    const today = this.today();
    const slice = sliceAt(at, today);
    const file = await this.exporter.read(this.sliceJob(slice));
    if (!slice.isUnlimited && file.reports.length >= settings.limit) {
      // The job may have left reports out, and does not say which: nothing of it is used.
      return { objects: [], unreadable: [], nextCursor: encodeCursor(finerSlice(at, slice, today)) };
    }
    const next = afterSlice(at, slice, settings.sliceDays);
    return { ...(await this.map(file)), nextCursor: next && encodeCursor(next) };
  }

  /**
   * Days, not instants: the filter knows nothing finer. Reads overlap on purpose, because neither the filter's bounds
   * nor the time zone of its days are documented; repeats are recognised by id and content.
   */
  private start({ since, until }: ReadWindow): SliceCursor {
    const { timeZone, overlapDays, lookbackDays, sliceDays } = this.context.settings;
    const from = since ? addDays(dayIn(timeZone, since), -overlapDays) : addDays(this.today(), -lookbackDays);
    return { v: 1, at: from, to: until ? dayIn(timeZone, until) : null, days: sliceDays, unlimited: false };
  }

  private sliceJob({ first, last, isUnlimited }: Slice): ExportJob {
    const { settings } = this.context;
    const filters: ExportFilters = {
      // Whether the day itself is inside differs between revisions of the manual, so the day before is asked for.
      approvedAfter: addDays(first, -1),
      ...(last === null ? {} : { endDate: last }),
      ...(settings.skipMarked ? { markedAsExported: settings.exportLabel } : {}),
    };
    return {
      filters,
      states: settings.reportStates,
      limit: isUnlimited ? null : settings.limit,
      template: reportTemplate(settings),
    };
  }

  private today(): LocalDate {
    return dayIn(this.context.settings.timeZone, this.context.clock.now());
  }

  // ── single expenses ────────────────────────────────────────────────────────────────────────

  /**
   * Reads expenses again through their reports, in whatever state these are now. An id is an expense's, or
   * `<report>/<expense>` where the caller knows the report.
   */
  async readObjects(stream: SpendStream, ids: readonly string[]): Promise<SpendPage> {
    checkStream(stream);
    const wanted = new Set<string>();
    const reports = new Set<string>();
    for (const id of ids) {
      const { report, expense } = namesIn(id);
      if (expense === null) continue;
      wanted.add(expense);
      const known = report ?? this.reportOf.get(expense);
      if (known !== undefined) reports.add(known);
    }
    const found: Found = { objects: new Map(), unreadable: new Map() };
    collect(found, wanted, await this.readReports([...reports]));
    const missing = () => [...wanted].some((id) => !found.objects.has(id) && !found.unreadable.has(id));
    // Expensify finds no expense by its own id, so one whose report is not known, or that was moved, is looked for.
    const { searchDays } = this.context.settings;
    for (let back = 0; back < searchDays && missing(); back += SEARCH_DAYS) {
      collect(found, wanted, await this.map(await this.search(back, searchDays)));
    }
    return { objects: [...found.objects.values()], unreadable: [...found.unreadable.values()], nextCursor: null };
  }

  /** Every expense of the named reports, in all states. */
  async readReports(reportIDs: readonly string[]): Promise<Mapped> {
    const objects: SourceObject[] = [];
    const unreadable: Unreadable[] = [];
    for (let start = 0; start < reportIDs.length; start += IDS_MAX) {
      const mapped = await this.map(await this.exportReports(reportIDs.slice(start, start + IDS_MAX)));
      objects.push(...mapped.objects);
      unreadable.push(...mapped.unreadable);
    }
    return { objects, unreadable };
  }

  exportReports(reportIDList: readonly string[]): Promise<ExportFile> {
    const template = reportTemplate(this.context.settings);
    return this.exporter.read({ filters: { reportIDList }, states: null, limit: null, template });
  }

  /** All reports that were made or submitted in a stretch of days, counted back from today. */
  private search(back: number, searchDays: number): Promise<ExportFile> {
    const today = this.today();
    const startDate = addDays(today, -Math.min(back + SEARCH_DAYS, searchDays));
    const endDate = back === 0 ? {} : { endDate: addDays(today, -back) };
    const template = reportTemplate(this.context.settings);
    return this.exporter.read({ filters: { startDate, ...endDate }, states: null, limit: null, template });
  }

  // ── mapping ────────────────────────────────────────────────────────────────────────────────

  async map(file: ExportFile): Promise<Mapped> {
    const policies = await this.policiesFor(file.reports);
    const twice = contradicting(file.reports);
    const objects: SourceObject[] = [];
    const unreadable: Unreadable[] = [];
    let count = 0;
    for (const { report, raw, lines } of inOrder(file.reports)) {
      for (const line of lines) {
        const one = this.mapLine({ report, raw, lines }, line, policies, twice);
        if ('reason' in one) unreadable.push(one);
        else objects.push(one);
        count += 1;
        // A slice may hold thousands of expenses; other work of the process goes on in between.
        if (count % 200 === 0) await yieldToOthers();
      }
    }
    // An expense that came in two forms is reported once.
    return { objects, unreadable: [...new Map(unreadable.map((one) => [one.externalId ?? one, one])).values()] };
  }

  private mapLine(
    { report, raw }: ExportedReport,
    line: ExportLine,
    policies: ReadonlyMap<string, PolicyLookup>,
    twice: ReadonlySet<string>,
  ): SourceObject | Unreadable {
    const externalId = line.expense && transactionIdOf(line.expense);
    try {
      if (line.expense === null) throw new InputError(line.reason ?? 'The line cannot be read.');
      if (externalId !== null && twice.has(externalId)) {
        throw new InputError('Expensify showed this expense in two forms in one file: it is not known which holds.');
      }
      const policy = policies.get(report.policyID) ?? { codes: null };
      if ('fault' in policy && needsPolicy(line.expense, this.context.settings)) {
        throw new InputError(`The GL codes are neither on the expense nor to be had from its policy. ${policy.fault}`);
      }
      const codes = 'codes' in policy ? policy.codes : null;
      const object = mapExpense(report, line.expense, codes, this.context.settings);
      this.reportOf.set(object.externalId, report.reportID);
      return object;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return { externalId, reason: error.userMessage, raw: { report: raw, expense: withoutSignedLink(line.raw) } };
    }
  }

  /** Only the policies whose codes are missing on some expense. */
  private async policiesFor(reports: readonly ExportedReport[]): Promise<Map<string, PolicyLookup>> {
    const { settings } = this.context;
    const needed = new Set<string>();
    for (const { report, lines } of reports) {
      const isNeeded = lines.some(({ expense }) => expense !== null && needsPolicy(expense, settings));
      if (isNeeded) needed.add(report.policyID);
    }
    const found = new Map<string, PolicyLookup>();
    for (const policyID of needed) found.set(policyID, await this.policies.lookUp(policyID));
    return found;
  }
}

interface Found {
  readonly objects: Map<string, SourceObject>;
  readonly unreadable: Map<string, Unreadable>;
}

function collect(found: Found, wanted: ReadonlySet<string>, mapped: Mapped): void {
  for (const object of mapped.objects) if (wanted.has(object.externalId)) found.objects.set(object.externalId, object);
  for (const one of mapped.unreadable) {
    if (one.externalId !== null && wanted.has(one.externalId)) found.unreadable.set(one.externalId, one);
  }
}

function checkStream(stream: SpendStream): void {
  if (stream !== 'EXPENSE_REPORTS') throw new InputError(`Expensify has no stream ${stream}.`, ['stream']);
}

function namesIn(id: string): { report: string | null; expense: string | null } {
  const match = /^(?:([A-Za-z0-9_-]{1,64})\/)?(\d{1,30})$/.exec(id);
  return { report: match?.[1] ?? null, expense: match?.[2] ?? null };
}

/** Expenses that the file shows in several forms: in one report twice, or in two reports. */
function contradicting(reports: readonly ExportedReport[]): Set<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { lines } of reports) {
    for (const { expense } of lines) {
      const id = expense && transactionIdOf(expense);
      if (id === null) continue;
      if (seen.has(id)) twice.add(id);
      seen.add(id);
    }
  }
  return twice;
}

/** The order of reports in a file is not documented. */
function inOrder(reports: readonly ExportedReport[]): ExportedReport[] {
  const key = ({ report }: ExportedReport) => `${report.approved} ${report.reportID}`;
  return [...reports].sort((a, b) => (key(a) < key(b) ? -1 : Number(key(a) > key(b))));
}

function withoutSignedLink(raw: unknown): unknown {
  if (raw === null || typeof raw !== 'object' || !('receiptURL' in raw)) return raw;
  return { ...raw, receiptURL: '' };
}

export function usableReportIds(ids: readonly string[]): string[] {
  return ids.filter((id) => REPORT_ID.test(id));
}
