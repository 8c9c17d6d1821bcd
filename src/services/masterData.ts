import type { LedgerConnection } from '../connectors/contract.js';
import type { Tx } from '../entities/database.js';
import { recordFor } from './audit.js';
import { watchDrift } from './drift.js';
import type { Caller, Engine } from './engine.js';
import { decideLostMatches } from './lostSuppliers.js';
import { dimensionList, type MasterList, weighMasterData } from './masterDataTrust.js';
import { wakeMasterData } from './masterDataWake.js';
import { done, type Outcome, refusedBy } from './outcome.js';
import { raiseMasterVersion } from './storedMasterData.js';

export { loadMasterData, masterVersion, raiseMasterVersion } from './storedMasterData.js';

export interface MasterDataCounts {
  readonly accounts: number;
  readonly suppliers: number;
  readonly dimensions: number;
  readonly periods: number;
}

/** Reads the ledger's accounts, suppliers, dimensions and periods now; answers once they are stored. */
export async function refreshMasterData(
  engine: Engine,
  caller: Caller,
  systemId: string,
): Promise<Outcome<MasterDataCounts>> {
  try {
    return done(await readMasterData(engine, caller, systemId));
  } catch (error) {
    return refusedBy(error);
  }
}

/** @throws the connector's errors; what was stored before stays whole then. */
export async function readMasterData(engine: Engine, caller: Caller, systemId: string): Promise<MasterDataCounts> {
  const { connection, system } = await engine.connections.ledger(caller.tenantId, systemId);
  const accounts = await gather(connection.listAccounts());
  const suppliers = await gather(connection.listSuppliers());
  const dimensions = await gather(connection.listDimensionValues());
  const periods = await connection.listPeriods();
  const counts = {
    accounts: accounts.length,
    suppliers: suppliers.length,
    dimensions: dimensions.length,
    periods: periods.length,
  };
  await engine.db.tenant(caller.tenantId, async (tx) => {
    await lockMasterData(tx, systemId);
    const now = engine.clock.now();
    await weighMasterData(tx, now, { id: systemId, name: system.name }, listSizes(counts, dimensions));
    const changed = [
      await replace(
        tx,
        systemId,
        'gl_accounts',
        ['code', 'name', 'active', 'blocked_reason', 'required_dimensions'],
        'code text, name text, active boolean, blocked_reason text, required_dimensions jsonb',
        accounts.map(({ blockedReason, requiredDimensions = [], ...account }) => ({
          ...account,
          blocked_reason: blockedReason,
          required_dimensions: requiredDimensions,
        })),
      ),
      await replace(
        tx,
        systemId,
        'suppliers',
        ['code', 'name', 'active', 'currency'],
        'code text, name text, active boolean, currency text',
        suppliers,
      ),
      await replace(
        tx,
        systemId,
        'ledger_dimension_values',
        ['dimension', 'code', 'name', 'active'],
        'dimension text, code text, name text, active boolean',
        dimensions,
      ),
      await storePeriods(tx, systemId, periods),
    ];
    if (changed.includes(true)) {
      await raiseMasterVersion(tx, systemId);
      await wakeMasterData(engine, tx, systemId, 'IF_CHANGED');
      await decideLostMatches(engine, caller, tx, systemId);
    }
    await tx.execute('update systems set master_data_read_at = $3 where tenant_id = $1 and id = $2', [
      tx.tenantId,
      systemId,
      now,
    ]);
    recordFor(tx, caller, now, {
      action: 'masterData.read',
      subjectType: 'ConnectedSystem',
      subjectId: systemId,
      summary: `Read from "${system.name}": ${counts.accounts} accounts, ${counts.suppliers} suppliers, ${counts.dimensions} dimension values, ${counts.periods} periods.`,
      after: counts,
    });
  });
  await watchDrift(engine, caller.tenantId, systemId);
  return counts;
}

function listSizes(
  { accounts, suppliers }: MasterDataCounts,
  dimensions: readonly { readonly dimension: string }[],
): Map<MasterList, number> {
  const sizes = new Map<MasterList, number>([
    ['accounts', accounts],
    ['suppliers', suppliers],
  ]);
  for (const { dimension } of dimensions) {
    sizes.set(dimensionList(dimension), (sizes.get(dimensionList(dimension)) ?? 0) + 1);
  }
  return sizes;
}

