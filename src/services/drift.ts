import { type Lost, lostBy, lostKey, merged, TAX_CODE_DIMENSION, versionsAhead } from '../domain/drift.js';
import { addDays, dayIn, type LocalDate } from '../domain/localDate.js';
import type { LedgerRules } from '../domain/plan.js';
import type { Tx } from '../entities/database.js';
import { LedgergateError } from '../errors.js';
import { bringInLine, type NewAlert } from './alerts.js';
import type { Engine } from './engine.js';
import { dimensionList, doubtfulLists, type MasterList } from './masterDataTrust.js';
import type { Problem } from './outcome.js';
import type { PipelineRow } from './pipelines.js';
import { loadMappings } from './storedMappings.js';
import { loadMasterData } from './storedMasterData.js';

const CODE = 'MAPPING_DRIFT';
const ACTOR = 'system:drift';
/** How far back an alert counts the purchases that went through what was lost. */
const TOUCHED_DAYS = 90;
/** How many places an alert names. */
const USES_MAX = 5;

/** Something lost, and the pipelines whose mapping names it. */
interface LostIn {
  readonly lost: Lost;
  readonly pipelineIds: readonly string[];
}

/**
 * Raises an alert for each account, cost centre, dimension value, tax code and supplier that a mapping names and the ledger
 * has lost, and settles those of what is back. Judges by what was stored last, and by no list of which it is not known
 * that it was read whole.
 *
 * The ledger's rules are asked for; where it cannot be reached, nothing is raised and nothing settled.
 * @returns what the mapping of `pipelineId` names and the ledger has lost.
 */
export async function watchDrift(
  engine: Engine,
  tenantId: string,
  ledgerId: string,
  pipelineId: string | null = null,
): Promise<readonly Problem[]> {
  const system = await engine.db.tenant(tenantId, (tx) => ledgerOf(tx, ledgerId));
  // What was never read has nothing to lose.
  if (!system?.is_read) return [];
  const rules = await rulesOf(engine, tenantId, ledgerId);
  if (!rules) return [];
  return engine.db.tenant(tenantId, async (tx) => {
    const now = engine.clock.now();
    const doubtful = await doubtfulLists(tx, ledgerId);
    const all = await lostIn(tx, now, ledgerId, rules);
    const certain = all.filter(({ lost }) => !doubtful.has(listOf(lost)));
    const touched = await touchedBy(
      tx,
      now,
      ledgerId,
      certain.map(({ lost }) => lost),
    );
    const faults = certain.map((one) => faultOf(one, system.name, ledgerId, touched));
    const scope = { codes: [CODE], systemId: ledgerId, actor: ACTOR };
    const prefix = alertKey(ledgerId, '');
    const unclear = new Set(all.filter(({ lost }) => doubtful.has(listOf(lost))).map(({ lost }) => lostKey(lost)));
    await bringInLine(tx, now, faults, scope, (key) => unclear.has(key.slice(prefix.length)));
    return certain.filter((one) => pipelineId !== null && one.pipelineIds.includes(pipelineId)).map(warningOf);
  });
}

async function ledgerOf(tx: Tx, id: string): Promise<{ name: string; is_read: boolean } | undefined> {
  const [row] = await tx.query<{ name: string; is_read: boolean }>(
    'select name, master_data_read_at is not null as is_read from systems where tenant_id = $1 and id = $2',
    [tx.tenantId, id],
  );
  return row;
}

/** A ledger that cannot be reached now tells nothing about what it has lost. */
async function rulesOf(engine: Engine, tenantId: string, ledgerId: string): Promise<LedgerRules | null> {
  try {
    const { connection } = await engine.connections.ledger(tenantId, ledgerId);
    return await connection.rules();
  } catch (error) {
    if (!(error instanceof LedgergateError) || error.decision === 'STOP') throw error;
    engine.logger.warn({ tenantId, ledgerId, code: error.code }, 'drift was not looked for: the ledger gave no rules');
    return null;
  }
}

