// The tax of a purchase and what rounding leaves over. What would surprise: a minor unit that is lost or made up, a tax
// that is taken back although it may not be, a reverse charge of which only one side is booked, or anything that was not
// decided by a person and is booked all the same.
import { describe, expect, it } from 'vitest';
import { divideRounded, moneyFromDecimal } from '../../../src/domain/money.js';
import type { MappingRule, PlannedDocument } from '../../../src/domain/plan.js';
import { plan } from '../../../src/domain/planner.js';
import type { SpendPart, UnifiedSpend } from '../../../src/domain/spend.js';
import { taxCodesSchema } from '../../../src/domain/taxCodes.js';
import {
  context,
  holdCodes,
  item,
  mapping,
  masterData,
  part,
  purchase,
  rule,
  rules,
  shortLines,
  usd,
} from './support.js';

const RULES: readonly MappingRule[] = [
  rule({ category: 'tax', glAccount: '1575' }),
  rule({ category: 'A', taxCode: 'A' }),
  rule({ category: 'B', glAccount: '6200', taxCode: 'B' }),
  rule({ category: 'OFFICE_SUPPLIES' }),
];

interface Case {
  readonly taxCodes?: Record<string, unknown>;
  readonly roundingAccount?: string | null;
  readonly currency?: string;
  readonly grouping?: 'PER_RECORD' | 'DAILY';
}

const ACCOUNTS = new Set(['6100', '6200', '2110', '1575', '1576', '1776', '6990']);

function planned(parts: readonly SpendPart[], over: Partial<UnifiedSpend>, options: Case = {}) {
  const { taxCodes = {}, roundingAccount = null, currency = 'USD', grouping = 'PER_RECORD' } = options;
  const ctx = context({
    mapping: mapping(...RULES),
    rules: rules({ localCurrency: currency }),
    masterData: masterData({
      account: (code) =>
        ACCOUNTS.has(code) ? { code, name: `Account ${code}`, active: true, blockedReason: null } : undefined,
    }),
    pipeline: { taxCodes: taxCodesSchema.parse(taxCodes), roundingAccount, grouping },
  });
  const sum = parts.reduce((total, one) => total + one.amount.minor, 0n);
  const { documents, skipped } = plan(ctx, [
    item('e1', purchase({ parts, amount: { minor: sum, currency }, ...over })),
  ]);
  return { document: documents[0] as PlannedDocument, skipped };
}

const of = (amount: string, category: string, tax: string | null = null, currency = 'USD') =>
  part({
    category,
    amount: moneyFromDecimal(amount, currency),
    tax: tax === null ? null : moneyFromDecimal(tax, currency),
  });

describe('quotients', () => {
  it.each([
    [5n, 2n, 3n],
    [-5n, 2n, -3n],
    [5n, -2n, -3n],
    [4n, 3n, 1n],
    [-4n, 3n, -1n],
    [0n, 7n, 0n],
    [10n ** 30n + 1n, 2n, 5n * 10n ** 29n + 1n],
  ])('%s by %s is %s: a half goes away from zero', (numerator, denominator, expected) => {
    expect(divideRounded(numerator, denominator)).toBe(expected);
  });
});

describe('several rates on one receipt', () => {
  it('are tax lines of their own, and net and tax are the gross of each part', () => {
    const { document } = planned([of('119.00', 'A', '19.00'), of('10.70', 'B', '0.70')], {});
    expect(shortLines(document)).toEqual([
      '6100 debit 10000',
      '1575 debit 1900',
      '6200 debit 1000',
      '1575 debit 70',
      '2110 credit 12970',
    ]);
    expect(document.lines.map((line) => line.taxCode)).toEqual([null, 'A', null, 'B', null]);
    expect(document.holds).toEqual([]);
  });

  it('go to the accounts of their tax codes, which come before the rule for tax', () => {
    const taxCodes = { A: { treatment: 'RECOVERABLE', account: '1576' } };
    const { document } = planned([of('119.00', 'A', '19.00'), of('10.70', 'B', '0.70')], {}, { taxCodes });
    expect(document.lines.filter(({ role }) => role === 'TAX').map(({ glAccount }) => glAccount)).toEqual([
      '1576',
      '1575',
    ]);
    expect(document.lines[1]?.explanation).toContain("by the pipeline's tax code A");
  });

  it('may be computed from rates where the source states no tax', () => {
    const taxCodes = { A: { treatment: 'RECOVERABLE', rate: 19 }, B: { treatment: 'RECOVERABLE', rate: '7' } };
    const { document } = planned([of('119.00', 'A'), of('10.70', 'B')], {}, { taxCodes });
    expect(shortLines(document)).toEqual([
      '6100 debit 10000',
      '1575 debit 1900',
      '6200 debit 1000',
      '1575 debit 70',
      '2110 credit 12970',
    ]);
    expect(document.lines[1]?.explanation).toContain('Tax of 19 % computed from the amount, tax code A.');
  });
});

