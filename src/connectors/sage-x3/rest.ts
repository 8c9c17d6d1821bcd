import {
  ConfigurationError,
  type LedgergateError,
  OutcomeUnknownError,
  PermissionError,
  UnreadableReplyError,
} from '../../errors.js';
import { representationOf } from './config.js';
import { diagnosesIn, fits, quote, statusOnRead, statusOnWrite } from './failures.js';
import { isObject, type Json, type JsonObject, objectsIn, parseJson, textOf } from './json.js';
import type { X3Reply, X3Transport } from './transport.js';

/** The REST Web API of Syracuse (`/api1/…`): stateless, paged by the server's own links. */

export interface RestSource {
  readonly class: string;
  readonly representation?: string | undefined;
}

/** Far above any list: a server whose pages never end is not waited for. */
const PAGES_MAX = 20_000;

/** `FIELD eq 'value'`; a quote inside is doubled. */
export function equals(field: string, value: string): string {
  return `${field} eq '${value.replaceAll("'", "''")}'`;
}

export class RestApi {
  private readonly root: string;

  constructor(private readonly transport: X3Transport) {
    this.root = `api1/x3/erp/${encodeURIComponent(transport.context.settings.folder)}`;
  }

  /** Names of the Syracuse endpoints that this user may see. */
  async endpoints(): Promise<string[]> {
    const path = 'api1/syracuse/collaboration/syracuse/endPoints?representation=endPoints.$query&count=100';
    const body = await this.get(path, 'the list of endpoints');
    return objectsIn(body.$resources).map(
      (resource) => textOf(resource.dataset) || textOf(resource.name) || textOf(resource.description),
    );
  }

  /** Pages of a list, to the end. An empty page is given too. */
  async *pages(
    source: RestSource,
    options: { where?: string; orderBy?: readonly string[]; count?: number } = {},
  ): AsyncIterable<JsonObject[]> {
    const { rest } = this.transport.context.settings;
    const parts = [
      `representation=${encodeURIComponent(representationOf(source))}.$query`,
      `count=${options.count ?? rest.pageSize}`,
      ...(options.where === undefined ? [] : [`where=${encodeURIComponent(options.where)}`]),
      ...(options.orderBy ? [`orderBy=${encodeURIComponent(options.orderBy.join(rest.orderBySeparator))}`] : []),
    ];
    const what = `the list ${source.class}`;
    let path: string | null = `${this.root}/${source.class}?${parts.join('&')}`;
    const seen = new Set<string>();
    while (path !== null) {
      if (seen.has(path) || seen.size >= PAGES_MAX) {
        throw new UnreadableReplyError(`Sage X3's ${what} does not come to an end.`);
      }
      seen.add(path);
      const body: JsonObject = await this.get(path, what);
      if (!Array.isArray(body.$resources)) {
        throw new UnreadableReplyError(`Sage X3's answer to ${what} has no $resources.`);
      }
      yield objectsIn(body.$resources);
      path = this.nextOf(body);
    }
  }

  /** One record; null when X3 says that it does not exist, which it does under HTTP 200. */
  async details(source: RestSource, key: readonly string[]): Promise<JsonObject | null> {
    const { missing } = this.transport.context.settings.errorPatterns;
    const path = `${this.root}/${source.class}(${keyLiteral(key)})?representation=${encodeURIComponent(representationOf(source))}.$details`;
    return this.transport.read({ method: 'GET', path }, async (reply) => {
      const body = this.bodyOf(reply, `the record ${source.class}`);
      const problems = body === null ? [] : diagnosesIn(body);
      if (problems.length > 0 && problems.every((problem) => fits(problem, missing))) return null;
      return this.checked(reply, body, problems, `the record ${source.class}`);
    });
  }

  /** The values that a new record would begin with: shows that the class and its facet are there, and writes nothing. */
  async template(source: RestSource & { readonly facet: string }): Promise<JsonObject> {
    const path = `${this.root}/${source.class}/$template?representation=${encodeURIComponent(representationOf(source))}.${source.facet}`;
    return this.get(path, `the values of a new ${source.class}`);
  }

