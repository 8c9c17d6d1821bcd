import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { AlertSeverity } from '../domain/vocabulary.js';

/** One thing that a person should know. Of one `dedupeKey` at most one alert is unresolved. */
@Entity({ name: 'alerts' })
export class AlertRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  severity!: AlertSeverity;

  /** UPPER_SNAKE_CASE, stable. */
  @Column({ type: 'text' })
  code!: string;

  /** What happened and what can be done, in sentences. */
  @Column({ type: 'text' })
  message!: string;

  @Column({ type: 'text', name: 'system_id', nullable: true })
  systemId!: string | null;

  @Column({ type: 'text', name: 'pipeline_id', nullable: true })
  pipelineId!: string | null;

  /** Names the fault: it raises one alert until that is resolved. */
  @Column({ type: 'text', name: 'dedupe_key' })
  dedupeKey!: string;

  @Column({ type: 'timestamptz', name: 'raised_at' })
  raisedAt!: Date;

  @Column({ type: 'timestamptz', name: 'resolved_at', nullable: true })
  resolvedAt!: Date | null;

  /** The actor, as in audit events. */
  @Column({ type: 'text', name: 'resolved_by', nullable: true })
  resolvedBy!: string | null;
}
