import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * One job that a process has in hand. A claim of a process that no longer lives lets the job start again at once. Of no
 * tenant: for the engine only.
 */
@Entity({ name: 'job_claims' })
export class JobClaimRow {
  /** The queue's own id of the job. */
  @PrimaryColumn({ type: 'text', name: 'job_id' })
  jobId!: string;

  @Column({ type: 'text' })
  queue!: string;

  /** See `ProcessRow.id`. */
  @Column({ type: 'text', name: 'process_id' })
  processId!: string;

  @Column({ type: 'timestamptz', name: 'claimed_at' })
  claimedAt!: Date;
}
