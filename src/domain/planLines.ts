import { compareText } from './identity.js';
import { type Coding, isHold, resolveCoding, resolveTaxAccount } from './mapping.js';
import { decimalOf, decimalOfMinor, divideRounded } from './money.js';
import type { LedgerRules, LineRole, MappingVersion, PlanContext, PlanSpend } from './plan.js';
import type { LedgerChecks, PostingDay } from './planChecks.js';
import { type TaxedPart, type TaxedPurchase, taxPurchase } from './planTax.js';
import type { VendorDecision } from './planVendor.js';
import type { SpendPart, UnifiedSpend } from './spend.js';
import { shareOf } from './taxCodes.js';
import type { Hold } from './vocabulary.js';

/** A line before it has a number and a side. */
export interface DraftLine {
  readonly role: LineRole;
  readonly glAccount: string;
  readonly costCentre: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly taxCode: string | null;
  /** Above 0 a debit, below 0 a credit, never 0. */
  readonly minor: bigint;
  readonly memo: string | null;
  /** Why this account and this day. */
  readonly coding: string;
  /** What is to be said about the supplier; left out where lines of many purchases are added up. */
  readonly supplier: string | null;
  /** Of a foreign purchase: both its amounts, the rate between them and where that comes from. */
  readonly exchange: string | null;
  readonly merchant: string | null;
  readonly spendRecordId: string;
}

export interface DraftLines {
  readonly lines: readonly DraftLine[];
  readonly holds: readonly Hold[];
}

/**
 * The expense, tax and rounding lines of one purchase, in the order of its parts; the offset line is the document's.
 *
 * Where the mapping gives a tax code and the tax is known, the part becomes a net line and a tax line. The tax line
 * carries the tax code and stays on the account of the part, unless the pipeline's tax codes or a mapping rule with the
 * category `tax` name an account for it; the net line then carries no tax code, so that no ledger takes the tax twice.
 * Where the tax is not known the one line carries the tax code. What the pipeline says about the code decides further
 * (see `TaxCode`).
 */
export function draftLines(
  item: PlanSpend,
  context: PlanContext,
  checks: LedgerChecks,
  vendor: VendorDecision,
  day: PostingDay,
): DraftLines {
  const { spend } = item;
  const { pipeline, rules, mapping } = context;
  const holds: Hold[] = [];
  const uncodedParts = new Set<SpendPart>();
  const coded = postableParts(spend).map((part) => {
    const coding = codingOf(part, item, context, checks, vendor);
    if (!isHold(coding)) return { part, coding: withoutTags(coding, part, rules) };
    // A part of nothing needs no account.
    if (part.amount.minor !== 0n) holds.push(coding);
    uncodedParts.add(part);
    return { part, coding: uncoded(part, coding) };
  });
  const contradiction = balanceHold(spend);
  const taxed = taxPurchase(spend, coded, {
    taxCodes: pipeline.taxCodes ?? {},
    roundingAccount: pipeline.roundingAccount ?? null,
  });
  if (contradiction) holds.unshift(contradiction);
  else holds.push(...taxed.holds);
  const texts = lineTexts(item, vendor, day, rules.memoLength);
  const lines: DraftLine[] = [];
  for (const one of taxed.parts) {
    for (const line of linesOfPart(one, spend, mapping)) {
      if (!uncodedParts.has(one.part)) holds.push(...checks.line(line));
      lines.push(texts(line, one.part));
    }
  }
  const rounding = contradiction ? null : roundingLine(taxed, pipeline.roundingAccount ?? null);
  const [part] = taxed.parts.map((one) => one.part);
  if (rounding && part) {
    holds.push(...checks.line(rounding));
    lines.push(texts(rounding, { ...part, category: null, memo: null }));
  }
  return { lines, holds };
}

/** Completes bare lines with what is said about the purchase on each of them. */
function lineTexts(item: PlanSpend, vendor: VendorDecision, day: PostingDay, memoLength: number) {
  const { spend } = item;
  const exchange = exchangeOf(spend);
  return (line: BareLine, part: SpendPart): DraftLine => ({
    ...line,
    memo: memoOf(part, spend, day, line.role, memoLength),
    coding: day.moved ? `${line.coding} ${day.moved.explanation}` : line.coding,
    supplier: vendor.explanation,
    exchange,
    merchant: spend.merchantName ?? spend.merchantDescriptor,
    spendRecordId: item.id,
  });
}

