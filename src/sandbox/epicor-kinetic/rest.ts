import { type Exchange, htmlPage, type SandboxReply, type SandboxRequest } from '../kit/index.js';
import { type Admitted, COMPANY_ID, jsonHeader, type KineticAccess } from './access.js';
import type { KineticCompany } from './company.js';
import {
  badRequest,
  ERROR_TYPES,
  errorReply,
  internalError,
  KineticError,
  refusal,
  unknownAddress,
} from './failures.js';
import { type Json, JsonNumber, parseJson } from './numbers.js';
import { answerCount, answerEntity, answerList, answerMetadata, type ListRequest, setOf } from './odata.js';
import { writeEntity } from './odataWrites.js';
import type { WireOptions } from './rows.js';
import { Args, checkParameters, type Method, type Outcome, type Service } from './service.js';
import { services } from './services.js';
import { answerIdentityProvider, answerTokenResource } from './tokens.js';

/** The instance's name in every address. */
export const INSTANCE_PATH = '/KineticLive';
export const TOKEN_PATH = '/connect/token';

/** An address taken apart. Segments are decoded one by one, so that a key may hold a slash. */
interface Address {
  apiVersion: 'v1' | 'v2';
  company: string;
  service: Service | undefined;
  serviceName: string;
  rest: string[];
}

interface Prepared {
  /** For fault rules: what it does, the service and the method or set, and the rows that it changes. */
  operation: string;
  /** For the access scope: service and method. */
  scope: string;
  run(admitted: Admitted): SandboxReply;
}

/** The REST surface of the server: finds the method or set, admits the caller, and answers in the server's form. */
export class KineticRest {
  readonly requests = new Map<string, number>();

  constructor(
    private readonly company: KineticCompany,
    private readonly access: KineticAccess,
  ) {}

  /** Prepares a call. User, key, scope and session are checked now; the work is done by `commit`. */
  exchange(request: SandboxRequest): Exchange {
    const path = rawPath(request);
    const context = { access: this.access, settings: this.company.settings };
    if (path === TOKEN_PATH) return this.login('login IdP', () => answerIdentityProvider(context, request));
    if (/^\/KineticLive\/TokenResource\.svc\/?$/.test(path)) {
      return this.login('login TokenResource', () => answerTokenResource(context, request));
    }
    const query = request.target.slice(path.length + 1);
    if (query.length > this.company.settings.queryStringLimit) {
      return fixed('refused', htmlPage(404, '404 - File or directory not found.'));
    }
    try {
      const address = addressOf(path);
      return this.prepare(request, address, this.prepareCall(request, address, optionsOf(query)));
    } catch (error) {
      if (!(error instanceof KineticError)) throw error;
      return this.refused(request, path, error);
    }
  }

  private prepare(request: SandboxRequest, address: Address, call: Prepared): Exchange {
    this.count(call.operation);
    const { apiVersion, company } = address;
    const admit = (): Admitted | KineticError => {
      try {
        return this.access.admit(request, { apiVersion, company, operation: call.scope });
      } catch (error) {
        if (error instanceof KineticError) return error;
        throw error;
      }
    };
    let admitted = admit();
    return {
      operation: call.operation,
      expireSession: () => {
        this.access.endFor(request);
        admitted = admit();
      },
      serverError: internalError,
      commit: () => this.answer(admitted, call),
    };
  }

  private answer(admitted: Admitted | KineticError, call: Prepared): SandboxReply {
    this.company.runAgent();
    if (admitted instanceof KineticError) return errorReply(admitted);
    try {
      return this.company.database.transaction(() => call.run(admitted));
    } catch (error) {
      if (error instanceof KineticError) return errorReply(this.withOwnStatus(error));
      throw error;
    }
  }

  /** Some releases answer refusals by business rules with 500. */
  private withOwnStatus(error: KineticError): KineticError {
    if (error.type !== ERROR_TYPES.business || error.status !== 400) return error;
    return new KineticError(this.company.settings.businessErrorStatus, error.type, error.message, error.place);
  }

  /** An address that does not exist is refused like a call: whoever is not admitted does not learn of it. */
  private refused(request: SandboxRequest, path: string, error: KineticError): Exchange {
    const apiVersion = path.includes('/api/v1/') ? 'v1' : 'v2';
    const company = /\/api\/v2\/odata\/([^/]+)/.exec(path)?.[1] ?? COMPANY_ID;
    const call = { operation: `refused ${path}`, scope: '', run: () => errorReply(error) };
    return this.prepare(request, { apiVersion, company, service: undefined, serviceName: '', rest: [] }, call);
  }

