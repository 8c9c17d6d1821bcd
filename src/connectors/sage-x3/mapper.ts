import { decimalOfMinor, moneyFromDecimal } from '../../domain/money.js';
import { InputError, InvariantError, UnreadableReplyError } from '../../errors.js';
import type { FoundDocument, LedgerDocument, LedgerDocumentLine } from '../contract.js';
import { hasReferenceInText, type SageX3Settings, slotsOf } from './config.js';
import type { JournalKey, JournalRecord, Row } from './reader.js';
import { fieldText } from './xml.js';

/** Journals to X3's columns and back. Pure. Amounts are positive, SNS is the side: +1 debit, -1 credit. */

const NAME_OF_COST_CENTRE = 'costCentre';

export interface MappedLine {
  readonly fields: Row;
  /** ANALIN, DIE1…, CCE1… and the amount; null when the line carries no dimension. */
  readonly analytical: Row | null;
}

export interface MappedJournal {
  readonly header: Row;
  /** Lines with a value; those of zero are not sent. */
  readonly lines: readonly MappedLine[];
  readonly totalMinor: bigint;
  /** What of the document has no place in X3. */
  readonly warnings: readonly string[];
}

// ── to X3 ────────────────────────────────────────────────────────────────────────────────────

/** Dates are `YYYYMMDD` and amounts exact decimal text; each way of writing gives them its own form. @throws InvariantError */
export function mapJournal(document: LedgerDocument, settings: SageX3Settings): MappedJournal {
  const signed = signedLines(document);
  const { journal } = settings;
  const header: Row = {
    TYP: settings.entryType,
    FCY: settings.site,
    CPY: settings.company ?? '',
    JOU: settings.journalCode ?? '',
    DACDIA: journal.transaction ?? '',
    ACCDAT: document.postingDate.replaceAll('-', ''),
    CUR: document.currency,
    STA: journal.status === 'final' ? '2' : '1',
    CAT: '1',
    DESVCR: fieldText(document.description, journal.descriptionLength),
    REFINT: document.reference,
    BPRVCR: journal.copyReference ? document.reference : '',
  };
  const slots = slotsOf(settings);
  return {
    header,
    lines: signed.map(({ line, minor }, index) => mappedLine(document, line, minor, index + 1, settings, slots)),
    totalMinor: totalOf(document, signed),
    warnings: notSent(document, settings),
  };
}

function mappedLine(
  document: LedgerDocument,
  line: LedgerDocumentLine,
  minor: bigint,
  lineNumber: number,
  settings: SageX3Settings,
  slots: readonly string[],
): MappedLine {
  const { journal } = settings;
  const amount = decimalOfMinor(minor < 0n ? -minor : minor, document.currency);
  const side = minor < 0n ? '-1' : '1';
  const memo = line.memo ?? document.description;
  const text = hasReferenceInText(settings) ? `${document.reference} ${memo}` : memo;
  const isPartnerLine = journal.partnerAccounts.includes(line.glAccount);
  const fields: Row = {
    LIN: String(lineNumber),
    LEDTYP: settings.ledgerType,
    FCYLIN: settings.site,
    ACC: line.glAccount,
    BPR: isPartnerLine ? (document.supplierCode ?? '') : '',
    SNS: side,
    AMTCUR: amount,
    DES: fieldText(text, journal.memoLength),
    REFINTLIN: document.reference,
    TAX: journal.taxCodes ? (line.taxCode ?? '') : '',
  };
  const analytical = analyticalOf(line, settings, slots);
  return {
    fields,
    analytical:
      analytical === null ? null : { LIN: String(lineNumber), ANALIN: '1', AMTCUR: amount, SNS: side, ...analytical },
  };
}

/**
 * One analytical row with all dimensions side by side: a row each would distribute the amount several times. It carries the
 * amount, because X3 refuses rows without one (errors 25 and 97).
 */
