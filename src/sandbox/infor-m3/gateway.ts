import { z } from 'zod';
import { type Exchange, htmlPage, json, type SandboxReply, type SandboxRequest } from '../kit/index.js';
import { answerRevoke, answerToken, authOperation, TENANT, type Tokens } from './access.js';
import type { M3Company } from './company.js';
import { MiError } from './failures.js';
import { readDateFormat, type Values } from './fields.js';
import { answerMessaging, MESSAGING_PATH, readMessage } from './messaging.js';
import { badRequest, type Outcome, type ReplyOptions, replyV1, replyV2 } from './replies.js';
import type { CallContext, MiRunner } from './runner.js';
import type { InforM3Settings } from './settings.js';

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const bulkSchema = z.looseObject({
  program: z.string().optional(),
  cono: text.optional(),
  divi: text.optional(),
  excludeEmptyValues: z.boolean().optional(),
  rightTrim: z.boolean().optional(),
  maxReturnedRecords: z.coerce.number().int().min(0).optional(),
  dateformat: z.string().optional(),
  transactions: z.array(
    z.looseObject({
      transaction: z.string(),
      record: z.record(z.string(), text).default({}),
      selectedColumns: z.array(z.string()).optional(),
    }),
  ),
});

interface MiRequest {
  version: 'v1' | 'v2';
  program: string | undefined;
  transaction: string | undefined;
  /** Options by lower-case name, from the matrix and, where that counts, from the query. */
  options: ReadonlyMap<string, string>;
  fields: Values;
}

/** What a client can make go wrong at the next call; for tests and demos. */
export interface GatewayMischief {
  /** The next bulk call is terminated after so many transactions; null = none is. */
  terminateBulkAfter: number | null;
  /** The next writes by GET reach M3 twice, as through an intermediary that retries. */
  repeatWrites: number;
  /** So many of the next writes meet a record that somebody else holds, and do nothing. */
  lockWrites: number;
}

const NO_MISCHIEF: GatewayMischief = { terminateBulkAfter: null, repeatWrites: 0, lockWrites: 0 };

/** The ION API gateway of one tenant: tokens, MI programs and messages behind one address. */
export class M3Gateway {
  /** How often each operation was called. */
  readonly requests = new Map<string, number>();
  readonly mischief: GatewayMischief = { ...NO_MISCHIEF };
  private readonly remembered = new Map<string, { until: number; reply: SandboxReply }>();

  constructor(
    private readonly company: M3Company,
    private readonly runner: MiRunner,
    private readonly tokens: Tokens,
    private readonly settings: InforM3Settings,
    private readonly nowMs: () => number,
  ) {}

  /** Prepares a request. The token is admitted now and the work is done by `commit`. */
  exchange(request: SandboxRequest): Exchange {
    if (request.target.length > this.settings.urlLimitBytes) {
      return this.unauthorised('too long', () => htmlPage(414, 'Request-URI Too Long'));
    }
    const auth = authOperation(request.path);
    if (auth === 'token') {
      const grant = new URLSearchParams(request.body.toString('utf8')).get('grant_type') ?? '';
      return this.unauthorised(`token ${grant}`.trim(), () => answerToken(this.tokens, this.settings, request));
    }
    if (auth === 'revoke') return this.unauthorised('revoke', () => answerRevoke(this.tokens, this.settings, request));
    if (request.path.startsWith(MESSAGING_PATH)) return this.messaging(request);
    const mi = readMiRequest(request, this.settings);
    return mi === undefined ? this.unauthorised('unknown', notFound) : this.programs(request, mi);
  }

  forget(): void {
    this.requests.clear();
    this.remembered.clear();
    Object.assign(this.mischief, NO_MISCHIEF);
  }

  private count(operation: string): void {
    this.requests.set(operation, (this.requests.get(operation) ?? 0) + 1);
  }

  private unauthorised(operation: string, commit: () => SandboxReply): Exchange {
    this.count(operation);
    return { operation, commit, ...this.refusals() };
  }

  private refusals(): Pick<Exchange, 'rateLimited' | 'serverError'> {
    return {
      rateLimited: (seconds) => {
        const { throttleStatus, retryAfterHeader } = this.settings;
        const headers: Record<string, string> = retryAfterHeader ? { 'retry-after': String(seconds) } : {};
        return json(throttleStatus, { error: 'Quota or rate limit of the API was exceeded' }, headers);
      },
      serverError: () => json(500, { error: 'Internal Server Error' }),
    };
  }

