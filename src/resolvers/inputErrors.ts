import { GraphQLError, type GraphQLFieldResolver, type GraphQLSchema, isObjectType } from 'graphql';
import { InputError } from '../errors.js';

/**
 * Lets graphql put the place of the field on an `InputError`. It takes any error with a `path` for one that has its place
 * already; ours names the argument there, and would be thrown on as it is.
 */
export function placeInputErrors(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (field.resolve) field.resolve = placing(field.resolve);
      if (field.subscribe) field.subscribe = placing(field.subscribe);
    }
  }
  return schema;
}

type Resolver = GraphQLFieldResolver<unknown, unknown>;

function placing(resolver: Resolver): Resolver {
  return (source, args, context, info) => {
    try {
      const result: unknown = resolver(source, args, context, info);
      return result instanceof Promise ? result.catch(rethrow) : result;
    } catch (error) {
      return rethrow(error);
    }
  };
}

function rethrow(error: unknown): never {
  if (error instanceof InputError) throw new GraphQLError(error.userMessage, { originalError: error });
  throw error;
}
