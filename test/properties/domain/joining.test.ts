import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../src/domain/canonicalJson.js';
import { groupByKeys } from '../../../src/domain/identity.js';
import { documentReference, REFERENCE_FORM } from '../../../src/domain/keys.js';
import { globMatches } from '../../../src/domain/mapping.js';
import { absolute } from '../../../src/domain/money.js';
import { canMove, isSettled, POSTING_STATUSES, type PostingStatus } from '../../../src/domain/postingState.js';
import { RECONCILIATION_BUCKETS, reconcile } from '../../../src/domain/reconcile.js';
import { unify } from '../../../src/domain/unify.js';
import { part, sourceObject } from '../../unit/domain/support.js';
import { viewsOfOnePurchase } from './arbitraries.js';

/** Each test has a minute: a busy machine must not fail it. */
const MINUTE = { timeout: 60_000 };
const RUNS = { numRuns: 500 };

describe('the joint view of a purchase', MINUTE, () => {
  const shuffledViews = viewsOfOnePurchase.chain((views) =>
    fc.tuple(fc.constant(views), fc.shuffledSubarray(views, { minLength: views.length })),
  );

  it('is the same for any order in which its views arrived', () => {
    fc.assert(
      fc.property(shuffledViews, ([views, other]) => {
        expect(canonicalJson(unify(other))).toBe(canonicalJson(unify(views)));
      }),
      RUNS,
    );
  });

  it('has parts that add up to its amount but for less than a minor unit each, or says that they do not', () => {
    fc.assert(
      fc.property(viewsOfOnePurchase, (views) => {
        const { parts, amount, disagreement } = unify(views);
        expect(parts.length).toBeGreaterThan(0);
        if (disagreement !== null) return;
        expect(parts.every((part) => part.amount.currency === amount.currency)).toBe(true);
        const missing = amount.minor - parts.reduce((sum, part) => sum + part.amount.minor, 0n);
        expect(absolute(missing) < BigInt(parts.length)).toBe(true);
      }),
      RUNS,
    );
  });
});

describe('a split whose whole lists its parts', MINUTE, () => {
  const amounts = fc.array(fc.bigInt({ min: -1_000n, max: 1_000n }), { minLength: 1, maxLength: 5 });

  it('is worth the same, however many of its parts have been seen and in whatever order', () => {
    fc.assert(
      fc.property(amounts, fc.infiniteStream(fc.boolean()), (minors, seen) => {
        const usd = (minor: bigint) => ({ minor, currency: 'USD' });
        const total = minors.reduce((sum, minor) => sum + minor, 0n);
        const own = minors.map((minor, index) => part({ sourceLineId: `e${index}`, amount: usd(minor) }));
        const whole = sourceObject({
          stream: 'EXPENSES',
          externalId: 'whole',
          keys: ['expense:whole', ...minors.map((_, index) => `expense:e${index}`)],
          amount: usd(total),
          parts: own,
        });
        const children = minors
          .map((minor, index) =>
            sourceObject({
              stream: 'EXPENSES',
              externalId: `e${index}`,
              keys: [`expense:e${index}`],
              amount: usd(minor),
            }),
          )
          .filter(() => seen.next().value);
        const unified = unify([...children, whole]);
        expect(unified.disagreement).toBeNull();
        expect(unified.parts.map((each) => [each.sourceLineId, each.amount.minor])).toEqual(
          minors.map((minor, index) => [`e${index}`, minor]),
        );
      }),
      RUNS,
    );
  });
});

describe('groups by shared keys', MINUTE, () => {
  const objects = fc
    .array(fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 3 }), { maxLength: 12 })
    .map((lists) =>
      lists.map((keys, index) => sourceObject({ externalId: `${index}`, keys: keys.map((key) => `card:k${key}`) })),
    );

  it('are the same for any order of the objects, and part all of them', () => {
    fc.assert(
      fc.property(
        objects.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, other]) => {
          const groups = groupByKeys(all);
          expect(groupByKeys(other)).toEqual(groups);
          expect(groups.flatMap((group) => group.objects).length).toBe(all.length);
          const keys = groups.flatMap((group) => group.keys);
          expect(new Set(keys).size).toBe(keys.length);
        },
      ),
      RUNS,
    );
  });
});

