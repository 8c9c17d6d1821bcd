import { type Failure, failure } from './failures.js';
import type { ParsedSysproSeed } from './seed.js';

export type LedgerPeriod = ParsedSysproSeed['periods'][number];

/** The financial years, their periods, and which of them is current. Year labels are fiscal, not calendar years. */
export class LedgerCalendar {
  private readonly byKey = new Map<string, LedgerPeriod>();
  currentYear: number;
  currentPeriod: number;

  constructor(seed: ParsedSysproSeed) {
    for (const period of seed.periods) this.byKey.set(`${period.year}/${period.period}`, { ...period });
    this.currentYear = seed.currentYear;
    this.currentPeriod = seed.currentPeriod;
  }

  period(year: number, period: number): LedgerPeriod | undefined {
    return this.byKey.get(`${year}/${period}`);
  }

  /** @returns the year's periods in their order. */
  year(year: number): LedgerPeriod[] {
    return [...this.byKey.values()].filter((period) => period.year === year).sort((a, b) => a.period - b.period);
  }

  /** @returns false when the calendar has no such period. */
  setOpen(year: number, period: number, open: boolean): boolean {
    const found = this.period(year, period);
    if (found !== undefined) found.open = open;
    return found !== undefined;
  }

  /** @returns false when the calendar has no such period. */
  setCurrent(year: number, period: number): boolean {
    if (this.period(year, period) === undefined) return false;
    this.currentYear = year;
    this.currentPeriod = period;
    return true;
  }

  /**
   * The period that a journal names, or the current one where it names none. It must be open, not in the future, and of
   * the current or the previous year (SYSPRO e.net: GENTJL, PostingPeriod and PostingYear).
   */
  resolve(yearText: string, periodText: string): LedgerPeriod | Failure {
    if (yearText !== '' && !/^\d{4}$/.test(yearText)) return failure('amountNotNumeric', yearText, 'PostingYear');
    if (periodText !== '' && !/^\d{1,2}$/.test(periodText)) {
      return failure('amountNotNumeric', periodText, 'PostingPeriod');
    }
    const year = yearText === '' ? this.currentYear : Number(yearText);
    const number = periodText === '' ? this.currentPeriod : Number(periodText);
    if (year !== this.currentYear && year !== this.currentYear - 1) {
      return failure('yearOutOfWindow', yearText, 'PostingYear');
    }
    const period = this.period(year, number);
    if (period === undefined) return failure('periodInvalid', periodText, 'PostingPeriod');
    if (year === this.currentYear && number > this.currentPeriod) {
      return failure('periodFuture', periodText, 'PostingPeriod');
    }
    return period.open ? period : failure('periodClosed', `${number}`, 'PostingPeriod');
  }
}

export function isFailure(value: object): value is Failure {
  return 'code' in value && 'value' in value;
}
