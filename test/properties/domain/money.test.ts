import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localDate } from '../../../src/domain/localDate.js';
import type { MappingRule, PlanContext, PlannedDocument } from '../../../src/domain/plan.js';
import { plan } from '../../../src/domain/planner.js';
import { planReversal } from '../../../src/domain/reversal.js';
import type { SpendPart, UnifiedSpend } from '../../../src/domain/spend.js';
import { taxCodesSchema } from '../../../src/domain/taxCodes.js';
import { context, item, mapping, masterData, part, purchase, rule, rules } from '../../unit/domain/support.js';

/**
 * Thousands of receipts: several tax rates on each, currencies of no, two and three decimals, foreign taxes, parts that add
 * up but for rounding, and edits after posting. What would be caught is a minor unit that is lost or made, a tax that was
 * rounded wrongly, or a purchase that is held although rounding is all that is wrong with it.
 */

const MINUTE = { timeout: 60_000 };
const RUNS = { numRuns: 400 };

interface Code {
  readonly name: string;
  readonly treatment: 'RECOVERABLE' | 'PARTLY_RECOVERABLE' | 'NOT_RECOVERABLE' | 'REVERSE_CHARGE';
  readonly basis?: 'EXCLUSIVE';
  readonly rate?: string;
  readonly recoverablePercent?: string;
  readonly outputAccount?: string;
}

const CODES: readonly Code[] = [
  { name: 'STATED', treatment: 'RECOVERABLE' },
  { name: 'V19', treatment: 'RECOVERABLE', rate: '19' },
  { name: 'V7.7', treatment: 'RECOVERABLE', rate: '7.7' },
  { name: 'ON8.25', treatment: 'RECOVERABLE', basis: 'EXCLUSIVE', rate: '8.25' },
  { name: 'HALF', treatment: 'PARTLY_RECOVERABLE', rate: '21', recoverablePercent: '50' },
  { name: 'TWOTHIRDS', treatment: 'PARTLY_RECOVERABLE', basis: 'EXCLUSIVE', rate: '10', recoverablePercent: '66.6667' },
  { name: 'NONE', treatment: 'NOT_RECOVERABLE', rate: '20' },
  { name: 'RC19', treatment: 'REVERSE_CHARGE', rate: '19', outputAccount: '1776' },
  { name: 'RCHALF', treatment: 'REVERSE_CHARGE', rate: '5.5', outputAccount: '1776', recoverablePercent: '50' },
];

const RULES: readonly MappingRule[] = [
  ...CODES.map(({ name }) => rule({ category: name, taxCode: name })),
  rule({ category: 'PLAIN' }),
];

const taxCodes = taxCodesSchema.parse(Object.fromEntries(CODES.map(({ name, ...code }) => [name, code])));

/** A ledger that has every account, so that money is all that can be wrong. */
function ledger(currency: string, roundingAccount: string | null): PlanContext {
  return context({
    mapping: mapping(...RULES),
    rules: rules({ localCurrency: currency, costCentreDimension: null }),
    masterData: masterData({
      account: (code) => ({ code, name: code, active: true, blockedReason: null }),
      dimensionValue: () => null,
    }),
    pipeline: { roundingAccount, taxCodes },
  });
}

/** Written once more and in another way than in the product: scaled up, halves pushed away from zero, cut off. */
function rounded(numerator: bigint, denominator: bigint): bigint {
  const half = (numerator < 0n ? -1n : 1n) * (denominator / 2n);
  return denominator % 2n === 0n
    ? (numerator + half) / denominator
    : (2n * numerator + (numerator < 0n ? -denominator : denominator)) / (2n * denominator);
}

function percent(text: string): [bigint, bigint] {
  const digits = text.split('.')[1]?.length ?? 0;
  return [BigInt(text.replace('.', '')), 100n * 10n ** BigInt(digits)];
}

/** What a code's rate makes of an amount. */
function taxBy({ basis, rate = '0', treatment }: Code, minor: bigint): bigint {
  const [numerator, denominator] = percent(rate);
  const isOnTop = basis === 'EXCLUSIVE' || treatment === 'REVERSE_CHARGE';
  return rounded(minor * numerator, isOnTop ? denominator : denominator + numerator);
}

interface Receipt {
  readonly currency: string;
  readonly spend: UnifiedSpend;
  readonly codes: readonly (Code | null)[];
  /** What each part adds to the whole. */
  readonly grosses: readonly bigint[];
  readonly taxes: readonly bigint[];
  readonly error: bigint;
}

const minors = fc.oneof(fc.bigInt({ min: -200_000n, max: 200_000n }), fc.constantFrom(1n, -1n, 0n, 10n ** 15n + 1n));

const drawnPart = fc.record({
  minor: minors,
  code: fc.constantFrom(null, ...CODES),
  share: fc.bigInt({ min: 0n, max: 60n }),
});

