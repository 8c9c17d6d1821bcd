/**
 * @param text a plain decimal with at most two places; no sign but minus, no separators, no exponent.
 * @returns cents, or undefined when the text is none (SYSPRO e.net REST: numbers).
 */
export function parseAmount(text: string): bigint | undefined {
  const match = /^(-?)(\d{1,15})(?:\.(\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const cents = BigInt(match[2] ?? '0') * 100n + BigInt((match[3] ?? '').padEnd(2, '0'));
  return match[1] === '-' ? -cents : cents;
}

/** @returns cents as a plain decimal with two places. */
export function formatAmount(cents: bigint): string {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** @returns true for a date of the calendar written yyyy-mm-dd, the only form that clients are known to send. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** Width of the parts of a journal's key, as SYSPRO shows them. */
export const JOURNAL_DIGITS = 5;
export const PERIOD_DIGITS = 2;

/** @returns the number filled with zeros, as journal numbers and counts come. */
export function zeros(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
