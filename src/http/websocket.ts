import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { ServerOptions, SubscribePayload } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { KeyFacts } from '../services/apiKeys.js';
import type { Reading } from '../services/eventFeed.js';
import { identify } from './admit.js';
import { refuseSchema, withoutSuggestions } from './apollo.js';
import { BODY_MAX, bearerOf } from './exchange.js';
import type { FormatError } from './formatError.js';
import { contextFor } from './graphqlHandler.js';
import { LIMITS, limitsRule } from './limits.js';
import type { HttpServerOptions } from './options.js';
import type { RateLimits } from './rateLimit.js';
import { CLOSE, type Subscriber, Subscribers } from './subscribers.js';
import type { KnownDocuments } from './trustedDocuments.js';

const KEY_CHECK_MS = 30_000;
const INIT_WITHIN_MS = 3_000;

/** A type, not an interface: the library wants an index signature. */
type Extra = {
  readonly socket: WebSocket;
  /** Set once the connection has shown a key. */
  subscriber?: Subscriber;
};

type Params = { authorization?: unknown; Authorization?: unknown };

interface Parts extends HttpServerOptions {
  readonly limits: RateLimits;
  readonly documents: KnownDocuments;
}

/** Subscriptions (and any other operation) over WebSocket, protocol `graphql-transport-ws`, on `/graphql`. */
export function serveWebSocket(
  server: Server,
  options: Parts,
  schema: GraphQLSchema,
  format: FormatError,
): { stop(): Promise<void> } {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: BODY_MAX, perMessageDeflate: false });
  const subscribers = new Subscribers(options.feed, options.logger, options.webSocket ?? {});
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (URL.parse(request.url ?? '', 'http://gateway')?.pathname !== '/graphql') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit('connection', webSocket, request));
  };
  server.on('upgrade', upgrade);
  const protocol = useServer<Params, Extra>(hooksOf(options, schema, format, subscribers), sockets);

  // A key that is revoked is told of; one that expires, or whose notice got lost, is found by this.
  const check = setInterval(() => {
    for (const subscriber of subscribers.all()) checkKey(options, subscribers, subscriber);
  }, options.keyCheckMs ?? KEY_CHECK_MS);
  check.unref();

  return {
    async stop() {
      clearInterval(check);
      server.off('upgrade', upgrade);
      await protocol.dispose();
      for (const socket of sockets.clients) socket.terminate();
      subscribers.stop();
    },
  };
}

function hooksOf(
  options: Parts,
  schema: GraphQLSchema,
  format: FormatError,
  subscribers: Subscribers,
): ServerOptions<Params, Extra> {
  const shown = (extra: Extra, errors: readonly GraphQLError[]) => {
    const formatted = errors.map((error) => format(error.toJSON(), error));
    const isHidden = options.isProduction && extra.subscriber?.key.role !== 'ADMIN';
    return isHidden ? withoutSuggestions(formatted) : formatted;
  };
  return {
    schema,
    connectionInitWaitTimeout: options.webSocket?.initWithinMs ?? INIT_WITHIN_MS,
    onConnect: (ctx) =>
      guarded(options, ctx.extra, false, async () => {
        const { socket } = ctx.extra;
        const secret = secretIn(ctx.connectionParams);
        const key = secret === null ? null : await identify(options, secret);
        if (secret === null || !key) return false;
        const subscriber: Subscriber = { socket, secret, key, running: new Map() };
        // It may have gone while its key was looked up, and would never be taken off the list again.
        if (socket.readyState !== socket.OPEN) return false;
        ctx.extra.subscriber = subscriber;
        subscribers.add(subscriber, () => checkKey(options, subscribers, subscriber));
        return true;
      }),
    onClose: ({ extra }) => {
      if (extra.subscriber) subscribers.delete(extra.subscriber);
    },
    onSubscribe: ({ extra }, id, payload): Promise<ExecutionArgs | readonly GraphQLError[]> =>
      guarded(options, extra, [refusal('INTERNAL', 'The operation could not be started.')], () =>
        begin(options, schema, subscribers, extra.subscriber, id, payload),
      ),
    onError: ({ extra }, _id, payload, errors) => {
      extra.subscriber?.running.delete(payload);
      return shown(extra, errors);
    },
    onComplete: ({ extra }, _id, payload) => {
      extra.subscriber?.running.delete(payload);
    },
    onNext: ({ extra }, _id, payload, _args, { data, errors }) => {
      extra.subscriber?.running.get(payload)?.reading.sent(performance.now());
      if (!errors) return undefined;
      return { ...(data === undefined ? {} : { data }), errors: shown(extra, errors) };
    },
  };
}