/** What the streams contradict each other in, or parts in several currencies: neither may reach a ledger. */
function balanceHold(spend: UnifiedSpend): Hold | null {
  const isMixed = spend.parts.some((part) => part.amount.currency !== spend.amount.currency);
  const message =
    spend.disagreement ?? (isMixed ? `Parts of the purchase are not in its currency, ${spend.amount.currency}.` : null);
  if (message === null) return null;
  return {
    code: 'UNBALANCED',
    message,
    field: 'amount',
    value: decimalOf(spend.amount),
    resolution: 'Correct the purchase at the source, or exclude it and enter it in the ledger by hand.',
  };
}

const RATE_ORIGINS = { STATED: 'stated by the source', IMPLIED: 'implied by the two amounts' } as const;

/** null where nothing was exchanged. */
function exchangeOf({ originalAmount: original, amount, exchangeRate, rateOrigin }: UnifiedSpend): string | null {
  if (original === null || original.currency === amount.currency) return null;
  const amounts = `Charged ${decimalOf(original)} ${original.currency}, billed ${decimalOf(amount)} ${amount.currency}`;
  if (exchangeRate === null) return `${amounts}; the source gives no rate.`;
  const origin = rateOrigin === undefined ? 'as the source shows it' : RATE_ORIGINS[rateOrigin];
  return `${amounts}: ${exchangeRate} ${amount.currency} for 1 ${original.currency}, ${origin}.`;
}

/** Parts in another currency cannot share a document with the rest: the held document then shows the whole instead. */
function postableParts(spend: UnifiedSpend): readonly SpendPart[] {
  const { amount, parts } = spend;
  if (parts.length > 0 && parts.every((part) => part.amount.currency === amount.currency)) return parts;
  const { category, dimensions, memo } = spend;
  return [{ sourceLineId: null, amount, tax: null, category, glAccount: null, costCentre: null, dimensions, memo }];
}

function codingOf(
  part: SpendPart,
  item: PlanSpend,
  { mapping, pipeline }: PlanContext,
  checks: LedgerChecks,
  vendor: VendorDecision,
): Coding | Hold {
  const coding =
    vendor.defaultAccountReason === null
      ? resolveCoding(part, item.spend, mapping, pipeline)
      : defaultCoding(part, pipeline.defaultAccount, vendor.defaultAccountReason);
  if (isHold(coding) || coding.origin !== 'DEFAULT' || coding.costCentre === null) return coding;
  // A default account is often a single account that exists for no cost centre; it is meant to catch the rest, so the
  // cost centre gives way where the two together are no account.
  const { glAccount, costCentre } = coding;
  const givesWay = !checks.hasAccount(glAccount, costCentre) && checks.hasAccount(glAccount, null);
  return givesWay ? { ...coding, costCentre: null } : coding;
}

function defaultCoding(part: SpendPart, defaultAccount: string | null, reason: string): Coding | Hold {
  if (defaultAccount === null) {
    return {
      code: 'MAPPING_MISSING',
      message: `The pipeline has no default account, and its vendor policy needs one: ${reason}`,
      field: 'defaultAccount',
      resolution: 'Give the pipeline a default account, or assign a supplier to the merchant, and replay the posting.',
    };
  }
  return {
    glAccount: defaultAccount,
    costCentre: part.costCentre,
    dimensions: part.dimensions,
    taxCode: null,
    origin: 'DEFAULT',
    explanation: `The pipeline's default account ${defaultAccount}, because ${reason}`,
  };
}

/** Leaves off the source's tags that the ledger has no place for. */
function withoutTags(coding: Coding, part: SpendPart, { takesDimension }: LedgerRules): Coding {
  if (!takesDimension) return coding;
  const kept = Object.entries(coding.dimensions).filter(
    ([name, value]) => takesDimension(name) || part.dimensions[name] !== value,
  );
  return { ...coding, dimensions: Object.fromEntries(kept) };
}