describe('tax on top of the amounts', () => {
  const taxCodes = { A: { treatment: 'RECOVERABLE', basis: 'EXCLUSIVE', rate: '8.25' } };

  it('is added to the parts, and both are the purchase', () => {
    const { document } = planned(
      [of('100.00', 'A'), of('20.00', 'OFFICE_SUPPLIES')],
      { amount: usd('128.25') },
      { taxCodes },
    );
    expect(shortLines(document)).toEqual([
      '6100 debit 10000',
      '1575 debit 825',
      '6100 debit 2000',
      '2110 credit 12825',
    ]);
    expect(document.holds).toEqual([]);
  });

  it('of a refund is on the other side, like its purchase', () => {
    const { document } = planned(
      [of('-100.00', 'A', '-8.25')],
      { amount: usd('-108.25'), kind: 'REFUND' },
      { taxCodes },
    );
    expect(shortLines(document)).toEqual(['6100 credit 10000', '1575 credit 825', '2110 debit 10825']);
  });

  it('holds the purchase where its parts make the whole without it', () => {
    const { document } = planned([of('100.00', 'A')], { amount: usd('100.00') }, { taxCodes });
    expect(holdCodes(document)).toEqual(['UNBALANCED']);
    expect(document.holds[0]?.message).toBe(
      'The parts add up to 100.00 USD, with the tax on top 108.25 USD, the whole is 100.00 USD.',
    );
  });
});

describe('tax that is not given back', () => {
  it('stays with the cost, and the line says how much it is', () => {
    const { document } = planned(
      [of('119.00', 'A', '19.00')],
      {},
      { taxCodes: { A: { treatment: 'NOT_RECOVERABLE' } } },
    );
    expect(shortLines(document)).toEqual(['6100 debit 11900', '2110 credit 11900']);
    expect(document.lines[0]).toMatchObject({ role: 'EXPENSE', taxCode: null });
    expect(document.lines[0]?.explanation).toContain(
      '19.00 USD of it is tax that stays with the cost: tax code A, none of it is recoverable.',
    );
  });

  it('in part leaves the odd minor unit with the cost', () => {
    const taxCodes = { A: { treatment: 'PARTLY_RECOVERABLE', recoverablePercent: '50' } };
    const { document } = planned([of('119.01', 'A', '19.01')], {}, { taxCodes });
    // Half of 19.01 is 9.505: 9.51 is claimed, 9.50 stays.
    expect(shortLines(document)).toEqual(['6100 debit 10950', '1575 debit 951', '2110 credit 11901']);
    const refund = planned([of('-119.01', 'A', '-19.01')], {}, { taxCodes }).document;
    expect(shortLines(refund)).toEqual(['6100 credit 10950', '1575 credit 951', '2110 debit 11901']);
  });
});

