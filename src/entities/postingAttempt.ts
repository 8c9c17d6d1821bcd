import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One try to place one posting. Written before anything is sent and never removed; numbers count from 1. */
@Entity({ name: 'posting_attempts' })
export class PostingAttemptRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text', name: 'posting_id' })
  postingId!: string;

  @PrimaryColumn({ type: 'integer' })
  number!: number;

  /** `fence` of the posting when this began. */
  @Column({ type: 'bigint' })
  fence!: string;

  /** What was sent. */
  @Column({ type: 'text', name: 'plan_hash' })
  planHash!: string;

  /** The process, as in `ProcessRow.id`. */
  @Column({ type: 'text' })
  worker!: string;

  @Column({ type: 'timestamptz', name: 'started_at' })
  startedAt!: Date;

  /** null = still under way, or its process died. */
  @Column({ type: 'timestamptz', name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  /** SENDING until it is finished. */
  @Column({ type: 'text' })
  outcome!: 'SENDING' | 'POSTED' | 'FOUND' | 'REJECTED' | 'NOT_STARTED' | 'UNKNOWN' | 'ABANDONED' | 'ABSENT';

  /** null when no answer came. */
  @Column({ type: 'integer', name: 'http_status', nullable: true })
  httpStatus!: number | null;

  @Column({ type: 'text', nullable: true })
  message!: string | null;
}
