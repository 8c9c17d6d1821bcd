import { z } from 'zod';
import type { BrexParts } from '../app.js';
import { pageOfList, pageOfTimeline } from '../paging.js';
import { type BrexReply, badRequest, notFound, ok } from '../replies.js';
import { bodyOf, type Call, listParam, pageQuery, type Route } from '../routing.js';
import {
  EXPENSE_EXPANSIONS,
  type ExpenseOptions,
  expense,
  expenseStatus,
  expenseType,
  paymentStatus,
  slimExpense,
} from '../shapes/expenses.js';
import { cardTransaction, cashTransaction } from '../shapes/transactions.js';
import type { ExpenseView } from '../store.js';
import { type Micros, microsOf, parseMicros } from '../units.js';

const DAY: Micros = 86_400_000_000;
const READ_EXPENSES = ['expenses.card.readonly', 'expenses.card'];

/** Transactions (§5) and expenses (§6). */
export function spendRoutes(parts: BrexParts): Route[] {
  const get = (pattern: string, scopes: readonly string[], handle: Route['handle']): Route => ({
    ...{ method: 'GET', pattern, scopes, handle },
  });
  return [
    get('/v2/transactions/card/primary', ['transactions.card.readonly'], (call) => listCard(parts, call)),
    get('/v2/transactions/cash/:id', ['transactions.cash.readonly'], (call) => listCash(parts, call)),
    get('/v1/expenses', READ_EXPENSES, (call) => listExpenses(parts, call, false)),
    get('/v1/expenses/card', READ_EXPENSES, (call) => listExpenses(parts, call, true)),
    get('/v1/expenses/:id', READ_EXPENSES, (call) => getExpense(parts, call)),
    get('/v1/expenses/card/:id', READ_EXPENSES, (call) => getExpense(parts, call)),
    {
      ...{ method: 'PUT', pattern: '/v1/expenses/card/:id', scopes: ['expenses.card'], idempotency: 'optional' },
      handle: (call) => putMemo(parts, call),
    },
    {
      ...{ method: 'POST', pattern: '/v1/expenses/card/receipt_match', scopes: ['expenses.card'] },
      ...{ idempotency: 'optional', handle: (call) => uploadReceipt(call) },
    },
    {
      ...{ method: 'POST', pattern: '/v1/expenses/card/:id/receipt_upload', scopes: ['expenses.card'] },
      idempotency: 'optional',
      handle: (call) => {
        findExpense(parts, call);
        return uploadReceipt(call);
      },
    },
  ];
}

/** @throws Refusal 400 when the parameter is there and no date-time. */
export function timeParam(call: Call, name: string): Micros | null {
  const text = call.query.get(name);
  if (text === null || text === '') return null;
  const at = parseMicros(text);
  if (at === null) throw badRequest(call.path, `${name} is invalid`);
  return at;
}

function startOfDay(at: Micros): Micros {
  return Math.floor(at / DAY) * DAY;
}

function listCard({ store, shapes, settings }: BrexParts, call: Call): BrexReply {
  const expand = listParam(call.query, 'expand[]') ?? new Set<string>();
  if ([...expand].some((name) => name !== 'expense_id')) throw badRequest(call.path, 'Unsupported entity expansion');
  const users = listParam(call.query, 'user_ids');
  // Posting dates have no time of day, so a start within a day includes all of it.
  const from = startOfDay(timeParam(call, 'posted_at_start') ?? 0);
  const page = pageOfTimeline(
    pageQuery(call, 1000, settings),
    store.transactions,
    { from, until: store.now },
    ({ purchase }) =>
      users === null || (purchase.seed.user !== null && users.has(store.seed.users[purchase.seed.user]?.id ?? '')),
  );
  const items = page.items.map((view) => cardTransaction(shapes, view, expand.has('expense_id')));
  return ok({ next_cursor: page.nextCursor, items });
}

function listCash({ store, settings }: BrexParts, call: Call): BrexReply {
  const { id } = call.params;
  if (!store.seed.cashAccounts.some((account) => account.id === id)) throw notFound('Cash account not found');
  const from = startOfDay(timeParam(call, 'posted_at_start') ?? 0);
  const rows = store.seed.cashTransactions
    .filter((row) => row.accountId === id && microsOf(row.postedAt) >= from && microsOf(row.postedAt) <= store.now)
    .sort((a, b) => microsOf(a.postedAt) - microsOf(b.postedAt));
  const page = pageOfList(pageQuery(call, 1000, settings), rows);
  return ok({ next_cursor: page.nextCursor, items: page.items.map(cashTransaction) });
}

