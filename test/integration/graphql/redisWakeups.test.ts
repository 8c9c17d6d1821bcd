import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditEventRow } from '../../../src/services/read/trail.js';
import { Gateway, TENANT } from '../../support/graphqlFixtures.js';
import { RedisServer } from '../../support/redisServer.js';

// Would catch: an event that is lost or repeated while Redis is away, a gateway that fails or does not start without it,
// a wake-up that is sent before its event can be seen.

describe('wake-ups over Redis', () => {
  const redis = new RedisServer();
  let one: Gateway;
  let two: Gateway;
  const open: AsyncIterableIterator<AuditEventRow>[] = [];

  beforeAll(async () => {
    await redis.start();
    one = await Gateway.start({ safetyPollMs: 600_000, redisUrl: redis.url });
    two = await Gateway.start({ on: one, safetyPollMs: 600_000, redisUrl: redis.url });
    await one.audit({ summary: 'The first.' });
    await vi.waitFor(() => expect(redis.listening).toBe(2), { timeout: 15_000 });
  });
  afterEach(async () => {
    for (const events of open.splice(0)) await events.return?.();
  });
  afterAll(async () => {
    await two.stop();
    await one.stop();
    await redis.stop();
  });

  async function follow(gateway: Gateway): Promise<AsyncIterableIterator<AuditEventRow>> {
    const events = await gateway.feed.auditEvents(TENANT);
    open.push(events);
    return events;
  }
  const summaryOf = (next: Promise<IteratorResult<AuditEventRow>>) => next.then(({ value }) => value.summary);

  it('reach the other process, and the database carries none', async () => {
    const rows = await one.db.engine((tx) =>
      tx.query(
        "select 1 from pg_stat_activity where application_name = 'ledgergate-listen' and datname = current_database()",
      ),
    );
    expect(rows).toHaveLength(0);
    const next = (await follow(two)).next();
    await one.audit({ summary: 'Over Redis.' });
    expect(await summaryOf(next)).toBe('Over Redis.');
    expect(redis.published).toContain(`ledgergate_events ${TENANT}`);
  });

  it('are not sent for what is rolled back', async () => {
    const before = redis.published.length;
    const failing = one.db.tenant(TENANT, async (tx) => {
      await tx.wake('ledgergate_events', TENANT);
      throw new Error('No.');
    });
    await expect(failing).rejects.toThrow('No.');
    await one.audit({ summary: 'After it.' });
    await expect.poll(() => redis.published.length).toBe(before + 1);
  });

  it('that were missed while Redis was away are made up for when it is back', async () => {
    const events = await follow(two);
    const next = events.next();
    await redis.stop();
    await one.audit({ summary: 'Unheard.' }, { summary: 'Unheard too.' });
    await redis.start();
    expect(await summaryOf(next)).toBe('Unheard.');
    expect(await summaryOf(events.next())).toBe('Unheard too.');
    await expect.poll(() => redis.listening, { timeout: 15_000 }).toBe(2);
    const later = events.next();
    // The connection that sends comes back in its own time; until it does, changes are told to nobody.
    const before = redis.published.length;
    const isSending = async () => {
      await one.audit({ summary: 'Heard again.' });
      return redis.published.length > before;
    };
    await expect.poll(isSending, { timeout: 15_000 }).toBe(true);
    expect(await summaryOf(later)).toBe('Heard again.');
  });

  it('are done without by a gateway that finds no Redis: its subscribers look by themselves', async () => {
    const away = new RedisServer();
    await away.start();
    const { url } = away;
    await away.stop();
    const alone = await Gateway.start({ on: one, safetyPollMs: 20, redisUrl: url });
    const events = await follow(alone);
    const next = events.next();
    await alone.audit({ summary: 'Found by looking.' });
    expect(await summaryOf(next)).toBe('Found by looking.');
    await alone.stop();
  });
});
