import { expensifyConnector } from '../../src/connectors/expensify/index.js';
import { EXPENSIFY_ACCESS, startExpensifySandbox } from '../../src/sandbox/expensify/index.js';
import { generateExpensifyMonth } from '../../src/sandbox/scenario/expensifyMonth.js';
import { describeSpend } from './support/spendSuite.js';

const LABEL = 'ledgergate';

describeSpend({
  connector: expensifyConnector,
  byId: ['EXPENSE_REPORTS'],
  async start() {
    const month = generateExpensifyMonth({ seed: 5, month: '2026-10', reports: 60 });
    const sandbox = await startExpensifySandbox({
      seed: month.expensify,
      settings: { rateLimits: null, approvedAfterIncludesDay: false, retryAfterSeconds: 0 },
    });
    // An expense without a rate to the report's currency has no amount that could be posted; its report is not done.
    const unreadable = new Set(month.expectations.held.unconverted.transactionIDs);
    const reports = [...sandbox.reports('APPROVED'), ...sandbox.reports('REIMBURSED')];
    const expenses = reports.flatMap((report) => report.expenses);
    const finished = reports.filter((report) => report.expenses.every((one) => !unreadable.has(one.transactionID)));
    return {
      baseUrl: sandbox.baseUrl,
      faults: sandbox.faults,
      credentials: { ...EXPENSIFY_ACCESS },
      wrongCredentials: { ...EXPENSIFY_ACCESS, partnerUserSecret: 'not-this-one' },
      secrets: [EXPENSIFY_ACCESS.partnerUserSecret, 'not-this-one'],
      settings: {
        policyIDs: sandbox.access.policyIDs,
        timeZone: 'America/New_York',
        sliceDays: 7,
        pollSeconds: 0,
        pollMaxSeconds: 0,
        deadlineSeconds: 5,
        markAsExported: true,
        exportLabel: LABEL,
        markSettleSeconds: 1,
      },
      pageSize: 200,
      now: new Date(sandbox.now()),
      unreadable: unreadable.size,
      counts: { EXPENSE_REPORTS: expenses.length - unreadable.size },
      window: { since: new Date('2026-10-01T00:00:00Z'), until: null },
      exportable: finished.map(({ reportID }) => reportID),
      isReported: (id) => sandbox.markedReports(LABEL).includes(id),
      close: () => sandbox.close(),
    };
  },
});
