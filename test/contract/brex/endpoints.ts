import type { BrexClient } from '../../../src/connectors/brex/client.js';

/**
 * What we hold Brex to, endpoint by endpoint: what we send and what we read. The client is always tested against this
 * table; where Brex's own OpenAPI files are at hand, the table is held against them too.
 */

export type JsonType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';

export interface EndpointFact {
  readonly name: string;
  /** The API's own file among Brex's OpenAPI files. */
  readonly api: 'accounting' | 'expenses' | 'fields' | 'payments' | 'team' | 'transactions' | 'webhooks';
  readonly method: 'GET' | 'POST' | 'PUT';
  /** `{}` stands for an id. */
  readonly path: string;
  /** All query names the client sends. */
  readonly query: readonly string[];
  readonly needsIdempotencyKey: boolean;
  /** Response fields that we read: path and type. `[]` = each item. */
  readonly reads: Readonly<Record<string, JsonType>>;
  /** Fields that real answers hold and the published schema does not. */
  readonly undocumented?: readonly string[];
  /** A composed answer. */
  readonly sample: unknown;
  readonly call: (client: BrexClient) => Promise<unknown>;
}

const usd = (amount: number) => ({ amount, currency: 'USD' });
const page = (...items: unknown[]) => ({ next_cursor: null, items });
const accountingPage = (...items: unknown[]) => ({
  ...page(...items),
  has_next_page: false,
  total_count: items.length,
});

const FROM = new Date('2026-11-01T00:00:00Z');
const TO = new Date('2026-11-20T12:00:00Z');
const AT = { limit: 5000, cursor: 'c1' };

const cardTransaction = {
  id: 'pst_c1',
  card_id: 'card_c1',
  description: 'Paper',
  amount: usd(1030),
  initiated_at_date: '2026-11-02',
  posted_at_date: '2026-11-03',
  type: 'PURCHASE',
  merchant: { raw_descriptor: 'PAPER CO', mcc: '5943', country: 'USA' },
  card_metadata: null,
  expense_id: 'expense_c1',
  card_transaction_operation_reference_id: null,
};

const cashTransaction = {
  id: 'ctx_c1',
  description: 'Wire fee',
  amount: usd(-1500),
  initiated_at_date: '2026-11-02',
  posted_at_date: '2026-11-02',
  type: 'FEE',
  transfer_id: 'ptx_c1',
};

const customFields = [{ key: 'Project', value: { value_type: 'SINGLE_VALUE', data_type: 'STRING', data: 'Apollo' } }];

const expense = {
  id: 'expense_c1',
  updated_at: '2026-11-03T10:00:00Z',
  dashboard_url: 'https://dashboard.brex.com/expenses/c1',
  expense_type: 'CARD',
  status: 'SPLIT',
  payment_status: 'CLEARED',
  category: 'OFFICE_SUPPLIES',
  memo: 'Paper',
  original_amount: usd(1030),
  billing_amount: usd(1030),
  purchased_amount: usd(1030),
  purchased_at: '2026-11-02T10:00:00Z',
  submitted_at: '2026-11-02T11:00:00Z',
  payment_posted_at: '2026-11-03T09:00:00Z',
  merchant: { raw_descriptor: 'PAPER CO', mcc: '5943', country: 'USA' },
  user: { id: 'cuuser_c1', first_name: 'Ana', last_name: 'Ruiz', department_id: null, location_id: null },
  location: { id: 'loc_c1', name: 'Porto' },
  department: { id: 'dep_c1', name: 'R&D' },
  budget: { id: 'bud_c1', name: 'Office' },
  custom_fields: customFields,
  expense_line_items: [
    {
      id: 'expense_c1a',
      updated_at: '2026-11-03T10:00:00Z',
      dashboard_url: 'https://x.example',
      billing_amount: usd(1030),
    },
  ],
};

