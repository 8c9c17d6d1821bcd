import type { SysproSeed } from '../syspro/seed.js';
import { addMonths, fiscalOf, fiscalPeriods } from './calendar.js';
import { CATEGORIES, COST_CENTRES, HELD_ACCOUNT } from './catalogue.js';

/** What to log on with to every ledger that a scenario makes. */
export const SYSPRO_ACCESS = {
  companyId: 'HPW1',
  companyPassword: '',
  operator: 'GATEWAY',
  password: 'sandbox-operator',
} as const;

/** Balance sheet accounts that postings of card spend need beside the expense accounts. */
export const BALANCE_SHEET: SysproSeed['accounts'] = [
  { code: '00-1010', description: 'Cash at bank', type: 'A' },
  { code: '00-1450', description: 'Recoverable tax', type: 'A' },
  { code: '00-2100', description: 'Trade creditors control', type: 'L', control: true },
  { code: '00-2150', description: 'Card clearing', type: 'L' },
  { code: '00-2160', description: 'Employee reimbursements payable', type: 'L' },
  { code: '00-2170', description: 'Tax owed by reverse charge', type: 'L' },
  { code: '00-3000', description: 'Retained earnings', type: 'C' },
  { code: '00-6990', description: 'Rounding differences', type: 'E' },
  { code: '00-6999', description: 'Unallocated spend', type: 'E' },
];

const CALENDAR_YEAR = 1;

/** The company's ledger: the month and the next one are open, the current period is the next one. */
export function monthLedger(month: string, suppliers: SysproSeed['suppliers']): SysproSeed {
  const next = addMonths(month, 1);
  const current = fiscalOf(next, CALENDAR_YEAR);
  const first = fiscalOf(addMonths(month, -1), CALENDAR_YEAR).year;
  return {
    ...{ companyId: SYSPRO_ACCESS.companyId, companyPassword: SYSPRO_ACCESS.companyPassword },
    companyName: 'Halvorsen Pump Works',
    operators: [{ name: SYSPRO_ACCESS.operator, password: SYSPRO_ACCESS.password }],
    localCurrency: 'USD',
    companyDate: `${next}-05`,
    accounts: [...BALANCE_SHEET, ...expenseAccounts()],
    suppliers,
    supplierKeyLength: 7,
    branches: ['00'],
    termsCodes: ['30'],
    banks: ['1'],
    currencies: ['USD', 'CAD'],
    periods: fiscalPeriods({ from: Math.min(first, current.year - 1), to: current.year }, CALENDAR_YEAR, (one) => {
      return one === month || one === next;
    }),
    currentYear: current.year,
    currentPeriod: current.period,
    apControlAccount: '00-2100',
    taxAccount: '00-1450',
  };
}

function expenseAccounts(): SysproSeed['accounts'] {
  return COST_CENTRES.flatMap(([centre, centreName]) =>
    CATEGORIES.map(({ account, accountName }) => ({
      code: `${centre}-${account}`,
      description: `${accountName}, ${centreName}`,
      type: 'E' as const,
      onHold: centre === HELD_ACCOUNT.costCentre && account === HELD_ACCOUNT.account,
    })),
  );
}
