import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ROLES } from '../domain/vocabulary.js';
import { buildSchema } from '../schema/build.js';
import { admit } from './admit.js';
import { startApollo } from './apollo.js';
import { loadConsole } from './console.js';
import { type Exchange, exchangeOf, readBody, sendJson } from './exchange.js';
import { createFormatError } from './formatError.js';
import { handleGraphql } from './graphqlHandler.js';
import type { HttpRoute, HttpServerOptions, RunningHttpServer } from './options.js';
import { RateLimits } from './rateLimit.js';
import { KnownDocuments } from './trustedDocuments.js';
import { serveWebSocket } from './websocket.js';

export type { Exchange } from './exchange.js';
export type { HttpRoute, HttpServerOptions, RunningHttpServer, WebhookHandler } from './options.js';

const DRAIN_MS = 10_000;
const QUERY_WITHIN_MS = 30_000;
const WEBHOOK_PATH = /^\/webhooks\/([A-Za-z0-9_-]{1,100})$/;

/**
 * Starts the gateway's HTTP server: GraphQL, webhooks, health, the console and the routes given. Listens when this
 * resolves.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<RunningHttpServer> {
  const schema = buildSchema();
  const formatError = createFormatError(options.logger);
  const documents = options.documents ?? KnownDocuments.open();
  const limits = new RateLimits(options.requestsPerMinute ?? 0);
  const apollo = await startApollo({
    ...{ schema, formatError, documents, logger: options.logger, isProduction: options.isProduction },
    ...{ executor: options.executor ?? 'jit', queryWithinMs: options.queryWithinMs ?? QUERY_WITHIN_MS },
  });
  const page = await loadConsole();
  let isStopping = false;

  const answer = async (exchange: Exchange): Promise<void> => {
    const { pathname } = exchange.url;
    const { method } = exchange.request;
    if (pathname === '/graphql') return handleGraphql(exchange, { ...options, limits }, apollo);
    if (pathname === '/healthz') return sendJson(exchange, 200, { status: 'ok' });
    if (pathname === '/readyz') return answerReady(exchange, options, isStopping);
    if (WEBHOOK_PATH.test(pathname)) return answerWebhook(exchange, options);
    for (const route of options.routes ?? []) {
      const match = route.method === method ? route.pattern.exec(pathname) : null;
      if (match) return answerRoute(exchange, { ...options, limits }, route, match);
    }
    if (page.answer(exchange)) return;
    sendJson(exchange, 404, { error: 'NOT_FOUND', message: 'There is nothing at this address.' });
  };

  const server = createServer({ requestTimeout: 60_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 });
  server.on('request', (request, response) => {
    if (isStopping) response.setHeader('connection', 'close');
    const exchange = exchangeOf(request, response);
    if (!exchange) {
      sendJson({ response }, 400, { error: 'BAD_REQUEST', message: 'The address is malformed.' });
      return;
    }
    answer(exchange).catch((error: unknown) => fail(exchange, options, error));
  });
  const webSockets = serveWebSocket(server, { ...options, limits, documents }, schema, formatError);
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const stop = async () => {
    isStopping = true;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await webSockets.stop();
    server.closeIdleConnections();
    const deadline = setTimeout(() => server.closeAllConnections(), options.drainMs ?? DRAIN_MS);
    await closed;
    clearTimeout(deadline);
    await apollo.stop();
  };
  let stopped: Promise<void> | null = null;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    port,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

function fail(exchange: Exchange, options: HttpServerOptions, error: unknown): void {
  const { correlationId, response, request } = exchange;
  // A client that went away is no fault of ours.
  if (request.destroyed && !request.complete) return;
  options.logger.error({ err: error, correlationId, path: exchange.url.pathname }, 'a request failed');
  if (response.headersSent) response.destroy();
  else sendJson(exchange, 500, { error: 'INTERNAL', traceId: correlationId });
}

async function answerReady(exchange: Exchange, options: HttpServerOptions, isStopping: boolean): Promise<void> {
  const isReady = !isStopping && (await options.isReady().catch(() => false));
  const reason = isStopping ? 'stopping' : 'the database does not answer or lacks migrations';
  sendJson(exchange, isReady ? 200 : 503, isReady ? { status: 'ready' } : { status: 'not ready', reason });
}

async function answerWebhook(exchange: Exchange, options: HttpServerOptions): Promise<void> {
  const { request, url } = exchange;
  if (request.method !== 'POST') {
    sendJson(exchange, 405, { error: 'METHOD_NOT_ALLOWED', message: 'Use POST.' }, { allow: 'POST' });
    return;
  }
  const body = await readBody(exchange);
  if (!body) {
    sendJson(exchange, 413, { error: 'BODY_TOO_LARGE', message: 'A delivery may have at most 1 MiB.' });
    return;
  }
  const name = WEBHOOK_PATH.exec(url.pathname)?.[1] ?? '';
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([key, value]) => [key, Array.isArray(value) ? value.join(', ') : value]),
  );
  const isPartnerApp = name === 'brex';
  const answer = await options.webhooks(isPartnerApp ? null : name, isPartnerApp ? 'BREX' : null, headers, body);
  sendJson(exchange, answer.status, answer.body);
}

async function answerRoute(
  exchange: Exchange,
  options: HttpServerOptions & { readonly limits: RateLimits },
  route: HttpRoute,
  match: RegExpExecArray,
): Promise<void> {
  if (route.role === null) return route.handle({ ...exchange, match, key: null });
  const admitted = await admit(exchange, options);
  if ('refusal' in admitted) {
    const { status, code, message, headers, retryAfterSeconds } = admitted.refusal;
    const body = { error: code, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
    return sendJson(exchange, status, body, headers);
  }
  const { key } = admitted;
  if (ROLES.indexOf(key.role) < ROLES.indexOf(route.role)) {
    const message = `This needs role ${route.role}; this key has role ${key.role}.`;
    return sendJson(exchange, 403, { error: 'FORBIDDEN', message, requiredRole: route.role });
  }
  return route.handle({ ...exchange, match, key });
}
