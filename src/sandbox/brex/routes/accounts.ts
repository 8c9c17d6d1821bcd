import type { BrexParts } from '../app.js';
import { pageOfList } from '../paging.js';
import { type BrexReply, notFound, ok } from '../replies.js';
import { type Call, listParam, pageQuery, type Route } from '../routing.js';
import type { SeedCashAccount, SeedUser } from '../seed.js';
import { isOdd, minorMoney, nameOf } from '../shapes/context.js';
import { ADDRESS } from '../shapes/expenses.js';
import { dateText } from '../units.js';

/** Accounts (§5) and the parts of the Team API that a connector needs (§12). */
export function accountRoutes(parts: BrexParts): Route[] {
  const get = (pattern: string, scopes: string[], handle: Route['handle']): Route => ({
    ...{ method: 'GET', pattern, scopes, handle },
  });
  const list = (pattern: string, scopes: string[], items: (call: Call) => unknown[]): Route =>
    get(pattern, scopes, (call) => {
      const page = pageOfList(pageQuery(call, 1000, parts.settings), items(call));
      return ok({ next_cursor: page.nextCursor, items: page.items });
    });
  const { seed } = parts.store;
  const named = (name: 'departments' | 'locations') => [
    list(`/v2/${name}`, [`${name}.readonly`, name], () => seed[name].map(describe)),
    get(`/v2/${name}/:id`, [`${name}.readonly`, name], (call) => ok(describe(byId(seed[name], call)))),
  ];
  const cash = ['accounts.cash.readonly'];
  const users = ['users.readonly', 'users'];
  return [
    get('/v2/accounts/card', ['accounts.card.readonly'], () => ok([cardAccount(parts)])),
    list('/v2/accounts/card/primary/statements', ['statements.card.readonly'], () => statements(parts)),
    get('/v2/accounts/cash', cash, () => ok({ next_cursor: null, items: seed.cashAccounts.map(cashAccount) })),
    get('/v2/accounts/cash/primary', cash, () => primaryCash(parts)),
    get('/v2/accounts/cash/:id', cash, (call) => ok(cashAccount(byId(seed.cashAccounts, call)))),
    list('/v2/accounts/cash/:id/statements', ['statements.cash.readonly'], (call) => {
      byId(seed.cashAccounts, call);
      return statements(parts);
    }),
    get('/v2/company', ['companies.readonly'], () => company(parts)),
    get('/v2/users/me', users, (call) => {
      const me = seed.users.find((one) => one.id === call.caller.userId);
      if (!me) throw notFound();
      return ok(user(parts, me));
    }),
    list('/v2/users', users, (call) => findUsers(parts, call)),
    get('/v2/users/:id', users, (call) => ok(user(parts, byId(seed.users, call)))),
    ...named('departments'),
    ...named('locations'),
    list('/v2/legal_entities', ['legal_entities.readonly', 'legal_entities'], () =>
      seed.legalEntities.map((entity) => ({
        ...{ id: entity.id, displayName: entity.name, billingAddress: ADDRESS },
        ...{ createdAt: '2024-01-02T08:00:00.000Z', status: 'VERIFIED', isDefault: entity.isDefault },
      })),
    ),
  ];
}

function byId<T extends { id: string }>(list: readonly T[], call: Call): T {
  const found = list.find((one) => one.id === call.params.id);
  if (!found) throw notFound();
  return found;
}

function describe(one: { id: string; name: string }): unknown {
  return { id: one.id, name: one.name, description: null };
}

function company({ store }: BrexParts): BrexReply {
  const { id, legalName, accountType } = store.seed.company;
  return ok({ id, legal_name: legalName, mailing_address: ADDRESS, accountType });
}

function user(parts: BrexParts, one: SeedUser): unknown {
  return {
    id: one.id,
    first_name: nameOf(parts.shapes, one.id, one.firstName),
    last_name: nameOf(parts.shapes, one.id, one.lastName),
    email: one.email,
    status: 'ACTIVE',
    manager_id: null,
    department_id: one.departmentId,
    location_id: one.locationId,
    title_id: null,
    metadata: null,
    remote_display_id: null,
    ...(isOdd(parts.shapes, 'extraFields', one.id) ? { preferred_name: null } : {}),
  };
}

function findUsers(parts: BrexParts, call: Call): unknown[] {
  const email = call.query.get('email');
  const ids = listParam(call.query, 'id[]');
  return parts.store.seed.users
    .filter((one) => (email === null || one.email === email) && (ids === null || ids.has(one.id)))
    .map((one) => user(parts, one));
}

function statementPeriod({ store }: BrexParts): { start_date: string; end_date: string } {
  const start = `${dateText(store.now).slice(0, 7)}-01`;
  const next = new Date(`${start}T00:00:00Z`);
  next.setUTCMonth(next.getUTCMonth() + 1);
  return { start_date: start, end_date: next.toISOString().slice(0, 10) };
}

function statements(parts: BrexParts): unknown[] {
  const { start_date: end } = statementPeriod(parts);
  const start = new Date(`${end}T00:00:00Z`);
  start.setUTCMonth(start.getUTCMonth() - 1);
  const period = { start_date: start.toISOString().slice(0, 10), end_date: end };
  return [{ id: `statement_${end}`, start_balance: minorMoney(0, 'USD'), end_balance: minorMoney(0, 'USD'), period }];
}

function cardAccount(parts: BrexParts): unknown {
  const money = (amount: number) => minorMoney(amount, parts.store.seed.legalEntities[0]?.currency ?? 'USD');
  return {
    id: parts.store.seed.company.id,
    status: 'ACTIVE',
    current_balance: money(1_250_000),
    available_balance: money(48_750_000),
    account_limit: money(50_000_000),
    current_statement_period: statementPeriod(parts),
  };
}

function cashAccount(account: SeedCashAccount): unknown {
  const balance = minorMoney(account.balanceMinor, 'USD');
  return {
    ...{ id: account.id, name: account.name, status: 'ACTIVE', current_balance: balance, available_balance: balance },
    ...{ account_number: account.accountNumber, routing_number: account.routingNumber, primary: account.isPrimary },
  };
}

function primaryCash({ store }: BrexParts): BrexReply {
  const found = store.seed.cashAccounts.find((account) => account.isPrimary);
  if (!found) throw notFound();
  return ok(cashAccount(found));
}
