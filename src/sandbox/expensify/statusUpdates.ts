import { z } from 'zod';
import { dayOf } from './exportRequest.js';
import { dayText } from './jobs.js';
import { invalid, malformed } from './replies.js';
import type { ExpensifySettings } from './settings.js';
import type { ExpensifyStore } from './store.js';

const updateSchema = z.looseObject({
  status: z.string(),
  filters: z.looseObject({
    reportIDList: z.string().optional(),
    startDate: z.unknown().optional(),
    endDate: z.unknown().optional(),
  }),
});

interface Outcome {
  reason: string;
  reportID: string;
}

/**
 * Answers `update reportStatus`: only from Approved to Reimbursed. What could not be changed is listed in an answer that
 * still says 200.
 * @throws Refusal
 */
export function updateStatus(
  store: ExpensifyStore,
  settings: ExpensifySettings,
  inputSettings: unknown,
): Record<string, unknown> {
  const parsed = updateSchema.safeParse(inputSettings);
  if (!parsed.success) throw malformed(String(parsed.error.issues[0]?.path.join('.') ?? 'filters'));
  const { filters, status } = parsed.data;
  if (status !== 'REIMBURSED') throw invalid(`Status '${status}' is not supported`);
  const [skippedReports, failedReports, reportIDs]: [Outcome[], Outcome[], string[]] = [[], [], []];
  for (const reportID of wanted(store, filters)) {
    const report = store.find(reportID);
    if (!report) {
      failedReports.push({ reason: 'Report not found', reportID });
      continue;
    }
    const state = store.stateOf(report);
    if (state !== 'APPROVED') {
      skippedReports.push({ reason: `Report is in status '${settings.statusTexts[state]}'`, reportID });
      continue;
    }
    store.reimburse(reportID);
    reportIDs.push(reportID);
  }
  return { skippedReports, reportIDs, ...(failedReports.length > 0 ? { failedReports } : {}) };
}

function wanted(store: ExpensifyStore, filters: z.output<typeof updateSchema>['filters']): string[] {
  const listed = filters.reportIDList?.split(',').map((id) => id.trim()) ?? [];
  if (listed.length > 0) return [...new Set(listed.filter((id) => id !== ''))];
  const [start, end] = [dayOf(filters.startDate, 'startDate'), dayOf(filters.endDate, 'endDate')];
  if (start === null) throw invalid("Required parameter 'reportIDList' is missing");
  return store
    .visible()
    .filter((report) => {
      const day = dayText(Math.max(report.createdAt, store.past(report.submittedAt) ?? 0));
      return day >= start && (end === null || day <= end);
    })
    .map(({ seed }) => seed.reportID);
}
