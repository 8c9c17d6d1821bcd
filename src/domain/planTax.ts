import type { Coding } from './mapping.js';
import { absolute, decimalOf, decimalOfMinor, divideRounded, type Money } from './money.js';
import type { SpendPart, UnifiedSpend } from './spend.js';
import { shareOf, type TaxCode, type TaxCodes, type TaxTreatment, taxCodeOf } from './taxCodes.js';
import type { Hold } from './vocabulary.js';

/**
 * The figures of a purchase: what each part adds to it, the tax in each, and what rounding leaves over. Pure.
 *
 * Every tax that is computed or converted is rounded by itself, a half away from zero; net is what is left of the part,
 * so that no part ever loses a minor unit. What remains between the parts and the receipt's own total, or between their
 * taxes and the tax that the receipt states, is never spread in silence: it is the rounding line.
 */

export interface TaxedPart {
  readonly part: SpendPart;
  readonly coding: Coding;
  readonly treatment: TaxTreatment;
  /** null = the pipeline says nothing about it. */
  readonly code: TaxCode | null;
  /** What the part adds to the purchase, minor units. */
  readonly gross: bigint;
  /** 0 = none that becomes a line. Contained in `gross`, except with REVERSE_CHARGE. */
  readonly tax: bigint;
  /** What rounding the receipt's tax as a whole adds to this part's: on its tax line, and off the rounding line. */
  readonly adjustment: bigint;
  readonly origin: 'NONE' | 'STATED' | 'CONVERTED' | 'COMPUTED';
  /** Where the tax comes from, a sentence without its end. */
  readonly explanation: string;
}

export interface TaxedPurchase {
  readonly parts: readonly TaxedPart[];
  /** For the rounding line, minor units; 0 = none is needed. */
  readonly rounding: bigint;
  /** Why there is a rounding line, a sentence. */
  readonly roundingReason: string;
  readonly holds: readonly Hold[];
}

interface Figures {
  readonly tax: bigint;
  readonly origin: TaxedPart['origin'];
  readonly explanation: string;
  readonly hold: Hold | null;
}

/** @param coded the parts of the purchase with their coding, all in its currency. */
export function taxPurchase(
  spend: UnifiedSpend,
  coded: readonly { readonly part: SpendPart; readonly coding: Coding }[],
  settings: { readonly taxCodes: TaxCodes; readonly roundingAccount: string | null },
): TaxedPurchase {
  const holds: Hold[] = [];
  const parts = coded.map(({ part, coding }) => {
    const { taxed, hold } = taxPart(spend, part, coding, settings.taxCodes);
    if (hold) holds.push(hold);
    return taxed;
  });
  const plain = { parts, rounding: 0n, roundingReason: '' };
  const open = spend.amount.minor - parts.reduce((sum, { gross }) => sum + gross, 0n);
  if (holds.length > 0) return { ...plain, holds: open === 0n ? holds : [...holds, notWhole(spend, parts)] };
  if (absolute(open) >= roundedFigures(parts)) return { ...plain, holds: [notWhole(spend, parts)] };
  const receipt = adjusted(spend, parts);
  if ('code' in receipt) return { ...plain, holds: [receipt] };
  const rounding = open - receipt.reduce((sum, part) => sum + takenFromRounding(part), 0n);
  if (rounding === 0n) return { ...plain, parts: receipt, holds };
  const roundingReason = reasonOf(spend, parts, open, rounding);
  if (settings.roundingAccount === null)
    return { ...plain, holds: [noRoundingAccount(roundingReason, rounding, spend)] };
  return { parts: receipt, rounding, roundingReason, holds };
}

// ── one part ─────────────────────────────────────────────────────────────────────────────────

