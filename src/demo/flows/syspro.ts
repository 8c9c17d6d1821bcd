import { accessTo, type FlowSystem } from '../flow.js';

/**
 * Short waits, but honest ones: a document may still appear two seconds after it was sent, and what has no answer after
 * ten is in doubt and looked for.
 */
export const WAITS = { settlingSeconds: 2, submitTimeoutSeconds: 10 };

/** @param accountTemplate how the ledger composes its codes. */
export function sysproLedger(currency: string, accountTemplate: string): FlowSystem {
  return {
    title: 'SYSPRO',
    sandbox: 'syspro',
    input(access) {
      const { baseUrl, operator, password, companyId } = accessTo(access, 'syspro');
      return {
        kind: 'SYSPRO',
        baseUrl,
        credentials: { operator, operatorPassword: password, companyId },
        settings: {
          ...WAITS,
          usePostLD: true,
          accountTemplate,
          supplierDefaults: { branch: '00', termsCode: '30', bank: '1', currency },
        },
      };
    },
  };
}
