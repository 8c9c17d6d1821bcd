import type * as InforM3 from '../../../../src/sandbox/infor-m3/index.js';
import type { LedgerDocumentView } from '../../../../src/sandbox/kit/index.js';
import { companySeedOf } from '../companySeed.js';
import { type CrashLedger, faultsOf } from '../ledger.js';

const SUBMIT_TIMEOUT_S = 5;
const SETTLING_S = 1;
/** How long M3 takes for the validation or the update of a batch; late commits come before that. */
const BACKGROUND_MS = 30;

/** Journals through GLS840MI or invoices through APS450MI. What an invoice's edit reverses is a journal either way. */
export const inforM3: CrashLedger = {
  name: 'infor-m3',
  title: 'Infor M3',
  documents: ['journal', 'invoice'],
  async start(product, { month, documents, seed }) {
    const { startInforM3Sandbox } = await product.load<typeof InforM3>('sandbox/infor-m3/index.js');
    const company = companySeedOf(month);
    const sandbox = await startInforM3Sandbox({
      company,
      randomSeed: seed,
      settings: { validationMs: BACKGROUND_MS, updateMs: BACKGROUND_MS, dimensions: {} },
    });
    const { access } = sandbox;
    const isInvoice = documents === 'invoice';
    const calls = { otherWrites: [' write '], reads: [' read ', 'token '] };
    const deciding = ['GLS840MI/UpdBatch', ...(isInvoice ? ['APS455MI/ValidByBatchNo'] : [])];
    return {
      sandbox,
      kind: 'INFOR_M3',
      credentials: { ionapi: access.ionapi },
      settings: {
        ...{ cono: access.cono, divi: access.divi },
        journalInterface: access.journalInterface,
        gl: { recordIdentity: access.inputRecord },
        supplierDefaults: { template: access.templateSupplier },
        // M3 shows its calendar to nobody, so it is a setting.
        fiscalPeriods: company.periods.map((period) => ({ label: period.startsOn.slice(0, 7), ...period })),
        ...{ pollSeconds: 0.02, watchSeconds: 2, readTimeoutSeconds: 2 },
        ...{ settlingSeconds: SETTLING_S, submitTimeoutSeconds: SUBMIT_TIMEOUT_S },
      },
      pipeline: {
        ...{ documentType: isInvoice ? 'SUPPLIER_INVOICE' : 'JOURNAL', offsetAccount: '2150', defaultAccount: '6999' },
        unmatchedVendor: isInvoice ? 'CREATE_SUPPLIER' : 'POST_WITHOUT_SUPPLIER',
      },
      ...{ submitTimeoutS: SUBMIT_TIMEOUT_S, settlingS: SETTLING_S },
      ...{ writesOfDocument: 7, writes: / write /, decides: /GLS840MI\/UpdBatch|APS455MI\/ValidByBatchNo/ },
      faults: faultsOf({ deciding, ...calls }, SUBMIT_TIMEOUT_S),
      // A batch that was not updated stays in GLS840, where nothing is in the books.
      keepsAbandoned: ['JOURNAL'],
      keepsRefused: ['SUPPLIER_INVOICE'],
      ...{ nameOf, nameIn },
    };
  },
};

function nameOf({ type, number, supplier, reference }: LedgerDocumentView): string {
  return type === 'JOURNAL' ? number : `${supplier}/${reference} ${number}`;
}

/** The voucher's number ends both: `2026/A/117`, and `AP S0001/REFERENCE (2026/A/118)`. */
function nameIn(ledgerDocumentId: string): string {
  const [, invoice, voucher] = /^AP (\S+) \((?:[^/)]*\/)*(\d+)\)$/.exec(ledgerDocumentId) ?? [];
  return invoice === undefined ? (ledgerDocumentId.split('/').at(-1) ?? '') : `${invoice} ${voucher}`;
}
