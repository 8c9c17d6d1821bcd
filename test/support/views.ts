import { localDate } from '../../src/domain/localDate.js';
import { moneyFromDecimal } from '../../src/domain/money.js';
import type { SourceObject } from '../../src/domain/spend.js';

/** One purchase as each of the streams shows it. They share the keys by which the engine joins them. */
export function views(
  id: string,
  amount: string,
  over: Partial<SourceObject> = {},
): { card: SourceObject; expense: SourceObject; record: SourceObject } {
  const base: SourceObject = {
    stream: 'CARD_TRANSACTIONS',
    externalId: `card_${id}`,
    version: `${amount}`,
    keys: [`card:card_${id}`],
    kind: amount.startsWith('-') ? 'REFUND' : 'PURCHASE',
    notSpendReason: null,
    isFinal: true,
    isWithdrawn: false,
    amount: moneyFromDecimal(amount, 'USD'),
    originalAmount: null,
    exchangeRate: null,
    tax: null,
    merchantName: 'Office Depot',
    merchantDescriptor: 'OFFICE DEPOT #88',
    mcc: '5943',
    category: 'OFFICE_SUPPLIES',
    dimensions: {},
    parts: [],
    spender: 'Ana Ruiz',
    memo: null,
    transactionDate: localDate('2026-11-09'),
    postedDate: localDate('2026-11-11'),
    receiptUrls: [],
    raw: { id },
    ...over,
  };
  return {
    card: base,
    expense: {
      ...base,
      stream: 'EXPENSES',
      externalId: `expense_${id}`,
      keys: [`expense:expense_${id}`, `card:card_${id}`],
    },
    record: {
      ...base,
      stream: 'ACCOUNTING_RECORDS',
      externalId: `record_${id}`,
      keys: [`record:record_${id}`, `expense:expense_${id}`],
    },
  };
}
