import type { SeedLine, SeedPurchase } from '../brex/index.js';
import type { Business, MatchKind } from './businesses.js';
import { lastDay } from './calendar.js';
import {
  CATEGORIES,
  COST_CENTRES,
  FOREIGN_RATES,
  type ForeignCurrency,
  HELD_ACCOUNT,
  PEOPLE,
  PROJECTS,
} from './catalogue.js';
import type { Dice } from './dice.js';
import type { Ingredient } from './ingredients.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Purchases end this many days before the month does, so that all of them settle within it. */
const QUIET_DAYS = 3;
const TAX_RATE = 0.07;

const KIND_OF: Partial<Record<Ingredient, MatchKind>> = {
  unknownMerchant: 'unknown',
  supplierOnHold: 'supplierOnHold',
  nearTwin: 'nearTwin',
};
const CURRENCY_OF: Partial<Record<Ingredient, ForeignCurrency>> = {
  foreignEur: 'EUR',
  foreignGbp: 'GBP',
  foreignJpy: 'JPY',
};

/** Makes the purchases of one month, one ingredient at a time. */
export class PurchaseMaker {
  private readonly known: readonly Business[];

  constructor(
    private readonly dice: Dice,
    private readonly month: string,
    private readonly businesses: readonly Business[],
  ) {
    this.known = businesses.filter((one) => ['exact', 'alias', 'fuzzy'].includes(one.kind));
  }

  make(number: number, ingredient: Ingredient | null): { row: SeedPurchase; business: Business } {
    const business = this.business(ingredient);
    const times = this.times(ingredient === 'closedPeriod');
    const category = ingredient === 'heldAccount' ? heldCategory() : business.category;
    const amountMinor = this.dice.cents(category.low, category.high);
    const memo = this.dice.chance(0.35) ? `${category.accountName} ${this.dice.int(100, 999)}` : null;
    const row: SeedPurchase = {
      ...{ key: `${this.month.replace('-', '')}-${String(number).padStart(5, '0')}`, kind: 'CARD' },
      ...{ user: this.dice.int(1, PEOPLE.length - 1), merchant: business.merchant },
      ...{ descriptor: this.dice.pick(business.descriptors), amountMinor, currency: 'USD', ...times },
      ...{ category: category.brexCategory, hasReceipt: this.dice.chance(0.4), ...(memo ? { memo } : {}) },
      lines: [this.line(category.account, amountMinor)],
    };
    this.season(row, ingredient, category.account);
    return { row, business };
  }

  private season(row: SeedPurchase, ingredient: Ingredient | null, account: string): void {
    const currency = ingredient && CURRENCY_OF[ingredient];
    if (currency) this.makeForeign(row, currency, account);
    switch (ingredient) {
      case 'refund':
        row.amountMinor = -row.amountMinor;
        row.lines = [this.line(account, row.amountMinor)];
        break;
      case 'splitLines':
        row.lines = this.dice
          .parts(row.amountMinor, this.dice.int(2, 4))
          .map((amount, index) => ({ ...this.line(account, amount), memo: `Part ${index + 1}` }));
        break;
      case 'splitExpense':
        row.children = this.dice.parts(row.amountMinor, this.dice.int(2, 3)).map((amountMinor, index) => ({
          ...{ suffix: `s${index + 1}`, amountMinor, memo: `Split ${index + 1}` },
          lines: [this.line(account, amountMinor)],
        }));
        row.lines = [];
        break;
      case 'tax':
        row.taxMinor = Math.max(1, Math.round((row.amountMinor * TAX_RATE) / (1 + TAX_RATE)));
        break;
      case 'reimbursement':
        row.kind = 'REIMBURSEMENT';
        break;
      case 'heldAccount':
        for (const line of row.lines) line.coding.cost_center = HELD_ACCOUNT.costCentre;
        break;
      case 'uncoded':
        for (const line of row.lines) {
          line.coding.gl_account = null;
          if (this.dice.chance(0.5)) line.coding.cost_center = null;
        }
        break;
      case 'inReview':
        row.reviewStatus = 'REVIEW';
        break;
    }
  }

  private business(ingredient: Ingredient | null): Business {
    const kind = ingredient && KIND_OF[ingredient];
    const from = kind ? this.businesses.filter((one) => one.kind === kind) : this.known;
    return this.dice.pick(from);
  }

  /** A line coded with account, cost centre and, now and then, a project. Never with the pair that is on hold. */
  line(account: string, amountMinor: number): SeedLine {
    const centres = COST_CENTRES.map(([code]) => code).filter(
      (code) => account !== HELD_ACCOUNT.account || code !== HELD_ACCOUNT.costCentre,
    );
    const project = this.dice.chance(0.3) ? this.dice.pick(PROJECTS)[0] : null;
    return { amountMinor, coding: { gl_account: account, cost_center: this.dice.pick(centres), project } };
  }

  private makeForeign(row: SeedPurchase, currency: ForeignCurrency, account: string): void {
    const rateOfDay = FOREIGN_RATES[currency] * (0.99 + this.dice.int(0, 200) / 10_000);
    const unitsPerMajor = currency === 'JPY' ? 1 : 100;
    row.originalCurrency = currency;
    row.originalMinor = Math.max(1, Math.round((row.amountMinor / 100 / rateOfDay) * unitsPerMajor));
    row.amountMinor = Math.max(1, Math.round((row.originalMinor / unitsPerMajor) * rateOfDay * 100));
    row.lines = [this.line(account, row.amountMinor)];
  }

  /** Bought, settled one to three days later, then shown as an expense and some hours to days later as a record. */
  times(isLate = false): Pick<SeedPurchase, 'purchasedAt' | 'postedAt' | 'expenseAt' | 'recordAt'> {
    const days = Number(lastDay(this.month).slice(8));
    const day = isLate ? this.dice.int(-1, 0) : this.dice.int(1, days - QUIET_DAYS);
    const bought = Date.parse(`${this.month}-01T00:00:00Z`) + (day - 1) * DAY + this.dice.int(6 * HOUR, 22 * HOUR);
    const settled = bought + (isLate ? 3 * DAY : this.dice.int(DAY, 2 * DAY));
    const shown = settled + this.dice.int(HOUR / 12, 6 * HOUR);
    const recorded = shown + this.dice.int(2 * HOUR, 72 * HOUR);
    return {
      purchasedAt: new Date(bought).toISOString(),
      postedAt: new Date(settled).toISOString(),
      expenseAt: this.precise(shown),
      recordAt: this.precise(recorded),
    };
  }

  private precise(millis: number): string {
    return `${new Date(millis).toISOString().slice(0, -1)}${String(this.dice.int(0, 999)).padStart(3, '0')}Z`;
  }
}

function heldCategory() {
  const found = CATEGORIES.find((category) => category.account === HELD_ACCOUNT.account);
  if (!found) throw new Error('The account on hold is not in the catalogue.');
  return found;
}
