/** The generated month: the same for a seed, and what it says about itself is true. */
import { afterEach, describe, expect, it } from 'vitest';
import { startBrexSandbox } from '../../../src/sandbox/brex/index.js';
import { generateMonth, LEAST_OF_EACH, MONEY_CASES } from '../../../src/sandbox/scenario/index.js';
import { type RunningSandboxes, startSandboxes } from '../../../src/sandbox/start.js';
import { parseSysproSeed } from '../../../src/sandbox/syspro/index.js';

const MONTH = { seed: 7, month: '2026-10', purchases: 600 };
let running: RunningSandboxes | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

describe('a generated month', () => {
  it('is the same for the same seed and another one for another', () => {
    const text = (seed: number) => JSON.stringify(generateMonth({ ...MONTH, seed }));
    expect(text(7)).toBe(text(7));
    expect(text(7)).not.toBe(text(8));
  });

  it('is plain JSON, so that a file can hold it', () => {
    const { brex, syspro } = generateMonth(MONTH);
    expect(JSON.parse(JSON.stringify({ brex, syspro }))).toEqual({ brex, syspro });
  });

  it.each([200, 600, 2_000])('holds enough of every ingredient with %i purchases', (purchases) => {
    const { expectations } = generateMonth({ ...MONTH, purchases });
    const { plain, ...special } = expectations.ingredients;
    expect(Object.values(special).every((count) => count >= LEAST_OF_EACH)).toBe(true);
    expect(Object.values(special).reduce((a, b) => a + b, plain)).toBe(purchases);
    expect(plain).toBeGreaterThan(purchases / 2);
    const { matches } = expectations;
    expect(Object.values(matches).reduce((a, b) => a + b, 0)).toBe(purchases);
    expect(Math.min(...Object.values(matches))).toBeGreaterThanOrEqual(LEAST_OF_EACH);
  });

  it('refuses too few purchases and an unusable month by name', () => {
    expect(() => generateMonth({ ...MONTH, purchases: 20 })).toThrow(/at least 200/);
    expect(() => generateMonth({ ...MONTH, month: '2026-13' })).toThrow(/YYYY-MM/);
  });

  it('keeps every sum: lines, children and tax fit their purchases', () => {
    const { brex, expectations } = generateMonth(MONTH);
    const rounded = expectations.moneyCases.find(({ kind }) => kind === 'ROUNDING')?.keys ?? [];
    for (const row of brex.purchases) {
      const parts = row.children ?? [row];
      expect(parts.reduce((sum, part) => sum + part.amountMinor, 0)).toBe(row.amountMinor);
      for (const part of parts) {
        const missing = rounded.includes(row.key) ? 1 : 0;
        expect(part.lines.reduce((sum, line) => sum + line.amountMinor, missing)).toBe(part.amountMinor);
      }
      if (row.taxMinor !== undefined) expect(row.taxMinor).toBeLessThanOrEqual(row.amountMinor);
    }
  });

  it('holds each of the cases whose money is hard to book, with a supplier of its own', () => {
    const { brex, expectations, syspro } = generateMonth(MONTH);
    expect(expectations.moneyCases.map(({ kind }) => kind)).toEqual([...MONEY_CASES]);
    const rows = new Map(brex.purchases.map((row) => [row.key, row]));
    for (const { merchant, keys } of expectations.moneyCases) {
      expect(syspro.suppliers?.filter(({ name }) => name === merchant)).toHaveLength(1);
      for (const key of keys) expect(brex.merchants[rows.get(key)?.merchant ?? -1]?.name).toBe(merchant);
    }
    const [bought, back] = (expectations.moneyCases[2]?.keys ?? []).map((key) => rows.get(key)?.amountMinor ?? 0);
    expect(-(back ?? 0)).toBeGreaterThan(bought ?? 0);
    expect(rows.get(expectations.moneyCases[0]?.keys[0] ?? '')?.originalCurrency).toBe('KWD');
  });

  it('is coded with accounts of its own ledger, one of them on hold', () => {
    const { brex, expectations, syspro } = generateMonth(MONTH);
    const ledger = new Map(parseSysproSeed(syspro).accounts.map((account) => [account.code, account.onHold]));
    const held: string[] = [];
    for (const row of brex.purchases) {
      for (const { coding } of [...row.lines, ...(row.children ?? []).flatMap((child) => child.lines)]) {
        if (!coding.gl_account || !coding.cost_center) continue;
        const onHold = ledger.get(`${coding.cost_center}-${coding.gl_account}`);
        expect(onHold).toBeDefined();
        if (onHold) held.push(row.key);
      }
    }
    expect(held.sort()).toEqual(expectations.keys.heldAccount.sort());
  });

  it('has a ledger of about 150 suppliers with numbers, letters and suppliers on hold', () => {
    const { expectations, syspro } = generateMonth(MONTH);
    const codes = (syspro.suppliers ?? []).map((supplier) => supplier.code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.length).toBeGreaterThan(140);
    expect(codes.some((code) => /^0\d{6}$/.test(code))).toBe(true);
    expect(codes.some((code) => /^[A-Z]+\d*$/.test(code))).toBe(true);
    expect(expectations.suppliersOnHold).toBeGreaterThan(5);
    for (const { supplier } of expectations.merchants) if (supplier !== null) expect(codes).toContain(supplier);
  });

  it('settles everything within the month and dates the closed period ones before it', () => {
    const { brex, expectations, syspro } = generateMonth(MONTH);
    const late = new Set(expectations.keys.closedPeriod);
    for (const row of brex.purchases) {
      expect(row.postedAt.slice(0, 7)).toBe('2026-10');
      expect(row.purchasedAt.slice(0, 7)).toBe(late.has(row.key) ? '2026-09' : '2026-10');
      expect([row.postedAt, row.expenseAt, row.recordAt]).toEqual([row.postedAt, row.expenseAt, row.recordAt].sort());
    }
    const open = syspro.periods.filter((period) => period.open).map((period) => period.startsOn);
    expect(open).toEqual(['2026-10-01', '2026-11-01']);
  });

  it('crosses a year in December', () => {
    const { syspro } = generateMonth({ ...MONTH, month: '2026-12' });
    expect([syspro.currentYear, syspro.currentPeriod]).toEqual([2027, 1]);
    expect(syspro.periods.filter((period) => period.open).map(({ year, period }) => [year, period])).toEqual([
      [2026, 12],
      [2027, 1],
    ]);
  });

  it('shows in Brex exactly what it says, and is revealed day by day', async () => {
    const { brex, expectations } = generateMonth(MONTH);
    const sandbox = await startBrexSandbox({ data: brex });
    try {
      const summary = sandbox.control.summary();
      const { cardTransactions, cashTransactions, expenses, accountingRecords } = summary;
      const children = brex.purchases.reduce((sum, row) => sum + (row.children?.length ?? 0), 0);
      expect([cardTransactions.visible, cashTransactions.visible, expenses.visible, accountingRecords.visible]).toEqual(
        [
          expectations.streams.cardTransactions,
          expectations.streams.cashTransactions,
          expectations.streams.expenses,
          expectations.streams.accountingRecords,
        ],
      );
      expect(accountingRecords.byReviewStatus.REVIEW).toBe(expectations.ingredients.inReview);
      expect(accountingRecords.byType).toMatchObject({
        CARD_PAYMENT: expectations.nonSpend.collections,
        BILL_EXPENSE: expectations.bills,
        // One of the money cases is a refund as well.
        CARD_EXPENSE_REFUND: expectations.ingredients.refund + 1,
        REIMBURSEMENT_EXPENSE_APPROVAL: expectations.ingredients.reimbursement,
      });
      expect(cardTransactions.byType).toMatchObject({ REWARDS_CREDIT: expectations.nonSpend.rewardsCredits });
      expect(expenses.byCurrency.EUR).toEqual({ count: 1, total: expectations.spendTotals.EUR });
      expect(children).toBeGreaterThan(2 * LEAST_OF_EACH - 1);
      expect(expectations.pendingFirst.count).toBeGreaterThanOrEqual(LEAST_OF_EACH);
      let pendingSeen = 0;
      let shown = 0;
      for (let day = 1; day <= 31; day += 1) {
        sandbox.control.setNow(`2026-10-${String(day).padStart(2, '0')}T23:59:59Z`);
        const { accountingRecords: records, expenses: seen } = sandbox.control.summary();
        const { visible } = records;
        pendingSeen += seen.pending;
        expect(visible).toBeGreaterThanOrEqual(shown);
        shown = visible;
      }
      expect(pendingSeen).toBeGreaterThanOrEqual(expectations.pendingFirst.count);
      const { at, key, afterMinor, beforeMinor } = expectations.plannedEdit;
      sandbox.control.setNow(at);
      expect(sandbox.control.editExpense(`expense_${key}`, {}).recordIds).toEqual([`accr_${key}`]);
      const usd = (text: string | undefined) => Math.round(Number(text) * 100);
      const after = sandbox.control.summary().expenses.byCurrency.USD;
      const before = usd(expectations.spendTotals.USD) + usd(expectations.billTotals.USD);
      expect(usd(after?.total)).toBe(before + afterMinor - beforeMinor);
    } finally {
      await sandbox.close();
    }
  });

  it('starts both sandboxes with what is needed to connect to them', async () => {
    running = await startSandboxes({ which: ['brex', 'syspro'], scenario: { kind: 'month', ...MONTH } });
    const { brex, syspro } = running;
    const company = await fetch(`${brex?.access.url}/v2/company`, {
      headers: { authorization: `Bearer ${brex?.access.userToken}` },
    });
    expect(await company.json()).toMatchObject({ id: brex?.access.companyId });
    const logon = new URLSearchParams({
      ...{ Operator: syspro?.access.operator ?? '', OperatorPassword: syspro?.access.password ?? '' },
      ...{ CompanyId: syspro?.access.companyId ?? '', CompanyPassword: syspro?.access.companyPassword ?? '' },
    });
    const session = await (await fetch(`${syspro?.access.baseUrl}/Logon?${logon}`)).text();
    expect(session).toMatch(/^[0-9A-F]{30,}\s*$/);
  });
});
