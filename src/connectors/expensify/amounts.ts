import { exponentOf, type Money, money } from '../../domain/money.js';
import { InputError } from '../../errors.js';
import type { ExpensifySettings } from './config.js';
import type { WireExpense, WireReport } from './wire.js';

/**
 * Amounts of an expense. Expensify counts in "cents" of up to three kinds: as imported (`amount`), as edited
 * (`modifiedAmount`), both in the currency of the expense, and converted into the currency of the report. Pure.
 */

export interface ExpenseAmounts {
  /** In the currency of the report. */
  readonly amount: Money;
  /** In the currency of the expense, where that is another one and its unit is known. */
  readonly original: Money | null;
  /** Contained in `amount`, with its sign. */
  readonly tax: Money | null;
}

type AmountSettings = Pick<ExpensifySettings, 'minorDigits' | 'signPolicy' | 'foreignTax'>;

/** @throws InputError the amount is missing, ambiguous or in a currency whose unit is not known. */
export function amountsOf(expense: WireExpense, report: WireReport, settings: AmountSettings): ExpenseAmounts {
  const reportCurrency = currencyOf(report.currency, 'report');
  const currency = expense.currency === '' ? null : currencyOf(expense.currency, 'expense');
  const entered = effective(expense.amount, expense.modifiedAmount, expense.modified, 'amount');
  const counted = billedCount(expense, entered, currency === reportCurrency, reportCurrency);
  const sign = signOf(counted, settings);
  const amount = moneyOf(sign * counted, reportCurrency, settings);
  const isForeign = currency !== null && currency !== reportCurrency;
  return {
    amount,
    original: isForeign && entered !== null ? originalOf(sign * entered, currency, settings) : null,
    tax: taxOf(expense, { amount, entered: entered === null ? null : sign * entered, sign, isForeign }, settings),
  };
}

/** The converted amount decides; without it, amounts of the expense count only in the currency of the report. */
function billedCount(
  expense: WireExpense,
  entered: bigint | null,
  isSameCurrency: boolean,
  reportCurrency: string,
): bigint {
  const converted = countOf(expense.convertedAmount, 'converted amount');
  if (converted === null) {
    if (entered === null) throw new InputError('Expensify states no amount for this expense.');
    if (isSameCurrency) return entered;
    const currency = expense.currency || 'an unnamed currency';
    throw new InputError(
      `The expense is in ${currency}, the report in ${reportCurrency}, and no converted amount is stated.`,
    );
  }
  if (entered === null) return converted;
  if (converted === 0n && entered !== 0n) {
    throw new InputError('The converted amount is 0 and the amount is not: it is not known which of them holds.');
  }
  if ((converted < 0n && entered > 0n) || (converted > 0n && entered < 0n)) {
    throw new InputError('The converted amount and the amount have different signs.');
  }
  return converted;
}

/**
 * The edited value, else the imported one. An edited value of 0 beside another one may be an edit or the way Expensify
 * writes "not edited": the flag tells, and without the flag nobody can.
 */
function effective(plainText: string, editedText: string, flag: string, what: string): bigint | null {
  const plain = countOf(plainText, what);
  const edited = countOf(editedText, `edited ${what}`);
  if (edited === null) return plain;
  if (edited !== 0n || plain === null || plain === 0n || flag === 'true') return edited;
  if (flag === 'false') return plain;
  throw new InputError(`The edited ${what} is 0 and the imported one is not: it is not known which of them holds.`);
}

/**
 * A count of the smallest unit. Thousands separators come from a template without `?c`; a decimal point could be one
 * too in some locales, so it is not guessed at.
 */
function countOf(text: string, what: string): bigint | null {
  if (text === '') return null;
  if (!/^-?(\d+|\d{1,3}(,\d{3})+)$/.test(text))
    throw new InputError(`The ${what} "${text.slice(0, 40)}" is not a whole number.`);
  return BigInt(text.replaceAll(',', ''));
}

function signOf(count: bigint, settings: AmountSettings): 1n | -1n {
  if (settings.signPolicy === 'NEGATIVE_IS_SPEND') return -1n;
  if (settings.signPolicy === 'REFUSE_NEGATIVE' && count < 0n) {
    throw new InputError('The amount is negative, and the setting signPolicy refuses that.');
  }
  return 1n;
}

function currencyOf(text: string, what: string): string {
  const code = text.toUpperCase();
  if (!/^[A-Z]{3}$/.test(code)) throw new InputError(`The currency of the ${what} is "${text.slice(0, 20)}".`);
  return code;
}

/** Decimals of Expensify's counts in a currency; null = not known, because "cents" of a yen or a dinar are not documented. */
function digitsOf(currency: string, settings: AmountSettings): number | null {
  const stated = settings.minorDigits[currency];
  if (stated !== undefined) return stated;
  return exponentOf(currency) === 2 ? 2 : null;
}

function moneyOf(count: bigint, currency: string, settings: AmountSettings): Money {
  const digits = digitsOf(currency, settings);
  if (digits === null) {
    throw new InputError(
      `What unit Expensify counts ${currency} in is not documented. Compare an amount and set minorDigits for ${currency}.`,
    );
  }
  const shift = exponentOf(currency) - digits;
  if (shift >= 0) return money(count * 10n ** BigInt(shift), currency);
  const divisor = 10n ** BigInt(-shift);
  if (count % divisor !== 0n) throw new InputError(`The amount has more decimals than ${currency} has.`);
  return money(count / divisor, currency);
}

/** Information only, so an unknown unit leaves it out and does not hold up the expense. */
function originalOf(count: bigint, currency: string, settings: AmountSettings): Money | null {
  return digitsOf(currency, settings) === null ? null : moneyOf(count, currency, settings);
}

interface TaxFacts {
  readonly amount: Money;
  /** Signed like `amount`; in the currency of the expense. */
  readonly entered: bigint | null;
  readonly sign: 1n | -1n;
  readonly isForeign: boolean;
}

function taxOf(expense: WireExpense, facts: TaxFacts, settings: AmountSettings): Money | null {
  const stated = effective(expense.taxAmount, expense.modifiedTaxAmount, expense.modified, 'tax amount');
  if (stated === null || stated === 0n) return null;
  const tax = inReportCurrency(facts.sign * stated, facts, settings);
  if (tax === null || tax.minor === 0n) return null;
  const { minor } = facts.amount;
  // A refund may state its tax without the sign.
  const signed = minor < 0n && tax.minor > 0n ? money(-tax.minor, tax.currency) : tax;
  const isInside = minor < 0n ? signed.minor >= minor : signed.minor > 0n && signed.minor <= minor;
  if (!isInside) throw new InputError('The stated tax is not contained in the amount.');
  return signed;
}

function inReportCurrency(count: bigint, facts: TaxFacts, settings: AmountSettings): Money | null {
  const { amount, entered, isForeign } = facts;
  if (!isForeign || settings.foreignTax === 'REPORT_CURRENCY') return moneyOf(count, amount.currency, settings);
  if (settings.foreignTax === 'NONE' || entered === null || entered === 0n) return null;
  // The share of the tax in the expense, taken of the converted amount and rounded half away from zero.
  const scaled = 2n * amount.minor * count;
  const half = scaled * entered < 0n ? -entered : entered;
  return money((scaled + half) / (2n * entered), amount.currency);
}
