import { decimalOfMinor, exponentOf, moneyFromDecimal } from '../../domain/money.js';
import { ErpRejectedError, InvariantError, UnreadableReplyError } from '../../errors.js';
import type { FoundDocument, LedgerDocument, LedgerDocumentLine } from '../contract.js';
import type { TransactionCall } from './client.js';
import { composeAccount, type SysproSettings } from './config.js';
import type { InvoiceRow, JournalRow } from './wire.js';
import { element, elements, fieldText, type Markup } from './xml.js';

/** Journals and invoices to SYSPRO's elements, and what it holds back to ours. Pure. */

/** Field lengths, approximate in the vendor's samples; longer texts are cut here so that the ledger does not refuse them. */
const NOTATION_LENGTH = 100;
const AP_NOTATION_LENGTH = 30;

export interface MappedDocument {
  readonly call: TransactionCall;
  /** Lines with a value; the ledger drops the others, so they are not sent. */
  readonly lineCount: number;
  readonly totalMinor: bigint;
  /** What of the document has no place in SYSPRO. */
  readonly warnings: readonly string[];
}

interface SignedLine {
  readonly line: LedgerDocumentLine;
  /** Minor units; debit positive. */
  readonly minor: bigint;
}

// ── journal ──────────────────────────────────────────────────────────────────────────────────

/**
 * GENTJL. One signed EntryAmount a line, debit positive; every element that has a default is sent, because defaults
 * differ between versions (PostJournal is Y when it is left out).
 * @throws InvariantError not balanced, or without a period.
 */
export function journalCall(document: LedgerDocument, settings: SysproSettings): MappedDocument {
  const lines = signedLines(document);
  const usesAnalysis = lines.some(({ line }) => analysisOf(line, settings).length > 0);
  const parameters = element('PostGlJournal', [
    element(
      'Parameters',
      elements({
        IgnoreWarnings: settings.ignoreWarnings,
        ApplyIfEntireDocumentValid: 'Y',
        ValidateOnly: 'N',
        ActionType: 'A',
        ValidatePasswords: 'Y',
        DeleteEntriesonMaint: 'N',
        IgnoreAnalysis: usesAnalysis ? 'N' : 'Y',
      }),
    ),
  ]);
  const { year, period } = periodOf(document);
  const items = element('PostGlJournal', [
    element('Item', [
      ...elements({
        JournalType: settings.journalType,
        JournalNumber: '',
        AuthorizeJournal: settings.authorise,
        PostJournal: 'Y',
        CancelJournal: 'N',
        HoldJournal: 'N',
        JournalDate: document.postingDate,
        JournalReference: document.reference,
        Notation: fieldText(document.description, NOTATION_LENGTH),
        PostingPeriod: period,
        PostingYear: year,
        SourceCode: settings.journalType === 'U' ? settings.journalSourceCode : undefined,
      }),
      ...lines.map((line) => journalLine(document, line, settings)),
    ]),
  ]);
  return {
    call: { businessObject: 'GENTJL', parameters, items },
    lineCount: lines.length,
    totalMinor: totalOf(document, lines),
    warnings: notSent(document, settings),
  };
}

function journalLine(document: LedgerDocument, { line, minor }: SignedLine, settings: SysproSettings): Markup {
  const amount = decimalOfMinor(minor, document.currency);
  const analysis = analysisOf(line, settings);
  return element('JournalDetails', [
    ...elements({
      LedgerCode: composeAccount(settings.accountTemplate, line),
      Date: document.postingDate,
      Reference: settings.paymentReferenceInLines ? document.reference : '',
      EntryAmount: amount,
      Comment: fieldText(line.memo ?? '', settings.memoLength),
    }),
    ...(analysis.length > 0 ? [element('AnalysisLineEntry', [...analysis, element('EntryAmount', amount)])] : []),
  ]);
}

function analysisOf(line: LedgerDocumentLine, settings: SysproSettings): Markup[] {
  return Object.entries(line.dimensions)
    .flatMap(([name, code]) => {
      const place = settings.analysisCodes[name];
      return place === undefined ? [] : [{ place, code }];
    })
    .sort((a, b) => a.place - b.place)
    .map(({ place, code }) => element(`AnalysisCode${place}`, code));
}

