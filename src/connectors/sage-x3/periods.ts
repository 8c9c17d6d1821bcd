import { calendarMonths } from '../../domain/calendarMonths.js';
import { type LocalDate, localDate } from '../../domain/localDate.js';
import { ConfigurationError } from '../../errors.js';
import type { LedgerPeriod } from '../contract.js';
import type { SageX3Settings } from './config.js';
import { dateOf } from './mapper.js';
import type { Row, X3Reader } from './reader.js';

/**
 * The fiscal calendar: the list in the settings, or read from X3 with names that the settings give, or calendar months.
 * X3 decides on the posting date alone.
 */

/** @throws ConfigurationError the ledger shows no period with the names of the settings. */
export async function readPeriods(
  reader: X3Reader,
  settings: SageX3Settings,
  today: LocalDate,
): Promise<LedgerPeriod[]> {
  if (settings.fiscalPeriods) return settings.fiscalPeriods.map(configured).sort(byStart);
  if (!readsCalendar(settings)) {
    return calendarMonths(today).map(({ year, month, startsOn, endsOn }) =>
      period(year, month, startsOn, endsOn, true),
    );
  }
  const rows = await reader.periods();
  const periods = rows.flatMap((row) => periodOf(row, settings));
  if (periods.length > 0) return periods.sort(byStart);
  throw new ConfigurationError(
    `Sage X3 shows ${rows.length} rows of fiscal periods, and none of them is one of this company. Enter the names in periodFields, or the calendar itself in fiscalPeriods.`,
    { code: 'CALENDAR_NOT_FOUND' },
  );
}

/** A calendar is one company's, and SOAP shows none. */
export function readsCalendar({ company, read }: Pick<SageX3Settings, 'company' | 'read'>): boolean {
  return company !== undefined && read !== 'soap';
}

function configured(entry: NonNullable<SageX3Settings['fiscalPeriods']>[number]): LedgerPeriod {
  return period(String(entry.year), String(entry.period), entry.startsOn, entry.endsOn, entry.open);
}

function periodOf(row: Row, settings: SageX3Settings): LedgerPeriod[] {
  const names = settings.periodFields;
  const isOther = (field: string, ours: string | undefined) => {
    const shown = row[field] ?? '';
    return ours !== undefined && shown !== '' && shown !== ours;
  };
  if (isOther(names.company, settings.company) || isOther(names.ledgerType, settings.ledgerType)) return [];
  const startsOn = dateOf(row[names.startsOn] ?? '');
  const endsOn = dateOf(row[names.endsOn] ?? '');
  const number = row[names.period] ?? '';
  if (startsOn === null || endsOn === null || number === '') return [];
  return [period(row[names.year] ?? '', number, startsOn, endsOn, names.open.includes(row[names.status] ?? ''))];
}

function period(year: string, number: string, startsOn: string, endsOn: string, open: boolean): LedgerPeriod {
  const key = { year, period: number.padStart(2, '0') };
  return {
    label: year === '' ? key.period : `${year}/${key.period}`,
    startsOn: localDate(startsOn),
    endsOn: localDate(endsOn),
    open,
    key,
  };
}

function byStart(a: LedgerPeriod, b: LedgerPeriod): number {
  return a.startsOn < b.startsOn ? -1 : a.startsOn > b.startsOn ? 1 : a.label < b.label ? -1 : 1;
}
