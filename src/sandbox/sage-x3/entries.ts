import { convert, decimalsOf, isDay, parseMinor } from './amounts.js';
import { type Analytic, type Entry, type EntryLine, entryField, type Period, type X3Company } from './company.js';
import { type Refusal, words } from './words.js';

/** An analytical line as a caller gave it. Slot 0 is `DIE`/`CCE`, or `DIE1`/`CCE1`. */
export interface AnalyticDraft {
  number: string;
  types: Map<number, string>;
  codes: Map<number, string>;
  /** Empty takes nothing, or the line's whole amount where the surface has no place for an amount. */
  amount: string;
}

export interface LineDraft {
  fields: Map<string, string>;
  analytics: AnalyticDraft[];
}

/** A journal as a caller gave it, by X3's names, dates already yyyy-mm-dd where they could be read. */
export interface EntryDraft {
  fields: Map<string, string>;
  lines: LineDraft[];
  decimalSign?: string;
  origin: 1 | 3;
  /** OPTUPD: replaces a journal with the same TYP and NUM. */
  updateExisting?: boolean;
}

/** Lengths of the texts (reference: data dictionary; DESVCR, DES and NUM are customary values). */
const HEADER_LENGTHS: Record<string, number> = { NUM: 20, DESVCR: 30, REF: 20, REFINT: 25, REFSIM: 25, BPRVCR: 20 };
const LINE_LENGTHS: Record<string, number> = { DES: 30, FREREF: 20, REFINTLIN: 25 };

export const ENTRY_FIELDS: readonly string[] = [
  ...['TYP', 'NUM', 'FCY', 'JOU', 'ACCDAT', 'ENTDAT', 'VALDAT', 'CAT', 'STA', 'CUR', 'DACDIA'],
  ...['DESVCR', 'REF', 'REFINT', 'REFSIM', 'BPRVCR', 'BPRDATVCR'],
];
export const LINE_FIELDS: readonly string[] = [
  ...['LIN', 'ACC', 'BPR', 'SNS', 'AMTCUR', 'DES', 'FREREF', 'REFINTLIN', 'TAX', 'QTY', 'UOM', 'FCYLIN'],
];

export interface WrittenEntry {
  entry: Entry;
  replaced: boolean;
}

/** Checks a journal as the entry screen does and writes it whole, or not at all. REFINT may occur any number of times. */
export function writeEntry(company: X3Company, draft: EntryDraft): WrittenEntry | Refusal {
  const refused: string[] = [];
  const header = checkHeader(company, draft, refused);
  const currency = draft.fields.get('CUR') || company.ledgerCurrency;
  const rate = company.rate(currency);
  if (rate === undefined) refused.push(words.unknown('Currency', currency));
  const decimals = decimalsOf(currency);
  const lines: EntryLine[] = [];
  if (draft.lines.length === 0) refused.push(words.noLines);
  draft.lines.forEach((line, index) => {
    const checked = checkLine(company, draft, line, index + 1, decimals, rate ?? '1', refused);
    if (checked !== undefined) lines.push(checked);
  });
  const balance = lines.reduce((sum, line) => sum + line.amount * BigInt(line.sign), 0n);
  // The balance of what is left after a refused line says nothing.
  if (lines.length === draft.lines.length && balance !== 0n) refused.push(words.unbalanced(currency));
  if (refused.length > 0 || header === undefined) return { refused };
  return commit(company, draft, header, currency, lines);
}

interface CheckedHeader {
  type: string;
  number: string;
  fields: Map<string, string>;
  period: Period;
  existing: Entry | undefined;
}

function checkHeader(company: X3Company, draft: EntryDraft, refused: string[]): CheckedHeader | undefined {
  const fields = new Map(draft.fields);
  const before = refused.length;
  const type = fields.get('TYP') ?? '';
  const entryType = company.settings.entryTypes.find((candidate) => candidate.code === type);
  if (type === '') refused.push(words.mandatory('Entry type'));
  else if (entryType === undefined) refused.push(words.unknown('Entry type', type));
  const site = fields.get('FCY') ?? '';
  if (site === '') refused.push(words.mandatory('Site'));
  else if (site !== company.codes.site) refused.push(words.unknown('Site', site));
  const journal = fields.get('JOU') || entryType?.journal || '';
  if (!company.settings.journals.includes(journal)) refused.push(words.unknown('Journal', journal));
  fields.set('JOU', journal);
  checkMenu(fields, 'CAT', 5, refused);
  checkMenu(fields, 'STA', 2, refused);
  cutTexts(company, fields, HEADER_LENGTHS, refused);
  const number = fields.get('NUM') ?? '';
  const existing = number === '' ? undefined : company.entries.get(`${type}~${number}`);
  if (number !== '') checkNumber(draft, `${type} ${number}`, entryType?.manualNumbers ?? false, existing, refused);
  const period = checkDay(company, fields.get('ACCDAT') ?? '', refused);
  if (refused.length > before || period === undefined) return undefined;
  return { type, number, fields, period, existing };
}

