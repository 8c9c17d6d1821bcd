import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REFERENCE_FORM } from '../../../src/domain/keys.js';
import type { PlannedDocument } from '../../../src/domain/plan.js';
import { plan } from '../../../src/domain/planner.js';
import { planReversal } from '../../../src/domain/reversal.js';
import { planContext, spendList } from './arbitraries.js';

/** Thousands of odd purchases and pipelines; what would be caught is money lost, made, or posted under two names. */

/** Each test has a minute: a busy machine must not fail it. */
const MINUTE = { timeout: 60_000 };
const RUNS = { numRuns: 200 };

const sides = (document: PlannedDocument) => ({
  debit: document.lines.reduce((sum, line) => sum + line.debitMinor, 0n),
  credit: document.lines.reduce((sum, line) => sum + line.creditMinor, 0n),
});

const expensesOf = (document: PlannedDocument) =>
  document.lines
    .filter((line) => line.role !== 'OFFSET')
    .reduce((sum, line) => sum + line.debitMinor - line.creditMinor, 0n);

describe('every plan', MINUTE, () => {
  it('balances each document, on one side a line', () => {
    fc.assert(
      fc.property(planContext, spendList, (context, spend) => {
        for (const document of plan(context, spend).documents) {
          const { debit, credit } = sides(document);
          expect(debit).toBe(credit);
          expect(document.totalMinor).toBe(debit);
          for (const line of document.lines) {
            expect(line.debitMinor >= 0n && line.creditMinor >= 0n).toBe(true);
            expect(line.debitMinor > 0n).not.toBe(line.creditMinor > 0n);
          }
        }
      }),
      RUNS,
    );
  });

  it('has each record either in documents or left out with a reason', () => {
    fc.assert(
      fc.property(planContext, spendList, (context, spend) => {
        const { documents, skipped } = plan(context, spend);
        const inDocuments = new Set(documents.flatMap((document) => document.spend.map(({ id }) => id)));
        const out = skipped.map((skip) => skip.spendRecordId);
        expect(new Set(out).size).toBe(out.length);
        expect(out.some((id) => inDocuments.has(id))).toBe(false);
        expect([...inDocuments, ...out].sort()).toEqual(spend.map(({ id }) => id).sort());
        expect(skipped.every((skip) => skip.reason.length > 0)).toBe(true);
      }),
      RUNS,
    );
  });

  it('conserves every total through splits, tax, days and currencies, to the minor unit', () => {
    fc.assert(
      fc.property(planContext, spendList, (context, spend) => {
        const { documents } = plan(context, spend);
        const planned = new Map<string, bigint>();
        for (const document of documents) {
          planned.set(document.currency, (planned.get(document.currency) ?? 0n) + expensesOf(document));
        }
        const inDocuments = new Set(documents.flatMap((document) => document.spend.map(({ id }) => id)));
        const source = new Map<string, bigint>();
        for (const { id, spend: one } of spend) {
          if (!inDocuments.has(id)) continue;
          // The parts are what is posted; where they are not the whole, a hold says so (checked below).
          const total = one.parts.reduce((sum, part) => sum + part.amount.minor, 0n);
          source.set(one.amount.currency, (source.get(one.amount.currency) ?? 0n) + total);
        }
        for (const [currency, total] of source) expect(planned.get(currency) ?? 0n).toBe(total);
      }),
      RUNS,
    );
  });

  it('lets nothing go whose parts are not the whole or whose source contradicts itself', () => {
    fc.assert(
      fc.property(planContext, spendList, (context, spend) => {
        const clean = plan(context, spend).documents.filter((document) => document.holds.length === 0);
        const ids = new Set(clean.flatMap((document) => document.spend.map(({ id }) => id)));
        for (const { id, spend: one } of spend.filter((each) => ids.has(each.id))) {
          expect(one.disagreement, id).toBeNull();
          expect(one.parts.reduce((sum, part) => sum + part.amount.minor, 0n)).toBe(one.amount.minor);
        }
      }),
      RUNS,
    );
  });

  it('gives the same documents for any order of the spend', () => {
    const shuffled = spendList.chain((spend) =>
      fc.tuple(fc.constant(spend), fc.shuffledSubarray(spend, { minLength: spend.length })),
    );
    fc.assert(
      fc.property(planContext, shuffled, (context, [spend, other]) => {
        expect(plan(context, other)).toEqual(plan(context, spend));
      }),
      RUNS,
    );
  });

  it('names every document by its own reference, in the form that all ledgers take', () => {
    fc.assert(
      fc.property(planContext, spendList, (context, spend) => {
        const references = plan(context, spend).documents.map((document) => document.reference);
        expect(new Set(references).size).toBe(references.length);
        for (const reference of references) expect(reference).toMatch(REFERENCE_FORM);
      }),
      RUNS,
    );
  });

  it('keeps to the lines and the memo length that the ledger takes', () => {
    fc.assert(
      fc.property(planContext, spendList, (context, spend) => {
        for (const document of plan(context, spend).documents) {
          expect(document.lines.length).toBeLessThanOrEqual(context.rules.maxLines);
          for (const line of document.lines) {
            expect([...(line.memo ?? '')].length).toBeLessThanOrEqual(context.rules.memoLength);
            expect(line.memo).not.toBe('');
          }
        }
      }),
      RUNS,
    );
  });

  it('holds a document or gives it an open period that contains its date', () => {
    fc.assert(
      fc.property(planContext, spendList, (context, spend) => {
        for (const { holds, period, postingDate } of plan(context, spend).documents) {
          if (!period) expect(holds.some((hold) => hold.code === 'PERIOD_CLOSED')).toBe(true);
          else expect(period.open && period.startsOn <= postingDate && postingDate <= period.endsOn).toBe(true);
        }
      }),
      RUNS,
    );
  });

  it('is met again by planning each of its documents again', () => {
    fc.assert(
      fc.property(planContext, spendList, (context, spend) => {
        for (const document of plan(context, spend).documents) {
          const ids = new Set(document.spend.map(({ id }) => id));
          const again = plan(
            context,
            spend.filter(({ id }) => ids.has(id)),
            [{ reference: document.reference, spendRecordIds: [...ids] }],
          );
          expect(again.documents.find(({ reference }) => reference === document.reference)).toEqual(document);
        }
      }),
      RUNS,
    );
  });

  it('is undone by its reversals, account by account', () => {
    fc.assert(
      fc.property(planContext, spendList, (context, spend) => {
        for (const document of plan(context, spend).documents) {
          const reversal = planReversal(context, document, 'A test.');
          const net = new Map<string, bigint>();
          for (const line of [...document.lines, ...reversal.lines]) {
            const key = `${line.glAccount} ${line.costCentre} ${line.taxCode}`;
            net.set(key, (net.get(key) ?? 0n) + line.debitMinor - line.creditMinor);
          }
          expect([...net.values()].every((minor) => minor === 0n)).toBe(true);
          expect(reversal.reference).not.toBe(document.reference);
        }
      }),
      RUNS,
    );
  });
});
