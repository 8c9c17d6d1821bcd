import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import type { ZodType } from 'zod';
import {
  ConfigurationError,
  CredentialsError,
  ErpRejectedError,
  type LedgergateError,
  OutcomeUnknownError,
  PermissionError,
  RateLimitedError,
  UnreadableReplyError,
  UpstreamUnavailableError,
} from '../../errors.js';
import type { ConnectionContext } from '../contract.js';
import {
  createHttpClient,
  type HttpClient,
  type HttpReply,
  type HttpRequest,
  headerOf,
  readFault,
  retryAfterMs,
  TransportFault,
  withReadRetries,
  writeFault,
} from '../http.js';
import { type Inputs, pathAndQuery } from './address.js';
import { M3Tokens } from './auth.js';
import type { M3Settings } from './config.js';
import { type MiReply, type Refusal, replyOf, TITLE, unreadableRead, withoutSecrets } from './failures.js';
import type { M3Credentials } from './ionapi.js';
import type { MiRecord } from './wire.js';

const QUEUE_MAX = 10_000;
const MAX_BODY_BYTES = 64 * 1024 * 1024;
/** A write that could not be finished in this time is not begun. */
const LEAST_WRITE_MS = 500;

/** What M3 answered to a read: its records, or its no. */
export type ReadAnswer = Exclude<MiReply, { kind: 'UNREADABLE' }>;

export interface ReadOptions {
  readonly maxrecs?: number;
  readonly columns?: readonly string[];
  /** Division of this call; default as set. */
  readonly division?: string;
}

interface Login {
  readonly token: string;
  /** A part of every path. */
  readonly tenant: string;
}

/** One per system and process, whoever connects to it: writes to a company run one after the other. */
const gates = new Map<string, { reads: BulkheadPolicy; writes: BulkheadPolicy }>();

/**
 * Calls of MI transactions through the ION API gateway. Every one of them is a GET, writes too: reads are repeated, a
 * write is sent once over a connection of its own, and once more only after the gateway said that the token had ended.
 */
export class M3Client {
  readonly tokens: M3Tokens;
  private readonly http: HttpClient;
  private readonly gate: { reads: BulkheadPolicy; writes: BulkheadPolicy };

  constructor(private readonly context: ConnectionContext<M3Credentials, M3Settings>) {
    // The signal goes with each call and not with the client: the revocation of a process that stops must get through.
    this.http = createHttpClient({
      kind: 'INFOR_M3',
      baseUrl: context.baseUrl,
      timeoutMs: context.settings.readTimeoutSeconds * 1000,
      logger: context.logger,
      maxBodyBytes: MAX_BODY_BYTES,
    });
    this.tokens = new M3Tokens(context, this.http);
    const key = `${context.tenantId}/${context.systemId}`;
    const gate = gates.get(key) ?? {
      reads: bulkhead(context.settings.readConcurrency, QUEUE_MAX),
      writes: bulkhead(1, QUEUE_MAX),
    };
    gates.set(key, gate);
    this.gate = gate;
  }

  get settings(): M3Settings {
    return this.context.settings;
  }

  // ── reads ──────────────────────────────────────────────────────────────────────────────────

  /** One call of a transaction that reads. Whether M3's no is an error is the caller's business. */
  async ask(program: string, transaction: string, inputs: Inputs, options: ReadOptions = {}): Promise<ReadAnswer> {
    const operation = `${program}.${transaction}`;
    const attempts = {
      attempts: 3,
      signal: this.context.signal,
      delay: (ms: number, signal?: AbortSignal) => delay(ms, undefined, signal ? { signal } : {}),
      random: Math.random,
    };
    return withReadRetries(
      () =>
        this.gate.reads.execute(async () => {
          const reply = await this.authorised((login) =>
            this.readOnce(this.request(program, transaction, inputs, { maxrecs: 1, ...options }, login)),
          );
          const answer = await this.understood(reply, transaction);
          if (answer.kind !== 'UNREADABLE') return answer;
          if (reply.status !== 200) throw statusOnRead(reply, operation, this.context.clock.now(), this.settings);
          throw unreadableRead(operation, answer.reason);
        }),
      attempts,
    );
  }

  /** Whether anything answers at the gateway's address; needs no token. */
  async reach(): Promise<number> {
    return (await this.readOnce({ method: 'GET', path: '/' })).status;
  }

