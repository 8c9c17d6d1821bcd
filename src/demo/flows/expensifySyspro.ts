import { z } from 'zod';
import { accessTo, type Connected, type Flow, type FlowSource } from '../flow.js';
import { until } from '../runs.js';
import type { Screen } from '../screen.js';
import type { Stage } from '../stage.js';
import { dryRun, HOUR_MS, MONTH, MONTH_DAYS, sync } from '../steps.js';
import { sysproLedger } from './syspro.js';

/** The least that holds everything. */
const REPORTS = 60;
const LABEL = 'LEDGERGATE';
/** The company's: where its days begin and end. */
const TIME_ZONE = 'America/New_York';

const summarySchema = z.object({ labels: z.record(z.string(), z.number()) });

const EXPENSIFY: FlowSource = {
  title: 'Expensify',
  sandbox: 'expensify',
  records: 'expenses',
  hasWebhooks: false,
  input(access) {
    const { baseUrl, partnerUserID, partnerUserSecret, policyIDs } = accessTo(access, 'expensify');
    return {
      kind: 'EXPENSIFY',
      baseUrl,
      credentials: { partnerUserID, partnerUserSecret },
      settings: {
        policyIDs,
        timeZone: TIME_ZONE,
        // Few and large jobs: five calls in ten seconds are all that Expensify takes.
        ...{ sliceDays: 90, pollSeconds: 1, pollMaxSeconds: 2 },
        costCentreTag: 'Department',
        tagNames: ['Department', 'Project'],
        ...{ markAsExported: true, exportLabel: LABEL, markSettleSeconds: 10 },
      },
    };
  },
  exported: (summary) => summarySchema.parse(summary).labels[LABEL] ?? 0,
  exportedWords: 'reports marked as exported in Expensify',
};

/** One balanced posting a day; what cannot be posted is held by itself; late approvals make a supplementary posting. */
export const EXPENSIFY_SYSPRO: Flow = {
  name: 'expensify-syspro',
  title: 'Expensify → SYSPRO',
  source: EXPENSIFY,
  ledger: sysproLedger('USD', '{costCentre}-{glAccount}'),
  pipeline: {
    name: 'Expense reports',
    streams: ['EXPENSE_REPORTS'],
    ...{ documentType: 'JOURNAL', grouping: 'DAILY', offsetAccount: '00-2160' },
    ...{ unmatchedVendor: 'POST_WITHOUT_SUPPLIER', closedPeriod: 'HOLD', correction: 'REVERSE_AND_REPLACE' },
    ...{ postingDate: 'POSTED_DATE', timeZone: TIME_ZONE },
  },
  rules: [
    { category: 'tax', glAccount: '00-1450' },
    { category: 'Meals', glAccount: '6220', taxCode: 'OH' },
    { category: 'Lodging', glAccount: '6210', taxCode: 'OH' },
  ],
  sandboxArguments: ({ reports = REPORTS }) => ['--month', MONTH, '--reports', String(reports)],
  origin: ({ scenario }) => ` of ${scenario.expenses?.reports ?? 0} reports, as far as they are approved`,
  async run(stage, screen, connected) {
    await dryRun(stage, screen, connected);
    await sync(stage, screen, connected);
    await onePostingADay(stage, screen, connected);
    await heldByThemselves(stage, screen, connected);
    await lateApproval(stage, screen, connected);
    await markedAsExported(stage, screen, connected);
    return MONTH_DAYS;
  },
};

interface Posting {
  readonly reference: string;
  readonly postingDate: string;
  readonly totalDebit: string;
  readonly lines: readonly { readonly spendRecordIds: readonly string[] }[];
}

async function postings({ api }: Stage, pipelineId: string, status: 'POSTED' | 'HELD'): Promise<readonly Posting[]> {
  const { glPostings } = await api.query<{ glPostings: { nodes: readonly Posting[] } }>(
    `query ($filter: GlPostingFilter!) {
      glPostings(first: 200, filter: $filter) { nodes { reference postingDate totalDebit lines { spendRecordIds } } }
    }`,
    { filter: { pipelineId, statuses: [status] } },
  );
  return glPostings.nodes;
}

function expensesIn({ lines }: Posting): number {
  return new Set(lines.flatMap(({ spendRecordIds }) => spendRecordIds)).size;
}

async function onePostingADay(stage: Stage, screen: Screen, { pipelineId }: Connected): Promise<void> {
  await screen.step('Each day is one posting', async () => {
    const posted = await postings(stage, pipelineId, 'POSTED');
    const days = new Set(posted.map(({ postingDate }) => postingDate));
    if (days.size !== posted.length) throw new Error(`${posted.length} postings are on ${days.size} days.`);
    const fullest = posted.reduce<Posting | null>(
      (best, one) => (best === null || expensesIn(one) > expensesIn(best) ? one : best),
      null,
    );
    if (fullest === null) throw new Error('Nothing was posted.');
    const { postingDate, reference, lines, totalDebit } = fullest;
    return [
      `${posted.length} postings on ${days.size} days; ${postingDate} is ${reference}: ${expensesIn(fullest)} expenses in ${lines.length} lines, ${totalDebit} on each side`,
      null,
    ];
  });
}

