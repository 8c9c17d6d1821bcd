import { compareText } from './identity.js';
import { type Coding, isHold, resolveCoding, resolveTaxAccount } from './mapping.js';
import { decimalOf, decimalOfMinor } from './money.js';
import type { LedgerRules, LineRole, PlanContext, PlanSpend } from './plan.js';
import type { LedgerChecks, PostingDay } from './planChecks.js';
import type { VendorDecision } from './planVendor.js';
import type { SpendPart, UnifiedSpend } from './spend.js';
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
  readonly merchant: string | null;
  readonly spendRecordId: string;
}

export interface DraftLines {
  readonly lines: readonly DraftLine[];
  readonly holds: readonly Hold[];
}

/**
 * The expense and tax lines of one purchase, in the order of its parts; the offset line is the document's.
 *
 * Where the mapping gives a tax code and the source states the tax, the part becomes a net line and a tax line. The tax
 * line carries the tax code and stays on the account of the part, unless a mapping rule with the category `tax` names
 * an account for it; the net line then carries no tax code, so that no ledger takes the tax twice. Without a stated tax
 * the one line carries the tax code.
 */
export function draftLines(
  item: PlanSpend,
  context: PlanContext,
  checks: LedgerChecks,
  vendor: VendorDecision,
  day: PostingDay,
): DraftLines {
  const { spend } = item;
  const lines: DraftLine[] = [];
  const holds: Hold[] = [];
  const balance = balanceHold(spend);
  if (balance) holds.push(balance);
  for (const part of postableParts(spend)) {
    if (part.amount.minor === 0n) continue;
    const coding = codingOf(part, item, context, checks, vendor);
    if (isHold(coding)) holds.push(coding);
    const coded = isHold(coding) ? uncoded(part, coding) : withoutTags(coding, part, context.rules);
    const made = linesOfPart(part, item, context, coded, holds);
    for (const line of made) {
      if (!isHold(coding)) holds.push(...checks.line(line));
      lines.push({
        ...line,
        memo: memoOf(part, spend, day, line.role, context.rules.memoLength),
        coding: day.moved ? `${line.coding} ${day.moved.explanation}` : line.coding,
        supplier: vendor.explanation,
        merchant: spend.merchantName ?? spend.merchantDescriptor,
        spendRecordId: item.id,
      });
    }
  }
  return { lines, holds };
}

/** What the streams contradict each other in, or parts that do not make the whole: neither may reach a ledger. */
function balanceHold(spend: UnifiedSpend): Hold | null {
  const message = spend.disagreement ?? partsFault(spend);
  if (message === null) return null;
  return {
    code: 'UNBALANCED',
    message,
    field: 'amount',
    value: decimalOf(spend.amount),
    resolution: 'Correct the purchase at the source, or exclude it and enter it in the ledger by hand.',
  };
}

function partsFault({ amount, parts }: UnifiedSpend): string | null {
  if (parts.some((part) => part.amount.currency !== amount.currency)) {
    return `Parts of the purchase are not in its currency, ${amount.currency}.`;
  }
  const total = parts.reduce((sum, part) => sum + part.amount.minor, 0n);
  if (total === amount.minor) return null;
  const { currency } = amount;
  return `The parts add up to ${decimalOfMinor(total, currency)} ${currency}, the whole is ${decimalOf(amount)} ${currency}.`;
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

function linesOfPart(
  part: SpendPart,
  item: PlanSpend,
  { mapping }: PlanContext,
  coding: Coding,
  holds: Hold[],
): BareLine[] {
  const { glAccount, costCentre, dimensions, taxCode, explanation } = coding;
  const { minor } = part.amount;
  const whole: BareLine = { role: 'EXPENSE', glAccount, costCentre, dimensions, taxCode, minor, coding: explanation };
  if (taxCode === null || !part.tax || part.tax.minor === 0n) return [whole];
  const fault = taxFault(part);
  if (fault) {
    holds.push(fault);
    return [whole];
  }
  const net = { ...whole, taxCode: null, minor: minor - part.tax.minor };
  const account = resolveTaxAccount(part, item.spend, mapping);
  const tax: BareLine = {
    ...whole,
    role: 'TAX',
    minor: part.tax.minor,
    coding: `${account ? account.explanation : explanation} Tax stated by the source, tax code ${taxCode}.`,
    ...(account && {
      glAccount: account.glAccount,
      costCentre: account.costCentre,
      dimensions: account.dimensions,
    }),
  };
  return net.minor === 0n ? [tax] : [net, tax];
}

function taxFault({ amount, tax }: SpendPart): Hold | null {
  if (!tax) return null;
  const isInside =
    tax.currency === amount.currency &&
    (amount.minor < 0n ? tax.minor < 0n && tax.minor >= amount.minor : tax.minor > 0n && tax.minor <= amount.minor);
  if (isInside) return null;
  return {
    code: 'UNBALANCED',
    message: `A tax of ${decimalOf(tax)} ${tax.currency} cannot be contained in ${decimalOf(amount)} ${amount.currency}.`,
    field: 'tax',
    value: decimalOf(tax),
    resolution: 'Correct the tax at the source, or leave the tax code out of the mapping rule, then replay.',
  };
}

// ── texts ────────────────────────────────────────────────────────────────────────────────────

/** Who, where, what for: what a reader of the ledger sees of the purchase. */
function memoOf(part: SpendPart, spend: UnifiedSpend, day: PostingDay, role: LineRole, length: number): string | null {
  const texts = [
    role === 'TAX' ? 'tax' : null,
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
