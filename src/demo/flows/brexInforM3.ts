import { accessTo, type Flow, type FlowSystem } from '../flow.js';
import {
  dryRun,
  editInvoiced,
  MONTH_DAYS,
  monthArguments,
  releaseAccount,
  resolveOneVendor,
  sync,
  withLostReply,
} from '../steps.js';
import { BREX_STREAMS, brexMoney, brexRules, brexSource } from './brex.js';
import { WAITS } from './syspro.js';

const PURCHASES = 200;

/** Validation is done by a job of M3's; the demo does not wait for a slow one. */
const SETTINGS = { validationMs: 50 };

const INFOR_M3: FlowSystem = {
  title: 'Infor M3',
  sandbox: 'infor-m3',
  input(access) {
    const { ionapi, cono, divi, journalInterface, inputRecord, templateSupplier } = accessTo(access, 'infor-m3');
    return {
      kind: 'INFOR_M3',
      // The .ionapi file as the administrator downloads it; it names the gateway's address too.
      credentials: { ionapi },
      settings: {
        ...WAITS,
        ...{ cono, divi, journalInterface },
        gl: { recordIdentity: inputRecord },
        // Whether an invoice may be negative is not established, so each customer says so.
        invoice: { refunds: 'negative' },
        supplierDefaults: { template: templateSupplier },
        dimensions: { costCentre: 'AIT2', project: 'AIT3' },
        // What the codes of ACR2 to ACR7 mean is not established either; here 1 is "must be given".
        mandatoryDimensionCodes: ['1'],
        // M3 shows its calendar to no API.
        booksOpenFrom: '2026-10-01',
        ...{ pollSeconds: 0.05, watchSeconds: 5 },
      },
    };
  },
};

/** Supplier invoices, looked up by supplier and number before and after they are written. */
export const BREX_INFOR_M3: Flow = {
  name: 'brex-infor-m3',
  title: 'Brex → Infor M3',
  source: brexSource((access) => String(accessTo(access, 'infor-m3').cono)),
  ledger: INFOR_M3,
  pipeline: {
    name: 'Card spend',
    streams: BREX_STREAMS,
    ...{ documentType: 'SUPPLIER_INVOICE', grouping: 'PER_RECORD', offsetAccount: '2100' },
    ...{ unmatchedVendor: 'HOLD', closedPeriod: 'HOLD', correction: 'HOLD' },
    ...brexMoney({ rounding: '6990', taxOwed: '2170' }),
  },
  rules: brexRules('1450'),
  sandboxArguments: ({ purchases = PURCHASES }) => [
    ...monthArguments(purchases),
    ...['--settings', `infor-m3=${JSON.stringify(SETTINGS)}`],
  ],
  async run(stage, screen, connected) {
    await dryRun(stage, screen, connected);
    await sync(stage, screen, connected, { mayBeRefused: true });
    await editInvoiced(stage, screen, connected);
    await resolveOneVendor(stage, screen, connected);
    await withLostReply(stage, screen, connected, 'APS455MI/ValidByBatchNo', () =>
      releaseAccount(stage, screen, connected, '6120'),
    );
    return MONTH_DAYS;
  },
};