/** Which periods are open changes in a moment; they are read before every planning. */
export async function readPeriods(engine: Engine, tenantId: string, systemId: string): Promise<void> {
  const { connection } = await engine.connections.ledger(tenantId, systemId);
  const periods = await connection.listPeriods();
  await engine.db.tenant(tenantId, async (tx) => {
    await lockMasterData(tx, systemId);
    if (await storePeriods(tx, systemId, periods)) await raiseMasterVersion(tx, systemId);
  });
}

/** How old accounts and suppliers may be when a sync starts planning. */
const MASTER_DATA_MAX_AGE_MS = 15 * 60_000;

/** Reads all master data when it is missing or old, else the periods only. */
export async function freshenMasterData(engine: Engine, caller: Caller, systemId: string): Promise<void> {
  const [row] = await engine.db.tenant(caller.tenantId, (tx) =>
    tx.query<{ master_data_read_at: Date | null }>(
      'select master_data_read_at from systems where tenant_id = $1 and id = $2',
      [caller.tenantId, systemId],
    ),
  );
  const readAt = row?.master_data_read_at?.getTime() ?? 0;
  if (engine.clock.now().getTime() - readAt > MASTER_DATA_MAX_AGE_MS) await readMasterData(engine, caller, systemId);
  else await readPeriods(engine, caller.tenantId, systemId);
}

async function gather<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

function lockMasterData(tx: Tx, systemId: string): Promise<unknown> {
  return tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`master:${tx.tenantId}:${systemId}`]);
}

/**
 * Makes a list equal to what was read, touching only the rows that differ: a ledger of 100,000 suppliers that did not
 * change writes nothing.
 */
async function replace(
  tx: Tx,
  systemId: string,
  table: 'gl_accounts' | 'suppliers' | 'ledger_dimension_values',
  columns: readonly string[],
  definition: string,
  rows: readonly unknown[],
): Promise<boolean> {
  const keys = columns.filter((column) => column === 'code' || column === 'dimension');
  const others = columns.filter((column) => column !== 'code' && column !== 'dimension');
  const names = columns.join(', ');
  const [row] = await tx.query<{ changed: boolean }>(
    `with given as (select distinct on (${keys.join(', ')}) * from jsonb_to_recordset($3::jsonb) as g(${definition})),
     gone as (
       delete from ${table} t where tenant_id = $1 and system_id = $2
       and not exists (select from given g where ${keys.map((key) => `g.${key} = t.${key}`).join(' and ')}) returning 1
     ), kept as (
     insert into ${table} (tenant_id, system_id, ${names})
     select $1, $2, ${names} from given
     on conflict (tenant_id, system_id, ${keys.join(', ')}) do update
       set ${others.map((column) => `${column} = excluded.${column}`).join(', ')}
       where (${others.map((column) => `${table}.${column}`).join(', ')})
         is distinct from (${others.map((column) => `excluded.${column}`).join(', ')}) returning 1)
     select exists (select from gone) or exists (select from kept) as changed`,
    [tx.tenantId, systemId, JSON.stringify(rows)],
  );
  return row?.changed ?? false;
}

async function storePeriods(
  tx: Tx,
  systemId: string,
  periods: Awaited<ReturnType<LedgerConnection['listPeriods']>>,
): Promise<boolean> {
  const [row] = await tx.query<{ changed: boolean }>(
    `with given as (
       select * from jsonb_to_recordset($3::jsonb) as g(label text, "startsOn" date, "endsOn" date, open boolean, key jsonb)
     ), gone as (
       delete from fiscal_periods p where tenant_id = $1 and system_id = $2
       and not exists (select from given g where g.label = p.label) returning 1
     ), kept as (
     insert into fiscal_periods (tenant_id, system_id, label, starts_on, ends_on, open, key)
     select $1, $2, label, "startsOn", "endsOn", open, key from given
     on conflict (tenant_id, system_id, label) do update set starts_on = excluded.starts_on, ends_on = excluded.ends_on,
       open = excluded.open, key = excluded.key
       where (fiscal_periods.starts_on, fiscal_periods.ends_on, fiscal_periods.open, fiscal_periods.key)
         is distinct from (excluded.starts_on, excluded.ends_on, excluded.open, excluded.key) returning 1)
     select exists (select from gone) or exists (select from kept) as changed`,
    [tx.tenantId, systemId, JSON.stringify(periods)],
  );
  return row?.changed ?? false;
}
