import { bulkhead as createBulkhead, isBulkheadRejectedError } from 'cockatiel';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import type { SystemKind } from '../domain/vocabulary.js';
import {
  ConfigurationError,
  LedgergateError,
  OutcomeUnknownError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '../errors.js';
import type { Logger } from '../logger.js';
import { vendorCalls } from '../telemetry.js';

/**
 * The one HTTP client of all connectors. It moves bytes and says exactly what went wrong on the way; what a status code
 * means is the connector's business. It never repeats a call: only `withReadRetries` does, and only around reads.
 *
 * Neither an error nor a log line made here holds a query string, a header or a body.
 */

// ── faults ───────────────────────────────────────────────────────────────────────────────────

export type TransportFaultCode =
  /** Name not found, connection refused, TLS handshake failed, connect timeout: no byte of the request left. */
  | 'NOT_CONNECTED'
  /** Our own queue in front of the vendor is full. */
  | 'TOO_MANY_CALLS'
  /** The caller's signal ended it (the process stops). */
  | 'ABORTED'
  | 'TIMEOUT'
  /** Reset, closed, or an answer that is not HTTP. */
  | 'BROKEN'
  | 'BODY_TOO_LARGE';

/** No usable HTTP answer came back. Connectors turn it into one of the product's errors; see `readFault`, `writeFault`. */
export class TransportFault extends Error {
  constructor(
    readonly faultCode: TransportFaultCode,
    /** true = no byte of the request was written, so the other side cannot have acted on it. */
    readonly certainlyNotSent: boolean,
    /** What was called: method, origin and path. */
    readonly target: string,
    reason: string,
  ) {
    super(`${target}: ${reason}`);
    this.name = 'TransportFault';
  }
}

/** What a fault on a read, or on any call that may be repeated freely, means. */
export function readFault(fault: TransportFault, systemTitle: string): UpstreamUnavailableError {
  return new UpstreamUnavailableError(`${systemTitle} could not be reached (${fault.message}).`, {
    code: fault.faultCode,
    detail: { target: fault.target },
    cause: fault,
  });
}

/** What a fault on a write means: repeatable only if it certainly never left. */
export function writeFault(fault: TransportFault, systemTitle: string): LedgergateError {
  if (fault.certainlyNotSent) return readFault(fault, systemTitle);
  return new OutcomeUnknownError(
    `${systemTitle} gave no clear answer to a write (${fault.message}). It must be asked whether the write happened.`,
    { detail: { target: fault.target, fault: fault.faultCode }, cause: fault },
  );
}

// ── client ───────────────────────────────────────────────────────────────────────────────────

export interface HttpClientOptions {
  /** Whose calls these are, for figures about them. */
  readonly kind?: SystemKind;
  /** Requests with a relative `path` are appended to it, behind its own path. */
  readonly baseUrl?: string;
  /** Longest time of one call, from leaving the queue to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Longest time to get a connection; by default the smaller of 10 s and `timeoutMs`. */
  readonly connectTimeoutMs?: number;
  /** Ends every call in flight, e.g. when the process stops. */
  readonly signal?: AbortSignal | undefined;
  readonly logger: Logger;
  readonly maxBodyBytes: number;
  /** At most `concurrent` calls at once and `queued` waiting; without it, unlimited. */
  readonly bulkhead?: { readonly concurrent: number; readonly queued: number };
  /** PEM certificates to trust besides the system's, for systems inside a company's own network. */
  readonly trustedCertificates?: string;
}

export type QueryPairs = readonly (readonly [name: string, value: string])[];

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Relative to the base URL, or a whole URL. Must already be percent-encoded; a query belongs in `query`. */
  readonly path: string;
  /** Encoded here; names may repeat. */
  readonly query?: QueryPairs;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /**
   * Opens a connection of its own. For writes: a kept-alive connection that the other side has just closed would turn
   * a write that never arrived into one whose outcome is unknown.
   */
  readonly freshConnection?: boolean;
}

export interface HttpReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface HttpClient {
  /**
   * Sends one request once. Any status is an answer; redirects are not followed.
   * @throws TransportFault no complete answer came back.
   * @throws ConfigurationError the address is not a usable http(s) URL.
   */
  send(call: HttpRequest): Promise<HttpReply>;
  /** Closes idle connections and ends calls in flight. */
  close(): Promise<void>;
}

