import type { LedgerDocumentView } from '../../../src/sandbox/kit/index.js';
import type { CrashLedger, Documents } from '../crash/ledger.js';
import { LEDGERS } from '../crash/ledgers/index.js';
import { syspro } from '../crash/ledgers/syspro.js';

/** SYSPRO with its other document: AP invoices by APSTIN, whose suppliers are made as they come. */
const sysproWithInvoices: CrashLedger = {
  ...syspro,
  documents: ['journal', 'invoice'],
  async start(product, plan) {
    const started = await syspro.start(product, plan);
    if (plan.documents === 'journal') return started;
    const supplierDefaults = { branch: '00', termsCode: '30', bank: '1', currency: 'USD' };
    return {
      ...started,
      settings: { ...started.settings, supplierDefaults },
      pipeline: { ...started.pipeline, documentType: 'SUPPLIER_INVOICE', unmatchedVendor: 'CREATE_SUPPLIER' },
      nameOf: (document) => (document.type === 'JOURNAL' ? started.nameOf(document) : invoiceOf(document)),
      nameIn: (id) => (id.startsWith('AP ') ? invoiceIn(id) : started.nameIn(id)),
    };
  },
};

/** Suppliers whose keys are numbers are shown with or without the zeros that fill them up. */
function invoiceOf({ supplier, reference }: LedgerDocumentView): string {
  return `${(supplier ?? '').replace(/^0+/, '')}/${reference}`;
}

/** `AP 000000000000481/REFERENCE (2026/10/117)`, where the journal is named only if SYSPRO told it. */
function invoiceIn(ledgerDocumentId: string): string {
  const [, supplier = '', reference = ''] = /^AP ([^/]*)\/(\S+)/.exec(ledgerDocumentId) ?? [];
  return `${supplier.replace(/^0+/, '')}/${reference}`;
}

const SWEPT: readonly CrashLedger[] = LEDGERS.map((one) => (one === syspro ? sysproWithInvoices : one));

export interface Pair {
  readonly ledger: CrashLedger;
  readonly documents: Documents;
}

/**
 * Every ledger with every document that it takes, or those asked for.
 * @throws an Error that names what there is.
 */
export function pairsOf(ledgerName?: string, documentsName?: string): Pair[] {
  const all = SWEPT.flatMap((ledger) => ledger.documents.map((documents) => ({ ledger, documents })));
  const wanted = all.filter(
    ({ ledger, documents }) =>
      (ledgerName === undefined || ledger.name === ledgerName) &&
      (documentsName === undefined || documents === documentsName),
  );
  if (wanted.length === 0) {
    const known = all.map(({ ledger, documents }) => `--ledger ${ledger.name} --documents ${documents}`);
    throw new Error(`There is nothing to sweep. There are:\n${known.join('\n')}`);
  }
  return wanted;
}
