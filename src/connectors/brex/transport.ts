import { setTimeout as wait } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { ZodType } from 'zod';
import { LedgergateError, OutcomeUnknownError, UnreadableReplyError, UpstreamUnavailableError } from '../../errors.js';
import type { ConnectionContext } from '../contract.js';
import {
  createHttpClient,
  type HttpClient,
  type HttpReply,
  headerOf,
  type QueryPairs,
  readFault,
  TransportFault,
  withReadRetries,
  writeFault,
} from '../http.js';
import { type AccessTokens, createAccessTokens } from './auth.js';
import { CallBudget } from './budget.js';
import type { BrexCredentials, BrexSettings } from './config.js';
import { type BrexFailure, errorOf, failureOf, isTokenRefusal } from './failures.js';
import { type ParsedJson, parseJson } from './json.js';

export type BrexContext = ConnectionContext<BrexCredentials, BrexSettings>;

/** What a test replaces: waiting, randomness and the monotonic clock of the call budget. */
export interface BrexRuntime {
  readonly delay: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly monotonicMs: () => number;
}

export const systemRuntime: BrexRuntime = {
  delay: async (ms, signal) => {
    try {
      await wait(ms, undefined, signal ? { signal } : {});
    } catch (cause) {
      throw new UpstreamUnavailableError('The process stops; the call to Brex was not made.', {
        code: 'ABORTED',
        cause,
      });
    }
  },
  random: Math.random,
  monotonicMs: () => performance.now(),
};

