import type { SeedCashTransaction } from '../seed.js';
import type { TransactionView } from '../store.js';
import { dateText, microsOf } from '../units.js';
import { isOdd, merchantOf, minorMoney, type ShapeContext, userOf } from './context.js';

/** A settled card transaction (§5 of the reference); `expense_id` only when it was asked for. */
export function cardTransaction(context: ShapeContext, view: TransactionView, withExpenseId: boolean): unknown {
  const { seed, expense, purchasedAt } = view.purchase;
  const id = `pst_${seed.key}`;
  const user = userOf(context, seed.user);
  const merchant = merchantOf(context, seed.merchant);
  return {
    id,
    card_id: seed.kind === 'CARD' && user ? `card_${user.id.replace('cuuser_', '')}` : null,
    description: seed.descriptor,
    amount: minorMoney(view.amountMinor, seed.currency),
    initiated_at_date: dateText(purchasedAt),
    posted_at_date: dateText(view.at),
    type: isOdd(context, 'unknownTypes', id) ? 'PURCHASE_ADJUSTMENT' : typeOf(view),
    merchant: merchant && { raw_descriptor: seed.descriptor, mcc: merchant.mcc, country: merchant.country },
    card_metadata: null,
    expense_id: withExpenseId && expense ? expense.id : null,
    card_transaction_operation_reference_id: seed.kind === 'CARD' ? `ctor_${seed.key}` : null,
    ...(isOdd(context, 'extraFields', id) ? { network: 'MASTERCARD', reward_points: 3 } : {}),
  };
}

function typeOf(view: TransactionView): string {
  const { kind } = view.purchase.seed;
  if (kind !== 'CARD') return kind;
  return view.amountMinor < 0 ? 'REFUND' : 'PURCHASE';
}

export function cashTransaction(row: SeedCashTransaction): unknown {
  return {
    id: row.id,
    description: row.description,
    amount: row.amountMinor === null ? null : minorMoney(row.amountMinor, row.currency),
    initiated_at_date: dateText(microsOf(row.initiatedAt)),
    posted_at_date: dateText(microsOf(row.postedAt)),
    type: row.type,
    transfer_id: row.transferId,
  };
}
