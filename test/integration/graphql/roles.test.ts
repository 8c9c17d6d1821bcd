// The table of permissions against a running server: every field of it, in every role, over HTTP and WebSocket. What would
// surprise: a field that nobody gave a role, one that answers a role below its own, one that refuses a role that may.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { newId } from '../../../src/domain/ids.js';
import { ROLES, type Role } from '../../../src/domain/vocabulary.js';
import { exportRoute } from '../../../src/http/exports.js';
import { receiptRoutes } from '../../../src/http/receipts.js';
import { NODE_PERMISSIONS, PERMISSIONS } from '../../../src/resolvers/permissions.js';
import { rolesPage } from '../../../src/resolvers/rolesPage.js';
import { buildSchema } from '../../../src/schema/build.js';
import { Gateway, seedPipeline, seedPosting } from '../../support/graphqlFixtures.js';

const schema = buildSchema();
const ROOTS = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
type Field = GraphQLField<unknown, unknown>;

// ── the shortest operation that asks for a field ─────────────────────────────────────────────

const SCALARS: Readonly<Record<string, string>> = {
  ...{ ID: '"none"', String: '"x"', Int: '1', Float: '1', Boolean: 'false', JSON: '{}', Decimal: '"1.00"' },
  ...{ Date: '"2026-11-20"', DateTime: '"2026-11-20T00:00:00Z"' },
};

function inputOf(type: GraphQLInputType): string {
  if (isNonNullType(type)) return inputOf(type.ofType);
  if (isListType(type)) return `[${inputOf(type.ofType)}]`;
  if (isEnumType(type)) return type.getValues()[0]?.name ?? '';
  if (isInputObjectType(type)) {
    const needed = Object.values(type.getFields()).filter(isRequiredInputField);
    return `{ ${needed.map((field) => `${field.name}: ${inputOf(field.type)}`).join(', ')} }`;
  }
  const value = SCALARS[type.name];
  if (value === undefined) throw new Error(`This test has no value of type ${type.name}.`);
  return value;
}

function askFor(field: Field): string {
  const given = field.args.filter(isRequiredArgument).map((one) => `${one.name}: ${inputOf(one.type)}`);
  const values = given.length > 0 ? `(${given.join(', ')})` : '';
  return `${field.name}${values}${isLeafType(getNamedType(field.type)) ? '' : ' { __typename }'}`;
}

function fieldOf(coordinate: string): { type: GraphQLObjectType; field: Field } {
  const [typeName = '', name = ''] = coordinate.split('.');
  const type = schema.getType(typeName);
  const field = isObjectType(type) ? type.getFields()[name] : undefined;
  if (!isObjectType(type) || !field) throw new Error(`There is no field ${coordinate}.`);
  return { type, field };
}

interface Refusal {
  readonly extensions?: { readonly code?: string; readonly requiredRole?: string };
}

/** What has to come back: the refusal with the role that is needed, or anything but a refusal. */
function expectRight(errors: readonly Refusal[], role: Role, needed: Role, what: string): void {
  const refusals = errors.filter(({ extensions }) => extensions?.code === 'FORBIDDEN');
  const may = ROLES.indexOf(role) >= ROLES.indexOf(needed);
  expect(
    refusals.map(({ extensions }) => extensions?.requiredRole),
    `${what} as ${role}`,
  ).toEqual(may ? [] : [needed]);
  // What cannot be asked proves nothing: the operation was understood.
  const codes = errors.map(({ extensions }) => extensions?.code);
  expect(codes, what).not.toContain('GRAPHQL_VALIDATION_FAILED');
  expect(codes, what).not.toContain('GRAPHQL_PARSE_FAILED');
  expect(codes, what).not.toContain('UNAUTHENTICATED');
}

let gateway: Gateway;
let posting: string;
const keys = new Map<Role, string>();
const keyOf = (role: Role) => keys.get(role) ?? '';

beforeAll(async () => {
  gateway = await Gateway.start({ safetyPollMs: 600_000 });
  posting = (await seedPosting(gateway, await seedPipeline(gateway))).id;
  for (const role of ROLES) keys.set(role, await gateway.key(role));
});
afterAll(() => gateway.stop());

const coordinates = Object.keys(PERMISSIONS);
const requests = coordinates.filter((name) => /^(Query|Mutation)\./.test(name));
const subscriptions = coordinates.filter((name) => name.startsWith('Subscription.'));
const inside = coordinates.filter((name) => !requests.includes(name) && !subscriptions.includes(name));
/** How each restricted field of an object is reached. */
const WAYS: Readonly<Record<string, () => string>> = {
  'GlPosting.auditEvents': () => `{ glPosting(id: "${posting}") { auditEvents { nodes { id } } } }`,
};

