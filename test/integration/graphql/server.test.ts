import { request as rawRequest } from 'node:http';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway } from '../../support/graphqlFixtures.js';

// The server from outside: GraphQL over HTTP, authentication, webhooks, health, the console's headers.

const deliveries: { systemId: string | null; kind: string | null; body: string; signature: string | undefined }[] = [];
let isReady = true;
let log = '';

describe('the server', () => {
  let gateway: Gateway;
  let admin: string;

  beforeAll(async () => {
    gateway = await Gateway.start({
      isProduction: true,
      log: new Writable({
        write(chunk, _encoding, done) {
          log += String(chunk);
          done();
        },
      }),
      isReady: async () => {
        if (!isReady) throw new Error('down');
        return true;
      },
      webhooks: async (systemId, kind, headers, rawBody) => {
        deliveries.push({ systemId, kind, body: rawBody.toString('utf8'), signature: headers['svix-signature'] });
        return systemId === 'sys_gone' ? { status: 404, body: { error: 'NOT_FOUND' } } : { status: 200, body: {} };
      },
      routes: [
        {
          method: 'GET',
          pattern: /^\/metrics$/,
          role: null,
          handle: async ({ response }) => void response.end('up 1'),
        },
        {
          method: 'GET',
          pattern: /^\/export\/(\w+)$/,
          role: 'AUDITOR',
          handle: async ({ response, match, key }) => void response.end(`${match[1]} ${key?.tenantId}`),
        },
      ],
    });
    admin = await gateway.key('ADMIN');
  });
  afterAll(() => gateway.stop());

  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}`, ...headers },
      body,
    });

  it('answers 401 with a code to whoever has no valid key', async () => {
    for (const key of [null, 'lgk_wrong', '']) {
      const answer = await gateway.ask(key, '{ viewer { name } }');
      expect(answer.status).toBe(401);
      expect(answer.body.errors[0].extensions.code).toBe('UNAUTHENTICATED');
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.headers.get('content-type')).toContain('application/graphql-response+json');
    }
  });

  it('says who asks', async () => {
    expect(await gateway.data(admin, '{ viewer { tenant name role } }')).toEqual({
      viewer: { tenant: 'acme', name: 'admin', role: 'ADMIN' },
    });
  });

  it('speaks GraphQL over HTTP in both media types with the right status codes', async () => {
    const query = JSON.stringify({ query: '{ viewer { name } }' });
    const modern = await post(query, { accept: 'application/graphql-response+json' });
    expect([modern.status, modern.headers.get('content-type')]).toEqual([
      200,
      'application/graphql-response+json; charset=utf-8',
    ]);
    const classic = await post(query, { accept: 'application/json' });
    expect([classic.status, classic.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect((await post(query, { 'content-type': 'application/json; charset=UTF-8' })).status).toBe(200);
    const gql = { accept: 'application/graphql-response+json' };
    expect((await post('{', gql)).status).toBe(400);
    expect((await post('[]', gql)).status).toBe(400);
    expect((await post('{}', gql)).status).toBe(400);
    expect((await post(JSON.stringify({ query: '{' }), gql)).status).toBe(400);
    expect((await post(JSON.stringify({ query: '{ nothing }' }), gql)).status).toBe(400);
    expect((await post(JSON.stringify({ query: 'query ($id: ID!) { system(id: $id) { id } }' }), gql)).status).toBe(
      400,
    );
    expect((await post(query, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(JSON.stringify([{ query: '{ viewer { name } }' }]), gql)).status).toBe(400);
    const put = await fetch(`${gateway.server.url}/graphql`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${admin}` },
    });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST']);
    await put.body?.cancel();
  });

  it('takes queries by GET, but no mutation', async () => {
    const get = (query: string) =>
      fetch(`${gateway.server.url}/graphql?query=${encodeURIComponent(query)}`, {
        headers: { authorization: `Bearer ${admin}` },
      });
    expect(await (await get('{ viewer { name } }')).json()).toEqual({ data: { viewer: { name: 'admin' } } });
    const change = await get('mutation { resolveAlert(id: "x") { alert { id } } }');
    expect(change.status).toBe(405);
    await change.body?.cancel();
  });

  // A browser sends cookies and plain forms for whatever page asks, but no `authorization` before the server allowed it.
  it('answers nothing that a page of another site can make a browser send', async () => {
    const url = `${gateway.server.url}/graphql`;
    const origin = 'https://elsewhere.example';
    const asked = await fetch(url, {
      method: 'OPTIONS',
      headers: {
        ...{ origin, 'access-control-request-method': 'POST' },
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(asked.ok).toBe(false);
    const query = `${url}?query=${encodeURIComponent('{ viewer { name } }')}`;
    const plain = await fetch(query, { headers: { origin, cookie: `key=${admin}` } });
    expect(plain.status).toBe(401);
    const form = await fetch(url, {
      method: 'POST',
      headers: { origin, authorization: `Bearer ${admin}`, 'content-type': 'text/plain' },
      body: JSON.stringify({ query: '{ viewer { name } }' }),
    });
    expect(form.status).toBe(415);
    for (const response of [asked, plain, form]) {
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
      await response.body?.cancel();
    }
  });

  it('reads at most 1 MiB', async () => {
    const big = await post(JSON.stringify({ query: '{ viewer { name } }', variables: { x: 'x'.repeat(1_100_000) } }));
    expect(big.status).toBe(413);
    expect(await big.json()).toMatchObject({ errors: [{ extensions: { code: 'BODY_TOO_LARGE' } }] });
  });

  it('reads at most 1 MiB of a body of unknown length', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = rawRequest(`${gateway.server.url}/webhooks/sys_1`, { method: 'POST' }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode));
      });
      request.on('error', reject);
      for (let index = 0; index < 20; index += 1) request.write('x'.repeat(60_000));
      // Never ended: the answer must not wait for the end.
    });
    expect(status).toBe(413);
  });

  it('lives on when a client goes away in the middle of a body', async () => {
    const before = log;
    for (const path of ['/webhooks/sys_1', '/graphql']) {
      const request = rawRequest(`${gateway.server.url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json', 'content-length': '1000' },
      });
      const broken = new Promise((resolve) => request.once('error', resolve));
      request.write('{"query":', () => request.destroy(new Error('gone')));
      await broken;
    }
    expect((await fetch(`${gateway.server.url}/healthz`)).status).toBe(200);
    expect(log.slice(before.length)).not.toContain('a request failed');
  });

  it('gives back the correlation id of the caller when it has a safe form', async () => {
    const safe = await gateway.ask(admin, '{ viewer { name } }', {}, { 'x-correlation-id': 'invoice-42' });
    expect(safe.headers.get('x-correlation-id')).toBe('invoice-42');
    const unsafe = await gateway.ask(admin, '{ viewer { name } }', {}, { 'x-correlation-id': '<script>' });
    expect(unsafe.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('shows the schema in production to administrators only, and suggests no names to others', async () => {
    const viewer = await gateway.key('VIEWER');
    const introspect = '{ __schema { queryType { name } } }';
    expect((await gateway.data(admin, introspect)).__schema.queryType.name).toBe('Query');
    const refused = await gateway.ask(viewer, introspect);
    expect(refused.body.errors[0].extensions.code).toBe('INTROSPECTION_DISABLED');
    expect(refused.status).toBe(400);
    expect((await gateway.data(viewer, '{ viewer { __typename } }')).viewer.__typename).toBe('Viewer');
    const guess = '{ sistems { id } }';
    expect((await gateway.ask(admin, guess)).body.errors[0].message).toContain('Did you mean "systems"');
    expect((await gateway.ask(viewer, guess)).body.errors[0].message).not.toContain('systems"');
  });

  it('keeps bugs to the log, without a stack in the answer', async () => {
    const { body, status } = await gateway.ask(admin, 'mutation { resolveAlert(id: "alert_1") { alert { id } } }');
    const [error] = body.errors;
    expect(status).toBe(200);
    expect(error.extensions).toEqual({ code: 'INTERNAL', traceId: expect.any(String) });
    expect(JSON.stringify(body)).not.toContain('not expected');
    expect(log).toContain(error.extensions.traceId);
    expect(log).toContain('The use case resolveAlert was not expected.');
    expect(log).not.toContain(admin);
  });

  it('refuses operations that are too large', async () => {
    const wide = Array.from({ length: 70 }, (_, index) => `v${index}: viewer { name }`).join(' ');
    expect((await gateway.ask(admin, `{ ${wide} }`)).body.errors[0].extensions).toMatchObject({ limit: 'aliases' });
    const long = `{ ${'viewer { name } '.repeat(2_000)} }`;
    const { status, body } = await gateway.ask(admin, long);
    expect([status, body.errors[0].extensions.code]).toEqual([400, 'GRAPHQL_PARSE_FAILED']);
  });

  it('hands webhooks over as the exact bytes that came', async () => {
    const body = '{ "a" :  1.0 }';
    const send = (path: string) =>
      fetch(`${gateway.server.url}/webhooks/${path}`, { method: 'POST', body, headers: { 'svix-signature': 'v1,x' } });
    expect((await send('sys_1')).status).toBe(200);
    expect((await send('brex')).status).toBe(200);
    expect((await send('sys_gone')).status).toBe(404);
    expect(deliveries).toEqual([
      { systemId: 'sys_1', kind: null, body, signature: 'v1,x' },
      { systemId: null, kind: 'BREX', body, signature: 'v1,x' },
      { systemId: 'sys_gone', kind: null, body, signature: 'v1,x' },
    ]);
    expect((await fetch(`${gateway.server.url}/webhooks/sys_1`)).status).toBe(405);
    expect((await fetch(`${gateway.server.url}/webhooks/a/b`, { method: 'POST' })).status).toBe(404);
  });

  it('says whether it lives and whether it is ready', async () => {
    expect((await fetch(`${gateway.server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${gateway.server.url}/readyz`)).status).toBe(200);
    isReady = false;
    expect((await fetch(`${gateway.server.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${gateway.server.url}/healthz`)).status).toBe(200);
    isReady = true;
  });

  it('serves the console under a policy that runs nothing foreign', async () => {
    const page = await fetch(`${gateway.server.url}/`);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    const html = await page.text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>|\son\w+=|\sstyle=/i);
    for (const [, path] of html.matchAll(/(?:src|href)="(\/console\/[^"]+)"/g)) {
      expect((await fetch(`${gateway.server.url}${path}`)).status, path).toBe(200);
    }
    expect((await fetch(`${gateway.server.url}/console/../server.ts`)).status).toBe(404);
  });

  it('asks for the key and role of the further routes itself', async () => {
    const get = (path: string, key?: string) =>
      fetch(`${gateway.server.url}${path}`, key ? { headers: { authorization: `Bearer ${key}` } } : {});
    expect(await (await get('/metrics')).text()).toBe('up 1');
    expect((await get('/export/audit')).status).toBe(401);
    expect((await get('/export/audit', await gateway.key('VIEWER', 'acme', 'v2'))).status).toBe(403);
    expect(await (await get('/export/audit', await gateway.key('AUDITOR'))).text()).toBe('audit acme');
  });

  it('lets a running request end when it stops, and takes no new one', async () => {
    let entered = () => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const other = await Gateway.start({
      on: gateway,
      drainMs: 10_000,
      webhooks: async () => {
        entered();
        await released;
        return { status: 200, body: {} };
      },
    });
    const running = fetch(`${other.server.url}/webhooks/sys_1`, { method: 'POST', body: '{}' });
    await inside;
    const stopped = other.stop();
    release();
    expect((await running).status).toBe(200);
    await stopped;
    await expect(fetch(`${other.server.url}/healthz`)).rejects.toThrow();
  });
});
