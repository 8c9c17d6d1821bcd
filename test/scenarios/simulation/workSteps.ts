import { cancelSync, triggerSync } from '../../../src/services/syncs.js';
import { receiveWebhook } from '../../../src/services/webhooks.js';
import { answered, PEOPLE } from './asking.js';
import { VIEWS } from './purchase.js';
import { anyPurchase } from './spendSteps.js';
import { callerOf } from './workers.js';
import type { World } from './world.js';

/** What callers, the queue and the clock do. */

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
/** Clocks of machines that are kept in step; far below the margins of a lease. */
const SKEW_MAX_MS = 20_000;

export async function sync(world: World): Promise<string> {
  const { random, tenantId, pipelineId } = world;
  const told: string[] = [];
  const key = random.chance(0.4) ? `key-${random.int(1, 20)}` : undefined;
  for (let count = random.int(1, 3); count > 0; count -= 1) {
    const caller = callerOf(tenantId, random.pick(PEOPLE));
    const window = random.chance(0.2) ? { from: new Date('2026-10-01') } : {};
    const request = { pipelineId, dryRun: random.chance(0.1), ...window, ...(key ? { idempotencyKey: key } : {}) };
    const outcome = await world.ask((engine) => triggerSync(engine, caller, request));
    told.push(outcome.ok ? caller.actor : `${caller.actor} refused: ${outcome.problems[0]?.code}`);
  }
  return `${key ?? 'no key'}: ${told.join(', ')}`;
}

export async function webhook(world: World): Promise<string> {
  const { random, sourceId, source } = world;
  const purchase = anyPurchase(world);
  if (!purchase) return 'nothing there';
  const view = random.pick(VIEWS);
  // Few numbers, so that deliveries repeat and overtake each other.
  const id = `message-${random.int(1, 3)}`;
  const delivery = source.delivery(id, purchase, view);
  if (delivery === null) return 'the source does not push';
  noteOrder(world, id);
  const request = { systemId: sourceId, kind: null, ...delivery };
  const { status } = await world.ask((engine) => receiveWebhook(engine, request));
  world.note('webhook');
  if (status !== 200) world.broken.push(`A genuine delivery was answered with ${status}`);
  return `${id} about ${view} of ${purchase.id}`;
}

export async function stopSync(world: World): Promise<string> {
  const [run] = await world.rows<{ id: string }>(
    `select id from sync_runs where tenant_id = $1 and status in ('QUEUED', 'RUNNING') order by id limit 1`,
  );
  if (!run) return 'no run';
  return answered(
    world,
    'sync stopped',
    await world.ask((engine) => cancelSync(engine, callerOf(world.tenantId, 'user:ana'), run.id)),
  );
}

/** A number that was there before, or one below it: the same message again, or an older one that was overtaken. */
function noteOrder(world: World, id: string): void {
  const number = Number(id.slice('message-'.length));
  if (world.messages.includes(number)) world.note('webhook repeated');
  else if (world.messages.some((one) => one > number)) world.note('webhook overtaken');
  world.messages.push(number);
}

export async function workSome(world: World): Promise<string> {
  const wanted = world.random.int(1, 4);
  let ran = 0;
  while (ran < wanted && (await world.runJob())) ran += 1;
  return `${ran} jobs`;
}

const JOBS_MAX = 60;

/** Everything that is due, and what becomes due within a few minutes. */
export async function workAll(world: World): Promise<string> {
  const until = world.time.nowMs + 10 * 60 * SECOND_MS;
  let ran = 0;
  while (ran < JOBS_MAX) {
    if (await world.runJob()) {
      ran += 1;
      continue;
    }
    const next = await world.queue.nextStartMs();
    if (next === null || next > until) break;
    if (next <= world.time.nowMs) break;
    await world.time.moveTo(next);
  }
  return `${ran} jobs`;
}

export async function moveClock(world: World): Promise<string> {
  const ms = world.random.spread(SECOND_MS, 2 * DAY_MS);
  await world.time.advance(ms);
  return `${Math.round(ms / SECOND_MS)} s, now ${world.time.now().toISOString()}`;
}

export async function resume(world: World): Promise<string> {
  return (await world.resume()) ? 'goes on' : 'nobody is paused';
}

export async function kill(world: World): Promise<string> {
  const worker = world.anyWorker();
  await world.bury(worker);
  world.note('process killed');
  return worker.name;
}

/** One machine's clock goes wrong, or is put right. */
export function skewClock(world: World): string {
  const { random } = world;
  const worker = world.anyWorker();
  const ms = random.chance(0.3) ? 0 : Math.round(random.spread(100, SKEW_MAX_MS)) * (random.chance(0.5) ? 1 : -1);
  worker.clock.skewMs = ms;
  if (ms !== 0) world.note('clock skewed');
  return `${worker.name} is ${ms} ms off`;
}
