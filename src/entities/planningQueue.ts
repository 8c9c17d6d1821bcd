import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One purchase that one pipeline has to plan (again). Goes in the transaction that stores its plan. */
@Entity({ name: 'planning_queue' })
export class PlanningQueueRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'pipeline_id' })
  pipelineId!: string;

  @PrimaryColumn({ type: 'text', name: 'spend_record_id' })
  spendRecordId!: string;

  /** Why it has to be planned, for people who look. */
  @Column({ type: 'text' })
  reason!: string;

  @Column({ type: 'text', name: 'correlation_id' })
  correlationId!: string;
}
