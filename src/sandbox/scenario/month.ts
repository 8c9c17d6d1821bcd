import { InputError } from '../../errors.js';
import { field, user } from '../brex/blankAccount.js';
import { type BrexSeed, blankAccount, type SeedPlannedEdit, type SeedPurchase } from '../brex/index.js';
import { decimalText } from '../brex/units.js';
import type { SysproSeed } from '../syspro/seed.js';
import { type Business, type MatchKind, makeMarket } from './businesses.js';
import { addMonths } from './calendar.js';
import { CATEGORIES, COST_CENTRES, PEOPLE, PROJECTS } from './catalogue.js';
import { Dice } from './dice.js';
import { dealIngredients, type Ingredient, SHARES } from './ingredients.js';
import { addMoneyCases, type MoneyCases } from './moneyCases.js';
import { monthLedger } from './monthLedger.js';
import { PurchaseMaker } from './monthPurchases.js';

export interface MonthOptions {
  seed: number;
  /** `YYYY-MM` */
  month: string;
  /** Card purchases, refunds and reimbursements. Default 2000, at least 200. */
  purchases?: number;
  /** The Brex account's "now" at the start. Default: everything of the month is visible, the planned edit is not. */
  now?: string;
}

/** What the generated month contains, so that a test or a print-out can check itself. */
export interface MonthExpectations {
  seed: number;
  month: string;
  purchases: number;
  /** How many purchases have each ingredient; the rest are plain. */
  ingredients: Record<Ingredient | 'plain', number>;
  /** The keys behind those counts: `expense_<key>`, `accr_<key>`, `pst_<key>`. */
  keys: Record<Ingredient, string[]>;
  /** Purchases by how their merchant relates to a supplier. */
  matches: Record<MatchKind, number>;
  merchants: { name: string; kind: MatchKind; supplier: string | null }[];
  suppliers: number;
  suppliersOnHold: number;
  /** Plain purchases whose expense is first shown as an authorisation, every second one over another amount. */
  pendingFirst: { count: number; keys: string[] };
  /** Beside the purchases. */
  nonSpend: { collections: number; rewardsCredits: number };
  bills: number;
  /** Purchases of the EUR entity; the ledger does not keep euros. */
  unsupportedCurrency: { count: number; keys: string[] };
  streams: { cardTransactions: number; cashTransactions: number; expenses: number; accountingRecords: number };
  /** Signed sums of all purchases, refunds, reimbursements and of the other entity, exact decimals by currency. */
  spendTotals: Record<string, string>;
  billTotals: Record<string, string>;
  plannedEdit: { at: string; key: string; beforeMinor: number; afterMinor: number };
  /** Beside the purchases: those whose money is hard to book. */
  moneyCases: MoneyCases['expectations'];
}

export interface MonthScenario {
  brex: BrexSeed;
  syspro: SysproSeed;
  expectations: MonthExpectations;
}

const COLLECTIONS = 5;
const REWARDS = 5;
const BILLS = 6;
const CASH = 12;
const PENDING_EVERY = 12;

/**
 * A month of spend of an imaginary manufacturer and the ledger that it belongs in. The same options give the same data.
 * @throws InputError an unusable month or too few purchases.
 */
