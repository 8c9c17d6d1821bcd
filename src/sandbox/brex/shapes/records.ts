import type { SeedLine, SeedPurchase, SeedUser } from '../seed.js';
import type { RecordView } from '../store.js';
import { majorNumber, microText, milliText } from '../units.js';
import { isOdd, merchantOf, nameOf, type ShapeContext, share, userOf } from './context.js';

interface Amount {
  amount: number;
  currency: string;
}

export function sourceType(seed: SeedPurchase): 'CARD' | 'REIMBURSEMENT' | 'BILL' {
  return seed.kind === 'BILL' || seed.kind === 'REIMBURSEMENT' ? seed.kind : 'CARD';
}

export function recordType(record: RecordView): string {
  const { seed } = record.purchase;
  if (seed.kind === 'COLLECTION') return 'CARD_PAYMENT';
  if (seed.kind === 'BILL') return 'BILL_EXPENSE';
  if (seed.kind === 'REIMBURSEMENT') return 'REIMBURSEMENT_EXPENSE_APPROVAL';
  return seed.amountMinor < 0 ? 'CARD_EXPENSE_REFUND' : 'CARD_EXPENSE_POST';
}

/** An AccountingRecordDetailed (§7.3) in the observed shape: decimal major units, microseconds, undocumented extras. */
export function accountingRecord(context: ShapeContext, record: RecordView, singleEntry: boolean): unknown {
  const { postedAt, seed } = record.purchase;
  const { id, child } = record;
  const isExtra = isOdd(context, 'extraFields', id);
  const amount = recordAmount(context, record);
  return {
    id,
    type: isOdd(context, 'unknownTypes', id) ? 'CARD_EXPENSE_ADJUSTMENT' : recordType(record),
    review_status: record.reviewStatus,
    source_type: sourceType(seed),
    source_id: sourceId(record),
    amount,
    original_amount: originalAmount(context, record),
    ...(isExtra ? { billing_amount: amount, status: 'SUBMITTED' } : {}),
    erp_posting_date: microText(postedAt),
    posted_at: milliText(postedAt),
    updated_at: microText(record.at),
    version: record.version,
    memo: (child ? child.memo : seed.memo) ?? null,
    due_at: seed.kind === 'BILL' ? milliText(postedAt + 30 * 86_400_000_000) : null,
    invoice_number: seed.kind === 'BILL' ? `INV-${seed.key.toUpperCase()}` : null,
    receipts: seed.hasReceipt
      ? [{ id: `receipt_${seed.key}`, download_uris: [context.receipts.linkOf(`receipt_${seed.key}`)] }]
      : [],
    user: recordUser(context, userOf(context, seed.user), isExtra),
    vendor: vendorOf(context, seed),
    line_items: lineItems(context, record, singleEntry, isExtra),
  };
}

function sourceId(record: RecordView): string | null {
  const { expense, seed } = record.purchase;
  if (!expense) return null;
  return record.child ? `expense_${seed.key}_${record.child.suffix}` : expense.id;
}

function signedMinor(record: RecordView): number {
  return record.child?.amountMinor ?? record.purchase.seed.amountMinor;
}

function amountOf(minor: number, currency: string): Amount {
  return { amount: majorNumber(minor, currency), currency };
}

function recordAmount(context: ShapeContext, record: RecordView): Amount {
  const { seed } = record.purchase;
  const minor = signedMinor(record);
  return amountOf(isNegativeShown(context, seed) ? minor : Math.abs(minor), seed.currency);
}

function isNegativeShown(context: ShapeContext, seed: SeedPurchase): boolean {
  return context.settings.refundRecordAmount === 'negative' && seed.kind !== 'COLLECTION';
}

function originalMinor(record: RecordView): number {
  const { seed } = record.purchase;
  const whole = seed.originalMinor ?? seed.amountMinor;
  if (!record.child || seed.amountMinor === 0) return whole;
  return Math.round((whole * record.child.amountMinor) / seed.amountMinor);
}

