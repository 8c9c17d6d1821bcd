import { inforM3Connector } from '../../src/connectors/infor-m3/index.js';
import { startInforM3Sandbox } from '../../src/sandbox/infor-m3/index.js';
import { company } from './support/company.js';
import { describeLedger } from './support/ledgerSuite.js';

describeLedger({
  connector: inforM3Connector,
  listedDimensions: ['costCentre'],
  // Why an invoice was turned down at validation is shown on a screen of M3 and by no interface.
  closes: ['JOURNAL'],
  // A batch that nothing proves to be this document alone stays in GLS840, spoiled so that it can never become a voucher.
  keepsAbandoned: ['JOURNAL'],
  clears: ['SUPPLIER_INVOICE'],
  otherSuppliers: 1,
  readsPeriods: false,
  createsSuppliers: true,
  listsControlAccounts: true,
  async start() {
    const sandbox = await startInforM3Sandbox({
      company: company(),
      settings: { validationMs: 20, updateMs: 20, dimensions: {} },
    });
    const { access } = sandbox;
    const { ionapi } = access;
    return {
      sandbox,
      credentials: { ionapi },
      wrongCredentials: { ionapi: { ...ionapi, sask: 'not-this-one' } },
      secrets: [ionapi.cs, ionapi.sask, 'not-this-one'],
      settings: {
        cono: access.cono,
        divi: access.divi,
        journalInterface: access.journalInterface,
        gl: { recordIdentity: access.inputRecord },
        supplierDefaults: { template: access.templateSupplier },
        pollSeconds: 0.01,
        watchSeconds: 2,
        settlingSeconds: 0,
        submitTimeoutSeconds: 10,
        readTimeoutSeconds: 5,
      },
      quiet: () => sandbox.faults.whenLateCommitsApplied(),
    };
  },
});