function analyticalOf(line: LedgerDocumentLine, settings: SageX3Settings, slots: readonly string[]): Row | null {
  const given = new Map<string, string>();
  for (const [name, code] of dimensionsOf(line)) {
    const type = settings.dimensionTypes[name];
    if (type !== undefined) given.set(type, code);
  }
  if (given.size === 0) return null;
  const row: Record<string, string> = {};
  slots.forEach((type, index) => {
    const code = given.get(type);
    if (code === undefined) return;
    row[`DIE${index + 1}`] = type;
    row[`CCE${index + 1}`] = code;
  });
  return row;
}

function dimensionsOf(line: LedgerDocumentLine): [string, string][] {
  const named = Object.entries(line.dimensions).filter(([, code]) => code !== '');
  return line.costCentre === null ? named : [...named, [NAME_OF_COST_CENTRE, line.costCentre]];
}

function notSent(document: LedgerDocument, settings: SageX3Settings): string[] {
  const names = new Set(document.lines.flatMap((line) => dimensionsOf(line).map(([name]) => name)));
  const lost = [...names].filter((name) => settings.dimensionTypes[name] === undefined);
  const taxCodes = settings.journal.taxCodes ? [] : [...new Set(document.lines.flatMap((line) => line.taxCode ?? []))];
  return [
    ...lost.map((name) => `Dimension ${name} was not sent: this connection's settings map it to no dimension type.`),
    ...taxCodes.map((code) => `Tax code ${code} was not sent: the tax is posted to its GL account only.`),
  ];
}

interface SignedLine {
  readonly line: LedgerDocumentLine;
  /** Minor units; debit positive. */
  readonly minor: bigint;
}

function signedLines(document: LedgerDocument): SignedLine[] {
  return [...document.lines]
    .sort((a, b) => a.lineNumber - b.lineNumber)
    .map((line) => ({
      line,
      minor:
        moneyFromDecimal(line.debit, document.currency).minor - moneyFromDecimal(line.credit, document.currency).minor,
    }))
    .filter(({ minor }) => minor !== 0n);
}

function totalOf(document: LedgerDocument, lines: readonly SignedLine[]): bigint {
  const debit = lines.reduce((sum, { minor }) => (minor > 0n ? sum + minor : sum), 0n);
  const credit = lines.reduce((sum, { minor }) => (minor < 0n ? sum - minor : sum), 0n);
  const stated = moneyFromDecimal(document.total, document.currency).minor;
  if (debit !== credit || debit !== stated || debit === 0n) {
    throw new InvariantError('A journal that is not balanced, or empty, reached Sage X3.', {
      detail: { reference: document.reference, total: document.total },
    });
  }
  return debit;
}

// ── from X3 ──────────────────────────────────────────────────────────────────────────────────

/** X3's own notation of a composite key. */
export function journalId(key: JournalKey): string {
  return `${key.type}~${key.number}`;
}

/** null = not the id of a journal. */
export function journalKeyOf(id: string): JournalKey | null {
  const [type = '', ...rest] = id.split('~');
  const number = rest.join('~');
  return type === '' || number === '' ? null : { type, number };
}

interface FoundLine {
  readonly account: string;
  /** Minor units; debit positive. */
  readonly minor: bigint;
}

export function linesOf(journal: JournalRecord, currency: string, ledgerType: string): FoundLine[] {
  return journal.lines
    .filter((line) => (line.LEDTYP ?? '') === '' || Number(line.LEDTYP) === Number(ledgerType))
    .map((line) => ({ account: line.ACC ?? '', minor: signedAmount(line, currency) }))
    .filter(({ minor }) => minor !== 0n);
}

/**
 * Totals are added up from the lines of one ledger type: the same line is there once for each type of ledger.
 * @param currencyAsked the currency to read amounts in where X3 does not show it.
 */
export function foundOf(journal: JournalRecord, reference: string, settings: SageX3Settings): FoundDocument {
  const currency = journal.header.CUR || null;
  const lines = linesOf(journal, currency ?? settings.localCurrency ?? 'USD', settings.ledgerType);
  const sum = (side: 1n | -1n) =>
    lines.reduce((total, { minor }) => (minor * side > 0n ? total + minor * side : total), 0n);
  const decimal = (minor: bigint) => decimalOfMinor(minor, currency ?? settings.localCurrency ?? 'USD');
  return {
    reference,
    ledgerDocumentId: journalId(journal.key),
    currency,
    totalDebit: decimal(sum(1n)),
    totalCredit: decimal(sum(-1n)),
    lineCount: lines.length,
    isPosted: isPosted(journal.header, settings),
  };
}

