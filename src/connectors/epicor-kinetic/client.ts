import { setTimeout as delay } from 'node:timers/promises';
import type { ZodType } from 'zod';
import { ConfigurationError } from '../../errors.js';
import type { ConnectionContext } from '../contract.js';
import {
  createHttpClient,
  type HttpClient,
  type HttpReply,
  type HttpRequest,
  readFault,
  TransportFault,
  withReadRetries,
  writeFault,
} from '../http.js';
import { KineticAuth } from './auth.js';
import type { KineticCredentials, KineticSettings } from './config.js';
import {
  type Failure,
  type FailureFacts,
  failureOf,
  isRefusal,
  loginRefused,
  readError,
  TITLE,
  unreadableRead,
  unreadableWrite,
  writeError,
} from './failures.js';
import { isRecord, parseExact, type Row, writeExact } from './json.js';
import { emptyReply, type MethodReply, methodReply, parsedRow, saved } from './replies.js';
import { contextHeaders, followable, parameterParts, type QueryPart, servicePath, withQuery } from './url.js';
import type { Work } from './work.js';

export interface ListQuery<T> {
  readonly service: string;
  readonly set: string;
  readonly select: readonly string[];
  readonly filter?: string;
  /** A unique key, so that pages neither overlap nor leave anything out. */
  readonly orderBy: string;
  readonly schema: ZodType<T>;
  readonly keyOf: (row: T) => string;
  /** Goes on behind the last key instead of skipping rows, for tables in which rows come and go meanwhile. */
  readonly after?: (last: T) => string;
}

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const QUEUE_MAX = 10_000;
const READ_ATTEMPTS = 3;
/** A list longer than this does not end. */
const PAGES_MAX = 20_000;
/** How often a throttled call of a begun document is sent again, and how long a wait is sat out. */
const THROTTLED_TURNS = 5;
const THROTTLED_WAIT_MS = 20_000;

/**
 * The calls of the REST service. Reads, and methods that only compute rows, are repeated; a write is sent once, and again
 * only after the ledger refused it before it was executed: an access token that ended (401), or a throttle (429).
 */
export class KineticClient {
  readonly auth: KineticAuth;
  private readonly http: HttpClient;
  private readonly settings: KineticSettings;
  /** The server does not take GET for methods. */
  private readsByPost = false;

  constructor(private readonly context: ConnectionContext<KineticCredentials, KineticSettings>) {
    this.settings = context.settings;
    this.http = createHttpClient({
      kind: 'EPICOR_KINETIC',
      baseUrl: context.baseUrl,
      timeoutMs: this.settings.readTimeoutSeconds * 1000,
      logger: context.logger,
      maxBodyBytes: MAX_BODY_BYTES,
      bulkhead: { concurrent: this.settings.parallelism, queued: QUEUE_MAX },
    });
    this.auth = new KineticAuth(context, this.http);
  }

  /** Calls without any login, to see who answers at this address. */
  async probe(): Promise<HttpReply> {
    return this.send({
      method: 'GET',
      path: servicePath(this.settings, 'Erp.BO.GLBookSvc', 'GLBooks'),
      headers: JSON_HEADERS,
    });
  }

  /** What a reply with HTTP 200 is judged with. */
  async facts(operation: string): Promise<FailureFacts> {
    const { settings, context } = this;
    return { settings, secrets: await this.auth.secrets(), now: context.clock.now(), operation };
  }

  // ── lists ──────────────────────────────────────────────────────────────────────────────────

