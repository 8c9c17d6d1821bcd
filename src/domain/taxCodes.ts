import { z } from 'zod';

/**
 * What the company does with the tax of each of its tax codes: a setting of the pipeline, because neither a source nor
 * a ledger says so where we could read it. A code that is not listed means what it always meant: the source states the
 * tax, its amounts contain it, and all of it becomes a line of its own.
 */

export const TAX_TREATMENTS = [
  'RECOVERABLE',
  'PARTLY_RECOVERABLE',
  'NOT_RECOVERABLE',
  'REVERSE_CHARGE',
  'HOLD',
] as const;
export type TaxTreatment = (typeof TAX_TREATMENTS)[number];

export const TAX_BASES = ['INCLUSIVE', 'EXCLUSIVE'] as const;
export type TaxBasis = (typeof TAX_BASES)[number];

/** Stands for every tax code that is not listed by itself. */
export const ANY_TAX_CODE = '*';

export interface TaxCode {
  /**
   * RECOVERABLE: a tax line. PARTLY_RECOVERABLE: a tax line of `recoverablePercent`, the rest stays with the cost.
   * NOT_RECOVERABLE: all of it stays with the cost. REVERSE_CHARGE: the supplier charged none; two tax lines that
   * cancel. HOLD: nobody has said yet, so a person looks at each purchase.
   */
  readonly treatment: TaxTreatment;
  /** INCLUSIVE: the source's amounts contain the tax. EXCLUSIVE: it comes on top of them. */
  readonly basis: TaxBasis;
  /** Percent of the net amount, for purchases whose tax the source does not state; null = none is made up for those. */
  readonly rate: string | null;
  /** The share of the tax that the tax office gives back, percent; null = all of it. */
  readonly recoverablePercent: string | null;
  /** Where the tax line goes; null = where the mapping's rule for `tax` says, else the account of the purchase. */
  readonly account: string | null;
  /** REVERSE_CHARGE: where the tax that is owed goes. */
  readonly outputAccount: string | null;
}

export type TaxCodes = Readonly<Record<string, TaxCode>>;

const PLAIN_PERCENT = /^\d{1,3}(\.\d{1,6})?$/;

const percent = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((text) => PLAIN_PERCENT.test(text), 'must be a percentage in plain decimals, e.g. "7.7"');
const account = z.string().trim().min(1);

const taxCodeSchema = z
  .strictObject({
    treatment: z.enum(TAX_TREATMENTS),
    basis: z.enum(TAX_BASES).default('INCLUSIVE'),
    rate: percent.nullable().default(null),
    recoverablePercent: percent
      .refine((text) => Number(text) <= 100, 'must be at most 100')
      .nullable()
      .default(null),
    account: account.nullable().default(null),
    outputAccount: account.nullable().default(null),
  })
  .superRefine((code, context) => {
    const say = (field: keyof TaxCode, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    if (code.treatment === 'PARTLY_RECOVERABLE' && code.recoverablePercent === null) {
      say('recoverablePercent', 'says how much of the tax is recoverable, and is missing');
    }
    if (code.recoverablePercent !== null && !SHARED.has(code.treatment)) {
      say('recoverablePercent', 'goes with PARTLY_RECOVERABLE and REVERSE_CHARGE only');
    }
    if (code.treatment === 'REVERSE_CHARGE' && code.outputAccount === null) {
      say('outputAccount', 'names the account of the tax that is owed, and is missing');
    }
    if (code.treatment !== 'REVERSE_CHARGE' && code.outputAccount !== null) {
      say('outputAccount', 'goes with REVERSE_CHARGE only');
    }
    if (code.treatment === 'REVERSE_CHARGE' && code.basis === 'EXCLUSIVE') {
      say('basis', 'is of no use here: no amount contains a tax that the supplier did not charge');
    }
  });

const SHARED: ReadonlySet<TaxTreatment> = new Set<TaxTreatment>(['PARTLY_RECOVERABLE', 'REVERSE_CHARGE']);

/** Treatments by tax code, as a person gives them and as they are stored. */
export const taxCodesSchema: z.ZodType<TaxCodes> = z.record(z.string().trim().min(1).max(30), taxCodeSchema);

/** What is known about a tax code; null = nothing, so that it is treated as ever. */
export function taxCodeOf(codes: TaxCodes, name: string): TaxCode | null {
  if (Object.hasOwn(codes, name)) return codes[name] ?? null;
  return Object.hasOwn(codes, ANY_TAX_CODE) ? (codes[ANY_TAX_CODE] ?? null) : null;
}

/** An exact share: `numerator` of `denominator`. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** `7.7` percent as a share of one: 77 of 1000. */
export function shareOf(percentText: string): Fraction {
  const [whole = '0', fraction = ''] = percentText.split('.');
  return { numerator: BigInt(whole + fraction), denominator: 100n * 10n ** BigInt(fraction.length) };
}