const EXPENSE_READS = (prefix: string): Record<string, JsonType> => ({
  [`${prefix}id`]: 'string',
  [`${prefix}updated_at`]: 'string',
  [`${prefix}dashboard_url`]: 'string',
  [`${prefix}expense_type`]: 'string',
  [`${prefix}status`]: 'string',
  [`${prefix}payment_status`]: 'string',
  [`${prefix}category`]: 'string',
  [`${prefix}memo`]: 'string',
  [`${prefix}original_amount.amount`]: 'integer',
  [`${prefix}billing_amount.amount`]: 'integer',
  [`${prefix}billing_amount.currency`]: 'string',
  [`${prefix}purchased_amount.amount`]: 'integer',
  [`${prefix}purchased_at`]: 'string',
  [`${prefix}submitted_at`]: 'string',
  [`${prefix}payment_posted_at`]: 'string',
  [`${prefix}merchant.raw_descriptor`]: 'string',
  [`${prefix}merchant.mcc`]: 'string',
  [`${prefix}user.first_name`]: 'string',
  [`${prefix}user.last_name`]: 'string',
  [`${prefix}location.name`]: 'string',
  [`${prefix}department.name`]: 'string',
  [`${prefix}budget.name`]: 'string',
  [`${prefix}custom_fields[].key`]: 'string',
  [`${prefix}custom_fields[].value.value_type`]: 'string',
  [`${prefix}custom_fields[].value.data_type`]: 'string',
  [`${prefix}expense_line_items[].id`]: 'string',
  [`${prefix}expense_line_items[].billing_amount.amount`]: 'integer',
});

const record = {
  id: 'accr_c1',
  type: 'CARD_EXPENSE_POST',
  review_status: 'READY_FOR_EXPORT',
  source_type: 'CARD',
  source_id: 'expense_c1',
  amount: usd(10.3),
  original_amount: usd(10.3),
  erp_posting_date: '2026-11-03T09:09:05.840865Z',
  posted_at: '2026-11-03T09:09:05.840Z',
  updated_at: '2026-11-03T10:00:10.422192Z',
  version: 3,
  due_at: null,
  invoice_number: 'INV 7',
  memo: 'Paper',
  receipts: [],
  user: {
    id: 'cuuser_c1',
    first_name: 'Ana ',
    last_name: 'Ruiz ',
    email: 'ana@example.com',
    role: 'EMPLOYEE',
    status: 'ACTIVE',
    department_name: 'R&D',
    location_name: 'Porto',
  },
  vendor: { id: 'pmch_c1', name: 'Paper Co', contact_name: null, email: null, website: null, phone: null },
  line_items: [
    {
      id: 'accrli_c1',
      type: 'DEBIT',
      amount: usd(10.3),
      original_amount: null,
      memo: 'Paper',
      accounting_field_values: [
        {
          brex_field_id: 'extended_field_c1',
          remote_field_id: 'gl_account',
          field_name: 'GL Account',
          brex_field_value_id: 'efo_c1',
          remote_field_value_id: '6400-00-100',
          field_value_name: '6400 Office supplies',
        },
      ],
    },
  ],
};

const RECORD_READS = (prefix: string): Record<string, JsonType> => ({
  [`${prefix}id`]: 'string',
  [`${prefix}type`]: 'string',
  [`${prefix}review_status`]: 'string',
  [`${prefix}source_type`]: 'string',
  [`${prefix}source_id`]: 'string',
  [`${prefix}amount.amount`]: 'number',
  [`${prefix}amount.currency`]: 'string',
  [`${prefix}original_amount.amount`]: 'number',
  [`${prefix}erp_posting_date`]: 'string',
  [`${prefix}posted_at`]: 'string',
  [`${prefix}updated_at`]: 'string',
  [`${prefix}version`]: 'number',
  [`${prefix}invoice_number`]: 'string',
  [`${prefix}memo`]: 'string',
  [`${prefix}user.first_name`]: 'string',
  [`${prefix}user.last_name`]: 'string',
  [`${prefix}user.department_name`]: 'string',
  [`${prefix}user.location_name`]: 'string',
  [`${prefix}vendor.id`]: 'string',
  [`${prefix}vendor.name`]: 'string',
  [`${prefix}line_items[].id`]: 'string',
  [`${prefix}line_items[].type`]: 'string',
  [`${prefix}line_items[].amount.amount`]: 'number',
  [`${prefix}line_items[].memo`]: 'string',
  [`${prefix}line_items[].accounting_field_values[].brex_field_id`]: 'string',
  [`${prefix}line_items[].accounting_field_values[].remote_field_id`]: 'string',
  [`${prefix}line_items[].accounting_field_values[].field_name`]: 'string',
  [`${prefix}line_items[].accounting_field_values[].brex_field_value_id`]: 'string',
  [`${prefix}line_items[].accounting_field_values[].remote_field_value_id`]: 'string',
  [`${prefix}line_items[].accounting_field_values[].field_value_name`]: 'string',
});
const RECORD_UNDOCUMENTED = (prefix: string) =>
  ['field_name', 'field_value_name'].map((name) => `${prefix}line_items[].accounting_field_values[].${name}`);

const integration = {
  integration_id: 'int_c1',
  vendor: 'V',
  vendor_account_id: 'a',
  status: 'ACTIVE',
  created_at: '2026-11-20T10:00:00Z',
};
const INTEGRATION_READS = { integration_id: 'string', status: 'string' } as const;

