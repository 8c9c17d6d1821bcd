// Fiscal calendars that are not months. What would surprise: a purchase of the last days of a period that lands in the
// next one because somebody thought in months, a year that does not roll over, or days that no period or two have.
import { describe, expect, it } from 'vitest';
import { addDays, type LocalDate } from '../../../src/domain/localDate.js';
import type { FiscalPeriodFact, PlannedDocument } from '../../../src/domain/plan.js';
import { plan } from '../../../src/domain/planner.js';
import { planReversal } from '../../../src/domain/reversal.js';
import { context, day, holdCodes, item, masterData, purchase } from './support.js';

/** Periods of whole weeks, one after the other. */
function weeks(from: string, lengths: readonly number[], year: string): FiscalPeriodFact[] {
  let startsOn: LocalDate = day(from);
  return lengths.map((length, index) => {
    const endsOn = addDays(startsOn, length * 7 - 1);
    const period = `${index + 1}`.padStart(2, '0');
    const one = { label: `${year}/${period}`, startsOn, endsOn, open: true, key: { year, period } };
    startsOn = addDays(endsOn, 1);
    return one;
  });
}

const QUARTER = [4, 4, 5];
/** A year of 52 weeks that ends on a Saturday in January, and the one after it. */
const RETAIL = [
  ...weeks('2026-02-01', [...QUARTER, ...QUARTER, ...QUARTER, ...QUARTER], '2026'),
  ...weeks('2027-01-31', [...QUARTER, ...QUARTER, ...QUARTER, ...QUARTER], '2027'),
];
const THIRTEEN = [
  ...weeks(
    '2026-01-04',
    Array.from({ length: 13 }, () => 4),
    '2026',
  ),
  ...weeks(
    '2027-01-03',
    Array.from({ length: 13 }, () => 4),
    '2027',
  ),
];
/** April to March, named by the year in which it ends. */
const APRIL: FiscalPeriodFact[] = Array.from({ length: 24 }, (_, index) => {
  const startsOn = new Date(Date.UTC(2025, 3 + index, 1)).toISOString().slice(0, 10);
  const endsOn = new Date(Date.UTC(2025, 4 + index, 0)).toISOString().slice(0, 10);
  const year = `${2026 + Math.floor(index / 12)}`;
  const period = `${(index % 12) + 1}`;
  return {
    label: `${year}/${period}`,
    startsOn: day(startsOn),
    endsOn: day(endsOn),
    open: true,
    key: { year, period },
  };
});
const CALENDARS = [
  ['4-4-5 weeks', RETAIL],
  ['thirteen periods of four weeks', THIRTEEN],
  ['years from April to March', APRIL],
] as const;

const closedUntil = (periods: readonly FiscalPeriodFact[], last: string) =>
  periods.map((period) => ({ ...period, open: period.endsOn > last }));

function posted(
  periods: readonly FiscalPeriodFact[],
  date: string,
  over: Parameters<typeof context>[0] = {},
): PlannedDocument {
  const ctx = context({ today: day('2027-06-30'), masterData: masterData({ periods }), ...over });
  const [document] = plan(ctx, [item('e1', purchase({ transactionDate: day(date) }))]).documents;
  if (!document) throw new Error('Nothing was planned.');
  return document;
}

