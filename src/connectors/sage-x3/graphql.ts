import { ConfigurationError, type LedgergateError, PermissionError, UnreadableReplyError } from '../../errors.js';
import { fits, oneLine, quote, statusOnRead } from './failures.js';
import { isObject, type Json, type JsonObject, objectsIn, parseJson, textOf } from './json.js';
import type { X3Transport } from './transport.js';

/** GraphQL (Xtrem): read only. Filters are strings of relaxed JSON, so values are escaped here and nowhere else. */

/** Far above any list: a server whose pages never end is not waited for. */
const PAGES_MAX = 20_000;

/** A tree of fields made from dotted paths, e.g. `code.code` and `currency.code`. */
export function selectionOf(paths: readonly string[], extra: Readonly<Record<string, string>> = {}): string {
  const tree = new Map<string, string[]>();
  for (const path of paths) {
    if (path === '') continue;
    const [head = '', ...rest] = path.split('.');
    const below = tree.get(head) ?? [];
    if (rest.length > 0) below.push(rest.join('.'));
    tree.set(head, below);
  }
  const own = [...tree].map(([head, below]) => (below.length > 0 ? `${head} { ${selectionOf(below)} }` : head));
  return [...own, ...Object.entries(extra).map(([head, body]) => `${head} ${body}`)].join(' ');
}

/** `{a:{b:'value'}}` of relaxed JSON from dotted paths; one path after the other in one object. */
export function filterOf(values: Readonly<Record<string, string>>): string {
  return `{${Object.entries(values)
    .map(([path, value]) =>
      path
        .split('.')
        .reduceRight((inner, name) => `{${name}:${inner}}`, literal(value))
        .slice(1, -1),
    )
    .join(',')}}`;
}

/** Quotes and backslashes would end the literal, line breaks are not allowed in one. */
function literal(value: string): string {
  return `'${value
    .replace(/\\/g, '\\\\')
    .replace(/'/g, "\\'")
    .replace(/[\r\n\u2028\u2029]/g, ' ')}'`;
}

/** The value at a dotted path; a missing part is null. */
export function valueAt(node: Json | undefined, path: string): Json {
  let at: Json | undefined = node;
  for (const name of path.split('.')) at = isObject(at) ? at[name] : undefined;
  return at ?? null;
}

export interface GraphqlPage {
  readonly nodes: JsonObject[];
  readonly endCursor: string | null;
}

/** A page of a connection. @throws UnreadableReplyError it does not say whether there is another one. */
export function pageOf(connection: Json | undefined, what: string): GraphqlPage {
  const info = isObject(connection) ? connection.pageInfo : undefined;
  const edges = isObject(connection) ? connection.edges : undefined;
  if (!isObject(connection) || !Array.isArray(edges) || !isObject(info) || typeof info.hasNextPage !== 'boolean') {
    throw new UnreadableReplyError(`Sage X3's answer to ${what} is no page of a list.`);
  }
  const nodes = edges.map((edge) => (isObject(edge) ? edge.node : null));
  if (!nodes.every(isObject)) throw new UnreadableReplyError(`Sage X3's answer to ${what} has an empty row.`);
  const endCursor = textOf(info.endCursor);
  if (info.hasNextPage && endCursor === '') {
    throw new UnreadableReplyError(`Sage X3's answer to ${what} has a next page and no cursor to it.`);
  }
  return { nodes, endCursor: info.hasNextPage ? endCursor : null };
}

export class GraphqlApi {
  constructor(private readonly transport: X3Transport) {}

  async typename(): Promise<void> {
    await this.ask('{ __typename }', {}, 'a first question');
  }

  /** Pages of a node's query, to the end. */
  async *pages(
    node: string,
    selection: string,
    options: { filter?: string; orderBy?: string } = {},
  ): AsyncIterable<JsonObject[]> {
    const { graphql } = this.transport.context.settings;
    let after: string | null = null;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const variables = { f: options.filter ?? null, o: options.orderBy ?? null, n: graphql.pageSize, a: after };
      const body = `query(filter: $f, orderBy: $o, first: $n, after: $a) { edges { node { ${selection} } } pageInfo { hasNextPage endCursor } }`;
      const path = this.pathOf(node);
      const query = `query ($f: String, $o: String, $n: Int, $a: String) { ${wrapped(path, body)} }`;
      const data = await this.ask(query, variables, node);
      const found = pageOf(valueAt(data, [...path, 'query'].join('.')), node);
      yield found.nodes;
      if (found.endCursor === null) return;
      if (found.endCursor === after) break;
      after = found.endCursor;
    }
    throw new UnreadableReplyError(`Sage X3's list ${node} does not come to an end.`);
  }

  /** Older releases prefix their packages: `x3Finance` is `xtremX3Finance` there. */
  private pathOf(node: string): string[] {
    const { packagePrefix } = this.transport.context.settings.graphql;
    const [packageName = '', ...rest] = node.split('.');
    if (packagePrefix === '') return [packageName, ...rest];
    return [`${packagePrefix}${packageName.charAt(0).toUpperCase()}${packageName.slice(1)}`, ...rest];
  }

  /** @returns `data`. An answer with errors is a failure even where it holds part of the data. */
  private async ask(query: string, variables: Readonly<Record<string, unknown>>, what: string): Promise<JsonObject> {
    const { settings } = this.transport.context;
    const call = {
      method: 'POST' as const,
      path: settings.graphql.path,
      headers: { 'content-type': 'application/json', [settings.graphql.endpointHeader]: settings.folder },
      body: JSON.stringify({ query, variables }),
    };
    return this.transport.read(call, async (reply) => {
      const isSuccess = reply.status === 200;
      let body: Json = null;
      try {
        body = parseJson(reply.text, what);
      } catch (error) {
        if (isSuccess) throw error;
      }
      const errors = isObject(body) ? objectsIn(body.errors).map((error) => textOf(error.message)) : [];
      const texts = await Promise.all(errors.map((error) => this.transport.clean(error)));
      if (texts.length > 0 && (isSuccess || reply.status === 400)) throw questionRefused(texts, what);
      if (!isSuccess) throw statusOnRead(reply.status, texts.join(' '), reply.waitMs);
      if (isObject(body) && isObject(body.data)) return body.data;
      throw new UnreadableReplyError(`Sage X3's answer to ${what} has no data.`);
    });
  }
}

function wrapped(path: readonly string[], body: string): string {
  return path.reduceRight((inner, name) => `${name} { ${inner} }`, body);
}

function questionRefused(texts: readonly string[], what: string): LedgergateError {
  const details = { detail: { messages: texts.map(oneLine) } };
  if (
    texts.some((message) =>
      fits(message, 'cannot query|must (not )?have a selection|unknown (field|argument|type)|no such|syntax'),
    )
  ) {
    return new ConfigurationError(
      `This release of Sage X3 does not know what is asked for ${what}: ${quote(texts)}. Correct the names below graphql in the settings.`,
      { code: 'QUESTION_REFUSED', ...details },
    );
  }
  return new PermissionError(`Sage X3 refused to answer ${what}: ${quote(texts)}.`, details);
}
