import { z } from 'zod';
import { type Access, accessTo, type FlowSource } from '../flow.js';

const summarySchema = z.object({
  accountingRecords: z.object({ byReviewStatus: z.record(z.string(), z.number()) }),
});

export const BREX_STREAMS = ['CARD_TRANSACTIONS', 'CASH_TRANSACTIONS', 'EXPENSES', 'ACCOUNTING_RECORDS'] as const;

/**
 * What a customer would set: where tax goes, tax codes for four categories, and one merchant with an account of its own.
 * @param taxAccount as the ledger spells it.
 */
export function brexRules(taxAccount: string): Readonly<Record<string, unknown>>[] {
  return [
    { category: 'tax', glAccount: taxAccount },
    { merchant: 'CloudHarbor*', glAccount: '6300' },
    { merchant: '*Blue Heron Cafe*', glAccount: '6220', costCentre: '60' },
    { category: 'RESTAURANTS', glAccount: '6220', taxCode: 'STD' },
    { category: 'LODGING', glAccount: '6210', taxCode: 'STD' },
    { category: 'GAS_AND_FUEL', glAccount: '6240', taxCode: 'STD' },
    { category: 'OFFICE_SUPPLIES', glAccount: '6100', taxCode: 'STD' },
    { merchant: 'Nordlicht*', glAccount: '6300', taxCode: 'RC' },
  ];
}

/**
 * Where rounding goes, and the one tax code that is not as most are: the tax of a foreign supplier, which the company owes
 * and deducts.
 * @param accounts as the ledger spells them.
 */
export function brexMoney(accounts: { readonly rounding: string; readonly taxOwed: string }) {
  const reverseCharge = { treatment: 'REVERSE_CHARGE', rate: '19', outputAccount: accounts.taxOwed };
  return { roundingAccount: accounts.rounding, taxCodes: { RC: reverseCharge } };
}

/** @param companyOf what the ledger's company is called at Brex. */
export function brexSource(
  companyOf: (access: Access) => string,
  settings: Readonly<Record<string, unknown>> = {},
): FlowSource {
  return {
    title: 'Brex',
    sandbox: 'brex',
    records: 'purchases',
    hasWebhooks: true,
    input(access) {
      const { url, userToken, webhookSecret } = accessTo(access, 'brex');
      return {
        kind: 'BREX',
        baseUrl: url,
        credentials: { kind: 'userToken', token: userToken },
        settings: {
          webhookSecret,
          integrationVendor: 'LEDGERGATE',
          vendorAccountId: companyOf(access),
          taxField: 'Tax amount',
          // The simulated account shows reimbursements when they are approved and never their payment.
          reimbursementBasis: 'ACCRUAL',
          ...settings,
        },
      };
    },
    exported: (summary) => summarySchema.parse(summary).accountingRecords.byReviewStatus.EXPORTED ?? 0,
    exportedWords: 'accounting records reported to Brex as exported',
  };
}
