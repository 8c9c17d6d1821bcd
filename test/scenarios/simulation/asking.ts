import type { Caller } from '../../../src/services/engine.js';
import { callerOf } from './workers.js';
import type { World } from './world.js';

export const PEOPLE = ['user:ana', 'user:ben', 'service:erp'];

export function person(world: World): Caller {
  return callerOf(world.tenantId, world.random.pick(PEOPLE));
}

/** Counts what was done under `what`, so that a kind of event that is always refused is seen as one that never happened. */
export function answered(
  world: World,
  what: string,
  outcome: { ok: boolean; problems?: readonly { code: string }[] },
): string {
  if (!outcome.ok) return `refused: ${outcome.problems?.[0]?.code}`;
  world.note(what);
  return 'done';
}