function receiptIn(currency: string): fc.Arbitrary<Receipt> {
  return fc
    .record({
      drawn: fc.array(drawnPart, { minLength: 1, maxLength: 6 }),
      error: fc.bigInt({ min: -5n, max: 5n }),
    })
    .map(({ drawn, error: wild }) => {
      const taxes = drawn.map(({ minor, code, share }) =>
        code === null ? 0n : code.rate === undefined ? (minor * share) / 100n : taxBy(code, minor),
      );
      const grosses = drawn.map(({ minor, code }, index) =>
        code?.basis === 'EXCLUSIVE' ? minor + (taxes[index] ?? 0n) : minor,
      );
      // Less than one minor unit a part, which is what rounding may leave.
      const error = wild % BigInt(drawn.length);
      const parts: SpendPart[] = drawn.map(({ minor, code }, index) =>
        part({
          ...{ sourceLineId: `${index}`, amount: { minor, currency }, category: code?.name ?? 'PLAIN' },
          // So that the lines of each part can be told from those of the others.
          costCentre: `P${index}`,
          tax: code && code.rate === undefined ? { minor: taxes[index] ?? 0n, currency } : null,
        }),
      );
      const minor = grosses.reduce((sum, gross) => sum + gross, error);
      const spend = purchase({ amount: { minor, currency }, parts, kind: minor < 0n ? 'REFUND' : 'PURCHASE' });
      return { currency, spend, codes: drawn.map(({ code }) => code), grosses, taxes, error };
    });
}

const currencies = fc.constantFrom('USD', 'EUR', 'JPY', 'KRW', 'KWD', 'BHD', 'TND');
const receipt = currencies.chain(receiptIn);

const worth = (document: PlannedDocument, role?: string) =>
  document.lines
    .filter((line) => (role === undefined ? line.role !== 'OFFSET' : line.role === role))
    .reduce((sum, line) => sum + line.debitMinor - line.creditMinor, 0n);

function planned(context: PlanContext, spend: UnifiedSpend, revision = 1): PlannedDocument[] {
  return [...plan(context, [item('e1', spend, { revision })]).documents];
}

describe('every receipt', MINUTE, () => {
  it('is worth what the source says, balanced, with what rounding left on one line', () => {
    fc.assert(
      fc.property(receipt, ({ currency, spend, error }) => {
        for (const document of planned(ledger(currency, '6990'), spend)) {
          expect(document.holds).toEqual([]);
          expect(worth(document)).toBe(spend.amount.minor);
          expect(worth(document, 'ROUNDING')).toBe(error);
          expect(document.lines.filter(({ role }) => role === 'ROUNDING').length).toBe(error === 0n ? 0 : 1);
          const debit = document.lines.reduce((sum, line) => sum + line.debitMinor, 0n);
          expect(document.lines.reduce((sum, line) => sum + line.creditMinor, 0n)).toBe(debit);
        }
      }),
      RUNS,
    );
  });

  it('has net and tax of each part add up to its gross, to the minor unit', () => {
    fc.assert(
      fc.property(receipt, ({ currency, spend, grosses }) => {
        for (const document of planned(ledger(currency, '6990'), spend)) {
          const sums = new Map<string | null, bigint>();
          for (const line of document.lines) {
            if (line.role === 'OFFSET' || line.role === 'ROUNDING') continue;
            // The tax that is owed has no part's cost centre; it cancels what was added to deduct it.
            sums.set(line.costCentre, (sums.get(line.costCentre) ?? 0n) + line.debitMinor - line.creditMinor);
          }
          const owed = sums.get(null) ?? 0n;
          const all = grosses.reduce((sum, gross) => sum + gross, 0n);
          expect([...sums.values()].reduce((sum, minor) => sum + minor, 0n)).toBe(all);
          if (owed !== 0n) continue;
          grosses.forEach((gross, index) => {
            expect(sums.get(`P${index}`) ?? 0n, `part ${index}`).toBe(gross);
          });
        }
      }),
      RUNS,
    );
  });

  it('claims back of each tax what its code lets it, rounded once', () => {
    fc.assert(
      fc.property(receipt, ({ currency, spend, codes, taxes }) => {
        const [document] = planned(ledger(currency, '6990'), spend);
        if (!document) return;
        codes.forEach((code, index) => {
          const claimed = document.lines
            .filter((line) => line.role === 'TAX' && line.costCentre === `P${index}`)
            .reduce((sum, line) => sum + line.debitMinor - line.creditMinor, 0n);
          const tax = taxes[index] ?? 0n;
          const [numerator, denominator] = percent(code?.recoverablePercent ?? '100');
          const expected =
            code === null || code.treatment === 'NOT_RECOVERABLE' ? 0n : rounded(tax * numerator, denominator);
          expect(claimed, `${code?.name} of part ${index}`).toBe(expected);
        });
        const owed = document.lines.filter((line) => line.glAccount === '1776');
        const reverse = codes.reduce(
          (sum, code, index) => (code?.treatment === 'REVERSE_CHARGE' ? sum + (taxes[index] ?? 0n) : sum),
          0n,
        );
        expect(owed.reduce((sum, line) => sum + line.creditMinor - line.debitMinor, 0n)).toBe(reverse);
      }),
      RUNS,
    );
  });

  it('is held for nothing but its remainder where there is no rounding account', () => {
    fc.assert(
      fc.property(receipt, ({ currency, spend, error }) => {
        for (const document of planned(ledger(currency, null), spend)) {
          expect(document.holds.map(({ code, field }) => [code, field])).toEqual(
            error === 0n ? [] : [['UNBALANCED', 'roundingAccount']],
          );
        }
      }),
      RUNS,
    );
  });
});