function taxPart(
  spend: UnifiedSpend,
  part: SpendPart,
  coding: Coding,
  codes: TaxCodes,
): { taxed: TaxedPart; hold: Hold | null } {
  const { taxCode } = coding;
  const { minor } = part.amount;
  const code = taxCode === null ? null : taxCodeOf(codes, taxCode);
  const treatment = code?.treatment ?? 'RECOVERABLE';
  const without: TaxedPart = {
    ...{ part, coding, treatment, code, gross: minor, tax: 0n, adjustment: 0n },
    ...{ origin: 'NONE', explanation: '' },
  };
  if (taxCode === null) return { taxed: without, hold: null };
  if (treatment === 'HOLD') return { taxed: without, hold: treatmentUnknown(taxCode) };
  const figures = figuresOf(spend, part, taxCode, code);
  const hold = figures.hold ?? (figures.tax === 0n ? null : taxFault(part, figures, code));
  if (hold) return { taxed: without, hold };
  const { tax, origin, explanation } = figures;
  const gross = code?.basis === 'EXCLUSIVE' ? minor + tax : minor;
  return { taxed: { ...without, gross, tax, origin, explanation }, hold: null };
}

const NO_TAX: Figures = { tax: 0n, origin: 'NONE', explanation: '', hold: null };

function figuresOf(spend: UnifiedSpend, part: SpendPart, taxCode: string, code: TaxCode | null): Figures {
  const { tax, amount } = part;
  if (tax !== null && (tax.minor === 0n || tax.currency === amount.currency)) {
    return { tax: tax.minor, origin: 'STATED', explanation: 'Tax stated by the source', hold: null };
  }
  if (tax !== null) return convertedTax(spend, tax, amount);
  if (code?.rate != null) return computedTax(amount.minor, code, code.rate);
  if (code?.treatment === 'REVERSE_CHARGE' && amount.minor !== 0n) return { ...NO_TAX, hold: rateMissing(taxCode) };
  return NO_TAX;
}

/** By the two amounts of the purchase and not by its rate, which is a rounded figure itself. */
function convertedTax(spend: UnifiedSpend, tax: Money, amount: Money): Figures {
  const ratio = conversionOf(spend, tax.currency);
  if (ratio === null) return { ...NO_TAX, hold: taxInAnotherCurrency(tax, amount) };
  const minor = divideRounded(tax.minor * ratio.billed, ratio.original);
  const explanation = `Tax of ${decimalOf(tax)} ${tax.currency} stated by the source, converted as the purchase was`;
  return { tax: minor, origin: 'CONVERTED', explanation, hold: null };
}

function conversionOf(spend: UnifiedSpend, currency: string): { billed: bigint; original: bigint } | null {
  const { originalAmount: original, amount } = spend;
  if (original?.currency !== currency || original.minor === 0n) return null;
  return { billed: absolute(amount.minor), original: absolute(original.minor) };
}

function computedTax(minor: bigint, code: TaxCode, rate: string): Figures {
  const { numerator, denominator } = shareOf(rate);
  const isInside = code.basis === 'INCLUSIVE' && code.treatment !== 'REVERSE_CHARGE';
  const whole = isInside ? denominator + numerator : denominator;
  const explanation = `Tax of ${rate} % computed from the amount`;
  return { tax: divideRounded(minor * numerator, whole), origin: 'COMPUTED', explanation, hold: null };
}

/** A tax on the other side than its amount, or larger than what contains it, cannot be right. */
function taxFault({ amount }: SpendPart, { tax }: Figures, code: TaxCode | null): Hold | null {
  const { minor, currency } = amount;
  // A bill over nothing may still move tax: one that is issued again to state it.
  if (minor === 0n) return null;
  const isSameSide = minor < 0n === tax < 0n;
  const isBeside = code?.basis === 'EXCLUSIVE' || code?.treatment === 'REVERSE_CHARGE';
  if (isSameSide && (isBeside || absolute(tax) <= absolute(minor))) return null;
  const text = decimalOfMinor(tax, currency);
  return {
    code: 'UNBALANCED',
    message: `A tax of ${text} ${currency} cannot be contained in ${decimalOf(amount)} ${currency}.`,
    field: 'tax',
    value: text,
    resolution: 'Correct the tax at the source, or leave the tax code out of the mapping rule, then replay.',
  };
}