  private login(operation: string, commit: () => SandboxReply): Exchange {
    this.count(operation);
    return { operation, commit, serverError: internalError };
  }

  private count(operation: string): void {
    this.requests.set(operation, (this.requests.get(operation) ?? 0) + 1);
  }

  private prepareCall(request: SandboxRequest, address: Address, options: ReadonlyMap<string, string>): Prepared {
    const { service, rest, apiVersion } = address;
    const [first = '', second] = rest;
    if (service === undefined) throw unknownAddress(address.serviceName);
    if (apiVersion === 'v1') checkCallSettings(request);
    const wire = this.wireOptions(apiVersion);
    if (first === '$metadata') {
      const operation = `read ${service.name}/$metadata`;
      return { operation, scope: service.name, run: () => answerMetadata(service) };
    }
    const method = service.methods[first];
    if (method !== undefined && second === undefined) {
      return this.prepareMethod(request, { address, service, name: first, method, options, wire });
    }
    const keyed = /^(\w+)\((.*)\)$/s.exec(first);
    const setName = keyed?.[1] ?? first;
    const set = setOf(service, setName);
    const serviceAddress = `${originOf(request)}${INSTANCE_PATH}/api/${apiVersion === 'v2' ? `v2/odata/${COMPANY_ID}` : 'v1'}/${service.name}`;
    const { company } = this;
    const list: ListRequest = {
      ...{ company, service, setName, set, options, apiVersion, wire, serviceAddress },
      address: `${serviceAddress}/${first}`,
    };
    const scope = `${service.name}/${setName}`;
    if (request.method !== 'GET') {
      const write = writeEntity(list, request, keyed?.[2]);
      return { operation: `write ${request.method} ${scope}`, scope, run: ({ user }) => write(user) };
    }
    return {
      operation: `read ${scope}`,
      scope,
      run: () =>
        this.read(list, { key: keyed?.[2], isCount: second === '$count', accept: request.headers.accept ?? '' }),
    };
  }

  private read(list: ListRequest, asked: { key: string | undefined; isCount: boolean; accept: string }): SandboxReply {
    if (this.company.settings.odataFailsFor.includes(list.service.name)) return internalError();
    if (asked.isCount) return answerCount(list);
    if (asked.key !== undefined) return answerEntity(list, asked.key);
    const reply = answerList(list);
    if (list.apiVersion === 'v1' && !asked.accept.includes('json')) return atom(list);
    if (!this.company.strikes('truncatedLists')) return reply;
    const text = String(reply.body);
    return { ...reply, body: text.slice(0, Math.ceil(text.length / 2)) };
  }

  private prepareMethod(
    request: SandboxRequest,
    found: {
      address: Address;
      service: Service;
      name: string;
      method: Method;
      options: ReadonlyMap<string, string>;
      wire: WireOptions;
    },
  ): Prepared {
    const { service, name, method, wire } = found;
    const scope = `${service.name}/${name}`;
    const { settings } = this.company;
    this.checkVerb(request.method, method, found.address.apiVersion);
    const args = new Args(request.method === 'GET' ? queryArguments(found.options) : bodyArguments(request));
    const added = settings.addedParameters[scope] ?? [];
    const changed = method.effect === 'write' ? changedTables(args) : [];
    return {
      operation: [method.effect, scope, ...changed].join(' '),
      scope,
      run: ({ user, sessionId }) => {
        checkParameters(method, args, added, settings.extraParameters === 'refuse');
        const { company, access } = this;
        const outcome = method.run({ company, access, user, sessionId, args, wire });
        if (method.effect === 'write' && company.strikes('brokenAnswers')) return internalError();
        if (outcome.failure !== undefined) return errorReply(this.withOwnStatus(outcome.failure));
        return this.outcome(outcome);
      },
    };
  }

  private checkVerb(verb: string, { effect, parameters }: Method, apiVersion: 'v1' | 'v2'): void {
    const { readVerbs } = this.company.settings;
    const mayGet = effect === 'read' && !parameters.includes('ds') && readVerbs !== 'post';
    const mayPost = effect !== 'read' || readVerbs !== 'get' || apiVersion === 'v1';
    if ((verb === 'GET' && mayGet) || (verb === 'POST' && mayPost)) return;
    throw new KineticError(405, ERROR_TYPES.api, 'The requested resource does not support this HTTP method.');
  }

