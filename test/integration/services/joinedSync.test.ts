// A trigger that meets a run on its way joins it, and a run outlives the process that reads. What would surprise: a purchase
// that nobody reads because its trigger joined a run that had read already, a run that never ends and swallows every later
// trigger, or one that starts at the first page after every crash and so never comes to its end.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamUnavailableError } from '../../../src/errors.js';
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

describe('a run whose process died while it read', () => {
  const died = new Error('the process is gone');

  async function readUntilSecondPage(): Promise<void> {
    engine.source.pageSize = 1;
    for (const id of ['1', '2', '3']) engine.source.put(views(id, '10.00').record);
    await trigger();
    const job = engine.jobs.take();
    engine.source.onRead = ({ stream, cursor }) => {
      if (stream === 'ACCOUNTING_RECORDS' && cursor === '1') throw died;
    };
    if (job) await expect(engine.runJob(job)).rejects.toBe(died);
    engine.source.onRead = null;
    engine.source.reads.length = 0;
    if (job) engine.jobs.pending.push(job);
  }

  it('goes on with the page that came next, and reads no page twice', async () => {
    await readUntilSecondPage();
    await engine.runJobs();
    expect(engine.source.reads.map(({ stream, cursor }) => `${stream} ${cursor}`)).toEqual([
      'ACCOUNTING_RECORDS 1',
      'ACCOUNTING_RECORDS 2',
    ]);
    expect((await postings(engine)).map(({ status }) => status)).toEqual(['POSTED', 'POSTED', 'POSTED']);
  });

  it('reads from the start when the source does not know its cursor any more', async () => {
    await readUntilSecondPage();
    engine.source.failures.push({
      on: 'ACCOUNTING_RECORDS',
      error: new UpstreamUnavailableError('That cursor is gone.'),
    });
    await engine.runJobs();
    expect(engine.source.reads.map(({ cursor }) => cursor)).toContain(null);
    expect((await postings(engine)).map(({ status }) => status)).toEqual(['POSTED', 'POSTED', 'POSTED']);
  });
});
