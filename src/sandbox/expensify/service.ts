import { z } from 'zod';
import { type Exchange, htmlPage, type SandboxReply, type SandboxRequest } from '../kit/index.js';
import { parseExportRequest } from './exportRequest.js';
import { compileTemplate, type Template, TemplateError } from './freemarker/index.js';
import type { ExportJobs, Found } from './jobs.js';
import type { CallLimits } from './limits.js';
import { policyDetails, policyList } from './policies.js';
import { malformed, Refusal, Replies } from './replies.js';
import type { ExpensifySettings } from './settings.js';
import { updateStatus } from './statusUpdates.js';
import type { ExpensifyStore } from './store.js';

/** The vendor's only address. */
export const ENDPOINT = '/Integration-Server/ExpensifyIntegrations';
const RATE_LIMITED = 'You have been rate-limited. Please try again later or contact help@expensify.com for assistance.';

/** What the service works on; `current` because a reset replaces it. */
export interface Account {
  readonly store: ExpensifyStore;
  readonly jobs: ExportJobs;
}

export interface Credentials {
  readonly partnerUserID: string;
  readonly partnerUserSecret: string;
}

const jobSchema = z.looseObject({
  type: z.string(),
  credentials: z.looseObject({ partnerUserID: z.string(), partnerUserSecret: z.string() }).optional().catch(undefined),
  inputSettings: z.looseObject({ type: z.unknown().optional() }).optional(),
});
type Job = z.output<typeof jobSchema>;
const downloadSchema = z.looseObject({
  fileName: z.string().min(1),
  fileSystem: z.string().default('integrationServer'),
});

interface Form {
  /** Null when there is none or it is no JSON object with a type. */
  job: Job | null;
  template: string;
}

/** The Integration Server: one address, one form, the job decides. */
export class IntegrationServer {
  private readonly counts = new Map<string, number>();
  private readonly replies: Replies;

  constructor(
    private readonly account: () => Account,
    private readonly settings: ExpensifySettings,
    private readonly credentials: Credentials,
    private readonly limits: CallLimits,
  ) {
    this.replies = new Replies(settings);
  }

  exchange(request: SandboxRequest): Exchange {
    const form = readForm(request);
    const operation = operationOf(request, form.job);
    this.counts.set(operation, (this.counts.get(operation) ?? 0) + 1);
    // Counted here and not when the change is made: a change that comes late was let in already.
    const isAllowed = request.path !== ENDPOINT || this.limits.allow(this.settings.rateLimits);
    let isExpired = false;
    return {
      operation,
      commit: () => {
        if (!isAllowed) return this.rateLimited(this.settings.retryAfterSeconds);
        return isExpired ? this.unauthenticated() : this.answer(request, form);
      },
      expireSession: () => {
        isExpired = true;
      },
      rateLimited: (seconds) => this.rateLimited(this.settings.retryAfterSeconds === null ? null : seconds),
      serverError: () => this.replies.page('JSONObject["responseCode"] not found.'),
    };
  }

