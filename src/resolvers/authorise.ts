import {
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
} from 'graphql';
import { ROLES, type Role } from '../domain/vocabulary.js';
import { InvariantError } from '../errors.js';
import type { GraphqlContext } from './context.js';
import { PERMISSIONS } from './permissions.js';

/**
 * The one authorisation check.
 * @throws GraphQLError FORBIDDEN, naming the role that is needed.
 */
export function requireRole(context: Pick<GraphqlContext, 'caller'>, needed: Role, what: string): void {
  if (ROLES.indexOf(context.caller.role) >= ROLES.indexOf(needed)) return;
  throw new GraphQLError(`${what} needs role ${needed}; this key has role ${context.caller.role}.`, {
    extensions: { code: 'FORBIDDEN', requiredRole: needed, role: context.caller.role },
  });
}

/**
 * Puts the check before every field of the table, and the role into its description.
 * @throws InvariantError a field of a root type is not in the table, or the table names a field that does not exist.
 */
export function guard(schema: GraphQLSchema): GraphQLSchema {
  const left = new Set(Object.keys(PERMISSIONS));
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const name of Object.keys(type.getFields())) {
      const coordinate = `${type.name}.${name}`;
      const role = PERMISSIONS[coordinate];
      if (role) guardField(type, name, role);
      else if (roots.includes(type)) throw new InvariantError(`${coordinate} is not in the table of permissions.`);
      left.delete(coordinate);
    }
  }
  if (left.size > 0)
    throw new InvariantError(`The table of permissions names unknown fields: ${[...left].join(', ')}.`);
  return schema;
}

type Resolver = GraphQLFieldResolver<unknown, GraphqlContext>;

function guardField(type: GraphQLObjectType, name: string, role: Role): void {
  const field = type.getFields()[name];
  if (!field) return;
  field.description = [field.description, `Needs role ${role}.`].filter(Boolean).join(' ');
  const checked =
    (resolver: Resolver): Resolver =>
    (source, args, context, info) => {
      requireRole(context, role, `${type.name}.${name}`);
      return resolver(source, args, context, info);
    };
  // A subscription is checked once, when it begins.
  if (field.subscribe) field.subscribe = checked(field.subscribe);
  else if (field.resolve) field.resolve = checked(field.resolve);
}