describe('a reverse charge', () => {
  const reverse = { treatment: 'REVERSE_CHARGE', rate: '19', outputAccount: '1776' };

  it('shows the tax that is owed beside the one that is deducted, and they cancel', () => {
    const { document } = planned([of('100.00', 'A')], {}, { taxCodes: { A: reverse } });
    expect(shortLines(document)).toEqual([
      '6100 debit 10000',
      '1575 debit 1900',
      '1776 credit 1900',
      '2110 credit 10000',
    ]);
    const taxes = document.lines.filter(({ role }) => role === 'TAX');
    expect(taxes.map(({ taxCode }) => taxCode)).toEqual(['A', 'A']);
    expect(taxes.every(({ explanation }) => /reverse charge/i.test(explanation))).toBe(true);
  });

  it('that may be deducted in part only adds the rest to the cost', () => {
    const taxCodes = { A: { ...reverse, recoverablePercent: '25' } };
    const { document } = planned([of('100.00', 'A')], {}, { taxCodes });
    expect(shortLines(document)).toEqual([
      '6100 debit 11425',
      '1575 debit 475',
      '1776 credit 1900',
      '2110 credit 10000',
    ]);
  });

  it('of a daily document stays on both of its accounts', () => {
    const { document } = planned(
      [of('100.00', 'A'), of('50.00', 'A')],
      {},
      { taxCodes: { A: reverse }, grouping: 'DAILY' },
    );
    expect([...shortLines(document)].sort()).toEqual([
      '1575 debit 2850',
      '1776 credit 2850',
      '2110 credit 15000',
      '6100 debit 15000',
    ]);
  });

  it('without a rate and without a stated tax is held: nobody knows how much is owed', () => {
    const { document } = planned([of('100.00', 'A')], {}, { taxCodes: { A: { ...reverse, rate: null } } });
    expect(document.holds).toEqual([
      expect.objectContaining({ code: 'MAPPING_MISSING', field: 'taxCode', value: 'A' }),
    ]);
  });

  it('takes the tax that the source states before any rate', () => {
    const { document } = planned([of('100.00', 'A', '20.00')], {}, { taxCodes: { A: reverse } });
    expect(shortLines(document).slice(1, 3)).toEqual(['1575 debit 2000', '1776 credit 2000']);
  });
});

describe('a tax code that nobody has decided about', () => {
  it('holds the purchase, by itself or with all that are not listed', () => {
    for (const taxCodes of [
      { A: { treatment: 'HOLD' } },
      { '*': { treatment: 'HOLD' }, B: { treatment: 'RECOVERABLE' } },
    ]) {
      const { document } = planned([of('119.00', 'A', '19.00')], {}, { taxCodes });
      expect(holdCodes(document)).toEqual(['MAPPING_MISSING']);
      expect(document.holds[0]?.message).toBe('How tax code A is treated has not been decided.');
    }
    const listed = planned(
      [of('10.70', 'B', '0.70')],
      {},
      { taxCodes: { '*': { treatment: 'HOLD' }, B: { treatment: 'RECOVERABLE' } } },
    );
    expect(listed.document.holds).toEqual([]);
  });

  it('is not one of the names that every object has', () => {
    const odd = [rule({ category: 'A', taxCode: 'constructor' })];
    const ctx = context({ mapping: mapping(...odd), pipeline: { taxCodes: taxCodesSchema.parse({}) } });
    const spend = purchase({ amount: usd('119.00'), parts: [of('119.00', 'A', '19.00')] });
    expect(shortLines(plan(ctx, [item('e1', spend)]).documents[0])).toHaveLength(3);
  });
});

describe('what is said about tax codes', () => {
  it.each([
    [{ A: { treatment: 'PARTLY_RECOVERABLE' } }, ['A', 'recoverablePercent']],
    [{ A: { treatment: 'RECOVERABLE', recoverablePercent: '50' } }, ['A', 'recoverablePercent']],
    [{ A: { treatment: 'PARTLY_RECOVERABLE', recoverablePercent: '100.1' } }, ['A', 'recoverablePercent']],
    [{ A: { treatment: 'REVERSE_CHARGE', rate: '19' } }, ['A', 'outputAccount']],
    [{ A: { treatment: 'RECOVERABLE', outputAccount: '1776' } }, ['A', 'outputAccount']],
    [{ A: { treatment: 'REVERSE_CHARGE', outputAccount: '1776', basis: 'EXCLUSIVE' } }, ['A', 'basis']],
    [{ A: { treatment: 'RECOVERABLE', rate: '1e2' } }, ['A', 'rate']],
    [{ A: { treatment: 'SOMETIMES' } }, ['A', 'treatment']],
  ])('is refused by the name of the field: %j', (given, path) => {
    const parsed = taxCodesSchema.safeParse(given);
    expect(parsed.error?.issues.map((issue) => issue.path)).toContainEqual(path);
  });
});

