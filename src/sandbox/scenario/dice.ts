import { type Random, seededRandom } from '../kit/index.js';

/** Random choices that repeat for a seed. */
export class Dice {
  private readonly random: Random;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(from: readonly T[]): T {
    const found = from[this.int(0, from.length - 1)];
    if (found === undefined) throw new Error('There is nothing to pick from.');
    return found;
  }

  /** The same elements in another order. */
  shuffle<T>(from: readonly T[]): T[] {
    const mixed = [...from];
    for (let index = mixed.length - 1; index > 0; index -= 1) {
      const other = this.int(0, index);
      const [a, b] = [mixed[index], mixed[other]];
      if (a !== undefined && b !== undefined) [mixed[index], mixed[other]] = [b, a];
    }
    return mixed;
  }

  /** An amount in cents between the bounds, mostly near the lower one, as card spend is. */
  cents(low: number, high: number): number {
    const skewed = this.random() ** 3;
    return Math.round(low + skewed * (high - low));
  }

  /** Positive parts that add up to the total; each at least one. */
  parts(total: number, count: number): number[] {
    const cuts = new Set<number>();
    while (cuts.size < count - 1) cuts.add(this.int(1, total - 1));
    const places = [0, ...[...cuts].sort((a, b) => a - b), total];
    return places.slice(1).map((place, index) => place - (places[index] ?? 0));
  }
}
