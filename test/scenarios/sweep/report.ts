import { shown } from '../crash/checks.js';
import type { SweepReport } from './sweep.js';

const COLUMNS: readonly [heading: string, of: (report: SweepReport) => string | number][] = [
  ['ledger', ({ pair }) => pair.ledger.title],
  ['documents', ({ pair }) => `${pair.documents}s`],
  ['boundaries', ({ boundaries }) => boundaries],
  ['of recovery', ({ recoveryBoundaries }) => recoveryBoundaries],
  ['planned', ({ planned }) => planned],
  ['deaths', ({ deaths }) => deaths],
  ['left out', ({ leftOut }) => leftOut],
  ['not reached', ({ notReached }) => notReached.length],
  ['found', ({ foundByReference }) => foundByReference],
  ['sent again', ({ sentAgain }) => sentAgain],
  ['in ledger', ({ documents }) => documents],
  ['twice', ({ duplicates }) => duplicates],
  ['broken', ({ broken }) => broken.length],
  ['seconds', ({ ms }) => Math.round(ms / 1_000)],
];

/** The table that a person reads, and under it what was not reached and what was broken. */
export function tableOf(reports: readonly SweepReport[]): string {
  const rows = [COLUMNS.map(([heading]) => heading), ...reports.map((one) => COLUMNS.map(([, of]) => String(of(one))))];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const remarks = reports.flatMap(({ pair, notReached, broken }) => [
    ...notReached.map((one) => `${pair.ledger.name} ${pair.documents}, not reached: ${one}`),
    ...shown(broken).map((one) => `${pair.ledger.name} ${pair.documents}, BROKEN: ${one}`),
  ]);
  return [...lines, ...remarks].join('\n');
}

/** More than a few that are not reached, and the sweep proves less than its table says. */
const NOT_REACHED_SHARE = 0.05;

export function isProven({ broken, duplicates, planned, notReached }: SweepReport): boolean {
  return broken.length === 0 && duplicates === 0 && notReached.length <= planned * NOT_REACHED_SHARE;
}
