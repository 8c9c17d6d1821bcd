/** The measures of vendor matching: what was posted rightly, what was found, what was wrongly taken for new. */
import type { VendorThresholds } from '../domain/vendor/index.js';

/** One labelled merchant with the decision about it. */
export interface Judged {
  readonly expected: string | null;
  readonly difficulty: string;
  readonly decision: 'auto' | 'review' | 'none';
  readonly supplierCode: string | null;
  readonly score: number;
  readonly margin: number;
  readonly candidates: readonly string[];
}

export interface Share {
  readonly hits: number;
  readonly of: number;
}

export interface Measures {
  readonly precision: Share;
  readonly coverage: Share;
  readonly recallAt1: Share;
  readonly recallAt5: Share;
  readonly noneAccuracy: Share;
  readonly falseCreate: Share;
}

export interface MeasureReport {
  readonly overall: Measures;
  readonly perClass: ReadonlyMap<string, Measures>;
}

/** 95 % Wilson score interval of a share; null for no observations. */
export function wilsonInterval({ hits, of }: Share): { low: number; high: number } | null {
  if (of === 0) return null;
  const z = 1.96;
  const p = hits / of;
  const middle = p + (z * z) / (2 * of);
  const spread = z * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of));
  const scale = 1 + (z * z) / of;
  return { low: Math.max(0, (middle - spread) / scale), high: Math.min(1, (middle + spread) / scale) };
}

function shareOf(items: readonly Judged[], isHit: (item: Judged) => boolean): Share {
  return { hits: items.filter(isHit).length, of: items.length };
}

function measureGroup(items: readonly Judged[]): Measures {
  const withSupplier = items.filter((item) => item.expected !== null);
  const rank = (item: Judged): number => (item.expected === null ? -1 : item.candidates.indexOf(item.expected));
  return {
    precision: shareOf(
      items.filter((item) => item.decision === 'auto'),
      (item) => item.supplierCode === item.expected,
    ),
    coverage: shareOf(withSupplier, (item) => item.decision === 'auto'),
    recallAt1: shareOf(withSupplier, (item) => rank(item) === 0),
    recallAt5: shareOf(withSupplier, (item) => rank(item) >= 0 && rank(item) < 5),
    noneAccuracy: shareOf(
      items.filter((item) => item.expected === null),
      (item) => item.decision === 'none',
    ),
    falseCreate: shareOf(withSupplier, (item) => item.decision === 'none'),
  };
}

/** All measures, overall and per class in alphabetical order. */
export function measure(items: readonly Judged[]): MeasureReport {
  const classes = [...new Set(items.map((item) => item.difficulty))].sort();
  return {
    overall: measureGroup(items),
    perClass: new Map(classes.map((name) => [name, measureGroup(items.filter((item) => item.difficulty === name))])),
  };
}

function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`;
}

function describeShare(share: Share): string {
  if (share.of === 0) return '-';
  return `${percent(share.hits / share.of)} (${share.hits}/${share.of})`;
}

function describeWithInterval(share: Share): string {
  const interval = wilsonInterval(share);
  return interval === null
    ? '-'
    : `${describeShare(share)}, 95 % Wilson ${percent(interval.low)} to ${percent(interval.high)}`;
}

/** One line about merchants that were left out when the thresholds were chosen. */
export function describeLeftOut(items: readonly Judged[], learned: VendorThresholds | null): string {
  const { precision, coverage, falseCreate } = measureGroup(items);
  const low = wilsonInterval(precision)?.low;
  const bound = low === undefined ? '' : `, Wilson from ${percent(low)}`;
  const by = learned === null ? '' : ` (score ${learned.autoScore}, margin ${learned.autoMargin})`;
  return `precision ${describeShare(precision)}${bound}; coverage ${describeShare(coverage)}; false-create ${describeShare(falseCreate)}${by}`;
}

/** The report as lines for a terminal. */
export function describeMeasures({ overall, perClass }: MeasureReport): string[] {
  const lines = [
    `precision of automatic matches  ${describeWithInterval(overall.precision)}`,
    `coverage                        ${describeWithInterval(overall.coverage)}`,
    `recall@1                        ${describeWithInterval(overall.recallAt1)}`,
    `recall@5                        ${describeWithInterval(overall.recallAt5)}`,
    `none-accuracy                   ${describeWithInterval(overall.noneAccuracy)}`,
    `false-create                    ${describeWithInterval(overall.falseCreate)}`,
    '',
    ['class', 'precision', 'coverage', 'recall@1', 'recall@5', 'none-accuracy', 'false-create'].map(cell).join(''),
  ];
  for (const [name, group] of perClass) {
    const shares = [
      group.precision,
      group.coverage,
      group.recallAt1,
      group.recallAt5,
      group.noneAccuracy,
      group.falseCreate,
    ];
    lines.push([name, ...shares.map(describeShare)].map(cell).join('').trimEnd());
  }
  return lines;
}

function cell(text: string): string {
  return text.padEnd(20);
}

const SCORE_STEPS = [0.8, 0.82, 0.84, 0.86, 0.88, 0.9, 0.92, 0.94];
const MARGIN_STEPS = [0.01, 0.02, 0.03, 0.05, 0.08, 0.12];
const REVIEW_STEPS = [0.45, 0.5, 0.55, 0.6];

/**
 * The thresholds that match most merchants without a single wrong automatic match among these, and then with the
 * fewest wrong `none`; of equal ones the stricter, because new descriptors are harder.
 */
export function tuneThresholds(items: readonly Judged[]): VendorThresholds {
  let best: { right: number; autoScore: number; autoMargin: number } | null = null;
  let fewestWrong = Number.POSITIVE_INFINITY;
  for (const autoScore of SCORE_STEPS) {
    for (const autoMargin of MARGIN_STEPS) {
      const automatic = items.filter(
        (item) => item.score >= autoScore && item.margin >= autoMargin && item.candidates.length > 0,
      );
      const right = automatic.filter((item) => item.candidates[0] === item.expected).length;
      const wrong = automatic.length - right;
      if (wrong < fewestWrong || (wrong === fewestWrong && right >= (best?.right ?? 0))) {
        fewestWrong = wrong;
        best = { right, autoScore, autoMargin };
      }
    }
  }
  const withSupplier = items.filter((item) => item.expected !== null);
  const bearable = Math.floor(withSupplier.length * 0.01);
  let reviewScore = REVIEW_STEPS[0] ?? 0.45;
  for (const step of REVIEW_STEPS) {
    if (withSupplier.filter((item) => item.score < step).length <= bearable) reviewScore = step;
  }
  return { autoScore: best?.autoScore ?? 0.94, autoMargin: best?.autoMargin ?? 0.12, reviewScore };
}