  private async readOnce(call: HttpRequest): Promise<HttpReply> {
    try {
      const signal = this.context.signal;
      return await this.http.send({ ...call, ...(signal ? { signal } : {}) });
    } catch (error) {
      throw error instanceof TransportFault ? readFault(error, TITLE) : error;
    }
  }

  // ── writes ─────────────────────────────────────────────────────────────────────────────────

  /**
   * Sends one writing transaction once.
   * @param deadline of `performance.now()`; nothing is sent when too little of it is left.
   * @returns what M3 gave back, or its no (this call wrote nothing then).
   * @throws RateLimitedError, UpstreamUnavailableError, CredentialsError, PermissionError it certainly did not run.
   * @throws OutcomeUnknownError anything else.
   */
  async write(
    program: string,
    transaction: string,
    inputs: Inputs,
    deadline: number,
  ): Promise<{ records: readonly MiRecord[] } | { refusal: Refusal }> {
    const operation = `${program}.${transaction}`;
    const reply = await this.sendWrite(operation, deadline, (login) =>
      this.request(program, transaction, inputs, {}, login),
    );
    const answer = await this.understood(reply, transaction);
    if (answer.kind === 'OK') return { records: answer.records };
    if (answer.kind === 'REFUSED') return { refusal: answer.refusal };
    throw unclear(operation, reply.status, answer.reason);
  }

  /** Any POST that writes, e.g. of a message; `{tenant}` in its path is replaced. What a status means is the caller's business. */
  async post(operation: string, call: Omit<HttpRequest, 'method'>, deadline: number): Promise<HttpReply> {
    return this.sendWrite(operation, deadline, ({ token, tenant }) => ({
      ...call,
      method: 'POST',
      path: call.path.replace('{tenant}', encodeURIComponent(tenant)),
      headers: { ...call.headers, authorization: `Bearer ${token}` },
    }));
  }

  private async sendWrite(
    operation: string,
    deadline: number,
    callFor: (login: Login) => HttpRequest,
  ): Promise<HttpReply> {
    return this.gate.writes.execute(async () => {
      const reply = await this.authorised((login) => this.writeOnce(callFor(login), deadline));
      const refused = notStarted(reply, operation, this.context.clock.now(), this.settings);
      if (refused !== null) throw refused;
      return reply;
    });
  }

  private async writeOnce(call: HttpRequest, deadline: number): Promise<HttpReply> {
    const remainingMs = Math.floor(deadline - performance.now());
    if (remainingMs < LEAST_WRITE_MS) {
      throw new UpstreamUnavailableError(`${TITLE} was too busy to take the document in time.`, {
        code: 'NOT_STARTED',
      });
    }
    try {
      const timeoutMs = Math.min(remainingMs, this.settings.readTimeoutSeconds * 1000);
      const signal = this.context.signal;
      return await this.http.send({ ...call, timeoutMs, freshConnection: true, ...(signal ? { signal } : {}) });
    } catch (error) {
      throw error instanceof TransportFault ? writeFault(error, TITLE) : error;
    }
  }

  // ── what both share ────────────────────────────────────────────────────────────────────────

  /**
   * Sends with the current token, and once more with a new one after a 401 of the gateway: that call was refused before
   * it reached M3, so even a write may be sent again.
   */
  private async authorised(send: (login: Login) => Promise<HttpReply>): Promise<HttpReply> {
    const tenant = (await this.context.credentials.read()).ionapi.ti;
    const token = await this.tokens.current();
    const reply = await send({ token, tenant });
    if (!isTokenRefused(reply)) return reply;
    const again = await send({ token: await this.tokens.replacing(token), tenant });
    if (!isTokenRefused(again)) return again;
    throw new CredentialsError(
      'The Infor gateway refused a token that it had just issued. Check that the service account is active and linked to an M3 user.',
      { code: 'TOKEN_REFUSED' },
    );
  }

