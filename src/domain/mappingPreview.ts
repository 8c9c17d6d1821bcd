import { compareText } from './identity.js';
import type { LocalDate } from './localDate.js';
import { mappingOn } from './mapping.js';
import type { MappingVersion, PlanContext, PlanSpend } from './plan.js';
import { LedgerChecks, wantedDay } from './planChecks.js';
import type { DraftLine } from './planLines.js';
import { codingOfPurchase } from './planner.js';
import type { Hold, HoldCode } from './vocabulary.js';

/**
 * What a mapping version that is not saved yet would do. Both sides are coded by the planner's own function, so that a
 * preview cannot say anything else than planning does afterwards.
 */

/** Where an amount is coded to; `glAccount` null = it would be on no account, because nothing codes it or posts it. */
export interface CodingTarget {
  readonly glAccount: string | null;
  readonly costCentre: string | null;
  readonly taxCode: string | null;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** An amount that would be somewhere else; signed as the purchase is. */
export interface CodingMove {
  readonly from: CodingTarget;
  readonly to: CodingTarget;
  readonly minor: bigint;
}

export interface PreviewItem {
  readonly item: PlanSpend;
  /** The posting date of its document in the ledger; null when it is in none. */
  readonly postedOn: LocalDate | null;
}

export interface CodingChange {
  readonly id: string;
  readonly currency: string;
  /** The posting date that decides which version holds. */
  readonly day: LocalDate;
  /** Whether the new version would truly decide it, from its first day on. Else this is only what it would have done. */
  readonly isInForce: boolean;
  readonly moves: readonly CodingMove[];
  readonly holdsBefore: readonly Hold[];
  readonly holdsAfter: readonly Hold[];
}

/**
 * What the ledger has already is not asked again whether its period is open or its supplier active; whether its new
 * account would have existed, is.
 */
const CODING_HOLDS: ReadonlySet<HoldCode> = new Set([
  'ACCOUNT_MISSING',
  'ACCOUNT_INACTIVE',
  'DIMENSION_MISSING',
  'MAPPING_MISSING',
  'UNBALANCED',
]);

/** Compares purchases under the versions there are with the same purchases under a new one. */
export class MappingComparison {
  private readonly checks: LedgerChecks;
  private readonly contexts = new Map<MappingVersion | null, PlanContext>();
  private readonly versionsAfter: readonly MappingVersion[];

  /**
   * @param context its `mapping` is not looked at.
   * @param versions those that are saved, newest first.
   */
  constructor(
    private readonly context: PlanContext,
    private readonly versions: readonly MappingVersion[],
    readonly next: MappingVersion,
  ) {
    this.checks = new LedgerChecks(context.masterData, context.rules, context.pipeline.closedPeriod);
    this.versionsAfter = [next, ...versions];
  }

  /** @returns null when the new version would leave the purchase as it is. */
  changeOf({ item, postedOn }: PreviewItem): CodingChange | null {
    const day = postedOn ?? this.postingDayOf(item);
    const before = this.codingOf(item, mappingOn(this.versions, day), postedOn !== null);
    const after = this.codingOf(item, this.next, postedOn !== null);
    const moves = movesBetween(before.lines, after.lines);
    const isHeldAsBefore = before.holds.length > 0 === after.holds.length > 0;
    if (moves.length === 0 && isHeldAsBefore) return null;
    return {
      id: item.id,
      currency: item.spend.amount.currency,
      day,
      isInForce: mappingOn(this.versionsAfter, day) === this.next,
      moves,
      holdsBefore: before.holds,
      holdsAfter: after.holds,
    };
  }

  private postingDayOf({ spend }: PlanSpend): LocalDate {
    const { pipeline, today } = this.context;
    return this.checks.postingDay(wantedDay(spend, pipeline.postingDate, today)).day;
  }

  private codingOf(
    item: PlanSpend,
    mapping: MappingVersion | null,
    isInLedger: boolean,
  ): { lines: readonly DraftLine[]; holds: readonly Hold[] } {
    const coding = codingOfPurchase(this.contextOf(mapping), this.checks, item);
    if ('kind' in coding) return { lines: [], holds: [] };
    return isInLedger ? { ...coding, holds: coding.holds.filter(({ code }) => CODING_HOLDS.has(code)) } : coding;
  }