describe('a purchase that is edited again and again', MINUTE, () => {
  it('is worth in all its documents together what the source says last', () => {
    const edits = currencies.chain((currency) => fc.array(receiptIn(currency), { minLength: 2, maxLength: 5 }));
    fc.assert(
      fc.property(edits, fc.boolean(), (versions, isClosed) => {
        const open = ledger(versions[0]?.currency ?? 'USD', '6990');
        const periods = open.masterData.periods.map((period) => ({ ...period, open: period.label === '2026-11' }));
        const closed: PlanContext = {
          ...open,
          pipeline: { ...open.pipeline, closedPeriod: 'NEXT_OPEN_PERIOD' },
          masterData: { ...open.masterData, periods },
        };
        const books: PlannedDocument[] = [];
        let standing: PlannedDocument[] = [];
        versions.forEach(({ spend }, index) => {
          const now = isClosed && index > 0 ? closed : open;
          const dated = { ...spend, transactionDate: localDate('2026-10-20') };
          books.push(...standing.map((document) => planReversal(now, document, 'edited')));
          standing = planned(now, dated, index + 1);
          books.push(...standing);
        });
        const last = versions.at(-1)?.spend.amount.minor;
        expect(books.every(({ holds, period }) => holds.length === 0 && period?.open === true)).toBe(true);
        expect(books.reduce((sum, document) => sum + worth(document), 0n)).toBe(standing.length === 0 ? 0n : last);
        expect(new Set(books.map(({ reference }) => reference)).size).toBe(books.length);
        const net = new Map<string, bigint>();
        for (const document of books) {
          for (const line of document.lines) {
            const key = `${line.glAccount} ${line.costCentre} ${line.taxCode}`;
            net.set(key, (net.get(key) ?? 0n) + line.debitMinor - line.creditMinor);
          }
        }
        for (const document of standing) {
          for (const line of document.lines) {
            const key = `${line.glAccount} ${line.costCentre} ${line.taxCode}`;
            net.set(key, (net.get(key) ?? 0n) - line.debitMinor + line.creditMinor);
          }
        }
        expect([...net.values()].every((minor) => minor === 0n)).toBe(true);
      }),
      RUNS,
    );
  });
});

describe('a foreign tax', MINUTE, () => {
  const foreign = fc.record({
    billed: fc.constantFrom('USD', 'JPY', 'KWD'),
    original: fc.constantFrom('EUR', 'KRW', 'BHD'),
    originalMinors: fc.array(fc.bigInt({ min: 1n, max: 1_000_000n }), { minLength: 1, maxLength: 6 }),
    rate: fc.bigInt({ min: 50n, max: 5_000n }),
    isRefund: fc.boolean(),
  });

  it('of any number of parts is, in total, that of the receipt converted once', () => {
    fc.assert(
      fc.property(foreign, ({ billed, original, originalMinors, rate, isRefund }) => {
        const sign = isRefund ? -1n : 1n;
        const amounts = originalMinors.map((minor) => sign * ((minor * rate) / 1_000n + 1n));
        const stated = originalMinors.map((minor) => sign * (minor / 6n));
        const total = amounts.reduce((sum, minor) => sum + minor, 0n);
        const whole = originalMinors.reduce((sum, minor) => sum + minor, 0n);
        const spend = purchase({
          amount: { minor: total, currency: billed },
          originalAmount: { minor: sign * whole, currency: original },
          kind: isRefund ? 'REFUND' : 'PURCHASE',
          parts: amounts.map((minor, index) =>
            part({
              ...{ amount: { minor, currency: billed }, category: 'STATED', costCentre: `P${index}` },
              tax: { minor: stated[index] ?? 0n, currency: original },
            }),
          ),
        });
        const [document] = planned(ledger(billed, '6990'), spend);
        expect(document?.holds).toEqual([]);
        if (!document) return;
        const taxes = stated.reduce((sum, minor) => sum + minor, 0n);
        expect(worth(document, 'TAX')).toBe(rounded(taxes * sign * total, whole));
        expect(worth(document)).toBe(total);
      }),
      RUNS,
    );
  });
});
