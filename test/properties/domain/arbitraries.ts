import fc from 'fast-check';
import { type LocalDate, localDate } from '../../../src/domain/localDate.js';
import type { PlanContext, PlanPipeline, PlanSpend } from '../../../src/domain/plan.js';
import type { SourceObject, SpendPart, UnifiedSpend } from '../../../src/domain/spend.js';
import {
  context,
  item,
  mapping,
  part,
  purchase,
  rule,
  rules,
  sourceObject,
  vendor,
} from '../../unit/domain/support.js';

/** Spend as wild as sources may send it, and pipelines of every setting. Failing cases print their seed. */

const DAYS: readonly LocalDate[] = [
  '2026-08-31',
  '2026-09-15',
  '2026-10-31',
  '2026-11-01',
  '2026-11-09',
  '2026-12-24',
].map(localDate);
const CURRENCIES = ['USD', 'USD', 'USD', 'EUR', 'JPY', 'KWD'];
const DIMENSIONS: readonly Readonly<Record<string, string>>[] = [
  {},
  {},
  { Department: 'R&D' },
  { Project: 'P1', Department: 'Ops' },
];

const minorUnits = fc.oneof(
  fc.bigInt({ min: -100_000n, max: 100_000n }),
  fc.constantFrom(0n, 1n, -1n, 10n ** 15n, -(10n ** 15n)),
);

function parts(currency: string): fc.Arbitrary<SpendPart[]> {
  const one = fc.record({
    minor: minorUnits,
    taxShare: fc.option(fc.bigInt({ min: -20n, max: 120n }), { nil: null, freq: 2 }),
    category: fc.constantFrom('OFFICE_SUPPLIES', 'TRAVEL', 'UNKNOWN', null),
    glAccount: fc.constantFrom(null, null, '6100', '6200', '7777'),
    costCentre: fc.constantFrom(null, null, 'CC1', 'NOPE'),
    dimensions: fc.constantFrom(...DIMENSIONS),
  });
  return fc.array(one, { minLength: 1, maxLength: 6 }).map((drawn) =>
    drawn.map(({ minor, taxShare, ...over }) =>
      part({
        ...over,
        amount: { minor, currency },
        tax: taxShare === null ? null : { minor: (minor * taxShare) / 100n, currency },
      }),
    ),
  );
}

const spend: fc.Arbitrary<UnifiedSpend> = fc.constantFrom(...CURRENCIES).chain((currency) =>
  fc
    .record({
      parts: parts(currency),
      kind: fc.constantFrom('PURCHASE', 'PURCHASE', 'PURCHASE', 'REFUND', 'BILL', 'NOT_SPEND'),
      isWithdrawn: fc.constantFrom(false, false, false, false, true),
      isFinal: fc.constantFrom(true, true, true, false),
      streams: fc.constantFrom<UnifiedSpend['streams'][]>(
        ['ACCOUNTING_RECORDS', 'CARD_TRANSACTIONS'],
        ['EXPENSES'],
        ['CASH_TRANSACTIONS'],
      ),
      transactionDate: fc.constantFrom(...DAYS),
      merchantName: fc.constantFrom('Office Depot', 'Rail', '🚆🚆🚆 Bahn', null),
      disagreement: fc.constantFrom(null, null, null, 'The source names two amounts.'),
      error: fc.constantFrom<bigint[]>(0n, 0n, 0n, 0n, 1n),
    })
    .map(({ error, ...drawn }) => {
      const minor = drawn.parts.reduce((sum, each) => sum + each.amount.minor, error);
      return purchase({ ...drawn, kind: drawn.kind as UnifiedSpend['kind'], amount: { minor, currency } });
    }),
);

const vendorFact = fc.constantFrom(
  null,
  null,
  vendor(),
  vendor({ supplierCode: 'S200' }),
  vendor({ status: 'UNMATCHED', supplierCode: null }),
  vendor({ status: 'NEEDS_REVIEW', matchId: 'm2' }),
);

/** Ordinary spend: few days, accounts that exist. Wild spend is nearly always held, and days would hardly ever fill. */
const ordinary: fc.Arbitrary<UnifiedSpend> = fc
  .record({
    currency: fc.constantFrom('USD', 'USD', 'USD', 'JPY'),
    shares: fc.array(
      fc.record({
        minor: fc.bigInt({ min: -5_000n, max: 50_000n }),
        taxShare: fc.constantFrom<bigint | null>(null, 0n, 7n, 19n, 100n),
        category: fc.constantFrom('OFFICE_SUPPLIES', 'TRAVEL'),
        glAccount: fc.constantFrom(null, '6100', '6200', '9999'),
        costCentre: fc.constantFrom(null, 'CC1', 'CC2'),
      }),
      { minLength: 1, maxLength: 4 },
    ),
    transactionDate: fc.constantFrom(localDate('2026-10-31'), localDate('2026-11-09')),
    merchantName: fc.constantFrom('Office Depot', 'Rail'),
  })
  .map(({ currency, shares, ...over }) => {
    const own = shares.map(({ minor, taxShare, ...coding }) =>
      part({
        ...coding,
        amount: { minor, currency },
        tax: taxShare === null ? null : { minor: (minor * taxShare) / 100n, currency },
      }),
    );
    const minor = own.reduce((sum, each) => sum + each.amount.minor, 0n);
    return purchase({ ...over, parts: own, amount: { minor, currency } });
  });

