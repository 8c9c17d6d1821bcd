import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway } from '../../support/graphqlFixtures.js';

// The reference audits of GraphQL over HTTP against the running server, in development and in production. What would
// surprise: an answer that a general client misreads, such as a status or a media type that the specification does not
// allow.

const audits = serverAudits({ url: '', fetchFn: fetch });

describe.each([false, true])('the audits of GraphQL over HTTP, in production: %s', (isProduction) => {
  let gateway: Gateway;
  let key: string;

  beforeAll(async () => {
    gateway = await Gateway.start({ isProduction });
    // In production the schema, which some audits ask for, is shown to this role only.
    key = await gateway.key('ADMIN');
  });
  afterAll(() => gateway.stop());

  const withKey: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${key}`);
    return fetch(input, { ...init, headers });
  };

  it('are all there', () => {
    expect(audits.length).toBeGreaterThanOrEqual(60);
  });

  it.each(audits.map(({ name }, index) => [index, name] as const))('%i: %s', async (index) => {
    const audit = serverAudits({ url: `${gateway.server.url}/graphql`, fetchFn: withKey })[index];
    const result = await audit?.fn();
    if (result?.status === 'ok') return;
    const body = result && 'response' in result ? await result.response.text().catch(() => '(already read)') : '';
    expect.fail(`${result?.status}: ${result && 'reason' in result ? result.reason : 'no result'} ${body}`);
  });
});