export function generateMonth(options: MonthOptions): MonthScenario {
  const { seed, month, purchases: count = 2000 } = options;
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) throw new InputError('The month must be YYYY-MM.', ['month']);
  const dice = new Dice(seed);
  const market = makeMarket(dice);
  const maker = new PurchaseMaker(dice, month, market.businesses);
  const dealt = dealIngredients(dice, count).map((ingredient, index) => ({
    ingredient,
    ...maker.make(index + 1, ingredient),
  }));
  const pendingKeys = authorise(dealt);
  const others = otherRows(dice, maker, month, market.businesses);
  const next = addMonths(month, 1);
  const plannedEdit = planEdit(dealt, `${next}-06T09:00:00Z`);
  const cases = addMoneyCases(month, market);
  const rows = [...dealt.map(({ row }) => row), ...others.all, ...cases.rows];
  const brex = blankAccount(options.now ?? `${next}-05T12:00:00Z`, {
    users: PEOPLE.map(([first, last], index) =>
      user(index + 1, first, last, index === 0 ? 'ACCOUNT_ADMIN' : 'EMPLOYEE'),
    ),
    legalEntities: [
      { id: 'le_sbx1', name: 'Halvorsen Pump Works Inc.', currency: 'USD', isDefault: true },
      { id: 'le_sbx2', name: 'Halvorsen Pumpen GmbH', currency: 'EUR', isDefault: false },
    ],
    fields: [
      field(
        'gl_account',
        'GL Account',
        CATEGORIES.map(({ account, accountName }) => [account, `${account} ${accountName}`]),
      ),
      field('cost_center', 'Cost center', COST_CENTRES),
      field('project', 'Project', PROJECTS),
    ],
    merchants: market.merchants,
    purchases: rows,
    cashTransactions: cashRows(dice, month),
    plannedEdits: [plannedEdit.planned],
  });
  return {
    brex,
    syspro: monthLedger(month, market.suppliers),
    expectations: {
      ...{ seed, month, purchases: count, ...countIngredients(dealt), plannedEdit: plannedEdit.expected },
      pendingFirst: { count: pendingKeys.length, keys: pendingKeys },
      moneyCases: cases.expectations,
      merchants: market.businesses.map(({ name, kind, supplier }) => ({ name, kind, supplier })),
      suppliers: market.suppliers.length,
      suppliersOnHold: market.suppliers.filter((supplier) => supplier.onHold).length,
      nonSpend: { collections: COLLECTIONS, rewardsCredits: REWARDS },
      bills: BILLS,
      unsupportedCurrency: { count: others.foreignEntity.length, keys: others.foreignEntity.map(({ key }) => key) },
      streams: countStreams(rows),
      spendTotals: totals(rows.filter(({ kind }) => kind === 'CARD' || kind === 'REIMBURSEMENT')),
      billTotals: totals(rows.filter(({ kind }) => kind === 'BILL')),
    },
  };
}

interface Dealt {
  ingredient: Ingredient | null;
  row: SeedPurchase;
  business: Business;
}

/** Every twelfth plain card purchase is seen as an authorisation a minute after it was bought. @returns their keys. */
function authorise(dealt: readonly Dealt[]): string[] {
  const plain = dealt.filter(({ ingredient }) => ingredient === null);
  const chosen = plain.filter((_, index) => index % PENDING_EVERY === PENDING_EVERY - 1);
  for (const [index, { row }] of chosen.entries()) {
    const at = new Date(Date.parse(row.purchasedAt) + 60_000).toISOString();
    // A tip or a deposit: what is settled is not always what was authorised.
    const amountMinor = index % 2 === 0 ? row.amountMinor : Math.ceil(row.amountMinor * 1.2);
    row.pending = { at, amountMinor };
  }
  return chosen.map(({ row }) => row.key);
}

function planEdit(dealt: readonly Dealt[], at: string) {
  const plain = dealt.find(({ ingredient, row }) => ingredient === null && row.amountMinor > 1_000);
  if (!plain) throw new InputError('No plain purchase is large enough for the planned edit.', ['purchases']);
  const { key, amountMinor } = plain.row;
  const afterMinor = amountMinor - 500;
  const planned: SeedPlannedEdit = { at, key, edit: { amount: afterMinor, memo: 'Corrected by the card holder' } };
  return { planned, expected: { at, key, beforeMinor: amountMinor, afterMinor } };
}

