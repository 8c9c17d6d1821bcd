import { createHash } from 'node:crypto';
import { decimalOfMinor, moneyFromDecimal } from '../../domain/money.js';
import { ErpRejectedError, InvariantError } from '../../errors.js';
import type { LedgerDocument } from '../contract.js';
import type { M3Settings } from './config.js';
import {
  accountingString,
  type Fields,
  notSent,
  plainText,
  type SignedLine,
  signedLines,
  taxCodeOf,
  ymd8,
} from './mapper.js';

/** Supplier invoices to the fields of APS450MI. Pure. */

export type Coding = 'accounting-line' | 'm3-derived';

export interface MappedInvoice {
  readonly head: Fields;
  readonly lines: readonly Fields[];
  /** With its sign: negative for a refund. */
  readonly signedMinor: bigint;
  readonly warnings: readonly string[];
}

const CHARGE_TEXT_LENGTH = 30;

/**
 * M3 credits the creditors' control account itself, so the offset line is left out and the other lines are the invoice.
 * @throws ErpRejectedError the document cannot be an invoice here; nothing was sent.
 */
export function invoiceOf(
  document: LedgerDocument,
  payee: string,
  coding: Coding,
  settings: M3Settings,
): MappedInvoice {
  const { supplierCode } = document;
  if (supplierCode === null) throw new InvariantError('A supplier invoice came without its supplier.');
  const { invoice } = settings;
  const lines = distributionOf(document);
  const signedMinor = lines.reduce((sum, { minor }) => sum + minor, 0n);
  if (signedMinor < 0n && invoice.refunds === 'refuse') {
    throw notAnInvoice(
      'it is a refund, and the setting invoice.refunds does not allow those. Post refunds as journals',
    );
  }
  const day = ymd8(document.postingDate);
  const mappedLines = lines.map((line) => invoiceLineOf(document, line, coding, settings));
  const head: Fields = {
    DIVI: settings.divi,
    SUNO: supplierCode,
    SPYN: payee,
    SINO: document.reference,
    IVDT: day,
    ACDT: day,
    IBTP: signedMinor < 0n ? (invoice.creditBatchType ?? invoice.batchType) : invoice.batchType,
    CUCD: document.currency,
    CUAM: decimalOfMinor(signedMinor, document.currency),
    IMCD: invoice.matching,
    APCD: invoice.authorisedUser,
    TEPY: invoice.paymentTerms,
    PYME: invoice.paymentMethod,
    CRTP: invoice.rateType,
    BSCD: invoice.baseCountry,
    FTCO: invoice.fromToCountry,
    TXIN: invoice.taxIncluded,
  };
  return {
    // Made from the content: M3 shows no accounts of staged lines, and this tells whether they are the ones meant now.
    head: { ...head, CORI: correlationId([head, mappedLines]) },
    lines: mappedLines,
    signedMinor,
    warnings: [
      ...notSent({ ...document, lines: lines.map(({ line }) => line) }, settings),
      ...(coding === 'm3-derived'
        ? ['The accounts of the lines were not sent: the setting invoice.coding lets M3 derive them.']
        : []),
    ],
  };
}

function invoiceLineOf(
  document: LedgerDocument,
  { line, minor }: SignedLine,
  coding: Coding,
  settings: M3Settings,
): Fields {
  const { invoice } = settings;
  const text = plainText(line.memo ?? document.description);
  const common = {
    DIVI: settings.divi,
    NLAM: decimalOfMinor(minor, document.currency),
    VTCD: taxCodeOf(line, settings),
    CHGT: text.slice(0, CHARGE_TEXT_LENGTH),
  };
  if (coding === 'm3-derived') return { ...common, RDTP: invoice.derivedLineType };
  return {
    ...common,
    RDTP: invoice.accountingLineType,
    VTXT: `${document.reference} ${text}`.trim().slice(0, 40),
    ...accountingString(line, settings),
  };
}

/** The lines without the offset: what planning calls so, else the last line. */
function distributionOf(document: LedgerDocument): SignedLine[] {
  const lines = signedLines(document);
  const hasRoles = lines.some(({ line }) => line.role !== undefined);
  const isOffset = (one: SignedLine, index: number) =>
    hasRoles ? one.line.role === 'OFFSET' : index === lines.length - 1;
  const distribution = lines.filter((line, index) => !isOffset(line, index));
  const offsets = lines.filter(isOffset);
  if (offsets.length === 0) throw notAnInvoice('its purchases and refunds cancel each other out. Post it as a journal');
  const sum = distribution.reduce((total, { minor }) => total + minor, 0n);
  if (distribution.some(({ minor }) => minor < 0n !== sum < 0n)) {
    throw notAnInvoice('its expense lines stand on both sides. Post it as a journal');
  }
  const total = moneyFromDecimal(document.total, document.currency).minor;
  if (sum !== total && sum !== -total) throw new InvariantError('The lines of an invoice are not its total.');
  return distribution;
}

export function notAnInvoice(reason: string): ErpRejectedError {
  return new ErpRejectedError(`The document cannot be an M3 supplier invoice: ${reason}. Nothing was sent.`, {
    code: 'NOT_AN_INVOICE',
  });
}

/** A UUID made from the content (RFC 9562, version 8): the same invoice has the same one on every attempt. */
export function correlationId(content: unknown): string {
  const hex = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
