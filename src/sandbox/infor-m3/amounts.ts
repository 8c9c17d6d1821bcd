/** Amounts are thousandths of a currency's unit, so that currencies with none, two or three decimals all stay exact. */
const SCALE = 3;
const UNIT = 1000n;
/** Rates and percentages keep nine decimals. */
const RATE_SCALE = 9;
const RATE_UNIT = 1_000_000_000n;

const NO_DECIMALS = new Set(['JPY', 'KRW', 'CLP', 'ISK', 'VND', 'XAF', 'XOF', 'XPF', 'PYG', 'UGX', 'RWF']);
const THREE_DECIMALS = new Set(['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND']);

/** @returns how many decimals the currency has (ISO 4217). */
export function decimalsOf(currency: string): number {
  if (NO_DECIMALS.has(currency)) return 0;
  return THREE_DECIMALS.has(currency) ? 3 : 2;
}

function parseScaled(text: string, scale: number): bigint | undefined {
  const match = /^(-?)(\d{1,15})(?:\.(\d+))?$/.exec(text);
  const fraction = match?.[3] ?? '';
  if (match === null || fraction.length > scale) return undefined;
  const value = BigInt(`${match[2] ?? '0'}${fraction.padEnd(scale, '0')}`);
  return match[1] === '-' ? -value : value;
}

/** @returns thousandths, or undefined when the text is no amount of that currency: digits, a point, a leading minus. */
export function parseAmount(text: string, currency: string): bigint | undefined {
  const decimals = (text.split('.')[1] ?? '').length;
  return decimals > decimalsOf(currency) ? undefined : parseScaled(text, SCALE);
}

/** @returns a rate in thousand millionths, or undefined when the text is none. */
export function parseRate(text: string): bigint | undefined {
  const rate = parseScaled(text, RATE_SCALE);
  return rate === undefined || rate <= 0n ? undefined : rate;
}

/** @returns the amount with the decimals of its currency and a point. */
export function formatAmount(amount: bigint, currency: string): string {
  const decimals = decimalsOf(currency);
  const digits = (amount < 0n ? -amount : amount).toString().padStart(SCALE + 1, '0');
  const whole = digits.slice(0, -SCALE);
  const fraction = digits.slice(-SCALE).slice(0, decimals);
  return `${amount < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** @returns the amount times the rate, rounded half away from zero to the decimals of `currency`. */
export function convert(amount: bigint, rate: bigint, currency: string): bigint {
  const step = UNIT / 10n ** BigInt(decimalsOf(currency));
  const divisor = RATE_UNIT * step;
  const product = amount * rate;
  const half = divisor / 2n;
  return ((product < 0n ? product - half : product + half) / divisor) * step;
}

/** @returns true for a day of the calendar written yyyy-mm-dd. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** @returns yyyymmdd. */
export function packDay(day: string): string {
  return day.replaceAll('-', '');
}

/** @returns yyyy-mm-dd from yyyymmdd; not checked. */
export function unpackDay(text: string): string {
  return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}`;
}
