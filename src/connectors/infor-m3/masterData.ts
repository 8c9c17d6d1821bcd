import { calendarMonths } from '../../domain/calendarMonths.js';
import { type LocalDate, localDate } from '../../domain/localDate.js';
import { ConfigurationError } from '../../errors.js';
import type { LedgerAccount, LedgerDimensionValue, LedgerPeriod, LedgerSupplier } from '../contract.js';
import type { M3Client } from './client.js';
import { COST_CENTRE, dimensionNumbers, type M3Settings } from './config.js';
import { TITLE } from './failures.js';
import { one, pagesFrom } from './lists.js';
import { type AccountRow, accountRow, divisionRow, type SupplierRow, supplierRow } from './wire.js';

/** Accounts and dimensions (CRS630MI), suppliers (CRS620MI), the local currency (MNS100MI), and the fiscal calendar. */

// ── accounts and dimensions ──────────────────────────────────────────────────────────────────

export async function* readAccounts(client: M3Client, today: LocalDate): AsyncIterable<LedgerAccount[]> {
  for await (const rows of readAccountingIds(client, 1)) {
    yield rows.map((row) => accountOf(row, today, client.settings));
  }
}

export async function* readDimensionValues(client: M3Client, today: LocalDate): AsyncIterable<LedgerDimensionValue[]> {
  for (const [dimension, number] of dimensionNumbers(client.settings)) {
    for await (const rows of readAccountingIds(client, number)) {
      yield rows.map((row) => {
        const active = row.LCCD !== '1' && outsideValidity(row, today) === null;
        return { dimension, code: row.AITM, name: nameOf(row), active };
      });
    }
  }
}

/**
 * CRS630MI.LstAccountID of one dimension. Values exist for the company or for a division; the division's come first and
 * hide the company's of the same code.
 */
async function* readAccountingIds(client: M3Client, number: number): AsyncIterable<AccountRow[]> {
  const { divi } = client.settings;
  const seen = new Set<string>();
  for (const level of divi === '' ? [''] : [divi, '']) {
    const call = {
      program: 'CRS630MI',
      transaction: 'LstAccountID',
      inputs: { AITP: String(number), DIVI: level },
      schema: accountRow,
      division: level,
    };
    // Whether the list goes on into the next dimension is not documented.
    const isBehind = (record: Readonly<Record<string, string>>) =>
      record.AITP !== undefined && record.AITP !== '' && record.AITP !== String(number);
    for await (const rows of pagesFrom(client, call, 'AITM', (row) => row.AITM, isBehind)) {
      const fresh = rows.filter((row) => !seen.has(row.AITM));
      for (const row of fresh) seen.add(row.AITM);
      if (fresh.length > 0) yield fresh;
    }
  }
}

export function accountOf(row: AccountRow, today: LocalDate, settings: M3Settings): LedgerAccount {
  const required = requiredDimensions(row, settings);
  return {
    code: row.AITM,
    name: nameOf(row),
    active: row.LCCD !== '1',
    blockedReason: blockedReason(row, today),
    ...(required.length > 0 ? { requiredDimensions: required } : {}),
  };
}

function blockedReason(row: AccountRow, today: LocalDate): string | null {
  if (row.AT13 === '1') return 'It is blocked for manual entry.';
  if (row.AT03 === '1' || row.AT11 === '1') return 'It is a control account, which only its sub-ledger posts to.';
  return outsideValidity(row, today);
}

function outsideValidity(row: AccountRow, today: LocalDate): string | null {
  const from = dateOf(row.VFDT);
  const to = dateOf(row.VTDT);
  if (from !== null && today < from) return `It is valid from ${from} only.`;
  return to !== null && today > to ? `It was valid until ${to}.` : null;
}

/** What the codes of ACR2 to ACR7 mean is not documented; only those that the settings name make a dimension needed. */
function requiredDimensions(row: AccountRow, settings: M3Settings) {
  return [...dimensionNumbers(settings)].flatMap(([dimension, number]) => {
    const rule = row[`ACR${number}` as keyof AccountRow];
    return settings.mandatoryDimensionCodes.includes(rule)
      ? [{ dimension, label: `${dimension === COST_CENTRE ? 'a cost centre' : dimension} (AIT${number})` }]
      : [];
  });
}

function nameOf(row: AccountRow): string {
  return row.TX40 || row.TX15;
}

/** `yyyyMMdd`; null for none, which M3 writes as zeros. */
export function dateOf(text: string): LocalDate | null {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(text.replaceAll('-', ''));
  if (!match || /^0+$/.test(match[0]) || match[1] === '9999') return null;
  return localDate(match.slice(1).join('-'));
}

// ── suppliers ────────────────────────────────────────────────────────────────────────────────

export async function* readSuppliers(client: M3Client): AsyncIterable<LedgerSupplier[]> {
  const call = { program: 'CRS620MI', transaction: 'LstByNumber', inputs: {}, schema: supplierRow };
  for await (const rows of pagesFrom(client, call, 'SUNO', (row) => row.SUNO)) {
    yield rows.map((row) => supplierOf(row, client.settings));
  }
}

export async function findSupplier(client: M3Client, code: string): Promise<SupplierRow | null> {
  return one(client, {
    program: 'CRS620MI',
    transaction: 'GetBasicData',
    inputs: { SUNO: code, CONO: String(client.settings.cono) },
    schema: supplierRow,
  });
}

/** A list that leaves STAT out says nothing against the supplier; M3 checks when the invoice comes. */
export function supplierOf(row: SupplierRow, settings: M3Settings): LedgerSupplier {
  return {
    code: row.SUNO,
    name: row.SUNM,
    active: row.STAT === '' || settings.supplierStatuses.includes(row.STAT),
    currency: /^[A-Z]{3}$/.test(row.CUCD) ? row.CUCD : null,
  };
}

// ── currency and calendar ────────────────────────────────────────────────────────────────────

export async function readLocalCurrency(client: M3Client): Promise<string> {
  const { settings } = client;
  if (settings.localCurrency !== undefined) return settings.localCurrency;
  const division = await one(client, {
    program: 'MNS100MI',
    transaction: 'GetBasicData',
    inputs: { CONO: String(settings.cono), DIVI: settings.divi },
    schema: divisionRow,
  });
  if (division !== null && /^[A-Z]{3}$/.test(division.LOCD)) return division.LOCD;
  throw new ConfigurationError(
    `${TITLE} does not say which currency the books of company ${settings.cono}, division "${settings.divi}" are kept in. Check the division, or enter the currency in the setting localCurrency.`,
    { code: 'LOCAL_CURRENCY_UNKNOWN' },
  );
}

/** No MI transaction for the calendar is documented: it comes from the settings, and M3 itself refuses closed periods. */
export function periodsOf(settings: M3Settings, today: LocalDate): LedgerPeriod[] {
  if (settings.fiscalPeriods) {
    return settings.fiscalPeriods
      .map(({ label, startsOn, endsOn, open }) => {
        return { label, startsOn: localDate(startsOn), endsOn: localDate(endsOn), open, key: { label } };
      })
      .sort((a, b) => (a.startsOn < b.startsOn ? -1 : 1));
  }
  return calendarMonths(today).map(({ year, month, startsOn, endsOn }) => {
    const label = `${year}/${month}`;
    const open = settings.booksOpenFrom === undefined || endsOn >= settings.booksOpenFrom;
    return { label, startsOn, endsOn, open, key: { label } };
  });
}