function notSent(document: LedgerDocument, settings: SysproSettings): string[] {
  const isJournal = document.documentType === 'JOURNAL';
  const names = document.lines.flatMap((line) => Object.keys(line.dimensions));
  const lost = [...new Set(names)].filter((name) => !isJournal || settings.analysisCodes[name] === undefined);
  const taxCodes = [...new Set(document.lines.flatMap((line) => line.taxCode ?? []))];
  return [
    ...lost.map((name) => `Dimension ${name} was not sent: it has no analysis code in this connection's settings.`),
    ...taxCodes.map((code) => `Tax code ${code} was not sent: the tax is posted to its GL account only.`),
  ];
}

// ── supplier invoice ─────────────────────────────────────────────────────────────────────────

/** APSTIN PostingPeriod: relative to the AP period that is current when the document arrives. */
export type ApPeriod = 'C' | 'P' | 'B';

/**
 * APSTIN. SYSPRO credits the control account of the supplier's branch itself, so the offset line is left out and the
 * other lines become the distribution.
 * @throws ErpRejectedError a refund without `creditTransactionCode`, or lines on both sides; nothing was sent.
 */
export function invoiceCall(document: LedgerDocument, settings: SysproSettings, period: ApPeriod): MappedDocument {
  const { supplierCode } = document;
  if (supplierCode === null) throw new InvariantError('A supplier invoice came without its supplier.');
  const lines = signedLines(document);
  const distribution = distributionOf(document, lines);
  const isCredit = distribution.some(({ minor }) => minor < 0n);
  const transactionCode = isCredit ? settings.creditTransactionCode : 'I';
  if (transactionCode === undefined) {
    throw notAnInvoice('it is a refund, and the setting creditTransactionCode is not set. Post refunds as journals');
  }
  const totalMinor = totalOf(document, lines);
  const parameters = element('PostApInvoice', [
    element(
      'Parameters',
      elements({
        PostingPeriod: period,
        IgnoreWarnings: settings.ignoreWarnings,
        ApplyIfEntireDocumentValid: 'Y',
        ValidateOnly: 'N',
        PostZeroAdjustments: 'N',
        LedgerDistributionCurrency: 'L',
        AutomaticTaxCalculation: 'N',
        ApArContraTrx: 'N',
        IgnoreAnalysis: 'Y',
      }),
    ),
  ]);
  const items = element('PostApInvoice', [
    element('Item', [
      ...elements({
        Supplier: supplierCode,
        TransactionCode: transactionCode,
        Invoice: document.reference,
        TransactionValue: decimalOfMinor(totalMinor, document.currency),
        Notation: fieldText(document.description, AP_NOTATION_LENGTH),
        TransactionReference: document.reference,
        JournalNotation: fieldText(document.description, AP_NOTATION_LENGTH),
        DiscountBasis: 'T',
        InvoiceDate: document.postingDate,
        TaxBasis: 'E',
      }),
      ...distribution.map((line) => ledgerDistribution(document, line, settings)),
    ]),
  ]);
  return {
    call: { businessObject: 'APSTIN', parameters, items },
    lineCount: lines.length,
    totalMinor,
    warnings: notSent(document, settings),
  };
}

function ledgerDistribution(document: LedgerDocument, { line, minor }: SignedLine, settings: SysproSettings): Markup {
  return element(
    'LedgerDistribution',
    elements({
      LedgerCode: composeAccount(settings.accountTemplate, line),
      LedgerNotation: fieldText(line.memo ?? '', AP_NOTATION_LENGTH),
      // Without a sign: the transaction code says which way it goes.
      LedgerValue: decimalOfMinor(minor < 0n ? -minor : minor, document.currency),
      TaxOnlyLine: 'N',
    }),
  );
}

/** The lines without the offset: what planning calls so, else the account of the last line on its side. */
function distributionOf(document: LedgerDocument, lines: readonly SignedLine[]): SignedLine[] {
  const isOffset = offsetTest(lines);
  const distribution = lines.filter((line) => !isOffset(line));
  const [offset] = lines.filter(isOffset);
  if (!offset) throw notAnInvoice('its purchases and refunds cancel each other out. Post it as a journal');
  if (distribution.some(({ minor }) => minor < 0n === offset.minor < 0n)) {
    throw notAnInvoice('its expense lines stand on both sides. Post it as a journal');
  }
  const sum = distribution.reduce((total, { minor }) => total + minor, 0n);
  const total = moneyFromDecimal(document.total, document.currency).minor;
  if (sum !== total && sum !== -total) throw new InvariantError('The distribution of an invoice is not its total.');
  return distribution;
}