/** What fails here is ours: the reason goes to the log, the caller is told that it may come again. */
async function guarded<T>(options: Parts, { socket }: Extra, otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    options.logger.error({ err: error }, 'a WebSocket message could not be handled');
    socket.close(CLOSE.internal, 'Internal server error');
    return otherwise;
  }
}

/** @returns the key as it is now; null when it is no longer valid, and the connection is closed then. */
async function keyNow(options: Parts, subscribers: Subscribers, subscriber: Subscriber): Promise<KeyFacts | null> {
  const key = await identify(options, subscriber.secret);
  if (key) subscriber.key = key;
  else subscribers.close(subscriber, CLOSE.forbidden, 'Forbidden');
  return key;
}

function checkKey(options: Parts, subscribers: Subscribers, subscriber: Subscriber): void {
  keyNow(options, subscribers, subscriber).catch((error: unknown) => {
    options.logger.warn({ err: error }, 'the key of an open WebSocket could not be checked; trying again later');
  });
}

async function begin(
  options: Parts,
  schema: GraphQLSchema,
  subscribers: Subscribers,
  subscriber: Subscriber | undefined,
  id: string,
  payload: SubscribePayload,
): Promise<ExecutionArgs | readonly GraphQLError[]> {
  // Asked again each time: a key that was revoked begins nothing new.
  const key = subscriber ? await keyNow(options, subscribers, subscriber) : null;
  if (!subscriber || !key) return [refusal('UNAUTHENTICATED', 'The API key is no longer valid.')];
  const reading = subscribers.admit(subscriber, id, payload);
  if (typeof reading === 'string') return [refusal('TOO_MANY_OPERATIONS', reading)];
  const started = await operationOf(options, schema, key, payload, reading);
  // Whoever has gone meanwhile is not told of the refusal, so it is not counted out anywhere else.
  if (Array.isArray(started)) subscriber.running.delete(payload);
  return started;
}

async function operationOf(
  options: Parts,
  schema: GraphQLSchema,
  key: KeyFacts,
  payload: SubscribePayload,
  reading: Reading,
): Promise<ExecutionArgs | readonly GraphQLError[]> {
  const tooFast = await options.limits.take(key.identity);
  if (tooFast) return [refusal('RATE_LIMITED', tooFast.message, { retryAfterSeconds: tooFast.retryAfterSeconds })];
  const unknown = options.documents.refusal(payload.query, key.role);
  if (unknown) return [unknown];
  const checked = checkedDocument(schema, payload.query);
  if (!('kind' in checked)) return checked;
  const contextValue = { ...contextFor(options, key, randomUUID()), reading };
  const hidden = options.isProduction ? refuseSchema(checked, contextValue) : null;
  if (hidden) return [hidden];
  return {
    schema,
    document: checked,
    contextValue,
    operationName: payload.operationName ?? null,
    variableValues: payload.variables ?? null,
  };
}

function refusal(code: string, message: string, facts: object = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...facts } });
}

function secretIn(params: Params | undefined): string | null {
  const given = params?.authorization ?? params?.Authorization;
  if (typeof given !== 'string') return null;
  return bearerOf(given) ?? given.trim();
}

function checkedDocument(schema: GraphQLSchema, query: string): DocumentNode | readonly GraphQLError[] {
  let document: DocumentNode;
  try {
    document = parse(query, { maxTokens: LIMITS.tokens });
  } catch (error) {
    if (error instanceof GraphQLError) return [withCode(error, 'GRAPHQL_PARSE_FAILED')];
    throw error;
  }
  const errors = validate(schema, document, [...specifiedRules, limitsRule]);
  return errors.length > 0 ? errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) : document;
}

function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, {
    ...(error.nodes ? { nodes: error.nodes } : {}),
    ...(error.source ? { source: error.source } : {}),
    ...(error.positions ? { positions: error.positions } : {}),
    extensions: { code, ...error.extensions },
  });
}
