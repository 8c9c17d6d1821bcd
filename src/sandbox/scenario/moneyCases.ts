import type { SeedMerchant, SeedPurchase } from '../brex/index.js';
import type { Market } from './businesses.js';
import { CATEGORIES } from './catalogue.js';

/** What is hard about a purchase: the print-out of the demo and the tests find it by its merchant. */
export const MONEY_CASES = ['THREE_DECIMALS', 'REVERSE_CHARGE', 'LARGER_REFUND', 'ROUNDING'] as const;
export type MoneyCase = (typeof MONEY_CASES)[number];

export interface MoneyCases {
  rows: SeedPurchase[];
  expectations: { kind: MoneyCase; merchant: string; keys: string[] }[];
}

interface Seller {
  readonly kind: MoneyCase;
  readonly name: string;
  readonly code: string;
  readonly account: string;
  readonly country: string;
}

const SELLERS: readonly Seller[] = [
  { kind: 'THREE_DECIMALS', name: 'Zahrawi Marine Chandlers', code: 'ZAHRAWI', account: '6110', country: 'KWT' },
  { kind: 'REVERSE_CHARGE', name: 'Nordlicht Rechenwerk GmbH', code: 'NORDLIC', account: '6300', country: 'DEU' },
  { kind: 'LARGER_REFUND', name: 'Pellmoor Exhibitions', code: 'PELLMOO', account: '6500', country: 'USA' },
  { kind: 'ROUNDING', name: 'Tarnvik Catering', code: 'TARNVIK', account: '6220', country: 'USA' },
];

/**
 * Purchases whose money is hard to book, in every month the same: one charged in a currency of three decimals, one whose
 * tax the buyer owes, a refund that is larger than its purchase, and a receipt whose lines do not add up to it. They come
 * with merchants and suppliers of their own, added to the market, and throw no dice, so that the rest of the month stays
 * what it is without them.
 */
export function addMoneyCases(month: string, market: Market): MoneyCases {
  const cases: MoneyCases = { rows: [], expectations: [] };
  for (const seller of SELLERS) {
    const merchant = addSeller(market, seller);
    const rows = rowsOf(seller, month, merchant);
    cases.rows.push(...rows);
    cases.expectations.push({ kind: seller.kind, merchant: seller.name, keys: rows.map(({ key }) => key) });
  }
  return cases;
}

function addSeller(market: Market, { name, code, account, country }: Seller): number {
  const index = market.merchants.length;
  const mcc = categoryOf(account).mcc;
  const merchant: SeedMerchant = { id: `pmch_sbx${index + 1}`, name, mcc, country };
  market.merchants.push(merchant);
  market.suppliers.push({ code, name, onHold: false, currency: 'USD' });
  return index;
}

function categoryOf(account: string) {
  const found = CATEGORIES.find((category) => category.account === account);
  if (!found) throw new Error(`Account ${account} is not in the catalogue.`);
  return found;
}

function rowsOf(seller: Seller, month: string, merchant: number): SeedPurchase[] {
  const row = (suffix: string, day: number, amountMinor: number, over: Partial<SeedPurchase> = {}): SeedPurchase => ({
    ...{ key: `${month.replace('-', '')}-${suffix}`, kind: 'CARD', user: 1, merchant, amountMinor, currency: 'USD' },
    ...{ descriptor: seller.name.toUpperCase(), category: categoryOf(seller.account).brexCategory },
    ...times(month, day),
    lines: [line(seller.account, amountMinor)],
    ...over,
  });
  switch (seller.kind) {
    case 'THREE_DECIMALS':
      return [row('kwd1', 5, 4_021, { originalMinor: 12_345, originalCurrency: 'KWD' })];
    case 'REVERSE_CHARGE':
      return [row('rc1', 6, 24_013)];
    case 'LARGER_REFUND':
      return [row('less1', 7, 8_000), row('less1r', 17, -9_550)];
    case 'ROUNDING':
      return [row('thirds1', 8, 10_000, { lines: [3_333, 3_333, 3_333].map((part) => line(seller.account, part)) })];
  }
}

/** Administration takes any of these accounts. */
function line(account: string, amountMinor: number): SeedPurchase['lines'][number] {
  return { amountMinor, coding: { gl_account: account, cost_center: '60', project: null } };
}

function times(month: string, day: number): Pick<SeedPurchase, 'purchasedAt' | 'postedAt' | 'expenseAt' | 'recordAt'> {
  const at = (offset: number, time: string) => `${month}-${String(day + offset).padStart(2, '0')}T${time}Z`;
  return {
    ...{ purchasedAt: at(0, '10:30:00.000'), postedAt: at(1, '09:00:00.000') },
    ...{ expenseAt: at(1, '10:00:00.000000'), recordAt: at(2, '08:15:00.000001') },
  };
}
