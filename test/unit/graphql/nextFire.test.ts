import fc from 'fast-check';
import cron from 'node-cron';
import { describe, expect, it } from 'vitest';
import { nextFire } from '../../../src/services/read/nextFire.js';

const at = (text: string) => new Date(text);
const next = (expression: string, zone: string, now: string) =>
  nextFire(expression, zone, at(now))?.toISOString() ?? null;

describe('the next fire of a schedule', () => {
  it('follows the clocks of its zone through summer time', () => {
    // Berlin: UTC+1 until 2026-03-29 02:00, then UTC+2 until 2026-10-25 03:00.
    expect(next('0 6 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z')).toBe('2026-03-29T04:00:00.000Z');
    expect(next('0 6 * * *', 'Europe/Berlin', '2026-03-27T12:00:00Z')).toBe('2026-03-28T05:00:00.000Z');
    expect(next('0 6 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z')).toBe('2026-10-25T05:00:00.000Z');
  });

  it('leaves out a local time that does not exist and fires twice at one that comes twice', () => {
    expect(next('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z')).toBe('2026-03-30T00:30:00.000Z');
    expect(next('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(next('30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z')).toBe('2026-10-25T01:30:00.000Z');
    expect(next('30 2 * * *', 'Europe/Berlin', '2026-10-25T01:30:00Z')).toBe('2026-10-26T01:30:00.000Z');
  });

  it('takes the earlier instant of an hour that comes twice', () => {
    // 01:45 the first time; 01:50 of the first pass comes before 01:30 of the second.
    expect(next('30,50 1 * * *', 'America/New_York', '2026-11-01T05:45:00Z')).toBe('2026-11-01T05:50:00.000Z');
    expect(next('30,50 1 * * *', 'America/New_York', '2026-11-01T05:50:00Z')).toBe('2026-11-01T06:30:00.000Z');
  });

  it('never answers with now', () => {
    expect(next('0 0 * * *', 'UTC', '2026-11-20T00:00:00Z')).toBe('2026-11-21T00:00:00.000Z');
  });

  it('finds rare days and says when there is none', () => {
    expect(next('0 0 29 2 *', 'UTC', '2026-11-20T00:00:00Z')).toBe('2028-02-29T00:00:00.000Z');
    expect(next('0 0 30 2 *', 'UTC', '2026-11-20T00:00:00Z')).toBeNull();
  });

  it('says nothing about what is no schedule or no zone', () => {
    expect(next('every day', 'UTC', '2026-11-20T00:00:00Z')).toBeNull();
    expect(next('0 0 * * *', 'Mars/Olympus', '2026-11-20T00:00:00Z')).toBeNull();
  });

  it('leaves no task behind', () => {
    const before = cron.getTasks().size;
    next('0 0 * * *', 'UTC', '2026-11-20T00:00:00Z');
    expect(cron.getTasks().size).toBe(before);
  });

  it('is the first minute at which the scheduler itself would fire', () => {
    const part = (max: number) => fc.oneof(fc.constant('*'), fc.integer({ min: 0, max }).map(String));
    const expression = fc.tuple(part(59), part(23)).map(([minute, hour]) => `${minute} ${hour} * * *`);
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu');
    const instant = fc
      .integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) })
      .map((ms) => Math.floor(ms / 60_000) * 60_000);
    fc.assert(
      fc.property(expression, zone, instant, (pattern, timeZone, now) => {
        const task = cron.createTask(pattern, () => undefined, { timezone: timeZone });
        const found = nextFire(pattern, timeZone, new Date(now));
        if (!found) throw new Error('A daily schedule fires.');
        let minute = now + 60_000;
        while (!task.match(new Date(minute))) minute += 60_000;
        void task.destroy();
        expect(found.toISOString()).toBe(new Date(minute).toISOString());
      }),
      { numRuns: 40 },
    );
  });
});