const READ_ATTEMPTS = 4;
/** Brex's throttle counts over a minute and names no wait, so a repeat is not hurried. */
const READ_BASE_DELAY_MS = 500;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export interface BrexCall {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Ids inside are percent-encoded. */
  readonly path: string;
  readonly query?: QueryPairs;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

/** Sends calls to Brex: token, budget, retries of reads, and errors. What the calls are is `client.ts`. */
export interface BrexTransport {
  /**
   * Reads; repeats itself a few times when Brex is unavailable or throttles.
   * @returns null when Brex answers 404.
   * @throws CredentialsError, PermissionError, RateLimitedError, UpstreamUnavailableError, UnreadableReplyError,
   * ConfigurationError Brex refused the question itself.
   */
  read(call: BrexCall): Promise<ParsedJson | null>;
  /**
   * Writes once. Only a refused token, which proves that nothing happened, leads to a second sending.
   * @returns the answer of a success, and any other answer that `expected` names, as a failure to look at.
   * @throws OutcomeUnknownError it may have happened. InputError Brex read it and said no.
   */
  write(call: BrexCall, expected?: readonly number[]): Promise<ParsedJson | BrexFailure>;
  close(): Promise<void>;
}

// Connections to one system share one budget, however many the engine opens in this process.
const budgets = new LRUCache<string, CallBudget>({ max: 10_000 });

function budgetOf(context: BrexContext): CallBudget {
  const perMinute = context.settings.requestsPerMinute;
  const key = `${context.tenantId}/${context.systemId}/${perMinute}`;
  const known = budgets.get(key);
  if (known) return known;
  const made = new CallBudget(perMinute);
  budgets.set(key, made);
  return made;
}

export function createTransport(context: BrexContext, runtime: BrexRuntime): BrexTransport {
  const http = createHttpClient({
    kind: 'BREX',
    baseUrl: context.baseUrl,
    timeoutMs: context.settings.timeoutSeconds * 1000,
    signal: context.signal,
    logger: context.logger,
    maxBodyBytes: MAX_BODY_BYTES,
  });
  const tokens = createAccessTokens({
    vault: context.credentials,
    http,
    tokenUrl: context.settings.tokenUrl,
    refreshTokenDays: context.settings.refreshTokenDays,
    clock: context.clock,
  });
  return new Transport(context, runtime, http, tokens, budgetOf(context));
}

class Transport implements BrexTransport {
  private readonly host: string;

  constructor(
    private readonly context: BrexContext,
    private readonly runtime: BrexRuntime,
    private readonly http: HttpClient,
    private readonly tokens: AccessTokens,
    private readonly budget: CallBudget,
  ) {
    this.host = new URL(context.baseUrl).hostname;
  }

  async read(call: BrexCall): Promise<ParsedJson | null> {
    return withReadRetries(
      async () => {
        const reply = await this.authorised(call);
        if (reply.status === 404) return null;
        if (reply.status !== 200) throw this.errorFor(call, failureOf(reply, this.context.clock.now()));
        return parseJson(reply.body.toString('utf8'), operationOf(call));
      },
      {
        attempts: READ_ATTEMPTS,
        baseDelayMs: READ_BASE_DELAY_MS,
        delay: this.runtime.delay,
        random: this.runtime.random,
        signal: this.context.signal,
      },
    );
  }

  async write(call: BrexCall, expected: readonly number[] = []): Promise<ParsedJson | BrexFailure> {
    const reply = await this.authorised(call);
    if (reply.status >= 200 && reply.status < 300) {
      try {
        return parseJson(reply.body.toString('utf8'), operationOf(call));
      } catch (error) {
        throw unclearReply(operationOf(call), error);
      }
    }
    const failure = failureOf(reply, this.context.clock.now());
    if (expected.includes(reply.status)) return failure;
    throw this.errorFor(call, failure);
  }

  async close(): Promise<void> {
    await this.http.close();
  }

  /** Presents the token; on a refusal renews it once and presents the new one once. */
  private async authorised(call: BrexCall): Promise<HttpReply> {
    const token = await this.tokens.current();
    const reply = await this.send(call, token);
    if (reply.status !== 401 && reply.status !== 403) return reply;
    const failure = failureOf(reply, this.context.clock.now());
    if (!isTokenRefusal(failure)) return reply;
    // The former host refuses every token on v3 paths; renewing there would only spend refresh tokens.
    const error = this.errorFor(call, failure);
    if (error.decision !== 'PAUSE_CONNECTION') throw error;
    return this.send(call, await this.tokens.replacing(token));
  }

  private async send(call: BrexCall, token: string): Promise<HttpReply> {
    const waitMs = this.budget.reserve(this.runtime.monotonicMs());
    if (waitMs > 0) await this.runtime.delay(waitMs, this.context.signal);
    try {
      const reply = await this.http.send({
        method: call.method,
        path: call.path,
        ...(call.query ? { query: call.query } : {}),
        headers: headersOf(call, token),
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        freshConnection: call.method !== 'GET',
      });
      if (reply.status >= 400) this.logFailure(call, reply);
      return reply;
    } catch (error) {
      if (!(error instanceof TransportFault)) throw error;
      throw call.method === 'GET' ? readFault(error, 'Brex') : writeFault(error, 'Brex');
    }
  }

  /** Brex's support asks for the trace id. */
  private logFailure(call: BrexCall, reply: HttpReply): void {
    this.context.logger.warn(
      { operation: operationOf(call), status: reply.status, traceId: headerOf(reply, 'x-brex-trace-id') },
      'Brex refused a call',
    );
  }

  private errorFor(call: BrexCall, failure: BrexFailure): LedgergateError {
    return errorOf(failure, { operation: operationOf(call), isWrite: call.method !== 'GET', host: this.host });
  }
}

function headersOf(call: BrexCall, token: string): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    'user-agent': 'ledgergate',
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(call.idempotencyKey === undefined ? {} : { 'idempotency-key': call.idempotencyKey }),
  };
}

export function operationOf(call: BrexCall): string {
  return `${call.method} ${call.path}`;
}

export function unclearReply(operation: string, cause: unknown): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `Brex answered ${operation} with success, but the answer cannot be read. It must be asked whether the write happened.`,
    { cause: cause instanceof LedgergateError ? cause : undefined },
  );
}

/** @throws UnreadableReplyError the answer does not have the form that Brex documents; names the fields only. */
export function readAs<T>(schema: ZodType<T>, value: unknown, operation: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.slice(0, 5).map((issue) => issue.path.join('.') || '(whole answer)');
  throw new UnreadableReplyError(`Brex's answer to ${operation} does not have the documented form.`, {
    detail: { fields },
  });
}
