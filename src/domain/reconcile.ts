import { InvariantError } from '../errors.js';

export const RECONCILIATION_BUCKETS = ['posted', 'held', 'excluded', 'rejected', 'inFlight', 'unknown'] as const;
export type ReconciliationBucket = (typeof RECONCILIATION_BUCKETS)[number];

/** One spend record of the window, and where its money is. */
export interface ReconciliationRow {
  readonly id: string;
  readonly currency: string;
  /** What the source says, minor units; negative = refund. */
  readonly amountMinor: bigint;
  /**
   * What is in each bucket, signed like the amount. A record that was posted in two documents, one of them held, fills
   * two buckets. What is left out is 0.
   */
  readonly contributions: Readonly<Partial<Record<ReconciliationBucket, bigint>>>;
}

/** Minor units throughout. */
export interface ReconciliationTotal extends Readonly<Record<ReconciliationBucket, bigint>> {
  readonly currency: string;
  readonly source: bigint;
  /** source − all buckets. Anything but 0 is money that nobody accounts for. */
  readonly difference: bigint;
  readonly recordCount: number;
}

type Sums = Record<ReconciliationBucket, bigint> & { source: bigint; recordCount: number };

/**
 * Adds up where every cent of a window is, one total a currency, sorted by currency.
 * A difference is reported, never spread or hidden: it is what the report is for.
 * @throws InvariantError a record was given twice; its money would be counted twice.
 */
export function reconcile(rows: Iterable<ReconciliationRow>): ReconciliationTotal[] {
  const sums = new Map<string, Sums>();
  const seen = new Set<string>();
  for (const row of rows) {
    if (seen.has(row.id)) throw new InvariantError(`Spend record ${row.id} was counted twice in a reconciliation.`);
    seen.add(row.id);
    const sum = sums.get(row.currency) ?? emptySums();
    sums.set(row.currency, sum);
    sum.source += row.amountMinor;
    sum.recordCount += 1;
    for (const bucket of RECONCILIATION_BUCKETS) sum[bucket] += row.contributions[bucket] ?? 0n;
  }
  return [...sums.keys()].sort().map((currency) => totalOf(currency, sums.get(currency) ?? emptySums()));
}

/** The usual row: all of a record's money in one bucket. */
export function wholly(
  bucket: ReconciliationBucket,
  record: { id: string; currency: string; amountMinor: bigint },
): ReconciliationRow {
  return { ...record, contributions: { [bucket]: record.amountMinor } };
}

function totalOf(currency: string, sum: Sums): ReconciliationTotal {
  const accounted = RECONCILIATION_BUCKETS.reduce((total, bucket) => total + sum[bucket], 0n);
  return { currency, ...sum, difference: sum.source - accounted };
}

function emptySums(): Sums {
  return { source: 0n, recordCount: 0, posted: 0n, held: 0n, excluded: 0n, rejected: 0n, inFlight: 0n, unknown: 0n };
}
