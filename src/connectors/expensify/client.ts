import { setTimeout as wait } from 'node:timers/promises';
import type { ZodType } from 'zod';
import { OutcomeUnknownError, UnreadableReplyError, UpstreamUnavailableError } from '../../errors.js';
import type { ConnectionContext, QuotaWindow } from '../contract.js';
import { createHttpClient, type HttpClient, readFault, TransportFault, withReadRetries, writeFault } from '../http.js';
import { ENDPOINT, type ExpensifyCredentials, type ExpensifySettings, type ReportState } from './config.js';
import { type Answer, answerOf, type CallFacts, errorOf, type Refusal, THROTTLE_MS } from './failures.js';
import {
  fileNameSchema,
  policyInfoSchema,
  policyListSchema,
  statusOutcomeSchema,
  type WirePolicy,
  type WirePolicyInfo,
} from './wire.js';

/** One method for each job of Expensify's only endpoint. No business rules. */

export type ExpensifyContext = ConnectionContext<ExpensifyCredentials, ExpensifySettings>;

/** What a test replaces: waiting, randomness and the monotonic clock of deadlines. */
export interface ExpensifyRuntime {
  readonly delay: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly monotonicMs: () => number;
}

export const systemRuntime: ExpensifyRuntime = {
  delay: async (ms, signal) => {
    try {
      await wait(ms, undefined, signal ? { signal } : {});
    } catch (cause) {
      throw new UpstreamUnavailableError('The process stops; the call to Expensify was not made.', {
        code: 'ABORTED',
        cause,
      });
    }
  },
  random: Math.random,
  monotonicMs: () => performance.now(),
};

/**
 * Integration Server manual, "Rate limits": 5 calls in 10 s and 20 in 60 s, every poll of a file counts. Each window is a
 * second longer here: Expensify counts calls as they arrive, and one that was slow on its way would else share its window
 * with one too many. A throttle costs everybody a minute.
 */
export const CALL_LIMITS: readonly QuotaWindow[] = [
  { calls: 5, perMs: 11_000 },
  { calls: 20, perMs: 61_000 },
];

/** A generic 500 is repeated at most twice, because many a refusal for good hides behind it. */
const READ_ATTEMPTS = 3;
const READ_BASE_DELAY_MS = 1000;
/** A throttled read waits out the vendor's longest window instead of failing its whole run. */
const WAIT_MAX_MS = 70_000;
const MAX_BODY_BYTES = 256 * 1024 * 1024;

export interface ExportFilters {
  readonly reportIDList?: readonly string[];
  readonly approvedAfter?: string;
  readonly startDate?: string;
  readonly endDate?: string;
  /** Leaves OUT the reports that carry this label, whatever its name says. */
  readonly markedAsExported?: string;
}

export interface ExportJob {
  readonly filters: ExportFilters;
  /** null = all states. */
  readonly states: readonly ReportState[] | null;
  readonly limit: number | null;
  readonly template: string;
  /** Label to set when the job ends. Such a job is a write. */
  readonly mark?: string;
  /** Renders everything and does nothing else. */
  readonly isTest?: boolean;
}

export interface StatusOutcome {
  readonly done: readonly string[];
  readonly notDone: readonly { readonly reportID: string; readonly reason: string }[];
}

interface Job {
  readonly type: 'file' | 'download' | 'get' | 'update';
  readonly [field: string]: unknown;
}

type Success = Extract<Answer, { ok: true }>;
type Readable = Omit<Success, 'ok'> & { readonly isAbsent: boolean };

export class ExpensifyClient {
  private readonly http: HttpClient;
  private readonly path: string;

  constructor(
    private readonly context: ExpensifyContext,
    private readonly runtime: ExpensifyRuntime,
  ) {
    this.http = createHttpClient({
      kind: 'EXPENSIFY',
      baseUrl: context.baseUrl,
      timeoutMs: context.settings.timeoutSeconds * 1000,
      signal: context.signal,
      logger: context.logger,
      maxBodyBytes: MAX_BODY_BYTES,
    });
    this.path = /\/ExpensifyIntegrations\/?$/.test(context.baseUrl) ? context.baseUrl : ENDPOINT;
  }

