/** Vendor matching: from a card descriptor to the supplier it belongs to, with the reasons. Pure and deterministic. */
export { type Descriptor, type DescriptorParts, normaliseMerchant, takeApart } from './descriptor.js';
export {
  DEFAULT_THRESHOLDS,
  type MatchDecision,
  type Memory,
  matchVendor,
  matchVendors,
  type VendorThresholds,
} from './match.js';
export { type ScoredCandidate, type SupplierEntry, SupplierIndex } from './supplierIndex.js';
