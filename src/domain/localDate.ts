import { InputError } from '../errors.js';

/** A calendar day of the company, `YYYY-MM-DD`. Not an instant: it has no time and no zone. Compares as a string. */
export type LocalDate = string & { readonly __localDate: true };

const FORM = /^(\d{4})-(\d{2})-(\d{2})$/;

/** @throws InputError not a day that exists, e.g. 2026-02-30. */
export function localDate(text: string): LocalDate {
  const match = FORM.exec(text);
  if (match) {
    const day = new Date(`${text}T00:00:00Z`);
    if (!Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)) return text as LocalDate;
  }
  throw new InputError(`"${text}" is not a calendar day in the form YYYY-MM-DD.`);
}

export function addDays(day: LocalDate, days: number): LocalDate {
  const instant = new Date(`${day}T00:00:00Z`);
  instant.setUTCDate(instant.getUTCDate() + days);
  return instant.toISOString().slice(0, 10) as LocalDate;
}

/** The same day of the month, or the last one of a shorter month. */
export function addMonths(day: LocalDate, months: number): LocalDate {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  const first = new Date(Date.UTC(year, month - 1 + months, 1));
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  first.setUTCDate(Math.min(date, last));
  return first.toISOString().slice(0, 10) as LocalDate;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The calendar day on which an instant falls in a time zone (IANA name). */
export function dayIn(timeZone: string, instant: Date): LocalDate {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    formats.set(timeZone, format);
  }
  return format.format(instant) as LocalDate;
}
