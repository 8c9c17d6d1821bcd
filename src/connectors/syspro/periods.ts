import { addDays, type LocalDate, localDate } from '../../domain/localDate.js';
import { ConfigurationError, InputError, PeriodClosedError, PermissionError } from '../../errors.js';
import type { LedgerPeriod } from '../contract.js';
import type { SysproClient } from './client.js';
import type { PeriodElements, SysproSettings } from './config.js';
import { queryRefused, reportedErrors } from './failures.js';
import type { ApPeriod } from './mapper.js';
import { descendants, element, elements, type XmlNode } from './xml.js';

/**
 * The fiscal calendar: GENQSO for the current year, GENQPP for the years before, or the list in the settings.
 * The ledger takes postings for the current and the previous year only, never for the future.
 */

const PERIODS_MAX = 15;

interface YearOfPeriods {
  readonly year: number;
  /** null = not stated. */
  readonly startsOn: LocalDate | null;
  readonly ends: readonly { readonly period: number; readonly endsOn: LocalDate; readonly flag: string }[];
}

interface CurrentYear extends YearOfPeriods {
  readonly currentPeriod: number;
}

/** @throws ConfigurationError the ledger's reply has none of the elements that the settings name. */
export async function readPeriods(
  client: SysproClient,
  settings: SysproSettings,
  companyId: string,
): Promise<LedgerPeriod[]> {
  if (settings.fiscalPeriods) return settings.fiscalPeriods.map(configuredPeriod).sort(byStart);
  const names = settings.periodElements;
  const current = await readCurrentYear(client, names, companyId);
  const last = await readPreviousYear(client, names, names.lastYearOption);
  const before = await readYearBefore(client, names);
  return periodsOf(current, last, before, names.openFlag);
}

/** Pure part: years as read to periods with their first and last days. */
export function periodsOf(
  current: CurrentYear,
  last: YearOfPeriods | null,
  before: YearOfPeriods | null,
  openFlag: string,
): LedgerPeriod[] {
  const isOpen = (flag: string) => flag.toUpperCase() === openFlag.toUpperCase();
  // The option's two values are not documented; a year that is not the one before the current takes no postings.
  const lists = [before, last].flatMap((year) =>
    year && year.year < current.year
      ? listed(year, dayBefore(year), (_period, flag) => year.year === current.year - 1 && isOpen(flag))
      : [],
  );
  const currentList = listed(current, current.startsOn ?? dayBefore(current), (period, flag) => {
    if (period > current.currentPeriod) return false;
    // The current period takes postings by definition; only an explicit "closed" says otherwise.
    return isOpen(flag) || (period === current.currentPeriod && flag === '');
  });
  return continuous([...lists, ...currentList].sort(byStart));
}

/** The day after the year's last day, one year earlier: right for calendars that end on the same day each year. */
function dayBefore(year: YearOfPeriods): LocalDate | null {
  const end = year.ends.at(-1)?.endsOn;
  if (end === undefined) return null;
  const first = addDays(end, 1);
  const text = `${Number(first.slice(0, 4)) - 1}${first.slice(4)}`;
  return text.endsWith('-02-29') ? localDate(text.replace(/29$/, '28')) : localDate(text);
}

function listed(
  year: YearOfPeriods,
  firstDay: LocalDate | null,
  isOpen: (period: number, flag: string) => boolean,
): LedgerPeriod[] {
  let startsOn = year.startsOn ?? firstDay;
  const periods: LedgerPeriod[] = [];
  for (const { period, endsOn, flag } of year.ends) {
    // A period for adjustments ends on the day that the one before it ends on: no date falls into it.
    if (startsOn !== null && startsOn <= endsOn)
      periods.push(ledgerPeriod(year.year, period, startsOn, endsOn, isOpen(period, flag)));
    startsOn = addDays(endsOn, 1);
  }
  return periods;
}

/** A year's first day is better known from the end of the year before it. */
function continuous(periods: readonly LedgerPeriod[]): LedgerPeriod[] {
  return periods.map((period, index) => {
    const previous = periods[index - 1];
    if (!previous || previous.key.year === period.key.year || previous.endsOn >= period.endsOn) return period;
    return { ...period, startsOn: addDays(previous.endsOn, 1) };
  });
}

function ledgerPeriod(
  year: number,
  period: number,
  startsOn: LocalDate,
  endsOn: LocalDate,
  open: boolean,
): LedgerPeriod {
  const key = { year: String(year), period: String(period).padStart(2, '0') };
  return { label: `${key.year}/${key.period}`, startsOn, endsOn, open, key };
}

function configuredPeriod(entry: NonNullable<SysproSettings['fiscalPeriods']>[number]): LedgerPeriod {
  return ledgerPeriod(entry.year, entry.period, localDate(entry.startsOn), localDate(entry.endsOn), entry.open);
}

function byStart(a: LedgerPeriod, b: LedgerPeriod): number {
  return a.startsOn < b.startsOn ? -1 : a.startsOn > b.startsOn ? 1 : a.label < b.label ? -1 : 1;
}

// ── AP ───────────────────────────────────────────────────────────────────────────────────────

