import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { LocalDate } from '../domain/localDate.js';
import type { MappingRule } from '../domain/plan.js';

/**
 * One version of a pipeline's mapping rules. Never changed and never removed; versions count 1, 2, 3 without gaps or
 * repeats.
 */
@Entity({ name: 'mapping_versions' })
export class MappingVersionRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text', name: 'pipeline_id' })
  pipelineId!: string;

  @Column({ type: 'integer' })
  version!: number;

  /** The first posting date it holds for; the newest version that has begun decides. */
  @Column({ type: 'date', name: 'effective_from' })
  effectiveFrom!: LocalDate;

  @Column({ type: 'text', nullable: true })
  note!: string | null;

  /** The first whose conditions all hold decides. */
  @Column({ type: 'jsonb' })
  rules!: readonly MappingRule[];

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  /** The actor, as in audit events. */
  @Column({ type: 'text', name: 'created_by' })
  createdBy!: string;
}
