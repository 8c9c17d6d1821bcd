import type { SeedReport } from './simulate.js';

/** All that is needed to see a failure, and to see it again. */
export function failureOf(report: SeedReport): string {
  return [
    `Seed ${report.seed} (${report.source} to ${report.ledger}) broke a promise. Its history:`,
    ...report.story,
    'Broken:',
    ...report.broken.map((one) => `  - ${one}`),
    `Again: npm run simulate -- --seed ${report.seed} --ledger ${report.ledger}`,
  ].join('\n');
}

type Counts = Record<string, number>;

/** What many histories were made of. */
export class Totals {
  readonly failed: number[] = [];
  seeds = 0;
  private calls = 0;
  private disturbed = 0;
  private documents = 0;
  private ms = 0;
  private slowestMs = 0;
  private readonly ledgers: Counts = {};
  private readonly sources: Counts = {};
  private readonly did: Counts = {};
  private readonly faults: Counts = {};
  private readonly mishaps: Counts = {};
  private readonly steps: Counts = {};
  private readonly endings: Counts = {};

  add(report: SeedReport): void {
    this.seeds += 1;
    this.calls += report.calls;
    this.disturbed += report.disturbed;
    this.documents += report.documents;
    this.ms += report.ms;
    this.slowestMs = Math.max(this.slowestMs, report.ms);
    addTo(this.ledgers, { [report.ledger]: 1 });
    addTo(this.sources, { [report.source]: 1 });
    addTo(this.did, report.did);
    addTo(this.faults, report.faults);
    addTo(this.mishaps, report.mishaps);
    addTo(this.steps, report.steps);
    addTo(this.endings, report.endings);
    if (report.broken.length > 0) this.failed.push(report.seed);
  }

  table(): string {
    const share = ((100 * this.disturbed) / Math.max(1, this.calls)).toFixed(1);
    return [
      `seeds            ${this.seeds} (${shown(this.ledgers)}; ${shown(this.sources)})`,
      `failed           ${this.failed.length}${this.failed.length > 0 ? `: ${this.failed.join(', ')}` : ''}`,
      `vendor calls     ${this.calls}, disturbed ${this.disturbed} (${share} %): ${shown(this.faults)}`,
      `processes hit    ${shown(this.mishaps)}`,
      `steps            ${shown(this.steps)}`,
      `done             ${shown(this.did)}`,
      `documents        ${this.documents}`,
      `purchases        ${shown(this.endings)}`,
      `time             ${(this.ms / 1_000).toFixed(1)} s, ${Math.round(this.ms / Math.max(1, this.seeds))} ms a seed, slowest ${Math.round(this.slowestMs)} ms`,
    ].join('\n');
  }
}

function addTo(sum: Counts, more: Readonly<Counts>): void {
  for (const [name, count] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + count;
}

function shown(counts: Readonly<Counts>): string {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}
