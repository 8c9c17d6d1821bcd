import { createHash } from 'node:crypto';
import { decimalOfMinor, moneyFromDecimal } from '../../domain/money.js';
import { ErpRejectedError, InvariantError } from '../../errors.js';
import type { LedgerDocument, LedgerDocumentLine } from '../contract.js';
import { accountOf } from './accounts.js';
import type { KineticSettings } from './config.js';

/** Documents to what Epicor is told of them. Pure. */

// ── group IDs ────────────────────────────────────────────────────────────────────────────────

/** Lengths of 8 and 9 are reported for GroupID; 8 fits both. */
const GROUP_ID_LENGTH = 8;
/** Should a group's ID be taken by documents that are not ours, the next one is used. */
const GROUP_IDS = 2;

/** The IDs that the group of a document may have, made from its reference alone. */
export function groupIdsOf(reference: string, prefix: string): string[] {
  return Array.from({ length: GROUP_IDS }, (_, turn) => {
    const digest = createHash('sha256').update(`${reference}/${turn}`).digest('hex').slice(0, 24);
    const width = GROUP_ID_LENGTH - prefix.length;
    const rest = (BigInt(`0x${digest}`) % 36n ** BigInt(width)).toString(36).toUpperCase().padStart(width, '0');
    return prefix + rest;
  });
}

// ── lines ────────────────────────────────────────────────────────────────────────────────────

export interface MappedLine {
  readonly account: string;
  /** Minor units. Journals: debit positive. Invoices: positive where it adds to the document's amount. */
  readonly minor: bigint;
  readonly description: string;
}

export interface MappedJournal {
  /** Debits first: no part of it but the whole is balanced. */
  readonly lines: readonly MappedLine[];
  readonly totalMinor: bigint;
  readonly warnings: readonly string[];
}

export interface MappedInvoice {
  readonly isDebitMemo: boolean;
  readonly lines: readonly MappedLine[];
  /** What the invoice, or the debit memo, comes to; positive. */
  readonly amountMinor: bigint;
  readonly warnings: readonly string[];
}

interface SignedLine {
  readonly line: LedgerDocumentLine;
  /** Minor units; debit positive. */
  readonly minor: bigint;
}

/**
 * A journal's lines, debits first and then credits. That order matters: with all debits before all credits no beginning
 * of the list is balanced, so a journal whose writer died can be told from a finished one, and cannot be posted by anybody.
 * @throws InvariantError not balanced.
 */
export function mapJournal(document: LedgerDocument, settings: KineticSettings): MappedJournal {
  const lines = signedLines(document);
  const totalMinor = totalOf(document, lines);
  const ordered = [...lines.filter(({ minor }) => minor > 0n), ...lines.filter(({ minor }) => minor < 0n)];
  const length = settings.lineDescriptionLength;
  return {
    totalMinor,
    warnings: notSent(document, settings),
    lines: ordered.map(({ line, minor }) => ({
      minor,
      account: accountOf(line, settings),
      description: marked(document.reference, line.memo ?? document.description, length),
    })),
  };
}

/**
 * An invoice's lines without the offset, which Epicor credits itself from the supplier's control. One line for each
 * allocation, so that each has exactly one account. What comes out below zero is a debit memo with positive amounts.
 * @throws ErpRejectedError purchases and refunds cancel each other out; nothing was sent.
 */
export function mapInvoice(document: LedgerDocument, settings: KineticSettings): MappedInvoice {
  const all = signedLines(document);
  totalOf(document, all);
  const isOffset = offsetTest(all);
  const lines = all.filter((line) => !isOffset(line));
  const net = lines.reduce((sum, { minor }) => sum + minor, 0n);
  if (lines.length === 0 || net === 0n) {
    throw new ErpRejectedError(
      'The document cannot be an Epicor supplier invoice: its purchases and refunds cancel each other out. Nothing was sent. Post it as a journal.',
      { code: 'NOT_AN_INVOICE' },
    );
  }
  const isDebitMemo = net < 0n;
  const length = settings.lineDescriptionLength;
  return {
    isDebitMemo,
    amountMinor: isDebitMemo ? -net : net,
    warnings: notSent(document, settings),
    lines: lines.map(({ line, minor }) => ({
      minor: isDebitMemo ? -minor : minor,
      account: accountOf(line, settings),
      description: settings.referenceInDescription
        ? marked(document.reference, line.memo ?? document.description, length)
        : plainText(line.memo ?? document.description, length),
    })),
  };
}