  requestCounts(): Record<string, number> {
    return Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  clearCounts(): void {
    this.counts.clear();
  }

  private answer(request: SandboxRequest, form: Form): SandboxReply {
    if (request.path !== ENDPOINT) return htmlPage(404, 'HTTP Status 404 - Not Found');
    if (request.method !== 'POST') return htmlPage(405, 'HTTP Status 405 - Method Not Allowed');
    if (form.job === null) {
      if (this.settings.malformedRequest === 'html500')
        return this.replies.page('requestJobDescription is missing or malformed');
      return this.replies.refusal(410, "Argument 'type' is missing or malformed");
    }
    const given = form.job.credentials;
    const { partnerUserID, partnerUserSecret } = this.credentials;
    if (given?.partnerUserID !== partnerUserID || given.partnerUserSecret !== partnerUserSecret)
      return this.unauthenticated();
    this.account().jobs.settle();
    try {
      return this.dispatch(form.job, form.template);
    } catch (error) {
      if (error instanceof Refusal) return this.replies.refusal(error.code, error.message);
      throw error;
    }
  }

  private dispatch(job: Job, template: string): SandboxReply {
    const { store } = this.account();
    const kind = String(job.inputSettings?.type ?? '');
    switch (`${job.type} ${kind}`.trim()) {
      case 'file combinedReportData':
        return this.submit(job, template);
      case 'get policyList':
        return this.replies.ok(policyList(store, job.inputSettings));
      case 'get policy':
        return this.replies.ok(policyDetails(store, job.inputSettings));
      case 'update reportStatus':
        return this.replies.ok(updateStatus(store, this.settings, job.inputSettings), 'text/plain;charset=utf-8');
      default:
        if (job.type === 'download') return this.download(job);
        throw notSimulated(job.type, kind);
    }
  }

  private submit(job: Job, source: string): SandboxReply {
    const { jobs, store } = this.account();
    const request = parseExportRequest(job, store.now);
    if (source.trim() === '') throw new Refusal(500, 'No Template Submitted');
    const fileName = jobs.submit(request, compiled(source));
    if (this.settings.submitReply === 'envelope') return this.replies.ok({ filename: fileName });
    return this.replies.text(fileName);
  }

  private download(job: Job): SandboxReply {
    const parsed = downloadSchema.safeParse(job);
    if (!parsed.success) throw malformed('fileName');
    const { fileName, fileSystem } = parsed.data;
    // Files of the exporter are not in the file system of the reconciliation.
    if (fileSystem !== 'integrationServer') throw new Refusal(404, 'File not found');
    return this.found(this.account().jobs.download(fileName));
  }

  private found(found: Found): SandboxReply {
    if (found.kind === 'content') return this.replies.text(found.content);
    if (found.kind === 'unknown') return this.replies.refusal(404, 'File not found');
    if (found.kind === 'failed') return this.replies.refusal(500, found.reason ?? 'An unexpected error occurred');
    switch (found.form) {
      case 'empty':
        return this.replies.text('');
      case 'envelope404':
        return this.replies.refusal(404, 'File not found');
      case 'http404':
        return this.replies.text('File not found', 404);
      case 'textNotFound':
        return this.replies.text('File not found');
      case 'envelope500':
        return this.replies.refusal(500, 'Generic error');
    }
  }

  private rateLimited(retryAfter: number | null): SandboxReply {
    const reply = this.replies.refusal(429, RATE_LIMITED, this.settings.rateLimitStatus);
    if (retryAfter === null) return reply;
    return { ...reply, headers: { ...reply.headers, 'retry-after': String(retryAfter) } };
  }

  private unauthenticated(): SandboxReply {
    const form = this.settings.badCredentials;
    if (form === 'http403') return this.replies.text('403 - Invalid Credentials', 403);
    return this.replies.refusal(form === 'envelope500' ? 500 : 401, 'Authentication error');
  }
}

/**
 * A limit of the sandbox's FreeMarker is said at once and in its own words. What the vendor could not read either is
 * accepted like any job and then never finishes: nothing says that it looks at the template before it answers.
 */
function compiled(source: string): Template {
  try {
    return compileTemplate(source);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    if (error.fault === 'UNSUPPORTED') throw new Refusal(500, error.message);
    return {
      render() {
        throw error;
      },
    };
  }
}

function notSimulated(type: string, kind: string): Refusal {
  const known = ['file', 'download', 'reconciliation', 'get', 'create', 'update'].includes(type);
  if (!known) return malformed('type');
  return new Refusal(500, `The sandbox does not simulate the job ${type} ${kind || '(no inputSettings.type)'}.`);
}

function readForm(request: SandboxRequest): Form {
  const none = { job: null, template: '' };
  const type = request.headers['content-type'] ?? '';
  // Only the form: a job in the query string would leave its secret in every log on the way.
  if (request.method !== 'POST' || !/^application\/x-www-form-urlencoded\b/i.test(type)) return none;
  const fields = new URLSearchParams(request.body.toString('utf8'));
  const template = fields.get('template') ?? '';
  try {
    const parsed = jobSchema.safeParse(JSON.parse(fields.get('requestJobDescription') ?? ''));
    return parsed.success ? { job: parsed.data, template } : none;
  } catch {
    return none;
  }
}

function operationOf(request: SandboxRequest, job: Job | null): string {
  if (job === null) return `${request.method} ${request.path}`;
  const kind = job.inputSettings?.type;
  return typeof kind === 'string' ? `${job.type} ${kind}` : job.type;
}
