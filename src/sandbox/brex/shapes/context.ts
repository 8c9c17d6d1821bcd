import type { FieldStore } from '../fieldStore.js';
import { chance } from '../quirks.js';
import type { ReceiptShelf } from '../receiptShelf.js';
import type { BrexSeed, SeedMerchant, SeedUser } from '../seed.js';
import type { BrexSettings } from '../settings.js';

/** What the shapes need beside the object itself. */
export interface ShapeContext {
  readonly seed: BrexSeed;
  readonly settings: BrexSettings;
  readonly fields: FieldStore;
  readonly randomSeed: number;
  readonly receipts: ReceiptShelf;
}

/** Whether an object is one of the odd ones, by seed and share. */
export function isOdd(
  context: ShapeContext,
  quirk: 'extraFields' | 'trailingSpaces' | 'unknownEnums' | 'unknownTypes',
  id: string,
): boolean {
  const share = context.settings[quirk];
  return share > 0 && chance(context.randomSeed, `${quirk}:${id}`) < share;
}

/** Names come back with a blank at their end now and then. */
export function nameOf(context: ShapeContext, id: string, name: string): string {
  return isOdd(context, 'trailingSpaces', id) ? `${name} ` : name;
}

export function userOf(context: ShapeContext, index: number | null): SeedUser | null {
  return index === null ? null : (context.seed.users[index] ?? null);
}

export function merchantOf(context: ShapeContext, index: number | null): SeedMerchant | null {
  return index === null ? null : (context.seed.merchants[index] ?? null);
}

/** Money of the v1 and v2 APIs: integer minor units. */
export function minorMoney(amount: number, currency: string): { amount: number; currency: string } {
  return { amount, currency };
}

/** Splits an amount over weights so that the parts add up to it exactly; the last part takes the rounding. */
export function share(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  let given = 0;
  return weights.map((weight, index) => {
    const part = index === weights.length - 1 ? total - given : sum === 0 ? 0 : Math.round((total * weight) / sum);
    given += part;
    return part;
  });
}
