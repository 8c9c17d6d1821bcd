import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Schedule } from '../../../src/jobs/schedule.js';
import { type Company, makeCompany, makeTestEngine, type TestEngine } from '../../support/engine.js';
import { type Node, startNode, until } from './nodes.js';

// A surprise here means a daily sync that comes a day late because a machine was busy for two seconds, or comes twice
// because two machines have a clock. A stopped schedule that kept a timer fails the file as a leaked handle.

let base: TestEngine;
let company: Company;
let nodes: Node[];
let schedules: Schedule[];

beforeEach(async () => {
  base = await makeTestEngine();
  company = await makeCompany(base);
  nodes = [];
  schedules = [];
});

afterEach(async () => {
  await Promise.all(schedules.map((schedule) => schedule.stop()));
  await Promise.all(nodes.map((node) => node.stop()));
  await base.close();
});

async function start(count: number): Promise<void> {
  // Every second; a person's schedule has no seconds, but the clockwork is the same.
  await base.rows(`update pipelines set schedule = '* * * * * *' where id = $1 returning 1`, [company.pipelineId]);
  for (let index = 0; index < count; index += 1) {
    const node = await startNode(base, { works: false });
    const schedule = new Schedule(node.engine, node.db);
    nodes.push(node);
    schedules.push(schedule);
    await schedule.start();
  }
}

const fires = async () =>
  (await base.rows<{ at: Date }>('select fire_at as at from schedule_fires order by fire_at')).map((row) =>
    row.at.getTime(),
  );

describe('a schedule', () => {
  it('that two processes follow fires once a time, and all times join one run that nobody works on yet', async () => {
    await start(2);
    await until(async () => (await fires()).length >= 3);
    await Promise.all(schedules.map((schedule) => schedule.stop()));
    const times = await fires();
    const [events] = await base.rows<{ queued: number; joined: number }>(
      `select count(*) filter (where action = 'sync.queued')::int as queued,
         count(*) filter (where action = 'sync.joined')::int as joined from audit_events`,
    );
    expect(events).toEqual({ queued: 1, joined: times.length - 1 });
    expect(await base.rows('select trigger from sync_runs')).toEqual([{ trigger: 'SCHEDULE' }]);
  });

  it('does not lose the times at which the process was too busy to look', async () => {
    await start(1);
    await until(async () => (await fires()).length >= 1);
    const [first = 0] = await fires();
    // Nothing else runs meanwhile, as when a machine is suspended.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_500);
    await until(async () => ((await fires()).at(-1) ?? 0) >= first + 5_000);
    const times = await fires();
    expect(times).toEqual(times.map((_, index) => first + index * 1_000));
  });
});
