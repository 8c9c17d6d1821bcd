import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CodingTarget, MappingComparison, PreviewTotals, targetKey } from '../../../src/domain/mappingPreview.js';
import type { MappingVersion, PlanContext, PlanSpend } from '../../../src/domain/plan.js';
import { plan } from '../../../src/domain/planner.js';
import { day, rule } from '../../unit/domain/support.js';
import { planContext, spendList } from './arbitraries.js';

// A preview is only worth something when planning then does what it said. What would be caught: an amount that the preview
// puts elsewhere than planning does, a hold that it does not see coming, a purchase that it leaves out.

const MINUTE = { timeout: 60_000 };

const rules = fc.array(
  fc.record({
    category: fc.constantFrom(null, 'OFFICE_SUPPLIES', 'TRAVEL', 'UNKNOWN', 'tax'),
    merchant: fc.constantFrom(null, 'rail*', '*depot'),
    glAccount: fc.constantFrom('6100', '6200', '6300', '7777', '1575'),
    costCentre: fc.constantFrom(null, 'CC1', 'CC2', 'NOPE'),
    dimensions: fc.constantFrom<Record<string, string>>({}, { Project: 'P9' }),
    taxCode: fc.constantFrom(null, 'VR', 'VZ'),
  }),
  { maxLength: 5 },
);

const version = (number: number) =>
  fc.record({ rules, effectiveFrom: fc.constantFrom('2026-01-01', '2026-11-01', '2026-12-01') }).map(
    (drawn): MappingVersion => ({
      version: number,
      effectiveFrom: day(drawn.effectiveFrom),
      rules: drawn.rules.map((one) => rule(one)),
    }),
  );

/** A document a purchase, as the preview compares them. */
function planned(context: PlanContext, mapping: MappingVersion | null, item: PlanSpend) {
  const single = { ...context, mapping, pipeline: { ...context.pipeline, grouping: 'PER_RECORD' as const } };
  const { documents } = plan(single, [item]);
  const amounts = new Map<string, bigint>();
  for (const line of documents.flatMap((document) => document.lines)) {
    if (line.role === 'OFFSET') continue;
    count(amounts, { ...line, glAccount: line.glAccount || null }, line.debitMinor - line.creditMinor);
  }
  return { amounts, holds: [...new Set(documents.flatMap(({ holds }) => holds.map(({ code }) => code)))].sort() };
}

function count(amounts: Map<string, bigint>, target: CodingTarget, minor: bigint): void {
  const key = targetKey(target);
  amounts.set(key, (amounts.get(key) ?? 0n) + minor);
}

const nonZero = (amounts: Map<string, bigint>) => [...amounts].filter(([, minor]) => minor !== 0n).sort();
const NOWHERE = targetKey({ glAccount: null, costCentre: null, taxCode: null, dimensions: {} });

describe('the preview of a mapping version', MINUTE, () => {
  it('says for each purchase what planning does once the version is saved: amounts, accounts and holds', () => {
    fc.assert(
      fc.property(
        planContext.filter(({ pipeline }) => pipeline.grouping === 'PER_RECORD'),
        spendList,
        version(1),
        version(2),
        (context, spend, saved, next) => {
          const comparison = new MappingComparison(context, [saved], next);
          for (const item of spend) {
            const change = comparison.changeOf({ item, postedOn: null });
            // Planning itself decides which version is in force: by the document's own posting date.
            const [sample] = plan({ ...context, mapping: next }, [item]).documents;
            const onDay = (versions: MappingVersion[]) =>
              sample ? (versions.find((one) => one.effectiveFrom <= sample.postingDate) ?? null) : null;
            const before = planned(context, onDay([saved]), item);
            const after = planned(context, next, item);
            if (change === null) {
              expect(nonZero(after.amounts)).toEqual(nonZero(before.amounts));
              expect(after.holds.length > 0).toBe(before.holds.length > 0);
              continue;
            }
            expect([...new Set(change.holdsAfter.map(({ code }) => code))].sort()).toEqual(after.holds);
            expect([...new Set(change.holdsBefore.map(({ code }) => code))].sort()).toEqual(before.holds);
            if (sample) {
              expect(change.day).toBe(sample.postingDate);
              expect(change.isInForce).toBe(onDay([next, saved]) === next);
            }
            const moved = new Map(before.amounts);
            for (const { from, to, minor } of change.moves) {
              count(moved, from, -minor);
              count(moved, to, minor);
            }
            moved.delete(NOWHERE);
            const booked = new Map(after.amounts);
            booked.delete(NOWHERE);
            expect(nonZero(moved)).toEqual(nonZero(booked));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('adds up to the purchases that it lists, however they are ordered', () => {
    fc.assert(
      fc.property(planContext, spendList, version(1), version(2), (context, spend, saved, next) => {
        const comparison = new MappingComparison(context, [saved], next);
        const changes = spend.map((item) => comparison.changeOf({ item, postedOn: null }));
        const totals = new PreviewTotals();
        const reversed = new PreviewTotals();
        for (const change of changes) totals.add(change);
        for (const change of changes.toReversed()) reversed.add(change);
        expect(totals.records).toBe(spend.length);
        expect(totals.changed).toBe(changes.filter((change) => change !== null).length);
        expect(reversed.movements.map(({ records, from, to }) => ({ records, from, to }))).toEqual(
          totals.movements.map(({ records, from, to }) => ({ records, from, to })),
        );
        const listed = changes.flatMap((change) => change?.moves ?? []).reduce((sum, { minor }) => sum + minor, 0n);
        const added = totals.movements.flatMap(({ amounts }) => [...amounts.values()]).reduce((a, b) => a + b, 0n);
        expect(added).toBe(listed);
      }),
      { numRuns: 100 },
    );
  });
});