async function lostIn(tx: Tx, now: Date, ledgerId: string, rules: LedgerRules): Promise<LostIn[]> {
  const pipelines = await tx.query<PipelineRow>(
    'select * from pipelines where tenant_id = $1 and ledger_id = $2 and enabled order by id',
    [tx.tenantId, ledgerId],
  );
  if (pipelines.length === 0) return [];
  const masterData = await loadMasterData(tx, ledgerId);
  const found: LostIn[] = [];
  for (const row of pipelines) {
    const today = dayIn(row.time_zone, now);
    const used = await costCentresUsed(tx, row.id, addDays(today, -TOUCHED_DAYS));
    const losses = lostBy(
      {
        name: row.name,
        pipeline: {
          offsetAccount: row.offset_account,
          defaultAccount: row.default_account,
          documentType: row.document_type,
          closedPeriod: row.closed_period,
          roundingAccount: row.rounding_account,
          taxCodes: row.tax_codes,
        },
        versions: versionsAhead(await loadMappings(tx, row.id), today),
        costCentresOf: (glAccount) => used.get(glAccount) ?? [],
      },
      masterData,
      rules,
    );
    found.push(...losses.map((lost) => ({ lost, pipelineIds: [row.id] })));
  }
  found.push(...(await lostSuppliers(tx, ledgerId)).map((lost) => ({ lost, pipelineIds: [] })));
  return joined(found);
}

/** What two pipelines name is one loss. */
function joined(found: readonly LostIn[]): LostIn[] {
  return merged(found.map(({ lost }) => lost)).map((lost) => ({
    lost,
    pipelineIds: found.filter((one) => lostKey(one.lost) === lostKey(lost)).flatMap((one) => one.pipelineIds),
  }));
}

async function costCentresUsed(tx: Tx, pipelineId: string, since: LocalDate): Promise<Map<string, string[]>> {
  const rows = await tx.query<{ gl_account: string; cost_centres: string[] }>(
    `select l.gl_account, array_agg(distinct l.cost_centre) as cost_centres
     from postings p join posting_lines l on l.tenant_id = p.tenant_id and l.posting_id = p.id
     where p.tenant_id = $1 and p.pipeline_id = $2 and p.posting_date >= $3 and p.status <> 'CANCELLED'
       and l.cost_centre is not null group by l.gl_account`,
    [tx.tenantId, pipelineId, since],
  );
  return new Map(rows.map((row) => [row.gl_account, row.cost_centres]));
}

/** Suppliers that a person, or an alias, tied to a merchant. What the program matched itself it matches anew. */
async function lostSuppliers(tx: Tx, ledgerId: string): Promise<Lost[]> {
  const rows = await tx.query<{ code: string; name: string | null; merchants: string[] }>(
    `select m.alias_code as code, s.name, array_agg(m.merchant_name order by m.merchant_name) as merchants
     from vendor_matches m
     left join suppliers s on s.tenant_id = m.tenant_id and s.system_id = m.ledger_id and s.code = m.alias_code
     where m.tenant_id = $1 and m.ledger_id = $2 and m.alias_code is not null and s.active is not true
     group by m.alias_code, s.name order by m.alias_code`,
    [tx.tenantId, ledgerId],
  );
  return rows.map(({ code, name, merchants }) => ({
    ...{ kind: 'SUPPLIER', dimension: null, code },
    problem:
      name === null
        ? `Supplier ${code} does not exist in the ledger.`
        : `Supplier ${code} (${name}) is not active in the ledger.`,
    uses: merchants.map((merchant) => `merchant "${merchant}"`),
    line: { glAccount: null, costCentre: null },
  }));
}

