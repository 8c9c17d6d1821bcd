import type { ExpenseEdit, SeedLine, SeedPurchase } from './seed.js';
import type { ExpenseView, Purchase } from './store.js';

/**
 * Changes the row behind an expense so that all its views agree afterwards: lines still add up to the amount, children
 * to their parent, and the original amount keeps the exchange rate.
 */
export function applyEdit(view: ExpenseView, edit: ExpenseEdit): void {
  const seed = ownRow(view.purchase);
  if (edit.amount !== undefined) changeAmount(view, edit.amount, edit.transaction ?? true);
  if (edit.memo !== undefined) setMemo(view.child ?? seed, edit.memo);
  if (edit.category !== undefined) seed.category = edit.category;
  const coding = {
    ...edit.coding,
    ...(edit.glAccount === undefined ? {} : { gl_account: edit.glAccount }),
    ...(edit.costCentre === undefined ? {} : { cost_center: edit.costCentre }),
  };
  for (const line of linesOf(view)) Object.assign(line.coding, coding);
}

/** The seed may be shared with other sandboxes and with the caller's expectations, so an edit never touches it. */
function ownRow(purchase: Purchase): SeedPurchase {
  if (purchase.isOwnCopy) return purchase.seed;
  const before = purchase.seed;
  purchase.seed = structuredClone(before);
  purchase.isOwnCopy = true;
  for (const view of [...purchase.children, ...purchase.records]) {
    const index = view.child ? (before.children ?? []).indexOf(view.child) : -1;
    view.child = purchase.seed.children?.[index] ?? null;
  }
  return purchase.seed;
}

function setMemo(target: { memo?: string }, memo: string | null): void {
  if (memo === null) delete target.memo;
  else target.memo = memo;
}

function linesOf(view: ExpenseView): SeedLine[] {
  if (view.child) return view.child.lines;
  return [...view.purchase.seed.lines, ...(view.purchase.seed.children ?? []).flatMap((child) => child.lines)];
}

function changeAmount(view: ExpenseView, amountMinor: number, withTransaction: boolean): void {
  const { seed, transaction } = view.purchase;
  const before = view.child?.amountMinor ?? seed.amountMinor;
  const difference = amountMinor - before;
  const total = seed.amountMinor + difference;
  if (seed.originalMinor !== undefined && seed.amountMinor !== 0) {
    seed.originalMinor = Math.round((seed.originalMinor * total) / seed.amountMinor);
  }
  seed.amountMinor = total;
  const child = view.child ?? seed.children?.at(-1);
  if (child) child.amountMinor += difference;
  const line = (child?.lines ?? seed.lines).at(-1);
  if (line) line.amountMinor += difference;
  if (withTransaction && transaction) transaction.amountMinor = total;
}
