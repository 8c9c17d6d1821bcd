export type Side = 'before' | 'after';

/** The first time that a boundary was passed in what was recorded. */
export interface Passing {
  readonly boundary: number;
  readonly side: Side;
  /** What went out of the process or came in until then, on any socket. */
  readonly exchanges: number;
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
 * Every boundary that was passed is a place to die: before it waits. After it has waited only where something was exchanged
 * meanwhile and no other death of the plan comes at a moment that nobody outside could tell from this one.
 */
export function placesOf(passings: readonly Passing[]): DeathPlace[] {
  const moments = new Set(passings.filter(({ side }) => side === 'before').map(({ exchanges }) => exchanges));
  const begun = new Map<number, number>();
  const places: DeathPlace[] = [];
  for (const { boundary, side, exchanges } of passings) {
    if (side === 'before') begun.set(boundary, exchanges);
    else if (begun.get(boundary) === exchanges || moments.has(exchanges)) continue;
    moments.add(exchanges);
    places.push({ boundary, side });
  }
  return places;
}

/** Those of them that leave the world outside differently: one of all between which nothing was exchanged. */
export function distinctOf(places: readonly DeathPlace[], passings: readonly Passing[]): DeathPlace[] {
  const momentOf = new Map(passings.map(({ boundary, side, exchanges }) => [`${side} ${boundary}`, exchanges]));
  const seen = new Set<number | undefined>();
  return places.filter(({ boundary, side }) => {
    const moment = momentOf.get(`${side} ${boundary}`);
    if (seen.has(moment)) return false;
    seen.add(moment);
    return true;
  });
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