function offsetTest(lines: readonly SignedLine[]): (line: SignedLine) => boolean {
  if (lines.some(({ line }) => line.role !== undefined)) return ({ line }) => line.role === 'OFFSET';
  const last = lines.at(-1);
  return ({ line, minor }) =>
    last !== undefined &&
    minor < 0n === last.minor < 0n &&
    line.glAccount === last.line.glAccount &&
    line.costCentre === last.line.costCentre;
}

function notAnInvoice(reason: string): ErpRejectedError {
  return new ErpRejectedError(`The document cannot be a SYSPRO supplier invoice: ${reason}. Nothing was sent.`, {
    code: 'NOT_AN_INVOICE',
  });
}

// ── what both share ──────────────────────────────────────────────────────────────────────────

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
    throw new InvariantError('A document that is not balanced, or empty, reached SYSPRO.', {
      detail: { reference: document.reference, total: document.total },
    });
  }
  return debit;
}

export function periodOf(document: LedgerDocument): { year: string; period: string } {
  const { year, period } = document.periodKey;
  if (year === undefined || period === undefined) {
    throw new InvariantError('A document reached SYSPRO without its fiscal period.');
  }
  return { year, period };
}

// ── back from the ledger ─────────────────────────────────────────────────────────────────────

/**
 * An amount as the ledger prints it, in minor units: padded with blanks or zeros, the minus in front or behind.
 * @throws UnreadableReplyError not an amount of that currency. Empty counts as zero.
 */
export function minorOf(text: string, currency: string): bigint {
  const match = /^([+-]?)\s*0*(\d*)(?:\.(\d*))?\s*(-?)$/.exec(text.trim());
  const fraction = (match?.[3] ?? '').replace(/0+$/, '');
  if (!match || fraction.length > exponentOf(currency)) {
    throw new UnreadableReplyError('SYSPRO sent an amount that is not in plain decimals of its currency.');
  }
  const { minor } = moneyFromDecimal(`${match[2] || '0'}${fraction === '' ? '' : `.${fraction}`}`, currency);
  return match[1] === '-' || match[4] === '-' ? -minor : minor;
}

/** `2027/05/00117`: the year, the period and the journal identify it together. */
export function journalId(key: { glyear: string; glperiod: string; gljournal: string }): string {
  return `${key.glyear}/${digits(key.glperiod, 2)}/${digits(key.gljournal, 5)}`;
}

/** The parts of a `journalId`; null when it is none. */
export function journalKey(id: string): { year: string; period: string; journal: string } | null {
  const match = /^(\d{4})\/(\d{2})\/(\S+)$/.exec(id);
  return match ? { year: match[1] ?? '', period: match[2] ?? '', journal: match[3] ?? '' } : null;
}

/** The same number whichever way it was padded. */
function digits(text: string, width: number): string {
  return /^\d+$/.test(text) ? text.replace(/^0+(?=\d)/, '').padStart(width, '0') : text;
}

export function foundJournal(row: JournalRow, reference: string, currency: string): FoundDocument {
  return {
    reference,
    ledgerDocumentId: journalId(row),
    currency,
    totalDebit: unsigned(row.debitamount, currency),
    totalCredit: unsigned(row.creditamount, currency),
    lineCount: Number.parseInt(row.numofentries, 10) || 0,
    isPosted: row.jnlstatus.toUpperCase() === 'P',
  };
}

/** @param isPosted false when its GL journal is known to have failed. ApInvoice has no line count: 0 stands for it. */
export function foundInvoice(row: InvoiceRow, currency: string, isPosted: boolean): FoundDocument {
  const total = unsigned(row.originvvalue, currency);
  const { supplier, invoice } = row;
  return {
    reference: invoice,
    ledgerDocumentId: invoiceId(supplier, invoice),
    currency,
    totalDebit: total,
    totalCredit: total,
    lineCount: 0,
    isPosted,
  };
}

export function invoiceId(supplier: string, invoice: string): string {
  return `AP ${supplier}/${invoice}`;
}

function unsigned(text: string, currency: string): string {
  const minor = minorOf(text, currency);
  return decimalOfMinor(minor < 0n ? -minor : minor, currency);
}

/** Supplier keys compare without padding: numeric ones are zero-filled in storage and shown in a length of the site's. */
export function sameKey(a: string, b: string): boolean {
  return bareKey(a) === bareKey(b);
}

export function bareKey(key: string): string {
  const trimmed = key.trim().toUpperCase();
  return /^\d+$/.test(trimmed) ? trimmed.replace(/^0+(?=\d)/, '') : trimmed;
}
