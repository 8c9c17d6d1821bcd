import type { LedgerAccount, LedgerDimensionValue, LedgerSupplier } from '../contract.js';
import type { SageX3Settings } from './config.js';
import { dateOf } from './mapper.js';
import type { Row, X3Reader } from './reader.js';

/** Accounts, suppliers and dimension values from X3's columns. Yes and No are the local menu 2 and 1. */

function isYes(value: string | undefined, otherwise: boolean): boolean {
  const text = (value ?? '').toLowerCase();
  if (text === '2' || text === 'true') return true;
  return text === '1' || text === 'false' ? false : otherwise;
}

export async function* readAccounts(
  reader: X3Reader,
  settings: SageX3Settings,
  today: string,
): AsyncIterable<LedgerAccount[]> {
  for await (const rows of reader.accounts()) {
    const ours = rows.filter((row) => row.ACC && belongsToChart(row, settings));
    yield ours.map((row) => accountOf(row, settings, today));
  }
}

/** The same account code can exist in several charts. */
function belongsToChart(row: Row, { chart }: SageX3Settings): boolean {
  return chart === undefined || (row.COA ?? '') === '' || row.COA === chart;
}

export function accountOf(row: Row, settings: SageX3Settings, today: string): LedgerAccount {
  return {
    code: row.ACC ?? '',
    name: row.DES || row.DESTRA || row.DESSHO || row.SHOTRA || (row.ACC ?? ''),
    active: isYes(row.ENAFLG, true),
    blockedReason: blockedReason(row, settings, today),
  };
}

function blockedReason(row: Row, settings: SageX3Settings, today: string): string | null {
  const control = row.SAC ?? '';
  if (control !== '' && !settings.journal.partnerAccounts.includes(row.ACC ?? '')) {
    return 'It is a control account, whose lines need a business partner. List it in the setting journal.partnerAccounts to post suppliers to it.';
  }
  if (isOver(row, today)) return `It was valid until ${dateOf(row.VLYEND ?? '')} only.`;
  return belongsElsewhere(row, settings) ? `It is restricted to ${row.FCY}.` : null;
}

function isOver(row: Row, today: string): boolean {
  const end = dateOf(row.VLYEND ?? '');
  return end !== null && end < today;
}

/** A restriction is a site, a company or a group of them; of a group only X3 knows the members. */
function belongsElsewhere(row: Row, settings: SageX3Settings): boolean {
  const only = row.FCY ?? '';
  return only !== '' && settings.company !== undefined && only !== settings.site && only !== settings.company;
}

export async function* readSuppliers(reader: X3Reader): AsyncIterable<LedgerSupplier[]> {
  for await (const rows of reader.suppliers()) yield rows.filter((row) => row.BPSNUM).map(supplierOf);
}

/** Prospects and suppliers on payment hold take no postings. */
export function supplierOf(row: Row): LedgerSupplier {
  const isNormal = (row.BPSTYP ?? '') === '' || row.BPSTYP === '1';
  return {
    code: row.BPSNUM ?? '',
    name: row.BPSNAM || row.BPSSHO || (row.BPSNUM ?? ''),
    active: isYes(row.ENAFLG, true) && isNormal && !isYes(row.PAYLOKFLG, false),
    currency: /^[A-Z]{3}$/.test(row.CUR ?? '') ? (row.CUR ?? null) : null,
  };
}

/** Values of the dimension types that the settings map, under our names for them. */
export async function* readDimensionValues(
  reader: X3Reader,
  settings: SageX3Settings,
  today: string,
): AsyncIterable<LedgerDimensionValue[]> {
  const names = new Map(Object.entries(settings.dimensionTypes).map(([name, type]) => [type, name]));
  if (names.size === 0) return;
  for await (const rows of reader.dimensions()) {
    yield rows.flatMap((row) => {
      const dimension = names.get(row.DIE ?? '');
      if (dimension === undefined || !row.CCE) return [];
      // IPT: only chargeable values take postings.
      const active =
        isYes(row.ENAFLG, true) && isYes(row.IPT, true) && !isOver(row, today) && !belongsElsewhere(row, settings);
      return [{ dimension, code: row.CCE, name: row.DES || row.DESSHO || row.CCE, active }];
    });
  }
}