function checkNumber(
  draft: EntryDraft,
  key: string,
  manual: boolean,
  existing: Entry | undefined,
  refused: string[],
): void {
  if (existing === undefined) {
    if (!manual) refused.push(words.automaticNumber);
  } else if (draft.updateExisting !== true) {
    refused.push(words.exists('Entry', key));
  } else if (entryField(existing, 'STA') === '2') {
    refused.push(words.finalEntry(key));
  }
}

function checkMenu(fields: Map<string, string>, name: string, most: number, refused: string[]): void {
  const value = fields.get(name) || '1';
  if (!/^\d$/.test(value) || Number(value) < 1 || Number(value) > most) refused.push(words.invalid(name, value));
  fields.set(name, value);
}

function checkDay(company: X3Company, day: string, refused: string[]): Period | undefined {
  if (day === '') refused.push(words.mandatory('Accounting date'));
  else if (!isDay(day)) refused.push(words.invalid('Accounting date', day));
  else {
    const period = company.periodOf(day);
    if (period?.open === true) return period;
    refused.push(period === undefined ? words.noPeriod(day) : words.periodClosed(day));
  }
  return undefined;
}

function cutTexts(
  company: X3Company,
  fields: Map<string, string>,
  lengths: Readonly<Record<string, number>>,
  refused: string[],
): void {
  for (const [name, length] of Object.entries(lengths)) {
    const value = fields.get(name);
    if (value === undefined || value.length <= length) continue;
    if (company.settings.longText === 'REFUSE') refused.push(words.tooLong(name));
    fields.set(name, value.slice(0, length));
  }
}

function checkLine(
  company: X3Company,
  draft: EntryDraft,
  line: LineDraft,
  position: number,
  decimals: number,
  rate: string,
  refused: string[],
): EntryLine | undefined {
  const before = refused.length;
  const fields = new Map(line.fields);
  cutTexts(company, fields, LINE_LENGTHS, refused);
  const account = fields.get('ACC') ?? '';
  checkAccount(company, account, fields.get('BPR') ?? '', refused);
  const sign = readSign(fields.get('SNS') ?? '');
  if (sign === undefined) refused.push(words.invalid('Sign', fields.get('SNS') ?? ''));
  const amountText = fields.get('AMTCUR') ?? '';
  const amount = parseMinor(amountText, decimals, draft.decimalSign);
  if (amount === undefined || amount <= 0n) refused.push(words.invalid('Amount', amountText));
  if (amount === undefined || sign === undefined) return undefined;
  const analytics = checkAnalytics(company, draft, line, { account, amount, decimals, position }, refused);
  if (refused.length > before) return undefined;
  const ledgerAmount = convert(amount, decimals, decimalsOf(company.ledgerCurrency), rate);
  return { number: position, fields, account, sign, amount, ledgerAmount, analytics };
}

function checkAccount(company: X3Company, code: string, partner: string, refused: string[]): void {
  const account = company.account(code);
  if (code === '') refused.push(words.mandatory('Account'));
  else if (account === undefined) refused.push(words.unknown(`Chart ${company.codes.chart}, account`, code));
  else if (!account.active) refused.push(words.inactive('Account', code));
  if (account?.control === true && partner === '') refused.push(words.partnerNeeded(code));
  if (partner === '') return;
  const supplier = company.suppliers.get(partner);
  if (supplier === undefined) refused.push(words.unknown('BP', partner));
  else if (!supplier.active) refused.push(words.inactive('BP', partner));
}

function readSign(text: string): 1 | -1 | undefined {
  if (text === '1' || text === '+1') return 1;
  return text === '-1' ? -1 : undefined;
}

interface LineFacts {
  account: string;
  amount: bigint;
  decimals: number;
  position: number;
}