  private contextOf(mapping: MappingVersion | null): PlanContext {
    const known = this.contexts.get(mapping);
    if (known) return known;
    const context = { ...this.context, mapping };
    this.contexts.set(mapping, context);
    return context;
  }
}

// ── from lines to moves ──────────────────────────────────────────────────────────────────────

interface Amount {
  readonly key: string;
  readonly target: CodingTarget;
  minor: bigint;
}

const NOWHERE: CodingTarget = { glAccount: null, costCentre: null, taxCode: null, dimensions: {} };

/**
 * Which amounts would be elsewhere. What is on the same account, cost centre, dimensions and tax code on both sides stays;
 * the rest is paired in the order of the purchase's parts, purchases and refunds each for themselves.
 */
export function movesBetween(before: readonly DraftLine[], after: readonly DraftLine[]): CodingMove[] {
  return [1n, -1n].flatMap((sign) => {
    const from = amountsOf(before, sign);
    const to = amountsOf(after, sign);
    for (const amount of from) {
      for (const other of to) if (other.key === amount.key) take(amount, other);
    }
    return paired(from, to).map((move) => ({ ...move, minor: move.minor * sign }));
  });
}

function paired(from: readonly Amount[], to: readonly Amount[]): CodingMove[] {
  const moves: CodingMove[] = [];
  const move = (a: CodingTarget, b: CodingTarget, minor: bigint) => {
    if (minor > 0n) moves.push({ from: a, to: b, minor });
  };
  for (const amount of from) for (const other of to) move(amount.target, other.target, take(amount, other));
  // A side that is not posted at all has no lines.
  for (const { target, minor } of from) move(target, NOWHERE, minor);
  for (const { target, minor } of to) move(NOWHERE, target, minor);
  return moves;
}

/** Takes from both what they have in common. */
function take(a: Amount, b: Amount): bigint {
  const common = a.minor < b.minor ? a.minor : b.minor;
  a.minor -= common;
  b.minor -= common;
  return common;
}

function amountsOf(lines: readonly DraftLine[], sign: bigint): Amount[] {
  return lines
    .filter(({ minor }) => minor * sign > 0n)
    .map((line) => {
      const { costCentre, taxCode, dimensions } = line;
      const target: CodingTarget = { glAccount: line.glAccount || null, costCentre, taxCode, dimensions };
      return { key: targetKey(target), target, minor: line.minor * sign };
    });
}

export function targetKey({ glAccount, costCentre, taxCode, dimensions }: CodingTarget): string {
  const pairs = Object.entries(dimensions).sort(([a], [b]) => compareText(a, b));
  return JSON.stringify([glAccount, costCentre, taxCode, pairs]);
}

// ── totals ───────────────────────────────────────────────────────────────────────────────────

export interface Movement {
  readonly from: CodingTarget;
  readonly to: CodingTarget;
  records: number;
  recordsInForce: number;
  /** Minor units by currency. */
  readonly amounts: Map<string, bigint>;
}

/** More different movements than anybody reads; what lies beyond is counted and not listed. */
const MOVEMENTS_MAX = 1_000;

/** Adds changes up; needs the same little memory for any number of purchases. */
export class PreviewTotals {
  records = 0;
  changed = 0;
  inForce = 0;
  /** Clean now, held under the new version; and the other way round. */
  becomeHeld = 0;
  becomeReleased = 0;
  /** Changed purchases with a movement that is not listed. */
  unlisted = 0;
  private readonly byKey = new Map<string, Movement>();

  add(change: CodingChange | null): void {
    this.records += 1;
    if (!change) return;
    this.changed += 1;
    if (change.isInForce) this.inForce += 1;
    const [wasHeld, isHeld] = [change.holdsBefore.length > 0, change.holdsAfter.length > 0];
    if (!wasHeld && isHeld) this.becomeHeld += 1;
    if (wasHeld && !isHeld) this.becomeReleased += 1;
    this.addMoves(change);
  }

  /** Most purchases first. */
  get movements(): readonly Movement[] {
    return [...this.byKey.values()].sort(
      (a, b) => b.records - a.records || compareText(pairKey(a.from, a.to), pairKey(b.from, b.to)),
    );
  }

  private addMoves({ moves, currency, isInForce }: CodingChange): void {
    const counted = new Set<Movement>();
    let isListed = true;
    for (const { from, to, minor } of moves) {
      const movement = this.movementOf(from, to);
      if (!movement) {
        isListed = false;
        continue;
      }
      movement.amounts.set(currency, (movement.amounts.get(currency) ?? 0n) + minor);
      if (counted.has(movement)) continue;
      counted.add(movement);
      movement.records += 1;
      if (isInForce) movement.recordsInForce += 1;
    }
    if (!isListed) this.unlisted += 1;
  }

  private movementOf(from: CodingTarget, to: CodingTarget): Movement | null {
    const key = pairKey(from, to);
    const known = this.byKey.get(key);
    if (known) return known;
    if (this.byKey.size >= MOVEMENTS_MAX) return null;
    const movement: Movement = { from, to, records: 0, recordsInForce: 0, amounts: new Map() };
    this.byKey.set(key, movement);
    return movement;
  }
}

function pairKey(from: CodingTarget, to: CodingTarget): string {
  return `${targetKey(from)} ${targetKey(to)}`;
}
