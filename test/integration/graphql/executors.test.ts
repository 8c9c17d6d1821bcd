import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway, type PipelineIds, seedPipeline, seedPosting } from '../../support/graphqlFixtures.js';

// Compiled operations must answer what graphql-js itself answers. Known differences, not compared: the order of keys,
// and how many siblings report an error under one nulled list.

const POSTING =
  'fragment P on GlPosting { __typename id status holds { code field value } lines { debit credit dimensions } supplier { code } }';
const QUERIES: readonly (readonly [string, string])[] = [
  ['a scalar', '{ viewer { tenant name role } }'],
  [
    'lists and enums',
    '{ systems { id kind role status createdAt lastCheckedAt settings } connectors { kind settingsSchema } }',
  ],
  [
    'a page with fragments',
    `{ glPostings(first: 3) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { ...P } } } } ${POSTING}`,
  ],
  [
    'aliases and inline fragments',
    `query ($id: ID!) { a: node(id: $id) { id ... on GlPosting { reference } ... on Pipeline { name } } b: glPosting(id: $id) { id } }`,
  ],
  [
    'directives',
    'query ($id: ID!, $no: Boolean = false) { glPosting(id: $id) { id @skip(if: true) status @include(if: $no) reference } }',
  ],
  ['a default and a null argument', '{ alerts { id } all: alerts(includeResolved: null) { id } }'],
  [
    'an input object with a variable inside',
    'query ($r: String) { glPostings(filter: { statuses: [HELD, POSTED], reference: $r }) { totalCount } }',
  ],
  [
    'nested connections',
    '{ glPostings(first: 2) { nodes { spendRecords(first: 1) { nodes { amount { amount } postings { id } } } auditEvents(first: 1) { nodes { sequence before } } } } }',
  ],
  [
    'introspection',
    '{ __schema { types { name kind fields { name args { name defaultValue } } } } __type(name: "Node") { possibleTypes { name } } }',
  ],
  ['nothing found', '{ pipeline(id: "pipe_none") { id source { id } } }'],
  ['an error under a nullable field', '{ viewer { name } glPostings(first: 0) { nodes { id } } }'],
  ['an error that nulls the whole answer', '{ apiKeys { id } }'],
  [
    'an error in a list of things',
    '{ glPostings(first: 2) { nodes { id spendRecords(first: 999) { nodes { id } } } } }',
  ],
  ['a variable of the wrong type', 'query ($first: Int!) { glPostings(first: $first) { totalCount } }'],
  ['a scalar that refuses a variable', 'query ($day: Date) { glPostings(filter: { from: $day }) { totalCount } }'],
  ['two operations, one named', 'query A { viewer { name } } query Operation { viewer { role } }'],
];

interface Problem {
  message: string;
  path?: (string | number)[];
  extensions: Record<string, unknown>;
}

describe('the compiled executor', () => {
  let plain: Gateway;
  let compiled: Gateway;
  let key: string;
  let ids: PipelineIds;
  let posting: string;

  beforeAll(async () => {
    plain = await Gateway.start({ executor: 'plain' });
    compiled = await Gateway.start({ on: plain, executor: 'jit' });
    ids = await seedPipeline(plain);
    for (let index = 0; index < 4; index += 1) posting = (await seedPosting(plain, ids)).id;
    key = await plain.key('AUDITOR');
  });
  afterAll(async () => {
    await compiled.stop();
    await plain.stop();
  });

  const ask = async (gateway: Gateway, query: string) => {
    const response = await fetch(`${gateway.server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${key}`,
        accept: 'application/graphql-response+json',
      },
      body: JSON.stringify({
        query,
        variables: { id: posting, first: 'many', day: '2026-02-30' },
        ...(query.includes('query Operation') ? { operationName: 'Operation' } : {}),
      }),
    });
    const body = (await response.json()) as { data?: unknown; errors?: Problem[] };
    // The first of several siblings is enough: see above.
    const [first] = body.errors ?? [];
    return {
      status: response.status,
      data: body.data,
      error: first && {
        message: first.message,
        path: first.path?.filter((part) => typeof part === 'string'),
        extensions: first.extensions,
      },
    };
  };

  it.each(QUERIES)('answers %s as the plain one does', async (_what, query) => {
    const expected = await ask(plain, query);
    // Twice: made, and from memory.
    expect(await ask(compiled, query)).toEqual(expected);
    expect(await ask(compiled, query)).toEqual(expected);
  });
});
