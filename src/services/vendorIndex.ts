import { DEFAULT_THRESHOLDS, SupplierIndex, type VendorThresholds } from '../domain/vendor/index.js';
import type { Tx } from '../entities/database.js';
import { masterVersion } from './storedMasterData.js';

const indexes = new Map<string, { marker: string; index: SupplierIndex }>();

/**
 * The index over one ledger's suppliers, built again only when they were read again. One ledger's index is kept a
 * process, so that many tenants do not add up in memory.
 */
export async function supplierIndex(tx: Tx, ledgerId: string): Promise<SupplierIndex> {
  const marker = await masterVersion(tx, ledgerId);
  const key = `${tx.tenantId}/${ledgerId}`;
  const known = indexes.get(key);
  if (known?.marker === marker) return known.index;
  const suppliers = await tx.query<{ code: string; name: string; active: boolean }>(
    'select code, name, active from suppliers where tenant_id = $1 and system_id = $2 order by code',
    [tx.tenantId, ledgerId],
  );
  const index = SupplierIndex.build(suppliers);
  indexes.clear();
  indexes.set(key, { marker, index });
  return index;
}

/** The ledger's own limits, or those that come with the program. */
export async function loadThresholds(tx: Tx, ledgerId: string): Promise<VendorThresholds> {
  const [row] = await tx.query<VendorThresholds>(
    `select auto_score as "autoScore", auto_margin as "autoMargin", review_score as "reviewScore"
     from vendor_thresholds where tenant_id = $1 and ledger_id = $2`,
    [tx.tenantId, ledgerId],
  );
  return row ?? DEFAULT_THRESHOLDS;
}
