import { setTimeout as delay } from 'node:timers/promises';
import { type BulkheadPolicy, bulkhead } from 'cockatiel';
import type { ZodType } from 'zod';
import {
  ConfigurationError,
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
  type QueryPairs,
  readFault,
  retryAfterMs,
  TransportFault,
  withReadRetries,
  writeFault,
} from '../http.js';
import type { SysproCredentials, SysproSettings } from './config.js';
import {
  isObjectMissing,
  isSessionRefused,
  objectMissingOnRead,
  objectMissingOnWrite,
  queryRefused,
  reportedErrors,
  textErrorOf,
  withoutSecrets,
} from './failures.js';
import { SysproSession, TITLE, textOf } from './session.js';
import { type LogonProfile, logonProfile } from './wire.js';
import {
  cdata,
  childrenOf,
  documentOf,
  element,
  elements,
  type Markup,
  parseXml,
  recordOf,
  textAt,
  type XmlNode,
} from './xml.js';

/** A part of a COMFND where clause. Expressions after the first begin with And or Or, before their bracket. */
export interface Expression {
  readonly andOr?: 'And' | 'Or';
  readonly open?: boolean;
  readonly close?: boolean;
  readonly column: string;
  readonly condition: 'EQ' | 'GT';
  readonly value: string;
}

export interface FindQuery {
  readonly table: string;
  readonly columns: readonly string[];
  readonly where: readonly Expression[];
  readonly orderBy: readonly string[];
  readonly rows: number;
}

/** Two documents of one call: its parameters and its items. */
export interface TransactionCall {
  readonly businessObject: string;
  readonly parameters: Markup;
  readonly items: Markup;
}

/** How many reads of one process run side by side; the service is built for people, not for load. */
const READS_AT_ONCE = 4;
const QUEUE_MAX = 10_000;
/** Reads answered with a refused session are repeated this often; more means that two programs share one operator. */
const SESSIONS_PER_READ = 3;
/** A write that could not even be sent twice in this time is not begun. */
const LEAST_WRITE_MS = 1000;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** One per system and process, whoever connects to it: an operator's writes run one after the other. */
const gates = new Map<string, { reads: BulkheadPolicy; writes: BulkheadPolicy }>();

function gateOf(systemId: string): { reads: BulkheadPolicy; writes: BulkheadPolicy } {
  const known = gates.get(systemId);
  if (known) return known;
  const gate = { reads: bulkhead(READS_AT_ONCE, QUEUE_MAX), writes: bulkhead(1, QUEUE_MAX) };
  gates.set(systemId, gate);
  return gate;
}

/**
 * The calls of the e.net REST service: GET with everything in the query string, and PostLD for large documents.
 * Reads are repeated; a write is sent once, and once more only after the ledger said that its session is not valid.
 */
export class SysproClient {
  readonly session: SysproSession;
  private readonly http: HttpClient;
  private readonly gate: ReturnType<typeof gateOf>;

  constructor(private readonly context: ConnectionContext<SysproCredentials, SysproSettings>) {
    // The signal goes with each call and not with the client: the log-off of a process that stops must still get through.
    this.http = createHttpClient({
      kind: 'SYSPRO',
      baseUrl: context.baseUrl,
      timeoutMs: context.settings.readTimeoutSeconds * 1000,
      logger: context.logger,
      maxBodyBytes: MAX_BODY_BYTES,
    });
    this.session = new SysproSession(context, this.http);
    this.gate = gateOf(`${context.tenantId}/${context.systemId}`);
  }

  /** Needs no session and no licence. */
  async version(): Promise<string> {
    const text = await this.repeatedly(async () => textOf(await this.readOnce('GetVersion', [])));
    if (text === '' || text.length > 100 || text.includes('<')) {
      throw new UnreadableReplyError('Whatever answers at this address, it is not the SYSPRO e.net service.');
    }
    return text;
  }

  async logonProfile(): Promise<LogonProfile> {
    const root = await this.read('GetLogonProfile', []);
    return parsed(logonProfile, recordOf(root), 'GetLogonProfile');
  }