/** @throws ConfigurationError the base URL is unusable. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const base = options.baseUrl === undefined ? null : usableUrl(options.baseUrl);
  const keepAlive = createAgent(options, 1);
  // Pipelining 0 makes undici open one connection per request and close it afterwards.
  const fresh = createAgent(options, 0);
  const gate = options.bulkhead && createBulkhead(options.bulkhead.concurrent, options.bulkhead.queued);

  async function send(call: HttpRequest): Promise<HttpReply> {
    const url = targetOf(base, call);
    const target = `${call.method} ${url.origin}${url.pathname}`;
    const agent = call.freshConnection ? fresh : keepAlive;
    if (!gate) return exchange(agent, options, call, url, target);
    try {
      return await gate.execute(() => exchange(agent, options, call, url, target));
    } catch (error) {
      if (!isBulkheadRejectedError(error)) throw error;
      throw new TransportFault('TOO_MANY_CALLS', true, target, 'too many calls are waiting already');
    }
  }

  return {
    send,
    async close() {
      await Promise.all([keepAlive.destroy(), fresh.destroy()]);
    },
  };
}

function createAgent(options: HttpClientOptions, pipelining: 0 | 1): Agent {
  const connectTimeoutMs = options.connectTimeoutMs ?? Math.min(10_000, options.timeoutMs);
  const connect = buildConnector({
    timeout: connectTimeoutMs,
    ...(options.trustedCertificates ? { ca: options.trustedCertificates } : {}),
  });
  return new Agent({
    connect,
    pipelining,
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    maxResponseSize: options.maxBodyBytes,
  });
}

async function exchange(
  agent: Agent,
  options: HttpClientOptions,
  call: HttpRequest,
  url: URL,
  target: string,
): Promise<HttpReply> {
  const timeoutMs = call.timeoutMs ?? options.timeoutMs;
  const deadline = AbortSignal.timeout(timeoutMs);
  const outer = [options.signal, call.signal].filter((signal) => signal !== undefined);
  if (outer.some((signal) => signal.aborted)) {
    throw new TransportFault('ABORTED', true, target, 'the call was ended on our side');
  }
  const startedAt = performance.now();
  let mayHaveBeenSent = false;
  // undici calls onRequestStart once it holds a live connection, immediately before it writes. A request that fails
  // earlier cannot have reached anybody, whatever the error is called.
  const dispatcher = agent.compose((dispatch) => (dispatchOptions, handler) => {
    const watched = watchStart(handler, () => {
      mayHaveBeenSent = true;
    });
    return dispatch(dispatchOptions, watched);
  });
  try {
    const reply = await request(url, {
      dispatcher,
      method: call.method,
      headers: { ...call.headers },
      body: call.body ?? null,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: AbortSignal.any([deadline, ...outer]),
    });
    const body = Buffer.from(await reply.body.arrayBuffer());
    const latencyMs = Math.round(performance.now() - startedAt);
    vendorCalls.publish({ kind: options.kind, status: reply.statusCode, fault: null, latencyMs });
    options.logger.debug({ target, status: reply.statusCode, latencyMs, bytes: body.length }, 'http answer');
    return { status: reply.statusCode, headers: reply.headers, body };
  } catch (error) {
    const aborted = outer.some((signal) => signal.aborted);
    const fault = faultOf(error, { mayHaveBeenSent, aborted, timedOut: deadline.aborted, target });
    const latencyMs = Math.round(performance.now() - startedAt);
    vendorCalls.publish({ kind: options.kind, status: null, fault: fault.faultCode, latencyMs });
    options.logger.debug({ target, fault: fault.faultCode, certainlyNotSent: fault.certainlyNotSent }, 'http fault');
    throw fault;
  }
}

function watchStart(handler: Dispatcher.DispatchHandler, onStart: () => void): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller, context) {
      handler.onRequestStart?.(controller, context);
      // A call whose signal ended while it waited for the connection aborts itself in here, before anything is written.
      if (!controller.aborted) onStart();
    },
    onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
    onResponseStart: (...args) => handler.onResponseStart?.(...args),
    onResponseData: (...args) => handler.onResponseData?.(...args),
    onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
    onResponseError: (...args) => handler.onResponseError?.(...args),
  };
}

interface FaultFacts {
  readonly mayHaveBeenSent: boolean;
  readonly aborted: boolean;
  readonly timedOut: boolean;
  readonly target: string;
}

function faultOf(error: unknown, facts: FaultFacts): TransportFault {
  const { target } = facts;
  const notSent = !facts.mayHaveBeenSent;
  const code = codeOf(error);
  if (facts.aborted) return new TransportFault('ABORTED', notSent, target, 'the call was ended on our side');
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new TransportFault('BODY_TOO_LARGE', notSent, target, 'the answer is larger than is accepted');
  }
  if (notSent) return new TransportFault('NOT_CONNECTED', true, target, `no connection (${code ?? 'timeout'})`);
  if (facts.timedOut || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return new TransportFault('TIMEOUT', false, target, 'no complete answer in time');
  }
  return new TransportFault('BROKEN', false, target, `the connection broke (${code ?? 'unknown reason'})`);
}

/** The machine-readable code only: messages of lower layers may quote what was sent. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return codeOf(error.cause);
}

function usableUrl(text: string): URL {
  const url = URL.parse(text);
  if (url && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '') {
    return url;
  }
  throw new ConfigurationError('The address is not an http(s) URL without a user name in it.', {
    code: 'BAD_BASE_URL',
  });
}

function targetOf(base: URL | null, call: HttpRequest): URL {
  const isWhole = /^https?:\/\//i.test(call.path);
  if (!isWhole && base === null) {
    throw new ConfigurationError('A call needs a whole URL when the client has no base URL.', { code: 'BAD_BASE_URL' });
  }
  const prefix = base === null ? '' : base.href.replace(/[?#].*$/, '').replace(/\/+$/, '');
  const url = usableUrl(isWhole ? call.path : `${prefix}/${call.path.replace(/^\/+/, '')}`);
  for (const [name, value] of call.query ?? []) url.searchParams.append(name, value);
  return url;
}

// ── answers ──────────────────────────────────────────────────────────────────────────────────

/** One header's value; null when absent. A repeated header gives its first value. */
export function headerOf(reply: Pick<HttpReply, 'headers'>, name: string): string | null {
  const value = reply.headers[name.toLowerCase()];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/** Milliseconds that a `Retry-After` header asks for (seconds or an HTTP date, RFC 9110 §10.2.3); null when absent or unreadable. */
export function retryAfterMs(reply: Pick<HttpReply, 'headers'>, now: Date): number | null {
  const text = headerOf(reply, 'retry-after')?.trim();
  if (!text) return null;
  if (/^\d{1,7}$/.test(text)) return Number(text) * 1000;
  const until = Date.parse(text);
  return Number.isNaN(until) ? null : Math.max(0, until - now.getTime());
}

// ── retries of reads ─────────────────────────────────────────────────────────────────────────

export interface ReadRetryOptions {
  /** Calls in all, the first included. */
  readonly attempts: number;
  /** Backoff before the second call; doubles with each further one. */
  readonly baseDelayMs?: number;
  /** No single wait is longer. A vendor that asks for more gets it from the job engine: the error is thrown at once. */
  readonly maxDelayMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Resolves after that time, rejects when the signal ends. */
  readonly delay: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
}

/**
 * Repeats a READ that failed with a decision of RETRY. Never put a write in here.
 * The wait is exponential with full jitter between half and the whole of the step, and never shorter than what a
 * throttling vendor asked for.
 * @throws what the last call threw.
 */
export async function withReadRetries<T>(read: (attempt: number) => Promise<T>, options: ReadRetryOptions): Promise<T> {
  const baseDelayMs = options.baseDelayMs ?? 250;
  const maxDelayMs = options.maxDelayMs ?? 20_000;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await read(attempt);
    } catch (error) {
      const isRepeatable = error instanceof LedgergateError && error.decision === 'RETRY';
      if (!isRepeatable || attempt >= options.attempts || options.signal?.aborted) throw error;
      const askedMs = error instanceof RateLimitedError ? (error.retryAfterMs ?? 0) : 0;
      if (askedMs > maxDelayMs) throw error;
      const stepMs = Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
      const jitteredMs = stepMs / 2 + (options.random() * stepMs) / 2;
      await options.delay(Math.max(askedMs, Math.round(jitteredMs)), options.signal);
    }
  }
}
