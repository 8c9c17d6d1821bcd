import { applyEdit } from './edits.js';
import type { BrexSeed, ExpenseEdit, ReviewStatus, SeedChild, SeedPurchase } from './seed.js';
import type { BrexSettings } from './settings.js';
import { type Timed, Timeline } from './timeline.js';
import { type Micros, microsOf, microText } from './units.js';

/** One row with all its views; the views are derived from it when they are served. */
export interface Purchase {
  /** The caller's own row until the first edit, which works on a copy. */
  seed: SeedPurchase;
  isOwnCopy: boolean;
  readonly purchasedAt: Micros;
  readonly postedAt: Micros;
  transaction: TransactionView | null;
  expense: ExpenseView | null;
  pending: ExpenseView | null;
  records: RecordView[];
  children: ExpenseView[];
}

export interface TransactionView extends Timed {
  readonly purchase: Purchase;
  /** Kept apart from the row: an edit may leave the transaction as it was. */
  amountMinor: number;
}

export interface ExpenseView extends Timed {
  readonly purchase: Purchase;
  readonly id: string;
  child: SeedChild | null;
  isVoid: boolean;
  /** Set on the authorisation that is shown until the settled expense takes its place: what was authorised. */
  readonly pendingMinor: number | null;
}

export interface RecordView extends Timed {
  readonly purchase: Purchase;
  readonly id: string;
  child: SeedChild | null;
  version: number;
  reviewStatus: ReviewStatus;
  /** What the last export report said. */
  lastExport: { referenceId: string | null; deepLinkUrl: string | null; errorMessage: string | null } | null;
}

/** All purchases of the account in the order in which Brex would show them, and the account's own "now". */
export class BrexStore {
  readonly transactions: Timeline<TransactionView>;
  readonly expenses: Timeline<ExpenseView>;
  readonly records: Timeline<RecordView>;
  readonly expensesById = new Map<string, ExpenseView>();
  readonly recordsById = new Map<string, RecordView>();
  readonly purchasesByKey = new Map<string, Purchase>();
  /** Changes with every change of data or clock; lets counts be remembered. */
  revision = 0;
  private planned: { at: Micros; key: string; edit: ExpenseEdit }[];
  private current: Micros;
  private lastStamp: Micros = 0;
  private nextSeq = 0;

  constructor(
    readonly seed: BrexSeed,
    readonly settings: BrexSettings,
    /** Told of records that have become READY_FOR_EXPORT and visible. */
    private readonly onReady: (ids: string[]) => void,
  ) {
    this.current = microsOf(seed.now);
    const purchases = seed.purchases.map((row) => this.build(row));
    this.transactions = new Timeline(purchases.flatMap((purchase) => purchase.transaction ?? []));
    this.expenses = new Timeline(
      purchases.flatMap((one) => [one.expense ?? [], one.pending ?? [], one.children].flat()),
    );
    this.records = new Timeline(purchases.flatMap((purchase) => purchase.records));
    this.planned = seed.plannedEdits
      .map((planned) => ({ ...planned, at: microsOf(planned.at) }))
      .sort((a, b) => a.at - b.at);
    this.applyPlanned();
  }

  get now(): Micros {
    return this.current;
  }

  get nowText(): string {
    return microText(this.current);
  }

  isVisible(view: Timed): boolean {
    return view.at <= this.current;
  }

  expense(id: string): ExpenseView | undefined {
    const found = this.expensesById.get(id);
    if (!found || this.isVisible(found)) return found;
    const { pending } = found.purchase;
    return pending && found.child === null && this.isVisible(pending) ? pending : undefined;
  }

  /** False for an authorisation whose place the settled expense has taken. */
  isCurrent(view: ExpenseView): boolean {
    const settled = view.purchase.expense;
    return view.pendingMinor === null || settled === null || !this.isVisible(settled);
  }

  record(id: string): RecordView | undefined {
    const found = this.recordsById.get(id);
    return found && this.isVisible(found) ? found : undefined;
  }

  /**
   * Moves the account's "now"; planned edits on the way happen at their own moments.
   * @returns false when something was changed later than the wished moment, so that going back would hide it.
   */
  moveTo(at: Micros): boolean {
    if (at < this.lastStamp) return false;
    const before = this.current;
    this.current = at;
    this.revision += 1;
    this.applyPlanned();
    if (at > before) this.onReady(this.revealed(before, at));
    return true;
  }

  /** Changes an expense, its record and, unless told otherwise, its transaction, consistently. */
  edit(view: ExpenseView, edit: ExpenseEdit): void {
    applyEdit(view, edit);
    const touched = this.touch(view, edit.reviewStatus ?? 'READY_FOR_EXPORT', this.stamp());
    this.onReady(touched.filter(isReady).map((one) => one.id));
  }

  /** The expense is withdrawn; its record goes back to PREPARE, because nobody may export it now. */
  void(view: ExpenseView): void {
    view.isVoid = true;
    for (const child of view.child ? [] : view.purchase.children) child.isVoid = true;
    this.touch(view, 'PREPARE', this.stamp());
  }