  /** An exchange for those with a token. Work that was admitted stays admitted, also when it is committed late. */
  private authorised(operation: string, request: SandboxRequest, work: () => SandboxReply): Exchange {
    let token = this.tokens.admit(request.headers.authorization);
    return {
      operation,
      ...this.refusals(),
      expireSession: () => {
        if (token !== undefined) this.tokens.end(token);
        token = undefined;
      },
      commit: () => {
        if (token === undefined) return json(401, { error: 'invalid_token' }, { 'www-authenticate': 'Bearer' });
        this.company.jobs.settle();
        return work();
      },
    };
  }

  private messaging(request: SandboxRequest): Exchange {
    const operation = `message ${request.path.slice(MESSAGING_PATH.length)}`;
    this.count(operation);
    return this.authorised(operation, request, () => {
      const message = readMessage(request);
      return answerMessaging(this.company, this.settings, request, message);
    });
  }

  private programs(request: SandboxRequest, mi: MiRequest): Exchange {
    const isThere = mi.version === 'v1' ? this.settings.v1 : this.settings.v2;
    if (!isThere) return this.unauthorised('unknown', notFound);
    if (request.method === 'POST' && mi.version === 'v2' && this.settings.bulk) return this.bulk(request, mi);
    const { program, transaction } = mi;
    if (program === undefined || transaction === undefined) return this.unauthorised('unknown', notFound);
    if (request.method !== 'GET') return this.unauthorised('unknown', () => htmlPage(405, 'Method Not Allowed'));
    const name = `${program}/${transaction}`;
    const isWrite = this.runner.isWrite(program, transaction);
    this.count(name);
    return this.authorised(`${name} ${isWrite ? 'write' : 'read'} ${mi.version}`, request, () =>
      this.cached(request, () => {
        const repeats = isWrite && this.mischief.repeatWrites > 0;
        if (repeats) {
          this.mischief.repeatWrites -= 1;
          this.single(request, mi, program, transaction);
        }
        return this.single(request, mi, program, transaction);
      }),
    );
  }

  /** An intermediary that caches answers an address it has seen without asking M3. */
  private cached(request: SandboxRequest, work: () => SandboxReply): SandboxReply {
    if (this.settings.cacheMs === 0) return work();
    const found = this.remembered.get(request.target);
    if (found !== undefined && found.until > this.nowMs()) return found.reply;
    const reply = work();
    this.remembered.set(request.target, { until: this.nowMs() + this.settings.cacheMs, reply });
    return reply;
  }

  private single(request: SandboxRequest, mi: MiRequest, program: string, transaction: string): SandboxReply {
    const wantsJson = /json/i.test(String(request.headers.accept ?? ''));
    let options = plainOptions(mi.options, wantsJson);
    let outcome: Outcome;
    try {
      options = { ...options, dates: readDateFormat(mi.options.get('dateformat')) };
      outcome = this.runOne(program, transaction, mi.fields, contextOf(mi.options, options));
    } catch (error) {
      if (!(error instanceof MiError)) throw error;
      outcome = { transaction, input: mi.fields, error };
    }
    if (mi.version === 'v1') return replyV1(program, outcome, this.settings, options);
    return replyV2([outcome], this.settings, options);
  }

  private runOne(program: string, transaction: string, sent: Values, context: CallContext): Outcome {
    if (this.mischief.lockWrites > 0 && this.runner.isWrite(program, transaction)) {
      this.mischief.lockWrites -= 1;
      return { transaction, input: sent, error: new MiError('Record is locked by another user', 'XRL0001') };
    }
    return this.runner.run(program, transaction, sent, context);
  }

  private bulk(request: SandboxRequest, mi: MiRequest): Exchange {
    const parsed = bulkSchema.safeParse(parseJson(request.body.toString('utf8')));
    const plain = plainOptions(mi.options, true);
    const program = (parsed.data?.program ?? mi.program ?? '').toUpperCase();
    if (!parsed.success || program === '') {
      this.count('bulk');
      const error = new MiError('The body is no bulk request', 'XMI0005');
      return this.authorised('bulk', request, () => badRequest(error, plain));
    }
    const { data } = parsed;
    const names = [...new Set(data.transactions.map(({ transaction }) => `${program}/${transaction}`))];
    for (const { transaction } of data.transactions) this.count(`${program}/${transaction}`);
    const isWrite = data.transactions.some(({ transaction }) => this.runner.isWrite(program, transaction));
    return this.authorised(`bulk ${names.join(' ')} ${isWrite ? 'write' : 'read'} v2`, request, () => {
      try {
        return this.runBulk(program, data, plain, mi.options);
      } catch (error) {
        if (error instanceof MiError) return badRequest(error, plain);
        throw error;
      }
    });
  }