  /** Runs a query business object. Errors inside the reply are left to the caller. */
  async query(businessObject: string, query: Markup): Promise<XmlNode> {
    const pairs: QueryPairs = [
      ['BusinessObject', businessObject],
      ['XmlIn', documentOf(query)],
    ];
    return this.read('Query/Query', pairs, businessObject);
  }

  /** COMFND: the rows of a table, each parsed by `schema`. */
  async find<T>(query: FindQuery, schema: ZodType<T>): Promise<T[]> {
    const root = await this.query('COMFND', comfnd(query));
    const errors = reportedErrors(root);
    if (errors.length > 0) throw queryRefused(`for rows of ${query.table}`, errors);
    if (root.name !== query.table.toLowerCase()) {
      throw new UnreadableReplyError(`SYSPRO answered a search in ${query.table} with <${root.label}>.`);
    }
    const rows = childrenOf(root, 'Row');
    const counted = textAt(root, 'RowsReturned');
    // A reply that says it holds other than it does is not the whole answer, and an absence must never rest on it.
    if (counted !== '' && Number.parseInt(counted, 10) !== rows.length) {
      throw new UnreadableReplyError(`SYSPRO announced ${counted} rows of ${query.table} and sent ${rows.length}.`);
    }
    return rows.map((row) => parsed(schema, recordOf(row), query.table));
  }

  /** Bytes of the URL that a COMFND takes, without address and session. */
  static findBytes(query: FindQuery): number {
    return encodedBytes([['XmlIn', documentOf(comfnd(query))]]);
  }

  /**
   * Transaction/Post, or PostLD above the threshold when that is switched on.
   * @param deadline of `performance.now()`; nothing is sent when too little of it is left.
   * @throws ErpRejectedError too long for a URL; nothing was sent.
   */
  async post(call: TransactionCall, deadline: number): Promise<XmlNode> {
    const { settings } = this.context;
    const bytes = encodedBytes(pairsOf(call)) + this.context.baseUrl.length + 100;
    if (settings.usePostLD && bytes > settings.postLdThresholdBytes) {
      return this.write(call, deadline, (token) => ({
        method: 'POST',
        path: 'Transaction/PostLD',
        headers: { 'content-type': 'application/xml' },
        body: postLdBody(token, call),
      }));
    }
    if (bytes > settings.urlMaxBytes) {
      throw new ErpRejectedError(
        `The document is too long for SYSPRO's Transaction/Post (${bytes} bytes of URL, ${settings.urlMaxBytes} are possible). Nothing was sent. Switch on usePostLD (SYSPRO 8 and later), or lower maxLines or memoLength.`,
        { code: 'DOCUMENT_TOO_LONG', detail: { bytes, bytesMax: settings.urlMaxBytes } },
      );
    }
    return this.write(call, deadline, (token) => ({
      method: 'GET',
      path: 'Transaction/Post',
      query: [['UserId', token], ...pairsOf(call)],
    }));
  }

  async setupAdd(call: TransactionCall, deadline: number): Promise<XmlNode> {
    return this.write(call, deadline, (token) => ({
      method: 'GET',
      path: 'Setup/Add',
      query: [['UserId', token], ...pairsOf(call)],
    }));
  }

  async close(): Promise<void> {
    await this.http.close();
  }

  // ── reads ──────────────────────────────────────────────────────────────────────────────────

  private async read(path: string, pairs: QueryPairs, businessObject = path): Promise<XmlNode> {
    return this.repeatedly(async () => {
      let token = await this.session.token();
      for (let turn = 1; ; turn += 1) {
        const text = textOf(await this.readOnce(path, [['UserId', token], ...pairs]));
        const refusal = textErrorOf(text);
        if (refusal === null) return parseXml(text);
        if (!isSessionRefused(refusal)) throw await this.readRefused(refusal, businessObject, token);
        if (turn === SESSIONS_PER_READ) throw sessionLostAgain();
        token = await this.session.renew(token);
      }
    });
  }

