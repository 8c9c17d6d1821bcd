import type { SeedPurchase, SeedUser } from '../seed.js';
import type { ExpenseView } from '../store.js';
import { milliText } from '../units.js';
import { isOdd, merchantOf, minorMoney, nameOf, type ShapeContext, userOf } from './context.js';

export interface ExpenseOptions {
  expand: ReadonlySet<string>;
  loadCustomFields: boolean;
}

export const EXPENSE_EXPANSIONS: ReadonlySet<string> = new Set(
  'location department merchant receipts.download_uris user budget payment spending_entity policy'.split(' '),
);

export function expenseType(seed: SeedPurchase): string {
  return seed.kind === 'BILL' ? 'BILLPAY' : seed.kind === 'REIMBURSEMENT' ? 'REIMBURSEMENT' : 'CARD';
}

export function expenseStatus(view: ExpenseView): string {
  if (view.isVoid) return 'VOID';
  if (view.pendingMinor !== null) return 'SUBMITTED';
  return view.child === null && view.purchase.children.length > 0 ? 'SPLIT' : 'APPROVED';
}

export function paymentStatus(view: ExpenseView): string {
  if (view.isVoid) return 'CANCELED';
  if (view.pendingMinor !== null) return 'PROCESSING';
  return amountOf(view) < 0 ? 'REFUNDED' : 'CLEARED';
}

function amountOf(view: ExpenseView): number {
  return view.pendingMinor ?? view.child?.amountMinor ?? view.purchase.seed.amountMinor;
}

/** An ExpandableExpense (§6): ids always, objects only where asked for, custom fields only with `load_custom_fields`. */
export function expense(context: ShapeContext, view: ExpenseView, options: ExpenseOptions): Record<string, unknown> {
  const { seed } = view.purchase;
  const { id } = view;
  return {
    id,
    expense_type: expenseType(seed),
    memo: (view.child ? view.child.memo : seed.memo) ?? null,
    category: isOdd(context, 'unknownEnums', id) ? 'AI_SERVICES' : (seed.category ?? null),
    dashboard_url: `https://dashboard.brex.invalid/expenses/${id}`,
    trip_id: null,
    booking_id: null,
    address: null,
    ...people(context, view, options.expand),
    ...money(view),
    ...times(view),
    status: expenseStatus(view),
    payment_status: paymentStatus(view),
    review: { compliance_status: 'COMPLIANT', approval_steps: [] },
    repayment: null,
    billing_entity_id: entityOf(context, seed).id,
    integration_spending_entity_id: null,
    integration_billing_entity_id: null,
    expense_line_items:
      view.child || view.pendingMinor !== null
        ? []
        : view.purchase.children.map((child) => expense(context, child, options)),
    custom_fields: options.loadCustomFields ? customFields(context, view) : null,
    receipts: receipts(context, seed, options.expand.has('receipts.download_uris')),
    ...(isOdd(context, 'extraFields', id) ? { source: 'MOBILE', is_flagged: false, labels: [] } : {}),
  };
}

/** What `PUT /v1/expenses/card/{id}` answers. */
export function slimExpense(context: ShapeContext, view: ExpenseView): unknown {
  const whole = expense(context, view, { expand: new Set(), loadCustomFields: false });
  const names =
    'id memo location_id department_id updated_at category merchant_id budget_id original_amount billing_amount';
  return Object.fromEntries(
    `${names} purchased_at status payment_status`.split(' ').map((name) => [name, whole[name] ?? null]),
  );
}

function people(context: ShapeContext, view: ExpenseView, expand: ReadonlySet<string>): Record<string, unknown> {
  const { seed } = view.purchase;
  const user = userOf(context, seed.user);
  const merchant = merchantOf(context, seed.merchant);
  const entity = entityOf(context, seed);
  const budget = context.seed.budgets[0] ?? null;
  const location = context.seed.locations.find((one) => one.id === user?.locationId) ?? null;
  const department = context.seed.departments.find((one) => one.id === user?.departmentId) ?? null;
  const shown = (name: string, value: unknown): unknown => (expand.has(name) ? value : null);
  return {
    location_id: user?.locationId ?? null,
    location: shown('location', location),
    department_id: user?.departmentId ?? null,
    department: shown('department', department),
    merchant_id: merchant?.id ?? null,
    merchant: shown(
      'merchant',
      merchant && { raw_descriptor: seed.descriptor, mcc: merchant.mcc, country: merchant.country },
    ),
    user_id: user?.id ?? null,
    user: shown('user', user && slimUser(context, user)),
    budget_id: budget?.id ?? null,
    budget: shown('budget', budget),
    spending_entity_id: entity.id,
    spending_entity: shown('spending_entity', entity),
    payment: shown('payment', paymentOf(seed, user)),
    policy: shown('policy', { id: 'policy_sbx1', name: 'Company policy' }),
  };
}

