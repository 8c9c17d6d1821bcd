import type { SystemKind } from '../domain/vocabulary.js';

/**
 * What each connector can do, as the conformance suite proved it. Written by `npm run conformance -- --write`, never by
 * hand: the suite fails when this list says more, or less, than it saw.
 */
export const PROVEN: Readonly<Record<SystemKind, readonly string[]>> = {
  BREX: [
    'keeps:vendors',
    'reads:accountingRecords',
    'reads:cardTransactions',
    'reads:cashTransactions',
    'reads:expenses',
    'receives:masterData',
    'reports:exports',
    'tests:connection',
    'webhooks',
  ],
  EXPENSIFY: ['reads:expenseReports', 'reports:exports', 'tests:connection'],
  SYSPRO: [
    'creates:suppliers',
    'posts:journal',
    'posts:supplierInvoice',
    'reads:accounts',
    'reads:dimensions',
    'reads:periods',
    'reads:suppliers',
    'tests:connection',
  ],
  SAGE_X3: [
    'creates:suppliers',
    'posts:journal',
    'reads:accounts',
    'reads:dimensions',
    'reads:periods',
    'reads:suppliers',
    'tests:connection',
  ],
  INFOR_M3: [
    'clears:supplierInvoice',
    'creates:suppliers',
    'posts:journal',
    'posts:supplierInvoice',
    'reads:accounts',
    'reads:dimensions',
    'reads:suppliers',
    'tests:connection',
  ],
  EPICOR_KINETIC: [
    'clears:journal',
    'clears:supplierInvoice',
    'creates:suppliers',
    'posts:journal',
    'posts:supplierInvoice',
    'reads:accounts',
    'reads:dimensions',
    'reads:periods',
    'reads:suppliers',
    'tests:connection',
  ],
};
