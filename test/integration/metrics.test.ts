// What operators watch. What would surprise: a figure that is not what the database says, a state that keeps its count when
// nothing is in it any more, a scrape that asks the database each time, a label that holds an address or a secret.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpClient } from '../../src/connectors/http.js';
import { newId } from '../../src/domain/ids.js';
import { Metrics, metricsRoute } from '../../src/http/metrics.js';
import { createLogger } from '../../src/logger.js';
import { Secret } from '../../src/secrets.js';
import { Gateway, json, seedPipeline, seedPosting, TENANT } from '../support/graphqlFixtures.js';

const NOW = new Date('2026-11-20T12:00:00Z');
const clock = { now: () => NOW };

let ground: Gateway;
let ids: Awaited<ReturnType<typeof seedPipeline>>;

beforeAll(async () => {
  ground = await Gateway.start();
  ids = await seedPipeline(ground);
  await ground.db.engine((tx) =>
    tx.execute(`create schema pgboss; create table pgboss.job (name text, state text, start_after timestamptz)`),
  );
});
afterAll(() => ground.stop());

/** One line of the text format: name, labels, value. */
function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const match = /^([a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)+\})?) (\S+)$/.exec(line);
      if (!match?.[1]) throw new Error(`not in the text format: ${line}`);
      return [match[1], Number(match[2])];
    }),
  );
}

async function scraped(metrics: Metrics): Promise<Map<string, number>> {
  return samples(await metrics.text());
}

const fresh = () => new Metrics({ db: ground.db, clock, version: '1.2.3' });

