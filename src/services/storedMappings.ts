import type { LocalDate } from '../domain/localDate.js';
import type { MappingRule, MappingVersion } from '../domain/plan.js';
import type { Tx } from '../entities/database.js';

/** Every version of a pipeline, so that each record is planned by the one in force on its posting date. Newest first. */
export async function loadMappings(tx: Tx, pipelineId: string): Promise<MappingVersion[]> {
  const rows = await tx.query<{ version: number; effective_from: LocalDate; rules: MappingRule[] }>(
    `select version, effective_from, rules from mapping_versions where tenant_id = $1 and pipeline_id = $2
     order by version desc`,
    [tx.tenantId, pipelineId],
  );
  return rows.map((row) => ({ version: row.version, effectiveFrom: row.effective_from, rules: row.rules }));
}
