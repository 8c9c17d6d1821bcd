import { epicorKineticConnector } from '../../src/connectors/epicor-kinetic/index.js';
import { startEpicorKineticSandbox } from '../../src/sandbox/epicor-kinetic/index.js';
import { company } from './support/company.js';
import { describeLedger } from './support/ledgerSuite.js';

describeLedger({
  connector: epicorKineticConnector,
  listedDimensions: ['costCentre'],
  closes: ['JOURNAL', 'SUPPLIER_INVOICE'],
  keepsAbandoned: [],
  clears: ['JOURNAL', 'SUPPLIER_INVOICE'],
  otherSuppliers: 0,
  readsPeriods: true,
  createsSuppliers: true,
  listsControlAccounts: false,
  async start() {
    const sandbox = await startEpicorKineticSandbox({ company: company() });
    const { username, password, apiKey, company: companyId, plant } = sandbox.access;
    return {
      sandbox,
      credentials: { kind: 'basic', username, password, apiKey },
      wrongCredentials: { kind: 'basic', username, password: 'not-this-one', apiKey },
      secrets: [password, apiKey, 'not-this-one'],
      settings: {
        company: companyId,
        plant,
        autoPost: true,
        glSegmentOrder: ['glAccount', 'costCentre'],
        vendorDefaults: {},
        postingWaitSeconds: 1,
        settlingSeconds: 0,
        submitTimeoutSeconds: 10,
        writeTimeoutSeconds: 5,
        readTimeoutSeconds: 5,
      },
      quiet: () => sandbox.faults.whenLateCommitsApplied(),
    };
  },
});
