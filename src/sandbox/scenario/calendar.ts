import type { SysproSeed } from '../syspro/seed.js';

type Period = SysproSeed['periods'][number];

/** `2026-05` moved by whole months. */
export function addMonths(month: string, count: number): string {
  const date = new Date(`${month}-01T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() + count);
  return date.toISOString().slice(0, 7);
}

export function lastDay(month: string): string {
  const date = new Date(`${addMonths(month, 1)}-01T00:00:00Z`);
  date.setUTCDate(0);
  return date.toISOString().slice(0, 10);
}

/**
 * The fiscal year (named by the calendar year in which it ends) and period of a month.
 * @param startsIn first month of the fiscal year: 1 for calendar years, 4 for April to March.
 */
export function fiscalOf(month: string, startsIn: number): { year: number; period: number } {
  const [year = 0, number = 0] = month.split('-').map(Number);
  const period = ((number - startsIn + 12) % 12) + 1;
  return { year: startsIn > 1 && number >= startsIn ? year + 1 : year, period };
}

/** All twelve periods of the fiscal years from one to another. */
export function fiscalPeriods(
  years: { from: number; to: number },
  startsIn: number,
  isOpen: (month: string) => boolean,
): Period[] {
  const periods: Period[] = [];
  for (let year = years.from; year <= years.to; year += 1) {
    const first = `${startsIn > 1 ? year - 1 : year}-${String(startsIn).padStart(2, '0')}`;
    for (let period = 1; period <= 12; period += 1) {
      const month = addMonths(first, period - 1);
      periods.push({ year, period, startsOn: `${month}-01`, endsOn: lastDay(month), open: isOpen(month) });
    }
  }
  return periods;
}