  private outcome({ returnObj, parameters }: Outcome): SandboxReply {
    const { ds, ...rest } = parameters ?? {};
    const atTop = ds !== undefined && this.company.settings.dsAtTopLevel;
    const value = {
      ...(returnObj === undefined ? {} : { returnObj }),
      ...(atTop ? { ds } : {}),
      ...(parameters === undefined ? {} : { parameters: { ...rest, ...(ds === undefined || atTop ? {} : { ds }) } }),
    };
    return { status: 200, headers: { 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(value) };
  }

  private wireOptions(apiVersion: 'v1' | 'v2'): WireOptions {
    const { dateStyle, v1DecimalsAsText } = this.company.settings;
    return { dateStyle, decimalsAsText: apiVersion === 'v1' && v1DecimalsAsText };
  }
}

function addressOf(path: string): Address {
  const segments = path.split('/').filter(Boolean).map(decodeSegment);
  const [instance, api, version, ...more] = segments;
  if (`/${instance}` !== INSTANCE_PATH || api !== 'api') throw unknownAddress(path);
  if (version === 'v1') {
    const [serviceName = '', ...rest] = more;
    return { apiVersion: 'v1', company: COMPANY_ID, service: services.get(serviceName), serviceName, rest };
  }
  const [dialect, company = '', serviceName = '', ...rest] = more;
  if (version !== 'v2' || dialect !== 'odata') throw unknownAddress(path);
  return { apiVersion: 'v2', company, service: services.get(serviceName), serviceName, rest };
}

/** v1 names the company in a header; anything but the own one fails, and everything else in it is passed over. */
function checkCallSettings(request: SandboxRequest): void {
  const header = request.headers.callsettings;
  const company = jsonHeader(header === undefined ? undefined : String(header))?.Company;
  if (typeof company === 'string' && company !== '' && company.toUpperCase() !== COMPANY_ID) {
    throw refusal(`Company ${company} is not valid.`);
  }
}

function rawPath({ target }: SandboxRequest): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest('The address is not encoded correctly.');
  }
}

/** A plus sign is a plus sign here: spaces come as %20. */
function optionsOf(query: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const part of query.split('&').filter(Boolean)) {
    const equals = part.indexOf('=');
    const name = decodeSegment(equals < 0 ? part : part.slice(0, equals));
    options.set(name, equals < 0 ? '' : decodeSegment(part.slice(equals + 1)));
  }
  return options;
}

function queryArguments(options: ReadonlyMap<string, string>): Record<string, Json> {
  const own = [...options].filter(([name]) => name !== 'api-key');
  return Object.fromEntries(own.map(([name, value]) => [name, queryValue(value)]));
}

/** Texts may stand in quotes, numbers and flags are bare. */
function queryValue(value: string): Json {
  const quoted = /^'((?:[^']|'')*)'$/.exec(value);
  if (quoted !== null) return (quoted[1] ?? '').replaceAll("''", "'");
  return value === 'true' || value === 'false' ? value === 'true' : value;
}

function bodyArguments(request: SandboxRequest): Record<string, Json> {
  if (!String(request.headers['content-type'] ?? '').includes('json')) {
    throw new KineticError(415, ERROR_TYPES.api, 'The media type is not supported.');
  }
  let value: Json;
  try {
    value = parseJson(request.body.toString('utf8'));
  } catch {
    throw badRequest('The body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof JsonNumber) {
    throw badRequest('The body is not an object.');
  }
  return value;
}

/** `APInvDtl:A` for each table and state among the rows of a write, so that a rule can tell a header from a line. */
function changedTables(args: Args): string[] {
  const ds = args.raw('ds');
  if (typeof ds !== 'object' || ds === null || Array.isArray(ds) || ds instanceof JsonNumber) return [];
  const changed = new Set<string>();
  for (const [table, rows] of Object.entries(ds)) {
    for (const row of Array.isArray(rows) ? rows : []) {
      const state = typeof row === 'object' && row !== null && 'RowMod' in row ? row.RowMod : '';
      if (typeof state === 'string' && state !== '') changed.add(`${table}:${state}`);
    }
  }
  return [...changed];
}

/** What v1 answers where nobody asked for JSON. */
function atom({ serviceAddress, setName }: ListRequest): SandboxReply {
  const body = `<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><id>${serviceAddress}/${setName}</id></feed>`;
  return { status: 200, headers: { 'content-type': 'application/atom+xml;type=feed;charset=utf-8' }, body };
}

function originOf({ headers }: SandboxRequest): string {
  return `http://${headers.host ?? '127.0.0.1'}`;
}

function fixed(operation: string, reply: SandboxReply): Exchange {
  return { operation, commit: () => reply };
}