  /**
   * POST on a create facet. A status of success proves little: what counts is that no diagnosis is an error.
   * @returns the answer with its diagnoses, whatever they say. @throws when there is no answer to go by.
   */
  async create(
    send: (call: { method: 'POST'; path: string; headers: Record<string, string>; body: string }) => Promise<X3Reply>,
    source: RestSource & { readonly facet: string },
    body: unknown,
  ): Promise<{ body: JsonObject; problems: string[] }> {
    const reply = await send({
      method: 'POST',
      path: `${this.root}/${source.class}?representation=${encodeURIComponent(representationOf(source))}.${source.facet}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const isSuccess = reply.status === 200 || reply.status === 201;
    let answer: JsonObject | null = null;
    try {
      answer = this.bodyOf(reply, 'a write');
    } catch (error) {
      if (!(error instanceof UnreadableReplyError)) throw error;
      if (isSuccess) throw new OutcomeUnknownError(`${error.userMessage} It must be asked whether the write happened.`);
    }
    const problems = answer === null ? [] : await this.cleaned(problemsOf(answer, isSuccess));
    // The words of a refusal count under 4xx too. A 5xx may come after the commit, whatever it says.
    if (
      answer !== null &&
      (isSuccess || (reply.status >= 400 && reply.status < 500 && reply.status !== 429 && problems.length > 0))
    ) {
      return { body: answer, problems };
    }
    throw statusOnWrite(reply.status, reply.waitMs);
  }

  // ── pieces ─────────────────────────────────────────────────────────────────────────────────

  private async get(path: string, what: string): Promise<JsonObject> {
    return this.transport.read({ method: 'GET', path }, async (reply) => {
      const body = this.bodyOf(reply, what);
      return this.checked(reply, body, body === null ? [] : diagnosesIn(body), what);
    });
  }

  /** null = no JSON under a status that is no success. @throws UnreadableReplyError no JSON under HTTP 200. */
  private bodyOf(reply: X3Reply, what: string): JsonObject | null {
    let body: Json;
    try {
      body = parseJson(reply.text, what);
    } catch (error) {
      if (reply.status === 200 || reply.status === 201) throw error;
      return null;
    }
    if (isObject(body)) return body;
    if (reply.status === 200 || reply.status === 201) {
      throw new UnreadableReplyError(`Sage X3's answer to ${what} is not a JSON object.`);
    }
    return null;
  }

  private async checked(
    reply: X3Reply,
    body: JsonObject | null,
    problems: readonly string[],
    what: string,
  ): Promise<JsonObject> {
    if (reply.status === 200 && body !== null && problems.length === 0) return body;
    const texts = await this.cleaned(body === null ? [] : problemsOf(body, false));
    if (reply.status !== 200 || body === null) throw refusedRead(reply, texts, what);
    throw new PermissionError(`Sage X3 refused to answer ${what}: ${quote(texts)}.`, { detail: { messages: texts } });
  }

  private async cleaned(texts: readonly string[]): Promise<string[]> {
    return Promise.all(texts.map((text) => this.transport.clean(text)));
  }

  /**
   * The link to the next page, as the server made it. Behind a proxy it names the internal host: path and query count, the
   * origin stays ours, so that the login is never sent to another host.
   */
  private nextOf(body: JsonObject): string | null {
    const links = isObject(body.$links) ? body.$links : {};
    const next = isObject(links.$next) ? textOf(links.$next.$url) : '';
    if (next === '') return null;
    const { baseUrl } = this.transport.context;
    const url = URL.parse(next, `${baseUrl.replace(/\/+$/, '')}/`);
    const at = url?.pathname.indexOf('/api1/') ?? -1;
    if (url === null || at < 0)
      throw new UnreadableReplyError('Sage X3’s link to the next page leads nowhere in its Web API.');
    return `${url.pathname.slice(at + 1)}${url.search}`;
  }
}

function keyLiteral(key: readonly string[]): string {
  return `'${encodeURIComponent(key.map((part) => part.replaceAll("'", "''")).join('~')).replaceAll("'", '%27')}'`;
}

/** Diagnoses; where an answer that is no success has none, its bare message. */
function problemsOf(body: JsonObject, isSuccess: boolean): string[] {
  const problems = diagnosesIn(body);
  const message = textOf(body.$message) || textOf(body.message);
  return problems.length === 0 && !isSuccess && message !== '' ? [message] : problems;
}

function refusedRead(reply: X3Reply, texts: readonly string[], what: string): LedgergateError {
  // An unknown property in a `where` comes as HTTP 500: repeating the question does not help.
  const isQuestion = reply.status === 500 && texts.some((text) => /propert|field|column|unknown|invalid/i.test(text));
  if (isQuestion) {
    return new ConfigurationError(
      `Sage X3 does not understand the question for ${what}: ${quote(texts)}. Check that the representation shows that field, and the names in the settings.`,
      { code: 'QUESTION_REFUSED', detail: { messages: texts } },
    );
  }
  return statusOnRead(reply.status, texts.join(' '), reply.waitMs);
}
