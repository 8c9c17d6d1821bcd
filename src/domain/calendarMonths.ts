import { addDays, type LocalDate, localDate } from './localDate.js';

export interface CalendarMonth {
  /** Four digits. */
  readonly year: string;
  /** Two digits. */
  readonly month: string;
  readonly startsOn: LocalDate;
  readonly endsOn: LocalDate;
}

const MONTHS_BACK = 13;
const MONTHS_AHEAD = 2;

/** The calendar months around a day, for ledgers that show their fiscal calendar to nobody: 13 before it to 2 after it. */
export function calendarMonths(today: LocalDate): CalendarMonth[] {
  const [year = 0, month = 0] = today.split('-').map(Number);
  return Array.from({ length: MONTHS_BACK + 1 + MONTHS_AHEAD }, (_, index) => {
    const startsOn = firstOfMonth(year, month - MONTHS_BACK + index);
    const endsOn = addDays(firstOfMonth(year, month - MONTHS_BACK + index + 1), -1);
    return { year: startsOn.slice(0, 4), month: startsOn.slice(5, 7), startsOn, endsOn };
  });
}

/** @param month counted from 1; months before and after the year are counted on. */
function firstOfMonth(year: number, month: number): LocalDate {
  return localDate(new Date(Date.UTC(year, month - 1, 1)).toISOString().slice(0, 10));
}
