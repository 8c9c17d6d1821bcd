import type { LedgerConnector } from '../../../src/connectors/contract.js';
import { epicorKineticConnector } from '../../../src/connectors/epicor-kinetic/index.js';
import { inforM3Connector } from '../../../src/connectors/infor-m3/index.js';
import { sageX3Connector } from '../../../src/connectors/sage-x3/index.js';
import { sysproConnector } from '../../../src/connectors/syspro/index.js';
import { startEpicorKineticSandbox } from '../../../src/sandbox/epicor-kinetic/index.js';
import { startInforM3Sandbox } from '../../../src/sandbox/infor-m3/index.js';
import type { CompanySeed, LedgerSandbox } from '../../../src/sandbox/kit/index.js';
import { startSageX3Sandbox } from '../../../src/sandbox/sage-x3/index.js';
import { COMPANY_ACCESS, startSysproCompany } from '../../../src/sandbox/syspro/index.js';
import type { SimulatedTime } from './time.js';

export const CLEARING = '2150';
export const PAYABLES = '2100';
export const TAX_CODE = 'STD';
export const EXPENSE_ACCOUNTS = ['6100', '6110', '6120', '6130'];
export const MERCHANTS = ['Office Depot', 'Blue Heron Cafe', 'Nordic Rail', 'Harbour Print Works'];
/** Days on which purchases are made: two months whose periods are open at first, and today's. */
export const DAYS = ['2026-10-14', '2026-10-29', '2026-11-02', '2026-11-09', '2026-11-18', '2026-11-20'];
/** How long a write may still appear in the ledger, as the connection is set up; the simulated ledgers keep to it. */
export const SETTLING_S = 60;
export const SUBMIT_TIMEOUT_S = 90;
/** Of the machine's own time: a call whose answer never comes is waited for, and the history stands still meanwhile. */
const CALL_TIMEOUT_S = 8;
const TIMES = {
  settlingSeconds: SETTLING_S,
  submitTimeoutSeconds: SUBMIT_TIMEOUT_S,
} as const;
/** How long a ledger works on by itself after a call. */
const BACKGROUND_MS = 200;

export const LEDGER_KINDS = ['SYSPRO', 'SAGE_X3', 'INFOR_M3', 'EPICOR_KINETIC'] as const;
export type LedgerKind = (typeof LEDGER_KINDS)[number];

export interface SimLedger {
  // biome-ignore lint/suspicious/noExplicitAny: the simulation treats credentials and settings of all connectors alike
  readonly connector: LedgerConnector<any, any>;
  readonly sandbox: LedgerSandbox;
  readonly credentials: unknown;
  /** As somebody enters them whose hand slips. */
  readonly wrongCredentials: unknown;
  readonly settings: Readonly<Record<string, unknown>>;
}

export function company(): CompanySeed {
  const day = (month: number, date: number) => new Date(Date.UTC(2026, month, date)).toISOString().slice(0, 10);
  return {
    name: 'Simulated Pump Works',
    currency: 'USD',
    rates: { EUR: '1.1' },
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
    taxCodes: [{ code: TAX_CODE, name: 'Standard', percent: '20' }],
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
      wrongCredentials: { operator, operatorPassword: 'slip-of-the-hand', companyId },
      settings: {
        ...TIMES,
        readTimeoutSeconds: CALL_TIMEOUT_S,
        supplierDefaults: { branch: '00', termsCode: '30', bank: '1', currency: 'USD' },
      },
    };
  },

  async SAGE_X3(clock) {
    const sandbox = await startSageX3Sandbox({ company: company(), clock });
    const { folder, basic, setup, soap, rest } = sandbox.access;
    return {
      sandbox,
      connector: sageX3Connector,
      credentials: { kind: 'basic', username: basic.user, password: basic.password },
      wrongCredentials: { kind: 'basic', username: basic.user, password: 'slip-of-the-hand' },
      settings: {
        ...TIMES,
        readTimeoutSeconds: CALL_TIMEOUT_S,
        folder,
        ...{ site: setup.site, company: setup.company, chart: setup.chart },
        ...{ entryType: setup.entryType, journalCode: setup.journal },
        dimensionTypes: { costCentre: setup.costCentreType },
        poolAlias: soap.poolAlias,
        importTemplate: soap.template.code,
        rest: { periods: { class: rest.classes.period } },
        import: {
          header: ['=G', 'TYP', 'NUM', 'FCY', 'JOU', 'ACCDAT', 'CUR', 'DESVCR', 'REFINT', 'BPRVCR'],
          line: ['=D', 'LIN', 'ACC', 'BPR', 'SNS', 'AMTCUR', 'DES', 'REFINTLIN'],
          analytical: ['=A', 'ANALIN', 'DIE1', 'CCE1', 'AMTCUR'],
        },
        periodFields: { company: 'CPY', year: 'FIY', period: 'PER', status: 'PERSTA', ledgerType: 'LEDTYP' },
        suppliers: {
          defaults: {
            category: setup.supplierCategory,
            currency: 'USD',
            address: { CODADR: 'MAIN', CRY: 'US', POSCOD: '45402', CTY: 'Dayton', BPAADDFLG: '2' },
          },
        },
      },
    };
  },

  async INFOR_M3(clock) {
    const background = { validationMs: BACKGROUND_MS, updateMs: BACKGROUND_MS };
    const sandbox = await startInforM3Sandbox({
      company: company(),
      clock,
      settings: { ...background, dimensions: {} },
    });
    const { access } = sandbox;
    return {
      sandbox,
      connector: inforM3Connector,
      credentials: { ionapi: access.ionapi },
      wrongCredentials: { ionapi: { ...access.ionapi, sask: 'slip-of-the-hand' } },
      settings: {
        ...TIMES,
        readTimeoutSeconds: CALL_TIMEOUT_S,
        cono: access.cono,
        divi: access.divi,
        journalInterface: access.journalInterface,
        gl: { recordIdentity: access.inputRecord },
        supplierDefaults: { template: access.templateSupplier },
        ...{ pollSeconds: 0.05, watchSeconds: 2 },
        // Which of several calls at once arrives first is no part of a history.
        readConcurrency: 1,
      },
    };
  },

  async EPICOR_KINETIC(clock) {
    const sandbox = await startEpicorKineticSandbox({ company: company(), clock });
    const { username, password, apiKey, company: companyId, plant } = sandbox.access;
    return {
      sandbox,
      connector: epicorKineticConnector,
      credentials: { kind: 'basic', username, password, apiKey },
      wrongCredentials: { kind: 'basic', username, password: 'slip-of-the-hand', apiKey },
      settings: {
        ...TIMES,
        company: companyId,
        plant,
        autoPost: true,
        glSegmentOrder: ['glAccount', 'costCentre'],
        vendorDefaults: {},
        postingWaitSeconds: 1,
        parallelism: 1,
        ...{ readTimeoutSeconds: CALL_TIMEOUT_S, writeTimeoutSeconds: CALL_TIMEOUT_S },
      },
    };
  },
};

export function startLedger(kind: LedgerKind, clock: SimulatedTime): Promise<SimLedger> {
  return STARTS[kind](clock);
}
