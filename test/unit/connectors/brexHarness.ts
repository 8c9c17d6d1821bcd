import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { credentialsSchema, settingsSchema } from '../../../src/connectors/brex/config.js';
import { type BrexConnection, type BrexCredentials, connectBrex } from '../../../src/connectors/brex/index.js';
import type { CredentialVault, RenewedCredential, SharedSession } from '../../../src/connectors/contract.js';
import { createLogger } from '../../../src/logger.js';
import { OpenQuota } from '../../support/connectorContext.js';

/** A Brex that answers what a test says, on a real socket, and remembers what it was asked. */

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The caller's port: one for each connection. */
  readonly port: number | undefined;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  /** Breaks the connection instead of answering. */
  readonly breaks?: boolean;
}

export interface FakeBrex {
  readonly url: string;
  readonly asked: Asked[];
  /** Queries of the requests to one path, as objects of lists. */
  queries(path: string): Record<string, string[]>[];
}

export async function fakeBrex(answer: (asked: Asked, count: number) => Answer | Promise<Answer>): Promise<FakeBrex> {
  const asked: Asked[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', async () => {
      const url = new URL(incoming.url ?? '/', 'http://fake');
      const one: Asked = {
        method: incoming.method ?? '',
        path: url.pathname,
        query: [...url.searchParams.entries()],
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString('utf8'),
        port: incoming.socket.remotePort,
      };
      asked.push(one);
      const said = await answer(one, asked.length);
      if (said.breaks) {
        incoming.socket.destroy();
        return;
      }
      outgoing.writeHead(said.status ?? 200, { 'x-brex-trace-id': '5081295853325621927', ...said.headers });
      outgoing.end(typeof said.body === 'string' ? said.body : JSON.stringify(said.body ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    queries: (path) =>
      asked
        .filter((one) => one.path === path)
        .map((one) => {
          const grouped: Record<string, string[]> = {};
          for (const [name, value] of one.query) {
            grouped[name] ??= [];
            grouped[name].push(value);
          }
          return grouped;
        }),
  };
}

export const NOW = new Date('2026-11-20T12:00:00Z');

/** A vault as the engine's: serialised, re-reading under the lock. Shared by the connections of one test. */
export class MemoryVault implements CredentialVault<BrexCredentials> {
  readonly renewals: RenewedCredential<BrexCredentials>[] = [];
  private lock: Promise<unknown> = Promise.resolve();

  constructor(public stored: BrexCredentials) {}

  async read(): Promise<BrexCredentials> {
    return this.stored;
  }

  rotate(
    isStale: (current: BrexCredentials) => boolean,
    renew: (current: BrexCredentials) => Promise<RenewedCredential<BrexCredentials>>,
  ): Promise<BrexCredentials> {
    const turn = this.lock.then(async () => {
      if (!isStale(this.stored)) return this.stored;
      const renewed = await renew(this.stored);
      this.renewals.push(renewed);
      this.stored = renewed.credential;
      return this.stored;
    });
    this.lock = turn.catch(() => undefined);
    return turn;
  }
}

const noSession: SharedSession = {
  current: async () => null,
  renew: async () => 'unused',
  end: async () => undefined,
};

export interface ConnectOptions {
  readonly settings?: Record<string, unknown>;
  readonly vault?: MemoryVault;
  readonly systemId?: string;
  readonly now?: Date;
  readonly waits?: number[];
}

export function userToken(token = 'bxt_test'): BrexCredentials {
  return credentialsSchema.parse({ kind: 'userToken', token });
}

let systems = 0;

export function connectTo(baseUrl: string, options: ConnectOptions = {}): BrexConnection {
  systems += 1;
  const connection = connectBrex(
    {
      tenantId: 'tenant',
      systemId: options.systemId ?? `system-${systems}`,
      baseUrl,
      settings: settingsSchema.parse(options.settings ?? {}),
      credentials: options.vault ?? new MemoryVault(userToken()),
      session: noSession,
      quota: new OpenQuota(),
      clock: { now: () => options.now ?? NOW },
      logger: createLogger('silent'),
    },
    {
      delay: async (ms) => {
        options.waits?.push(ms);
      },
      random: () => 0,
      monotonicMs: () => performance.now(),
    },
  );
  onTestFinished(() => connection.disconnect());
  return connection;
}

export function page(items: readonly unknown[], nextCursor: string | null = null) {
  return { items, next_cursor: nextCursor };
}
