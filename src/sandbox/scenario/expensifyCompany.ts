import type { ExpensifySeed } from '../expensify/index.js';
import type { CompanySeed } from '../kit/index.js';
import type { SysproSeed } from '../syspro/seed.js';
import { addMonths, fiscalOf, fiscalPeriods } from './calendar.js';
import { CATEGORIES, COST_CENTRES, FOREIGN_RATES, PEOPLE, PROJECTS } from './catalogue.js';
import { monthLedger } from './monthLedger.js';

type Policy = ExpensifySeed['policies'][number];
type Employee = ExpensifySeed['employees'][number];

export const USD_POLICY = '7A10C0DE5A1F0001';
export const EUR_POLICY = '7A10C0DE5A1F0002';
/** The people who approve; all others submit. */
export const APPROVERS = 3;

/** Nobody has given the first a GL code, and somebody has emptied that of the second. */
export const CATEGORIES_WITHOUT_CODE = ['Team events', 'Donations'] as const;
/** Switched off in Expensify, and its account is closed in the ledger. */
export const DISABLED_CATEGORY = { name: 'Old car pool', account: '6900' } as const;
/** Its colon must come escaped where the levels of a tag are joined. */
export const PROJECT_WITH_COLON = { code: 'P-150', name: 'Trade fair: Houston' } as const;

/** Sales tax by rate id: percent as decimal text, and the tax code of the ledger. */
export const TAX_RATES = [
  { rateID: 'tax_ohio', name: 'Ohio 7.25', rate: '7.25', code: 'OH' },
  { rateID: 'tax_oklahoma', name: 'Oklahoma 4.5', rate: '4.5', code: 'OK' },
] as const;
const NO_TAX = { rateID: 'tax_none', name: 'No tax', rate: '0', code: '' } as const;
const VAT_RATES = [
  { rateID: 'vat_19', name: 'USt 19', rate: '19', code: 'V19' },
  { rateID: 'vat_7', name: 'USt 7', rate: '7', code: 'V7' },
] as const;

export function emailOf([first, last]: readonly [string, string]): string {
  return `${first}.${last}@halvorsen.example`.toLowerCase();
}

export function employees(): Employee[] {
  return PEOPLE.map((person, index) => ({
    ...{ email: emailOf(person), firstName: person[0], lastName: person[1], accountID: 20_001 + index },
    ...{ employeeID: `E${String(index + 1).padStart(4, '0')}`, role: index === 0 ? 'admin' : 'user' },
    submitsTo: emailOf(PEOPLE[index % APPROVERS] ?? person),
    customField1: COST_CENTRES[index % COST_CENTRES.length]?.[0] ?? '',
  }));
}

/** The American policy with two levels of tags, and the German one with one. */
export function policies(): Policy[] {
  const owner = emailOf(PEOPLE[0] ?? ['', '']);
  const categories: Policy['categories'] = [
    ...CATEGORIES.map(({ account, accountName }) => ({ name: accountName, glCode: account })),
    { name: CATEGORIES_WITHOUT_CODE[0] },
    { name: CATEGORIES_WITHOUT_CODE[1], glCode: '' },
    { name: DISABLED_CATEGORY.name, glCode: DISABLED_CATEGORY.account, enabled: false },
  ];
  const departments = COST_CENTRES.map(([glCode, name]) => ({ name, glCode }));
  const projects = [...PROJECTS, [PROJECT_WITH_COLON.code, PROJECT_WITH_COLON.name] as const];
  return [
    {
      ...{ id: USD_POLICY, name: 'Halvorsen Pump Works', outputCurrency: 'USD', owner, categories },
      tags: {
        shape: 'levels',
        levels: [
          { name: 'Department', tags: departments },
          { name: 'Project', tags: projects.map(([glCode, name]) => ({ name, glCode })) },
        ],
      },
      tax: { name: 'Sales tax', default: NO_TAX.rateID, rates: [NO_TAX, ...TAX_RATES] },
      reportFields: [{ name: 'Trip purpose' }],
    },
    {
      ...{ id: EUR_POLICY, name: 'Halvorsen Pumpen GmbH', outputCurrency: 'EUR', owner, categories },
      tags: { shape: 'flat', tags: departments },
      tax: { name: 'Umsatzsteuer', default: VAT_RATES[0].rateID, rates: [...VAT_RATES] },
    },
  ];
}

const CALENDAR_YEAR = 1;

/** The company behind the month, for every ledger: the month and the next one are open. */
export function monthCompany(month: string): CompanySeed {
  const next = addMonths(month, 1);
  const years = {
    from: fiscalOf(addMonths(month, -1), CALENDAR_YEAR).year,
    to: fiscalOf(next, CALENDAR_YEAR).year,
  };
  const periods = fiscalPeriods(years, CALENDAR_YEAR, (one) => one === month || one === next);
  return {
    ...{ name: 'Halvorsen Pump Works', currency: 'USD' },
    rates: Object.fromEntries(Object.entries(FOREIGN_RATES).map(([currency, rate]) => [currency, String(rate)])),
    accounts: [
      { code: '1010', name: 'Cash at bank', kind: 'ASSET' },
      { code: '1450', name: 'Recoverable tax', kind: 'ASSET' },
      { code: '2100', name: 'Trade creditors control', kind: 'LIABILITY', control: true },
      { code: '2150', name: 'Card clearing', kind: 'LIABILITY' },
      { code: '2160', name: 'Employee reimbursements payable', kind: 'LIABILITY' },
      { code: '2170', name: 'Tax owed by reverse charge', kind: 'LIABILITY' },
      { code: '3000', name: 'Retained earnings', kind: 'CAPITAL' },
      ...CATEGORIES.map(({ account, accountName }) => ({
        ...{ code: account, name: accountName, kind: 'EXPENSE' as const, needsCostCentre: true },
      })),
      { code: DISABLED_CATEGORY.account, name: 'Car pool', kind: 'EXPENSE', active: false, needsCostCentre: true },
      { code: '6990', name: 'Rounding differences', kind: 'EXPENSE' },
    ],
    costCentres: COST_CENTRES.map(([code, name]) => ({ code, name })),
    periods: periods.map(({ startsOn, endsOn, open }) => ({ startsOn, endsOn, open })),
    ...{ payablesAccount: '2100', taxAccount: '1450' },
    taxCodes: TAX_RATES.map(({ code, name, rate }) => ({ code, name, percent: rate })),
  };
}

/** The same company as SYSPRO keeps it: account and cost centre in one code, `10-6220`. */
export function monthSyspro(month: string): SysproSeed {
  const ledger = monthLedger(month, []);
  const closed = COST_CENTRES.map(([centre, name]) => ({
    ...{ code: `${centre}-${DISABLED_CATEGORY.account}`, description: `Car pool, ${name}`, type: 'E' as const },
    onHold: true,
  }));
  return { ...ledger, accounts: [...ledger.accounts, ...closed] };
}
