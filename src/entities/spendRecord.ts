import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { LocalDate } from '../domain/localDate.js';
import type { SpendKind } from '../domain/spend.js';
import type { StoredUnifiedSpend } from '../domain/spendJson.js';
import type { SpendStatus } from '../domain/vocabulary.js';

/**
 * One purchase (or refund, reimbursement, bill): the joint view of all its source objects. Replaced as a whole with a
 * higher `revision` whenever its content changes.
 */
@Entity({ name: 'spend_records' })
export class SpendRecordRow {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text', name: 'source_id' })
  sourceId!: string;

  /**
   * Names the purchase by the source's own ids. References are made from it, so that a rebuilt database meets the
   * documents that the ledger already holds.
   */
  @Column({ type: 'text', name: 'origin_key' })
  originKey!: string;

  @Column({ type: 'text' })
  status!: SpendStatus;

  /** From 1. */
  @Column({ type: 'integer' })
  revision!: number;

  /** Of `unified`. */
  @Column({ type: 'text', name: 'content_hash' })
  contentHash!: string;

  @Column({ type: 'text' })
  kind!: SpendKind;

  /** Major units, exact, signed: negative is money back to the company. */
  @Column({ type: 'numeric' })
  amount!: string;

  @Column({ type: 'text' })
  currency!: string;

  @Column({ type: 'text', name: 'merchant_name', nullable: true })
  merchantName!: string | null;

  /** The merchant's name in normal form, under which its supplier is remembered; null when it names none. */
  @Column({ type: 'text', name: 'merchant_key', nullable: true })
  merchantKey!: string | null;

  @Column({ type: 'date', name: 'transaction_date' })
  transactionDate!: LocalDate;

  @Column({ type: 'date', name: 'posted_date', nullable: true })
  postedDate!: LocalDate | null;

  /** The purchase as planning reads it, bigints as decimal text. */
  @Column({ type: 'jsonb' })
  unified!: StoredUnifiedSpend;

  @Column({ type: 'text', name: 'vendor_match_id', nullable: true })
  vendorMatchId!: string | null;

  /** A sentence; set with the status EXCLUDED. */
  @Column({ type: 'text', name: 'excluded_reason', nullable: true })
  excludedReason!: string | null;

  /** Set when a person excluded it: planning leaves it alone until it is included again. */
  @Column({ type: 'text', name: 'excluded_by', nullable: true })
  excludedBy!: string | null;

  /** A sentence: what planning waits for before it makes a document. */
  @Column({ type: 'text', name: 'waiting_reason', nullable: true })
  waitingReason!: string | null;

  /** The day on which it is planned again because what it waits for is over then; null = it waits for the source. */
  @Column({ type: 'date', name: 'waiting_until', nullable: true })
  waitingUntil!: LocalDate | null;

  @Column({ type: 'text', name: 'correlation_id' })
  correlationId!: string;

  @Column({ type: 'timestamptz', name: 'created_at' })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at' })
  updatedAt!: Date;
}
