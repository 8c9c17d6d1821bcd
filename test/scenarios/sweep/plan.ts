export type Side = 'before' | 'after';

/** The first time that a boundary was passed in what was recorded. */
export interface Passing {
  readonly boundary: number;
  readonly side: Side;
  /** Writes to any socket until then. */
  readonly writes: number;
}

/** Where a process is to die. */
export interface DeathPlace {
  readonly boundary: number;
  readonly side: Side;
}

export interface PlannedDeath extends DeathPlace {
  /** Also passed while there is nothing to do, so that the moment has to be one at which there is. */
  readonly isIdle: boolean;
  /** Dies while it takes over from a process that died here; null = dies at its own work. */
  readonly recovering: DeathPlace | null;
}

/**
 * Every boundary that was passed is a place to die: before it waits. After it has waited only where something left the
 * process meanwhile and no other death of the plan comes at a moment that nobody outside could tell from this one.
 */
export function placesOf(passings: readonly Passing[]): DeathPlace[] {
  const states = new Set(passings.filter(({ side }) => side === 'before').map(({ writes }) => writes));
  const begun = new Map<number, number>();
  const places: DeathPlace[] = [];
  for (const { boundary, side, writes } of passings) {
    if (side === 'before') begun.set(boundary, writes);
    else if (begun.get(boundary) === writes || states.has(writes)) continue;
    states.add(writes);
    places.push({ boundary, side });
  }
  return places;
}

/** Every `of`th beginning with the `index`th (from 1), so that the slices together are the whole. */
export function sliceOf<T>(all: readonly T[], { index, of }: Slice): T[] {
  return all.filter((_one, position) => position % of === index - 1);
}

export interface Slice {
  readonly index: number;
  readonly of: number;
}

/** @throws an Error that says how it is written. */
export function parseSlice(text: string): Slice {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, of] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || index < 1 || index > of) throw new Error('--slice is I/N, with I from 1 to N.');
  return { index, of };
}
