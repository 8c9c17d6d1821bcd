import { sysproConnector } from '../../src/connectors/syspro/index.js';
import { COMPANY_ACCESS, startSysproCompany } from '../../src/sandbox/syspro/index.js';
import { company } from './support/company.js';
import { describeLedger } from './support/ledgerSuite.js';

describeLedger({
  connector: sysproConnector,
  listedDimensions: ['costCentre'],
  // Payables have a calendar of their own, which the simulated company never closes.
  closes: ['JOURNAL'],
  keepsAbandoned: [],
  clears: [],
  otherSuppliers: 0,
  readsPeriods: true,
  createsSuppliers: true,
  listsControlAccounts: true,
  async start() {
    const sandbox = await startSysproCompany({ company: company() });
    const { operator, password, companyId } = COMPANY_ACCESS;
    return {
      sandbox,
      credentials: { operator, operatorPassword: password, companyId },
      wrongCredentials: { operator, operatorPassword: 'not-this-one', companyId },
      secrets: [password, 'not-this-one'],
      settings: {
        accountTemplate: '{costCentre}-{glAccount}',
        settlingSeconds: 0,
        submitTimeoutSeconds: 5,
        supplierDefaults: { branch: '00', termsCode: '30', bank: '1', currency: 'USD' },
      },
      quiet: () => sandbox.faults.whenLateCommitsApplied(),
    };
  },
});