describe('the table of permissions', () => {
  it('has every field of the three roots', () => {
    const all = ROOTS.flatMap((root) => Object.keys(root?.getFields() ?? {}).map((name) => `${root?.name}.${name}`));
    expect(all.length).toBeGreaterThan(50);
    expect(all.filter((name) => !(name in PERMISSIONS))).toEqual([]);
  });

  it('has every field that leads to a restricted kind, with no lower a role than the kind has', () => {
    const kindsOf = (typeName: string) =>
      Object.entries(NODE_PERMISSIONS).filter(([kind]) => [kind, `${kind}Connection`].includes(typeName));
    const behind = Object.keys(NODE_PERMISSIONS).flatMap((kind) => [`${kind}Connection`, `${kind}Edge`]);
    for (const type of Object.values(schema.getTypeMap())) {
      // Of a page or a payload: whoever holds it got past the field that gave it.
      if (!isObjectType(type) || behind.includes(type.name) || type.name.endsWith('Payload')) continue;
      for (const [name, field] of Object.entries(type.getFields())) {
        for (const [kind, needed] of kindsOf(getNamedType(field.type).name)) {
          const given = PERMISSIONS[`${type.name}.${name}`];
          expect(given, `${type.name}.${name} leads to ${kind}`).toBeDefined();
          expect(ROLES.indexOf(given ?? 'VIEWER')).toBeGreaterThanOrEqual(ROLES.indexOf(needed));
        }
      }
    }
  });

  it('is what docs/roles.md says', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../../docs/roles.md'), 'utf8');
    expect(page, 'print the page anew and commit it').toBe(rolesPage());
    const routes = [exportRoute(gateway), ...receiptRoutes(gateway)];
    expect(routes.map(({ role }) => role)).toEqual(['AUDITOR', 'VIEWER', 'VIEWER']);
  });
});

describe('over HTTP', () => {
  it.each(requests)(
    '%s answers the roles that may ask for it, and tells the others which role is needed',
    async (coordinate) => {
      const { type, field } = fieldOf(coordinate);
      const operation = `${type.name === 'Mutation' ? 'mutation ' : ''}{ ${askFor(field)} }`;
      for (const role of ROLES) {
        const { body } = await gateway.ask(keyOf(role), operation);
        expectRight(body.errors ?? [], role, PERMISSIONS[coordinate] ?? 'ADMIN', coordinate);
      }
    },
  );

  it.each(inside)('%s is shown to the roles that may see it, wherever its object is shown', async (coordinate) => {
    const way = WAYS[coordinate];
    if (!way) throw new Error(`Say in this test how ${coordinate} is reached.`);
    for (const role of ROLES) {
      const { body } = await gateway.ask(keyOf(role), way());
      expectRight(body.errors ?? [], role, PERMISSIONS[coordinate] ?? 'ADMIN', coordinate);
    }
  });

  it.each(Object.entries(NODE_PERMISSIONS))('node shows a %s to role %s and those above', async (kind, needed) => {
    const id = kind === 'ApiKey' ? newId('key') : newId('audit');
    for (const role of ROLES) {
      const { body } = await gateway.ask(keyOf(role), `{ node(id: "${id}") { id } }`);
      expectRight(body.errors ?? [], role, needed, `node of ${kind}`);
    }
  });
});

describe('over WebSocket', () => {
  const openNow = () => (gateway.feed as unknown as { open: Set<unknown> }).open.size;

  /** The errors of a subscription; none once it has begun, which only the feed can tell. */
  async function begin(client: Client, query: string): Promise<readonly Refusal[]> {
    const told = Promise.withResolvers<readonly Refusal[]>();
    const end = client.subscribe(
      { query },
      {
        next: ({ errors }) => told.resolve((errors ?? []) as readonly Refusal[]),
        error: (errors) => told.resolve(Array.isArray(errors) ? errors : [{ extensions: { code: String(errors) } }]),
        complete: () => told.resolve([]),
      },
    );
    const poll = setInterval(() => openNow() > 0 && told.resolve([]), 5);
    try {
      return await told.promise;
    } finally {
      clearInterval(poll);
      end();
      await expect.poll(openNow, { interval: 5 }).toBe(0);
    }
  }

  it.each(subscriptions)(
    '%s begins for the roles that may, and tells the others which role is needed',
    async (coordinate) => {
      for (const role of ROLES) {
        const client = createClient({
          ...{ url: `${gateway.server.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 },
          connectionParams: { authorization: `Bearer ${keyOf(role)}` },
        });
        try {
          const errors = await begin(client, `subscription { ${askFor(fieldOf(coordinate).field)} }`);
          expectRight(errors, role, PERMISSIONS[coordinate] ?? 'ADMIN', coordinate);
        } finally {
          await client.dispose();
        }
      }
    },
  );

  it('a query or a mutation is refused as over HTTP', async () => {
    const client = createClient({
      ...{ url: `${gateway.server.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 },
      connectionParams: { authorization: `Bearer ${keyOf('VIEWER')}` },
    });
    try {
      for (const coordinate of ['Query.apiKeys', 'Mutation.revokeApiKey']) {
        const { type, field } = fieldOf(coordinate);
        const operation = `${type.name === 'Mutation' ? 'mutation' : 'query'} { ${askFor(field)} }`;
        expectRight(await begin(client, operation), 'VIEWER', 'ADMIN', coordinate);
      }
    } finally {
      await client.dispose();
    }
  });
});