  /**
   * All rows of an entity set, page by page. The server cuts pages at a cap of its own that nobody can ask for, so a
   * short page is not the end: only an empty one is.
   * @throws UnreadableReplyError a row lacks a column that is needed, or the list does not get on.
   */
  async *list<T>(query: ListQuery<T>, work?: Work): AsyncIterable<T[]> {
    const seen = new Set<string>();
    let skip = 0;
    let last: T | null = null;
    let path = this.listPath(query, skip, last);
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const { rows, nextLink } = await this.page(query, path, work);
      const fresh = rows.filter((row) => !seen.has(query.keyOf(row)));
      for (const row of fresh) seen.add(query.keyOf(row));
      if (rows.length === 0 && nextLink === null) return;
      if (fresh.length === 0) {
        // The same rows again: the server does not move on, and what is behind them cannot be seen.
        throw unreadableRead(`${query.service}/${query.set}`, 'the same page again');
      }
      yield fresh;
      skip += rows.length;
      last = rows.at(-1) ?? last;
      path = nextLink ?? this.listPath(query, skip, last);
    }
    throw unreadableRead(`${query.service}/${query.set}`, 'a list that does not come to an end');
  }

  /** All rows at once, for questions with few answers. */
  async all<T>(query: ListQuery<T>, work?: Work): Promise<T[]> {
    const rows: T[] = [];
    for await (const page of this.list(query, work)) rows.push(...page);
    return rows;
  }

  private listPath<T>(query: ListQuery<T>, skip: number, last: T | null): string {
    const behind = last !== null && query.after ? query.after(last) : null;
    const filters = [query.filter, behind].filter((part) => part !== null && part !== undefined);
    const filter = filters.length > 1 ? filters.map((part) => `(${part})`).join(' and ') : (filters[0] ?? '');
    const parts: QueryPart[] = [
      ['$select', query.select.join(',')],
      ...(filter === '' ? [] : [['$filter', filter] as const]),
      ['$orderby', query.orderBy],
      ['$top', String(this.settings.pageSize)],
      ...(behind === null && skip > 0 ? [['$skip', String(skip)] as const] : []),
    ];
    return withQuery(servicePath(this.settings, query.service, query.set), parts);
  }

  private async page<T>(
    query: ListQuery<T>,
    path: string,
    work: Work | undefined,
  ): Promise<{ rows: T[]; nextLink: string | null }> {
    const operation = `${query.service}/${query.set}`;
    return this.repeatedly(work, async () => {
      const reply = await this.admitted((headers) => ({ method: 'GET', path, headers }), work, operation);
      if (reply.status !== 200) throw onRead(await this.failure(reply, operation), operation);
      const body = parseExact(reply.body.toString('utf8'))?.value;
      if (!isRecord(body) || !Array.isArray(body.value))
        throw unreadableRead(operation, 'something that is not a list');
      const link = body['@odata.nextLink'] ?? body['odata.nextLink'];
      const nextLink = typeof link === 'string' && link !== '' ? followable(this.context.baseUrl, link) : null;
      return { rows: body.value.map((row) => parsedRow(query.schema, row, operation)), nextLink };
    });
  }

  // ── methods ────────────────────────────────────────────────────────────────────────────────

  /** A method that only reads. @returns null when the ledger says that there is no such record. */
  async read(
    service: string,
    method: string,
    parameters: Readonly<Record<string, unknown>>,
    work?: Work,
  ): Promise<MethodReply | null> {
    const operation = `${service}/${method}`;
    return this.repeatedly(work, async () => {
      const reply = await this.readCall(service, method, this.withExtras(operation, parameters), work);
      if (reply.status === 204) return emptyReply;
      if (reply.status !== 200) {
        const failure = await this.failure(reply, operation);
        if (failure.kind === 'notFound' && failure.isEpicor) return null;
        throw onRead(failure, operation);
      }
      const found = methodReply(reply);
      if (found === null) throw unreadableRead(operation, 'something that is not JSON');
      return found;
    });
  }

  private async readCall(
    service: string,
    method: string,
    parameters: Readonly<Record<string, unknown>>,
    work: Work | undefined,
  ): Promise<HttpReply> {
    const path = servicePath(this.settings, service, method);
    const operation = `${service}/${method}`;
    if (this.settings.readVerb === 'GET' && !this.readsByPost) {
      const get = withQuery(path, parameterParts(parameters));
      const reply = await this.admitted((headers) => ({ method: 'GET', path: get, headers }), work, operation);
      if (reply.status !== 405 && reply.status !== 404) return reply;
      if ((await this.failure(reply, operation)).kind === 'notFound') return reply;
      this.readsByPost = true;
    }
    return this.admitted((headers) => post(path, headers, parameters), work, operation);
  }

  /**
   * A method that computes rows or checks something and stores nothing (GetNew…, Change…, Validate…), so it may be repeated.
   * @throws ErpRejectedError, PeriodClosedError the ledger turned down what was proposed.
   */
  async ask(
    service: string,
    method: string,
    parameters: Readonly<Record<string, unknown>>,
    work: Work,
    options: { readonly isVoid?: boolean } = {},
  ): Promise<MethodReply> {
    const operation = `${service}/${method}`;
    const body = this.withExtras(operation, parameters);
    return this.repeatedly(work, async () => {
      const reply = await this.askCall(servicePath(this.settings, service, method), body, work, operation);
      if (reply.status === 204) return emptyReply;
      if (reply.status !== 200) throw readError(await this.failure(reply, operation), operation);
      const answer = methodReply(reply);
      if (answer !== null) return answer;
      if (options.isVoid && reply.body.length === 0) return emptyReply;
      throw unreadableRead(operation, reply.body.length === 0 ? 'an empty body' : 'something that is not JSON');
    });
  }

  /** By POST; a server may count a check that takes no rows among the reads, which go by GET. */
  private async askCall(path: string, body: Row, work: Work, operation: string): Promise<HttpReply> {
    const reply = await this.admitted((headers) => post(path, headers, body), work, operation);
    if (reply.status !== 405 || 'ds' in body) return reply;
    const get = withQuery(path, parameterParts(body));
    return this.admitted((headers) => ({ method: 'GET', path: get, headers }), work, operation);
  }

  /**
   * A method that stores something. Sent once.
   * @param options.isVoid it answers nothing; whether it worked is read back by the caller.
   * @throws ErpRejectedError, PeriodClosedError a clear no: nothing was stored.
   * @throws RateLimitedError, UpstreamUnavailableError, CredentialsError, PermissionError, ConfigurationError not executed.
   * @throws OutcomeUnknownError anything else.
   */
  async write(
    service: string,
    method: string,
    parameters: Readonly<Record<string, unknown>>,
    work: Work,
    options: { readonly isVoid?: boolean } = {},
  ): Promise<MethodReply> {
    const operation = `${service}/${method}`;
    const path = servicePath(this.settings, service, method);
    const body = this.withExtras(operation, parameters);
    for (let turn = 1; ; turn += 1) {
      const reply = await this.writeOnce((headers) => post(path, headers, body), work, operation);
      if (reply.status === 204) return emptyReply;
      if (reply.status !== 200 && reply.status !== 201) {
        const failure = await this.failure(reply, operation);
        if (failure.status === 429 && turn < THROTTLED_TURNS && (await this.waited(failure, work))) continue;
        throw writeError(failure, operation, this.settings);
      }
      const answer = methodReply(reply);
      if (answer !== null) return saved(answer, await this.facts(operation));
      if (options.isVoid && reply.body.length === 0) return { ...emptyReply, isEmpty: true };
      throw unreadableWrite(operation, reply.body.length === 0 ? 'an empty body' : 'something that is not JSON');
    }
  }

  async close(): Promise<void> {
    await this.http.close();
  }

  // ── one call ───────────────────────────────────────────────────────────────────────────────

  /** A throttle in the middle of a document is sat out, because what is half done would only have to be done again. */
  private async waited(failure: Failure, work: Work): Promise<boolean> {
    const waitMs = failure.retryAfterMs ?? 1000;
    if (!work.hasBegun || waitMs > THROTTLED_WAIT_MS || waitMs > work.remainingMs) return false;
    try {
      await delay(waitMs, undefined, { signal: this.signalOf(work) });
      return true;
    } catch {
      return false;
    }
  }

  private async writeOnce(
    callFor: (headers: Record<string, string>) => HttpRequest,
    work: Work,
    operation: string,
  ): Promise<HttpReply> {
    const send = async (headers: Record<string, string>) => {
      const timeoutMs = work.timeForWrite(this.settings.writeTimeoutSeconds * 1000);
      const call = { ...callFor(headers), timeoutMs, freshConnection: true, signal: this.context.signal };
      try {
        return await this.http.send(call);
      } catch (error) {
        throw error instanceof TransportFault ? writeFault(error, TITLE) : error;
      }
    };
    return this.withRenewal(send, operation);
  }

  /** A repeatable call, presented with what opens the door now. */
  private async admitted(
    callFor: (headers: Record<string, string>) => HttpRequest,
    work: Work | undefined,
    operation: string,
  ): Promise<HttpReply> {
    return this.withRenewal((headers) => this.send({ ...callFor(headers), signal: this.signalOf(work) }), operation);
  }

  /** Sends, and sends once more with a new token when the ledger refused the old one before it did anything. */
  private async withRenewal(
    send: (headers: Record<string, string>) => Promise<HttpReply>,
    operation: string,
  ): Promise<HttpReply> {
    for (let turn = 1; ; turn += 1) {
      const { headers, renewable } = await this.auth.present();
      const reply = await send({ ...JSON_HEADERS, ...contextHeaders(this.settings), ...headers });
      if (reply.status !== 401) return reply;
      const failure = await this.failure(reply, operation);
      const canHelp = failure.kind !== 'apiKey' && failure.kind !== 'accessDenied';
      if (renewable === null || !canHelp || turn === 2) throw loginRefused(failure, operation);
      await this.auth.renew(renewable);
    }
  }

  private async send(call: HttpRequest): Promise<HttpReply> {
    try {
      return await this.http.send({ signal: this.context.signal, ...call });
    } catch (error) {
      throw error instanceof TransportFault ? readFault(error, TITLE) : error;
    }
  }

  private repeatedly<T>(work: Work | undefined, read: () => Promise<T>): Promise<T> {
    return withReadRetries(read, {
      attempts: READ_ATTEMPTS,
      signal: this.signalOf(work),
      delay: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
      random: Math.random,
    });
  }

  private signalOf(work: Work | undefined): AbortSignal | undefined {
    const { signal } = this.context;
    if (!work) return signal;
    return signal ? AbortSignal.any([signal, work.signal]) : work.signal;
  }

  private async failure(reply: HttpReply, operation: string): Promise<Failure> {
    return failureOf(reply, await this.facts(operation));
  }

  private withExtras(operation: string, parameters: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const name = operation.replace(/^.*\.(?=\w+Svc\/)/, '');
    return { ...this.settings.extraMethodParams[name], ...parameters };
  }
}

// ── pieces ───────────────────────────────────────────────────────────────────────────────────

const JSON_HEADERS = { accept: 'application/json' } as const;

function post(path: string, headers: Record<string, string>, body: unknown): HttpRequest {
  return {
    method: 'POST',
    path,
    headers: { ...headers, 'content-type': 'application/json' },
    body: writeExact(body),
  };
}

/** A refused question about data is a matter of set-up or rights, not of a document. */
function onRead(failure: Failure, operation: string): Error {
  const error = readError(failure, operation);
  if (!isRefusal(error)) return error;
  return new ConfigurationError(`Epicor Kinetic refused to answer ${operation}: "${failure.message}".`, {
    code: 'QUERY_REFUSED',
    detail: error.detail,
    cause: error,
  });
}
