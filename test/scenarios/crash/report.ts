import { median } from '../support/random.js';
import { shown } from './checks.js';
import type { CrashReport } from './crash.js';

function seconds(ms: number | null): string {
  return ms === null ? 'not measured' : `${(ms / 1_000).toFixed(1)} s`;
}

/** The table that a person reads. */
export function tableOf(report: CrashReport): string {
  const { counts, faults, verdict } = report;
  const lost =
    (faults.LOSE_REPLY_BEFORE_COMMIT ?? 0) +
    (faults.LOSE_REPLY_AFTER_COMMIT ?? 0) +
    (faults.COMMIT_LATE ?? 0) +
    (faults.SLOW ?? 0);
  const pages = (faults.HTML ?? 0) + (faults.HTML_AFTER_COMMIT ?? 0) + (faults.EMPTY ?? 0);
  const statuses = Object.entries(verdict.postingsByStatus).map(([status, count]) => `${count} ${status}`);
  const rows: [string, string | number][] = [
    ['ledger, documents, seed', `${report.ledger}, ${report.documents}s, ${report.seed}`],
    ['kills', counts.kills],
    ['  while the worker was starting', counts.whileStarting],
    ['  while the ledger worked on a write', counts.whileSubmitting],
    ['  while a posting was POSTING', counts.whilePosting],
    ['  beside another worker', counts.besideAnother],
    ['times all connections of a worker were cut', counts.connectionsCut],
    ['pauses (longer than the lease)', `${counts.pauses} (${counts.longPauses})`],
    ['calls to put a document into the books', report.submits],
    ['replies lost (before or after the commit, late)', lost],
    ['HTML or nothing in place of an answer', pages],
    ['throttled, sessions ended', `${faults.RATE_LIMIT ?? 0}, ${faults.EXPIRE_SESSION ?? 0}`],
    ['purchases and edits that came meanwhile', `${report.latePurchases}, ${report.edits}`],
    ['postings', statuses.join(', ')],
    ['  found in the ledger by reference', verdict.foundByReference],
    ['  sent again after proven absence', verdict.sentAgain],
    ['documents in the ledger', verdict.documents],
    ['duplicates', verdict.duplicates],
    ['begun and given up, not in the books', verdict.abandoned],
    ['records reported to Brex', verdict.exportedRecords],
    ...verdict.totals.map(({ currency, source, posted, difference, recordCount }): [string, string] => [
      `${currency}: ${recordCount} purchases`,
      `${source}, posted ${posted}, difference ${difference}`,
    ]),
    ['audit events verified', verdict.auditEvents],
    ['time of the killing, until all was settled', `${seconds(report.killingMs)}, ${seconds(report.settlingMs)}`],
    ['start of a worker, median', seconds(median(counts.startsMs))],
    [`from a kill to the next document, median of ${counts.recoveriesMs.length}`, seconds(median(counts.recoveriesMs))],
    ['slowest of those', seconds(Math.max(...counts.recoveriesMs, 0))],
    ['promises broken', verdict.broken.length],
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  const table = rows.map(([label, value]) => `${label.padEnd(width)}${value}`);
  return [...table, ...shown(verdict.broken).map((one) => `  ${one}`)].join('\n');
}

/** What the workers complained about: not a failure by itself, since their database was taken away from them. */
export function complaintsOf(report: CrashReport): string {
  const errors = [...report.counts.errors].sort((a, b) => b[1] - a[1]).slice(0, 15);
  const ended = report.counts.endedByThemselves.map((one) => `ended by itself: ${one}`);
  return [...errors.map(([message, count]) => `${String(count).padStart(5)} × ${message}`), ...ended].join('\n');
}
