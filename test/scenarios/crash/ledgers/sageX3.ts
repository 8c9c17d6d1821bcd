import type * as SageX3 from '../../../../src/sandbox/sage-x3/index.js';
import { companySeedOf } from '../companySeed.js';
import { type CrashLedger, faultsOf } from '../ledger.js';

const SUBMIT_TIMEOUT_S = 3;
const SETTLING_S = 1;

/** Journals by SOAP import, everything else by REST, logged in as a connected app, so that there are tokens to end. */
export const sageX3: CrashLedger = {
  name: 'sage-x3',
  title: 'Sage X3',
  documents: ['journal'],
  async start(product, { month, seed }) {
    const { startSageX3Sandbox } = await product.load<typeof SageX3>('sandbox/sage-x3/index.js');
    const sandbox = await startSageX3Sandbox({ company: companySeedOf(month), randomSeed: seed });
    const { access } = sandbox;
    const { connectedApp, setup } = access;
    return {
      sandbox,
      kind: 'SAGE_X3',
      credentials: {
        ...{ kind: 'connectedApp', clientId: connectedApp.clientId, secret: connectedApp.secret },
        user: connectedApp.user,
      },
      settings: {
        folder: access.folder,
        ...{ site: setup.site, company: setup.company, chart: setup.chart },
        ...{ entryType: setup.entryType, journalCode: setup.journal },
        dimensionTypes: { costCentre: setup.costCentreType },
        poolAlias: access.soap.poolAlias,
        importTemplate: access.soap.template.code,
        rest: { periods: { class: access.rest.classes.period } },
        import: {
          header: ['=G', 'TYP', 'NUM', 'FCY', 'JOU', 'ACCDAT', 'CUR', 'DESVCR', 'REFINT', 'BPRVCR'],
          line: ['=D', 'LIN', 'ACC', 'BPR', 'SNS', 'AMTCUR', 'DES', 'REFINTLIN'],
          analytical: ['=A', 'ANALIN', 'DIE1', 'CCE1', 'AMTCUR'],
        },
        periodFields: { company: 'CPY', year: 'FIY', period: 'PER', status: 'PERSTA', ledgerType: 'LEDTYP' },
        ...{ settlingSeconds: SETTLING_S, submitTimeoutSeconds: SUBMIT_TIMEOUT_S, readTimeoutSeconds: 2 },
      },
      pipeline: {
        ...{ documentType: 'JOURNAL', offsetAccount: '2150', defaultAccount: '6999' },
        unmatchedVendor: 'POST_WITHOUT_SUPPLIER',
      },
      ...{ submitTimeoutS: SUBMIT_TIMEOUT_S, settlingS: SETTLING_S },
      ...{ writesOfDocument: 1, writes: /SOAP run AOWSIMPORT/, decides: /SOAP run AOWSIMPORT/ },
      faults: faultsOf({ deciding: ['SOAP run AOWSIMPORT'], otherWrites: [], reads: ['REST $'] }, SUBMIT_TIMEOUT_S),
      keepsAbandoned: [],
      keepsRefused: [],
      nameOf: ({ number }) => number,
      nameIn: (ledgerDocumentId) => ledgerDocumentId,
    };
  },
};
