export interface Comparison {
  readonly name: string;
  readonly unit: string;
  readonly ours: readonly number[];
  readonly bare: readonly number[];
  readonly how: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * Measures both sides in turns, A B B A …, so that what the machine does besides falls on both. The first round warms up
 * and does not count.
 */
export async function inTurns(
  rounds: number,
  ours: () => Promise<number>,
  bare: () => Promise<number>,
): Promise<{ ours: number[]; bare: number[] }> {
  const measured = { ours: [] as number[], bare: [] as number[] };
  await ours();
  await bare();
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const);
    for (const side of order) measured[side].push(await (side === 'ours' ? ours() : bare()));
  }
  return measured;
}

export function textOf({ name, unit, ours, bare, how }: Comparison): string {
  const ratios = ours.map((value, index) => value / (bare[index] ?? Number.NaN));
  const figure = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en-GB') : value.toFixed(1));
  const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  return [
    `${name}: ${median(ratios).toFixed(2)} of the bare one (median of ${ratios.length} rounds, ${spread})`,
    `  gateway ${figure(median(ours))} ${unit}, bare ${figure(median(bare))} ${unit}`,
    `  ${how}`,
  ].join('\n');
}
