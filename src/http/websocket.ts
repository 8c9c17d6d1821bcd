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
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { KeyFacts } from '../services/apiKeys.js';
import { identify } from './admit.js';
import { refuseSchema, withoutSuggestions } from './apollo.js';
import { BODY_MAX, bearerOf } from './exchange.js';
import type { FormatError } from './formatError.js';
import { contextFor } from './graphqlHandler.js';
import { LIMITS, limitsRule } from './limits.js';
import type { HttpServerOptions } from './options.js';
import type { RateLimits } from './rateLimit.js';
import type { KnownDocuments } from './trustedDocuments.js';

const KEY_CHECK_MS = 30_000;
/** Operations of one socket at a time. */
const OPERATIONS_MAX = 100;
/** graphql-transport-ws: the close code of a refused connection. */
const FORBIDDEN = 4403;

/** A type, not an interface: the library wants an index signature. */
type Extra = {
  readonly socket: WebSocket;
  /** Set once the connection has shown a key. */
  session?: { readonly secret: string; key: KeyFacts };
};

/** Subscriptions (and any other operation) over WebSocket, protocol `graphql-transport-ws`, on `/graphql`. */
export function serveWebSocket(
  server: Server,
  options: HttpServerOptions & { readonly limits: RateLimits; readonly documents: KnownDocuments },
  schema: GraphQLSchema,
  format: FormatError,
): { stop(): Promise<void> } {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: BODY_MAX, perMessageDeflate: false });
  const open = new Set<Extra>();
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (URL.parse(request.url ?? '', 'http://gateway')?.pathname !== '/graphql') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit('connection', webSocket, request));
  };
  server.on('upgrade', upgrade);

  const known = async (extra: Extra): Promise<KeyFacts | null> => {
    const { session } = extra;
    const key = session && (await identify(options, session.secret));
    if (!session || !key) {
      extra.socket.close(FORBIDDEN, 'Forbidden');
      return null;
    }
    session.key = key;
    return key;
  };

  const shown = (extra: Extra, errors: readonly GraphQLError[]) => {
    const formatted = errors.map((error) => format(error.toJSON(), error));
    const isHidden = options.isProduction && extra.session?.key.role !== 'ADMIN';
    return isHidden ? withoutSuggestions(formatted) : formatted;
  };

  const protocol = useServer<{ authorization?: unknown; Authorization?: unknown }, Extra>(
    {
      schema,
      onConnect: async ({ connectionParams, extra }) => {
        const secret = secretIn(connectionParams);
        const key = secret === null ? null : await identify(options, secret);
        if (secret === null || !key) return false;
        extra.session = { secret, key };
        open.add(extra);
        return true;
      },
      onClose: ({ extra }) => {
        open.delete(extra);
      },
      onSubscribe: async ({ extra, subscriptions }, _id, payload): Promise<ExecutionArgs | readonly GraphQLError[]> => {
        // Asked again each time: a key that was revoked begins nothing new.
        const key = await known(extra);
        if (!key)
          return [new GraphQLError('The API key is no longer valid.', { extensions: { code: 'UNAUTHENTICATED' } })];
        if (Object.keys(subscriptions).length > OPERATIONS_MAX) {
          const message = `A connection runs at most ${OPERATIONS_MAX} operations at a time.`;
          return [new GraphQLError(message, { extensions: { code: 'TOO_MANY_OPERATIONS' } })];
        }
        const tooMany = await options.limits.take(key.identity);
        if (tooMany) {
          const { message, retryAfterSeconds } = tooMany;
          return [new GraphQLError(message, { extensions: { code: 'RATE_LIMITED', retryAfterSeconds } })];
        }
        const unknown = options.documents.refusal(payload.query, key.role);
        if (unknown) return [unknown];
        const contextValue = contextFor(options, key, randomUUID());
        const checked = checkedDocument(schema, payload.query);
        if (!('kind' in checked)) return checked;
        const refusal = options.isProduction ? refuseSchema(checked, contextValue) : null;
        if (refusal) return [refusal];
        return {
          schema,
          document: checked,
          contextValue,
          operationName: payload.operationName ?? null,
          variableValues: payload.variables ?? null,
        };
      },
      onError: ({ extra }, _id, _payload, errors) => shown(extra, errors),
      onNext: ({ extra }, _id, _payload, _args, { data, errors }) => {
        if (!errors) return undefined;
        return { ...(data === undefined ? {} : { data }), errors: shown(extra, errors) };
      },
    },
    sockets,
  );

  // A subscription can outlive its key: whoever is no longer let in is shown out.
  const check = setInterval(() => {
    for (const extra of open) {
      known(extra).catch((error: unknown) => {
        options.logger.warn({ err: error }, 'the key of an open WebSocket could not be checked; trying again later');
      });
    }
  }, options.keyCheckMs ?? KEY_CHECK_MS);
  check.unref();

  return {
    async stop() {
      clearInterval(check);
      server.off('upgrade', upgrade);
      await protocol.dispose();
      for (const socket of sockets.clients) socket.terminate();
    },
  };
}

function secretIn(params: { authorization?: unknown; Authorization?: unknown } | undefined): string | null {
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
