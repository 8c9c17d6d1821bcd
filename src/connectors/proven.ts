import type { SystemKind } from '../domain/vocabulary.js';

/**
 * What each connector can do, as the conformance suite proved it. Written by `npm run conformance -- --write`, never by
 * hand: the suite fails when this list says more, or less, than it saw.
 */
export const PROVEN: Readonly<Record<SystemKind, readonly string[]>> = {
  BREX: [
    'webhooks',
    'reads:cardTransactions',
    'reads:cashTransactions',
    'reads:expenses',
    'reads:accountingRecords',
    'reports:exports',
    'receives:masterData',
    'keeps:vendors',
  ],
  EXPENSIFY: [],
  SYSPRO: ['posts:journal', 'posts:supplierInvoice', 'creates:suppliers', 'reads:periods', 'reads:costCentres'],
  SAGE_X3: [],
  INFOR_M3: [],
  EPICOR_KINETIC: [],
};
