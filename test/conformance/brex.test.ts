import { brexConnector } from '../../src/connectors/brex/index.js';
import { SANDBOX_ACCESS, signature, startBrexSandbox } from '../../src/sandbox/brex/index.js';
import { generateMonth } from '../../src/sandbox/scenario/month.js';
import { describeSpend } from './support/spendSuite.js';

/** What accounts and cost centres are coded with in the generated month. */
const REMOTE_IDS: Readonly<Record<string, string>> = { glAccount: 'gl_account', costCentre: 'cost_center' };

describeSpend({
  connector: brexConnector,
  byId: ['EXPENSES', 'ACCOUNTING_RECORDS'],
  async start() {
    const month = generateMonth({ seed: 11, month: '2026-10', purchases: 200 });
    const sandbox = await startBrexSandbox({
      data: month.brex,
      settings: { rateLimit: null, unknownTypes: 0, defaultRecordWindowDays: 400 },
    });
    const { cardTransactions, cashTransactions, expenses, accountingRecords } = sandbox.control.summary();
    const { userToken, webhookSecret, companyId } = SANDBOX_ACCESS;
    const ready = month.brex.purchases.map(({ key }) => `accr_${key}`);
    const sentAt = new Date('2026-11-12T10:00:00Z');
    const body = JSON.stringify({
      event_type: 'ACCOUNTING_RECORD_READY_FOR_EXPORT',
      companyId,
      accountingRecordIds: ['accr_1'],
    });
    const timestamp = String(sentAt.getTime() / 1000);
    return {
      baseUrl: sandbox.url,
      faults: sandbox.faults,
      credentials: { kind: 'userToken', token: userToken },
      wrongCredentials: { kind: 'userToken', token: 'bxt_wrong-and-planted' },
      secrets: [userToken, 'bxt_wrong-and-planted'],
      settings: {
        integrationVendor: 'LEDGERGATE',
        vendorAccountId: 'HPW1',
        reimbursementBasis: 'ACCRUAL',
        pageSize: 60,
      },
      pageSize: 60,
      now: new Date(month.brex.now),
      counts: {
        CARD_TRANSACTIONS: cardTransactions.visible,
        CASH_TRANSACTIONS: cashTransactions.visible,
        EXPENSES: expenses.visible,
        ACCOUNTING_RECORDS: accountingRecords.visible,
      },
      window: { since: null, until: null },
      exportable: ready,
      isReported: (id) => sandbox.control.lastExport(id)?.referenceId != null,
      webhook: {
        headers: {
          'webhook-id': 'msg_1',
          'webhook-timestamp': timestamp,
          'webhook-signature': signature(webhookSecret, 'msg_1', timestamp, body),
        },
        body: Buffer.from(body),
        secrets: [webhookSecret],
        sentAt,
      },
      codingValues: (key) =>
        sandbox.control.codingValues(REMOTE_IDS[key] ?? `ledger-dimension:${encodeURIComponent(key.slice(10))}`),
      close: () => sandbox.close(),
    };
  },
});
