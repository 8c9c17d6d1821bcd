import { compareText } from './identity.js';
import type { LocalDate } from './localDate.js';
import { decimalOfMinor } from './money.js';
import type { PostingStatus } from './postingState.js';
import type { DuplicateCheck, Hold } from './vocabulary.js';

/** Suspected duplicates: two source ids that look like one purchase. */

/** The pipeline's settings for it. */
export interface DuplicateRule {
  readonly check: DuplicateCheck;
  /** How many days apart the two may be; 0 = the same day only. */
  readonly days: number;
  /** Two purchases that one source first showed at least this many days apart come from two imports of its feed. */
  readonly importDays: number;
}

/** What two purchases are compared by. */
export interface Lookalike {
  readonly id: string;
  /** In normal form; null when the purchase names no merchant, which is then nobody's twin. */
  readonly merchantKey: string | null;
  readonly minor: bigint;
  readonly currency: string;
  readonly transactionDate: LocalDate;
  readonly spender: string | null;
  /** When the source first showed it, milliseconds since 1970. */
  readonly firstSeenMs: number;
}

const DAY_MS = 86_400_000;

/**
 * Whether two purchases of one pipeline look like one.
 *
 * Two that a source showed together, or soon after one another, are two under ACROSS_SOURCES, however alike: a feed
 * that is imported anew shows the same purchases under new ids long after it first showed them, and for the same spender.
 */
export function looksLikeTwin(a: Lookalike, b: Lookalike, rule: DuplicateRule): boolean {
  if (rule.check === 'OFF' || a.id === b.id || !isAlike(a, b)) return false;
  if (daysBetween(a.transactionDate, b.transactionDate) > rule.days) return false;
  if (rule.check === 'ALWAYS') return true;
  const isOtherImport = Math.abs(a.firstSeenMs - b.firstSeenMs) >= rule.importDays * DAY_MS;
  return isOtherImport && mayBeSamePerson(a.spender, b.spender);
}

function isAlike(a: Lookalike, b: Lookalike): boolean {
  return a.merchantKey !== null && a.minor !== 0n && bucketOf(a) === bucketOf(b);
}

function bucketOf({ merchantKey, currency, minor }: Lookalike): string {
  return `${merchantKey}\u0000${currency}\u0000${minor}`;
}

function daysBetween(a: LocalDate, b: LocalDate): number {
  return Math.abs(Date.parse(a) - Date.parse(b)) / DAY_MS;
}

function mayBeSamePerson(a: string | null, b: string | null): boolean {
  return a === null || b === null || a.toLowerCase() === b.toLowerCase();
}

/** A purchase of those that are planned together. */
export interface Planned extends Lookalike {
  /** 0 = it is in the ledger, 1 = its document would have gone, 2 = it has none that would. The first stay. */
  readonly standing: 0 | 1 | 2;
  /** A person said that it is no duplicate, or it is in the ledger already as it is. */
  readonly isCleared: boolean;
  /** Those that a person told it apart from. */
  readonly toldApartFrom: ReadonlySet<string>;
  /** Suspected because of what the ledger has already. */
  readonly isSuspected: boolean;
}

/**
 * Finds the twins among purchases that are planned together: of each pair the first one stays and the other is held,
 * never both and never none. First is what is in the ledger, then what would have gone, then what was seen first.
 * @param wouldGo whether nothing else is wrong with the purchase: what is held anyway takes nobody's place.
 * @returns the twin of each suspected purchase, by its id.
 */
export function twinsAmong(
  all: readonly Planned[],
  rule: DuplicateRule,
  wouldGo: (id: string) => boolean,
): Map<string, string> {
  const twins = new Map<string, string>();
  if (rule.check === 'OFF') return twins;
  for (const bucket of buckets(all).filter((one) => mayHoldTwins(one, rule))) {
    const accepted: Planned[] = [];
    for (const one of bucket.sort((a, b) => a.standing - b.standing || compareText(a.id, b.id))) {
      const twin = one.isCleared
        ? undefined
        : accepted.find((other) => !isToldApart(one, other) && looksLikeTwin(one, other, rule));
      if (twin) twins.set(one.id, twin.id);
      else if (!one.isSuspected && wouldGo(one.id)) accepted.push(one);
    }
  }
  return twins;
}

function isToldApart(a: Planned, b: Planned): boolean {
  return a.toldApartFrom.has(b.id) || b.toldApartFrom.has(a.id);
}

function buckets(all: readonly Planned[]): Planned[][] {
  const byLook = new Map<string, Planned[]>();
  for (const one of all) {
    if (one.merchantKey === null || one.minor === 0n) continue;
    const bucket = byLook.get(bucketOf(one));
    if (bucket) bucket.push(one);
    else byLook.set(bucketOf(one), [one]);
  }
  return [...byLook.values()];
}

/** Keeps a day of thousands of equal purchases from being compared pair by pair where no two of them can be twins. */
function mayHoldTwins(bucket: readonly Planned[], rule: DuplicateRule): boolean {
  if (bucket.length < 2) return false;
  if (rule.check === 'ALWAYS') return true;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { firstSeenMs } of bucket) {
    first = Math.min(first, firstSeenMs);
    last = Math.max(last, firstSeenMs);
  }
  return last - first >= rule.importDays * DAY_MS;
}

/** The other one, as the hold shows it. */
export interface Twin {
  readonly id: string;
  /** The connected system's name. */
  readonly sourceName: string;
  /** As the source calls it, e.g. `expense_9`. */
  readonly sourceId: string;
  readonly transactionDate: LocalDate;
  readonly minor: bigint;
  readonly currency: string;
  readonly merchantName: string | null;
  /** null while it is planned in this very moment. */
  readonly document: {
    readonly reference: string;
    readonly status: PostingStatus;
    readonly ledgerDocumentId: string | null;
  } | null;
}

export function suspectedDuplicate(twin: Twin): Hold {
  const amount = `${decimalOfMinor(twin.minor, twin.currency)} ${twin.currency}`;
  const where = twin.merchantName === null ? '' : ` at ${twin.merchantName}`;
  return {
    code: 'SUSPECTED_DUPLICATE',
    message: `It may be the same purchase as ${twin.sourceId} of "${twin.sourceName}": ${amount}${where} on ${twin.transactionDate}, ${documentOf(twin)}.`,
    field: 'spendRecordId',
    value: twin.id,
    resolution:
      'Exclude it if it is a second copy. If it is a purchase of its own, replay the posting with a note that says so: it is not held for this again.',
  };
}

function documentOf({ document }: Twin): string {
  if (!document) return 'which is planned together with it';
  const name = document.ledgerDocumentId === null ? '' : `, in the ledger as ${document.ledgerDocumentId}`;
  return `document ${document.reference} (${document.status}${name})`;
}