/** An expense that lacks something keeps none of the others of its day from being posted. */
async function heldByThemselves(stage: Stage, screen: Screen, { pipelineId }: Connected): Promise<void> {
  await screen.step('Expenses that lack something are held by themselves', async () => {
    const held = await postings(stage, pipelineId, 'HELD');
    const alone = held.filter((one) => expensesIn(one) === 1).length;
    return [`${held.length} documents are held, ${alone} of them with one expense`, null];
  });
}

/** Somebody approves on a day that was posted already: what comes is posted beside it, and nothing is posted again. */
async function lateApproval(stage: Stage, screen: Screen, connected: Connected): Promise<void> {
  const late = stage.access.scenario.expenses?.late[0];
  if (!late) return;
  const { pipelineId } = connected;
  const before = await postings(stage, pipelineId, 'POSTED');
  await screen.step(`${late.reportIDs.length} more reports are approved late on ${late.at.slice(0, 10)}`, async () => {
    const { now } = await stage.source.post<{ now: string }>('clock', {
      now: new Date(Date.parse(late.at) + HOUR_MS).toISOString(),
    });
    return [`it is ${now} in Expensify`, null];
  });
  await sync(stage, screen, connected, { title: 'Sync again', key: 'demo-second-sync' });
  await screen.step('The late ones are a supplementary posting', async () => {
    const known = new Set(before.map(({ reference }) => reference));
    const after = await postings(stage, pipelineId, 'POSTED');
    const added = after.filter(({ reference }) => !known.has(reference));
    const [one] = added;
    if (!one || added.length !== 1) throw new Error(`${added.length} postings were added in place of one.`);
    const first = before.find(({ postingDate }) => postingDate === one.postingDate);
    if (!first) throw new Error(`${one.postingDate} had no posting before.`);
    const more = `${expensesIn(one)} expenses, ${one.totalDebit} on each side`;
    return [`${one.postingDate} has ${first.reference} as before, and now ${one.reference} with ${more}`, null];
  });
}

interface ReportPage {
  readonly reports: readonly { reportID: string; expenses: readonly { transactionID: string }[] }[];
}

interface RecordPage {
  readonly spendRecords: {
    readonly nodes: readonly { status: string; sourceRefs: readonly { id: string }[] }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

/** Ids of the expenses that are in the ledger. */
async function postedExpenses({ api }: Stage, pipelineId: string): Promise<Set<string>> {
  const ids = new Set<string>();
  let after: string | null = null;
  do {
    const page: RecordPage = await api.query(
      `query ($filter: SpendRecordFilter!, $after: String) {
        spendRecords(first: 200, after: $after, filter: $filter) {
          nodes { status sourceRefs { id } } pageInfo { hasNextPage endCursor }
        }
      }`,
      { filter: { pipelineId, statuses: ['POSTED'] }, after },
    );
    for (const { sourceRefs } of page.spendRecords.nodes) for (const { id } of sourceRefs) ids.add(id);
    after = page.spendRecords.pageInfo.hasNextPage ? page.spendRecords.pageInfo.endCursor : null;
  } while (after !== null);
  return ids;
}

/** Marking takes several jobs, and Expensify allows 20 calls a minute. */
const MARKING_MS = 240_000;

/** Only reports whose expenses are all in the ledger, and only after it confirmed them. */
async function markedAsExported(stage: Stage, screen: Screen, { pipelineId }: Connected): Promise<void> {
  const { source } = stage;
  await screen.step('Reports whose expenses are all in the ledger are marked in Expensify', async (progress) => {
    const posted = await postedExpenses(stage, pipelineId);
    const { reports } = await source.get<ReportPage>('reports?limit=10000');
    const done = reports.filter(({ expenses }) => expenses.every(({ transactionID }) => posted.has(transactionID)));
    const wanted = new Set(done.map(({ reportID }) => reportID));
    if (wanted.size === 0) throw new Error('No report is wholly in the ledger.');
    await until('The marking of reports', MARKING_MS, async () => {
      const { reportIDs } = await source.get<{ reportIDs: readonly string[] }>(`labels/${LABEL}`);
      progress(`${reportIDs.length} of ${wanted.size} reports`);
      const wrong = reportIDs.filter((id) => !wanted.has(id));
      if (wrong.length > 0)
        throw new Error(`Reports are marked that are not wholly in the ledger: ${wrong.join(', ')}.`);
      return reportIDs.length === wanted.size ? wanted.size : null;
    });
    return [`${wanted.size} of ${reports.length} with the label ${LABEL}, and no other`, null];
  });
}