describe.each(CALENDARS)('%s', (_, periods) => {
  it('give each day of two years exactly the period that contains it', () => {
    const [first, last] = [periods[0], periods.at(-1)];
    if (!first || !last) throw new Error('The calendar is empty.');
    for (let date = first.startsOn; date <= last.endsOn; date = addDays(date, 1)) {
      const { period, postingDate, holds } = posted(periods, date);
      const containing = periods.filter(({ startsOn, endsOn }) => startsOn <= date && date <= endsOn);
      expect(containing).toHaveLength(1);
      expect([period, postingDate, holds]).toEqual([containing[0], date, []]);
    }
  });

  it('hold a closed period, or post on the first day of the next open one, across the year', () => {
    const year = periods[0]?.key.year;
    const lastOfYear = periods.filter(({ key }) => key.year === year).at(-1);
    const next = periods[periods.indexOf(lastOfYear ?? (periods[0] as FiscalPeriodFact)) + 1];
    if (!lastOfYear || !next) throw new Error('The calendar has one year only.');
    const closed = closedUntil(periods, lastOfYear.endsOn);
    expect(holdCodes(posted(closed, lastOfYear.endsOn))).toEqual(['PERIOD_CLOSED']);
    const moved = posted(closed, lastOfYear.endsOn, { pipeline: { closedPeriod: 'NEXT_OPEN_PERIOD' } });
    expect(moved).toMatchObject({ postingDate: next.startsOn, period: next, holds: [] });
    expect(moved.lines[0]?.explanation).toContain(`first day of the next open period ${next.label}`);
    expect(next.key.year).not.toBe(year);
  });

  it('date a reversal in the open period, when the one of its document has closed since', () => {
    const document = posted(periods, '2026-05-30');
    const closed = closedUntil(periods, document.period?.endsOn ?? '');
    const ctx = context({
      masterData: masterData({ periods: closed }),
      pipeline: { closedPeriod: 'NEXT_OPEN_PERIOD' },
    });
    const reversal = planReversal(ctx, document, 'A test.');
    const next = closed.find(({ open }) => open);
    expect(reversal).toMatchObject({ postingDate: next?.startsOn, period: next, holds: [] });
  });

  it('keep the purchases of a day in the one document of that day, at both ends of a period', () => {
    const [, second] = periods;
    if (!second) throw new Error('The calendar has one period only.');
    const dates = [addDays(second.startsOn, -1), second.startsOn, second.endsOn, addDays(second.endsOn, 1)];
    const ctx = context({
      today: day('2027-06-30'),
      masterData: masterData({ periods }),
      pipeline: { grouping: 'DAILY' },
    });
    const spend = dates.flatMap((date, index) =>
      ['a', 'b'].map((twin) => item(`e${index}${twin}`, purchase({ transactionDate: date }))),
    );
    const { documents } = plan(ctx, spend);
    expect(documents.map(({ postingDate, totalMinor }) => [postingDate, totalMinor])).toEqual(
      dates.map((date) => [date, 20_000n]),
    );
    expect(documents.map(({ period }) => period)).toEqual([periods[0], second, second, periods[2]]);
  });
});

describe('a day that no period contains', () => {
  it('after the last year that the ledger has is held, and moves nowhere', () => {
    for (const closedPeriod of ['HOLD', 'NEXT_OPEN_PERIOD'] as const) {
      expect(holdCodes(posted(APRIL, '2027-04-01', { pipeline: { closedPeriod } }))).toEqual(['PERIOD_CLOSED']);
    }
  });

  it('before the first goes to the first open one where the pipeline says so', () => {
    const moved = posted(THIRTEEN, '2026-01-03', { pipeline: { closedPeriod: 'NEXT_OPEN_PERIOD' } });
    expect(moved.postingDate).toBe('2026-01-04');
  });
});

describe('a period for adjustments that overlaps the last ordinary one', () => {
  const adjustment = {
    label: '2026/13',
    startsOn: day('2026-12-31'),
    endsOn: day('2026-12-31'),
    key: { period: '13' },
  };
  const december = { label: '2026/12', startsOn: day('2026-12-01'), endsOn: day('2026-12-31'), key: { period: '12' } };

  it('takes the last day only where the ordinary one is closed', () => {
    const calendar = (open: boolean) => [
      { ...december, open },
      { ...adjustment, open: true },
    ];
    expect(posted(calendar(true), '2026-12-31').period?.label).toBe('2026/12');
    expect(posted(calendar(false), '2026-12-31').period?.label).toBe('2026/13');
    expect(holdCodes(posted(calendar(false), '2026-12-30'))).toEqual(['PERIOD_CLOSED']);
  });
});
