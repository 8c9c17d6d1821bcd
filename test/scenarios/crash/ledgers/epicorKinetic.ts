import type * as EpicorKinetic from '../../../../src/sandbox/epicor-kinetic/index.js';
import { companySeedOf } from '../companySeed.js';
import { type CrashLedger, faultsOf } from '../ledger.js';

const SUBMIT_TIMEOUT_S = 6;
const SETTLING_S = 1;

/** Journals or AP invoices, entered step by step and posted; logged in by the identity provider, so that tokens end. */
export const epicorKinetic: CrashLedger = {
  name: 'epicor-kinetic',
  title: 'Epicor Kinetic',
  documents: ['journal', 'invoice'],
  async start(product, { month, documents, seed }) {
    const { startEpicorKineticSandbox } = await product.load<typeof EpicorKinetic>('sandbox/epicor-kinetic/index.js');
    const sandbox = await startEpicorKineticSandbox({ company: companySeedOf(month), randomSeed: seed });
    const { access } = sandbox;
    const isInvoice = documents === 'invoice';
    const calls = { otherWrites: ['write '], reads: ['read ', 'prepare '] };
    const deciding = ['PostGroupJournals', ...(isInvoice ? ['RunDirect'] : [])];
    return {
      sandbox,
      kind: 'EPICOR_KINETIC',
      credentials: {
        ...{ kind: 'oauth2', tokenUrl: access.tokenUrl, clientId: access.clientId },
        ...{ clientSecret: access.clientSecret, scope: access.scope, apiKey: access.apiKey },
      },
      settings: {
        ...{ company: access.company, plant: access.plant, autoPost: true },
        ...{ glSegmentOrder: ['glAccount', 'costCentre'], vendorDefaults: {} },
        ...{ postingWaitSeconds: 1, writeTimeoutSeconds: 2, readTimeoutSeconds: 2 },
        ...{ settlingSeconds: SETTLING_S, submitTimeoutSeconds: SUBMIT_TIMEOUT_S },
      },
      pipeline: {
        ...{ documentType: isInvoice ? 'SUPPLIER_INVOICE' : 'JOURNAL', offsetAccount: '2150', defaultAccount: '6999' },
        unmatchedVendor: isInvoice ? 'CREATE_SUPPLIER' : 'POST_WITHOUT_SUPPLIER',
      },
      ...{ submitTimeoutS: SUBMIT_TIMEOUT_S, settlingS: SETTLING_S },
      ...{ writesOfDocument: 9, writes: /(^| )write /, decides: /PostGroupJournals|RunDirect/ },
      faults: faultsOf({ deciding, ...calls }, SUBMIT_TIMEOUT_S),
      keepsAbandoned: [],
      keepsRefused: [],
      nameOf: ({ type, number }) => (type === 'JOURNAL' ? number : `AP ${number}`),
      nameIn: (ledgerDocumentId) => ledgerDocumentId,
    };
  },
};
