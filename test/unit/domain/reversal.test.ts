import { describe, expect, it } from 'vitest';
import type { PlannedDocument } from '../../../src/domain/plan.js';
import { plan } from '../../../src/domain/planner.js';
import { planReversal } from '../../../src/domain/reversal.js';
import { InvariantError } from '../../../src/errors.js';
import { context, day, holdCodes, item, masterData, PERIODS, purchase, rules, shortLines, vendor } from './support.js';

function posted(ctx = context(), spend = purchase()): PlannedDocument {
  const [document] = plan(ctx, [item('e1', spend, { vendor: vendor() })]).documents;
  if (!document) throw new Error('The test has nothing to reverse.');
  return document;
}

const octoberClosed = masterData({ periods: PERIODS.map((each) => ({ ...each, open: each.label === '2026-11' })) });
const october = purchase({ transactionDate: day('2026-10-15') });

describe('a reversal', () => {
  it('is the same document on the other side and on the same day', () => {
    const original = posted();
    const reversal = planReversal(context(), original, 'Entered twice.');
    expect(shortLines(reversal)).toEqual(['6100 credit 10000', '2110 debit 10000']);
    expect(reversal).toMatchObject({ postingDate: '2026-11-09', holds: [], supplierCode: 'S100', totalMinor: 10_000n });
    expect(reversal.lines[0]?.explanation).toContain(original.reference);
    expect(reversal.spend).toEqual(original.spend);
  });

  it('has one name, however often it is asked for', () => {
    const original = posted();
    const first = planReversal(context(), original, 'Entered twice.');
    expect(planReversal(context(), original, 'Again.').reference).toBe(first.reference);
    expect(first.reference).not.toBe(original.reference);
  });

  it('of a closed period is held, or posted in the next open one with a note', () => {
    const original = posted(context(), october);
    expect(holdCodes(planReversal(context({ masterData: octoberClosed }), original, 'Wrong.'))).toEqual([
      'PERIOD_CLOSED',
    ]);
    const ctx = context({ masterData: octoberClosed, pipeline: { closedPeriod: 'NEXT_OPEN_PERIOD' } });
    const moved = planReversal(ctx, original, 'Wrong.');
    expect(moved).toMatchObject({ postingDate: '2026-11-01', holds: [] });
    expect(moved.lines[0]?.memo).toContain('of 2026-10-15');
  });

  it('is held when an account was closed since', () => {
    const ctx = context({ masterData: masterData({ account: () => undefined }) });
    expect(holdCodes(planReversal(ctx, posted(), 'Wrong.'))).toContain('ACCOUNT_MISSING');
  });
});

describe('a document that does not balance', () => {
  it.each([
    ['on its sides', (lines: PlannedDocument['lines']) => lines.slice(0, 1)],
    [
      'in a line without a side',
      (lines: PlannedDocument['lines']) => lines.map((line) => ({ ...line, debitMinor: 0n, creditMinor: 0n })),
    ],
    [
      'in a line on both sides',
      (lines: PlannedDocument['lines']) => lines.map((line) => ({ ...line, debitMinor: 1n, creditMinor: 1n })),
    ],
  ])('%s is never made', (_, damage) => {
    const original = posted();
    const damaged = { ...original, lines: damage(original.lines) };
    expect(() => planReversal(context(), damaged, 'Wrong.')).toThrow(InvariantError);
  });
});

describe('a reversal of an invoice', () => {
  const ctx = context({ pipeline: { documentType: 'SUPPLIER_INVOICE', offsetAccount: '2000' } });

  it('is a journal, held where the control account is closed to journals', () => {
    const reversal = planReversal(ctx, posted(ctx), 'Wrong.');
    expect(reversal.documentType).toBe('JOURNAL');
    expect(holdCodes(reversal)).toEqual(['ACCOUNT_INACTIVE']);
    // Nobody is to open a control account for it.
    expect(reversal.holds[0]?.resolution).toMatch(/credit note/);
  });

  it('is a matter for a person where the ledger takes no journals', () => {
    const invoicesOnly = { ...ctx, rules: rules({ documentTypes: ['SUPPLIER_INVOICE'] }) };
    const reversal = planReversal(invoicesOnly, posted(ctx), 'Wrong.');
    expect(holdCodes(reversal)).toContain('LEDGER_REJECTED');
    expect(reversal.holds.at(-1)?.resolution).toMatch(/credit note/);
  });
});