/** A line of a held document still shows its amount; the account is blank. */
function uncoded(part: SpendPart, hold: Hold): Coding {
  const { costCentre, dimensions } = part;
  return { glAccount: '', costCentre, dimensions, taxCode: null, origin: 'DEFAULT', explanation: hold.message };
}

type BareLine = Pick<DraftLine, 'role' | 'glAccount' | 'costCentre' | 'dimensions' | 'taxCode' | 'minor' | 'coding'>;

/** The lines of one part; together they are worth what the part adds to the purchase. None of them is worth nothing. */
function linesOfPart(one: TaxedPart, spend: UnifiedSpend, mapping: MappingVersion | null): BareLine[] {
  const { coding, gross, tax, adjustment } = one;
  const { glAccount, costCentre, dimensions, taxCode, explanation } = coding;
  const whole: BareLine = {
    ...{ role: 'EXPENSE', glAccount, costCentre, dimensions, taxCode },
    ...{ minor: gross, coding: explanation },
  };
  const hasTax = tax !== 0n || adjustment !== 0n;
  const lines = hasTax ? [costLine(one, whole), ...taxLines(one, whole, tax + adjustment, spend, mapping)] : [whole];
  return lines.filter(({ minor }) => minor !== 0n);
}

/** What of the tax the tax office gives back. */
function recoverableOf({ treatment, code }: TaxedPart, tax: bigint): bigint {
  if (treatment === 'NOT_RECOVERABLE') return 0n;
  if (code?.recoverablePercent == null) return tax;
  const { numerator, denominator } = shareOf(code.recoverablePercent);
  return divideRounded(tax * numerator, denominator);
}

/** The cost with the tax that stays in it. It carries no tax code: its tax is on lines of its own, or is no tax any more. */
function costLine(one: TaxedPart, whole: BareLine): BareLine {
  const { gross, tax, treatment, part, code } = one;
  const recoverable = recoverableOf(one, tax);
  const isBeside = treatment === 'REVERSE_CHARGE';
  const kept = tax - recoverable;
  const net = isBeside ? gross + kept : gross - recoverable;
  const { currency } = part.amount;
  const share = code?.recoverablePercent == null ? 'none of it is' : `${code.recoverablePercent} % of it is`;
  const note = ` ${decimalOfMinor(kept, currency)} ${currency} of it is tax that stays with the cost: tax code ${whole.taxCode}, ${share} recoverable.`;
  return { ...whole, taxCode: null, minor: net, coding: kept === 0n ? whole.coding : whole.coding + note };
}

function taxLines(
  one: TaxedPart,
  whole: BareLine,
  tax: bigint,
  spend: UnifiedSpend,
  mapping: MappingVersion | null,
): BareLine[] {
  const { treatment, code, explanation, adjustment, part } = one;
  const recoverable = recoverableOf(one, tax);
  const account = taxAccountOf(one, spend, mapping);
  const { currency } = part.amount;
  const rounded =
    adjustment === 0n
      ? ''
      : ` It takes ${decimalOfMinor(adjustment, currency)} ${currency} more than its own, so that the tax is that of the receipt.`;
  const input: BareLine = {
    ...{ ...whole, role: 'TAX', minor: recoverable, ...account },
    coding: `${account.coding} ${explanation}, tax code ${whole.taxCode}.${rounded}`,
  };
  if (treatment !== 'REVERSE_CHARGE') return [input];
  const outputAccount = code?.outputAccount ?? account.glAccount;
  const output: BareLine = {
    ...{ ...input, minor: -tax, glAccount: outputAccount, costCentre: null, dimensions: {} },
    coding: `Tax to account ${outputAccount} by the pipeline's tax code ${whole.taxCode}: reverse charge, the tax that the company owes in the supplier's place. ${explanation}.`,
  };
  return [{ ...input, coding: `${input.coding} Reverse charge: it is owed and deducted at once.` }, output];
}

