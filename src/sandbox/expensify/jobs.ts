import { randomUUID } from 'node:crypto';
import type { ExportRequest } from './exportRequest.js';
import { type Template, TemplateError } from './freemarker/index.js';
import { chance, type TemplateModel } from './model.js';
import { type ExpensifySettings, NOT_READY_FORMS, type NotReadyForm } from './settings.js';
import type { ExpensifyStore, Report } from './store.js';

/** What is cut off a file that is delivered short. */
export type Cut = 'lastLine' | 'half';

interface Job {
  readonly fileName: string;
  readonly request: ExportRequest;
  readonly template: Template;
  readonly runsAt: number;
  state: 'WAITING' | 'DONE' | 'FAILED';
  finishedAt: number;
  content: string;
  error: TemplateError | null;
  reportIDs: string[];
  notReadyLeft: number;
  downloads: number;
}

/** One exporter job, for looking at. */
export interface JobView {
  readonly fileName: string;
  readonly state: Job['state'];
  /** Why the template failed. The vendor's callers never learn it. */
  readonly error: string | null;
  readonly isTest: boolean;
  readonly labels: readonly string[];
  readonly mails: readonly string[];
  readonly reportIDs: readonly string[];
  readonly bytes: number;
  readonly downloads: number;
}

/** What a download finds. */
export type Found =
  | { readonly kind: 'content'; readonly content: string }
  | { readonly kind: 'notReady'; readonly form: NotReadyForm }
  /** With a reason only where the sandbox, and not the template, was the cause. */
  | { readonly kind: 'failed'; readonly reason: string | null }
  | { readonly kind: 'unknown' };

/** Exporter jobs: accepted at once, run later, and their files are there later still. */
export class ExportJobs {
  private jobs = new Map<string, Job>();
  private rotation = 0;
  private cuts: { left: number; cut: Cut } = { left: 0, cut: 'lastLine' };

  constructor(
    private readonly store: ExpensifyStore,
    private readonly model: TemplateModel,
    private readonly settings: ExpensifySettings,
    private readonly randomSeed: number,
    /** Wall clock in milliseconds. */
    private readonly nowMs: () => number,
  ) {}

  /** @returns the name of the file to be. */
  submit(request: ExportRequest, template: Template): string {
    const ending = this.settings.fileEnding === 'csv' ? 'csv' : request.ending;
    const job: Job = {
      ...{ fileName: `${request.basename}${randomUUID()}.${ending}`, request, template },
      ...{ runsAt: this.nowMs() + this.settings.jobDelayMs, state: 'WAITING', finishedAt: 0, content: '', error: null },
      ...{ reportIDs: [], notReadyLeft: this.settings.notReadyDownloads, downloads: 0 },
    };
    this.jobs.set(job.fileName, job);
    this.settle();
    return job.fileName;
  }

  /** Runs what is due. Called before anything is looked at, so that no timer is needed. */
  settle(): void {
    const now = this.nowMs();
    for (const job of this.jobs.values()) if (job.state === 'WAITING' && job.runsAt <= now) this.run(job, now);
  }

  download(fileName: string): Found {
    this.settle();
    const job = this.jobs.get(fileName);
    if (!job || this.isGone(job)) return { kind: 'unknown' };
    job.downloads += 1;
    if (job.error?.fault === 'UNSUPPORTED') return { kind: 'failed', reason: job.error.message };
    if (job.state === 'FAILED' && this.settings.failedJob === 'envelope500') return { kind: 'failed', reason: null };
    if (job.state !== 'DONE' || job.notReadyLeft > 0) {
      if (job.state === 'DONE') job.notReadyLeft -= 1;
      return { kind: 'notReady', form: this.nextForm() };
    }
    return { kind: 'content', content: this.delivered(job.content) };
  }

  /** The next files that are delivered lack their end. */
  truncateNext(times: number, cut: Cut): void {
    this.cuts = { left: times, cut };
  }

