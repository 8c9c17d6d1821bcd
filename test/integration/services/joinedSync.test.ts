// A trigger that meets a run on its way joins it. What would surprise: a purchase that nobody reads because its trigger
// joined a run that had read already, or a run that never ends and swallows every later trigger.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { triggerSync } from '../../../src/services/syncs.js';
import { type Company, done, makeCompany, makeTestEngine, postings, type TestEngine } from '../../support/engine.js';
import { views } from '../../support/fakes.js';

let engine: TestEngine;
let company: Company;
beforeEach(async () => {
  engine = await makeTestEngine();
  company = await makeCompany(engine);
});
afterEach(() => engine.close());

async function trigger(): Promise<string> {
  return done(await triggerSync(engine, company.caller, { pipelineId: company.pipelineId, dryRun: false })).id;
}

describe('a trigger while a run waits for its postings', () => {
  it('makes the run read again, and the run ends', async () => {
    engine.source.put(views('1', '100.00').record);
    const first = await trigger();
    const reading = engine.jobs.take();
    if (reading) await engine.runJob(reading);

    engine.source.put(views('2', '50.00').record);
    expect(await trigger()).toBe(first);
    await engine.runJobs();

    expect((await postings(engine)).map(({ status, total }) => ({ status, total }))).toEqual([
      { status: 'POSTED', total: '100.00' },
      { status: 'POSTED', total: '50.00' },
    ]);
    expect(await engine.rows('select status from sync_runs')).toEqual([{ status: 'SUCCEEDED' }]);
    expect(await trigger()).not.toBe(first);
  });
});
