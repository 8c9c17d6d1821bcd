import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** One request and its response, with what every handler needs of them. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** From the caller where it has a safe form, else made here; given back in `x-correlation-id`. */
  readonly correlationId: string;
}

export const BODY_MAX = 1_048_576;
const SAFE_ID = /^[A-Za-z0-9._:-]{1,100}$/;

export function exchangeOf(request: IncomingMessage, response: ServerResponse): Exchange | null {
  const given = request.headers['x-correlation-id'];
  const correlationId = typeof given === 'string' && SAFE_ID.test(given) ? given : randomUUID();
  response.setHeader('x-correlation-id', correlationId);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  // The host plays no part: only path and query are looked at.
  const target = URL.parse(request.url ?? '/', 'http://gateway');
  return target && request.url?.startsWith('/') ? { request, response, url: target, correlationId } : null;
}

export function send(
  { response }: Pick<Exchange, 'response'>,
  status: number,
  body: string | Buffer,
  contentType: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) return;
  response.writeHead(status, {
    'cache-control': 'no-store',
    ...headers,
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

export function sendJson(
  exchange: Pick<Exchange, 'response'>,
  status: number,
  body: unknown,
  headers?: Readonly<Record<string, string>>,
): void {
  send(exchange, status, JSON.stringify(body), 'application/json; charset=utf-8', headers);
}

/** A refusal before GraphQL began, in GraphQL's form. */
export function sendGraphqlError(
  exchange: Exchange,
  status: number,
  code: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): void {
  const accepts = exchange.request.headers.accept ?? '';
  const type = accepts.includes('application/graphql-response+json')
    ? 'application/graphql-response+json'
    : 'application/json';
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  send(exchange, status, body, `${type}; charset=utf-8`, headers);
}

/**
 * The exact bytes of the body, or null when they are more than `BODY_MAX`. What is too long is read no further: the
 * answer closes the connection.
 */
export async function readBody({ request, response }: Exchange): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_MAX) {
    response.setHeader('connection', 'close');
    return null;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  // Not `for await`: leaving that loop would destroy the socket before the answer could be written.
  return new Promise<Buffer | null>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= BODY_MAX) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      request.pause();
      request.removeAllListeners('data');
      response.setHeader('connection', 'close');
      resolve(null);
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    // Stays: a socket may break more than once, and an error that nobody hears ends the process.
    request.on('error', reject);
    request.once('close', () => {
      if (!request.complete) reject(new Error('The client went away.'));
    });
  });
}

const BEARER = /^Bearer +(\S+)$/i;

/** The key in `Authorization: Bearer …`, or null. */
export function bearerOf(header: string | undefined): string | null {
  return BEARER.exec(header?.trim() ?? '')?.[1] ?? null;
}