describe('a foreign tax', () => {
  const eur = (text: string) => moneyFromDecimal(text, 'EUR');
  const foreign = { originalAmount: eur('119.00'), exchangeRate: '1.0901', rateOrigin: 'IMPLIED' } as const;

  it('is converted as its purchase was, by the two amounts and not by the rounded rate', () => {
    const parts = [part({ category: 'A', amount: usd('129.72'), tax: eur('19.00') })];
    const { document } = planned(parts, foreign);
    // 19.00 · 129.72 / 119.00 = 20.7116…
    expect(shortLines(document)).toEqual(['6100 debit 10901', '1575 debit 2071', '2110 credit 12972']);
    expect(document.lines[1]?.explanation).toContain('Tax of 19.00 EUR stated by the source, converted');
  });

  it('of several parts is that of the receipt converted once; the difference is the rounding line', () => {
    const third = part({ category: 'A', amount: usd('1.00'), tax: eur('0.10') });
    const over = { originalAmount: eur('2.00'), exchangeRate: '1.5' };
    // 0.10 EUR are 0.15 USD a part and 0.45 together; with 0.11 they are 0.165, rounded 0.17, and together 0.495: 0.50.
    const odd = [third, third, { ...third, tax: eur('0.11') }];
    expect(planned(odd, over, { roundingAccount: '6990' }).document.lines.some(({ role }) => role === 'ROUNDING')).toBe(
      false,
    );
    const eleven = { ...third, tax: eur('0.11') };
    const { document } = planned([eleven, eleven, eleven], over, { roundingAccount: '6990' });
    const tax = document.lines.filter(({ role }) => role === 'TAX');
    expect(tax.reduce((sum, line) => sum + line.debitMinor, 0n)).toBe(50n);
    expect(document.lines.filter(({ role }) => role === 'ROUNDING')).toMatchObject([
      { glAccount: '6990', debitMinor: 1n },
    ]);
    expect(document.holds).toEqual([]);
  });

  it('without an amount in its currency is held', () => {
    const parts = [part({ category: 'A', amount: usd('129.72'), tax: moneyFromDecimal('19.00', 'GBP') })];
    expect(holdCodes(planned(parts, foreign).document)).toEqual(['UNBALANCED']);
  });
});

describe('a remainder of rounding', () => {
  const thirds = [of('33.33', 'OFFICE_SUPPLIES'), of('33.33', 'OFFICE_SUPPLIES'), of('33.33', 'OFFICE_SUPPLIES')];

  it('is a line of its own on the rounding account, and the purchase is whole', () => {
    const { document } = planned(thirds, { amount: usd('100.00') }, { roundingAccount: '6990' });
    expect(shortLines(document)).toEqual([
      '6100 debit 3333',
      '6100 debit 3333',
      '6100 debit 3333',
      '6990 debit 1',
      '2110 credit 10000',
    ]);
    expect(document.lines[3]).toMatchObject({ role: 'ROUNDING', taxCode: null, costCentre: null });
    expect(document.lines[3]?.explanation).toBe(
      'Rounding leaves 0.01 USD. The parts add up to 99.99 USD, the whole is 100.00 USD. ' +
        "It goes to the pipeline's rounding account 6990.",
    );
    expect(document.lines[3]?.memo).toMatch(/^rounding \| /);
  });

  it('without a rounding account holds the purchase and says what resolves it', () => {
    const { document } = planned(thirds, { amount: usd('100.00') });
    expect(document.holds).toEqual([
      expect.objectContaining({ code: 'UNBALANCED', field: 'roundingAccount', value: '0.01' }),
    ]);
    expect(document.holds[0]?.resolution).toMatch(/rounding account/);
  });

  it('on an account that the ledger does not have holds the purchase', () => {
    expect(holdCodes(planned(thirds, { amount: usd('100.00') }, { roundingAccount: '7777' }).document)).toEqual([
      'ACCOUNT_MISSING',
    ]);
  });

  it.each([
    ['of as much as a minor unit a part', '100.02'],
    ['of one part', '0.01'],
  ])('%s is no rounding and is held, whatever account there is', (what, amount) => {
    const parts = what === 'of one part' ? [of('0.02', 'OFFICE_SUPPLIES')] : thirds;
    const { document } = planned(parts, { amount: usd(amount) }, { roundingAccount: '6990' });
    expect(document.holds).toEqual([expect.objectContaining({ code: 'UNBALANCED', field: 'amount' })]);
    expect(document.lines.some(({ role }) => role === 'ROUNDING')).toBe(false);
  });

  it('between the taxes of the parts and the tax of the receipt goes to it too', () => {
    const taxCodes = { A: { treatment: 'RECOVERABLE', rate: '19' } };
    const tens = [of('10.00', 'A'), of('10.00', 'A'), of('10.00', 'A')];
    // Each rounds to 1.60, together 4.80; 19/119 of 30.00 is 4.79, which the receipt states.
    const { document } = planned(tens, { tax: usd('4.79') }, { taxCodes, roundingAccount: '6990' });
    expect(shortLines(document)).toEqual([
      '6100 debit 840',
      '1575 debit 159',
      '6100 debit 840',
      '1575 debit 160',
      '6100 debit 840',
      '1575 debit 160',
      '6990 debit 1',
      '2110 credit 3000',
    ]);
    const other = planned(tens, { tax: usd('5.79') }, { taxCodes, roundingAccount: '6990' }).document;
    expect(other.holds[0]?.message).toBe(
      'The source states a tax of 5.79 USD, by the rates of its tax codes it is 4.80 USD.',
    );
  });

  it('is one minor unit of its currency, be that a yen or a fils', () => {
    for (const [currency, amounts, whole] of [
      ['JPY', ['33', '33', '33'], '100'],
      ['KWD', ['0.333', '0.333', '0.333'], '1.000'],
    ] as const) {
      const parts = amounts.map((amount) => of(amount, 'OFFICE_SUPPLIES', null, currency));
      const amount = moneyFromDecimal(whole, currency);
      const { document } = planned(parts, { amount }, { roundingAccount: '6990', currency });
      expect(document.holds).toEqual([]);
      expect(document.lines.find(({ role }) => role === 'ROUNDING')?.debitMinor).toBe(1n);
      expect(document.totalMinor).toBe(amount.minor);
    }
  });
});

