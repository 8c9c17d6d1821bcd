import type { SeedExpense } from '../expensify/index.js';
import { CATEGORIES, COST_CENTRES, FOREIGN_RATES, HELD_ACCOUNT, LEGAL_FORMS, OWNERS, PROJECTS } from './catalogue.js';
import type { Dice } from './dice.js';
import { CATEGORIES_WITHOUT_CODE, DISABLED_CATEGORY, PROJECT_WITH_COLON, TAX_RATES } from './expensifyCompany.js';

/** What makes an expense special; each has at most one of these, the others are plain. */
export const EXPENSE_SHARES = {
  /** Negative. */
  refund: 0.04,
  /** Paid in another currency and converted by Expensify. */
  foreign: 0.05,
  taxed: 0.08,
  /** Amount and merchant corrected by a person. */
  corrected: 0.04,
  /** On the company's card: nobody is paid back. */
  companyCard: 0.15,
  /** Comment with quotes, line breaks and emoji; the project's name holds a colon. */
  oddText: 0.02,
  noGlCode: 0.02,
  noCategory: 0.01,
  disabledCategory: 0.01,
  noDepartment: 0.015,
  /** Paid in another currency and not converted. */
  unconverted: 0.01,
} as const;
export type ExpenseIngredient = keyof typeof EXPENSE_SHARES;

/** Those that cannot be posted before a person has done something. */
export const HOLD_REASONS = ['noGlCode', 'noCategory', 'disabledCategory', 'noDepartment', 'unconverted'] as const;
export type HoldReason = (typeof HOLD_REASONS)[number];

const LEAST_OF_EACH = 5;
/** Employees spend less at once than the company's cards do. */
const HIGHEST_CENTS = 48_000;
const FIRST_TRANSACTION = 4_056_343_049_275_634_494n;
const ODD_COMMENT = 'Asked for "extra"\nline, tab\there, back\\slash </b> 😀 {"k":"end"}';

/** Gives every expense its ingredient or none, in a random order. */
export function dealExpenses(dice: Dice, count: number): (ExpenseIngredient | null)[] {
  const dealt: (ExpenseIngredient | null)[] = [];
  for (const [ingredient, share] of Object.entries(EXPENSE_SHARES) as [ExpenseIngredient, number][]) {
    const times = Math.max(LEAST_OF_EACH, Math.round(share * count));
    for (let index = 0; index < times; index += 1) dealt.push(ingredient);
  }
  while (dealt.length < count) dealt.push(null);
  return dice.shuffle(dealt);
}

/** Makes expenses, one ingredient at a time. */
export class ExpenseMaker {
  private made = 0n;

  constructor(private readonly dice: Dice) {}

  make(currency: 'USD' | 'EUR', day: string, ingredient: ExpenseIngredient | null): SeedExpense {
    const { dice } = this;
    const category = dice.pick(CATEGORIES);
    const department = this.department(category.account);
    const project = dice.chance(0.3) ? dice.pick(PROJECTS)[1] : '';
    const expense: SeedExpense = {
      ...{ transactionID: this.nextID(), amount: dice.cents(category.low, Math.min(category.high, HIGHEST_CENTS)) },
      ...{ currency, merchant: `${dice.pick(OWNERS)} ${dice.pick(category.trades)}`, created: day },
      ...{ category: category.accountName, tags: currency === 'USD' ? [department, project] : [department] },
      ...{
        mcc: Number(category.mcc),
        comment: dice.chance(0.3) ? `${category.accountName} ${dice.int(100, 999)}` : '',
      },
      receipt: dice.chance(0.6) ? { receiptID: `r${this.made}`, filename: `w_${this.made}.jpg` } : null,
      attendees: category.account === '6220' && dice.chance(0.4) ? ['guest@customer.example'] : [],
    };
    if (ingredient !== null) this.season(expense, ingredient);
    return expense;
  }

  private season(expense: SeedExpense, ingredient: ExpenseIngredient): void {
    const { dice } = this;
    switch (ingredient) {
      case 'refund':
        expense.amount = -expense.amount;
        break;
      case 'foreign':
      case 'unconverted':
        this.makeForeign(expense, ingredient === 'foreign');
        break;
      case 'taxed': {
        const { rate, rateID } = dice.pick(TAX_RATES);
        const share = Number(rate) / (100 + Number(rate));
        expense.tax = { rateID, amount: Math.round(expense.amount * share) };
        break;
      }
      case 'corrected':
        expense.modifiedAmount = Math.max(1, expense.amount - dice.int(1, 300));
        expense.modifiedMerchant = `${expense.merchant} ${dice.pick(LEGAL_FORMS)}`;
        break;
      case 'companyCard':
        Object.assign(expense, {
          reimbursable: false,
          bank: 'Sandbox Bank',
          cardID: '7001',
          cardNumber: '4111XXXXXXXX1234',
        });
        break;
      case 'oddText':
        expense.comment = ODD_COMMENT;
        expense.tags = [expense.tags?.[0] ?? '', PROJECT_WITH_COLON.name];
        break;
      case 'noGlCode':
        expense.category = dice.pick(CATEGORIES_WITHOUT_CODE);
        break;
      case 'noCategory':
        expense.category = '';
        break;
      case 'disabledCategory':
        expense.category = DISABLED_CATEGORY.name;
        break;
      case 'noDepartment':
        expense.tags = dice.chance(0.5) ? [] : ['', dice.pick(PROJECTS)[1]];
        break;
    }
  }

  private makeForeign(expense: SeedExpense, isConverted: boolean): void {
    const currency = this.dice.pick(Object.keys(FOREIGN_RATES) as (keyof typeof FOREIGN_RATES)[]);
    const rate = FOREIGN_RATES[currency];
    const wished = expense.amount;
    // Hundredths in every currency, yen as well: that is how Expensify documents its amounts.
    const amount = Math.max(1, Math.round(wished / rate));
    Object.assign(expense, { currency, amount, conversionRate: String(rate) });
    if (isConverted) expense.convertedAmount = Math.round(amount * rate);
  }

  /** Never the pair of cost centre and account that the ledger has on hold. */
  private department(account: string): string {
    const allowed = COST_CENTRES.filter(
      ([code]) => account !== HELD_ACCOUNT.account || code !== HELD_ACCOUNT.costCentre,
    );
    return this.dice.pick(allowed)[1];
  }

  private nextID(): string {
    this.made += 1n;
    return (FIRST_TRANSACTION + this.made * 7_919n).toString();
  }
}

/** Cents that the expense counts in the report's currency; null when it is not converted. */
export function countedCents(expense: SeedExpense, reportCurrency: string): number | null {
  if (typeof expense.convertedAmount === 'number') return expense.convertedAmount;
  return expense.currency === reportCurrency ? (expense.modifiedAmount ?? expense.amount) : null;
}
