import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../logger.js';
import { type Exchange, exchangeOf, sendJson } from './exchange.js';
import type { HttpRoute } from './options.js';

const WITHIN_MS = 2_000;
const KEPT_MS = 1_000;

/**
 * Whether this process can work, for those who probe it. However many ask, the database is asked once in a second, on a
 * connection that exists already; one that does not answer within two seconds counts as away.
 */
export class Readiness {
  private last: { at: number; answer: Promise<boolean> } | null = null;

  /** @param look asks the database. A rejection counts as no. */
  constructor(private readonly look: () => Promise<boolean>) {}

  isReady(): Promise<boolean> {
    const now = performance.now();
    if (!this.last || now - this.last.at >= KEPT_MS) this.last = { at: now, answer: this.ask() };
    return this.last.answer;
  }

  private async ask(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const away = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), WITHIN_MS);
    });
    try {
      return await Promise.race([this.look(), away]);
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}

export interface ProbesOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly logger: Logger;
  readonly isReady: () => Promise<boolean>;
  readonly metrics: HttpRoute;
}

export interface RunningProbes {
  readonly url: string;
  /** From here on /readyz answers 503; the server goes on, so that the last figures can be fetched while work ends. */
  beginStop(): void;
  stop(): Promise<void>;
}

/** The addresses of a process that has no API: `/healthz`, `/readyz` and `/metrics`, and nothing else. */
export async function startProbes(options: ProbesOptions): Promise<RunningProbes> {
  let isStopping = false;
  const answer = async (exchange: Exchange): Promise<void> => {
    const { pathname } = exchange.url;
    const { method } = exchange.request;
    if (method !== 'GET' && method !== 'HEAD') {
      sendJson(exchange, 405, { error: 'METHOD_NOT_ALLOWED', message: 'Use GET.' }, { allow: 'GET' });
      return;
    }
    if (pathname === '/healthz') return sendJson(exchange, 200, { status: 'ok' });
    if (pathname === '/readyz') return sendReady(exchange, isStopping, options.isReady);
    const match = options.metrics.pattern.exec(pathname);
    if (match) return options.metrics.handle({ ...exchange, match, key: null });
    sendJson(exchange, 404, { error: 'NOT_FOUND', message: 'There is nothing at this address.' });
  };
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 });
  server.on('request', (request, response) => {
    const exchange = exchangeOf(request, response);
    if (!exchange) {
      sendJson({ response }, 400, { error: 'BAD_REQUEST', message: 'The address is malformed.' });
      return;
    }
    answer(exchange).catch((error: unknown) => {
      options.logger.error({ err: error, correlationId: exchange.correlationId }, 'a probe could not be answered');
      sendJson(exchange, 500, { error: 'INTERNAL', message: 'It could not be answered.' });
    });
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    beginStop() {
      isStopping = true;
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** `/readyz`, in the form that every process of ours gives it. */
export async function sendReady(exchange: Exchange, isStopping: boolean, look: () => Promise<boolean>): Promise<void> {
  const isReady = !isStopping && (await look().catch(() => false));
  const reason = isStopping ? 'stopping' : 'the database does not answer or lacks migrations';
  sendJson(exchange, isReady ? 200 : 503, isReady ? { status: 'ready' } : { status: 'not ready', reason });
}
