import type { ApolloServerOptionsWithGateway, BaseContext } from '@apollo/server';
import { type ExecutionResult, execute, GraphQLError, type GraphQLSchema } from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';

type GatewayInterface = ApolloServerOptionsWithGateway<BaseContext>['gateway'];
type GatewayExecutor = NonNullable<Awaited<ReturnType<GatewayInterface['load']>>['executor']>;

/** Compiled operations kept. One takes about 0.6 ms to make and some 100 kB. */
const COMPILED_MAX = 500;

export interface Execution {
  /** Compiled operations, or graphql-js's own executor: slower, kept as a way out. */
  readonly executor: 'jit' | 'plain';
  /** How long a query may take. Mutations wait for vendors, whose calls have limits of their own. */
  readonly queryWithinMs: number;
}

/** Lets Apollo answer through our executor. Apollo has no setting for one; the seam made for a gateway takes it. */
export function executionOf(schema: GraphQLSchema, { executor, queryWithinMs }: Execution): GatewayInterface {
  const chosen = executor === 'jit' ? compilingExecutor(schema) : plainExecutor(schema);
  return {
    load: async () => ({ executor: withinTime(chosen, queryWithinMs) }),
    onSchemaLoadOrUpdate(callback) {
      callback({ apiSchema: schema, coreSupergraphSdl: '' });
      return () => undefined;
    },
    stop: async () => undefined,
  };
}

function withinTime(executor: GatewayExecutor, queryWithinMs: number): GatewayExecutor {
  return async (request) => {
    if (request.operation.operation !== 'query') return executor(request);
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<ExecutionResult>((resolve) => {
      timer = setTimeout(() => resolve({ errors: [timedOut(queryWithinMs)] }), queryWithinMs);
    });
    try {
      return await Promise.race([executor(request), tooLong]);
    } finally {
      clearTimeout(timer);
    }
  };
}

function timedOut(withinMs: number): GraphQLError {
  const message = `The query took longer than ${withinMs / 1_000} s. Ask for smaller pages or fewer fields.`;
  return new GraphQLError(message, { extensions: { code: 'QUERY_TIMED_OUT', http: { status: 503 } } });
}

function plainExecutor(schema: GraphQLSchema): GatewayExecutor {
  return async ({ document, context, request, operationName }) =>
    execute({
      schema,
      document,
      contextValue: context,
      variableValues: (request.variables ?? {}) as Record<string, unknown>,
      operationName: operationName ?? undefined,
    }) as Promise<ExecutionResult>;
}

function compilingExecutor(schema: GraphQLSchema): GatewayExecutor {
  const compiled = new LRUCache<string, CompiledQuery>({ max: COMPILED_MAX });
  const plain = plainExecutor(schema);
  return async (request) => {
    const operationName = request.operationName ?? undefined;
    const variables = (request.request.variables ?? {}) as Record<string, unknown>;
    const plainly = () => plain(request);
    const key = `${request.queryHash} ${operationName ?? ''}`;
    let query = compiled.get(key);
    if (!query) {
      const made = compileQuery(schema, request.document, operationName, { disablingCapturingStackErrors: true });
      // What cannot be compiled is still answered, only slower.
      if (!isCompiledQuery(made)) return plainly();
      query = made;
      compiled.set(key, query);
    }
    const result = await query.query(undefined, request.context, variables);
    // No data at all means that the variables were refused and nothing ran: the plain executor words that better.
    if (result.data === undefined) return plainly();
    return result.errors ? { ...result, errors: result.errors.map(asGraphqlError) } : result;
  };
}

/** A compiled operation's errors lack `extensions` where none were thrown, which Apollo does not expect. */
function asGraphqlError(error: GraphQLError): GraphQLError {
  const { message, path, locations, originalError, extensions } = error;
  const usual = new GraphQLError(message, {
    path: path ?? null,
    originalError: originalError ?? null,
    extensions: extensions ?? null,
  });
  return locations ? Object.assign(usual, { locations }) : usual;
}