/** What planning calls the offset, else the account of the last line on its side. */
function offsetTest(lines: readonly SignedLine[]): (line: SignedLine) => boolean {
  if (lines.some(({ line }) => line.role !== undefined)) return ({ line }) => line.role === 'OFFSET';
  const last = lines.at(-1);
  return ({ line, minor }) =>
    last !== undefined &&
    minor < 0n === last.minor < 0n &&
    line.glAccount === last.line.glAccount &&
    line.costCentre === last.line.costCentre;
}

/** Lines with a value, in order of their numbers. */
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
    throw new InvariantError('A document that is not balanced, or empty, reached Epicor Kinetic.', {
      detail: { reference: document.reference, total: document.total },
    });
  }
  return debit;
}

function notSent(document: LedgerDocument, settings: KineticSettings): string[] {
  const names = document.lines.flatMap((line) => Object.keys(line.dimensions));
  const lost = [...new Set(names)].filter((name) => !settings.glSegmentOrder.includes(name));
  const taxCodes = [...new Set(document.lines.flatMap((line) => line.taxCode ?? []))];
  return [
    ...lost.map((name) => `Dimension ${name} was not sent: it is no segment in this connection's glSegmentOrder.`),
    ...taxCodes.map((code) => `Tax code ${code} was not sent: the tax is posted to its GL account only.`),
  ];
}

// ── texts and dates ──────────────────────────────────────────────────────────────────────────

/** The reference and then the text, so that a cut takes from the text. */
export function marked(reference: string, text: string, length: number): string {
  return plainText(`${reference} ${text}`, length);
}

/** One line without control characters, cut between characters. */
export function plainText(text: string, length: number): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return [...line].slice(0, length).join('').trim();
}

/** Whether a stored text carries a reference: as a word, in any case. */
export function carries(text: string, reference: string): boolean {
  return text
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .includes(reference.toUpperCase());
}

/** The fiscal period of a document as the connector's own keys have it; null where the document names none. */
export function periodOf(document: LedgerDocument): { year: string; suffix: string; period: string } | null {
  const { year, suffix, period } = document.periodKey;
  return year === undefined || period === undefined ? null : { year, suffix: suffix ?? '', period };
}

export function decimalText(minor: bigint, currency: string): string {
  return decimalOfMinor(minor, currency);
}

// ── the ledger's own numbers ─────────────────────────────────────────────────────────────────

/** `AP 204/BRX7F3K2M9Q`: supplier number and invoice number identify an invoice together. */
export function invoiceId(vendorNum: string, invoiceNum: string): string {
  return `AP ${vendorNum}/${invoiceNum}`;
}

export function invoiceKey(id: string): { vendorNum: string; invoiceNum: string } | null {
  const match = /^AP (\d+)\/(.+)$/.exec(id);
  return match ? { vendorNum: match[1] ?? '', invoiceNum: match[2] ?? '' } : null;
}

export interface JournalKey {
  readonly book: string;
  readonly year: string;
  readonly suffix: string;
  readonly code: string;
  readonly number: string;
}

/** `MAIN/2026/GJ/1043`: all of it together identifies a journal. */
export function journalId(key: JournalKey): string {
  return `${key.book}/${key.year}${key.suffix}/${key.code}/${key.number}`;
}

export function journalKey(id: string): JournalKey | null {
  const match = /^(.+)\/(\d{4})([^/]*)\/([^/]+)\/(\d+)$/.exec(id);
  if (!match) return null;
  const [, book = '', year = '', suffix = '', code = '', number = ''] = match;
  return { book, year, suffix, code, number };
}
