import type { LedgerRules, MasterData, PlanPipeline, PlanSpend, SupplierFact, VendorFact } from './plan.js';
import type { Hold } from './vocabulary.js';

/** What a purchase's merchant means for its document. */
export interface VendorDecision {
  readonly supplierCode: string | null;
  readonly createSupplier: { readonly name: string; readonly matchId: string } | null;
  readonly hold: Hold | null;
  /** SKIP: why the purchase is left out. */
  readonly skipReason: string | null;
  /** DEFAULT_ACCOUNT: all of the purchase goes to the pipeline's default account, for this reason. */
  readonly defaultAccountReason: string | null;
  /** A sentence for the lines; null when there is nothing to say. */
  readonly explanation: string | null;
}

const NOTHING: VendorDecision = {
  supplierCode: null,
  createSupplier: null,
  hold: null,
  skipReason: null,
  defaultAccountReason: null,
  explanation: null,
};

/**
 * Decides the supplier. A journal of a purchase without any merchant needs none; an invoice always needs one.
 *
 * CREATE_SUPPLIER makes suppliers only for merchants that resemble none (UNMATCHED). NEEDS_REVIEW has candidates that a
 * person must look at first, and REJECTED was looked at by a person who then has to say what it is instead.
 */
export function decideVendor(
  item: PlanSpend,
  pipeline: Pick<PlanPipeline, 'documentType' | 'unmatchedVendor'>,
  masterData: MasterData,
  rules: Pick<LedgerRules, 'localCurrency'>,
): VendorDecision {
  const isInvoice = pipeline.documentType === 'SUPPLIER_INVOICE';
  const { vendor } = item;
  if (!vendor) return isInvoice ? { ...NOTHING, hold: noMerchant() } : NOTHING;
  const code = certainSupplier(vendor);
  if (code !== null) return matched(item, vendor, code, isInvoice, masterData, rules);
  if (vendor.createAs) return creating(vendor.createAs, vendor);
  const merchant = merchantOf(item);
  switch (pipeline.unmatchedVendor) {
    case 'SKIP':
      return { ...NOTHING, skipReason: `Left out by the pipeline's vendor policy: ${problemOf(vendor, merchant)}` };
    case 'DEFAULT_ACCOUNT':
      if (isInvoice) return { ...NOTHING, hold: uncertain(vendor, merchant) };
      return { ...NOTHING, defaultAccountReason: problemOf(vendor, merchant) };
    case 'POST_WITHOUT_SUPPLIER':
      if (isInvoice) return { ...NOTHING, hold: uncertain(vendor, merchant) };
      return { ...NOTHING, explanation: `Posted without a supplier: ${problemOf(vendor, merchant)}` };
    case 'CREATE_SUPPLIER':
      if (vendor.status !== 'UNMATCHED' || merchant === null) return { ...NOTHING, hold: uncertain(vendor, merchant) };
      return creating(merchant, vendor);
    case 'HOLD':
      return { ...NOTHING, hold: uncertain(vendor, merchant) };
  }
}

function creating(name: string, vendor: VendorFact): VendorDecision {
  return {
    ...NOTHING,
    createSupplier: { name, matchId: vendor.matchId },
    explanation: `Supplier "${name}" is created in the ledger first.`,
  };
}

function certainSupplier(vendor: VendorFact): string | null {
  const isCertain = vendor.status === 'AUTO_MATCHED' || vendor.status === 'CONFIRMED' || vendor.status === 'CREATED';
  return isCertain ? vendor.supplierCode : null;
}

function matched(
  item: PlanSpend,
  vendor: VendorFact,
  code: string,
  isInvoice: boolean,
  masterData: MasterData,
  rules: Pick<LedgerRules, 'localCurrency'>,
): VendorDecision {
  const supplier = masterData.supplier(code);
  const decision = { ...NOTHING, supplierCode: code, explanation: `Supplier ${code}: ${vendor.explanation}` };
  if (!supplier) {
    return { ...decision, hold: supplierInactive(code, `Supplier ${code} is not in the ledger as it was last read.`) };
  }
  if (!supplier.active) {
    return {
      ...decision,
      hold: supplierInactive(code, `Supplier ${code} (${supplier.name}) is not active in the ledger.`),
    };
  }
  const { currency } = item.spend.amount;
  const own = currencyOf(supplier, rules);
  if (isInvoice && own !== null && own !== currency) {
    return { ...decision, hold: supplierCurrency(code, supplier.name, own, currency) };
  }
  return decision;
}

/**
 * The currency a supplier's invoices are in; null when the ledger does not say.
 * Some ledgers leave the local currency blank or name it by a symbol, and such a supplier would take an amount in any
 * other currency for a local one.
 */
function currencyOf(supplier: SupplierFact, rules: Pick<LedgerRules, 'localCurrency'>): string | null {
  if (supplier.currency === null) return null;
  return /^[A-Z]{3}$/.test(supplier.currency) ? supplier.currency : rules.localCurrency;
}

function merchantOf({ spend }: PlanSpend): string | null {
  const name = (spend.merchantName ?? spend.merchantDescriptor ?? '').replace(/\s+/g, ' ').trim();
  return name === '' ? null : name;
}

function problemOf(vendor: VendorFact, merchant: string | null): string {
  const name = merchant === null ? 'the merchant' : `merchant "${merchant}"`;
  switch (vendor.status) {
    case 'NEEDS_REVIEW':
      return `${name} may be a supplier of the ledger, but not certainly. ${vendor.explanation}`.trim();
    case 'REJECTED':
      return `the suggested supplier for ${name} was rejected and no other was chosen.`;
    default:
      return `${name} is matched to no supplier of the ledger.`;
  }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function uncertain(vendor: VendorFact, merchant: string | null): Hold {
  const needsReview = vendor.status === 'NEEDS_REVIEW';
  return {
    code: needsReview ? 'VENDOR_REVIEW' : 'VENDOR_UNMATCHED',
    message: sentence(problemOf(vendor, merchant)),
    field: 'merchant',
    ...(merchant === null ? {} : { value: merchant }),
    resolution: needsReview
      ? 'Confirm or reject the suggested supplier; the posting is then planned again.'
      : 'Assign a supplier to the merchant or create one; the posting is then planned again.',
  };
}

function noMerchant(): Hold {
  return {
    code: 'VENDOR_UNMATCHED',
    message: 'The purchase names no merchant, and a supplier invoice needs a supplier.',
    field: 'merchant',
    resolution: 'Exclude the record and enter it in the ledger by hand, or post this pipeline as journals.',
  };
}

function supplierInactive(code: string, message: string): Hold {
  return {
    code: 'SUPPLIER_INACTIVE',
    message,
    field: 'supplier',
    value: code,
    resolution: `Activate supplier ${code} in the ledger and refresh the master data, or assign another supplier to the merchant.`,
  };
}

function supplierCurrency(code: string, name: string, own: string, currency: string): Hold {
  return {
    code: 'CURRENCY_UNSUPPORTED',
    message: `The purchase is in ${currency}, but supplier ${code} (${name}) is kept in ${own}.`,
    field: 'currency',
    value: currency,
    resolution: `Assign a supplier that is kept in ${currency}, or enter the invoice in the ledger by hand and exclude the record.`,
  };
}