// ── the receipt as a whole ───────────────────────────────────────────────────────────────────

/** How many figures were rounded by themselves. Rounding never leaves as much as one minor unit for each of them. */
function roundedFigures(parts: readonly TaxedPart[]): bigint {
  const taxes = parts.filter(({ code, origin }) => code?.basis === 'EXCLUSIVE' && isMade(origin));
  return BigInt(Math.max(1, parts.length + taxes.length));
}

function isMade(origin: TaxedPart['origin']): boolean {
  return origin === 'COMPUTED' || origin === 'CONVERTED';
}

/**
 * The parts with the tax of the receipt as a whole, where that is known: a tax that was stated in the original currency
 * is converted once, and a tax that was computed part by part gives way to the one that the receipt states for all.
 */
function adjusted(spend: UnifiedSpend, parts: readonly TaxedPart[]): readonly TaxedPart[] | Hold {
  const adjustments = new Map<TaxedPart, bigint>();
  for (const group of groupsOf(parts.filter(({ origin }) => origin === 'CONVERTED'))) {
    note(adjustments, group, convertedWhole(spend, group) - taxOf(group));
  }
  const stated = statedTotal(spend, parts);
  if (stated !== null) {
    const difference = stated - taxOf(parts);
    if (absolute(difference) > BigInt(parts.length)) return taxesDisagree(spend, stated, taxOf(parts));
    note(adjustments, parts, difference);
  }
  return parts.map((part) => ({ ...part, adjustment: adjustments.get(part) ?? 0n }));
}

function groupsOf(parts: readonly TaxedPart[]): TaxedPart[][] {
  const groups = new Map<string, TaxedPart[]>();
  for (const part of parts) {
    const key = `${part.coding.taxCode} ${part.part.tax?.currency}`;
    groups.set(key, [...(groups.get(key) ?? []), part]);
  }
  return [...groups.values()];
}

function convertedWhole(spend: UnifiedSpend, group: readonly TaxedPart[]): bigint {
  const [first] = group;
  const ratio = conversionOf(spend, first?.part.tax?.currency ?? '');
  const original = group.reduce((sum, { part }) => sum + (part.tax?.minor ?? 0n), 0n);
  return ratio === null ? taxOf(group) : divideRounded(original * ratio.billed, ratio.original);
}

function taxOf(parts: readonly TaxedPart[]): bigint {
  return parts.reduce((sum, { tax }) => sum + tax, 0n);
}

/** The tax that the source states for the whole, where every part's own was computed: else nobody said what it is of. */
function statedTotal(spend: UnifiedSpend, parts: readonly TaxedPart[]): bigint | null {
  const filled = parts.filter(({ part }) => part.amount.minor !== 0n);
  if (spend.tax?.currency !== spend.amount.currency || filled.length === 0) return null;
  const isComputed = filled.every(({ origin, treatment }) => origin === 'COMPUTED' && treatment !== 'REVERSE_CHARGE');
  return isComputed ? spend.tax.minor : null;
}

/** The largest tax line takes it. Where none is recovered in full, the cost takes it anyhow and nothing is left over. */
function note(adjustments: Map<TaxedPart, bigint>, parts: readonly TaxedPart[], difference: bigint): void {
  if (difference === 0n) return;
  const lines = parts.filter(({ treatment }) => treatment === 'RECOVERABLE' || treatment === 'REVERSE_CHARGE');
  const [largest] = [...lines].sort((a, b) => Number(absolute(b.tax) - absolute(a.tax)));
  if (largest) adjustments.set(largest, (adjustments.get(largest) ?? 0n) + difference);
}

