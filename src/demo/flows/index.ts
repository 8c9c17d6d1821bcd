import type { Flow, FlowName } from '../flow.js';
import { BREX_EPICOR_KINETIC } from './brexEpicorKinetic.js';
import { BREX_INFOR_M3 } from './brexInforM3.js';
import { BREX_SAGE_X3 } from './brexSageX3.js';
import { BREX_SYSPRO } from './brexSyspro.js';
import { EXPENSIFY_SYSPRO } from './expensifySyspro.js';

export { cardSpendFlow } from './cardSpend.js';

export const FLOWS: Readonly<Record<FlowName, Flow>> = {
  'brex-syspro': BREX_SYSPRO,
  'expensify-syspro': EXPENSIFY_SYSPRO,
  'brex-sage-x3': BREX_SAGE_X3,
  'brex-infor-m3': BREX_INFOR_M3,
  'brex-epicor-kinetic': BREX_EPICOR_KINETIC,
};
