import { setTimeout as wait } from 'node:timers/promises';
import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import { LRUCache } from 'lru-cache';
import { UpstreamUnavailableError } from '../../errors.js';
import {
  createHttpClient,
  type HttpClient,
  type HttpReply,
  type HttpRequest,
  readFault,
  retryAfterMs,
  TransportFault,
  withReadRetries,
  writeFault,
} from '../http.js';
import { TITLE, X3Auth, type X3Context } from './auth.js';
import { beforeWrite, loginRefused, withoutSecrets } from './failures.js';

/** What a test replaces: waiting and chance. */
export interface X3Runtime {
  readonly delay: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

export const systemRuntime: X3Runtime = {
  delay: async (ms, signal) => {
    try {
      await wait(ms, undefined, signal ? { signal } : {});
    } catch (cause) {
      throw new UpstreamUnavailableError('The process stops; the call to Sage X3 was not made.', {
        code: 'ABORTED',
        cause,
      });
    }
  },
  random: Math.random,
};

export interface X3Call {
  readonly method: 'GET' | 'POST';
  /** Below the base URL, percent-encoded, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface X3Reply {
  readonly status: number;
  readonly text: string;
  /** What `Retry-After` asks for. */
  readonly waitMs: number | null;
}

const READS_AT_ONCE = 4;
const QUEUE_MAX = 10_000;
const READ_ATTEMPTS = 3;
/** A write that has less time than this is not begun. */
const LEAST_WRITE_MS = 1000;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

interface Gate {
  readonly reads: BulkheadPolicy;
  readonly writes: BulkheadPolicy;
}

/** One per system and process, whoever connects to it: what a pool of X3 sessions takes at once is small. */
const gates = new LRUCache<string, Gate>({ max: 10_000 });

function gateOf(context: X3Context): Gate {
  const { writeConcurrency } = context.settings;
  const key = `${context.tenantId}/${context.systemId}/${writeConcurrency}`;
  const known = gates.get(key);
  if (known) return known;
  const gate = { reads: bulkhead(READS_AT_ONCE, QUEUE_MAX), writes: bulkhead(writeConcurrency, QUEUE_MAX) };
  gates.set(key, gate);
  return gate;
}

/** Sends calls: login, time, retries of reads. What an answer means is for `rest.ts`, `soap.ts` and `graphql.ts`. */
export class X3Transport {
  readonly auth: X3Auth;
  private readonly http: HttpClient;
  private readonly gate: Gate;

  constructor(
    readonly context: X3Context,
    private readonly runtime: X3Runtime,
  ) {
    this.http = createHttpClient({
      kind: 'SAGE_X3',
      baseUrl: context.baseUrl,
      timeoutMs: context.settings.readTimeoutSeconds * 1000,
      signal: context.signal,
      logger: context.logger,
      maxBodyBytes: MAX_BODY_BYTES,
    });
    this.auth = new X3Auth(context, this.http);
    this.gate = gateOf(context);
  }

  /**
   * Sends one read and hands its answer to `read`; repeats both a few times when that may help.
   * @throws CredentialsError, UpstreamUnavailableError, and what `read` throws.
   */
  async read<T>(call: X3Call, read: (reply: X3Reply) => T | Promise<T>): Promise<T> {
    return withReadRetries(
      async () => read(await this.gate.reads.execute(() => this.authorised(call, false, this.readTimeoutMs()))),
      {
        attempts: READ_ATTEMPTS,
        delay: this.runtime.delay,
        random: this.runtime.random,
        signal: this.context.signal,
      },
    );
  }

  /**
   * Runs a write alone: `write` sends with the `send` it is given, once. Only a refused login, which proves that nothing
   * was executed, leads to a second sending.
   * @param deadline of `performance.now()`; nothing is sent when too little of it is left.
   */
  async write<T>(deadline: number, write: (send: (call: X3Call) => Promise<X3Reply>) => Promise<T>): Promise<T> {
    return this.gate.writes.execute(() => write((call) => this.authorised(call, true, remainingMs(deadline))));
  }

  /** Any answer of the server, whatever it is, shows that it is there; nothing secret is presented. */
  async reach(): Promise<string> {
    const reply = await this.send({ method: 'GET', path: '' }, {}, false, this.readTimeoutMs());
    return `A server answers at this address (HTTP ${reply.status}).`;
  }

  /** Text of the ledger without anything secret in it. */
  async clean(text: string): Promise<string> {
    return withoutSecrets(text, await this.auth.secrets());
  }

  async close(): Promise<void> {
    await this.http.close();
  }

  private readTimeoutMs(): number {
    return this.context.settings.readTimeoutSeconds * 1000;
  }

  private async authorised(call: X3Call, isWrite: boolean, timeoutMs: number): Promise<X3Reply> {
    const startedAt = performance.now();
    // A token that cannot be read leaves the call unsent, or refused with 401: never in doubt.
    const headers = await beforeWrite(() => this.auth.headers());
    // Renewing the login takes time that the write then no longer has.
    const left = () => (isWrite ? remainingMs(startedAt + timeoutMs) : timeoutMs);
    const reply = await this.send(call, headers, isWrite, left());
    if (reply.status !== 401) return reply;
    const others = await beforeWrite(() => this.auth.headersInsteadOf(headers));
    if (others === null) throw loginRefused(reply.text);
    const second = await this.send(call, others, isWrite, left());
    if (second.status === 401) throw loginRefused(second.text);
    return second;
  }

  private async send(
    call: X3Call,
    headers: Readonly<Record<string, string>>,
    isWrite: boolean,
    timeoutMs: number,
  ): Promise<X3Reply> {
    const request: HttpRequest = {
      method: call.method,
      path: call.path,
      headers: {
        accept: 'application/json',
        'x-requested-with': 'stateless',
        'user-agent': 'ledgergate',
        ...call.headers,
        ...headers,
      },
      ...(call.body === undefined ? {} : { body: call.body }),
      timeoutMs,
      freshConnection: isWrite,
    };
    try {
      return this.replyOf(await this.http.send(request));
    } catch (error) {
      if (!(error instanceof TransportFault)) throw error;
      throw isWrite ? writeFault(error, TITLE) : readFault(error, TITLE);
    }
  }

  private replyOf(reply: HttpReply): X3Reply {
    return {
      status: reply.status,
      text: reply.body.toString('utf8').replace(/^\uFEFF/, ''),
      waitMs: retryAfterMs(reply, this.context.clock.now()),
    };
  }
}

function remainingMs(deadline: number): number {
  const remaining = Math.floor(deadline - performance.now());
  if (remaining >= LEAST_WRITE_MS) return remaining;
  throw new UpstreamUnavailableError('Sage X3 was too busy to take the document in time. Nothing was sent.', {
    code: 'NOT_STARTED',
  });
}