/** Tax lines that cancel take nothing from anybody. */
function takenFromRounding({ treatment, adjustment }: TaxedPart): bigint {
  return treatment === 'REVERSE_CHARGE' ? 0n : adjustment;
}

// ── texts and holds ──────────────────────────────────────────────────────────────────────────

function sumText(spend: UnifiedSpend, parts: readonly TaxedPart[]): string {
  const { currency } = spend.amount;
  const bare = parts.reduce((sum, { part }) => sum + part.amount.minor, 0n);
  const gross = parts.reduce((sum, part) => sum + part.gross, 0n);
  const onTop = gross === bare ? '' : `, with the tax on top ${decimalOfMinor(gross, currency)} ${currency}`;
  return `The parts add up to ${decimalOfMinor(bare, currency)} ${currency}${onTop}, the whole is ${decimalOf(spend.amount)} ${currency}.`;
}

function reasonOf(spend: UnifiedSpend, parts: readonly TaxedPart[], open: bigint, rounding: bigint): string {
  const { currency } = spend.amount;
  const sums = open === 0n ? '' : ` ${sumText(spend, parts)}`;
  const taxes =
    open === rounding ? '' : ` The taxes of the parts, each rounded, are not the tax of the receipt rounded once.`;
  return `Rounding leaves ${decimalOfMinor(rounding, currency)} ${currency}.${sums}${taxes}`;
}

function notWhole(spend: UnifiedSpend, parts: readonly TaxedPart[]): Hold {
  return {
    code: 'UNBALANCED',
    message: sumText(spend, parts),
    field: 'amount',
    value: decimalOf(spend.amount),
    resolution: 'Correct the purchase at the source, or exclude it and enter it in the ledger by hand.',
  };
}

function noRoundingAccount(reason: string, rounding: bigint, { amount }: UnifiedSpend): Hold {
  return {
    code: 'UNBALANCED',
    message: `${reason} The pipeline has no rounding account for that.`,
    field: 'roundingAccount',
    value: decimalOfMinor(rounding, amount.currency),
    resolution: 'Give the pipeline a rounding account, or correct the purchase at the source, then replay.',
  };
}

function taxesDisagree({ amount }: UnifiedSpend, stated: bigint, computed: bigint): Hold {
  const text = (minor: bigint) => `${decimalOfMinor(minor, amount.currency)} ${amount.currency}`;
  return {
    code: 'UNBALANCED',
    message: `The source states a tax of ${text(stated)}, by the rates of its tax codes it is ${text(computed)}.`,
    field: 'tax',
    value: decimalOfMinor(stated, amount.currency),
    resolution: "Correct the tax at the source, or the rate in the pipeline's tax codes, then replay.",
  };
}

function taxInAnotherCurrency(tax: Money, amount: Money): Hold {
  return {
    code: 'UNBALANCED',
    message: `A tax of ${decimalOf(tax)} ${tax.currency} cannot be contained in ${decimalOf(amount)} ${amount.currency}: the source states no amount in ${tax.currency} to convert it by.`,
    field: 'tax',
    value: decimalOf(tax),
    resolution: 'Correct the tax at the source, or leave the tax code out of the mapping rule, then replay.',
  };
}

function treatmentUnknown(taxCode: string): Hold {
  return {
    code: 'MAPPING_MISSING',
    message: `How tax code ${taxCode} is treated has not been decided.`,
    field: 'taxCode',
    value: taxCode,
    resolution: `Say in the pipeline's tax codes what ${taxCode} is (recoverable, not recoverable, reverse charge …), then replay.`,
  };
}

function rateMissing(taxCode: string): Hold {
  return {
    code: 'MAPPING_MISSING',
    message: `The tax of reverse-charge code ${taxCode} is not known: the source states none, and the code has no rate.`,
    field: 'taxCode',
    value: taxCode,
    resolution: `Give ${taxCode} its rate in the pipeline's tax codes, then replay.`,
  };
}
