import type { LedgerConnector } from '../../../src/connectors/contract.js';
import { sysproConnector } from '../../../src/connectors/syspro/index.js';
import type { CompanySeed, LedgerSandbox } from '../../../src/sandbox/kit/index.js';
import { COMPANY_ACCESS, startSysproCompany } from '../../../src/sandbox/syspro/index.js';
import type { SimulatedTime } from './time.js';

export const CLEARING = '2150';
export const PAYABLES = '2100';
export const EXPENSE_ACCOUNTS = ['6100', '6110', '6120', '6130'];
export const MERCHANTS = ['Office Depot', 'Blue Heron Cafe', 'Nordic Rail', 'Harbour Print Works'];
/** Days on which purchases are made: two months whose periods are open at first, and today's. */
export const DAYS = ['2026-10-14', '2026-10-29', '2026-11-02', '2026-11-09', '2026-11-18', '2026-11-20'];
/** How long a write may still appear in the ledger, as the connection is set up; the simulated ledgers keep to it. */
export const SETTLING_S = 60;
const SUBMIT_TIMEOUT_S = 90;
const READ_TIMEOUT_S = 60;

export const LEDGER_KINDS = ['SYSPRO'] as const;
export type LedgerKind = (typeof LEDGER_KINDS)[number];

export interface SimLedger {
  // biome-ignore lint/suspicious/noExplicitAny: the simulation treats credentials and settings of all connectors alike
  readonly connector: LedgerConnector<any, any>;
  readonly sandbox: LedgerSandbox;
  readonly credentials: unknown;
  readonly settings: Readonly<Record<string, unknown>>;
}

export function company(): CompanySeed {
  const day = (month: number, date: number) => new Date(Date.UTC(2026, month, date)).toISOString().slice(0, 10);
  return {
    name: 'Simulated Pump Works',
    currency: 'USD',
    accounts: [
      { code: '1450', name: 'Recoverable tax', kind: 'ASSET' },
      { code: PAYABLES, name: 'Trade creditors', kind: 'LIABILITY', control: true },
      { code: CLEARING, name: 'Card clearing', kind: 'LIABILITY' },
      ...EXPENSE_ACCOUNTS.map((code) => ({ code, name: `Expenses ${code}`, kind: 'EXPENSE' as const })),
    ],
    costCentres: [{ code: '10', name: 'Works' }],
    suppliers: MERCHANTS.slice(0, 3).map((name, index) => ({ code: `S0000${index + 1}`, name })),
    periods: Array.from({ length: 12 }, (_, index) => {
      return { startsOn: day(index, 1), endsOn: day(index + 1, 0), open: index >= 9 };
    }),
    payablesAccount: PAYABLES,
    taxAccount: '1450',
    taxCodes: [{ code: 'STD', name: 'Standard', percent: '20' }],
  };
}

const STARTS: { readonly [K in LedgerKind]: (clock: SimulatedTime) => Promise<SimLedger> } = {
  async SYSPRO(clock) {
    const sandbox = await startSysproCompany({ company: company(), clock });
    const { operator, password, companyId } = COMPANY_ACCESS;
    return {
      sandbox,
      connector: sysproConnector,
      credentials: { operator, operatorPassword: password, companyId },
      settings: {
        settlingSeconds: SETTLING_S,
        submitTimeoutSeconds: SUBMIT_TIMEOUT_S,
        readTimeoutSeconds: READ_TIMEOUT_S,
        supplierDefaults: { branch: '00', termsCode: '30', bank: '1', currency: 'USD' },
      },
    };
  },
};

export function startLedger(kind: LedgerKind, clock: SimulatedTime): Promise<SimLedger> {
  return STARTS[kind](clock);
}
