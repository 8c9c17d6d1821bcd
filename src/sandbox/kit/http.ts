import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';

/** One request, fully read. Header names are lower-case. */
export interface SandboxRequest {
  method: string;
  /** Decoded path without the query string. */
  path: string;
  query: URLSearchParams;
  /** The request target as sent, still encoded: what limits on the length of a URL look at. */
  target: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface SandboxReply {
  status: number;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

/** Answer of a handler that wants the connection cut instead of a reply. */
export const DROP_CONNECTION = Symbol('drop the connection');

export type HttpHandler = (
  request: SandboxRequest,
) => SandboxReply | typeof DROP_CONNECTION | Promise<SandboxReply | typeof DROP_CONNECTION>;

export interface HttpOptions {
  /** 0, the default, takes any free port. */
  port?: number;
  /** Default 127.0.0.1: a simulator is not meant for the network. */
  host?: string;
  /** Larger bodies are answered with 413. Default 64 MB. */
  bodyLimitBytes?: number;
  /** Larger request lines and headers are refused by node itself with 431. Default 1 MB, so that a sandbox decides. */
  headerLimitBytes?: number;
  /** How long `close` lets running requests end before it cuts them. Default 250 ms. */
  closeGraceMs?: number;
}

export interface RunningHttp {
  /** Without a trailing slash. */
  url: string;
  port: number;
  /** Stops listening, ends idle connections at once and cuts the others after the grace time. Safe to call twice. */
  close(): Promise<void>;
}

/** @returns a JSON reply. */
export function json(status: number, value: unknown, headers: Record<string, string> = {}): SandboxReply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

/** @returns a plain text reply. */
export function text(status: number, body: string, headers: Record<string, string> = {}): SandboxReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body };
}

/** @returns the kind of page that a proxy or a load balancer puts in place of the API's answer. */
export function htmlPage(status: number, title: string): SandboxReply {
  const body = `<!DOCTYPE html>\r\n<html><head><title>${title}</title></head><body><h2>${title}</h2></body></html>\r\n`;
  return { status, headers: { 'content-type': 'text/html; charset=us-ascii' }, body };
}

/** Starts a real HTTP server on node:http; resolves when it listens. */
export async function startHttp(handler: HttpHandler, options: HttpOptions = {}): Promise<RunningHttp> {
  const host = options.host ?? '127.0.0.1';
  const bodyLimit = options.bodyLimitBytes ?? 64 * 1024 * 1024;
  const server = createServer(
    { maxHeaderSize: options.headerLimitBytes ?? 1024 * 1024, keepAliveTimeout: 30_000 },
    (incoming, outgoing) => {
      answer(handler, incoming, outgoing, bodyLimit).catch(() => outgoing.destroy());
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : (options.port ?? 0);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise<void>((resolve) => {
      // Hanging sockets would keep `close` waiting for ever, so the grace time ends in a cut.
      const cut = setTimeout(() => server.closeAllConnections(), options.closeGraceMs ?? 250);
      server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      server.closeIdleConnections();
    });
    return closing;
  };
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, port, close };
}

async function answer(
  handler: HttpHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  bodyLimit: number,
): Promise<void> {
  const body = await readBody(incoming, bodyLimit);
  if (body === undefined) {
    send(outgoing, json(413, { error: `The body is larger than ${bodyLimit} bytes.` }, { connection: 'close' }));
    return;
  }
  const request = toRequest(incoming, body);
  if (request === undefined) {
    send(outgoing, htmlPage(400, 'Bad Request - Invalid URL'));
    return;
  }
  let reply: SandboxReply | typeof DROP_CONNECTION;
  try {
    reply = await handler(request);
  } catch (error) {
    reply = json(500, { error: `The sandbox failed: ${error instanceof Error ? error.message : 'unknown'}` });
  }
  if (reply === DROP_CONNECTION) incoming.socket.destroy();
  else send(outgoing, reply);
}

/** @returns undefined when the body is larger than the limit. */
async function readBody(incoming: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    // The rest is still read, so that the client gets the answer and not a reset connection.
    if (size <= limit) chunks.push(bytes);
    else chunks.length = 0;
  }
  return size <= limit ? Buffer.concat(chunks) : undefined;
}

/** @returns undefined when the target is no valid URL. */
function toRequest(incoming: IncomingMessage, body: Buffer): SandboxRequest | undefined {
  const target = incoming.url ?? '/';
  const mark = target.indexOf('?');
  try {
    return {
      method: incoming.method ?? 'GET',
      path: decodeURIComponent(mark < 0 ? target : target.slice(0, mark)),
      query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
      target,
      headers: incoming.headers,
      body,
    };
  } catch {
    return undefined;
  }
}

function send(outgoing: ServerResponse, reply: SandboxReply): void {
  if (outgoing.destroyed || outgoing.writableEnded) return;
  const body = reply.body ?? '';
  outgoing.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(body) });
  outgoing.end(body);
}