describe('figures', () => {
  it('are what the database says', async () => {
    await seedPosting(ground, ids, { status: 'POSTED' });
    await seedPosting(ground, ids, { status: 'HELD', holds: json([{ code: 'PERIOD_CLOSED' }]) });
    await seedPosting(ground, ids, { status: 'IN_DOUBT', doubt_since: new Date(NOW.getTime() - 90_000) });
    await ground.insert('alerts', {
      ...{
        id: newId('alert'),
        severity: 'WARNING',
        code: 'IN_DOUBT_OLD',
        message: 'm',
        dedupe_key: 'k',
        raised_at: NOW,
      },
    });
    await ground.insert('credentials', {
      ...{ system_id: ids.source, kind: 'userToken', fingerprint: 'f', sealed: Buffer.from('s'), version: 1 },
      ...{ renew_by: new Date(NOW.getTime() + 86_400_000), given_at: NOW, updated_at: NOW },
    });
    await ground.db.engine(async (tx) => {
      await tx.execute(`update systems set last_webhook_at = $1 where id = $2`, [
        new Date(NOW.getTime() - 60_000),
        ids.source,
      ]);
      await tx.execute(
        `insert into pgboss.job values ('ledger.drain', 'created', $1), ('ledger.drain', 'active', $1)`,
        [new Date(NOW.getTime() - 5_000)],
      );
    });
    const metrics = fresh();
    const found = await scraped(metrics);
    metrics.stop();
    const at = `tenant="${TENANT}",pipeline="${ids.pipeline}"`;
    expect(Object.fromEntries([...found].filter(([name]) => name.startsWith('ledgergate_')))).toEqual({
      'ledgergate_build_info{version="1.2.3"}': 1,
      [`ledgergate_postings{${at},status="POSTED"}`]: 1,
      [`ledgergate_postings{${at},status="HELD"}`]: 1,
      [`ledgergate_postings{${at},status="IN_DOUBT"}`]: 1,
      [`ledgergate_postings_held{tenant="${TENANT}",code="PERIOD_CLOSED"}`]: 1,
      [`ledgergate_in_doubt_oldest_seconds{tenant="${TENANT}",system="${ids.ledger}"}`]: 90,
      'ledgergate_jobs{queue="ledger.drain",state="created"}': 1,
      'ledgergate_jobs{queue="ledger.drain",state="active"}': 1,
      'ledgergate_job_oldest_seconds{queue="ledger.drain"}': 5,
      [`ledgergate_credential_renewal_seconds{tenant="${TENANT}",system="${ids.source}",kind="BREX"}`]: 86_400,
      [`ledgergate_webhook_silence_seconds{tenant="${TENANT}",system="${ids.source}",kind="BREX"}`]: 60,
      [`ledgergate_systems{tenant="${TENANT}",kind="BREX",status="ACTIVE"}`]: 1,
      [`ledgergate_systems{tenant="${TENANT}",kind="SYSPRO",status="ACTIVE"}`]: 1,
      [`ledgergate_alerts_open{tenant="${TENANT}",severity="WARNING",code="IN_DOUBT_OLD"}`]: 1,
    });
    expect([...found.keys()]).toEqual(expect.arrayContaining(['nodejs_eventloop_lag_p99_seconds']));
  });

  it('go when nothing is in a state any more, and are read once for many scrapes', async () => {
    const metrics = fresh();
    const before = ground.db.statements.count;
    await Promise.all([metrics.text(), metrics.text(), metrics.text()]);
    const once = ground.db.statements.count - before;
    await metrics.text();
    expect(ground.db.statements.count - before).toBe(once);
    metrics.stop();
    await ground.db.engine((tx) => tx.execute('delete from pgboss.job'));
    const later = fresh();
    expect([...(await scraped(later)).keys()].filter((name) => name.startsWith('ledgergate_job'))).toEqual([]);
    later.stop();
  });

  it('count calls of vendors by what came of them, without an address', async () => {
    const server = createServer((request, response) => {
      if (request.url?.startsWith('/cut')) request.socket.destroy();
      else response.writeHead(request.url?.startsWith('/no') ? 503 : 200).end('{}');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = createHttpClient({
      ...{ kind: 'SYSPRO', baseUrl, timeoutMs: 5_000, maxBodyBytes: 1_000, logger: createLogger('silent') },
    });
    const metrics = fresh();
    await client.send({ method: 'GET', path: '/yes', query: [['UserId', 's3cret-session']] });
    await client.send({ method: 'GET', path: '/no' });
    await client.send({ method: 'GET', path: '/cut' }).catch(() => undefined);
    const text = await metrics.text();
    metrics.stop();
    await client.send({ method: 'GET', path: '/yes' });
    await client.close();
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    const found = samples(text);
    for (const outcome of ['2xx', '5xx', 'BROKEN']) {
      expect(found.get(`ledgergate_vendor_request_seconds_count{kind="SYSPRO",outcome="${outcome}"}`)).toBe(1);
    }
    expect(found.get('ledgergate_vendor_errors_total{kind="SYSPRO",reason="503"}')).toBe(1);
    expect(found.get('ledgergate_vendor_errors_total{kind="SYSPRO",reason="BROKEN"}')).toBe(1);
    expect(text).not.toMatch(/127\.0\.0\.1|s3cret/);
  });
});

describe('GET /metrics', () => {
  it('is open, or asks for its token where one is set', async () => {
    const metrics = fresh();
    for (const token of [null, new Secret('scraper-token')]) {
      const gateway = await Gateway.start({ on: ground, routes: [metricsRoute(metrics, token)] });
      const get = async (authorization?: string) => {
        const response = await fetch(`${gateway.server.url}/metrics`, {
          headers: authorization ? { authorization } : {},
        });
        return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
      };
      const open = await get();
      expect(open.status).toBe(token ? 401 : 200);
      if (token) {
        expect((await get('Bearer scraper-tokem')).status).toBe(401);
        expect((await get('Bearer scraper-token')).status).toBe(200);
      } else {
        expect(open.type).toContain('text/plain; version=0.0.4');
        expect(samples(open.text).get('ledgergate_build_info{version="1.2.3"}')).toBe(1);
      }
      await gateway.stop();
    }
    metrics.stop();
  });
});
