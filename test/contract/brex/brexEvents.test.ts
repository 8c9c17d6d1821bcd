/**
 * Webhook bodies as Brex documents them, against our translation; where Brex's OpenAPI files are at hand the composed
 * bodies are held against their schemas too.
 */
import { expect, it } from 'vitest';
import { brexWebhooks } from '../../../src/connectors/brex/webhooks.js';
import { eventSchema, openApiFolder } from './openapi.js';

const folder = openApiFolder();
const usd = { amount: 17175, currency: 'USD' };

const EVENTS = [
  [
    'accountingRecordReadyForExport',
    { event_type: 'ACCOUNTING_RECORD_READY_FOR_EXPORT', accountingRecordIds: ['accr_1'], companyId: 'cuacc_1' },
    [{ stream: 'ACCOUNTING_RECORDS', id: 'accr_1' }],
  ],
  [
    'expensePaymentUpdated',
    {
      event_type: 'EXPENSE_PAYMENT_UPDATED',
      expense_id: 'expense_1',
      payment_status: 'PENDING',
      payment_type: 'PURCHASE',
      payment_status_reason: 'APPROVED',
      payment_description: 'PAPER CO',
      company_id: 'cuacc_1',
      card_id: 'card_1',
      merchant: { raw_descriptor: 'PAPER CO', mcc: '5943', country: 'USA' },
      original_amount: usd,
      billing_amount: usd,
      amount: usd,
      purchased_at: '2026-11-20T11:59:00Z',
      version: 1,
    },
    [{ stream: 'EXPENSES', id: 'expense_1' }],
  ],
  [
    'transferProcessed',
    { event_type: 'TRANSFER_PROCESSED', transfer_id: 'ptx_1', payment_type: 'ACH', company_id: 'cuacc_1' },
    [],
  ],
  [
    'transferFailed',
    { event_type: 'TRANSFER_FAILED', transfer_id: 'ptx_1', payment_type: 'ACH_RETURN', company_id: 'cuacc_1' },
    [],
  ],
  [
    'userUpdated',
    { event_type: 'USER_UPDATED', user_id: 'cuuser_1', company_id: 'cuacc_1', updated_attributes: ['STATUS'] },
    [],
  ],
] as const;

it.each(EVENTS)('%s', (name, body, objects) => {
  expect(brexWebhooks.translate(body)).toEqual({ eventType: body.event_type, companyId: 'cuacc_1', objects });
  if (!folder) return;
  const matches = eventSchema(folder, name);
  expect(matches(body), JSON.stringify(matches.errors)).toBe(true);
});
