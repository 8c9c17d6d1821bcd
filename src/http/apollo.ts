import { ApolloServer, type ApolloServerPlugin, type BaseContext } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { type DocumentNode, GraphQLError, type GraphQLFormattedError, type GraphQLSchema, Kind, visit } from 'graphql';
import type { Logger } from '../logger.js';
import type { GraphqlContext } from '../resolvers/context.js';
import { type Execution, executionOf } from './executor.js';
import type { FormatError } from './formatError.js';
import { LIMITS, limitsRule } from './limits.js';
import type { KnownDocuments } from './trustedDocuments.js';

export interface ApolloOptions extends Execution {
  readonly schema: GraphQLSchema;
  readonly logger: Logger;
  readonly formatError: FormatError;
  /** The schema is shown to role ADMIN only. */
  readonly isProduction: boolean;
  readonly documents: KnownDocuments;
}

export async function startApollo(options: ApolloOptions): Promise<ApolloServer<GraphqlContext>> {
  const { schema, logger } = options;
  const server = new ApolloServer<GraphqlContext & BaseContext>({
    gateway: executionOf(schema, options),
    plugins: [
      // It wraps every field, to compute a header that we do not send.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      onlyKnown(options.documents),
      ...(options.isProduction ? [schemaForAdminsOnly] : []),
    ],
    // Apollo's own way indents every answer.
    stringifyResult: (value) => `${JSON.stringify(value)}\n`,
    nodeEnv: 'production',
    introspection: true,
    // A caller's key travels in `Authorization` and never in a cookie, and nothing is answered without it: a page of
    // another site cannot send that header unless it is asked for first (CORS), which this server never allows. Apollo's
    // own guard would refuse the plain GET requests that GraphQL over HTTP allows.
    csrfPrevention: false,
    allowBatchedHttpRequests: false,
    persistedQueries: { cache: options.documents },
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: LIMITS.tokens },
    validationRules: [limitsRule],
    formatError: options.formatError,
    logger: {
      debug: (message) => logger.debug(String(message)),
      info: (message) => logger.debug(String(message)),
      warn: (message) => logger.warn(String(message)),
      error: (message) => logger.error(String(message)),
    },
  });
  await server.start();
  return server;
}

const asking = new WeakMap<DocumentNode, boolean>();

function asksForSchema(document: DocumentNode): boolean {
  let asks = asking.get(document);
  if (asks === undefined) {
    asks = false;
    visit(document, {
      [Kind.FIELD](field) {
        if (field.name.value === '__schema' || field.name.value === '__type') asks = true;
      },
    });
    asking.set(document, asks);
  }
  return asks;
}

/** @returns the refusal, or null when the caller may see the schema or does not ask for it. */
export function refuseSchema(document: DocumentNode, context: Pick<GraphqlContext, 'caller'>): GraphQLError | null {
  if (context.caller.role === 'ADMIN' || !asksForSchema(document)) return null;
  return new GraphQLError('The schema is shown to role ADMIN only.', {
    extensions: { code: 'INTROSPECTION_DISABLED', requiredRole: 'ADMIN', http: { status: 400 } },
  });
}

/** Takes out the names that a wrong guess is told. */
export function withoutSuggestions<E extends GraphQLFormattedError>(errors: readonly E[]): E[] {
  return errors.map((error) => ({ ...error, message: error.message.replace(/ ?Did you mean .+\?$/, '') }));
}

function onlyKnown(documents: KnownDocuments): ApolloServerPlugin<GraphqlContext> {
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ source, contextValue }) => {
        const refusal = documents.refusal(source, contextValue.caller.role);
        if (refusal) throw refusal;
      },
    }),
  };
}

const schemaForAdminsOnly: ApolloServerPlugin<GraphqlContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ document, contextValue }) => {
      const refusal = refuseSchema(document, contextValue);
      if (refusal) throw refusal;
    },
    willSendResponse: async ({ response, contextValue }) => {
      if (contextValue.caller.role === 'ADMIN' || response.body.kind !== 'single') return;
      const result = response.body.singleResult;
      if (result.errors) result.errors = withoutSuggestions(result.errors);
    },
  }),
};
