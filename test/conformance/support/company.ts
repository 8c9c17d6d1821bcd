import type { CompanySeed } from '../../../src/sandbox/kit/index.js';

/** The company that every simulated ledger of the suite holds: more than one page of everything that comes in pages. */

export const OPEN_DAY = '2026-11-12';
export const CLOSED_DAY = '2026-08-14';
export const CLEARING = '2150';
export const EXPENSE = '6100';
export const BLOCKED = '6300';
export const UNKNOWN_ACCOUNT = '6199';
export const COST_CENTRE = '10';
export const SUPPLIER = 'S00042';
export const SUPPLIERS = 260;
export const EXPENSE_ACCOUNTS = 130;

export function company(): CompanySeed {
  return {
    name: 'Halvorsen Pump Works',
    currency: 'USD',
    accounts: [
      { code: '1450', name: 'Recoverable tax', kind: 'ASSET' },
      { code: '2100', name: 'Trade creditors', kind: 'LIABILITY', control: true },
      { code: CLEARING, name: 'Card clearing', kind: 'LIABILITY' },
      ...Array.from({ length: EXPENSE_ACCOUNTS }, (_, index) => ({
        code: String(6000 + index),
        name: `Expenses ${6000 + index}`,
        kind: 'EXPENSE' as const,
        needsCostCentre: true,
      })),
      { code: BLOCKED, name: 'Old travel', kind: 'EXPENSE', active: false, needsCostCentre: true },
    ],
    costCentres: [
      { code: '10', name: 'Works' },
      { code: '20', name: 'Sales' },
    ],
    suppliers: Array.from({ length: SUPPLIERS }, (_, index) => ({
      code: `S${String(index).padStart(5, '0')}`,
      name: `Supplier ${index} Ltd`,
      active: index !== 7,
    })),
    periods: Array.from({ length: 12 }, (_, index) => {
      const day = (month: number, date: number) => new Date(Date.UTC(2026, month, date)).toISOString().slice(0, 10);
      return { startsOn: day(index, 1), endsOn: day(index + 1, 0), open: index >= 9 };
    }),
    payablesAccount: '2100',
    taxAccount: '1450',
    taxCodes: [{ code: 'STD', name: 'Standard', percent: '20' }],
  };
}
