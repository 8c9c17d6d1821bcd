import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LIMITS } from '../../../src/http/limits.js';
import { KnownDocuments } from '../../../src/http/trustedDocuments.js';
import { type Answer, Gateway } from '../../support/graphqlFixtures.js';

// What the lists of attacks on GraphQL servers try (graphql-cop, the OWASP cheat sheet), against the running server in
// production. What would surprise: a small request with a large answer, a schema that is given away, a change by GET.

const codesOf = (answer: Answer): string[] =>
  answer.body.errors?.map((error: { extensions: { code: string } }) => error.extensions.code);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const many = (count: number, one: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => one(index)).join(' ');

describe('a server in production', () => {
  let gateway: Gateway;
  let key: string;

  beforeAll(async () => {
    gateway = await Gateway.start({ isProduction: true });
    key = await gateway.key('OPERATOR');
  });
  afterAll(() => gateway.stop());

  const send = (init: RequestInit, query = '') =>
    fetch(`${gateway.server.url}/graphql${query}`, {
      ...init,
      headers: { authorization: `Bearer ${key}`, ...init.headers },
    });

  it.each([
    ['the schema', '{ __schema { types { name } } }'],
    ['one type of it', '{ __type(name: "GlPosting") { fields { name } } }'],
  ])('does not show %s', async (_what, query) => {
    const answer = await gateway.ask(key, query);
    expect(answer.body.data).toBeUndefined();
    expect(codesOf(answer)).toEqual(['INTROSPECTION_DISABLED']);
  });

  it('suggests no names, for fields, arguments, types and enum values alike', async () => {
    for (const query of [
      '{ viewe { name } }',
      '{ glPostings(filte: {}) { totalCount } }',
      '{ glPostings(filter: { statuses: [POSTEDD] }) { totalCount } }',
      '{ glPostings(filter: { referenc: "x" }) { totalCount } }',
      '{ node(id: "x") { ... on GlPostin { id } } }',
    ]) {
      const answer = await gateway.ask(key, query);
      expect(answer.body.errors.length).toBeGreaterThan(0);
      expect(JSON.stringify(answer.body)).not.toMatch(/did you mean/i);
    }
  });

  it('shows no stack, no tracing and no framework', async () => {
    const answer = await gateway.ask(key, '{ viewer { name } glPostings(first: -1) { totalCount } }');
    expect(answer.body.errors.length).toBe(1);
    expect(JSON.stringify(answer.body)).not.toMatch(/stack|node_modules|\.[jt]s:\d/);
    expect(answer.body.extensions).toBeUndefined();
    expect(answer.headers.get('x-powered-by')).toBeNull();
  });

  it.each([
    ['aliases', `{ ${many(LIMITS.aliases + 1, (index) => `a${index}: __typename`)} }`],
    ['directives', `{ viewer { name ${many(LIMITS.directives + 1, () => '@include(if: true)')} } }`],
    ['fields', `{ viewer { ${many(LIMITS.fields + 1, () => 'name')} } }`],
    [
      'depth',
      `{ glPostings { nodes { ${many(LIMITS.depth, () => 'reversedBy {')} id ${many(LIMITS.depth, () => '}')} } } }`,
    ],
    [
      'rows',
      '{ glPostings(first: 200) { nodes { spendRecords(first: 200) { nodes { postings { auditEvents(first: 200) { nodes { id } } } } } } } }',
    ],
  ])('refuses too many or too much: %s', async (limit, query) => {
    const answer = await gateway.ask(key, query);
    expect(answer.body.data).toBeUndefined();
    expect(answer.body.errors.map((error: { extensions: { limit: string } }) => error.extensions.limit)).toContain(
      limit,
    );
  });

  it('reads no further than the longest document that anybody needs', async () => {
    const answer = await gateway.ask(key, `{ ${many(LIMITS.tokens, () => 'x')} }`);
    expect(answer.body.errors[0].message).toMatch(/token/i);
  });

  it('refuses pages above 200 rows', async () => {
    expect(codesOf(await gateway.ask(key, '{ glPostings(first: 201) { totalCount } }'))).toEqual(['BAD_USER_INPUT']);
  });

  it('takes no batch of operations in one request', async () => {
    const body = JSON.stringify(Array.from({ length: 10 }, () => ({ query: '{ viewer { name } }' })));
    const response = await send({ method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).not.toContain('"data"');
  });

  it('changes nothing by GET or by a form', async () => {
    const mutation = 'mutation { resolveAlert(id: "x") { alert { id } } }';
    const byGet = await send({}, `?query=${encodeURIComponent(mutation)}`);
    expect(byGet.status).toBe(405);
    await byGet.body?.cancel();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const byForm = await send({ method: 'POST', headers, body: new URLSearchParams({ query: mutation }) });
    expect(byForm.status).toBe(415);
    await byForm.body?.cancel();
  });

  it('shows no page to play with', async () => {
    const response = await send({ headers: { accept: 'text/html' } });
    expect(response.headers.get('content-type')).not.toContain('html');
    expect(response.status).toBeGreaterThanOrEqual(400);
    await response.body?.cancel();
  });

  it('ends a query that takes too long', async () => {
    const slow = await Gateway.start({ on: gateway, queryWithinMs: 0 });
    const answer = await slow.ask(key, '{ glPostings { totalCount } }');
    expect([answer.status, codesOf(answer)]).toEqual([503, ['QUERY_TIMED_OUT']]);
    await slow.stop();
  });
});

describe('documents that are known by their hash', () => {
  const DOCUMENT = '{ viewer { name } }';
  const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(DOCUMENT) } };

  async function post(gateway: Gateway, key: string, body: unknown) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    const response = await fetch(`${gateway.server.url}/graphql`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return (await response.json()) as { data?: unknown; errors?: { extensions: { code: string } }[] };
  }

  it('are sent once in full, and never run under the hash of another', async () => {
    const gateway = await Gateway.start();
    const key = await gateway.key('VIEWER');
    const first = await post(gateway, key, { extensions });
    expect(first.errors?.[0]?.extensions.code).toBe('PERSISTED_QUERY_NOT_FOUND');
    const wrong = await post(gateway, key, { query: '{ viewer { role } }', extensions });
    expect(wrong.data).toBeUndefined();
    expect((await post(gateway, key, { query: DOCUMENT, extensions })).data).toBeDefined();
    expect((await post(gateway, key, { extensions })).data).toEqual({ viewer: { name: 'viewer' } });
    await gateway.stop();
  });

  it('are the only ones that are answered when there is a manifest, over HTTP and WebSocket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ledgergate-manifest-'));
    const path = join(folder, 'manifest.json');
    writeFileSync(path, JSON.stringify({ [sha256(DOCUMENT)]: DOCUMENT }));
    const gateway = await Gateway.start({ documents: KnownDocuments.fromFile(path) });
    const [viewer, admin] = [await gateway.key('VIEWER'), await gateway.key('ADMIN')];
    expect((await post(gateway, viewer, { extensions })).data).toEqual({ viewer: { name: 'viewer' } });
    const other = '{ viewer { role } }';
    expect((await post(gateway, viewer, { query: other })).errors?.[0]?.extensions.code).toBe('DOCUMENT_NOT_TRUSTED');
    expect((await post(gateway, admin, { query: other })).data).toEqual({ viewer: { role: 'ADMIN' } });
    const client = createClient({
      url: gateway.server.url.replace('http', 'ws').concat('/graphql'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: viewer },
    });
    const known = client.iterate({ query: DOCUMENT });
    expect((await known.next()).value).toEqual({ data: { viewer: { name: 'viewer' } } });
    await expect(client.iterate({ query: other }).next()).rejects.toMatchObject([
      { extensions: { code: 'DOCUMENT_NOT_TRUSTED' } },
    ]);
    await client.dispose();
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('a key that asks too often', () => {
  it('is told when to come again, at every door, and others are not held up by it', async () => {
    const gateway = await Gateway.start({
      requestsPerMinute: 2,
      routes: [
        { method: 'GET', pattern: /^\/export$/, role: 'VIEWER', handle: async ({ response }) => void response.end() },
      ],
    });
    const [busy, other] = [await gateway.key('VIEWER'), await gateway.key('AUDITOR')];
    const ask = () => gateway.ask(busy, '{ viewer { name } }');
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    const refused = await ask();
    expect([refused.status, codesOf(refused)]).toEqual([429, ['RATE_LIMITED']]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const route = await fetch(`${gateway.server.url}/export`, { headers: { authorization: `Bearer ${busy}` } });
    expect(route.status).toBe(429);
    await route.body?.cancel();
    const client = createClient({
      url: gateway.server.url.replace('http', 'ws').concat('/graphql'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: busy },
    });
    await expect(client.iterate({ query: '{ viewer { name } }' }).next()).rejects.toMatchObject([
      { extensions: { code: 'RATE_LIMITED' } },
    ]);
    await client.dispose();
    expect((await gateway.ask(other, '{ viewer { name } }')).status).toBe(200);
    await gateway.stop();
  });
});
