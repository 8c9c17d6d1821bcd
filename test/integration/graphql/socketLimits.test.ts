import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { systemClock } from '../../../src/clock.js';
import { revokeApiKey } from '../../../src/services/apiKeys.js';
import type { Caller } from '../../../src/services/engine.js';
import { Gateway, TENANT } from '../../support/graphqlFixtures.js';

// Speaks the protocol by hand, because a well-behaved client cannot do what is forbidden. Would catch: a connection that
// stays open after its key was revoked elsewhere, a cursor told to a slow reader that is not the last event it was sent.

interface Message {
  readonly type: string;
  readonly id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever it asked for.
  readonly payload?: any;
}

/** A connection and all that came over it. */
class Wire {
  readonly messages: Message[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.messages.push(JSON.parse(String(data)) as Message));
    this.closed = once(socket, 'close').then(([code, reason]) => ({ code: Number(code), reason: String(reason) }));
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  async next(match: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(match);
      if (found) return found;
      await once(this.socket, 'message');
    }
  }
}

const AUDIT = 'subscription ($after: String) { auditEventAppended(after: $after) { sequence summary } }';
const caller: Caller = { tenantId: TENANT, actor: 'system:test', keyId: null, role: 'ADMIN', correlationId: 'test' };

describe('a WebSocket', () => {
  let one: Gateway;
  let key: string;
  const wires: Wire[] = [];
  const gateways: Gateway[] = [];

  beforeAll(async () => {
    one = await Gateway.start({
      safetyPollMs: 600_000,
      webSocket: { initWithinMs: 200, slowAfterMs: 400, operationsPerSocket: 2, operationsPerKey: 3 },
    });
    key = await one.key('AUDITOR');
  });
  afterEach(async () => {
    for (const { socket } of wires.splice(0)) socket.terminate();
    for (const gateway of gateways.splice(0)) await gateway.stop();
  });
  afterAll(() => one.stop());

  async function open(gateway: Gateway = one, protocols = ['graphql-transport-ws']): Promise<Wire> {
    const wire = new Wire(new WebSocket(`${gateway.server.url.replace('http', 'ws')}/graphql`, protocols));
    wires.push(wire);
    await once(wire.socket, 'open');
    return wire;
  }

  async function ready(gateway: Gateway = one, secret = key): Promise<Wire> {
    const wire = await open(gateway);
    wire.send({ type: 'connection_init', payload: { authorization: `Bearer ${secret}` } });
    await wire.next(({ type }) => type === 'connection_ack');
    return wire;
  }

  const subscribe = (wire: Wire, id: string, variables: object = {}) =>
    wire.send({ id, type: 'subscribe', payload: { query: AUDIT, variables } });
  const running = (gateway: Gateway) => (gateway.feed as unknown as { open: Set<unknown> }).open.size;

  it('is closed with 4400 for what is no message', async () => {
    for (const text of ['{', '{"type":"unheard-of"}', '[]', '{"type":"subscribe"}']) {
      const wire = await ready();
      wire.socket.send(text);
      expect((await wire.closed).code, text).toBe(4400);
    }
  });

  it('is closed with 4401 when it asks before it has shown a key', async () => {
    const wire = await open();
    subscribe(wire, 'a');
    expect((await wire.closed).code).toBe(4401);
  });

  it('is closed with 4403 for a key that is none', async () => {
    const wire = await open();
    wire.send({ type: 'connection_init', payload: { authorization: 'Bearer lgk_none' } });
    expect((await wire.closed).code).toBe(4403);
  });

  it('is closed with 4406 when it speaks no protocol that we do', async () => {
    const wire = await open(one, []);
    expect((await wire.closed).code).toBe(4406);
  });

  it('is closed with 4408 when it never shows a key', async () => {
    expect((await (await open()).closed).code).toBe(4408);
  });

  it('is closed with 4409 for two operations of one id', async () => {
    const wire = await ready();
    subscribe(wire, 'same');
    subscribe(wire, 'same');
    expect((await wire.closed).code).toBe(4409);
  });

  it('is closed with 4429 when it introduces itself twice', async () => {
    const wire = await ready();
    wire.send({ type: 'connection_init' });
    expect((await wire.closed).code).toBe(4429);
  });

  it('is closed with 4500, without the reason, for a fault of ours', async () => {
    let isBroken = false;
    const now = () => {
      if (isBroken) throw new Error('secret detail of the machine');
      return systemClock.now();
    };
    const faulty = await Gateway.start({ on: one, clock: { ...systemClock, now } });
    gateways.push(faulty);
    const asking = await ready(faulty);
    isBroken = true;
    subscribe(asking, 'a');
    expect(await asking.closed).toEqual({ code: 4500, reason: 'Internal server error' });
    const wire = await open(faulty);
    wire.send({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } });
    expect(await wire.closed).toEqual({ code: 4500, reason: 'Internal server error' });
    isBroken = false;
  });

  it('runs so many operations at a time, and so many of one key over all connections', async () => {
    const first = await ready();
    const second = await ready();
    const code = async (wire: Wire, id: string) =>
      (await wire.next((message) => message.id === id && message.type === 'error')).payload[0];
    for (const id of ['a', 'b']) subscribe(first, id);
    await expect.poll(() => running(one)).toBe(2);
    subscribe(first, 'c');
    expect(await code(first, 'c')).toMatchObject({
      message: 'A connection runs at most 2 operations at a time.',
      extensions: { code: 'TOO_MANY_OPERATIONS' },
    });
    subscribe(second, 'd');
    await expect.poll(() => running(one)).toBe(3);
    subscribe(second, 'e');
    expect(await code(second, 'e')).toMatchObject({ message: 'A key runs at most 3 operations at a time.' });
    // What ended makes room.
    first.send({ id: 'a', type: 'complete' });
    await expect.poll(() => running(one)).toBe(2);
    subscribe(second, 'f');
    await expect.poll(() => running(one)).toBe(3);
  });

  it('is closed at once when its key is revoked in another process', async () => {
    // The regular look at keys is half a minute away: only the notice can do it in the time of this test.
    const other = await Gateway.start({ on: one });
    gateways.push(other);
    const secret = await one.key('AUDITOR', TENANT, 'going');
    const wire = await ready(other, secret);
    const staying = await ready(other);
    subscribe(wire, 'a');
    await expect.poll(() => running(other)).toBe(1);
    const [row] = await one.db.engine((tx) => tx.query<{ id: string }>("select id from api_keys where name = 'going'"));
    await revokeApiKey(one.db, caller, row?.id ?? '', one.clock.now());
    expect((await wire.closed).code).toBe(4403);
    await expect.poll(() => running(other)).toBe(0);
    expect(staying.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('that takes nothing is cut off, told where it can go on, and misses nothing', async () => {
    const { auditEvents } = await one.data(key, '{ auditEvents { totalCount } }');
    const start = Number(auditEvents.totalCount);
    const total = 120;
    const wire = await ready();
    wire.socket.pause();
    // More than the system's own buffers between two processes of one machine hold.
    await one.audit(...Array.from({ length: total }, () => ({ summary: 'x'.repeat(200_000) })));
    subscribe(wire, 'a', { after: String(start) });
    await expect.poll(() => running(one)).toBe(1);
    // No message of the server has been lost by it: the reading ends because the events are not taken.
    await expect.poll(() => running(one), { timeout: 15_000 }).toBe(0);
    wire.socket.resume();
    const { code, reason } = await wire.closed;
    const error = wire.messages.at(-1)?.payload[0];
    const taken = wire.messages
      .filter(({ type }) => type === 'next')
      .map(({ payload }) => payload.data.auditEventAppended.sequence);
    expect(error.extensions).toEqual({ code: 'SLOW_READER', cursor: String(start + taken.length) });
    expect({ code, reason }).toEqual({ code: 4413, reason: `Too slow: go on after ${start + taken.length}` });
    expect(taken.length).toBeGreaterThan(0);
    expect(taken.length).toBeLessThan(total);
    const again = await ready();
    subscribe(again, 'a', { after: error.extensions.cursor });
    await again.next(({ payload }) => payload?.data?.auditEventAppended.sequence === String(start + total));
    const rest = again.messages
      .filter(({ type }) => type === 'next')
      .map(({ payload }) => payload.data.auditEventAppended.sequence);
    expect([...taken, ...rest]).toEqual(Array.from({ length: total }, (_, index) => String(start + 1 + index)));
  });
});
