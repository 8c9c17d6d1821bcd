import { type Client, createClient } from 'graphql-ws';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { newId } from '../../../src/domain/ids.js';
import { ALERTS_CHANNEL, RUNS_CHANNEL } from '../../../src/services/eventFeed.js';
import { Gateway, type PipelineIds, seedPipeline, seedPosting } from '../../support/graphqlFixtures.js';

// Two processes' worth of server on one database. Would catch: an event lost between a look and the next wake-up, a
// repeat after reconnecting with a cursor, a subscriber that stays deaf after the listening connection broke.

interface Seen {
  cursor: string;
  status: string;
}

describe('subscriptions', () => {
  let one: Gateway;
  let two: Gateway;
  let ids: PipelineIds;
  let key: string;
  let postingId: string;
  const clients: Client[] = [];

  beforeAll(async () => {
    // No poll: every event below comes by its wake-up, or not at all.
    one = await Gateway.start({ safetyPollMs: 600_000 });
    two = await Gateway.start({ on: one, safetyPollMs: 600_000 });
    ids = await seedPipeline(one);
    postingId = (await seedPosting(one, ids)).id;
    key = await one.key('AUDITOR');
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.dispose();
    await expect.poll(() => openIn(one) + openIn(two), { interval: 5 }).toBe(0);
  });
  afterAll(async () => {
    await two.stop();
    await one.stop();
  });

  function connect(gateway: Gateway, authorization: unknown = `Bearer ${key}`): Client {
    const client = createClient({
      url: `${gateway.server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization },
      retryAttempts: 0,
    });
    clients.push(client);
    return client;
  }

  const change = (to: string, pipelineId = ids.pipeline) =>
    one.audit({
      action: 'posting.changed',
      subjectType: 'GlPosting',
      subjectId: postingId,
      posting: { pipelineId, from: 'READY', to: to as 'POSTED' },
    });

  const QUERY = `subscription ($after: String, $statuses: [PostingStatus!], $pipelineId: ID) {
    postingStatusChanged(after: $after, statuses: $statuses, pipelineId: $pipelineId) { cursor previousStatus status posting { id lines { debit } } }
  }`;

  /** Starts, and resolves once the server has begun: what is written from then on must arrive. */
  async function begin(client: Client, gateway: Gateway, variables: Record<string, unknown> = {}, query = QUERY) {
    // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever it asked for.
    const events = client.iterate<any>({ query, variables });
    const first = events.next();
    await expect.poll(() => openIn(gateway), { interval: 5 }).toBe(1);
    return { events, first };
  }

  /** The feed's own count of open subscriptions is the only sign that one has begun or ended. */
  const openIn = (gateway: Gateway) => (gateway.feed as unknown as { open: Set<unknown> }).open.size;

  it('deliver on every process what one of them wrote, with the rows as they are', async () => {
    const a = await begin(connect(one), one);
    const b = await begin(connect(two), two);
    await change('POSTED');
    for (const { first } of [a, b]) {
      const { postingStatusChanged } = (await first).value.data;
      expect(postingStatusChanged).toMatchObject({
        previousStatus: 'READY',
        status: 'POSTED',
        posting: { id: postingId },
      });
      expect(postingStatusChanged.posting.lines).toHaveLength(2);
    }
    await a.events.return?.();
    await b.events.return?.();
  });

  it('begin at the head without a cursor, and with one at what came after it', async () => {
    const { auditEvents } = await one.data(key, '{ auditEvents(first: 1) { nodes { sequence } totalCount } }');
    const head = String(auditEvents.totalCount);
    await change('REJECTED');
    await change('POSTED');
    const late = await begin(connect(two), two);
    await change('REVERSED');
    expect((await late.first).value.data.postingStatusChanged.status).toBe('REVERSED');
    await late.events.return?.();
    const resumed = connect(two).iterate<{ postingStatusChanged: Seen }>({ query: QUERY, variables: { after: head } });
    const seen: string[] = [];
    for await (const { data } of resumed) {
      seen.push(data?.postingStatusChanged.status ?? '');
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(['REJECTED', 'POSTED', 'REVERSED']);
  });

  it('give only what was asked for', async () => {
    const { first, events } = await begin(connect(one), one, { statuses: ['POSTED'], pipelineId: ids.pipeline });
    await change('REJECTED');
    await change('POSTED', 'pipe_other');
    await change('POSTED');
    expect((await first).value.data.postingStatusChanged.status).toBe('POSTED');
    const { auditEvents } = await one.data(key, '{ auditEvents { totalCount } }');
    expect((await first).value.data.postingStatusChanged.cursor).toBe(String(auditEvents.totalCount));
    await events.return?.();
  });

  it('miss nothing and repeat nothing when clients reconnect with their cursor while events are written', async () => {
    const { auditEvents } = await one.data(key, '{ auditEvents { totalCount } }');
    const start = String(auditEvents.totalCount);
    const total = 300;
    const writing = (async () => {
      for (let written = 0; written < total; written += 3) {
        await Promise.all([change('POSTED'), change('REJECTED'), change('READY')]);
      }
    })();
    const cursors: string[] = [];
    let rounds = 0;
    while (cursors.length < total) {
      // From one process to the other and back, leaving in the middle of a batch.
      const client = connect(rounds % 2 === 0 ? one : two);
      const events = client.iterate<{ postingStatusChanged: Seen }>({
        query: QUERY,
        variables: { after: cursors.at(-1) ?? start },
      });
      let taken = 0;
      for await (const { data } of events) {
        cursors.push(data?.postingStatusChanged.cursor ?? '');
        taken += 1;
        if (taken === 23 || cursors.length === total) break;
      }
      await client.dispose();
      rounds += 1;
    }
    await writing;
    expect(rounds).toBeGreaterThan(10);
    const first = BigInt(start) + 1n;
    expect(cursors).toEqual(Array.from({ length: total }, (_, index) => String(first + BigInt(index))));
  });

  it('go on after the listening connection was killed', async () => {
    const { events, first } = await begin(connect(one), one);
    const killer = new pg.Client({ connectionString: one.database.connectionString });
    await killer.connect();
    const listening = async () => {
      const { rows } = await killer.query<{ pid: number }>(
        "select pid from pg_stat_activity where application_name = 'ledgergate-listen' and datname = current_database()",
      );
      return rows.map(({ pid }) => pid);
    };
    const before = await listening();
    expect(before).toHaveLength(2);
    await killer.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ledgergate-listen' and datname = current_database()",
    );
    // Written while nobody listens.
    await change('POSTED');
    expect((await first).value.data.postingStatusChanged.status).toBe('POSTED');
    await expect.poll(listening).toHaveLength(2);
    const next = events.next();
    await change('REVERSED');
    expect((await next).value.data.postingStatusChanged.status).toBe('REVERSED');
    await events.return?.();
    await killer.end();
  });

  it('follow the audit trail by its sequence', async () => {
    const { auditEvents } = await one.data(key, '{ auditEvents { totalCount } }');
    const after = String(auditEvents.totalCount);
    await one.audit({ summary: 'First.' }, { summary: 'Second.' });
    const events = connect(two).iterate<{ auditEventAppended: { sequence: string; summary: string; hash: string } }>({
      query: 'subscription ($after: String) { auditEventAppended(after: $after) { sequence summary hash } }',
      variables: { after },
    });
    const seen: string[] = [];
    for await (const { data } of events) {
      seen.push(`${data?.auditEventAppended.sequence} ${data?.auditEventAppended.summary}`);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual([`${BigInt(after) + 1n} First.`, `${BigInt(after) + 2n} Second.`]);
  });

  it('follow a sync run until it is finished', async () => {
    const id = newId('run');
    await one.insert('sync_runs', {
      id,
      pipeline_id: ids.pipeline,
      trigger: 'MANUAL',
      dry_run: false,
      status: 'RUNNING',
      correlation_id: 'c',
      requested_by: 'user:x',
      created_at: new Date(),
    });
    const progress = (sql: string) =>
      one.db.tenant('acme', async (tx) => {
        await tx.execute(`update sync_runs set ${sql} where id = $1`, [id]);
        await tx.query(`select pg_notify('${RUNS_CHANNEL}', $1)`, [`acme:${id}`]);
      });
    const events = connect(two).iterate<{ syncRunProgressed: { status: string; recordsRead: number } }>({
      query: 'subscription ($id: ID!) { syncRunProgressed(id: $id) { status recordsRead } }',
      variables: { id },
    });
    const seen: unknown[] = [];
    for await (const { data } of events) {
      seen.push(data?.syncRunProgressed);
      if (seen.length === 1) await progress('records_read = 10');
      if (seen.length === 2) await progress("records_read = 12, status = 'SUCCEEDED'");
    }
    expect(seen).toEqual([
      { status: 'RUNNING', recordsRead: 0 },
      { status: 'RUNNING', recordsRead: 10 },
      { status: 'SUCCEEDED', recordsRead: 12 },
    ]);
    const none = connect(one).iterate({ query: 'subscription { syncRunProgressed(id: "run_none") { id } }' });
    const answer = (await none.next()).value;
    expect(answer.errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'id' });
  });

  it('tell of alerts raised from now on, each once, also one with an earlier instant', async () => {
    const raise = async (code: string, raisedAt: Date) => {
      await one.insert('alerts', {
        id: newId('alert'),
        severity: 'WARNING',
        code,
        message: code,
        dedupe_key: code,
        raised_at: raisedAt,
      });
      await one.db.tenant('acme', (tx) => tx.query(`select pg_notify('${ALERTS_CHANNEL}', 'acme')`));
    };
    const now = Date.now();
    await raise('OLD', new Date(now));
    const { events, first } = await begin(connect(two), two, {}, 'subscription { alertRaised { code severity } }');
    await raise('NEW', new Date(now + 1_000));
    expect((await first).value.data).toEqual({ alertRaised: { code: 'NEW', severity: 'WARNING' } });
    const next = events.next();
    await raise('LATE', new Date(now - 1_000));
    expect((await next).value.data.alertRaised.code).toBe('LATE');
    await events.return?.();
  });

  it('refuse cursors that are none, or of the future', async () => {
    for (const after of ['x', '-1', '1.5', '999999999999']) {
      const events = connect(one).iterate({ query: QUERY, variables: { after } });
      const { value } = await events.next();
      expect(value.errors[0].extensions, after).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'after' });
    }
  });

  it('let nobody in without a key, and take a key with or without "Bearer"', async () => {
    for (const authorization of [null, 'lgk_wrong', '', 7]) {
      const events = connect(one, authorization).iterate({ query: '{ viewer { name } }' });
      await expect(events.next()).rejects.toMatchObject({ code: 4403 });
    }
    const events = connect(one, key).iterate({ query: '{ viewer { name } }' });
    expect((await events.next()).value).toEqual({ data: { viewer: { name: 'auditor' } } });
  });

  it('check the role, the limits and the document like HTTP does', async () => {
    const viewer = await one.key('VIEWER');
    const forbidden = connect(one, viewer).iterate({ query: 'subscription { auditEventAppended { id } }' });
    expect((await forbidden.next()).value.errors[0].extensions).toMatchObject({
      code: 'FORBIDDEN',
      requiredRole: 'AUDITOR',
    });
    const deep = `{ glPostings { nodes ${'{ spendRecords { nodes { postings '.repeat(6)}{ id }${' } } }'.repeat(6)} } }`;
    const refused = connect(one, viewer).iterate({ query: deep });
    await expect(refused.next()).rejects.toMatchObject([
      { extensions: { code: 'OPERATION_TOO_LARGE', limit: 'depth' } },
      { extensions: { limit: 'rows' } },
    ]);
  });

  it('read no more than the subscriber takes', async () => {
    const { auditEvents } = await one.data(key, '{ auditEvents { totalCount } }');
    await one.audit(...Array.from({ length: 350 }, (_, index) => ({ summary: `${index}` })));
    const events = await one.feed.auditEvents('acme', String(auditEvents.totalCount));
    const reads = async (take: number) => {
      const before = one.db.statements.count;
      for (let taken = 0; taken < take; taken += 1) await events.next();
      return one.db.statements.count - before;
    };
    // A batch of 100 is one transaction of three statements; nothing is read ahead.
    expect(await reads(1)).toBe(3);
    expect(await reads(99)).toBe(0);
    expect(await reads(1)).toBe(3);
    await events.return?.();
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  it('end at once for a subscriber that leaves while nothing happens', async () => {
    const events = await one.feed.auditEvents('acme');
    const waiting = events.next();
    await events.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it('are told to go elsewhere when the server stops', async () => {
    const leaving = await Gateway.start({ on: one, safetyPollMs: 600_000 });
    const { first } = await begin(connect(leaving), leaving);
    const stopped = leaving.stop();
    await expect(first).rejects.toMatchObject({ code: 1001 });
    await stopped;
  });

  it('end when the key is revoked', async () => {
    const watchful = await Gateway.start({ on: one, keyCheckMs: 20 });
    const secret = await one.key('VIEWER', 'acme', 'leaving');
    const { events, first } = await begin(connect(watchful, secret), watchful);
    await one.db.engine((tx) => tx.execute("update api_keys set revoked_at = now() where name = 'leaving'"));
    await expect(first).rejects.toMatchObject({ code: 4403 });
    await events.return?.();
    await watchful.stop();
  });
});