describe('references', MINUTE, () => {
  it('have the form that all ledgers take, whatever the fact contains', () => {
    const fact = fc.record({
      ledgerId: fc.string({ unit: 'binary' }),
      pipelineId: fc.string(),
      fact: fc.string({ unit: 'binary' }),
      revision: fc.nat(),
      role: fc.constantFrom('ORIGINAL' as const, 'REVERSAL' as const),
    });
    fc.assert(
      fc.property(fact, fact, (one, other) => {
        expect(documentReference(one)).toMatch(REFERENCE_FORM);
        expect(documentReference(one) === documentReference(other)).toBe(canonicalJson(one) === canonicalJson(other));
      }),
      RUNS,
    );
  });
});

describe('canonical JSON', MINUTE, () => {
  it('means the same as JSON and does not depend on the order of properties', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, field]) => [key, reversed(field)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
      RUNS,
    );
  });
});

describe('merchant globs', MINUTE, () => {
  it('fit what a plain regular expression made from them fits', () => {
    const text = (alphabet: string) =>
      fc.array(fc.constantFrom(...alphabet), { maxLength: 8 }).map((all) => all.join(''));
    fc.assert(
      fc.property(text('abB.*?'), text('abAB.*'), (glob, name) => {
        const source = glob.toLowerCase().replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(globMatches(glob, name)).toBe(new RegExp(`^${source}$`).test(name.toLowerCase()));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('moves of a posting', MINUTE, () => {
  // The one way to POSTED that leads over no attempt: the ledger, asked before what an attempt left is cleared away, has
  // the document in its books.
  const ADOPTING: readonly PostingStatus[] = ['HELD', 'AWAITING_APPROVAL', 'REJECTED', 'CANCELLED'];

  it('never leave a settled one, except to reverse what was posted, or to plan or adopt what was cancelled', () => {
    const walk = fc.array(fc.constantFrom(...POSTING_STATUSES), { maxLength: 40 });
    fc.assert(
      fc.property(walk, (wishes) => {
        let state: PostingStatus = 'PLANNED';
        for (const wish of wishes) {
          if (!canMove(state, wish)) continue;
          if (isSettled(state))
            expect(['POSTED REVERSED', 'CANCELLED PLANNED', 'CANCELLED POSTED']).toContain(`${state} ${wish}`);
          if (wish === 'POSTED') expect(['POSTING', 'IN_DOUBT', ...ADOPTING]).toContain(state);
          state = wish;
        }
      }),
      RUNS,
    );
  });
});

describe('a reconciliation', MINUTE, () => {
  it('has every cent in exactly one bucket', () => {
    const rows = fc
      .array(
        fc.record({
          currency: fc.constantFrom('USD', 'EUR'),
          bucket: fc.constantFrom(...RECONCILIATION_BUCKETS),
          amounts: fc.array(fc.bigInt({ min: -1_000n, max: 1_000n }), { minLength: 1, maxLength: 6 }),
        }),
      )
      .map((drawn) =>
        drawn.map(({ currency, bucket, amounts }, index) => {
          const others = amounts.slice(1).map((minor, at) => [RECONCILIATION_BUCKETS[at] ?? bucket, minor] as const);
          const spread = new Map(others);
          spread.set(bucket, amounts[0] ?? 0n);
          const amountMinor = [...spread.values()].reduce((sum, minor) => sum + minor, 0n);
          return { id: `${index}`, currency, amountMinor, contributions: Object.fromEntries(spread) };
        }),
      );
    fc.assert(
      fc.property(rows, (all) => {
        const totals = reconcile(all);
        for (const total of totals) {
          expect(total.difference).toBe(0n);
          expect(RECONCILIATION_BUCKETS.reduce((sum, bucket) => sum + total[bucket], 0n)).toBe(total.source);
        }
        expect(totals.reduce((sum, total) => sum + total.recordCount, 0)).toBe(all.length);
      }),
      RUNS,
    );
  });
});
