/** Composed answers, in the shapes of the documentation and of recorded ones, and the fields of them that we read. */

export type JsonType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object';

export const usd = (amount: number) => ({ amount, currency: 'USD' });
export const page = (...items: unknown[]) => ({ next_cursor: null, items });
export const accountingPage = (...items: unknown[]) => ({
  ...page(...items),
  has_next_page: false,
  total_count: items.length,
});

export const cardTransaction = {
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

export const cashTransaction = {
  id: 'ctx_c1',
  description: 'Wire fee',
  amount: usd(-1500),
  initiated_at_date: '2026-11-02',
  posted_at_date: '2026-11-02',
  type: 'FEE',
  transfer_id: 'ptx_c1',
};

export const customFields = [
  { key: 'Project', value: { value_type: 'SINGLE_VALUE', data_type: 'STRING', data: 'Apollo' } },
];

export const expense = {
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

export const EXPENSE_READS = (prefix: string): Record<string, JsonType> => ({
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

export const record = {
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

export const RECORD_READS = (prefix: string): Record<string, JsonType> => ({
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
export const RECORD_UNDOCUMENTED = (prefix: string) =>
  ['field_name', 'field_value_name'].map((name) => `${prefix}line_items[].accounting_field_values[].${name}`);

export const integration = {
  integration_id: 'int_c1',
  vendor: 'V',
  vendor_account_id: 'a',
  status: 'ACTIVE',
  created_at: '2026-11-20T10:00:00Z',
};
export const INTEGRATION_READS = { integration_id: 'string', status: 'string' } as const;

export const transfer = {
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
export const TRANSFER_READS = (prefix: string): Record<string, JsonType> => ({
  [`${prefix}id`]: 'string',
  [`${prefix}status`]: 'string',
  [`${prefix}payment_type`]: 'string',
  [`${prefix}amount.amount`]: 'integer',
  [`${prefix}process_date`]: 'string',
  [`${prefix}estimated_delivery_date`]: 'string',
  [`${prefix}created_at`]: 'string',
  [`${prefix}cancellation_reason`]: 'string',
});

export const subscription = {
  id: 'wsub_c1',
  group_id: 'wg_c1',
  url: 'https://gw.example.com/webhooks/1',
  event_types: ['ACCOUNTING_RECORD_READY_FOR_EXPORT'],
  status: 'ACTIVE' as const,
};
export const SUBSCRIPTION_READS = (prefix: string): Record<string, JsonType> => ({
  [`${prefix}id`]: 'string',
  [`${prefix}url`]: 'string',
  [`${prefix}event_types`]: 'array',
  [`${prefix}status`]: 'string',
  [`${prefix}group_id`]: 'string',
});

export const field = {
  brex_id: 'extended_field_c1',
  name: 'GL Account',
  remote_id: 'gl_account',
  updated_at: '2026-11-20T10:01:00Z',
  is_disabled: false,
  group: 'ERP',
};
export const FIELD_READS = (prefix: string): Record<string, JsonType> => ({
  [`${prefix}brex_id`]: 'string',
  [`${prefix}name`]: 'string',
  [`${prefix}remote_id`]: 'string',
  [`${prefix}is_disabled`]: 'boolean',
  [`${prefix}group`]: 'string',
});

export const fieldValue = {
  brex_id: 'efo_c1',
  remote_id: 'syspro:A1:6400',
  value_id: '6400',
  value: '6400 Office supplies',
  field_id: 'extended_field_c1',
  updated_at: '2026-11-20T10:01:00Z',
  is_disabled: false,
};

export const vendor = { id: 'vendor_c1', company_name: 'Acme', email: null, phone: null, payment_accounts: [] };
