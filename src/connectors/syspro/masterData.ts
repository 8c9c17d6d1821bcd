import { UnreadableReplyError } from '../../errors.js';
import type { LedgerAccount, LedgerDimensionValue, LedgerSupplier } from '../contract.js';
import type { Expression, FindQuery, SysproClient } from './client.js';
import { costCentreSectionOf, type SysproSettings, sectionOf } from './config.js';
import { bareKey, sameKey } from './mapper.js';
import { type AccountRow, accountRow, type SupplierRow, supplierRow } from './wire.js';

/** Accounts, suppliers and cost centres, read with COMFND in pages behind the last key. */

/** The largest page is not documented; a smaller one that comes back does no harm, because only an empty page ends a list. */
const PAGE_ROWS = 1000;
/** Far above any chart of accounts: a ledger that never comes to an end is not waited for. */
const PAGES_MAX = 5000;

export const COST_CENTRE = 'costCentre';

/** The local currency code is whatever the company entered, often a symbol. */
export function isoCurrency(code: string, mapping: Readonly<Record<string, string>>): string | null {
  const mapped = mapping[code.trim()];
  if (mapped !== undefined) return mapped;
  return /^[A-Z]{3}$/.test(code.trim()) ? code.trim() : null;
}

export async function* readAccounts(client: SysproClient, settings: SysproSettings): AsyncIterable<LedgerAccount[]> {
  const query = {
    table: 'GenMaster',
    columns: ['GlCode', 'Description', 'AccountType', 'AccOnHldFlag', 'ControlAccFlag'],
    key: 'GlCode',
  };
  for await (const rows of pages(client, query, accountRow, (row) => row.glcode)) {
    yield rows.map((row) => accountOf(row, settings));
  }
}

export function accountOf(row: AccountRow, settings: Pick<SysproSettings, 'ignoreWarnings'>): LedgerAccount {
  return {
    code: row.glcode,
    name: row.description,
    active: row.acconhldflag.toUpperCase() !== 'Y',
    blockedReason: blockedReason(row, settings),
  };
}

function blockedReason(row: AccountRow, settings: Pick<SysproSettings, 'ignoreWarnings'>): string | null {
  const type = row.accounttype.toUpperCase();
  if (type === 'T') return 'It is a template account, which holds no postings.';
  if (type === 'S') return 'It is a statistical account, which holds no money.';
  const isControl = row.controlaccflag !== '' && row.controlaccflag.toUpperCase() !== 'N';
  // SYSPRO only warns about control accounts, and whether a warning rejects is a setting.
  if (isControl && settings.ignoreWarnings === 'N')
    return 'It is a control account, which only its sub-ledger posts to.';
  return null;
}

const SUPPLIER_COLUMNS = ['Supplier', 'SupplierName', 'OnHold', 'Currency'] as const;

export async function* readSuppliers(client: SysproClient, settings: SysproSettings): AsyncIterable<LedgerSupplier[]> {
  const query = { table: 'ApSupplier', columns: SUPPLIER_COLUMNS, key: 'Supplier' };
  for await (const rows of pages(client, query, supplierRow, (row) => row.supplier)) {
    yield rows.map((row) => supplierOf(row, settings));
  }
}

export function supplierOf(row: SupplierRow, settings: Pick<SysproSettings, 'localCurrency'>): LedgerSupplier {
  return {
    code: row.supplier,
    name: row.suppliername,
    active: row.onhold.toUpperCase() !== 'Y',
    currency: isoCurrency(row.currency, settings.localCurrency),
  };
}

const STORED_KEY_LENGTH = 15;

/** The supplier with that key; a numeric key is stored with leading zeros and shown in a length of the site's. */
export async function findSupplier(client: SysproClient, code: string): Promise<SupplierRow | null> {
  const bare = bareKey(code);
  const forms = /^\d+$/.test(bare) ? [...new Set([code, bare, bare.padStart(STORED_KEY_LENGTH, '0')])] : [code];
  const where = forms.map((value, index): Expression => {
    return { ...(index > 0 ? { andOr: 'Or' } : {}), column: 'Supplier', condition: 'EQ', value };
  });
  const query = {
    table: 'ApSupplier',
    columns: SUPPLIER_COLUMNS,
    where,
    orderBy: ['Supplier'],
    rows: forms.length * 2,
  };
  const rows = await client.find(query, supplierRow);
  return rows.find((row) => sameKey(row.supplier, code)) ?? null;
}

/** Cost centres have no list in SYSPRO: they are the values that their section has in the chart of accounts. */
export async function* readCostCentres(
  client: SysproClient,
  settings: SysproSettings,
): AsyncIterable<LedgerDimensionValue[]> {
  const section = costCentreSectionOf(settings);
  if (section === null) return;
  const seen = new Map<string, boolean>();
  for await (const accounts of readAccounts(client, settings)) {
    for (const account of accounts) {
      const code = sectionOf(account.code, section);
      if (code !== null) seen.set(code, (seen.get(code) ?? false) || account.active);
    }
  }
  yield [...seen]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, active]) => ({ dimension: COST_CENTRE, code, name: code, active }));
}

async function* pages<T>(
  client: SysproClient,
  list: { table: string; columns: readonly string[]; key: string },
  schema: Parameters<typeof client.find<T>>[1],
  keyOf: (row: T) => string,
): AsyncIterable<T[]> {
  let last: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const where: FindQuery['where'] = last === null ? [] : [{ column: list.key, condition: 'GT', value: last }];
    const rows = await client.find({ ...list, where, orderBy: [list.key], rows: PAGE_ROWS }, schema);
    const final = rows.at(-1);
    if (final === undefined) return;
    if (keyOf(final) === last) break;
    yield rows;
    last = keyOf(final);
  }
  throw new UnreadableReplyError(`SYSPRO's list of ${list.table} does not come to an end.`);
}