function slimUser(context: ShapeContext, user: SeedUser): unknown {
  return {
    id: user.id,
    first_name: nameOf(context, user.id, user.firstName),
    last_name: nameOf(context, user.id, user.lastName),
    department_id: user.departmentId,
    location_id: user.locationId,
  };
}

function paymentOf(seed: SeedPurchase, user: SeedUser | null): unknown {
  if (seed.kind !== 'CARD' || user === null) return null;
  const instrument = { type: 'CARD', id: `card_${user.id.replace('cuuser_', '')}` };
  return { id: `payment_${seed.key}`, paymentInstrument: instrument, statusReason: 'APPROVED' };
}

function entityOf(context: ShapeContext, seed: SeedPurchase): { id: string; [name: string]: unknown } {
  const entity = context.seed.legalEntities[seed.entity ?? 0];
  return {
    id: entity?.id ?? 'le_sbx1',
    display_name: entity?.name ?? context.seed.company.legalName,
    billing_address: ADDRESS,
    created_at: '2024-01-02T08:00:00.000Z',
    status: 'VERIFIED',
    is_default: entity?.isDefault ?? true,
  };
}

export const ADDRESS = {
  ...{ line1: '100 Foundry Road', line2: null, city: 'Dayton', state: 'OH' },
  ...{ country: 'US', postal_code: '45402', phone_number: null },
};

function money(view: ExpenseView): Record<string, unknown> {
  const { seed } = view.purchase;
  const amount = amountOf(view);
  const billing = minorMoney(amount, seed.currency);
  const whole = seed.originalMinor ?? seed.amountMinor;
  const part = seed.amountMinor === 0 ? whole : Math.round((whole * amount) / seed.amountMinor);
  const original = minorMoney(
    view.child || view.pendingMinor !== null ? part : whole,
    seed.originalCurrency ?? seed.currency,
  );
  return {
    original_amount: original,
    billing_amount: billing,
    purchased_amount: original,
    budget_amount: billing,
    usd_equivalent_amount: seed.currency === 'USD' ? billing : null,
  };
}

function times(view: ExpenseView): Record<string, unknown> {
  const { purchasedAt, postedAt, records } = view.purchase;
  const isPending = view.pendingMinor !== null;
  const purchased = milliText(purchasedAt);
  const exported = records.find((one) => one.child === view.child && one.reviewStatus === 'EXPORTED');
  return {
    purchased_at: purchased,
    submitted_at: purchased,
    approved_at: isPending ? null : purchased,
    payment_posted_at: isPending ? null : milliText(postedAt),
    completion_date: null,
    updated_at: milliText(view.at),
    exported_at: exported ? milliText(exported.at) : null,
  };
}

function customFields(context: ShapeContext, view: ExpenseView): unknown[] {
  const { seed } = view.purchase;
  const found: unknown[] = [];
  if (seed.taxMinor !== undefined && view.child === null && view.pendingMinor === null) {
    found.push({
      key: 'Tax amount',
      value: { value_type: 'SINGLE_VALUE', data_type: 'MONEY', data: minorMoney(seed.taxMinor, seed.currency) },
    });
  }
  const project = (view.child?.lines ?? seed.lines)[0]?.coding.project;
  if (project) {
    const value = context.fields.fieldByRemoteId('project')?.valuesByRemoteId.get(project);
    found.push({
      key: 'Project',
      value: {
        ...{ value_type: 'SINGLE_VALUE', data_type: 'OPTION_STRING' },
        data: { option_id: value?.brexId ?? null, option_label: value?.value ?? project },
      },
    });
  }
  return found;
}

function receipts(context: ShapeContext, seed: SeedPurchase, withLinks: boolean): unknown[] {
  if (!seed.hasReceipt) return [];
  const id = `receipt_${seed.key}`;
  return [{ id, download_uris: withLinks ? [context.receipts.linkOf(id)] : null }];
}
