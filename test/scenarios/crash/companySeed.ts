import type { CompanySeed } from '../../../src/sandbox/kit/index.js';
import type { MonthScenario } from '../../../src/sandbox/scenario/index.js';

const KINDS: Readonly<Record<string, CompanySeed['accounts'][number]['kind']>> = {
  A: 'ASSET',
  L: 'LIABILITY',
  C: 'CAPITAL',
  R: 'REVENUE',
  E: 'EXPENSE',
};
/** How SYSPRO's codes show that an account has no cost centre. */
const NO_CENTRE = '00';

/**
 * The company of a generated month in the words of all ledgers: SYSPRO's codes `10-6100` taken apart into cost centre and
 * account. An account that is on hold at one cost centre only stays usable, since no other ledger holds such a pair.
 */
export function companySeedOf({ syspro }: MonthScenario): CompanySeed {
  const codes = syspro.accounts.map(({ code, ...account }) => {
    const [centre = '', natural = ''] = code.split('-');
    return { ...account, centre, natural };
  });
  const centres = new Map(
    codes
      .filter(({ centre }) => centre !== NO_CENTRE)
      .map(({ centre, description }) => [centre, description.replace(/^.*, /, '')]),
  );
  const natural = [...Map.groupBy(codes, (one) => one.natural)];
  return {
    name: syspro.companyName ?? 'Halvorsen Pump Works',
    currency: syspro.localCurrency,
    accounts: natural.map(([code, [first]]) => ({
      code,
      name: (first?.description ?? '').replace(/, [^,]*$/, ''),
      kind: KINDS[first?.type ?? 'E'] ?? 'EXPENSE',
      control: first?.control ?? false,
      needsCostCentre: first?.centre !== NO_CENTRE,
    })),
    costCentres: [...centres].map(([code, name]) => ({ code, name })),
    suppliers: (syspro.suppliers ?? []).map(({ code, name, onHold }) => ({ code, name, active: onHold !== true })),
    periods: syspro.periods.map(({ startsOn, endsOn, open }) => ({ startsOn, endsOn, open })),
    ...{ payablesAccount: '2100', taxAccount: '1450' },
    taxCodes: [{ code: 'STD', name: 'Standard', percent: '20' }],
  };
}