  /**
   * Starts an exporter job.
   * @returns the name of the file that will appear.
   * @throws OutcomeUnknownError only with `mark`: the job may be running.
   */
  async startExport(job: ExportJob): Promise<string> {
    const isWrite = job.mark !== undefined;
    const call: CallFacts = { operation: isWrite ? 'marking reports as exported' : 'an export of reports', isWrite };
    const description = exportDescription(job, this.context.settings);
    const nameIn = (answer: Omit<Success, 'ok'>): string => {
      const name = fileNameOf(answer);
      if (name !== null) return name;
      // A refusal in bare text, e.g. "No Template Submitted".
      throw this.errorFor({ code: 200, isFromBody: false, message: answer.quote(), retryAfterMs: null }, call);
    };
    if (isWrite) return nameIn(await this.once(description, call, job.template));
    return this.repeated(description, call, nameIn, job.template);
  }

  /** Asks once for a file; what a refusal means here is the caller's to say, because most mean "not ready". */
  async download(fileName: string): Promise<Answer> {
    const call = { operation: 'an exported file', isWrite: false };
    return this.send({ type: 'download', fileName, fileSystem: 'integrationServer' }, call);
  }

  downloadError(refusal: Refusal): Error {
    return this.errorFor(refusal, { operation: 'an exported file', isWrite: false });
  }

  async policies(): Promise<readonly WirePolicy[]> {
    const call = { operation: 'the list of policies', isWrite: false };
    const job: Job = { type: 'get', inputSettings: { type: 'policyList', adminOnly: false } };
    const list = await this.repeated(job, call, ({ envelope }) => readAs(policyListSchema, envelope, call.operation));
    return list.policyList;
  }

  /** @returns null when Expensify does not know the policy. */
  async policy(policyID: string): Promise<WirePolicyInfo | null> {
    const call = { operation: `policy ${policyID}`, isWrite: false };
    // A JSON list here; the same name in an export is text with commas.
    const inputSettings = { type: 'policy', policyIDList: [policyID], fields: ['categories', 'tags'] };
    const policies = await this.repeated({ type: 'get', inputSettings }, call, (answer) => {
      if (answer.isAbsent) return {};
      return readAs(policyInfoSchema, answer.envelope, call.operation).policyInfo;
    });
    return Object.hasOwn(policies, policyID) ? (policies[policyID] ?? null) : null;
  }

  /** Sets approved reports to REIMBURSED. A success may still leave some of them out: look at `notDone`. */
  async setReimbursed(reportIDs: readonly string[]): Promise<StatusOutcome> {
    const call = { operation: 'setting reports to reimbursed', isWrite: true };
    const { paymentSource } = this.context.settings;
    const inputSettings = {
      type: 'reportStatus',
      status: 'REIMBURSED',
      filters: { reportIDList: reportIDs.join(',') },
      ...(paymentSource === undefined ? {} : { paymentSource }),
    };
    const answer = await this.once({ type: 'update', inputSettings }, call);
    const parsed = statusOutcomeSchema.safeParse(answer.envelope);
    if (!parsed.success)
      throw new OutcomeUnknownError('Expensify’s answer to setting reports to reimbursed is unreadable.');
    const { reportIDs: done, skippedReports, failedReports } = parsed.data;
    const notDone = [...(skippedReports ?? []), ...(failedReports ?? [])];
    return { done: done ?? [], notDone: notDone.map(({ reportID, reason }) => ({ reportID, reason: reason ?? '' })) };
  }

  async close(): Promise<void> {
    await this.http.close();
  }

  // ── calls ──────────────────────────────────────────────────────────────────────────────────

  /**
   * A read, repeated while that makes sense; an answer that `read` cannot use is repeated as well. For `get` jobs code
   * 404 in the body is an answer: what was asked for is not there.
   */
  private repeated<T>(job: Job, call: CallFacts, read: (answer: Readable) => T, template?: string): Promise<T> {
    return withReadRetries(
      async () => {
        const answer = await this.send(job, call, template);
        if (answer.ok)
          return read({ envelope: answer.envelope, text: answer.text, quote: answer.quote, isAbsent: false });
        const { code, isFromBody, message } = answer.refusal;
        if (job.type !== 'get' || !isFromBody || code !== 404) throw this.errorFor(answer.refusal, call);
        return read({ envelope: null, text: '', quote: () => message, isAbsent: true });
      },
      {
        attempts: READ_ATTEMPTS,
        baseDelayMs: READ_BASE_DELAY_MS,
        maxDelayMs: WAIT_MAX_MS,
        delay: this.runtime.delay,
        random: this.runtime.random,
        signal: this.context.signal,
      },
    );
  }