  /** A new memo only: the expense is newer, its record is not. */
  setMemo(view: ExpenseView, memo: string | null): void {
    applyEdit(view, { memo });
    this.expenses.move(view, this.stamp());
    this.revision += 1;
  }

  setReviewStatus(record: RecordView, status: ReviewStatus): void {
    this.touchRecord(record, status, this.stamp());
    if (status === 'READY_FOR_EXPORT') this.onReady([record.id]);
  }

  /** A purchase that Brex shows late: its moments may lie in the past. */
  add(row: SeedPurchase): Purchase {
    const purchase = this.build(row);
    if (purchase.transaction) this.transactions.add(purchase.transaction);
    for (const view of [purchase.expense, purchase.pending, ...purchase.children]) if (view) this.expenses.add(view);
    for (const record of purchase.records) this.records.add(record);
    this.revision += 1;
    this.onReady(purchase.records.filter((one) => isReady(one) && this.isVisible(one)).map((one) => one.id));
    return purchase;
  }

  /** The moment of a change made now: later than every change before it, so that no two share an `updated_at`. */
  stamp(): Micros {
    this.lastStamp = Math.max(this.current, this.lastStamp + 1);
    this.current = this.lastStamp;
    return this.lastStamp;
  }

  touchRecord(record: RecordView, status: ReviewStatus, at: Micros): void {
    record.version += 1;
    record.reviewStatus = status;
    this.records.move(record, at);
    this.revision += 1;
  }

  private touch(view: ExpenseView, status: ReviewStatus, at: Micros): RecordView[] {
    const { purchase } = view;
    this.expenses.move(view, at);
    const related = purchase.records.filter((one) => view.child === null || one.child === view.child);
    for (const record of related) this.touchRecord(record, status, at);
    this.revision += 1;
    return related;
  }

  private applyPlanned(): void {
    for (let next = this.planned[0]; next && next.at <= this.current; next = this.planned[0]) {
      this.planned.shift();
      const view = this.purchasesByKey.get(next.key)?.expense;
      if (view) {
        this.lastStamp = Math.max(next.at, this.lastStamp + 1);
        applyEdit(view, next.edit);
        this.touch(view, next.edit.reviewStatus ?? 'READY_FOR_EXPORT', this.lastStamp);
      }
    }
  }

  private revealed(after: Micros, until: Micros): string[] {
    const ids: string[] = [];
    for (let index = this.records.firstFrom(after + 1); ; index += 1) {
      const record = this.records.get(index);
      if (!record || record.at > until) return ids;
      if (isReady(record)) ids.push(record.id);
    }
  }

  private build(seed: SeedPurchase): Purchase {
    if (this.purchasesByKey.has(seed.key)) throw new Error(`Two purchases have the key ${seed.key}.`);
    const purchase: Purchase = {
      ...{ seed, isOwnCopy: false, purchasedAt: microsOf(seed.purchasedAt), postedAt: microsOf(seed.postedAt) },
      ...{ transaction: null, expense: null, pending: null, records: [], children: [] },
    };
    this.purchasesByKey.set(seed.key, purchase);
    if (seed.kind === 'CARD' || seed.kind === 'COLLECTION' || seed.kind === 'REWARDS_CREDIT') {
      purchase.transaction = { purchase, seq: this.seq(), at: purchase.postedAt, amountMinor: seed.amountMinor };
    }
    if (seed.kind !== 'COLLECTION' && seed.kind !== 'REWARDS_CREDIT') this.buildExpenses(purchase);
    if (seed.kind !== 'REWARDS_CREDIT') {
      for (const child of seed.children ?? [null]) purchase.records.push(this.buildRecord(purchase, child));
    }
    return purchase;
  }

  private buildExpenses(purchase: Purchase): void {
    const at = microsOf(purchase.seed.expenseAt);
    const make = (child: SeedChild | null): ExpenseView => {
      const id = child ? `expense_${purchase.seed.key}_${child.suffix}` : `expense_${purchase.seed.key}`;
      const view: ExpenseView = { purchase, id, child, at, seq: this.seq(), isVoid: false, pendingMinor: null };
      this.expensesById.set(id, view);
      return view;
    };
    purchase.expense = make(null);
    purchase.children = (purchase.seed.children ?? []).map(make);
    const { pending } = purchase.seed;
    if (!pending) return;
    const authorised = { at: microsOf(pending.at), seq: this.seq(), pendingMinor: pending.amountMinor };
    purchase.pending = { ...purchase.expense, ...authorised };
  }

  private buildRecord(purchase: Purchase, child: SeedChild | null): RecordView {
    const { key, recordAt, reviewStatus = 'READY_FOR_EXPORT' } = purchase.seed;
    const id = child ? `accr_${key}_${child.suffix}` : `accr_${key}`;
    const record: RecordView = {
      ...{ purchase, id, child, at: microsOf(recordAt), seq: this.seq() },
      ...{ version: 1, reviewStatus, lastExport: null },
    };
    this.recordsById.set(id, record);
    return record;
  }

  private seq(): number {
    this.nextSeq += 1;
    return this.nextSeq;
  }
}

function isReady(record: RecordView): boolean {
  return record.reviewStatus === 'READY_FOR_EXPORT';
}
