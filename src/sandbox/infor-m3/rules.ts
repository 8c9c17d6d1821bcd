import { convert, isDay } from './amounts.js';
import type { M3Company } from './company.js';
import { doesNotExist, MiError } from './failures.js';

/** What a posting must satisfy, whichever program it comes from (Infor M3: accounts and dimensions, validation order). */

/** @throws MiError naming the dimension that may not be used. */
export function checkAccounting(company: M3Company, dimensions: readonly string[], day: string): void {
  const code = dimensions[0] ?? '';
  if (code === '') throw new MiError('Accounting dimension 1 must be entered', 'WAI0101', 'AIT1');
  dimensions.forEach((value, index) => {
    const field = `AIT${index + 1}`;
    if (value === '') return;
    const found = company.dimension(String(index + 1), value);
    if (found === undefined) throw doesNotExist(`Accounting dimension ${index + 1}`, value, field, 'WAI0103');
    if (found.blocked) throw new MiError(`Accounting identity ${value} is blocked`, 'WAI0104', field);
    if (found.manualBlocked) {
      throw new MiError(`Accounting identity ${value} is blocked for manual entry`, 'WAI0105', field);
    }
    if ((found.validFrom !== null && day < found.validFrom) || (found.validTo !== null && day > found.validTo)) {
      throw new MiError(`Accounting identity ${value} is not valid on the accounting date`, 'WAI0106', field);
    }
  });
  if (company.account(code)?.needsCostCentre === true && (dimensions[1] ?? '') === '') {
    throw new MiError(`Accounting dimension 2 is mandatory for account ${code}`, 'WAI0107', 'AIT2');
  }
}

/** @throws MiError no open period holds the day. */
export function checkPeriod(company: M3Company, day: string, field: string): void {
  if (!isDay(day)) throw new MiError(`Date ${day} is invalid`, 'XDT0001', field);
  const period = company.period(day);
  if (period === undefined) throw new MiError(`No accounting period is defined for ${day}`, 'WPE0103', field);
  if (!period.open) throw new MiError(`Accounting period ${company.periodNumber(day)} is closed`, 'WPE0104', field);
}

/** @returns the rate of a currency. @throws MiError the company does not use it. */
export function rateOf(company: M3Company, currency: string): bigint {
  const rate = company.rates.get(currency);
  if (rate === undefined) throw doesNotExist('Currency', currency, 'CUCD', 'WCU0103');
  return rate;
}

/** @returns the amounts in the company's currency; what rounding leaves over goes to the last, so that they still balance. */
export function localAmounts(company: M3Company, amounts: readonly bigint[], rate: bigint): bigint[] {
  const local = amounts.map((amount) => convert(amount, rate, company.seed.currency));
  const balances = amounts.reduce((sum, amount) => sum + amount, 0n) === 0n;
  const rest = local.reduce((sum, amount) => sum + amount, 0n);
  const last = local.length - 1;
  if (balances && last >= 0) local[last] = (local[last] ?? 0n) - rest;
  return local;
}