  private async once(job: Job, call: CallFacts, template?: string): Promise<Success> {
    const answer = await this.send(job, call, template);
    if (!answer.ok) throw this.errorFor(answer.refusal, call);
    return answer;
  }

  /** One call. Credentials and template travel in the form body only: in a URL they would end up in logs. */
  private async send(job: Job, call: CallFacts, template?: string): Promise<Answer> {
    const { context } = this;
    const credentials = await context.credentials.read();
    const { partnerUserID, partnerUserSecret } = credentials;
    const { type, ...rest } = job;
    const description = { type, credentials: { partnerUserID, partnerUserSecret }, ...rest };
    const form = new URLSearchParams({
      requestJobDescription: JSON.stringify(description),
      ...(template === undefined ? {} : { template }),
    });
    await context.quota.take(CALL_LIMITS, context.signal);
    try {
      const reply = await this.http.send({
        method: 'POST',
        path: this.path,
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', 'user-agent': 'ledgergate' },
        body: form.toString(),
        freshConnection: call.isWrite,
      });
      const answer = answerOf(reply, credentials, context.clock.now());
      if (!answer.ok) await this.noteRefusal(answer.refusal, call);
      return answer;
    } catch (error) {
      if (!(error instanceof TransportFault)) throw error;
      throw call.isWrite ? writeFault(error, 'Expensify') : readFault(error, 'Expensify');
    }
  }

  private async noteRefusal(refusal: Refusal, call: CallFacts): Promise<void> {
    const { operation } = call;
    this.context.logger.debug({ operation, code: refusal.code }, 'Expensify refused a call');
    if (refusal.code === 429) await this.context.quota.block(refusal.retryAfterMs ?? THROTTLE_MS);
  }

  private errorFor(refusal: Refusal, call: CallFacts): Error {
    return errorOf(refusal, call, this.context.settings.patterns);
  }
}

function exportDescription(job: ExportJob, settings: ExpensifySettings): Job {
  const { reportIDList, approvedAfter, startDate, endDate, markedAsExported } = job.filters;
  const limit = job.limit === null ? null : { limit: String(job.limit) };
  const at = (place: ExpensifySettings['limitPlacement']) => (limit && settings.limitPlacement === place ? limit : {});
  return {
    type: 'file',
    onReceive: { immediateResponse: ['returnRandomFileName'] },
    inputSettings: {
      type: 'combinedReportData',
      // Beside `filters`, not in it: there it is ignored in silence.
      ...(job.states === null ? {} : { reportState: job.states.join(',') }),
      ...at('inputSettings'),
      filters: {
        ...(reportIDList === undefined ? {} : { reportIDList: reportIDList.join(',') }),
        ...(approvedAfter === undefined ? {} : { approvedAfter }),
        ...(startDate === undefined ? {} : { startDate }),
        ...(endDate === undefined ? {} : { endDate }),
        ...(settings.policyIDs.length === 0 ? {} : { policyIDList: settings.policyIDs.join(',') }),
        ...(markedAsExported === undefined ? {} : { markedAsExported }),
        ...at('filters'),
      },
    },
    outputSettings: { fileExtension: settings.fileExtension, fileBasename: 'ledgergate' },
    ...(job.mark === undefined ? {} : { onFinish: [{ actionName: 'markAsExported', label: job.mark }] }),
    ...at('job'),
    test: job.isTest ? 'true' : 'false',
  };
}

/**
 * A bare name in one line; an object with the name is accepted too. Refusals such as "No Template Submitted" come as
 * bare text as well, so a name has no blanks.
 */
function fileNameOf(answer: Omit<Success, 'ok'>): string | null {
  const inObject = fileNameSchema.safeParse(answer.envelope);
  const name = inObject.success ? (inObject.data.filename ?? inObject.data.fileName ?? '') : answer.text;
  const clean = name.trim();
  return /^[\w.-]{3,250}$/.test(clean) ? clean : null;
}

/** @throws UnreadableReplyError the answer does not have the form that is documented; names the fields only. */
function readAs<T>(schema: ZodType<T>, value: unknown, operation: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.slice(0, 5).map((issue) => issue.path.join('.') || '(whole answer)');
  throw new UnreadableReplyError(`Expensify’s answer for ${operation} does not have the documented form.`, {
    detail: { fields },
  });
}
