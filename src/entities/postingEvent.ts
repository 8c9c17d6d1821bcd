import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { PostingStatus } from '../domain/postingState.js';

/**
 * One change of one posting's status, in commit order. Written with the audit event of the same number, under the
 * tenant's lock, so numbers become visible in order.
 */
@Entity({ name: 'posting_events' })
export class PostingEventRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  /** The number of the audit event that tells of it; of these rows alone the numbers have gaps. */
  @PrimaryColumn({ type: 'bigint' })
  sequence!: string;

  @Column({ type: 'text', name: 'posting_id' })
  postingId!: string;

  @Column({ type: 'text', name: 'pipeline_id' })
  pipelineId!: string;

  /** null = it was made. */
  @Column({ type: 'text', name: 'previous_status', nullable: true })
  previousStatus!: PostingStatus | null;

  @Column({ type: 'text' })
  status!: PostingStatus;

  @Column({ type: 'timestamptz', name: 'occurred_at' })
  occurredAt!: Date;
}