  private async repeatedly<T>(read: () => Promise<T>): Promise<T> {
    const options = {
      attempts: 3,
      signal: this.context.signal,
      delay: (ms: number, signal?: AbortSignal) => delay(ms, undefined, signal ? { signal } : {}),
      random: Math.random,
    };
    return withReadRetries(() => this.gate.reads.execute(read), options);
  }

  private async readOnce(path: string, query: QueryPairs): Promise<HttpReply> {
    try {
      const reply = await this.http.send({ method: 'GET', path, query, signal: this.context.signal });
      if (reply.status !== 200) throw statusOnRead(reply, this.context.clock.now());
      return reply;
    } catch (error) {
      throw error instanceof TransportFault ? readFault(error, TITLE) : error;
    }
  }

  private async readRefused(refusal: string, businessObject: string, token: string): Promise<LedgergateError> {
    if (isObjectMissing(refusal)) return objectMissingOnRead(businessObject);
    const quoted = withoutSecrets(refusal, await this.session.secrets(token));
    return new UpstreamUnavailableError(`SYSPRO did not answer ${businessObject}: "${quoted}".`, {
      code: 'LEDGER_ERROR_TEXT',
    });
  }

  // ── writes ─────────────────────────────────────────────────────────────────────────────────

  private async write(
    { businessObject, items }: TransactionCall,
    deadline: number,
    callFor: (token: string) => HttpRequest,
  ): Promise<XmlNode> {
    return this.gate.writes.execute(async () => {
      let token = await this.session.token();
      for (let turn = 1; ; turn += 1) {
        const text = await this.writeOnce({ ...callFor(token), timeoutMs: remainingMs(deadline) });
        const refusal = textErrorOf(text);
        if (refusal === null) return replyTo(items, text);
        if (!isSessionRefused(refusal)) throw await this.writeRefused(refusal, businessObject, token);
        // Twice the call was refused before it was executed, so it may be tried again later.
        if (turn === 2) throw sessionLostAgain();
        token = await this.session.renew(token);
      }
    });
  }

  private async writeOnce(call: HttpRequest): Promise<string> {
    let reply: HttpReply;
    try {
      reply = await this.http.send({ ...call, signal: this.context.signal, freshConnection: true });
    } catch (error) {
      throw error instanceof TransportFault ? writeFault(error, TITLE) : error;
    }
    if (reply.status !== 200) throw statusOnWrite(reply, call.path, this.context.clock.now());
    return textOf(reply);
  }

  private async writeRefused(refusal: string, businessObject: string, token: string): Promise<LedgergateError> {
    if (isObjectMissing(refusal)) return objectMissingOnWrite(businessObject);
    const quoted = withoutSecrets(refusal, await this.session.secrets(token));
    // Which texts mean that nothing was written is not documented, so only the ledger can tell.
    return new OutcomeUnknownError(`SYSPRO ended a write with "${quoted}", which does not say whether it happened.`, {
      detail: { businessObject, text: quoted },
    });
  }
}

// ── pieces ───────────────────────────────────────────────────────────────────────────────────

function remainingMs(deadline: number): number {
  const remaining = Math.floor(deadline - performance.now());
  if (remaining >= LEAST_WRITE_MS) return remaining;
  throw new UpstreamUnavailableError('SYSPRO was too busy to take the document in time. Nothing was sent.', {
    code: 'NOT_STARTED',
  });
}

/** The reply's root is the input's in lower case; anything else is no answer to this write. */
function replyTo(items: Markup, text: string): XmlNode {
  const expected = /^<([\w-]+)/.exec(items.markup)?.[1]?.toLowerCase();
  let found = 'something unreadable';
  try {
    const root = parseXml(text);
    if (root.name === expected) return root;
    found = `<${root.label}>`;
  } catch (error) {
    if (!(error instanceof UnreadableReplyError)) throw error;
  }
  throw new OutcomeUnknownError(`SYSPRO answered a write with ${found}. It must be asked whether the write happened.`, {
    code: 'OUTCOME_UNKNOWN',
    detail: { expectedRoot: expected ?? null, characters: text.length },
  });
}