/**
 * The AP period of a document: the current one, the previous one or the one before that. Read anew for each document,
 * because the letters change their meaning on the day that somebody ends a period. AP is taken to be in the period that
 * the general ledger is in.
 * @throws PeriodClosedError it is none of the three.
 */
export async function apPeriodOf(
  client: SysproClient,
  settings: SysproSettings,
  companyId: string,
  key: { year: string; period: string },
  today: LocalDate,
): Promise<ApPeriod> {
  const distance = settings.fiscalPeriods
    ? configuredDistance(settings.fiscalPeriods.map(configuredPeriod).sort(byStart), key, today)
    : await readDistance(client, settings.periodElements, companyId, key);
  const letter = (['C', 'P', 'B'] as const)[distance];
  if (letter) return letter;
  throw new PeriodClosedError(
    `SYSPRO takes supplier invoices for its current AP period and the two before it, and ${key.year}/${key.period} is none of them. Nothing was sent.`,
  );
}

function configuredDistance(
  periods: readonly LedgerPeriod[],
  key: { year: string; period: string },
  today: LocalDate,
): number {
  const current = periods.findLastIndex((period) => period.open && period.startsOn <= today);
  const wanted = periods.findIndex((period) => period.key.year === key.year && period.key.period === key.period);
  return wanted < 0 ? -1 : current - wanted;
}

async function readDistance(
  client: SysproClient,
  names: PeriodElements,
  companyId: string,
  key: { year: string; period: string },
): Promise<number> {
  const current = await readCurrentYear(client, names, companyId);
  const [year, period] = [Number(key.year), Number(key.period)];
  if (year === current.year) return current.currentPeriod - period;
  if (year !== current.year - 1 || current.currentPeriod > 2) return -1;
  const last = await readPreviousYear(client, names, names.lastYearOption);
  const periodsInYear = last?.year === year ? (last.ends.at(-1)?.period ?? 0) : 0;
  return periodsInYear < period ? -1 : current.currentPeriod + periodsInYear - period;
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────

async function readCurrentYear(client: SysproClient, names: PeriodElements, companyId: string): Promise<CurrentYear> {
  const root = await client.query(
    'GENQSO',
    element('Query', [
      element('Option', elements({ ReturnSchema: 'N', IncludeInformationItems: 'N', CompanyId: companyId })),
    ]),
  );
  const errors = reportedErrors(root);
  if (errors.length > 0) throw queryRefused('for the general ledger set-up (GENQSO)', errors);
  const year = numberIn(root, names.currentYear);
  const currentPeriod = numberIn(root, names.currentPeriod);
  const ends = endsIn(root, names.currentEndDate, names.currentFlag);
  if (year === null || currentPeriod === null || ends.length === 0) {
    throw new ConfigurationError(
      'The fiscal calendar is not where the settings expect it in SYSPRO’s GENQSO. Enter the element names in periodElements, or the calendar itself in fiscalPeriods.',
      { code: 'CALENDAR_NOT_FOUND', detail: { root: root.label } },
    );
  }
  return { year, currentPeriod, ends, startsOn: dateOf(textIn(root, names.currentYearStart)) };
}

async function readPreviousYear(
  client: SysproClient,
  names: PeriodElements,
  option: string,
): Promise<YearOfPeriods | null> {
  const root = await client.query('GENQPP', element('Query', [element('Options', [element('PreviousYear', option)])]));
  const errors = reportedErrors(root);
  if (errors.length > 0) throw queryRefused('for the periods of the previous year (GENQPP)', errors);
  const year = numberIn(root, names.previousYear);
  const ends = endsIn(root, names.previousEndDate, names.previousFlag);
  // A ledger in its first year has none.
  return year === null || ends.length === 0 ? null : { year, ends, startsOn: null };
}

/** Only there to name older periods as closed: a ledger that refuses to show that year can do without. */
async function readYearBefore(client: SysproClient, names: PeriodElements): Promise<YearOfPeriods | null> {
  try {
    return await readPreviousYear(client, names, names.yearBeforeOption);
  } catch (error) {
    if (error instanceof PermissionError) return null;
    throw error;
  }
}

function endsIn(
  root: XmlNode,
  dateName: string,
  flagName: string,
): { period: number; endsOn: LocalDate; flag: string }[] {
  const ends = [];
  for (let period = 1; period <= PERIODS_MAX; period += 1) {
    const endsOn = dateOf(textIn(root, dateName.replace('{n}', String(period))));
    const flag = textIn(root, flagName.replace('{n}', String(period)));
    if (endsOn !== null) ends.push({ period, endsOn, flag });
  }
  return ends;
}

function textIn(root: XmlNode, name: string): string {
  return descendants(root, name)[0]?.text ?? '';
}

function numberIn(root: XmlNode, name: string): number | null {
  const value = Number.parseInt(textIn(root, name), 10);
  return Number.isNaN(value) ? null : value;
}

/** `yyyy-mm-dd` or `ccyymmdd`; null for an empty or all-zero date. */
export function dateOf(text: string): LocalDate | null {
  const match = /^(\d{4})[-/]?(\d{2})[-/]?(\d{2})/.exec(text.trim());
  if (!match || /^0+$/.test(match.slice(1).join(''))) return null;
  try {
    return localDate(match.slice(1, 4).join('-'));
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
