import { addDays, type LocalDate } from '../../domain/localDate.js';
import { decimalOfMinor } from '../../domain/money.js';
import type { DocumentQuery, FoundDocument } from '../contract.js';
import type { M3Client } from './client.js';
import { listAsFarAs, truncated, wholeList } from './lists.js';
import { minorOf, ymd8 } from './mapper.js';
import { type VoucherRow, voucherRow } from './wire.js';

/**
 * Asking the general ledger for vouchers by our reference: GLS200MI, day by day, by the beginning of VTXT. The answer
 * decides whether a write is sent again, so a list that may have been cut off is an error here and never an absence.
 */

/** More vouchers than this on one day are not opened one by one, where the list itself shows no texts. */
const VOUCHERS_OPENED_MAX = 500;

/** Stands for the currency of a voucher that names none, where the settings name no local one either: two decimals. */
const NO_CURRENCY = '';

export interface VoucherKey {
  readonly year: string;
  readonly series: string;
  readonly number: string;
}

export async function findVouchers(client: M3Client, queries: readonly DocumentQuery[]): Promise<FoundDocument[]> {
  const found = new Map<string, FoundDocument>();
  for (const [day, references] of byDay(queries, client.settings.voucherSearchDays)) {
    for (const document of await findOnDay(client, day, references)) {
      found.set(`${document.reference} ${document.ledgerDocumentId}`, document);
    }
  }
  return [...found.values()];
}

function byDay(queries: readonly DocumentQuery[], daysAfter: number): Map<LocalDate, Set<string>> {
  const days = new Map<LocalDate, Set<string>>();
  for (const { postingDate, reference } of queries) {
    for (let offset = 0; offset <= daysAfter; offset += 1) {
      const day = addDays(postingDate, offset);
      days.set(day, (days.get(day) ?? new Set()).add(reference));
    }
  }
  return days;
}

async function findOnDay(client: M3Client, day: LocalDate, references: ReadonlySet<string>): Promise<FoundDocument[]> {
  const call = {
    program: 'GLS200MI',
    transaction: 'LstVouchersByDt',
    // From and to are taken to be inclusive: a day at a time keeps below the cap.
    inputs: { FRDT: ymd8(day), TODT: ymd8(day), DIVI: client.settings.divi },
    schema: voucherRow,
  };
  const { rows, isWhole } = await listAsFarAs(client, call);
  const documents: FoundDocument[] = [];
  for (const [reference, key] of await matches(client, rows, references)) {
    const document = await readVoucher(client, key, reference);
    if (document !== null) documents.push(document);
  }
  const isAnyMissing = [...references].some((reference) => !documents.some((one) => one.reference === reference));
  if (!isWhole && isAnyMissing) throw truncated(call, rows.length);
  return documents;
}

/** Which vouchers carry which of the references; vouchers that are listed without a text are opened. */
async function matches(
  client: M3Client,
  rows: readonly VoucherRow[],
  references: ReadonlySet<string>,
): Promise<[string, VoucherKey][]> {
  const found = new Map<string, [string, VoucherKey]>();
  const silent = new Map<string, VoucherKey>();
  for (const row of rows) {
    const key = keyOf(row);
    const id = voucherId(key);
    if (row.VTXT === undefined) silent.set(id, key);
    const reference = referenceIn(row.VTXT ?? '', references);
    if (reference !== null) found.set(`${reference} ${id}`, [reference, key]);
  }
  if (silent.size > VOUCHERS_OPENED_MAX) {
    throw truncated({ program: 'GLS200MI', transaction: 'LstVouchersByDt' }, silent.size);
  }
  for (const [id, key] of silent) {
    for (const line of await linesOf(client, key)) {
      const reference = referenceIn(line.VTXT ?? '', references);
      if (reference !== null) found.set(`${reference} ${id}`, [reference, key]);
    }
  }
  return [...found.values()];
}

function referenceIn(text: string, references: ReadonlySet<string>): string | null {
  const [first = ''] = text.trim().split(/\s/, 1);
  return references.has(first) ? first : null;
}

function linesOf(client: M3Client, key: VoucherKey): Promise<VoucherRow[]> {
  const { cono, divi } = client.settings;
  return wholeList(client, {
    program: 'GLS200MI',
    transaction: 'LstVoucherLines',
    inputs: { DIVI: divi, YEA4: key.year, VONO: key.number, CONO: String(cono), VSER: key.series },
    schema: voucherRow,
  });
}

/**
 * One voucher with the lines that carry the reference: M3 may add lines of its own (tax, rounding, exchange differences).
 * @returns null when no line of it carries the reference.
 */
export async function readVoucher(client: M3Client, key: VoucherKey, reference: string): Promise<FoundDocument | null> {
  const all = await linesOf(client, key);
  const lines = all.filter(
    (line) => sameVoucher(keyOf(line), key) && referenceIn(line.VTXT ?? '', new Set([reference])) !== null,
  );
  const [first] = lines;
  if (first === undefined) return null;
  const currency = first.CUCD || null;
  const scale = currency ?? client.settings.localCurrency ?? NO_CURRENCY;
  const minors = lines.map((line) => signedAmount(line, scale, client.settings.gl.creditMark));
  const debit = minors.reduce((sum, minor) => (minor > 0n ? sum + minor : sum), 0n);
  const credit = minors.reduce((sum, minor) => (minor < 0n ? sum - minor : sum), 0n);
  return {
    reference,
    ledgerDocumentId: voucherId(key),
    currency,
    totalDebit: decimalOfMinor(debit, scale),
    totalCredit: decimalOfMinor(credit, scale),
    lineCount: lines.length,
    // The general ledger holds nothing that is not posted.
    isPosted: true,
  };
}

/** Amounts carry their sign; where a release shows them without one, DBCR says that it is a credit. */
function signedAmount(line: VoucherRow, currency: string, creditMark: string): bigint {
  const foreign = minorOf(line.CUAM, currency);
  const minor = foreign === 0n ? minorOf(line.ACAM, currency) : foreign;
  return minor > 0n && line.DBCR.toUpperCase() === creditMark.toUpperCase() ? -minor : minor;
}

function keyOf(row: VoucherRow): VoucherKey {
  return { year: row.YEA4, series: row.VSER, number: row.VONO };
}

function sameVoucher(a: VoucherKey, b: VoucherKey): boolean {
  return voucherId({ ...a, series: a.series || b.series }) === voucherId({ ...b, series: b.series || a.series });
}

/** `2026/410/10000123`: year, series and number identify a voucher together. */
export function voucherId(key: VoucherKey): string {
  return `${key.year}/${key.series || '-'}/${key.number.replace(/^0+(?=\d)/, '')}`;
}

export function voucherKey(id: string): VoucherKey | null {
  const match = /^(\d{4})\/([^/]+)\/(\d+)$/.exec(id);
  return match
    ? { year: match[1] ?? '', series: match[2] === '-' ? '' : (match[2] ?? ''), number: match[3] ?? '' }
    : null;
}