/** Simulations, templates and off-balance entries (CAT 2 to 5) are not in the books; temporary ones are. */
export function isPosted(header: Row, settings: Pick<SageX3Settings, 'journal'>): boolean {
  const category = header.CAT ?? '';
  if (category !== '' && Number(category) !== 1) return false;
  return !settings.journal.countsOnlyFinal || Number(header.STA ?? '') === 2;
}

/** Why what the ledger holds is not what was sent; null when it is the same. */
export function differenceOf(
  document: LedgerDocument,
  mapped: MappedJournal,
  journal: JournalRecord,
  settings: SageX3Settings,
): string | null {
  const { header } = journal;
  const differs = (column: string, wanted: string, form: (text: string) => string = (text) => text) => {
    const shown = header[column] ?? '';
    return shown === '' || form(shown) === wanted ? null : `${column} is ${shown} instead of ${wanted}`;
  };
  const first =
    differs('REFINT', document.reference) ??
    differs('FCY', settings.site) ??
    differs('ACCDAT', document.postingDate, (text) => dateOf(text) ?? text) ??
    differs('CUR', document.currency);
  if (first !== null) return first;
  if (!isPosted(header, settings)) {
    return `it is not in the books (category ${header.CAT || 'unknown'}, status ${header.STA || 'unknown'})`;
  }
  const lines = linesOf(journal, document.currency, settings.ledgerType);
  if (lines.length !== mapped.lines.length) return `it has ${lines.length} lines instead of ${mapped.lines.length}`;
  const debit = lines.reduce((sum, { minor }) => (minor > 0n ? sum + minor : sum), 0n);
  const credit = lines.reduce((sum, { minor }) => (minor < 0n ? sum - minor : sum), 0n);
  if (debit !== mapped.totalMinor || credit !== mapped.totalMinor) {
    return `its total is not ${decimalOfMinor(mapped.totalMinor, document.currency)}`;
  }
  const form = (line: FoundLine) => `${line.account} ${line.minor}`;
  const sent = mapped.lines.map(({ fields }) =>
    form({ account: fields.ACC ?? '', minor: signedAmount(fields, document.currency) }),
  );
  const isSame = sent.sort().join('|') === lines.map(form).sort().join('|');
  return isSame ? null : 'its lines are on other accounts or have other amounts';
}

function signedAmount(line: Row, currency: string): bigint {
  const side = Number(line.SNS);
  if (side !== 1 && side !== -1) throw new UnreadableReplyError('Sage X3 shows a journal line without its side (SNS).');
  return minorOf(line.AMTCUR ?? '', currency) * BigInt(side);
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d+))?$/;

/** @throws UnreadableReplyError no plain decimal, or more decimals than the currency has. */
export function minorOf(text: string, currency: string): bigint {
  const [whole, sign = '', digits = '', fraction = ''] = DECIMAL.exec(text.trim()) ?? [];
  try {
    if (whole === undefined || digits + fraction === '') throw new InputError('not an amount');
    const minor = moneyFromDecimal(`${digits || '0'}.${fraction || '0'}`, currency).minor;
    return sign === '-' ? -minor : minor;
  } catch (error) {
    if (error instanceof InputError) throw new UnreadableReplyError('Sage X3 shows an amount that cannot be read.');
    throw error;
  }
}

/** `YYYY-MM-DD` of a date as REST (`2026-11-19`, with or without a time) or SOAP (`20261119`) writes it; null = no date. */
export function dateOf(text: string): string | null {
  const match = /^(\d{4})-?(\d{2})-?(\d{2})(?:T.*)?$/.exec(text.trim());
  if (!match) return null;
  const [, year = '', month = '', day = ''] = match;
  // X3's tables hold no empty date; this one and the zeros stand for it.
  if (year === '0000' || (year === '1599' && month === '12')) return null;
  return `${year}-${month}-${day}`;
}