  /** Not atomic: what came before a failure stays (Infor M3: bulk). */
  private runBulk(
    program: string,
    data: z.output<typeof bulkSchema>,
    plain: ReplyOptions,
    query: ReadonlyMap<string, string>,
  ): SandboxReply {
    const options: ReplyOptions = {
      ...plain,
      excludeEmpty: data.excludeEmptyValues ?? plain.excludeEmpty,
      rightTrim: data.rightTrim ?? plain.rightTrim,
      dates: readDateFormat(data.dateformat ?? query.get('dateformat')),
    };
    const base = contextOf(query, options);
    const context: CallContext = {
      ...base,
      company: data.cono ?? base.company,
      division: data.divi?.toUpperCase() ?? base.division,
      maxRecords: data.maxReturnedRecords ?? base.maxRecords,
    };
    const end = this.mischief.terminateBulkAfter ?? Number.POSITIVE_INFINITY;
    this.mischief.terminateBulkAfter = null;
    const outcomes: Outcome[] = [];
    let stopped = false;
    for (const { transaction, record, selectedColumns } of data.transactions) {
      if (stopped || outcomes.length >= end) {
        outcomes.push({ transaction, input: record, notProcessed: true });
        continue;
      }
      const outcome = this.runOne(program, transaction, record, context);
      const columns = selectedColumns !== undefined && selectedColumns.length > 0 ? new Set(selectedColumns) : null;
      outcomes.push('rows' in outcome && columns !== null ? onlyColumns(outcome, columns) : outcome);
      stopped = 'error' in outcome && this.settings.bulkStopsAtError;
    }
    return replyV2(outcomes, this.settings, options);
  }
}

function onlyColumns(outcome: Extract<Outcome, { rows: Values[] }>, columns: ReadonlySet<string>): Outcome {
  return { ...outcome, output: outcome.output.filter(({ name }) => columns.has(name)) };
}

function notFound(): SandboxReply {
  return htmlPage(404, 'Not Found');
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Reads the address: `{tenant}/M3/m3api-rest/[v2/]execute/PROGRAM/Transaction;name=value?FIELD=value`. */
function readMiRequest(request: SandboxRequest, settings: InforM3Settings): MiRequest | undefined {
  const mark = request.target.indexOf('?');
  const path = (mark < 0 ? request.target : request.target.slice(0, mark)).split('/').slice(1);
  const matrix = new Map<string, string>();
  const segments = path.map((segment) => {
    const [name = '', ...parameters] = segment.split(';');
    for (const parameter of parameters) {
      const [key = '', ...rest] = parameter.split('=');
      matrix.set(decodeURIComponent(key).toLowerCase(), decodeURIComponent(rest.join('=')));
    }
    return decodeURIComponent(name);
  });
  const [tenant, m3, api, ...below] = segments;
  if (tenant !== TENANT || m3 !== 'M3' || api !== 'm3api-rest') return undefined;
  const version = below[0] === 'v2' ? 'v2' : 'v1';
  const [execute, program, transaction, ...more] = version === 'v2' ? below.slice(1) : below;
  if (execute !== 'execute' || more.length > 0) return undefined;
  const options = new Map<string, string>();
  const fields: Record<string, string> = {};
  for (const [name, value] of request.query) {
    // Fields are written in capitals; whatever else is in the query is an option, and v1 takes none from there.
    if (/^[A-Z0-9]{4}$/.test(name)) fields[name] = value;
    else if (version === 'v2' && (name.toLowerCase() !== 'maxrecs' || settings.queryMaxrecs)) {
      options.set(name.toLowerCase(), value);
    }
  }
  for (const [name, value] of matrix) options.set(name, value);
  return { version, program: program?.toUpperCase(), transaction, options, fields };
}

function contextOf(options: ReadonlyMap<string, string>, { dates }: ReplyOptions): CallContext {
  const asked = options.get('maxrecs');
  return {
    company: options.get('cono') || undefined,
    division: options.get('divi')?.toUpperCase(),
    maxRecords: asked !== undefined && /^\d+$/.test(asked) ? Number(asked) : undefined,
    dates,
  };
}

function plainOptions(options: ReadonlyMap<string, string>, wantsJson: boolean): ReplyOptions {
  const columns = (options.get('returncols') ?? '').split(',').filter(Boolean);
  return {
    columns: columns.length === 0 ? null : new Set(columns),
    excludeEmpty: (options.get('excludeempty') ?? options.get('excludempty')) === 'true',
    rightTrim: options.get('righttrim') !== 'false',
    dates: 'YMD8',
    extended: options.get('extendedresult') === 'true',
    metadata: options.get('metadata') !== 'false',
    pretty: !['COMPACT', 'UNFORMATTED'].includes((options.get('format') ?? 'PRETTY').toUpperCase()),
    wantsJson,
  };
}