function originalAmount(context: ShapeContext, record: RecordView): Amount | null {
  const { seed } = record.purchase;
  if (seed.kind === 'COLLECTION') return null;
  const minor = originalMinor(record);
  return amountOf(isNegativeShown(context, seed) ? minor : Math.abs(minor), seed.originalCurrency ?? seed.currency);
}

function recordUser(context: ShapeContext, user: SeedUser | null, isExtra: boolean): unknown {
  if (user === null) return null;
  return {
    id: user.id,
    first_name: nameOf(context, user.id, user.firstName),
    last_name: nameOf(context, user.id, user.lastName),
    email: user.email,
    role: isOdd(context, 'unknownEnums', user.id) ? 'SPEND_AGENT' : user.role,
    status: 'ACTIVE',
    ...(isExtra ? { account_id: context.seed.company.id } : {}),
  };
}

function vendorOf(context: ShapeContext, seed: SeedPurchase): unknown {
  const merchant = merchantOf(context, seed.merchant);
  if (merchant === null) return null;
  const name = nameOf(context, merchant.id, merchant.name);
  return { id: merchant.id, name, contact_name: null, email: null, website: null, phone: null };
}

function lineItems(context: ShapeContext, record: RecordView, singleEntry: boolean, isExtra: boolean): unknown[] {
  const { seed } = record.purchase;
  const total = signedMinor(record);
  const [coded, offset] = total < 0 || seed.kind === 'COLLECTION' ? ['CREDIT', 'DEBIT'] : ['DEBIT', 'CREDIT'];
  const lines = record.child?.lines ?? seed.lines;
  const originals = share(
    originalMinor(record),
    lines.map((line) => line.amountMinor),
  );
  const items = lines.map((line, index) => {
    // A line against the direction of the whole (a discount inside a split) is positive on the other side.
    const side = line.amountMinor < 0 === total < 0 ? coded : offset;
    return {
      ...lineItem(`accrli_${record.id.slice(5)}_${index + 1}`, side, line.amountMinor, originals[index] ?? 0, seed),
      memo: line.memo ?? null,
      ...(isExtra ? { amortization: null } : {}),
      accounting_field_values: fieldValues(context, line, isExtra),
    };
  });
  if (singleEntry) return items;
  const liability = {
    ...lineItem(`accrli_${record.id.slice(5)}_0`, offset, total, originalMinor(record), seed),
    memo: null,
    accounting_field_values: [],
  };
  return [...items, liability];
}

function lineItem(id: string, type: string | undefined, minor: number, original: number, seed: SeedPurchase) {
  return {
    id,
    type,
    amount: amountOf(Math.abs(minor), seed.currency),
    original_amount: amountOf(Math.abs(original), seed.originalCurrency ?? seed.currency),
  };
}

/** All four ids are always there; what is not coded yet has null value ids although the documentation says otherwise. */
function fieldValues(context: ShapeContext, line: SeedLine, isExtra: boolean): unknown[] {
  return Object.entries(line.coding).map(([remoteFieldId, remoteValueId]) => {
    const field = context.fields.fieldByRemoteId(remoteFieldId);
    const value = remoteValueId === null ? undefined : field?.valuesByRemoteId.get(remoteValueId);
    const brexValueId = remoteValueId === null ? null : (value?.brexId ?? `efo_${remoteFieldId}_${remoteValueId}`);
    return {
      brex_field_id: field?.brexId ?? `extended_field_${remoteFieldId}`,
      remote_field_id: remoteFieldId,
      brex_field_value_id: brexValueId,
      remote_field_value_id: remoteValueId,
      ...(isExtra
        ? {
            field_name: field?.name ?? remoteFieldId,
            field_value_name: value?.value ?? remoteValueId,
            type: 'IDENTIFIER',
          }
        : {}),
    };
  });
}