const transfer = {
  id: 'ptx_c1',
  counterparty: null,
  description: 'x',
  payment_type: 'ACH',
  amount: usd(125000),
  process_date: '2026-11-21',
  originating_account: { type: 'BREX_CASH', id: 'dpacc_c1' },
  status: 'PENDING_APPROVAL',
  cancellation_reason: 'USER_CANCELLED',
  estimated_delivery_date: '2026-11-24',
  creator_user_id: 'cuuser_c1',
  created_at: '2026-11-20',
  display_name: 'x',
  external_memo: 'x',
  is_ppro_enabled: null,
};
const TRANSFER_READS = (prefix: string): Record<string, JsonType> => ({
  [`${prefix}id`]: 'string',
  [`${prefix}status`]: 'string',
  [`${prefix}payment_type`]: 'string',
  [`${prefix}amount.amount`]: 'integer',
  [`${prefix}process_date`]: 'string',
  [`${prefix}estimated_delivery_date`]: 'string',
  [`${prefix}created_at`]: 'string',
  [`${prefix}cancellation_reason`]: 'string',
});

const subscription = {
  id: 'wsub_c1',
  group_id: 'wg_c1',
  url: 'https://gw.example.com/webhooks/1',
  event_types: ['ACCOUNTING_RECORD_READY_FOR_EXPORT'],
  status: 'ACTIVE' as const,
};
const SUBSCRIPTION_READS = (prefix: string): Record<string, JsonType> => ({
  [`${prefix}id`]: 'string',
  [`${prefix}url`]: 'string',
  [`${prefix}event_types`]: 'array',
  [`${prefix}status`]: 'string',
  [`${prefix}group_id`]: 'string',
});

const field = {
  brex_id: 'extended_field_c1',
  name: 'GL Account',
  remote_id: 'gl_account',
  updated_at: '2026-11-20T10:01:00Z',
  is_disabled: false,
  group: 'ERP',
};
const FIELD_READS = (prefix: string): Record<string, JsonType> => ({
  [`${prefix}brex_id`]: 'string',
  [`${prefix}name`]: 'string',
  [`${prefix}remote_id`]: 'string',
  [`${prefix}is_disabled`]: 'boolean',
  [`${prefix}group`]: 'string',
});

const fieldValue = {
  brex_id: 'efo_c1',
  remote_id: 'syspro:A1:6400',
  value_id: '6400',
  value: '6400 Office supplies',
  field_id: 'extended_field_c1',
  updated_at: '2026-11-20T10:01:00Z',
  is_disabled: false,
};

const vendor = { id: 'vendor_c1', company_name: 'Acme', email: null, phone: null, payment_accounts: [] };
const KEY = 'fact-1';
const read = { method: 'GET', needsIdempotencyKey: false } as const;
const post = { method: 'POST', query: [], needsIdempotencyKey: false } as const;
const keyedPost = { ...post, needsIdempotencyKey: true } as const;
const PAGED = ['limit', 'cursor'] as const;