  views(): JobView[] {
    this.settle();
    return [...this.jobs.values()].map((job) => ({
      ...{ fileName: job.fileName, state: job.state, error: job.error?.message ?? null, isTest: job.request.isTest },
      ...{ labels: job.request.labels, mails: job.request.mails, reportIDs: job.reportIDs },
      ...{ bytes: Buffer.byteLength(job.content), downloads: job.downloads },
    }));
  }

  /** The reports that a request finds now, in the order of the file. */
  select(request: ExportRequest): Report[] {
    const found = this.store.visible().filter((report) => this.matches(report, request));
    const key = (report: Report) =>
      this.settings.reportOrder === 'created' ? report.createdAt : chance(this.randomSeed, report.seed.reportID);
    return found.sort((a, b) => key(a) - key(b)).slice(0, request.limit ?? found.length);
  }

  private run(job: Job, now: number): void {
    const reports = this.select(job.request);
    job.finishedAt = now;
    job.reportIDs = reports.map(({ seed }) => seed.reportID);
    try {
      job.content = this.render(job.template, reports);
      job.state = 'DONE';
    } catch (error) {
      job.state = 'FAILED';
      job.error = error instanceof TemplateError ? error : ownFailure(error);
      return;
    }
    // Nothing takes a label away again, and nobody asks whether the bytes have arrived anywhere.
    for (const label of job.request.labels) for (const report of reports) report.labels.add(label);
  }

  private render(template: Template, reports: readonly Report[]): string {
    const models = reports.map((report) => this.model.report(report));
    if (this.settings.templateRuns === 'once' || models.length === 0) {
      return template.render({ reports: models, addHeader: true });
    }
    return models.map((one, index) => template.render({ reports: [one], addHeader: index === 0 })).join('');
  }

  private matches(report: Report, request: ExportRequest): boolean {
    const { approvedAfter, endDate, notMarked, policyIDs, reportIDs, startDate, states } = request;
    if (!states.has(this.store.stateOf(report))) return false;
    if (reportIDs !== null && !reportIDs.has(report.seed.reportID)) return false;
    if (policyIDs !== null && !policyIDs.has(report.policy.id)) return false;
    if (notMarked !== null && report.labels.has(notMarked)) return false;
    // The later of creation and submission is what the range is about.
    const started = dayText(Math.max(report.createdAt, this.store.past(report.submittedAt) ?? 0));
    if (startDate !== null && (started < startDate || (endDate !== null && started > endDate))) return false;
    return approvedAfter === null || this.isApprovedAfter(report, approvedAfter, endDate);
  }

  private isApprovedAfter(report: Report, after: string, endDate: string | null): boolean {
    const approved = this.store.past(report.approvedAt);
    if (approved === null) return false;
    const day = dayText(approved);
    if (endDate !== null && day > endDate) return false;
    return this.settings.approvedAfterIncludesDay ? day >= after : day > after;
  }

  private isGone(job: Job): boolean {
    const { fileLifetimeMs } = this.settings;
    return fileLifetimeMs !== null && job.state === 'DONE' && this.nowMs() - job.finishedAt >= fileLifetimeMs;
  }

  private nextForm(): NotReadyForm {
    const { notReady } = this.settings;
    if (notReady !== 'rotate') return notReady;
    const form = NOT_READY_FORMS[this.rotation % NOT_READY_FORMS.length] ?? 'empty';
    this.rotation += 1;
    return form;
  }

  private delivered(content: string): string {
    if (this.cuts.left === 0) return content;
    this.cuts.left -= 1;
    if (this.cuts.cut === 'half') return content.slice(0, Math.floor(content.length / 2));
    const lines = content.trimEnd().split('\n');
    return lines.length < 2 ? '' : `${lines.slice(0, -1).join('\n')}\n`;
  }
}

/** What the interpreter itself stumbled over, say too deep an expression; told like a limit of it. */
function ownFailure(error: unknown): TemplateError {
  const reason = error instanceof Error ? error.message : 'unknown';
  return new TemplateError('UNSUPPORTED', `The sandbox failed over the template: ${reason}`, { line: 1, column: 1 });
}

export function dayText(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
