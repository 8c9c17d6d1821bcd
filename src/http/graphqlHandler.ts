import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { GraphqlContext } from '../resolvers/context.js';
import { authenticate, type KeyFacts } from '../services/apiKeys.js';
import { ReadServices } from '../services/read/index.js';
import { bearerOf, type Exchange, readBody, send, sendGraphqlError } from './exchange.js';
import type { HttpServerOptions } from './options.js';

type Parts = Pick<HttpServerOptions, 'db' | 'clock' | 'connectors' | 'useCases' | 'feed'>;

export function contextFor(parts: Parts, key: KeyFacts, correlationId: string): GraphqlContext {
  return {
    caller: {
      tenantId: key.tenantId,
      actor: `user:${key.name}`,
      keyId: key.keyId,
      role: key.role,
      correlationId,
    },
    callerName: key.name,
    read: new ReadServices(parts.db, parts.connectors, key.tenantId),
    useCases: parts.useCases,
    feed: parts.feed,
    db: parts.db,
    clock: parts.clock,
  };
}

/** GraphQL over HTTP: `POST` for everything, `GET` for queries that a browser cannot be tricked into sending. */
export async function handleGraphql(
  exchange: Exchange,
  parts: Parts,
  apollo: ApolloServer<GraphqlContext>,
): Promise<void> {
  const { request } = exchange;
  if (request.method !== 'POST' && request.method !== 'GET') {
    sendGraphqlError(exchange, 405, 'METHOD_NOT_ALLOWED', 'Use POST.', { allow: 'GET, POST' });
    return;
  }
  const secret = bearerOf(request.headers.authorization);
  const key = secret === null ? null : await authenticate(parts.db, secret, parts.clock.now());
  if (!key) {
    const message = 'Send a valid API key: `Authorization: Bearer <key>`.';
    sendGraphqlError(exchange, 401, 'UNAUTHENTICATED', message, { 'www-authenticate': 'Bearer' });
    return;
  }
  const body = request.method === 'POST' ? await jsonBody(exchange) : { value: undefined };
  if (!body) return;
  const headers = new HeaderMap();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const answer = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: { method: request.method, headers, search: exchange.url.search, body: body.value },
    context: async () => contextFor(parts, key, exchange.correlationId),
  });
  const { 'content-type': type, ...others } = Object.fromEntries(answer.headers);
  const text = answer.body.kind === 'complete' ? answer.body.string : '';
  delete others['content-length'];
  send(exchange, answer.status ?? 200, text, type ?? 'application/json; charset=utf-8', others);
}

/** null = refused and answered. */
async function jsonBody(exchange: Exchange): Promise<{ value: unknown } | null> {
  const [type, ...parameters] = (exchange.request.headers['content-type'] ?? '').toLowerCase().split(';');
  const charset = parameters.map((part) => part.trim()).find((part) => part.startsWith('charset='));
  if (type?.trim() !== 'application/json' || (charset && !/^charset="?utf-?8"?$/.test(charset))) {
    sendGraphqlError(exchange, 415, 'UNSUPPORTED_MEDIA_TYPE', 'The body must be application/json in UTF-8.');
    return null;
  }
  const raw = await readBody(exchange);
  if (!raw) {
    sendGraphqlError(exchange, 413, 'BODY_TOO_LARGE', 'The body may have at most 1 MiB.');
    return null;
  }
  try {
    return { value: JSON.parse(raw.toString('utf8')) };
  } catch {
    sendGraphqlError(exchange, 400, 'BAD_REQUEST', 'The body is not JSON.');
    return null;
  }
}
