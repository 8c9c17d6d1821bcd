import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { GraphqlContext } from '../resolvers/context.js';
import type { KeyFacts } from '../services/apiKeys.js';
import { ReadServices } from '../services/read/index.js';
import { admit } from './admit.js';
import { type Exchange, readBody, send, sendGraphqlError } from './exchange.js';
import type { HttpServerOptions } from './options.js';
import type { RateLimits } from './rateLimit.js';

type Parts = Pick<HttpServerOptions, 'db' | 'clock' | 'logger' | 'logins' | 'connectors' | 'useCases' | 'feed'>;

export function contextFor(parts: Parts, key: KeyFacts, correlationId: string): GraphqlContext {
  return {
    caller: {
      tenantId: key.tenantId,
      actor: `user:${key.name}`,
      keyId: key.keyId,
      identity: key.identity,
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
  parts: Parts & { readonly limits: RateLimits },
  apollo: ApolloServer<GraphqlContext>,
): Promise<void> {
  const { request } = exchange;
  if (request.method !== 'POST' && request.method !== 'GET') {
    sendGraphqlError(exchange, 405, 'METHOD_NOT_ALLOWED', 'Use POST.', { allow: 'GET, POST' });
    return;
  }
  const admitted = await admit(exchange, parts);
  if ('refusal' in admitted) {
    const { status, code, message, headers } = admitted.refusal;
    sendGraphqlError(exchange, status, code, message, headers);
    return;
  }
  const { key } = admitted;
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
  const contentType = type ?? 'application/json; charset=utf-8';
  send(exchange, statusFor(answer.status ?? 200, contentType, text), text, contentType, others);
}

/** Of a well-formed request whose document or variables are at fault. */
const DOCUMENT_FAULTS = new Set(['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT']);

/**
 * GraphQL over HTTP, section 6.4: whoever asks for `application/json` may take any other status for an answer of some
 * proxy, so that a document that is refused is told under 200; `application/graphql-response+json` has the true status.
 */
function statusFor(status: number, contentType: string, body: string): number {
  if (status !== 400 || !contentType.startsWith('application/json')) return status;
  const { errors = [] } = JSON.parse(body) as { errors?: { extensions?: { code?: string } }[] };
  return errors.length > 0 && errors.every(({ extensions }) => DOCUMENT_FAULTS.has(extensions?.code ?? '')) ? 200 : 400;
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
