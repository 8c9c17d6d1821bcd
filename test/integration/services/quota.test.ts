// Expensify counts the calls of all our processes together. What would surprise: two workers that each keep to the limit
// and together pass it, or a process that waits for ever because another one was throttled.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { QuotaWindow } from '../../../src/connectors/contract.js';
import { RateLimitedError } from '../../../src/errors.js';
import { createSharedQuota } from '../../../src/services/quota.js';
import { type Company, makeCompany, makeTestEngine, type TestEngine } from '../../support/engine.js';

const WINDOWS: readonly QuotaWindow[] = [
  { calls: 5, perMs: 10_000 },
  { calls: 20, perMs: 60_000 },
];

let engine: TestEngine;
let company: Company;
let waits: number[];
beforeEach(async () => {
  engine = await makeTestEngine();
  company = await makeCompany(engine);
  waits = [];
});
afterEach(() => engine.close());

/** A process of ours. Waiting moves the clock that all of them share. */
const worker = (systemId = company.sourceId) =>
  createSharedQuota({
    db: engine.db,
    clock: engine.clock,
    tenantId: 'default',
    systemId,
    delay: async (ms) => {
      waits.push(ms);
      engine.clock.set(new Date(engine.clock.now().getTime() + ms));
    },
  });

describe('the calls that a vendor allows', () => {
  it('are shared by all processes', async () => {
    const [one, two] = [worker(), worker()];
    for (let call = 0; call < 5; call += 1) await (call % 2 ? one : two).take(WINDOWS);
    expect(waits).toEqual([]);
    await one.take(WINDOWS);
    expect(waits).toEqual([10_000]);
  });

  it('are counted once when processes ask at the same moment', async () => {
    const from = engine.clock.now().getTime();
    await Promise.all(Array.from({ length: 12 }, () => worker().take(WINDOWS)));
    expect(engine.clock.now().getTime() - from).toBeGreaterThanOrEqual(20_000);
    const [row] = await engine.rows<{ calls: string[] }>('select calls from call_quotas');
    expect(row?.calls).toHaveLength(12);
  });

  it('keep to the longer window too', async () => {
    const quota = worker();
    const from = engine.clock.now().getTime();
    for (let call = 0; call < 21; call += 1) await quota.take(WINDOWS);
    expect(engine.clock.now().getTime() - from).toBe(60_000);
  });

  it('are blocked for everybody when the vendor throttled one', async () => {
    await worker().block(25_000);
    await worker().take(WINDOWS);
    expect(waits).toEqual([25_000]);
  });

  it('are another vendor account’s own', async () => {
    await worker().block(25_000);
    await worker(company.ledgerId).take(WINDOWS);
    expect(waits).toEqual([]);
  });

  it('are not waited for longer than a minute: the job engine has other work to give meanwhile', async () => {
    await worker().block(90_000);
    await expect(worker().take(WINDOWS)).rejects.toThrow(RateLimitedError);
    expect(waits).toEqual([]);
  });
});