const wildList = fc.array(fc.tuple(spend, vendorFact), { maxLength: 25 });
const ordinaryList = fc.array(fc.tuple(ordinary, fc.constantFrom(null, vendor())), { maxLength: 40 });
const mixedList = fc
  .tuple(ordinaryList, fc.array(fc.tuple(spend, vendorFact), { maxLength: 3 }))
  .map((lists) => lists.flat());

export const spendList: fc.Arbitrary<PlanSpend[]> = fc
  .oneof(wildList, ordinaryList, mixedList)
  .map((drawn) => drawn.map(([one, fact], index) => item(`e${index}`, one, { vendor: fact })));

const pipelineSettings: fc.Arbitrary<Partial<PlanPipeline>> = fc.record({
  documentType: fc.constantFrom('JOURNAL', 'JOURNAL', 'SUPPLIER_INVOICE'),
  grouping: fc.constantFrom('PER_RECORD', 'DAILY'),
  defaultAccount: fc.constantFrom(null, '9999'),
  unmatchedVendor: fc.constantFrom('HOLD', 'SKIP', 'DEFAULT_ACCOUNT', 'CREATE_SUPPLIER', 'POST_WITHOUT_SUPPLIER'),
  postingDate: fc.constantFrom('TRANSACTION_DATE', 'POSTED_DATE', 'SYNC_DATE'),
  closedPeriod: fc.constantFrom('HOLD', 'NEXT_OPEN_PERIOD'),
  coding: fc.constantFrom('RICHEST', 'FIRST'),
});

export const planContext: fc.Arbitrary<PlanContext> = fc
  .record({
    settings: pipelineSettings,
    maxLines: fc.constantFrom(2, 3, 5, 1000),
    localCurrency: fc.constantFrom(null, 'USD'),
    taxRule: fc.boolean(),
    hasMapping: fc.constantFrom(true, true, false),
    memoLength: fc.constantFrom(0, 10, 250),
  })
  .map(({ settings, maxLines, localCurrency, taxRule, hasMapping, memoLength }) =>
    context({
      pipeline: settings,
      rules: rules({ maxLines, localCurrency, memoLength }),
      mapping: hasMapping
        ? mapping(
            ...(taxRule ? [rule({ category: 'tax', glAccount: '1575' })] : []),
            rule({ category: 'OFFICE_SUPPLIES', taxCode: 'VR' }),
            rule({ category: 'TRAVEL', glAccount: '6200', costCentre: 'CC2', dimensions: { Project: 'T' } }),
          )
        : null,
    }),
  );

/** The views of one purchase: cards, expenses (some of them parts of another) and accounting records. */
export const viewsOfOnePurchase: fc.Arbitrary<SourceObject[]> = fc
  .record({
    cards: fc.array(minorUnits, { maxLength: 3 }),
    expenses: fc.array(minorUnits, { maxLength: 3 }),
    records: fc.array(fc.constantFrom('USD', 'USD', 'EUR').chain(parts), { maxLength: 3 }),
    withdrawn: fc.array(fc.boolean(), { maxLength: 9 }),
    isSplit: fc.boolean(),
    // Sources differ in who names whom: the parts their whole, or the whole its parts.
    isListing: fc.boolean(),
    fields: fc.array(fc.constantFrom(null, 'a', 'b'), { minLength: 10, maxLength: 10 }),
    dates: fc.array(fc.constantFrom(...DAYS), { minLength: 10, maxLength: 10 }),
  })
  .map(({ cards, expenses, records, withdrawn, isSplit, isListing, fields, dates }) => {
    const usd = (minor: bigint) => ({ minor, currency: 'USD' });
    const whole = sourceObject({
      externalId: 'whole',
      stream: 'EXPENSES',
      keys: ['expense:whole', ...(isListing ? expenses.map((_, index) => `expense:e${index}`) : [])],
      amount: isListing && expenses.length > 0 ? usd(expenses.reduce((sum, minor) => sum + minor, 0n)) : usd(10_000n),
      parts: isListing ? expenses.map((minor, index) => part({ sourceLineId: `e${index}`, amount: usd(minor) })) : [],
    });
    const objects = [
      ...cards.map((minor, index) =>
        sourceObject({ externalId: `p${index}`, keys: [`card:p${index}`, 'expense:whole'], amount: usd(minor) }),
      ),
      ...expenses.map((minor, index) =>
        sourceObject({
          externalId: `e${index}`,
          stream: 'EXPENSES',
          keys: isListing ? [`expense:e${index}`] : [`expense:e${index}`, 'expense:whole'],
          amount: usd(minor),
        }),
      ),
      ...records.map((own, index) =>
        sourceObject({
          externalId: `r${index}`,
          stream: 'ACCOUNTING_RECORDS',
          keys: [`record:r${index}`, index < expenses.length ? `expense:e${index}` : 'expense:whole'],
          amount: {
            minor: own.reduce((sum, each) => sum + each.amount.minor, 0n),
            currency: own[0]?.amount.currency ?? 'USD',
          },
          parts: own,
        }),
      ),
      ...(isSplit || cards.length + expenses.length + records.length === 0 ? [whole] : []),
    ];
    return objects.map((object, index) => ({
      ...object,
      isWithdrawn: withdrawn[index] ?? false,
      merchantName: fields[index] ?? null,
      memo: fields[(index + 1) % 10] ?? null,
      spender: fields[(index + 2) % 10] ?? null,
      category: object.stream === 'EXPENSES' ? (fields[(index + 3) % 10] ?? null) : null,
      transactionDate: dates[index] ?? DAYS[0] ?? object.transactionDate,
    }));
  });
