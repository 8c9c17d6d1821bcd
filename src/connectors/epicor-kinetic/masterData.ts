import { type LocalDate, localDate } from '../../domain/localDate.js';
import { ConfigurationError, InputError } from '../../errors.js';
import type { LedgerAccount, LedgerDimensionValue, LedgerPeriod, LedgerSupplier } from '../contract.js';
import type { KineticClient, ListQuery } from './client.js';
import type { KineticSettings } from './config.js';
import { literal } from './url.js';
import {
  type AccountRow,
  accountRow,
  type BookRow,
  bookRow,
  type PeriodRow,
  periodRow,
  segmentValueRow,
  type VendorRow,
  vendorRow,
} from './wire.js';
import type { Work } from './work.js';

/** What the ledger holds before any document: book, chart of accounts, segment values, suppliers, periods. */

/** The ISO code of Epicor's own currency code; null when nobody said what it is. */
export function isoCurrency(code: string, settings: Pick<KineticSettings, 'currencyCodes'>): string | null {
  const known = settings.currencyCodes[code];
  if (known !== undefined) return known;
  return /^[A-Z]{3}$/.test(code) ? code : null;
}

/** @throws ConfigurationError the company has no such book. */
export async function readBook(client: KineticClient, settings: KineticSettings): Promise<BookRow> {
  const books = client.list({
    service: 'Erp.BO.GLBookSvc',
    set: 'GLBooks',
    select: ['BookID', 'COACode', 'CurrencyCode', 'FiscalCalendarID', 'Inactive'],
    filter: `BookID eq ${literal(settings.bookId)}`,
    orderBy: 'BookID',
    schema: bookRow,
    keyOf: (row: BookRow) => row.BookID,
  });
  for await (const rows of books) {
    const book = rows.find(({ BookID }) => BookID.toUpperCase() === settings.bookId.toUpperCase());
    if (book) return book;
  }
  throw new ConfigurationError(
    `Company ${settings.company} has no GL book ${settings.bookId}. Enter the book in the setting bookId.`,
    { code: 'BOOK_MISSING' },
  );
}

// ── accounts and segments ────────────────────────────────────────────────────────────────────

export async function* readAccounts(
  client: KineticClient,
  settings: KineticSettings,
  today: LocalDate,
): AsyncIterable<LedgerAccount[]> {
  for await (const rows of client.list(accountsQuery(settings))) {
    yield rows.map((row) => ({
      code: row.code,
      name: row.AccountDesc,
      active: row.Active,
      blockedReason: outsideDates(row, today),
    }));
  }
}

export function accountsQuery(settings: KineticSettings): ListQuery<AccountRow> {
  return {
    service: 'Erp.BO.GLAccountSvc',
    set: 'GLAccounts',
    select: ['GLAccount1', 'AccountDesc', 'Active', 'EffFrom', 'EffTo'],
    filter: `COACode eq ${literal(settings.coaCode)}`,
    orderBy: 'GLAccount1',
    schema: accountRow,
    keyOf: (row) => row.code,
    after: (last) => `GLAccount1 gt ${literal(last.code)}`,
  };
}

function outsideDates({ EffFrom, EffTo }: { EffFrom: string; EffTo: string }, today: LocalDate): string | null {
  if (EffFrom !== '' && EffFrom > today) return `Effective only from ${EffFrom}.`;
  if (EffTo !== '' && EffTo < today) return `Effective only until ${EffTo}.`;
  return null;
}

/** The values of every segment that has a name of ours, apart from the account itself. */
export async function* readSegmentValues(
  client: KineticClient,
  settings: KineticSettings,
): AsyncIterable<LedgerDimensionValue[]> {
  for (const [index, dimension] of settings.glSegmentOrder.entries()) {
    if (dimension === 'glAccount') continue;
    const pages = client.list({
      service: 'Erp.BO.COASegValuesSvc',
      set: 'COASegValues',
      select: ['SegmentNbr', 'SegmentCode', 'SegmentName', 'ActiveFlag'],
      filter: `COACode eq ${literal(settings.coaCode)} and SegmentNbr eq ${index + 1}`,
      orderBy: 'SegmentNbr,SegmentCode',
      schema: segmentValueRow,
      keyOf: (row: { SegmentCode: string }) => row.SegmentCode,
    });
    for await (const rows of pages) {
      yield rows.map((row) => ({
        dimension,
        code: row.SegmentCode,
        name: row.SegmentName || row.SegmentCode,
        active: row.ActiveFlag,
      }));
    }
  }
}

/**
 * Asks the ledger whether it would take the accounts of a document on that day: existence, active, dates, and segments
 * that combine freely, of which no list tells.
 * @throws ErpRejectedError in the ledger's words; nothing was sent.
 */
