import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client/core';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { fetchExchange, subscriptionExchange, Client as UrqlClient } from '@urql/core';
import { createClient, type Client as SocketClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Gateway, TENANT } from '../../support/graphqlFixtures.js';

// The clients that dashboards are written with, as they come. Would catch: an answer that our own requests accept and a
// cache or a link of theirs does not, such as a missing `__typename`, a wrong content type or a frame out of order.

interface Event {
  readonly auditEventAppended: { readonly sequence: string; readonly summary: string };
}

const VIEWER = 'query Who { viewer { name role } }';
const MAKE_KEY = `mutation Make($name: String!) {
  createApiKey(name: $name, role: VIEWER) { secret apiKey { id name } userErrors { code } }
}`;
const EVENTS = 'subscription Trail($after: String) { auditEventAppended(after: $after) { sequence summary } }';

describe('real clients', () => {
  let gateway: Gateway;
  let key: string;
  const sockets: SocketClient[] = [];

  beforeAll(async () => {
    gateway = await Gateway.start({
      safetyPollMs: 600_000,
    });
    key = await gateway.key('ADMIN');
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) await socket.dispose();
  });
  afterAll(() => gateway.stop());

  function socket(): SocketClient {
    const client = createClient({
      url: `${gateway.server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${key}` },
    });
    sockets.push(client);
    return client;
  }

  function apollo(): ApolloClient {
    const http = new HttpLink({
      uri: `${gateway.server.url}/graphql`,
      headers: { authorization: `Bearer ${key}` },
    });
    const link = ApolloLink.split(
      ({ operationType }) => operationType === 'subscription',
      new GraphQLWsLink(socket()),
      http,
    );
    return new ApolloClient({ link, cache: new InMemoryCache() });
  }

  function urql(): UrqlClient {
    const client = socket();
    return new UrqlClient({
      url: `${gateway.server.url}/graphql`,
      preferGetMethod: false,
      fetchOptions: { headers: { authorization: `Bearer ${key}` } },
      exchanges: [
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: ({ query = '', variables }) => ({
            subscribe: (sink) => {
              const end = client.subscribe(
                { query, variables: variables as Record<string, unknown> },
                {
                  next: (result) => sink.next(result as Parameters<typeof sink.next>[0]),
                  error: (error) => sink.error(error),
                  complete: () => sink.complete(),
                },
              );
              return { unsubscribe: end };
            },
          }),
        }),
      ],
    });
  }

  type Take = (after: string, count: number) => Promise<string[]>;

  const takeWithApollo: Take = (after, count) =>
    new Promise((resolve, reject) => {
      const seen: string[] = [];
      const subscription = apollo()
        .subscribe<Event>({ query: gql(EVENTS), variables: { after } })
        .subscribe({
          next: ({ data, error }) => {
            if (error || !data) return reject(error ?? new Error('An event without data.'));
            seen.push(data.auditEventAppended.sequence);
            if (seen.length < count) return;
            subscription.unsubscribe();
            resolve(seen);
          },
          error: reject,
        });
    });

  const takeWithUrql: Take = (after, count) =>
    new Promise((resolve, reject) => {
      const seen: string[] = [];
      const subscription = urql()
        .subscription<Event>(EVENTS, { after })
        .subscribe(({ data, error }) => {
          if (error || !data) return reject(error ?? new Error('An event without data.'));
          seen.push(data.auditEventAppended.sequence);
          if (seen.length < count) return;
          subscription.unsubscribe();
          resolve(seen);
        });
    });

  /** Takes some, goes away while more is written, and goes on with the cursor of the last it had. */
  async function resumes(take: Take): Promise<void> {
    const { auditEvents } = await gateway.data(key, '{ auditEvents { totalCount } }');
    const start = Number(auditEvents.totalCount);
    const some = (count: number) =>
      gateway.audit(...Array.from({ length: count }, (_, index) => ({ summary: `${index}` })));
    await some(3);
    const first = await take(String(start), 2);
    await some(2);
    const rest = await take(first.at(-1) ?? '', 3);
    expect([...first, ...rest]).toEqual([1, 2, 3, 4, 5].map((step) => String(start + step)));
  }

  it('Apollo Client asks and changes over HTTP', async () => {
    const client = apollo();
    const { data } = await client.query({ query: gql(VIEWER) });
    expect(data).toMatchObject({ viewer: { name: 'admin', role: 'ADMIN' } });
    const made = await client.mutate({ mutation: gql(MAKE_KEY), variables: { name: 'by apollo' } });
    expect(made.data).toMatchObject({ createApiKey: { apiKey: { name: 'by apollo' }, userErrors: [] } });
  });

  it('Apollo Client goes on with a subscription where it left off', () => resumes(takeWithApollo));

  it('urql asks and changes over HTTP', async () => {
    const client = urql();
    const asked = await client.query(VIEWER, {}).toPromise();
    expect(asked.error).toBeUndefined();
    expect(asked.data).toMatchObject({ viewer: { name: 'admin', role: 'ADMIN' } });
    const made = await client.mutation(MAKE_KEY, { name: 'by urql' }).toPromise();
    expect(made.error).toBeUndefined();
    expect(made.data).toMatchObject({ createApiKey: { apiKey: { name: 'by urql' }, userErrors: [] } });
  });

  it('urql goes on with a subscription where it left off', () => resumes(takeWithUrql));

  it('both show what was refused as an error with its code', async () => {
    const query = '{ nothing }';
    const { error } = await urql().query(query, {}).toPromise();
    expect(error?.graphQLErrors[0]?.extensions).toMatchObject({ code: 'GRAPHQL_VALIDATION_FAILED' });
    await expect(apollo().query({ query: gql(query) })).rejects.toMatchObject({
      errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }],
    });
    const { glPosting } = (await urql().query(`{ glPosting(id: "none-of-${TENANT}") { id } }`, {}).toPromise()).data;
    expect(glPosting).toBeNull();
  });
});
