import type { BrexClient } from '../../../src/connectors/brex/client.js';
import {
  accountingPage,
  cardTransaction,
  cashTransaction,
  EXPENSE_READS,
  expense,
  FIELD_READS,
  field,
  fieldValue,
  INTEGRATION_READS,
  integration,
  type JsonType,
  page,
  RECORD_READS,
  RECORD_UNDOCUMENTED,
  record,
  SUBSCRIPTION_READS,
  subscription,
  TRANSFER_READS,
  transfer,
  usd,
  vendor,
} from './shapes.js';

/**
 * What we hold Brex to, endpoint by endpoint: what we send and what we read. The client is always tested against this
 * table; where Brex's own OpenAPI files are at hand, the table is held against them too.
 */

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
const FROM = new Date('2026-11-01T00:00:00Z');
const TO = new Date('2026-11-20T12:00:00Z');
const AT = { limit: 5000, cursor: 'c1' };

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
