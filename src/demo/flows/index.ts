import type { Flow, FlowName } from '../flow.js';
import { BREX_SAGE_X3 } from './brexSageX3.js';
import { BREX_SYSPRO } from './brexSyspro.js';

export { cardSpendFlow } from './cardSpend.js';

export const FLOWS: Readonly<Record<FlowName, Flow>> = {
  'brex-syspro': BREX_SYSPRO,
  'brex-sage-x3': BREX_SAGE_X3,
};
