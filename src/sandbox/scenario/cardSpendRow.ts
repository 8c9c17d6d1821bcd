import { z } from 'zod';
import { decimalsOf } from '../brex/units.js';

const text = z.string().trim();
const date = text
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date YYYY-MM-DD')
  .refine(isDay, 'is not a day of the calendar');
const decimal = text.regex(/^-?\d+(\.\d+)?$/, 'must be a plain decimal');
const optionalDecimal = z.union([z.literal(''), decimal]);
const currency = text.regex(/^([A-Z]{3})?$/, 'must be a currency code or empty');

/** One line of a card spend file; only the columns that a purchase is made of. */
export const CARD_SPEND_ROW = z.object({
  source_file: text.min(1),
  source_row: text.min(1),
  transaction_date: date,
  vat_description: text,
  original_amount: decimal,
  original_currency: currency,
  billing_amount: optionalDecimal,
  billing_currency: currency,
  merchant_name: text.min(1),
  card_number_masked: text.min(1),
  account_code: text,
  account_description: text,
  cost_centre_code: text,
  cost_centre_description: text,
  cac_code_3: text,
  directorate: text,
});
export type CardSpendRow = z.infer<typeof CARD_SPEND_ROW>;

export const SUPPLIER_ROW = z.object({
  supplier_code: text.min(1).max(15),
  name: text.min(1),
  active: z.enum(['true', 'false']),
  currency: currency.optional(),
});

function isDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}

/** Exact minor units of a plain decimal. Null when it has more decimals than the currency. */
export function minorUnits(amount: string, currencyCode: string): number | null {
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(amount) ?? [];
  const decimals = decimalsOf(currencyCode);
  if (/[1-9]/.test(fraction.slice(decimals))) return null;
  const minor = Number(whole + fraction.slice(0, decimals).padEnd(decimals, '0'));
  if (!Number.isSafeInteger(minor)) return null;
  return sign === '-' && minor !== 0 ? -minor : minor;
}
