import { sageX3Connector } from '../../src/connectors/sage-x3/index.js';
import { startSageX3Sandbox } from '../../src/sandbox/sage-x3/index.js';
import { company } from './support/company.js';
import { describeLedger } from './support/ledgerSuite.js';

describeLedger({
  connector: sageX3Connector,
  listedDimensions: ['costCentre'],
  closes: ['JOURNAL'],
  keepsAbandoned: [],
  clears: [],
  otherSuppliers: 0,
  readsPeriods: true,
  createsSuppliers: true,
  listsControlAccounts: true,
  async start() {
    const sandbox = await startSageX3Sandbox({ company: company() });
    const { access } = sandbox;
    const { user, password } = access.basic;
    return {
      sandbox,
      credentials: { kind: 'basic', username: user, password },
      wrongCredentials: { kind: 'basic', username: user, password: 'not-this-one' },
      secrets: [password, 'not-this-one'],
      settings: {
        folder: access.folder,
        ...{ site: access.setup.site, company: access.setup.company, chart: access.setup.chart },
        ...{ entryType: access.setup.entryType, journalCode: access.setup.journal },
        dimensionTypes: { costCentre: access.setup.costCentreType },
        poolAlias: access.soap.poolAlias,
        importTemplate: access.soap.template.code,
        rest: { periods: { class: access.rest.classes.period } },
        import: {
          header: ['=G', 'TYP', 'NUM', 'FCY', 'JOU', 'ACCDAT', 'CUR', 'DESVCR', 'REFINT', 'BPRVCR'],
          line: ['=D', 'LIN', 'ACC', 'BPR', 'SNS', 'AMTCUR', 'DES', 'REFINTLIN'],
          analytical: ['=A', 'ANALIN', 'DIE1', 'CCE1', 'AMTCUR'],
        },
        periodFields: { company: 'CPY', year: 'FIY', period: 'PER', status: 'PERSTA', ledgerType: 'LEDTYP' },
        suppliers: {
          defaults: {
            category: access.setup.supplierCategory,
            currency: 'USD',
            address: { CODADR: 'MAIN', CRY: 'US', POSCOD: '45402', CTY: 'Dayton', BPAADDFLG: '2' },
          },
        },
        settlingSeconds: 0,
        submitTimeoutSeconds: 5,
        readTimeoutSeconds: 5,
      },
      quiet: () => sandbox.faults.whenLateCommitsApplied(),
    };
  },
});