export async function validateAccounts(
  client: KineticClient,
  settings: KineticSettings,
  lines: readonly { account: string }[],
  day: LocalDate,
  work: Work,
): Promise<void> {
  for (const account of new Set(lines.map((line) => line.account))) {
    const parameters = {
      COACode: settings.coaCode,
      GLAccount: account,
      ExtCompanyID: '',
      RestrictID: '',
      EffectiveDate: day,
      ValidateDynamicSegment: true,
    };
    await client.ask('Erp.BO.GLAccountSvc', 'ValidateGLAccount', parameters, work, { isVoid: true });
  }
}

// ── suppliers ────────────────────────────────────────────────────────────────────────────────

export async function* readSuppliers(
  client: KineticClient,
  settings: KineticSettings,
  localCurrency: string,
): AsyncIterable<LedgerSupplier[]> {
  for await (const rows of client.list(vendorsQuery())) {
    yield rows.map((row) => supplierOf(row, settings, localCurrency));
  }
}

export function vendorsQuery(filter?: string): ListQuery<VendorRow> {
  return {
    service: 'Erp.BO.VendorSvc',
    set: 'Vendors',
    select: ['VendorNum', 'VendorID', 'Name', 'Inactive', 'CurrencyCode'],
    ...(filter === undefined ? {} : { filter }),
    orderBy: 'VendorNum',
    schema: vendorRow,
    keyOf: (row) => row.VendorNum,
    after: (last) => `VendorNum gt ${last.VendorNum}`,
  };
}

/** Vendor IDs can be changed by people, so the number behind one is read each time. */
export async function vendorById(client: KineticClient, code: string, work?: Work): Promise<VendorRow | null> {
  for await (const rows of client.list(vendorsQuery(`VendorID eq ${literal(code)}`), work)) {
    const found = rows.find(({ VendorID }) => VendorID.toUpperCase() === code.toUpperCase());
    if (found) return found;
  }
  return null;
}

/** A blank currency is taken for the company's own. */
export function supplierOf(row: VendorRow, settings: KineticSettings, localCurrency: string): LedgerSupplier {
  const currency = row.CurrencyCode === '' ? localCurrency : isoCurrency(row.CurrencyCode, settings);
  return { code: row.VendorID, name: row.Name || row.VendorID, active: !row.Inactive, currency };
}

// ── periods ──────────────────────────────────────────────────────────────────────────────────

export async function readPeriods(client: KineticClient, settings: KineticSettings): Promise<LedgerPeriod[]> {
  const calendar = settings.fiscalCalendarId ?? (await readBook(client, settings)).FiscalCalendarID;
  const isBook = settings.periodSource === 'book';
  const filters = [
    ...(isBook ? [`BookID eq ${literal(settings.bookId)}`] : []),
    ...(calendar === '' ? [] : [`FiscalCalendarID eq ${literal(calendar)}`]),
  ];
  const columns = ['FiscalYear', 'FiscalYearSuffix', 'FiscalPeriod', 'StartDate', 'EndDate'];
  const rows = await client.all({
    service: isBook ? 'Erp.BO.GLBookPerSearchSvc' : 'Erp.BO.FiscalPerSearchSvc',
    set: isBook ? 'GLBookPerSearches' : 'FiscalPerSearches',
    select: isBook ? [...columns, 'ClosedPeriod', 'CloseFiscalPeriod'] : columns,
    ...(filters.length > 0 ? { filter: filters.join(' and ') } : {}),
    orderBy: isBook
      ? 'FiscalYear,FiscalYearSuffix,FiscalPeriod,CloseFiscalPeriod'
      : 'FiscalYear,FiscalYearSuffix,FiscalPeriod',
    schema: periodRow,
    keyOf: (row: PeriodRow) => `${row.FiscalYear}/${row.FiscalYearSuffix}/${row.FiscalPeriod}/${row.CloseFiscalPeriod}`,
  });
  return rows
    .flatMap((row) => periodOf(row))
    .sort((a, b) => (a.startsOn < b.startsOn ? -1 : a.startsOn > b.startsOn ? 1 : a.label < b.label ? -1 : 1));
}

/** Periods for closing entries have a number of their own beside FiscalPeriod, and take no ordinary dates. */
function periodOf(row: PeriodRow): LedgerPeriod[] {
  if (Number(row.CloseFiscalPeriod) !== 0) return [];
  const startsOn = dayOf(row.StartDate);
  const endsOn = dayOf(row.EndDate);
  if (startsOn === null || endsOn === null || endsOn < startsOn) return [];
  const period = row.FiscalPeriod.padStart(2, '0');
  return [
    {
      label: `${row.FiscalYear}${row.FiscalYearSuffix}/${period}`,
      startsOn,
      endsOn,
      open: !row.ClosedPeriod,
      key: { year: row.FiscalYear, suffix: row.FiscalYearSuffix, period: row.FiscalPeriod },
    },
  ];
}

function dayOf(text: string): LocalDate | null {
  try {
    return localDate(text);
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
