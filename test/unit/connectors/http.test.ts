/**
 * What would be caught here: a fault that is called "not sent" although bytes left (the engine would then send a journal
 * twice), and a secret from a query string in an error or a log line.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createHttpClient,
  type HttpClient,
  type HttpClientOptions,
  headerOf,
  readFault,
  retryAfterMs,
  TransportFault,
  withReadRetries,
  writeFault,
} from '../../../src/connectors/http.js';
import {
  ConfigurationError,
  OutcomeUnknownError,
  RateLimitedError,
  UpstreamUnavailableError,
} from '../../../src/errors.js';
import { createLogger } from '../../../src/logger.js';

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(server: Server | TcpServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  const url = await listen(server);
  cleanups.push(() => server.closeAllConnections());
  return url;
}

function client(baseUrl: string, more: Partial<HttpClientOptions> = {}): HttpClient {
  const made = createHttpClient({
    baseUrl,
    timeoutMs: 2_000,
    maxBodyBytes: 100_000,
    logger: createLogger('silent'),
    ...more,
  });
  cleanups.push(() => made.close());
  return made;
}

async function faultOf(call: Promise<unknown>): Promise<TransportFault> {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TransportFault);
  return error as TransportFault;
}

describe('createHttpClient', () => {
  it('sends repeated query names, headers and a body, and returns status, headers and bytes', async () => {
    const url = await serve((incoming, outgoing) => {
      incoming.setEncoding('utf8');
      let body = '';
      incoming.on('data', (chunk: string) => {
        body += chunk;
      });
      incoming.on('end', () => {
        outgoing.writeHead(418, { 'X-Trace': '7' });
        outgoing.end(JSON.stringify({ url: incoming.url, key: incoming.headers['idempotency-key'], body }));
      });
    });
    const reply = await client(`${url}/base/`).send({
      method: 'POST',
      path: '/v1/things',
      query: [
        ['expand[]', 'a b'],
        ['expand[]', 'ü'],
      ],
      headers: { 'Idempotency-Key': 'k1' },
      body: 'hello',
    });
    expect(reply.status).toBe(418);
    expect(headerOf(reply, 'X-Trace')).toBe('7');
    expect(JSON.parse(reply.body.toString())).toEqual({
      url: '/base/v1/things?expand%5B%5D=a+b&expand%5B%5D=%C3%BC',
      key: 'k1',
      body: 'hello',
    });
  });

  it('does not follow a redirect', async () => {
    const url = await serve((_, outgoing) => outgoing.writeHead(302, { location: '/elsewhere' }).end());
    expect((await client(url).send({ method: 'GET', path: '/' })).status).toBe(302);
  });

  it('a refused connection was certainly not sent', async () => {
    const server = createTcpServer();
    const url = await listen(server);
    await (cleanups.pop() as () => Promise<unknown>)();
    const fault = await faultOf(client(url).send({ method: 'POST', path: '/', body: 'x' }));
    expect(fault).toMatchObject({ faultCode: 'NOT_CONNECTED', certainlyNotSent: true });
    expect(writeFault(fault, 'Ledger')).toBeInstanceOf(UpstreamUnavailableError);
  });

  it('an unknown host was certainly not sent', async () => {
    const fault = await faultOf(client('http://nobody.invalid').send({ method: 'POST', path: '/' }));
    expect(fault.certainlyNotSent).toBe(true);
  });

  it('a failed TLS handshake was certainly not sent', async () => {
    const url = await listen(createTcpServer((socket) => socket.end('this is not TLS', () => socket.destroy())));
    const fault = await faultOf(
      client(url.replace('http:', 'https:')).send({ method: 'POST', path: '/', body: 'secret' }),
    );
    expect(fault).toMatchObject({ faultCode: 'NOT_CONNECTED', certainlyNotSent: true });
  });

  it('a connection that breaks after the request was written may have been acted on', async () => {
    const url = await serve((incoming) => incoming.on('data', () => incoming.socket.destroy()));
    const fault = await faultOf(client(url).send({ method: 'POST', path: '/', body: 'x', freshConnection: true }));
    expect(fault).toMatchObject({ faultCode: 'BROKEN', certainlyNotSent: false });
    expect(writeFault(fault, 'Ledger')).toBeInstanceOf(OutcomeUnknownError);
    expect(readFault(fault, 'Ledger')).toBeInstanceOf(UpstreamUnavailableError);
  });

  it('an answer that does not come in time may have been acted on', async () => {
    const url = await serve(() => undefined);
    const fault = await faultOf(client(url).send({ method: 'POST', path: '/', body: 'x', timeoutMs: 50 }));
    expect(fault).toMatchObject({ faultCode: 'TIMEOUT', certainlyNotSent: false });
  });

  it('a body that stops in the middle is a fault, not a short answer', async () => {
    const url = await serve((_, outgoing) => {
      outgoing.writeHead(200, { 'content-length': '100' });
      outgoing.write('half', () => outgoing.socket?.destroy());
    });
    const fault = await faultOf(client(url).send({ method: 'GET', path: '/' }));
    expect(fault).toMatchObject({ faultCode: 'BROKEN', certainlyNotSent: false });
  });

  it('an answer above the limit is refused', async () => {
    const url = await serve((_, outgoing) => outgoing.end('x'.repeat(2_000)));
    const fault = await faultOf(client(url, { maxBodyBytes: 1_000 }).send({ method: 'GET', path: '/' }));
    expect(fault.faultCode).toBe('BODY_TOO_LARGE');
  });

  it('the process signal ends a call in flight, and one made after it was never sent', async () => {
    const stop = new AbortController();
    const url = await serve(() => stop.abort());
    const http = client(url, { signal: stop.signal });
    expect(await faultOf(http.send({ method: 'POST', path: '/' }))).toMatchObject({
      faultCode: 'ABORTED',
      certainlyNotSent: false,
    });
    expect(await faultOf(http.send({ method: 'POST', path: '/' }))).toMatchObject({ certainlyNotSent: true });
  });

  it('a full queue refuses without sending', async () => {
    let release: () => void = () => undefined;
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const url = await serve((_, outgoing) => {
      release = () => outgoing.end('done');
      arrive();
    });
    const http = client(url, { bulkhead: { concurrent: 1, queued: 0 } });
    const first = http.send({ method: 'GET', path: '/' });
    await arrived;
    expect(await faultOf(http.send({ method: 'GET', path: '/' }))).toMatchObject({
      faultCode: 'TOO_MANY_CALLS',
      certainlyNotSent: true,
    });
    release();
    expect((await first).status).toBe(200);
  });

  it('each fresh connection is a connection of its own', async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((incoming, outgoing) => {
      ports.add(incoming.socket.remotePort);
      outgoing.end('ok');
    });
    const http = client(url);
    await http.send({ method: 'POST', path: '/', freshConnection: true });
    await http.send({ method: 'POST', path: '/', freshConnection: true });
    expect(ports.size).toBe(2);
  });

  it('neither errors nor logs hold a query string, a header or a body', async () => {
    const lines: string[] = [];
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString());
        done();
      },
    });
    const url = await serve((incoming) => incoming.socket.destroy());
    const http = client(url, { logger: createLogger('trace', sink) });
    const fault = await faultOf(
      http.send({
        method: 'POST',
        path: '/login',
        query: [['password', 's3cret']],
        headers: { authorization: 'Bearer s3cret' },
        body: 's3cret',
      }),
    );
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('') + JSON.stringify(fault) + fault.stack + String(fault.cause)).not.toContain('s3cret');
  });

  it('refuses an address that is not http(s) or carries a password', () => {
    for (const baseUrl of ['ftp://x', 'not a url', 'https://me:pw@host']) {
      expect(() => client(baseUrl)).toThrow(ConfigurationError);
    }
  });
});

describe('retryAfterMs', () => {
  const now = new Date('2026-11-20T12:00:00Z');
  it.each([
    ['7', 7_000],
    ['Fri, 20 Nov 2026 12:00:30 GMT', 30_000],
    ['Fri, 20 Nov 2026 11:00:00 GMT', 0],
    ['soon', null],
  ])('%s gives %s', (text, expected) => {
    expect(retryAfterMs({ headers: { 'retry-after': text } }, now)).toBe(expected);
  });
  it('is null without the header', () => {
    expect(retryAfterMs({ headers: {} }, now)).toBeNull();
  });
});

describe('withReadRetries', () => {
  function harness(failures: Error[]) {
    const waits: number[] = [];
    let calls = 0;
    const run = (more: { attempts: number; maxDelayMs?: number }) =>
      withReadRetries(
        async () => {
          calls += 1;
          const failure = failures.shift();
          if (failure) throw failure;
          return 'read';
        },
        { delay: async (ms) => void waits.push(ms), random: () => 0, baseDelayMs: 100, ...more },
      );
    return { run, waits, calls: () => calls };
  }

  it('waits longer each time, and as long as a throttling vendor asks', async () => {
    const h = harness([
      new UpstreamUnavailableError('down'),
      new UpstreamUnavailableError('down'),
      new RateLimitedError('slow down', 5_000),
    ]);
    expect(await h.run({ attempts: 4 })).toBe('read');
    expect(h.waits).toEqual([50, 100, 5_000]);
  });

  it('gives up after the bound with the last error', async () => {
    const h = harness([new UpstreamUnavailableError('1'), new UpstreamUnavailableError('2')]);
    await expect(h.run({ attempts: 2 })).rejects.toThrow('2');
    expect(h.calls()).toBe(2);
  });

  it('never repeats an unclear write or an unknown error', async () => {
    for (const failure of [new OutcomeUnknownError('?'), new Error('bug')]) {
      const h = harness([failure]);
      await expect(h.run({ attempts: 5 })).rejects.toBe(failure);
      expect(h.calls()).toBe(1);
    }
  });

  it('leaves a long wait to the job engine', async () => {
    const h = harness([new RateLimitedError('later', 60_000)]);
    await expect(h.run({ attempts: 5, maxDelayMs: 20_000 })).rejects.toBeInstanceOf(RateLimitedError);
    expect(h.waits).toEqual([]);
  });
});