  private request(
    program: string,
    transaction: string,
    inputs: Inputs,
    options: ReadOptions,
    { token, tenant }: Login,
  ): HttpRequest {
    const { settings } = this.context;
    const { path, query } = pathAndQuery({
      version: settings.apiVersion,
      style: settings.optionStyle,
      program,
      transaction,
      inputs,
      options: {
        cono: String(settings.cono),
        divi: options.division ?? settings.divi,
        ...(options.maxrecs === undefined ? {} : { maxrecs: String(options.maxrecs) }),
        ...(settings.language === undefined ? {} : { lanc: settings.language }),
        ...(options.columns ? { returncols: options.columns.join(',') } : {}),
      },
    });
    return {
      method: 'GET',
      path: `${settings.apiPath.replace('{tenant}', encodeURIComponent(tenant))}/${path}`,
      // Intermediaries that keep answers to GETs must not answer for M3.
      query: [...query, ['_rid', randomUUID()]],
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'cache-control': 'no-store' },
    };
  }

  private async understood(reply: HttpReply, transaction: string): Promise<MiReply> {
    if (/\bhtml\b/i.test(headerOf(reply, 'content-type') ?? '')) return { kind: 'UNREADABLE', reason: 'a web page' };
    const answer = replyOf(reply.body.toString('utf8'), reply.status, transaction);
    if (answer.kind !== 'REFUSED') return answer;
    // Only these two statuses carry M3's own no; beside a 5xx the same words prove nothing.
    if (reply.status !== 200 && reply.status !== 400) {
      return { kind: 'UNREADABLE', reason: `HTTP ${reply.status} with an error text` };
    }
    const text = withoutSecrets(answer.refusal.text, await this.tokens.secrets());
    return { kind: 'REFUSED', refusal: { ...answer.refusal, text } };
  }

  async close(): Promise<void> {
    await this.http.close();
  }
}

// ── pieces ───────────────────────────────────────────────────────────────────────────────────

function isTokenRefused(reply: HttpReply): boolean {
  if (reply.status !== 401) return false;
  // With the body of an MI program it would be M3 that answered, and nobody knows after what.
  return replyOf(reply.body.toString('utf8'), reply.status, '').kind === 'UNREADABLE';
}

/** The answers of the gateway that prove that a write was not passed on; null = no such proof. */
function notStarted(reply: HttpReply, operation: string, now: Date, settings: M3Settings): LedgergateError | null {
  if (isThrottled(reply, settings)) return throttled(reply, now);
  if (reply.status === 403) return entitlementMissing(operation);
  // The HTTP layer turns these down before anything looks at the call.
  if (reply.status === 413 || reply.status === 414 || reply.status === 431) {
    return new ErpRejectedError(
      `The Infor gateway does not take a call of this length (HTTP ${reply.status}); nothing was written. Lower memoLength.`,
      { code: 'DOCUMENT_TOO_LONG', detail: { operation, status: reply.status } },
    );
  }
  return null;
}

function isThrottled(reply: HttpReply, settings: M3Settings): boolean {
  if (reply.status === 429) return true;
  if (reply.status !== 503) return false;
  const body = reply.body.toString('utf8');
  const isPage = /\bhtml\b/i.test(headerOf(reply, 'content-type') ?? '') || /<html/i.test(body);
  return !isPage && new RegExp(settings.throttleBody, 'i').test(body);
}

function throttled(reply: HttpReply, now: Date): RateLimitedError {
  return new RateLimitedError('The Infor gateway asks for fewer calls.', retryAfterMs(reply, now));
}

function entitlementMissing(operation: string): PermissionError {
  return new PermissionError(
    `The Infor gateway does not let the app call ${operation} (HTTP 403). Ask the gateway's administrator for the M3 suite's entitlement, or for the scope that it needs.`,
    { detail: { operation, status: 403 } },
  );
}

function unclear(operation: string, status: number, reason: string): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `${TITLE} answered the write ${operation} with ${reason}. It must be asked whether it happened.`,
    { detail: { operation, status } },
  );
}

function statusOnRead(reply: HttpReply, operation: string, now: Date, settings: M3Settings): LedgergateError {
  const { status } = reply;
  if (isThrottled(reply, settings)) return throttled(reply, now);
  if (status === 403) return entitlementMissing(operation);
  if (status === 404 || status === 405) {
    return new ConfigurationError(
      `There is no M3 API at this address (HTTP ${status}). The base URL is iu of the .ionapi file; check apiPath and apiVersion.`,
      { code: 'WRONG_BASE_URL', detail: { operation, status } },
    );
  }
  return new UpstreamUnavailableError(`${TITLE} answered ${operation} with HTTP ${status}.`, {
    detail: { operation, status },
  });
}

/** @throws UnreadableReplyError a field that is needed is not there; names the fields, never their values. */
export function parsed<T>(schema: ZodType<T>, record: MiRecord, operation: string): T {
  const result = schema.safeParse(record);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new UnreadableReplyError(`${TITLE}'s ${operation} comes without ${fields}.`, { detail: { operation, fields } });
}