/** How many purchases of the last days went through each, by its key. */
async function touchedBy(
  tx: Tx,
  now: Date,
  ledgerId: string,
  lost: readonly Lost[],
): Promise<ReadonlyMap<string, number>> {
  if (lost.length === 0) return new Map();
  const since = addDays(dayIn('UTC', now), -TOUCHED_DAYS);
  const wanted = lost.map((one) => ({
    ...{ key: lostKey(one), kind: one.kind, dimension: one.dimension, code: one.code },
    ...{ gl_account: one.line.glAccount, cost_centre: one.line.costCentre },
  }));
  const rows = await tx.query<{ key: string; records: number }>(
    `with wanted as (select * from jsonb_to_recordset($3::jsonb)
       as w(key text, kind text, dimension text, code text, gl_account text, cost_centre text)),
     recent as (select l.* from postings p join posting_lines l on l.tenant_id = p.tenant_id and l.posting_id = p.id
       where p.tenant_id = $1 and p.ledger_id = $2 and p.posting_date >= $4 and p.status <> 'CANCELLED'
         and p.reverses_id is null)
     select w.key, count(distinct x.id)::int as records from wanted w
     join recent l on case w.kind
       when 'ACCOUNT' then l.gl_account = w.gl_account and (w.cost_centre is null or l.cost_centre = w.cost_centre)
       when 'TAX_CODE' then l.tax_code = w.code
       else l.cost_centre = w.cost_centre or l.dimensions ->> w.dimension = w.code end
     cross join lateral unnest(l.spend_record_ids) as x(id) where w.kind <> 'SUPPLIER' group by w.key
     union all
     select w.key, count(distinct r.id)::int from wanted w
     join vendor_matches m on m.tenant_id = $1 and m.ledger_id = $2 and m.alias_code = w.code
     join spend_records r on r.tenant_id = $1 and r.merchant_key = m.merchant_key and r.transaction_date >= $4
     where w.kind = 'SUPPLIER' and r.source_id in (select source_id from pipelines where tenant_id = $1 and ledger_id = $2)
     group by w.key`,
    [tx.tenantId, ledgerId, JSON.stringify(wanted), since],
  );
  return new Map(rows.map((row) => [row.key, row.records]));
}

function listOf({ kind, dimension }: Lost): MasterList {
  switch (kind) {
    case 'ACCOUNT':
      return 'accounts';
    case 'SUPPLIER':
      return 'suppliers';
    case 'TAX_CODE':
      return dimensionList(TAX_CODE_DIMENSION);
    case 'DIMENSION':
      return dimensionList(dimension ?? '');
  }
}

function alertKey(ledgerId: string, key: string): string {
  return `drift:${ledgerId}:${key}`;
}

const RESOLUTION = 'Restore it in the ledger, or change what names it; this settles by itself then.';

function faultOf(
  { lost, pipelineIds }: LostIn,
  ledgerName: string,
  ledgerId: string,
  touched: ReadonlyMap<string, number>,
): NewAlert {
  const records = touched.get(lostKey(lost)) ?? 0;
  const count = records === 1 ? '1 purchase' : `${records} purchases`;
  const [only = null, ...others] = pipelineIds;
  return {
    severity: 'WARNING',
    code: CODE,
    message: `"${ledgerName}": ${lost.problem} It is named by ${placesOf(lost)}. ${count} of the last ${TOUCHED_DAYS} days went through it. ${RESOLUTION}`,
    systemId: ledgerId,
    pipelineId: others.length > 0 ? null : only,
    dedupeKey: alertKey(ledgerId, lostKey(lost)),
  };
}

function placesOf({ uses }: Lost): string {
  const more = uses.length - USES_MAX;
  return more > 0 ? `${uses.slice(0, USES_MAX).join(', ')} and ${more} more` : uses.join(', ');
}

function warningOf({ lost }: LostIn): Problem {
  return {
    code: CODE,
    message: `${lost.problem} It is named by ${placesOf(lost)}.`,
    path: ['rules'],
    resolution: RESOLUTION,
  };
}
