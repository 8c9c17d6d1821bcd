/** A source of numbers in [0, 1) that repeats for the same seed. */
export type Random = () => number;

/**
 * The mulberry32 generator (public domain, Tommy Ettinger). It repeats exactly for a seed, so that a run with faults can
 * be played again; it is no source of secrets.
 * @param seed any number; only its lowest 32 bits count.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
