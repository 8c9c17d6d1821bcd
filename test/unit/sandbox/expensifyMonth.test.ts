/** The generated month of expense reports: the same for a seed, and what it says about itself is true of the sandbox. */
import { afterEach, describe, expect, it } from 'vitest';
import { parseExpensifySeed } from '../../../src/sandbox/expensify/index.js';
import { companySeedSchema } from '../../../src/sandbox/kit/index.js';
import { generateExpensifyMonth } from '../../../src/sandbox/scenario/expensifyMonth.js';
import { parseSysproSeed } from '../../../src/sandbox/syspro/index.js';
import { start } from './expensifySupport.js';

const MONTH = { seed: 7, month: '2026-10' };
let running: { close(): Promise<void> } | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

describe('a generated month of reports', () => {
  it('is the same for the same seed, another one for another, and plain JSON', () => {
    const text = (seed: number) => JSON.stringify(generateExpensifyMonth({ ...MONTH, seed }));
    expect(text(7)).toBe(text(7));
    expect(text(7)).not.toBe(text(8));
    const { company, expensify } = generateExpensifyMonth(MONTH);
    expect(JSON.parse(JSON.stringify({ company, expensify }))).toEqual({ company, expensify });
  });

  it.each([1, 2, 3, 7, 11, 42, 2026])('suits the sandboxes and holds enough of everything with seed %i', (seed) => {
    const { company, expectations, expensify, syspro } = generateExpensifyMonth({ ...MONTH, seed });
    expect(parseExpensifySeed(expensify).reports).toHaveLength(120);
    expect(companySeedSchema.parse(company).currency).toBe('USD');
    expect(parseSysproSeed(syspro).companyId).toBeDefined();
    expect(expectations.expenses).toBeGreaterThan(750);
    for (const ids of Object.values(expectations.ingredients)) expect(ids.length).toBeGreaterThanOrEqual(5);
    expect(Math.min(...Object.values(expectations.byState))).toBeGreaterThanOrEqual(2);
  });

  it('refuses too few reports and an unusable month by name', () => {
    expect(() => generateExpensifyMonth({ ...MONTH, reports: 10 })).toThrow(/at least 60/);
    expect(() => generateExpensifyMonth({ ...MONTH, month: '2026-13' })).toThrow(/YYYY-MM/);
  });

  it('shows in the sandbox exactly what it says', async () => {
    const { expectations, expensify } = generateExpensifyMonth(MONTH);
    const sandbox = await start(expensify);
    running = sandbox;
    const { byState, all } = sandbox.summary();
    expect(Object.fromEntries(Object.entries(byState).map(([state, { reports }]) => [state, reports]))).toEqual(
      expectations.byState,
    );
    expect([all.reports, all.expenses]).toEqual([expectations.reports, expectations.expenses]);
    const ready = [byState.APPROVED, byState.REIMBURSED];
    const heldCents = Object.values(expectations.held).reduce((sum, { total }) => sum + cents(total), 0);
    const usd = ready.reduce((sum, { totals }) => sum + cents(totals.USD), 0);
    expect(usd).toBe(cents(expectations.posts.total) + heldCents);
    expect(ready.reduce((sum, { totals }) => sum + cents(totals.EUR), 0)).toBe(cents(expectations.otherCurrency.total));
    const heldCount = Object.values(expectations.held).reduce((sum, { count }) => sum + count, 0);
    expect(ready.reduce((sum, { expenses }) => sum + expenses, 0)).toBe(
      expectations.posts.count + heldCount + expectations.otherCurrency.count,
    );
    expect(ready.reduce((sum, { unconverted }) => sum + unconverted, 0)).toBe(expectations.held.unconverted.count);
    expect(expectations.companyCards.count).toBe(expectations.ingredients.companyCard.length);
    expect(Object.keys(sandbox.summary().byApprovalDay)).toEqual(
      expect.arrayContaining(Object.keys(expectations.postsByDay)),
    );
  });

  it('exports only what it says should post, once the held reasons are taken away', async () => {
    const { expectations, expensify } = generateExpensifyMonth(MONTH);
    const sandbox = await start(expensify);
    running = sandbox;
    const [usdPolicy] = sandbox.access.policyIDs;
    const lines = await sandbox.lines(
      { approvedAfter: '2026-09-30', policyIDList: usdPolicy },
      { inputSettings: { reportState: 'APPROVED,REIMBURSED' } },
    );
    const held = new Set(Object.values(expectations.held).flatMap(({ transactionIDs }) => transactionIDs));
    expect(lines.filter(({ id }) => !held.has(String(id)))).toHaveLength(expectations.posts.count);
    const withoutCode = lines.filter(({ gl }) => gl === '').map(({ id }) => String(id));
    const { noCategory, noGlCode } = expectations.held;
    expect(withoutCode.sort()).toEqual([...noGlCode.transactionIDs, ...noCategory.transactionIDs].sort());
  });

  it('goes on after the start: late approvals on a day that has postings, then one report changes', async () => {
    const { expectations, expensify } = generateExpensifyMonth(MONTH);
    const sandbox = await start(expensify);
    running = sandbox;
    const before = sandbox.summary().byApprovalDay['2026-11-05'];
    const [sameDay, nextDay] = expectations.late;
    sandbox.setNow('2026-11-05T19:00:00Z');
    const after = sandbox.summary().byApprovalDay['2026-11-05'];
    expect(before?.reports).toBe(2);
    expect((after?.reports ?? 0) - (before?.reports ?? 0)).toBe(sameDay?.reportIDs.length);
    expect(cents(after?.totals.USD) - cents(before?.totals.USD)).toBe(cents(sameDay?.posts.total));
    const { change } = expectations;
    const whole = cents(sandbox.report(change.reportID).total);
    sandbox.setNow('2026-11-06T09:10:00Z');
    expect(sandbox.report(change.reportID).state).toBe('SUBMITTED');
    sandbox.setNow('2026-11-06T10:00:00Z');
    expect(sandbox.summary().byApprovalDay['2026-11-06']?.reports).toBe(nextDay?.reportIDs.length);
    sandbox.setNow(change.approveAt);
    const again = sandbox.report(change.reportID);
    expect([again.state, again.approvedAt?.slice(0, 10)]).toEqual(['APPROVED', '2026-11-07']);
    expect(cents(again.total) - whole).toBe(change.afterMinor - change.beforeMinor);
  });

  it('is coded with accounts and cost centres of its own company', () => {
    const { company, expensify, syspro } = generateExpensifyMonth(MONTH);
    const accounts = new Map(company.accounts.map(({ active = true, code }) => [code, active]));
    for (const { categories, id } of expensify.policies) {
      for (const { enabled = true, glCode } of categories) {
        if (glCode) expect([id, glCode, accounts.get(glCode)]).toEqual([id, glCode, enabled]);
      }
    }
    const held = new Set(syspro.accounts.filter(({ onHold }) => onHold).map(({ code }) => code));
    expect([...held].filter((code) => code.endsWith('-6900'))).toHaveLength(company.costCentres?.length ?? 0);
  });
});

function cents(text: string | undefined): number {
  return Math.round(Number(text ?? 0) * 100);
}