function taxAccountOf(
  { code, part, coding }: TaxedPart,
  spend: UnifiedSpend,
  mapping: MappingVersion | null,
): Pick<BareLine, 'glAccount' | 'costCentre' | 'dimensions' | 'coding'> {
  if (code?.account != null) {
    const why = `Tax to account ${code.account} by the pipeline's tax code ${coding.taxCode}.`;
    return { glAccount: code.account, costCentre: null, dimensions: {}, coding: why };
  }
  const { glAccount, costCentre, dimensions, explanation } = resolveTaxAccount(part, spend, mapping) ?? coding;
  return { glAccount, costCentre, dimensions, coding: explanation };
}

function roundingLine({ rounding, roundingReason }: TaxedPurchase, roundingAccount: string | null): BareLine | null {
  if (rounding === 0n || roundingAccount === null) return null;
  return {
    ...{ role: 'ROUNDING', glAccount: roundingAccount, costCentre: null, dimensions: {}, taxCode: null },
    ...{ minor: rounding, coding: `${roundingReason} It goes to the pipeline's rounding account ${roundingAccount}.` },
  };
}

/**
 * Why a purchase cannot be a supplier invoice in this ledger, before it is sent. A refund is a credit note where the ledger
 * takes one.
 */
export function invoiceHolds(lines: readonly DraftLine[], { pipeline, rules }: PlanContext): Hold[] {
  if (pipeline.documentType !== 'SUPPLIER_INVOICE' || lines.length === 0) return [];
  const net = lines.reduce((sum, line) => sum + line.minor, 0n);
  if (net === 0n) {
    return [notAnInvoice('its lines cancel each other out, so that there is nothing to invoice', ENTER_BY_HAND)];
  }
  const { invoices } = rules;
  const isMixed = lines.some((line) => line.minor < 0n !== net < 0n);
  if (isMixed && invoices && !invoices.takesBothSides) {
    return [notAnInvoice('its lines stand on both sides, which this ledger takes in journals only', ENTER_BY_HAND)];
  }
  if (net < 0n && invoices?.refundAdvice != null) {
    return [notAnInvoice('it is a refund', `${invoices.refundAdvice} Or ${lower(ENTER_BY_HAND)}`)];
  }
  return [];
}

const ENTER_BY_HAND = 'Enter it in the ledger by hand and exclude the record, or post such purchases as journals.';

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function notAnInvoice(reason: string, resolution: string): Hold {
  return {
    code: 'LEDGER_REJECTED',
    message: `It cannot be a supplier invoice: ${reason}.`,
    field: 'documentType',
    value: 'SUPPLIER_INVOICE',
    resolution,
  };
}

// ── texts ────────────────────────────────────────────────────────────────────────────────────

/** Who, where, what for: what a reader of the ledger sees of the purchase. */
function memoOf(part: SpendPart, spend: UnifiedSpend, day: PostingDay, role: LineRole, length: number): string | null {
  const texts = [
    role === 'TAX' || role === 'ROUNDING' ? role.toLowerCase() : null,
    day.moved ? `of ${day.moved.from}` : null,
    spend.spender,
    spend.merchantName ?? spend.merchantDescriptor,
    part.category ?? spend.category,
    part.memo ?? spend.memo,
  ];
  return joinMemo(texts, length);
}

/** Joins what there is and cuts it to what the ledger takes; null when nothing is left. */
export function joinMemo(texts: readonly (string | null)[], length: number): string | null {
  let memo = '';
  for (const text of texts) {
    const tidy = text === null ? '' : text.replace(/\s+/g, ' ').trim();
    if (tidy !== '') memo = memo === '' ? tidy : `${memo} | ${tidy}`;
  }
  return clip(memo, length) || null;
}

/** Cuts by characters, not by code units: half of an emoji is not text and some ledgers refuse it. */
export function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  return [...text].slice(0, Math.max(0, length)).join('').trimEnd();
}

/** Lines with the same key are one line of a daily document. Purchases and refunds stay apart, each on its side. */
export function aggregationKey(line: DraftLine): string {
  const names = Object.keys(line.dimensions);
  const dimensions =
    names.length === 0
      ? ''
      : names
          .sort(compareText)
          .map((name) => `${name}\u0001${line.dimensions[name] ?? ''}`)
          .join('\u0002');
  const side = line.minor < 0n ? 'credit' : 'debit';
  return [line.glAccount, line.costCentre ?? '', dimensions, line.role, line.taxCode ?? '', side].join('\u0000');
}