function sessionLostAgain(): UpstreamUnavailableError {
  return new UpstreamUnavailableError(
    'SYSPRO ended the session again and again. Another program or person logs on with the same operator: give this connection an operator of its own.',
    { code: 'SESSION_CONTESTED' },
  );
}

function statusOnRead(reply: HttpReply, now: Date): LedgergateError {
  const { status } = reply;
  if (status === 429) return throttled(reply, now);
  if (status === 404 || status === 405) return wrongAddress(status);
  if (status === 401 || status === 403) {
    return new PermissionError(`A server in front of SYSPRO does not let the gateway through (HTTP ${status}).`);
  }
  return new UpstreamUnavailableError(`SYSPRO answered with HTTP ${status}.`, { detail: { status } });
}

function statusOnWrite(reply: HttpReply, path: string, now: Date): LedgergateError {
  const { status } = reply;
  if (status === 429) return throttled(reply, now);
  // The HTTP layer turns these down before the service sees them.
  if (status === 413 || status === 414 || status === 431) {
    return new ErpRejectedError(
      `SYSPRO's server does not take a request of this length (HTTP ${status}); nothing was written. Switch on usePostLD, or lower maxLines or urlMaxBytes.`,
      { code: 'DOCUMENT_TOO_LONG', detail: { status } },
    );
  }
  if ((status === 404 || status === 405) && path === 'Transaction/PostLD') {
    return new ErpRejectedError(
      `This SYSPRO has no Transaction/PostLD (HTTP ${status}); nothing was written. Switch off usePostLD and lower maxLines.`,
      { code: 'POSTLD_MISSING', detail: { status } },
    );
  }
  return new OutcomeUnknownError(
    `SYSPRO answered a write with HTTP ${status}. It must be asked whether the write happened.`,
    { detail: { status } },
  );
}

function throttled(reply: HttpReply, now: Date): RateLimitedError {
  return new RateLimitedError('A server in front of SYSPRO asks for fewer calls.', retryAfterMs(reply, now));
}

function wrongAddress(status: number): ConfigurationError {
  return new ConfigurationError(
    `There is no SYSPRO e.net REST service at this address (HTTP ${status}). The base URL usually ends in /SYSPROWCFService/Rest.`,
    { code: 'WRONG_BASE_URL', detail: { status } },
  );
}

function pairsOf(call: TransactionCall): QueryPairs {
  return [
    ['BusinessObject', call.businessObject],
    ['XmlParameters', documentOf(call.parameters)],
    ['XmlIn', documentOf(call.items)],
  ];
}

function encodedBytes(pairs: QueryPairs): number {
  return new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString().length;
}

function postLdBody(token: string, call: TransactionCall): string {
  return [
    '<TransactionPostLD xmlns="http://SYSPROWcfService">',
    element('UserId', token).markup,
    element('BusinessObject', call.businessObject).markup,
    `<XmlParameters>${cdata(documentOf(call.parameters))}</XmlParameters>`,
    `<XmlIn>${cdata(documentOf(call.items))}</XmlIn>`,
    '</TransactionPostLD>',
  ].join('');
}

function comfnd(query: FindQuery): Markup {
  const expressions = query.where.map((expression) =>
    element('Expression', [
      ...elements({ AndOr: expression.andOr }),
      ...elements({
        OpenBracket: expression.open === false ? undefined : '(',
        Column: expression.column,
        Condition: expression.condition,
        Value: expression.value,
        CloseBracket: expression.close === false ? undefined : ')',
      }),
    ]),
  );
  return element('Query', [
    ...elements({ TableName: query.table, ReturnRows: String(query.rows), AllColumns: 'N' }),
    element(
      'Columns',
      query.columns.map((column) => element('Column', column)),
    ),
    ...(expressions.length > 0 ? [element('Where', expressions)] : []),
    element(
      'OrderBy',
      query.orderBy.map((column) => element('Column', column)),
    ),
  ]);
}

/** @throws UnreadableReplyError a field that is needed is not there; names the fields, never their values. */
export function parsed<T>(schema: ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new UnreadableReplyError(`SYSPRO's ${what} comes without ${fields}.`, { detail: { what, fields } });
}
