import { dayIn, type LocalDate } from '../domain/localDate.js';
import { mappingOn } from '../domain/mapping.js';
import type { LedgerRules, MappingVersion, MasterData, PlanContext, PlanPipeline } from '../domain/plan.js';
import { LedgerChecks, wantedDay } from '../domain/planChecks.js';
import type { UnifiedSpend } from '../domain/spend.js';
import type { Tx } from '../entities/database.js';
import { loadMasterData } from './masterData.js';
import type { PipelineRow } from './pipelines.js';
import { loadMappings } from './storedMappings.js';

/** Everything but the spend that planning looks at, as it stands in one transaction. */
export interface PlanningContext {
  readonly row: PipelineRow;
  /** The context for documents of that posting date: the mapping version in force then. */
  on(day: LocalDate): PlanContext;
  /** The context for a purchase: of the posting date that it would get now. */
  of(spend: UnifiedSpend): PlanContext;
}

export async function loadPlanningContext(
  tx: Tx,
  now: Date,
  row: PipelineRow,
  rules: LedgerRules,
): Promise<PlanningContext> {
  const mappings = await loadMappings(tx, row.id);
  const masterData = await loadMasterData(tx, row.ledger_id);
  const sequences = await dailySequences(tx, row);
  return contextOf(row, rules, mappings, masterData, sequences, dayIn(row.time_zone, now));
}

function contextOf(
  row: PipelineRow,
  rules: LedgerRules,
  mappings: readonly MappingVersion[],
  masterData: MasterData,
  sequences: ReadonlyMap<string, number>,
  today: LocalDate,
): PlanningContext {
  const pipeline: PlanPipeline = {
    id: row.id,
    streams: row.streams,
    documentType: row.document_type,
    grouping: row.grouping,
    offsetAccount: row.offset_account,
    defaultAccount: row.default_account,
    unmatchedVendor: row.unmatched_vendor,
    postingDate: row.posting_date,
    closedPeriod: row.closed_period,
    coding: row.coding,
    requireApproval: row.require_approval,
    timeZone: row.time_zone,
    receiptLinkBase: row.receipt_link_base,
    roundingAccount: row.rounding_account,
    taxCodes: row.tax_codes,
  };
  const byVersion = new Map<number, PlanContext>();
  const checks = new LedgerChecks(masterData, rules, pipeline.closedPeriod);
  return {
    row,
    of(spend) {
      return this.on(checks.postingDay(wantedDay(spend, pipeline.postingDate, today)).day);
    },
    on(day) {
      const mapping = mappingOn(mappings, day);
      const version = mapping?.version ?? 0;
      const known = byVersion.get(version);
      if (known) return known;
      const context: PlanContext = {
        pipeline,
        ledgerId: row.ledger_id,
        mapping,
        masterData,
        rules,
        today,
        dailySequence: (postingDate, currency) => sequences.get(`${postingDate} ${currency}`) ?? 0,
      };
      byVersion.set(version, context);
      return context;
    },
  };
}

/** How many documents there are a day and currency, in whatever state; postings are never deleted, so it never falls. */
async function dailySequences(tx: Tx, row: PipelineRow): Promise<Map<string, number>> {
  if (row.grouping !== 'DAILY') return new Map();
  const rows = await tx.query<{ posting_date: LocalDate; currency: string; count: string }>(
    `select first_planned_for as posting_date, currency, count(*) from postings where tenant_id = $1 and pipeline_id = $2
     group by first_planned_for, currency`,
    [tx.tenantId, row.id],
  );
  return new Map(rows.map((one) => [`${one.posting_date} ${one.currency}`, Number(one.count)]));
}
