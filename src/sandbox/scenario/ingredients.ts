import { InputError } from '../../errors.js';
import type { Dice } from './dice.js';

/** What makes a purchase special; each purchase has at most one of these, the others are plain. */
export const SHARES = {
  refund: 0.03,
  foreignEur: 0.02,
  foreignGbp: 0.015,
  foreignJpy: 0.01,
  /** One record with several debit lines. */
  splitLines: 0.03,
  /** A parent with children that have records of their own. */
  splitExpense: 0.01,
  tax: 0.04,
  reimbursement: 0.04,
  unknownMerchant: 0.03,
  /** The ledger account is on hold. */
  heldAccount: 0.01,
  /** Bought in the last days of the previous month, which is closed; settled in this one. */
  closedPeriod: 0.02,
  /** Nobody has chosen an account yet. */
  uncoded: 0.02,
  /** Still in REVIEW. */
  inReview: 0.01,
  supplierOnHold: 0.01,
  nearTwin: 0.005,
} as const;

export type Ingredient = keyof typeof SHARES;

export const LEAST_OF_EACH = 5;
export const PURCHASES_MIN = 200;

/** Gives every purchase its ingredient, or none, in a random order. @throws InputError too few to hold all of them. */
export function dealIngredients(dice: Dice, purchases: number): (Ingredient | null)[] {
  if (!Number.isInteger(purchases) || purchases < PURCHASES_MIN) {
    throw new InputError(`A month needs at least ${PURCHASES_MIN} purchases to hold every ingredient.`, ['purchases']);
  }
  const dealt: (Ingredient | null)[] = [];
  for (const [ingredient, share] of Object.entries(SHARES) as [Ingredient, number][]) {
    const count = Math.max(LEAST_OF_EACH, Math.round(share * purchases));
    for (let index = 0; index < count; index += 1) dealt.push(ingredient);
  }
  while (dealt.length < purchases) dealt.push(null);
  return dice.shuffle(dealt);
}
