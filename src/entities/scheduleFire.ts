import { Entity, PrimaryColumn } from 'typeorm';

/**
 * One fire time of one pipeline that some process has answered. The key lets exactly one process start the run; kept
 * for a week.
 */
@Entity({ name: 'schedule_fires' })
export class ScheduleFireRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'pipeline_id' })
  pipelineId!: string;

  /** Whole seconds. */
  @PrimaryColumn({ type: 'timestamptz', name: 'fire_at' })
  fireAt!: Date;
}
