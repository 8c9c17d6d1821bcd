import { createHash } from 'node:crypto';
import { decimalOfMinor, exponentOf, moneyFromDecimal } from '../../domain/money.js';
import { ErpRejectedError, InvariantError, UnreadableReplyError } from '../../errors.js';
import type { LedgerDocument, LedgerDocumentLine } from '../contract.js';
import { dimensionNumbers, type LayoutField, type M3Settings } from './config.js';
import { TITLE } from './failures.js';

/** Documents to M3's fields, and M3's amounts back. Pure: signs, dates, texts and accounting strings are decided here. */

/** VTXT. */
const TEXT_LENGTH = 40;
/** KEY1, and the whole reference. */
export const KEY_LENGTH = 15;

export type Fields = Readonly<Record<string, string | undefined>>;

export interface SignedLine {
  readonly line: LedgerDocumentLine;
  /** Minor units; debit positive. */
  readonly minor: bigint;
}

/** Lines with a value, in order of their numbers. */
export function signedLines(document: LedgerDocument): SignedLine[] {
  return [...document.lines]
    .sort((a, b) => a.lineNumber - b.lineNumber)
    .map((line) => ({
      line,
      minor:
        moneyFromDecimal(line.debit, document.currency).minor - moneyFromDecimal(line.credit, document.currency).minor,
    }))
    .filter(({ minor }) => minor !== 0n);
}

export function totalOf(document: LedgerDocument, lines: readonly SignedLine[]): bigint {
  const debit = lines.reduce((sum, { minor }) => (minor > 0n ? sum + minor : sum), 0n);
  const credit = lines.reduce((sum, { minor }) => (minor < 0n ? sum - minor : sum), 0n);
  const stated = moneyFromDecimal(document.total, document.currency).minor;
  if (debit !== credit || debit !== stated || debit === 0n) {
    throw new InvariantError(`A document that is not balanced, or empty, reached ${TITLE}.`, {
      detail: { reference: document.reference, total: document.total },
    });
  }
  return debit;
}

/** AIT1 is the account, AIT2 to AIT7 what the settings say. */
export function accountingString(line: LedgerDocumentLine, settings: M3Settings): Record<string, string> {
  const numbers = dimensionNumbers(settings);
  const values: Record<string, string> = { AIT1: line.glAccount };
  const dimensions = { ...line.dimensions, ...(line.costCentre === null ? {} : { costCentre: line.costCentre }) };
  for (const [name, value] of Object.entries(dimensions)) {
    const number = numbers.get(name);
    if (number !== undefined) values[`AIT${number}`] = value;
  }
  return values;
}

export function taxCodeOf(line: LedgerDocumentLine, settings: M3Settings): string | undefined {
  if (line.taxCode === null || settings.taxCodes === 'none') return undefined;
  if (settings.taxCodes === 'tax-lines' && line.role !== 'TAX') return undefined;
  return settings.taxCodeMap[line.taxCode] ?? line.taxCode;
}

/** What of the document has no place in what is sent. */
export function notSent(document: LedgerDocument, settings: M3Settings): string[] {
  const numbers = dimensionNumbers(settings);
  const names = document.lines.flatMap((line) => [
    ...Object.keys(line.dimensions),
    ...(line.costCentre === null ? [] : ['costCentre']),
  ]);
  const taxCodes = document.lines.filter((line) => line.taxCode !== null && taxCodeOf(line, settings) === undefined);
  return [
    ...[...new Set(names)]
      .filter((name) => !numbers.has(name))
      .map((name) => `Dimension ${name} was not sent: no AITn is set for it in this connection's settings.`),
    ...[...new Set(taxCodes.map((line) => line.taxCode))].map(
      (code) => `Tax code ${code} was not sent: the setting taxCodes leaves it off such lines.`,
    ),
  ];
}

/** The reference first, because that is what the ledger is searched for; the rest as far as it fits. */
export function voucherText(reference: string, text: string, memoLength: number): string {
  const rest = plainText(text).slice(0, memoLength);
  return `${reference} ${rest}`.trim().slice(0, TEXT_LENGTH);
}

/** One line of printable text: control characters could end a positional field. */
export function plainText(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
}

export function ymd8(day: string): string {
  return day.replaceAll('-', '');
}

// ── GL voucher ───────────────────────────────────────────────────────────────────────────────

export interface MappedJournal {
  readonly head: Fields;
  /** In order; each with the LINE that it has in the batch. */
  readonly lines: readonly Fields[];
  /** A line with which the batch never balances; see `journals.ts`. */
  readonly spoiler: Fields;
  readonly totalMinor: bigint;
  readonly warnings: readonly string[];
}

/**
 * The batch of a journal, for the key that it is written under.
 * @throws ErpRejectedError no interface is set, or the document does not fit; nothing was sent.
 */