/** What is not an ordinary purchase: card payments, rewards, bills and a purchase of the foreign entity. */
function otherRows(dice: Dice, maker: PurchaseMaker, month: string, businesses: readonly Business[]) {
  const base = month.replace('-', '');
  const exact = businesses.filter((one) => one.kind === 'exact');
  const moneyRow = (key: string, kind: 'COLLECTION' | 'REWARDS_CREDIT', amountMinor: number): SeedPurchase => ({
    ...{ key: `${base}-${key}`, kind, user: null, merchant: null, currency: 'USD', ...maker.times() },
    ...{ descriptor: kind === 'COLLECTION' ? 'Payment' : 'Brex rewards', amountMinor: -amountMinor },
    lines: [{ amountMinor: -amountMinor, coding: {} }],
  });
  const collections = range(COLLECTIONS, (n) => moneyRow(`pay${n}`, 'COLLECTION', dice.int(500_000, 4_000_000)));
  const rewards = range(REWARDS, (n) => moneyRow(`rwd${n}`, 'REWARDS_CREDIT', dice.int(1_000, 30_000)));
  const bills = range(BILLS, (n) => {
    const { row } = maker.make(0, null);
    const { merchant, name, category } = dice.pick(exact);
    const amountMinor = dice.int(50_000, 900_000);
    const lines = [maker.line(category.account, amountMinor)];
    const bill: SeedPurchase = { ...row, key: `${base}-bill${n}`, kind: 'BILL', merchant, amountMinor, lines };
    return { ...bill, descriptor: name, category: category.brexCategory };
  });
  const { row } = maker.make(0, null);
  const foreign: SeedPurchase = { ...row, key: `${base}-eur1`, currency: 'EUR', entity: 1 };
  return { foreignEntity: [foreign], all: [...collections, ...rewards, ...bills, foreign] };
}

function cashRows(dice: Dice, month: string): BrexSeed['cashTransactions'] {
  const types = ['PAYMENT', 'CARD_COLLECTION', 'FEE', 'INTEREST'] as const;
  return range(CASH, (n) => {
    const type = types[n % types.length] ?? 'PAYMENT';
    const at = `${month}-${String(n * 2 + 2).padStart(2, '0')}T15:00:00Z`;
    const amount = type === 'INTEREST' ? dice.int(100, 90_000) : -dice.int(1_000, 900_000);
    return {
      ...{ id: `dpt_${month.replace('-', '')}_${n + 1}`, accountId: 'dpacc_sbx1', type, transferId: null },
      // The documentation allows an amount of null, so one row has it.
      ...{ description: type.toLowerCase(), amountMinor: n === CASH - 1 ? null : amount, currency: 'USD' },
      ...{ initiatedAt: at, postedAt: at },
    };
  });
}

function range<T>(count: number, make: (number: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function countIngredients(dealt: readonly Dealt[]): Pick<MonthExpectations, 'ingredients' | 'keys' | 'matches'> {
  const names = Object.keys(SHARES) as Ingredient[];
  const keys = Object.fromEntries(names.map((name) => [name, [] as string[]])) as Record<Ingredient, string[]>;
  const matches = { exact: 0, alias: 0, fuzzy: 0, unknown: 0, supplierOnHold: 0, nearTwin: 0 };
  let plain = 0;
  for (const { ingredient, row, business } of dealt) {
    if (ingredient === null) plain += 1;
    else keys[ingredient].push(row.key);
    matches[business.kind] += 1;
  }
  const counts = Object.fromEntries(names.map((name) => [name, keys[name].length])) as Record<Ingredient, number>;
  return { ingredients: { ...counts, plain }, keys, matches };
}

function countStreams(rows: readonly SeedPurchase[]): MonthExpectations['streams'] {
  const sum = (of: (row: SeedPurchase) => number) => rows.reduce((total, row) => total + of(row), 0);
  const isMoney = ({ kind }: SeedPurchase) => kind === 'COLLECTION' || kind === 'REWARDS_CREDIT';
  return {
    cardTransactions: sum((row) => (row.kind === 'CARD' || isMoney(row) ? 1 : 0)),
    cashTransactions: CASH,
    // As listed: children are inside their parents.
    expenses: sum((row) => (isMoney(row) ? 0 : 1)),
    accountingRecords: sum((row) => (row.kind === 'REWARDS_CREDIT' ? 0 : (row.children?.length ?? 1))),
  };
}

function totals(rows: readonly SeedPurchase[]): Record<string, string> {
  const sums = new Map<string, bigint>();
  for (const { amountMinor, currency } of rows) {
    sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(amountMinor));
  }
  return Object.fromEntries([...sums].map(([currency, minor]) => [currency, decimalText(minor, currency)]));
}
