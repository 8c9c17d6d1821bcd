import type { SeedReport } from './simulate.js';

/** All that is needed to see a failure, and to see it again. @param steps as given; undefined = a whole history. */
export function failureOf(report: SeedReport, steps?: string | number): string {
  const again = [`--seed ${report.seed}`, ...(steps === undefined ? [] : [`--steps ${steps}`]), '--verbose'].join(' ');
  return [
    `Seed ${report.seed} (${nameOf(report)}) broke a promise. Its history:`,
    ...report.story,
    'Broken:',
    ...report.broken.map((one) => `  - ${one}`),
    `Again: npm run simulate -- ${again}`,
  ].join('\n');
}

function nameOf({ source, ledger }: SeedReport): string {
  return source === null || ledger === null ? 'nobody knows which systems' : `${source} to ${ledger}`;
}

export type Counts = Record<string, number>;

const FAILED_NAMED = 50;

/** What many histories were made of. Its size does not grow with their number. */
export class Totals {
  /** The first of those that broke a promise. */
  readonly failed: number[] = [];
  failedCount = 0;
  seeds = 0;
  calls = 0;
  disturbed = 0;
  readonly ledgers: Counts = {};
  readonly sources: Counts = {};
  /** Of vendors, by kind. */
  readonly faults: Counts = {};
  /** Of processes and their connections to the database, by kind. */
  readonly mishaps: Counts = {};
  /** What people, callers and systems did, by kind. */
  readonly did: Counts = {};
  readonly endings: Counts = {};
  private readonly steps: Counts = {};
  private documents = 0;
  private ms = 0;
  private slowestMs = 0;
  private rssMb = 0;
  private digest = 0n;

  add(report: SeedReport): void {
    this.seeds += 1;
    this.calls += report.calls;
    this.disturbed += report.disturbed;
    this.documents += report.documents;
    this.ms += report.ms;
    this.slowestMs = Math.max(this.slowestMs, report.ms);
    // In any order the same, because processes end their histories in any order.
    this.digest ^= BigInt(`0x${report.digest || '0'}`);
    if (report.ledger !== null) addTo(this.ledgers, { [report.ledger]: 1 });
    if (report.source !== null) addTo(this.sources, { [report.source]: 1 });
    addTo(this.faults, report.faults);
    addTo(this.mishaps, report.mishaps);
    addTo(this.did, report.did);
    addTo(this.steps, report.steps);
    addTo(this.endings, report.endings);
    if (report.broken.length === 0) return;
    this.failedCount += 1;
    if (this.failed.length < FAILED_NAMED) this.failed.push(report.seed);
  }

  noteMemory(rssMb: number): void {
    this.rssMb = Math.max(this.rssMb, rssMb);
  }

  /** One value for all that happened in all of them. */
  get history(): string {
    return this.digest.toString(16).padStart(64, '0');
  }

  table(): string {
    const share = ((100 * this.disturbed) / Math.max(1, this.calls)).toFixed(1);
    return [
      `seeds            ${this.seeds} (${shown(this.ledgers)}; ${shown(this.sources)})`,
      `failed           ${this.failedCount}${this.failedCount > 0 ? `: ${this.failed.join(', ')}` : ''}`,
      `history          ${this.history}`,
      `vendor calls     ${this.calls}, disturbed ${this.disturbed} (${share} %): ${shown(this.faults)}`,
      `processes hit    ${shown(this.mishaps)}`,
      `done             ${shown(this.did)}`,
      `steps            ${shown(this.steps)}`,
      `documents        ${this.documents}`,
      `purchases        ${shown(this.endings)}`,
      `time             ${(this.ms / 1_000).toFixed(1)} s of histories, ${Math.round(this.ms / Math.max(1, this.seeds))} ms a seed, slowest ${Math.round(this.slowestMs)} ms`,
      `memory           ${this.rssMb} MB at most in one process`,
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