describe('amounts of nothing', () => {
  it('are excluded with the reason, unless tax is moved', () => {
    const nothing = planned([of('0.00', 'A')], {});
    expect(nothing.skipped).toMatchObject([{ kind: 'EXCLUDED', reason: 'The amount is zero.' }]);
    const { document } = planned([of('0.00', 'A', '1.90')], {});
    expect(shortLines(document)).toEqual(['6100 credit 190', '1575 debit 190']);
    expect(document.holds).toEqual([]);
  });

  it('are posted where two rates of tax change places in an exchange', () => {
    const { document } = planned([of('-119.00', 'A', '-19.00'), of('119.00', 'B', '7.79')], {});
    expect(document.totalMinor).toBe(11_900n);
    expect(document.lines.reduce((sum, line) => sum + line.debitMinor - line.creditMinor, 0n)).toBe(0n);
  });

  it('may be an invoice over tax alone, where the tax comes on top', () => {
    const taxCodes = { A: { treatment: 'RECOVERABLE', basis: 'EXCLUSIVE' } };
    const { document } = planned([of('0.00', 'A', '42.10')], { amount: usd('42.10') }, { taxCodes });
    expect(shortLines(document)).toEqual(['1575 debit 4210', '2110 credit 4210']);
  });
});

describe('a foreign purchase', () => {
  it('says on its lines what was charged, what was billed, and where the rate comes from', () => {
    const over = {
      originalAmount: moneyFromDecimal('12.345', 'KWD'),
      exchangeRate: '3.2571891454',
      rateOrigin: 'IMPLIED',
    } as const;
    const { document } = planned([of('40.21', 'OFFICE_SUPPLIES')], over);
    expect(document.lines[0]?.explanation).toContain(
      'Charged 12.345 KWD, billed 40.21 USD: 3.2571891454 USD for 1 KWD, implied by the two amounts.',
    );
    const stated = planned([of('40.21', 'OFFICE_SUPPLIES')], { ...over, rateOrigin: 'STATED' }).document;
    expect(stated.lines[0]?.explanation).toContain('for 1 KWD, stated by the source.');
    const daily = planned([of('40.21', 'OFFICE_SUPPLIES'), of('1.00', 'OFFICE_SUPPLIES')], over, { grouping: 'DAILY' });
    expect(daily.document.lines[0]?.explanation).toContain('Charged 12.345 KWD, billed 41.21 USD');
  });
});
