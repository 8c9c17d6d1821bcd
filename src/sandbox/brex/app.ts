import { createHash } from 'node:crypto';
import type { Exchange, SandboxReply, SandboxRequest } from '../kit/index.js';
import { Access, bearerOf, type Caller, NoCredential } from './access.js';
import { FieldStore } from './fieldStore.js';
import { answerOauth } from './oauth.js';
import { ReceiptShelf } from './receiptShelf.js';
import { type BrexReply, badRequest, notFound, Refusal, toWire } from './replies.js';
import { accountingRoutes } from './routes/accounting.js';
import { accountRoutes } from './routes/accounts.js';
import { fieldRoutes } from './routes/fields.js';
import { Integrations, integrationRoutes } from './routes/integrations.js';
import { spendRoutes } from './routes/spend.js';
import { type Transfer, transferRoutes } from './routes/transfers.js';
import { Vendors, vendorRoutes } from './routes/vendors.js';
import { webhookRoutes } from './routes/webhooks.js';
import { type Call, type Route, Router } from './routing.js';
import type { BrexSeed } from './seed.js';
import type { BrexSettings } from './settings.js';
import type { ShapeContext } from './shapes/context.js';
import { BrexStore } from './store.js';
import { WebhookSender } from './webhookSender.js';

/** Everything the routes work on. */
export interface BrexParts {
  readonly store: BrexStore;
  readonly settings: BrexSettings;
  readonly shapes: ShapeContext;
  readonly fields: FieldStore;
  readonly access: Access;
  readonly integrations: Integrations;
  readonly vendors: Vendors;
  readonly transfers: Map<string, Transfer>;
  readonly webhooks: WebhookSender;
  readonly counts: CountMemory;
}

/** Remembers how many records a filter finds until the data changes, so that paging does not count anew each time. */
export class CountMemory {
  private revision = -1;
  private readonly known = new Map<string, number>();

  count(filters: string, revision: number, compute: () => number): number {
    if (revision !== this.revision) this.known.clear();
    this.revision = revision;
    const known = this.known.get(filters) ?? compute();
    this.known.set(filters, known);
    return known;
  }
}

export interface AppOptions {
  data: BrexSeed;
  settings: BrexSettings;
  randomSeed: number;
  nowMs: () => number;
}

interface Remembered {
  bodyHash: string;
  reply: BrexReply;
}

/** The simulated account behind the HTTP server. */
export class BrexApp {
  readonly parts: BrexParts;
  private readonly router: Router;
  private readonly remembered = new Map<string, Remembered>();

  constructor(options: AppOptions) {
    const { data, settings, nowMs } = options;
    const secrets = data.access.webhookSecrets.map((secret) => ({ ...secret }));
    const webhooks = new WebhookSender(secrets, new Map(), settings, nowMs);
    const fields = new FieldStore(data.fields, data.now);
    const store = new BrexStore(data, settings, (ids) => {
      if (settings.webhooksOnReveal) this.announce(webhooks, ids);
    });
    const receipts = new ReceiptShelf(nowMs);
    const shapes = { seed: data, settings, fields, randomSeed: options.randomSeed, receipts };
    this.parts = {
      ...{ store, settings, shapes, fields, webhooks, access: new Access(data, settings, nowMs) },
      ...{ integrations: new Integrations(data.integration, data.now), vendors: new Vendors(data.vendors) },
      ...{ transfers: new Map(), counts: new CountMemory() },
    };
    this.router = new Router([
      ...spendRoutes(this.parts),
      ...accountRoutes(this.parts),
      ...accountingRoutes(this.parts),
      ...integrationRoutes(this.parts),
      ...fieldRoutes(this.parts),
      ...vendorRoutes(this.parts),
      ...transferRoutes(this.parts),
      ...webhookRoutes(this.parts),
    ]);
  }

