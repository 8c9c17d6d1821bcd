import { setTimeout as pause } from 'node:timers/promises';

/** Waits until a state is there. @throws an Error that names it when it does not come in time. */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs / 1000} s: ${what}.`);
    await pause(50);
  }
}
