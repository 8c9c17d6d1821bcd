import type * as Syspro from '../../../../src/sandbox/syspro/index.js';
import { type CrashLedger, faultsOf } from '../ledger.js';

const SUBMIT_TIMEOUT_S = 2;
const SETTLING_S = 1;

export const syspro: CrashLedger = {
  name: 'syspro',
  title: 'SYSPRO',
  documents: ['journal'],
  async start(product, { month, seed }) {
    const { startSysproSandbox } = await product.load<typeof Syspro>('sandbox/syspro/index.js');
    const sandbox = await startSysproSandbox({ seed: month.syspro, randomSeed: seed });
    const [operator] = month.syspro.operators;
    const { companyId } = month.syspro;
    return {
      sandbox,
      kind: 'SYSPRO',
      credentials: { operator: operator?.name, operatorPassword: operator?.password, companyId },
      settings: {
        accountTemplate: '{costCentre}-{glAccount}',
        settlingSeconds: SETTLING_S,
        submitTimeoutSeconds: SUBMIT_TIMEOUT_S,
      },
      pipeline: {
        ...{ documentType: 'JOURNAL', offsetAccount: '00-2150', defaultAccount: '00-6999' },
        unmatchedVendor: 'POST_WITHOUT_SUPPLIER',
      },
      ...{ submitTimeoutS: SUBMIT_TIMEOUT_S, settlingS: SETTLING_S },
      ...{ writesOfDocument: 1, writes: /Transaction\/Post/, decides: /Transaction\/Post/ },
      faults: faultsOf({ deciding: ['Transaction/Post'], otherWrites: [], reads: [] }, SUBMIT_TIMEOUT_S),
      keepsAbandoned: [],
      keepsRefused: [],
      nameOf: ({ number }) => key(number),
      nameIn: key,
    };
  },
};

/** Year, period and number, which together are a journal's key. The gateway fills them up with zeros. */
function key(text: string): string {
  return text.split('/').map(Number).join('/');
}