  /** One request, prepared for the fault dial. */
  exchange(request: SandboxRequest): Exchange {
    if (this.parts.shapes.receipts.handles(request)) return this.receiptExchange(request);
    const found = this.router.find(request.method, request.path);
    const pattern = found === null || found === 'METHOD' ? request.path : found.route.pattern;
    return {
      operation: `${request.method} ${pattern}`,
      commit: () => toWire(this.answer(request)),
      expireSession: () => this.parts.access.expire(bearerOf(request)),
      rateLimited: () => toWire(this.tooManyRequests(request.path)),
      serverError: (): SandboxReply => {
        const code = request.path.startsWith('/v3/') ? 'INTERNAL_ERROR' : 'INTERNAL_SERVER_ERROR';
        return toWire(
          new Refusal(500, code, 'An unexpected error occurred. Please try again later.').reply(request.path),
        );
      },
    };
  }

  /** The storage behind the links knows neither tokens nor Brex's limits. */
  private receiptExchange(request: SandboxRequest): Exchange {
    const busy: SandboxReply = { status: 503, body: 'SlowDown' };
    return {
      operation: `${request.method} /receipts/:id`,
      commit: () => this.parts.shapes.receipts.answer(request),
      expireSession: () => undefined,
      rateLimited: () => busy,
      serverError: () => busy,
    };
  }

  /** ACCOUNTING_RECORD_READY_FOR_EXPORT for these records, in batches. */
  readyEvents(ids: readonly string[]): Record<string, unknown>[] {
    const events: Record<string, unknown>[] = [];
    const size = this.parts.settings.webhookBatchSize;
    for (let start = 0; start < ids.length; start += size) {
      events.push({
        event_type: 'ACCOUNTING_RECORD_READY_FOR_EXPORT',
        accountingRecordIds: ids.slice(start, start + size),
        companyId: this.parts.store.seed.company.id,
      });
    }
    return events;
  }

  private announce(webhooks: WebhookSender, ids: readonly string[]): void {
    if (ids.length === 0 || webhooks.subscriptions.size === 0) return;
    for (const event of this.readyEvents(ids)) webhooks.background(() => webhooks.send(event));
  }

  private answer(request: SandboxRequest): BrexReply {
    const oauth = answerOauth(this.parts.access, request);
    if (oauth) return oauth;
    try {
      return this.answerCaller(request, this.parts.access.authenticate(request));
    } catch (error) {
      if (error instanceof NoCredential) return { status: 401 };
      if (error instanceof Refusal) return error.reply(request.path);
      throw error;
    }
  }

  private answerCaller(request: SandboxRequest, caller: Caller): BrexReply {
    const { access, settings } = this.parts;
    if (!access.allow(caller.account, settings.rateLimit)) return this.tooManyRequests(request.path);
    const found = this.router.find(request.method, request.path);
    if (found === null) throw notFound();
    if (found === 'METHOD') throw new Refusal(405, 'METHOD_NOT_ALLOWED', 'Method Not Allowed');
    access.authorize(caller, found.route.scopes, request.path);
    const call: Call = { request, path: request.path, query: request.query, caller, params: found.params };
    return this.once(found.route, call);
  }

  /** Answers a repeated Idempotency-Key from memory, so that the effect happens once. */
  private once(route: Route, call: Call): BrexReply {
    const header = call.request.headers['idempotency-key'];
    const key = Array.isArray(header) ? header[0] : header;
    if (!key) {
      if (route.idempotency === 'required') throw badRequest(call.path, 'Idempotency-Key header is required');
      return route.handle(call);
    }
    if (route.idempotency === undefined) return route.handle(call);
    const name = `${call.caller.account} ${route.method} ${call.path} ${key}`;
    const bodyHash = createHash('sha256').update(call.request.body).digest('hex');
    const before = this.remembered.get(name);
    if (before) {
      if (before.bodyHash !== bodyHash && this.parts.settings.idempotencyConflict === 'conflict') {
        throw new Refusal(409, 'CONFLICT', 'Idempotency-Key was used for another request');
      }
      return before.reply;
    }
    const reply = route.handle(call);
    // A copy: what is remembered must not change when the resource does.
    this.remembered.set(name, { bodyHash, reply: structuredClone(reply) });
    return reply;
  }

  private tooManyRequests(path: string): BrexReply {
    const { rateLimitBody, retryAfterSeconds } = this.parts.settings;
    const headers = retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) };
    if (!rateLimitBody) return { status: 429, headers };
    return { ...new Refusal(429, 'RATE_LIMITED', 'Too many requests', null, 'A').reply(path), headers };
  }
}
