// Which of two purchases that look alike is held. What would surprise: both held or none, a hold that depends on the order
// in which they came, two coffees of one morning held by default, a released purchase held again.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DuplicateRule,
  looksLikeTwin,
  type Planned,
  suspectedDuplicate,
  twinsAmong,
} from '../../../src/domain/duplicates.js';
import { day } from './support.js';

const DAY_MS = 86_400_000;
const SEEN = Date.parse('2026-11-09T08:00:00Z');
const always: DuplicateRule = { check: 'ALWAYS', days: 0, importDays: 2 };
const across: DuplicateRule = { ...always, check: 'ACROSS_SOURCES' };

function planned(id: string, over: Partial<Planned> = {}): Planned {
  return {
    id,
    merchantKey: 'office depot',
    minor: 1_250n,
    currency: 'USD',
    transactionDate: day('2026-11-09'),
    spender: 'Ana Ruiz',
    firstSeenMs: SEEN,
    standing: 2,
    isCleared: false,
    toldApartFrom: new Set(),
    isSuspected: false,
    ...over,
  };
}

const goes = () => true;
const held = (all: Planned[], rule: DuplicateRule, wouldGo: (id: string) => boolean = goes) =>
  Object.fromEntries(twinsAmong(all, rule, wouldGo));

describe('two purchases', () => {
  it.each<[string, Partial<Planned>, boolean]>([
    ['with the same merchant, amount and day', {}, true],
    ['of other merchants', { merchantKey: 'staples' }, false],
    ['without a merchant', { merchantKey: null }, false],
    ['of other amounts', { minor: 1_251n }, false],
    ['in other currencies', { currency: 'EUR' }, false],
    ['a purchase and its refund', { minor: -1_250n }, false],
    ['on the day after', { transactionDate: day('2026-11-10') }, false],
  ])('%s', (_what, over, isTwin) => {
    expect(looksLikeTwin(planned('a'), planned('b', over), always)).toBe(isTwin);
  });

  it('may be some days apart where the pipeline says so', () => {
    const later = planned('b', { transactionDate: day('2026-11-11') });
    expect(looksLikeTwin(planned('a'), later, { ...always, days: 1 })).toBe(false);
    expect(looksLikeTwin(planned('a'), later, { ...always, days: 2 })).toBe(true);
  });

  it('that the source showed within a day are two, and one feed imported anew is not', () => {
    const soon = planned('b', { firstSeenMs: SEEN + DAY_MS });
    const anew = planned('b', { firstSeenMs: SEEN + 30 * DAY_MS });
    expect(looksLikeTwin(planned('a'), soon, across)).toBe(false);
    expect(looksLikeTwin(planned('a'), anew, across)).toBe(true);
    expect(looksLikeTwin(planned('a'), { ...anew, spender: 'Ben Ode' }, across)).toBe(false);
    expect(looksLikeTwin(planned('a'), { ...anew, spender: null }, across)).toBe(true);
  });

  it('are left alone where the check is off', () => {
    expect(looksLikeTwin(planned('a'), planned('b'), { ...always, check: 'OFF' })).toBe(false);
    expect(held([planned('a'), planned('b')], { ...always, check: 'OFF' })).toEqual({});
  });
});

describe('of purchases that are planned together', () => {
  it('the one that was seen first stays, whatever order they come in', () => {
    const all = [planned('spend_3'), planned('spend_1'), planned('spend_2')];
    expect(held(all, always)).toEqual({ spend_2: 'spend_1', spend_3: 'spend_1' });
  });

  it('the one that is in the ledger stays, though it was seen later', () => {
    expect(held([planned('a'), planned('b', { standing: 0, isCleared: true })], always)).toEqual({ a: 'b' });
  });

  it('one that is held for something else takes nobody’s place', () => {
    expect(held([planned('a'), planned('b')], always, (id) => id !== 'a')).toEqual({});
  });

  it('one that a person released is not held again, and does not throw its twin out', () => {
    const released = planned('b', { isCleared: true, toldApartFrom: new Set(['a']) });
    expect(held([planned('a'), released], always)).toEqual({});
    expect(held([planned('a'), { ...released, standing: 1 }], always)).toEqual({});
    expect(held([planned('a'), released, planned('c')], always)).toEqual({ c: 'a' });
  });

  it('no two that look alike both go, and of those that look alike one goes', () => {
    const one = fc.record({
      merchantKey: fc.constantFrom('office depot', 'staples'),
      minor: fc.constantFrom(100n, 200n),
      transactionDate: fc.constantFrom(day('2026-11-09'), day('2026-11-10')),
      firstSeenMs: fc.constantFrom(SEEN, SEEN + 10 * DAY_MS),
      isClean: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 12 }), fc.constantFrom(always, across), (drawn, rule) => {
        const all = drawn.map((over, index) => planned(`p${String(index).padStart(2, '0')}`, over));
        const clean = new Set(all.filter((_, index) => drawn[index]?.isClean).map(({ id }) => id));
        const twins = twinsAmong(all, rule, (id) => clean.has(id));
        const going = all.filter(({ id }) => clean.has(id) && !twins.has(id));
        for (const a of going) for (const b of going) expect(looksLikeTwin(a, b, rule)).toBe(false);
        for (const [, twin] of twins) expect(going.map(({ id }) => id)).toContain(twin);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the hold', () => {
  const twin = {
    id: 'spend_1',
    sourceName: 'Cards',
    sourceId: 'expense_1',
    transactionDate: day('2026-11-09'),
    minor: 1_250n,
    currency: 'USD',
    merchantName: 'Office Depot',
  };

  it('names the twin by source, id, amount, date and document', () => {
    const document = { reference: 'ABC', status: 'POSTED' as const, ledgerDocumentId: 'DOC-1' };
    expect(suspectedDuplicate({ ...twin, document })).toMatchObject({
      code: 'SUSPECTED_DUPLICATE',
      message:
        'It may be the same purchase as expense_1 of "Cards": 12.50 USD at Office Depot on 2026-11-09, document ABC (POSTED, in the ledger as DOC-1).',
      value: 'spend_1',
    });
    expect(suspectedDuplicate({ ...twin, document: null }).message).toContain('planned together');
  });
});