export const ENDPOINTS: readonly EndpointFact[] = [
  {
    ...read,
    name: 'the logged-in user',
    api: 'team',
    path: '/v2/users/me',
    query: [],
    reads: { id: 'string' },
    sample: { id: 'cuuser_c1', first_name: 'Ana', last_name: 'Ruiz', email: 'ana@example.com' },
    call: (client) => client.me(),
  },
  {
    ...read,
    name: 'the company',
    api: 'team',
    path: '/v2/company',
    query: [],
    reads: { id: 'string', legal_name: 'string' },
    sample: { id: 'cuacc_c1', legal_name: 'Acme', mailing_address: { line1: 'x' }, accountType: 'BREX_CLASSIC' },
    call: (client) => client.company(),
  },
  {
    ...read,
    name: 'card transactions',
    api: 'transactions',
    path: '/v2/transactions/card/primary',
    query: ['expand[]', 'posted_at_start', ...PAGED],
    reads: {
      next_cursor: 'string',
      'items[].id': 'string',
      'items[].description': 'string',
      'items[].amount.amount': 'integer',
      'items[].amount.currency': 'string',
      'items[].initiated_at_date': 'string',
      'items[].posted_at_date': 'string',
      'items[].type': 'string',
      'items[].merchant.raw_descriptor': 'string',
      'items[].merchant.mcc': 'string',
      'items[].merchant.country': 'string',
      'items[].expense_id': 'string',
    },
    sample: { ...page(cardTransaction), next_cursor: 'c2' },
    call: (client) => client.cardTransactions({ ...AT, postedFrom: FROM }),
  },
  {
    ...read,
    name: 'cash accounts',
    api: 'transactions',
    path: '/v2/accounts/cash',
    query: [],
    reads: { 'items[].id': 'string', 'items[].name': 'string', 'items[].primary': 'boolean' },
    sample: page({
      id: 'dpacc_c1',
      name: 'Main',
      status: 'ACTIVE',
      current_balance: usd(1),
      available_balance: usd(1),
      account_number: '1',
      routing_number: '2',
      primary: true,
    }),
    call: (client) => client.cashAccounts(),
  },
  {
    ...read,
    name: 'cash transactions',
    api: 'transactions',
    path: '/v2/transactions/cash/{}',
    query: ['posted_at_start', ...PAGED],
    reads: {
      'items[].id': 'string',
      'items[].description': 'string',
      'items[].amount.amount': 'integer',
      'items[].initiated_at_date': 'string',
      'items[].posted_at_date': 'string',
      'items[].type': 'string',
      'items[].transfer_id': 'string',
    },
    sample: page(cashTransaction),
    call: (client) => client.cashTransactions('dpacc_c1', { ...AT, postedFrom: FROM }),
  },
  {
    ...read,
    name: 'expenses',
    api: 'expenses',
    path: '/v1/expenses',
    query: ['expand[]', 'load_custom_fields', 'updated_at_start', 'updated_at_end', 'parent_expense_id[]', ...PAGED],
    reads: EXPENSE_READS('items[].'),
    sample: page(expense),
    call: (client) => client.expenses({ ...AT, updatedFrom: FROM, updatedTo: TO, parentExpenseId: 'expense_c0' }),
  },
  {
    ...read,
    name: 'one expense',
    api: 'expenses',
    path: '/v1/expenses/{}',
    query: ['expand[]', 'load_custom_fields'],
    reads: EXPENSE_READS(''),
    sample: expense,
    call: (client) => client.expense('expense_c1'),
  },
  {
    ...read,
    name: 'accounting records',
    api: 'accounting',
    path: '/v3/accounting/records',
    query: ['source_type', 'updated_at[gte]', 'updated_at[lt]', 'single_entry', ...PAGED],
    reads: { has_next_page: 'boolean', ...RECORD_READS('items[].') },
    undocumented: RECORD_UNDOCUMENTED('items[].'),
    sample: accountingPage(record),
    call: (client) => client.records({ ...AT, updatedFrom: FROM, updatedBefore: TO, source: 'CARD' }),
  },
  {
    ...read,
    name: 'accounting records by id',
    api: 'accounting',
    path: '/v3/accounting/records',
    query: ['ids', 'single_entry', 'limit'],
    reads: RECORD_READS('items[].'),
    undocumented: RECORD_UNDOCUMENTED('items[].'),
    sample: accountingPage(record),
    call: (client) => client.recordsById(['accr_c1', 'accr_c2']),
  },
  {
    ...read,
    name: 'one accounting record',
    api: 'accounting',
    path: '/v3/accounting/records/{}',
    query: ['single_entry'],
    reads: RECORD_READS(''),
    undocumented: RECORD_UNDOCUMENTED(''),
    sample: record,
    call: (client) => client.record('accr_c1'),
  },
  {
    ...post,
    name: 'export results',
    api: 'accounting',
    path: '/v3/accounting/records/export-results',
    reads: { updated_accounting_record_ids: 'array' },
    sample: { updated_accounting_record_ids: ['accr_c1', 'accr_c2'] },
    call: (client) =>
      client.reportExports([
        { accounting_record_id: 'accr_c1', success: { reference_id: '2027/05/00117' } },
        { accounting_record_id: 'accr_c2', failure: { error_message: 'on hold' } },
      ]),
  },
  {
    ...post,
    name: 'creating the integration',
    api: 'accounting',
    path: '/v3/accounting/integration',
    reads: INTEGRATION_READS,
    sample: integration,
    call: (client) => client.ensureIntegration('V', 'a'),
  },
  {
    ...post,
    name: 'disconnecting the integration',
    api: 'accounting',
    path: '/v3/accounting/integration/{}/disconnect',
    reads: INTEGRATION_READS,
    sample: { ...integration, status: 'DISABLED' },
    call: (client) => client.disconnectIntegration('int_c1'),
  },
  {
    ...post,
    name: 'reactivating the integration',
    api: 'accounting',
    path: '/v3/accounting/integration/{}/reactivate',
    reads: INTEGRATION_READS,
    sample: integration,
    call: (client) => client.reactivateIntegration('int_c1'),
  },
  {
    ...read,
    name: 'vendors',
    api: 'payments',
    path: '/v1/vendors',
    query: ['name', ...PAGED],
    reads: { 'items[].id': 'string', 'items[].company_name': 'string' },
    sample: page(vendor),
    call: (client) => client.vendors({ ...AT, name: 'Acme' }),
  },
  {
    ...keyedPost,
    name: 'creating a vendor',
    api: 'payments',
    path: '/v1/vendors',
    reads: { id: 'string', company_name: 'string' },
    sample: vendor,
    call: (client) => client.createVendor('Acme', KEY),
  },
  {
    ...keyedPost,
    name: 'creating a transfer',
    api: 'payments',
    path: '/v1/transfers',
    reads: TRANSFER_READS(''),
    sample: transfer,
    call: (client) =>
      client.createTransfer(
        {
          paymentInstrumentId: 'pi_c1',
          amountMinor: 125000n,
          description: 'Run 7',
          externalMemo: 'INV 8841',
          cashAccountId: 'dpacc_c1',
          requireApproval: true,
        },
        KEY,
      ),
  },
  {
    ...read,
    name: 'transfers',
    api: 'payments',
    path: '/v1/transfers',
    query: PAGED,
    reads: TRANSFER_READS('items[].'),
    sample: page(transfer),
    call: (client) => client.transfers(AT),
  },
  {
    ...read,
    name: 'one transfer',
    api: 'payments',
    path: '/v1/transfers/{}',
    query: [],
    reads: TRANSFER_READS(''),
    sample: transfer,
    call: (client) => client.transfer('ptx_c1'),
  },
  {
    ...read,
    name: 'webhook subscriptions',
    api: 'webhooks',
    path: '/v1/webhooks',
    query: ['limit'],
    reads: SUBSCRIPTION_READS('items[].'),
    sample: page(subscription),
    call: (client) => client.webhooks(),
  },
  {
    ...keyedPost,
    name: 'creating a webhook subscription',
    api: 'webhooks',
    path: '/v1/webhooks',
    reads: SUBSCRIPTION_READS(''),
    sample: subscription,
    call: (client) => client.createWebhook(subscription.url, subscription.event_types, KEY),
  },
  {
    name: 'replacing a webhook subscription',
    api: 'webhooks',
    method: 'PUT',
    path: '/v1/webhooks/{}',
    query: [],
    needsIdempotencyKey: false,
    reads: SUBSCRIPTION_READS(''),
    sample: subscription,
    call: (client) => client.replaceWebhook(subscription),
  },
  {
    ...read,
    name: 'webhook secrets',
    api: 'webhooks',
    path: '/v1/webhooks/secrets',
    query: [],
    reads: { '[].secret': 'string', '[].status': 'string' },
    sample: [{ secret: 'whsec_AAAA', status: 'ACTIVE' }],
    call: (client) => client.webhookSecrets(),
  },
  {
    ...read,
    name: 'fields',
    api: 'fields',
    path: '/v1/fields',
    query: PAGED,
    reads: FIELD_READS('items[].'),
    sample: page(field),
    call: (client) => client.fields(AT),
  },
  {
    ...keyedPost,
    name: 'creating a field',
    api: 'fields',
    path: '/v1/fields',
    reads: FIELD_READS(''),
    sample: field,
    call: (client) => client.createField({ name: 'GL Account', remoteId: 'gl_account', integrationId: 'int_c1' }, KEY),
  },
  {
    ...read,
    name: 'field values',
    api: 'fields',
    path: '/v1/fields/{}/values',
    query: PAGED,
    reads: {
      'items[].brex_id': 'string',
      'items[].value': 'string',
      'items[].value_id': 'string',
      'items[].remote_id': 'string',
      'items[].is_disabled': 'boolean',
    },
    sample: page(fieldValue),
    call: (client) => client.fieldValues('extended_field_c1', AT),
  },
  {
    ...keyedPost,
    name: 'creating field values',
    api: 'fields',
    path: '/v1/fields/{}/values',
    reads: {},
    sample: { items: [fieldValue] },
    call: (client) =>
      client.createFieldValues(
        'extended_field_c1',
        [{ value: '6400', value_id: '6400', remote_id: 'syspro:A1:6400', is_disabled: false }],
        KEY,
      ),
  },
  {
    name: 'updating field values',
    api: 'fields',
    method: 'PUT',
    path: '/v1/fields/{}/values',
    query: [],
    needsIdempotencyKey: false,
    reads: {},
    sample: { items: [fieldValue] },
    call: (client) =>
      client.updateFieldValues('extended_field_c1', [{ brex_id: 'efo_c1', data: { value: 'x', is_disabled: true } }]),
  },
];