function expenseOptions(call: Call): ExpenseOptions {
  const expand = listParam(call.query, 'expand[]') ?? new Set<string>();
  if ([...expand].some((name) => !EXPENSE_EXPANSIONS.has(name))) {
    throw badRequest(call.path, 'Unsupported entity expansion');
  }
  return { expand, loadCustomFields: call.query.get('load_custom_fields') === 'true' };
}

function listExpenses({ store, shapes, settings }: BrexParts, call: Call, onlyCard: boolean): BrexReply {
  const options = expenseOptions(call);
  const from = timeParam(call, 'updated_at_start') ?? 0;
  const until = Math.min(store.now, endParam(call, 'updated_at_end'));
  const passes = expenseFilter(call, store.seed.users, settings.splitChildrenInList, onlyCard);
  const matches = (view: ExpenseView) => store.isCurrent(view) && passes(view);
  const page = pageOfTimeline(pageQuery(call, 100, settings), store.expenses, { from, until }, matches);
  return ok({ next_cursor: page.nextCursor, items: page.items.map((view) => expense(shapes, view, options)) });
}

// `updated_at` of expenses is shown in milliseconds: an inclusive end must include the microseconds behind it.
function endParam(call: Call, name: string): Micros {
  const at = timeParam(call, name);
  return at === null ? Number.POSITIVE_INFINITY : at + 999;
}

function expenseFilter(
  call: Call,
  users: readonly { id: string }[],
  withChildren: boolean,
  onlyCard: boolean,
): (view: ExpenseView) => boolean {
  const list = (name: string) => listParam(call.query, `${name}[]`);
  const [userIds, parents, types] = [list('user_id'), list('parent_expense_id'), list('expense_type')];
  const [statuses, payments] = [list('status'), list('payment_status')];
  const within = (name: string) => {
    const [from, until] = [timeParam(call, `${name}_start`) ?? 0, endParam(call, `${name}_end`)];
    return (at: Micros) => at >= from && at <= until;
  };
  const [purchased, posted] = [within('purchased_at'), within('payment_posted_at')];
  const asksPosted = call.query.has('payment_posted_at_start') || call.query.has('payment_posted_at_end');
  return (view) => {
    const { seed, expense: parent, purchasedAt, postedAt } = view.purchase;
    if (parents === null ? view.child !== null && !withChildren : view.child === null || !parents.has(parent?.id ?? ''))
      return false;
    if (onlyCard && seed.kind !== 'CARD') return false;
    if (userIds && !userIds.has(seed.user === null ? '' : (users[seed.user]?.id ?? ''))) return false;
    if (types && !types.has(expenseType(seed))) return false;
    if (statuses && !statuses.has(expenseStatus(view))) return false;
    if (payments && !payments.has(paymentStatus(view))) return false;
    // What is not settled has no posting moment, so that a filter on it leaves it out.
    const isPosted = view.pendingMinor === null ? posted(postedAt) : !asksPosted;
    return purchased(purchasedAt) && isPosted;
  };
}

function findExpense({ store }: BrexParts, call: Call): ExpenseView {
  const found = store.expense(call.params.id ?? '');
  if (!found) throw notFound('Expense not found');
  return found;
}

function getExpense(parts: BrexParts, call: Call): BrexReply {
  const options = expenseOptions(call);
  return ok(expense(parts.shapes, findExpense(parts, call), options));
}

function putMemo(parts: BrexParts, call: Call): BrexReply {
  const { memo } = bodyOf(call, z.object({ memo: z.string().nullish() }));
  const view = findExpense(parts, call);
  if (memo !== undefined) parts.store.setMemo(view, memo);
  return ok(slimExpense(parts.shapes, view));
}

function uploadReceipt(call: Call): BrexReply {
  bodyOf(call, z.object({ receipt_name: z.string().min(1) }));
  const id = `receipt_upload_${Buffer.from(call.path).toString('hex').slice(-12)}`;
  return { status: 201, body: { id, uri: `https://uploads.brex.invalid/${id}?signature=sandbox` } };
}
