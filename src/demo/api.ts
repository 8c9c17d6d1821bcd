import { type Client, createClient } from 'graphql-ws';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';

interface UserError {
  code: string;
  message: string;
  resolution: string | null;
}

const HEADERS_MS = 120_000;

/** The gateway as a stranger uses it: GraphQL over HTTP, subscriptions over WebSocket, an API key. Nothing else. */
export class Api {
  private readonly agent = new Agent({ connections: 4, headersTimeout: HEADERS_MS, bodyTimeout: HEADERS_MS });
  private socket: Client | null = null;

  constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  /** @throws Error with the gateway's own words. */
  async query<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const response = await request(`${this.url}/graphql`, {
      method: 'POST',
      dispatcher: this.agent,
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        authorization: `Bearer ${this.key}`,
      },
      body: JSON.stringify({ query, variables }),
    });
    const text = await response.body.text();
    let answer: { data?: T; errors?: { message: string; extensions?: { code?: string } }[] };
    try {
      answer = JSON.parse(text) as typeof answer;
    } catch {
      throw new Error(`The gateway answered ${response.statusCode}: ${text.slice(0, 300)}`);
    }
    if (answer.errors || !answer.data) {
      const why = answer.errors?.map((one) => `${one.extensions?.code ?? 'ERROR'}: ${one.message}`).join('; ');
      throw new Error(why ?? `The gateway answered ${response.statusCode} without data.`);
    }
    return answer.data;
  }

  /** One mutation; answers with its payload. @throws Error with what the payload's userErrors say. */
  async mutate<T>(name: string, document: string, variables: Record<string, unknown> = {}): Promise<T> {
    const data = await this.query<Record<string, T & { userErrors: UserError[] }>>(document, variables);
    const payload = data[name];
    if (!payload) throw new Error(`The gateway gave no ${name}.`);
    if (payload.userErrors.length > 0) {
      const why = payload.userErrors.map((one) => `${one.code}: ${one.message} ${one.resolution ?? ''}`.trim());
      throw new Error(`${name} was refused. ${why.join(' ')}`);
    }
    return payload;
  }

  /** Events of a subscription, until it completes. */
  async *subscribe<T>(query: string, variables: Record<string, unknown>): AsyncGenerator<T> {
    this.socket ??= createClient({
      url: `${this.url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${this.key}` },
      retryAttempts: 0,
      lazyCloseTimeout: 10_000,
      // Whoever iterates is told; nobody else needs to be.
      onNonLazyError: () => undefined,
    });
    for await (const result of this.socket.iterate<T>({ query, variables })) {
      if (result.errors) throw new Error(result.errors.map((one) => one.message).join('; '));
      if (result.data) yield result.data;
    }
  }

  async close(): Promise<void> {
    await this.socket?.dispose();
    await this.agent.close();
  }
}
