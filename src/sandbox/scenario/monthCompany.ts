import type { CompanySeed } from '../kit/index.js';
import type { SysproSeed } from '../syspro/seed.js';
import { HELD_ACCOUNT, PROJECTS } from './catalogue.js';
import { monthCompany as plainCompany } from './expensifyCompany.js';

/** Where spend goes that has no account of its own; the only expense account that wants no cost centre. */
export const UNALLOCATED = { code: '6999', name: 'Unallocated spend' } as const;

/** The shortest key that a ledger of ours has for suppliers (Epicor Kinetic: VendorID). */
const SUPPLIER_CODE_LENGTH = 8;

/**
 * The company of a generated card month in words that hold for every ledger. Account and cost centre are codes of their
 * own, so the account that SYSPRO holds for one cost centre is inactive for all of them here.
 */
export function monthCompany(month: string, suppliers: SysproSeed['suppliers'] = []): CompanySeed {
  const company = plainCompany(month);
  return {
    ...company,
    accounts: [
      ...company.accounts.map((account) => ({ ...account, active: isActive(account) })),
      { ...UNALLOCATED, kind: 'EXPENSE' },
    ],
    suppliers: suppliers.map(({ code, name, onHold, currency }) => ({
      ...{ code: shortCode(code), name, active: onHold !== true },
      ...(currency === undefined ? {} : { currency }),
    })),
    taxCodes: [
      { code: 'STD', name: 'Sales tax', percent: '7' },
      { code: 'RC', name: 'Reverse charge', percent: '19' },
      ...(company.taxCodes ?? []),
    ],
  };
}

/** Projects as values of a ledger's second dimension. */
export function projectValues(): { code: string; name: string; active: boolean }[] {
  return PROJECTS.map(([code, name]) => ({ code, name, active: true }));
}

function isActive({ code, active }: CompanySeed['accounts'][number]): boolean {
  return code !== HELD_ACCOUNT.account && active !== false;
}

/** Codes that are too long are letters and a number of three digits, which alone tells them apart. */
function shortCode(code: string): string {
  return code.length <= SUPPLIER_CODE_LENGTH ? code : `${code.slice(0, SUPPLIER_CODE_LENGTH - 3)}${code.slice(-3)}`;
}