/** Analytical rows with the same number are one analytical line; all of them together carry the line's amount. */
function checkAnalytics(
  company: X3Company,
  draft: EntryDraft,
  line: LineDraft,
  facts: LineFacts,
  refused: string[],
): Analytic[] {
  const merged = new Map<string, { codes: Map<string, string>; amount: bigint }>();
  line.analytics.forEach((row, index) => {
    const key = row.number || String(index + 1);
    const amount = row.amount === '' ? 0n : parseMinor(row.amount, facts.decimals, draft.decimalSign);
    if (amount === undefined) refused.push(words.invalid('Analytical amount', row.amount));
    const held = merged.get(key) ?? { codes: new Map<string, string>(), amount: 0n };
    merged.set(key, { codes: held.codes, amount: held.amount > (amount ?? 0n) ? held.amount : (amount ?? 0n) });
    for (const [slot, code] of row.codes) {
      const type = row.types.get(slot) || [...company.dimensionTypes.keys()][slot] || '';
      if (code !== '') held.codes.set(type, checkDimension(company, facts.account, type, code, refused));
    }
  });
  // Rows without an amount count for nothing, although their dimensions are right (reference: import semantics).
  const rows = [...merged.values()].filter((row) => row.amount > 0n);
  const account = company.account(facts.account);
  for (const type of account?.mandatoryTypes ?? []) {
    if (rows.length === 0 || rows.some((row) => !row.codes.has(type))) {
      refused.push(words.dimensionNeeded(facts.account, type));
    }
  }
  const total = rows.reduce((sum, row) => sum + row.amount, 0n);
  if (merged.size > 0 && total !== facts.amount) refused.push(words.distributionUnbalanced(facts.position));
  return rows.map((row, index) => ({ number: index + 1, ...row }));
}

function checkDimension(company: X3Company, account: string, type: string, code: string, refused: string[]): string {
  const dimension = company.dimension(type, code);
  if (!company.dimensionTypes.has(type)) refused.push(words.unknown('Dimension type', type));
  else if (dimension === undefined) refused.push(words.unknown(`Dimension ${type}`, code));
  else if (!dimension.active) refused.push(words.inactive(`Dimension ${type}`, code));
  else if (!dimension.postable) refused.push(words.notPostable(type, code));
  const { forbidden } = company.settings;
  if (forbidden.some((rule) => rule.account === account && rule.type === type && rule.code === code)) {
    refused.push(words.forbidden(account, code));
  }
  return code;
}

function commit(
  company: X3Company,
  draft: EntryDraft,
  header: CheckedHeader,
  currency: string,
  lines: EntryLine[],
): WrittenEntry {
  const { type, fields, period, existing } = header;
  const site = fields.get('FCY') ?? '';
  const year = (fields.get('ACCDAT') ?? '').slice(2, 4);
  const sequence = `${type}${site}${year}`;
  const automatic = (): string => `${site}${year}${String(company.next(sequence)).padStart(7, '0')}`;
  let number = header.number === '' ? automatic() : header.number;
  // Numbers given by hand may have taken one of the sequence's.
  while (header.number === '' && company.entries.get(`${type}~${number}`) !== undefined) number = automatic();
  fields.set('CUR', currency);
  fields.set('NUM', number);
  const now = company.now;
  const entry: Entry = {
    type,
    number,
    fields,
    year: period.year,
    period: period.number,
    origin: draft.origin,
    createdAt: existing?.createdAt ?? now,
    updatedAt: now,
    lines,
  };
  company.write(entry);
  return { entry, replaced: existing !== undefined };
}

/**
 * The slot that a column of dimensions is for: `CCE`, `CCE1`, `CCE(0)` and `CCE_0` are the first.
 * @returns undefined when the name is no such column.
 */
export function dimensionSlot(name: string): { column: 'DIE' | 'CCE'; slot: number } | undefined {
  const match = /^(DIE|CCE)(?:([1-9])|\(([0-8])\)|_([0-8]))?$/.exec(name);
  if (match === null) return undefined;
  const column = match[1] === 'DIE' ? 'DIE' : 'CCE';
  const slot = match[2] === undefined ? Number(match[3] ?? match[4] ?? 0) : Number(match[2]) - 1;
  return { column, slot };
}

/** Builds an analytical draft from the columns of a row; undefined when the row has no dimension. */
export function analyticDraft(row: ReadonlyMap<string, string>, amount: string): AnalyticDraft | undefined {
  const draft: AnalyticDraft = { number: row.get('ANALIN') ?? '', types: new Map(), codes: new Map(), amount };
  for (const [name, value] of row) {
    const place = dimensionSlot(name);
    if (place === undefined || value === '') continue;
    (place.column === 'DIE' ? draft.types : draft.codes).set(place.slot, value);
  }
  return draft.codes.size === 0 ? undefined : draft;
}

/** @returns the first journal with that internal reference: X3 itself allows any number of them. */
export function withReference(company: X3Company, reference: string): Entry | undefined {
  return reference === '' ? undefined : company.entries.withValue('REFINT', reference)?.[0];
}