export function journalBatch(document: LedgerDocument, key: string, settings: M3Settings): MappedJournal {
  const { gl, cono, divi, journalInterface } = settings;
  if (journalInterface === undefined) {
    throw new ErpRejectedError(
      'Journals cannot be posted to Infor M3 before the setting journalInterface names the interface (GLS850) they come in by. Nothing was sent.',
      { code: 'INTERFACE_NOT_SET' },
    );
  }
  const lines = signedLines(document);
  const totalMinor = totalOf(document, lines);
  if (lines.length > settings.maxLines) {
    throw new ErpRejectedError(
      `The document has ${lines.length} lines, and maxLines is ${settings.maxLines}. Nothing was sent.`,
    );
  }
  const common = { CONO: String(cono), KEY1: key, DIVI: divi };
  const values = lines.map((line) => glLine(document, line, settings));
  const seal = sealOf(values);
  const desc = plainText(`${document.reference} ${document.description}`).slice(0, 40);
  const withNumber = (fields: Fields, LINE: string): Fields => {
    if (gl.usage === 'field') return { ...common, LINE, ...fields };
    return { ...common, LINE, PARM: positional(fields, gl.layout ?? [], divi) };
  };
  const [first] = lines;
  if (first === undefined) throw new InvariantError(`A journal without lines reached ${TITLE}.`);
  return {
    head: { ...common, INTN: journalInterface, DESC: desc },
    // Made from the content, but for the second one's; what that is good for is told in `journals.ts`.
    lines: values.map((fields, index) => withNumber(fields, String(index === 1 ? FIXED_LINE : seal + index))),
    spoiler: withNumber(glLine(document, { ...first, minor: totalMinor * SPOILING_FACTOR }, settings), SPOILING_LINE),
    totalMinor,
    warnings: notSent(document, settings),
  };
}

function glLine(
  document: LedgerDocument,
  { line, minor }: SignedLine,
  settings: M3Settings,
): Record<string, string | undefined> {
  const { gl } = settings;
  const isUnsigned = gl.sign === 'debit-credit';
  return {
    INRI: gl.recordIdentity,
    GRNR: gl.groupNumber || undefined,
    ...accountingString(line, settings),
    CUCD: document.currency,
    CUAM: decimalOfMinor(isUnsigned && minor < 0n ? -minor : minor, document.currency),
    DBCR: isUnsigned ? (minor < 0n ? gl.creditMark : gl.debitMark) : undefined,
    CRTP: gl.rateType,
    ACDT: ymd8(document.postingDate),
    VTCD: taxCodeOf(line, settings),
    VTXT: voucherText(document.reference, line.memo ?? document.description, settings.memoLength),
  };
}

/** PARM: one string, each value at its place. @throws ErpRejectedError a value is wider than its place. */
function positional(values: Fields, layout: readonly LayoutField[], division: string): string {
  if (layout.length === 0) {
    throw new ErpRejectedError(
      'With usage "position" the setting gl.layout must say where each value stands, as the interface in GLS850 does. Nothing was sent.',
      { code: 'LAYOUT_NOT_SET' },
    );
  }
  const all: Fields = { DIVI: division, ...values };
  const characters = Array.from({ length: Math.max(...layout.map((field) => field.to)) }, () => ' ');
  for (const { field, from, to, align, pad } of layout) {
    const width = to - from + 1;
    const value = all[field] ?? '';
    if (value.length > width) {
      throw new ErpRejectedError(
        `"${value}" does not fit into ${field} of gl.layout (${width} characters). Nothing was sent.`,
      );
    }
    const placed = align === 'right' ? value.padStart(width, pad) : value.padEnd(width, pad);
    for (const [index, character] of [...placed].entries()) characters[from - 1 + index] = character;
  }
  return characters.join('').trimEnd();
}

const SEAL_MIN = 1000;
/** LINE has seven digits, and the lines behind the first count on from it. */
const SEAL_MAX = 9_998_000;
/** The second line's number, whatever the content is. */
const FIXED_LINE = 2;
/** The number of the line that spoils a batch. */
const SPOILING_LINE = '1';
/** So much more than the document itself that no number of tries adds up to it. */
const SPOILING_FACTOR = 9973n;

/** A number of seven digits made from all that reaches the ledger: another content gets another number. */
export function sealOf(lines: readonly Fields[]): number {
  const content = JSON.stringify(lines.map((line) => Object.entries(line).sort(([a], [b]) => (a < b ? -1 : 1))));
  const digest = createHash('sha256').update(content).digest('hex');
  return SEAL_MIN + Number(BigInt(`0x${digest.slice(0, 16)}`) % BigInt(SEAL_MAX - SEAL_MIN + 1));
}

/**
 * The key of the n-th batch of a journal; the first is the reference itself. The others are made from the whole of it,
 * because references of other documents may begin alike.
 */
export function batchKey(reference: string, attempt: number): string {
  if (attempt === 0) return reference;
  const digest = createHash('sha256').update(`${reference}/${attempt}`).digest('hex');
  const hash = BigInt(`0x${digest}`).toString(36).toUpperCase();
  return `${reference.slice(0, 4)}X${hash}`.slice(0, KEY_LENGTH);
}

// ── amounts back ─────────────────────────────────────────────────────────────────────────────

/** Minor units of an amount as M3 writes it; empty is zero. @throws UnreadableReplyError */
export function minorOf(text: string, currency: string): bigint {
  const match = /^([+-]?)\s*(\d*)(?:\.(\d*))?(-?)$/.exec(text.trim());
  const fraction = (match?.[3] ?? '').replace(/0+$/, '');
  if (!match || fraction.length > exponentOf(currency)) {
    throw new UnreadableReplyError(`${TITLE} sent an amount that is not in plain decimals of its currency.`);
  }
  const { minor } = moneyFromDecimal(`${match[2] || '0'}${fraction === '' ? '' : `.${fraction}`}`, currency);
  return match[1] === '-' || match[4] === '-' ? -minor : minor;
}

export function unsigned(minor: bigint, currency: string): string {
  return decimalOfMinor(minor < 0n ? -minor : minor, currency);
}
