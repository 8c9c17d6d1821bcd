import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PreviewDocument } from '../domain/preview.js';
import type { SyncStatus, SyncTrigger } from '../domain/vocabulary.js';

/**
 * One run of a pipeline. At most one unfinished run a pipeline, window and kind (dry or not); an idempotency key names
 * at most one run of its tenant.
 */
@Entity({ name: 'sync_runs' })
export class SyncRunRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text', name: 'pipeline_id' })
  pipelineId!: string;

  @Column({ type: 'text' })
  trigger!: SyncTrigger;

  @Column({ type: 'boolean', name: 'dry_run' })
  dryRun!: boolean;

  @Column({ type: 'text' })
  status!: SyncStatus;

  /** null = from the checkpoint. */
  @Column({ type: 'timestamptz', name: 'window_from', nullable: true })
  windowFrom!: Date | null;

  /** null = until now. */
  @Column({ type: 'timestamptz', name: 'window_to', nullable: true })
  windowTo!: Date | null;

  /** A trigger met this run while it was running: it reads once more before it finishes. */
  @Column({ type: 'boolean', default: false })
  again!: boolean;

  @Column({ type: 'integer', name: 'records_read', default: 0 })
  recordsRead!: number;

  @Column({ type: 'integer', name: 'records_new', default: 0 })
  recordsNew!: number;

  @Column({ type: 'integer', name: 'records_changed', default: 0 })
  recordsChanged!: number;

  @Column({ type: 'integer', name: 'postings_posted', default: 0 })
  postingsPosted!: number;

  @Column({ type: 'integer', name: 'postings_held', default: 0 })
  postingsHeld!: number;

  @Column({ type: 'integer', name: 'postings_failed', default: 0 })
  postingsFailed!: number;

  /** A dry run's documents; null for other runs and until it is finished. */
  @Column({ type: 'jsonb', nullable: true })
  preview!: readonly PreviewDocument[] | null;

  /** A sentence for a person; null when nothing went wrong. */
  @Column({ type: 'text', nullable: true })
  error!: string | null;

  @Column({ type: 'text', name: 'idempotency_key', nullable: true })
  idempotencyKey!: string | null;

  /** Of the request that brought `idempotencyKey`: the same key with another request is a conflict. */
  @Column({ type: 'text', name: 'request_hash', nullable: true })
  requestHash!: string | null;

  @Column({ type: 'text', name: 'correlation_id' })
  correlationId!: string;

  /** The actor, as in audit events. */
  @Column({ type: 'text', name: 'requested_by' })
  requestedBy!: string;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'started_at', nullable: true })
  startedAt!: Date | null;

  /** How far each stream has been read, by its name: `{ cursor, begunAt }`, cursor null at the end. */
  @Column({ type: 'jsonb', name: 'reading', default: () => "'{}'" })
  reading!: Record<string, { cursor: string | null; begunAt: string }>;

  /** Set when reading and planning are over and only postings are still on their way. */
  @Column({ type: 'timestamptz', name: 'planned_at', nullable: true })
  plannedAt!: Date | null;

  /** Set with the statuses SUCCEEDED, PARTIAL, FAILED and CANCELLED. */
  @Column({ type: 'timestamptz', name: 'finished_at', nullable: true })
  finishedAt!: Date | null;
}
