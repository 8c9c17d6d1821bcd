import type { LocalDate } from '../domain/localDate.js';
import type { AccountFact, FiscalPeriodFact, MasterData, SupplierFact } from '../domain/plan.js';
import type { Tx } from '../entities/database.js';

/** One ledger's master data a process: many tenants do not add up in memory, and a run of one is served from here. */
let kept: { readonly key: string; readonly data: MasterData } | null = null;

/** The stored master data as planning looks things up in it; read again only when it has changed. */
export async function loadMasterData(tx: Tx, systemId: string): Promise<MasterData> {
  const key = `${tx.tenantId}/${systemId}/${await masterVersion(tx, systemId)}`;
  if (kept?.key !== key) kept = { key, data: await readStored(tx, systemId) };
  return kept.data;
}

/** Changes whenever the stored master data does. */
export async function masterVersion(tx: Tx, systemId: string): Promise<string> {
  const [row] = await tx.query<{ master_version: string }>(
    'select master_version from systems where tenant_id = $1 and id = $2',
    [tx.tenantId, systemId],
  );
  return row?.master_version ?? '';
}

/** To be called in the transaction that changes stored master data. */
export async function raiseMasterVersion(tx: Tx, systemId: string): Promise<void> {
  await tx.execute('update systems set master_version = master_version + 1 where tenant_id = $1 and id = $2', [
    tx.tenantId,
    systemId,
  ]);
}

async function readStored(tx: Tx, systemId: string): Promise<MasterData> {
  const [accounts, suppliers, dimensions, periods] = [
    await tx.query<{
      code: string;
      name: string;
      active: boolean;
      blocked_reason: string | null;
      required_dimensions: { dimension: string; label: string }[];
    }>(
      `select code, name, active, blocked_reason, required_dimensions from gl_accounts
       where tenant_id = $1 and system_id = $2`,
      [tx.tenantId, systemId],
    ),
    await tx.query<SupplierFact>(
      'select code, name, active, currency from suppliers where tenant_id = $1 and system_id = $2',
      [tx.tenantId, systemId],
    ),
    await tx.query<{ dimension: string; code: string; name: string; active: boolean }>(
      'select dimension, code, name, active from ledger_dimension_values where tenant_id = $1 and system_id = $2',
      [tx.tenantId, systemId],
    ),
    await tx.query<{
      label: string;
      starts_on: LocalDate;
      ends_on: LocalDate;
      open: boolean;
      key: Record<string, string>;
    }>(
      `select label, starts_on, ends_on, open, key from fiscal_periods where tenant_id = $1 and system_id = $2
       order by starts_on`,
      [tx.tenantId, systemId],
    ),
  ];
  const accountByCode = new Map<string, AccountFact>(
    accounts.map(({ blocked_reason, required_dimensions, ...account }) => [
      account.code,
      { ...account, blockedReason: blocked_reason, requiredDimensions: required_dimensions },
    ]),
  );
  const supplierByCode = new Map(suppliers.map((supplier) => [supplier.code, supplier]));
  const values = new Map<string, Map<string, { name: string; active: boolean }>>();
  for (const { dimension, code, name, active } of dimensions) {
    const known = values.get(dimension) ?? new Map<string, { name: string; active: boolean }>();
    values.set(dimension, known.set(code, { name, active }));
  }
  return {
    account: (code) => accountByCode.get(code),
    supplier: (code) => supplierByCode.get(code),
    dimensionValue: (dimension, code) => {
      const known = values.get(dimension);
      return known ? known.get(code) : null;
    },
    periods: periods.map(
      (period): FiscalPeriodFact => ({
        label: period.label,
        startsOn: period.starts_on,
        endsOn: period.ends_on,
        open: period.open,
        key: period.key,
      }),
    ),
  };
}
